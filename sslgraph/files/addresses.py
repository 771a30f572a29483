"""Addresses of object storage and web servers: requests are repeated, and secrets are kept out of what is saved."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from sslgraph.errors import SslgraphError, StorageError

Found = TypeVar("Found")
# Seconds before each further try; others wait a little longer, so that not all ranks come back at once.
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
REFUSALS = re.compile(
    "ACCESS_DENIED|INVALID_ACCESS_KEY|INVALID_CLIENT_TOKEN|SIGNATURE_DOES_NOT_MATCH|EXPIRED|NO_SUCH_BUCKET|NoSuchBucket"
    "|Forbidden|Unauthorized|PERMISSION_DENIED|UNAUTHENTICATED|status=40[13]|HTTP status 40[13]",
    re.IGNORECASE,
)
CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws, or the machine's role",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or the machine's role",
    "http": "~/.netrc",
}


def is_address(place: str) -> bool:
    """Whether a text names a place on a server and not on a disk."""
    return "://" in place


def kind_of(address: str) -> str:
    """The word before ://, in small letters."""
    return address.partition("://")[0].lower()


def refuse_secrets(address: str) -> None:
    """SslgraphError where an address that is written down holds a password or a signature."""
    kind = kind_of(address)
    host, query = re.split(r"[/?]", address.partition("://")[2])[0], address.partition("?")[2]
    is_named = "@" in host and not host.startswith("anonymous@")
    is_signed = query and (kind.startswith("http") or re.search("key|secret|token|sig", query, re.IGNORECASE))
    if is_named or is_signed:
        raise SslgraphError(
            f"{kind}://{host.rpartition('@')[2]}/...: an address with a password or a signature would be written into "
            "the run folder; give it without, and the credentials in the environment"
        )


def patiently(address: str, what: str, work: Callable[[], Found], faults: tuple[type[Exception], ...]) -> Found:
    """What `work` gives, tried again for some 20 s where one of these faults may pass.

    StorageError if it lasts, or at once if the server refuses. FileNotFoundError passes: there is nothing to wait for.
    """
    start = time.monotonic()
    for wait in (*WAITS, None):
        try:
            return work()
        except FileNotFoundError:
            raise
        except faults as fault:
            reason = fault
        said = (str(reason).strip() or type(reason).__name__).splitlines()[0][:300]
        if REFUSALS.search(said):
            where = next((text for kind, text in CREDENTIALS.items() if kind_of(address).startswith(kind)), "")
            raise StorageError(
                f"{address}: {what} was refused ({said}); credentials are taken from {where or 'the environment'}"
            ) from reason
        if wait is None:
            took = time.monotonic() - start
            raise StorageError(
                f"{address}: {what} failed {len(WAITS) + 1} times in {took:.0f} s ({said}); "
                "see that the storage is up and this machine reaches it"
            ) from reason
        time.sleep(wait * random.uniform(1.0, 1.5))
    raise AssertionError("the last try returns or raises")
