"""Convolutions over small maps as matrix products, where a processor's own kernels for them are slow.

A residual network on images of 32 pixels ends in maps of 4 x 4, and on local crops of 16 pixels in maps of 2 x 2. There
oneDNN's kernels run at a tenth of what the processor can do, weight gradients in bfloat16 most of all. Every output
place takes a window of its input; with the windows as rows of one matrix the same sums are plain products:

    out = windows(x) w^T,     dw = dout^T windows(x),     dx = windows(dout) w', w' the turned kernel (stride 1)

One thread with AMX, 256 images, 512 -> 512 channels on 4 x 4 (2 x 2) places: forward 45 -> 28 ms (44 -> 9), weight
gradient 143 -> 35 ms (115 -> 8); in float32 on 2 x 2 places 96 -> 32 and 100 -> 33 ms. Numbers differ from oneDNN's by
the rounding of the same sums.

One kind of map avoids oneDNN for another reason. The weight gradient of a strided 1 x 1 convolution of fewer than eight
channels writes past its buffer where AVX2 is the best there is (oneDNN 3.13.3), so such maps are thinned out first.
That of a strided 3 x 3 convolution over a single place reads past its input in bfloat16 and is any number, in nearly
all cases. So in bfloat16 a map of one place is a product, whatever was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from sslgraph.torch_compat import gradient_to_input

LANES = 8  # floats in a register of AVX2
# Output places of an image up to which products are faster, where there are tiles for bfloat16 (AMX): for the weight
# gradient, and for the other two sums. A calibration finds those of another machine.
Limits = Mapping[torch.dtype, tuple[int, int]]
LIMITS: Limits = {torch.bfloat16: (64, 16), torch.float32: (4, 4)}


def as_products(net: nn.Module, limits: Limits = LIMITS) -> nn.Module:
    """The same net, whose plain convolutions choose products on small maps; weights and their names are the very same.

    Changes the net in place and returns it (a net that is itself a convolution gives a new layer).
    """
    weight, rest = limits.get(torch.bfloat16, (0, 0))
    limits = {**limits, torch.bfloat16: (max(1, weight), max(1, rest))}
    built: dict[int, Conv2d] = {}  # a layer with two names in a net stays one layer
    for path, layer in list(net.named_modules(remove_duplicate=False)):
        if type(layer) is nn.Conv2d and _is_plain(layer):
            quick = built[id(layer)] = built.get(id(layer)) or _built(layer, limits)
            if path == "":
                return quick
            net.set_submodule(path, quick)
    return net


class Conv2d(nn.Conv2d):
    """torch's convolution, whose sums over small maps are taken as products on a processor."""

    limits: Limits = LIMITS

    def forward(self, input: Tensor) -> Tensor:
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else input.dtype
        stride, padding = self.stride[0], int(self.padding[0])
        if self.kernel_size == (1, 1) and stride > 1 and padding == 0 and self.in_channels < LANES:
            input, stride = input[:, :, ::stride, ::stride], 1
        limit = self.limits.get(dtype, (0, 0))
        if input.device.type != "cpu" or _places(input, self.weight, stride, padding) > limit[0]:
            return torch.conv2d(input, self.weight, self.bias, stride, padding)
        out: Tensor = _Products.apply(input.to(dtype), self.weight.to(dtype), stride, padding, limit[1])
        return out if self.bias is None else out + self.bias.to(out.dtype)[:, None, None]


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int, most: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding, ctx.most = stride, padding, most
        if _places(x, weight, stride, padding) > most:
            return torch.conv2d(x, weight, None, stride, padding)
        return product(x, weight, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (x, weight), stride, padding = gradients, ctx.saved_tensors, ctx.stride, ctx.padding
        for_x = for_weight = None
        if ctx.needs_input_grad[0]:
            for_x = _to_input(gradient, x, weight, stride, padding, ctx.most)
        if ctx.needs_input_grad[1]:
            for_weight = weight_product(gradient, x, weight, stride=stride, padding=padding)
        return for_x, for_weight, None, None, None


def _to_input(gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, most: int) -> Tensor:
    kernel = weight.shape[2]
    # With another stride or padding the windows of the gradient are not the input's places.
    if stride == 1 and 2 * padding == kernel - 1 and _places(x, weight, stride, padding) <= most:
        return product(gradient, weight.flip(2, 3).transpose(0, 1), 1, padding)
    return gradient_to_input(gradient, x, weight, stride=stride, padding=padding)


def product(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """The convolution of `x` [N, C, rows, columns] without bias, as one product."""
    rows, columns = _extent(x, weight, stride, padding)
    out = _windows(x, weight.shape[2], stride, padding) @ weight.permute(0, 2, 3, 1).flatten(1).t()
    return out.view(len(x), rows, columns, len(weight)).permute(0, 3, 1, 2)


def weight_product(gradient: Tensor, x: Tensor, weight: Tensor, *, stride: int, padding: int) -> Tensor:
    """The gradient that the convolution sends to its weight, as one product."""
    out_channels, channels, kernel, _ = weight.shape
    rows = _rows(gradient).t().contiguous() @ _windows(x, kernel, stride, padding)
    return rows.view(out_channels, kernel, kernel, channels).permute(0, 3, 1, 2)


def _windows(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """One row for each output place: its window of the input, place by place, channels innermost."""
    around = pad(x.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding))
    windows = around.unfold(1, kernel, stride).unfold(2, kernel, stride)  # [N, rows, columns, C, kernel, kernel]
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, kernel * kernel * x.shape[1])


def _rows(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _extent(x: Tensor, weight: Tensor, stride: int, padding: int) -> tuple[int, int]:
    kernel = weight.shape[2]
    return (x.shape[2] + 2 * padding - kernel) // stride + 1, (x.shape[3] + 2 * padding - kernel) // stride + 1


def _places(x: Tensor, weight: Tensor, stride: int, padding: int) -> int:
    rows, columns = _extent(x, weight, stride, padding)
    return rows * columns


def _built(layer: nn.Conv2d, limits: Limits) -> Conv2d:
    """A layer of the same settings with this one's weights themselves, not copies."""
    quick = Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0], int(layer.padding[0]),
        bias=layer.bias is not None, device="meta",
    )  # fmt: skip
    for name, weights in list(layer.named_parameters()):
        quick.register_parameter(name, weights)
    quick.limits = limits
    return quick.train(layer.training)


def _is_plain(layer: nn.Conv2d) -> bool:
    """Square kernel, one stride and padding for both axes, no groups, no dilation, zeros around; weights of its own."""
    kernel, stride, padding, dilation = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    is_square = len(set(kernel)) == len(set(stride)) == len(set(padding)) == 1 and not isinstance(padding, str)
    is_usual = set(dilation) == {1} and layer.groups == 1 and layer.padding_mode == "zeros"
    names = {name for name, _ in layer.named_parameters()}  # others where a norm computes the weight anew each time
    return is_square and is_usual and names == ({"weight"} if layer.bias is None else {"weight", "bias"})
