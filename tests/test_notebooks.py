import json
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import sync_notebooks  # noqa: E402

SOURCES = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_notebook_on_disk_is_its_sources(source):
    text = sync_notebooks.convert(source.read_text(), sync_notebooks.repository())
    found = source.with_suffix(".ipynb").read_text()
    assert found == text, "run `make notebooks`"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebooks_are_ready_for_readers(source):
    notebook = nbformat.reads(source.with_suffix(".ipynb").read_text(), 4)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert "find_spec" in notebook.cells[1].source
    for cell in notebook.cells:
        assert not cell.get("outputs")
        if cell.cell_type == "markdown":
            assert ":::" not in cell.source and "{cite" not in cell.source


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_figure_has_an_alt_text(source):
    """A cell that draws says in words what it shows."""
    notebook = nbformat.reads(source.with_suffix(".ipynb").read_text(), 4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and "plt.show()" in cell.source:
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 30, cell.source


def test_a_student_edition_has_no_solutions(tmp_path):
    sync_notebooks.main(["--student", str(tmp_path)])
    for source in SOURCES:
        assert "Solution" not in (tmp_path / f"{source.stem}.ipynb").read_text()


PYTHON = "# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n\n# %%\n1 + 1\n"


def test_the_same_source_gives_the_same_bytes_and_its_own_ids():
    one, two = (sync_notebooks.convert(PYTHON, "https://example.org/x") for _ in "12")
    assert one == two
    cells = json.loads(one)["cells"]
    assert len({cell["id"] for cell in cells}) == 4
    assert "git+https://example.org/x" in "".join(cells[1]["source"])
    longer = sync_notebooks.convert(PYTHON + "\n# %%\n2\n", "https://example.org/x")
    assert [c["id"] for c in json.loads(longer)["cells"]][:4] == [c["id"] for c in cells]


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        (":::{note}\nLook.\n:::", "> **Note.**\n>\n> Look."),
        (":::{admonition} Beware\nLook.\n:::", "> **Beware.**\n>\n> Look."),
        (
            ":::{admonition} Solution\n:class: dropdown\n```python\nx = 1\n```\n:::",
            "<details>\n<summary>Solution</summary>\n\n```python\nx = 1\n```\n\n</details>",
        ),
        ("as shown {cite:p}`one2020,two2021`.", "as shown [one2020, two2021]."),
        (
            "see {doc}`chapter 2 </notebooks/02_circle_ablation>`",
            "see [chapter 2](02_circle_ablation.ipynb)",
        ),
        ("(a-label)=\n## Title", "## Title"),
        (":::{math}\nx^2\n:::", "$$\nx^2\n$$"),
        ("$x$ and `code` stay", "$x$ and `code` stay"),
    ],
)
def test_myst_becomes_plain_markdown(myst, plain):
    assert sync_notebooks.plain_markdown(myst) == plain


def test_two_directives_do_not_swallow_each_other():
    text = ":::{note}\nA\n:::\n\nbetween\n\n:::{tip}\nB\n:::"
    assert "\nbetween\n" in sync_notebooks.plain_markdown(text)
