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
# **The question.** What do the {term}`singular values <singular value>` of trained weights say about a network, with no data
# at all, and how far can that be trusted? Do networks that start from different {term}`seeds <seed>` share them?
#
# **What you will be able to do.** Compute the {term}`spectrum` of every layer of any PyTorch model;
# tell what training has added to it from what noise would show; fit a {term}`power law` to its {term}`tail`
# and say what each error bar measures; and test on an {term}`ensemble` of networks whether a spectral
# measure ranks them by their error.
#
# **What you need.** Singular values, densities, {term}`maximum likelihood`. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows the spectral analysis of the program DeepDataProfiler
# {cite:p}`deepdataprofiler2022`, and compares it with WeightWatcher, the program of
# {cite:t}`martin2021nature`. Both rest on the theory of {cite:t}`martin2021`. Where DeepDataProfiler
# goes wrong, the text says so.

# %% tags=["hide-input"]
import dataclasses
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from scipy import stats
from torch import nn
from torchvision.models import ResNet18_Weights, resnet18

from netdist_course import quiz
from netdist_utils import (
    claims,
    data,
    models,
    plotting,
    random_matrices,
    settings,
    spectra,
    training,
    workers,
    zoo,
)
from netdist_utils.words import listed, number, percent

plotting.use_style()
C, LEVELS = plotting.COLORS, plotting.LEVELS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    networks=(4, 6, 8),
    epochs=(5, 10, 10),
    family_seeds=(4, 8, 8),
    fair_seeds=(2, 3, 8),
    orders=(100, 1000, 2000),
    draws=(40, 200, 1000),
    gaussians=(60, 200, 1000),
    layer_gaussians=(10, 60, 200),
    tested_gaussians=(5, 20, 100),
    nulls=(4, 16, 50),
    drawn=(4, 14, 40),
)

# %% tags=["remove-cell"]


def span(values, digits=2):
    """From the smallest to the largest, or the one value that all have."""
    low, high = (number(v, digits) for v in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


# %% [markdown]
# ## The spectrum of a layer
#
# The networks are those of {doc}`chapter 3 </notebooks/03_covariance_universality>`: two hidden
# layers without biases, trained on gray images. A weight matrix $W$ has a longer side $n$ and a
# shorter side $m$, and its {term}`aspect ratio` is $Q = n / m$. Its {term}`spectrum` consists of the $m$
# squared singular values of $W$ divided by $n$. If $W$ has more rows than
# columns, they are the {term}`eigenvalues <eigenvalue>` $\lambda$ of $W^\top W / n$; otherwise those
# of $W W^\top / n$. {py:func}`.spectra.layer_spectra` computes them for each layer of any model.
#
# If the entries of $W$ were independent with mean zero and standard deviation $\sigma$, the
# eigenvalues would fill the interval from $\sigma^2 (1 - 1/\sqrt Q)^2$ to $\sigma^2 (1 + 1/\sqrt Q)^2$
# with the density of the {term}`Marchenko-Pastur law` {cite:p}`marchenko1967`. DeepDataProfiler
# divides by the number of rows instead; with $Q$ as above, the law then holds only for layers that
# have at least as many outputs as inputs.

# %%
images = data.images()
make_mlp, recipe = zoo.gray_mlp(images), zoo.recipe(images)
seeds = range(knobs.networks)
networks = training.fit_ensemble(make_mlp, images.train, seeds, **recipe)
layers = spectra.layer_spectra(networks[0])
hidden = {"layer 1": layers[0], "layer 2": layers[1]}

# %% tags=["remove-input"]
data.notice(images)

# %% tags=["remove-input"]
sizes_text = [
    f"from {s.shape[1]:,} to {s.shape[0]:,} units" for s in hidden.values()
]
Markdown(
    f"We have {len(networks)} networks, which differ in their seeds alone. Their hidden layers go "
    f"{listed(sizes_text)}, and they were trained for {recipe['epochs']} epochs at a learning rate of "
    f"{recipe['lr']:g}. Single spectra are those of network 1."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="The spectrum of a layer needs no data, and noise has a sharp end." say="Write the shape of a layer on the board and let students compute the two ends. Then ask what an eigenvalue above the upper end could mean."
# $$\sigma^2 \left(1 - 1/\sqrt Q\right)^2 \le s^2 / n \le \sigma^2 \left(1 + 1/\sqrt Q\right)^2$$
#
# The squared singular values $s^2$ of large noise, of deviation $\sigma$, nearly fill this interval; $Q$ is the longer side $n$ over the shorter.

# %% [markdown]
# What would a layer show into which training has put no structure? The first {term}`null` is the same
# layer with its entries {term}`shuffled <shuffle>`: the same numbers in a random order.


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


nulls = spectra.layer_spectra(shuffle(networks[0], 0))[:2]

# %% [markdown]
# **Spikes.** How many eigenvalues has training put above the {term}`bulk`?
# {py:func}`.random_matrices.bulk_variance` finds the noise of the bulk: the variance whose
# Marchenko-Pastur law has the same median as the spectrum without its {term}`spikes <spike>`.
# {py:func}`.spectra.spikes` counts these: the eigenvalues above the value that the largest eigenvalue
# of such noise stays below with probability 0.99, by the {term}`Tracy-Widom law`
# ({numref}`fig-spectrum`).

# %%
variances = {
    name: {
        "the start": 1 / (3 * layer.shape[1]),  # PyTorch's
        "the bulk": random_matrices.bulk_variance(
            layer.eigenvalues, layer.aspect_ratio
        ),
    }
    for name, layer in hidden.items()
}
spikes = {name: spectra.spikes(layer) for name, layer in hidden.items()}

# %% tags=["remove-cell"]
ends = {
    name: {
        kind: random_matrices.largest_noise_eigenvalue(layer.shape, variance)
        for kind, variance in variances[name].items()
    }
    for name, layer in hidden.items()
}
titles = {
    name: f"{name}: {s.shape[1]:,} to {s.shape[0]:,}, Q = {s.aspect_ratio:.3g}"
    for name, s in hidden.items()
}

# %% tags=["hide-input"] slide="Training lifts spikes above a bulk that nearly follows the law of noise." say="The shuffled layer has the same numbers in a random order, and no spikes. Ask why it is wider: what training has added is still in its entries, now as noise." mystnb={"figure": {"name": "fig-spectrum", "caption": "Densities of the roots of the eigenvalues, that is, of the singular values over the root of n, for both hidden layers and the same layers shuffled, and the Marchenko-Pastur law of the bulk, for the dimensions that the spikes leave. The trained bulk nearly follows the law, and passes at its end into the spikes, marked by ticks. In the shuffled layer what training has added is noise, too, so it is wider."}, "image": {"alt": "Two panels of densities with one broad hump each. The blue steps of the trained layer lie along the dashed curve of the law; the gray steps of the shuffled layer are lower and end farther to the right. Blue ticks on the axis continue to the right far beyond both."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
for ax, (name, layer), null in zip(axes, hidden.items(), nulls, strict=True):
    bins = np.linspace(0, layer.eigenvalues[0] ** 0.5 * 1.02, 45)
    for of, color, label in [
        (null, C["null"], "shuffled"),
        (layer, C["matched"], "trained"),
    ]:
        style = {"color": color, "label": label, "lw": 1.5}
        ax.hist(
            of.eigenvalues**0.5, bins, density=True, histtype="step", **style
        )
    # The law of what the spikes leave: fewer rows and columns, less mass.
    n, m = max(layer.shape), min(layer.shape)
    rows, columns = n - spikes[name], m - spikes[name]
    x = np.linspace(0, ends[name]["the bulk"] ** 0.5, 400)
    law = random_matrices.marchenko_pastur_density(
        x**2, rows / columns, variances[name]["the bulk"] * rows / n
    )
    law *= 2 * x * columns / m
    ax.plot(x, law, "--", color=C["ink"], lw=1.5, label="Marchenko-Pastur")
    above = layer.eigenvalues[: spikes[name]] ** 0.5
    height = 0.07 * ax.get_ylim()[1]
    ax.vlines(above, 0, height, color=C["matched"], lw=1, label="spikes")
    ax.set(xlabel="root of the eigenvalue", title=titles[name])
axes[0].set(ylabel="density")
axes[1].legend()
plt.show()

# %% tags=["remove-input"]
wider = [
    (v["the bulk"] / v["the start"]) ** 0.5 - 1 for v in variances.values()
]
ratios = [
    layer.eigenvalues[0] / null.eigenvalues[0]
    for layer, null in zip(hidden.values(), nulls, strict=True)
]
Markdown(
    f"Training puts {spikes['layer 1']} eigenvalues of layer 1 and "
    f"{spikes['layer 2']} of layer 2 above the bulk. The bulk itself is wider than at the start, by "
    f"{percent(wider[0])} in layer 1 and {percent(wider[1])} in layer 2 (in the deviation of the entries). The shuffled "
    f"layers have {listed(spectra.spikes(s) for s in nulls)} spikes, and the trained layers' largest eigenvalues are "
    f"{listed(f'{r:.1f}' for r in ratios)} times theirs."
)

# %% [markdown]
# A shuffle is not always noise. Very large single entries make spikes wherever they stand; WeightWatcher
# calls the spikes of a shuffled layer {term}`correlation traps <correlation trap>`. Try entries from a law with a
# {term}`heavy tail`:

# %%
rng, entries = np.random.default_rng(0), []
for _ in range(5):
    w = rng.standard_t(3, size=(256, 512))  # three degrees of freedom
    entries.append([w, rng.permutation(w.ravel()).reshape(w.shape)])

# %% tags=["remove-input"]
traps = [
    [
        spectra.spikes(spectra.layer_spectra({"w": torch.tensor(w)})[0])
        for w in pair
    ]
    for pair in entries
]
Markdown(
    f"The {len(entries)} matrices have {listed(a for a, _ in traps)} spikes, and {listed(b for _, b in traps)} when "
    "they are shuffled. Our shuffled layers have none."
    if not sum(spectra.spikes(found) for found in nulls)
    else f"The {len(entries)} matrices have {listed(a for a, _ in traps)} spikes, and {listed(b for _, b in traps)} "
    "when they are shuffled."
)

# %% [markdown]
# ## Do networks share their spectra?
#
# Chapter 1 had to match {term}`units <unit>` before it could compare weights. A spectrum needs no matching, because
# the order of units does not change the singular values of $W$. (The scale of single units does, and can be
# changed without changing the function: {ref}`see the exercise <ex-spectra-scales>`.) So compare the spectra of networks
# from different seeds directly. Three comparisons say what the answer is worth: networks trained at five times the
# {term}`learning rate`, the shuffled networks, and a {term}`stronger null <noise with spikes>`, which has the bulk's variance and the spikes of
# network 1, but the spikes in random directions. Bulk and spikes then explain whatever such noise has, too.
# (The weakest spikes sink into the bulk when they are drawn again, so the noise has a few less.)

# %%
fast = recipe | {"lr": 5 * recipe["lr"]}
slow_name, fast_name = (f"rate {r['lr']:g}" for r in (recipe, fast))
groups = {
    slow_name: networks,
    fast_name: training.fit_ensemble(make_mlp, images.train, seeds, **fast),
    "shuffled": [shuffle(m, seed) for seed, m in enumerate(networks)],
}
eigenvalues = {
    group: {
        name: [spectra.layer_spectra(m)[k].eigenvalues for m in members]
        for k, name in enumerate(hidden)
    }
    for group, members in groups.items()
}


# %%
def noise_with_spikes(layer, seed, weak=0):
    """Eigenvalues of noise like a layer's bulk, with its spikes, and weak directions."""
    rng, (m, n) = np.random.default_rng(seed), sorted(layer.shape)
    variance = random_matrices.bulk_variance(layer.eigenvalues, n / m)
    seen = layer.eigenvalues[: spectra.spikes(layer)] / variance
    # Strength s is seen, in noise of variance 1, as (1 + s) (1 + m / (n s)).
    excess = seen - 1 - m / n
    strengths = (excess + np.sqrt(excess**2 - 4 * m / n)) / 2
    # Below the square root of m / n a strength moves no eigenvalue out of the bulk.
    unseen = np.full(weak * len(seen), 0.85 * np.sqrt(m / n))
    strengths = np.append(strengths, unseen)
    normals = (rng.normal(size=(side, len(strengths))) for side in (m, n))
    left, right = (np.linalg.qr(normal)[0] for normal in normals)
    w = rng.normal(size=(m, n)) + left * np.sqrt(n * strengths) @ right.T
    return variance * np.linalg.svd(w, compute_uv=False) ** 2 / n


null_name = "noise with spikes"
eigenvalues[null_name] = {
    name: [noise_with_spikes(layer, seed) for seed in range(knobs.nulls)]
    for name, layer in hidden.items()
}

# %% [markdown]
# {numref}`fig-seed-spectra` shows all four groups, and the table how much the eigenvalues of layer 1
# vary within each (standard deviation over mean).

# %% tags=["hide-input"] slide="Networks of one recipe have spikes of nearly the same number and strength; that their bulks agree is no finding." say="Ask which group is the strongest null. The noise with spikes was given the strengths of network 1 in random directions, and its lines vary about as much as those of the networks. At the right end even shuffled networks lie on one another." mystnb={"figure": {"name": "fig-seed-spectra", "caption": "Eigenvalues of both hidden layers, from the largest to the smallest, axes logarithmic, one line for each network or draw. The vertical line marks the last spike of network 1. The lines of one group lie on each other, those of the noise with spikes lie close to those of the networks whose spikes it has, a little below them where the spikes end, and the groups differ most at the left, where the spikes are."}, "image": {"alt": "Two panels of falling curves on logarithmic axes. The curves of the larger rate begin highest and the shuffled ones lowest; those of the smaller rate lie between them and nearly covered by those of the noise with spikes, which dip below them just right of the dotted line. A dotted vertical line crosses the curves of the smaller rate a little to the left of where they meet the shuffled ones."}}
palette = {
    slow_name: LEVELS[0],
    fast_name: LEVELS[2],
    "shuffled": C["null"],
    null_name: C["other"],
}
dashes = {slow_name: "-", fast_name: "-", "shuffled": "--", null_name: ":"}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3), sharey=True)
for ax, name in zip(axes, hidden, strict=True):
    for group, by_layer in eigenvalues.items():
        lines = np.array(by_layer[name][: knobs.networks]).T
        width = 2.5 if group == slow_name else 1.2
        drawn = ax.loglog(
            range(1, len(lines) + 1), lines, dashes[group], lw=width,
            color=palette[group],
        )  # fmt: skip
        drawn[0].set_label(group)
    ax.axvline(spikes[name] + 0.5, ls=":", lw=1, color=C["ink"])
    ax.set(xlabel="rank of the eigenvalue", title=titles[name])
largest_drawn = axes[0].get_ylim()[1]
axes[0].set(ylabel="eigenvalue", ylim=(largest_drawn / 1e3, largest_drawn))
fig.legend(
    *axes[0].get_legend_handles_labels(), ncols=4, loc="outside upper center"
)
plt.show()

# %% tags=["remove-cell"]
counts = {
    group: {
        name: [
            spectra.spikes(dataclasses.replace(hidden[name], eigenvalues=v))
            for v in found
        ]
        for name, found in by_layer.items()
    }
    for group, by_layer in eigenvalues.items()
}


def spread(group, name="layer 1"):
    """Relative standard deviations of the first eigenvalues and of the others."""
    values = np.array(eigenvalues[group][name])
    relative = values.std(0, ddof=1) / values.mean(0)
    first, others = np.split(relative, [max(1, spikes[name])])
    return first.mean(), others.mean()


largest = {
    group: np.mean([v[0] for v in by_layer["layer 1"]])
    for group, by_layer in eigenvalues.items()
}
claims.check(
    "spectra_spikes",
    np.mean(counts[slow_name]["layer 1"]),
    images.name,
    null=np.mean(counts["shuffled"]["layer 1"]),
    repeats=counts[slow_name]["layer 1"],
)


def distances(slow, fast, pair):
    """Between two rates and two seeds: first eigenvalues over the mean, in logarithms."""
    between, within = [], []
    for name in hidden:
        values = (np.array(group[name])[pair] for group in (slow, fast))
        a, b = (
            np.log(v / v.mean(1, keepdims=True))[:, : max(1, spikes[name])]
            for v in values
        )
        between.append(np.abs(a[:, None] - b).mean())
        within.append(np.abs([a[0] - a[1], b[0] - b[1]]).mean())
    return np.mean(between), np.mean(within)


pairs = [[k, k + 1] for k in range(0, knobs.networks - 1, 2)]
shuffled_fast = {
    name: [
        spectra.layer_spectra(shuffle(m, 100 + k))[i].eigenvalues
        for k, m in enumerate(groups[fast_name])
    ]
    for i, name in enumerate(hidden)
}
apart, apart_shuffled = (
    np.array([distances(*two, pair) for pair in pairs])
    for two in [
        (eigenvalues[slow_name], eigenvalues[fast_name]),
        (eigenvalues["shuffled"], shuffled_fast),
    ]
)
claims.check(
    "spectra_recipe",
    -np.diff(apart).mean(),
    images.name,
    null=-np.diff(apart_shuffled).mean(),
    repeats=-np.diff(apart)[:, 0],
)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            group: {
                "spikes of layer 1": span(counts[group]["layer 1"], 0),
                "of layer 2": span(counts[group]["layer 2"], 0),
                f"first {spikes['layer 1']} vary by": percent(
                    spread(group)[0], 1
                ),
                "others vary by": percent(spread(group)[1], 1),
            }
            for group, by_layer in eigenvalues.items()
        }
    ).T.rename_axis("group")
)

# %% tags=["remove-input"]
top = {group: percent(spread(group)[0], 1) for group in eigenvalues}
Markdown(
    "So networks of one recipe do share their spectra, spikes included, and what they share depends on the "
    f"recipe: at the larger rate the largest eigenvalue is {largest[fast_name] / largest[slow_name]:.1f} times "
    f"as large. Standard deviations of {knobs.networks} networks are rough (the noise with spikes has {knobs.nulls} "
    f"draws). Still, the spikes vary more than the first eigenvalues of the shuffle ({top[slow_name]} against "
    f"{top['shuffled']}), and "
    + (
        f"about as much as those of the noise with spikes ({top[null_name]}), of which the weakest sink into the "
        "bulk. The noise alone moves them by as much; the strengths of the spikes need not vary at all. "
        if spread(slow_name)[0] < 1.3 * spread(null_name)[0]
        else f"more than those of the noise with spikes ({top[null_name]}). "
    )
    + "That the others agree is no finding: large matrices of "
    "noise of one shape and variance all have nearly the same spectrum. On average over both layers, and each eigenvalue divided by the mean of its "
    "spectrum, the logarithm of an eigenvalue among the spikes differs by "
    f"{apart[:, 0].mean():.2f} between networks of the two rates and by {apart[:, 1].mean():.2f} between two seeds of one "
    f"rate. In the shuffled layers it differs by {apart_shuffled[:, 0].mean():.2f} and "
    f"{apart_shuffled[:, 1].mean():.2f}: the entries alone show the rate only weakly."
)

