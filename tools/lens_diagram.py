"""A Sphinx extension: how the five lenses relate, drawn as nested boxes, for the landing page.

The directive ``lens-diagram`` draws what each lens looks at and what it forgives. Text and boxes
take the page's own colours, so the drawing is right on a light and on a dark page.
"""

from html import escape

from docutils import nodes
from docutils.parsers.rst import Directive

WIDTH, ROW, PAD = 640, 62, 14
# From the outermost box inwards: name, chapter, what is forgiven.
NESTED = [
    ("spectra", 5, "forgive a rotation of the units and one of their inputs"),
    ("covariance", 3, "forgives a rotation of the units"),
    ("matching and convergence", "1 and 4", "forgive another order of the units"),
    (
        "the weights as they came",
        None,
        "forgive nothing: two trained networks have nothing in common",
    ),
]
BESIDE = ("ablation", 2, "looks at what happens to the errors as units are removed")
ALT = (
    "Four boxes, one inside the other. The outermost is spectra, chapter 5, which forgive a "
    "rotation of the units and one of their inputs. Inside it covariance, chapter 3, which "
    "forgives a rotation of the units; inside that matching and convergence, chapters 1 and 4, "
    "which forgive another order of the units; innermost the weights as they came. Below them a "
    "box for ablation, chapter 2, which looks at what happens to the errors as units are removed."
)


def box(x, y, width, height, name, chapter, what):
    """A box with its name, its chapter and what it forgives."""
    of = f" (chapter{'s' if chapter == '1 and 4' else ''} {chapter})" if chapter else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" fill="currentColor" '
        'fill-opacity="0.06" stroke="currentColor"/>'
        f'<text x="{x + PAD}" y="{y + 24}" font-weight="600">{escape(name + of)}</text>'
        f'<text x="{x + PAD}" y="{y + 44}" font-size="14">{escape(what)}</text>'
    )


def drawing():
    """The diagram as SVG."""
    boxes, n = [], len(NESTED)
    inner = n * ROW + (n - 1) * PAD
    for k, lens in enumerate(NESTED):
        left, top = 1 + k * PAD, 1 + k * ROW
        boxes.append(box(left, top, WIDTH - 2 * left, inner - k * (ROW + PAD), *lens))
    boxes.append(box(1, inner + PAD, WIDTH - 2, ROW, *BESIDE))
    height = inner + PAD + ROW + 2
    return (
        f'<svg class="lens-diagram" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(ALT)}" font-size="16" fill="currentColor">{"".join(boxes)}</svg>'
    )


class LensDiagram(Directive):
    """The diagram, inline."""

    def run(self):
        return [nodes.raw("", drawing(), format="html")]


def setup(app):
    app.add_directive("lens-diagram", LensDiagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
