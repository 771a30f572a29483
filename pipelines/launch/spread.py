"""Shares work on pieces out over a Ray cluster; the result does not depend on how they are shared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError

from ..machine.pieces import Made, Piece, Spread, here
from . import cluster

RETRIES = 2  # of a worker that died, and of the piece that it held


@contextmanager
def workers(count: int, address: str | None = None) -> Iterator[Spread]:
    """So many processes of a cluster, a private one if no address is given; one without an address is this process."""
    if count < 1:
        raise SslgraphError(f"--workers {count} would do nothing; ask for 1 or more")
    if count == 1 and address is None:
        yield here
        return
    with cluster.cluster(address) as ray:
        yield _on_ray(ray, count, cluster.share(cluster.nodes(ray), count))


def _on_ray(ray: Any, count: int, share: cluster.Share) -> Spread:
    place = str(Path.cwd())

    def spread(begin: Callable[[], Callable[[Piece], Made]], pieces: Sequence[Piece], /) -> Iterator[Made]:
        from ray.util import ActorPool

        class Worker:
            def __init__(self) -> None:
                if place not in sys.path:  # plugins are in the folder of the command
                    sys.path.append(place)
                self.work: Callable[[Piece], Made] | None = None

            def make(self, piece: Piece) -> Made:
                self.work = self.work or begin()
                return self.work(piece)

        actor = ray.remote(
            num_cpus=share.cpus, num_gpus=share.gpus, max_restarts=RETRIES, max_task_retries=RETRIES
        )(Worker)  # fmt: skip
        actors = [actor.remote() for _ in range(min(count, len(pieces)))]
        try:
            yield from ActorPool(actors).map(lambda one, piece: one.make.remote(piece), pieces)
        except ray.exceptions.RayTaskError as failure:
            if isinstance(failure.cause, SslgraphError):
                raise failure.cause from None
            raise
        except ray.exceptions.RayError as failure:
            raise SslgraphError(
                f"a worker died: {str(failure).splitlines()[0]}; the same command tries again"
            ) from failure
        finally:
            for one in actors:
                ray.kill(one)

    return spread
