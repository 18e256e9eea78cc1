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
# {term}`covariances <covariance>` of their weights and {term}`activations <activation>`, and is that all that they share?
#
# **What you will be able to do.** Compute the {term}`second moments <second moment>` of all layers in
# one pass over the data; tell what a layer has learned from the noise with which it started; bring two
# networks into one {term}`frame` by an {term}`orthogonal map`, and measure how much of the variance of
# one network the other explains, beside networks that share no task; and draw new networks from
# covariances.
#
# **What you need.** {term}`Eigenvectors <eigenvector>`, {term}`singular values <singular value>`, covariance, {term}`ridge regression`. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows a tutorial of the Bonner Lab {cite:p}`bonnerlab2024`, which is called the source
# from here on, on the method of {cite:t}`guth2024`. Where the source went wrong, the text says so.

# %% tags=["hide-input"]
from functools import lru_cache
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy import stats

from netdist_course import quiz
from netdist_utils import (
    claims,
    covariance,
    data,
    models,
    plotting,
    random_matrices,
    settings,
    training,
    workers,
    zoo,
)
from netdist_utils.words import listed, percent
from netdist_utils.words import number as decimals

plotting.use_style()
C, LEVELS = plotting.COLORS, plotting.LEVELS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    networks=(4, 4, 20),
    nulls=(4, 4, 5),
    random_epochs=(40, 12, 12),
    draws=(4, 4, 50),
    few_draws=(3, 3, 20),
    fewer_draws=(2, 2, 10),
    references=(2, 3, 10),
    ranks=([10, 20, 40], [10, 50, 200], [10, 50, 200]),
    kernel_widths=(
        [16, 64, 256],
        [64, 128, 256, 512, 1024, 2048],
        [64, 256, 1024, 4096],
    ),
    images=(1000, 10000, 50000),
    clip_images=(300, 5000, 10000),
)


def both(values, form=percent, digits=0):
    """Two numbers, of layers 1 and 2, in words of the text."""
    return " and ".join(form(value, digits) for value in values)


in_percent = FuncFormatter(lambda value, _: f"{100 * value:.0f} %")

# %% [markdown]
# ## Data and networks
#
# The data are the images of CIFAR-10 in shades of gray ({numref}`fig-gray-images`). The network is a
# {term}`multi-layer perceptron` with two hidden layers and no biases,
#
# $$W_3 \operatorname{relu}(W_2 \operatorname{relu}(W_1 x)),$$
#
# of 1,024 inputs, 512 and 256 hidden {term}`units <unit>` and 10 outputs. Layer $l$ has the weights $W_l$; hidden layer
# $l$ is what it puts out, and what enters layer $l + 1$. As in the source, training takes five {term}`epochs <epoch>`. It is
# {term}`gradient descent` with {term}`momentum` 0.9, on {term}`batches <batch>` of 128 images.
#
# Beside the trained networks stand two {term}`nulls <null>`. An {term}`untrained network` has learned
# nothing. A network trained on {term}`random labels` can learn by heart only, from the same images: each
# gets the labels of the training images in another random order, so no two of them share a task.
# Each trained network also has its own start. That is no null; it can be subtracted from the network.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Two networks reach the same accuracy with other weights: what do they share?" say="Collect candidates: errors, units, directions, distributions of weights. Then say that each answer of this talk stands beside networks that share no task, and that the best of them is the one to beat. Before the next slide, ask how many directions of the images a network needs to keep, and whether the pictures are sharp there."
# - An untrained network has learned nothing.
# - A network on random labels has labels of its own, and fits them less well than a trained one fits the true ones.
# - A trained network's own start is no null: it can be subtracted.
# - What counts is what lies beyond the best null.

# %%
images = data.images()
make_mlp, recipe = zoo.gray_mlp(images), zoo.recipe(images)
seeds = range(knobs.networks)
networks = training.fit_ensemble(make_mlp, images.train, seeds, **recipe)
starts = [training.start(make_mlp, seed) for seed in seeds]
untrained = [training.start(make_mlp, 100 + k) for k in range(knobs.nulls)]


def shuffled(seed):
    """The training images with their labels in a random order."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images.train), generator=generator)
    return data.Split(images.train.x, images.train.y[order])


random_seeds = range(200, 200 + knobs.nulls)
longer = {**recipe, "epochs": knobs.random_epochs}


def train_on_random_labels(seed):
    split = shuffled(seed)
    return training.fit_ensemble(make_mlp, split, [seed], **longer)[0]


jobs = [(seed,) for seed in random_seeds]
random_labels = list(workers.each(train_on_random_labels, jobs, all_cores=True))
random_starts = [training.start(make_mlp, seed) for seed in random_seeds]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-gray-images", "caption": "Eight training images and their classes, as the networks see them: small, and without colour."}, "image": {"alt": "Eight small gray pictures in a row, each with the name of its class above it."}}
plotting.picture_grid(
    [data.pixels(images.train.x[:8])],
    titles=[[images.classes[int(label)] for label in images.train.y[:8]]],
)
plt.show()

# %% tags=["remove-input"]
data.notice(images)

# %% tags=["remove-cell"]
accuracies = np.array([training.accuracy(m, images.test) for m in networks])
claims.check("covariance_mlp_accuracy", accuracies.mean(), images.name)
fits = {
    "trained": np.mean([training.accuracy(m, images.train) for m in networks]),
    "random labels": np.mean(
        [
            training.accuracy(model, shuffled(seed))
            for model, seed in zip(random_labels, random_seeds, strict=True)
        ]
    ),
}


def moved(group, before):
    """Squared length of what training added over that of the start, by layer."""
    return [
        np.mean(
            [
                float((m[k].weight - s[k].weight).norm() / s[k].weight.norm())
                ** 2
                for m, s in zip(group, before, strict=True)
            ]
        )
        for k in (1, 3)
    ]


# %% tags=["remove-input"]
Markdown(
    f"The accuracy on held-out images is {percent(accuracies.mean(), 1)} on average over "
    f"{len(networks)} networks, with a standard deviation of {100 * accuracies.std(ddof=1):.1f} points; the "
    "source reports 42.7 %. That is little for these images, because the network sees no colours, has no "
    "convolutions and is trained briefly; chance is 10 %. The networks on random labels train for "
    f"{knobs.random_epochs} epochs, because they learn more slowly. They fit {percent(fits['random labels'])} "
    f"of their training labels, and the trained networks {percent(fits['trained'])}. What training adds, "
    f"$W_l - W_l^{{\\text{{start}}}}$, has {both(moved(random_labels, random_starts))} of the squared entries of the start on "
    f"random labels, in layers 1 and 2, and {both(moved(networks, starts))} in the trained networks."
)

# %% [markdown]
# ## Second moments in one pass
#
# For a layer with activations $\varphi$, a row vector, the {term}`second moment` is
# $\mathbb E[\varphi^\top \varphi]$, and the {term}`covariance` is what is left of it after the means are taken
# out. The activations of all images need not be kept: add up $\varphi^\top \varphi$ batch by batch.
# Put the activations of several networks side by side, and the same product holds the second moment of
# each of them and the {term}`cross moment` of every two. {py:func}`.covariance.moments` does this for
# several layers at once, and its memory does not grow with the number of images.

# %%
layers = [2, 4]  # the outputs of the two ReLUs: hidden layers 1 and 2
groups = {
    "trained": networks,
    "random labels": random_labels,
    "untrained": untrained,
}
everyone = [model for group in groups.values() for model in group]
fit = images.train.first(knobs.images)
train = covariance.moments(everyone, fit.x, layers)
held_out = covariance.moments(everyone, images.test.x, layers)
inputs = covariance.moments(networks[:1], fit.x, [0])

# %% tags=["hide-input"]
members, first = {}, 0  # positions of each group among all networks
for name, group in groups.items():
    members[name] = range(first, first + len(group))
    first += len(group)


def of_mean(name, layer):
    """Share of the second moment's trace that the means make up."""
    return np.mean(
        [
            float(
                train[layer].mean(k).square().sum()
                / train[layer].second(k).trace()
            )
            for k in members[name]
        ]
    )


# %% tags=["remove-input"]
Markdown(
    "The source calls the second moment a covariance. The difference is large: the means alone make up "
    f"{both([of_mean('trained', k) for k in layers])} of the trace of the second moment in hidden layers 1 "
    f"and 2 of trained networks, and {both([of_mean('untrained', k) for k in layers])} of untrained ones."
)

# %% [markdown]
# The next section cuts down what enters a layer, with its means, so it uses second moments. Two networks are
# compared by covariances, because means of activations that are never negative make any two look alike.
#
# ## How many directions does a layer need?
#
# The eigenvectors $e_1, e_2, \dots$ of the second moment of a layer's input, in
# the order of their {term}`eigenvalues <eigenvalue>`, are its
# {term}`principal directions <principal direction>`. Replace each input $\varphi$ by its projection on
# the first $k$ of them, $\sum_{i \le k} (\varphi \cdot e_i)\, e_i$, leave the rest of the network as it
# is, and measure the accuracy ({numref}`fig-clipping`). Such {term}`clipping` shows how many
# directions are enough in this order, which the size of the eigenvalues does not. It does not show that each of them
# is needed. {py:func}`.covariance.clip_curve` does it exactly
# and for every $k$: from $k$ to $k + 1$ the layer's output changes by one term, so no model is copied.

