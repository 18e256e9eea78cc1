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
# # Ablating a circle classifier
#
# **The question.** How does a network's behaviour change as its units are removed, in every possible
# way?
#
# **What you will be able to do.** Compute the loss of every {term}`subnetwork` of a small network
# exactly; read a function on sets of units by its {term}`Walsh spectrum`; work out
# {term}`Shapley values <Shapley value>` and the covariance along random paths without sampling; and
# say what a gradient tells about the removal of a unit, and what it does not tell.
#
# **What you need.** Expectation and variance, the logistic loss, gradients. Symbols are those of the
# {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows a post of Donald Hobson on a toy network that tells the inside of a circle from
# its outside {cite:p}`circle2023`. The source drew a thousand subnetworks at a time. There are only
# 1,048,576 of them, so here every one is computed, and the source's draws serve as a check.

# %% tags=["hide-input"]
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from matplotlib.colors import (
    LinearSegmentedColormap,
    LogNorm,
    SymLogNorm,
    to_rgba,
)
from scipy.stats import kurtosis, norm

from netdist_utils import (
    ablation,
    claims,
    data,
    models,
    plotting,
    settings,
    training,
)

plotting.use_style()
C, LEVELS = plotting.COLORS, plotting.LEVELS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    units=(10, 20, 20),
    networks=(4, 20, 100),
    points=(300, 1000, 1000),
    epochs=(40, 200, 400),
    brief=(10, 15, 15),
    paths=(30000, 100000, 1000000),
    masks=(500, 2000, 10000),
)
H = knobs.units
KEEP = (0.25, 0.5, 0.75)  # keep-probabilities, and their colours
SHADE = dict(zip(KEEP, LEVELS, strict=False))


def listed(items):
    """Items as words: "3, 4 and 5", or "none"."""
    *first, last = map(str, items) if len(items) else ["none"]
    return f"{', '.join(first)} and {last}" if first else last


def percent(share, digits=0):
    return f"{100 * share:.{digits}f} %"


# %% [markdown]
# ## The task and the network
#
# Points are uniform on the square from $-1$ to $1$. The label says whether a point lies outside the
# circle of radius $\sqrt{2/\pi}$, which has half of the square's area. The network has two inputs, one
# hidden layer of 20 {term}`ReLU` units and two outputs. An {term}`ensemble` of such networks is trained
# by one recipe from different seeds. The chapter looks at network 1 ({numref}`fig-circle-map`), and at
# all of them in its last section.
#
# The source wanted the same circle. But its code compares the *squared* distance with
# $\sqrt{2/\pi}$, so that its circle has the radius $(2/\pi)^{1/4} \approx 0.89$ and 63 % of the square
# lies inside. Its code also names no optimiser, trains for 20 epochs on 1,000 points, and reports a
# loss of 0.117. Here Adam runs on 4,000 points, with a learning rate that falls to zero along a cosine,
# until the loss no longer changes.

# %%
train, points = data.circle(4000, seed=1), data.circle(knobs.points, seed=23)
recipe = {
    "lr": 0.01,
    "optimizer": "adam",
    "batch_size": 100,
    "schedule": "cosine",
}
networks = training.fit_ensemble(
    lambda: models.mlp([2, H, 2]),
    train,
    range(knobs.networks),
    epochs=knobs.epochs,
    **recipe,
)
model = networks[0]

# %% tags=["remove-cell"]
full_loss = training.cross_entropy(model, points)
claims.check("circle_full_loss", full_loss, "synthetic")


def by_source(split):
    """The same points with the labels of the source's code."""
    return data.Split(
        split.x, (split.x.square().sum(1) > (2 / np.pi) ** 0.5).long()
    )


as_printed = training.fit_ensemble(
    lambda: models.mlp([2, H, 2]),
    by_source(data.circle(1000, seed=1)),
    range(5),
    epochs=20,
    lr=0.001,
    optimizer="adam",
    batch_size=32,
)
printed_losses = [
    training.cross_entropy(m, by_source(points)) for m in as_printed
]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-circle-map", "caption": "What network 1 answers on the square from -2 to 2; it was trained on points of the dashed square. The change between its two answers lies on the circle (solid). The dotted circle is the one that the source's code labels by."}, "image": {"alt": "A map of the square. A disc in the colour of inside fills the solid circle; around it everything is in the colour of outside. The change between the two is sharp. A dotted circle is a little larger, and a dashed square touches neither."}}
side = torch.linspace(-2, 2, 200)
grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).flatten(0, 1)
outside = training.logits(model, grid).softmax(1)[:, 1].reshape(200, 200)
# From one colour to the other through the paper, as in the figure with a handle.
through_paper = LinearSegmentedColormap.from_list(
    "circle",
    [
        (0, to_rgba(C["inside"], 1)),
        (0.5, to_rgba(C["inside"], 0)),
        (0.5, to_rgba(C["outside"], 0)),
        (1, to_rgba(C["outside"], 1)),
    ],
)
RADIUS = (2 / np.pi) ** 0.5
fig, ax = plt.subplots(figsize=(4.6, 3.6))
plotting.heatmap(
    outside, ax, label="probability of outside", origin="lower", extent=[-2, 2, -2, 2],
    cmap=through_paper, vmin=0, vmax=1,
)  # fmt: skip
for radius, style in [(RADIUS, "-"), (RADIUS**0.5, ":")]:
    circle = plt.Circle(
        (0, 0), radius, fill=False, ec=C["ink"], lw=1.5, ls=style
    )
    ax.add_patch(circle)
ax.add_patch(
    plt.Rectangle((-1, -1), 2, 2, fill=False, ec=C["ink"], lw=1, ls="--")
)
ax.set(xlabel="first input", ylabel="second input")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"On {len(points):,} fresh points network 1 has a loss of {full_loss:.3f} nats and an accuracy of "
    f"{training.accuracy(model, points):.3f}. The source's recipe as printed, with its labels, Adam at "
    f"its usual settings and batches of 32, ends at losses between {min(printed_losses):.2f} and "
    f"{max(printed_losses):.2f} for five seeds. So the post leaves out something about how its network got "
    "to 0.117. Ours are trained further than that."
)

# %% [markdown]
# ## The explorer
#
# What do the {term}`subnetworks <subnetwork>` of network 1 answer? Switch units off in {numref}`fig-explorer`. The
# map, the loss and its place among the losses of all subnetworks are worked out in your browser, from
# the trained weights. Play a path that flips every unit once, or ask for the best subnetwork of each
# size. {py:func}`.ablation.all_losses` computes the losses of all of them.

# %%
losses = ablation.all_losses(model, points)  # of all 2^H subnetworks

# %% tags=["remove-cell"]
began = perf_counter()
ablation.all_losses(model, points)
seconds = perf_counter() - began
without = losses[(2**H - 1) - (1 << torch.arange(H))]  # each unit alone removed
felt = without > 1.01 * full_loss
little = int(torch.where(felt, without, torch.inf).argmin())
much = int(without.argmax())

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-explorer", "caption": "A figure with a handle: every subnetwork of network 1. Clear a box to remove a unit. The drawn circle is the border between the classes, and the dashed square is where the points lie. Units that are struck out are on at none of the points."}}
ablation.explorer(model, points, losses)

# %% tags=["remove-input"]
Markdown(
    f"Single units can matter little or much: without unit {little} the loss is "
    f"{float(without[little]):.2f} nats, without unit {much} it is {float(without[much]):.2f}. All "
    f"{len(losses):,} losses on {len(points):,} points took {seconds:.1f} seconds here, although they are "
    f"sums of {len(losses) * len(points) / 1e6:,.0f} million terms."
)

# %% [markdown]
# :::{admonition} How so many losses are computed in so little time
# :class: dropdown
# - At a given point many units are off: their ReLU puts out zero, and removing them changes nothing.
#   A point at which $a$ units are on needs only $2^a$ terms.
# - The logit of "outside" minus that of "inside" is a sum over the kept units, so its exponential is a
#   product. Split the units into two halves. A small table of numbers $u$ holds the products of one
#   half, another of numbers $v$ those of the other half, and each subnetwork is one number $1 + uv$.
#   For two points, $(1 + uv)(1 + wz) = 1 \cdot 1 + u \cdot v + w \cdot z + uw \cdot vz$ is a row of four
#   numbers times a column, so a matrix product multiplies points together. Because
#   $\log x + \log y = \log xy$, one logarithm then serves up to sixteen points.
# - The points are put together by the {term}`Walsh-Hadamard transform` that this chapter comes to below:
#   the terms of a point have few coefficients, which are added up over points and transformed back once.
# :::
#
# ## Units that do nothing
#
# A ReLU unit whose input is negative at every point puts out zero everywhere: it is a {term}`dead unit`.
# {numref}`fig-explorer` strikes such units out. Removing one changes no loss, so every loss comes
# several times.

