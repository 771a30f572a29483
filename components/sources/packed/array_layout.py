"""Which arrays of some files are images, which their labels, and along which axis one image follows the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sslgraph.errors import SslgraphError

from ..decode.pixels import MOST_CHANNELS
from ..names.map_folders import MAPS
from ..names.splits import WORDS, words_in
from ..stores.skipped import Skipped
from ..tables.labels import LIKE, Raw, none, of_values
from .array_files import PICKLED, Held

IMAGES = ("x", "image", "images", "img", "imgs", "data", "pixels", "inputs", "features")
LABELS = ("y", "label", "labels", "target", "targets")
FURTHER = ("extra", "batch", "part", *IMAGES, *WORDS)  # words of names that keep arrays no two data sets
NAMED = 4  # arrays that are named
CHANNELS = (1, 3, 4)  # of grey, of colour, and with transparency
LEAST = 5  # pixels of a side; [height, width, 3] is a single image, and not the third axis of several
SHORT = {"tr": "train", "trn": "train", "te": "test", "ts": "test", "tst": "test"}  # Xtr, yte
JOINED = re.compile(r"(?<![A-Za-z])([xyXY])(?=[tT][rRsSeE]|[vV][aA])")


def words_of(name: str) -> list[str]:
    """The words of a name in small letters, short ones of splits written out."""
    found = words_in(JOINED.sub(r"\1_", name))
    return [SHORT.get(word.lower(), word.lower()) for word in found]


def spoken(place: str) -> str:
    """A place whose words are written out, so that the rule of splits knows them: Xtr.npy is "x train.npy"."""
    above, slash, name = place.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    return f"{above}{slash}{' '.join(words_of(stem))}{dot}{ending}"


def is_of_images(one: Held) -> bool:
    """Whether an array is of images: three axes, or four of which one is that of channels."""
    is_colour = len(one.shape) == 4 and min(one.shape[1:]) <= MOST_CHANNELS
    is_grey = len(one.shape) == 3 and min(one.shape[1:]) >= LEAST
    return one.dtype.kind in "uifb" and (is_grey or is_colour) and all(one.shape)


def has_channels_first(shape: Sequence[int]) -> bool:
    """Whether the channels of an image stand first: sides are equal, or the longer axes."""
    first, middle, last = shape
    if (first == middle) != (middle == last):
        return middle == last
    return first < last


def images_of(path: str, everything: Sequence[Held], wanted: str | None, skipped: Skipped) -> list[Held]:
    """The arrays of images of one data set; label maps and nested arrays are counted."""
    found = [one for one in everything if is_of_images(one) and wanted in (None, one.key)]
    maps = [one for one in found if wanted is None and set(words_of(one.key)) & set(MAPS)]
    if len(maps) < len(found):
        found = [one for one in found if one not in maps]
        for one in maps:
            skipped.note("array of label maps", "no images to train on", one.key)
    if not found:
        there = ", ".join(map(str, everything)) or "none"
        raise SslgraphError(
            f"{path} has no array of images{f' called {wanted!r} (data.image)' if wanted else ''}; its arrays are: "
            f"{there}; one must have the axes [images, height, width] or [images, height, width, channels]"
        )
    for one in everything:
        if one.dtype.kind == PICKLED:
            skipped.note("array of objects", "pickled or nested, which is not opened", one.key)
    if not _are_one_set(found):
        is_one_file = len({one.folder for one in found}) == 1
        several = list(dict.fromkeys(map(str, found) if is_one_file else (one.file.name for one in found)))
        cure = f"choose one with data.image: {found[0].key}" if is_one_file else "give one of them as the path"
        raise SslgraphError(
            f"{path} holds arrays of images that nothing in their names joins to one set: "
            f"{', '.join(several[:NAMED])}{', ...' if len(several) > NAMED else ''}; {cure}"
        )
    return found


def _are_one_set(arrays: Sequence[Held]) -> bool:
    """Whether names differ by words of splits and numbers only, and images of a split have one size.

    bloodmnist_64 has another size than bloodmnist, and is another set.
    """
    sizes: dict[tuple[str, ...], set[tuple[int, ...]]] = {}
    for one in arrays:
        its = {one.shape[1:], one.shape[:-1]}
        key = tuple(_splits_in(one.place))
        sizes[key] = sizes.get(key, its) & its
    words = {tuple(word for word in words_of(one.place) if word not in FURTHER) for one in arrays}
    return len(words) == 1 and all(sizes.values())


def _splits_in(name: str) -> list[str]:
    return [word for word in words_of(name) if word in WORDS]


def labels_of(image: Held, images: Sequence[Held], everything: Sequence[Held], wanted: str | None) -> Held | None:
    """The array that holds the labels of an array of images: it has as many, and the same words of a split."""
    splits = _splits_in(image.key)
    rest = [word for word in words_of(image.key) if word not in IMAGES]
    fits = list[tuple[int, Held]]()
    for one in everything:
        words = words_of(one.key)
        if one in images or one.folder != image.folder or not _may_label(one, image):
            continue
        if wanted is not None:
            fits += [(0, one)] if wanted in (one.key, "_".join(word for word in words if word not in WORDS)) else []
        elif _splits_in(one.key) == splits:
            is_named = bool(set(words) & set(LABELS) or LIKE.search(one.key))
            is_same = [word for word in words if word not in LABELS] == rest
            fits.append((0 if is_named and is_same else 1 if "fine" in words else 2 if is_named else 3, one))
    fits.sort(key=lambda fit: fit[0])
    is_sure = len(fits) == 1 or (fits and fits[0][0] < 3 and fits[0][0] < fits[1][0])
    return fits[0][1] if is_sure else None


def axis_of(image: Held, label: Held | None) -> int:
    """Along which axis images stand: the first, or the last if that has as many as there are labels, as in MATLAB.

    Where the axis of channels says it, labels are not asked: 32 images of 32 x 32 have as many as rows.
    """
    first, last = image.shape[0], image.shape[-1]
    if _are_last(image):
        return -1
    if label is not None:
        return 0 if first in label.shape else -1
    is_colour = len(image.shape) == 4 and image.shape[2] <= MOST_CHANNELS < min(image.shape[1], last)
    is_square = image.file.name.lower().endswith(".mat") and len(image.shape) == 3 and first == image.shape[1] != last
    return -1 if is_colour or is_square else 0


def _are_last(image: Held) -> bool:
    """Whether the third of four axes is that of channels, and no other may be."""
    return len(image.shape) == 4 and [axis for axis in (1, 2, 3) if image.shape[axis] in CHANNELS] == [2]


def labels_in(label: Held | None, count: int) -> Raw:
    """The class of each image; of rows of 0 and a single 1 the place of the 1. None where other numbers stand there."""
    values = None if label is None else label.read()
    if values is None:
        return none(count)
    if values.ndim == 2 and min(values.shape) > 1:
        values = values.T if values.shape[0] != count == values.shape[1] else values
        is_hot = bool(((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all())
        return values.argmax(1).astype(np.int64) if is_hot else none(count)
    is_of_cells = values.dtype.kind == PICKLED  # an empty one is no label
    flat = [next(iter(np.ravel(value)), None) if is_of_cells else value for value in values.ravel()]
    return of_values([value.item() if isinstance(value, np.generic) else value for value in flat])


def names_of(everything: Sequence[Held]) -> list[str]:
    """The names of the classes, where an array of words is called so."""
    words = (one for one in everything if one.dtype.kind in "US" and len(one.shape) == 1 and "name" in one.key.lower())
    one = next(words, None)
    return [] if one is None else [str(value) for value in one.read().tolist()]


def _may_label(one: Held, image: Held) -> bool:
    """Whether an array has a number or a word for each image, or a row of several."""
    is_pickled = one.dtype.kind == PICKLED and not one.file.name.lower().endswith(".mat")
    if len(one.shape) not in (1, 2) or is_pickled:
        return False
    several, (first, *_, last) = [size for size in one.shape if size > 1], image.shape
    if _are_last(image):
        return last in several
    return first in several or several == [last]
