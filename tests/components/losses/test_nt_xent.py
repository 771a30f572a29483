import math

import jaxtyping
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from sslgraph.components.losses.nt_xent import NTXent


def views(images: int = 5, dim: int = 4) -> Tensor:
    return normalize(torch.randn(2, images, dim, dtype=torch.float64), dim=2)


def slowly(z: Tensor, temperature: float) -> Tensor:
    rows = list(z.flatten(0, 1))
    terms = []
    for i, row in enumerate(rows):
        partner = rows[(i + len(rows) // 2) % len(rows)]
        others = sum(torch.exp(row @ other / temperature) for k, other in enumerate(rows) if k != i)
        terms.append(-torch.log(torch.exp(row @ partner / temperature) / others))
    return torch.stack(terms).mean()


def test_it_is_the_papers_average_over_all_views() -> None:
    z = views()
    torch.testing.assert_close(NTXent(temperature=0.3)(z), slowly(z, 0.3))


def test_perfect_positives_among_orthogonal_images_cost_the_closed_form() -> None:
    z = torch.eye(4)[None].repeat(2, 1, 1)
    expected = math.log(1 + (2 * 4 - 2) * math.exp(-1 / 0.5))
    torch.testing.assert_close(NTXent(temperature=0.5)(z), torch.tensor(expected))


def test_one_image_alone_costs_nothing() -> None:
    torch.testing.assert_close(NTXent()(views(images=1)), torch.tensor(0.0, dtype=torch.float64))


def test_collapse_costs_log_of_the_choices_and_is_a_stationary_point() -> None:
    z = normalize(torch.ones(2, 8, 3, dtype=torch.float64), dim=2).requires_grad_()
    loss = NTXent()(z)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(15)) == pytest.approx(NTXent().landmarks(z)["collapsed"])
    assert z.grad is not None and z.grad.abs().max() < 1e-14


def test_rotating_all_swapping_views_and_permuting_images_change_nothing() -> None:
    z = views()
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))[0]
    loss = NTXent()
    for changed in (z @ rotation, z.flip(0), z[:, torch.randperm(5)]):
        torch.testing.assert_close(loss(changed), loss(z))


def test_the_temperature_may_be_a_tensor_that_a_schedule_fills() -> None:
    z = views()
    torch.testing.assert_close(NTXent(temperature=torch.tensor(0.3))(z), NTXent(temperature=0.3)(z), rtol=1e-6, atol=0)


def test_it_compiles_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    # Dynamo can't trace the shape checks that pytest may put around every part.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    torch._dynamo.reset()
    z = views()
    loss = NTXent()
    torch.testing.assert_close(torch.compile(loss, backend="eager", fullgraph=True)(z), loss(z))


def test_three_views_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs two views of an image, and it was given 3"):
        NTXent()(torch.randn(3, 4, 5))


def test_decoupled_a_pair_is_not_among_its_own_negatives() -> None:
    z = views()
    rows, expected = z.flatten(0, 1), []
    for i, row in enumerate(rows):
        pair = (i + 5) % 10
        others = sum(torch.exp(row @ rows[k] / 0.3) for k in range(10) if k not in (i, pair))
        expected.append(torch.log(others) - row @ rows[pair] / 0.3)
    loss = NTXent(temperature=0.3, decoupled=True)
    torch.testing.assert_close(loss(z), torch.stack(expected).mean())
    assert loss.landmarks(z) == {"chance": math.log(8), "collapsed": math.log(8)}


def test_older_rows_are_further_negatives() -> None:
    z, older = views(), views(7)[0]
    rows = z.flatten(0, 1)
    expected = []
    for i, row in enumerate(rows):
        others = sum(torch.exp(row @ other / 0.3) for k, other in enumerate([*rows, *older]) if k != i)
        expected.append(torch.log(others) - row @ rows[(i + 5) % 10] / 0.3)
    torch.testing.assert_close(NTXent(temperature=0.3)(z, older), torch.stack(expected).mean())
    assert NTXent().landmarks(z, older)["chance"] == math.log(9 + 7)


