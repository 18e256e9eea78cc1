"""A Sphinx extension: the package drawn as a house, from its own files and imports.

The directive ``house`` draws the chapters over the five rooms over the ground floor, and
``house-files`` lists what each file is for. What a room holds, and on which files of the ground
floor it stands, is read from the code when the page is built, so that the picture cannot drift
from it.
"""

import ast
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PACKAGE = Path(__file__).resolve().parent.parent / "netdist_utils"
# The ground floor in the order in which a network comes into being and is looked at.
SHELVES = {
    "what is chosen, and the data": ["settings", "workers", "checks", "kinds", "data", "cifar"],
    "networks, and where they come from": ["models", "units", "training", "store", "zoo"],
    "statistics and maps": ["moments", "alignment", "random_matrices"],
    "what pages are made of": ["claims", "words", "plotting", "interactive"],
}


def first_line(path):
    """What a module says it is, in its first line."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def imports(path):
    """Modules of this package that a file imports: "moments", "matching.graphs"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "netdist_utils":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("netdist_utils."):
            found.add(node.module.removeprefix("netdist_utils."))
    return found


def rooms():
    """Each room's files, by the room's name; the lenses, which may enter all rooms, last."""
    folders = [path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    return {
        folder.name: sorted(p for p in folder.glob("*.py") if p.stem != "__init__")
        for folder in sorted(folders, key=lambda path: (path.name == "lenses", chapter_of(path)))
    }


def chapter_of(room):
    """The number of the chapter that a room says it is for."""
    words = first_line(room / "__init__.py").split()
    return words[1].rstrip(":") if words[:1] == ["Chapter"] else "9"


def files_list(paths):
    """Names of files, with what each is for as its title."""
    return "".join(
        f'<li title="{escape(first_line(path))}"><code>{path.stem}</code></li>' for path in paths
    )


def box(kind, title, paths, foot=""):
    """A room, or a shelf of the ground floor."""
    return f'<div class="{kind}"><strong>{title}</strong><ul>{files_list(paths)}</ul>{foot}</div>'


def stands_on(name, files):
    """The files of the ground floor that a room imports."""
    below = sorted({m.split(".")[0] for file in files for m in imports(file)} - {name})
    return f'<p class="stands">stands on {", ".join(below)}</p>'


def house():
    """The whole house as HTML."""
    floors = {
        "chapters": ['<p class="roof">chapters</p>'],
        "rooms": [
            box("room", name, files, stands_on(name, files)) for name, files in rooms().items()
        ],
        "ground floor": [
            box("shelf", title, [PACKAGE / f"{module}.py" for module in modules])
            for title, modules in SHELVES.items()
        ],
    }
    return "".join(
        f'<div class="floor" role="group" aria-label="{name}">{"".join(boxes)}</div>'
        for name, boxes in floors.items()
    )


def contents():
    """What each file is for: [(place, [(file, its first line)])], rooms first."""
    places = [(f"{name}/", files) for name, files in rooms().items()]
    places += [
        (title, [PACKAGE / f"{m}.py" for m in modules]) for title, modules in SHELVES.items()
    ]
    return [(place, [(path.stem, first_line(path)) for path in paths]) for place, paths in places]


class House(SphinxDirective):
    """The picture."""

    def html(self):
        return f'<div class="house">{house()}</div>'

    def run(self):
        for path in PACKAGE.rglob("*.py"):
            self.env.note_dependency(str(path))
        return [nodes.raw("", self.html().replace("``", ""), format="html")]


class HouseFiles(House):
    """The list of what each file is for."""

    def html(self):
        rows = "".join(
            f"<tr><td>{escape(place)}</td><td><code>{name}</code></td><td>{escape(what)}</td></tr>"
            for place, files in contents()
            for name, what in files
        )
        head = "<tr><th>where</th><th>file</th><th>what it is</th></tr>"
        return f'<table class="table"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def setup(app):
    app.add_directive("house", House)
    app.add_directive("house-files", HouseFiles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
