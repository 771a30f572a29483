"""Two hosts on this machine: network namespaces with a cable between them, each with its own loopback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Host:
    """A network namespace, its end of the cable and its address."""

    name: str
    link: str
    address: str

    def start(self, *words: str, **given: object) -> subprocess.Popen[str]:
        """Starts a command on it."""
        command = ["ip", "netns", "exec", self.name, *words]
        return subprocess.Popen(command, text=True, **given)  # type: ignore[call-overload, no-any-return]

    def cable(self, state: str) -> None:
        """Pulls the cable ("down") or plugs it in ("up")."""
        _ip("-n", self.name, "link", "set", self.link, state)


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """The hosts, gone when the block ends; skips the test where namespaces are not allowed."""
    tag = f"{os.getpid() % 10**5:05d}"
    hosts = Host(f"one{tag}", f"a{tag}", "10.219.7.1"), Host(f"two{tag}", f"b{tag}", "10.219.7.2")
    try:
        try:
            for host in hosts:
                _ip("netns", "add", host.name)
                _ip("-n", host.name, "link", "set", "lo", "up")
            one, two = hosts
            _ip("link", "add", one.link, "netns", one.name, "type", "veth", "peer", "name", two.link, "netns", two.name)
            for host in hosts:
                _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", host.link)
                host.cable("up")
        except (OSError, subprocess.CalledProcessError) as refused:
            pytest.skip(f"network namespaces are not allowed here: {refused}")
        yield hosts
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "del", host.name], check=False, capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
