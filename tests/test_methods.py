"""The shipped methods: each says what it is and what is known of it, is short, and is wired without fault."""

import re
import time

import pytest

from sslgraph.read import catalogue
from sslgraph.read.load import load_augmentation, load_method
from sslgraph.wire.wire import wire

NAMES = catalogue.names("methods")


@pytest.mark.parametrize("name", NAMES)
def test_a_method_opens_with_what_it_is_its_commands_and_its_numbers(name: str) -> None:
    lines = catalogue.file_of("methods", name).read_text(encoding="utf-8").splitlines()
    head = "\n".join(line for line in lines if line.startswith("#"))
    assert re.match(r"# .+: .+[.?] arXiv:\d{4}\.\d{4,5}", lines[0])
    assert re.search(rf"sslgraph train {name} +\(demo recipe\) +sslgraph train cifar10/{name} --data PATH", head)
    assert "# Claimed: " in head
    assert "Measured: " in head
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_wired_without_fault_and_its_augmentations_are_there(name: str) -> None:
    loaded = load_method(name)
    assert wire(loaded.spec, loaded.place).training.losses
    for view in loaded.spec.views.values():
        load_augmentation(view.augment)


def test_a_method_is_read_in_well_under_a_tenth_of_a_second() -> None:
    for name in NAMES:
        start = time.process_time()
        load_method(name)
        assert time.process_time() - start < 0.1


def test_a_child_differs_from_its_parent_in_what_it_says_only() -> None:
    one, every = load_method("rotation_one").spec, load_method("rotation").spec
    assert one.ops["turn"].settings == {"variant": "one"}
    assert one.model_copy(update={"method": every.method, "ops": every.ops}) == every


def test_a_patch_is_written_once_in_mae() -> None:
    method = load_method("mae", overrides={"nets.enc.patch": 4}).spec
    assert method.ops["mask"].settings["patch"] == 4
    assert method.ops["patches"].settings["size"] == 4
    assert method.nets["dec"].settings["patch"] == 4
