"""The book as one page, before it is printed, and the reading of page numbers."""

import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.browser import launched, needs_browser

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import pdf  # noqa: E402

TOC = {
    "root": "book/intro",
    "parts": [
        {"caption": "Chapters", "chapters": [{"file": "notebooks/01_one"}]},
        {"caption": "Teaching", "chapters": [
            {"file": "book/plans", "sections": [{"file": "book/teaching/01_one"}]}]},
        {"caption": "Reference", "chapters": [
            {"file": "book/api", "sections": [{"file": "book/api/one"}]}, {"file": "genindex"}]},
    ],
}  # fmt: skip
CONFIG = {"title": "A title & more", "author": "Somebody"}
PAGES = {
    "book/intro": """<section id="a"><h1>A title</h1>
        <a href="../notebooks/01_one.html#task">first</a> <a href="../slides/a.html">slides</a>
        <a href="https://example.org">out</a> <a href="api/one.html#f">docs</a></section>""",
    "notebooks/01_one": """<section id="one"><h1><span class="section-number">1. </span>One</h1>
        <section id="task"><h2><span class="section-number">1.1. </span>Task</h2>
        <a href="#one">up</a> <a href="../book/intro.html">home</a>
        <details class="hide"><summary>Show</summary>folded</details>
        <img src="../_images/x.png" loading="lazy">
        <section class="netdist-figure" id="netdist-room-0"><input id="i"></section>
        <svg><g id="s"></g></svg>
        <div class="exercise admonition" id="ex"><p class="admonition-title">Exercise 1.1</p></div>
        <div class="solution dropdown admonition" id="notebooks/01_one-solution-1">
        <p class="admonition-title">Solution to<a href="#ex"> Exercise 1.1 (Why)</a></p>
        <p>Because.</p></div></section></section>""",
    "book/plans": "<section id='p'><h1>Plans</h1></section>",
    "book/teaching/01_one": "<section id='one'><h1>Teaching</h1><h2>Ninety</h2></section>",
}


def read(name):
    """A page as Sphinx builds it."""
    head = (
        '<link rel="stylesheet" href="../_static/print.css?v=1"><nav><a href="x.html">x</a></nav>'
    )
    return f"{head}<article class='bd-article'>{PAGES[name]}</article>"


@pytest.fixture(scope="module")
def book():
    return BeautifulSoup(pdf.assemble(read, TOC, CONFIG), "html.parser")


def test_pages_stand_in_the_order_of_the_contents_without_sources(book):
    found = [article["id"] for article in book.select("article")]
    assert found == [
        "book-intro", "notebooks-01_one", "book-plans", "book-teaching-01_one", "solutions",
    ]  # fmt: skip
    assert book.select_one(".book-title h1").string == "A title & more"
    assert "Somebody" in book.select_one(".book-title").get_text()
    assert book.select_one("link[rel=stylesheet]")["href"] == "../html/_static/print.css?v=1"


def test_ids_are_unique_and_every_link_inside_has_its_place(book):
    ids = [node["id"] for node in book.select("[id]")]
    assert len(ids) == len(set(ids))
    assert {"netdist-room-0", "i", "s"} <= set(ids)  # scripts and drawings know these
    links = [link["href"] for link in book.select("a[href]")]
    assert {link[1:] for link in links if link[0] == "#"} <= set(ids)
    assert [link for link in links if link[0] != "#"] == ["https://example.org"]
    assert "slides" in book.get_text() and "docs" in book.get_text()  # as words


def test_contents_name_parts_pages_and_sections_of_chapters(book):
    lines = [p.get_text() for p in book.select(".book-contents p")]
    assert lines == [
        "A title", "Chapters", "1. One", "1.1. Task", "Teaching", "Plans", "Teaching", "Solutions",
    ]  # fmt: skip
    ids = {node["id"] for node in book.select("[id]")}
    assert {span["data-page"] for span in book.select("[data-page]")} <= ids


def test_solutions_stand_at_the_end_and_are_linked_both_ways(book):
    chapter, last = book.find(id="notebooks-01_one"), book.find(id="solutions")
    assert "Because" not in chapter.get_text() and "Because" in last.get_text()
    there = chapter.select_one(".to-solution a")["href"][1:]
    answer = last.find(id=there)
    assert answer.h3.get_text() == "Exercise 1.1 (Why)"
    assert answer.h3.a["href"] == "#" + chapter.select_one(".exercise")["id"]
    assert last.h2.get_text() == "1. One"


def test_what_paper_cannot_do_is_left_out(book):
    assert "folded" not in book.get_text()
    picture = book.select_one("img")
    assert "loading" not in picture.attrs
    assert picture["src"] == "../html/notebooks/../_images/x.png"


def test_each_page_has_its_title_above(book):
    style = book.select("style")[0].get_text()
    for k, article in enumerate(book.select("article")):
        assert article["style"] == f"page: chapter{k}"
        assert f"@page chapter{k} " in style
    assert '"1. One"' in style


@pytest.mark.parametrize(
    ("page", "link", "led"),
    [
        ("book/a", "b.html#c", ("book/b", "c")),
        ("book/a", "#c", ("book/a", "c")),
        ("book/teaching/a", "../../notebooks/b.html", ("notebooks/b", "")),
        ("genindex", "book/a.html", ("book/a", "")),
        ("book/a", "mailto:somebody@example.org", None),
    ],
)
def test_links_lead_where_the_site_leads(page, link, led):
    assert pdf.target(page, link) == led


@needs_browser
def test_page_numbers_are_those_of_the_printed_pages(tmp_path):
    """A page of known breaks: Chromium's numbers are read, and written into the contents."""
    source, out = tmp_path / "book.html", tmp_path / "book.pdf"
    source.write_text(
        "<meta charset='utf-8'><style>h1 { break-before: page }</style>"
        "<script>window.MathJax = {startup: {promise: Promise.resolve()}}</script>"
        "<p><a href='#a-b'>a<span data-page='a-b'></span></a>"
        "<a href='#c'>c<span data-page='c'></span></a></p>"
        "<h1 id='a-b'>A</h1><h1>B</h1><h1 id='c'>C</h1>"
    )
    with launched() as browser:
        assert pdf.write_pdf(source, out, browser) == 4
    assert pdf.places(out.read_bytes()) == {"a-b": 2, "c": 4}


def test_without_a_book_or_a_browser_the_tool_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pdf.py", "--site", str(tmp_path)])
    with pytest.raises(SystemExit, match="make book"):
        pdf.main()
    assert "playwright install chromium" in pdf.NO_BROWSER
