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
# # 5. Heavy-tailed spectra
#
# **The question.** What do the singular values of trained weights say about a network, with no
# data at all? And how far can that be trusted?
#
# **What you will be able to do.** Compute the spectrum of every layer of any PyTorch model; fit a
# power law to its tail, with error bars; compare it with noise; and test on an ensemble of networks
# whether a spectral measure ranks them by their error.
#
# **What you need.** Singular values, densities, maximum likelihood.
#
# **Time.** About 35 minutes to read. It runs in about three minutes on two CPU cores when the
# networks have to be trained; no GPU was at hand to measure one.
#
# The chapter follows the spectral analysis of DeepDataProfiler {cite:p}`deepdataprofiler2022`,
# which is built on the work of Martin and Mahoney {cite:p}`martin2021,martin2021nature`.

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display
from torch import nn

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

# %%
# One line a size: smoke, standard, full.
knobs = settings.pick(
    epochs=(5, 10, 10),
    images=(500, 5000, 20000),
    ensemble_widths=([48, 64], [64, 128, 256], [64, 128, 256, 512]),
    ensemble_epochs=(15, 15, 30),
    seeds=(1, 1, 4),
    draws=(40, 200, 1000),
    gaussians=(60, 200, 1000),
)

# %% [markdown]
# ## 5.1 The spectrum of a layer
#
# The network is that of chapter 3: two hidden layers, trained on gray images. For a weight matrix
# $W$ with larger side $N$ and smaller side $M$, take the $M$ eigenvalues $\lambda$ of
#
# $$X = \tfrac1N\, W^\top W ,\qquad Q = N / M \ge 1 .$$
#
# They are the squared singular values over $N$. If the entries of $W$ were independent with
# variance $\sigma^2$, the eigenvalues would fill the interval
# $\sigma^2 (1 \pm 1/\sqrt Q)^2$ with the density of Marchenko and Pastur {cite:p}`marchenko1967`.
# The source divides by the number of rows, whichever side that is; then the law fits only layers
# with more outputs than inputs.

# %%
images = data.images()
side = images.train.x.shape[-1]
make_mlp, recipe = zoo.gray_mlp(images), zoo.recipe(images)
(network,) = training.fit_ensemble(make_mlp, images.train, [0], **recipe)
layers = spectra.layer_spectra(network)

# %% tags=["remove-input"]
data.notice(images)

# %% [markdown]
# Shuffle the entries of each matrix: the same numbers, no structure. That is the null.

# %%
shuffled = models.clone(network)
generator = torch.Generator().manual_seed(0)
for i in models.weight_layers(shuffled):
    flat = shuffled[i].weight.flatten()
    order = torch.randperm(len(flat), generator=generator)
    shuffled[i].weight.data = flat[order].view_as(shuffled[i].weight)
nulls = spectra.layer_spectra(shuffled)

# %% mystnb={"image": {"alt": "Densities of eigenvalues of three layers on a log axis. The shuffled layer fills the Marchenko-Pastur law; the trained one has a bulk and eigenvalues far to its right."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
for ax, layer, null in zip(axes, layers, nulls, strict=False):
    bins = np.geomspace(
        max(layer.eigenvalues[-1], layer.eigenvalues[0] / 1e6),
        layer.eigenvalues[0],
        50,
    )
    for spectrum, label in [(layer, "trained"), (null, "shuffled")]:
        ax.hist(
            spectrum.eigenvalues,
            bins,
            density=True,
            histtype="step",
            lw=1.5,
            label=label,
        )
    variance = null.eigenvalues.mean()
    ax.plot(
        bins,
        random_matrices.marchenko_pastur_density(
            bins, null.aspect_ratio, variance
        ),
        "k--",
        lw=1,
        label="Marchenko-Pastur",
    )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="eigenvalue",
        title=f"{layer.shape[1]} to {layer.shape[0]}, Q = {layer.aspect_ratio:.3g}",
    )
