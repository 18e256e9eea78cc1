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
# weights agree once the arbitrary order of their hidden units is taken out, and does one
# distribution describe them?
#
# **What you will be able to do.** Put the units of one network into the order of another, exactly
# and in less than a millisecond; average networks; measure the {term}`barrier` between two of them;
# and tell a real correspondence from one that any two networks show.
#
# **What you need.** Matrix products, training by gradient descent, correlation. Symbols are those of
# the {doc}`notation page </book/notation>`.
#
# **Time.** About 40 minutes to read. {run-time}`here`
#
# The chapter follows a notebook of Benjamin Pedigo {cite:p}`pedigo2021`, which asked the question and
# tried {term}`graph matching` on eight small networks. Where it went wrong, the text says so.

# %% tags=["hide-input"]
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown

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
C = plotting.COLORS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    ensemble=(12, 64, 256),
    epochs=(100, 300, 300),
    widths=([8, 32], *2 * [[8, 16, 32, 64, 128, 256, 512]]),
    width_networks=(4, 6, 16),
    width_epochs=(30, 100, 300),
)

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
# them all.
# {numref}`fig-accuracies` shows how well they do.

# %%
networks = training.fit_ensemble(
    lambda: models.mlp([64, 15, 10]),
    images.train,
    range(knobs.ensemble),
    epochs=knobs.epochs,
    lr=0.1,
)
eight = networks[:8]

# %% tags=["remove-cell"]
accuracies = np.array([training.accuracy(m, images.test) for m in networks])
train_accuracies = [training.accuracy(m, images.train) for m in networks]
claims.check("matching_test_accuracy", accuracies[:8].mean())

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-accuracies", "caption": "Accuracy on held-out digits of every network of the ensemble, one dot for each; the first eight are drawn larger. All learn the task about equally well."}, "image": {"alt": "A strip of dots along an axis of test accuracy. The dots lie close together; eight larger ones are spread among the others."}}
fig, ax = plt.subplots(figsize=(7.2, 1.6))
frame = pd.DataFrame({"accuracy": accuracies, "y": ""})
sns.stripplot(frame, x="accuracy", y="y", color=C["null"], size=4, ax=ax)
sns.stripplot(frame[:8], x="accuracy", y="y", color=C["matched"], size=8, ax=ax)
ax.set(xlabel="accuracy on held-out digits", ylabel="", yticks=[])
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"The mean accuracy on held-out digits is {accuracies.mean():.3f}, and the standard deviation over "
    f"{len(networks)} networks is {accuracies.std(ddof=1):.3f}. On the training digits "
    f"{sum(a == 1 for a in train_accuracies)} of {len(networks)} networks make no error at all, so no "
    "network can be called the best without looking at the test digits."
)

# %% [markdown]
# Networks that scikit-learn has trained, as in the source, can be carried over:
# {py:func}`.models.from_sklearn` turns a fitted `MLPClassifier` into the same kind of object.
#
# ## A network is a graph
#
# Give each input, hidden unit and output a node, and give each layer one more node for its biases.
# The weight of the edge from node $i$ to node $j$ is the entry $A_{ij}$ of the
# {term}`adjacency matrix` ({numref}`fig-adjacency`). A 64-15-10 network has 64 + 15 + 10 + 2 = 91
# nodes. The source counted the hidden layer twice and got 106: fifteen of its nodes were empty, and
# its list of fixed nodes missed the outputs, so that class labels were permuted along with the hidden
# units before anything was averaged.

# %%
adjacency = matching.adjacency(eight[0])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-adjacency", "caption": "Left: the adjacency matrix of network 1. Only two blocks and the rows of the bias nodes hold weights; all else is zero by construction. Right: the block from pixels to hidden units for networks 1 to 4. The columns are hidden units in the order in which they happen to come, and no column of one network resembles the same column of another."}, "image": {"alt": "Left, a 91 by 91 heat map that is white but for a block of 64 by 15, a block of 15 by 10 and two short rows at the bottom. Right, four narrow heat maps of 64 by 15 weights, each with a different pattern of columns."}}
fig, axes = plt.subplots(
    1, 5, figsize=(7.2, 3.4), width_ratios=[3.2, 1, 1, 1, 1]
)
reach = {"vmin": -1, "vmax": 1}
plotting.heatmap(
    adjacency, axes[0], title="network 1, all nodes", center=0, **reach
)
axes[0].set(xlabel="to node", ylabel="from node")
for k, ax in enumerate(axes[1:]):
    block = matching.adjacency(eight[k])[:64, 64:79]
    label = "weight" if k == 3 else None
    plotting.heatmap(
        block,
        ax,
        title=f"{k + 1}",
        center=0,
        label=label,
        aspect="auto",
        **reach,
    )
    ax.set(xticks=[], yticks=[])
