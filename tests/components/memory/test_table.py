"""Tables and numbers that are written as a whole."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.memory.table import Table
from sslgraph.components.memory.vector import Vector


def test_a_table_gives_what_was_written_all_of_it_or_some_rows() -> None:
    table, rows = Table(rows=3, dim=2), torch.arange(6.0).view(3, 2)
    table.write(rows)
    assert torch.equal(table(), rows) and table(torch.tensor([2, 0, 2])).tolist() == [[4, 5], [0, 1], [4, 5]]
    table().zero_()  # what is read is a copy
    assert torch.equal(table(), rows)


def test_before_the_first_write_it_holds_what_init_says() -> None:
    assert Table(rows=2, dim=3)().sum() == 0 and Table(rows=2, dim=3, init="ones")().sum() == 6
    torch.testing.assert_close(Table(rows=5, dim=3, init="random")().norm(dim=1), torch.ones(5))
    assert Vector(count=2, init=0.5)().tolist() == [0.5, 0.5]


def test_numbers_are_read_by_index() -> None:
    numbers = Vector(count=3)
    numbers.write(torch.tensor([1.0, 2.0, 3.0]))
    assert numbers(torch.tensor([2, 2, 0])).tolist() == [3, 3, 1] and numbers().tolist() == [1, 2, 3]


def test_a_part_of_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"memory.table holds \[3, 2\] and was written \[2, 2\]; write all of it"):
        Table(rows=3, dim=2).write(torch.zeros(2, 2))
    with pytest.raises(ValueError, match=r"memory.vector holds 3 and was written 2; write all of them"):
        Vector(count=3).write(torch.zeros(2))


def test_without_a_size_it_is_refused() -> None:
    with pytest.raises(ValueError, match="rows is filled from what is written"):
        Table(dim=2)
    with pytest.raises(ValueError, match="count is filled from what is written"):
        Vector()
