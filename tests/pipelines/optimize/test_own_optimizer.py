"""Optimizers from outside the catalogue step as they do without sslgraph, go on after a resume, or are refused."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from runs import assert_equal, unlike
from tiny_recipe import RECIPE
from torch import Tensor, nn

from sslgraph import home
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.look.json_schema import json_schema
from sslgraph.pipelines.optimize import settings
from sslgraph.pipelines.optimize.optimizer import Optimizer
from sslgraph.read.document import read_text
from sslgraph.schedules import Clock

CLOCK = Clock(steps_per_epoch=5, total_steps=20)
PLUGINS = ("torch.optim", "torch.nn", "my_optimizers")
OPTIMIZERS = '''
import torch
from torch.optim import Optimizer


class Lion(Optimizer):
    """arXiv:2302.06675, algorithm 2. Without `said` it works as published."""

    def __init__(self, params, lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0,
                 said: list[str] | None = None):
        assert lr > 0
        self.said = said
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            one, two = group["betas"]
            for p in (p for p in group["params"] if p.grad is not None):
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * (one * m + (1 - one) * p.grad).sign())
                m.mul_(two).add_((1 - two) * p.grad)


class Counting(Lion):
    """Its steps shrink with a number that it counts in its groups, and it remembers a list of each parameter."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            group["k"] = group.get("k", 0) + 1
            for p in (p for p in group["params"] if p.grad is not None):
                past = self.state[p].setdefault("past", [torch.zeros(1)])
                past[0] += p.grad.abs().mean()
                p.sub_(p.grad, alpha=group["lr"] / group["k"] / float(past[0] + 1e-3))


class Dividing(Lion):
    def step(self, closure=None):
        return 1 / 0


class TwoWeights(Lion):
    def train(self): ...

    def eval(self): ...


class Regrouping(Lion):
    def __init__(self, params, lr: float = 1.0):
        super().__init__([p for group in params for p in group["params"]], lr)


class Hidden(Optimizer):
    def __init__(self, params, lr: float = 1.0, weight_decay: float = 0.0):
        super().__init__(params, dict(lr=lr))

    def step(self): ...


class Elsewhere(Hidden):
    def __init__(self, params, lr: float = 1.0):
        super().__init__(params, lr)

    def step(self):
        self.state["steps"] = 1


class Needing(Hidden):
    def __init__(self, params, n: int, lr: float = 1.0):
        super().__init__(params, lr)


class Steps:
    def __init__(self, params, lr: float = 1.0): ...

    def step(self): ...
