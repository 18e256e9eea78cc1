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
# # 1. Matching MLPs
#
# **The question.** Several networks learn the same task from different random starts. Is there a
# distribution that their weights come from, once the arbitrary order of their hidden units is
# taken out?
#
# **What you will be able to do.** Put the units of one network into the order of another, exactly
# and in less than a millisecond; average networks; measure the barrier between two of them; and
# tell a real correspondence from one that any two networks show.
#
# **What you need.** Matrix products, training by gradient descent, correlation.
#
# **Time.** About 35 minutes to read. It runs in half a minute on two CPU cores; no GPU was at
# hand to measure one.
#
# The chapter follows a notebook of B. Pedigo {cite:p}`pedigo2021`, which asked the question and
# tried graph matching on eight small networks. Where it went wrong, the text says so.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display
from scipy.stats import pearsonr, spearmanr

from netdist_utils import (
    claims,
    data,
    matching,
    models,
    plotting,
    settings,
    training,
)

plotting.use_style()

# %%
# One line a size: smoke, standard, full.
knobs = settings.pick(
    ensemble=(12, 64, 256),
    epochs=(100, 300, 300),
    widths=(
        [8, 32],
        [8, 16, 32, 64, 128, 256, 512],
        [8, 16, 32, 64, 128, 256, 512],
    ),
    width_networks=(4, 6, 16),
    width_epochs=(30, 100, 300),
)

# %% [markdown]
# ## 1.1 The task
#
# The data are 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn. All networks
# share one split into training and held-out digits. (In the source each network had a split of
# its own, and the mean network was then tested on digits that some of its parents had trained on.)

# %% mystnb={"image": {"alt": "Eight handwritten digits of 8 by 8 pixels with their labels."}}
images = data.digits()
fig, axes = plt.subplots(1, 8, figsize=(7.2, 1.3))
for ax, picture, label in zip(
    axes, data.pixels(images.train.x), images.train.y, strict=False
):
    ax.imshow(picture, cmap="gray_r")
    ax.set(title=int(label), xticks=[], yticks=[])
plt.show()

# %%
display(
    Markdown(
        f"{len(images.train):,} digits to train on, {len(images.test):,} held out."
    )
)

# %% [markdown]
# ## 1.2 Eight networks, and many
#
# Each network is 64-15-10: 64 pixels, one hidden layer of 15 ReLU units, 10 classes, the source's
# size. The first eight are the ones that we look at; the whole ensemble gives the error bars. A
# network this small leaves a processor idle, so all of them are trained at once: their weights
# are stacked along a new first axis, and one step of gradient descent moves them all.

# %%
networks = training.fit_ensemble(
    lambda: models.mlp([64, 15, 10]),
    images.train,
    range(knobs.ensemble),
    epochs=knobs.epochs,
    lr=0.1,
)
eight = networks[:8]
accuracies = [training.accuracy(model, images.test) for model in networks]
claims.check("matching_test_accuracy", np.mean(accuracies[:8]))

# %% mystnb={"image": {"alt": "Histogram of the test accuracies of the ensemble, with the first eight networks marked below it."}}
fig, ax = plt.subplots(figsize=(7.2, 2.4))
ax.hist(accuracies, bins=15, color=plotting.COLORS[0], alpha=0.8)
ax.plot(
    accuracies[:8],
    [-0.5] * 8,
    "|",
    color=plotting.COLORS[1],
    ms=12,
    label="the first eight",
)
ax.set(xlabel="test accuracy", ylabel="networks")
ax.legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"Mean accuracy {np.mean(accuracies):.3f}, standard deviation over {len(networks)} networks "
        f"{np.std(accuracies):.3f}. All are good, and none is special."
    )
)

# %% [markdown]
# Networks from scikit-learn, which the source used, can be carried over:
# `models.from_sklearn` turns a fitted `MLPClassifier` into the same kind of object.

# %%
import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

classifier = MLPClassifier((15,), max_iter=100, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", ConvergenceWarning
    )  # 100 rounds are enough to show it
    classifier.fit(images.train.x.flatten(1), images.train.y)
carried_over = models.from_sklearn(classifier)
display(
    Markdown(f"Accuracy: {training.accuracy(carried_over, images.test):.3f}.")
)

