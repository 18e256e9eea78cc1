"""The glossary: a chapter links each of its terms where it first stands."""

import re
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.stem: path.read_text() for path in sorted((ROOT / "notebooks").glob("*.py"))}
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]*)`")
# Not prose: formulas, code, links, headings, and the lines that open a directive.
OTHER = re.compile(
    r"```.*?```|\$\$.*?\$\$|\$[^$]+\$|`[^`]*`|https?://\S+"
    r"|^#+ [^\n]*$|^:{3,}[^\n]*$|^:\w+:[^\n]*$",
    re.MULTILINE | re.DOTALL,
)
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")


def terms(glossary):
    """Terms that a glossary defines, in its order."""
    body = re.search(r":::\{glossary\}\n(.*?)^:::", glossary, re.DOTALL | re.MULTILINE)[1]
    return [line for line in body.splitlines() if line and not line.startswith(" ")]


def prose(source):
    """Text of the Markdown cells, slides left out."""
    cells = jupytext.reads(source, fmt="py:percent").cells
    found = [c.source for c in cells if c.cell_type == "markdown" and "slide" not in c.metadata]
    return "\n\n".join(found)


def linked(match):
    """Name of the term that a role links to."""
    text = match["text"]
    return text[text.index("<") + 1 : -1] if text.endswith(">") else text


def first_mentions(text, names):
    """{term: whether its first mention is a link}, for the terms that a text mentions."""
    marks = {}

    def mark(match):
        if match["role"] != "term":
            return " "
        marks[len(marks)] = linked(match).lower()
        return f" \x00{len(marks) - 1}\x00 "

    text = OTHER.sub(" ", ROLE.sub(mark, text))
    found = {}
    longest_first = sorted(names, key=len, reverse=True)
    either = "|".join(re.escape(name) for name in longest_first)
    words = re.compile(rf"\x00(?P<mark>\d+)\x00|\b(?P<word>{either})(?:s|es)?\b", re.IGNORECASE)
    by_lower = {name.lower(): name for name in names}
    for match in words.finditer(text):
        if match["mark"]:
            name = by_lower.get(marks[int(match["mark"])])
            found.setdefault(name, True)
        else:
            found.setdefault(by_lower[match["word"].lower()], False)
    found.pop(None, None)
    return found


TERMS = terms(GLOSSARY)
each = pytest.mark.parametrize("stem", sorted(SOURCES))


@each
def test_a_term_is_linked_where_it_first_stands(stem):
    unlinked = [t for t, ok in first_mentions(prose(SOURCES[stem]), TERMS).items() if not ok]
    assert unlinked == []