# %%
clipped = images.test.first(knobs.clip_images)
seconds = {
    "images": (1, inputs.second(0)),
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

# %% tags=["hide-input"]


def enough(curve, share=0.95):
    """Directions that give a share of the last value."""
    return int(np.argmax(np.asarray(curve) >= share * float(curve[-1]))) + 1


def directions_for(matrix, share=0.9):
    """Eigenvectors that together hold a share of the trace."""
    values = covariance.spectrum(matrix)[0]
    return int((values.cumsum(0) < share * values.sum()).sum()) + 1


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-clipping", "caption": "Accuracy of network 1 on held-out images when only the first k principal directions are kept of the images, of hidden layer 1 or of hidden layer 2. A dot marks where a curve reaches 95 % of its last value: all three do so with a small part of their directions."}, "image": {"alt": "Three rising curves of accuracy against the number of directions kept, on a logarithmic axis, in three shades and three styles of line. Each starts at chance, a dotted line, levels off well before its end, and has a dot where it begins to level off."}}
fig, ax = plt.subplots(figsize=(7.2, 2.9))
styles = zip(curves.items(), [LEVELS[0], LEVELS[1], LEVELS[3]], ["-", "--", "-."], strict=True)  # fmt: skip
for (name, curve), color, dash in styles:
    k = enough(curve)
    ax.semilogx(range(1, len(curve) + 1), curve, dash, color=color, label=name)
    ax.plot(k, curve[k - 1], "o", color=color, ms=7)
ax.axhline(0.1, ls=":", color=C["null"], label="chance")
ax.set(xlabel="directions kept, k", ylabel="accuracy", ylim=(0, None))
ax.yaxis.set_major_formatter(in_percent)
ax.legend(loc="upper left")
plt.show()

# %% tags=["remove-input"]
needs = [f"{enough(c)} of {len(c):,}" for c in curves.values()]
held = []
for name, (_, moment) in seconds.items():
    values = covariance.spectrum(moment)[0]
    held.append(percent(values[: enough(curves[name])].sum() / values.sum()))
Markdown(
    f"On {len(clipped):,} held-out images, 95 % of the accuracy is reached with {needs[0]} directions of the "
    f"images, {needs[1]} of hidden layer 1 and {needs[2]} of hidden layer 2. They hold {held[0]}, {held[1]} and "
    f"{held[2]} of the second moment, so network 1 loses little without the rest of what enters a layer."
)

# %% [markdown]
# Drag the dot of {numref}`fig-rank-slider` to the dashed upright line, where 95 % of the accuracy is
# reached: the pictures are still blurred.

# %% tags=["hide-input"] slide="Network 1 keeps most of its accuracy with a small part of the directions of the images." say="Drag to the upright line and look at the pictures there. Clipping shows how many directions are enough, in the order of their eigenvalues; it does not show that each of them is needed. Before the next slide ask where, among the eigenvalues of the weights, the noise ends, and whether what stands out of it should be enough." mystnb={"figure": {"name": "fig-rank-slider", "caption": "A figure with a handle: the accuracy of network 1 on held-out images, and six of them with their true classes, above as they are and below rebuilt from the first k principal directions of the training images. Drag the slider or the dot; it covers the directions in which the accuracy changes."}}
covariance.rank_slider(
    networks[0],
    1,
    clipped,
    images.train.x.shape[-2:],
    images.classes,
    basis=bases["images"],
)

# %% [markdown]
# ## What a layer has learned
#
# The rows of $W$ are the input weights of a layer's units. Their second moment is
# $C = W^\top W / H$ for $H$ rows; their means are nearly zero, so it is their covariance as well. How
# much of it was learned, and how much is the noise with which it started?
#
# There are two ways to tell. The first needs the trained weights only. The eigenvalues of a covariance
# of noise fill an interval, the {term}`bulk`, whose ends the {term}`Marchenko-Pastur law` gives
# {cite:p}`marchenko1967`, and the {term}`Tracy-Widom law` says how far the largest of them strays
# {cite:p}`johnstone2001`. Call an eigenvalue a {term}`spike` if it is larger than the largest eigenvalue
# of noise is in 99 of 100 cases. The noise is that of the start: the source has it that weights start
# with covariance identity, but PyTorch draws them uniformly with variance $1/(3D)$ for $D$ inputs.
#
# The second way is open to whoever trained the network: subtract the start. Put
# $W - W^{\text{start}}$ onto the start again, one direction after the other, those with the largest
# singular values first, and watch the accuracy. {numref}`fig-weight-spectra` shows both.


# %%
def noise_bound(weight):
    """What all eigenvalues of C stay below, in 99 of 100 random starts."""
    rows, columns = weight.shape
    bound = random_matrices.largest_noise_eigenvalue
    return bound((rows, columns), 1 / (3 * columns)) * max(weight.shape) / rows


def accuracy_with(model, layer, weight):
    """Accuracy of a network that has other weights in one layer."""
    changed = models.clone(model)
    changed[layer].weight.data = weight
    return training.accuracy(changed, clipped)


def relearned(model, start, layer, ranks):
    """Accuracy with k directions of what was learned, on the start."""
    before = start[layer].weight
    change = model[layer].weight - before
    u, s, vt = torch.linalg.svd(change, full_matrices=False)
    steps = [before + (u[:, :k] * s[:k]) @ vt[:k] for k in ranks]
    return [accuracy_with(model, layer, weight) for weight in steps]


# %% tags=["hide-input"]
weight_curves, spike_counts, learned_counts = {}, {}, {}
for layer in (1, 3):
    weight = networks[0][layer].weight
    every = len(covariance.weight_spectrum(weight)[0])
    ranks = np.unique(np.geomspace(1, every, 30).round().astype(int))
    _, directions = covariance.weight_spectrum(weight)
    weight_curves[layer] = {
        "ranks": ranks,
        "of all weights": covariance.clip_curve(
            networks[0], layer, directions, clipped, ranks
        ),
        "of what was learned, on the start": relearned(
            networks[0], starts[0], layer, ranks
        ),
        "start": relearned(networks[0], starts[0], layer, [0])[0],
    }
    found = [covariance.weight_spectrum(m[layer].weight)[0] for m in networks]
    spike_counts[layer] = [
        int((values > noise_bound(weight)).sum()) for values in found
    ]
    changes = [
        m[layer].weight - s[layer].weight
        for m, s in zip(networks, starts, strict=True)
    ]
    learned_counts[layer] = [directions_for(c.T @ c) for c in changes]

# %% tags=["hide-input"] slide="Keeping the spikes alone costs accuracy, in layer 1 more than in layer 2: part of it rests on the start." say="Above, the bound below which noise stays; below, the accuracy with the first directions alone. The source calls the loss negligible; in layer 1 it is not. The loss is no proof that more was learned than the spikes show: what was learned outside them, put back without the start, does not make it good." mystnb={"figure": {"name": "fig-weight-spectra", "caption": "Top: eigenvalues of the weight covariance of every trained network, of its start, and of what training added, with the bound below which noise stays. Bottom: accuracy of network 1 when a layer keeps only its first k directions, of all its weights, or of what training added, put onto the whole start; an upright line marks the number of spikes. At the number of spikes the accuracy is still rising."}, "image": {"alt": "Four panels, one column a layer, on logarithmic axes of rank. Top: three falling bundles of curves. The trained ones begin far above a horizontal line, the bound of noise, and cross it; those of the start, dashed, lie below it throughout; those of what training added, dotted, begin almost as high as the trained ones and fall far below the start. Bottom: two rising curves of accuracy. The dotted one, of what was learned, begins higher than that of all weights, and near or below a dashed horizontal line, the start; at an upright line, the number of spikes, the one of all weights is still rising, in layer 1 more than in layer 2."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5.4), sharex="col")
learned_style = {"color": C["other"], "ls": ":", "lw": 2}
for (top, bottom), layer in zip(axes.T, (1, 3), strict=True):
    for k, (model, start) in enumerate(zip(networks, starts, strict=True)):
        before, after = start[layer].weight, model[layer].weight
        for weight, label, style in [
            (after, "all weights", {"color": C["matched"]}),
            (after - before, "added by training", learned_style),
            (before, "start", {"color": C["null"], "ls": "--"}),
        ]:  # fmt: skip
            values = covariance.weight_spectrum(weight)[0].cpu()
            values = values[values > 1e-4 * values[0]]
            top.loglog(
                range(1, len(values) + 1),
                values,
                label=label if k == 0 else None,
                **style,
            )
    top.axhline(
        noise_bound(after), color=C["ink"], lw=1, label="bound of noise"
    )
    curve = weight_curves[layer]
    bottom.semilogx(curve["ranks"], curve["of all weights"], color=C["matched"])
    bottom.semilogx(
        curve["ranks"],
        curve["of what was learned, on the start"],
        **learned_style,
    )
    bottom.axhline(curve["start"], color=C["null"], ls="--")
    for ax in (top, bottom):
        ax.axvline(spike_counts[layer][0], color=C["ink"], ls="-.", lw=1, label="number of spikes")  # fmt: skip
    top.set(title=f"layer {layer // 2 + 1}")
    bottom.set(xlabel="rank, or directions kept, k", ylim=(0, None))
    bottom.yaxis.set_major_formatter(in_percent)
axes[0, 0].set(ylabel="eigenvalue")
axes[1, 0].set(ylabel="accuracy")
handles, _ = axes[0, 0].get_legend_handles_labels()
fig.legend(handles=handles, loc="outside upper center", ncols=3)
plt.show()

# %% tags=["remove-input"]
count = [np.mean(c) for c in spike_counts.values()]
most = [np.mean(c) for c in learned_counts.values()]
at_start = [c["start"] for c in weight_curves.values()]
with_first = [
    c["of what was learned, on the start"][0] for c in weight_curves.values()
]
takes = [
    c["ranks"][enough(c["of what was learned, on the start"]) - 1]
    for c in weight_curves.values()
]
Markdown(
    f"There are {both(count, decimals, 0)} spikes in layers 1 and 2 (means over {len(networks)} networks); the "
    "source read about 50 and about 15 off the bend of the curve. The squared length of what training added is "
    f"spread over more directions: 90 % of it lie in {both(most, decimals, 0)} directions. With the start in the place "
    f"of its trained weights, network 1 has an accuracy of {both(at_start)}; the first learned direction, put onto "
    f"it, gives {both(with_first)}, and about {both(takes, decimals, 0)} bring it to 95 % of what it was."
)

# %% [markdown]
# The source calls the loss of accuracy negligible if only the spikes are kept. Keep what the rows have along the directions of the spikes, and put different weights into
# all other directions. And take apart what a layer learned from the start on which it learned it. The table gives
# means over the networks; sd is the standard deviation over networks of the difference to the whole layer.


# %%
def swapped(layer, k):
    """Accuracies of network k with parts of its weights exchanged."""
    W, before = networks[k][layer].weight, starts[k][layer].weight
    other = starts[k - 1][layer].weight
    values, directions = covariance.weight_spectrum(W)
    spikes = directions[values > noise_bound(W)]
    inside = spikes.T @ spikes
    outside = torch.eye(len(inside)).to(W) - inside
    weights = {
        "all of the layer": W,
        "spikes alone": W @ inside,
        "spikes, its own start outside them": W @ inside + before @ outside,
        "spikes, what it learned outside them": W - before @ outside,
        "spikes, another start outside them": W @ inside + other @ outside,
        "its untouched start": before,
        "all that it learned, on no start": W - before,
        "all that it learned, on another start": W - before + other,
    }
    return {
        name: accuracy_with(networks[k], layer, weight)
        for name, weight in weights.items()
    }


# %% tags=["hide-input"]
swaps = {
    f"layer {layer // 2 + 1}": pd.DataFrame(
        swapped(layer, k) for k in range(len(networks))
    )
    for layer in (1, 3)
}

# %% tags=["remove-input"]
kept = {}
for name, frame in swaps.items():
    lost = frame.rsub(frame["all of the layer"], axis=0)
    kept[name] = 100 * frame.mean()
    kept[f"sd, {name}"] = 100 * lost.std()
kept = pd.DataFrame(kept)
plotting.table(kept.rename_axis("mean accuracy in % with"), digits=1)

# %% tags=["remove-cell"]
beyond = []
for layer in (1, 3):
    parts = []
    for model, start in zip(networks, starts, strict=True):
        W, change = (
            model[layer].weight,
            model[layer].weight - start[layer].weight,
        )
        values, directions = covariance.weight_spectrum(W)
        spikes = directions[values > noise_bound(W)]
        inside = (change @ spikes.T).square().sum() / change.square().sum()
        parts.append(1 - float(inside))
    beyond.append(np.mean(parts))

# %% tags=["remove-input"]
accuracy_of = kept[[*swaps]]
cost = accuracy_of.loc["all of the layer"] - accuracy_of.loc["spikes alone"]


def row(name):
    """Both layers of a row of the table in words."""
    return both(accuracy_of.loc[name], decimals, 1) + " %"


Markdown(
    f"Keeping the spikes alone costs {both(cost, decimals, 1)} points, which is not negligible in layer 1. "
    f"Of the squared entries that training added, {both(beyond)} lie outside the directions of the spikes. Put back there without the start, "
    f"what was learned gives {row('spikes, what it learned outside them')}, against {row('spikes alone')} with the spikes alone; the start without what was "
    f"learned gives {row('spikes, its own start outside them')}. Neither is enough, and the two together are the whole layer, so the loss by itself does not "
    f"say that more was learned than the spikes show: part of it rests on the start. All that a layer has learned gives {row('all that it learned, on no start')} on no "
    f"start, and {row('all that it learned, on another start')} on that of another network."
)

# %% [markdown]
# So what was learned does its full work only on the start on which it was learned, in a network whose other layers were
# trained along with it.
#
# And the number of spikes is a lower bound of what was learned. Add to noise of variance $\sigma^2$ a few
# directions that are independent of it. One of them shows in an eigenvalue only above the
# {term}`BBP threshold`, that is, where its squared singular value exceeds $\sigma^2 \sqrt{HD}$ {cite:p}`baik2005`, and theory gives the share of it that the directions of the
# spikes then hold {cite:p}`benaych2011,benaych2012`. What was learned has many directions, and they may depend on the start.
# {numref}`fig-bbp` measures this share for them in the trained layer, and with the same learned part on a fresh
# start; and for eight random directions planted in noise of the same shape, to which the theory applies.


# %% tags=["hide-input"]
def fresh_start(weight, generator):
    """Random weights as PyTorch draws them, of the shape of a layer's."""
    uniform = 2 * torch.rand(weight.shape, generator=generator) - 1
    return uniform.to(weight) / weight.shape[1] ** 0.5


def shown(change, before):
    """Heights of learned directions, s^2 over the threshold, and shares in the spikes."""
    _, s, directions = torch.linalg.svd(change, full_matrices=False)
    values, spikes = covariance.weight_spectrum(before + change)
    spikes = spikes[values > noise_bound(change)]
    rows, columns = change.shape
    height = s.square() / ((rows * columns) ** 0.5 / (3 * columns))
    return height.numpy(), (directions @ spikes.T).square().sum(1).numpy()


def along_start(after, before, n):
    """Mean cosine of what n learned directions add to the units and what these had there."""
    u, _, directions = torch.linalg.svd(after - before, full_matrices=False)
    had = before @ directions[:n].T
    return float(((u[:, :n] * had).sum(0) / had.norm(dim=0)).mean())


def in_theory(height, shape):
    """Share of a direction that the spikes hold; none of it below the threshold."""
    root = (shape[0] / shape[1]) ** 0.5
    share = 1 - (root + height) / (height * (root * height + 1))
    return np.where(height > 1, share, 0)


# %% tags=["hide-input"]
generator = torch.Generator().manual_seed(998)  # no network's own seed
spike_shares = {}
for layer in (1, 3):
    shape = networks[0][layer].weight.shape
    of_layer = {"trained": [], "on a fresh start": [], "planted": []}
    for model, start in zip(networks, starts, strict=True):
        before = start[layer].weight
        change, fresh = (
            model[layer].weight - before,
            fresh_start(before, generator),
        )
        u, v = (
            torch.linalg.qr(torch.randn(side, 8, generator=generator))[0]
            for side in shape
        )
        root = (shape[0] * shape[1]) ** 0.25 / (3 * shape[1]) ** 0.5
        planted = (u * torch.linspace(0.5, 3.3, 8) * root) @ v.T
        of_layer["trained"].append(shown(change, before))
        of_layer["on a fresh start"].append(shown(change, fresh))
        height, share = shown(planted, fresh)
        of_layer["planted"].append((height[:8], share[:8]))
    spike_shares[layer] = of_layer


def excess(height, share, shape):
    """Mean share beyond the theory, of the directions above the threshold."""
    return float(np.mean((share - in_theory(height, shape))[height > 1]))


beyond_theory = {
    kind: [
        [
            excess(*found, networks[0][layer].weight.shape)
            for found in spike_shares[layer][kind]
        ]
        for layer in (1, 3)
    ]
    for kind in ("trained", "on a fresh start", "planted")
}

# %% tags=["remove-cell"]
claims.check(
    "covariance_beyond_theory",
    np.mean(beyond_theory["trained"][1]),
    images.name,
    null=max(
        np.mean(beyond_theory[kind][1])
        for kind in ("on a fresh start", "planted")
    ),
    repeats=beyond_theory["trained"][1],
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-bbp", "caption": "Share of each learned direction that lies in the directions of the spikes, against its singular value over the BBP threshold, in all trained networks. Planted directions and those on fresh starts lie at the theory or a little below it; in layer 2 the trained ones lie above it."}, "image": {"alt": "Two panels, one a layer. A curve, the theory, is zero up to the threshold and then rises towards one. Crosses, planted directions, and hollow circles, fresh starts, lie along it, or below it just beyond the threshold. Filled circles, trained networks, lie along it in layer 1 and above it in layer 2."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
marks = {
    "on a fresh start": ("o", C["null"], "none"),
    "trained": ("o", C["matched"], "full"),
    "planted": ("x", C["ink"], "full"),
}
for ax, (layer, of_layer) in zip(axes, spike_shares.items(), strict=True):
    for kind, (marker, color, fill) in marks.items():
        height, share = (
            np.concatenate(part) for part in zip(*of_layer[kind], strict=True)
        )
        near = height > 0.1
        size = {"ms": 8, "mew": 1.8, "zorder": 4} if kind == "planted" else {"ms": 4}  # fmt: skip
        ax.plot(height[near] ** 0.5, share[near], marker, color=color, fillstyle=fill, label=kind, **size)  # fmt: skip
    grid = np.linspace(0.3, 3.7, 300)
    ax.plot(grid, in_theory(grid**2, networks[0][layer].weight.shape), color=C["other"], label="theory")  # fmt: skip
    ax.axvline(1, ls=":", color=C["ink"], lw=1)
    ax.set(
        title=f"layer {layer // 2 + 1}",
        xlabel="singular value over the threshold",
    )
axes[0].set(ylabel="share in the spikes", ylim=(-0.03, 1.03))
fig.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4
)
plt.show()

# %% tags=["remove-input"]
above = [
    np.mean([(h > 1).sum() for h, _ in of["trained"]])
    for of in spike_shares.values()
]
points = {
    kind: [100 * np.mean(v) for v in of] for kind, of in beyond_theory.items()
}
found_at_start = [
    np.mean(
        [
            along_start(m[layer].weight, s[layer].weight, int(n_above))
            for m, s in zip(networks, starts, strict=True)
        ]
    )
    for layer, n_above in zip((1, 3), above, strict=True)
]
Markdown(
    f"In layers 1 and 2, {both(above, decimals, 0)} learned directions exceed the threshold, against {both(count, decimals, 0)} "
    f"spikes. Of these directions, the spikes hold {both(points['trained'], decimals, 1)} points more than theory "
    f"gives. On fresh starts the difference is {both(points['on a fresh start'], decimals, 1)} points, and for planted "
    f"directions {both(points['planted'], decimals, 1)}: the theory is for large layers, and in these a direction just beyond the "
    f"threshold may stay below the bound. So the start itself makes {both(np.subtract(points['trained'], points['on a fresh start']), decimals, 1)} "
    "points of the share. Along these directions, what training added to the units has a cosine of "
    f"{both(found_at_start, decimals, 2)} with what they had at the start: training in part lengthens what was there."
)

# %% [markdown]
# ## Aligning two networks
#
# The units of two networks come in different orders, and more generally in different {term}`frames <frame>`. Look for
# the orthogonal $R$ that minimises
#
# $$\mathbb E\,|\varphi R - \psi|^2 = \mathbb E|\varphi|^2 + \mathbb E|\psi|^2
# - 2 \operatorname{tr}(R^\top M), \qquad M = \mathbb E[\varphi^\top \psi].$$
#
# Only the last term depends on $R$. With the {term}`singular value decomposition` $M = U \Sigma V^\top$ of the
# cross moment, the best $R$ is $U V^\top$ {cite:p}`schonemann1966`, the {term}`Procrustes alignment` that
# {py:func}`.covariance.procrustes` finds, and the trace is then $\operatorname{tr} \Sigma$, as
# {ref}`an exercise <ex-covariance-polar-factor>` shows. The source reports
#
# $$\frac{\operatorname{tr}\Sigma}{\sqrt{\mathbb E|\varphi|^2\, \mathbb E|\psi|^2}}$$ (eq-cosine)
#
# and calls it $r^2$. But {eq}`eq-cosine` is a {term}`cosine`. Its square is the
# {term}`share <share explained>` of $\psi$ that $\varphi R$ explains once it is multiplied by the best
# factor. The source also leaves the means in, and measures on the images to which $R$ was fitted.
#
# Why should a good $R$ exist at all? The inner product of the activations of two images, over the number of units, is a mean over units. If
# their weights $w$ are drawn independently from one distribution, it is close to its expectation,
#
# $$k(x, x') = \mathbb E_w[\operatorname{relu}(w \cdot x)\, \operatorname{relu}(w \cdot x')].$$
#
# This is a {term}`kernel`: a function of two images that says how alike the layer finds them. It is the same for
# all networks drawn like this {cite:p}`rahimi2007`, and two sets of vectors with the same inner products differ only by an
# {term}`orthogonal map`. By the law of large numbers, the squared difference of two networks' kernels falls as one over
# the width. Does the {term}`alignment` error, the share that an orthogonal map does not explain, fall so too?
# {numref}`fig-kernel` shows both for untrained networks with one hidden layer. The null is one hidden layer against
# two: their kernels differ at any width, so their difference must level off.


# %% [markdown] tags=["slide-only", "remove-cell"] slide="One network is turned into the frame of the other before the two are compared." say="Ask what the map may do and what it may not: it turns and reflects, and stretches nothing. Ask which number to report, the cosine or its square, with the means or without, on which images. The source reports the cosine and calls it r squared."
# $$\min_R \mathbb E\,|\varphi R - \psi|^2: \qquad \mathbb E[\varphi^\top \psi] = U \Sigma V^\top, \quad R = U V^\top$$
#
# The cosine is $c = \mathbb E[\varphi R \cdot \psi] \,/ \sqrt{\mathbb E|\varphi R|^2\; \mathbb E|\psi|^2}$, and the share of $\psi$ that $\varphi R$ explains is $c^2$.


# %% tags=["hide-input"]
def features(depth, width, seed):
    """Last hidden layer of an untrained network, centred, on training and held-out images."""
    shape = [fit.x[0].numel(), *[width] * depth, 10]
    net = training.start(lambda: models.mlp(shape, bias=False), seed)
    found = [
        models.outputs(net, x, [2 * depth])[2 * depth]
        for x in (fit.x, images.test.x)
    ]
    return [h - found[0].mean(0) for h in found]


def kernel_error(one, two):
    """Squared difference of two kernels on held-out images, over their squared size."""
    K, L = (h[1][:1000] @ h[1][:1000].T for h in (one, two))
    K, L = K / K.trace(), L / L.trace()
    return float((K - L).square().sum() / (K * L).sum())


def alignment_error(one, two):
    """Share of the second network that the first, turned, does not explain, held out."""
    turned = one[1] @ covariance.procrustes(one[0].T @ two[0])
    return 1 - float(
        (turned * two[1]).sum() ** 2
        / (turned.square().sum() * two[1].square().sum())
    )


# %% tags=["hide-input"]
ERRORS = {"kernels": kernel_error, "activations": alignment_error}
rows = []
for repeat in range(2):
    for width in settings.progress(knobs.kernel_widths, desc="widths"):
        one, two, deeper = (features(*of, width, 300 + 3 * repeat + k) for k, of in enumerate([(1,), (1,), (2,)]))  # fmt: skip
        for pair, other in [
            ("one hidden layer each", two),
            ("one hidden layer against two", deeper),
        ]:
            for of, error in ERRORS.items():
                rows.append({"of": of, "pair": pair, "repeat": repeat, "width": width, "error": error(one, other)})  # fmt: skip
errors = pd.DataFrame(rows)


def slope(of_pair):
    """Slope of the logarithm of the error against that of the width."""
    return float(np.polyfit(np.log(of_pair.width), np.log(of_pair.error), 1)[0])


slopes = {
    key: [slope(of_repeat) for _, of_repeat in of_pair.groupby("repeat")]
    for key, of_pair in errors.groupby(["of", "pair"])
}

# %% tags=["remove-cell"]
same, across = "one hidden layer each", "one hidden layer against two"
for name, of, null in [
    ("covariance_kernel_slope", "kernels", ("kernels", across)),
    ("covariance_alignment_slope", "activations", ("kernels", same)),
]:
    claims.check(
        name,
        np.mean(slopes[of, same]),
        images.name,
        null=np.mean(slopes[null]),
        repeats=slopes[of, same],
    )

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-kernel", "caption": "Left, squared difference of the kernels of two untrained networks, over their squared size; right, share of one that the other does not explain after a rotation, on held-out images. Two pairs a width. The kernels of one architecture approach each other as one over the width, the dashed line; those of two architectures level off. The alignment error falls more slowly, and it falls for two architectures too."}, "image": {"alt": "Two panels on logarithmic axes of width. In the left one, circles, of one architecture, fall along a dashed line, and triangles, of two, fall less and lie above. In the right one both fall along flatter lines than the dashed one, the triangles above the circles."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
marks = {same: ("o", C["other"]), across: ("^", C["null"])}
for ax, (of, title) in zip(axes, [("kernels", "difference of the kernels"), ("activations", "alignment error")], strict=True):  # fmt: skip
    for pair, (marker, color) in marks.items():
        part = errors[(errors["of"] == of) & (errors["pair"] == pair)]
        middle = part.groupby("width").error.mean()
        ax.loglog(part.width, part.error, marker, color=color, ms=4, label=pair)
        ax.loglog(middle.index, middle, color=color, lw=1)
        if pair == same:
            first_width = middle.index[0]
            ax.loglog(middle.index, middle.iloc[0] * first_width / middle.index, "--", color=C["ink"], lw=1, label="one over the width")  # fmt: skip
    ax.set(title=title, xlabel="width")
fig.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3
)
plt.show()

