"""The right of one run to write at an address: an object that its owner renews and others respect.

Object storage has no lock that every client knows. So a lease is alive while it changes, whatever the clocks of two
machines say; one whose process was here and is gone is dead at once.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError, StorageError

from .remote import Remote

NAME = "lease.json"
LASTS_S = 30.0  # without a renewal: then it is dead
SETTLES_S = 1.0  # of two that found it free at once, the later one to write has it


class Lease:
    """Within it, this run writes at the address, and a thread renews the lease. `is_lost` once another has taken it."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.is_lost = remote, False
        self._owner, self._renewals = uuid.uuid4().hex, 0
        self._over, self._thread = threading.Event(), threading.Thread(target=self._keep, daemon=True, name="lease")

    def __enter__(self) -> Lease:
        """Waits for a lease of others to end or die; SslgraphError if it is alive."""
        last, start = self._others(), time.monotonic()
        changed = start
        while last is not None and not _is_dead(last) and time.monotonic() - changed <= LASTS_S:
            if time.monotonic() - start > 1.5 * LASTS_S:
                where = f"process {last.get('process')} on {last.get('host')}"
                raise SslgraphError(
                    f"another run writes to {self.remote.address} ({where}); end it, or choose another place with --out"
                )
            time.sleep(min(1.0, LASTS_S / 10))
            if (found := self._others()) != last:
                last, changed = found, time.monotonic()
        self._renew()
        time.sleep(SETTLES_S)
        if self._others() is not None:
            raise SslgraphError(f"another run began to write to {self.remote.address} at this moment; choose another")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if not self.is_lost:
            with suppress(StorageError):  # out of reach: the lease expires
                self.remote.remove(NAME)

    def _keep(self) -> None:
        while not self.is_lost and not self._over.wait(LASTS_S / 4):
            try:
                self.is_lost = self._others() is not None
                if not self.is_lost:
                    self._renew()
            except StorageError:  # it may be back at the next turn
                continue

    def _renew(self) -> None:
        self._renewals += 1
        about = {"owner": self._owner, "renewed": self._renewals, "host": socket.gethostname(), "process": os.getpid()}
        self.remote.put(NAME, json.dumps(about).encode())

    def _others(self) -> dict[str, Any] | None:
        """The lease of someone else; None if there is none."""
        try:
            found = json.loads(self.remote.read(NAME) or b"null")
        except ValueError:
            return None
        return found if isinstance(found, dict) and found.get("owner") != self._owner else None


def _is_dead(lease: dict[str, Any]) -> bool:
    """Whether its process was one of this machine and is gone."""
    is_here = lease.get("host") == socket.gethostname() and Path("/proc/self").exists()
    return is_here and not Path(f"/proc/{lease.get('process')}").exists()
