"""Segmentation on frozen features: a linear classifier of places, and classes of the most similar places."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int16, Int64
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError

PENALTY = 1e-4  # on the squared weights of whitened features
ITERATIONS = 100
SMALLEST = 1e-6  # variances are counted as at least this share of the largest
BANK = 10_000  # places that retrieval looks among
NEAREST, TEMPERATURE = 30, 0.02  # of Hummingbird (arXiv:2306.01667, section 4)
CHUNK = 20_000_000  # similarities held at a time

Counts = Int64[Tensor, "classes classes"]
Scores = Float[Tensor, "classes rows columns"]
Scorer = Callable[[Float[Tensor, "dim rows columns"]], Scores]


@dataclass(frozen=True)
class Segmentation:
    """How well classes of pixels are predicted, over all pixels of all images at once.

    miou: the mean over classes of pixels of both / pixels of either, of classes that are there or are predicted.
    pixels: share of the labelled pixels predicted right.
    classes: intersection over union of each class; None for one that is neither there nor predicted.
    """

    miou: float
    pixels: float
    classes: tuple[float | None, ...]


def shares(truth: Int64[Tensor, "height width"], classes: int, size: tuple[int, int]) -> Scores:
    """For each place of a grid the share of its pixels that are of each class; pixels without a label (-1) of none."""
    return F.adaptive_avg_pool2d((truth == torch.arange(classes)[:, None, None]).float(), size)


def counts(scores: Scores, truth: Int64[Tensor, "height width"]) -> Counts:
    """Counts pixels by class and predicted class, which has the highest score, interpolated to the size of `truth`."""
    classes = len(scores)
    there = truth >= 0
    told = F.interpolate(scores[None], truth.shape, mode="bilinear")[0].max(0).indices  # argmax is ten times slower
    return torch.bincount(truth[there] * classes + told[there], minlength=classes**2).view(classes, classes)


def figures(found: Counts) -> Segmentation:
    """The figures of all pixels that were counted."""
    both, either = found.diagonal(), found.sum(0) + found.sum(1) - found.diagonal()
    if not bool(either.any()):
        raise SslgraphError("no pixel of the test images has a label: there is nothing to compare")
    each = [int(b) / int(e) if e else None for b, e in zip(both, either, strict=True)]
    known = [value for value in each if value is not None]
    return Segmentation(sum(known) / len(known), int(both.sum()) / int(found.sum()), tuple(each))


def judged(
    scorer: Scorer, seen: Iterable[tuple[Float[Tensor, "dim rows columns"], Int16[Tensor, "height width"]]]
) -> Segmentation:
    """The figures of what `scorer` tells of the places of each image."""
    found = sum(counts(scorer(places), truth.long()) for places, truth in seen)
    assert isinstance(found, Tensor)
    return figures(found)


def always(class_: int, classes: int) -> Scorer:
    """Tells one class, whatever it sees."""
    scores = F.one_hot(torch.tensor(class_), classes).float()
    return lambda places: scores[:, None, None].expand(-1, *places.shape[1:])


@torch.no_grad()
def linear(places: Float[Tensor, "places dim"], truth: Float[Tensor, "places classes"]) -> Scorer:
    """A linear classifier of places: for each pixel the cross-entropy of its place, by L-BFGS.

    A place counts as its labelled share does; each pixel is one of a place, so the sum is that over all pixels. The
    features are whitened: then a weak penalty is all that has to be chosen.
    """
    mean = places.mean(0)
    values, vectors = torch.linalg.eigh((places - mean).double().T.cov(correction=0))
    if not bool(values[-1] > 0):
        values = torch.ones_like(values)  # all places look the same: only the bias learns
    whiten = (vectors * values.clamp(min=SMALLEST * float(values[-1])).rsqrt()).float()
    x, total = (places - mean) @ whiten, truth.sum()
    weight, bias = torch.zeros(x.shape[1], truth.shape[1]), torch.zeros(truth.shape[1])
    solver = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe")
    labelled = truth.sum(1, keepdim=True)

    def cost() -> Tensor:
        logs = torch.addmm(bias, x, weight).log_softmax(1)
        slope = (logs.exp() * labelled - truth) / total
        weight.grad, bias.grad = x.T @ slope + PENALTY * weight, slope.sum(0)
        return -(truth * logs).sum() / total + 0.5 * PENALTY * weight.square().sum()

    solver.step(cost)

    def scores(seen: Float[Tensor, "dim rows columns"]) -> Scores:
        rows: Tensor = (seen.flatten(1).T - mean) @ whiten @ weight + bias
        told: Scores = rows.T.unflatten(1, seen.shape[1:])
        return told

    return scores


def retrieval(places: Float[Tensor, "places dim"], truth: Float[Tensor, "places classes"]) -> Scorer:
    """Each place takes the classes of the 30 places that are most like it (cosine), weighted by exp(similarity / 0.02).

    Nothing is trained. It looks among at most 10,000 places, drawn fairly from those that have a label.
    """
    known = torch.nonzero(truth.sum(1) > 0.5)[:, 0]
    known = known[draws.fair(len(known), BANK)]
    bank, classes = F.normalize(places[known], dim=1), truth[known]

    def scores(seen: Float[Tensor, "dim rows columns"]) -> Scores:
        asked = F.normalize(seen.flatten(1).T, dim=1)
        found = []
        for some in asked.split(max(1, CHUNK // len(bank))):
            near = (some @ bank.T).topk(min(NEAREST, len(bank)), dim=1)
            weights = (near.values / TEMPERATURE).softmax(1)
            found.append((weights[..., None] * classes[near.indices]).sum(1))
        told: Scores = torch.cat(found).T.unflatten(1, seen.shape[1:])
        return told

    return scores
