"""Numbers on a page come from the computation; those that are typed stand in a list with reasons.

``typed_numbers/<chapter>.toml`` maps each number that is typed into prose, captions and alt texts
to why it may be: a *definition*, a *size*, or the *source*'s own number. An unlisted one fails.
"""

import re
import tomllib
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
NUMBER = re.compile(r"(?<![\w.,/-])[-−]?\d[\d,]*(?:\.\d+)?(?![\w-]|\.\d)")
IN_FORMULA = re.compile(r"\d+\.\d+|\d{3,}")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
NOT_PROSE = [
    re.compile(r"```.*?```", re.DOTALL),  # code blocks
    re.compile(r"\{[\w:-]+\}`[^`]*`"),  # roles
    re.compile(r"`[^`]*`"),  # code
    re.compile(r"https?://\S+"),
    re.compile(r"^#+ .*$", re.MULTILINE),  # headings
    re.compile(
        r"^:{3,}\{.*$|^:label: .*$|^\*\w+, \w+, \d+ minutes\.\*", re.MULTILINE
    ),  # exercises
    # Names, which are no measurements: network 1, hidden layer 2, chapters 3 and 5.
    re.compile(
        r"\b(?:networks?|layers?|units?|chapters?|convolutions?|convs?|classes|class|exercises?|"
        r"degrees?|seeds?)\s+\d+(?:(?:,| to| and| or)\s+\d+)*",
        re.IGNORECASE,
    ),
]
REASONS = ("definition: ", "size: ", "source: ")


def numbers_of(text):
    """Numbers that somebody typed into a text."""
    found = [n for formula in FORMULA.findall(text) for n in IN_FORMULA.findall(formula)]
    text = FORMULA.sub(" ", text)
    for pattern in NOT_PROSE:
        text = pattern.sub(" ", text)
    return {*found, *(match.rstrip(",") for match in NUMBER.findall(text))}


def typed_in(source):
    """Numbers typed into the Markdown, captions and alt texts of a chapter."""
    found = set()
    for cell in jupytext.reads(source, fmt="py:percent").cells:
        if cell.cell_type == "markdown":
            found |= numbers_of(cell.source)
        page = cell.metadata.get("mystnb", {})
        found |= numbers_of(page.get("figure", {}).get("caption", ""))
        found |= numbers_of(page.get("image", {}).get("alt", ""))
    return found


def listed(stem):
    path = ROOT / "tests" / "typed_numbers" / f"{stem}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_typed_number_has_its_reason(source):
    typed, reasons = typed_in(source.read_text(encoding="utf-8")), listed(source.stem)
    assert typed - set(reasons) == set(), "typed, and not listed: print it from the computation"
    assert set(reasons) - typed == set(), "listed, and no longer there"
    for number, reason in reasons.items():
        assert reason.startswith(REASONS), f"{number}: a reason begins with one of {REASONS}"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It gains 0.538, or 41 %.", {"0.538", "41"}),
        ("From -0.2 to 1,048,576 of them.", {"-0.2", "1,048,576"}),
        ("Network 1 and chapters 3 and 5, layer 2.", set()),
        ("`x[3]` and {numref}`fig-1` and $W_1 + 2$", set()),
        ("$15! \\approx 1.3 \\times 10^{12}$", {"1.3"}),
        ("A 64-15-10 network, 8 x 8 pixels", {"8"}),
        (":::{exercise} Two of 9\n:label: ex-1\n\n*Code, hard, 20 minutes.* Why 17?", {"17"}),
        ("```python\nx = 7\n```", set()),
    ],
)
def test_numbers_are_found_in_prose_alone(text, numbers):
    assert numbers_of(text) == numbers
