"""What `freeze:` holds still for a time stands still under any optimizer of torch, and only for that time."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from toys import CLOCK, EYE, SQUARE, TWO_VIEWS, batch, compiled

from sslgraph.schedules import duration

Make = Callable[[Any], torch.optim.Optimizer]
HEADS: dict[str, Any] = {
    "views": TWO_VIEWS,
    "nets": {"f": EYE, "g": {"use": "more_parts:Chance", "out": 2, "freeze": {"last": "2 steps"}}},
    "flow": {"z1": "g(f(x1))", "z2": "g(f(x2))"},
    "losses": {"l": {**SQUARE, "of": ["z1", "z2"]}},
}
OPTIMIZERS: dict[str, Make] = {
    "sgd with momentum and decay": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
    "fused adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1, fused=True),
    "adam, tensor by tensor": lambda p: torch.optim.Adam(p, lr=0.1, foreach=False),
}


def noise(seed: int) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return batch({"x1": torch.randn(4, 3, 2, 2), "x2": torch.randn(4, 3, 2, 2)})


def backward(method: Any, number: int) -> Any:
    method.begin(number, CLOCK)
    found, writes = method(noise(number))
    method.zero_grad()
    found["l"].backward()
    return writes


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_it_neither_moves_nor_decays_nor_is_remembered_until_its_time_is_over(make: Make) -> None:
    method = compiled(**HEADS)
    weight, scale = method.parts["g"].last.weight, method.parts["f"].scale
    optimizer = make(method.parameters())
    for number in range(3):
        before, moving = weight.detach().clone(), scale.detach().clone()
        writes = backward(method, number)
        assert weight.grad is not None and weight.grad.norm() > 0  # clipping measures it
        optimizer.step()
        method.tick(writes)
        assert torch.equal(weight, before) == (number < 2) == (weight not in optimizer.state)
        assert not torch.equal(scale, moving)


def test_the_first_step_of_what_was_frozen_is_that_of_a_new_optimizer() -> None:
    method = compiled(**HEADS)
    optimizer = torch.optim.SGD(method.parameters(), lr=0.1, momentum=0.9)
    for number in range(3):
        writes = backward(method, number)
        weight = method.parts["g"].last.weight
        expected = weight.detach() - 0.1 * weight.grad
        optimizer.step()
        method.tick(writes)
    torch.testing.assert_close(weight.detach(), expected, rtol=0, atol=0)


def test_a_scaler_of_gradients_changes_nothing_of_it() -> None:
    method = compiled(**HEADS)
    weight, before = method.parts["g"].last.weight, method.parts["g"].last.weight.detach().clone()
    optimizer, scaler = torch.optim.SGD(method.parameters(), lr=0.1), torch.amp.GradScaler("cpu", init_scale=8.0)
    method.begin(0, CLOCK)
    found, writes = method(noise(0))
    scaler.scale(found["l"]).backward()
    scaler.step(optimizer)
    method.tick(writes)
    assert torch.equal(weight, before)


def test_other_methods_and_other_optimizers_are_left_alone() -> None:
    holding, free, other = compiled(**HEADS), compiled(**HEADS), nn.Linear(2, 2)
    holding.begin(0, CLOCK)
    free.begin(5, CLOCK)
    for module, loss in ((free, free(noise(0)).losses["l"]), (other, other(torch.ones(1, 2)).sum())):
        before = [p.detach().clone() for p in module.parameters()]
        loss.backward()
        torch.optim.SGD(module.parameters(), lr=0.1).step()
        assert not any(map(torch.equal, before, module.parameters()))


def test_between_steps_nothing_is_held() -> None:
    method = compiled(**HEADS)
    weight = method.parts["g"].last.weight
    method.tick(backward(method, 0))
    before = weight.detach().clone()
    torch.optim.SGD(method.parameters(), lr=0.1).step()  # not a step of the method: a probe, or tuning
    assert not torch.equal(weight, before)


def test_a_method_is_copied_and_pickled_in_a_step_that_holds_weights() -> None:
    method = compiled(**HEADS)
    method.begin(0, CLOCK)
    for copied in (copy.deepcopy(method), pickle.loads(pickle.dumps(method))):
        assert copied.freezes == {"parts.g.last": duration("2 steps")}
        copied.load_state_dict(method.state_dict())
        copied.begin(0, CLOCK)
