"""The forms of a run follow from the rates of its machine alone, and stay what they were when it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rates import rates
from torch import nn
from two_ranks import Both

from sslgraph.pipelines.machine import calibration, chosen_forms, machine, small_maps
from sslgraph.pipelines.machine.chosen_forms import Forms, chosen
from sslgraph.pipelines.storage import checkpoint
from sslgraph.pipelines.train import loop
from sslgraph.pipelines.train.start.prepare import prepare

AMX = {
    "map_2_bfloat16_weight_product": 9e9, "map_2_bfloat16_output_product": 2e9,
    "map_4_bfloat16_weight_product": 9e9, "map_4_bfloat16_output_product": 2e9,
    "map_8_bfloat16_weight_product": 2e9, "map_8_bfloat16_output_product": 0.5e9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("short", "found"), [(3.0, "bfloat16"), (1.2, "bfloat16"), (1.05, "float32"), (0.3, "float32")]
)
def test_bfloat16_is_taken_where_it_is_clearly_faster(short: float, found: str) -> None:
    assert chosen(rates(short=short), wish="auto", convolves=True).precision == found


def test_nets_of_convolutions_and_of_attention_are_judged_by_their_own_kind() -> None:
    vectors = rates(short=0.5, transformer_bfloat16_products=3e9)
    assert chosen(vectors, wish="auto", convolves=True).precision == "float32"
    assert chosen(vectors, wish="auto", convolves=False).precision == "bfloat16"


@pytest.mark.parametrize("wish", ["float32", "bfloat16", "float64"])
def test_a_recipe_that_names_a_precision_has_it(wish: str) -> None:
    for short in (0.1, 10.0):
        found = chosen(rates(short=short), wish=wish, convolves=True)
        assert found.precision == wish and found.why.endswith(f"precision: {wish}")


def test_each_form_follows_its_own_rates() -> None:
    plain = chosen(rates(), wish="auto", convolves=True)
    assert (plain.channels_last, plain.fused_attention, plain.threads) == (True, False, torch.get_num_threads())
    assert plain.maps == {"float32": (0, 0), "bfloat16": (0, 0)}
    assert not chosen(
        rates(**{"convolutions float32 channels-first": 1.2e9}), wish="auto", convolves=True
    ).channels_last
    assert chosen(rates(transformer_float32_fused=1.2e9), wish="auto", convolves=True).fused_attention
    assert not chosen(rates(transformer_bfloat16_fused=1.2e9), wish="auto", convolves=True).fused_attention


def test_small_maps_are_products_up_to_the_first_size_at_which_they_do_not_win() -> None:
    found = chosen(rates(short=3, **AMX), wish="auto", convolves=True)
    assert found.maps == {"bfloat16": (64, 16), "float32": (0, 0)}
    holed = {**AMX, "map_4_bfloat16_weight_product": 0.5e9}
    assert chosen(rates(short=3, **holed), wish="auto", convolves=True).maps["bfloat16"] == (4, 4)
    unseen = {name: rate for name, rate in rates().items() if not name.startswith("map")}
    assert chosen(unseen, wish="auto", convolves=True).maps["float32"] == small_maps.LIMITS[torch.float32]


@pytest.mark.parametrize(("by_count", "found"), [
    ({1: 10.0, 2: 19.0, 4: 30.0}, 4),
    ({1: 10.0, 2: 19.0, 4: 18.0}, 4),  # noise
    ({1: 10.0, 2: 19.0, 4: 12.0}, 2),
    ({1: 10.0, 2: 4.0}, 1),
])  # fmt: skip
def test_fewer_threads_are_taken_only_where_they_are_clearly_faster(by_count: dict[int, float], found: int) -> None:
    here = {name: rate for name, rate in rates().items() if not name.startswith("threads")}
    here |= {f"threads {count}": rate for count, rate in by_count.items()}
    assert chosen(here, wish="auto", convolves=True).threads == found


def test_patches_do_not_make_a_net_convolutional() -> None:
    patches, plain = nn.Conv2d(3, 8, 4, stride=4), nn.Conv2d(3, 8, 3, padding=1)
    assert not chosen_forms.convolves([nn.Sequential(patches, nn.Linear(8, 8))])
    assert chosen_forms.convolves([nn.Linear(8, 8), nn.Sequential(patches, plain)])


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fused_attn, self.convolution = True, nn.Conv2d(3, 4, 3)


def test_a_net_is_given_the_forms_and_the_users_word_about_attention_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIMM_FUSED_ATTN", raising=False)
    net = Attention()
    weight = net.convolution.weight
    Forms("float32", maps={"float32": (9, 1)}).on(net)
    assert not net.fused_attn and net.convolution.weight is weight
    assert net.convolution.limits == {torch.float32: (9, 1), torch.bfloat16: (1, 1)}
    monkeypatch.setenv("TIMM_FUSED_ATTN", "0")
    Forms("float32", fused_attention=True).on(net)
    assert not net.fused_attn


def test_forms_are_written_down_as_plain_values() -> None:
    made = chosen(rates(short=3, **AMX), wish="auto", convolves=True)
    again = Forms.recorded(json.loads(json.dumps(made.record())))
    assert again == Forms(**{**made.record(), "why": "as the run began"})
    assert "bfloat16, channels last, products for maps up to 64 places" in str(again)


SMALL = {"data.images": 64, "batch": 8, "steps": 4, "epochs": None, "evaluate": {}, "monitor": None}


def a_run(folder: Path, **changes: Any) -> tuple[Forms, dict[str, Any]]:
    run = prepare({"recipe": "demo/simclr", "overrides": {**SMALL, **changes}, "out": str(folder)})
    return run.forms, loop.loop(run)


def test_a_run_goes_on_in_the_forms_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    calibration.keep(rates(short=3, **AMX))
    begun, summary = a_run(tmp_path / "run")
    assert (begun.precision, summary["precision"], summary["forms"]["maps"]["bfloat16"]) == (
        "bfloat16",
        "bfloat16",
        (64, 16),
    )
    (tmp_path / "run" / "summary.json").unlink()
    newest = checkpoint.complete(tmp_path / "run" / "checkpoints")[-1]
    (newest / "COMPLETE").unlink()
    calibration.keep(rates(short=0.3))  # a machine on which it would begin otherwise
    assert a_run(tmp_path / "other")[0].precision == "float32"
    again, summary = a_run(tmp_path / "run")
    assert (again.precision, again.maps, again.why) == ("bfloat16", begun.maps, "as the run began")
    starts = [json.loads(line) for line in (tmp_path / "run" / "starts.jsonl").read_text().splitlines()]
    assert [start["forms"]["precision"] for start in starts] == ["bfloat16", "bfloat16"]
    said = (tmp_path / "run" / "introduction.txt").read_text()
    assert "chosen for this machine: bfloat16, channels last" in said and "(as the run began)" in said


def test_a_run_takes_no_more_threads_than_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, on = torch.get_num_threads(), torch.device("cpu")
    record = Forms("float32", threads=64).record()
    monkeypatch.setattr(checkpoint, "about", lambda _: {"forms": record})
    found = chosen_forms.of_run(tmp_path, "auto", [], on)
    assert found.threads == 64
    change = f"64 threads when it began and {here} now: the last bits will differ"
    assert found.why == f"{change}; OMP_NUM_THREADS=64 keeps them"
    assert torch.get_num_threads() == here
    monkeypatch.setattr(checkpoint, "about", lambda _: {"forms": {**record, "device": "cuda"}})
    assert chosen_forms.of_run(tmp_path, "auto", [], on).why != "as the run began"


def test_pinned_threads_are_used_on_any_number_of_cores_and_give_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    here, found = torch.get_num_threads(), []
    try:
        for cores in (4, 1):
            monkeypatch.setattr(machine, "cores", lambda cores=cores: cores)
            forms, summary = a_run(tmp_path / f"of-{cores}-cores", threads=3)
            assert (forms.threads, torch.get_num_threads(), summary["forms"]["threads"]) == (3, 3, 3)
            found.append(checkpoint.load(tmp_path / f"of-{cores}-cores" / "checkpoints" / "step_00000004"))
    finally:
        torch.set_num_threads(here)
    one, other = found
    assert one.run["losses"] == other.run["losses"]
    assert all(torch.equal(value, other.method[name]) for name, value in one.method.items())


def ranks_agree() -> str:
    """Each rank's machine says something else; the first one's word stands."""
    from sslgraph import collectives

    mine = rates(short=3.0 if collectives.rank() == 0 else 0.3)
    chosen_forms.calibrated = lambda: mine  # type: ignore[assignment]
    return chosen_forms.of_run(Path("nowhere"), "auto", [nn.Conv2d(3, 3, 3)], torch.device("cpu")).precision


CHECKS = {"ranks agree": ranks_agree}


def test_all_ranks_take_the_first_ones_forms(both: Both) -> None:
    assert both("ranks agree") == ["bfloat16", "bfloat16"]
