import pytest
import torch

from sslgraph.components.memory.center import Center


def test_after_the_first_step_it_is_a_tenth_of_the_mean() -> None:
    center, logits = Center(dim=5), torch.randn(2, 3, 5)
    center.update(logits)
    torch.testing.assert_close(center(), 0.1 * logits.mean((0, 1)))


def test_patches_of_an_image_count_as_its_mean() -> None:
    center, logits = Center(dim=5), torch.randn(2, 3, 4, 5)
    center.update(logits)
    torch.testing.assert_close(center(), 0.1 * logits.mean((0, 1, 2)))


def test_it_settles_at_a_constant_mean() -> None:
    center = Center(momentum=0.5, dim=2)
    for _ in range(40):
        center.update(torch.tensor([[[1.0, -2.0]]]))
    torch.testing.assert_close(center(), torch.tensor([1.0, -2.0]))


def test_the_momentum_may_be_a_tensor_that_a_schedule_fills() -> None:
    center = Center(momentum=torch.tensor(0.75), dim=1)
    center.update(torch.full((1, 2, 1), 4.0))
    torch.testing.assert_close(center(), torch.tensor([1.0]))


def test_what_was_read_does_not_change_when_it_is_written() -> None:
    center = Center(dim=2)
    read = center()
    center.update(torch.ones(1, 3, 2))
    assert read.eq(0).all()


def test_without_a_width_it_is_refused() -> None:
    with pytest.raises(ValueError, match="dim is filled from the logits"):
        Center()
