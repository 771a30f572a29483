"""Reads YAML 1.2 core strictly, with the place of every value. Imports no torch.

PyYAML reads YAML 1.1: `on` is true, `1:30` is 90, `1e-4` is text, and of two equal keys the last one wins in silence.
Here none of that holds; tags, merge keys, dates and several documents in a text are refused, and sizes are bounded.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import yaml

from sslgraph.errors import Fault, Place, SpecError, refusal
from sslgraph.read.located import Value

VALUES = 20_000  # counted with every alias written out
DEPTH = 50


def parse(text: str, name: str) -> Value | None:
    """The value that a text writes, None if it writes nothing; `name` is the file in messages."""
    try:
        loader = _Loader(text, name)
        node = loader.get_single_node()
    except yaml.YAMLError as wrong:
        raise SpecError([_explained(wrong, text, name)]) from None
    if node is None:
        return None
    reading = _Reading(name)
    value = reading.value(node)
    if reading.faults:
        raise SpecError(reading.faults)
    return value


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of YAML 1.2 core, and bounds that hold while it reads."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name, self.values, self.depth = name, 0, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()
        self.values, self.depth = self.values + 1, self.depth + 1
        if self.values > VALUES or self.depth > DEPTH:
            raise SpecError([_too_large(_place(event.start_mark, self.name))])
        if getattr(event, "tag", None) is not None:
            problem = f"a value has the tag {event.tag}, and a spec has plain values only"
            cure = "leave it out; put text that begins with ! in quotes"
            raise refusal(_place(event.start_mark, self.name), problem, cure)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


SCALARS = {
    "null": (re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    "bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    "int": (re.compile(r"[-+]?[0-9]+$"), list("-+0123456789")),
    "float": (
        re.compile(r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.?[0-9]*)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF|nan|NaN|NAN))$"),
        list("-+.0123456789"),
    ),
}
_SURROGATE = re.compile("[\ud800-\udfff]")  # "\ud83d" in double quotes: it could never be written to a file
_Loader.yaml_implicit_resolvers = {}
for _name, (_form, _starts) in SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _form, _starts)


class _Reading:
    """Turns YAML nodes into values, noting every fault on the way."""

    def __init__(self, name: str) -> None:
        self.name, self.faults, self.count = name, list[Fault](), 0

    def value(self, node: yaml.Node, depth: int = 0) -> Value:
        place = _place(node.start_mark, self.name)
        self.count += 1
        if self.count > VALUES or depth > DEPTH:  # reached through aliases only: the loader bounds what is written out
            raise SpecError([_too_large(place)])
        if isinstance(node, yaml.MappingNode):
            return Value(self._mapping(node, depth), place)
        if isinstance(node, yaml.SequenceNode):
            return Value(self._list(node, depth), place)
        return Value(self._scalar(node, place), place)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key, inner in node.value:
            place = _place(key.start_mark, self.name)
            if not isinstance(key, yaml.ScalarNode) or not key.tag.endswith(":str"):
                self.faults.append(Fault(place, "a key must be a name", (), "put it in quotes if this is its name"))
            elif _SURROGATE.search(key.value):
                self.faults.append(_half(place))
            elif key.value == "<<":
                self.faults.append(Fault(place, "merge keys (<<) are not read", (), "write the keys out"))
            elif key.value in found:
                first = found[key.value].key
                self.faults.append(Fault(place, f"the key '{key.value}' is given twice; the first is at {first}"))
            elif node.flow_style and _is_split(key.value):
                self.faults.append(_split(place, key.value))
                break
            else:
                found[key.value] = replace(self.value(inner, depth + 1), key=place)
        return found

    def _list(self, node: yaml.SequenceNode, depth: int) -> list[Value]:
        for item in node.value:
            if node.flow_style and isinstance(item, yaml.ScalarNode) and item.style is None and _is_split(item.value):
                self.faults.append(_split(_place(item.start_mark, self.name), item.value))
                break
        return [self.value(item, depth + 1) for item in node.value]

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        text, kind = str(node.value), node.tag.rpartition(":")[2]
        if _SURROGATE.search(text):
            self.faults.append(_half(place))
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind == "str":
            return text
        number = _number(text, kind)
        if number is None:
            self.faults.append(Fault(place, f"'{text[:40]}' is not a finite number of 64 bits"))
        return number


def _number(text: str, kind: str) -> int | float | None:
    if kind == "int" and len(text) <= 20:
        number = int(text)
        return number if -(2**63) <= number < 2**63 else None
    if kind == "float" and text.lstrip("+-")[:2].lower() not in (".i", ".n"):
        return float(text) if math.isfinite(float(text)) else None
    return None


def _is_split(text: str) -> bool:
    return text.count("(") != text.count(")")


def _split(place: Place, text: str) -> Fault:
    cure = "within [...] and {...} write the call in quotes, or name its result in flow: and write the name"
    return Fault(place, f"the comma of a call ends it here: '{text}'", (), cure)


def _half(place: Place) -> Fault:
    return Fault(place, "half a character is escaped here", (), "write the character itself")


def _too_large(place: Place) -> Fault:
    problem = f"the text holds more than {VALUES} values or is nested deeper than {DEPTH} levels, aliases written out"
    return Fault(place, problem)


def _place(mark: Any, name: str) -> Place:
    return Place(name, mark.line + 1, mark.column + 1)


def _explained(wrong: yaml.YAMLError, text: str, name: str) -> Fault:
    if isinstance(wrong, yaml.reader.ReaderError):
        before = text[: wrong.position]
        place = Place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
        problem = f"the character U+{ord(text[wrong.position]):04X} can't be in a text"
        return Fault(place, problem, (), "leave it out, or write it as an escape in double quotes")
    mark = getattr(wrong, "problem_mark", None) or getattr(wrong, "context_mark", None)
    place = _place(mark, name) if mark else Place(name)
    problem = str(getattr(wrong, "problem", None) or wrong)
    if "'\\t'" in problem:
        return Fault(place, "there is a tab here", (), "indent and align with spaces: YAML takes no tabs")
    if "but found another document" in problem:
        return Fault(place, "a second document begins here", (), "write one document in a file")
    if "mapping values are not allowed" in problem:
        cure = "look for a missing line break, wrong indentation, or text that needs quotes"
        return Fault(place, "there is a ':' where no key can be", (), cure)
    if problem.endswith("got '['"):
        return Fault(place, "there is a list in a list", (), "name the view in flow: (p0: z[0]), then here")
    context = getattr(wrong, "context", None)
    cure = "look at the brackets, quotes and indentation here and in the line above"
    return Fault(
        place, f"this is not YAML: {context}, {problem}" if context else f"this is not YAML: {problem}", (), cure
    )