axes[1].set(ylabel="pixel")
axes[2].set_xlabel("hidden unit", loc="right")
plt.show()

# %% tags=["remove-input"]
n_weights = sum(p.numel() for p in eight[0].parameters())
zeros = 1 - n_weights / adjacency.size
claims.check("matching_zeros", zeros)
Markdown(
    f"Of the entries, {zeros:.1%} are zero by construction. A correlation over all entries, as in the "
    "source, mostly compares zeros with zeros. From here on only weights and biases count, in every "
    "figure."
)

# %% [markdown]
# ## The mean of unmatched networks
#
# If the weights of all networks came from one narrow distribution in one common order, two things
# would follow: the weights of two networks would agree, and the network of the mean weights would
# work. Both fail.


# %%
def weights(model):
    """All weights and biases of a network as one vector."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).numpy()


unmatched = training.accuracy(matching.average(eight), images.test)
unmatched_r = np.corrcoef([weights(m) for m in eight])

# %% tags=["remove-input"]
above = np.triu_indices(8, 1)
Markdown(
    f"The mean of the eight networks has accuracy {unmatched:.3f}, while its parents average "
    f"{accuracies[:8].mean():.3f}. Weight by weight, the correlation of two networks lies between "
    f"{unmatched_r[above].min():.2f} and {unmatched_r[above].max():.2f}."
)

# %% [markdown]
# ## The symmetry
#
# The failure says nothing yet, because the order of hidden units is arbitrary. Let $P$ be a
# {term}`permutation` matrix. The ReLU acts on each unit alone, so
#
# $$W_2 \operatorname{relu}(W_1 x + b_1) = (W_2 P^\top) \operatorname{relu}(P W_1 x + P b_1).
# $$ (eq-symmetry)
#
# Reordering the hidden units changes no output. By {eq}`eq-symmetry` a network of 15 hidden units
# has $15! \approx 1.3 \times 10^{12}$ copies that compute the same function, and the weights of two of
# them need not correlate.

# %%
generator = torch.Generator().manual_seed(0)
shuffled = matching.permute(eight[0], [torch.randperm(15, generator=generator)])
logits = [training.logits(m, images.test.x) for m in (eight[0], shuffled)]
difference = (logits[0] - logits[1]).abs().max()

# %% tags=["remove-input"]
claims.check("matching_symmetry", difference)
Markdown(
    f"A shuffled copy of network 1 computes the same: no logit differs by more than {difference:.6f}, "
    "which is rounding. Yet its weights correlate with those of network 1 by only "
    f"{np.corrcoef(weights(eight[0]), weights(shuffled))[0, 1]:.2f}."
)

# %% [markdown]
# ## Matching a pair
#
# Which order of network B's units brings its weights closest to A's? The source matched the two
# graphs: it maximised $\operatorname{tr}(A P B^\top P^\top)$ over permutations of the hidden nodes,
# with inputs, outputs and biases held fixed. That is a quadratic assignment problem, which is hard in
# general, and {term}`FAQ` solves it approximately {cite:p}`vogelstein2015`.
#
# But no edge joins two hidden units of one layer. So $P$ meets each weight only once, and the
# objective is linear in it: a sum over units $i$ of the inner product of all weights of unit $i$ with
# all weights of its partner $\pi(i)$,
#
# $$\sum_i \left\langle u_i, v_{\pi(i)} \right\rangle, \qquad u_i = [\,W_1;\, b_1;\, W_2^\top]_i .
# $$ (eq-assignment)
#
# This is a {term}`linear assignment` problem, which has an exact solution in $O(H^3)$ steps
# {cite:p}`crouse2016`. {py:func}`.matching.match` solves it in one call.
# {numref}`fig-pair` shows what that does to the weights of one pair.

# %%
reference, *others = eight
order = matching.match(reference, others[0])[0]
aligned = matching.align(
    reference, others[0]
)  # the same, and the units reordered

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
    "graspologic": "FAQ (graspologic), 20 starts",
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
values = comparison["mean objective"].to_numpy()
gap = np.abs(values / values[0] - 1).max()
claims.check("matching_faq_gap", gap)

# %% tags=["remove-input"]
plotting.table(comparison, digits=2)

# %% tags=["remove-input"]
equal = sum(
    torch.equal(a, b)
    for a, b in zip(orders["weights"], orders["faq"], strict=True)
)
Markdown(
    f"Here FAQ finds the exact permutation for {equal} of {len(others)} networks. The linear problem "
    "needs no starting point, no tolerance and no restarts. The source asked for 20 restarts, but started "
    "each of them from the same point, so its 20 results were one result."
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pair", "caption": "Each weight and bias of network 2 against the one in the same place of network 1, before and after its units were put into the order of network 1. After matching, large weights find large weights of the same sign; most small ones remain unrelated."}, "image": {"alt": "Two scatter plots of weights. Before matching the cloud is round; after matching it is stretched along the diagonal."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), sharex=True, sharey=True)
for ax, model, name in zip(
    axes, (others[0], aligned), ("unmatched", "matched"), strict=True
):
    a, b = weights(reference), weights(model)
    ax.plot(a, b, ".", ms=3, alpha=0.4, color=C[name], rasterized=True)
    ax.set(
        title=f"{name}: r = {np.corrcoef(a, b)[0, 1]:.2f}",
        xlabel="weight of network 1",
        aspect="equal",
    )
axes[0].set(ylabel="weight of network 2")
plt.show()

# %% [markdown]
# So the weights of the two networks do correlate after matching, though far from perfectly.
#
# ## All to one, or to a consensus
#
# Eight networks can all be matched to one of them, as the source does. Or they find a centre together:
# average them, match all to the average, and repeat until no unit moves. Each step raises the summed
# inner product with the mean, so the repetition ends. {py:func}`.matching.consensus` does this.
# {numref}`fig-pairs` looks at four of the eight networks weight by weight,
# {numref}`fig-correlations` at all of them.

# %%
agreed = matching.consensus(eight)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pairs", "caption": "Weights and biases of networks 1 to 4 against each other: below the diagonal as trained, above it after matching to the consensus. Above the diagonal every cloud is stretched along the line of equal weights."}, "image": {"alt": "A grid of four by four panels. Below the diagonal six round clouds in one colour; above it six clouds in another colour that lean to the upper right; on the diagonal histograms centred on zero."}}
before, after = (
    pd.DataFrame(
        {f"network {k + 1}": weights(m) for k, m in enumerate(group[:4])}
    )
    for group in (eight, agreed)
)
grid = sns.PairGrid(before, height=1.75)
dots = {"s": 3, "alpha": 0.35, "linewidth": 0, "rasterized": True}
grid.map_lower(sns.scatterplot, color=C["unmatched"], **dots)
grid.map_diag(sns.histplot, bins=40, color=C["null"], linewidth=0)
for i, j in zip(*np.triu_indices(4, 1), strict=True):
    grid.axes[i, j].scatter(
        after.iloc[:, j], after.iloc[:, i], color=C["matched"], **dots
    )
plt.show()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-correlations", "caption": "Correlation of the weights of each two of the eight networks: Pearson above the diagonal, Spearman below it. Matching turns correlations near zero into positive ones for every pair, by either measure."}, "image": {"alt": "Two 8 by 8 heat maps of correlations. Unmatched, all cells off the diagonal are near zero; after matching to the consensus all are clearly positive."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
for ax, group, title in zip(
    axes, (eight, agreed), ("unmatched", "consensus"), strict=True
):
    frame = pd.DataFrame(np.stack([weights(m) for m in group], axis=1))
    both = np.triu(frame.corr()) + np.tril(frame.corr("spearman"), -1)
    sns.heatmap(
        both, vmin=0, vmax=1, cmap="cividis", square=True, ax=ax,
        xticklabels=range(1, 9), yticklabels=range(1, 9),
        cbar=ax is axes[1], cbar_kws={"label": "correlation"},
    )  # fmt: skip
    ax.set(title=title, xlabel="network")
axes[0].set(ylabel="network")
plt.show()

# %% [markdown]
# What held for one pair holds for all of them: after matching, every two networks agree to some degree.
#
# ## What matching buys
#
# Does the mean network work now? Split the ensemble into groups of eight, and average each group in
# four ways: as trained; matched by weights to the group's first network; matched to the group's
# consensus; and matched by activations, that is, with the units paired whose outputs correlate most
# over the training digits.
# {numref}`fig-means` shows the result.


# %%
def mean_accuracies(group):
    """Accuracy of a group's mean network, for four orders of its units."""
    first, x = group[0], images.train.x
    versions = {
        "unmatched": group,
        "weights": [matching.align(first, m) for m in group],
        "consensus": matching.consensus(group),
        "activations": [
            matching.align(first, m, "activations", x=x) for m in group
        ],
    }
    return {
        name: training.accuracy(matching.average(version), images.test)
        for name, version in versions.items()
    }


