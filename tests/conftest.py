"""What every test starts from: the toy parts can be named in specs, and torch's generator stands at a known place."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent
for folder in (HERE.parent, HERE / "support"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


import slow_share  # noqa: E402
from chromium import chromium as chromium  # noqa: E402
from object_storage import storage as storage  # noqa: E402
from rates import keep_for_tests  # noqa: E402
from slow_share import pytest_configure as pytest_configure  # noqa: E402
from two_ranks import both as both  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--renew` writes the golden pictures anew; look at them before they are committed."""
    slow_share.pytest_addoption(parser)
    parser.addoption("--renew", action="store_true", help="write golden pictures as the code draws them now")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """No test depends on which tests ran before it."""
    torch.manual_seed(0)
    torch.set_flush_denormal(False)  # a run in this process sets it, and hypothesis needs subnormal numbers


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept between runs stays out of the user's folders, and no test trusts what another one did."""
    cache = tmp_path_factory.getbasetemp() / "cache"
    keep_for_tests(cache)
    monkeypatch.setenv("SSLGRAPH_CACHE", str(cache))
    monkeypatch.setenv("SSLGRAPH_CONFIG", str(tmp_path_factory.mktemp("config") / "sslgraph"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets; a test that needs them is skipped, with the reason, where they are not."""
    named = os.environ.get("SSLGRAPH_DATA")
    root = Path(named) if named else HERE.parent.parent / "shared" / "data"
    if not root.is_dir():
        pytest.skip(f"real data is not at {root}; set SSLGRAPH_DATA to the folder that holds cifar10/")
    return root
