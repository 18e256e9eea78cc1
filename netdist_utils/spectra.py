"""Chapter 5: spectra of weight matrices, heavy tails, and what they are said to mean.

Follows Martin and Mahoney (2021), *Implicit self-regularization in deep neural networks*, and
Martin, Peng and Mahoney (2021), *Predicting trends in the quality of state-of-the-art neural
networks without access to training or testing data*. Any ``torch.nn.Module`` will do, or a
dictionary of weights. From the command line::

    python -m netdist_utils.spectra model.safetensors
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import nn

from netdist_utils.power_law import PowerLawFit, fit_power_law
from netdist_utils.random_matrices import (
    bulk_variance,
    largest_noise_eigenvalue,
    marchenko_pastur_edges,
)

__all__ = [
    "LayerSpectrum",
    "PowerLawFit",
    "alpha_hat",
    "convolution_spectra",
    "fit_power_law",
    "layer_spectra",
    "marchenko_pastur_edges",
    "phase",
    "rank_correlation",
    "spikes",
    "table",
    "unjudged_layers",
]

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED)


@dataclass(frozen=True)
class LayerSpectrum:
    """Eigenvalues of one layer's weights.

    Attributes
    ----------
    name : str
        As in ``model.named_modules()``.
    kind : str
        The module's type.
    shape : (int, int)
        Rows (outputs) and columns of the matrix: of one group, where there are groups.
    eigenvalues : (M,) numpy array
        Of W^T W / N, descending; N is the larger side, M the smaller. Those of all groups.
        What is below rounding is 0.
    groups : int
    """

    name: str
    kind: str
    shape: tuple
    eigenvalues: np.ndarray
    groups: int = 1

    @property
    def aspect_ratio(self):
        """Q = N / M, larger side over smaller."""
        return max(self.shape) / min(self.shape)


def layer_spectra(model):
    """Spectrum of each Linear and convolutional layer, wherever it stands in the model.

    A convolution is flattened to (out, in * kernel); a grouped one is one matrix a group;
    a transposed one is the matrix of its groups, rows being outputs all the same. Weights that
    two layers share are counted once.

    Parameters
    ----------
    model : torch.nn.Module or mapping of str to tensor
        Of a mapping (a state dict) each floating-point tensor of 2 to 5 axes is a layer: groups,
        transposition and embeddings can't be told there.

    Returns
    -------
    list of LayerSpectrum
        In the model's order. What is left out, `unjudged_layers` lists.

    Raises
    ------
    TypeError
        If it is neither a Module nor a mapping.
    ValueError
        If a weight is NaN or infinite.

    Examples
    --------
    >>> first, second = layer_spectra(nn.Sequential(nn.Linear(300, 100), nn.Linear(100, 10)))
    >>> first.shape, first.eigenvalues.shape, first.aspect_ratio
    ((100, 300), (100,), 3.0)
    """
    return [_spectrum(*layer) for layer in _layers(model)[0]]


def unjudged_layers(model):
    """Layers whose weights have no spectrum here, and the reason of each.

    Parameters
    ----------
    model : as in `layer_spectra`

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> unjudged_layers(nn.Sequential(nn.Linear(2, 2), nn.Embedding(5, 2)))
    {'1': 'Embedding is neither Linear nor a convolution'}
    """
    return _layers(model)[1]


def _layers(model):
    """[(name, kind, (groups, rows, columns) tensor)] and {name: reason}."""
    if isinstance(model, Mapping):
        return _layers_of_state(model)
    if not isinstance(model, nn.Module):
        raise TypeError(f"a torch.nn.Module or a dict of tensors is needed, not {type(model)}")
    found, left_out, seen = [], {}, {}
    for name, module in model.named_modules():
        kind, weight = type(module).__name__, getattr(module, "weight", None)
        if not isinstance(module, (nn.Linear, *CONVOLUTIONS)):
            if any(p.ndim > 1 for p in module.parameters(recurse=False)):
                left_out[name] = f"{kind} is neither Linear nor a convolution"
        elif isinstance(weight, nn.parameter.UninitializedParameter):
            left_out[name] = f"{kind} has no weight yet: pass an input through it first"
        elif not torch.is_tensor(weight) or weight.numel() == 0:
            left_out[name] = f"{kind} has no weight with entries"
        elif id(weight) in seen:
            left_out[name] = f"shares its weight with {seen[id(weight)]}"
        else:
            if weight is module._parameters.get("weight"):  # not made anew at each access
                seen[id(weight)] = name
            found.append((name, kind, _matrices(module, weight)))
    return found, left_out


def _matrices(module, weight):
    """Weight as (groups, rows, columns)."""
    weight, groups = weight.detach(), getattr(module, "groups", 1)
    if isinstance(module, TRANSPOSED):  # stored as (in, out / groups, ...)
        weight = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    return weight.unflatten(0, (groups, -1)).flatten(2)


def _layers_of_state(state):
    found, left_out, seen = [], {}, {}
    for key, weight in state.items():
        if not torch.is_tensor(weight) or weight.ndim < 2:
            continue
        name = key.removesuffix(".weight")
        if weight.ndim > 5 or weight.numel() == 0 or not weight.is_floating_point():
            left_out[name] = f"{weight.dtype} of shape {tuple(weight.shape)} is no layer's weight"
        elif (weight.data_ptr(), weight.shape) in seen:
            left_out[name] = f"shares its weight with {seen[weight.data_ptr(), weight.shape]}"
        else:
            seen[weight.data_ptr(), weight.shape] = name
            found.append(
                (
                    name,
                    f"{weight.ndim - 2}d" if weight.ndim > 2 else "matrix",
                    weight.detach().flatten(1)[None],
                )
            )
    return found, left_out


def _spectrum(name, kind, matrices):
    """Eigenvalues of the smaller Gram matrix of each group, in double precision."""
    if not torch.isfinite(matrices).all():
        bad = int((~torch.isfinite(matrices)).sum())
        raise ValueError(
            f"layer {name!r} ({kind}): {bad} of {matrices.numel()} weights are NaN or infinite"
        )
    matrices = matrices.double()
    groups, rows, columns = matrices.shape
    tall = matrices if rows >= columns else matrices.mT  # (G, N, M)
    values = torch.linalg.eigvalsh(tall.mT @ tall / tall.shape[1])  # (G, M)
    rounding = values.amax() * np.finfo(float).eps * max(rows, columns)
    values = torch.where(values > rounding, values, 0).flatten()
    return LayerSpectrum(
        name, kind, (rows, columns), values.sort(descending=True).values.cpu().numpy(), groups
    )


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
    min_eigenvalues : int
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
    >>> net = nn.Linear(300, 100)
    >>> alpha_hat(net) < alpha_hat(net, "weightwatcher")
    True
    """
    scales = {
        "log10": lambda layer: 1.0,
        "weightwatcher": lambda layer: float(max(layer.shape)),
        "deepdataprofiler": lambda layer: max(layer.shape) / layer.shape[0],
    }
    if convention not in scales:
        raise ValueError(f"convention {convention!r} is unknown; use one of {sorted(scales)}")
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
    alpha : float
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
    if convention not in words:
        raise ValueError(f"convention {convention!r} is unknown; use one of {sorted(words)}")
    if np.isnan(alpha):
        return "unjudged"
    return next((word for limit, word in words[convention] if alpha <= limit), "not trained")


