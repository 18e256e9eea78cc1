"""What stands around the pages: heads, cards, icons, and the files at the root of the site.

The two states of the address are shown on a small book that is built here with the same tools;
the book itself is looked at where it is built.
"""

import doctest
import re
import subprocess
import sys
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.browser import launched, needs_browser

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
sys.path.insert(0, str(TOOLS))

import page_head  # noqa: E402
import pictures  # noqa: E402
import root_files  # noqa: E402
from address import UNSET  # noqa: E402

SITE = ROOT / "_build" / "html"
ALL = sorted(p for p in SITE.glob("**/*.html") if not {"_static", "slides"} & set(p.parts))
PAGES = [p for p in ALL if p != SITE / "index.html"]
built = pytest.mark.skipif(not ALL, reason="the book is not built here: run `make book`")
ADDRESS = "https://a-lecturer.github.io/book/"
ELSEWHERE = re.compile(r'(?:href|src|content)="(https?:[^"]*)"')


def tags(page):
    """{name: content} of the meta tags of a page; a name that stands twice is a fault."""
    found = re.findall(r'<meta (?:name|property)="([\w:-]+)" content="([^"]*)"', page)
    found = [(name, text) for name, text in found if name != "viewport"]
    assert len(dict(found)) == len(found), [name for name, _ in found]
    return {name: unescape(text) for name, text in found}


def head(page):
    return page.partition("</head>")[0]


# A small book, with an address and without


SOURCES = {
    "conf.py": """
import sys
sys.path.insert(0, {tools!r})
project, root_doc, html_theme = "A small book", "book/intro", "sphinx_book_theme"
extensions = ["page_head", "root_files"]
html_context = {{"default_mode": "auto"}}
html_static_path, html_copy_source = [{static!r}], False
html_title = "A small book"
html_logo = {static!r} + "/logo.svg"
""",
    "book/intro.rst": "A small book\n============\n\nIt asks whether two things that were made "
    "alike are alike.\n\n.. toctree::\n\n   /notebooks/01_one\n",
    "notebooks/01_one.rst": "One & only\n==========\n\nA line before.\n\n**The question.** Is a "
    "thing equal to *itself* & is 1 < 2, here and in the whole of the world?\n",
}


def small_book(folder, address):
    """The small book as Sphinx builds it, warnings being errors."""
    for name, text in SOURCES.items():
        file = folder / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if name == "conf.py":
            text = text.format(tools=str(TOOLS), static=str(ROOT / "book" / "_static"))
        file.write_text(text)
    out = folder / "html"
    run = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html"]
    run += ["-D", f"html_baseurl={address}", folder / "source", out]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def unset(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("unset"), "")


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("adopted"), ADDRESS)


def test_a_book_without_an_address_names_none(unset):
    for file in unset.rglob("*.html"):
        page = file.read_text()
        assert not ELSEWHERE.findall(head(page)), file
        assert not {"og:url", "og:image"} & tags(page).keys()
        assert "canonical" not in page and "<base" not in page and UNSET not in page
    assert not (unset / "sitemap.xml").exists() and not (unset / "robots.txt").exists()
    assert tags((unset / "notebooks" / "01_one.html").read_text())["twitter:card"] == "summary"


def test_an_adopted_book_has_its_address_everywhere(adopted):
    for name in ("book/intro.html", "notebooks/01_one.html"):
        page = (adopted / name).read_text()
        found = tags(page)
        assert f'<link rel="canonical" href="{ADDRESS}{name}" />' in page
        assert found["og:url"] == ADDRESS + name
        assert found["og:image"] == f"{ADDRESS}_static/card.png"
        assert found["twitter:card"] == "summary_large_image"
        assert all(link.startswith(ADDRESS) for link in ELSEWHERE.findall(head(page)))
        assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert (adopted / found["og:image"].removeprefix(ADDRESS)).is_file()


def test_a_sitemap_lists_the_pages_of_the_book_and_no_others(adopted):
    root = ElementTree.parse(adopted / "sitemap.xml").getroot()
    assert root.tag == "{http://www.sitemaps.org/schemas/sitemap/0.9}urlset"
    listed = [url[0].text for url in root]
    assert listed == [f"{ADDRESS}book/intro.html", f"{ADDRESS}notebooks/01_one.html"]
    assert not (adopted / "robots.txt").exists()  # read at the root of a host alone


def test_robots_are_led_to_the_sitemap_at_the_root_of_a_host():
    own = "https://a-lecturer.github.io/"
    assert root_files.addressed("", ["a.html"]) == {}
    assert root_files.addressed(own, ["a.html"])["robots.txt"].endswith(f"{own}sitemap.xml\n")


