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
# # 4. Convergent learning
#
# **The question.** Do networks that are trained independently learn the same features: one to one,
# few to one, or only as a subspace?
#
# **What you will be able to do.** Correlate all units of two networks in one pass over the images;
# match them one to one, and say how much of the match is chance; look at what matched units see;
# predict a unit of one network from few of another; and find groups of units that belong together.
#
# **What you need.** Correlation, convolutional networks, least squares.
#
# **Time.** About 45 minutes to read. It runs in about six minutes on two CPU cores when the
# networks have to be trained; no GPU was at hand to measure one.
#
# The chapter follows *Convergent Learning* by Li, Yosinski, Clune, Lipson and Hopcroft
# {cite:p}`li2016`, who compared four AlexNets trained on ImageNet. The data behind their notebook
# were never published. Here are four small convolutional networks trained on CIFAR-10 in colour: the
# shapes of the results can be compared, not the digits.

# %%
from functools import cache
from itertools import permutations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display
from scipy.cluster.hierarchy import dendrogram
from torch import nn

from netdist_utils import (
    claims,
    convergence,
    data,
    models,
    plotting,
    settings,
    training,
)
from netdist_utils.moments import as_samples, moments

plotting.use_style()

# %%
# One line a size: smoke, standard, full.
knobs = settings.pick(
    channels=([8, 12], [32, 48, 64], [32, 48, 64]),
    dense=(32, 128, 128),
    networks=(3, 4, 8),
    images=(300, 5000, 10000),
    samples=(5000, 200000, 1000000),
    factors=([0.5], [0.5], [0.5, 2, 4]),
    epochs=(40, 3, 12),
)

# %% [markdown]
# ## 4.1 Four networks
#
# Three convolutions, each with ReLU and pooling, and a dense layer. Same data, same recipe, other
# seeds: other starts and another order of the images. The states after each epoch are kept for the
# end of the chapter.

# %%
images = data.images(grayscale=False)
shape = tuple(images.train.x.shape[1:])
epochs = knobs.epochs if images.name == "cifar10" else max(knobs.epochs, 40)


