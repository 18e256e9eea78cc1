"""The built book, where there is one: no other host is asked for anything."""

import re
from contextlib import contextmanager
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


@needs_browser
def test_the_books_own_pages_fit_a_phone():
    """Those that no notebook makes; `make axe` asks the same of every page."""
    sizes = {}
    for page in SITE.glob("book/*.html"):
        with open_site(page) as opened:
            sizes[page.name] = opened.evaluate("document.documentElement.scrollWidth")
    assert len(sizes) > 10 and {name: size for name, size in sizes.items() if size > 390} == {}


SLIDES = sorted(SITE.glob("slides/*.html"))


@contextmanager
def open_slides(page):
    """The slides of a chapter at the first one, and how many there are."""
    with open_site(page, width=1280, height=720) as opened:
        opened.wait_for_function("Reveal.isReady()")
        yield opened, opened.evaluate("Reveal.getTotalSlides()")


@needs_browser
@pytest.mark.parametrize("page", SLIDES, ids=lambda page: page.stem)
def test_slides_open_offline_and_fit(page):
    """Twelve to fifteen, walked by the arrow key; nothing foreign, nothing cut, formulas set."""
    with open_slides(page) as (opened, total):
        assert 12 <= total <= 15
        handles = 0
        for k in range(total):
            assert opened.evaluate("Reveal.getIndices().h") == k
            slide = opened.locator("section.present").last
            assert len(slide.inner_text()) > 10
            high, room = slide.evaluate("s => [s.scrollHeight, s.clientHeight]")
            assert high <= room + 1, f"slide {k + 1} is cut"
            pictures = slide.locator("svg, img, canvas, mjx-container, li, p")
            assert pictures.count() > 0, f"slide {k + 1} has a heading only"
            if slide.locator(":is(input[type=range], select)").count():
                handles += 1
            assert "\\(" not in slide.inner_text() and "\\[" not in slide.inner_text()
            opened.keyboard.press("ArrowRight")
        assert handles >= 1


@needs_browser
@pytest.mark.parametrize("page", SLIDES, ids=lambda page: page.stem)
def test_a_figure_that_was_moved_does_not_hold_the_talk(page):
    """With the focus in a slider, a clicker still walks, and Escape gives the arrows back."""
    with open_slides(page) as (opened, total):
        for k in range(total):
            opened.evaluate(f"Reveal.slide({k})")
            control = opened.locator("section.present").locator(":is(input, select)").first
            if not control.count():
                continue
            control.focus()
            opened.keyboard.press("PageDown")
            assert opened.evaluate("Reveal.getIndices().h") == k + 1
            opened.evaluate(f"Reveal.slide({k})")
            control.focus()
            opened.keyboard.press("ArrowRight")  # moves the control
            assert opened.evaluate("Reveal.getIndices().h") == k
            opened.keyboard.press("Escape")
            opened.keyboard.press("ArrowRight")
            assert opened.evaluate("Reveal.getIndices().h") == k + 1
            return
        raise AssertionError("no slide has a figure with a handle")


def test_the_course_table_leads_to_what_it_names():
    """Each link of the page for instructors that stays on the site has its file."""
    page = SITE / "book" / "instructors.html"
    links = re.findall(r'<table class="table course".*?</table>', page.read_text(), re.DOTALL)[0]
    inside = [h for h in re.findall(r'href="([^"]+)"', links) if "://" not in h]
    assert len(inside) == 4 * len(SLIDES) and len(SLIDES) == 6
    for link in inside:
        assert (page.parent / link).is_file(), link
    assert (SITE / "student" / "student.zip").stat().st_size > 10_000


def test_the_site_has_no_solution_in_a_student_notebook():
    for notebook in SITE.glob("student/*.ipynb"):
        text = notebook.read_text()
        assert "YOUR CODE HERE" in text and "BEGIN SOLUTION" not in text
        assert "Solution to exercise" not in text