# %% [markdown]
# ## 1.3 A network is a graph
#
# Give each input, hidden unit and output a node, and each layer one more node for its biases. A
# weight from node $i$ to node $j$ is the entry $A_{ij}$ of the **adjacency matrix**. For 64-15-10
# that makes 64 + 15 + 10 + 2 = 91 nodes. (The source counted the hidden layer twice and got 106.
# Fifteen of its nodes were empty, and its list of fixed nodes missed the outputs: class labels
# were permuted along with the hidden units before anything was averaged.)

# %% mystnb={"image": {"alt": "Adjacency matrices of eight networks as heat maps: two blocks off the diagonal and bias rows below, all else zero; no two look alike."}}
adjacencies = np.stack([matching.adjacency(model) for model in eight])
fig, axes = plt.subplots(2, 4, figsize=(7.2, 4), sharex=True, sharey=True)
limit = np.abs(adjacencies).max() / 2
for i, (ax, matrix) in enumerate(zip(axes.flat, adjacencies, strict=True)):
    plotting.heatmap(
        matrix, ax, title=f"network {i + 1}", center=0, vmin=-limit, vmax=limit
    )
fig.supxlabel("to node")
fig.supylabel("from node")
plt.show()

# %% tags=["hide-input"]
zeros = 1 - sum(p.numel() for p in eight[0].parameters()) / adjacencies[0].size
claims.check("matching_zeros", zeros)
display(
    Markdown(
        f"{zeros:.1%} of the entries are zero by construction. A correlation over all entries, as in "
        "the source, is mostly a correlation of zeros with zeros; from here on only weights and "
        "biases count, in every figure."
    )
)

# %% [markdown]
# ## 1.4 The mean of unmatched networks
#
# If the weights of all networks came from one distribution in one common order, the network of
# mean weights should work. And the weights of two networks should agree.

# %%
unmatched = training.accuracy(matching.average(eight), images.test)


def weights(model):
    return torch.nn.utils.parameters_to_vector(model.parameters()).numpy()


def pair_plot(models_, n=4):
    """Weights and biases of each pair of networks against each other, with correlations."""
    _, axes = plt.subplots(n, n, figsize=(7.2, 7.2), sharex=True)
    for (i, j), ax in np.ndenumerate(axes):
        a, b = weights(models_[j]), weights(models_[i])
        if i == j:
            ax.hist(a, bins=40, color=plotting.COLORS[0])
        else:
            ax.plot(a, b, ".", ms=2, alpha=0.3)
            r, s = pearsonr(a, b)[0], spearmanr(a, b)[0]
            ax.set_title(f"Pearson {r:.2f}, Spearman {s:.2f}", fontsize=7)
        ax.set(
            xlabel=f"network {j + 1}" * (i == n - 1),
            ylabel=f"network {i + 1}" * (j == 0),
        )


# %% mystnb={"image": {"alt": "Pair plot of the weights of four unmatched networks: round clouds, correlations near zero."}}
pair_plot(eight)
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"The mean of the eight has accuracy {unmatched:.3f}; its parents average "
        f"{np.mean(accuracies[:8]):.3f}. Weight by weight there is hardly a relation."
    )
)

# %% [markdown]
# ## 1.5 The symmetry
#
# Let $P$ be a permutation matrix. The ReLU $\sigma$ acts on each unit alone, so
#
# $$W_2\, \sigma(W_1 x + b_1) = (W_2 P^\top)\, \sigma(P W_1 x + P b_1).$$
#
# Reordering the hidden units changes no output. A network of 15 hidden units has
# $15! \approx 1.3 \times 10^{12}$ copies that compute the same function.

# %%
shuffled = matching.permute(
    eight[0], [torch.randperm(15, generator=torch.Generator().manual_seed(0))]
)
difference = (
    (
        training.logits(eight[0], images.test.x)
        - training.logits(shuffled, images.test.x)
    )
    .abs()
    .max()
)
claims.check("matching_symmetry", difference)

# %% tags=["hide-input"]
display(
    Markdown(
        f"Largest difference of any logit: {float(difference):.1e}, rounding in single precision. "
        f"Correlation of the two weight vectors: {pearsonr(weights(eight[0]), weights(shuffled))[0]:.2f}."
    )
)

