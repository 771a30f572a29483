"""The flow of a leg: expressions become values, each computed once, in an order that works."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sslgraph.errors import Fault, Path, SpecError, refusal, unknown
from sslgraph.parts import registry
from sslgraph.parts.arguments import setting_faults
from sslgraph.parts.signature import Port
from sslgraph.wire.declare import TAKEN
from sslgraph.wire.expressions import Call, Expression, Field, Member, Name, by_port, parse
from sslgraph.wire.graph import VIEW_PORTS, Box, Leg, Value, WiringBox

# Bounds that no figure comes near; the passes behind may go down a chain of values by recursion.
MOST = 300  # values of a leg
DEEPEST = 60  # calls within calls, through names that follow later


class Flow:
    """Makes the values of one leg on demand; a wiring part that an expression names joins `boxes`.

    texts: the flow section, name -> expression. views: the views at hand. prefix: the path of the section in the spec.
    """

    def __init__(
        self, leg: Leg, *, texts: Mapping[str, str], views: Collection[str], boxes: dict[str, Box], prefix: Path,
        faults: list[Fault],
    ) -> None:  # fmt: skip
        self.leg, self.texts, self.views, self.boxes = leg, texts, views, boxes
        self.prefix, self.faults = prefix, faults
        self._known: dict[tuple[Any, ...], str] = {}
        self._open: list[str] = []
        self._failed: set[str] = set()
        self._depth = 0

    def wire(self) -> None:
        """Makes the value of every name of the flow; what is wrong joins the faults."""
        for name in self.texts:
            if len(self.leg.values) >= MOST:
                problem, cure = (
                    f"the flow has more than {MOST} values",
                    "write your own part, which may hold a whole network",
                )
                self.faults.append(Fault(self._here(name), problem, cure=cure))
                break
            if name in self.boxes or name in self.views or not name.isidentifier() or name in TAKEN:
                problem = f"'{name}' can't name a value: the name is taken{self._by_what(name)}"
                self.faults.append(Fault(self._here(name), problem, cure="choose another name"))
            else:
                self._of_name(name)

    def _by_what(self, name: str) -> str:
        """Who has a name already."""
        if name in TAKEN:
            return " (the program or torch's modules have the word for themselves)"
        section = "views" if name in self.views else self.boxes[name].section if name in self.boxes else ""
        return f" ({section}.{name})" if section else ""

    def argument(self, expression: Expression, path: Path) -> str:
        """The value that enters a port: of several outputs, the first."""
        value = self.leg.values[self._value(expression, path)]
        fields = self._fields(value)
        return self._port(value, fields[0].name, path) if fields else value.name

    def _of_name(self, name: str) -> str | None:
        if name in self.leg.flow:
            return self.leg.flow[name]
        if name in self._failed:
            return None
        if name in self._open:
            self._circle([*self._open[self._open.index(name) :], name])
            return None
        self._open.append(name)
        path = (*self.prefix, "flow", name)
        try:
            self.leg.flow[name] = self._value(parse(self.texts[name], path), path, name)
        except SpecError as wrong:
            self.faults.extend(wrong.faults)
            self._failed.add(name)
        self._open.pop()
        return self.leg.flow.get(name)

    def _circle(self, names: list[str]) -> None:
        problem = f"the flow is a circle: {' <- '.join(names)}"
        cure = "feedback needs a state, which is written after a step and read in the next one"
        self.faults.append(Fault(self._here(names[-1]), problem, cure=cure))
        self._failed.update(names)

    def _value(self, expression: Expression, path: Path, name: str | None = None) -> str:
        if self._depth >= DEEPEST:
            problem = f"calls are nested deeper than {DEEPEST}, through names that follow later"
            raise refusal(expression.at, problem, "write the flow in the order of work")
        self._depth += 1
        try:
            return self._made(expression, path, name)
        finally:
            self._depth -= 1

    def _made(self, expression: Expression, path: Path, name: str | None) -> str:
        match expression:
            case Name():
                return self._named(expression, path)
            case Field(of=Name(text=text), name="read") if self._is_state(text):
                return self._call(self.boxes[text], Call(expression, (), at=expression.at), expression, path, name)
            case Field(of=Name(text=text)) if text in self.views:
                return self._view(text, expression, path)
            case Field(of=Member(of=of, index=index)):  # z[0].map is z.map[0]
                return self._made(Member(Field(of, expression.name, expression.at), index, expression.at), path, name)
            case Field():
                return self._field(expression, path, name)
            case Member(of=of, index=index):
                bag = self.argument(of, path)
                name = name or _written(expression)
                return self._add("member", (bag, index), name, path, inputs=(("", bag),), member=index)
            case Call(function=Field(of=Name(text=text), name="read")) if self._is_state(text):
                return self._call(self.boxes[text], expression, expression, path, name)
            case Call(function=Name(text="bag")) if expression.named or not expression.arguments:
                problem = "the views of a bag have no names" if expression.named else "a bag needs views"
                raise refusal(expression.at, problem, "write for example bag(large, small)")
            case Call(function=Name(text="bag")):
                inputs = tuple(("", self.argument(a, path)) for a in expression.arguments)
                return self._add("bag", inputs, name or _written(expression), path, inputs=inputs)
            case Call(function=Name() as function):
                return self._call(self._function(function), expression, expression, path, name)
        raise refusal(expression.at, f"'{expression}' can't be called", "call a net, a target, an op or a wiring part")

    def _view(self, view: str, field: Field, path: Path) -> str:
        port = field.name
        if port not in VIEW_PORTS:
            raise SpecError([unknown(field.at, f"view '{view}' has no port", port, VIEW_PORTS)])
        name = view if port == "image" else f"{view}_{port}"
        return self._add("view", (view, port), name, path, port=port, view=view)

    def _named(self, expression: Name, path: Path) -> str:
        text = expression.text
        self.leg.read.add(text)
        if text in self.views:
            return self._add("view", (text, "image"), text, path, port="image", view=text)
        if text in self.leg.flow:
            return self.leg.flow[text]
        if text in self.texts:
            found = self._of_name(text)
            if found is None:
                raise SpecError([])  # its fault is reported already
            return found
        if text in self.boxes:
            box = self.boxes[text]
            cure = f"write {text}.read" if box.section == "state" else f"write {text}(...)"
            raise refusal(expression.at, f"'{text}' is a part ({box.section}), not a value", cure)
        known = {*self.views, *self.texts, *self.leg.flow}
        raise SpecError([unknown(expression.at, f"{who(path)} reads the unknown name", text, known)])

    def _function(self, function: Name) -> Box:
        """The part that a call names: a declared one, or a wiring part that needs no declaration."""
        name = function.text
        if name in self.boxes:
            box = self.boxes[name]
            if box.section in ("nets", "targets", "ops", "wiring"):
                return box
            cure = f"write {box.name}.read" if box.section == "state" else "a loss is not called in the flow"
            raise refusal(function.at, f"'{box.name}' is in {box.section} and can't be called", cure)
        use = f"wiring.{name}"
        if use not in registry.catalogue("wiring"):
            wiring = [part.split(".")[1] for part in registry.catalogue("wiring")]
            declared = [b.name for b in self.boxes.values() if b.section in ("nets", "targets", "ops")]
            known = {*declared, *wiring, "bag"}
            raise SpecError(
                [unknown(function.at, "the flow calls the unknown part", name, known, registry.meant(name))]
            )
        signature = registry.signature(use)
        if faults := setting_faults(signature, {}):
            raise refusal(function.at, faults[0].problem, f"declare it: ops: {{{name}: {{use: {use}, ...}}}}")
        self.boxes[name] = WiringBox(name, use, {}, signature, ())
        return self.boxes[name]

    def _call(self, box: Box, call: Call, written: Expression, path: Path, name: str | None) -> str:
        """The value of a call; `written` is its text, such as `queue.read`."""
        signature = box.signature
        ports = {name: port for name, port in signature.ports.items() if name not in box.numbers}
        given = by_port(call, ports, who=f"'{box.name}' ({box.use})", settings=[*signature.settings, *box.numbers])
        inputs = tuple((port, self.argument(value, path)) for port, value in given)
        for port, text in box.made.items():
            here = (*box.path, port)
            inputs += ((port, self.argument(parse(text, here), here)),)
        return self._add("call", (box.name, inputs), name or _written(written), path, box=box.name, inputs=inputs)

    def _field(self, expression: Field, path: Path, name: str | None) -> str:
        value = self.leg.values[self._value(expression.of, path)]
        fields = {port.name: port for port in self._fields(value)}
        if expression.name in fields:
            return self._port(value, expression.name, path, name)
        what = f"'{expression.of}' has no output"
        if fields:
            raise SpecError([unknown(expression.at, what, expression.name, fields)])
        whole = self._whole(value)
        if whole and expression.name in {port.name for port in self._fields(whole)}:
            problem = f"{what} '{expression.name}': it is one view of the first output of '{whole.name}'"
            raise refusal(expression.at, problem, f"write {whole.name}.{expression.name}[{value.member}]")
        raise refusal(expression.at, f"{what} '{expression.name}': it has only one", f"write {expression.of}")

    def _whole(self, value: Value) -> Value | None:
        """The call with several outputs of which a value is one view of the first."""
        source = self.leg.values[value.inputs[0][1]] if value.kind == "member" else None
        return self.leg.values[source.inputs[0][1]] if source and source.kind == "port" else None

    def _port(self, value: Value, port: str, path: Path, name: str | None = None) -> str:
        inputs = (("", value.name),)
        return self._add("port", (value.name, port), name or f"{value.name}_{port}", path, inputs=inputs, port=port)

    def _fields(self, value: Value) -> tuple[Port, ...]:
        signature = self.boxes[value.box].signature if value.kind == "call" and value.box else None
        return signature.outputs if signature and signature.has_fields else ()

    def _add(self, kind: Any, key: tuple[Any, ...], name: str, path: Path, **parts: Any) -> str:
        if (kind, key) in self._known:
            return self._known[kind, key]
        while name in self.leg.values or name in self.boxes or (name in self.views and kind != "view"):
            name += "_"
        self.leg.values[name] = Value(name, kind, path=path, **parts)
        self._known[kind, key] = name
        return name

    def _is_state(self, name: str) -> bool:
        return name in self.boxes and self.boxes[name].section == "state"

    def _here(self, name: str) -> Path:
        return (*self.prefix, "flow", name)


def who(path: Path) -> str:
    """Who speaks at a path of a spec, for the start of a message: "flow 'z'"."""
    words = [str(word) for word in path if word != "phases" and not isinstance(word, int)]
    return f"{words[0]} '{words[1]}'" if len(words) > 1 else words[0] if words else "the flow"


def _written(expression: Expression) -> str:
    """A name for a value that the spec leaves unnamed, after what is written: g(f(x)) is g_f_x."""
    return re.sub(r"\W+", "_", str(expression)).strip("_")
