"""What is shown never ends a run: a terminal may be closed, a pipe's other end gone."""

from __future__ import annotations

import errno
import io

import pytest
from rich.console import Console

from sslgraph.pipelines.record.display import Display, Pace


class Closable(io.StringIO):
    """A terminal that may be gone."""

    is_gone = False

    def write(self, text: str) -> int:
        if self.is_gone:
            raise OSError(errno.EIO, "input/output error")
        return super().write(text)


@pytest.mark.parametrize("has_bar", [True, False])
def test_a_terminal_that_is_gone_shows_nothing_and_raises_nothing(has_bar: bool) -> None:
    file = Closable()
    display = Display(total_steps=4, console=Console(file=file, force_terminal=has_bar), seconds=0)
    display.say("before")
    assert "before" in file.getvalue()
    file.is_gone = True
    display.say("after")
    display.show(1, 0.5, {}, Pace(1.0, 0.0, 1.0))
    display.measured(1, {"knn": 0.5})
    display.close()
    assert "after" not in file.getvalue()
