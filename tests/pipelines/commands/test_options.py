"""What follows --set on a command line is a path, an equals sign and a value of YAML."""

import pytest

from sslgraph.errors import SslgraphError
from sslgraph.pipelines.commands.options import overrides


def test_a_setting_is_read_as_a_path_and_a_value() -> None:
    assert overrides(["nets.f.depth=18", "a.b={cosine: [1e-1, 0]}", "x=a=b", " y = "]) == {
        "nets.f.depth": 18,
        "a.b": {"cosine": [0.1, 0]},
        "x": "a=b",
        "y": None,
    }


@pytest.mark.parametrize("text", ["depth", "=3", " = 3"])
def test_a_setting_without_a_path_or_a_value_is_refused(text: str) -> None:
    with pytest.raises(SslgraphError, match="write a path, an equals sign and a value"):
        overrides([text])
