"""Pictures of ops are what the compiled method's own program gives to its networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sslgraph.checked import augmentations, sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.components.sources.shapes import Shapes
from sslgraph.draws import keyed
from sslgraph.pipelines.check import check
from sslgraph.pipelines.look.contact_sheet import Cell, contact_sheet
from sslgraph.pipelines.look.op_pictures import mosaic, veiled, within
from sslgraph.views.views import ViewProgram

INDEX = torch.tensor([0, 2, 4])


def truth(name: str, part: str) -> Any:
    """What comes out of a part when the compiled method takes a training step's batch."""
    loaded, _ = check.load(name, {})
    method, out = CompiledMethod(sized_graph(wired(loaded), loaded, batch=3, image=(32, 32))), []
    method.parts[part].register_forward_hook(lambda *call: out.append(call[2]))
    images, _ = Shapes(images=6).read(INDEX)
    program = ViewProgram.build(loaded.spec.views, augmentations(loaded))
    batch = program(images, INDEX, seed=1, epoch=4)
    with torch.no_grad():
        method({**batch, "draw": keyed(1, 4, INDEX), "clock": torch.tensor([1, 4, 0])})
    return out[0]


def shown(name: str) -> list[tuple[Cell, ...]]:
    loaded, _ = check.load(name, {})
    sheet = contact_sheet(loaded, Shapes(images=6), data="here", count=3, seed=1, epoch=4, batch=3)
    assert [sample.index for sample in sheet.samples] == [0, 2, 4]
    return [sample.cells for sample in sheet.samples]


def test_the_mask_of_mae_is_the_one_of_the_training_step() -> None:
    hidden = truth("demo/mae", "mask").hidden
    for row, cells in enumerate(shown("demo/mae")):
        assert [cell.title for cell in cells] == ["x", "m.hidden"]
        assert torch.equal(cells[1].seen, hidden[row : row + 1]) and cells[1].lines == ("75% hidden",)


def test_the_tiles_and_the_label_of_jigsaw_are_those_of_the_training_step() -> None:
    puzzle = truth("demo/jigsaw", "cut")
    for row, cells in enumerate(shown("demo/jigsaw")):
        torch.testing.assert_close(cells[1].seen, puzzle.tiles[4 * row : 4 * row + 4])
        assert cells[1].title == "puzzle.tiles" and cells[1].lines == (f"label {puzzle.label[row]}",)


def test_the_turns_and_the_hole_are_shown() -> None:
    turned = shown("demo/rotation")[0]
    assert [cell.title for cell in turned] == ["x", "r.image"] and turned[1].lines == ("label 0, 1, 2, 3",)
    holed = {cell.title: cell for cell in shown("demo/context_encoder")[0]}
    assert torch.equal(holed["m.image"].seen, truth("demo/context_encoder", "hole").image[:1])
    assert set(holed) == {"x", "m.image", "m.patch"}


def test_methods_whose_ops_stand_behind_networks_show_views_alone() -> None:
    assert [cell.title for cell in shown("demo/pixpro")[0]] == ["x1", "x2"]
    assert [cell.title for cell in shown("demo/deepcluster")[0]] == ["x", "xc"]


def test_a_veil_covers_the_hidden_patches_and_nothing_else() -> None:
    images = torch.ones(1, 3, 4, 4)
    out = veiled(images, torch.tensor([[True, False, False, False]]))
    assert torch.equal(out[0, 0, 2:], images[0, 0, 2:]) and torch.equal(out[0, 0, :2, 2:], images[0, 0, :2, 2:])
    torch.testing.assert_close(out[0, 0, :2, :2], torch.full((2, 2), 0.55 * 0.85 + 0.15))


def test_a_mosaic_goes_row_by_row_with_a_white_gap() -> None:
    tiles = torch.arange(3.0)[:, None, None, None].expand(3, 3, 2, 2) / 4
    whole: Tensor = mosaic(tiles)[0]
    assert whole.shape == (6, 6)
    assert (whole[0, 0], whole[0, 4], whole[4, 0], whole[4, 4], whole[2, 2]) == (0, 0.25, 0.5, 1, 1)
    assert torch.equal(mosaic(tiles[:1]), tiles[0])


def test_values_far_outside_are_stretched_and_others_only_clamped() -> None:
    assert within(torch.tensor([[[-2.0, 0.0, 2.0]]])).tolist() == [[[0.0, 0.5, 1.0]]]
    nearly = torch.full((1, 1, 20), 0.5)
    nearly[0, 0, 0] = 1.2
    assert within(nearly).max() == 1 and within(nearly)[0, 0, 1] == 0.5
