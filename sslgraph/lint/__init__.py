"""Warnings about methods that run but do not learn: numbered rules, each with its paper or thread.

Nothing here is an error of the text (`wire.refuse` finds those). A rule speaks only where the wiring and the numbers
of the recipe leave no doubt, and is silent about a number that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable

from sslgraph.errors import Fault, SpecError, unknown
from sslgraph.wire.graph import Graph

from .flow_rules import FLOW_RULES
from .loss_rules import LOSS_RULES
from .mask_rules import MASK_RULES
from .rule import Facts, Finding, Rule
from .side_rules import SIDE_RULES
from .sign_rules import SIGN_RULES
from .state_rules import STATE_RULES
from .weight_rules import WEIGHT_RULES

__all__ = ["RULES", "Facts", "Finding", "Rule", "lint"]

_ALL = (*STATE_RULES, *LOSS_RULES, *SIDE_RULES, *FLOW_RULES, *MASK_RULES, *SIGN_RULES, *WEIGHT_RULES)
RULES: tuple[Rule, ...] = tuple(sorted(_ALL, key=lambda rule: rule.number))


def lint(graph: Graph, facts: Facts | None = None, *, skip: Iterable[str] = ()) -> tuple[Finding, ...]:
    """What the rules find in a wired method, in the order of their numbers; `skip` names rules to leave out.

    What the method's `lint:` silences has its reason. SpecError if that names no rule, or gives no reason.
    """
    told, left_out, reasons = facts or Facts(), set(skip), _reasons(graph)
    return tuple(
        Finding(
            rule.number,
            graph.place(doubt.path),
            doubt.message,
            doubt.cure,
            doubt.source or rule.source,
            reasons.get(rule.number, ""),
        )
        for rule in RULES
        if rule.number not in left_out
        for doubt in rule.find(graph, told)
    )


def _reasons(graph: Graph) -> dict[str, str]:
    """The rules that a method silences, with its reasons."""
    said, numbers = graph.method.lint, [rule.number for rule in RULES]
    faults = [unknown(("lint", n), "lint: there is no rule", n, numbers) for n in said if n not in numbers]
    faults += [
        Fault(("lint", number), f"{number} is silenced without a reason", (), 'write why: SG101: "the reason"')
        for number, reason in said.items()
        if number in numbers and not reason.strip()
    ]
    if faults:
        raise SpecError([fault.placed(graph.place) for fault in faults])
    return said
