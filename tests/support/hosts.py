"""Hosts on this machine: each with its own network, processes, name and /tmp/ray, and a cable to one switch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# Ray keeps what belongs to a node there: each host has a folder of its own in its place, and shares all others.
OWN = "/tmp/ray"


@dataclass
class Host:
    """A network namespace, its end of the cable, its address, the folder that it has to itself, and its power."""

    name: str
    link: str
    address: str
    disk: Path
    power: subprocess.Popen[str] | None = None
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def on(self) -> int:
        """The first of its processes, seen from outside: the others are those below it, and see no other host's."""
        if self.power is None:
            (names := self.disk / "hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")  # as on Debian
            mounts = f'mount --bind "{names}" /etc/hosts && mount --bind "{self.disk}" {OWN}'
            begin = f"hostname {self.name} && {mounts} && echo on && exec sleep infinity"
            apart = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", begin]
            self.power = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *apart], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            assert self.power.stdout is not None and self.power.stderr is not None
            if self.power.stdout.readline() != "on\n":
                raise OSError(self.power.stderr.read())
        found = Path(f"/proc/{self.power.pid}/task/{self.power.pid}/children").read_text()
        return int(found)

    def start(self, *words: str, cwd: Path, **given: object) -> subprocess.Popen[str]:
        """Starts a command on it."""
        enter = ["nsenter", "--target", str(self.on()), "--net", "--uts", "--mount", "--pid", f"--wd={cwd}", "--"]
        made: subprocess.Popen[str] = subprocess.Popen([*enter, *words], text=True, **given)  # type: ignore[call-overload]
        self.started.append(made)
        return made

    def cable(self, state: str) -> None:
        """Pulls the cable ("down") or plugs it in ("up")."""
        _ip("-n", self.name, "link", "set", self.link, state)

    def off(self) -> None:
        """Cuts its power: all that runs on it is gone at once."""
        if self.power is not None:
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(self.on(), signal.SIGKILL)
            self.power.communicate()
            self.power = None
        for process in self.started:
            process.wait(60)
        self.started.clear()


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
                host.on()
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
