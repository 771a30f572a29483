"""Names of torch that are private or differ between versions, with the reason; a test says which one moved."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

# The class of every BatchNorm, those of other libraries too: none may go unseen where statistics span the ranks.
BatchNorm = _BatchNorm


class BatchNormLikeSync(_BatchNorm):
    """A BatchNorm that can do what SyncBatchNorm does, and is none: DDP refuses that class on a processor."""

    process_group = None  # all ranks
    _check_input_dim = SyncBatchNorm._check_input_dim
    _check_non_zero_input_channels = SyncBatchNorm._check_non_zero_input_channels

    def on_gpus(self, input: Tensor) -> Tensor:
        """The layer with the statistics of all ranks, by torch's kernels; on CUDA only."""
        return SyncBatchNorm.forward(self, input)  # type: ignore[arg-type]


# One kernel for a list of tensors, as torch's own optimizers use; `torch` has no public name for them.
foreach_add, foreach_add_, foreach_sub_ = torch._foreach_add, torch._foreach_add_, torch._foreach_sub_
foreach_mul, foreach_mul_ = torch._foreach_mul, torch._foreach_mul_
foreach_lerp_, foreach_norm = torch._foreach_lerp_, torch._foreach_norm

# DDP sends no buffers before a forward pass: its argument has another name in an older torch.
_DDP = inspect.signature(DistributedDataParallel.__init__).parameters
SENDS_NO_BUFFERS: dict[str, Any] = {
    "forward_sync_buffers" if "forward_sync_buffers" in _DDP else "broadcast_buffers": False
}

_COMPILER = "torch._dynamo"


def without_storage() -> AbstractContextManager[Any]:
    """A context in which tensors have shapes and devices and no numbers, so that a step is rehearsed without memory."""
    from torch._subclasses import FakeTensorMode  # which imports the compiler

    return FakeTensorMode(allow_non_fake_inputs=True)


@contextmanager
def without_compiler() -> Iterator[None]:
    """Inside, operations on meta tensors and optimizers do not import torch's compiler, which takes two seconds.

    They import it for `torch._dynamo.disable` and `graph_break` alone, which matter in compiled programs, and
    torchvision, which timm imports, for a question that one of its operations asks. A stand-in has these, and forgets
    at the end what it was asked to disable. The real module replaces it when more is needed.
    """
    if _COMPILER in sys.modules:
        yield
        return
    stand_in = _NoCompiler(_COMPILER)
    sys.modules[_COMPILER] = torch._dynamo = stand_in
    sys.modules[stand_in.utils.__name__] = stand_in.utils
    try:
        yield
    finally:
        stand_in.give_way()


class _NoCompiler(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.marked: list[Any] = []
        self.utils = ModuleType(f"{name}.utils")
        vars(self.utils).update(
            is_compile_supported=lambda device: self._of_utils("is_compile_supported")(device),
            __getattr__=self._of_utils,
        )

    def disable(self, function: Any, *_: object, **__: object) -> Any:
        self.marked.append(function)
        return function

    def graph_break(self) -> None:
        """Ends a compiled program; outside of one it does nothing."""

    def _of_utils(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.give_way()
        return getattr(importlib.import_module(self.utils.__name__), name)

    def give_way(self) -> None:
        if sys.modules.get(_COMPILER) is self:
            del sys.modules[_COMPILER], torch._dynamo
        if sys.modules.get(self.utils.__name__) is self.utils:
            del sys.modules[self.utils.__name__]
        for function in self.marked:
            vars(function).pop("__dynamo_disable", None)
        self.marked.clear()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # code that looks through all modules asks for such names
            raise AttributeError(name)
        self.give_way()
        return getattr(importlib.import_module(_COMPILER), name)


def storage_of(tensor: Tensor) -> int:
    """The same number for tensors that share memory, on any device and without storage too."""
    return int(tensor.untyped_storage()._cdata)


def compile_failure(wrong: BaseException) -> str:
    """Why torch.compile could not compile a step, in one line; "" if something else raised this.

    It compiles when a step is first run, and no public class covers what it raises.
    """
    raised = sys.modules.get("torch._dynamo.exc")  # not there as long as nothing was compiled
    if raised is None or not isinstance(wrong, raised.TorchDynamoException):
        return ""
    inner = getattr(wrong, "inner_exception", wrong)
    return (str(inner) or type(inner).__name__).splitlines()[0]


def gradient_to_input(gradient: Tensor, x: Tensor, weight: Tensor, *, stride: int, padding: int) -> Tensor:
    """The gradient that a 2-d convolution sends to its input, without its weight's, which `torch.autograd` takes too.

    torch.nn.grad.conv2d_input hands the kernel an input without `x`'s memory layout.
    """
    return _gradients(gradient, x, weight, stride, padding, [True, False, False])[0]


def gradient_to_weight(gradient: Tensor, x: Tensor, weight: Tensor, *, stride: int, padding: int) -> Tensor:
    """The gradient that a 2-d convolution sends to its weight, alone."""
    return _gradients(gradient, x, weight, stride, padding, [False, True, False])[1]


def _gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        gradient, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, wanted
    )
    return found
