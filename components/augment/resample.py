"""The one place where pixels move: what the frames of a batch see, antialiased, as floats in 0..1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sslgraph.component import component
from sslgraph.ranges import Count

from . import native
from .frame import Axis, Frame

Source = Tensor | list[Tensor]
Bytes = UInt8[Tensor, "batch channels height width"]
# Pixels of a plane that colour steps work on one at a time.
_LONG_PLANE = 2**15


@component(
    source="torchvision.transforms.v2.functional.resized_crop with antialias; aten/native UpSample kernels",
    role="resampling",
)
class Resample(nn.Module):
    """Runs frames: crop, antialiased resize, crop of the result and mirroring, in one resampling.

    Small images of one size are resampled as two batched matrix products, one an axis, whose rows are the interpolation
    weights; this equals torchvision's resize of floats. Large images, and images of many sizes, pass one by one through
    the 8-bit kernel that torchvision calls, and are bit-equal to it. On a GPU large ones of one size are products, too,
    rounded to bytes after each axis: they are the kernel's but for a pixel in fifty, which is a step of 1/255 apart.
    Bytes and floats differ by that step, and where bicubic overshoots, which bytes clamp between the axes, too.

    Settings:
        kernel_from: side of a view in pixels from which views are made of bytes.
    """

    def __init__(self, *, kernel_from: Count = 96) -> None:
        super().__init__()
        self.kernel_from = kernel_from

    def whole(self, images: Source, copies: int = 1) -> Frame:
        """The frame that sees all of every image, `copies` times, copy-major."""
        if isinstance(images, Tensor):
            heights, widths = (torch.full((len(images),), side) for side in images.shape[-2:])
        else:
            heights, widths = (torch.tensor([image.shape[axis] for image in images]) for axis in (-2, -1))
        return Frame.whole(heights.repeat(copies), widths.repeat(copies))

    def ready(self, images: Bytes) -> Bytes:
        """The same, as the 8-bit kernel likes large ones: it is twice as fast on pixels whose colours lie together."""
        is_large = images.device.type == "cpu" and min(images.shape[2:]) >= self.kernel_from
        return native.interleaved(images) if is_large else images

    def maps(self, maps: Sequence[Tensor], frame: Frame) -> list[Tensor]:
        """What `frame` sees of the images' label maps: numbers are taken from the nearest pixel, never mixed."""
        return nearest(maps, frame)

    def forward(self, images: Source, frame: Frame, device: torch.device, done: Frame | None = None) -> Source:
        """What `frame` sees, a tensor if all views have one size; row r of the frame looks at image r modulo N.

        `done` is the frame that the images already show, if they were resampled (and perhaps painted) before.
        """
        if frame.before is not done:
            assert frame.before is not None
            images = self(images, frame.before, device, done)
        height, width = (int(axis.size[0]) for axis in (frame.rows, frame.columns))
        if bool((frame.rows.size != height).any() or (frame.columns.size != width).any()):
            return [_unit(seen.flip(2) if flip else seen, device) for seen, flip in _seen(images, frame)]
        if not isinstance(images, Tensor):
            return _stacked(images, frame, height, width, device)
        as_bytes = min(height, width) >= self.kernel_from and images.dtype == torch.uint8
        if as_bytes and images.device.type == "cpu":
            return _stacked(images, frame, height, width, device)
        return by_matrices(images, frame, height, width, as_bytes=as_bytes)


def nearest(maps: Sequence[Int64[Tensor, "_ _"]], frame: Frame) -> list[Int64[Tensor, "_ _"]]:
    """What `frame` sees of maps of numbers, each pixel that of the nearest; row r looks at map r modulo N."""
    seen = nearest(maps, frame.before) if frame.before is not None else maps
    rows, columns = (_nearest(axis) for axis in (frame.rows, frame.columns))
    flips = frame.flip.tolist()
    return [
        seen[row % len(seen)][y][:, x.flip(0) if flips[row] else x]
        for row, (y, x) in enumerate(zip(rows, columns, strict=True))
    ]


