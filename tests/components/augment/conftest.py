from __future__ import annotations

import pytest

from sslgraph.components.augment import native


@pytest.fixture(params=["C", "tensors"], autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test of this room runs with pixels.c, where there is a compiler, and without it."""
    if request.param == "tensors":
        monkeypatch.setattr(native, "_library", lambda: None)
    elif native._library() is None:
        pytest.skip("there is no C compiler")
    return str(request.param)