axes[0].set(ylabel="density")
axes[0].legend()
plt.show()

# %%
claims.check("spectra_shuffled_spikes", spectra.spikes(nulls[0]), images.name)

# %% [markdown]
# ## 5.2 Fitting a power law
#
# The trained spectra have a tail. Say that above some $x_{\min}$ the density is
#
# $$p(x) = \frac{\alpha - 1}{x_{\min}} \left(\frac{x}{x_{\min}}\right)^{-\alpha} .$$
#
# For a given $x_{\min}$ and the $n$ values above it, the likelihood is greatest at
#
# $$\hat\alpha = 1 + n \Big/ \sum_i \log \frac{x_i}{x_{\min}} ,\qquad
# \text{with standard error } (\hat\alpha - 1) / \sqrt n .$$
#
# Each value is tried as $x_{\min}$; the one whose tail lies nearest to its law, by the
# Kolmogorov-Smirnov distance, is taken {cite:p}`clauset2009`. By hand first, on a planted tail:

# %%
planted = 1 + np.random.default_rng(0).pareto(2.5, 5000)  # density x^-3.5
by_hand = 1 + len(planted) / np.log(planted).sum()  # xmin = 1 is known here
fit = spectra.fit_power_law(planted)  # and here it is not
claims.check("spectra_pareto_alpha", fit.alpha, "synthetic")
claims.check("spectra_pareto_xmin", fit.xmin, "synthetic")

# %% tags=["hide-input"]
low, high = spectra.bootstrap_interval(planted, min(knobs.draws, 100))
display(
    Markdown(
        f"Planted 3.5. By hand, with the threshold known: {by_hand:.3f}. "
        f"Fitted: {fit.alpha:.5f} above {fit.xmin:.6f}, standard error {fit.stderr:.3f}; bootstrap "
        f"interval, the choice of the threshold included: {low:.2f} to {high:.2f}. "
        "The package powerlaw gives the same in version 1.5. Version 2.0 gives 2.99999 on this "
        "sample: it does not let alpha pass 3 unless it is told to."
    )
)

# %% [markdown]
# Now the layers. $p$ is the goodness of fit: the share of samples of the fitted law that lie
# farther from their own fit than the data. Small means that a power law does not describe it.

# %%
rows = {}
names = [f"{s.shape[1]} to {s.shape[0]}" for s in layers]
for name, layer in zip(names, layers, strict=True):
    values = layer.eigenvalues
    found = spectra.fit_power_law(values)
    low, high = spectra.bootstrap_interval(values, knobs.draws)
    rows[name] = {
        "n": found.n,
        "n_tail": found.n_tail,
        "alpha": found.alpha,
        "stderr": found.stderr,
        "low": low,
        "high": high,
        "p": spectra.goodness_of_fit(values, knobs.draws),
    }
pd.DataFrame(rows).T.round(3)

# %% mystnb={"image": {"alt": "Share of eigenvalues above each value, both axes logarithmic, for two layers, with the fitted line over the tail. The layers bend away from a straight line at both ends."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, name, layer in zip(axes, names, layers, strict=False):
    values = np.sort(layer.eigenvalues[layer.eigenvalues > 0])
    found = spectra.fit_power_law(values)
    above = 1 - np.arange(len(values)) / len(values)
    tail = values[values >= found.xmin]
    ax.loglog(values, above, ".", ms=4, label="eigenvalues")
    ax.loglog(
        tail,
        found.n_tail / found.n * (tail / found.xmin) ** (1 - found.alpha),
        color=plotting.COLORS[1],
        label=f"$\\alpha$ = {found.alpha:.2f} ± {found.stderr:.2f}",
    )
    ax.set(xlabel="eigenvalue", title=name)
    ax.legend(loc="lower left")
axes[0].set(ylabel="share at or above")
plt.show()

# %% [markdown]
# How much does the exponent owe to the threshold? Move it. On a planted power law the curve on the
# right is level, up to the noise of short tails. On a layer it is level over a stretch at most, and
# falls as more values are let in: if there is a power law, it holds for the largest values alone,
# and the rule of the smallest distance decides how many they are.

