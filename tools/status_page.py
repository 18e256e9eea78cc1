"""A Sphinx extension: the status of this build, chapter by chapter.

The directive ``build-status`` shows one part of it, named in its argument: ``chapters``, ``data``
or ``reproduce``. All pages are read, and so all chapters run, before one is written; so each
leaves a placeholder, filled from what MyST-NB measured of a run, what the chapter noted of itself
(`claims.table`), and the records of its claims.
"""

from dataclasses import dataclass
from datetime import date
from html import escape

import ledger_page
import shared
from address import address
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from provenance import NAMES
from run_times import duration, record_of
from sphinx.util.docutils import SphinxDirective

from netdist_utils import claims
from netdist_utils.words import listed

PAGE = "book/status"
SIGNS = {"ran": "✓", "failed": "✗", "not run": "–"}  # beside the word and its colour
KINDS = ("holds", "not judged", "not measured")  # of claims
COLUMNS = (
    "Chapter", "Status", "Last run", "Run time", "Training spared", "Claims", "Scale", "Device",
)  # fmt: skip


@dataclass(frozen=True)
class Chapter:
    """What is known of a chapter: the run as MyST-NB saw it, the chapter's record, its claims."""

    link: str
    title: str
    run: dict | None
    record: dict | None
    claims: dict

    @property
    def state(self):
        """Whether it ran for this build, failed in it, or did neither."""
        if self.run and not self.run["succeeded"]:
            return "failed"
        return "ran" if self.run and self.record else "not run"

    @property
    def seconds(self):
        """How long it took; 0 where it did not run."""
        return (self.run or {}).get("runtime") or 0

    @property
    def spared(self):
        """Seconds of training that the cache spared it."""
        return (self.record or {}).get("spared_seconds", 0)


class StatusPart(nodes.General, nodes.Element):
    """Stands where a part of the status will be."""


class BuildStatus(SphinxDirective):
    """``{build-status} chapters``: a part of this build's status."""

    required_arguments = 1

    def run(self):
        if (part := self.arguments[0]) not in PARTS:
            raise self.error(f"{part!r} is no part of the status; use one of {', '.join(PARTS)}")
        return [StatusPart("", part=part)]


def tally(chapter):
    """How many claims of a chapter hold, are not judged here, and were not measured."""
    found = dict.fromkeys(KINDS, 0)
    for name, claim in claims.tables().items():
        if claim["chapter"] == chapter:
            known = ledger_page.record_of(name, claims.ledger_dir()) or {}
            found[known.get("status", "not measured")] += 1
    return found


def tallied(counts):
    """A tally in words.

    >>> tallied({"holds": 12, "not judged": 1, "not measured": 0})
    '12 of 13 hold, 1 not judged'
    """
    words = [f"{counts['holds']} of {sum(counts.values())} hold"]
    words += [f"{counts[kind]} {kind}" for kind in KINDS[1:] if counts[kind]]
    return ", ".join(words)


def brief(seconds):
    """A duration as it stands in a table.

    >>> brief(28.4), brief(154)
    ('28 s', '2.6 min')
    """
    return duration(seconds).replace(" seconds", " s").replace(" minutes", " min")


def cells(chapter):
    """What the table says of a chapter, column by column, after its name."""
    state, record = chapter.state, chapter.record or {}
    sign = f'<span aria-hidden="true">{SIGNS[state]}</span> {state}'
    return [
        f'<span class="{state.replace(" ", "-")}">{sign}</span>',
        record.get("date", ""),
        brief(chapter.seconds) if chapter.seconds else "",
        brief(chapter.spared) if chapter.spared >= 1 else "none",
        tallied(chapter.claims),
        record.get("scale", ""),
        record.get("device", ""),
    ]


def row(chapter):
    """A row whose cells name their columns: on a phone it is shown as a card."""
    link = f'<a href="{chapter.link}">{escape(chapter.title)}</a>'
    named = zip(COLUMNS[1:], cells(chapter), strict=True)
    rest = "".join(f'<td role="cell" data-column="{name}">{value}</td>' for name, value in named)
    return f'<tr role="row"><th scope="row" role="rowheader">{link}</th>{rest}</tr>'


