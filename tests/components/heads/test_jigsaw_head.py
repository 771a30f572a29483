"""The jigsaw head: tiles meet in the order of their positions, image by image."""

import pytest
import torch

from sslgraph.components.heads.jigsaw import JigsawHead


def test_tiles_of_an_image_are_joined_in_order() -> None:
    head = JigsawHead(out=4, tiles=3, tile_width=2, hidden=[], norm="none", dim=2)
    with torch.no_grad():
        head.tile[0].weight.copy_(torch.eye(2))
        head.tile[0].bias.zero_()
        head.puzzle[0].weight.copy_(torch.eye(6)[:4])
        head.puzzle[0].bias.zero_()
    rows = torch.arange(12.0).reshape(6, 2)  # two images of three tiles
    assert head(rows).tolist() == [[0, 1, 2, 3], [6, 7, 8, 9]]


def test_moving_a_tile_changes_the_answer() -> None:
    head, rows = JigsawHead(out=5, tiles=4, tile_width=8, hidden=[16], dim=6).eval(), torch.randn(8, 6)
    moved = rows.clone()
    moved[[0, 1]] = rows[[1, 0]]
    assert not torch.allclose(head(moved)[0], head(rows)[0])
    torch.testing.assert_close(head(moved)[1], head(rows)[1])


def test_the_papers_head_has_9216_numbers_where_the_tiles_meet() -> None:
    with torch.device("meta"):
        head = JigsawHead(out=100, norm="none", dim=2304)
    assert [head.puzzle[0][0].in_features, head.puzzle[1].in_features] == [9216, 4096]


def test_rows_that_make_no_whole_puzzles_are_refused() -> None:
    with pytest.raises(ValueError, match="a puzzle has 9 tiles, and 10 rows are no multiple of that"):
        JigsawHead(dim=6)(torch.randn(10, 6))