# %% tags=["remove-input"]
mean_slopes = {key: np.mean(found) for key, found in slopes.items()}
by_width = errors.groupby(["of", "pair", "width"]).error.mean()
ends, null_ends = (by_width["activations", pair] for pair in (same, across))
last_two = by_width["kernels", across].iloc[-2:]
Markdown(
    f"The squared difference of two kernels falls with the width to the power {decimals(mean_slopes['kernels', same])}, as the "
    "law of large numbers has it. Between two architectures it must level off, because the kernels tend to different ones; from the last width but one to the last, the "
    f"power is {decimals(slope(last_two.reset_index()))}. The alignment error of one architecture falls from {percent(ends.iloc[0])} to "
    f"{percent(ends.iloc[-1])}, to the power {decimals(mean_slopes['activations', same])} only. A likely reason, not tested here, is that "
    "few directions of large variance rule a kernel's difference, and many weak ones the alignment error. Nor is a "
    f"common kernel needed: between two architectures the error falls too, from {percent(null_ends.iloc[0])} to {percent(null_ends.iloc[-1])}."
)

# %% [markdown]
# So untrained networks must agree to some degree. Each number of two trained networks stands beside that of two
# untrained ones, of two on random labels, and of a trained network with one of either kind.

# %%
pairs = {
    kind: list(combinations(positions, 2))
    for kind, positions in members.items()
}
for null in ("random labels", "untrained"):
    pairs[f"trained and {null}"] = [
        (members["trained"][k], members[null][k]) for k in range(knobs.nulls)
    ]


def cosine(layer, i, j, on, centered):
    """Cosine of two aligned networks, on the images of some moments."""
    R = covariance.procrustes(train.second(layer, i, j, centered))
    return covariance.alignment_cosine(on[layer], i, j, R, centered)


def mean_cosine(kind, layer, on, centered):
    """Mean over the pairs of a kind."""
    return np.mean([cosine(layer, i, j, on, centered) for i, j in pairs[kind]])


# %% tags=["remove-cell"]
raw = {
    kind: [mean_cosine(kind, k, train, False) for k in layers]
    for kind in ("trained", "untrained")
}
claims.check("covariance_cosine_1", raw["trained"][0], images.name)
claims.check("covariance_cosine_2", raw["trained"][1], images.name)

# %% tags=["remove-input"]
Markdown(
    f"Measured as in the source, trained networks have cosines of {both(raw['trained'], decimals, 3)} in "
    "hidden layers 1 and 2; the source has 0.922 and 0.875. Two untrained networks have "
    f"{both(raw['untrained'], decimals, 3)}, so these numbers say little. In what follows, networks are compared without "
    f"the means, the map is fitted on {len(fit):,} training images, and the share, the square, is measured on held-out ones."
)

# %% [markdown]
# An orthogonal map is one choice among several. A {term}`permutation` of units is a special orthogonal
# map, and an orthogonal map is a special affine one. {py:func}`.covariance.best_maps` fits the best of
# each kind, a permutation and an orthogonal map with the best factor, and {py:func}`.covariance.share_explained`
# measures the share that it explains ({numref}`fig-shares`).

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: after a rotation, how much do networks without a common task explain, beside what two trained ones do?" say="The map is orthogonal, and the pairs are of the kind without a common task that agrees best: two on random labels, two untrained ones, or a trained one with one of either. Means are taken out, and the share is measured on held-out images. Vote once for each hidden layer, and ask one voter of each kind for the reason."
# - Less than a quarter of what two trained networks explain of each other.
# - Between a quarter and half of it.
# - Between half and three quarters of it.
# - More than three quarters of it.

# %%
explained = pd.DataFrame(
    {
        "pair": kind,
        "of": (i, j),
        "layer": k // 2,
        "map": name,
        "share": covariance.share_explained(held_out[k], i, j, matrix),
    }
    for k in layers
    for kind, of_kind in pairs.items()
    for i, j in of_kind
    for name, matrix in covariance.best_maps(train[k], i, j).items()
)

# %% tags=["hide-input"] slide="Trained networks explain one another best, and in hidden layer 1 pairs without a common task are not far behind." say="Compare with the vote. Read each group from the left, trained pairs first. Then ask what the distance to the best null says, and what it leaves open: the networks on random labels also fit less well." mystnb={"figure": {"name": "fig-shares", "caption": "Share of the variance of one network that another explains on held-out images, by the kind of map between them, one dot a pair. Trained networks explain one another best by every map. But the nulls are not far behind in hidden layer 1, and a permutation explains less than half of what an orthogonal map does."}, "image": {"alt": "Two panels, one a hidden layer. In each, three groups of dots that rise from permutation to orthogonal to affine, with five kinds of pairs side by side. Trained pairs, filled circles at the left of each group, lie highest. Filled squares and triangles, pairs of networks on random labels and of untrained ones, lie lower, and hollow ones, paired with a trained network, lower still or level with them. In hidden layer 2 all distances to the trained pairs are larger than in hidden layer 1."}}
MARKS = {
    "trained": ("o", C["matched"], "full"),
    "random labels": ("s", C["null"], "full"),
    "untrained": ("^", C["null"], "full"),
    "trained and random labels": ("s", C["ink"], "none"),
    "trained and untrained": ("^", C["ink"], "none"),
}


def dots(ax, frame, x, y, order):
    """One dot a pair, kinds of pairs side by side."""
    for k, (kind, (marker, color, fill)) in enumerate(MARKS.items()):
        part = frame[frame.pair == kind]
        places = part[x].map(list(order).index) + 0.15 * (k - 2)
        ax.plot(places, part[y], marker, color=color, fillstyle=fill, ms=5, label=kind)  # fmt: skip
    ax.set_xticks(range(len(order)), order)
    ax.set_xlim(-0.5, len(order) - 0.5)
    ax.grid(False, axis="x")


fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
for ax, (layer, part) in zip(axes, explained.groupby("layer"), strict=True):
    dots(ax, part, "map", "share", ["permutation", "orthogonal", "affine"])
    ax.set(title=f"hidden layer {layer}", ylim=(0, 1))
    ax.yaxis.set_major_formatter(in_percent)
axes[0].set(ylabel="share explained")
fig.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3
)
plt.show()

# %% tags=["remove-cell"]
disjoint = [(k, k + 1) for k in range(0, len(networks) - 1, 2)]


def check_pairs(name, frame, value):
    """Check a claim on trained pairs: the null is the best kind of other pairs."""
    of_kind = frame.groupby("pair")[value].mean()
    trained_pairs = frame[frame.pair == "trained"].set_index("of")[value]
    claims.check(
        name,
        of_kind["trained"],
        images.name,
        null=of_kind.drop("trained").max(),
        repeats=[trained_pairs[pair] for pair in disjoint],
    )


for layer in (1, 2):
    turns = explained[explained["map"] == "orthogonal"]
    check_pairs(
        f"covariance_share_{layer}", turns[turns.layer == layer], "share"
    )

# %% tags=["remove-input"]
by = explained.groupby(["map", "pair", "layer"]).share
mean, deviation = by.mean(), by.std().max()
pair_null = mean["orthogonal"].drop("trained").groupby("layer").max()
Markdown(
    f"An orthogonal map explains {both(mean['orthogonal', 'trained'])} between trained networks in hidden "
    f"layers 1 and 2, and between the pairs without a common task that agree best, {both(pair_null)}. So much is had without "
    "a common task, and trained networks agree more, above all in hidden layer 2. "
    f"The standard deviation over pairs of a kind is at most {100 * deviation:.1f} points. A permutation "
    f"explains {both(mean['permutation', 'trained'])}, but {both(mean['permutation', 'untrained'])} between untrained "
    "networks too.\n\n"
    "Is it the common task? This page cannot tell. Networks on random labels also fit their labels less well, their labels do not depend on "
    f"the images, and they train for {knobs.random_epochs} epochs, not {recipe['epochs']}. To tell these apart would take networks that share one "
    "random labelling, at the same fit."
)

# %% [markdown]
# In which directions do networks agree? {cite:t}`chen2025` ask how well each principal direction of one network is predicted from
# another: take the activations of the one along the direction, predict them by ridge regression from all units of
# the other, and measure on held-out images which share of their variance is predicted ({numref}`fig-directions`). The strongest
# null keeps the direction and exchanges the predictor for a network on random labels or an untrained one. The
# directions of untrained networks stand beside, and a predictor that is given other images than those it is to predict.


# %%
def predicted(fitted, found, i, j):
    """Share of the variance along each direction of network i that network j predicts."""
    directions = covariance.spectrum(fitted.covariance(i))[1].T
    own, cross = fitted.covariance(j), fitted.covariance(j, i) @ directions
    penalty = 1e-4 * own.diagonal().mean() * torch.eye(len(own)).to(own)
    A = torch.linalg.solve(own + penalty, cross)
    gained = 2 * found.covariance(j, i) @ directions - found.covariance(j) @ A
    variance = (directions * (found.covariance(i) @ directions)).sum(0)
    return ((A * gained).sum(0) / variance).cpu().numpy()


# %% tags=["hide-input"]
unpaired, unpaired_test = (
    covariance.moments(networks[:2], [x, x.flip(0)], layers)
    for x in (fit.x, images.test.x)
)
by_direction = {}
for k in layers:
    for name, kind in [
        ("trained, from trained", "trained"),
        ("trained, from random labels", "trained and random labels"),
        ("trained, from untrained", "trained and untrained"),
        ("untrained, from untrained", "untrained"),
    ]:
        by_direction[name, k] = np.array([predicted(train[k], held_out[k], i, j) for i, j in pairs[kind]])  # fmt: skip
    by_direction["trained, from other images", k] = predicted(
        unpaired[k], unpaired_test[k], 0, 1
    )[None]

# %% tags=["remove-cell"]
controls_of_directions = (
    "trained, from random labels",
    "trained, from untrained",
)
first_ranks = slice(0, knobs.ranks[1])
for k in layers:
    own_pairs = dict(
        zip(
            pairs["trained"],
            by_direction["trained, from trained", k],
            strict=True,
        )
    )
    claims.check(
        f"covariance_directions_{k // 2}",
        np.mean(list(own_pairs.values()), axis=0)[first_ranks].mean(),
        images.name,
        null=max(
            by_direction[name, k].mean(0)[first_ranks].mean()
            for name in controls_of_directions
        ),
        repeats=[
            own_pairs[k_, k_ + 1][first_ranks].mean()
            for k_ in range(0, len(networks) - 1, 2)
        ],
    )

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-directions", "caption": "Share of the variance along each principal direction of one network that another predicts on held-out images, by rank, mean over pairs; beyond the first ranks, a dot is a mean over several. Over the first fifty taken together, the directions of trained networks are predicted better from trained networks than from the nulls. A predictor that is given other images does worse than none, because it overfits."}, "image": {"alt": "Two panels of falling curves against rank on a logarithmic axis. The solid curve of trained networks predicted from trained ones lies highest over most ranks, the broken curves of the nulls below it, in hidden layer 2 by more. A line of small dots lies a little below zero."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharey=True)
lines = {
    "trained, from trained": ("-", C["matched"]),
    "trained, from random labels": (":", C["ink"]),
    "trained, from untrained": ("--", C["ink"]),
    "untrained, from untrained": ("-.", C["null"]),
    "trained, from other images": (".", C["null"]),
}
for ax, k in zip(axes, layers, strict=True):
    for name, (dash, color) in lines.items():
        values = by_direction[name, k].mean(0)
        bins = np.unique(np.geomspace(1, len(values), 30).round().astype(int))
        sizes = np.diff([*bins, len(values) + 1])
        means = np.add.reduceat(values, bins - 1) / sizes
        ax.semilogx(bins + (sizes - 1) / 2, means, dash, color=color, label=name)  # fmt: skip
    ax.set(title=f"hidden layer {k // 2}", xlabel="rank", ylim=(-0.1, 1.02))
    ax.yaxis.set_major_formatter(in_percent)
axes[0].set(ylabel="share predicted")
fig.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2
)
plt.show()

