"""The compiled method: losses by hand, state after the step and in order, targets that follow, players, passes."""

from __future__ import annotations

import copy
import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from toys import CLOCK, EYE, PLUGINS, SQUARE, TWO_VIEWS, batch, compiled, dense, sized

from sslgraph.compile.program import code
from sslgraph.compile.weights import grid_of
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.schedules import Clock

Text = dict[str, Any]
SIAMESE: Text = {
    "views": TWO_VIEWS,
    "nets": {"f": EYE, "g": dense()},
    "flow": {"z1": "g(f(x1))", "z2": "g(f(x2))"},
    "losses": {"l": {**SQUARE, "of": ["z1", "z2"]}},
}
FOLLOWED: Text = {
    **SIAMESE,
    "targets": {"t": {"ema_of": "g", "momentum": 0.5}},
    "flow": {"z1": "g(f(x1))", "z2": "t(stopgrad(f(x2)))"},
}
BAGGED: Text = {
    "views": {"x": {"augment": "none", "copies": 2}},
    "nets": {"f": EYE},
    "flow": {"z": "f(x)"},
    "state": {"m": {"use": "parts:Mean"}},
    "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "m.read"}},
    "after_step": ["m.add(z)"],
}
LOOKING: Text = {
    "views": {"x": {"augment": "none"}, "still": {"augment": "none"}},
    "nets": {"f": EYE, "g": {"use": "more_parts:Chance", "out": 3}},
    "state": {"rows": {"use": "more_parts:Album", "rows": 4, "dim": 3}},
    "phases": [
        {
            "name": "look",
            "every": "1 epoch",
            "flow": {"e": "f(still)"},
            "collect": "e",
            "then": ["rows.put(l2(e))", "g.reset"],
        },
        {"name": "learn", "flow": {"h": "f(x)", "z": "g(h)"}, "losses": {"l": {**SQUARE, "of": ["z", "h"]}}},
    ],
}


NAMES = (("f", "scale"), ("g", "weight"))


def images(*values: float, size: int = 2) -> Tensor:
    """One image for each value, all of that value: Eye pools it to (value, value, value)."""
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 3, size, size).contiguous()


def both(one: float, other: float, rows: int = 4) -> dict[str, Tensor]:
    return batch({"x1": images(*[one] * rows), "x2": images(*[other] * rows)})


def step(method: Any, tensors: dict[str, Tensor], number: int = 0, rate: float = 0.1, clock: Clock = CLOCK) -> None:
    """One step of plain gradient descent."""
    method.begin(number, clock)
    method.zero_grad(set_to_none=True)
    losses, writes = method(tensors)
    torch.stack(list(losses.values())).sum().backward()
    with torch.no_grad():
        for p in method.parameters():
            if p.grad is not None:
                p -= rate * p.grad
    method.tick(writes)


def losses(method: Any, tensors: dict[str, Tensor]) -> dict[str, float]:
    """The losses of a batch as numbers, by a forward pass that is no part of a step."""
    with torch.no_grad():
        return {name: loss.item() for name, loss in method(tensors).losses.items()}


def test_a_loss_is_what_one_computes_by_hand() -> None:
    assert losses(compiled(**SIAMESE), both(1, 2)) == {"l": 9}  # rows of 3 against rows of 6


def test_a_loss_is_multiplied_by_its_weight_of_this_step() -> None:
    method = compiled(**{**SIAMESE, "losses": {"l": {**SQUARE, "of": ["z1", "z2"], "weight": {"linear": [1, 0]}}}})
    assert losses(method, both(1, 2)) == {"l": 9}  # of the first step, as long as none is begun
    method.begin(50, CLOCK)
    assert losses(method, both(1, 2)) == {"l": 4.5}


def test_a_scheduled_setting_is_filled_before_each_step_and_is_no_weight() -> None:
    method = compiled(**{**SIAMESE, "losses": {"l": {**SQUARE, "of": ["z1", "z2"], "temperature": {"linear": [1, 2]}}}})
    method.begin(50, CLOCK)
    assert losses(method, both(1, 2)) == {"l": 6}
    assert method.parts["l"].temperature.shape == () and "parts.l.temperature" not in method.state_dict()


