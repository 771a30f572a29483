"""The optimizers against slow two-line versions, the statements of the papers' code, and the refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sslgraph.compile import freezing
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.pipelines.optimize import settings
from sslgraph.pipelines.optimize.lars import Lars
from sslgraph.pipelines.optimize.optimizer import Optimizer
from sslgraph.pipelines.optimize.rates import in_words, rule
from sslgraph.schedules import Clock, Duration, duration, schedule

CLOCK = Clock(steps_per_epoch=5, total_steps=20)
SGD: dict[str, Any] = {"use": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
LARS: dict[str, Any] = {"use": "lars_out", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "trust": 0.001}


class Toy(nn.Module):
    """Two nets and a frozen target; `game` makes each net a player of its own."""

    def __init__(self, *, game: bool = False, freezes: dict[str, Duration] | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        # Without a bias: BatchNorm takes it out again, so that its gradient is rounding alone, and Adam divides by it.
        f = nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4))
        self.parts = nn.ModuleDict({"f": f, "q": nn.Linear(4, 2), "ft": nn.Linear(3, 4).requires_grad_(False)})
        self.game, self.freezes = game, freezes or {}

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        h = self.parts["f"](x)
        return {"one": self.parts["q"](h).square().mean(), "two": (h - 1).square().mean()}

    def player_losses(self, losses: Any) -> list[tuple[Tensor, list[nn.Parameter]]]:
        f, q = list(self.parts["f"].parameters()), list(self.parts["q"].parameters())
        if self.game:
            return [(losses["two"] - losses["one"], f), (losses["one"], q)]
        return [(losses["one"] + losses["two"], f + q)]


def optimizer(method: nn.Module, **changes: Any) -> Optimizer:
    return Optimizer(method, {**SGD, **changes}, batch=512, clock=CLOCK)


def lr_of(opt: Optimizer, name: str) -> float:
    places = [place for place, group in enumerate(opt.groups) for p in group.members if p.name == name]
    return float(opt.torch.param_groups[places[0]]["lr"])


# ---- the four LARS


def slow_step(variant: str, w: Tensor, g: Tensor, m: Tensor, group: dict[str, Any]) -> tuple[Tensor, Tensor]:
    lr, wd, mu, eta = group["lr"], group["weight_decay"], group["momentum"], group["trust"]
    moved = bool(w.norm() > 0 and g.norm() > 0)
    if variant in ("lars_tf", "lars_out"):
        u = g + wd * w
        scale = eta * w.norm() / u.norm() if eta and moved else 1.0
        m = mu * m + (lr * scale * u if variant == "lars_tf" else scale * u)
        return w - (m if variant == "lars_tf" else lr * m), m
    scale = eta * w.norm() / (g.norm() + wd * w.norm() + 1e-8) if eta and moved else 1.0
    if eta and moved and group.get("clip_lr"):
        scale = min(scale / lr, torch.tensor(1.0))
    m = mu * m + scale * (g + (wd * w if moved or not eta else 0))
    return w - lr * (mu * m + scale * (g + wd * w) if group.get("nesterov") else m), m


@pytest.mark.parametrize("variant", ["lars_tf", "lars_out", "larc_apex", "lars_solo"])
@pytest.mark.parametrize("own", [{}, {"trust": None}, {"trust": 0.5}])
@pytest.mark.parametrize("later", [{}, {"nesterov": True, "clip_lr": True}])
def test_each_lars_is_its_slow_version(variant: str, own: dict[str, Any], later: dict[str, Any]) -> None:
    own = {**own, **(later if variant in ("larc_apex", "lars_solo") else {})}
    group = {"lr": 0.3, "weight_decay": 0.02, "momentum": 0.9, "trust": 0.01, **own}
    torch.manual_seed(1)
    weights = [nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(4))]
    expected = [(w.detach().clone(), torch.zeros_like(w)) for w in weights]
    lars = Lars([{"params": weights, **group}], variant=variant)
    for lr in (0.3, 0.3, 0.03):
        lars.param_groups[0]["lr"] = group["lr"] = lr
        for place, w in enumerate(weights):
            w.grad = torch.randn_like(w)
            expected[place] = slow_step(variant, expected[place][0], w.grad, expected[place][1], group)
        lars.step()
    for w, (slow, _) in zip(weights, expected, strict=True):
        torch.testing.assert_close(w.detach(), slow)


def drop_after(variant: str, rates: list[float]) -> float:
    w = nn.Parameter(torch.tensor([1.0]))
    lars = Lars([{"params": [w], "momentum": 0.9, "trust": None}], variant=variant)
    for lr in rates:
        lars.param_groups[0]["lr"] = lr
        w.grad = torch.tensor([1.0])
        lars.step()
    return w.item()


def test_the_rate_inside_and_outside_the_momentum_differ_only_once_it_moves() -> None:
    assert drop_after("lars_tf", [0.1] * 4) == pytest.approx(drop_after("lars_out", [0.1] * 4))
    # By hand, g = 1, mu = 0.9, rates .1 then .01: inside 1 - .1 - (.09 + .01), outside 1 - .1 - .01 * 1.9.
    assert drop_after("lars_tf", [0.1, 0.01]) == pytest.approx(0.8)
    assert drop_after("lars_out", [0.1, 0.01]) == pytest.approx(0.881)


@pytest.mark.parametrize(("variant", "decayed"), [("lars_tf", True), ("lars_out", True), ("larc_apex", False)])
def test_a_weight_without_gradient_norm_is_decayed_by_two_of_the_variants_only(variant: str, decayed: bool) -> None:
    w = nn.Parameter(torch.tensor([3.0, 4.0]))
    w.grad = torch.zeros(2)
    Lars([{"params": [w], "lr": 1.0, "weight_decay": 0.5, "trust": 0.1}], variant=variant).step()
    # |w| = 5, u = 0.5 w: the decayed step is 0.1 * 5 / 2.5 * 0.5 w = 0.1 w.
    torch.testing.assert_close(w.detach(), torch.tensor([2.7, 3.6] if decayed else [3.0, 4.0]))


@pytest.mark.parametrize("variant", ["lars_tf", "lars_out", "larc_apex", "lars_solo"])
def test_weights_that_start_at_zero_move(variant: str) -> None:
    w = nn.Parameter(torch.zeros(2))
    w.grad = torch.ones(2)
    Lars([{"params": [w], "lr": 0.5, "weight_decay": 0.1, "trust": 1e-3, "clip_lr": True}], variant=variant).step()
    torch.testing.assert_close(w.detach(), torch.full((2,), -0.5))


@pytest.mark.parametrize("variant", ["lars_tf", "lars_out", "larc_apex", "lars_solo"])
def test_the_length_of_the_gradient_does_not_matter_to_lars(variant: str) -> None:
    moved = []
    for length in (1.0, 100.0):
        w = nn.Parameter(torch.tensor([3.0, 4.0]))
        w.grad = length * torch.tensor([1.0, 2.0])
        Lars([{"params": [w], "lr": 2.0, "trust": 1e-2, "clip_lr": False}], variant=variant).step()
        moved.append(w.detach())
    torch.testing.assert_close(moved[0], moved[1])


def test_lars_solo_with_clip_never_steps_further_than_plain_gradient_descent() -> None:
    w = nn.Parameter(torch.tensor([100.0]))
    w.grad = torch.tensor([1e-3])
    Lars([{"params": [w], "lr": 0.2, "trust": 0.02, "clip_lr": True}], variant="lars_solo").step()
    torch.testing.assert_close(w.detach(), torch.tensor([100.0 - 0.2 * 1e-3]))


# ---- rules, rates, groups


def test_the_rules_give_the_papers_peak_rates() -> None:
    assert 1.5e-4 * rule("batch/256", batch=4096).factor == pytest.approx(2.4e-3)  # MAE
    assert 1e-4 * rule("batch/512", batch=2048).factor == pytest.approx(4e-4)  # SimMIM
    assert 0.004 * rule("sqrt(batch/1024)", batch=2048).factor == pytest.approx(5.657e-3, rel=1e-4)  # DINOv2
    assert 0.075 * rule("sqrt(batch)", batch=4096).factor == pytest.approx(4.8)  # SimCLR
    assert rule("none", batch=4096).factor == 1


@pytest.mark.parametrize("text", ["sqrt", "linear", "batch/0", "sqrt(batch", "batch/256)"])
def test_a_rule_without_its_divisor_is_refused(text: str) -> None:
    with pytest.raises(SslgraphError, match="write one of none, batch/256"):
        rule(text, batch=8)


def test_a_schedule_is_said_with_its_resolved_numbers() -> None:
    warm = schedule({"warmup": "10 epochs", "then": {"cosine": [0.3, 0]}})
    assert in_words(warm, 2.0) == "warm-up 10 epochs from 0, then cosine 0.6 to 0"
    drops = schedule({"steps": [1, 0.1], "at": ["60 epochs"], "by": "epoch"})
    assert in_words(drops) == "1, 0.1 from 60 epochs, once an epoch"


def test_the_lr_is_the_schedule_times_the_rule_at_every_step() -> None:
    opt = optimizer(Toy(), lr={"linear": [0.1, 0.0]}, lr_rule="batch/256", weight_decay={"linear": [0.0, 0.2]})
    measured = opt.step(opt.method(torch.ones(2, 3)), 5)  # type: ignore[operator]
    assert measured["lr"] == pytest.approx(0.15) and measured["weight_decay"] == pytest.approx(0.05)
    assert opt.torch.param_groups[0]["lr"] == pytest.approx(0.15)


def test_rules_add_up_and_the_later_wins() -> None:
    one_dimensional = {"ndim": 1, "weight_decay": 0.0, "lr_times": 0.024}
    predictor, bias = {"net": "q", "lr": {"cosine": [0.5, 0.5]}}, {"name": "q.bias", "lr_times": 2}
    opt = optimizer(Toy(), groups=[one_dimensional, predictor, bias])
    opt._set_rates(0)
    found = {p.name: (lr_of(opt, p.name), g.numbers.weight_decay.first) for g in opt.groups for p in g.members}
    assert found == {
        "f.0.weight": (0.1, 0.01), "f.1.weight": (pytest.approx(0.0024), 0.0),
        "f.1.bias": (pytest.approx(0.0024), 0.0), "q.weight": (0.5, 0.01), "q.bias": (1.0, 0.0),
    }  # fmt: skip


def test_the_layers_of_a_vit_have_the_rates_of_maes_fine_tuning() -> None:
    """0.75 for each layer above: block 11 of 0 .. 11 has one above it (the head), the patches have thirteen."""
    vit = registry.build("backbones.vit", {"preset": "tiny", "patch": 8, "size": 16, "channels": 3, "mask_token": True})
    method = Toy()
    method.parts = nn.ModuleDict({"f": vit, "head": nn.Linear(192, 10)})
    rules = [
        {"ndim": 1, "weight_decay": 0},
        {"net": "f", "layer_decay": 0.5},
        {"net": "f", "layer_decay": 0.75},  # the later wins
        {"name": "f.net.norm.*", "layer_decay": 1},
    ]
    opt = optimizer(method, lr=1.0, groups=rules)
    opt._set_rates(0)
    expected = {f"f.net.blocks.{i}.attn.qkv.weight": 0.75 ** (12 - i) for i in range(12)} | {
        "f.net.patch_embed.proj.weight": 0.75**13, "f.net.pos_embed": 0.75**13, "f.mask_token": 0.75**13,
        "f.net.norm.weight": 1.0, "head.weight": 1.0, "f.net.blocks.11.norm2.bias": 0.75, 
    }  # fmt: skip
    assert {name: lr_of(opt, name) for name in expected} == pytest.approx(expected)
    with pytest.raises(SslgraphError, match=r"layer_decay: 'q' does not say which layer q.weight is in"):
        optimizer(Toy(), groups=[{"net": "q", "layer_decay": 0.75}])


def test_the_owner_of_a_parameter_is_known_by_its_kind() -> None:
    opt = optimizer(Toy(), groups=[{"owner": ["BatchNorm", "LayerNorm"], "weight_decay": 0}])
    assert [p.name for p in opt.groups[1].members] == ["f.1.weight", "f.1.bias"]


def test_trust_is_switched_off_by_a_group() -> None:
    opt = Optimizer(Toy(), {**LARS, "groups": [{"ndim": 1, "trust": False}]}, batch=1, clock=CLOCK)
    assert [group["trust"] for group in opt.torch.param_groups] == [0.001, None]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**SGD, "use": "lars"}, "there is no optimizer 'lars'"),
        ({**SGD, "momentun": 1}, "did you mean 'momentum'"),
        ({"use": "sgd", "lr": 1, "weight_decay": 0}, "sgd: momentum must be given .*momentum: 0.9"),
        ({**SGD, "groups": [{"net": "p", "lr": 1}]}, "names the unknown net 'p'.*\n.*f, q"),
        ({**SGD, "groups": [{"ndim": 7, "lr": 1}]}, "^groups.0: no parameter is meant by this group .ndim 7"),
        ({**SGD, "groups": [{"lr": 1}]}, "^groups.0: a group of the optimizer does not say whom it means"),
        ({**SGD, "groups": [{"net": "q"}]}, "^groups.0: .* does not say what changes"),
        ({**SGD, "groups": [{"net": "q", "trust": False}]}, "^groups.0.trust: a group .* has no setting 'trust'"),
        ({**SGD, "clip": {"norm": 1, "per": "layer"}}, "^clip.per: 'per' of clip must be 'all', 'net' or 'parameter'"),
        ({**SGD, "lr": -0.1}, "^lr: 'lr' of optimizer sgd must be a number of at least 0 or a schedule, not -0.1"),
        ({**SGD, "lr": "0.1"}, "must be a number of at least 0 or a schedule, not the text '0.1' .remove the quotes."),
        ({**SGD, "lr": {"cosine": [0.1, -1]}}, "at least 0 or a schedule, and its schedule reaches -1"),
        ({**SGD, "lr": float("nan")}, "^lr: .*, not nan"),
        ({**SGD, "momentum": 99}, "^momentum: .* must be a number of at least 0 and below 1, not 99"),
        ({**SGD, "momentum": {"cosine": [0.9, 1]}}, "^momentum: .* is fixed for the whole run"),
        ({**SGD, "momentum": 0, "nesterov": True}, "^nesterov: nesterov: true needs a momentum above 0"),
        ({**SGD, "lr_rule": "batch/128*2"}, "^lr_rule: .* is not known"),
        ({**SGD, "clip": {"norm": 0}}, "^clip.norm: 'norm' of clip must be a number above 0, not 0"),
        ({**SGD, "groups": {"net": "q", "lr": 1}}, "^groups: groups: must be a list, not a mapping"),
        ({**SGD, "groups": [{"net": "q", "lr_times": -1}]}, "^groups.0.lr_times: .* of at least 0, not -1"),
        ({**SGD, "groups": [{"net": "q", "use": "adan"}]}, "^groups.0.use: there is no optimizer 'adan'.*did you mean"),
        ({**SGD, "groups": [{"net": "q", "use": "lars_tf", "momentum": 0.9}]},
         "^groups.0: a group that says use: lars_tf must say its trust, too .papers differ.; .* trust: 1e-3"),
        ({**SGD, "groups": [{"net": "q", "use": "adam", "momentum": 0.9}]}, "^groups.0.momentum: .* no setting"),
        ({**SGD, "groups": [{"net": "q", "use": "adam"}, {"net": "q", "momentum": 0.5}]},
         "^groups.1.momentum: 'momentum' is no setting of adam, which steps all that this group means .net q."),
        ({**LARS, "trust": -1e-3}, "^trust: .* must be a number above 0, not -0.001"),
        ({"use": "adamw", "lr": 1, "weight_decay": -3, "betas": [0.9, 1.0]},
         "weight_decay: .* not -3\nbetas: .* must be a list of 2 numbers of at least 0 and below 1, not .0.9, 1.0."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SslgraphError, match=f"(?s){message}"):
        Optimizer(Toy(), settings, batch=1, clock=CLOCK)


def test_the_table_names_rates_after_the_rule() -> None:
    changes = {"clip": {"norm": 3, "per": "parameter"}, "groups": [{"ndim": 1, "weight_decay": 0}]}
    opt = optimizer(Toy(freezes={"parts.q": duration("1 epoch")}), lr_rule="batch/256", **changes)
    assert opt.table().splitlines() == [
        "sgd, learning rate 0.1 x 512/256 = 2",
        "  2 tensors, 20 numbers: lr 0.2; weight decay 0.01; momentum 0.9; nesterov false",
        "    f.0.weight, q.weight",
        "  3 tensors, 10 numbers: lr 0.2; weight decay 0; momentum 0.9; nesterov false",
        "    f.1.weight, f.1.bias, q.bias",
        "  gradients clipped at norm 3, parameter by itself",
        "  no gradient for q during the first 1 epochs",
    ]


# ---- the step


def test_sgd_adam_and_adamw_are_torchs() -> None:
    for use, own, kind in [
        ("sgd", {"momentum": 0.9, "nesterov": True}, torch.optim.SGD),
        ("adam", {"betas": [0.8, 0.95]}, torch.optim.Adam),
        ("adamw", {"betas": [0.8, 0.95], "eps": 1e-6}, torch.optim.AdamW),
    ]:
        ours, theirs = Toy(), Toy()
        opt = Optimizer(ours, {"use": use, "lr": 0.1, "weight_decay": 0.02, **own}, batch=1, clock=CLOCK)
        expected = kind([p for p in theirs.parameters() if p.requires_grad], lr=0.1, weight_decay=0.02, **own)  # type: ignore[arg-type]
        for step in range(3):
            x = torch.randn(8, 3)
            opt.step(ours(x), step)
            expected.zero_grad()
            sum(theirs(x).values()).backward()
            expected.step()
        torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_a_net_may_have_an_optimizer_of_its_own_with_its_own_rate_and_schedule() -> None:
    own = {"net": "q", "use": "adamw", "lr": {"linear": [0.2, 0.1]}, "betas": [0.8, 0.95]}
    rules = [own, {"ndim": 1, "weight_decay": 0, "momentum": 0.5}]
    ours, theirs = Toy(), Toy()
    opt = optimizer(ours, groups=rules)
    nets = {name: dict(net.named_parameters()) for name, net in theirs.parts.items()}
    by_hand: list[torch.optim.Optimizer] = [
        torch.optim.SGD([nets["f"]["0.weight"]], lr=0.1, momentum=0.9, weight_decay=0.01),
        torch.optim.SGD([nets["f"]["1.weight"], nets["f"]["1.bias"]], lr=0.1, momentum=0.5),
        torch.optim.AdamW([nets["q"]["weight"]], betas=(0.8, 0.95), weight_decay=0.01),
        torch.optim.AdamW([nets["q"]["bias"]], betas=(0.8, 0.95), weight_decay=0),  # it has no momentum to change
    ]
    for step in range(4):
        x = torch.randn(8, 3)
        if step == 2:  # as a resumed run does
            saved, opt = opt.state_dict(), optimizer(ours, groups=rules)
            opt.load_state_dict(saved)
        opt.step(ours(x), step)
        theirs.zero_grad()
        sum(theirs(x).values()).backward()
        for each in by_hand:
            each.param_groups[0]["lr"] = 0.2 - 0.1 * step / 20 if isinstance(each, torch.optim.AdamW) else 0.1
            each.step()
        torch.testing.assert_close(list(ours.parameters()), list(theirs.parameters()))
    assert set(opt.state_dict()["q.weight"]) == {"step", "exp_avg", "exp_avg_sq"}
    assert set(opt.state_dict()["f.0.weight"]) == {"momentum_buffer"}
    assert "  1 tensors, 8 numbers: adamw, lr linear 0.2 to 0.1; weight decay 0.01;" in opt.table()


def test_each_player_gets_the_gradient_of_its_own_losses_only() -> None:
    method, x = Toy(game=True), torch.randn(8, 3)
    opt = optimizer(method)
    opt.backward(method(x))
    found = {name: p.grad for name, p in method.named_parameters() if p.grad is not None}
    losses = method(x)
    f = dict(method.parts["f"].named_parameters())
    expected = torch.autograd.grad(losses["two"] - losses["one"], list(f.values()), retain_graph=True)
    torch.testing.assert_close([found[f"parts.f.{name}"] for name in f], list(expected))
    expected = torch.autograd.grad(losses["one"], list(method.parts["q"].parameters()))
    torch.testing.assert_close([found["parts.q.weight"], found["parts.q.bias"]], list(expected))


@pytest.mark.parametrize("per", ["all", "net", "parameter"])
def test_gradients_are_clipped_for_whom_it_is_said(per: str) -> None:
    method = Toy()
    opt = optimizer(method, clip={"norm": 1e-3, "per": per}, momentum=0, weight_decay=0, lr=1.0)
    before = {p.name: p.parameter.detach().clone() for p in opt.parameters}
    opt.step(method(torch.randn(8, 3)), 0)
    moved = {p.name: (p.parameter.detach() - before[p.name]).norm().item() for p in opt.parameters}
    nets = [math.hypot(*(norm for name, norm in moved.items() if name.startswith(net))) for net in ("f.", "q.")]
    clipped = {"all": [math.hypot(*moved.values())], "net": nets, "parameter": list(moved.values())}[per]
    assert clipped == pytest.approx([1e-3] * {"all": 1, "net": 2, "parameter": 5}[per], 1e-2)


def test_a_frozen_net_stands_still_though_it_has_decay_and_is_clipped_with_the_rest() -> None:
    """Papers clip first and then drop what is frozen, so its gradient counts in the norm."""
    method = Toy(freezes={"parts.q": duration("1 epoch")})
    opt, x = optimizer(method, clip={"norm": 1e-3, "per": "all"}, momentum=0, weight_decay=0, lr=1.0), torch.randn(8, 3)
    before = {p.name: p.parameter.detach().clone() for p in opt.parameters}
    losses = method(x)
    gradients = torch.autograd.grad(
        losses["one"] + losses["two"], [p.parameter for p in opt.parameters], retain_graph=True
    )
    whole = torch.stack([g.norm() for g in gradients]).norm()
    freezing.hold(method, method.freezes, 4, CLOCK)
    opt.step(losses, 4)
    for p, g in zip(opt.parameters, gradients, strict=True):
        moved = 0 if p.net == "q" else 1e-3 * g / (whole + 1e-6)
        torch.testing.assert_close(before[p.name] - p.parameter, moved * torch.ones_like(g), rtol=1e-3, atol=1e-7)
    freezing.hold(method, method.freezes, 5, CLOCK)
    opt.step(method(x), 5)
    assert not torch.equal(method.parts["q"].weight, before["q.weight"])


def test_shares_of_a_batch_add_up_to_the_batch() -> None:
    whole, shared, x = Toy(), Toy(), torch.randn(8, 3)
    for method, pieces in ((whole, 1), (shared, 4)):
        method.eval()  # statistics of BatchNorm would see four small batches
        opt = optimizer(method)
        for piece in x.chunk(pieces):
            opt.backward(method(piece), share=1 / pieces)
        opt.update(0)
    torch.testing.assert_close(whole.state_dict(), shared.state_dict())


def test_forgetting_a_net_drops_its_momentum_and_no_other() -> None:
    method = Toy()
    opt = optimizer(method)
    opt.step(method(torch.randn(8, 3)), 0)
    opt.forget({"q"})
    assert {name.partition(".")[0] for name in opt.state_dict()} == {"f"}


def test_the_saved_state_knows_parameters_by_name() -> None:
    method = Toy()
    opt = optimizer(method, use="lars_out", trust=1e-3, groups=[{"ndim": 1, "trust": False}])
    opt.step(method(torch.randn(8, 3)), 0)
    other = optimizer(Toy(), groups=[{"net": "q", "lr": 1.0}])
    other.load_state_dict(opt.state_dict())
    torch.testing.assert_close(other.state_dict(), opt.state_dict())
    with pytest.raises(SslgraphError, match=r"remembers 'z\.weight', which this method does not train"):
        other.load_state_dict({"z.weight": {}})


@pytest.mark.parametrize("use", ["adamw", "sgd", "lars_out"])
def test_a_gradient_in_another_memory_layout_moves_the_right_weights(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = []
    for layout in (torch.contiguous_format, torch.channels_last):
        method = Toy()
        torch.manual_seed(2)
        method.parts["f"] = nn.Conv2d(3, 4, 2).to(memory_format=layout)
        settings = {"use": use, "lr": 0.1, "weight_decay": 0.1} | ({} if use == "adamw" else {"momentum": 0.9})
        opt = Optimizer(method, settings | ({"trust": 0.1} if use == "lars_out" else {}), batch=1, clock=CLOCK)

        def averaged(parameters: list[nn.Parameter]) -> None:  # as a message between ranks leaves them
            for p in parameters:
                p.grad = torch.linspace(-1, 1, p.numel()).view(p.shape)

        monkeypatch.setattr("sslgraph.pipelines.optimize.optimizer.mean_gradients", averaged)
        for p in opt.parameters:
            p.parameter.grad = torch.zeros_like(p.parameter)
        opt.update(0)
        moved.append(method.parts["f"].weight.detach())
    torch.testing.assert_close(moved[0], moved[1])


@pytest.mark.parametrize(
    ("change", "batch", "pace"),
    [
        ({}, 256, 5.0),  # 0.1 over 0.02
        ({"lr_rule": "batch/256"}, 1024, 5.0),  # both grow fourfold
        ({"lr": {"warmup": "5 %", "then": {"cosine": [0.01, 0]}}}, 64, 0.5),
        ({"groups": [{"net": "f", "lr_times": 0.1}, {"ndim": 1, "lr": 9.0}]}, 256, 0.5),
        ({"groups": [{"net": "f", "use": "adamw"}]}, 256, 1000.0),  # 0.1 over 1e-4
    ],
)
def test_a_pace_is_the_highest_rate_of_a_net_over_the_usual_one(
    change: dict[str, Any], batch: int, pace: float
) -> None:
    text = {"use": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0, **change}
    assert settings.pace(settings.read(text), "f", batch=batch) == pytest.approx(pace)
