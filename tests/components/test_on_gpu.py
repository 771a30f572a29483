"""The kernels for a GPU have the numbers of the processor's form in Triton's interpreter, and compile without a GPU."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TEXT = """
import torch
from sslgraph.components.augment import native, on_gpu, resample
from sslgraph.components.augment.color_jitter import ColorJitter, _operations
from sslgraph.components.augment.native import Operation
from sslgraph.components.augment.random_resized_crop import RandomResizedCrop
from sslgraph.draws import keyed

draw = keyed(3, 1, torch.arange(6))
images = torch.rand(6, 3, 33, 35, generator=torch.Generator().manual_seed(0))
images[:, :, :2] = images[:, :1, :2]
jitter = ColorJitter(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, p=0.8)
last = torch.tensor([[Operation.GRAY, Operation.SOLARIZE, Operation.NORMALIZE]]).repeat(6, 1).int()
last[3:, 0] = Operation.KEEP
more = torch.zeros(6, 3, 6)
more[:, 1, 0], more[:, 2] = 0.4, torch.tensor([0.1, 0.2, 0.3, 2.0, 3.0, 4.0])
for operations, numbers in (_operations(*jitter.plan(draw)), (last, more)):
    found, expected = images.clone(), images.clone()
    on_gpu.paint(found, operations, torch.nn.functional.pad(numbers, (0, 6 - numbers.shape[2])))
    assert native.paint(expected, operations, numbers), "there is no C compiler"
    assert not expected.equal(images)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-7)
    images = expected

for kind in ("bilinear", "bicubic"):
    whole = resample.Resample().whole(torch.zeros(6, 3, 33, 35, dtype=torch.uint8))
    frame = RandomResizedCrop(size=8, scale=(0.1, 1.0), interpolation=kind).place(draw, whole)
    for axis, inputs in ((frame.rows, 33), (frame.columns, 35)):
        flip = torch.arange(6) % 2 == 1
        numbers = torch.stack([axis.start, axis.length, axis.grid, axis.offset, flip.long()])
        found = on_gpu.weights(numbers, inputs, 8, unit=1 / 255, is_cubic=kind == "bicubic")
        expected = resample.weights(axis, inputs, 8, kind, torch.device("cpu"), flip, 1 / 255)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)
        torch.testing.assert_close(found.sum(2) * 255, torch.ones(6, 8), rtol=1e-5, atol=0)
"""


def test_kernels_have_the_numbers_of_the_processors_form() -> None:
    pytest.importorskip("triton", reason="Triton comes with torch for CUDA alone")
    root = Path(__file__).parents[2]
    program = ["import os", "os.environ['TRITON_INTERPRET'] = '1'", TEXT]
    command = [sys.executable, "-c", "\n".join(program)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    if "only 0-dimensional arrays" in done.stderr:
        pytest.skip("the interpreter of this Triton does not know this numpy")
    assert done.returncode == 0, done.stderr[-2000:]


PAINT = {
    "images": "*fp32", "operations": "*i32", "numbers": "*fp32", "by_image": "i64", "by_plane": "i64", "pixels": "i32",
    "steps": "i32", "BLOCK": "constexpr",
}  # fmt: skip
WEIGHTS = {
    "axis": "*i64", "matrix": "*fp32", "rows": "i32", "outputs": "i32", "inputs": "i32", "unit": "fp32",
    "CUBIC": "constexpr", "BLOCK": "constexpr",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "kinds", "known"),
    [
        ("_paint", PAINT, {"BLOCK": 1024}),
        ("_paint", PAINT, {"BLOCK": 1024, "steps": 1}),  # Triton takes a 1 for a constant
        ("_weights", WEIGHTS, {"CUBIC": True, "BLOCK": 64}),
        ("_weights", WEIGHTS, {"CUBIC": False, "BLOCK": 512, "rows": 1}),
    ],
)
def test_kernels_compile_for_an_h100(kernel: str, kinds: dict[str, str], known: dict[str, int | bool]) -> None:
    """The interpreter takes more Python than the compiler does."""
    pytest.importorskip("triton", reason="Triton comes with torch for CUDA alone")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from sslgraph.components.augment import on_gpu

    source = ASTSource(getattr(on_gpu, kernel), kinds | dict.fromkeys(known, "constexpr"), known)
    made = compile(source, target=GPUTarget("cuda", 90, 32), options=on_gpu._ROUNDED)
    assert len(made.asm["cubin"]) > 1000 and "fma.rn.f32" not in made.asm["ptx"]