def test_a_bag_is_one_call_and_separate_views_are_two() -> None:
    nets = {"f": EYE}
    flow = {"z": "less(f(bag(x1, x2)))"}
    bag: Text = {
        "views": TWO_VIEWS,
        "nets": nets,
        "ops": {"less": {"use": "more_parts:LessMean"}},
        "flow": flow,
        "state": {"m": {"use": "parts:Mean"}},
        "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "m.read"}},
        "after_step": ["m.add(z)"],
    }
    assert losses(compiled(**bag), both(0, 2)) == {"l": 1}  # the mean of all rows is 1
    apart = {**bag, "flow": {"z": "bag(less(f(x1)), less(f(x2)))"}}
    assert losses(compiled(**apart), both(0, 2)) == {"l": 0}


def test_a_part_over_views_sees_them_apart_and_its_bag_goes_on() -> None:
    text: Text = {
        **BAGGED,
        "ops": {"swap": {"use": "more_parts:Swap"}, "over": {"use": "more_parts:OverViews"}},
        "flow": {"z": "f(x)", "w": "swap(z)", "one": "over(z)", "two": "over(w)", "first": "l2(one)"},
        "losses": {
            "l": {**SQUARE, "of": ["z", "w"]},
            "k": {**SQUARE, "of": ["one", "two"]},
            "n": {**SQUARE, "of": ["first", "one"]},
        },
    }
    method = compiled(batch=2, **{**text, "state": {}, "after_step": []})
    found = losses(method, batch({"x": images(1, 2, 3, 5)}, rows=2))
    assert found["l"] == (4 + 9 + 4 + 9) / 4  # each image against its other view
    assert found["k"] == 0


def test_the_mean_over_a_bag_is_no_bag() -> None:
    settled = sized(
        batch=2, **{**BAGGED, "ops": {"over": {"use": "more_parts:OverViews"}}, "flow": {"z": "over(f(x))"}}
    )
    (write,) = settled.legs[0].writes
    assert write.inputs[0][1].views == 1 and settled.legs[0].shapes("z") == ((2, 3),)


def test_a_target_follows_the_weights_that_the_step_has_written() -> None:
    method = compiled(**FOLLOWED)
    net, target, expected = method.parts["g"].weight, method.parts["t"].weight, torch.ones(2, 3)
    for number in range(5):
        before = target.clone()
        method.begin(number, CLOCK)
        found, writes = method(both(1, 2))
        found["l"].backward()
        assert torch.equal(target, before) and target.grad is None
        with torch.no_grad():
            net -= 0.01 * net.grad
        method.tick(writes)
        expected = 0.5 * expected + 0.5 * net.detach()
        torch.testing.assert_close(target, expected, rtol=0, atol=0)
    assert not target.requires_grad and not torch.equal(target, net)


def test_a_targets_momentum_may_move() -> None:
    method = compiled(**{**FOLLOWED, "targets": {"t": {"ema_of": "g", "momentum": {"linear": [0, 1]}}}})
    step(method, both(1, 2), number=0)
    assert torch.equal(method.parts["t"].weight, method.parts["g"].weight)
    held = method.parts["t"].weight.clone()
    step(method, both(1, 2), number=100)
    assert torch.equal(method.parts["t"].weight, held) and not torch.equal(method.parts["g"].weight, held)


def test_a_snapshot_is_its_source_as_it_was_then() -> None:
    targets = {
        "late": {"snapshot_of": "t", "every": "2 steps", "at_most": 2},
        "net": {"snapshot_of": "g", "every": "1 epoch", "from": "3 steps"},
        "t": {"ema_of": "g", "momentum": 0.5},
    }
    flow = {"z1": "g(f(x1))", "h": "stopgrad(f(x2))", "z2": "add(t(h), add(late(h), net(h)))"}
    method = compiled(**{**FOLLOWED, "targets": targets, "flow": flow})
    kept = {name: [method.parts[name].weight.clone()] for name in ("g", "t", "late", "net")}
    for number in range(15):
        step(method, both(0.1, 0.2), number=number)
        for name, weights in kept.items():
            weights.append(method.parts[name].weight.clone())
    # `late` follows the average that has moved in the same step; CLOCK has ten steps in an epoch
    for done in range(16):
        assert torch.equal(kept["late"][done], kept["t"][0 if done < 2 else 2 if done < 4 else 4])
        assert torch.equal(kept["net"][done], kept["g"][0 if done < 3 else 3 if done < 13 else 13])
    assert not torch.equal(kept["t"][4], kept["t"][2]) and not method.parts["late"].weight.requires_grad


