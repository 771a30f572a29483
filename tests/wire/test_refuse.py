"""What is never meant is refused with its repair."""

from __future__ import annotations

from typing import Any

import pytest
from toys import EYE, SQUARE, TWO_VIEWS, X, dense, wired

from sslgraph.errors import SpecError
from sslgraph.wire.refuse import refuse

FLOW = {"z": "g(f(x))", "w": "stopgrad(z)"}
WHOLE: dict[str, Any] = {
    "views": X,
    "nets": {"f": EYE, "g": dense()},
    "flow": FLOW,
    "losses": {"l": {**SQUARE, "of": ["z", "w"]}},
}
TARGET = {"t": {"ema_of": "g", "momentum": 0.9}}


def test_a_method_that_means_something_passes() -> None:
    refuse(wired(**WHOLE))


def test_a_target_behind_a_stopped_value_passes() -> None:
    flow = {"h": "f(x)", "z": "g(h)", "w": "t(stopgrad(h))"}
    refuse(wired(**{**WHOLE, "targets": TARGET, "flow": flow}))


def test_a_net_that_is_trained_in_one_player_only_passes() -> None:
    losses = {"l": {**SQUARE, "of": ["z", "w"], "trains": ["g"]}, "k": {**SQUARE, "of": ["z", "w"], "trains": ["f"]}}
    refuse(wired(**{**WHOLE, "losses": losses}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"views": TWO_VIEWS | X}, "nothing reads the view 'x1'\n  read it in flow:, or remove it"),
        ({"nets": {"f": EYE, "g": dense(), "h": dense()}}, "nothing uses 'h' (nets)\n  call it in flow:, or remove it"),
        ({"nets": {"f": EYE, "g": dense(), "h": dense()}, "export": "h"}, "nothing uses 'h' (nets)"),
        ({"ops": {"n": {"use": "parts:Noise"}}}, "nothing uses 'n' (ops)"),
        ({"state": {"m": {"use": "parts:Mean"}}}, "nothing uses 'm' (state)"),
        ({"targets": TARGET}, "nothing uses 't' (targets)"),
        ({"flow": {**FLOW, "v": "l2(z)"}}, "nothing uses the value 'v'\n  give it to a loss or a write, or remove it"),
        ({"flow": {**FLOW, "v": "z"}}, "flow.v: nothing reads 'v', a second name for 'z'\n  give it to a loss or a"),
        (
            {"flow": {"z": "stopgrad(g(f(x)))", "w": "stopgrad(f(x).map)"}},
            "no gradient of loss 'l' reaches a net that it may train: none passes 'stopgrad' (wiring.stopgrad)",
        ),
        (
            {"losses": {"l": {"use": "losses.distillation", "of": ["w", "z"]}}},
            "net that it may train: 'z', which is trained, is its teacher, through which none passes\n  exchange them "
            "in of:, so that 'z' is its student",
        ),
        (
            {
                "views": TWO_VIEWS,
                "nets": {"f": {"use": "backbones.resnet", "depth": 18}},
                "flow": {"z": "f(x1)", "t": "stopgrad(f(x2))"},
                "losses": {"l": {"use": "losses.distillation", "of": ["t", "z"]}},
            },
            "'z', which is trained, is its teacher, through which none passes\n  exchange them in of:, so that 'z' is",
        ),
        (
            {"losses": {"l": {**SQUARE, "of": ["z", "w"], "trains": ["f"]}}},
            "no loss trains the net 'g'\n  say frozen: true, or connect it to a loss",
        ),
        (
            {"losses": {"l": {**SQUARE, "of": ["z", "w"], "trains": ["ff"]}}},
            "loss 'l' trains the unknown net 'ff'\n  there are: f, g\n  did you mean 'f'?",
        ),
        (
            {"nets": {"f": {**EYE, "frozen": True}, "g": dense(frozen=True)}},
            "(wiring.stopgrad)\n  connect it to a trained net; check stopgrad, frozen, targets and trains:",
        ),
        (
            {"targets": TARGET, "flow": {"z": "g(f(x))", "w": "t(f(x))"}},
            "a gradient would pass through the target 't' into f\n  stop it in front of the target: t(stopgrad(...))",
        ),
        ({"export": "f(y)"}, "export reads the unknown name 'y'\n  there are: x"),
        ({"export": "h(f(x))"}, "the flow calls the unknown part 'h'"),
        ({"export": "z"}, "export names the unknown net 'z'"),
        ({"export": "g(z)"}, "export reads the unknown name 'z'"),
        ({"export": "f(x.box)"}, "export reads x_box\n  it reads one image by a view's name: x"),
        ({"export": "f(bag(x, x))"}, "export has a bag (bag_x_x)\n  evaluation sees each image once"),
        ({"export": "f(x)[0]"}, "export has a bag"),
        (
            {"state": {"m": {"use": "parts:Mean"}}, "export": "add(f(x), m.read)", "after_step": ["m.add(z)"]},
            "export reads 'm' (state)\n  a representation is made by nets, targets and ops from the image alone",
        ),
        ({"export": "f(x, 3)"}, "a number or a text (3) can't be part of an expression"),
        ({"export": "ff"}, "export names the unknown net 'ff'\n  there are: f, g\n  did you mean 'f'?"),
        (
            {"export": "f.mop"},
            "export: 'f' has no output 'mop'\n  there are: map, pooled\n  did you mean 'map'?",
        ),
        (
            {
                "phases": [
                    {
                        "name": "look",
                        "flow": {"e": "f(x)"},
                        "collect": "e",
                        "then": ["g.reset"],
                        "sample": {"balance": "labels"},
                    }
                ]
            },
            "sample: balance names the unknown state 'labels'",
        ),
        (
            {"phases": [{"name": "look", "flow": {"e": "f(x)"}, "collect": "e", "then": ["g.reset"]}]},
            "phases.0.collect: nothing in then: reads 'e', so all images would pass for nothing\n  leave flow: and",
        ),
    ],
)
def test_what_is_never_meant_is_refused(text: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        refuse(wired(**{**WHOLE, **text}))
    told = [str(fault) for fault in refused.value.faults]
    assert any(message in fault for fault in told), told


def test_a_view_that_only_a_name_reads_is_unread() -> None:
    with pytest.raises(SpecError, match="nothing reads the view 'x2'"):
        refuse(
            wired(
                **{**WHOLE, "views": {"x": {"augment": "none"}, "x2": {"augment": "none"}}, "flow": {**FLOW, "v": "x2"}}
            )
        )
