"""Verify says of right methods that they are equal, and finds planted mistakes of the kinds that peers shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from sslgraph.checked import wired
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.commands.app import app
from sslgraph.pipelines.verify.difference import difference, distance, unequal
from sslgraph.pipelines.verify.judge import Judge, why
from sslgraph.pipelines.verify.rank_local import rank_local, spanning
from sslgraph.pipelines.verify.trial import Seen
from sslgraph.pipelines.verify.trials import Verdict, Wish
from sslgraph.pipelines.verify.verify import counts, plan_of, verify
from sslgraph.read import catalogue
from sslgraph.read.load import load_method

LOST = """
method: lost gradient
family: other
views: {x1: {augment: simclr, size: 8}, x2: {augment: simclr, size: 8}}
nets:
  f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
flow: {a: l2(f(x1)), b: l2(f(x2))}
losses: {c: {use: "rank_parts:LostGradient", of: [a, b]}}
export: f
"""
NOISE = """
method: noise
family: other
views: {x1: {augment: simclr, size: 8}, x2: {augment: simclr, size: 8}}
nets:
  f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
ops: {noise: {use: "rank_parts:OwnNoise"}}
flow: {a: noise(f(x1)), b: f(x2), z: "l2(bag(a, b))"}
losses: {c: {use: losses.nt_xent, of: [z], temperature: 0.5}}
export: f
"""

KEYS = """
method: keys of a pass
family: other
views: {x: {augment: simclr, copies: 2, size: 8}, xc: {augment: center, size: 8}}
nets:
  f: {use: backbones.resnet, depth: 10, width: 4, stem: small}
state:
  old: {use: memory.fifo, size: 40}
phases:
  - name: look
    every: 1 epoch
    flow: {e: f(xc)}
    collect: e
    then: [old.push(l2(e))]
  - name: train
    flow: {z: l2(f(x)), a: "z[0]", b: "z[1]"}
    losses: {c: {use: losses.info_nce, of: [a, b], negatives: old.read, temperature: 0.5}}
export: f
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """A shipped method with queue and shuffle, and a wrong one, on one and two ranks in one go of the processes."""
    folder = tmp_path_factory.mktemp("methods")
    (folder / "lost.yaml").write_text(LOST)
    (folder / "noise.yaml").write_text(NOISE)
    (folder / "keys.yaml").write_text(KEYS)
    (folder / "white.yaml").write_text(NOISE.replace('"rank_parts:OwnNoise"', "wiring.whiten"))
    (folder / "moco.yaml").write_text(
        "recipe: small\nmethod: moco_v2\nset:\n  nets.f.depth: 10\n  nets.f.width: 4\n  nets.f.stem: small\n"
        "  nets.g.hidden: [16]\n  nets.g.out: 8\n  state.queue.size: 32\n  views.xq.size: 16\n  views.xk.size: 16\n"
        "  views.xq.blur.p: 0\n  views.xk.blur.p: 0\n"
        "data: {use: sources.shapes}\nsteps: 4\nbatch: 8\n"
        "optimizer: {use: adamw, lr: 1e-3, weight_decay: 0, clip: {norm: 0.1}}\n"
    )
    names = [str(folder / f"{name}.yaml") for name in ("moco", "white", "lost", "noise", "keys")]
    wish = Wish(ranks=(1, 2), resume=True)
    found = verify(names, wish, plugins=("rank_parts",), overrides={"data.images": 40})
    return {Path(verdict.name).stem: verdict for verdict in found}


def test_a_shipped_method_is_equal_on_two_ranks_and_after_a_resume(verdicts: dict[str, Verdict]) -> None:
    moco = verdicts["moco"]
    assert moco.is_right, str(moco)
    assert max(moco.worst.values()) < 1e-10 and moco.worst["gradients, 2 ranks"] > 0
    said = str(moco)
    assert "10 + 10 steps = 20 on 2 ranks: to the last bit" in said
    assert "10 steps on 1 rank, then 10 on 2 ranks" in said and "10 steps on 2 ranks, then 10 on 1 rank" in said


