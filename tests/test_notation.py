"""The page of notation: it lists what the chapters' formulas use, and nothing else."""

import re
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "book" / "notation.md").read_text(encoding="utf-8")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
ROW = re.compile(r"^\* - \(symbol-[\w-]+\)=\n    (.*)$", re.MULTILINE)
# A letter with its hat or its face is one symbol; so is a name in upright letters.
TOKEN = re.compile(
    r"\\(?:operatorname|begin|end|text|mathrm|mathbb)\s*(?:\{[^}]*\}|[A-Za-z])"
    r"|\\hat\s*\{?\\?[A-Za-z]+\}?|\\[A-Za-z]+|[^\s\\]"
)
GREEK = re.compile(
    r"\\(?:var)?(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi"
    r"|rho|sigma|tau|upsilon|phi|chi|psi|omega)$",
    re.IGNORECASE,
)
INDEX = set("ijkl")  # in the page's symbols, each stands for any index


def tokens(formula):
    """Symbols and signs of a formula; spaces and sizes of brackets left out."""
    found = (re.sub(r"[\s{}]", "", token) or token for token in TOKEN.findall(formula))
    return [t for t in found if t not in (r"\left", r"\right", r"\big", r"\Big", r"\lvert")]


def formulas(text):
    """Formulas of a text, as lists of tokens."""
    return [tokens(a or b) for a, b in FORMULA.findall(CODE.sub(" ", text))]


def letters(formula):
    """Letters and named functions among tokens; a letter with its hat or face is another one."""
    named = (r"\hat", r"\mathbb", r"\operatorname")
    return {t for t in formula if t.isalpha() or GREEK.match(t) or t.startswith(named)}


def page_symbols(page):
    """Symbols of the tables' first columns, as lists of tokens."""
    return [symbol for line in ROW.findall(page) for symbol in formulas(line)]


def stands_in(symbol, formula):
    """Whether a symbol's tokens follow each other in a formula, an index being any index."""

    def fits(k, token, other):
        index = k > 0 and token in INDEX and symbol[k - 1] in "_{(ijkl"
        return token == other or (index and len(other) == 1 and other.isalnum())

    return any(
        all(fits(k, a, b) for k, (a, b) in enumerate(zip(symbol, formula[start:], strict=False)))
        for start in range(len(formula) - len(symbol) + 1)
    )


def absent(symbols, chapters):
    """Symbols that stand in no formula of any chapter."""
    everywhere = [formula for found in chapters.values() for formula in found]
    return ["".join(s) for s in symbols if not any(stands_in(s, f) for f in everywhere)]


def missing(symbols, chapters):
    """Letters in the formulas of two or more chapters that no symbol has."""
    each = [set().union(*map(letters, found)) for found in chapters.values()]
    known = set().union(*map(letters, symbols))
    return sorted(a for a in set().union(*each) - known if sum(a in used for used in each) > 1)


def prose(source):
    cells = jupytext.reads(source, fmt="py:percent").cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


CHAPTERS = {
    path.stem: formulas(prose(path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "notebooks").glob("*.py"))
}
SYMBOLS = page_symbols(PAGE)


def test_each_symbol_of_the_page_stands_in_a_chapter():
    assert len(SYMBOLS) > 60
    assert absent(SYMBOLS, CHAPTERS) == []


def test_each_letter_of_two_chapters_is_on_the_page():
    # There are no exceptions: letters without a fixed meaning have a table of their own.
    assert missing(SYMBOLS, CHAPTERS) == []


def test_no_symbol_has_two_rows():
    found = ["".join(symbol) for symbol in SYMBOLS]
    assert sorted({symbol for symbol in found if found.count(symbol) > 1}) == []


@pytest.mark.parametrize(
    ("symbol", "formula", "stands"),
    [
        ("W_l", r"W_3 \operatorname{relu}(W_2 x)", True),
        ("n", r"\min x", False),
        ("i", r"\pi(i)", True),
        (r"\hat f(T)", r"\sum_T \hat{f}(T)", True),
        ("f", r"\hat f", False),
        (r"n_{\text{tail}}", r"\sqrt{n_{\text{tail}}}", True),
        (r"n_{\text{tail}}", "n", False),
        (r"\varphi^{(l)}", r"\varphi^{(1)} R_1", True),
        ("s_i", "s", False),
        (r"\alpha", r"\hat\alpha", False),
    ],
)
def test_a_symbol_is_found_where_it_stands(symbol, formula, stands):
    assert stands_in(tokens(symbol), tokens(formula)) == stands


def test_planted_faults_are_found():
    chapters = {"one": formulas(r"$q + \xi_1$ `$u$`"), "two": formulas("$$\n\\xi q z\n$$ (eq-xi)")}
    page = "* - (symbol-xi)=\n    $\\xi$, $y$\n  - with $q$\n"
    assert absent(page_symbols(page), chapters) == ["y"]
    assert missing(page_symbols(page), chapters) == ["q"]
