"""A step of an augmentation may be a part of one's own: an ordinary module of images, and of `draw` if it draws."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import sslgraph
from sslgraph.errors import SpecError, SslgraphError
from sslgraph.pipelines.commands.app import app

PART = '''
from jaxtyping import Float
from torch import Tensor, nn

from sslgraph import draws
from sslgraph.component import component

Images = Float[Tensor, "batch channels height width"]


@component(source="arXiv:1805.09501, table 6: posterize")
class Posterize(nn.Module):
    """Keeps the highest bits of each colour, of some images."""

    def __init__(self, *, bits: int = 4, p: float = 0.2) -> None:
        super().__init__()
        self.levels, self.p = 2**bits, p

    def forward(self, images: Images, draw: draws.Draw) -> Images:
        chosen = draws.uniform(draw, 1)[:, :, None, None] < self.p
        return (images * self.levels).floor().clamp(max=self.levels - 1).div(self.levels - 1).where(chosen, images)


@component(source="a test")
class Half(nn.Module):
    """Half of each image."""

    def forward(self, images: Images) -> Images:
        return images[:, :, ::2]


@component(source="a test")
class Both(nn.Module):
    """No step."""

    def forward(self, images: Images, others: Images) -> Images:
        return images + others
'''
MINE = """
augmentation: mine
steps:
  poster: {use: "own_step_part:Posterize", p: 0.5, bits: 1}
"""
METHOD = """
method: Mine
views: {x: {augment: mine.yaml}}
nets: {f: {use: backbones.resnet, depth: 18, width: 8, stem: small}}
flow: {z: f(x)}
losses: {l: {use: losses.cosine_regression, of: [z, z]}}
export: f
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A method, its augmentation and the module beside them; neither is on Python's path."""
    for name, text in (("own_step_part.py", PART), ("mine.yaml", MINE), ("m.yaml", METHOD)):
        (tmp_path / name).write_text(text.lstrip())
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "own_step_part", raising=False)
    monkeypatch.setenv("SSLGRAPH_CONFIG", str(tmp_path / "config"))
    return tmp_path


def test_an_own_step_draws_by_sample_and_keeps_the_rest_of_the_pipeline(folder: Path) -> None:
    images = torch.randint(0, 256, (16, 3, 8, 8), dtype=torch.uint8)
    method = sslgraph.load(folder / "m.yaml", plugins=("own_step_part",))
    seen = method.views(images, torch.arange(16))["x.image"]
    plain = images.float() / 255
    touched = [not torch.allclose(a, b) for a, b in zip(seen, plain, strict=True)]
    assert 2 < sum(touched) < 14
    for image, source, is_touched in zip(seen, plain, touched, strict=True):
        torch.testing.assert_close(image, (source * 2).floor().clamp(max=1) if is_touched else source)
    alone = method.views(images[5:6], torch.tensor([5]))["x.image"]
    assert torch.equal(alone[0], seen[5])  # as in any batch
    stronger = sslgraph.load(folder / "m.yaml", {"views.x.poster.p": 1.0}, plugins=("own_step_part",))
    assert torch.equal(stronger.views(images, torch.arange(16))["x.image"], (plain * 2).floor().clamp(max=1))


def test_it_runs_only_where_its_module_is_allowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    refused = CliRunner().invoke(app, ["check", "m.yaml"])
    assert refused.exit_code == 1 and "'own_step_part:Posterize' is code from outside the catalogue" in refused.output
    assert CliRunner().invoke(app, ["check", "m.yaml", "--plugin", "own_step_part"]).exit_code == 0


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("Half", r"the step own_step_part:Half makes \[4, 3, 4, 8\] of images \[4, 3, 8, 8\]; keep their shape"),
        ("Both", "own_step_part:Both takes images, others, and a step takes the images alone"),
        ("Posterise", "Posterise"),
    ],
)
def test_a_module_that_is_no_step_is_refused(folder: Path, part: str, said: str) -> None:
    (folder / "mine.yaml").write_text(MINE.lstrip().replace(":Posterize", f":{part}").replace(", p: 0.5, bits: 1", ""))
    with pytest.raises((SpecError, SslgraphError), match=said):
        method = sslgraph.load(folder / "m.yaml", plugins=("own_step_part",))
        method.views(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.arange(4))
