"""The built pages on paper, whatever the reader's theme: nothing of the screen, nothing cut."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from netdist_utils import plotting
from tests.browser import launched, needs_browser

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
CHAPTERS = sorted(SITE.glob("notebooks/*.html"))
PAGES = [*CHAPTERS, *sorted(SITE.glob("book/*.html")), *sorted(SITE.glob("book/teaching/*.html"))]
WIDTH = 658  # of a line on A4, in pixels of 1/96 inch

pytestmark = [
    needs_browser,
    pytest.mark.skipif(not PAGES, reason="the book is not built here: run `make book`"),
]
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
of_chapters = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)

OUTSIDE = """() => {
  const shown = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const script = parent.matches("script, style, noscript");
    if (script || !walker.currentNode.data.trim() || parent.closest("article")) continue;
    if (parent.checkVisibility()) shown.add(walker.currentNode.data.trim().slice(0, 60));
  }
  return [...shown];
}"""
PALE = """() => {
  const pale = new Set();
  const article = document.querySelector("article");
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !parent.checkVisibility()) continue;
    if (parent.closest("svg, noscript, script, style")) continue;
    const colour = getComputedStyle(parent).color;
    const rgb = (colour.match(/[\\d.]+/g) ?? [0, 0, 0]).map(Number);
    if (0.3 * rgb[0] + 0.6 * rgb[1] + 0.1 * rgb[2] > 130)
      pale.add(colour + ": " + walker.currentNode.data.trim().slice(0, 40));
  }
  return [getComputedStyle(document.body).backgroundColor, [...pale]];
}"""
INKS = "(all) => all.map((e) => getComputedStyle(e).getPropertyValue('--nd-ink').trim())"
WIDE = """(width) => [...document.querySelectorAll("article *")]
  .filter((e) => e.checkVisibility() && !e.parentElement.closest("svg"))
  .filter((e) => !e.closest("mjx-assistive-mml, .spoken, .visually-hidden"))
  .filter((e) => e.getBoundingClientRect().right > width + 1)
  .map((e) => `${e.tagName} ${e.className}: ${e.textContent.slice(0, 40)}`)"""
CUT = """() => [...document.querySelectorAll("article :is(pre, table, div, figure)")]
  .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
  .filter((e) => /auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX))
  .map((e) => `${e.tagName} ${e.className}`)"""


@contextmanager
def on_paper(file):
    """A page as it is printed from the dark theme."""
    with launched() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": 970}, color_scheme="dark")
        page.emulate_media(media="print")
        page.goto(file.as_uri())
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        page.evaluate("window.MathJax?.startup?.promise.then(() => true)")
        page.wait_for_timeout(100)  # figures that follow the width
        yield page


@each
def test_paper_is_black_on_white_without_chrome_and_nothing_is_cut(page):
    with on_paper(page) as opened:
        assert opened.evaluate(OUTSIDE) == []
        background, pale = opened.evaluate(PALE)
        assert background == "rgb(255, 255, 255)" and pale == []
        inks = opened.locator(".drawing, .netdist-figure").evaluate_all(INKS)
        assert set(inks) <= {plotting.COLORS["ink"]}
        assert opened.evaluate(WIDE, WIDTH) == []
        assert opened.evaluate(CUT) == []
        assert (
            opened.locator(".headerlink:visible, .copybtn:visible, summary:visible").count() == 0
        )
        assert opened.locator("article h1:visible").count() == 1


@of_chapters
def test_paper_shows_exercises_and_no_answer(page):
    """Neither a solution nor a quiz's feedback, also where the reader has opened them."""
    with on_paper(page) as opened:
        opened.evaluate("document.querySelectorAll('.toggle-button').forEach((b) => b.click())")
        opened.evaluate(
            "document.querySelectorAll('.netdist-quiz input').forEach((i) => i.click())"
        )
        assert opened.locator(".exercise:visible").count() >= 6
        assert opened.locator(".solution").count() >= 6
        assert opened.locator(".solution:visible, .netdist-quiz p:visible").count() == 0
        said = "getComputedStyle(s.parentElement, '::after').content"
        first = opened.locator(".solution").first
        assert "at the end of the book's PDF" in first.evaluate(f"s => {said}")


@of_chapters
def test_folded_code_is_not_printed_and_open_code_wraps(page):
    with on_paper(page) as opened:
        assert opened.locator("details.hide").count() > 0
        assert opened.locator("details.hide:visible").count() == 0
        shown = opened.locator("div.cell_input pre:visible")
        assert shown.count() > 0
        assert shown.first.evaluate("p => getComputedStyle(p).whiteSpace") == "pre-wrap"


def test_what_a_script_paints_is_light_on_paper():
    """A canvas keeps the colours it was drawn with: printing turns the theme, and back again."""
    with on_paper(CHAPTERS[0]) as opened:
        theme = "document.documentElement.dataset.theme"
        opened.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert opened.evaluate(theme) == "light"
        opened.evaluate("dispatchEvent(new Event('afterprint'))")
        assert opened.evaluate(theme) == "dark"
