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
# # Convergent learning
#
# **The question.** Do networks that are trained independently learn the same features: one to one,
# few to one, or only as a subspace?
#
# **What you will be able to do.** Correlate all units of two networks in one pass over the images;
# match them one to one, and tell a match of units from a match that any axes would show; look at what
# matched units see; predict a unit of one network from few of another; and put an untrained control
# beside each of these results.
#
# **What you need.** Correlation, convolutional networks, least squares. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows *Convergent Learning* by Li, Yosinski, Clune, Lipson and Hopcroft
# {cite:p}`li2016`, who compared four AlexNets trained on ImageNet. The data behind their notebook
# were never published. Here are small convolutional networks trained on CIFAR-10 in colour, so the
# shapes of the results can be compared, but not the digits. {doc}`Chapter 1 </notebooks/01_matching_mlps>` matches
# units by their weights; this chapter matches them by what they do.

# %% tags=["hide-input"]
from functools import cache
from itertools import combinations, permutations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from scipy.cluster.hierarchy import fcluster
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score
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
C = plotting.COLORS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    channels=([8, 12], [32, 48, 64], [32, 48, 64]),
    dense=(32, 128, 128),
    networks=(3, 4, 8),
    images=(300, 5000, 10000),
    few=(100, 1000, 1000),
    samples=(5000, 200000, 1000000),
    factors=([0.5], [0.5], [0.5, 2, 4]),
    epochs=(40, 3, 12),
)

# %% [markdown]
# ## The networks
#
# Each network has three convolutions, each followed by a {term}`ReLU` and by pooling, and a dense
# layer. All see the same images and follow the same recipe from different {term}`seeds <seed>`: their
# starts differ, and so does the order of the images. The state after each epoch is kept for the end of
# the chapter. The state before the first epoch is each network's own
# {term}`untrained <untrained network>` control.

# %%
images = data.images(grayscale=False)
shape = tuple(images.train.x.shape[1:])
epochs = knobs.epochs if images.name == "cifar10" else max(knobs.epochs, 40)


