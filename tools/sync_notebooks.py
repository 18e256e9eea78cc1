"""Write each ``notebooks/*.py`` as the ``.ipynb`` that Colab and Jupyter open.

    python tools/sync_notebooks.py            write them, and those of the student edition
    python tools/sync_notebooks.py --check    exit 1 if one on disk differs

The ``.py`` is the source; the ``.ipynb`` has no outputs, cell ids that depend on the cells'
content alone, and plain Markdown in place of MyST's directives and roles: numbers of sections,
figures, equations and exercises are those of the book, a caption stands below each figure, and the
works that are cited close the notebook. What editions have of exercises, `exercises` says.
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from address import address, links, opening_cell, pin
from citations import citation, entries, reference
from exercises import Exercise, cells_of, fold, graded, parse

ROOT = Path(__file__).resolve().parent.parent
# A fenced directive: fence, name, optional title, options, body, the same fence.
DIRECTIVE = re.compile(
    r"^(:{3,})\{(?P<name>[\w-]+)\}[ ]?(?P<title>[^\n]*)\n"
    r"(?P<options>(?::\w+:[^\n]*\n)*)(?P<body>.*?)^\1[ ]*$",
    re.MULTILINE | re.DOTALL,
)
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]*)`")
LABEL = re.compile(r"^\((?P<label>[\w-]+)\)=\n", re.MULTILINE)
EQUATION = re.compile(r"\$\$(?P<body>[^$]+)\$\$ \((?P<label>[\w-]+)\)")
HEADING = re.compile(r"^(?P<level>##?) (?P<title>.+)$", re.MULTILINE)
SEED = re.compile(r"^SEED = \d+$", re.MULTILINE)
FOLDED = {"hide-input", "remove-input", "remove-cell"}  # what the book does not show open
FOR_STUDENTS = """**For students.** A chapter of *What trained networks have in common*.

- The exercises stand at its end. Coding exercises need the first code cell and the cell with
  `SEED`; the others need the whole chapter. With `SCALE = "smoke"` below it runs in seconds; where
  an exercise names a claim, the book's page of the chapter has the values of `"standard"`.
- Write code in place of `# YOUR CODE HERE` and run the cell below it: it says what is wrong.
  Write words in place of `YOUR ANSWER HERE`. Answers in other cells are not graded.
- Hand in the notebook under the name that it has."""
# The editions that the repository holds.
FOLDERS = {"book": ROOT / "notebooks", "student": ROOT / "notebooks" / "student"}


def sources():
    """Texts of all chapters, by the stem of their file."""
    paths = sorted((ROOT / "notebooks").glob("*.py"))
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def cells_in(source):
    """Cells of a chapter's source."""
    return jupytext.reads(source, fmt="py:percent").cells


def figure_of(cell):
    """Caption and name of the figure that a code cell draws; empty where it draws none."""
    return cell.metadata.get("mystnb", {}).get("figure", {})


def labels_of(chapters):
    """What a reference to each label reads as: "Figure 1.8", "1.2" for an equation, a title."""
    labels = {}
    for stem, text in chapters.items():
        chapter = int(stem[:2]) if stem[:2].isdigit() else 0
        figures = equations = 0
        cells = cells_in(text)
        for exercise in (cell for cell in parse(cells) if isinstance(cell, Exercise)):
            labels[exercise.label] = f"Exercise {chapter}.{exercise.number}"
        for cell in cells:
            if figure_of(cell):
                figures += 1
                labels[figure_of(cell)["name"]] = f"Figure {chapter}.{figures}"
            if cell.cell_type == "markdown":
                for match in EQUATION.finditer(cell.source):
                    equations += 1
                    labels[match["label"]] = f"{chapter}.{equations}"
                for match in LABEL.finditer(cell.source):
                    heading = HEADING.search(cell.source, match.end())
                    labels[match["label"]] = heading["title"] if heading else match["label"]
    return labels


