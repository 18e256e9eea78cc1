"""The page that is made of the benchmarks' figures, and its drawings."""

import json
import re
import sys
from pathlib import Path

import pytest
from docutils import nodes

from tests.browser import needs_browser, open_site

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import bench  # noqa: E402
import benchmark_figures  # noqa: E402
import benchmarks_page  # noqa: E402
import ratios  # noqa: E402

PAGE = ROOT / "_build" / "html" / "book" / "benchmarks.html"
built = pytest.mark.skipif(not PAGE.exists(), reason="the book is not built: run `make book`")
FIGURES = json.loads(bench.FIGURES.read_text(encoding="utf-8"))
ROW = {
    "file": "a", "chapter": "1. A & B", "what": "units <matched>", "size": "64, small",
    "against": "peer 1.0: the source's way", "checked": "all losses, the same",
    "ours": [1.0, 2.0, 1.0], "theirs": [4.0, 6.0, 2.0],
}  # fmt: skip
PANEL = {
    "file": "a", "chapter": "1. A & B", "what": "units matched", "against": "a peer",
    "axis": "units", "at": [1, 10, 100, 1000], "ours": [[5.0], [5.0], [100.0], [10_000.0]],
    "theirs": [[5.0], [10.0]], "floor": [1.0, 1.0, 10.0, 1000.0], "floor_is": "entries read",
}  # fmt: skip


def figures(*rows, **changes):
    """A file of figures, made up."""
    machine = {
        "processor": "P", "cores": 2, "memory_gib": 8.0, "system": "S", "threads": 2,
        "gpu": None, "versions": {"torch": "2"},
    }  # fmt: skip
    found = {
        "date": "2026-01-02", "commit": "abc", "quick": False, "busy": False, "load_before": 0.1,
        "seconds": 60.0, "machine": machine, "rows": list(rows), "growth": [PANEL],
        "limits": {"bandwidth": 1e10, "single": 1e11, "double": 5e10},
        "memory": [{"file": "a", "chapter": "1", "what": "all of it", "gib": 0.5}],
    }  # fmt: skip
    return found | changes


def shown(part, found):
    """The text of a part of the page, without tags."""
    text = " ".join(node.astext() for node in benchmarks_page.PARTS[part](found))
    return re.sub(r"\s+", " ", re.sub("<style>.*?</style>|<[^>]+>", " ", text))


@pytest.mark.parametrize("found", [FIGURES, figures(ROW, ROW | {"what": "another"})])
def test_the_table_has_the_rows_of_the_figures(found):
    html = benchmarks_page.table(found)[0].astext()
    rows = re.findall(r'<tr role="row" class="(?:faster|slower|neither)">.*?</tr>', html)
    order = [row for _, of in benchmarks_page.in_chapters(found["rows"]) for row in of]
    assert len(rows) == len(found["rows"]) == len(order)
    for text, row in zip(rows, order, strict=True):
        middle = ratios.ratio(row["ours"], row["theirs"]).median
        assert f"<strong>{ratios.times(middle)}</strong>" in text
        assert benchmarks_page.escape(row["what"]) in text
        assert text.count("<td") == len(benchmarks_page.COLUMNS) - 1
    chapters = {ratios.by_chapter(row) for row in found["rows"]}
    assert html.count('class="chapter"') == len(chapters)


def test_a_row_says_what_was_measured():
    text = shown("table", figures(ROW))
    for words in (
        "units &lt;matched&gt;",
        "1.0 s",
        "4.0 s",
        "3.0",
        "2.0 to 4.0",
        "equal: all losses",
    ):
        assert words in text.replace("\N{NO-BREAK SPACE}", " "), words
    assert "GPU" not in text


def test_a_gpu_has_a_column_where_there_is_one():
    machine = figures()["machine"] | {"gpu": "H"}
    found = figures(ROW | {"gpu": [0.5, 0.5, 0.25]}, ROW, machine=machine)
    html = benchmarks_page.table(found)[0].astext()
    assert html.count(f'data-column="{benchmarks_page.GPU_COLUMN}"') == 1
    assert "500 ms" in shown("table", found).replace("\N{NO-BREAK SPACE}", " ")
    said = shown("gpu", found)
    assert "1 comparison ran on the H" in said and "from 2.0 to 2.0" in said
    assert "no GPU" in shown("gpu", figures(ROW))


FAST = ROW
SLOW = ROW | {"theirs": [0.5, 0.5, 0.5]}
EVEN = ROW | {"theirs": [0.5, 3.0, 1.0]}


