from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from rates import rates
from torch.utils.flop_counter import FlopCounterMode

from sslgraph import collectives
from sslgraph.collectives import Message
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.pipelines.plan.plan import GIB, Asked, bytes_of, planned
from sslgraph.pipelines.plan.rehearsal import Rehearsal, rehearse
from sslgraph.pipelines.plan.text import page, processor_line, text
from sslgraph.read.load import load_recipe
from sslgraph.read.loaded import method_in


def meta(use: str, **settings: object) -> torch.nn.Module:
    with torch.device("meta"):
        return registry.build(use, settings)


@pytest.mark.parametrize(("use", "settings", "multiply_adds", "parameters"), [
    # He et al., table 1 counts 3.8 for the 50 layers; torchvision's page says 4.09. Without the last layer.
    ("backbones.resnet", {"depth": 50, "channels": 3}, 4.09e9, 23_508_032),
    # Dosovitskiy et al.; timm's table of results says 17.6. Without the last layer.
    ("backbones.vit", {"preset": "base", "patch": 16, "channels": 3, "size": 224}, 17.6e9, 85_798_656),
    # Caron et al., table 1: 21 million for DINO's ViT-S/16.
    ("backbones.vit", {"preset": "small", "patch": 16, "channels": 3, "size": 224}, 4.6e9, 21_665_664),
])  # fmt: skip
def test_counts_are_the_published_ones(
    use: str, settings: dict[str, object], multiply_adds: float, parameters: int
) -> None:
    net = meta(use, **settings)
    assert sum(p.numel() for p in net.parameters()) == parameters
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.empty(1, 3, 224, 224, device="meta"))
    assert counter.get_total_flops() / 2 == pytest.approx(multiply_adds, rel=0.01)


def rehearsal(images: int, messages: tuple[Message, ...] = (), kept: int = 1000) -> Rehearsal:
    """A net of 100 trained and 10 followed numbers whose loss compares all pairs of the batch."""
    return Rehearsal(images, 4, 50 * images + 2 * images**2, kept * images, 24 * images, 100, 10, 60, messages)


def asked(**changes: object) -> Asked:
    given = {"batch": 64, "epochs": 3, "images": 1000, "gpus": 4, "memory": 20_000.0, "tflops": 1e-9}
    return Asked(**(given | {"network": 100.0} | changes))  # type: ignore[arg-type]


