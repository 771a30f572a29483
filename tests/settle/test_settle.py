"""Settling: every width is inferred or refused at its node, one call for each resolution, views split and merged."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from torch.utils._pytree import tree_leaves
from toys import EYE, PLUGINS, SQUARE, X, dense, sized, wired

from sslgraph.errors import SpecError
from sslgraph.settle.settle import settle
from sslgraph.settle.sized import SizedGraph

Text = dict[str, Any]
MEAN = {"m": {"use": "parts:Mean"}}
CROPS: Text = {
    "views": {"large": {"augment": "none", "copies": 2}, "small": {"augment": "none", "copies": 3}},
    "nets": {"f": EYE, "g": dense()},
    "flow": {"z": "g(f(bag(large, small)))"},
    "state": MEAN,
    "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "m.read"}},
    "after_step": ["m.add(z)"],
}
PLAIN: Text = {
    "views": X,
    "nets": {"f": EYE, "g": dense()},
    "flow": {"z": "g(f(x))", "w": "stopgrad(z)"},
    "losses": {"l": {**SQUARE, "of": ["z", "w"]}},
}


def crops(large: int, small: int) -> SizedGraph:
    return settle(wired(**CROPS), {"large": (3, large, large), "small": (3, small, small)}, batch=4, plugins=PLUGINS)


def kinds(settled: SizedGraph) -> list[tuple[str, str]]:
    return [
        (step.kind, step.target)
        for step in settled.legs[0].steps
        if step.kind in ("call", "join", "split", "merge") and step.target != "m"
    ]


def test_widths_are_filled_from_what_arrives() -> None:
    settled = sized(**{**PLAIN, "state": MEAN, "after_step": ["m.add(w)"]})
    assert settled.settings == {
        "f": {"channels": 3},
        "g": {"out": 2, "dim": 3},
        "stopgrad": {},
        "l": {},
        "m": {"dim": 2},
    }
    assert settled.legs[0].shapes("z") == ((4, 2),) and settled.legs[0].shapes("l") == ((),)
    assert settled.parameters("g") == 6 and settled.parts["g"].weight.is_meta


def test_the_number_of_images_is_filled_from_the_data_set() -> None:
    text: Text = {
        **PLAIN,
        "flow": {**PLAIN["flow"], "i": "t.read(x.index)"},
        "state": {"t": {"use": "parts:Table"}},
        "after_step": ["t.write(i)"],
    }
    assert sized(dataset=4, batch=4, **text).settings["t"] == {"images": 4}
    with pytest.raises(SpecError, match=r"t.write: .*"):
        sized(dataset=8, batch=4, **text)


def test_a_sized_graph_keeps_no_autograd_history_and_can_be_deep_copied() -> None:
    settled = sized(**{**PLAIN, "state": MEAN, "after_step": ["m.add(z)"]})
    assert not any(tensor.requires_grad for tensor in tree_leaves(settled.legs[0].tensors))
    assert copy.deepcopy(settled).legs[0].shapes("z") == settled.legs[0].shapes("z")


def test_one_resolution_is_one_call() -> None:
    assert kinds(crops(4, 4)) == [("join", ""), ("call", "f"), ("call", "g"), ("split", ""), ("call", "l")]


def test_two_resolutions_are_two_calls_until_their_shapes_are_one() -> None:
    settled = crops(4, 2)
    assert kinds(settled) == [("call", "f"), ("call", "f"), ("join", ""), ("call", "g"), ("split", ""), ("call", "l")]
    leg = settled.legs[0]
    assert leg.shapes("bag_large_small") == ((8, 3, 4, 4), (12, 3, 2, 2)) and leg.shapes("z") == ((20, 2),)
    assert [piece.views for piece in leg.pieces["z"]] == [5] and leg.tensors["z_views"].shape == (5, 4, 2)


def test_several_resolutions_do_not_fit_one_port() -> None:
    text = {
        **CROPS,
        "nets": {"f": EYE},
        "flow": {"z": "bag(large, small)"},
        "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "m.read"}},
        "after_step": ["m.add(z)"],
        "export": "f",
    }
    with pytest.raises(
        SpecError,
        match=r"value 'l': port 'rows' of parts:Bag takes one tensor, but gets several resolutions: "
        r"\[8, 3, 4, 4\], \[12, 3, 2, 2\]\n  pool or embed them first",
    ):
        settle(wired(**text), {"large": (3, 4, 4), "small": (3, 2, 2)}, batch=4, plugins=PLUGINS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            {"flow": {"z": "g(f(x).map)", "w": "stopgrad(z)"}},
            r"value 'z': 'g' \(parts:Dense\): port 'features' takes Float\[batch dim\], and is given \[4, 3, 2, 2\]",
        ),
        (
            {"flow": {"z": "g(f(x))", "w": "f(x)"}},
            r"value 'l': 'l' \(parts:Square\): 'dim' is 2 at port 'one' and 3 at port 'other'",
        ),
        (
            {"nets": {"f": EYE, "g": dense(dim=5)}},
            r"'g' sets dim: 5, but its input has 3\n  leave dim out: the input gives it",
        ),
        (
            {"flow": {"z": "g(f(g(f(x))))", "w": "stopgrad(z)"}},
            r"value 'f_g_f_x': 'f' \(parts:Eye\): port 'image' takes Float\[batch channels height width\]",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused_at_their_node(text: Text, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        sized(**{**PLAIN, **text})


@pytest.mark.parametrize("flow", [{}, {"read": "rows.read"}])
def test_swapped_arguments_of_a_write_are_named_before_the_state_is_built(flow: Text) -> None:
    text = {
        "state": {"rows": {"use": "memory.row_bank"}},
        "flow": {"z": "g(f(x))", "w": "stopgrad(z)"},
        "after_step": ["rows.update(z, x.index)"],
    }
    with pytest.raises(
        SpecError,
        match=r"rows.update \(memory.row_bank\): port 'index' takes Int64\[batch\]: whole numbers, and is given "
        r"floating-point numbers of shape \[4, 2\]\n  look at the order of the arguments",
    ):
        sized(**{**PLAIN, **text, "flow": {**text["flow"], **flow}})


def test_a_net_is_not_used_at_two_widths() -> None:
    with pytest.raises(
        SpecError, match=r"value 'w': 'g' \(parts:Dense\)|'g' \(parts:Dense\) can't take features=\[4, 2\]"
    ):
        sized(**{**PLAIN, "flow": {"z": "g(f(x))", "w": "g(z)"}})


def test_a_state_whose_width_depends_on_itself_is_refused() -> None:
    text = {
        **PLAIN,
        "state": MEAN,
        "flow": {"z": "g(f(x))", "w": "m.read", "v": "loop(w)"},
        "ops": {"loop": {"use": "parts:Noise"}},
        "losses": {"l": {"use": "parts:Bag", "of": ["z"], "center": "w"}},
        "after_step": ["m.add(v)"],
    }
    with pytest.raises(SpecError, match="through a state\n  write dim of the state 'm'"):
        sized(**text)


def test_a_target_that_gets_another_width_than_its_net_is_refused() -> None:
    text = {
        **PLAIN,
        "nets": {"f": EYE, "h": dense(), "g": dense()},
        "targets": {"t": {"ema_of": "g", "momentum": 0.9}},
        "flow": {"z": "g(h(f(x)))", "w": "t(stopgrad(f(x)))"},
    }
    with pytest.raises(SpecError, match="'t' can't follow 'g': what arrives at 't' gives it dim 3, 'g' 2\n  give both"):
        sized(**text)


def test_a_constructor_that_refuses_is_told_at_its_part() -> None:
    text = {**PLAIN, "nets": {"f": EYE, "g": {"use": "parts:Dense", "out": -1}}}
    with pytest.raises(SpecError, match=r"'g' \(parts:Dense\) can't be built: "):
        sized(**text)


def test_a_value_with_other_axes_is_told_before_its_sizes_are_taken_for_widths() -> None:
    text = {**PLAIN, "nets": {"f": EYE, "g": {"use": "heads.transformer", "depth": 1, "heads": 12}}}
    with pytest.raises(SpecError, match=r"port 'tokens' takes .*, and is given \[4, 3\]"):
        sized(**{**text, "flow": {"z": "g(f(x))", "w": "f(x)"}})


def test_rows_that_are_no_multiple_of_the_batch_have_no_draws() -> None:
    text = {
        **PLAIN,
        "state": {"kept": {"use": "more_parts:Album", "rows": 6}},
        "ops": {"noise": {"use": "parts:Noise"}},
        "flow": {"z": "g(f(x))", "k": "kept.read", "w": "noise(k)", "v": "stopgrad(z)"},
        "after_step": ["kept.put(z)"],
        "losses": {
            "l": {**SQUARE, "of": ["z", "v"]},
            "n": {**SQUARE, "of": ["w", "k"]},
        },
    }
    with pytest.raises(SpecError, match=r"its 6 rows are not a multiple of the batch of 4"):
        sized(**text)


def test_a_number_without_axes_may_go_into_a_part() -> None:
    ops = {"spread": {"use": "wiring.spectrum", "measure": "nuclear"}, "less": {"use": "wiring.scale", "factor": 0.5}}
    text = {
        **PLAIN,
        "ops": ops,
        "flow": {"z": "g(f(x))", "n": "less(spread(everyone(z)))"},
        "losses": {"l": {"use": "losses.mean", "of": ["n"]}},
    }
    assert sized(**text).legs[0].shapes("n") == ((),)


def test_a_write_that_does_not_fit_is_refused_before_any_run() -> None:
    text = {**PLAIN, "state": {"kept": {"use": "more_parts:Album", "rows": 6}}, "after_step": ["kept.put(z)"]}
    with pytest.raises(SpecError, match=r"kept.put: "):
        sized(**text)


MEMBERS: Text = {
    **PLAIN,
    "views": {"large": {"augment": "none", "copies": 2}, "small": {"augment": "none"}},
    "losses": {"l": {**SQUARE, "of": ["one", "other"]}},
}


@pytest.mark.parametrize("small", [4, 2])
def test_a_view_of_a_bag_has_its_rows_whatever_the_sizes(small: int) -> None:
    text = {**MEMBERS, "flow": {"z": "f(bag(large, small))", "one": "z[1]", "other": "z.map[2]", "m": "mean(other)"}}
    text["losses"] = {"l": {**SQUARE, "of": ["one", "m"]}}
    settled = settle(wired(**text), {"large": (3, 4, 4), "small": (3, small, small)}, batch=4, plugins=PLUGINS)
    (leg,) = settled.legs
    assert leg.shapes("one") == ((4, 3),) and leg.shapes("other") == ((4, 3, small, small),)
    assert [piece.views for piece in (*leg.pieces["one"], *leg.pieces["other"])] == [1, 1]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("z[3]", "value 'one': there is no view 3\n  the bag has 3, from 0 to 2"),
        ("f(small)[0]", "value 'one': it is taken from a bag, and there is one view only\n  leave the brackets out"),
    ],
)
def test_a_view_that_a_bag_has_not_is_refused(member: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        sized(**{**MEMBERS, "flow": {"z": "g(f(bag(large, small)))", "one": member, "other": "z[0]"}})
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ("g(f(x).map)", "export: value 'g_f_x_map': 'g' (parts:Dense): port 'features' takes Float[batch dim]"),
        ("n(f(x))", "export: value 'n_f_x': 'n' (parts:Noise) draws random numbers\n  a representation has none"),
        ("unfold(f(x))", "export: 'unfold' (wiring.unfold) can't take features=[4, 3]: wiring.unfold joins 9 parts"),
        (
            "u(f(x))",
            "export: export gives [1, 12] for 4 images (float32)\n  it gives features [images, width], tokens or a map",
        ),
    ],
)
def test_an_export_that_fails_on_the_evaluation_view_is_refused(export: str, message: str) -> None:
    ops = {"n": {"use": "parts:Noise"}, "u": {"use": "wiring.unfold", "parts": 4}}
    with pytest.raises(SpecError) as refused:
        sized(**PLAIN, ops=ops, export=export)
    assert message in str(refused.value)


def test_a_made_name_never_takes_the_place_of_a_value() -> None:
    text = {
        **CROPS,
        "flow": {"z": "g(f(bag(large, small)))", "z_views": "stopgrad(z)", "draw_w": "l2(z)", "w": "noise(z)"},
        "ops": {"noise": {"use": "parts:Noise"}},
        "losses": {**CROPS["losses"], "n": {**SQUARE, "of": ["z_views", "draw_w"]}, "k": {**SQUARE, "of": ["w", "z"]}},
    }
    settled = settle(wired(**text), {"large": (3, 4, 4), "small": (3, 4, 4)}, batch=4, plugins=PLUGINS)
    names = [step.name for step in settled.legs[0].steps]
    assert len(names) == len(set(names)) and {"z_views", "z_views_", "draw_w", "draw_w_"} <= set(names)


@pytest.mark.parametrize("port", ["attention", "layers", "classes"])
def test_an_output_that_a_setting_leaves_empty_is_refused_where_it_is_read(port: str) -> None:
    vit = {"use": "backbones.vit", "preset": "nano", "patch": 2}
    loss = {"l": {"use": "losses.mean", "of": ["z"]}}
    text = {**PLAIN, "nets": {"f": vit}, "flow": {"h": "f(x)", "z": f"h.{port}"}, "losses": loss}
    setting = "attention: true" if port == "attention" else "layers: how many"
    with pytest.raises(SpecError, match=f"the output '{port}' of 'f' .backbones.vit. is empty, .*\n.*{setting}"):
        sized(**text)
    filled = {**vit, "attention": True, "layers": 1}
    assert 0 not in sized(**{**text, "nets": {"f": filled}}).legs[0].shapes("z")[0]
