"""The glossary: sorted, used, and each term linked where it first stands in a chapter."""

import itertools
import re
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {path.stem: path.read_text() for path in sorted((ROOT / "notebooks").glob("*.py"))}
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]*)`")
# Not prose: formulas, code, links, headings (run-in ones too), lines that open a directive.
OTHER = re.compile(
    r"```.*?```|\$\$.*?\$\$(?:\s\(eq-[\w-]+\))?|\$[^$]+\$|`[^`]*`|https?://\S+"
    r"|\*\*(?:[^\s*]+\s){0,4}[^\s*]+[.?:]\*\*|^#+ [^\n]*$|^:{3,}[^\n]*$|^:\w+:[^\n]*$",
    re.MULTILINE | re.DOTALL,
)
BOLD = re.compile(r"\*\*([^*]+)\*\*")
PAGES = [path.read_text() for path in (ROOT / "book").rglob("*.md") if path.stem != "glossary"]
# Phrases in which the word of a term is no term, and why: {term: {phrase: reason}}.
EVERYDAY = {
    "band": {"the band that forty": "an area of a figure"},
    "claim": {"and claims that": "a verb, of somebody else"},
    "cosine": {"along a cosine": "the shape of a falling learning rate"},
    "degree": {
        "degrees of freedom": "a number of a distribution",
        "to some degree": "to some extent",
    },
    "gain": {
        "pairs of them gain more": "a verb",
        "pairs gain on": "a verb",
    },
    "kernel": {"position of the kernel": "the weights of a convolution"},
    "rank": {"ranks them": "a verb", "rank of the eigenvalue": "its place in an order"},
    "setting": {"by setting": "a verb"},
    "spectrum": {"image's spectrum": "the Fourier spectrum of a picture"},
}


def entries(glossary):
    """[(term, text)] of a glossary, in its order."""
    body = re.search(r":::\{glossary\}\n(.*?)^:::", glossary, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"^(\S[^\n]*)\n((?:(?: [^\n]*)?\n)*)", body, re.MULTILINE)


def prose(source):
    """Text of the Markdown cells, slides left out."""
    cells = jupytext.reads(source, fmt="py:percent").cells
    found = [c.source for c in cells if c.cell_type == "markdown" and "slide" not in c.metadata]
    return "\n\n".join(found)


def linked(match):
    """Name of the term that a role links to."""
    text = " ".join(match["text"].split())
    return text[text.index("<") + 1 : -1] if text.endswith(">") else text


def pattern(name):
    """A name as it may stand in a sentence: over a line's end, and in the plural."""
    stem, end = name, "(?:s|es)?"
    if name.endswith("is"):
        stem, end = name[:-2], "[ie]s"
    elif name.endswith("y") and name[-2] not in "aeiou":
        stem, end = name[:-1], "(?:y|ies)"
    return r"\s+".join(map(re.escape, stem.split())) + end


def everyday_spans(text, everyday):
    """{term: spans of the phrases in which its word is no term}."""
    return {
        term: [m.span() for p in phrases for m in re.finditer(pattern(p), text, re.IGNORECASE)]
        for term, phrases in everyday.items()
    }


def first_mentions(text, names, everyday=EVERYDAY):
    """{term: whether its first mention is a link}, for the terms that a text mentions."""
    marks = {}

    def mark(match):
        if match["role"] != "term":
            return " "
        marks[len(marks)] = linked(match).lower()
        return f" \x00{len(marks) - 1}\x00 "

    text = OTHER.sub(" ", ROLE.sub(mark, text))
    spans = everyday_spans(text, everyday)
    found = {}
    by_lower = {name.lower(): name for name in names}
    longest_first = sorted(names, key=len, reverse=True)
    either = "|".join(f"(?P<t{k}>{pattern(name)})" for k, name in enumerate(longest_first))
    words = re.compile(rf"\x00(?P<mark>\d+)\x00|\b(?:{either})\b", re.IGNORECASE)
    for match in words.finditer(text):
        if match["mark"]:
            found.setdefault(by_lower.get(marks[int(match["mark"])]), True)
            continue
        name = longest_first[int(match.lastgroup[1:])]
        if not any(a <= match.start() and match.end() <= b for a, b in spans.get(name, [])):
            found.setdefault(name, False)
    found.pop(None, None)
    return found