@pytest.mark.parametrize(("init", "equal"), [("copy", True), ("independent", False)])
def test_a_target_starts_as_a_copy_or_by_itself(init: str, equal: bool) -> None:
    net = {"use": "more_parts:Chance", "out": 2}
    method = compiled(
        **{**FOLLOWED, "nets": {"f": EYE, "g": net}, "targets": {"t": {"ema_of": "g", "momentum": 0.5, "init": init}}}
    )
    assert torch.equal(method.parts["t"].last.weight, method.parts["g"].last.weight) is equal


def test_adding_a_part_moves_the_weights_of_no_other() -> None:
    net = {"use": "more_parts:Chance", "out": 2}
    small = compiled(**{**SIAMESE, "nets": {"f": EYE, "g": net}})
    large = compiled(
        **{
            **SIAMESE,
            "export": "f",
            "nets": {"extra": net, "f": EYE, "g": net},
            "flow": {"z1": "extra(f(x1))", "z2": "g(f(x2))"},
        }
    )
    assert torch.equal(small.parts["g"].last.weight, large.parts["g"].last.weight)
    assert not torch.equal(large.parts["extra"].last.weight, large.parts["g"].last.weight)
    assert not torch.equal(
        compiled(seed=1, **{**SIAMESE, "nets": {"f": EYE, "g": net}}).parts["g"].last.weight,
        small.parts["g"].last.weight,
    )


def test_a_frozen_net_stands_still() -> None:
    method = compiled(**{**SIAMESE, "nets": {"f": EYE, "g": dense(frozen=True)}})
    step(method, both(1, 2))
    assert torch.equal(method.parts["g"].weight, torch.ones(2, 3)) and not torch.equal(
        method.parts["f"].scale, torch.ones(3)
    )


def test_state_changes_after_the_step_only() -> None:
    method = compiled(batch=2, **BAGGED)
    tensors = batch({"x": images(1, 1, 3, 3)}, rows=2)
    method.begin(0, CLOCK)
    found, writes = method(tensors)
    assert found["l"].item() == (1 + 9) / 2  # around zero, twice: nothing is written inside
    assert losses(method, tensors) == {"l": (1 + 9) / 2}
    method.tick(writes)
    assert method.parts["m"]().tolist() == [2, 2, 2] and losses(method, tensors) == {"l": 1}


def test_a_training_forward_without_begin_is_refused_before_every_step() -> None:
    method = compiled(**SIAMESE)
    for number in range(2):
        with pytest.raises(SslgraphError, match=r"no step is begun: call model.begin\(step, clock\)"):
            method(both(1, 2))
        step(method, both(1, 2), number=number)


def test_without_training_the_last_step_begun_goes_on_to_hold() -> None:
    method = compiled(**{**SIAMESE, "losses": {"l": {**SQUARE, "of": ["z1", "z2"], "weight": {"linear": [1, 0]}}}})
    assert losses(method.train(), both(1, 2)) == {"l": 9}
    step(method, both(1, 2), number=50, rate=0)
    assert losses(method.train(), both(1, 2)) == {"l": 4.5}
    assert method.eval()(both(1, 2)).losses["l"].item() == 4.5  # in eval mode gradients may be on


def test_tick_is_refused_without_begin_and_a_second_time() -> None:
    method = compiled(**FOLLOWED)
    with pytest.raises(SslgraphError, match=r"no step is open: call model.begin\(step, clock\) once before a step"):
        method.tick({})
    step(method, both(1, 2))
    followed = method.parts["t"].weight.clone()
    with pytest.raises(SslgraphError, match="no step is open"):
        method.tick({})
    assert torch.equal(method.parts["t"].weight, followed)


