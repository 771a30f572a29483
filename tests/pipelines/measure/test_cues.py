"""What a pretext task is told by, on toys that see one cue each; and what each change leaves of an image."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_shortcuts import PLUGINS, TOY

from sslgraph.checked import augmentations, sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.pipelines.measure.cues import CHANGES, Cues, cues
from sslgraph.read.load import load_method
from sslgraph.views.views import ViewProgram


def images(rows: torch.Tensor) -> torch.Tensor:
    every = torch.randint(256, (64, 3, 12, 12), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return every[rows]


def found(folder: Path, *, by: str, count: int = 64) -> tuple[Cues, ...]:
    (folder / "toy.yaml").write_text(TOY.format(by=by, labels="m.label"))
    text = load_method(str(folder / "toy.yaml"))
    sized = sized_graph(wired(text, PLUGINS), text, batch=16, dataset=64, image=(12, 12), plugins=PLUGINS)
    method = CompiledMethod(sized, plugins=PLUGINS)
    views = ViewProgram.build(text.spec.views, augmentations(text))
    made = cues(method, views, images, count, size=(12, 12))
    assert method.training and not method.parts["f"]._forward_pre_hooks
    return made


def test_a_label_in_the_border_is_told_by_rims_and_not_by_one_colour(tmp_path: Path) -> None:
    (one,) = found(tmp_path, by="border")
    assert one.labels == 64 and one.told["images"] == one.told["rims"] == 1.0
    assert any("rims alone tell more than half of it" in said for said in one.warnings)
    assert f"{one}".startswith("ce: labels predicted from test images 100.0 %, grey ")


def test_a_task_that_nothing_tells_has_no_warning(tmp_path: Path) -> None:
    (one,) = found(tmp_path, by="draw")
    assert one.warnings == () and max(one.told.values()) < one.chance + 0.25


def test_fewer_images_than_a_batch_and_no_pretext_task_give_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, by="draw", count=15) == () and found(tmp_path, by="pixels") == ()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"images": 0.9, "grey": 0.9, "coarse": 0.7, "rims": 0.3, "one colour": 0.25}, ""),
        ({"images": 0.9, "grey": 0.4, "coarse": 0.7, "rims": 0.3, "one colour": 0.25}, "without colour less than half"),
        ({"images": 0.9, "grey": 0.9, "coarse": 0.7, "rims": 0.7, "one colour": 0.25}, "rims alone"),
        ({"images": 0.9, "grey": 0.9, "coarse": 0.7, "rims": 0.3, "one colour": 0.5}, "images of one colour tell"),
        ({"images": 0.26, "grey": 0.25, "coarse": 0.2, "rims": 0.25, "one colour": 0.25}, ""),
    ],
)
def test_warnings_follow_from_the_shares(told: dict[str, float], words: str) -> None:
    said = Cues("ce", told, 0.25, 512).warnings
    assert len(said) == bool(words) and all(one.startswith(words) for one in said)


def test_what_each_change_leaves() -> None:
    some = torch.rand(2, 3, 16, 16)
    left = {name: change(some) for name, change in CHANGES.items()}
    assert torch.equal(left["images"], some) and left["grey"].std(1).max() == 0
    assert left["rims"][:, :, 2:14, 2:14].abs().max() == 0 and torch.equal(left["rims"][:, :, :2], some[:, :, :2])
    assert left["one colour"].flatten(2).std(2).max() < 1e-6
    smooth = torch.linspace(0, 1, 16).expand(2, 3, 16, 16)
    assert (CHANGES["coarse"](smooth) - smooth).abs().max() < 0.05
