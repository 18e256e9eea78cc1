# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Heavy-tailed spectra
#
# **The question.** What do the singular values of trained weights say about a network, with no data
# at all, and how far can that be trusted? Do networks that start from different seeds share them?
#
# **What you will be able to do.** Compute the {term}`spectrum` of every layer of any PyTorch model;
# tell what training has added to it from what noise would show; fit a {term}`power law` to its tail
# and say what each error bar measures; and test on an {term}`ensemble` of networks whether a spectral
# measure ranks them by their error.
#
# **What you need.** Singular values, densities, {term}`maximum likelihood`. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows the spectral analysis of DeepDataProfiler {cite:p}`deepdataprofiler2022`, which
# is built on the work of Martin and Mahoney {cite:p}`martin2021,martin2021nature`. Where the program
# goes wrong, the text says so.

# %% tags=["hide-input"]
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from torch import nn
from torchvision.models import ResNet18_Weights, resnet18

from netdist_utils import (
    claims,
    data,
    models,
    plotting,
    random_matrices,
    settings,
    spectra,
    training,
    zoo,
)

plotting.use_style()
C, LEVELS = plotting.COLORS, plotting.LEVELS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    networks=(3, 3, 8),
    epochs=(5, 10, 10),
    images=(500, 5000, 20000),
    ensemble_widths=([48, 64], [64, 128, 256], [64, 128, 256, 512]),
    ensemble_epochs=(15, 15, 30),
    seeds=(1, 1, 4),
    draws=(40, 200, 1000),
    gaussians=(60, 200, 1000),
    layer_gaussians=(10, 40, 100),
    tested_gaussians=(5, 20, 100),
)

# %% tags=["remove-cell"]


def listed(values):
    """Words or numbers as they stand in a sentence."""
    *first, last = [str(value) for value in values]
    return f"{', '.join(first)} and {last}" if first else last


def percent(share, digits=0):
    """A share in per cent, with a space that does not break."""
    return f"{100 * share:.{digits}f}\u00a0%"


# %% [markdown]
# ## The spectrum of a layer
#
# The networks are those of {doc}`chapter 3 </notebooks/03_covariance_universality>`: two hidden
# layers without biases, trained on gray images. A weight matrix $W$ has a longer side $n$ and a
# shorter side $m$, and its {term}`aspect ratio` is $Q = n / m$. Its spectrum consists of the $m$
# squared {term}`singular values <singular value>` of $W$ divided by $n$. If $W$ has more rows than
# columns, they are the {term}`eigenvalues <eigenvalue>` $\lambda$ of $W^\top W / n$; otherwise those
# of $W W^\top / n$. {py:func}`.spectra.layer_spectra` computes them for each layer of any model.
#
# If the entries of $W$ were independent with mean zero and standard deviation $\sigma$, the
# eigenvalues would fill the interval from $\sigma^2 (1 - 1/\sqrt Q)^2$ to $\sigma^2 (1 + 1/\sqrt Q)^2$
# with the density of the {term}`Marchenko-Pastur law` {cite:p}`marchenko1967`. The source divides by
# the number of rows, whichever side that is; then the law fits only layers that have at least as many
# outputs as inputs.

# %%
images = data.images()
make_mlp, recipe = zoo.gray_mlp(images), zoo.recipe(images)
seeds = range(knobs.networks)
networks = training.fit_ensemble(make_mlp, images.train, seeds, **recipe)
layers = spectra.layer_spectra(networks[0])

# %% tags=["remove-input"]
data.notice(images)

# %% [markdown]
# The {term}`null` is the same layer with its entries {term}`shuffled <shuffle>`: the same numbers, and
# no structure. {numref}`fig-spectrum` shows both.


# %%
def shuffle(model, seed):
    """A copy whose weights are put into a random order within each layer."""
    shuffled = models.clone(model)
    generator = torch.Generator().manual_seed(seed)
    for i in models.weight_layers(shuffled):
        weight = shuffled[i].weight.data
        order = torch.randperm(weight.numel(), generator=generator)
        shuffled[i].weight.data = weight.flatten()[order].view_as(weight)
    return shuffled


nulls = spectra.layer_spectra(shuffle(networks[0], 0))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-spectrum", "caption": "Densities of the eigenvalues of both hidden layers of network 1, axes logarithmic, with the same layers shuffled and the Marchenko-Pastur law of the shuffled entries. The shuffled layers follow the law; the trained layers have a bulk that is much like it, and a tail of larger eigenvalues."}, "image": {"alt": "Two panels of densities on logarithmic axes. The gray steps of the shuffled layer lie along the dashed curve of the law and end where it ends; the blue steps of the trained layer follow them over most of the range and continue to eigenvalues several times larger."}}
names = [f"layer {k + 1}" for k in range(len(layers))]
hidden = dict(zip(names[:2], layers[:2], strict=True))
titles = {
    name: f"{name}: {s.shape[1]:,} to {s.shape[0]:,}, Q = {s.aspect_ratio:.3g}"
    for name, s in hidden.items()
}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
for ax, (name, layer), null in zip(axes, hidden.items(), nulls, strict=False):
    largest, smallest = layer.eigenvalues[[0, -1]]
    bins = np.geomspace(max(smallest, largest / 1e6), largest * 1.001, 50)
    step = {"density": True, "histtype": "step", "lw": 1.5}
    ax.hist(null.eigenvalues, bins, color=C["null"], label="shuffled", **step)
    ax.hist(
        layer.eigenvalues, bins, color=C["matched"], label="trained", **step
    )
    law = random_matrices.marchenko_pastur_density(
        bins, null.aspect_ratio, null.eigenvalues.mean()
    )
    label = "Marchenko-Pastur"
    ax.plot(
        bins[law > 0], law[law > 0], "--", lw=1, color=C["ink"], label=label
    )
    ax.set(xscale="log", yscale="log", xlabel="eigenvalue", title=titles[name])
axes[0].set(ylabel="density")
axes[0].legend(loc="lower left")
plt.show()

# %% tags=["remove-cell"]
claims.check("spectra_shuffled_spikes", spectra.spikes(nulls[0]), images.name)

# %% tags=["remove-input"]
ratios = [
    layer.eigenvalues[0] / null.eigenvalues[0]
    for layer, null in zip(layers, nulls, strict=True)
]
Markdown(
    f"The largest eigenvalue of layer 1 is {ratios[0]:.1f} times the largest of its shuffle, and that of "
    f"layer 2 is {ratios[1]:.1f} times the largest of its shuffle."
)

# %% [markdown]
# **Spikes.** How many eigenvalues has training put above the {term}`bulk`?
# {py:func}`.spectra.spikes` takes the noise of the bulk from the median of the spectrum, and counts
# the {term}`spikes <spike>`: the eigenvalues above the largest that such noise would have, with the
# margin of the {term}`Tracy-Widom law`. Chapter 3 counts against the noise of the start, which can be
# done where the start is known.

# %%
spikes = {name: spectra.spikes(layer) for name, layer in hidden.items()}
above_start = {}
for name, layer in hidden.items():
    variance = 1 / (3 * layer.shape[1])  # of a weight at PyTorch's start
    edge = random_matrices.largest_noise_eigenvalue(layer.shape, variance)
    above_start[name] = int((layer.eigenvalues > edge).sum())

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "spikes": [*spikes.values()],
            "above the noise of the start": [*above_start.values()],
            "spikes of the shuffle": [spectra.spikes(s) for s in nulls[:2]],
        },
        index=range(1, len(hidden) + 1),
    ).rename_axis("layer")
)

# %% tags=["remove-input"]
bulk = random_matrices.bulk_variance(
    layers[0].eigenvalues, layers[0].aspect_ratio
)
wider = (3 * layers[0].shape[1] * bulk) ** 0.5 - 1
Markdown(
    f"Training puts {spikes['layer 1']} eigenvalues of layer 1 above the bulk, and {spikes['layer 2']} of "
    f"layer 2. Counted against the noise of the start there are {above_start['layer 1']} and "
    f"{above_start['layer 2']}. The counts differ because training has also changed the bulk: its standard "
    f"deviation in layer 1 is {percent(wider)} larger than that of the weights at the start."
)

# %% [markdown]
# ## Do networks share their spectra?
#
# Chapter 1 had to match units before it could compare weights. A spectrum needs no matching, because
# the order of units does not change the singular values of $W$. So compare the spectra of networks
# from different seeds directly ({numref}`fig-seed-spectra`). Two comparisons say what the answer is
# worth: networks that were trained at five times the learning rate, and the shuffled networks.

