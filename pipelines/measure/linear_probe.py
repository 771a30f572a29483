"""A linear classifier on frozen features: how much of the labels one matrix can read from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError

from .features import Features

PENALTIES = tuple(10.0**power for power in range(2, -7, -1))
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


@dataclass(frozen=True)
class Probe:
    """Share of the test images classified rightly, and how; everything was chosen on training images alone."""

    accuracy: float
    chance: float  # of always answering the most frequent training label
    chosen: float  # the penalty
    held_out: float  # accuracy of it on the held-out training images
    classes: int


@torch.no_grad()
def linear_probe(train: Features, test: Features) -> Probe:
    """Chooses a penalty on a held-out tenth of the training images, trains with it on all of them, and tests once.

    The cost is mean cross-entropy + penalty / 2 |W|^2. Penalties are walked from the strongest on, until two in a row
    lie more than a standard error below the best. Every feature is brought to mean 0 and variance 1 over the training
    images. Classes are those of the training images.
    """
    x, y = train.labelled()
    unseen, truth = test.labelled()
    if len(x) < 2:
        raise SslgraphError(f"a linear probe holds out some of its labelled training images, and was given {len(x)}")
    x, unseen = _inputs(x, unseen)
    classes, held = int(y.max()) + 1, _held_out(len(x))
    tried, scores = [], list[float]()
    for head in _logistic(x[~held], y[~held], PENALTIES, torch.zeros(x.shape[1], classes)):
        tried.append(head)
        scores.append(_accuracy(head, x[held], y[held]))
        if _falls(scores, int(held.sum())):
            break
    best = max(range(len(scores)), key=scores.__getitem__)
    (head,) = _logistic(x, y, PENALTIES[best : best + 1], tried[best])
    chance = (truth == y.bincount().argmax()).double().mean().item()
    return Probe(_accuracy(head, unseen, truth), chance, PENALTIES[best], scores[best], classes)


def few_labels(train: Features, test: Features, *, share: float) -> Probe:
    """The probe of so large a share of the labelled training images, as many of each class as there are.

    They are drawn once and for all: 1 % lie in the 10 %, and every encoder gets the same ones. At least one image of
    each class is asked for.
    """
    _, labels = train.labelled()
    assert train.labels is not None
    known = (train.labels >= 0).nonzero()[:, 0]
    count = max(round(share * len(labels)), len(labels.unique()))
    return linear_probe(train.of(known[draws.fair(len(labels), count, labels)]), test)


def _inputs(x: Tensor, unseen: Tensor) -> tuple[Rows, Rows]:
    """Both with the mean and the spread of the first, and a 1 behind each row: the last row of a head is the bias."""
    spread, mean = torch.std_mean(x.float(), dim=0, correction=0)
    # A feature that only rounding moves stays small: its spread counts as a millionth of the features' size.
    spread = spread.clamp(min=1e-6 * x.square().mean().sqrt().item() or 1.0)
    one, other = (F.pad(((rows - mean) / spread).float(), (0, 1), value=1.0) for rows in (x, unseen))
    return one, other


def _held_out(count: int) -> Bool[Tensor, "images"]:
    row = draws.keyed(0, 0, torch.zeros(1, dtype=torch.long), draws.stream_of("linear_probe order"))
    chosen = torch.zeros(count, dtype=torch.bool)
    chosen[draws.permutation(row, count)[0][: max(1, count // HELD_OUT)]] = True
    return chosen


def _falls(scores: list[float], images: int) -> bool:
    """Whether the latest scores lie below the best by more than the error that so many images leave."""
    best = max(scores)
    error = math.sqrt(best * (1 - best) / images)
    return len(scores) > FALLS and all(score < best - error for score in scores[-FALLS:])


def _logistic(
    x: Rows, y: Labels, penalties: Sequence[float], start: Float[Tensor, "inputs classes"]
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


def _minus_truth(odds: Float[Tensor, "images classes"], y: Labels) -> Float[Tensor, "images classes"]:
    odds[torch.arange(len(y)), y] -= 1
    return odds


def _accuracy(head: Float[Tensor, "inputs classes"], x: Rows, y: Labels) -> float:
    scores = x @ head
    return 0.0 if not bool(scores.isfinite().all()) else (scores.argmax(1) == y).double().mean().item()
