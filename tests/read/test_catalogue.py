"""The catalogue: what specs are shipped, under which names."""

from pathlib import Path

import pytest
from texts import put, shelf_of_specs  # noqa: F401 - the fixture shelf

from sslgraph.errors import Place, SpecError
from sslgraph.read import catalogue
from sslgraph.read.located import written


@pytest.mark.usefixtures("shelf")
def test_names_are_paths_below_the_folder_of_their_kind() -> None:
    assert catalogue.names("methods") == ("moco", "program")
    assert catalogue.names("recipes") == ("small/moco",)
    assert catalogue.names("pipelines") == ()


def test_a_base_makes_a_data_set_on_which_every_method_has_a_recipe(shelf: Path) -> None:
    put(shelf, "recipes/photos/base", "recipe: photos")
    put(shelf, "recipes/default", "recipe: default")
    assert catalogue.datasets() == ("photos",)
    assert catalogue.names("recipes") == ("photos/moco", "photos/program", "small/moco")
    assert catalogue.with_files("recipes") == ("default", "photos/base", "small/moco")
    assert (catalogue.base_of("photos/moco"), catalogue.base_of("small/moco")) == ("photos/base", None)
    assert catalogue.file_of("recipes", "photos/moco") == shelf / "recipes/photos/base.yaml"


@pytest.mark.usefixtures("shelf")
def test_an_entry_says_what_its_first_line_says() -> None:
    moco, program = catalogue.entries("methods")
    assert (moco.name, moco.line) == ("moco", "MoCo: a query against one key and a queue.")
    assert program.line == "method: Program"


def test_text_that_ends_in_yaml_is_a_file_and_all_other_text_a_name(shelf: Path) -> None:
    assert catalogue.file_of("methods", "mine.yaml") == Path("mine.yaml")
    assert catalogue.file_of("methods", Path("mine")) == Path("mine")
    assert catalogue.file_of("methods", "moco") == shelf / "methods/moco.yaml"
    with pytest.raises(SpecError, match=r"there is no method '\.\./methods/moco'"):
        catalogue.file_of("methods", "../methods/moco")


def test_a_file_that_a_text_names_lies_beside_that_text(shelf: Path) -> None:
    file, _ = put(shelf, "own/a", "extends: b.yaml"), put(shelf, "own/b", "method: B")
    value = written("b.yaml", Place(str(file), 1, 10))
    assert catalogue.file_of("methods", "b.yaml", value=value) == shelf / "own/b.yaml"
