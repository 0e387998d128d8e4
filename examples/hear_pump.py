"""Learn what a sound pump sounds like, and show when, and in which band, three others do not.

Run from the root of the repository: ``python examples/hear_pump.py``
"""

from pathlib import Path

from gmmseg.audio import AudioAnomalyDetector, read_audio
from gmmseg.image import write_image
from gmmseg.report import contact_sheet, picture_sound

detector = AudioAnomalyDetector().fit(sorted(Path("data/pump").glob("normal_*.flac")))
pictures, captions = [], []
for name in ("bearing", "cavitation", "slow", "normal_03"):
    y, sr = read_audio(f"data/pump/{name}.flac")
    found = detector.explain(y, sr=sr)
    is_anomalous = found.p_value <= detector.false_alarm
    hertz = found.frequencies[found.band_scores.argmax()]
    print(f"{name}: score {found.score:.1f}, p-value {found.p_value:.2g}, most at {hertz:.0f} Hz")
    pictures.append(picture_sound(found, is_anomalous=is_anomalous, width=500))
    captions.append(name)
write_image("pump.png", contact_sheet(pictures, captions, columns=2, width=580))
print("look at pump.png")
