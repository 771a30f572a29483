"""Sends a run to a cluster: `sslgraph submit` runs `sslgraph train` through Ray's job server.

What is sent is the folder that the command is given in (specs and plugins) and this very code; data and run folders are
not, they lie where all nodes see them.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from sslgraph.errors import SslgraphError
from sslgraph.files.addresses import is_address

from ..storage.remote import Remote
from .job_files import hiding, job_files
from .ray_compat import quiet_jobs, refuse_a_missing_token

AGAIN_S = 0.5
LIMIT = "the job server takes at most 100 MiB; name what is not needed in .rayignore, and leave data where nodes see it"


@dataclass(frozen=True)
class Job:
    """A run to send: the words of `sslgraph train`, the name it gets there, and variables that it sees."""

    words: tuple[str, ...]
    name: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def entrypoint(self) -> str:
        """The command that the head node runs."""
        return shlex.join(["python", "-m", "sslgraph", *self.words])


def job(
    recipe: str, *, out: str | None, workers: int, data: str | None = None, seed: int | None = None,
    plugins: Sequence[str] = (), sets: Sequence[str] = (), variables: Sequence[str] = (),
) -> Job:  # fmt: skip
    """The job of a command line, with what can't work on another machine refused."""
    is_kept_there = out is not None and is_address(out)
    folder = str(out) if is_kept_there else _on_all_nodes("--out", out, "the run's folder or address")
    if is_kept_there:
        Remote.refuse(folder)
    words = ["train", _recipe(recipe), "--out", folder, "--workers", str(workers)]
    if data is not None:
        words += ["--data", data if is_address(data) else _on_all_nodes("--data", data, "where the images are")]
    words += [] if seed is None else ["--seed", str(seed)]
    words += [word for plugin in plugins for word in ("--plugin", plugin)]
    words += [word for text in sets for word in ("--set", text)]
    return Job(tuple(words), f"{_plain(Path(folder).name)}-{time.strftime('%Y%m%d-%H%M%S')}", _variables(variables))


def submit(sent: Job, address: str | None, *, say: Callable[[str], None], wait: bool = True) -> None:
    """Sends the job, shows what it says, and raises what it ended with if that is not success.

    Ctrl-C leaves it running and says how to follow and to stop it.
    """
    server = address or os.environ.get("RAY_API_SERVER_ADDRESS") or ""
    if not server.startswith(("http://", "https://")):
        raise SslgraphError(f"--address {server or 'is missing'}: give a job server, such as http://127.0.0.1:8265")
    os.environ["RAY_API_SERVER_ADDRESS"] = server  # Ray would prefer what is there already
    refuse_a_missing_token(is_private=False)
    with _understood(server):
        client = _client(server)
        here = Path.cwd().resolve()
        for path in hiding(here):
            say(f"{path} is not sent: it would take the place of a module of that name that Ray needs\n")
        with job_files(here, sent.variables) as environment:
            client.submit_job(entrypoint=sent.entrypoint, submission_id=sent.name, runtime_env=environment)
        say(f"job {sent.name} on {server}\n{_commands(sent.name, server)}\n")
        if not wait:
            return
        try:
            last = _followed(client, sent.name, say)
        except KeyboardInterrupt:
            say(f"\njob {sent.name} continues\n{_commands(sent.name, server)}\n")
            raise SystemExit(130) from None
        _judge(client.get_job_info(sent.name), sent.name, last)


def _recipe(name: str) -> str:
    """A recipe's name, or its file as a path within the folder that is sent."""
    if not name.endswith((".yaml", ".yml")):
        return name
    file, here = Path(name).resolve(), Path.cwd().resolve()
    if not file.is_relative_to(here):
        raise SslgraphError(f"{name} is outside {here}, and only that folder is sent; give the command beside it")
    return file.relative_to(here).as_posix()


def _on_all_nodes(option: str, path: str | None, what: str) -> str:
    if not path or not path.startswith("/"):
        said = f"{option} {path}" if path else f"{option} is missing"
        raise SslgraphError(f"{said}: give {what}, as an absolute path that is the same storage on every node")
    return path


