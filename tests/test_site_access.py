"""The built site: for keyboards, phones and screen readers, and links that lead somewhere."""

import html
import json
import re
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tests.browser import needs_browser

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import access  # noqa: E402
from address import UNSET  # noqa: E402

SITE = ROOT / "_build" / "html"
ALL = sorted(p for p in SITE.glob("**/*.html") if "_static" not in p.parts)
PAGES = [p for p in ALL if p != SITE / "index.html"]  # that one sends the reader on
CHAPTERS = sorted(SITE.glob("notebooks/*.html"))
IMPACTS = {"moderate", "serious", "critical"}

built = pytest.mark.skipif(not ALL, reason="the book is not built here: run `make book`")

# All default rules, and one that axe holds for experimental and that the theme broke.
AXE = """async (chosen) => {
  const rules = {"label-content-name-mismatch": {enabled: true}};
  const options = {resultTypes: ["violations"], rules};
  if (chosen) { options.runOnly = {type: "rule", values: chosen}; }
  const found = await axe.run(document, options);
  const where = nodes => nodes.map(n => n.target.join(" ")).slice(0, 5);
  return found.violations.map(v => [v.impact, v.id, where(v.nodes)]);
}"""
LOOKS = ["color-contrast", "link-in-text-block"]  # what a theme changes
LAYOUT = [*LOOKS, "scrollable-region-focusable", "target-size", "region"]  # what a width changes
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
# Long listings hold thousands of spans of ten kinds: one of each kind and ground is looked at.
THIN = """() => { for (const pre of document.querySelectorAll("pre")) {
  const kinds = new Set();
  for (const span of pre.querySelectorAll("span[class]")) {
    if (kinds.has(span.className)) span.replaceWith(...span.childNodes);
    kinds.add(span.className);
  } } }"""
OPEN = """() => { document.querySelectorAll("details").forEach(d => { d.open = true; });
  document.querySelectorAll("button.toggle-button").forEach(b => b.click()); }"""
SETTLE = """async () => { await window.MathJax?.startup?.promise;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); }"""


@pytest.fixture
def opened(browser):
    """Opens a page of the site at a width, settled."""
    context = browser.new_context(reduced_motion="reduce")

    def visit(path, width=1440):
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.as_uri())
        page.add_style_tag(content=STILL)
        page.evaluate(SETTLE)
        return page

    yield visit
    context.close()


def in_theme(page, theme):
    page.evaluate(
        "t => { const d = document.documentElement.dataset; d.theme = d.mode = t; }", theme
    )


def faults(page, rules=None):
    """Violations that count, of some rules or of all."""
    return [f for f in page.evaluate(AXE, rules) if f[0] in IMPACTS]


