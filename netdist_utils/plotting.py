"""One figure style for the book: colours with a meaning, and what seaborn lacks.

A colour stands for one thing in every chapter, in static figures and in those with a handle.
`COLORS` are for a light page, `DARK` for a dark one: figures are drawn in the first, and the built
book, which shows them as SVG, exchanges the one for the other with the reader's theme
(``tools/figures.py``). The hues are Okabe and Ito's (2008), told apart by readers with any colour
vision.
"""

import numpy as np

from netdist_utils import checks
from netdist_utils.words import minus

COLORS = {
    "matched": "#0072b2",  # units in corresponding order; what was trained
    "unmatched": "#d55e00",  # units in the order in which they came
    "null": "#767676",  # the same measurement where there is nothing to find
    "inside": "#e69f00",  # of the circle
    "outside": "#7a5bb5",
    "other": "#c0619a",  # a second method beside the first
    "level 1": "#79b043",  # steps of something ordered: layers, rates, shares
    "level 2": "#2c9e6d",
    "level 3": "#16766a",
    "level 4": "#0c4a50",
    "ink": "#222222",  # text, axes, laws
    "paper": "#fefefe",
}
DARK = {
    "matched": "#58b3ee",
    "unmatched": "#ff8f45",
    "null": "#a2a2a2",
    "inside": "#ffbf3f",
    "outside": "#b79ce8",
    "other": "#ea93c4",
    "level 1": "#c3e58e",
    "level 2": "#62d29e",
    "level 3": "#36a797",
    "level 4": "#5f9aa4",
    "ink": "#e4e4e4",
    "paper": "#121212",
}
LEVELS = [COLORS[f"level {k}"] for k in range(1, 5)]


def use_style():
    """Set matplotlib's defaults for the pages of the book; figures are shown as SVG.

    Examples
    --------
    >>> use_style()
    """
    import matplotlib as mpl
    from IPython import get_ipython

    if get_ipython():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg")
    ink, paper = COLORS["ink"], COLORS["paper"]
    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 3.4),
            "figure.dpi": 192,  # of what is rasterised in an SVG: sharp on a screen of any kind
            "figure.facecolor": paper,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": paper,
            "svg.fonttype": "none",
            "svg.hashsalt": "netdist",
            "axes.facecolor": paper,
            "axes.prop_cycle": mpl.cycler(color=list(COLORS.values())[:10]),
            "axes.edgecolor": ink,
            "axes.labelcolor": ink,
            "axes.titlesize": 11,
            "axes.labelsize": 10.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": COLORS["null"],
            "grid.alpha": 0.25,
            "text.color": ink,
            "xtick.color": ink,
            "ytick.color": ink,
            "font.size": 10,
            "legend.frameon": False,
            "image.cmap": "cividis",
            "image.interpolation": "none",  # an SVG then holds the pixels as they are
        }
    )


def css_variables(colors):
    """Colours as CSS variables, ``--nd-<meaning>``, for a rule of a style sheet.

    Parameters
    ----------
    colors : possibly empty dict of str to str

    Examples
    --------
    >>> css_variables({"level 1": "#79b043"})
    '--nd-level-1: #79b043;'
    """
    return " ".join(f"--nd-{name.replace(' ', '-')}: {color};" for name, color in colors.items())


def heatmap(matrix, ax=None, *, title=None, center=None, label=None, **imshow):
    """Show a matrix with square cells and a colour bar, each cell as one pixel of the SVG.

    Parameters
    ----------
    matrix : (R, C) array with NaN
    ax : matplotlib.axes.Axes, optional
    title : str, optional
    center : float, optional
        A value to be drawn white: brown below it, teal above, symmetric about it.
    label : str, optional
        Of the colour bar; ``None`` draws no bar.
    **imshow
        Passed to ``imshow``.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = heatmap([[0.0, 1.0]], center=0)
    """
    import matplotlib.pyplot as plt

    ax = ax or plt.gca()
    if center is not None:
        reach = np.nanmax(np.abs(matrix - center)) or 1.0
        limits = {"vmin": center - reach, "vmax": center + reach}
        imshow = {"cmap": "BrBG", **limits, **imshow}
    image = ax.imshow(matrix, **imshow)
    ax.grid(False)
    ax.spines[["top", "right"]].set_visible(True)
    if title:
        ax.set_title(title)
    if label is not None:
        ax.figure.colorbar(image, ax=ax, label=label, shrink=0.8)
    return ax


