"""A Sphinx extension: static figures in the reader's theme, sharp at any size.

Chapters draw SVG in the colours of `plotting.COLORS`. In the built page each figure stands
inline, in few bytes (`drawing`), its colours exchanged for CSS variables, which ``theme.css``
(written here from `plotting.COLORS` and `plotting.DARK`) sets for a light page, a dark one and
paper. So there is one drawing, no white slab on a dark page, and letters stay letters.
"""

import html
import io
import re
from itertools import count
from pathlib import Path

import matplotlib as mpl
from docutils import nodes
from drawing import ATTRIBUTE, compact, prefix
from matplotlib.figure import Figure
from sphinx.transforms.post_transforms import SphinxPostTransform

from netdist_utils import plotting

VARIABLES = {color: f"--nd-{name.replace(' ', '-')}" for name, color in plotting.COLORS.items()}
VARIABLES["#333333"] = "--nd-ink"  # seaborn's own, in the legends of styles and sizes
CELLS = re.compile(r'(<g id="QuadMesh_\d+">.*?</g>)', re.DOTALL)  # a heat map's: data, no ink
KEPT = ("viewBox", "font-family", "stroke-linejoin")  # of an SVG's opening tag


def theme_css():
    """The colours of figures, as CSS variables for a light page, a dark one and paper."""

    light, dark = (plotting.css_variables(c) for c in (plotting.COLORS, plotting.DARK))
    return (
        f":root {{ {light} }}\n"
        f'html[data-theme="dark"] {{ {dark} }}\n'
        f'@media print {{ html[data-theme="dark"] {{ {light} }} }}\n'
    )


def themed(svg, alt, prefix):
    """An SVG of matplotlib's as an inline element with a name, ids of its own, and CSS colours."""
    svg = svg[svg.index("<svg") :]
    svg = "".join(part if CELLS.match(part) else in_variables(part) for part in CELLS.split(svg))
    svg = compact(svg, prefix)
    found = dict(ATTRIBUTE.findall(svg.partition(">")[0]))
    width, height = map(float, found["viewBox"].split()[2:])
    size = f'width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'  # points to pixels
    kept = "".join(f' {name}="{found[name]}"' for name in KEPT if name in found)
    opening = f'<svg role="img" aria-label="{html.escape(alt)}" {size}{kept}>'
    return opening + svg.partition(">")[2]


def in_variables(svg):
    """The same with each colour of the book as a CSS variable."""
    for color, variable in VARIABLES.items():
        svg = re.sub(color, f"var({variable})", svg, flags=re.IGNORECASE)
    return svg


def drawn(make, found, alt, prefix):
    """What a function draws, as an inline SVG in the page's colours."""
    with mpl.rc_context():
        plotting.use_style()
        canvas = Figure(layout="constrained")
        make(canvas, found)
        written = io.StringIO()
        canvas.savefig(written, format="svg", metadata={"Date": None})
    return themed(written.getvalue(), alt, prefix)


def plain(value, _):
    """A tick in plain figures, which are fewer bytes than a power of ten.

    >>> plain(1000.0, 0), plain(1e-05, 0)
    ('1,000', '0.00001')
    """
    return f"{value:,.0f}" if value >= 1 else f"{value:.9f}".rstrip("0")


def captioned(drawing, caption):
    """A drawing with words below it, as HTML."""
    return (
        f'<figure><div class="drawing">{drawing}</div><figcaption><p>'
        f'<span class="caption-text">{html.escape(caption)}</span></p></figcaption></figure>'
    )


class InlineFigures(SphinxPostTransform):
    """Replace each SVG picture of a chapter by the drawing itself."""

    default_priority = 5  # after MyST-NB has chosen among a cell's outputs
    formats = ("html",)

    def run(self, **kwargs):
        number, stem = count(), Path(self.env.docname).name
        for node in list(self.document.findall(nodes.image)):
            path = Path(self.env.srcdir, node["uri"])
            if path.suffix == ".svg" and "jupyter_execute" in path.parts:
                own = prefix(stem, next(number))
                drawing = themed(path.read_text(encoding="utf-8"), node.get("alt", ""), own)
                text = f'<div class="drawing">{drawing}</div>'
                node.replace_self(nodes.raw("", text, format="html"))


def write_theme(app):
    """The style sheet of colours, beside the pages' other ones."""
    folder = Path(app.outdir) / "_static"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theme.css").write_text(theme_css(), encoding="utf-8")


def setup(app):
    app.add_post_transform(InlineFigures)
    app.connect("builder-inited", write_theme)
    app.add_css_file("theme.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