# %%
fast = recipe | {"lr": 5 * recipe["lr"]}
slow_name, fast_name = (f"rate {r['lr']:g}" for r in (recipe, fast))
groups = {
    slow_name: networks,
    fast_name: training.fit_ensemble(make_mlp, images.train, seeds, **fast),
    "shuffled": [shuffle(m, seed) for seed, m in enumerate(networks)],
}
group_spectra = {
    name: [spectra.layer_spectra(m)[:2] for m in group]
    for name, group in groups.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-seed-spectra", "caption": "Eigenvalues of both hidden layers, from the largest to the smallest, axes logarithmic, one line a network: several seeds at each of two learning rates, and the shuffled networks of the smaller rate. The lines of one colour lie on each other, and the colours differ most on the left, where the spikes are."}, "image": {"alt": "Two panels of falling curves on logarithmic axes. The curves of the larger rate begin highest, those of the smaller rate lie below them, and the shuffled ones begin lowest; the curves of one colour can hardly be told apart."}}
palette = {slow_name: LEVELS[0], fast_name: LEVELS[2], "shuffled": C["null"]}
frame = pd.concat(
    pd.DataFrame(
        {
            "eigenvalue": layer.eigenvalues,
            "rank": range(1, len(layer.eigenvalues) + 1),
            "networks": group,
            "network": seed,
            "layer": titles[name],
        }
    )
    for group, found in group_spectra.items()
    for seed, pair in enumerate(found)
    for name, layer in zip(hidden, pair, strict=True)
)
grid = sns.relplot(
    frame, x="rank", y="eigenvalue", hue="networks", style="networks", units="network", col="layer",
    kind="line", estimator=None, lw=1, palette=palette, height=3.1, aspect=1.1,
)  # fmt: skip
grid.set(xscale="log", yscale="log", xlabel="rank of the eigenvalue")
grid.set(ylim=(frame.eigenvalue.max() / 3e3, None)).set_titles("{col_name}")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=3, title=""
)
plt.show()

# %% tags=["remove-cell"]
counts = {
    group: {
        name: [spectra.spikes(pair[k]) for pair in found]
        for k, name in enumerate(hidden)
    }
    for group, found in group_spectra.items()
}


def spread(group, layer):
    """Relative standard deviation over seeds of each eigenvalue."""
    values = np.array(
        [pair[layer].eigenvalues for pair in group_spectra[group]]
    )
    return values.std(0, ddof=1) / values.mean(0)


top, rest = np.split(spread(slow_name, 0), [spikes["layer 1"]])
null_spread = spread("shuffled", 0)
largest = {
    group: np.mean([pair[0].eigenvalues[0] for pair in found])
    for group, found in group_spectra.items()
}

# %% tags=["remove-input"]
Markdown(
    f"Layer 1 has {listed(counts[slow_name]['layer 1'])} spikes at the smaller rate and "
    f"{listed(counts[fast_name]['layer 1'])} at the larger one; layer 2 has "
    f"{listed(counts[slow_name]['layer 2'])}, and {listed(counts[fast_name]['layer 2'])}. From seed to "
    f"seed a spike of layer 1 varies by {percent(top.mean(), 1)} (standard deviation over mean), while the larger rate makes "
    f"the largest eigenvalue {largest[fast_name] / largest[slow_name]:.1f} times as large. So networks of "
    "one recipe do share their spectra, spikes included, and what they share depends on the recipe. The "
    f"rest of the spectrum varies by {percent(rest.mean(), 1)} from seed to seed, but that is no finding: "
    f"the shuffled layers do the same ({percent(null_spread.mean(), 1)}). Large matrices of noise of one "
    "shape and variance all have nearly the same spectrum."
)

# %% [markdown]
# A shuffled layer is the weakest null, since it has no structure at all. Networks that were trained on
# another task or on {term}`random labels` would be a stronger one; they are not measured here.
#
# ## Fitting a power law
#
# The trained spectra have a tail beyond the bulk. Suppose that above some threshold $x_{\min}$ the
# density is a power law,
#
# $$\frac{\alpha - 1}{x_{\min}} \left(\frac{x}{x_{\min}}\right)^{-\alpha} .
# $$ (eq-power-law)
#
# For a given $x_{\min}$ and the $n_{\text{tail}}$ values $x_i$ at or above it, the likelihood is
# greatest at
#
# $$\alpha = 1 + n_{\text{tail}} \Big/ \sum_i \log \frac{x_i}{x_{\min}} ,
# $$ (eq-alpha)
#
# and the {term}`standard error` of this estimate is $(\alpha - 1) / \sqrt{n_{\text{tail}}}$. Each
# value is tried as $x_{\min}$, and the one is taken whose tail lies nearest to its law by the
# {term}`Kolmogorov-Smirnov distance` {cite:p}`clauset2009`. {py:func}`.spectra.fit_power_law` does
# this. We try it first on a {term}`planted case`, by hand and with the function:

# %%
planted = 1 + np.random.default_rng(0).pareto(2.5, 5000)  # density x^-3.5
by_hand = 1 + len(planted) / np.log(planted).sum()  # the threshold is 1
fit = spectra.fit_power_law(planted)  # which is not known here

# %% tags=["remove-cell"]
claims.check("spectra_pareto_alpha", fit.alpha, "synthetic")
claims.check("spectra_pareto_xmin", fit.xmin, "synthetic")

# %% tags=["remove-input"]
low, high = spectra.bootstrap_interval(planted, min(knobs.draws, 100))
Markdown(
    f"The planted exponent is 3.5. By hand, with the threshold known, the estimate is {by_hand:.3f}. "
    f"Fitted, it is {fit.alpha:.5f} above {fit.xmin:.6f}, with a standard error of {fit.stderr:.3f}; the "
    f"bootstrap interval, which includes the choice of the threshold, goes from {low:.2f} to {high:.2f}. "
    "Version 1.5 of the package powerlaw gives the same exponent and threshold. Version 2.0 gives 2.99999 "
    "on this sample, because it does not let the exponent pass 3 unless it is told to."
)

# %% [markdown]
# Now the layers. The {term}`bootstrap` draws the eigenvalues again, with replacement. The
# {term}`goodness of fit` is a {term}`p-value`: the share of samples of the fitted law that lie farther
# from their own fit than the data from theirs. A small one means that a power law does not describe
# the spectrum.

# %%
draws = knobs.draws
values = [layer.eigenvalues for layer in layers]
fits = [spectra.fit_power_law(v) for v in values]
intervals = [spectra.bootstrap_interval(v, draws) for v in values]
p_values = [spectra.goodness_of_fit(v, draws) for v in values]

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "values": [f.n for f in fits],
            "in the tail": [f.n_tail for f in fits],
            "$\\alpha$": [f"{f.alpha:.2f}" for f in fits],
            "standard error": [f.stderr for f in fits],
            "bootstrap (95\u00a0%)": [
                f"{a:.2f} to {b:.2f}" for a, b in intervals
            ],
            "p-value of the fit": p_values,
        },
        index=range(1, len(names) + 1),
    ).rename_axis("layer"),
    digits=2,
)

# %% tags=["remove-cell"]
noise_edges = {
    name: random_matrices.largest_noise_eigenvalue(
        layer.shape,
        random_matrices.bulk_variance(layer.eigenvalues, layer.aspect_ratio),
    )
    for name, layer in hidden.items()
}
inside = {
    name: int((layer.eigenvalues >= f.xmin).sum()) - spikes[name]
    for (name, layer), f in zip(hidden.items(), fits, strict=False)
}

# %% tags=["remove-input"]
Markdown(
    f"The p-values are {listed(f'{p:.2f}' for p in p_values)}, so the test "
    + ("rejects" if min(p_values) < 0.05 else "does not reject")
    + " a power law"
    + (" for some layer. " if min(p_values) < 0.05 else " for any layer. ")
    + f"The last layer has only {fits[2].n} eigenvalues, and its exponent rests on {fits[2].n_tail} of "
    "them; it is left out from here on."
)

# %% [markdown]
# {numref}`fig-tails` shows the fits, and where noise would end.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-tails", "caption": "Share of the eigenvalues that are at or above each value, axes logarithmic, with the fitted power law over its tail. The dotted line is the largest eigenvalue that noise of the bulk's variance would have. The fitted tail begins to the left of it, inside the bulk."}, "image": {"alt": "Two panels with a curve of dots that is level on the left and falls ever more steeply to the right. A straight line lies along its steep part. It begins to the left of a dotted vertical line, and only few dots lie to the right of that line."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, (name, layer), found in zip(axes, hidden.items(), fits, strict=False):
    x = np.sort(layer.eigenvalues[layer.eigenvalues > 0])
    above = 1 - np.arange(len(x)) / len(x)
    tail = x[x >= found.xmin]
    law = found.n_tail / found.n * (tail / found.xmin) ** (1 - found.alpha)
    ax.loglog(x, above, ".", ms=4, color=C["matched"], label="eigenvalues")
    label = f"power law, $\\alpha$ = {found.alpha:.2f}"
    ax.loglog(tail, law, color=C["ink"], lw=1.5, label=label)
    ax.axvline(noise_edges[name], ls=":", color=C["null"], label="end of noise")
    ax.set(xlabel="eigenvalue", title=titles[name], xlim=(x[-1] / 300, None))
    ax.legend(loc="lower left")
