"""The page in a real browser: what a reader clicks, types and sees; and what must hold of its text without one."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from chromium import Chromium, Tab
from command import Command
from command import sslgraph as sslgraph

from sslgraph.page import family, page
from sslgraph.page.family import distance
from sslgraph.page.shown import folds
from sslgraph.pipelines.commands.texts.page import _keys, shown
from sslgraph.read import catalogue
from sslgraph.read.load import load_method

METHODS = ("byol", "simsiam", "simclr", "moco_v1", "moco_v2", "context_encoder")
EVIL = "</script><script>window.evil=1</script><img src=x onerror=evil=2>"
OWN = f"""\
# {EVIL} "quoted" & more
method: '{EVIL}'
family: '<b>own</b>'
views:
  x1: {{augment: simclr, size: 32}}
  x2: {{augment: simclr, size: 32}}
nets:
  f: {{use: backbones.resnet, depth: 10, width: 8, stem: cifar}}
flow:
  z1: f(x1)
  z2: stopgrad(f(x2))
losses:
  near: {{use: losses.negative_cosine, of: [z1, z2]}}
export: f
"""
READY = (
    "for (let i = 0; i < 900 && !document.documentElement.dataset.ready; i++) await new Promise(r => setTimeout(r, 50))"
)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of six shipped methods and one that tries to break out of its text."""
    folder = tmp_path_factory.mktemp("page")
    own = folder / "own.yaml"
    own.write_text(OWN, encoding="utf-8")
    methods = [shown(name, name) for name in METHODS] + [shown(str(own), "own")]
    (folder / "index.html").write_text(page(methods), encoding="utf-8")
    return folder / "index.html"


@pytest.fixture
def opened(chromium: Chromium, html: Path) -> Callable[..., Any]:
    """Opens the page at an address; at the end nothing was asked for and nothing stands in the console."""

    @contextmanager
    def at(address: str, **window: Any) -> Iterator[Tab]:
        with chromium.open(html, **window) as tab:
            tab.run(f"{READY}; location.hash = {json.dumps(address)}; await settle();")
            yield tab
            assert tab.run("return window.evil ?? null") is None
            assert tab.console == [] and tab.requests == []

    return at