def test_a_step_without_tick_is_not_passed_over_and_may_be_begun_again() -> None:
    method = compiled(**{**FOLLOWED, "targets": {"t": {"ema_of": "g", "momentum": {"linear": [0, 1]}}}})
    method.begin(3, CLOCK)
    with pytest.raises(SslgraphError, match=r"step 4 can't begin before step 3 ends: call model.tick\(writes\) after"):
        method.begin(4, CLOCK)
    step(method, both(1, 2), number=3)


def test_a_step_that_was_ticked_does_not_come_again() -> None:
    """Not in Lightning's second micro-batch, nor where a loop counts each epoch from 0."""
    method = compiled(**FOLLOWED)
    for number in (0, 3):
        step(method, both(1, 2), number=number)
        for earlier in range(number + 1):
            with pytest.raises(SslgraphError, match=rf"step {earlier} can't begin: .* closed step {number} already"):
                method.begin(earlier, CLOCK)
    step(method, both(1, 2), number=4)


@pytest.mark.parametrize("wrapped", [lambda method: method, lambda method: torch.nn.ModuleDict({"module": method})])
def test_a_state_that_is_loaded_may_be_of_an_earlier_step(wrapped: Any) -> None:
    method = compiled(**{**FOLLOWED, "targets": {"t": {"ema_of": "g", "momentum": {"linear": [0, 1]}}}})
    around = wrapped(method)
    step(method, both(1, 2), number=3)
    method.begin(4, CLOCK)
    around.load_state_dict(around.state_dict())
    step(method, both(1, 2), number=0)
    assert torch.equal(method.parts["t"].weight, method.parts["g"].weight)


def test_tick_refuses_the_losses_and_stays_open() -> None:
    method = compiled(batch=2, **BAGGED)
    method.begin(0, CLOCK)
    found, writes = method(batch({"x": images(1, 1, 3, 3)}, rows=2))
    for wrong in (found, [], [writes, {}]):
        with pytest.raises(SslgraphError, match=r"tick needs the writes that forward returned, {z_pooled}"):
            method.tick(wrong)
    assert method.parts["m"].count == 0
    method.tick(writes)
    assert method.parts["m"].count == 4


def test_a_forward_without_tick_keeps_no_tensor() -> None:
    method = compiled(batch=2, **BAGGED)
    method.begin(0, CLOCK)
    tensors = batch({"x": images(1, 1, 3, 3)}, rows=2)
    found = method(tensors)
    kept = [weakref.ref(value) for value in (*found.losses.values(), *found.writes.values(), *tensors.values())]
    assert all(not value.requires_grad for value in found.writes.values()) and found.writes
    del found, tensors
    gc.collect()
    assert [ref() for ref in kept] == [None] * len(kept)


@pytest.mark.parametrize(("given", "said"), [
    ({}, "the batch lacks x1.image, x2.image\n  there are: none"),
    ({"x2.image": images(1), "x1": images(1)}, "the batch lacks x1.image\n  there are: x2.image, x1"),
    (torch.ones(4, 3, 2, 2), "a batch maps names to tensors (x1.image, x2.image), and this is a Tensor"),
    ([images(1), images(1)], "a batch maps names to tensors (x1.image, x2.image), and this is a list"),
])  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_a_batch_that_lacks_a_view_is_told_what_it_lacks(given: Any, said: str) -> None:
    with pytest.raises(SslgraphError) as wrong:
        compiled(**SIAMESE).eval()(given)
    assert str(wrong.value) == said


def test_torch_averages_a_method_whose_loss_is_then_computed_without_begin() -> None:
    method = compiled(**{**SIAMESE, "losses": {"l": {**SQUARE, "of": ["z1", "z2"], "weight": {"linear": [1, 0]}}}})
    averaged, seen = AveragedModel(method), []
    for number in (50, 51):
        step(method, both(1, 2), number)
        averaged.update_parameters(method)
        seen.append([method.parts[name].get_parameter(weight).clone() for name, weight in NAMES])
    scale, weight = ((one + other) / 2 for one, other in zip(*seen, strict=True))
    torch.testing.assert_close([averaged.module.parts[name].get_parameter(w) for name, w in NAMES], [scale, weight])
    assert losses(averaged.eval(), both(1, 2))["l"] == pytest.approx((weight @ scale).square().mean().item())