# %%
spectra.tail_slider(
    dict(zip(names[:2], (s.eigenvalues for s in layers), strict=False))
    | {"a planted power law": planted[:500]}
)

# %% [markdown]
# ## 5.3 From a number to a word
#
# DeepDataProfiler reads $\mu = 2(\alpha - 1)$: up to 4 a layer is "regularized", from 4 to 7
# "somewhat well regularized", and anything else "very likely not trained", NaN included.
# WeightWatcher reads $\alpha$ itself: below 2 over-trained, 2 to 6 well trained, above 6 not.
# The two disagree over wide ranges, and both give a word at any precision.

# %% mystnb={"image": {"alt": "Two bars over alpha from 1 to 8: DeepDataProfiler changes its word at 3 and 4.5, WeightWatcher at 2 and 6."}}
grid = np.linspace(1.001, 8, 1400)
words = ["over-trained", "well trained", "somewhat trained", "not trained"]
fig, ax = plt.subplots(figsize=(7.2, 1.9))
for y, convention in enumerate(["weightwatcher", "deepdataprofiler"]):
    word = np.array([spectra.phase(a, convention) for a in grid])
    for k, w in enumerate(words):
        if (inside := grid[word == w]).size:
            ax.barh(
                y,
                np.ptp(inside),
                left=inside[0],
                color=plotting.COLORS[k],
                height=0.7,
                label=w if y == 0 or k == 2 else None,
            )
ax.set(
    xlabel="$\\alpha$",
    yticks=[0, 1],
    yticklabels=["WeightWatcher", "DeepDataProfiler"],
)
ax.grid(False)
ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
plt.show()

# %% [markdown]
# How many eigenvalues does a word need? Draw from a law with $\alpha = 4$ exactly, fit, and look at
# the spread of the answers.

# %% mystnb={"image": {"alt": "Fitted alpha against sample size for a planted alpha of 4: with 10 values the middle 90 percent runs from about 3 to above 8; it narrows to 4 at a thousand."}}
sizes = [10, 20, 50, 100, 250, 500, 1000]
rng = np.random.default_rng(1)
spread = np.array(
    [
        [
            spectra.fit_power_law(1 + rng.pareto(3, n)).alpha
            for _ in range(knobs.draws)
        ]
        for n in sizes
    ]
)
low, middle, high = np.quantile(spread, [0.05, 0.5, 0.95], axis=1)
fig, ax = plt.subplots(figsize=(7.2, 3))
ax.fill_between(sizes, low, high, alpha=0.25, label="middle 90 %")
ax.plot(sizes, middle, "o-", label="median")
ax.axhline(4, color="black", ls="--", label="planted")
ax.set(
    xscale="log",
    xlabel="number of eigenvalues",
    ylabel="fitted $\\alpha$",
    ylim=(2, 14),
)
ax.legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"With {sizes[0]} values the middle 90 % of fits runs from {low[0]:.1f} to {high[0]:.1f}: every "
        f"word of either list. With {sizes[3]} it runs from {low[3]:.1f} to {high[3]:.1f}. The source "
        "fits layers of 6 to 10 eigenvalues. Here a fit needs 10 positive values to be made at all, "
        "and the comparisons below leave out layers with fewer than 40."
    )
)

# %% [markdown]
# ## 5.4 The capacity metric
#
# The tail and the size of the spectrum are put together in one number,
#
# $$\hat\alpha = \frac1L \sum_l \alpha_l \log \lambda_{\max, l} ,$$
#
# which is said to be small for networks that generalise well. Which logarithm, and which $\lambda$?
# Martin, Peng and Mahoney take $\log_{10}$ of the eigenvalues of $W^\top W$, not divided.
# DeepDataProfiler takes the natural logarithm, after dividing by the rows. Division moves most
# $\lambda_{\max}$ below 1, where the logarithm is negative: a larger $\alpha$ then makes the metric
# smaller, not larger.

