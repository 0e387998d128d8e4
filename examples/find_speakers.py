"""Find who speaks when in a conversation, hold it to the truth, and draw both.

Run from the root of the repository: ``python examples/find_speakers.py``
It needs the extra ``plot``.
"""

from gmmseg.audio import VoiceActivityDetector, diarize, read_audio, read_segments
from gmmseg.evaluation import detection_error, diarization_error
from gmmseg.report import plot_timeline

y, sr = read_audio("data/conversation.flac")
truth = read_segments("data/conversation.rttm")

detector = VoiceActivityDetector()
probabilities = detector.predict_proba(y, sr=sr)
speech = detector.predict(y, sr=sr)
turns = diarize(y, sr=sr, speech=speech)

missed = detection_error(truth, speech).miss_rate
error = diarization_error(truth, turns, collar=0.25)
confused = error.confusion / error.speaker_time
print(f"missed {missed:.1%} of speech, {confused:.1%} under a wrong name")

tracks = {"truth": truth, "speech": speech, "speakers": turns}
figure = plot_timeline(y, sr=sr, tracks=tracks, probabilities=probabilities, threshold=0.5)
figure.savefig("conversation.png", dpi=100)
print("look at conversation.png")