groups = [networks[i : i + 8] for i in range(0, len(networks) - 7, 8)]
means = pd.DataFrame([mean_accuracies(group) for group in groups])

# %% tags=["remove-cell"]
claims.check(
    "matching_gain", means["weights"].mean() - means["unmatched"].mean()
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-means", "caption": "Accuracy of the mean of eight networks, one dot for each group, with the mean over groups and its 95 % interval beside it. Every kind of matching helps; no mean network is as good as a single network (dashed)."}, "image": {"alt": "Strips of dots for unmatched, weights, consensus and activations. The unmatched strip lies lowest; the three matched strips lie higher, below the dashed line of single networks."}}
long = means.melt(var_name="units", value_name="accuracy")
hues = dict.fromkeys(means, C["matched"]) | {"unmatched": C["unmatched"]}
fig, ax = plt.subplots(figsize=(7.2, 3))
style = {
    "x": "units",
    "y": "accuracy",
    "hue": "units",
    "palette": hues,
    "legend": False,
}
sns.stripplot(long, alpha=0.6, ax=ax, **style)
sns.pointplot(
    long, errorbar=("ci", 95) if len(groups) > 1 else None, markers="_",
    linestyle="none", capsize=0.1, ax=ax, **style,
)  # fmt: skip
ax.axhline(accuracies.mean(), ls="--", color=C["ink"], label="one network")
ax.axhline(0.1, ls=":", color=C["null"], label="chance")
ax.set(xlabel="", ylabel="accuracy of the mean of 8", ylim=(0, 1))
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# Two good networks need not have good networks between them. Walk from one to the other in a straight
# line and measure the loss on the way: the excess over the line between its two ends is the
# {term}`barrier` {cite:p}`frankle2020,ainsworth2023`.
# {numref}`fig-line` shows it for many pairs.

# %%
pairs = list(zip(networks[::2], networks[1::2], strict=True))
aligned_pairs = [(a, matching.align(a, b)) for a, b in pairs]
lines = {
    "unmatched": [matching.barrier(a, b, images.test) for a, b in pairs],
    "matched": [matching.barrier(a, b, images.test) for a, b in aligned_pairs],
}

# %% tags=["remove-cell"]


def midpoint_excess(line):
    """Loss in the middle of a line above the mean loss at its ends."""
    return (line.loss[12] - (line.loss[0] + line.loss[-1]) / 2).item()


excess = {
    k: np.mean([midpoint_excess(line) for line in found])
    for k, found in lines.items()
}
at_ends = np.mean([line.loss[[0, -1]].mean() for line in lines["matched"]])
claims.check("matching_barrier_ratio", excess["unmatched"] / excess["matched"])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-line", "caption": "Loss (left, logarithmic) and accuracy (right) along the straight line between two networks: mean over disjoint pairs, with bands of one standard deviation. Matching lowers the barrier a great deal, and does not remove it."}, "image": {"alt": "Two panels against the position on the line. Unmatched, the loss rises far above both ends in the middle and the accuracy falls; matched, the loss rises much less and the accuracy falls little."}}
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
grid.axes[0, 0].set(
    ylabel="cross-entropy on held-out digits (nats)", yscale="log"
)
grid.axes[0, 1].set(ylabel="accuracy on held-out digits")
sns.move_legend(
    grid, "lower center", bbox_to_anchor=(0.42, 1), ncols=2, title=""
)
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"In the middle of the line the loss lies {excess['unmatched']:.2f} nats above its ends before "
    f"matching and {excess['matched']:.2f} nats after (mean over {len(pairs)} disjoint pairs). The loss at "
    f"the ends is {at_ends:.2f} nats, so even between matched networks it rises to "
    f"{(excess['matched'] + at_ends) / at_ends:.1f} times that value: the barrier is lower, but not low."
)

