"""Prints characters that the terminal can't show; a file name keeps its bytes."""

from __future__ import annotations

import codecs
import io
import os
import sys

ERRORS = "sslgraph.printing"
_BYTE = range(0xDC80, 0xDD00)  # what Python makes of a byte of a file's name that is no text here


def print_anything() -> None:
    """Lets standard output and error take every text: bytes of names as they are, other letters as "?".

    Without UTF-8 (`LC_ALL=C` with `PYTHONUTF8=0`) one letter of a name or a method would end a training in a traceback.
    """
    codecs.register_error(ERRORS, _written)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def give_up() -> None:
    """Sends what is still to be printed nowhere: Python tries once more at its end, and would say that it failed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _written(problem: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    letters = map(ord, problem.object[problem.start : problem.end])
    return bytes(letter - 0xDC00 if letter in _BYTE else ord("?") for letter in letters), problem.end
