"""Writes curves for TensorBoard: one event file for each start of a run.

TensorBoard reads the files of a folder by name, and a name begins with the second in which its file was begun. A clock
that was set back would put the newest file first: so it is named after all that are there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECOND = re.compile(r"events\.out\.tfevents\.(\d{10})\.")


class Events:
    """The file of this start, of a run of which `done` steps are done: later ones of earlier starts are not shown."""

    def __init__(self, folder: Path, done: int) -> None:
        # Here, because a test of the loop need not pay for the import.
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = Event, Summary
        folder.mkdir(parents=True, exist_ok=True)
        self._file = RecordWriter((folder / fresh(folder)).open("xb"))
        self._put(file_version="brain.Event:2")
        self._put(step=done + 1, session_log=SessionLog(status=SessionLog.START))
        self._file.flush()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Notes values of a step."""
        found = [self._summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._put(step=step, summary=self._summary(value=found))
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _put(self, **about: Any) -> None:
        self._file.write(self._event(wall_time=time.time(), **about).SerializeToString())


def fresh(folder: Path) -> str:
    """A name that comes after those of all files of events in the folder."""
    seconds = [int(found[1]) for file in folder.iterdir() if (found := SECOND.match(file.name))]
    return f"events.out.tfevents.{max(int(time.time()), *(second + 1 for second in seconds), 0):010d}.sslgraph"
