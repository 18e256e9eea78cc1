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
# # Matching MLPs
#
# **The question.** Several networks learn the same task from different random starts. Do their
# weights agree once the arbitrary order of their hidden {term}`units <unit>` is taken out, and does one
# distribution describe them?
#
# **What you will be able to do.** Put the units of one network into the order of another, exactly
# and in less than a millisecond; average networks; measure the {term}`barrier` between two of them;
# and hold what two networks share against what the same search finds between networks that share less.
#
# **What you need.** Matrix products, training by {term}`gradient descent`, correlation. Symbols are those of
# the {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows a notebook of Benjamin Pedigo {cite:p}`pedigo2021`, called the source below,
# which asked the question and tried {term}`graph matching` on eight small networks. Where it went
# wrong, the text says so.

# %% tags=["hide-input"]
from itertools import combinations
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from scipy.stats import shapiro

from netdist_course import quiz
from netdist_utils import (
    alignment,
    claims,
    data,
    matching,
    models,
    moments,
    plotting,
    settings,
    training,
)
from netdist_utils.units import read
from netdist_utils.words import number as num
from netdist_utils.words import percent

plotting.use_style()
C = plotting.COLORS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    ensemble=(16, 64, 256),
    nulls=(16, 32, 64),
    epochs=(100, 300, 300),
    starts=(2, 4, 8),
    swap_pairs=(4, 16, 32),
    draws=(5, 20, 50),
    deep_networks=(4, 16, 32),
    deep_epochs=(30, 100, 300),
    widths=([8, 32], *2 * [[8, 16, 32, 64, 128, 256, 512]]),
    width_networks=(4, 8, 16),
    convolutional=(4, 8, 16),
)


