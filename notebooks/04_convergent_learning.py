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
# **What you will be able to do.** Correlate all {term}`units <unit>` of two networks in one pass over the images;
# match them one to one; tell a match of units from a match that any axes would show; look at what
# matched units see; predict a unit of one network from few of another; and hold such results against
# {term}`untrained networks <untrained network>`, {term}`random labels` and {term}`rotated axes <rotated axis>`.
#
# **What you need.** Correlation, convolutional networks, least squares. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows *Convergent Learning* by Li, Yosinski, Clune, Lipson and Hopcroft
# {cite:p}`li2016`, who compared four AlexNets trained on ImageNet. The data behind their notebook
# were never published. Here are small convolutional networks trained on CIFAR-10 in colour, so the
# shapes of the results can be compared, but not the digits. The paper is called the source below. It
# concludes that networks share subspaces of low dimension while the single units that span them
# differ, though some features come back one to one. {doc}`Chapter 1 </notebooks/01_matching_mlps>` matches
# units by their weights; this chapter matches them by what they do.

# %% tags=["hide-input"]
from functools import cache
from itertools import combinations, pairwise, permutations, product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from scipy.cluster.hierarchy import fcluster
from scipy.sparse.linalg import eigsh
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score
from torch import nn

from netdist_course import quiz
from netdist_utils import (
    claims,
    convergence,
    data,
    models,
    plotting,
    settings,
    training,
    workers,
)
from netdist_utils.moments import as_samples, moments
from netdist_utils.words import listed, minus, number, percent

plotting.use_style()
C = plotting.COLORS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    channels=([8, 12], [32, 48, 64], [32, 48, 64]),
    dense=(32, 128, 128),
    networks=(3, 4, 8),
    images=(300, 2000, 10000),
    few=(100, 750, 1000),
    samples=(5000, 50000, 1000000),
    judged=(300, 4000, 10000),
    relabelled=((200, 60), (1000, 48), (2500, 60)),  # images, epochs
    rows=(2000, 4000, 50000),
    epochs=(40, 3, 12),
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Two networks may share single units, small groups of units, or only a space." say="Ask what each of the three would look like in data. Collect, on the board, what two networks would have in common that learned nothing at all: these are the nulls of the talk."
# - One to one: each unit has a partner.
# - Few to one: a few units together make a unit of the other network.
# - As a subspace: only all units together do.
# - And what have networks in common that learned nothing?

# %% [markdown]
# ## The networks
#
# Each network has a few convolutions, each followed by a {term}`ReLU` and by {term}`pooling`, then one hidden
# dense layer with a ReLU, called *dense* below, and the output layer, which is left out of all
# comparisons. All networks see the same images and follow the same {term}`recipe` from different
# {term}`seeds <seed>`: their starts differ, and so does the order of the images. The state after each
# {term}`epoch` is kept for the end of the chapter. {py:func}`.workers.each` trains them side by side, one on each
# core of a processor.
#
# Three more sets of as many networks serve as {term}`controls <control>`: the states before the first epoch, which are
# untrained networks; the same with other biases, so that their units are zero as
# often as those of trained ones (the {term}`rotation test` says why); and networks that were trained on
# {term}`random labels`. Each of these has its own {term}`permutation` of the true labels, so no two of them learn the
# same task. To fit such labels takes many epochs, so they get few images; networks with the true labels of the
# same few images, and with one permutation for all, stand beside them where labels are the question.

# %%
images = data.images(grayscale=False)
shape = tuple(images.train.x.shape[1:])
epochs = knobs.epochs if images.name == "cifar10" else max(knobs.epochs, 40)


def make():
    kernels = [5 if shape[1] == 32 else 3] + [3] * (len(knobs.channels) - 1)
    padding = [k // 2 for k in kernels]
    options = {"kernel_size": kernels, "padding": padding, "pool": 2}
    sizes = {"channels": knobs.channels, "dense": [knobs.dense]}
    return models.convnet(shape, **sizes, **options)


recipe = {"lr": 0.05, "schedule": "cosine"}


def train(seed):
    """The network before the first epoch and after each."""
    return training.fit_history(
        make, images.train, seed, epochs=epochs, **recipe
    )


seeds = [(seed,) for seed in range(knobs.networks)]
histories = list(workers.each(train, seeds, all_cores=True))
networks = [history[-1] for history in histories]
untrained = [history[0] for history in histories]
# %% tags=["hide-input"]
silenced = [
    convergence.with_zeros_of(model, reference, images.test.x[: knobs.few])
    for model, reference in zip(untrained, networks, strict=True)
]
generator = torch.Generator().manual_seed(7)
few_labels, many_epochs = knobs.relabelled
part = images.train.first(few_labels)
mixed = [
    data.Split(part.x, part.y[torch.randperm(len(part), generator=generator)])
    for _ in networks
]


def train_one(seed, split):
    options = {"epochs": many_epochs, **recipe}
    return training.fit_ensemble(make, split, [seed], **options)[0]


def train_on(splits):
    """One network a split."""
    return list(workers.each(train_one, enumerate(splits), all_cores=True))


relabelled, fewer = train_on(mixed), train_on([part] * 3)
in_common = train_on([mixed[0]] * 3)

# %% tags=["remove-cell"]
n = len(networks)
judged = images.test.first(knobs.judged)
accuracies = [training.accuracy(model, judged) for model in networks]
WORDS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight"]
COUNT = dict(enumerate(WORDS))
SAME_ZEROS, RANDOM = "untrained, zeros as trained", "random labels"
KINDS = {"trained": C["matched"], "untrained": C["null"]}
FOUR = {**KINDS, SAME_ZEROS: C["other"], RANDOM: C["inside"]}
NULLS = ["untrained", SAME_ZEROS, RANDOM]
FEW_IMAGES = "true labels, few images"
ONE = "same random labels"
SIX = {**FOUR, ONE: C["unmatched"], FEW_IMAGES: C["outside"]}
fitted = [
    training.accuracy(model, split)
    for model, split in zip(relabelled, mixed, strict=True)
]


def side_by_side(*values, form="z.2f"):
    """0.58 / 0.57, unbroken."""
    text = " / ".join(minus(f"{value:{form}}") for value in values)
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def place(name):
    """A layer's name within a sentence."""
    return "the dense layer" if name == "dense" else name


def by_layer(frame, index="layer"):
    """A table with one row for each layer, whose names do not break."""
    rows = {
        name: name.replace(" ", "\N{NO-BREAK SPACE}") for name in frame.index
    }
    return plotting.table(frame.rename(index=rows).rename_axis(index))


# %% tags=["remove-input"]
data.notice(images)

# %% tags=["remove-input"]
Markdown(
    f"The convolutions have {listed(knobs.channels, '{:.0f}'.format)} channels, and the dense layer has "
    f"{knobs.dense} units. The {COUNT[n]} networks are trained for {epochs} epochs, while the learning rate falls from 0.05 to "
    f"zero along a cosine. Their accuracies on {len(judged):,} test images are {listed(accuracies, number)}. The networks with random "
    f"labels have {len(part):,} images and {many_epochs} epochs; they fit {'all' if min(fitted) > 0.995 else listed(fitted, percent)} of these labels, "
    "where true ones of the same images bring "
    f"{listed([training.accuracy(m, judged) for m in fewer], number)} on test images."
)

# %% [markdown]
# ## All statistics in one pass
#
# A unit is a {term}`channel`, and each image gives it as many {term}`activations <activation>` as it has
# positions. {term}`Correlations <Pearson correlation>` of all pairs of units of all pairs of networks need means and mean products
# only. {py:func}`.moments.moments` sums these over the {term}`held-out <held out>` images {term}`batch` by
# batch, for all networks at once, and keeps no activation. The same is done for training images, on which
# maps will be fitted.

# %%
relu = [k for k, part in enumerate(networks[0]) if isinstance(part, nn.ReLU)]
names = [f"conv {k + 1}" for k in range(len(knobs.channels))] + ["dense"]
layers = dict(zip(names, relu, strict=True))
test = images.test.first(knobs.images)
both = [*networks, *untrained]  # network k, and n + k before training
everyone = [*both, *silenced, *relabelled]
found = moments(everyone, test.x, relu, batch_size=100)
seen = moments(everyone, images.train.x[: knobs.images], relu, batch_size=100)

# %% tags=["remove-cell"]
threes = [*fewer, *in_common]  # the sets of three, beside `everyone`
found_threes = moments(threes, test.x, relu, batch_size=100)
seen_threes = moments(
    threes, images.train.x[: knobs.images], relu, batch_size=100
)
START_OF = {FEW_IMAGES: 0, ONE: 3}  # in `threes`
FIRST = dict(zip(FOUR, range(0, 4 * n, n), strict=True))  # in `everyone`
START = {kind: FIRST[kind] for kind in KINDS}
pairs = list(combinations(range(n), 2))
convolutions = names[:-1]
dead = {
    (kind, name): [int(found[layer].dead(start + k).sum()) for k in range(n)]
    for kind, start in START.items()
    for name, layer in layers.items()
}

# %% tags=["remove-input"]
silent = "; ".join(
    f"{listed(counts, '{:.0f}'.format)} in {place(name)} of the {COUNT[n]} {kind} networks"
    for (kind, name), counts in dead.items()
    if any(counts)
)
Markdown(
    f"Some units are dead, which means that they never change on the "
    f"{len(test):,} images: {silent or 'here, none'}. The correlation of such a unit is 0 / 0; here it counts "
    "as 0, and in the rotation test below dead units are left out."
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

# %% tags=["hide-input"] slide="Units come in no order: matching brings large correlations to the diagonal, and many stay beside it." say="The third panel and the fourth hold the same numbers in another order. Ask where the diagonal of the fourth fades, and what is left there for the last units. How much of the diagonal is agreement, and how much is the choice of the best of many?" mystnb={"figure": {"name": "fig-matrices", "caption": "Correlations of the units of the first convolution: within network 1, within network 2, and between them before and after matching, best matches first. In both panels at the right, rows are units of network 1 and columns units of network 2. Matching puts large correlations on the diagonal, which fades from its start to its end; many large correlations stay beside it."}, "image": {"alt": "Four square heat maps of correlations. The first two have a dark diagonal of ones and scattered cells beside it; the third shows scattered cells without order; the fourth has a diagonal that fades from the upper left to the lower right, with scattered cells around it."}}
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
    f"The mean absolute correlation of two different units is {inside:.2f} within network 1, and that of all pairs "
    f"of units between networks 1 and 2 is {between.abs().mean():.2f}. For matched units it is "
    f"{convergence.matched(between, partner).abs().mean():.2f}. How much of this is agreement, and how much comes "
    "from choosing the best of many? The next two sections take it apart."
)

# %% [markdown]
# ## One to one
#
# Two common ways to pair units by correlation, with its sign, are these. In {term}`greedy matching` each unit of
# one network takes its best partner in the other, which others may take as well. In
# {term}`bipartite matching` no partner is taken twice and the total is the greatest possible; this is a
# {term}`linear assignment`, solved exactly in milliseconds ({py:func}`.convergence.greedy_match`,
# {py:func}`.convergence.bipartite_match`). The share of units for which both pick the same partner is
# the {term}`overlap`.
#
# A mean correlation of matches says nothing alone, because the largest of many noisy correlations is
# positive. So there are three {term}`nulls <null>`. **Untrained networks** show what architecture and
# data give without learning, and networks with **random labels** what any fit to images gives. For the
# weakest, each network gets the same images in an order of its own. Units of two networks can then agree by
# chance, or by what depends on the position in the image alone: the null of
# {term}`shuffled <shuffle>` images.


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
reordered = [test.x[o] for o in orders]
shuffled = moments(networks, reordered, relu, batch_size=200)

# %% tags=["remove-cell"]
kinds = {
    "trained": (found, 0, n),
    **{kind: (found, FIRST[kind], n) for kind in NULLS},
    **{kind: (found_threes, k, 3) for kind, k in START_OF.items()},
    "shuffled": (shuffled, 0, n),
}
every = pd.concat(
    {
        (name, kind, i, j): matches(
            statistics[layer], start + i, start + j
        ).reset_index(drop=True)
        for name, layer in layers.items()
        for kind, (statistics, start, size) in kinds.items()
        for i, j in permutations(range(size), 2)
    },
    names=["layer", "networks", "i", "j", "unit"],
)
over_pairs = every.groupby(["layer", "networks", "i", "j"], sort=False).mean()
summary = over_pairs.groupby(["layer", "networks"], sort=False).mean().unstack()
spread = over_pairs.groupby(["layer", "networks"], sort=False).std().unstack()
greedy, bipartite = summary["greedy"], summary["bipartite"]
background = summary["background"]
above = bipartite - background
DISJOINT = [
    (i, i + 1) for i in range(0, n - 1, 2)
]  # pairs without a network in common
if len(DISJOINT) < 2:
    DISJOINT = pairs  # at smoke scale there are too few networks


def repeats(measure):
    """The value of each of some pairs of networks, as independent as there are."""
    return [measure(pair) for pair in DISJOINT]


def of_pair(kind, pair):
    return over_pairs.xs((kind, *pair), level=("networks", "i", "j"))


claims.check(
    "convergence_falls",
    greedy.trained[convolutions[0]] - greedy.trained[convolutions[-1]],
    images.name,
)
claims.check(
    "convergence_overlap", summary["overlap"].trained["conv 1"], images.name
)
claims.check(
    "convergence_dense",
    bipartite.trained["dense"],
    images.name,
    null=bipartite.loc["dense", [*NULLS, ONE]].max(),
    repeats=repeats(lambda p: of_pair("trained", p).bipartite["dense"]),
)

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
    f"{greedy.trained[convolutions[-1]]:.2f} over the convolutions, and it is {greedy.trained['dense']:.2f} in the "
    "dense layer. In the source it falls to conv 4 and is higher again in conv 5. The standard "
    f"deviation over the ordered pairs of our networks is at most {spread['greedy'].trained.max():.2f}. Greedy "
    f"and bipartite matching choose the same partner for {percent(summary['overlap'].trained.min())} to "
    f"{percent(summary['overlap'].trained.max())} of the units."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: which networks match best, unit by unit?" say="Let everyone write a ranking for the convolutions and one for the dense layer before the next slide. Ask those who rank untrained networks last what they expect two random filters to have in common."
# - Trained networks: one task, different seeds.
# - Untrained networks: the same seeds, before the first epoch.
# - Networks with random labels, each with its own, on few images.
# - Rank the three, in the convolutions and in the dense layer.

# %% [markdown]
# {numref}`fig-one-to-one` shows all units and not only their mean, with the nulls.

# %% tags=["remove-cell"]
curves = {
    "trained, greedy": ("trained", "greedy", C["matched"], (4, 2)),
    "trained": ("trained", "bipartite", C["matched"], ""),
    "untrained": ("untrained", "bipartite", C["null"], ""),
    RANDOM: (RANDOM, "bipartite", C["inside"], ""),
    "shuffled images": ("shuffled", "bipartite", C["null"], (1, 1.5)),
}


def in_order(values):
    """A curve of each pair of networks, from its best match to its worst."""
    frame = values.rename("correlation").reset_index()
    frame = frame.sort_values("correlation", ascending=False)
    frame["unit"] = frame.groupby(["layer", "i", "j"]).cumcount()
    return frame


long = pd.concat(
    {
        curve: in_order(every.xs(kind, level="networks")[how])
        for curve, (kind, how, *_) in curves.items()
    },
    names=["match"],
).reset_index("match")
long["layer"] = pd.Categorical(long.layer, names, ordered=True)

# %% tags=["hide-input"] slide="In the dense layer alone do trained networks match better than both controls." say="Begin with the convolutions: blue is not on top. Ask what would have been concluded without the gray and the orange curve. Then the dense layer, where blue leads for most units, and the dotted curve, which says that chance is not the explanation." mystnb={"figure": {"name": "fig-one-to-one", "caption": "Correlation of units with their bipartite matches, each curve from its best match to its worst; dashed, greedy matches of trained networks. Means over all ordered pairs of networks, with bands of one standard deviation. In the convolutions trained networks match no better than the better of the two controls; in the dense layer they match better than both. Shuffled images leave little."}, "image": {"alt": "One panel for each layer with falling curves. In the convolutions the blue curve of trained networks runs near or below the gray one of untrained networks and below the orange one of random labels; in the dense layer it lies above both for most units. The dashed blue curve of greedy matches lies above the solid one. The dotted curve of shuffled images lies near the bottom."}}
grid = sns.relplot(
    long, x="unit", y="correlation", hue="match", style="match", col="layer", kind="line",
    errorbar="sd", height=2.5, aspect=0.72, facet_kws={"sharex": False},
    palette={curve: colour for curve, (*_, colour, _) in curves.items()},
    dashes={curve: dash for curve, (*_, dash) in curves.items()},
)  # fmt: skip
grid.set_titles("{col_name}").set(ylim=(-0.05, 1))
grid.set_axis_labels("unit, sorted", "correlation with its match")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=5, title=""
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
        for kind, start in FIRST.items()
    }
)

