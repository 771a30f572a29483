"""Chooses the numbers that each parameter is stepped with, by a recipe's ordered rules, and prints them as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from sslgraph.errors import SpecError, refusal, unknown
from sslgraph.ranks.sharding import is_shared

from .rates import Rule as LrRule
from .rates import in_words, number
from .settings import EVERY, Numbers, Rule, Settings, applied


@dataclass(frozen=True)
class Named:
    """A trained parameter with what rules ask of it; `name` is "net.layer.weight"."""

    name: str
    parameter: nn.Parameter
    owners: tuple[str, ...]  # class names of the module that holds it, its bases included
    above: int | None = None  # layers from its own to the end of its net; None where the net does not say them

    @property
    def net(self) -> str:
        """The node of the method it belongs to."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Group:
    """Parameters that are stepped with the same numbers."""

    numbers: Numbers
    members: tuple[Named, ...]


def named(method: nn.Module) -> list[Named]:
    """The parameters of a method that are trained, in the order of the method."""
    modules = dict(method.named_modules())
    layers = {
        f"parts.{net}.{name}": count
        for net, part in getattr(method, "parts", {}).items()
        for name, count in layers_above(part).items()
    }
    found = []
    for name, parameter in method.named_parameters():
        if parameter.requires_grad:
            owner = type(modules[name.rpartition(".")[0]])
            families = tuple(map(_family, owner.__mro__))
            found.append(Named(name.removeprefix("parts."), parameter, families, layers.get(name)))
    return found


def layers_above(net: nn.Module) -> dict[str, int]:
    """Of each parameter of a net that says its layers: how many there are from its own on, at least 1.

    A net says them by a method `group_matcher`, as all of timm's do; what lies around that module, such as a mask
    token, is in the first layer, where the embeddings are.
    """
    for place, module in net.named_modules():
        if callable(getattr(module, "group_matcher", None)):
            from timm.models import group_parameters  # slow to import, and there already where such a net is

            layer = group_parameters(module, module.group_matcher(coarse=False), reverse=True)
            start, most = f"{place}." if place else "", max(layer.values())
            names = (name for name, _ in net.named_parameters())
            return {name: most + 1 - layer.get(name.removeprefix(start), 0) for name in names}
    return {}


def resolve(parameters: Sequence[Named], settings: Settings) -> list[Group]:
    """Every rule changes the numbers of the parameters it is true of; of two that change the same the later wins."""
    numbers = {p.name: settings.numbers for p in parameters}
    nets = sorted({p.net for p in parameters})
    for i, rule in enumerate(settings.rules):
        for net in rule.where.get("net", ()):
            if net not in nets:
                raise SpecError([unknown(("groups", i, "net"), "the group names the unknown net", str(net), nets)])
        chosen = [p for p in parameters if _true_of(rule, p)]
        if not chosen:
            some = ", ".join(p.name for p in parameters[:3])
            raise refusal(("groups", i), f"no parameter is meant by this group ({rule}); there are {some}, ...")
        uses = {numbers[p.name].use for p in chosen} if "use" not in rule.numbers else set[str]()
        for key in rule.numbers if uses else ():
            if not any(key in (*EVERY, *settings.forms[use].names) for use in uses):
                problem = f"'{key}' is no setting of {' or '.join(sorted(uses))}, which steps all that this group means"
                raise refusal(("groups", i, key), f"{problem} ({rule})")
        if "layer_decay" in rule.numbers and (nameless := [p for p in chosen if p.above is None]):
            problem = f"layer_decay: '{nameless[0].net}' does not say which layer {nameless[0].name} is in"
            cure = "name with net: those that do: vision transformers and networks of timm"
            raise refusal(("groups", i, "layer_decay"), problem, cure)
        numbers |= {p.name: applied(numbers[p.name], rule, settings.forms, p.above or 0) for p in chosen}
    _refuse_decay(parameters, numbers, settings)
    # Slices and whole tensors do not go through one call of torch's optimizers.
    groups: dict[tuple[Numbers, bool], list[Named]] = {}
    for p in parameters:
        groups.setdefault((numbers[p.name], is_shared(p.parameter)), []).append(p)
    return [Group(key, tuple(members)) for (key, _), members in groups.items()]


def _refuse_decay(parameters: Sequence[Named], numbers: Mapping[str, Numbers], settings: Settings) -> None:
    """Refuses a weight decay that a rule gives to a parameter whose optimizer has none."""
    for p in parameters:
        found = numbers[p.name]
        if any(found.weight_decay.every_value) and not settings.forms[found.use].decays:
            problem = f"{found.use}, which steps {p.name}, has no weight decay, and a group gives it one"
            raise refusal(("groups",), problem, "leave these parameters out of that group")


def table(groups: Sequence[Group], settings: Settings, lr_rule: LrRule) -> str:
    """The resolved groups, one line each, with learning rates as they are after the rule."""
    lines = [f"{settings.use}, learning rate {in_words(settings.numbers.lr)}{lr_rule}"]
    for group in groups:
        numbers = group.numbers
        own = [f"{key} {_text(value)}" for key, value in numbers.own]
        use = "" if numbers.use == settings.use else f"{numbers.use}, "
        rates = f"{use}lr {in_words(numbers.lr, numbers.times * lr_rule.factor)}"
        decay = f"weight decay {in_words(numbers.weight_decay)}"
        count = sum(p.parameter.numel() for p in group.members)
        lines.append(f"  {len(group.members)} tensors, {count:,} numbers: {'; '.join([rates, decay, *own])}")
        lines.append(f"    {_shortened([p.name for p in group.members])}")
    return "\n".join(lines)


def _true_of(rule: Rule, p: Named) -> bool:
    return all(any(_is(p, key, value) for value in wanted) for key, wanted in rule.where.items())


def _is(p: Named, key: str, wanted: Any) -> bool:
    if key == "name":
        return fnmatchcase(p.name, wanted)
    if key == "owner":
        return any(owner.endswith(wanted) for owner in p.owners)
    return bool(wanted == (p.net if key == "net" else p.parameter.ndim))


def _family(kind: type) -> str:
    """BatchNorm2d and SyncBatchNorm both end in BatchNorm once the dimension is gone."""
    return re.sub(r"[123N]d$", "", kind.__name__)


def _text(value: Any) -> str:
    if value is None:
        return "off"
    return number(value) if isinstance(value, float) else str(value).lower()


def _shortened(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 6 else [*names[:3], "...", *names[-2:]])