# %% tags=["remove-input"]
spans = {
    f"{low + 1} to {high}": slice(low, high)
    for low, high in zip([0, *knobs.ranks], knobs.ranks, strict=False)
}
gains = {
    k: [
        100
        * (
            by_direction["trained, from trained", k].mean(0)[of].mean()
            - max(
                by_direction[name, k].mean(0)[of].mean()
                for name in controls_of_directions
            )
        )
        for of in spans.values()
    ]
    for k in layers
}
tops = {name: by_direction[name, 4].mean(0)[0] for name in lines}
to_ten = {name: by_direction[name, 4].mean(0)[:10].mean() for name in lines}
Markdown(
    "Beyond the better of the two null predictors, training adds "
    f"{listed(gains[2], lambda v: decimals(v, 0))} points in hidden layer 1, at ranks {listed(spans)}, and "
    f"{listed(gains[4], lambda v: decimals(v, 0))} in hidden layer 2. The first direction of hidden layer 2 is predicted to "
    f"{percent(tops['trained, from trained'])} by another trained network and to {percent(max(tops[name] for name in controls_of_directions))} by "
    "the better null. But an untrained network's first direction is predicted by another untrained one to "
    f"{percent(tops['untrained, from untrained'])}, so this one is had without training. Over the first ten, trained networks "
    f"predict {percent(to_ten['trained, from trained'])} and untrained ones {percent(to_ten['untrained, from untrained'])}: training makes more "
    "directions common. In the weakest directions little is predicted in any kind of network."
)

# %% [markdown]
# ## Do the covariances agree?
#
# The shares above compare activations, image by image. The question was about covariances. Turn a
# covariance $C$ of one network into the frame of the other, $R^\top C R$, and compare it with the
# covariance there. For activations take $R$ and $C$ of the same hidden layer, $R$ from training images
# and $C$ from held-out ones. Weights live in the space of what enters their layer: pixels for layer 1,
# which need no $R$, and hidden layer 1 for layer 2. Any two covariances share an {term}`isotropic` part, a
# multiple of the identity, so take that out. The cosine of what is left ({py:func}`.covariance.matrix_cosine`) measures
# whether the same directions stand out. Weights are compared twice: as they are, and as what training added to the start
# ({numref}`fig-agreement`).
#
# Which cosine would be high? A layer has few rows, so even the covariances of two sets of its own rows differ. As a
# {term}`benchmark`, take the halves of the rows of one network. If they have the cosine $c$, then by the {term}`Spearman-Brown formula` two such
# sets of as many rows as the layer has would have $2c / (1 + c)$. It is no upper limit: rows of one network
# were trained together. It depends on the eigenvalues, so networks on random labels have a benchmark of their own.


# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: which covariances agree far more between trained networks than between every kind of pair without a common task?" say="Several answers may be right. A pair of a kind may be two untrained networks, two on random labels, or a trained one with one of either. Ask those who chose the activations what two untrained networks would give, and let the next slide answer."
# - Those of the activations.
# - Those of the weights as they are.
# - Those of what training added to the start.
# - None of them.


# %%
def second_moment(rows):
    """Mean outer product of the rows."""
    return rows.T @ rows / len(rows)


def benchmark(rows, generator):
    """Cosine of the covariances of two sets of a layer's rows, from its halves."""
    order = torch.randperm(len(rows), generator=generator)
    halves = [second_moment(rows[half]) for half in order.chunk(2)]
    found = covariance.matrix_cosine(*halves)
    return 2 * found / (1 + found)


# %% tags=["hide-input"]
ALL_STARTS = [*starts, *random_starts, *untrained]
weights, added = (
    {
        layer: [
            second_moment((m[layer].weight - f * s[layer].weight).double())
            for m, s in zip(everyone, ALL_STARTS, strict=True)
        ]
        for layer in (1, 3)
    }
    for f in (0, 1)
)
of_activations = {
    k: [held_out[k].covariance(i) for i in range(len(everyone))] for k in layers
}
generator = torch.Generator().manual_seed(999)  # no network's own seed
renewed = {
    layer: [
        second_moment(change + fresh_start(change, generator))
        for m, s in zip(everyone, ALL_STARTS, strict=True)
        for change in [(m[layer].weight - s[layer].weight).double()]
    ]
    for layer in (1, 3)
}
titles = {
    "activations": of_activations,
    "weights": weights,
    "added by training": added,
    "added, on fresh starts": renewed,
}


@lru_cache(maxsize=50)
def frames(i, j):
    """Orthogonal maps from network i to network j: of pixels and hidden layers."""
    R1, R2 = (covariance.procrustes(train[k].covariance(i, j)) for k in layers)
    return {0: torch.eye(inputs.second(0).shape[0]).to(R1), 1: R1, 2: R2}


rows = []
for kind, of_kind in pairs.items():
    for i, j in of_kind:
        R = frames(i, j)
        for of, matrices in titles.items():
            for number, found in enumerate(matrices.values(), start=1):
                if of.startswith("added") and "untrained" in kind:
                    continue
                turn = R[number if of == "activations" else number - 1]
                value = covariance.matrix_cosine(
                    turn.T @ found[i] @ turn, found[j]
                )
                rows.append({"what": of, "pair": kind, "of": (i, j), "layer": number, "cosine": value})  # fmt: skip
agreements = pd.DataFrame(rows)
benchmarks = {
    (of, kind): [
        [
            benchmark(
                everyone[k][layer].weight
                - (of != "weights") * ALL_STARTS[k][layer].weight,
                generator,
            )
            for k in members[kind]
        ]
        for layer in (1, 3)
    ]
    for of in ("weights", "added by training")
    for kind in ("trained", "random labels")
}

# %% tags=["remove-cell"]
learned = agreements[agreements.what == "added by training"]
for layer in (1, 2):
    check_pairs(
        f"covariance_learned_{layer}", learned[learned.layer == layer], "cosine"
    )
claims.check(
    "covariance_rows_depend",
    np.mean(benchmarks["added by training", "trained"][0]),
    images.name,
    null=learned[(learned.layer == 1) & (learned.pair == "trained")].cosine.mean(),
    repeats=benchmarks["added by training", "trained"][0],
)  # fmt: skip
benchmarks = {
    key: [np.mean(of_layer) for of_layer in of]
    for key, of in benchmarks.items()
}

# %% tags=["hide-input"] slide="Covariances of activations agree without a common task; those of what was learned, far more in trained networks." say="Start at the left: that panel is no sign of a shared task. Then the bars: two sets of rows of one network. In layer 1 trained pairs lie beyond the bar, so rows of one network are not independent." mystnb={"figure": {"name": "fig-agreement", "caption": "Cosine of the covariances of two networks in one frame, isotropic part removed, one dot a pair. Bars at the dots of trained and of random-label pairs: the benchmark, two sets of rows of one network. (Activations have none, and to untrained networks nothing was added.) The activations of any two networks of a kind agree. What training added agrees between trained networks, in layer 1 beyond the benchmark, and clearly less between networks on random labels, which stay far below theirs."}, "image": {"alt": "Three panels, activations, weights and added by training, each with layers 1 and 2. For activations trained, random-label and untrained pairs lie near one and the mixed pairs lower. For weights trained pairs lie below one half, a little above their bars; all other pairs lie near zero or a little above it, those on random labels below their bars. For what training added trained pairs lie much higher, above the bar in layer 1 and below it in layer 2; all pairs with random labels lie at or below one half in layer 1 and near zero in layer 2, far below the bars."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3.4), sharey=True)
for ax, of in zip(axes, [*titles][:3], strict=True):
    dots(ax, agreements[agreements.what == of], "layer", "cosine", [1, 2])
    for place, kind in [(-0.3, "trained"), (-0.15, "random labels")]:
        if (of, kind) in benchmarks:
            left = np.array([0, 1]) + place - 0.11
            label = "benchmark" if kind == "trained" else None
            ax.hlines(benchmarks[of, kind], left, left + 0.22, color=C["ink"], lw=2, zorder=4, label=label)  # fmt: skip
    label = "hidden layer" if of == "activations" else "layer"
    ax.set(title=of, ylim=(-0.05, 1.05), xlabel=label)
axes[0].set(ylabel="cosine of the covariances")
fig.legend(
    *axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=2
)
plt.show()

# %% tags=["remove-input"]
by = agreements.groupby(["what", "pair", "layer"]).cosine
cosines, deviation = by.mean(), by.std().max()


def alike(of, kind):
    """Mean cosines of both layers in words."""
    return both(cosines[of, kind], decimals, 2)


def standard(of, kind):
    """The benchmark of both layers in words."""
    return both(benchmarks[of, kind], decimals, 2)


Markdown(
    f"Covariances of activations have cosines of {alike('activations', 'trained')} between trained networks, "
    f"{alike('activations', 'random labels')} between networks on random labels and "
    f"{alike('activations', 'untrained')} between untrained ones: this agreement is no sign of a shared task. "
    "Mixed pairs have less.\n\n"
    f"Covariances of weights have cosines of {alike('weights', 'trained')} in layers 1 and 2 between trained networks; "
    f"the benchmark is {standard('weights', 'trained')}. Networks on random labels have {alike('weights', 'random labels')} "
    f"(benchmark {standard('weights', 'random labels')}), and untrained ones, whose rows are independent, must have zero. "
    "What was learned depends on the start, and this too raises the cosine: the same learned "
    f"parts on fresh starts have {alike('added, on fresh starts', 'trained')}.\n\n"
    f"Covariances of what training added have {alike('added by training', 'trained')} between trained networks, and "
    f"the benchmark is {standard('added by training', 'trained')}. In layer 1, two networks are more alike than two sets of rows of one "
    "network. Were the rows independent, that could not be: those of one network depend on one another, so that whole layers vary less from network to network. In layer 2 the "
    "benchmark needs no rotation between networks, which explains a part only, so some of the shortfall may be that of the alignment. "
    f"Networks on random labels have {alike('added by training', 'random labels')}, far below their own benchmark of "
    f"{standard('added by training', 'random labels')}: it is not for lack of rows that they agree less. Between the two kinds it is "
    f"{alike('added by training', 'trained and random labels')}, in layer 1 no less than among those on random labels. "
    f"No standard deviation over pairs exceeds {deviation:.2f}."
)

# %% [markdown]
# Do single eigenvectors agree too? {numref}`fig-eigenvectors` compares each eigenvector of one network,
# turned by $R$, with each of another. If single directions are shared, the map is a diagonal. Where
# eigenvalues are close, eigenvectors mix, and only the space that they span can be shared. So it also shows which
# share of the first $k$ eigenvectors of one network lies in the space of the first $k$ of the other. Two random
# spaces in $D$ dimensions share $k / D$.

# %%
leading = {
    k: [covariance.spectrum(c)[1][:256] for c in weights[k]] for k in (1, 3)
}


