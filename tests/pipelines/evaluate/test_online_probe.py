"""The classifier that a run trains beside its method: found where it is one, refused where it is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from command import Command
from command import sslgraph as sslgraph
from torch import nn

from sslgraph.checked import sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate.online_probe import classifier_of, told
from sslgraph.pipelines.measure.features import Features
from sslgraph.pipelines.storage import checkpoint
from sslgraph.read.document import read_text
from sslgraph.read.load import method_of

RECIPE = """
recipe: tiny
method:
  method: Tiny
  views: {a: {augment: moco_v2, copies: 2, size: 16}}
  nets:
    f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
    g: {use: heads.mlp, hidden: [16], out: 8}
  flow: {z: l2(g(f(a)))}
  losses: {contrast: {use: losses.nt_xent, of: [z]}}
  export: f
data: {use: sources.shapes, images: 64, test_images: 40}
batch: 16
steps: 4
seed: 5
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0}
evaluate: {}
"""
BESIDE: dict[str, Any] = {
    "nets": {"judge": {"use": "heads.linear", "out": 10}},
    "flow": {"guess": "judge(stopgrad(f(a)))"},
    "losses": {"online": {"use": "losses.cross_entropy", "of": ["guess", "a.label"]}},
}


def text(**changes: Any) -> dict[str, Any]:
    """The recipe with nodes added to its method."""
    found: dict[str, Any] = yaml.safe_load(RECIPE)
    for section, nodes in changes.items():
        of = found["method"]
        of[section] = {**of.get(section, {}), **nodes} if isinstance(nodes, dict) else nodes
    return found


def compiled(**changes: Any) -> CompiledMethod:
    words = yaml.safe_dump(text(**changes)["method"], sort_keys=False)
    loaded = method_of(read_text(words, Path("m.yaml")))
    return CompiledMethod(sized_graph(wired(loaded, ()), loaded, batch=8), seed=0)


@pytest.mark.parametrize(
    ("changes", "is_one"),
    [
        ({}, True),
        ({"flow": {"guess": "judge(stopgrad(f(a).pooled))"}}, True),
        ({"flow": {"guess": "judge(f(a))"}}, False),  # its gradient trains the encoder: labels are in it
        ({"flow": {"guess": "judge(stopgrad(g(f(a))))"}}, False),  # sees what is not exported
        ({"losses": {"online": {"use": "losses.cross_entropy", "of": ["guess", "a.index"]}}}, False),
        ({"targets": {"t": {"ema_of": "f", "momentum": 0.9}}, "flow": {"guess": "judge(t(a))"}, "export": "t"}, True),
        ({"targets": {"t": {"ema_of": "f", "momentum": 0.9}}, "flow": {"guess": "judge(t(a))"}}, False),
    ],
    ids=["behind a stop-gradient", "of an output", "trains the encoder", "of the projector", "no labels",
         "of a target", "of another net"],
)  # fmt: skip
def test_a_classifier_is_one_if_labels_train_it_alone_on_what_is_exported(
    changes: dict[str, Any], is_one: bool
) -> None:
    method = compiled(**BESIDE | changes)
    if is_one:
        assert classifier_of(method) is method.parts["judge"]
    else:
        with pytest.raises(SslgraphError, match="linear_online: the run has trained no classifier beside its method"):
            classifier_of(method)


def test_what_it_tells_is_counted_on_labelled_images() -> None:
    judge = nn.Linear(3, 3, bias=False)
    nn.init.eye_(judge.weight)
    rows = torch.eye(3)[[0, 1, 2, 0, 1]]
    bank = Features(rows, torch.arange(5), torch.tensor([0, 0, 1, 2, 0]))
    found = told(judge, bank, Features(rows, torch.arange(5), torch.tensor([0, 1, 0, -1, 2])))
    assert (found.accuracy, found.chance) == (0.5, 0.5)  # of four with a label two are told, two are class 0
    with pytest.raises(SslgraphError, match="knows 3 classes, and a test image is of class 7"):
        told(judge, bank, Features(rows, torch.arange(5), torch.full((5,), 7)))


def test_it_changes_no_bit_of_the_method_and_stands_in_the_table(tmp_path: Path, sslgraph: Command) -> None:
    for name, changes in (("with", BESIDE), ("without", {})):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(text(**changes), sort_keys=False))
        said = sslgraph("train", str(tmp_path / f"{name}.yaml"), "--out", str(tmp_path / name))
        assert said.code == 0, said.err
    one, other = (
        checkpoint.load(checkpoint.complete(tmp_path / name / "checkpoints")[-1]).method for name in ("with", "without")
    )
    assert all(torch.equal(one[name], other[name]) for name in other) and {name for name in one if name not in other}
    said = sslgraph("evaluate", str(tmp_path / "with"), "--protocol", "linear_online")
    assert said.code == 0, said.err
    row = next(line for line in said.out.splitlines() if line.startswith("linear_online  accuracy"))
    assert row.split().count("-") == 2 and "linear_online: the classifier that the run trained" in said.out
    kept = json.loads((tmp_path / "with/evaluation.json").read_text())
    assert 0 <= kept["trained"]["linear_online"]["accuracy"] <= 1 and kept["random"]["linear_online"] == {}
    said = sslgraph("evaluate", str(tmp_path / "without"), "--protocol", "linear_online")
    assert said.code == 1 and "docs/using.md" in said.err and len(said.err.splitlines()) == 1
    assert not (tmp_path / "without/evaluation.json").exists()
