"""A Sphinx extension: what lies at the root of the site, beside its pages.

``index.html`` sends a reader on to the landing page, and has its head, because what shows a
shared link follows no refresh. ``404.html`` is what GitHub serves for an address that is none, at
any depth: a ``base`` makes its links right wherever it is served at the book's own address.
``sitemap.xml`` and ``robots.txt`` hold addresses of the published book, and exist only if it has
one (``html_baseurl``). sphinx-sitemap lists the pages that a build has written anew, which is not
all of them in most builds.
"""

import re
from html import escape
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from shared import chapters, with_pages

INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={home}">
{head}
</head><body><p>The book begins on <a href="{home}">its first page</a>.</p></body></html>
"""
# What of the landing page's head is true of the whole site as well.
KEPT = re.compile(
    r'<title>.*?</title>|<meta (?:property="og:|name="(?:description|twitter:))[^>]*>'
    r'|<link rel="(?:canonical|icon|apple-touch-icon)"[^>]*>',
    re.DOTALL,
)
HREF = re.compile(r'(<link [^>]*href=")(?!https?:)([^"]+)')
# Away from the book's address (a copy on a disk, another host) links count from the page itself.
# A link to a place on the page must not count from the base.
BASE = """<base href="{path}" />
<script>
  if (!location.href.startsWith("{address}")) { document.querySelector("base").remove(); }
  addEventListener("click", (event) => {
    const place = event.target.closest('a[href^="#"]');
    if (place) { event.preventDefault(); location.hash = place.hash; }
  });
</script>
"""
LOST = """<section id="no-such-page"><h1>There is no such page</h1>
<p>Its address may be mistyped, or the page may have moved. Search the book, open a chapter, or
begin at the <a href="{home}">first page</a>.</p>
<form class="lost-search" role="search" action="{search}" method="get">
<label for="lost-q">Search the book</label>
<input id="lost-q" type="search" name="q" autocomplete="off" />
<button type="submit">Search</button>
</form>
<h2>Chapters</h2>
<ol>{chapters}</ol></section>
"""


def lost_page(app):
    """The page for an address that is none: in the book's look, in no index and no menu."""
    uri = app.builder.get_target_uri
    links = "".join(
        f'<li><a href="{uri(name)}">{escape(app.env.titles[name].astext())}</a></li>'
        for name in chapters(app.env)
    )
    body = LOST.format(home=uri(app.config.root_doc), search=uri("search"), chapters=links)
    yield "404", {"title": "There is no such page", "body": body}, "page.html"


def lead_home(app, pagename, templatename, context, doctree):
    """The head of the 404 page: no engine lists it, and its links count from the book's root."""
    if pagename != "404":
        return
    app.add_css_file("lost.css")
    context["pageurl"] = None  # it is no page of its own
    tags = '\n<meta name="robots" content="noindex" />\n'
    if address := app.config.html_baseurl:
        path = urlsplit(address).path
        tags = "\n" + BASE.replace("{path}", path).replace("{address}", address) + tags
    context["metatags"] = tags + context.get("metatags", "")


def index(home, page):
    """The site's index: it leads to the landing page and has what counts of that page's head."""
    folder = home.rpartition("/")[0]

    def from_root(match):
        parts = (
            match[2].removeprefix("../") if match[2].startswith("../") else f"{folder}/{match[2]}"
        )
        return match[1] + parts

    return INDEX.format(home=home, head=HREF.sub(from_root, "\n".join(KEPT.findall(page))))


def sitemap(address, uris):
    """The addresses of all pages, as sitemaps.org has it."""
    root = ElementTree.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for uri in uris:
        url = ElementTree.SubElement(root, "url")
        ElementTree.SubElement(url, "loc").text = address + uri
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True).decode() + "\n"


def addressed(address, uris):
    """{name: text} of the files that hold addresses of the book.

    Engines read robots.txt at the root of a host only, so it is written for a book that is one.
    """
    if not address:
        return {}
    files = {"sitemap.xml": sitemap(address, uris)}
    if urlsplit(address).path == "/":
        files["robots.txt"] = f"User-agent: *\nAllow: /\nSitemap: {address}sitemap.xml\n"
    return files


@with_pages
def write(app):
    """Write the files at the root; those of an earlier build that had an address go."""
    out, home = Path(app.outdir), app.builder.get_target_uri(app.config.root_doc)
    page = (out / home).read_text(encoding="utf-8")
    (out / "index.html").write_text(index(home, page), encoding="utf-8")
    uris = sorted(map(app.builder.get_target_uri, app.env.found_docs))
    files = addressed(app.config.html_baseurl, uris)
    for name in ("sitemap.xml", "robots.txt"):
        (out / name).unlink(missing_ok=True)
        if name in files:
            (out / name).write_text(files[name], encoding="utf-8")


def setup(app):
    app.connect("html-collect-pages", lost_page)
    app.connect("html-page-context", lead_home, priority=950)
    app.connect("build-finished", write, priority=900)  # over the index that Jupyter Book wrote
    return {"parallel_read_safe": True, "parallel_write_safe": True}