# %% [markdown]
# The next table holds the means of bipartite matches and two numbers that may explain them. The {term}`background <background correlation>` is
# the mean absolute correlation of all pairs of units of two networks, matched or not. The
# {term}`participation ratio` is an effective number of directions in which a layer's activations vary.

# %% tags=["remove-input"]
THREE = [*START, RANDOM]
given = pd.DataFrame(
    {
        name: {
            "match": side_by_side(*bipartite.loc[name, THREE]),
            "match, shuffled": f"{bipartite.shuffled[name]:.2f}",
            "background": side_by_side(*background.loc[name, THREE]),
            "directions": side_by_side(*dims.loc[name, THREE], form=".1f"),
        }
        for name in names
    }
).T
by_layer(given, "trained / untrained / random labels")


# %% tags=["remove-input"]
def least_and_most(kind):
    """The range of the dense layer's bipartite mean over pairs of one kind."""
    of_pairs = over_pairs.bipartite.xs(("dense", kind), level=[0, 1])
    return f"{of_pairs.min():.2f} to {of_pairs.max():.2f}"


Markdown(
    "So the plain number, which is the source's, cannot show that training on a common task makes units converge: in the "
    "convolutions, networks that have learned nothing match about as well, and networks with random labels better. Untrained "
    "convolutions vary in fewer directions, and any two of their units correlate more, which would explain it. Nor does it help to "
    f"subtract the background: what is left is {number(above.trained.mean())} on average over the layers in trained networks, "
    f"{number(above.untrained.mean())} in untrained ones, and {number(above[RANDOM].mean())} with random labels. In the dense layer alone do "
    "trained networks match better than all nulls. There, networks that all have the same random labels are one more null: it is one labelling and "
    f"three networks, whose pairs match at {least_and_most(ONE)}, where pairs of trained networks match at {least_and_most('trained')}. Trained networks "
    f"saw more images, too; with the true labels of the same few images the pairs match at {least_and_most(FEW_IMAGES)}."
)

# %% [markdown]
# ## The rotation test
#
# A unit is one direction in the space of a layer's activations: an axis. Any other set of perpendicular
# directions spans the same space. If such axes matched the other network as well as units do, a good
# match would say nothing about units. The rotation test tries it {cite:p}`khosla2024axes`: match
# the units of one network with those of another, and then with the axes that the same other network has
# after a random rotation. The rotation keeps the space and its dimension and takes away the units. The
# difference of the two mean correlations is the *{term}`gain`*: what the units contribute.
#
# First, two {term}`planted cases <planted case>`. A network and a copy of it with permuted channels must be
# matched perfectly. A network and a rotated copy of itself hold the same information, while their units do not
# correspond.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="The rotation test asks whether units match better than other axes of the same space." say="The rotation keeps the space and every linear map from it; it takes away the units. Ask what must be made equal between units and rotated axes before the difference counts: scale, sign, dead units, zeros. The second planted case says why: the nonlinearity alone brings a gain."
# $$\text{gain} = \text{mean match of units} - \text{mean match of rotated axes}$$
#
# Planted: of a permuted copy all units are found again. Units with no axes in common gain as well, behind a ReLU or an absolute value.

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

# %% tags=["remove-input"]
Markdown(
    f"Of the permuted copy's units {percent(recovered.float().mean())} are recovered. The axes of the rotated "
    f"copy match the original's units at {turned:.2f} in place of {same:.0f}. So a rotation costs a one-to-one match "
    "much, but not everything, and a match has to be compared with its own rotated version."
)

# %% [markdown]
# For the comparison to be fair, units and rotated axes may differ in nothing but being units. Five things
# stand in the way, and {py:func}`.convergence.rotation_test` takes out three of them. The next layer can
# undo the *scale* of a unit, so each unit is divided by its standard deviation. A rotated axis has no
# *sign* of its own, so absolute correlations are matched, for units as well. A {term}`dead unit` cannot match,
# while no rotated axis is dead, so dead units are left out.
#
# The fourth is the *zeros*. Behind a ReLU a unit is zero for many images, and a rotated axis, which mixes many
# units, hardly ever. Two units that are mostly zero are alike in this without any feature in common. One remedy rotates before the ReLU
# ({py:func}`.convergence.preactivation_rotation_test`): a rotated axis is what a unit with other incoming
# weights would compute, it is rectified like a unit, and its bias makes it zero as often as a unit is. The other
# is a stronger null: untrained networks with biases set so that their units are zero as often as trained
# ones ({py:func}`.convergence.with_zeros_of`).
#
# The fifth is the *shape* of a unit's distribution: a mixture of many units is nearer to a Gaussian. This is left
# in both tests, and only the nulls can tell how much it does.
#
# A third planted case tells which remedy is needed. Two layers of units with random directions, mostly
# zero, have no axes in common, so the right answer is no gain. The same is tried without the ReLU, and with an
# absolute value in its place.

# %%
draws = torch.Generator().manual_seed(4)
inputs = torch.randn(5000, 12, generator=draws)
directions = torch.randn(2, 12, 32, generator=draws)
directions = nn.functional.normalize(directions, dim=1)
one, two = (inputs @ d - 1 for d in directions)
identity = [nn.Sequential(nn.Identity())] * 2
behind_relu = convergence.rotation_test(
    moments(identity, [one.relu(), two.relu()], [0])[0], 0, 1, generator
)
before_relu = convergence.preactivation_rotation_test(one, two, generator)
as_is, folded = (
    convergence.rotation_test(
        moments(identity, [how(one + 1), how(two + 1)], [0])[0],
        0,
        1,
        generator,
    )
    for how in (nn.Identity(), torch.abs)
)

# %% tags=["remove-input"]
nothing = {
    "behind": np.subtract(*behind_relu),
    "before": np.subtract(*before_relu),
    "linear": np.subtract(*as_is),
    "folded": np.subtract(*folded),
}
Markdown(
    f"These units are zero for {percent((one <= 0).float().mean())} of the samples. Rotated behind the ReLU they "
    f"gain {nothing['behind']:.2f}, with nothing in common; rotated before it, "
    f"{number(nothing['before'])}. Without the ReLU and the bias the gain is {number(nothing['linear'])}, so the space alone brings none; "
    f"with an absolute value in place of the ReLU, which makes no zeros, it is {number(nothing['folded'])}. So a gain over axes that are rotated behind "
    "a nonlinearity can come from the nonlinearity alone, of which zeros are a part, and needs the stronger null and the other rotation."
)

# %% [markdown]
# Now both tests, for all pairs of networks and all layers ({numref}`fig-rotation`). Each network is matched
# with itself as well, which shows how large the gain is when all units do correspond.


# %% tags=["hide-input"]
def entering(model):
    """What enters each ReLU, at the same random places of every network."""
    before = [k - 1 for k in relu]
    outputs = models.outputs(model, test.x[: knobs.few], before)
    acts = [as_samples(outputs[k]) for k in before]
    generator = torch.Generator().manual_seed(1)
    rows = [torch.randperm(len(a), generator=generator) for a in acts]
    picked = [a[r[: knobs.rows]] for a, r in zip(acts, rows, strict=True)]
    return dict(zip(names, picked, strict=True))


# %% tags=["remove-cell"]
rows, zero_shares = [], {}
tested = {kind: (everyone[k : k + n], found, k) for kind, k in FIRST.items()}
for kind, k in reversed(START_OF.items()):
    tested[kind] = threes[k : k + 3], found_threes, k
for kind, (group, statistics, start) in tested.items():
    inputs_of = [entering(model) for model in group]
    members = range(len(group))
    for name, layer in layers.items():
        zero_shares[kind, name] = np.mean(
            [float((a[name] <= 0).double().mean()) for a in inputs_of]
        )
        for i, j in [*combinations(members, 2), *((k, k) for k in members)]:
            results = {
                "behind": convergence.rotation_test(
                    statistics[layer], start + i, start + j, generator
                ),
                "before": convergence.preactivation_rotation_test(
                    inputs_of[i][name], inputs_of[j][name], generator
                ),
            }
            rows += [
                [where, name, kind, i, j, own, rotated, own - rotated]
                for where, (own, rotated) in results.items()
            ]
    del inputs_of
columns = ["rotated", "layer", "networks", "i", "j", "own", "axes", "gain"]
rotation = pd.DataFrame(rows, columns=columns)
others = rotation[rotation.i != rotation.j]
selves = rotation[rotation.i == rotation.j]


def by_kind(frame, column="gain"):
    """Means over pairs: rows are (where rotated, layer), columns kinds of networks."""
    keys = ["rotated", "layer", "networks"]
    return frame.groupby(keys, sort=False)[column].mean().unstack()


gain, ceiling = by_kind(others), by_kind(selves)
before, behind = gain.loc["before"], gain.loc["behind"]


def gains_of(pair):
    """The gains of one pair of networks, in the same form."""
    return by_kind(others[(others.i == pair[0]) & (others.j == pair[1])])


def shares_of(pair):
    """Gain of one pair of trained networks, of that of each matched with itself."""
    own_ = selves[selves.i.isin(pair)]
    return gains_of(pair).trained / by_kind(own_).trained


share = gain / ceiling  # of the gain of identical units
claims.check(
    "convergence_rotation",
    share.loc["before"].trained.mean(),
    images.name,
    null=share.loc["before"][[*NULLS, ONE]].mean().max(),
    repeats=repeats(lambda p: shares_of(p)["before"].mean()),
)
claims.check(
    "convergence_rotation_behind",
    share.trained["behind", "dense"],
    images.name,
    null=share.loc[("behind", "dense"), [*NULLS, ONE]].max(),
    repeats=repeats(lambda p: shares_of(p)["behind", "dense"]),
)

# %% tags=["hide-input"] slide="Units of trained networks gain more than those of untrained ones; over random labels the dense layer alone stands out." say="Left, the nonlinearity can bring a part of the gain; right, it is taken into account, and the order of blue and gray stays. Then the labels: compare purple, orange and vermilion, which had the same images and as many of them. Blue had far more. As a share of what identical units would gain, behind the ReLU, random labels bring about as much in the convolutions." mystnb={"figure": {"name": "fig-rotation", "caption": "Gain of units over randomly rotated axes, one dot for each pair of networks. Left: the other network is rotated behind the ReLU. Right: before it, so that rotated axes are rectified as units are. In both, trained networks gain more than untrained ones in every layer. Networks with true labels and few images (purple) and with random labels, of their own or the same, had the same images; in the dense layer true labels bring more than the same random labels, and these more than labels of their own."}, "image": {"alt": "Two panels of dots against the layer, in six colours. In every layer the blue dots of trained pairs lie above the gray and the pink dots of untrained pairs. In the left panel the dots of both kinds of networks with random labels lie between these and the blue ones in the convolutions. In the dense layer of both panels the purple dots of true labels and few images lie above the vermilion ones of the same random labels, and these above the orange ones of random labels of their own, which lie near the untrained ones."}}
panels = {
    "behind": "rotated behind the ReLU",
    "before": "rotated before the ReLU",
}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, (where, title) in zip(axes, panels.items(), strict=True):
    style = {
        "x": "layer",
        "y": "gain",
        "hue": "networks",
        "palette": SIX,
        "ax": ax,
    }
    sns.stripplot(
        others[others.rotated == where], dodge=True, size=3.5, legend=where == "behind", **style
    )  # fmt: skip
    ax.axhline(0, color=C["ink"], lw=0.8)
    ax.set(title=title, xlabel="", ylabel="gain over rotated axes")
handles, labels = axes[0].get_legend_handles_labels()
axes[0].get_legend().remove()
fig.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=8)
plt.show()

# %% tags=["remove-input"]
lowest = others.groupby(["rotated", "layer", "networks"]).gain.min().unstack()
highest = others.groupby(["rotated", "layer", "networks"]).gain.max().unstack()


def apart(kinds_):
    """In how many layers, by place of rotation, trained pairs all lie above those of some kinds."""
    above_all = lowest.trained > highest[kinds_].max(axis=1)
    return above_all.groupby("rotated").sum()


def all_or(count):
    """every layer, or how many."""
    return (
        "every layer"
        if count == len(names)
        else f"{COUNT[int(count)]} of the {COUNT[len(names)]} layers"
    )


cells = {
    f"{kind}, {where}": {
        name: f"{number(gain.loc[where, name][kind])} ({percent(share.loc[where, name][kind])})"
        for name in names
    }
    for where in ("behind", "before")
    for kind in (*FOUR, FEW_IMAGES, ONE)
}
plotting.table(pd.DataFrame(cells).T.rename_axis("gain (share)"))

# %% tags=["remove-input"]
plain, hard = apart(NULLS[:2]), apart([RANDOM])
labelled = share[[RANDOM, ONE]].max(axis=1)


