"""The command line in this process: its exit code and what it says, as a terminal would see them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sslgraph.pipelines.commands import app


@dataclass(frozen=True)
class Said:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def sslgraph(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`sslgraph("check", "simclr")`; what a command puts on the import path is taken off again."""

    def run(*words: str) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["sslgraph", *words])
        monkeypatch.setattr(sys, "path", list(sys.path))
        try:
            app.main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        return Said(code, *capsys.readouterr())

    return run