def make(factor=1):
    """The network with all channels a factor as many."""
    channels = [int(c * factor) for c in knobs.channels]
    kernels = [5 if shape[1] == 32 else 3] + [3] * (len(channels) - 1)
    return models.convnet(
        shape,
        channels,
        kernel_size=kernels,
        padding=[k // 2 for k in kernels],
        pool=2,
        dense=[knobs.dense],
    )


def train(seed, factor=1):
    """The network after each epoch."""
    return training.fit_history(
        lambda: make(factor),
        images.train,
        seed,
        epochs=epochs,
        lr=0.05,
        schedule="cosine",
    )


histories = [train(seed) for seed in range(knobs.networks)]
networks = [history[-1] for history in histories]
accuracies = [training.accuracy(model, images.test) for model in networks]
claims.check("convergence_accuracy", min(accuracies), images.name)

# %% tags=["remove-input"]
data.notice(images)

# %% tags=["hide-input"]
display(
    Markdown(
        "Test accuracies: " + ", ".join(f"{a:.3f}" for a in accuracies) + "."
    )
)

# %% [markdown]
# ## 4.2 All statistics in one pass
#
# A unit is a channel, and each image gives it as many activations as it has positions. Correlations
# of all pairs of units of all pairs of networks need means and products only; these are summed over
# the held-out images batch by batch, for the trained networks and for their own untrained starts.
# No activation is kept.

# %%
layers = [i for i, m in enumerate(networks[0]) if isinstance(m, nn.ReLU)]
names = [f"conv {k + 1}" for k in range(len(knobs.channels))] + ["dense"]
untrained = [history[0] for history in histories]
test = images.test.first(knobs.images)
found = moments([*networks, *untrained], test.x, layers, batch_size=200)

# %% [markdown]
# The first thing to look at is the mean activation of each unit, sorted. The identity of units is
# lost, the profile is not.

# %% mystnb={"image": {"alt": "Mean activation of units sorted from high to low for each layer, one line a network; the lines nearly coincide."}}
fig, axes = plt.subplots(1, len(layers), figsize=(7.2, 2.6))
for ax, layer, name in zip(axes, layers, names, strict=True):
    for k in range(len(networks)):
        ax.plot(
            found[layer].mean(k).sort(descending=True).values.cpu(),
            label=f"network {k}",
        )
    ax.set(title=name, xlabel="unit, sorted", yscale="log")
axes[0].set(ylabel="mean activation")
axes[0].legend(fontsize=8)
plt.show()

# %% tags=["hide-input"]
dead = {
    (name, k): found[layer].dead(k).nonzero().flatten()
    for layer, name in zip(layers, names, strict=True)
    for k in range(len(networks))
}
lines = [
    f"{name} of network {k}: units {', '.join(map(str, units.tolist()))}"
    for (name, k), units in dead.items()
    if len(units)
]
display(
    Markdown(
        f"Units that never change on {len(test):,} images (dead ones): "
        + ("; ".join(lines) if lines else "none")
        + ". The correlation of such a unit is 0 / 0, which the source's code turned into NaN; here it "
        "counts as 0."
    )
)

# %% [markdown]
# ## 4.3 Correlations within and between networks

# %% mystnb={"image": {"alt": "Four correlation matrices of the first layer: within network 0, within network 1, between them without structure, and between them reordered by the matching with a bright diagonal."}}
within = [found[layers[0]].correlation(k, k) for k in (0, 1)]
between = found[layers[0]].correlation(0, 1)
match = convergence.bipartite_match(between)
order = convergence.matched(between, match).argsort(descending=True)
fig, axes = plt.subplots(1, 4, figsize=(7.2, 2.3))
panels = {
    "within 0": within[0],
    "within 1": within[1],
    "between": between,
    "between, matched": between[order][:, match[order]],
}
for ax, (title, matrix) in zip(axes, panels.items(), strict=True):
    label = "correlation" if ax is axes[-1] else None
    plotting.heatmap(
        matrix.cpu(), ax, title=title, center=0, vmin=-1, vmax=1, label=label
    )
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## 4.4 One to one
#
# Two ways to pair units by correlation. **Greedy**: each unit of one network takes its best partner in
# the other, which others may take as well. **Bipartite**: one to one, with the greatest total, a
# linear assignment, solved exactly in milliseconds. (The source solved it as matching in a general
# graph, 10 seconds to 12 minutes a layer, with the same answer.) They *overlap* where both pick the same
# partner.
#
# A mean correlation of matches says nothing alone: the largest of many noisy correlations is above 0.
# Two nulls. **Untrained** networks: what architecture and data give without learning. **Shuffled**
# images: each network sees the test images in an order of its own, so all that is left is chance
# and what the position in the image gives away.

# %%
generator = torch.Generator().manual_seed(0)
shuffles = [
    test.x[torch.randperm(len(test), generator=generator)] for _ in networks
]
chance = moments(networks, shuffles, layers, batch_size=200)


def one_to_one(statistics, layer, i, j):
    """Correlations by greedy and by bipartite matching, both sorted by the greedy one; their
    overlap; and the background, the mean absolute correlation of all pairs, matched or not."""
    c = statistics[layer].correlation(i, j).cpu()
    greedy, bipartite = (
        convergence.greedy_match(c),
        convergence.bipartite_match(c),
    )
    order = convergence.matched(c, greedy).argsort(descending=True)
    overlap = (greedy == bipartite).double().mean()
    return (
        convergence.matched(c, greedy)[order],
        convergence.matched(c, bipartite)[order],
        overlap,
        c.abs().mean(),
    )


def over_pairs(statistics, layer, pairs):
    """What `one_to_one` returns, one row a pair."""
    results = [one_to_one(statistics, layer, i, j) for i, j in pairs]
    return [torch.stack(part) for part in zip(*results, strict=True)]


pairs = list(permutations(range(len(networks)), 2))  # both directions
n = len(networks)
trained = {layer: over_pairs(found, layer, pairs) for layer in layers}
null_untrained = {
    layer: over_pairs(found, layer, [(n + i, n + j) for i, j in pairs])
    for layer in layers
}
null_shuffled = {layer: over_pairs(chance, layer, pairs) for layer in layers}

# %% mystnb={"image": {"alt": "Correlation of each unit with its match, sorted, for each layer: greedy slightly above bipartite, both far above the dotted shuffled null; the dashed untrained null lies on the trained curves except in the dense layer."}}
fig, axes = plt.subplots(1, len(layers), figsize=(7.2, 2.9), sharey=True)
for ax, layer, name in zip(axes, layers, names, strict=True):
    units = np.arange(trained[layer][0].shape[1])
    plotting.band(units, trained[layer][0], ax, "greedy")
    plotting.band(units, trained[layer][1], ax, "bipartite")
    ax.plot(
        units,
        null_untrained[layer][0].mean(0),
        "k--",
        lw=1,
        label="untrained, greedy",
    )
    ax.plot(
        units,
        null_shuffled[layer][0].mean(0),
        "k:",
        label="shuffled, greedy",
    )
    ax.set(title=name, xlabel="unit, sorted")
axes[0].set(ylabel="correlation with its match")
axes[-1].legend(fontsize=8, loc="upper right")
plt.show()

# %%
SOURCE = {
    "conv 1": (0.703, 0.663, 0.729),
    "conv 2": (0.556, 0.507, 0.578),
    "conv 3": (0.478, 0.446, 0.617),
}
rows = {}
for layer, name in zip(layers, names, strict=True):
    greedy, bipartite, overlap, background = trained[layer]
    rows[name] = {
        "greedy": greedy.mean(),
        "bipartite": bipartite.mean(),
        "sd over pairs": bipartite.mean(1).std(),
        "shuffled": null_shuffled[layer][1].mean(),
        "untrained": null_untrained[layer][1].mean(),
        "background": background.mean(),
        "untrained background": null_untrained[layer][3].mean(),
        "overlap": overlap.mean(),
    }
    if name in SOURCE:
        rows[name] |= dict(
            zip(
                ["source greedy", "source bipartite", "source overlap"],
                SOURCE[name],
                strict=True,
            )
        )
summary = pd.DataFrame(rows).T.astype(float)
summary.round(3)

# %%
convolutional = summary.loc[names[:-1]]
claims.check(
    "convergence_falls",
    convolutional.greedy.iloc[0] - convolutional.greedy.iloc[-1],
    images.name,
)
claims.check(
    "convergence_greedy_over_bipartite",
    min(float((t[0].mean(1) - t[1].mean(1)).min()) for t in trained.values()),
    images.name,
)
raw = summary.bipartite - summary.untrained
above = raw - (summary.background - summary["untrained background"])
claims.check(
    "convergence_raw_untrained", raw.iloc[:-1].abs().max(), images.name
)
claims.check("convergence_dense_untrained", raw["dense"], images.name)
claims.check("convergence_above_background", above.min(), images.name)
claims.check(
    "convergence_over_shuffled",
    (summary.bipartite - summary.shuffled).min(),
    images.name,
)
claims.check("convergence_overlap", summary.overlap.iloc[0], images.name)

# %% tags=["hide-input"]
display(
    Markdown(
        f"The mean correlation of matches falls from {convolutional.greedy.iloc[0]:.2f} to "
        f"{convolutional.greedy.iloc[-1]:.2f} over the convolutions (source: 0.70 to 0.42 over five), with a small spread "
        f"over the {len(pairs)} directed pairs. Shuffled images leave next to nothing. **Untrained networks "
        "are another matter**: their units match as well as those of trained ones in the convolutions "
        f"({summary.untrained.iloc[0]:.2f} beside {summary.bipartite.iloc[0]:.2f} in the first), and worse only in the "
        f"dense layer ({summary.untrained['dense']:.2f} beside {summary.bipartite['dense']:.2f})."
    )
)

# %% [markdown]
# So the plain number, which is the source's, can't show that training makes units converge. The column
# "background" says why it comes out so: in an untrained network most units follow the brightness of the
# image, so any two of them correlate, matched or not. Training makes units specific, and lowers the
# background. What a match has *above the background* is the fairer measure, and by it trained units
# agree more in every layer:

# %%
pd.DataFrame(
    {
        "trained": summary.bipartite - summary.background,
        "untrained": summary.untrained - summary["untrained background"],
        "difference": above,
    }
).round(3)

# %% [markdown]
# ## 4.5 What matched units see
#
# First the filters themselves: the first layer's weights are colour pictures.

# %% mystnb={"image": {"alt": "Filters of the first layer of network 0 in the upper row and their matches in network 1 below, best six left and worst six right, with correlations."}}
best_and_worst = [*order[:6].tolist(), *order[-6:].tolist()]


def filters(k, units):
    """First-layer weights of network k as pictures."""
    pictures = convergence.contrast(networks[k][0].weight)
    return [convergence.mosaic(pictures[unit][None]) for unit in units]


plotting.picture_grid(
    [
        filters(0, best_and_worst),
        filters(1, match[best_and_worst].tolist()),
    ],
    titles=[[f"{between[u, match[u]]:.2f}" for u in best_and_worst]],
    labels=["network 0", "network 1"],
)
plt.show()

# %% [markdown]
# The six best matches stand left, the six worst right. To see any unit and its partners in all the
# networks, move the handle: best matched units first. The dots are its correlations with every unit
# of the other network; a partner that is not the rightmost dot was taken by another unit.

# %%
convergence.match_browser(networks, found[layers[0]])

# %% [markdown]
# In deeper layers the weights are no pictures;
# what excites a unit is. For each unit: the nine patches of test images that excite it most, and below
# them the gradient of its activation in these patches, a ReLU passing positive gradients only
# (guided backpropagation, {cite:t}`springenberg2015`), which shows what in the patch it is that excites.
# Black is outside the image.

# %%
shown = torch.from_numpy(data.pixels(test.x))
shown = shown[:, None] if shown.ndim == 3 else shown.movedim(-1, 1)


@cache
def exciting(k, layer):
    return convergence.most_exciting(networks[k], layer, test.x)


def sheets(k, layer, units):
    """Two rows of pictures of some units of network k: patches, and gradients in them."""
    return zip(
        *(
            convergence.sheet(
                networks[k], layer, unit, test.x, shown, exciting(k, layer)
            )
            for unit in units
        ),
        strict=True,
    )


def best_and_worst_pairs(position, count=4):
    """Best and worst bipartite matches of networks 0 and 1 in a layer, dead units left out."""
    layer = layers[position]
    c = found[layer].correlation(0, 1).cpu()
    pair = convergence.bipartite_match(c)
    alive = ~found[layer].dead(0).cpu()
    alive &= ~found[layer].dead(1).cpu()[pair]
    value = convergence.matched(c, pair)
    ranked = [u for u in value.argsort(descending=True).tolist() if alive[u]]
    units = ranked[:count] + ranked[-count:]
    return units, pair[units].tolist(), value[units].tolist()


def pairs_of_pictures(position):
    """Network 0 above, network 1 below."""
    units, partners, values = best_and_worst_pairs(position)
    layer = layers[position]
    plotting.picture_grid(
        [*sheets(0, layer, units), *sheets(1, layer, partners)],
        titles=[[f"{v:.2f}" for v in values]],
        labels=["network 0", "gradients", "network 1", "gradients"],
    )


# %% mystnb={"image": {"alt": "Second convolution: four best-matched pairs of units at the left see the same edges and colours in both networks; the four worst pairs at the right see different things."}}
pairs_of_pictures(1)
plt.show()

# %% mystnb={"image": {"alt": "Last convolution: patches and gradients of the four best-matched pairs, which show similar textures and shapes, and of the four worst, which do not."}}
pairs_of_pictures(len(knobs.channels) - 1)
plt.show()

# %% [markdown]
# The best-matched units look for the same things. The worst are features that one network has and the other
# has not, at least not in one unit.
#
# ## 4.6 The most and the least active units
#
# Is a feature that one network uses much also used much by the others? The three most active units
# of the second convolution of each network, and the three least active that are not dead.

# %% mystnb={"image": {"alt": "Patches of the three most active and three least active units of the second convolution in each network, one network a row."}}
rows = []
for k in range(n):
    alive = ~found[layers[1]].dead(k).cpu()
    by_mean = found[layers[1]].mean(k).cpu().argsort(descending=True)
    ranked = [u for u in by_mean.tolist() if alive[u]]
    rows.append(next(sheets(k, layers[1], [*ranked[:3], *ranked[-3:]])))
plotting.picture_grid(
    rows,
    titles=[["most active"] * 3 + ["least active"] * 3],
    labels=[f"network {k}" for k in range(n)],
)
plt.show()

# %% [markdown]
# ## 4.7 Mutual information in place of correlation
#
# Correlation sees linear relations only. Mutual information,
#
# $$I(X; Y) = \sum_{x, y} p(x, y) \log \frac{p(x, y)}{p(x)\, p(y)} \ \text{nats},$$
#
# sees all. From $N$ samples in $R \times C$ bins it comes out too large, by about
# $(R - 1)(C - 1) / 2N$ {cite:p}`paninski2003`; that is subtracted. (The source subtracts a number in bits
# from one in nats, and $RC$ in place of $(R - 1)(C - 1)$.)


# %%
def some_activations(model, layer):
    """The same random images and positions of every network: (samples, units)."""
    acts = as_samples(models.outputs(model, test.x[:1000], [layer])[layer])
    rows = torch.randperm(len(acts), generator=torch.Generator().manual_seed(1))
    return acts[rows[: knobs.samples]]


kept = {}
for layer, name in list(zip(layers, names, strict=True))[:2]:
    c = found[layer].correlation(0, 1).cpu()
    information = convergence.mutual_information(
        *(some_activations(m, layer) for m in networks[:2]), bins=10
    )
    best = c.amax(1).argsort(descending=True)[:8]
    same = (
        convergence.greedy_match(c)[best]
        == convergence.greedy_match(information)[best]
    )
    kept[name] = (
        int(same.sum()),
        information,
        float((c.argmax(1) == information.argmax(1)).float().mean()),
    )
claims.check("convergence_mutual_information", kept["conv 1"][0], images.name)

# %% mystnb={"image": {"alt": "Mutual information against absolute correlation for all pairs of units in two layers: a tight increasing relation with some pairs of high information and low correlation."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3))
rho = np.linspace(0, 0.99, 100)
for ax, layer, name in zip(axes, layers, names, strict=False):
    c = found[layer].correlation(0, 1).cpu()
    ax.plot(c.abs().flatten(), kept[name][1].flatten(), ".", ms=2)
    ax.plot(rho, -np.log(1 - rho**2) / 2, "k--", lw=1, label="Gaussian pairs")
    ax.set(
        title=name,
        xlabel="|correlation|",
        ylabel="mutual information (nats)",
    )
axes[0].legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        "Of the eight best pairs by correlation, "
        + " and ".join(
            f"{count} stay in {name} ({share:.0%} of all units keep their partner)"
            for name, (count, _, share) in kept.items()
        )
        + ". The source reports 7 of 8 in its first layer."
    )
)

