"""Which split an image belongs to, by the one rule of all sources: a folder, or a word of a name, says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def division(folders: Sequence[str], names: Callable[[], Iterable[tuple[int, str]]] | None = None) -> Division:
    """Divides folders such as a/train/cat, if one level of them holds both training and other images.

    Looked at in this order: whole names at each level (words of them where they are CONTAINERS), from the top; words of
    folders' names, if all have one; whole names at any level. At last `names`: the file names, each with the number of
    its folder, where all have a word; then the split is that of the names, and `splits` is of names, not of folders.
    """
    cut = [folder.split("/") if folder else [] for folder in folders]
    deepest = max(map(len, cut), default=0)
    for strict in (False, True):
        for level in range(deepest):
            marks = [_mark(parts[level], strict) if level < len(parts) else NEITHER for parts in cut]
            is_held_out = set(marks) == {VAL, TEST}  # and nothing to train on, which whoever asks for images is told
            if (are_split(marks) or is_held_out) and not (
                strict and NEITHER in marks and not _are_alike(cut, marks, level)
            ):
                return Division(marks, _unrepeated(_told_apart(cut, marks, level), marks, level), "folder")
    levels = [next((i for i, part in enumerate(parts) if _mark(part, False) >= 0), -1) for parts in cut]
    marks = [_mark(parts[i], False) if i >= 0 else NEITHER for parts, i in zip(cut, levels, strict=True)]
    if are_split(marks):
        return Division(marks, [_without(parts, i) for parts, i in zip(cut, levels, strict=True)], "folder")
    if names is not None and (marks := _all_marked(names())) and are_split(marks):
        return Division(marks, list(folders), "file")
    return Division([TRAIN] * len(folders), list(folders), "")


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


def _without(parts: list[str], level: int) -> str:
    return "/".join(parts[:level] + parts[level + 1 :]) if 0 <= level < len(parts) else "/".join(parts)


def _are_alike(cut: Sequence[list[str]], marks: Sequence[int], level: int) -> bool:
    """Whether names differ by their words of splits alone, as box_train and box_test do beside a folder query."""
    known = {
        (mark == TRAIN, _wordless(parts[level]).lower()) for parts, mark in zip(cut, marks, strict=True) if mark >= 0
    }
    rests = [{rest for is_train, rest in known if is_train is one} for one in (True, False)]
    return rests[0] == rests[1] != {""}


def _told_apart(cut: Sequence[list[str]], marks: Sequence[int], level: int) -> list[list[str]]:
    """The paths with what names of this level say besides splits behind it, if that is a class: cat_train, dog_test."""
    rests = [_wordless(parts[level]) if mark >= 0 else "" for parts, mark in zip(cut, marks, strict=True)]
    trained = {rest for rest, mark in zip(rests, marks, strict=True) if mark == TRAIN}
    held_out = {rest for rest, mark in zip(rests, marks, strict=True) if mark > TRAIN}
    if len(held_out) < 2 or not held_out <= trained or "" in trained:
        return list(cut)
    return [[*parts[: level + 1], rest, *parts[level + 1 :]] for parts, rest in zip(cut, rests, strict=True)]


def _wordless(name: str) -> str:
    """A name without its words of splits: cat of cat_train."""
    for word in words_in(name):
        name = name.replace(word, "", 1) if by_word(word) >= 0 else name
    return name.strip(" _-.")


def _unrepeated(cut: Sequence[list[str]], marks: Sequence[int], level: int) -> list[str]:
    """The paths without this level, and without those below that say the same again: training_set/training_set/cat."""
    end, said = level + 1, set(marks) - {NEITHER}
    while True:
        below = {(mark, parts[end] if end < len(parts) else "") for parts, mark in zip(cut, marks, strict=True)}
        below = {(mark, name) for mark, name in below if mark != NEITHER}
        if len(below) != len(said) or any(by_word(name) != mark for mark, name in below):
            break
        end += 1
    return ["/".join(parts[:level] + parts[end:]) for parts in cut]


def _all_marked(names: Iterable[tuple[int, str]]) -> list[int]:
    """The marks of all names; empty as soon as one has none."""
    marks = []
    for _, name in names:
        if (mark := by_word(name)) < 0:
            return []
        marks.append(mark)
    return marks
