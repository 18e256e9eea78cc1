"""A Sphinx extension: the page of benchmarks, from ``book/benchmarks.json`` alone.

The directive ``benchmarks`` shows one part of it, named in its argument (`PARTS`). ``make bench``
writes the file; nothing on the page is typed that another run could change.
"""

import json
from html import escape
from itertools import groupby
from statistics import median

import benchmark_figures
import figures
from bench import FIGURES
from docutils import nodes
from ratios import brief, by_chapter, clearly, counted, figure, ratio, slope, spread, times
from sphinx.util.docutils import SphinxDirective

from netdist_utils.words import listed, number

PAGE = "book/benchmarks"
COLUMNS = ("What", "Ours", "Against", "Theirs", "Ratio")
GPU_COLUMN = "Ours on the GPU"
OWN = "training"  # where the package's choices are compared with each other
VERDICTS = {
    "faster": "ours is faster in every run",
    "slower": "ours is slower in every run",
    "neither": "some runs lie on either side of 1",
}


class Benchmarks(SphinxDirective):
    """``{benchmarks} table``: a part of the page."""

    required_arguments = 1

    def run(self):
        if (part := self.arguments[0]) not in PARTS:
            raise self.error(f"{part!r} is no part of the page; use one of {', '.join(PARTS)}")
        self.env.note_dependency(str(FIGURES))
        return PARTS[part](json.loads(FIGURES.read_text(encoding="utf-8")))


def raw(text):
    return nodes.raw("", text, format="html")


def ratio_of(row):
    return ratio(row["ours"], row["theirs"])


# The table


def cells(row, with_gpu):
    """What the table says of a comparison, column by column."""
    found = ratio_of(row)
    texts = [
        f"{escape(row['what'])}<small>{escape(row['size'])}</small>",
        brief(median(row["ours"])),
        f"{escape(row['against'])}<small>equal: {escape(row['checked'])}</small>",
        brief(median(row["theirs"])),
        f"<strong>{times(found.median)}</strong><small>{times(found.least)} to "
        f"{times(found.most)}</small>",
    ]
    gpu = row.get("gpu")
    return texts + [brief(median(gpu)) if gpu else ""] * with_gpu


def table_row(row, columns):
    """A row whose cells name their columns: on a phone it is shown as a card."""
    first, *rest = cells(row, GPU_COLUMN in columns)
    rest = "".join(
        f'<td role="cell" data-column="{name}"><div>{value}</div></td>'
        for name, value in zip(columns[1:], rest, strict=True)
        if value or name != GPU_COLUMN
    )
    kind = clearly(ratio_of(row))
    return (
        f'<tr role="row" class="{kind}"><th scope="row" role="rowheader">{first}</th>{rest}</tr>'
    )


def in_chapters(rows):
    """[(chapter, its rows)], chapters in order, rows as they were measured."""
    return [(name, list(of)) for name, of in groupby(sorted(rows, key=by_chapter), by_chapter)]


def table_of(columns, bodies):
    """A table of the status's look, from its columns' names and the HTML of its bodies."""
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in columns)
    return [
        raw(
            f'<table class="build-status benchmarks" role="table"><thead role="rowgroup">'
            f'<tr role="row">{head}</tr></thead>'
            + "".join(f'<tbody role="rowgroup">{body}</tbody>' for body in bodies)
            + "</table>"
        )
    ]


def table(found):
    """All comparisons, chapter by chapter."""
    columns = [*COLUMNS, *([GPU_COLUMN] if found["machine"]["gpu"] else [])]
    bodies = []
    for chapter, rows in in_chapters(found["rows"]):
        title = (
            f'<tr role="row" class="chapter"><th scope="rowgroup" role="rowheader" '
            f'colspan="{len(columns)}">{escape(chapter)}</th></tr>'
        )
        bodies.append(title + "".join(table_row(row, columns) for row in rows))
    return table_of(columns, bodies)


# Sentences


def caution(found):
    """What makes these figures worth less than others, first."""
    words = []
    if found["quick"]:
        words.append(
            "These figures come from a quick run with tiny sizes, made to see that all works. "
            "They say nothing of speed."
        )
    if found["busy"]:
        words.append(
            f"Other work ran on this machine: before the run {found['load_before']:.1f} processes "
            "wanted a processor, on average over a minute. Ratios suffer less than times, since "
            "both ways were run in turn."
        )
    return [nodes.warning("", nodes.paragraph("", text)) for text in words]


def summary(found):
    """How many ways are faster, slower and neither, and how far runs lie apart."""
    own = [row for row in found["rows"] if row["chapter"] == OWN]
    others = [row for row in found["rows"] if row["chapter"] != OWN]
    said = [verdict(others, "with a source's way or a library")] if others else []
    said += [verdict(own, "between choices of the package")] if own else []
    spreads = [spread(row["ours"]) for row in found["rows"]]
    said.append(
        f"The longest of our runs took {figure(median(spreads))} times as long as the shortest in "
        f"the middle row, and {figure(max(spreads))} times in the most restless one."
    )
    return [nodes.paragraph("", " ".join(said))]


def verdict(rows, of_what):
    """How many of these are faster, slower and neither, in a sentence or two."""
    ratios = [ratio_of(row) for row in rows]
    kinds = [clearly(r) for r in ratios]
    said = [f"in {kinds.count(kind)} {words}" for kind, words in VERDICTS.items() if kind in kinds]
    middle = sorted(r.median for r in ratios)
    return (
        f"Of {counted(len(ratios), 'comparison')} {of_what}: {listed(said)}. Ratios range from "
        f"{times(middle[0])} to {times(middle[-1])}, with a median of {times(median(middle))}."
    )


