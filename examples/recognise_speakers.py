"""Enrol two voices with their first two turns of a conversation, and name the turns that follow.

Run from the root of the repository: ``python examples/recognise_speakers.py``
It needs the extra ``plot``.
"""

import matplotlib as mpl
import numpy as np

from gmmseg.audio import SpeakerRecognizer, read_audio, read_segments

mpl.use("agg")
from matplotlib import pyplot as plt

y, sr = read_audio("data/conversation.flac")
turns = [turn for turn in read_segments("data/conversation.rttm") if turn.duration > 1.0]
sounds = [y[int(turn.start * sr) : int(turn.end * sr)] for turn in turns]
names = [turn.label for turn in turns]

recognizer = SpeakerRecognizer(microphones="same").fit(sounds[:4], names[:4], sr=sr)
scores = recognizer.score(sounds[4:], sr=sr)
for turn, row in zip(turns[4:], scores, strict=True):
    heard = recognizer.speakers_[row.argmax()]
    print(f"{turn.start:5.1f} s: {turn.label} speaks, {heard} is heard, by {row.max():.1f}")

figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
rows = np.arange(len(scores))
for column, name in enumerate(recognizer.speakers_):
    axes.bar(rows + 0.4 * column - 0.2, scores[:, column], width=0.4, label=name)
axes.set_xticks(rows, [f"{turn.start:.0f} s\n{turn.label}" for turn in turns[4:]])
axes.set_ylabel("log-likelihood ratio")
figure.legend(title="heard", loc="outside right upper")
figure.savefig("speakers.png", dpi=100)
print("look at speakers.png")
