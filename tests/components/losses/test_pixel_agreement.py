import pytest
import torch

from sslgraph.components.losses.pixel_agreement import PixelAgreement

EVERY_CELL_ITSELF = torch.eye(49, dtype=torch.bool).expand(3, -1, -1)


def test_agreement_opposition_and_disjoint_crops_cost_minus_two_two_and_nothing() -> None:
    y = torch.randn(3, 8, 7, 7)
    loss = PixelAgreement()
    torch.testing.assert_close(loss(y, 5 * y, EVERY_CELL_ITSELF), torch.tensor(-2.0))
    torch.testing.assert_close(loss(y, -y, EVERY_CELL_ITSELF), torch.tensor(2.0))
    assert loss(y, y, torch.zeros_like(EVERY_CELL_ITSELF)).item() == 0


def test_an_image_without_overlap_stays_in_the_mean() -> None:
    y = torch.randn(3, 8, 7, 7)
    where = EVERY_CELL_ITSELF.clone()
    where[0] = False
    torch.testing.assert_close(PixelAgreement()(y, y, where), torch.tensor(-2.0 * 2 / 3))


def test_cell_i_of_y_meets_cell_j_of_k() -> None:
    y, k = torch.randn(2, 1, 4, 2, 3)
    where = torch.zeros(1, 6, 6)
    where[0, 4, 2] = 1  # row 1, column 1 of y with row 0, column 2 of k
    expected = -2 * torch.cosine_similarity(y[0, :, 1, 1], k[0, :, 0, 2], dim=0)
    torch.testing.assert_close(PixelAgreement()(y, k, where), expected)


def test_turning_both_sides_round_changes_nothing() -> None:
    y, k = torch.randn(2, 3, 8, 7, 7)
    where = torch.rand(3, 49, 49) < 0.1
    torch.testing.assert_close(PixelAgreement()(y, k, where), PixelAgreement()(k, y, where.transpose(1, 2)))


def test_constant_maps_reach_the_collapsed_value() -> None:
    ones = torch.ones(3, 8, 7, 7)
    landmarks = PixelAgreement().landmarks(ones, ones, EVERY_CELL_ITSELF)
    assert PixelAgreement()(ones, ones, EVERY_CELL_ITSELF).item() == pytest.approx(landmarks["collapsed"])
