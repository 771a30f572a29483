"""What a loop of one's own gives as images is looked at before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sslgraph.errors import SslgraphError

FORM = "expected uint8 images, one tensor [batch, channels, height, width] or a list of [channels, height, width]"
WHOLE = (torch.uint8, torch.int16, torch.int32, torch.int64)


def channels_of(images: Any, indices: Any) -> int:
    """How many channels these images have; refuses what is no batch of uint8 images with the number of each."""
    if not isinstance(images, Tensor | list) or not len(images):
        raise SslgraphError(f"{FORM}, and got {_what(images)}; {_cure(images)}")
    for image in images if isinstance(images, list) else [images]:
        _refuse_other(image, dimensions=3 if isinstance(images, list) else 4)
    if not isinstance(indices, Tensor) or indices.dtype not in WHOLE or indices.shape != (len(images),):
        raise SslgraphError(
            f"expected the number of each image in the data set, a tensor of {len(images)} whole numbers here, and "
            f"got {_what(indices)}; write for example torch.tensor([4, 0, 7])"
        )
    channels = sorted({image.shape[-3] for image in images})
    if len(channels) > 1:
        raise SslgraphError(f"the images have {' or '.join(map(str, channels))} channels; bring all to one number")
    return int(channels[0])


def refuse_uneven(images: Sequence[Tensor] | Tensor, maps: Sequence[Tensor], index: Tensor) -> None:
    """A label map of another size than its image would say nothing about it."""
    for image, map_, number in zip(images, maps, index.tolist(), strict=True):
        if image.shape[1:] != map_.shape:
            sizes = (f"{shape[1]} x {shape[0]}" for shape in (map_.shape, image.shape[1:]))
            raise SslgraphError(f"the label map of image {number} has {' pixels, and the image '.join(sizes)}")


def _refuse_other(image: Any, *, dimensions: int) -> None:
    if not isinstance(image, Tensor):
        raise SslgraphError(f"{FORM}, and got a list with {_what(image)} in it; {_cure(image)}")
    if image.ndim != dimensions:
        cure = "write images[None] for a single image" if image.ndim == 3 else "bring the axes into this order"
        raise SslgraphError(f"{FORM}, and got {_what(image)}; {cure}")
    if image.is_floating_point():
        scaled = "(images * 255)" if image.numel() and float(image.max()) <= 1 else "images"
        raise SslgraphError(
            f"{FORM}, and got {_what(image)}; write {scaled}.round().to(torch.uint8), before any normalisation: "
            "the views normalise"
        )
    if image.dtype != torch.uint8:
        raise SslgraphError(f"{FORM}, and got {_what(image)}; write images.to(torch.uint8) for numbers from 0 to 255")
    if image.shape[-3] > 16 and image.shape[-1] <= 4:
        raise SslgraphError(f"{FORM}, and got {_what(image)}, with the channels last; write images.movedim(-1, -3)")


def _what(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')} and shape {tuple(value.shape)}"
    if isinstance(value, list | tuple) and not value:
        return "no image at all"
    package = type(value).__module__.partition(".")[0]
    return f"a {'' if package == 'builtins' else f'{package}.'}{type(value).__name__}"


def _cure(value: Any) -> str:
    if hasattr(value, "__array_interface__") and not hasattr(value, "ndim"):  # PIL's
        return "write torchvision.transforms.functional.pil_to_tensor(image) for each, in a list"
    if hasattr(value, "ndim"):
        last = value.ndim and value.shape[-1] in (1, 3, 4)
        return f"write torch.from_numpy(images){'.movedim(-1, -3)' if last else ''}"
    return "write torch.stack(images) for images of one size, or a list for images of several"