# %%
activations = models.outputs(model, points.x, [2])[2]  # (points, units)
live = (activations > 0).any(0).nonzero()[:, 0]
functions = 2 ** len(live)  # that the subnetworks can be

# %% tags=["remove-cell"]
dead = sorted(set(range(H)) - set(live.tolist()))
found = [models.outputs(m, points.x, [2])[2] for m in networks]
dead_counts = [int((h <= 0).all(0).sum()) for h in found]

# %% tags=["remove-input"]
subject = {0: "No unit", 1: f"Unit {listed(dead)}"}.get(
    len(dead), f"Units {listed(dead)}"
)
Markdown(
    f"{subject} of network 1 {'are' if len(dead) > 1 else 'is'} dead on these points. So its "
    f"{2**H:,} subnetworks are at most {functions:,} different functions there, each of them "
    f"{2 ** len(dead)} times over. This is no accident of one network: among the {len(networks)} networks of "
    f"the ensemble, between {min(dead_counts)} and {max(dead_counts)} units are dead, "
    f"{np.mean(dead_counts):.1f} on average. Where the dead units matter below, the text says so."
)

# %% [markdown]
# ## The loss of random subnetworks
#
# Keep each unit with a {term}`keep-probability` $p$. The set $S$ of kept units then has probability
# $p^{|S|} (1-p)^{H-|S|}$, and the distribution of the loss is a weighted count of all $2^H$ values. It
# has no sampling error. The source drew 1,000 subnetworks for each $p$ instead; its draws come back
# with its seed, 17.

# %%
weights = {p: ablation.keep_probabilities(H, p) for p in KEEP}
means = {p: ablation.distribution_moments(losses, p)[0] for p in KEEP}

random = np.random.RandomState(17)
masks_drawn = {p: random.rand(1000, 20) < p for p in KEEP}  # the source's
drawn = {p: m[:, :H] @ (1 << np.arange(H)) for p, m in masks_drawn.items()}

# %% [markdown]
# {numref}`fig-circle-losses` shows both, smoothed by the source's Gaussian kernel of width 0.03.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-circle-losses", "caption": "Loss of random subnetworks of network 1 for three keep-probabilities, on a logarithmic axis. Upper panels and lower left: exact density, and over it that of the source's 1,000 draws. Lower right: exact cumulative distributions. The dashed line is the loss of the full network. More units make a lower loss, and the ripples of the 1,000 draws are mostly their own."}, "image": {"alt": "Four panels with a logarithmic loss axis. Three show a broad hump, each with a thin jagged curve around a smoother thick one; the hump lies farther left for a larger keep-probability. The fourth shows three cumulative curves that rise from zero to one. A dashed vertical line at the loss of the full network stands at the far left of each panel."}}
order = losses.argsort()
ordered = losses[order].numpy()
top = float(np.quantile(losses, 0.999))
at = np.linspace(full_loss / 2, top, 3000)
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5), sharex=True)
for p, ax in zip(KEEP, axes.flat, strict=False):
    exact = plotting.density(losses, 0.03, at, weights[p])
    ax.plot(at, exact, color=SHADE[p], lw=2.5, label="exact")
    sample = plotting.density(losses[drawn[p]], 0.03, at)
    ax.plot(at, sample, color=C["null"], lw=0.7, label="1,000 draws")
    ax.set(title=f"p = {p}", ylabel="density")
    reached = np.concatenate([[0], weights[p][order].cumsum(0)])
    reached = reached[np.searchsorted(ordered, at, side="right")]
    axes[1, 1].plot(at, reached, color=SHADE[p], label=f"p = {p}")
for ax in axes.flat:
    ax.axvline(full_loss, color=C["ink"], ls="--", lw=1)
    ax.set(xscale="log", xlim=(full_loss / 1.5, top))
for ax in axes[1]:
    ax.set_xlabel("loss (nats)")
axes[1, 1].set(ylabel="cumulative probability")
axes[0, 0].legend(loc="upper left", bbox_to_anchor=(0.05, 1))
axes[1, 1].legend(loc="upper left", bbox_to_anchor=(0.05, 1))
plt.show()

# %% tags=["remove-cell"]
claims.check("circle_mean_difference", means[0.75] - means[0.25], "synthetic")


def expected_distinct(p, draws, units):
    """Expected number of distinct subnetworks among some draws."""
    probability = ablation.keep_probabilities(units, p)
    return float((1 - (1 - probability) ** draws).sum())


def distinct(masks):
    """Number of distinct rows."""
    return len(np.unique(masks @ (1 << np.arange(masks.shape[1]))))


claims.check("circle_distinct", expected_distinct(0.75, 1000, 20), "synthetic")
claims.check("circle_all_on", 1000 * 0.75**20, "synthetic")


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


rows = {}
for p in KEEP:
    low, high = np.quantile(losses[drawn[p]], [0.05, 0.95])
    middle = np.linspace(low, high, 800)
    exact, smooth, narrow = (
        plotting.density(losses, width, middle, weights[p])
        for width in (0.03, 0.15, 0.03 / 2**0.5)
    )
    second = narrow / (2 * np.pi**0.5 * 0.03)  # mean of the squared kernel
    rows[p] = {
        "mean loss": means[p],
        "skewness": ablation.distribution_moments(losses, p)[2],
        "true ripple": rms(exact - smooth),
        "noise of 1,000 draws": rms(np.sqrt((second - exact**2) / 1000)),
    }
ripples = pd.DataFrame(rows).T.rename_axis("p")
chance = np.random.default_rng(0)
repeats = [distinct(chance.random((1000, 20)) < 0.75) for _ in range(2000)]
most = masks_drawn[0.75]
size = most.sum(1)
seen = distinct(most)
all_on = int((size == 20).sum())
without_14 = int(((size == 19) & ~most[:, 14]).sum())
as_few = np.mean([count <= seen for count in repeats])

# %% tags=["remove-input"]
plotting.table(ripples)

# %% tags=["remove-input"]
less = sum(ripples["true ripple"] < ripples["noise of 1,000 draws"])
Markdown(
    f"The mean loss falls with p, and every density has its longer tail on the right, as the source "
    "saw. Are the small wiggles of its curves noise, as it supposed? The last two columns compare, for the "
    "middle 90 % of each density, the true ripple (the root mean square of what the kernel of 0.03 shows "
    "beyond one of 0.15) with the noise of 1,000 draws. The noise is the larger one at "
    f"{'each' if less == len(KEEP) else less} of the three keep-probabilities. So the wiggles of 1,000 draws are mostly noise, but not all "
    "of them are: some bumps stay in the exact curves."
)

# %% tags=["remove-input"]
Markdown(
    f"**Counts.** The source found 952 distinct subnetworks among its 1,000 at p = 0.75, five with all "
    "units, and three that lack unit 14 alone. With its seed and its loop we find the same: "
    f"{seen}, {all_on} and {without_14}. Expected are {1000 * 0.75**20:.2f} with all units, and "
    f"{expected_distinct(0.75, 1000, 20):.1f} distinct ones with a standard deviation of "
    f"{np.std(repeats):.1f}. So 952 is a low count: only {percent(as_few, 1)} of 2,000 repetitions have as few. "
    + (
        "Dead units change what such counts mean. In network 1 the function of the full network is "
        f"expected {1000 * 0.75 ** len(live):.1f} times, since only {len(live)} units have to be kept for "
        f"it, and among the 1,000 subnetworks we expect {expected_distinct(0.75, 1000, len(live)):.0f} "
        f"different functions (the source's draws make {distinct(most[:, live.numpy()])})."
        if dead
        else "Network 1 has no dead unit, so that these are counts of functions too."
    )
)

# %% [markdown]
# ## Is the loss log-normal?
#
# The source fits a normal curve to the log loss, finds the fit good, and takes the loss as
# {term}`log-normal` from there on ({numref}`fig-circle-log-losses`). For a normal distribution,
# {term}`skewness`, {term}`excess kurtosis` and the {term}`Kolmogorov-Smirnov distance` to the fitted normal
# curve are all zero. Here they can be computed exactly.


# %%
def distance_to_normal(values, p):
    """Exact Kolmogorov-Smirnov distance from the fitted normal."""
    mean, sd, *_ = ablation.distribution_moments(values, p)
    values, order = values.sort()
    step = ablation.keep_probabilities(H, p)[order]
    reached = step.cumsum(0)
    fitted = torch.special.ndtr((values - mean) / sd)
    gaps = torch.maximum(reached - fitted, fitted - (reached - step))
    return float(gaps.max())


