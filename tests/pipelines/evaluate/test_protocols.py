"""Named protocols: each gives the figures that it names, and on features that are known, values that are."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.evaluate.by_recipe import published
from sslgraph.pipelines.evaluate.protocols import NAMES, Given, chosen, measures, protocol
from sslgraph.pipelines.measure.features import Features
from sslgraph.pipelines.measure.online import Setting
from sslgraph.pipelines.measure.segmentation import Segmentation

LABELS = torch.arange(400) % 10
TOLD = Segmentation(miou=0.4, pixels=0.7, classes=(0.4, None))


def measured(values: torch.Tensor, seen: torch.Tensor | None = None) -> dict[str, dict[str, Any]]:
    """Every protocol of the same features as training and as test images."""
    rows = Features(values, torch.arange(len(values)), LABELS)
    found: dict[str, dict[str, Any]] = {name: {} for name in NAMES}
    beside = nn.Linear(values.shape[1], 10)
    everything = Given(rows, rows, seen, places=TOLD, classifier=beside)
    for name, given, fault in measures(chosen(NAMES, Setting()), everything):
        assert fault == ""
        found[name] |= given
    for name, values_of in found.items():
        assert set(values_of) >= {figure.key for figure in protocol(name).figures} or seen is None
        assert found["dense_linear"].get("miou") in (0.4, None)
        assert all(math.isfinite(value) for value in values_of.values() if isinstance(value, float))
    return found


def test_codes_of_the_classes_are_perfect_in_all_of_them() -> None:
    codes = F.one_hot(LABELS).float()
    found = measured(codes, codes[:, None].expand(-1, 2, -1) + 1e-3 * torch.randn(400, 2, 10))
    for name in ("knn20", "linear", "labels_1", "labels_10", "kmeans"):
        assert found[name]["accuracy"] == 1, name
    assert found["retrieval"]["map"] == 1 and found["kmeans"]["nmi"] == pytest.approx(1)
    assert found["health"]["rankme"] == pytest.approx(10, rel=1e-3)
    assert found["health"]["align"] == pytest.approx(0, abs=1e-3)
    # Pairs of one class lie at 0, others at 2: 39 and 360 of the 399 others.
    assert found["health"]["uniform"] == pytest.approx(math.log((39 + 360 * math.exp(-4)) / 399), abs=1e-3)


def test_one_vector_for_all_images_is_chance_in_all_of_them_and_health_says_collapse() -> None:
    found = measured(torch.ones(400, 16), torch.ones(400, 2, 16))
    for name in ("knn20", "knn200", "linear", "labels_1", "labels_10", "kmeans"):
        assert (found[name]["accuracy"], found[name]["chance"]) == (pytest.approx(0.1), pytest.approx(0.1)), name
    health = found["health"]
    assert health["rankme"] == pytest.approx(1, abs=1e-3) and health["alpha"] is None and health["lidar"] == 0
    assert (health["align"], health["uniform"]) == (pytest.approx(0, abs=1e-5), pytest.approx(0, abs=1e-5))


def test_noise_is_chance_and_has_nothing_in_common() -> None:
    fixed = torch.Generator().manual_seed(0)
    seen = torch.randn(400, 2, 64, generator=fixed)
    health = measured(seen[:, 0], seen)["health"]
    assert health["align"] == pytest.approx(2, abs=0.05) and health["uniform"] == pytest.approx(-3.875, abs=0.03)


def test_the_default_takes_k_from_the_recipe_and_any_k_has_a_name() -> None:
    assert list(chosen((), Setting(k=7))) == ["knn7", "linear", "health"]
    assert protocol("knn3", 0.1).setting.endswith("weighted by exp(cosine / 0.1)")
    assert protocol("labels_1").setting.startswith("as linear, with the labels of 1% of the training images")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("retreival", "; did you mean retrieval?"),
        ("linear_meo", "; did you mean linear_mae?"),
        ("knn0", "; did you mean knn20?"),
        ("x", ""),
    ],
)
def test_another_name_is_refused_with_those_that_there_are(name: str, hint: str) -> None:
    with pytest.raises(SslgraphError) as refused:
        protocol(name)
    there = ", ".join((*NAMES, *published()))
    assert str(refused.value) == f"there is no protocol '{name}'; there are: {there}, linear:LAYER{hint}"


def test_the_probe_of_a_layer_is_that_of_its_features_and_pixels_have_none() -> None:
    codes = Features(F.one_hot(LABELS).float(), torch.arange(400), LABELS)
    flat = Features(torch.ones(400, 4), torch.arange(400), LABELS)
    asked = chosen(("linear", "linear:layer3"), Setting())
    assert asked["linear:layer3"].layer == "layer3"
    found = {name: values for name, values, _ in measures(asked, Given(flat, flat, layers={"layer3": (codes, codes)}))}
    assert (found["linear"]["accuracy"], found["linear:layer3"]["accuracy"]) == (pytest.approx(0.1), 1)
    assert {name: values for name, values, _ in measures(asked, Given(flat, flat))}["linear:layer3"] == {}


def test_a_step_that_fails_stops_no_other_and_raw_pixels_have_no_views() -> None:
    rows = Features(torch.full((20, 4), torch.nan), torch.arange(20), LABELS[:20])
    asked = chosen(("kmeans", "health"), Setting())
    found = {(name, *values): fault for name, values, fault in measures(asked, Given(rows, rows))}
    assert found["kmeans",].startswith("kmeans: NMI, ARI, accuracy is not measured: the features of 20 of 20 images")
    assert found["health", "lidar"] == ""
    assert list(measures(chosen(("fine_tune",), Setting()), Given(rows, rows))) == [("fine_tune", {}, "")]
