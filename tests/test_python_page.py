"""Every block of docs/python.md runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from PIL import Image

from sslgraph.compile.follow import Follower
from sslgraph.components.sources.shapes import Shapes
from sslgraph.schedules import Clock

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(encoding="utf-8"), re.DOTALL)
FIRST, SWAPPED, LOOP, VALIDATION, RECIPE, MIXED, COMPILED, RANKS, LIGHTNING, TRAINED, EMBEDDED, PLAIN = BLOCKS


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_block(here: Path) -> None:
    exec(FIRST, {})
    assert (here / "byol.pdf").read_bytes().startswith(b"%PDF")


def test_a_loss_is_swapped(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(f"import sslgraph\n{SWAPPED}", names)
    assert capsys.readouterr().out.startswith("Plain BYOL is BYOL by regression instead of cosine distance.\n")
    method = names["method"].spec
    assert method.losses["two"].use == "losses.regression" and method.nets["f"].settings["depth"] == 10


def test_ones_own_loop_and_its_validation_loss() -> None:
    names: dict[str, object] = {}
    exec(LOOP, names)
    model = names["model"]
    before = {name: value.clone() for name, value in model.state_dict().items()}  # type: ignore[attr-defined]
    exec(VALIDATION, names)
    after = model.state_dict()  # type: ignore[attr-defined]
    assert all(value.equal(after[name]) for name, value in before.items())


def test_ones_own_loop_with_a_recipes_optimizer() -> None:
    """tests/pipelines/test_own_loop.py compares it with `sslgraph train`."""
    exec(RECIPE, {})


def test_mixed_precision_with_micro_batches() -> None:
    names: dict[str, Any] = {}
    exec(MIXED, names)
    fresh = names["method"].compile(batch=32)
    assert not torch.equal(names["model"].parts["f"].conv1.weight.cpu(), fresh.parts["f"].conv1.weight)


@pytest.mark.slow
def test_the_step_goes_through_torch_compile() -> None:
    making, loop = MIXED.split("optimizer = ")
    names: dict[str, Any] = {}
    exec(f"{making}\n{COMPILED}\noptimizer = {loop}", names)
    assert names["model"].training_program.compiled == "once" and names["step"] == 1


def test_the_loop_on_two_processes(here: Path) -> None:
    (here / "loop.py").write_text(RANKS)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "loop.py"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.filterwarnings("ignore")  # Lightning's own
@pytest.mark.parametrize(
    ("words", "ticks"),
    [({}, 2), ({"accumulate_grad_batches": 2}, 2), ({"accumulate_grad_batches": 2, "precision": "bf16-mixed"}, 2)],
    ids=["as it stands", "accumulated", "in bfloat16"],
)
def test_inside_a_lightning_module(words: dict[str, object], ticks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets follow once a step, after its last micro-batch."""
    followed: list[int] = []
    follow = Follower.follow

    def counted(follower: Follower, step: int, clock: Clock) -> None:
        followed.append(step)
        follow(follower, step, clock)

    monkeypatch.setattr(Follower, "follow", counted)
    block = LIGHTNING.replace("batch_size=32", "batch_size=16") if words else LIGHTNING
    exec(block.replace("logger=False", "logger=False, **words"), {"__name__": "block", "words": words})
    assert followed == [step for step in range(ticks) for _ in range(2)]  # byol has two targets


def test_a_recipe_is_trained_and_its_encoder_used(here: Path) -> None:
    names: dict[str, Any] = {}
    exec(TRAINED, names)
    assert (here / "exported/model.safetensors").is_file() and names["run"].metrics
    (here / "photos").mkdir()
    images, _ = Shapes(images=3).read(__import__("torch").arange(3))
    for i, image in enumerate(images):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(here / "photos" / f"{i}.png")
    exec(EMBEDDED, names)
    features = names["features"]
    assert features.values.shape[0] == 3 and features.values.isfinite().all()


def test_plain_weights_are_those_of_timm() -> None:
    exec(PLAIN, {})


@pytest.mark.filterwarnings("ignore")  # Jupyter's own
def test_a_notebook_shows_the_picture() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("import sslgraph\nmethod = sslgraph.load('demo/simsiam')\nmethod")]
    )
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    (shown,) = notebook.cells[0].outputs
    assert shown["data"]["image/svg+xml"].startswith("<svg") and "SimSiam" in shown["data"]["text/plain"]
