"""The embedded data: a function of (seed, split, index), with independent factors, hard for pixels."""

import pytest
import torch

from sslgraph import draws
from sslgraph.components.sources.shapes import OUTLINES, Shapes
from sslgraph.errors import SslgraphError

SOME = torch.tensor([0, 5, 199])


def test_an_image_is_the_same_whatever_is_read_with_it() -> None:
    together, index = Shapes(images=200).read(SOME)
    assert index.tolist() == SOME.tolist()
    for row, i in enumerate(SOME):
        torch.testing.assert_close(Shapes(images=200).render(i[None])[0], together[row], rtol=0, atol=0)


def test_images_are_eight_bit_colour_of_the_asked_size() -> None:
    source = Shapes(images=3, size=24)
    pixels, _ = source.read(torch.arange(3))
    assert pixels.dtype == torch.uint8 and pixels.shape == (3, 3, 24, 24) and source.size == (24, 24)


def test_train_and_test_and_seeds_share_no_image() -> None:
    sets = [Shapes(images=50), Shapes(split="test", test_images=50), Shapes(images=50, seed=1)]
    everything = torch.cat([source.read(torch.arange(50))[0] for source in sets])
    assert len(everything.flatten(1).unique(dim=0)) == 150


def test_a_limit_keeps_images_of_every_shape() -> None:
    few, many = Shapes(images=200, limit=10), Shapes(images=200)
    assert sorted(few.labels.tolist()) == list(range(10)) and few.whole == (200, 10)
    rows = draws.fair(200, 10, many.labels)
    assert torch.equal(few.read(torch.arange(10))[0], many.read(rows)[0])


def test_labels_are_balanced_and_name_the_shapes() -> None:
    source = Shapes()
    counts = source.labels.bincount()
    assert source.classes == tuple(OUTLINES) and len(counts) == 10
    assert (counts - 1000).abs().max() < 5 * 30  # five standard deviations of a binomial


def test_colour_says_nothing_of_the_shape_unless_it_is_tied_to_it() -> None:
    shapes = Shapes().labels
    free, tied = Shapes(label="hue").labels, Shapes(label="hue", colour="by_class").labels
    table = torch.zeros(10, 8).index_put_((shapes, free), torch.ones(len(shapes)), accumulate=True)
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    assert ((table - expected) ** 2 / expected).sum() < 63 + 4 * (2 * 63) ** 0.5  # chi-squared, 63 degrees
    assert all(len(tied[shapes == shape].unique()) <= 2 for shape in range(10))


@pytest.mark.parametrize("factor", ["texture", "viewpoint", "light", "clutter"])
def test_switching_a_factor_off_changes_pixels_but_neither_labels_nor_other_factors(factor: str) -> None:
    full, without = Shapes(images=32), Shapes(images=32, **{factor: False})
    assert torch.equal(full.labels, without.labels)
    assert not torch.equal(full.read(torch.arange(32))[0], without.read(torch.arange(32))[0])
    with pytest.raises(SslgraphError, match=f"the same in every image; set {factor}: true"):
        Shapes(label=factor, **{factor: False})


@pytest.mark.parametrize("factor", ["hue", "texture", "viewpoint", "light", "clutter"])
def test_every_factor_can_be_the_label(factor: str) -> None:
    source = Shapes(images=500, label=factor)
    assert set(source.labels.tolist()) == set(range(len(source.classes)))


def test_the_shape_without_any_other_factor_is_a_template_with_its_area() -> None:
    plain = Shapes(images=200, texture=False, viewpoint=False, light=False, clutter=False)
    circles = plain.read((plain.labels == 0).nonzero()[:, 0])[0].float()
    corner, centre = circles[:, :, :1, :1], circles[:, :, 16:17, 16:17]
    share = ((circles - corner).abs() / (centre - corner).abs().clamp(min=1)).amax(1).mean((1, 2))
    radius = 0.8 * 0.45  # of the outline, times the middle scale; the image is 2 wide
    torch.testing.assert_close(share, torch.full_like(share, torch.pi * radius**2 / 4), rtol=0.05, atol=0.01)


def test_light_comes_from_where_its_label_says() -> None:
    source = Shapes(images=400, label="light", clutter=False)
    pixels = source.read(torch.arange(400))[0].float().mean(1)
    brightest = {
        "from the right": pixels[:, :, -1],
        "from the left": pixels[:, :, 0],
        "from above": pixels[:, 0],
        "from below": pixels[:, -1],
    }
    sides = torch.stack([brightest[name].mean(1) for name in source.classes], 1)
    assert (sides.argmax(1) == source.labels).float().mean() > 0.9  # a bright shape at the edge may outshine the light


def test_no_images_are_refused() -> None:
    with pytest.raises(SslgraphError, match="can't draw 0 images"):
        Shapes(images=0)
