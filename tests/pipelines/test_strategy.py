"""Weights that are shared out train as whole ones do; what can't be shared out is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.check import examine
from pipelines.setup import settled
from pipelines.verify import verify
from pipelines.verify_work import Verdict, Wish
from sslgraph import catalogue
from sslgraph.errors import SpecError

# A momentum encoder, views by themselves, and a head that is written and so stays whole (LARS: tests/test_sharding.py).
TEXT = """
method: shared
family: other
views: {x1: {augment: simclr, size: 16}, x2: {augment: simclr, size: 16}}
nets:
  f: {use: backbones.vit, preset: nano, patch: 8, drop_path: 0.3}
  q: {use: heads.mlp, hidden: [10], out: 6}
  c: {use: heads.prototypes, out: 5}
targets: {k: {ema_of: f, momentum: 0.9}}
flow:
  y1: f(x1)
  y2: f(x2)
  t1: k(x1)
  a: c(l2(q(y1.pooled)))
  b: c(l2(q(y2.pooled)))
  ta: stopgrad(c(l2(q(t1.pooled))))
losses:
  one: {use: losses.info_nce, of: [a, b]}
  two: {use: losses.info_nce, of: [b, ta]}
after_step: [c.normalize()]
export: f.pooled
"""
RECIPE = """
recipe: shared
method: shared.yaml
data: {use: sources.shapes, images: 64}
steps: 4
batch: 8
optimizer: {use: adamw, lr: 1e-2, weight_decay: 1e-2, clip: {norm: 0.05, per: parameter}}
strategy: fsdp
recompute: [f]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "shared.yaml").write_text(TEXT)
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def verdict(folder: Path) -> Verdict:
    return next(verify([str(folder / "recipe.yaml")], Wish(ranks=(1, 2), resume=True, accumulate=True)))


def test_shared_weights_train_as_whole_ones_and_go_on_with_another_number_of_processes(verdict: Verdict) -> None:
    """One process shares nothing out, so it is the measure: gradients, targets and momenta, in doubles."""
    assert verdict.is_right, str(verdict)
    assert 0 < verdict.worst["gradients, 2 ranks"] < 1e-10
    assert "10 + 10 steps = 20 on 2 ranks: to the last bit" in verdict.lines
    assert {"resume, 1 to 2 ranks", "resume, 2 to 1 ranks"} <= verdict.worst.keys()


@pytest.mark.parametrize(("changes", "problem"), [
    ({"compile": True}, "strategy: fsdp and compile: true can't stand together"),
    ({"recompute": ["g"]}, "recompute: names net 'g', which is not known here"),
    ({"strategy": "fsdp2"}, "strategy"),
])  # fmt: skip
def test_what_can_not_be_is_refused_by_check_and_before_training(
    folder: Path, changes: dict[str, object], problem: str
) -> None:
    text = yaml.safe_load((folder / "recipe.yaml").read_text()) | changes
    file = folder / "wrong.yaml"
    file.write_text(yaml.dump(text))
    for look in (lambda: examine(str(file), fast=True), lambda: settled({"recipe": str(file)})):
        with pytest.raises(SpecError) as wrong:
            look()
        assert problem in str(wrong.value) and "wrong.yaml" in str(wrong.value)


def test_players_are_not_shared_out() -> None:
    with pytest.raises(SpecError, match="can't train nets against each other"):
        examine("demo/context_encoder", fast=True, overrides={"strategy": "fsdp"})


def test_a_net_whose_blocks_write_is_not_computed_twice() -> None:
    from pipelines.setup import prepare

    with pytest.raises(SpecError, match="hold BatchNorm, whose running statistics would be written twice"):
        prepare({"recipe": "demo/simclr", "overrides": {"recompute": ["f"], "data.images": 256}, "out": "unused"})


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in catalogue.names("methods") if n != "context_encoder"])
def test_every_shipped_method_trains_shared_out(name: str) -> None:
    (verdict,) = verify([name], Wish(ranks=(1, 2, 4), resume=True), overrides={"strategy": "fsdp"})
    assert verdict.is_right, str(verdict)
