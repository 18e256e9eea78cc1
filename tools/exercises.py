"""Exercises and solutions of a chapter's source, and the cells that each edition has of them.

In a source an exercise is a directive of sphinx-exercise, and its solution the cells between the
gates ``{solution-start}`` and ``{solution-end}``. The *book*'s notebook shows both, solutions
folded. The *student* edition has places to write and checks in place of solutions; the
*instructor* edition has the solutions in these places, marked as nbgrader wants them, so that
nbgrader makes the student edition from it.
"""

import ast
import re
from copy import deepcopy
from dataclasses import dataclass, field
from textwrap import indent

import nbformat

DIRECTIVE = re.compile(
    r"^(:{3,})\{(?P<name>exercise|solution-start|solution-end)\}[ ]?(?P<title>[^\n]*)\n"
    r"(?P<options>(?::\w+:[^\n]*\n)*)(?P<body>.*?)^\1[ ]*$\n?",
    re.MULTILINE | re.DOTALL,
)
HEADER = re.compile(r"\*(?P<kind>\w+), (?P<level>\w+), (?P<minutes>\d+) minutes\.\*")
CODE_BLOCK = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
LEVELS = ("easy", "medium", "hard")
POINTS = {"Understand": 2, "Code": 4, "Break": 4, "Project": 10}
TRIED = ("Break", "Project")  # answered in words, after trying in code
TO_WRITE = "# YOUR CODE HERE\nraise NotImplementedError()"  # nbgrader's own words
TO_ANSWER = "YOUR ANSWER HERE"


@dataclass
class Exercise:
    """One exercise, with its number in the chapter and what its solution says and runs."""

    label: str
    title: str
    body: str
    number: int = 0
    solution: list = field(default_factory=list)  # cells

    @property
    def header(self):
        """Kind, level and minutes."""
        return HEADER.match(self.body.strip())

    @property
    def kind(self):
        return self.header["kind"]

    @property
    def blocks(self):
        """The stub and the call of the checker, in a coding exercise."""
        return [block.rstrip() for block in CODE_BLOCK.findall(self.body)]

    @property
    def words(self):
        """What the solution says."""
        return "\n\n".join(c.source for c in self.solution if c.cell_type == "markdown")

    @property
    def code(self):
        """What the solution runs."""
        return "\n\n\n".join(c.source for c in self.solution if c.cell_type == "code")


def parse(cells):
    """The cells of a chapter in order, each exercise in place of the cells that hold it.

    Text around an exercise becomes a Markdown cell of its own; a solution goes to its exercise.
    """
    found, by_label, open_solution = [], {}, None

    def put(cell):
        (found if open_solution is None else by_label[open_solution].solution).append(cell)

    for cell in cells:
        if cell.cell_type != "markdown":
            put(cell)
            continue
        end = 0
        for match in DIRECTIVE.finditer(cell.source):
            put_text(put, cell.source[end : match.start()])
            end = match.end()
            if match["name"] == "exercise":
                label = re.search(r":label: (\S+)", match["options"])[1]
                exercise = Exercise(label, match["title"].strip(), match["body"])
                by_label[label] = exercise
                exercise.number = len(by_label)
                found.append(exercise)
            else:
                open_solution = match["title"].strip() or None  # the end has no title
        if end == 0:
            put(cell)
        else:
            put_text(put, cell.source[end:])
    return found


def put_text(put, text):
    """A Markdown cell, where there is something to say."""
    if text.strip():
        put(nbformat.v4.new_markdown_cell(text.strip("\n")))


def function_body(code, name):
    """Source lines of the body of a function, without a docstring."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = node.body[1] if ast.get_docstring(node) else node.body[0]
            return code.splitlines()[first.lineno - 1 : node.end_lineno]
    raise ValueError(f"the solution defines no function {name}")


def stub_name(stub):
    """Name of the function that a stub asks for."""
    return next(n.name for n in ast.parse(stub).body if isinstance(n, ast.FunctionDef))


def graded(cell, grade_id, *, locked=False, solution=False, points=None):
    """A cell with nbgrader's metadata."""
    cell.metadata["nbgrader"] = {
        "grade": points is not None,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    } | ({} if points is None else {"points": points})
    if locked:
        cell.metadata |= {"deletable": False, "editable": False}
    return cell


def cells_of(exercise, chapter, edition):
    """Cells that an edition has of an exercise."""
    title = f"### Exercise {chapter}.{exercise.number}: {exercise.title}"
    if edition == "book":
        return [
            nbformat.v4.new_markdown_cell(f"{title}\n\n{exercise.body.strip()}"),
            *folded(exercise, chapter),
        ]
    points = POINTS[exercise.kind]
    text = CODE_BLOCK.sub("", exercise.body).strip()
    text = HEADER.sub(lambda match: f"{match[0][:-2]}, {points} points.*", text)
    label = exercise.label
    asked = nbformat.v4.new_markdown_cell(f"{title}\n\n{text}")
    cells = [graded(asked, label, locked=True)]
    if exercise.blocks:
        stub, check = exercise.blocks
        write = nbformat.v4.new_code_cell(to_write(exercise, stub, edition))
        check = nbformat.v4.new_code_cell(check)
        return [
            *cells,
            graded(write, f"{label}-code", solution=True),
            graded(check, f"{label}-check", locked=True, points=points),
        ]
    answer = nbformat.v4.new_markdown_cell(TO_ANSWER)
    code = nbformat.v4.new_code_cell(TO_WRITE)
    if edition == "instructor":
        answer.source = exercise.words
        code.source = f"### BEGIN SOLUTION\n{exercise.code}\n### END SOLUTION"
    if exercise.kind in TRIED:
        cells.append(graded(code, f"{label}-code", solution=True))
    return [*cells, graded(answer, f"{label}-answer", solution=True, points=points)]


def to_write(exercise, stub, edition):
    """The stub with nbgrader's place to write, or with the solution between nbgrader's marks."""
    if edition == "student":
        return f"{stub}\n{indent(TO_WRITE, '    ')}"
    body = function_body(exercise.code, stub_name(stub))
    return "\n".join([stub, "    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"])


def fold(cell, title):
    """Fold the code of a cell in JupyterLab and in Colab; the title stays to be seen."""
    cell.source = f"# @title {title}\n{cell.source}"
    cell.metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}


def folded(exercise, chapter):
    """A solution: its words in a fold, its code folded in JupyterLab and in Colab."""
    name = f"Solution to exercise {chapter}.{exercise.number}"
    for cell in exercise.solution:
        if cell.cell_type == "markdown":
            words = f"<details>\n<summary>{name}</summary>\n\n{cell.source}\n\n</details>"
            yield nbformat.v4.new_markdown_cell(words)
        else:
            code = deepcopy(cell)
            fold(code, f"{name}, code")
            yield code