axes[0].set(ylabel="share at or above")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"Of the {fits[0].n_tail} values in the tail of layer 1, {inside['layer 1']} lie below the end of "
    f"noise, that is, inside the bulk; of the {fits[1].n_tail} of layer 2, {inside['layer 2']} do. Most "
    "of what the exponent describes is the upper edge of the bulk, and not what training has put above it."
    if all(inside[name] > spikes[name] for name in spikes)
    else f"Of the {fits[0].n_tail} values in the tail of layer 1, {inside['layer 1']} lie inside the bulk; "
    f"of the {fits[1].n_tail} of layer 2, {inside['layer 2']} do."
)

# %% [markdown]
# How much does the exponent owe to the threshold? Move it in {numref}`fig-tail-slider`. On a planted
# power law the right curve is level, up to the noise of short tails. If there is a power law in a
# layer, the curve must be level over a stretch there too.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-tail-slider", "caption": "A figure with a handle: a spectrum with its threshold (left), and the exponent against the number of values in the tail (right). Choose a sample; drag the slider, or in either plot."}}
samples = {name: layer.eigenvalues for name, layer in hidden.items()}
samples["a planted power law"] = planted[:500]
spectra.tail_slider(samples)

# %% tags=["remove-cell"]


def alpha_of_largest(sample, k):
    """Exponent of the k largest values."""
    largest_k = np.sort(sample)[-k:]
    return 1 + k / np.log(largest_k / largest_k[0]).sum()


