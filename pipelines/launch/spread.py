"""Shares work out over a Ray cluster, that on pieces of a whole and such of different kinds, as it becomes due.

No result depends on how it is shared.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from sslgraph.errors import SslgraphError

from ..machine.pieces import Made, Piece, Spread, here
from . import cluster

RETRIES = 2  # of a worker that died, and of the piece that it held


@contextmanager
def workers(count: int, address: str | None = None) -> Iterator[Spread]:
    """So many processes of a cluster, a private one if no address is given; one without an address is this process."""
    _refuse_none(count)
    if count == 1 and address is None:
        yield here
        return
    with cluster.cluster(address) as ray:
        yield _on_ray(ray, count, cluster.share(cluster.nodes(ray), count))


def _refuse_none(count: int) -> None:
    if count < 1:
        raise SslgraphError(f"--workers {count} would do nothing; ask for 1 or more")


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


@contextmanager
def crew(count: int, address: str | None = None) -> Iterator[Crew]:
    """So many processes of a cluster, a private one if no address is given, for work that is due at its own time."""
    _refuse_none(count)
    with cluster.cluster(address) as ray:
        yield Crew(ray, count, cluster.share(cluster.nodes(ray), count))


class Crew:
    """Does named work, each in a process of its own; `running` are the names."""

    def __init__(self, ray: Any, count: int, share: cluster.Share) -> None:
        self.count = count
        self._ray = ray
        self._begin = ray.remote(num_cpus=share.cpus, num_gpus=share.gpus, max_retries=RETRIES)(_in_folder)
        self._running: dict[Any, str] = {}

    @property
    def running(self) -> tuple[str, ...]:
        """What is being done."""
        return tuple(self._running.values())

    def start(self, name: str, work: Callable[[], Any]) -> None:
        """Begins with work of a name, in the folder of this process. It does not wait."""
        self._running[self._begin.remote(str(Path.cwd()), work)] = name

    def ended(self, seconds: float = 1.0) -> Iterator[tuple[str, Any]]:
        """What has ended in these seconds: what the work gave, None if it was stopped, or why its process died."""
        ends, _ = self._ray.wait(list(self._running), timeout=seconds)
        for end in ends:
            yield self._running.pop(end), self._found(end)

    def stop(self) -> None:
        """Asks all work to stop as Ctrl-C asks it here; what has saved itself then ends as it does here."""
        for one in self._running:
            self._ray.cancel(one)

    def _found(self, end: Any) -> Any:
        try:
            return self._ray.get(end)
        except self._ray.exceptions.TaskCancelledError:
            return None
        except self._ray.exceptions.RayTaskError as failure:
            return failure.cause if isinstance(failure.cause, SslgraphError) else SslgraphError(str(failure.cause))
        except self._ray.exceptions.RayError as failure:
            why = str(failure).strip().partition("\n")[0].rstrip(".")
            return SslgraphError(f"its process died {RETRIES + 1} times, the last time with: {why}")


def _in_folder(folder: str, work: Callable[[], Any]) -> Any:
    """Does work in a folder. Plugins are there, last on the path, as in the command line."""
    if not Path(folder).is_dir():
        raise SslgraphError(f"{folder} is not there on each node: start the command in a folder that all nodes share")
    if folder not in sys.path:
        sys.path.append(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a command that runs behind a script ignores it
    with chdir(folder):
        return work()