def _plain(name: str) -> str:
    """A name that is valid in an address and on a command line."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def _variables(texts: Sequence[str]) -> dict[str, str]:
    split = [text.partition("=") for text in texts]
    if wrong := [name for name, sign, _ in split if not sign or not name]:
        raise SslgraphError(f"--env {wrong[0]}: write a name, an equals sign and a value, for example --env SEED=1")
    return {name: value for name, _, value in split}


def _client(server: str) -> Any:
    from ray.job_submission import JobSubmissionClient

    client = JobSubmissionClient(server)
    quiet_jobs()
    return client


@contextmanager
def _understood(server: str) -> Iterator[None]:
    """Ray's errors as sentences."""
    from ray.exceptions import AuthenticationError

    try:
        yield
    except AuthenticationError as refused:
        cure = "export RAY_AUTH_MODE=token, with the cluster's token in ~/.ray/auth_token or RAY_AUTH_TOKEN"
        raise SslgraphError(f"{server} wants a token and got none that it knows; {cure}") from refused
    except ConnectionError as silent:
        cure = "see that the head node runs and that its port is forwarded to this machine"
        raise SslgraphError(f"no job server answers at {server}; {cure}") from silent
    except (RuntimeError, ValueError) as failure:
        if isinstance(failure, SslgraphError):
            raise
        text = str(failure).strip() or type(failure).__name__
        is_large = "status code 413" in text or "exceeds the maximum size" in text
        told = f"{Path.cwd()} is too large to be sent: {LIMIT}" if is_large else f"{server} refused: {text}"
        raise SslgraphError(told) from failure


def _followed(client: Any, name: str, say: Callable[[str], None]) -> str:
    """Shows what the job says until it has ended, over lost connections too; gives its last words."""
    from aiohttp import ClientError

    shown, last = 0, deque[str](maxlen=50)
    while True:
        try:
            for piece in _pieces(client, name, shown):
                shown += len(piece)
                say(piece)
                last.extend(filter(str.strip, piece.splitlines()))
            break  # the server ends the stream when the job has ended
        except (RuntimeError, ClientError, OSError):
            time.sleep(AGAIN_S)
    while not client.get_job_status(name).is_terminal():
        time.sleep(AGAIN_S)
    return _words(last)


def _words(lines: Iterable[str]) -> str:
    """The last line that is not indented, and what follows: a fault's cure is indented below it."""
    words: list[str] = []
    for line in lines:
        words = [*words, line] if line.startswith(" ") else [line]
    return "\n".join(words)


def _pieces(client: Any, name: str, shown: int) -> Iterator[str]:
    """The job's output as it arrives, without its first letters.

    A thread listens, so that Ctrl-C finds this one where it can stop.
    """
    heard: SimpleQueue[str | BaseException | None] = SimpleQueue()

    async def listen() -> None:
        async for piece in client.tail_job_logs(name):
            heard.put(piece)

    def run() -> None:
        try:
            heard.put(asyncio.run(listen()))
        except BaseException as failure:
            heard.put(failure)

    threading.Thread(target=run, daemon=True).start()
    seen = 0
    while (piece := heard.get()) is not None:
        if isinstance(piece, BaseException):
            raise piece
        fresh = piece[max(0, shown - seen) :]
        seen += len(piece)
        if fresh:
            yield fresh


def _judge(info: Any, name: str, last: str) -> None:
    status = str(info.status.value)
    if status == "SUCCEEDED":
        return
    if status == "STOPPED":
        raise SslgraphError(f"job {name} was stopped; the same command continues from its newest checkpoint")
    if info.driver_exit_code == 1 and last:
        raise SslgraphError(f"job {name} failed: {last}")
    said = last or str(info.message)
    raise SslgraphError(f"job {name} failed with exit code {info.driver_exit_code}; its last words: {said}")


def _commands(name: str, server: str) -> str:
    tail = f"{name} --address {server}"
    return f"  follow: ray job logs --follow {tail}\n  state:  ray job status {tail}\n  stop:   ray job stop {tail}"
