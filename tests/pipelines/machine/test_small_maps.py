"""Convolutions over small maps: products give oneDNN's numbers up to bfloat16's rounding, and only where they pay."""

import copy
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sslgraph.pipelines.machine import small_maps

# in, out, kernel, stride, padding, side of the input, with a bias: all three ways there are to take the sums.
SHAPES = {
    "all three sums": (24, 40, 3, 1, 1, 4, False),
    "a pixel": (24, 40, 3, 1, 1, 1, False),
    "a strided one": (24, 40, 3, 2, 1, 8, True),
    "a shortcut": (24, 40, 1, 2, 0, 4, False),
    "patches": (3, 24, 4, 4, 0, 16, True),
    "the weight's gradient alone": (16, 24, 3, 1, 1, 8, False),
    "without padding": (16, 24, 3, 1, 0, 5, True),
}


def outcome(layer: nn.Module, x: Tensor, *, autocast: bool) -> dict[str, Tensor]:
    x = x.clone().requires_grad_()
    layer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        out = layer(x)
    out.float().square().sum().backward()
    return {"out": out.detach(), "x": x.grad, **{name: p.grad for name, p in layer.named_parameters()}}  # type: ignore[dict-item]


@pytest.fixture
def layers(request: pytest.FixtureRequest) -> tuple[nn.Conv2d, nn.Conv2d, Tensor]:
    channels, out, kernel, stride, padding, side, bias = SHAPES[request.param]
    torch.manual_seed(0)
    plain = nn.Conv2d(channels, out, kernel, stride, padding, bias=bias).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    quick = small_maps.as_products(copy.deepcopy(plain))
    x = torch.randn(6, channels, side, side).contiguous(memory_format=torch.channels_last)
    return plain, quick, x


@pytest.mark.parametrize("layers", SHAPES, indirect=True)
def test_outputs_and_gradients_are_those_of_the_plain_convolution(layers: tuple[nn.Conv2d, nn.Conv2d, Tensor]) -> None:
    plain, quick, x = layers
    expected, found = outcome(plain, x, autocast=True), outcome(quick, x, autocast=True)
    exact = outcome(plain, x.clone(), autocast=False)
    assert type(quick) is small_maps.Conv2d and found["out"].dtype == torch.bfloat16
    for name, value in expected.items():
        size = exact[name].abs().max()
        assert found[name].shape == value.shape and found[name].dtype == value.dtype
        assert (found[name] - value).abs().max() < 0.02 * size, name
        # bfloat16 keeps eight bits; a window shifted by one place would be wrong by the size of the numbers themselves
        assert (found[name] - exact[name]).norm() < 0.02 * exact[name].norm(), name


@pytest.mark.parametrize("layers", SHAPES, indirect=True)
def test_floats_are_those_of_the_plain_convolution_to_the_last_digits(
    layers: tuple[nn.Conv2d, nn.Conv2d, Tensor],
) -> None:
    plain, quick, x = layers
    expected, found = outcome(plain, x, autocast=False), outcome(quick, x, autocast=False)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-5 * float(value.abs().max()))


@pytest.mark.parametrize("layers", SHAPES, indirect=True)
def test_doubles_stay_with_the_processors_own_kernels(layers: tuple[nn.Conv2d, nn.Conv2d, Tensor]) -> None:
    plain, quick, x = layers
    mine, theirs = (outcome(layer.double(), x.double(), autocast=False) for layer in (quick, plain))
    assert all(mine[name].equal(theirs[name]) for name in theirs)


def test_large_maps_stay_with_the_processors_own_kernels() -> None:
    plain = nn.Conv2d(4, 4, 3, padding=1)
    quick = small_maps.as_products(copy.deepcopy(plain))
    x = torch.randn(2, 4, 9, 9)
    assert torch.equal(outcome(quick, x, autocast=True)["out"], outcome(plain, x, autocast=True)["out"])


@pytest.mark.parametrize("settings", [{"groups": 2}, {"dilation": 2}, {"padding_mode": "circular"}, {"stride": (1, 2)}])
def test_unusual_convolutions_are_left_alone(settings: dict[str, object]) -> None:
    layer = nn.Conv2d(4, 4, 3, padding=1, **settings)  # type: ignore[arg-type]
    assert small_maps.as_products(layer) is layer


