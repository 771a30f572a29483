import pytest
import torch

from sslgraph.components.wiring.patchify import Patchify


def test_numbers_go_by_row_column_and_channel_and_patches_row_by_row() -> None:
    height, width, channels = 4, 6, 3
    image = torch.arange(height * width * channels, dtype=torch.float32).view(1, channels, height, width)
    patches = Patchify(size=2)(image)
    assert patches.shape == (1, 6, 12)
    expected = [image[0, c, 2 + r, 2 + k].item() for r in range(2) for k in range(2) for c in range(3)]
    assert patches[0, 4].tolist() == expected  # second row of patches, second column


def test_it_is_a_convolution_seen_as_rows() -> None:
    images = torch.randn(2, 3, 8, 8)
    conv = torch.nn.Conv2d(3, 5, 4, stride=4, bias=False)
    expected = conv(images).flatten(2).transpose(1, 2)
    torch.testing.assert_close(Patchify(size=4)(images) @ conv.weight.permute(2, 3, 1, 0).flatten(0, 2), expected)


def test_patches_that_do_not_divide_the_image_are_refused() -> None:
    with pytest.raises(ValueError, match=r"patches of 3 pixels do not divide an image of 8 x 8; .* 3 at the least"):
        Patchify(size=3)(torch.zeros(1, 3, 8, 8))