n_values = len(samples["layer 1"])
counts_in_tail = [n_values // 16, n_values // 4, 3 * n_values // 5]
swept = {
    name: [f"{alpha_of_largest(sample, k):.2f}" for k in counts_in_tail]
    for name, sample in samples.items()
    if name != "layer 2"
}

# %% tags=["remove-input"]
Markdown(
    f"With the {listed(counts_in_tail)} largest values, the exponent of layer 1 is "
    f"{listed(swept['layer 1'])}; that of the planted law is {listed(swept['a planted power law'])}. The "
    "curve of the layer is level over a stretch at most and falls as more values are let in, so if there "
    "is a power law, it holds for the largest values alone, and the rule of the smallest distance decides "
    "how many they are."
)

# %% [markdown]
# ## What the error bars measure
#
# The standard error says how much $\alpha$ would vary for a given threshold if the eigenvalues were
# drawn again, each *independently* of the others. The bootstrap adds the choice of the threshold, and
# makes the same assumption, and so does the p-value. But eigenvalues of one matrix are not
# independent: they repel each other ({term}`level repulsion`). A simple measure is the ratio of
# neighbouring spacings, the smaller over the larger. Its mean is $2 \log 2 - 1 \approx 0.39$ for
# independent numbers and about 0.53 for large random symmetric matrices. {cite:t}`thamm2022` have found
# the laws of random matrices in most of the spectrum of trained layers.


# %%
def spacing_ratio(sample):
    """Mean ratio of neighbouring spacings, the smaller over the larger."""
    gaps = np.diff(np.sort(sample))
    pairs = np.stack([gaps[1:], gaps[:-1]])
    return np.mean(pairs.min(0) / pairs.max(0))


ratios = {
    group: [
        np.mean([spacing_ratio(pair[k].eigenvalues) for pair in found])
        for k in range(2)
    ]
    for group, found in group_spectra.items()
}

# %% tags=["remove-input"]
independent = spacing_ratio(planted)
plotting.table(
    pd.DataFrame(ratios, index=names[:2])
    .assign(**{"independent draws": independent})
    .rename_axis("mean spacing ratio"),
    digits=2,
)

# %% tags=["remove-input"]
trained_ratio = np.mean(ratios[slow_name])
Markdown(
    f"The trained layers have a mean ratio of {trained_ratio:.2f}, the shuffled ones of "
    f"{np.mean(ratios['shuffled']):.2f}, and independent draws of {independent:.2f}. So the eigenvalues "
    "repel each other, trained or not. The standard error, the bootstrap interval and the p-value above "
    "describe independent draws, and so they do not describe eigenvalues. It is also why a p-value can come "
    "near 1: eigenvalues that repel each other lie closer to a smooth law than independent draws do."
)

# %% [markdown]
# A comparison of networks needs another bar: how much $\alpha$ varies when the network is trained
# again from another seed. {numref}`fig-error-bars` shows both.

# %%
group_fits = {
    group: [[spectra.fit_power_law(s.eigenvalues) for s in p] for p in found]
    for group, found in group_spectra.items()
}

# %% tags=["remove-cell"]
alphas = {
    g: np.array([[f.alpha for f in pair] for pair in found])
    for g, found in group_fits.items()
}
errors = {
    g: np.array([[f.stderr for f in pair] for pair in found])
    for g, found in group_fits.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-error-bars", "caption": "Exponents of both hidden layers, one dot a seed, with bars of one standard error, on a logarithmic axis. Trained networks of one rate agree far more closely than their bars say; shuffled networks disagree by more than theirs."}, "image": {"alt": "Two panels with three rows of dots each. In the two rows of trained networks the dots lie nearly above one another and their bars are wider than their distances; in the row of shuffled networks the dots lie far apart and farther to the right."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.8), sharey=True)
offsets = np.linspace(-0.25, 0.25, knobs.networks)
for k, ax in enumerate(axes):
    for row, group in enumerate(groups):
        bars = {"xerr": errors[group][:, k], "color": palette[group]}
        ax.errorbar(alphas[group][:, k], row + offsets, fmt="o", ms=4, **bars)
    ax.set(
        xscale="log",
        xlabel="exponent $\\alpha$",
        title=list(titles.values())[k],
    )
    ax.set_xticks([2, 3, 5, 10, 20], [2, 3, 5, 10, 20])
    ax.minorticks_off()
axes[0].set_yticks(range(len(groups)), groups)
axes[0].invert_yaxis()
plt.show()

# %% tags=["remove-input"]
over_seeds = {g: a[:, 0].std(ddof=1) for g, a in alphas.items()}
stated = {g: e[:, 0].mean() for g, e in errors.items()}
gap = abs(alphas[slow_name][:, 0].mean() - alphas[fast_name][:, 0].mean())
slow_alphas = listed(f"{a:.2f}" for a in alphas[slow_name][:, 0])
Markdown(
    f"At the smaller rate the exponents of layer 1 are {slow_alphas}. Their standard deviation over seeds "
    f"is {over_seeds[slow_name]:.3f}; the mean standard error is {stated[slow_name]:.2f}. For the shuffled "
    f"layers it is {over_seeds['shuffled']:.1f} over seeds, against a mean standard error of "
    f"{stated['shuffled']:.1f}. So the bar is no measure of how much the exponent varies between networks. "
    f"The two rates differ by {gap:.2f}: here, the exponent is a reproducible property of a recipe. Whether "
    "it is the exponent of a power law is another question."
)

# %% [markdown]
# ## What noise looks like
#
# A Gaussian matrix has no heavy tail. The fit does not know: it finds the steep upper edge of the
# Marchenko-Pastur law and gives it an exponent ({numref}`fig-noise`). Each layer's exponent has to be
# compared with noise of the same shape.


# %%
def noise_spectra(shape, draws):
    """Squared singular values of Gaussian matrices."""
    rng = np.random.default_rng(0)
    matrices = (rng.normal(size=shape) for _ in range(draws))
    return [np.linalg.svd(w, compute_uv=False) ** 2 for w in matrices]


noise = noise_spectra((120, 400), knobs.gaussians)
alphas_120 = np.array([spectra.fit_power_law(v).alpha for v in noise])
some = noise[: knobs.tested_gaussians]
noise_p = np.array([spectra.goodness_of_fit(v, draws // 2) for v in some])
layer_noise = {}
for name, layer in hidden.items():
    noise = noise_spectra(layer.shape, knobs.layer_gaussians)
    layer_noise[name] = [spectra.fit_power_law(v).alpha for v in noise]

# %% tags=["remove-cell"]
claims.check("spectra_gaussian_alpha", alphas_120.mean(), "synthetic")
claims.check("spectra_gaussian_above_4", (alphas_120 > 4).mean(), "synthetic")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-noise", "caption": "Exponents fitted to Gaussian matrices of three shapes (gray, one dot a matrix), and those of the trained networks in the rows of their layers; the axis is logarithmic. The dashed lines mark 2 and 6, between which WeightWatcher calls a layer well trained. Many Gaussian matrices lie between them."}, "image": {"alt": "Three rows of gray dots that spread over most of the logarithmic axis. In the rows of the two layers, coloured dots of trained networks lie to the left of the gray ones. Two dashed vertical lines, of which the right one passes through the gray dots."}}
rows = {"120 × 400": alphas_120} | {
    f"{name}, {s.shape[0]:,} × {s.shape[1]:,}": layer_noise[name]
    for name, s in hidden.items()
}
frame = pd.DataFrame(
    [(row, a) for row, found in rows.items() for a in found],
    columns=["matrix", "alpha"],
)
fig, ax = plt.subplots(figsize=(7.2, 3))
dots = {"color": C["null"], "size": 3, "alpha": 0.6}
sns.stripplot(frame, x="alpha", y="matrix", jitter=0.3, ax=ax, **dots)
for group in (slow_name, fast_name):
    for k in range(2):
        x = alphas[group][:, k]
        label = group if k == 0 else None
        ax.plot(
            x, 0 * x + k + 1, "o", color=palette[group], label=label, zorder=3
        )
for limit in (2, 6):
    ax.axvline(limit, color=C["ink"], ls="--", lw=1)
ax.set(xscale="log", xlabel="exponent $\\alpha$", ylabel="")
ax.set_xticks([2, 4, 6, 10, 20, 40], [2, 4, 6, 10, 20, 40])
ax.minorticks_off()
ax.legend(title="trained", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% tags=["remove-input"]
noise_text = " and ".join(
    f"from {min(found):.1f} to {max(found):.1f} for {name}"
    for name, found in layer_noise.items()
)
below = all(
    alphas[group][:, k].max() < min(layer_noise[name])
    for group in (slow_name, fast_name)
    for k, name in enumerate(hidden)
)
Markdown(
    f"The {len(alphas_120)} Gaussian matrices of 120 × 400 have an exponent of {alphas_120.mean():.1f} on "
    f"average, from {alphas_120.min():.1f} to {alphas_120.max():.1f}, and "
    f"{percent((alphas_120 <= 6).mean())} of them would be called well trained by the limit of 6. With the "
    "exponent limited to 3, as powerlaw 2.0 has it, all would be. Noise of the shapes of our layers gives "
    f"exponents {noise_text}. "
    + (
        "The trained layers lie below all of it, so their exponents are no accident of noise. "
        if below
        else "Some trained layers lie among it. "
    )
    + "The goodness of fit, however, does not tell noise from a power law: its p-value is above 0.1 for "
    f"{(noise_p > 0.1).sum()} of {len(noise_p)} Gaussian matrices, so a large p-value above is no evidence "
    "for a power law."
)

# %% [markdown]
# ## Other laws for the same tail
#
# A tail that a power law fits, another law may fit as well. The logarithm of the
# {term}`likelihood ratio` of two laws on the same tail is positive where the power law wins. Its
# p-value is the chance of a ratio at least so far from zero if the two were equally good: by the
# {term}`Vuong test` {cite:p}`vuong1989`, and for the {term}`truncated power law`, which contains the
# power law, by the {term}`Wilks test`. {py:func}`.spectra.likelihood_ratio` computes both. These
# p-values, too, assume independent values.

# %%
rivals = {}
for (name, layer), found in zip(hidden.items(), fits, strict=False):
    for rival in spectra.RIVALS:
        rivals[name, rival.replace("_", " ")] = spectra.likelihood_ratio(
            layer.eigenvalues, found, rival
        )

# %% tags=["remove-input"]
words = {
    "exponential": "exponential",
    "lognormal": "log-normal",
    "truncated power law": "truncated power law",
}
plotting.table(
    pd.DataFrame(
        {
            "log-likelihood ratio": [
                round(r.ratio, 3) + 0.0 for r in rivals.values()
            ],
            "p-value": [r.p for r in rivals.values()],
        },
        index=[f"{name}, {words[rival]}" for name, rival in rivals],
    ).rename_axis("layer and rival")
)

# %% tags=["remove-cell"]


def verdict_on(name):
    """Which rivals lose, win, or can't be told from the power law on a layer's tail."""
    of_layer = {
        words[r]: found for (n, r), found in rivals.items() if n == name
    }
    lose = [r for r, f in of_layer.items() if f.p < 0.05 and f.ratio > 0]
    win = [r for r, f in of_layer.items() if f.p < 0.05 and f.ratio < 0]
    stay = [r for r, f in of_layer.items() if f.p >= 0.05]
    parts = [f"fits better than the {' and the '.join(lose)}"] if lose else []
    parts += [f"fits worse than the {' and the '.join(win)}"] if win else []
    if stay:
        parts += [f"can't be told from the {' or the '.join(stay)}"]
    return f"On {name} the power law {listed(parts)}, at a level of 5\u00a0%."


exponential_stays = [
    n for (n, r), f in rivals.items() if r == "exponential" and f.p >= 0.05
]

# %% tags=["remove-input"]
Markdown(
    " ".join(verdict_on(name) for name in hidden)
    + (
        f" An exponential tail is not heavy, and on {listed(exponential_stays)} it is not rejected: there, "
        "the fit of a power law does not show that the tail is heavy."
        if exponential_stays
        else " A heavy tail is one thing, a power law another: the log-normal law is heavy-tailed too."
    )
)

# %% [markdown]
# What the page does show for these layers is a bulk with spikes. {cite:t}`martin2021` count that as a
# phase of its own, which comes before the heavy-tailed one. {cite:t}`thamm2022` conclude from larger
# networks that the tail of trained spectra is in general no power law.
#
# ## From a number to a word
#
# DeepDataProfiler reads $2(\alpha - 1)$: up to 4 a layer is "regularized", from 4 to 7 "somewhat well
# regularized", and anything else "very likely not trained", a missing number included. WeightWatcher
# reads $\alpha$ itself: below 2 a layer is {term}`over-trained`, from 2 to 6 well trained, and above 6
# not well trained. {numref}`fig-words` shows both in one vocabulary, that of {py:func}`.spectra.phase`.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-words", "caption": "The word that each of two programs gives to an exponent. They disagree over wide stretches of the axis."}, "image": {"alt": "Two bars over an axis of exponents from 1 to 8. The upper bar changes its colour at 2 and at 6, the lower bar at 3 and at 4.5. Both end in the colour of not trained."}}
grid = np.linspace(1.001, 8, 1400)
word_colors = dict(
    zip(
        ["over-trained", "well trained", "somewhat trained", "not trained"],
        LEVELS,
        strict=True,
    )
)
programs = {
    "weightwatcher": "WeightWatcher",
    "deepdataprofiler": "DeepDataProfiler",
}
fig, ax = plt.subplots(figsize=(7.2, 1.9))
for word, color in word_colors.items():
    ax.barh(0, 0, color=color, label=word)
for y, convention in enumerate(programs):
    given = np.array([spectra.phase(a, convention) for a in grid])
    for word, color in word_colors.items():
        if (at := grid[given == word]).size:
            ax.barh(y, np.ptp(at), left=at[0], color=color, height=0.7)
ax.set(xlabel="exponent $\\alpha$", xlim=(1, 8), ylim=(1.5, -0.5))
ax.set_yticks(range(2), programs.values())
ax.grid(False)
ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.45, 1))
plt.show()

# %% tags=["remove-input"]
agreement = np.mean(
    [
        spectra.phase(a, "weightwatcher")
        == spectra.phase(a, "deepdataprofiler")
        for a in grid
    ]
)
of_layer = [spectra.phase(fits[0].alpha, convention) for convention in programs]
Markdown(
    f"Between 1 and 8 the two give the same word on {percent(agreement)} of the axis. An exponent of 1.5 is "
    f'"{spectra.phase(1.5, "weightwatcher")}" for one and "{spectra.phase(1.5, "deepdataprofiler")}" for the '
    f'other, and one of 5 "{spectra.phase(5, "weightwatcher")}" and "{spectra.phase(5, "deepdataprofiler")}". '
    f'Our layer 1, with {fits[0].alpha:.2f}, is "{of_layer[0]}" and "{of_layer[1]}". Neither program asks '
    "how precise the number is."
)

# %% [markdown]
# How many eigenvalues does a word need? Draw from a law with $\alpha = 4$ exactly, fit, and look at
# the spread of the answers ({numref}`fig-sample-size`).

# %%
sizes = [10, 20, 50, 100, 250, 500, 1000]
rng = np.random.default_rng(1)
fitted = np.empty((len(sizes), draws))
for k, n in enumerate(sizes):
    drawn = 1 + rng.pareto(3, (draws, n))
    fitted[k] = [spectra.fit_power_law(sample).alpha for sample in drawn]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-sample-size", "caption": "Exponents fitted to samples of a power law with exponent 4: the median, and the range of the middle 90 % of the samples. With few values the fits scatter widely, and mostly upward; the range narrows slowly."}, "image": {"alt": "A median curve that approaches a dashed line at 4 from above as the sample grows, in a band that is very wide and reaches far upward for the smallest samples and is narrow for the largest."}}
fig, ax = plt.subplots(figsize=(7.2, 3))
sns.lineplot(
    plotting.tidy(fitted.T, sizes), x="x", y="value", estimator="median", errorbar=("pi", 90),
    marker="o", mew=0, color=C["matched"], label="median and middle 90 %", ax=ax,
)  # fmt: skip
ax.axhline(4, color=C["ink"], ls="--", label="planted")
ax.set(
    xscale="log", xlabel="number of values", ylabel="fitted exponent $\\alpha$"
)
ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
ax.minorticks_off()
ax.legend()
plt.show()

# %% tags=["remove-cell"]
low, high = np.quantile(fitted, [0.05, 0.95], axis=1)


def words_between(a, b):
    """What both programs say of the exponents from a to b."""
    inside_ = np.linspace(a, b, 200)
    said = []
    for convention, program in programs.items():
        given = dict.fromkeys(spectra.phase(x, convention) for x in inside_)
        said.append(f"{program} says {' or '.join(map(repr, given))}")
    return ", and ".join(said).replace("'", '"')


# %% tags=["remove-input"]
Markdown(
    f"With {sizes[0]} values the middle 90 % of the fits runs from {low[0]:.1f} to {high[0]:.1f}, where "
    f"{words_between(low[0], high[0])}. With {sizes[3]} values it runs from {low[3]:.1f} to {high[3]:.1f}, and "
    f"{words_between(low[3], high[3])}. The source fits layers of 6 to 10 eigenvalues. Here a fit needs 10 "
    "positive values to be made at all, and the comparisons below leave out layers with fewer than 40."
)

# %% [markdown]
# ## The capacity metric
#
# The tail and the size of the spectrum are put together in one number, {term}`alpha-hat`: over the
# $L$ layers,
#
# $$\hat\alpha = \frac1L \sum_l \alpha_l \log \lambda_{\max, l} .
# $$ (eq-alpha-hat)
#
# It is said to be small for networks that generalise well. Which logarithm, and which eigenvalue?
# Martin, Peng and Mahoney take $\log_{10}$ of the eigenvalues of $W^\top W$, not divided by anything,
# and WeightWatcher does as they do. DeepDataProfiler takes the natural logarithm of the eigenvalues
# divided by the number of rows. {py:func}`.spectra.alpha_hat` can do both; by default it takes
# $\log_{10}$ of the eigenvalues divided by the longer side, as this book does everywhere else, so that
# the law of {numref}`fig-spectrum` applies. Division moves most $\lambda_{\max}$ below 1, where the
# logarithm is negative: a larger exponent then makes the metric smaller, not larger.

# %%
conventions = {
    "weightwatcher": "WeightWatcher",
    "deepdataprofiler": "DeepDataProfiler",
    "log10": "this book's default",
}
start = training.start(make_mlp, 0)
metric = {
    column: [spectra.alpha_hat(model, c, 40) for c in conventions]
    for column, model in [("at the start", start), ("trained", networks[0])]
}

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "logarithm": ["base 10", "natural", "base 10"],
            "eigenvalues divided by": [
                "nothing",
                "number of rows",
                "longer side",
            ],
            **metric,
        },
        index=conventions.values(),
    ).rename_axis("convention"),
    digits=2,
)

# %% tags=["remove-input"]
rises = [
    word
    for word, before, after in zip(
        conventions.values(), *metric.values(), strict=True
    )
    if after > before
]
Markdown(
    (
        "All three conventions give the untrained network a smaller value than the trained one, so here they "
        "move the same way. "
        if len(rises) == 3
        else f"The metric rises in training by the convention of {listed(rises)} only. "
        if rises
        else "All three conventions fall in training. "
    )
    + "Whether they put trained networks into the same order is another matter, and is measured below, across "
    "networks."
)

# %% [markdown]
# A check against the peer itself: DeepDataProfiler gives torchvision's untrained ResNet-18 a metric of
# -57.37, and the trained one -13.68. The untrained one depends on the seed of its random weights.

# %%
resnets = [training.start(resnet18, seed) for seed in range(4)]
peer = "deepdataprofiler"
untrained_metric = [spectra.alpha_hat(m, peer) for m in resnets]
resnet_table = spectra.table(resnets[0])

# %% tags=["remove-cell"]
claims.check("spectra_resnet18_random", untrained_metric[0], "synthetic")
trained_text = "The trained weights need a download, which is tried at the full scale only."
if settings.scale() == "full":
    try:
        trained = resnet18(weights=ResNet18_Weights.IMAGENET1K_V1)
    except OSError as error:
        trained_text = f"The trained weights can't be downloaded: {error}."
    else:
        trained_metric = spectra.alpha_hat(trained, "deepdataprofiler")
        claims.check("spectra_resnet18_trained", trained_metric, "synthetic")
        trained_text = f"The trained network gives {trained_metric:.2f}."

# %% tags=["remove-input"]
Markdown(
    f"Seed 0 gives {untrained_metric[0]:.2f}, which is the peer's number; seeds 1 to 3 give "
    f"{listed(f'{v:.2f}' for v in untrained_metric[1:])}. The four differ by up to "
    f"{np.ptp(untrained_metric):.0f}, so the peer's number belongs to one seed as much as to the network. "
    f"{trained_text}"
)

# %% tags=["remove-input"]
shown = {
    "rows": "rows",
    "columns": "columns",
    "Q": "$Q$",
    "alpha": "$\\alpha$",
    "stderr": "standard error",
    "n_tail": "in the tail",
    "spikes": "spikes",
}
plotting.table(resnet_table.head(6)[[*shown]].rename(columns=shown), digits=2)

# %% tags=["remove-input"]
called = [spectra.phase(a, "weightwatcher") for a in resnet_table.alpha]
Markdown(
    "These are the first six layers of the untrained ResNet-18. It has "
    f"{resnet_table.spikes.sum() or 'no'} spikes in its {len(resnet_table)} layers, and exponents "
    f"from {resnet_table.alpha.min():.1f} to {resnet_table.alpha.max():.1f}; WeightWatcher's limits would "
    f"call {called.count('well trained')} of the layers well trained."
)

# %% [markdown]
# ## Along training
#
# The source shows one network epoch after epoch, and claims that $\alpha$ falls with the test error.
# {numref}`fig-epochs` follows our network, and beside it the same network at five times the learning
# rate, which stops improving early.


# %%
def along_training(lr):
    """Test error and spectral measures of one network after each epoch."""
    history = training.fit_history(
        make_mlp, images.train, 0, epochs=knobs.epochs, lr=lr
    )
    rows = []
    for model in history:
        found = spectra.table(model).query("n >= 40")
        error = 1 - training.accuracy(model, images.test)
        hat = spectra.alpha_hat(model, "weightwatcher", 40)
        rows.append((error, found.alpha.mean(), hat, found.spikes.sum()))
    columns = ["error", "alpha", "alpha-hat", "spikes"]
    return pd.DataFrame(rows, columns=columns)


courses = {
    name: along_training(r["lr"])
    for name, r in [(slow_name, recipe), (fast_name, fast)]
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-epochs", "caption": "Test error, mean exponent of the hidden layers, and alpha-hat by WeightWatcher's convention after each epoch; epoch 0 is the untrained network. At both rates the exponent falls in the first epochs, and alpha-hat rises. At the larger rate the exponent is smaller, although the error is larger."}, "image": {"alt": "Three panels against epochs with two curves each. The error falls over most of the training at the smaller rate; at the larger rate it falls at first, then stays higher and moves up and down. The exponent falls at the smaller rate; at the larger it falls faster and then stays nearly level, below the other curve. Alpha-hat rises at both, higher at the larger."}}
frame = pd.concat(courses, names=["rate", "epoch"]).reset_index()
frame = frame.rename(
    columns={"error": "test error", "alpha": "exponent $\\alpha$"}
)
frame = frame.drop(columns="spikes").melt(["rate", "epoch"], var_name="measure")
grid = sns.relplot(
    frame, x="epoch", y="value", hue="rate", style="rate", col="measure", kind="line", markers=True,
    dashes=False, mew=0, palette=palette, facet_kws={"sharey": False}, height=2.7, aspect=0.9,
)  # fmt: skip
grid.set_titles("{col_name}").set(xlabel="epochs", ylabel="")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=2, title=""
)
plt.show()

# %% tags=["remove-cell"]
after = {name: course.iloc[1:] for name, course in courses.items()}
by_rate = pd.DataFrame(
    {
        name: {
            measure: spectra.rank_correlation(course[measure], course.error)[0]
            for measure in ["alpha", "alpha-hat", "spikes"]
        }
        for name, course in after.items()
    }
)
claims.check(
    "spectra_epochs_alpha", by_rate.loc["alpha", slow_name], images.name
)
claims.check(
    "spectra_epochs_alpha_hat", by_rate.loc["alpha-hat", slow_name], images.name
)

# %% tags=["remove-input"]
calm, wild = after[slow_name], after[fast_name]
Markdown(
    f"At the smaller rate the exponent goes from {calm.alpha.iloc[0]:.2f} after the first epoch to "
    f"{calm.alpha.iloc[-1]:.2f} after the last, while the error goes from {calm.error.iloc[0]:.3f} to "
    f"{calm.error.iloc[-1]:.3f}. At the larger rate the exponent ends at {wild.alpha.iloc[-1]:.2f} and the "
    f"error at {wild.error.iloc[-1]:.3f}; the error is least after epoch {int(wild.error.idxmin())} of "
    f"{knobs.epochs}."
)

# %% tags=["remove-input"]
plotting.table(
    by_rate.rename({"alpha": "exponent"}).rename_axis(
        "rank correlation with the error"
    ),
    digits=2,
)

# %% tags=["remove-input"]
Markdown(
    "The table leaves out the untrained network. At the smaller rate the exponent and the error fall "
    f"together ({by_rate.loc['alpha', slow_name]:.2f}). But epochs in order are not independent, and "
    "anything that moves one way in training would agree as well. At the larger rate the rank correlation "
    f"is {by_rate.loc['alpha', fast_name]:.2f}. Alpha-hat, which should fall with the error, has rank "
    f"correlations of {by_rate.loc['alpha-hat', slow_name]:.2f} and {by_rate.loc['alpha-hat', fast_name]:.2f} "
    "with it: the largest eigenvalue grows faster than the exponent falls."
)

# %% [markdown]
# ## Across networks
#
# The promise that matters is this one: given several trained networks and no data, tell which has the
# smaller test error. Our ensemble varies the width, the depth, the labels, the weight decay and the
# batch size. For a share of the training images the label is drawn anew; the drawn label happens to be
# the right one for one image in ten.


# %%
def redraw_labels(split, share):
    """Draw the labels of a share of the images anew."""
    g = torch.Generator().manual_seed(0)
    redrawn = torch.rand(len(split), generator=g) < share
    drawn = torch.randint(10, (len(split),), generator=g)
    return data.Split(split.x, torch.where(redrawn, drawn, split.y))


few = images.train.first(knobs.images)
labelled = {share: redraw_labels(few, share) for share in (0, 0.3, 0.6)}
wrong = [(s.y != few.y).float().mean().item() for s in labelled.values()]


def train(width, depth, share, decay, batch):
    """Networks of one setting, one a seed."""
    widths = [few.x[0].numel(), *[width] * depth, 10]
    regime = {"lr": 0.03, "batch_size": batch, "weight_decay": decay}
    return training.fit_ensemble(
        lambda: models.mlp(widths),
        labelled[share],
        range(knobs.seeds),
        epochs=knobs.ensemble_epochs,
        progress=False,
        **regime,
    )


# %% tags=["remove-cell"]
factors = {
    "width": knobs.ensemble_widths,
    "depth": [1, 2],
    "redrawn": [*labelled],
    "weight decay": [0, 0.01],
    "batch size": [32, 128],
}
rows = []
for setting in itertools.product(*factors.values()):
    for model in train(*setting):
        found = spectra.table(model).query("n >= 40")
        rows.append(
            {
                **dict(zip(factors, setting, strict=True)),
                "error": 1 - training.accuracy(model, images.test),
                "training error": 1
                - training.accuracy(model, labelled[setting[2]]),
                "alpha": found.alpha.mean(),
                "alpha-hat": spectra.alpha_hat(model, "weightwatcher", 40),
                "alpha-hat, DeepDataProfiler": spectra.alpha_hat(
                    model, "deepdataprofiler", 40
                ),
                "largest eigenvalue": np.log10(found.lambda_max).mean(),
                "spectral norm": np.log10(found.spectral_norm).mean(),
                "stable rank": found.stable_rank.mean(),
                "spikes": found.spikes.mean(),
            }
        )
ensemble = pd.DataFrame(rows)
fitted_labels = int((ensemble["training error"] < 0.01).sum())
over_trained = int((ensemble.alpha < 2).sum())

# %% tags=["remove-input"]
Markdown(
    f"The ensemble has {len(ensemble)} networks. Where 30 % and 60 % of the labels are redrawn, "
    f"{percent(wrong[1])} and {percent(wrong[2])} of them are wrong."
)

# %% [markdown]
# **Is the test fair?** The measures are meant for networks that were trained well. So look at the
# training error first ({numref}`fig-ensemble`).

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-ensemble", "caption": "Test error of each network of the ensemble against its error on the training labels, its mean exponent (logarithmic axis) and its alpha-hat, coloured by the share of labels that were redrawn. On the left, no network comes near a training error of zero. In the middle, the shaded part is where WeightWatcher speaks of over-training. The left panel shows an order; the other two do not."}, "image": {"alt": "Three scatter plots that share the axis of test error. On the left the clouds of the three shares rise to the right, far from zero training error. In the middle and on the right the clouds lie above one another and spread sideways without a common slope; a large part of the middle cloud lies in a shaded strip at small exponents."}}
shares = {share: f"{percent(share)}" for share in labelled}
three = (LEVELS[0], LEVELS[1], LEVELS[3])
share_palette = dict(zip(shares.values(), three, strict=True))
shown = ensemble.assign(**{"labels redrawn": ensemble.redrawn.map(shares)})
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3.1), sharey=True)
for ax, name in zip(
    axes, ["training error", "alpha", "alpha-hat"], strict=True
):
    sns.scatterplot(
        shown, x=name, y="error", hue="labels redrawn", style="labels redrawn", palette=share_palette,
        s=22, linewidth=0, legend=ax is axes[0], ax=ax,
    )  # fmt: skip