def summary(found):
    """All chapters in two sentences."""
    ran = sum(chapter.state == "ran" for chapter in found)
    spared = sum(chapter.spared for chapter in found)
    took = duration(sum(chapter.seconds for chapter in found))
    text = f"{ran} of {len(found)} chapters ran, in {took} together"
    text += f"; the cache spared {duration(spared)} of training" if spared >= 1 else ""
    totals = {kind: sum(chapter.claims[kind] for chapter in found) for kind in KINDS}
    return f"{text}. Of their claims {tallied(totals)}."


def chapters(app, found):
    """Where each chapter stands: a sentence over all, and a table."""
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in COLUMNS)
    table = (
        f'<table class="build-status" role="table"><thead role="rowgroup"><tr role="row">{head}'
        f'</tr></thead><tbody role="rowgroup">{"".join(map(row, found))}</tbody></table>'
    )
    return [nodes.paragraph("", summary(found)), nodes.raw("", table, format="html")]


def data(app, found):
    """Which chapters ran on which data."""
    used = {}
    for chapter in found:
        for name in (chapter.record or {}).get("datasets", ()):
            link = f'<a href="{chapter.link}">{escape(chapter.title)}</a>'
            used.setdefault(name, []).append(link)
    names = {name: NAMES[name][0].upper() + NAMES[name][1:] for name in used}
    items = (f"<li><strong>{names[name]}</strong>: {listed(used[name])}.</li>" for name in used)
    return [nodes.raw("", f"<ul>{''.join(items)}</ul>", format="html")]


def commands(commit, records, url):
    """The lines that make this build again, from its commit, its scale and its data."""
    scales = {record["scale"] for record in records}
    names = {name for record in records for name in record["datasets"]}
    settings = [f"NETDIST_SCALE={scale}" for scale in sorted(scales - {"standard"})]
    settings += ["NETDIST_DATASET=digits"] if names and "cifar10" not in names else []
    begin = f"git clone {url} book && cd book" if url else "# in a clone of the book:"
    checkout = [] if commit == "unknown" else [f"git checkout {commit}"]  # an archive has none
    return "\n".join([begin, *checkout, " ".join([*settings, "make book"])])


def reproduce(app, found):
    """The commit of this build, and how to make it again."""
    commit, _, changed = app.provenance_commit.partition(" ")
    text = f"This build was made from commit {commit} on {date.today().isoformat()}."
    if changed:
        text += " Files differed from that commit, so it gives nearly this build, not this one."
    records = [chapter.record for chapter in found if chapter.record]
    lines = commands(commit, records, address())
    return [nodes.paragraph("", text), nodes.literal_block(lines, lines, language="bash")]


PARTS = {"chapters": chapters, "data": data, "reproduce": reproduce}


def standing(app, page):
    """All chapters in their order, as seen from a page that shows them."""
    return [
        Chapter(
            link=app.builder.get_relative_uri(page, name),
            title=f"{number}. {app.env.titles[name].astext()}",
            run=NbMetadataCollector.get_exec_data(app.env, name),
            record=record_of(name),
            claims=tally(name.rpartition("/")[2]),
        )
        for number, name in enumerate(shared.chapters(app.env), 1)
    ]


def fill(app, doctree, docname):
    """Put each part of the status where its placeholder stands."""
    for place in list(doctree.findall(StatusPart)):
        place.replace_self(PARTS[place["part"]](app, standing(app, docname)))


def always_write(app, env):
    """The status is written on every build, whatever has changed."""
    return [PAGE] if PAGE in env.found_docs else []


def style(app, pagename, templatename, context, doctree):
    """The table's own style sheet, on its page alone."""
    if pagename == PAGE:
        app.add_css_file("status.css")


def setup(app):
    app.add_node(StatusPart)
    app.add_directive("build-status", BuildStatus)
    app.connect("doctree-resolved", fill)
    app.connect("env-updated", always_write)
    app.connect("html-page-context", style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