def slower(found):
    """What is not faster: every comparison with a run at 1 or below."""
    rows = [row for row in found["rows"] if clearly(ratio_of(row)) != "faster"]
    if not rows:
        return [nodes.paragraph("", "In this run every comparison was above 1 in all its runs.")]
    items = nodes.bullet_list()
    for row in rows:
        r = ratio_of(row)
        text = (
            f"{row['what'][0].upper()}{row['what'][1:]} ({row['size']}), beside {row['against']}: "
            f"{times(r.median)}, from {times(r.least)} to {times(r.most)}."
        )
        items += nodes.list_item("", nodes.paragraph("", text))
    text = f"{counted(len(rows), 'comparison')} with a run in which ours was not faster:"
    return [nodes.paragraph("", text), items]


def gpu(found):
    """What the graphics processor does to our times, where there is one."""
    if not (name := found["machine"]["gpu"]):
        return [nodes.paragraph("", "This machine has no GPU that torch can use.")]
    rows = [row for row in found["rows"] if "gpu" in row]
    ratios = sorted(median(row["ours"]) / median(row["gpu"]) for row in rows)
    text = f"{counted(len(rows), 'comparison')} ran on the {name}, too."
    if rows:
        text += (
            " Our time on the processor, divided by that on the GPU, ranges from "
            f"{figure(ratios[0])} to {figure(ratios[-1])}."
        )
    return [nodes.paragraph("", text)]


def growth_words(panel):
    """One panel of the figure in a sentence."""
    at, ours = panel["at"], [median(times) for times in panel["ours"]]
    share = ours[-1] / panel["floor"][-1]
    text = (
        f"From {at[0]:,} to {at[-1]:,} {panel['axis']} our time goes from {brief(ours[0])} to "
        f"{brief(ours[-1])}, at the larger sizes {rising(panel, ours)}. There it is "
        f"{figure(share)} times the floor: {panel['floor_is']}."
    )
    if panel["theirs"]:
        k = len(panel["theirs"]) - 1
        found = ratio(panel["ours"][k], panel["theirs"][k])
        text += (
            f" At {at[k]:,} {panel['axis']} {panel['against']} takes {figure(found.median)} times "
            f"as long as ours ({figure(found.least)} to {figure(found.most)})."
        )
    return text


def rising(panel, ours):
    """How time rises at the larger sizes; of subnetworks a unit more is twice as many."""
    if "subnetworks" in panel["what"]:
        steps = panel["at"][-1] - panel["at"][-2]
        return f"by a factor of {figure((ours[-1] / ours[-2]) ** (1 / steps))} a unit"
    return f"as the power {number(slope(panel['at'], ours), 1)} of the size"


def growth(found):
    """The figure of growth, and each panel in words."""
    items = nodes.bullet_list()
    for panel in found["growth"]:
        title = nodes.strong("", f"{panel['what'][0].upper()}{panel['what'][1:]}.")
        items += nodes.list_item(
            "", nodes.paragraph("", "", title, nodes.Text(" " + growth_words(panel)))
        )
    caption = (
        "How cost grows. Dots are medians, whiskers the shortest and the longest run. The dotted "
        "line is the floor: what has to be moved or computed at least, at the rates of one large "
        "copy and one large product, measured in the same run."
    )
    return [raw(figures.captioned(benchmark_figures.growth(found), caption)), items]


def ratios(found):
    """The figure of all ratios."""
    caption = (
        "Time of the other way over ours: right of the line ours is faster, left of it slower. "
        "A line names what is done, its size, and the other way. "
        "Dots are medians, whiskers the least and the largest ratio of a run."
    )
    return [raw(figures.captioned(benchmark_figures.ratios(found), caption))]


def memory(found):
    """How far the peak of memory rose."""
    rows = "".join(
        f'<tr role="row"><th scope="row" role="rowheader">{escape(row["what"])}</th>'
        f'<td role="cell" data-column="More memory"><div>{row["gib"]:.2f} GiB</div></td></tr>'
        for row in found["memory"]
    )
    return table_of(("What", "More memory"), [rows])


def machine(found):
    """What was measured on what, when and from which commit."""
    of, can = found["machine"], found["limits"]
    versions = ", ".join(f"{name} {version}" for name, version in of["versions"].items())
    lines = {
        "Processor": f"{of['processor']}, {counted(of['cores'], 'core')} in use, "
        f"{of['memory_gib']:.0f} GiB of memory, {of['system']}",
        "Graphics processor": of["gpu"] or "none",
        "Threads": f"{of['threads']} in torch",
        "What it can do": f"copies {figure(can['bandwidth'] / 1e9)} GB/s, and computes "
        f"{figure(can['single'] / 1e9)} Gflop/s in single and {figure(can['double'] / 1e9)} in "
        "double precision: one large copy and one large product in the same run",
        "Versions": versions,
        "Run": f"{found['date']}, commit {found['commit']}, {brief(found['seconds'])}, load "
        f"before it {found['load_before']:.1f}",
    }
    items = nodes.bullet_list()
    for name, text in lines.items():
        items += nodes.list_item(
            "",
            nodes.paragraph(
                "", "", nodes.strong("", f"{name}."), nodes.Text(f" {text[0].upper()}{text[1:]}.")
            ),
        )
    return [items]


PARTS = {
    part.__name__: part
    for part in (caution, summary, ratios, table, slower, growth, memory, gpu, machine)
}


def style(app, pagename, templatename, context, doctree):
    """The tables look as that of the status does; what is their own comes after."""
    if pagename == PAGE:
        app.add_css_file("status.css")
        app.add_css_file("benchmarks.css")


def setup(app):
    app.add_directive("benchmarks", Benchmarks)
    app.connect("html-page-context", style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
