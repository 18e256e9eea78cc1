"""Editions of the course: students' without solutions, lecturers' with; nbgrader takes both."""

import csv
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import editions  # noqa: E402
import exercises  # noqa: E402
import sync_notebooks  # noqa: E402

CHAPTERS = editions.chapters()
each = pytest.mark.parametrize("stem", sorted(CHAPTERS))
SOURCE = """# %% [markdown]
# # Title
#
# :::{exercise} Twice
# :label: ex-twice
#
# *Understand, easy, 5 minutes.* What is twice 1?
# :::
#
# :::{solution-start} ex-twice
# :class: dropdown
# :::
#
# Two, said in the solution.

# %% tags=["solution"]
assert 2 * 1 == 2

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Twice, coded
# :label: ex-twice-coded
#
# *Code, easy, 5 minutes.* Write it.
#
# ```python
# def twice(x):
#     \"\"\"Two times.
#
#     >>> twice(1)
#     2
#     \"\"\"
# ```
#
# ```python
# check("matching-twice", twice, SEED)
# ```
# ::::
#
# :::{solution-start} ex-twice-coded
# :class: dropdown
# :::
#
# Add it to itself.

# %% tags=["solution"]
def twice(x):
    both = x + x
    return both


assert twice(1) == 2

# %% [markdown]
# :::{solution-end}
# :::
#
# ## After
"""


@cache
def written(edition, seed=1):
    """Notebooks of an edition."""
    return sync_notebooks.notebooks(edition, seed)


def cells(edition):
    text = sync_notebooks.convert(SOURCE, "opening", stem="01_x", edition=edition)
    return nbformat.reads(text, 4).cells


def test_the_book_has_solutions_in_folds_and_runs_them():
    found = cells("book")
    folds = [c.source for c in found if "<details>" in c.source]
    assert len(folds) == 2 and "Two, said in the solution." in folds[0]
    code = [c for c in found if "solution" in c.metadata.get("tags", [])]
    assert [c.source.splitlines()[1] for c in code] == ["assert 2 * 1 == 2", "def twice(x):"]
    assert all(c.metadata.jupyter.source_hidden and c.metadata.cellView == "form" for c in code)
    assert found[-1].source == "## 1.1 After"


def test_students_get_places_to_write_and_checks():
    found = cells("student")
    kinds = [c.metadata.get("nbgrader", {}) for c in found]
    answer = next(c for c in found if c.source == "YOUR ANSWER HERE")
    assert answer.metadata.nbgrader.grade and answer.metadata.nbgrader.points == 2
    write = next(c for c in found if "def twice" in c.source)
    assert write.source.endswith("    # YOUR CODE HERE\n    raise NotImplementedError()")
    assert '>>> twice(1)\n    2\n    """' in write.source
    check = next(c for c in found if c.source.startswith("check("))
    assert check.metadata.nbgrader.locked and check.metadata.nbgrader.points == 4
    assert not check.metadata.editable
    assert [k["grade_id"] for k in kinds if k] == [
        "ex-twice", "ex-twice-answer", "ex-twice-coded", "ex-twice-coded-code",
        "ex-twice-coded-check",
    ]  # fmt: skip
    text = "\n".join(c.source for c in found)
    assert "said in the solution" not in text and "both" not in text and "After" in text


def test_lecturers_get_the_solution_in_these_places():
    write = next(c for c in cells("instructor") if "def twice" in c.source)
    begin, end = "    ### BEGIN SOLUTION\n", "\n    ### END SOLUTION"
    assert begin + "    both = x + x\n    return both" + end in write.source
    answer = next(c for c in cells("instructor") if "said in the solution" in c.source)
    assert answer.cell_type == "markdown" and answer.metadata.nbgrader.points == 2


def test_what_is_tried_has_a_place_for_code_beside_its_words():
    """Answers elsewhere would never wait for a grade."""
    source = SOURCE.replace("*Understand, easy", "*Break, easy")
    for edition, text in (("student", "# YOUR CODE HERE"), ("instructor", "assert 2 * 1 == 2")):
        written = sync_notebooks.convert(source, "o", stem="01_x", edition=edition)
        found = nbformat.reads(written, 4).cells
        by_id = {c.metadata.nbgrader.grade_id: c for c in found if "nbgrader" in c.metadata}
        code, words = by_id["ex-twice-code"], by_id["ex-twice-answer"]
        assert text in code.source and not code.metadata.nbgrader.grade
        assert words.metadata.nbgrader.grade and words.metadata.nbgrader.points == 4


def test_students_are_told_where_to_write():
    first = next(c for c in cells("student") if c.source.startswith("**For students.**"))
    assert "YOUR ANSWER HERE" in first.source
    assert not any("For students" in c.source for c in cells("book"))


def test_a_solution_without_the_function_is_refused():
    with pytest.raises(ValueError, match="defines no function twice"):
        exercises.function_body("def once(x):\n    return x", "twice")


def pieces(exercise):
    """What of a solution must not reach a student: lines of code and sentences of some length."""
    lines = exercise.code.splitlines()
    sentences = re.split(r"(?<=[.:?]) ", " ".join(exercise.words.split()))
    given = " ".join(exercise.body.split())
    return [
        text
        for text in map(str.strip, [*lines, *sentences])
        if len(text) > 25 and text not in given
    ]