def spikes(spectrum, quantile=0.99):
    """Number of eigenvalues above the noise that the bulk of the spectrum speaks for.

    Parameters
    ----------
    spectrum : LayerSpectrum
    quantile : {0.90, 0.95, 0.99}
        Of the Tracy-Widom law of the largest noise eigenvalue.

    Returns
    -------
    int
        Noise of the bulk's variance has one or more with probability 1 - quantile.

    Examples
    --------
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
    >>> table(nn.Sequential(nn.Linear(300, 100), nn.Embedding(5, 2)))["reason"].to_list()
    ['', 'Embedding is neither Linear nor a convolution']
    """
    rows = []
    for layer in layer_spectra(model):
        fit, largest = fit_power_law(layer.eigenvalues), layer.eigenvalues[0]
        rows.append(
            {
                "layer": layer.name,
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
        )
    rows += [{"layer": name, "reason": why} for name, why in unjudged_layers(model).items()]
    columns = ["layer", *TABLE]
    return pd.DataFrame(rows, columns=columns).set_index("layer")


TABLE = ["kind", "rows", "columns", "groups", "Q", "alpha", "stderr", "xmin", "ks", "n", "n_tail",
         "lambda_max", "spectral_norm", "stable_rank", "spikes", "reason"]  # fmt: skip


def convolution_spectra(weight, side):
    """Eigenvalues of a convolution, three ways.

    Parameters
    ----------
    weight : (out, in, h, w) tensor
    side : int
        Of the square image that the operator acts on, at least h and w.

    Returns
    -------
    dict of str to numpy array
        ``"flattened"``: of the (out, in*h*w) matrix. ``"slices"``: of the h*w matrices
        (out, in), pooled. ``"operator"``: of the convolution as a linear map of images with
        periodic borders and stride 1, exactly: one (out, in) matrix a frequency (Sedghi, Gupta
        and Long 2019). All are squared singular values, descending, not divided.

    Raises
    ------
    ValueError
        If the weight has not four axes or the kernel is larger than the image.

    Examples
    --------
    >>> found = convolution_spectra(torch.ones(1, 1, 1, 1), side=2)
    >>> found["operator"]
    array([1., 1., 1., 1.])
    """
    if weight.ndim != 4 or max(weight.shape[2:]) > side:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)} and the image side {side}; (out, in, h, w) "
            "and a side of at least h and w are needed"
        )
    weight = weight.detach().double().cpu()
    waves = torch.fft.fft2(weight, s=(side, side)).permute(2, 3, 0, 1)  # (side, side, out, in)
    ways = {
        "flattened": weight.flatten(1),
        "slices": weight.permute(2, 3, 0, 1),  # (h, w, out, in)
        "operator": waves,
    }
    return {
        name: np.sort(torch.linalg.svdvals(matrices).square().flatten().numpy())[::-1]
        for name, matrices in ways.items()
    }


