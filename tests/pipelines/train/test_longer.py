"""Training longer: a new run that begins with the weights of another one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.check.request import request
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.start import starting
from sslgraph.pipelines.train.start.prepare import settled

RECIPE = """
recipe: short
method: simclr
data: {use: sources.shapes, images: 32, test_images: 10, size: 16}
batch: 16
epochs: 1
optimizer: {use: sgd, lr: {warmup: 1 epoch, then: {cosine: [0.1, 0]}}, momentum: 0.9, weight_decay: 0}
monitor: null
set: {nets.f.depth: 10, nets.f.width: 4, nets.f.stem: small, nets.g.hidden: [8], nets.g.out: 4, views.x.size: 16}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("short.yaml").write_text(RECIPE)
    train({"recipe": "short.yaml", "out": "run"})
    return Path("run")


def weights(folder: Path, step: int) -> dict[str, torch.Tensor]:
    return dict(checkpoint.load(folder / "checkpoints" / f"step_{step:08d}").method)


def test_a_longer_run_begins_with_the_weights_and_a_schedule_of_its_own(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = settled(request("run/resolved.yaml", resume="run", epochs=3))
    assert cfg["out"] == str(Path("run-epochs3").resolve())
    summary = train(cfg)
    said = capsys.readouterr().out
    told = f"begins with the weights of {run.resolve()} after step 2; steps, schedules and the optimizer begin anew"
    assert told in said and summary["steps"] == 6
    old, new = weights(run, 2), weights(Path("run-epochs3"), 0)
    assert old.keys() == new.keys() and all(torch.equal(value, new[name]) for name, value in old.items())
    train(settled(request("run-epochs3/resolved.yaml", resume="run-epochs3")))  # over: it does not begin again
    assert "after step 6" in capsys.readouterr().out


def test_a_longer_run_goes_on_without_the_run_that_it_began_with(run: Path) -> None:
    cfg = settled(request("run/resolved.yaml", resume="run", epochs=2))
    train(cfg)
    run.rename("elsewhere")
    assert train(settled(request("run-epochs2/resolved.yaml", resume="run-epochs2")))["steps"] == 4


def test_epochs_alone_change_the_recipe() -> None:
    assert request("demo/simclr", epochs=7)["overrides"] == {"epochs": 7}


def test_what_can_not_be_begun_with_is_refused(run: Path) -> None:
    assert starting.begin_of(str(run / "checkpoints" / "step_00000000")) == run / "checkpoints" / "step_00000000"
    with pytest.raises(SslgraphError, match="nowhere holds no complete checkpoint; give a run folder"):
        starting.begin_of("nowhere")
    cfg = request("short.yaml", overrides={"begin_with": str(run), "nets.g.out": 5}, out="other")
    with pytest.raises(SslgraphError, match=r"the weights in .* do not fit this method"):
        train(cfg)