# %%
conventions = ["weightwatcher", "log10", "deepdataprofiler"]
metric = {
    "at the start": {
        c: spectra.alpha_hat(training.start(make_mlp, 0), c, 40)
        for c in conventions
    },
    "trained": {c: spectra.alpha_hat(network, c, 40) for c in conventions},
}
pd.DataFrame(metric).round(2)

# %% [markdown]
# A check against the peer itself: DeepDataProfiler gives torchvision's untrained ResNet-18 a metric of
# -57.37, and the trained one -13.68. The trained weights need a download, and are tried at the
# `full` scale only.

# %%
from torchvision.models import ResNet18_Weights, resnet18

with torch.random.fork_rng():
    torch.manual_seed(0)
    resnet = resnet18()
claims.check(
    "spectra_resnet18_random",
    spectra.alpha_hat(resnet, "deepdataprofiler"),
    "synthetic",
)
spectra.table(resnet)[
    ["kind", "rows", "columns", "Q", "alpha", "stderr", "n_tail", "spikes"]
].head(6).round(2)

# %% tags=["hide-input"]
if settings.scale() == "full":
    try:
        trained = resnet18(weights=ResNet18_Weights.IMAGENET1K_V1)
    except OSError as error:
        display(Markdown(f"The trained weights can't be downloaded: {error}."))
    else:
        claims.check(
            "spectra_resnet18_trained",
            spectra.alpha_hat(trained, "deepdataprofiler"),
            "synthetic",
        )
else:
    display(Markdown("The trained ResNet-18 is not downloaded at this scale."))

# %% [markdown]
# ## 5.5 Along training
#
# One network, after each epoch. The source's claim is that $\alpha$ falls with the test error. Beside
# it, the same network with five times the learning rate, which stops improving early.


# %%
def along_training(lr):
    """Error, mean alpha and alpha-hat after each epoch; layers with 40 eigenvalues or more."""
    history = training.fit_history(
        make_mlp, images.train, 0, epochs=knobs.epochs, lr=lr
    )
    rows = []
    for model in history:
        found = spectra.table(model).query("n >= 40")
        rows.append(
            {
                "error": 1 - training.accuracy(model, images.test),
                "alpha": found.alpha.mean(),
                "alpha-hat": spectra.alpha_hat(model, "weightwatcher", 40),
                "spikes": found.spikes.sum(),
            }
        )
    return pd.DataFrame(rows)


courses = {lr: along_training(lr) for lr in (recipe["lr"], 5 * recipe["lr"])}

# %% mystnb={"image": {"alt": "Test error, alpha and alpha-hat against epochs for two learning rates. Alpha falls, faster at the larger rate; the error of the larger rate soon stops falling; alpha-hat rises."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.8))
for lr, course in courses.items():
    for ax, name in zip(axes, ["error", "alpha", "alpha-hat"], strict=True):
        ax.plot(course[name], "o-", ms=3, label=f"rate {lr:g}")
        ax.set(
            xlabel="epochs", title=f"test {name}" if name == "error" else name
        )
axes[0].legend()
plt.show()

# %%
trained_epochs = {lr: course.iloc[1:] for lr, course in courses.items()}
calm = trained_epochs[recipe["lr"]]
by_rate = pd.DataFrame(
    {
        f"rate {lr:g}": {
            name: spectra.rank_correlation(course[name], course.error)[0]
            for name in ["alpha", "alpha-hat", "spikes"]
        }
        for lr, course in trained_epochs.items()
    }
)
claims.check("spectra_epochs_alpha", by_rate.loc["alpha"].iloc[0], images.name)
claims.check(
    "spectra_epochs_alpha_hat", by_rate.loc["alpha-hat"].iloc[0], images.name
)
by_rate.round(2)

