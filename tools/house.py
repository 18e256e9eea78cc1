"""A Sphinx extension: the package drawn as a house, from its own files and imports.

The directive ``house`` draws the chapters over the five rooms over the ground floor. What a room
holds, and on which files of the ground floor it stands, is read from the code when the page is
built, so that the picture cannot drift from it.
"""

import ast
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PACKAGE = Path(__file__).resolve().parent.parent / "netdist_utils"
# The ground floor in the order in which a network comes into being and is looked at.
SHELVES = {
    "what is chosen, and the data": ["settings", "data", "cifar"],
    "networks, and where they come from": ["models", "units", "training", "store", "zoo"],
    "statistics and maps": ["moments", "alignment", "random_matrices"],
    "what pages are made of": ["claims", "plotting", "interactive"],
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


def room_box(name, files):
    """A room: what it is for, its files, and what it stands on."""
    below = sorted({m.split(".")[0] for file in files for m in imports(file)} - {name})
    items = "".join(
        f"<li><code>{file.stem}</code> {escape(first_line(file))}</li>" for file in files
    )
    stands = ", ".join(f"<code>{module}</code>" for module in below)
    return (
        f'<div class="room"><h4><code>{name}/</code></h4>'
        f"<p>{escape(first_line(PACKAGE / name / '__init__.py'))}</p><ul>{items}</ul>"
        f'<p class="stands">stands on {stands}</p></div>'
    )


def shelf_box(title, modules):
    """A part of the ground floor."""
    items = "".join(
        f"<li><code>{m}</code> {escape(first_line(PACKAGE / f'{m}.py'))}</li>" for m in modules
    )
    return f'<div class="shelf"><h4>{title}</h4><ul>{items}</ul></div>'


def house():
    """The whole house as HTML."""
    roof = "The chapters import everything below; nothing imports a chapter."
    floors = [
        ("chapters", [f'<p class="roof">{roof}</p>']),
        ("rooms", [room_box(name, files) for name, files in rooms().items()]),
        ("ground floor", [shelf_box(*shelf) for shelf in SHELVES.items()]),
    ]
    return "".join(
        f'<div class="floor" role="group" aria-label="{name}">{"".join(boxes)}</div>'
        for name, boxes in floors
    )


class House(SphinxDirective):
    def run(self):
        for path in PACKAGE.rglob("*.py"):
            self.env.note_dependency(str(path))
        return [nodes.raw("", f'<div class="house">{house()}</div>', format="html")]


def setup(app):
    app.add_directive("house", House)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