def test_a_book_that_has_lost_its_address_has_no_sitemap_left(tmp_path):
    out = small_book(tmp_path, ADDRESS)
    assert (out / "sitemap.xml").exists()
    small_book(tmp_path, "")
    assert not (out / "sitemap.xml").exists()


def test_a_page_is_described_by_its_own_words_and_the_book_named_once(adopted):
    chapter = (adopted / "notebooks" / "01_one.html").read_text()
    question = "Is a thing equal to itself & is 1 < 2, here and in the whole of the world?"
    found = tags(chapter)
    assert found["description"] == found["og:description"] == question
    assert found["og:title"] == "One & only" and found["og:site_name"] == "A small book"
    home = (adopted / "book" / "intro.html").read_text()
    assert tags(home)["description"].startswith("It asks whether two things")
    assert "<title>A small book</title>" in home
    assert 'alt="A small book - Home"' in home


def test_a_shared_link_to_the_site_shows_the_card_of_its_first_page(adopted, unset):
    """Who makes a card of ``/`` follows no refresh."""
    for site in (adopted, unset):
        index, home = ((site / name).read_text() for name in ("index.html", "book/intro.html"))
        assert tags(index).items() >= {
            (k, v) for k, v in tags(home).items() if k.startswith(("og:", "twi", "des"))
        }
        assert 'content="0; url=book/intro.html"' in index
        for link in re.findall(r'<link rel="[\w-]*icon" href="([^"]+)"', index):
            assert (site / link).is_file()
        assert index.count("<title>") == 1 and 'lang="en"' in index
    assert f'href="{ADDRESS}book/intro.html"' in (adopted / "index.html").read_text()


@needs_browser
def test_the_404_page_works_at_any_depth_of_the_published_book(adopted):
    """Chromium asks the book's address, and is answered from the folder as GitHub answers."""
    asked = []

    def answer(route):
        url = route.request.url.split("?")[0]
        asked.append(url)
        file = adopted / url.removeprefix(ADDRESS)
        if url.startswith(ADDRESS) and file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(path=adopted / "404.html", status=404)

    with launched() as browser:
        page = browser.new_page()
        page.route("**/*", answer)
        lost = f"{ADDRESS}some/where/else.html"
        page.goto(lost)
        assert page.locator(".bd-article h1").inner_text().startswith("There is no such page")
        missing = [url for url in asked[1:] if not (adopted / url.removeprefix(ADDRESS)).is_file()]
        assert len(asked) > 5 and not missing, missing
        page.keyboard.press("Tab")  # the skip link stays on the page
        page.keyboard.press("Enter")
        assert page.url == f"{lost}#main-content"
        page.get_by_label("Search the book", exact=True).fill("equal")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{ADDRESS}search.html?q=equal")
        page.goto(lost)
        page.locator(".bd-article li a").first.click()
        page.wait_for_url(f"{ADDRESS}notebooks/01_one.html")


@contextmanager
def opened_lost_page(site):
    """A copy's 404 page; a foreign request fails the test.

    Chromium fetches ahead what the base names, before the page's script takes the base out, so
    that a file that is not there is no fault here.
    """
    asked = []
    with launched() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "404.html").as_uri())
        yield page
    foreign = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert not foreign, foreign


@needs_browser
def test_the_404_page_of_a_copy_works_where_it_lies(adopted):
    """On a disk its links count from the page, although the book has an address."""
    with opened_lost_page(adopted) as page:
        assert page.evaluate("document.baseURI") == (adopted / "404.html").as_uri()
        page.locator(".bd-article li a").first.click()
        page.wait_for_url((adopted / "notebooks" / "01_one.html").as_uri())


def test_the_404_page_is_in_no_index(adopted):
    page = (adopted / "404.html").read_text()
    assert tags(page)["robots"] == "noindex" and "canonical" not in page
    assert "no such page" not in (adopted / "searchindex.js").read_text().lower()
    assert "404.html" not in (adopted / "book" / "intro.html").read_text()


# The words of a description


WORDS = st.sampled_from(["a", "net,", "end.", "Is", "so?", 40 * "x"])