def eigenvector_map(layer, i, j):
    """Absolute cosines of the leading eigenvectors of two networks."""
    turn = frames(i, j)[layer // 2]
    return (leading[layer][i] @ turn @ leading[layer][j].T).abs()


def overlap(layer, i, j):
    """Share of the first k eigenvectors in the space of the other's, for each k."""
    inside = (
        eigenvector_map(layer, i, j).square().cumsum(0).cumsum(1).diagonal()
    )
    return (inside / torch.arange(1, len(inside) + 1)).cpu().numpy()


# %% tags=["hide-input"]
shared = {
    (kind, k): np.mean([overlap(k, i, j) for i, j in pairs[kind]], axis=0)
    for kind in members
    for k in (1, 3)
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-eigenvectors", "caption": "Above, absolute cosines between the first 50 eigenvectors of the weight covariances of two trained networks after alignment. The first ones line up, and more of them in layer 1 than in layer 2. Below, share of the space of the first k eigenvectors that two networks of a kind have in common, mean over pairs: trained networks have far more in common than networks on random labels."}, "image": {"alt": "Four panels, one column a layer. Above, two square maps with a diagonal that is brightest at the first ranks; that of layer 1 is longer. Below, against k, the curve of trained networks begins high and falls, with a dip; the dashed one of random labels lies far lower, and above the dotted line of chance, which rises."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5.8))
for (top, bottom), k in zip(axes.T, (1, 3), strict=True):
    found = eigenvector_map(k, *pairs["trained"][0])[:50, :50].cpu()
    size = len(found) + 0.5
    plotting.heatmap(found, top, vmin=0, vmax=1, extent=(0.5, size, size, 0.5))
    top.set(title=f"layer {k // 2 + 1}", xlabel="rank, the other network")
    for kind, (dash, color) in {"trained": ("-", C["matched"]), "random labels": ("--", C["ink"])}.items():  # fmt: skip
        of_k = shared[kind, k]
        bottom.semilogx(
            range(1, len(of_k) + 1), of_k, dash, color=color, label=kind
        )
    bottom.semilogx(range(1, len(of_k) + 1), np.arange(1, len(of_k) + 1) / leading[k][0].shape[1], ":", color=C["ink"], label="chance, k / D")  # fmt: skip
    bottom.set(xlabel="eigenvectors, k", ylim=(0, 1))
axes[0, 0].set_ylabel("rank, one network")
axes[1, 0].set_ylabel("space in common")
axes[1, 1].legend(loc="upper right")
fig.colorbar(axes[0, 0].images[0], ax=axes[0], label="cosine", shrink=0.8)
plt.show()

# %% tags=["remove-input"]
ten = {kind: [shared[kind, k][9] for k in (1, 3)] for kind in members}
over = {
    kind: [
        shared[kind, k]
        - np.arange(1, 1 + len(shared[kind, k])) / leading[k][0].shape[1]
        for k in (1, 3)
    ]
    for kind in ("trained", "random labels")
}
Markdown(
    "The space of the first ten eigenvectors of one trained network holds "
    f"{both(ten['trained'])} of those of another in layers 1 and 2; on random labels it holds "
    f"{both(ten['random labels'])}, and without training {both(ten['untrained'])}, which is chance. Networks on random labels go "
    f"beyond chance by at most {both([100 * o.max() for o in over['random labels']], decimals, 0)} points, "
    f"at {both([1 + o.argmax() for o in over['random labels']], decimals, 0)} directions; trained networks go beyond it there by "
    f"{both([100 * t[o.argmax()] for t, o in zip(over['trained'], over['random labels'], strict=True)], decimals, 0)}. "
    "Where the trained curve dips after the first two directions, neighbouring eigenvectors change places."
)

# %% tags=["remove-input"]
Markdown(
    "**So do trained networks share their covariances?** Those of their activations, yes, but so do networks "
    "without a common task. Those of their weights, in part: with the "
    f"random starts in them, the cosines are {alike('weights', 'trained')} in layers 1 and 2. What training adds to the starts has "
    f"covariances whose cosine is {decimals(cosines['added by training', 'trained', 1])} in layer 1, and two sets of rows of one network "
    f"have no more than {decimals(benchmarks['added by training', 'trained'][0])}. "
    f"In layer 2 it is {decimals(cosines['added by training', 'trained', 2])}, and two sets of rows have "
    f"{decimals(benchmarks['added by training', 'trained'][1])}. Training on the same images with random labels "
    "brings about a smaller part of this agreement in layer 1, and little of it in layer 2."
)

# %% [markdown]
# ## Networks drawn from covariances
#
# If the covariances were all that matters, rows drawn from a Gaussian with covariance
# $C_l = W_l^\top W_l / H$ would do as well as the trained rows of $W_l$. This is the rainbow model
# {cite:p}`guth2024`. {term}`Rainbow sampling <rainbow sampling>` builds a new network layer by layer
# ({numref}`fig-rainbow`):
#
# 1. *Draw* rows $G_1$ from a Gaussian with covariance $C_1$: the first layer of the new network.
# 2. *Align.* The trained network puts out $\varphi^{(1)}$ in hidden layer 1, and the new one
#    $\psi^{(1)}$. Find the orthogonal $R_1$ with $\varphi^{(1)} R_1 \approx \psi^{(1)}$.
# 3. *Turn.* Rows $G_2$ with covariance $C_2$ expect inputs in the frame of the trained network. The new
#    network has inputs in its own frame, so its second layer is $G_2 R_1$: then
#    $(G_2 R_1)\, \psi^{(1)\top} \approx G_2\, \varphi^{(1)\top}$, because $R_1 R_1^\top$ is the identity where
#    the new layer has at least as many units as the trained one.
# 4. *Go on* to the next layer. The classifier is not drawn. It is the trained one, turned: $W_3 R_2$.
#
# {py:func}`.covariance.rainbow` does all of it. The next layer reads activations with their means, so these
# maps are fitted with the means in.

# %% tags=["hide-input"] slide="A drawn network gets the covariances, and the alignments and the trained classifier too." say="Draw, align, turn, layer by layer. Ask what in this picture is no covariance. That is why the controls must go through the same alignments and end in the same classifier. Before the next slide, ask where white noise will lie when the trained classifier reads it." mystnb={"figure": {"name": "fig-rainbow", "caption": "Rainbow sampling. Above, the trained network; below, the new one, with ReLUs at each stop. Rows G are drawn with the covariance of the trained rows. The maps R are fitted to the activations of both networks (dashed) and turn what was drawn, and the trained classifier, into the frame of the new network. What was trained has the colour of the upper chain, what was drawn that of the lower one."}, "image": {"alt": "A diagram of two chains that start at the same images. The upper chain leads by W1, W2 and W3 over the activations phi of hidden layers 1 and 2 to the classes, the lower one by G1, G2 R1 and W3 R2 over psi of hidden layers 1 and 2; W3 R2 is drawn in the colour of the upper chain. Dashed arrows R1 and R2 point down from phi to psi."}}
fig, ax = plt.subplots(figsize=(7.2, 2.5))
ax.set(xlim=(-0.3, 6.6), ylim=(-0.45, 1.45))
ax.axis("off")
arrow = {"arrowstyle": "-|>", "shrinkA": 16, "shrinkB": 16, "lw": 1.4}
trained_, drawn_ = C["matched"], C["other"]
chains = [
    (1, [("W_1", trained_), ("W_2", trained_), ("W_3", trained_)], r"\varphi", "trained"),
    (0, [("G_1", drawn_), ("G_2 R_1", drawn_), ("W_3 R_2", trained_)], r"\psi", "drawn"),
]  # fmt: skip
ax.text(0, 0.5, "$x$", ha="center", va="center", fontsize=14)
for y, maps, state, name in chains:
    stops = [(0, 0.5), (2, y), (4, y), (5.85, y)]
    for (x1, y1), (x2, y2), (text, color) in zip(stops, stops[1:], maps, strict=False):  # fmt: skip
        ax.annotate("", (x2, y2), (x1, y1), arrowprops={**arrow, "color": color})  # fmt: skip
        ax.text(
            (x1 + x2) / 2, (y1 + y2) / 2 + (0.14 if y else -0.2), f"${text}$", ha="center", color=color, fontsize=12
        )  # fmt: skip
    for k, x in enumerate((2, 4), start=1):
        ax.text(x, y, f"${state}^{{({k})}}$", ha="center", va="center", fontsize=14)  # fmt: skip
    ax.text(6.1, y, f"classes\n({name})", ha="center", va="center")
for k, x in enumerate((2, 4), start=1):
    fitted = {**arrow, "color": C["ink"], "ls": "--"}
    ax.annotate("", (x, 0), (x, 1), arrowprops=fitted)
    ax.text(x + 0.1, 0.47, f"$R_{k}$", fontsize=12)
plt.show()

# %% [markdown]
# ## Is that all that they share?
#
# A drawn network has more than covariances to go by: at each layer it is aligned with the trained
# network, and it ends in the trained classifier. Three {term}`controls <control>` go through the same alignments and end
# in the same classifier. They keep the eigenvalues of $C_l$, but along the principal directions of what
# enters the layer, or in random directions; or they keep only the mean square, as {term}`white noise`. A
# {term}`positive control` goes the other way: the hidden layers of another trained network, turned by
# $R_2$ into the classifier of network 1.

# %%
reference, kinds = networks[0], ("covariance", "data", "rotated", "white")


def draws(model, n_draws, **options):
    """Networks drawn from the covariances of one, one for each seed."""
    found = []
    for seed in settings.progress(range(n_draws), desc="drawing"):
        options["generator"] = torch.Generator().manual_seed(seed)
        found.append(covariance.rainbow(model, fit, **options))
    return found


def with_classifier_of_1(j):
    """Hidden layers of network j, turned into the classifier of network 1."""
    R = covariance.procrustes(train.second(4, 0, j)).float()
    model = models.clone(everyone[j])
    model[5].weight.data = reference[5].weight @ R
    return model


drawn = {rows: draws(reference, knobs.draws, rows=rows) for rows in kinds}
sampled = drawn["covariance"]
turned = [with_classifier_of_1(j) for j in members["trained"][1:]]
turned_random = [with_classifier_of_1(j) for j in members["random labels"]]

# %% [markdown]
# Three measures say how much of the trained network is there ({numref}`fig-ladder`): the accuracy through the
# classifier of network 1; that of a new {term}`readout`, which {py:func}`.covariance.ridge_readout` fits to the last hidden
# layer by ridge regression, and whose floor is what it makes of {term}`random features`; and the share of the
# variance of *another* trained network, network 2, that the network explains after an orthogonal alignment. If
# covariances were all that trained networks share, a drawn network would explain as much of it as network 1 does.


# %%
def orthogonal_share(fitted, found, i, j):
    """Share of network j that network i explains, up to a rotation."""
    R = covariance.procrustes(fitted.covariance(i, j))
    return covariance.alignment_cosine(found, i, j, R, centered=True) ** 2


def shares_of(target, group):
    """Shares of one network's hidden layers that each of a group explains."""
    before, after = (
        covariance.moments([target, *group], x, layers)
        for x in (fit.x, images.test.x)
    )
    return [
        [orthogonal_share(before[k], after[k], i, 0) for k in layers]
        for i in range(1, len(group) + 1)
    ]


# %% tags=["hide-input"]
few = knobs.few_draws
others = [m for k, m in enumerate(networks) if k != 1]
explains = {
    "trained": shares_of(networks[1], others),
    "random labels": shares_of(networks[1], random_labels),
    "untrained": shares_of(networks[1], untrained),
    **{rows: shares_of(networks[1], drawn[rows][:few]) for rows in kinds},
}

# %% tags=["hide-input"]
names = {
    "trained": "trained",
    "turned": "another network's\nhidden layers",
    "covariance": "drawn with\nthe covariance",
    "data": "eigenvalues, in the\ndata's directions",
    "rotated": "eigenvalues, in\nrandom directions",
    "white": "white noise",
}
ladder = [
    (kind, "classifier", training.accuracy(model, images.test))
    for kind, group in {
        "trained": [reference],
        "turned": turned,
        **drawn,
    }.items()
    for model in group
]
readouts = {"trained": networks, "untrained": untrained}
readouts |= {rows: group[:few] for rows, group in drawn.items()}
ladder += [
    (
        kind,
        "readout",
        training.accuracy(
            covariance.ridge_readout(model, 4, images.train), images.test
        ),
    )
    for kind, group in readouts.items()
    for model in group
]
ladder += [
    (kind, f"share {k + 1}", pair[k])
    for kind, found in explains.items()
    for pair in found
    for k in (0, 1)
]
ladder = pd.DataFrame(ladder, columns=["kind", "measure", "value"])
by = ladder.groupby(["measure", "kind"]).value
mean, deviation = by.mean(), by.std()

# %% tags=["remove-cell"]
claims.check(
    "covariance_sampled_accuracy",
    mean["classifier", "covariance"],
    images.name,
)
values = {key: list(of) for key, of in by}
random_exchange = np.mean(
    [training.accuracy(model, images.test) for model in turned_random]
)
controls = ("data", "rotated", "white")
claims.check(
    "covariance_exchange",
    mean["classifier", "turned"],
    images.name,
    null=max(mean["classifier", "covariance"], random_exchange),
    repeats=values["classifier", "turned"],
)

# %% tags=["hide-input"] slide="By all three measures, drawn networks lie between the controls and the trained networks." say="White noise is far above chance, through the alignments and the classifier. The dotted lines are chance at the left, the readout of untrained networks in the middle, and at the right the most that two networks without a common task explain. Ask what the second row shows that no covariance does." mystnb={"figure": {"name": "fig-ladder", "caption": "Networks with the hidden layers named at the left, one dot each, by three measures: accuracy on held-out images through the classifier of network 1, accuracy through a ridge readout of their own, and the share of the variance of network 2 in hidden layer 2 that they explain. The second row is only in the first panel: a rotation changes neither of the other measures. Dotted lines: chance, the readout of untrained networks, and the most that two networks without a common task explain of each other. By all three measures, drawn networks lie between the controls and the trained networks."}, "image": {"alt": "Three panels with six rows of dots. In the first, network 1 and the hidden layers of other trained networks lie together at the right, drawn networks with the covariance in the middle, and the three controls together farther left; a dotted line marks chance. In the second the order is the same, but the control in the data's directions lies apart from the other two, halfway to the drawn networks; a dotted line marks untrained networks, where white noise lies. In the third, trained networks lie at the right, drawn ones a little to their left, and the controls far to the left, beyond a dotted line."}}
look = {
    "trained": ("o", C["matched"], "full"),
    "turned": ("o", C["matched"], "none"),
    "covariance": ("o", C["other"], "full"),
    "data": ("D", C["null"], "full"),
    "rotated": ("v", C["null"], "full"),
    "white": ("^", C["null"], "full"),
}
panels = [
    ("classifier", "accuracy,\nclassifier of network 1", 0.1, (0, 0.5)),
    ("readout", "accuracy,\nridge readout", mean["readout", "untrained"], (0, 0.5)),
    ("share 2", "share of network 2\nexplained", pair_null[2], (0, 0.8)),
]  # fmt: skip
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3.4), sharey=True)
for ax, (measure, title, floor, limits) in zip(axes, panels, strict=True):
    for place, (kind, (marker, color, fill)) in enumerate(look.items()):
        values = ladder[(ladder.kind == kind) & (ladder.measure == measure)].value  # fmt: skip
        spread = place + np.linspace(-0.15, 0.15, max(len(values), 2))
        ax.plot(values, spread[: len(values)], marker, color=color, fillstyle=fill, ms=5, alpha=0.8)  # fmt: skip
    ax.axvline(floor, ls=":", color=C["null"])
    low, high = limits
    high = max(high, 1.05 * ladder[ladder.measure == measure].value.max())
    ax.set(xlabel=title, xlim=(low, high))
    ax.xaxis.set_major_locator(MaxNLocator(3, prune="upper"))
    ax.xaxis.set_major_formatter(in_percent)
axes[0].set_yticks(range(len(names)), names.values())
axes[0].invert_yaxis()
plt.show()

# %% tags=["remove-input"]


def reach(measure, kind):
    """A mean and its standard deviation in words."""
    return f"{percent(mean[measure, kind], 1)} ({100 * deviation[measure, kind]:.1f})"


floor = np.mean(
    [
        value
        for kind in ("white", "untrained")
        for value in ladder[
            (ladder.kind == kind) & (ladder.measure == "readout")
        ].value
    ]
)
gain, of_white = (
    100 * (mean["classifier", kind] - 0.1) for kind in ("covariance", "white")
)
closed = {
    kind: (mean["readout", kind] - floor) / (mean["readout", "trained"] - floor)
    for kind in ("covariance", "data")
}
own_less = 100 * (
    accuracies[1:]
    - ladder[(ladder.kind == "turned") & (ladder.measure == "classifier")].value
)
Markdown(
    f"Through the classifier of network 1, which has {percent(accuracies[0], 1)}, the hidden layers of other "
    f"trained networks reach {percent(mean['classifier', 'turned'], 1)} on average. Through their own classifiers they "
    f"have {percent(accuracies[1:].mean(), 1)}, so the exchange costs {own_less.mean():.1f} points (standard deviation "
    f"{own_less.std():.1f} over {len(own_less)} networks), though it asks for the ten directions only that the classifier reads. Networks on random "
    f"labels, turned in the same way, reach {percent(random_exchange, 1)}.\n\n"
    f"Networks drawn with the covariance reach {reach('classifier', 'covariance')}; the number in brackets is "
    f"the standard deviation over {len(sampled)} draws from network 1, in points. The source reports 31.4 %. White "
    f"noise has {reach('classifier', 'white')}, and eigenvalues in other directions no more. "
    f"So {of_white:.0f} of the {gain:.0f} points above chance are had by random rows; "
    f"the other {gain - of_white:.0f} come with the covariance, and need its directions."
    f"\n\nA ridge readout reaches {reach('readout', 'covariance')} on drawn networks, {percent(floor, 1)} on "
    f"random features (white noise or untrained) and {reach('readout', 'trained')} on trained networks. So drawn "
    f"networks keep {percent(closed['covariance'])} of the distance from random features to trained networks. But eigenvalues "
    f"in the data's directions keep {percent(closed['data'])} of it too."
)

# %% tags=["remove-cell"]
own = np.mean(shares_of(reference, sampled[:few]), axis=0)
between = np.mean(
    [row for k in range(1, few) for row in shares_of(sampled[k], sampled[:k])],
    axis=0,
)
shares = {kind: [mean[f"share {k}", kind] for k in (1, 2)] for kind in explains}
beaten = [
    max(
        pair_null[k + 1],
        *(of[k] for kind, of in shares.items() if kind not in ("trained", "covariance")),
    )
    for k in (0, 1)
]  # fmt: skip
lead = [
    (shares["covariance"][k] - beaten[k]) / (shares["trained"][k] - beaten[k])
    for k in (0, 1)
]

# %% tags=["remove-input"]
Markdown(
    f"Trained networks explain {both(shares['trained'])} of network 2 in hidden layers 1 and 2. Networks drawn "
    f"from network 1 explain {both(shares['covariance'])}, and white noise {both(shares['white'])}. The most that any null on "
    f"this page reaches is {both(beaten)}, of pairs without a common task. Of the lead of trained networks over it, the drawn ones have {both(lead)}. "
    f"Two drawn networks explain {both(between)} of each other, nearly as much as two trained ones do. But of "
    f"network 1 itself, whose covariances they have, they explain only {both(own)}."
    "\n\n**So is that all that they share?** No. Two trained networks share enough for the classifier of one to "
    f"read the hidden layers of the other, at a cost of {own_less.mean():.1f} points. Their covariances, put into Gaussian rows, "
    f"keep {both(lead)} of what one explains of the other beyond the strongest null (draws from one network), and lose "
    f"{100 * (accuracies[0] - mean['classifier', 'covariance']):.0f} points of accuracy. The covariances are shared, and they "
    "matter, and trained rows are more than Gaussian draws from them. What these lack is asked further below."
)

# %% [markdown]
# Would a better sampler do better? A covariance in 1,024 dimensions is estimated from 512 rows here. So keep
# only the directions of the *spikes*; or draw from the *pooled* covariance of the rows of all networks, turned into one
# frame. And a covariance does not say how many rows to draw: draw half, twice or four times as many. {numref}`fig-widths`
# has one draw from each of several networks. The null at each width is white noise, which is random features.


# %%
def drawn_from(k, factor, kind):
    """A network drawn from network k, of so many times its width."""
    options = {
        "spikes alone": {
            "directions": [spike_counts[layer][k] for layer in (1, 3)]
        },
        "pooled": {"pool": [*networks[:k], *networks[k + 1 :]]},
    }.get(kind, {"rows": kind})
    widths = [int(factor * width) for width in zoo.sizes().hidden]
    generator = torch.Generator().manual_seed(50 + k)
    return covariance.rainbow(
        networks[k], fit, generator=generator, widths=widths, **options
    )


# %% tags=["hide-input"]
FACTORS = (0.5, 1, 2, 4)
RUNGS = ("covariance", "spikes alone", "pooled", "rotated", "white")
few_factors = {  # for cost
    "pooled": (0.5, 1),
    "spikes alone": (1, 4),
    "rotated": (1, 4),
}
rows = []
for kind in RUNGS:
    for k in settings.progress(range(knobs.references), desc=kind):
        for factor in few_factors.get(kind, FACTORS):
            model = drawn_from(k, factor, kind)
            new_readout = covariance.ridge_readout(model, 4, images.train)
            for measure, of in [
                ("classifier", model),
                ("readout", new_readout),
            ]:
                rows.append({"rows": kind, "network": k, "width": factor, "measure": measure, "accuracy": training.accuracy(of, images.test)})  # fmt: skip