def far_ahead(kind):
    """In which layers the share is half as large again as any with random labels: in both tests, in one."""
    ahead_ = (share[kind] > 1.5 * labelled).groupby("layer")
    in_all, in_any = ahead_.all(), ahead_.any()
    in_both = [place(k) for k in names if in_all[k]]
    in_one = [place(k) for k in names if in_any[k] and not in_all[k]]
    return f"in both tests in {listed(in_both) if in_both else 'no layer'}" + (
        f" and in one of the two in {listed(in_one)}" if in_one else ""
    )


def between_pairs(kind):
    """Least and largest gain of a pair in the dense layer, behind and before."""
    ends = (
        f"{number(lowest.loc[(w, 'dense'), kind])} to {number(highest.loc[(w, 'dense'), kind])}"
        for w in ("behind", "before")
    )
    return " and ".join(ends)


in_dense = share.xs("dense", level="layer").loc[["behind", "before"]]
Markdown(
    "The table holds the mean gains, and in brackets what share they are of the gain of networks that are matched with "
    "themselves, in which all units correspond. Untrained networks are not quite at zero, so they, and not zero, are what trained ones "
    f"have to exceed. The least trained pair lies above all pairs of both kinds of untrained networks in {all_or(plain['behind'])} "
    f"behind the ReLU, and in {all_or(plain['before'])} before it. "
    + (
        "So trained networks share axes, which are their units, beyond what their space, their zeros, and chance give. "
        if min(plain) == len(names)
        else "So this run does not show in every layer that trained networks share axes. "
    )
    + "It is a small part of what identical units would show."
    "\n\n"
    "Is it the task that brings the axes, or any training on these images? Networks with random labels are the strongest null. Over "
    f"them, the least trained pair lies above all pairs in {all_or(hard['behind'])} behind the ReLU and in {all_or(hard['before'])} before it. "
    "They also gain less when matched with themselves, so the shares are the fairer comparison. Networks with the same random labels belong to "
    "this null as well. The share of trained networks is at least half as large again as the larger of the two "
    f"{far_ahead('trained')}. Elsewhere, what is gained over untrained networks may need no labels that mean anything: behind the ReLU the convolutions have "
    f"shares of {listed(share.trained['behind'][convolutions], percent)} in trained networks and of {listed(labelled['behind'][convolutions], percent)} with random labels. "
    "Trained networks have also seen far more images. With the true labels of the same few images, the share is as far ahead "
    + far_ahead(FEW_IMAGES)
    + ".\n\n"
    "True labels differ from these random ones in two ways: they say something about the images, and all networks share them. Two more sets of three "
    "networks tell these apart, on the same few images. In the dense layer, behind and before the ReLU, random labels of their own bring shares of "
    f"{listed(in_dense[RANDOM], percent)}, the same random labels {listed(in_dense[ONE], percent)}, and true ones {listed(in_dense[FEW_IMAGES], percent)}. "
    f"(It is one labelling, and three networks of each kind, whose pairs gain {between_pairs(ONE)} with the same random labels and {between_pairs(FEW_IMAGES)} with true ones.) "
    + (
        "So labels in common bring a part of the shared axes even if they say nothing about the images; true ones bring more."
        if (in_dense[ONE] > 1.3 * in_dense[RANDOM]).all()
        and (in_dense[FEW_IMAGES] > 1.2 * in_dense[ONE]).all()
        else "So this run does not tell the two apart."
    )
)

# %% [markdown]
# The gain is a difference of two matches, and the next table shows both, with the share of zeros. All columns
# but the last are mean absolute correlations of bipartite matches.

# %% tags=["remove-input"]
own, axes_ = by_kind(others, "own"), by_kind(others, "axes")


levels = pd.DataFrame(
    {
        name: {
            "unrotated": side_by_side(*own.loc["behind", name][[*FOUR]]),
            "rotated behind": side_by_side(*axes_.loc["behind", name][[*FOUR]]),
            "rotated before": side_by_side(*axes_.loc["before", name][[*FOUR]]),
            "zeros": side_by_side(*(zero_shares[kind, name] for kind in FOUR)),
        }
        for name in names
    }
).T
by_layer(levels, "trained / untrained / with zeros / random labels")

# %% tags=["remove-input"]
lost = own.loc["behind"].trained - own.loc["behind"].untrained
Markdown(
    "In the convolutions training hardly moves the unrotated match "
    f"(by {listed(lost[convolutions], number)}); what it lowers is the match of rotated axes. "
    "Training makes units zero more often, which alone would lower the match of units too, as the third number of each entry shows. "
    "(The match of the dense layer is not quite that of the table before: here signs are free and dead units left out.)"
)

# %% [markdown]
# This is the chapter's main evidence, and it has limits. It rests on a few networks, so its pairs are not
# independent; and where two dots are close, another random rotation could change their order.
#
# ## On other images
#
# Do two units agree on images of this kind only, or as functions? Take the partners that were found on *training* images
# and correlate them on held-out images, on the same with inverted colours, and on noise that has each image's
# spectrum and mean colour but random phases: its smoothness and no objects. The same is done with one network rotated, behind
# the ReLU, and the difference is again the gain. Since zeros can bring such a gain, the nulls stand beside it.


# %%
def inverted(x):
    """Each colour replaced by its complement."""
    low, high = x.amin((0, 2, 3), True), x.amax((0, 2, 3), True)
    return low + high - x


def noise(x):
    """Images of the same spectra with random phases."""
    draws = torch.Generator().manual_seed(9)
    white = torch.randn(x[:, :1].shape, generator=draws)
    phase = torch.fft.rfft2(white).angle()
    phase[..., 0, 0] = 0  # the mean colour stays
    turned_phase = torch.fft.rfft2(x) * torch.exp(1j * phase)
    return torch.fft.irfft2(turned_phase, s=x.shape[2:])


# %% tags=["hide-input"]
def of_partners(layer, start, i, j, sets, rotate=False):
    """Mean correlation, on several sets, of partners found on training images."""
    of_layer = [(seen[layer], start), *((one[layer], 0) for one in sets)]
    if rotate:
        turn = convergence.random_axes(seen[layer], start + j, generator)
        of_layer = [
            (convergence.turned(one, s + j, turn), s) for one, s in of_layer
        ]
    c, *elsewhere_ = (one.correlation(s + i, s + j) for one, s in of_layer)
    partners = convergence.bipartite_match(c.abs())
    sign = convergence.matched(c, partners).sign()
    return [
        float((sign * convergence.matched(one, partners)).mean())
        for one in elsewhere_
    ]


some = test.x[: knobs.few]
versions = {"held-out": some, "inverted": inverted(some), "noise": noise(some)}
rows = []
for kind, start in FIRST.items():
    group = everyone[start : start + n]
    sets = [moments(group, x, relu, batch_size=200) for x in versions.values()]
    for (name, layer), (i, j) in product(layers.items(), pairs):
        as_is = of_partners(layer, start, i, j, sets)
        rotated = np.mean(
            [
                of_partners(layer, start, i, j, sets, rotate=True)
                for _ in range(3)
            ],
            axis=0,
        )
        for version, *values in zip(versions, as_is, rotated, strict=True):
            rows.append([name, kind, version, *values])
columns = ["layer", "networks", "images", "match", "rotated"]
elsewhere = pd.DataFrame(rows, columns=columns)
elsewhere["gain"] = elsewhere.match - elsewhere.rotated
elsewhere = elsewhere.groupby(["layer", "images", "networks"], sort=False)
elsewhere = elsewhere[["match", "gain"]].mean()

# %% tags=["remove-input"]
by_layer(
    pd.DataFrame(
        {
            name: {
                f"gain, {version}": side_by_side(
                    *elsewhere.gain[name, version][[*FOUR]]
                )
                for version in versions
            }
            for name in names
        }
    ).T,
    "trained / untrained / with zeros / random labels",
)

# %% tags=["remove-input"]
of_gain = elsewhere.gain.unstack().loc[names]
away = of_gain.drop(index="held-out", level="images")
ahead = away.trained > 1.2 * away[NULLS[:2]].max(axis=1)
close = listed(f"{place(k)} ({v})" for (k, v), yes in ahead.items() if not yes)
by_random = away.trained > 1.2 * away[RANDOM]
close_random = listed(
    f"{place(k)} ({v})" for (k, v), yes in by_random.items() if not yes
)
Markdown(
    "Away from natural images the gain of trained networks stays about what it was. It is ahead of both kinds of untrained networks by a "
    "fifth or more "
    + ("everywhere" if close == "none" else f"except in {close}")
    + ", and of networks with random labels "
    + ("everywhere" if close_random == "none" else f"except in {close_random}")
    + ". So where it is ahead, partners answer alike beyond what zeros give to inputs that neither network was trained on, and not by "
    "objects alone, since noise has none."
)

# %% [markdown]
# ## What matched units see
#
# The weights of the first convolution, its {term}`filters <filter>`, can be shown as small colour pictures. Move the handle in
# {numref}`fig-match-browser` to see a unit of network 1 and its bipartite partners in the other networks.
# The units come in the order of their match in network 2, best first. The dots are the unit's correlations
# with every unit of the other network. The rightmost dot is its first choice; where that is not the partner, it went
# to another unit.

# %% tags=["hide-input"] slide="A poor one-to-one partner can be a leftover, whose unit had its first choice elsewhere." say="Drag the slider to the position that the text names, where the rightmost dot is far from the partner. Ask whether network 2 lacks the feature of this unit; click the first choice and compare the two filters. Then go to the last position: there even the first choice is hardly better than rotated axes are on average, so network 2 may lack this one." mystnb={"figure": {"name": "fig-match-browser", "caption": "A figure with a handle: filters of the first convolution, a unit of network 1 and its one-to-one partners. Drag the slider; click a dot to see that unit in the partner's place, and move the slider to go back. In network 2, partners are mostly first choices at the start of the slider and mostly leftovers at its end."}}
convergence.match_browser(networks, found[relu[0]])

# %% tags=["remove-input"]
values = convergence.matched(between, partner)
first_choice = between.max(1).values
lower_half = order[len(order) // 2 : -1]
elsewhere_first = (
    first_choice - values > 0.05
)  # another unit has the first choice
worst = int(lower_half[(first_choice * elsewhere_first)[lower_half].argmax()])
last = int(order[-1])
place_in_order = int((order == worst).nonzero()) + 1


def low_frequencies(model):
    """Share of the filters' power at most one period across a filter, each way."""
    power = torch.fft.fft2(model[0].weight).abs().square().cpu()
    side = torch.fft.fftfreq(power.shape[-1]).abs() * power.shape[-1] < 1.5
    return float(power[..., side[:, None] & side].sum() / power.sum())


smooth = {
    kind: np.mean([low_frequencies(m) for m in everyone[start : start + n]])
    for kind, start in FIRST.items()
}
Markdown(
    f"After {epochs} epochs the filters look much like colour noise to the eye, though they are not: "
    f"{percent(smooth['trained'])} of their power lies at frequencies of at most one period across a filter, where untrained ones have {percent(smooth['untrained'])}. "
    f"The dots say more than the pictures. Position {place_in_order} of the slider holds unit {worst} of network 1. It is left with a partner in "
    f"network 2 at r = {minus(f'{values[worst]:.2f}')}, while its first choice correlates at "
    f"{first_choice[worst]:.2f}: a poor bipartite match can be a leftover. The last position is another case: the partner of unit {last} is at "
    f"{minus(f'{values[last]:.2f}')} and its first choice at {first_choice[last]:.2f}. Rotated axes match at "
    f"{axes_.loc['before', names[0]].trained:.2f} on average in this layer, so network 2 may well lack a unit like the last one, and this matching does not tell."
)

# %% [markdown]
# In deeper layers the weights are no pictures, but what excites a unit is. {numref}`fig-second` shows the four
# units of network 1 with the best partners in network 2 and the four with the worst. The matching is greedy, as in the source, so the right half holds units to which *no* unit of
# network 2 comes closer. For each unit there are the nine {term}`patches <receptive field>` of test images that excite it most, black
# where a patch reaches over the border of its image. Below them is the gradient of its activation in these
# patches, gray where it is zero. On the way back each ReLU passes positive gradients only: this is
# {term}`guided backpropagation` {cite:p}`springenberg2015`. Its pictures depend less on the trained weights
# than they seem to {cite:p}`adebayo2018`, which is measured below.


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
        titles=[
            [
                f"{'best' if k < 4 else 'worst'}\n{value:.2f}"
                for k, value in enumerate(values)
            ]
        ],
        labels=["network 1", "gradients", "network 2", "gradients"],
    )


def shared(layer):
    """Mean number of images that two units have among their nine: best, worst, any two."""
    units, partners, _ = best_and_worst(layer)
    tops = [
        [set(unit[:, 0].tolist()) for unit in exciting(k, layer)]
        for k in (0, 1)
    ]
    counts = [
        len(tops[0][u] & tops[1][v])
        for u, v in zip(units, partners, strict=True)
    ]
    everyone = [len(a & b) for a in tops[0] for b in tops[1]]
    return [np.mean(counts[:4]), np.mean(counts[4:]), np.mean(everyone)]


# %% tags=["hide-input"] slide="The best pairs mostly answer to the same edges or colours, and so do some of the worst." say="Let students say which pairs of columns look alike before you read the numbers with them. Two measures are in the text. The patches tell: the best pairs share far more of their patches than any two units do. The gradients hardly tell: replacing the weights of the unit by random ones changes them little, so they are weak evidence." mystnb={"figure": {"name": "fig-second", "caption": "Second convolution: the four units of network 1 with the best greedy partners in network 2 (left) and the four with the worst (right), each above its partner, with their correlations. The best pairs mostly answer to edges of the same slant or to the same colours; so do some of the worst."}, "image": {"alt": "Eight columns of mosaics in four rows: nine small patches of a unit of network 1, their gradients, and the same for its partner in network 2. In the four left columns patches and gradients of both networks look alike, such as edges of one slant; in the right columns some look alike and some differ."}}
draw_pairs(relu[1])
plt.show()

# %% tags=["remove-input"]
tops = pd.DataFrame(
    {name: shared(layers[name]) for name in (names[1], convolutions[-1])},
    ["four best pairs", "four worst pairs", "any two units"],
).T
by_layer(tops.map("{:.1f}".format))

# %% tags=["remove-input"]
Markdown(
    f"The table holds the mean number of images, out of {len(test):,}, that a unit of network 1 and one of network "
    "2 have in common among the nine that excite each most. The best pairs of both layers share more images than any two units do; two units of "
    "network 1 may have the same greedy partner, so these are not eight independent cases. A low correlation does not always show in the "
    "pictures: nine patches are the extreme of a unit's range, and the correlation runs over all images and positions."
)

