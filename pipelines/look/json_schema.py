"""The language as a JSON schema, with which editors complete and check specs. Made from the code; imports no torch.

It knows each section, each shipped part with its settings, ranges, defaults and what they do. What takes more than one
line to see, such as wiring and shapes, `sslgraph check` sees alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from sslgraph.parts import kinds, registry
from sslgraph.parts.signature import Setting
from sslgraph.read.compose.edits import EDITS
from sslgraph.read.spec import Augmentation, Data, Loss, Method, Part, Pipeline, Recipe

from ..optimize import settings as optimizer
from ..optimize.optimizer_form import KINDS, SHIPPED

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"  # what the editors' extensions for YAML know
TITLE = "sslgraph: methods, recipes, pipelines and augmentations"
# The models that name a part, and whose parts these are.
NODES: Mapping[str, tuple[type[Any], tuple[str, ...], bool]] = {
    "Part": (Part, ("losses", "sources", "augment"), False),
    "Step": (Part, ("augment",), True),
    "Loss": (Loss, ("losses",), True),
    "Data": (Data, ("sources",), True),
}
REFERENCE: Schema = {"type": "string", "pattern": r"^\$", "description": "a value that stands elsewhere: $nets.g.out"}
SCHEDULE: Schema = {
    "type": "object",
    "description": "how a number moves over the run: {warmup: 5 %, then: {cosine: [0.1, 0]}}",
    "properties": {
        "cosine": {"type": "array", "items": {"type": "number"}},
        "linear": {"type": "array", "items": {"type": "number"}},
        "steps": {"type": "array", "items": {"type": "number"}},
        "at": {},
        "over": {"type": "string"},
        "warmup": {"type": "string"},
        "from": {"type": "number"},
        "then": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/Schedule"}]},
        "by": {"enum": ["step", "epoch"]},
    },
    "additionalProperties": False,
}


def json_schema() -> Schema:
    """The schema of all four kinds of text; each opens with its own word."""
    models = (Method, Recipe, Pipeline, Augmentation)
    _, whole = models_json_schema([(model, "validation") for model in models], by_alias=True)
    found: dict[str, Schema] = {name: _plain(schema) for name, schema in whole["$defs"].items()}
    found["Schedule"] = SCHEDULE
    for name in ("View", "Average", "Snapshot", "Stage"):  # what else is in them is known by what they name
        del found[name]["properties"]["settings"]
        found[name]["additionalProperties"] = True
    found["Part"]["properties"]["weights"]["anyOf"].append({"type": "string"})
    reserved = {name: dict(found[model.__name__]["properties"]) for name, (model, _, _) in NODES.items()}
    for name, (_, families, is_among) in NODES.items():
        uses = [use for use in registry.catalogue() if (use.split(".")[0] in families) == is_among]
        found |= {f"{name}.{use}": _node(use, reserved[name], has_ports=name == "Loss") for use in uses}
        found[name] = _choice(name, uses)
    found["Augmentation"]["properties"]["steps"]["additionalProperties"] = {"$ref": "#/$defs/Step"}
    for name in ("Method", "Recipe"):
        found[name] = _extending(found[name])
    found["Recipe"]["allOf"] = []  # a base has no method
    found["Recipe"]["properties"]["method"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Method"}]}
    found["Recipe"]["properties"]["optimizer"] = _optimizer()
    words = {"recipe": "Recipe", "pipeline": "Pipeline", "augmentation": "Augmentation"}
    kinds_ = [
        {"if": {"required": [word]}, "then": {"$ref": f"#/$defs/{kind}"}, "else": {}} for word, kind in words.items()
    ]
    other = {"not": {"anyOf": [{"required": [word]} for word in words]}}
    rest: Schema = {"if": other, "then": {"$ref": "#/$defs/Method"}}
    return {"$schema": DRAFT, "title": TITLE, "type": "object", "allOf": [*kinds_, rest], "$defs": found}


def _node(use: str, reserved: Mapping[str, Schema], *, has_ports: bool) -> Schema:
    """A part with its settings; a loss has its ports beside them."""
    signature = registry.signature(use)
    ports = {port: {"type": "string", "description": "a value of the flow"} for port in signature.ports}
    settings = {
        name: _setting(setting, signature.meanings.get(name, "")) for name, setting in signature.settings.items()
    }
    own = {key: value for key, value in reserved.items() if key != "settings"}
    properties = {**(ports if has_ports else {}), **settings, **own, "use": {"const": use}}
    text = signature.doc.strip().partition("\n")[0]
    return {"type": "object", "description": text, "properties": properties, "additionalProperties": False}


def _setting(setting: Setting, meaning: str) -> Schema:
    """What a setting may be: itself, a reference, or where it moves a schedule."""
    forms = [_plain(kinds.schema(setting.annotation)), REFERENCE]
    if kinds.moves(setting.annotation):
        forms.append({"$ref": "#/$defs/Schedule"})
    text = f"{meaning} ({kinds.in_words(setting.annotation)})" if meaning else kinds.in_words(setting.annotation)
    default = {} if setting.is_required or setting.default is None else {"default": _listed(setting.default)}
    return {"description": text, "anyOf": forms, **default}


def _choice(name: str, uses: Iterable[str]) -> Schema:
    """One of these parts, or a part of one's own, of which nothing is known here."""
    uses = list(uses)
    own = {"type": "string", "pattern": ":", "description": "a part of your own: my_package.my_module:MyPart"}
    parts = [
        {"if": {"properties": {"use": {"const": use}}, "required": ["use"]}, "then": {"$ref": f"#/$defs/{name}.{use}"}}
        for use in uses
    ]
    use = {"anyOf": [{"enum": uses}, own]}
    return {"type": "object", "required": ["use"], "properties": {"use": use}, "allOf": parts}