def unsorted(names):
    """Names that stand after one that should follow them, case aside."""
    lower = [name.lower() for name in names]
    return [b for a, b in itertools.pairwise(lower) if a >= b]


def bold_terms(text):
    """Bold names in running text: no run-in heads, which end with . ? or :, and no sentences."""
    phrases = BOLD.findall(OTHER.sub(" ", ROLE.sub(lambda m: linked(m), text)))
    return [p for p in phrases if len(p.split()) <= 5 and not p.endswith((".", "?", ":"))]


def not_entries(phrases, names):
    """Phrases, or their singulars, that are no terms."""
    known = re.compile("|".join(map(pattern, names)), re.IGNORECASE)
    return [phrase for phrase in phrases if not known.fullmatch(phrase)]


def links(text):
    """Names, in small letters, that a page links to."""
    return {linked(m).lower() for m in ROLE.finditer(text) if m["role"] == "term"}


def unused(glossary, pages):
    """Terms of a glossary, [(name, text)], that no page and no other entry links to."""
    used = set().union(*map(links, pages))
    for name, text in glossary:
        used |= links(text) - {name.lower()}
    return [name for name, _ in glossary if name.lower() not in used]


ENTRIES = entries(GLOSSARY)
TERMS = [name for name, _ in ENTRIES]
PROSE = {stem: prose(source) for stem, source in SOURCES.items()}
each = pytest.mark.parametrize("stem", sorted(SOURCES))


@each
def test_a_term_is_linked_where_it_first_stands(stem):
    unlinked = [t for t, ok in first_mentions(PROSE[stem], TERMS).items() if not ok]
    assert unlinked == []


@each
def test_a_bold_phrase_in_running_text_is_an_entry(stem):
    assert not_entries(bold_terms(PROSE[stem]), TERMS) == []


def test_the_glossary_is_sorted():
    assert unsorted(TERMS) == []


def test_each_entry_is_used_by_some_page_and_each_link_has_an_entry():
    pages = [*PROSE.values(), *PAGES]
    assert unused(ENTRIES, pages) == []
    known = {name.lower() for name in TERMS}
    assert sorted(set().union(*map(links, [*pages, GLOSSARY])) - known) == []


@pytest.mark.parametrize(("term", "phrase"), [(t, p) for t in EVERYDAY for p in EVERYDAY[t]])
def test_each_everyday_phrase_has_a_reason_and_is_needed(term, phrase):
    assert EVERYDAY[term][phrase]
    fewer = {term: {p: why for p, why in EVERYDAY[term].items() if p != phrase}}
    found = [first_mentions(text, TERMS, EVERYDAY | fewer).get(term) for text in PROSE.values()]
    assert False in found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a dead unit", {"dead unit": False}),
        ("a dead\nunit, then a {term}`dead unit`", {"dead unit": False}),
        ("two {term}`dead\nunits <dead unit>`, one dead unit", {"dead unit": True}),
        ("rotated axes", {"rotated axis": False}),
        ("two symmetries, and a dead unit", {"symmetry": False, "dead unit": False}),
        ("## A dead unit\n$dead unit$ {numref}`dead unit`", {}),
        ("3 degrees of freedom; degree one", {"degree": False}),
        ("3 degrees of freedom", {}),
        ("**Dead units.** None. **A dead unit** and another", {"dead unit": False}),
        ("**Dead units.** None.", {}),
    ],
)
def test_a_planted_mention_is_found(text, found):
    names = ["dead unit", "rotated axis", "symmetry", "degree"]
    everyday = {"degree": {"degrees of freedom": "a number of a distribution"}}
    assert first_mentions(text, names, everyday) == found


def test_a_planted_disorder_is_found():
    assert unsorted(["Adam", "batch", "bias", "Banzhaf value"]) == ["banzhaf value"]
    assert unsorted(["batch", "Batch"]) == ["batch"]


def test_a_planted_bold_phrase_is_found():
    text = "**A head.** The **dead units** and the **flobs** are here. **Why?** $**x**$"
    assert not_entries(bold_terms(text), ["dead unit"]) == ["flobs"]


def test_a_planted_orphan_is_found():
    glossary = [("dead unit", "a {term}`flob`"), ("flob", ""), ("gnarl", "a {term}`gnarl`")]
    assert unused(glossary, ["{doc}`gnarl`"]) == ["dead unit", "gnarl"]
    assert unused(glossary, ["{term}`dead\nunits <dead unit>`, {term}`Gnarl`"]) == []