rungs = (
    pd.DataFrame(rows)
    .set_index(["measure", "rows", "width", "network"])
    .accuracy
)
one_layer = {
    layer: draws(reference, knobs.fewer_draws, sampled=[layer])
    for layer in (1, 3)
}

# %% tags=["remove-cell"]
read = rungs["readout"]
for name, measure in [
    ("covariance_drawn_gain", "classifier"),
    ("covariance_drawn_readout", "readout"),
]:
    claims.check(
        name,
        rungs[measure]["covariance", 1].mean(),
        images.name,
        null=max(
            mean[measure, "data"],
            *(rungs[measure][k, 1].mean() for k in ("rotated", "white")),
        ),
        repeats=list(rungs[measure]["covariance", 1]),
    )
claims.check(
    "covariance_wide_readout",
    read["covariance", 4].mean(),
    images.name,
    null=max(read[kind, 4].mean() for kind in ("rotated", "white")),
    repeats=list(read["covariance", 4]),
)
widened = {
    m: rungs[m]["covariance", 4] - rungs[m]["covariance", 2]
    for m in ("classifier", "readout")
}
claims.check(
    "covariance_saturates",
    widened["classifier"].mean(),
    images.name,
    null=widened["readout"].mean(),
    repeats=list(widened["classifier"]),
)

# %% tags=["hide-input"] slide="More drawn rows do not close the gap: through the trained classifier the curves level off." say="The dashed lines are the trained networks themselves. By the readout all curves rise, white noise too, so that rise says nothing of covariances. What counts is the lead over white noise at the same width: by the readout it shrinks, and through the classifier it grows a little and levels off." mystnb={"figure": {"name": "fig-widths", "caption": "Accuracy of drawn networks against their width, over that of the trained network: through its classifier, left, and by a ridge readout, right. Means over networks drawn from different trained networks, with standard deviations. Dashed lines: the trained networks themselves. Through the classifier the curves level off; by the readout all of them rise, random features too."}, "image": {"alt": "Two panels of rising curves against width. In each, three curves that know the covariance lie close together, one of them ending early, between a dashed line and two gray curves. In the left panel all are nearly flat at the right end; in the right one all rise throughout, the upper three towards the dashed line."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.6), sharey=True)
rung_marks = {
    "covariance": ("o-", C["other"]),
    "spikes alone": ("s--", LEVELS[0]),
    "pooled": ("D:", LEVELS[3]),
    "rotated": ("v--", C["null"]),
    "white": ("^-", C["null"]),
}
rung_names = {"rotated": "eigenvalues, in random directions", "white": "white noise"}  # fmt: skip
tops_of = {
    "classifier": accuracies.mean(),
    "readout": mean["readout", "trained"],
}
for ax, (measure, top) in zip(axes, tops_of.items(), strict=True):
    for shift, (kind, (style, color)) in zip(
        (0, -0.04, 0.04, -0.02, 0.02), rung_marks.items(), strict=True
    ):
        of_kind = rungs[measure][kind].groupby("width")
        at = np.array(of_kind.mean().index) * 2**shift
        ax.errorbar(at, of_kind.mean(), of_kind.std(), fmt=style, color=color, ms=4, lw=1.3, label=rung_names.get(kind, kind))  # fmt: skip
    ax.axhline(top, color=C["matched"], ls="--", lw=1, label="trained networks")
    ax.set_xscale("log", base=2)
    ax.set_xticks(FACTORS, ["1/2", "1", "2", "4"])
    ax.set(xlabel="width, over the trained network's", title={"classifier": "trained classifier", "readout": "ridge readout"}[measure])  # fmt: skip
    ax.yaxis.set_major_formatter(in_percent)
axes[0].set(ylabel="accuracy")
fig.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3
)
plt.show()

# %% tags=["remove-input"]


def points_between(measure, one, two):
    """Mean and standard deviation over networks of a difference, in points."""
    found = 100 * (rungs[measure][one] - rungs[measure][two])
    return f"{decimals(found.mean(), 1)} ({found.std():.1f})"


lead_by_width = [
    100 * (read["covariance", f].mean() - read["white", f].mean())
    for f in FACTORS
]
against = {
    kind: [
        100
        * np.mean(
            [
                (
                    rungs[measure][kind, f] - rungs[measure]["covariance", f]
                ).mean()
                for f in few_factors[kind]
            ]
        )
        for measure in ("classifier", "readout")
    ]
    for kind in ("pooled",)
}
of_spikes = {
    (measure, f): 100
    * (rungs[measure]["spikes alone", f] - rungs[measure]["covariance", f]).mean()
    for measure in ("classifier", "readout")
    for f in (1, 4)
}  # fmt: skip
left = {
    layer: 100
    * (
        accuracies[0]
        - np.mean([training.accuracy(m, images.test) for m in group])
    )
    for layer, group in one_layer.items()
}
Markdown(
    f"Through the trained classifier, doubling the rows from half to one gains {points_between('classifier', ('covariance', 1), ('covariance', 0.5))} points, "
    f"and doubling them from two to four times as many {points_between('classifier', ('covariance', 4), ('covariance', 2))}; in brackets "
    "is the standard deviation over networks. So it saturates, well below the trained networks. The readout does not: its "
    f"last doubling gains {points_between('readout', ('covariance', 4), ('covariance', 2))} points. But white noise gains "
    f"{points_between('readout', ('white', 4), ('white', 2))} by it, so that is what random features gain by their number: the lead that the "
    f"covariance gives, {decimals(lead_by_width[0], 1)} points at half the width and {decimals(lead_by_width[-1], 1)} at four times, does not grow. "
    "(With half as many rows the maps are no longer orthogonal, so the alignment loses too.)\n\n"
    f"Pooling changes the two accuracies by {both(against['pooled'], decimals, 1)} points on average over half and the whole width. The spikes alone "
    f"gain {decimals(of_spikes['classifier', 1], 1)} and {decimals(of_spikes['classifier', 4], 1)} points through the classifier, at the trained width and at four times as "
    f"much, and by the readout {decimals(of_spikes['readout', 1], 1)} and {decimals(of_spikes['readout', 4], 1)}: the classifier needs no more than the spikes of drawn rows (of "
    "trained rows it needs more, as was seen above), and a readout of many rows does. "
    f"Drawing layer 1 alone costs network 1 {left[1]:.0f} points, and layer 2 alone {left[3]:.0f}."
)

# %% [markdown]
# The scale of the drawn rows matters too. The source's sampler multiplies white noise by the singular
# values and right {term}`singular vectors <singular vector>` of $W$ and forgets the factor $1/\sqrt H$. So its first layer is
# $\sqrt{512} \approx 22.6$ times too large, and its second $\sqrt{256} = 16$ times. The accuracy of a {term}`ReLU` network without
# biases hides that ({ref}`an exercise <ex-covariance-scale>` says why), and its {term}`cross-entropy` shows it.

# %%
too_large = models.clone(sampled[0])
for layer in (1, 3):
    too_large[layer].weight.data *= len(too_large[layer].weight) ** 0.5

# %% tags=["remove-input"]
losses, rates = (
    [f(m, images.test) for m in (reference, sampled[0], too_large)]
    for f in (training.cross_entropy, training.accuracy)
)
same = "the same" if abs(rates[1] - rates[2]) < 0.001 else "nearly the same"
Markdown(
    f"The cross-entropy of network 1 is {losses[0]:.2f} nats, that of a drawn network {losses[1]:.2f} nats, and that "
    f"of the same drawn network without $1/\\sqrt{{H}}$ in both layers {losses[2]:,.0f} nats, at {same} accuracy."
)

# %% [markdown]
# ## A convolutional network
#
# The second network has two convolutions of 5 x 5 pixels with stride 2, 32 and 64 {term}`channels <channel>`, and a
# linear classifier. Channels are now the dimensions that are aligned, and positions are more samples,
# since a convolution treats all positions alike. Only the classifier sees all positions at once; its
# input is aligned as one flat vector. {numref}`fig-channels` shows the eigenvalues of the covariance of
# the channels' activations. Their {term}`participation ratio` says how many directions the variance fills in effect.

# %%
make_cnn = zoo.gray_cnn(images)
cnns = training.fit_ensemble(make_cnn, images.train, [0, 1], **recipe)
cnn_untrained = [training.start(make_cnn, 100 + k) for k in range(3)]
on_test = covariance.moments([*cnns, *cnn_untrained], images.test.x, [1, 3])
cnn_draws = {
    "both convolutions": draws(cnns[0], few),
    "convolution 1 alone": draws(cnns[0], knobs.fewer_draws, sampled=[0]),
    "convolution 2 alone": draws(cnns[0], knobs.fewer_draws, sampled=[2]),
    "both, from white noise": draws(cnns[0], few, rows="white"),
    "both, each direction resampled": draws(cnns[0], few, rows="resampled"),
}

# %% tags=["hide-input"]
cnn_accuracy = [training.accuracy(model, images.test) for model in cnns]
cnn_drawn = {
    name: [training.accuracy(m, images.test) for m in members_]
    for name, members_ in cnn_draws.items()
}
both_drawn = np.mean(cnn_drawn["both convolutions"])


def eigenvalue_shares(matrix):
    """Eigenvalues as shares of their sum."""
    values = covariance.spectrum(matrix)[0].cpu().numpy()
    return values / values.sum()


def participation(matrices):
    """Mean participation ratio: dimensions that are filled in effect."""
    return np.mean([1 / np.sum(eigenvalue_shares(m) ** 2) for m in matrices])


spectra = {
    (place, kind): [found.covariance(k) for k in group]
    for places, kinds_ in [
        ({f"hidden layer {k // 2}": held_out[k] for k in layers}, members),
        (
            {f"convolution {k // 2 + 1}": on_test[k] for k in (1, 3)},
            {"trained": range(2), "untrained": range(2, 5)},
        ),
    ]
    for place, found in places.items()
    for kind, group in kinds_.items()
}

# %% tags=["remove-cell"]
claims.check("covariance_cnn_accuracy", np.mean(cnn_accuracy), images.name)
claims.check("covariance_cnn_sampled", both_drawn, images.name)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-channels", "caption": "Eigenvalues of the covariance of the channels' activations, as shares of their sum, one line a network. After training the first eigenvalue has a smaller share, and the variance is spread over more directions."}, "image": {"alt": "Two panels of falling curves on logarithmic axes, one a convolution. The trained networks, solid, start below the untrained ones, dashed, cross them and lie above them."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.9), sharey=True)
for k, ax in enumerate(axes, start=1):
    for kind, dash in {"trained": "-", "untrained": "--"}.items():
        color = C["matched"] if kind == "trained" else C["null"]
        for n, matrix in enumerate(spectra[f"convolution {k}", kind]):
            values = eigenvalue_shares(matrix)
            ax.loglog(range(1, len(values) + 1), values, dash, color=color, label=None if n else kind)  # fmt: skip
    ax.set(title=f"convolution {k}", xlabel="rank", ylim=(1e-6, 1))
axes[0].set_ylabel("share of the variance")
axes[0].legend(loc="lower left")
plt.show()

# %% tags=["remove-input"]
ratios = {
    kind: [participation(m) for (_, k), m in spectra.items() if k == kind]
    for kind in groups
}
wider = all(
    min(participation([m]) for m in spectra[place, "trained"])
    > max(participation([m]) for m in spectra[place, "untrained"])
    for place in {place for place, _ in spectra}
)
Markdown(
    "In all four layers every trained network spreads the variance over more directions than every untrained one. "
    * wider
    + "The participation ratio is "
    f"{both(ratios['trained'][:2], decimals, 0)} in the perceptrons' hidden layers after training and "
    f"{both(ratios['untrained'][:2], decimals, 0)} without, and {both(ratios['trained'][2:], decimals, 0)} against "
    f"{both(ratios['untrained'][2:], decimals, 0)} in the convolutions. Perceptrons on random labels have "
    f"{both(ratios['random labels'], decimals, 0)}, so a wider spread does not tell a task."
)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "accuracy in %": {
                "nothing (two trained networks)": 100 * np.mean(cnn_accuracy),
                **{k: 100 * np.mean(v) for k, v in cnn_drawn.items()},
            },
            "standard deviation": {
                "nothing (two trained networks)": 100
                * np.std(cnn_accuracy, ddof=1),
                **{k: 100 * np.std(v, ddof=1) for k, v in cnn_drawn.items()},
            },
            "networks": {
                "nothing (two trained networks)": len(cnns),
                **{k: len(v) for k, v in cnn_drawn.items()},
            },
        }
    ).rename_axis("what is drawn"),
    digits=1,
)

# %% tags=["remove-input"]
lost = {k: 100 * (cnn_accuracy[0] - np.mean(v)) for k, v in cnn_drawn.items()}
Markdown(
    f"All draws come from the first network, whose accuracy is {percent(cnn_accuracy[0], 1)}. "
    f"Drawn from its covariances, it keeps {percent(both_drawn, 1)}; the source reports 58.0 % and, in two runs, "
    f"36.0 % and 40.3 %. White noise has {percent(np.mean(cnn_drawn['both, from white noise']), 1)}, so here too "
    f"the covariances matter; whether their eigenvalues or their directions do was not tried. Drawing one convolution alone costs {lost['convolution 1 alone']:.0f} points for the "
    f"first and {lost['convolution 2 alone']:.0f} for the second, and both cost "
    f"{lost['both convolutions']:.0f}. The perceptron loses {100 * (accuracies[0] - mean['classifier', 'covariance']):.0f} points. "
    "The source explains the loss of convolutions by filters that are not Gaussian."
)

# %% [markdown]
# ## Are the rows Gaussian?
#
# A drawn row is Gaussian along each principal direction of its covariance. {numref}`fig-quantiles` shows what the trained rows
# are along the first ten of them: their {term}`quantiles <quantile>` against those of a {term}`normal distribution`, beside the band
# that forty samples of as many Gaussian rows with the same covariance fill.


# %% tags=["hide-input"]
def along(weight, n=10):
    """Rows along their first principal directions, of mean square one each."""
    u, _, _ = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    return len(u) ** 0.5 * u[:, :n]


def gaussian_rows(weight, generator):
    """As many Gaussian rows with the covariance of a weight."""
    _, s, vt = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    white = torch.randn(len(weight), len(s), generator=generator).to(s)
    return white * (s / len(weight) ** 0.5) @ vt


# %% tags=["hide-input"]
cnn_starts = [training.start(make_cnn, seed) for seed in (0, 1)]
row_groups = {
    "perceptron, layer 1": [
        [m[1].weight for m in of] for of in (networks, starts, random_labels)
    ],
    "perceptron, layer 2": [
        [m[3].weight for m in of] for of in (networks, starts, random_labels)
    ],
    "convolution 1": [[m[0].weight for m in of] for of in (cnns, cnn_starts)],
    "convolution 2": [[m[2].weight for m in of] for of in (cnns, cnn_starts)],
}
generator = torch.Generator().manual_seed(997)
tail_weight, normal_bands, gaussian_tails = {}, {}, {}
for name, of_groups in row_groups.items():
    tail_weight[name] = [
        [stats.kurtosis(along(w), axis=0).mean() for w in group]
        for group in of_groups
    ]
    samples = [
        along(gaussian_rows(of_groups[0][k % len(of_groups[0])], generator))
        for k in range(40)
    ]
    normal_bands[name] = np.sort(
        [z.flatten().sort().values for z in samples], axis=0
    )[[0, -1]]
    gaussian_tails[name] = np.sort(
        [stats.kurtosis(z, axis=0).mean() for z in samples]
    )

