import math

import pytest
import torch
from torch.nn import functional

from sslgraph.components.losses.cross_entropy import CrossEntropy


def test_it_is_the_mean_over_labelled_images() -> None:
    logits, labels = torch.randn(4, 3), torch.tensor([0, -100, 2, 1])
    kept = labels >= 0
    torch.testing.assert_close(CrossEntropy()(logits, labels), functional.cross_entropy(logits[kept], labels[kept]))


def test_places_count_as_much_as_where_says() -> None:
    logits, labels = torch.randn(2, 5, 3), torch.randint(3, (2, 5))
    where = torch.tensor([[1, 0, 0, 1, 1], [0, 0, 0, 0, 1]]).bool()
    torch.testing.assert_close(
        CrossEntropy()(logits, labels, where), functional.cross_entropy(logits[where], labels[where])
    )


def test_nothing_to_name_costs_nothing_and_has_a_finite_gradient() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = CrossEntropy()(logits, torch.tensor([-100, -100]))
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and logits.grad.eq(0).all()


def test_uniform_guessing_costs_the_log_of_the_classes() -> None:
    logits, labels = torch.zeros(4, 10000), torch.arange(4)
    assert CrossEntropy()(logits, labels).item() == pytest.approx(9.210340, abs=1e-4)
    assert CrossEntropy().landmarks(logits, labels) == {"chance": math.log(10000)}


def test_places_of_a_map_without_a_class_count_for_nothing() -> None:
    """Logits 0 cost ln 2; what is said where nothing is known changes nothing; of nothing known the gradient is 0."""
    loss, labels = CrossEntropy(ignore=-1), torch.tensor([[[0, 1], [-1, 1]], [[-1, -1], [1, 0]]])
    logits = torch.zeros(2, 2, 2, 2)
    assert loss(logits, labels).item() == pytest.approx(math.log(2), abs=1e-6)
    changed = logits.clone()
    changed[labels < 0] = torch.tensor([5.0, -3.0])
    assert torch.equal(loss(changed, labels), loss(logits, labels))
    logits.requires_grad_()
    loss(logits, labels * 0 - 1).backward()
    assert logits.grad is not None and logits.grad.eq(0).all()


def test_a_smoothed_loss_by_hand() -> None:
    """Odds of 1 : 3 for the right class; a twentieth of the target is the other's: 0.05 ln 4 + 0.95 ln (4 / 3)."""
    logits, labels = torch.tensor([[0.0, math.log(3)], [9.0, 9.0]]), torch.tensor([1, -1])
    expected = 0.05 * math.log(4) + 0.95 * math.log(4 / 3)
    assert CrossEntropy(ignore=-1, smoothing=0.1)(logits, labels).item() == pytest.approx(expected, abs=1e-6)


def test_two_scores_are_one_logit_as_a_difference() -> None:
    z, mask = torch.randn(3, 4, 4), torch.randint(2, (3, 4, 4))
    one = functional.binary_cross_entropy_with_logits(z, mask.float())
    torch.testing.assert_close(CrossEntropy()(torch.stack([torch.zeros_like(z), z], -1), mask), one)


def test_a_picture_shows_the_class_of_each_place_over_the_image() -> None:
    image, logits = torch.full((1, 3, 4, 4), 0.5), torch.zeros(1, 2, 2, 2)
    logits[0, 0, 1, 1] = 1
    labels = torch.tensor([[[0, 1], [-1, 0]]])
    found = CrossEntropy(ignore=-1).pictures(image, logits, labels)
    assert torch.equal(found["told"][0, :, :2, :2], image[0, :, :2, :2])
    torch.testing.assert_close(found["told"][0, :, 0, 3], 0.4 * 0.5 + 0.6 * torch.tensor([1.0, 0.25, 0.25]))
    assert found["label"][0, :, 2:, :2].isnan().all() and torch.equal(found["label"][0, :, 2:, 2:], image[0, :, 2:, 2:])
    assert CrossEntropy().pictures(image, torch.zeros(1, 9), torch.zeros(1).long()) == {}
