"""A method and a feed as small as the contract allows, for tests of what runs them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from rich.console import Console
from torch import Tensor, nn

from sslgraph import collectives
from sslgraph.errors import SslgraphError, StorageError
from sslgraph.pipelines.optimize.optimizer import Optimizer
from sslgraph.pipelines.record.display import Display
from sslgraph.pipelines.record.record import Record
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train.run import Run
from sslgraph.schedules import Clock

IMAGES, BATCH = 48, 8
PIXELS = torch.linspace(-1, 1, IMAGES * 3).sin().reshape(IMAGES, 3) * 2
CLOCK = Clock(steps_per_epoch=IMAGES // BATCH, total_steps=20)


class ToyMethod(nn.Module):
    """A net whose batch mean follows a target, a queue of one, dropout from the global generator; nothing else."""

    def __init__(self, *, game: bool = False, phase_every: int = 0, bad_step: int = -1, noise: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
        self.parts = nn.ModuleDict({"f": net, "g": nn.Linear(2, 2)})
        self.register_buffer("last", torch.zeros(2))
        self.freezes: dict[str, Any] = {}
        self.programs = {"cluster": SimpleNamespace(inputs=["x.image", "clock"])}
        self.game, self.phase_every, self.bad_step, self.noise = game, phase_every, bad_step, noise
        self.seen: list[tuple[str, int]] = []

    def begin(self, step: int, clock: Clock) -> None:
        self.factor, self.now, self.left = 1 + step / clock.total_steps, step, 1 - step / clock.total_steps

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        h = self.parts["f"](batch["x.image"])
        noise = torch.rand(()) if self.training and self.noise else 0.0
        bad = float("nan") if self.now == self.bad_step else 0.0
        follow = (self.parts["g"](h) - self.last).square().mean() * self.factor
        losses = {"follow": follow + bad, "spread": (h.square() - 1).square().mean() + noise}
        return losses, {"mean": h.detach().mean(0)}

    def player_losses(self, losses: Mapping[str, Tensor]) -> list[tuple[Tensor, list[nn.Parameter]]]:
        f, g = list(self.parts["f"].parameters()), list(self.parts["g"].parameters())
        if self.game:
            return [(losses["spread"], f), (losses["follow"], g)]
        return [(losses["follow"] + losses["spread"], f + g)]

    def tick(self, writes: list[dict[str, Tensor]]) -> None:
        mean = collectives.all_sum(torch.stack([each["mean"] for each in writes]).mean(0)) / collectives.ranks()
        self.last.copy_(mean * self.left)

    def encoder(self) -> nn.Module:
        return self.parts["f"]

    def due_phases(self, step: int, clock: Clock) -> tuple[str, ...]:  # noqa: ARG002
        return ("cluster",) if self.phase_every and step % self.phase_every == 0 else ()

    def run_phase(self, name: str, batches: Iterable[Mapping[str, Tensor]]) -> frozenset[str]:
        with torch.no_grad():
            rows = torch.cat([self.parts["f"](batch["x.image"]) for batch in batches])
        self.seen.append((name, len(rows)))
        self.parts["g"].load_state_dict({"weight": torch.eye(2), "bias": rows.mean(0)})
        return frozenset({"g"})

    def sample_labels(self) -> Tensor | None:
        return torch.arange(IMAGES) % 2 if self.phase_every else None


class ToyFeed:
    """The images in an order of each epoch's own, cut into ranks and micro-batches."""

    def __init__(self, accumulate: int = 1) -> None:
        self.accumulate, self.labels, self.asked = accumulate, None, []
        self.dies_at, self.folder = 0, Path()

    def batches(self, start: int, stop: int) -> Iterator[list[dict[str, Tensor]]]:
        self.asked.append((start, stop))
        for step in range(start, stop):
            if step == self.dies_at > 0:
                os._exit(9)
            epoch, place = divmod(step, CLOCK.steps_per_epoch)
            order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(epoch))
            index = order[place * BATCH : (place + 1) * BATCH].chunk(collectives.ranks())[collectives.rank()]
            yield [{"x.image": PIXELS[piece]} for piece in index.chunk(self.accumulate)]

    def sweep(self, step: int, views: frozenset[str]) -> Iterator[dict[str, Tensor]]:
        assert views == {"x"} and step % 6 == 0
        return iter([{"x.image": PIXELS[:30]}, {"x.image": PIXELS[30:]}])

    def balance(self, labels: Tensor | None) -> None:
        self.labels = labels


def knn(encoder: nn.Module) -> dict[str, float]:
    assert not encoder.training and not torch.is_grad_enabled()
    return {"knn": encoder(PIXELS).square().mean().clamp(max=1).item()}


def toy_run(folder: Path, *, accumulate: int = 1, total_steps: int = 20, optimizer: Any = None, **changes: Any) -> Run:
    method: Any = changes.pop("method", None) or ToyMethod()  # for a CompiledMethod
    clock = Clock(CLOCK.steps_per_epoch, total_steps)
    recipe = optimizer or {"use": "sgd", "lr": {"cosine": [0.2, 0]}, "momentum": 0.9, "weight_decay": 1e-3}
    out = changes.pop("out", None)
    display = Display(total_steps=total_steps, console=Console(file=out, quiet=out is None, soft_wrap=True))
    return Run(
        folder=folder, text="method: toy\n", seed=0, method=method, model=method,
        optimizer=Optimizer(method, recipe, batch=BATCH, clock=clock), feed=ToyFeed(accumulate),
        record=Record(folder, display=display, batch=BATCH, every=4, tensorboard=False),
        clock=clock, device=torch.device("cpu"), evaluate=knn, **changes,
    )  # fmt: skip


def toy_body(cfg: Mapping[str, Any], report: Any = None) -> dict[str, Any]:
    """What `train` is to a recipe, for the toy: under a name, so that other processes find it."""
    from sslgraph.pipelines.machine.strategy import distributed
    from sslgraph.pipelines.train.loop import loop

    settings = dict(cfg["overrides"])
    fault, dies_at = settings.pop("fault", ""), settings.pop("dies_at", 0)
    if fault:
        raise SslgraphError(fault)
    if away := settings.pop("away", ""):
        raise StorageError(away)
    method = ToyMethod(game=settings.pop("game", False), phase_every=settings.pop("phase_every", 0), noise=False)
    run = toy_run(Path(cfg["out"]), method=method, checkpoint_every=4, report=report, **settings)
    if collectives.ranks() > 1 and not method.game:
        phases, accumulate = bool(method.phase_every), run.feed.accumulate
        run.model = distributed(method, accumulate=accumulate, has_phases=phases, device=run.device)
        run.optimizer.averaged_elsewhere = True
    if dies_at and collectives.rank() == 1 and not checkpoint.complete(run.checkpoints):
        run.feed.dies_at = dies_at
    return {**loop(run), "ranks": collectives.ranks(), "threads": torch.get_num_threads()}
