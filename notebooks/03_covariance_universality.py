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
# # Covariance universality
#
# **The question.** Two networks with different weights reach the same accuracy. Do they share the
# {term}`covariances <covariance>` of their weights and activations, and is that all that they share?
#
# **What you will be able to do.** Compute the {term}`second moments <second moment>` of all layers in
# one pass over the data; bring two networks into one {term}`frame` by an {term}`orthogonal map`, and
# say how much of the variance that explains, and how much it explains between networks that have
# learned nothing; count the directions that a layer has learned; and draw new networks from
# covariances.
#
# **What you need.** Eigenvectors, singular values, covariance. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 40 minutes to read. {run-time}`here`
#
# The chapter follows a tutorial of the Bonner Lab {cite:p}`bonnerlab2024` on the method of
# {cite:t}`guth2024`. Where the tutorial went wrong, the text says so.

# %% tags=["hide-input"]
from itertools import combinations, product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown

from netdist_utils import (
    claims,
    covariance,
    data,
    models,
    plotting,
    random_matrices,
    settings,
    training,
    zoo,
)

plotting.use_style()
C, LEVELS = plotting.COLORS, plotting.LEVELS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    networks=(3, 3, 20),
    untrained=(3, 3, 5),
    draws=(4, 10, 50),
    images=(1000, 10000, 50000),
    clip_images=(300, 10000, 10000),
)


def percent(share, digits=0):
    """A share in words of the text."""
    return f"{100 * share:.{digits}f} %"


# %% [markdown]
# ## Data and networks
#
# The data are the images of CIFAR-10 in shades of gray ({numref}`fig-gray-images`). The network is a
# multi-layer perceptron with two hidden layers and no biases,
#
# $$W_3 \operatorname{relu}(W_2 \operatorname{relu}(W_1 x)),$$
#
# of 1,024 inputs, 512 and 256 hidden units and 10 outputs. As in the source, it is trained for five
# epochs. Beside the trained networks stand a few {term}`untrained ones <untrained network>` from other
# seeds. Where one network is looked at, it is network 1.

# %%
images = data.images()
make_mlp, recipe = zoo.gray_mlp(images), zoo.recipe(images)
seeds = range(knobs.networks)
networks = training.fit_ensemble(make_mlp, images.train, seeds, **recipe)
untrained = [training.start(make_mlp, 100 + k) for k in range(knobs.untrained)]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-gray-images", "caption": "Eight training images and their classes, as the networks see them: small, and without colour."}, "image": {"alt": "Eight small gray pictures in a row, each with the name of its class above it."}}
plotting.picture_grid(
    [data.pixels(images.train.x[:8])],
    titles=[[images.classes[int(label)] for label in images.train.y[:8]]],
)
plt.show()

# %% tags=["remove-input"]
data.notice(images)

# %% tags=["remove-input"]
accuracies = np.array([training.accuracy(m, images.test) for m in networks])
claims.check("covariance_mlp_accuracy", accuracies.mean(), images.name)
Markdown(
    f"The accuracy on held-out images is {accuracies.mean():.3f} on average, and the standard deviation "
    f"over {len(networks)} networks is {accuracies.std(ddof=1):.3f}. The source reports 0.427."
)

# %% [markdown]
# ## Second moments in one pass
#
# For a layer with activations $\varphi$, a row vector, the second moment is
# $\mathbb E[\varphi^\top \varphi]$, and the covariance is what is left of it after the means are taken
# out. The activations of all images need not be kept: add up $\varphi^\top \varphi$ batch by batch.
# Put the activations of several networks side by side, and one product gives the second moment of each
# of them and the {term}`cross moment` of every two. {py:func}`.covariance.moments` does this for several
# layers at once, and its memory does not grow with the number of images.

# %%
layers = [2, 4]  # the outputs of the two ReLUs
group = [*networks, *untrained]
train = covariance.moments(group, images.train.x, layers)
held_out = covariance.moments(group, images.test.x, layers)
inputs = covariance.moments(networks[:1], images.train.x, [0])

# %% tags=["remove-input"]
of_mean = [
    float(train[k].mean().square().sum() / train[k].second().trace())
    for k in layers
]
Markdown(
    "The source calls the second moment a covariance. The difference is large: the means alone make up "
    f"{percent(of_mean[0])} and {percent(of_mean[1])} of the trace of the second moment in hidden layers 1 and 2."
)

# %% [markdown]
# ## How many directions does a layer need?
#
# The {term}`eigenvectors <eigenvector>` of the second moment of a layer's input are its
# {term}`principal directions <principal direction>`. Their {term}`eigenvalues <eigenvalue>` say how
# much of the input lies along each ({numref}`fig-moment-spectra`). A small eigenvalue need not mean
# that a direction is useless, so test it: project the input on its first $k$ directions, leave the
# rest of the network as it is, and measure the accuracy ({numref}`fig-clipping`). This {term}`clipping`
# is done for every $k$, exactly. From $k$ to $k + 1$ the layer's output changes by one term, so
# {py:func}`.covariance.clip_curve` copies no model.

# %%
clipped = images.test.first(knobs.clip_images)
seconds = {
    "input": (1, inputs.second(0)),
    "hidden layer 1": (3, train.second(2)),
    "hidden layer 2": (5, train.second(4)),
}
bases, curves = {}, {}
for name, (layer, moment) in seconds.items():
    _, basis = covariance.spectrum(moment)
    bases[name] = basis.float()
    curves[name] = covariance.clip_curve(
        networks[0], layer, bases[name], clipped
    )

# %% tags=["remove-cell"]


def shares(moment):
    """Eigenvalues as shares of their sum."""
    values = covariance.spectrum(moment)[0].cpu().numpy()
    return values / values.sum()


def slope(values):
    """Power of the rank by which eigenvalues 3 to 100 fall, by least squares."""
    some = slice(2, min(100, int((values > 1e-9).sum())))
    ranks = np.arange(1, len(values) + 1)
    return np.polyfit(np.log(ranks[some]), np.log(values[some]), 1)[0]


of_group = {k: [shares(train[k].second(i)) for i in range(len(group))] for k in layers}  # fmt: skip
n = len(networks)
slopes = {
    k: (
        [slope(v) for v in of_group[k][:n]],
        [slope(v) for v in of_group[k][n:]],
    )
    for k in layers
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-moment-spectra", "caption": "Eigenvalues of the second moments, as shares of their sum, on logarithmic axes: of the images, and of the two hidden layers of every trained and untrained network. The curves of the trained networks lie on top of one another, and so do those of the untrained networks. After the first few ranks the trained ones fall faster."}, "image": {"alt": "Three panels of falling curves on logarithmic axes: one curve for the input, and in each of the two hidden layers a bundle of trained and a bundle of untrained networks. The two bundles lie close together and cross; the untrained ones fall steeply at the first ranks and less steeply after them."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3), sharey=True)
values = shares(inputs.second(0))
axes[0].plot(range(1, len(values) + 1), values, color=C["ink"])
axes[0].set(title="input")
for ax, layer in zip(axes[1:], layers, strict=True):
    for i, values in enumerate(of_group[layer]):
        label = {0: "trained", n: "untrained"}.get(i)
        color, dash = (C["matched"], "-") if i < n else (C["null"], "--")
        ax.plot(
            range(1, len(values) + 1), values, dash, color=color, label=label
        )
    ax.set(title=f"hidden layer {layer // 2}")
axes[1].legend(loc="lower left")
for ax in axes:
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="rank",
        xlim=(0.7, 1500),
        ylim=(1e-7, 1),
    )
