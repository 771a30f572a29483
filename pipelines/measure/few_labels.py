"""A linear probe with the labels of few training images."""

from __future__ import annotations

from sslgraph import draws

from .features import Features
from .linear_probe import Probe, linear_probe


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
