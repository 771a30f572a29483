"""Describes the parts that a spec may name: a list of all, or one with its meaning, ports, settings and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.parts.arguments import kind_in_words
from sslgraph.parts.signature import Port, Setting
from sslgraph.traits import Traits

FILLED = {
    "draw": "draw: seed, epoch, image and view of each row, from which it draws random numbers",
    "clock": "clock: seed, epoch and step",
}


def listing(word: str = "") -> str:
    """Every shipped part with what its file says first, family by family; or those that have a word there."""
    names = registry.about(word) if word else registry.catalogue()
    if not names:
        raise SslgraphError(f"no part has '{word}' in its first line; sslgraph list parts shows all")
    width = max(map(len, names))
    lines: list[str] = []
    for name in names:
        if lines and name.split(".")[0] != lines[-1].split(".")[0]:
            lines.append("")
        lines.append(f"{name:<{width}}  {registry.title(name)}")
    return "\n".join(lines)


def page(use: str, plugins: tuple[str, ...] = ()) -> str:
    """One part for its user; raises SslgraphError with the nearest name if there is none of this one."""
    found = registry.signature(use, plugins)
    title = use if found.family == "plugin" else f"{use}: {registry.title(use)}"
    sections = [
        ("", f"{title}\n\n{found.doc}".rstrip()),
        ("settings", "\n".join(map(_setting, found.settings.values()))),
        ("inputs", "\n".join(map(_port, found.ports.values()))),
        ("filled by itself", "\n".join(FILLED[name] for name in found.inputs if name in FILLED)),
        ("outputs", "\n".join(map(_port, found.outputs))),
        ("writes, for after_step", "\n".join(_write(name, ports) for name, ports in found.writes.items())),
        ("traits", "\n".join(_traits(found.traits))),
    ]
    return "\n\n".join(f"{head}:\n{_indented(text)}" if head else text for head, text in sections if text)


def is_part(name: str) -> bool:
    """Whether a name on the command line means a part: family.name, or module:Class."""
    return ":" in name or (name.count(".") == 1 and "/" not in name and not name.endswith((".yaml", ".yml")))


def _setting(setting: Setting) -> str:
    kind = kind_in_words(setting).removesuffix(" or null")
    if setting.is_required:
        return f"{setting.name}: {kind}, must be given"
    left_out = "may be left out" if setting.default is None else f"default {_written(setting.default)}"
    return f"{setting.name}: {kind}, {left_out}"


def _port(port: Port) -> str:
    shape = f"{port.name}: {port}" if port.name else str(port)
    return shape + (", may be left out" if port.optional else "")


def _write(name: str, ports: dict[str, Port]) -> str:
    return f"{name}({', '.join(f'{port.name}: {port}' for port in ports.values())})"


def _traits(traits: Traits) -> Iterator[str]:
    """The traits that the part sets."""
    for trait in fields(traits):
        if (value := getattr(traits, trait.name)) != getattr(Traits(source=""), trait.name):
            yield f"{trait.name}: {_written(value)}"


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_written(inner)}" for name, inner in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
