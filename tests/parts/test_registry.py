"""The folder is the registry: signatures are read as text, settings checked against them, plugins need leave."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from toys import PLUGINS

from sslgraph.errors import SslgraphError
from sslgraph.parts import registry
from sslgraph.parts.registry import signature
from sslgraph.parts.signature import REQUIRED, Port

MODULE = '''
from typing import Literal, NamedTuple

class Out(NamedTuple):
    tokens: Float[Tensor, "batch tokens dim"]
    mask: Bool[Tensor, "batch tokens"]

@component(source="somewhere, equation 3", detached=("teacher",))
class Whole(nn.Module):
    """What it means."""
    def __init__(self, *, rate: Scalar = 0.5, size: int, kind: Literal["a", "b"] = "a", dim: int | None = None) -> None:
        ...
    def forward(
        self, one: Float[Tensor, "views batch dim"], teacher: Float[Tensor, "batch dim"] | None = None, *, draw: Draw
    ) -> Out: ...
    @writes
    def push(self, rows: Float[Tensor, "batch dim"]) -> None: ...
    def reset(self) -> None: ...

class Helper: ...
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_part.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_part:Whole"


def test_a_signature_is_read_from_the_text_and_nothing_is_imported(plugin: str) -> None:
    found = signature(plugin, ("own_part",))
    assert found.doc == "What it means."
    assert found.traits.source == "somewhere, equation 3" and found.traits.detached == ("teacher",)
    assert {s.name: (s.annotation, s.default) for s in found.settings.values()} == {
        "rate": ("Scalar", 0.5),
        "size": ("int", REQUIRED),
        "kind": ("Literal['a', 'b']", "a"),
        "dim": ("int | None", None),
    }
    assert list(found.writes) == ["push"] and str(found.writes["push"]["rows"]) == "Float[batch dim]"
    assert "own_part" not in sys.modules


def test_a_setting_whose_words_have_a_name_in_the_module_lists_the_words() -> None:
    assert signature("losses.swav").settings["pairs"].annotation == "Literal['different_views', 'same_view', 'all']"


def test_ports_carry_the_axes_of_their_annotation(plugin: str) -> None:
    found = signature(plugin, ("own_part",))
    assert list(found.inputs) == ["one", "teacher", "draw"] and list(found.ports) == ["one", "teacher"]
    one, teacher = found.ports.values()
    assert one.axes == ("views", "batch", "dim") and one.is_bag and not one.optional
    assert teacher.axes == ("batch", "dim") and not teacher.is_bag and teacher.optional
    assert [port.name for port in found.outputs] == ["tokens", "mask"] and found.has_fields
    assert [port.is_integer for port in found.outputs] == [False, True]


def test_a_single_output_has_no_name() -> None:
    found = signature("parts:Dense", PLUGINS)
    assert found.outputs == (Port("", "Float[Tensor, 'batch out']"),) and not found.has_fields
    assert signature("parts:Seen", PLUGINS).outputs == ()


def test_every_shipped_name_is_the_path_of_its_file() -> None:
    names = registry.catalogue()
    assert "wiring.l2" in names and list(names) == sorted(names)
    assert all(signature(name).module == f"sslgraph.components.{name}" for name in names)


def test_a_file_without_a_marked_class_is_a_helper() -> None:
    assert "augment.planes" not in registry.catalogue("augment")


def test_an_unknown_part_is_refused_with_the_nearest_name_and_its_family() -> None:
    with pytest.raises(
        SslgraphError,
        match=r"there is no part 'losses.nt_xnt'\n  there are: losses\..*\n  did you mean 'losses.nt_xent'\?",
    ):
        signature("losses.nt_xnt")
    with pytest.raises(
        SslgraphError, match=r"there is no part 'zzz.qqq'\n  own parts are written my_package.my_module:MyPart"
    ):
        signature("zzz.qqq")


@pytest.mark.parametrize(
    "use", ["", ".", "..", "../sslgraph/spec", "losses", "losses.nt_xent.deep", "losses/nt_xent", "a:b:c", "\0"]
)
def test_a_name_never_leads_out_of_the_catalogue(use: str) -> None:
    with pytest.raises(SslgraphError):
        signature(use)


def test_code_from_elsewhere_needs_permission() -> None:
    with pytest.raises(
        SslgraphError,
        match=r"'parts:Dense' is code from outside the catalogue.*\n.*allow it with --plugin parts; that is remembered",
    ):
        signature("parts:Dense")
    with pytest.raises(SslgraphError, match="code from outside"):
        signature("partsy:Dense", PLUGINS)
    with pytest.raises(SslgraphError, match=r"there is no module 'parts\.nothing'\n  it is looked for in "):
        signature("parts.nothing:Dense", PLUGINS)


def test_a_class_that_a_plugin_lacks_is_refused_with_those_it_has() -> None:
    told = r"parts has no class 'Dens'\n  there are: Bag, Dense, Eye, .*\n  did you mean 'Dense'\?"
    with pytest.raises(SslgraphError, match=told):
        signature("parts:Dens", PLUGINS)


def test_a_plugin_that_fails_while_it_is_imported_is_shown_as_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_part.py").write_text("import no_such_library\nclass Part: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        SslgraphError,
        match=r"the plugin broken_part \(.*broken_part.py\) failed while it was imported: "
        "ModuleNotFoundError: No module named 'no_such_library'",
    ):
        registry.load_class("broken_part:Part", ("broken_part",))


def test_a_plugin_that_is_no_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_part.py").write_text("class Part(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SslgraphError, match=r"half_part.py, which 'half_part:Part' names, can't be read: "):
        signature("half_part:Part", ("half_part",))


def test_a_built_part_has_the_settings_it_was_given() -> None:
    assert registry.build("parts:Dense", {"out": 3, "dim": 5}, PLUGINS).weight.shape == (3, 5)
    assert registry.build("parts:Square", {"temperature": {"linear": [0.5, 0.1]}}, PLUGINS).temperature == 0.5
    with pytest.raises(SslgraphError, match="has no setting 'outt'"):
        registry.build("parts:Dense", {"outt": 3}, PLUGINS)


def test_a_name_of_other_libraries_leads_to_the_part_that_tells_of_it() -> None:
    assert registry.about("SupCon") == registry.about("supervised") == ("losses.nt_xent",)
    assert registry.meant("hungarian") == "assignments.permutation may be what you mean"
    assert registry.meant("sum") == "wiring.add or wiring.dot may be what you mean"
    for word, part in {
        "subtract": "wiring.add",
        "matmul": "wiring.similarity",
        "kl": "losses.soft_cross_entropy",
    }.items():
        assert registry.meant(word).startswith(part)
    assert registry.meant("of") == registry.meant("k") == registry.meant("nothing like it") == ""
    with pytest.raises(
        SslgraphError, match=r"'losses.supcon'\n.*\n  losses.nt_xent may be what you mean; own parts are"
    ):
        registry.signature("losses.supcon")