# %% tags=["hide-input"]
fast = trained_epochs[5 * recipe["lr"]]
display(
    Markdown(
        f"With the small rate, alpha goes from {calm.alpha.iloc[0]:.2f} to {calm.alpha.iloc[-1]:.2f} "
        f"while the error goes from {calm.error.iloc[0]:.3f} to {calm.error.iloc[-1]:.3f}, and their ranks "
        f"agree: {by_rate.loc['alpha'].iloc[0]:.2f}. But epochs in order are not independent, and anything that "
        "moves one way in training would do as well. With the large rate the error is least at epoch "
        f"{int(fast.error.idxmin())} of {knobs.epochs} and the rank correlation is "
        f"{by_rate.loc['alpha'].iloc[1]:.2f}. Alpha-hat, which should fall with the error, correlates with it by "
        f"{by_rate.loc['alpha-hat'].iloc[0]:.2f} and {by_rate.loc['alpha-hat'].iloc[1]:.2f}: the largest "
        "eigenvalue grows faster than alpha falls."
    )
)

# %% [markdown]
# ## 5.6 Across networks
#
# The promise that matters: given several trained networks and no data, tell which has the smaller
# test error. The ensemble varies the width, the depth, the share of wrong labels, the weight decay
# and the batch size.


# %%
def with_wrong_labels(split, share):
    """Draw the labels of a share of the images anew."""
    g = torch.Generator().manual_seed(0)
    wrong = torch.rand(len(split), generator=g) < share
    drawn = torch.randint(10, (len(split),), generator=g)
    return data.Split(split.x, torch.where(wrong, drawn, split.y))


few = images.train.first(knobs.images)
noisy = {share: with_wrong_labels(few, share) for share in (0, 0.3, 0.6)}
rows = []
choices = itertools.product(
    knobs.ensemble_widths, [1, 2], noisy, [0, 0.01], [32, 128]
)
for width, depth, share, decay, batch in choices:
    for model in training.fit_ensemble(
        lambda hidden=(width,) * depth: models.mlp([side * side, *hidden, 10]),
        noisy[share],
        range(knobs.seeds),
        epochs=knobs.ensemble_epochs,
        lr=0.03,
        batch_size=batch,
        weight_decay=decay,
        progress=False,
    ):
        found = spectra.table(model).query("n >= 40")
        rows.append(
            {
                "width": width,
                "depth": depth,
                "wrong labels": share,
                "weight decay": decay,
                "batch": batch,
                "error": 1 - training.accuracy(model, images.test),
                "largest": np.log10(found.lambda_max).mean(),
                "alpha": found.alpha.mean(),
                "alpha-hat": spectra.alpha_hat(model, "weightwatcher", 40),
                "spectral norm": np.log10(found.spectral_norm).mean(),
                "stable rank": found.stable_rank.mean(),
                "spikes": found.spikes.mean(),
            }
        )
ensemble = pd.DataFrame(rows)
len(ensemble)

# %% mystnb={"image": {"alt": "Test error against alpha and against alpha-hat for all networks, coloured by the share of wrong labels. Each share is a cloud; alpha does not order them."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, name in zip(axes, ["alpha", "alpha-hat"], strict=True):
    for share, group in ensemble.groupby("wrong labels"):
        ax.plot(
            group[name],
            group.error,
            "o",
            ms=4,
            label=f"{share:.0%} wrong labels",
        )
    ax.set(xlabel=f"mean {name}" if name == "alpha" else name)
axes[0].set(ylabel="test error")
axes[0].legend()
plt.show()

# %% [markdown]
# Spearman's rank correlation with the test error, with a bootstrap interval over networks: alone; with
# depth and the largest eigenvalue held fixed; and with width, depth and wrong labels held fixed.

