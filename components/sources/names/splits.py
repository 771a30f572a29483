"""Which split an image belongs to, by the one rule of all sources: a folder, or a word of a name, says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product, takewhile
from typing import Any, Literal, TypedDict

from ..tables.labels import in_one_form

TRAIN, VAL, TEST, NEITHER = 0, 1, 2, -1
SPLITS = ("train", "val", "test")
WORDS = {
    "train": TRAIN, "training": TRAIN, "val": VAL, "valid": VAL, "validation": VAL, "dev": VAL, "eval": VAL,
    "evaluation": VAL, "holdout": VAL, "test": TEST, "testing": TEST, "unlabeled": TRAIN, "unlabelled": TRAIN,
    "unsupervised": TRAIN, "trainval": TRAIN,
}  # fmt: skip
WITHOUT = ("unlabeled", "unlabelled", "unsupervised")  # folders that are trained on, and no class
OF_CAPITALS = {"Tr": TRAIN, "Ts": TEST}  # the imagesTr and imagesTs of nnU-Net
# Columns of tables that say the split of a row; is_train, is_valid and such say it by yes or no.
COLUMNS = ("split", "set", "subset", "partition", "fold", "usage", "phase")
YES, NO = ("1", "1.0", "true", "yes", "t", "y"), ("0", "0.0", "false", "no", "f", "n")
# A file whose rows or members are the images: it stands in a path like a folder.
CONTAINERS = (".tar", ".parquet", ".arrow", ".feather")
# Folders that hold numbered parts of a data set (fold1, NIH's images_001, a camera's 100CANON), and no class each.
PARTS = re.compile(
    r"(.*[\W_])?(fold|part|chunk|batch|shard|images?|imgs?|split|subset|volume|disk|archive|train|val|test)s?[\W_]*\d+"
    r"|\d{3}[a-z_]{5}",
    re.IGNORECASE,
)
# Folders of photographs by their dates: 2021, 2021-05, 2021-05-30 Lake; and months or days in those of years.
DATES = re.compile(r"(19|20)\d\d([-_. ]?(0\d|1[0-2])([-_. ]?[0-3]\d)?([-_. ].*)?)?")
DAYS = re.compile(r"[0-3]?\d([-_. ].*)?")
RUNS = re.compile(r"[^\W\d_]+")
HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class SplitSettings(TypedDict, total=False):
    """The settings by which every source says which of its images are used."""

    split: Literal["train", "test"]
    limit: int | None


def by_name(name: str) -> int:
    """The split that a name is, in any case; NEITHER if it is none."""
    return WORDS.get(name.lower(), NEITHER)


def by_word(name: str) -> int:
    """The split that the first such word of a name says: cifar10-train, val2017, TestSet."""
    known = (WORDS.get(word.lower(), OF_CAPITALS.get(word, NEITHER)) for word in words_in(name))
    return next((split for split in known if split >= 0), NEITHER)


def words_in(name: str) -> list[str]:
    """The words of a name: test, Set of TestSet."""
    return [word for run in RUNS.findall(name) for word in HUMPS.findall(run)]


def split_in(path: str) -> int:
    """The split that the words of a path say; NEITHER for none or several, as in train_test_split.txt."""
    marks = {WORDS[word.lower()] for word in words_in(path) if word.lower() in WORDS}
    return marks.pop() if len(marks) == 1 else NEITHER


def says_split(column: str) -> bool:
    """Whether a column of a table may say the split of its rows."""
    return column.lower() in COLUMNS or _flag(column) >= 0


def by_columns(row: Mapping[str, Any]) -> int:
    """The split that the columns of a row say; NEITHER if none does."""
    for name, value in row.items():
        if name.lower() in COLUMNS and (said := by_word(str(value).strip())) >= 0:
            return said
    flags = {_flag(name): str(value).strip().lower() for name, value in row.items() if _flag(name) >= 0}
    true = [split for split, value in flags.items() if value in YES]
    if true:
        return max(true)
    if not flags or not all(value in NO for value in flags.values()):
        return NEITHER
    return TEST if TRAIN in flags else TRAIN


def _flag(column: str) -> int:
    """The split that is_train, isValid or is_test asks about."""
    words = column.lower().replace("_", "").replace(" ", "")
    return by_name(words.removeprefix("is")) if words.startswith("is") else NEITHER


@dataclass(frozen=True)
class Division:
    """The split of each path, and each path without what says it; `how` is "" if the paths are not divided."""

    splits: list[int]
    rests: list[str]
    how: str


def division(folders: Sequence[str], files: Sequence[str] = ()) -> Division:
    """Divides folders such as a/train/cat, if one level of them holds both training and other images.

    Looked at in this order: whole names at each level (words of them where they are CONTAINERS), from the top; words of
    folders' names, if all have one, or those that have one differ by it alone (box_train, box_test, query); whole names
    at any level. What else the names of the level say is a class where it can be one: cat_train, dog_test. At last the
    names of `files`, where all have a word; then `splits` is of them, not of folders.
    """
    cut = [folder.split("/") if folder else [] for folder in folders]
    levels = range(max(map(len, cut), default=0))
    for in_words, level in product((False, True), levels):
        marks = [_mark(parts[level], in_words) if level < len(parts) else NEITHER for parts in cut]
        if not are_split(marks) and set(marks) != {VAL, TEST}:  # with nothing to train on, which is told by who asks
            continue
        said = [_wordless(parts[level]) if mark >= 0 else "" for parts, mark in zip(cut, marks, strict=True)]
        trained = {one for one, mark in zip(said, marks, strict=True) if mark == TRAIN}
        held_out = {one for one, mark in zip(said, marks, strict=True) if mark > TRAIN}
        if in_words and NEITHER in marks and not _in_small(trained) == _in_small(held_out) != {""}:
            continue
        are_classes = len(held_out) > 1 and held_out <= trained and "" not in trained
        inside = [[one] if are_classes else [] for one in said]
        rests = ["/".join(parts[:level] + one + parts[level + 1 :]) for parts, one in zip(cut, inside, strict=True)]
        again = division(rests)  # training_set/training_set/cat
        return Division(marks, again.rests if again.splits == marks else rests, "folder")
    at = [next((i for i, part in enumerate(parts) if _mark(part, False) >= 0), len(parts)) for parts in cut]
    marks = [_mark("".join(parts[i : i + 1]), False) for parts, i in zip(cut, at, strict=True)]
    if are_split(marks):
        return Division(marks, ["/".join(p[:i] + p[i + 1 :]) for p, i in zip(cut, at, strict=True)], "folder")
    marks = list(takewhile(NEITHER.__lt__, (by_word(file.rpartition("/")[2]) for file in files)))
    if are_split(marks) and len(marks) == len(files):
        return Division(marks, list(folders), "file")
    return Division([TRAIN] * len(folders), list(folders), "")


def _in_small(words: set[str]) -> set[str]:
    return {word.lower() for word in words}


def copies(rests: Sequence[str]) -> list[bool]:
    """Whether each folder is in a copy of all those beside it, as zip files that were packed twice give: cat, dog and
    pets/cat, pets/dog.
    """
    cut = [rest.split("/") for rest in rests]
    below: dict[str, set[str]] = {}
    for first, *others in cut:
        below.setdefault(first, set()).update(others[:1])
    copied = {first for first, inside in below.items() if len(inside) > 1 and inside == below.keys() - {first, ""}}
    return [first in copied for first, *_ in cut]


def classes_of(rests: Sequence[str], splits: Sequence[int]) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    """The class of each folder ("" for none), the classes, and folders that hold numbered PARTS.

    Classes are the first level at which folders part. Folders that hold everything else are passed over, and so are
    CONTAINERS, PARTS, DATES and initials (a/abbey). One class alone says nothing, and names that no training image has
    are no classes (all of them in a folder `images`). Held-out folders may write the same class in other capitals.
    """
    cut = [[part for part in rest.split("/") if part and not part.lower().endswith(CONTAINERS)] for rest in rests]
    passed, is_dated = list[str](), False
    while firsts := {parts[0] for parts in cut if parts}:
        is_dated = all(map(DATES.fullmatch, firsts)) or (is_dated and all(map(DAYS.fullmatch, firsts)))
        if len(firsts) > 1:
            if not (is_dated or all(map(PARTS.fullmatch, firsts)) or _are_initials(cut)):
                break
            passed += sorted(firsts)
        cut = [parts[1:] for parts in cut]
    names = [in_one_form(parts[0]).strip() if parts else "" for parts in cut]
    names = ["" if name.lower() in WITHOUT else name for name in names]
    known = {name for name, split in zip(names, splits, strict=True) if split == TRAIN} - {""}
    alike = {name.casefold(): name for name in known}
    if len(alike) == len(known):
        names = [name if name in known else alike.get(name.casefold(), name) for name in names]
    for held_out in (VAL, TEST):
        its = {name for name, split in zip(names, splits, strict=True) if split == held_out} - {""}
        if its and not its & known:
            names = ["" if split == held_out else name for name, split in zip(names, splits, strict=True)]
    classes = tuple(sorted(set(names) - {""}))
    return (names, classes, tuple(passed)) if len(classes) > 1 else ([""] * len(names), (), tuple(passed))


def _are_initials(cut: Iterable[list[str]]) -> bool:
    """Whether the first folders are the first letters of those in them, as in Places365 and SUN397."""
    return all(len(parts) > 1 and len(parts[0]) == 1 and parts[1].startswith(parts[0]) for parts in cut if parts)


def _mark(part: str, in_words: bool) -> int:
    return by_word(part) if in_words or part.lower().endswith(CONTAINERS) else by_name(part)


def are_split(marks: Iterable[int]) -> bool:
    """Whether these are training and held-out images."""
    there = set(marks)
    return TRAIN in there and bool(there & {VAL, TEST})


def _wordless(name: str) -> str:
    """A name without its words of splits: cat of cat_train."""
    for word in words_in(name):
        name = name.replace(word, "", 1) if by_word(word) >= 0 else name
    return name.strip(" _-.")
