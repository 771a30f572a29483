"""The words of the language in a comparison: what means the same is no difference, what does not is told."""

from __future__ import annotations

from typing import Any

import pytest
from toys import method

from sslgraph.diff import Change, Changed, Rewired, account, diff
from sslgraph.diff.figure import Figure
from sslgraph.read.load import load_method

PREDICT = {"use": "losses.masked_regression", "of": ["y", "p"], "where": "m.hidden"}


def masked(call: str, **more: Any) -> dict[str, Any]:
    """A masked method whose encoder is called in this way."""
    return {
        "nets": {"enc": {"use": "backbones.vit", "mask_token": True}, "dec": {"use": "heads.linear", "out": 768}},
        "ops": {"mask": {"use": "masks.uniform"}, "patches": {"use": "wiring.patchify"}},
        "flow": {"m": "mask(x)", "y": f"dec({call}.patches)", "p": "patches(x)"},
        "losses": {"pixels": PREDICT},
        **more,
    }


def changes(one: str, other: str) -> tuple[Change, ...]:
    return diff(method(**masked(one)), method(**masked(other)))


def test_a_port_given_by_name_is_the_same_as_by_position() -> None:
    assert changes("enc(x, m.seen)", "enc(x, seen=m.seen)") == ()
    assert changes("enc(x, seen=m.seen)", "enc(seen=m.seen, image=x)") == ()


def test_an_export_is_the_same_whichever_view_and_call_it_is_written_with() -> None:
    nets = {"f": {"use": "backbones.resnet"}, "g": {"use": "backbones.resnet"}}
    text: dict[str, Any] = {
        "views": {"x": {"augment": "simsiam"}, "y": {"augment": "simsiam"}},
        "nets": nets,
        "flow": {"p": "f(x)", "t": "g(y)"},
        "losses": {"one": {"use": "losses.negative_cosine", "of": ["p", "t"]}},
    }
    bare = method(**text, export="f.map")
    assert diff(bare, method(**text, export="f(x).map")) == diff(bare, method(**text, export="f(y).map")) == ()
    (change,) = diff(bare, method(**text, export="add(f(x), g(x)).map"))
    assert isinstance(change, Changed) and (change.before, change.after) == ("f.map", "add(f(x), g(x)).map")


def test_a_number_that_the_flow_makes_is_a_wire() -> None:
    def text(temperature: Any) -> dict[str, Any]:
        loss = {"use": "losses.info_nce", "of": ["p", "t"], "temperature": temperature}
        nets = {"f": {"use": "backbones.resnet"}}
        state = {"phi": {"use": "memory.vector", "count": 1}}
        return {"nets": nets, "state": state, "flow": {"p": "l2(f(x))", "t": "stopgrad(p)"}, "losses": {"one": loss}}

    found = diff(method(**text(0.2)), method(**text("phi.read")))
    assert any(isinstance(change, Rewired) and change.port == "temperature" for change in found)


def test_a_bag_that_only_losses_read_is_no_joint_forward() -> None:
    found = account(load_method("barlow_twins").spec, load_method("vicreg").spec).lines
    assert found[0].startswith("VICReg is Barlow Twins with variance and covariance terms in place of redundancy reduc")
    assert not any("forwards" in line for line in found)


def test_another_view_of_a_bag_is_another_wiring() -> None:
    def text(flow: dict[str, str]) -> dict[str, Any]:
        nets = {"f": {"use": "backbones.resnet"}, "h": {"use": "heads.linear", "out": 2048}}
        losses = {"one": {"use": "losses.negative_cosine", "of": ["p", "t"]}}
        return {"views": {"x": {"augment": "simsiam", "copies": 2}}, "nets": nets, "flow": flow, "losses": losses}

    one = method(**text({"z": "f(x)", "p": "h(z[0])", "t": "stopgrad(z[1])"}))
    assert diff(one, method(**text({"p": "h(f(x)[0])", "t": "stopgrad(f(x)[1])"}))) == ()
    (change,) = diff(one, method(**text({"p": "h(f(x)[1])", "t": "stopgrad(f(x)[1])"})))
    assert isinstance(change, Rewired) and (change.before, change.after) == ("h(f(x)[0])", "h(f(x)[1])")


def test_another_port_is_another_wiring() -> None:
    (change,) = changes("enc(x, m.seen)", "enc(x, replace=m.hidden)")
    assert isinstance(change, Rewired) and change.port == "input 1"
    assert (change.before, change.after) == (
        "dec(enc(x, mask(x).seen).patches)",
        "dec(enc(x, replace=mask(x).hidden).patches)",
    )


def test_the_first_head_is_a_projector_whatever_encoders_and_decoders_stand_before_it() -> None:
    mlp = {"use": "heads.mlp", "hidden": [8], "out": 4}
    nets = {
        "e": {"use": "heads.linear", "out": 8},
        "enc": {"use": "backbones.vit"},
        "dec": {"use": "heads.mae_decoder"},
        "g": mlp,
        "q": mlp,
    }
    loss = {"use": "losses.negative_cosine", "of": ["p", "p"]}
    figure = Figure(method(nets=nets, flow={"p": "q(g(mean(dec(enc(e(x))))))"}, losses={"one": loss}))
    assert [figure.role(net) for net in nets] == ["encoder", "encoder", "decoder", "projector", "predictor"]


def test_two_heads_that_read_each_other_have_roles() -> None:
    nets = {"f": {"use": "backbones.resnet"}, "a": {"use": "heads.mlp"}, "b": {"use": "heads.mlp"}}
    loss = {"use": "losses.negative_cosine", "of": ["p", "q"]}
    figure = Figure(method(nets=nets, flow={"p": "a(b(f(x)))", "q": "b(a(f(x)))"}, losses={"one": loss}))
    assert [figure.role(net) for net in nets] == ["encoder", "predictor", "predictor"]


NEIGHBOURS = {  # what a paper says of the one that it builds on, where no part that all methods may have differs
    ("moco_v2", "infomin"): "with jigsaw tiles.",
    ("moco_v2", "densecl"): "with places matched by likeness.",
    ("moco_v2", "un_mix"): "with mixtures of images.",
    ("byol", "scrl"): "with pairs of regions.",
    ("simclr", "nnclr"): "with a predictor and nearest neighbours as positives.",
    ("dinov2", "dinov3"): "with a snapshot and Gram anchoring.",
    ("mae", "simmim"): "with masking by mask tokens instead of by leaving patches out.",
    ("simclr", "simclr_v2"): "with 3 layers in the projector instead of 2.",
    ("simclr", "dcl"): "with decoupled: true.",
    ("rotation", "rotation_one"): "with turn variant one instead of all.",
    ("color_proxy", "hypercolumns"): "with weight 5 instead of 1 and other inputs of the loss.",
    ("deepcluster", "sela"): "without kmeans, with equal_labels instead of pca_whiten, resnet as encoder instead of "
    "alexnet, and other settings of the classifier, view, labels, train and label.",
}


@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_a_headline_names_what_differs(one: str, other: str) -> None:
    assert account(load_method(one).spec, load_method(other).spec).headline.endswith(NEIGHBOURS[one, other])