# %% [markdown]
# **And other settings?** A rate is one thing that can differ. {py:func}`.zoo.setting` defines one
# architecture with one hidden layer and trains it until it fits its labels; the section "Across
# networks" says more. Take several seeds of three of its {term}`settings <setting>`: the base, a fifth of the base's
# training images, and three times its rate. Divide each spectrum by its mean, and take logarithms, so that
# networks can't differ in the size of their weights alone. For each rank of the eigenvalue, the variance
# over all networks has a part *between* settings and a part *within* them, over seeds:


# %%
of_three = {}
for name in ("base", "few images", "large rate"):
    s = zoo.setting(images, **zoo.FAMILY[name])
    of_three[name] = training.fit_ensemble(
        s.make_model, s.train, range(knobs.family_seeds), **s.recipe
    )


def log_spectrum(model):
    """Logarithms of the eigenvalues of the hidden layer over their mean."""
    values = spectra.layer_spectra(model)[0].eigenvalues
    return np.log(values / values.mean())


def variances_of(values):
    """Variance within settings and between them; values (settings, seeds, ...)."""
    inside = values.var(1, ddof=1).mean(0)
    across = values.mean(1).var(0, ddof=1) - inside / values.shape[1]
    return inside, np.maximum(across, 0)


# %% tags=["hide-input"]
starts_of = [
    [
        training.start(s.make_model, 100 * k + seed)
        for seed in range(knobs.family_seeds)
    ]
    for k in range(len(of_three))
]
compared = {
    "trained": list(of_three.values()),
    "shuffled": [
        [shuffle(m, 100 * k + i) for i, m in enumerate(members)]
        for k, members in enumerate(of_three.values())
    ],
    "untrained": starts_of,
}
logs = {
    kind: np.array([[log_spectrum(m) for m in members] for members in groups_])
    for kind, groups_ in compared.items()
}  # each (settings, seeds, ranks)

# %% [markdown]
# {numref}`fig-settings-spectra` shows the spectra of all these networks, and of the same with their
# entries shuffled. The table after it has single numbers of each spectrum, the {term}`stable rank` among them.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-settings-spectra", "caption": "Eigenvalues of the hidden layer over their mean, against their rank, axes logarithmic, one line a network: several seeds of three settings, and untrained networks. Left: trained. The seeds of one setting lie on one another, and the settings part over most of the spectrum. Right: the same weights shuffled; all lines lie on one another."}, "image": {"alt": "Two panels of falling curves on logarithmic axes. On the left three thin bundles in three colours spread apart at both ends above and below a gray dashed bundle of untrained networks, which is the most level. On the right all the bundles lie on the gray one."}}
three_colors = LEVELS[0], C["other"], LEVELS[2]
colors_of = dict(zip(of_three, three_colors, strict=True))
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, kind in zip(axes, ["trained", "shuffled"], strict=True):
    curves = [
        *zip(colors_of, logs[kind], colors_of.values(), strict=True),
        ("untrained", logs["untrained"][0], C["null"]),
    ]
    for label, found, color in curves:
        dash = "--" if label == "untrained" else "-"
        ranks_of = range(1, found.shape[1] + 1)
        drawn = ax.loglog(ranks_of, np.exp(found.T), dash, lw=0.9, color=color)
        drawn[0].set_label(label)
    ax.set(xlabel="rank of the eigenvalue", title=kind)
axes[0].set(ylabel="eigenvalue over the mean", ylim=(0.02, None))
fig.legend(
    *axes[0].get_legend_handles_labels(), ncols=4, loc="outside upper center"
)
plt.show()

# %% tags=["remove-cell"]


def share_between(values):
    """Share of the variance that lies between settings, mean over ranks."""
    inside, across = variances_of(values)
    total = inside + across
    return np.mean(
        np.divide(across, total, out=np.zeros_like(total), where=total > 0)
    )


halves = [
    slice(None, knobs.family_seeds // 2),
    slice(knobs.family_seeds // 2, None),
]
claims.check(
    "spectra_settings",
    share_between(logs["trained"]),
    images.name,
    null=share_between(logs["shuffled"]),
    repeats=[share_between(logs["trained"][:, half]) for half in halves],
)
single = {
    kind: {
        name: np.array([[f(m) for m in members] for members in groups_])
        for name, f in {
            "exponent": lambda m: spectra.table(m).alpha.iloc[0],
            "$\\log_{10}$ of the largest eigenvalue": lambda m: np.log10(
                spectra.table(m).lambda_max.iloc[0]
            ),
            "stable rank": lambda m: spectra.table(m).stable_rank.iloc[0],
            "spikes": lambda m: spectra.table(m).spikes.iloc[0],
        }.items()
    }
    for kind, groups_ in compared.items()
    if kind != "untrained"
}

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            name: {
                setting: f"{number(v.mean())} ± {number(v.std(ddof=1))}"
                for setting, v in zip(of_three, found, strict=True)
            }
            | {
                "share between settings": number(share_between(found)),
                "the same, shuffled": number(
                    share_between(single["shuffled"][name])
                ),
            }
            for name, found in single["trained"].items()
        }
    ).T.rename_axis("measure, mean ± deviation over seeds")
)

# %% tags=["remove-input"]
between_within = {
    kind: [np.sqrt(v.mean()) for v in variances_of(found)]
    for kind, found in logs.items()
}
shares_ = {kind: share_between(found) for kind, found in logs.items()}
Markdown(
    f"On average over the ranks, {percent(shares_['trained'])} of the variance of the logarithms lies between settings; of the "
    f"shuffled networks it is {percent(shares_['shuffled'])}, and of three groups of untrained ones {percent(shares_['untrained'])}. "
    f"Two seeds of one setting differ little: the logarithms have a standard deviation of {between_within['trained'][0]:.3f} "
    f"({between_within['shuffled'][0]:.3f} when shuffled), settings one of {between_within['trained'][1]:.2f}. So the shape of the spectrum "
    "belongs to the setting and hardly to the seed. How large the share is depends on the settings, and these three "
    "were chosen far apart. Divided by its mean, a shuffled spectrum shows nothing of the setting; undivided, its "
    "largest eigenvalue does, since the settings differ in the size of their weights."
    + (
        " Of the single numbers the exponent tells the settings apart least surely: at the larger rate its threshold jumps from seed to seed."
        if share_between(single["trained"]["exponent"])
        == min(share_between(v) for v in single["trained"].values())
        else ""
    )
)

# %% [markdown]
# ## Fitting a power law
#
# A tail is {term}`heavy <heavy tail>` if it falls more slowly than any exponential. The common model
# is a {term}`power law`. Above some threshold $x_{\min}$, the density is
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
# and the {term}`standard error` of this estimate is $(\alpha - 1) / \sqrt{n_{\text{tail}}}$. (All
# logarithms of this chapter are natural, but for $\log_{10}$, the one to base ten.) Each value is tried as
# $x_{\min}$, and the one is taken whose tail lies nearest to its law by the
# {term}`Kolmogorov-Smirnov distance` {cite:p}`clauset2009`: the threshold is chosen to suit the power
# law. {py:func}`.spectra.fit_power_law` does this as version 1.5 of the package powerlaw
# {cite:p}`alstott2014` does, which takes the distance on one side only: it compares the law with the
# share of the tail below each value, and not also with the share at or below it. We try it first on a
# {term}`planted case`, by hand and with the function:

# %%
planted = 1 + np.random.default_rng(0).pareto(2.5, 5000)  # density x^-3.5
by_hand = 1 + len(planted) / np.log(planted).sum()  # the threshold is 1
fit = spectra.fit_power_law(planted)  # which is not known here

# %% tags=["remove-input"]
low, high = spectra.bootstrap_interval(planted, min(knobs.draws, 100))
Markdown(
    f"The planted exponent is 3.5. By hand, with the threshold known, the estimate is {by_hand:.3f}. "
    f"Fitted, it is {fit.alpha:.3f} above {fit.xmin:.3f}, with a standard error of {fit.stderr:.3f}. The "
    "bootstrap draws the sample again, with replacement, and chooses the threshold anew each time; its "
    f"95\u00a0% interval goes from {low:.2f} to {high:.2f}. The package powerlaw 1.5 gives the same exponent and "
    "threshold. Its version 2.0 gives 3.00, because it does not let the exponent pass 3 unless it is told to."
)

# %% [markdown]
# Now the layers. The {term}`goodness of fit` asks whether a power law describes the spectrum at all.
# Draw samples from the fitted law, fit each of them, and count those that lie at least as far from
# their own fit as the data from theirs. Their share is a {term}`p-value`; a small one rejects the
# power law.

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
        index=range(1, len(fits) + 1),
    ).rename_axis("layer"),
    digits=2,
)

# %% tags=["remove-cell"]
inside = {
    name: found.n_tail - spikes[name]
    for name, found in zip(hidden, fits, strict=False)
}
weight, without = {}, {}
for (name, layer), found in zip(hidden.items(), fits, strict=False):
    tail_logs = np.log(layer.eigenvalues[: found.n_tail] / found.xmin)
    weight[name] = tail_logs[: spikes[name]].sum() / tail_logs.sum()
    rest = max(tail_logs[spikes[name] :].sum(), 1e-9)
    without[name] = 1 + inside[name] / rest

# %% tags=["remove-input"]
rejected = [k + 1 for k, p in enumerate(p_values) if p < 0.05]
Markdown(
    f"At a level of 5\u00a0%, and with {draws} samples for each layer, the power law is "
    + (
        f"rejected for layer {listed(rejected)}. "
        if rejected
        else "rejected for no layer. "
    )
    + f"The last layer has only {fits[2].n} eigenvalues. Its exponent rests on {fits[2].n_tail} of them, and "
    f"by the bootstrap it may be anything from {intervals[2][0]:.2f} to {intervals[2][1]:.2f}; the layer is left "
    "out from here on."
)

# %% [markdown]
# {numref}`fig-tails` shows the fits, and where noise like the bulk would end.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-tails", "caption": "Share of the eigenvalues that are at or above each value, axes logarithmic, with the fitted power law over its tail, which begins at the cross. The dotted line is the end of noise of the bulk's variance. The tail begins inside the bulk. The dots follow the law up to the end of noise, and leave it among the spikes."}, "image": {"alt": "Two panels with a curve of dots that is level on the left and falls ever more steeply to the right. A straight line with a cross at its left end lies along its steep part. It begins to the left of a dotted vertical line. To the right of that line the dots bulge above the straight line; in the left panel they end below it."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, (name, layer), found in zip(axes, hidden.items(), fits, strict=False):
    x = np.sort(layer.eigenvalues[layer.eigenvalues > 0])
    above = 1 - np.arange(len(x)) / len(x)
    tail = x[x >= found.xmin]
    law = found.n_tail / found.n * (tail / found.xmin) ** (1 - found.alpha)
    ax.loglog(x, above, ".", ms=4, color=C["matched"], label="eigenvalues")
    label = f"power law, $\\alpha$ = {found.alpha:.2f}"
    ax.loglog(tail, law, color=C["ink"], lw=1.5, label=label)
    ax.plot(tail[0], law[0], "x", ms=8, mew=2, color=C["ink"])
    end = ends[name]["the bulk"]
    ax.axvline(end, ls=":", color=C["null"], label="end of noise")
    ax.set(xlabel="eigenvalue", title=titles[name], xlim=(x[-1] / 100, None))
    ax.legend(loc="lower left")
axes[0].set(ylabel="share at or above")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"Of the {fits[0].n_tail} values in the tail of layer 1, {inside['layer 1']} lie inside the bulk; of the "
    f"{fits[1].n_tail} of layer 2, {inside['layer 2']} do. By weight the spikes count for more. They make up "
    f"{listed(percent(w) for w in weight.values())} of the sum of logarithms that fixes the exponent. Without "
    f"them the same tails would have the exponents {listed(f'{a:.1f}' for a in without.values())}. So the "
    "exponent describes a mixture of the upper edge of the bulk, where the law fits, and the spikes, where it "
    "fits less well."
)

# %% [markdown]
# How much does the exponent owe to the threshold? Move it in {numref}`fig-tail-slider`; its right part
# is a {term}`Hill plot`. On a planted power law (500 of the values above) the curve is level, up to the
# noise of short tails. If a layer had a power-law tail, its curve would be level up to the largest
# values.

# %% tags=["hide-input"] slide="A power-law tail would be level up to its largest values; layer 1 is not." say="Write the exponent for a given threshold on the board, and ask who chooses the threshold: it is the one at which the power law looks best. Show the planted law first: its curve stays level, up to the noise of short tails. Then let students choose a threshold for layer 1. Layer 2 is about level, and so is noise with its spikes and weak directions." mystnb={"figure": {"name": "fig-tail-slider", "caption": "A figure with a handle: a sample with its threshold (left), and the exponent with one standard error against the number of values in the tail (right); more values mean a lower threshold. Choose a sample; drag the slider, or in either plot."}}
samples = {name: layer.eigenvalues for name, layer in hidden.items()}
samples["planted power law"] = planted[:500]
spectra.tail_slider(samples, {name: ends[name]["the bulk"] for name in hidden})

# %% tags=["remove-cell"]


def alpha_of_largest(sample, k):
    """Exponent of the k largest values."""
    largest_k = np.sort(sample)[-k:]
    return 1 + k / np.log(largest_k / largest_k[0]).sum()


in_tail = [k for k in (10, 20, 40, 120, 300) if k <= layers[0].eigenvalues.size]
swept = {
    name: listed(f"{alpha_of_largest(sample, k):.1f}" for k in in_tail)
    for name, sample in [("layer 1", values[0]), ("planted", planted[:500])]
}
# Where the curve of layer 1 stays within 0.2 of the chosen exponent.
curve = {k: alpha_of_largest(values[0], k) for k in range(5, fits[0].n + 1)}
level = [fits[0].n_tail, fits[0].n_tail]
while level[0] > 5 and abs(curve[level[0] - 1] - fits[0].alpha) < 0.2:
    level[0] -= 1
while level[1] < fits[0].n and abs(curve[level[1] + 1] - fits[0].alpha) < 0.2:
    level[1] += 1

# %% tags=["remove-input"]
Markdown(
    f"With the {listed(in_tail)} largest values, the exponent of layer 1 is {swept['layer 1']}; that of the "
    f"planted law is {swept['planted']}. The curve of the layer is level (within 0.2) from {level[0]} to "
    f"{level[1]} values, "
    + (
        "a stretch that includes the end of noise, "
        if level[0] <= spikes["layer 1"] <= level[1]
        else ""
    )
    + "and leaves that level when more of the bulk is let in"
    + (
        ", and for the largest values, which fall off faster than a power law."
        if curve[5] > fits[0].alpha + 0.2
        else "."
    )
)

# %% [markdown]
# ## What the error bars measure
#
# The standard error says how much $\alpha$ would vary for a given threshold if the eigenvalues were
# drawn again, each *independently* of the others. The {term}`bootstrap` adds the choice of the
# threshold; it and the p-value make the same assumption. But eigenvalues of one matrix are not
# independent: they repel each other ({term}`level repulsion`). A simple measure is the
# {term}`ratio of neighbouring spacings <spacing ratio>`, the smaller over the larger. Its mean is $2 \log 2 - 1 \approx 0.39$ for
# independent numbers, and larger for large random symmetric matrices, $W^\top W$ of real noise among
# them. {cite:t}`thamm2022` have found the laws of random matrices in most of the spectrum of trained
# layers.


# %%
def spacing_ratio(sample):
    """Mean ratio of neighbouring spacings, the smaller over the larger."""
    gaps = np.diff(np.sort(sample))
    pairs = np.stack([gaps[1:], gaps[:-1]])
    return np.mean(pairs.min(0) / pairs.max(0))


spacing = {
    group: np.mean(
        [spacing_ratio(v) for v in itertools.chain(*by_layer.values())]
    )
    for group, by_layer in eigenvalues.items()
}

# %% tags=["remove-input"]
Markdown(
    f"Over both hidden layers and all seeds, the mean ratio is {spacing[slow_name]:.2f} at the smaller rate, "
    f"{spacing[fast_name]:.2f} at the larger, and {spacing['shuffled']:.2f} for the shuffled layers; for the "
    f"independent draws of the planted law it is {spacing_ratio(planted):.2f}. So the eigenvalues repel each "
    "other, trained or not, which standard error, bootstrap interval and p-value do not know."
)

# %% [markdown]
# A comparison of networks needs another bar: how much $\alpha$ varies when the network is trained
# again from another seed. {numref}`fig-error-bars` shows both, and the exponents of the noise with
# spikes.

# %%
group_fits = {
    group: {
        name: [spectra.fit_power_law(v) for v in found]
        for name, found in by_layer.items()
    }
    for group, by_layer in eigenvalues.items()
}
alphas = {
    group: {k: np.array([f.alpha for f in found]) for k, found in by.items()}
    for group, by in group_fits.items()
}

# %% tags=["remove-cell"]


def bar_ratios(group, rng=None):
    """Deviation of the exponents over seeds over their mean standard error, for each layer."""
    ratios = []
    for found in group_fits[group].values():
        values = np.array([f.alpha for f in found])
        if rng is not None:  # independent draws from each fitted law instead
            drawn = [1 + rng.pareto(f.alpha - 1, f.n_tail) for f in found]
            values = np.array([1 + len(x) / np.log(x).sum() for x in drawn])
        bar = np.mean([f.stderr for f in found])
        ratios.append(values.std(ddof=1) / bar)
    return ratios


rng = np.random.default_rng(0)
bars = [r for g in (slow_name, fast_name) for r in bar_ratios(g)]
bars_drawn = [r for g in (slow_name, fast_name) for r in bar_ratios(g, rng)]
claims.check(
    "spectra_error_bar",
    np.mean(bars),
    images.name,
    null=np.mean(bars_drawn),
    repeats=bars,
)
fast_hidden = {
    name: dataclasses.replace(
        layer, eigenvalues=eigenvalues[fast_name][name][0]
    )
    for name, layer in hidden.items()
}
fast_nulls, fast_weak, weak = (
    {
        name: [noise_with_spikes(layer, k, more) for k in range(knobs.nulls)]
        for name, layer in of_layers.items()
    }
    for of_layers, more in [(fast_hidden, 0), (fast_hidden, 1), (hidden, 1)]
)


lawful = []  # matrices whose rows have scales from a power law, and so such a tail
m, n = sorted(hidden["layer 1"].shape)
for k in range(knobs.nulls):
    rng = np.random.default_rng(k)
    w = rng.normal(size=(m, n))
    w *= np.sqrt(1 + rng.pareto(fits[0].alpha - 1, m))[:, None]
    lawful.append(np.linalg.svd(w, compute_uv=False) ** 2 / n)
lawful_fits = [spectra.fit_power_law(v) for v in lawful]