# %% [markdown]
# Walk along one of these lines in {numref}`fig-path`. Each picture shows the input weights of one
# hidden unit. Matched, a unit turns into one that was like it from the start. Clear the box, and it
# turns into some other unit: half-way it is a blend of two units that do different things, and the
# accuracy falls.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-path", "caption": "A figure with a handle: the straight line from network A to network B, with B's units matched to A's or not. Drag the slider or the curve."}}
matching.path_slider(*pairs[0], images.test, (8, 8))

# %% [markdown]
# ## The null
#
# Matching takes a maximum over $15!$ orders, so it raises the correlation of *any* two networks.
# How much of the gain would two networks show that never saw a digit?
# {numref}`fig-null` compares the two.

# %%
untrained = [
    training.start(lambda: models.mlp([64, 15, 10]), seed)
    for seed in range(len(networks))
]


def correlations(group):
    """Weight correlation of neighbours, unmatched and matched."""
    rows = []
    for one, two in zip(group[::2], group[1::2], strict=False):
        a, b, matched = (
            weights(m) for m in (one, two, matching.align(one, two))
        )
        rows.append((np.corrcoef(a, b)[0, 1], np.corrcoef(a, matched)[0, 1]))
    return pd.DataFrame(rows, columns=["unmatched", "matched"])


