"""Folders of label maps beside folders of images: their pictures show classes, and are no images to train on."""

from __future__ import annotations

from collections.abc import Sequence

from .arranging import by_folder
from .skipped import Skipped

# Names of such folders in any case, with those of Pascal VOC and Cityscapes.
IMAGES = ("images", "image", "imgs", "img", "jpegimages", "leftimg8bit", "rgb", "photos")
MAPS = (
    "labels", "label", "masks", "mask", "annotations", "annotation", "segmentations", "segmentationclass",
    "segmentationclassaug", "segmentationobject", "gt", "gtfine", "gtcoarse", "ground_truth", "groundtruth", "trimaps",
)  # fmt: skip


def are_maps(folders: Sequence[str]) -> list[bool]:
    """Whether each folder is one of maps, or lies in one: in a/masks, where a folder a/images holds images."""
    cut = [folder.split("/") for folder in folders]
    beside = {"/".join(parts[:i]) for parts in cut for i, part in enumerate(parts) if part.lower() in IMAGES}
    return [
        any(part.lower() in MAPS and "/".join(parts[:i]) in beside for i, part in enumerate(parts)) for parts in cut
    ]


def no_maps(names: Sequence[str], skipped: Skipped) -> Sequence[int]:
    """Which of these files are not in such folders; the others are counted."""
    folders, of_each = by_folder(names)
    maps = are_maps(folders)
    if not any(maps):
        return range(len(names))
    numbers = of_each.tolist()
    left = [i for i, number in enumerate(numbers) if maps[number]]
    why = "in a folder beside one of images, no image to train on (it serves sslgraph evaluate --segmentation)"
    skipped.note("label map", why, names[left[0]], len(left))
    return [i for i, number in enumerate(numbers) if not maps[number]]
