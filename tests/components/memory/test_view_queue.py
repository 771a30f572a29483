import pytest
import torch

from sslgraph.components.memory.view_queue import ViewQueue

CLOCK = torch.tensor([0, 0, 0])  # seed, epoch, step


def bag(*values: float) -> torch.Tensor:
    one = torch.tensor(values, dtype=torch.float32)[:, None].expand(-1, 3)
    return torch.stack([one, -one])


def test_newest_rows_stand_in_front_for_each_view() -> None:
    queue = ViewQueue(size=3, views=2, dim=3)
    queue.push(bag(1, 2))
    queue.push(bag(3, 4))
    torch.testing.assert_close(queue(CLOCK), bag(3, 4, 1))


def test_the_last_row_is_zero_until_it_is_full() -> None:
    queue = ViewQueue(size=4, views=2, dim=3)
    was_empty = []
    for value in range(1, 4):
        was_empty.append(bool(queue(CLOCK)[:, -1].eq(0).all()))
        queue.push(bag(value, value))
    assert was_empty == [True, True, False]


def test_what_was_read_does_not_change_when_it_is_written() -> None:
    queue = ViewQueue(size=2, views=2, dim=3)
    read = queue(CLOCK)
    queue.push(bag(1))
    assert read.eq(0).all()


def test_more_rows_than_it_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="holds 1 rows and was pushed 2 at once; set size to 2 or more"):
        ViewQueue(size=1, views=2, dim=3).push(bag(1, 2))


def test_without_widths_it_is_refused() -> None:
    with pytest.raises(ValueError, match="views is filled from what is pushed"):
        ViewQueue(size=4)


def test_it_is_read_from_its_epoch_on() -> None:
    queue = ViewQueue(size=2, start_epoch=15, views=2, dim=3)
    queue.push(bag(1, 2))
    assert queue(torch.tensor([0, 14, 999])).eq(0).all()
    torch.testing.assert_close(queue(torch.tensor([0, 15, 0])), bag(1, 2))
