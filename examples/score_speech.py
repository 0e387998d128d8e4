"""Find speech with two Gaussians over level and voicing, hold it to the truth, and draw both.

Run from the root of the repository: ``python examples/score_speech.py``
It needs the extra ``plot``.
"""

from gmmseg import GaussianMixture
from gmmseg.audio import frame_features, read_audio, read_segments, segments_from_frames
from gmmseg.audio.timeline import drop_short, fill_gaps
from gmmseg.evaluation import detection_error
from gmmseg.report import plot_timeline

HOP = 0.01  # seconds from frame to frame

y, sr = read_audio("data/conversation.flac")
truth = read_segments("data/conversation.rttm")

frames = frame_features(y, sr=sr, kind="voice")[:, [-5, -4]]  # above the noise; harmonicity
mixture = GaussianMixture(2, random_state=0).fit(frames)
speech = mixture.means_[:, 0].argmax()
probabilities = mixture.predict_proba(frames)[:, speech]

found = segments_from_frames(probabilities > 0.5, hop=HOP, duration=len(y) / sr)
found = drop_short(fill_gaps(found, 0.3), 0.3)
error = detection_error(truth, found, scored=[(0, len(y) / sr)])
print(f"missed {error.miss_rate:.1%} of speech, false {error.false_speech_rate:.1%} of the rest")

tracks = {"truth": truth, "found": found}
figure = plot_timeline(y, sr=sr, tracks=tracks, probabilities=probabilities, threshold=0.5)
figure.savefig("speech.png", dpi=100)
print("look at speech.png")
