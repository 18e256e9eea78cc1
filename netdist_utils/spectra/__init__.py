"""Chapter 5: spectra of weight matrices, heavy tails, and what they are said to mean.

Any ``torch.nn.Module`` will do, or a dictionary of weights. From the command line::

    python -m netdist_utils.spectra model.safetensors
    python -m netdist_utils.spectra folder-of-shards --compare other.npz --plot spectra.png
    python -m netdist_utils.spectra torchvision:resnet18 --save spectra.npz
"""

from netdist_utils.checks import guard as _guard
from netdist_utils.random_matrices import marchenko_pastur_edges
from netdist_utils.spectra.figure import rank_plot, tail_slider
from netdist_utils.spectra.files import open_weights, save_spectra
from netdist_utils.spectra.layers import (
    LayerSpectrum,
    convolution_spectra,
    each_layer,
    layer_spectra,
    unjudged_layers,
)
from netdist_utils.spectra.measures import (
    alpha_hat,
    compare,
    kendall_tau,
    log_distance,
    phase,
    rank_correlation,
    spikes,
    table,
)
from netdist_utils.spectra.power_law import (
    PowerLawFit,
    bootstrap_interval,
    fit_power_law,
    goodness_of_fit,
)
from netdist_utils.spectra.published import published
from netdist_utils.spectra.rivals import RIVALS, LikelihoodRatio, likelihood_ratio

__all__ = [
    "RIVALS",
    "LayerSpectrum",
    "LikelihoodRatio",
    "PowerLawFit",
    "alpha_hat",
    "bootstrap_interval",
    "compare",
    "convolution_spectra",
    "each_layer",
    "fit_power_law",
    "goodness_of_fit",
    "kendall_tau",
    "layer_spectra",
    "likelihood_ratio",
    "log_distance",
    "marchenko_pastur_edges",
    "open_weights",
    "phase",
    "published",
    "rank_correlation",
    "rank_plot",
    "save_spectra",
    "spikes",
    "table",
    "tail_slider",
    "unjudged_layers",
]

_guard(__name__)
