"""One run at a time writes at an address: others wait for it to end or die, and one that lost it learns so."""

from __future__ import annotations

import json
import os
import socket
import time

import pytest
from object_storage import Storage
from object_storage import storage as storage

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.storage import lease
from sslgraph.pipelines.storage.lease import Lease
from sslgraph.pipelines.storage.remote import Remote


@pytest.fixture
def remote(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Remote:  # noqa: ARG001
    monkeypatch.setattr(lease, "LASTS_S", 0.6)
    monkeypatch.setattr(lease, "SETTLES_S", 0.01)
    return Remote("s3://b/runs/one")


def left(remote: Remote, *, host: str, process: int) -> None:
    remote.put(lease.NAME, json.dumps({"owner": "other", "renewed": 1, "host": host, "process": process}).encode())


def test_it_is_there_while_it_is_held_and_gone_afterwards(remote: Remote) -> None:
    with Lease(remote) as held:
        assert json.loads(remote.read(lease.NAME) or b"")["host"] == socket.gethostname() and not held.is_lost
    assert remote.read(lease.NAME) is None


def test_a_second_run_is_refused_while_the_first_renews_it(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 4.0)
    with (
        Lease(remote) as first,
        pytest.raises(
            SslgraphError, match=rf"another run writes to s3://b/runs/one \(process {os.getpid()} on .*\); end"
        ),
        Lease(Remote("s3://b/runs/one")),
    ):
        pass
    assert not first.is_lost and remote.read(lease.NAME) is None


def test_one_of_another_machine_that_is_not_renewed_is_dead_after_its_time(remote: Remote) -> None:
    left(remote, host="elsewhere", process=os.getpid())
    start = time.monotonic()
    with Lease(remote):
        assert time.monotonic() - start >= 0.6


def test_one_of_a_process_of_this_machine_that_is_gone_is_dead_at_once(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    left(remote, host=socket.gethostname(), process=2**22 + 1)
    start = time.monotonic()
    with Lease(remote):
        assert time.monotonic() - start < 200


def test_a_run_whose_lease_another_took_learns_so_and_leaves_it(remote: Remote) -> None:
    with Lease(remote) as held:
        end = time.monotonic() + 200
        while not held.is_lost and time.monotonic() < end:  # a renewal may come between: the other one then gives up
            left(remote, host="elsewhere", process=1)
            time.sleep(0.2)
        assert held.is_lost
    assert json.loads(remote.read(lease.NAME) or b"")["owner"] == "other"
