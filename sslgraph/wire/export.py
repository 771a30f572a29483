"""The representation: an expression over nets, targets and ops, evaluated on one image.

`export: f` stands for f(x) and `export: f.map` for f(x).map, where x is the first view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sslgraph.errors import Fault, Path, SpecError, raise_all, refusal, unknown
from sslgraph.read.spec import Method
from sslgraph.wire.expressions import DEEPEST, Call, Expression, Field, Member, Name, parse, written_out
from sslgraph.wire.flow import Flow
from sslgraph.wire.graph import Box, Leg

HERE: Path = ("export",)


def exported(method: Method, boxes: dict[str, Box]) -> Leg:
    """The leg that makes the representation: its one input is a view, and what it makes is in `collect`."""
    expression = whole(parse(method.export, HERE), method, boxes)
    for box in [boxes[name] for name in names(expression) if name in boxes]:
        if box.section in ("state", "losses"):
            cure = "a representation is made by nets, targets and ops from the image alone"
            raise refusal(HERE, f"export reads '{box.name}' ({box.section})", cure)
    faults: list[Fault] = []
    flow = Flow(Leg("export"), texts={}, views=method.views, boxes=boxes, prefix=(), faults=faults)
    flow.leg.collect = flow.argument(expression, HERE)
    raise_all(faults)
    seen = [value for value in flow.leg.values.values() if value.kind == "view"]
    if len(seen) != 1 or seen[0].port != "image":
        read = ", ".join(value.name for value in seen) or "no image"
        cure = f"it reads one image by a view's name: {next(iter(method.views))}"
        raise refusal(HERE, f"export reads {read}", cure)
    if members := [value.name for value in flow.leg.values.values() if value.kind in ("member", "bag")]:
        raise refusal(HERE, f"export has a bag ({members[0]})", "evaluation sees each image once")
    return flow.leg


def whole(expression: Expression, method: Method, boxes: dict[str, Box]) -> Expression:
    """The expression with the call that a bare net leaves out; SpecError if that is no net."""
    if any(isinstance(part, Call) for part in parts(expression)):
        return expression
    encoders = {name: box for name, box in boxes.items() if box.section in ("nets", "targets")}
    (name,) = names(expression)
    if name not in encoders:
        raise SpecError([unknown(HERE, "export names the unknown net", name, encoders)])
    ports = [port.name for port in encoders[name].signature.outputs]
    if isinstance(expression, Field) and expression.name not in ports:
        raise SpecError([unknown(HERE, f"export: '{name}' has no output", expression.name, ports)])
    return called(expression, Name(next(iter(method.views))))


def in_full(text: str, views: Iterable[str]) -> str:
    """What `export` says with the call that it may leave out, and with one name for the image."""
    try:
        expression = parse(text)
    except SpecError:
        return text
    if not any(isinstance(part, Call) for part in parts(expression)):
        return str(called(expression, Name("the_image")))
    return str(written_out(expression, dict.fromkeys(views, "the_image"), DEEPEST))


def called(expression: Expression, image: Expression) -> Expression:
    """A bare net applied to an image: f is f(x), f.map is f(x).map."""
    if isinstance(expression, Field):
        return Field(called(expression.of, image), expression.name, expression.at)
    return Call(expression, (image,), at=expression.at)


def parts(expression: Expression) -> Iterator[Expression]:
    """An expression and all in it."""
    yield expression
    match expression:
        case Field(of=of) | Member(of=of):
            yield from parts(of)
        case Call(function=function, arguments=arguments, named=named):
            for inner in (function, *arguments, *(value for _, value in named)):
                yield from parts(inner)


def names(expression: Expression) -> list[str]:
    """The names in an expression."""
    return [part.text for part in parts(expression) if isinstance(part, Name)]