def make(factor=1):
    """A network with a factor as many channels."""
    channels = [int(c * factor) for c in knobs.channels]
    kernels = [5 if shape[1] == 32 else 3] + [3] * (len(channels) - 1)
    padding = [k // 2 for k in kernels]
    options = {"kernel_size": kernels, "padding": padding, "pool": 2}
    return models.convnet(shape, channels, dense=[knobs.dense], **options)


def train(seed, factor=1):
    """The network before the first epoch and after each."""
    recipe = {"epochs": epochs, "lr": 0.05, "schedule": "cosine"}
    return training.fit_history(
        lambda: make(factor), images.train, seed, **recipe
    )


histories = [train(seed) for seed in range(knobs.networks)]
networks = [history[-1] for history in histories]
untrained = [history[0] for history in histories]

# %% tags=["remove-cell"]
n = len(networks)
accuracies = [training.accuracy(model, images.test) for model in networks]
claims.check("convergence_accuracy", min(accuracies), images.name)
WORDS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight"]
COUNT = dict(enumerate(WORDS))
KINDS = {"trained": C["matched"], "untrained": C["null"]}


def percent(share):
    """42 %, unbroken."""
    return f"{float(share):.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def listing(values, form="{:.2f}".format):
    """Numbers in a row: 0.1, 0.2 and 0.3."""
    words = [form(float(v)).replace("-", "\N{MINUS SIGN}") for v in values]
    return ", ".join(words[:-1]) + f" and {words[-1]}"


def side_by_side(trained, untrained, form="z.2f"):
    """0.58 / 0.57, unbroken."""
    text = f"{trained:{form}} / {untrained:{form}}"
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace(
        "-", "\N{MINUS SIGN}"
    )


def place(name):
    """A layer's name within a sentence."""
    return "the dense layer" if name == "dense" else name


def by_layer(frame, index="layer"):
    """A table with one row a layer, whose names do not break."""
    rows = {
        name: name.replace(" ", "\N{NO-BREAK SPACE}") for name in frame.index
    }
    return plotting.table(frame.rename(index=rows).rename_axis(index))


# %% tags=["remove-input"]
data.notice(images)

# %% tags=["remove-input"]
Markdown(
    f"The {COUNT[n]} networks are trained for {epochs} epochs, while the learning rate falls from 0.05 to "
    f"zero along a cosine. Their accuracies on test images are {listing(accuracies)}."
)

# %% [markdown]
# ## All statistics in one pass
#
# A unit is a channel, and each image gives it as many {term}`activations <activation>` as it has
# positions. Correlations of all pairs of units of all pairs of networks need means and mean products
# only. {py:func}`.moments.moments` sums these over the {term}`held-out <held out>` images batch by
# batch, for the trained and the untrained networks at once, and keeps no activation.

# %%
relu = [k for k, part in enumerate(networks[0]) if isinstance(part, nn.ReLU)]
names = [f"conv {k + 1}" for k in range(len(knobs.channels))] + ["dense"]
layers = dict(zip(names, relu, strict=True))
test = images.test.first(knobs.images)
both = [*networks, *untrained]  # network k, and n + k before training
found = moments(both, test.x, relu, batch_size=200)

# %% [markdown]
# The source looks first at the mean activation of each unit, sorted from high to low
# ({numref}`fig-profiles`): the identity of the units is lost, the profile is not.

# %% tags=["remove-cell"]
START = {"trained": 0, "untrained": n}  # place of the first network in `both`
pairs = list(combinations(range(n), 2))
convolutions = names[:-1]
profiles = pd.concat(
    pd.DataFrame(
        {
            "mean": found[layer].mean(k).sort(descending=True).values.cpu(),
            "layer": name,
            "network": k,
            "networks": "trained" if k < n else "untrained",
        }
    )
    for name, layer in layers.items()
    for k in range(2 * n)
).rename_axis("unit")
dead = {
    (name, k + 1): int(found[layer].dead(k).sum())
    for name, layer in layers.items()
    for k in range(n)
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-profiles", "caption": "Mean activation of each unit, sorted from high to low, one line a network. The profiles of trained networks agree except for their rarest units, and those of untrained networks agree too: a common profile is no sign of common features."}, "image": {"alt": "One panel for each layer with falling lines on a logarithmic axis. The blue lines of the trained networks run close together and separate only at their right ends, where some drop by orders of magnitude; the gray lines of the untrained networks run close together as well."}}
grid = sns.relplot(
    profiles[profiles["mean"] > 0].reset_index(), x="unit", y="mean", hue="networks",
    units="network", estimator=None, col="layer", kind="line", lw=1, palette=KINDS,
    height=2.3, aspect=0.78, facet_kws={"sharex": False},
)  # fmt: skip
grid.set(yscale="log").set_titles("{col_name}")
grid.set_axis_labels("unit, sorted", "mean activation")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=2, title=""
)
plt.show()

# %% tags=["remove-input"]
second = profiles[
    (profiles.layer == names[1]) & (profiles.networks == "trained")
]
tops = second.groupby("network")["mean"].max()
firing = second[second["mean"] > 0].groupby("network")["mean"]
ratio = firing.max() / firing.min()
silent = "; ".join(
    f"{count} in {place(name)} of network {k}"
    for (name, k), count in dead.items()
    if count
)
Markdown(
    f"In the second convolution the most active unit of a network is {ratio.min():,.0f} to "
    f"{ratio.max():,.0f} times as active as its least active one, and the mean of the most active unit lies "
    f"between {tops.min():.2f} and {tops.max():.2f} over the {COUNT[n]} networks (source: between 49 and "
    f"120). Some units are dead, which means that they never change on the {len(test):,} images: "
    f"{silent or 'here, none'}. The correlation of such a unit is 0 / 0, which the source's code turned into "
    "NaN; here it counts as 0."
)

# %% [markdown]
# ## Correlations within and between networks
#
# Units come in no order, so the matrix of correlations between two networks looks like disorder until the
# units of one are put in the order of the other's. {numref}`fig-matrices` does so with the best one-to-one
# matching, which is the subject of the next section.

# %%
between = found[layers["conv 1"]].correlation(0, 1).cpu()
partner = convergence.bipartite_match(between)
order = convergence.matched(between, partner).argsort(descending=True)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-matrices", "caption": "Correlations of the units of the first convolution: within network 1, within network 2, and between them before and after matching, best matches first. Matching puts large correlations on the diagonal, which fades from its start to its end; many stay beside it."}, "image": {"alt": "Four square heat maps of correlations. The first two have a dark diagonal of ones and scattered cells beside it; the third shows scattered cells without order; the fourth has a diagonal that fades from the upper left to the lower right, with scattered cells around it."}}
panels = {
    "within network 1": found[layers["conv 1"]].correlation(0),
    "within network 2": found[layers["conv 1"]].correlation(1),
    "between": between,
    "between, matched": between[order][:, partner[order]],
}
fig, axes = plt.subplots(1, 4, figsize=(7.2, 2.2))
for ax, (title, matrix) in zip(axes, panels.items(), strict=True):
    label = "correlation" if ax is axes[-1] else None
    plotting.heatmap(matrix.cpu(), ax, center=0, vmin=-1, vmax=1, label=label)
    ax.set_title(title, fontsize=9)
    ax.set(xticks=[], yticks=[])
plt.show()

# %% tags=["remove-input"]
off = ~np.eye(len(between), dtype=bool)
inside = np.abs(panels["within network 1"].cpu().numpy())[off].mean()
Markdown(
    f"The mean absolute correlation of two different units is {inside:.2f} within network 1 and "
    f"{between.abs().mean():.2f} between networks 1 and 2. The mean correlation of matched units is "
    f"{convergence.matched(between, partner).mean():.2f}. How much of this is agreement, and how much comes "
    "from choosing the best of many?"
)

# %% [markdown]
# ## One to one
#
# There are two ways to pair units by correlation. In {term}`greedy matching` each unit of one network
# takes its best partner in the other, which others may take as well. In {term}`bipartite matching` no
# partner is taken twice and the total is the greatest possible; this is a {term}`linear assignment`,
# solved exactly in milliseconds. (The source solved it as matching in a general graph, in 10 seconds to
# 12 minutes for a layer, with the same answer.) The share of units for which both pick the same partner
# is the {term}`overlap`. The functions are {py:func}`.convergence.greedy_match` and
# {py:func}`.convergence.bipartite_match`.
#
# A mean correlation of matches says nothing alone, because the largest of many noisy correlations is
# above 0. So there are two {term}`nulls <null>`. **Untrained** networks show what architecture and
# data give without learning. **Shuffled** images, where each network sees the test images in an order of
# its own, leave what chance gives, and what the position in the image gives away.


# %%
def matches(statistics, i, j):
    """Correlation of each unit of network i with its match in network j."""
    c = statistics.correlation(i, j).cpu()
    greedy = convergence.greedy_match(c)
    bipartite = convergence.bipartite_match(c)
    columns = {
        "greedy": convergence.matched(c, greedy),
        "bipartite": convergence.matched(c, bipartite),
        "overlap": (greedy == bipartite).double(),
        "background": c.abs().mean(1),
    }
    return pd.DataFrame(columns).sort_values("greedy", ascending=False)


generator = torch.Generator().manual_seed(0)
orders = [torch.randperm(len(test), generator=generator) for _ in networks]
shuffled = moments(networks, [test.x[o] for o in orders], relu, batch_size=200)

# %% tags=["remove-cell"]
kinds = {
    "trained": (found, 0),
    "untrained": (found, n),
    "shuffled": (shuffled, 0),
}
every = pd.concat(
    {
        (name, kind, i, j): matches(
            statistics[layer], start + i, start + j
        ).reset_index(drop=True)
        for name, layer in layers.items()
        for kind, (statistics, start) in kinds.items()
        for i, j in permutations(range(n), 2)
    },
    names=["layer", "networks", "i", "j", "unit"],
)
over_pairs = every.groupby(["layer", "networks", "i", "j"], sort=False).mean()
summary = over_pairs.groupby(["layer", "networks"], sort=False).mean().unstack()
spread = over_pairs.groupby(["layer", "networks"], sort=False).std().unstack()
greedy, bipartite = summary["greedy"], summary["bipartite"]
background = summary["background"]
raw = bipartite.trained - bipartite.untrained
above = raw - (background.trained - background.untrained)
by_pair = over_pairs.xs("trained", level="networks")
for claim, value in {
    "falls": greedy.trained[convolutions[0]] - greedy.trained[convolutions[-1]],
    "greedy_over_bipartite": (by_pair.greedy - by_pair.bipartite).min(),
    "raw_untrained": raw[convolutions].abs().max(),
    "dense_untrained": raw["dense"],
    "above_background": above.min(),
    "over_shuffled": (bipartite.trained - bipartite.shuffled).min(),
    "overlap": summary["overlap"].trained["conv 1"],
}.items():
    claims.check(f"convergence_{claim}", value, images.name)

# %% tags=["remove-input"]
SOURCE = {
    "conv 1": (0.703, 0.663, 0.729),
    "conv 2": (0.556, 0.507, 0.578),
    "conv 3": (0.478, 0.446, 0.617),
    "conv 4": (0.369, 0.342, 0.581),
    "conv 5": (0.416, 0.385, 0.645),
}
measures = ["greedy", "bipartite", "overlap"]
ours = pd.DataFrame({measure: summary[measure].trained for measure in measures})
source = pd.DataFrame(SOURCE, [f"{measure} (source)" for measure in measures]).T
rows = list(dict.fromkeys([*convolutions, *SOURCE, "dense"]))
by_layer(ours.join(source, how="outer").loc[rows])

# %% tags=["remove-input"]
Markdown(
    f"The mean correlation of greedy matches falls from {greedy.trained[convolutions[0]]:.2f} to "
    f"{greedy.trained[convolutions[-1]]:.2f} over the convolutions; in the source it falls too. The standard "
    f"deviation over the ordered pairs of networks is at most {spread['greedy'].trained.max():.2f}. Greedy "
    f"and bipartite matching choose the same partner for {percent(summary['overlap'].trained.min())} to "
    f"{percent(summary['overlap'].trained.max())} of the units."
)

# %% [markdown]
# {numref}`fig-one-to-one` shows all units and not only their mean, and both nulls.

# %% tags=["remove-cell"]
curves = {
    "greedy": ("trained", "greedy"),
    "bipartite": ("trained", "bipartite"),
    "untrained, greedy": ("untrained", "greedy"),
    "shuffled, greedy": ("shuffled", "greedy"),
}
long = pd.concat(
    {
        curve: every.xs(kind, level="networks")[how].rename("correlation")
        for curve, (kind, how) in curves.items()
    },
    names=["match"],
).reset_index()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-one-to-one", "caption": "Correlation of each unit with its match, units sorted by their greedy match; mean over all ordered pairs of networks, with bands of one standard deviation. In the convolutions untrained networks match as well as trained ones. Shuffled images leave little."}, "image": {"alt": "One panel for each layer with falling curves. In the convolutions the dashed gray curve of untrained networks runs along the blue greedy curve of trained ones or above it; in the dense layer it lies below. The bipartite curve lies a little below the greedy one and is ragged. The dotted curve of shuffled images lies near the bottom."}}
grid = sns.relplot(
    long, x="unit", y="correlation", hue="match", style="match", col="layer", kind="line",
    errorbar="sd", height=2.5, aspect=0.72, facet_kws={"sharex": False},
    palette=dict(zip(curves, [C["matched"], C["other"], C["null"], C["null"]], strict=True)),
    dashes=dict(zip(curves, ["", "", (4, 2), (1, 1.5)], strict=True)),
)  # fmt: skip
grid.set_titles("{col_name}").set(ylim=(-0.05, 1))
grid.set_axis_labels("unit, sorted", "correlation with its match")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=4, title=""
)
plt.show()

# %% tags=["remove-cell"]


def directions(k, layer):
    """Effective number of directions: 1 if one has all variance, H if all have the same."""
    covariance = found[layer].covariance(k)
    return (covariance.trace() ** 2 / covariance.square().sum()).item()


dims = pd.DataFrame(
    {
        kind: {
            name: np.mean([directions(start + k, layer) for k in range(n)])
            for name, layer in layers.items()
        }
        for kind, start in START.items()
    }
)

