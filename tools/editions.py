"""The editions of a course: what students get, and what lecturers keep.

    python tools/editions.py student FOLDER --seed 2027       notebooks, and the same as one zip
    python tools/editions.py instructor FOLDER --seed 2027    a course of nbgrader, and the key

The seed draws the data of the coding exercises, so that a key of another year answers nothing.
"""

import argparse
import ast
import sys
from functools import cache
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from exercises import POINTS, Exercise, function_body, parse, stub_name
from sync_notebooks import Plain, cells_in, entries, labels_of, notebooks, sources

from netdist_course import check, problem

CONFIG = '''"""nbgrader's configuration of this course: submissions run at the scale of seconds."""

import os

os.environ.setdefault("NETDIST_SCALE", "smoke")
os.environ.setdefault("TQDM_DISABLE", "1")
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "netdist"
c.ExecutePreprocessor.timeout = 600
c.ClearSolutions.enforce_metadata = True
'''
READ_ME = """"What trained networks have in common": notebooks without solutions, seed {seed}.

Each opens in JupyterLab or Colab; its first cell installs what is missing. The exercises stand at
the end: run the chapter (in seconds with NETDIST_SCALE=smoke), write where it says YOUR CODE HERE,
and run the cell below, which says what is wrong. Words go where it says YOUR ANSWER HERE.
"""
KEY = """# Key for seed {seed}

What functions return for the problems of the seed, and
what the book answers where words are asked for (the words are the same for any seed).
"""
EPOCH = (1980, 1, 1, 0, 0, 0)  # of a zip's clock: the same notebooks make the same bytes


@cache
def chapters():
    """{stem: its exercises in order}."""
    cells = {s: parse(cells_in(text)) for s, text in sources().items()}
    return {s: [e for e in found if isinstance(e, Exercise)] for s, found in cells.items()}


@cache
def imported(stem):
    """What the cells of a chapter import at their top, as a namespace to run a solution in."""
    nodes = [
        node
        for cell in cells_in(sources()[stem])
        if cell.cell_type == "code"
        and {"hide-input", "exercises"} & set(cell.metadata.get("tags", []))
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    namespace = {}
    exec(compile(ast.Module(nodes, []), stem, "exec"), namespace)
    return namespace


def check_name(exercise):
    """Name under which the checker knows an exercise: the first argument of its call."""
    return ast.parse(exercise.blocks[1]).body[0].value.args[0].value


def solution_of(exercise, stem):
    """The function of a coding exercise's solution, as an instructor's notebook has it."""
    stub, _ = exercise.blocks
    name = stub_name(stub)
    namespace = dict(imported(stem))
    exec("\n".join([stub, *function_body(exercise.code, name)]), namespace)
    return namespace[name]


def coding():
    """(stem, exercise) of all coding exercises."""
    return [(s, e) for s, found in chapters().items() for e in found if e.kind == "Code"]


def key(seed):
    """{name: answer} of all coding exercises, from their solutions, each checked."""
    answers = {}
    for stem, exercise in coding():
        function, name = solution_of(exercise, stem), check_name(exercise)
        check(name, function, seed)
        answers[name] = function(*problem(name, seed))
    return answers


def shown(answer):
    """An answer as a key has it: whole where it is short, else its ends."""
    answer = answer.detach().numpy() if hasattr(answer, "detach") else answer
    with np.printoptions(precision=5, threshold=40, edgeitems=4, suppress=True):
        return str(np.asarray(answer) if isinstance(answer, list | tuple) else answer)


def key_page(seed):
    """The key in Markdown: what functions return for the seed, and the answers in words."""
    answers, labels, works = key(seed), labels_of(sources()), entries()
    parts = [KEY.format(seed=seed)]
    for e in (e for found in chapters().values() for e in found):
        head = f"## {labels[e.label]}, {e.title} ({e.kind}, {POINTS[e.kind]} points)"
        if e.kind == "Code":
            answer = f"```\n{shown(answers[check_name(e)])}\n```"
        else:
            answer = Plain(0, labels, works).markdown(e.words)
        parts.append(f"{head}\n\n{answer}\n")
    return "\n".join(parts)


def write_student(folder, seed):
    """Notebooks without solutions, and all of them as ``student.zip``."""
    files = {f"{stem}.ipynb": text for stem, text in notebooks("student", seed).items()}
    files["README.txt"] = READ_ME.format(seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    with ZipFile(folder / "student.zip", "w") as archive:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            archive.writestr(ZipInfo(f"student/{name}", EPOCH), text, ZIP_DEFLATED)


def write_instructor(folder, seed):
    """A course of nbgrader: ``source/<chapter>/<chapter>.ipynb``, its configuration, the key."""
    for stem, text in notebooks("instructor", seed).items():
        home = folder / "source" / stem
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{stem}.ipynb").write_text(text, encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    (folder / "key.md").write_text(key_page(seed), encoding="utf-8")


def main(arguments=None):
    """Write one edition; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edition", choices=["student", "instructor"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    write = {"student": write_student, "instructor": write_instructor}[options.edition]
    write(options.folder, options.seed)
    print(f"{options.edition} edition, seed {options.seed}: {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
