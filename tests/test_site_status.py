"""The page with the status of the build, and the page that says what is new."""

import doctest
import json
import re
import sys
from datetime import datetime
from pathlib import Path

import pytest

from netdist_utils import claims
from tests.browser import needs_browser, open_site

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import status_page  # noqa: E402

SITE = ROOT / "_build" / "html"
built = pytest.mark.skipif(
    not (SITE / "index.html").exists(), reason="the book is not built here: run `make book`"
)
RUN = {"runtime": 154.0, "succeeded": True}
RECORD = {
    "date": "2026-01-02", "scale": "standard", "device": "2 CPU cores", "spared_seconds": 90.0,
    "datasets": ["cifar10"],
}  # fmt: skip
COUNTS = {"holds": 3, "not judged": 1, "not measured": 0}


def chapter(**changes):
    known = {"link": "a.html", "title": "1. A & B", "run": RUN, "record": RECORD, "claims": COUNTS}
    return status_page.Chapter(**known | changes)


def test_a_row_says_how_a_chapter_stands():
    assert [re.sub("<[^>]+>", "", cell) for cell in status_page.cells(chapter())] == [
        "✓ ran", "2026-01-02", "2.6 min", "90 s", "3 of 4 hold, 1 not judged",
        "standard", "2 CPU cores",
    ]  # fmt: skip
    assert '<a href="a.html">1. A &amp; B</a>' in status_page.row(chapter())


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"run": None}, "not run"),
        ({"record": None}, "not run"),
        ({"run": RUN | {"succeeded": False, "runtime": None}}, "failed"),
    ],
)
def test_a_chapter_that_did_not_run_says_so(changes, state):
    found = chapter(**changes)
    assert found.state == state
    first = status_page.cells(found)[0]
    assert first.endswith(f"</span> {state}</span>") and status_page.SIGNS[state] in first
    assert status_page.summary([found, chapter()]).startswith("1 of 2 chapters ran")
    assert len(set(status_page.SIGNS.values())) == 3  # no colour is needed to tell them apart


def test_a_build_is_made_again_from_its_commit_scale_and_data():
    plain = status_page.commands("abc", [RECORD], None)
    assert plain == "# in a clone of the book:\ngit checkout abc\nmake book"
    digits = RECORD | {"scale": "smoke", "datasets": ["digits"]}
    lines = status_page.commands("abc", [digits], "https://github.com/a/b").splitlines()
    assert lines[0] == "git clone https://github.com/a/b book && cd book"
    assert lines[-1] == "NETDIST_SCALE=smoke NETDIST_DATASET=digits make book"
    assert "checkout" not in status_page.commands("unknown", [RECORD], None)


def test_claims_are_counted_from_the_ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("NETDIST_LEDGER", str(tmp_path))
    names = [n for n, c in claims.tables().items() if c["chapter"] == "01_matching_mlps"]
    for name, how in zip(names, ("holds", "not judged"), strict=False):
        (tmp_path / f"{name}.json").write_text(json.dumps({"status": how}))
    found = status_page.tally("01_matching_mlps")
    assert found == {"holds": 1, "not judged": 1, "not measured": len(names) - 2}


@built
def test_the_status_page_has_a_row_for_each_chapter_and_each_claim_counted():
    page = (SITE / "book" / "status.html").read_text()
    rows = re.findall(r"<tr role=\"row\"><th scope=\"row\".*?</tr>", page)
    chapters = sorted(SITE.glob("notebooks/*.html"))
    links = [re.search(r'href="([^"]+)"', row)[1] for row in rows]
    assert [(SITE / "book" / link).resolve() for link in links] == chapters
    for row in rows:
        assert row.count("<td") == len(status_page.COLUMNS) - 1 and "✓</span> ran" in row
    total = re.search(r"Of their claims \d+ of (\d+) hold", page)
    assert int(total[1]) == len(claims.tables())


def test_the_examples_of_the_tool_run():
    found = doctest.testmod(status_page)
    assert found.attempted > 1 and found.failed == 0


@built
@needs_browser
def test_the_status_of_a_chapter_is_a_card_on_a_phone():
    """Each value stands beside the name of its column, and nothing scrolls."""
    with open_site(SITE / "book" / "status.html") as page:
        table = page.locator("table.build-status")
        assert table.evaluate("t => t.scrollWidth <= t.clientWidth + 1")
        cell = table.locator("tbody tr").first.locator("td").nth(1)
        assert cell.evaluate("c => getComputedStyle(c, '::before').content") == '"Last run"'
        assert page.locator("table.build-status thead").is_hidden()


# The changelog


def test_the_newest_change_comes_first_and_has_a_name_that_stays():
    text = (ROOT / "book" / "changelog.md").read_text()
    entries = re.findall(r"^## (\d+ \w+ \d{4}): .+$", text, re.M)
    days = [datetime.strptime(day, "%d %B %Y") for day in entries]
    assert days and days == sorted(days, reverse=True)
    assert re.search(r"^\(latest-change\)=\n## ", text, re.M).start() < text.index("\n## ")
    assert text.count("(latest-change)=") == 1
