"""Wiring: expressions become values, each made once, in an order in which they can be computed. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sslgraph import registry
from sslgraph.boxes import TAKEN, declared_boxes, phase_faults
from sslgraph.errors import Fault, Place, SpecError, unknown
from sslgraph.expressions import Call, Expression, Field, Name, parse
from sslgraph.graph import VIEW_PORTS, Box, Graph, Leg, Value, Write, no_place
from sslgraph.registry import Port
from sslgraph.spec import Loss, Method, Path, Phase


def wire(method: Method, place: Callable[[Path], Place | None] = no_place, plugins: tuple[str, ...] = ()) -> Graph:
    """Connects a method; raises SpecError with every fault that can be found without a tensor."""
    faults: list[Fault] = []
    boxes = declared_boxes(method, place, plugins, faults)
    faults += phase_faults(method, place)
    if faults:
        raise SpecError(faults)
    has_step = bool(method.flow or method.losses or method.after_step) or not method.phases
    phases: list[Phase | None] = [*method.phases, *([None] if has_step else [])]
    legs = [_Wiring(method, boxes, place, faults).leg(phase) for phase in phases]
    if not faults and not any(leg.is_training for leg in legs):
        faults.append(
            Fault(
                place(("losses",)), "the method has no loss, so nothing would be learned", (), "add a losses: section"
            )
        )
    if faults:
        raise SpecError(faults)
    return Graph(method, boxes, tuple(legs), place)


class _Wiring:
    """The values of one leg, made on demand, each expression once."""

    def __init__(
        self, method: Method, boxes: dict[str, Box], place: Callable[[Path], Place | None], faults: list[Fault]
    ) -> None:
        self.method, self.boxes, self.place, self.faults = method, boxes, place, faults
        self.current = Leg("step")
        self.views = method.views
        self.known: dict[tuple[Any, ...], str] = {}
        self.open: list[str] = []
        self.flow: dict[str, str] = {}
        self.prefix: Path = ()
        self.failed: set[str] = set()

    def leg(self, phase: Phase | None) -> Leg:
        """Wires the whole method, or one of its phases."""
        source = phase or self.method
        self.prefix = ("phases", self.method.phases.index(phase)) if phase else ()
        self.current = Leg(phase.name if phase else "step", phase)
        self.flow = source.flow
        for name in self.flow:
            if name in self.boxes or name in self.method.views or not name.isidentifier() or name in TAKEN:
                self._fault(
                    (*self.prefix, "flow", name),
                    f"'{name}' can't name a value: the word is taken",
                    "choose another name",
                )
            else:
                self._flow_value(name)
        for name, loss in source.losses.items():
            if name in self.boxes:
                self._loss(name, loss)
        for i, text in enumerate(source.after_step):
            self._write(text, (*self.prefix, "after_step", i))
        if phase and phase.collect:
            self._collect(phase)
        return self.current

    def _collect(self, phase: Phase) -> None:
        assert phase.collect is not None
        leg, path = self.current, (*self.prefix, "collect")
        try:
            leg.collect = self._argument(parse(phase.collect, self.place(path)), path)
        except SpecError as wrong:
            self.faults.extend(wrong.faults)
            return
        self.current = leg.then = Leg(f"{leg.name}, then")
        self.known, self.flow, self.views = {}, {}, {}  # the whole data set has passed: no batch is at hand
        given = Value(phase.collect, "given", path=path)
        leg.then.values[given.name] = given
        leg.then.flow[given.name] = given.name
        for i, text in enumerate(phase.then):
            self._write(text, (*self.prefix, "then", i))
        self.current = leg

    def _flow_value(self, name: str) -> str | None:
        if name in self.current.flow:
            return self.current.flow[name]
        if name in self.failed:
            return None
        if name in self.open:
            cycle = [*self.open[self.open.index(name) :], name]
            self._fault(
                (*self.prefix, "flow", name),
                f"the flow goes round in a circle: {' <- '.join(cycle)}",
                "feedback goes through a state: write it after the step, read it in the next",
            )
            self.failed.update(cycle)
            return None
        self.open.append(name)
        value = self._expression(self.flow[name], (*self.prefix, "flow", name), name)
        self.open.pop()
        if value is None:
            self.failed.add(name)
            return None
        self.current.flow[name] = value
        return value

    def _expression(self, text: str, path: Path, name: str | None = None) -> str | None:
        try:
            return self._value(parse(text, self.place(path)), path, name)
        except SpecError as wrong:
            self.faults.extend(wrong.faults)
            return None

    def _value(self, expression: Expression, path: Path, name: str | None = None) -> str:
        match expression:
            case Name():
                return self._named(expression, path)
            case Field(of=Name(text=state), name="read") if self._is(state, "state"):
                return self._call(self.boxes[state], (), expression, path, name)
            case Field(of=Name(text=view), name=port) if view in self.views:
                if port not in VIEW_PORTS:
                    raise SpecError(
                        [unknown(expression.place, f"view '{view}' is asked for its port", port, VIEW_PORTS)]
                    )
                return self._add(
                    "view", (view, port), view if port == "image" else f"{view}_{port}", path, port=port, view=view
                )
            case Field():
                return self._field(expression, path, name)
            case Call(function=Field(of=Name(text=state), name="read"), arguments=arguments) if self._is(
                state, "state"
            ):
                return self._call(self.boxes[state], arguments, expression, path, name)
            case Call(function=Name(text="bag"), arguments=()):
                raise SpecError(
                    [Fault(expression.place, "a bag of nothing", (), "write for example bag(large, small)")]
                )
            case Call(function=Name(text="bag"), arguments=arguments):
                inputs = tuple(("", self._argument(a, path)) for a in arguments)
                return self._add("bag", inputs, name or _written(expression), path, inputs=inputs)
            case Call(function=Name() as function, arguments=arguments):
                return self._call(self._function(function), arguments, expression, path, name)
        raise SpecError(
            [
                Fault(
                    expression.place,
                    f"'{expression}' can't be called",
                    (),
                    "call a net, a target, an op or a wiring part",
                )
            ]
        )

    def _named(self, expression: Name, path: Path) -> str:
        text = expression.text
        if text in self.views:
            return self._add("view", (text, "image"), text, path, port="image", view=text)
        if text in self.current.flow:
            return self.current.flow[text]
        if text in self.flow:
            found = self._flow_value(text)
            if found is None:
                raise SpecError([])
            return found
        if text in self.boxes:
            box = self.boxes[text]
            cure = f"write {text}.read" if box.section == "state" else f"write {text}(...)"
            raise SpecError([Fault(expression.place, f"'{text}' is a part ({box.section}), not a value", (), cure)])
        known = {*self.views, *self.flow, *self.current.flow}
        raise SpecError([unknown(expression.place, f"{_who(path)} reads", text, known)])

    def _function(self, function: Name) -> Box:
        if function.text in self.boxes:
            box = self.boxes[function.text]
            if box.section in ("nets", "targets", "ops", "wiring"):
                return box
            cure = f"write {box.name}.read" if box.section == "state" else "a loss is not called in the flow"
            raise SpecError(
                [Fault(function.place, f"'{box.name}' stands in {box.section} and can't be called", (), cure)]
            )
        use = f"wiring.{function.text}"
        if use not in registry.catalogue("wiring"):
            wiring = [part.split(".")[1] for part in registry.catalogue("wiring")]
            callable_boxes = [b.name for b in self.boxes.values() if b.section in ("nets", "targets", "ops")]
            raise SpecError(
                [unknown(function.place, "the flow calls", function.text, {*callable_boxes, *wiring, "bag"})]
            )
        signature = registry.signature(use)
        if problems := registry.setting_problems(signature, {}):
            raise SpecError(
                [Fault(function.place, problems[0], (), f"declare it: ops: {{{function.text}: {{use: {use}, ...}}}}")]
            )
        self.boxes[function.text] = Box(function.text, "wiring", use, {}, signature, None, ())
        return self.boxes[function.text]

    def _call(
        self, box: Box, arguments: tuple[Expression, ...], expression: Expression, path: Path, name: str | None
    ) -> str:
        ports = list(box.signature.ports.values())
        needed = [p for p in ports if not p.optional]
        if len(arguments) > len(ports) or len(arguments) < len(needed):
            takes = (
                ", ".join(f"{p.name}: {p}" + (" (may be left out)" if p.optional else "") for p in ports) or "nothing"
            )
            raise SpecError(
                [
                    Fault(
                        expression.place,
                        f"'{box.name}' ({box.use}) is given {len(arguments)} inputs",
                        (),
                        f"it takes {takes}",
                    )
                ]
            )
        inputs = tuple((port.name, self._argument(a, path)) for port, a in zip(ports, arguments, strict=False))
        return self._add("call", (box.name, inputs), name or _written(expression), path, box=box.name, inputs=inputs)

    def _argument(self, expression: Expression, path: Path) -> str:
        """A value that enters a port: of several outputs, the first."""
        value = self.current.values[self._value(expression, path)]
        fields = self._fields(value)
        return self._port(value, fields[0].name, path) if fields else value.name

    def _field(self, expression: Field, path: Path, name: str | None) -> str:
        value = self.current.values[self._value(expression.of, path)]
        fields = {port.name: port for port in self._fields(value)}
        if expression.name not in fields:
            what = f"'{expression.of}' is asked for its port"
            if fields:
                raise SpecError([unknown(expression.place, what, expression.name, fields)])
            raise SpecError(
                [
                    Fault(
                        expression.place,
                        f"{what} '{expression.name}', and it has only one output",
                        (),
                        f"write {expression.of}",
                    )
                ]
            )
        return self._port(value, expression.name, path, name)

    def _port(self, value: Value, port: str, path: Path, name: str | None = None) -> str:
        return self._add(
            "port", (value.name, port), name or f"{value.name}_{port}", path, inputs=(("", value.name),), port=port
        )

    def _fields(self, value: Value) -> tuple[Port, ...]:
        signature = self.boxes[value.box].signature if value.kind == "call" and value.box else None
        return signature.outputs if signature and signature.has_fields else ()

    def _add(self, kind: Any, key: tuple[Any, ...], name: str, path: Path, **parts: Any) -> str:
        if (kind, key) in self.known:
            return self.known[kind, key]
        while name in self.current.values or name in self.boxes or (name in self.method.views and kind != "view"):
            name += "_"
        self.current.values[name] = Value(name, kind, path=path, **parts)
        self.known[kind, key] = name
        return name

    def _loss(self, name: str, loss: Loss) -> None:
        box, path = self.boxes[name], (*self.prefix, "losses", name)
        ports = box.signature.ports
        given = {k: v for k, v in loss.settings.items() if k in ports and k not in box.signature.settings}
        free = [port for port in ports if port not in given]
        if len(loss.of) > len(free):
            self._fault(
                (*path, "of"),
                f"loss '{name}' ({box.use}) is given {len(loss.of)} values",
                f"it takes {', '.join(free) or 'none'}",
            )
            return
        texts = {
            **{p: (t, (*path, "of", i)) for i, (p, t) in enumerate(zip(free, loss.of, strict=False))},
            **{port: (text, (*path, port)) for port, text in given.items()},
        }
        inputs = []
        for port in ports.values():
            if port.name in texts and (value := self._loss_input(*texts[port.name])):
                inputs.append((port.name, value))
            elif port.name not in texts and not port.optional:
                self._fault(
                    path,
                    f"port '{port.name}' of loss '{name}' ({box.use}) gets nothing",
                    f"write {port.name}: and a value of the flow",
                )
        self.current.values[name] = Value(name, "loss", name, tuple(inputs), path=path)

    def _loss_input(self, text: str, path: Path) -> str | None:
        try:
            expression = parse(text, self.place(path))
            if isinstance(expression, Call):
                raise SpecError(
                    [
                        Fault(
                            expression.place,
                            f"a loss reads names, and '{text}' is a call",
                            (),
                            "name it in flow: and write the name",
                        )
                    ]
                )
            return self._argument(expression, path)
        except SpecError as wrong:
            self.faults.extend(wrong.faults)
            return None

    def _write(self, text: str, path: Path) -> None:
        try:
            self.current.writes.append(self._statement(parse(text, self.place(path)), path))
        except SpecError as wrong:
            self.faults.extend(wrong.faults)

    def _statement(self, expression: Expression, path: Path) -> Write:
        arguments: tuple[Expression, ...] = ()
        function = expression
        if isinstance(expression, Call):
            function, arguments = expression.function, expression.arguments
        if not (isinstance(function, Field) and isinstance(function.of, Name)):
            raise SpecError(
                [Fault(expression.place, f"'{expression}' writes nothing", (), "write for example queue.push(k)")]
            )
        owner = {name: box for name, box in self.boxes.items() if box.section in ("state", "nets")}
        if function.of.text not in owner:
            raise SpecError([unknown(expression.place, f"{_who(path)} writes to", function.of.text, owner)])
        box = owner[function.of.text]
        methods = {**box.signature.writes, **({"reset": {}} if box.section == "nets" else {})}
        if function.name not in methods:
            raise SpecError(
                [unknown(expression.place, f"'{box.name}' ({box.use}) is asked to", function.name, methods)]
            )
        ports = list(methods[function.name].values())
        if len(arguments) != len(ports):
            takes = ", ".join(f"{p.name}: {p}" for p in ports) or "nothing"
            raise SpecError(
                [
                    Fault(
                        expression.place,
                        f"{box.name}.{function.name} is given {len(arguments)} values",
                        (),
                        f"it takes {takes}",
                    )
                ]
            )
        inputs = tuple((p.name, self._argument(a, path)) for p, a in zip(ports, arguments, strict=True))
        return Write(box.name, function.name, inputs, path)

    def _is(self, name: str, section: str) -> bool:
        return name in self.boxes and self.boxes[name].section == section

    def _fault(self, path: Path, problem: str, cure: str = "") -> None:
        self.faults.append(Fault(self.place(path), problem, (), cure))


def _who(path: Path) -> str:
    words = [str(word) for word in path if word != "phases" and not isinstance(word, int)]
    return f"{words[0]} '{words[1]}'" if len(words) > 1 else words[0] if words else "the flow"


def _written(expression: Expression) -> str:
    """A name for a value that the spec leaves unnamed, after what is written: g(f(x)) is g_f_x."""
    return re.sub(r"\W+", "_", str(expression)).strip("_")
