"""A Sphinx extension: pages carry what a reader needs, and no more.

Source maps are for whoever writes the theme; sources of pages are in the repository. What is
drawn inline is rounded to hundredths of a point (`figures`).
"""

import re
import shutil
from pathlib import Path

from finished import with_pages

NAMED = re.compile(r"\s*(//|/\*)# sourceMappingURL=\S+?(\*/)?\s*$")  # at the end of a file


@with_pages
def lighten(app):
    """Take out of the site what no page asks for."""
    shutil.rmtree(Path(app.outdir) / "_sources", ignore_errors=True)  # of an older build
    static = Path(app.outdir) / "_static"
    for path in static.rglob("*.map"):
        path.unlink()
    for kind in ("js", "css"):
        for path in static.rglob(f"*.{kind}"):
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            path.write_text(NAMED.sub("", text), encoding="utf-8", errors="surrogateescape")


def setup(app):
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
