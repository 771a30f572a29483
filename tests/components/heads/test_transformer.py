"""Attention over the rows of an image: what it leaves out, what the order of rows tells."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.heads.transformer import Transformer

ROWS = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))


def test_without_positions_the_rows_come_in_any_order() -> None:
    part, order = Transformer(depth=2, heads=2, dim=8, places=5), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(part(ROWS[:, order]).tokens, part(ROWS).tokens[:, order])
    placed = Transformer(depth=2, heads=2, dim=8, places=5, positions="learned")
    assert (placed(ROWS[:, order]).tokens - placed(ROWS).tokens[:, order]).abs().max() > 1e-4


def test_images_do_not_see_each_other_and_the_first_row_is_the_first_token() -> None:
    part = Transformer(depth=2, heads=2, dim=8, places=5)
    found = part(ROWS)
    torch.testing.assert_close(part(ROWS[1:]).tokens, found.tokens[1:])
    assert torch.equal(found.first, found.tokens[:, 0])


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8; set heads"):
        Transformer(heads=3, dim=8, places=5)
