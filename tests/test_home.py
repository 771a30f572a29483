"""Where things lie."""

from sslgraph.home import COMPONENTS, SPECS


def test_the_catalogue_and_the_specs_are_there() -> None:
    assert (COMPONENTS / "losses").is_dir()
    assert (SPECS / "methods").is_dir()
