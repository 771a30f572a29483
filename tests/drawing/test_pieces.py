"""Pictures that are cut into pieces: nothing is lost, what a cut line carries has one name at both ends."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules import broken, meet
from test_layout import shipped
from test_print import drawn

from sslgraph.drawing import LIGHT, Panel, layout, picture
from sslgraph.drawing.arrange.packing import packed
from sslgraph.drawing.arrange.tiers import SHARED, tiers
from sslgraph.drawing.figure.fold import compact
from sslgraph.drawing.write.fitted import fitted


def pieces(panel: Panel, wide: float) -> list[Panel]:
    def size(one: Panel) -> tuple[float, float]:
        left, top, right, bottom = layout(one, shapes=False, is_down=True, wrap=84.0, labels=False).bounds
        return right - left, bottom - top

    found = tiers(panel, size, wide, 800.0, 18.0)
    assert found is not None and all(size(piece)[0] <= wide for piece in found)
    return found


@pytest.mark.parametrize("name", ["scrl", "dinov2", "pcl"])
def test_a_cut_loses_nothing(name: str) -> None:
    for panel in compact(picture(shipped(name))).panels:
        found = pieces(panel, 420.0)
        boxes = [box.id for piece in found for box in piece.boxes if box.kind != "link"]
        assert sorted(boxes) == sorted(box.id for box in panel.boxes)
        of = {box.id: number for number, piece in enumerate(found) for box in piece.boxes if box.kind != "link"}
        for edge in panel.edges:
            one, other = found[of[edge.source]], found[of[edge.target]]
            ends = [e for e in one.edges if e.source == edge.source and e.kind == edge.kind]
            starts = [e for e in other.edges if e.target == edge.target and e.kind == edge.kind]
            if one is other:
                assert any(e.target == edge.target for e in ends)
            elif edge.kind == "same":
                assert SHARED in one.box(edge.source).sub and SHARED in other.box(edge.target).sub
            else:
                out = {one.box(e.target).title for e in ends if e.gradient == edge.gradient and e.stop == edge.stop}
                into = {other.box(e.source).title for e in starts if e.gradient == edge.gradient}
                assert out & into, f"{edge.source} to {edge.target} is lost"


@pytest.mark.parametrize("name", ["scrl", "dinov2", "densecl"])
def test_a_name_at_a_cut_stands_for_one_box_only(name: str) -> None:
    for panel in compact(picture(shipped(name))).panels:
        makers: dict[str, set[str]] = {}
        for piece in pieces(panel, 420.0):
            for box in piece.boxes:
                if box.kind == "link":
                    makers.setdefault(box.title, set()).update(box.members)
        assert makers and all(len(found) == 1 for found in makers.values()), makers


@pytest.mark.parametrize("name", ["scrl", "dinov2", "pcl", "msn", "un_mix"])
def test_pieces_keep_every_rule(name: str) -> None:
    found = [piece for panel in compact(picture(shipped(name))).panels for piece in pieces(panel, 420.0)]
    assert [fault for piece in found for fault in broken(piece, shapes=False, is_down=True, wrap=84.0)] == []


@given(st.lists(st.tuples(st.floats(20, 500), st.floats(20, 400)), min_size=1, max_size=8))
def test_no_two_pieces_meet_and_none_hangs_over(sizes: list[tuple[float, float]]) -> None:
    spots, high = packed(sizes, 500.0, 18.0)
    rooms = [(x, y, x + width, y + height) for (x, y), (width, height) in zip(spots, sizes, strict=True)]
    assert all(right <= 500.1 and bottom <= high + 0.1 for _, _, right, bottom in rooms)
    assert not any(meet(one, other) for one, other in combinations(rooms, 2))


def test_pieces_stand_in_their_order_where_there_is_room() -> None:
    sizes = [(200.0, 100.0), (200.0, 300.0), (200.0, 100.0)]
    spots, high = packed(sizes, 450.0, 18.0, 1000.0)
    assert spots == [(0.0, 0.0), (218.0, 0.0), (0.0, 118.0)] and high == 300.0


@pytest.mark.parametrize(("name", "inches"), [("dinov2", 5.5), ("scrl", 3.25), ("msn", 3.25)])
def test_what_fits_no_column_whole_fits_it_in_pieces(name: str, inches: float) -> None:
    found = fitted(drawn(name), LIGHT, inches=inches)
    assert abs(found.width * found.point / 72 - inches) < 0.01 and found.height * found.point / 72 <= 9


def test_pieces_are_tried_without_their_shapes_before_anything_else_is_left_out() -> None:
    found = fitted(drawn("hypercolumns"), LIGHT, inches=3.25)
    assert abs(found.width * found.point / 72 - 3.25) < 0.01