# %% tags=["remove-cell"]
in_layer_1, _, by_chance = tail_weight["perceptron, layer 1"]
claims.check(
    "covariance_tails",
    np.mean(in_layer_1),
    images.name,
    null=max(np.mean(by_chance), gaussian_tails["perceptron, layer 1"][-1]),
    repeats=in_layer_1,
)
# %% tags=["hide-input"] slide="Trained rows of the perceptron have heavier tails than Gaussian rows, most of all in layer 1." say="Ask whether the tails are why drawn networks lose. Then let the class vote what would make up for the loss: rows with the trained tails along each direction, rows with the trained lengths, or whole rows of other trained networks. The next slide answers." mystnb={"figure": {"name": "fig-quantiles", "caption": "Quantiles of trained rows along the first ten principal directions of their covariance, all directions together, against normal quantiles, one line a network. The band is what forty samples of as many Gaussian rows span. Rows of the perceptron's layer 1 have much heavier tails, and those of its layer 2 somewhat heavier ones; the filters of the convolutions are so few that the band is wide, which hides the heavier tails that their kurtosis shows."}, "image": {"alt": "Four panels, each with a band along the diagonal and one line for each network. The lines leave the band at both ends in layer 1 of the perceptron, and less in layer 2. In the panels of the convolutions the band is wider, and they lie in it or near its border."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5.4), sharex=True, sharey=True)
for ax, (name, of_groups) in zip(axes.flat, row_groups.items(), strict=True):
    low, high = normal_bands[name]
    normal = stats.norm.ppf((np.arange(len(low)) + 0.5) / len(low))
    ax.fill_between(
        normal,
        low,
        high,
        color=C["null"],
        alpha=0.5,
        lw=0,
        label="Gaussian rows",
    )
    for k, weight in enumerate(of_groups[0]):
        ax.plot(normal, along(weight).flatten().sort().values, color=C["matched"], lw=1, label=None if k else "trained rows")  # fmt: skip
    ax.set(title=name, xlim=(-3.7, 3.7), ylim=(-8, 8))
for ax in axes[1]:
    ax.set_xlabel("normal quantile")
for ax in axes[:, 0]:
    ax.set_ylabel("quantile of the rows")
axes[0, 0].legend(loc="upper left")
plt.show()

# %% tags=["remove-input"]
tails = {
    name: [np.mean(group) for group in of_groups]
    for name, of_groups in tail_weight.items()
}
highest = max(found[-1] for found in gaussian_tails.values())
Markdown(
    "The mean excess kurtosis along these directions, which is zero for a normal distribution, is "
    f"{listed([of[0] for of in tails.values()], lambda v: decimals(v, 1))} in the four layers, and at most {decimals(highest, 1)} in forty Gaussian samples of each. "
    f"At the start it is {listed([of[1] for of in tails.values()], lambda v: decimals(v, 1))}. Perceptrons on random labels have "
    f"{both([tails[name][2] for name in list(tails)[:2]], decimals, 1)} in their two layers: heavy tails tell the two apart in layer 1 only. "
    "In the other three layers the tails are lighter, and still beyond those of the Gaussian samples."
)

# %% [markdown]
# Is this why drawn networks lose? Keep the {term}`tails <tail>`: pick each row's value along each principal direction from those that
# the trained rows have there, each direction by itself. What such rows lack is dependence: within a row, between the
# rows of a layer, and between the layers. To tell the first from the others, make the hidden layers of *whole rows of the
# other networks*, mixed at random, and align them as in a draw. Each row is then as it was trained, but most pairs of rows come from
# different networks, and none from the network whose classifier reads them.
#
# A sceptic has two objections. Within a row, perhaps only its length counts, a long row being long along all directions at
# once: so give Gaussian rows the lengths that the trained rows have along the spikes. And perhaps any rows that some training
# has made would do, mixed and aligned like this: so mix whole rows of networks on random labels.


# %%
def with_rows(k, rows_of):
    """Network k with other rows in its hidden layers, aligned as in a draw."""
    model, R = models.clone(networks[k]), torch.eye(len(fit.x[0].flatten()))
    generator = torch.Generator().manual_seed(50 + k)
    for layer in (1, 3):
        model[layer].weight.data = rows_of(k, layer, generator) @ R
        phi, psi = (
            models.outputs(m, fit.x, [layer + 1])[layer + 1]
            for m in (networks[k], model)
        )
        R = covariance.procrustes(phi.T @ psi).float()
    model[5].weight.data = networks[k][5].weight @ R
    return model


def whole_rows(k, layer, generator, kind="trained"):
    """Whole rows of the other networks of a kind, in the frame of network k, mixed."""
    rows = []
    for j in [j for n, j in enumerate(members[kind]) if n != k]:
        W = everyone[j][layer].weight
        if layer == 3:
            W = W @ covariance.procrustes(train[2].second(j, k)).float()
        rows.append(W)
    order = torch.randperm(sum(map(len, rows)), generator=generator)
    return torch.cat(rows)[order[: len(W)]]


def gaussian_with(kept, k, layer, generator):
    """Gaussian rows that keep the whitened trained rows' lengths or values along the spikes."""
    W, n = networks[k][layer].weight, spike_counts[layer][k]
    _, u = torch.linalg.eigh(W @ W.T)
    u = u.flip(1)  # left singular vectors, the largest singular value first
    white = torch.randn(u.shape, generator=generator).to(u)
    order = torch.randperm(len(W), generator=generator)
    along_spikes = u[order, :n]
    if kept == "lengths":
        lengths = along_spikes.norm(dim=1) / white[:, :n].norm(dim=1)
        along_spikes = white[:, :n] * lengths[:, None]
    white[:, :n] = len(W) ** 0.5 * along_spikes
    return white @ u.T @ W / len(W) ** 0.5


# %% tags=["hide-input"]
drawn_from_each = np.array(rungs["classifier"]["covariance", 1])
pooled_each = np.array(rungs["classifier"]["pooled", 1])
of_rows = {
    name: np.array([training.accuracy(make(k), images.test) for k in range(knobs.references)])
    for name, make in {
        "whole": lambda k: with_rows(k, whole_rows),
        "resampled": lambda k: drawn_from(k, 1, "resampled"),
        "lengths": lambda k: with_rows(k, lambda *of: gaussian_with("lengths", *of)),
        "spikes": lambda k: with_rows(k, lambda *of: gaussian_with("values", *of)),
        "random labels": lambda k: with_rows(k, lambda *of: whole_rows(*of, kind="random labels")),
    }.items()
}  # fmt: skip
extra = {name: found - drawn_from_each for name, found in of_rows.items()}
drawing_costs = accuracies[: knobs.references] - drawn_from_each

# %% tags=["remove-cell"]
claims.check(
    "covariance_resampled",
    extra["resampled"].mean(),
    images.name,
    null=drawing_costs.mean(),
    repeats=extra["resampled"],
)
claims.check(
    "covariance_whole_rows",
    extra["whole"].mean(),
    images.name,
    null=max(
        (pooled_each - drawn_from_each).mean(),
        *(extra[name].mean() for name in ("resampled", "lengths", "random labels")),
    ),
    repeats=extra["whole"],
)  # fmt: skip

# %% tags=["remove-input"]
cnn_gain = 100 * (
    np.mean(cnn_drawn["both, each direction resampled"]) - both_drawn
)
cnn_error = 100 * np.hypot(
    *(
        np.std(cnn_drawn[key], ddof=1) / few**0.5
        for key in ("both, each direction resampled", "both convolutions")
    )
)


def in_points(values):
    """Mean and standard deviation over networks, in points."""
    return (
        f"{decimals(100 * values.mean(), 1)} ({100 * values.std(ddof=1):.1f})"
    )


Markdown(
    f"With the tails, drawn perceptrons change by {in_points(extra['resampled'])} points, with the standard deviation over networks in brackets, of the {100 * drawing_costs.mean():.0f} that drawing costs "
    f"{len(drawing_costs)} networks on average, and drawn convolutional networks by {decimals(cnn_gain, 1)} (standard error {cnn_error:.1f}), of {lost['both convolutions']:.0f}. "
    f"With whole rows perceptrons gain {in_points(extra['whole'])} and reach {percent(of_rows['whole'].mean(), 1)}. "
    f"Gaussian rows with the lengths of trained rows change by {in_points(extra['lengths'])} points, so it is not that "
    f"a long row is long along all spikes at once. Whole rows of networks on random labels reach {percent(of_rows['random labels'].mean(), 1)}, and Gaussian ones {percent(drawn_from_each.mean(), 1)}: it takes "
    "more than rows that some training has made.\n\n"
    f"So, as far as this mixing of {len(networks) - 1} other networks tells, what Gaussian rows mainly lack lies within the rows: how the values of a row along different directions go together, which no "
    f"covariance holds. Gaussian rows that keep the trained rows' values along the spikes, all of a row together, gain {in_points(extra['spikes'])}, so "
    "a part of it lies in the few directions of the spikes. Rows of other networks that were trained on the same labels have it too, so it is shared, up to a rotation. (Networks on random labels have rows of another covariance too, and "
    "fit their labels less well, so that null does not say whether the common labels make the difference.) What whole rows still lack, "
    f"{decimals(100 * (drawing_costs - extra['whole']).mean(), 1)} points, is left for dependence between rows and between layers, which this "
    "mixing breaks in part only. Convolutions were not mixed like this."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Whole rows of other trained networks make up for most of what drawing costs; tails, lengths, random labels do not." say="Compare with the vote. Whole rows of networks on random labels went through the same mixing and the same alignment. So what Gaussian rows lack is how the values within one row go together, and networks that were trained alike share it. Whether the common labels make the difference, this null does not say: networks on random labels also fit less well."
# - The trained tails, one direction at a time: next to nothing is gained.
# - The trained lengths along the spikes: next to nothing.
# - Whole rows of networks on random labels, mixed and turned: worse than Gaussian rows.
# - Whole rows of other trained networks, mixed and turned: most of the loss is made good.

# %% [markdown]
# ## Take-aways
#
# - Two trained perceptrons share the covariances of their weights in part, the more so as what was learned depends on the start. What
#   training adds to two random starts is, in the first layer, more alike than two sets of rows of one network, and
#   less alike than those in the second. In networks on the same images with random labels, which fit their labels less well, the
#   agreement is much smaller; whether the common task makes the difference, this page cannot tell.
# - That is not all that they share. The classifier of one trained network can read the hidden layers of
#   another after a rotation, at a small cost. Gaussian rows with the trained covariances keep a part of the
#   accuracy only. Through the trained classifier, wider draws, pooled rows or the trained rows' own tails or lengths do not
#   make up for it, and whole rows of networks on random labels do worse. Whole rows of other trained networks nearly do:
#   trained perceptrons share how the values within a row go together.
# - The kernels of untrained networks of one architecture approach each other as one over the width. That does not explain how well
#   such networks are aligned: the alignment error falls more slowly, and without a common kernel too. Training makes more directions common, above all
#   in hidden layer 2.
# - Much that looks like agreement is had without a common task: covariances of activations, most of the
#   share that one network explains of another, and much of the accuracy of a drawn network, which white
#   noise keeps through the alignments and the trained classifier.
# - Spikes above the noise are a lower bound of what a layer has learned. Where the start is at hand,
#   subtract it. What a layer has learned keeps a part of the accuracy without the start on which it was
#   learned, and less on another start.
# - Say which number you report: a cosine or its square, centred or not, on training or on held-out images.
#
# ## Ledger
#
# Each {term}`claim` stands with the value that was measured on this page and with its {term}`band`; a value
# outside its band stops the build. Accuracies and cosines are fractions of one. Between trained perceptrons
# the value is the mean over all pairs, and the spread that of pairs that share no network; repeats of drawn and turned networks share
# the classifier of network 1, and those of whole rows some donors.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Trained networks share covariances in part, and they share more than covariances." say="Come back to the candidates of the first slide. Ask which sentence the class would not have believed an hour ago, and which experiment would tell whether the common task is the cause."
# - What training adds agrees more than on random labels; whether the common task is the cause stays open.
# - The covariances of activations agree without a common task.
# - Gaussian rows with the trained covariances keep a part of the accuracy.
# - Whole rows of other trained networks nearly close the gap: the values within a row go together.

# %% tags=["remove-input"]
claims.table("03_covariance_universality")

# %% [markdown]
# ## Check yourself
#
# Five questions. Each choice says why it is right or wrong.

# %% tags=["remove-input"]
quiz("03_covariance_universality")

# %% [markdown]
# ## Exercises
#
# The data of the coding exercises come from `SEED`: {doc}`how exercises work </book/exercises>`.

# %% tags=["exercises"]
from netdist_course import check, problem

SEED = 1

# %% [markdown]
# :::{exercise} Accuracy hides the scale
# :label: ex-covariance-scale
#
# *Understand, easy, 10 minutes.* Show that multiplying all weights of one layer by $c > 0$ leaves the accuracy of a
# ReLU network without biases as it is, and find what it does to the cross-entropy, for large $c$ and for small $c$.
# :::
#
# :::{solution-start} ex-covariance-scale
# :class: dropdown
# :::
#
# Since $\operatorname{relu}(c z) = c \operatorname{relu}(z)$, the factor passes through all later layers: the
# {term}`logits <logit>` are multiplied by $c$, so the largest stays the largest. For large $c$ the loss of an
# image that the network gets right tends to zero, and that of another grows as $c$ times the distance from the
# largest logit to the right one: confident errors cost more and more. The loss over $c$ exceeds the mean distance by
# $(\log 10) / c$ at most. For small $c$ all classes become equally probable, and the loss tends to $\log 10$.

# %% tags=["solution"]
thousand = images.test.first(1000)
own_logits = training.logits(sampled[0], thousand.x)
labels = thousand.y.to(own_logits.device)
distance = own_logits.max(1).values - own_logits[range(len(labels)), labels]
for c in (0.001, 100):
    scaled = models.clone(sampled[0])
    scaled[1].weight.data *= c
    z = training.logits(scaled, thousand.x)
    assert torch.allclose(z, c * own_logits, rtol=1e-3, atol=c * 1e-3)
    losses = torch.nn.functional.cross_entropy(z, labels, reduction="none")
    if c > 1:
        assert losses[distance == 0].median() < 1e-3
        beyond_distance = float(losses.mean() / c - distance.mean())
        assert -1e-3 < beyond_distance < np.log(10) / c + 1e-3
    else:
        assert abs(float(losses.mean()) - np.log(10)) < 0.05

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Why the polar factor is best
# :label: ex-covariance-polar-factor
#
# *Understand, easy, 15 minutes.* Prove that $R = U V^\top$ maximises $\operatorname{tr}(R^\top M)$ over orthogonal
# $R$, where $M = U \Sigma V^\top$.
# :::
#
# :::{solution-start} ex-covariance-polar-factor
# :class: dropdown
# :::
#
# Put $Z = V^\top R^\top U$, which is orthogonal. Then $\operatorname{tr}(R^\top M) = \operatorname{tr}(R^\top U
# \Sigma V^\top) = \operatorname{tr}(Z \Sigma) = \sum_i Z_{ii} \Sigma_{ii}$. No entry of an orthogonal matrix exceeds
# 1 and no $\Sigma_{ii}$ is negative, so the sum is at most $\operatorname{tr} \Sigma$, and $R = U V^\top$ reaches it,
# since then $Z$ is the identity. An orthogonal matrix that is drawn at random does worse, and so does $R$ after a
# small rotation:

# %% tags=["solution"]
M = train[4].second(0, 1)
R = covariance.procrustes(M)
best = torch.trace(R.T @ M)
assert torch.isclose(best, torch.linalg.svdvals(M).sum())
generator = torch.Generator().manual_seed(0)
random_turn = random_matrices.random_rotation(len(M), generator).to(M)
skew = (random_turn - random_turn.T) / 100
for other in (random_turn, R @ torch.matrix_exp(skew)):
    assert torch.trace(other.T @ M) < best

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} The share that is held out
# :label: ex-covariance-held-out-share
#
# *Code, medium, 20 minutes.* `problem("covariance-held-out-share", SEED)` gives activations of two networks, one row
# an image: `phi` and `psi` on training images, `phi_new` and `psi_new` on held-out ones. Take its own mean out of
# each array, fit the orthogonal map to the training images, and return the share of the variance of `psi_new` that
# the best multiple of `phi_new`, turned, explains: the multiple that is best on the held-out images. The networks may have different numbers of units. Of libraries you
# need `np.linalg.svd` with `full_matrices=False`.
#
# ```python
# def held_out_share(phi, psi, phi_new, psi_new):
#     """Share of ``psi_new`` that the best multiple of ``phi_new``, turned, explains.
#
#     >>> phi = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
#     >>> psi = 3 * phi[:, ::-1] + 1
#     >>> round(float(held_out_share(phi, psi, phi, psi)), 6)
#     1.0
#     """
# ```
#
# ```python
# check("covariance-held-out-share", held_out_share, SEED)
# ```
# ::::
#
# :::{solution-start} ex-covariance-held-out-share
# :class: dropdown
# :::
#
# The map is the {term}`polar factor` of the cross moment of the centred training arrays. The share is the square of
# {eq}`eq-cosine`, with the turned activations $\varphi R$ in the place of $\varphi$, which matters where the first
# network has more units than the second. Here both have as many, and $R$ fitted to the held-out images themselves gives
# a larger share, which is no prediction any more. It must be so where the first network has no more units than the second:
# then $R$ keeps all lengths, and makes the cosine largest on the images to which it is fitted.


