import ast
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import sync_notebooks  # noqa: E402

SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
every_chapter = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def converted():
    return sync_notebooks.notebooks()


def cells_of(source):
    return sync_notebooks.cells_in(source.read_text())


def code_cells(source):
    """Source, tags, and figure of each code cell."""
    return [
        (cell.source, set(cell.metadata.get("tags", [])), sync_notebooks.figure_of(cell))
        for cell in cells_of(source)
        if cell.cell_type == "code"
    ]


@every_chapter
def test_the_notebook_on_disk_is_its_sources(source, converted):
    found = source.with_suffix(".ipynb").read_text()
    assert found == converted[source.stem], "run `make notebooks`"


@every_chapter
def test_notebooks_are_ready_for_readers(source):
    notebook = nbformat.reads(source.with_suffix(".ipynb").read_text(), 4)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "find_spec" in first.source and 'SCALE = "standard"' in first.source
    assert notebook.cells[-1].source.startswith("## References")
    for cell in notebook.cells:
        assert not cell.get("outputs")
        if cell.cell_type == "markdown":
            assert ":::" not in cell.source and not re.search(r"\{[\w:]+\}`", cell.source)


@every_chapter
def test_every_figure_is_named_described_and_referred_to(source):
    """Number and caption, alt text, and a word about it before it comes."""
    said = ""
    for cell in cells_of(source):
        if cell.cell_type == "markdown":
            said += cell.source
            continue
        figure = sync_notebooks.figure_of(cell)
        drawn = "plt.show()" in cell.source
        if drawn:
            alt = cell.metadata["mystnb"]["image"]["alt"]
            assert len(alt) > 30, cell.source
        if drawn or figure:
            assert len(figure["caption"]) > 30 and figure["name"].startswith("fig-")
            assert f"`{figure['name']}`" in said, f"{figure['name']} comes unannounced"


@every_chapter
def test_what_the_book_folds_is_folded_in_a_notebook(source):
    """In JupyterLab (source_hidden) and in Colab (a form with a title); the method is open."""
    notebook = nbformat.reads(source.with_suffix(".ipynb").read_text(), 4)
    quiet = sync_notebooks.FOLDED | {"solution"}
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert folded == bool(quiet & set(cell.metadata.get("tags", []))), cell.source
        if folded:
            assert cell.metadata.cellView == "form" and cell.source.startswith("# @title ")


def test_names_of_figures_and_equations_are_unique():
    texts = "\n".join(path.read_text() for path in SOURCES)
    names = re.findall(r'"name": "(fig-[\w-]+)"', texts) + re.findall(r"\((eq-[\w-]+)\)", texts)
    assert len(set(names)) == len(names)


@every_chapter
def test_what_stays_open_is_the_method(source):
    """An open cell draws nothing, checks nothing, and leaves no bare value behind."""
    first, *rest = code_cells(source)
    assert first[1] == {"hide-input"} and "settings.pick(" in first[0]  # the set-up
    for text, tags, figure in rest:
        assert tags <= {"hide-input", "remove-input", "remove-cell", "exercises", "solution"}
        if "solution" in tags:  # it stands in a fold
            continue
        assert "hide-input" in tags or not figure, text
        if not figure and tags <= {"hide-input"}:  # a method, or its repetition over many
            assert not re.search(r"\b(plt|sns|ax|axes|claims|Markdown)\b", text), text
            assert not isinstance(ast.parse(text).body[-1], ast.Expr), text


@every_chapter
def test_colours_are_those_of_the_page(source):
    """Black and gray vanish on a dark page."""
    for text, _, _ in code_cells(source):
        assert not re.search(r"""["'](black|gray|grey|k--|k:|k-|C\d)["']""", text), text


@every_chapter
def test_numbers_of_sections_and_networks_are_not_typed(source):
    for cell in cells_of(source):
        if cell.cell_type == "markdown":
            assert not re.search(r"^#+ \d", cell.source, re.MULTILINE)
            assert "network 0" not in cell.source.lower()


PYTHON = "# %% [markdown]\n# # Title\n\n# %%\n1 + 1\n\n# %%\n1 + 1\n"


def test_the_same_source_gives_the_same_bytes_and_its_own_ids():
    one, two = (sync_notebooks.convert(PYTHON, "opening") for _ in "12")
    assert one == two
    cells = json.loads(one)["cells"]
    assert len({cell["id"] for cell in cells}) == 4
    assert "".join(cells[1]["source"]) == "opening"
    longer = sync_notebooks.convert(PYTHON + "\n# %%\n2\n", "opening")
    assert [c["id"] for c in json.loads(longer)["cells"]][:4] == [c["id"] for c in cells]


NUMBERED = """# %% [markdown]
# # Title
#
# See {numref}`fig-a` and {eq}`eq-b`.

# %% [markdown]
# ## First
#
# $$x = 1
# $$ (eq-b)

# %% mystnb={"figure": {"name": "fig-a", "caption": "What {term}`barriers <barrier>` do."}}
plt.show()

# %% [markdown]
# (a-label)=
# ## Second
"""


def test_numbers_are_those_of_the_book():
    """Sections, figures and equations are counted; a caption stands below its figure."""
    text = sync_notebooks.convert(NUMBERED, "opening", stem="03_name")
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    assert cells[0] == "# 3. Title\n\nSee Figure 3.1 and (3.1)."
    assert cells[2] == "## 3.1 First\n\n$$x = 1 \\tag{3.1}\n$$"
    assert cells[4] == "*Figure 3.1.* What barriers do."
    assert cells[5] == "## 3.2 Second"


def test_works_that_are_cited_close_the_notebook():
    works = sync_notebooks.entries()
    source = (
        "# %% [markdown]\n# # Title\n#\n# By {cite:t}`ainsworth2023`; see {cite:p}`guth2024`.\n"
    )
    text = sync_notebooks.convert(source, "opening", works=works)
    first, _, last = ("".join(cell["source"]) for cell in json.loads(text)["cells"])
    assert first.endswith("By Ainsworth et al. (2023); see (Guth et al., 2024).")
    assert last.startswith("## References\n\n- Ainsworth et al. (2023). Git Re-Basin")
    assert last.count("\n- ") == 2 and last.count("<https://") == 2


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        (":::{note}\nLook.\n:::", "> **Note.**\n>\n> Look."),
        (":::{admonition} Beware\nLook.\n:::", "> **Beware.**\n>\n> Look."),
        (
            ":::{admonition} Solution\n:class: dropdown\n```python\nx = 1\n```\n:::",
            "<details>\n<summary>Solution</summary>\n\n```python\nx = 1\n```\n\n</details>",
        ),
        (
            "see {doc}`chapter 2 </notebooks/02_circle_ablation>`",
            "see [chapter 2](02_circle_ablation.ipynb)",
        ),
        ("see {doc}`the notation </book/notation>`", "see the notation"),
        ("a {term}`barrier`, two {term}`barriers <barrier>`", "a barrier, two barriers"),
        ("call {py:func}`.matching.match`", "call `matching.match`"),
        ("(a-label)=\n## Title", "## Title"),
        (":::{math}\nx^2\n:::", "$$\nx^2\n$$"),
        ("$x$ and `code` stay", "$x$ and `code` stay"),
    ],
)
def test_myst_becomes_plain_markdown(myst, plain):
    assert sync_notebooks.Plain().markdown(myst) == plain


def test_two_directives_do_not_swallow_each_other():
    text = ":::{note}\nA\n:::\n\nbetween\n\n:::{tip}\nB\n:::"
    assert "\nbetween\n" in sync_notebooks.Plain().markdown(text)
