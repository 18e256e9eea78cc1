"""One figure style for the book, and the few plots that two chapters share.

Colours are Okabe and Ito's (2008), told apart by readers with any colour vision; backgrounds are
opaque white, so a figure reads the same on a light and on a dark page.
"""

import numpy as np

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C00"]


def use_style():
    """Set matplotlib's defaults for the pages of the book, and show numbers in four digits.

    Examples
    --------
    >>> use_style()
    """
    import matplotlib as mpl
    from IPython import get_ipython

    if shell := get_ipython():
        shell.display_formatter.formatters["text/plain"].float_precision = "%.4g"
    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 3.6),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "axes.prop_cycle": mpl.cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "axes.titlesize": 11,
            "axes.labelsize": 10.5,
            "font.size": 10,
            "legend.frameon": False,
            "image.cmap": "cividis",
            "image.interpolation": "nearest",
        }
    )


def heatmap(matrix, ax=None, *, title=None, center=None, label=None, **imshow):
    """Show a matrix with equal cells and a colour bar.

    Parameters
    ----------
    matrix : (R, C) array_like
    ax : matplotlib Axes, optional
    title : str, optional
    center : float, optional
        A value to be drawn white: a diverging colour map, symmetric about it.
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
    matrix = np.asarray(matrix, dtype=float)
    if center is not None:
        reach = np.nanmax(np.abs(matrix - center)) or 1.0
        imshow = {"cmap": "RdBu_r", "vmin": center - reach, "vmax": center + reach, **imshow}
    image = ax.imshow(matrix, **imshow)
    ax.grid(False)
    if title:
        ax.set_title(title)
    if label is not None:
        ax.figure.colorbar(image, ax=ax, label=label, shrink=0.8)
    return ax


def density(values, width, grid, weights=None):
    """Gaussian-kernel density of a sample on a grid.

    Parameters
    ----------
    values : (N,) array_like
    width : float
        Standard deviation of the kernel, in the unit of the values.
    grid : (G,) array_like
        Equally spaced, increasing.
    weights : (N,) array_like, optional
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
    values, grid = np.asarray(values, dtype=float), np.asarray(grid, dtype=float)
    if width <= 0 or values.size == 0:
        raise ValueError(f"width is {width} and there are {values.size} values; both must be > 0")
    low, high = values.min() - width / 20, values.max() + width / 20
    n_bins = max(1, min(200_000, int(np.ceil((high - low) / (width / 10)))))
    mass, edges = np.histogram(values, n_bins, (low, high), weights=weights)
    moment, _ = np.histogram(
        values, edges, weights=values if weights is None else values * np.asarray(weights)
    )
    keep = mass > 0
    centers = moment[keep] / mass[keep]  # each bin's mean, so that binning costs second order
    mass = mass / mass.sum()
    kernel = np.exp(-(((grid[:, None] - centers) / width) ** 2) / 2)  # (G, bins)
    return kernel @ mass[keep] / (width * np.sqrt(2 * np.pi))


def band(x, samples, ax=None, label=None, color=None):
    """A mean line with a band of one standard deviation on each side.

    Parameters
    ----------
    x : (P,) array_like
    samples : (S, P) array_like
        One row a repetition (a network, a pair, a draw).
    ax : matplotlib Axes, optional
    label, color : optional
        Of the line.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = band([0, 1], [[0.0, 1.0], [1.0, 2.0]])
    """
    import matplotlib.pyplot as plt

    ax = ax or plt.gca()
    samples = np.atleast_2d(np.asarray(samples, dtype=float))
    if samples.shape[1] != len(x):
        raise ValueError(f"samples have shape {samples.shape}, but x has {len(x)} points")
    mean, deviation = samples.mean(0), samples.std(0, ddof=1 if len(samples) > 1 else 0)
    (line,) = ax.plot(x, mean, label=label, color=color)
    ax.fill_between(x, mean - deviation, mean + deviation, color=line.get_color(), alpha=0.2, lw=0)
    return ax


def picture_grid(rows, titles=(), labels=()):
    """Pictures in rows and columns, without axes.

    Parameters
    ----------
    rows : sequence of sequences of (H, W) or (H, W, 3) array_like in [0, 1]
        Rows may be of different lengths.
    titles : sequence of sequences of str, optional
        Above the pictures of the first rows.
    labels : sequence of str, optional
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
            ax.grid(False)
            if j < len(row):
                ax.imshow(np.asarray(row[j]), cmap="gray", vmin=0, vmax=1)
                if k < len(titles):
                    ax.set_title(titles[k][j], fontsize=8)
            else:
                ax.axis("off")
        if k < len(labels):
            axes[k, 0].set_ylabel(labels[k], fontsize=8)
    return fig
