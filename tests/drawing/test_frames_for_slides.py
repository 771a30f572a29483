"""Frames for slides: one idea more in each, all of one size, the last one whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from test_layout import shipped

from sslgraph.drawing import picture
from sslgraph.drawing.figure.steps import steps
from sslgraph.drawing.write.file import Look
from sslgraph.drawing.write.svg import as_svg


@pytest.mark.parametrize("name", ["byol", "simclr", "moco_v2", "deepcluster"])
def test_each_frame_shows_more_and_the_last_one_all(name: str) -> None:
    drawn = picture(shipped(name))
    seen = [step.seen for step in steps(drawn)]
    assert all(a < b for a, b in pairwise(seen)) and len(seen) >= 3
    assert seen[-1] == {box.id for panel in drawn.panels for box in panel.boxes}


def test_a_slow_copy_comes_after_its_net_and_the_loss_last() -> None:
    words = [step.words for step in steps(picture(shipped("byol")))]
    assert words == ["views", "online network f, g, q", "target network ft, gt", "cosine regression"]


def test_frames_lie_on_each_other_and_the_last_is_the_picture() -> None:
    drawn = picture(shipped("moco_v2"))
    frames = [scene for _, scene in Look().frames(drawn)]
    assert len({(frame.width, frame.height) for frame in frames}) == 1
    counts = [as_svg(frame).count("<g class=") for frame in frames]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert as_svg(frames[-1]) == as_svg(Look(legend=False).scene(drawn))
    assert "stop-grad" not in as_svg(frames[0]) and "EMA" not in as_svg(frames[1])


@pytest.mark.slow
def test_frames_of_a_picture_that_is_cut_end_with_all_of_it() -> None:
    drawn, look = picture(shipped("scrl")), Look(legend=False, inches=3.25)
    frames = [as_svg(scene) for _, scene in look.frames(drawn)]
    assert frames[-1] == as_svg(look.scene(drawn)) and 'class="box link"' in frames[-1]
    assert len(frames[0]) < len(frames[1]) < len(frames[-1])