# %% [markdown]
# ## 4.8 Few to one
#
# A feature may be spread over several units of the other network. Predict each unit $b_j$ of network 1
# from all units $a$ of network 0, all standardised, with a price on the weights:
#
# $$\min_w\ \tfrac12\, \mathbb E \Big( b_j - \sum_i w_{ji} a_i \Big)^2 + \lambda \sum_i |w_{ji}| .$$
#
# The lasso {cite:p}`tibshirani1996` depends on the data through second moments only, so the same
# streamed statistics serve, now of training images. The error is measured on the held-out ones; 0.5 is no
# prediction at all. The median over units is shown: a unit that almost never fires has next to no
# variance to be standardised by, and a mean would show such units only.

# %%
penalties = [0, *10 ** np.arange(-4, -0.1, 0.25)]
seen = moments(
    networks[:2],
    images.train.x[: knobs.images],
    layers,
    batch_size=200,
)
paths, errors = {}, {}
for layer in layers:
    gram, cross = (seen[layer].correlation(0, j) for j in (0, 1))
    paths[layer] = convergence.sparse_path(gram, cross, penalties)
    alive = ~seen[layer].dead(1)
    errors[layer] = convergence.held_out_error(
        paths[layer], seen[layer], found[layer], 0, 1
    )[:, alive]