# %%
measures = ["alpha", "alpha-hat", "spectral norm", "stable rank", "spikes"]
held_fixed = {
    "alone": [],
    "depth, largest eigenvalue fixed": ["depth", "largest"],
    "width, depth, wrong labels fixed": ["width", "depth", "wrong labels"],
}
verdict = {
    title: {
        name: spectra.rank_correlation(
            ensemble[name],
            ensemble.error,
            [ensemble[c] for c in controls],
            draws=5 * knobs.draws,
        )
        for name in measures
    }
    for title, controls in held_fixed.items()
}
alone = {name: value for name, (value, _, _) in verdict["alone"].items()}
strongest = max(alone, key=lambda name: abs(alone[name]))
claims.check("spectra_across_networks", abs(alone[strongest]), images.name)

# %% mystnb={"image": {"alt": "Rank correlations of five spectral measures with test error, three markers each with intervals. Alone, all intervals are near or across zero; with width, depth and wrong labels fixed, stable rank, spectral norm and alpha-hat stand out."}}
fig, ax = plt.subplots(figsize=(7.2, 3.4))
for k, (title, found) in enumerate(verdict.items()):
    value, low, high = np.array([found[name] for name in measures]).T
    ax.errorbar(
        value,
        np.arange(len(measures)) + 0.2 * (k - 1),
        xerr=np.clip([value - low, high - value], 0, None),
        fmt="o",
        ms=4,
        label=title,
    )
ax.axvline(0, color="black", lw=1)
ax.set(
    yticks=range(len(measures)),
    yticklabels=measures,
    xlim=(-1, 1),
    xlabel="rank correlation with test error",
)
ax.invert_yaxis()
ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
plt.show()

# %% tags=["hide-input"]
value, low, high = verdict["alone"]["alpha"]
hat, hat_low, hat_high = verdict["alone"]["alpha-hat"]
fixed = verdict["width, depth, wrong labels fixed"]
best = max(fixed, key=lambda name: abs(fixed[name][0]))
by_share = ", ".join(
    f"{spectra.rank_correlation(g.alpha, g.error)[0]:.2f} at {share:.0%}"
    for share, g in ensemble.groupby("wrong labels")
)
display(
    Markdown(
        f"Over {len(ensemble)} networks, alpha correlates with the error by {value:.2f} ({low:.2f} to {high:.2f}), "
        f"alpha-hat by {hat:.2f} ({hat_low:.2f} to {hat_high:.2f}); the strongest of the five is {strongest}, "
        f"{alone[strongest]:.2f}. **The promise does not hold here**: what moves the error most, the share of "
        "wrong labels, does not show in the spectra. Alpha within one share of wrong labels: "
        f"{by_share}. With width, depth and wrong labels held fixed, the strongest is {best} with "
        f"{fixed[best][0]:.2f} ({fixed[best][1]:.2f} to {fixed[best][2]:.2f})."
    )
)

# %% [markdown]
# The published successes compare architectures of one family, of several depths, trained with care on
# the same clean data. Ours are small, of one kind, and some are trained badly on purpose. The two are
# different tests, and the second is the one that a user without data would need.
#
# ## 5.7 What noise looks like
#
# A Gaussian matrix has no heavy tail. The fit does not know: it finds the steep upper edge of the
# Marchenko-Pastur law and gives it an exponent.

# %%
rng = np.random.default_rng(0)
matrices = rng.normal(size=(knobs.gaussians, 120, 400)) / 400**0.5
alphas = np.array(
    [
        spectra.fit_power_law(np.linalg.svd(w, compute_uv=False) ** 2).alpha
        for w in matrices
    ]
)
claims.check("spectra_gaussian_alpha", alphas.mean(), "synthetic")
claims.check("spectra_gaussian_above_4", (alphas > 4).mean(), "synthetic")

# %% mystnb={"image": {"alt": "Histogram of alpha of Gaussian matrices, from about 3.5 to 30, with a peak between 5 and 10; the limits 3 and 6 marked."}}
fig, ax = plt.subplots(figsize=(7.2, 2.8))
ax.hist(alphas, 40)
for limit, style in [(3, ":"), (6, "--")]:
    ax.axvline(limit, color="black", ls=style, label=f"$\\alpha$ = {limit}")
