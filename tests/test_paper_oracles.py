"""What is known of methods beforehand, held against their compiled steps: values of collapse, laws, untouched rows."""

from __future__ import annotations

import math

import pytest
import torch
from test_specs import BATCH, CLOCK, noise, one_step, ready, settled
from torch import Tensor

from sslgraph.checked import sized_graph, wired
from sslgraph.compile.compile import CompiledMethod
from sslgraph.read.load import load_method
from sslgraph.wire.gradients import gradient_map


def landmark(name: str, word: str, *, batch: int = 256, dataset: int = 10_000) -> float:
    """The sum of what the losses of a method are worth in a state, with their weights, at the paper's sizes."""
    loaded = load_method(name)
    sized = sized_graph(wired(loaded), loaded, batch=batch, dataset=dataset)
    return sum(sized.graph.loss(loss).spec.weight * found[word] for loss, found in sized.landmarks.items())


def seen(method: CompiledMethod, batch: dict[str, Tensor], *names: str, step: int = 0) -> list[Tensor]:
    """Values of a step by their names in the program."""
    method.begin(step, CLOCK)
    found = method.training_program.also(names)(batch)
    return [found[name] for name in names]


def test_moco_v3_collapses_at_four_temperatures_times_log_batch() -> None:
    assert landmark("moco_v3", "collapsed", batch=256) == pytest.approx(4.4361, abs=1e-4)


def test_moco_v3_embeds_patches_as_at_the_start_and_so_does_its_copy() -> None:
    method = ready("moco_v3")
    weights = [method.parts[name].net.patch_embed.proj.weight for name in ("f", "fk")]
    before = [weight.clone() for weight in weights]
    for step in range(2):
        one_step(method, noise("moco_v3"), step)
    assert all(torch.equal(one, other) for one, other in zip(weights, before, strict=True))


def test_a_uniform_instdisc_is_worth_the_log_of_its_images() -> None:
    assert landmark("instdisc", "chance", dataset=50_000) == pytest.approx(10.8198, abs=1e-4)


def test_instdisc_touches_the_rows_of_its_batch_only() -> None:
    method = ready("instdisc")
    before, batch = method.parts["bank"].rows.clone(), noise("instdisc", 4)
    (value,) = seen(method, batch, "v")
    one_step(method, batch, 0)
    rows = method.parts["bank"].rows
    assert torch.equal(rows[:BATCH], before[:BATCH]) and torch.equal(rows[8:], before[8:])
    torch.testing.assert_close(rows[4:8].norm(dim=1), torch.ones(BATCH))
    expected = torch.nn.functional.normalize(0.5 * before[4:8] + 0.5 * value.detach().float(), dim=1)
    torch.testing.assert_close(rows[4:8], expected, atol=1e-5, rtol=1e-4)


def test_what_simmim_paints_does_not_depend_on_what_is_hidden() -> None:
    method, batch = ready("simmim").eval(), noise("simmim")
    painted, mask = seen(method, batch, "y", "m")
    side = batch["x.image"].shape[-1] // 4
    pixels = mask.hidden.view(BATCH, 1, side, side).repeat_interleave(4, 2).repeat_interleave(4, 3)
    batch["x.image"] = torch.where(pixels, torch.randn_like(batch["x.image"]), batch["x.image"])
    (again,) = seen(method, batch, "y")
    assert torch.equal(painted, again)
    batch["x.image"] = torch.where(pixels, batch["x.image"], torch.randn_like(batch["x.image"]))
    assert not torch.equal(seen(method, batch, "y")[0], again)


def test_vicreg_collapses_at_the_hinge_of_its_variance() -> None:
    assert landmark("vicreg", "collapsed") == pytest.approx(25 * 0.99)


def test_nnclr_finds_a_neighbour_that_is_there() -> None:
    """With the views' own features in the queue each is its own neighbour, and the loss is InfoNCE of the two views."""
    method, batch = ready("nnclr"), noise("nnclr")
    z1, p2 = seen(method, batch, "z1", "p2")
    method.parts["support"].rows[:BATCH] = z1.detach().float()
    n1, loss = seen(method, batch, "n1", "one")
    torch.testing.assert_close(n1, z1.detach(), atol=1e-5, rtol=1e-4)
    choices = (z1 @ p2.T / 0.2).float()
    torch.testing.assert_close(
        loss, torch.nn.functional.cross_entropy(choices, torch.arange(BATCH)), atol=1e-4, rtol=1e-4
    )
    assert math.isfinite(loss.item())


def test_un_mix_weighs_two_losses_by_the_share_and_pushes_unmixed_keys() -> None:
    method, batch = ready("un_mix"), noise("un_mix")
    pushed, mixed = seen(method, batch, "k", "m")
    method.begin(0, CLOCK)
    losses, writes = method(batch)
    bare = method.training_program.also(["qm", "qr", "k"])(batch)
    queue = method.parts["queue"].rows
    for loss, query, weight in (("mixed", "qm", mixed.share), ("turned", "qr", mixed.rest)):
        choices = torch.cat([(bare[query] * bare["k"]).sum(1, keepdim=True), bare[query] @ queue.T], 1).float() / 0.2
        expected = weight * torch.nn.functional.cross_entropy(choices, torch.zeros(BATCH, dtype=torch.int64))
        torch.testing.assert_close(losses[loss], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mixed.share + mixed.rest, torch.tensor(1.0))
    assert torch.equal(bare["qr"], bare["qm"].flip(0)) and torch.equal(writes["k"], pushed.detach())