# %% [markdown]
# ## 1.6 Matching a pair
#
# Which order of network B's units brings its weights closest to A's? The source matched the two
# graphs: maximise $\operatorname{tr}(A P B^\top P^\top)$ over permutations of the hidden nodes,
# inputs, outputs and biases held fixed. That is a quadratic assignment problem, hard in general,
# and FAQ solves it approximately {cite:p}`vogelstein2015`.
#
# But no edge joins two hidden units of one layer. So $P$ meets each weight only once, and the
# objective is linear in $P$:
#
# $$\sum_i \left\langle u_i, v_{p(i)} \right\rangle, \qquad u_i = [\,W_1;\, b_1;\, W_2^\top]_i .$$
#
# A linear assignment problem has an exact solution in $O(H^3)$ {cite:p}`crouse2016`. It needs no
# restarts; and the source's 20 starts, all from the same deterministic point, were one run
# repeated 20 times.

# %%
from time import perf_counter

best = int(np.argmax(accuracies[:8]))
methods = ["weights", "faq"]
try:  # ten seconds to import, and not to be had on Colab
    import graspologic.match  # noqa: F401

    methods.append("graspologic")
except ImportError:
    pass

rows, orders = [], {}
for method in methods:
    began = perf_counter()
    orders[method] = [
        matching.match(eight[best], model, method, rng=0)[0] for model in eight
    ]
    seconds = (perf_counter() - began) / 8
    value = np.mean(
        [
            matching.objective(eight[best], matching.permute(model, [order]))
            for model, order in zip(eight, orders[method], strict=True)
        ]
    )
    rows.append(
        {"method": method, "mean objective": value, "ms a pair": 1000 * seconds}
    )
comparison = pd.DataFrame(rows).set_index("method")
comparison.round(3)

# %% tags=["hide-input"]
gap = abs(
    comparison["mean objective"].to_numpy()
    / comparison["mean objective"].iloc[0]
    - 1
).max()
claims.check("matching_faq_gap", gap)
equal = sum(
    torch.equal(a, b)
    for a, b in zip(orders["weights"], orders["faq"], strict=True)
)
display(
    Markdown(
        f"FAQ and the exact assignment give the same permutation for {equal} of 8 networks; relative "
        f"gap of the objectives {gap:.0e}. The exact answer needs no starting point, no tolerance and no "
        "luck, and it stays cheap where FAQ does not: `benchmarks/bench_matching.py` has the ratios."
    )
)

# %% mystnb={"image": {"alt": "Adjacency of network A, of network B before and after matching, and differences: after matching the difference is paler."}}
a, b = (eight[i] for i in [i for i in range(8) if i != best][:2])
b_matched = matching.align(a, b)
hidden = np.r_[
    0:64, 89
]  # pixels and the first bias node: the incoming weights of hidden units
panels = [matching.adjacency(m)[hidden, 64:79] for m in (a, b, b_matched)]
panels += [panels[0] - panels[1], panels[0] - panels[2]]
fig, axes = plt.subplots(1, 5, figsize=(7.2, 4.2), sharey=True)
titles = ["A", "B", "B matched", "A - B", "A - B matched"]
limit = np.abs(panels[0]).max()
for ax, panel, title in zip(axes, panels, titles, strict=True):
    plotting.heatmap(
        panel, ax, title=title, center=0, vmin=-limit, vmax=limit, aspect="auto"
    )
    ax.set(xlabel="hidden unit")
axes[0].set(ylabel="pixel (last row: bias)")
plt.show()

# %% mystnb={"image": {"alt": "Scatter of B's weights against A's, before matching a round cloud and after matching a cloud along the diagonal."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.4), sharex=True, sharey=True)
for ax, model, title in zip(
    axes, [b, b_matched], ["before", "after"], strict=True
):
    ax.plot(weights(a), weights(model), ".", ms=3, alpha=0.4)
    r = pearsonr(weights(a), weights(model))[0]
    ax.set(
        title=f"{title}: Pearson {r:.2f}", xlabel="weight of A", aspect="equal"
    )
axes[0].set(ylabel="weight of B")
plt.show()

