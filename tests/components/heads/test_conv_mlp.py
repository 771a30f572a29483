"""The convolutional perceptron: counts of PixPro and DenseCL, and each place by itself."""

import torch

from sslgraph.components.heads.conv_mlp import ConvMLP


def test_it_has_the_papers_number_of_weights() -> None:
    with torch.device("meta"):
        pixpro = ConvMLP(hidden=4096, out=256, dim=2048)
        densecl = ConvMLP(hidden=2048, out=128, norm="none", dim=2048)
    assert sum(p.numel() for p in pixpro.parameters()) == 9_449_728
    assert sum(p.numel() for p in densecl.parameters()) == 4_458_624


def test_a_place_knows_nothing_of_its_neighbours() -> None:
    head, one = ConvMLP(hidden=6, out=4, norm="none", dim=3), torch.randn(2, 3, 5, 5)
    other = one.clone()
    other[:, :, 0] = 9.0
    torch.testing.assert_close(head(other)[:, :, 1:], head(one)[:, :, 1:])
    assert not torch.allclose(head(other)[:, :, 0], head(one)[:, :, 0])
