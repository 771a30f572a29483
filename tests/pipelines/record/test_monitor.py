"""Broken methods collapse and are named with the edge and the remedy; a run that learns raises no alarm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sslgraph.checked import sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.pipelines.record import diagnosis
from sslgraph.pipelines.record.monitor import Monitor, queue_ages
from sslgraph.pipelines.train.loop import train
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import method_in
from sslgraph.schedules import Clock

NETS = """
set:
  nets.f.depth: 10
  nets.f.width: 4
  nets.f.stem: small
  views.x1.size: 16
  views.x2.size: 16
  nets.g.hidden: [16]
  nets.g.out: 16
  nets.g.output_norm: none
"""
RUN = """
data: {use: sources.shapes, images: 256}
steps: 60
batch: 64
optimizer: {use: adamw, lr: 1e-2, weight_decay: 0}
precision: float32
monitor: 5 steps
"""
NO_STOP = f"""recipe: broken
method:
  extends: simsiam
  method: SimSiam without stop-gradient
  remove: [flow.t1, flow.t2]
  losses:
    one: {{use: losses.negative_cosine, of: [p1, z2], weight: 0.5}}
    two: {{use: losses.negative_cosine, of: [p2, z1], weight: 0.5}}
{NETS}  nets.h.hidden: [8]
  nets.h.out: 16
{RUN}"""
NO_PREDICTOR = f"""recipe: broken
method:
  extends: simsiam
  method: SimSiam without predictor
  remove: [flow.p1, flow.p2, nets.h]
  losses:
    one: {{use: losses.negative_cosine, of: [z1, t2], weight: 0.5}}
    two: {{use: losses.negative_cosine, of: [z2, t1], weight: 0.5}}
{NETS}{RUN}"""
NO_CENTRE = f"""recipe: broken
method:
  extends: dino
  method: DINO without centre
  remove: [state.center, after_step, losses.dino.center]
replace:
  nets.s: {{use: backbones.resnet, depth: 10, width: 4, stem: small}}
  targets.t: {{ema_of: s, momentum: 0.9}}
