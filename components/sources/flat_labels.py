"""Labels of held-out images that lie in one folder, while those of training lie in folders of classes.

ImageNet and Tiny ImageNet are so: a text beside the images says the class of each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch

from .arranging import Arranged
from .skipped import Skipped
from .splits import NEITHER, SPLITS, TEST, TRAIN, VAL, by_word
from .store import File, Store

TEXTS = (".txt", ".csv", ".tsv")
LARGEST = 2**26  # bytes of such a text: that of ImageNet has three million
ENOUGH = 0.9  # of the images that a text must name
LISTS = (*TEXTS, ".lst", ".json", ".jsonl")
TRIED, HEAD, HITS, LONG = 8, 2**16, 3, 5  # texts that are looked into, bytes of each, names that tell, their letters
BETWEEN = re.compile(r"[\s,;]+")


def with_flat_labels(
    found: Arranged, images: Sequence[File], others: Sequence[File], store: Store, skipped: Skipped
) -> Arranged:
    """The same with the labels that a text among `others` says of a split that has none; it is counted in `skipped`."""
    if found.labels is None:
        return found
    labels, used = found.labels.clone(), set[str]()
    for split in (VAL, TEST):
        its = np.flatnonzero(found.splits == split)
        has_labels = len(its) and bool((labels[torch.from_numpy(its)] >= 0).any())
        if not len(its) or has_labels or not (found.splits == TRAIN).any():
            continue
        stems = [_stem(images[i].name) for i in its.tolist()]
        for text in others:
            if not text.name.lower().endswith(TEXTS) or text.size > LARGEST or text.name in used:
                continue
            if any(by_word(part) not in (NEITHER, split) for part in text.name.split("/")):
                continue  # it is of another split, whose images may have the same names
            said = _said(store, text, found.classes)
            if sum(stem in said for stem in stems) >= ENOUGH * len(stems):
                labels[torch.from_numpy(its)] = torch.tensor([said.get(stem, -1) for stem in stems])
                used.add(text.name)
                skipped.note(f"text with labels of {SPLITS[split]}", "used", text.name)
                break
    return replace(found, labels=labels)


def naming(images: Sequence[File], others: Sequence[File], store: Store) -> set[str]:
    """The texts among `others` that name these images, perhaps with their labels; the upper ones are looked into."""
    texts = sorted((one for one in others if one.name.lower().endswith(LISTS)), key=lambda one: one.name.count("/"))
    if not texts:
        return set()
    names = {image.name.rpartition("/")[2] for image in images}
    names |= {stem for stem in map(_stem, names) if len(stem) >= LONG}
    found = set()
    for text in texts[:TRIED]:
        with suppress(OSError):
            words = re.split(r"[\s,;|\"']+", store.read(text.name, 0, HEAD).decode("utf-8", "surrogateescape"))
            if len({word.rpartition("/")[2] for word in words} & names) >= min(HITS, len(images)):
                found.add(text.name)
    return found


def _said(store: Store, text: File, classes: Sequence[str]) -> dict[str, int]:
    """The class of each name: the first word of a line is the name, and the next that is a class its class."""
    number = {name: i for i, name in enumerate(classes)}
    found: dict[str, int] = {}
    with suppress(OSError):
        for line in store.read(text.name).decode("utf-8", "surrogateescape").splitlines():
            name, *words = BETWEEN.split(line.strip())
            word = next((word for word in words if word in number), None)
            if word is not None:
                found[_stem(name)] = number[word]
    return found


def _stem(name: str) -> str:
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0] or last