def test_a_click_tells_all_of_a_box_and_its_lines_of_the_spec(opened: Any) -> None:
    with opened("#byol") as tab:
        tab.run("$('[data-id=ft_x2]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        said = tab.run("return $('#inspector').innerText")
        for words in ("encoder ft", "slow copy", "23,508,032", "B×2048", "depth", "follows encoder f"):
            assert words in said
        picked = tab.run("return $$('#spec .pick').map(line => line.textContent.trim())")
        assert [line.split(":")[0] for line in picked] == ["ft", "t2"]
        tab.run("$('[data-id=p1]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        assert "trained by one: q ← one" in tab.run("return $('#inspector').innerText")


def test_lines_that_a_method_extends_stand_in_the_other_file(opened: Any) -> None:
    with opened("#moco_v1") as tab:
        tab.run("$('.box.memory').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        assert tab.run("return $('#spec-name').textContent") == "moco_v2.yaml"
        assert "queue" in tab.run("return $('#spec .pick').textContent")


def test_hovering_lights_what_feeds_a_box_and_nothing_else(opened: Any) -> None:
    with opened("#byol") as tab:
        tab.run("$('[data-id=t2]').dispatchEvent(new MouseEvent('mouseenter'))")
        lit = set(tab.run("return $$('#picture .box.on').map(box => box.dataset.id)"))
        assert {"t2", "ft_x2", "x2", "image", "g_f_x1"} <= lit and not {"one", "p1"} & lit
        tab.run("$('[data-id=t2]').dispatchEvent(new MouseEvent('mouseleave'))")
        assert tab.run("return $$('#picture .on').length") == 0


def test_branches_fold_calls_unfold_and_gradients_overlay(opened: Any) -> None:
    with opened("#byol") as tab:
        count = "return $$('#picture .box').length"
        before = tab.run(count)
        tab.run("$$('#folds button').forEach((_, i) => $$('#folds button')[i].click())")
        assert tab.run(count) == before - 3
        assert tab.run("return decodeURIComponent(location.hash)") == "#byol/paper/p1,t2"
        tab.run("$('.box.fold').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        assert "predictor q" in tab.run("return $('#inspector').innerText")
        tab.run("press('f', document.body); press('e', document.body)")
        assert tab.run(count) > before
        plain = tab.run("return $('#picture svg').outerHTML.length")
        tab.run("press('g', document.body)")
        assert tab.run("return $('#picture svg').outerHTML.length") != plain
        assert tab.run("return $('#gradients').getAttribute('aria-pressed')") == "true"


def test_any_two_are_compared_in_words_and_in_one_picture(opened: Any) -> None:
    with opened("#compare/byol/simsiam") as tab:
        assert tab.run("return $('#difference svg').getAttribute('aria-label')") == (
            "SimSiam is BYOL without the momentum encoder."
        )
        count = "s => $$(`#difference .edge.${s}, #difference .box.${s}`).length"
        signs = tab.run(f"return ['added', 'removed', 'changed'].map({count})")
        assert signs[0] == 2 and signs[1] == 2 and signs[2] >= 6
        assert "the other view runs through the same f and g" in tab.run("return $('#words').innerText")
        tab.run("$('#swap').click()")
        assert "with a momentum encoder" in tab.run("return $('#difference svg').getAttribute('aria-label')")
        tab.run("$('#one').value = 'simclr'; $('#one').dispatchEvent(new Event('change'))")
        assert tab.run("return location.hash") == "#compare/simclr/byol"
        tab.run("$('#other').value = 'simclr'; $('#other').dispatchEvent(new Event('change'))")
        assert "one and the same" in tab.run("return $('#words').innerText")


def test_the_family_tree_leads_to_methods(opened: Any) -> None:
    with opened("#family", height=400) as tab:
        assert tab.run("return scrollY") == 0, "an address is no anchor"
        tab.run("$('#tree [data-id=simsiam]').dispatchEvent(new MouseEvent('mouseenter'))")
        assert tab.run("return $('#kin').innerText").splitlines()[0] == "SimSiam: BYOL − momentum encoder"
        assert tab.run("return $$('#tree .branch.on').length") >= 1
        tab.run("$('#tree [data-id=simsiam]').dispatchEvent(new MouseEvent('click'))")
        assert tab.run("return [location.hash, $('#name').textContent]") == ["#simsiam", "SimSiam"]


def test_the_keyboard_alone_is_enough(opened: Any) -> None:
    with opened("#byol") as tab:
        tab.key("/")
        assert tab.run("return document.activeElement.id") == "search"
        for letter in "moco":
            tab.key(letter)
        assert tab.run("return $$('#list [role=option]').map(o => o.firstChild.textContent)") == ["MoCo v1", "MoCo v2"]
        tab.key("ArrowDown")
        tab.key("ArrowDown")
        assert tab.run("return $('#name').textContent") == "MoCo v2"
        tab.key("Escape")
        assert tab.run("return [$('#search').value, $$('#list [role=option]').length]") == ["", len(METHODS) + 1]
        tab.run("$('#picture .box.image').focus()")
        for _ in range(3):
            tab.key("ArrowRight")
        tab.key("Enter")
        assert "encoder f" in tab.run("return $('#inspector').innerText")
        assert "encoder" in tab.run("return document.activeElement.getAttribute('aria-label')")
        tab.key("Escape")
        assert tab.run("return $('#inspector h2').textContent") == "MoCo v2"


def test_tab_walks_through_everything_in_the_order_of_reading(opened: Any) -> None:
    with opened("#byol") as tab:
        seen = []
        for _ in range(100):
            tab.key("Tab")
            place = (
                "const e = document.activeElement; return e.id || e.dataset.id || e.closest('[id]')?.id || e.className"
            )
            seen.append(tab.run(place))
        wanted = [
            "tab-methods",
            "theme",
            "search",
            "list",
            "calls",
            "gradients",
            "folds",
            "save",
            "image",
            "one",
            "spec",
        ]
        # Some versions of Chromium begin at the fragment's method and come to the page's head on the second round.
        seen = seen[seen.index(wanted[0]) :]
        assert [seen.index(name) for name in wanted] == sorted(seen.index(name) for name in wanted)


def test_everything_that_a_method_says_is_searched(opened: Any) -> None:
    names = "return $$('#list [role=option]').map(o => o.firstChild.textContent)"
    with opened("#byol") as tab:
        for words, found in (
            ("queue", ["MoCo v1", "MoCo v2"]),
            ("ema_of", ["MoCo v1", "MoCo v2", "BYOL"]),
            ("predictor cosine", ["BYOL", "SimSiam"]),
            ("bootstrap your", ["BYOL"]),
            ("nt_xent", ["SimCLR"]),
        ):
            tab.run(f"$('#search').value = {json.dumps(words)}; $('#search').dispatchEvent(new Event('input'))")
            assert set(tab.run(names)) == set(found), words
        assert tab.run("return $('#count').textContent") == f"1 of {len(METHODS) + 1}"
        assert "nt_xent" in tab.run("return $('#list .why').textContent")
        tab.run("$('#search').value = ''; $('#search').dispatchEvent(new Event('input'))")
        press = "$$('#facets button').find(b => b.textContent === {}).click()"
        tab.run(press.format("'EMA'"))
        assert set(tab.run(names)) == {"MoCo v1", "MoCo v2", "BYOL"}
        tab.run(press.format("'queue'"))
        assert set(tab.run(names)) == {"MoCo v1", "MoCo v2"}


def test_a_search_shows_its_first_match_on_a_small_screen(opened: Any) -> None:
    with opened("#byol", width=390, height=844) as tab:
        tab.run("$$('#list [role=option]').at(-1).click()")
        assert tab.run("return $('#list').scrollTop") > 0, "the list stands at the chosen method, its last"
        tab.run("$('#search').value = 'e'; $('#search').dispatchEvent(new Event('input'))")
        assert tab.run("return [$('#list').scrollTop, $('#list').scrollHeight > $('#list').clientHeight]") == [0, True]


@pytest.mark.parametrize("width", [400, 1366, 1600])
def test_a_picture_zooms_and_moves_and_is_saved_as_it_is_seen(opened: Any, width: int) -> None:
    seen = "return $('#picture svg').getAttribute('viewBox').split(' ').map(Number)"
    with opened("#moco_v2", width=width) as tab:
        whole = tab.run(seen)
        assert tab.run("return document.documentElement.scrollWidth") == width
        assert tab.run("return [$('#out').disabled, $('#fit').disabled]") == [width == 1600] * 2
        tab.key("+")
        tab.run("$('#in').click()")
        near = tab.run(seen)
        assert near[2] == pytest.approx(whole[2] / 1.96, rel=1e-3) and near[0] > 0
        assert near[2] / near[3] == pytest.approx(whole[2] / whole[3], rel=1e-3)
        tab.run(
            "const r = $('#picture svg').getBoundingClientRect(), at = (type, dx) => $('#picture svg').dispatchEvent("
            "new PointerEvent(type, {bubbles: true, pointerId: 1, clientX: r.left + 90 - dx, clientY: r.top + 20}));"
            "at('pointerdown', 0); at('pointermove', 40); at('pointerup', 40)"
        )
        moved = tab.run(seen)
        assert moved[0] > near[0] and moved[2] == near[2]
        tab.run(
            "$('#picture svg').dispatchEvent(new WheelEvent('wheel', {bubbles: true, cancelable: true, ctrlKey: true,"
            "deltaY: -200, clientX: 150, clientY: 300}))"
        )
        assert tab.run(seen)[2] < moved[2]
        tab.run(
            "window.saved = null; URL.createObjectURL = (b) => { b.text().then((t) => window.saved = t); return '' }"
        )
        tab.run("HTMLAnchorElement.prototype.click = () => 0; $('#save').click(); await settle(); await settle()")
        saved = tab.run("return window.saved")
        assert tab.run("return $('#picture svg').getAttribute('viewBox')") in saved and "var(" not in saved
        tab.key("0")
        assert tab.run(seen) == whole


@pytest.mark.parametrize(("width", "name", "is_cut"), [(1366, "context_encoder", True), (1366, "simsiam", False)])
def test_a_picture_is_whole_or_as_large_as_it_can_be_read_and_fit_shows_all_of_it(
    opened: Any, width: int, name: str, is_cut: bool
) -> None:
    sizes = "return [$('#picture').scrollWidth, $('#picture').clientWidth, $('#picture svg').getAttribute('width') * 1]"
    with opened(f"#{name}", width=width) as tab:
        seen, pane, natural = tab.run(sizes)
        assert natural > pane, "the pane is narrow"
        assert seen == (pytest.approx(0.78 * natural, abs=1) if is_cut else pane)
        tab.run("$('#fit').click()")
        assert tab.run(sizes)[0] == pane
        assert tab.run("return [$('#out').disabled, $('#fit').disabled]") == [True, True]
        tab.key("+")
        assert (tab.run(sizes)[0] > pane) is is_cut, "the first step back is to where it can be read"
        tab.key("-")
        assert tab.run(sizes)[0] == pane


def test_the_page_brings_the_letters_that_its_pictures_are_laid_out_for(opened: Any) -> None:
    with opened("#byol") as tab:
        assert tab.run("await document.fonts.ready; return document.fonts.size") == 3
        assert tab.run("return [...document.fonts].map(face => face.status)") == ["loaded"] * 3
        fits = tab.run(
            "const box = $('[data-id=g_f_x1]'), room = box.querySelector('rect, path').getBoundingClientRect();"
            "return [...box.querySelectorAll('text')].every(t => t.getBoundingClientRect().width < room.width - 4)"
        )
        assert fits


def test_back_leads_to_the_method_before(opened: Any) -> None:
    at = "return [location.hash, $('#name').textContent]"
    wait = "await new Promise(r => setTimeout(r, 100));"
    with opened("#byol") as tab:
        tab.run("$('#option-simclr').click(); $('#gradients').click(); $('#option-simsiam').click()")
        tab.run("$('#tab-family').click(); $('#tree [data-id=moco_v1]').dispatchEvent(new MouseEvent('click'))")
        assert tab.run(at) == ["#moco_v1", "MoCo v1"]
        tab.run(f"history.back(); {wait}")
        assert tab.run("return location.hash") == "#family"
        tab.run(f"history.back(); {wait}")
        assert tab.run(at) == ["#simsiam", "SimSiam"]
        tab.run(f"history.back(); {wait}")
        assert tab.run(at) == ["#simclr", "SimCLR"]
        tab.run(f"history.forward(); {wait}")
        assert tab.run(at) == ["#simsiam", "SimSiam"]


def test_light_and_dark_follow_the_system_and_the_button(opened: Any) -> None:
    ground = "return getComputedStyle($('#picture svg rect')).fill"
    with opened("#byol", dark=True) as tab:
        assert tab.run(ground) == "rgb(17, 23, 29)"
        tab.run("$('#theme').click()")
        assert tab.run(ground) == "rgb(255, 255, 255)"
    with opened("#byol") as tab:
        assert tab.run(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("address", ["#byol", "#byol/every-call", "#compare/simclr/moco_v2", "#family", "#own"])
def test_at_360_pixels_nothing_hangs_over_the_side(opened: Any, address: str) -> None:
    with opened(address, width=360, height=740) as tab:
        assert tab.run("return [document.documentElement.scrollWidth, innerWidth]") == [360, 360]


def test_what_a_spec_says_stays_text(opened: Any) -> None:
    with opened("#own") as tab:
        assert tab.run("return $('#name').textContent") == EVIL
        assert "<b>own</b>" in tab.run("return $('#inspector').innerText")
        assert EVIL in tab.run("return $('#spec').textContent")
        assert tab.run("return $$('#panel-methods img, #list b, #inspector b, #spec script').length") == 0
        tab.run("location.hash = '#compare/byol/own'; await settle()")
        assert EVIL in tab.run("return $('#difference svg').getAttribute('aria-label')")
        tab.run("location.hash = '#family'; await settle()")
        assert tab.run("return document.images.length") == 0


def test_pictures_are_said_to_those_who_can_not_see_them(opened: Any) -> None:
    with opened("#byol") as tab:
        named = "e => e.ariaLabel || e.textContent.trim() || e.labels?.length"
        unnamed = f"return $$('button, input, select, .box, [role=option]').filter(e => !({named})(e)).length"
        assert tab.run(unnamed) == 0
        label = tab.run("return $('[data-id=ft_x2]').getAttribute('aria-label')")
        assert label.startswith("encoder ft") and "no gradient" in label
        assert tab.run("return $('#inspector').getAttribute('aria-live')") == "polite"


def test_it_is_printed_light_and_without_its_tools(opened: Any, tmp_path: Path) -> None:
    with opened("#byol", dark=True) as tab:
        tab.ask("Emulation.setEmulatedMedia", media="print")
        assert tab.run(
            "return [getComputedStyle($('header')).display, getComputedStyle($('#picture svg rect')).fill]"
        ) == [
            "none",
            "rgb(255, 255, 255)",
        ]
        assert tab.print(tmp_path / "page.pdf").stat().st_size > 10_000


# --- without a browser ------------------------------------------------------------------------------------------------


def unpacked(html: Path) -> dict[str, Any]:
    found = re.search(r'id="data">([^<]*)<', html.read_text(encoding="utf-8"))
    assert found
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


def test_the_page_asks_for_nothing_and_holds_no_text_of_a_spec_as_markup(html: Path) -> None:
    text = html.read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=\"?https?:|@import|url\(\s*['\"]?http", text)
    assert "<script>window.evil" not in text and "<img" not in text  # names stand escaped, all else is packed
    assert len(text) < 1_500_000


def test_every_state_is_drawn_and_every_pair_is_told(html: Path) -> None:
    data = unpacked(html)
    byol = next(method for method in data["methods"] if method["key"] == "byol")
    states = {name for name in byol["pictures"] if not name.endswith("gradients")}
    assert states == {"paper", "paper/p1", "paper/t2", "paper/p1,t2", "every-call"}
    assert len(data["pairs"]) == 7 * 6 and all(pair["svg"] and pair["headline"] for pair in data["pairs"].values())
    for method in data["methods"]:
        for state, text in method["pictures"].items():
            drawn = set(re.findall(r'data-id="([^"]+)"', text))
            assert drawn <= set(method["boxes"]["every-call" if state.startswith("every") else "paper"])


def test_a_file_is_named_in_addresses_by_letters_that_need_no_escape() -> None:
    names = ["byol", 'a/my "own" <b>.yaml', "b/byol.yaml", "b/my-own-b-.yaml", "cifar10/simclr"]
    assert _keys(names) == ["byol", "my-own-b-", "byol-2", "my-own-b--2", "cifar10-simclr"]


@pytest.mark.slow
def test_all_shipped_methods_and_one_of_the_user_stay_under_four_megabytes(sslgraph: Command, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN, encoding="utf-8")
    said = sslgraph("page", str(own), "-o", str(tmp_path / "out" / "page"))
    file = tmp_path / "out" / "page" / "index.html"
    assert said.code == 0 and str(file) in said.out
    assert file.stat().st_size < 4_000_000
    assert len(unpacked(file)["methods"]) == len(catalogue.names("methods")) + 1


def test_branches_fold_one_by_one_up_to_three() -> None:
    assert folds(("a", "b")) == [(), ("a",), ("b",), ("a", "b")]
    assert folds(("a", "b", "c", "d")) == [(), ("a", "b", "c", "d")]


def test_the_family_follows_from_specs_and_years_in_whatever_order_they_come() -> None:
    methods = [shown(name, name) for name in ("moco_v2", "simsiam", "byol", "simclr", "moco_v1", "rotation", "jigsaw")]
    children = family(methods)
    assert children == family(methods[::-1])
    found = {child.key: (child.parent, child.words) for child in children}
    assert found["moco_v1"] == (None, ())
    assert found["simclr"] == ("moco_v1", ("− momentum encoder", "≠ negative pairs from the batch"))
    assert found["simsiam"] == ("byol", ("− momentum encoder",))
    assert found["rotation"] == ("jigsaw", ("≠ pretext task rotations",))
    assert found["moco_v2"][0] == "moco_v1"


def test_a_method_is_at_no_distance_from_itself_but_for_what_they_share() -> None:
    from sslgraph.diff import account

    byol, simsiam = shown("byol", "byol").method, shown("simsiam", "simsiam").method
    assert distance(account(byol, byol)) < 0 < distance(account(byol, simsiam)) + 3


# What the papers themselves say that they build on; several where a paper names several.
LINEAGE = {
    "exemplar_whole": "exemplar",
    "jigsaw": "relative_patch",
    "color_proxy": "hypercolumns colorization",
    "split_brain": "colorization",
    "instdisc": "exemplar exemplar_whole",
    "instdisc_nce": "instdisc",
    "cpc": "instdisc_nce",
    "cpc_v2": "cpc",
    "sela": "deepcluster",
    "moco_v1": "instdisc_nce",
    "pirl": "instdisc_nce jigsaw moco_v1",
    "simclr": "instdisc_nce moco_v1 pirl cpc_v2",
    "moco_v2": "moco_v1",
    "simclr_v2": "simclr",
    "infomin": "moco_v2",
    "pcl": "moco_v2 moco_v1",
    "un_mix": "moco_v2",
    "byol": "moco_v1 moco_v2 simclr",
    "deepcluster_v2": "deepcluster",
    "swav": "deepcluster_v2 sela simclr",
    "densecl": "moco_v2",
    "pixcontrast": "moco_v2 byol",
    "pixpro": "byol pixcontrast",
    "simsiam": "byol",
    "scrl": "byol",
    "barlow_twins": "simclr byol simsiam",
    "vicreg": "barlow_twins",
    "moco_v3": "moco_v2",
    "nnclr": "simclr",
    "dcl": "simclr",
    "ressl": "moco_v2",
    "dino": "byol swav moco_v2",
    "ibot": "dino",
    "msn": "dino",
    "dinov2": "ibot dino",
    "dinov3": "dinov2",
    "mae": "context_encoder beit selfie",
    "simmim": "mae beit",
    "data2vec": "byol dino",
    "ijepa": "data2vec mae",
}


@pytest.mark.slow
def test_the_tree_says_what_the_papers_say_that_they_build_on() -> None:
    methods = []
    for name in catalogue.names("methods"):
        spec = load_method(name).spec
        assert spec.paper is not None
        order = (spec.paper.year, spec.paper.arxiv, name)
        methods.append(SimpleNamespace(key=name, method=spec, order=order, figure=SimpleNamespace(plugins=())))
    found = {child.key: child.parent for child in family(methods)}  # type: ignore[arg-type]
    wrong = {key: found[key] for key, parents in LINEAGE.items() if found[key] not in parents.split()}
    assert wrong == {}
    roots = {key for key, parent in found.items() if parent is None}
    assert {"exemplar", "relative_patch", "counting", "deepcluster", "dvae", "context_encoder"} <= roots
