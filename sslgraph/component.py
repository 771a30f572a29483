"""What makes an ordinary torch module a part of a method: its traits, and the words for its settings and writes.

    @component(source="arXiv:2002.05709, equation 1", spans_batch=True, title="NT-Xent")
    class NTXent(nn.Module): ...

The class stays an ordinary one. Its constructor's keyword-only parameters are its settings, `forward`'s parameters its
input ports, the return annotation its output ports (a NamedTuple for several, the first being the default).
`sslgraph.traits` lists the traits, `sslgraph.ranges` the types of settings that have a range.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sslgraph.ranges import Scalar
from sslgraph.traits import Traits

Method = TypeVar("Method", bound=Callable[..., None])

__all__ = ["Scalar", "component", "filled", "writes"]

component = Traits


def filled(value: int | None, name: str, source: str = "the tensor that arrives") -> int:
    """A setting that settling fills in where a spec leaves it out; ValueError where nobody did."""
    if value is None:
        raise ValueError(f"{name} is filled from {source}, and nothing has come from there; set {name}")
    return value


def writes(method: Method) -> Method:
    """Marks a method of a part as a write: named in `after_step` or `then`, called after the optimizer's step."""
    method.is_write = True  # type: ignore[attr-defined]
    return method
