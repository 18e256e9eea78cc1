"""The built site's own look: the landing page, cards of chapters, nothing white in the dark."""

import re
from pathlib import Path

import pytest

from tests.browser import needs_browser, open_site

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
LANDING = SITE / "book" / "intro.html"
CHAPTERS = sorted(SITE.glob("notebooks/*.html"))
TALL = 1000

pytestmark = pytest.mark.skipif(not CHAPTERS, reason="the book is not built here: run `make book`")

# Elements of the page proper that paint a light ground of their own, 40 by 40 pixels or more.
SLABS = """() => {
  const light = text => { const c = text.match(/[\\d.]+/g).map(Number);
    const luminance = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    return (c.length < 4 || c[3] > 0.5) && luminance > 128; };
  return [...document.querySelectorAll(".bd-main *")].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 40 && box.height > 40 && light(getComputedStyle(e).backgroundColor);
  }).map(e => e.outerHTML.slice(0, 120)); }"""
# Buttons that look as the browser draws them: the theme and the book style all of theirs.
PLAIN = """() => [...document.querySelectorAll("button, select, input[type=submit]")].filter(e => {
    const s = getComputedStyle(e);
    return e.checkVisibility() && (s.backgroundColor === "rgb(239, 239, 239)"
      || s.borderTopStyle === "outset" || s.borderTopStyle === "inset");
  }).map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_opens_with_a_card(page):
    text = page.read_text(encoding="utf-8")
    card = text[text.index('<div class="chapter-card') : text.index('class="cell ')]
    for part in ("question", "able", "needs", "time"):
        assert card.count(f'<div class="{part} docutils container">') == 1
    assert re.search(r"computed in [\d.]+ (seconds|minutes)", card)
    links = re.findall(r'class="nd-button" href="([^"]+)"', card)
    files = [link for link in links if not link.startswith("https:")]
    assert len(files) == 5
    assert all((page.parent / link).resolve().is_file() for link in files), links


@needs_browser
@pytest.mark.parametrize("page", [LANDING, *CHAPTERS[:6]], ids=lambda page: page.stem)
def test_nothing_white_in_the_dark_and_no_plain_button(page):
    with open_site(page, 1440, TALL) as opened:
        opened.evaluate("document.documentElement.dataset.theme = 'dark'")
        opened.wait_for_timeout(300)
        assert opened.evaluate(SLABS) == []
        assert opened.evaluate(PLAIN) == []


@needs_browser
def test_the_picture_of_the_landing_page_moves_by_keyboard():
    """The units of B walk to other places; what is said changes with what is chosen."""
    with open_site(LANDING, 1440, TALL) as page:
        tile = page.locator(".two-networks .kind-0 .tiles").nth(1).locator("i").first

        def place():
            page.wait_for_timeout(1200)  # the walk takes 0.9 s
            return tile.bounding_box()["x"]

        before = place()
        said = page.locator(".two-networks .against p:visible")
        assert "no agreement to be seen" in said.inner_text()
        page.locator("input[name='two-networks-order']").first.focus()
        page.keyboard.press("ArrowRight")
        assert place() != before
        assert "share less" in said.inner_text()
        page.locator("input[name='two-networks-kind']").first.focus()
        seen = {said.inner_text()}
        for _ in range(3):
            page.keyboard.press("ArrowRight")
            seen.add(said.inner_text())
        assert len(seen) == 4 and said.count() == 1


def test_the_landing_page_says_what_chapter_1_has_measured():
    """Mean correlations of its picture, to three digits, each stands in the chapter's text."""
    shown = LANDING.read_text(encoding="utf-8")
    means = re.findall(r"Mean of \d+ such pairs: (\S+) \(standard error", shown)
    matched = means[1::2]
    chapter = CHAPTERS[0].read_text(encoding="utf-8")
    assert len(set(matched)) == 4
    assert [mean for mean in matched if mean not in chapter] == []


@needs_browser
def test_the_book_is_set_in_its_own_type_without_another_host():
    with open_site(CHAPTERS[0], 1440, TALL) as page:
        page.wait_for_timeout(500)
        loaded = page.evaluate(
            "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)"
        )
        assert {"Book Serif", "Book Sans", "Book Mono"} <= {name.strip('"') for name in loaded}


@needs_browser
def test_the_citation_can_be_copied():
    with open_site(LANDING, 1440, TALL) as page:
        block = page.locator("div.highlight-bibtex")
        assert "@book{netdist" in block.inner_text()
        assert block.locator("button.copybtn").count() == 1
