"""Reads a part's signature as text from its class and its base classes. Nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sslgraph.parts import mark, module_text
from sslgraph.parts.module_text import Module
from sslgraph.parts.signature import REQUIRED, RESERVED_PORTS, SWITCHES, Port, Setting, Signature, no_port
from sslgraph.traits import Traits

# Nothing that a signature says stands in these: where a line of classes reaches one of them, it is at its end.
ROOTS = ("object", "torch.nn.Module", "torch.nn.modules.module.Module", "abc.ABC", "typing.Protocol", "typing.Generic")


@dataclass(frozen=True)
class _Class:
    """A class of a module, and the nearest definition of each method in it and the classes behind it."""

    lineage: tuple[tuple[Module, ast.ClassDef], ...]  # the class itself first
    unknown: tuple[str, ...]  # base classes whose text was not found

    def method(self, name: str) -> tuple[Module, ast.FunctionDef] | None:
        return next(self.methods(name), None)

    def methods(self, name: str) -> Iterator[tuple[Module, ast.FunctionDef]]:
        for module, node in self.lineage:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == name:
                    yield module, method


def read_class(use: str, module: Module, node: ast.ClassDef) -> Signature:
    """The signature of a class in a module; its `file` is the module's."""
    part = _Class(*_lineage(module, node))
    calls = _calls(part)
    marked_in, marked = next(((m, n) for m, n in part.lineage if mark.call_of(n)), (module, node))
    found = Signature(
        use=use,
        class_name=node.name,
        module=module.name,
        file=str(module.file),
        doc=_doc(part),
        traits=mark.traits_of(marked, str(marked_in.file)),
        settings=_settings(part),
        inputs=_inputs(node.name, *calls[0]) if calls else {},
        outputs=_outputs(*calls[-1]) if calls else (),
        writes=_writes(part),
        has_place=part.method("place") is not None,
        step=_step(part),
        unread=_unread(part, is_whole=bool(calls) and part.method("__init__") is not None),
    )
    mark.refuse_strange_names(found, node)
    return found


def unreadable(use: str, module: str, class_name: str, value: str) -> Signature:
    """The signature of a name that no class definition was found for; `value` is what is assigned to it, if known."""
    file = str(module_text.source_of(module) or "")
    text = f"{class_name} = {value}" if value else f"no class {class_name}"
    unread = f"the text of {module} says {text}"
    return Signature(use, class_name, module, file, doc="", traits=Traits(source=""), unread=unread)


def _lineage(
    module: Module, node: ast.ClassDef, seen: tuple[str, ...] = ()
) -> tuple[tuple[tuple[Module, ast.ClassDef], ...], tuple[str, ...]]:
    """The class and those behind it, in the order of their definitions, and the names of those without a text."""
    line, unread = [(module, node)], list[str]()
    for base in node.bases:
        base = base.value if isinstance(base, ast.Subscript) else base  # Generic[T]
        name = module_text.full_name(module, base)
        if name in (*ROOTS, *seen) or name.removeprefix(f"{module.name}.") in ROOTS:
            continue
        found = module_text.resolve(module, base)
        if found and isinstance(found[1], ast.ClassDef):
            further, missing = _lineage(found[0], found[1], (*seen, name))
            line += [item for item in further if item not in line]
            unread += missing
        else:
            unread.append(name)
    return tuple(line), tuple(unread)


def _doc(part: _Class) -> str:
    """The class's docstring, with what the classes behind it say of settings that it does not describe itself."""
    settings, (doc, *behind) = _settings(part), [ast.get_docstring(node) or "" for _, node in part.lineage]
    for name, text in (pair for other in behind for pair in _described(other).items()):
        if name in settings and name not in _described(doc):
            doc += f"\n{text}" if "\nSettings:" in doc else f"\n\nSettings:\n{text}"
    return doc


def _described(doc: str) -> dict[str, str]:
    """What a docstring says of each setting: a line `name: meaning`, and further indented lines below it."""
    entries = re.finditer(r"^ {4}(\w+(?:, \w+)*): .*(?:\n {5,}.*)*", doc.partition("Settings:\n")[2], re.MULTILINE)
    return {name: entry[0] for entry in entries for name in entry[1].split(", ")}


def _unread(part: _Class, *, is_whole: bool) -> str:
    if is_whole or not part.unknown:
        return ""
    return f"{part.lineage[0][1].name} is derived from {' and '.join(part.unknown)}, which has no text that can be read"


def _calls(part: _Class) -> list[tuple[Module, ast.FunctionDef]]:
    """The methods that a call may reach, the one that takes the tensors first, the one that is called last."""
    calls = list(part.methods("forward")) or list(part.methods("__call__"))
    if not calls:
        return []
    named = [call for call in calls if not _is_open(call[1])]
    passed_on = list(part.methods("update"))  # torchmetrics: forward(*args, **kwargs) gives its tensors to update
    return [*[*named, *passed_on, *calls][:1], calls[0]]


