"""A linear classifier on frozen features: how much of the labels one matrix can read from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError

from .features import Features

PENALTIES = tuple(10.0**power for power in range(2, -7, -1))
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
HELD_OUT = 10
# Enough for the flat valleys of weak penalties, where rows can be told apart completely.
ITERATIONS = 120
# The loss's second derivative is the inputs' covariance times odds (1 - odds): of ten even classes 0.09.
CURVATURE = 0.09
WIDEST = 4096  # inputs whose covariance is factored; of wider ones that would take longer than it saves
RIDGES = (1e-7, 1e-5, 1e-3, 1e-1)  # added to the curvature, in parts of its mean: what its own rounding leaves
FALLS = 2  # weaker penalties that do clearly worse than the best one end the walk

Rows = Float[Tensor, "images inputs"]
Labels = Int64[Tensor, "images"]
# One matrix a setting of the grid; the last input is the constant 1, and so its row the bias.
Heads = Float[Tensor, "settings inputs classes"]


@dataclass(frozen=True)
class Probe:
    """Share of the test images classified rightly, and how; everything was chosen on training images alone."""

    accuracy: float
    chance: float  # of always answering the most frequent training label
    recipe: str
    chosen: float  # the penalty (logistic) or the learning rate (sgd)
    held_out: float  # accuracy of the chosen setting on the held-out training images
    standardised: bool
    classes: int


@torch.no_grad()
def linear_probe(
    train: Features,
    test: Features,
    *,
    recipe: Literal["logistic", "sgd"] = "logistic",
    standardise: bool = True,
    grid: Sequence[float] | None = None,
    epochs: int = 100,
    batch: int = 256,
    seed: int = 0,
) -> Probe:
    """Chooses a setting on a held-out tenth of the training images, trains with it on all of them, and tests once.

    logistic: mean cross-entropy + penalty / 2 |W|^2 by L-BFGS; the grid is of penalties, walked from the strongest on
    until two in a row lie more than a standard error below the best.
    sgd: momentum 0.9, cosine to 0, zero start, no decay; the grid is of learning rates for 256 images, scaled by
    batch / 256, and all of them train at once. `epochs` and `batch` are its own.

    `standardise` brings every feature to mean 0 and variance 1 over the training images: without it the right rate
    depends on the scale of the features. Classes are those of the training images.
    """
    x, y = train.labelled()
    unseen, truth = test.labelled()
    if len(x) < 2:
        raise SslgraphError(f"a linear probe holds out some of its labelled training images, and was given {len(x)}")
    x, unseen = _inputs(x, unseen, standardise)
    classes, held = int(y.max()) + 1, _held_out(len(x), seed)
    if recipe == "logistic":
        settings, start = sorted(grid or PENALTIES, reverse=True), torch.zeros(x.shape[1], classes)
        heads = _logistic(x[~held], y[~held], settings, start)
    else:
        settings = list(grid or RATES)
        heads = iter(_sgd(x[~held], y[~held], settings, classes, epochs=epochs, batch=batch, seed=seed))
    tried, scores = [], list[float]()
    for head in heads:
        tried.append(head)
        scores.append(_accuracy(head, x[held], y[held]))
        if recipe == "logistic" and _falls(scores, int(held.sum())):
            break
    best = max(range(len(scores)), key=scores.__getitem__)
    if recipe == "logistic":
        (head,) = _logistic(x, y, settings[best : best + 1], tried[best])
    else:
        (head,) = _sgd(x, y, settings[best : best + 1], classes, epochs=epochs, batch=batch, seed=seed)
    return Probe(
        accuracy=_accuracy(head, unseen, truth),
        chance=(truth == y.bincount().argmax()).double().mean().item(),
        recipe=recipe,
        chosen=settings[best],
        held_out=scores[best],
        standardised=standardise,
        classes=classes,
    )


def _inputs(x: Tensor, unseen: Tensor, standardise: bool) -> tuple[Rows, Rows]:
    if standardise:
        spread, mean = torch.std_mean(x.float(), dim=0, correction=0)
        # A feature that only rounding moves stays small: its spread counts as a millionth of the features' size.
        spread = spread.clamp(min=1e-6 * x.square().mean().sqrt().item() or 1.0)
        x, unseen = (x - mean) / spread, (unseen - mean) / spread
    return F.pad(x.float(), (0, 1), value=1.0), F.pad(unseen.float(), (0, 1), value=1.0)


def _held_out(count: int, seed: int) -> Bool[Tensor, "images"]:
    chosen = torch.zeros(count, dtype=torch.bool)
    chosen[_shuffled(count, seed, -1)[: max(1, count // HELD_OUT)]] = True
    return chosen


def _falls(scores: list[float], images: int) -> bool:
    """Whether the latest scores lie below the best by more than the error that so many images leave."""
    best = max(scores)
    error = math.sqrt(best * (1 - best) / images)
    return len(scores) > FALLS and all(score < best - error for score in scores[-FALLS:])


def _logistic(
    x: Rows, y: Labels, penalties: list[float], start: Float[Tensor, "inputs classes"]
) -> Iterator[Float[Tensor, "inputs classes"]]:
    """The minimum for each penalty, from the strongest to the weakest, each begun where the one before ended.

    L-BFGS moves the head times the root of the curvature. Pixels are nearly collinear: in their own coordinates 120
    iterations end far from the minimum of a weak penalty, and in these 30 reach it.
    """
    head, covariance = start.clone(), x.T @ x / len(x) if x.shape[1] <= WIDEST else None
    for penalty in penalties:
        root = None if covariance is None else _root(covariance, penalty)
        moved = head.clone() if root is None else root.T @ head
        solver = torch.optim.LBFGS([moved], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe")

        def cost(penalty: float = penalty, root: Tensor | None = root, moved: Tensor = moved) -> Tensor:
            head.copy_(moved if root is None else torch.linalg.solve_triangular(root.T, moved, upper=True))
            weighted = penalty * F.pad(head[:-1], (0, 0, 0, 1))  # the bias is free
            logs = (x @ head).log_softmax(1)
            slope = torch.addmm(weighted, x.T, _minus_truth(logs.exp(), y), alpha=1 / len(x))
            steep = slope if root is None else torch.linalg.solve_triangular(root, slope, upper=False)
            moved.grad = steep.contiguous()
            return F.nll_loss(logs, y) + 0.5 * (weighted * head).sum()

        solver.step(cost)
        cost()  # the head at the solver's result, and not at the last place that it tried
        yield head.clone()


def _root(covariance: Float[Tensor, "inputs inputs"], penalty: float) -> Float[Tensor, "inputs inputs"] | None:
    """The lower triangle whose square is the curvature, as far as one for all classes goes; None if there is none.

    Images that are all alike leave a covariance that rounding makes indefinite: it is raised until it has a root.
    """
    curvature = CURVATURE * covariance.double()
    curvature.diagonal()[:-1].add_(penalty)
    unit = curvature.diagonal().mean() * torch.eye(len(curvature), dtype=torch.float64)
    for ridge in RIDGES:
        root, fault = torch.linalg.cholesky_ex(curvature + ridge * unit)
        if not fault and bool(root.isfinite().all()):
            return root.float()  # type: ignore[no-any-return]
    return None


def _sgd(x: Rows, y: Labels, rates: list[float], classes: int, *, epochs: int, batch: int, seed: int) -> Heads:
    batch = min(batch, len(x))
    # Rates come last: a softmax over a last axis of ten classes is several times slower than over one before it.
    weights = torch.zeros(x.shape[1], classes, len(rates))
    momentum, rate = torch.zeros_like(weights), torch.tensor(rates) * batch / 256
    steps, rows = len(x) // batch * epochs, torch.arange(batch)
    for step, some in enumerate(_batches(len(x), batch, epochs, seed)):
        odds = (x[some] @ weights.flatten(1)).view(batch, classes, len(rates)).softmax(1)
        odds[rows, y[some]] -= 1
        momentum.mul_(0.9).add_((x[some].T @ odds.flatten(1)).view_as(weights), alpha=1 / batch)
        weights -= 0.5 * (1 + math.cos(math.pi * step / steps)) * rate * momentum
    return weights.permute(2, 0, 1)


def _batches(count: int, batch: int, epochs: int, seed: int) -> Iterator[Int64[Tensor, "batch"]]:
    """Whole batches only, each epoch in an order of its own."""
    for epoch in range(epochs):
        yield from _shuffled(count, seed, epoch)[: count // batch * batch].split(batch)


def _minus_truth(odds: Float[Tensor, "images classes"], y: Labels) -> Float[Tensor, "images classes"]:
    odds[torch.arange(len(y)), y] -= 1
    return odds


def _accuracy(head: Float[Tensor, "inputs classes"], x: Rows, y: Labels) -> float:
    scores = x @ head
    return 0.0 if not bool(scores.isfinite().all()) else (scores.argmax(1) == y).double().mean().item()


def _shuffled(count: int, seed: int, epoch: int) -> Int64[Tensor, "images"]:
    row = draws.keyed(seed, epoch + 1, torch.zeros(1, dtype=torch.long), draws.stream_of("linear_probe order"))
    return draws.permutation(row, count)[0]