def test_a_queue_that_a_pass_fills_holds_each_image_once_on_any_number_of_ranks(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["keys"].is_right, str(verdicts["keys"])


def test_what_the_paper_leaves_to_each_rank_is_named_with_what_joins_it(verdicts: dict[str, Verdict]) -> None:
    assert (
        "rank-local: BatchNorm of 'f' sees the images of one rank (sync_norm: false); "
        "verified with --set nets.f.sync_norm=true"
    ) in verdicts["moco"].lines


@pytest.mark.parametrize(("gradient", "is_equal"), [(1e-13, True), (1e-3, False)])
def test_a_weight_that_only_rounding_moves_is_not_judged_by_where_it_went(gradient: float, is_equal: bool) -> None:
    """A bias in front of a BatchNorm: Adam moves it as far as any other, and the ranks' rounding says where to."""
    one, two = (
        Seen(
            gradients=[{"f.weight": torch.ones(2), "f.bias": torch.full((2,), gradient)}],
            states=[{"parts.f.weight": torch.ones(2), "parts.f.bias": torch.full((2,), moved)}],
            last={"parts.f.weight": torch.ones(2), "parts.f.bias": torch.full((2,), moved)},
        )
        for moved in (1e-3, -1e-3)
    )
    judge = Judge(is_double=True)
    assert (judge.states(two, one).size < judge.limit) == is_equal == (judge.ends(two, one).size < judge.limit)


def test_a_gradient_lost_in_a_gather_is_found_though_losses_agree(verdicts: dict[str, Verdict]) -> None:
    lost = verdicts["lost"]
    assert not lost.is_right and lost.worst["gradients, 2 ranks"] > 0.01
    assert any(line.startswith("WRONG: 2 ranks as one, 3 steps: gradients") for line in lost.lines)
    assert any(line.startswith("gradients point elsewhere: a part that compares images") for line in lost.lines)
    # Wrong mathematics still resumes exactly: the two claims are told apart.
    assert "10 + 10 steps = 20 on 2 ranks: to the last bit" in lost.lines


def test_a_part_that_draws_from_torchs_generator_is_named(verdicts: dict[str, Verdict]) -> None:
    noise = verdicts["noise"]
    assert not noise.is_right
    assert (
        "gradients point elsewhere: 'noise' draws random numbers from torch's generator, which differ from rank to "
        "rank; give its forward an input `draw` or `clock` and draw from that"
    ) in noise.lines
    assert not any("draws random numbers" in line for line in verdicts["lost"].lines)


def test_a_method_that_needs_more_images_is_not_called_wrong(verdicts: dict[str, Verdict]) -> None:
    white = verdicts["white"]
    assert not white.is_right and not white.is_tried and "white.yaml: NOT VERIFIED" in str(white)
    (line,) = white.lines
    assert "8 images can't whiten 32 features" in line and line.endswith("of 8 images: another --batch may do")


def test_classes_are_no_more_than_the_images_that_there_are(tmp_path: Path) -> None:
    plan = plan_of("sela", Wish(), (), {}, tmp_path / "plan")
    assert plan.given["ops.solve.classes"] == 12
    assert plan.notes == ("ops.solve.classes is 12 here: 128 images can't fill 500 classes",)
    own = {"data": {"use": "sources.shapes", "images": 600}}
    assert plan_of("sela", Wish(), (), own, tmp_path / "own").notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.names("methods"))
def test_every_shipped_method_is_equal_on_ranks_micro_batches_and_after_a_resume(name: str) -> None:
    (verdict,) = verify([name], Wish(ranks=(1, 2, 4), resume=True, accumulate=True))
    assert verdict.is_right, str(verdict)


