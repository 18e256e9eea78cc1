"""A Sphinx extension: what the head of a page says to search engines, link previews and tabs.

A page is described by its own words: a chapter by its question, any other page by what it says
first. From them sphinxext-opengraph makes the card that a shared link shows. The card's picture
and page, and the canonical link, are addresses of the published book (``html_baseurl``, which
`make adopt` sets). While the book has none, the head names no address at all.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from house import first_line

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "The question. "
SHORTEST, LONGEST = 50, 160  # of a description: what search engines show
ENDS = re.compile(r"[.?!](?= [A-Z]|$)")
ICONS = (  # old browsers know PNG alone; a telephone's home screen wants a larger one
    ("icon", "icon-32.png", 'sizes="32x32" type="image/png"'),
    ("icon", "favicon.svg", 'sizes="any" type="image/svg+xml"'),
    ("apple-touch-icon", "icon-180.png", 'sizes="180x180"'),
)
CARD, CARD_SIZE = "_static/card.png", (1200, 630)
CARD_ALT = "The book's title and question, beside its lenses as boxes in boxes"
WITHOUT_SOURCE = {
    "search": "Search all pages of the book; chapters come before the pages of the API",
    "genindex": "Terms, functions and classes of the book, each with the places where it stands",
    "py-modindex": "All modules of the packages netdist_utils and netdist_course, by name",
    "_modules/index": "All modules of the book's two packages whose source code stands here",
    "404": "The page that was asked for is not there; here are the search and the chapters",
}


def shortened(text, needs=""):
    """The first sentences of a text, as many as fit, if they hold what is needed.

    If they do not, or are too short, the text is cut at a comma or between words.

    >>> two = "Many networks learn the same task. Are their weights the same in their order"
    >>> shortened(two + "? " + 100 * "X", needs="?") == two + "?"
    True
    >>> shortened(two + " or not, and " + 100 * "x" + "?", needs="?") == two + " or not…"
    True
    """
    if len(text) <= LONGEST:
        return text
    ends = [match.end() for match in ENDS.finditer(text[: LONGEST + 1])]
    whole = text[: max((end for end in ends if end <= LONGEST), default=0)]
    if len(whole) >= SHORTEST and needs in whole:
        return whole
    start = text[: LONGEST - 1]
    comma = start.rfind(", ")
    return start[: comma if comma > LONGEST / 2 else start.rfind(" ")].rstrip(",.;:") + "…"


def own_words(doctree):
    """A chapter's question, or what another page says first, as plain text."""
    paragraphs = [
        node
        for node in doctree.findall(nodes.paragraph)
        if not isinstance(node.parent, nodes.entry)  # of a table
    ]
    texts = [" ".join(node.astext().split()) for node in paragraphs]
    for text in texts:
        if text.startswith(QUESTION):
            return shortened(text.removeprefix(QUESTION), needs="?")
    first = ""
    while texts and len(first) < SHORTEST:
        first = f"{first} {texts.pop(0)}".strip()
    return shortened(first)


def description(pagename, doctree):
    """What a page is described by; empty for a page that says too little of itself."""
    if doctree is not None:
        text = own_words(doctree)
    elif pagename.startswith("_modules/") and pagename not in WITHOUT_SOURCE:
        text = shortened(f"Source code of {module_line(pagename.removeprefix('_modules/'))}")
    else:
        text = WITHOUT_SOURCE.get(pagename, "")
    return text if len(text) >= SHORTEST else ""


def module_line(name):
    """Dotted name of a module, and what its first line says that it is."""
    file = ROOT / f"{name}.py"
    file = file if file.is_file() else ROOT / name / "__init__.py"
    return f"{name.replace('/', '.')}: {first_line(file)}".replace("`", "")


def icons(pathto):
    """Links to the book's sign, for tabs and home screens."""
    return "".join(
        f'<link rel="{rel}" href="{escape(pathto(f"_static/{name}", 1))}" {form} />\n'
        for rel, name, form in ICONS
    )


def describe(app, pagename, templatename, context, doctree):
    """Description and icons of a page, before sphinxext-opengraph asks for them."""
    context["metatags"] = context.get("metatags", "") + "\n" + icons(context["pathto"])
    if text := description(pagename, doctree):
        context["metatags"] += f'<meta name="description" content="{escape(text)}" />\n'
        words = {"og:description": escape(text, quote=False)}
        context["meta"] = {**(context.get("meta") or {}), **words}


def finish(app, pagename, templatename, context, doctree):
    """The landing page is called after the book once; no page has an address until there is one.

    sphinxext-opengraph writes a relative ``og:url`` then, which leads a card nowhere.
    """
    if not app.config.html_baseurl:
        context["metatags"] = re.sub(r'<meta property="og:url"[^>]*>\n', "", context["metatags"])
    if pagename == app.config.root_doc:
        home = {"alt_text": f"{context['docstitle']} - Home"}
        context["theme_logo"] = {**(context.get("theme_logo") or {}), **home}
        context["docstitle"] = ""


def set_addresses(app, config):
    """The card's addresses are below that of the book; without one, a card has no picture."""
    config.ogp_site_name, config.ogp_site_url = config.html_title, config.html_baseurl
    config.ogp_social_cards = {"enable": False}  # the book has a picture of its own
    kind = "summary"
    if config.html_baseurl:
        config.ogp_image, config.ogp_image_alt = CARD, CARD_ALT
        kind = "summary_large_image"
    size = zip(("width", "height"), CARD_SIZE, strict=True)
    sizes = [f'<meta property="og:image:{name}" content="{n}" />' for name, n in size]
    config.ogp_custom_meta_tags = [
        *(sizes if config.html_baseurl else ()),
        f'<meta name="twitter:card" content="{kind}" />',
    ]


def setup(app):
    app.setup_extension("sphinxext.opengraph")
    app.connect("config-inited", set_addresses)
    app.connect("html-page-context", describe, priority=400)
    app.connect("html-page-context", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
