import math

import numpy as np
import pytest
import torch

from sslgraph import draws
from sslgraph.components.wiring.rotations import Rotations

IMAGES = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).view(2, 3, 4, 4)


def drawn(count: int, seed: int = 0) -> torch.Tensor:
    return draws.keyed(seed, 0, torch.arange(count))


def test_all_gives_four_counter_clockwise_turns_image_by_image() -> None:
    image, label = Rotations()(IMAGES, drawn(2))
    assert label.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    for row, quarter in enumerate(label.tolist()):
        np.testing.assert_array_equal(image[row], np.rot90(IMAGES[row // 4], quarter, (1, 2)))


def test_the_right_column_comes_up_after_one_turn() -> None:
    image = Rotations()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), drawn(1)).image
    assert image[1, 0].tolist() == [[2, 4], [1, 3]]


def test_one_turns_each_image_as_its_label_says_and_all_turns_come_equally_often() -> None:
    images = IMAGES[:1].repeat(4000, 1, 1, 1)
    image, label = Rotations(variant="one")(images, drawn(4000))
    every = Rotations()(IMAGES[:1], drawn(1)).image
    assert image.equal(every[label])
    assert label.bincount(minlength=4).sub(1000).abs().max() < 5 * math.sqrt(4000 * 3 / 16)


def test_two_turns_are_both_flips_and_flipping_turns_the_other_way() -> None:
    turned = Rotations()(IMAGES, drawn(2)).image.view(2, 4, 3, 4, 4)
    assert turned[:, 2].equal(IMAGES.flip(2, 3))
    flipped = Rotations()(IMAGES.flip(3), drawn(2)).image.view(2, 4, 3, 4, 4)
    for quarter in range(4):
        assert turned[:, quarter].flip(3).equal(flipped[:, -quarter % 4])


def test_images_that_are_not_square_are_refused() -> None:
    with pytest.raises(ValueError, match="turns square images, and these are 4 x 6"):
        Rotations()(torch.zeros(1, 3, 4, 6), drawn(1))