found = {
    "trained": correlations(networks),
    "untrained": correlations(untrained),
}
gain, null_gain = (
    (frame.matched - frame.unmatched).mean() for frame in found.values()
)

# %% tags=["remove-cell"]
claims.check("matching_null_share", null_gain / gain)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-null", "caption": "Correlation of the weights of two networks before and after matching, one line for each pair. Untrained networks gain too, because the best of very many orders always looks like agreement; trained ones gain more."}, "image": {"alt": "Lines from unmatched to matched. All start near a correlation of zero; the gray lines of untrained pairs rise to about two tenths, the blue lines of trained pairs to more than twice that."}}
frame = pd.concat(found, names=["networks", "pair"]).reset_index()
frame = frame.melt(
    ["networks", "pair"], var_name="units", value_name="correlation"
)
fig, ax = plt.subplots(figsize=(5, 3))
palette = {"trained": C["matched"], "untrained": C["null"]}
sns.lineplot(
    frame, x="units", y="correlation", hue="networks", style="networks", units="pair",
    estimator=None, alpha=0.5, lw=0.8, palette=palette, ax=ax,
)  # fmt: skip
ax.set(xlabel="", ylabel="correlation of weights")
ax.legend(title="")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"Trained pairs gain {gain:.3f} in correlation and untrained pairs {null_gain:.3f}. So "
    f"{null_gain / gain:.0%} of the gain is what a maximum over orders finds in noise. Untrained networks "
    "are the weakest null there is: networks that were trained on other tasks would share more with one "
    "another. The remaining difference is therefore an upper bound of what learning the same task gives."
)

# %% [markdown]
# ## How many directions?
#
# The {term}`singular values <singular value>` of the mean adjacency tell how many directions the mean
# network uses. A feed-forward graph has no edge inside a layer, so these values are those of its two
# blocks put together, and its rank is exactly $\min(65, 15) + 10 = 25$. The {term}`elbow` is where the
# profile likelihood of {cite:t}`zhu2006` splits the values into large and small ones (graspologic's
# `select_dimension` uses the same rule).
# {numref}`fig-rank` shows both the values and what they are worth.

# %%
matrices = {
    name: np.mean([matching.adjacency(m) for m in group], axis=0)
    for name, group in [("unmatched", eight), ("matched", agreed)]
}


def low_rank_accuracies(matrix):
    """Singular values, and the accuracy of the network of each rank."""
    u, s, vt = np.linalg.svd(matrix)
    truncated = ((u[:, :r] * s[:r]) @ vt[:r] for r in range(26))
    networks_ = (matching.from_adjacency(m, [64, 15, 10]) for m in truncated)
    return s[:25], [training.accuracy(m, images.test) for m in networks_]