@pytest.mark.slow
def test_floats_pass_a_right_method_and_find_a_lost_gradient(tmp_path: Path) -> None:
    (tmp_path / "lost.yaml").write_text(LOST)
    wish = Wish(ranks=(1, 2), resume=True, is_double=False)
    right, lost = verify(["simclr", str(tmp_path / "lost.yaml")], wish, plugins=("rank_parts",))
    assert right.is_right and "by rounding that training lets grow; doubles judge it" in str(right)
    assert not lost.is_right and lost.worst["gradients, 2 ranks"] > 0.01


@pytest.mark.slow
def test_a_process_that_is_ended_from_outside_is_a_verdict_and_the_next_method_has_its_turn(tmp_path: Path) -> None:
    (tmp_path / "deadly.yaml").write_text(NOISE.replace("OwnNoise", "Deadly"))
    (tmp_path / "fine.yaml").write_text(NOISE.replace("noise(f(x1))", "f(x1)").replace("ops:", "# ops:"))
    names = [str(tmp_path / f"{name}.yaml") for name in ("deadly", "fine")]
    deadly, fine = verify(names, Wish(ranks=(1, 2)), plugins=("rank_parts",))
    assert not deadly.is_right and str(deadly).endswith(
        "deadly.yaml: NOT VERIFIED (0 s)\n  process 2 of 2 ended by SIGKILL"
    )
    assert fine.is_right, str(fine)


def watched(*factors: float, kink: int = -1) -> Seen:
    """Three steps of gradients and one state, times a factor each; in one of them a number is another."""
    seen = Seen()
    for step, factor in enumerate(factors):
        gradient = factor * torch.arange(1.0, 101.0)
        gradient[0] += 1.0 if step == kink else 0.0
        seen.gradients.append({"f.weight": gradient, "f.bias": factor * torch.ones(3)})
        seen.states.append({"parts.f.weight": gradient, "parts.queue.rows": torch.ones(2)})
        seen.optimizer.append({"exp_avg of f.weight": gradient})
    return seen


def test_floats_forgive_rounding_that_one_step_lets_grow_and_no_mistake_that_all_have() -> None:
    floats, doubles, right = Judge(is_double=False), Judge(is_double=True), watched(1, 1, 1)
    for mistaken in (watched(0.5, 0.5, 0.5), watched(1.001, 1.001, 1.001)):
        assert floats.gradients(mistaken, right).size > floats.limit
    for rounded in (watched(1 + 1e-6, 1 + 2e-6, 1.5), watched(1, 1, 1, kink=2)):
        assert floats.gradients(rounded, right).size < floats.limit
        assert doubles.gradients(rounded, right).size > doubles.limit
    assert floats.compared(watched(1, 1, 1), right).keys() == {"gradients", "states"}  # not what the optimizer moves
    assert floats.states(watched(2, 2, 2), right).size == 0 < doubles.states(watched(2, 2, 2), right).size


def test_a_distance_is_of_whole_tensors_and_relative_to_their_norm() -> None:
    one = {"a": torch.tensor([3.0, 4.0]), "noise": torch.tensor([1e-9])}
    assert distance({**one, "a": torch.tensor([3.0, 4.5])}, one).size == pytest.approx(0.1)
    assert distance({**one, "noise": torch.tensor([2e-9])}, one).size == pytest.approx(1e-9 / 5e-3)
    assert distance({"a": one["a"]}, one).size == float("inf") and distance(one, one).size == 0
    assert distance({**one, "a": torch.tensor([3.0, float("nan")])}, one).size == float("inf")


def test_ranks_are_read_and_one_process_is_always_among_them() -> None:
    assert counts("4, 2") == (1, 2, 4)
    for wrong in ("two", "0", "1,,2", "-1"):
        with pytest.raises(SslgraphError, match="write numbers of processes and commas"):
            counts(wrong)


def test_a_batch_that_ranks_cannot_share_is_refused_before_anything_starts() -> None:
    with pytest.raises(SslgraphError, match=r"^3 ranks can't share a batch of 8 evenly; add --batch 12$"):
        next(verify(["simclr"], Wish(ranks=(1, 3))))


