import pytest
import torch
from torch.nn.functional import cross_entropy

from sslgraph.components.memory.label_table import LabelTable


def test_labels_are_read_by_sample_index() -> None:
    table = LabelTable(images=4)
    table.write(torch.tensor([7, 8, 9, 7]))
    assert table(torch.tensor([2, 0, 0])).tolist() == [9, 7, 7]


def test_before_the_first_write_cross_entropy_ignores_every_label() -> None:
    labels = LabelTable(images=3)(torch.arange(3))
    assert cross_entropy(torch.randn(3, 5), labels, reduction="sum").item() == 0


def test_fewer_labels_than_images_are_refused() -> None:
    with pytest.raises(ValueError, match="holds 4 labels and was written 3"):
        LabelTable(images=4).write(torch.zeros(3, dtype=torch.int64))


def test_without_the_number_of_images_it_is_refused() -> None:
    with pytest.raises(ValueError, match="images is filled from the data set"):
        LabelTable()