curves = {
    name: low_rank_accuracies(matrix) for name, matrix in matrices.items()
}

# %% tags=["remove-cell"]
claims.check("matching_rank", np.linalg.matrix_rank(matrices["matched"]))
scaled = matrices["matched"].copy()
scaled[:64, 64:79] *= 3  # incoming weights and biases of hidden units
scaled[89, 64:79] *= 3
scaled[64:79, 79:89] /= 3  # their outgoing weights
rescaled_values, rescaled_accuracy = low_rank_accuracies(scaled)
bends = [matching.elbow(v) for v in (curves["matched"][0], rescaled_values)]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-rank", "caption": "Left: singular values of the mean adjacency, with crosses at the elbows. Right: accuracy of the mean network when only the largest singular values are kept. The matched mean has larger singular values and reaches a far higher accuracy, but not at every rank."}, "image": {"alt": "Left, two falling curves of 25 singular values; the matched one lies higher for the first values. Right, accuracy against rank: both curves start at chance, and the matched one ends far above the unmatched one."}}
fig, axes = plt.subplots(1, 2)
for name, (values, accuracy) in curves.items():
    axes[0].plot(range(1, 26), values, ".-", color=C[name], label=name)
    bend = matching.elbow(values)
    axes[0].plot(bend, values[bend - 1], "x", ms=10, color=C[name])
    axes[1].plot(range(26), accuracy, ".-", color=C[name])
axes[1].axhline(0.1, ls=":", color=C["null"], label="chance")
axes[0].set(xlabel="index", ylabel="singular value")
axes[1].set(
    xlabel="rank kept", ylabel="accuracy on held-out digits", ylim=(0, 1)
)
axes[0].legend()
axes[1].legend(loc="lower right")
plt.show()

# %% tags=["remove-input"]
worse = [
    r
    for r in range(26)
    if curves["unmatched"][1][r] > curves["matched"][1][r] + 0.02
]
text = f"ranks {worse[0]} to {worse[-1]}" if worse else "no rank"
Markdown(
    f"The unmatched mean is the better one at {text}. And the picture depends on a choice that means "
    "nothing: multiply all incoming weights of the hidden units by 3 and divide the outgoing ones by 3. "
    f"The network computes the same, yet the elbow of the matched mean moves from {bends[0]} to "
    f"{bends[1]}, and the accuracy at rank {bends[0]} from {curves['matched'][1][bends[0]]:.2f} to "
    f"{rescaled_accuracy[bends[0]]:.2f}. A rank of weights is a property of the weights as they are "
    "scaled, not of the function."
)

# %% [markdown]
# ## Deeper and wider networks
#
# **Deeper.** With two or more hidden layers the objective is no longer linear, because one layer's best
# order depends on that of its neighbours. Hold all layers but one fixed, and it is a linear assignment
# again. Repeating this over layers never lowers the objective, and it stops when no layer can be
# improved: {term}`coordinate descent` {cite:p}`ainsworth2023`.
#
# **Scale.** A ReLU also commutes with positive factors: $\operatorname{relu}(c z) = c
# \operatorname{relu}(z)$ for $c > 0$. Dividing a unit's incoming weights by their norm and multiplying
# its outgoing weights by it changes nothing either. {py:func}`.matching.canonical` does so, and here it
# is done before matching.

# %%
recipe = {"epochs": knobs.width_epochs, "lr": 0.1, "progress": False}
seeds = range(knobs.width_networks)
deep = training.fit_ensemble(
    lambda: models.mlp([64, 32, 32, 10]), images.train, seeds, **recipe
)
rows = []
for one, two in zip(deep[::2], deep[1::2], strict=True):
    a, b = matching.canonical(one), matching.canonical(two)
    versions = {
        "unmatched": (one, two),
        "matched": (one, matching.align(one, two)),
        "canonical scale, matched": (a, matching.align(a, b)),
    }
    rows.append(
        {
            name: matching.barrier(*pair, images.test).height
            for name, pair in versions.items()
        }
    )

# %% tags=["remove-input"]
summary = pd.DataFrame(rows).agg(["mean", "std"]).T
summary.columns = ["barrier (nats)", "standard deviation"]
plotting.table(summary.rename_axis(f"64-32-32-10, {len(rows)} pairs"))

