"""What a page says of its origin, and what can be taken along."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import provenance  # noqa: E402
import shared  # noqa: E402

SITE = ROOT / "_build" / "html"
built = pytest.mark.skipif(not (SITE / "index.html").exists(), reason="the book is not built here")
RECORD = {
    "device": "2 CPU cores, no GPU", "date": "2026-01-02", "scale": "standard",
    "datasets": ["cifar10"], "versions": {"Python": "3.11.7", "torch": "2.14.1"},
}  # fmt: skip


def test_the_foot_of_a_chapter_names_all_that_its_numbers_depend_on():
    text = provenance.foot("abc1234567", "2026-01-03", RECORD, 87.0)
    assert text == (
        "Built from commit abc1234567 on 2026-01-03. Computed on 2026-01-02 in 87 seconds on "
        "2 CPU cores, no GPU, at standard scale, from CIFAR-10, with Python 3.11.7, torch 2.14.1."
    )
    assert provenance.foot("abc", "2026-01-03") == "Built from commit abc on 2026-01-03."


def test_a_commit_has_a_name():
    assert re.fullmatch(r"[0-9a-f]{10}( with changes)?|unknown", provenance.commit())


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


def test_outputs_go_to_the_cells_that_made_them():
    run = notebook("1 + 1", "2 + 2")
    run.cells[1].outputs = [nbformat.v4.new_output("stream", text="4")]
    found = provenance.with_outputs(notebook("opening", "# @title A\n1 + 1", "2 + 2"), run)
    assert [len(cell.outputs) for cell in found.cells] == [0, 0, 1]
    with pytest.raises(ValueError, match="differ"):
        provenance.with_outputs(notebook("opening", "1 + 1", "3 + 3"), run)
    with pytest.raises(ValueError, match="argument 2 is longer"):
        provenance.with_outputs(notebook("opening", "1 + 1"), run)


def test_a_drawing_is_lighter_and_the_same_notebook_is_read():
    """Blanks between the parts go; names of two drawings of one notebook differ."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    svg += '<defs><path id="m" d="M 0 0 L 1 1"/></defs>'
    svg += "".join(f'<use href="#m" x="{k}.0001" y="1"/>' for k in range(9)) + "</svg>"
    run = notebook("1", "2")
    for cell in run.cells:
        cell.outputs = [nbformat.v4.new_output("display_data", {provenance.SVG: svg})]
    text = provenance.dense(provenance.light(run, "03_name"))
    found = nbformat.reads(text, 4)
    one, two = (cell.outputs[0].data[provenance.SVG] for cell in found.cells)
    assert "d0" in one and "d1" in two and "d0" not in two and len(one) < len(svg)
    assert [cell.source for cell in found.cells] == ["1", "2"] and ": " not in text


def test_a_finished_build_is_worked_on_where_it_has_pages_and_no_fault():
    seen = []
    handler = shared.with_pages(seen.append)
    pages, paper = (SimpleNamespace(builder=SimpleNamespace(format=f)) for f in ("html", "latex"))
    handler(paper, None)
    handler(pages, OSError("disk full"))
    assert seen == []
    handler(pages, None)
    assert seen == [pages]


@built
def test_every_page_names_its_commit_and_every_chapter_its_data():
    for page in [*SITE.glob("book/**/*.html"), *SITE.glob("notebooks/*.html")]:
        assert "Built from commit " in page.read_text(), page.name
    for page in SITE.glob("notebooks/*.html"):
        assert re.search(r"Computed on [\d-]+ in .* scale, from .*, with Python", page.read_text())


@built
def test_a_chapter_leads_to_its_slides_plan_and_student_notebook():
    for page in SITE.glob("notebooks/*.html"):
        links = re.findall(r"Of this chapter: (.*?)</p>", page.read_text())[0]
        found = re.findall(r'href="([^"]+)"', links)
        assert len(found) == 3 and all((page.parent / link).is_file() for link in found)


@built
def test_a_chapter_offers_its_notebook_with_and_without_outputs():
    for page in SITE.glob("notebooks/*.html"):
        text = page.read_text()
        for name, outputs in ((f"{page.stem}.ipynb", False), (f"{page.stem}.outputs.ipynb", True)):
            assert f"../downloads/{name}" in text
            found = nbformat.read(SITE / "downloads" / name, 4)
            assert any(cell.get("outputs") for cell in found.cells) == outputs
        assert f"{page.stem}.py" not in text
