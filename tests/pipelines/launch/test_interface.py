"""Ranks of several hosts talk over the interfaces that lead to each other, whatever a host's own name stands for."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest
import tiny_recipe
from hosts import Host, hosts

from sslgraph.pipelines.launch import interface

ROOT = Path(__file__).parents[3]
# Small steps: weights that hardly move do not let rounding grow over 120 of them.
RECIPE = tiny_recipe.RECIPE.replace("steps: 2", "steps: 120\nprecision: float64").replace(
    "lr: 1e-2, momentum: 0.9", "lr: 1e-6, momentum: 0"
)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in interface.VARIABLES:
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)


def test_the_interface_of_an_address_is_named() -> None:
    assert interface.address_towards("127.0.0.1") == "127.0.0.1"
    name = interface.interface_of("127.0.0.1")
    assert name in {name for _, name in socket.if_nameindex()} and name is not None and name.startswith("lo")
    assert interface.interface_of("192.0.2.77") is None and interface.address_towards("no.such.host.invalid") is None


@pytest.mark.parametrize(
    ("ways", "chosen"),
    [
        ({"head": "10.0.0.7", interface._ANYWHERE: "10.9.0.7"}, "to 10.0.0.7"),
        ({"head": "127.0.1.1", interface._ANYWHERE: "10.9.0.7"}, "to 10.9.0.7"),  # the head itself, as Debian names it
        ({"head": None, interface._ANYWHERE: "10.9.0.7"}, "to 10.9.0.7"),
        ({"head": "127.0.0.1", interface._ANYWHERE: None}, None),
    ],
)
def test_the_way_to_the_head_is_chosen_and_never_loopback(
    monkeypatch: pytest.MonkeyPatch, ways: dict[str, str | None], chosen: str | None
) -> None:
    monkeypatch.setattr(interface, "address_towards", ways.get)
    monkeypatch.setattr(interface, "interface_of", lambda address: f"to {address}")
    interface.choose("head")
    assert {os.environ.get(name) for name in interface.VARIABLES} == {chosen}


def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCCL_SOCKET_IFNAME", "ib0")
    interface.choose("127.0.0.1")
    assert "GLOO_SOCKET_IFNAME" not in os.environ and os.environ["NCCL_SOCKET_IFNAME"] == "ib0"


def test_ranks_that_cannot_connect_are_told_what_to_do() -> None:
    problem = RuntimeError("Gloo connectFullMesh failed with timed out connecting\n  at frame 1")
    said = interface.in_words(problem, rank=1, head="127.0.0.1")
    assert "\n" not in said and said.startswith("the hosts can't reach each other: rank 1 on ")
    assert "(127.0.0.1, interface " in said and "connectFullMesh failed" in said
    assert said.endswith("set GLOO_SOCKET_IFNAME on each host to the interface towards the others")


@pytest.mark.slow
def test_two_hosts_that_call_themselves_loopback_train_as_one_process_though_the_cable_is_pulled(
    tmp_path: Path,
) -> None:
    """The name of each host stands for an address of its own loopback."""
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    with hosts(2, tmp_path) as both:
        alone = both[0].start(*_train(tmp_path / "alone"), env=_environment(), cwd=tmp_path)
        assert alone.wait(timeout=600) == 0
        ranks = [host.start(*_ranks(both[0], rank), *_train(tmp_path / "two")[1:], env=_environment(), cwd=tmp_path)
                 for rank, host in enumerate(both)]  # fmt: skip
        end = time.monotonic() + 600
        while len(_losses(tmp_path / "two")) < 20:
            assert time.monotonic() < end and all(rank.poll() is None for rank in ranks)
            time.sleep(0.05)
        both[1].cable("down")
        time.sleep(5)
        both[1].cable("up")
        assert [rank.wait(timeout=600) for rank in ranks] == [0, 0]
    one, two = _losses(tmp_path / "alone"), _losses(tmp_path / "two")
    assert len(one) == 120 and two == pytest.approx(one, rel=2e-5)


def _train(out: Path) -> list[str]:
    return [sys.executable, "-m", "sslgraph", "train", "tiny.yaml", "--out", str(out)]


def _ranks(head: Host, rank: int) -> list[str]:
    meeting = ["--master-addr", head.address, "--master-port", "29571", "--nnodes", "2", "--node-rank", str(rank)]
    return [sys.executable, "-m", "torch.distributed.run", *meeting, "--nproc-per-node", "1"]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def _losses(run: Path) -> list[float]:
    file = run / "metrics.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    return [line["contrast"] for line in lines if "contrast" in line]