# %% [markdown]
# And the gradients? Take the patches of a unit of network 1, and draw the gradient of five others there: of its
# bipartite partner in network 2, of another unit of network 2 and of its own network, of the unit itself after its own
# layer was replaced by an untrained one, and of a unit of an untrained network. The table holds the mean correlation of
# their pictures with the unit's own, over pixels, for gradients of what enters the ReLU.


# %% tags=["hide-input"]
def likeness(one, two):
    """Mean correlation of pictures, over pixels and colours."""
    flat = [p.flatten(1) - p.flatten(1).mean(1, True) for p in (one, two)]
    return float(nn.functional.cosine_similarity(*flat).mean())


def resemblances(layer, count=16):
    """How like a unit's gradients those of others are in the same patches."""
    fresh, broken = untrained[1], models.clone(networks[0])
    broken[layer - 1] = fresh[layer - 1]
    c = found[layer].correlation(0, 1).cpu()
    partners = convergence.bipartite_match(c).tolist()
    alive = (~found[layer].dead(0)).nonzero().flatten().tolist()
    rows = []
    for k, unit in enumerate(alive[:count]):
        others = {
            "partner": (networks[1], partners[unit]),
            "other unit": (networks[1], partners[unit - 1]),
            "other, own network": (networks[0], alive[k - 1]),
            "its layer untrained": (broken, unit),
            "untrained network": (fresh, unit),
        }
        own, *rest = (
            convergence.gradients(
                model, layer - 1, u, test.x, exciting(0, layer)[unit]
            )
            for model, u in [(networks[0], unit), *others.values()]
        )
        values = [likeness(own, picture) for picture in rest]
        rows.append(dict(zip(others, values, strict=True)))
    return pd.DataFrame(rows).mean()


alike = pd.DataFrame(
    {name: resemblances(layers[name]) for name in (names[1], convolutions[-1])}
).T

# %% tags=["remove-input"]
by_layer(alike.map(number))

# %% tags=["remove-input"]
Markdown(
    "The unit's own picture, after the weights that make the unit were replaced by random ones, stays at least as like it as its partner's is "
    + (
        "in both layers. "
        if (alike["its layer untrained"] > alike["partner"]).all()
        else "in one of the layers at most. "
    )
    + "Other units of the same network come "
    + (
        "nearer than other units of network 2. "
        if (alike["other, own network"] > alike["other unit"]).all()
        else "about as near as those of network 2. "
    )
    + "So a good part of such a picture is what the layers below pass on in this patch; that two of them look alike is weak evidence "
    "for a match."
)

# %% [markdown]
# Is a unit that is active in one network also active in the others? The source shows the most and the least
# active units, and remarks on how little they agree. The answer for all units is the
# {term}`Spearman correlation` of the mean activations of matched units, dead ones left out.

# %% tags=["hide-input"]
rows = []
for name, layer in layers.items():
    for kind, start in [("trained", 0), ("untrained", n)]:
        for i, j in pairs:
            c = found[layer].correlation(start + i, start + j)
            match = convergence.bipartite_match(c)
            alive = ~found[layer].dead(start + i).cpu()
            alive &= ~found[layer].dead(start + j).cpu()[match]
            mean_i = found[layer].mean(start + i).cpu()[alive]
            mean_j = found[layer].mean(start + j).cpu()[match][alive]
            rows.append([name, kind, spearmanr(mean_i, mean_j).statistic])
activity = pd.DataFrame(rows, columns=["layer", "networks", "spearman"])

# %% tags=["remove-input"]
activity = activity.groupby(["layer", "networks"], sort=False).spearman
activity_spread, activity = activity.std().unstack(), activity.mean().unstack()
Markdown(
    f"From {names[0]} to the dense layer it is {listed(activity.trained, number)} for trained networks (over pairs it varies by "
    f"{activity_spread.trained.max():.2f} at most) and "
    f"{listed(activity.untrained, number)} for untrained ones. "
    "So in the trained "
    "convolutions the means of matched units agree weakly (the source saw no agreement), and in the dense layer they "
    "agree in part. This is no sign of learning: "
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
# $$I(X; Y) = \sum_{a, c} \Pr(X = a, Y = c)\, \log
# \frac{\Pr(X = a, Y = c)}{\Pr(X = a)\, \Pr(Y = c)} \ \text{nats},$$
#
# sees all. It is estimated from a table of counts, in ten bins of equal counts for each unit, or fewer where
# many activations are zero. From finitely many samples it comes out too large {cite:p}`paninski2003`;
# {py:func}`.convergence.mutual_information` subtracts the {term}`Miller-Madow correction`. Do units keep their partners if information takes the place of
# correlation, on the same samples ({numref}`fig-information`)?


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
bins = 10
information = {
    name: convergence.mutual_information(*acts, bins=bins)
    for name, acts in samples.items()
}

# %% tags=["remove-cell"]
kept, same_samples = {}, {}
for name, nats in information.items():
    units = len(nats)
    c = torch.corrcoef(torch.cat(samples[name], 1).T)[:units, units:]
    same_samples[name] = c = c.nan_to_num()
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


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-information", "caption": "Mutual information against absolute correlation for some pairs of units of networks 1 and 2, drawn at random, with the line for Gaussian pairs in the same number of bins (dashed) and for Gaussian pairs that are also cut off at zero as often as the median unit is (solid). Pairs with high correlation have high information and lie below the dashed line and nearer to the solid one: that units are cut off at zero explains a part of the distance."}, "image": {"alt": "Two scatter plots of many small dots. Dots rise with the absolute correlation; at low correlation some lie above both lines, and at high correlation they lie below the dashed line and near the solid one."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
for ax, (name, nats) in zip(axes, information.items(), strict=True):
    c = same_samples[name].abs()
    drawn = torch.randperm(
        c.numel(), generator=torch.Generator().manual_seed(0)
    )
    drawn = drawn[:1000]  # few enough to be drawn as shapes
    zeros = torch.cat([(a == 0).float().mean(0) for a in samples[name]])
    ax.plot(
        c.flatten()[drawn], nats.flatten()[drawn], ".", ms=2.5, color=C["matched"],
        label="pairs of units",
    )  # fmt: skip
    ax.plot(*rectified(0.0), "--", color=C["ink"], lw=1, label="Gaussian")
    ax.plot(
        *rectified(zeros.median().item()), color=C["ink"], lw=1,
        label="Gaussian, cut off at zero",
    )  # fmt: skip
    ax.set(title=name, xlabel="absolute correlation")
highest_ = max(float(nats.max()) for nats in information.values())
axes[0].set(ylabel="mutual information (nats)", ylim=(None, 1.1 * highest_))
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
    + " keep their greedy partner. (The correction assumes independent samples, which positions of one image are not. If an image counted "
    f"as one sample, it would be up to {(bins - 1) ** 2 / 2 / knobs.few:.2f} nats, as much as weak pairs have, so their order is not to "
    "be trusted.) So in these two layers of one pair of networks correlation finds "
    "most of the strong pairs, as the source concludes, while a part of the weaker units would choose another partner."
)

# %% [markdown]
# ## Few to one
#
# A feature may be spread over several units of the other network. Predict each unit $\psi_j$ of network 2
# from all units $\varphi_i$ of network 1, all standardised, with a penalty $\gamma$ on the weights:
#
# $$\min_w\ \tfrac12\, \mathbb E \Big( \psi_j - \sum_i w_{ji} \varphi_i \Big)^2 + \gamma \sum_i |w_{ji}| .$$
#
# The {term}`lasso` {cite:p}`tibshirani1996` depends on the data through {term}`second moments <second moment>` only, so moments
# serve here too, now of training images: {py:func}`.convergence.sparse_path` finds this {term}`sparse map`
# for many penalties at once. The error is measured on held-out images. It is one half where nothing is
# predicted. We report its median over units, because a mean would show units alone that almost never fire.
#
# The question is about *few* predictors, so errors are compared at the same number of them. One control is the same
# networks with the predicting one rotated at random: if a few rotated axes predicted as well as a
# few units, the few would say nothing about units. The others are untrained networks, and networks with random labels. These had few
# images, so networks with the true labels of the same images stand beside them. {numref}`fig-lasso` shows all.

# %%
penalties = [0, *10 ** np.arange(-2.5, -0.1, 0.25)]


def sparse(layer, i, j, rotate=False, statistics=(seen, found)):
    """Maps from network i to j for all penalties, and held-out errors."""
    fitted, held_out = (one[layer] for one in statistics)
    if rotate:
        turn = convergence.random_axes(fitted, i, generator)
        fitted = convergence.turned(fitted, i, turn)
        held_out = convergence.turned(held_out, i, turn)
    own, cross = fitted.correlation(i), fitted.correlation(i, j)
    path = convergence.sparse_path(own, cross, penalties)
    return path, convergence.held_out_error(path, fitted, held_out, i, j)


# %% tags=["remove-cell"]
moderate = int(np.argmin(np.abs(np.array(penalties) - 0.1)))
NUMBERS = np.geomspace(1, 16, 13)  # of predictors, at which pairs are averaged
FEW = 4
MAPPED = {
    "trained": (0, False),
    "trained, rotated": (0, True),
    "untrained": (n, False),
    "untrained, rotated": (n, True),
}
of_all = seen, found
LABELS = {  # three networks each
    RANDOM: (FIRST[RANDOM], of_all),
    ONE: (START_OF[ONE], (seen_threes, found_threes)),
    FEW_IMAGES: (START_OF[FEW_IMAGES], (seen_threes, found_threes)),
}
rows, paths = [], {}
for name, layer in layers.items():
    asked_of = {kind: (k, of_all, turn) for kind, (k, turn) in MAPPED.items()}
    asked_of |= {kind: (*one, False) for kind, one in LABELS.items()}
    if name == "dense":
        asked_of[SAME_ZEROS] = FIRST[SAME_ZEROS], of_all, False
    for kind, (start, statistics, rotate) in asked_of.items():
        for i, j in pairs if kind in START else combinations(range(3), 2):
            path, error = sparse(
                layer, start + i, start + j, rotate, statistics
            )
            alive = ~statistics[0][layer].dead(start + j)
            median = error[:, alive].median(1).values.cpu().numpy()
            used = (path.abs() > 1e-6).sum(2).double().mean(1).cpu().numpy()
            if (i, j) == (0, 1):
                paths[name, kind] = path, error, median, used
            some = used[1:] > 0
            order_ = np.argsort(used[1:][some])
            errors = np.interp(
                np.log(NUMBERS),
                np.log(used[1:][some][order_]),
                median[1:][some][order_],
            )
            steps = [*zip(NUMBERS, errors, strict=True), (np.inf, median[0])]
            rows += [[name, kind, i, j, *step] for step in steps]
columns = ["layer", "networks", "i", "j", "predictors", "error"]
sparsity = pd.DataFrame(rows, columns=columns)
at_few = sparsity[np.isclose(sparsity.predictors, FEW)]
_, _, one_median, one_used = paths["conv 1", "trained"]
claims.check(
    "convergence_sparse_loss",
    (0.5 - one_median[moderate]) / (0.5 - one_median[0]),
    images.name,
)


def error_at_few(kind, pair=None):
    """Mean error of the dense layer with few predictors, of all pairs or of one."""
    kept_ = at_few[(at_few.layer == "dense") & (at_few.networks == kind)]
    if pair is not None:
        kept_ = kept_[(kept_.i == pair[0]) & (kept_.j == pair[1])]
    return kept_.error.mean()


claims.check(
    "convergence_few",
    error_at_few("trained"),
    images.name,
    null=min(
        error_at_few(kind)
        for kind in [*MAPPED, SAME_ZEROS, RANDOM, ONE]
        if kind != "trained"
    ),
    repeats=repeats(lambda p: error_at_few("trained", p)),
)

# %% tags=["hide-input"] slide="A few units predict better than as few rotated axes, but in the convolutions without common labels too." say="Compare solid with dashed in both colours first. Then the labels: in the first convolutions the orange curve of random labels lies below the blue one, though its networks have no task in common. In the dense layer purple, orange and vermilion had the same images: common labels without meaning bring a little, true ones more. Blue had far more images. Most of it is in the best single partner." mystnb={"figure": {"name": "fig-lasso", "caption": "Held-out error of predicting a unit of one network from few units of another, the median over units, against the mean number of predictors: mean over pairs of networks, with bands of one standard deviation. Rotated axes are worse predictors than units in every layer, trained or not. In the convolutions networks with random labels of their own predict each other better than trained ones do, by little in the last one. In the dense layer trained networks have the smallest error; of the networks that had the same few images, those with true labels have the smallest, then those with the same random labels."}, "image": {"alt": "One panel for each layer with falling curves. In each the solid blue curve of trained networks lies below the dashed blue one, where the predicting network is rotated, for two predictors and more, and the solid gray curve of untrained networks lies below its dashed one, by less. In the first two convolutions the solid curves of networks with random labels lie below the blue and the gray one. In the dense layer the blue one is the lowest, then the purple one of true labels and few images, and the others lie above."}}
drawn = sparsity[np.isfinite(sparsity.predictors)]
DRAWN = {
    **dict.fromkeys([*MAPPED][:2], C["matched"]),
    **dict.fromkeys([*MAPPED][2:], C["null"]),
    **{kind: SIX[kind] for kind in LABELS},
}
drawn = drawn[drawn.networks.isin(DRAWN)]
grid = sns.relplot(
    drawn, x="predictors", y="error", hue="networks", style="networks", col="layer", kind="line",
    errorbar="sd", height=2.5, aspect=0.72,
    palette=DRAWN, hue_order=[*DRAWN], style_order=[*DRAWN],
    dashes={kind: (3, 1.5) if "rotated" in kind else "" for kind in DRAWN},
)  # fmt: skip
grid.set_titles("{col_name}").set(xscale="log", ylim=(0, 0.53))
for ax in grid.axes.flat:
    ax.set_xticks([1, 2, 4, 8, 16], [1, 2, 4, 8, 16], minor=False)
    ax.minorticks_off()
grid.set_axis_labels("predictors (mean)", "held-out error")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=4, title=""
)
plt.show()


# %% tags=["remove-input"]
def best_partner(layer, i, j):
    """Median error with the single best unit of network i."""
    alive = ~found[layer].dead(j)
    r = found[layer].correlation(i, j)[:, alive].abs().amax(0)
    return float(((1 - r**2) / 2).median())


ladder = {}
for name, layer in layers.items():
    best = {
        kind: np.mean([best_partner(layer, s + i, s + j) for i, j in pairs])
        for kind, s in START.items()
    }
    of_layer = sparsity[sparsity.layer == name].groupby(
        ["predictors", "networks"]
    )
    error = of_layer.error.mean().unstack()
    few_row = error.loc[np.isclose(error.index, FEW)].iloc[0]
    ladder[name] = {
        "best partner": side_by_side(*best.values()),
        "few units": side_by_side(*few_row[[*START]]),
        "few rotated axes": side_by_side(
            *few_row[["trained, rotated", "untrained, rotated"]]
        ),
        "all": side_by_side(*error.loc[np.inf][[*START]]),
    }
