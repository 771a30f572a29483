"""Hosts on this machine: network namespaces, each with its own loopback, and a cable each to one switch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# Ray keeps what belongs to a node there: each host has a folder of its own in its place, and shares all others.
OWN = "/tmp/ray"


@dataclass(frozen=True)
class Host:
    """A network namespace, its end of the cable, its address, and the folder that it has to itself."""

    name: str
    link: str
    address: str
    disk: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str, **given: object) -> subprocess.Popen[str]:
        """Starts a command on it."""
        mount = f'mount --bind "{self.disk}" {OWN} && exec "$@"'
        command = ["ip", "netns", "exec", self.name, "sh", "-c", mount, "sh", *words]
        made: subprocess.Popen[str] = subprocess.Popen(command, text=True, **given)  # type: ignore[call-overload]
        self.started.append(made)
        return made

    def cable(self, state: str) -> None:
        """Pulls the cable ("down") or plugs it in ("up")."""
        _ip("-n", self.name, "link", "set", self.link, state)

    def processes(self) -> list[int]:
        """What runs on it."""
        found = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(word) for word in found.stdout.split()]

    def off(self) -> None:
        """Kills all that runs on it, at once."""
        while there := self.processes():
            for process in there:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05)
        for process in self.started:
            process.wait(10)


@contextmanager
def hosts(count: int, folder: Path) -> Iterator[tuple[Host, ...]]:
    """So many hosts, gone when the block ends; skips the test where namespaces are not allowed."""
    tag = f"{os.getpid() % 10**5:05d}"
    switch = f"switch{tag}"
    made = tuple(Host(f"h{n}x{tag}", f"c{n}x{tag}", f"10.219.7.{n + 1}", folder / f"disk{n}") for n in range(count))
    try:
        try:
            Path(OWN).mkdir(exist_ok=True)
            _ip("netns", "add", switch)
            _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
            _ip("-n", switch, "link", "set", "bridge", "up")
            for host in made:
                _connect(host, switch)
        except (OSError, subprocess.CalledProcessError) as refused:
            pytest.skip(f"network namespaces are not allowed here: {refused}")
        yield made
    finally:
        for host in made:
            host.off()
        for name in (*(host.name for host in made), switch):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _connect(host: Host, switch: str) -> None:
    port = f"p{host.link}"
    host.disk.mkdir(parents=True, exist_ok=True)
    _ip("netns", "add", host.name)
    _ip("-n", host.name, "link", "set", "lo", "up")
    _ip("link", "add", host.link, "netns", host.name, "type", "veth", "peer", "name", port, "netns", switch)
    _ip("-n", switch, "link", "set", port, "master", "bridge")
    _ip("-n", switch, "link", "set", port, "up")
    _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", host.link)
    host.cable("up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
