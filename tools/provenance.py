"""A Sphinx extension: where each page comes from, and what of it can be taken along.

The foot of a page names the commit and the day; that of a chapter also its data, size, device,
versions and run time, from the record that the chapter has left (`claims.table`). The download
button of a chapter offers its notebook, without outputs and with those of this build.
"""

import json
import os
import subprocess
from datetime import date
from html import escape
from importlib.metadata import version
from pathlib import Path

import nbformat
from address import git
from drawing import compact, prefix
from jupyter_cache import get_cache
from myst_nb.sphinx_ import NbMetadataCollector
from run_times import duration, record_of
from shared import inline, taught, with_pages

ROOT = Path(__file__).resolve().parent.parent
LICENSES = "Code: MIT. Text and figures: CC BY 4.0."
PACKAGES = (
    "torch", "torchvision", "numpy", "scipy", "scikit-learn", "pandas", "graspologic", "seaborn",
    "matplotlib", "jupyter-book", "Sphinx", "myst-nb", "jupytext",
)  # fmt: skip
SVG = "image/svg+xml"
NAMES = {"cifar10": "CIFAR-10", "digits": "digits", "synthetic": "points drawn at random"}


def commit():
    """Short name of the commit of this tree, and whether files differ from it."""
    try:
        changed = git(ROOT, "status", "--porcelain", "--untracked-files=no")
        return git(ROOT, "rev-parse", "--short=10", "HEAD") + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):  # an archive without its history
        return os.environ.get("GITHUB_SHA", "")[:10] or "unknown"


def foot(named, today, record=None, seconds=None):
    """Where a page comes from, in sentences."""
    if not record or not seconds:
        return f"Built from commit {named} on {today}."
    data = " and ".join(NAMES[name] for name in record["datasets"])
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return (
        f"Built from commit {named} on {today}. Computed on {record['date']} in "
        f"{duration(seconds)} on {record['device']}, at {record['scale']} scale, from {data}, "
        f"with {versions}."
    )


def add_foot(app, pagename, templatename, context, doctree):
    """The foot of one page, with the licences."""
    record = seconds = None
    if pagename.startswith("notebooks/"):
        record = record_of(pagename)
        seconds = (NbMetadataCollector.get_exec_data(app.env, pagename) or {}).get("runtime")
    text = foot(app.provenance_commit, date.today().isoformat(), record, seconds)
    context["theme_extra_footer"] = f"{of_chapter(pagename)}<p>{escape(text)}</p><p>{LICENSES}</p>"


def of_chapter(pagename):
    """What a course has of a chapter: its slides, plan and student notebook."""
    if not pagename.startswith("notebooks/"):
        return ""
    links = taught(pagename.rpartition("/")[2]).items()
    listed = ", ".join(f'<a href="{link}">{text}</a>' for text, link in links)
    return f"<p>Of this chapter: {listed}.</p>"


def offer_notebooks(app, pagename, templatename, context, doctree):
    """In place of a page's source, a chapter's download button has its two notebooks."""
    buttons = context.get("header_buttons", [])
    group = next((b for b in buttons if b.get("label") == "download-buttons"), None)
    if group is None:
        return
    kept = [b for b in group["buttons"] if b["label"] == "download-pdf-button"]
    notebooks = []
    if pagename.startswith("notebooks/"):
        up, stem = "../" * pagename.count("/"), pagename.rpartition("/")[2]
        for name, text in (
            (f"{stem}.ipynb", "notebook"),
            (f"{stem}.outputs.ipynb", "with outputs"),
        ):
            notebooks.append(
                {"type": "link", "url": f"{up}downloads/{name}", "text": text,
                 "icon": "fas fa-code", "tooltip": f"Download this chapter: {text}",
                 "label": f"download-{text.replace(' ', '-')}"}
            )  # fmt: skip
    group["buttons"] = notebooks + kept


def with_outputs(notebook, executed):
    """A chapter's notebook with the outputs of this build, code cell by code cell."""
    _opening, *ours = (cell for cell in notebook.cells if cell.cell_type == "code")
    theirs = [cell for cell in executed.cells if cell.cell_type == "code"]
    for cell, run in zip(ours, theirs, strict=True):
        if not cell.source.endswith(run.source):
            raise ValueError(f"the notebook and its run differ: {cell.source[:60]!r}")
        cell.outputs, cell.execution_count = run.outputs, run.execution_count
    return notebook


def light(notebook, stem):
    """The notebook with its drawings in fewer bytes, and without what only the book reads."""
    for cell in notebook.cells:
        cell.metadata.pop("mystnb", None)
    data = [o.data for c in notebook.cells for o in c.get("outputs", ()) if "data" in o]
    for number, found in enumerate(found for found in data if SVG in found):
        found[SVG] = compact(found[SVG], prefix(stem, number))
    return notebook


def dense(notebook):
    """Text of a notebook without the blanks between its parts; nbformat itself always indents."""
    text = nbformat.writes(notebook, split_lines=False)
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def runs(app):
    """{stem: executed notebook} of the chapters that the build's cache holds."""
    folder = Path(app.srcdir, app.config.nb_execution_cache_path)
    if not folder.is_dir():
        return {}
    cache = get_cache(folder)
    records = sorted(cache.list_cache_records(), key=lambda record: record.created)
    return {Path(r.uri).stem: cache.get_cache_bundle(r.pk).nb for r in records}  # the last counts


@with_pages
def write_notebooks(app):
    """The notebooks that the buttons offer."""
    target = Path(app.outdir) / "downloads"
    target.mkdir(exist_ok=True)
    executed = runs(app)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, 4)
        (target / path.name).write_text(dense(light(notebook, path.stem)), encoding="utf-8")
        if path.stem in executed:
            notebook = light(with_outputs(notebook, executed[path.stem]), path.stem)
            (target / f"{path.stem}.outputs.ipynb").write_text(dense(notebook), encoding="utf-8")


def versions():
    """``{versions}``: what this build was made with, as a table."""
    rows = "".join(f"<tr><td>{name}</td><td>{version(name)}</td></tr>" for name in PACKAGES)
    head = "<thead><tr><th scope='col'>package</th><th scope='col'>version</th></tr></thead>"
    return f"<table>{head}<tbody>{rows}</tbody></table>"


def remember_commit(app):
    """Asked once: the tree does not change while a book is built."""
    app.provenance_commit = commit()


def setup(app):
    app.add_directive("versions", inline(versions))
    app.connect("builder-inited", remember_commit)
    app.connect("html-page-context", add_foot, priority=900)
    app.connect("html-page-context", offer_notebooks, priority=900)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