def off(noise_spectra_of):
    """How far each network's exponent is from that of a noise, over both layers."""
    return np.mean(
        [
            np.abs(
                alphas[slow_name][name]
                - np.mean([spectra.fit_power_law(v).alpha for v in found])
            )
            for name, found in noise_spectra_of.items()
        ],
        axis=0,
    )


own_off, other_off = off(eigenvalues[null_name]), off(fast_nulls)
claims.check(
    "spectra_noise_with_spikes",
    own_off.mean(),
    images.name,
    null=other_off.mean(),
    repeats=own_off,
)

# %% tags=["hide-input"] slide="The standard error is no measure of how much the exponent varies between networks." say="The bars assume eigenvalues that are drawn again, each on its own. The dots are seeds. Point at the row of noise with spikes: bulk and spikes alone have nearly the exponent of the networks." mystnb={"figure": {"name": "fig-error-bars", "caption": "Exponents of both hidden layers, one dot for each seed, with bars of one standard error. Trained networks of one rate agree far more closely than their bars say, and noise with the spikes of network 1 has nearly their exponent."}, "image": {"alt": "Two panels with three rows of dots each: networks of the smaller rate, noise with their spikes, and networks of the larger rate, which lie farther to the left. In each row the dots lie nearly above one another, and their bars are far wider than their distances. The row of the noise stands close to that of the smaller rate."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.6), sharex=True, sharey=True)
rows = [slow_name, null_name, fast_name]
offsets = np.linspace(-0.25, 0.25, knobs.networks)
for ax, name in zip(axes, hidden, strict=True):
    for row, group in enumerate(rows):
        found = group_fits[group][name][: knobs.networks]
        ax.errorbar(
            [f.alpha for f in found], row + offsets,
            xerr=[f.stderr for f in found], fmt="o", ms=3, color=palette[group],
        )  # fmt: skip
    ax.set(xlabel="exponent $\\alpha$", title=titles[name])
axes[0].set_yticks(range(len(rows)), rows)
axes[0].invert_yaxis()
plt.show()

# %% tags=["remove-input"]
one, two = ({g: a[name] for g, a in alphas.items()} for name in hidden)
stated = {
    g: np.mean([f.stderr for f in by["layer 1"]])
    for g, by in group_fits.items()
}
gap = abs(one[slow_name].mean() - one[fast_name].mean())
Markdown(
    f"At the smaller rate the exponents of layer 1 are {listed(f'{a:.2f}' for a in one[slow_name])}. Their "
    f"standard deviation over seeds is {one[slow_name].std(ddof=1):.3f}; the mean standard error is "
    f"{stated[slow_name]:.2f}. For the shuffled layers it is {one['shuffled'].std(ddof=1):.1f} over seeds, "
    f"against a mean standard error of {stated['shuffled']:.1f}. Over both rates and layers the deviation is "
    f"{np.mean(bars):.2f} standard errors, where independent draws from the fitted laws give {np.mean(bars_drawn):.2f}. So the "
    f"bar is no measure of how much the exponent varies between networks. Repulsion alone is not the reason. We gave the rows of "
    f"{knobs.nulls} matrices of noise scales from a power law with the exponent of layer 1. Their spectra have such a tail and repel as "
    f"much (ratio {np.mean([spacing_ratio(v) for v in lawful]):.2f}), but their exponents, {np.mean([f.alpha for f in lawful_fits]):.2f} on "
    f"average, have a standard deviation of {np.std([f.alpha for f in lawful_fits], ddof=1):.2f} at a mean standard "
    f"error of {np.mean([f.stderr for f in lawful_fits]):.2f}. Networks differ less because their bulks and spikes hardly differ."
)

# %% tags=["remove-input"]
Markdown(
    f"In layer 1 the two rates differ by {gap:.2f}: the exponent is a reproducible property of a recipe. Does noise with spikes have "
    f"the same exponent? Over {knobs.nulls} draws its mean is {one[null_name].mean():.2f} in layer 1, with a standard deviation of "
    f"{one[null_name].std(ddof=1):.2f}: that of the networks. In layer 2 it is {two[null_name].mean():.2f} with {two[null_name].std(ddof=1):.2f}, where "
    f"the networks have {listed(f'{a:.2f}' for a in two[slow_name])}. Over both layers the networks lie "
    f"{own_off.mean():.2f} from this noise, and {other_off.mean():.2f} from noise with the bulk and the spikes of the larger "
    "rate. So the variance of the bulk and the strengths of the spikes fix the exponent but for a few hundredths."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: which exponent does a matrix of pure noise get?" say="Let everyone vote by hand before the next slide, and write the counts on the board. Ask one student of each group for a reason."
# - None: noise has no tail, so the fit fails.
# - Always a large one: its end is sharp, so the tail is thin.
# - Always a small one: with few values, anything looks heavy.
# - A small one or a large one: it changes from draw to draw.

# %% [markdown]
# ## What noise looks like
#
# A Gaussian matrix has no heavy tail. The fit does not know: it finds the steep upper edge of the
# Marchenko-Pastur law and gives it an exponent. {numref}`fig-noise` shows these exponents for the
# shapes of our two layers, and for 120 × 400, the shape of a layer of the LeNet, a small network that
# DeepDataProfiler publishes as it was after each of ten {term}`epochs <epoch>`. Its singular values come with this
# book: {py:func}`.spectra.published`.


# %%
def noise_spectra(shape, draws):
    """Squared singular values of Gaussian matrices."""
    rng = np.random.default_rng(0)
    matrices = (rng.normal(size=shape) for _ in range(draws))
    return [np.linalg.svd(w, compute_uv=False) ** 2 for w in matrices]


noise = noise_spectra((120, 400), knobs.gaussians)
noise_fits = [spectra.fit_power_law(v) for v in noise]
noise_alphas = {"120 × 400": np.array([f.alpha for f in noise_fits])}
for name, layer in hidden.items():
    drawn = noise_spectra(layer.shape, knobs.layer_gaussians)
    noise_alphas[name] = [spectra.fit_power_law(v).alpha for v in drawn]
some = noise[: knobs.tested_gaussians]
p_noise = [spectra.goodness_of_fit(v, draws) for v in some]

# %% tags=["remove-cell"]
p_of = {
    group: {
        name: [spectra.goodness_of_fit(v, draws) for v in found]
        for name, found in eigenvalues[group].items()
    }
    for group in (slow_name, null_name)
}
distance_of = {
    name: [f.ks for f in found]
    for name, found in [
        ("the networks", group_fits[slow_name]["layer 1"]),
        ("this noise", group_fits[null_name]["layer 1"]),
        ("weak", [spectra.fit_power_law(v) for v in weak["layer 1"]]),
        ("lawful", lawful_fits),
    ]
}
lawful_p = [spectra.goodness_of_fit(v, draws) for v in lawful[: knobs.networks]]
alphas_120 = noise_alphas["120 × 400"]


def called_well(exponents):
    """Share of exponents that WeightWatcher's limits call well trained."""
    words = [spectra.phase(a, "weightwatcher") for a in exponents]
    return np.mean([word == "well trained" for word in words])


rng = np.random.default_rng(0)
planted_120 = [
    spectra.fit_power_law(1 + rng.pareto(np.median(alphas_120) - 1, 120)).alpha
    for _ in alphas_120
]
short_tails = [  # as many values as in the tails of noise, the threshold known
    1
    + f.n_tail / np.log1p(rng.pareto(np.median(alphas_120) - 1, f.n_tail)).sum()
    for f in noise_fits
    for _ in range(10)
]
claims.check(
    "spectra_noise_called_well",
    called_well(alphas_120),
    "synthetic",
    null=called_well(short_tails),
    repeats=[called_well(part) for part in np.array_split(alphas_120, 4)],
)


def noise_below(members):
    """Share of noise of a layer's shape with a smaller exponent, mean over layers."""
    return [
        np.mean(
            [
                np.mean(
                    np.array(noise_alphas[name])
                    < spectra.fit_power_law(layer.eigenvalues).alpha
                )
                for name, layer in zip(
                    hidden, spectra.layer_spectra(m), strict=False
                )
            ]
        )
        for m in members
    ]


untrained = [training.start(make_mlp, 100 + seed) for seed in seeds]
below_trained, below_untrained = noise_below(networks), noise_below(untrained)
claims.check(
    "spectra_below_noise",
    np.mean(below_trained),
    images.name,
    null=np.mean(below_untrained),
    repeats=below_trained,
)

# %% tags=["remove-cell"]
published = spectra.published()
lenet = [published[f"lenet_epoch_{k}"]["fc1"] for k in range(10)]
lenet_alphas = [spectra.fit_power_law(s.eigenvalues).alpha for s in lenet]
claims.check(
    "spectra_lenet_fall", lenet_alphas[0] - lenet_alphas[-1], "synthetic"
)

# %% tags=["hide-input"] slide="Noise has no heavy tail, and it gets an exponent; small matrices of it often get a good word." say="Come back to the vote. The fit finds the steep edge of the noise, and its exponent changes from draw to draw, and with the shape: of the largest matrices few get a good word. The trained layers lie to the left of the noise of their own shape: training has changed the spectrum." mystnb={"figure": {"name": "fig-noise", "caption": "Exponents fitted to Gaussian matrices of three shapes (gray, one dot for each matrix), and those of trained layers in the rows of their shapes, on a logarithmic axis: the LeNet after each of ten epochs, and our networks at two rates. The dashed lines are the limits of WeightWatcher's words. Many Gaussian matrices lie where it calls a layer well trained."}, "image": {"alt": "Three rows of gray dots that spread over most of the logarithmic axis. In the rows of our two layers, coloured dots of trained networks lie to the left of the gray ones, in layer 2 close to them. In the row of the LeNet a chain of dots runs from among the gray ones to the left of them. Two dashed vertical lines divide the axis into over-trained, well trained and not well trained; the right one passes through the gray dots."}}
rows = {"120 × 400": alphas_120} | {
    f"{name}, {s.shape[0]:,} × {s.shape[1]:,}": noise_alphas[name]
    for name, s in hidden.items()
}
frame = pd.DataFrame(
    [(row, a) for row, found in rows.items() for a in found],
    columns=["matrix", "alpha"],
)
fig, ax = plt.subplots(figsize=(7.2, 3.1))
dots = {"color": C["null"], "size": 3, "alpha": 0.6}
sns.stripplot(frame, x="alpha", y="matrix", jitter=0.3, ax=ax, **dots)
for group in (slow_name, fast_name):
    for k, name in enumerate(hidden):
        x = alphas[group][name]
        label = f"trained, {group}" if k == 0 else None
        style = {"color": palette[group], "label": label, "zorder": 3}
        ax.plot(x, 0 * x + k + 1, "o", **style)
style = {"color": C["other"], "label": "LeNet, by epoch", "zorder": 3}
ax.plot(lenet_alphas, [0] * 10, "o-", ms=4, lw=1, **style)
for limit in (2, 6):
    ax.axvline(limit, color=C["ink"], ls="--", lw=1)
ax.set(xscale="log", xlabel="exponent $\\alpha$", ylabel="")
ax.set(xlim=(1.3, None))
ax.set_xticks([2, 4, 6, 10, 20, 40], [2, 4, 6, 10, 20, 40])
ax.minorticks_off()
words = [
    (1.6, "over-\ntrained"),
    (3.46, "well\ntrained"),
    (18, "not well\ntrained"),
]
for x, word in words:
    place = {"transform": ax.get_xaxis_transform(), "va": "bottom"}
    ax.text(x, 1.01, word, ha="center", fontsize=9, **place)
ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.13), ncols=3)
plt.show()

# %% tags=["remove-input"]
noise_text = " and ".join(
    f"from {min(noise_alphas[name]):.1f} to {max(noise_alphas[name]):.1f} for {name}"
    for name in hidden
)
below = all(
    alphas[group][name].max() < min(noise_alphas[name])
    for group in (slow_name, fast_name)
    for name in hidden
)
Markdown(
    f"The {len(alphas_120)} Gaussian matrices of 120 × 400 have an exponent of {alphas_120.mean():.1f} on "
    f"average, from {alphas_120.min():.1f} to {alphas_120.max():.1f}, and WeightWatcher's limits would call "
    f"{percent(called_well(alphas_120))} of them well trained. At the shapes of our layers it is {listed(percent(called_well(noise_alphas[n])) for n in hidden)}. "
    "Few values explain a part of the first number: of as many samples of 120 values from a "
    f"power law, with the median of these exponents, they would call {percent(called_well(planted_120), 1)} so; of samples with as many values as the "
    f"tails of noise have (a median of {np.median([f.n_tail for f in noise_fits]):.0f}), and the threshold known, {percent(called_well(short_tails))}. With the "
    "exponent limited to 3, as powerlaw 2.0 has it, all the matrices would be well trained. "
    f"In {knobs.layer_gaussians} draws, noise of the shapes of our layers gives exponents "
    f"{noise_text}. "
    + (
        "The trained layers lie below all of it: training has changed the spectrum. "
        if below
        else "Some trained layers lie among it. "
    )
    + "The layer of the LeNet leaves the noise of its shape behind in the course of training: "
    f"{percent(np.mean(alphas_120 < lenet_alphas[0]))} of the {len(alphas_120)} matrices lie below its first exponent, and "
    f"{percent(np.mean(alphas_120 < lenet_alphas[-1]))} below its last. "
    + f"Untrained networks lie in the middle of the noise of their shapes: {percent(np.mean(below_untrained))} of it has a smaller exponent."
)

# %% tags=["remove-input"]
p_slow, p_null = p_of.values()
null_rejected = sum(p < 0.05 for found in p_null.values() for p in found)
Markdown(
    f"Does the goodness of fit tell noise from a power law? It rejects {sum(p < 0.05 for p in p_noise)} of "
    f"{len(p_noise)} Gaussian matrices at a level of 5\u00a0%, and of {2 * knobs.nulls} draws of noise with the spikes of the smaller rate "
    f"{null_rejected or 'none'}: their p-values go from {span(p_null['layer 1'])} for layer 1 and from "
    f"{span(p_null['layer 2'])} for layer 2. So a p-value that does not reject is no evidence for a power law. "
    f"The trained networks have {span(p_slow['layer 1'])} and {span(p_slow['layer 2'])}, "
    + (
        "which is higher still. "
        if all(min(p_slow[name]) > max(p_null[name]) for name in hidden)
        else "not all of them higher. "
    )
    + "Compare the distances themselves with those of matrices. Layer 1 lies at "
    f"{span(distance_of['the networks'], 3)} from its law, noise with its spikes at {span(distance_of['this noise'], 3)}, "
    f"and the matrices with a true power law, whose p-values are {span(lawful_p)}, at {span(distance_of['lawful'], 3)}. "
    "Does it take a power law to come so near? There is a simpler account. Training may have added directions that are too "
    "weak to move an eigenvalue out of the bulk, and this noise lacks them. Give it as many directions again as "
    "it has spikes, each with 85\u00a0% of the strength at which it would show. Then it lies at "
    f"{span(distance_of['weak'], 3)}. "
    + (
        "So this distance can't tell layer 1 from a matrix that has the law, nor from a bulk with spikes and weak directions."
        if abs(
            np.mean(distance_of["weak"]) - np.mean(distance_of["the networks"])
        )
        < abs(
            np.mean(distance_of["this noise"])
            - np.mean(distance_of["the networks"])
        )
        / 2
        else "So weak directions do not explain how near layer 1 lies to its law."
    )
)

# %% [markdown]
# **Shape.** So the exponent depends on the shape of the matrix even where nothing has been learned. Which
# layer then has the heavier tail, 1 or 2? {cite:t}`hu2025farms` compare layers by submatrices of one aspect
# ratio. We go a step further and take one shape: cut submatrices of the shape of layer 2 out of layer 1 at
# random, fit each, and average.


# %%
def cut(weight, shape, seed):
    """A submatrix of random rows and columns."""
    rng = np.random.default_rng(seed)
    rows, columns = map(rng.permutation, weight.shape)
    return weight[np.ix_(rows[: shape[0]], columns[: shape[1]])]


small = hidden["layer 2"].shape
cut_spectra = [
    [
        np.linalg.svd(cut(m[1].weight.cpu().numpy(), small, k), compute_uv=0)
        ** 2
        for k in range(10)
    ]
    for m in networks
]
cut_alphas = np.array(
    [np.mean([spectra.fit_power_law(v).alpha for v in c]) for c in cut_spectra]
)

# %% tags=["remove-cell"]
whole_gaps = alphas[slow_name]["layer 1"] - alphas[slow_name]["layer 2"]
cut_gaps = cut_alphas - alphas[slow_name]["layer 2"]
cut_spikes = [
    spectra.spikes(
        dataclasses.replace(hidden["layer 2"], eigenvalues=v / max(small))
    )
    for v in itertools.chain(*cut_spectra)
]
claims.check(
    "spectra_shape",
    cut_gaps.mean(),
    images.name,
    null=whole_gaps.mean(),
    repeats=cut_gaps,
)

# %% tags=["remove-input"]
Markdown(
    f"Whole, layer 1 has the exponent {number(alphas[slow_name]['layer 1'].mean())} and layer 2 "
    f"{number(alphas[slow_name]['layer 2'].mean())}, on average over the {len(networks)} networks. At the shape of layer 2, "
    f"layer 1 has {number(cut_alphas.mean())}: the difference goes from {number(whole_gaps.mean())} to "
    f"{number(cut_gaps.mean())}"
    + (
        ", and the order of the layers is reversed. That is a matter of size: a submatrix has a part of the strength of each spike and all of "
        f"the noise of its entries, so fewer spikes stand above it ({np.mean(cut_spikes):.0f}, where the whole layer 1 has "
        f"{spikes['layer 1']} and layer 2 {spikes['layer 2']}). Neither order is the right one."
        if whole_gaps.mean() < 0 < cut_gaps.mean()
        else "."
    )
)

# %% [markdown]
# ## Other laws for the same tail
#
# A tail that a power law fits, another law may fit as well. The logarithm of the
# {term}`likelihood ratio` of two laws on the same tail is positive where the power law fits better,
# and negative where the other does. Its p-value is the chance of a ratio at least so far from zero if
# the two were equally good: by the {term}`Vuong test` {cite:p}`vuong1989`, and for the
# {term}`truncated power law`, which contains the power law, by the {term}`Wilks test`.
# {py:func}`.spectra.likelihood_ratio` computes both. The power law is the truncated one with a rate of zero, the
# smallest that is allowed. At such an edge Wilks's law is not exact: it makes the p-value too large, by a factor of
# about 2 in large samples. These p-values, too, assume independent values;
# and the threshold was chosen to suit the power law.

# %%
rivals = {}
for (name, layer), found in zip(hidden.items(), fits, strict=False):
    for rival in spectra.RIVALS:
        rivals[name, rival.replace("_", " ")] = spectra.likelihood_ratio(
            layer.eigenvalues, found, rival
        )

