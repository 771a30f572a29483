"""What a run was trained on, told apart by count, names and sizes: images that changed since are not taken in silence.

It stands in each checkpoint. The bytes of the images are not read: what the source listed anyway is enough to notice
images that were added, removed or renamed, and classes that were, but not an image that was replaced by one as large.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from sslgraph import collectives
from sslgraph.errors import SslgraphError
from sslgraph.read.spec import Data

from ...feed.feed import Source
from ...storage import run_folder
from ..run import Run

COUNT, HASH = "images", "images_hash"


def fingerprint(source: Source, data: Data) -> dict[str, Any]:
    """How many images there are, and a hash of their names and sizes in order.

    A source without a `listing` (drawn images, a user's own class) is known by its settings and its labels.
    """
    listing = getattr(source, "listing", None)
    digest = hashlib.sha256()
    for piece in _settings(source, data) if listing is None else listing():
        digest.update(piece)
    return {COUNT: len(source), HASH: digest.hexdigest()[:32]}


def difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How two fingerprints differ, in words; "" if they do not, or one is of a version that took none."""
    if HASH not in then or HASH not in now or then[HASH] == now[HASH]:
        return ""
    if then[COUNT] != now[COUNT]:
        return f"{then[COUNT]:,} images then, {now[COUNT]:,} now"
    return f"{now[COUNT]:,} images then and now, and not the same ones: names, sizes or labels differ"


def refuse_unequal_ranks(run: Run) -> None:
    """Ranks that read different images would wait for each other for ever, or train on them unseen."""
    if HASH not in run.data or collectives.ranks() == 1:
        return
    mine = torch.tensor([run.data[COUNT], int(run.data[HASH][:12], 16)], device=run.device)
    first = collectives.broadcast(mine.clone())
    fault = None
    if not torch.equal(mine, first):
        here = f"rank {collectives.rank()} on {platform.node()} has {mine[0]:,} images"
        fault = SslgraphError(f"{here}, not the {first[0]:,} of the first rank; give all machines the same images")
    run_folder.agree(fault, run.device)


def _settings(source: Source, data: Data) -> Iterator[bytes]:
    yield json.dumps([data.use, data.settings], sort_keys=True, default=str).encode()
    if source.labels is not None:
        yield source.labels.numpy().tobytes()