def _extending(schema: Schema) -> Schema:
    """A text that may extend another, and then need not be whole."""
    changes: Schema = {
        "extends": {"type": "string", "description": "the name or the file of the text that this one changes"},
        **{word: {"type": "object", "description": "changes by path: nets.f.depth"} for word in EDITS},
        "remove": {"type": "array", "items": {"type": "string"}, "description": "paths to leave out"},
    }
    needed = {"if": {"not": {"required": ["extends"]}}, "then": {"required": schema["required"]}}
    rest = {key: value for key, value in schema.items() if key != "required"}
    return {**rest, "properties": {**schema["properties"], **changes}, "allOf": [needed]}


def _optimizer() -> Schema:
    """One of the shipped optimizers, or one of one's own, of whose settings nothing is known here."""

    def forms(known: Mapping[str, str]) -> dict[str, Schema]:
        return {name: _setting(Setting(name, kind, None), "") for name, kind in known.items()}

    own = {"required": ["use"], "properties": {"use": {"type": "string", "pattern": ":"}}}
    known = {"type": "object", "properties": forms(optimizer.GROUP), "additionalProperties": False}
    group = {"if": own, "then": {"type": "object"}, "else": known}
    clip = {"type": "object", "properties": forms(optimizer.CLIP), "additionalProperties": False}
    named = {"use": {"enum": [*SHIPPED]}, "groups": {"type": "array", "items": group}, "clip": clip}
    rest: Schema = {name: {} for name in (*optimizer.COMMON, *(name for one in SHIPPED.values() for name in one))}
    shipped = {"properties": {**rest, **forms(KINDS), **named}, "additionalProperties": False}
    return {"type": "object", "if": own, "then": {}, "else": shipped}


def _plain(schema: Any) -> Any:
    """A schema as older readers know it: pairs as a list of items, and without titles that repeat the names."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, Mapping):
        return schema
    words = {"prefixItems": "items"}
    return {
        words.get(key, key): {name: _plain(inner) for name, inner in value.items()}
        if key == "properties"
        else _plain(value)
        for key, value in schema.items()
        if key != "title"
    }


def _listed(value: Any) -> Any:
    return [_listed(inner) for inner in value] if isinstance(value, list | tuple) else value