# %% tags=["remove-cell"]
words = {
    "exponential": "exponential",
    "lognormal": "log-normal",
    "truncated power law": "truncated power law",
}
# Where the best log-normal law is the power law, its limit, there is nothing to test.
limits = [
    name
    for (name, rival), r in rivals.items()
    if rival == "lognormal" and abs(r.ratio) < 1e-3
]
tests = {
    key: r
    for key, r in rivals.items()
    if not (key[1] == "lognormal" and key[0] in limits)
}
spikes_alone = {}
for (name, layer), found in zip(hidden.items(), fits, strict=False):
    if (k := spikes[name]) >= 10:
        of_spikes = dataclasses.replace(
            found,
            alpha=alpha_of_largest(layer.eigenvalues, k),
            xmin=layer.eigenvalues[k - 1],
            n_tail=k,
        )
        spikes_alone[name] = spectra.likelihood_ratio(
            layer.eigenvalues, of_spikes, "exponential"
        )


def said(keys, more):
    """Rivals by layer, with the number that matters."""
    return listed(
        f"the {words[rival].removesuffix(' law')} law on {name} ({more(tests[name, rival])})"
        for name, rival in keys
    )


# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "log-likelihood ratio": [
                number(r.ratio, 1 if abs(r.ratio) >= 0.05 else 0)
                for r in rivals.values()
            ],
            "p-value": [
                f"{r.p:.3f}" if key in tests else None
                for key, r in rivals.items()
            ],
        },
        index=[f"{name}, {words[rival]}" for name, rival in rivals],
    ).rename_axis("layer and rival"),
    digits=2,
)

# %% tags=["remove-input"]
decided = [key for key, r in tests.items() if r.p < 0.05]
undecided = [key for key in tests if key not in decided]
halved = {
    name: r.p / 2 for (name, rival), r in tests.items() if "trunc" in rival
}
at_edge = [
    name
    for name, p in halved.items()
    if p < 0.05 <= tests[name, "truncated power law"].p
]
Markdown(
    (
        f"Of {len(tests)} comparisons, {len(decided)} "
        + ("is" if len(decided) == 1 else "are")
        + " decided at a level of 5\u00a0%: "
        + said(
            decided,
            lambda r: (
                f"p-value {r.p:.3f}, {'worse' if r.ratio > 0 else 'better'} than the power law"
            ),
        )
        + ". That is not corrected for the number of comparisons. "
        if decided
        else f"None of {len(tests)} comparisons is decided at a level of 5\u00a0%. "
    )
    + (
        f"On {listed(limits)} the best log-normal law is the power law itself, its limit, so there is nothing to "
        "test. "
        if limits
        else ""
    )
    + (
        "Not rejected are "
        + listed(
            f"the {words[rival].removesuffix(' law')} law on {name}"
            for name, rival in undecided
        )
        + ". "
        if undecided
        else ""
    )
    + "Halved, for the edge, the p-value of the truncated power law is "
    + listed(f"{p:.3f} on {name}" for name, p in halved.items())
    + (
        f": so corrected, it fits better than the power law on {listed(at_edge)}. "
        if at_edge
        else ". "
    )
    + "An exponential tail is not heavy. "
    + (
        "On the spikes alone, fitted from the smallest of them, the ratio to the exponential law is "
        + listed(
            f"{number(r.ratio, 1)} (p-value {r.p:.3f}) on {name}"
            for name, r in spikes_alone.items()
        )
        + ": there the power law has no advantage left."
        if spikes_alone and max(r.ratio for r in spikes_alone.values()) < 1
        else ""
    )
)

# %% tags=["remove-cell"]
few = [k for k in (10, 20, 40) if k <= values[1].size]
hill_2 = [alpha_of_largest(values[1], k) for k in few]
hill_2_weak = [
    np.mean([alpha_of_largest(v, k) for v in weak["layer 2"]]) for k in few
]

# %% tags=["remove-input"]
Markdown(
    "**So is there a power law?** For it speaks that the test rejects no trained layer, that layer 1 lies as near to its "
    f"law as a matrix that has one, and that layer 2, with its {listed(few)} largest values, has exponents of "
    f"{listed(hill_2, lambda a: number(a, 1))}{', which is about level' if np.ptp(hill_2) < 0.6 else ''}. But all of that a bulk with spikes and weak directions does as well (layer "
    f"2: {listed(hill_2_weak, lambda a: number(a, 1))}, on average), and against it speak the largest eigenvalues of layer 1, which "
    "fall off faster, and the spikes alone, on which an exponential law does as well or better. So no power law is "
    "needed here, and none is excluded."
)

# %% [markdown]
# {cite:t}`thamm2022` conclude from larger networks that the tail of trained spectra is in general no power law.

# %% tags=["remove-cell"]
fast_null_p, fast_weak_p, fast_p = (
    [spectra.goodness_of_fit(v, draws) for v in found["layer 1"]]
    for found in (fast_nulls, fast_weak, eigenvalues[fast_name])
)
own_distance = np.array(distance_of["the networks"])
claims.check(
    "spectra_distance_from_law",
    abs(np.mean(distance_of["weak"]) - own_distance.mean()),
    images.name,
    null=abs(np.mean(distance_of["this noise"]) - own_distance.mean()),
    repeats=np.abs(np.mean(distance_of["weak"]) - own_distance),
)
claims.check(
    "spectra_fast_power_law",
    np.mean(fast_weak_p),
    images.name,
    null=np.mean(fast_null_p),
    repeats=fast_weak_p,
)

# %% tags=["remove-input"]
fast_rejected, weak_rejected = (
    sum(p < 0.05 for p in found) for found in (fast_null_p, fast_weak_p)
)
Markdown(
    f"At the larger rate the test rejects {fast_rejected} of {knobs.nulls} draws of noise with the bulk and spikes of layer 1 of network 1, "
    f"but none of the {len(fast_p)} trained layers (p-values {span(fast_p)}). With as many weak directions added, it rejects "
    f"{weak_rejected or 'none'} of {knobs.nulls} draws (p-values {span(fast_weak_p)}, still lower than those of the layers). So there, too, most of what seems to speak for a power law "
    "is what this noise lacked."
    if fast_rejected > knobs.nulls / 2 and min(fast_p) >= 0.05
    else "At the larger rate, the p-values of noise with the bulk and spikes of layer 1 of network 1 go from "
    f"{span(fast_null_p)}, those of noise with weak directions from {span(fast_weak_p)}, and those of the trained layers from {span(fast_p)}."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="A power law is not excluded, and neither is a bulk with spikes and weak directions." say="A weak direction is one that training may have added and that moves no eigenvalue out of the bulk. Each null was built after a finding had survived the one before. Ask what a matrix would have to show before they say power law. On the digits there is nothing to explain: noise with the spikes alone is not rejected at either rate."
# - Smaller rate: the test rejects neither the layers nor noise with their spikes; layer 1 lies nearer to its law than that noise.
# - Larger rate: it rejects noise with the spikes, and not the layers.
# - With weak directions added, noise passes at both rates, and at the smaller rate it lies as near.
# - The largest eigenvalues of layer 1 fall off faster than a power law.

# %% [markdown]
# **Which phase?** {cite:t}`martin2021` sort spectra into five phases and one more: *random-like*, which
# follows the Marchenko-Pastur law; *bleeding-out*, where its upper edge is smeared; *bulk plus spikes*; *bulk-decay*, where
# the bulk as a whole departs from the law; *heavy-tailed*, without a bulk; and *{term}`rank-collapse <rank>`*, with many
# eigenvalues at zero. The table has the largest gap between the distribution of the bulk and that of its law.

# %% tags=["hide-input"]


def bulk_gap(layer):
    """Largest distance of the bulk from its Marchenko-Pastur law, in shares."""
    count, (m, n) = spectra.spikes(layer), sorted(layer.shape)
    rows, columns = n - count, m - count
    variance = random_matrices.bulk_variance(layer.eigenvalues, n / m)
    law = rows / columns, variance * rows / n
    x = np.linspace(*random_matrices.marchenko_pastur_edges(*law), 2001)
    share = random_matrices.marchenko_pastur_density(x, *law).cumsum()
    bulk = np.sort(layer.eigenvalues[count:])
    below = np.interp(bulk, x, share / share[-1])
    return np.abs(below - (np.arange(columns) + 0.5) / columns).max()


def noise_gap(layer, weak):
    """The same of noise with the layer's bulk and spikes, on average."""
    drawn = [noise_with_spikes(layer, k, weak) for k in range(4)]
    return np.mean(
        [bulk_gap(dataclasses.replace(layer, eigenvalues=v)) for v in drawn]
    )


firsts = {
    "layer 1, at the start": training.start(make_mlp, 0),
    f"layer 1, {slow_name}": networks[0],
    f"layer 1, {fast_name}": groups[fast_name][0],
}
firsts = {row: spectra.layer_spectra(m)[0] for row, m in firsts.items()}
firsts["LeNet, last epoch"] = lenet[-1]
gaps = {
    row: (bulk_gap(x), noise_gap(x, 0), noise_gap(x, 1))
    for row, x in firsts.items()
}

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            row: {
                "spikes": spectra.spikes(firsts[row]),
                "bulk from its law": f"{found:.3f}",
                "noise with its spikes": f"{of_noise:.3f}",
                "and weak directions": f"{of_weak:.3f}",
            }
            for row, (found, of_noise, of_weak) in gaps.items()
        }
    ).T.rename_axis("layer")
)

# %% tags=["remove-input"]
_, *trained_gaps = gaps.values()
Markdown(
    "At the start the layer is random-like. "
    + (
        "The bulks of the trained layers lie farther from the law than noise with their spikes does, which might be "
        "called bulk-decay. But weak directions widen the bulk, too: "
        if all(a > b for a, b, _ in trained_gaps)
        else "With weak directions the gaps are larger: "
    )
    + f"they bring the noise to {listed((w for *_, w in trained_gaps), lambda g: number(g, 3))}, where the layers have "
    f"{listed((a for a, *_ in trained_gaps), lambda g: number(g, 3))}. So we call these layers bulk plus spikes, and leave open "
    "how much of the rest is bulk-decay. "
    + "The placing is ours; the theory gives no limits for its words."
)

# %% [markdown]
# ## Where does the tail come from?
#
# From the data, from the task, or from many noisy steps? The components of a {term}`singular vector` of noise
# are like independent normal numbers, the {term}`Porter-Thomas law`; {cite:t}`thamm2022` found that trained
# layers depart from it at the largest singular values: there they have learned. Each row of a gradient
# of layer 1 is a sum of images, with a factor for each. So the right singular vectors of the spikes may be
# directions in which the images vary much.


# %%
def singular_vectors(weight):
    left, _, right = np.linalg.svd(weight, full_matrices=False)
    return left.T, right


def deviates(vectors):
    """Which of these unit vectors have no normal components, at a level of 5 %."""
    k = np.arange(n := vectors.shape[1])
    law = stats.norm.cdf(np.sort(vectors) * np.sqrt(n))
    distance = np.maximum(law - k / n, (k + 1) / n - law).max(1)
    return distance > stats.kstwobign.isf(0.05) / np.sqrt(n)


inputs = images.train.x.flatten(1).double()
strengths, directions = torch.linalg.eigh(torch.cov(inputs.T))
floor = 1e-6 * strengths[-1]  # a pixel that never changes stays as it is
whitener = directions / strengths.clamp(min=floor).sqrt() @ directions.T
white = ((inputs - inputs.mean(0)) @ whitener).float().view_as(images.train.x)

# %% [markdown]
# Now change one thing at a time: train on labels in a random order, and on *white* images, to which
# {term}`whitening` gives the same variance in all directions. Two more changes of layer 1 need no training: a
# single step of {term}`gradient descent`, and a matrix drawn at random, whose rows have the {term}`covariance` of the
# images and no other structure. A change that is too short does not show, because noise hides each
# direction whose {term}`strength` lies below the {term}`BBP threshold` {cite:p}`baik2005`. So all are brought to the
# length of the first.

# %%
labels = images.train.y
order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
versions = {
    "true labels": images.train,
    "random labels": data.Split(images.train.x, labels[order]),
    "white images": data.Split(white, labels),
}


def layer_one(model):
    return model[1].weight.detach().cpu().double().numpy()


def gradient():
    """Of layer 1 at the start, over many images."""
    model, some = training.start(make_mlp, 0), images.train.first(10_000)
    weight = model[1].weight.requires_grad_(True)
    loss = nn.functional.cross_entropy(model(some.x), some.y)
    return torch.autograd.grad(loss, weight)[0].double().numpy()


begun = layer_one(training.start(make_mlp, 0))


def retrain(split):
    """Network 1 at both rates, on these images and labels."""
    return [
        training.fit_ensemble(make_mlp, split, [0], **options)[0]
        for options in (recipe, fast)
    ]


jobs = [(split,) for split in versions.values()]
found = workers.each(retrain, jobs, all_cores=True)
retrained = dict(zip(versions, found, strict=True))
changes = {  # two lists, one for each rate
    version: [[layer_one(m) - begun] for m in found]
    for version, found in retrained.items()
}
changes["one step"] = [[-gradient()]] * 2
root = (directions * strengths.clamp(min=0).sqrt()).T.numpy()
changes["drawn at random"] = [
    [
        np.random.default_rng(k).normal(size=begun.shape) @ root
        for k in range(knobs.drawn)
    ]
] * 2

# %% tags=["remove-cell"]
principal = directions.flip(1).numpy()  # columns, the strongest first
as_many = max(1, spikes["layer 1"])


def judged(weight):
    """Spikes, exponent, and share of the leading right vectors in the first directions."""
    (layer,) = spectra.layer_spectra({"w": torch.tensor(weight)})
    leading = singular_vectors(weight)[1][:as_many]
    energy = (leading @ principal) ** 2
    return (
        spectra.spikes(layer),
        spectra.fit_power_law(layer.eigenvalues).alpha,
        energy.sum(0).cumsum() / as_many,
    )


own, equal, own_length = {}, {}, {}
for version, by_rate_of in changes.items():
    own[version], equal[version], own_length[version] = [], [], []
    for (true,), found in zip(changes["true labels"], by_rate_of, strict=True):
        lengths = [np.linalg.norm(change) for change in found]
        own_length[version].append(lengths[0] / np.linalg.norm(begun))
        own[version].append(judged(begun + found[0]))
        to = np.linalg.norm(true)
        equal[version].append(
            [
                judged(begun + change * to / length)
                for change, length in zip(found, lengths, strict=True)
            ]
        )
middle = {  # (2 rates,), medians
    name: np.array([np.median([x[1] for x in found]) for found in by])
    for name, by in equal.items()
}
overlaps = {
    name: [np.mean([x[2][as_many - 1] for x in found]) for found in by]
    for name, by in equal.items()
}
drawn_gap, white_gap = (
    np.abs(middle[name] - middle["drawn at random"])
    for name in ("true labels", "white images")
)
claims.check(
    "spectra_tail_of_images",
    drawn_gap.mean(),
    images.name,
    null=white_gap.min(),
    repeats=drawn_gap,
)
claims.check(
    "spectra_overlap_with_images",
    np.mean(overlaps["true labels"]),
    images.name,
    null=np.mean(overlaps["white images"]),
    repeats=overlaps["true labels"],
)
vector_tests = {
    kind: np.mean(
        [[deviates(v) for v in singular_vectors(layer_one(m))] for m in found],
        axis=0,
    )
    for kind, found in [("trained", networks), ("shuffled", groups["shuffled"])]
}  # (2 sides, ranks), shares of the networks
of_spikes = [
    deviates(singular_vectors(layer_one(m))[0])[:as_many].mean()
    for m in networks
]
beyond = vector_tests["trained"][:, 2 * as_many :].mean(1)
claims.check(
    "spectra_porter_thomas",
    np.mean(of_spikes),
    images.name,
    null=beyond[0],
    repeats=of_spikes,
)

# %% [markdown]
# {numref}`fig-layer-directions` shows which singular vectors of layer 1 depart from the Porter-Thomas law, and
# where the leading ones lie among the images' {term}`principal directions <principal direction>`.

# %% tags=["hide-input"] slide="About half of the leading directions of layer 1 lie where images vary most, with random labels nearly as much." say="Left: which singular vectors are not like those of noise; the left ones of the spikes are not, and beyond the spikes nearly all are. Right: the dotted line is the most that so many directions can reach. The curves are at equal length, which is the point: random labels move the weights less. In the very first directions the true labels lie far below the ceiling. This is CIFAR-10; on the digits it does not hold." mystnb={"figure": {"name": "fig-layer-directions", "caption": "Layer 1. Left: share of the singular vectors whose components are not like normal numbers, by rank in groups, over all networks; the dotted line marks the last spike of network 1, the dashed one the level of the test. Right: share of the leading right vectors that lies in the first principal directions of the images, at the smaller rate and at equal length; the dotted line is the most that orthogonal vectors can have there."}, "image": {"alt": "Two panels with logarithmic horizontal axes. Left: two curves of the trained layers fall from high values to the dashed line at the bottom, that of the right vectors with a second, lower peak on the way; a gray curve of shuffled layers stays there. Right: curves rise from zero to one, below a dotted ceiling, those of true and random labels early and near each other, that of white images late, near the dashed curve of chance."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
ranks = np.arange(vector_tests["trained"].shape[1])
bands = np.unique(np.geomspace(1, len(ranks) + 1, 10).astype(int)) - 1
middles = [(a + b + 1) / 2 for a, b in itertools.pairwise(bands)]
for kind, side, label, color, marker in [
    ("trained", 0, "left, trained", C["inside"], "o"),
    ("trained", 1, "right, trained", C["outside"], "s"),
    ("shuffled", 0, "left, shuffled", C["null"], "^"),
]:
    shown = [
        vector_tests[kind][side, a:b].mean()
        for a, b in itertools.pairwise(bands)
    ]
    axes[0].plot(middles, shown, f"{marker}-", ms=4, color=color, label=label)
axes[0].axvline(as_many + 0.5, 0, 0.6, ls=":", lw=1, color=C["ink"])
axes[0].axhline(0.05, ls="--", lw=1, color=C["ink"])
axes[0].set(xscale="log", xlabel="rank of the singular value")
axes[0].set(ylabel="share that deviates", title="singular vectors")
pcs = np.arange(1, len(principal) + 1)
for version, color, line in [
    ("true labels", C["matched"], "-"),
    ("random labels", C["unmatched"], "-"),
    ("white images", C["other"], "-"),
]:
    curve_of = equal[version][0][0][2]  # at the smaller rate
    axes[1].plot(pcs, curve_of, line, lw=1.8, color=color, label=version)
axes[1].plot(pcs, pcs / len(pcs), "--", lw=1, color=C["null"], label="chance")
most_possible = np.minimum(1, pcs / as_many)
axes[1].plot(pcs, most_possible, ":", lw=1.2, color=C["ink"], label="ceiling")
axes[1].set(xscale="log", xlabel="principal directions of the images")
axes[1].set(ylabel="share of the leading vectors", title="right vectors")
for ax in axes:
    ax.xaxis.set_major_formatter("{x:g}")
    ax.legend()
plt.show()

