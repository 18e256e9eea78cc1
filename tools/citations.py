"""A Sphinx extension: a bibliography whose labels are the citations, "Ainsworth et al. (2023)".

The same names stand in the notebooks that `sync_notebooks` writes, where no Sphinx is at hand.
"""

from pathlib import Path

from pybtex.database import parse_file
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle

BIBLIOGRAPHY = Path(__file__).resolve().parent.parent / "book" / "references.bib"


def authors(entry):
    """Last names: one, two, or the first "et al."; braces of corporate names left out."""
    people = entry.persons.get("author") or entry.persons["editor"]
    names = [str(Text.from_latex(" ".join(p.prelast_names + p.last_names))) for p in people]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def citation(entry, parenthetical=False):
    """ "Ainsworth et al. (2023)", or "Ainsworth et al., 2023" to stand in parentheses."""
    year = entry.fields["year"]
    return f"{authors(entry)}, {year}" if parenthetical else f"{authors(entry)} ({year})"


def address(entry):
    """Where the work is to be had: its DOI as an address, else its url."""
    doi = entry.fields.get("doi")
    return f"https://doi.org/{doi}" if doi else entry.fields.get("url", "")


def reference(entry):
    """One line of a notebook's closing list of references."""
    title = str(Text.from_latex(entry.fields["title"]))
    place = entry.fields.get("journal") or entry.fields.get("booktitle") or ""
    place = f" *{Text.from_latex(place)}*." if place else ""
    link = f" <{address(entry)}>" if address(entry) else ""
    return f"{citation(entry)}. {title}.{place}{link}"


def entries():
    """All works of the bibliography, by key."""
    return dict(parse_file(str(BIBLIOGRAPHY)).entries)


class AuthorYearLabels(BaseLabelStyle):
    """Each work is labelled as it is cited."""

    def format_labels(self, sorted_entries):
        for entry in sorted_entries:
            yield citation(entry)


class AuthorYear(PlainStyle):
    default_label_style = AuthorYearLabels


def setup(app):
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    app.config.bibtex_default_style = "author_year"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