def test_gradients_that_nobody_asked_for_are_not_taken() -> None:
    layer = small_maps.as_products(nn.Conv2d(4, 4, 3, padding=1))
    assert isinstance(layer, nn.Conv2d)
    layer.weight.requires_grad_(False)
    x = torch.randn(2, 4, 4, 4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        layer(x).sum().backward()
    assert layer.weight.grad is None and x.grad is not None


class Shared(nn.Module):
    """One convolution under two names, one inside, and two whose weights are computed anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.again = nn.Conv2d(4, 4, 3, padding=1)
        self.inner = nn.Sequential(nn.Conv2d(4, 4, 1, bias=False))
        self.normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 3))
        self.hooked = nn.utils.spectral_norm(nn.Conv2d(4, 4, 3))


def test_a_net_keeps_its_weights_and_their_names() -> None:
    net = Shared().eval()
    before, parameters = list(net.state_dict()), list(net.parameters())
    assert small_maps.as_products(net) is net
    assert list(net.state_dict()) == before
    assert all(one is other for one, other in zip(net.parameters(), parameters, strict=True))
    assert type(net.first) is small_maps.Conv2d and net.again is net.first and not net.first.training
    assert type(net.inner[0]) is small_maps.Conv2d
    assert not isinstance(net.normed, small_maps.Conv2d) and type(net.hooked) is nn.Conv2d


def test_a_net_is_copied_and_saved_like_any_other() -> None:
    net = small_maps.as_products(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()))
    saved = io.BytesIO()
    torch.save(net, saved)
    saved.seek(0)
    x = torch.randn(2, 4, 4, 4)
    for other in (copy.deepcopy(net), torch.load(saved, weights_only=False)):
        assert type(other[0]) is small_maps.Conv2d and other[0].weight is not net[0].weight
        assert torch.equal(other(x), net(x))


def test_a_narrow_shortcut_takes_the_sums_of_doubles() -> None:
    layer = nn.Conv2d(4, 40, 1, 2).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(6, 4, 32, 32).contiguous(memory_format=torch.channels_last)
    expected = outcome(copy.deepcopy(layer).double(), x.double(), autocast=False)
    found = outcome(small_maps.as_products(layer), x, autocast=False)
    for name, value in expected.items():
        torch.testing.assert_close(found[name].double(), value, rtol=1e-5, atol=1e-5 * float(value.abs().max()))


def test_a_narrow_shortcut_overwrites_no_memory_where_avx2_is_the_best_there_is() -> None:
    code = f"""
import torch
from {small_maps.__package__} import small_maps
layer = torch.nn.Conv2d(4, 8, 1, 2, bias=False).to(memory_format=torch.channels_last)
layer = small_maps.as_products(layer)
x = torch.randn(16, 4, 16, 16).contiguous(memory_format=torch.channels_last)
for _ in range(30):
    layer(x).sum().backward()
"""
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[3]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("limits", [{}, {torch.bfloat16: (0, 0), torch.float32: (0, 0)}, small_maps.LIMITS])
def test_the_weights_gradient_over_a_single_place_is_right(limits: small_maps.Limits) -> None:
    """oneDNN 3.13.3 reads past the input of a strided 3 x 3 convolution there: any number, in nearly all cases."""
    layer = small_maps.as_products(nn.Conv2d(32, 16, 3, 2, 1, bias=False), limits).to(memory_format=torch.channels_last)
    for _ in range(20):
        x = torch.randn(16, 32, 1, 1)
        with torch.autocast("cpu", torch.bfloat16):
            out = layer(x)
        layer.zero_grad()
        out.backward(torch.ones_like(out))
        (found,) = [p.grad for p in layer.parameters()]
        assert found is not None
        expected = torch.zeros(16, 32, 3, 3)  # all taps but the middle one see padding
        expected[:, :, 1, 1] = x[:, :, 0, 0].bfloat16().float().sum(0)
        torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)
