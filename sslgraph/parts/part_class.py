"""Reads a part's signature from its imported class: what the text leaves open, and whether the two agree."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sslgraph.errors import refusal
from sslgraph.parts.signature import REQUIRED, SWITCHES, Port, Setting, Signature, no_port
from sslgraph.traits import Traits

_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_NONE = ("None", "NoneType")


def completed(found: Signature, part: type) -> Signature:
    """The signature as the class itself gives it."""
    calls = _calls(part)
    return replace(
        found,
        doc=inspect.getdoc(part) or "",
        traits=getattr(part, "traits", Traits(source="")),
        settings={name: _setting(parameter) for name, parameter in _parameters(part).items()},
        inputs=_ports(calls[0]) if calls else {},
        outputs=_outputs(calls[-1]) if calls else (),
        writes={name: _ports(m) for name, m in inspect.getmembers(part, callable) if getattr(m, "is_write", False)},
        has_place=callable(getattr(part, "place", None)),
        step=_step(part),
        unread="",
    )


def refuse_difference(found: Signature, part: type) -> None:
    """Refuses a class that takes other inputs than its text says, such as one that code has changed."""
    calls = _calls(part)
    imported, text = ", ".join(_ports(calls[0]) if calls else ()), ", ".join(found.inputs)
    if imported != text:
        problem = f"{found.use} takes ({imported}) once it is imported, but its text says ({text})"
        raise refusal((), problem, "write forward in the class itself, as it is called")


def _calls(part: Any) -> list[Callable[..., Any]]:
    """The method that takes the tensors, and the one that is called; as for a text."""
    forward = getattr(part, "forward", None)
    if getattr(forward, "__name__", "_forward_unimplemented") == "_forward_unimplemented":
        own = next((vars(one)["__call__"] for one in part.__mro__ if "__call__" in vars(one)), None)
        forward = own if getattr(own, "__name__", "") == "__call__" else None  # a module's has a name of torch's own
    if forward is None:
        return []
    return [forward if _parameters(forward) else getattr(part, "update", forward), forward]


def _step(part: Any) -> tuple[str, ...] | None:
    step = getattr(part, "step", None)
    if not callable(step):
        return None
    return tuple(name for name, parameter in _parameters(step).items() if parameter.default is parameter.empty)


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a method without self, or of a class's constructor, that can be given by name."""
    parameters = list(inspect.signature(function).parameters.values())[0 if isinstance(function, type) else 1 :]
    return {parameter.name: parameter for parameter in parameters if parameter.kind in _KINDS}


def _setting(parameter: inspect.Parameter) -> Setting:
    default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
    return Setting(parameter.name, _text(parameter.annotation), default)


def _ports(method: Callable[..., Any]) -> dict[str, Port]:
    ports = {}
    for name, parameter in _parameters(method).items():
        text = _text(_hints(method).get(name, parameter.annotation))
        optional = parameter.default is not parameter.empty
        if text not in SWITCHES:
            ports[name] = Port(name, text, optional)
        elif not optional:
            class_name, _, method_name = getattr(method, "__qualname__", name).rpartition(".")
            raise no_port(class_name, method_name, name, text)
    return ports


def _outputs(method: Callable[..., Any]) -> tuple[Port, ...]:
    returns = _hints(method).get("return", inspect.signature(method).return_annotation)
    if fields := getattr(returns, "_fields", ()):
        hints = _hints(returns)
        return tuple(Port(field, _text(hints.get(field, inspect.Parameter.empty))) for field in fields)
    return (Port("", _text(returns)),)


def _hints(owner: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(owner)
    except Exception:  # names that only a type checker knows: the annotations stay as they are written
        return {}


def _text(annotation: Any) -> str:
    """An annotation as a spec's reader would write it, without its None."""
    if annotation is inspect.Parameter.empty:
        return "Any"
    if isinstance(annotation, str):
        return annotation.removesuffix(" | None").removeprefix("None | ")
    inner = [one for one in typing.get_args(annotation) if getattr(one, "__name__", "") not in _NONE]
    if len(inner) == 1 and len(typing.get_args(annotation)) == 2:
        return _text(inner[0])
    if hasattr(annotation, "dim_str"):  # jaxtyping
        return f'{annotation.__name__.partition("[")[0]}[Tensor, "{annotation.dim_str}"]'
    return inspect.formatannotation(annotation)
