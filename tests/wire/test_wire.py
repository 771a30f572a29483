"""Expressions become values, each made once, in an order in which they can be computed; every fault is told at once."""

from __future__ import annotations

from typing import Any

import pytest
from toys import EYE, PLUGINS, SQUARE, TWO_VIEWS, X, dense, method, wired

from sslgraph.errors import Place, SpecError
from sslgraph.read.spec import Path
from sslgraph.wire.graph import Graph, LossBox, NetBox, OpBox, StateBox, TargetBox, WiringBox
from sslgraph.wire.wire import wire

ONE = {"nets": {"f": EYE, "g": dense()}, "losses": {"l": {**SQUARE, "of": ["z", "z"]}}}
MEAN = {"m": {"use": "parts:Mean"}}
TABLE = {"t": {"use": "parts:Table"}}


def values(graph: Graph) -> dict[str, tuple[str, str | None, list[str]]]:
    return {
        v.name: (v.kind, v.box or v.view, [source for _, source in v.inputs]) for v in graph.training.values.values()
    }


def faults(**text: Any) -> list[str]:
    with pytest.raises(SpecError) as refused:
        wired(**{"views": X, **ONE, **text})
    return [str(fault) for fault in refused.value.faults]


def test_each_call_is_a_value_with_its_inputs() -> None:
    graph = wired(
        views=TWO_VIEWS,
        nets={"f": EYE, "g": dense()},
        flow={"z1": "g(f(x1))", "z2": "g(f(x2))"},
        losses={"l": {**SQUARE, "of": ["z1", "z2"]}},
    )
    assert values(graph) == {
        "x1": ("view", "x1", []),
        "f_x1": ("call", "f", ["x1"]),
        "f_x1_pooled": ("port", None, ["f_x1"]),
        "z1": ("call", "g", ["f_x1_pooled"]),
        "x2": ("view", "x2", []),
        "f_x2": ("call", "f", ["x2"]),
        "f_x2_pooled": ("port", None, ["f_x2"]),
        "z2": ("call", "g", ["f_x2_pooled"]),
        "l": ("loss", "l", ["z1", "z2"]),
    }


def test_each_section_has_its_own_kind_of_box() -> None:
    graph = wired(
        nets={"f": EYE, "g": {**dense(), "frozen": True}},
        targets={"k": {"ema_of": "f", "momentum": 0.5}},
        state=MEAN,
        ops={"n": {"use": "parts:Noise"}},
        flow={"z": "n(g(f(x)))", "w": "stopgrad(k(x))", "c": "m.read"},
        losses={"l": {**SQUARE, "of": ["z", "w"], "weight": 2.0}},
        after_step=["m.add(z)"],
    )
    kinds = {name: type(box) for name, box in graph.boxes.items()}
    declared = {"f": NetBox, "g": NetBox, "k": TargetBox, "m": StateBox, "n": OpBox, "l": LossBox}
    assert kinds == {**declared, "stopgrad": WiringBox}
    assert {name: box.net for name, box in graph.boxes.items() if box.net != name} == {"k": "f"}
    assert graph.loss("l").spec.weight == 2.0 and graph.boxes["stopgrad"].spec is None


def test_the_same_expression_is_computed_once() -> None:
    graph = wired(
        nets={"f": EYE, "g": dense()},
        flow={"h": "f(x)", "z": "g(h)", "w": "g(f(x))"},
        losses={"l": {**SQUARE, "of": ["z", "w"]}},
    )
    assert graph.training.flow == {"h": "h", "z": "z", "w": "z"}
    assert [v.box for v in graph.training.values.values() if v.kind == "call"] == ["f", "g"]


def test_the_order_of_the_flow_does_not_matter() -> None:
    flow = {"z": "g(h)", "h": "f(x)"}
    graph = wired(**{**ONE, "flow": flow})
    order = list(graph.training.values)
    assert order.index("h") < order.index("z")