def _nearest(axis: Axis) -> Iterator[Int64[Tensor, "size"]]:
    """For each row the source pixel under the centre of each pixel that is seen."""
    for start, length, grid, offset, size in _numbers(axis):
        seen = reflected(torch.arange(offset, offset + size), grid)
        yield start + (2 * seen + 1) * length // (2 * grid)


def by_matrices(
    images: Tensor, frame: Frame, height: int, width: int, *, as_bytes: bool = False
) -> Float[Tensor, "rows channels height width"]:
    """The views as two products each, rounded after each axis to bytes, as the 8-bit kernel does, or not."""
    count, channels, rows, columns = images.shape
    unit = 1 / 255 if images.dtype == torch.uint8 and not as_bytes else 1.0
    lines = images.float().reshape(count, channels * rows, columns)
    # Plane by plane in memory: colour steps work on planes. Small images would else lie in pieces too short to be fast.
    views = torch.empty(channels, len(frame), height, width, device=images.device)
    for first in range(0, len(frame), count):
        part = frame.of(slice(first, first + count))
        across = weights(part.columns, columns, width, frame.interpolation, images.device, part.flip, unit)
        down = weights(part.rows, rows, height, frame.interpolation, images.device)
        narrow = torch.bmm(lines, across.transpose(1, 2)).view(count, channels, rows, width)
        narrow = narrow.add_(0.5).floor_().clamp_(0, 255) if as_bytes else narrow
        for channel in range(channels):
            torch.bmm(down, narrow[:, channel], out=views[channel, first : first + count])
    if as_bytes:
        return views.add_(0.5).floor_().clamp_(0, 255).mul_(1 / 255).transpose(0, 1)
    # Only the bicubic kernel overshoots.
    return (views.clamp_(0, 1) if frame.interpolation == "bicubic" else views).transpose(0, 1)


def weights(
    axis: Axis,
    inputs: int,
    outputs: int,
    interpolation: str,
    device: torch.device,
    flip: Bool[Tensor, "rows"] | None = None,
    unit: float = 1.0,
) -> Float[Tensor, "rows outputs inputs"]:
    """The matrix that takes `inputs` source pixels to `outputs` pixels of the view, as aten weighs them, times `unit`.

    Output pixel o lies at centre = length / grid * (o + 1/2) of the window; with reach = max(length / grid, 1) the
    source pixel j weighs kernel((j + 1/2 - centre) / reach), cut off at the window and divided by the sum.
    """
    if device.type == "cuda" and (kernels := native.on_gpu()) is not None:
        mirrored = torch.zeros_like(axis.start) if flip is None else flip.long()
        numbers = torch.stack([axis.start, axis.length, axis.grid, axis.offset, mirrored]).to(device, non_blocking=True)
        found: Tensor = kernels.weights(numbers, inputs, outputs, unit=unit, is_cubic=interpolation == "bicubic")
        return found
    radius = 1 if interpolation == "bilinear" else 2
    taps = int((2 * radius * (axis.length / axis.grid).clamp(min=1)).ceil().max()) + 1
    start, length, grid, offset = (
        value.to(device)[:, None, None] for value in (axis.start, axis.length, axis.grid, axis.offset)
    )
    seen = torch.arange(outputs, device=device)[None, :, None]
    if flip is not None:
        seen = torch.where(flip.to(device)[:, None, None], outputs - 1 - seen, seen)
    seen = reflected(seen + offset, grid)
    scale = length.float() / grid
    reach = scale.clamp(min=1)
    centre = scale * (seen + 0.5)
    first = (centre - radius * reach + 0.5).trunc().clamp(min=0)
    last = torch.minimum((centre + radius * reach + 0.5).trunc(), length.float())
    position = first + torch.arange(taps, device=device)
    weight = _kernel(((position - centre + 0.5) / reach).abs(), interpolation) * (position < last)
    weight = weight / weight.sum(-1, keepdim=True)
    matrix = torch.zeros(len(start), outputs, inputs, device=device)
    # Positions past the window carry weight zero; they are only brought back into the row.
    matrix.scatter_add_(2, (torch.minimum(position.long(), length - 1) + start), weight)
    return matrix if unit == 1 else matrix.mul_(unit)


