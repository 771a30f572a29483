"""Label maps beside images, in folders or files of their own: they show classes, and are no images to train on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..stores.skipped import Skipped
from .arranging import by_folder
from .splits import by_name, words_in

# Names of such folders in any case, with those of Pascal VOC and Cityscapes.
IMAGES = ("images", "image", "imgs", "img", "jpegimages", "leftimg8bit", "rgb", "photos")
MAPS = (
    "labels", "label", "masks", "mask", "annotations", "annotation", "segmentations", "segmentationclass",
    "segmentationclassaug", "segmentationobject", "gt", "gtfine", "gtcoarse", "ground_truth", "groundtruth", "trimaps",
)  # fmt: skip
# Words of longer names: imagesTr and labelsTr, img_dir and ann_dir, Training_Input and Training_GroundTruth.
OF_IMAGES = (*IMAGES, "input", "inputs")
OF_MAPS = (*MAPS, "annot", "ann", "anns", "seg", "segmentation", "ground", "truth", "semantic")
OF_FILE = re.compile(r"(.+)[ _.-](?:masks?|seg|segmentation|gt|labels?|labelids)(?:[ _-]?\d+)?", re.IGNORECASE)


def are_maps(folders: Sequence[str]) -> list[bool]:
    """Whether each folder is one of maps, or lies in one: in a/masks, where a folder a/images holds images.

    Longer names count where their other words agree, as labelsTr beside imagesTr, or are a split, as train_masks.
    """
    cut = [folder.split("/") for folder in folders]
    below: dict[str, set[str]] = {}
    for parts in cut:
        for i, part in enumerate(parts):
            below.setdefault("/".join(parts[:i]), set()).add(part)
    maps = {(above, name) for above, names in below.items() for name in names if _is_of_maps(name, names - {name})}
    return [any(("/".join(parts[:i]), part) in maps for i, part in enumerate(parts)) for parts in cut]


def _is_of_maps(name: str, beside: set[str]) -> bool:
    if name.lower() in MAPS:
        return any(other.lower() in IMAGES for other in beside)
    rest, is_said = _without(name, OF_MAPS), len(_without(name, OF_MAPS)) < len(_without(name, ()))
    for other in beside:
        begins = name.lower().startswith(other.lower()) and by_name(other) >= 0
        if begins and name.lower()[len(other) :].strip("_- ") in OF_MAPS:
            return True
        if is_said and rest == _without(other, OF_IMAGES) != _without(other, ()):
            return True
    return False


def _without(name: str, words: Sequence[str]) -> list[str]:
    return [word.lower() for word in words_in(name) if word.lower() not in words]


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
    """The files a_mask.png, or a_mask_1.png, of an image a.png or a.jpg in the same folder; mask.png of image.png."""
    stems = [name.rpartition(".")[0] for name in names]
    found = {i: match[1] for i, stem in enumerate(stems) if (match := OF_FILE.fullmatch(stem))}
    known = set(stems) if found else set[str]()
    last = [stem.rpartition("/") for stem in stems]
    pictured = {above for above, _, name in last if name.lower() in IMAGES}
    maps = {i for i, (above, _, name) in enumerate(last) if name.lower() in MAPS and above in pictured}
    return maps | {i for i, image in found.items() if image in known}
