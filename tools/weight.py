"""A Sphinx extension: the site carries what its readers ask for, and no more.

Of ``_static`` stays what a page or a style sheet names, and what `ALSO` lists with its reason.
Pages lose markup that changes nothing, as spans of code whose colour is the text's own. Pictures
have their size and wait until they are scrolled to. The script of a figure
that moves, with its data, is a file that the chapter and its slides share.
"""

import hashlib
import re
from pathlib import Path
from shutil import rmtree
from urllib.parse import unquote

import icons
import imagesize
from docutils import nodes
from shared import pages, with_pages
from sphinx.transforms.post_transforms import SphinxPostTransform

FONTS = "mathjax/output/chtml/fonts/woff-v2/"
USUAL = ("AMS", "Main", "Math-Italic", "Math-Bold", "Size", "Vector", "Zero")
ALSO = (
    # MathJax asks for its fonts itself; those of `STYLES` where a page has the style.
    *(
        f"{FONTS}MathJax_{name}*.woff"
        for name in ("AMS", "Main", "Math", "Size", "Vector", "Zero")
    ),
    "plus.png",  # the index of modules shows it for a group that is folded
    "**/*LICENSE*",  # of what stays
)
STYLES = {
    "Calligraphic": r"\\(?:math)?cal\b",
    "Fraktur": r"\\(?:math)?frak\b",
    "SansSerif": r"\\(?:math|text)?sf\b",
    "Script": r"\\(?:math)?scr\b",
    "Typewriter": r"\\(?:math|text)?tt\b",
}
SWEPT = ("_static", "_images")  # Sphinx and its extensions put there what somebody may need
LINK = re.compile(r'\s(?:href|src)="([^"#?]+)')
META = re.compile(r'\scontent="[^"]*?(_(?:static|images)/[^"#?]+)')
# Operators are written in the colour of the text: they were a third of all marks in code, and a
# sign says what it is without a colour.
IN_INK = {"o"}
IN_STYLE = re.compile(r"""(?:url\(|@import (?!url))["']?(?!data:|#)([^"')?#]+)""")
ELSEWHERE = re.compile(r"[a-z]+:|//")
SOURCE_MAP = re.compile(r"\s*(//|/\*)# sourceMappingURL=\S+?(\*/)?\s*$")  # at the end of a file
CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
AS_WRITTEN = re.compile(r"(<(pre|script|style|textarea)\b.*?</\2>)", re.DOTALL)
BLANKS = re.compile(r"\s*\n\s*")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# docutils keeps the words of inline code together; a name has no place to break.
UNBREAKABLE = re.compile(r'<span class="pre">([\w.]+)</span>')
NEIGHBOURS = re.compile(r'(<span class="([\w ]+)">[^<]*)</span>(\s*)<span class="\2">')
RULE = re.compile(r"\.highlight (?:\.(\w+) )?\{([^}]*)\}")
PICTURE = re.compile(r"<img\b[^>]*>")
SCRIPT = re.compile(r"<script>(\(function.*?)</script>", re.DOTALL)


class SharedScripts(SphinxPostTransform):
    """Replace the script inside each figure that moves by a link to the same script in a file."""

    default_priority = 5  # after MyST-NB has chosen among a cell's outputs
    formats = ("html",)

    def run(self, **kwargs):
        up = "../" * self.env.docname.count("/")
        folder = Path(self.app.outdir, "_static", "movable")
        for node in list(self.document.findall(nodes.raw)):
            text = node.astext()
            if 'class="netdist-figure' in text and (script := SCRIPT.search(text)):
                name = hashlib.sha256(script[1].encode()).hexdigest()[:12] + ".js"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(script[1], encoding="utf-8")
                link = f'<script src="{up}_static/movable/{name}"></script>'
                shared = text[: script.start()] + link + text[script.end() :]
                node.replace_self(nodes.raw("", shared, format="html"))


def links_of(path, site):
    """Files that a page or a style sheet of a site names."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        return {(path.parent / unquote(link)).resolve() for link in IN_STYLE.findall(text)}
    links = {unquote(link) for link in LINK.findall(text) if not ELSEWHERE.match(link)}
    found = {site / link[1:] if link[0] == "/" else path.parent / link for link in links}
    found |= {site / unquote(link) for link in META.findall(text)}  # a card's picture: an address
    return {file.resolve() for file in found}


def asked_for(site):
    """All files of a site that a page names, or a style sheet that it names, and so on."""
    found, new = set(), set(pages(site))
    while new := {path for path in new - found if path.is_file()}:
        found |= new
        new = set().union(*(links_of(p, site) for p in new if p.suffix in (".html", ".css")))
    return found


def fonts(texts):
    """Patterns of the files of MathJax's fonts that these texts (of pages) have formulas in."""
    found = {name for text in texts for name, style in STYLES.items() if re.search(style, text)}
    return {f"{FONTS}MathJax_{name}*.woff" for name in found}