def density(values, width, grid, weights=None):
    """Gaussian-kernel density of a sample on a grid.

    Parameters
    ----------
    values : (N,) array
    width : positive float
        Standard deviation of the kernel, in the unit of the values.
    grid : (G,) array
        Equally spaced, increasing.
    weights : (N,) array from 0 on, optional
        Probabilities of the values; equal by default.

    Returns
    -------
    (G,) numpy array
        Density at each grid point; values are binned at a tenth of the width first, so that a
        million of them cost as little as a thousand.

    Examples
    --------
    >>> float(round(density([0.0], 1.0, [-1.0, 0.0, 1.0])[1], 2))
    0.4
    """
    low, high = values.min() - width / 20, values.max() + width / 20
    n_bins = max(1, min(200_000, int(np.ceil((high - low) / (width / 10)))))
    mass, edges = np.histogram(values, n_bins, (low, high), weights=weights)
    moment, _ = np.histogram(
        values, edges, weights=values if weights is None else values * weights
    )
    keep = mass > 0
    centers = moment[keep] / mass[keep]  # each bin's mean, so that binning costs second order
    mass = mass / mass.sum()
    kernel = np.exp(-(((grid[:, None] - centers) / width) ** 2) / 2)  # (G, bins)
    return kernel @ mass[keep] / (width * np.sqrt(2 * np.pi))


def tidy(samples, x, **columns):
    """Repeated curves as a tidy DataFrame, for seaborn's ``lineplot``.

    Parameters
    ----------
    samples : (S, P) array with NaN or (P,) array with NaN
        One row a repetition (a network, a pair, a draw), one column a point.
    x : sequence of object
    **columns
        Further columns, the same in every row.

    Returns
    -------
    pandas.DataFrame
        Columns ``x``, ``value``, ``repetition`` and the further ones; S P rows.

    Examples
    --------
    >>> tidy([[0.0, 1.0], [1.0, 2.0]], [10, 20], order="matched").shape
    (4, 4)
    """
    import pandas as pd

    samples = np.atleast_2d(samples)
    if samples.shape[1] != len(x):
        raise ValueError(f"samples have shape {samples.shape}, but x has {len(x)} points")
    repetition = np.repeat(np.arange(len(samples)), len(x))
    points = np.tile(np.asarray(x), len(samples))
    return pd.DataFrame(
        {"x": points, "value": samples.ravel(), "repetition": repetition, **columns}
    )


def picture_grid(rows, titles=(), labels=()):
    """Pictures in rows and columns, without axes.

    Parameters
    ----------
    rows : list of 1 or more list of (H, W, ...) array in [0, 1]
        Rows may be of different lengths.
    titles : sequence of sequence of str
        Above the pictures of the first rows.
    labels : sequence of str
        At the left of the rows.

    Returns
    -------
    matplotlib Figure

    Examples
    --------
    >>> figure = picture_grid([[[[0.0, 1.0]], [[1.0, 0.0]]]], titles=[["one", "other"]])
    """
    import matplotlib.pyplot as plt

    rows = [list(row) for row in rows]
    columns = max(len(row) for row in rows)
    size = 7.2 / columns
    height = len(rows) * size + 0.25 * len(titles)
    fig, axes = plt.subplots(len(rows), columns, figsize=(7.2, height), squeeze=False)
    for k, row in enumerate(rows):
        for j, ax in enumerate(axes[k]):
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if j < len(row):
                ax.imshow(np.asarray(row[j]), cmap="gray", vmin=0, vmax=1)
                if k < len(titles):
                    ax.set_title(titles[k][j], fontsize=8)
            else:
                ax.axis("off")
        if k < len(labels):
            axes[k, 0].set_ylabel(labels[k], fontsize=8)
    return fig


def table(frame, digits=3):
    """A DataFrame as a Markdown table with one header row, for the pages of the book.

    Parameters
    ----------
    frame : pandas.DataFrame or pandas.Series
        Its index becomes the first column, under the index's name.
    digits : int from 0 on
        Decimals of what is no whole number; whole numbers are whole, with separators.

    Returns
    -------
    IPython.display.Markdown
        A dash stands where there is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> print(table(pd.DataFrame({"n": [1200, None], "r": [0.1234, 0.5]}, index=["a", "b"])).data)
    |  | n | r |
    |---|---:|---:|
    | a | 1,200 | 0.123 |
    | b | – | 0.500 |
    """
    import pandas as pd
    from IPython.display import Markdown

    frame = frame.to_frame("") if isinstance(frame, pd.Series) else frame
    lines = [
        f"| {frame.index.name or ''} | {' | '.join(map(str, frame.columns))} |",
        "|---|" + "---:|" * frame.shape[1],
    ]
    columns = {name: _cells(frame[name], digits) for name in frame.columns}
    for k, name in enumerate(frame.index):
        lines.append(f"| {name} | {' | '.join(cells[k] for cells in columns.values())} |")
    return Markdown("\n".join(lines))


def _cells(column, digits):
    """Text of each entry; one number that is not whole gives its whole column decimals."""
    numbers = [value for value in column if isinstance(value, int | float | np.number)]
    whole = all(value == np.round(value) for value in numbers if np.isfinite(value))
    texts = []
    for value in column:
        if not isinstance(value, int | float | np.number):
            texts.append("–" if value is None else str(value))
        elif np.isnan(value):
            texts.append("–")
        else:
            text = f"{value:,.0f}" if whole else f"{value:,.{digits}f}"
            texts.append(minus(text))
    return texts


checks.guard(__name__)
