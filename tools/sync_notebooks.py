"""Write each ``notebooks/*.py`` as the ``.ipynb`` that Colab and Jupyter open.

    python tools/sync_notebooks.py            write them
    python tools/sync_notebooks.py --check    exit 1 if one on disk differs
    python tools/sync_notebooks.py --student FOLDER    write them without solutions

The ``.py`` is the source; the ``.ipynb`` has no outputs, cell ids that depend on the cells'
content alone, and plain Markdown in place of MyST's directives.
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

import jupytext
import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
# A fenced directive: fence, name, optional title, options, body, the same fence.
DIRECTIVE = re.compile(
    r"^(:{3,})\{(?P<name>[\w-]+)\}[ ]?(?P<title>[^\n]*)\n"
    r"(?P<options>(?::\w+:[^\n]*\n)*)(?P<body>.*?)^\1[ ]*$",
    re.MULTILINE | re.DOTALL,
)
ROLE = re.compile(r"\{(?P<role>cite:[pt]|doc|ref|term)\}`(?P<text>[^`]+)`")
LABEL = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)


def repository():
    """Address of the repository: it stands in ``_config.yml`` alone."""
    return yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


def install_cell(address):
    """Source of the opening cell: it installs the package only where it is missing."""
    return (
        "# On Colab, or wherever the book's package is missing, this installs it.\n"
        "import importlib.util\n\n"
        'if importlib.util.find_spec("netdist_utils") is None:\n'
        f"    %pip install -q git+{address}"
    )


def plain_directive(match, solutions=True):
    """An admonition as a block quote; a dropdown as ``<details>``, which Jupyter folds."""
    name, title, body = match["name"], match["title"].strip(), match["body"].strip()
    if name == "math":
        return f"$$\n{body}\n$$"
    heading = title if name == "admonition" else name.capitalize()
    if "dropdown" in match["options"]:
        if not solutions:
            return "*Your answer:*"
        return f"<details>\n<summary>{heading}</summary>\n\n{body}\n\n</details>"
    lines = [f"**{heading}.**", "", *body.splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def plain_role(match):
    """A citation as its keys in brackets, a link to a chapter as a link to its notebook."""
    text = match["text"]
    if match["role"].startswith("cite"):
        return f"[{', '.join(key.strip() for key in text.split(','))}]"
    label, _, target = text.rstrip(">").partition("<")
    if match["role"] != "doc" or not target:
        return label.strip()
    return f"[{label.strip()}]({Path(target).name}.ipynb)"


def plain_markdown(text, solutions=True):
    """MyST as plain Jupyter and Colab can show it."""
    text = LABEL.sub("", text)
    text = DIRECTIVE.sub(lambda match: plain_directive(match, solutions), text)
    return ROLE.sub(plain_role, text)


def convert(source, address, solutions=True):
    """Text of the ``.ipynb`` of one py:percent source."""
    notebook = jupytext.reads(source, fmt="py:percent")
    opening = nbformat.v4.new_code_cell(install_cell(address))
    # Below the title, which stays first.
    notebook.cells.insert(1, opening)
    seen = {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = plain_markdown(cell.source, solutions)
        content = f"{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        cell.id = hashlib.sha256(f"{seen[content]}{content}".encode()).hexdigest()[:12]
        cell.metadata.pop("lines_to_next_cell", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return nbformat.writes(notebook, ensure_ascii=False) + "\n"


def main(arguments=None):
    """Write, or compare, all notebooks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--student", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    stale = []
    for source in sorted((ROOT / "notebooks").glob("*.py")):
        text = convert(source.read_text(), repository(), solutions=options.student is None)
        target = (options.student or source.parent) / f"{source.stem}.ipynb"
        if options.check:
            if not target.exists() or target.read_text() != text:
                stale.append(target.name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    if stale:
        print(f"differ from their sources: {', '.join(stale)}; run `make notebooks`")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
