"""The two figures of the page of benchmarks, drawn as the chapters' are."""

from itertools import groupby
from statistics import median

import numpy as np
from figures import drawn, plain
from matplotlib.ticker import LogLocator
from ratios import by_chapter, clearly, counted, figure, ratio, times

from netdist_utils import plotting

C = plotting.COLORS
# A colour a chapter, in their order; what belongs to no chapter comes last.
CHAPTERS = ("matched", "unmatched", "level 2", "outside", "inside", "other", "null")


def short(text):
    """The first words, up to a comma, a colon or a bracket.

    >>> short("graspologic 3.4.4, 20 starts: the source's way")
    'graspologic 3.4.4'
    """
    for mark in (", ", ": ", " ("):
        text = text.partition(mark)[0]
    return text


def places(rows):
    """[(height, row)] and {chapter: height of its title}, from the top downwards."""
    height, of_rows, of_titles = 0.0, [], {}
    for chapter, group in groupby(sorted(rows, key=by_chapter), by_chapter):
        of_titles[chapter] = height
        for row in group:
            height -= 1
            of_rows.append((height, row))
        height -= 1
    return of_rows, of_titles


def ratios(found):
    """All ratios on a logarithmic axis, a colour a chapter."""
    return drawn(draw_ratios, found, ratios_alt(found["rows"]), "z0")


def ratios_alt(rows):
    """What the figure shows, counted."""
    all_of = [ratio(row["ours"], row["theirs"]) for row in rows]
    kinds = [clearly(r) for r in all_of]
    middle = sorted(r.median for r in all_of)
    return (
        f"{counted(len(rows), 'dot')} with whiskers on a logarithmic axis of ratios, in "
        f"{counted(len({by_chapter(row) for row in rows}), 'group')}, from "
        f"{figure(middle[0])} to {figure(middle[-1])}. With all their runs "
        f"{kinds.count('faster')} lie right of a line at 1, {kinds.count('slower')} left of it; "
        f"{kinds.count('neither')} lie on either side."
    )


def draw_ratios(canvas, found):
    """Each dot has its words above it, so that the drawing is narrow enough to be read."""
    of_rows, of_titles = places(found["rows"])
    lowest = of_rows[-1][0]
    canvas.set_size_inches(5.4, 0.8 + 0.4 * (1 - lowest))
    ax = canvas.add_subplot()
    colors = dict(zip(of_titles, [C[name] for name in CHAPTERS] * len(of_titles), strict=False))
    for height, row in of_rows:
        r, color = ratio(row["ours"], row["theirs"]), colors[by_chapter(row)]
        ax.plot([r.least, r.most], [height, height], color=color, lw=2.2, solid_capstyle="butt")
        ax.plot([r.median], [height], "o", color=color, ms=6)
        words(
            ax,
            height + 0.42,
            " · ".join([row["what"], *map(short, (row["size"], row["against"]))]),
        )
    for chapter, height in of_titles.items():
        words(ax, height + 0.3, chapter, fontsize=9.5, fontweight="bold", color=colors[chapter])
    marks = [mark for height, _ in of_rows for mark in (height - 0.35, height + 0.2, np.nan)]
    ax.plot([1] * len(marks), marks, color=C["ink"], lw=1.2, zorder=1)  # words interrupt the line
    ax.set(xscale="log", ylim=(lowest - 0.6, 0.8), xlabel="time of the other way / our time")
    ax.set_xlim(right=2 * ax.get_xlim()[1])
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(plain)
    ax.tick_params(top=True, labeltop=True)  # the drawing is longer than a screen
    ax.minorticks_off()


def words(ax, height, text, **look):
    """Words from the left edge on; they may be longer than the axis."""
    place = {"transform": ax.get_yaxis_transform(), "va": "center", "in_layout": False}
    ax.text(0, height, text, **{"fontsize": 8, **place, **look})


def growth(found):
    """A panel for each size over which cost was measured, the floor below."""
    return drawn(draw_growth, found, growth_alt(found["growth"]), "z1")


def growth_alt(panels):
    """What each panel shows, in the order in which they stand."""
    each = [
        f"{panel['what']} over {panel['axis']}, {panel['at'][0]:,} to {panel['at'][-1]:,}: ours "
        f"ends at {figure(median(panel['ours'][-1]) / panel['floor'][-1])} times the floor"
        + (f", {beside(panel)}" if panel["theirs"] else "")
        for panel in panels
    ]
    panels = counted(len(panels), "panel")
    return f"{panels} of seconds, on logarithmic axes, over sizes. {'; '.join(each)}."


def beside(panel):
    """How far the other way goes, and where it ends."""
    k = len(panel["theirs"]) - 1
    found = ratio(panel["ours"][k], panel["theirs"][k])
    return (
        f"{panel['against']} is drawn up to {panel['at'][k]:,}, where it takes "
        f"{times(found.median)} times as long as ours"
    )


def draw_growth(canvas, found):
    panels = found["growth"]
    rows = (len(panels) + 1) // 2
    canvas.set_size_inches(6, 0.3 + 2.3 * rows)
    axes = canvas.subplots(rows, 2, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.axis("off")
    for ax, panel in zip(axes, panels, strict=False):
        draw_panel(ax, panel)
    lines = [line for line in axes[0].lines if not line.get_label().startswith("_")]
    canvas.legend(handles=lines, loc="outside upper center", ncols=3, fontsize=9)


def draw_panel(ax, panel):
    at, theirs = panel["at"], panel["theirs"] or []
    with_whiskers(ax, at, panel["ours"], C["matched"], "o-", "ours")
    with_whiskers(ax, at[: len(theirs)], theirs, C["unmatched"], "s--", "the other way")
    ax.plot(at, panel["floor"], ":", color=C["ink"], lw=1.6, label="floor")
    linear = "subnetworks" in panel["what"]  # a unit more is twice as many
    ax.set(yscale="log", xscale="linear" if linear else "log", xlabel=panel["axis"])
    wide = sum(len(f"{n:,}") for n in at) > 18
    few = at[::-2] if wide else at
    ax.set_xticks(few, [f"{n:,}" for n in few])
    ax.yaxis.set_major_locator(LogLocator(numticks=5))
    ax.yaxis.set_major_formatter(plain)
    ax.minorticks_off()
    ax.grid(axis="x", visible=False)
    against = f"\nbeside {panel['against']}" if theirs else ""
    ax.set_title(panel["what"] + against, fontsize=8.5)
    ax.set_ylabel("seconds")


def with_whiskers(ax, at, times, color, style, label):
    """Medians, and lines from the shortest to the longest run: one path, broken by gaps."""
    if times:
        ends = [end for t in times for end in (min(t), max(t), np.nan)]
        ax.plot(np.repeat(at, 3), ends, color=color, lw=1.4)
        ax.plot(at, [median(t) for t in times], style, color=color, ms=4, lw=1.4, label=label)
