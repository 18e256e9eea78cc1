"""A Sphinx extension: what a course takes from the site, and the table that links to it.

The student edition is written beside the pages (``student/``, and all of it as one zip), slides
are (`slides`), and ``{course-table}`` lists for each chapter its slides, plan and notebook.
"""

import html
from pathlib import Path

import nbformat
from address import address, colab
from docutils import nodes
from docutils.parsers.rst import Directive
from editions import write_student
from provenance import dense, light
from shared import taught, with_pages
from slides import title_of
from sync_notebooks import cells_in, sources

HEAD = ("chapter", "slides", "lesson plan", "student notebook")


def row(stem, title, up, url):
    """Cells of one chapter; ``up`` leads from the page to the root of the site."""
    number = int(stem[:2])
    link = '<a class="reference" href="{}">{}</a>'.format
    name = html.escape(f"{number}. {title}")
    spoken = f'<span class="visually-hidden"> of chapter {number}</span>'
    slides, plan, student = taught(stem, up).values()
    notebook = [link(student, f"download{spoken}")]
    if url:
        notebook.insert(0, link(colab(url, f"notebooks/student/{stem}.ipynb"), f"Colab{spoken}"))
    return (
        link(f"{up}notebooks/{stem}.html", name),
        link(slides, f"slides{spoken}"),
        link(plan, f"plan{spoken}"),
        ", ".join(notebook),
    )


def table(up, url, titles):
    """The table of all chapters, as HTML."""
    head = "".join(f"<th scope='col'>{text}</th>" for text in HEAD)
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row(stem, title, up, url)) + "</tr>"
        for stem, title in titles.items()
    )
    head = f"<thead><tr>{head}</tr></thead>"
    return f'<table class="table course">{head}<tbody>{rows}</tbody></table>'


def titles():
    """{stem: title} of all chapters."""
    return {stem: title_of(cells_in(text))[0] for stem, text in sources().items()}


class CourseTable(Directive):
    """``{course-table}``: for each chapter what a lecturer takes from the site."""

    def run(self):
        docname = self.state.document.settings.env.docname
        text = table("../" * docname.count("/"), address(), titles())
        link = f"{'../' * docname.count('/')}student/student.zip"
        text += f'<p><a class="reference" href="{link}">All student notebooks in one file</a></p>'
        return [nodes.raw("", text, format="html")]


@with_pages
def write_editions(app):
    """The student edition beside the pages."""
    folder = Path(app.outdir) / "student"
    write_student(folder, seed=1)
    for path in folder.glob("*.ipynb"):
        path.write_text(dense(light(nbformat.read(path, 4), path.stem)), encoding="utf-8")


def setup(app):
    app.add_directive("course-table", CourseTable)
    app.connect("build-finished", write_editions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
