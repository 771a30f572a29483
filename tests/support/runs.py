"""What two runs left, compared to the last bit."""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch


def records(folder: Path) -> list[dict[str, Any]]:
    """What was recorded of every step, less what a clock measured."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if "second" not in k and "wait" not in k} for line in lines]


def unlike(one: Path, other: Path) -> dict[int, dict[str, tuple[Any, Any]]]:
    """What two runs recorded otherwise, by step and name; lines that one of them lacks count as empty."""
    pairs = zip_longest(records(one), records(other), fillvalue={})
    found = {
        number: {k: (a.get(k), b.get(k)) for k in {**a, **b} if a.get(k) != b.get(k)}
        for number, (a, b) in enumerate(pairs)
    }
    return {number: different for number, different in found.items() if different}


def assert_equal(one: Any, other: Any) -> None:
    """Equal to the last bit, through mappings and sequences."""
    assert type(one) is type(other)
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_equal(*pair)
    else:
        assert one == other
