"""A Sphinx extension: pages that a keyboard and a screen reader can use, and links that lead.

What the theme writes is mended in the finished pages: folds of the menu have names, buttons are
called what they show, the bibliography is a list, the sidebar is a region. The "[docs]" links of
source pages are led to where an object is described, under the name of the room that offers it.
"""

import html
import importlib
import json
import re
import shutil
from functools import cache
from pathlib import Path

from shared import chapters, pages, with_pages
from sphinx.util.inspect import safe_getattr

BACK = re.compile(
    r'(<div class="viewcode-block" id="([\w.]+)">\s*)(<a class="viewcode-back".*?</a>)'
)
FOLD = re.compile(
    r'(<a class="[^"]*reference internal[^"]*" href="[^"]*">)([^<]*)(</a><details[^>]*>)<summary>',
)
# The style sheet hides this bar; its buttons would take the scripts that the seen ones need. The
# theme's scripts measure the bar, so a bar without buttons stays.
BAR = re.compile(r'<header id="pst-header".*?</header>', re.DOTALL)
EMPTY_BAR = '<header id="pst-header" class="bd-header"></header>'
THEME_ICON = re.compile(r'(<i class="theme-switch[^>]*?)\s+title="[^"]*"')  # not the button's name
PLAIN = (  # (what the theme writes, what is right)
    # Its visible text is "Search Ctrl+K": a name must hold what is seen.
    ('title="Search" aria-label="Search" data-bs', 'title="Search" data-bs'),
    # Its visible text is its name.
    (' aria-label="Toggle hidden content"', ""),
    # A list has items; doc-biblioentry is deprecated.
    ('role="doc-biblioentry"', 'role="listitem"'),
    # The logo stands in no landmark otherwise.
    (
        '<div id="pst-primary-sidebar" class="',
        '<div id="pst-primary-sidebar" role="region" aria-label="Sidebar" class="',
    ),
    # Column of row names, in tables whose first head is empty.
    ('<th class="head"><p></p></th>', '<td class="head"></td>'),
)


def named_fold(match):
    """A fold of the menu, named after the page whose parts it holds."""
    name = html.escape(html.unescape(match[2]).strip())
    return f'{match[1]}{match[2]}{match[3]}<summary aria-label="Pages under {name}">'


def mended(page):
    """A page with the theme's faults mended; a mended page stays as it is."""
    for wrong, right in PLAIN:
        page = page.replace(wrong, right)
    page = THEME_ICON.sub(r"\1", BAR.sub(EMPTY_BAR, page))
    return FOLD.sub(named_fold, page)


def split(name):
    """Module, and name within it, of an object's full name."""
    parts = name.split(".")
    for n in range(len(parts) - 1, 0, -1):
        try:
            return importlib.import_module(".".join(parts[:n])), parts[n:]
        except ImportError:
            continue
    return None, parts


@cache
def described(env):
    """{(module that defines it, name): (page, anchor)} of all objects of the API pages.

    Pages of source code are written when all pages were read, so that once is enough.
    """
    found = {}
    for name, entry in env.domaindata["py"]["objects"].items():
        module, rest = split(name)
        if module is None or entry.objtype == "module":
            continue
        home = safe_getattr(safe_getattr(module, rest[0], None), "__module__", module.__name__)
        found.setdefault((home, ".".join(rest)), (entry.docname, entry.node_id))
    return found


def lead_back(app, pagename, templatename, context, doctree):
    """On a page of source code, lead each "[docs]" to where the object is described."""
    if not pagename.startswith("_modules/") or "viewcode-back" not in context.get("body", ""):
        return
    module = pagename.removeprefix("_modules/").replace("/", ".")
    places = described(app.env)

    def link(match):
        if (module, match[2]) not in places:
            return match[1]
        page, anchor = places[module, match[2]]
        uri = app.builder.get_relative_uri(pagename, page)
        return f'{match[1]}<a class="viewcode-back" href="{uri}#{anchor}">[docs]</a>'

    context["body"] = BACK.sub(link, context["body"])


def write_anew(app):
    """Forget pages of source code: Sphinx would keep those whose code is as it was."""
    shutil.rmtree(Path(app.outdir) / "_modules", ignore_errors=True)


def home_chapters(app, pagename, templatename, context, doctree):
    """On the search page, the chapter that says each term of the glossary most often."""
    if pagename != "search":
        return
    texts = {name: app.env.get_doctree(name).astext().lower() for name in chapters(app.env)}
    objects = app.env.get_domain("std").get_objects()
    terms = sorted({name.lower() for name, _, kind, *_ in objects if kind == "term"})
    homes = {term: max(texts, key=lambda name: texts[name].count(term)) for term in terms}
    app.add_js_file(None, body=f"const HOMES = {json.dumps(homes)};")


@with_pages
def mend(app):
    """Mend all pages of the site; pages kept from an earlier build are mended already."""
    for path in pages(Path(app.outdir)):
        page = path.read_text(encoding="utf-8")
        if (better := mended(page)) != page:
            path.write_text(better, encoding="utf-8")


def setup(app):
    app.add_css_file("access.css")
    app.add_js_file("access.js", loading_method="defer")
    app.connect("builder-inited", write_anew)
    app.connect("html-page-context", home_chapters)
    app.connect("html-page-context", lead_back, priority=900)
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