def test_ibot_hides_patches_from_the_student_only_and_centres_all_of_them() -> None:
    method, batch = ready("ibot"), noise("ibot")
    hidden, patches = seen(method, batch, "m_hidden", "qt")
    other = {**batch, "x.image": batch["x.image"].clone()}
    cells = other["x.image"].unfold(2, 4, 4).unfold(3, 4, 4)  # patches of 4 in images of 32
    cells[hidden.unflatten(1, (8, 8))[:, None].expand_as(cells[..., 0, 0])] = 5.0
    assert hidden.any() and not torch.equal(other["x.image"], batch["x.image"])
    method.eval()
    for name in ("qs", "qt"):
        (one,), (two,) = seen(method, batch, name), seen(method, other, name)
        assert torch.allclose(one, two) == (name == "qs")
    method.train()
    one_step(method, batch, 0)
    torch.testing.assert_close(method.parts["patch_center"].center, 0.1 * patches.mean((0, 1)), atol=1e-5, rtol=1e-4)


def test_ijepa_predicts_what_the_encoder_does_not_see_from_what_it_sees() -> None:
    method, batch = ready("ijepa").eval(), noise("ijepa")
    (hidden,) = seen(method, batch, "m_hidden")
    other = {**batch, "x.image": batch["x.image"].clone()}
    cells = other["x.image"].unfold(2, 4, 4).unfold(3, 4, 4)  # patches of 4 in images of 32
    cells[hidden.unflatten(1, (8, 8))[:, None].expand_as(cells[..., 0, 0])] = 5.0
    (p, y), (p_other, y_other) = seen(method, batch, "p", "y"), seen(method, other, "p", "y")
    torch.testing.assert_close(p, p_other)
    assert (y - y_other).abs().amax((1, 2, 3)).gt(0.1).all()
    torch.testing.assert_close(y.var(-1, unbiased=False), torch.ones(y.shape[:-1]), atol=1e-2, rtol=0.0)


def test_dinov2_hands_hidden_patches_alone_to_their_head_and_weighs_images_equally() -> None:
    method, batch = ready("dinov2"), noise("dinov2")
    hidden, rows, weight, codes = seen(method, batch, "m_hidden", "qs", "us_weight", "qt")
    assert len(rows) == len(codes) == hidden.sum()
    torch.testing.assert_close(weight.mean(), hidden.any(1).float().mean())
    torch.testing.assert_close(codes.sum(1), torch.ones(len(codes)))
    leg = next(leg for leg in method.sized.legs if leg.leg.is_training)
    assert [leg.pieces[name][0].views for name in ("g_cls", "us_rows", "qs")] == [2, 1, 1]


def test_beit_names_the_codes_of_hidden_patches_whatever_is_under_the_mask() -> None:
    method, batch = ready("beit"), noise("beit")
    hidden, scores, codes, loss = seen(method, batch, "m_hidden", "y", "c_rows", "tokens")
    assert len(scores) == len(codes) == hidden.sum() and codes.shape[1] == scores.shape[1] == 128
    assert loss.item() == pytest.approx(math.log(128), abs=0.25)
    other = {**batch, "x.image": batch["x.image"].clone()}
    cells = other["x.image"].unfold(2, 4, 4).unfold(3, 4, 4)  # patches of 4 in images of 32
    cells[hidden.unflatten(1, (8, 8))[:, None].expand_as(cells[..., 0, 0])] = 5.0
    method.eval()
    (one, named), (two, again) = seen(method, batch, "y", "c_rows"), seen(method, other, "y", "c_rows")
    torch.testing.assert_close(one, two)
    assert torch.equal(named, again)
    method.parts["f"].net.cls_token.data += 1  # labels depend on the tokenizer alone
    assert torch.equal(seen(method, batch, "c_rows")[0], named)
    assert not any(weight.requires_grad for name in ("tok", "codes") for weight in method.parts[name].parameters())


def test_data2vec_predicts_the_mean_of_the_teachers_last_layers_at_hidden_patches() -> None:
    method, batch = ready("data2vec"), noise("data2vec")
    hidden, p, y, loss = seen(method, batch, "m_hidden", "p", "y", "tokens")
    layers = method.parts["t"](batch["x.image"]).layers
    assert layers.shape[1] == 2  # in the small recipe
    norm = torch.nn.functional.layer_norm
    mean = sum(norm(layer, (96,)) for layer in layers.unbind(1)) / 2
    torch.testing.assert_close(y, norm(mean, (96,)), atol=1e-4, rtol=1e-4)
    expected = torch.nn.functional.smooth_l1_loss(p[hidden].float(), y[hidden].float(), beta=2.0)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-4)