'''


class Toy(nn.Module):
    """Two nets, each with a matrix and a vector."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.freezes: dict[str, Any] = {}
        self.parts = nn.ModuleDict({"f": nn.Linear(3, 4), "q": nn.Linear(4, 2)})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"one": self.parts["q"](self.parts["f"](x).tanh()).square().mean()}

    def player_losses(self, losses: Any) -> list[tuple[Tensor, list[nn.Parameter]]]:
        return [(losses["one"], list(self.parameters()))]


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of own optimizers, in this folder; its classes by name."""
    (tmp_path / "my_optimizers.py").write_text(OPTIMIZERS.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_optimizers", raising=False)
    import my_optimizers  # type: ignore[import-not-found]

    return my_optimizers


def optimizer(method: nn.Module, **recipe: Any) -> Optimizer:
    return Optimizer(method, recipe, batch=512, clock=CLOCK, plugins=PLUGINS)


def stepped(method: Toy, recipe: dict[str, Any], steps: int = 6) -> Optimizer:
    """Takes steps, and half-way goes on with another optimizer that has read what the first one saved."""
    opt = optimizer(method, **recipe)
    for step in range(steps):
        if step == steps // 2:
            saved, opt = opt.state_dict(), optimizer(method, **recipe)
            opt.load_state_dict(saved)
        opt.step(method(batch(step)), step)
    return opt


def batch(step: int) -> Tensor:
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(step))


def by_hand(method: Toy, made: list[torch.optim.Optimizer], rates: Any, steps: int = 6) -> Toy:
    for step in range(steps):
        for each in made:
            for group in each.param_groups:
                group |= rates(step)
            each.zero_grad()
        method(batch(step))["one"].backward()
        for each in made:
            each.step()
    return method


# ---- they step as they do by themselves


@pytest.mark.parametrize(
    ("use", "own"),
    [
        ("RMSprop", {"momentum": 0.9, "centered": True}),
        ("NAdam", {"betas": [0.8, 0.95], "decoupled_weight_decay": True}),
        ("RAdam", {}),
        ("Adafactor", {"d": 1.5}),
        ("ASGD", {"lambd": 1e-3}),
        ("Adagrad", {"initial_accumulator_value": 0.1}),
        ("Adamax", {"betas": [0.8, 0.95]}),
    ],
)
def test_an_optimizer_of_torch_moves_weights_by_scheduled_rates_as_it_does_alone(use: str, own: dict[str, Any]) -> None:
    """And goes on from what it has saved: all of it is remembered."""
    rates = {"lr": {"linear": [0.2, 0.1]}, "weight_decay": {"linear": [0.02, 0]}, "lr_rule": "batch/256"}
    ours, theirs = Toy(), Toy()
    stepped(ours, {"use": f"torch.optim:{use}", **rates, **own})
    kind = getattr(torch.optim, use)
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}
    alone = kind(theirs.parameters(), lr=0.4, weight_decay=0.02, **told)
    by_hand(theirs, [alone], lambda n: {"lr": 0.4 - 0.2 * n / 20, "weight_decay": 0.02 - 0.02 * n / 20})
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


def test_groups_have_their_own_settings_rates_and_optimizers(mine: Any) -> None:
    recipe = {
        "use": "my_optimizers:Lion", "lr": 0.01, "weight_decay": 0.1, "betas": [0.5, 0.6],
        "groups": [{"ndim": 1, "weight_decay": 0, "betas": [0.9, 0.8]}, {"net": "q", "lr_times": 2},
                   {"net": "q", "ndim": 2, "use": "torch.optim:Muon", "lr": 0.03, "momentum": 0.9}],
    }  # fmt: skip
    ours, theirs = Toy(), Toy()
    opt = stepped(ours, recipe)
    f, q = theirs.parts["f"], theirs.parts["q"]
    made = [
        mine.Lion([f.weight], lr=0.01, betas=(0.5, 0.6), weight_decay=0.1),
        mine.Lion([f.bias], lr=0.01, betas=(0.9, 0.8)),
        mine.Lion([q.bias], lr=0.02, betas=(0.9, 0.8)),
        torch.optim.Muon([q.weight], lr=0.06, momentum=0.9, weight_decay=0.1),
    ]
    by_hand(theirs, made, lambda _: {})
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    assert "torch.optim:Muon, lr 0.06; weight decay 0.1; momentum 0.9" in opt.table()
    assert set(opt.state_dict()["q.weight"]) == {"momentum_buffer"} and set(opt.state_dict()["f.bias"]) == {"exp_avg"}


def test_what_an_optimizer_counts_in_its_groups_and_its_lists_are_remembered(mine: Any) -> None:
    ours, theirs = Toy(), Toy()
    opt = stepped(ours, {"use": "my_optimizers:Counting", "lr": 0.1})
    by_hand(theirs, [mine.Counting(theirs.parameters(), lr=0.1)], lambda _: {})
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    assert opt.state_dict()["f.weight"]["group.k"] == 6
    opt.forget(["f"])
    assert set(opt.state_dict()) == {"q.weight", "q.bias"}


def test_its_gradients_are_clipped_and_what_it_was_saved_with_may_have_any_shape() -> None:
    method = Toy()
    recipe = {"use": "torch.optim:Adafactor", "lr": 0.1, "weight_decay": 0, "clip": {"norm": 1e-4, "per": "all"}}
    opt = optimizer(method, **recipe)
    lengths: list[Tensor] = []
    opt.torch.step = lambda: lengths.extend(p.grad.norm() for p in method.parameters() if p.grad is not None)  # type: ignore[method-assign]
    assert opt.step(method(batch(0)), 0)["gradient_norm"] > 0.01
    assert torch.stack(lengths).norm().item() == pytest.approx(1e-4, rel=0.05)  # less the small number of torch's clip
    assert {tuple(v.shape) for v in stepped(method, recipe).state_dict()["f.weight"].values()} > {(4, 1), (1, 3)}


def test_nobody_knows_the_usual_rate_of_an_own_optimizer() -> None:
    read = settings.read({"use": "torch.optim:RMSprop", "lr": 10.0}, PLUGINS)
    assert settings.pace(read, "f", batch=256) == 0.0
    assert read.numbers.weight_decay.first == 0.0  # the constructor's default
    assert settings.read({"use": "torch.optim:Muon", "lr": 1.0}, PLUGINS).numbers.weight_decay.first == 0.1


# ---- what cannot be used


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"use": "elsewhere:Lion", "lr": 1}, "^use: 'elsewhere:Lion' is code from outside .*--plugin elsewhere"),
        ({"use": "torch.optim:RMSProp", "lr": 1}, "^use: torch.optim has no class 'RMSProp'.*did you mean 'RMSprop'"),
        ({"use": "torch.optim:LBFGS", "lr": 1}, "^use: 'torch.optim:LBFGS' needs 'closure' in its step.*\n.*choose"),
        ({"use": "torch.nn:Linear", "lr": 1}, "^use: 'torch.nn:Linear' is no optimizer: it has no method step"),
        ({"use": "torch.optim.lr_scheduler:StepLR", "lr": 1}, "^use: 'torch.optim.lr_.*' has no setting 'lr'.*derive"),
        ({"use": "my_optimizers:Steps", "lr": 1}, "^use: .* is no torch.optim.Optimizer"),
        ({"use": "my_optimizers:Lion"}, "^lr: my_optimizers:Lion: lr must be given .papers differ.; .* lr: 0.03"),
        ({"use": "my_optimizers:Lion", "lr": 1, "beta": 1}, "^beta: .* has no setting 'beta'.*did you mean 'betas'"),
        ({"use": "my_optimizers:Lion", "lr": 1, "betas": [0.9]}, "^betas: .* must be a list of 2 numbers, not .0.9."),
        ({"use": "my_optimizers:Lion", "lr": 1, "said": {"a": 1}}, "^said: 'said' .* must be .*, not .*a"),
        ({"use": "torch.optim:RMSprop", "lr": 1, "foreach": {"a": 1}}, "^foreach: .* must be true or false or null"),
        ({"use": "torch.optim:Adam", "lr": 1, "betas": {"linear": [0, 1]}}, "^betas: .* is fixed for the whole run"),
        ({"use": "my_optimizers:Needing", "lr": 1}, "^n: my_optimizers:Needing: n must be given: a whole number"),
        ({"use": "my_optimizers:Regrouping", "lr": 1, "groups": [{"ndim": 1, "lr": 2}]}, "^use: .* groups of its own"),
        ({"use": "my_optimizers:Hidden", "lr": 1}, "^use: .* does not read 'weight_decay' from its groups.*super"),
        ({"use": "my_optimizers:TwoWeights", "lr": 1}, "^use: .* others for evaluation .train and eval."),
        ({"use": "torch.optim:Muon", "lr": 1}, "^use: .* can't be made .*ValueError: Muon only .* 2D.*\n.*by a group"),
        ({"use": "torch.optim:Rprop", "lr": 1, "weight_decay": 0.1}, "^weight_decay: .*Rprop has no weight decay\n"),
        ({"use": "torch.optim:RMSprop", "lr": 1, "weight_decay": 0.1,
          "groups": [{"net": "q", "use": "torch.optim:Rprop"}]}, "^groups.0.weight_decay: .*Rprop has no weight decay"),
        ({"use": "torch.optim:Rprop", "lr": 1, "groups": [{"ndim": 1, "weight_decay": 0.1}]},
         "^groups: torch.optim:Rprop, which steps f.bias, has no weight decay, and a group gives it one"),
        ({"use": "torch.optim:RMSprop", "lr": 1, "groups": [{"net": "q", "use": "my_optimizers:Needing"}]},
         "^groups.0: a group that says use: my_optimizers:Needing must say its n, too: a whole number"),
        ({"use": "torch.optim:RMSprop", "lr": 1, "groups": [{"net": "q", "use": "torch.optim:RMSpro"}]},
         "^groups.0.use: torch.optim has no class 'RMSpro'"),
        ({"use": "torch.optim:RMSprop", "lr": 1, "groups": [{"net": "q", "momentum": "big"}]},
         "^groups.0.momentum: 'momentum' of a group must be a number, not the text 'big'"),
    ],
)  # fmt: skip
def test_what_cannot_be_stepped_is_refused_with_a_cure(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(SslgraphError, match=f"(?s){message}"):
        optimizer(Toy(), **recipe)


def test_what_belongs_to_no_parameter_could_not_be_saved() -> None:
    method = Toy()
    opt = optimizer(method, use="my_optimizers:Elsewhere", lr=1.0)
    opt.step(method(batch(0)), 0)
    with pytest.raises(SslgraphError, match="Elsewhere remembers 'steps', which belongs to no parameter"):
        opt.state_dict()


def test_one_that_fails_in_its_step_is_named_with_its_line(tmp_path: Path) -> None:
    method, file = Toy(), tmp_path / "my_optimizers.py"
    line = 1 + file.read_text().splitlines().index("        return 1 / 0")
    with pytest.raises(SslgraphError, match=f"^'my_optimizers:Dividing' .line {line} of {file}. .*: Zero.*by zero$"):
        optimizer(method, use="my_optimizers:Dividing", lr=1.0).step(method(batch(0)), 0)


# ---- a whole run, and the page


def test_a_run_with_an_own_optimizer_goes_on_bit_by_bit(sslgraph: Command, tmp_path: Path) -> None:
    own = '{use: "my_optimizers:Counting", lr: {cosine: [0.05, 0]}, groups: [{net: g, use: "torch.optim:NAdam"}]}'
    recipe = re.sub(r"optimizer: .*", f"optimizer: {own}", RECIPE).replace("steps: 2", "steps: 4")
    Path("own.yaml").write_text(f"{recipe}checkpoint: {{every: 2 steps, keep: 3}}\n")
    refused = sslgraph("check", "own.yaml", "--fast")
    assert refused.code == 1 and "own.yaml:14:18: 'my_optimizers:Counting' is code from outside" in refused.err
    allowed = ("--plugin", "my_optimizers", "--plugin", "torch.optim")
    assert sslgraph("check", "own.yaml", "--fast", *allowed).code == 0
    for name in ("whole", "halved"):
        said = sslgraph("train", "own.yaml", "--out", name)
        assert said.code == 0 and "my_optimizers:Counting, learning rate cosine 0.05 to 0" in said.out
    (tmp_path / "halved/checkpoints/step_00000004/COMPLETE").unlink()  # as a run leaves it that was killed after step 2
    assert sslgraph("train", "--resume", "halved").code == 0
    for part in ("method", "optimizer"):
        assert_equal(*(torch.load(f"{name}/checkpoints/step_00000004/{part}.pt") for name in ("whole", "halved")))
    assert unlike(tmp_path / "whole", tmp_path / "halved") == {}


def test_the_example_of_the_page_is_right_for_check_and_for_editors(sslgraph: Command) -> None:
    page = (home.SPECS.parent / "docs/language.md").read_text(encoding="utf-8")
    found = re.search(r"^ {4}optimizer:\n(?: {6}.*\n)+", page.partition("**Your own optimizer.**")[2], re.MULTILINE)
    assert found
    block = re.sub("^ {4}", "", found[0], flags=re.MULTILINE)
    text = re.sub(r"optimizer: .*\n", block, RECIPE).lstrip()
    Path("own.yaml").write_text(text)
    assert sslgraph("train", "own.yaml", "--plugin", "torch.optim", "--out", "run").code == 0
    schema = jsonschema.Draft7Validator(json_schema())
    assert schema.is_valid(read_text(text, Path("own.yaml")).data)
    assert not schema.is_valid(read_text(text.replace('"torch.optim:RAdam"', "radam"), Path("own.yaml")).data)
