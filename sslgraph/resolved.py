"""The whole of a method or a recipe as one flat text, which reads back as the same values. Imports no torch."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import BaseModel

from sslgraph.edits import EDITS
from sslgraph.loaded import LoadedRecipe
from sslgraph.spec import Method
from sslgraph.yaml_core import SCALARS

_NODES = {"use", "augment", "ema_of", "do"}
_BREAKS = set("\r\x85\u2028\u2029")  # line ends to PyYAML: outside double quotes it reads them as a space or a line end


def resolved(method: Method) -> str:
    """The method's text: nothing extended, nothing referenced, what is as the language presumes left out."""
    return _yaml(flat(method))


def resolved_recipe(loaded: LoadedRecipe) -> str:
    """The recipe's text with its whole method in place, changed as the recipe and the command line say."""
    recipe = {key: value for key, value in flat(loaded.recipe).items() if key not in EDITS}
    return _yaml({**recipe, "method": flat(loaded.method.method)})


def flat(value: Any) -> Any:
    """Plain values as a text writes them: settings beside the reserved keys, defaults left out."""
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


def _yaml(plain: dict[str, Any]) -> str:
    return str(yaml.dump(plain, None, _Dumper, sort_keys=False, width=120, allow_unicode=True))


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