axes[0].set(xlabel="training error", ylabel="test error", xlim=(0, None))
axes[1].set(xscale="log", xlabel="mean exponent $\\alpha$")
axes[1].set_xticks([1.5, 2, 3, 4, 6], [1.5, 2, 3, 4, 6])
axes[1].minorticks_off()
axes[1].axvspan(1, 2, color=C["null"], alpha=0.2, lw=0)
axes[1].set(xlim=(ensemble.alpha.min() * 0.93, ensemble.alpha.max() * 1.07))
axes[2].set(xlabel="alpha-hat")
handles, texts = axes[0].get_legend_handles_labels()
axes[0].get_legend().remove()
fig.legend(
    handles, texts, title="labels redrawn", ncols=3, loc="outside upper center"
)
plt.show()

# %% tags=["remove-input"]
training_error = ensemble["training error"]
Markdown(
    f"**It is not.** The error on the training labels goes from {percent(training_error.min())} to "
    f"{percent(training_error.max())}, with a mean of {percent(training_error.mean())}, and "
    f"{fitted_labels or 'none'} of {len(ensemble)} networks "
    + ("has" if fitted_labels < 2 else "have")
    + " fitted them. All were trained for the same number of epochs at the same learning rate, which was "
    "tuned for none. In "
    f"{over_trained} of them the mean exponent is below 2, where WeightWatcher "
    "itself speaks of over-training and calls no smaller exponent better. What follows says what the "
    "spectra of such networks show. It does not refute the measures where they are meant to hold. A fair "
    "test would take one architecture with a tuned learning rate, train every network until it fits its "
    "labels, and use several seeds for each setting. It is still to be made."
)

