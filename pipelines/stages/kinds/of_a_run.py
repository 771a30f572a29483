"""Stages that ask something of an earlier training, or make images of videos; each fills its folder."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import Any

from sslgraph.files import whole_file

from ...evaluate.evaluate import evaluate
from ...evaluate.evaluation import FILE
from ...evaluate.held_out import held_out
from ...export.exports import FORMS
from ...export.exports import export as write_export
from ...motion.writing import write as write_masks
from .work import IMAGES, Work


def measure(work: Work) -> dict[str, Any]:
    """`do: evaluate`: measured as `sslgraph evaluate` does, on its own images or those of `data:`: evaluation.json.

    It is done by the protocols of `protocols:`, if any are named.
    """
    names = work.stage.settings.get("protocols", ())
    found = evaluate(work.inputs["of"], names=names, data=work.data, plugins=work.plugins)
    whole_file.put_json(work.folder / FILE, asdict(found))
    said = {name: values["accuracy"] for name, values in found.trained.items() if "accuracy" in values}
    if (places := found.segmentation) is not None:
        sides = {"linear mIoU": places.trained, "linear mIoU, random encoder": places.random}
        said |= {name: told.linear.miou for name, told in sides.items()}
    return said


def losses(work: Work) -> dict[str, Any]:
    """`do: losses`: its own losses on test images, and how many nats below chance they lie.

    Of class numbers that are told, it says how many are right.
    """
    found = held_out(work.inputs["of"], plugins=work.plugins)
    told = {name: one.told for name, one in found.items() if one.told is not None}
    return {
        **{f"{figure}.{name}": value for name, one in told.items() for figure, value in asdict(one).items()},
        "loss": {name: one.loss for name, one in found.items()},
        "bound": {name: one.bound for name, one in found.items() if one.bound is not None},
    }


def export(work: Work) -> dict[str, Any]:
    """`do: export`: the trained encoder as other libraries read it; the artefact is the folder export."""
    to = str(work.stage.settings.get("to", next(iter(FORMS))))
    return write_export(work.inputs["of"], work.folder / "export", to=to, plugins=work.plugins)


def masks(work: Work) -> dict[str, Any]:
    """`do: masks`: what moves in videos, or in films that the program draws, as the images with label maps `images`."""
    own = {name: value for name, value in work.stage.settings.items() if name != "data"}
    # of an attempt that was killed before it was marked as done
    shutil.rmtree(work.folder / IMAGES, ignore_errors=True)
    found = write_masks(work.data, work.folder / IMAGES, **own)
    frames = found.kept + sum(found.rejected.values())
    return {"frames": frames, "kept": found.kept, "rejected": found.rejected, "with a mask": found.kept / frames}
