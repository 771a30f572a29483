"""Reads the right-hand sides of a spec, names, ports and calls, with Python's parser; nothing is run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sslgraph.errors import Column, Path, SpecError, refusal, unknown
from sslgraph.parts.signature import Port

LONGEST = 2_000  # characters
DEEPEST = 60  # calls and ports within each other


@dataclass(frozen=True)
class Name:
    """A view, a value, or a declared part."""

    text: str
    at: Path = field(default=(), compare=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Field:
    """A port of something: `m.seen`, `f(x).map`, `queue.read`."""

    of: Expression
    name: str
    at: Path = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.of}.{self.name}"


@dataclass(frozen=True)
class Call:
    """A part applied to values, by position or by the port's name: `g(f(x))`, `f(x, replace=m.hidden)`."""

    function: Expression
    arguments: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...] = ()
    at: Path = field(default=(), compare=False)

    def __str__(self) -> str:
        inputs = [*map(str, self.arguments), *(f"{port}={value}" for port, value in self.named)]
        return f"{self.function}({', '.join(inputs)})"


@dataclass(frozen=True)
class Member:
    """One view of a bag, counted from 0: `z[0]`."""

    of: Expression
    index: int
    at: Path = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.of}[{self.index}]"


Expression = Name | Field | Call | Member


def parse(text: str, at: Path = ()) -> Expression:
    """Reads the expression at a path of a spec; a fault points at the column inside it."""
    if not isinstance(text, str) or not text.strip():
        raise refusal(at, f"expected an expression, got {text!r}", "write names and calls, for example g(f(x))")
    if len(text) > LONGEST:
        raise refusal(at, f"an expression of {len(text)} characters is too long", "name its parts in flow:")
    try:
        with warnings.catch_warnings():  # Python warns of `1if`; here it is refused
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        cure = "write names, ports and calls, for example g(f(x).map)"
        if text.count("(") != text.count(")"):
            cure = (
                "its brackets don't match; in a list [a, g(b, c)] YAML splits at every comma, so name the call in flow:"
            )
        raise refusal(at, f"'{text}' can't be read as an expression", cure) from None
    return _read(tree.body, text, at, 0)


def written_out(expression: Expression, flow: Mapping[str, str], depth: int) -> Expression:
    """The expression with the names of a flow replaced by their expressions, down to a depth."""
    match expression:
        case Name(text=text) if text in flow and depth > 0:
            try:
                return written_out(parse(flow[text]), flow, depth - 1)
            except SpecError:
                return expression
        case Field(of=of, name=name):
            return Field(written_out(of, flow, depth), name)
        case Member(of=of, index=index):
            return Member(written_out(of, flow, depth), index)
        case Call(function=function, arguments=arguments, named=named):
            return Call(
                function,
                tuple(written_out(a, flow, depth - 1) for a in arguments),
                tuple((port, written_out(a, flow, depth - 1)) for port, a in named),
            )
    return expression


def _read(node: ast.expr, text: str, at: Path, depth: int) -> Expression:
    here = (*at, Column(node.col_offset))
    if depth >= DEEPEST:
        raise refusal(here, f"calls are nested deeper than {DEEPEST}", "name the parts of the expression in flow:")
    match node:
        case ast.Name(id=name):
            return Name(name, here)
        case ast.Attribute(value=of, attr=name):
            return Field(_read(of, text, at, depth + 1), name, here)
        case ast.Subscript(value=of, slice=ast.Constant(value=int(index))) if not isinstance(index, bool):
            return Member(_read(of, text, at, depth + 1), index, here)
        case ast.Call(func=function, args=arguments, keywords=named) if not _is_starred(node):
            return Call(
                _read(function, text, at, depth + 1),
                tuple(_read(a, text, at, depth + 1) for a in arguments),
                tuple((str(k.arg), _read(k.value, text, at, depth + 1)) for k in named),
                here,
            )
    raise refusal(here, _refusal(node, text), _cure(node))


def _is_starred(node: ast.Call) -> bool:
    """Whether it hands on all of a list or a mapping: `f(*x)`, `f(**x)`."""
    return any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords)


def _refusal(node: ast.expr, text: str) -> str:
    part = ast.get_source_segment(text, node) or text
    match node:
        case ast.Constant():
            return f"a number or a text ({part}) can't be part of an expression"
        case ast.Call():
            return f"'{part}' has a star, but a call names each of its values"
        case ast.Subscript():
            return f"'{part}' names no view of a bag"
    return f"'{part}' is not a name, a port or a call"


def _cure(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return "write f(a, b), or f(a, port=b)"
    if isinstance(node, ast.Subscript):
        return "views count from 0: z[0], z[1]; a part gives several"
    if isinstance(node, ast.Constant):
        return "write it as a setting of the part: settings can be overridden, swept and compared"
    return "arithmetic is done by parts: write an op or a wiring part and call it"


def by_port(
    call: Call, ports: Mapping[str, Port], *, who: str, settings: Collection[str] = ()
) -> tuple[tuple[str, Expression], ...]:
    """The values of a call by port, in the order of the ports.

    `who` names the part in a message. SpecError if a value has no port, or a port two values or none that it needs.
    """
    takes = ", ".join(f"{p.name}: {p}" + (" (may be left out)" if p.optional else "") for p in ports.values())
    cure = f"it takes {takes or 'nothing'}"
    count = len(call.arguments) + len(call.named)
    given = dict(zip(ports, call.arguments, strict=False))
    if len(call.arguments) > len(ports):
        raise refusal(call.at, f"{who} is given {count} inputs", cure)
    for port, value in call.named:
        if port in given:
            raise refusal(value.at, f"{who} is given '{port}' twice", cure)
        if port not in ports and port in settings:
            raise refusal(value.at, f"'{port}' is a setting of {who}, and a call gives values", "write it as a key")
        if port not in ports:
            raise SpecError([unknown(value.at, f"{who} has no input", port, ports)])
        given[port] = value
    if lacking := [port.name for port in ports.values() if not port.optional and port.name not in given]:
        lacks = f", and not '{lacking[0]}'" if call.named else ""
        raise refusal(call.at, f"{who} is given {count} inputs{lacks}", cure)
    return tuple((port, given[port]) for port in ports if port in given)