# %% [markdown]
# **Do redrawn labels show in the spectra?** Three networks that share width, depth, weight decay and
# batch size form a cell; they differ in their labels alone. {numref}`fig-cells` joins the networks of
# each cell by a line.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cells", "caption": "Test error against the largest eigenvalue (left) and the exponent (right), both as means over the layers, one line a cell: networks that differ only in the share of redrawn labels. On the left every line goes to the left on its way from none to most labels redrawn, though the whole cloud has no slope. On the right the lines go either way."}, "image": {"alt": "Two panels of dots in three colours, joined in threes by gray lines. In the left panel all lines rise toward the left, some steeply, at different places along the axis; in the right panel some rise to the left and some to the right."}}
cell = ["width", "depth", "weight decay", "batch size"]
axis_names = {
    "largest eigenvalue": "largest eigenvalue, $\\log_{10}$",
    "alpha": "mean exponent $\\alpha$",
}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
for ax, (name, label) in zip(axes, axis_names.items(), strict=True):
    for _, group in ensemble.groupby(cell):
        line = group.groupby("redrawn")[[name, "error"]].mean()
        ax.plot(line[name], line.error, color=C["null"], lw=0.8, zorder=1)
    sns.scatterplot(
        shown, x=name, y="error", hue="labels redrawn", style="labels redrawn", palette=share_palette,
        s=28, linewidth=0, legend=ax is axes[1], ax=ax,
    )  # fmt: skip
    ax.set(xlabel=label, ylabel="test error")