@each
def test_a_student_edition_has_no_text_of_a_solution(stem):
    """Neither a line of code nor a sentence of any solution of the book."""
    text = written("student")[stem]
    found = nbformat.reads(text, 4).cells
    said = " ".join(" ".join(c.source.split()) for c in found)
    all_pieces = [piece for e in CHAPTERS[stem] for piece in pieces(e)]
    assert len(all_pieces) > 20
    spare = " ".join(
        " ".join(c.source.split())
        for c in nbformat.reads(written("book")[stem], 4).cells
        if "olution to exercise" not in c.source
    )  # what the chapter itself says is no secret
    leaked = [p for p in all_pieces if " ".join(p.split()) in said and p not in spare]
    assert not leaked
    assert "Solution" not in text and "BEGIN SOLUTION" not in text and '"solution"]' not in text


def test_a_planted_leak_is_found():
    leaky = SOURCE.replace("What is twice 1?", "What is twice 1? Two, said in the solution.")
    found = exercises.parse(sync_notebooks.cells_in(leaky))
    body = next(e for e in found if isinstance(e, exercises.Exercise))
    assert "Two, said in the solution." in " ".join(body.body.split())
    assert pieces(body) == []  # what the question says itself is given
    plain = exercises.parse(sync_notebooks.cells_in(SOURCE))
    assert pieces(plain[1]) == ["Two, said in the solution."]


@each
def test_ids_are_unique_and_every_exercise_is_there(stem):
    found = nbformat.reads(written("student")[stem], 4).cells
    ids = [c.metadata.nbgrader.grade_id for c in found if "nbgrader" in c.metadata]
    assert len(set(ids)) == len(ids)
    assert {e.label for e in CHAPTERS[stem]} <= set(ids) and "seed" in ids


def test_the_seed_stands_in_the_notebooks_and_in_the_key(tmp_path, capsys):
    editions.main(["student", str(tmp_path / "s"), "--seed", "2027"])
    editions.main(["instructor", str(tmp_path / "i"), "--seed", "2027"])
    editions.main(["instructor", str(tmp_path / "j"), "--seed", "2028"])
    for stem in CHAPTERS:
        for path in (
            tmp_path / "s" / f"{stem}.ipynb",
            tmp_path / "i" / "source" / stem / f"{stem}.ipynb",
        ):
            assert "SEED = 2027" in path.read_text()
    keys = [(tmp_path / folder / "key.md").read_text() for folder in "ij"]
    blocks = [re.findall(r"^## (.*?)\n\n```\n(.*?)\n```", key, re.M | re.S) for key in keys]
    assert len(blocks[0]) == len(editions.coding())
    assert keys[0].count("\n## Exercise ") == sum(map(len, CHAPTERS.values()))
    for one, two in zip(*blocks, strict=True):
        assert one[0] == two[0] and one[1] != two[1], one[0]
    names = ZipFile(tmp_path / "s" / "student.zip").namelist()
    assert sorted(names) == sorted(
        [f"student/{s}.ipynb" for s in CHAPTERS] + ["student/README.txt"]
    )


def test_the_notebooks_of_the_student_edition_on_disk_are_their_sources():
    for stem, text in written("student").items():
        path = sync_notebooks.FOLDERS["student"] / f"{stem}.ipynb"
        assert path.read_text() == text, "run `make notebooks`"


def nbgrader(folder, *arguments):
    """Run nbgrader in a course's folder, with the environment's own programs."""
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    quiet = {"NETDIST_SCALE": "smoke", "NETDIST_DATASET": "digits", "OMP_NUM_THREADS": "1",
             "TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
             "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"), "PATH": paths}  # fmt: skip
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "nbgrader", *arguments],
        cwd=folder, env=os.environ | quiet, check=True, capture_output=True, text=True,
    )  # fmt: skip


def test_nbgrader_releases_the_student_edition_and_grades_right_and_wrong(tmp_path):
    """The real nbgrader, on chapter 1: the release, a right and a wrong submission, the scores."""
    stem = "01_matching_mlps"
    editions.write_instructor(tmp_path, seed=2027)
    nbgrader(tmp_path, "generate_assignment", stem)
    released = nbformat.read(tmp_path / "release" / stem / f"{stem}.ipynb", 4)
    ours = nbformat.reads(written("student", 2027)[stem], 4)
    assert [c.source for c in released.cells] == [c.source for c in ours.cells]

    coding = [e for e in CHAPTERS[stem] if e.kind == "Code"]
    for who, solved in (("right", len(coding)), ("wrong", 1)):
        notebook = nbformat.reads(nbformat.writes(ours), 4)
        for e in coding[:solved]:
            cell = next(
                c
                for c in notebook.cells
                if c.metadata.get("nbgrader", {}).get("grade_id") == f"{e.label}-code"
            )
            name = exercises.stub_name(e.blocks[0])
            cell.source = "\n".join([e.blocks[0], *exercises.function_body(e.code, name)])
        if who == "wrong":  # a second one that returns something else
            cell = next(
                c
                for c in notebook.cells
                if c.metadata.get("nbgrader", {}).get("grade_id") == f"{coding[1].label}-code"
            )
            cell.source = cell.source.replace("raise NotImplementedError()", "return 0")
        home = tmp_path / "submitted" / who / stem
        home.mkdir(parents=True)
        nbformat.write(notebook, home / f"{stem}.ipynb")
    nbgrader(tmp_path, "autograde", stem)
    nbgrader(tmp_path, "export")
    rows = csv.DictReader((tmp_path / "grades.csv").read_text().splitlines())
    scores = {row["student_id"]: float(row["score"]) for row in rows}
    points = exercises.POINTS["Code"]
    assert scores == {"right": points * len(coding), "wrong": points}