def rank_correlation(x, y, controls=(), draws=1000, seed=0):
    """Spearman's rank correlation, with others held fixed, and a bootstrap interval.

    Parameters
    ----------
    x, y : (n,) array_like
    controls : sequence of (n,) array_like
        Their ranks are regressed out of the ranks of both.
    draws : int
        Resamples of the n pairs.
    seed : int or numpy Generator

    Returns
    -------
    (float, float, float)
        Value, and the ends of its 95 % percentile interval.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, or there are too few for the controls.

    Examples
    --------
    >>> rank_correlation([1, 2, 3, 4], [1, 4, 9, 16])[0]
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
    low, high = np.nanquantile(found, [0.025, 0.975])
    return _partial(data), float(low), float(high)


def _partial(data):
    """Correlation of the ranks of rows 0 and 1, those of the others regressed out."""
    ranks = stats.rankdata(data, axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    (x, y), others = ranks[:2], ranks[2:].T  # others: (n, controls)
    if others.shape[1]:
        x, y = (v - others @ np.linalg.lstsq(others, v, rcond=None)[0] for v in (x, y))
    size = np.linalg.norm(x) * np.linalg.norm(y)
    return float(round(x @ y / size, 12)) if size > 1e-9 else float("nan")


def main(arguments=None):
    """The table of a safetensors file, printed or as CSV."""
    parser = argparse.ArgumentParser(
        prog="python -m netdist_utils.spectra", description="Power-law fits of a model's weights."
    )
    parser.add_argument("file", help="weights, as .safetensors")
    parser.add_argument("--csv", action="store_true", help="comma-separated, all columns")
    options = parser.parse_args(arguments)
    from safetensors.torch import load_file

    rows = table(load_file(options.file))
    print(rows.to_csv() if options.csv else rows.to_string(float_format="%.3g", na_rep=""))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