def test_of_several_outputs_the_first_goes_on_and_the_others_are_named() -> None:
    graph = wired(nets={"f": EYE}, flow={"m": "f(x).map", "h": "f(x)"}, losses={"l": {**SQUARE, "of": ["m", "h"]}})
    ports = {v.name: v.port for v in graph.training.values.values() if v.kind == "port"}
    assert ports == {"m": "map", "f_x_pooled": "pooled"}
    assert graph.training.losses[0].inputs == (("one", "m"), ("other", "f_x_pooled"))


def test_a_losss_named_ports_stand_beside_its_settings() -> None:
    loss = {"use": "parts:Square", "other": "h", "of": ["z"], "temperature": 0.5}
    graph = wired(nets={"f": EYE}, flow={"z": "f(x)", "h": "stopgrad(z)"}, losses={"l": loss})
    assert graph.training.losses[0].inputs == (("one", "z_pooled"), ("other", "h"))
    assert graph.boxes["l"].settings == {"temperature": 0.5}


def test_a_name_that_collides_with_a_made_one_keeps_both_apart() -> None:
    graph = wired(
        nets={"f": EYE, "g": dense()},
        state=TABLE,
        flow={"x_index": "g(f(x))", "i": "t.read(x.index)"},
        losses={"l": {**SQUARE, "of": ["x_index", "i"]}},
    )
    views = [(v.name, v.view, v.port) for v in graph.training.values.values() if v.kind == "view"]
    assert views == [("x", "x", "image"), ("x_index_", "x", "index")]


def test_a_value_goes_to_the_port_that_is_named_and_the_order_is_the_parts() -> None:
    graph = wired(
        nets={"f": EYE, "g": dense()},
        state=MEAN,
        flow={"z": "g(features=f(x))", "w": "add(other=z, one=f(x))"},
        losses={"l": {**SQUARE, "of": ["z", "w"]}},
        after_step=["m.add(rows=w)"],
    )
    assert graph.training.values["w"].inputs == (("one", "f_x_pooled"), ("other", "z"))
    assert graph.training.writes[0].inputs == (("rows", "w"),)
    assert graph.training.flow["z"] == wired(**{**ONE, "flow": {"z": "g(f(x))"}}).training.flow["z"]


def test_a_setting_that_names_a_value_is_a_port_behind_the_others() -> None:
    graph = wired(
        nets={"f": EYE},
        state={"phi": {"use": "memory.vector", "count": 1}},
        flow={"z": "f(x)", "w": "stopgrad(z)"},
        losses={"l": {**SQUARE, "of": ["z", "w"], "temperature": "phi.read"}},
    )
    assert graph.training.losses[0].inputs[-1] == ("temperature", "phi_read") and graph.boxes["l"].settings == {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("phii.read", "losses 'l' reads the unknown name 'phii'"),
        ("0.5", "'temperature' of parts:Square must be a number or a schedule, not the text '0.5' (remove the quotes)"),
        ("f(x)", "a loss reads names, and 'f(x)' is a call"),
    ],
)
def test_a_number_that_nothing_makes_is_refused(value: str, message: str) -> None:
    assert any(
        message in f
        for f in faults(losses={"l": {**SQUARE, "of": ["z", "z"], "temperature": value}}, flow={"z": "g(f(x))"})
    )


def test_a_view_of_a_bag_is_a_value_and_a_port_of_it_is_that_view_of_the_port() -> None:
    graph = wired(
        views={"x": {"augment": "none", "copies": 2}},
        nets={"f": EYE},
        flow={"h": "f(x)", "z": "h[0]", "w": "h[1].map", "v": "f(x).map[1]", "i": "x[1].index"},
        losses={"l": {**SQUARE, "of": ["z", "w"]}, "m": {**SQUARE, "of": ["v", "i"]}},
    )
    found = graph.training.values
    assert (found["z"].kind, found["z"].inputs, found["z"].member) == ("member", (("", "h_pooled"),), 0)
    assert (found["w"].inputs, found["w"].member) == ((("", "h_map"),), 1) and graph.training.flow["v"] == "w"
    assert (found["i"].inputs, found["i"].member) == ((("", "x_index"),), 1)


