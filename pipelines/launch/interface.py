"""Chooses the network interface that a host's ranks talk over: the one that leads to the other hosts.

Gloo takes the address that the host's own name stands for. On Debian and in many containers that is 127.0.1.1, which no
other host reaches.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from contextlib import suppress

VARIABLES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
_SIOCGIFADDR = 0x8915  # Linux: the IPv4 address of an interface
_ANYWHERE = "192.0.2.1"  # an address of nobody: the way to it is the way out of this host


def choose(head: str) -> None:
    """Sets torch's variables to the interface towards the head, where the user set none and one is found.

    A head whose name resolves to 127.x says nothing of the other hosts; then it is the default route's interface.
    """
    if any(name in os.environ for name in VARIABLES):
        return
    for target in (head, _ANYWHERE):
        own = address_towards(target)
        if own and not own.startswith("127.") and (name := interface_of(own)):
            os.environ.update(dict.fromkeys(VARIABLES, name))
            return


def address_towards(target: str) -> str | None:
    """The address of this host that a message to the target would come from; nothing is sent. None if no way leads."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect((target, 9))
        return str(asked.getsockname()[0])
    return None


def interface_of(address: str) -> str | None:
    """The name of the interface that has an IPv4 address."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # it has none
                found = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                if socket.inet_ntoa(found[20:24]) == address:
                    return name
    return None


def in_words(problem: Exception, *, rank: int, head: str) -> str:
    """What to do when the ranks could not connect."""
    own = address_towards(head) or "no address"
    name = os.environ.get(VARIABLES[0], "the interface that the host's name stands for")
    reason = str(problem).strip().splitlines()[0][:200]
    return (
        f"the hosts can't reach each other: rank {rank} on {socket.gethostname()} ({own}, interface {name}) has no "
        f"connection to all others ({reason}); open the ports between the hosts, or set {VARIABLES[0]} on each host "
        "to the interface towards the others"
    )