def test_each_player_gets_its_own_losses_and_weights() -> None:
    nets = {"e": EYE, "g": dense(), "d": dense(1)}
    flow = {
        "fake": "g(e(x1))",
        "real": "g(e(x2))",
        "said": "d(fake)",
        "apart": "d(stopgrad(fake))",
        "truth": "stopgrad(d(real))",
    }
    losses = {
        "fool": {**SQUARE, "of": ["said", "truth"], "trains": ["e", "g"]},
        "spot": {**SQUARE, "of": ["apart", "truth"], "trains": ["d"]},
        "again": {**SQUARE, "of": ["fake", "real"], "trains": ["g", "e"], "weight": 2},
    }
    method = compiled(views=TWO_VIEWS, nets=nets, flow=flow, losses=losses)
    method.begin(0, CLOCK)
    out, _ = method(both(1, 2))
    (maker, makers), (judge, judges) = method.player_losses(out)
    assert {id(p) for p in makers} == {id(method.parts["e"].scale), id(method.parts["g"].weight)} and judges == [
        method.parts["d"].weight
    ]
    assert maker.item() == out["fool"].item() + out["again"].item() and judge.item() == out["spot"].item() == 36
    torch.autograd.backward(maker, inputs=makers, retain_graph=True)
    assert method.parts["d"].weight.grad is None and method.parts["e"].scale.grad is not None


def test_an_ordinary_method_has_one_player() -> None:
    method = compiled(**FOLLOWED)
    method.begin(0, CLOCK)
    ((_, parameters),) = method.player_losses(method(both(1, 2)).losses)
    assert {id(p) for p in parameters} == {id(method.parts["f"].scale), id(method.parts["g"].weight)}


def test_every_copy_of_a_sample_draws_by_itself_and_the_same_in_any_batch() -> None:
    text: Text = {
        **BAGGED,
        "ops": {"noise": {"use": "parts:Noise"}},
        "flow": {"z": "f(x)", "a": "noise(z)", "b": "noise(a)"},
        "state": {
            **BAGGED["state"],
            "kept_a": {"use": "more_parts:Album", "rows": 4},
            "kept_b": {"use": "more_parts:Album", "rows": 4},
        },
        "losses": {"l": {"use": "parts:Bag", "of": ["b"], "center": "m.read"}},
        "after_step": ["m.add(z)", "kept_a.put(a)", "kept_b.put(b)"],
    }

    def drawn(*index: int) -> tuple[list[float], list[float]]:
        method = compiled(batch=2, **text)
        step(method, batch({"x": images(0, 0, 0, 0)}, rows=2, index=torch.tensor(index)), rate=0)
        a, b = method.parts["kept_a"].kept[:, 0], method.parts["kept_b"].kept[:, 0]
        return a.tolist(), (b - a).tolist()

    first, second = drawn(5, 9)
    assert len({round(u, 6) for u in first + second}) == 8  # two values, two views, two samples: eight numbers
    swapped, _ = drawn(9, 5)
    assert swapped == [first[1], first[0], first[3], first[2]]


@pytest.mark.parametrize("copies", [1, 2])
def test_rows_of_one_image_draw_by_themselves_and_the_same_in_any_batch(copies: int) -> None:
    method = compiled(
        batch=2,
        views={"x": {"augment": "none", "copies": copies}},
        nets={"f": EYE, "g": dense(out=3)},
        ops={
            "cut": {"use": "patches.grid", "grid": 2, "size": 1, "stride": 1},
            "noise": {"use": "wiring.gaussian_noise"},
        },
        flow={"z": "f(cut(x)).pooled", "y": "stopgrad(noise(z))", "p": "g(z)"},
        state={"kept": {"use": "more_parts:Album", "rows": 8 * copies, "dim": 3}},
        losses={"l": {**SQUARE, "of": ["p", "y"]}},
        after_step=["kept.put(y)"],
    )

    def drawn(number: int, *index: int) -> Tensor:
        zeros = batch({"x": images(*[0.0] * 2 * copies)}, rows=2, index=torch.tensor(index))
        step(method, zeros, number=number, rate=0)
        kept: Tensor = method.parts["kept"].kept.view(copies, 2, 4, 3).clone()
        return kept

    one = drawn(0, 5, 9)
    assert len(one.unique()) == one.numel()
    assert drawn(1, 9, 5).equal(one.flip(1))