log_losses = losses.log()
distances = {p: distance_to_normal(log_losses, p) for p in KEEP}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-circle-log-losses", "caption": "Exact density of log loss for three keep-probabilities, with the normal curve of equal mean and standard deviation dashed. The dotted line is the full network. The curves have the width of their bell, but not its shape: they are uneven, and for large p they lean to the right and leave a bump at the full network."}, "image": {"alt": "Three panels side by side, each a solid curve over a dashed bell. The solid curves have small spikes around the bell. In the last panel the solid curve lies to the right of the top of the bell, has a longer tail on the left, and a small separate bump at a dotted vertical line at the far left."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.7), sharex=True, sharey=True)
at = np.linspace(
    float(log_losses.min()) - 0.2, float(log_losses.max()) + 0.2, 500
)
for p, ax in zip(KEEP, axes, strict=True):
    exact = plotting.density(log_losses, 0.03, at, weights[p])
    mean, sd, *_ = ablation.distribution_moments(log_losses, p)
    ax.plot(at, exact, color=SHADE[p], label="exact")
    ax.plot(
        at, norm.pdf(at, mean, sd), "--", color=C["ink"], lw=1, label="normal"
    )
    ax.axvline(np.log(full_loss), color=C["ink"], ls=":", lw=1)
    ax.set(title=f"p = {p}", xlabel="log loss")
axes[0].set(ylabel="density")
axes[0].legend(loc="upper left")
plt.show()

# %% tags=["remove-cell"]
names = ["mean", "standard deviation", "skewness", "excess kurtosis"]
shape = pd.DataFrame(
    {p: ablation.distribution_moments(log_losses, p) for p in KEEP}, index=names
).T.rename_axis("p")
shape["distance to the normal fit"] = pd.Series(distances)


def sample_distances(samples):
    """Distance of each row of 1,000 values from its own normal fit."""
    mean, sd = (f(samples, axis=1, keepdims=True) for f in (np.mean, np.std))
    fit = norm.cdf((np.sort(samples, axis=1) - mean) / sd)
    rank = np.arange(1, 1001) / 1000
    return np.maximum(rank - fit, fit - rank + 0.001).max(1)


chance = np.random.default_rng(0)
limit = np.quantile(
    sample_distances(chance.standard_normal((2000, 1000))), 0.95
)
for p in KEEP:
    codes = (chance.random((200, 1000, H)) < p) @ (1 << np.arange(H))
    far = sample_distances(log_losses.numpy()[codes]) > limit
    shape.loc[p, "noticed"] = far.mean()

# %% tags=["remove-input"]
plotting.table(
    shape.assign(noticed=shape["noticed"].map(percent)).rename(
        columns={"noticed": "noticed in 1,000 draws"}
    )
)

# %% tags=["remove-input"]
worst, closest = (f(distances, key=distances.get) for f in (max, min))
Markdown(
    "So the loss of network 1 is not log-normal, but it is not far from it. Its cumulative distribution "
    f"departs from the fitted one by {distances[closest]:.3f} at p = {closest} and by {distances[worst]:.3f} "
    f"at p = {worst}, where log loss has the skewness {shape.loc[worst, 'skewness']:.2f}. Could the source have "
    "noticed? In samples of 1,000 from a true normal distribution the distance to the fit exceeds "
    f"{limit:.3f} in one case of twenty. The last column says how often it does so in samples of 1,000 "
    f"subnetworks: in {percent(shape['noticed'].min())} to {percent(shape['noticed'].max())} of them. So a "
    "test on samples of the source's size would mostly have noticed; the source judged by eye."
)

# %% [markdown]
# ## Gradients and removals
#
# Multiply each unit's output by an entry of a {term}`mask`: 1 keeps the unit, 0 removes it. The
# gradient of the loss by the mask comes from one backward pass, and the source studies it for insight
# into the network. But it does not say what happens if a unit is removed. It says what happens if a
# unit is turned up by a little.

# %%
generator = torch.Generator().manual_seed(0)
masks, gradients, log_gradients = {}, {}, {}
for p in KEEP:
    masks[p] = (torch.rand(knobs.masks, H, generator=generator) < p).float()
    gradients[p] = ablation.mask_gradients(model, points, masks[p])
    loss = ablation.losses(model, points, masks[p])[:, None]
    log_gradients[p] = gradients[p] / loss  # the gradient of log loss

# %% [markdown]
# {numref}`fig-mask-gradients` shows the gradients of live units. Those of dead units are exactly zero.
# Pooled with the others, as in the source, they would make a spike that hides what is near zero.
#
# What shapes these distributions? The source expected that a unit that is on and one that is off
# differ. There is a second candidate. A random subnetwork *leans* to one class: on average over the
# points, its probability of "outside" is larger or smaller than the share of points outside. And each
# unit pushes to one class, by the sign of its outgoing weights, so that it pushes with the lean or
# against it.

# %%
outward = model[3].weight[1] - model[3].weight[0]  # to the logit of outside
offset = model[3].bias[1] - model[3].bias[0]
logits = masks[0.5] @ (activations * outward).T + offset  # (masks, points)
lean = logits.sigmoid().mean(1) - points.y.float().mean()
with_lean = lean[:, None] * outward[live] > 0  # (masks, live units)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-mask-gradients", "caption": "Gradients by the mask entry of a live unit, at random masks. Above: of the loss and of log loss for three keep-probabilities, with fitted normal curves dashed. Below: of log loss for p = 0.5, split by whether the unit is on in the mask, and by whether it pushes with the lean of the subnetwork. The split by lean takes the two peaks apart."}, "image": {"alt": "Four panels of densities. Above left, jagged curves with many narrow peaks around dashed bells; above right, curves with two peaks and a dip between them near zero. Below left, a curve of units that are on and one of units that are off, each spread over both sides of zero. Below right, two humps with little overlap, one left of zero and one right of it."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 4.8))
for found, name, ax in [
    (gradients, "loss", axes[0, 0]),
    (log_gradients, "log loss", axes[0, 1]),
]:
    reach = float(np.quantile(found[0.5][:, live].abs(), 0.99))
    at = np.linspace(-reach, reach, 500)
    for p in KEEP:
        values = found[p][:, live]
        curve = plotting.density(values.flatten(), 0.03, at)
        bell = norm.pdf(at, float(values.mean()), float(values.std()))
        ax.plot(at, curve, color=SHADE[p], label=f"p = {p}")
        ax.plot(at, bell, "--", color=SHADE[p], lw=1)
    ax.set(xlabel=f"gradient of {name}")
values = log_gradients[0.5][:, live]
splits = {
    ("unit on", "unit off"): masks[0.5][:, live] == 1,
    ("with the lean", "against the lean"): with_lean,
}
for ax, (names, first) in zip(axes[1], splits.items(), strict=True):
    for name, chosen, color in zip(
        names, (first, ~first), (C["matched"], C["other"]), strict=True
    ):
        curve = plotting.density(values[chosen], 0.03, at)
        ax.plot(at, curve, color=color, label=name)
    ax.set(xlabel="gradient of log loss")
for ax in axes[:, 0]:
    ax.set(ylabel="density")
for ax in axes.flat[1:]:
    top = ax.get_ylim()[1]
    ax.set_ylim(0, 1.45 * top)
    ax.legend(loc="upper right", fontsize=9, handlelength=1.2)
plt.show()

# %% tags=["remove-cell"]
rows = {}
on = masks[0.5][:, live] == 1
parts = [(f"p = {p}", p, slice(None)) for p in KEEP]
parts += [("p = 0.5, unit on", 0.5, on), ("p = 0.5, unit off", 0.5, ~on)]
for name, p, part in parts:
    rows[name] = {
        f"{of}: {what}": measure(found[p][:, live][part].flatten().numpy())
        for of, found in [("loss", gradients), ("log loss", log_gradients)]
        for what, measure in [
            ("mean", np.mean),
            ("SD", np.std),
            ("excess kurtosis", kurtosis),
        ]
    }
moments_table = pd.DataFrame(rows).T.rename_axis("gradient by a mask entry")
by_lean = float((with_lean == (log_gradients[0.5][:, live] > 0)).float().mean())
by_on = float((on == (log_gradients[0.5][:, live] > 0)).float().mean())
spread = log_gradients[0.5][:, live].std(0)

# %% tags=["remove-input"]
plotting.table(moments_table, digits=2)

# %% tags=["remove-input"]
heavy = moments_table["log loss: excess kurtosis"].iloc[:3]
light = moments_table["loss: excess kurtosis"].iloc[:3]
falls = int((moments_table["loss: mean"].iloc[:3] < 0).sum())
Markdown(
    f"The mean gradient is below zero at {'each' if falls == 3 else falls} of the three keep-probabilities: "
    "on average, more of a unit makes a lower loss. The source found "
    "its gradients more peaked and heavier in the tails than normal curves. For log loss that is so here: "
    f"the excess kurtosis is {heavy.min():.1f} to {heavy.max():.1f}. For the loss it is {light.min():.1f} to "
    f"{light.max():.1f}, so that the tails are about those of a normal curve or lighter. The "
    "trough at zero in the gradient of log loss surprised the source, and the split by on and off did not "
    "explain it. The lean does. Turning up a unit that pushes with the lean raises the loss, and turning up "
    f"one that pushes against it lowers the loss: this gives the right sign in {percent(by_lean)} of all cases, "
    f"while on and off give it in {percent(by_on)}. Few random subnetworks lean so little that neither matters."
)

