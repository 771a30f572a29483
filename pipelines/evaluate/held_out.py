"""A run's own losses on test images, and how far they are below chance: for contrast, a bound on shared information."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from sslgraph.errors import SslgraphError
from sslgraph.read.load import load_recipe
from sslgraph.views.views import clocked

from ..check import check
from ..feed.feed import reader
from ..feed.open_source import images_of
from ..machine import machine
from ..measure.told import Tally, Told, ports
from ..storage import checkpoint
from ..train.start import labelled
from .restored import newest, opened

EPOCHS = 2  # draws of the views of each image


@dataclass(frozen=True)
class HeldOut:
    """The mean of a loss over batches of test images, times its weight, and its value by chance where it has one.

    `told` is there for a loss that compares scores with class numbers.

    For losses.nt_xent and losses.info_nce, chance - loss in nats is InfoNCE's lower bound of the mutual information of
    the views (arXiv:1807.03748, section 2.3); it can't be more than chance, the log of the number of choices.
    """

    loss: float
    chance: float | None
    told: Told | None = None

    @property
    def bound(self) -> float | None:
        """How far below chance the loss is; None where chance is not known."""
        return None if self.chance is None else self.chance - self.loss


@torch.no_grad()
def held_out(run: Path, *, plugins: tuple[str, ...] = ()) -> dict[str, HeldOut]:
    """Each loss of the newest checkpoint, in eval mode, on the views of training and whole batches of its size.

    Of fewer test images than one batch all are one, unless a loss compares the images of a batch: SslgraphError.
    """
    machine.use()
    saved, device = newest(run), machine.device()
    loaded = load_recipe(str(saved / checkpoint.TEXT))
    recipe, allowed = loaded.spec, check.allowed_in(loaded, plugins)
    found = opened(run, saved, device=device, plugins=plugins)
    source = images_of(recipe.data, "test", allowed)
    method, read = found.method.eval(), reader(source, device)
    size = recipe.batch
    if not any(method.graph.boxes[loss.name].traits.spans_batch for loss in method.graph.training.losses):
        size = min(size, len(source))
    whole = len(source) // size
    if not whole:
        raise SslgraphError(
            f"{run}: losses are measured on batches of {size} images, and there are {len(source)} test images; "
            "give more of them or train with a smaller batch"
        )
    asked = ports(method)
    scored = method.training_program.only([*dict.fromkeys(name for pair in asked.values() for name in pair)])
    tallies = {name: Tally() for name in asked}
    maps, told = labelled.maps(method, source), dict[str, list[float]]()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(source), generator=torch.Generator().manual_seed(epoch))
        for rows in order[: whole * size].view(whole, size):
            images, index = read(rows.sort().values)
            batch = clocked(
                found.views, images, index, seed=recipe.seed, epoch=epoch, step=found.step, device=device,
                labels=source.labels, maps=None if maps is None else maps(index),
            )  # fmt: skip
            for name, loss in method(batch).losses.items():
                told.setdefault(name, []).append(float(loss))
            out = scored(batch) if asked else {}
            for name, (scores, labels) in asked.items():
                tallies[name].add(out[scores], out[labels])
    marks = method.landmarks
    return {
        name: HeldOut(
            sum(some) / len(some), marks.get(name, {}).get("chance"), tallies[name].told() if name in tallies else None
        )
        for name, some in told.items()
    }