predictors = {
    layer: (path.abs() > 1e-6).sum(2).double().mean(1)
    for layer, path in paths.items()
}

# %% mystnb={"image": {"alt": "Left: held-out error against penalty for each layer, flat at small penalties and rising to one half. Right: error against the mean number of predictors, falling steeply over the first few."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for layer, name in zip(layers, names, strict=True):
    middle = errors[layer].median(1).values.cpu()
    axes[0].semilogx(penalties[1:], middle[1:], "o-", ms=3, label=name)
    axes[1].semilogx(
        predictors[layer][1:].clamp_min(0.1), middle[1:], "o-", ms=3
    )
axes[0].axhline(0.5, color="black", ls=":", label="no prediction")
axes[0].set(xlabel="penalty $\\lambda$", ylabel="held-out error (median unit)")
axes[1].set(xlabel="predictors a unit (mean)")
axes[0].legend(fontsize=8, loc=(0.02, 0.58))
plt.show()

# %%
moderate = int(np.argmin(np.abs(np.array(penalties) - 0.1)))
first = errors[layers[0]].median(1).values
claims.check(
    "convergence_sparse_loss",
    (0.5 - first[moderate]) / (0.5 - first[0]),
    images.name,
)
claims.check(
    "convergence_sparse_predictors",
    predictors[layers[0]][moderate] / paths[layers[0]].shape[2],
    images.name,
)

