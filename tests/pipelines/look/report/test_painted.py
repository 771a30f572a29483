"""What a method paints, by hand: patches put back, colours put on, and the row of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sslgraph.components.colours.lab import Lab, to_rgb
from sslgraph.components.colours.mixture import ColourMixture
from sslgraph.components.losses.masked_regression import MaskedRegression
from sslgraph.components.wiring.patchify import Patchify
from sslgraph.pipelines.look.report import write_report
from sslgraph.pipelines.look.report.painted import unpatched
from sslgraph.pipelines.train.loop import train
from sslgraph.pipelines.train.prepare import settled


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
    lab = Lab()(image)
    scores = torch.full((1, 2, 2, 313), -50.0)
    scores[..., colour] = 50
    found = op.pictures(image, lab.ab, scores)
    grey = found["seen"]
    torch.testing.assert_close(found["painted"], image, atol=1e-3, rtol=0)
    torch.testing.assert_close(grey.amax(1), grey.amin(1), atol=1e-3, rtol=0)
    assert (image.amax(1) - image.amin(1)).min() > 0.1


def test_the_page_of_a_run_that_paints_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "mae"
    small = {"data.images": 48, "data.test_images": 20, "batch": 16, "epochs": 1, "evaluate": {}}
    train(settled({"recipe": "demo/mae", "overrides": small, "out": str(run)}))
    monkeypatch.setattr("sslgraph.pipelines.look.report.seen.maps", lambda *_: ())
    page = write_report([run], tmp_path / "page.html", most=20).read_text(encoding="utf-8")
    assert ">Painted</h2>" in page and page.count(", image") >= 15 and 'alt="painted, image ' in page
