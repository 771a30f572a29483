"""A run at an address: the first rank locks, fetches and sends it; other machines fetch its newest state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sslgraph import collectives
from sslgraph.errors import SslgraphError

from ..machine import machine
from ..storage import checkpoint, fetching, mirror, run_folder
from ..storage.remote import Remote


@contextmanager
def at_its_address(cfg: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The request with a folder of this machine in which the run works; one that names no address passes."""
    if not (address := cfg.get("address")):
        yield cfg
        return
    folder, device, fault = fetching.folder_of(address), machine.device(cfg.get("local_rank", 0)), None
    with ExitStack() as held:
        run_folder.by_the_first(device, lambda: held.enter_context(mirror.mirrored(address, folder, print)))
        if collectives.rank() > 0 and cfg.get("local_rank", 0) == 0:  # the first process of another machine
            try:
                fetching.fetch(Remote(address), folder, newest_only=True)
            except SslgraphError as wrong:
                fault = wrong
        run_folder.agree(fault, device)
        mine = folder / checkpoint.TEXT
        is_own = Path(cfg["recipe"]).name == checkpoint.TEXT and not Path(cfg["recipe"]).is_file()  # of another machine
        yield {**cfg, "out": str(folder), "recipe": str(mine) if is_own else cfg["recipe"]}