def _kernel(distance: Tensor, interpolation: str) -> Tensor:
    """Weights by distance in source pixels; the pieces of the cubic are 0 where they meet, and are simply added."""
    if interpolation == "bilinear":
        return (1 - distance).clamp_(min=0)
    near, far = distance.clamp(max=1), distance.clamp(1, 2)
    near = (1.5 * near - 2.5) * near * near + 1
    return near + (((far - 5) * far + 8) * far * -0.5 + 2)


def reflected(position: Tensor, size: Tensor | int) -> Tensor:
    """Positions beyond 0..size-1 mirrored back at the border pixel, which is not repeated."""
    position = position.abs()
    return torch.where(position > size - 1, 2 * (size - 1) - position, position)


def _stacked(images: Source, frame: Frame, height: int, width: int, device: torch.device) -> Tensor:
    """The views as floats in 0..1; to another device bytes travel, not floats."""
    channels = len(images[0])
    if device.type == "cpu":
        views = _empty(len(frame), channels, height, width)
        for view, (seen, flip) in zip(views, _seen(images, frame), strict=True):
            if not native.unpack(seen, view, flip=flip):
                view.copy_(seen.flip(2) if flip else seen).mul_(1 / 255)  # while it is in the cache
        return views
    # Pinned, they go to a GPU by themselves while the next view is made; torch reuses them when they have arrived.
    is_pinned = device.type == "cuda"
    bytes_ = torch.empty(len(frame), height, width, channels, dtype=images[0].dtype, pin_memory=is_pinned)
    for view, (seen, flip) in zip(bytes_.permute(0, 3, 1, 2), _seen(images, frame), strict=True):
        view.copy_(seen.flip(2) if flip else seen)
    planes = torch.empty(channels, *bytes_.shape[:3], device=device)
    return planes.copy_(bytes_.to(device, non_blocking=True).permute(3, 0, 1, 2)).mul_(1 / 255).transpose(0, 1)


def _empty(count: int, channels: int, height: int, width: int) -> Tensor:
    """Room for views: view by view where a plane is long enough to be fast by itself, else plane by plane."""
    if height * width >= _LONG_PLANE:
        return torch.empty(count, channels, height, width)
    return torch.empty(channels, count, height, width).transpose(0, 1)


def _seen(images: Source, frame: Frame) -> Iterator[tuple[Tensor, bool]]:
    """What each row sees of its image, one by one through aten's kernel, and if it is yet to be mirrored."""
    rows, columns = (_numbers(axis) for axis in (frame.rows, frame.columns))
    for row, (y, x, flip) in enumerate(zip(rows, columns, frame.flip.tolist(), strict=True)):
        seen = images[row % len(images)][:, y[0] : y[0] + y[1], x[0] : x[0] + x[1]]
        if y[1] != y[2] or x[1] != x[2]:
            # So turned, a batch of one keeps colours that lie together together, and the kernel is twice as fast.
            batch = seen.permute(1, 2, 0)[None].permute(0, 3, 1, 2)
            size = (y[2], x[2])
            seen = interpolate(batch, size, mode=frame.interpolation, align_corners=False, antialias=True)[0]
        yield _part(_part(seen, 1, y[3], y[4]), 2, x[3], x[4]), flip


def _part(image: Tensor, axis: int, offset: int, size: int) -> Tensor:
    length = image.shape[axis]
    if offset == 0 and size == length:
        return image
    if offset >= 0 and offset + size <= length:
        return image.narrow(axis, offset, size)
    return image.index_select(axis, reflected(torch.arange(offset, offset + size, device=image.device), length))


def _numbers(axis: Axis) -> list[list[int]]:
    numbers: list[list[int]] = torch.stack([axis.start, axis.length, axis.grid, axis.offset, axis.size], 1).tolist()
    return numbers


def _unit(images: UInt8[Tensor, "..."] | Float[Tensor, "..."], device: torch.device) -> Float[Tensor, "..."]:
    """Floats in 0..1, plane by plane, on the device; bytes travel, not floats."""
    images = images.to(device)
    if images.dtype != torch.uint8:
        return images.clone(memory_format=torch.contiguous_format)  # colour steps work in place
    return images.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)