axes[0].set(ylabel="share of the second moment")
plt.show()

# %% tags=["remove-input"]
mean = {k: [np.mean(s) for s in found] for k, found in slopes.items()}
spread = max(np.std(s, ddof=1) for found in slopes.values() for s in found)
Markdown(
    "From rank 3 to rank 100 the eigenvalues of trained networks fall as the rank to the power "
    f"${mean[2][0]:.2f}$ in hidden layer 1 and ${mean[4][0]:.2f}$ in hidden layer 2; those of untrained "
    f"networks as the rank to the power ${mean[2][1]:.2f}$ and ${mean[4][1]:.2f}$. No standard deviation over "
    f"networks exceeds {np.ceil(100 * spread) / 100:.2f}. So training changes the spectra, and changes them "
    "in the same way in all networks."
)

# %% [markdown]
# A straight stretch on logarithmic axes is not yet a {term}`power law`;
# {doc}`chapter 5 </notebooks/05_heavy_tailed_spectra>` tests for one.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-clipping", "caption": "Accuracy of network 1 on held-out images when only the first k principal directions of the input, of hidden layer 1 or of hidden layer 2 are kept. All three curves are nearly flat long before all directions are kept."}, "image": {"alt": "Three rising curves of accuracy against the number of directions kept, on a logarithmic axis. Each starts near chance and levels off well before its end."}}
fig, ax = plt.subplots(figsize=(7.2, 2.9))
for (name, accuracy), color in zip(curves.items(), LEVELS, strict=False):
    ax.semilogx(range(1, len(accuracy) + 1), accuracy, color=color, label=name)
ax.axhline(0.1, ls=":", color=C["null"], label="chance")
ax.set(xlabel="directions kept, k", ylabel="accuracy", ylim=(0, None))
ax.legend(loc="upper left")
plt.show()


# %% tags=["remove-input"]
def enough(curve):
    """Directions that give 99 % of the accuracy."""
    return int((curve >= 0.99 * curve[-1]).nonzero()[0, 0]) + 1


needs = [f"{enough(c)} of {len(c):,}" for c in curves.values()]
Markdown(
    f"99 % of the accuracy is reached with {needs[0]} directions of the input, {needs[1]} of hidden layer 1 "
    f"and {needs[2]} of hidden layer 2."
)

# %% [markdown]
# Drag the slider of {numref}`fig-rank-slider`: with few directions the network sees blurred pictures,
# and is nearly as good.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rank-slider", "caption": "A figure with a handle: accuracy of network 1, and six held-out images, rebuilt from the first k principal directions of the training images. Drag the slider or the dot."}}
covariance.rank_slider(
    networks[0],
    1,
    clipped,
    images.train.x.shape[-2:],
    images.classes,
    basis=bases["input"],
)

# %% [markdown]
# ## The covariance of weights
#
# The rows of $W$ are the input weights of a layer's units. Their second moment is
# $C = W^\top W / H$ for $H$ rows; as their means are nearly zero, it is their covariance as well. How
# much of it was learned? Compare it with noise. The eigenvalues of a covariance of noise fill an
# interval, the {term}`bulk`, whose ends the {term}`Marchenko-Pastur law` gives
# {cite:p}`marchenko1967`, and the {term}`Tracy-Widom law` says how far the largest of them strays
# {cite:p}`johnstone2001`. An eigenvalue counts as a {term}`spike` here if it lies above the value that
# the largest eigenvalue of noise stays below with probability 0.99. So a layer of pure noise shows any
# spike at all in one case of a hundred.
#
# Which noise? There are two answers. The first is the noise before training. The source has it that
# weights start with covariance identity, but PyTorch draws them with variance $1/(3D)$ for $D$ inputs.
# The second is the noise in the trained layer. Training also spreads the weights along directions in
# which nothing can be made out, and the variance of the trained bulk, which
# {py:func}`.random_matrices.bulk_variance` estimates from the median eigenvalue, is larger.
# {numref}`fig-weight-spectra` shows the bounds of both.


# %%
def noise_edges(weight):
    """What noise stays below, by the start's variance and by the bulk's."""
    values, _ = covariance.weight_spectrum(weight)
    rows, columns = weight.shape
    ratio = columns / rows  # random_matrices divides by the longer side
    bulk = random_matrices.bulk_variance(values.cpu() / ratio, ratio)
    bound = random_matrices.largest_noise_eigenvalue((rows, columns))
    start = 1 / (3 * columns)
    return {"start": ratio * start * bound, "bulk": ratio * bulk * bound}


# %% tags=["remove-cell"]
rows, weight_curves = [], {}
for layer in (1, 3):
    for model in networks:
        values, directions = covariance.weight_spectrum(model[layer].weight)
        edge = noise_edges(model[layer].weight)
        counts = {k: int((values > e).sum()) for k, e in edge.items()}
        rows.append(
            {
                "layer": layer // 2 + 1,
                "growth": edge["bulk"] / edge["start"] - 1,
                **counts,
            }
        )
        if model is networks[0]:
            curve = covariance.clip_curve(model, layer, directions, clipped)
            weight_curves[layer] = curve, counts
learned = pd.DataFrame(rows).groupby("layer")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-weight-spectra", "caption": "Top: eigenvalues of the weight covariance of every network, trained and at its start, with the bounds below which noise of the variance of the start (dotted) and of the trained bulk (dash-dotted) stays. Bottom: accuracy of network 1 when its weights keep only their first k directions, with the numbers of spikes above the two bounds. The accuracy is still rising where the spikes end."}, "image": {"alt": "Four panels, one column a layer. Top: falling eigenvalues on a logarithmic axis; the trained ones begin far above the dashed ones of the start and keep slightly above them; two horizontal lines lie close together. Bottom: a rising curve of accuracy with two vertical lines at its left, at which it has not yet reached its final height."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5.2), sharex="col")
lines = [("start", ":", "noise of the start"), ("bulk", "-.", "noise of the bulk")]  # fmt: skip
for (top, bottom), layer in zip(axes.T, (1, 3), strict=True):
    starts = [training.start(make_mlp, seed) for seed in seeds]
    for members, color, dash, label in [
        (networks, C["matched"], "-", "trained"),
        (starts, C["null"], "--", "at the start"),
    ]:
        for k, model in enumerate(members):
            values = covariance.weight_spectrum(model[layer].weight)[0].cpu()
            top.semilogy(
                range(1, len(values) + 1),
                values,
                dash,
                color=color,
                lw=1.2,
                label=label if k == 0 else None,
            )
    curve, counts = weight_curves[layer]
    edge = noise_edges(networks[0][layer].weight)
    for noise, dash, label in lines:
        top.axhline(edge[noise], color=C["ink"], ls=dash, lw=1, label=label)
        bottom.axvline(counts[noise], color=C["ink"], ls=dash, lw=1)
    bottom.plot(range(1, len(curve) + 1), curve, color=C["matched"])
    top.set(title=f"layer {layer // 2 + 1}", ylim=(values.median() / 20, None))
    bottom.set(xlabel="rank, or directions kept, k", ylim=(0, None))