# %% tags=["hide-input"]
display(
    Markdown(
        f"In the first layer, the error is {first[0]:.3f} without a penalty and {first[moderate]:.3f} at "
        f"$\\lambda = 10^{{-1}}$, where a unit has {predictors[layers[0]][moderate]:.1f} predictors in place of "
        f"{paths[layers[0]].shape[2]} (source: 0.170 without, 0.235 at $10^{{-2.6}}$). "
        + "Without a penalty, deeper: "
        + ", ".join(
            f"{name} {errors[layer].median(1).values[0]:.3f}"
            for layer, name in list(zip(layers, names, strict=True))[1:]
        )
        + "."
    )
)

# %% [markdown]
# The matrix at that penalty, as it comes and with the predictors ordered by the one-to-one matching:

# %% mystnb={"image": {"alt": "Two matrices of lasso weights of the first layer: unordered, scattered entries; reordered, a strong diagonal with few entries beside it."}}
w = paths[layers[0]][
    moderate
]  # rows: units of network 1, columns: of network 0
rows_of = match[order]  # units of network 1, best match first
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3))
reach = float(w.abs().max())
for ax, matrix, title in [
    (axes[0], w, "as trained"),
    (axes[1], w[rows_of][:, order.cpu()], "reordered"),
]:
    plotting.heatmap(matrix, ax, title=title, center=0, vmin=-reach, vmax=reach)
    ax.set(xlabel="unit of network 0", ylabel="unit of network 1")
