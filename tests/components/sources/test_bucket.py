"""Data sets at addresses: read as the same folder is, indexed once, patient with faults that pass."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from object_storage import Storage
from tars import numbered, png, shard

from sslgraph.components.sources.image_folder import ImageFolder
from sslgraph.components.sources.stores.bucket import Bucket
from sslgraph.components.sources.stores.opening import store_at
from sslgraph.components.sources.stores.wildcards import expanded
from sslgraph.components.sources.webdataset import WebDataset
from sslgraph.errors import SslgraphError, StorageError


@pytest.fixture
def shards(storage: Storage) -> Path:
    """Thirty samples in two train shards and a test shard."""
    folder = storage.root / "b" / "set"
    shard(folder / "train-000.tar", numbered(0, 10)), shard(folder / "train-001.tar", numbered(10, 10))
    shard(folder / "test-000.tar", numbered(20, 10))
    (folder / "classes.txt").write_text("ant\nbee\ncat\n")
    return folder


def values(source: WebDataset | ImageFolder, *indices: int) -> list[int]:
    return [int(image.float().mean()) for image in source.read(torch.tensor(indices))[0]]


@pytest.mark.parametrize("form", ["s3", "http"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_shards_at_an_address_are_what_they_are_in_a_folder(
    storage: Storage, shards: Path, form: str, split: str
) -> None:
    web = f"{storage.address}/b/set/{{train-{{000..001}},test-000}}.tar"
    there = WebDataset(path="s3://b/set" if form == "s3" else web, split=split, memory=0)
    here = WebDataset(path=str(shards), split=split, memory=0)
    everyone = torch.randperm(len(here))
    for one, other in zip(there.read(everyone)[0], here.read(everyone)[0], strict=True):
        assert torch.equal(one, other)
    assert there.labels is not None and here.labels is not None and torch.equal(there.labels, here.labels)
    assert (there.shards, there.classes if form == "s3" else here.classes) == (here.shards, here.classes)


@pytest.mark.usefixtures("shards")
def test_a_resume_reads_no_header_again_and_an_image_is_one_request(storage: Storage) -> None:
    WebDataset(path="s3://b/set", memory=0)
    storage.requests.clear()
    source = WebDataset(path="s3://b/set", memory=0)
    assert storage.asked("GET", ".tar") == 0
    source.read(torch.arange(20))
    storage.requests.clear()
    source.read(torch.arange(20))
    assert (storage.asked("GET", ".tar"), storage.asked("HEAD")) == (20, 0)


def test_a_shard_that_changed_is_indexed_anew_and_the_others_are_not(storage: Storage, shards: Path) -> None:
    assert len(WebDataset(path="s3://b/set")) == 20
    shard(shards / "train-001.tar", numbered(40, 3))
    storage.requests.clear()
    changed = WebDataset(path="s3://b/set", memory=0)
    assert len(changed) == 13 and values(changed, 10, 12) == [40, 42]
    assert storage.asked("GET", "train-001.tar") > 0 and storage.asked("GET", "train-000.tar") == 0


def test_a_damaged_index_is_made_anew(shards: Path, tmp_path: Path) -> None:
    WebDataset(path=str(shards))
    kept = sorted((tmp_path / "cache" / "index").rglob("*.npz"))
    assert len(kept) == 3 and not list((tmp_path / "cache").rglob("*.tmp"))
    kept[0].write_bytes(kept[0].read_bytes()[:100]), kept[1].write_bytes(b"")
    assert values(WebDataset(path=str(shards), memory=0), 3, 13) == [3, 13]


def test_a_cache_that_can_not_be_written_costs_nothing_but_time(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SSLGRAPH_CACHE", str(tmp_path / "file"))
    assert len(WebDataset(path=str(shards))) == 20


def test_folders_of_images_are_read_with_their_classes(storage: Storage) -> None:
    for i, name in enumerate(("ant/a.png", "ant/b.png", "bee/deep/c.png", ".hidden.png")):
        (file := storage.root / "b" / "train" / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(i))
    source = ImageFolder(path="s3://b", memory=0)
    assert source.files == ["train/ant/a.png", "train/ant/b.png", "train/bee/deep/c.png"]
    assert source.classes == ("ant", "bee") and source.labels is not None and source.labels.tolist() == [0, 0, 1]
    assert values(source, 2, 0) == [2, 0]


@pytest.mark.usefixtures("shards")
def test_faults_that_pass_are_waited_for_and_no_image_is_called_broken(storage: Storage) -> None:
    source = WebDataset(path="s3://b/set", memory=0, reads=1)
    storage.failing = 4  # pyarrow's own client tries three times before ours does again
    assert values(source, 5) == [5] and source.broken == {} and storage.failing == 0


@pytest.mark.usefixtures("shards")
def test_storage_that_is_away_is_one_sentence_and_no_broken_image(storage: Storage) -> None:
    source = WebDataset(path=f"{storage.address}/b/set/train-000.tar", memory=0)
    storage.failing = 10_000
    with pytest.raises(
        StorageError, match=r"reading train-000\.tar failed 3 times in \d+ s \(.*\); see that the storage"
    ):
        source.read(torch.tensor([5]))
    assert source.broken == {}


@pytest.mark.parametrize(
    ("form", "cure"), [("s3://b/set", "AWS_ACCESS_KEY_ID and AWS_SECRET"), ("{web}/b/set/train-000.tar", "~/.netrc")]
)
def test_a_refusal_is_not_tried_again(storage: Storage, form: str, cure: str) -> None:
    storage.refuses = True
    with pytest.raises(StorageError, match=rf"was refused \(.*\); credentials are taken from {cure}"):
        WebDataset(path=form.format(web=storage.address)).read(torch.tensor([0]))
    assert len(storage.requests) <= 3


def test_an_object_that_is_gone_is_one_broken_image(storage: Storage) -> None:
    for i in range(3):
        (storage.root / "b" / f"{i}.png").write_bytes(png(i))
    source = ImageFolder(path="s3://b", memory=0)
    (storage.root / "b" / "1.png").unlink()
    assert values(source, 1) == [2] and source.broken[1].startswith("s3://b/1.png: ")


def test_a_shard_that_shrinks_under_a_run_ends_it(storage: Storage) -> None:
    file = shard(storage.root / "b" / "a.tar", numbered(0, 4))
    source = WebDataset(path=f"{storage.address}/b/a.tar", memory=0, reads=1)
    file.write_bytes(file.read_bytes()[:520])
    with pytest.raises(StorageError, match=r"b/a\.tar: 8 bytes came where \d+ were asked for; it was changed"):
        source.read(torch.tensor([0]))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("s3://KEY:SECRET@b/set", r"s3://b/\.\.\.: an address with a password or a signature would be written"),
        ("https://me:pass@host/a.tar", r"https://host/\.\.\.: an address with a password"),
        ("https://host/a.tar?X-Amz-Signature=abc", r"https://host/\.\.\.: an address with a password"),
        ("s3://b/set?secret_key=abc", r"s3://b/\.\.\.: an address with a password"),
        ("s3://b/{0..9999999}.tar", r"stands for more than 1,000,000 files; name the folder, or fewer"),
        ("s3://b/" + "{a,b}" * 40, r"stands for more than 1,000,000 files"),
        ("s3://b/set?wrong=1", "can't be read as an address: Unexpected query parameter"),
        ("nothing://b/set", "nothing:// can't be read"),
    ],
)
def test_addresses_that_hold_secrets_or_make_no_sense_are_refused(path: str, message: str) -> None:
    with pytest.raises(SslgraphError, match=message) as told:
        store_at(path)
    assert not any(secret in str(told.value) for secret in ("SECRET", "pass@", "abc"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("s3://b/nowhere", r"s3://b/nowhere holds no \.tar files; give the folder"),
        ("s3://b/nowhere/{0..3}.tar", r"there is no 0\.tar; see which files there are"),
        ("{web}/b/", r"nothing can be listed there; name the files, as in train-\{000\.\.146\}\.tar"),
    ],
)
def test_what_is_not_there_is_said(storage: Storage, path: str, message: str) -> None:
    with pytest.raises(SslgraphError, match=message):
        WebDataset(path=path.replace("{web}", storage.address))


def test_braces_stand_for_numbers_and_for_lists() -> None:
    assert expanded("a-{08..11}.tar") == ["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]
    assert expanded("{a,b{1..2}}/x") == ["a/x", "b1/x", "b2/x"] and expanded("plain") == ["plain"]


@pytest.mark.usefixtures("shards")
def test_what_lies_in_a_bucket_is_seen_without_listing_it_all() -> None:
    assert {"set/", "set/train-000.tar"} <= set(Bucket("s3://b", reads=2).top())
    assert WebDataset.recognizes("s3://b") and WebDataset.recognizes("s3://b/set/train-000.tar")
    assert not WebDataset.recognizes("s3://b/set/classes.txt")