def idle(site):
    """Files of the swept folders that nobody asks for."""
    also = {*ALSO, *fonts(path.read_text(encoding="utf-8") for path in pages(site))}
    kept = asked_for(site).union(*((site / "_static").glob(pattern) for pattern in also))
    files = (path for name in SWEPT for path in (site / name).rglob("*") if path.is_file())
    return sorted(set(files) - kept)


def without_effect(css):
    """Classes of code whose colour is, in each theme, that of the text around them."""
    rules = [(name, " ".join(body.split())) for name, body in RULE.findall(css)]
    usual = [re.search(r"(?<!-)color: #\w+", body)[0] for name, body in rules if not name]
    classes = {name for name, _ in rules}
    return {name for name in classes if name and [body for n, body in rules if n == name] == usual}


def plain(classes):
    """A function that takes these classes' spans from a piece of code, and joins equal spans."""
    span = re.compile(rf'<span class="(?:{"|".join(sorted(classes))})">([^<]*)</span>')

    def lighter(code):
        text, joined = span.sub(r"\1", code[0]), 1
        while joined:
            text, joined = NEIGHBOURS.subn(r"\1\3", text)
        return text

    return lighter


def unindented(page):
    """The page without comments, and with one line break for blanks that have one; not in code."""
    parts = AS_WRITTEN.split(page)  # outside, inside, name of the tag, outside, ...
    parts[::3] = (BLANKS.sub("\n", COMMENT.sub("", part)) for part in parts[::3])
    del parts[2::3]
    return "".join(parts)


def size_of(path):
    """Width and height of a picture in pixels; of an SVG without them, those of its view."""
    size = imagesize.get(path)
    if size[0] <= 0:
        box = re.search(r'viewBox="([^"]*)"', path.read_text(encoding="utf-8"))[1]
        size = map(float, box.replace(",", " ").split()[2:])
    return tuple(map(round, size))


def sized(page, folder):
    """The page with each picture's size; all but the first wait until they are scrolled to."""
    first = PICTURE.search(page)

    def picture(match):
        added = {}
        source = re.search(r'src="([^"?]+)', match[0])[1]
        if " width=" not in match[0] and ":" not in source:
            added["width"], added["height"] = size_of(folder / unquote(source))
        if " loading=" not in match[0] and match.start() != first.start():
            added["loading"] = "lazy"
        return "<img" + "".join(f' {k}="{v}"' for k, v in added.items()) + match[0][4:]

    return PICTURE.sub(picture, page)


def lighten_pages(site):
    """Take out of the pages what changes nothing; a page that is light stays as it is."""
    styles = (site / "_static" / "pygments.css").read_text(encoding="utf-8")
    plain_code = plain(without_effect(styles) | IN_INK)
    for path in pages(site):
        page = path.read_text(encoding="utf-8")
        lighter = unindented(CODE.sub(plain_code, UNBREAKABLE.sub(r"\1", page)))
        lighter = sized(lighter, path.parent)
        if lighter != page:
            path.write_text(lighter, encoding="utf-8")
        yield lighter


def drop_source_maps(site):
    """Take out what only authors of a theme read, and what names it."""
    for path in [*site.glob("_static/**/*.css"), *site.glob("_static/**/*.js")]:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        if (lighter := SOURCE_MAP.sub("", text)) != text:
            path.write_text(lighter, encoding="utf-8", errors="surrogateescape")


def shorten_sidebar(app, pagename, templatename, context, doctree):
    """On a page of source code the sidebar leads home and searches; the menu is on the others."""
    if pagename.startswith("_modules/"):
        context["sidebars"] = [
            s for s in context["sidebars"] if not s.endswith("sidebar-nav.html")
        ]


@with_pages
def lighten(app):
    """Take out of the site what no page asks for."""
    site = Path(app.outdir).resolve()
    rmtree(site / "_sources", ignore_errors=True)  # of an older build
    icons.lighten(site, lighten_pages(site))
    drop_source_maps(site)
    for path in idle(site):
        path.unlink()


def setup(app):
    app.add_post_transform(SharedScripts)
    app.connect("html-page-context", shorten_sidebar, priority=900)
    app.connect("build-finished", lighten, priority=900)  # of all that was written
    return {"parallel_read_safe": True, "parallel_write_safe": True}
