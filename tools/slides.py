"""A Sphinx extension: slides for each chapter, from the cells that its source tags.

A figure cell with ``slide="An idea."`` becomes a slide: the idea, and the figure as the chapter's
built page has it. A Markdown cell tagged ``slide-only`` becomes one of words or of a formula.
``say="..."`` is for the speaker (key S), with the figure's caption. reveal.js is served from the
site itself, as sphinx-revealjs packs it; nothing is asked of another host.
"""

import html
import re
import shutil
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from shared import with_pages
from sync_notebooks import Plain, cells_in, figure_of, sources

REVEAL = ("reset.css", "reveal.css", "reveal.js")
PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="stylesheet" href="../_static/reveal/reset.css">
<link rel="stylesheet" href="../_static/reveal/reveal.css">
<link rel="stylesheet" href="../_static/theme.css">
<link rel="stylesheet" href="../_static/slides.css">
<script>window.MathJax = {{options: {{processHtmlClass: "math"}}}}</script>
<script defer src="../_static/mathjax/tex-chtml.js"></script>
</head>
<body><div class="reveal"><div class="slides">
{sections}
</div></div>
<script src="../_static/reveal/reveal.js"></script>
<script src="../_static/reveal/notes.js"></script>
<script src="../_static/slides.js"></script>
</body></html>
"""


def markdown(text):
    """Words of a slide as HTML, formulas as MathJax reads them."""

    def formula(content, options):
        marks = ("\\[", "\\]") if options["display_mode"] else ("\\(", "\\)")
        return f"{marks[0]}{html.escape(content)}{marks[1]}"

    reader = MarkdownIt("commonmark")
    reader.use(dollarmath_plugin, allow_space=True, renderer=formula)
    return reader.render(text)


def title_of(cells):
    """Title and question of a chapter, from its head."""
    head = cells[0].source
    question = re.search(r"\*\*The question\.\*\* (.*?)\n\n", head, re.DOTALL)[1]
    plain = re.sub(r"\*([^*]+)\*", r"\1", Plain().markdown(question))
    return re.match(r"# (.+)", head)[1], " ".join(plain.split())


def figures_of(page):
    """{name: (content, caption)} of the figures of a built page, as HTML."""
    found = {}
    for match in re.finditer(
        r'<figure[^>]* id="(fig-[\w-]+)">(.*?)<figcaption>(.*?)</figcaption>\s*</figure>',
        page,
        re.DOTALL,
    ):
        content = match[2].replace('<div class="output text_html">', '<div class="movable">')
        # A section inside a section would be a stack of slides.
        content = content.replace('<section class="netdist-', '<div role="region" class="netdist-')
        content = content.replace("</noscript></section>", "</noscript></div>")
        words = re.sub(r'<a\s+class="headerlink.*?</a>', "", match[3], flags=re.DOTALL)
        found[match[1]] = content, " ".join(re.sub(r"<[^>]+>", "", words).split())
    return found


def section(idea, body, *notes, kind="words"):
    """One slide."""
    said = "".join(f"<p>{html.escape(html.unescape(note))}</p>" for note in notes if note)
    aside = f'<aside class="notes">{said}</aside>' if said else ""
    return f'<section class="{kind}">\n<h2>{html.escape(idea)}</h2>\n{body}\n{aside}</section>'


def sections(source, figures, number):
    """Slides of a chapter in order; ``figures`` are those of its built page."""
    cells = cells_in(source)
    title, question = title_of(cells)
    foot = "<p class='book'>What trained networks have in common. CC BY 4.0.</p>"
    head = f"<h1>{number}. {title}</h1>\n<p>{question}</p>\n{foot}"
    found = [f'<section class="title">\n{head}\n</section>']
    for cell in cells:
        idea, say = cell.metadata.get("slide"), cell.metadata.get("say", "")
        if not idea:
            continue
        if cell.cell_type == "markdown":
            body = f'<div class="math">{markdown(cell.source)}</div>'
            found.append(section(idea, body, say))
        else:
            content, caption = figures[figure_of(cell)["name"]]
            handle = "netdist-figure" in content
            kind = "handle" if handle else "figure"
            found.append(section(idea, content, say, caption, kind=kind))
    return f"{number}. {title}", found


@with_pages
def write(app):
    """The slides of all chapters whose pages were built, and what they are shown with."""
    out = Path(app.outdir)
    shown = files("sphinx_revealjs") / "_static" / "revealjs"
    reveal = out / "_static" / "reveal"
    reveal.mkdir(parents=True, exist_ok=True)
    paths = [shown / "dist" / name for name in REVEAL]
    for path in [*paths, shown / "plugin" / "notes" / "notes.js", shown / "LICENSE"]:
        shutil.copy(str(path), reveal / path.name)
    (out / "slides").mkdir(exist_ok=True)
    for stem, source in sources().items():
        page = out / "notebooks" / f"{stem}.html"
        if page.exists():
            built = figures_of(page.read_text(encoding="utf-8"))
            title, found = sections(source, built, int(stem[:2]))
            text = PAGE.format(title=html.escape(title), sections="\n".join(found))
            (out / "slides" / f"{stem}.html").write_text(text, encoding="utf-8")


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