# %% tags=["remove-input"]
tail_rows = {}
for version in changes:
    free = version in versions
    count = [np.median([x[0] for x in found]) for found in equal[version]]
    tail_rows[version] = {
        "length": listed(own_length[version], number) if free else None,
        "spikes": listed(x[0] for x in own[version]) if free else None,
        "$\\alpha$": listed(
            (x[1] for x in own[version]), lambda a: number(a, 1)
        )
        if free
        else None,
        "equal length: spikes": listed(f"{c:.0f}" for c in count),
        "equal length: $\\alpha$": listed(
            middle[version], lambda a: number(a, 1)
        ),
        "overlap": listed(overlaps[version], number),
    }
plotting.table(pd.DataFrame(tail_rows).T.rename_axis("change of layer 1"))

# %% tags=["remove-input"]
first_share = {version: equal[version][0][0][2][0] for version in versions}
accuracies = [
    training.accuracy(retrained[v][0], versions[v])
    for v in ("true labels", "white images")
]
like = [
    name
    for name in ("random labels", "one step", "drawn at random")
    if all(
        abs(middle[name] - middle["true labels"])
        < abs(middle["white images"] - middle["true labels"]) / 4
    )
]
Markdown(
    f"Of the left vectors of the spikes {percent(np.mean(of_spikes))} deviate from the Porter-Thomas law, and of the right ones "
    f"{percent(vector_tests['trained'][1, :as_many].mean())}; beyond twice as many ranks it is {percent(beyond[0])} and {percent(beyond[1])}, "
    f"and of shuffled layers {percent(vector_tests['shuffled'][0].mean())} and {percent(vector_tests['shuffled'][1].mean())}. The table has both rates, the smaller first. Lengths are over the "
    f"norm of the start, and the overlap is the share of the {as_many} leading right vectors that lies in as many principal "
    f"directions of the images ({percent(as_many / len(principal))} by chance). At the smaller rate, the very first direction of the images holds "
    f"{percent(first_share['true labels'], 1)} of these vectors for true labels and {percent(first_share['random labels'], 1)} for random ones, of "
    f"{percent(1 / as_many, 1)} that it can hold. Of the {knobs.drawn} matrices drawn it has medians. "
    f"At their own length random labels leave {listed(x[0] for x in own['random labels'])} spikes, where the true ones leave "
    f"{listed(x[0] for x in own['true labels'])}, so the tail seems to come from the task. But their change is shorter. "
    f"**At equal length** random labels give exponents of {listed(middle['random labels'], number)}, one step "
    f"{listed(middle['one step'], number)} and the random matrices {listed(middle['drawn at random'], number)}, where the true "
    f"labels give {listed(middle['true labels'], number)}. White images give {listed(middle['white images'], number)}, although "
    f"at the smaller rate the network classifies {percent(accuracies[1])} of them correctly, and {percent(accuracies[0])} of the "
    "images as they are. "
    + (
        "**So a change with the images' covariance is enough for an exponent near this one.** It needs no right labels, no noise of "
        "many steps, and no training at all, only a length at which it shows; the labels decide how far the weights go. "
        "The spikes are another matter: random labels give as many as the true ones, one step and the random matrices fewer."
        "  An exponent sums up bulk and spikes, and different spikes can have nearly the same sum."
        if len(like) == 3
        else "So these changes do not all have the same tail."
    )
)

# %% [markdown]
# This is about *layer 1*, from one start, and about CIFAR-10. On the digits, whose labels the network fits, it
# comes out otherwise: there the tail survives white images, and so does the {term}`overlap` with the images' directions. The inputs of layer 2 are {term}`activations <activation>`, which are not white even
# if the images are.

# %% [markdown]
# ## From a number to a word
#
# Both programs turn an exponent into a word. DeepDataProfiler does so by limits of 4 and 7 for
# $2(\alpha - 1)$, and gives its last word to a missing number as well.
#
# | exponent $\alpha$ | WeightWatcher | DeepDataProfiler |
# |---|---|---|
# | up to 2 | {term}`over-trained` | regularized |
# | 2 to 3 | well trained | regularized |
# | 3 to 4.5 | well trained | somewhat well regularized |
# | 4.5 to 6 | well trained | very likely not trained |
# | above 6 | not well trained | very likely not trained |
#
# {py:func}`.spectra.phase` gives these words, those of DeepDataProfiler in our translation (well
# trained, somewhat trained, not trained). Neither program asks how precise the number is. How many
# eigenvalues does a word need? Draw from a law with $\alpha = 4$ exactly, fit, and look at the spread
# of the answers.

# %%
sizes = [10, 100]
rng = np.random.default_rng(1)
fitted = np.empty((len(sizes), draws))
for k, n in enumerate(sizes):
    drawn = 1 + rng.pareto(3, (draws, n))
    fitted[k] = [spectra.fit_power_law(sample).alpha for sample in drawn]

# %% tags=["remove-cell"]
program_names = {
    "weightwatcher": "WeightWatcher",
    "deepdataprofiler": "DeepDataProfiler",
}


def words_between(a, b):
    """What both programs say of the exponents from a to b."""
    inside_ = np.linspace(a, b, 200)
    said = []
    for convention, program in program_names.items():
        given = dict.fromkeys(spectra.phase(x, convention) for x in inside_)
        said.append(f"{program} says {' or '.join(map(repr, given))}")
    return " and ".join(said).replace("'", '"')


# %% tags=["remove-input"]
low, high = np.quantile(fitted, [0.05, 0.95], axis=1)
Markdown(
    f"With {sizes[0]} values the middle 90\u00a0% of the fits runs from {low[0]:.1f} to {high[0]:.1f}, where "
    f"{words_between(low[0], high[0])}. With {sizes[1]} values it runs from {low[1]:.1f} to {high[1]:.1f}, and "
    f"{words_between(low[1], high[1])}. DeepDataProfiler fits layers of 6 to 10 eigenvalues. Here a fit needs 10 "
    "positive values to be made at all, and the comparisons below leave out layers with fewer than 40, which "
    "are the output layers."
)

# %% [markdown]
# ## The capacity metric
#
# The tail and the size of the spectra are put together in one number for a network,
# {term}`alpha-hat`: over its $L$ layers,
#
# $$\hat\alpha = \frac1L \sum_l \alpha_l \log \lambda_{\max, l} .
# $$ (eq-alpha-hat)
#
# The hat does not mean an estimate of $\alpha$. The number is called a metric of capacity, that is, of
# how much a network can fit, and is said to be small for networks that generalise well. Which logarithm, and
# which eigenvalue? {cite:t}`martin2021nature` take $\log_{10}$ of the eigenvalues of $W^\top W$, not
# divided by anything, and WeightWatcher does as they do. DeepDataProfiler takes the natural logarithm
# of the eigenvalues divided by the number of rows. {py:func}`.spectra.alpha_hat` can do both; by
# default it takes $\log_{10}$ of the eigenvalues divided by the longer side, so that the law of
# {numref}`fig-spectrum` applies. The base of the logarithm multiplies all values by one factor and
# changes no order. The division does: it moves most $\lambda_{\max}$ below 1, where the logarithm is
# negative, and a larger exponent then makes the metric smaller.

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
            **{name: map(number, found) for name, found in metric.items()},
        },
        index=conventions.values(),
    ).rename_axis("convention"),
    digits=2,
)

# %% tags=["remove-cell"]
before, trained_hats = (
    np.array([spectra.alpha_hat(m, "weightwatcher", 40) for m in members])
    for members in ([training.start(make_mlp, k) for k in seeds], networks)
)
between_starts = np.abs(np.diff(before)).mean()
shuffle_adds = {  # over the starts, on average
    way: np.mean(
        [
            spectra.alpha_hat(shuffle(m, k), way, 40)
            - spectra.alpha_hat(training.start(make_mlp, k), way, 40)
            for k, m in enumerate(networks)
        ]
    )
    for way in ("weightwatcher", "log10", "deepdataprofiler")
}

# %% tags=["remove-input"]
smaller = sum(a < b for a, b in zip(*metric.values(), strict=True))
start_error = 1 - training.accuracy(start, images.test)
Markdown(
    f"{('None', 'One', 'Two', 'All three')[smaller]} of the conventions "
    f"{'gives' if smaller == 1 else 'give'} the untrained network the smaller value. By the promise it would "
    f"generalise better than the trained one, but its test error is {percent(start_error)}. By WeightWatcher's convention "
    f"alpha-hat rises in training by {(trained_hats - before).mean():.2f} on average over the {len(networks)} networks; two starts "
    f"differ by {between_starts:.2f}. But the rise is no sign of structure: shuffled, the same layers lie {number(shuffle_adds['weightwatcher'])} "
    "above their starts, because a large exponent of noise, which means nothing, is multiplied by a small logarithm. In the other two "
    f"conventions the shuffle adds {listed((v for k, v in shuffle_adds.items() if k != 'weightwatcher'), number)}. Whether the conventions "
    "put trained networks into the same order is measured below."
)

# %% [markdown]
# A check against DeepDataProfiler itself: its tests state $-13.68$ for torchvision's trained ResNet-18.
# For the untrained one, with the weights of seed 0, our own run of it gave $-57.37$.

# %%
resnets = [training.start(resnet18, seed) for seed in range(4)]
untrained_metric = [spectra.alpha_hat(m, "deepdataprofiler") for m in resnets]

# %% tags=["remove-cell"]
claims.check("spectra_resnet18_random", untrained_metric[0], "synthetic")
trained_text = "The trained weights are a download, which only the largest of the book's three scales tries."
if settings.scale() == "full":
    try:
        trained = resnet18(weights=ResNet18_Weights.IMAGENET1K_V1)
    except OSError as error:
        trained_text = f"The trained weights can't be downloaded: {error}."
    else:
        trained_metric = spectra.alpha_hat(trained, "deepdataprofiler")
        claims.check("spectra_resnet18_trained", trained_metric, "synthetic")
        trained_text = f"The trained network gives {number(trained_metric)}."

# %% tags=["remove-input"]
Markdown(
    f"Seed 0 gives {number(untrained_metric[0])} here, too; seeds 1 to 3 give "
    f"{listed(map(number, untrained_metric[1:]))}, so the number belongs to one seed as much as to the network. "
    f"{trained_text} From here on, alpha-hat is WeightWatcher's."
)

# %% [markdown]
# **Published networks.** The evidence for alpha-hat is from series of networks that others have trained
# with care. One comes with this book: four ResNets of different depth, which Y. Idelbayev trained on
# CIFAR-10. We leave out layers with fewer than 16 eigenvalues, the last of each. There are only singular
# values, which can't be shuffled, so the null is Gaussian noise of the same shapes: once with the {term}`norm` of
# each layer (the root of the sum of its squared weights), and once with one norm for all layers of a shape.

# %%
stated_errors = {20: 0.0827, 32: 0.0737, 44: 0.0690, 56: 0.0661}
family = {
    depth: [
        s for s in published[f"resnet{depth}"].values() if min(s.shape) >= 16
    ]
    for depth in stated_errors
}
shape_noise = {}  # the exponent, and the largest eigenvalue's share in the sum
for shape in sorted({s.shape for found in family.values() for s in found}):
    drawn = noise_spectra(shape, knobs.layer_gaussians)
    drawn = [(spectra.fit_power_law(v).alpha, v[0] / v.sum()) for v in drawn]
    shape_noise[shape] = np.array(drawn).T

# %% tags=["remove-cell"]
squares = {
    depth: np.array([s.eigenvalues.sum() * max(s.shape) for s in found])
    for depth, found in family.items()
}
of_shape_norm = {
    shape: np.mean(
        [
            np.log10(total)
            for depth, found in family.items()
            for s, total in zip(found, squares[depth], strict=True)
            if s.shape == shape
        ]
    )
    for shape in shape_noise
}


def noise_alpha_hat(depth, one_norm=False, part=slice(None)):
    """Alpha-hat of noise with the shapes of a network, and its norms or one for each shape."""
    return np.mean(
        [
            np.mean(
                shape_noise[s.shape][0, part]
                * (
                    np.log10(shape_noise[s.shape][1, part])
                    + (of_shape_norm[s.shape] if one_norm else np.log10(total))
                )
            )
            for s, total in zip(family[depth], squares[depth], strict=True)
        ]
    )


family_rows = {}
for depth, found in family.items():
    exponent = np.array(
        [spectra.fit_power_law(s.eigenvalues).alpha for s in found]
    )
    top = np.array([s.eigenvalues[0] * max(s.shape) for s in found])
    below_5 = [
        np.mean(shape_noise[s.shape][0] < a) < 0.05
        for s, a in zip(found, exponent, strict=True)
    ]
    family_rows[f"ResNet-{depth}"] = {
        "error": stated_errors[depth],
        "layers": len(found),
        "alpha": exponent.mean(),
        "alpha-hat": np.mean(exponent * np.log10(top)),
        "noise": noise_alpha_hat(depth),
        "one norm": noise_alpha_hat(depth, one_norm=True),
        "heavier": np.mean(below_5),
    }
family_rows = pd.DataFrame(family_rows).T
fall_of = family_rows.iloc[0] - family_rows.iloc[-1]
half = knobs.layer_gaussians // 2
claims.check(
    "spectra_resnets",
    fall_of["noise"] / fall_of["alpha-hat"],
    "synthetic",
    null=fall_of["one norm"] / fall_of["alpha-hat"],
    repeats=[
        (noise_alpha_hat(20, part=part) - noise_alpha_hat(56, part=part))
        / fall_of["alpha-hat"]
        for part in (slice(half), slice(half, None))
    ],
)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "test error": [percent(v, 2) for v in family_rows.error],
            "layers": family_rows.layers.astype(int),
            "mean $\\alpha$": family_rows.alpha.map(number),
            "below noise": family_rows.heavier.map(percent),
            "alpha-hat": family_rows["alpha-hat"].map(number),
            "of noise, same norms": family_rows.noise.map(number),
            "of noise, one norm": family_rows["one norm"].map(number),
        }
    ).rename_axis("network")
)