# %% tags=["remove-input"]
change = summary["barrier (nats)"]
Markdown(
    "Matching lowers the barrier in deeper networks too. The canonical scale "
    + (
        "does not help"
        if change.iloc[2] >= change.iloc[1]
        else "helps a little more"
    )
    + " here: it leaves each function as it was, but it moves the two ends of the line, and the straight "
    "line between rescaled networks is another line."
)

# %% [markdown]
# **Wider.** Does matching work better on wider networks, where there are more units to choose from?
# {numref}`fig-width` shows the barrier for each width.

# %%
rows = []
for width in settings.progress(knobs.widths, desc="widths"):
    wide = training.fit_ensemble(
        lambda width=width: models.mlp([64, width, 10]),
        images.train,
        seeds,
        **recipe,
    )
    for one, two in zip(wide[::2], wide[1::2], strict=True):
        for units, other in [
            ("unmatched", two),
            ("matched", matching.align(one, two)),
        ]:
            height = matching.barrier(one, other, images.test).height
            rows.append({"width": width, "units": units, "barrier": height})
by_width = pd.DataFrame(rows)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-width", "caption": "Barrier against the number of hidden units, one dot for each pair and the median of the pairs as a line, both axes logarithmic. Both barriers fall with width; the matched one stays far below the unmatched one."}, "image": {"alt": "Two falling lines on logarithmic axes with a few dots around them. The matched line lies well below the unmatched line at every width."}}
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
).clip(lower=1e-4)
ratio = median.unmatched / median.matched
Markdown(
    f"The ratio of the two medians goes from {ratio.iloc[0]:.1f} at {ratio.index[0]} units to "
    f"{ratio.max():.0f} at {ratio.idxmax()} and {ratio.iloc[-1]:.0f} at {ratio.index[-1]}. So wider "
    "networks do match better, up to a point; beyond it both barriers are so small that a few pairs do "
    f"not tell them apart. There are {len(seeds) // 2} pairs for each width, and triangles are barriers "
    "below 0.0001."
)

# %% [markdown]
# ## One distribution?
#
# The title of the source promises the distribution of networks. Now that units correspond, fit a
# Gaussian to the matched weights of the whole ensemble and draw new networks from it
# ({numref}`fig-draws`): once with the full sample covariance, once weight by weight.

# %%
ensemble = matching.consensus(networks)
generator = torch.Generator().manual_seed(0)
rows = []
for units, group in [("unmatched", networks), ("matched", ensemble)]:
    for covariance in ("full", "diagonal"):
        drawn = [
            matching.sample_gaussian(group, generator, covariance)
            for _ in range(20)
        ]
        rows += [
            {"units": units, "covariance": covariance, "accuracy": a}
            for a in (training.accuracy(m, images.test) for m in drawn)
        ]
draws = pd.DataFrame(rows)

# %% tags=["remove-cell"]
mean_draw = draws.groupby(["units", "covariance"]).accuracy.mean()
claims.check("matching_sampled_accuracy", mean_draw["matched", "full"])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-draws", "caption": "Accuracy of 20 new networks drawn from each of four Gaussians: fitted to unmatched or to matched weights, with the full covariance between weights or with each weight on its own. Matching helps under both; the covariance between weights helps more."}, "image": {"alt": "Four strips of dots. Under the full covariance the accuracies lie far above those drawn weight by weight; within each the matched strip lies above the unmatched one."}}
fig, ax = plt.subplots(figsize=(7.2, 3))
sns.stripplot(
    draws,
    x="covariance",
    y="accuracy",
    hue="units",
    palette=C,
    dodge=True,
    alpha=0.7,
    ax=ax,
)
ax.axhline(accuracies.mean(), ls="--", color=C["ink"], label="one network")
ax.axhline(0.1, ls=":", color=C["null"], label="chance")
ax.set(
    xlabel="covariance of the Gaussian",
    ylabel="accuracy of a drawn network",
    ylim=(0, 1),
)
ax.legend(title="", loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"Drawn with the full covariance from matched weights, a network reaches "
    f"{mean_draw['matched', 'full']:.2f} on average; drawn weight by weight, "
    f"{mean_draw['matched', 'diagonal']:.2f}. A full covariance of {len(networks)} networks can only mix "
    f"those networks, which is why it works to some degree unmatched "
    f"({mean_draw['unmatched', 'full']:.2f}). So one Gaussian describes matched networks well enough to "
    "draw networks far above chance from it, and not well enough to draw networks as good as those it was "
    "fitted to."
)