def test_a_pass_collects_one_row_per_image_at_its_index() -> None:
    method = compiled(batch=2, dataset=4, **LOOKING)
    loader = [
        batch({"x": images(0, 0), "still": images(3, 1)}, index=torch.tensor([3, 1])),
        batch({"x": images(0, 0), "still": images(2, 0)}, index=torch.tensor([2, 0])),
    ]
    before = method.parts["g"].last.weight.clone()
    assert method.run_phase("look", loader) == frozenset({"g"})
    torch.testing.assert_close(method.parts["rows"].kept, torch.tensor([0.0, 1, 1, 1])[:, None].expand(4, 3) / 3**0.5)
    assert not torch.equal(method.parts["g"].last.weight, before) and method.training


def test_a_phase_that_collects_nothing_writes_what_its_states_hold() -> None:
    ones = {"use": "memory.table", "init": "ones", "rows": 2, "dim": 3}
    method = compiled(
        batch=2,
        nets={"f": EYE, "g": dense(out=3)},
        losses={"l": {**SQUARE, "of": ["z", "t"]}},
        state={"kept": ones, "unit": {"use": "memory.table"}},
        flow={"z": "g(f(x))", "t": "stopgrad(add(f(x), unit.read))"},
        phases=[{"name": "look", "every": "2 steps", "then": ["unit.write(l2(kept.read))"]}],
    )
    assert [step for step in range(5) if method.due_phases(step, CLOCK)] == [0, 2, 4]
    assert method.run_phase("look", [{"clock": torch.tensor([0, 0, 2])}]) == frozenset()
    torch.testing.assert_close(method.parts["unit"](), torch.full((2, 3), 3**-0.5))
    assert "# look, then\ndef forward" in code(method.sized) and "# look\n" not in code(method.sized)


def test_a_pass_is_due_at_its_times() -> None:
    def due(**when: Any) -> list[int]:
        look = {key: value for key, value in LOOKING["phases"][0].items() if key != "every"}
        method = compiled(dataset=4, **{**LOOKING, "phases": [{**look, **when}, LOOKING["phases"][1]]})
        return [number for number in range(50) if method.due_phases(number, CLOCK) == ("look",)]

    assert due() == due(every="1 epoch") == [0, 10, 20, 30, 40]
    assert due(every="20 steps", **{"from": "1 epoch"}) == [10, 30]
    assert due(at=["5 steps", "2 epochs", "40 %"]) == [5, 20, 40]


def test_the_exported_net_gives_one_row_per_image() -> None:
    method = compiled(**{**SIAMESE, "export": "f"})
    assert method.encoder()(images(1, 2)).tolist() == [[1, 1, 1], [2, 2, 2]]
    mapped = compiled(**{**SIAMESE, "export": "f.map"})
    assert mapped.encoder()(images(1, 2)).tolist() == [[1, 1, 1], [2, 2, 2]]


def test_places_are_the_exports_own_or_the_first_of_each_of_its_nets() -> None:
    """Eye gives the mean of an image, and the image itself as a map; two of them stand side by side."""
    image = torch.arange(12.0).view(1, 3, 2, 2)
    for export in ("f", "f.map", "concat(f(x2), g(f(x2)))"):
        assert torch.equal(compiled(**{**SIAMESE, "export": export}).encoder().places(image), image)
    both = {"nets": {"f": EYE, "g": EYE}, "flow": {"z1": "f(x1)", "z2": "g(x2)"}, "export": "concat(f(x2), g(x2))"}
    assert torch.equal(compiled(**{**SIAMESE, **both}).encoder().places(image), torch.cat([image, image], 1))
    with pytest.raises(SslgraphError, match="gives no features of places for images of 1 pixels: it needs a map"):
        compiled(**{**SIAMESE, "export": "f"}).encoder().places(image[..., :1, :1])


