"""The papers' numbers and laws of methods with a memory bank, of dense ones and of those that cluster."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from test_paper_oracles import landmark, seen
from test_specs import BATCH, noise, one_step, ready

from sslgraph.checked import wired
from sslgraph.read.load import load_method


def test_nce_costs_the_known_value_when_all_rows_are_alike() -> None:
    assert landmark("instdisc_nce", "chance") == pytest.approx(9.317888, abs=1e-5)
    assert landmark("pirl", "chance") == pytest.approx(11.3735, abs=1e-4)


def test_the_constant_of_nce_is_that_of_the_first_batch() -> None:
    method, batch = ready("instdisc_nce"), noise("instdisc_nce")
    (first,) = seen(method, batch, "divisor")
    one_step(method, batch, 0)
    one_step(method, noise("instdisc_nce", 4), 1)
    torch.testing.assert_close(method.parts["z"].mean, first.mean().float())


def test_the_proximal_term_of_instdisc_is_a_loss_more(tmp_path: Path) -> None:
    file = tmp_path / "near.yaml"
    stay = "{use: losses.cosine_regression, of: [v, own], weight: 30}"
    file.write_text(f"extends: instdisc_nce\nmethod: near\nlosses:\n  stay: {stay}\n", encoding="utf-8")
    assert [loss.name for loss in wired(load_method(str(file))).training.losses] == ["nce", "stay"]


def test_pirl_without_its_tiles_is_instdisc_and_tiles_leave_the_bank_alone() -> None:
    method, batch = ready("pirl"), noise("pirl", 4)
    v, own, others, constant = seen(method, batch, "v", "own", "others", "constant")
    before = method.parts["bank"].rows.clone()
    losses = one_step(method, batch, 0)
    score = [(v * own).sum(1, keepdim=True), (others @ v[..., None])[..., 0]]
    logits = [s.float() / 0.1 - (others.shape[1] * constant).log() for s in score]
    expected = -0.5 * (logits[0].sigmoid().log().sum() + (-logits[1]).sigmoid().log().sum()) / BATCH
    torch.testing.assert_close(losses["image"], expected.detach(), atol=1e-3, rtol=1e-3)
    rows = torch.nn.functional.normalize(0.5 * before[4:8] + 0.5 * v.detach().float(), dim=1)
    torch.testing.assert_close(method.parts["bank"].rows[4:8], rows, atol=1e-5, rtol=1e-4)


def test_densecl_matches_cells_by_the_backbone_and_pushes_pooled_keys() -> None:
    method, batch = ready("densecl"), noise("densecl")
    with torch.no_grad():
        for net, copied in (("f", "fk"), ("d", "dk"), ("g", "gk")):
            method.parts[copied].load_state_dict(method.parts[net].state_dict())
    batch["xk.image"] = batch["xq.image"]
    zq, match, zk, pooled = seen(method, batch, "zq", "match", "zk", "pooled")
    torch.testing.assert_close(match, zk)  # equal views and nets: each cell finds itself
    torch.testing.assert_close((zq * match).sum(1), torch.ones(BATCH, *zq.shape[2:]))
    _, writes = method(batch)
    assert writes["pooled"].equal(pooled.detach())
    torch.testing.assert_close(pooled.norm(dim=1), torch.ones(BATCH))
    one_step(method, batch, 0)
    assert method.parts["dense_queue"].pointer == BATCH


def test_pixcontrast_collapses_at_the_log_of_its_cells_in_both_directions() -> None:
    assert landmark("pixcontrast", "collapsed") == pytest.approx(2 * math.log(49))


def test_scrl_begins_with_a_target_of_other_weights_and_compares_boxes() -> None:
    method, batch = ready("scrl"), noise("scrl")
    pairs = zip(method.parts["f"].parameters(), method.parts["ft"].parameters(), strict=True)
    assert any(not torch.equal(one, other) for one, other in pairs)
    p1, t2 = seen(method, batch, "p1", "t2")
    assert p1.shape == t2.shape == (BATCH * 5, 64)


def test_those_that_learn_labels_begin_at_the_log_of_their_classes() -> None:
    assert landmark("sela", "chance", dataset=50_000) == pytest.approx(8.006368, abs=1e-5)
    assert landmark("deepcluster_v2", "chance", dataset=50_000) == pytest.approx(8.006368, abs=1e-5)


def test_sela_uses_every_class_and_keeps_its_heads() -> None:
    method = ready("sela")
    before = method.parts["head"].layer.weight.clone()
    labels = method.parts["labels"].labels
    assert labels.shape == (16, 3) and all(column.unique().numel() == 4 for column in labels.T)
    method.run_phase("label", [noise("sela", start) for start in range(0, 16, BATCH)])
    assert method.parts["head"].layer.weight.equal(before)


def test_pcl_without_clusters_is_moco() -> None:
    method, batch = ready("pcl"), noise("pcl")
    method.parts["labels"].labels.fill_(-100)
    losses = one_step(method, batch, 0)
    assert losses["proto"] == 0 and losses["info"] > 0


def test_pcl_has_a_unit_centre_for_every_cluster_and_temperatures_of_a_fixed_mean() -> None:
    method = ready("pcl")
    torch.testing.assert_close(method.parts["centres"].values.norm(dim=1), torch.ones(12))
    for part in method.parts["phi"].values.split([3, 4, 5]):
        assert part.mean().item() == pytest.approx(0.2, abs=1e-5)


def test_simclr_v2_with_one_layer_less_is_simclr() -> None:
    one, other = load_method("simclr_v2", overrides={"nets.g.hidden": [2048]}).spec, load_method("simclr").spec
    assert one.model_copy(update={"method": other.method, "paper": other.paper}) == other


def test_the_memory_of_simclr_v2_is_a_queue_of_a_slow_copy(tmp_path: Path) -> None:
    file = tmp_path / "memory.yaml"
    file.write_text(
        "extends: simclr_v2\nmethod: with memory\n"
        "targets:\n  fk: {ema_of: f, momentum: 0.999}\n  gk: {ema_of: g, momentum: 0.999}\n"
        "state:\n  queue: {use: memory.fifo, size: 65536}\n"
        "flow:\n  k: l2(gk(fk(x)))\n  k1: k[0]\n"
        "set:\n  losses.contrast.older: queue.read\nafter_step:\n  - queue.push(k1)\n",
        encoding="utf-8",
    )
    assert landmark(str(file), "chance", dataset=100_000) == pytest.approx(math.log(2 * 256 - 1 + 65536))


def test_dcl_leaves_the_pair_out_of_its_choices() -> None:
    assert landmark("dcl", "chance", batch=256) == pytest.approx(math.log(2 * 256 - 2))


def test_ressl_compares_the_relations_of_a_weak_view_and_a_strong_one() -> None:
    method, batch = ready("ressl"), noise("ressl")
    q, k = seen(method, batch, "q", "k")
    queue = method.parts["queue"].rows
    target = (k.float() @ queue.T / 0.04).softmax(1)
    expected = -(target * (q.float() @ queue.T / 0.1).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(one_step(method, batch, 0)["relation"], expected.detach(), atol=1e-3, rtol=1e-3)


def test_infomin_uses_one_key_for_image_and_tiles_and_never_a_tile_as_a_key() -> None:
    method, batch = ready("infomin"), noise("infomin")
    q, j, k = seen(method, batch, "q", "j", "k")
    queue = method.parts["queue"].rows.clone()
    losses = one_step(method, batch, 0)
    for loss, query in (("info", q), ("tiles", j)):
        choices = torch.cat([(query * k).sum(1, keepdim=True), query @ queue.T], 1).float() / 0.15
        expected = 0.5 * torch.nn.functional.cross_entropy(choices, torch.zeros(BATCH, dtype=torch.int64))
        torch.testing.assert_close(losses[loss], expected.detach(), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(method.parts["queue"].rows[:BATCH], k.detach().float())
