"""Low and high frequencies: waves by hand, shares of chance, and the part as a step and as an op."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from typer.testing import CliRunner

from sslgraph.components.augment.frequencies import Frequencies
from sslgraph.draws import keyed
from sslgraph.pipelines.commands.app import app

DRAW = keyed(3, 0, torch.arange(40))
PLACE = torch.arange(32) / 32
SLOW = torch.cos(2 * math.pi * 3 * PLACE)[:, None].expand(32, 32)  # 3 cycles down
FAST = torch.cos(2 * math.pi * (9 * PLACE[:, None] + 12 * PLACE))  # 15 cycles, aslant
IMAGES = (0.5 + SLOW + FAST).expand(40, 3, 32, 32)
METHOD = """
method: Fine from coarse
views:
  x: {augment: coarse.yaml}
ops:
  high: {use: augment.frequencies, keep: high, radius: 4}
nets:
  f: {use: backbones.resnet, depth: 18, stem: small}
flow:
  z: l2(f(bag(x, high(x))))
losses:
  same: {use: losses.nt_xent, of: [z]}
export: f
"""


def test_waves_are_told_apart_by_their_cycles() -> None:
    low, high = (Frequencies(keep=keep, radius=radius)(IMAGES, DRAW) for keep, radius in (("low", 15), ("high", 3)))
    torch.testing.assert_close(low, (0.5 + SLOW).expand_as(low), atol=1e-5, rtol=0)  # 15 is not below 15
    torch.testing.assert_close(high, (SLOW + FAST).expand_as(high), atol=1e-5, rtol=0)


def test_low_and_high_are_the_image_and_left_and_right_are_alike() -> None:
    images = torch.rand(2, 3, 15, 24)
    low, high = (Frequencies(keep=keep, radius=5.5)(images, DRAW[:2]) for keep in ("low", "high"))
    torch.testing.assert_close(low + high, images)
    torch.testing.assert_close(Frequencies(radius=5.5)(images.flip(3), DRAW[:2]), low.flip(3))


def test_each_image_draws_which_is_kept_and_whether_any() -> None:
    made = Frequencies(keep="either", radius=4, p=0.5)(IMAGES, DRAW)
    kinds = [(made - one).abs().amax((1, 2, 3)) < 1e-5 for one in (0.5 + SLOW, FAST.expand(32, 32), IMAGES)]
    assert torch.stack(kinds).sum(0).eq(1).all() and all(4 <= kind.sum() <= 30 for kind in kinds)
    alone = Frequencies(keep="either", radius=4, p=0.5)(IMAGES[7:9], DRAW[7:9])
    torch.testing.assert_close(alone, made[7:9])


def test_it_is_a_step_of_an_augmentation_and_an_op(tmp_path: Path) -> None:
    steps = "  crop: {use: augment.random_resized_crop, size: 32}\n  low: {use: augment.frequencies, radius: 6}\n"
    (tmp_path / "coarse.yaml").write_text(f"augmentation: coarse\nsteps:\n{steps}")
    (tmp_path / "fine.yaml").write_text(METHOD)
    shown = CliRunner().invoke(app, ["check", str(tmp_path / "fine.yaml"), "--strict"])
    assert shown.exit_code == 0, shown.output
