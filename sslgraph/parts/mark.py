"""Reads the mark `@component(...)` of a class as text: its traits, refused where they make no sense."""

from __future__ import annotations

import ast
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sslgraph.errors import Place, SpecError, refusal, unknown
from sslgraph.parts.signature import Signature
from sslgraph.traits import Traits


def call_of(node: ast.ClassDef) -> ast.Call | None:
    """The `@component(...)` of a class."""
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", getattr(mark.func, "attr", "")) == "component":
            return mark
    return None


def traits_of(node: ast.ClassDef, file: str) -> Traits:
    """The keywords of the class's mark; a class without one has no traits."""
    mark, words = call_of(node), dict[str, Any]()
    if mark is None:
        return Traits(source="")
    for keyword in mark.keywords:
        place, name = _place(file, keyword), keyword.arg or "**"
        if name not in _TYPES:
            raise SpecError([unknown(place, f"@component of {node.name} sets the unknown trait", name, _TYPES)])
        try:
            words[name] = _adapter(name).validate_python(ast.literal_eval(keyword.value), strict=True)
        except ValidationError:
            problem = f"the trait '{name}' of {node.name} takes {_TYPES[name]}, and was given"
            raise refusal(place, f"{problem} {ast.unparse(keyword.value)}") from None
        except (ValueError, TypeError):
            cure = "write the value itself: traits are read as text, and nothing is run"
            raise refusal(place, f"the trait '{name}' of {node.name} is not a literal", cure) from None
    if "source" not in words:
        cure = 'say where its mathematics comes from: source="arXiv:2105.04906, equation 6"'
        raise refusal(_place(file, mark), f"@component of {node.name} sets no source", cure)
    return Traits(**words)


def _place(file: str, node: ast.expr | ast.keyword | ast.ClassDef) -> Place:
    return Place(file, node.lineno, node.col_offset + 1)


_TYPES = {trait.name: str(trait.type) for trait in fields(Traits)}


@cache
def _adapter(trait: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(Traits)[trait])


def refuse_strange_names(found: Signature, node: ast.ClassDef) -> None:
    """Traits name ports and settings; a name that the part doesn't have would be passed over in silence."""
    if found.unread:
        return
    place = _place(found.file, node)
    for trait, ports in found.traits.named_ports.items():
        for port in ports if found.inputs else ():
            if port not in found.inputs and port != "*":
                what = f"{trait} of {found.class_name} names the unknown port"
                raise SpecError([unknown(place, what, port, found.inputs)])
    for setting in found.traits.sane:
        if setting not in found.settings:
            what = f"sane of {found.class_name} names the unknown setting"
            raise SpecError([unknown(place, what, setting, found.settings)])
