"""A method as nodes without names: what reads what, how deep a net is, what it is for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sslgraph.errors import SpecError, SslgraphError
from sslgraph.parts.registry import signature
from sslgraph.parts.signature import Signature
from sslgraph.read.spec import Loss, Method, Phase
from sslgraph.traits import Traits
from sslgraph.wire.export import in_full
from sslgraph.wire.expressions import Call, Expression, Field, Member, Name, parse, written_out
from sslgraph.wire.walks import reached

LONGEST = 90  # characters of an expression with everything it names written out


@dataclass(frozen=True)
class Node:
    """A place in the figure: a view, a call of a part or of wiring, a port, a read of a state, or an unknown name."""

    kind: str
    name: str
    inputs: tuple[int, ...] = ()


@dataclass
class Leg:
    """A training step or a pass over the data set: its flow, and the nodes of the names in it."""

    name: str
    flow: dict[str, str]
    losses: dict[str, Loss]
    after_step: list[str]
    phase: Phase | None = None
    known: dict[str, int] = field(default_factory=dict)


class Figure:
    """The nodes of a method; children come before parents, and equal nodes are one.

    `plugins` are the modules whose parts may be read; nothing is known of other parts from outside the catalogue.
    """

    def __init__(self, method: Method, plugins: tuple[str, ...] = ()) -> None:
        self.method, self.plugins = method, plugins
        self.nodes: list[Node] = []
        self.depths: list[int] = []  # nets and targets below and at a node
        self.numbers: dict[Node, int] = {}
        self.declared = {
            name: section for section in ("nets", "targets", "state", "ops") for name in getattr(method, section)
        }
        legs = [Leg(p.name, p.flow, p.losses, p.after_step, p) for p in method.phases]
        if method.flow or method.losses or method.after_step or not legs:
            legs.append(Leg("step", method.flow, method.losses, method.after_step))
        self.training = next((leg for leg in legs if leg.losses), legs[-1])
        self.passes = [leg for leg in legs if leg is not self.training]
        for leg in [self.training, *self.passes]:
            for loss in leg.losses.values():
                for text in self.wires(loss, leg).values():
                    self.read(text, leg)
            for text in (*leg.flow, *leg.after_step, *(leg.phase.then if leg.phase else ())):
                self.read(text, leg)
            self.read((leg.phase.collect if leg.phase else None) or "", leg)
        self.in_flow = len(self.nodes)
        self.exported = self.read(in_full(method.export, method.views), self.training)

    def read(self, text: str, leg: Leg) -> int:
        """The number of an expression's node; what can't be read is a name."""
        try:
            return self._node(parse(text), leg, ())
        except SpecError:
            return self._add(Node("name", text), 0)

    def _node(self, expression: Expression, leg: Leg, open_: tuple[str, ...]) -> int:
        match expression:
            case Name(text=text):
                return self._named(text, leg, open_)
            case Field(of=Name(text=state), name="read") if self.declared.get(state) == "state":
                return self._add(Node("read", state), 0)
            case Member(of=of, index=index):
                return self._add(Node("member", str(index), (self._node(of, leg, open_),)), 0)
            case Field(of=Member(of=of, index=index), name=port):
                return self._node(Member(Field(of, port), index), leg, open_)
            case Field(of=of, name=port):
                of_view = isinstance(of, Name) and of.text in self.method.views
                if of_view and port == "image":
                    return self._node(of, leg, open_)
                return self._add(Node("port", port, (self._node(of, leg, open_),)), 0)
            case Call(function=Field(of=Name(text=owner), name=method)):
                inputs = self._inputs(expression, leg, open_)
                return self._add(Node("read" if method == "read" else method, owner, inputs), 0)
            case Call(function=function):
                inputs = self._inputs(expression, leg, open_)
                section = self.declared.get(str(function), "wiring")
                return self._add(Node(section, str(function), inputs), int(section in ("nets", "targets")))
        raise AssertionError(expression)

    def _inputs(self, call: Call, leg: Leg, open_: tuple[str, ...]) -> tuple[int, ...]:
        """The nodes that a call reads, in the order of the ports; behind a gap, under a node with the port's name."""
        inputs, named = [self._node(a, leg, open_) for a in call.arguments], dict(call.named)
        for port in self._ports(call.function)[len(inputs) :] if named else ():
            if port not in named:
                break
            inputs.append(self._node(named.pop(port), leg, open_))
        inputs += [self._add(Node("to", port, (self._node(named[port], leg, open_),)), 0) for port in sorted(named)]
        return tuple(inputs)

    def _ports(self, function: Expression) -> list[str]:
        """The ports of what a call names, if it is known."""
        owner, write = (str(function.of), function.name) if isinstance(function, Field) else (str(function), "")
        method, section = self.method, self.declared.get(owner)
        if section == "targets":
            owner, section = method.net_of(owner), "nets"
        there = getattr(method, section).get(owner) if section else None
        found = self.known(there.use if there else f"wiring.{owner}")
        return list(found.writes.get(write, found.ports)) if found else []

    def _named(self, text: str, leg: Leg, open_: tuple[str, ...]) -> int:
        if text in self.method.views:
            return self._add(Node("view", text), 0)
        if text in leg.known:
            return leg.known[text]
        if text not in leg.flow or text in open_:
            return self._add(Node("name", text), 0)
        try:
            leg.known[text] = self._node(parse(leg.flow[text]), leg, (*open_, text))
        except SpecError:
            leg.known[text] = self._add(Node("name", leg.flow[text]), 0)
        return leg.known[text]

    def _add(self, node: Node, deeper: int) -> int:
        if node not in self.numbers:
            self.numbers[node] = len(self.nodes)
            self.nodes.append(node)
            self.depths.append(max((self.depths[i] for i in node.inputs), default=0) + deeper)
        return self.numbers[node]

    def known(self, use: str) -> Signature | None:
        """What can be read of a part; None of one that is not there or may not be read."""
        try:
            return signature(use, self.plugins, imports=False)
        except SslgraphError:
            if use.partition(":")[0] in self.plugins:
                raise
            return None

    def traits(self, use: str) -> Traits:
        """What a part says of itself: nothing, if it is not known."""
        found = self.known(use)
        return found.traits if found else Traits(source="")

    def depth(self, net: str) -> int:
        """How many nets a value has passed before this one, at most; -1 for a net that nothing calls."""
        return max((self.depths[i] - 1 for i in self._calls(net)), default=-1)

    def _calls(self, net: str) -> list[int]:
        return [i for i, node in enumerate(self.nodes) if (node.kind, node.name) == ("nets", net)]

    def role(self, net: str) -> str:
        """What a net is there for, in one word, from its place and its kind."""
        if spoken := self.method.nets[net].role:
            return spoken
        said, depth = self.traits(self.method.nets[net].use).role, self.depth(net)
        if said == "encoder" or (depth == 0 and said != "rows"):
            return "encoder"
        if said in ("decoder", "discriminator", "prototypes", "rows"):
            return said
        losses = [loss for loss in self.training.losses.values() if self.traits(loss.use).classifies[0]]
        if any(self._ends_in(loss, net) for loss in losses):
            return "classifier"
        before = {self.nodes[i].name for i in self.behind(self._calls(net))} & set(self.method.nets) - {net}
        return "predictor" if any(map(self._is_head, before)) else "projector"

    def _is_head(self, net: str) -> bool:
        role = self.method.nets[net].role or self.traits(self.method.nets[net].use).role
        return role not in ("encoder", "decoder") and self.depth(net) > 0

    def _ends_in(self, loss: Loss, net: str) -> bool:
        return any(self.nodes[self.read(text, self.training)].name == net for text in loss.of)

    def judged_by(self, nets: list[str]) -> list[str]:
        """The losses of the training whose values come out of one of these nets."""
        return [name for name, loss in self.training.losses.items() if any(self._ends_in(loss, net) for net in nets)]

    @property
    def seen(self) -> set[int]:
        """The nodes that the losses of the training come from."""
        losses = self.training.losses.values()
        return self.above([text for loss in losses for text in self.wires(loss, self.training).values()], self.training)

    def wires(self, loss: Loss, leg: Leg) -> dict[str, str]:
        """What a loss reads: its `of` by position, and the settings that name a value, a view's port or a state."""
        known = {*leg.flow, *self.method.views, *self.method.state}
        named = {key: value for key, value in loss.settings.items()
                 if isinstance(value, str) and re.split(r"[.(]", value)[0] in known}  # fmt: skip
        return {**{f"input {i + 1}": text for i, text in enumerate(loss.of)}, **named}

    @property
    def in_passes(self) -> set[str]:
        """The ops that work on all images at once, in what follows a pass over the data set."""
        nodes = [self.nodes[i] for leg in self.passes if leg.phase for i in self.above(leg.phase.then, leg)]
        return {node.name for node in nodes if node.kind == "ops"}

    def above(self, texts: Iterable[str], leg: Leg) -> set[int]:
        """The nodes of expressions, and those that they come from."""
        return self.behind(self.read(text, leg) for text in texts)

    def behind(self, numbers: Iterable[int]) -> set[int]:
        """Nodes, and all that they come from."""
        return reached(numbers, lambda number: self.nodes[number].inputs)

    @property
    def views(self) -> list[str]:
        """The views in the order in which the losses come to read them, unread ones last."""
        read = [node.name for node in self.nodes if node.kind == "view"]
        return list(dict.fromkeys([*read, *self.method.views]))

    @property
    def wiring(self) -> list[str]:
        """The undeclared parts that the flow calls, each once, in the order of reading."""
        return list(dict.fromkeys(node.name for node in self.nodes[: self.in_flow] if node.kind == "wiring"))

    @property
    def stops(self) -> list[str]:
        """The wiring that stops the gradient and does nothing else."""
        return [name for name in self.wiring if self.traits(f"wiring.{name}").is_stop]

    def beside(self, ops: Collection[str]) -> set[str]:
        """The one-input wiring directly before or after one of these ops."""
        found = set()
        for node in self.nodes:
            before = [self.nodes[i] for i in node.inputs]
            if node.kind == "wiring" and len(before) == 1 and before[0].name in ops:
                found.add(node.name)
            if node.kind == "ops" and node.name in ops:
                found |= {other.name for other in before if other.kind == "wiring" and len(other.inputs) == 1}
        return found

    def written_out(self, text: str, leg: Leg) -> str:
        """An expression with the names of the flow written out, as far as it stays readable."""
        try:
            expression = parse(text)
        except SpecError:
            return text
        long = str(written_out(expression, leg.flow, 6))
        return long if len(long) <= LONGEST else leg.flow.get(text, text)
