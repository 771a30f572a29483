"""Mean average precision by hand, against scikit-learn's, and on features that say nothing."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import average_precision_score
from test_knn import features, noise

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure import retrieval as module
from sslgraph.pipelines.measure.retrieval import retrieval


def test_one_query_by_hand() -> None:
    bank = features(torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [0.8, 0.6]]), [1, 1, 1, 0])
    found = retrieval(bank, features(torch.tensor([[3.0, 0.0]]), [1]))  # ranks: 1, of another class, 3, 4
    assert found.map == pytest.approx((1 + 2 / 3 + 3 / 4) / 3) and found.chance == 0.75


def test_it_is_the_mean_of_scikit_learns_and_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, queries = noise(150), noise(40, seed=1)
    assert bank.labels is not None and queries.labels is not None
    likeness = F.normalize(queries.values, dim=1) @ F.normalize(bank.values, dim=1).T
    each = [
        average_precision_score(bank.labels == truth, row) for row, truth in zip(likeness, queries.labels, strict=True)
    ]
    found = retrieval(bank, queries)
    assert found.map == pytest.approx(sum(each) / 40, abs=1e-4) and found.queries == 40
    monkeypatch.setattr(module, "CHUNK", 700)
    assert retrieval(bank, queries).map == pytest.approx(found.map, abs=1e-12)


def test_constant_features_rank_by_place_and_codes_of_the_classes_are_perfect() -> None:
    labels = torch.arange(1_000) % 10
    perfect = features(F.one_hot(labels).float(), labels)
    assert retrieval(perfect, perfect).map == 1
    constant = features(torch.ones(1_000, 4), labels)
    by_place = sum((i + 1) / (10 * i + c + 1) for c in range(10) for i in range(100)) / 1_000
    found = retrieval(constant, constant)
    assert found.map == pytest.approx(by_place) and found.chance == pytest.approx(0.1)


def test_a_query_of_a_class_that_the_bank_has_not_is_left_out() -> None:
    bank = features(torch.eye(3), [0, 0, 1])
    assert retrieval(bank, features(torch.eye(3), [0, 5, 1])).queries == 2
    with pytest.raises(SslgraphError, match="of a class that training images have, and there are none"):
        retrieval(bank, features(torch.eye(3), [5, 6, 7]))
