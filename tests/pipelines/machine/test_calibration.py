"""A machine is timed once, and the file that keeps its rates is trusted only where it is whole and this user's."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rates import keep_for_tests, rates

from sslgraph.pipelines.machine import calibration, chosen_forms, probes


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path))
    return tmp_path


def counted(found: list[int]) -> Callable[[], dict[str, float]]:
    return lambda: (found.append(1), rates())[1]


def test_a_calibration_is_short_and_gives_rates() -> None:
    threads, start = torch.get_num_threads(), time.thread_time()
    found = calibration.measured()
    assert time.thread_time() - start < 2
    assert calibration.names() <= found.keys()
    assert all(rate > 0 and math.isfinite(rate) for rate in found.values())
    assert torch.get_num_threads() == threads
    # A block does about as much as a product. On an AMD processor MKL's float32 products do half of what oneDNN's
    # convolutions do, so the peak is the better of the two.
    assert found["convolutions float32 channels-last"] < 4 * found["product float32"]
    wish = chosen_forms.chosen(found, wish="float32", convolves=True)
    best = chosen_forms.peak(found, dataclasses.replace(wish, threads=1))
    assert best >= max(found["product float32"], found["convolutions float32 channels-last"])


def test_the_rates_of_tests_stand_whatever_load_was_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a suite that begins beside other work measures in its middle, and two runs of one test take other forms."""
    for load in (50.0, 0.0):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, load, load))
        keep_for_tests(cache)
    assert calibration.calibrated(measure=lambda: pytest.fail("measured"))


def test_rates_are_measured_once_and_then_read(cache: Path) -> None:
    measured: list[int] = []
    first = calibration.calibrated(measure=counted(measured))
    assert calibration.calibrated(measure=counted(measured)) == first == rates()
    assert len(measured) == 1
    (file,) = (cache / "machine").iterdir()  # and nothing half written beside it
    assert json.loads(file.read_text())["machine"]["torch"] == torch.__version__
    assert (cache / "machine").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [
    lambda text: text[: len(text) // 2],
    lambda _: "[]",
    lambda _: "null",
    lambda text: text.replace('"memory": 1000000000.0', '"memory": -1'),
    lambda text: text.replace('"memory": 1000000000.0', '"memory": NaN'),
    lambda text: text.replace('"memory": 1000000000.0', '"memory": "fast"'),
    lambda text: text.replace('"memory"', '"memories"'),
    lambda text: text.replace('"threads"', '"thread"'),
])  # fmt: skip
def test_a_damaged_file_is_measured_again_and_mended(cache: Path, damage: Callable[[str], str]) -> None:
    measured: list[int] = []
    calibration.calibrated(measure=counted(measured))
    (file,) = (cache / "machine").iterdir()
    whole = file.read_text()
    file.write_text(damage(whole))
    assert file.read_text() != whole
    for _ in range(2):
        assert calibration.calibrated(measure=counted(measured)) == rates()
    assert len(measured) == 2


@pytest.mark.usefixtures("cache")
def test_rates_measured_beside_other_work_are_measured_again_once_it_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[int] = []
    load = [2.0]
    monkeypatch.setattr(calibration.os, "getloadavg", lambda: (load[0], 0.0, 0.0))
    monkeypatch.setattr(calibration, "cores", lambda: 2)
    for now, times in ((2.0, 1), (1.1, 1), (0.9, 2), (0.1, 2)):  # 0.9 is no load that disturbs two cores
        load[0] = now
        calibration.calibrated(measure=counted(measured))
        assert len(measured) == times


@pytest.mark.parametrize("name", calibration.LIMITING)
def test_a_limit_of_the_processor_is_another_machine(cache: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    monkeypatch.delenv(name, raising=False)  # the tests themselves may run with a limit
    calibration.calibrated(measure=counted(measured))
    monkeypatch.setenv(name, "AVX2")
    calibration.calibrated(measure=counted(measured))
    assert len(measured) == 2 == len(list((cache / "machine").iterdir()))


def test_a_folder_that_others_may_write_to_is_not_used(cache: Path) -> None:
    (cache / "machine").mkdir()
    (cache / "machine").chmod(0o777)
    measured: list[int] = []
    for _ in range(2):
        assert calibration.calibrated(measure=counted(measured)) == rates()
    assert len(measured) == 2 and not list((cache / "machine").iterdir())


def test_a_link_is_no_folder_of_ones_own(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (cache / "machine").symlink_to(tmp_path / "elsewhere")
    assert calibration.calibrated(measure=rates) == rates()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_without_a_place_to_keep_it_every_start_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "file"))
    assert calibration.calibrated(measure=rates) == rates()


def test_a_form_that_is_far_slower_is_tried_on_few_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, int]] = []
    clock = [0.0]

    def form(name: str, second: float) -> probes.Make:
        def make(images: int) -> probes.Work:
            def work() -> None:
                done.append((name, images))
                clock[0] += second * images

            return work

        return make

    monkeypatch.setattr(time, "thread_time", lambda: clock[0])
    found = probes.contest({"quick": form("quick", 0.001), "slow": form("slow", 1.0)}, images=8)
    assert found == {"quick": pytest.approx(0.001), "slow": pytest.approx(1.0)}
    assert ("slow", 8) not in done and done.count(("slow", 2)) == 1
    assert done.count(("quick", 8)) == 1 + probes.ROUNDS


def test_each_form_of_a_block_gives_the_same_sums() -> None:
    for side in probes.MAPS:
        for weight in (False, True):
            sums = []
            for products in (False, True):
                torch.manual_seed(0)
                sums.append(probes.small_map("float32", side, products=products, weight=weight)(2)())
            torch.testing.assert_close(*sums, rtol=1e-3, atol=1e-2)


def test_operations_are_those_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    for make, flops in (
        (probes.residual_block("float32", channels_last=True), probes.residual_flops()),
        (probes.transformer_block("float32", fused=False), probes.transformer_flops()),
        (probes.small_map("float32", 4, products=False, weight=False), probes.map_flops(4)),
        (probes.small_map("float32", 4, products=True, weight=True), probes.map_flops(4)),
    ):
        work = make(2)
        with FlopCounterMode(display=False) as counter:
            work()
        assert counter.get_total_flops() == pytest.approx(2 * flops, rel=0.01)


@pytest.mark.usefixtures("cache")
def test_a_second_process_reads_what_the_first_one_kept() -> None:
    calibration.keep(rates(memory=3e9))
    program = (
        f"import torch; torch.set_num_threads({torch.get_num_threads()})\n"
        "from sslgraph.pipelines.machine import calibration\n"
        "print(calibration.calibrated(measure=lambda: {'memory': 0.0})['memory'])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "3000000000.0\n"