plt.show()

# %% [markdown]
# One unit closely: the unit of the second convolution of network 1 whose best single partner explains
# least of what the lasso explains, and its three strongest predictors in network 0.

# %% mystnb={"image": {"alt": "Patches that excite one unit of network 1, and patches of its three strongest predictors in network 0 with their weights."}}
layer = layers[1]
w2 = paths[layer][moderate]
c2 = found[layer].correlation(0, 1).cpu()
all_errors = convergence.held_out_error(
    w2, seen[layer], found[layer], 0, 1
).cpu()
gain = (0.5 - all_errors) - c2.amax(
    0
).square() / 2  # over the best single partner
unit = int(gain.argmax())
strongest = w2[unit].abs().argsort(descending=True)[:3].tolist()
plotting.picture_grid(
    [[*next(sheets(1, layer, [unit])), *next(sheets(0, layer, strongest))]],
    titles=[
        [f"network 1, unit {unit}"]
        + [f"network 0, unit {k}: {w2[unit, k]:.2f}" for k in strongest]
    ],
)
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"Unit {unit} correlates with its best partner by {c2[:, unit].max():.2f}, which explains "
        f"{float(c2[:, unit].max()) ** 2:.0%} of its variance; {int((w2[unit].abs() > 1e-6).sum())} predictors together "
        f"explain {1 - 2 * float(all_errors[unit]):.0%}."
    )
)

# %% [markdown]
# ## 4.9 Many to many
#
# Take the weights as similarities between the units of the two networks,
#
# $$S = \begin{pmatrix} I & |W| \\ |W|^\top & I \end{pmatrix},$$
#
# and cluster: join the two nearest groups, again and again, the distance of two groups being the mean
# over their pairs. Units of both networks that span one small subspace end up under one branch.

# %% mystnb={"image": {"alt": "A dendrogram over the similarity matrix of 64 units of two networks, ordered by the tree: small bright blocks along the diagonal."}}
tree = convergence.unit_linkage(w)
leaves = convergence.cluster_units(w)
c1 = len(w)
similarity = torch.eye(2 * c1, dtype=w.dtype)
similarity[:c1, c1:], similarity[c1:, :c1] = w.abs(), w.abs().T
fig, axes = plt.subplots(
    2, 1, figsize=(5.5, 6.6), gridspec_kw={"height_ratios": [1, 4]}
)
with plt.rc_context({"lines.linewidth": 0.8}):
    dendrogram(tree, ax=axes[0], no_labels=True, color_threshold=0)
axes[0].axis("off")
axes[1].imshow(similarity[leaves][:, leaves].clamp_max(1), aspect="auto")
axes[1].set(xlabel="unit of either network, in the tree's order")
axes[1].grid(False)
plt.show()

# %% [markdown]
# Three branches closely, filters with the network that they belong to: leaves below the number of rows
# of $W$ are units of network 1, the others of network 0. (In the source's pictures of clusters the two
# are exchanged, and off by one.)