# %% [markdown]
# ## 1.7 All to one, or to a consensus
#
# Match every network to the best one, as the source does; or let them find a centre together:
# average, match all to the average, repeat until no unit moves. Each step raises the summed inner
# product with the mean, so it ends.

# %%
to_best = [
    matching.permute(model, [order])
    for model, order in zip(eight, orders["weights"], strict=True)
]
agreed = matching.consensus(eight)
by_activation = [
    matching.permute(
        model,
        matching.match(eight[best], model, "activations", x=images.train.x),
    )
    for model in eight
]

# %% mystnb={"image": {"alt": "Pair plot of the weights of four networks after matching to a consensus: clouds along the diagonal."}}
pair_plot(agreed)
plt.show()

# %% [markdown]
# All eight at once, as correlations: Pearson above the diagonal, Spearman below it.

# %% mystnb={"image": {"alt": "Correlation matrices of the weights of eight networks: near zero before matching, clearly positive for every pair after."}}
fig, axes = plt.subplots(1, 2)
for ax, group, title in zip(
    axes, [eight, agreed], ["unmatched", "consensus"], strict=True
):
    columns = np.stack([weights(model) for model in group])
    both = np.triu(np.corrcoef(columns)) + np.tril(
        spearmanr(columns.T).statistic, -1
    )
    plotting.heatmap(both, ax, title=title, vmin=0, vmax=1, label="correlation")
    ax.set(xlabel="network", ylabel="network", xticks=range(8), yticks=range(8))
    ax.set(xticklabels=range(1, 9), yticklabels=range(1, 9))
plt.show()

# %% [markdown]
# ## 1.8 What matching buys
#
# The accuracy of the mean network, over many groups of eight, each matched to its own best member.


# %%
def mean_accuracies(group):
    """Accuracy of a group's mean network: unmatched, to the best, consensus, by activations."""
    reference = max(
        group, key=lambda model: training.accuracy(model, images.train)
    )
    acts = {"method": "activations", "x": images.train.x}
    versions = {
        "unmatched": group,
        "weights": [matching.align(reference, m) for m in group],
        "consensus": matching.consensus([reference, *group])[1:],
        "activations": [matching.align(reference, m, **acts) for m in group],
    }
    return {
        k: training.accuracy(matching.average(v), images.test)
        for k, v in versions.items()
    }


groups = [networks[i : i + 8] for i in range(0, len(networks) - 7, 8)]
means = pd.DataFrame([mean_accuracies(group) for group in groups])
claims.check(
    "matching_gain", means["weights"].mean() - means["unmatched"].mean()
)

# %% mystnb={"image": {"alt": "Accuracy of the mean of eight networks, one dot a group: lowest unmatched, higher after weight matching, consensus and activation matching; dashed line at the accuracy of single networks."}}
fig, ax = plt.subplots()
for i, column in enumerate(means.to_numpy().T):
    ax.plot(
        np.full(len(column), i) + np.linspace(-0.1, 0.1, len(column)),
        column,
        "o",
        alpha=0.5,
    )
    ax.errorbar(
        i + 0.25, column.mean(), column.std(), fmt="s", color="black", capsize=4
    )
ax.axhline(np.mean(accuracies), ls="--", color="gray", label="one network")
ax.axhline(0.1, ls=":", color="gray", label="chance")
ax.set(
    ylabel="accuracy of the mean of 8",
    ylim=(0, 1),
    xticks=range(4),
    xticklabels=means.columns,
)
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# Two good networks need not have good networks between them. Walk from one to the other in a
# straight line and measure the loss on the way: the excess over the line between the two ends is
# the **barrier** {cite:p}`frankle2020,ainsworth2023`.

# %%
pairs = [(networks[i], networks[i + 1]) for i in range(0, len(networks) - 1, 2)]
before = [matching.barrier(a, b, images.test) for a, b in pairs]
after = [
    matching.barrier(a, matching.align(a, b), images.test) for a, b in pairs
]


def midpoint_excess(line):
    return (line.loss[12] - (line.loss[0] + line.loss[-1]) / 2).item()


excess = [
    np.mean([midpoint_excess(line) for line in lines])
    for lines in (before, after)
]
claims.check("matching_barrier_ratio", excess[0] / excess[1])

