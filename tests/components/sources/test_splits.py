"""One rule for splits and classes, whatever holds the images."""

from __future__ import annotations

import pytest

from sslgraph.components.sources.names.splits import NEITHER, TEST, TRAIN, VAL, by_name, by_word, classes_of, division


@pytest.mark.parametrize(
    ("name", "whole", "word"),
    [
        ("train", TRAIN, TRAIN),
        ("Training", TRAIN, TRAIN),
        ("VALID", VAL, VAL),
        ("validation", VAL, VAL),
        ("dev", VAL, VAL),
        ("Testing", TEST, TEST),
        ("eval", VAL, VAL),
        ("holdout", VAL, VAL),
        ("cifar10-train.parquet", NEITHER, TRAIN),
        ("val2017", NEITHER, VAL),
        ("TestSet", NEITHER, TEST),
        ("test-00000-of-00001.parquet", NEITHER, TEST),
        ("trainer", NEITHER, NEITHER),
        ("latest.tar", NEITHER, NEITHER),
        ("развитие", NEITHER, NEITHER),
    ],
)
def test_a_split_is_a_whole_name_or_a_word_of_one(name: str, whole: int, word: int) -> None:
    assert (by_name(name), by_word(name)) == (whole, word)


@pytest.mark.parametrize(
    ("folders", "splits", "rests"),
    [
        (["train/cat", "valid/cat"], [TRAIN, VAL], ["cat", "cat"]),
        (["Data/CLS-LOC/train/n01", "Data/CLS-LOC/val"], [TRAIN, VAL], ["Data/CLS-LOC/n01", "Data/CLS-LOC"]),
        (["cat/train", "cat/test"], [TRAIN, TEST], ["cat", "cat"]),
        (["train/train", "test/train"], [TRAIN, TEST], ["train", "train"]),  # a class that is called train
        (["bus", "train", "car"], [TRAIN] * 3, ["bus", "train", "car"]),
        (["a-train.tar", "a-val.tar", "a-more.tar"], [TRAIN, VAL, NEITHER], ["", "", ""]),
        (["plain_text/train/0.parquet", "plain_text/test/0.parquet"], [TRAIN, TEST], ["plain_text/0.parquet"] * 2),
        (["all.tar/x/Train/a", "all.tar/x/Val/b"], [TRAIN, VAL], ["all.tar/x/a", "all.tar/x/b"]),
        (["images/train2017", "images/val2017"], [TRAIN, VAL], ["images", "images"]),
        (["bullet train", "test tube", "cat"], [TRAIN] * 3, ["bullet train", "test tube", "cat"]),
        (["a/train/x", "test/y"], [TRAIN, TEST], ["a/x", "y"]),
        (["Ant_train", "Bee_train", "Ant_test", "Bee_test"], [TRAIN, TRAIN, TEST, TEST], ["Ant", "Bee"] * 2),
        (["trainA", "trainB", "testA", "testB"], [TRAIN, TRAIN, TEST, TEST], ["A", "B"] * 2),  # of CycleGAN
        (["box_train", "box_test", "query"], [TRAIN, TEST, NEITHER], ["", "", ""]),  # of Market-1501
        (["train_a1", "train_b2", "test_c3"], [TRAIN, TRAIN, TEST], ["", "", ""]),
    ],
)
def test_the_first_level_that_holds_both_kinds_divides(folders: list[str], splits: list[int], rests: list[str]) -> None:
    found = division(folders)
    assert (found.splits, found.rests) == (splits, rests)


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        (["2021/05", "2021/06", "2022/01"], []),
        (["2021-05-30 Lake", "2021-06-02"], []),
        (["2021/05/ant", "2021/06/bee"], ["ant", "bee"]),
        (["2021", "ant"], ["2021", "ant"]),
        (["05", "06"], ["05", "06"]),  # digits
    ],
)
def test_dates_are_no_classes_of_photographs(folders: list[str], named: list[str]) -> None:
    assert classes_of(folders, [TRAIN] * len(folders))[1] == tuple(named)


def test_file_names_divide_only_if_each_has_a_word() -> None:
    names = ["train_1.png", "train_2.png", "test_1.png"]
    assert division([""], names).splits == [TRAIN, TRAIN, TEST]
    assert division([""], [*names, "cat.png"]).how == ""


@pytest.mark.parametrize(
    ("rests", "splits", "classes", "all_of_them"),
    [
        (["cat", "dog/deep", ""], [TRAIN] * 3, ["cat", "dog", ""], ("cat", "dog")),
        (["photos/cat", "photos/dog"], [TRAIN] * 2, ["cat", "dog"], ("cat", "dog")),
        (["a.tar/cat", "b.tar/dog"], [TRAIN] * 2, ["cat", "dog"], ("cat", "dog")),
        (["photos"], [TRAIN], [""], ()),
        (["n1/images", "n2/images", "images"], [TRAIN, TRAIN, VAL], ["n1", "n2", ""], ("n1", "n2")),
        (["cat", "dog", "dog"], [TRAIN, TRAIN, TEST], ["cat", "dog", "dog"], ("cat", "dog")),
        (["cat", "Dog", "Cat", "dog"], [TRAIN, TRAIN, TEST, TEST], ["cat", "Dog", "cat", "Dog"], ("Dog", "cat")),
        (["Cat", "cat", "CAT"], [TRAIN, TRAIN, TEST], ["Cat", "cat", ""], ("Cat", "cat")),
        (["caf\u00e9", "tea", "cafe\u0301"], [TRAIN, TRAIN, TEST], ["café", "tea", "café"], ("café", "tea")),
        (["fold1/cat", "fold2/dog", "fold2/cat"], [TRAIN] * 3, ["cat", "dog", "cat"], ("cat", "dog")),
        (["NIH_images_001", "NIH_images_002"], [TRAIN] * 2, ["", ""], ()),
        (["100CANON", "101CANON"], [TRAIN] * 2, ["", ""], ()),
        (["train1/a", "train2/b"], [TRAIN] * 2, ["a", "b"], ("a", "b")),
        (["a/abbey", "a/alley", "b/bar"], [TRAIN] * 3, ["abbey", "alley", "bar"], ("abbey", "alley", "bar")),
        (["a/abbey", "b/cat"], [TRAIN] * 2, ["a", "b"], ("a", "b")),
        (["a", "b"], [TRAIN] * 2, ["a", "b"], ("a", "b")),
        (["scaffold1", "scaffold2"], [TRAIN] * 2, ["scaffold1", "scaffold2"], ("scaffold1", "scaffold2")),
    ],
)
def test_classes_are_the_level_at_which_folders_part(
    rests: list[str], splits: list[int], classes: list[str], all_of_them: tuple[str, ...]
) -> None:
    assert classes_of(rests, splits)[:2] == (classes, all_of_them)


@pytest.mark.parametrize(
    ("folders", "rests"),
    [
        (["training_set/training_set/cat", "test_set/test_set/dog"], ["cat", "dog"]),
        (["a/train/train/cat", "a/val/val/dog"], ["a/cat", "a/dog"]),
        (["train/trainers", "train/boots", "test/trainers"], ["trainers", "boots", "trainers"]),
        (["train/train/cat", "test/cat"], ["train/cat", "cat"]),  # only where all of them say it again
    ],
)
def test_folders_that_say_their_split_again_are_no_classes(folders: list[str], rests: list[str]) -> None:
    assert division(folders).rests == rests


def test_splits_without_one_to_train_on_are_no_classes() -> None:
    assert division(["val/cat", "test/cat"]).splits == [VAL, TEST] and division(["val/cat", "dog"]).how == ""
