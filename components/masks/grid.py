"""The grid of patches in an image."""

from torch import Tensor


def grid(image: Tensor, patch: int) -> tuple[int, int]:
    """Rows and columns of patches, two each at least; a patch that does not divide the image is refused."""
    rows, columns = (side // patch for side in image.shape[2:])
    if any(side % patch for side in image.shape[2:]) or min(rows, columns) < 2:
        sides = " x ".join(map(str, image.shape[2:]))
        raise ValueError(
            f"patches of {patch} pixels do not cut {sides} into several; set patch, or make the sides of the view "
            f"multiples of it, {2 * patch} at the least"
        )
    return rows, columns