by_layer(pd.DataFrame(ladder).T, "trained / untrained")

# %% tags=["remove-input"]
few_mean = (
    at_few.groupby(["layer", "networks"], sort=False).error.mean().unstack()
)
few_spread = (
    at_few.groupby(["layer", "networks"], sort=False).error.std().unstack()
)
full = sparsity[np.isinf(sparsity.predictors)]
full_mean = (
    full.groupby(["layer", "networks"], sort=False).error.mean().unstack()
)
lead = few_mean.untrained - few_mean.trained
learned = [k for k in names if lead[k] > 2 * few_spread.loc[k, [*START]].max()]
loss = few_mean["trained, rotated"] - few_mean.trained
no_task = [k for k in convolutions if few_mean[RANDOM][k] < few_mean.trained[k]]
Markdown(
    f"Few means {FEW} predictors on average. The table holds means over pairs of the median held-out error; the "
    "best partner of a unit is the single unit of the other network with the largest absolute correlation on these images, "
    "with its best weight. The lasso shrinks its weights, which is why the curves of the figure start above the error of the best partner. In the first "
    f"convolution of networks 1 and 2 the error is {one_median[0]:.3f} with all {knobs.channels[0]} predictors and "
    f"{one_median[moderate]:.3f} with the {one_used[moderate]:.1f} that are left at a penalty of "
    f"{penalties[moderate]:.1f} (source: 0.170 without a penalty, 0.235 at the penalty that it shows), so these keep {percent((0.5 - one_median[moderate]) / (0.5 - one_median[0]))} of the explained variance. "
    "With few predictors, trained units do better than axes rotated behind the ReLU in "
    f"{all_or((loss > 0).sum())}. But so do the units of untrained networks, by less, and zeros may explain a part, as in the planted "
    "case. With few units, trained networks are better predicted than untrained ones by more than two standard deviations over pairs in "
    f"{listed(map(place, learned)) if len(learned) else 'no layer'} only."
    "\n\n"
    "Networks with random labels are one more null. From the first convolution to the dense layer, the error of trained networks is "
    f"{listed(few_mean.trained[names], number)}; with random labels of their own it is {listed(few_mean[RANDOM][names], number)}, with the same random ones "
    f"{listed(few_mean[ONE][names], number)}, and with the true labels of the same few images {listed(few_mean[FEW_IMAGES][names], number)}. "
    + (
        f"In {listed(map(place, no_task))} networks without any task in common are better predicted than trained ones, so few to one there shows nothing of the task. "
        if no_task
        else ""
    )
    + "In the dense layer, on the same images, labels in common lower the error by "
    f"{number(few_mean[RANDOM]['dense'] - few_mean[ONE]['dense'])} if they mean nothing, and true ones by "
    f"{number(few_mean[ONE]['dense'] - few_mean[FEW_IMAGES]['dense'])} more; the rest of the lead of trained networks comes with their many images. (It is one random labelling, and three networks of "
    f"each kind. In untrained networks with the zeros of trained ones the error is {number(error_at_few(SAME_ZEROS))}.) And most of what trained networks "
    "share there is in the best partner already: compare the first two columns."
)

# %% [markdown]
# Is the largest weight of the sparse map that of the one-to-one partner?

# %% tags=["remove-input"]
w = paths["conv 1", "trained"][0][moderate]  # rows: network 2
hit = (w.abs().argmax(1)[partner] == torch.arange(len(w))).double()[order]
top = hit.mean()
top_half = [half.mean() for half in hit.tensor_split(2)]
Markdown(
    f"In {names[0]}, at the penalty of {penalties[moderate]:.1f}, it is for {percent(top)} of the units: for "
    f"{percent(top_half[0])} of the better matched half, and for {percent(top_half[1])} of the other."
)

# %% [markdown]
# Look closely at one unit ({numref}`fig-one-unit`): that unit of the second convolution of network 2 for which
# the sparse map gains most over the best single partner.

# %% tags=["remove-cell"]
w2, w2_errors = (
    part[moderate].cpu() for part in paths[names[1], "trained"][:2]
)
best_r = found[relu[1]].correlation(0, 1).cpu().abs().amax(0)
unit = int(((1 - 2 * w2_errors) - best_r**2).argmax())
strongest = w2[unit].abs().argsort(descending=True)[:3].tolist()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-one-unit", "caption": "Second convolution, at the same penalty as in the text. Above: the weights with which the units of network 1 predict one unit of network 2; dots mark the three largest. Below: patches that excite the predicted unit most, and those of its three strongest predictors. Several units that answer to similar patches together explain a part of the predicted one."}, "image": {"alt": "Above, a row of vertical lines at the units of network 1, nearly all of length zero; a few stand out and three of them carry a dot. Below, four mosaics of nine patches each, with light and dark stripes."}}
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
# ({py:func}`.convergence.unit_linkage`). The distance of units $i$ and $j$ is
# $\max B - B_{ij}$, and the distance of two groups is the mean over their pairs. (The paper speaks of spectral clustering; its
# notebook joins groups hierarchically.) Within a network $B$ is
# the identity: two units of one network can only meet through a partner in the other.

# %% [markdown]
# Are these groups there, or does the method make them? The lasso can be run in the other direction, to predict
# network 1 from network 2, and nothing tells which direction is right. Cut both trees into half as many
# groups as a layer has units, and compare them by the {term}`adjusted Rand index`, which is 1 for equal
# groups and 0 on average for unrelated ones. Both trees come from the same correlations, so they agree to
# some degree whatever the units are. The null is a rotated partner, which has no units to group.


