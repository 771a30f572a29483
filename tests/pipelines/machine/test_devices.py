"""What trains on a processor trains on a GPU: the numbers of doubles on the processor, and the same after a resume.

The processor is tested always, a GPU with `pytest -m gpu`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sslgraph.parts import registry
from sslgraph.pipelines.machine import machine
from sslgraph.pipelines.train import loop
from sslgraph.pipelines.train.start.prepare import prepare
from sslgraph.read.load import load_augmentation
from sslgraph.read.spec import View
from sslgraph.views.views import ViewProgram

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
SMALL = {"data.images": 64, "batch": 8, "steps": 4, "epochs": None, "evaluate": {}, "checkpoint": {}, "monitor": None}
# A queue and a shuffle; bags, a centre and two resolutions; masks and tokens; Sinkhorn; correlation over the batch.
METHODS = {
    "moco_v2": {"state.queue.size": 16},
    "dino": {},
    "mae": {},
    "swav": {"state.queue.size": 16, "state.queue.start_epoch": 0, "nets.c.out": 12},
    "barlow_twins": {},
}


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    _use(monkeypatch, request.param)
    return torch.device(request.param)


def _use(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(machine, "device", lambda _=0: torch.device(name))


def states(method: str, folder: Path, on: str, **changes: Any) -> tuple[list[float], dict[str, Tensor]]:
    """The losses of each step and everything that is kept at the end, in doubles on the host."""
    given = {**SMALL, **METHODS[method], **changes}
    run = prepare({"recipe": f"demo/{method}", "overrides": given, "out": str(folder)})
    assert run.device.type == on
    run.record.tensorboard = False  # a machine with a GPU may lack it
    losses: list[float] = []
    step = run.record.step
    run.record.step = lambda n, found, more: (losses.append(sum(map(float, found.values()))), step(n, found, more))[1]  # type: ignore[method-assign]
    loop.loop(run)
    return losses, {name: value.double().cpu() for name, value in run.method.state_dict().items()}


@pytest.mark.parametrize("method", METHODS)
def test_losses_are_those_of_doubles_on_the_processor(
    method: str, device: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = states(method, tmp_path / "found", device.type, precision="float32")
    _use(monkeypatch, "cpu")
    expected, _ = states(method, tmp_path / "expected", "cpu", precision="float64")
    assert len(found) == len(expected) == 4
    # Floats and doubles part by training's own amplification: the first step is held tightly, the later ones loosely.
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    assert found == pytest.approx(expected, rel=3e-2)


# Of a transformer's attention torch says that only an error could forbid it: the tolerance below allows for it.
@pytest.mark.filterwarnings("ignore:Memory Efficient attention:UserWarning")
@pytest.mark.parametrize("method", METHODS)
def test_two_and_two_steps_are_four(method: str, device: torch.device, tmp_path: Path) -> None:
    changes = {"checkpoint.every": "2 steps", "precision": "float32"}
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        _, expected = states(method, tmp_path / "whole", device.type, **changes)
        last = tmp_path / "whole" / "checkpoints" / "step_00000004"
        (last / "COMPLETE").unlink()
        (tmp_path / "whole" / "summary.json").unlink()
        _, found = states(method, tmp_path / "whole", device.type, **changes)
    finally:
        torch.use_deterministic_algorithms(False)
    for name, value in expected.items():
        if device.type == "cpu":
            assert found[name].equal(value), name
        else:  # some sums of a GPU have no fixed order
            torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("name", "side"), [("simclr", 32), ("byol_a", 224), ("dino_global_b", 64)])
def test_views_are_those_of_the_processor_one_by_one(name: str, side: int, device: torch.device) -> None:
    images, index = registry.build("sources.shapes", {"images": 8}).read(torch.arange(8))
    views = {"x": View(augment=name, copies=2, settings={"size": side})}
    program = ViewProgram.build(views, {name: load_augmentation(name).spec})
    together = program(images.to(device), index, seed=3, epoch=1, device=device)["x.image"].cpu()
    alone = [
        program(images[i : i + 1], index[i : i + 1], seed=3, epoch=1, device=torch.device("cpu"))["x.image"]
        for i in range(8)
    ]
    expected = torch.stack(alone, 1).flatten(0, 1) if together.shape[0] == 16 else torch.cat(alone)
    expected = expected.reshape(together.shape)
    if device.type == "cpu" or side < 96:
        torch.testing.assert_close(together, expected, rtol=0, atol=0 if device.type == "cpu" else 1e-4)
    else:  # large views are made of bytes, and few of them are rounded the other way on a GPU
        apart = (together - expected).abs()
        assert apart.max() < 0.2  # two steps of a byte, made brighter and richer in contrast
        assert apart.mean() < 5e-4
