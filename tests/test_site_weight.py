"""The built site is light, and everything that it asks for is there."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.browser import needs_browser

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import weight  # noqa: E402

SITE = ROOT / "_build" / "html"
PAGES = weight.pages(SITE)
MB = 1e6

pytestmark = pytest.mark.skipif(not PAGES, reason="the book is not built here: run `make book`")


def weights(folder):
    """{first folder or file: bytes}, the heaviest first."""
    found = Counter()
    for path in folder.rglob("*"):
        if path.is_file():
            found[path.relative_to(folder).parts[0]] += path.stat().st_size
    return dict(found.most_common())


def test_the_site_weighs_less_than_15_mb():
    found = weights(SITE)
    assert sum(found.values()) < 15 * MB, found


def test_a_chapter_weighs_less_than_2_5_mb_with_all_that_it_alone_asks_for():
    """Its own file, and the scripts of the figures on it that move."""
    for page in SITE.glob("notebooks/*.html"):
        shared = [p for p in weight.links_of(page, SITE) if p.parent.name == "movable"]
        assert len(shared) >= 1, page.name
        total = sum(path.stat().st_size for path in [page, *shared])
        assert total < 2.5 * MB, f"{page.name}: {total}"


def test_pictures_have_a_size_and_all_but_the_first_wait():
    for page in PAGES:
        pictures = weight.PICTURE.findall(page.read_text())
        for k, picture in enumerate(pictures):
            assert re.search(r' width="[1-9]\d*" height="[1-9]\d*"', picture), picture
            assert k == 0 or ' loading="lazy"' in picture, picture


def test_no_source_map_and_no_source_of_a_page_is_published():
    assert not list(SITE.rglob("*.map")) and not (SITE / "_sources").exists()
    texts = [p.read_text(errors="replace") for s in ("css", "js") for p in SITE.rglob(f"*.{s}")]
    assert not any(re.search(r"sourceMappingURL=\S+\.map", text) for text in texts)


def test_every_file_that_a_page_or_a_style_sheet_asks_for_exists():
    """Following style sheets to their fonts and pictures, too."""
    readers = [path for path in weight.asked_for(SITE) if path.suffix in (".html", ".css")]
    asked = {path: reader for reader in readers for path in weight.links_of(reader, SITE)}
    lost = {str(path): str(source) for path, source in asked.items() if not path.exists()}
    assert not lost
    kinds = Counter(path.suffix for path in asked)
    assert kinds[".woff"] >= 2 and kinds[".css"] >= 10 and kinds[".js"] >= 20


def test_no_file_lies_idle():
    assert not weight.idle(SITE)


def test_a_figure_that_moves_is_one_file_for_chapter_and_slides():
    scripts = sorted((SITE / "_static" / "movable").glob("*.js"))
    assert len(scripts) == len(list(SITE.glob("slides/*.html")))
    for kind in ("notebooks", "slides"):
        for page in SITE.glob(f"{kind}/*.html"):
            text = page.read_text()
            assert len(re.findall(r'<script src="\.\./_static/movable/', text)) == 1, page
            assert "function mount(" not in text, page


def test_a_notebook_holds_one_kind_of_each_picture():
    for path in SITE.glob("downloads/*.ipynb"):
        text = path.read_text()
        assert "image/png" not in text and text.count('"image/svg+xml"') < 36, path.name
        assert ".outputs." not in path.name or '"image/svg+xml"' in text, path.name


# In a browser, from the disk


FAMILIES = """() => [...document.fonts].map((f) => [f.family, f.weight, f.status])"""


@pytest.fixture
def visit(browser):
    """Opens a page from the disk; afterwards nothing that it asked for may have been missing."""
    context = browser.new_context(reduced_motion="reduce")
    lost = []

    def opened(path, width=1280):
        page = context.new_page()
        page.on("requestfailed", lambda request: lost.append(request.url))
        page.on("pageerror", lambda error: lost.append(str(error)))
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        page.evaluate("window.MathJax?.startup?.promise.then(() => document.fonts.ready)")
        return page

    yield opened
    context.close()
    assert not lost


@needs_browser
@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if path != SITE / "index.html"],  # it leads to another at once
    ids=lambda path: str(path.relative_to(SITE)),
)
def test_a_page_finds_its_files_fonts_and_formulas_on_the_disk(path, visit):
    page = visit(path)
    assert "error" not in {status for *_, status in page.evaluate(FAMILIES)}
    assert page.locator("mjx-merror").count() == 0
    if path.parent.name == "slides":  # reveal.js draws its own
        return
    # In place of an icon that it lacks, the script draws a question mark.
    page.locator("svg[data-icon]").nth(7).wait_for(state="attached")
    assert page.locator("svg[data-icon] > .missing, i[class*=fa-]").count() == 0


@needs_browser
def test_the_letters_of_icons_in_front_of_boxes_are_in_the_font(visit):
    """The title of an exercise, as wide as its letter is, and not as the box of a lost one."""
    page = visit(SITE / "notebooks" / "01_matching_mlps.html")
    title = page.locator(".exercise .admonition-title").first
    letter, family, bold = title.evaluate("""(e) => {
      const style = getComputedStyle(e, "::after");
      return [style.content, style.fontFamily, style.fontWeight];
    }""")
    assert "Font Awesome" in family
    wide = """([text, font]) => {
      const context = document.createElement("canvas").getContext("2d");
      context.font = font;
      return context.measureText(text).width;
    }"""
    known, lost = (
        page.evaluate(wide, [t, f"{bold} 40px {family}"]) for t in (letter.strip('"'), "\uf8fd")
    )
    assert known != lost


@needs_browser
def test_code_has_the_colours_that_it_had_with_all_its_spans(visit):
    """Names and brackets without a span look as those with one would, light and dark."""
    page = visit(SITE / "notebooks" / "01_matching_mlps.html")
    for theme in ("light", "dark"):
        page.evaluate("t => { document.documentElement.dataset.theme = t; }", theme)
        colours = page.locator(".highlight pre").first.evaluate("""(code) => {
          const span = code.appendChild(document.createElement("span"));
          span.className = "n";
          return [getComputedStyle(code).color, getComputedStyle(span).color];
        }""")
        assert colours[0] == colours[1], theme


@needs_browser
def test_a_drawing_takes_its_letters_colour_from_the_theme(visit):
    page = visit(SITE / "notebooks" / "06_five_lenses.html")
    colours = []
    for theme in ("light", "dark"):
        page.evaluate("t => { document.documentElement.dataset.theme = t; }", theme)
        letters = page.locator(".drawing svg text").first
        colours.append(letters.evaluate("e => getComputedStyle(e).fill"))
        ink = page.evaluate(
            "getComputedStyle(document.documentElement).getPropertyValue('--nd-ink')"
        )
        probe = f"getComputedStyle(Object.assign(document.body, {{style: 'color:{ink}'}})).color"
        assert page.evaluate(probe) == colours[-1]
    assert colours[0] != colours[1]


@needs_browser
def test_the_menu_of_formulas_offers_nothing_that_is_not_on_the_site(visit):
    """The other way to set formulas would be another script."""
    page = visit(SITE / "notebooks" / "05_heavy_tailed_spectra.html")
    menu = "MathJax.startup.document.menu.menu.findID"
    page.wait_for_function(f"{menu}('Settings', 'Renderer').disabled")
    assert not page.evaluate(f"{menu}('Settings', 'Scale').disabled")
