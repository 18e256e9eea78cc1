"""A Sphinx extension: static figures in the reader's theme, sharp at any size.

Chapters draw SVG in the colours of `plotting.COLORS`. In the built page each figure stands
inline, its colours exchanged for CSS variables, which ``theme.css`` (written here from
`plotting.COLORS` and `plotting.DARK`) sets for a light page, a dark one and paper. So there is one
drawing, no white slab on a dark page, and letters stay letters.
"""

import hashlib
import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from netdist_utils import plotting

VARIABLES = {color: f"--nd-{name.replace(' ', '-')}" for name, color in plotting.COLORS.items()}
VARIABLES["#333333"] = "--nd-ink"  # seaborn's own, in the legends of styles and sizes
CELLS = re.compile(r'(<g id="QuadMesh_\d+">.*?</g>)', re.DOTALL)  # a heat map's: data, no ink
TAG = re.compile(r"<[^>]*>")
LONG = re.compile(r"(?<![\w.#])-?\d+\.\d{3,}")  # in a tag: a coordinate, in points
REFERENCE = re.compile(r'(xlink:href="#|href="#|url\(#)([\w.-]+)')


def theme_css():
    """The colours of figures, as CSS variables for a light page, a dark one and paper."""

    light, dark = (plotting.css_variables(c) for c in (plotting.COLORS, plotting.DARK))
    return (
        f":root {{ {light} }}\n"
        f'html[data-theme="dark"] {{ {dark} }}\n'
        f'@media print {{ html[data-theme="dark"] {{ {light} }} }}\n'
    )


def themed(svg, alt):
    """An SVG of matplotlib's as an inline element with a name, ids of its own, and CSS colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = "".join(part if CELLS.match(part) else in_variables(part) for part in CELLS.split(svg))
    svg = TAG.sub(rounded, svg)
    used = {name for _, name in REFERENCE.findall(svg)}
    prefix = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8]

    def own_id(match):
        return f' id="{prefix}-{match[1]}"' if match[1] in used else ""

    svg = re.sub(r' id="([\w.-]+)"', own_id, svg)
    svg = REFERENCE.sub(lambda match: f"{match[1]}{prefix}-{match[2]}", svg)
    width, height = (float(v) for v in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    size = f'width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'  # points to pixels
    opening = (
        f'<svg role="img" aria-label="{html.escape(alt)}" {size} viewBox="0 0 {width} {height}" '
    )
    opening += 'xmlns:xlink="http://www.w3.org/1999/xlink">'
    svg = re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1)
    return re.sub(r"\n\s*", "\n", svg)


def rounded(tag):
    """A tag with its coordinates in hundredths of a point; what stands between tags is words."""
    return LONG.sub(lambda match: shorter(float(match[0])), tag[0])


def shorter(number):
    """Two decimals; four digits of what is smaller than one, which may be a scale's factor."""
    return f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) >= 1 else f"{number:.4g}"


def in_variables(svg):
    """The same with each colour of the book as a CSS variable."""
    for color, variable in VARIABLES.items():
        svg = re.sub(color, f"var({variable})", svg, flags=re.IGNORECASE)
    return svg


class InlineFigures(SphinxPostTransform):
    """Replace each SVG picture of a chapter by the drawing itself."""

    default_priority = 5  # after MyST-NB has chosen among a cell's outputs
    formats = ("html",)

    def run(self, **kwargs):
        for node in list(self.document.findall(nodes.image)):
            path = Path(self.env.srcdir, node["uri"])
            if path.suffix == ".svg" and "jupyter_execute" in path.parts:
                drawing = themed(path.read_text(encoding="utf-8"), node.get("alt", ""))
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