@pytest.mark.parametrize(
    ("rows", "said", "listed"),
    [
        ([FAST], "in 1 ours is faster in every run", 0),
        ([SLOW], "in 1 ours is slower in every run", 1),
        ([EVEN], "in 1 some runs lie on either side of 1", 1),
        ([FAST, SLOW, SLOW, EVEN], "in 1 ours is faster in every run, in 2 ours is slower", 3),
    ],
)
def test_what_is_not_faster_is_said(rows, said, listed):
    found = figures(*rows)
    counted = benchmarks_page.counted(len(rows), "comparison")
    assert f"Of {counted} with a source's way or a library: {said}" in shown("summary", found)
    own = figures(*(row | {"chapter": benchmarks_page.OWN} for row in rows))
    assert f"Of {counted} between choices of the package: {said}" in shown("summary", own)
    assert shown("summary", figures(FAST, FAST | {"chapter": "training"})).count("Of 1 comp") == 2
    items = [n for part in benchmarks_page.slower(found) for n in part.findall(nodes.list_item)]
    assert len(items) == listed
    assert ("every comparison was above 1" in shown("slower", found)) == (listed == 0)


def test_a_busy_or_quick_run_says_so_and_another_does_not():
    assert benchmarks_page.caution(figures(ROW)) == []
    assert "say nothing of speed" in shown("caution", figures(ROW, quick=True))
    busy = shown("caution", figures(ROW, busy=True, load_before=3.14))
    assert "before the run 3.1 processes" in busy


def test_growth_is_told_beside_its_floor():
    said = shown("growth", figures(ROW))
    assert "From 1 to 1,000 units our time goes from 5.0 s to 2.8 h" in said.replace("\xa0", " ")
    assert "at the larger sizes as the power 2.0 of the size" in said
    assert "10 times the floor: entries read" in said
    assert "At 10 units a peer takes 2.0 times as long as ours (2.0 to 2.0)" in said
    alone = shown("growth", figures(ROW, growth=[PANEL | {"theirs": None}]))
    assert "a peer takes" not in alone


def test_of_subnetworks_the_growth_is_a_factor_a_unit():
    panel = PANEL | {
        "what": "losses of all subnetworks", "axis": "hidden units", "at": [1, 2, 3, 5],
        "ours": [[1.0], [2.0], [4.0], [16.0]],
    }  # fmt: skip
    assert "by a factor of 2.0 a unit" in shown("growth", figures(ROW, growth=[panel]))


@pytest.mark.parametrize("part", benchmarks_page.PARTS)
def test_every_part_stands_on_the_page_once_and_can_be_shown(part):
    page = (ROOT / "book" / "benchmarks.md").read_text(encoding="utf-8")
    assert page.count(f"```{{benchmarks}} {part}\n") == 1
    for found in (FIGURES, figures(ROW)):
        assert shown(part, found) or part == "caution"


def test_the_figures_say_in_words_what_they_show():
    found = figures(FAST, FAST, FAST, SLOW, EVEN, EVEN)
    svg = benchmark_figures.ratios(found)
    name = re.search(r'aria-label="([^"]*)"', svg)[1]
    assert "6 dots" in name and "in 1 group, from 0.50 to 3.0." in name
    assert "3 lie right of a line at 1, 1 left of it; 2 lie on either side." in name
    assert "1 panel of" in benchmark_figures.growth_alt([PANEL])
    alt = benchmark_figures.growth_alt([PANEL])
    assert "ours ends at 10 times the floor" in alt
    assert "a peer is drawn up to 10, where it takes 2.0 times as long as ours" in alt


def test_a_dot_stands_at_the_median_and_its_whiskers_at_the_ends():
    from matplotlib.figure import Figure

    canvas = Figure()
    benchmark_figures.draw_ratios(canvas, figures(FAST, SLOW))
    lines = [list(line.get_xdata()) for line in canvas.axes[0].lines]
    assert lines[:4] == [[2, 4], [3], [0.25, 0.5], [0.5]]
    assert set(lines[4]) == {1}  # the line


def test_the_drawings_are_light_and_in_the_pages_colours():
    for make in (benchmark_figures.ratios, benchmark_figures.growth):
        svg = make(FIGURES)
        assert len(svg) < 40_000 and "var(--nd-ink)" in svg
    both = benchmark_figures.ratios(FIGURES) + benchmark_figures.growth(FIGURES)
    ids = re.findall(r' id="([^"]+)"', both)
    assert len(ids) == len(set(ids))


@built
def test_the_built_page_has_the_rows_of_the_figures():
    html = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r'<tr role="row" class="(?:faster|slower|neither)">', html)
    assert len(rows) == len(FIGURES["rows"])
    assert html.count('<svg role="img"') == 2
    assert all(benchmarks_page.escape(row["checked"]) in html for row in FIGURES["rows"])


@built
@needs_browser
@pytest.mark.parametrize("width", [390, 1440])
def test_the_built_page_has_its_table_in_its_width(width):
    with open_site(PAGE, width) as page:
        for table in page.locator("table.benchmarks").all():
            assert table.evaluate("t => t.scrollWidth <= t.clientWidth + 1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
