"""Recall and precision of a curation by hand, on six images of a pool."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.curation import found


def test_recall_and_precision_by_hand(tmp_path: Path) -> None:
    """Image 1 copies 0, 3 copies 2, 5 copies a test image; removed are 0 (its copy stays), 4 (of nothing) and 5."""
    truth = {"kind": ["", "crop", "", "jpeg", "", "test jpeg"], "original": [0, 0, 1, 1, 2, -1], "label": [0] * 6}
    pq.write_table(pa.table(truth), tmp_path / "truth.parquet")
    fates = {"index": [5, 0, 1, 2, 3, 4], "fate": ["near test", "copy", "left", "left", "left", "copy"]}
    pq.write_table(pa.table(fates), tmp_path / "images.parquet")
    told = found(tmp_path, tmp_path)
    assert (told["recall, crop"], told["recall, jpeg"], told["recall, test jpeg"]) == (1, 0, 1)
    assert told["recall"] == pytest.approx(2 / 3) and told["precision"] == pytest.approx(2 / 3) and told["removed"] == 3
