"""Which loss reaches which weights, said from the wiring alone and held against autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from toys import EYE, SQUARE, TWO_VIEWS, assert_map_is_true, batch, compiled, dense, wired

from sslgraph.wire.gradients import gradient_map

NETS = {"f": EYE, "g": dense(), "q": dense()}
SIAMESE: dict[str, Any] = {
    "views": TWO_VIEWS,
    "nets": NETS,
    "flow": {"z1": "g(f(x1))", "z2": "g(f(x2))", "p1": "q(z1)", "s2": "stopgrad(z2)"},
    "losses": {"one": {**SQUARE, "of": ["p1", "s2"]}},
}
FOLLOWED: dict[str, Any] = {
    **SIAMESE,
    "targets": {"ft": {"ema_of": "f", "momentum": 0.9}, "gt": {"ema_of": "g", "momentum": 0.9}},
    "flow": {"p1": "q(g(f(x1)))", "s2": "gt(ft(x2))"},
}
FROZEN: dict[str, Any] = {**SIAMESE, "nets": {"f": {**EYE, "frozen": True}, "g": dense(), "q": dense(frozen=True)}}
GAME: dict[str, Any] = {
    "views": TWO_VIEWS,
    "nets": {"e": EYE, "g": dense(), "d": dense(1)},
    "flow": {
        "fake": "g(e(x1))",
        "real": "g(e(x2))",
        "said": "d(fake)",
        "said_apart": "d(stopgrad(fake))",
        "truth": "stopgrad(d(real))",
    },
    "losses": {
        "fool": {**SQUARE, "of": ["said", "truth"], "trains": ["e", "g"]},
        "spot": {**SQUARE, "of": ["said_apart", "truth"], "trains": ["d"]},
    },
}
BAGGED: dict[str, Any] = {
    "views": TWO_VIEWS,
    "nets": {"f": EYE, "g": dense()},
    "state": {"m": {"use": "parts:Mean"}},
    "flow": {"z": "g(f(bag(x1, x2)))"},
    "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "m.read"}},
    "after_step": ["m.add(z)"],
}


def rows(**text: Any) -> dict[str, tuple[str, ...]]:
    return {name: tuple(cells) for name, cells in gradient_map(wired(**text)).rows.items()}


def test_a_stopped_branch_still_trains_the_nets_it_shares_with_the_other() -> None:
    assert rows(**SIAMESE) == {"f": ("gradient",), "g": ("gradient",), "q": ("gradient",)}
    stopped = {**SIAMESE, "flow": {**SIAMESE["flow"], "p1": "q(s2)", "s2": "stopgrad(z2)", "z1": "g(f(x1))"}}
    assert rows(**stopped) == {"f": ("dead",), "g": ("dead",), "q": ("gradient",)}


def test_targets_move_by_following() -> None:
    assert rows(**FOLLOWED) == {
        "f": ("gradient",),
        "g": ("gradient",),
        "q": ("gradient",),
        "ft": ("EMA",),
        "gt": ("EMA",),
    }


def test_gradient_passes_through_a_frozen_net_and_leaves_it_alone() -> None:
    assert rows(**FROZEN) == {"f": ("frozen",), "g": ("gradient",), "q": ("frozen",)}


def test_players_are_trained_by_their_own_losses() -> None:
    assert rows(**GAME) == {"e": ("gradient", "-"), "g": ("gradient", "-"), "d": ("-", "gradient")}


def test_a_detached_port_passes_no_gradient() -> None:
    text = {
        "nets": {"f": EYE, "c": dense(3)},
        "flow": {"z": "f(x)", "y": "stopgrad(z)", "w": "c(y)"},
        "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "w"}},
    }
    assert rows(**text) == {"f": ("gradient",), "c": ("dead",)}


def test_whole_numbers_carry_no_gradient() -> None:
    text = {
        "nets": {"f": EYE},
        "state": {"t": {"use": "parts:Table"}},
        "flow": {"z": "f(x)", "i": "t.read(x.index)"},
        "losses": {"l": {**SQUARE, "of": ["z", "i"]}},
    }
    assert gradient_map(wired(**text)).reaches["i"] == frozenset()


def test_the_map_prints_as_a_table() -> None:
    assert str(gradient_map(wired(**GAME))).splitlines() == [
        "   fool      spot",
        "e  gradient  -",
        "g  gradient  -",
        "d  -         gradient",
    ]


@pytest.mark.parametrize(
    "text", [SIAMESE, FOLLOWED, FROZEN, GAME, BAGGED], ids=["siamese", "followed", "frozen", "game", "bagged"]
)
def test_autograd_agrees_with_the_map(text: dict[str, Any]) -> None:
    images = {view: torch.rand(4, 3, 2, 2) for view in text["views"]}
    assert_map_is_true(compiled(**text), batch(images))


def test_a_wrong_map_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    method = compiled(**SIAMESE)
    monkeypatch.setattr(method.parts["f"].scale, "requires_grad", False)
    with pytest.raises(AssertionError, match="loss 'one'"):
        assert_map_is_true(method, batch({"x1": torch.rand(4, 3, 2, 2), "x2": torch.rand(4, 3, 2, 2)}))


def test_what_never_moves_in_a_net_has_a_row_of_its_own() -> None:
    nets = {"f": {**EYE, "freeze": {"scale": "always", "other": "1 epoch"}}, "g": dense(freeze="always")}
    text = {"nets": nets, "flow": {"z": "g(f(x))", "w": "stopgrad(z)"}, "losses": {"l": {**SQUARE, "of": ["z", "w"]}}}
    assert rows(**text) == {"f": ("gradient",), "f.scale": ("frozen",), "g": ("frozen",)}
