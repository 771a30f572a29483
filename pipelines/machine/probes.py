"""Small pieces of the work that nets do, in every form: a machine is calibrated with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from sslgraph.torch_compat import gradient_to_weight

from .small_maps import product, weight_product

Work = Callable[[], object]
Make = Callable[[int], Work]  # sets up the work for so many images
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
ROUNDS = 2
FAR = 4  # a form that takes so many times another's time on few images is not tried on all
LONG_S = 0.1  # a first call of this length is no matter of kernels being prepared
BLOCK = (128, 16)  # channels and side of the residual block: ResNet-18's second stage on images of 32 px
TOKENS, WIDTH, HEADS = 65, 192, 3  # of the transformer block: ViT-tiny, 8 x 8 patches and a class token
MAPS = {2: 256, 4: 256, 8: 128}  # sides of small maps, and their channels


def contest(forms: Mapping[str, Make], images: int) -> dict[str, float]:
    """Seconds an image of each form, in turns: the least of ROUNDS, after a try on fewer images."""
    few = max(1, images // 4)
    tried: dict[str, float] = {}
    for name, make in forms.items():
        work = make(few)
        first = seconds(work)
        tried[name] = (first if first > LONG_S else min(first, seconds(work))) / few
    near = {name: forms[name](images) for name, took in tried.items() if took <= FAR * min(tried.values())}
    found = {name: took for name, took in tried.items() if name not in near}
    for work in near.values():
        work()
    for _ in range(ROUNDS):
        for name, work in near.items():
            found[name] = min(found.get(name, float("inf")), seconds(work) / images)
    return found


def seconds(work: Work) -> float:
    """How long one call keeps this thread busy: what else the machine does at the moment is not counted."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def elapsed(work: Work, device: torch.device | None = None) -> float:
    """How long one call takes by the clock; a GPU is waited for at both ends."""
    is_apart = device is not None and device.type == "cuda"
    if is_apart:
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if is_apart:
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def residual_block(precision: str, *, channels_last: bool) -> Make:
    """Forward and backward of two convolutions with BatchNorm, ReLU and a shortcut."""

    def make(images: int) -> Work:
        channels, side = BLOCK
        layers = [layer for _ in range(2) for layer in (_convolution(channels), nn.BatchNorm2d(channels), nn.ReLU())]
        layout = torch.channels_last if channels_last else torch.contiguous_format
        net = nn.Sequential(*layers[:-1]).to(memory_format=layout)
        x = torch.randn(images, channels, side, side).contiguous(memory_format=layout).requires_grad_()
        return lambda: _both_ways(lambda: torch.relu(net(x) + x), precision)

    return make


def residual_flops() -> float:
    """Operations of the residual block for one image, forward and backward."""
    channels, side = BLOCK
    return 3 * 2 * (2 * 9 * channels**2 * side**2)


def transformer_block(precision: str, *, fused: bool) -> Make:
    """Forward and backward of attention and of a perceptron, each behind a LayerNorm and with a shortcut."""

    def make(images: int) -> Work:
        norms = [nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)]
        inward, outward = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        perceptron = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        x = torch.randn(images, TOKENS, WIDTH, requires_grad=True)

        def block() -> Tensor:
            parts = inward(norms[0](x)).view(images, TOKENS, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            mixed = _attention(*parts.unbind(0), fused=fused).transpose(1, 2).reshape(images, TOKENS, WIDTH)
            seen = x + outward(mixed)
            out: Tensor = seen + perceptron(norms[1](seen))
            return out

        return lambda: _both_ways(block, precision)

    return make


def transformer_flops() -> float:
    """Operations of the transformer block for one image, forward and backward."""
    return 3 * 2 * float(12 * WIDTH**2 * TOKENS + 2 * TOKENS**2 * WIDTH)


def small_map(precision: str, side: int, *, products: bool, weight: bool) -> Make:
    """A 3 x 3 convolution's output, or the gradient of its weight, over a map of so many places a side."""

    def make(images: int) -> Work:
        dtype, channels, last = DTYPES[precision], MAPS[side], torch.channels_last
        x, gradient = (
            torch.randn(images, channels, side, side, dtype=dtype).contiguous(memory_format=last) for _ in "xg"
        )
        w = torch.randn(channels, channels, 3, 3, dtype=dtype).contiguous(memory_format=last)
        if weight:
            form = weight_product if products else gradient_to_weight
            return lambda: form(gradient, x, w, stride=1, padding=1)
        return lambda: product(x, w, 1, 1) if products else torch.conv2d(x, w, None, 1, 1)

    return make


def map_flops(side: int) -> float:
    """Operations of one sum of a small map, for one image."""
    return 2 * 9 * float(MAPS[side] ** 2 * side**2)


def product_rate(precision: str, device: torch.device, long_s: float = 2e-3) -> float:
    """Operations a second of the best square matrix product; the matrices grow until one takes `long_s`."""
    best, size = 0.0, 128
    while size <= 8192:
        a = torch.randn(size, size, device=device).to(DTYPES[precision])
        took = min(_timed(partial(torch.matmul, a, a), device) for _ in range(1 + ROUNDS))
        best = max(best, 2 * size**3 / took)
        if took > long_s:
            break
        size *= 2
    return best


def memory_rate(device: torch.device, floats: int = 1 << 23) -> float:
    """Bytes a second that are read and written by a copy of 32 MiB."""
    source = torch.ones(floats, device=device)
    target = torch.zeros_like(source)
    took = min(_timed(lambda: target.copy_(source), device) for _ in range(ROUNDS))
    return 2 * 4 * floats / took


def _timed(work: Work, device: torch.device) -> float:
    return seconds(work) if device.type == "cpu" else elapsed(work, device)


def _convolution(channels: int) -> nn.Module:
    return nn.Conv2d(channels, channels, 3, padding=1, bias=False)


def _attention(q: Tensor, k: Tensor, v: Tensor, *, fused: bool) -> Tensor:
    if fused:
        return scaled_dot_product_attention(q, k, v)
    shares: Tensor = ((q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
    return shares @ v


def _both_ways(forward: Callable[[], Tensor], precision: str) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        out = forward()
    out.float().sum().backward()
