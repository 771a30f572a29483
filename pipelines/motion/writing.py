"""Writes masks of what moves in the videos of a folder, as images with label maps, and lists what was rejected."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from sslgraph import __version__
from sslgraph.errors import SslgraphError
from sslgraph.parts import registry

from ..check.request import located
from .masks import FOREGROUND, REACH, Masked, masked

FACTS, PICTURE, CLASSES = "masks.json", "masks.png", ("still", "moving")
HELD_OUT = 4  # of so few films one is held out that a tenth is none
SHOWN, COLUMNS = 24, 6
TINT = (255, 30, 60)


class Films(Protocol):
    """A source with the role "films"."""

    films: Sequence[Any]

    def __len__(self) -> int: ...

    def about(self, index: int) -> tuple[int, float, float]: ...

    def clip(self, index: int, *, frames: int, stride: int) -> Any: ...


@dataclass(frozen=True)
class Written:
    """How many frames have a mask, and how many were rejected for each reason."""

    kept: int
    rejected: dict[str, int]

    def __str__(self) -> str:
        why = "; ".join(f"{count} {reason}" for reason, count in sorted(self.rejected.items()))
        return f"{self.kept} frames with a mask; rejected: {why or 'none'}"


def write(videos: str | None, out: Path, *, every: float = 1.0, stride: int = 1) -> Written:
    """Writes SPLIT/images, SPLIT/labels (0 still, 1 moving, 255 unknown), masks.json and a picture of some masks.

    The mask is that of the frame in the middle of seven, each `stride`-th, every so many seconds. Films of a folder
    test are held out, or a tenth of them, or one of four where they are fewer than ten. Nothing is written if no frame
    has a mask, or if `out` is there already. Without videos there are films that the program draws, at times of their
    own.
    """
    if out.exists():
        raise SslgraphError(f"{out} is there already; give a folder that is not there yet")
    sources, where = _sources(videos, every), videos or "films that the program draws"
    folder = out.with_name(f".{out.name}-unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    facts, shown, rejected = list[dict[str, Any]](), list[Any](), Counter[str]()
    try:
        for split, source, index in ((*one, index) for one in sources for index in range(len(one[1]))):
            number, _, rate = source.about(index)
            clip = source.clip(index, frames=2 * REACH + 1, stride=stride)
            frames = clip.frames.permute(0, 2, 3, 1).numpy()
            found = masked(frames, min(REACH, len(frames) - 1))
            rejected.update([found.rejected] if found.rejected else [])
            time = float(clip.times[min(REACH, len(frames) - 1)])
            film = Path(source.films[number].place)
            if len(sources) == 1 and number % HELD_OUT == HELD_OUT - 1:
                split = "test"
            name = f"{split}/images/{number}-{film.stem}-{time:08.2f}.png"
            facts.append({"film": film.name, "seconds": time, "rate": rate, "rejected": found.rejected,
                          "inliers": found.inliers, "confidence": found.confidence, **found.facts}
                         | ({} if found.rejected else {"image": name}))  # fmt: skip
            if not found.rejected:
                _save(folder / name, found)
                shown.append(overlaid(found))
        if not shown:
            raise SslgraphError(f"{where}: no frame has a mask of what moves; {Written(0, dict(rejected))}")
        _finish(folder, facts, shown, {"videos": where, "every": every, "stride": stride})
        folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Written(len(shown), dict(rejected))


def _sources(videos: str | None, every: float) -> list[tuple[str, Films]]:
    """The films of both splits; of training alone where there are too few to hold some out."""
    use = registry.with_role("films" if videos else "stand-in films", "sources")[0]
    settings = {"path": located(videos), "every": every, "memory": 0} if videos else {}
    found = [("train", registry.build(use, {**settings, "split": "train"}))]
    with suppress(SslgraphError):
        found.append(("test", registry.build(use, {**settings, "split": "test"})))
    return found


def overlaid(found: Masked) -> Any:
    """The frame with what moves in red, and what is unknown pale."""
    frame = found.frame.astype(np.float32)
    moving = (found.trimap == FOREGROUND)[..., None]
    return np.where(
        moving, 0.45 * frame + 0.55 * np.array(TINT), 0.75 * frame + 0.25 * 255 * (found.trimap > 1)[..., None]
    ).astype(np.uint8)


def _save(place: Path, found: Masked) -> None:
    labels = place.parent.parent / "labels" / place.name
    for folder in (place.parent, labels.parent):
        folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(found.frame).save(place)
    Image.fromarray(found.trimap).save(labels)


def _finish(folder: Path, facts: list[dict[str, Any]], shown: list[Any], settings: dict[str, Any]) -> None:
    whole = {"sslgraph": __version__, **settings, "frames": facts}
    (folder / FACTS).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    some = [shown[i] for i in np.linspace(0, len(shown) - 1, min(SHOWN, len(shown))).round().astype(int)]
    height, width = max(one.shape[0] for one in some), max(one.shape[1] for one in some)
    page = Image.new("RGB", (min(COLUMNS, len(some)) * (width + 4), -(-len(some) // COLUMNS) * (height + 4)), "white")
    for number, one in enumerate(some):
        page.paste(Image.fromarray(one), (number % COLUMNS * (width + 4), number // COLUMNS * (height + 4)))
    page.save(folder / PICTURE)
