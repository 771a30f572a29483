"""The page in a real browser: nothing is complained about, nothing is asked for, and it fits a telephone and paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from chromium import Chromium

from sslgraph.pipelines.look.report import write_report

LOOK = """
$$("details").forEach(part => part.open = true);
await settle();
const free = e => !e.parentElement.closest(".scroll, pre, svg");
return {
  wide: document.documentElement.scrollWidth,
  out: $$("body *").filter(e => free(e) && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML),
  broken: [...document.images].filter(i => !i.naturalWidth).map(i => i.alt),
  images: document.images.length,
  ground: getComputedStyle(document.body).backgroundColor,
  shown: $$(".method > div").map(e => getComputedStyle(e).display),
  small: Math.min(...$$("svg.chart text").map(e => e.getBoundingClientRect().height)),
};
"""


@pytest.fixture(scope="module")
def page(the_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report([the_run], tmp_path_factory.mktemp("page") / "report.html", most=40)


@pytest.mark.parametrize(
    ("dark", "ground", "shown"),
    [(True, "rgb(18, 24, 30)", ["none", "block"]), (False, "rgb(255, 255, 255)", ["block", "none"])],
)
def test_it_fits_a_telephone_in_both_themes_and_asks_for_nothing(
    chromium: Chromium, page: Path, dark: bool, ground: str, shown: list[str]
) -> None:
    with chromium.open(page, width=360, height=700, dark=dark) as tab:
        seen = tab.run(LOOK)
        assert (tab.console, tab.requests) == ([], [])
    assert (seen["wide"], seen["out"], seen["broken"]) == (360, [], [])
    assert seen["images"] == 94 and seen["small"] > 9
    assert (seen["ground"], seen["shown"]) == (ground, shown)


def test_parts_fold_and_are_reached_by_the_keyboard(chromium: Chromium, page: Path) -> None:
    with chromium.open(page) as tab:
        tab.key("Tab")
        assert tab.run("return document.activeElement.innerText") == "What ran, where and when"
        assert tab.run("return $('.facts').getBoundingClientRect().height") > 20
        tab.key("Enter")
        assert tab.run("return $('details').open") is False


def test_a_script_that_got_into_the_page_would_not_run(chromium: Chromium, page: Path, tmp_path: Path) -> None:
    evil = "<script>document.body.id = 'ran'</script><img src='https://example.org/x.png'></main>"
    (tmp_path / "evil.html").write_text(page.read_text().replace("</main>", evil))
    with chromium.open(tmp_path / "evil.html") as tab:
        assert tab.run("return document.body.id") == ""
        assert len([line for line in tab.console if "Content Security Policy" in line]) == 2


def test_on_paper_all_of_it_is_there(chromium: Chromium, page: Path, tmp_path: Path) -> None:
    with chromium.open(page, dark=True) as tab:
        pdf = tab.print(tmp_path / "page.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 40