# %% tags=["solution"]
def held_out_share(phi, psi, phi_new, psi_new):
    phi, psi, phi_new, psi_new = (
        h - h.mean(0) for h in (phi, psi, phi_new, psi_new)
    )
    u, _, vt = np.linalg.svd(phi.T @ psi, full_matrices=False)
    turned = phi_new @ u @ vt
    return (turned * psi_new).sum() ** 2 / (
        (turned**2).sum() * (psi_new**2).sum()
    )


check("covariance-held-out-share", held_out_share, SEED)
phi, psi, phi_new, psi_new = problem("covariance-held-out-share", SEED)
share = held_out_share(phi, psi, phi_new, psi_new)
assert 0 < share < held_out_share(phi_new, psi_new, phi_new, psi_new) < 1

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} What halves say of the whole
# :label: ex-covariance-halves
#
# *Understand, medium, 15 minutes.* Rows are drawn independently. The covariances of two halves, each of as many rows,
# have the cosine $c$. Show that two sets of twice as many rows have nearly $2c / (1 + c)$. In layer 1, two trained
# networks are more alike than this benchmark allows. Find rows for which that is so, and say what they are not.
# :::
#
# :::{solution-start} ex-covariance-halves
# :class: dropdown
# :::
#
# Write the covariance of a half as $C + \Delta$: what all halves have in common, isotropic part taken out, and an error
# that is independent from half to half. Errors of two halves are nearly orthogonal to each other and to $C$, so $c
# \approx |C|^2 / (|C|^2 + |\Delta|^2)$. Twice as many rows halve $|\Delta|^2$, and
# $|C|^2 / (|C|^2 + |\Delta|^2 / 2) = 2c / (1 + c)$. Now let the rows have, as a set, exactly the identity as second moment before they get their covariance. The halves of such a set err
# in opposite directions, so the set as a whole has no error: two whole sets agree exactly, and the benchmark lies far
# below that. Such rows are not independent.

# %% tags=["solution"]
generator = torch.Generator().manual_seed(0)
root = torch.diag(torch.linspace(0.5, 3, 30))
gaussians = [
    torch.randn(100, 30, generator=generator) @ root for _ in range(20)
]
bound = [
    g @ torch.linalg.inv(torch.linalg.cholesky(second_moment(g)).T) @ root
    for g in gaussians
]
found = {}
for name, sets in {"independent": gaussians, "bound": bound}.items():
    moments_of_sets = [second_moment(rows) for rows in sets]
    whole = [
        covariance.matrix_cosine(*pair)
        for pair in zip(
            moments_of_sets[::2], moments_of_sets[1::2], strict=True
        )
    ]
    stepped_up = [benchmark(rows, generator) for rows in sets]
    found[name] = np.mean(whole), np.mean(stepped_up)
assert abs(np.subtract(*found["independent"])) < 0.03
assert found["bound"][0] > 0.999 and found["bound"][1] < 0.7

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Covariances depend on the gauge
# :label: ex-covariance-gauge
#
# *Understand, medium, 15 minutes.* Multiply the incoming weights of hidden unit $i$ of a network without biases by
# $a_i > 0$, and its outgoing ones by $1 / a_i$. Does the function change? Do the covariances? What does that say of a
# model that is drawn from covariances? {term}`Gradient flow <gradient flow>` conserves, for each unit, the squared length of the incoming
# weights less that of the outgoing ones {cite:p}`du2018`. Did the training of this chapter?
# :::
#
# :::{solution-start} ex-covariance-gauge
# :class: dropdown
# :::
#
# The function stays, since $\operatorname{relu}(a z) = a \operatorname{relu}(z)$: this is a change of {term}`gauge` of the
# network. The covariances of both layers change, so they are no property of the function alone, and a drawn network
# depends on the gauge in which training left the reference.
#
# Training did not conserve the difference. In hidden layer 1 of networks on CIFAR-10 it changes by half as much as the squared
# length of the incoming weights, in all networks alike, and in hidden layer 2 by little less. Nearly all units of hidden layer 1 change the same way: what comes in grows
# more than what goes out. On digits the change is less than a tenth. Finite steps can do that, and a small network on a hundred images shows that they
# do: with half the step and twice as many epochs the difference changes half as much. On the networks of the chapter
# this was not tried.

# %% tags=["solution"]
scaled = models.clone(reference)
generator = torch.Generator().manual_seed(0)
factors = (
    torch.randn(len(scaled[1].weight), generator=generator)
    .exp()
    .to(scaled[1].weight)
)
scaled[1].weight.data *= factors[:, None]
scaled[3].weight.data /= factors
before, after = (
    training.logits(m, images.test.x[:100]) for m in (reference, scaled)
)
assert torch.allclose(before, after, atol=1e-3)
for layer in (1, 3):
    before, after = (
        second_moment(m[layer].weight) for m in (reference, scaled)
    )
    assert covariance.matrix_cosine(before, after) < 0.9


def drift(before, after, layer=1):
    """Change of each unit's difference, and mean growth of what comes in."""
    (into, out_of), (into_after, out_after) = (
        (
            m[layer].weight.square().sum(1),
            m[layer + 2].weight.square().sum(0),
        )
        for m in (before, after)
    )
    return (into_after - out_after) - (into - out_of), (
        into_after - into
    ).mean()


on_cifar = images.name == "cifar10"
for model, before in zip(networks, starts, strict=True):
    for layer in (1, 3):
        change, growth = drift(before, model, layer)
        low, high = (0.40, 0.56) if on_cifar else (0.03, 0.1)
        assert low < change.abs().mean() / growth < high
    change, growth = drift(before, model)
    same_way = (change > 0).float().mean()
    assert same_way > (0.95 if on_cifar else 0.75)
print(f"last network, hidden layer 1: {change.abs().mean() / growth:.2f}")

few_images = images.train.first(100)


def one_hidden_layer():
    return models.mlp([few_images.x[0].numel(), 64, 10], bias=False)


drifts = []
for slower in (1, 2):
    model = training.fit_ensemble(
        one_hidden_layer,
        few_images,
        [400],
        epochs=20 * slower,
        lr=0.05 / slower,
        batch_size=25,
        progress=False,
    )[0]
    drifts.append(
        drift(training.start(one_hidden_layer, 400), model)[0].abs().mean()
    )
assert 0.35 < drifts[1] / drifts[0] < 0.65

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Images in another order
# :label: ex-covariance-another-order
#
# *Break, medium, 20 minutes.* Fit the maps $R$ between two trained networks while the second network sees the images
# in the reverse order, so that its activations are paired with those of other images. All else stays as it is, and
# what is measured is measured on images in the right order. Which of these four claims of the {term}`ledger` fail: the share of a
# trained network that another explains, in hidden layer 1 (`covariance_share_1`) and 2 (`covariance_share_2`), and the
# cosine of the covariances of what training added, in layer 1 (`covariance_learned_1`) and 2 (`covariance_learned_2`)?
# Write down your prediction and a reason for each of the four, and then try it on the pair of networks 1 and 2. The
# chapter has the moments, `unpaired`; `claims.verdict(name, value, images.name)` says whether a value would fail.
# :::
#
# :::{solution-start} ex-covariance-another-order
# :class: dropdown
# :::
#
# Three of them fail. The two shares compare activations image by image, and with such a map next to nothing is
# explained, or less than nothing, where the factor that was fitted does harm. A plausible guess is that the other two hold, because covariances of weights know of no images. But the
# weights of layer 2 live in the space of hidden layer 1, and only $R$ brings two such spaces into one frame: the
# claim on what training added to layer 2 fails. On CIFAR-10 nearly nothing is left of the cosine; on digits, where few
# directions hold most of the variance, about half of it is, above its null. That on layer 1 holds as it is, because its weights live in the space
# of the pixels, which is the same for both networks and needs no $R$. It holds against its null too. Claims that use
# no map between two trained networks do not change at all.

# %% tags=["solution"]
reverse = {
    k: covariance.best_maps(unpaired[k], 0, 1)["orthogonal"] for k in layers
}
broken = {
    f"covariance_share_{k // 2}": covariance.share_explained(
        held_out[k], 0, 1, reverse[k]
    )
    for k in layers
}
turned_back = reverse[2].T @ added[3][0] @ reverse[2]
broken["covariance_learned_2"] = covariance.matrix_cosine(
    turned_back, added[3][1]
)
of_pair = pd.concat([turns, learned]).query("pair == 'trained'")
of_pair = of_pair[of_pair["of"] == (0, 1)]
as_it_was = [*of_pair.share.dropna(), of_pair.cosine.dropna().iloc[-1]]
for (name, value), before in zip(broken.items(), as_it_was, strict=True):
    assert claims.verdict(name, value, images.name)
    print(f"{name}: {value:.3f} in place of {before:.3f}")
assert max(broken["covariance_share_1"], broken["covariance_share_2"]) < 0.1
in_layer = learned[learned.layer == 1].groupby("pair").cosine.mean()
needs_no_map = covariance.matrix_cosine(added[1][0], added[1][1])
assert not claims.verdict(
    "covariance_learned_1",
    needs_no_map,
    images.name,
    null=in_layer.drop("trained").max(),
)

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Draw a layer and turn it
# :label: ex-covariance-draw-and-turn
#
# *Code, hard, 30 minutes.* `problem("covariance-draw-and-turn", SEED)` gives the trained rows `W` of a layer, the
# activations that enter it in the trained network, `phi`, and in a new one, `psi`, one row an image, and noise
# `white`, whose second moment is exactly the identity. Return the layer of the new network: as many rows as `white`
# has, drawn with the second moment $C = W^\top W / H$ of the $H$ rows of `W`, that is `white` times a {term}`root <root of a covariance>` of $C$, and then turned into the
# frame of the new network. Any root will do. A layer reads its means, so the map is fitted with the means in. The new
# network has at least as many units as the trained one, and there may be fewer trained rows than units,
# or a unit that no row reads. Of libraries you need `np.linalg.svd` and, if you like, `np.linalg.eigh`.
#
# ```python
# def draw_and_turn(W, phi, psi, white):
#     """Rows with the covariance of those of ``W``, in the frame of ``psi``.
#
#     >>> W, white = np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [1.0, -1.0]])
#     >>> rows = draw_and_turn(W, np.eye(2), np.eye(2)[::-1], white)
#     >>> np.allclose(rows.T @ rows / len(rows), [[0, 0], [0, 2]])
#     True
#     """
# ```
#
# ```python
# check("covariance-draw-and-turn", draw_and_turn, SEED)
# ```
# ::::
#
# :::{solution-start} ex-covariance-draw-and-turn
# :class: dropdown
# :::
#
# A root of $C$ is a matrix whose rows are the eigenvectors, times the square roots of the eigenvalues. Rounding can
# make an eigenvalue that is zero a little negative, so it is cut off at zero. Then turn by the polar factor of the
# cross moment. The map keeps all lengths, so the mean squared length of the rows is that of the trained ones; without
# the division by the number of trained rows it would be that many times as large, which is the slip of the source.


# %% tags=["solution"]
def draw_and_turn(W, phi, psi, white):
    values, vectors = np.linalg.eigh(W.T @ W / len(W))
    root = np.sqrt(values.clip(0))[:, None] * vectors.T
    u, _, vt = np.linalg.svd(phi.T @ psi, full_matrices=False)
    return white @ root @ u @ vt


check("covariance-draw-and-turn", draw_and_turn, SEED)
W, phi, psi, white = problem("covariance-draw-and-turn", SEED)
drawn_rows = draw_and_turn(W, phi, psi, white)
assert np.isclose(
    (drawn_rows**2).sum() / len(drawn_rows), (W**2).sum() / len(W)
)
slip = draw_and_turn(W * len(W) ** 0.5, phi, psi, white)
assert np.isclose((slip**2).sum(), len(W) * (drawn_rows**2).sum())

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} One random labelling for two networks
# :label: ex-covariance-one-labelling
#
# *Project, hard, 480 minutes.* In this chapter each network on random labels has a labelling of its own, and fits it
# less well than trained networks fit theirs. Is it the common task that makes trained networks agree, or the fit, or
# something else? Find out with networks that share one random labelling.
# :::
#
# :::{solution-start} ex-covariance-one-labelling
# :class: dropdown
# :::
#
# A good answer has a question that can fail: do two networks with one random labelling agree more, in the covariances
# of what training added and in the shares explained, than two that have their own, at the same fit? It matches the
# fit, by training until each group has the same share of its labels. Its strongest null is the pairs with labellings
# of their own on the same images; pairs on the true labels, and pairs that share a labelling but no image, stand
# beside. It has several labellings, and several networks for each, takes the error over pairs that share no network
# and no labelling, and fixes a band before it looks.
#
# A first step: small networks learn a hundred images by heart. There, at the same fit, what training adds to layer 1
# agrees far more between two networks that share a random labelling than between each of them and a network that has its
# own, and nearly as much as between two networks on the true labels. So here it takes common labels, and no meaning of
# the labels. That is one labelling, one hidden layer and few images; whether it is so where labels cannot be learned by heart is the project.

# %% tags=["solution"]
hundred = images.train.first(100)


def small_network():
    return models.mlp([hundred.x[0].numel(), 64, 10], bias=False)


fits_of_labels, changes = [], []
for labelling, of_seeds in [
    (300, (400, 401)),
    (301, (402,)),
    ("true", (403, 404)),
]:
    order = torch.arange(100)
    if labelling != "true":
        labels_of = torch.Generator().manual_seed(labelling)
        order = torch.randperm(100, generator=labels_of)
    by_heart = data.Split(hundred.x, hundred.y[order])
    small = training.fit_ensemble(
        small_network,
        by_heart,
        of_seeds,
        epochs=max(10, recipe["epochs"]),
        lr=2 * recipe["lr"],
        batch_size=25,
        progress=False,
    )
    for model, seed in zip(small, of_seeds, strict=True):
        before = training.start(small_network, seed)[1].weight
        changes.append(second_moment(model[1].weight - before))
        fits_of_labels.append(training.accuracy(model, by_heart))
agree = {
    (i, j): covariance.matrix_cosine(changes[i], changes[j])
    for i, j in combinations(range(5), 2)
}
assert min(fits_of_labels) > 0.9
assert max(fits_of_labels) - min(fits_of_labels) < 0.06  # the same fit
assert abs(agree[3, 4] - agree[0, 1]) < 0.15
assert agree[0, 1] > 0.7 > 0.5 > max(agree[0, 2], agree[1, 2])

# %% [markdown]
# :::{solution-end}
# :::
#
# ## Further reading
#
# The rainbow model: {cite:t}`guth2024`; the same comparison of weight covariances in deep convolutional networks on
# several data sets, and on random labels: {cite:t}`guthmenard2024`. Weight covariances and the gradient of the
# function: {cite:t}`radhakrishnan2024`. Random matrices: {cite:t}`marchenko1967`, {cite:t}`johnstone2001`, {cite:t}`baik2005`; directions planted
# in noise: {cite:t}`benaych2011`, {cite:t}`benaych2012`. Kernels of random features: {cite:t}`rahimi2007`. The Procrustes
# problem: {cite:t}`schonemann1966`. Whether representations of larger models converge: {cite:t}`huh2024`. What
# networks share, direction by direction: {cite:t}`chen2025`; which directions come back in many models, and why:
# {cite:t}`mahner2026`.