# %% tags=["remove-input"]
Markdown(
    "Alpha-hat orders the four networks by their errors, as promised; the mean exponent does not quite. "
    f"But alpha-hat falls by {number(fall_of['alpha-hat'])} from the first to the last, and in noise with the norms of the layers by "
    f"{number(fall_of['noise'])}; with one norm for each shape it falls by {number(fall_of['one norm'])}. **So the norms of their "
    "weights are enough to rank them,** and no tail is needed; nor are four networks many, since one order in "
    f"{len([*itertools.permutations(range(4))])} is right by chance, and the number of layers ranks them as well. In favour of the "
    "exponent, the share of layers with an exponent below nearly all noise of their shape (19 of 20 matrices) grows from "
    f"{percent(family_rows.heavier.iloc[0])} to {percent(family_rows.heavier.iloc[-1])}. That may be a matter of "
    "depth or of error, which go together here."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Four published ResNets: the norms of their weights have the order of alpha-hat, and no tail is needed." say="Alpha-hat is said to be small for networks that generalise well. Ask before the second point: which noise would be a fair null, if only the singular values are at hand? Then ask what depth does here, and how many orders four networks can have."
# - $\hat\alpha$ is the mean over layers of $\alpha_l \log_{10} \lambda_{\max, l}$; it falls with the error.
# - In noise with the norm of each layer it falls at least about as much.
# - In noise with one norm for all layers of a shape it hardly falls.
# - Depth, norm and error go together in these four.

# %% [markdown]
# ## Along training
#
# DeepDataProfiler follows one LeNet over ten epochs, and claims that $\alpha$ falls with the test
# error. Its layer of 120 × 400 weights is that of {numref}`fig-noise`. Does it take more than a bulk and
# spikes?

# %%
lenet_nulls = [
    [
        spectra.fit_power_law(noise_with_spikes(layer, seed)).alpha
        for seed in range(knobs.nulls)
    ]
    for layer in lenet
]

# %% tags=["remove-cell"]
lenet_off = np.abs(lenet_alphas - np.mean(lenet_nulls, axis=1))[1:]
next_off = np.abs(lenet_alphas[1:-1] - np.mean(lenet_nulls[2:], axis=1))
claims.check(
    "spectra_lenet_spikes",
    lenet_off.mean(),
    "synthetic",
    null=next_off.mean(),
    repeats=lenet_off,
)

# %% tags=["remove-input"]
Markdown(
    f"Its exponent falls from {number(lenet_alphas[0])} to {number(lenet_alphas[-1])}. After the first epoch, "
    f"with {spectra.spikes(lenet[0])} spikes, noise with its spikes has {number(np.mean(lenet_nulls[0]))} on average. From the second "
    f"epoch on the two differ by {number(lenet_off.mean())} on average and by {number(lenet_off.max())} at most: this "
    "published exponent, too, is that of a bulk with spikes. (The noise of the next epoch differs by "
    f"{number(next_off.mean())}.) As the number of spikes rises from {spectra.spikes(lenet[0])} to "
    f"{spectra.spikes(lenet[-1])}, the exponent falls."
)

# %% [markdown]
# Now follow our network 1 through the epochs that made it and beyond them, and the same start at five
# times the learning rate; with both, we have the test error as well.


# %%
def measured(model):
    """Test error, and measures of the layers of 40 or more eigenvalues."""
    found = spectra.table(model).query("n >= 40")
    return {
        "error": 1 - training.accuracy(model, images.test),
        "alpha": found.alpha.mean(),
        "alpha-hat": spectra.alpha_hat(model, "weightwatcher", 40),
        "largest eigenvalue": np.log10(found.lambda_max).mean(),
        "stable rank": found.stable_rank.mean(),
        "spikes": found.spikes.mean(),
    }


def history(options):
    """Network 1 before the first epoch and after each."""
    longer = {**options, "epochs": knobs.epochs}
    return training.fit_history(make_mlp, images.train, 0, **longer)


found = workers.each(history, [(recipe,), (fast,)], all_cores=True)
histories = dict(zip([slow_name, fast_name], found, strict=True))
courses = {
    name: pd.DataFrame([measured(model) for model in history])
    for name, history in histories.items()
}

# %% tags=["remove-cell"]
after = {name: course.iloc[1:] for name, course in courses.items()}
by_rate = pd.DataFrame(
    {
        name: {
            measure: spectra.rank_correlation(
                course.get(measure, course.index), course.error
            )[0]
            for measure in [
                "alpha",
                "alpha-hat",
                "spikes",
                "number of the epoch",
            ]
        }
        for name, course in after.items()
    }
)
claims.check(
    "spectra_epochs_alpha", by_rate.loc["alpha", slow_name], images.name
)
calm, wild = after[slow_name], after[fast_name]

# %% tags=["remove-input"]
Markdown(
    f"At the smaller rate the exponent goes from {calm.alpha.iloc[0]:.2f} after the first epoch to "
    f"{calm.alpha.iloc[-1]:.2f} after the last, while the error goes from {calm.error.iloc[0]:.2f} to "
    f"{calm.error.iloc[-1]:.2f}. At the larger rate the error ends at {wild.error.iloc[-1]:.2f} and the exponent at "
    f"{wild.alpha.iloc[-1]:.2f}."
)

# %% tags=["remove-input"]
same_as_epoch = [
    name
    for name in by_rate
    if np.allclose(
        by_rate.loc[["alpha-hat", "spikes"], name],
        by_rate.loc["number of the epoch", name],
    )
]
Markdown(
    f"After the start, the rank correlation of the exponent with the error is {number(by_rate.loc['alpha', slow_name])} at the "
    f"smaller rate, as DeepDataProfiler has it, and {number(by_rate.loc['alpha', fast_name])} at the larger. Alpha-hat should "
    f"fall with the error, too, and has {listed(by_rate.loc['alpha-hat'], number)}. "
    + (
        "But the number of the epoch ranks the networks just as well as alpha-hat or the spikes: "
        if len(same_as_epoch) == 2
        else "But the number of the epoch ranks the networks as well: "
    )
    + "whatever moves one way in training would agree as much. One network at each rate shows how these measures "
    "move, and not that they tell good networks from bad ones."
)

# %% [markdown]
# ## Across networks
#
# The promise that matters is this one: given several trained networks and no data, tell which has the
# smaller test error. It is made for networks that were trained well. So we take one architecture, that
# of {py:func}`.zoo.setting`, train each network until it fits its labels, and vary three things: the
# number of training images, {term}`weight decay`, and the learning rate, which falls to zero along a cosine.
# The rate was tuned by the training error alone: of a small grid, it is the largest for which three
# times the rate trained from every seed that we tried. All settings get the same number of epochs, so
# more images mean more steps, too. The networks of the largest number of images are trained once more
# with 30&nbsp;% of their labels wrong. These networks have one hidden layer, and their output layer has too few
# eigenvalues to be judged. So $L = 1$ in {eq}`eq-alpha-hat`: alpha-hat is here the product of one exponent and one
# logarithm, to base ten and of an eigenvalue that is not divided. The largest eigenvalue beside it is divided by the
# longer side, which is the same for all.

# %%
factors = {
    "size": [0.1, 0.2, 0.5, 1],  # training images over those of the base
    "decay": [0, 0.001],
    "faster": [1, 3],  # learning rate over the tuned one
    "wrong": [0, 0.3],
}
grid = [
    dict(zip(factors, levels, strict=True))
    for levels in itertools.product(*factors.values())
]
grid = [s for s in grid if not s["wrong"] or s["size"] == 1]


def train(change):
    """Networks of one setting, one a seed, and what they were trained on."""
    s, seeds = zoo.setting(images, **change), range(knobs.fair_seeds)
    found = training.fit_ensemble(s.make_model, s.train, seeds, **s.recipe)
    return [(change | {"seed": k}, m, s.train) for k, m in enumerate(found)]


members = [member for change in grid for member in train(change)]


# %% tags=["hide-input"]
def beside(model, split):
    """Simpler things than a spectrum that are known of a network."""
    return {
        "training error": 1 - training.accuracy(model, split),
        "training loss": training.cross_entropy(model, split),
        "norm of the weights": model[1].weight.norm().item(),
        "number of images": len(split),
        "n": len(split),  # the same, as a name of groups
    }


fair = pd.DataFrame(
    [s | measured(model) | beside(model, split) for s, model, split in members]
)
fair["distance of alpha from 2"] = (fair.alpha - 2).abs()
fair["alpha-hat, DeepDataProfiler"] = [
    spectra.alpha_hat(model, "deepdataprofiler", 40) for _, model, _ in members
]
clean, wronged = fair[fair.wrong == 0], fair[fair.wrong > 0]
most = fair.n.max()

# %% tags=["remove-input"]
fitted = fair["training error"] == 0
missed = (fair["training error"] * fair.n).max()
of_seeds_alone = clean.groupby(["n", "decay", "faster"]).error.std().mean()
Markdown(
    f"These are {len(clean)} networks with right labels ({listed(f'{n:,}' for n in sorted(set(fair.n)))} images, weight decay 0 or 0.001, "
    f"the tuned rate and three times as much, {knobs.fair_seeds} seeds of each setting), and {len(wronged)} with wrong ones. "
    "**Is the test fair?** "
    + (
        f"All {len(fair)} have a training error of zero, wrong labels included. "
        if fitted.all()
        else f"Of the {len(fair)}, {int(fitted.sum())} have a training error of zero, wrong labels included, and the others get at most "
        f"{missed:.0f} of their images wrong. "
    )
    + f"With right labels the test errors go from {percent(clean.error.min(), 1)} to {percent(clean.error.max(), 1)}. Seeds of one "
    f"setting differ by {percent(of_seeds_alone, 1)} (standard deviation), and some settings by no more than that."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: does alpha-hat fall with the error, whatever is varied?" say="The promise is that a small alpha-hat means a small test error. Vote twice: where only the number of training images differs, and where the number of images is the same. The key: in the first case it goes against the promise, in the second it has the promised sign and no more than chance gives. Keep the votes for the panels of the slide after the next."
# $$\hat\alpha = \alpha \log_{10} \lambda_{\max}(W^\top W)$$
#
# One hidden layer, so $L = 1$. The smaller alpha-hat, the smaller the test error: that is the promise.

# %% [markdown]
# {numref}`fig-fair-test` shows the exponent and the largest eigenvalue of each network beside its error.

# %% tags=["hide-input"] slide="More images enlarge the largest eigenvalue and lower the error; a larger rate does not lower it." say="Ask first for the sign over the cloud as a whole, then for the sign inside one colour. Colours are numbers of images, and gray lines join networks that differ in the rate alone. The vote was on alpha-hat, which the next slide has. On the left, many of the best networks lie where one program says over-trained." mystnb={"figure": {"name": "fig-fair-test", "caption": "Test error of each network with right labels against its exponent (left, logarithmic axis) and its largest eigenvalue (right), by the number of training images. Circles: the tuned rate; triangles: three times as much. Open: weight decay. Gray lines join networks that differ in the rate alone. In the shaded part WeightWatcher speaks of over-training. On the right, the cloud of all networks goes down from left to right, and most of the lines are level or rise."}, "image": {"alt": "Two scatter plots that share the axis of test error, with circles and triangles in four colours that lie in four layers, one above another. On the left many symbols, those with the lowest errors among them, lie in or near a shaded strip at small exponents, and some triangles lie far to the right of it. On the right the layers descend towards larger eigenvalues, and within a layer gray lines lead from circles to triangles that lie to the right, most of them at about the same height or higher."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharey=True)
level_of = dict(zip(sorted(set(fair.n)), LEVELS, strict=True))
for ax, name in zip(axes, ["alpha", "largest eigenvalue"], strict=True):
    for _, pair in clean.groupby(["n", "decay", "seed"]):
        ax.plot(pair[name], pair.error, color=C["null"], lw=0.7, zorder=1)
    for (n, decay, faster), dots in clean.groupby(["n", "decay", "faster"]):
        color = level_of[n]
        ax.plot(
            dots[name], dots.error, "o" if faster == 1 else "^", ms=6,
            color=color, mfc=color if decay == 0 else "none", zorder=2,
            label=f"{n:,} images" if decay == 0 and faster == 1 else None,
        )  # fmt: skip
axes[0].set(xscale="log", xlabel="exponent $\\alpha$", ylabel="test error")
axes[0].set_xticks([1.5, 2, 3, 4, 6], [1.5, 2, 3, 4, 6])
axes[0].minorticks_off()
axes[0].axvspan(1, 2, color=C["null"], alpha=0.2, lw=0)
axes[0].set(xlim=(clean.alpha.min() * 0.93, clean.alpha.max() * 1.07))
axes[1].set(xlabel="$\\log_{10}$ of the largest eigenvalue")
fig.legend(
    *axes[0].get_legend_handles_labels(), ncols=4, loc="outside upper center"
)
plt.show()

# %% [markdown]
# **Do the measures rank networks by their error?** {term}`Kendall's tau` of a measure and the error is
# the share of pairs of networks that both put in the same order, minus the share that they put in
# opposite orders. Of the exponent and of alpha-hat a larger value is promised to mean a larger error: their tau should be positive, whatever is varied. Of the others either sign would do, if it is the same whatever is varied. So take it ({py:func}`.spectra.kendall_tau`) over all
# pairs, and then over pairs that share settings: in groups where the number of images is the same, and
# in groups where *only one* thing differs.

# %%
spectral = ["alpha", "distance of alpha from 2", "alpha-hat"]
spectral += ["largest eigenvalue", "stable rank", "spikes"]
simpler = ["norm of the weights", "training loss", "number of images"]
kinds = {
    "all networks": [],
    "images the same": ["n"],
    "only images differ": ["decay", "faster"],
    "only decay differs": ["n", "faster"],
    "only the rate differs": ["n", "decay"],
    "only labels differ": ["decay", "faster"],
}

# %% [markdown]
# What would chance give? The {term}`null` puts the errors into a random order within each group, and
# nowhere else. Its unit is the setting: measures and errors are means over seeds. Because five measures
# and a sixth, the distance of the exponent from 2, are tried at once, a measure stands out only if its
# tau is larger than the {term}`largest of the six <max-T test>` is in 95&nbsp;% of the random orders. The seeds, one by one, show
# how reliable a tau is. For comparison stands the test error of the
# *other* seeds, which needs data: it knows the error of the setting, up to the noise of those seeds.

# %% tags=["hide-input"]
numbers = [*spectral, *simpler]


def table_of(kind, networks):
    """Measures and errors of the settings, means over seeds, and their groups."""
    some = networks[
        networks.n == most if "labels" in kind else networks.wrong == 0
    ]
    by_setting = some.groupby(["n", "decay", "faster", "wrong"])
    cells = by_setting[[*numbers, "error"]].mean().reset_index()
    same = kinds[kind]
    groups_of = cells.groupby(same).indices.values() if same else [cells.index]
    groups_of = [np.asarray(g) for g in groups_of]
    return cells[numbers].to_numpy(), cells.error.to_numpy(), groups_of


def mixed(errors, in_groups, rng):
    """The errors in a random order within each group."""
    found = errors.copy()
    for g in in_groups:
        found[g] = rng.permutation(errors[g])
    return found


def by_chance(values, errors, in_groups, rng):
    """Taus with the errors mixed within the same groups."""
    return spectra.kendall_tau(values, mixed(errors, in_groups, rng), in_groups)


def other_seed(kind):
    """Tau of each seed's errors with the mean errors of the other seeds."""
    found = []
    for seed in range(knobs.fair_seeds):
        _, errors, in_groups = table_of(kind, fair[fair.seed == seed])
        others = table_of(kind, fair[fair.seed != seed])[1]
        found.append(spectra.kendall_tau(others[:, None], errors, in_groups)[0])
    return found


rng = np.random.default_rng(0)
taus, chances, limits_of, of_seeds = {}, {}, {}, {}
for kind in kinds:
    cells = table_of(kind, fair)
    taus[kind] = pd.Series(spectra.kendall_tau(*cells), numbers)
    chances[kind] = np.array(
        [by_chance(*cells, rng) for _ in range(knobs.orders)]
    )
    largest_of_six = np.abs(chances[kind][:, : len(spectral)]).max(1)
    limits_of[kind] = np.quantile(largest_of_six, 0.95, method="higher")
    of_seeds[kind] = pd.DataFrame(
        [
            spectra.kendall_tau(*table_of(kind, part))
            for _, part in fair.groupby("seed")
        ],
        columns=numbers,
    )
    of_seeds[kind]["error of other seeds"] = other_seed(kind)
ceiling = {k: f["error of other seeds"].mean() for k, f in of_seeds.items()}

# %% tags=["remove-cell"]
claims.check(
    "spectra_images_alpha_hat",
    taus["only images differ"]["alpha-hat"],
    images.name,
    null=np.quantile(
        chances["only images differ"][:, spectral.index("alpha-hat")], 0.025
    ),
    repeats=[*of_seeds["only images differ"]["alpha-hat"]],
)


def turn(found):
    """How much larger the tau of the largest eigenvalue is with the images fixed."""
    pair = found["images the same"], found["all networks"]
    return np.subtract(*(t["largest eigenvalue"] for t in pair))


rng = np.random.default_rng(1)
values, errors, everyone = table_of("all networks", fair)
_, _, same_images = table_of("images the same", fair)
column = numbers.index("largest eigenvalue")
turns = []  # with the effect of the images kept: errors mixed where they are the same
for _ in range(knobs.orders):
    by_luck = mixed(errors, same_images, rng)
    turns.append(
        np.subtract(
            *(
                spectra.kendall_tau(values, by_luck, g)[column]
                for g in (same_images, everyone)
            )
        )
    )


def at_rate(faster, networks, rng=None):
    """Tau of the exponent where only the images differ, at one rate."""
    values, errors, in_groups = table_of(
        "only images differ", networks[networks.faster == faster]
    )
    if rng is not None:
        return by_chance(values, errors, in_groups, rng)[0]
    return spectra.kendall_tau(values, errors, in_groups)[0]


chance = [at_rate(1, fair, rng) for _ in range(knobs.orders)]
claims.check(
    "spectra_images_exponent",
    at_rate(1, fair),
    images.name,
    null=np.quantile(chance, 0.975),
    repeats=[at_rate(1, part) for _, part in fair.groupby("seed")],
)


def stable_rank(model):
    values = spectra.layer_spectra(model)[0].eigenvalues
    return values.sum() / values[0]


fair["shuffled"] = [
    stable_rank(shuffle(model, k)) for k, (_, model, _) in enumerate(members)
]
rises = {
    name: [
        np.sign(
            part.pivot_table(
                index=["decay", "faster"], columns="wrong", values=name
            ).diff(axis=1).iloc[:, 1]
        ).mean()
        for _, part in fair[fair.n == most].groupby("seed")
    ]
    for name in ["stable rank", "shuffled"]
}  # fmt: skip
claims.check(
    "spectra_labels_stable_rank",
    np.mean(rises["stable rank"]),
    images.name,
    null=np.mean(rises["shuffled"]),
    repeats=rises["stable rank"],
)

# %% [markdown]
# {numref}`fig-taus` and {numref}`fig-taus-one-thing` show all of them. Three simpler numbers and the error of other
# seeds stand below the measures.

# %% tags=["hide-input"] slide="A pooled correlation need not be that of the groups: say what was varied." say="Follow alpha-hat and the largest eigenvalue from panel to panel: over all networks, with the images the same, and where only the images differ. The shaded part is what the best of six measures stays in by chance, nearly always; with the images the same all measures lie in it, so their sign there is no finding. The norm of the weights, below the dotted line, goes with the largest eigenvalue." mystnb={"figure": {"name": "fig-taus", "caption": "Kendall's tau with the test error of six spectral measures, three simpler numbers, and the error of other seeds, over all networks, where the number of images is the same, and where only that number differs. Diamonds: settings, means over seeds (in the last row, the mean of the dots); dots: single seeds. In the shaded part lies the largest of the six measures in 95\u00a0% of random orders. With the images the same, no measure leaves it."}, "image": {"alt": "Three panels with ten rows each. Over all networks the spikes, the norm and the number of images lie at the left. With the images the same, alpha-hat and the largest eigenvalue lie right of zero, next to the norm, and the shaded part covers all measures. Where only images differ, the largest eigenvalue, alpha-hat, the spikes, the norm and the number of images lie at the far left and the exponent right of zero. The error of other seeds lies at the far right in the first and the third panel."}}
words_of = {
    "alpha": "exponent $\\alpha$",
    "distance of alpha from 2": "distance of $\\alpha$ from 2",
}


def draw_taus(kinds_drawn):
    """One panel a kind of groups, one row a number."""
    _, axes = plt.subplots(1, 3, figsize=(7.2, 3.5), sharex=True, sharey=True)
    rows = np.arange(len(numbers) + 1)
    for ax, kind in zip(axes, kinds_drawn, strict=True):
        limit = limits_of[kind]
        ax.axvspan(-limit, limit, color=C["null"], alpha=0.15, lw=0)
        for k, (_, found) in enumerate(of_seeds[kind].iterrows()):
            y = rows + 0.18 * (k - (knobs.fair_seeds - 1) / 2)
            ax.plot(found, y, "o", ms=3.5, color=C["matched"], mew=0)
        values = [*taus[kind], ceiling[kind]]
        ax.plot(values, rows, "D", ms=5, color=C["ink"], zorder=3)
        ax.axvline(0, color=C["null"], lw=1)
        ax.axhline(len(spectral) - 0.5, color=C["null"], lw=0.7, ls=":")
        ax.set_title(kind, fontsize=10)
        ax.set(xlim=(-1.1, 1.1), xlabel="Kendall's $\\tau$")
    drawn_names = [words_of.get(name, name) for name in of_seeds[kind]]
    axes[0].set_yticks(rows, drawn_names)
    axes[0].invert_yaxis()


draw_taus(["all networks", "images the same", "only images differ"])
plt.show()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-taus-one-thing", "caption": "The same where only the weight decay, only the learning rate, or only the labels differ. There is little to rank: the error of other seeds has a smaller tau for decay and rate, and in the panel of labels chance covers everything."}, "image": {"alt": "Three panels with ten rows each. The shaded part covers all measures in the panel of decay, nearly all in that of the rate, and the whole panel of labels. Where only the rate differs, alpha-hat and the largest eigenvalue lie right of zero, next to the norm. The error of other seeds lies at the far right where labels differ, and nearer to zero in the other two panels."}}
draw_taus(["only decay differs", "only the rate differs", "only labels differ"])
plt.show()

# %% tags=["remove-cell"]


both_hats = clean[["alpha-hat", "alpha-hat, DeepDataProfiler"]]
between_conventions = both_hats.corr("kendall").iloc[0, 1]


def said_of(kind, *names):
    return listed(number(taus[kind][name]) for name in names)


def outstanding(kind):
    """The spectral measures whose tau chance does not explain."""
    return [n for n in spectral if abs(taus[kind][n]) > limits_of[kind]]


said_name = {"alpha": "exponent", "spikes": "number of spikes"}
largest_name = "largest eigenvalue"
one_thing = [kind for kind in kinds if kind.startswith("only")][:3]
promised = [
    f"the {said_name.get(n, n)} ({kind})"
    for kind in kinds
    for n in outstanding(kind)
    if taus[kind][n] > 0
]
jumped = clean[(clean.n == most) & (clean.faster == 3)].alpha.min()
below_two = clean[clean.alpha < 2]
lowest = clean.sort_values("error").head(len(clean) // 4)

# %% tags=["remove-input"]
Markdown(
    f"**Where only the number of images differs**, the exponent has a tau of {said_of('only images differ', 'alpha')}. At the tuned rate it is "
    f"{number(at_rate(1, fair))}: more images, a smaller exponent, a smaller error, which speaks for the exponent. At three times the rate it is "
    f"{number(at_rate(3, fair))}"
    + (
        f", because with the most images the threshold of the fit jumps, and all exponents are {jumped:.2f} or more. "
        if jumped > 2.3
        else ". "
    )
    + f"The largest eigenvalue and alpha-hat have {said_of('only images differ', largest_name, 'alpha-hat')}, "
    f"which is against the promise of alpha-hat. The number of images, which is known without any spectrum, has {said_of('only images differ', 'number of images')}. "
    "**With the images the same**, decay and the rate decide. There the largest eigenvalue and alpha-hat have "
    f"{said_of('images the same', largest_name, 'alpha-hat')}, for alpha-hat the promised sign, and the exponent {said_of('images the same', 'alpha')}; "
    + (
        "of no measure is that more than chance gives. "
        if not outstanding("images the same")
        else f"more than chance gives it is for {listed(said_name.get(n, n) for n in outstanding('images the same'))}. "
    )
    + f"The plain norm of the weights has {said_of('images the same', 'norm of the weights')}. Where only the rate differs, the norm and the "
    f"largest eigenvalue have {said_of('only the rate differs', 'norm of the weights', largest_name)}, and where only decay differs "
    f"{said_of('only decay differs', 'norm of the weights', largest_name)}: "
    + (
        "there the largest eigenvalue says no more than the size of the weights."
        if all(
            abs(taus[k]["norm of the weights"] - taus[k][largest_name]) < 1e-6
            for k in ("only the rate differs", "only decay differs")
        )
        else "the largest eigenvalue says little more than the size of the weights."
    )
)

# %% tags=["remove-cell"]
right = fair[fair.wrong == 0]
plain = right[(right.n == most) & (right.decay == 0)].groupby("faster").error
rate_effect = plain.mean().iloc[-1] - plain.mean().iloc[0]
cells = right.groupby(["n", "decay", "faster"]).error
seed_deviation = cells.var().mean() ** 0.5

# %% tags=["remove-input"]
pooled_largest, fixed_largest = (
    taus[kind][largest_name] for kind in ("all networks", "images the same")
)
Markdown(
    f"**Over all networks** the largest eigenvalue has {number(pooled_largest)}, while with the images the same it has "
    f"{number(fixed_largest)}. "
    + (
        "The two have opposite signs"
        + (
            ""
            if "largest eigenvalue" in outstanding("images the same")
            else ", and the second is no more than chance gives"
        )
        + ": "
        if pooled_largest * fixed_largest < 0
        else "The two differ: "
    )
    + "more images enlarge it and lower the error, while a larger rate enlarges it and does not lower the error. "
    + f"Most of the difference, {number(turn(taus))}, is the effect of the images: if the errors of equally many images are put into a random order, "
    f"it is still {number(np.mean(turns))} on average, and larger than ours in {percent(np.mean(np.array(turns) >= turn(taus)), 1)} of the orders, which is "
    "not corrected for six measures. The plain norm of the weights differs as much, by "
    f"{number(taus['images the same']['norm of the weights'] - taus['all networks']['norm of the weights'])}. "
    + (
        f"What stands out over all networks is the {listed(said_name.get(n, n) for n in outstanding('all networks'))}, with "
        f"{listed(number(taus['all networks'][n]) for n in outstanding('all networks'))}; but the number of images has {said_of('all networks', 'number of images')}. "
        if outstanding("all networks")
        else "No measure stands out over all networks. "
    )
    + "**How far can that be trusted?** The error of the other seeds has a tau of "
    f"{listed(number(ceiling[k]) for k in one_thing)} where only the images, only decay and only the rate differ. "
    + (
        "So in most settings decay and the rate change the error little more than the seed does, and only the images test the measures strictly "
        f"everywhere. The exception is the largest number of images without decay, where the larger rate adds {100 * rate_effect:.1f} points to the error "
        f"(deviation over seeds: {100 * seed_deviation:.1f}), and the largest eigenvalue and the norm grow with it. "
        if ceiling[one_thing[0]] > 0.8 > max(ceiling[k] for k in one_thing[1:])
        else ""
    )
    + (
        "In no kind of groups does one of the six have a positive tau that stands out. "
        if not promised
        else f"A positive tau stands out for {listed(promised)}. "
    )
    + f"**And the limit of 2?** Of the {len(lowest)} networks with the smallest errors, {int((lowest.alpha < 2).sum())} have an exponent below 2, where "
    "WeightWatcher speaks of over-training, and the distance of the exponent from 2 ranks networks no better than the exponent itself "
    f"({said_of('all networks', 'distance of alpha from 2', 'alpha')} over all networks). Nor do the conventions agree: the alpha-hat of "
    f"WeightWatcher and that of DeepDataProfiler have a tau of {number(between_conventions)} with each other."
)

# %% tags=["remove-input"]
means_of = fair[fair.n == most].groupby("wrong")[["error", *spectral]].mean()
Markdown(
    f"**Do wrong labels show?** They raise the test error from {percent(means_of.error.iloc[0])} to {percent(means_of.error.iloc[1])} on average, with the labels "
    f"fitted on both sides. The stable rank is larger with wrong labels in {percent((np.mean(rises['stable rank']) + 1) / 2)} of the pairs that "
    f"share decay, rate and seed, and in {percent((np.mean(rises['shuffled']) + 1) / 2)} of the same pairs shuffled. The training loss does the same. The exponent has "
    f"a tau of {said_of('only labels differ', 'alpha')}, alpha-hat {said_of('only labels differ', 'alpha-hat')} and the largest eigenvalue "
    f"{said_of('only labels differ', largest_name)}. There are four settings with each kind of labels, which are too few for a permutation to tell "
    "any of this from chance; that the seeds agree is all the evidence. So fitted wrong labels show faintly, in how the strength is spread over directions; "
    "that the exponent shows them is not to be seen here."
)

# %% [markdown]
# A relation that holds within groups and disappears, or turns around, when they are pooled is
# {term}`Simpson's paradox`. Here the largest eigenvalue has a pooled sign that its groups do not have; that they have
# the opposite one is no more than chance gives. {cite:t}`martin2021simpson`
# have described it for this very problem: over the networks of a contest in predicting generalisation,
# measures of scale ranked well in aggregate and badly at a fixed depth, and measures of shape did the
# opposite. Our depth is fixed from the start, and what makes the pooled sign is the number of images.
# The lesson is the same: a pooled tau, good or bad, says little about a measure until it is said what
# was varied. This is one architecture with one hidden layer, on one data set, and its errors are large.
# The published successes compare deep architectures of one family, and our test does not contradict
# them.
#
# ## Convolutions, three ways
#
# The weights of a convolution are an array (out, in, height, width). Of which matrix should one take
# the spectrum? DeepDataProfiler *flattens* it to (out, in · height · width). WeightWatcher took it *slice
# by slice*, one (out, in) matrix for each position of the kernel. But the layer is also a linear map
# of images, the {term}`convolution operator`. With periodic borders and stride 1 it is diagonal in
# frequency, one (out, in) matrix for each frequency, and a fast Fourier transform gives all singular
# values exactly {cite:p}`sedghi2019`. {py:func}`.spectra.convolution_spectra` computes all three, as
# squared singular values that are not divided, here for the second convolution of two networks.

# %%
cnns = training.fit_ensemble(
    zoo.gray_cnn(images), images.train, [0, 1], **recipe
)
second = models.weight_layers(cnns[0])[1]
seen = models.outputs(cnns[0], images.test.x[:1], [second - 1])[second - 1]
ways = [
    spectra.convolution_spectra(m[second].weight, seen.shape[-1]) for m in cnns
]

# %% tags=["remove-cell"]
way_fits = [
    {way: spectra.fit_power_law(v) for way, v in found.items()}
    for found in ways
]
seed_gap = max(
    abs(a.alpha - b.alpha)
    for a, b in zip(way_fits[0].values(), way_fits[1].values(), strict=True)
)
slices_gaps = [
    min(abs(f["slices"].alpha - f[w].alpha) for w in ("flattened", "operator"))
    for f in way_fits
]
claims.check(
    "spectra_convolution",
    np.mean(slices_gaps),
    images.name,
    null=seed_gap,
    repeats=slices_gaps,
)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "values": [len(v) for v in ways[0].values()],
            "largest": [f"{v[0]:.2f}" for v in ways[0].values()],
            "in the tail": [f.n_tail for f in way_fits[0].values()],
            "$\\alpha$": [f"{f.alpha:.2f}" for f in way_fits[0].values()],
            "$\\alpha$ of network 2": [
                f"{f.alpha:.2f}" for f in way_fits[1].values()
            ],
        },
        index=ways[0],
    ).rename_axis("the convolution as"),
)