# %% tags=["remove-input"]
Markdown(
    "The mean correlation of bipartite matches is "
    + "; ".join(
        f"{bipartite.trained[name]:.2f} in {place(name)} "
        f"({bipartite.untrained[name]:.2f} untrained, {bipartite.shuffled[name]:.2f} shuffled)"
        for name in names
    )
    + ". So the plain number, which is the source's, cannot show that training makes units converge: in the "
    "convolutions, networks that have learned nothing match about as well. One reason can be measured. The "
    "activations of an untrained convolution vary in few directions. Their effective number, the participation "
    "ratio, is the squared trace of the covariance matrix divided by the sum of its squared entries: "
    f"{listing(dims.untrained[convolutions], '{:.0f}'.format)} in the untrained convolutions, "
    f"{listing(dims.trained[convolutions], '{:.0f}'.format)} in the trained ones. Where there are few "
    "directions, any two units tend to correlate, matched or not: the mean absolute correlation of all pairs "
    f"is {listing(background.untrained[convolutions])} untrained and "
    f"{listing(background.trained[convolutions])} trained."
)

# %% [markdown]
# ## The rotation test
#
# If any axes of a layer's space matched well, a good match would say nothing about units. The
# {term}`rotation test` looks at just that {cite:p}`khosla2024axes`. Match the units of one network with
# those of another, and then with the axes that the same other network has after a random rotation of its
# activations, $\psi R$ with a random {term}`orthogonal map <orthogonal map>` $R$. The rotation keeps the
# space, its dimension, and all that a linear {term}`readout` could get from it. It takes away the units.
# The difference of the two mean correlations, the gain, is what the units contribute.
#
# First, two {term}`planted cases <planted case>` with known answers. A network and a copy of it with
# permuted channels must be matched perfectly. A network and a rotated copy of itself hold the same
# information, while their units do not correspond; {term}`CKA`, which compares whole layers, must not see
# that rotation at all.

# %%
first = networks[0]
shuffle = torch.randperm(
    first[0].out_channels, generator=torch.Generator().manual_seed(2)
)
copy = models.clone(first)
copy[0].weight.data = first[0].weight[shuffle]
copy[0].bias.data = first[0].bias[shuffle]
planted = convergence.correlations(first, copy, test.x[:200], relu[0])
recovered = convergence.bipartite_match(planted) == shuffle.argsort()

generator = torch.Generator().manual_seed(3)
same, turned = convergence.rotation_test(found[relu[0]], 0, 0, generator)

# %% tags=["remove-cell"]
claims.check("convergence_planted", recovered.float().mean(), images.name)
acts = as_samples(models.outputs(first, test.x[:200], relu[:1])[relu[0]])[:2000]
turn = torch.linalg.qr(
    torch.randn(acts.shape[1], acts.shape[1], generator=generator)
)[0].to(acts)
turned_cka = convergence.linear_cka(acts, acts @ turn)
claims.check("convergence_rotated_cka", turned_cka, images.name)

# %% tags=["remove-input"]
deeper = [name for name in names if bipartite.trained[name] < turned]
Markdown(
    f"Of the permuted copy's units {percent(recovered.float().mean())} are recovered. The rotated copy has "
    f"CKA {turned_cka:.3f} with its original, and its axes match the original's units at {turned:.2f} in place "
    "of 1. So a rotation costs a one-to-one match much, but not everything"
    + (
        f"; the real matches in {' and '.join(deeper)} are no better than that"
        if deeper
        else ""
    )
    + ". A match has to be compared with its own rotated version."
)

# %% [markdown]
# Now the test itself, for all pairs of networks and all layers, trained and untrained, by
# {py:func}`.convergence.rotation_test` ({numref}`fig-rotation`). Each network is matched with itself as
# well, which shows how large the gain is when all units do correspond.

# %%
rows = []
for name, layer in layers.items():
    for kind, start in [("trained", 0), ("untrained", n)]:
        for i, j in [*pairs, *((k, k) for k in range(n))]:
            own, rotated = convergence.rotation_test(
                found[layer], start + i, start + j, generator
            )
            rows.append([name, kind, i == j, own, rotated, own - rotated])
columns = ["layer", "networks", "itself", "as it is", "rotated", "gain"]
rotation = pd.DataFrame(rows, columns=columns)

# %% tags=["remove-cell"]
others, selves = rotation[~rotation.itself], rotation[rotation.itself]
gains = others.groupby(["layer", "networks"], sort=False).gain
gain, gain_spread = gains.mean().unstack(), gains.std().unstack()
ceiling = (
    selves.groupby(["layer", "networks"], sort=False).gain.mean().unstack()
)


def standardised_gain(layer, i, j):
    """The gain if each unit is first divided by its standard deviation."""
    return np.subtract(
        *convergence.rotation_test(
            found[layer], i, j, generator, standardise=True
        )
    )