def test_an_optional_port_is_given_without_those_before_it() -> None:
    graph = wired(
        nets={"f": {"use": "backbones.vit", "mask_token": True}},
        ops={"m": {"use": "masks.uniform"}},
        flow={"h": "m(x)", "z": "f(x, replace=h.hidden)"},
        losses={"l": {**SQUARE, "of": ["z", "z"]}},
    )
    assert graph.training.values["z"].inputs == (("image", "x"), ("replace", "h_hidden"))


def test_writes_stand_in_the_order_of_the_text() -> None:
    graph = wired(
        **{
            **ONE,
            "flow": {"z": "g(f(x))"},
            "state": {**MEAN, "n": {"use": "parts:Mean"}},
            "after_step": ["n.add(z)", "m.add(f(x))", "n.add(z)"],
        }
    )
    assert [(w.box, w.method, w.inputs) for w in graph.training.writes] == [
        ("n", "add", (("rows", "z"),)),
        ("m", "add", (("rows", "f_x_pooled"),)),
        ("n", "add", (("rows", "z"),)),
    ]


def test_a_phase_is_a_leg_and_what_follows_its_pass_another() -> None:
    graph = wired(
        nets={"f": EYE, "g": dense()},
        state=MEAN,
        phases=[
            {"name": "look", "flow": {"e": "f(x)"}, "collect": "e", "then": ["m.add(e)", "g.reset"]},
            {
                "name": "train",
                "flow": {"z": "g(f(x))", "c": "m.read"},
                "losses": {"l": {"use": "parts:Bag", "of": ["z", "c"]}},
            },
        ],
    )
    look, train = graph.legs
    assert (look.collect, look.is_training, train.is_training, graph.training.name) == (
        "e_pooled",
        False,
        True,
        "train",
    )
    assert look.then is not None and [v.kind for v in look.then.values.values()] == ["given"]
    assert [(w.box, w.method) for w in look.then.writes] == [("m", "add"), ("g", "reset")]