class Plain:
    """MyST as plain Jupyter and Colab can show it, for the cells of one notebook in order."""

    def __init__(self, chapter=0, labels=None, works=None):
        self.chapter, self.sections = chapter, 0
        self.labels, self.works = labels or {}, works or {}
        self.cited = set()

    def markdown(self, text):
        """One Markdown cell; sections are counted from cell to cell."""
        text = LABEL.sub("", text)
        text = DIRECTIVE.sub(self.directive, text)
        text = EQUATION.sub(self.equation, text)
        text = HEADING.sub(self.heading, text) if self.chapter else text
        return ROLE.sub(self.role, text)

    def heading(self, match):
        """A title with its number in the book."""
        if match["level"] == "#":
            return f"# {self.chapter}. {match['title']}"
        self.sections += 1
        return f"## {self.chapter}.{self.sections} {match['title']}"

    def equation(self, match):
        """A numbered equation."""
        return f"$${match['body'].rstrip()} \\tag{{{self.labels[match['label']]}}}\n$$"

    def directive(self, match):
        """An admonition as a block quote; a dropdown as ``<details>``, which Jupyter folds."""
        name, title, body = match["name"], match["title"].strip(), match["body"].strip()
        if name == "math":
            return f"$$\n{body}\n$$"
        heading = title if name == "admonition" else name.capitalize()
        if "dropdown" in match["options"]:
            return f"<details>\n<summary>{heading}</summary>\n\n{body}\n\n</details>"
        lines = [f"**{heading}.**", "", *body.splitlines()]
        return "\n".join(f"> {line}".rstrip() for line in lines)

    def role(self, match):
        """A citation, reference or link as the words that the book shows."""
        role, text = match["role"], match["text"]
        if role in ("cite:p", "cite:t"):
            return self.citation(role, [key.strip() for key in text.split(",")])
        if role == "run-time":
            return "The chapter's page in the book says how long it took, and on what machine."
        label, _, target = text.rstrip(">").partition("<")
        label = label.strip()
        if role == "doc":
            return f"[{label}]({Path(target).name}.ipynb)" if "notebooks/" in target else label
        if role == "eq":
            return f"({self.labels[label]})"
        if role in ("numref", "ref"):
            return label if target else self.labels[label]
        return f"`{text.lstrip('.~')}`" if role.startswith("py:") else label  # a term

    def citation(self, role, keys):
        """Names and years; the keys are remembered for the closing list."""
        self.cited.update(keys)
        texts = [citation(self.works[key], role == "cite:p") for key in keys]
        return f"({'; '.join(texts)})" if role == "cite:p" else "; ".join(texts)

    def references(self):
        """The closing list of works, or nothing."""
        lines = sorted(f"- {reference(self.works[key])}" for key in self.cited)
        return "\n".join(["## References", "", *lines]) if lines else ""


def cells_for(cells, plain, edition, seed):
    """Cells of an edition, in MyST as the source has them."""
    for cell in parse(cells):
        if isinstance(cell, Exercise):
            yield from cells_of(cell, plain.chapter, edition)
            continue
        tags = cell.metadata.get("tags", [])
        if "slide-only" in tags:
            continue
        if "exercises" in tags:
            cell.source = SEED.sub(f"SEED = {seed}", cell.source)
            if edition != "book":
                cell = graded(cell, "seed", locked=True)
        yield cell
        if figure := figure_of(cell):
            number = plain.labels[figure["name"]]
            yield nbformat.v4.new_markdown_cell(f"*{number}.* {figure['caption']}")


def for_students(cells):
    """What a student is told first, and what the exercises need without the chapter."""
    for cell in cells:
        if "exercises" in cell.metadata.get("tags", []) and "import numpy" not in cell.source:
            cell.source = f"import numpy as np\n{cell.source}"
    return nbformat.v4.new_markdown_cell(FOR_STUDENTS)


def convert(source, opening, top="", *, stem="", labels=None, works=None, edition="book", seed=1):
    """Text of the ``.ipynb`` of one py:percent source, with the cells that open it."""
    chapter = int(stem[:2]) if stem[:2].isdigit() else 0
    plain = Plain(chapter, labels or labels_of({stem: source}), works)
    title, *cells = cells_for(cells_in(source), plain, edition, seed)
    first = [nbformat.v4.new_markdown_cell(top)] if top else []
    if edition != "book":
        first.append(for_students(cells))
    cells = [title, *first, nbformat.v4.new_code_cell(opening), *cells]  # the title stays first
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = plain.markdown(cell.source)
        elif FOLDED & set(cell.metadata.get("tags", [])):
            fold(cell, "Draw the figure" if figure_of(cell) else "Show the code")
        for key in ("slide", "say"):
            cell.metadata.pop(key, None)
    if closing := plain.references():
        cells.append(nbformat.v4.new_markdown_cell(closing))
    number_cells(cells)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook, ensure_ascii=False) + "\n"


def number_cells(cells):
    """Ids that depend on what a cell says, and on how often it was said before."""
    seen = {}
    for cell in cells:
        content = f"{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        cell.id = hashlib.sha256(f"{seen[content]}{content}".encode()).hexdigest()[:12]
        cell.metadata.pop("lines_to_next_cell", None)


def notebooks(edition="book", seed=1):
    """Text of each chapter's ``.ipynb``, by the stem of its file."""
    chapters, works = sources(), entries()
    labels, url = labels_of(chapters), address()
    folder = FOLDERS.get(edition, FOLDERS["book"])  # a lecturer's notebook leads to the book's
    options = {"labels": labels, "works": works, "edition": edition, "seed": seed}
    paths = {stem: f"{folder.relative_to(ROOT).as_posix()}/{stem}.ipynb" for stem in chapters}
    tops = {stem: links(url, path) if url else "" for stem, path in paths.items()}
    opening = opening_cell(url, pin())
    return {s: convert(t, opening, tops[s], stem=s, **options) for s, t in chapters.items()}


def main(arguments=None):
    """Write, or compare, all notebooks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    stale = []
    for edition, folder in FOLDERS.items():
        for stem, text in notebooks(edition).items():
            target = folder / f"{stem}.ipynb"
            if check and not (target.exists() and target.read_text(encoding="utf-8") == text):
                stale.append(f"{edition}: {target.name}")
            elif not check:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
    if stale:
        print(f"differ from their sources: {', '.join(stale)}; run `make notebooks`")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