standardised = pd.DataFrame(
    {
        kind: {
            name: np.mean(
                [
                    standardised_gain(layer, start + i, start + j)
                    for i, j in pairs
                ]
            )
            for name, layer in layers.items()
        }
        for kind, start in START.items()
    }
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rotation", "caption": "Left: mean correlation of bipartite matches with the other network as it is and rotated at random, with the standard deviation over pairs. Right: the difference of the two, one dot a pair of networks; the bars are networks matched with themselves. In every layer the units of trained networks gain more over rotated axes than those of untrained networks, and far less than identical units would."}, "image": {"alt": "Two panels against the layer. Left, points as they are and rotated: rotation lowers the trained points far more than the untrained ones. Right, strips of dots: in every layer the blue dots of trained pairs lie above the gray dots of untrained pairs, and all of them lie far below the bars of networks matched with themselves."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
for kind, shift in [("trained", -0.12), ("untrained", 0.12)]:
    of_kind = others[others.networks == kind].groupby("layer", sort=False)
    for column, marker in [("as it is", "o"), ("rotated", "x")]:
        axes[0].errorbar(
            np.arange(len(names)) + shift, of_kind[column].mean(), of_kind[column].std(),
            fmt=marker, color=KINDS[kind], label=f"{kind}, {column}",
        )  # fmt: skip
style = {
    "x": "layer",
    "y": "gain",
    "hue": "networks",
    "palette": KINDS,
    "ax": axes[1],
}
sns.stripplot(others, dodge=True, size=4, **style)
sns.pointplot(
    selves, dodge=0.4, errorbar=None, markers="_", markersize=14, linestyle="none",
    legend=False, **style,
)  # fmt: skip
axes[0].set_xticks(range(len(names)), names)
axes[0].set(ylabel="mean correlation of matches", ylim=(0, 0.8))
axes[1].axhline(0, color=C["ink"], lw=0.8)
axes[1].set(xlabel="", ylabel="gain over the rotated partner")
axes[0].legend(fontsize=8, ncols=2, loc="upper right")
axes[1].legend(title="", fontsize=8, loc=(0.6, 0.5))
plt.show()

# %% tags=["remove-input"]
lead = gain.trained - gain.untrained
clear = int((lead > 2 * gain_spread.max(axis=1)).sum())
lead_standardised = standardised.trained - standardised.untrained
Markdown(
    f"From {names[0]} to the dense layer the gain is {listing(gain.trained)} for trained networks and "
    f"{listing(gain.untrained)} for untrained ones. The difference exceeds twice the standard deviation over "
    f"pairs in {'every layer' if clear == len(names) else f'{clear} of {len(names)} layers'}. If each unit is "
    "first divided by its standard deviation, so that the most variable units do not lead all rotated axes, "
    "the untrained gains are larger, and the trained ones still exceed them in "
    f"{(lead_standardised > 0).sum()} of {len(names)} layers, by {lead_standardised.min():.2f} to "
    f"{lead_standardised.max():.2f}. So trained networks share axes, which are their units, beyond what untrained "
    "networks share. How much do they share? Matched with itself, a trained network gains "
    f"{listing(ceiling.trained)}. Other networks reach {listing(gain.trained / ceiling.trained, percent)} of "
    f"that; untrained ones reach {listing(gain.untrained / ceiling.untrained, percent)} of theirs."
)

# %% [markdown]
# This is the chapter's main evidence, and it has a limit. Untrained networks are the weakest null there is.
# Networks that were trained on other labels might share axes too, and the test as it stands cannot say how
# much of the gain is owed to the task and how much to any training on these images.
#
# ## What matched units see
#
# The weights of the first convolution can be shown as small colour pictures. Move the handle in
# {numref}`fig-match-browser` to see a unit of network 1 and its bipartite partners in the other networks,
# best matched units first. The dots are its correlations with every unit there. A partner that is not the
# rightmost dot was not the first choice: that one went to another unit.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-match-browser", "caption": "A figure with a handle: filters of the first convolution, a unit of network 1 and its one-to-one partners. Drag the slider; click a dot to see that unit in the partner's place."}}
convergence.match_browser(networks, found[relu[0]])

# %% tags=["remove-input"]
values = convergence.matched(between, partner)
worst = int(values.argmin())
Markdown(
    f"After {epochs} epochs the filters still look like colour noise, even where units agree. The end of the "
    f"slider is instructive. Unit {worst} of network 1 is left with a partner at r = "
    f"{values[worst]:.2f}, while the unit of network 2 that is most like it correlates at "
    f"{between[worst].max():.2f}. A poor bipartite match can be a leftover, and is no sign that the other "
    "network lacks the feature."
)

# %% [markdown]
# In deeper layers the weights are no pictures, but what excites a unit is. {numref}`fig-second` and
# {numref}`fig-last` show the four units of network 1 with the best partners in network 2 and the four with
# the worst. The matching is greedy, as in the source, so the right half holds units to which *no* unit of
# network 2 comes closer. For each unit there are the nine patches of test images that excite it most, and
# below them the gradient of its activation in these patches, where each ReLU passes positive gradients
# only. This is {term}`guided backpropagation` {cite:p}`springenberg2015`. Its pictures depend less on the
# trained weights than they seem to {cite:p}`adebayo2018`, so the patches count for more.


# %%
def best_and_worst(layer, count=4):
    """Units of network 1 by their greedy match, with partner and value."""
    value, greedy = found[layer].correlation(0, 1).cpu().max(1)
    ranked = value.argsort(descending=True)
    ranked = ranked[value[ranked] > 0]  # no dead units
    units = torch.cat([ranked[:count], ranked[-count:]])
    return units.tolist(), greedy[units].tolist(), value[units].tolist()


# %% tags=["remove-cell"]
shown = torch.from_numpy(data.pixels(test.x))
shown = shown[:, None] if shown.ndim == 3 else shown.movedim(-1, 1)


@cache
def exciting(k, layer):
    return convergence.most_exciting(networks[k], layer, test.x)


def pictures(k, layer, units):
    """Two rows of pictures of some units of network k: patches, and gradients in them."""
    places = exciting(k, layer)
    sheets = [
        convergence.sheet(networks[k], layer, unit, test.x, shown, places)
        for unit in units
    ]
    return list(zip(*sheets, strict=True))


def draw_pairs(layer):
    units, partners, values = best_and_worst(layer)
    plotting.picture_grid(
        [*pictures(0, layer, units), *pictures(1, layer, partners)],
        titles=[[f"r = {value:.2f}" for value in values]],
        labels=["network 1", "gradients", "network 2", "gradients"],
    )


def shared(layer):
    """Mean number of images among a unit's nine that are its partner's too: best, worst."""
    tops = [
        [set(exciting(k, layer)[u, :, 0].tolist()) for u in units]
        for k, units in enumerate(best_and_worst(layer)[:2])
    ]
    counts = [len(a & b) for a, b in zip(*tops, strict=True)]
    return np.mean(counts[:4]), np.mean(counts[4:])


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-second", "caption": "Second convolution: the four units of network 1 with the best greedy partners in network 2 (left) and the four with the worst (right), each above its partner. The best pairs answer to the same colours and to edges of the same slant."}, "image": {"alt": "Eight columns of mosaics in four rows: nine small patches of a unit of network 1, their gradients, and the same for its partner in network 2. In the four left columns patches and gradients of both networks look alike, such as dark slanted edges on white or patches of green and yellow; in the right columns most differ."}}
draw_pairs(relu[1])
plt.show()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-last", "caption": "Last convolution, drawn in the same way with larger patches. One pair stands out, a unit for green textures in both networks; the patches of the other pairs are hard to name."}, "image": {"alt": "Eight columns of mosaics in four rows, as before, with patches that show parts of animals and vehicles. In the first column both networks show green textured patches; in the other columns the patches of the two networks have little in common that the eye can see."}}
draw_pairs(relu[len(convolutions) - 1])
plt.show()

# %% tags=["remove-input"]
counts = {name: shared(layers[name]) for name in (names[1], convolutions[-1])}
Markdown(
    "The best pairs look for the same things: of the nine images that excite a unit most, its partner shares "
    + " and ".join(
        f"{best:.1f} in {name} (mean of the best four; {least:.1f} for the worst four)"
        for name, (best, least) in counts.items()
    )
    + f", out of {len(test):,} images. A low correlation does not always show in the pictures. Nine patches are "
    "the extreme of a unit's range, and the correlation runs over all images and positions."
)

# %% [markdown]
# ## The most and the least active units
#
# Is a feature that one network uses much also used much by the others? The source shows the most and the
# least active units of each network with their mean activations, and remarks on how little they agree.
# {numref}`fig-active` does this for the second convolution.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-active", "caption": "The four most active units (left) and the four least active ones (right) of the second convolution, one network a row, with their mean activations. In all networks the most active units answer to edges, most of them slanted; the least active ones fire rarely or almost never, and differ from network to network."}, "image": {"alt": "One row of eight mosaics for each network, with a number above each. The left four show edges of light against dark, most of them slanted; the right four show colours, corners of images and blurred patches, different ones in each row."}}
rows, titles = [], []
for k in range(n):
    mean = found[relu[1]].mean(k).cpu()
    ranked = mean.argsort(descending=True)
    ranked = ranked[mean[ranked] > 0].tolist()
    units = [*ranked[:4], *ranked[-4:]]
    rows.append(pictures(k, relu[1], units)[0])
    titles.append(
        [f"{mean[u]:.2f}" if mean[u] >= 0.01 else "< 0.01" for u in units]
    )
labels = [f"network {k + 1}" for k in range(n)]
plotting.picture_grid(rows, titles, labels)
plt.show()

# %% [markdown]
# Edges head every list, but the figure shows extremes only. One number answers the question for all units:
# the {term}`Spearman correlation` between the mean activations of matched units.

# %%
rows = []
for name, layer in layers.items():
    for kind, start in [("trained", 0), ("untrained", n)]:
        for i, j in pairs:
            c = found[layer].correlation(start + i, start + j)
            match = convergence.bipartite_match(c)
            mean_i = found[layer].mean(start + i).cpu()
            mean_j = found[layer].mean(start + j).cpu()[match]
            rows.append([name, kind, spearmanr(mean_i, mean_j).statistic])
activity = pd.DataFrame(rows, columns=["layer", "networks", "spearman"])

# %% tags=["remove-input"]
activity = activity.groupby(["layer", "networks"], sort=False).spearman
activity_spread, activity = activity.std().unstack(), activity.mean().unstack()
Markdown(
    f"From {names[0]} to the dense layer it is {listing(activity.trained)} for trained networks (mean over pairs; "
    f"the standard deviation is at most {activity_spread.trained.max():.2f}) and {listing(activity.untrained)} "
    "for untrained ones. So a unit that is used much does tend to have a partner that is used much, weakly in "
    "the convolutions and more in the dense layer. But this is no sign of learning: "
    + (
        "untrained networks agree more on it in every layer."
        if (activity.untrained > activity.trained).all()
        else "untrained networks agree on it too."
    )
)

# %% [markdown]
# ## Mutual information in place of correlation
#
# Correlation sees linear relations only. {term}`Mutual information <mutual information>`,
#
# $$I(X; Y) = \sum_{x, y} p(x, y) \log \frac{p(x, y)}{p(x)\, p(y)} \ \text{nats},$$
#
# sees all. From a table of $a$ rows and $b$ columns that holds $N$ samples it comes out too large, by about
# $(a - 1)(b - 1) / 2N$ {cite:p}`paninski2003`; {py:func}`.convergence.mutual_information` subtracts that,
# which is the {term}`Miller-Madow correction`. The source subtracts a number in bits from one in nats, and
# $ab$ in place of $(a - 1)(b - 1)$. Do units keep their partners if information takes the place of
# correlation ({numref}`fig-information`)?


# %%
def activations(model, layer):
    """The same random images and positions of every network."""
    outputs = models.outputs(model, test.x[: knobs.few], [layer])
    acts = as_samples(outputs[layer])
    generator = torch.Generator().manual_seed(1)
    rows = torch.randperm(len(acts), generator=generator)
    return acts[rows[: knobs.samples]].cpu()


samples = {
    name: [activations(model, layers[name]) for model in networks[:2]]
    for name in names[:2]
}
information = {
    name: convergence.mutual_information(*acts, bins=10)
    for name, acts in samples.items()
}

# %% tags=["remove-cell"]
kept = {}
for name, nats in information.items():
    c = found[layers[name]].correlation(0, 1).cpu()
    agree = convergence.greedy_match(c) == convergence.greedy_match(nats)
    best = c.amax(1).argsort(descending=True)[:8]
    kept[name] = int(agree[best].sum()), agree.double().mean()
claims.check("convergence_mutual_information", kept["conv 1"][0], images.name)


def rectified(zeros, size=50_000, seed=0):
    """Correlation and information of Gaussian pairs, a share of each cut off at zero."""
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, size, 1, generator=generator)
    r = torch.linspace(0, 0.995, 40)
    y = r * x + (1 - r**2).sqrt() * noise
    x, y = ((v - x.quantile(zeros)).relu() for v in (x, y))
    nats = convergence.mutual_information(x, y, bins=10)[0]
    return torch.corrcoef(torch.cat([x, y], 1).T)[0, 1:], nats


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-information", "caption": "Mutual information against absolute correlation for all pairs of units of networks 1 and 2, with the line for Gaussian pairs (dashed) and for Gaussian pairs that are cut off at zero as often as the median unit is (solid). Pairs with high correlation have high information and lie far below the dashed line, because units are rectified."}, "image": {"alt": "Two scatter plots of many small dots. Dots rise with the absolute correlation; at low correlation some lie above both lines, and at high correlation they lie far below the dashed line and near the solid one or a little below it."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
r = np.linspace(0, 0.95, 100)
for ax, (name, nats) in zip(axes, information.items(), strict=True):
    c = found[layers[name]].correlation(0, 1).cpu().abs()
    zeros = torch.cat([(a == 0).float().mean(0) for a in samples[name]])
    ax.plot(
        c.flatten(), nats.flatten(), ".", ms=2.5, color=C["matched"], rasterized=True,
        label="pairs of units",
    )  # fmt: skip
    ax.plot(
        r, -np.log(1 - r**2) / 2, "--", color=C["ink"], lw=1, label="Gaussian"
    )
    ax.plot(
        *rectified(zeros.median().item()), color=C["ink"], lw=1,
        label="Gaussian, cut off at zero",
    )  # fmt: skip
    ax.set(title=name, xlabel="absolute correlation")
