"""A Sphinx extension: what a chapter says of its own run time is what the build measured.

The role ``{run-time}`` leaves a placeholder; when the page is written, the chapter has run, and
MyST-NB knows how long it took. Device, date and scale come from the record that the chapter's
own ledger cell has left (`claims.table`). In a notebook, `sync_notebooks` writes a plain sentence.
"""

import json

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.transforms.post_transforms import SphinxPostTransform

from netdist_utils import claims


class RunTime(nodes.Inline, nodes.TextElement):
    """Stands where the sentence will be."""


def run_time_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    return [RunTime("", text)], []


def duration(seconds):
    """Seconds below two minutes, then minutes.

    >>> duration(28.4), duration(154)
    ('28 seconds', '2.6 minutes')
    """
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.1f} minutes"


def sentence(seconds, record):
    """What the head of a chapter says of its run."""
    if not seconds or not record:
        return "It was not run for this page."
    training = ""
    if record["spared_seconds"] >= 1:
        spared = duration(record["spared_seconds"])
        training = f"; its networks were at hand, and had taken {spared} to train"
    return (
        f"This page was computed in {duration(seconds)} on {record['device']}, at "
        f"{record['scale']} scale, on {record['date']}{training}."
    )


def record_of(docname):
    """What the chapter noted of its last run."""
    path = claims.ledger_dir() / "runs" / f"{docname.rpartition('/')[2]}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


class FillRunTimes(SphinxPostTransform):
    default_priority = 8

    def run(self, **kwargs):
        found = NbMetadataCollector.get_exec_data(self.env, self.env.docname) or {}
        for node in list(self.document.findall(RunTime)):
            text = sentence(found.get("runtime"), record_of(self.env.docname))
            node.replace_self(nodes.Text(text))


def setup(app):
    app.add_node(RunTime)
    app.add_role("run-time", run_time_role)
    app.add_post_transform(FillRunTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