@built
@needs_browser
@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(SITE)))
def test_axe_finds_no_fault_and_the_page_fits_a_phone(path, opened):
    """All rules once; those that width or theme can change in each width and theme; folds open."""
    page = opened(path)
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    page.evaluate(OPEN)
    page.evaluate(THIN)
    in_theme(page, "light")
    found = {"wide, light": faults(page)}
    in_theme(page, "dark")
    found["wide, dark"] = faults(page, LOOKS)
    page.set_viewport_size({"width": 390, "height": 900})
    page.evaluate(SETTLE)
    page.wait_for_timeout(350)  # the theme waits 300 ms before it looks what scrolls
    found["phone, dark"] = faults(page, LAYOUT)
    in_theme(page, "light")
    found["phone, light"] = faults(page, LOOKS)
    assert not any(found.values()), json.dumps(found, indent=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# Links


def targets():
    """{page: (names that a link can end at, addresses that it links to)}."""
    found = {}
    for page in ALL:
        text = page.read_text()
        names = set(map(html.unescape, re.findall(r'\s(?:id|name)="([^"]+)"', text)))
        links = set(map(html.unescape, re.findall(r'(?<!<base)\s(?:href|src)="([^"]*)"', text)))
        found[page] = names, links
    return found


@built
def test_every_internal_link_leads_somewhere():
    """Pages, anchors, downloads, citations, pictures, styles and scripts."""
    known, broken = targets(), []
    for page, (_, links) in known.items():
        for link in links:
            if re.match(r"[a-z]+:|//", link):
                continue
            path, anchor = urldefrag(link)
            file = (page.parent / unquote(path.split("?")[0])).resolve() if path else page
            there = known.get(file, (None,))[0]
            lost = anchor and there is not None and unquote(anchor) not in there
            if not file.is_file() or lost:
                broken.append((str(page.relative_to(SITE)), link))
    assert not broken, broken
    assert sum(len(links) for _, links in known.values()) > 2000


@built
def test_colab_links_name_files_of_the_repository():
    """Where an address is set; where none is, there are none."""
    unset = UNSET in (ROOT / "_config.yml").read_text()
    colab = re.compile(
        r"https://colab\.research\.google\.com/github/[^\"]+?/blob/[^/\"]+/([^\"#?]+)"
    )
    linked = {path for page in ALL for path in colab.findall(page.read_text())}
    assert bool(linked) != unset
    assert all((ROOT / unquote(path)).is_file() for path in linked), linked


@built
def test_links_to_the_docs_end_at_the_object_itself():
    """A function that a room offers from the ground floor is described under the room's name."""
    page = (SITE / "_modules" / "netdist_utils" / "alignment.html").read_text()
    assert page.count('class="viewcode-back"') >= 8
    assert re.search(r'id="soft_match">\s*<a class="viewcode-back" href="[^"]*\.soft_match"', page)


# Search


@built
@needs_browser
@pytest.mark.parametrize(
    "words, first", [("barrier", "01_"), ("rainbow", "03_"), ("alpha-hat", "05_")]
)
def test_search_finds_the_chapter_first(words, first, opened):
    page = opened(SITE / "search.html")
    page.goto(f"{(SITE / 'search.html').as_uri()}?q={words}")
    results = page.locator("ul.search li a")
    results.nth(1).wait_for()
    assert f"notebooks/{first}" in results.first.get_attribute("href")


# Keyboard


@built
@needs_browser
def test_the_first_tab_shows_a_skip_link_that_passes_the_sidebar(opened):
    page = opened(CHAPTERS[0])
    link = page.locator(".skip-link a")
    assert link.bounding_box()["y"] + link.bounding_box()["height"] <= 0  # not over the page
    page.keyboard.press("Tab")
    box = link.bounding_box()
    assert link.evaluate("a => a === document.activeElement")
    assert box["y"] >= 0 and box["height"] > 24 and box["width"] < 400
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = "document.activeElement.closest('main') !== null"
    assert page.evaluate(inside)


@built
@needs_browser
def test_menu_folds_and_search_answer_to_the_keyboard(opened):
    page = opened(CHAPTERS[0])
    fold = page.locator("#pst-primary-sidebar details").first
    summary = fold.locator("summary")
    assert summary.get_attribute("aria-label") == "Pages under For instructors"
    summary.focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("d => d.open")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    assert not page.locator("#pst-search-dialog").evaluate("d => d.open")


@built
@needs_browser
def test_on_a_phone_the_menu_opens_and_closes_by_keyboard(opened):
    page = opened(CHAPTERS[0], width=390)
    toggle = page.locator("button.primary-toggle:visible").first
    toggle.focus()
    page.keyboard.press("Enter")
    page.locator("#pst-primary-sidebar-modal[open] a").first.wait_for()
    page.keyboard.press("Escape")
    assert not page.locator("#pst-primary-sidebar-modal").evaluate("d => d.open")


@built
@needs_browser
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_code_solutions_quiz_and_figures_answer_to_the_keyboard(path, opened):
    page = opened(path)
    code = page.locator(".bd-article details.hide").first
    code.locator("summary").focus()
    page.keyboard.press("Enter")
    assert code.evaluate("d => d.open")
    solution = page.locator(".bd-article button.toggle-button").first
    hidden = "b => b.closest('.admonition').classList.contains('toggle-hidden')"
    assert solution.evaluate(hidden)
    solution.focus()
    page.keyboard.press("Enter")
    assert not solution.evaluate(hidden)
    choice = page.locator(".netdist-quiz input[type=radio]").first
    choice.focus()
    page.keyboard.press("Space")
    assert choice.is_checked()
    page.keyboard.press("ArrowDown")
    assert not choice.is_checked()
    control = page.locator(
        ".netdist-figure:not(.netdist-quiz) :is(input[type=range], select)"
    ).first
    before = control.input_value()
    control.focus()
    page.keyboard.press("ArrowRight" if control.get_attribute("type") else "ArrowDown")
    if control.input_value() == before:  # it stands at its end
        page.keyboard.press("ArrowLeft" if control.get_attribute("type") else "ArrowUp")
    assert control.input_value() != before


@built
@needs_browser
def test_what_scrolls_on_a_phone_fades_and_takes_the_keyboard(opened):
    """The rubric of the page for instructors, and the code of a chapter."""
    page = opened(SITE / "book" / "instructors.html", width=390)
    boxes = page.locator(".bd-article [data-scrolls]")
    boxes.first.wait_for()
    assert "more-right" in boxes.first.get_attribute("class")
    boxes.first.focus()
    page.keyboard.press("End")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.bd-article .more-left') !== null")
    wide = opened(SITE / "book" / "instructors.html")
    wide.wait_for_timeout(100)
    assert wide.locator(".bd-article .more-left").count() == 0


# The tool


def test_a_mended_page_stays_as_it_is():
    fold = (
        '<a class="reference internal" href="b.html">Before</a>'
        '<a class="reference internal" href="a.html">For all</a><details><summary>'
        '<span class="toctree-toggle" role="presentation"></span></summary></details>'
    )
    once = access.mended(fold)
    assert '<summary aria-label="Pages under For all">' in once
    assert access.mended(once) == once