# %% tags=["hide-input"]
def groups(i, j, rotate=False):
    """Groups of the units of networks i and j, from the lasso each way."""
    moment = seen[relu[0]]
    if rotate:
        turn = convergence.random_axes(moment, j, generator)
        moment = convergence.turned(moment, j, turn)
    own, other = moment.correlation(i), moment.correlation(j)
    there = convergence.sparse_path(own, moment.correlation(i, j), [0.1])[0]
    back = convergence.sparse_path(other, moment.correlation(j, i), [0.1])[0]
    trees = convergence.unit_linkage(there), convergence.unit_linkage(back.T)
    return [fcluster(t, max(2, len(there) // 2), "maxclust") for t in trees]


# %% tags=["remove-input"]
stable = {
    kind: [
        adjusted_rand_score(*groups(start + i, start + j, rotate))
        for i, j in pairs
    ]
    for kind, (start, rotate) in MAPPED.items()
}
Markdown(
    f"In {names[0]} the index is {np.mean(stable['trained']):.2f} on average over the pairs of trained networks, with a standard "
    f"deviation of {np.std(stable['trained'], ddof=1):.2f}. With one of them rotated it is "
    f"{np.mean(stable['trained, rotated']):.2f}, and in untrained networks {np.mean(stable['untrained']):.2f}. So most "
    "of it is made by the method, and which units a group holds depends a good deal on the direction of the lasso. No single "
    "cluster of this kind should be read as a feature that the networks share."
)

# %% [markdown]
# ## Whole layers
#
# Do networks agree on the images, if not on the units? Linear {term}`CKA` {cite:p}`kornblith2019` compares how two
# representations relate the same images to each other: it is the {term}`cosine` of their two matrices of
# inner products, each centred, and rotations do not change it. It is taken here on whole images, so an activation
# at another position counts as another number.
#
# CKA has two known weaknesses. A few directions of large variance can decide it {cite:p}`davari2023`, so we also
# take it with the largest {term}`principal component <principal direction>` of each layer removed. And the estimate from finitely many images is
# too large; the {term}`debiased version <debiased CKA>` leaves out the diagonals, where an image meets itself. A third measure
# asks about small distances only. The {term}`mutual nearest neighbours` are the share of the ten images nearest to an
# image in one network that are also among the ten nearest in the other. The *Platonic representation
# hypothesis* {cite:p}`huh2024`, that good networks come to measure likeness in one way, was argued for with
# it. Here it is compared with the neighbours in the raw pixels ({numref}`fig-layers`).


# %%
def neighbours(gram, k=10):
    """Which images are the k nearest to each, from centred inner products."""
    size = gram.diagonal()
    distance = size[:, None] + size - 2 * gram
    nearest = distance.fill_diagonal_(np.inf).topk(k, largest=False).indices
    return torch.zeros_like(gram).scatter_(1, nearest, 1 / k)


# %% tags=["hide-input"]
def without_first(gram):
    """Inner products without the largest principal component."""
    value, vector = (torch.as_tensor(part) for part in eigsh(gram.numpy(), k=1))
    return gram - value * vector @ vector.T


def debiased(gram):
    """Inner products of different images only, centred so that chance gives 0."""
    size = len(gram)
    gram = gram - gram.diagonal().diag()
    rows = gram.sum(1) / (size - 2)
    gram = gram - rows[:, None] - rows + gram.sum() / (size - 1) / (size - 2)
    return gram - gram.diagonal().diag()


# %% tags=["remove-cell"]
VIEWS = {
    "CKA": lambda gram: gram,
    "CKA, debiased": debiased,
    "CKA, first component removed": without_first,
    "mutual neighbours": neighbours,
}


def normalised(gram):
    return nn.functional.normalize(gram.flatten(), dim=0)


def relations(outputs):
    """Each view of the inner products of all pairs of images, by layer, of length 1."""
    grams = []
    for h in outputs:
        h = h.flatten(1)
        h = h - h.mean(0)
        grams.append((h @ h.T).double().cpu())
    return {
        view: torch.stack([normalised(how(g)).float() for g in grams])
        for view, how in VIEWS.items()
    }


few_images = test.x[: knobs.few]
pixels_ = {k: v[0] for k, v in relations([few_images]).items()}
rows, counterpart, unlike = [], {}, {}
reorder = torch.randperm(
    len(few_images), generator=torch.Generator().manual_seed(6)
)
groups_of = {kind: everyone[k : k + n] for kind, k in FIRST.items()}
groups_of |= {FEW_IMAGES: fewer, ONE: in_common}
for kind, group in groups_of.items():
    of_kind = [
        relations(models.outputs(model, few_images, relu).values())
        for model in group
    ]
    for view in VIEWS:
        for i, j in combinations(range(len(group)), 2):
            values = (of_kind[i][view] * of_kind[j][view]).sum(1)
            rows += [
                [view, name, kind, i, j, float(value)]
                for name, value in zip(names, values, strict=True)
            ]
    rows += [
        ["pixels", name, kind, i, i, float(value)]
        for i in range(len(group))
        for name, value in zip(
            names,
            of_kind[i]["mutual neighbours"] @ pixels_["mutual neighbours"],
            strict=True,
        )
    ]
    hits, chance = [], []
    for i, j in pairs if kind in START else []:
        one, two = of_kind[i]["CKA"], of_kind[j]["CKA"]
        hits.append((one @ two.T).argmax(1) == torch.arange(len(names)))
        for view in ("CKA", "CKA, debiased"):
            square = of_kind[j][view].view(
                len(names), len(reorder), len(reorder)
            )
            two = square[:, reorder][:, :, reorder].flatten(1)
            chance.append((of_kind[i][view] * two).sum(1))
    if not hits:
        continue
    counterpart[kind] = torch.cat(hits).double().mean()
    unlike[kind] = (
        torch.stack(chance[::2]).mean(0),
        torch.stack(chance[1::2]).mean(0),
    )
columns = ["measure", "layer", "networks", "i", "j", "value"]
wholes = pd.DataFrame(rows, columns=columns)
whole = wholes.groupby(["measure", "networks", "layer"]).value.mean()


# %% tags=["remove-cell"]
def beyond_pixels(kind, pair=None):
    """Mutual neighbours less those shared with the pixels, mean over layers."""
    chosen = wholes[wholes.networks == kind]
    if pair is not None:
        chosen = chosen[chosen.i.isin(pair) & chosen.j.isin(pair)]
    of_ = chosen.groupby("measure").value.mean()
    return of_["mutual neighbours"] - of_["pixels"]


claims.check(
    "convergence_neighbours",
    beyond_pixels("trained"),
    images.name,
    null=max(beyond_pixels(kind) for kind in [*NULLS, ONE]),
    repeats=repeats(lambda p: beyond_pixels("trained", p)),
)

# %% tags=["hide-input"] slide="Trained networks share more neighbours beyond those of the pixels than any control does." say="In the first two panels the kinds of networks lie close together in the convolutions: a high value of CKA tells little there. In the third the solid lines alone do not part the kinds either: the lead is the distance from a solid line to the crosses of its colour. Ask which common change of the input would bring neighbours without a task." mystnb={"figure": {"name": "fig-layers", "caption": "How far two networks agree on which images are alike: linear CKA, the same without the largest principal component, and the share of mutual nearest neighbours. Means over pairs of networks, with bars of one standard deviation. Crosses: neighbours that a network shares with the raw pixels. Trained networks share far more with each other than with the pixels; the controls do so by less."}, "image": {"alt": "Three panels with five falling lines each, against the layer. In the first two the lines lie close together in the first convolutions, and in the dense layer the blue one of trained networks is the highest. In the third a dotted blue line with crosses lies far below the blue line, and the other dotted lines lie nearer to those of their colour."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3), sharey=True)
style = {"x": "layer", "y": "value", "hue": "networks"}
style |= {"palette": {**FOUR, FEW_IMAGES: C["outside"]}}
wholes_drawn = wholes[wholes.networks != ONE]
style |= {"dodge": 0.4, "markersize": 4, "lw": 1, "err_kws": {"lw": 1}}
titles = ["CKA", "CKA without the\nfirst component", "mutual neighbours"]
shown_views = [view for view in VIEWS if view != "CKA, debiased"]
for ax, view, title in zip(axes, shown_views, titles, strict=True):
    of_view = wholes_drawn[wholes_drawn.measure == view]
    sns.pointplot(of_view, errorbar="sd", ax=ax, legend=ax is axes[0], **style)
    ax.set(title=title, ylabel="agreement", ylim=(0, 1.03))
of_pixels = wholes_drawn[wholes_drawn.measure == "pixels"]
style |= {"markers": "x", "linestyles": ":", "legend": False}
sns.pointplot(of_pixels, errorbar=None, ax=axes[2], **style)
axes[2].plot([], [], "x:", color=C["ink"], ms=4, lw=1, label="with the pixels")
axes[2].legend(fontsize=7, loc="lower left")
for ax in axes:
    ax.set(xlabel="")
    ax.tick_params(axis="x", rotation=45)
handles, labels = axes[0].get_legend_handles_labels()
axes[0].get_legend().remove()
fig.legend(handles, labels, loc="outside upper center", ncols=3, fontsize=8)
plt.show()

# %% tags=["remove-input"]
by_kind_ = {
    view: table.unstack("networks") for view, table in whole.groupby("measure")
}
by_kind_ = {
    view: t.droplevel("measure").loc[names] for view, t in by_kind_.items()
}
leads = {view: t.trained - t[NULLS].max(axis=1) for view, t in by_kind_.items()}
moved = (whole["CKA"] - whole["CKA, debiased"]).max()
mutual, in_pixels = by_kind_["mutual neighbours"], by_kind_["pixels"]
Markdown(
    f"Debiasing lowers CKA by {moved:.2f} at most. With the "
    f"{len(few_images):,} images in another order for the second network, nothing is left to compare; in trained layers CKA is still "
    f"{unlike['trained'][0].max():.2f} at most, and debiased {unlike['trained'][1].max():.2f}. Trained networks are "
    f"ahead of the best control in CKA by more than 0.05 in {listed([place(k) for k in names if leads['CKA'][k] > 0.05])} only"
    ", and elsewhere CKA is high for every kind of network. That a layer looks most like its "
    f"counterpart holds for {percent(counterpart['trained'])} of the trained layers and for {percent(counterpart['untrained'])} of the "
    "untrained ones: training makes layers distinct."
    "\n\n"
    "Neighbours alone do not tell kinds of networks apart: in the convolutions networks with random labels share about as many as trained ones. But "
    "networks that keep much of their common input share the neighbours of the pixels. Beyond those, and on average over the layers, trained networks share "
    f"{percent(beyond_pixels('trained'))}, untrained ones {percent(beyond_pixels('untrained'))}, those with the zeros of trained ones "
    f"{percent(beyond_pixels(SAME_ZEROS))}, and those with random labels {percent(beyond_pixels(RANDOM))}. With the same few images it is "
    f"{percent(beyond_pixels(ONE))} if all have the same random labels, and {percent(beyond_pixels(FEW_IMAGES))} with the true ones. So what trained networks have in common is not the input, and "
    + (
        "labels that are true and shared bring more of it than random ones on the same images. "
        if beyond_pixels(FEW_IMAGES)
        > 1.5 * max(beyond_pixels(RANDOM), beyond_pixels(ONE))
        else "most of it comes with the many images. "
    )
    + "The subtraction is crude: networks that depart from the pixels in a common way, say by keeping edges alone, agree as well. "
    "And architecture, images and task are the same for all networks here, so this is no test of the hypothesis, which is about different ones."
)

# %% [markdown]
# ## A ladder of maps, and stitching
#
# How large a kind of map does it take to bring one network to another ({numref}`fig-maps`)? A permutation
# pairs units. {term}`Soft matching <soft matching>` {cite:p}`khosla2024` lets a unit be shared among several, each with
# the same total, so that layers of different widths can be compared; between layers of one width the best soft
# matching *is* a permutation, by {term}`Birkhoff's theorem`, so the two coincide here. An {term}`orthogonal map`, the
# {term}`Procrustes alignment` of {doc}`chapter 3 </notebooks/03_covariance_universality>`, rotates. A linear map
# may do anything. A permutation of *rotated* units is the null of the first rung. The permutation and the
# orthogonal map come with one factor for the layer, fitted by least squares.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-maps", "caption": "Kinds of linear maps between layers of one width. Soft matchings and orthogonal maps are different kinds, and have just the permutations in common: an orthogonal matrix without negative entries is a permutation."}, "image": {"alt": "A large ellipse named linear maps holds two smaller ellipses that overlap, named soft matchings and orthogonal maps. The area that both share is named permutations."}}
from matplotlib.patches import Ellipse

fig, ax = plt.subplots(figsize=(4.6, 1.9))
for x, width, height, colour in [
    (0, 9.6, 3.8, C["null"]),
    (-1.3, 5, 2.2, C["other"]),
    (1.3, 5, 2.2, C["outside"]),
]:
    shape_ = Ellipse((x, 0), width, height, fill=False, lw=1.5, color=colour)
    ax.add_patch(shape_)
for x, y, label in [
    (0, 1.4, "linear maps"),
    (-2.4, 0, "soft\nmatchings"),
    (2.5, 0, "orthogonal\nmaps"),
    (0, 0, "permutations"),
]:
    ax.text(x, y, label, ha="center", va="center", fontsize=8)
ax.set(xlim=(-5, 5), ylim=(-2, 2))
ax.axis("off")
plt.show()

# %% [markdown]
# The {term}`share of variance that a map explains <share explained>` says nothing of what the *network* loses by it: it counts each
# direction by its variance. {term}`Stitching <stitching>` asks the second network itself
# {cite:p}`lenc2015,bansal2021`. The front of network A up to a layer, a map, applied at each position alone, and the back of
# network B make a new network. How accurate is it? Its map is not trained on the task here but fitted to B's
# activations by least squares, on training images {cite:p}`csiszarik2021`. So its accuracy is a lower bound of what a
# stitch can reach; stitches that are trained on the task can make networks look alike that are not
# {cite:p}`balogh2025,smith2025`.
#
# For both questions B is a trained network, and A is of any kind ({numref}`fig-rungs`). ({py:func}`.convergence.best_maps`,
# {py:func}`.convergence.stitch`.) One target has to serve all of them: an untrained network is well predicted by another
# untrained one, since it varies in few directions.


# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: a map explains less than half of the variance. Can the other network use it?" say="Take the vote in two parts: is the stitched network accurate, and how near does an untrained front come? Ask what would count as evidence: the accuracy, or the lead over the controls. Remind them that the map is fitted to activations and never sees a label."
# - The front of network A, a linear map, the back of network B.
# - The map is fitted to activations, not to labels.
# - Does the whole still classify?
# - How near does an untrained front come, layer by layer?


# %% tags=["hide-input"]
def rungs(layer, a, b):
    """The best map of each kind from network a to b, and a permutation of rotated units."""
    maps = convergence.best_maps(seen[layer], a, b)
    turn = torch.empty(2 * [seen[layer].sizes[a]])
    nn.init.orthogonal_(turn, generator=generator)
    rotated = convergence.turned(seen[layer], a, turn)
    matching_ = convergence.best_maps(rotated, a, b)["permutation"]
    return {
        "rotated": turn.to(matching_) @ matching_,
        "permutation": maps["permutation"],
        "orthogonal": maps["orthogonal"],
        "linear": maps["affine"],
    }


# %% tags=["remove-cell"]
asked = data.Split(
    *(part[-knobs.few // 2 :] for part in (images.test.x, images.test.y))
)
fronts = [models.outputs(model, asked.x, relu) for model in everyone]
rows = []
for (name, layer), (kind, start), (i, j) in product(
    layers.items(), FIRST.items(), pairs
):
    a = start + i
    for rung, matrix in rungs(layer, a, j).items():
        share_ = convergence.share_explained(found[layer], a, j, matrix)
        joined = convergence.stitch(
            everyone[a], networks[j], layer, seen[layer], a, j, matrix
        )
        said = joined[layer + 1 :](fronts[a][layer]).argmax(1).cpu()
        agreed = float((said == asked.y).double().mean())
        rows.append([name, kind, i, j, rung, share_, agreed])
columns = ["layer", "networks", "i", "j", "map", "share explained", "accuracy"]
ladder = pd.DataFrame(rows, columns=columns)

# %% tags=["remove-cell"]
UNITS, ROTATED = "permutation", "rotated"
steps = ladder.groupby(["map", "networks", "layer"])[columns[5:]].mean()


def stitched(rung, kind, pair=None):
    """Accuracy of stitches through one kind of map, mean over layers."""
    chosen = ladder[(ladder["map"] == rung) & (ladder.networks == kind)]
    if pair is not None:
        chosen = chosen[(chosen.i == pair[0]) & (chosen.j == pair[1])]
    return chosen.accuracy.mean()


claims.check(
    "convergence_stitch",
    stitched("linear", "trained"),
    images.name,
    null=max(stitched("linear", kind) for kind in NULLS),
    repeats=repeats(lambda p: stitched("linear", "trained", p)),
)
claims.check(
    "convergence_stitch_units",
    stitched(UNITS, "trained"),
    images.name,
    null=max(
        stitched(ROTATED, "trained"),
        *(stitched(UNITS, kind) for kind in NULLS),
    ),
    repeats=repeats(lambda p: stitched(UNITS, "trained", p)),
)

# %% tags=["hide-input"] slide="A trained back can use another trained front; only the lead over the controls is evidence, and it grows with depth." say="Upper row: what is explained. Lower row: what the back can use. Compare the two in the last convolution, then the colours in the first one. There a control is not far behind, so that a stitch works shows nothing; blue is ahead even there, and this lead does." mystnb={"figure": {"name": "fig-rungs", "caption": "Above: the share of a trained network's variance that another network explains through the best map of each kind, on held-out images; 'rotated' is a permutation of units rotated behind the ReLU. Below: the accuracy of the front of that other network, stitched with this map to the back of the trained one; dotted, that of uncut trained networks and of guessing. Colours: the network that the map starts from. Means over pairs, with bars of one standard deviation. Trained fronts are the best."}, "image": {"alt": "Two rows of four panels, one column for each layer. In each the lines rise from permutations of rotated units over permutations and orthogonal maps to linear maps. The blue line of trained networks is on top. In the lower row it comes near the upper dotted line, and the others come near that in the first convolution only."}}
fig, axes = plt.subplots(
    2, len(names), figsize=(7.2, 4.2), sharex=True, sharey=True
)
style = {"x": "map", "hue": "networks", "palette": FOUR, "errorbar": "sd"}
style |= {"dodge": 0.4, "markersize": 4, "lw": 1, "err_kws": {"lw": 1}}
for k, measure in enumerate(["share explained", "accuracy"]):
    for ax, name in zip(axes[k], names, strict=True):
        of_layer = ladder[ladder.layer == name]
        sns.pointplot(
            of_layer, y=measure, ax=ax, legend=ax is axes[0, 0], **style
        )
        ax.set(xlabel="", ylim=(0, 1), title="" if k else name)
for ax in axes[1]:
    for level in (np.mean(accuracies), 1 / (int(asked.y.max()) + 1)):
        ax.axhline(level, color=C["ink"], lw=0.8, ls=":")
    ax.tick_params(axis="x", rotation=90)
axes[1, 0].set(ylabel="accuracy, stitched")
handles, labels = axes[0, 0].get_legend_handles_labels()
axes[0, 0].get_legend().remove()
fig.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8)
plt.show()

# %% tags=["remove-input"]
line, one_to_one = (
    steps.loc[rung].unstack("networks") for rung in ("linear", UNITS)
)
line, one_to_one = line.loc[names], one_to_one.loc[names]
given_share = np.mean(
    [
        [
            convergence.share_explained(
                found[layer],
                i,
                j,
                convergence.best_maps(seen[layer], i, j)["affine"],
            )
            for layer in layers.values()
        ]
        for i, j in combinations(range(n, 2 * n), 2)
    ],
    axis=0,
)
turned_ = steps.loc[ROTATED, "trained"].loc[names]
at_first = ladder[(ladder["map"] == "linear") & (ladder.layer == names[0])]
ends = at_first.groupby("networks").accuracy.agg(["min", "max"])
no_overlap = ends["min"].trained > ends["max"][NULLS].max()
Markdown(
    f"Of a trained network another one explains {listed(line['share explained'].trained, percent)} by a linear map, from "
    f"{names[0]} to the dense layer, and the best control explains {listed(line['share explained'][NULLS].max(axis=1), percent)}. (Between two "
    f"untrained networks the map would explain {listed(given_share, percent)}: that is the easy target.) A permutation "
    f"explains {listed(one_to_one['share explained'].trained, percent)}, and one of rotated units {listed(turned_['share explained'], percent)}. "
    "So the shared subspace is learned in part, and the units hold a part of it that rotated axes do not."
    "\n\n"
    f"Stitched by a linear map, trained networks reach {listed(line.accuracy.trained, number)}, where uncut ones have "
    f"{np.mean(accuracies):.2f} and the best control {listed(line.accuracy[NULLS].max(axis=1), number)}. (From a network to itself "
    f"the map is the identity, and nothing is lost. One accuracy on these {len(asked)} images has a standard error of up to {0.5 / len(asked) ** 0.5:.3f}.) This is not what the shares suggest. In "
    f"{convolutions[-1]} a map explains {percent(line['share explained'].trained[convolutions[-1]])} of the variance and keeps an accuracy of "
    f"{line.accuracy.trained[convolutions[-1]]:.2f}: what it misses matters little to the network behind. In {names[0]} the best control explains "
    f"{percent(line['share explained'][NULLS].max(axis=1)[names[0]])} and reaches {line.accuracy[NULLS].max(axis=1)[names[0]]:.2f}: that a "
    "stitch works there is no evidence of common features, since a linear map of any early features goes far. The evidence is the lead over the controls"
    + (
        ", and trained fronts have it there too: the least accurate of them is above the most accurate control"
        if no_overlap
        else ""
    )
    + ". One to one, stitches of trained "
    f"networks reach {listed(one_to_one.accuracy.trained, number)}, of rotated units {listed(turned_.accuracy, number)}, and of the best control "
    f"{listed(one_to_one.accuracy[NULLS].max(axis=1), number)}. So in the convolutions partners can stand in for each other in part, and axes rotated behind the ReLU cannot; in the dense layer "
    "these come near them, for which we have no tested reason. The zeros may count here as well: a back that knows units which are mostly zero and never "
    "negative gets rotated axes that are neither."
)

# %% [markdown]
# ## During training
#
# When does the agreement arise? Repeat the match and the rotation test behind the ReLU on the networks as they
# were after each epoch, on fewer images ({numref}`fig-agreement-epochs`).

# %%
few = test.x[: knobs.few]
rows = []
for epoch in range(epochs + 1):
    states = [history[epoch] for history in histories]
    statistics = moments(states, few, relu, batch_size=200)
    for name, layer in layers.items():
        for i, j in pairs:
            own, rotated = convergence.rotation_test(
                statistics[layer], i, j, generator
            )
            rows.append([epoch, name, own, rotated, own - rotated])
columns = ["epoch", "layer", "match", "rotated", "gain"]
course = pd.DataFrame(rows, columns=columns)

# %% tags=["hide-input"] slide="In the convolutions units match about as before; what training lowers is the match of rotated axes." say="Left nearly level, middle falling, so the gain at the right rises, most of it in the first epoch. Ask what the flat end shows: little, since the learning rate falls to zero." mystnb={"figure": {"name": "fig-agreement-epochs", "caption": "Mean correlation of bipartite matches against epochs, with the other network as it is (left) and rotated (middle), and the difference of the two, the gain (right): mean over pairs of networks, with bands of one standard deviation. In the convolutions the gain rises as rotated axes match less than before, while units match about as they did; most of this happens in the first epoch."}, "image": {"alt": "Three panels with one line for each layer. Left, the lines of the convolutions stay level or sink a little, and that of the dense layer rises. In the middle those of the convolutions sink in the first epoch. Right, all lines rise in the first epoch and then flatten."}}
grid = sns.relplot(
    course.melt(["epoch", "layer"], var_name="quantity"), x="epoch", y="value", hue="layer",
    col="quantity", kind="line", errorbar="sd", style="layer", markers=["o", "s", "^", "D"][: len(names)], dashes=False,
    markersize=4, markeredgewidth=0,
    palette=dict(zip(names, plotting.LEVELS[-len(names) :], strict=True)), height=2.6, aspect=0.85,
)  # fmt: skip
for ax, title in zip(
    grid.axes.flat, ["as it is", "rotated", "gain"], strict=True
):
    ax.set_title(title)
    ax.xaxis.get_major_locator().set_params(integer=True)
grid.set(ylim=(0, None))
grid.set_axis_labels("epoch", "mean correlation, or difference")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.45, 1), ncols=4, title=""
)
plt.show()

# %% tags=["remove-input"]
by_epoch = course.groupby(["epoch", "layer"], sort=False).gain.mean().unstack()
rise = (by_epoch.loc[1] - by_epoch.loc[0]) / (
    by_epoch.loc[epochs] - by_epoch.loc[0]
)
Markdown(
    f"The first epoch brings {percent(rise.min())} of the rise of the gain or more in each layer. Units also become zero more often meanwhile, which raises this gain "
    f"by {number((behind[SAME_ZEROS] - behind.untrained).max())} at most at the end, where the whole rise is "
    f"{number((by_epoch.loc[epochs] - by_epoch.loc[0]).min())} or more. "
    "That the curves flatten afterwards proves little, because the learning rate falls to zero by the last "
    f"epoch and would flatten any curve. What longer training does, {epochs} epochs cannot show."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Trained networks share units a little and a space in part; beyond random labels, units stand out in the dense layer." say="Return to the question of the first slide and let students answer it with its null. Then ask which sentence of the source they would still sign. Add that true labels of as few images as the random ones bring most of what the trained networks share in the dense layer."
# - One to one: a little, beyond rotated axes and untrained networks in every layer; beyond random labels, clearly in the dense layer alone.
# - Few to one: in the convolutions random labels do better; in the dense layer common labels bring a little, true ones more.
# - As a subspace: in part, and the other network can use it better than any control.
# - In the convolutions the plain match is no evidence of a common task; give each measure its null.

# %% [markdown]
# ## Take-aways
#
# - One to one: a little. In every layer the units of trained networks match better than rotated axes of the
#   same space do, and by more than those of untrained networks, with scale, sign, dead units and zeros taken out.
#   The gain is a small part of what identical units would show. Of that, networks with random labels have about as large a
#   share in the convolutions behind the ReLU. The dense layer alone stands out in both tests, also where all networks have
#   the same few images: there random labels bring next to none of the gain if each network has its own, a part of it if
#   all have the same, and true labels more.
# - Few to one: a few units predict a unit better than as few rotated axes, in untrained networks too, and zeros are not
#   taken out of this. In the convolutions networks with random labels predict each other better than trained
#   ones do. In the dense layer, with the same few images, labels in common bring a little even if they mean nothing, and
#   true labels more. Most of what trained networks share there is in the best single partner.
# - As a subspace: in part, and in every layer, once all fronts are held against the same target. From a trained
#   network a linear map explains more of another one than from any control, and the back of the other one can
#   use it better. That a stitch works is no evidence alone; its lead over the controls is. Between two untrained networks a map may explain even more, because they vary in few directions.
# - The plain correlation of matched units is no evidence of learning: in the convolutions, untrained networks
#   match about as well, and networks with random labels better. In the dense layer trained networks match better than all
#   of these, and than networks that have one set of random labels in common. It falls over the convolutions, as over most of the source's.
# - As a whole: trained networks agree on which images are near each other, far beyond what both share with the
#   pixels. CKA tells them from all controls in the dense layer alone.
# - A poor bipartite match can be a leftover, or a unit that the other network lacks: the first choice tells more. Clusters that depend on the direction of a fit, and form in
#   untrained networks too, are no features. Give a
#   method planted cases and a null before you read its pictures.
# - Correlation and mutual information choose the same partners for most of the strong pairs, in the two layers of one pair of networks that
#   were tried.
#
# ## Ledger
#
# A value outside its {term}`band`, or a null inside it, stops the build. Repeats are pairs of networks that have no
# network in common, which among four are two.

# %% tags=["remove-input"]
claims.table("04_convergent_learning")

# %% [markdown]
# ## Check yourself
#
# Five questions. Each choice says why it is right or wrong.

# %% tags=["remove-input"]
quiz("04_convergent_learning")

# %% [markdown]
# ## Exercises
#
# The data of the coding exercises come from `SEED`: {doc}`how exercises work </book/exercises>`.

# %% tags=["exercises"]
from scipy.optimize import linear_sum_assignment

from netdist_course import check, problem
from netdist_utils.random_matrices import random_rotation

SEED = 1

# %% [markdown]
# :::{exercise} Two ways to choose a partner
# :label: ex-convergence-two-ways
#
# *Understand, easy, 10 minutes.* Why is the mean correlation of the greedy matching never below that of the
# bipartite one? Can the bipartite mean from network 1 to network 2 differ from that of network 2 to network 1?
# And the greedy one?
# :::
#
# :::{solution-start} ex-convergence-two-ways
# :class: dropdown
# :::
#
# Greedy takes the largest entry of each row, bipartite some entry of each row. Between layers of one width
# a one-to-one pairing can be read in both directions, so the best total is the same, and with it the mean. Greedy
# takes maxima of rows in one direction and maxima of columns in the other, and these have different means.

# %% tags=["solution"]
c = found[layers["conv 1"]].correlation(0, 1).cpu()
ways = convergence.greedy_match, convergence.bipartite_match
there, back = (
    [float(convergence.matched(m, how(m)).mean()) for how in ways]
    for m in (c, c.T)
)
assert min(there[0], back[0]) >= there[1]
assert abs(there[1] - back[1]) < 1e-9
assert abs(there[0] - back[0]) > 1e-3

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Correlations from moments
# :label: ex-convergence-correlations
#
# *Code, easy, 15 minutes.* `problem("convergence-correlations", SEED)` gives the means of all units of two
# networks side by side, the matrix of their mean products, and the number of units of network 1. Write a function
# that returns the correlation of each unit of network 1 with each of network 2. A dead unit has variance zero, up
# to rounding, which is small against its mean square; its correlations count as zero. Another unit may be small and alive.
# Write it yourself, without a library's correlation; the checker cannot see this, so it is a matter of trust.
#
# ```python
# def unit_correlations(means, seconds, units):
#     """Correlations of network 1's units (rows) with network 2's, from means and mean products.
#
#     >>> unit_correlations(np.array([1.0, 1.0]), np.array([[2.0, 1.5], [1.5, 2.0]]), 1)
#     array([[0.5]])
#     """
# ```
#
# ```python
# check("convergence-correlations", unit_correlations, SEED)
# ```
# ::::
#
# :::{solution-start} ex-convergence-correlations
# :class: dropdown
# :::
#
# The mean product less the product of the means is the {term}`covariance`, and its diagonal holds the variances. Each
# row and each column is divided by a standard deviation, where that is not zero: where the variance is more than rounding
# leaves of a mean square less a squared mean. So no activation has to be kept.
# With the chapter's moments the function gives the chapter's correlations.


# %% tags=["solution"]
def unit_correlations(means, seconds, units):
    covariance = seconds - np.outer(means, means)
    variance = np.diag(covariance)
    scale, alive = np.zeros(len(means)), variance > 1e-9 * np.diag(seconds)
    scale[alive] = variance[alive] ** -0.5
    return (scale[:, None] * covariance * scale)[:units, units:]


check("convergence-correlations", unit_correlations, SEED)
means, seconds, units = problem("convergence-correlations", SEED)
answer = unit_correlations(means, seconds, units)
assert (np.abs(answer).max(0) == 0).sum() == 1  # one unit of network 2 is dead
one_layer = found[layers["conv 1"]]
both_nets = slice(0, sum(one_layer.sizes[:2]))
answer = unit_correlations(
    one_layer.means[both_nets].cpu().numpy(),
    one_layer.seconds[both_nets, both_nets].cpu().numpy(),
    one_layer.sizes[0],
)
assert np.allclose(answer, between.numpy())

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The opposite of a unit
# :label: ex-convergence-opposite
#
# *Understand, medium, 15 minutes.* Can a ReLU unit be matched to the negative of another? For a standard normal
# $z$, what is the correlation of $\operatorname{relu}(z)$ with $\operatorname{relu}(-z)$? Then match the dense
# layer by absolute correlation, and see what changes.
# :::
#
# :::{solution-start} ex-convergence-opposite
# :class: dropdown
# :::
#
# At most one of the two is above zero, so the mean of their product is 0. Each has mean $1/\sqrt{2\pi}$
# and variance $\frac12 - \frac1{2\pi}$, so the correlation is
# $-\frac1{2\pi} / (\frac12 - \frac1{2\pi}) = -1/(\pi - 1)$, a little less than one half in size: without a bias,
# opposite units look only half opposite. With a bias a unit can be the negative of another: where
# $0 \le z \le b$, $\operatorname{relu}(b - z)$ is $b - z$. In the dense layer the most negative
# correlation of all is smaller in size than the largest one. On CIFAR-10 the match hardly changes: with signs left free the
# mean absolute correlation of the matches grows by less than one part in fifty, though more than one unit in twenty gets another
# partner. On digits it grows by less than a quarter.

# %% tags=["solution"]
z = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
opposite = torch.corrcoef(torch.stack([z.relu(), (-z).relu()]))[0, 1]
assert abs(opposite + 1 / (np.pi - 1)) < 0.01
inside_ = z[(z >= 0) & (z <= 2)]
with_bias = torch.corrcoef(torch.stack([inside_.relu(), (2 - inside_).relu()]))
assert abs(with_bias[0, 1] + 1) < 1e-4
c = found[layers["dense"]].correlation(0, 1).cpu()
signed, free = (
    float(convergence.matched(c, convergence.bipartite_match(m)).abs().mean())
    for m in (c, c.abs())
)
changed = convergence.bipartite_match(c) != convergence.bipartite_match(c.abs())
print(
    f"{signed:.4f} to {free:.4f}; other partners: {changed.double().mean():.2f}"
)
print(f"most negative {c.min():.2f}, largest {c.max():.2f}")
assert -c.min() < c.max()
assert free < (1.02 if images.name == "cifar10" else 1.25) * signed
assert changed.double().mean() > 0.05

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} What chance gives
# :label: ex-convergence-chance
#
# *Understand, medium, 20 minutes.* How large is the mean of the row maxima of an $H \times H$ matrix of
# independent correlations of $N$ samples, roughly? Compare it with the greedy match of the dense layer on
# shuffled images, dead units left out: `shuffled[layers["dense"]]` holds its moments, of `len(test)` images in an order
# of its own for each network. Why does the first convolution not follow it? Take a ninth of the images
# to see, and then the first convolution without the borders of its pictures.
# :::
#
# :::{solution-start} ex-convergence-chance
# :class: dropdown
# :::
#
# Each entry is about normal with standard deviation $1/\sqrt N$, and the mean of the largest of $H$ lies below
# $\sqrt{2 \log H / N}$, for the numbers of units here by less than a third. The measured mean of the dense layer
# has this size. With a ninth of the images chance gives three times as much, and about so it is in the dense
# layer. In a convolution there are many positions for each image, so chance alone would give less; but what depends on
# the position comes at the same positions in every order of the images, and what units have in common
# there does not shrink with more images. So with a ninth of the images the mean of the first convolution grows
# much less than that of the dense layer. On CIFAR-10 it is the borders above all: without two pixels at each side the mean
# is smaller by a third or more. It is not the borders alone: taking out the mean of each position lowers it further.


# %% tags=["solution"]
def row_maxima(statistics, layer):
    """Mean of the row maxima of two networks' correlations, without dead units."""
    rows, columns = (~statistics[layer].dead(k) for k in (0, 1))
    of_alive = statistics[layer].correlation(0, 1)[rows][:, columns]
    return float(of_alive.amax(1).mean()), int(columns.sum())


measured, alive = row_maxima(shuffled, layers["dense"])
bound = (2 * np.log(alive) / len(test)) ** 0.5
draws = torch.randn(1000, alive, generator=torch.Generator().manual_seed(0))
by_chance = float(draws.amax(1).mean()) / len(test) ** 0.5
assert 2 / 3 * bound < by_chance < bound
assert 0.7 * by_chance < measured < 1.4 * by_chance

draws = torch.Generator().manual_seed(0)
places = [torch.randperm(len(test) // 9, generator=draws) for _ in "12"]
asked_layers = [layers["conv 1"], layers["dense"]]
ninth = moments(
    networks[:2], [test.x[p] for p in places], asked_layers, batch_size=100
)
convolution, dense = (
    row_maxima(ninth, layer)[0] / row_maxima(shuffled, layer)[0]
    for layer in asked_layers
)
assert 2 < dense < 4
assert convolution < dense - 0.5

some_images = [test.x[o[: knobs.few]] for o in orders[:2]]
conv = layers["conv 1"]
maps_ = [
    models.outputs(model, x, [conv])[conv]
    for model, x in zip(networks[:2], some_images, strict=True)
]
cropped = [m[:, :, 2:-2, 2:-2].contiguous() for m in maps_]
centred = [m - m.mean(0) for m in maps_]  # each position's mean taken out
nothing_ = [nn.Sequential(nn.Identity())] * 2
as_it_is, without_borders, without_places = (
    row_maxima(moments(nothing_, acts, [0], batch_size=100), 0)[0]
    for acts in (maps_, cropped, centred)
)
print(f"{as_it_is:.4f}, {without_borders:.4f}, {without_places:.4f}")
assert without_places < as_it_is
if images.name == "cifar10":
    assert without_places < without_borders < 2 / 3 * as_it_is

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} The gain over rotated axes
# :label: ex-convergence-gain
#
# *Code, medium, 25 minutes.* `problem("convergence-gain", SEED)` gives the correlations between the units of two
# networks, those within network 2, and an orthogonal matrix whose columns are new axes for the standardised units
# of network 2. Write the rotation test for this one rotation: the mean absolute correlation of the best
# one-to-one pairs with the units of network 2, less that with its rotated axes. There are as many pairs as the
# smaller network has units. You may call `linear_sum_assignment`.
#
# ```python
# def gain_over_axes(between, within, axes):
#     """Mean match of units less that of rotated axes, from correlations alone.
#
#     >>> print(f"{gain_over_axes(np.eye(2), np.eye(2), np.array([[0.6, -0.8], [0.8, 0.6]])):.3f}")
#     0.200
#     >>> turn = np.array([[1.0, 0, 0], [0, 0.6, -0.8], [0, 0.8, 0.6]])
#     >>> print(f"{gain_over_axes(np.eye(3)[:2], np.eye(3), turn):.3f}")
#     0.100
#     """
# ```
#
# ```python
# check("convergence-gain", gain_over_axes, SEED)
# ```
# ::::
#
# :::{solution-start} ex-convergence-gain
# :class: dropdown
# :::
#
# The covariances of network 1's units with the rotated axes are the correlations times the rotation. A rotated axis
# $a$ has variance $a^\top R a$, where $R$ holds the correlations within network 2: it is 1 only if the units are
# uncorrelated, so it has to be divided out. A rotated axis has no sign of its own, so both matchings
# are of absolute correlations. Averaged over the same rotations, the function gives what
# {py:func}`.convergence.rotation_test` gives.


# %% tags=["solution"]
def gain_over_axes(between, within, axes):
    def match(scores):
        scores = np.abs(scores)
        return scores[linear_sum_assignment(scores, maximize=True)].mean()

    deviation = np.sqrt(np.diag(axes.T @ within @ axes))
    return match(between) - match(between @ axes / deviation)


check("convergence-gain", gain_over_axes, SEED)
two, second, turn = problem("convergence-gain", SEED)
answer = gain_over_axes(two, second, turn)
assert (
    0 < answer < gain_over_axes(second, second, turn)
)  # identical units: more
own, rotated = convergence.rotation_test(
    one_layer, 0, 1, torch.Generator().manual_seed(5), rotations=3
)
draws = torch.Generator().manual_seed(5)
within = one_layer.correlation(1).cpu().numpy()
gains = [
    gain_over_axes(
        between.numpy(), within, random_rotation(len(within), draws).numpy()
    )
    for _ in range(3)
]
assert not one_layer.dead(0).any() and not one_layer.dead(1).any()
assert abs(np.mean(gains) - (own - rotated)) < 1e-6

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The same function, other scales
# :label: ex-convergence-break-scales
#
# *Break, hard, 40 minutes.* Multiply what each hidden unit of a trained network puts out by a factor of its
# own, between one quarter and four, and divide the weights that leave the unit by the same factor. Do this to all
# trained networks, with factors drawn for each. They compute what they did before. Predict for each of these numbers of the
# {term}`ledger` whether it changes: the gain over axes rotated before and behind the ReLU, the matches and their overlap, mutual
# information, the sparse maps, the accuracy stitched by a linear map and by a permutation of units, and the mutual nearest
# neighbours beyond those of the pixels. Which {term}`claim` fails, and why do the others hold? Then do it, and say by how
# much each number changes. The bands need CIFAR-10 at standard scale. On digits compare the values
# alone. The chapter's `networks`, `seen` (the moments on training images), `fronts` (what networks put out, by
# network and layer), {py:func}`.convergence.turned`, {py:func}`.convergence.best_maps` and
# {py:func}`.convergence.stitch` are at hand.
# :::
#
# :::{solution-start} ex-convergence-break-scales
# :class: dropdown
# :::
#
# Two numbers change, and one claim fails. The mutual nearest neighbours fall by more than a third on CIFAR-10, and their claim fails: distances between images
# count each unit by its variance, so factors of its own give each network other neighbours, though it computes the
# same. The stitch through a permutation loses more than a twentieth of its accuracy. Its map has one factor for the
# whole layer, and the permutation is chosen by covariance, so many units get another partner too. It comes near the
# lower end of its band, as the code prints. Whether it stays within is decided by the factors that were drawn and by the
# width of the band, and not by anything that the networks do. The stitch through a linear map undoes the factors and keeps its accuracy. A correlation does not see
# a positive factor, so whatever is made of correlations is as before: the matches, their overlap, the rotation
# test behind the ReLU, and the sparse maps. The rotation before the ReLU divides each unit by its standard
# deviation as well, and mutual information sees the order of the values alone. So a guess that no claim can fail,
# because the function is the same, is wrong; and so is one that the rotation test fails, which divides each unit
# by its standard deviation for this very reason.

# %% tags=["solution"]
draws = torch.Generator().manual_seed(0)


def rescaled(model):
    """The same function with other scales: the network, and its units' factors by layer."""
    model = models.clone(model)
    parts = [part for part in model if isinstance(part, nn.Conv2d | nn.Linear)]
    factors = []
    for part, following in pairwise(parts):
        f = 4 ** (2 * torch.rand(len(part.bias), generator=draws) - 1)
        part.weight.data *= f.view(-1, *[1] * (part.weight.ndim - 1))
        part.bias.data *= f
        each = f.repeat_interleave(following.weight.shape[1] // len(f))
        following.weight.data /= each.view(
            -1, *[1] * (following.weight.ndim - 2)
        )
        factors.append(f)
    return model, dict(zip(names, factors, strict=True))


scaled, factors = zip(*map(rescaled, networks), strict=True)
x = asked.x[:100]
for one, other in zip(networks, scaled, strict=True):
    assert torch.allclose(one(x), other(x), atol=1e-3)  # the same function


def near(h):
    """The nearest neighbours of each image, as the chapter has them."""
    h = h.flatten(1) - h.flatten(1).mean(0)
    return normalised(neighbours(h @ h.T))


def neighbours_shared(outputs):
    """Mean over pairs and layers: shared, and beyond what is shared with the pixels."""
    pixel = near(asked.x)
    found_ = [[near(h[layer].cpu()) for layer in relu] for h in outputs]
    with_pixels = np.mean([[float(h @ pixel) for h in of] for of in found_])
    both_ = np.mean(
        [
            float(h @ g)
            for one, two in combinations(found_, 2)
            for h, g in zip(one, two, strict=True)
        ]
    )
    return both_, both_ - with_pixels


outputs = [models.outputs(model, asked.x, relu) for model in scaled]
was, now = neighbours_shared(fronts[:n]), neighbours_shared(outputs)
right, stay = {"permutation": [], "affine": []}, []
for (name, layer), (i, j) in product(layers.items(), DISJOINT):
    of_scaled = seen[layer]
    for k in (i, j):
        turn = factors[k][name].double().diag()
        of_scaled = convergence.turned(of_scaled, k, turn)
    same_ = of_scaled.correlation(i, j) - seen[layer].correlation(i, j)
    assert same_.abs().max() < 1e-9  # a correlation does not see the factors
    maps = convergence.best_maps(of_scaled, i, j)
    before_ = convergence.best_maps(seen[layer], i, j)["permutation"] != 0
    stay.append(
        float((before_ & (maps["permutation"] != 0)).sum()) / len(before_)
    )
    for kind, accuracies_ in right.items():
        joined = convergence.stitch(
            scaled[i], scaled[j], layer, of_scaled, i, j, maps[kind]
        )
        said = joined[layer + 1 :](outputs[i][layer]).argmax(1).cpu()
        accuracies_.append(float((said == asked.y).double().mean()))
unit_now, line_now = (np.mean(values_) for values_ in right.values())
unit_was, line_was = (
    np.mean([stitched(kind, "trained", pair) for pair in DISJOINT])
    for kind in (UNITS, "linear")
)
BROKEN, NEAR = "convergence_neighbours", "convergence_stitch_units"
print(f"neighbours beyond pixels {was[1]:.3f} to {now[1]:.3f}")
print(f"stitched by a permutation {unit_was:.3f} to {unit_now:.3f}")
print(f"stitched by a linear map {line_was:.3f} to {line_now:.3f}")
print(
    f"bands {claims.band(BROKEN, images.name)}, {claims.band(NEAR, images.name)}"
)
assert now[0] < was[0] - 0.02
assert not claims.verdict(BROKEN, was[1], images.name)
broken = claims.verdict(BROKEN, now[1], images.name)
assert broken or claims.band(BROKEN, images.name) is None
assert np.mean(stay) < 2 / 3
if images.name == "cifar10":
    assert now[1] < 2 / 3 * was[1]
    assert unit_now < 0.95 * unit_was
assert abs(line_now - line_was) < 0.02

inputs_ = [
    models.outputs(model, test.x[:200], [layers["dense"] - 1])
    for model in (networks[0], networks[1], scaled[1])
]
here, there, other = (h[layers["dense"] - 1].cpu() for h in inputs_)
turned_before = [
    convergence.preactivation_rotation_test(
        here, h, torch.Generator().manual_seed(0)
    )
    for h in (there, other)
]
assert np.allclose(*turned_before, atol=0.005)
nats_ = [
    convergence.mutual_information(here.relu(), h.relu(), 10)
    for h in (there, other)
]
assert torch.allclose(*nats_, atol=0.01)

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Few predictors
# :label: ex-convergence-few-predictors
#
# *Code, medium, 40 minutes.* `problem("convergence-few-predictors", SEED)` gives the correlations $R$ of the units
# of network 1 among themselves, their correlations with one unit of network 2, and a penalty $\gamma$. Write the
# lasso of this unit, from these numbers alone: the weights $w$ with the smallest
# $\tfrac12\, \mathbb E ( \psi - \sum_i w_i \varphi_i )^2 + \gamma \sum_i |w_i|$, all units standardised. Go round
# the weights and choose each so that the sum is smallest while the others stay, until nothing moves. Weights that
# are not used are exactly zero. Units may be nearly the same, and then a few rounds are not enough. Write it yourself, without a library's lasso, the
# package's included; the checker cannot see this, so it is a matter of trust.
#
# ```python
# def few_predictors(own, cross, penalty):
#     """Weights of the lasso from correlations: ``own`` (H, H), ``cross`` (H,).
#
#     >>> few_predictors(np.eye(2), np.array([0.8, 0.3]), 0.5)
#     array([0.3, 0. ])
#     """
# ```
#
# ```python
# check("convergence-few-predictors", few_predictors, SEED)
# ```
# ::::
#
# :::{solution-start} ex-convergence-few-predictors
# :class: dropdown
# :::
#
# With the other weights fixed, what they leave of $\psi$ has covariance $g = c_k - \sum_{i \ne k} R_{ki} w_i$
# with unit $k$, where $c_k$ is the correlation of unit $k$ with $\psi$. The sum is then
# $\tfrac12 w_k^2 - g w_k + \gamma |w_k|$ and a constant. Its minimum lies at $g - \gamma$ if $g > \gamma$, at
# $g + \gamma$ if $g < -\gamma$, and else at zero: $g$ is moved toward zero by the penalty and stops there. At the
# end, what is left has covariance $\gamma$ in size with each unit in use, and with no unit more. The package
# solves the same problem with the same result.


# %% tags=["solution"]
def few_predictors(own, cross, penalty):
    w, before = np.zeros(len(cross)), np.inf
    while np.abs(w - before).max() > 1e-10:
        before = w.copy()
        for k in range(len(w)):
            left = cross[k] - own[k] @ w + w[k]
            w[k] = np.sign(left) * max(abs(left) - penalty, 0)
    return w


check("convergence-few-predictors", few_predictors, SEED)
own_, cross_, penalty_ = problem("convergence-few-predictors", SEED)
answer = few_predictors(own_, cross_, penalty_)
left = np.abs(cross_ - own_ @ answer)
assert 0 < (answer != 0).sum() < len(answer)
assert np.allclose(left[answer != 0], penalty_) and left.max() < penalty_ + 1e-9
package = convergence.sparse_path(
    torch.tensor(own_), torch.tensor(cross_)[:, None], [penalty_]
)
assert np.allclose(answer, package[0, 0].numpy(), atol=1e-4)

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The same task, other images
# :label: ex-convergence-project-images
#
# *Project, hard, 480 minutes.* The trained networks of this chapter saw the same images. Do networks that have
# the task in common, but no image, share axes as well? Design the test, say beforehand what would refute a yes,
# and run it.
# :::
#
# :::{solution-start} ex-convergence-project-images
# :class: dropdown
# :::
#
# A good answer splits the training images into two halves without an image in common, each with all classes, and
# trains an {term}`ensemble` on each. Pairs within a half and pairs across the halves then differ in nothing but the
# images. The rotation test is made before and behind the ReLU, on held-out images, as a share of what identical
# units gain. "Yes" is refuted in a layer where pairs across do not exceed the strongest null, and "the images
# bring nothing" where pairs within exceed pairs across. The nulls are untrained networks with the zeros of
# trained ones, and networks of both halves with random labels: labels that are drawn at random cannot be the same rule on
# other images, so these have labels of their own. The strongest null is a random teacher: an untrained network whose
# answers serve as labels is one rule for both halves, and says nothing of the classes. One more difference must not count: a half has fewer images, so
# all numbers are held against pairs within a half, and none against those of the chapter.
#
# Pairs that have a network in common are not independent, so the error comes from leaving out one network at a
# time. This is a first step that the chapter's networks allow. In the mean over the chapter's ensembles it gives a larger error
# than pairs taken as independent; in one ensemble alone, an error from so few networks is itself uncertain. On CIFAR-10, in the dense layer behind the ReLU, networks with the true labels of a few images lead those with
# one set of random labels on the same images by more than two such errors, so an ensemble of this size can show an effect
# as large as this one. (The networks that were trained on all images would not do here: they differ from those in the number of images as well.)


# %% tags=["solution"]
def gain_and_errors(kind):
    """Mean gain in the dense layer; its error over networks, and over pairs as if independent."""
    kept_ = others[(others.networks == kind) & (others.layer == "dense")]
    kept_ = kept_[kept_.rotated == "behind"]
    members = sorted({*kept_.i, *kept_.j})
    without = [
        kept_[(kept_.i != k) & (kept_.j != k)].gain.mean() for k in members
    ]
    over_networks = np.std(without) * (len(members) - 1) ** 0.5
    return kept_.gain.mean(), over_networks, kept_.gain.sem()


errors = np.array(
    [gain_and_errors(kind)[1:] for kind in others.networks.unique()]
)
assert (errors[:, 0] / errors[:, 1]).mean() > 1.5
true_labels, error, _ = gain_and_errors(FEW_IMAGES)
same_labels, its_error, _ = gain_and_errors(ONE)
leads = true_labels - same_labels > 2 * np.hypot(error, its_error)
assert leads or images.name != "cifar10"

# %% [markdown]
# :::{solution-end}
# :::
#
# ## Further reading
#
# The paper: {cite:t}`li2016`. Axes that networks share, in brains and machines: {cite:t}`khosla2024axes`; units that
# come back in language models: {cite:t}`gurnee2024`. Comparing representations as wholes:
# {cite:t}`kornblith2019`, {cite:t}`huh2024`; where CKA misleads: {cite:t}`davari2023`. Matching layers of different
# widths: {cite:t}`khosla2024`; agreement across layers, training and other images: {cite:t}`kapoor2025`. Which measures tell families of
# models apart: {cite:t}`wu2026`. Joining the
# halves of two networks: {cite:t}`lenc2015`, {cite:t}`bansal2021`, {cite:t}`csiszarik2021`; where that misleads:
# {cite:t}`balogh2025`, {cite:t}`smith2025`. Pictures of units: {cite:t}`zeiler2014`, {cite:t}`springenberg2015`; what
# they depend on: {cite:t}`adebayo2018`.