def corrected(z: Tensor, temperature: float, hardness: float, same_class: float) -> Tensor:
    """Robinson's listing: importances over their mean, debiased, no less than the least possible sum."""
    rows = z.flatten(0, 1)
    count, images = len(rows), z.shape[1]
    partner = torch.eye(count, dtype=torch.bool).roll(images, 1)
    neg = (rows @ rows.T / temperature).exp()[~(partner | torch.eye(count, dtype=torch.bool))].view(count, -1)
    pos = ((rows * rows.roll(images, 0)).sum(1) / temperature).exp()
    importance = (hardness * neg.log()).exp()
    weighed = (importance * neg).sum(1) / importance.mean(1)
    total = (-same_class * (count - 2) * pos + weighed) / (1 - same_class)
    total = total.clamp_min((count - 2) * math.exp(-1 / temperature))
    return (-(pos / (pos + total)).log()).mean()


@pytest.mark.parametrize(("hardness", "same_class"), [(1.0, 0.0), (0.0, 0.1), (0.5, 0.2), (0.0, 0.9)])
def test_hard_and_debiased_negatives_are_those_of_the_papers(hardness: float, same_class: float) -> None:
    z = views()
    loss = NTXent(temperature=0.5, hardness=hardness, same_class=same_class)
    torch.testing.assert_close(loss(z), corrected(z, 0.5, hardness, same_class))


def test_a_hardness_that_vanishes_is_nt_xent_and_a_greater_one_costs_more() -> None:
    z = views()
    plain, soft, hard = (NTXent(temperature=0.5, hardness=h)(z) for h in (0.0, 1e-9, 2.0))
    torch.testing.assert_close(soft, plain)
    assert hard > plain
    decoupled = NTXent(temperature=0.5, decoupled=True)(z)
    torch.testing.assert_close(NTXent(temperature=0.5, hardness=1e-9, decoupled=True)(z), decoupled)


def supervised(z: Tensor, labels: list[int], temperature: float) -> Tensor:
    """Equation 2 of supervised contrastive learning, view by view."""
    rows = list(z.flatten(0, 1))
    groups = [label if label >= 0 else f"image {i}" for i, label in enumerate(labels)] * len(z)
    terms = []
    for i, row in enumerate(rows):
        below = sum(torch.exp(row @ other / temperature) for k, other in enumerate(rows) if k != i)
        kin = [p for p in range(len(rows)) if p != i and groups[p] == groups[i]]
        terms.append(-sum(torch.log(torch.exp(row @ rows[p] / temperature) / below) for p in kin) / len(kin))
    return torch.stack(terms).mean()


def test_with_labels_it_is_equation_2_of_supervised_contrast() -> None:
    z, labels = views(), [3, 0, 3, -1, -1]
    loss = NTXent(temperature=0.3)
    torch.testing.assert_close(loss(z, labels=torch.tensor(labels)), supervised(z, labels, 0.3))
    three = normalize(torch.randn(3, 5, 4, dtype=torch.float64), dim=2)
    torch.testing.assert_close(loss(three, labels=torch.tensor(labels)), supervised(three, labels, 0.3))
    assert loss.landmarks(three, labels=torch.tensor(labels))["chance"] == math.log(14)


def test_two_classes_that_lie_at_right_angles_cost_the_closed_form() -> None:
    """4 images of 2 classes, each class a point: 3 of 7 choices are alike, and each positive costs log(3 + 4 / e)."""
    z = torch.eye(2)[torch.tensor([0, 0, 1, 1])].repeat(2, 1, 1)
    loss = NTXent(temperature=1.0)(z, labels=torch.tensor([5, 5, 8, 8]))
    assert loss.item() == pytest.approx(math.log(3 + 4 / math.e))


def test_images_without_labels_or_alone_in_their_class_are_pairs() -> None:
    z = views()
    for labels in (torch.full((5,), -1), torch.arange(5)):
        torch.testing.assert_close(NTXent()(z, labels=labels), NTXent()(z))


@pytest.mark.parametrize("settings", [{"decoupled": True}, {"hardness": 1.0}, {"same_class": 0.1}])
def test_what_is_for_pairs_is_refused_with_labels(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="are for pairs; leave them out where there are labels"):
        NTXent(**settings)(views(), labels=torch.arange(5))  # type: ignore[arg-type]
