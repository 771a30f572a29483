"""The program of a leg reads like the algorithm box of its paper, and torch captures it whole."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from toys import CLOCK, EYE, PLUGINS, SQUARE, batch, compiled, dense, wired

from sslgraph.compile.compile import CompiledMethod
from sslgraph.settle.settle import settle

NETS = {"f": EYE, "g": dense()}
BAGGED = {
    "views": {"large": {"augment": "none", "copies": 2}, "small": {"augment": "none"}},
    "nets": NETS,
    "targets": {"t": {"ema_of": "f", "momentum": 0.5}},
    "state": {"m": {"use": "parts:Mean"}},
    "ops": {"noise": {"use": "parts:Noise"}},
    "flow": {
        "z": "g(f(bag(large, small)))",
        "k": "noise(t(large))",
        "h": "f(small)",
        "s": "stopgrad(h)",
        "k2": "f(large)",
    },
    "losses": {
        "spread": {"use": "parts:Bag", "of": ["z"], "center": "m.read"},
        "pull": {**SQUARE, "of": ["h", "s"]},
        "far": {**SQUARE, "of": ["k", "k2"]},
    },
    "after_step": ["m.add(z)"],
}

ONE_SIZE = """\
def forward(self, large, small, draw):
    bag_large_small = torch.cat([large, small])
    f_bag_large_small = self.f(bag_large_small)
    z = self.g(f_bag_large_small.pooled)
    t_large = self.t(large)
    draw_k = substream(draw, 22365, 2)
    k = self.noise(t_large.pooled, draw_k)
    h = self.f(small)
    s = self.stopgrad(h.pooled)
    k2 = self.f(large)
    m_read = self.m()
    z_views = z.unflatten(0, (3, -1))
    spread = self.spread(z_views, m_read)
    pull = self.pull(h.pooled, s)
    far = self.far(k, k2.pooled)
    return {'spread': spread, 'pull': pull, 'far': far, 'z': z}"""

TWO_SIZES = """\
def forward(self, large, small, draw):
    f_bag_large_small_1 = self.f(large)
    f_bag_large_small_2 = self.f(small)
    f_bag_large_small_pooled = torch.cat([f_bag_large_small_1.pooled, f_bag_large_small_2.pooled])
    z = self.g(f_bag_large_small_pooled)"""


def two_sizes() -> CompiledMethod:
    return CompiledMethod(
        settle(wired(**BAGGED), {"large": (3, 4, 4), "small": (3, 2, 2)}, batch=4, plugins=PLUGINS), plugins=PLUGINS
    )


def test_the_printed_program_reads_like_the_spec() -> None:
    assert compiled(**BAGGED).code() == ONE_SIZE


def test_each_resolution_is_one_line() -> None:
    assert two_sizes().code().startswith(TWO_SIZES)


def test_what_no_loss_and_no_write_needs_is_not_computed() -> None:
    assert "map" not in compiled(**{**BAGGED, "flow": {**BAGGED["flow"], "unread": "f(large).map"}}).code()


def test_torch_captures_the_program_whole_and_computes_the_same() -> None:
    method = two_sizes()
    method.begin(0, CLOCK)
    tensors = batch({"large": torch.rand(8, 3, 4, 4), "small": torch.rand(4, 3, 2, 2)}, rows=4)
    plain = method(tensors)
    program = method.programs["step"]
    program.run = torch.compile(program.module, backend="eager", fullgraph=True)
    torch.testing.assert_close(method(tensors), plain)


def test_torch_captures_a_whole_forward_pass_and_keeps_it_over_the_steps() -> None:
    """Weights and temperatures that move cost one more capture, and what is looked up in begin none."""
    moving = {**SQUARE, "of": ["h", "s"], "weight": {"linear": [1, 0]}, "temperature": {"linear": [1, 2]}}
    method = compiled(**{**BAGGED, "losses": {**BAGGED["losses"], "pull": moving}})  # type: ignore[dict-item]
    captured = []

    def backend(module: torch.fx.GraphModule, _: Any) -> Callable[..., Any]:
        captured.append(module)
        return module.forward

    model = torch.compile(method, backend=backend, fullgraph=True)
    for step in range(5):
        tensors = batch({"large": torch.rand(8, 3, 2, 2), "small": torch.rand(4, 3, 2, 2)}, rows=4)
        method.begin(step, CLOCK)
        found, expected = model(tensors), method(tensors)
        torch.testing.assert_close(found.losses, expected.losses)
        method.tick(found.writes)
    assert len(captured) <= 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda method: pickle.loads(pickle.dumps(method))])
def test_a_copy_of_a_compiled_program_is_compiled_again(copied: Callable[[CompiledMethod], CompiledMethod]) -> None:
    method = two_sizes()
    method.compile_programs(graphs=True)
    other = copied(method)
    assert other.training_program.compiled == "graphs"
    assert other.code() == method.code() and other.training_program.run is not other.training_program.module
    shared = {id(p) for p in method.parameters()} & {id(p) for p in other.training_program.module.parameters()}
    assert not shared and {id(p) for p in other.training_program.module.parameters()} <= {
        id(p) for p in other.parameters()
    }


def test_a_view_of_a_bag_is_what_its_net_gave_for_that_view() -> None:
    method = compiled(
        views={"large": {"augment": "none", "copies": 2}, "small": {"augment": "none"}},
        nets=NETS,
        flow={"z": "g(f(bag(large, small)))", "one": "z[1]", "other": "z[2]", "w": "g(f(small))"},
        losses={"l": {**SQUARE, "of": ["one", "other"]}, "same": {**SQUARE, "of": ["other", "w"]}},
    )
    assert "one = z_views[1]" in method.code() and "other = z_views[2]" in method.code()
    images = {"large": torch.randn(8, 3, 2, 2), "small": torch.randn(4, 3, 2, 2)}
    method.begin(0, CLOCK)
    losses = method(batch(images, rows=4)).losses
    second, third = images["large"][4:].mean((2, 3)).sum(1), images["small"].mean((2, 3)).sum(1)
    torch.testing.assert_close(losses["l"], (second - third).square().mean())  # both weights are ones
    assert losses["same"] == 0


def test_a_port_that_is_named_is_given_by_name_in_the_program() -> None:
    method = compiled(
        size=4,
        nets={"f": {"use": "backbones.vit", "preset": "nano", "patch": 2, "mask_token": True}},
        ops={"m": {"use": "masks.uniform", "patch": 2}},
        flow={"h": "m(x)", "z": "f(x, replace=h.hidden)", "p": "f(x)"},
        losses={"l": {**SQUARE, "of": ["z", "p"]}},
    )
    assert "z = self.f(x, replace = h.hidden, draw = draw_z)" in method.code()
    assert method.code().count("p = self.f(x, draw = draw_p)") == 1
    method.begin(0, CLOCK)
    assert method(batch({"x": torch.randn(4, 3, 4, 4)})).losses["l"] > 0
