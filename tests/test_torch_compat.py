"""The private names of torch that are used: which of them this torch has moved, and that each does what is asked."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from functools import reduce
from pathlib import Path

import pytest
import torch
from test_architecture import reached
from torch import nn

FILE = Path(__file__).parent.parent / "sslgraph" / "torch_compat.py"
NAMES = sorted(name for name in set(reached(ast.parse(FILE.read_text("utf-8")))) if name.startswith("torch."))
NAMES += ["torch._dynamo.exc.TorchDynamoException", "torch.ops.image.decode_image", "torch.ops.image.encode_jpeg"]


def found(name: str) -> object:
    """The object of a dotted name, its modules imported."""
    words = name.split(".")
    for end in range(len(words), 0, -1):
        try:
            return reduce(getattr, words[end:], importlib.import_module(".".join(words[:end])))
        except ModuleNotFoundError:
            continue
    raise AttributeError(name)


def moved(name: str) -> None:
    pytest.fail(f"torch {torch.__version__} has moved {name}; mend it in {FILE.name}", pytrace=False)


@pytest.mark.parametrize("name", NAMES)
def test_this_torch_has_the_name(name: str) -> None:
    import torchvision  # noqa: F401  it registers torch.ops.image

    try:
        found(name)
    except (AttributeError, RuntimeError):
        moved(name)


def test_a_name_that_moved_is_noticed() -> None:
    assert len(NAMES) > 8
    for gone in ("torch._foreach_gone_", "torch._gone.word", "torch.ops.aten.gone"):
        with pytest.raises(AttributeError):
            found(gone)


def test_every_batch_norm_of_torch_is_one() -> None:
    from sslgraph.torch_compat import BatchNorm

    assert all(issubclass(kind, BatchNorm) for kind in (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm))
    assert not any(issubclass(kind, BatchNorm) for kind in (nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d))


def test_lists_are_computed_as_their_items_one_by_one() -> None:
    from sslgraph import torch_compat as those

    a, b = ([torch.randn(3), torch.randn(2, 2)] for _ in range(2))
    assert all(map(torch.equal, those.foreach_add(a, b, alpha=2), (x + 2 * y for x, y in zip(a, b, strict=True))))
    assert all(map(torch.equal, those.foreach_mul(a, 3.0), (3 * x for x in a)))
    assert all(map(torch.equal, those.foreach_norm(a), (x.norm() for x in a)))
    expected = [((x + y) * 2 - y).lerp(y, 0.25) for x, y in zip(a, b, strict=True)]
    those.foreach_add_(a, b)
    those.foreach_mul_(a, [torch.tensor(2.0)] * 2)
    those.foreach_sub_(a, b)
    those.foreach_lerp_(a, b, 0.25)
    assert all(map(torch.allclose, a, expected))


def test_what_shares_memory_has_one_number_with_storage_and_without() -> None:
    from sslgraph.torch_compat import storage_of, without_storage

    def shares() -> tuple[bool, bool]:
        x = torch.zeros(4)
        other = x.clone()
        return storage_of(x) == storage_of(x[1:]), storage_of(x) == storage_of(other)

    with without_storage():
        size = torch.zeros(10**12).untyped_storage().nbytes()  # 4 TB, on a machine that has them not
        assert shares() == (True, False) and size == 4 * 10**12
    assert shares() == (True, False)


def test_only_a_failure_to_compile_is_one() -> None:
    from torch._dynamo.exc import BackendCompilerFailed, Unsupported

    from sslgraph.torch_compat import compile_failure

    inner = RuntimeError("no compiler\nin many lines")
    assert compile_failure(BackendCompilerFailed(print, inner, None)) == "no compiler"  # type: ignore[arg-type]
    assert compile_failure(Unsupported("a loop")).startswith("a loop")
    assert compile_failure(RuntimeError("out of memory")) == "" == compile_failure(KeyError("x"))


def test_ddp_knows_the_word_for_sending_buffers() -> None:
    from sslgraph.torch_compat import SENDS_NO_BUFFERS

    known = inspect.signature(nn.parallel.DistributedDataParallel.__init__).parameters
    if not set(SENDS_NO_BUFFERS) <= set(known):
        moved("DDP's word for buffers")


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (1, 2, 0)])
def test_the_gradient_to_the_input_is_autograds(kernel: int, stride: int, padding: int) -> None:
    from sslgraph.torch_compat import gradient_to_input

    x, weight = torch.randn(2, 4, 6, 6, requires_grad=True), torch.randn(5, 4, kernel, kernel)
    out = torch.conv2d(x, weight, None, stride, padding)
    gradient = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, gradient)
    found = gradient_to_input(gradient, x.detach(), weight, stride=stride, padding=padding)
    torch.testing.assert_close(found, expected)


COMPILER = """
import sys, torch
from sslgraph.torch_compat import without_compiler
with without_compiler():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    weight.sum().backward()
    optimizer.step()
    torch.cat([torch.empty(2, device="meta"), torch.empty(3, device="meta")]) * 2
    assert "torch._dynamo.exc" not in sys.modules and weight.tolist() == [0.5] * 3
    {inside}
assert "torch._dynamo" not in sys.modules or "torch._dynamo.exc" in sys.modules
assert "torch._dynamo.utils" not in sys.modules or "torch._dynamo.exc" in sys.modules
double = torch.compile(lambda x: x * 2, backend="eager", fullgraph=True)
assert double(weight).tolist() == [1.0] * 3
optimizer.step()  # its marks are the compiler's own by now
assert weight.tolist() == [0.0] * 3
import torch._dynamo
assert torch._dynamo is sys.modules["torch._dynamo"] and hasattr(torch._dynamo, "optimize")
"""


@pytest.mark.parametrize("inside", [
    "pass",
    "import torch._dynamo.utils",
    "from torch._dynamo.utils import counters",
    "from torch._dynamo.utils import is_compile_supported; assert is_compile_supported('cpu') in (True, False)",
    "import timm; assert 'torch._dynamo.exc' not in sys.modules",
    "torch.compile(torch.sin, backend='eager')(weight)",
    "torch._dynamo.reset()",
])  # fmt: skip
def test_the_compiler_is_left_out_until_somebody_needs_it(inside: str) -> None:
    program = COMPILER.format(inside=inside)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
