import pytest
import torch

from sslgraph.components.memory.fifo import Fifo


def rows(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None].repeat(1, 2)


def test_it_forgets_the_oldest_batch() -> None:
    queue = Fifo(size=4, dim=2, init="zeros")
    for batch in (rows(1, 2), rows(3, 4), rows(5, 6)):
        queue.push(batch)
    torch.testing.assert_close(queue(), rows(5, 6, 3, 4))


def test_after_size_over_batch_pushes_the_pointer_is_home_and_every_row_is_real() -> None:
    queue = Fifo(size=12, dim=2)
    for _ in range(3):
        queue.push(rows(1, 1, 1, 1))
    assert queue.pointer.item() == 0
    torch.testing.assert_close(queue(), torch.ones(12, 2))


def test_it_starts_with_rows_of_unit_length_or_zeros() -> None:
    torch.testing.assert_close(Fifo(size=8, dim=16)().norm(dim=1), torch.ones(8))
    assert Fifo(size=8, dim=16, init="zeros")().eq(0).all()


def test_what_was_read_does_not_change_when_it_is_written() -> None:
    queue = Fifo(size=2, dim=2, init="zeros")
    read = queue()
    queue.push(rows(1, 2))
    assert read.eq(0).all()


def test_its_rows_and_pointer_are_saved() -> None:
    queue, other = Fifo(size=4, dim=2), Fifo(size=4, dim=2)
    queue.push(rows(1, 2))
    other.load_state_dict(queue.state_dict())
    for each in (queue, other):
        each.push(rows(3, 4))
    torch.testing.assert_close(other(), queue())


def test_a_batch_that_does_not_divide_the_size_is_refused() -> None:
    with pytest.raises(
        ValueError, match="holds 4 rows and was pushed 3 at once, which does not divide it; set size to a multiple of 3"
    ):
        Fifo(size=4, dim=2).push(rows(1, 2, 3))


def test_without_a_width_it_is_refused() -> None:
    with pytest.raises(ValueError, match="dim is filled from what is pushed"):
        Fifo(size=4)