# %% tags=["remove-input"]
first_ways = {way: f.alpha for way, f in way_fits[0].items()}
flat_gap = abs(first_ways["flattened"] - first_ways["operator"])
factor = (ways[0]["operator"][0] / ways[0]["flattened"][0]) ** 0.5
taps = cnns[0][second].kernel_size[0]  # the root of height times width
Markdown(
    "The same weights have three spectra. The exponents of the flattened matrix and of the operator differ by "
    f"{flat_gap:.2f}, that of the slices from both by {min(slices_gaps):.2f} or more, where two networks differ by at most "
    f"{seed_gap:.2f}. A standard error would not help: the operator's values come in equal pairs, one for a "
    "frequency and one for its opposite. The root of the operator's largest value is the norm of the convolution at "
    f"stride 1. It is {factor:.1f} times that of the flattened matrix, and could be {taps} times, the root of the "
    "height times the width of the kernel. It is not the norm of our layer, which keeps only every second output in "
    "each direction."
)

# %% [markdown]
# ## Your own model
#
# {py:func}`.spectra.table` takes any `torch.nn.Module` and returns one row for each layer; for a layer
# that can't be judged it gives the reason. From the command line it needs no model code at all:
#
# ```bash
# python -m netdist_utils.spectra model.safetensors --plot spectra.png
# python -m netdist_utils.spectra folder --compare other.npz --csv
# python -m netdist_utils.spectra torchvision:resnet18 --save resnet18.npz
# ```
#
# The source of weights is a `.safetensors` file, an `.npz` file, a folder of shards with the index that
# Hugging Face writes, or the name of a torchvision model, whose published weights are then downloaded.
# Files in half precision (float16, bfloat16) are judged in double precision. One tensor is in memory at a
# time, so the size of the largest one matters and not that of the model. Pickles (`.pt`, `.bin`) are not
# opened, since opening one can run code. With `--save` the singular values are kept in a small file, which
# is read in place of the model afterwards. For a model of Hugging Face, fetch its files first, with
# `hf download gpt2 --include "*.safetensors" --local-dir gpt2`, and give the folder `gpt2`. In Python,
# {py:func}`.spectra.open_weights` opens the same sources, and {py:func}`.spectra.compare` holds two
# models against each other, layer by layer. An embedding is judged like any other matrix there, because
# a file does not say what a tensor is for.


# %%
def yours():
    """An untrained model with a grouped convolution."""
    embed, head = nn.Embedding(100, 32), nn.Linear(64, 5)
    mix = nn.Conv1d(32, 64, 3, groups=2)
    return nn.ModuleDict({"embed": embed, "mix": mix, "head": head})


your_table = spectra.table(training.start(yours, seed=0))

# %% tags=["remove-input"]
columns = {
    "kind": "kind",
    "rows": "rows",
    "columns": "columns",
    "groups": "groups",
    "n_tail": "in the tail",
    "alpha": "$\\alpha$",
    "stderr": "standard error",
}
plotting.table(
    your_table.loc[["mix", "head"], [*columns]].rename(columns=columns),
    digits=2,
)

# %% tags=["remove-input"]
starts = [
    spectra.table(training.start(yours, seed)) for seed in range(knobs.draws)
]
mix = np.array([found.alpha["mix"] for found in starts])
named = [spectra.phase(a, "weightwatcher") == "well trained" for a in mix]
Markdown(
    "The grouped convolution is judged, all its groups together. The reasons why the others are not: "
    f'"{your_table.reason["head"]}", and "{your_table.reason["embed"]}". Nothing here was trained. Over '
    f"{len(mix)} starts, the exponent of the convolution has a median of {np.median(mix):.1f} and goes from "
    f"{mix.min():.1f} to {mix.max():.1f}; WeightWatcher's limits would call {percent(np.mean(named))} of them well trained."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="A recipe fixes the spectrum; what that says of the error depends on what was varied." say="Ask each student for one null that they will take home, and what it would say of a measure that they have seen elsewhere. End with the simplest one: what does a plainer number say?"
# - Compare with a shuffle, and with noise that has the spikes and weak directions.
# - Such noise has nearly the exponent and passes the test; no power law is needed, and none is excluded.
# - A bar from one fit does not compare networks; seeds do.
# - Rank inside groups, beside what chance gives and the norm of the weights.

# %% [markdown]
# ## Take-aways
#
# - **What do the singular values say?** How many directions training has lifted above the bulk, and how
#   strong they are; more with a longer or faster training of one {term}`recipe`. The
#   exponent sums that up. In one architecture that fits its labels, the exponent fell with the error as the
#   training images became more, as promised, at the tuned rate. No measure is shown to rank these networks by
#   their error whatever is varied, and where the images are the same, the largest eigenvalue says about what
#   the norm of the weights says. So they can be trusted as a mark of the recipe, and not as a rank of networks by error.
# - **Do networks share them?** Yes. Networks of one recipe agree in their spikes and exponents from seed
#   to seed far better than from one learning rate to another, about as well as noise with their spikes would.
#   That their bulks agree says nothing by itself, because those of shuffled weights agree as well.
#   Between three settings that lie far apart, nearly all of the variance of the spectra, each divided by its
#   mean, is between settings; of shuffled weights hardly any is.
# - Compare a spectrum with its shuffle, and with noise that has its spikes and {term}`directions too weak to show <weak direction>`,
#   before you say anything about its tail: without the weak ones, layer 1 seemed nearer to a power law than
#   noise can be. An exponent needs its threshold and its rivals beside it; its standard error assumes
#   independent eigenvalues, and is no measure of how much it varies between networks.
# - On CIFAR-10 the images' covariance is enough for nearly the exponent of layer 1: {term}`random labels`, one step, or a random
#   change with that covariance come near it when they go as far, and white images do not. The spikes differ.
# - A bulk and spikes give the exponent of a published layer, too. Alpha-hat ranks four published ResNets as
#   promised, but noise with the norms of their layers in the same way. The exponent of noise depends on the
#   shape of the matrix.
# - Software matters: a limit of 3 on the exponent makes noise look well trained.
# - Along one of two trainings the exponent falls with the error, as does anything that moves one way. At the
#   larger rate it was smaller, although the error was larger; that is one network at each rate.
# - Whether alpha-hat divides the eigenvalues changes the order of networks; the base of its logarithm
#   does not.
# - A pooled {term}`rank correlation` need not be that within groups: more images enlarge the
#   largest eigenvalue and lower the error, and a larger rate enlarges it and does not lower the error. With the
#   images the same, no measure ranks our settings by more than chance. Ask what was varied, and what a simpler number says: here the norm of the weights does the same.
#
# ## Ledger
#
# The {term}`band` of a {term}`claim` is where its number must lie for the book to be built. A
# finding has its null beside it, which must lie outside the band. That alpha-hat rises along
# a training is no finding of ours, because the number of the epoch follows the error as well, and shuffled layers
# rise about as much. Repeats are seeds, pairs of them, or draws of noise, but for three kinds: the deviation in standard errors has both layers
# at both rates, what is said of the images has the two rates of one start, and the LeNet its epochs. Nine findings are judged on CIFAR-10 alone. Six of them do not hold on the digits, whose
# networks and images are small. Four fail: those of layer 1 on its shape and on the images in its tail and in its
# directions, where white images do as well, and that of the convolution taken slice by slice. For two, the distance from
# the power law and the test at the larger rate, little is to be explained there: noise with the spikes alone already passes the
# test. The other three belong to the test across networks: on
# the digits the test errors differ too little to rank networks.

# %% tags=["remove-input"]
claims.table("05_heavy_tailed_spectra")

# %% [markdown]
# ## Check yourself
#
# Five questions. Each choice says why it is right or wrong.

# %% tags=["remove-input"]
quiz("05_heavy_tailed_spectra")

# %% [markdown]
# ## Exercises
#
# The data of the coding exercises come from `SEED`: {doc}`how exercises work </book/exercises>`.

# %% tags=["exercises"]
from netdist_course import check, problem

SEED = 1

# %% [markdown]
# :::{exercise} The most likely exponent
# :label: ex-spectra-likelihood
#
# *Understand, easy, 10 minutes.* Derive {eq}`eq-alpha` and the standard error from {eq}`eq-power-law`.
# :::
#
# :::{solution-start} ex-spectra-likelihood
# :class: dropdown
# :::
#
# The log-likelihood is $n_{\text{tail}} \log(\alpha - 1) - n_{\text{tail}} \log x_{\min} - \alpha \sum
# \log(x_i / x_{\min})$. Its derivative $n_{\text{tail}}/(\alpha - 1) - \sum \log(x_i/x_{\min})$ is zero
# at the estimate. The second derivative, $-n_{\text{tail}}/(\alpha-1)^2$, gives the standard error, for
# values that are independent: it is one over the root of minus this number. On the planted sample the estimate by
# hand is where the likelihood is greatest, the curvature there is the one stated, and the estimates from other such
# samples vary by the standard error, within a fifth.

# %% tags=["solution"]
log_values = np.log(planted)  # the threshold is 1
grid = np.linspace(2, 5, 30001)
likelihood = len(planted) * np.log(grid - 1) - grid * log_values.sum()
best = likelihood.argmax()
assert abs(grid[best] - by_hand) < 1e-3
stated = (by_hand - 1) / np.sqrt(len(planted))
curvature = (likelihood[[best - 100, best + 100]] - likelihood[best]).sum()
curvature /= (grid[best + 100] - grid[best]) ** 2
assert abs(curvature * stated**2 + 1) < 0.01
rng = np.random.default_rng(1)
estimates = [
    1 + 5000 / np.log1p(rng.pareto(2.5, 5000)).sum() for _ in range(400)
]
assert abs(np.std(estimates) / stated - 1) < 0.2

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Scales that no prediction shows
# :label: ex-spectra-scales
#
# *Understand, medium, 15 minutes.* What does multiplying all weights of a layer by $c > 0$ do to the exponent, to
# alpha-hat in each convention, and to the predictions of a network without biases? Now take positive factors, one for
# each unit, and divide the outgoing weights of the unit by them. What happens to the outputs? Can such factors bring
# the exponent of layer 1 near a chosen value?
# :::
#
# :::{solution-start} ex-spectra-scales
# :class: dropdown
# :::
#
# The exponent stays, $\lambda_{\max}$ is multiplied by $c^2$, and so $\hat\alpha$ moves by
# $\alpha \log c^2 / L$, with the logarithm of the convention. The {term}`logits <logit>` of a network of {term}`ReLUs <ReLU>` without
# biases are multiplied by $c$, and the predicted classes stay. So a factor that changes no prediction
# changes alpha-hat, which a measure of generalisation should not do. Factors of single units change
# no output at all, but they change the exponent: factors drawn from a law whose density falls with the
# square multiply the eigenvalues by numbers whose density has the exponent one and a half, and pull
# the exponent of layer 1 down to it, within a tenth. That of layer 2, whose inputs are divided by them, moves less than half as far.

# %% tags=["solution"]
x = images.test.x[:500]
scaled = models.clone(networks[0])
scaled[1].weight.data *= 10
assert torch.allclose(scaled(x), 10 * networks[0](x), rtol=1e-3, atol=1e-3)
one_layer, ten_fold = (
    spectra.fit_power_law(spectra.layer_spectra(m)[0].eigenvalues).alpha
    for m in (networks[0], scaled)
)
assert np.isclose(one_layer, ten_fold, rtol=1e-3)
for convention in conventions:
    log = np.log if convention == "deepdataprofiler" else np.log10
    both = networks[0], scaled
    old, new = (spectra.alpha_hat(m, convention, 40) for m in both)
    assert np.isclose(new - old, one_layer * log(10**2) / 2, rtol=1e-3)

rescaled = models.clone(networks[0])
draws_of = 1 + np.random.default_rng(0).pareto(1, len(rescaled[1].weight))
unit_factors = torch.tensor(draws_of, dtype=torch.float32)
rescaled[1].weight.data *= unit_factors[:, None]
rescaled[3].weight.data /= unit_factors
assert torch.allclose(rescaled(x), networks[0](x), rtol=1e-3, atol=1e-3)
pulled = spectra.fit_power_law(spectra.layer_spectra(rescaled)[0].eigenvalues)
assert pulled.alpha < one_layer and abs(pulled.alpha - 1.5) < 0.15
second_layer = [
    spectra.fit_power_law(spectra.layer_spectra(m)[1].eigenvalues).alpha
    for m in (networks[0], rescaled)
]
assert abs(np.diff(second_layer)[0]) < (one_layer - pulled.alpha) / 2

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} A heavy tail without training
# :label: ex-spectra-heavy-entries
#
# *Understand, medium, 15 minutes.* Plant a heavy tail: a 256 × 512 matrix of independent {term}`Student-t <Student-t distribution>` entries with 1.5 degrees of
# freedom. What is its exponent, with no training at all? What does a shuffle change? And with 3 degrees of freedom?
# :::
#
# :::{solution-start} ex-spectra-heavy-entries
# :class: dropdown
# :::
#
# The largest entries make the largest eigenvalues, so entries with $\nu$ degrees of freedom give
# eigenvalues whose density has the exponent $1 + \nu/2$. For 1.5 degrees of freedom the medians of the fits agree
# with it within a fifth, and lie below 2: a matrix of noise can be "over-trained" without any
# training. So are its shuffles, because the tail is in the entries and not in their order: a shuffle is a null for
# structure between entries only. With 3 degrees of freedom the same reasoning fails: the medians are
# larger than it says by more than half, before and after a shuffle. The entries then have a finite variance, and most
# eigenvalues form a bulk. That the tail is chosen so deep that most of it lies inside the bulk is not the reason: the
# ten largest eigenvalues alone have no smaller exponent. The reason is that a large entry adds a direction to the
# noise of the others, and its eigenvalue starts at the edge of the bulk and not at zero. Turned into strengths, as in the
# exercise {ref}`How strong is what shows? <ex-spectra-strengths>`, the same ten values have the exponent of the entries, within a
# fifth.