axes[1].set(xscale="log")
axes[1].set_xticks([1.5, 2, 3, 4, 6], [1.5, 2, 3, 4, 6])
axes[1].minorticks_off()
sns.move_legend(axes[1], "upper right", title="labels redrawn", fontsize=8)
plt.show()

# %% tags=["remove-cell"]


def falls(measure, share):
    """In how many cells a measure is smaller than with all labels right, of how many."""
    by_share = ensemble.pivot_table(
        index=cell, columns="redrawn", values=measure
    )
    return int((by_share[share] < by_share[0]).sum()), len(by_share)


shape_falls, n_cells = falls("alpha", 0.6)
error_rises = n_cells - falls("error", 0.6)[0]

# %% tags=["remove-input"]
Markdown(
    f"**They do.** The error is larger with 60 % of the labels redrawn than with none in {error_rises} of "
    f"{n_cells} cells, and the largest eigenvalue is smaller in {falls('largest eigenvalue', 0.6)[0]} of "
    f"{n_cells}; with 30 % redrawn it is smaller in {falls('largest eigenvalue', 0.3)[0]}. So redrawn labels "
    "show in the *scale* of the spectra. Their *shape* says "
    + ("little" if 0.2 < shape_falls / n_cells < 0.8 else "something, too")
    + f": the exponent is smaller in {shape_falls} of {n_cells} cells, where chance alone would give half "
    f"of them. Alpha-hat, which contains the scale, is smaller in {falls('alpha-hat', 0.6)[0]} of {n_cells}. "
    "There the network with the larger error has the smaller value, against the promise."
)

# %% [markdown]
# **Do the measures rank networks by their error?** Take the {term}`rank correlation` of a measure with
# the test error in three ways: over all networks at once, with a bootstrap interval
# ({py:func}`.spectra.rank_correlation`); within each cell, where only the labels differ; and within
# networks of the same width, depth and labels, where weight decay and batch size differ
# ({numref}`fig-rank-correlations`).


# %%
def within(measure, same):
    """Rank correlation with the error in each group that shares settings."""
    return [
        group[[measure, "error"]].corr("spearman").iloc[0, 1]
        for _, group in ensemble.groupby(same)
    ]


measures = ["alpha", "alpha-hat", "spectral norm", "stable rank", "spikes"]
compared = ["largest eigenvalue", *measures]
pooled = {
    name: spectra.rank_correlation(ensemble[name], ensemble.error)
    for name in compared
}
where = {
    "labels differ": ["width", "depth", "weight decay", "batch size"],
    "decay and batch differ": ["width", "depth", "redrawn"],
}
strata = {
    kind: {name: within(name, same) for name in compared}
    for kind, same in where.items()
}

# %% tags=["remove-cell"]
alone = {name: pooled[name][0] for name in measures}
strongest = max(alone, key=lambda name: abs(alone[name]))
claims.check("spectra_across_networks", abs(alone[strongest]), images.name)
stratum = {
    kind: {name: np.nanmean(found) for name, found in by_name.items()}
    for kind, by_name in strata.items()
}
order = ensemble[["alpha-hat", "alpha-hat, DeepDataProfiler"]]
between_conventions = order.corr("spearman").iloc[0, 1]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rank-correlations", "caption": "Rank correlation of six spectral measures with the test error: over all networks with a 95 % interval, and within groups that share all settings but a few, one faint dot a group and a diamond for their mean. For the measures of scale the two kinds of groups lie on opposite sides of zero, and all networks together lie near zero."}, "image": {"alt": "Six rows, one a measure. Dark marks with bars lie near zero in every row. For the largest eigenvalue and the spectral norm the diamonds of the groups whose labels differ lie at the far left and those of the other groups right of zero; for alpha-hat less so; for the exponent both lie closer to zero."}}
frame = pd.DataFrame(
    [
        (name, value, kind)
        for kind, by_name in strata.items()
        for name, found in by_name.items()
        for value in found
    ],
    columns=["measure", "correlation", "within groups where"],
)
kinds = dict(zip(where, (C["matched"], C["other"]), strict=True))
fig, ax = plt.subplots(figsize=(7.2, 4.2))
style = {
    "x": "correlation",
    "y": "measure",
    "hue": "within groups where",
    "palette": kinds,
    "ax": ax,
}
sns.stripplot(
    frame, dodge=True, jitter=0.25, alpha=0.35, size=4, legend=False, **style
)
sns.pointplot(
    frame, dodge=0.4, errorbar=None, linestyle="none", markers="D", markersize=6, **style
)  # fmt: skip
value, low, high = np.array([pooled[name] for name in compared]).T
ax.errorbar(
    value, np.arange(len(compared)), xerr=np.clip([value - low, high - value], 0, None), fmt="o", ms=5,
    color=C["ink"], label="all networks together", zorder=4,
)  # fmt: skip
ax.axvline(0, color=C["ink"], lw=1)
ax.set(xlim=(-1.05, 1.05), xlabel="rank correlation with the test error")
ax.set(ylabel="")
ax.set_yticks(
    range(len(compared)),
    ["exponent $\\alpha$" if name == "alpha" else name for name in compared],
)
ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, fontsize=9)
plt.show()

# %% tags=["remove-input"]
value, low, high = pooled["alpha"]
hat, hat_low, hat_high = pooled["alpha-hat"]
first = max(pooled, key=lambda name: abs(pooled[name][0]))
first_name = "exponent" if first == "alpha" else first
labels_differ, others_differ = (
    by_name["largest eigenvalue"] for by_name in stratum.values()
)
Markdown(
    f"Over all networks, the exponent has a rank correlation of {value:.2f} with the error ({low:.2f} to "
    f"{high:.2f}) and alpha-hat one of {hat:.2f} ({hat_low:.2f} to {hat_high:.2f}). The strongest of the six "
    f"is the {first_name} with {pooled[first][0]:.2f}"
    + (
        ", so none ranks these networks well. "
        if abs(pooled[first][0]) < 0.5
        else ". "
    )
    + f"The largest eigenvalue has {pooled['largest eigenvalue'][0]:.2f} over all networks, but "
    f"{labels_differ:.2f} on average where only the labels differ, and {others_differ:.2f} where weight "
    "decay and batch size differ"
    + (
        ": two opposite relations, which cancel in the whole. "
        if labels_differ * others_differ < 0
        else ". "
    )
    + f"A group holds only {3 * knobs.seeds} or {4 * knobs.seeds} networks, so a single dot says little"
    + (
        ", and with one seed for each setting it is not known how much a measure varies by chance. "
        if knobs.seeds == 1
        else ". "
    )
    + "Nor do the conventions of alpha-hat agree: the orders into which WeightWatcher's and DeepDataProfiler's put "
    f"the networks have a rank correlation of {between_conventions:.2f}."
)

# %% [markdown]
# A relation that holds within groups and disappears when they are pooled is
# {term}`Simpson's paradox`. Martin and Mahoney have described it for this very problem
# {cite:p}`martin2021simpson`: over the networks of a contest, measures of scale ranked well in
# aggregate and badly at a fixed depth, and measures of shape did the opposite. In our ensemble the
# pattern is another one, but the lesson is the same: a pooled rank correlation, good or bad, says
# little about a measure until it is said what was varied.
#
# The published successes compare architectures of one family, trained with care on the same clean
# data. Ours are small, and none of them has fitted its labels. The two tests do not contradict each
# other.
#
# ## Convolutions, three ways
#
# The weights of a convolution are an array (out, in, height, width). Of which matrix should one take
# the spectrum? DeepDataProfiler *flattens* it to (out, in · height · width). WeightWatcher took it *slice
# by slice*, one (out, in) matrix for each position of the kernel. But the layer is also a linear map
# of images, the {term}`convolution operator`, with a spectrum of its own: with periodic borders it is
# diagonal in frequency, one (out, in) matrix for each frequency, and a fast Fourier transform gives
# all singular values exactly {cite:p}`sedghi2019`. (This holds for stride 1; our network keeps every
# second output in each direction.) {py:func}`.spectra.convolution_spectra` computes all three, as
# squared singular values that are not divided ({numref}`fig-convolution`).