def weights(model):
    """All weights and biases of a network as one vector."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).numpy()


def correlation(one, two):
    """Correlation of the weights of two networks, place by place."""
    return np.corrcoef(weights(one), weights(two))[0, 1]


def in_pairs(group):
    """Disjoint pairs of networks."""
    return list(zip(group[::2], group[1::2], strict=True))


# %% [markdown]
# ## The task
#
# The data are 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn
# ({numref}`fig-digits`). All networks share one split into training and {term}`held-out <held out>`
# digits. In the source each network had a split of its own, and the mean network was then tested on
# digits that some of its parents had trained on.

# %%
images = data.digits()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-digits", "caption": "The first eight training digits and their labels. Eight by eight pixels leave little more than the strokes."}, "image": {"alt": "Eight handwritten digits of 8 by 8 gray pixels in a row, each with its label above it."}}
plotting.picture_grid(
    [1 - data.pixels(images.train.x[:8])],
    titles=[[str(int(label)) for label in images.train.y[:8]]],
)
plt.show()

# %% [markdown]
# ## Eight networks, and many
#
# Each network is 64-15-10: 64 pixels, one hidden layer of 15 {term}`ReLU` units, 10 classes, as in
# the source. We look closely at the first eight; the whole {term}`ensemble` gives the error bars. A
# network this small leaves a processor idle, so {py:func}`.training.fit_ensemble` trains all of them
# at once: their weights are stacked along a new first axis, and one step of gradient descent moves
# them all. {numref}`fig-accuracies` shows how well they do.


# %%
def make():
    return models.mlp([64, 15, 10])


recipe = {"epochs": knobs.epochs, "lr": 0.1}
networks = training.fit_ensemble(
    make, images.train, range(knobs.ensemble), **recipe
)
eight = networks[:8]

# %% tags=["remove-cell"]
accuracies = np.array([training.accuracy(m, images.test) for m in networks])
train_accuracies = [training.accuracy(m, images.train) for m in networks]
claims.check("matching_test_accuracy", accuracies[:8].mean())
hidden_moments = [
    moments.moments([m], images.train.x, [2])[2] for m in networks
]
dead = np.array([int(found.dead(0).sum()) for found in hidden_moments])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-accuracies", "caption": "Accuracy on held-out digits of every network of the ensemble, one dot for each; the first eight are drawn larger. Dots above one another have equally many errors. All learn the task about equally well."}, "image": {"alt": "A strip of dots along an axis of test accuracy. The dots lie close together; eight larger ones are spread among the others."}}
fig, ax = plt.subplots(figsize=(7.2, 1.6))
frame = pd.DataFrame({"accuracy": accuracies, "y": ""})
sns.stripplot(frame, x="accuracy", y="y", color=C["null"], size=4, ax=ax)
sns.stripplot(
    frame[:8], x="accuracy", y="y", color=C["matched"], size=7, alpha=0.7, ax=ax
)
ax.set(xlabel="accuracy on held-out digits", ylabel="", yticks=[])
ax.locator_params(axis="x", nbins=5)
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"The mean accuracy on held-out digits is {accuracies.mean():.3f}, and the standard deviation over "
    f"{len(networks)} networks is {accuracies.std(ddof=1):.3f}. On the training digits "
    f"{sum(a == 1 for a in train_accuracies)} of {len(networks)} networks make no error at all, so training "
    "digits rank none above another. Of its 15 hidden units, a network "
    f"has {dead.mean():.1f} on average that are zero for every training digit: they are dead, and their "
    "partners below are what the living units leave to them."
)

# %% [markdown]
# Networks that scikit-learn has trained, as in the source, can be carried over:
# {py:func}`.models.from_sklearn` turns a fitted `MLPClassifier` into the same kind of object.
#
# ## A network is a graph
#
# Give each input, hidden unit and output a node, and give each layer one more node for its biases.
# The weight of the edge from node $i$ to node $j$ is the entry $A_{ij}$ of the
# {term}`adjacency matrix`. Only two blocks of it hold weights: from the pixels and the bias node to
# the hidden units, and from these and a bias node to the classes ({numref}`fig-adjacency`).
# A 64-15-10 network has 64 + 15 + 10 + 2 = 91 nodes. The source counted the hidden layer twice and
# got 106: fifteen of its nodes were empty, and its list of fixed nodes missed the outputs, so that class
# labels were permuted along with the hidden units before anything was averaged.

# %%
adjacency = matching.adjacency(eight[0])  # (91, 91)

# %% tags=["hide-input"] slide="The same column in another network is another unit." say="Each column is one unit; its pixels stand below one another, so no stroke can be seen. Let them compare one column over the networks, and count the nearly white ones, which are dead units. Ask what it would mean to compare these matrices entry by entry." mystnb={"figure": {"name": "fig-adjacency", "caption": "The two blocks of the adjacency matrix that hold weights, for networks 1 to 4. Above, a column is a hidden unit and a row a pixel; below, a row is a hidden unit and a column a class. Units stand in the order in which they happen to come, so the same column in another network is another unit. A nearly white column above is a dead unit; colours end at weights of size 1.5."}, "image": {"alt": "Four columns of heat maps, one for each of four networks: above, 65 rows of pixels and bias by 15 hidden units; below, 16 rows of hidden units and bias by 10 classes. Each network has another pattern of columns."}}
fig, axes = plt.subplots(2, 4, figsize=(7.2, 5.2), height_ratios=[2.2, 1])
reach = {"vmin": -1.5, "vmax": 1.5, "center": 0, "aspect": "auto"}
for k in range(4):
    matrix = matching.adjacency(eight[k])
    into = matrix[[*range(64), 89], 64:79]
    out = matrix[[*range(64, 79), 90], 79:89]
    label = "weight" if k == 3 else None
    plotting.heatmap(
        into, axes[0, k], title=f"network {k + 1}", label=label, **reach
    )
    plotting.heatmap(out, axes[1, k], **reach)
    axes[0, k].set(xticks=[], yticks=[], xlabel="hidden unit")
    axes[1, k].set(xticks=[], yticks=[], xlabel="class")
axes[0, 0].set(ylabel="pixel, and bias last")
axes[1, 0].set(ylabel="hidden unit, and bias")
plt.show()

# %% tags=["remove-input"]
zeros = 1 - len(weights(eight[0])) / adjacency.size
Markdown(
    f"Of all entries, {percent(zeros, 1)} are zero by construction. A correlation over all entries, as in the "
    "source, mostly compares zeros with zeros. From here on only weights and biases count, in every "
    "figure."
)

# %% [markdown]
# ## The order of units is arbitrary
#
# Compare the weights of networks 1 to 8 place by place, and take the mean of each weight.

# %%
unmatched = training.accuracy(matching.average(eight), images.test)
unmatched_of_all = training.accuracy(matching.average(networks), images.test)
unmatched_r = [correlation(a, b) for a, b in combinations(eight, 2)]

# %% tags=["remove-input"]
Markdown(
    f"The correlation of the weights of two networks lies between {num(min(unmatched_r))} and {num(max(unmatched_r))}. "
    f"The mean of the eight networks has accuracy {unmatched:.3f}, while its parents average "
    f"{accuracies[:8].mean():.3f}; with more parents it gets worse, and the mean of all {len(networks)} has "
    f"{unmatched_of_all:.3f}, which is near chance. Place by place, the networks do not agree."
)

# %% [markdown]
# That says nothing yet, because places mean nothing. Let $P$ be a {term}`permutation` matrix. The
# ReLU acts on each unit alone, so
#
# $$W_2 \operatorname{relu}(W_1 x + b_1) = (W_2 P^\top) \operatorname{relu}(P W_1 x + P b_1).
# $$ (eq-symmetry)
#
# Reordering the hidden units changes no output. By {eq}`eq-symmetry` a network of 15 hidden units
# has $15! \approx 1.3 \times 10^{12}$ copies that compute the same function. Training does not prefer one of
# them: the start draws all units from one distribution, and each step treats them alike. So over many
# trainings every place of the hidden layer has the same distribution of weights. To ask what units
# have in common is to ask it up to their order.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Reordering the hidden units changes no output." say="Ask what the two permutations on the right do: one reorders what the units put out, the other reads it back. Then ask how many networks compute the same function as one with fifteen hidden units."
# $$W_2 \operatorname{relu}(W_1 x + b_1) = (W_2 P^\top) \operatorname{relu}(P W_1 x + P b_1)$$
#
# The ReLU acts on each unit alone, so a permutation $P$ of the units passes through it.

# %%
generator = torch.Generator().manual_seed(0)
shuffled = matching.permute(eight[0], [torch.randperm(15, generator=generator)])
logits = [training.logits(m, images.test.x) for m in (eight[0], shuffled)]

# %% tags=["remove-input"]
difference = float((logits[0] - logits[1]).abs().max() / logits[0].abs().max())
Markdown(
    "A shuffled copy of network 1 computes the same: no logit differs by more than "
    f"{difference * 1e6:.2f} millionths of the largest, which is rounding. Yet its weights correlate with those of "
    f"network 1 by only {num(correlation(eight[0], shuffled))}."
)

# %% [markdown]
# ## Matching a pair
#
# {numref}`fig-three` shows the idea for three units. Take the incoming and outgoing weights of a unit as
# one vector, and compute the inner product of each unit's vector in one network with each in the other.
# The order that makes the weights' squared distance smallest is the one that makes the sum of the inner
# products of partners largest, because the {term}`norms <norm>` of the vectors do not depend on the order. So a
# matching picks one entry in each row and column of this {term}`gain matrix`, and the best one has the largest
# sum. To take the largest entry of each row would not do: here two rows have theirs in one column.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="One entry in each row and column: which three have the largest sum?" say="Rows are units of A, columns units of B. Let them choose before they talk. The first two rows want the same column, so one has to give way: not the one with the larger entry, and the sum of all three decides."
# $$\begin{pmatrix} 5 & 4 & 1 \\ 6 & 2 & 1 \\ 1 & 2 & 3 \end{pmatrix}$$
#
# Each entry says how well a unit of one network fits a unit of the other.

# %% tags=["hide-input"] slide="The best order has the largest sum, and need not take the largest entry of each row." say="The same with networks: the frames are the best order. Find the row whose largest entry is not framed, and say which row took its column." mystnb={"figure": {"name": "fig-three", "caption": "Two networks of three hidden units that compute nearly the same. Line widths are sizes of weights; dashed lines are negative. The units of B are those of A in another order, with noise. In the gain matrix at the right the largest sum of one entry for each row and column (framed) finds the order; the largest entry of the second row is not in it."}, "image": {"alt": "Two small network diagrams with two inputs, three hidden units and one output, and a three by three matrix of numbers with one framed cell in each row and column, off the diagonal. Two rows have their largest number in the same column."}}
toy = np.array([[1.6, 0.2, 1.2], [1.0, 0.9, 0.9], [-1.2, -0.9, 0.7]])
turned = toy[[2, 0, 1]] + np.random.default_rng(0).normal(0, 0.15, (3, 3))
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.5), width_ratios=[1, 1, 1])
for ax, units, name in zip(axes, (toy, turned), "AB", strict=False):
    for i, unit in enumerate(units):
        ends = [(0, 0.5, 0), (0, 1.5, 1), (2, 1, 2)]
        for x_end, y_end, k in ends:
            ax.plot(
                [1, x_end],
                [2 - i, y_end],
                color=C["ink"],
                ls="-" if unit[k] > 0 else (0, (2, 1)),
                lw=2.2 * abs(unit[k]),
                zorder=0,
            )
        ax.plot(1, 2 - i, "o", ms=17, mfc=C["paper"], mec=C["ink"])
        ax.text(1, 2 - i, f"{i}", ha="center", va="center")
    ax.plot([0, 0, 2], [0.5, 1.5, 1], "o", ms=9, color=C["null"])
    ax.set(
        title=f"network {name}",
        xticks=[],
        yticks=[],
        xlim=(-0.3, 2.3),
        ylim=(-0.4, 2.4),
    )
    ax.spines[:].set_visible(False)
gain = toy @ turned.T
best = alignment.bipartite_match(torch.from_numpy(gain))
sns.heatmap(
    gain, annot=True, fmt=".1f", cbar=False, square=True, cmap="BrBG", center=0, ax=axes[2],
    xticklabels=range(3), yticklabels=range(3),
)  # fmt: skip
for i, j in enumerate(best):
    axes[2].add_patch(
        plt.Rectangle(
            (j + 0.04, i + 0.04), 0.92, 0.92, fill=False, ec=C["ink"], lw=2
        )
    )
axes[2].set(xlabel="unit of B", ylabel="unit of A", title="gain")
plt.show()

# %% [markdown]
# The source matched the two graphs instead: it maximised
# $\operatorname{tr}(A P A'^\top P^\top)$ over permutations $P$ of the hidden nodes, where $A$ and $A'$ are the
# adjacency matrices, with inputs, outputs and biases {term}`held fixed <seed node>` (here $P$ leaves them where they are). That is a {term}`quadratic assignment`
# problem, which is hard in general, and {term}`FAQ` solves it approximately {cite:p}`vogelstein2015`.
#
# But no edge joins two hidden units of one layer. With $\pi(i)$ the partner of unit $i$, the objective
# therefore splits into edges that enter a hidden unit and edges that leave one,
#
# $$\begin{aligned}
# \operatorname{tr}(A P A'^\top P^\top)
# &= \sum_{i,k} A_{ki} A'_{k \pi(i)} + \sum_{i,k} A_{ik} A'_{\pi(i) k} + \text{const} \\
# &= \sum_i \left\langle u_i, v_{\pi(i)} \right\rangle + \text{const},
# \end{aligned}
# $$ (eq-assignment)
#
# where $u_i$ holds all incoming weights, the bias, and all outgoing weights of unit $i$ of the first network,
# $v_i$ those of the second, and the constant the output biases. The term that would make it quadratic, a sum over $A_{ij} A'_{\pi(i) \pi(j)}$ with two
# hidden nodes, is zero. What is left is a {term}`linear assignment` problem, which has an exact
# solution in $O(H^3)$ steps for $H$ units {cite:p}`crouse2016`. {py:func}`.matching.match` solves it in
# one call.

# %%
reference, *others = eight
order = matching.match(reference, others[0])[0]
# the same, and the units reordered
aligned = matching.align(reference, others[0])

# %% tags=["remove-cell"]
methods = ["weights", "faq"]
try:  # ten seconds to import, and not to be had on Colab
    import graspologic.match  # noqa: F401

    methods.append("graspologic")
except ImportError:
    pass

names = {
    "weights": "linear assignment, exact",
    "faq": "FAQ (SciPy)",
    "graspologic": "FAQ (graspologic), 20 starts asked for",
}
rows, orders = {}, {}
for method in methods:
    began = perf_counter()
    orders[method] = [
        matching.match(reference, m, method, rng=0)[0] for m in others
    ]
    seconds = (perf_counter() - began) / len(others)
    matched = [
        matching.permute(m, [o])
        for m, o in zip(others, orders[method], strict=True)
    ]
    value = np.mean([matching.objective(reference, m) for m in matched])
    rows[names[method]] = {
        "mean objective": value,
        "ms per pair": 1000 * seconds,
    }
comparison = pd.DataFrame(rows).T.rename_axis("method")

# %% tags=["remove-input"]
plotting.table(comparison, digits=2)

# %% tags=["remove-input"]
equal = sum(
    torch.equal(a, b)
    for a, b in zip(orders["weights"], orders["faq"], strict=True)
)
Markdown(
    f"FAQ finds the exact permutation for {equal} of {len(others)} networks, as it must: the gradient of a linear "
    "objective is the same everywhere, so its first step is the linear assignment. That problem "
    "needs no starting point, no tolerance and no restarts. The source asked for 20 restarts, but the start "
    "that it chose, the barycentre, is a single point, so there was one run."
)

# %% [markdown]
# {numref}`fig-pair` shows what the matching does to the weights of one pair.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pair", "caption": "Each weight and bias of network 2 against the one in the same place of network 1, before and after its units were put into the order of network 1. Before, a large weight of one network mostly meets a small one of the other; after matching, large weights mostly find large weights of the same sign, and most small ones remain unrelated."}, "image": {"alt": "Two scatter plots of weights. Before matching the cloud is a cross, with arms along both axes; after matching it is stretched along the diagonal."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharex=True, sharey=True)
for ax, model, name in zip(
    axes, (others[0], aligned), ("unmatched", "matched"), strict=True
):
    ax.plot(
        weights(reference),
        weights(model),
        ".",
        ms=3,
        alpha=0.4,
        color=C[name],
        rasterized=True,
    )
    ax.set(
        title=f"{name}: r = {num(correlation(reference, model))}",
        xlabel="weight of network 1",
        aspect="equal",
    )
axes[0].set(ylabel="weight of network 2")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"The correlation of the two networks rises from {num(correlation(reference, others[0]))} to "
    f"{num(correlation(reference, aligned))}. How much of that is agreement, and how much is what the best of very "
    "many orders always finds, is the question of the section after the next."
)

# %% [markdown]
# ## All to one, or to a consensus
#
# Eight networks can all be matched to one of them, as the source does. Or they find a centre together:
# average them, match all to the average, and repeat until no unit moves. What they agree on is their
# {term}`consensus`. Each step raises the summed
# inner product with the mean, so the repetition ends. {py:func}`.matching.consensus` does this.
# {numref}`fig-correlations` compares the weights of each two of the eight networks.

# %%
agreed = matching.consensus(eight)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-correlations", "caption": "Correlation of the weights of each two of the eight networks: Pearson above the diagonal, Spearman below it. Matching turns correlations near zero into positive ones for every pair, by either measure."}, "image": {"alt": "Two 8 by 8 heat maps of correlations. Unmatched, all cells off the diagonal are near zero; after matching to the consensus all are clearly positive."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
for ax, group, title in zip(
    axes, (eight, agreed), ("unmatched", "matched to consensus"), strict=True
):
    frame = pd.DataFrame(np.stack([weights(m) for m in group], axis=1))
    both = np.triu(frame.corr()) + np.tril(frame.corr("spearman"), -1)
    sns.heatmap(
        both, vmin=-0.2, vmax=1, cmap="cividis", square=True, ax=ax,
        xticklabels=range(1, 9), yticklabels=range(1, 9),
        cbar=ax is axes[1], cbar_kws={"label": "correlation"},
    )  # fmt: skip
    ax.set(title=title, xlabel="network")
axes[0].set(ylabel="network")
plt.show()

# %% tags=["remove-input"]
agreed_r = [correlation(a, b) for a, b in combinations(agreed, 2)]
to_first = [matching.align(eight[0], m) for m in eight]
to_first_r = [correlation(a, b) for a, b in combinations(to_first, 2)]
Markdown(
    f"Matched to the consensus, the correlation of two networks lies between {min(agreed_r):.2f} and "
    f"{max(agreed_r):.2f}, and its mean is {np.mean(agreed_r):.3f}. With all matched to network 1 the mean is "
    f"{np.mean(to_first_r):.3f}: pairs without network 1 were then never matched to one another."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: how much would the same matching find where less is shared?" say="After matching, the weights of two networks correlate. The order was chosen to make it so: does it mean anything? Let them order the four groups by the correlation they expect after matching, and write it down. Ask which of these groups a sceptic would choose as the null."
# - untrained: networks before training
# - pixels too: trained, with classes and pixels in an order of their own
# - classes relabelled: trained on the same images, with classes in an order of their own
# - random labels: trained on the same images with one set of random labels

# %% [markdown]
# ## How much is due to the task?
#
# Matching takes a maximum over $15!$ orders, so it raises the correlation of *any* two networks.
# What would the same matching find between networks that share less? We compare with four {term}`nulls <null>`.
#
# - *Untrained*: the networks as they start. Whatever agrees here is the maximum's doing alone.
# - *Pixels too*: each network has learned the digits with its classes and its pixels in an order of its own. Its weights
#   have the sizes that training gives, and nothing else is shared.
# - *Classes relabelled*: each network has learned the same images with its ten classes in an order of its own. Its
#   units see the same strokes, but they serve other outputs.
# - *{term}`Random labels <random labels>`*: all networks have learned the same images with one and the same random labels. They share a
#   task, but nothing about digits could be learned from it.
#
# Relabelling needs no training. The start treats all classes alike, so a network trained on classes in
# another order is distributed as a trained network whose outputs are put into that order; with pixels it is
# the same. At the upper
# end stands a {term}`positive control`: sets of four networks that share their start and differ only in the order of
# their {term}`batches <batch>`. A measure of agreement should find them alike. {numref}`fig-nulls-matching` shows all of them.


# %%
def relabelled(model, seed, pixels):
    """As if the task had had its classes (and its pixels) in another order."""
    generator, result = torch.Generator().manual_seed(seed), models.clone(model)
    classes = torch.randperm(10, generator=generator)
    for p in result[3].parameters():
        p.data = p.data[classes]
    if pixels:
        places = torch.randperm(64, generator=generator)
        result[1].weight.data = result[1].weight.data[:, places]
    return result


# %% tags=["hide-input"]
def from_one_start(k):
    """Four networks that differ in the order of their batches alone."""
    start, seeds = training.start(make, k), range(3000 + 4 * k, 3004 + 4 * k)
    return training.fit_ensemble(
        lambda: models.clone(start), images.train, seeds, **recipe
    )


labels = images.train.y[torch.randperm(len(images.train), generator=generator)]
random_labels = data.Split(images.train.x, labels)

groups = {
    "same start": [m for k in range(knobs.starts) for m in from_one_start(k)],
    "trained": networks,
    "classes relabelled": [
        relabelled(m, k, pixels=False) for k, m in enumerate(networks)
    ],
    "pixels too": [
        relabelled(m, k, pixels=True) for k, m in enumerate(networks)
    ],
    "random labels": training.fit_ensemble(
        make, random_labels, range(1000, 1000 + knobs.nulls), **recipe
    ),
    "untrained": [training.start(make, 2000 + k) for k in range(len(networks))],
}
pairs = in_pairs(networks)
rows = []
for name, group in groups.items():
    for pair, (one, two) in enumerate(in_pairs(group)):
        row = {
            "networks": name,
            "pair": pair,
            "unmatched": correlation(one, two),
        }
        row["matched"] = correlation(one, matching.align(one, two))
        rows.append(row)
agreement = pd.DataFrame(rows)

# %% tags=["remove-cell"]
found_r = agreement.groupby("networks").matched.agg(["mean", "sem"])
NULLS = ["classes relabelled", "pixels too", "random labels", "untrained"]
strongest = found_r["mean"][NULLS].idxmax()
claims.check(
    "matching_agreement",
    found_r["mean"]["trained"],
    null=found_r["mean"][NULLS].max(),
    repeats=agreement.matched[agreement.networks == "trained"],
)
fitted = np.mean(
    [training.accuracy(m, random_labels) for m in groups["random labels"]]
)
control = [
    matching.barrier(a, b, images.test).height
    for a, b in in_pairs(groups["same start"])
]

# %% tags=["hide-input"] slide="Matching raises the correlation of any two starts; about two thirds of it is there with the classes relabelled." say="Networks of the same start agree without any matching. Go to the untrained row: that is the maximum over orders, and nothing else. Then compare the trained row with the strongest null, not with its own unmatched dots. What is left depends on which class stands at which output." mystnb={"figure": {"name": "fig-nulls-matching", "caption": "Correlation of the weights of two networks before and after matching, one dot for each disjoint pair. Networks that share a start agree as they are. All others agree after matching, also those that have learned nothing. Among networks of different starts those that have learned the digits with the same classes agree most."}, "image": {"alt": "Six rows of dots along an axis of correlation. In the top row, same start, all dots are close to one. In the others the unmatched dots lie near zero and the matched ones to the right of them: farthest for trained networks, less for relabelled classes, pixels and random labels, least for untrained networks."}}
frame = agreement.melt(
    ["networks", "pair"], ["unmatched", "matched"], "units", "correlation"
)
fig, ax = plt.subplots(figsize=(7.2, 3.4))
sns.stripplot(
    frame, x="correlation", y="networks", hue="units", palette=C, alpha=0.6, size=4, ax=ax,
)  # fmt: skip
ax.set(xlabel="correlation of weights", ylabel="", xlim=(-0.2, 1.05))
ax.legend(title="", loc="lower right")
plt.show()

# %% tags=["remove-input"]
of, error = found_r["mean"], found_r["sem"]
left = of["trained"] - of[strongest]
identical = np.mean(
    [
        bool((matching.match(a, b)[0] == torch.arange(15)).all())
        for a, b in in_pairs(groups["same start"])
    ]
)
Markdown(
    f"After matching, the weights of trained networks correlate at {of['trained']:.3f} (mean over {len(pairs)} pairs, standard "
    f"error {error['trained']:.3f}). A maximum over orders finds {of['untrained']:.3f} in untrained networks; trained weights "
    f"with other pixels and classes give {of['pixels too']:.3f}, the same images with relabelled classes "
    f"{of['classes relabelled']:.3f}, and random labels, which the networks fit to {percent(fitted)}, give "
    f"{of['random labels']:.3f}. The strongest null, {strongest}, reaches {percent(of[strongest] / of['trained'])} of the trained "
    f"networks' correlation. What is left, {left:.3f} with a standard error of "
    f"{np.hypot(error['trained'], error[strongest]):.3f}, depends on which class stands at which output. It is the least that "
    "learning the same task accounts for: networks with relabelled classes have learned to tell the same digits apart, and "
    "what they share because of that is in the null.\n\n"
    f"Networks that share a start keep their units: the best order is the identity in {percent(identical)} of "
    f"{len(control)} pairs from {knobs.starts} starts, and on the line between them the loss rises by {max(control):.2f} nats at "
    "most. So the order of batches hardly moves a unit. What networks lack in agreement comes from their starts."
)

# %% [markdown]
# ## Is the partner real?
#
# A matching gives every unit a partner, whether or not it has one. Two questions test it, and
# {numref}`fig-partners` shows the answers.
#
# First, does it hold {term}`in a circle <cycle consistency>`? Match network A to B, B to C, and C to A, and follow a unit of A around:
# if each unit had a true counterpart in the others, and the matching found it, it would come back to
# itself {cite:p}`crisostomi2024`. By chance one of 15 does. Where each of the three matchings is right with some
# probability, the share that comes back is about its third power, so it has to be read beside its nulls. Second, does another
# method agree? Matched by {term}`activations <activation matching>`, that is, with the units paired whose outputs correlate most over
# the training digits, does a unit get the same partner?


# %%
def returning(group):
    """Share of units that come back, over all triples of the group."""
    trips = [
        matching.cycle_consistent(*three)[0] for three in combinations(group, 3)
    ]
    return float(torch.stack(trips).float().mean())


def same_partner(one, two):
    """Share of units to which weights and activations give one partner."""
    by_weights, by_activations = (
        matching.match(one, two, method, x=images.train.x)[0]
        for method in ("weights", "activations")
    )
    return float((by_weights == by_activations).float().mean())


# %% [markdown]
# What would the answers be if all units did have counterparts that are as unlike as those found here? That depends on how
# they differ, so there are two calibrations of {term}`planted <planted case>` networks, and a third without any counterpart. Each
# group is made from one trained network.
#
# - *Planted, noise*: shuffled copies with independent noise on each weight, as much as brings the correlation of two
#   copies down to that of two trained networks.
# - *Planted, blends*: shuffled copies in which the noise of a unit is a random blend of the network's own units, as much as
#   brings the correlation of two copies, matched, down to that of two trained networks.
# - *Blends alone*: networks whose units are nothing but such blends. No unit has a counterpart; what
#   two networks share are the directions in which their units lie.


# %%
def noisy(model, r):
    """A shuffled copy whose weights correlate at r with those of another such copy."""
    order = [torch.randperm(15, generator=generator)]
    copy, size = matching.permute(model, order), (1 / r - 1) ** 0.5
    for p in copy.parameters():
        p.data += (
            size
            * weights(model).std()
            * torch.randn(p.shape, generator=generator)
        )
    return copy


def blended(model, size, dice, own=1):
    """A copy whose units are units of the network (own times), each plus a blend of all."""
    blend = size * torch.randn(15, 15, generator=dice) / 15**0.5
    blend += own * torch.eye(15)[torch.randperm(15, generator=dice)]
    copy = models.clone(model)
    for p in copy[1].parameters():
        p.data = blend @ p.data
    copy[3].weight.data = copy[3].weight.data @ blend.T
    return copy


# %% tags=["hide-input"]
def four_of_each(**how):
    """Four blended copies of each of the eight networks."""
    dice = torch.Generator().manual_seed(1)
    return [blended(m, dice=dice, **how) for m in eight for _ in range(4)]


def matched_r(group):
    return np.mean(
        [correlation(a, matching.align(a, b)) for a, b in in_pairs(group)]
    )


r = found_r["mean"]["trained"]
sizes = np.arange(0.6, 2, 0.1)
reached = [matched_r(four_of_each(size=float(size))) for size in sizes]
blend_size = float(sizes[np.argmin(np.abs(np.array(reached) - r))])
made = {
    "planted, noise": [noisy(m, r) for m in eight for _ in range(4)],
    "planted, blends": four_of_each(size=blend_size),
    "blends alone": four_of_each(size=1.0, own=0),
}

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: how many of a trained network's units come back by way of two others?" say="Send one student as a unit from A to B to C and home; random orders would bring one unit home on average. Vote for networks trained on the digits, and then once more for networks trained on random labels."
# - one or two, as by chance
# - few, but more than by chance
# - most of them
# - all, because every matching is exact

# %% tags=["hide-input"]
rows = []
for name, group in {**made, **groups}.items():
    size = 4 if name == "same start" or name in made else 8
    for k in range(0, len(group), size):
        some = group[k : k + size]
        both = [same_partner(a, b) for a, b in in_pairs(some)]
        row = {"networks": name, "returns": returning(some[:6])}
        rows.append(row | {"same partner": np.mean(both)})
partners = pd.DataFrame(rows)

# %% tags=["remove-cell"]
found = partners.groupby("networks").mean()
claims.check(
    "matching_return",
    found.returns["planted, blends"],
    null=found.returns["planted, noise"],
    repeats=partners.returns[partners.networks == "planted, blends"],
)

# %% tags=["hide-input"] slide="Few units come back, with random labels too, and that is no evidence that counterparts are missing." say="Start with the trained row and let them conclude. Then read the two planted rows: in both, each unit has a counterpart, and the kind of noise decides how many return. Where no unit has one, the blends alone, not many fewer return." mystnb={"figure": {"name": "fig-partners", "caption": "Left: share of hidden units that come back to themselves on a way through three networks. Right: share of units to which weights and activations give the same partner. One dot for each group of four to eight networks, and the means with their 95 % intervals (bootstrap over groups); the dotted line is chance. In both planted rows each unit has a counterpart: most return where the noise is independent, few where it is a blend of units, and not many fewer in trained networks and where units are blends alone. Networks trained on the digits are close to those trained on random labels."}, "image": {"alt": "Two panels with nine rows of dots each. In both, networks of the same start lie near one. On the left copies with planted noise lie far to the right, and the other rows near the left end, with planted blends, blends alone, trained networks and random labels near one another. On the right copies with planted noise lie right of the middle, trained networks, random labels and planted blends about the middle, relabelled ones lower and untrained ones near chance, which is a dotted line."}}
kinds = ["same start", *made, "trained", *NULLS]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharey=True)
for ax, measure, label in zip(
    axes,
    ("returns", "same partner"),
    ("share that returns", "share with the same partner"),
    strict=True,
):
    style = {
        "x": measure,
        "y": "networks",
        "order": kinds,
        "color": C["matched"],
        "ax": ax,
    }
    sns.stripplot(partners, alpha=0.5, size=4, **style)
    sns.pointplot(
        partners, errorbar=("ci", 95), markers="|", linestyle="none", **style
    )
    ax.axvline(1 / 15, ls=":", color=C["null"], label="chance")
    ax.set(xlabel=label, ylabel="", xlim=(0, 1.05), xticks=[0, 0.5, 1])
axes[0].legend(loc="lower right")
plt.show()

# %% tags=["remove-input"]
spread = partners.groupby("networks")["returns"].sem()
gap = found.returns["trained"] - found.returns["random labels"]
gap_error = np.hypot(spread["trained"], spread["random labels"])
Markdown(
    f"Of the units of trained networks {percent(found.returns['trained'])} come back. Does that say that most have no "
    f"counterpart? Planted counterparts with independent noise come back in {percent(found.returns['planted, noise'])} of cases, though the weights "
    f"agree no better. But with noise that blends units only {percent(found.returns['planted, blends'])} do, at a matched correlation "
    f"of {matched_r(made['planted, blends']):.2f}, and every unit has a counterpart there, too, though a blurred one: in the planted order "
    f"the weights correlate at about {1 / (1 + blend_size**2):.2f}, and matching finds an order that looks better. And of units that are blends alone, without any counterpart, "
    f"{percent(found.returns['blends alone'])} come back, at a correlation of {matched_r(made['blends alone']):.2f}. The kind of noise decides far more than "
    "whether there are counterparts, so a small share is no evidence that they are missing: a unit may be lost because it has "
    "none, or because its counterpart differs by what other units look like.\n\n"
    f"Nor is the return the digits' doing. With relabelled classes {percent(found.returns['classes relabelled'])} come back, in "
    f"untrained networks {percent(found.returns['untrained'])}, and by chance {percent(1 / 15)} would; but with random labels it is "
    f"{percent(found.returns['random labels'])}. The difference between trained networks and these, {100 * gap:.1f} ± {100 * gap_error:.1f} "
    "percentage points (standard error), is "
    f"{'within two standard errors of' if abs(gap) < 2 * gap_error else 'more than two standard errors from'} zero. Weights and "
    f"activations name the same partner for {percent(found['same partner']['trained'])} of the units of trained networks, for "
    f"{percent(found['same partner']['random labels'])} where the labels were random, "
    f"{percent(found['same partner']['classes relabelled'])} with relabelled classes and "
    f"{percent(found['same partner']['untrained'])} in untrained networks; of planted ones for "
    f"{percent(found['same partner']['planted, noise'])} with noise and {percent(found['same partner']['planted, blends'])} with blends, and of "
    f"blends alone for {percent(found['same partner']['blends alone'])}. So two methods agree more the more "
    "the networks share, images and labels, and whether the labels mean anything makes little difference."
)

# %% [markdown]
# ## What matching buys
#
# Does the mean network work now? Split the ensemble into groups of eight, and average each group in
# four ways: as trained; matched by weights to the group's first network; matched to the group's
# consensus; and matched by {term}`activations <activation>` to the first. Two more numbers help to judge the result. Averaging shrinks the
# variance of a unit where the averaged weights do not quite agree; {term}`REPAIR`
# {cite:p}`jordan2023` gives it back, by setting the mean and standard deviation of what enters each ReLU
# to the parents' mean values. And if it is the outputs that are averaged, not the weights, no unit
# needs a partner: that is the ceiling. {numref}`fig-means` shows all of them.


# %%
def versions(group):
    """A group of networks in four orders of their units."""
    first, x = group[0], images.train.x
    return {
        "unmatched": group,
        "weights": [matching.align(first, m) for m in group],
        "consensus": matching.consensus(group),
        "activations": [
            matching.align(first, m, "activations", x=x) for m in group
        ],
    }


# %% tags=["hide-input"]
rows = []
eights = [networks[i : i + 8] for i in range(0, len(networks) - 7, 8)]
for group in eights:
    for name, parents in versions(group).items():
        mean = matching.average(parents)
        repaired = matching.repair(mean, parents, images.train.x)
        for network, model in (("mean", mean), ("repaired", repaired)):
            accuracy = training.accuracy(model, images.test)
            rows.append(
                {"units": name, "network": network, "accuracy": accuracy}
            )
means = pd.DataFrame(rows)


# %% tags=["remove-cell"]
def vote(group):
    """Accuracy of the mean of the networks' outputs, as probabilities."""
    outputs = [training.logits(m, images.test.x).softmax(1) for m in group]
    found = torch.stack(outputs).mean(0).argmax(1).cpu()
    return float((found == images.test.y).float().mean())