def _is_open(method: ast.FunctionDef) -> bool:
    """Whether it takes whatever is given: `(self, *args, **kwargs)`."""
    return not _with_defaults(method) and method.args.vararg is not None


def _with_defaults(method: ast.FunctionDef) -> list[tuple[ast.arg, ast.expr | None]]:
    positional = [*method.args.posonlyargs, *method.args.args]
    defaults = [*[None] * (len(positional) - len(method.args.defaults)), *method.args.defaults]
    pairs = list(zip(positional, defaults, strict=True))[1:]
    return pairs + list(zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True))


def _settings(part: _Class) -> dict[str, Setting]:
    """The constructor's parameters; with those of the next constructor, where this one takes `**kwargs` for it."""
    settings: dict[str, Setting] = {}
    for module, init in part.methods("__init__"):
        for argument, default in _with_defaults(init):
            annotation = _spelt_out(module, argument.annotation) if argument.annotation else "Any"
            setting = Setting(argument.arg, annotation, REQUIRED if default is None else _literal(default))
            settings.setdefault(argument.arg, setting)
        if init.args.kwarg is None:
            break
    return settings


def _spelt_out(module: Module, annotation: ast.expr) -> str:
    """An annotation; a name that its module gives to the words which a setting may be stands for these words."""
    found = module_text.resolve(module, annotation) if isinstance(annotation, ast.Name) else None
    text = ast.unparse(annotation if found is None or isinstance(found[1], ast.ClassDef) else found[1])
    return text if text.startswith("Literal[") else ast.unparse(annotation)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _inputs(class_name: str, module: Module, method: ast.FunctionDef) -> dict[str, Port]:
    ports = {}
    for argument, default in _with_defaults(method):
        text = _annotation(module, argument.annotation, is_reserved=argument.arg in RESERVED_PORTS)
        if text in SWITCHES and default is None:
            raise no_port(class_name, method.name, argument.arg, text)
        if text not in SWITCHES:
            ports[argument.arg] = Port(argument.arg, text, default is not None)
    return ports


def _annotation(module: Module, annotation: ast.expr | None, *, is_reserved: bool = False) -> str:
    """An annotation without its None; the name of a shape (`Rows = Float[Tensor, "batch dim"]`) becomes the shape."""
    node = _without_none(annotation)
    if node is None:
        return "Any"
    if isinstance(node, ast.Name | ast.Attribute) and not is_reserved and ast.unparse(node) not in _PLAIN:
        found = module_text.resolve(module, node)
        if found and isinstance(found[1], ast.Subscript):
            return _annotation(found[0], found[1])
    return ast.unparse(node)


_PLAIN = ("Tensor", "torch.Tensor", "Any", *SWITCHES)  # not worth the look into torch's own text


def _without_none(node: ast.expr | None) -> ast.expr | None:
    match node:
        case ast.Constant(value=str(text)):
            return _without_none(ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, right=right):
            return _without_none(right if isinstance(left, ast.Constant) and left.value is None else left)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
            return _without_none(inner)
    return node


def _outputs(module: Module, method: ast.FunctionDef) -> tuple[Port, ...]:
    returns = _without_none(method.returns)
    named = isinstance(returns, ast.Name | ast.Attribute) and ast.unparse(returns) not in _PLAIN
    found = module_text.resolve(module, returns) if named and returns is not None else None
    if found and isinstance(found[1], ast.ClassDef):
        fields_ = [field for field in found[1].body if isinstance(field, ast.AnnAssign)]
        ports = [(f.target.id, f.annotation) for f in fields_ if isinstance(f.target, ast.Name)]
        if ports:
            return tuple(Port(name, _annotation(found[0], annotation)) for name, annotation in ports)
    return (Port("", _annotation(module, method.returns)),)


def _writes(part: _Class) -> dict[str, dict[str, Port]]:
    writes: dict[str, dict[str, Port]] = {}
    for module, node in part.lineage:
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name not in writes and _is_write(method):
                writes[method.name] = _inputs(node.name, module, method)
    return writes


def _step(part: _Class) -> tuple[str, ...] | None:
    """What the method `step` must be given; the forms that `@overload` writes for type checkers do not count."""
    for _, method in part.methods("step"):
        if not any(ast.unparse(mark).endswith("overload") for mark in method.decorator_list):
            return tuple(argument.arg for argument, default in _with_defaults(method) if default is None)
    return None


def _is_write(method: ast.FunctionDef) -> bool:
    return any(getattr(d, "id", getattr(d, "attr", "")) == "writes" for d in method.decorator_list)
