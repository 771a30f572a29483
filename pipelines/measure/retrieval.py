"""Retrieval: how high images of a query's class rank when all are sorted by similarity to it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from sslgraph import draws
from sslgraph.errors import SslgraphError

from .features import Features
from .knn import GRID

QUERIES = 2_000
CHUNK = 5_000_000  # similarities held at a time


@dataclass(frozen=True)
class Retrieved:
    """Mean average precision over the queries, and what a ranking by chance gives: the mean share of their class."""

    map: float
    chance: float
    queries: int
    bank: int


@torch.no_grad()
def retrieval(bank: Features, queries: Features) -> Retrieved:
    """Each query ranks the whole bank by cosine; its average precision is over the ranks of its class's images.

        AP  =  mean over the relevant images of (relevant images up to its rank) / rank

    Of equally near images the first in the bank is nearer. At most 2,000 queries, drawn fairly; a query whose class is
    not in the bank has no average precision and is left out.
    """
    values, labels = bank.labelled()
    asked, truth = queries.labelled()
    is_there = torch.isin(truth, labels)
    asked, truth = asked[is_there], truth[is_there]
    if not len(truth):
        raise SslgraphError("retrieval needs test images of a class that training images have, and there are none")
    chosen = draws.fair(len(truth), QUERIES, truth)
    values = F.normalize(values.float(), dim=1)
    asked, truth = F.normalize(asked[chosen].float(), dim=1), truth[chosen]
    rank = torch.arange(1, len(values) + 1, dtype=torch.float64)
    total, share = 0.0, 0.0
    size = max(1, CHUNK // len(values))
    for some, classes in zip(asked.split(size), truth.split(size), strict=True):
        likeness = (some @ values.T).mul_(GRID).round_()
        order = likeness.argsort(dim=1, descending=True, stable=True)
        hits = (labels[order] == classes[:, None]).double()
        relevant = hits.sum(1)
        total += float((hits * hits.cumsum(1) / rank).sum(1).div(relevant).sum())
        share += float(relevant.sum()) / len(values)
    return Retrieved(total / len(truth), share / len(truth), len(truth), len(values))
