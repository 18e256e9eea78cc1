"""A Sphinx extension: how the five lenses relate, as nested boxes, for the landing page.

The directive ``lens-diagram`` says what each lens looks at and what it forgives. The boxes are
text of the page, so that they are as legible on a phone and on a dark page as the rest.
"""

from html import escape

from shared import inline

# From the outermost box inwards: name, and what is forgiven.
NESTED = [
    ("spectra (chapter 5)", "forgive a rotation of the units and one of their inputs"),
    ("covariance (chapter 3)", "forgives a rotation of the units"),
    ("matching and convergence (chapters 1 and 4)", "forgive another order of the units"),
    (
        "the weights as they came",
        "forgive nothing: place by place, those of two networks are about uncorrelated",
    ),
]
BESIDE = ("ablation (chapter 2)", "looks at what happens to the errors as units are removed")


def box(name, what, inner=""):
    """A box with its name, what it forgives, and the boxes in it."""
    return f'<div class="lens"><strong>{escape(name)}</strong><p>{escape(what)}</p>{inner}</div>'


def drawing():
    """The diagram as HTML."""
    nested = ""
    for name, what in reversed(NESTED):
        nested = box(name, what, nested)
    return f'<div class="lens-diagram">{nested}{box(*BESIDE)}</div>'


def setup(app):
    app.add_directive("lens-diagram", inline(drawing))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