# %% [markdown]
# **All pairs.** Does the ensemble fall into groups of networks that agree among themselves?
# {numref}`fig-all-pairs` shows the barrier between every two of the first twelve networks, ordered by
# average-linkage clustering of the matched barriers, so that groups would show as blocks.

# %%
some = networks[:12]
barriers = np.zeros((2, 12, 12))
for i, j in zip(*np.tril_indices(12, -1), strict=True):
    for k, other in enumerate((some[j], matching.align(some[i], some[j]))):
        height = matching.barrier(some[i], other, images.test).height
        barriers[k, i, j] = barriers[k, j, i] = height

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-all-pairs", "caption": "Barriers between the first twelve networks, each panel on its own scale, rows and columns ordered by clustering the matched barriers. No block of low barriers stands out on the diagonal: the networks form no groups."}, "image": {"alt": "Two 12 by 12 heat maps of barriers in an order found by clustering. Values vary from cell to cell without blocks along the diagonal."}}
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

tree = linkage(squareform(barriers[1]), method="average")
leaves = leaves_list(tree)
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.1))
for ax, matrix, title in zip(
    axes, barriers, ("unmatched", "matched"), strict=True
):
    ordered = np.where(np.eye(12), np.nan, matrix)[leaves][:, leaves]
    sns.heatmap(
        ordered, square=True, cmap="cividis", ax=ax, cbar_kws={"label": "barrier (nats)"},
        xticklabels=leaves + 1, yticklabels=leaves + 1,
    )  # fmt: skip
    ax.set(title=title, xlabel="network", ylabel="network")
plt.show()

# %% [markdown]
# ## Take-aways
#
# - The order of hidden units is arbitrary. Comparing weights before matching compares labels.
# - With one hidden layer the best order is one exact linear assignment. Graph matching finds the
#   same answer, more slowly.
# - Matched networks can be averaged, and the loss between them rises far less than before. It still
#   rises, and the mean of eight networks is worse than each of them: the order of units is a large part
#   of what differs between networks, not all of it.
# - A matching raises the correlation of untrained networks too. Show a null beside every gain.
# - The rank of a network's weights depends on how its units are scaled, which changes no output.
#
# ## Ledger

# %% tags=["remove-input"]
claims.table("01_matching_mlps")

# %% [markdown]
# ## Exercises
#
# **1.** Some pixels of the digits are the same in every image. What does gradient descent do to their
# weights, and what follows for the correlation of matched weights?
#
# :::{admonition} Solution
# :class: dropdown
# A pixel that is zero in every image has zero gradient, so its weights stay at their random start, and
# no order of the units makes them agree: they lower the correlation a little. Find the pixels and show
# that their weights have not moved:
# ```python
# still = images.train.x.flatten(1).std(0) == 0
# start = training.start(lambda: models.mlp([64, 15, 10]), 0)
# print(int(still.sum()), "pixels; weights as at the start:",
#       bool((networks[0][1].weight[:, still] == start[1].weight[:, still]).all()))
# ```
# :::
#
# **2.** Plant a permutation and get it back: shuffle the units of a network, add Gaussian noise of
# growing size to its weights, and plot the fraction of units that {py:func}`.matching.match` finds.
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
#     print(size, float((found == p).float().mean()))
# ```
# All units are found until the noise is as large as the weights, whose standard deviation is about a
# half; at three, hardly more than chance allows.
# :::
#
# **3.** Match by activations on held-out digits, and on pure noise. How much does the choice of
# inputs matter?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# for x in (images.test.x, torch.rand_like(images.test.x)):
#     group = [matching.align(eight[0], m, "activations", x=x) for m in eight]
#     print(training.accuracy(matching.average(group), images.test))
# ```
# On digits the mean network is good; on noise the activations say less about what a unit does to
# digits, and the mean network is worse.
# :::
#
# ## Further reading
#
# Weight matching and the barrier: {cite:t}`ainsworth2023`. Permutations and linear mode
# connectivity: {cite:t}`entezari2022`. Graph matching: {cite:t}`vogelstein2015`.