# %% mystnb={"image": {"alt": "Three clusters of filters of the first layer, one a row, each filter labelled with its network and unit."}}
from scipy.cluster.hierarchy import fcluster

labels = fcluster(tree, t=max(2, c1 // 2), criterion="maxclust")
sizes = pd.Series(labels).value_counts()
chosen = [k for k in sizes.index if 3 <= sizes[k] <= 8][:3] or sizes.index[:3]
members = [np.flatnonzero(labels == k)[:8] for k in chosen]
owners = [
    [(1, leaf) if leaf < c1 else (0, leaf - c1) for leaf in group]
    for group in members
]
plotting.picture_grid(
    [[filters(k, [u])[0] for k, u in group] for group in owners],
    titles=[[f"network {k}, {u}" for k, u in group] for group in owners],
)
plt.show()

# %% [markdown]
# ## 4.10 Beyond the source
#
# **Planted cases.** Before a method is believed: a network against its own copy with the channels
# permuted must be matched perfectly. And a rotation of a layer's units, which keeps all that a linear
# reader could use, must be invisible to CKA and fatal to one-to-one matching.

# %%
shuffle = torch.randperm(
    networks[0][0].out_channels, generator=torch.Generator().manual_seed(2)
)
copy = models.clone(networks[0])
copy[0].weight.data = networks[0][0].weight[shuffle]
copy[0].bias.data = networks[0][0].bias[shuffle]
planted = convergence.correlations(networks[0], copy, test.x[:200], layers[0])
recovered = (convergence.bipartite_match(planted) == shuffle.argsort()).float()
claims.check("convergence_planted", recovered.mean(), images.name)

acts = some_activations(networks[0], layers[0])[:2000].cpu()
rotation = torch.linalg.qr(
    torch.randn(
        acts.shape[1], acts.shape[1], generator=torch.Generator().manual_seed(3)
    )
)[0]
rotated = torch.corrcoef(torch.cat([acts, acts @ rotation], 1).T)
rotated = rotated[: acts.shape[1], acts.shape[1] :].nan_to_num()
rotated_match = convergence.matched(
    rotated, convergence.bipartite_match(rotated)
).mean()
rotated_cka = convergence.linear_cka(acts, acts @ rotation)
claims.check("convergence_rotated_cka", rotated_cka, images.name)

# %% tags=["hide-input"]
display(
    Markdown(
        f"Permuted copy: {recovered.mean():.0%} of the units recovered. Rotated layer: CKA {rotated_cka:.3f}, mean "
        f"correlation of one-to-one matches {rotated_match:.2f}."
    )
)

# %% [markdown]
# **Layers against layers.** Linear CKA {cite:p}`kornblith2019` compares two representations of the same
# images as wholes. Does each layer look most like its counterpart?

# %% mystnb={"image": {"alt": "CKA between all layers of networks 0 and 1: largest on and near the diagonal."}}
few = test.x[:1000]
representations = [models.outputs(m, few, layers) for m in networks[:2]]
cka = np.array(
    [
        [
            convergence.linear_cka(
                representations[0][i].cpu(), representations[1][j].cpu()
            )
            for j in layers
        ]
        for i in layers
    ]
)
fig, ax = plt.subplots(figsize=(4, 3.3))
plotting.heatmap(cka, ax, vmin=0, vmax=1, label="linear CKA")
for i, j in np.ndindex(cka.shape):
    ax.text(j, i, f"{cka[i, j]:.2f}", ha="center", va="center",
            color="white" if cka[i, j] < 0.6 else "black")  # fmt: skip
ax.set(
    xticks=range(len(names)),
    yticks=range(len(names)),
    xticklabels=names,
    yticklabels=names,
    xlabel="network 1",
    ylabel="network 0",
)
plt.show()

# %% [markdown]
# **Round trips.** Match network 0 to 1, 1 to 2, 2 to 0. A unit that is one feature in all three comes
# back to itself; chance brings one unit back in the whole layer.
#
# **One to one, or a subspace?** A permutation is one kind of orthogonal map. How much of the held-out
# variance of network 1 does the best permutation explain, and how much the best orthogonal map of
# chapter 3, each fitted on training images?

# %%
rows = {}
for layer, name in zip(layers, names, strict=True):
    steps = [
        convergence.bipartite_match(found[layer].correlation(i, j))
        for i, j in [(0, 1), (1, 2), (2, 0)]
    ]
    back = steps[2][steps[1][steps[0]]] == torch.arange(len(steps[0]))
    share = convergence.explained(seen[layer], found[layer], 0, 1)
    rows[name] = {
        "round trips": back.double().mean().item(),
        "permutation explains": share["permutation"],
        "orthogonal map explains": share["orthogonal"],
    }
pd.DataFrame(rows).T.round(3)

# %% [markdown]
# **Training and width.** When does the agreement arise, and does it grow with the number of units?

# %% mystnb={"image": {"alt": "Left: mean matched correlation of each layer against epochs: nearly flat in the convolutions, rising in the dense layer in the first epoch. Right: against width, nearly flat."}}
course = np.array(
    [
        [one_to_one(stats, layer, 0, 1)[1].mean() for layer in layers]
        for stats in (
            moments(
                [histories[0][e], histories[1][e]],
                test.x[:2000],
                layers,
                batch_size=200,
            )
            for e in range(epochs + 1)
        )
    ]
)
by_width = {1: summary.bipartite.to_numpy()}
for factor in knobs.factors:
    pair = [train(seed, factor)[-1] for seed in (0, 1)]
    stats = moments(pair, test.x, layers, batch_size=200)
    by_width[factor] = np.array(
        [one_to_one(stats, layer, 0, 1)[1].mean() for layer in layers]
    )
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True)
for k, name in enumerate(names):
    axes[0].plot(course[:, k], "o-", ms=3, label=name)
    factors = sorted(by_width)
    axes[1].plot(factors, [by_width[f][k] for f in factors], "o-", ms=3)
axes[0].set(xlabel="epochs", ylabel="mean matched correlation")
axes[1].set(
    xlabel="width, relative", xscale="log", xticks=factors, xticklabels=factors
)
axes[1].minorticks_off()
axes[0].legend(fontsize=8, ncols=2, loc=(0.32, 0.72))
plt.show()

# %% [markdown]
# More units give each unit more candidates, so some growth with width is chance; compare the nulls
# before calling it convergence.
#
# ## Take-aways
#
# - First layers agree unit by unit; deeper ones less and less.
# - Untrained networks agree as much in the convolutions: the mean correlation of matches alone proves
#   nothing. Above the background of unmatched pairs, trained units do agree more.
# - Bipartite matching is exact and takes milliseconds. Greedy is an upper bound to it, and the two agree
#   on about half of the units.
# - What single partners miss, a few predictors catch: part of what is shared is a small subspace and
#   not a unit.
# - A method is worth what its planted cases say: here, a permuted copy and a rotated one.
#
# ## Ledger

# %% tags=["hide-input"]
claims.table("04_convergent_learning")

# %% [markdown]
# ## Exercises
#
# **1.** Why is the mean correlation of the greedy matching never below that of the bipartite one? Can
# the bipartite mean of $a \to b$ differ from that of $b \to a$? And the greedy one?
#
# :::{admonition} Solution
# :class: dropdown
# Greedy takes the largest entry of each row, bipartite some entry of each row. The bipartite total is that
# of the same set of pairs in both directions, so for equal widths it is the same; greedy takes maxima
# of rows in one direction and of columns in the other.
# :::
#
# **2.** How large is the mean of the row maxima of a $C \times C$ matrix of independent correlations of
# $N$ samples, roughly? Compare it with the shuffled null.
#
# :::{admonition} Solution
# :class: dropdown
# Each entry is about normal with deviation $1/\sqrt N$; the largest of $C$ lies near
# $\sqrt{2 \log C / N}$. Positions of one image are not independent, so take for $N$ something between the
# number of images and that of samples.
# ```python
# for layer in layers:
#     c = null_shuffled[layer][0].shape[1]
#     print(c, (2 * np.log(c) / len(test)) ** 0.5, null_shuffled[layer][0].mean())
# ```
# :::
#
# **3.** Match by absolute correlation in place of correlation. Does it change the picture in the dense
# layer? Why can a ReLU unit not be matched to the negative of another?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# c = found[layers[-1]].correlation(0, 1)
# m = convergence.bipartite_match(c.abs())
# print(convergence.matched(c, m).mean(), convergence.matched(c.abs(), m).mean())
# ```
# After the ReLU both are at least 0; the unit of $-z$ is active where that of $z$ is silent, so the two share
# little variance.
# :::
#
# ## Further reading
#
# The paper: {cite:t}`li2016`. Comparing representations as wholes: {cite:t}`kornblith2019`. Pictures of
# units: {cite:t}`zeiler2014`, {cite:t}`springenberg2015`.
