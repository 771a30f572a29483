"""`do: curate`: the images of a pool that are no copies and are like a seed set; the artefact is the folder images.

arXiv:2304.07193, section 3: near copies go, within the pool and of held-out images; then each seed image takes its
nearest neighbours, or clusters that the seed falls into are taken.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from sslgraph.files.write_whole import write_whole

from ...feed.preparing import write_prepared
from ...feed.selection import Selection
from ...measure.curation import COPY, LEFT, NEAR_TEST, Fate, Wish, fates
from .embedding import Embedded, embedded
from .work import IMAGES, Work

FILE = "images.parquet"


def curate(
    given: dict[str, Embedded], folder: Path, wish: Wish, *, with_seed: bool = True, side: int = 256, form: str = "jpeg"
) -> dict[str, Any]:
    """Writes the chosen images into the folder `images`, and what became of each image of the pool beside it.

    The seed set comes first in it, where it is wanted; the test set becomes its test split.
    """
    pool, seed, test = given["pool"], given.get("seed"), given.get("test")
    others = {name: given[name].values for name in given if name != "pool"}
    told = fates(pool.values, wish, **others)
    chosen = [row for row, fate in enumerate(told) if not fate.is_gone and (seed is None or fate.said != LEFT)]
    _write_fates(pool, told, folder / FILE)

    train = [seed.images(range(len(seed.index)))] if seed is not None and with_seed else []
    held_out = [test.images(range(len(test.index)))] if test is not None else []
    whole = Selection([*train, pool.images(chosen), *held_out])  # together, so that both splits number classes alike
    count = sum(map(len, train)) + len(chosen)
    splits = {"train": torch.arange(count), "test": torch.arange(count, len(whole))}
    asked = ((split, Selection([whole], rows)) for split, rows in splits.items() if len(rows))
    shutil.rmtree(folder / IMAGES, ignore_errors=True)  # of an attempt that was killed before it was marked as done
    written = write_prepared(folder / IMAGES, asked, side=side, form=form, where="a curated pool")
    share = 1 / len(told)
    gone = {word: sum(fate.said == word for fate in told) for word in (COPY, NEAR_TEST)}
    return {
        "pool": len(told), **{f"{word} images": count for word, count in gone.items()}, "images": written[0].images,
        "copies": gone[COPY] * share, "near test": gone[NEAR_TEST] * share, "chosen": len(chosen) * share,
    }  # fmt: skip


def _write_fates(pool: Embedded, told: Sequence[Fate], file: Path) -> None:
    """A row for each image of the pool: its index, what became of it, and the image that it is a copy of or near to."""
    table = {"index": pool.index.numpy(), "fate": [fate.said for fate in told], "of": [fate.of for fate in told]}
    write_whole(file, lambda opened: pq.write_table(pa.table(table), opened))


def stage(work: Work) -> dict[str, Any]:
    """Curates what the work is given."""
    own = dict(work.stage.settings)
    wish = Wish(**{one.name: own.pop(one.name) for one in fields(Wish) if one.name in own})
    given = {name: embedded(folder, work.plugins) for name, folder in work.inputs.items()}
    return curate(given, work.folder, wish, **own)
