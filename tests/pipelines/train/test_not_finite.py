"""A step that is not finite stops the run before anything moves, is named, and can be seen again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.commands.app import app
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.replay import replay

TINY = {
    "nets.f.width": 4, "nets.g.hidden": [8], "nets.g.out": 8, "views.x.size": 16, "data.images": 32, "batch": 16,
    "evaluate": {}, "precision": "float32", "steps": 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run whose learning rate is far too high, with a checkpoint after each step, and what it said."""
    out = tmp_path_factory.mktemp("run")
    given = {**TINY, "optimizer.lr": 1e18, "checkpoint.every": "1 steps"}
    with pytest.raises(SslgraphError) as said:
        train({"recipe": "simclr", "overrides": given, "out": str(out)})
    return out, str(said.value)


def test_the_message_names_the_step_the_edge_and_what_to_do(stopped: tuple[Path, str]) -> None:
    out, said = stopped
    assert said.startswith(
        "the loss 'contrast' is nan at step 2: first at 'f_x' (f, backbones.resnet), made of x [0, 1]; lower the"
    )
    assert f"sslgraph replay {out}/not_finite_step_00000002" in said
    assert f"the last good checkpoint is {out}/checkpoints/step_00000001" in said


def test_images_text_and_state_are_kept_and_good_checkpoints_stay(stopped: tuple[Path, str]) -> None:
    out, _ = stopped
    folder = out / "not_finite_step_00000002"
    fault = json.loads((folder / "fault.json").read_text())
    assert fault["step"] == 2 and len(set(fault["indices"])) == 16
    assert (folder / "resolved.yaml").read_text() == (out / "resolved.yaml").read_text()
    (state,) = checkpoint.complete(folder / "checkpoints")
    _, good = checkpoint.complete(out / "checkpoints")
    weights, before = checkpoint.load(state).method, checkpoint.load(good).method
    is_same = [
        torch.equal(weights[name], before[name]) for name in before if "running" not in name and "batches" not in name
    ]
    assert all(is_same) and is_same


def test_replay_meets_the_same_value_again(stopped: tuple[Path, str]) -> None:
    out, said = stopped
    seen = replay(out / "not_finite_step_00000002")
    assert seen.found is not None and (seen.step, seen.found.value, seen.found.made_by) == (
        2,
        "f_x",
        "f, backbones.resnet",
    )
    assert str(seen.found) in said
    assert sorted(path.name for path in (out / "not_finite_step_00000002").iterdir()) == [
        "checkpoints", "fault.json", "resolved.yaml",
    ]  # fmt: skip


def test_a_folder_without_such_a_step_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["replay", str(tmp_path)])
    assert isinstance(done.exception, SslgraphError) and "holds no step to replay" in str(done.exception)


def test_the_run_instead_of_its_step_is_told_which_step_there_is(stopped: tuple[Path, str]) -> None:
    with pytest.raises(SslgraphError, match=r"is the run; give its step: sslgraph replay .*not_finite_step_00000002$"):
        replay(stopped[0])


def test_a_loss_that_is_none_at_the_first_step_blames_the_part_and_not_the_rate(tmp_path: Path) -> None:
    given = {**TINY, "losses.contrast.temperature": 1e-40}
    with pytest.raises(SslgraphError) as said:
        train({"recipe": "simclr", "overrides": given, "out": str(tmp_path)})
    assert "at step 1: first at 'contrast' (losses.nt_xent), made of z_views" in str(said.value)
    assert "no step was done before, so it is the part or the images" in str(said.value)