ceiling = np.mean([vote(group) for group in eights])
of = means.groupby(["units", "network"]).accuracy
claims.check(
    "matching_mean",
    of.mean()["consensus", "mean"],
    null=of.mean()["unmatched", "mean"],
    repeats=of.get_group(("consensus", "mean")),
)

# %% tags=["hide-input"] slide="The mean of matched networks works, but not as well as one network." say="Ask what the unmatched mean lacks, and let them see how much of it REPAIR gives back: that part is only scale. The upper lines show what no mean of weights reaches." mystnb={"figure": {"name": "fig-means", "caption": "Accuracy of the mean of eight networks, one dot for each group, as it is and after REPAIR. Every kind of matching helps, and REPAIR helps most where units were not matched; no mean network is as good as a single network or as the mean of the outputs (the two upper lines, which lie close together)."}, "image": {"alt": "Four pairs of strips of dots: unmatched, weights, consensus, activations, each as it is and repaired. The unmatched strips lie lowest, and its repaired strip lies above the other; the matched ones lie higher, below the two horizontal lines of single networks and of averaged outputs."}}
fig, ax = plt.subplots(figsize=(7.2, 3.2))
sns.stripplot(
    means, x="units", y="accuracy", hue="network", dodge=True, alpha=0.7, ax=ax,
    palette={"mean": plotting.LEVELS[0], "repaired": plotting.LEVELS[2]},
)  # fmt: skip
ax.axhline(ceiling, color=C["ink"], lw=1, label="mean of outputs")
ax.axhline(accuracies.mean(), ls="--", color=C["ink"], label="one network")
ax.axhline(0.1, ls=":", color=C["null"], label="chance")
ax.set(xlabel="", ylabel="accuracy of the mean of 8", ylim=(0, 1))
ax.legend(title="", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% tags=["remove-input"]
plain = means[means.network == "mean"].reset_index()
plain["group"] = plain.groupby("units").cumcount()
plain = plain.pivot(index="group", columns="units", values="accuracy")
better = plain.consensus - plain.weights
of = of.mean()
Markdown(
    f"Over the {len(eights)} groups, the unmatched mean has accuracy {of['unmatched', 'mean']:.3f}, and {of['unmatched', 'repaired']:.3f} after "
    f"REPAIR. Matched to the consensus it has {of['consensus', 'mean']:.3f}, and {of['consensus', 'repaired']:.3f} "
    f"after REPAIR. A single network has {accuracies.mean():.3f}, and the mean of the outputs "
    f"{ceiling:.3f}. The consensus is better than matching all to one network by "
    f"{better.mean():.3f} ± {better.sem():.3f} (standard error over groups). So part of what an unmatched mean lacks is only scale; but no mean of weights does what a "
    "single network does."
)

# %% [markdown]
# ## The line between two networks
#
# Walk from one network to another in a straight line and measure the loss on the way: the excess over
# the line between its two ends is the {term}`barrier` {cite:p}`frankle2020,ainsworth2023`, if it is taken where it is largest.
# {numref}`fig-line` shows the line for many pairs; the numbers after it are of its middle, the {term}`excess half-way`.

# %%
aligned_pairs = [(a, matching.align(a, b)) for a, b in pairs]
lines = {
    "unmatched": [matching.barrier(a, b, images.test) for a, b in pairs],
    "matched": [matching.barrier(a, b, images.test) for a, b in aligned_pairs],
}

# %% tags=["remove-cell"]


def excess(line):
    """Loss in the middle of a line above the mean loss at its ends."""
    middle = line.loss[len(line.loss) // 2]
    return (middle - (line.loss[0] + line.loss[-1]) / 2).item()


heights = {
    name: np.array([excess(line) for line in found])
    for name, found in lines.items()
}
at_ends = np.mean([line.loss[[0, -1]].mean() for line in lines["matched"]])
claims.check(
    "matching_barrier",
    heights["matched"].mean(),
    null=heights["unmatched"].mean(),
    repeats=heights["matched"],
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-line", "caption": "Loss (left, on a logarithmic axis) and accuracy (right) on held-out digits, along the straight line between two networks: mean over disjoint pairs, with bands of one standard deviation. Matching lowers the barrier a great deal, and does not remove it."}, "image": {"alt": "Two panels against the position on the line. Unmatched, the loss rises far above both ends in the middle and the accuracy falls; matched, the loss rises much less and the accuracy falls little."}}
frame = pd.concat(
    [
        plotting.tidy(
            [getattr(line, measure) for line in found],
            found[0].t,
            order=order_,
            measure=measure,
        )
        for order_, found in lines.items()
        for measure in ("loss", "accuracy")
    ]
)
grid = sns.relplot(
    frame, x="x", y="value", hue="order", style="order", col="measure", kind="line", errorbar="sd",
    palette=C, facet_kws={"sharey": False}, height=3, aspect=1.1,
)  # fmt: skip
grid.set_titles("").set_xlabels("position on the line")
grid.axes[0, 0].set(ylabel="loss (nats)", yscale="log")
grid.axes[0, 1].set(ylabel="accuracy")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.42, 1), ncols=2, title=""
)
plt.show()

# %% tags=["remove-input"]
distances = [
    np.sum((weights(a) - weights(matched)) ** 2)
    / np.sum((weights(a) - weights(b)) ** 2)
    for (a, b), (_, matched) in zip(pairs, aligned_pairs, strict=True)
]
Markdown(
    f"In the middle of the line the loss lies {heights['unmatched'].mean():.2f} nats above its ends before "
    f"matching and {heights['matched'].mean():.2f} nats after (mean over {len(pairs)} disjoint pairs). The loss at "
    f"the ends is {at_ends:.2f} nats, so even between matched networks it rises to "
    f"{heights['matched'].mean() / at_ends + 1:.1f} times that value: the barrier is lower, but not low. Matching "
    f"also removes {percent(1 - np.mean(distances))} of the squared distance between the two ends."
)

# %% [markdown]
# Walk along one of these lines in {numref}`fig-path`. Each picture shows the input weights of one
# hidden unit; nearly white ones are {term}`dead units <dead unit>`. Matched, some units turn into one that resembles them and some do
# not. Clear the box, and nearly all turn into a unit with another picture: half-way they are blends of two, and
# the accuracy falls.

# %% tags=["hide-input"] slide="Matching lowers the barrier, and does not remove it: half-way, some units are blends of two." say="Drag the slider to the middle with the box set, then clear the box. Ask for a unit that turns into one that resembles it, and for one that does not." mystnb={"figure": {"name": "fig-path", "caption": "A figure with a handle: the straight line from network A to network B, with B's units matched to A's or not. Drag the slider or the curve, and compare the two curves half-way."}}
matching.path_slider(*pairs[0], images.test, (8, 8))

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: is what is left of the barrier the fault of the order?" say="The order was chosen to bring weights together, not to lower the loss. Let them vote on what an order chosen by the training loss would do, judged on held-out digits, and on whether the weights would then agree more or less. Vote again after the next figure."
# - Another order would not help: the two networks are too different.
# - Another order would remove a part of it.
# - Another order would remove all of it.

# %% [markdown]
# **Is what is left the order's fault?** It is conjectured that some order removes the barrier between
# wide enough networks {cite:p}`entezari2022`, and the order that brings weights closest need not be that one. So
# choose the order by the loss: swap the two units whose swap lowers the *training* loss half-way
# most, and repeat until no swap lowers it ({py:func}`.matching.match_by_loss`; methods that descend
# by gradients instead exist {cite:p}`pena2023`). We start it once from the matched order and once from
# the order in which the units came. {numref}`fig-swaps` shows the excess half-way on held-out digits beside the
# agreement of the weights.

# %%
one, two = pairs[0]
by_weights = matching.match(one, two)
by_training_loss = matching.match_by_loss(one, two, images.train, by_weights)

# %% tags=["hide-input"]
rows, agreeing = [], []
for pair, (one, two) in enumerate(pairs[: knobs.swap_pairs]):
    came, matched = [torch.arange(15)], matching.match(one, two)
    orders = {
        "as they came": came,
        "matched by weights": matched,
        "matched, then swaps": matching.match_by_loss(
            one, two, images.train, matched
        ),
        "as they came, then swaps": matching.match_by_loss(
            one, two, images.train, came
        ),
    }
    # A null: as many units exchanged as the swaps moved, but at random.
    moved = int((orders["matched, then swaps"][0] != matched[0]).sum())
    some = torch.randperm(15, generator=generator)[:moved]
    at_random = matched[0].clone()
    at_random[some] = matched[0][some.roll(1)]
    orders["matched, then random swaps"] = [at_random]
    two_searches = (
        orders["matched, then swaps"][0]
        == orders["as they came, then swaps"][0]
    )
    agreeing.append(float(two_searches.float().mean()))
    for name, order in orders.items():
        other = matching.permute(two, order)
        line = matching.barrier(one, other, images.test, steps=3)
        row = {"pair": pair, "order": name, "excess": excess(line)}
        rows.append(row | {"correlation": correlation(one, other)})
by_loss = pd.DataFrame(rows)

# %% tags=["remove-cell"]
wide = by_loss.pivot(index="pair", columns="order", values="excess")
claims.check(
    "matching_swaps",
    wide["matched, then swaps"].mean(),
    null=wide["matched by weights"].mean(),
    repeats=wide["matched, then swaps"],
)

# %% tags=["hide-input"] slide="A low loss half-way goes with a little agreement of weights, and does not need more." say="Find the squares: these orders were found by the loss alone. Most have a lower excess than the matching by weights has on the same pair; the ones at the far left are about level with it. Come back to the vote: the order was at fault for part of the barrier, and a good order need not bring the weights together." mystnb={"figure": {"name": "fig-swaps", "caption": "Excess loss half-way between two networks, on held-out digits, against the correlation of their weights; one mark for each pair and order of units. Swaps that lower the training loss bring the excess of most pairs below that of the matching by weights, also from the order in which the units came, where the weights agree little."}, "image": {"alt": "A scatter plot of three kinds of marks. Pairs matched by weights lie at the right, spread over low and high excess; those with swaps after matching lie a little to the left of them and lower; those with swaps from the order in which units came lie far to the left, at small correlations, and mostly below the first kind."}}
orders_shown = {
    "matched by weights": C["matched"],
    "matched, then swaps": plotting.LEVELS[0],
    "as they came, then swaps": plotting.LEVELS[3],
}
shown = by_loss[by_loss.order.isin(orders_shown)]
fig, ax = plt.subplots(figsize=(7.2, 3.2))
sns.scatterplot(
    shown, x="correlation", y="excess", hue="order", style="order",
    palette=orders_shown, edgecolor="none", s=36, ax=ax,
)  # fmt: skip
ax.axhline(0, color=C["null"], lw=1)
ax.set(xlabel="correlation of weights", ylabel="excess half-way (nats)")
ax.legend(title="", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% tags=["remove-input"]
of = by_loss.groupby("order")[["excess", "correlation"]].mean()
close = by_loss.pivot(index="pair", columns="order", values="correlation")
rise = close["as they came, then swaps"] - close["as they came"]
Markdown(
    f"Over {knobs.swap_pairs} pairs, the units as they came have an excess of {of.excess['as they came']:.2f} nats. "
    f"From the matched order, swaps take the excess from {of.excess['matched by weights']:.3f} to "
    f"{of.excess['matched, then swaps']:.3f} nats, while the correlation of the weights falls from "
    f"{of.correlation['matched by weights']:.2f} to {of.correlation['matched, then swaps']:.2f}. As many exchanges at "
    f"random raise the excess to {of.excess['matched, then random swaps']:.2f}. So more than half of the barrier that "
    "weight matching leaves is the fault of the order that it chose. And started from the order in which the units came, "
    f"swaps reach {of.excess['as they came, then swaps']:.3f} nats at a correlation of {of.correlation['as they came, then swaps']:.2f}. "
    f"They saw the loss alone, and still raised the correlation by {rise.mean():.2f} ± {rise.sem():.2f} (standard error over pairs), in {(rise > 0).sum()} of "
    f"{len(rise)} pairs; matching finds more in untrained networks ({found_r['mean']['untrained']:.2f}). The two "
    f"searches on one pair agree on the partners of {percent(np.mean(agreeing))} of the units. So a low loss half-way goes with a little "
    "agreement of weights, and does not need more: there are enough orders to find several good ones among them."
)

# %% [markdown]
# ## Scale, and how many directions
#
# A ReLU also commutes with positive factors: $\operatorname{relu}(c z) = c \operatorname{relu}(z)$ for
# $c > 0$. Dividing a unit's incoming weights and its bias by a factor and multiplying its outgoing weights by it changes
# nothing. So the size of a unit's incoming weights says nothing by itself, and a scale has to be chosen
# before sizes are compared. {py:func}`.matching.canonical` gives the incoming weights of each unit (its
# bias included) norm one. {numref}`fig-norms` shows what scale training chooses.


# %%
def norms(model):
    """Norms of each unit's incoming weights (with bias) and outgoing weights."""
    into = torch.cat([model[1].weight, model[1].bias[:, None]], dim=1)
    return into.norm(dim=1).numpy(), model[3].weight.norm(dim=0).numpy()


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-norms", "caption": "Norms of the incoming and outgoing weights of each hidden unit of eight networks, before and after training. At the start the two have nothing to do with each other; training ties them together. Trained units that stay among the untrained ones are the dead ones."}, "image": {"alt": "A scatter plot. Gray dots of untrained units form a small cloud; blue dots of trained units lie along a rising line."}}
fig, ax = plt.subplots(figsize=(4.6, 3.2))
ties, apart = {}, {}
starts = [training.start(make, k) for k in range(8)]
by_name = {"untrained": (starts, C["null"]), "trained": (eight, C["matched"])}
for name, (group, color) in by_name.items():
    into, out = np.concatenate([norms(m) for m in group], axis=1)
    ties[name] = np.corrcoef(into, out)[0, 1]
    apart[name] = np.abs(into**2 - out**2)
    style = {"mfc": "none", "zorder": 3} if name == "untrained" else {}
    ax.plot(into, out, "o", ms=4, color=color, label=name, alpha=0.7, **style)
ax.set(xlabel="norm of incoming weights", ylabel="norm of outgoing weights")
ax.legend()
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"The correlation of the two norms is {ties['trained']:.3f} after training and {num(ties['untrained'])} before. Behind it "
    "is a law, for steps that are small: gradient flow keeps the difference of the squared norms of each unit as it "
    f"was at the start, so what grows in one grows in the other. Steps of this size keep it roughly: the difference is "
    f"{apart['untrained'].mean():.2f} on average at the start and {apart['trained'].mean():.2f} at the end, where the squared norms "
    f"of incoming weights are {np.mean([norms(m)[0] ** 2 for m in eight]):.0f} on average. The canonical scale puts all of a unit's size into its outgoing weights, so an order found "
    "in it is mostly one of these."
)

# %% [markdown]
# The {term}`singular values <singular value>` of a network's weights depend on that choice. The source asked for the
# singular values of the mean adjacency matrix, and for its {term}`elbow`, where the
# profile likelihood of {cite:t}`zhu2006` splits the values into large and small ones (graspologic's
# `select_dimension` uses the same rule). Multiply all incoming weights and the biases of the hidden units by 3, divide
# the outgoing weights by 3, and the elbow moves. So we take the networks in the {term}`canonical scale`, match them there, and
# truncate the incoming weights of their mean to a lower {term}`rank` ({numref}`fig-rank`); with the outgoing ones left whole, no
# factor common to all units matters.

# %%
in_scale = [matching.canonical(m) for m in eight]
mean_networks = {
    "unmatched": matching.average(in_scale),
    "matched": matching.average(matching.consensus(in_scale)),
}


def incoming(model):
    return torch.cat(
        [model[1].weight, model[1].bias[:, None]], dim=1
    )  # (15, 65)


def of_rank(model, r):
    """The network with its incoming weights truncated to rank r."""
    u, s, vt = torch.linalg.svd(incoming(model), full_matrices=False)
    low, result = (u[:, :r] * s[:r]) @ vt[:r], models.clone(model)
    result[1].weight.data, result[1].bias.data = low[:, :-1], low[:, -1]
    return result


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rank", "caption": "Left: singular values of the incoming weights in the canonical scale. Right: accuracy when only the largest are kept. Curves of the mean of eight networks, unmatched and matched, and of one network (an average over the eight). The first values of the matched mean are larger than those of the unmatched one, and its accuracy is higher; it needs fewer directions than one network."}, "image": {"alt": "Left, three falling curves of 15 singular values. Right, accuracy against rank for the same three: all start at chance, the single networks end highest, the matched mean next, the unmatched mean lowest."}}
ranks = range(16)


def curves(group):
    """Mean singular values and mean accuracy by rank, over a group of networks."""
    values = [torch.linalg.svdvals(incoming(m)).numpy() for m in group]
    accuracy = [
        [training.accuracy(of_rank(m, r), images.test) for r in ranks]
        for m in group
    ]
    return np.mean(values, axis=0), np.mean(accuracy, axis=0)


by_rank = {name: curves([m]) for name, m in mean_networks.items()}
by_rank["one network"] = curves(in_scale)
fig, axes = plt.subplots(1, 2)
for name, (values, accuracy) in by_rank.items():
    color = C.get(name, C["other"])
    axes[0].plot(range(1, 16), values, ".-", color=color, label=name)
    axes[1].plot(ranks, accuracy, ".-", color=color)
axes[1].axhline(0.1, ls=":", color=C["null"], label="chance")
axes[0].set(xlabel="index", ylabel="singular value", xticks=range(1, 16, 2))
axes[1].set(
    xlabel="rank kept", ylabel="accuracy on held-out digits", ylim=(0, 1)
)
axes[0].legend()
axes[1].set_xticks(range(0, 16, 3))
axes[1].legend(loc="upper left")
plt.show()

# %% tags=["remove-cell"]
mean_adjacency = matching.adjacency(matching.average(agreed))
rescaled = mean_adjacency.copy()
rescaled[:, 64:79] *= 3
rescaled[64:79] /= 3
bends = [
    matching.elbow(np.linalg.svd(m, compute_uv=False)[:25])
    for m in (mean_adjacency, rescaled)
]
elbows = {name: matching.elbow(values) for name, (values, _) in by_rank.items()}
enough = {
    name: next(r for r in ranks if accuracy[r] > accuracy[-1] - 0.02)
    for name, (_, accuracy) in by_rank.items()
}

# %% tags=["remove-input"]
Markdown(
    f"In the source's own measure the elbow of the matched mean is at {bends[0]}, and at {bends[1]} after the change "
    "of scale that changes no output, so neither number says anything about the function. In the canonical "
    f"scale a single network comes within two hundredths of its full accuracy at rank {enough['one network']}, and the "
    f"matched mean at rank {enough['matched']}. The "
    f"elbow of the singular values, in this scale, is at {elbows['matched']} for the matched mean and at {elbows['one network']} for one "
    "network. So the mean of matched networks keeps the directions on which they agree, which are fewer than each uses."
)

# %% [markdown]
# ## Deeper, wider, convolutional
#
# **Deeper.** With two or more hidden layers the objective is no longer linear, because one layer's best
# order depends on that of its neighbours. Hold all layers but one fixed, and it is a linear assignment
# again. Repeating this over layers never lowers the objective, and it stops when no layer can be
# improved: {term}`coordinate descent` {cite:p}`ainsworth2023`. The order may be found in the canonical scale
# or in the scale of training, and so may the line be drawn; the table keeps the two apart.

# %% tags=["hide-input"]
short = {"epochs": knobs.deep_epochs, "lr": 0.1, "progress": False}
deep = training.fit_ensemble(
    lambda: models.mlp([64, 32, 32, 10]),
    images.train,
    range(knobs.deep_networks),
    **short,
)
rows = []
for one, two in in_pairs(deep):
    a, b = matching.canonical(one), matching.canonical(two)
    order = matching.match(a, b)
    versions_ = {
        "as they came": (one, two),
        "matched": (one, matching.align(one, two)),
        "matched in canonical scale": (one, matching.permute(two, order)),
        "matched and drawn in canonical scale": (a, matching.permute(b, order)),
    }
    rows.append(
        {
            name: matching.barrier(*pair, images.test).height
            for name, pair in versions_.items()
        }
    )
deep_heights = pd.DataFrame(rows)

# %% tags=["remove-input"]
summary = deep_heights.agg(["mean", "sem"]).T
summary.columns = ["barrier (nats)", "standard error"]
plotting.table(summary.rename_axis(f"64-32-32-10, {len(rows)} pairs"))

# %% tags=["remove-input"]
mean = summary["barrier (nats)"]
paired = deep_heights.iloc[:, 3] - deep_heights.iloc[:, 2]
moved = deep_heights.iloc[:, 2] - deep_heights.iloc[:, 1]
Markdown(
    "Matching lowers the barrier in deeper networks too. To find the order in the canonical scale changes it by "
    f"{moved.mean():+.3f} ± {moved.sem():.3f} nats (standard error over pairs), and to draw the line there as well by "
    f"another {paired.mean():+.3f} ± {paired.sem():.3f}: between rescaled networks the straight line is another line."
)

# %% [markdown]
# **Wider.** Does matching work better on wider networks, where there are more units to choose from?
# {numref}`fig-width` shows the barrier for each width.

# %% tags=["hide-input"]
rows = []
for width in settings.progress(knobs.widths, desc="widths"):
    wide = training.fit_ensemble(
        lambda width=width: models.mlp([64, width, 10]),
        images.train,
        range(knobs.width_networks),
        **short,
    )
    for one, two in in_pairs(wide):
        for units, other in [
            ("unmatched", two),
            ("matched", matching.align(one, two)),
        ]:
            height = matching.barrier(one, other, images.test).height
            rows.append({"width": width, "units": units, "barrier": height})
by_width = pd.DataFrame(rows)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-width", "caption": "Barrier against the number of hidden units, one dot for each pair and the median of the pairs as a line, both axes logarithmic. Triangles are barriers too small for the axis. Both barriers fall with width and level off in the widest networks; the matched one stays below the unmatched one."}, "image": {"alt": "Two lines on logarithmic axes with a few dots around them, which fall and then level off. The matched line lies below the unmatched line."}}
FLOOR = 1e-4  # a barrier below it is drawn at it, as a triangle
shown = by_width.assign(
    barrier=by_width.barrier.clip(FLOOR), below=by_width.barrier < FLOOR
)
fig, ax = plt.subplots()
style = {"x": "width", "y": "barrier", "hue": "units", "palette": C, "ax": ax}
dots = {"style": "below", "markers": {False: "o", True: "v"}, "legend": False}
sns.scatterplot(shown, alpha=0.6, **dots, **style)
sns.lineplot(shown, estimator="median", errorbar=None, style="units", **style)
ax.set(
    xscale="log", yscale="log", xlabel="hidden units", ylabel="barrier (nats)"
)
ax.set_xticks(knobs.widths, knobs.widths)
ax.minorticks_off()
ax.legend(title="")
plt.show()

# %% tags=["remove-input"]
median = by_width.pivot_table(
    index="width", columns="units", values="barrier", aggfunc="median"
)
of_pairs = by_width.pivot_table(
    index=["width", by_width.index // 2], columns="units", values="barrier"
)
lower = int((of_pairs.matched < of_pairs.unmatched).sum())
middle = 128 if 128 in median.index else median.index[-1]
falls = median.iloc[0] / median.loc[middle]
Markdown(
    f"The matched barrier is the lower one in {lower} of {len(of_pairs)} pairs. From {median.index[0]} to {middle} units the median "
    f"unmatched barrier falls {falls.unmatched:.0f} times, to {median.unmatched[middle]:.4f} nats, and the matched one {falls.matched:.0f} times, to "
    f"{median.matched[middle]:.4f}; at {median.index[-1]} units they are {median.unmatched.iloc[-1]:.4f} and "
    f"{median.matched.iloc[-1]:.4f}. So wider networks have lower barriers either way, and the order of units still matters "
    "in the widest ones here. Whether the barriers rise again at the right end, a few pairs do not tell."
)

# %% [markdown]
# **Convolutional.** The units of a convolution are its {term}`channels <channel>`. To reorder them, the input channels of
# the next convolution are reordered too, or, if a dense layer follows, the columns of all positions of each
# channel. {py:func}`.matching.permute` knows which these are; all else stays as it was. Here are small convolutional networks on the digits, matched by
# weights and by activations.

# %% tags=["hide-input"]
convolutional = training.fit_ensemble(
    lambda: models.convnet(
        (1, 8, 8), [12, 24], kernel_size=3, padding=1, pool=2
    ),
    images.train,
    range(knobs.convolutional),
    epochs=15,
    lr=0.05,
    progress=False,
)
rows = []
for one, two in in_pairs(convolutional):
    row = {"as they came": matching.barrier(one, two, images.test).height}
    for method in ("weights", "activations"):
        other = matching.align(one, two, method, x=images.train.x)
        row[f"matched by {method}"] = matching.barrier(
            one, other, images.test
        ).height
    rows.append(row)

# %% tags=["remove-input"]
summary = pd.DataFrame(rows).agg(["mean", "min", "max"]).T
summary.columns = ["barrier (nats)", "least", "largest"]
plotting.table(summary.rename_axis(f"two convolutions, {len(rows)} pairs"))

# %% tags=["remove-input"]
by = summary["barrier (nats)"]
paired = pd.DataFrame(rows).iloc[:, 2] - pd.DataFrame(rows).iloc[:, 1]
Markdown(
    f"Either way the barrier falls: from {by.iloc[0]:.2f} to {by.iloc[1]:.2f} nats by weights, and to {by.iloc[2]:.2f} by "
    f"activations. Activations less weights is {paired.mean():+.2f} nats, with a standard error of {paired.sem():.2f} over "
    f"{len(paired)} pairs, so these networks do not say which is better."
)

# %% [markdown]
# **Unequal widths.** A permutation needs as many units on both sides; an {term}`assignment` leaves some out. {term}`Optimal transport` moves mass
# from units to units instead, so that one may be shared among several {cite:p}`singh2020`; with equal
# widths and masses it is the linear assignment again. {py:func}`.matching.transport` moves the units of a
# network of 30 hidden units onto the 15 slots of another. A unit may weigh the same as any other, or as
# much as the product of its norms, so that dead units hardly count.

# %%
twice_as_wide = training.fit_ensemble(
    lambda: models.mlp([64, 30, 10]), images.train, range(8), **recipe
)
moved, plan = matching.transport(eight[0], twice_as_wide[0], "norms")


# %% tags=["hide-input"]
rows = []
for one, two in zip(eight, twice_as_wide, strict=True):
    moved = {
        f"all 30 units, {words}": matching.transport(one, two, mass)[0]
        for mass, words in (
            ("equal", "of equal mass"),
            ("norms", "mass by norms"),
        )
    }
    half = models.clone(one)  # the null: 15 of the 30, the best assigned
    chosen = alignment.bipartite_match(
        read(one).units(0) @ read(two).units(0).T
    )
    half[1].weight.data = two[1].weight.data[chosen]
    half[1].bias.data = two[1].bias.data[chosen]
    half[3].weight.data = two[3].weight.data[:, chosen]
    half[3].bias.data = two[3].bias.data
    moved["15 of 30 units, the best assigned"] = half
    for name, model in moved.items():
        both = matching.average([one, model])
        rows.append(
            {
                "moved": name,
                "alone": training.accuracy(model, images.test),
                "mean with the other": training.accuracy(both, images.test),
            }
        )

# %% tags=["remove-input"]
fused = pd.DataFrame(rows).groupby("moved").mean()
errors = pd.DataFrame(rows).groupby("moved").sem()["mean with the other"]
plotting.table(fused.rename_axis("moved onto 15 units"))

# %% tags=["remove-input"]
mean = fused["mean with the other"]
narrow = np.mean(
    [training.accuracy(matching.average(p), images.test) for p in aligned_pairs]
)
Markdown(
    f"The mean of a network of 15 units and one of 30 has accuracy {mean['all 30 units, of equal mass']:.3f} where all units have "
    f"the same mass, {mean['all 30 units, mass by norms']:.3f} where mass follows the norms, and "
    f"{mean['15 of 30 units, the best assigned']:.3f} where the best 15 of the 30 are assigned and the others left out (standard errors "
    f"up to {errors.max():.3f}, over 8 pairs). Of two networks of 15 units, matched, it is {narrow:.3f}. Moved onto 15 slots alone, the "
    "wider network loses accuracy: where two unlike units share a slot, the function is no longer the same."
)

# %% [markdown]
# ## One distribution?
#
# The source's title promises the distribution of networks. Now that units have places, one can be fitted:
# match the whole ensemble to its consensus, and ask how much of it must be kept to draw new
# networks that work. {numref}`fig-draws` goes up in three steps: a Gaussian for each weight on its own; a Gaussian for
# each unit, whose weights vary together while units are independent, and beside it whole units, each taken
# from a network drawn at random, with no Gaussian at all; and one Gaussian for all weights. Each is fitted
# twice, to either half of the ensemble, and to the units as they came as well.

# %%
LAWS = {
    "each weight": lambda group: matching.sample_gaussian(
        group, generator, "diagonal"
    ),
    "each unit": lambda group: matching.sample_gaussian(
        group, generator, "units"
    ),
    "whole units": lambda group: matching.sample_slots(group, generator),
    "all weights": lambda group: matching.sample_gaussian(
        group, generator, "full"
    ),
}

# %% tags=["hide-input"]
rows = []
for half, group in enumerate((networks[::2], networks[1::2])):
    orders = {"unmatched": group, "matched": matching.consensus(group)}
    for units, parents in orders.items():
        for law, draw in LAWS.items():
            for _ in range(knobs.draws):
                accuracy = training.accuracy(draw(parents), images.test)
                rows.append((law, units, half, accuracy))
draws = pd.DataFrame(rows, columns=["law", "units", "half", "accuracy"])

# %% tags=["remove-cell"]
of = draws.groupby(["law", "units"]).accuracy.mean()
halves = draws.groupby(["law", "units", "half"]).accuracy.mean()
claims.check(
    "matching_drawn",
    of["all weights", "matched"],
    null=of["all weights", "unmatched"],
    repeats=halves["all weights", "matched"],
)
everyone = matching.consensus(networks)
from_all = np.mean(
    [
        training.accuracy(LAWS["all weights"](everyone), images.test)
        for _ in range(2 * knobs.draws)
    ]
)
centre = training.accuracy(
    matching.average(matching.consensus(networks)), images.test
)

# %% tags=["hide-input"] slide="No distribution that was fitted draws networks as good as trained ones." say="Go from left to right: each step lets more vary together, and each is better matched than unmatched. Even the last, which can only mix the networks it was fitted to, stays below the dashed line." mystnb={"figure": {"name": "fig-draws", "caption": "Accuracy of new networks, one dot each, drawn from distributions that keep more and more of the ensemble, fitted to units as they came or to matched units. Matching helps at each step, and networks are drawn best where all weights vary together; none is as good as a trained one (dashed)."}, "image": {"alt": "Four pairs of strips of dots along accuracy, from each weight on its own at the left to all weights together at the right. They rise from left to right, with the two in the middle alike, and the matched strip lies above the unmatched one in each; a dashed line lies above all dots."}}
fig, ax = plt.subplots(figsize=(7.2, 3.2))
sns.stripplot(
    draws, x="law", y="accuracy", hue="units", palette=C, dodge=True, alpha=0.6, size=4, ax=ax
)  # fmt: skip
ax.axhline(accuracies.mean(), ls="--", color=C["ink"], label="one network")
ax.axhline(0.1, ls=":", color=C["null"], label="chance")
ax.set(
    xlabel="what varies together",
    ylabel="accuracy of a drawn network",
    ylim=(0, 1),
)
ax.legend(title="", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% tags=["remove-input"]
steps = ["each weight", "each unit", "whole units", "all weights"]
Markdown(
    "Drawn from matched units, networks reach "
    + ", ".join(f"{of[law, 'matched']:.2f} ({law})" for law in steps)
    + "; from units as they came, "
    + ", ".join(f"{of[law, 'unmatched']:.2f}" for law in steps)
    + f". The mean of all {len(networks)} networks, matched, has {centre:.2f}, and a trained network "
    f"{accuracies.mean():.2f}. Two things follow. A unit's weights must vary together, and so must the units: a "
    "network that combines good units of other networks is no good network. And even a Gaussian with "
    "all covariances between weights, which can only mix the networks to which it was fitted, misses what training makes. It is not for want of parents: fitted to all "
    f"{len(networks)} networks in place of half of them, it draws networks of accuracy {from_all:.2f}."
)

# %% [markdown]
# Is the weight of one place, over the networks, Gaussian at all? The {term}`Shapiro-Wilk test` asks this of each
# weight. At the level of 5 % it rejects a Gaussian for one weight in twenty where all are Gaussian. The table
# gives the share that it rejects, over as many networks in each column.


# %%
def rejected(group):
    """For each weight, whether a Gaussian is rejected over the networks."""
    return shapiro(np.stack([weights(m) for m in group]), axis=0).pvalue < 0.05


still = (images.train.x.flatten(1).std(0) == 0).numpy()
part = np.repeat(
    ["incoming", "bias of a hidden unit", "outgoing", "bias of a class"],
    [15 * 64, 15, 150, 10],
).astype(object)
part[: 15 * 64][np.tile(still, 15)] = "incoming, empty pixel"

# %% tags=["remove-input"]
tested = {
    "matched": matching.consensus(networks),
    "as they came": networks,
    "untrained": groups["untrained"],
}
shares = pd.DataFrame(
    {
        name: pd.Series(rejected(group), index=part).groupby(level=0).mean()
        for name, group in tested.items()
    }
)
plotting.table(100 * shares.rename_axis("rejected, in %"), digits=0)

# %% tags=["remove-input"]
all_rejected = rejected(tested["matched"]).mean()
drawn = draws.groupby(["law", "units"]).accuracy.mean()
Markdown(
    f"A Gaussian is rejected for {percent(all_rejected)} of the weights of matched networks, where {percent(0.05)} would be by "
    f"chance. Part of that is the start, which is uniform: the weights of the {still.sum()} pixels that are zero in "
    "every training digit never move, nor do most of those of dead units. Training brings incoming and outgoing weights closer to a "
    "Gaussian than they were at the start; matching does not bring them closer still."
)

# %% tags=["remove-input"]
Markdown(
    "**The answer to the question.** Put into the best order, the weights of networks that learned the digits correlate more "
    f"than in every null here ({found_r['mean']['trained']:.2f} against {found_r['mean'][NULLS].max():.2f}), and the mean of all of "
    f"them works ({centre:.2f}, against {unmatched_of_all:.2f} unmatched and {accuracies.mean():.2f} for one network). That is what "
    "they have in common in their weights. But about as many units come back by way of two others in networks that "
    "learned random labels, and that so few do is no evidence that counterparts are missing; "
    f"a Gaussian is rejected for {percent(all_rejected)} of their weights; and the best distribution that we fitted draws "
    f"networks of accuracy {drawn['all weights', 'matched']:.2f}. No distribution over single weights or units that we tried "
    "describes them."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="What networks have in common shows only up to order, and only beside a null." say="Ask which of the four sentences surprised them most, and which null it rests on. The exercise with the largest entry of each row is a good one to take home."
# - With one hidden layer, the order with the largest sum of inner products is an exact assignment.
# - Matching raises the correlation of networks of different starts; most of it appears with the classes relabelled, too.
# - Three of four units do not come back by way of two others; about as many do not with random labels.
# - Matched means work; a low barrier goes with a little agreement of weights, and needs no more.

# %% [markdown]
# Models that take a whole network as their input could learn a better one. They
# build the {term}`symmetry` of {eq}`eq-symmetry` into their layers instead of undoing it by a matching:
# {cite:t}`navon2023` and, for any architecture, {cite:t}`zhou2024`.
#
# ## Take-aways
#
# - The order of hidden units is arbitrary. Comparing weights before matching compares labels.
# - With one hidden layer the best order is one exact linear assignment. Graph matching finds the
#   same answer, more slowly.
# - A matching raises the correlation of any two networks. Most of the correlation that networks show that learned
#   the same digits appears with the classes relabelled too; the rest depends on the classes.
# - Most units do not come back on a way through three networks, and about as many do in networks trained on random
#   labels. That is no evidence that counterparts are missing: where all units have one, most come back or few, depending on
#   whether the noise is independent or blends units.
# - Matched networks can be averaged, and the loss between them rises far less. More than half of the rise that
#   is left is the fault of an order chosen for the weights: an order chosen for the loss lowers it further, with less
#   agreement of weights. A low loss half-way goes with a little agreement of the weights, and does not need more.
# - No distribution of weights or units that was fitted here gives networks as good as trained ones.
# - How many directions a network's weights seem to use depends on how its units are scaled, which changes no output.
#
# ## Ledger

# %% tags=["remove-input"]
claims.table("01_matching_mlps")

# %% [markdown]
# ## Check yourself
#
# Five questions. Each choice says why it is right or wrong.

# %% tags=["remove-input"]
quiz("01_matching_mlps")

# %% [markdown]
# ## Exercises
#
# The data of the coding exercises come from `SEED`: {doc}`how exercises work </book/exercises>`.

# %% tags=["exercises"]
from scipy.optimize import linear_sum_assignment

from netdist_course import check, problem

SEED = 1

# %% [markdown]
# :::{exercise} Pixels that are never on
# :label: ex-matching-constant-pixels
#
# *Understand, easy, 10 minutes.* Some pixels are zero in every training digit. What does gradient descent do to the
# weights that leave them, and what follows for the correlation of matched weights?
# :::
#
# :::{solution-start} ex-matching-constant-pixels
# :class: dropdown
# :::
#
# The gradient of a weight is a sum over digits of products with its input. Where the input is always zero, so is the
# gradient: the weights that leave these four pixels, 15 each, stay at their random start. The order that matches all
# weights leaves them unrelated, so they lower the correlation. It is by less than a thousandth: they are few, and small.

# %% tags=["solution"]
still = images.train.x.flatten(1).std(0) == 0
assert int(still.sum()) == 4
starts = [training.start(make, k) for k in range(8)]
for start, network in zip(starts, eight, strict=True):
    assert (network[1].weight[:, still] == start[1].weight[:, still]).all()
    assert (network[1].weight[:, ~still] != start[1].weight[:, ~still]).any()
moved = np.ones(len(weights(eight[0])), bool)
moved[: 15 * 64] = np.tile(~still.numpy(), 15)
among = {"all": moved | True, "moved": moved, "still": ~moved}
r = {
    name: np.mean(
        [
            np.corrcoef(weights(a)[k], weights(b)[k])[0, 1]
            for a, b in aligned_pairs
        ]
    )
    for name, k in among.items()
}
assert abs(r["still"]) < 0.15
assert 0 < r["moved"] - r["all"] < 0.001

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Units that are never on
# :label: ex-matching-dead-units
#
# *Understand, easy, 15 minutes.* Some hidden units are zero for every training digit. Take those of network 1 out. What
# changes on the training digits, and what may change on others? Which units of another network does a matching by
# weights give to dead units?
# :::
#
# :::{solution-start} ex-matching-dead-units
# :class: dropdown
# :::
#
# On the training digits nothing changes: a unit that is zero adds nothing to any {term}`logit`. The other units carry
# all: without them the accuracy is near chance. A unit that was dead in training may wake up on a held-out digit,
# which happens in fewer than one case in a thousand. The partner of a dead unit is dead more than twice as often as by
# chance. That is no sign of a counterpart: living units are more than twice as large, by the product of their norms, so
# that pairs of them gain more, and dead ones are left to each other.

# %% tags=["solution"]
asleep = (models.outputs(eight[0], images.train.x, [2])[2] == 0).all(0)
assert asleep.any() and not asleep.all()
changes = {}
for name, silent in (("dead", asleep), ("living", ~asleep)):
    without = models.clone(eight[0])
    without[3].weight.data[:, silent] = 0
    changes[name] = without
logits = [
    training.logits(m, images.train.x) for m in (eight[0], changes["dead"])
]
assert torch.allclose(*logits, atol=1e-5)
assert training.accuracy(eight[0], images.train) > 0.9
assert training.accuracy(changes["living"], images.train) < 0.3
awake = []
for network in networks:
    was_dead = (models.outputs(network, images.train.x, [2])[2] == 0).all(0)
    awake.append(
        models.outputs(network, images.test.x, [2])[2][:, was_dead] > 0
    )
assert torch.cat([cases.flatten() for cases in awake]).float().mean() < 0.001
is_dead = [torch.as_tensor(found.dead(0)) for found in hidden_moments]
both, expected = [], []
for (a, b), (dead_a, dead_b) in zip(pairs, in_pairs(is_dead), strict=True):
    both.append(int((dead_a & dead_b[matching.match(a, b)[0]]).sum()))
    expected.append(int(dead_a.sum()) * int(dead_b.sum()) / 15)
print(
    f"dead partners of dead units: {sum(both)}, by chance {sum(expected):.1f}"
)
assert sum(both) > 2 * sum(expected)
sizes, dead_ones = (
    np.stack([np.prod(norms(m), axis=0) for m in networks]),
    torch.stack(is_dead).numpy(),
)
sizes_of = [sizes[~dead_ones].mean(), sizes[dead_ones].mean()]
print(f"product of norms: living {sizes_of[0]:.1f}, dead {sizes_of[1]:.2f}")
assert sizes_of[0] > 2 * sizes_of[1]

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Follow units around
# :label: ex-matching-come-back
#
# *Code, easy, 15 minutes.* `problem("matching-come-back", SEED)` gives three orders of units: `a_to_b[i]` is the unit of
# network B that was matched to unit `i` of network A, `b_to_c` leads from B to C, and `c_to_a` from C to A. Write a
# function that gives the share of A's units that come back to themselves. NumPy's indexing is enough. What share would
# come back if the matchings were drawn at random?
#
# ```python
# def come_back(a_to_b, b_to_c, c_to_a):
#     """Share of the units of A that come back to themselves by way of B and C.
#
#     >>> orders = np.array([1, 2, 0, 3]), np.array([0, 2, 1, 3]), np.array([3, 1, 0, 2])
#     >>> float(come_back(*orders))
#     0.5
#     """
# ```
#
# ```python
# check("matching-come-back", come_back, SEED)
# ```
# ::::
#
# :::{solution-start} ex-matching-come-back
# :class: dropdown
# :::
#
# Look a unit up in the first order, what was found there in the second, and that in the third. At random a unit
# of $H$ ends at each place with probability $1/H$, so it comes back with probability $1/H$, and all $H$
# together make one unit on average, however many there are.


# %% tags=["solution"]
def come_back(a_to_b, b_to_c, c_to_a):
    return np.mean(c_to_a[b_to_c[a_to_b]] == np.arange(len(a_to_b)))


check("matching-come-back", come_back, SEED)
orders = problem("matching-come-back", SEED)
assert come_back(*orders) > 10 / len(orders[0])
rng = np.random.default_rng(0)
for H in (2, 15, 100):
    units = [
        H * come_back(*(rng.permutation(H) for _ in range(3)))
        for _ in range(2000)
    ]
    assert abs(np.mean(units) - 1) < 0.15

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Find a planted order
# :label: ex-matching-planted-order
#
# *Code, medium, 20 minutes.* `problem("matching-planted-order", SEED)` gives two arrays with one row a unit: `a`, and
# `b`, which has the same units in another order, with noise. Write a function that finds the order, exactly.
# `linear_sum_assignment` of SciPy is allowed.
#
# ```python
# def planted_order(a, b):
#     """Index of the row of ``b`` that belongs to each row of ``a``.
#
#     >>> planted_order(np.eye(3), np.eye(3)[[2, 0, 1]])
#     array([1, 2, 0])
#     """
# ```
#
# ```python
# check("matching-planted-order", planted_order, SEED)
# ```
# ::::
#
# :::{solution-start} ex-matching-planted-order
# :class: dropdown
# :::
#
# The order is the linear assignment that makes the sum of the inner products largest. It is the most probable
# one, because the noise is normal and has the same size in all entries: the smaller the squared distance of `a` and
# the reordered `b`, the more probable the order, and the largest sum has the smallest distance. The largest inner
# product of each row alone may use a row of `b` twice, as in {numref}`fig-three`.


# %% tags=["solution"]
def planted_order(a, b):
    return linear_sum_assignment(a @ b.T, maximize=True)[1]


check("matching-planted-order", planted_order, SEED)
a, b = problem("matching-planted-order", SEED)
found = b[planted_order(a, b)]
assert (a * found).sum() > (a * b).sum()
assert np.sum((a - found) ** 2) < np.sum((a - b) ** 2)
assert len(set((toy @ turned.T).argmax(axis=1))) < len(toy)

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} A factor that changes no output
# :label: ex-matching-factor
#
# *Understand, medium, 15 minutes.* Multiply the incoming weights and the biases of all hidden units by $c > 0$ and divide
# the outgoing weights by $c$, in two networks alike. Does the best order between the two depend on $c$? What is it for
# very large $c$, and for very small $c$?
# :::
#
# :::{solution-start} ex-matching-factor
# :class: dropdown
# :::
#
# It does. Incoming weights then count $c^2$ times and outgoing ones $c^{-2}$ times in the inner products, so for large
# $c$ the order is the one that brings the incoming weights together, and for small $c$ the one that brings the outgoing
# weights together. In networks 1 and 2 these differ. The function is the same throughout.


# %% tags=["solution"]
def scaled(model, c):
    result = models.clone(model)
    for p in result[1].parameters():
        p.data *= c
    result[3].weight.data /= c
    return result


def best_order(one, two):
    return alignment.bipartite_match(one @ two.T)


one, two = eight[:2]
orders = {
    c: matching.match(scaled(one, c), scaled(two, c))[0] for c in (0.1, 10)
}
assert torch.equal(orders[10], best_order(incoming(one), incoming(two)))
assert torch.equal(orders[0.1], best_order(one[3].weight.T, two[3].weight.T))
assert not torch.equal(orders[10], orders[0.1])
logits = [training.logits(scaled(one, c), images.test.x) for c in (0.1, 10)]
assert torch.allclose(*logits, atol=1e-3)

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The largest entry of each row
# :label: ex-matching-largest-entry
#
# *Break, medium, 60 minutes.* Give each unit of the first network the partner with the largest entry of its row of the
# gain matrix: a {term}`greedy matching`. Some units of the second network then come several times and some
# never, and `matching.permute` would refuse such an order, so index the weights yourself. Predict before you run it: of
# the {term}`ledger`'s {term}`claims <claim>` on the correlation of two networks, on the planted units that return, on the mean of eight networks and on the
# loss half-way, which fail, and on which side does each leave its {term}`band`? For the mean, the claim takes the consensus; take
# the first network of each eight as the centre. The chapter's `pairs`, `groups`, `made` and `eights` hold the
# networks, and `correlation` and `excess` measure them.
# :::
#
# :::{solution-start} ex-matching-largest-entry
# :class: dropdown
# :::
#
# The mean and the loss half-way fail, and the other two hold. Each row takes its largest entry, so the inner product
# can only rise; the correlation stays high, and higher than in every null, because nothing in it asks that
# each unit of the second network be used. It falls a little, because units that many choose are large, and so the
# norm by which it is divided rises more. Planted units whose noise blends others return about as rarely as before, and those
# with independent noise mostly. But the second network, so
# rearranged, computes another function, and a bad one. So the mean falls *below* its band, and the matched mean of the
# chapter, to the same centre, lies in it. The loss half-way leaves its band *below* as well, which one may not expect: it lies
# under the mean of the two ends, because one end is now so bad. A claim that only asked for a low number would have called
# that a success; a band has two sides.


# %% tags=["solution"]
def of_units(model):
    return torch.cat([incoming(model), model[3].weight.T], dim=1)  # (15, 75)


def largest(one, two):
    return (of_units(one) @ of_units(two).T).argmax(1)


def taken(one, two):
    order, result = largest(one, two), models.clone(two)
    result[1].weight.data = two[1].weight[order]
    result[1].bias.data = two[1].bias[order]
    result[3].weight.data = two[3].weight[:, order]
    return result


def all_way_round(group):
    trips = [
        largest(c, a)[largest(b, c)[largest(a, b)]] == torch.arange(15)
        for a, b, c in combinations(group, 3)
    ]
    return float(torch.stack(trips).float().mean())


greedy_pairs = [(a, taken(a, b)) for a, b in pairs]
assert all(len(set(largest(a, b).tolist())) < 15 for a, b in pairs)
gains = [
    [matching.objective(a, b) for a, b in some]
    for some in (greedy_pairs, aligned_pairs)
]
assert np.mean(gains[0]) > np.mean(gains[1])

of_group = {
    name: np.mean(
        [correlation(a, taken(a, b)) for a, b in in_pairs(groups[name])]
    )
    for name in ("trained", *NULLS)
}
null = max(of_group[name] for name in NULLS)
assert (
    claims.verdict("matching_agreement", of_group["trained"], null=null) == ""
)
assert of_group["trained"] > null + 0.1
assert of_group["trained"] < found_r["mean"]["trained"]
sizes = [
    np.mean([np.linalg.norm(weights(b)) for _, b in some])
    for some in (pairs, greedy_pairs)
]
assert sizes[1] > sizes[0]
print(f"correlation {of_group['trained']:.3f}, largest null {null:.3f}")

back, null = [
    np.mean([all_way_round(made[name][k : k + 4]) for k in range(0, 32, 4)])
    for name in ("planted, blends", "planted, noise")
]
assert claims.verdict("matching_return", back, null=null) == ""
print(f"planted units that return: blends {back:.2f}, noise {null:.2f}")

spoilt = [training.accuracy(b, images.test) for _, b in greedy_pairs]
assert np.mean(spoilt) < accuracies.mean() - 0.2
mean_of = means[means.network == "mean"].groupby("units").accuracy.mean()
null = mean_of["unmatched"]
assert claims.verdict("matching_mean", mean_of["weights"], null=null) == ""
centres = [matching.average([taken(g[0], m) for m in g]) for g in eights]
mean = np.mean([training.accuracy(m, images.test) for m in centres])
assert claims.verdict("matching_mean", mean, null=null) and mean < 0.7
print(f"accuracy: rearranged {np.mean(spoilt):.2f}, mean of eight {mean:.2f}")

null = heights["unmatched"].mean()
halfway = [
    matching.barrier(a, b, images.test, steps=3) for a, b in greedy_pairs
]
height = np.mean([excess(line) for line in halfway])
assert claims.verdict("matching_barrier", height, null=null) and height < 0
print(f"loss half-way above the mean of the ends: {height:.2f} nats")

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} A copy in disguise
# :label: ex-matching-disguise
#
# *Code, hard, 30 minutes.* `problem("matching-disguise", SEED)` gives the weights of two networks with one hidden
# layer of ReLU units and without biases: incoming `a1` (H, D) and outgoing `a2` (K, H), and `b1`, `b2` likewise. They compute
# the same function. In the second, the units stand in another order, and each has its incoming weights multiplied and its
# outgoing weights divided by a positive factor of its own. Write a function that finds the order. `linear_sum_assignment`
# of SciPy is allowed. Beware of units that see the same and say other things, and of
# units that say the same and see other things.
#
# ```python
# def disguise(a1, a2, b1, b2):
#     """Index of the unit of the second network that is unit 0, 1, ... of the first.
#
#     >>> a1, a2 = np.eye(2), np.array([[1.0, -1.0]])
#     >>> disguise(a1, a2, np.array([[0.0, 9.0], [0.1, 0.0]]), np.array([[-1 / 9, 10.0]]))
#     array([1, 0])
#     """
# ```
#
# ```python
# check("matching-disguise", disguise, SEED)
# ```
# ::::
#
# :::{solution-start} ex-matching-disguise
# :class: dropdown
# :::
#
# Put both networks into the canonical scale first: divide the incoming weights of each unit by their norm, and
# multiply its outgoing weights by it. There, partners are equal, so their squared distance is zero and no order has a larger
# sum of inner products. Matched as they stand, the order is another one: the factors count, and not
# only the units. Incoming weights alone do not tell units apart that see the same, and
# outgoing ones not those that say the same.


# %% tags=["solution"]
def disguise(a1, a2, b1, b2):
    def canonical(w1, w2):
        norm = np.linalg.norm(w1, axis=1, keepdims=True)
        return np.hstack([w1 / norm, w2.T * norm])

    gain = canonical(a1, a2) @ canonical(b1, b2).T
    return linear_sum_assignment(gain, maximize=True)[1]


check("matching-disguise", disguise, SEED)
a1, a2, b1, b2 = problem("matching-disguise", SEED)
x = np.random.default_rng(0).normal(size=(100, a1.shape[1]))
outputs = [np.maximum(x @ w1.T, 0) @ w2.T for w1, w2 in ((a1, a2), (b1, b2))]
assert np.allclose(*outputs)
raw = planted_order(np.hstack([a1, a2.T]), np.hstack([b1, b2.T]))
assert (raw != disguise(a1, a2, b1, b2)).any()

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Which units have a counterpart?
# :label: ex-matching-counterparts
#
# *Project, hard, 480 minutes.* The share that returns does not say which units have a counterpart. Find a number that you
# compute from one network alone, and that says of each of its units how probably it comes back on a way through two
# others. Is what it predicts a property of learning the digits?
# :::
#
# :::{solution-start} ex-matching-counterparts
# :class: dropdown
# :::
#
# A good answer states the number and the direction before it looks, so that it can fail. It tests on networks that
# were not used to choose the number, counts groups of networks and not units as repeats, and gives a
# {term}`standard error` over them. Its strongest null is networks trained on random labels: they return about as often, so a
# number that predicts as well there says nothing of digits. It also needs a
# calibration: large units return more often wherever there is noise, whether or not small ones lack a counterpart. A first step is the
# product of the norms of a unit's incoming and outgoing weights. Among planted copies with independent noise, where all units have
# counterparts, the larger half of the units returns much more often than the smaller. With noise that blends units the
# difference is less than half of that, though all have counterparts there, too; and so it is among trained networks and
# among those with random labels. So this number says little, and nothing of digits.


# %% tags=["solution"]
def by_size(group):
    """How much more often the larger units come back than the smaller ones."""
    rows = []
    for a, b, c in combinations(group, 3):
        for trip in ((a, b, c), (b, c, a), (c, a, b)):
            rank = np.argsort(np.prod(norms(trip[0]), axis=0))
            back = matching.cycle_consistent(*trip)[0].numpy()[rank]
            rows.append(back[8:].mean() - back[:7].mean())
    return np.mean(rows)


gaps = {
    name: np.mean([by_size(group[k : k + 4]) for k in range(0, 32, 4)])
    for name, group in made.items()
}
gaps["trained"] = np.mean([by_size(group[:4]) for group in eights])
by_heart = groups["random labels"]
gaps["random labels"] = np.mean(
    [by_size(by_heart[k : k + 4]) for k in range(0, len(by_heart), 4)]
)
print({name: round(float(gap), 2) for name, gap in gaps.items()})
assert gaps["planted, noise"] > 0.2
for name in ("planted, blends", "trained", "random labels"):
    assert gaps[name] < gaps["planted, noise"] / 2

# %% [markdown]
# :::{solution-end}
# :::
#
# ## Further reading
#
# {term}`Weight matching <weight matching>` and the barrier: {cite:t}`ainsworth2023`; permutations and {term}`linear mode connectivity`:
# {cite:t}`entezari2022`; networks that share a start: {cite:t}`frankle2020`. Orders found by gradients:
# {cite:t}`pena2023`. Orders that agree in a circle: {cite:t}`crisostomi2024`. REPAIR: {cite:t}`jordan2023`.
# Fusion by transport: {cite:t}`singh2020`. What {term}`gradient flow` keeps: {cite:t}`du2018`. Graph matching:
# {cite:t}`vogelstein2015`. Models of weights: {cite:t}`navon2023,zhou2024`.
