"""Parts of images as views."""

from __future__ import annotations

import pytest
import torch

from sslgraph.components.wiring.as_views import AsViews
from sslgraph.components.wiring.parts_as_views import PartsAsViews
from sslgraph.components.wiring.views_as_parts import ViewsAsParts

ROWS = torch.arange(6.0)[:, None]  # of two images three parts each


def test_part_i_of_each_image_is_view_i() -> None:
    assert AsViews(parts=3)(ROWS)[..., 0].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_rows_that_are_no_multiple_of_the_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="4 parts an image, and 6 rows are no multiple"):
        AsViews(parts=4)(ROWS)


def test_views_as_parts_is_the_way_back_from_parts_as_views() -> None:
    parts = torch.arange(24).view(2, 3, 4)
    views = PartsAsViews()(parts)
    assert views.shape == (3, 2, 4) and torch.equal(views[1, 0], parts[0, 1])
    assert torch.equal(ViewsAsParts()(views), parts)
