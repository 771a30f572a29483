"""A probe with few labels: which images it uses, and that it needs no more than one of each class."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from test_knn import features

from sslgraph.pipelines.measure import linear_probe as module
from sslgraph.pipelines.measure.features import Features
from sslgraph.pipelines.measure.linear_probe import Probe, few_labels, linear_probe

LABELS = torch.arange(400) % 4
CODES = features(F.one_hot(LABELS, 8).float(), LABELS)


def test_the_labels_are_as_many_of_each_class_and_one_per_cent_lies_in_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Features] = []

    def probe(train: Features, test: Features) -> Probe:
        seen.append(train)
        return linear_probe(train, test)

    monkeypatch.setattr(module, "linear_probe", probe)
    hidden = Features(CODES.values, CODES.index, torch.where(CODES.index < 40, -1, LABELS))
    for share in (0.01, 0.1):
        few_labels(hidden, CODES, share=share)
    one, ten = seen
    assert one.labels is not None and ten.labels is not None
    assert one.labels.bincount().tolist() == [1] * 4 and ten.labels.bincount().tolist() == [9] * 4
    assert set(one.index.tolist()) <= set(ten.index.tolist()) and ten.index.min() >= 40


def test_codes_of_the_classes_need_few_labels_and_constants_never_learn() -> None:
    assert few_labels(CODES, CODES, share=0.1).accuracy == 1
    assert few_labels(features(torch.ones(400, 8), LABELS), CODES, share=0.1).accuracy == 0.25