# %% mystnb={"image": {"alt": "Loss and accuracy along the line between two networks: a high barrier before matching, a low one after, with bands over pairs."}}
fig, axes = plt.subplots(1, 2)
for lines, label in [(before, "unmatched"), (after, "matched")]:
    for ax, values in zip(axes, ("loss", "accuracy"), strict=True):
        plotting.band(
            lines[0].t, [getattr(line, values) for line in lines], ax, label
        )
axes[0].set(
    xlabel="position on the line",
    ylabel="held-out cross-entropy (nats)",
    yscale="log",
)
axes[1].set(xlabel="position on the line", ylabel="held-out accuracy")
axes[1].legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"Barrier at the midpoint, mean over {len(pairs)} disjoint pairs: {excess[0]:.2f} nats before, "
        f"{excess[1]:.2f} after. Bands show one standard deviation over pairs."
    )
)

# %% [markdown]
# Walk one of these lines yourself. Each picture is the input weights of one hidden unit, blue below
# zero and orange above. Matched, a unit turns into one that was like it from the start. Clear the
# box, and it turns into any other: half-way it is a blend of two units that do different things, and
# the accuracy falls.

# %%
matching.path_slider(*pairs[0], images.test, (8, 8))

# %% [markdown]
# ## 1.9 The null
#
# Matching takes a maximum over $15!$ orders, so it raises the correlation of *any* two networks.
# How much of the gain would two networks show that never saw a digit?

# %%
untrained = [
    training.start(lambda: models.mlp([64, 15, 10]), seed)
    for seed in range(len(networks))
]


def correlations(group):
    """Weight correlation of neighbours in a list of networks, before and after matching."""
    rows = []
    for one, two in zip(group[::2], group[1::2], strict=False):
        matched = matching.align(one, two)
        rows.append(
            [
                np.corrcoef(weights(one), weights(m))[0, 1]
                for m in (two, matched)
            ]
        )
    return np.array(rows)


trained_r, null_r = correlations(networks), correlations(untrained)
gain, null_gain = ((r[:, 1] - r[:, 0]).mean() for r in (trained_r, null_r))
claims.check("matching_null_share", null_gain / gain)

# %% mystnb={"image": {"alt": "Correlation before and after matching for pairs of trained and of untrained networks: untrained ones gain too, but less."}}
fig, ax = plt.subplots()
for r, label in [(trained_r, "trained"), (null_r, "never trained")]:
    ax.plot(r[:, 0], r[:, 1], "o", alpha=0.6, label=label)
ax.set(
    xlabel="correlation of weights before", ylabel="correlation after matching"
)
ax.axline((0, 0), slope=1, color="gray", ls=":", label="no gain")
ax.legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"Trained pairs gain {gain:.3f} in correlation, untrained pairs {null_gain:.3f}: "
        f"{null_gain / gain:.0%} of the gain is what a maximum over orders finds in noise, and the rest "
        "is shared by training. A matched correlation without this control says little."
    )
)

# %% [markdown]
# ## 1.10 How many directions?
#
# The singular values of the mean adjacency tell how many directions the mean network uses. A
# feed-forward graph has no edge inside a layer, so the adjacency's singular values are those of
# its blocks put together, and its rank is exactly $\min(65, 15) + 10 = 25$. The elbow is where
# the profile likelihood of {cite:t}`zhu2006` splits the values (graspologic's `select_dimension`
# uses the same rule).

# %%
matrices = {
    name: np.mean([matching.adjacency(model) for model in group], axis=0)
    for name, group in [("unmatched", eight), ("matched", agreed)]
}
claims.check("matching_rank", np.linalg.matrix_rank(matrices["matched"]))


def low_rank_accuracies(matrix):
    """Accuracy of the network of each truncated singular value decomposition."""
    u, s, vt = np.linalg.svd(matrix)
    truncated = [
        matching.from_adjacency((u[:, :r] * s[:r]) @ vt[:r], [64, 15, 10])
        for r in range(26)
    ]
    return s[:25], [
        training.accuracy(model, images.test) for model in truncated
    ]


