"""Patterns: a function of (seed, split, index); fields by hand; crops show what the whole shows."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.sources.patterns import APART, FIELDS, PATTERNS, Patterns
from sslgraph.errors import SslgraphError

SOME = torch.tensor([0, 5, 199])


def test_an_image_is_the_same_whatever_is_read_with_it() -> None:
    together, _ = Patterns(images=200).read(SOME)
    for row, i in enumerate(SOME):
        assert torch.equal(Patterns(images=200).render(i[None])[0], together[row])
    assert together.dtype == torch.uint8 and together.shape == (3, 3, 40, 40)


def test_train_and_test_and_seeds_share_no_image() -> None:
    sets = [Patterns(images=30), Patterns(split="test", test_images=30), Patterns(images=30, seed=1)]
    everything = torch.cat([source.read(torch.arange(30))[0] for source in sets])
    assert len(everything.flatten(1).unique(dim=0)) == 90


def test_labels_are_balanced_and_a_limit_keeps_images_of_every_pattern() -> None:
    source = Patterns()
    assert source.classes == PATTERNS and (source.labels.bincount() - 1000).abs().max() < 5 * 30
    assert sorted(Patterns(images=200, limit=10).labels.tolist()) == list(range(10))


@pytest.mark.parametrize(
    ("name", "points", "expected"),
    [
        ("stripes", [(0.2, 0.9), (0.7, 0.1), (-0.8, 0.0)], [1, 0, 1]),
        ("checks", [(0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (-0.5, 0.5)], [0, 1, 0, 1]),
        ("dots", [(0.5, 0.5), (1.5, 2.5), (0.0, 0.5)], [1, 1, 0]),
        ("grid", [(0.1, 0.5), (0.5, 0.1), (0.5, 0.5)], [1, 1, 0]),
        ("bricks", [(0.1, 0.5), (1.1, 0.5), (1.1, 1.5), (0.5, 0.1)], [1, 0, 1, 1]),
        ("waves", [(0.1, 0.25), (0.2, 0.25), (0.1, 0.0)], [1, 0, 1]),
        ("rings", [(0.3, 0.0), (0.0, 0.7), (0.9, 1.2)], [1, 0, 0]),
        ("zigzag", [(0.1, 0.5), (0.1, 0.0), (0.6, 0.0)], [1, 1, 0]),
        ("plaid", [(0.2, 0.2), (0.2, 0.7), (0.7, 0.7)], [1, 0.5, 0]),
    ],
)
def test_fields_by_hand(name: str, points: list[tuple[float, float]], expected: list[float]) -> None:
    u, v = torch.tensor(points).T[:, None]
    assert FIELDS[name](u, v)[0].tolist() == expected


def test_both_colours_of_an_image_can_be_told_apart_in_grey() -> None:
    first, second = Patterns()._colours(torch.arange(2000))
    assert (first.mean(1) - second.mean(1)).abs().min() > APART / 2
    assert min(first.min(), second.min()) >= 0 and max(first.max(), second.max()) <= 1


def test_every_quarter_of_an_image_shows_the_pattern() -> None:
    pixels, _ = Patterns(images=200).read(torch.arange(200))
    quarters = pixels.float().mean(1).unfold(1, 20, 20).unfold(2, 20, 20).flatten(3)
    assert quarters.std(3).min() > 6  # levels of 255: more than the noise's


@pytest.mark.parametrize("wrong", [{"size": 4}, {"limit": 0}, {"images": 0}])
def test_what_can_not_be_drawn_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises((SslgraphError, ValueError), match="ask for 1 image of 8 px or more"):
        Patterns(**wrong)  # type: ignore[arg-type]
