"""Find what moves in a video, and draw how much of the picture moves when.

Run from the root of the repository: ``python examples/find_motion.py``
"""

import numpy as np

from gmmseg.image import write_image
from gmmseg.report import overlay_motion
from gmmseg.video import BackgroundSubtractor, moving_regions, open_video

video = open_video("data/scene.webp")
subtractor = BackgroundSubtractor(fps=video.fps or 25.0)
pictures = []
for number, (_, frame) in enumerate(video.frames, start=1):
    mask = subtractor.apply(frame)
    if subtractor.event_:
        shift = f" by {subtractor.shift_}" if any(subtractor.shift_) else ""
        print(f"frame {number}: {subtractor.event_}{shift}")
    if number in (60, 80, 81, 82, 120, 135):
        pictures.append(overlay_motion(frame, mask))
        for region in moving_regions(mask):
            print(f"frame {number}: {region.area} pixels move at column {region.x0}")
rows = [np.hstack(pictures[:3]), np.hstack(pictures[3:])]
write_image("motion.png", np.vstack(rows).repeat(2, axis=0).repeat(2, axis=1))
print("look at motion.png: red moves, blue is shadow")