def test_a_plan_by_hand() -> None:
    plan = planned(asked(memory=21_000.0), [rehearsal(m) for m in (2, 4, 8)])
    assert plan.fixed == 100 * 16 + 10 * 4 + 60  # weights, gradients and two moments of 4 bytes; targets; state
    assert plan.micro == 16  # of 16 local images: 1700 + 16 x 1024 = 18,084 bytes are less than 0.9 x 21,000
    assert (plan.kept, plan.flops, plan.steps) == (1024, 50 + 2 * 16, 3 * (1000 // 64))


def test_the_largest_divisor_that_fits_is_taken() -> None:
    points = [rehearsal(m) for m in (2, 4, 8)]
    assert planned(asked(memory=20_000.0), points).micro == 8
    assert planned(asked(memory=21_000.0), points).micro == 16
    assert planned(asked(memory=4_500.0), points).micro == 2
    assert planned(asked(memory=1_500.0), points).micro is None


def test_messages_grow_with_the_micro_batch_and_their_number() -> None:
    points = [rehearsal(m, (Message("all_gather", 8 * m), Message("all_reduce", 40))) for m in (2, 4, 8)]
    plan = planned(asked(memory=20_000.0), points)  # two micro-batches of 8
    assert plan.messages == (
        ("gradients, all_reduce", 1, 2 * 3 / 4 * 400),
        ("the method's own, all_gather", 2, 2 * 3 * 64),
        ("the method's own, all_reduce", 2, 2 * 2 * 3 / 4 * 40),
    )
    assert planned(asked(gpus=1, memory=1e9), points).messages == ()


def test_hours_are_arithmetic_over_rate() -> None:
    plan = planned(asked(memory=20_000.0), [rehearsal(m) for m in (2, 4, 8)])
    assert plan.flops == 66 and plan.rate == pytest.approx(1000 / 66)
    assert plan.hours == pytest.approx(45 * 64 * 66 / 1000 / 4 / 3600)


def test_a_recipe_that_counts_steps_is_planned_for_them_unless_epochs_are_given() -> None:
    asked = {"gpus": 1, "memory": "80GB", "images": 1000}
    changes = {"steps": 75, "batch": 100, "views.x.size": 32, "nets.f.width": 8}
    first = page("demo/simclr", asked, overrides=changes).splitlines()[0]
    assert first.endswith("batch 100 on 1 GPU, 7.5 epochs of 1,000 images, 75 steps")
    first = page("demo/simclr", {**asked, "epochs": 3}, overrides=changes).splitlines()[0]
    assert first.endswith("batch 100 on 1 GPU, 3 epochs of 1,000 images, 30 steps")


def test_the_page_says_what_fits_and_what_is_assumed() -> None:
    points = [rehearsal(m) for m in (2, 4, 8)]
    assert "accumulate: 2" in text(planned(asked(memory=20_000.0), points), name="mine")
    assert "nothing fits" in text(planned(asked(memory=1_500.0), points), name="mine")
    assert "give yours with --tflops" in text(planned(asked(tflops=100.0), points), name="mine")
    one = text(planned(asked(gpus=1, epochs=1, images=64), points), name="mine")
    assert one.startswith("mine: batch 64 on 1 GPU, 1 epoch of 64 images, 1 step\n")


def test_a_processors_hours_are_those_of_its_calibration() -> None:
    plan = planned(asked(gpus=1, memory=1e9), [rehearsal(m) for m in (2, 4, 8)])  # 66 to 178 operations an image
    here = rates(short=2.0, **{"convolutions bfloat16 channels-last": 4e9, "product bfloat16": 8e9})
    line = processor_line(plan, here, wish="auto", convolves=True)
    hours = 64 * plan.steps * plan.flops / 4e9 / torch.get_num_threads() / 3600
    assert line.startswith(f"  this processor {hours:.3g} hours in bfloat16 with {torch.get_num_threads()} thread")
    if torch.get_num_threads() == 1:
        assert "0.004 TFLOP/s for blocks like this net's" in line and line.endswith("0.008 for its best product")
    assert "float32" in processor_line(plan, here, wish="float32", convolves=True)


def test_in_a_rehearsal_nothing_is_sent_and_everything_is_noted() -> None:
    rows = torch.zeros(3, 5, requires_grad=True)
    with collectives.rehearsed(4) as messages:
        assert (collectives.ranks(), collectives.rank()) == (4, 0)
        collectives.gather_with_gradient(rows).sum().backward()
        collectives.broadcast(torch.zeros(7, dtype=torch.float64))
    assert messages == [Message("all_gather", 60), Message("all_reduce", 240), Message("broadcast", 56)]
    assert collectives.ranks() == 1
    assert [message.traffic(4) for message in messages] == [180, 360, 56]


def test_a_rehearsed_step_of_simclr_gathers_its_embeddings_and_sends_their_gradient_back() -> None:
    loaded = method_in(load_recipe("demo/simclr"))
    two, four = (rehearse(loaded, images=m, ranks=2) for m in (2, 4))
    width = 4 * loaded.spec.nets["g"].settings["out"]  # bytes of an embedding
    assert Message("all_gather", 2 * 2 * width) in two.messages
    assert Message("all_reduce", 2 * 2 * 2 * width) in two.messages
    assert four.trained == two.trained > 0 == two.followed
    # What does not grow with the batch is autocast's copy of the weights, two bytes each.
    assert 2 * two.kept - four.kept == pytest.approx(2 * two.trained, rel=0.1)
    assert 1.9 < four.flops / two.flops < 2.3


@pytest.mark.parametrize(("given", "message"), [
    ({"gpus": 3, "batch": 256}, "a batch of 256 can't be shared evenly by 3 GPUs"),
    ({"memory": "80 apples"}, "--memory 80 apples is no amount of memory"),
    ({"gpus": 0}, "--gpus 0 plans nothing"),
])  # fmt: skip
def test_what_can_not_be_planned_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(SslgraphError, match=re.escape(message)):
        page("demo/simclr", {"gpus": 1, "memory": "80GB", **given})


def test_a_part_that_needs_numbers_is_named(tmp_path: Path) -> None:
    (tmp_path / "covariance.yaml").write_text("""
method: Covariance
views: {x: {augment: crop_flip}}
nets: {f: {use: backbones.resnet, depth: 10, width: 8}}
flow: {z: f(x).pooled}
losses: {l: {use: number_parts:Covariance, of: [z]}}
export: f
""")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("""
recipe: Covariance
method: covariance.yaml
data: {use: sources.shapes}
steps: 2
batch: 4
optimizer: {use: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0}
plugins: [number_parts]
""")
    with pytest.raises(SslgraphError, match=r"and 'l' \(number_parts:Covariance\) can't run on them; write it without"):
        page(str(recipe), {"gpus": 1, "memory": "80GB"}, plugins=("number_parts",))


def test_amounts_of_memory() -> None:
    assert bytes_of("80GB") == 80e9 and bytes_of("24 GiB") == 24 * GIB and bytes_of("1000") == 1000
