"""Wiring: a method becomes a graph of boxes and values, leg by leg; all faults are reported at once. No torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sslgraph.errors import LINE, Fault, Path, Place, SpecError, placed, raise_all, refusal, unknown
from sslgraph.parts.signature import Signature
from sslgraph.read.spec import Loss, Method, Phase
from sslgraph.wire.declare import declared_boxes, phase_faults, picture_faults
from sslgraph.wire.export import exported
from sslgraph.wire.expressions import Call, Expression, Field, Member, Name, by_port, parse
from sslgraph.wire.flow import Flow, who
from sslgraph.wire.graph import Box, Graph, Leg, Value, Write, no_place


def wire(
    method: Method,
    place: Callable[[Path], Place | None] = no_place,
    plugins: tuple[str, ...] = (),
    *,
    imports: bool = True,
    stand_ins: Mapping[str, Signature] | None = None,
) -> Graph:
    """Connects a method; raises SpecError with every fault that can be found without a tensor.

    `imports`: a plugin whose text leaves its ports open may be imported, and torch with it.
    `stand_ins`: what is taken for the signatures of these parts, which need not be there.
    """
    with placed(place):
        faults: list[Fault] = []
        boxes = declared_boxes(method, plugins, faults, imports=imports, stand_ins=stand_ins)
        faults += [*phase_faults(method), *(picture_faults(method, boxes) if not faults else ())]
        raise_all(faults)
        has_step = bool(method.flow or method.losses or method.after_step) or not method.phases
        phases: list[Phase | None] = [*method.phases, *([None] if has_step else [])]
        legs = [_Wiring(method, phase, boxes, faults).leg() for phase in phases]
        if not faults and not any(leg.is_training for leg in legs):
            problem, cure = "the method has no loss, so nothing would be learned", "add a losses: section"
            raise SpecError([Fault(("losses",), problem, (), cure, missing=LINE)])
        try:
            export = exported(method, boxes)
        except SpecError as wrong:
            raise SpecError([*faults, *wrong.faults]) from None
        raise_all(faults)
        return Graph(method, boxes, tuple(legs), export, place, plugins)


class _Wiring:
    """The whole method's step, or one of its phases."""

    def __init__(
        self, method: Method, phase: Phase | None, boxes: dict[str, Box], faults: list[Fault]
    ) -> None:  # fmt: skip
        self.method, self.phase, self.boxes, self.faults = method, phase, boxes, faults
        self.prefix: Path = ("phases", method.phases.index(phase)) if phase else ()

    def leg(self) -> Leg:
        """The leg with its values, losses and writes."""
        source = self.phase or self.method
        flow = self._flow(Leg(self.phase.name if self.phase else "step", self.phase), source.flow, self.method.views)
        flow.wire()
        for name, loss in source.losses.items():
            if name in self.boxes:
                self._loss(flow, name, loss)
        self._writes(flow, source.after_step, "after_step")
        if self.phase and not self.phase.losses:
            self._then(flow.leg, self._collected(flow, self.phase), self.phase.then)
        return flow.leg

    def _flow(self, leg: Leg, texts: Mapping[str, str], views: Collection[str]) -> Flow:
        return Flow(leg, texts=texts, views=views, boxes=self.boxes, prefix=self.prefix, faults=self.faults)

    def _collected(self, flow: Flow, phase: Phase) -> dict[str, Value]:
        """What a pass over the data set hands on; nothing, if the phase collects nothing."""
        if phase.collect is None:
            return {}
        path = (*self.prefix, "collect")
        try:
            flow.leg.collect = flow.argument(parse(phase.collect, path), path)
        except SpecError as wrong:
            self.faults.extend(wrong.faults)
        return {phase.collect: Value(phase.collect, "given", path=path)}

    def _then(self, leg: Leg, given: dict[str, Value], texts: Sequence[str]) -> None:
        flow = {name: name for name in given}
        leg.then = Leg(f"{leg.name}, then", values=given, flow=flow, is_after_pass=True)
        self._writes(self._flow(leg.then, {}, ()), texts, "then")  # the pass is over: no batch is at hand

    def _loss(self, flow: Flow, name: str, loss: Loss) -> None:
        box, path = self.boxes[name], (*self.prefix, "losses", name)
        ports = box.signature.ports
        given = {k: v for k, v in loss.settings.items() if k in ports and k not in box.signature.settings}
        given |= box.made
        free = [port for port in ports if port not in given]
        if len(loss.of) > len(free):
            problem = f"loss '{name}' ({box.use}) is given {len(loss.of)} values"
            self._fault((*path, "of"), problem, f"it takes {', '.join(free) or 'nothing'}")
            return
        texts = {p: (text, (*path, "of", i)) for i, (p, text) in enumerate(zip(free, loss.of, strict=False))}
        texts |= {port: (text, (*path, port)) for port, text in given.items()}
        inputs = []
        for port in ports.values():
            if port.name in texts and (value := self._loss_input(flow, *texts[port.name])):
                inputs.append((port.name, value))
            elif port.name not in texts and not port.optional:
                problem = f"loss '{name}' ({box.use}) gets no '{port.name}'"
                self._fault(path, problem, f"add `{port.name}: NAME`, where NAME is a value of the flow")
        flow.leg.values[name] = Value(name, "loss", name, tuple(inputs), path=path)

    def _loss_input(self, flow: Flow, text: str, path: Path) -> str | None:
        try:
            expression = parse(text, path)
            if isinstance(expression, Call | Member):
                what = "a call" if isinstance(expression, Call) else "a member of a bag"
                problem = f"a loss reads names, and '{text}' is {what}"
                raise refusal(expression.at, problem, "name it in flow: and write the name")
            return flow.argument(expression, path)
        except SpecError as wrong:
            self.faults.extend(wrong.faults)
            return None

    def _writes(self, flow: Flow, texts: Sequence[str], section: str) -> None:
        for i, text in enumerate(texts):
            path = (*self.prefix, section, i)
            try:
                flow.leg.writes.append(self._statement(flow, parse(text, path), path))
            except SpecError as wrong:
                self.faults.extend(wrong.faults)

    def _statement(self, flow: Flow, expression: Expression, path: Path) -> Write:
        """A call of a part's write: `queue.push(k)`, `head.reset`."""
        call = expression if isinstance(expression, Call) else Call(expression, (), at=expression.at)
        function = call.function
        if not (isinstance(function, Field) and isinstance(function.of, Name)):
            raise refusal(expression.at, f"'{expression}' writes nothing", "write for example queue.push(k)")
        owners = {name: box for name, box in self.boxes.items() if box.section in ("state", "nets")}
        if function.of.text not in owners:
            raise SpecError(
                [unknown(expression.at, f"{who(path)} writes to the unknown part", function.of.text, owners)]
            )
        box = owners[function.of.text]
        methods = {**box.signature.writes, **({"reset": {}} if box.section == "nets" else {})}
        if function.name not in methods:
            raise SpecError([unknown(expression.at, f"'{box.name}' ({box.use}) has no write", function.name, methods)])
        given = by_port(call, methods[function.name], who=f"{box.name}.{function.name}")
        inputs = tuple((port, flow.argument(value, path)) for port, value in given)
        return Write(box.name, function.name, inputs, path)

    def _fault(self, path: Path, problem: str, cure: str) -> None:
        self.faults.append(Fault(path, problem, (), cure))