# %% mystnb={"image": {"alt": "Left: singular values of the mean adjacency, larger when matched, with elbows marked. Right: accuracy by rank with the chance line; matched rises far higher."}}
fig, axes = plt.subplots(1, 2)
for name, matrix in matrices.items():
    values, accuracy = low_rank_accuracies(matrix)
    (line,) = axes[0].plot(range(1, 26), values, ".-", label=name)
    bend = matching.elbow(values)
    axes[0].plot(bend, values[bend - 1], "x", ms=10, color=line.get_color())
    axes[1].plot(range(26), accuracy, ".-", label=name)
axes[1].axhline(0.1, ls=":", color="gray", label="chance")
axes[0].set(xlabel="index", ylabel="singular value", title="crosses: elbows")
axes[1].set(xlabel="rank kept", ylabel="held-out accuracy", ylim=(0, 1))
axes[1].legend()
plt.show()

# %% [markdown]
# ## 1.11 Beyond the source
#
# **Deeper networks.** With two or more hidden layers the objective is no longer linear: one
# layer's best order depends on its neighbours'. Hold all layers but one fixed, and it is a linear
# assignment again. Repeating this over layers never lowers the objective, and stops when no layer
# can be improved: coordinate descent {cite:p}`ainsworth2023`.
#
# **Scale.** A ReLU also commutes with positive factors: $\sigma(c z) = c\,\sigma(z)$. Dividing a
# unit's incoming weights by their norm and multiplying its outgoing weights by it changes
# nothing either; `matching.canonical` does so before matching.

# %%
deep = training.fit_ensemble(
    lambda: models.mlp([64, 32, 32, 10]),
    images.train,
    range(knobs.width_networks),
    epochs=knobs.width_epochs,
    lr=0.1,
)
rows = []
for one, two in zip(deep[::2], deep[1::2], strict=True):
    one_c, two_c = matching.canonical(one), matching.canonical(two)
    versions = {
        "unmatched": (one, two),
        "matched": (one, matching.align(one, two)),
        "canonical, matched": (
            one_c,
            matching.align(one_c, two_c),
        ),
    }
    rows.append(
        {
            k: matching.barrier(*pair, images.test).height
            for k, pair in versions.items()
        }
    )
pd.DataFrame(rows).agg(["mean", "std"]).T.round(3).rename_axis(
    "barrier (nats), 64-32-32-10"
)

# %% [markdown]
# Matching lowers the barrier in deeper networks too. Canonical norms do not help here: they leave
# each function as it was, but they move the two ends of the line, and a straight line between
# rescaled networks is another line. The symmetry is real, and removing it is a choice that has to
# be measured.
#
# **Width.** Does matching work better on wider networks? Their units are more alike to choose
# from.

# %%
barriers = {}
for width in settings.progress(knobs.widths, desc="widths"):
    wide = training.fit_ensemble(
        lambda width=width: models.mlp([64, width, 10]),
        images.train,
        range(knobs.width_networks),
        epochs=knobs.width_epochs,
        lr=0.1,
        progress=False,
    )
    wide_pairs = list(zip(wide[::2], wide[1::2], strict=True))
    barriers[width] = [
        [matching.barrier(a, b, images.test).height for a, b in wide_pairs],
        [
            matching.barrier(a, matching.align(a, b), images.test).height
            for a, b in wide_pairs
        ],
    ]

# %% mystnb={"image": {"alt": "Barrier against width, unmatched and matched: the matched barrier falls as networks widen."}}
fig, ax = plt.subplots()
table = np.array(list(barriers.values())).clip(
    1e-4
)  # (widths, before/after, pairs)
for i, label in enumerate(["unmatched", "matched"]):
    ax.plot(
        knobs.widths,
        np.median(table[:, i], axis=1),
        label=f"{label}, median of pairs",
    )
    ax.plot(
        knobs.widths,
        table[:, i],
        "o",
        color=plotting.COLORS[i],
        alpha=0.5,
        ms=4,
    )
ax.set(
    xscale="log", yscale="log", xlabel="hidden units", ylabel="barrier (nats)"
)
ax.legend()
plt.show()

# %% [markdown]
# **The distribution.** The title of the source promises the distribution of networks. Now that
# units correspond, fit a Gaussian to the matched weights of the whole ensemble and draw new
# networks from it: once with the full sample covariance, once weight by weight.