axes[0].set(ylabel="mutual information (nats)")
axes[0].legend(fontsize=8)
plt.show()

# %% tags=["remove-input"]
Markdown(
    "Of the eight best pairs by correlation, "
    + " and ".join(
        f"{count} stay in {name}" for name, (count, _) in kept.items()
    )
    + " (source: 7 in its first layer). Of all units, "
    + " and ".join(
        f"{percent(share)} in {name}" for name, (_, share) in kept.items()
    )
    + " keep their greedy partner. The dots far above both lines are pairs whose dependence correlation misses; "
    "their information is low. So correlation is good enough to find partners, as the source concludes."
)

# %% [markdown]
# ## Few to one
#
# A feature may be spread over several units of the other network. Predict each unit $\psi_j$ of network 2
# from all units $\varphi_i$ of network 1, all standardised, with a price $\gamma$ on the weights:
#
# $$\min_w\ \tfrac12\, \mathbb E \Big( \psi_j - \sum_i w_{ji} \varphi_i \Big)^2 + \gamma \sum_i |w_{ji}| .$$
#
# The {term}`lasso` {cite:p}`tibshirani1996` depends on the data through second moments only, so the same
# streamed statistics serve, now of training images: {py:func}`.convergence.sparse_path` finds this
# {term}`sparse map` for many penalties at once. The error is measured on held-out images; one half is no
# prediction at all. We report its median over units, because a unit that almost never fires has next to no
# variance to be standardised by, and a mean would show such units only. {numref}`fig-lasso` shows the
# result for trained and untrained networks.

# %%
seen = moments(both, images.train.x[: knobs.images], relu, batch_size=200)
penalties = [0, *10 ** np.arange(-4, -0.1, 0.25)]


def sparse(layer, i, j):
    """Maps from network i to j, one a penalty, and their held-out errors."""
    own, cross = seen[layer].correlation(i), seen[layer].correlation(i, j)
    path = convergence.sparse_path(own, cross, penalties)
    error = convergence.held_out_error(path, seen[layer], found[layer], i, j)
    return path, error


# %% tags=["remove-cell"]
moderate = int(np.argmin(np.abs(np.array(penalties) - 0.1)))
paths = {
    (name, kind): sparse(layer, start, start + 1)
    for name, layer in layers.items()
    for kind, start in START.items()
}
rows = []
for (name, kind), (path, error) in paths.items():
    start, layer = START[kind], layers[name]
    alive = ~seen[layer].dead(start + 1)
    median = error[:, alive].median(1).values.tolist()
    used = (path.abs() > 1e-6).sum(2).double().mean(1).tolist()
    r = found[layer].correlation(start, start + 1)[:, alive].abs().amax(0)
    single = float(((1 - r**2) / 2).median())
    for row in zip(penalties, median, used, strict=True):
        rows.append([name, kind, *row, single])
columns = ["layer", "networks", "penalty", "error", "predictors", "single"]
sparsity = pd.DataFrame(rows, columns=columns)
one = sparsity[(sparsity.layer == "conv 1") & (sparsity.networks == "trained")]
claims.check(
    "convergence_sparse_loss",
    (0.5 - one.error.iloc[moderate]) / (0.5 - one.error.iloc[0]),
    images.name,
)
claims.check(
    "convergence_sparse_predictors",
    one.predictors.iloc[moderate] / knobs.channels[0],
    images.name,
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lasso", "caption": "Held-out error of predicting a unit of network 2 from the units of network 1, the median over units, against the penalty (left) and against the mean number of predictors (right); dotted is no prediction. The error stays low while the penalty removes most predictors. Only in the dense layer are trained networks (solid) clearly better predicted than untrained ones (dashed)."}, "image": {"alt": "Two panels with four pairs of curves, solid for trained and dashed for untrained networks. Left, the errors are flat at small penalties and rise toward one half. Right, they fall as the number of predictors grows. The dashed curves run along the solid ones in the first two convolutions and end below the solid one in the third; in the dense layer the solid curve lies well below the dashed one."}}
drawn = sparsity[(sparsity.penalty > 0) & (sparsity.predictors > 0.1)]
style = {
    "y": "error", "hue": "layer", "style": "networks", "palette": plotting.LEVELS[-len(names) :],
    "marker": ".", "markeredgewidth": 0,
}  # fmt: skip
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharey=True)
sns.lineplot(drawn, x="penalty", ax=axes[0], legend=False, **style)
sns.lineplot(drawn, x="predictors", ax=axes[1], **style)
for ax in axes:
    ax.axhline(0.5, color=C["ink"], ls=":", lw=1)
    ax.set(xscale="log", ylim=(0, 0.53))
axes[0].set(xlabel="penalty $\\gamma$", ylabel="held-out error (median unit)")
axes[1].set(xlabel="predictors of a unit (mean)")
sns.move_legend(axes[1], "lower left", fontsize=8, title="")
for line in axes[1].get_legend().legend_handles[-2:]:
    line.set_color(C["ink"])  # seaborn's own gray vanishes on a dark page
