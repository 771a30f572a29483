"""A part's signature, read from its file as text: settings, ports, outputs, writes, source. Nothing is imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

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
    source: str
    settings: dict[str, Setting]
    inputs: dict[str, Port]
    outputs: tuple[Port, ...]
    writes: dict[str, dict[str, Port]]
    detached: tuple[str, ...]
    has_reset: bool
    kind: str = ""
    affine_in: str = ""

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
    mark = mark_of(node)
    words = {k.arg: ast.literal_eval(k.value) for k in mark.keywords if k.arg} if mark else {}
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    forward = methods.get("forward")
    return Signature(
        use=use,
        class_name=node.name,
        module=module,
        file=file,
        doc=ast.get_docstring(node) or "",
        source=words.get("source", ""),
        detached=tuple(words.get("detached", ())),
        settings=_settings(methods["__init__"]) if "__init__" in methods else {},
        inputs=_ports(forward) if forward else {},
        outputs=_outputs(forward, classes) if forward else (),
        writes={name: _ports(m) for name, m in methods.items() if _is_write(m)},
        has_reset="reset" in methods,
        kind=words.get("kind", ""),
        affine_in=words.get("affine_in", ""),
    )


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