# %%
ensemble = matching.consensus(networks)
generator = torch.Generator().manual_seed(0)
draws = {
    f"{order}, {covariance}": [
        training.accuracy(
            matching.sample_gaussian(group, generator, covariance), images.test
        )
        for _ in range(20)
    ]
    for order, group in [("unmatched", networks), ("matched", ensemble)]
    for covariance in ("full", "diagonal")
}
claims.check("matching_sampled_accuracy", np.mean(draws["matched, full"]))
pd.DataFrame(draws).agg(["mean", "std", "min", "max"]).T.round(3).rename_axis(
    "Gaussian fitted to"
)

# %% [markdown]
# Matching first makes the drawn networks better under either covariance, and the covariance
# between weights matters more than their order: drawn one by one, weights lose most of what the
# networks know. A full covariance of few networks can only mix those networks, which is why it
# works to some degree even unmatched. The table's spread is over draws.
#
# **All pairs.** Last, the barrier between every two of the first twelve networks, before and after
# matching. If the ensemble fell into groups of networks that agree among themselves, blocks would
# show.

# %% mystnb={"image": {"alt": "Matrices of pairwise barriers of twelve networks, before matching dark and after matching light, without blocks."}}
some = networks[:12]
pairwise = np.zeros((2, len(some), len(some)))
for i, one in enumerate(some):
    for j, two in enumerate(some[:i]):
        matched = matching.align(one, two)
        for k, other in enumerate((two, matched)):
            pairwise[k, i, j] = pairwise[k, j, i] = matching.barrier(
                one, other, images.test
            ).height
fig, axes = plt.subplots(1, 2)
for ax, matrix, title in zip(
    axes, pairwise, ["unmatched", "matched"], strict=True
):
    plotting.heatmap(
        matrix,
        ax,
        title=title,
        vmin=0,
        vmax=pairwise.max(),
        label="barrier (nats)",
    )
    ax.set(xlabel="network", ylabel="network")
plt.show()

# %% [markdown]
# ## Take-aways
#
# - The order of hidden units is arbitrary; comparing weights before matching compares labels.
# - With one hidden layer the best order is one exact linear assignment. Graph matching finds the
#   same answer, slower.
# - Matched networks can be averaged, and the loss between them is low; so much of what differs
#   between networks is their order of units. Not all of it: the mean of eight is still worse than
#   one network.
# - A matching raises the correlation of untrained networks too. Show that beside every gain.
#
# ## Ledger

# %% tags=["hide-input"]
claims.table("01_matching_mlps")

# %% [markdown]
# ## Exercises
#
# **1.** Three pixels of the digits are the same in every image. What does gradient descent do to
# their weights, and what follows for the correlation of matched weights?
#
# :::{admonition} Solution
# :class: dropdown
# A constant pixel at zero has zero gradient, so its weights stay at their random start, and no
# order of the units makes them agree: they lower the correlation a little. Find them:
# ```python
# still = images.train.x.flatten(1).std(0) == 0
# print(still.sum(), [w for w in networks[0][1].weight[0, still]])
# ```
# :::
#
# **2.** Plant a permutation and get it back: shuffle the units of a network, add Gaussian noise of
# growing size to its weights, and plot the fraction of units that `matching.match` finds.
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# p = torch.randperm(15)
# for size in [0, 0.1, 0.3, 1, 3]:
#     noisy = matching.permute(eight[0], [p])
#     for w in noisy.parameters():
#         w.data += size * torch.randn_like(w)
#     (found,) = matching.match(noisy, eight[0])
#     print(size, (found == p).float().mean())
# ```
# :::
#
# **3.** Match by activations on held-out digits, and on pure noise. How much does the choice of
# inputs matter?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# for x in (images.test.x, torch.rand_like(images.test.x)):
#     group = [matching.permute(m, matching.match(eight[0], m, "activations", x=x)) for m in eight]
#     print(training.accuracy(matching.average(group), images.test))
# ```
# :::
#
# ## Further reading
#
# Weight matching and the barrier: {cite:t}`ainsworth2023`. Permutations and linear mode
# connectivity: {cite:t}`entezari2022`. Graph matching: {cite:t}`vogelstein2015`.
