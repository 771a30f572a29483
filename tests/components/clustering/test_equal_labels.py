import pytest
import torch

from sslgraph.components.clustering.equal_labels import EqualLabels
from sslgraph.components.heads.linears import Linears
from sslgraph.components.memory.label_table import LabelTable
from sslgraph.errors import SettingError


def logits(images: int = 200, heads: int = 1, classes: int = 5) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(images, heads, classes)


def test_each_class_gets_its_share_of_the_images() -> None:
    counts = EqualLabels(classes=5, power=10, tolerance=1e-3)(logits())[:, 0].bincount(minlength=5)
    assert counts.sum() == 200 and (counts - 40).abs().max() <= 4
    assert (logits().argmax(2)[:, 0].bincount(minlength=5) - 40).abs().max() > 4


def test_it_is_the_papers_iteration_on_probabilities() -> None:
    scores = logits(heads=2)
    found = EqualLabels(classes=5, power=4, tolerance=1e-9)(scores)
    for head in range(2):
        p = scores[:, head].double().softmax(1) ** 4
        q = p / p.sum()
        for _ in range(2000):
            q = q / q.sum(0, keepdim=True) / 5
            q = q / q.sum(1, keepdim=True) / 200
        assert found[:, head].equal(q.argmax(1))


def test_what_scales_an_image_or_a_class_changes_nothing() -> None:
    solve, scores = EqualLabels(classes=5, power=10, tolerance=1e-9), logits()
    moved = scores + torch.randn(200, 1, 1) + torch.randn(1, 1, 5)
    assert solve(moved).eq(solve(scores)).float().mean() > 0.99


def test_scores_far_apart_do_not_overflow() -> None:
    scores = logits()
    scores[:, :, 0] -= 1000  # a class that no image wants
    counts = EqualLabels(classes=5)(scores)[:, 0].bincount(minlength=5)
    assert counts[1:].min() > 30


def test_fewer_images_than_classes_are_refused_with_a_number_that_fits() -> None:
    with pytest.raises(SettingError, match="40 images can't fill 100 classes") as refused:
        EqualLabels(classes=100).fits(40)
    assert (refused.value.setting, refused.value.value) == ("classes", 4)


def test_heads_are_linear_layers_side_by_side_and_a_table_keeps_their_labels() -> None:
    part, table = Linears(heads=3, out=4, dim=6), LabelTable(heads=3, images=5)
    features = torch.randn(5, 6)
    found = part(features)
    weight, bias = part.layer.weight.view(3, 4, 6), part.layer.bias.view(3, 4)
    torch.testing.assert_close(found[:, 1], features @ weight[1].T + bias[1])
    table.write(found.argmax(2))
    assert table(torch.tensor([4, 0])).equal(found.argmax(2)[[4, 0]])
    with pytest.raises(ValueError, match=r"holds 5 x 3 labels and was written 5; .*heads: says how many each has"):
        table.write(torch.zeros(5, dtype=torch.int64))
