"""A loss of a user's own, in one Python file, and a method with it, in one YAML file, are treated like shipped ones.

The real commands run in a folder that holds these two files and nothing else. VICReg is what nothing shipped knows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph

from sslgraph.pipelines.check.check import examine
from sslgraph.pipelines.record.diagnosis import remedy
from sslgraph.read.trusted import remember

ROOT = Path(__file__).parent.parent
LOSS = '''
"""VICReg's loss: views agree, each feature varies over the batch, and no two features vary together."""

from jaxtyping import Float
from torch import Tensor, cov, nn
from torch.nn.functional import mse_loss

from sslgraph import collectives
from sslgraph.component import component


@component(
    source="arXiv:2105.04906, equations 1 to 6",
    title="VICReg",
    kind="variance and covariance",
    agrees=("one", "other"),
    repels="features",
    idea="variance and covariance terms",
    spans_batch=True,
    sane={"variance": (1, 100)},
    remedies={"few directions": "raise covariance: 1 is published (arXiv:2105.04906)"},
)
class VicReg(nn.Module):
    """invariance |one - other|^2 + variance max(0, 1 - deviation) + covariance sum_(i != j) C[i, j]^2."""

    def __init__(self, *, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0) -> None:
        super().__init__()
        self.invariance, self.variance, self.covariance = invariance, variance, covariance

    def forward(self, one: Float[Tensor, "batch dim"], other: Float[Tensor, "batch dim"]) -> Float[Tensor, ""]:
        views = [collectives.gather_with_gradient(view) for view in (one, other)]
        tables = [cov(view.T) for view in views]
        flat = sum((1 - (table.diagonal() + 1e-4).sqrt()).relu().mean() for table in tables)
        alike = sum((table.square().sum() - table.diagonal().square().sum()) / len(table) for table in tables)
        return self.invariance * mse_loss(*views) + self.variance * flat + self.covariance * alike
'''
METHOD = """
recipe: VICReg on shapes
method:
  method: My VICReg
  family: redundancy reduction
  views:
    x1: {augment: byol_a, size: 16}
    x2: {augment: byol_b, size: 16}
  nets:
    f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
    g: {use: heads.mlp, hidden: [16], out: 8, norm: batch}
  flow: {z1: g(f(x1)), z2: g(f(x2))}
  losses:
    vicreg: {use: "MODULE:VicReg", of: [z1, z2]}
  export: f
plugins: [MODULE]
data: {use: sources.shapes, images: 64, size: 16}
steps: 2
batch: 16
optimizer: {use: sgd, lr: 0.01, momentum: 0.9, weight_decay: 1e-4}
"""


def written(folder: Path, module: str, *, loss: str = LOSS, is_trusted: bool = True) -> str:
    """The two files; the name of the YAML file. `--plugin` was given before, so that no command needs it."""
    (folder / f"{module}.py").write_text(loss.lstrip())
    if is_trusted:
        remember([(module, folder / f"{module}.py")])
    (folder / "vicreg.yaml").write_text(METHOD.lstrip().replace("MODULE", module))
    return "vicreg.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_own_loss_is_checked_and_linted(folder: Path, sslgraph: Command) -> None:
    name = written(folder, "own_linted")
    plain = sslgraph("check", name)
    assert plain.code == 0 and "SG" not in plain.out
    halved = sslgraph("check", name, "--fast", "--set", "accumulate=2")
    assert "vicreg.yaml:13:13: SG108: 'vicreg' compares the 8 images of a micro-batch" in halved.out
    large = sslgraph("check", name, "--fast", "--set", "losses.vicreg.variance=1000")
    assert "SG106: variance of 'vicreg' is 1000, far from what publications use" in large.out
    assert "choose a value between 1 and 100 (arXiv:2105.04906, equations 1 to 6)" in large.out


@pytest.mark.parametrize(
    ("module", "trait", "instead", "options", "says"),
    [
        ("own_local", "    spans_batch=True,\n", "", ("--set", "accumulate=2"), ""),
        ("own_guarded", '    repels="features",\n', "", (), "SG101: both sides of 'vicreg' are trained"),
    ],
)
def test_the_linter_asks_for_the_trait_and_not_for_the_name(
    folder: Path, sslgraph: Command, module: str, trait: str, instead: str, options: tuple[str, ...], says: str
) -> None:
    name = written(folder, module, loss=LOSS.replace(trait, instead))
    said = sslgraph("check", name, "--fast", *options).out
    assert says in said if says else "SG" not in said


def test_a_misspelt_trait_is_refused_at_its_line(folder: Path, sslgraph: Command) -> None:
    name = written(folder, "own_misspelt", loss=LOSS.replace("spans_batch", "spans_bach"))
    said = sslgraph("check", name)
    assert said.code == 1 and "Traceback" not in said.err
    assert "own_misspelt.py:18:5: @component of VicReg sets the unknown trait 'spans_bach'" in said.err
    assert "did you mean 'spans_batch'?" in said.err


def test_an_own_loss_is_drawn_with_its_title(folder: Path, sslgraph: Command) -> None:
    name = written(folder, "own_drawn")
    assert sslgraph("draw", name, "-o", "own.svg").code == 0
    picture = (folder / "own.svg").read_text()
    assert ">VICReg<" in picture and ">variance and covariance<" in picture


def test_an_own_loss_is_compared_by_what_it_is(folder: Path, sslgraph: Command) -> None:
    name = written(folder, "own_compared", is_trusted=False)
    assert "variance and covariance terms" not in sslgraph("diff", "barlow_twins", name).out  # not allowed: not read
    assert sslgraph("diff", "barlow_twins", name, "--plugin", "own_compared").out.startswith(
        "My VICReg is Barlow Twins with variance and covariance terms in place of redundancy reduction; "
        "by variance and covariance instead of cross-correlation.\n"
    )


def test_an_own_loss_gives_its_own_advice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    examined = examine(written(folder, "own_advice"), fast=True)
    assert remedy(examined.graph, "few directions") == "raise covariance: 1 is published (arXiv:2105.04906)"
    assert "arXiv:2011.10566" in remedy(examined.graph, "collapse")


def test_an_own_loss_is_trained(folder: Path, sslgraph: Command) -> None:
    name = written(folder, "own_trained")
    before = sorted(path.name for path in folder.iterdir())
    said = sslgraph("train", name, "--out", "run")
    assert said.code == 0 and before == ["own_trained.py", "vicreg.yaml"]
    assert (folder / "run" / "resolved.yaml").is_file()


def test_the_value_by_hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images, two features: constant ones cost the whole variance term, whatever the other terms are."""
    written(folder, "own_value")
    monkeypatch.syspath_prepend(str(folder))
    loss = __import__("own_value").VicReg()
    constant = torch.ones(4, 2)
    assert loss(constant, constant) == pytest.approx(2 * 25 * (1 - 0.01))
    far = torch.tensor([[3.0, 0.0], [-3.0, 0.0]])  # variance 18 and 0, covariance 0
    assert loss(far, far) == pytest.approx(2 * 25 * (1 - 0.01) / 2)
    alike = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])  # variance 2, covariance 2
    assert loss(alike, alike) == pytest.approx(2 * 2 * 2**2 / 2)


@pytest.mark.slow
def test_an_own_loss_is_verified_on_two_ranks(folder: Path) -> None:
    name = written(folder, "own_verified")
    command = [sys.executable, "-m", "sslgraph", "verify", name, "--ranks", "1,2"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "vicreg.yaml: equal" in done.stdout and "2 ranks as one" in done.stdout