def test_tokens_become_a_square_without_those_before_them() -> None:
    tokens = torch.arange(10.0).view(1, 5, 2)  # a class token and 2 x 2 places
    grid = grid_of(tokens)
    assert grid is not None and grid[0, 0].tolist() == [[2, 4], [6, 8]]
    assert grid_of(torch.ones(3, 7)) is None and grid_of(torch.ones(3, 2, 7)) is None


def test_an_exported_expression_gives_one_row_per_image() -> None:
    text = {**SIAMESE, "nets": {"f": EYE, "g": dense()}, "export": "concat(l2(f(x2).pooled), g(f(x2)))"}
    method = compiled(**text)
    assert method.graph.seen == "x2" and method.graph.exported == ("f", "g")
    whole = method.encoder().eval()
    rows = whole(images(3, 4))
    unit = 3**-0.5
    torch.testing.assert_close(rows, torch.tensor([[unit, unit, unit, 9, 9], [unit, unit, unit, 12, 12]]))
    method.parts["g"].weight.data.mul_(2)  # the encoder holds the method's own weights, and a copy does not
    twin = copy.deepcopy(whole)
    method.parts["g"].weight.data.mul_(2)
    assert whole(images(3))[0, 3] == 36 and twin(images(3))[0, 3] == 18


MADE: Text = {
    "nets": {"f": EYE},
    "state": {"phi": {"use": "memory.vector", "init": 4.0}, "kept": {"use": "memory.table", "init": "ones"}},
    "ops": {"grown": {"use": "wiring.scale", "factor": "kept.read"}},
    "flow": {"z": "f(x)", "w": "grown(z)", "t": "stopgrad(w)"},
    "losses": {"l": {**SQUARE, "of": ["z", "t"], "temperature": "phi.read"}},
    "phases": [],
}


def test_a_setting_is_a_number_that_the_flow_makes() -> None:
    look = {"name": "look", "flow": {"e": "f(x)"}, "collect": "e", "then": ["kept.write(e)", "phi.write(row(e))"]}
    text = {**MADE, "ops": {**MADE["ops"], "row": {"use": "more_parts:First"}}, "phases": [look]}
    method = compiled(batch=2, dataset=2, **text)
    assert method.sized.settings["kept"]["rows"] == 2 and method.sized.settings["phi"]["count"] == 1
    method.begin(0, CLOCK)
    assert method(batch({"x": images(3, 5)})).losses["l"] == 0  # the table holds ones, so both sides are one
    method.run_phase("look", [batch({"x": images(2, 3)})])
    (losses, _) = method(batch({"x": images(3, 5)}))
    rows, factor = torch.tensor([[3.0] * 3, [5.0] * 3]), torch.tensor([[2.0] * 3, [3.0] * 3])
    torch.testing.assert_close(losses["l"], (rows - rows * factor).square().mean() / 2)  # phi is 2


def test_a_weight_is_a_number_that_the_flow_makes() -> None:
    text = {
        "nets": {"f": EYE},
        "ops": {"mixed": {"use": "wiring.mix"}},
        "flow": {"m": "mixed(x)", "z": "f(m)", "t": "stopgrad(f(x))", "o": "partners(t, m.partner)"},
        "losses": {
            "own": {**SQUARE, "of": ["z", "t"], "weight": "m.share"},
            "other": {**SQUARE, "of": ["z", "o"], "weight": "m.rest"},
        },
    }
    method = compiled(batch=2, **text)
    method.begin(0, CLOCK)
    tensors = batch({"x": images(1, 4)})
    share = method.parts["mixed"](tensors["x.image"], tensors["clock"]).share.item()
    losses = method(tensors).losses
    own, other = (3 * (1 - share)) ** 2, (3 * share) ** 2  # how far a mixture of 1 and 4 lies from each
    assert losses["own"].item() == pytest.approx(share * own)
    assert losses["other"].item() == pytest.approx((1 - share) * other)


