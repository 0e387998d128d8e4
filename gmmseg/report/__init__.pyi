from .figures import overlay_labels, side_by_side

__all__ = ["overlay_labels", "side_by_side"]
