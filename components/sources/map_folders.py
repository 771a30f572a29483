"""Label maps beside images, in folders or files of their own: they show classes, and are no images to train on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .arranging import by_folder
from .skipped import Skipped

# Names of such folders in any case, with those of Pascal VOC and Cityscapes.
IMAGES = ("images", "image", "imgs", "img", "jpegimages", "leftimg8bit", "rgb", "photos")
MAPS = (
    "labels", "label", "masks", "mask", "annotations", "annotation", "segmentations", "segmentationclass",
    "segmentationclassaug", "segmentationobject", "gt", "gtfine", "gtcoarse", "ground_truth", "groundtruth", "trimaps",
)  # fmt: skip


OF_FILE = re.compile(r"(.+)[ _.-](?:masks?|seg|segmentation|gt|labels?|labelids)(?:[ _-]?\d+)?", re.IGNORECASE)


def are_maps(folders: Sequence[str]) -> list[bool]:
    """Whether each folder is one of maps, or lies in one: in a/masks, where a folder a/images holds images."""
    cut = [folder.split("/") for folder in folders]
    beside = {"/".join(parts[:i]) for parts in cut for i, part in enumerate(parts) if part.lower() in IMAGES}
    return [
        any(part.lower() in MAPS and "/".join(parts[:i]) in beside for i, part in enumerate(parts)) for parts in cut
    ]


def no_maps(names: Sequence[str], skipped: Skipped) -> Sequence[int]:
    """Which of these files are no maps, by their folders or by names such as a_mask.png; the others are counted."""
    folders, of_each = by_folder(names)
    maps = are_maps(folders)
    left = {i for i, number in enumerate(of_each.tolist()) if maps[number]} if any(maps) else set[int]()
    for rows, where in ((left, "in a folder beside one of images"), (_of_files(names), "beside the image of its name")):
        if rows:
            why = f"{where}, no image to train on (it serves sslgraph evaluate --segmentation)"
            skipped.note("label map", why, names[min(rows)], len(rows))
            left = left | rows
    return [i for i in range(len(names)) if i not in left] if left else range(len(names))


def _of_files(names: Sequence[str]) -> set[int]:
    """The files a_mask.png, or a_mask_1.png, of an image a.png or a.jpg in the same folder."""
    stems = [name.rpartition(".")[0] for name in names]
    found = {i: match[1] for i, stem in enumerate(stems) if (match := OF_FILE.fullmatch(stem))}
    known = set(stems) if found else set[str]()
    return {i for i, image in found.items() if image in known}
