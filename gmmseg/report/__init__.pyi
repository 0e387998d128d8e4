from .components import plot_components
from .figures import overlay_labels, side_by_side

__all__ = ["overlay_labels", "plot_components", "side_by_side"]
