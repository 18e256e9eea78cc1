"""What several of the book's extensions do in the same way."""

from functools import wraps

from docutils import nodes
from docutils.parsers.rst import Directive


def with_pages(handler):
    """Call a handler of ``build-finished`` where HTML was built without a fault, and only there.

    The decorated function takes the application alone.
    """

    @wraps(handler)
    def on_finished(app, exception):
        if exception is None and app.builder.format == "html":
            handler(app)

    return on_finished


def pages(site):
    """All pages of a site; what ``_static`` has of them are a theme's templates."""
    return [path for path in site.rglob("*.html") if "_static" not in path.parts]


def chapters(env):
    """Names of the book's chapters, in their order."""
    return sorted(name for name in env.found_docs if name.startswith("notebooks/"))


def taught(stem, up="../"):
    """Where a chapter has its slides, plan and student notebook; ``up`` leads to the root."""
    return {
        "slides": f"{up}slides/{stem}.html",
        "lesson plan": f"{up}book/teaching/{stem}.html",
        "student notebook": f"{up}student/{stem}.ipynb",
    }


def inline(make):
    """A directive without arguments, in whose place stands the HTML that a function makes."""

    class Inline(Directive):
        def run(self):
            return [nodes.raw("", make(), format="html")]

    return Inline
