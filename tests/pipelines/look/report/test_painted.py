"""What a method paints, by hand: patches put back, colours put on, and the row of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sslgraph.checked import sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.components.colours.classes import ColourClasses
from sslgraph.components.colours.hcv import Hcv, from_hcv
from sslgraph.components.colours.histograms import ColourHistograms
from sslgraph.components.colours.lab import Lab, to_rgb
from sslgraph.components.colours.mixture import ColourMixture
from sslgraph.components.losses.masked_regression import MaskedRegression
from sslgraph.components.wiring.jigsaw import Jigsaw
from sslgraph.components.wiring.patchify import Patchify
from sslgraph.draws import keyed
from sslgraph.pipelines.look.report import write_report
from sslgraph.pipelines.look.report.painted import painting, unpatched
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.start.prepare import settled
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import method_in


def test_patches_are_put_back_where_they_were() -> None:
    images = torch.rand(2, 3, 12, 12)
    back = unpatched(Patchify(size=4)(images))
    assert back is not None and torch.equal(back, images)
    assert unpatched(torch.ones(2, 5, 48)) is None and unpatched(torch.ones(2, 4, 47)) is None


def test_a_perfect_prediction_paints_the_target_whatever_its_units() -> None:
    """Predictions are those of normalised patches; the second of two places is seen and stays as it is."""
    loss = MaskedRegression(normalize_target="per_patch")
    target = torch.randn(1, 2, 12) * 3 + 5
    perfect = (target - target.mean(-1, keepdim=True)) / target.std(-1, keepdim=True)
    found = loss.pictures(perfect, target, torch.tensor([[True, False]]))
    torch.testing.assert_close(found["painted"], target, atol=1e-4, rtol=1e-4)
    assert found["seen"][0, 0].isnan().all() and torch.equal(found["seen"][0, 1], target[0, 1])
    assert torch.equal(loss.pictures(perfect * 0, target, torch.tensor([[False, False]]))["painted"], target)


def test_lab_has_a_way_back() -> None:
    images = torch.rand(2, 3, 5, 5, dtype=torch.float64)
    lab = Lab().double()(images)
    torch.testing.assert_close(to_rgb(lab.lightness, lab.ab), images, atol=1e-5, rtol=0)


def test_scores_that_know_the_colours_put_them_back_on() -> None:
    """A square of one colour that is a class: its grey, and the colour itself."""
    op = ColourMixture()
    colour = 200  # of the 313
    lightness, ab = torch.full((1, 1, 8, 8), 5.0), op.centres[colour].view(1, 2, 1, 1).expand(-1, -1, 8, 8)
    image = to_rgb(lightness, ab)
    scores = torch.full((1, 2, 2, 313), -50.0)
    scores[..., colour] = 50
    found = op.pictures(image, scores)
    grey = found["seen"]
    torch.testing.assert_close(found["painted"], image, atol=1e-3, rtol=0)
    torch.testing.assert_close(grey.amax(1), grey.amin(1), atol=1e-3, rtol=0)
    assert (image.amax(1) - image.amin(1)).min() > 0.1


def test_hue_chroma_and_grey_have_a_way_back() -> None:
    images = torch.rand(2, 3, 5, 5, dtype=torch.float64)
    hcv = Hcv()(images)
    torch.testing.assert_close(from_hcv(*hcv), images)


def test_both_halves_of_a_split_brain_are_painted() -> None:
    """One colour that is a class, at a lightness in the middle of a level: scores that know them give the image."""
    op = ColourClasses(levels=50)
    ab = op.centres[200].view(1, 2, 1, 1).expand(-1, -1, 8, 8)
    image = to_rgb(torch.full((1, 1, 8, 8), 5.0), ab)  # of a lightness of 55: level 27 is from 54 to 56
    colour, light = torch.full((1, 2, 2, 313), -50.0), torch.full((1, 4, 4, 50), -50.0)
    colour[..., 200] = light[..., 27] = 50
    found = op.pictures(image, colour, light)
    for name in ("painted", "relit"):
        torch.testing.assert_close(found[name], image, atol=2e-3, rtol=0)


def test_each_pixel_has_the_colour_that_is_told_at_the_nearest_point() -> None:
    """Two points, one told blue of full chroma, the other grey; bins of 1/64 allow for half a bin."""
    op = ColourHistograms(bins=64)
    image = torch.full((1, 3, 6, 8), 0.5)
    points = torch.tensor([[[0.5, 0.2], [0.5, 0.8]]])
    hue, chroma = torch.full((2, 1, 2, 64), -50.0)
    hue[..., 42], chroma[:, 0, 63], chroma[:, 1, 0] = 50, 50, 50
    found = op.pictures(image, points, hue, chroma)["painted"]
    wanted = from_hcv(torch.tensor(0.5).view(1, 1, 1, 1), *torch.tensor([2 / 3, 1.0]).view(2, 1, 1, 1, 1))
    torch.testing.assert_close(found[..., :4], wanted.expand(-1, -1, 6, 4), atol=0.04, rtol=0)
    torch.testing.assert_close(found[..., 4:], image[..., 4:], atol=0.02, rtol=0)
    hue[:, 0] = 0  # all hues alike: no colour
    torch.testing.assert_close(op.pictures(image, points, hue, chroma)["painted"][..., :4], image[..., :4])


@pytest.mark.parametrize("choose", ["max_min", "all"])
def test_a_puzzle_is_solved_by_the_right_permutation_alone(choose: str) -> None:
    op = Jigsaw(grid=2, tile=6, permutations=24 if choose == "all" else 6, choose=choose)  # type: ignore[arg-type]
    images, draw = torch.rand(4, 3, 16, 16), keyed(0, 0, torch.arange(4))
    label = op(images, draw).label
    right = op.pictures(images, draw, torch.nn.functional.one_hot(label, op.count).float())
    assert torch.equal(right["image"].nan_to_num(-1), right["solved"].nan_to_num(-1))
    assert right["image"].shape == (4, 3, 13, 13) and right["image"][:, :, 6].isnan().all()
    wrong = op.pictures(images, draw, torch.nn.functional.one_hot((label + 1) % op.count, op.count).float())
    assert not any(torch.equal(*(p[name][i].nan_to_num(-1) for p, name in ((right, "image"), (wrong, "solved"))))
                   for i in range(4))  # fmt: skip
    for tiles in (right["shuffled"], wrong["solved"]):
        assert torch.equal(tiles.nan_to_num(-1).flatten(1).sort(1).values,
                           right["image"].nan_to_num(-1).flatten(1).sort(1).values)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "part", "words"),
    [
        ("jigsaw", "cut", {"images", "draw", "told_label"}),
        ("split_brain", "classes", {"told_colour", "told_lightness"}),
        ("hypercolumns", "around", {"points", "told_hue", "told_chroma"}),
        ("color_proxy", "around", {"points", "told_hue", "told_chroma"}),
        ("colorization", "soften", {"like"}),
    ],
)
def test_what_is_told_is_found_in_the_program(name: str, part: str, words: set[str]) -> None:
    text = method_in(load_recipe(f"demo/{name}"))
    method = CompiledMethod(sized_graph(wired(text), text, batch=4, dataset=16, image=(32, 32)))
    found = dict(painting(method))
    assert found.keys() >= {part} and found[part].keys() == words
    told = {found[part][word] for word in words if word.startswith("told_")}
    assert len(told) == len([word for word in words if word.startswith("told_")])


def test_the_page_of_a_run_that_paints_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "mae"
    small = {"data.images": 48, "data.test_images": 20, "batch": 16, "epochs": 1, "evaluate": {}}
    train(settled({"recipe": "demo/mae", "overrides": small, "out": str(run)}))
    monkeypatch.setattr("sslgraph.pipelines.look.report.seen.maps", lambda *_: ())
    page = write_report([run], tmp_path / "page.html", most=20).read_text(encoding="utf-8")
    assert ">Painted</h2>" in page and page.count(", image") >= 15 and 'alt="painted, image ' in page
