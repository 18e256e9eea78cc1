"""A Sphinx extension: the page with all claims of the book.

Sphinx reads (and so executes) all pages before it writes any. The directive ``claims-ledger``
leaves a placeholder when its page is read; when the page is written, every chapter has run, and
the records of `netdist_utils.claims` are there to be shown. A chapter that comes from the
execution cache leaves its records from the run that filled the cache.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from netdist_utils import claims

COLUMNS = ["Claim", "Source or null", "Measured", "Band", "Scale", "Data set", "Status"]
NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
LOGGER = logging.getLogger(__name__)


class Placeholder(nodes.General, nodes.Element):
    """Stands where the table will be."""


class ClaimsLedger(SphinxDirective):
    def run(self):
        return [Placeholder()]


def record_of(name, folder):
    path = Path(folder) / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def lacking(named, folder):
    """Claims that are not on record though their chapter has run: it came from the cache."""
    return [name for name, claim in named if "needs" not in claim and not record_of(name, folder)]


def section_of(name, chapter):
    """Title of the section in which a chapter checks a claim; empty where it does not."""
    path = NOTEBOOKS / f"{chapter}.py"
    before, found, _ = path.read_text(encoding="utf-8").partition(f'"{name}"')
    titles = re.findall(r"^# ## (.+)$", before, re.MULTILINE)
    return titles[-1] if found and titles else ""


def row_of(name, claim, record, page):
    """Cells of one claim's row; the first leads to the section that states it."""
    title = nodes.Text(claim["title"])
    if page and (section := section_of(name, claim["chapter"])):
        title = nodes.reference("", claim["title"], refuri=f"{page}#{nodes.make_id(section)}")
    if record is None:
        status = f"not measured: needs {claim.get('needs', 'its chapter')}"
        return [title, *map(nodes.Text, [claims.format_source(claim), "", "", "", "", status])]
    words = [
        claims.format_source(claim, record["null"]),
        claims.format_measured(record),
        claims.format_band(record["band"]),
        record["scale"],
        record["dataset"],
        record["status"],
    ]
    return [title, *map(nodes.Text, words)]


def table_of(rows):
    """A docutils table with a header."""
    group = nodes.tgroup(cols=len(COLUMNS))
    group += [nodes.colspec(colwidth=width) for width in (30, 20, 12, 12, 9, 9, 8)]
    head, body = nodes.thead(), nodes.tbody()
    for part, cells_of_rows in ((head, [list(map(nodes.Text, COLUMNS))]), (body, rows)):
        for cells in cells_of_rows:
            row = nodes.row()
            row += [nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells]
            part += row
    group += [head, body]
    return nodes.table("", group, classes=["ledger"])


def fill(app, doctree, docname):
    """Replace the placeholder by one table a chapter."""
    for place in list(doctree.findall(Placeholder)):
        content = []
        chapters = {}
        for name, claim in claims.tables().items():
            chapters.setdefault(claim["chapter"], []).append((name, claim))
        for chapter, named in chapters.items():
            page = f"notebooks/{chapter}"
            title = app.env.titles[page].astext() if page in app.env.titles else chapter
            target = app.builder.get_relative_uri(docname, page) if page in app.env.titles else ""
            heading = nodes.paragraph("", "", classes=["ledger-chapter"])
            heading += nodes.reference("", title, refuri=target) if target else nodes.Text(title)
            folder = claims.ledger_dir()
            if target and (names := lacking(named, folder)):
                LOGGER.warning("%s left no record of %s: `make book` runs it anew", page, names)
            rows = [row_of(name, c, record_of(name, folder), target) for name, c in named]
            content += [heading, table_of(rows)]
        place.replace_self(content)


def always_write(app, env):
    """The ledger's page is written on every build, whatever has changed."""
    return ["book/ledger"] if "book/ledger" in env.found_docs else []


def setup(app):
    app.add_node(Placeholder)
    app.add_directive("claims-ledger", ClaimsLedger)
    app.connect("doctree-resolved", fill)
    app.connect("env-updated", always_write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
