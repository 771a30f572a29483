import pytest
import torch
from torch.nn.functional import normalize

from sslgraph.components.memory.row_bank import RowBank


def test_touched_rows_are_half_old_half_new_at_unit_length_and_others_stay() -> None:
    bank = RowBank(dim=4, images=5)
    before, features = bank(), normalize(torch.randn(2, 4), dim=1)
    bank.update(torch.tensor([3, 1]), features)
    expected = before.clone()
    expected[[3, 1]] = normalize(0.5 * before[[3, 1]] + 0.5 * features, dim=1)
    torch.testing.assert_close(bank(), expected)
    assert bank(torch.tensor([0, 2, 4])).equal(before[[0, 2, 4]])


def test_a_feature_equal_to_its_row_changes_nothing() -> None:
    bank = RowBank(dim=4, images=3)
    bank.update(torch.arange(3), normalize(bank(), dim=1))
    before = bank()
    bank.update(torch.arange(3), before)
    torch.testing.assert_close(bank(), before)


def test_of_a_sample_that_comes_twice_the_last_one_counts() -> None:
    bank, twin = RowBank(dim=4, images=3), RowBank(dim=4, images=3)
    twin.load_state_dict(bank.state_dict())
    features = torch.randn(3, 4)
    bank.update(torch.tensor([1, 2, 1]), features)
    twin.update(torch.tensor([2, 1]), features[1:])
    torch.testing.assert_close(bank(), twin())


def test_rows_start_with_a_length_near_one() -> None:
    norms = RowBank(dim=128, images=512)().norm(dim=1)
    assert norms.mean().item() == pytest.approx(1, abs=0.01) and norms.std().item() == pytest.approx(0.04, abs=0.01)


def test_without_widths_it_is_refused() -> None:
    with pytest.raises(ValueError, match="images is filled from the data set"):
        RowBank(dim=3)