set:
  nets.hs.out: 64
  nets.hs.hidden: 16
  nets.hs.bottleneck: 8
  nets.hs.norm: batch
  targets.ht.momentum: 0.9
  views.x1.size: 16
  views.x2.size: 16
  views.local_crops.size: 16
  views.local_crops.copies: 2
  views.x1.blur.p: 0
  views.x2.blur.p: 0
  views.local_crops.blur.p: 0
  losses.dino.teacher_temperature: 0.04
{RUN.replace("1e-2", "5e-3")}"""
SIMCLR = {
    "nets.f.width": 4, "views.x.size": 16, "nets.g.hidden": [16], "nets.g.out": 8, "data.images": 256, "batch": 64,
    "evaluate": {}, "steps": 20, "monitor": "5 steps", "precision": "float32",
}  # fmt: skip


def trained(recipe: str, out: Path, **given: Any) -> dict[str, Any]:
    return train({"recipe": recipe, "overrides": given, "out": str(out)})


def written(text: str, folder: Path) -> str:
    (folder / "broken.yaml").write_text(text)
    return str(folder / "broken.yaml")


def test_without_a_predictor_the_projection_collapses_and_a_predictor_is_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = trained(written(NO_PREDICTOR, tmp_path), tmp_path / "run")["diagnosis"]
    assert found.startswith("g.x1: all images give nearly one vector (std 0.0")
    assert "f.x1 before it still tells them apart; loss one -0.99" in found
    assert "give one side a predictor of its own" in found and "arXiv:2006.07733, table 5b" in found
    assert "warning at step " in capsys.readouterr().out


@pytest.mark.slow
def test_without_stop_gradient_the_projection_collapses_and_stopping_is_the_remedy(tmp_path: Path) -> None:
    (found,) = trained(written(NO_STOP, tmp_path), tmp_path / "run")["diagnosis"]
    assert found.startswith("g.x1: all images give nearly one vector")
    assert "stop one side with stopgrad(...)" in found and "arXiv:2011.10566, section 4.1" in found


@pytest.mark.slow
def test_without_a_centre_few_prototypes_take_all_images(tmp_path: Path) -> None:
    (found,) = trained(written(NO_CENTRE, tmp_path), tmp_path / "run")["diagnosis"]
    assert found.startswith("dino: loss dino ") and "take all images" in found
    assert "centre the teacher (center: center.read)" in found


def test_a_temperature_of_ten_makes_all_choices_alike_and_the_loss_stands_at_its_chance(tmp_path: Path) -> None:
    summary = trained("simclr", tmp_path, **SIMCLR, **{"losses.contrast.temperature": 10})
    (found,) = summary["diagnosis"]
    assert found.startswith("contrast: loss contrast 4.8") and "= ln 127" in found
    assert "similarities over the temperature (10) are all alike" in found and "arXiv:2002.05709" in found


def test_a_run_that_learns_raises_no_alarm_and_its_edges_stand_in_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = trained("simclr", tmp_path, **SIMCLR)
    assert summary["diagnosis"] == [] and "warning" not in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 21))
    looks = [line for line in lines if "monitor/f.x/std" in line]
    assert [look["step"] for look in looks] == [1, 5, 10, 15, 18, 19, 20]  # every five, and the last three
    assert {"monitor/g.x/cosine", "monitor/g.x/rank", "monitor/g.x/align", "monitor/g.x/uniform"} <= looks[0].keys()
    assert 1 < looks[-1]["monitor/g.x/rank"] <= 8 and looks[-1]["monitor/contrast/choice_spread"] > 0.2


def test_looking_changes_no_bit_of_what_is_trained(tmp_path: Path) -> None:
    given = {**SIMCLR, "steps": 6}
    for name, every in (("looked", "2 steps"), ("not", None)):
        trained("simclr", tmp_path / name, **{**given, "monitor": every})
    one, other = (
        torch.load(tmp_path / name / "checkpoints/step_00000006/method.pt", weights_only=True)
        for name in ("looked", "not")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def method(name: str, batch: int = 16, **given: Any) -> CompiledMethod:
    loaded = method_in(load_recipe(name, given))
    return CompiledMethod(sized_graph(wired(loaded), loaded, batch=batch, dataset=64, image=(32, 32)))


def test_edges_are_named_by_net_and_first_view_and_pairs_are_found() -> None:
    byol = method("byol")
    assert [edge.name for edge in byol.watch.edges] == ["f.x1", "g.x1", "q.x1", "ft.x1", "gt.x1"]
    assert all(edge.other and edge.views == 1 and edge.rows == 16 for edge in byol.watch.edges if edge.net != "ft")
    dino = {edge.name: edge for edge in method("dino").watch.edges}
    assert list(dino) == ["s.x1", "hs.x1", "t.x1", "ht.x1"]
    assert [name for name, edge in dino.items() if edge.is_scores] == ["hs.x1", "ht.x1"] and dino["t.x1"].views == 2


def test_a_queue_is_as_old_as_its_rows_over_those_of_a_step() -> None:
    assert queue_ages(method("moco_v2", **{"state.queue.size": 64})) == {"queue": 4}


def look(name: str, std: float = 1.0, cosine: float = 0.0, rank: float = 10.0) -> dict[str, float]:
    return {f"monitor/{name}/std": std, f"monitor/{name}/cosine": cosine, f"monitor/{name}/rank": rank}


def test_the_edge_at_which_the_rank_dies_is_named_with_the_one_before() -> None:
    simclr = method("simclr")
    clock = Clock(1, 10)
    looks = [look("f.x", rank=30) | look("g.x", rank=1.55)] * 3
    (found,) = diagnosis.diagnose(simclr, looks, {"contrast": 2.0}, 10, clock)
    assert found.says == "f.x 30/32, g.x 2/32: the rank dies in 'g'"
    assert diagnosis.diagnose(simclr, [looks[0], look("f.x") | look("g.x")], {"contrast": 2.0}, 10, clock) == ()


def test_a_projection_of_many_dimensions_may_be_narrow_and_not_thin_and_barlow_twins_has_its_own_remedy() -> None:
    barlow = method("barlow_twins", batch=64, **{"nets.g.hidden": [8], "nets.g.out": 64})
    clock, wide = Clock(1, 10), look("f.x1", rank=30)

    def said(rank: float) -> list[str]:
        return [
            f.cure for f in diagnosis.diagnose(barlow, [wide | look("g.x1", rank=rank)] * 3, {"twins": 9.0}, 10, clock)
        ]

    crowded = [wide | look("g.x1", rank=2.6, cosine=0.9)] * 3
    assert diagnosis.diagnose(barlow, crowded, {"twins": 9.0}, 10, clock) != ()  # few directions, and all one way
    assert said(2.6) == [] and len(said(2.4)) == 1 and "raise redundancy: 0.0051" in said(2.0)[0]


def test_rows_of_one_number_have_no_direction_to_collapse_to() -> None:
    clock, dead = Clock(1, 10), [look("f.x1", rank=30) | look("g.x1", rank=1, cosine=1.0, std=0.0)] * 3
    one, two = (method("barlow_twins", batch=64, **{"nets.g.hidden": [8], "nets.g.out": out}) for out in (1, 2))
    assert diagnosis.diagnose(one, dead, {"twins": 0.5}, 10, clock) == ()
    assert diagnosis.diagnose(two, dead, {"twins": 0.5}, 10, clock)[0].place == "g.x1"


def test_few_prototypes_are_few_of_those_that_a_batch_could_use() -> None:
    dino = method("dino", batch=128, **{"nets.hs.out": 512})  # 256 rows of the teacher could use 256 of 512
    edges = look("s.x1") | look("t.x1", rank=60)

    def said(used: float) -> list[str]:
        looks = [{**edges, "monitor/dino/prototypes_used": used}] * 3
        return [f.says for f in diagnosis.diagnose(dino, looks, {"dino": 1.0}, 10, Clock(1, 10))]

    blunt = [{**edges, "monitor/dino/teacher_entropy": 0.95}] * 3
    (found,) = diagnosis.diagnose(dino, blunt, {"dino": 5.3}, 10, Clock(1, 10))
    assert "the teacher's output is uniform (entropy 0.95 of the highest)" in found.says
    assert said(11.4) == [] and said(2.9)[0].endswith("2.9 prototypes of 512 take all images")


def test_a_loss_at_its_chance_is_no_better_than_chance() -> None:
    rotation = method("rotation")
    clock = Clock(1, 10)
    (found,) = diagnosis.diagnose(rotation, [look("f.x") | look("head.x")], {"ce": 1.3863}, 10, clock)
    assert found.says == "loss ce 1.3863 = ln 4: no better than chance"
    learned = [{"ce": 1.2}, {"ce": 1.386}]  # it was better a moment ago: the head was made anew, or the batch is hard
    looks = [look("f.x") | look("head.x")]
    assert diagnosis.diagnose(rotation, looks, {"ce": 1.3863}, 10, clock, before=learned) == ()
    assert diagnosis.diagnose(rotation, looks, {"ce": 1.3863}, 10, clock, before=learned[1:]) == (found,)
    assert diagnosis.diagnose(rotation, looks, {"ce": 1.3863}, 4, clock) == ()  # it may yet learn


def test_only_the_first_rank_looks_and_only_when_due() -> None:
    simclr = method("simclr")
    record: Any = type("Record", (), {"more": None})()
    monitor = Monitor(simclr, 10, record, Clock(1, 100))
    asked = []
    simclr.watch.ask = lambda: asked.append(True)  # type: ignore[method-assign]
    for step in range(1, 31):
        monitor.watch(step)
    assert len(asked) == 4  # steps 1, 10, 20, 30
    monitor.is_first = False
    monitor.watch(40)
    assert len(asked) == 4 and monitor.fetch() == {}
