"""The classes of colour: the authors' table, the pixel of a place, and what grey images teach."""

import hashlib

import numpy as np
import pytest
import torch

from sslgraph.components.colours import bins
from sslgraph.components.colours.classes import ColourClasses


def test_the_centres_are_the_authors_table() -> None:
    found = np.array(bins.centres(), dtype="<i2")
    assert hashlib.sha256(found.tobytes()).hexdigest() == (
        "e74b520cf1929e90ad9f051db10931e8ac5d1534c6cedabd7bfeba7a78a96c89"
    )
    assert found.sum(0).tolist() == [4910, 2090] and bins.centres()[120] == (0, 0)


def test_the_pixel_amid_a_place_stands_for_it() -> None:
    image = torch.arange(64.0).view(1, 1, 8, 8)
    assert bins.at_places(image, 2, 2)[0, ..., 0].tolist() == [[18, 22], [50, 54]]
    assert torch.equal(bins.at_places(image, 8, 8)[0, ..., 0], image[0, 0])


def test_each_place_has_the_class_of_its_nearest_centre_and_its_level_of_lightness() -> None:
    ab = torch.empty(3, 2, 4, 4).uniform_(-80, 80, generator=torch.Generator().manual_seed(0))
    lightness = torch.linspace(-50, 50, 16).view(1, 1, 4, 4).expand(3, -1, -1, -1)
    found = ColourClasses()(lightness, ab, torch.zeros(3, 4, 4, 7))
    centres = torch.tensor(bins.centres()).double()
    expected = torch.cdist(ab.movedim(1, -1).double().reshape(-1, 2), centres).argmin(1)
    assert found.colour.flatten().equal(expected)
    assert found.lightness[0].flatten().tolist() == [min(int(50 * i / 15), 49) for i in range(16)]


def test_grey_images_are_ignored_as_a_whole_and_pale_ones_are_not() -> None:
    ab = torch.zeros(2, 2, 4, 4)
    ab[1, 0, 2, 2] = 5.1
    found = ColourClasses()(torch.zeros(2, 1, 4, 4), ab, torch.zeros(2, 4, 4, 7))
    assert all(classes[0].eq(-100).all() and classes[1].ge(0).all() for classes in found)


def test_only_grey_images_are_refused() -> None:
    grey, coloured = torch.rand(1, 4, 4).expand(3, -1, -1), torch.rand(3, 4, 4)
    part = ColourClasses()
    part.suits([grey, coloured])
    with pytest.raises(ValueError, match="all 2 images that were looked at are grey; give images in colour"):
        part.suits([grey, grey])