@given(st.lists(WORDS, max_size=60).map(" ".join))
def test_what_is_shortened_is_a_beginning_and_fits(text):
    short = page_head.shortened(text)
    assert len(short) <= page_head.LONGEST
    assert text.startswith(short.removesuffix("…"))
    assert short == text or len(text) > page_head.LONGEST


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Short?", "Short?"),
        (f"{'Word ' * 12}end. Is it {'x ' * 90}?", f"{'Word ' * 12}end. Is it {'x ' * 43}x…"),
        (f"Is {'it ' * 30}so? {'Or ' * 30}not?", f"Is {'it ' * 30}so?"),
        (f"{'Is ' * 40}it, and {'so ' * 30}?", f"{'Is ' * 40}it…"),
    ],
)
def test_a_description_ends_with_a_sentence_or_a_question_where_one_fits(text, short):
    assert page_head.shortened(text, needs="?") == short


def test_whole_sentences_are_kept_where_no_question_is_needed():
    sentence = f"{'Word ' * 12}end."
    assert page_head.shortened(f"{sentence} Is it {'so ' * 90}?") == sentence


def test_the_examples_of_the_tool_run():
    found = doctest.testmod(page_head)
    assert found.attempted > 1 and found.failed == 0


# The pictures


def test_the_card_and_the_icons_are_drawn_from_what_is_here():
    """After a change of the title, the lenses, the palette or the sign: tools/pictures.py."""
    for name, (page, size) in pictures.pictures().items():
        path = ROOT / "book" / "_static" / name
        assert pictures.drawn_from(path) == pictures.fingerprint(page), f"draw {name} anew"
        with Image.open(path) as picture:
            assert picture.size == size
        assert path.stat().st_size < (100_000 if name == "card.png" else 4_000)


def test_the_card_is_not_empty():
    """It holds the paper, the ink and the colours of both networks."""
    with Image.open(ROOT / "book" / "_static" / "card.png") as picture:
        colours = {c: n for n, c in picture.convert("RGB").getcolors(maxcolors=256)}
    for name in ("paper", "matched", "unmatched", "ink"):
        wanted = bytes.fromhex(pictures.COLORS[name][1:])
        near = sum(
            n
            for c, n in colours.items()
            if max(abs(a - b) for a, b in zip(c, wanted, strict=True)) < 9
        )
        assert near > 5_000, name


# The pages of the book


@built
def test_each_page_has_a_title_and_a_description_of_its_own():
    titles, described = {}, {}
    for path in PAGES:
        page, name = path.read_text(), str(path.relative_to(SITE))
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)[1]
        parts = title.split(" &#8212; ")
        assert len(set(parts)) == len(parts) <= 2, title
        text = tags(page)["description"]
        assert page_head.SHORTEST <= len(text) <= page_head.LONGEST, (name, text)
        assert not re.search(r"[`{}<>$]", text), (name, text)
        titles[name], described[name] = title, text
    assert len(set(titles.values())) == len(titles)
    assert len(set(described.values())) == len(described)


@built
def test_a_chapter_is_described_by_its_question():
    for path in SITE.glob("notebooks/*.html"):
        text = tags(path.read_text())["description"]
        source = (ROOT / "notebooks" / f"{path.stem}.py").read_text()
        question = re.search(r"\*\*The question\.\*\* (.*?)\n#\n", source, re.DOTALL)[1]
        first = re.sub(r"\W+", " ", re.sub(r"\{term\}`([^`<]*)[^`]*`", r"\1", question)).split()[
            :5
        ]
        assert re.sub(r"\W+", " ", text).split()[:5] == first


@built
def test_every_page_of_the_book_makes_a_card():
    for path in [*SITE.glob("book/**/*.html"), *SITE.glob("notebooks/*.html")]:
        found = tags(path.read_text())
        assert found["og:description"] == found["description"]
        assert {"og:title", "og:type", "og:site_name", "twitter:card"} <= found.keys()
        assert ("og:image" in found) == ("og:url" in found) == (UNSET not in config())


def config():
    return (ROOT / "_config.yml").read_text()


@built
def test_every_page_has_the_icons():
    for path in PAGES:
        links = re.findall(r'<link rel="([\w-]*icon)" href="([^"]+)"', path.read_text())
        assert [rel for rel, _ in links] == [rel for rel, _, _ in page_head.ICONS]
        assert all((path.parent / link).is_file() for _, link in links), path


@built
@needs_browser
def test_the_404_page_helps_and_looks_like_the_book():
    with opened_lost_page(SITE) as page:
        assert page.locator(".bd-article ol a").count() == len([*SITE.glob("notebooks/*.html")])
        assert page.locator("#pst-primary-sidebar").count() == 1
        page.get_by_label("Search the book", exact=True).fill("barrier")
        page.keyboard.press("Enter")
        page.locator("ul.search li a").first.wait_for()
        assert page.url == urljoin((SITE / "404.html").as_uri(), "search.html?q=barrier")
