"""What is shown never ends a run: a terminal may be closed, a pipe's other end gone."""

from __future__ import annotations

import errno
import io

import pytest
from rich.console import Console

from sslgraph.amounts import counted, percent
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


def test_numbers_are_written_for_people() -> None:
    words = [
        counted(*each) for each in ((1, "epoch"), (1.0, "epoch"), (0.258065, "epoch"), (5004, "step"), (2, "loss"))
    ]
    assert words == ["1 epoch", "1 epoch", "0.258 epochs", "5,004 steps", "2 losses"]
    assert percent(0.2814) == "28.1 %" and str(Pace(1234.4, 0.01, 61.0)) == "1234 images/s  data wait 1 %  1:01 left"


def test_an_evaluation_before_training_says_which_measure_it_shows() -> None:
    out = io.StringIO()
    display = Display(total_steps=4, console=Console(file=out, width=120))
    display.measured(0, {"knn_random_encoder": 0.281, "knn_pixels": 0.397})
    assert out.getvalue() == "kNN before training: random encoder 28.1 %, raw pixels 39.7 %\n"
