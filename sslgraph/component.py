"""What makes an ordinary torch module a part of a method: its source, and the words for its ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from torch import Tensor

Part = TypeVar("Part", bound=type)
Method = TypeVar("Method", bound=Callable[..., None])

# A number that a spec may write as a schedule. A part keeps such a setting under the setting's own name and reads it
# in `forward`; with a schedule the attribute is a 0-d float32 buffer that the loop refills before each step.
Scalar = float | Tensor


def component(
    *, source: str, detached: tuple[str, ...] = (), kind: str = "", affine_in: str = ""
) -> Callable[[Part], Part]:
    """Marks a class as a part that specs can name; `source` says where its mathematics comes from (paper, equation).

    `detached` names the input ports through which no gradient passes (a teacher's logits, a stop-gradient); the
    gradient map is drawn from it, and the tests hold it against autograd.

    Of a loss, `kind` is the field's short word for what it measures ("cross-entropy"), and `affine_in` the quantity in
    which it is affine: losses affine in one quantity are equal up to a constant factor and offset, which is tested.

    The class is returned as it is. Its constructor's keyword-only parameters are its settings, `forward`'s parameters
    its input ports, the return annotation its output ports (a NamedTuple for several, the first being the default).
    """

    def mark(part: Part) -> Part:
        part.source = source  # type: ignore[attr-defined]
        part.detached = detached  # type: ignore[attr-defined]
        part.kind = kind  # type: ignore[attr-defined]
        part.affine_in = affine_in  # type: ignore[attr-defined]
        return part

    return mark


def writes(method: Method) -> Method:
    """Marks a method of a part as a write: named in `after_step` or `then`, called after the optimizer's step."""
    method.is_write = True  # type: ignore[attr-defined]
    return method
