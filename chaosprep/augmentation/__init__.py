"""Draw a transform as plain numbers, then apply it to an image and its mask."""

from chaosprep.augmentation.apply import apply
from chaosprep.augmentation.draw import Recipe, draw

__all__ = ["Recipe", "apply", "draw"]
