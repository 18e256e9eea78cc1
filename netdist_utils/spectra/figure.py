"""Pictures of spectra: the threshold of a power law with a handle, and all layers of a model."""

import matplotlib.pyplot as plt
import numpy as np

from netdist_utils import interactive
from netdist_utils.spectra.layers import layer_spectra
from netdist_utils.spectra.power_law import fit_power_law

LEAST_TAIL = 5  # values, below which the handle does not go


def tail_slider(samples, ends=None):
    """An interactive figure of the power law fitted above each threshold.

    Parameters
    ----------
    samples : dict of str to (...) array from 0 on
        Name and values of each sample; zeros are left out.
    ends : possibly empty dict of str to float, optional
        Where noise would end in the samples for which that is known: a dotted line.

    Returns
    -------
    IPython.display.HTML
        A slider over the number of values in the tail, and a choice of samples.

    Raises
    ------
    ValueError
        If there is no sample, one has too few positive values to fit, or an end belongs to none.

    Examples
    --------
    >>> sample = 1 + np.random.default_rng(0).pareto(2.5, 100)
    >>> html = tail_slider({"planted": sample})
    >>> "planted" in html.data
    True
    """
    ends = ends or {}
    if unknown := sorted(set(ends) - set(samples)):
        raise ValueError(f"ends are given for {unknown}, but the samples are {sorted(samples)}")
    packed = []
    for name, values in samples.items():
        fit = fit_power_law(values)
        if np.isnan(fit.alpha):
            raise ValueError(f"sample {name!r} has no power law: {fit.reason}")
        positive = interactive.pack(np.sort(values[values > 0]))
        end = float(ends[name]) if name in ends else None
        packed.append({"name": name, "values": positive, "chosen": fit.n_tail, "end": end})
    data = {"samples": packed, "least": LEAST_TAIL}
    return interactive.figure("spectra", data, title="Power law above a threshold")


def rank_plot(models):
    """The eigenvalues of every layer against their rank, one panel a model.

    Parameters
    ----------
    models : dict of str to object
        Titles, and models as in `layer_spectra`.

    Returns
    -------
    matplotlib.figure.Figure
        Logarithmic axes that the panels share; the first layers dark, the last ones light.

    Examples
    --------
    >>> from torch import nn
    >>> len(rank_plot({"mine": nn.Linear(30, 10), "yours": nn.Linear(30, 10)}).axes)
    2
    """
    size = {"figsize": (5 * len(models), 3.6), "layout": "constrained"}
    fig, axes = plt.subplots(1, len(models), squeeze=False, sharex=True, sharey=True, **size)
    for ax, (title, model) in zip(axes[0], models.items(), strict=True):
        layers = layer_spectra(model)
        colors = plt.cm.viridis(np.linspace(0, 0.9, len(layers)))
        for layer, color in zip(layers, colors, strict=True):
            values = layer.eigenvalues[layer.eigenvalues > 0]
            ax.loglog(np.arange(1, len(values) + 1), values, color=color)
        ax.set(title=title, xlabel="rank", ylabel="eigenvalue of $W^T W / N$")
    plt.close(fig)
    return fig