def test_a_part_that_may_draw_draws_nothing_for_a_representation() -> None:
    vit = {"use": "backbones.vit", "preset": "nano", "patch": 2, "drop_path": 0.5}
    method = compiled(
        size=4,
        nets={"f": vit},
        flow={"z": "f(x)", "w": "stopgrad(z)"},
        losses={"l": {**SQUARE, "of": ["z", "w"]}},
        export="mean(f(x).patches)",
    )
    encoder, image = method.encoder().eval(), torch.randn(2, 3, 4, 4)
    assert torch.equal(encoder(image), encoder(image)) and encoder(image).shape == (2, 96)


def test_a_part_in_eval_mode_stays_there() -> None:
    method = compiled(**{**FOLLOWED, "targets": {"t": {"ema_of": "g", "momentum": 0.5, "mode": "eval"}}})
    assert [part for part in method.train().parts if not method.parts[part].training] == ["t"]


def test_losses_compute_in_float32_under_autocast() -> None:
    method = compiled(**SIAMESE)
    method.begin(0, CLOCK)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = method(both(1, 2.0078125)).losses["l"]
    assert loss.dtype == torch.float32


def test_all_state_is_in_the_checkpoint() -> None:
    method = compiled(**{**FOLLOWED, "state": {"m": {"use": "parts:Mean"}}, "after_step": ["m.add(z1)"]})
    assert set(method.state_dict()) == {
        "parts.f.scale",
        "parts.g.weight",
        "parts.t.weight",
        "parts.m.total",
        "parts.m.count",
    }


def test_given_weights_are_loaded_or_refused() -> None:
    text = {**SIAMESE, "nets": {"f": EYE, "g": dense(weights="$old")}}
    settled = sized(**text)
    from sslgraph.compile.compile import CompiledMethod

    method = CompiledMethod(settled, plugins=PLUGINS, given={"g": {"weight": torch.full((2, 3), 7.0)}})
    assert method.parts["g"].weight.unique().tolist() == [7]
    with pytest.raises(
        SpecError,
        match=r"'g' takes its weights from \$old, and nothing was given for it",
    ):
        CompiledMethod(settled, plugins=PLUGINS, given={})
    assert CompiledMethod(settled, plugins=PLUGINS).parts["g"].weight.unique().tolist() == [1]  # its own start
    with pytest.raises(SpecError, match=r"the given weights do not fit 'g' \(parts:Dense\): size mismatch for weight"):
        CompiledMethod(settled, plugins=PLUGINS, given={"g": {"weight": torch.ones(2, 4)}})


def test_freezes_name_the_weights_and_until_when() -> None:
    nets = {
        "f": {**EYE, "freeze": "2 epochs"},
        "g": {"use": "more_parts:Chance", "out": 2, "freeze": {"last": "1 epoch"}},
    }
    method = compiled(**{**SIAMESE, "nets": nets})
    assert {prefix: length.steps(CLOCK) for prefix, length in method.freezes.items()} == {
        "parts.f": 20,
        "parts.g.last": 10,
    }
    assert all(any(name.startswith(prefix) for name, _ in method.named_parameters()) for prefix in method.freezes)


@pytest.mark.parametrize(
    ("f", "g", "moved"),
    [
        ({}, {"last": "always"}, {"parts.f.scale"}),
        ({"scale": "always"}, {}, {"parts.g.last.weight"}),
        ("always", {}, {"parts.g.last.weight"}),
    ],
)
def test_what_is_frozen_always_never_moves_and_the_rest_does(f: Any, g: Any, moved: set[str]) -> None:
    nets = {"f": {**EYE, "freeze": f}, "g": {"use": "more_parts:Chance", "out": 2, "freeze": g}}
    method = compiled(**{**SIAMESE, "nets": nets})
    assert method.freezes == {} and {name for name, p in method.named_parameters() if p.requires_grad} == moved
    before = {name: p.clone() for name, p in method.named_parameters()}
    step(method, both(1, 2))
    assert {name for name, p in method.named_parameters() if not torch.equal(p, before[name])} == moved


def test_landmarks_of_a_loss_are_known_before_any_step() -> None:
    assert compiled(**SIAMESE).landmarks == {"l": {"collapsed": 0.0}}
