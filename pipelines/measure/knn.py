"""Weighted nearest neighbours: how well the labels of similar images predict an image's label. Trains nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from sslgraph.errors import SslgraphError

from .features import Features

# Similarities held at a time.
CHUNK = 5_000_000
# Similarities are compared on this grid, so that equal images tie however a matrix product was blocked.
GRID = 2.0**20


@dataclass(frozen=True)
class Neighbours:
    """Shares of the queries whose label has the highest score, and one of the five highest.

    `chance` is the share that always answering the bank's most frequent label would reach.
    """

    accuracy: float
    top5: float
    chance: float
    k: int
    temperature: float
    classes: int


@torch.no_grad()
def knn(bank: Features, queries: Features, *, k: int = 20, temperature: float = 0.07) -> Neighbours:
    """Each query asks its k nearest bank images (cosine), which vote for their labels (arXiv:1805.01978, section 3.4).

        score of class c  =  sum over the k nearest i with label c of  exp(similarity_i / temperature)

    Of equally near images the first in the bank is nearer, of equal scores the smallest class wins. Classes are the
    bank's; a query of another class counts as wrong. k is at most the size of the bank.
    """
    if k < 1 or temperature <= 0:
        raise SslgraphError(f"kNN needs k of 1 or more and a temperature above 0, and was given {k} and {temperature}")
    values, labels = bank.labelled()
    asked, truth = queries.labelled()
    k, classes = min(k, len(values)), int(labels.max()) + 1
    values, asked = F.normalize(values.float(), dim=1), F.normalize(asked.float(), dim=1)
    chunks = asked.split(max(1, CHUNK // len(values)))
    with torch.autocast(values.device.type, enabled=False):  # in bfloat16 near neighbours change places
        scores = torch.cat([_votes(chunk @ values.T, labels, k, temperature, classes) for chunk in chunks])
    ranked = scores.argsort(dim=1, descending=True, stable=True)[:, :5]
    hits = (ranked == truth[:, None]) & (scores.gather(1, ranked) > 0)  # a class without a vote is no answer
    frequent = labels.bincount().argmax()
    return Neighbours(
        accuracy=_share(hits[:, 0]),
        top5=_share(hits.any(1)),
        chance=_share(truth == frequent),
        k=k,
        temperature=temperature,
        classes=classes,
    )


def _votes(
    similarity: Float[Tensor, "queries bank"], labels: Int64[Tensor, "bank"], k: int, temperature: float, classes: int
) -> Float[Tensor, "queries classes"]:
    similarity = similarity.mul_(GRID).round_().div_(GRID)
    near = _nearest(similarity, k)
    found = similarity.gather(1, near).double()
    # Relative to the nearest one: exp(1 / 0.01) has no float.
    weight = ((found - found.amax(1, keepdim=True)) / temperature).exp()
    return weight.new_zeros(len(near), classes).scatter_add_(1, labels[near], weight)


def _nearest(similarity: Float[Tensor, "queries bank"], k: int) -> Int64[Tensor, "queries k"]:
    """The k most similar of each row by index; where the last place is tied, the smallest indices get it."""
    near = similarity.topk(k, dim=1)
    last = near.values[:, -1:]
    found, tied = near.indices, (similarity >= last).sum(1) > k
    if bool(tied.any()):
        found[tied] = _by_place(similarity[tied], last[tied], k)
    return found.sort(dim=1).values


def _by_place(
    similarity: Float[Tensor, "queries bank"], last: Float[Tensor, "queries 1"], k: int
) -> Int64[Tensor, "queries k"]:
    nearer, equal = similarity > last, similarity == last
    free = k - nearer.sum(1, keepdim=True)
    chosen = nearer | (equal & (equal.cumsum(1) <= free))
    return chosen.nonzero()[:, 1].view(-1, k)


def _share(right: Bool[Tensor, "queries"]) -> float:
    return right.double().mean().item()
