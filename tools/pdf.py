"""The whole book as one PDF: ``python tools/pdf.py``, or ``make pdf`` (after ``make book``).

The built pages are put one after the other into one page (`assemble`), in the order of the table
of contents and with ids of their own, so that links inside the book stay inside it. Solutions move
to the end. Chromium prints this page twice: the first time tells on which page each place lies
(`places`), the second has these numbers in its contents. Nothing but Chromium and playwright is
needed, which the tests use as well.
"""

import argparse
import re
import shutil
import sys
from datetime import date
from html import escape
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from provenance import LICENSES, commit

ROOT = Path(__file__).resolve().parent.parent
NO_BROWSER = (
    "make pdf needs Chromium 131 or newer and found none. Install it with your system's package "
    "manager (chromium, or Google Chrome), or with: .venv/bin/playwright install chromium"
)
LEFT_OUT = ("book/api", "genindex")  # sources and an index without page numbers
CHROME = ".headerlink, details.hide"  # paper has no click
WIDTH = 658  # of a line on A4, in pixels of 1/96 inch: 210 mm less two margins of 18 mm
PAGE = """<!doctype html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>
{styles}<style>{own}{running}</style>
<script>window.MathJax = {{options: {{processHtmlClass: "math"}}}}</script>
<script defer src="{static}/mathjax/tex-chtml.js"></script>
</head><body><main class="bd-content">
<header class="book-title"><h1>{title}</h1><p>{author}</p>
<p>{made}</p></header>
<nav class="book-contents"><h1 id="contents">Contents</h1>{contents}</nav>
{pages}
</main></body></html>
"""


def in_order(toc):
    """[(caption or None, name of a page)] of a table of contents, caption before its first."""
    found = [(None, toc["root"])]
    for part in toc["parts"]:
        caption = part["caption"]
        for chapter in part["chapters"]:
            for entry in (chapter, *chapter.get("sections", ())):
                if not entry["file"].startswith(LEFT_OUT):
                    found.append((caption, entry["file"]))
                    caption = None
    return found


def own_id(page, name=""):
    """The id in the PDF of a page, or of a place on it."""
    return re.sub(r"[^\w-]+", "-", f"{page}--{name}" if name else page)


def target(page, link):
    """Page and place that a link of a page leads to; None if it leads out of the site."""
    if re.match(r"[a-z]+:", link):
        return None
    path, _, place = link.partition("#")
    parts = page.split("/")[:-1] if path else []
    for part in (path or page).split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts).removesuffix(".html"), place


def relink(article, page, pages):
    """Ids and links of an article as they are in the PDF; a link to what is not in it is text."""
    for node in article.select("[id]"):
        kept = "netdist-figure" in node.get("class", ())  # its script knows it by its id
        inside = node.find_parent("svg") or node.find_parent(class_="netdist-figure")
        if not kept and not inside:
            node["id"] = own_id(page, node["id"])
    for link in article.select("a[href]"):
        led = target(page, link["href"])
        if led and led[0] in pages:
            link["href"] = "#" + own_id(*led)
        elif led:
            link.unwrap()


def resources(article, page, site):
    """Pictures and scripts from the site's root, loaded at once: paper is not scrolled."""
    for node in article.select("img[src], script[src]"):
        if not node["src"].startswith("data:"):
            path = "/".join([*page.split("/")[:-1], node["src"]])
            node["src"] = f"{site}/{path}"
        node.attrs.pop("loading", None)


def take_solutions(article, soup):
    """The solutions of a chapter, each taken from its exercise, which gets a link to it."""
    taken = []
    for solution in article.select(".solution"):
        title = solution.select_one(".admonition-title")
        exercise = article.find(id=title.a["href"].removeprefix("#"))
        line = soup.new_tag("p", attrs={"class": "to-solution"})
        line.append(link_to(soup, solution["id"], "Solution"))
        exercise.append(line)
        title.name, title.attrs = "h3", {}
        title.a.string = title.a.get_text().strip()
        title.contents[0].replace_with("")
        solution["class"] = ["answer"]
        taken.append(solution.extract())
    return taken


def link_to(soup, name, text):
    """A link that also says on which page its target is, once that is known."""
    link = soup.new_tag("a", href=f"#{name}")
    link.append(text)
    link.append(soup.new_tag("span", attrs={"class": "at", "data-page": name}))
    return link


def contents(articles, captions):
    """The contents as a list: parts, pages, and the sections of numbered chapters."""
    lines = []
    for name, article in articles.items():
        if captions.get(name):
            lines.append(f'<p class="part">{escape(captions[name])}</p>')
        for heading in article.select("h1, h2"):
            numbered = heading.select_one(".section-number")
            if heading.name == "h1" or (numbered and name.startswith("notebooks/")):
                place = heading.find_parent(["section", "article"])["id"]
                kind = "chapter" if heading.name == "h1" else "inner"
                lines.append(
                    f'<p class="{kind}"><a href="#{place}"><span>'
                    f"{escape(heading.get_text().strip())}</span>"
                    f'<span class="at" data-page="{place}"></span></a></p>'
                )
    return "\n".join(lines)


def running(articles):
    """The head of each page: the title of the chapter that it belongs to."""
    rules = []
    for k, article in enumerate(articles.values()):
        title = article.h1.get_text().strip().replace("\\", "").replace('"', '\\"')
        article["style"] = f"page: chapter{k}"
        rules.append(
            f'@page chapter{k} {{ @top-left {{ content: "{title}"; '
            "font: 8.5pt sans-serif; color: #444; vertical-align: bottom; padding-bottom: 4mm } }"
        )
    return "\n".join(rules)


