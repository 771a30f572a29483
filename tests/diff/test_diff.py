"""Two methods compared by what they mean: golden sentences, letters that do not matter, and laws on any two specs."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TWO_VIEWS, method

from sslgraph.diff import Added, Change, Changed, Removed, Rewired, account, diff
from sslgraph.parts import registry
from sslgraph.read import catalogue
from sslgraph.read.load import load_method
from sslgraph.read.spec import Method

Text = dict[str, Any]
F, G = {"use": "backbones.resnet", "depth": 50}, {"use": "heads.mlp", "hidden": [4096], "out": 256}
EMA = {"cosine": [0.996, 1.0]}
BYOL: Text = {
    "views": TWO_VIEWS,
    "nets": {"f": F, "g": G, "q": G},
    "targets": {"ft": {"ema_of": "f", "momentum": EMA}, "gt": {"ema_of": "g", "momentum": EMA}},
    "flow": {"p1": "q(g(f(x1)))", "p2": "q(g(f(x2)))", "t1": "gt(ft(x1))", "t2": "gt(ft(x2))"},
    "losses": {
        "one": {"use": "losses.cosine_regression", "of": ["p1", "t2"]},
        "two": {"use": "losses.cosine_regression", "of": ["p2", "t1"]},
    },
}
SIMSIAM: Text = {
    "views": TWO_VIEWS,
    "nets": {"f": F, "g": {**G, "hidden": [2048, 2048], "out": 2048}, "h": {**G, "hidden": [512], "out": 2048}},
    "flow": {
        "z1": "g(f(x1))",
        "z2": "g(f(x2))",
        "p1": "h(z1)",
        "p2": "h(z2)",
        "t1": "stopgrad(z1)",
        "t2": "stopgrad(z2)",
    },
    "losses": {
        "one": {"use": "losses.negative_cosine", "of": ["p1", "t2"], "weight": 0.5},
        "two": {"use": "losses.negative_cosine", "of": ["p2", "t1"], "weight": 0.5},
    },
}
MOCO: Text = {
    "views": TWO_VIEWS,
    "nets": {"f": F, "g": G},
    "targets": {"fk": {"ema_of": "f", "momentum": 0.999}, "gk": {"ema_of": "g", "momentum": 0.999}},
    "state": {"queue": {"use": "memory.fifo", "size": 65536}},
    "flow": {"q": "l2(g(f(x1)))", "k": "l2(gk(fk(x2)))"},
    "losses": {"info": {"use": "losses.info_nce", "of": ["q", "k"], "negatives": "queue.read", "temperature": 0.2}},
    "after_step": ["queue.push(k)"],
}
CLUSTERS: Text = {
    "nets": {"f": F, "head": {"use": "heads.linear", "out": 10}},
    "ops": {"kmeans": {"use": "clustering.kmeans", "k": 10}},
    "state": {"labels": {"use": "memory.label_table"}},
    "phases": [
        {
            "name": "look",
            "every": "1 epoch",
            "flow": {"e": "f(x)"},
            "collect": "e",
            "then": ["labels.write(kmeans(e))", "head.reset"],
        },
        {
            "name": "learn",
            "flow": {"y": "head(f(x))", "t": "labels.read(x.index)"},
            "losses": {"ce": {"use": "losses.cross_entropy", "of": ["y", "t"]}},
        },
    ],
}


def words(one: Text, other: Text) -> list[str]:
    return account(method(**one), method(**other)).lines


def test_byol_becomes_simsiam() -> None:
    assert words(BYOL, SIMSIAM) == [
        "toy is toy without the momentum encoder.",
        "structure",
        "  - momentum encoder: ft of f, gt of g, momentum cosine 0.996 to 1; "
        "the other view runs through the same f and g",
        "  = kept: predictor and stop-gradient",
        "  = losses one and two: equal up to a constant factor and offset, affine in cos(prediction, target)",
        "settings",
        "  ≠ projector g: 2 -> 3 layers, hidden 4096 -> 2048, out 256 -> 2048",
        "  ≠ predictor h (was q): hidden 4096 -> 512, out 256 -> 2048",
        "numbers",
        "  ≠ losses one and two: weight 1 -> 0.5",
    ]


SURVEY = {  # what the papers and the surveys say of each other
    ("byol", "simsiam"): "SimSiam is BYOL without the momentum encoder.",
    ("simclr", "simsiam"): "SimSiam is SimCLR without negative pairs, with a predictor and a stop-gradient; "
    "by cosine distance instead of contrastive cross-entropy.",
    ("swav", "simsiam"): "SimSiam is SwAV without online clustering and multi-crop, with a predictor; "
    "by cosine distance instead of cross-entropy.",
    ("byol", "dino"): "DINO is BYOL with centring and sharpening in place of the predictor, with multi-crop; "
    "by cross-entropy instead of cosine distance.",
    ("simclr", "moco_v2"): "MoCo v2 is SimCLR with a momentum encoder and negative pairs from a queue instead of the "
    "batch.",
    ("moco_v1", "moco_v2"): "MoCo v2 is MoCo v1 with mlp as projector instead of linear, augmentation moco_v2 "
    "instead of moco_v1 and temperature 0.2 instead of 0.07.",
    ("simclr", "byol"): "BYOL is SimCLR without negative pairs, with a momentum encoder and a predictor; "
    "by cosine distance instead of contrastive cross-entropy.",
    ("simclr", "swav"): "SwAV is SimCLR with online clustering in place of negative pairs, with multi-crop; "
    "by cross-entropy instead of contrastive cross-entropy.",
    ("simclr", "barlow_twins"): "Barlow Twins is SimCLR with redundancy reduction in place of negative pairs; "
    "by cross-correlation instead of contrastive cross-entropy.",
    ("byol", "pixpro"): "PixPro is BYOL with pairs of pixels.",
    ("rotation", "jigsaw"): "Jigsaw is RotNet with pretext task jigsaw instead of rotations.",
    ("simclr", "simclr"): "SimCLR and SimCLR are the same method.",
}


@pytest.mark.parametrize(("one", "other"), SURVEY)
def test_the_headline_says_what_the_field_says(one: str, other: str) -> None:
    assert account(load_method(one).spec, load_method(other).spec).headline == SURVEY[one, other]


GOLDEN = [pair for pair in SURVEY if pair[0] != pair[1]]


@pytest.mark.parametrize(("one", "other"), GOLDEN)
def test_the_whole_account_stays_as_it_was_read_over(one: str, other: str) -> None:
    text = "\n".join(account(load_method(one).spec, load_method(other).spec).lines) + "\n"
    golden = Path(__file__).parent.parent / "golden_diffs" / f"{one}-{other}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), (
        "a change that is meant: UPDATE_GOLDEN=1 pytest tests/diff/test_diff.py"
    )


def shipped_losses_by_quantity() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for use in registry.catalogue("losses"):
        if quantity := registry.signature(use).traits.affine_in:
            found.setdefault(quantity, []).append(use)
    return found


@pytest.mark.parametrize(("quantity", "uses"), shipped_losses_by_quantity().items())
def test_losses_affine_in_one_quantity_are_equal_up_to_factor_and_offset(quantity: str, uses: list[str]) -> None:
    """What the words claim of two losses, held against numbers: the same line through six points."""
    assert len(uses) > 1, f"only {uses[0]} is affine in {quantity}"
    generator = torch.Generator().manual_seed(0)
    points = [(torch.randn(4, 3, generator=generator), torch.randn(4, 3, generator=generator)) for _ in range(6)]
    lines = []
    for use in uses:
        values = torch.stack([registry.build(use, {})(*point) for point in points])
        lines.append((values - values[0]) / (values[1] - values[0]))
    for line in lines[1:]:
        torch.testing.assert_close(line, lines[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("use", registry.catalogue("losses"))
def test_every_shipped_loss_says_what_it_measures(use: str) -> None:
    assert registry.signature(use).traits.kind


def renamed(text: Text) -> Text:
    """The same method in other letters and another order of writing."""
    letters = {"x1": "left", "x2": "right", "f": "enc", "g": "proj", "q": "pred", "ft": "slow", "gt": "slow_proj"}
    return {
        "views": {letters[v]: view for v, view in text["views"].items()},
        "nets": {letters[n]: net for n, net in text["nets"].items()},
        "targets": {
            letters[t]: {**target, "ema_of": letters[target["ema_of"]]} for t, target in text["targets"].items()
        },
        "flow": {
            "b": "slow_proj(slow(left))",
            "a": "pred(h)",
            "h": "proj(enc(left))",
            "c": "pred(proj(enc(right)))",
            "d": "slow_proj(slow(right))",
        },
        "losses": {
            "first": {"use": "losses.cosine_regression", "of": ["a", "d"]},
            "second": {"use": "losses.cosine_regression", "of": ["c", "b"]},
        },
    }


def test_letters_names_of_values_and_order_of_the_flow_do_not_matter() -> None:
    assert diff(method(**BYOL), method(**renamed(BYOL))) == ()


def test_title_family_and_paper_do_not_matter() -> None:
    other = {**BYOL, "method": "Another", "family": "contrastive", "paper": {"title": "t", "year": 2000}}
    assert diff(method(**BYOL), method(**other)) == ()


def test_what_is_written_and_what_is_the_default_of_the_language_are_the_same() -> None:
    losses = {name: {**loss, "weight": 1.0} for name, loss in BYOL["losses"].items()}
    assert (
        diff(
            method(**BYOL), method(**{**BYOL, "losses": losses, "nets": {**BYOL["nets"], "f": {**F, "frozen": False}}})
        )
        == ()
    )


@pytest.mark.parametrize(
    ("one", "change", "expected"),
    [
        (
            MOCO,
            {"losses": {"info": {**MOCO["losses"]["info"], "temperature": 0.07}}},
            Changed("loss", "info", "info", "", "temperature", "0.2", "0.07"),
        ),
        (
            MOCO,
            {"nets": {"f": F, "g": {**G, "use": "heads.linear"}}},
            Changed("net", "g", "g", "projector", "use", "heads.mlp", "heads.linear"),
        ),
        (
            MOCO,
            {"targets": {**MOCO["targets"], "gk": {"ema_of": "g", "momentum": 0.9}}},
            Changed("target", "gk", "gk", "projector", "momentum", "0.999", "0.9"),
        ),
        (
            {**MOCO, "targets": {**MOCO["targets"], "gk": {"snapshot_of": "g", "every": "2 epochs"}}},
            {"targets": {**MOCO["targets"], "gk": {"snapshot_of": "g", "every": "1 epoch"}}},
            Changed("target", "gk", "gk", "projector", "every", "2 epochs", "1 epoch"),
        ),
        (MOCO, {"after_step": []}, Removed("write", "queue.push(k)")),
        (MOCO, {"after_step": ["queue.push(q)", "queue.push(k)"]}, Added("write", "queue.push(q)")),
        (MOCO, {"export": "fk"}, Changed("export", "f", "fk", "", "export", "f", "fk")),
        (
            MOCO,
            {"views": {**TWO_VIEWS, "x2": {"augment": "none", "copies": 2}}},
            Changed("view", "x2", "x2", "", "copies", "1", "2"),
        ),
        (
            CLUSTERS,
            {"phases": [{**CLUSTERS["phases"][0], "every": "2 epochs"}, CLUSTERS["phases"][1]]},
            Changed("phase", "look", "look", "", "every", "1 epoch", "2 epochs"),
        ),
        (
            CLUSTERS,
            {"phases": [{**CLUSTERS["phases"][0], "then": CLUSTERS["phases"][0]["then"][::-1]}, CLUSTERS["phases"][1]]},
            Rewired(
                "write",
                "look",
                "look",
                "",
                "order",
                "labels.write(kmeans(e)), head.reset",
                "head.reset, labels.write(kmeans(e))",
            ),
        ),
        (CLUSTERS, {"phases": CLUSTERS["phases"][1:]}, Removed("phase", "look", detail="collects e")),
    ],
)
def test_one_edit_is_one_change(one: Text, change: Text, expected: object) -> None:
    assert expected in diff(method(**one), method(**{**one, **change}))
    assert (
        len(
            [c for c in diff(method(**one), method(**{**one, **change})) if not isinstance(c, Rewired) or c == expected]
        )
        <= 2
    )


def test_a_stop_that_moves_to_the_other_side_is_a_rewiring() -> None:
    flow = {**SIMSIAM["flow"], "p1": "stopgrad(h(z1))", "t2": "z2"}
    (found,) = diff(method(**SIMSIAM), method(**{**SIMSIAM, "flow": flow}))[:1]
    assert found == Rewired("loss", "one", "one", "", "input 1", "h(g(f(x1)))", "stopgrad(h(g(f(x1))))")


def test_an_added_loss_is_told_with_its_class() -> None:
    losses = {**MOCO["losses"], "more": {"use": "losses.barlow_twins", "of": ["q", "k"]}}
    assert words(MOCO, {**MOCO, "losses": losses}) == [
        "toy is toy with redundancy reduction.",
        "structure",
        "  + redundancy reduction: losses.barlow_twins",
        "  = kept: momentum encoder and negative pairs",
        "  + loss term more (losses.barlow_twins)",
    ]


def test_what_a_part_presumes_and_what_is_written_are_the_same() -> None:
    """heads.mlp presumes norm: none, and says so in its signature."""
    written = {**MOCO, "nets": {"f": F, "g": {**G, "norm": "none"}}}
    assert diff(method(**MOCO), method(**written)) == ()
    (change,) = diff(method(**MOCO), method(**{**MOCO, "nets": {"f": F, "g": {**G, "norm": "batch"}}}))
    assert change == Changed("net", "g", "g", "projector", "norm", "none", "batch")


@pytest.mark.parametrize(
    "text",
    [
        {"flow": {"z": "f(", "y": "3"}, "losses": {"l": {"use": "losses.x", "of": ["z", "y", "nothing"]}}},
        {"flow": {"z": "f(y)", "y": "f(z)"}, "losses": {"l": {"use": "losses.x", "of": ["z"]}}},
        {"nets": {"f": F}, "export": "nothing"},
        {"nets": {"a": F, "b": F}, "flow": {"z": "a(x)"}},  # a net that nothing calls
        {"targets": {"t": {"ema_of": "nothing", "momentum": 1}}},
        {
            "nets": {"f": {"use": "own.module:Part"}},
            "flow": {"z": "f(x).map"},
            "losses": {"l": {"use": "a:B", "of": ["z"], "where": "x.box"}},
        },
        {
            "flow": {f"v{i + 1}": f"add(v{i}, v{i})" for i in range(60)} | {"v0": "f(x)"},
            "losses": {"l": {"use": "losses.x", "of": ["v60"]}},
        },
    ],
    ids=["unreadable", "circle", "export", "uncalled", "stranger", "plugin", "doubling"],
)
def test_any_two_texts_are_compared(text: Text) -> None:
    strange = method(**{"nets": {"f": F}, **text})
    for other in (method(**MOCO), method(**CLUSTERS), strange):
        assert_laws(strange, other)


def mirrored(change: Change) -> Change:
    """The same change seen from the other method."""
    match change:
        case Added(kind, name, role, detail):
            return Removed(kind, name, role, detail)
        case Removed(kind, name, role, detail):
            return Added(kind, name, role, detail)
    return replace(change, one=change.other, other=change.one, before=change.after, after=change.before)


def assert_laws(one: Method, other: Method) -> None:
    """Nothing lies between a method and itself, and the way back is the mirrored way there."""
    assert diff(one, one) == () == diff(other, other)
    there, back = diff(one, other), diff(other, one)
    assert sorted(map(repr, map(mirrored, there))) == sorted(map(repr, back))
    assert [mirrored(mirrored(change)) for change in there] == list(there)
    told = account(one, other)
    assert sorted(repr(c) for s in told.statements for c in s.changes) == sorted(map(repr, there)), (
        "each change is told once"
    )
    assert all(line.strip() and ": ," not in line for line in told.lines)


@pytest.mark.parametrize(("one", "other"), list(product([BYOL, SIMSIAM, MOCO, CLUSTERS], repeat=2)))
def test_the_way_back_is_the_mirrored_way_there(one: Text, other: Text) -> None:
    assert_laws(method(**one), method(**other))


NETS = st.dictionaries(
    st.sampled_from("abcd"),
    st.sampled_from([F, G, {"use": "heads.linear", "out": 3}, {"use": "heads.mlp", "hidden": [1], "out": 2}]),
    min_size=1,
)
TERMS = st.recursive(
    st.sampled_from(["x1", "x2", "x1.box", "v", "w", "s.read"]),
    lambda inner: st.builds("{}({})".format, st.sampled_from(["a", "b", "c", "l2", "stopgrad"]), inner),
    max_leaves=4,
)
LOSSES = st.dictionaries(
    st.sampled_from("lmn"),
    st.builds(
        dict,
        use=st.sampled_from(["losses.dino", "losses.nt_xent"]),
        of=st.lists(st.sampled_from(["v", "w", "x1"]), max_size=2),
        weight=st.sampled_from([1.0, 2.0]),
    ),
)
METHODS = st.builds(
    lambda nets, v, w, losses, writes: method(
        views=TWO_VIEWS,
        nets=nets,
        state={"s": {"use": "memory.fifo"}},
        flow={"v": v, "w": w},
        losses=losses,
        after_step=writes,
    ),
    NETS,
    TERMS,
    TERMS,
    LOSSES,
    st.lists(st.sampled_from(["s.push(v)", "s.push(w)"]), max_size=3),
)


@given(METHODS, METHODS)
@settings(max_examples=80, deadline=None, database=None)
def test_the_laws_hold_for_any_two_methods(one: Method, other: Method) -> None:
    assert_laws(one, other)


def test_the_laws_hold_for_all_shipped_methods() -> None:
    methods = [load_method(name).spec for name in catalogue.names("methods")]
    for one, other in combinations_with_replacement(methods, 2):
        assert_laws(one, other)
