"""The whole of a method or a recipe as one flat text, which reads back as the same values. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from sslgraph.read.spec import Method, Recipe, Weights
from sslgraph.read.yaml_12 import SCALARS

_NODES = {"use", "augment", "ema_of", "snapshot_of", "do"}
_BREAKS = set("\r\x85\u2028\u2029")  # line ends to PyYAML: outside double quotes it reads them as a space or a line end


def resolved(spec: Method | Recipe) -> str:
    """The text: nothing extended, nothing referenced, what is as the language presumes left out.

    A recipe's holds its whole method, changed as the recipe and the command line say.
    """
    return str(yaml.dump(flat(spec), None, _Dumper, sort_keys=False, width=120, allow_unicode=True))


def flat(value: Any) -> Any:
    """Plain values as a text writes them: settings beside the reserved keys, defaults left out."""
    if isinstance(value, Weights) and value == Weights.model_validate({"from": value.source}):
        return value.source
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        said = {name: getattr(value, name) for name, field in fields.items() if getattr(value, name) != field.default}
        settings = said.pop("settings", {})
        return {fields[name].alias or name: flat(inner) for name, inner in said.items()} | flat(settings)
    if isinstance(value, dict):
        return {name: flat(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [flat(inner) for inner in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Writes a node on a line, and quotes whatever a reader of YAML, 1.1 or 1.2, would take for other than text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        node = super().represent_str(data)
        if not _BREAKS.isdisjoint(data):
            node.style = '"'
        return node

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = all(_is_short(inner) for _, inner in node.value)
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = all(_is_short(item) for item in node.value)
        return node


def _is_short(node: yaml.Node) -> bool:
    """Whether a value may share its line with others: no call, and no node of its own."""
    if isinstance(node, yaml.MappingNode) and not _NODES.isdisjoint(key.value for key, _ in node.value):
        return False
    return node.flow_style is True if isinstance(node, yaml.CollectionNode) else "(" not in node.value


_Dumper.add_representer(str, _Dumper.represent_str)
_YAML_1_1 = yaml.SafeDumper.yaml_implicit_resolvers
_Dumper.yaml_implicit_resolvers = {start: list(forms) for start, forms in _YAML_1_1.items()}
for _name, (_form, _starts) in SCALARS.items():
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _form, _starts)


def leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested mappings by its dotted path; an empty mapping is a value."""
    if isinstance(values, Mapping) and values:
        for name, value in values.items():
            yield from leaves(value, f"{path}.{name}" if path else str(name))
    else:
        yield path, values