def solutions_page(taken, soup):
    """The last part of the book: solutions, by chapter."""
    article = soup.new_tag("article", attrs={"class": "bd-article", "id": "solutions"})
    article.append(soup.new_tag("h1"))
    article.h1.string = "Solutions"
    for title, solutions in taken:
        heading = soup.new_tag("h2")
        heading.string = title
        article.append(heading)
        article.extend(solutions)
    return article


def assemble(read, toc, config, site="../html"):
    """The book as one HTML page. ``read(name)`` is the HTML of a built page."""
    order = in_order(toc)
    pages = {name for _, name in order}
    articles, taken, soup = {}, [], BeautifulSoup("", "html.parser")
    for _, name in order:
        article = BeautifulSoup(read(name), "html.parser").select_one("article.bd-article")
        for node in article.select(CHROME):
            node.decompose()
        relink(article, name, pages)
        article["id"] = own_id(name)
        resources(article, name, site)
        solutions = take_solutions(article, soup)
        if solutions:
            taken.append((article.h1.get_text().strip(), solutions))
        articles[name] = article
    if taken:
        articles["solutions"] = solutions_page(taken, soup)
    static = f"{site}/_static"
    styles = "\n".join(styles_of(read(toc["root"]), static))
    captions = {name: caption for caption, name in order}
    return PAGE.format(
        title=escape(config["title"]), author=escape(config["author"]), made=escape(made()),
        static=static, styles=styles, own=(ROOT / "tools" / "pdf.css").read_text("utf-8"),
        running=running(articles), contents=contents(articles, captions),
        pages="\n".join(str(article) for article in articles.values()),
    )  # fmt: skip


def styles_of(page, static):
    """Links to the style sheets of a built page, each of which lies in ``_static``."""
    for link in BeautifulSoup(page, "html.parser").select("link[rel=stylesheet][href]"):
        path = link["href"].partition("_static/")[2]
        yield f'<link rel="stylesheet" href="{static}/{path}">'


def made():
    """Commit, day and licences, for the title page."""
    return f"Made from commit {commit()} on {date.today().isoformat()}. {LICENSES}"


def places(pdf):
    """{id: number of its page} of a PDF that Chromium has made, whose objects are plain text."""
    objects = dict(re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL))
    root = re.search(rb"/Root (\d+) 0 R", pdf)[1]
    top = re.search(rb"/Pages (\d+) 0 R", objects[root])[1]
    number = {page: k for k, page in enumerate(leaves(objects, top), 1)}
    dests = objects[re.search(rb"/Dests (\d+) 0 R", objects[root])[1]]
    found = re.findall(rb"/(\S+) \[(\d+) 0 R /XYZ", dests)
    return {unescaped(name): number[page] for name, page in found}


def leaves(objects, node):
    """Pages of a tree of pages, in order."""
    kids = re.search(rb"/Kids\s*\[(.*?)\]", objects[node], re.DOTALL)
    if not kids:
        return [node]
    return [leaf for kid in re.findall(rb"(\d+) 0 R", kids[1]) for leaf in leaves(objects, kid)]


def unescaped(name):
    """A name of a PDF, in which #2D stands for a hyphen."""
    text = re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), name)
    return text.decode("utf-8", "replace")


FILL = """found => document.querySelectorAll("[data-page]").forEach((span) => {
  span.textContent = found[span.dataset.page] ?? "";
})"""


def write_pdf(source, out, browser):
    """Print the assembled page; a second time with the page numbers that the first has given."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 970})
    page.emulate_media(media="print")
    page.goto(source.resolve().as_uri())
    page.wait_for_function("window.MathJax?.startup?.promise !== undefined", timeout=60_000)
    page.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => true)")
    options = {"prefer_css_page_size": True, "print_background": True, "outline": True,
               "tagged": True}  # fmt: skip
    page.set_default_timeout(300_000)
    numbers = {}
    for _ in range(3):
        page.evaluate(FILL, numbers)
        pdf = page.pdf(**options)
        found = places(pdf)
        if found == numbers:
            break
        numbers = found
    out.write_bytes(pdf)
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "book.pdf")
    options = parser.parse_args()
    if not (options.site / "book" / "intro.html").is_file():
        sys.exit(f"no book in {options.site}: run `make book` first")
    toc, config = (
        yaml.safe_load((ROOT / name).read_text("utf-8")) for name in ("_toc.yml", "_config.yml")
    )
    source = options.out.parent / "pdf" / "book.html"
    source.parent.mkdir(parents=True, exist_ok=True)
    html = assemble(
        lambda name: (options.site / f"{name}.html").read_text("utf-8"),
        toc, config, site=options.site.resolve().as_uri(),
    )  # fmt: skip
    source.write_text(html, "utf-8")
    pages = print_with_chromium(source, options.out)
    print(f"{options.out}: {pages} pages, {options.out.stat().st_size / 1e6:.1f} MB")


def print_with_chromium(source, out):
    """Start Chromium, the system's or playwright's, and print."""
    from playwright.sync_api import Error, sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error:
            sys.exit(NO_BROWSER)
        with browser:
            return write_pdf(source, out, browser)


if __name__ == "__main__":
    main()
