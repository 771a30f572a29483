"""The door of the command line: what happens before a command runs."""

from __future__ import annotations

import importlib

import pytest

from sslgraph import __main__


def test_ctrl_c_while_modules_are_imported_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupted)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 130 and ended.value.__suppress_context__
