"""A pool with planted copies, and what a curation made of it.

python -m benchmarks.curation plant CIFAR10 FOLDER      writes FOLDER/pool, FOLDER/seed and FOLDER/truth.parquet
python -m benchmarks.curation judge FOLDER DISTINCT CURATED    says how well copies were found and images retrieved

DISTINCT and CURATED are the folders of the stages of these names of `sslgraph run dinov2 --data FOLDER/pool`.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

POOL, SEED, TEST = 10_000, 1_000, 2_000
CLASSES = (0, 7, 9)  # airplane, horse, truck: the seed's
COPIES, OF_TEST = 1_000, 150  # of each kind: crops, and images compressed anew
KINDS = ("crop", "jpeg")


def plant(cifar: Path, folder: Path) -> None:
    """A pool of training images with copies of some of them and of test images, in random order; a seed apart."""
    rng = np.random.default_rng(0)
    train, test = (_rows(cifar, split) for split in ("train", "test"))
    order = rng.permutation(len(train))
    pool, test = [train[i] for i in order[:POOL]], [test[i] for i in rng.permutation(len(test))[:TEST]]
    rest = [train[i] for i in order[POOL:] if train[i][1] in CLASSES]
    copied = rng.permutation(POOL)[: COPIES * len(KINDS)]
    rows = [(*row, "", number) for number, row in enumerate(pool)]
    for kind, some in zip(KINDS, np.split(copied, len(KINDS)), strict=True):
        rows += [(_copy(pool[i][0], kind, rng), pool[i][1], kind, int(i)) for i in some]
    for at, kind in enumerate(KINDS):
        seen = range(at * OF_TEST, (at + 1) * OF_TEST)
        rows += [(_copy(test[i][0], kind, rng), test[i][1], f"test {kind}", -1 - i) for i in seen]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    _write(folder / "pool/train.parquet", [row[:2] for row in rows])
    _write(folder / "pool/test.parquet", test)
    _write(folder / "seed/images.parquet", rest[:SEED])
    for name in ("pool", "seed"):
        (folder / name / "classes.txt").write_text((cifar / "classes.txt").read_text())
    truth = {"label": [row[1] for row in rows], "kind": [row[2] for row in rows], "original": [row[3] for row in rows]}
    pq.write_table(pa.table(truth), folder / "truth.parquet")


def _rows(cifar: Path, split: str) -> list[tuple[bytes, int]]:
    found = pa.concat_tables(pq.read_table(file) for file in sorted(cifar.glob(f"{split}-*.parquet")))
    return [(image["bytes"], label) for image, label in zip(*(found[k].to_pylist() for k in ("image", "label")))]  # noqa: B905


def _copy(encoded: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """A crop of 60 to 90 % of the area, brought back to the image's size; or a JPEG of quality 30 to 75."""
    image, out = Image.open(io.BytesIO(encoded)).convert("RGB"), io.BytesIO()
    if kind == "crop":
        side = round(image.width * float(rng.uniform(0.6, 0.9)) ** 0.5)
        left, top = rng.integers(0, image.width - side + 1, 2).tolist()
        small = image.crop((left, top, left + side, top + side))
        small.resize(image.size, Image.Resampling.BICUBIC).save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=int(rng.integers(30, 76)))
    return out.getvalue()


def _write(file: Path, rows: list[tuple[bytes, int]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": [{"bytes": image, "path": None} for image, _ in rows], "label": [r[1] for r in rows]})
    pq.write_table(table, file, row_group_size=500)


def found(folder: Path, distinct: Path) -> dict[str, float]:
    """Recall of each kind of planted copies and of all, and precision, of a stage that removed copies.

    A planted copy is found if it or its original is gone; a removal is right if the image has a planted twin that
    stays, or is a copy of a test image.
    """
    truth = pq.read_table(folder / "truth.parquet").to_pydict()
    fate = np.array(pq.read_table(distinct / "images.parquet").sort_by("index")["fate"].to_pylist())
    gone = np.isin(fate, ("copy", "near test"))
    kind, original = np.array(truth["kind"]), np.array(truth["original"])
    of_test = original < 0
    twins = {name: np.flatnonzero(original == name) for name in set(original[~of_test].tolist())}
    left = {name: int((~gone[its]).sum()) for name, its in twins.items()}
    is_found = np.array([gone[i] if of_test[i] else left[original[i]] < 2 for i in range(len(gone))])
    right = [of_test[i] or (len(twins[original[i]]) > 1 and left[original[i]] > 0) for i in np.flatnonzero(gone)]
    return {
        **{f"recall, {name}": float(is_found[kind == name].mean()) for name in np.unique(kind) if name},
        "recall": float(is_found[kind != ""].mean()),
        "precision": float(np.mean(right)),
        "removed": int(gone.sum()),
    }


def retrieved(distinct: Path, curated: Path) -> dict[str, float]:
    """How many images were taken of those without copies, by each way, and the share of the seed's classes in them."""
    with np.load(distinct / "images/train.npz") as rows:
        is_seeds = np.isin(rows["labels"], CLASSES)
    fate = np.array(pq.read_table(curated / "images.parquet").sort_by("index")["fate"].to_pylist())
    ways = {way: np.char.find(fate, way) >= 0 for way in ("neighbour", "cluster")}
    sets = {"pool": np.ones(len(fate), dtype=bool), **ways, "all chosen": ways["neighbour"] | ways["cluster"]}
    told = {name: (int(its.sum()), float(is_seeds[its].mean())) for name, its in sets.items()}
    return {f"{name}, {what}": number for name, pair in told.items()
            for what, number in zip(("images", "share of the seed's classes"), pair, strict=True)}  # fmt: skip


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["plant", cifar_, folder_]:
            plant(Path(cifar_), Path(folder_))
        case ["judge", folder_, distinct_, curated_]:
            told_ = found(Path(folder_), Path(distinct_)) | retrieved(Path(distinct_), Path(curated_))
            for name_, value_ in told_.items():
                print(f"{name_}: {value_:.3f}" if isinstance(value_, float) else f"{name_}: {value_:,}")
        case _:
            sys.exit(__doc__)
