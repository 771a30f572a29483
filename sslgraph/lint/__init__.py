"""Warnings about methods that run but do not learn: numbered rules, each with its paper or thread.

Nothing here is an error of the text (`wire.refuse` finds those). A rule speaks only where the wiring and the numbers
of the recipe leave no doubt, and is silent about a number that it does not know.
"""

from __future__ import annotations

from sslgraph.errors import Fault, raise_all, unknown
from sslgraph.wire.graph import Graph

from . import copy_rules, flow_rules, loss_rules, mask_rules, side_rules, sign_rules, state_rules, weight_rules
from .rule import Facts, Finding, Rule

__all__ = ["RULES", "Facts", "Finding", "Rule", "lint"]

_FILES = (copy_rules, flow_rules, loss_rules, mask_rules, side_rules, sign_rules, state_rules, weight_rules)
_ALL = [found for file in _FILES for found in vars(file).values() if isinstance(found, Rule)]
RULES: tuple[Rule, ...] = tuple(sorted(_ALL, key=lambda rule: rule.number))


def lint(graph: Graph, facts: Facts | None = None) -> tuple[Finding, ...]:
    """What the rules find in a wired method, in the order of their numbers.

    What the method's `lint:` silences has its reason. SpecError if that names no rule, or gives no reason.
    """
    reasons, found = _reasons(graph), list[Finding]()
    for rule in RULES:
        for doubt in rule.find(graph, facts or Facts()):
            place, source = graph.place(doubt.path), doubt.source or rule.source
            reason = reasons.get(rule.number, "")
            found.append(Finding(rule.number, place, doubt.message, doubt.cure, source, reason))
    return tuple(found)


def _reasons(graph: Graph) -> dict[str, str]:
    """The rules that a method silences, with its reasons."""
    said, numbers = graph.method.lint, [rule.number for rule in RULES]
    faults = [unknown(("lint", n), "lint: there is no rule", n, numbers) for n in said if n not in numbers]
    faults += [
        Fault(("lint", number), f"{number} is silenced without a reason", (), 'write why: SG101: "the reason"')
        for number, reason in said.items()
        if number in numbers and not reason.strip()
    ]
    raise_all(faults, graph.place)
    return said
