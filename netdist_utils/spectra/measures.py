"""What is said of a network from its spectra alone, and whether it ranks networks.

Follows Martin and Mahoney (2021), *Implicit self-regularization in deep neural networks*, and
Martin, Peng and Mahoney (2021), *Predicting trends in the quality of state-of-the-art neural
networks without access to training or testing data*.
"""

import numpy as np
import pandas as pd
from scipy import stats

from netdist_utils.random_matrices import bulk_variance, largest_noise_eigenvalue
from netdist_utils.spectra.layers import each_layer, layer_spectra
from netdist_utils.spectra.power_law import fit_power_law


def alpha_hat(model, convention="log10", min_eigenvalues=10):
    """Mean over layers of alpha times the logarithm of the largest eigenvalue.

    Parameters
    ----------
    model : as in `layer_spectra`
    convention : {"log10", "weightwatcher", "deepdataprofiler"}
        ``"log10"``: eigenvalues of W^T W / N, N the larger side. ``"weightwatcher"``: log10,
        eigenvalues not divided (Martin, Peng and Mahoney 2021, eq. 5).
        ``"deepdataprofiler"``: natural logarithm, divided by the number of rows. alpha is the
        same in all three.
    min_eigenvalues : int from 1 on
        Layers with fewer positive ones are left out.

    Returns
    -------
    float
        NaN if no layer can be judged.

    Raises
    ------
    ValueError
        If the convention is unknown.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Linear(300, 100)
    >>> alpha_hat(net) < alpha_hat(net, "weightwatcher")
    True
    """
    scales = {
        "log10": lambda layer: 1.0,
        "weightwatcher": lambda layer: float(max(layer.shape)),
        "deepdataprofiler": lambda layer: max(layer.shape) / layer.shape[0],
    }
    log = np.log if convention == "deepdataprofiler" else np.log10
    terms = []
    for layer in layer_spectra(model):
        fit = fit_power_law(layer.eigenvalues)
        if fit.n >= min_eigenvalues and not np.isnan(fit.alpha):
            terms.append(fit.alpha * log(layer.eigenvalues[0] * scales[convention](layer)))
    return float(np.mean(terms)) if terms else float("nan")


def phase(alpha, convention):
    """The words that an exponent is given.

    Parameters
    ----------
    alpha : float or NaN
    convention : {"deepdataprofiler", "weightwatcher"}
        DeepDataProfiler judges mu = 2 (alpha - 1) at 4 and 7, so alpha at 3 and 4.5;
        WeightWatcher judges alpha at 2 and 6.

    Returns
    -------
    str
        ``"unjudged"`` for NaN.

    Examples
    --------
    >>> phase(5.0, "deepdataprofiler"), phase(5.0, "weightwatcher")
    ('not trained', 'well trained')
    """
    words = {
        "deepdataprofiler": ((3, "well trained"), (4.5, "somewhat trained")),
        "weightwatcher": ((2, "over-trained"), (6, "well trained")),
    }
    if np.isnan(alpha):
        return "unjudged"
    return next((word for limit, word in words[convention] if alpha <= limit), "not trained")


def spikes(spectrum, quantile=0.99):
    """Number of eigenvalues above the noise that the bulk of the spectrum speaks for.

    Parameters
    ----------
    spectrum : spectra.LayerSpectrum
    quantile : {0.90, 0.95, 0.99}
        Of the Tracy-Widom law of the largest noise eigenvalue.

    Returns
    -------
    int
        Noise of the bulk's variance has one or more with probability 1 - quantile.

    Examples
    --------
    >>> from torch import nn
    >>> spikes(layer_spectra(nn.Linear(300, 100))[0])
    0
    """
    variance = bulk_variance(spectrum.eigenvalues, spectrum.aspect_ratio)
    edge = largest_noise_eigenvalue(spectrum.shape, variance, quantile)
    return int((spectrum.eigenvalues > edge).sum())


def table(model):
    """All that this chapter measures, one row a layer.

    Parameters
    ----------
    model : as in `layer_spectra`

    Returns
    -------
    pandas.DataFrame
        Indexed by layer; the last rows are the layers that can't be judged, with the reason.
        ``lambda_max`` is of W^T W / N, ``spectral_norm`` of W itself, ``stable_rank`` the sum
        of the eigenvalues over the largest.

    Examples
    --------
    >>> from torch import nn
    >>> table(nn.Sequential(nn.Linear(300, 100), nn.Embedding(5, 2)))["reason"].to_list()
    ['', 'Embedding is neither Linear nor a convolution']
    """
    judged, unjudged = [], []
    for name, layer in each_layer(model):
        if isinstance(layer, str):
            unjudged.append({"layer": name, "reason": layer})
        else:
            judged.append({"layer": name} | _row(layer))
    return pd.DataFrame(judged + unjudged, columns=["layer", *TABLE]).set_index("layer")


def _row(layer):
    fit, largest = fit_power_law(layer.eigenvalues), layer.eigenvalues[0]
    return {
        "kind": layer.kind,
        "rows": layer.shape[0],
        "columns": layer.shape[1],
        "groups": layer.groups,
        "Q": layer.aspect_ratio,
        "alpha": fit.alpha,
        "stderr": fit.stderr,
        "xmin": fit.xmin,
        "ks": fit.ks,
        "n": fit.n,
        "n_tail": fit.n_tail,
        "lambda_max": largest,
        "spectral_norm": (largest * max(layer.shape)) ** 0.5,
        "stable_rank": layer.eigenvalues.sum() / largest if largest > 0 else np.nan,
        "spikes": spikes(layer),
        "reason": fit.reason,
    }


