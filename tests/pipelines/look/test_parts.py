"""Parts are listed and shown from their files alone: what a writer of specs needs, and nothing imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import Command
from command import sslgraph as sslgraph

from sslgraph.parts import registry
from sslgraph.pipelines.look import parts

ROOT = Path(__file__).parents[3]


def test_every_part_has_a_line_that_fits_and_a_page() -> None:
    lines = [line for line in parts.listing().splitlines() if line]
    assert [line.split()[0] for line in lines] == list(registry.catalogue())
    for name in registry.catalogue():
        assert parts.page(name).startswith(f"{name}: ")


def test_parts_are_found_by_a_word(sslgraph: Command) -> None:
    assert [line.split()[0] for line in parts.listing("supervised").splitlines()] == ["losses.nt_xent"]
    assert "assignments.permutation  " in sslgraph("list", "parts", "hungarian").out
    assert (
        "no part has 'zebra' in its first line; sslgraph list parts shows all" in sslgraph("list", "parts", "zebra").err
    )


def test_a_page_says_settings_inputs_outputs_writes_and_source() -> None:
    page = parts.page("memory.fifo")
    count = "a whole number of at least 1"
    assert f"\nsettings:\n  size: {count}, default 65536\n  dim: {count}, may be left out\n" in page
    assert "\noutputs:\n  Float[size dim]\n" in page
    assert "\nwrites, for after_step:\n  push(rows: Float[batch dim])\n" in page
    source = "arXiv:1911.05722, section 3.2 and Algorithm 1"
    assert page.endswith(f"\ntraits:\n  source: {source}\n  title: queue\n  role: queue")
    assert "\n  agrees: query, key\n" in parts.page("losses.info_nce")
    assert "\n  sane: temperature: 0.03, 1.0\n" in parts.page("losses.info_nce")
    assert "\n  spans_batch: true\n" in parts.page("losses.info_nce")
    assert "negatives: Float[size dim], may be left out" in parts.page("losses.info_nce")
    assert "temperature: a number above 0 or a schedule, default 0.2" in parts.page("losses.info_nce")
    assert "filled by itself:\n  clock: seed, epoch and step\n" in parts.page("wiring.mix")
    assert "filled by itself:\n  draw: seed, epoch, image and view of each row" in parts.page("masks.uniform")


def test_the_command_line_shows_parts_and_augmentations(sslgraph: Command) -> None:
    assert sslgraph("show", "heads.mlp").out.startswith("heads.mlp: ")
    assert "losses.dino" in sslgraph("list", "parts").out
    assert "byol_a" in sslgraph("list", "augmentations").out


@pytest.mark.parametrize(
    ("name", "said"), [("losses.dinno", "did you mean 'losses.dino'?"), ("own.parts:Loss", "--plugin own.parts")]
)
def test_a_part_that_is_not_there_or_not_allowed_is_refused(sslgraph: Command, name: str, said: str) -> None:
    found = sslgraph("show", name)
    assert found.code == 1 and said in found.err and "Traceback" not in found.err


def test_it_imports_no_torch() -> None:
    program = (
        "import sys; from sslgraph.pipelines.look import parts; parts.page('losses.dino'); "
        "print('torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_a_part_of_torch_is_told_like_a_shipped_one() -> None:
    page = parts.page("torch.nn:SmoothL1Loss", ("torch.nn",))
    assert page.startswith("torch.nn:SmoothL1Loss\n\nCreates a criterion that uses a squared term")
    assert "\n  reduction: text, default mean\n  beta: a number, default 1.0\n" in page
    assert "inputs:\n  input: Tensor\n  target: Tensor\n" in page