axes[0, 0].set(ylabel="eigenvalue of C")
axes[1, 0].set(ylabel="accuracy")
axes[0, 1].legend()
plt.show()

# %% tags=["remove-input"]
count = learned[["start", "bulk"]].mean()
wander = learned[["start", "bulk"]].std().to_numpy().max()
loss = {
    layer: 100 * float(curve[-1] - curve[counts["start"] - 1])
    for layer, (curve, counts) in weight_curves.items()
}
needs = [f"{enough(c)} of {len(c)}" for c, _ in weight_curves.values()]
growth = learned["growth"].mean()
Markdown(
    f"Above the noise of the start stand {count['start'][1]:.0f} eigenvalues of layer 1 and "
    f"{count['start'][2]:.0f} of layer 2; above the noise of the trained bulk, whose variance is larger by "
    f"{percent(growth[1])} and {percent(growth[2])}, stand {count['bulk'][1]:.0f} and {count['bulk'][2]:.0f} (means "
    f"over {len(networks)} networks; the standard deviations are at most {wander:.1f}). The source read "
    "about 50 and about 15 off the bend of the curve, and calls the loss of accuracy negligible if only "
    "these are kept. In network 1, keeping the directions above the noise of the start costs "
    f"{loss[1]:.1f} points of accuracy in layer 1 and {loss[3]:.1f} in layer 2, and 99 % of the accuracy "
    f"takes {needs[0]} and {needs[1]} directions."
)

# %% [markdown]
# So the directions below the bounds matter together, although none of them can be told from noise. That
# is no contradiction: a direction that was learned more weakly than the {term}`BBP threshold` shows in
# no eigenvalue {cite:p}`baik2005`. The spikes are a lower bound of what was learned.
#
# ## Aligning two networks
#
# The units of two networks come in different orders, and more generally in different frames. Look for
# the orthogonal $R$ that minimises $\mathbb E\,|\varphi R - \psi|^2$. Expand the square: only the cross
# term depends on $R$, so maximise $\operatorname{tr}(R^\top M)$ with the cross moment
# $M = \mathbb E[\varphi^\top \psi] = U \Sigma V^\top$. The answer is $R = U V^\top$
# {cite:p}`schonemann1966`, the {term}`Procrustes alignment` that {py:func}`.covariance.procrustes`
# finds, and the maximum is $\operatorname{tr} \Sigma$ (exercise 3). The source reports
#
# $$\frac{\operatorname{tr}\Sigma}{\sqrt{\mathbb E|\varphi|^2\, \mathbb E|\psi|^2}}$$ (eq-cosine)
#
# and calls it $r^2$. But {eq}`eq-cosine` is a {term}`cosine`: the {term}`share <share explained>` of
# $\psi$ that the best multiple of $\varphi R$ explains is its square. The source also leaves the means
# in, and measures on the images to which $R$ was fitted.
#
# Why should a good $R$ exist at all? The inner product of the activations of two images is a sum over
# units. If there are many of them and their weights are drawn independently from one distribution, the
# sum is close to its expectation, a {term}`kernel`, which is the same for all networks drawn like
# this. And two sets of vectors with the same inner products differ only by an orthogonal map. That is
# true of random weights too. So two controls stand beside each pair of trained networks: two untrained
# networks, and an untrained network with a trained one.


# %%
def cosines(layer, i, j):
    """Cosines of two networks, four ways to measure."""
    row = {}
    for kind in ("raw", "centred"):
        centered = kind == "centred"
        R = covariance.procrustes(train.second(layer, i, j, centered))
        for name, found in [("training", train), ("held out", held_out)]:
            cosine = covariance.alignment_cosine
            row[f"{kind}, {name}"] = cosine(found[layer], i, j, R, centered)
    return row


