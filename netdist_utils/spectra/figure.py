"""Chapter 5's figure with a handle: move the threshold of a power law, and watch its exponent."""

import numpy as np

from netdist_utils import interactive
from netdist_utils.spectra.power_law import fit_power_law

LEAST_TAIL = 5  # values, below which the handle does not go


def tail_slider(samples, ends=None):
    """An interactive figure of the power law fitted above each threshold.

    Parameters
    ----------
    samples : dict of str to (n,) array_like
        Name and values of each sample; zeros are left out.
    ends : dict of str to float, optional
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
    if not samples:
        raise ValueError("samples is empty; give one or more")
    ends = ends or {}
    if unknown := sorted(set(ends) - set(samples)):
        raise ValueError(f"ends are given for {unknown}, but the samples are {sorted(samples)}")
    packed = []
    for name, values in samples.items():
        fit = fit_power_law(values)
        if np.isnan(fit.alpha):
            raise ValueError(f"sample {name!r} has no power law: {fit.reason}")
        x = np.asarray(values, dtype=float)
        packed.append(
            {
                "name": name,
                "values": interactive.pack(np.sort(x[x > 0])),
                "chosen": fit.n_tail,
                "end": float(ends[name]) if name in ends else None,
            }
        )
    return interactive.figure(
        "spectra",
        {"samples": packed, "least": LEAST_TAIL},
        title="Power law above a threshold",
    )
