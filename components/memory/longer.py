"""A queue that is longer than the data set is refused before the first step."""

from torch import nn

from sslgraph.errors import SettingError


def refuse_longer(queue: nn.Module, size: int, images: int) -> None:
    """SettingError with half of the images, rounded down to a power of 2, which most batches divide."""
    if size > images:
        problem = (
            f"a queue of {size} rows is longer than the {images} images to train on: it would hold features of the "
            "image that it is asked about"
        )
        raise SettingError(queue, "size", 2 ** max(0, (images // 2).bit_length() - 1), problem)