def test_a_methods_own_flow_is_its_training_beside_phases_that_only_look() -> None:
    look = {"name": "look", "flow": {"e": "f(x)"}, "collect": "e", "then": ["m.add(e)"]}
    graph = wired(**{**ONE, "flow": {"z": "g(f(x))"}, "state": MEAN, "phases": [look]})
    assert [leg.name for leg in graph.legs] == ["look", "step"] and graph.training.name == "step"


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ({"z": "g(ff(x))"}, "the flow calls the unknown part 'ff'"),
        ({"z": "g(f(y))"}, "flow 'z' reads the unknown name 'y'\n  there are: x, z"),
        (
            {"z": "f(x).mop"},
            "'f(x)' has no output 'mop'\n  there are: map, pooled\n  did you mean 'map'?",
        ),
        (
            {"y": "f(x)", "h": "y[0]", "z": "g(h.map)"},
            "'h' has no output 'map': it is one view of the first output of 'y'\n  write y.map[0]",
        ),
        ({"z": "g(f(x)).map"}, "'g(f(x))' has no output 'map': it has only one\n  write g(f(x))"),
        (
            {"z": "f(x.indx)"},
            "view 'x' has no port 'indx'\n  there are: box, colours, flip, image, index, label, map\n  did you mean "
            "'index'?",
        ),
        ({"z": "g(f(x), x)"}, "'g' (parts:Dense) is given 2 inputs\n  it takes features: Float[batch dim]"),
        ({"z": "g()"}, "'g' (parts:Dense) is given 0 inputs\n  it takes features: Float[batch dim]"),
        (
            {"z": "g(f(x), features=x)"},
            "'g' (parts:Dense) is given 'features' twice\n  it takes features: Float[batch dim]",
        ),
        ({"z": "g(feature=f(x))"}, "'g' (parts:Dense) has no input 'feature'\n  there are: features\n  did you mean"),
        (
            {"z": "g(f(x), out=x)"},
            "'out' is a setting of 'g' (parts:Dense), and a call gives values\n  write it as a key",
        ),
        ({"z": "o(f(x), other=x)"}, "the flow calls the unknown part 'o'"),
        ({"z": "g(features=f(x), features=x)"}, "'g' (parts:Dense) is given 'features' twice"),
        ({"z": "add(other=f(x))"}, "'add' (wiring.add) is given 1 inputs, and not 'one'\n  it takes one: "),
        ({"z": "f(bag(x, y=x))"}, "the views of a bag have no names\n  write for example bag(large, small)"),
        ({"z": "m(x)"}, "'m' is in state and can't be called\n  write m.read"),
        ({"z": "f(m)"}, "'m' is a part (state), not a value\n  write m.read"),
        ({"z": "f"}, "'f' is a part (nets), not a value\n  write f(...)"),
        ({"z": "l(x)"}, "'l' is in losses and can't be called\n  a loss is not called in the flow"),
        ({"z": "f(x)(x)"}, "'f(x)(x)' can't be called\n  call a net, a target, an op or a wiring part"),
        ({"z": "f(bag())"}, "a bag needs views\n  write for example bag(large, small)"),
        ({"z": "g(f(x), 3)"}, "a number or a text (3) can't be part of an expression"),
        (
            {"z": "g(w)", "w": "g(z)"},
            "the flow is a circle: z <- w <- z\n  feedback needs a state, which is written after a step",
        ),
        ({"z": "g(z)"}, "the flow is a circle: z <- z"),
        ({"z": "f(x)", "g": "f(x)"}, "'g' can't name a value: the name is taken (nets.g)\n  choose another name"),
        ({"z": "f(x)", "x": "f(x)"}, "'x' can't name a value: the name is taken (views.x)"),
        ({"z": "f(x)", "bag": "f(x)"}, "'bag' can't name a value: the name is taken"),
    ],
)
def test_a_wrong_flow_is_refused(flow: dict[str, str], message: str) -> None:
    assert any(message in fault for fault in faults(state=MEAN, flow=flow)), faults(state=MEAN, flow=flow)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            {"losses": {"l": {**SQUARE, "of": ["z"]}}},
            "loss 'l' (parts:Square) gets no 'other'\n  add `other: NAME`, where NAME is a value of the flow",
        ),
        (
            {"losses": {"l": {**SQUARE, "of": ["z", "z", "z"]}}},
            "loss 'l' (parts:Square) is given 3 values\n  it takes one, other",
        ),
        (
            {"losses": {"l": {**SQUARE, "of": ["z", "z[0]"]}}},
            "a loss reads names, and 'z[0]' is a member of a bag\n  name it in flow: and write the name",
        ),
        (
            {"losses": {"l": {**SQUARE, "of": ["z", "f(x)"]}}},
            "a loss reads names, and 'f(x)' is a call\n  name it in flow: and write the name",
        ),
        ({"losses": {"l": {**SQUARE, "of": ["z", "y"]}}}, "losses 'l' reads the unknown name 'y'"),
        (
            {"losses": {"l": {**SQUARE, "of": ["z"], "othr": "z"}}},
            "parts:Square has no setting 'othr'; did you mean 'other'?",
        ),
        (
            {"after_step": ["m.ad(z)"]},
            "'m' (parts:Mean) has no write 'ad'\n  there are: add\n  did you mean 'add'?",
        ),
        ({"after_step": ["m.add"]}, "m.add is given 0 inputs\n  it takes rows: Float[batch dim]"),
        ({"after_step": ["mm.add(z)"]}, "after_step writes to the unknown part 'mm'"),
        (
            {"after_step": ["g.push(z)"]},
            "'g' (parts:Dense) has no write 'push'\n  there are: reset",
        ),
        ({"after_step": ["z"]}, "'z' writes nothing\n  write for example queue.push(k)"),
        ({"after_step": ["f(z)"]}, "'f(z)' writes nothing"),
        ({"losses": {}}, "the method has no loss, so nothing would be learned\n  add a losses: section"),
        (
            {"phases": [{"name": "a"}]},
            "phase 'a' neither writes nor trains\n  write either then:, with collect: if it needs all images, or",
        ),
        (
            {"phases": [{"name": "a", "flow": {"e": "f(x)"}, "then": ["g.reset"]}]},
            "phases.0.flow: flow: of phase 'a' would never run\n  write collect: and a value of it, or leave flow: out",
        ),
        (
            {"phases": [{"name": "a", "flow": {"e": "f(x)"}, "losses": {"k": {**SQUARE, "of": ["e", "e"]}}}]},
            "the method itself and phase 'a' have losses, but only one may\n  put all losses in one place",
        ),
        (
            {"phases": [{"name": "a", "flow": {"e": "f(x)"}, "collect": "f(x)"}]},
            "phase 'a' collects 'f(x)'\n  there are: e\n  name a value of its flow:",
        ),
        (
            {"phases": [{"name": "a", "flow": {"e": "f(x)"}, "collect": "e", "after_step": ["m.add(e)"]}]},
            "after_step: of phase 'a' would never run\n  it belongs to losses:",
        ),
        (
            {"phases": [{"name": "a", "flow": {"e": "f(x)"}, "collect": "e", "then": ["m.add(f(x))"]}]},
            "then reads the unknown name 'x'\n  there are: e",
        ),
    ],
)
def test_a_wrong_loss_write_or_phase_is_refused(text: dict[str, Any], message: str) -> None:
    told = faults(**{"state": MEAN, "flow": {"z": "g(f(x))"}, **text})
    assert any(message in fault for fault in told), told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ({"nets": {"f": EYE, "x": dense()}}, "'x' names something in nets and in views\n  give each its own name"),
        (
            {"nets": {"f": EYE, "class": dense()}},
            "'class' can't be a name\n"
            "  begin with a letter, use letters, digits and _, and no word of Python's such as 'lambda'",
        ),
        (
            {"nets": {"f": EYE, "train": dense()}},
            "'train' can't be a name: the program or torch's modules have the word for themselves\n"
            "  choose another name, such as 'train_1'",
        ),
        ({"nets": {"f": EYE, "code": dense()}}, "'code' can't be a name"),
        ({"nets": {"f": EYE, "_g": dense()}}, "'_g' can't be a name"),
        ({"nets": {"f": EYE, "g h": dense()}}, "'g h' can't be a name"),
        ({"nets": {"f": EYE, "g": {"use": "heads.mpl"}}}, "there is no part 'heads.mpl'"),
        ({"nets": {"f": EYE, "g": {"use": "other:Part"}}}, "'other:Part' is code from outside the catalogue"),
        (
            {"targets": {"t": {"ema_of": "ff", "momentum": 0.9}}},
            "target 't' follows the unknown net 'ff'\n  there are: f, g\n  did you mean 'f'?",
        ),
        (
            {"targets": {"t": {"snapshot_of": "ff", "every": "1 epoch"}}},
            "'t' is a snapshot of the unknown net or target 'ff'\n  there are: f, g\n  did you mean 'f'?",
        ),
        (
            {"targets": {n: {"snapshot_of": s, "every": "1 epoch"} for n, s in (("t", "g"), ("u", "t"))}},
            "'u' is a snapshot of 't', which is itself a snapshot\n  there are: f, g\n  name a net or a moving average",
        ),
        ({"nets": {"f": EYE, "g": dense(outt=1)}}, "parts:Dense has no setting 'outt'; did you mean 'out'?"),
    ],
)
def test_a_wrong_declaration_is_refused(text: dict[str, Any], message: str) -> None:
    told = faults(**{"flow": {"z": "g(f(x))"}, **text})
    assert any(message in fault for fault in told), told


def test_all_faults_are_told_at_once_in_the_order_of_their_places() -> None:
    places = {("flow", "z"): Place("toy.yaml", 9, 6), ("flow", "w"): Place("toy.yaml", 7, 6)}

    def place(path: Path) -> Place | None:
        return places.get(path)

    with pytest.raises(SpecError) as refused:
        wire(method(**{**ONE, "flow": {"z": "g(f(y))", "w": "f(x).mop"}}), place, PLUGINS)
    assert [str(fault).split(": ")[0] for fault in refused.value.faults] == ["toy.yaml:7:6", "toy.yaml:9:10"]
