from .components import plot_components
from .cutout import cutout_sheet, overlay_mask
from .figures import overlay_labels, side_by_side
from .legend import add_legend
from .motion import overlay_motion, plot_motion
from .sheet import contact_sheet
from .slices import volume_sheet
from .sound import picture_sound
from .strangeness import overlay_anomaly
from .timeline import plot_timeline
from .uncertainty import picture_uncertainty

__all__ = [
    "add_legend",
    "contact_sheet",
    "cutout_sheet",
    "overlay_anomaly",
    "overlay_labels",
    "overlay_mask",
    "overlay_motion",
    "picture_sound",
    "picture_uncertainty",
    "plot_components",
    "plot_motion",
    "plot_timeline",
    "side_by_side",
    "volume_sheet",
]