ax.set(xlabel="$\\alpha$ of a Gaussian matrix, 120 × 400", ylabel="matrices")
ax.legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"{len(alphas)} Gaussian matrices: alpha {alphas.mean():.1f} on average, from {alphas.min():.1f} to "
        f"{alphas.max():.1f}; {(alphas <= 6).mean():.0%} would be called well trained by the limit of 6. A fit "
        "with alpha limited to 3, as powerlaw 2.0 has it by default, calls all of them well trained."
    )
)

# %% [markdown]
# ## 5.8 Convolutions, three ways
#
# The weights of a convolution are an array (out, in, height, width). Which matrix is its spectrum
# that of? DeepDataProfiler **flattens** it to (out, in · height · width). WeightWatcher took it **slice
# by slice**, one (out, in) matrix a position. But the map of images that the layer is has a spectrum
# of its own: with periodic borders it is diagonal in frequency, one (out, in) matrix a frequency,
# and a fast Fourier transform gives all singular values exactly {cite:p}`sedghi2019`. (For stride 1;
# this network keeps every second output in each direction.)

# %%
cnn, _ = training.fit_ensemble(
    zoo.gray_cnn(images), images.train, [0, 1], **recipe
)
second = models.weight_layers(cnn)[1]
map_side = models.outputs(cnn, images.test.x[:1], [second - 1])[second - 1]
ways = spectra.convolution_spectra(cnn[second].weight, map_side.shape[-1])
pd.DataFrame(
    {
        name: {
            "values": len(v),
            "largest": v[0],
            "alpha": (f := spectra.fit_power_law(v)).alpha,
            "stderr": f.stderr,
            "n_tail": f.n_tail,
        }
        for name, v in ways.items()
    }
).T.round(3)

# %% mystnb={"image": {"alt": "Share of squared singular values above each value for one convolution, flattened, by slices and as an operator: three different curves."}}
fig, ax = plt.subplots(figsize=(7.2, 3))
for name, values in ways.items():
    ax.loglog(
        values[values > 0],
        np.arange(1, (values > 0).sum() + 1) / (values > 0).sum(),
        label=name,
    )
ax.set(xlabel="squared singular value", ylabel="share at or above", ylim=1e-3)
ax.legend()
plt.show()

# %% [markdown]
# Same weights, three spectra, three exponents. The norm of the layer as a map of images is the largest
# of the operator's; the flattened matrix does not bound it. The standard error of the operator's
# exponent is not to be believed: its values are a smooth function of the frequency, far from
# independent.
#
# ## 5.9 Beyond the source
#
# **Spikes.** Count the eigenvalues that noise of the bulk's variance would not have, with the margin
# of Tracy and Widom. Chapter 3 counts against the variance of the start, which here, with weights at
# hand and no start, is estimated from the median of the spectrum.

# %%
counts = pd.DataFrame(
    {
        name: {
            "spikes": spectra.spikes(layer),
            "above the noise of the start": int(
                (
                    layer.eigenvalues
                    > random_matrices.largest_noise_eigenvalue(
                        layer.shape, 1 / (3 * layer.shape[1])
                    )
                ).sum()
            ),
        }
        for name, layer in list(zip(names, layers, strict=True))[:2]
    }
).T
counts

# %% [markdown]
# **Rivals.** A tail that a power law fits, another law may fit as well. The ratio of likelihoods on the
# same tail is positive where the power law wins; $p$ is the chance of a ratio so far from zero if the
# two were equally good (Vuong's test; for the truncated power law, which contains the power law,
# Wilks's).

# %%
comparison = {}
for name, layer in list(zip(names, layers, strict=True))[:2]:
    found = spectra.fit_power_law(layer.eigenvalues)
    for rival in spectra.RIVALS:
        ratio = spectra.likelihood_ratio(layer.eigenvalues, found, rival)
        comparison[name, rival.replace("_", " ")] = {
            "log-likelihood ratio": ratio.ratio,
            "p": ratio.p,
        }