plt.show()

# %% tags=["remove-input"]
at = sparsity.set_index(["layer", "networks"])
some, full = at[at.penalty == penalties[moderate]], at[at.penalty == 0]
steps = {
    "error, one predictor": some.single,
    "error, few": some.error,
    "how few": some.predictors,
    "error, all": full.error,
}
ladder = pd.DataFrame(
    {
        step: {
            name: side_by_side(
                *(column[name, kind] for kind in START),
                form=".1f" if step == "how few" else ".3f",
            )
            for name in names
        }
        for step, column in steps.items()
    }
)
by_layer(ladder, "trained / untrained")

# %% tags=["remove-input"]
few_trained, few_untrained = (some.error.xs(kind, level=1) for kind in START)
all_trained, all_untrained = (full.error.xs(kind, level=1) for kind in START)
learned = [k for k in names if all_trained[k] < all_untrained[k] - 0.01]
Markdown(
    f"The table holds median held-out errors; few predictors are those left at $\\gamma$ = "
    f"{penalties[moderate]:.1f}. In the first convolution the error is {all_trained['conv 1']:.3f} with all "
    f"{knobs.channels[0]} predictors and {few_trained['conv 1']:.3f} with {some.predictors['conv 1', 'trained']:.1f} "
    "on average (source: 0.170 without a penalty, 0.235 at the penalty that it shows). So few predictors do catch "
    "much of what a single partner misses. But they do so in untrained networks as well. All predictors together "
    f"predict trained units better than untrained ones only in {' and '.join(map(place, learned)) or 'no layer'}. "
    "In the other layers, few to one is no evidence of learned agreement."
)

# %% [markdown]
# {numref}`fig-weights` shows the weights of the first convolution at that penalty, as they come and with both
# networks' units in the order of the one-to-one matching.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-weights", "caption": "Weights of the sparse map of the first convolution. Left: in the order in which the units come. Right: units ordered by the one-to-one matching, best matches first. Weights gather on the diagonal there, and large ones stand beside it, mostly where a match is poor."}, "image": {"alt": "Two square heat maps of mostly empty cells. Left, dark cells are scattered. Right, a diagonal appears, dark at its start and paler toward its end, with scattered cells beside it that become more frequent toward the bottom."}}
w = paths["conv 1", "trained"][0][
    moderate
]  # rows: network 2, columns: network 1
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3))
reach = float(w.abs().max())
for ax, matrix, title in [
    (axes[0], w, "as they come"),
    (axes[1], w[partner[order]][:, order], "matched, best first"),
]:
    label = "weight" if ax is axes[1] else None
    plotting.heatmap(
        matrix, ax, title=title, center=0, vmin=-reach, vmax=reach, label=label
    )
    ax.set(xlabel="unit of network 1")
axes[0].set(ylabel="unit of network 2")
axes[1].set(xticks=[], yticks=[])
plt.show()

# %% tags=["remove-input"]
top = (w.abs().argmax(1)[partner] == torch.arange(len(w))).double().mean()
Markdown(
    f"For {percent(top)} of the units the largest weight belongs to the one-to-one partner."
)

# %% [markdown]
# Look closely at one unit ({numref}`fig-one-unit`): that unit of the second convolution of network 2 for which
# the sparse map gains most over the best single partner.

# %% tags=["remove-cell"]
w2, w2_errors = (part[moderate].cpu() for part in paths[names[1], "trained"])
best_r = found[relu[1]].correlation(0, 1).cpu().abs().amax(0)
unit = int(((1 - 2 * w2_errors) - best_r**2).argmax())
strongest = w2[unit].abs().argsort(descending=True)[:3].tolist()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-one-unit", "caption": "Above: the weights with which the units of network 1 predict one unit of network 2; dots mark the three largest. Below: patches that excite the predicted unit most, and those of its three strongest predictors."}, "image": {"alt": "Above, a row of vertical lines at the units of network 1, nearly all of length zero; a few stand out and three of them carry a dot. Below, four mosaics of nine patches each, with light and dark stripes."}}
sheets = [
    *pictures(1, relu[1], [unit])[0],
    *pictures(0, relu[1], strongest)[0],
]
titles = [f"network 2, unit {unit}"]
titles += [f"network 1, unit {k}" for k in strongest]
fig = plt.figure(figsize=(7.2, 4))
axes = fig.subplot_mosaic("AAAA;BCDE", height_ratios=[1, 1.5])
axes["A"].vlines(range(w2.shape[1]), 0, w2[unit], color=C["null"])
axes["A"].plot(strongest, w2[unit, strongest], "o", color=C["matched"])
axes["A"].axhline(0, color=C["ink"], lw=0.8)
axes["A"].set(xlabel="unit of network 1", ylabel="weight")
for ax, picture, title in zip("BCDE", sheets, titles, strict=True):
    axes[ax].imshow(picture, cmap="Greys_r", vmin=0, vmax=1)
    axes[ax].set_title(title, fontsize=8)
    axes[ax].axis("off")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"Unit {unit} correlates with its best partner at {best_r[unit]:.2f}, which explains "
    f"{percent(best_r[unit] ** 2)} of its variance; {int((w2[unit].abs() > 1e-6).sum())} predictors together "
    f"explain {percent(1 - 2 * w2_errors[unit])}. This is a chosen example, the best of its layer."
)

# %% [markdown]
# ## Many to many
#
# The source goes one step further and takes the absolute weights $|w_{ji}|$ of the sparse map, as a matrix
# $|W|$, for similarities between the units of the two networks. They fill a {term}`block matrix`
#
# $$B = \begin{pmatrix} I & |W| \\ |W|^\top & I \end{pmatrix},$$
#
# and {term}`hierarchical clustering` joins the two nearest groups again and again
# ({py:func}`.convergence.unit_linkage`, {numref}`fig-tree`). Note that within a network $B$ is the identity:
# two units of one network can only meet through a partner in the other. (In the source's pictures of
# clusters the two networks are exchanged, and units are off by one.)

# %%
tree = convergence.unit_linkage(w)
leaves = convergence.cluster_units(w)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-tree", "caption": "The square root of the block matrix, units of both networks in the order of the tree, with the tree drawn over it: each bracket spans a group that was joined. Marks at the left belong to network 1, marks at the right to network 2. Most early groups hold a unit and its strongest partner."}, "image": {"alt": "A square heat map that is empty but for a dark diagonal, small dark blocks along it, and scattered pale cells. Thin gray brackets enclose nested groups along the diagonal. Small marks at the left and right edges show to which network each row belongs; they alternate irregularly."}}
h = len(w)
similarity = torch.eye(2 * h, dtype=w.dtype)
similarity[:h, h:], similarity[h:, :h] = w.abs(), w.abs().T
fig, ax = plt.subplots(figsize=(5.4, 5))
plotting.heatmap(
    similarity[leaves][:, leaves].clamp_max(1).sqrt(),
    ax,
    center=0,
    vmin=-1,
    vmax=1,
)
spans = {int(leaf): (k, k) for k, leaf in enumerate(leaves)}
for node, (a, b, *_) in enumerate(tree, start=2 * h):
    ends = *spans[int(a)], *spans[int(b)]
    low, high = spans[node] = min(ends), max(ends)
    ax.plot(
        [low - 0.5, high + 0.5, high + 0.5], [low - 0.5, low - 0.5, high + 0.5],
        color=C["null"], lw=0.8,
    )  # fmt: skip
of_one = (leaves >= h).numpy()  # columns of W are units of network 1
for rows_, x in [(of_one, -2), (~of_one, 2 * h + 1)]:
    place = np.flatnonzero(rows_)
    ax.plot(
        np.full(len(place), x),
        place,
        "s",
        ms=2.5,
        color=C["ink"],
        clip_on=False,
    )
ax.set(
    xticks=[], yticks=[], xlabel="units of both networks, in the tree's order"
)
ax.set(xlim=(-0.5, 2 * h - 0.5), ylim=(2 * h - 0.5, -0.5))
plt.show()

# %% [markdown]
# Are these groups there, or does the method make them? The lasso can be run in the other direction, to predict
# network 1 from network 2, and nothing tells which direction is right. Cut both trees into half as many
# groups as a layer has units, and compare them by the {term}`adjusted Rand index`, which is 1 for equal
# groups and 0 on average for unrelated ones.


