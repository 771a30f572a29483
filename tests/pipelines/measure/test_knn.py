"""Weighted nearest neighbours: by hand, against a slow version, and on features that say nothing."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.measure import knn as module
from sslgraph.pipelines.measure.features import Features
from sslgraph.pipelines.measure.knn import knn


def features(values: Tensor, labels: Tensor | list[int]) -> Features:
    return Features(values, torch.arange(len(values)), torch.as_tensor(labels))


def noise(count: int, dim: int = 16, classes: int = 5, seed: int = 0) -> Features:
    fixed = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=fixed)
    return features(torch.randn(count, dim, generator=fixed) + F.one_hot(labels, dim), labels)


BANK = features(torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]]), [0, 1, 1, 2])


@pytest.mark.parametrize(("temperature", "foretold"), [(0.1, 0), (1.0, 1)])
def test_near_and_many_are_weighed_by_the_temperature(temperature: float, foretold: int) -> None:
    # Similarities 1, 0.8, 0.6 for labels 0, 1, 1: exp(1/T) against exp(0.8/T) + exp(0.6/T).
    assert (math.exp(1 / temperature) > math.exp(0.8 / temperature) + math.exp(0.6 / temperature)) == (foretold == 0)
    query = features(torch.tensor([[2.0, 0.0]]), [foretold])
    assert knn(BANK, query, k=3, temperature=temperature).accuracy == 1


def test_a_class_that_no_neighbour_voted_for_is_none_of_the_five() -> None:
    found = knn(BANK, features(torch.tensor([[2.0, 0.0]]), [1]), k=1, temperature=0.1)
    assert found.top5 == 0 and knn(BANK, features(torch.tensor([[2.0, 0.0]]), [1]), k=2, temperature=0.1).top5 == 1


def test_it_equals_a_slow_version_query_by_query() -> None:
    bank, queries = noise(200), noise(60, seed=1)
    assert bank.labels is not None and queries.labels is not None
    right = 0
    for query, truth in zip(F.normalize(queries.values, dim=1), queries.labels, strict=True):
        similarity = F.normalize(bank.values, dim=1) @ query
        votes = [0.0] * 5
        for i in similarity.argsort(descending=True)[:7]:
            votes[int(bank.labels[i])] += math.exp(similarity[i] / 0.1)
        right += votes.index(max(votes)) == int(truth)
    assert knn(bank, queries, k=7, temperature=0.1).accuracy == right / 60


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = knn(noise(100), noise(37, seed=1))
    monkeypatch.setattr(module, "CHUNK", 250)
    assert knn(noise(100), noise(37, seed=1)) == whole


def test_the_bank_asked_for_itself_with_one_neighbour_is_always_right() -> None:
    found = knn(noise(100), noise(100), k=1)
    assert found.accuracy == found.top5 == 1 and found == knn(noise(100), noise(100), k=1, temperature=0.07)


def test_one_neighbour_does_not_depend_on_the_temperature() -> None:
    assert len({knn(noise(100), noise(50, seed=1), k=1, temperature=t).accuracy for t in (0.001, 0.07, 10.0)}) == 1


@pytest.mark.parametrize("value", [0.0, 1.0, -3e4])
def test_constant_features_vote_with_the_first_of_the_bank(value: float) -> None:
    labels = torch.tensor([3, 1, 1] + [0, 1, 2, 3] * 250)
    bank = features(torch.full((1003, 33), value), labels)
    queries = features(torch.full((400, 33), value), torch.arange(4).repeat(100))
    assert knn(bank, queries, k=1).accuracy == 0.25
    assert knn(bank, features(queries.values[:4], [3] * 4), k=1).accuracy == 1
    assert knn(bank, features(queries.values[:4], [1] * 4), k=3).accuracy == 1


def test_equal_scores_go_to_the_smallest_class_and_ties_to_the_first_images() -> None:
    bank = features(torch.ones(6, 2), [2, 1, 0, 0, 0, 0])
    assert knn(bank, features(torch.ones(1, 2), [1]), k=2).accuracy == 1


def test_the_lowest_temperature_is_finite_and_agrees_with_the_nearest() -> None:
    bank, queries = noise(100), noise(50, seed=1)
    assert knn(bank, queries, k=20, temperature=1e-4).accuracy == knn(bank, queries, k=1).accuracy


def test_a_class_that_the_bank_lacks_is_wrong_and_k_is_at_most_the_bank() -> None:
    found = knn(BANK, features(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), [7, 2]), k=200)
    assert found.accuracy == 0.5 and found.k == 4 and found.classes == 3


def test_chance_is_the_bank_s_most_frequent_label_and_unlabelled_rows_do_not_count() -> None:
    bank = features(torch.eye(4), [0, 0, 1, -1])
    assert knn(bank, features(torch.eye(4)[:3], [0, 1, 1])).chance == pytest.approx(1 / 3)


def test_autocast_around_it_moves_no_neighbour() -> None:
    bank = features(torch.tensor([[1.0, 0.04], [1.0, 0.02]]), [0, 1])  # cosines 0.9992 and 0.9998: 1 in bfloat16
    with torch.autocast("cpu", torch.bfloat16):
        assert knn(bank, features(torch.tensor([[1.0, 0.0]]), [1]), k=1).accuracy == 1


@pytest.mark.parametrize("settings", [{"k": 0}, {"temperature": 0.0}])
def test_settings_without_meaning_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SslgraphError, match="k of 1 or more and a temperature above 0"):
        knn(BANK, BANK, **settings)  # type: ignore[arg-type]