comparison = pd.DataFrame(comparison).T
comparison.round(3)

# %% tags=["hide-input"]
lost = [
    f"{rival} ({name})"
    for (name, rival), row in comparison.iterrows()
    if row["log-likelihood ratio"] < 0 and row.p < 0.05
]
display(
    Markdown(
        "Rivals that fit significantly better than the power law: "
        + (", ".join(lost) if lost else "none")
        + ". A heavy tail is one thing, a power law another; with a few hundred eigenvalues the two are hard "
        "to tell apart."
    )
)

# %% [markdown]
# **Your own model.** Any `torch.nn.Module`: `spectra.table(model)` is one row a layer, with the layers
# that can't be judged and why. From the command line, with no model code at all:
#
# ```bash
# python -m netdist_utils.spectra model.safetensors --csv
# ```

# %%
spectra.table(
    nn.ModuleDict(
        {
            "embed": nn.Embedding(100, 32),
            "mix": nn.Conv1d(32, 64, 3, groups=2),
            "head": nn.Linear(64, 5),
        }
    )
)[["kind", "rows", "columns", "groups", "alpha", "n_tail", "reason"]]

# %% [markdown]
# ## Take-aways
#
# - Compare a spectrum with its own shuffle and with the Marchenko-Pastur law before anything is said of
#   its tail.
# - An exponent without its standard error, its number of values and a goodness of fit is not a result.
#   Software matters: a limit of 3 on alpha makes noise look well trained.
# - Alpha falls along a calm training. It also falls when the error does not.
# - Alpha-hat depends on the logarithm and on the normalisation so much that its sign can change. Across
#   networks with wrong labels, no measure of the spectrum alone ranked them by error.
#
# ## Ledger

# %% tags=["hide-input"]
claims.table("05_heavy_tailed_spectra")

# %% [markdown]
# ## Exercises
#
# **1.** Derive $\hat\alpha = 1 + n / \sum \log(x_i/x_{\min})$ from the density of 5.2.
#
# :::{admonition} Solution
# :class: dropdown
# The log-likelihood is $n \log(\alpha - 1) - n \log x_{\min} - \alpha \sum \log(x_i / x_{\min})$. Its
# derivative $n/(\alpha - 1) - \sum \log(x_i/x_{\min})$ is zero at $\hat\alpha$; the second derivative,
# $-n/(\alpha-1)^2$, gives the standard error.
# :::
#
# **2.** What does multiplying all weights of a layer by $c$ do to alpha, to alpha-hat in each
# convention, and to the predictions of a network without biases?
#
# :::{admonition} Solution
# :class: dropdown
# Alpha does not change, $\lambda_{\max}$ is multiplied by $c^2$, so alpha-hat moves by
# $\alpha \log c^2 / L$; the predicted classes stay. A measure of generalisation that an irrelevant
# scale can move is in need of an argument.
# ```python
# scaled = models.clone(network)
# scaled[1].weight.data *= 10
# print([(spectra.alpha_hat(m), training.accuracy(m, images.test)) for m in (network, scaled)])
# ```
# :::
#
# **3.** Plant a heavy tail: a matrix of independent Student-t entries with 3 degrees of freedom. What is
# its alpha, with no training at all?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# w = np.random.default_rng(0).standard_t(3, size=(256, 512))
# print(spectra.fit_power_law(np.linalg.svd(w, compute_uv=False) ** 2 / 512))
# ```
# Entries with tail exponent 3 have eigenvalues with density exponent near $1 + 3/2$. A heavy-tailed
# start needs no training to be "well trained".
# :::
#
# ## Further reading
#
# The theory: {cite:t}`martin2021`; the study across published models: {cite:t}`martin2021nature`. Fitting
# power laws: {cite:t}`clauset2009`; the package: {cite:t}`alstott2014`. Convolutions:
# {cite:t}`sedghi2019`. Likelihood ratios: {cite:t}`vuong1989`.
