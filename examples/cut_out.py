"""Cut a cup out of a photograph with one box around it, and lay it on white with a soft edge.

Run from the root of the repository: ``python examples/cut_out.py``
"""

import numpy as np

from gmmseg.image import cut_foreground, read_image, soften_mask, write_image
from gmmseg.report import contact_sheet, overlay_mask

image, mask = read_image("data/coffee.png")
cup = cut_foreground(image, box=(70, 10, 500, 395), mask=mask)
opacity = soften_mask(image, cup)[..., np.newaxis]
on_white = np.rint(opacity * image + (1 - opacity) * 255).astype(np.uint8)
pictures = [image, overlay_mask(image, cup), on_white]
write_image("cut_out.png", contact_sheet(pictures, ["photograph", "cut", "on white"], columns=3))
print(f"the cup covers {cup.mean():.0%} of the picture; look at cut_out.png")