trained_, untrained_ = range(n), range(n, len(group))
pairs = {
    "trained": list(combinations(trained_, 2)),
    "untrained": list(combinations(untrained_, 2)),
    "untrained and trained": list(product(untrained_, trained_)),
}
found = pd.DataFrame(
    {"pair": kind, "layer": k // 2, **cosines(k, i, j)}
    for k in layers
    for kind, of_kind in pairs.items()
    for i, j in of_kind
)

# %% tags=["remove-cell"]
by_pair = found.groupby(["layer", "pair"], sort=False)
table, deviation = by_pair.mean(), by_pair.std().to_numpy().max()
raw, centred = table["raw, training"], table["centred, held out"]
claims.check("covariance_cosine_1", raw[1, "trained"], images.name)
claims.check("covariance_cosine_2", raw[2, "trained"], images.name)
gap = centred[2, "trained"] - centred[2, "untrained and trained"]
claims.check("covariance_cosine_control", gap, images.name)

# %% tags=["remove-input"]
table.index = [f"layer {k}: {kind}" for k, kind in table.index]
plotting.table(table.rename_axis("mean cosine over pairs"))

# %% tags=["remove-input"]
Markdown(
    f"Raw and on training images, as the source measures it, trained networks have cosines of "
    f"{raw[1, 'trained']:.3f} and {raw[2, 'trained']:.3f}; the source has 0.922 and 0.875. Two untrained "
    f"networks reach {raw[1, 'untrained']:.3f} and {raw[2, 'untrained']:.3f} by the same measure. Taking the "
    "means out lowers all cosines, and most of all in layer 2 where a network is untrained. Measuring on "
    "held-out images changes little, because there are many more images than units. The standard deviation "
    f"over pairs is at most {np.ceil(1000 * deviation) / 1000:.3f}, but pairs that share a network are not "
    "independent."
)

# %% [markdown]
# An orthogonal map is one choice among several. A {term}`permutation` of units is a special orthogonal
# map, and an orthogonal map is a special affine one, so each explains at least as much as the one before
# on the images to which it is fitted. {py:func}`.covariance.explained` fits the best of each kind on
# training images and measures on held-out images the share that it explains of the variance, with the
# means taken out. {numref}`fig-shares` shows it for all pairs.

# %%
explained = pd.DataFrame(
    {"pair": kind, "layer": k // 2, "map": name, "share": share}
    for k in layers
    for kind, of_kind in pairs.items()
    for i, j in of_kind
    for name, share in covariance.explained(train[k], held_out[k], i, j).items()
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-shares", "caption": "Share of the variance of one network that another explains on held-out images, by the kind of map between them, one dot a pair. Trained networks explain one another best by every map; but in layer 1 two untrained networks are not far behind, and no permutation explains much."}, "image": {"alt": "Two panels, one a layer. In each, three groups of dots that rise from permutation to orthogonal to affine. In each group trained pairs lie highest. In layer 2 the distance between trained and untrained pairs is larger than in layer 1."}}
palette = {
    "trained": C["matched"],
    "untrained": C["null"],
    "untrained and trained": C["other"],
}


def strips(frame, x, y, by, titles, legend, **style):
    """Strips of dots in two panels, with one legend above."""
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
    for ax, (name, part) in zip(axes, frame.groupby(by), strict=True):
        sns.stripplot(
            part, x=x, y=y, dodge=True, size=5, alpha=0.8, ax=ax, **style
        )
        ax.set_title(titles.format(name))
        handles, labels = ax.get_legend_handles_labels()
        ax.get_legend().remove()
    fig.legend(handles, labels, title=legend, loc="outside upper center", ncols=3)  # fmt: skip
    return axes


axes = strips(
    explained, "map", "share", "layer", "layer {}", "pair", hue="pair", palette=palette
)  # fmt: skip
for ax in axes:
    ax.set(xlabel="", ylim=(0, 1))
axes[0].set(ylabel="share explained")
plt.show()

# %% tags=["remove-input"]
by = explained.groupby(["map", "layer", "pair"]).share
mean, deviation = by.mean(), by.std().max()


def three(kind, layer):
    """Mean shares of the three kinds of pairs in words."""
    a, b, c = (percent(mean[kind, layer, pair]) for pair in palette)
    return f"{a} between trained networks, {b} between untrained ones and {c} between an untrained and a trained one"


def lead(kind, layer):
    """Points by which trained pairs share more than untrained ones."""
    both = (mean[kind, layer, pair] for pair in ("trained", "untrained"))
    return f"{100 * -np.diff(list(both))[0]:.0f}"


Markdown(
    f"An orthogonal map explains {three('orthogonal', 1)} in layer 1; in layer 2 it explains "
    f"{three('orthogonal', 2)} (standard deviations of at most {percent(deviation)}). So most of the share "
    "that two trained networks explain of one another is also reached by two networks that have learned "
    "nothing: it comes with the data and the architecture. Trained networks have "
    f"{lead('orthogonal', 1)} points more in layer 1 and {lead('orthogonal', 2)} points more in layer 2. A "
    f"permutation explains only {percent(mean['permutation', 1, 'trained'])} and "
    f"{percent(mean['permutation', 2, 'trained'])} between trained networks, and "
    f"{percent(mean['permutation', 1, 'untrained'])} and {percent(mean['permutation', 2, 'untrained'])} "
    "between untrained ones, so single units are little of what they share. An affine map, which may also "
    f"stretch, explains {percent(mean['affine', 1, 'trained'])} and "
    f"{percent(mean['affine', 2, 'trained'])}, and with it the trained networks lead the untrained ones by "
    f"{lead('affine', 1)} and {lead('affine', 2)} points."
)

# %% [markdown]
# ## Do the covariances agree?
#
# The cosines above compare activations, image by image. The question was about covariances. Turn a
# covariance $C$ of one network into the frame of the other, $R^\top C R$, and compare it with the
# covariance there. The inputs of layer 1 are pixels and need no $R$; the inputs of layer 2 are the
# units of layer 1 and take theirs. Any two covariances share an {term}`isotropic` part, a multiple of
# the identity, so take that out first. The cosine of what is left measures whether the same directions
# stand out ({numref}`fig-agreement`).


# %%
def matrix_cosine(one, two):
    """Cosine of two covariances, each less its isotropic part."""
    one, two = (
        c - c.diagonal().mean() * torch.eye(len(c)).to(c) for c in (one, two)
    )
    return float((one * two).sum() / (one.norm() * two.norm()))


weights = {k: [m[k].weight.double() for m in group] for k in (1, 3)}
covariances = {
    ("activations", 1): [train[2].covariance(k) for k in range(len(group))],
    ("activations", 2): [train[4].covariance(k) for k in range(len(group))],
    ("weights", 1): [w.T @ w / len(w) for w in weights[1]],
    ("weights", 2): [w.T @ w / len(w) for w in weights[3]],
}


def frames(i, j):
    """Orthogonal maps from network i to network j, by what they turn."""
    R1, R2 = (covariance.procrustes(train[k].covariance(i, j)) for k in layers)
    pixels = torch.eye(len(covariances["weights", 1][i])).to(R1)
    return dict(zip(covariances, (R1, R2, pixels, R1), strict=True))


# %% tags=["remove-cell"]
agreements = pd.DataFrame(
    {
        "pair": kind,
        "of": of,
        "layer": layer,
        "cosine": matrix_cosine(
            R.T @ covariances[of, layer][i] @ R, covariances[of, layer][j]
        ),
    }
    for kind, of_kind in pairs.items()
    for i, j in of_kind
    for (of, layer), R in frames(i, j).items()
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-agreement", "caption": "Cosine of the covariances of two networks in one frame, isotropic part removed, one dot a pair. Covariances of activations agree between trained networks and just as well between untrained ones. Covariances of weights agree between trained networks only."}, "image": {"alt": "Two panels, activations and weights, each with two groups of dots, layers 1 and 2. For activations the trained and the untrained pairs lie near one and the mixed pairs clearly lower. For weights the trained pairs lie near one half and all other pairs at zero."}}
axes = strips(
    agreements, "layer", "cosine", "of", "covariance of {}", "pair", hue="pair", palette=palette
)  # fmt: skip
axes[0].set(ylim=(-0.05, 1.05))
plt.show()

# %% tags=["remove-input"]
by = agreements.groupby(["of", "layer", "pair"]).cosine
mean, deviation = by.mean(), by.std()


def both(of, pair):
    """The means of both layers in words."""
    return " and ".join(f"{mean[of, k, pair]:.2f}" for k in (1, 2))


rest = mean.drop("trained", level="pair")["weights"].abs().max()
Markdown(
    f"In layers 1 and 2, covariances of activations have cosines of {both('activations', 'trained')} between "
    f"trained networks and {both('activations', 'untrained')} between untrained ones, so this agreement "
    f"alone is no sign of learning. Between an untrained and a trained network they have "
    f"{both('activations', 'untrained and trained')}: training changes the covariances, and changes them "
    f"alike in all networks. Covariances of weights have cosines of {both('weights', 'trained')} between trained "
    f"networks (standard deviations {deviation['weights', 1, 'trained']:.3f} and "
    f"{deviation['weights', 2, 'trained']:.3f}), and for no other kind of pair does the mean exceed "
    f"{np.ceil(1000 * rest) / 1000:.3f} in size. This agreement is there only after training."
)

# %% [markdown]
# Untrained networks are the weakest null there is: their rows are independent and isotropic, so zero is
# what one must expect of their weights. Networks that were trained on other labels would tell how much
# of the agreement comes from the images and how much from the task.
#
# Do single eigenvectors agree too? {numref}`fig-eigenvectors` compares each eigenvector of one network,
# turned by $R$, with each of another. If single directions are shared, the map is a diagonal. Where
# eigenvalues are close, eigenvectors mix, and only a subspace can be shared.

# %%
leading = {
    of: [covariance.spectrum(c)[1][:50] for c in of_networks]
    for of, of_networks in covariances.items()
}


def eigenvector_maps(i, j):
    """Absolute cosines of the leading eigenvectors of two networks."""
    return {
        of: (leading[of][i] @ R @ leading[of][j].T).abs().cpu()
        for of, R in frames(i, j).items()
    }


# %% tags=["remove-cell"]
diagonals = pd.DataFrame(
    {
        "pair": kind,
        "of": f"{of}, layer {layer}",
        "cosine": float(found.diagonal()[:10].mean()),
    }
    for kind in ("trained", "untrained")
    for i, j in pairs[kind]
    for (of, layer), found in eigenvector_maps(i, j).items()
).groupby(["of", "pair"])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-eigenvectors", "caption": "Absolute cosines between the first eigenvectors of two networks after alignment, ranked by eigenvalue: two trained networks above, two untrained networks below. The eigenvectors of activations line up at low rank in both rows. Those of weights line up between trained networks only."}, "image": {"alt": "Eight square maps in two rows. Above, for trained networks, all four have a bright diagonal at low rank that fades and widens. Below, for untrained networks, the two maps of activations have such a diagonal, and the two maps of weights are uniformly dark."}}
fig, axes = plt.subplots(2, 4, figsize=(7.2, 4.1), sharex=True, sharey=True)
for row, (kind, (i, j)) in zip(
    axes, [("trained", (0, 1)), ("untrained", (n, n + 1))], strict=True
):
    for ax, (name, found) in zip(
        row, eigenvector_maps(i, j).items(), strict=True
    ):
        size = len(found) + 0.5
        plotting.heatmap(
            found, ax, vmin=0, vmax=1, extent=(0.5, size, size, 0.5)
        )
        if kind == "trained":
            ax.set_title(f"{name[0]},\nlayer {name[1]}")
    row[0].set_ylabel(f"{kind}:\nrank, one network")
fig.supxlabel("rank, the other network", fontsize=10.5)
fig.colorbar(axes[0, 0].images[0], ax=axes, label="cosine", shrink=0.6)
plt.show()

# %% tags=["remove-input"]
mean, deviation = diagonals.cosine.mean(), diagonals.cosine.std()
names = {"": mean, " (standard deviation)": deviation}
plotting.table(
    pd.DataFrame(
        {
            f"{kind} pairs{suffix}": values.xs(kind, level="pair")
            for kind in ("trained", "untrained")
            for suffix, values in names.items()
        }
    ).rename_axis("mean cosine of eigenvectors of equal rank, first ten"),
    digits=2,
)

# %% tags=["remove-input"]


def compared(layer):
    """Whether eigenvectors of activations agree better after training."""
    of = f"activations, layer {layer}"
    a, b = (mean[of, kind] for kind in ("trained", "untrained"))
    noise = max(deviation[of, kind] for kind in ("trained", "untrained"))
    word = "better" if a - b > noise else "no better"
    return f"{word} than between untrained ones in layer {layer} ({a:.2f} against {b:.2f})"


Markdown(
    "Between trained networks, the first eigenvectors of weights agree "
    f"({mean['weights, layer 1', 'trained']:.2f} and {mean['weights, layer 2', 'trained']:.2f} on average); "
    "between untrained ones they do not. Eigenvectors of activations agree "
    f"{compared(1)} and {compared(2)}."
)

# %% [markdown]
# ## Networks drawn from covariances
#
# If the covariances were all that matters, rows drawn from a Gaussian with covariance
# $C_l = W_l^\top W_l / H$ would do as well as the trained rows of $W_l$. This is the rainbow model
# {cite:p}`guth2024`, and {term}`rainbow sampling` goes layer by layer ({numref}`fig-rainbow`).
#
# 1. *Draw* rows $G_1$ with covariance $C_1$: the new layer 1.
# 2. *Align* the trained network's activations $\varphi_1$ with the new $\psi_1$:
#    $\varphi_1 R_1 \approx \psi_1$.
# 3. *Turn*: draw rows $G_2$ with covariance $C_2$ and write them in the new frame, $G_2 R_1$. Go on to
#    the next layer. The classifier is not drawn. It is the trained one, turned: $W_3 R_2$.
#
# {py:func}`.covariance.rainbow` does all of it.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rainbow", "caption": "Rainbow sampling. Above, the trained network; below, the new one. Rows are drawn with the covariance of the trained rows (G), and the orthogonal maps R, found from the activations of both, turn them into the frame of the new network. The new network keeps the trained classifier."}, "image": {"alt": "A diagram of two chains that start at the same images. The upper chain leads by W1, W2 and W3 over the activations phi 1 and phi 2 to the classes, the lower one by G1, G2 R1 and W3 R2 over psi 1 and psi 2. Arrows R1 and R2 point down from phi 1 to psi 1 and from phi 2 to psi 2."}}
fig, ax = plt.subplots(figsize=(7.2, 2.5))
ax.set(xlim=(-0.3, 6.6), ylim=(-0.45, 1.45))
ax.axis("off")
arrow = {"arrowstyle": "-|>", "shrinkA": 14, "shrinkB": 14, "lw": 1.4}
chains = [
    (1, "matched", ("W_1", "W_2", "W_3"), (r"\varphi_1", r"\varphi_2"), "trained"),
    (0, "other", ("G_1", "G_2 R_1", "W_3 R_2"), (r"\psi_1", r"\psi_2"), "drawn"),
]  # fmt: skip
ax.text(0, 0.5, "$x$", ha="center", va="center", fontsize=14)
for y, color, maps, states, name in chains:
    stops = [(0, 0.5), (2, y), (4, y), (5.85, y)]
    for (x1, y1), (x2, y2), text in zip(stops, stops[1:], maps, strict=False):
        props = {**arrow, "color": C[color]}
        ax.annotate("", (x2, y2), (x1, y1), arrowprops=props)
        off = 0.14 if y else -0.2
        ax.text(
            (x1 + x2) / 2, (y1 + y2) / 2 + off, f"${text}$", ha="center", color=C[color], fontsize=12
        )  # fmt: skip
    for x, state in zip((2, 4), states, strict=True):
        ax.text(x, y, f"${state}$", ha="center", va="center", fontsize=14)
    ax.text(6.1, y, f"classes\n({name})", ha="center", va="center")
for x, text in [(2, "R_1"), (4, "R_2")]:
    ax.annotate("", (x, 0), (x, 1), arrowprops={**arrow, "color": C["ink"]})
    ax.text(x + 0.1, 0.47, f"${text}$", fontsize=12)
plt.show()

# %% [markdown]
# So a drawn network has more than covariances to go by: at each layer it is aligned with the trained
# network, and it ends in the trained classifier. How much of its accuracy comes from these? Two controls
# go through the same alignments and end in the same classifier: rows with the eigenvalues of $C_l$ in
# random directions, and rows of white noise with the mean square of the trained ones.
#
# To take the trained classifier out of the comparison as well, train a new {term}`readout` on the last
# hidden layer of each network. {py:func}`.covariance.ridge_readout` fits it by
# {term}`ridge regression` on centred activations, which is exact, so the result does not depend on how
# long one trains. The floor is now what a readout makes of an untrained network, its
# {term}`random features`. {numref}`fig-ladder` shows all of them.


# %%
def draws(reference, n_draws, **options):
    """Drawn networks, one for each seed."""
    found = []
    for seed in settings.progress(range(n_draws), desc="drawing"):
        options["generator"] = torch.Generator().manual_seed(seed)
        options["images"] = knobs.images  # enough to align
        found.append(covariance.rainbow(reference, images.train, **options))
    return found


drawn = {
    rows: draws(networks[0], knobs.draws, rows=rows)
    for rows in ("covariance", "rotated", "white")
}

# %% tags=["remove-cell"]
names = {
    "trained": "trained",
    "covariance": "drawn with the covariance",
    "rotated": "drawn with the eigenvalues",
    "white": "drawn from white noise",
    "untrained": "untrained",
}
rows = []
for kind, members in {"trained": networks, **drawn, "untrained": untrained}.items():  # fmt: skip
    for model in members:
        row = {"kind": kind, "weights": names[kind]}
        new = covariance.ridge_readout(model, 4, images.train)
        if kind != "untrained":
            rows.append({**row, "classifier": "trained", "accuracy": training.accuracy(model, images.test)})  # fmt: skip
        rows.append({**row, "classifier": "ridge readout", "accuracy": training.accuracy(new, images.test)})  # fmt: skip
ladder = pd.DataFrame(rows)
by = ladder.groupby(["classifier", "kind"]).accuracy
mean, deviation = by.mean(), by.std()
sampled = drawn["covariance"]
claims.check(
    "covariance_sampled_accuracy", mean["trained", "covariance"], images.name
)
norms = [m[1].weight.norm() / networks[0][1].weight.norm() for m in sampled]
claims.check("covariance_scale", float(torch.stack(norms).mean()), images.name)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-ladder", "caption": "Accuracy on held-out images of trained networks, of networks drawn in three ways, and of untrained networks, one dot a network; through the trained classifier, and through a ridge readout of their own. Rows with the covariance of the trained rows do better than the controls, and the controls do far better than chance."}, "image": {"alt": "Five rows of dots. For each of the drawn networks the dots of the ridge readout lie far to the right of those of the trained classifier. By both, networks drawn with the covariance lie between the trained networks and the two controls, which lie together; untrained networks with a readout lie where the controls with a readout lie. A dotted line marks chance at the left."}}
fig, ax = plt.subplots(figsize=(7.2, 3))
sns.stripplot(
    ladder, x="accuracy", y="weights", hue="classifier", dodge=True, size=5, alpha=0.7,
    palette={"trained": C["matched"], "ridge readout": C["other"]}, ax=ax,
)  # fmt: skip
ax.axvline(0.1, ls=":", color=C["null"], label="chance")
ax.set(xlabel="accuracy on held-out images", ylabel="", xlim=(0, None))
handles, labels = ax.get_legend_handles_labels()
ax.get_legend().remove()
ax.figure.legend(handles, labels, title="classifier", loc="outside upper center", ncols=3)  # fmt: skip
plt.show()

# %% tags=["remove-input"]
reference = accuracies[0]
gain = 100 * (mean["trained", "covariance"] - 0.1)
of_controls = 100 * (mean["trained", "white"] - 0.1)
floor, read = mean["ridge readout", "untrained"], mean["ridge readout"]
closed = (read["covariance"] - floor) / (read["trained"] - floor)


def words(classifier, kind):
    """A mean and its standard deviation in words."""
    value, error = mean[classifier, kind], deviation[classifier, kind]
    return f"{percent(value, 1)} (standard deviation {percent(error, 1)})"


Markdown(
    f"Through the trained classifier, networks drawn with the covariance reach "
    f"{words('trained', 'covariance')} over {len(sampled)} draws, where network 1 has {percent(reference, 1)} and "
    f"the source reports 31.4 %. The eigenvalues in random directions give {words('trained', 'rotated')}, "
    f"and white noise {words('trained', 'white')}. So of the {gain:.0f} points above chance, "
    f"{of_controls:.0f} come from the alignments and the trained classifier, and the covariance adds "
    f"{gain - of_controls:.0f}. What adds them are its directions: its eigenvalues alone do no better than "
    "white noise."
    f"\n\nThrough a ridge readout, trained networks reach {percent(read['trained'], 1)}, networks drawn with "
    f"the covariance {percent(read['covariance'], 1)}, white noise {percent(read['white'], 1)} and untrained "
    f"networks {percent(floor, 1)} (no standard deviation exceeds "
    f"{percent(deviation['ridge readout'].max(), 1)}). By this measure the covariance gains "
    f"{100 * (read['covariance'] - floor):.0f} points over random features, which is {percent(closed)} of what "
    "training gains. The covariances matter, and they are not all that matters."
)

# %% [markdown]
# The scale of the drawn rows matters too. The source's sampler multiplies white noise by $\Sigma V^\top$
# of the singular value decomposition of $W$ and forgets the factor $1/\sqrt H$, so its first layer is
# $\sqrt{512} \approx 22.6$ times too large. A ReLU network without biases hides that in its accuracy,
# which does not depend on the scale of a layer. Its {term}`cross-entropy` shows it.

# %%
too_large = models.clone(sampled[0])
for layer in (1, 3):
    too_large[layer].weight.data *= len(too_large[layer].weight) ** 0.5

# %% tags=["remove-input"]
losses, rates = (
    [f(m, images.test) for m in (networks[0], sampled[0], too_large)]
    for f in (training.cross_entropy, training.accuracy)
)
Markdown(
    f"The cross-entropy of network 1 is {losses[0]:.2f} nats, that of the first drawn network "
    f"{losses[1]:.2f} nats, and that of the same drawn network without $1/\\sqrt{{H}}$ {losses[2]:,.0f} nats. "
    f"The accuracies of the two drawn ones are {rates[1]:.3f} and {rates[2]:.3f}."
)

# %% [markdown]
# ## A convolutional network
#
# The second network has two convolutions of 5 x 5 pixels with stride 2, 32 and 64 channels, and a
# linear classifier. Channels are now the dimensions that are aligned, and positions are more samples,
# since a convolution treats all positions alike ({numref}`fig-channels`). Only the classifier sees all
# positions at once; its input is aligned as one flat vector.

# %%
make_cnn = zoo.gray_cnn(images)
cnns = training.fit_ensemble(make_cnn, images.train, [0, 1], **recipe)
starts = [training.start(make_cnn, seed) for seed in (100, 101)]
four, some = [*cnns, *starts], images.train.first(knobs.images)
on_train, on_test = (
    covariance.moments(four, split.x, [1, 3]) for split in (some, images.test)
)
few = max(3, knobs.draws // 2)
cnn_draws = {
    "both convolutions": draws(cnns[0], few),
    "convolution 1 alone": draws(cnns[0], few, sampled=[0]),
    "convolution 2 alone": draws(cnns[0], few, sampled=[2]),
    "both, from white noise": draws(cnns[0], few, rows="white"),
}

# %% tags=["remove-cell"]
cnn_accuracy = [training.accuracy(model, images.test) for model in cnns]
claims.check("covariance_cnn_accuracy", np.mean(cnn_accuracy), images.name)
cnn_drawn = {
    name: [training.accuracy(m, images.test) for m in members]
    for name, members in cnn_draws.items()
}
both_drawn = np.mean(cnn_drawn["both convolutions"])
claims.check("covariance_cnn_sampled", both_drawn, images.name)
cnn_share = {}
for layer in (1, 3):
    for kind, (i, j) in {"trained": (0, 1), "untrained": (2, 3)}.items():
        R = covariance.procrustes(on_train[layer].covariance(i, j))
        found = covariance.alignment_cosine(on_test[layer], i, j, R, centered=True)  # fmt: skip
        cnn_share[layer, kind] = found**2

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-channels", "caption": "Eigenvalues of the covariance of channels after each convolution, as shares of their sum, of two trained and two untrained networks. The curves of the trained networks nearly coincide. Those of the untrained networks start higher and fall faster: fewer directions carry most of their variance."}, "image": {"alt": "Two panels of falling curves on logarithmic axes, one a convolution, each with two trained and two untrained networks. The two trained curves lie close together and are flat at low rank; the two untrained ones lie apart in the first panel, start above the trained ones and fall below them."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3))
for ax, layer in zip(axes, (1, 3), strict=True):
    for k in range(4):
        values = shares(on_test[layer].covariance(k))
        color = C["matched"] if k < 2 else C["null"]
        label = f"{'trained' if k < 2 else 'untrained'}, {k % 2 + 1}"
        ax.loglog(
            range(1, len(values) + 1), values.clip(1e-9), "-" if k % 2 == 0 else "--", color=color, label=label
        )  # fmt: skip
    ax.set(title=f"convolution {layer // 2 + 1}", xlabel="rank")
axes[0].set(ylabel="share of the variance of channels")
axes[0].legend()
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"After alignment, two trained networks explain {percent(cnn_share[1, 'trained'])} and "
    f"{percent(cnn_share[3, 'trained'])} of one another's variance of channels on held-out images, after "
    f"convolutions 1 and 2; two untrained networks explain {percent(cnn_share[1, 'untrained'])} and "
    f"{percent(cnn_share[3, 'untrained'])}. So the spectra of channels show what training does, and "
    + (
        "the share that an orthogonal map explains does not."
        if all(
            abs(cnn_share[k, "trained"] - cnn_share[k, "untrained"]) < 0.05
            for k in (1, 3)
        )
        else "so does the share that an orthogonal map explains."
    )
)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "accuracy": {
                "nothing (trained)": np.mean(cnn_accuracy),
                **{k: np.mean(v) for k, v in cnn_drawn.items()},
            },
            "standard deviation": {
                "nothing (trained)": np.std(cnn_accuracy, ddof=1),
                **{k: np.std(v, ddof=1) for k, v in cnn_drawn.items()},
            },
        }
    ).rename_axis(f"what is drawn, {few} draws each")
)

# %% tags=["remove-input"]
lost = {k: 100 * (cnn_accuracy[0] - np.mean(v)) for k, v in cnn_drawn.items()}
Markdown(
    f"The trained networks reach {percent(np.mean(cnn_accuracy), 1)} and the drawn ones "
    f"{percent(both_drawn, 1)}; the source has 58.0 % and 36.0 %, and 40.3 % in another run. White noise "
    "through the same alignments and classifier gives "
    f"{percent(np.mean(cnn_drawn['both, from white noise']), 1)}. Drawing one convolution alone "
    f"costs {lost['convolution 1 alone']:.0f} points for the first and "
    f"{lost['convolution 2 alone']:.0f} for the second."
)

# %% [markdown]
# Why is so much lost? The source explains it by the filters: they are selective in orientation and
# frequency, and no Gaussian describes them well. That can be looked at. Project the rows of a layer on
# its leading directions; the {term}`excess kurtosis` of the projections is 0 for a Gaussian. The drawn
# networks, whose rows are Gaussian, show what few rows give.


# %%
def kurtosis(model, layer, directions=10):
    """Mean excess kurtosis of the rows along their leading directions."""
    rows = model[layer].weight.flatten(1)
    _, basis = covariance.weight_spectrum(rows)
    along = rows @ basis[:directions].T
    along = along / along.square().mean(0).sqrt()
    return float((along**4).mean() - 3)


# %% tags=["remove-input"]
cnn_kinds = (cnns, cnn_draws["both convolutions"])
tails = pd.DataFrame(
    {
        f"{model}, {name} {k + 1}": {
            "trained": np.mean([kurtosis(m, layer) for m in kinds[0]]),
            "drawn": np.mean([kurtosis(m, layer) for m in kinds[1]]),
        }
        for model, name, kinds, indices in [
            ("perceptron", "layer", (networks, sampled), (1, 3)),
            ("convolutional network", "convolution", cnn_kinds, (0, 2)),
        ]
        for k, layer in enumerate(indices)
    }
).T.rename_axis("mean excess kurtosis")
plotting.table(tails, digits=2)

# %% tags=["remove-input"]
conv = tails.trained[2:].max()
Markdown(
    "The trained rows have heavier tails than the drawn ones. But the convolutions, with at most "
    f"{conv:.1f}, are "
    + ("no " if conv <= tails.trained.iloc[0] else "")
    + "farther from a Gaussian than layer 1 of the perceptron, with "
    f"{tails.trained.iloc[0]:.1f}. The convolutional network loses {lost['both convolutions']:.0f} points and "
    f"the perceptron {100 * (reference - mean['trained', 'covariance']):.0f}. What makes the difference is "
    "not settled here: kurtosis along single directions is one measure among many."
)

# %% [markdown]
# ## Pooling, width and single layers
#
# Three more questions can be put to the same sampler. The rows of several networks, turned into one
# frame, are more samples of a common distribution: does a *pooled* covariance do better? A covariance
# does not say how many rows to draw: does a *wider* network do better? And which layer loses more by
# being drawn?

# %%
half, double = ([int(w * f) for w in zoo.sizes().hidden] for f in (0.5, 2))
variants = {
    "rows pooled over all networks": {"pool": networks[1:]},
    "half as wide": {"widths": half},
    "twice as wide": {"widths": double},
    "layer 1 alone drawn": {"sampled": [1]},
    "layer 2 alone drawn": {"sampled": [3]},
}
variant_draws = {
    name: draws(networks[0], few, **options)
    for name, options in variants.items()
}

# %% tags=["remove-input"]
first = {"as above": sampled, **variant_draws}
reached = {
    k: [training.accuracy(m, images.test) for m in v] for k, v in first.items()
}
variant_table = pd.DataFrame(
    {
        "accuracy": {k: np.mean(v) for k, v in reached.items()},
        "standard deviation": {
            k: np.std(v, ddof=1) for k, v in reached.items()
        },
        "draws": {k: len(v) for k, v in reached.items()},
    }
).rename_axis("networks drawn with the covariance")
plotting.table(variant_table)

# %% tags=["remove-input"]
change = 100 * (variant_table.accuracy - variant_table.accuracy["as above"])
left = 100 * (reference - variant_table.accuracy)


def moves(name):
    """A change of accuracy in words."""
    verb = "raises" if change[name] > 0 else "lowers"
    noise = 100 * variant_table["standard deviation"][["as above", name]].max()
    small = " (less than twice the standard deviation over draws)"
    text = f"{verb} the accuracy by {abs(change[name]):.1f} points"
    return text + small * bool(abs(change[name]) < 2 * noise)


Markdown(
    f"Pooling {moves('rows pooled over all networks')}, half the width {moves('half as wide')}, and twice "
    f"the width {moves('twice as wide')}. So neither a better estimate nor more rows make up for the "
    f"{left['as above']:.0f} points that separate the drawn networks from network 1. Drawing layer 1 alone "
    f"costs {left['layer 1 alone drawn']:.0f} of them, and layer 2 alone {left['layer 2 alone drawn']:.0f}."
)

# %% [markdown]
# ## Take-aways
#
# - After an orthogonal alignment, the activations of two trained networks agree. Say which number you
#   report: a cosine or its square, centred or not, on training or on held-out images.
# - Two untrained networks agree nearly as well in the first layer: wide random layers compute nearly the
#   same kernel (exercise 4). What training adds is the difference, and it is larger in the second layer.
# - Training makes the covariances of weights alike. Their agreement is zero between untrained networks,
#   which is the weakest null.
# - Networks drawn with the covariances of a trained one keep part of its accuracy. Much of that part
#   white noise keeps as well, through the alignments and the trained classifier. Beyond it the
#   covariances, and in them the directions, have a share of their own. They are shared, they matter, and
#   they are not all that matters.
# - Learned directions can be counted against noise with a stated error, once it is said which noise. The
#   count is a lower bound: the accuracy rises further with directions that do not stand out.
#
# ## Ledger

# %% tags=["remove-input"]
claims.table("03_covariance_universality")

# %% [markdown]
# ## Exercises
#
# **1.** Show that multiplying all weights of one layer by $c > 0$ leaves the accuracy of a ReLU network
# without biases as it is, and find what it does to the cross-entropy.
#
# :::{admonition} Solution
# :class: dropdown
# The logits are multiplied by $c$, so the largest stays the largest. For large $c$ the loss of an image
# that the network gets right tends to zero, and that of another grows as $c$ times the distance from
# the largest logit to the right one: confident errors cost more and more. For small $c$ all classes
# become equally probable, and the loss tends to $\log 10 \approx 2.30$.
# ```python
# for c in [0.01, 1, 100]:
#     scaled = models.clone(sampled[0])
#     scaled[1].weight.data *= c
#     print(c, training.accuracy(scaled, images.test), training.cross_entropy(scaled, images.test))
# ```
# :::
#
# **2.** The control with the eigenvalues of $C_l$ in random directions draws both layers. Draw only one
# of them like this and the other not at all. In which layer do the directions matter more?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# for layer in (1, 3):
#     for rows in ("covariance", "rotated", "white"):
#         found = draws(networks[0], 3, sampled=[layer], rows=rows)
#         print(layer, rows, np.mean([training.accuracy(m, images.test) for m in found]))
# ```
# In layer 2: turning its eigenvectors costs about nine points of accuracy more than drawing it with its
# covariance, and in layer 1 about six. In both layers the eigenvalues in random directions do no better
# than white noise.
# :::
#
# **3.** Prove that $R = U V^\top$ maximises $\operatorname{tr}(R^\top M)$ over orthogonal $R$, where
# $M = U \Sigma V^\top$.
#
# :::{admonition} Solution
# :class: dropdown
# Put $Z = V^\top R^\top U$, which is orthogonal. Then
# $\operatorname{tr}(R^\top M) = \operatorname{tr}(R^\top U \Sigma V^\top) = \operatorname{tr}(Z \Sigma)
# = \sum_i Z_{ii} \Sigma_{ii}$. No entry of an orthogonal matrix exceeds 1 and no $\Sigma_{ii}$ is
# negative, so the sum is at most $\operatorname{tr} \Sigma$, and $R = U V^\top$ reaches it, since then
# $Z$ is the identity.
# :::
#
# **4.** If two untrained networks agree because both come close to one kernel, they should agree better the
# wider they are. Do they?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# some = images.train.first(10000)
# for width in (64, 256, 1024):
#     make = lambda: models.mlp([some.x[0].numel(), width, 10], bias=False)
#     two = [training.start(make, seed) for seed in (0, 1)]
#     fitted, found = (covariance.moments(two, x, [2])[2] for x in (some.x, images.test.x))
#     print(width, covariance.explained(fitted, found, 0, 1)["orthogonal"])
# ```
# Yes: the share that an orthogonal map explains rises from less than a half at 64 units to about three
# quarters at 1,024.
# :::
#
# ## Further reading
#
# The rainbow model: {cite:t}`guth2024`. Random matrices: {cite:t}`marchenko1967`,
# {cite:t}`johnstone2001`, {cite:t}`baik2005`. The Procrustes problem: {cite:t}`schonemann1966`. What
# networks share, direction by direction: {cite:t}`chen2025`.