# %% tags=["solution"]
planted_tails, deep, of_ten, of_strengths = {}, [], [], []
for freedom in (1.5, 3):
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        w = rng.standard_t(freedom, size=(256, 512))
        mixed_up = rng.permutation(w.ravel()).reshape(w.shape)
        of_both = [
            spectra.layer_spectra({"w": torch.tensor(matrix)})[0]
            for matrix in (w, mixed_up)
        ]
        both_fits = [spectra.fit_power_law(s.eigenvalues) for s in of_both]
        found.append([f.alpha for f in both_fits])
        if freedom == 3:
            deep.append(spectra.spikes(of_both[0]) / both_fits[0].n_tail)
        if freedom == 3:
            ten = of_both[0].eigenvalues[:10]
            over = ten / random_matrices.bulk_variance(
                of_both[0].eigenvalues, of_both[0].aspect_ratio
            )
            excess = over - 1 - 256 / 512
            root_of = np.sqrt(np.maximum(excess**2 - 4 * 256 / 512, 0))
            of_ten.append(alpha_of_largest(ten, 10))
            of_strengths.append(alpha_of_largest((excess + root_of) / 2, 10))
    planted_tails[freedom] = np.median(found, axis=0)  # as drawn, shuffled
expected = {freedom: 1 + freedom / 2 for freedom in planted_tails}
assert all(abs(planted_tails[1.5] / expected[1.5] - 1) < 0.2)
assert all(planted_tails[1.5] < 2)
assert all(planted_tails[3] > 1.5 * expected[3])
assert np.median(deep) < 0.5 and np.median(of_ten) > 1.5 * expected[3]
assert abs(np.median(of_strengths) / expected[3] - 1) < 0.2

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Fit a tail
# :label: ex-spectra-tail
#
# *Code, medium, 25 minutes.* `problem("spectra-tail", SEED)` gives one array: positive numbers in random order, the
# largest of which follow a power law. Write the fit of this chapter with numpy alone. Try each value but the
# largest as the threshold; take the exponent from {eq}`eq-alpha`; choose the threshold whose tail lies nearest to its
# law. The distance is the largest difference, over the values $x$ of the tail, between the law's share below $x$,
# $1 - (x / x_{\min})^{1 - \alpha}$, and the share of the tail's values that are smaller than $x$.
#
# ```python
# def fit_tail(values):
#     """Exponent and threshold of the power law in the tail of ``values``.
#
#     >>> values = np.array([4.0, 1.0, 7.0, 2.0, 3.0, 2.5, 0.5, 1.9])
#     >>> np.round(fit_tail(values), 2)
#     array([3.12, 1.9 ])
#     """
# ```
#
# ```python
# check("spectra-tail", fit_tail, SEED)
# ```
# ::::
#
# :::{solution-start} ex-spectra-tail
# :class: dropdown
# :::
#
# Sort the values, so that the values below each one are counted by its place. The fit is that of
# {py:func}`.spectra.fit_power_law`. With all values in the tail, and
# no choice of a threshold, the exponent of this sample would be smaller.


# %% tags=["solution"]
def fit_tail(values):
    values, best = np.sort(values), (np.inf,)
    for threshold in values[:-1]:
        inside = values[values >= threshold]
        alpha = 1 + len(inside) / np.log(inside / threshold).sum()
        law = 1 - (inside / threshold) ** (1 - alpha)
        distance = np.abs(law - np.arange(len(inside)) / len(inside)).max()
        best = min(best, (distance, alpha, threshold))
    return best[1:]


check("spectra-tail", fit_tail, SEED)
(sample,) = problem("spectra-tail", SEED)
of_book = spectra.fit_power_law(sample)
assert np.allclose(fit_tail(sample), [of_book.alpha, of_book.xmin])
everything = 1 + len(sample) / np.log(sample / sample.min()).sum()
assert everything < of_book.alpha

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} How strong is what shows?
# :label: ex-spectra-strengths
#
# *Code, medium, 20 minutes.* `problem("spectra-strengths", SEED)` gives a matrix `w`: normal noise of variance 1, and a
# few directions that were added to it. A direction of strength $s$ is the matrix $\sqrt{n s}\, u v^\top$ with
# vectors $u$ and $v$ of length 1. In such noise it shows at the eigenvalue
# $(1 + s)(1 + m / (n s))$ if $s$ is above the BBP threshold $\sqrt{m / n}$, and not at all if it is below. Find the
# strengths of the directions that show. As in this chapter, eigenvalues are squared singular values over $n$, and those
# above `random_matrices.largest_noise_eigenvalue(w.shape)` show. Allowed are that function and `np.linalg.svd`.
#
# ```python
# def strengths_of(w):
#     """Strengths of the directions that show in ``w``, the largest first.
#
#     >>> np.round(strengths_of(np.diag([6.0, 0, 0, 0])), 2)
#     array([6.85])
#     """
# ```
#
# ```python
# check("spectra-strengths", strengths_of, SEED)
# ```
# ::::
#
# :::{solution-start} ex-spectra-strengths
# :class: dropdown
# :::
#
# The equation is $s^2 - (\lambda - 1 - m / n)\, s + m / n = 0$. The product of its roots is $m / n$, so that
# one lies above the BBP threshold and one below it; a direction that shows has the larger. Noise adds more to a strength
# than its own variance: each eigenvalue is larger than one plus the strength. Noise that is drawn again with these
# strengths in random directions shows the same eigenvalues, on average within a tenth. That is how the chapter makes
# noise with spikes.


# %% tags=["solution"]
def strengths_of(w):
    m, n = sorted(w.shape)
    seen = np.linalg.svd(w, compute_uv=False) ** 2 / n
    seen = seen[seen > random_matrices.largest_noise_eigenvalue(w.shape)]
    excess = seen - 1 - m / n
    return (excess + np.sqrt(excess**2 - 4 * m / n)) / 2


check("spectra-strengths", strengths_of, SEED)
(w,) = problem("spectra-strengths", SEED)
sizes_of, (m, n) = strengths_of(w), sorted(w.shape)
shown = (np.linalg.svd(w, compute_uv=False) ** 2 / n)[: len(sizes_of)]
assert (shown > 1 + sizes_of).all() and (sizes_of > np.sqrt(m / n)).all()
rng, drawn_again = np.random.default_rng(0), []
for _ in range(50):
    left, right_of = (
        np.linalg.qr(rng.normal(size=(side, len(sizes_of))))[0]
        for side in (m, n)
    )
    added = left * np.sqrt(n * sizes_of) @ right_of.T
    again = np.linalg.svd(rng.normal(size=(m, n)) + added, compute_uv=False)
    drawn_again.append(again[: len(sizes_of)] ** 2 / n)
assert np.allclose(np.mean(drawn_again, axis=0), shown, rtol=0.1)

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} What chance gives within groups
# :label: ex-spectra-groups
#
# *Code, hard, 30 minutes.* `problem("spectra-groups", SEED)` gives three arrays with one entry for each network: a
# measure, the test error, and the number of its group. Find Kendall's tau of the measure with the error within the
# groups (the mean over groups of the tau in each), and its p-value: the share of all orders of the errors, reordered
# within their groups alone, whose tau is at least as far from zero on either side. Take each order once and draw
# nothing: `itertools.permutations` gives the orders of one group, and `itertools.product` combines groups. No values
# tie. Let taus that differ by less than `1e-9` count as equal, for rounding.
#
# ```python
# def tau_in_groups(measure, error, group):
#     """Kendall's tau within groups, and its p-value.
#
#     >>> measure, error = np.array([1, 2, 5, 6]), np.array([2, 1, 6, 5])
#     >>> np.round(tau_in_groups(measure, error, np.array([0, 0, 1, 1])), 2)
#     array([-1. ,  0.5])
#     """
# ```
#
# ```python
# check("spectra-groups", tau_in_groups, SEED)
# ```
# ::::
#
# :::{solution-start} ex-spectra-groups
# :class: dropdown
# :::
#
# The groups are reordered independently, so each order of all errors has the mean of one tau from each group. The
# p-value can't be zero, because the order that was found is one of those that count. Over all pairs, across groups,
# the tau of the same networks has the opposite sign: this is Simpson's paradox, planted. A p-value from orders of all
# errors, across groups, would answer another question.


# %% tags=["solution"]
def tau_in_groups(measure, error, group):
    inside = [np.flatnonzero(group == g) for g in np.unique(group)]

    def tau(a, b):
        i, j = np.triu_indices(len(a), 1)
        return np.mean(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]))

    of_groups = [
        [tau(measure[g], error[list(o)]) for o in itertools.permutations(g)]
        for g in inside
    ]
    taus = np.array([np.mean(each) for each in itertools.product(*of_groups)])
    return taus[0], np.mean(np.abs(taus) >= abs(taus[0]) - 1e-9)


check("spectra-groups", tau_in_groups, SEED)
measure, error, group = problem("spectra-groups", SEED)
within_groups, p_within = tau_in_groups(measure, error, group)
across_groups = spectra.kendall_tau(measure[:, None], error)[0]
assert within_groups * across_groups < 0 < p_within

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Forget the mean
# :label: ex-spectra-forgotten-mean
#
# *Break, medium, 30 minutes.* Two claims of the {term}`ledger` divide each spectrum by its mean before they take logarithms:
# `spectra_recipe`, the distance between two learning rates minus that between two seeds, and `spectra_settings`, the share
# of the variance that lies between settings. Forget the division in both, for the networks and for their shuffled
# nulls: that is, take `np.log(v)` in place of `np.log(v / v.mean())` in `distances` and in `log_spectrum`. Predict for each claim: does its
# value leave the band, does its null enter it, or does the claim hold?
# And `spectra_spikes` and `spectra_noise_with_spikes`, which count spikes and compare exponents: what becomes of them if
# all eigenvalues are multiplied by one factor?
# :::
#
# :::{solution-start} ex-spectra-forgotten-mean
# :class: dropdown
# :::
#
# Both of the first two fail, in two ways. The mean of a spectrum is the mean square of the weights, which differs
# between rates and between settings, and a shuffle keeps it. Undivided, the distance between two rates
# leaves its band: it now holds the difference of the sizes, which the shuffled layers show as well. On CIFAR-10 both the
# distance and its null then lie above the band, so this claim fails by its value and not by its null. It could be
# saved: a shuffle keeps the sizes, and the distance minus that of the shuffle is nearly the same, within a
# fifth, undivided and divided. The share between
# settings *stays* in its band, so that the number alone looks right; but the share of the shuffled layers enters the
# band, and a finding whose null passes is none. The last two claims hold. A factor multiplies the bulk with the
# spikes and the threshold with the values, so that neither the counts nor the exponents change.

# %% tags=["solution"]
weights = networks[0][1].weight.detach().double()
assert np.isclose(layers[0].eigenvalues.mean(), (weights**2).mean())
raw = {
    kind: np.array(
        [
            [np.log(spectra.layer_spectra(m)[0].eigenvalues) for m in members_]
            for members_ in compared[kind]
        ]
    )
    for kind in ("trained", "shuffled")
}
share, shuffled_share = (share_between(found) for found in raw.values())
refused = claims.verdict(
    "spectra_settings", share, images.name, null=shuffled_share
)
assert claims.verdict("spectra_settings", share, images.name) == ""
assert refused or claims.band("spectra_settings", images.name) is None
assert shuffled_share > 0.8


def undivided(slow, fast, pair):
    """As `distances`, without the mean: between rates minus between seeds."""
    differences = []
    for name in hidden:
        a, b = (
            np.log(np.array(group[name])[pair])[:, : max(1, spikes[name])]
            for group in (slow, fast)
        )
        within = np.abs([a[0] - a[1], b[0] - b[1]]).mean()
        differences.append(np.abs(a[:, None] - b).mean() - within)
    return np.mean(differences)


broken, broken_null = (
    np.mean([undivided(*two, pair) for pair in pairs])
    for two in [
        (eigenvalues[slow_name], eigenvalues[fast_name]),
        (eigenvalues["shuffled"], shuffled_fast),
    ]
)
refused = claims.verdict("spectra_recipe", broken, images.name)
assert refused or claims.band("spectra_recipe", images.name) is None
assert broken_null > 3 * -np.diff(apart_shuffled).mean()
if limits_ := claims.band("spectra_recipe", images.name):
    assert images.name != "cifar10" or min(broken, broken_null) > limits_[1]
over_shuffle = -np.diff(apart).mean() + np.diff(apart_shuffled).mean()
if images.name == "cifar10":
    assert abs((broken - broken_null) / over_shuffle - 1) < 0.2

for name, layer in hidden.items():
    ten_fold = [10 * v for v in eigenvalues[slow_name][name]]
    again = [
        spectra.spikes(dataclasses.replace(layer, eigenvalues=v))
        for v in ten_fold
    ]
    assert again == counts[slow_name][name]
    exponents = [spectra.fit_power_law(v).alpha for v in ten_fold]
    assert np.allclose(exponents, alphas[slow_name][name])

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Where does the tail of layer 2 come from?
# :label: ex-spectra-layer-two
#
# *Project, hard, 480 minutes.* What the chapter says of the tail's origin is about layer 1: a random change with
# the images' covariance and the right length has nearly its exponent. The inputs of layer 2 are activations, which
# change while the network learns. Does a random change with *their* covariance have nearly the exponent of layer 2?
# Say before you look what would count as a no.
# :::
#
# :::{solution-start} ex-spectra-layer-two
# :class: dropdown
# :::
#
# A good answer has a question that can fail: a distance between exponents, and a band for it that follows from the
# spread over starts. It says which activations it takes: those of the start are known before training, those of the
# trained network contain what was learned. Its strongest null is a change of the same length with the same entries in a random
# order; a second one has the covariance of the activations after training on random labels. It has several starts, two rates or
# more, and several draws for each, and brings all changes to one length, because a shorter one shows less. Its error is the
# deviation over starts, and not the standard error of the fit. It looks at the spikes, too, since different
# spikes can have nearly the same exponent. A first step: the leading right vectors of the change of
# layer 2 lie in the first principal directions of the activations at the start, at least twice as much as those
# of the same change shuffled, for each of our starts. That is more than nothing and far from all: on CIFAR-10 it is less than a fifth, and a shuffle is a
# weak null, since it has no directions of its own.

# %% tags=["solution"]
rng, leading = np.random.default_rng(0), 10
for seed, model in enumerate(networks):
    begun_two = training.start(make_mlp, seed)
    inputs_two = models.outputs(begun_two, images.train.x[:2000], [2])[2]
    moment = (inputs_two.T @ inputs_two).double().numpy() / len(inputs_two)
    first_ones = np.linalg.eigh(moment)[1][:, ::-1][:, :leading]
    change = (model[3].weight - begun_two[3].weight).detach().double().numpy()
    in_order, mixed_up = (
        ((singular_vectors(c)[1][:leading] @ first_ones) ** 2).sum() / leading
        for c in (change, rng.permutation(change.ravel()).reshape(change.shape))
    )
    assert in_order > 2 * mixed_up
    assert images.name != "cifar10" or in_order < 0.2

# %% [markdown]
# :::{solution-end}
# :::
#
# ## Further reading
#
# The theory: {cite:t}`martin2021`, and in newer form {cite:t}`martin2025setol`; the study across
# published models: {cite:t}`martin2021nature`; the paradox: {cite:t}`martin2021simpson`. Random matrix
# analysis with another conclusion: {cite:t}`thamm2022`. Exponents that depend on the aspect ratio:
# {cite:t}`hu2025farms`. Exponents that say how much of each layer of a language model to prune:
# {cite:t}`lu2024alphapruning`. Why stochastic gradient descent could make heavy tails:
# {cite:t}`hodgkinson2021`. Fitting power laws: {cite:t}`clauset2009`; the package: {cite:t}`alstott2014`.
# Convolutions: {cite:t}`sedghi2019`. Likelihood ratios: {cite:t}`vuong1989`.
