import pytest
import torch

from sslgraph.components.wiring.best_match import BestMatch
from sslgraph.components.wiring.cells import Cells


def test_each_cell_reads_the_value_of_the_cell_that_points_its_way() -> None:
    torch.manual_seed(0)
    other, value = torch.randn(2, 8, 2, 3), torch.randn(2, 4, 2, 3)
    order = torch.tensor([[5, 0, 3, 3, 1, 2], [0, 1, 2, 3, 4, 5]])
    rows = torch.arange(2)[:, None]
    # Lengths do not count; two cells may find the same one.
    map = 7 * other.flatten(2)[rows, :, order].transpose(1, 2).unflatten(2, (2, 3))
    found = BestMatch()(map, other, value).flatten(2)
    assert found.transpose(1, 2).equal(value.flatten(2)[rows, :, order])


def test_equal_maps_match_each_cell_with_itself_and_gradient_reaches_values_only() -> None:
    map, value = (torch.randn(2, 5, 3, 3, requires_grad=True) for _ in range(2))
    found = BestMatch()(map, map, value)
    assert found.equal(value)
    found.sum().backward()
    assert map.grad is None and value.grad is not None


@pytest.mark.parametrize("place", [(0, 0, 0), (1, 1, 2)])
def test_cells_are_rows_image_by_image(place: tuple[int, int, int]) -> None:
    map = torch.randn(2, 5, 2, 3)
    image, row, column = place
    assert Cells()(map)[image * 6 + row * 3 + column].equal(map[image, :, row, column])
