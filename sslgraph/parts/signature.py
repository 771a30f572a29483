"""A part's signature: its settings, ports, outputs, writes and traits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sslgraph.errors import SpecError, refusal
from sslgraph.traits import Traits

REQUIRED = "required"
# What jaxtyping's words promise of a tensor's numbers, where they promise one kind.
KINDS = {"Float": "floating-point numbers", "BFloat": "floating-point numbers", "Bool": "truth values"}
KINDS |= dict.fromkeys(("Int", "UInt", "Integer"), "whole numbers")
RESERVED_PORTS = ("draw", "clock")
# What an optional parameter of `forward` may be without being a port: a switch, which keeps its default.
SWITCHES = ("bool", "int", "float", "str")


@dataclass(frozen=True)
class Port:
    """A place where a tensor goes in or comes out, with the axes of its annotation."""

    name: str
    text: str
    optional: bool = False

    @property
    def axes(self) -> tuple[str, ...] | None:
        """The axis names of `Float[Tensor, "batch dim"]`, or None where the annotation has none."""
        parts = self.text.split('"') if '"' in self.text else self.text.split("'")
        return tuple(parts[1].split()) if len(parts) == 3 else None

    @property
    def kind(self) -> str:
        """The numbers that the annotation promises, in words; empty where it promises none in particular."""
        word = re.match(r"(?:\w+\.)*([A-Za-z]+)", self.text)
        return KINDS.get(word[1], "") if word else ""

    @property
    def is_bag(self) -> bool:
        """Whether the port takes all views of a bag at once, stacked on a leading axis."""
        return bool(self.axes) and self.axes is not None and self.axes[0].startswith("views")

    @property
    def is_integer(self) -> bool:
        """Whether the annotation promises whole numbers or truth values, which carry no gradient."""
        return self.text.split("[")[0].startswith(("Int", "UInt", "Bool", "Integer"))

    def __str__(self) -> str:
        return f"{self.text.split('[')[0]}[{' '.join(self.axes)}]" if self.axes is not None else self.text


@dataclass(frozen=True)
class Setting:
    """A constructor parameter of a part: its annotation as text, and its default."""

    name: str
    annotation: str
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether a spec must give it."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Signature:
    """What is known of a part. `unread` says what its text does not tell; it is known once the part is imported."""

    use: str
    class_name: str
    module: str
    file: str
    doc: str
    traits: Traits
    settings: dict[str, Setting] = field(default_factory=dict)
    inputs: dict[str, Port] = field(default_factory=dict)
    outputs: tuple[Port, ...] = ()
    writes: dict[str, dict[str, Port]] = field(default_factory=dict)
    unread: str = ""
    has_place: bool = False  # a step of an augmentation that says where the crop lies
    step: tuple[str, ...] | None = None  # what `step` of an optimizer must be given; None: there is no such method

    @property
    def has_fields(self) -> bool:
        """Whether the output is a NamedTuple, whose fields are ports."""
        return bool(self.outputs) and self.outputs[0].name != ""

    @property
    def meanings(self) -> dict[str, str]:
        """What each setting does, as the part's text describes it."""
        told = self.doc.partition("Settings:\n")[2].partition("\n\n")[0]
        found = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {5,}.*)*)", told, re.MULTILINE)
        return {name: " ".join(text.split()) for names, text in found for name in names.split(", ")}

    @property
    def ports(self) -> dict[str, Port]:
        """The input ports that a spec may connect (the reserved ones are fed by the compiler)."""
        return {name: port for name, port in self.inputs.items() if name not in RESERVED_PORTS}

    @property
    def family(self) -> str:
        """The folder: losses, heads, ...; "plugin" for a part from elsewhere."""
        return self.use.split(".")[0] if ":" not in self.use else "plugin"


def no_port(class_name: str, method: str, parameter: str, annotation: str) -> SpecError:
    """The error of a method that can't be called with the tensors of a flow alone."""
    return refusal((), f"{class_name}.{method} needs '{parameter}', which is {annotation} and not a tensor")