def test_msn_compares_masked_anchors_with_codes_of_the_whole_view() -> None:
    method, batch = ready("msn"), noise("msn")
    scores, codes, seen_places, assign, spread = seen(method, batch, "p", "q", "m_seen", "assign", "spread")
    views, rows, prototypes = scores.unflatten(0, (-1, BATCH)).shape if scores.dim() == 2 else scores.shape
    assert (views, rows, prototypes) == (3, BATCH, 64) and seen_places.shape[1] == int(64 * 0.85)
    assert scores.abs().max() <= 1.001 and not codes.requires_grad
    says = (scores.float().view(views, BATCH, prototypes) / 0.1).log_softmax(-1)
    expected = -(codes.float().view(1, BATCH, prototypes) * says).sum(-1).mean()
    torch.testing.assert_close(assign, expected, atol=1e-4, rtol=1e-4)
    mean = says.exp().mean((0, 1))
    torch.testing.assert_close(spread, math.log(prototypes) + (mean * mean.log()).sum(), atol=1e-4, rtol=1e-4)


def test_msn_normalises_each_size_of_crops_by_itself() -> None:
    """As the authors' encoder does, whose head is called once for each size: anchors do not see the small crops."""
    method, batch = ready("msn"), noise("msn")
    others = batch | {"local_crops.image": batch["local_crops.image"].flip(0).square()}
    scores, moved = (seen(method, views, "p")[0].view(3, BATCH, 64) for views in (batch, others))
    torch.testing.assert_close(scores[0], moved[0])
    assert (scores[1:] - moved[1:]).abs().max() > 0.01


def test_dinov3_anchors_patches_to_a_snapshot_that_sees_the_crop_at_twice_the_size() -> None:
    method, batch = ready("dinov3"), noise("dinov3")
    g, o, anchors = seen(method, batch, "g_patches", "o_patches", "anchors")
    assert o.shape[1] == 4 * g.shape[1] and anchors.shape == g.shape
    mine, theirs = (torch.nn.functional.normalize(tokens, dim=-1) for tokens in (g, anchors))
    expected = (mine @ mine.mT - theirs @ theirs.mT).square().mean()
    begun = {name: value.clone() for name, value in method.parts["old"].state_dict().items()}
    for step in (0, 22, 23):  # of 40: the loss counts from 60 % on, and the first snapshot is taken then
        assert one_step(method, batch, step)["gram"] == 0
        now = begun if step < 23 else method.parts["t"].state_dict()
        torch.testing.assert_close(method.parts["old"].state_dict(), now, atol=0, rtol=0)
    method = ready("dinov3")
    method.begin(24, CLOCK)
    torch.testing.assert_close(method(batch).losses["gram"], 2 * expected)


def test_capi_predicts_the_clusters_of_hidden_places_from_what_it_sees() -> None:
    method, batch = ready("capi").eval(), noise("capi")
    hidden, wanted = seen(method, batch, "m_hidden", "m_wanted")
    assert hidden.gather(1, wanted).all() and wanted.shape == (BATCH, 10)
    other = {**batch, "x.image": batch["x.image"].clone()}
    cells = other["x.image"].unfold(2, 4, 4).unfold(3, 4, 4)  # patches of 4 in images of 32
    cells[hidden.unflatten(1, (8, 8))[:, None].expand_as(cells[..., 0, 0])] = 5.0
    (p, k), (p_other, k_other) = seen(method, batch, "p", "k"), seen(method, other, "p", "k")
    torch.testing.assert_close(p, p_other)
    assert (k - k_other).abs().amax((1, 2)).gt(1e-3).all()
    says = torch.log_softmax(p.float() / 0.12, -1)
    torch.testing.assert_close(seen(method, batch, "predict")[0], -(k * says).sum(-1).mean(), atol=1e-5, rtol=1e-4)


def test_capi_shares_clusters_equally_over_the_images_at_each_place_by_itself() -> None:
    """As the authors' sinkhorn_knopp, without its 1e-8: three rounds on [places, images, clusters]."""
    method, batch = ready("capi"), noise("capi")
    y, a = seen(method, batch, "y", "a")
    codes = (y.detach().transpose(0, 1) / 0.06).double()
    codes = (codes - codes.amax(1, keepdim=True)).exp()
    for _ in range(3):
        codes = codes / codes.sum(1, keepdim=True)
        codes = codes / codes.sum(2, keepdim=True)
    torch.testing.assert_close(a.double(), codes.transpose(0, 1), atol=1e-4, rtol=1e-3)
    assert a.shape == (BATCH, 64, 64) and not a.requires_grad


def test_capis_clusters_learn_by_themselves_and_no_gradient_enters_the_teacher() -> None:
    rows = gradient_map(settled("capi")[0].graph).rows
    predicts, clusters = ("gradient", "-"), ("-", "gradient")
    assert rows == {"s": predicts, "q": predicts, "h": predicts, "c": clusters, "t": ("EMA", "EMA")}
