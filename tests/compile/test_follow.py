"""What changes between steps: followers and scheduled settings, each against its formula."""

from __future__ import annotations

import copy
import math
import pickle

import pytest
import torch
from parts import Square
from torch import nn
from toys import CLOCK

from sslgraph.compile.follow import Follower, ScheduledSetting, Taker, scheduled, taken_after
from sslgraph.read.spec import Snapshot


def test_a_follower_moves_by_its_momentum() -> None:
    net, target = nn.Linear(3, 2), nn.Linear(3, 2)
    expected = [0.9 * mine + 0.1 * theirs for mine, theirs in zip(target.parameters(), net.parameters(), strict=True)]
    Follower(target=target, net=net, momentum=0.9).follow(0, CLOCK)
    torch.testing.assert_close(list(target.parameters()), expected)


def test_momentum_zero_copies_and_momentum_one_holds() -> None:
    net, target = nn.Linear(3, 2), nn.Linear(3, 2)
    held = target.weight.clone()
    Follower(target=target, net=net, momentum=1.0).follow(0, CLOCK)
    assert torch.equal(target.weight, held)
    Follower(target=target, net=net, momentum=0.0).follow(0, CLOCK)
    assert torch.equal(target.weight, net.weight) and torch.equal(target.bias, net.bias)


def test_cosine_momentum_follows_the_papers_formula() -> None:
    net, target = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(1), target.weight.fill_(0)
    Follower(target=target, net=net, momentum={"cosine": [0.996, 1.0]}).follow(25, CLOCK)
    expected = (1 - 0.996) * 0.5 * (1 + math.cos(math.pi * 25 / 100))
    assert math.isclose(target.weight.item(), expected, rel_tol=1e-4)


def test_buffers_of_a_target_are_its_own() -> None:
    net, target = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    net(torch.randn(8, 2) + 5)
    Follower(target=target, net=net, momentum=0.0).follow(0, CLOCK)
    assert target.running_mean.tolist() == [0, 0] and target.num_batches_tracked == 0


def test_a_snapshot_holds_buffers_too_and_is_taken_at_its_steps_only() -> None:
    net, target = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    net(torch.randn(8, 2) + 5)
    taker = Taker(target=target, source=net, spec=Snapshot.model_validate({"snapshot_of": "f", "from": "4 steps"}))
    for step in range(3):
        taker.follow(step, CLOCK)
        assert target.running_mean.tolist() == [0, 0]
    taker.follow(3, CLOCK)
    assert torch.equal(target.running_mean, net.running_mean) and target.num_batches_tracked == 1


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        ({"every": "30 steps"}, [30, 60, 90]),
        ({"every": "30 steps", "at_most": 2}, [30, 60]),
        ({"every": "30 %", "from": "1 epoch"}, [10, 40, 70, 100]),
        ({"from": "0 steps"}, []),  # as it begins, it is a copy anyway
        ({"every": "40 steps", "from": "0 epochs"}, [40, 80]),
    ],
)
def test_a_snapshot_is_first_taken_at_from_else_after_every(said: dict[str, str], steps: list[int]) -> None:
    spec = Snapshot.model_validate({"snapshot_of": "t", **said})
    assert [done for done in range(1, 101) if taken_after(spec, done, CLOCK)] == steps


def test_following_leaves_no_trace_in_autograd() -> None:
    net, target = nn.Linear(3, 2), nn.Linear(3, 2).requires_grad_(False)
    Follower(target=target, net=net, momentum=0.5).follow(0, CLOCK)
    assert all(p.grad_fn is None and not p.requires_grad for p in target.parameters())


def test_a_scheduled_setting_is_a_number_on_the_parts_device_that_no_checkpoint_holds() -> None:
    part = Square(temperature=1.0)
    setting = ScheduledSetting(part=part, name="temperature", value={"linear": [1, 0.5]})
    assert part.temperature.item() == 1 and part.temperature.shape == () and part.state_dict() == {}
    kept = part.temperature
    setting.fill(50, CLOCK)
    assert kept is part.temperature and kept.item() == 0.75  # filled in place: a compiled program reads the same tensor


def test_a_copied_setting_fills_the_copied_part() -> None:
    part = Square(temperature=1.0)
    setting = ScheduledSetting(part=part, name="temperature", value={"linear": [1, 0.5]})
    for other, fill in (copy.deepcopy((part, setting)), pickle.loads(pickle.dumps((part, setting)))):
        fill.fill(100, CLOCK)
        assert other.temperature.item() == 0.5 and other.state_dict() == {} and part.temperature.item() == 1


def test_only_schedules_become_buffers() -> None:
    part = Square(temperature=0.3)
    assert scheduled(part, {"temperature": 0.3}) == [] and part.temperature == 0.3