def test_one_rank_alone_compares_nothing_and_is_refused() -> None:
    with pytest.raises(SslgraphError, match="compares nothing; add ranks"):
        next(verify(["simclr"], Wish(ranks=(1,))))


def test_a_factor_is_told_from_another_direction() -> None:
    one = {"f": torch.tensor([1.0, 2.0]), "g": torch.tensor([3.0])}
    assert why({name: value / 2 for name, value in one.items()}, one).startswith("gradients are 0.5 times those of one")
    rounded = why({name: value * (1 + 2e-7) for name, value in one.items()}, one)
    assert rounded.startswith("gradients are those of one rank but for 2e-07 of them: no sum over the ranks is wrong")
    elsewhere = {**one, "g": torch.tensor([-3.0])}
    assert why(elsewhere, one).startswith("gradients point elsewhere: a part that compares")
    assert why(elsewhere, one, ("f", "g")).startswith("gradients point elsewhere: 'f' and 'g' draw random numbers")


def test_the_command_tells_a_fault_of_the_spec_and_fails() -> None:
    done = CliRunner().invoke(app, ["verify", "no_such_method"])
    assert done.exit_code == 1 and isinstance(done.exception, SslgraphError)


def test_a_difference_is_relative_to_its_tensor_and_a_missing_name_infinite() -> None:
    one = {"a": torch.tensor([1.0, 100.0]), "n": torch.tensor(3)}
    assert difference({**one, "a": torch.tensor([1.0, 101.0])}, one).size == pytest.approx(0.01)
    assert difference({**one, "n": torch.tensor(4)}, one) == difference({"a": one["a"], "n": torch.tensor(4)}, one)
    assert difference({**one, "n": torch.tensor(4)}, one).size == float("inf")
    assert (difference({"a": one["a"]}, one).size, difference({"a": one["a"]}, one).where) == (float("inf"), "n")
    assert difference({**one, "a": torch.tensor([1.0, float("nan")])}, one).size == float("inf")
    assert difference(one, one).size == 0


def test_a_tensor_that_is_zero_but_for_rounding_is_measured_on_the_scale_of_the_others() -> None:
    expected = {"big": torch.tensor([1.0]), "noise": torch.tensor([1e-17])}
    assert difference({**expected, "noise": torch.tensor([-1e-17])}, expected).size < 1e-13
    assert difference({**expected, "noise": torch.tensor([1e-3])}, expected).size == pytest.approx(1.0)


def test_unequal_names_what_differs_in_one_bit() -> None:
    one = {"a": torch.tensor([1.0]), "b": torch.tensor([2.0])}
    assert unequal({"a": torch.tensor([1.0 + 1e-7]), "c": one["b"]}, one) == ["a", "b", "c"]


def test_what_is_rank_local_and_what_spans_a_batch_is_read_off_the_wiring() -> None:
    graphs = {name: wired(load_method(name)) for name in ("moco_v2", "simclr", "swav", "mae", "data2vec")}
    assert [local.path for local in rank_local(graphs["moco_v2"])] == ["nets.f.sync_norm", "nets.g.sync_norm"]
    assert rank_local(graphs["simclr"]) == ()
    ranked = wired(load_method("simclr", overrides={"losses.contrast.negatives": "rank"}))
    assert [(local.path, local.joined) for local in rank_local(ranked)] == [("losses.contrast.negatives", "all_ranks")]
    columns = {"flow.z": "l2(as_columns(g(f(x))))", "losses.contrast.negatives": "rank"}
    assert rank_local(wired(load_method("simclr", overrides=columns))) == ()  # every rank has them all
    assert spanning(graphs["simclr"]) == ("'contrast' (losses.nt_xent)",)
    assert spanning(graphs["swav"]) == ("'codes' (assignments.sinkhorn)",)
    assert spanning(graphs["mae"]) == spanning(graphs["moco_v2"]) == ()
    assert spanning(graphs["data2vec"]) == ("'tokens' (losses.masked_regression)",)  # masks of unequal count
