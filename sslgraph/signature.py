"""A part's signature, read from its file as text: settings, ports, outputs, writes, traits. Nothing is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sslgraph.errors import Place, SpecError, refusal, unknown
from sslgraph.traits import Traits

REQUIRED = "required"
RESERVED_PORTS = ("draw", "clock")


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
    """What can be known of a part without importing it."""

    use: str
    class_name: str
    module: str
    file: str
    doc: str
    traits: Traits
    settings: dict[str, Setting]
    inputs: dict[str, Port]
    outputs: tuple[Port, ...]
    writes: dict[str, dict[str, Port]]
    has_reset: bool

    @property
    def has_fields(self) -> bool:
        """Whether the output is a NamedTuple, whose fields are ports."""
        return bool(self.outputs) and self.outputs[0].name != ""

    @property
    def ports(self) -> dict[str, Port]:
        """The input ports that a spec may connect (the reserved ones are fed by the compiler)."""
        return {name: port for name, port in self.inputs.items() if name not in RESERVED_PORTS}

    @property
    def family(self) -> str:
        """The folder: losses, heads, ...; "plugin" for a part from elsewhere."""
        return self.use.split(".")[0] if ":" not in self.use else "plugin"


def mark_of(node: ast.ClassDef) -> ast.Call | None:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", getattr(mark.func, "attr", "")) == "component":
            return mark
    return None


def read_class(use: str, module: str, file: str, node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Signature:
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    forward = methods.get("forward")
    found = Signature(
        use=use,
        class_name=node.name,
        module=module,
        file=file,
        doc=ast.get_docstring(node) or "",
        traits=_traits(node, file),
        settings=_settings(methods["__init__"]) if "__init__" in methods else {},
        inputs=_ports(forward) if forward else {},
        outputs=_outputs(forward, classes) if forward else (),
        writes={name: _ports(m) for name, m in methods.items() if _is_write(m)},
        has_reset="reset" in methods,
    )
    _refuse_strange_names(found, _place(file, node))
    return found


def _traits(node: ast.ClassDef, file: str) -> Traits:
    """The keywords of the class's mark; a class without one has no traits."""
    mark, words = mark_of(node), dict[str, Any]()
    if mark is None:
        return Traits(source="")
    for keyword in mark.keywords:
        place, name = _place(file, keyword), keyword.arg or "**"
        if name not in _TYPES:
            raise SpecError([unknown(place, f"@component of {node.name} sets the trait", name, _TYPES)])
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


def _refuse_strange_names(found: Signature, place: Place) -> None:
    """Traits name ports and settings; a name that the part doesn't have would be passed over in silence."""
    for trait, ports in found.traits.named_ports.items():
        for port in ports if found.inputs else ():
            if port not in found.inputs and port != "*":
                raise SpecError([unknown(place, f"{trait} of {found.class_name} names the port", port, found.inputs)])
    for setting in found.traits.sane:
        if setting not in found.settings:
            raise SpecError([unknown(place, f"sane of {found.class_name} names", setting, found.settings)])


def _settings(init: ast.FunctionDef) -> dict[str, Setting]:
    settings = {}
    positional = init.args.args[1:]
    defaults = [None] * (len(positional) - len(init.args.defaults)) + list(init.args.defaults)
    for argument, default in [
        *zip(positional, defaults, strict=True),
        *zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True),
    ]:
        annotation = ast.unparse(argument.annotation) if argument.annotation else "Any"
        settings[argument.arg] = Setting(argument.arg, annotation, REQUIRED if default is None else _literal(default))
    return settings


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _ports(method: ast.FunctionDef) -> dict[str, Port]:
    arguments = method.args.args[1:] + method.args.kwonlyargs
    optional = {a.arg for a in method.args.args[len(method.args.args) - len(method.args.defaults) :]}
    optional |= {a.arg for a, d in zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True) if d is not None}
    return {a.arg: Port(a.arg, _without_none(a.annotation), a.arg in optional) for a in arguments}


def _without_none(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.BinOp):
        annotation = annotation.left
    return ast.unparse(annotation) if annotation else "Any"


def _outputs(forward: ast.FunctionDef, classes: dict[str, ast.ClassDef]) -> tuple[Port, ...]:
    if forward.returns is None:
        return (Port("", "Any"),)
    text = ast.unparse(forward.returns).strip("'\"")
    if text in classes:
        fields = [f for f in classes[text].body if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)]
        return tuple(Port(f.target.id, _without_none(f.annotation)) for f in fields if isinstance(f.target, ast.Name))
    return (Port("", _without_none(forward.returns)),)


def _is_write(method: ast.FunctionDef) -> bool:
    return any(getattr(d, "id", getattr(d, "attr", "")) == "writes" for d in method.decorator_list)
