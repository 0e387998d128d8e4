"""Segment a made head volume into three tissues, its slow shading taken out, and show slices.

Run from the root of the repository: ``python examples/segment_brain.py``
"""

from gmmseg.image import read_volume, segment_image, write_image
from gmmseg.report import add_legend, volume_sheet

head = read_volume("data/brain_phantom.nii.gz")
labels = segment_image(head.values, n_segments=4, bias_field=True, channel_axis=None)
tissues = labels - 1  # the darkest segment is the air around the head
names = ["fluid", "gray matter", "white matter"]
write_image("brain.png", add_legend(volume_sheet(head, tissues), tissues, names=names))
voxel = head.spacing[0] * head.spacing[1] * head.spacing[2] / 1000
for number, name in enumerate(names, start=1):
    print(f"{name}: {(tissues == number).sum() * voxel:.0f} ml")
