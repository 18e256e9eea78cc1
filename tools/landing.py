"""A Sphinx extension: what the landing page says of running and citing the book.

``{colab-buttons}`` opens each chapter in Colab, or says why it cannot; ``{how-to-cite}`` is the
citation of CITATION.cff in BibTeX, with the copy button that every block of code has.
"""

from pathlib import Path

import yaml
from address import address, colab
from cards import button
from docutils import nodes
from docutils.parsers.rst import Directive
from shared import inline
from sync_notebooks import sources

ROOT = Path(__file__).resolve().parent.parent
NOT_YET = (
    "<p class='not-yet'>Buttons for Colab stand here once the book has an address; this copy has "
    "none.</p>"
)


def colab_buttons(url, stems):
    """A row of buttons, one for each chapter."""
    if url is None:
        return NOT_YET
    row = "".join(
        button(f"Chapter {int(stem[:2])} in Colab", colab(url, f"notebooks/{stem}.ipynb"))
        for stem in stems
    )
    return f'<nav class="take" aria-label="Chapters in Colab">{row}</nav>'


def bibtex(citation):
    """The citation of a CITATION.cff file as an entry of BibTeX.

    >>> print(bibtex({"title": "T", "authors": [{"name": "N"}], "date-released": "2026-11-21",
    ...               "version": "0.1.0"}))
    @book{netdist2026,
      title = {T},
      author = {{N}},
      year = {2026},
      version = {0.1.0}
    }
    """
    year = str(citation["date-released"])[:4]
    fields = {
        "title": citation["title"],
        "author": " and ".join(f"{{{author['name']}}}" for author in citation["authors"]),
        "year": year,
        "version": citation["version"],
        "url": citation.get("url"),
        "note": f"Commit {citation['commit'][:10]}" if citation.get("commit") else None,
    }
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@book{{netdist{year},\n{lines}\n}}"


class HowToCite(Directive):
    """``{how-to-cite}``."""

    def run(self):
        text = bibtex(yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8")))
        return [nodes.literal_block(text, text, language="bibtex")]


def setup(app):
    buttons = inline(lambda: colab_buttons(address(), sorted(sources())))
    app.add_directive("colab-buttons", buttons)
    app.add_directive("how-to-cite", HowToCite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