# %%
cnn, _ = training.fit_ensemble(
    zoo.gray_cnn(images), images.train, [0, 1], **recipe
)
second = models.weight_layers(cnn)[1]
kernels = cnn[second].weight
map_side = models.outputs(cnn, images.test.x[:1], [second - 1])[second - 1]
ways = spectra.convolution_spectra(kernels, map_side.shape[-1])
way_fits = {way: spectra.fit_power_law(v) for way, v in ways.items()}

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "values": [len(v) for v in ways.values()],
            "largest": [f"{v[0]:.2f}" for v in ways.values()],
            "$\\alpha$": [f"{f.alpha:.2f}" for f in way_fits.values()],
            "standard error": [f.stderr for f in way_fits.values()],
            "in the tail": [f.n_tail for f in way_fits.values()],
        },
        index=ways,
    ).rename_axis("the convolution as"),
    digits=2,
)

# %% tags=["remove-cell"]
agreement = []
for a, b in itertools.combinations(ways, 2):
    width = np.hypot(way_fits[a].stderr, way_fits[b].stderr)
    near = abs(way_fits[a].alpha - way_fits[b].alpha) < 2 * width
    agreement.append(f"{a} and {b} {'do' if near else 'do not'}")
factor = ways["operator"][0] / ways["flattened"][0]
positions = kernels.shape[2] * kernels.shape[3]

# %% tags=["remove-input"]
Markdown(
    "The same weights have three spectra. Which exponents agree within two standard errors? "
    f"{'; '.join(agreement).capitalize()}. "
    "The standard error of the operator's exponent is not to be believed, since its values are a smooth "
    "function of the frequency and far from independent."
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-convolution", "caption": "Share of the squared singular values at or above each value, for the second convolution of one network taken in three ways, axes logarithmic. The three curves lie at different places and bend differently; the operator has the largest values."}, "image": {"alt": "Three falling curves on logarithmic axes. The curve of the slices lies far to the left of the other two. Those of the flattened matrix and of the operator run close to each other at first, and the operator's reaches farthest to the right."}}
way_styles = {
    "flattened": (C["matched"], "-"),
    "slices": (C["other"], "--"),
    "operator": (C["ink"], ":"),
}
fig, ax = plt.subplots(figsize=(7.2, 3))
for way, v in ways.items():
    v = v[v > 0]
    color, dash = way_styles[way]
    share = np.arange(1, len(v) + 1) / len(v)
    ax.loglog(v, share, dash, color=color, lw=2, label=way)
ax.set(
    xlabel="squared singular value",
    ylabel="share at or above",
    ylim=(1e-3, 1.3),
)
ax.set(xlim=(ways["operator"][0] * 1e-5, None))
ax.legend()
plt.show()

# %% tags=["remove-input"]
Markdown(
    "The norm of the layer as a map of images is the root of the operator's largest value. That value is "
    f"{factor:.1f} times the largest of the flattened matrix. It can be at most {positions} times as large, "
    "the height times the width of the kernel: the flattened matrix does bound the norm, but loosely."
)

# %% [markdown]
# ## Your own model
#
# {py:func}`.spectra.table` takes any `torch.nn.Module` and returns one row for each layer; for a layer
# that can't be judged it gives the reason. From the command line it needs no model code at all:
#
# ```bash
# python -m netdist_utils.spectra model.safetensors --csv
# ```

# %%
yours = nn.ModuleDict(
    {
        "embed": nn.Embedding(100, 32),
        "mix": nn.Conv1d(32, 64, 3, groups=2),
        "head": nn.Linear(64, 5),
    }
)
your_table = spectra.table(yours)

# %% tags=["remove-input"]
shown = {
    "kind": "kind",
    "rows": "rows",
    "columns": "columns",
    "groups": "groups",
    "n_tail": "in the tail",
    "alpha": "$\\alpha$",
    "reason": "why not",
}
plotting.table(your_table[[*shown]].rename(columns=shown), digits=2)

# %% [markdown]
# The grouped convolution is judged, all its groups together; the head has too few eigenvalues, and an
# embedding is a table and not a map.
#
# ## Take-aways
#
# - Compare a spectrum with its own shuffle and with the Marchenko-Pastur law before you say anything
#   about its tail.
# - Networks of one recipe share their spectra: spikes, largest eigenvalues and exponents agree from
#   seed to seed far better than from one learning rate to another. That their bulks agree says
#   nothing, because those of shuffled weights agree as well.
# - An exponent needs its number of values, its threshold and its rivals beside it. Its standard error
#   assumes independent eigenvalues, and is no measure of how much it varies between networks.
#   Software matters: a limit of 3 on the exponent makes noise look well trained.
# - The exponent falls along a calm training. At a larger learning rate it is smaller still, although
#   the error is larger.
# - Alpha-hat depends on the logarithm and on the division so much that networks change their order.
# - Redrawn labels show in the scale of the spectra when all else is the same, and the relation vanishes
#   when networks of many settings are pooled. Networks that have not fitted their labels, like ours,
#   can't decide whether the measures rank good ones.
#
# ## Ledger

# %% tags=["remove-input"]
claims.table("05_heavy_tailed_spectra")

# %% [markdown]
# ## Exercises
#
# **1.** Derive {eq}`eq-alpha` and the standard error from {eq}`eq-power-law`.
#
# :::{admonition} Solution
# :class: dropdown
# The log-likelihood is $n_{\text{tail}} \log(\alpha - 1) - n_{\text{tail}} \log x_{\min} - \alpha \sum
# \log(x_i / x_{\min})$. Its derivative $n_{\text{tail}}/(\alpha - 1) - \sum \log(x_i/x_{\min})$ is zero
# at the estimate. The second derivative, $-n_{\text{tail}}/(\alpha-1)^2$, gives the standard error, for
# values that are independent.
# :::
#
# **2.** What does multiplying all weights of a layer by $c$ do to the exponent, to alpha-hat in each
# convention, and to the predictions of a network without biases?
#
# :::{admonition} Solution
# :class: dropdown
# The exponent stays, $\lambda_{\max}$ is multiplied by $c^2$, and so $\hat\alpha$ moves by
# $\alpha \log c^2 / L$, with the logarithm of the convention. The logits of a network of ReLUs without
# biases are multiplied by $c$, and the predicted classes stay. So a factor that changes no prediction
# changes alpha-hat, which a measure of generalisation should not do. With $c = 10$ in the first layer,
# alpha-hat rises by 2.09, as the formula says, and the accuracy stays.
# ```python
# scaled = models.clone(networks[0])
# scaled[1].weight.data *= 10
# for model in (networks[0], scaled):
#     print(spectra.alpha_hat(model), training.accuracy(model, images.test))
# print("expected difference:", fits[0].alpha * np.log10(10**2) / 3)
# ```
# :::
#
# **3.** Plant a heavy tail: a matrix of independent Student-t entries with 1.5 degrees of freedom. What
# is its exponent, with no training at all? What does a shuffle change? And with 3 degrees of freedom?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# for freedom in (1.5, 3):
#     w = np.random.default_rng(0).standard_t(freedom, size=(256, 512))
#     shuffled = np.random.default_rng(1).permutation(w.ravel()).reshape(w.shape)
#     for matrix in (w, shuffled):
#         found = spectra.fit_power_law(np.linalg.svd(matrix, compute_uv=False) ** 2 / 512)
#         print(freedom, found.alpha, found.n_tail)
# ```
# The largest entries make the largest eigenvalues, so entries with $\nu$ degrees of freedom give
# eigenvalues whose density has the exponent $1 + \nu/2$: 1.75 for 1.5 degrees of freedom, and the fit
# finds 1.79. A matrix of noise can thus be "over-trained" without any training. So is its shuffle, with
# 1.81, because the tail is in the entries and not in their order: a shuffle is a null for structure
# between entries only. With 3 degrees of freedom the same reasoning gives 2.5, but the fit finds 5.55.
# The entries then have a finite variance, most eigenvalues form a bulk, and the fit describes the edge of
# the bulk, because too few values lie in the tail.
# :::
#
# ## Further reading
#
# The theory: {cite:t}`martin2021`, and in newer form {cite:t}`martin2025setol`; the study across
# published models: {cite:t}`martin2021nature`; the paradox: {cite:t}`martin2021simpson`. Random matrix
# analysis with another conclusion: {cite:t}`thamm2022`. Exponents that depend on the aspect ratio:
# {cite:t}`hu2025farms`. Fitting power laws: {cite:t}`clauset2009`; the package: {cite:t}`alstott2014`.
# Convolutions: {cite:t}`sedghi2019`. Likelihood ratios: {cite:t}`vuong1989`.
