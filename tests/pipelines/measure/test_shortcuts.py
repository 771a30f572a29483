"""A pretext task asked of noise: at chance where nothing gives its labels away, and found out where a border does."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslgraph.checked import augmentations, sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.pipelines.measure.shortcuts import Pretext, asked_of_noise
from sslgraph.read.load import load_method
from sslgraph.views.views import ViewProgram

PLUGINS = ("shortcut_parts",)
TOY = """
method: marks
views: {{x: {{augment: center, size: 8}}}}
ops: {{mark: {{use: "shortcut_parts:Marked", by: {by}}}}}
nets: {{f: {{use: "shortcut_parts:Reads"}}}}
flow: {{m: mark(x), y: f(m.image)}}
losses: {{ce: {{use: losses.cross_entropy, of: [y, {labels}]}}}}
export: f
"""


def asked(name: str, **changes: object) -> tuple[Pretext, ...]:
    text = load_method(name, overrides=changes)
    sized = sized_graph(wired(text, PLUGINS), text, batch=64, dataset=64, image=(12, 12), plugins=PLUGINS)
    method = CompiledMethod(sized, plugins=PLUGINS)
    views = ViewProgram.build(text.spec.views, augmentations(text))
    found = asked_of_noise(method, views, size=(12, 12))
    assert method.training
    return found


def toy(folder: Path, *, by: str = "draw", labels: str = "m.label") -> tuple[Pretext, ...]:
    (folder / "toy.yaml").write_text(TOY.format(by=by, labels=labels))
    return asked(str(folder / "toy.yaml"))


def test_a_border_that_gives_the_labels_away_is_an_artefact(tmp_path: Path) -> None:
    (found,) = toy(tmp_path, by="border")
    assert (found.loss, found.labels, found.noise, found.artefact) == ("ce", 512, 1.0, True)
    assert found.chance == pytest.approx(0.25, abs=0.06)
    assert str(found).startswith("ce: of noise, 100.0 % of the labels are predicted, by chance 2")
    assert str(found).endswith(": an artefact tells them, such as borders or interpolation, and not what images show")


def test_labels_of_noise_are_told_by_chance(tmp_path: Path) -> None:
    (found,) = toy(tmp_path)
    assert not found.artefact and found.noise < 0.35


@pytest.mark.parametrize(("by", "labels"), [("pixels", "m.label"), ("draw", "x.index"), ("draw", "x.label")])
def test_labels_of_pixels_and_of_images_are_no_pretext_task(tmp_path: Path, by: str, labels: str) -> None:
    assert toy(tmp_path, by=by, labels=labels) == ()


def test_turns_of_noise_are_told_by_chance() -> None:
    (found,) = asked("rotation", **{"nets.f.depth": 10, "nets.f.width": 4, "nets.f.stem": "small", "views.x.size": 8})
    assert (found.chance, found.labels, found.artefact) == (0.25, 2048, False)
