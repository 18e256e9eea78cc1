"""The built book, where there is one: no other host is asked for anything."""

import re
from pathlib import Path

import pytest

from tests.browser import needs_browser, open_site

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
PAGES = sorted(SITE.glob("**/*.html"))

pytestmark = pytest.mark.skipif(not PAGES, reason="the book is not built here: run `make book`")


def test_pages_load_nothing_from_elsewhere():
    loaded = re.compile(
        r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"'
        r'|<link\b[^>]*rel="(?:stylesheet|preload|icon)"[^>]*href="(?:https?:)?//[^"]*"'
    )
    found = {(page.name, hit) for page in PAGES for hit in loaded.findall(page.read_text())}
    assert not found


def test_every_picture_of_a_chapter_has_an_alt_text():
    """Drawings stand inline and have a name; what is rasterised as a whole has an alt text."""
    for page in SITE.glob("notebooks/*.html"):
        text = page.read_text()
        drawings = re.findall(r'<div class="drawing"><svg[^>]*>', text)
        pictures = re.findall(r"<img[^>]*_images/[^>]*>", text)
        assert len(drawings) >= 5, page.name
        for picture in drawings + pictures:
            name = re.search(r'(?:alt|aria-label)="([^"]*)"', picture)
            assert name and len(name[1]) > 30 and "_images/" not in name[1], picture


def test_the_ledger_has_measured_values():
    text = (SITE / "book" / "ledger.html").read_text()
    assert "holds" in text
    assert "needs its chapter" not in text  # a chapter of this build left no record


def test_chapters_show_no_progress_bar_and_no_traceback():
    for page in SITE.glob("notebooks/*.html"):
        text = page.read_text()
        assert "Traceback (most recent call last)" not in text
        assert "it/s]" not in text


@needs_browser
@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "notebooks"])
def test_chapters_open_without_a_complaint(page):
    """No script fails, nothing foreign is asked for, and the figure with a handle is drawn."""
    with open_site(page) as opened:
        assert opened.locator(".netdist-figure :is(input[type=range], select)").count() > 0
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390