# %%
def groups(i, j):
    """Groups of the units of networks i and j, from the lasso each way."""
    moment = seen[relu[0]]
    own, other = moment.correlation(i), moment.correlation(j)
    there = convergence.sparse_path(own, moment.correlation(i, j), [0.1])[0]
    back = convergence.sparse_path(other, moment.correlation(j, i), [0.1])[0]
    trees = convergence.unit_linkage(there), convergence.unit_linkage(back.T)
    return [fcluster(t, max(2, len(there) // 2), "maxclust") for t in trees]


# %% tags=["remove-input"]
stable = {
    kind: [adjusted_rand_score(*groups(start + i, start + j)) for i, j in pairs]
    for kind, start in START.items()
}
ties = 1 - int((w != 0).sum()) / (h * (2 * h - 1))
Markdown(
    f"The index is {np.mean(stable['trained']):.2f} on average over the pairs of trained networks (from "
    f"{min(stable['trained']):.2f} to {max(stable['trained']):.2f}), and {np.mean(stable['untrained']):.2f} for "
    "untrained ones. So the groups are not arbitrary, but which units they hold depends a good deal on an "
    f"arbitrary choice. One reason is that {percent(ties)} of all pairs of units have no weight and tie at the "
    "largest distance. No single cluster of this kind should be read as a feature that the networks share."
)

# %% [markdown]
# ## Whole layers
#
# Do networks share a subspace, if not the units? Linear {term}`CKA` {cite:p}`kornblith2019` compares how two
# representations relate the same images to each other: it is the {term}`cosine` of their two matrices of
# inner products, each centred. ({py:func}`.convergence.linear_cka` gives it for one pair.) Does each layer
# look most like its counterpart in the other network ({numref}`fig-cka`)?


# %%
def relations(model):
    """Centred inner products of all pairs of images, by layer, of length 1."""
    outputs = models.outputs(model, test.x[: knobs.few], relu)
    rows = []
    for layer in relu:
        h = outputs[layer].flatten(1)
        h = h - h.mean(0)
        rows.append(nn.functional.normalize((h @ h.T).flatten(), dim=0))
    return torch.stack(rows)


kernels = [relations(model) for model in both]
cka = {kind: kernels[k] @ kernels[k + 1].T for kind, k in START.items()}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cka", "caption": "Linear CKA between all layers of networks 1 and 2, trained and untrained. The diagonal is high in both. What training adds in the convolutions is not agreement with the counterpart, but a difference from the other layers."}, "image": {"alt": "Two annotated four by four heat maps. In both the diagonal is bright. Away from it the trained map is darker than the untrained one, whose convolutions are all bright."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, (kind, matrix) in zip(axes, cka.items(), strict=True):
    sns.heatmap(
        matrix.cpu(), vmin=0, vmax=1, cmap="cividis", annot=True, fmt=".2f", square=True, ax=ax,
        xticklabels=names, yticklabels=names, cbar=ax is axes[1], cbar_kws={"label": "linear CKA"},
    )  # fmt: skip
    ax.set(title=kind, xlabel="network 2")
axes[0].set(ylabel="network 1")
plt.show()

# %% tags=["remove-input"]
counterpart = {
    kind: int((m.argmax(1).cpu() == torch.arange(len(names))).sum())
    for kind, m in cka.items()
}
Markdown(
    f"Of the {COUNT[len(names)]} layers of network 1, {COUNT[counterpart['trained']]} look most like their "
    f"counterpart in network 2 after training, and {COUNT[counterpart['untrained']]} before. So trained layers can "
    "be told apart. But untrained convolutions are as much like their counterparts as trained ones, and a high "
    "CKA on the diagonal is no evidence that something common was learned."
)

# %% [markdown]
# **One to one, or a subspace?** A permutation is one kind of orthogonal map, and an orthogonal map is one
# kind of linear map. How much of the variance of one network does the best map of each kind explain in the
# other? {py:func}`.convergence.explained` fits the three on training images and measures the
# {term}`share explained` on test images; the orthogonal one is the {term}`Procrustes alignment` of
# {doc}`chapter 3 </notebooks/03_covariance_universality>`.
#
# **Round trips.** Match network 1 to 2, 2 to 3, and 3 back to 1. A unit that is one feature in all three
# comes back to itself ({term}`cycle consistency`). Chance brings one unit back in a whole layer.


# %%
def round_trip(layer, i, j, k):
    """Share of units that come back to themselves."""
    there, on, back = (
        convergence.bipartite_match(found[layer].correlation(a, b))
        for a, b in [(i, j), (j, k), (k, i)]
    )
    return (back[on[there]] == torch.arange(len(there))).double().mean().item()


# %% tags=["remove-cell"]
rows = []
for kind, start in START.items():
    for row, (name, layer) in enumerate(layers.items()):
        for i, j in permutations(range(n), 2):
            a, b = start + i, start + j
            share = convergence.explained(seen[layer], found[layer], a, b)
            measured = {
                "one-to-one match": float(
                    np.mean(matches(found[layer], a, b).bipartite)
                ),
                "permutation explains": share["permutation"],
                "orthogonal map explains": share["orthogonal"],
                "linear map explains": share["affine"],
                "linear CKA": float(kernels[a][row] @ kernels[b][row]),
            }
            rows += [[name, kind, *item] for item in measured.items()]
        for trio in combinations(range(start, start + n), 3):
            rows.append([name, kind, "round trips", round_trip(layer, *trio)])
for row in others.itertuples():
    rows.append(
        [row.layer, row.networks, "gain in the rotation test", row.gain]
    )
columns = ["layer", "networks", "measure", "value"]
evidence = pd.DataFrame(rows, columns=columns).groupby(
    ["measure", "layer", "networks"], sort=False
)
mean, deviation = evidence.mean().value, evidence.std().value


def cell(measure, name):
    """Trained / untrained, bold where training raises it by two deviations or more."""
    key = measure, name
    text = side_by_side(*(mean[*key, kind] for kind in START))
    lead = mean[*key, "trained"] - mean[*key, "untrained"]
    raised = lead > 2 * max(deviation[*key, kind] for kind in START)
    return f"**{text}**" if raised else text


listed = [
    "one-to-one match",
    "round trips",
    "permutation explains",
    "orthogonal map explains",
    "linear map explains",
    "linear CKA",
    "gain in the rotation test",
]
verdict = pd.DataFrame(
    {
        name: {measure: cell(measure, name) for measure in listed}
        for name in names
    }
)

# %% [markdown]
# The table puts all measures of the chapter side by side, for trained / untrained networks. A cell is bold
# where training raises the value by more than two standard deviations over the pairs of networks.

# %% tags=["remove-input"]
plotting.table(verdict.rename_axis("trained / untrained"))

# %% tags=["remove-input"]
maps = [
    "permutation explains",
    "orthogonal map explains",
    "linear map explains",
]


def higher(measures, layers_):
    """In how many cases the value is higher after training."""
    return sum(
        mean[measure, name, "trained"] > mean[measure, name, "untrained"]
        for measure in measures
        for name in layers_
    )


cases = len(maps) * len(convolutions)
Markdown(
    f"In the dense layer {higher(listed, ['dense'])} of {len(listed)} measures are higher after training than before. "
    f"In the convolutions, what maps of any kind explain is lower after training in "
    f"{cases - higher(maps, convolutions)} of {cases} cases. This does not mean that training drives networks "
    "apart: an untrained convolution varies in few directions, and few directions are easy to predict. It means "
    "that these measures cannot tell what is learned from what is given. The rotation test is less exposed to "
    "this, because it compares each match with other axes of the same space. Round trips lie far above chance, "
    f"which is {1 / knobs.channels[0]:.2f} in conv 1 and {1 / knobs.dense:.2f} in the dense layer, but hardly "
    "further after training than before."
)

# %% [markdown]
# ## Training and width
#
# When does the agreement arise? Repeat match and rotation test on the networks as they were after each epoch
# ({numref}`fig-agreement-epochs`).

# %%
few = test.x[: 2 * knobs.few]
rows = []
for epoch in range(epochs + 1):
    states = [history[epoch] for history in histories]
    statistics = moments(states, few, relu, batch_size=200)
    for name, layer in layers.items():
        for i, j in pairs:
            own, rotated = convergence.rotation_test(
                statistics[layer], i, j, generator
            )
            rows.append([epoch, name, own, own - rotated])
course = pd.DataFrame(rows, columns=["epoch", "layer", "match", "gain"])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-agreement-epochs", "caption": "Mean correlation of bipartite matches (left) and gain over a rotated partner (right) against epochs: mean over pairs of networks, with bands of one standard deviation. In the convolutions the match hardly changes while the gain rises, most of it in the first epoch."}, "image": {"alt": "Two panels with one line for each layer. Left, the lines of the convolutions stay level or sink a little, and that of the dense layer rises. Right, all lines rise in the first epoch and then flatten."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1))
palette = dict(zip(names, plotting.LEVELS[-len(names) :], strict=True))
for ax, y in zip(axes, ("match", "gain"), strict=True):
    sns.lineplot(
        course, x="epoch", y=y, hue="layer", errorbar="sd", marker="o", markersize=4,
        markeredgewidth=0, palette=palette, legend=y == "gain", ax=ax,
    )  # fmt: skip
    ax.xaxis.get_major_locator().set_params(integer=True)
axes[0].set(ylabel="mean correlation of matches", ylim=(0, None))
axes[1].set(ylabel="gain over the rotated partner")
sns.move_legend(axes[1], "center left", bbox_to_anchor=(1, 0.5), title="")
plt.show()

# %% tags=["remove-input"]
by_epoch = course.groupby(["epoch", "layer"], sort=False).gain.mean().unstack()
rise = (by_epoch.loc[1] - by_epoch.loc[0]) / (
    by_epoch.loc[epochs] - by_epoch.loc[0]
)
Markdown(
    f"From {names[0]} to the dense layer, the first epoch brings {listing(rise, percent)} of the rise of the gain. "
    "That the curves flatten afterwards proves little, because the learning rate falls to zero by the last "
    f"epoch and would flatten any curve. What longer training does, {epochs} epochs cannot show."
)

# %% [markdown]
# Does the agreement grow with the number of units? More units give each unit more candidates, so some growth
# is chance, and the untrained null must stand beside it.

# %%
rows = []
for factor in sorted([1, *knobs.factors]):
    two = [histories[k] if factor == 1 else train(k, factor) for k in (0, 1)]
    states = [history[epoch] for epoch in (-1, 0) for history in two]
    statistics = moments(states, few, relu, batch_size=200)
    for name, layer in layers.items():
        for kind, i in [("trained", 0), ("untrained", 2)]:
            own, rotated = convergence.rotation_test(
                statistics[layer], i, i + 1, generator
            )
            rows.append([factor, name, kind, own, own - rotated])
columns = ["width", "layer", "networks", "match", "gain"]
width = pd.DataFrame(rows, columns=columns)

# %% tags=["remove-input"]
at = width.set_index(["width", "layer", "networks"])
by_layer(
    pd.DataFrame(
        {
            f"{measure}, width {factor:g}": {
                name: side_by_side(
                    *(at[measure][factor, name, kind] for kind in START)
                )
                for name in names
            }
            for measure in ("match", "gain")
            for factor in width.width.unique()
        }
    ),
    "trained / untrained",
)

# %% tags=["remove-input"]
ends = [at.loc[factor] for factor in (width.width.min(), width.width.max())]
change = (ends[1] - ends[0]).abs().groupby("networks").max()
Markdown(
    "Width 1 is that of the other networks. From the narrowest to the widest, no layer's match changes by more than "
    f"{change.match['trained']:.2f} in trained networks and {change.match['untrained']:.2f} in untrained ones, and "
    f"no gain by more than {change.gain['trained']:.2f} and {change.gain['untrained']:.2f}. What changes with width "
    f"here changes without training too. And one pair of networks at each of {COUNT[width.width.nunique()]} widths "
    "does not make a trend: the question stays open."
)

# %% [markdown]
# ## Take-aways
#
# - The mean correlation of matched units falls with depth, as in the source. It is no evidence of learning:
#   in the convolutions, untrained networks match about as well.
# - Compared with rotated axes of the same space, the units of trained networks match better in every layer,
#   and by more than those of untrained networks do. So networks learn the same features one to one, in part:
#   far less than identical units would show.
# - Prediction from few units, orthogonal and linear maps, and CKA show agreement beyond untrained networks in
#   the dense layer only. In the convolutions they cannot tell a learned subspace from one that is there
#   before training.
# - A poor bipartite match can be a leftover. Clusters that change when the prediction runs the other way are
#   no features. Give a method planted cases and a null before you read its pictures.
# - Bipartite matching is exact and takes milliseconds. Correlation and mutual information mostly choose the
#   same partners.
#
# ## Ledger

# %% tags=["remove-input"]
claims.table("04_convergent_learning")

# %% [markdown]
# ## Exercises
#
# **1.** Why is the mean correlation of the greedy matching never below that of the bipartite one? Can
# the bipartite mean from network 1 to network 2 differ from that of network 2 to network 1? And the
# greedy one?
#
# :::{admonition} Solution
# :class: dropdown
# Greedy takes the largest entry of each row, bipartite some entry of each row. Between layers of one width
# the best one-to-one pairing is the same set of pairs in both directions, so its mean is the same. Greedy takes maxima of rows in one
# direction and maxima of columns in the other, and these have different means.
# :::
#
# **2.** How large is the mean of the row maxima of an $H \times H$ matrix of independent correlations of
# $N$ samples, roughly? Compare it with the greedy match on shuffled images.
#
# :::{admonition} Solution
# :class: dropdown
# Each entry is about normal with standard deviation $1/\sqrt N$, and the largest of $H$ lies near
# $\sqrt{2 \log H / N}$. Take for $N$ the number of images first:
# ```python
# for name in names:
#     units = found[layers[name]].sizes[0]
#     print(name, (2 * np.log(units) / len(test)) ** 0.5, greedy.shuffled[name])
# ```
# The rule and the measured means are of the same size, which is small beside the matches. If the 32 x 32
# positions of the first convolution were independent samples, its mean would be 32 times smaller than the
# rule says; it is hardly smaller. Neighbouring positions of an image are nearly the same sample, so the number
# of images counts.
# :::
#
# **3.** Can a ReLU unit be matched to the negative of another? For a standard normal $z$, what is the
# correlation of $\operatorname{relu}(z)$ with $\operatorname{relu}(-z)$? Then match the dense layer by absolute
# correlation, and see what changes.
#
# :::{admonition} Solution
# :class: dropdown
# At most one of the two is above zero, so the mean of their product is 0. Each has mean $1/\sqrt{2\pi}$
# and variance $\frac12 - \frac1{2\pi}$, so the correlation is
# $-\frac1{2\pi} / (\frac12 - \frac1{2\pi}) = -1/(\pi - 1)$, about $-0.47$: opposite units look only half
# opposite, and no ReLU unit is the negative of another.
# ```python
# c = found[layers["dense"]].correlation(0, 1).cpu()
# m = convergence.bipartite_match(c.abs())
# print(bipartite.trained["dense"], convergence.matched(c, m).mean())
# print((convergence.matched(c, m) < 0).sum(), convergence.matched(c, m).min(), c.min())
# ```
# On CIFAR-10 nothing changes. There are correlations as negative as the formula says, but no unit prefers one of them to a
# positive partner, and the few negative matches are leftovers near zero.
# :::
#
# ## Further reading
#
# The paper: {cite:t}`li2016`. Axes that networks share, in brains and machines: {cite:t}`khosla2024axes`.
# Comparing representations as wholes: {cite:t}`kornblith2019`; where CKA misleads:
# {cite:t}`davari2023`. Matching layers of different widths: {cite:t}`khosla2024`; agreement across layers,
# training and other images: {cite:t}`kapoor2025`. Joining the halves of two networks:
# {cite:t}`lenc2015`, {cite:t}`bansal2021`. Pictures of units: {cite:t}`zeiler2014`,
# {cite:t}`springenberg2015`.
