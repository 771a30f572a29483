"""What is shown never ends a run: a terminal may be closed, a pipe's other end gone."""

from __future__ import annotations

import errno
import io
import re

import pytest
from rich.console import Console

from sslgraph.amounts import counted, percent
from sslgraph.pipelines.record.display import Display, Pace, fitted


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
    pace = Pace(1234.4, 0.01, 61.0)
    assert percent(0.2814) == "28.1 %"
    assert (pace.left, pace.speed, pace.wait) == ("1:01 left", "1234 images/s", "")
    assert Pace(1234.4, 0.05, 61.0).wait == "data wait 5 %"


@pytest.mark.parametrize("has_bar", [True, False])
@pytest.mark.parametrize(("steps", "left"), [(400, 61.0), (1_000_000, 270_000.0)])
def test_the_line_of_a_run_fits_80_columns_with_the_time_left_first(has_bar: bool, steps: int, left: float) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=has_bar, color_system=None)
    display = Display(total_steps=steps, console=console, seconds=0)
    measures = {"knn": 0.4432, "knn_random_encoder": 0.288, "knn_pixels": 0.397}
    display.show(steps // 2, 12.3456, measures, Pace(12_345.6, 0.123, left))
    display.close()
    said = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", out.getvalue()).strip().splitlines()[-1].rpartition("\r")[2]
    first = "1:01 left" if left < 100 else "3 d 03:00:00 left"
    assert len(said) <= 80 and said.lstrip("━╸╺ ").startswith(f"{first}  step {steps // 2}/{steps}  loss 12.3456"), said
    assert has_bar or left > 100 or "kNN 44.3 % (random 28.8 %)" in said


def test_what_does_not_fit_is_left_out_from_the_end() -> None:
    assert fitted(["ab", "", "cd", "ef"], 10) == "ab  cd  ef" and fitted(["ab", "", "cd", "ef"], 9) == "ab  cd"
    assert fitted(["longer than this"], 4) == "longer than this"


def test_an_evaluation_before_training_says_which_measure_it_shows() -> None:
    out = io.StringIO()
    display = Display(total_steps=4, console=Console(file=out, width=120))
    display.measured(0, {"knn_random_encoder": 0.281, "knn_pixels": 0.397})
    assert out.getvalue() == "kNN before training: random encoder 28.1 %, raw pixels 39.7 %\n"
