"""pixels.c and the tensor form of each step agree to the last bit; without a compiler the tensor form is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from sslgraph.components.augment import native
from sslgraph.components.augment.color_jitter import ColorJitter, _by_slots
from sslgraph.components.augment.gaussian_blur import GaussianBlur, _by_matrices, _weights
from sslgraph.components.augment.grayscale import Grayscale
from sslgraph.components.augment.normalize import Normalize
from sslgraph.components.augment.solarize import Solarize
from sslgraph.draws import keyed

STEPS: dict[str, nn.Module] = {
    "jitter": ColorJitter(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2),
    "strong jitter": ColorJitter(brightness=1.5, contrast=1.5, saturation=1.5, hue=0.5, p=1.0),
    "jitter without hue": ColorJitter(hue=0.0),
    "grayscale": Grayscale(p=0.5),
    "solarize": Solarize(threshold=0.3, p=0.5),
    "normalize": Normalize(),
    "blur": GaussianBlur(kernel=7),
    "wide blur": GaussianBlur(kernel=33, sigma=(0.1, 8.0), p=0.8),
}
# What is a multiple of no vector, of no tile and of no block, and what is.
SIZES = [(17, 19), (32, 32), (64, 80), (40, 70)]


def pictures(count: int, height: int, width: int) -> Tensor:
    images = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))
    images[:, :, :2] = images[:, :1, :2]  # grey, black and white pixels, where hue has no value
    images[:, :, 2], images[:, :, 3] = 0.0, 1.0
    return images


def plane_by_plane(images: Tensor) -> Tensor:
    return images.transpose(0, 1).contiguous().transpose(0, 1)


@pytest.fixture(autouse=True)
def form() -> None:
    """Both forms are compared here, once."""
    if native._library() is None:
        pytest.skip("there is no C compiler")


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("size", SIZES)
def test_both_forms_agree_to_the_last_bit(name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    step, images = STEPS[name], pictures(48, *size)
    plan = step.plan(keyed(3, 1, torch.arange(48)))  # type: ignore[operator]
    in_c = [step(images.clone(), *plan), step(plane_by_plane(images), *plan)]
    monkeypatch.setattr(native, "_library", lambda: None)
    in_tensors = step(images.clone(), *plan)
    assert not torch.equal(in_tensors, images)
    assert torch.equal(in_c[0], in_tensors) and torch.equal(in_c[1], in_tensors)
    if isinstance(step, ColorJitter):
        assert torch.equal(_by_slots(images, *plan), in_tensors)


@pytest.mark.parametrize("name", STEPS)
def test_rows_that_are_shared_by_threads_have_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step, images = STEPS[name], pictures(7, 40, 70)
    plan = step.plan(keyed(3, 1, torch.arange(7)))  # type: ignore[operator]
    alone = step(images.clone(), *plan)
    monkeypatch.setattr(native, "_ENOUGH", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(step(images.clone(), *plan), alone)


@pytest.mark.parametrize(("size", "radius"), [((40, 70), 11), ((33, 33), 2)])
def test_a_gpus_blur_by_matrices_is_the_same_to_rounding(size: tuple[int, int], radius: int) -> None:
    images, sigma = pictures(5, *size), torch.tensor([0.1, 0.5, 1.0, 2.0, 5.0])
    weights, planes = _weights(sigma, radius), images.transpose(0, 1).contiguous()
    assert native.blur(images, torch.arange(5), weights)
    _by_matrices(planes, weights)
    torch.testing.assert_close(planes.transpose(0, 1), images, atol=2e-6, rtol=0)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [(5, 7), (3, 256), (4, 600)])
def test_bytes_become_floats_whatever_way_they_lie(size: tuple[int, int], flip: bool) -> None:
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    expected = (image.flip(2) if flip else image) * (1 / 255)
    together = image.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    wide = torch.nn.functional.pad(image, (3, 2))[:, :, 3:-2]
    for way in (image, together, wide):
        out = torch.empty(3, *size)
        assert native.unpack(way, out, flip=flip)
        assert torch.equal(out, expected)


def test_colours_are_laid_together() -> None:
    images = torch.randint(0, 256, (3, 3, 5, 7), dtype=torch.uint8)
    together = native.interleaved(images)
    assert torch.equal(together, images)
    assert together.is_contiguous(memory_format=torch.channels_last)


def test_other_images_than_floats_in_whole_planes_are_left_to_the_tensor_form() -> None:
    operations, numbers = torch.ones(2, 1, dtype=torch.int32), torch.ones(2, 1, 1)
    for images in (pictures(2, 8, 8).double(), pictures(2, 8, 8)[..., ::2], torch.empty(0, 3, 8, 8)):
        assert not native.paint(images, operations, numbers)


@pytest.mark.parametrize("compiler", ["", "no-such-compiler", "false"])
def test_without_a_working_compiler_nothing_is_left_behind(
    compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path))
    monkeypatch.setenv("CC", compiler)
    assert native._library.__wrapped__() is None
    assert not list(tmp_path.rglob("*.so"))


def test_it_is_built_once_and_can_be_turned_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path))
    assert native._library.__wrapped__() is not None
    (built,) = tmp_path.rglob("*.*")
    written = built.stat().st_mtime_ns
    assert native._library.__wrapped__() is not None
    assert built.stat().st_mtime_ns == written
    monkeypatch.setenv("SSLGRAPH_NATIVE", "0")
    assert native._library.__wrapped__() is None


def test_a_library_that_is_damaged_or_planted_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a library runs it: one that was cut short ends the process, one of somebody else does what it likes."""
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    assert native._library.__wrapped__() is not None
    (built,) = tmp_path.rglob("*.so")
    whole = built.read_bytes()
    for content in (whole[:4000], b"", whole[:-1] + b"?"):
        built.unlink()
        built.write_bytes(content)
        assert native._library.__wrapped__() is not None and built.read_bytes() == whole
    built.chmod(0o666)  # anyone may have written to it
    assert native._library.__wrapped__() is not None and built.stat().st_mode & 0o022 == 0


@pytest.mark.parametrize(("where", "mode"), [("cache/native", 0o777), ("cache", 0o777)])
def test_a_folder_that_others_can_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, mode: int
) -> None:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache/native").mkdir(parents=True, mode=0o700)
    (tmp_path / where).chmod(mode)
    assert native._library.__wrapped__() is not None  # built for this process alone
    assert not list(tmp_path.rglob("*.so"))
    (tmp_path / where).chmod(0o1777 if where == "cache" else 0o700)  # as /tmp is: nobody replaces what is another's
    assert native._library.__wrapped__() is not None and len(list(tmp_path.rglob("*.so"))) == 1


def test_a_forked_process_makes_threads_of_its_own() -> None:
    text = (
        "import os, torch; from sslgraph.components.augment import native; "
        "double = lambda: list(native._threads(2).map(lambda x: 2 * x, [1, 2])); double(); "
        "pid = os.fork(); done = double(); pid or os._exit(done != [2, 4]); os._exit(os.waitpid(pid, 0)[1])"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", text], cwd=root, timeout=300, check=False).returncode == 0
