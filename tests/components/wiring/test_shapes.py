"""Parts that only give numbers another place: tokens, parts as views, a view repeated."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.wiring.as_tokens import AsTokens
from sslgraph.components.wiring.cells import Cells
from sslgraph.components.wiring.parts_as_views import PartsAsViews
from sslgraph.components.wiring.repeat import Repeat


def test_a_cell_of_a_map_is_a_token_row_by_row() -> None:
    map_ = torch.randn(2, 5, 3, 4)
    tokens = AsTokens()(map_)
    assert torch.equal(tokens[1, 1 * 4 + 2], map_[1, :, 1, 2])
    assert torch.equal(tokens.flatten(0, 1), Cells()(map_))


def test_tokens_are_no_map_and_no_row() -> None:
    assert AsTokens()(torch.tensor([[1.0, 2]])).tolist() == [[[1, 2]]]
    with pytest.raises(ValueError, match=r"a row \[batch, dim\], and one of shape \[2, 16, 5\] is given"):
        AsTokens()(torch.zeros(2, 16, 5))


def test_each_part_is_a_view() -> None:
    parts = torch.randn(2, 3, 5)
    assert PartsAsViews()(parts).shape == (3, 2, 5) and torch.equal(PartsAsViews()(parts)[2, 1], parts[1, 2])


def test_a_repeated_view_is_a_bag_of_equal_views() -> None:
    value = torch.randn(2, 5)
    assert torch.equal(Repeat(count=3)(value), torch.stack([value] * 3))
