"""The dense classifier: sides double, classes come last, and a place alone decides where nothing doubles."""

import torch

from sslgraph.components.heads.dense_classifier import DenseClassifier


def test_sides_double_and_classes_come_last() -> None:
    for doublings in (0, 1, 2):
        head = DenseClassifier(out=5, doublings=doublings, width=4, dim=6)
        assert head(torch.randn(2, 6, 3, 2)).shape == (2, 3 << doublings, 2 << doublings, 5)


def test_without_doublings_it_is_a_classifier_of_each_place() -> None:
    head, one = DenseClassifier(out=5, width=4, dim=6).eval(), torch.randn(2, 6, 3, 3)
    expected = head(one.permute(0, 2, 3, 1).reshape(-1, 6, 1, 1))
    torch.testing.assert_close(head(one).reshape(-1, 1, 1, 5), expected)