TABLE = ["kind", "rows", "columns", "groups", "Q", "alpha", "stderr", "xmin", "ks", "n", "n_tail",
         "lambda_max", "spectral_norm", "stable_rank", "spikes", "reason"]  # fmt: skip


def log_distance(one, two):
    """How far two spectra of one size lie apart, on a logarithmic axis.

    Parameters
    ----------
    one, two : spectra.LayerSpectrum

    Returns
    -------
    float
        Mean over ranks of the difference of the natural logarithms, without its sign; ranks at
        which either eigenvalue is 0 are left out. NaN if no rank is left.

    Raises
    ------
    ValueError
        If the numbers of eigenvalues differ.

    Examples
    --------
    >>> from torch import nn
    >>> one, two = (layer_spectra(nn.Linear(30, 10))[0] for _ in range(2))
    >>> log_distance(one, one), log_distance(one, two) > 0
    (0.0, True)
    """
    sizes = [len(layer.eigenvalues) for layer in (one, two)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"{sizes[0]} and {sizes[1]} eigenvalues have no ranks in common")
    pair = np.stack([one.eigenvalues, two.eigenvalues])
    logs = np.log(pair[:, (pair > 0).all(0)])
    return float(np.abs(logs[0] - logs[1]).mean()) if logs.size else float("nan")


def compare(one, two):
    """The layers of two models by name: their exponents, and how far their spectra lie apart.

    Parameters
    ----------
    one, two : as in `layer_spectra`

    Returns
    -------
    pandas.DataFrame
        Indexed by layer, those of the first model before those that only the second has, with
        ``alpha``, ``other_alpha``, ``log_distance`` and ``reason``.

    Examples
    --------
    >>> from torch import nn
    >>> compare(nn.Linear(30, 10), nn.Linear(30, 12)).reason.to_list()
    ['shapes (10, 30) and (12, 30) differ']
    """
    ours, theirs = dict(each_layer(one)), dict(each_layer(two))
    rows = []
    for name in ours | theirs:
        pair = [found.get(name, "not in both models") for found in (ours, theirs)]
        reason = "; ".join(dict.fromkeys(layer for layer in pair if isinstance(layer, str)))
        alphas = [
            np.nan if isinstance(layer, str) else fit_power_law(layer.eigenvalues).alpha
            for layer in pair
        ]
        if not reason and pair[0].shape != pair[1].shape:
            reason = f"shapes {pair[0].shape} and {pair[1].shape} differ"
        rows.append([name, *alphas, np.nan if reason else log_distance(*pair), reason])
    columns = ["layer", "alpha", "other_alpha", "log_distance", "reason"]
    return pd.DataFrame(rows, columns=columns).set_index("layer")


def kendall_tau(values, target, groups=None):
    """Kendall's tau of measures with a target, mean over groups.

    Parameters
    ----------
    values : (n, L) array
        A column a measure.
    target : (n,) array
    groups : sequence of (k,) long array from 0 on, optional
        Rows of each group; only rows of one group are compared. All are one group by default.

    Returns
    -------
    (L,) array
        Where values tie, the pair counts as 0 (tau a).

    Examples
    --------
    >>> kendall_tau(np.array([[1, 3], [2, 2], [3, 1]]), np.array([10, 20, 30]))
    array([ 1., -1.])
    """
    groups = [np.arange(len(target))] if groups is None else groups
    found = [(_order(values[g].T) * _order(target[g])).mean(-1) for g in groups]
    return np.mean(found, axis=0)


def _order(values):
    """Sign of the difference, for each pair along the last axis."""
    first, second = np.triu_indices(values.shape[-1], 1)
    return np.sign(values[..., first] - values[..., second])


def rank_correlation(x, y, controls=(), draws=1000, seed=0):
    """Spearman's rank correlation, with others held fixed, and a bootstrap interval.

    Parameters
    ----------
    x, y : (n,) array
    controls : sequence of (n,) array
        Their ranks are regressed out of the ranks of both.
    draws : int from 0 on
        Resamples of the n pairs; with none the interval is NaN.
    seed : int from 0 on or numpy.random.Generator

    Returns
    -------
    (float, float, float)
        Value, NaN where one of them does not vary, and the ends of its 95 % percentile interval,
        NaN without draws.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, or there are too few for the controls.

    Examples
    --------
    >>> round(rank_correlation([1, 2, 3, 4], [1, 4, 9, 16])[0], 6)
    1.0
    """
    data = [np.asarray(v, dtype=float) for v in (x, y, *controls)]
    if len({v.shape for v in data}) > 1 or data[0].ndim != 1 or len(data[0]) < len(data) + 1:
        raise ValueError(
            f"shapes {[v.shape for v in data]}; one length, at least {len(data) + 1}, is needed"
        )
    data = np.stack(data)  # (2 + controls, n)
    if not np.isfinite(data).all():
        raise ValueError("x, y and controls must be finite; drop what is not judged first")
    rng = np.random.default_rng(seed)
    resamples = rng.integers(data.shape[1], size=(draws, data.shape[1]))
    found = [_partial(data[:, rows]) for rows in resamples]
    low, high = np.nanquantile(found, [0.025, 0.975]) if draws else (np.nan, np.nan)
    return _partial(data), float(low), float(high)


def _partial(data):
    """Correlation of the ranks of rows 0 and 1, those of the others regressed out."""
    ranks = stats.rankdata(data, axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    (x, y), others = ranks[:2], ranks[2:].T  # others: (n, controls)
    if others.shape[1]:
        x, y = (v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (x, y))
    size = np.linalg.norm(x) * np.linalg.norm(y)
    return float(x @ y / size) if size > 1e-9 else float("nan")
