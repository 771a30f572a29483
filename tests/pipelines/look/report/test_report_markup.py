"""Whatever is put into the page is text, unless it was made as markup here."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from sslgraph.pipelines.look.report.markup import Markup, details, element, join, table


def test_text_and_attributes_are_escaped_and_markup_is_not() -> None:
    assert element("p", "a < b & c") == "<p>a &lt; b &amp; c</p>"
    assert element("p", Markup("<b>x</b>"), None, ["y", 3]) == "<p><b>x</b>y3</p>"
    assert element("img", alt='"quoted" <x>', class_="a", aria_label=None, hidden=True, open=False) == (
        '<img alt="&quot;quoted&quot; &lt;x&gt;" class="a" hidden>'
    )


def test_a_table_has_headings_of_columns_and_rows() -> None:
    text = table(["", "kNN"], [["trained", "44 %"]])
    assert '<th scope="col">kNN</th>' in text and '<th scope="row">trained</th><td>44 %</td>' in text


def test_a_part_that_folds_is_closed_unless_it_is_said() -> None:
    assert details("more", "text").startswith("<details><summary>more</summary>")
    assert details("more", "text", is_open=True).startswith("<details open>")


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.alt: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.alt = dict(attrs).get("title", self.alt)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"])))
def test_any_text_comes_back_as_it_was_and_makes_no_element(text: str) -> None:
    read = _Read()
    read.feed(element("p", text, title=text))
    read.close()
    assert (read.tags, read.text, read.alt) == (["p"], text, text)


def test_children_that_are_empty_leave_nothing() -> None:
    assert join([None, "", []]) == ""
