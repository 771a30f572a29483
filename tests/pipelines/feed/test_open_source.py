"""Own sources are divided and cut by the rules of all sources, trained on and evaluated, or refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from command import Command
from command import sslgraph as sslgraph
from tiny_recipe import RECIPE
from torch import Tensor

from sslgraph import draws
from sslgraph.errors import SslgraphError
from sslgraph.pipelines.feed.open_source import Rows, open_source

SOURCES = '''
import numpy as np
import torch
from PIL import Image


class Mine:
    """Image i is all i."""

    def __init__(self, count: int = 40) -> None:
        self.labels = torch.arange(count) % 4
        self.classes = ("a", "b", "c", "d")
        self.broken = {}
        self.size = (8, 8)

    def __len__(self):
        return len(self.labels)

    def read(self, indices):
        bad = indices == 5
        if bad.any():
            self.broken[5] = "torn"
        indices = torch.where(bad, indices + 1, indices)
        return indices.to(torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8), indices


class Divided(Mine):
    def __init__(self, split: str, limit: int | None = None) -> None:
        super().__init__(limit or 30 if split == "train" else 20)
        self.split = split


class Unlabelled(Mine):
    labels = property(lambda self: None, lambda self, value: setattr(self, "count", len(value)))

    def __len__(self):
        return self.count


class Lacking:
    def read(self, indices): ...

    def __len__(self):
        return 3


class Nothing: ...


class Data(torch.utils.data.Dataset):
    def __init__(self, form: str = "PIL") -> None:
        self.form, self.targets = form, [0, 1] * 10

    def __len__(self):
        return 20

    def __getitem__(self, i):
        array = np.full((8, 8, 3), i, dtype=np.uint8)
        array[..., 2] = 255
        tensor = torch.from_numpy(array).permute(2, 0, 1)
        forms = {"PIL": Image.fromarray(array), "numpy": array, "uint8": tensor, "float": tensor / 255, "text": "x"}
        return forms[self.form], self.targets[i]
'''
USED = "my_sources"


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{USED}.py").write_text(SOURCES.lstrip())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, USED, raising=False)


def opened(name: str, **settings: object) -> Rows:
    return open_source(f"{USED}:{name}", settings, (USED,))  # type: ignore[return-value]


def test_a_tenth_of_each_class_is_held_out_of_a_source_without_splits() -> None:
    train, test = opened("Mine", split="train"), opened("Mine", split="test")
    assert (len(train), len(test)) == (36, 4) and test.labels is not None
    assert test.labels.tolist() != [] and torch.equal(test.rows, draws.each_nth(40, 10, torch.arange(40) % 4))
    assert sorted([*train.rows.tolist(), *test.rows.tolist()]) == list(range(40))
    images, found = test.read(torch.tensor([2]))
    assert found.tolist() == [2] and int(images[0][0, 0, 0]) == int(test.rows[2])  # image i is all i
    assert torch.equal(test.labels, test.rows % 4)


def test_a_limit_takes_each_class_equally_and_an_own_limit_is_asked_itself() -> None:
    few = opened("Mine", split="train", limit=8)
    assert few.labels is not None and few.labels.bincount().tolist() == [2, 2, 2, 2]
    assert set(few.rows.tolist()) <= set(opened("Mine", split="train").rows.tolist())
    assert len(opened("Divided", split="train", limit=12)) == 12 and len(opened("Divided", split="test")) == 20


def test_a_broken_image_is_replaced_by_none_that_is_held_out() -> None:
    rows = torch.tensor([4, 5, 8])  # 6, which the source gives instead of 5, is not among them
    whole = opened("Mine", split="train").whole_source
    images, found = Rows(whole, rows).read(torch.tensor([0, 1, 2]))
    assert found.tolist() == [0, 2, 2] and [int(image[0, 0, 0]) for image in images] == [4, 8, 8]
    assert whole.broken == {5: "torn"}


@pytest.mark.parametrize("form", ["PIL", "numpy", "uint8", "float"])
def test_a_data_set_of_torch_is_read_in_each_form(form: str) -> None:
    source = opened("Data", form=form, split="train")
    assert source.labels is not None and len(source) == 18 and source.classes == ("0", "1")
    images, found = source.read(torch.tensor([3]))
    image: Tensor = images[0]
    assert image.shape == (3, 8, 8) and image.dtype == torch.uint8 and found.tolist() == [3]
    assert image[:, 0, 0].tolist() == [int(source.rows[3]), int(source.rows[3]), 255]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Lacking", "the source 'my_sources:Lacking' has no labels, classes, broken, size; sslgraph new part sources/"),
        ("Nothing", "'my_sources:Nothing' is no source of images: it has neither read nor __getitem__"),
    ],
)
def test_what_is_no_source_is_refused(name: str, message: str) -> None:
    with pytest.raises(SslgraphError, match=re.escape(message)):
        opened(name, split="train")


def test_an_item_that_is_no_image_is_refused_with_what_it_may_be() -> None:
    with pytest.raises(SslgraphError, match="gives a str, and no image: give a PIL image"):
        opened("Data", form="text", split="train").read(torch.tensor([0]))
    with pytest.raises(SslgraphError, match="5 images are too few to hold a tenth"):
        opened("Mine", count=5, split="test")


@pytest.mark.parametrize("name", ["Mine", "Divided", "Unlabelled", "Data"])
def test_it_is_checked_trained_and_evaluated(name: str, sslgraph: Command) -> None:
    data = f'data: {{use: "{USED}:{name}"}}\nevaluate: {{knn: {{every: 2 steps, k: 3, bank: 20, queries: 10}}}}'
    Path("own.yaml").write_text(re.sub(r"data: .*", data, RECIPE).lstrip())
    assert sslgraph("check", "own.yaml", "--fast").code == 1  # not allowed yet
    assert sslgraph("check", "own.yaml", "--fast", "--plugin", USED).code == 0
    said = sslgraph("train", "own.yaml", "--out", "run")
    assert said.code == 0, said.err
    said = sslgraph("evaluate", "run", "--protocol", "health" if name == "Unlabelled" else "knn3")
    assert said.code == 0, said.err


def test_a_data_set_of_torchvision_is_trained_on(sslgraph: Command) -> None:
    pytest.importorskip("torchvision")
    data = 'data: {use: "torchvision.datasets:FakeData", size: 30, image_size: [3, 12, 12], num_classes: 2}'
    Path("own.yaml").write_text(re.sub(r"data: .*", data, RECIPE).lstrip())
    said = sslgraph("train", "own.yaml", "--out", "run", "--plugin", "torchvision.datasets")
    assert said.code == 0 and "27 images, " in said.out, said.err