# %% [markdown]
# {numref}`fig-unit-gradients` splits the lower left panel of {numref}`fig-mask-gradients` by unit, as the
# source does.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-unit-gradients", "caption": "Gradient of log loss by the mask entry of each live unit at p = 0.5, with the unit on and with it off; one axis for all. Nearly every unit has a peak on each side of zero. For most units the left one is larger with the unit off, where turning it up would lower the loss, and the right one with the unit on."}, "image": {"alt": "One small panel per live unit, each with two densities, one for the unit on and one for the unit off. Most curves have a hump left of zero and another right of it; the curve of the unit on is higher on the right. Panels differ in width."}}
columns = 4 if len(live) % 4 == 0 else 5
rows_needed = -(-len(live) // columns)
fig, axes = plt.subplots(
    rows_needed, columns, figsize=(7.2, 1.15 * rows_needed + 0.6), sharex=True
)
reach = float(np.quantile(log_gradients[0.5][:, live].abs(), 0.97))
at = np.linspace(-reach, reach, 300)
for ax in axes.flat[len(live) :]:
    ax.set_axis_off()
for unit, ax in zip(live.tolist(), axes.flat, strict=False):
    unit_on = masks[0.5][:, unit] == 1
    for chosen, label, color in [
        (unit_on, "unit on", C["matched"]),
        (~unit_on, "unit off", C["other"]),
    ]:
        curve = plotting.density(log_gradients[0.5][chosen, unit], 0.1, at)
        ax.plot(at, curve, color=color, lw=1.2, label=label)
    ax.set_title(f"unit {unit}", fontsize=9)
    ax.set(yticks=[])
fig.legend(
    *axes.flat[0].get_legend_handles_labels(),
    loc="outside upper center",
    ncols=2,
)
fig.supxlabel("gradient of log loss", fontsize=10.5)
plt.show()

# %% tags=["remove-input"]
Markdown(
    "Units differ in how much they matter rather than in kind: the standard deviation of the gradient goes "
    f"from {float(spread.min()):.2f} (unit {live[spread.argmin()]}) to {float(spread.max()):.2f} (unit "
    f"{live[spread.argmax()]})."
)

# %% [markdown]
# What do these gradients say about removing a unit? With one hidden layer the logits are linear in the
# mask, and the cross-entropy is convex in the logits, so the loss is a convex function of the mask. For
# a convex function the slope at the left end of an interval is at most the slope of the chord, and the
# slope at the right end is at least that. For any set $S$ and unit $i$,
#
# $$\text{gradient with } i \text{ off} \;\le\; f(S \cup \{i\}) - f(S \setminus \{i\}) \;\le\;
# \text{gradient with } i \text{ on}. $$ (eq-sandwich)
#
# In the middle is the effect of switching the unit on, which the table of all losses holds exactly. So a
# gradient bounds the effect from one side ({numref}`fig-sandwich`). {py:func}`.ablation.mask_gradients`
# computes the gradients.

# %%
units = 1 << torch.arange(H)  # each unit alone, as the number of a subset
kept = (masks[0.5].long() @ units)[:, None]
effects = losses[kept | units] - losses[kept & ~units]  # (masks, units)

full = 2**H - 1  # the number of the full network
removal_cost = losses[full & ~units] - losses[full]
full_gradient = ablation.mask_gradients(model, points, torch.ones(1, H))[0]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-sandwich", "caption": "Gradient by a mask entry against the exact effect of switching the unit on. Left: at random masks of p = 0.5; units that are on lie above the line of equality and units that are off below it, without exception. Right: at the full network, one dot per live unit, on a much finer vertical scale. There all gradients are close to zero, and dots above the line have the wrong sign: turning the unit down would lower the loss, but removing it raises the loss."}, "image": {"alt": "Left, a cloud of dots on both sides of the diagonal: all dots of units that are on lie above it and all dots of units that are off lie below it. Right, dots left of zero on the axis of effects, some above and some below a horizontal line at gradient zero."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5))
shown = slice(0, 300)
shown_on = masks[0.5][shown, live] == 1
for chosen, label, color in [
    (shown_on, "unit on", C["matched"]),
    (~shown_on, "unit off", C["other"]),
]:
    axes[0].plot(
        effects[shown, live][chosen], gradients[0.5][shown, live][chosen], ".", ms=2.5, alpha=0.6,
        color=color, label=label, rasterized=True,
    )  # fmt: skip
limits = axes[0].get_xlim()
axes[0].plot(limits, limits, color=C["ink"], lw=1)
axes[0].set(xlabel="effect of switching on (nats)", ylabel="gradient (nats)")
axes[0].set_title("random masks")
axes[0].legend(markerscale=4, loc="upper left")
axes[1].axhline(0, color=C["ink"], lw=1)
axes[1].plot(
    -removal_cost[live], full_gradient[live], "o", ms=5, color=C["matched"]
)
span = full_gradient.abs().max() * 1.25
axes[1].set(
    xlim=(-float(removal_cost.max()) * 1.1, 0.05),
    ylim=(-span, span),
    xlabel="effect of switching on (nats)",
)
axes[1].set_title("full network")
plt.show()

# %% tags=["remove-cell"]
on = masks[0.5][:, live] == 1
excess = (gradients[0.5] - effects)[:, live]  # must not be below zero if on
slack = 1e-5  # gradients are in single precision
outside_bounds = int((torch.where(on, -excess, excess) > slack).sum())
same_units = np.corrcoef(
    gradients[0.5][:, live].mean(0), effects[:, live].mean(0)
)[0, 1]
wrong = [u for u in live.tolist() if full_gradient[u] > 0 < removal_cost[u]]

claims.check("circle_mean_gradient", 10 * gradients[0.5].mean(), "synthetic")
exact_slope = ablation.russo_margulis(losses, 0.5)
step = 1e-4
slope = (
    ablation.distribution_moments(losses, 0.5 + step)[0]
    - ablation.distribution_moments(losses, 0.5 - step)[0]
) / (2 * step)
claims.check("circle_russo", exact_slope - slope, "synthetic")

# The mean loss as a polynomial in 2p - 1: its terms of first and third order.
by_degree = torch.zeros(H + 1).double()
by_degree.index_add_(0, ablation.subset_sizes(H), ablation.walsh(losses))
third_order = float(by_degree[1] + by_degree[3] / 4)

some = masks[0.5][: knobs.masks // 10]


def mean_gradient(entry):
    """Mean gradient by a unit's mask entry at a value of this entry."""
    found = []
    for unit in range(H):
        changed = some.clone()
        changed[:, unit] = entry
        found.append(ablation.mask_gradients(model, points, changed)[:, unit])
    return float(torch.stack(found).mean())


ends, middle = mean_gradient(0) + mean_gradient(1), mean_gradient(0.5)
rules = {"trapezoid": ends / 2, "Simpson": (ends + 4 * middle) / 6}
exact_effect = float(effects[: len(some)].mean())
standard_error = float(gradients[0.5].mean(1).std() / len(masks[0.5]) ** 0.5)

# %% tags=["remove-input"]
costs = removal_cost[live]
Markdown(
    f"{'None' if outside_bounds == 0 else outside_bounds} of the {on.numel():,} gradients breaks its bound. "
    f"At random masks a gradient is worth something: it is {float(excess.abs().mean()):.2f} nats away from "
    "the effect on average, where effects have a standard deviation of "
    f"{float(effects[:, live].std()):.2f} nats."
)

# %% tags=["remove-input"]
Markdown(
    "At the full network it is worth little. There every unit is on, so the gradient is an upper bound of "
    f"the effect, and training has brought it close to zero. Removing a live unit costs between {float(costs.min()):.2f} and {float(costs.max()):.2f} nats, "
    f"while no gradient is larger than {float(full_gradient.abs().max()):.3f}. For {len(wrong)} of "
    f"{len(live)} live units"
    + (
        f" (numbers {listed(wrong)}) the gradient has the wrong sign: a little less of the unit would lower "
        "the loss, and removing the unit raises it."
        if wrong
        else " the gradient has the wrong sign."
    )
)

# %% [markdown]
# On average over masks, gradients do better. The source checks them in this way: from $p = 0.25$ to
# $p = 0.75$ ten more units are kept on average, so ten times the mean gradient at $p = 0.5$ should be
# about the difference of the mean losses. Why should it? There are two steps. First, a unit is as often
# on as off at $p = 0.5$. The mean of its gradients is therefore the mean of the two bounds in
# {eq}`eq-sandwich`, which is the trapezoid rule for the mean effect of switching it on, its
# {term}`Banzhaf value`. Second, by the
# {term}`Russo-Margulis formula` the effects add up to the derivative of the mean loss by $p$,
#
# $$\frac{d}{dp}\, \mathbb E_p[f] = \sum_i \mathbb E_p\left[f(S \cup \{i\}) - f(S \setminus \{i\})\right],
# $$
#
# and half of this derivative is the difference of the means at 0.75 and 0.25, but for terms of third
# and higher order in $p - 0.5$.

# %% tags=["remove-input"]
on_masks = f"{H // 2} times the mean {{}}, on {knobs.masks:,} masks"
check = {
    on_masks.format("gradient"): H / 2 * float(gradients[0.5].mean()),
    on_masks.format("effect"): H / 2 * float(effects.mean()),
    "half the derivative of the mean loss, exact": exact_slope / 2,
    "the same with the term of third order": third_order,
    "mean loss at 0.75 minus at 0.25, exact": means[0.75] - means[0.25],
}
frame = pd.Series(check, name="nats").to_frame().rename_axis("at p = 0.5")
plotting.table(frame)

# %% tags=["remove-input"]
Markdown(
    "The source compares the first row with the last one, and the rows between show why they differ. The "
    f"trapezoid rule is off by {H / 2 * abs(float(gradients[0.5].mean()) - float(effects.mean())):.2f} "
    f"nats, the sampling of masks adds about {H / 2 * standard_error:.2f}, and the third order "
    f"{abs(third_order - exact_slope / 2):.2f}. The first of these can be repaired. With the unit half on "
    "as a third point, Simpson's rule comes within "
    f"{H / 2 * abs(rules['Simpson'] - exact_effect):.3f} nats of the exact effect on {len(some)} masks, "
    f"where the trapezoid rule is off by {H / 2 * abs(rules['trapezoid'] - exact_effect):.2f}. Unit by "
    f"unit, mean gradient and mean effect correlate at {same_units:.3f}. So averaged over random masks "
    "gradients do tell what units are worth there, although a single gradient at the full network does not."
)

# %% [markdown]
# ## Where units matter
#
# The gradient by a mask entry is a mean over points. Where on the square does it come from? {numref}`fig-unit-maps`
# shows it point by point, for the full network.

# %%
side = torch.linspace(-1, 1, 160)
pairs = torch.meshgrid(side, side, indexing="xy")
square = torch.stack(pairs, -1).flatten(0, 1)
labels = (square.square().sum(1) > 2 / torch.pi).long()  # 1 outside
logits = training.logits(model, square)
by_logit = logits.softmax(1)[:, 1] - labels  # slope of the point's loss
on_square = models.outputs(model, square, [2])[2]
unit_maps = by_logit[:, None] * on_square * outward
entropy = torch.nn.functional.cross_entropy
loss_map = entropy(logits, labels, reduction="none")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-unit-maps", "caption": "Gradient of the loss at each point of the square by the mask entry of each live unit, for the full network, and last the loss itself. Brown: turning the unit up would lower the loss there; green: it would raise it. The colours of gradients are linear near zero and logarithmic beyond, those of the loss logarithmic. All of it happens in a narrow ring along the circle: some units act on the whole ring, the others on an arc."}, "image": {"alt": "Small maps of the square. In some the whole ring along the circle is coloured, brown on its inner side and green on its outer side. In the others only an arc is coloured, green on its inner side and brown on its outer side. The last map shows the loss, bright along the ring and dark elsewhere."}}
columns = 6
panels = len(live) + 1
rows_needed = -(-panels // columns)
fig, axes = plt.subplots(
    rows_needed, columns, figsize=(7.2, 1.35 * rows_needed)
)
reach = float(unit_maps.abs().max())
scale = SymLogNorm(0.01 * reach, vmin=-reach, vmax=reach)
for ax in axes.flat:
    ax.set_axis_off()
for u, ax in zip(live.tolist(), axes.flat, strict=False):
    plotting.heatmap(
        unit_maps[:, u].reshape(160, 160), ax, title=f"unit {u}", origin="lower", cmap="BrBG", norm=scale
    )  # fmt: skip
bar = fig.colorbar(
    axes.flat[0].images[0], ax=axes, shrink=0.6, label="gradient (nats)"
)
plotting.heatmap(
    loss_map.reshape(160, 160), axes.flat[len(live)], title="loss", origin="lower",
    norm=LogNorm(1e-3, float(loss_map.max()), clip=True),
)  # fmt: skip
plt.show()

# %% tags=["remove-cell"]
active = (on_square > 0).float().mean(0)
variation = on_square.std(0) / (on_square.mean(0) + 1e-9)
bias_like = [u for u in range(H) if active[u] > 0.95 and variation[u] < 0.5]
sides = [u for u in live.tolist() if u not in bias_like]

# %% tags=["remove-input"]
Markdown(
    "Which units act as a bias? The source named four of its own network by eye. By measurement, as those "
    "that are active on more than 95 % of the square and vary there by less than half of their mean, they "
    f"are here {listed(bias_like)}. "
    + (
        "All of them push toward "
        f"{'inside' if (outward[bias_like] < 0).all() else 'one class or the other'}, and "
        if bias_like
        else ""
    )
    + (
        f"all of the other {len(sides)}"
        if (outward[sides] > 0).all()
        else f"{int((outward[sides] > 0).sum())} of the other {len(sides)}"
    )
    + " live units push toward outside, each on an arc of its own. The loss itself lies in the ring too, so "
    "that the gradients of the full network are about the few points there."
)

# %% [markdown]
# ## The spectrum of all subnetworks
#
# A function on sets of units can be written as a polynomial. Let $s_i = +1$ where unit $i$ is kept and
# $-1$ where it is removed. Then
#
# $$f(S) = \sum_T \hat f(T) \prod_{i \in T} s_i, \qquad
# \hat f(T) = 2^{-H} \sum_S f(S) \prod_{i \in T} s_i , $$ (eq-walsh)
#
# where $T$ runs over all sets of units. The {term}`Walsh coefficient` $\hat f(T)$ is the mean of the
# function times the product of the signs in $T$. For the empty set it is the mean of $f$. For one unit
# it is half of its Banzhaf value. For a pair it says how far the effect of one unit depends on the other.
#
# **Three units.** Take three live units, and keep all others. Their eight subnetworks are the corners of
# a cube ({numref}`fig-cube`), and {eq}`eq-walsh` is short enough to be worked out term by term.
# {py:func}`.ablation.walsh` must give the same.

# %%
three = units[live[:3]]
rest = full - int(three.sum())
cube = log_losses[rest + ablation.subset_sums(three)]  # its 8 corners

corner = np.arange(8)
bits = corner[:, None] >> np.arange(3) & 1  # (8 corners or sets, 3 units)
signs = 2 * bits - 1
products = np.where(bits[:, None], signs, 1).prod(2)  # (8 sets, 8 corners)
by_hand = products @ cube.numpy() / 8
cube_coefficients = ablation.walsh(cube)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-cube", "caption": "Left: the cube of three units of network 1, all other units kept. Each corner is a subnetwork, with the units that it keeps and its log loss; the arrows are one flip path, which flips each unit once and ends at the complement of its start. Right: the Walsh coefficients of the log loss on this cube, apart from its mean, by the set of units that they belong to."}, "image": {"alt": "Left, a drawn cube whose corners carry sets of units and numbers; three arrows run along three edges from one corner to the opposite one. Right, seven bars, three for single units, three for pairs and one for all three units."}}
chosen = live[:3].tolist()
direction = np.array([[1.45, 0], [0.5, 0.4], [0, 1]])
place = bits @ direction
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3), width_ratios=[1.2, 1])
ax = axes[0]
for a in corner:
    for b in a | (1 << np.arange(3)):
        if a != b:
            ax.plot(*place[[a, b]].T, color=C["null"], lw=1)
for a, b in [(2, 3), (3, 7), (7, 5)]:
    ax.annotate(
        "",
        place[b],
        place[a],
        arrowprops={
            "arrowstyle": "-|>",
            "color": C["matched"],
            "lw": 2,
            "shrinkB": 3,
        },
    )
for a in corner:
    kept_here = [str(u) for u, on in zip(chosen, bits[a], strict=True) if on]
    name = ", ".join(kept_here) or "none"
    ax.plot(*place[a], "o", ms=5, color=C["ink"])
    below, left = a in (0, 1), a == 5  # where a label crosses no arrow
    ax.annotate(
        f"{name}: {cube[a]:.2f}", place[a], (-6 if left else 5, -4 if below else 5),
        textcoords="offset points", ha="right" if left else "left", va="top" if below else "bottom",
        fontsize=9, bbox={"fc": C["paper"], "ec": "none", "pad": 0.5},
    )  # fmt: skip
ax.set(xlim=(-0.1, 2.5), ylim=(-0.15, 1.6), aspect="equal")
ax.set_axis_off()
sets = [1, 2, 4, 3, 5, 6, 7]
set_names = [
    ", ".join(str(u) for u, on in zip(chosen, bits[t], strict=True) if on)
    for t in sets
]
bars = pd.DataFrame(
    {
        "set": set_names,
        "coefficient": cube_coefficients[sets],
        "degree": bits[sets].sum(1),
    }
)
sns.barplot(
    bars, x="set", y="coefficient", hue="degree", palette=LEVELS[:3], dodge=False, saturation=1,
    ax=axes[1],
)  # fmt: skip
sns.move_legend(axes[1], "lower center", bbox_to_anchor=(0.5, 1), ncols=3)
axes[1].axhline(0, color=C["ink"], lw=0.8)
axes[1].set(xlabel="set of units", ylabel="Walsh coefficient of log loss")
plt.show()

# %% tags=["remove-input"]
difference = np.abs(by_hand - cube_coefficients.numpy()).max()
decimals = int(min(15, -np.log10(difference + 1e-16)))
cube_energy = ablation.energy_by_degree(cube_coefficients)[1:]
cube_shares = (cube_energy / cube_energy.sum()).tolist()
Markdown(
    f"The sums by hand and the fast transform agree to {decimals} decimals. The squares of the seven "
    "coefficients add up to the variance over the eight corners. Of it, the three single units hold "
    f"{percent(cube_shares[0])}, the three pairs {percent(cube_shares[1])}, and the set of all three "
    f"{percent(cube_shares[2])}."
)

# %% [markdown]
# **All units.** For $2^H$ subnetworks the fast {term}`Walsh-Hadamard transform` does the same in well
# under a second {cite:p}`odonnell2014`. Coefficients are too many to look at, so add up their squares by
# the size of the set, which is the {term}`degree`: the {term}`energy` of degree $k$ is
# $E_k = \sum_{|T| = k} \hat f(T)^2$. The energies of degree 1 and higher sum to the variance of $f$ over
# all subnetworks, where each unit is kept with probability 0.5 ({numref}`fig-circle-spectrum`).

# %%
coefficients = ablation.walsh(log_losses)
energy = ablation.energy_by_degree(coefficients)
shares = energy[1:] / energy[1:].sum()

# %% tags=["remove-cell"]
claims.check("circle_degree_two", shares[1] - shares[0], "synthetic")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-circle-spectrum", "caption": "Walsh spectrum of the log loss of network 1: share of the variance over all subnetworks, by degree. Pairs hold more than single units, even degrees more than the odd ones beside them, and sets of many units next to nothing."}, "image": {"alt": "Bars of the share of the variance against the degree. The bar of degree two is by far the tallest, that of degree one comes next, and beyond degree four the bars are hardly visible."}}
fig, ax = plt.subplots(figsize=(7.2, 2.4))
frame = pd.DataFrame({"degree": range(1, H + 1), "share": shares})
sns.barplot(
    frame, x="degree", y="share", color=C["matched"], saturation=1, ax=ax
)
ax.set(ylabel="share of variance")
plt.show()

# %% tags=["remove-input"]
Markdown(
    f"Single units explain {percent(float(shares[0]))} of the variance of log loss, pairs "
    f"{percent(float(shares[1]))}, and all sets of five or more units together "
    f"{percent(float(shares[4:].sum()))}. So it depends mostly on the other units how much a unit helps. "
    "This is said of subnetworks that keep each unit with probability 0.5; at other keep-probabilities the "
    "shares differ."
)

# %% [markdown]
# ## Flip paths
#
# Start at a random subnetwork and flip each unit once, in random order: what was kept is removed, and
# what was removed is kept. This {term}`flip path` has $H + 1$ points and ends at the {term}`complement`
# of its start. How are the log losses along the path related ({numref}`fig-flips`)? The source sampled
# paths and read the answer off their covariances. The spectrum gives it in closed form.
#
# After $d$ flips the product of the signs in a set $T$ has changed its sign once for each flipped unit
# in $T$. Among the sets of $k$ units there are $\binom{d}{j} \binom{H-d}{k-j}$ that hold $j$ flipped
# ones, so summed over these sets the factors $(-1)^j$ make the {term}`Krawtchouk polynomial`
#
# $$\kappa_k(d) = \sum_j (-1)^j \binom{d}{j} \binom{H-d}{k-j} . $$ (eq-krawtchouk)
#
# A product of $k$ signs is thus multiplied by $\kappa_k(d) / \binom{H}{k}$ on average. Products of
# different sets are uncorrelated, which leaves
#
# $$\operatorname{Cov}(d) = \sum_{k \ge 1} E_k\, \frac{\kappa_k(d)}{\binom{H}{k}} . $$ (eq-flips)
#
# The covariance of two points depends on the number $d$ of flips between them alone. On the cube of
# three units, the average factors are these:
#
# | flips $d$ | 0 | 1 | 2 | 3 |
# |---|---:|---:|---:|---:|
# | degree 1 | 1 | 1/3 | −1/3 | −1 |
# | degree 2 | 1 | −1/3 | −1/3 | 1 |
# | degree 3 | 1 | −1 | 1 | −1 |
#
# With only eight starts and six orders there are 48 flip paths on the cube, so {eq}`eq-flips` can be
# checked on all of them. {py:func}`.ablation.flip_path_covariance` is the formula.

# %%
from itertools import permutations

steps = np.cumsum([[0, *order] for order in permutations([1, 2, 4])], axis=1)
cube_paths = cube[(corner[:, None, None] ^ steps).reshape(48, 4)]
by_paths = np.cov(cube_paths.T, bias=True)  # of all 48
by_formula = ablation.flip_path_covariance(cube_coefficients)

covariance = ablation.flip_path_covariance(coefficients)
correlation = covariance[0] / covariance[0, 0]
generator = torch.Generator().manual_seed(0)
paths = ablation.flip_paths(log_losses, knobs.paths, generator)

# %% tags=["remove-cell"]
sampled = torch.corrcoef(paths.T)
claims.check(
    "circle_sampled_path",
    (sampled - covariance / covariance[0, 0]).abs().max(),
    "synthetic",
)
claims.check("circle_complement", correlation[-1], "synthetic")
assert np.abs(by_paths - by_formula.numpy()).max() < 1e-10
ranked = log_losses.argsort()
hundredth = ranked[: len(ranked) // 100]
tenth = torch.zeros(len(ranked), dtype=torch.bool)
tenth[ranked[: len(ranked) // 10]] = True
good_complements = float(tenth[full - hundredth].float().mean())

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-flips", "caption": "Left: exact covariance of log loss between any two points of a flip path; it is constant along each diagonal. Right: its first row as correlations, with the correlations of sampled paths, counted from the start and from the end of the path. The correlation falls within a few flips, goes below zero, and is clearly positive at the complement."}, "image": {"alt": "Left, a square heat map with stripes parallel to the diagonal, strongest on the diagonal, faint between, and stronger again in the two far corners. Right, a curve that falls from one to slightly below zero and rises again toward the last flip; circles and crosses of the sampled paths lie on it."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2))
fig.get_layout_engine().set(wspace=0.08)
plotting.heatmap(covariance, axes[0], center=0, label="covariance of log loss")
axes[0].set(
    xlabel="flips", ylabel="flips",
    xticks=range(0, H + 1, 5), yticks=range(0, H + 1, 5),
)  # fmt: skip
axes[1].plot(correlation, color=C["ink"], lw=1.2, label="exact")
axes[1].plot(
    sampled[0], "o", ms=6, color=C["matched"], mfc="none", label="sampled, from the start"
)  # fmt: skip
axes[1].plot(
    sampled[-1].flip(0),
    "x",
    ms=5,
    color=C["other"],
    label="sampled, from the end",
)
axes[1].axhline(0, color=C["null"], lw=0.8)
axes[1].set(xlabel="flips between", ylabel="correlation of log loss")
axes[1].legend(loc="upper right")
plt.show()

# %% tags=["remove-input"]
few = [int((correlation < limit).nonzero()[0, 0]) for limit in (0.5, 0.2)]
Markdown(
    "On the cube, the covariance of all 48 paths agrees with the formula to rounding. For all units of "
    f"network 1 ({knobs.paths:,} sampled paths), the correlation falls below 0.5 after {few[0]} flips and "
    f"below 0.2 after {few[1]}; the source saw five or six flips until it is lost. It reaches its lowest "
    f"value, {float(correlation.min()):.2f}, after {int(correlation.argmin())} flips, and is "
    f"{float(correlation[-1]):.2f} at the complement. Flips of dead units count among these, although they "
    "change nothing."
)

# %% tags=["remove-input"]
Markdown(
    "So if a subnetwork has a low loss, the subnetwork of all the units that it leaves out tends to have "
    f"a low loss too: of the complements of the best 1 % of subnetworks, {percent(good_complements)} are "
    "among the best 10 %. The spectrum says why. After all flips every sign has changed, so a product of an even "
    "number of signs is as before and one of an odd number is negated. The last correlation is therefore "
    "the share of even degrees minus that of odd ones, and here pairs outweigh single units."
)

# %% [markdown]
# The source suspected that a subnetwork is good when its units are balanced between the sides of the
# circle, and that its complement is then balanced too. A balance would put the variance into pairs. But
# the spectrum does not show what has to be balanced: top and bottom, left and right, or inside and
# outside.
#
# ## What a unit is worth
#
# Suppose that the network must shrink to $k$ units. Which are best? With all losses at hand the best
# subnetwork of each size is a look-up. Greedy pruning removes the unit whose removal costs least, again
# and again. Dead units would only pad these lists, so {numref}`fig-pruning` counts live units.
# {py:func}`.ablation.best_subsets` and {py:func}`.ablation.greedy_subsets` find them.

# %%
alive = losses[ablation.subset_sums(units[live])]  # subsets of live units
best = alive[ablation.best_subsets(alive)]
greedy = alive[ablation.greedy_subsets(alive)]

shapley = ablation.shapley_values(log_losses)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pruning", "caption": "Loss of the best subnetwork of each number of live units, and of the one that greedy pruning reaches. Greedy pruning is far from the best at many sizes. The best loss does not fall at every step either. Dashed: the full network."}, "image": {"alt": "Two zigzag lines of loss on a logarithmic axis that fall with the number of live units kept. The line of the best subnetworks lies below that of greedy pruning, and they meet at the right end, on a dashed horizontal line."}}
fig, ax = plt.subplots(figsize=(7.2, 2.8))
frame = pd.DataFrame({"best of its size": best, "greedy pruning": greedy})
frame = (
    frame.rename_axis("units").reset_index().melt("units", value_name="loss")
)
sns.lineplot(
    frame, x="units", y="loss", hue="variable", style="variable", markers=True,
    palette=[C["matched"], C["other"]], ax=ax,
)  # fmt: skip
ax.axhline(full_loss, color=C["ink"], ls="--", lw=1)
ax.set(yscale="log", xlabel="live units kept", ylabel="loss (nats)")
ax.legend(title="")
plt.show()

# %% tags=["remove-input"]
late = [k for k in range(len(live) + 1) if greedy[k] > 1.05 * best[k]]
ratio = float((greedy / best).max())
few = min(6, len(live) - 1)
kept_few = ablation.best_subsets(alive)[few]
chosen_few = live[(kept_few >> torch.arange(len(live)) & 1).bool()].tolist()
Markdown(
    f"The best {few} live units are {listed(chosen_few)}, with a loss of {float(best[few]):.2f} nats: "
    f"{listed(sorted(set(chosen_few) & set(bias_like)))} of those that act as a bias, and "
    f"{len(set(chosen_few) - set(bias_like))} others. Greedy pruning is more than 5 % worse than the best subnetwork at {len(late)} of {len(live) + 1} "
    f"sizes, and up to {ratio:.1f} times worse. More units are not always better: at "
    f"{int((best[1:] > best[:-1] + 1e-9).sum())} of {len(live)} steps even the best subnetwork with one live "
    "unit more has a higher loss. The source's remark that the network generally does better with more "
    "units is about the mean."
)

# %% [markdown]
# A fair share of the whole improvement for each unit is its {term}`Shapley value`: the mean change when
# the unit joins, over all orders in which units can join {cite:p}`shapley1953`. The values add up to
# the log loss of the full network minus that of the empty one. {py:func}`.ablation.shapley_values`
# computes them exactly. Are the units with a share near zero those that can be removed
# ({numref}`fig-shapley`)?

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-shapley", "caption": "Left: Shapley value of each unit for log loss; negative values lower the loss. Right: what the removal of the unit alone costs the full network, against the same values, one dot per live unit. Units that act as a bias have Shapley values near zero, and yet the full network cannot do without any of them."}, "image": {"alt": "Left, one bar per unit; most point downward by different amounts, some are close to zero. Right, a scatter plot: most dots lie along a falling trend, and those of units that act as a bias lie apart from it, near Shapley value zero at a clearly positive cost."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3))
kinds = {u: "other" if u in bias_like else "matched" for u in range(H)}
axes[0].bar(range(H), shapley, color=[C[kinds[u]] for u in range(H)])
axes[0].set(
    xlabel="unit", ylabel="Shapley value (log loss)", xticks=range(0, H, 2)
)
for group, name, color in [
    (sides, "others", C["matched"]),
    (bias_like, "act as a bias", C["other"]),
]:
    axes[1].plot(
        shapley[group], removal_cost[group], "o", color=color, alpha=0.8, label=name
    )  # fmt: skip
axes[1].legend()
axes[1].set(
    ylim=(0, float(removal_cost.max()) * 1.1),
    xlabel="Shapley value (log loss)",
    ylabel="cost of removal (nats)",
)
plt.show()

# %% tags=["remove-input"]
others = ablation.subset_sizes(H - 1)
by_size = np.zeros(H)  # mean effect of bias-like units, by the number of others
for u in bias_like:
    off, on = log_losses.view(-1, 2, 2**u).unbind(1)
    sums = torch.zeros(H).double().index_add_(0, others, (on - off).flatten())
    by_size += (sums / torch.bincount(others)).numpy() / len(bias_like)
turn = int(np.argmax(by_size < 0))
gap = float(log_losses[-1] - log_losses[0])
text = (
    f"The values sum to {float(shapley.sum()):.3f}, and the log loss of the full network minus that of the "
    f"empty one is {gap:.3f}. "
)
if bias_like:
    text += (
        f"The answer is no. Units {listed(bias_like)}, which act as a bias, have Shapley values between "
        f"{float(shapley[bias_like].min()):.3f} and {float(shapley[bias_like].max()):.3f}, but removing one of "
        f"them costs {float(removal_cost[bias_like].min()):.2f} to {float(removal_cost[bias_like].max()):.2f} "
        "nats. "
    )
    if by_size[0] > 0 > by_size[-1]:
        text += (
            f"On average they raise the log loss where fewer than {turn} other units are there and lower it "
            "where more are, and the mean over all orders cancels the two. "
        )
    text += "A small Shapley value of a live unit does not say that the network can spare the unit."
if dead:
    text += " The dead units have exactly zero on both counts."
Markdown(text)

# %% [markdown]
# ## This network, or all of them?
#
# All of this was one network and one kind of {term}`ablation`. {numref}`fig-circle-ensemble` repeats the
# spectrum and the flip paths in two directions.
#
# **Kinds of ablation.** In all networks of the ensemble, a removed unit puts out zero
# ({term}`zero ablation`), its mean ({term}`mean ablation`), or its output on another point
# ({term}`resampling ablation`). The last has two forms: all removed units take their outputs from one
# other point, or each from a point of its own.
#
# **Kinds of network.** Networks are trained briefly, to about the loss that the source reports; or they
# hold as many units in two hidden layers. (For these, too, all losses are exact:
# {py:func}`.ablation.all_losses` goes through the subsets of the first layer.)


# %%
def profile(values):
    """Shares of variance by degree, and correlations along flips."""
    coefficients = ablation.walsh(values.log())
    energy = ablation.energy_by_degree(coefficients)[1:]
    row = ablation.flip_path_covariance(coefficients)[0]
    return energy / energy.sum(), row / row[0]


def fills(h, generator):
    """What removed units put out, by the kind of ablation."""
    one = torch.randperm(len(h), generator=generator)
    each = torch.rand(h.shape, generator=generator).argsort(0)
    return {
        "zero": None,
        "mean": h.mean(0),
        "one other point for all": h[one],
        "another point for each": h.gather(0, each),
    }


# %%
generator = torch.Generator().manual_seed(0)
profiles = {}
for network in settings.progress(networks, desc="networks"):
    h = models.outputs(network, points.x, [2])[2]  # (points, units)
    for name, fill in fills(h, generator).items():
        values = ablation.all_losses(network, points, fill)
        profiles.setdefault(name, []).append(profile(values))

# %% tags=["remove-cell"]
half, few_networks = H // 2, range(max(2, knobs.networks // 4))
brief = training.fit_ensemble(
    lambda: models.mlp([2, H, 2]),
    train,
    few_networks,
    epochs=knobs.brief,
    **recipe,
)
deep = training.fit_ensemble(
    lambda: models.mlp([2, half, half, 2]),
    train,
    few_networks,
    epochs=knobs.epochs,
    **recipe,
)
brief_values = [ablation.all_losses(m, points) for m in brief]
profiles["trained briefly"] = [profile(values) for values in brief_values]
profiles["two hidden layers"] = [
    profile(ablation.all_losses(m, points)) for m in deep
]
brief_loss = np.mean([training.cross_entropy(m, points) for m in brief])
long_values = [ablation.all_losses(m, points) for m in networks[: len(brief)]]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-circle-ensemble", "caption": "Share of variance by degree (left) and correlation along flips (right), mean over networks with bands of one standard deviation. Upper row: four kinds of ablation, by what a removed unit puts out. Lower row: zero ablation of three kinds of network. The correlation with the complement is positive under zero ablation and mean ablation of one hidden layer, and negative in the other cases."}, "image": {"alt": "Four panels. Left, curves of the share of variance over degrees one to eight, with the peak at degree one or at degree two. Right, correlations that fall from one with the number of flips; some rise above zero again at the last flips and the others fall below zero."}}
LAYER = "one layer, trained to the end"
kinds = {
    "removed units put out": {
        "zero": C["matched"],
        "mean": C["other"],
        "one other point for all": LEVELS[0],
        "another point for each": LEVELS[2],
    },
    "zero ablation of": {
        LAYER: C["matched"],
        "trained briefly": LEVELS[0],
        "two hidden layers": LEVELS[2],
    },
}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 6), sharex="col")
for line, (title, palette) in zip(axes, kinds.items(), strict=True):
    for column, x in enumerate((range(1, H + 1), range(H + 1))):
        curves = {
            name: np.stack([f[column] for f in profiles.get(name, profiles["zero"])])
            for name in palette
        }  # fmt: skip
        frame = pd.concat(
            [plotting.tidy(c, x, kind=name) for name, c in curves.items()]
        )
        sns.lineplot(
            frame, x="x", y="value", hue="kind", style="kind", palette=palette, errorbar="sd",
            legend=column == 0, ax=line[column],
        )  # fmt: skip
    line[0].set(
        xlim=(1, min(H, 8)), xlabel="degree", ylabel="share of variance"
    )
    line[0].legend(title=title, fontsize=9, loc="upper right")
    line[1].axhline(0, color=C["ink"], lw=0.8)
    line[1].set(xlabel="flips between", ylabel="correlation of log loss")
plt.show()

# %% tags=["remove-cell"]
rows, ends = {}, {}
for name, found in profiles.items():
    ones, twos = (np.array([float(f[0][k]) for f in found]) for k in (0, 1))
    ends[name] = np.array([float(f[1][-1]) for f in found])
    rows[name] = {"networks": str(len(found))} | {
        column: f"{v.mean():.2f} ± {v.std(ddof=1):.2f}"
        for column, v in [
            ("degree 1", ones),
            ("degree 2", twos),
            ("correlation with the complement", ends[name]),
        ]
    }
summary = pd.DataFrame(rows).T.rename_axis("mean ± standard deviation")
degree = {
    name: [float(np.mean([f[0][k] for f in found])) for k in (0, 1)]
    for name, found in profiles.items()
}
gaps = pd.DataFrame(
    {
        name: {
            f"p = {p}": np.mean(
                [distance_to_normal(v.log(), p) for v in values]
            )
            for p in KEEP
        }
        for name, values in [
            ("trained to the end", long_values),
            ("trained briefly", brief_values),
        ]
    }
).T.rename_axis(f"distance to the normal fit, mean of {len(brief)} networks")

# %% tags=["remove-input"]
plotting.table(summary)

# %% tags=["remove-input"]
c = {name: found.mean() for name, found in ends.items()}
one, each = "one other point for all", "another point for each"
positive = int((ends["zero"] > 0).sum())
Markdown(
    f"Under zero ablation, pairs hold {percent(degree['zero'][1])} of the variance on average over the "
    f"ensemble and single units {percent(degree['zero'][0])}. A subnetwork and its complement correlate "
    f"positively in {positive} of {len(networks)} networks, by {c['zero']:.2f} on average. Mean ablation "
    f"keeps the sign ({c['mean']:.2f}). Under resampling single units hold the most, and the correlation with the "
    f"complement is {c[one]:.2f} if all removed units take their outputs from one point and {c[each]:.2f} "
    "if each takes its own. With two hidden layers it lies between "
    f"{ends['two hidden layers'].min():.2f} and {ends['two hidden layers'].max():.2f}, for only {len(deep)} "
    "networks. So what the chapter finds belongs to zero ablation of one hidden layer, and another kind of "
    "removal gives another answer."
)

# %% tags=["remove-input"]
plotting.table(gaps)

# %% tags=["remove-input"]
closer = gaps.loc["trained briefly"] < gaps.loc["trained to the end"]
places = {
    True: listed([name for name in gaps if closer[name]]),
    False: listed([name for name in gaps if not closer[name]]),
}
Markdown(
    "It depends on training too. Networks that were trained briefly have a mean loss of "
    f"{brief_loss:.2f}, near the source's 0.117. There the complement correlates at "
    f"{c['trained briefly']:.2f} on average, from {ends['trained briefly'].min():.2f} to "
    f"{ends['trained briefly'].max():.2f}. And their losses are closer to log-normal at "
    f"{places[True]}, and farther from it at {places[False]}: the source may have had more reason to call its "
    "loss log-normal than our networks give."
)

# %% [markdown]
# ## Take-aways
#
# - Small networks need no sampling. All subnetworks can be computed, and with them every expectation.
# - Look for dead units before counting subnetworks: subnetworks that differ only in dead units are the
#   same function.
# - With one hidden layer the loss is convex in the mask, so a gradient bounds the effect of a removal
#   from one side. Averaged over random masks gradients say much about removals; at the full network
#   they say next to nothing.
# - When each unit is kept with probability 0.5, most of the variance of log loss is in pairs of units.
# - A subnetwork and its complement correlate positively where even degrees outweigh odd ones. This
#   happens under zero ablation and mean ablation of one hidden layer, and not under resampling.
# - The loss is nearly log-normal, but not quite. How nearly depends on $p$ and on the training.
#
# ## Ledger

# %% tags=["remove-input"]
claims.table("02_circle_ablation")

# %% [markdown]
# ## Exercises
#
# **1.** Prove {eq}`eq-sandwich`. Where does the proof need that there is one hidden layer?
#
# :::{admonition} Solution
# :class: dropdown
# Let all mask entries be fixed but that of unit $i$, and let $t \in [0, 1]$ be this one. With one hidden
# layer the logit of "outside" minus that of "inside" at a point is $a + t b$ with numbers $a$ and $b$
# that do not depend on $t$. The loss at a point with label "outside" is $\log(1 + e^{-(a + tb)})$, and
# with label "inside" $\log(1 + e^{a + tb})$. Both have a second derivative by $t$ of
# $b^2 q (1 - q) \ge 0$, where $q$ is the probability of "outside". So the loss is convex in $t$, and so
# is its mean over points. The derivative $f'(t)$ of a convex function does not fall, so
# $f(1) - f(0) = \int_0^1 f'(t)\, dt$ lies between $f'(0)$ and $f'(1)$. With a second hidden layer,
# the difference of the logits is no longer linear in the mask entries of the first layer. Look for
# gradients of a deep network that break the bounds:
# ```python
# m = (torch.rand(200, H) < 0.5).float()
# g = ablation.mask_gradients(deep[0], points, m)
# with_it, without = (ablation.losses(deep[0], points, torch.cat(
#     [torch.where(torch.arange(H) == u, v, m) for u in range(H)])) for v in (1.0, 0.0))
# effect = (with_it - without).reshape(H, 200).T
# broken = torch.where(m == 1, g < effect - 1e-4, g > effect + 1e-4).float().mean(0)
# print("first layer:", broken[:half], "second layer:", broken[half:])
# ```
# In the second hidden layer none does, because the logits are linear in its masks; in the first some do.
# :::
#
# **2.** Show that $\operatorname{Cov}(H)$ is the energy of the even degrees from 2 on minus that of the odd
# degrees.
#
# :::{admonition} Solution
# :class: dropdown
# After $H$ flips every sign has changed, so a product of $k$ signs is multiplied by $(-1)^k$. In
# {eq}`eq-krawtchouk` only $j = k$ is left, and $\kappa_k(H) = (-1)^k \binom{H}{k}$. Check it:
# ```python
# print(energy[2::2].sum() - energy[1::2].sum(), covariance[0, -1])
# ```
# :::
#
# **3.** Shapley values of the loss and of the log loss rank units differently. Why, and which would you
# report?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# a, b = ablation.shapley_values(losses), ablation.shapley_values(log_losses)
# print(pd.DataFrame({"loss": a, "log loss": b}).round(3))
# ```
# The sides keep nearly the same order. But the units that act as a bias have values near zero for the
# log loss, and large positive ones for the loss: added to a poor subnetwork they can raise its loss by
# nats, and the mean of the loss is dominated by poor subnetworks. The log loss weighs ratios, so that a
# gain from 0.2 to 0.1 counts as much as one from 4 to 2. Report the one whose unit you mean, nats or
# factors, and say which.
# :::
#
# ## Further reading
#
# Functions of bits and their spectra: {cite:t}`odonnell2014`. The value of a player in a game:
# {cite:t}`shapley1953`.
