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
# **The question.** How does a network's behaviour change as its {term}`units <unit>` are removed, in every possible
# way?
#
# **What you will be able to do.** Compute the loss of every {term}`subnetwork` of a small network
# exactly; read a function on sets of units by its {term}`Walsh spectrum`, and say where the {term}`spectrum`
# comes from; tell what a gradient, a {term}`Shapley value` or a magnitude says about the removal of a
# unit, and what it does not say.
#
# **What you need.** Expectation and variance, the {term}`logistic loss`, gradients, {term}`convex` functions. Symbols
# are those of the {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The chapter follows a post of Donald Hobson on a toy network that tells the inside of a circle from
# its outside {cite:p}`circle2023`. The source drew a thousand subnetworks at a time. A network of
# 20 units has $2^{20}$ of them, about a million, so here every one is computed, and the source's draws
# serve as a check.

# %% tags=["hide-input"]
from itertools import permutations
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Markdown
from matplotlib.colors import LinearSegmentedColormap, SymLogNorm, to_rgba
from scipy.optimize import brentq
from scipy.special import digamma, gammainc, ndtr
from scipy.stats import kurtosis, norm, spearmanr

from netdist_course import quiz
from netdist_utils import (
    ablation,
    claims,
    data,
    models,
    plotting,
    settings,
    training,
)
from netdist_utils.words import listed, minus, percent
from netdist_utils.words import number as num

plotting.use_style()
C, LEVELS = plotting.COLORS, plotting.LEVELS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    units=(10, 20, 20),
    networks=(4, 20, 100),
    points=(1000, 10000, 10000),
    epochs=(40, 200, 400),
    stops=((1, 3), (1, 3, 6, 40), (1, 3, 6, 40)),
    brief=(8, 14, 14),
    sets=(range(50, 52), range(50, 54), range(50, 60)),
    paths=(30000, 100000, 1000000),
    masks=(300, 1000, 5000),
    digits=(3, 8, 32),
    digit_epochs=(60, 300, 300),
)
UNITS = knobs.units
KEEP = (0.25, 0.5, 0.75)  # keep-probabilities, and their colours
SHADE = dict(zip(KEEP, LEVELS, strict=False))
GUESS = np.log(2)  # the loss of a coin flip


def spread(values, digits=2):
    """Mean and standard deviation in words that stay on one line."""
    mean, sd = np.mean(values), np.std(values, ddof=1)
    text = f"{num(mean, digits)} ± {num(sd, digits)}"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


# %% [markdown]
# ## The task and the network
#
# Points are uniform on the square from $-1$ to $1$. The label says whether a point lies outside the
# circle of radius $\sqrt{2/\pi}$, which has half of the square's area. The network has two inputs, one
# hidden layer of 20 {term}`ReLU` units and two outputs. An {term}`ensemble` of such networks is trained
# by one {term}`recipe` from different {term}`seeds <seed>`. Network 1 is looked at closely ({numref}`fig-circle-map`); what is
# said in general is measured on all of them.
#
# The source says that its circle has half of the area too. But its code compares the *squared*
# distance with $\sqrt{2/\pi}$, so that its circle has the radius $(2/\pi)^{1/4} \approx 0.89$. Its code
# names no optimizer, which in Keras means RMSprop and {term}`batches <batch>` of 32, and trains for 20 {term}`epochs <epoch>` on 1,000
# points. It reports a loss of 0.117. Here {term}`Adam` runs on 4,000 points, with a {term}`learning rate` that falls to
# zero along a cosine, for ten times as many epochs.

# %%
train, points = data.circle(4000, seed=1), data.circle(knobs.points, seed=23)
recipe = {
    "lr": 0.01,
    "optimizer": "adam",
    "batch_size": 100,
    "schedule": "cosine",
}


def fit(n_networks, epochs, hidden=(UNITS,)):
    seeds = range(n_networks)
    sizes = [2, *hidden, 2]
    return training.fit_ensemble(
        lambda: models.mlp(sizes), train, seeds, epochs=epochs, **recipe
    )


networks = fit(knobs.networks, knobs.epochs)
model = networks[0]

# %% tags=["remove-cell"]
full_loss = training.cross_entropy(model, points)
other_points = [data.circle(knobs.points, seed=s) for s in range(100, 108)]
full_elsewhere = [training.cross_entropy(model, p) for p in other_points]


def by_source(n, seed):
    """Points with the labels of the source's code."""
    x = data.circle(n, seed).x
    return data.Split(x, (x.square().sum(1) > (2 / np.pi) ** 0.5).long())


def as_printed(seed):
    """Loss of the source's recipe, with what Keras takes where it says nothing."""
    torch.manual_seed(seed)
    network = models.mlp([2, 20, 2])
    for layer in (network[1], network[3]):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    split = by_source(1000, seed)
    descent = torch.optim.RMSprop(
        network.parameters(), lr=0.001, alpha=0.9, eps=1e-7
    )
    for _ in range(20):
        for batch in torch.randperm(1000).split(32):
            z = network(split.x[batch])
            loss = torch.nn.functional.cross_entropy(z, split.y[batch])
            descent.zero_grad()
            loss.backward()
            descent.step()
    return training.cross_entropy(network, by_source(knobs.points, 99))


with torch.random.fork_rng():
    printed_losses = [as_printed(seed) for seed in range(3)]
inside_by_source = float((by_source(100000, 5).y == 0).double().mean())

# %% tags=["hide-input"] slide="One layer of ReLU units tells the inside of a circle from its outside." say="Ask how a sum of ramps can make a disc. A ReLU unit is zero on one side of a line and rises on the other, so most units here push an edge of the square toward outside, and something has to pull the middle toward inside. Outside the dashed square there were no training points, and the network answers there all the same." mystnb={"figure": {"name": "fig-circle-map", "caption": "What network 1 answers on the square from -2 to 2; it was trained on points of the dashed square. The solid circle is the true border: the network's answer changes there. The dotted circle is the one that the source's code labels by."}, "image": {"alt": "A map of the square. A disc in the colour of inside fills the solid circle; around it everything is in the colour of outside. The change between the two is sharp. A dotted circle is a little larger, and a dashed square touches neither."}}
side = torch.linspace(-2, 2, 200)
grid = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).flatten(0, 1)
outside = training.logits(model, grid).softmax(1)[:, 1].reshape(200, 200)


def through_paper(low, high):
    """From one colour to the other through the page, light or dark."""
    stops = [(0, low, 1), (0.5, low, 0), (0.5, high, 0), (1, high, 1)]
    return LinearSegmentedColormap.from_list(
        "through paper", [(at, to_rgba(c, alpha)) for at, c, alpha in stops]
    )


RADIUS = (2 / np.pi) ** 0.5
fig, ax = plt.subplots(figsize=(4.6, 3.6))
plotting.heatmap(
    outside, ax, label="probability of outside", origin="lower", extent=[-2, 2, -2, 2],
    cmap=through_paper(C["inside"], C["outside"]), vmin=0, vmax=1,
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
    f"{training.accuracy(model, points):.3f}. (A nat is the unit of a loss with natural logarithms; a coin "
    f"flip has {GUESS:.2f}.) On {len(other_points)} other sets of as many points the loss is "
    f"{spread(full_elsewhere, 4)}. Under the labels of the source's code {percent(inside_by_source)} of the "
    "points are inside, not half. Its recipe as printed ends at losses between "
    f"{min(printed_losses):.2f} and {max(printed_losses):.2f} for {len(printed_losses)} seeds, so its network "
    "of loss 0.117 was trained in some other way, or for longer. Ours are trained further than that. Below, "
    "networks that were trained on a shorter schedule, to about the source's loss, stand beside them."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: how many of all subnetworks are worse than a coin flip?" say="Let everybody raise a hand before the next slide. Ask one student of each camp for the reason. A likely first answer is the first one: a smooth loss of quality with each unit that goes."
# - Hardly any
# - About half
# - Nearly all

# %% [markdown]
# ## The explorer
#
# What do the {term}`subnetworks <subnetwork>` of network 1 answer? Switch units off in {numref}`fig-explorer`. The
# map, the loss and its place among the losses of all subnetworks are worked out in your browser, from
# the trained weights. Try three things: remove one unit alone; remove all; ask for the best six units,
# and then flip all, which keeps just what was removed. The first shows that one unit can matter, the second
# that no unit is better than most subnetworks, the third that here what is left of six good units is good too.
# (The slider counts all units, {term}`dead ones <dead unit>` too; later figures count {term}`live units <live unit>` alone.)
# {py:func}`.ablation.all_losses` computes the losses of all subnetworks.

# %%
every = ablation.all_losses(model, points)  # of all 2^20 subnetworks

# %% tags=["remove-cell"]
began = perf_counter()
ablation.all_losses(model, points)
seconds = perf_counter() - began
alone = every[(2**UNITS - 1) - (1 << torch.arange(UNITS))]  # one unit removed
felt = alone > 1.01 * full_loss
little = int(torch.where(felt, alone, torch.inf).argmin())
much = int(alone.argmax())
guessing = float((every > GUESS).double().mean())

# %% tags=["hide-input"] slide="Which units are left matters more than how many." say="The answer to the vote is the third: nearly all subnetworks are worse than a coin flip. Remove one unit, remove all, and ask for the best six units and flip all. In this network the best six and what they leave out both answer well, and most other subnetworks do not." mystnb={"figure": {"name": "fig-explorer", "caption": "Every subnetwork of network 1. Clear a box to remove a unit, or move the slider to the best subnetwork of a size. The drawn circle is the true border, and the dashed square is where the points lie. Units that are gray and struck out are dead: they put out zero at each of the points, and their boxes do nothing there."}}
ablation.explorer(model, points, every)

# %% tags=["remove-input"]
Markdown(
    f"One unit already makes a difference: without unit {little} the loss is {float(alone[little]):.2f} nats, "
    f"without unit {much} it is {float(alone[much]):.2f}; a coin flip has {GUESS:.2f}. Of all subnetworks "
    f"{percent(guessing)} are worse than a coin flip. All {len(every):,} losses on {len(points):,} points took "
    f"{seconds:.1f} seconds here, although they are sums of {len(every) * len(points) / 1e6:,.0f} million "
    "terms."
)

# %% [markdown]
# :::{admonition} How so many losses are computed in so little time
# :class: dropdown
# - At a given point many units are off: their ReLU puts out zero, and removing them changes nothing.
#   A point at which $a$ units are on needs only $2^a$ terms.
# - The {term}`logit` of "outside" minus that of "inside" is a sum over the kept units, so its exponential is a
#   product. Split the units into two halves. One small table holds the products of one half, another
#   those of the other half, and each subnetwork is one plus an entry of the first times an entry of the
#   second. For two points this product of two sums is a row of four numbers times a column, so a matrix
#   product multiplies points together, and one logarithm serves up to sixteen points.
# - The points are put together by the {term}`Walsh-Hadamard transform` that this chapter comes to below:
#   the terms of a point have few coefficients, which are added up over points and transformed back once.
# :::
#
# ## Units that do nothing
#
# A ReLU unit whose input is negative at every point puts out zero everywhere: it is a {term}`dead unit`.
# Removing one changes no loss, so each loss comes several times. From here on a network is what is left
# without its dead units, and $H$ is the number of its *live* units.


# %%
def without_dead(network, x):
    """The same network without its dead units, and the live ones' numbers."""
    live = (models.outputs(network, x, [2])[2] > 0).any(0).nonzero()[:, 0]
    first, last = network[1], network[3]
    small = models.mlp([first.in_features, len(live), last.out_features])
    small[1].weight.data = first.weight[live].clone()
    small[1].bias.data = first.bias[live].clone()
    small[3].weight.data = last.weight[:, live].clone()
    small[3].bias.data = last.bias.clone()
    return models.freeze(small), live


small, live = without_dead(model, points.x)
H = len(live)
losses = ablation.all_losses(small, points)  # of all 2^H subnetworks

# %% tags=["remove-cell"]
dead = sorted(set(range(UNITS)) - set(live.tolist()))
ensemble = [without_dead(m, points.x)[0] for m in networks]
dead_counts = [UNITS - ablation.n_units(m) for m in ensemble]
in_full = ablation.subset_sums(1 << live)  # their numbers among all units
assert torch.allclose(every[in_full], losses)

# %% tags=["remove-input"]
subject = {0: "No unit", 1: f"Unit {listed(dead)}"}.get(
    len(dead), f"Units {listed(dead)}"
)
Markdown(
    f"{subject} of network 1 {'are' if len(dead) > 1 else 'is'} dead on these points, which leaves $H = {H}$. "
    f"So its {2**UNITS:,} subnetworks are only {2**H:,} different functions there, each of them "
    f"{2 ** len(dead)} times over. This is no accident of one network: among the {len(networks)} networks of "
    f"the ensemble, between {min(dead_counts)} and {max(dead_counts)} units are dead, "
    f"{np.mean(dead_counts):.1f} on average."
)

# %% [markdown]
# ## The loss of random subnetworks
#
# Keep each unit with a {term}`keep-probability` $p$. The set $S$ of kept units then has probability
# $p^{|S|} (1-p)^{H-|S|}$, and the mean loss, written $\mathbb E_p[f]$, is a weighted sum over all $2^H$
# subnetworks. It has no sampling error, and only that of the points. The source drew 1,000 subnetworks
# for each of three $p$ instead. Its generator and its loop give its {term}`masks <mask>` back; applied to network 1,
# they show what a sample of this size can see ({numref}`fig-circle-losses`).

# %%
weights = {p: ablation.keep_probabilities(H, p) for p in KEEP}
means = {p: ablation.distribution_moments(losses, p)[0] for p in KEEP}

random = np.random.RandomState(17)  # the source's seed
masks_drawn = {p: random.rand(1000, 20) < p for p in KEEP}

# %% tags=["remove-cell"]
drawn = {
    p: every.numpy()[m[:, :UNITS] @ (1 << np.arange(UNITS))]
    for p, m in masks_drawn.items()
}


def distinct(masks):
    """Number of distinct rows."""
    return len(np.unique(masks @ (1 << np.arange(masks.shape[1]))))


def expected_distinct(units):
    """Expected number of distinct subnetworks among 1,000 at p = 0.75."""
    probability = ablation.keep_probabilities(units, 0.75)
    return float((1 - (1 - probability) ** 1000).sum())


most = masks_drawn[0.75]
size = most.sum(1)
seen, all_on = distinct(most), int((size == 20).sum())
without_14 = int(((size == 19) & ~most[:, 14]).sum())
claims.check("circle_distinct", seen, "synthetic")
claims.check("circle_all_on", all_on, "synthetic")
claims.check("circle_without_14", without_14, "synthetic")
chance = np.random.default_rng(0)
repeats = [distinct(chance.random((1000, 20)) < 0.75) for _ in range(1000)]
as_few = np.mean([count <= seen for count in repeats])


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


# The ripple is what a kernel of 0.03 shows beyond one of 0.15; the noise of 1,000
# draws, from draws of our own, goes through the same filter.
rows = {}
for p in KEEP:
    low, high = np.quantile(drawn[p], [0.05, 0.95])
    middle = np.linspace(low, high, 600)
    exact = [
        plotting.density(losses, w, middle, weights[p]) for w in (0.03, 0.15)
    ]
    ripple, noise = exact[0] - exact[1], []
    for _ in range(20):
        codes = (chance.random((1000, H)) < p) @ (1 << np.arange(H))
        mine = [
            plotting.density(losses.numpy()[codes], w, middle)
            for w in (0.03, 0.15)
        ]
        noise.append(rms(mine[0] - mine[1] - ripple))
    rows[f"{p}"] = {
        "mean loss": means[p],
        "skewness": ablation.distribution_moments(losses, p)[2],
        "true ripple (per nat)": rms(ripple),
        "noise of 1,000 draws (per nat)": float(np.mean(noise)),
    }
ripples = pd.DataFrame(rows).T.rename_axis("p")
along = np.linspace(0, 1, 101)
mean_along = np.array(
    [ablation.distribution_moments(losses, p)[0] for p in along]
)
peak = int(mean_along.argmax())
empty = float(losses[0])

# %% tags=["hide-input"] slide="Fewer units do not simply make a worse network." say="Read the lower right panel from the left: the first units that come back make things worse. Then ask what a thousand draws can see of the exact curve, in the upper right panel. Some of the wiggles are real, and much of what a sample shows is noise." mystnb={"figure": {"name": "fig-circle-losses", "caption": "Loss of random subnetworks of network 1. Upper left: exact density for three keep-probabilities. Upper right: that for p = 0.75, and the one that the source's 1,000 masks give, both smoothed by the source's kernel of width 0.03. Lower left: cumulative distributions. Lower right: mean loss against the keep-probability. Dotted: a coin flip; dashed: the full network. On average a few units are worse than none, and most random subnetworks are worse than a coin flip."}, "image": {"alt": "Four panels. Upper left, three broad humps that lie farther left for a larger keep-probability. Upper right, a thick curve and a thin one that wiggles around it. Lower left, three cumulative curves on a logarithmic axis, with a dashed line at the far left and a dotted one left of most of each curve. Lower right, a curve that starts above the dotted line, rises to a maximum, and falls to the dashed line at p = 1."}}
top = float(np.quantile(losses, 0.999))
at = np.linspace(0, top, 1500)
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5))
order = losses.argsort()
for p in KEEP:
    exact = plotting.density(losses, 0.03, at, weights[p])
    axes[0, 0].plot(at, exact, color=SHADE[p], label=f"p = {p}")
    reached = weights[p][order].cumsum(0)
    axes[1, 0].plot(
        losses[order], reached, color=SHADE[p], label=f"p = {p}", rasterized=True
    )  # fmt: skip
ax = axes[0, 1]
ax.plot(at, exact, color=SHADE[0.75], lw=2.5, label="exact, p = 0.75")
sample = plotting.density(drawn[0.75], 0.03, at)
ax.plot(at, sample, color=C["ink"], lw=0.8, label="1,000 draws")
ax.set(xlim=(0, float(np.quantile(drawn[0.75], 0.99))))
axes[1, 1].plot(along, mean_along, color=C["matched"])
axes[1, 1].axhline(GUESS, color=C["null"], ls=":")
axes[1, 1].axhline(full_loss, color=C["ink"], ls="--", lw=1)
axes[1, 1].set(xlabel="keep-probability p", ylabel="mean loss (nats)", ylim=0)
for ax in axes.flat[:3]:
    ax.axvline(GUESS, color=C["null"], ls=":")
    ax.axvline(full_loss, color=C["ink"], ls="--", lw=1)
    ax.set(xlabel="loss (nats)")
for ax in axes[0]:
    ax.set(ylabel="density per nat")
    ax.legend()
axes[1, 0].set(
    xscale="log", xlim=(full_loss / 1.5, top), ylabel="cumulative probability"
)
axes[1, 0].legend(loc="upper left", bbox_to_anchor=(0.02, 1))
plt.show()

# %% tags=["remove-input"]
under = [percent(float(weights[p][losses < GUESS].sum()), 1) for p in KEEP]
Markdown(
    f"Fewer units do not simply make a worse network. Without any unit the loss is {empty:.2f} nats; at p = "
    f"{along[peak]:.2f} its mean is {mean_along[peak]:.2f}, and only from p = "
    f"{along[peak:][mean_along[peak:] < empty][0]:.2f} on is it lower than that of no unit. At the three "
    f"keep-probabilities {listed(under)} of the probability is better than a coin flip. Within the source's "
    "range the mean falls with p, as it saw."
)

# %% tags=["remove-input"]
plotting.table(ripples)

# %% tags=["remove-input"]
shares = ripples.iloc[:, 2] / ripples.iloc[:, 3]
Markdown(
    "Every density has its longer tail on the right, as the source saw. Are the small wiggles of its curves "
    "noise, as it supposed? The last two columns compare, for the middle 90 % of each density, the root mean "
    "square of the ripples that are really there with that of 1,000 draws' errors at the same scale. The true "
    f"ripple is {shares.min():.1f} to {shares.max():.1f} times the noise, least at p = {shares.idxmin()} and most at "
    f"p = {shares.idxmax()}. So much of what such a sample shows is noise, but not all of it."
)

# %% tags=["remove-input"]
Markdown(
    "**Counts.** The source found 952 distinct masks among its 1,000 at p = 0.75, five with all "
    "units, and three that lack unit 14 alone. With its generator, its seed and its loop we find "
    f"{seen}, {all_on} and {without_14}. Expected are {1000 * 0.75**20:.1f} with all units, and "
    f"{expected_distinct(20):.0f} distinct ones with a standard deviation of {np.std(repeats):.1f}; only "
    f"{percent(as_few, 1)} of 1,000 other generators find as few, so 952 is the seed's luck. "
    + (
        "Distinct masks are not distinct functions. In network 1 only the live units have to be kept for the "
        f"function of the full network, which happens {1000 * 0.75**H:.1f} times in 1,000, and among 1,000 "
        f"masks there are {expected_distinct(H):.0f} functions on average (with the source's masks "
        f"{distinct(most[:, live.numpy()])})."
        if dead
        else "Network 1 has no dead unit, so that these are counts of functions too."
    )
)

# %% [markdown]
# ## Is the loss log-normal?
#
# The source fits a normal curve to the {term}`log loss`, finds the fit good, and takes the loss as
# {term}`log-normal` from there on ({numref}`fig-circle-log-losses`). For a {term}`normal distribution`,
# {term}`skewness`, {term}`excess kurtosis` and the {term}`Kolmogorov-Smirnov distance` to the fitted normal
# curve are all zero. Here they are exact. A test on 1,000 draws rejects normality where the distance of
# the sample to its own fit is larger than in 95 % of normal samples {cite:p}`lilliefors1967`.


# %%
def distance(values, p, fitted):
    """Exact Kolmogorov-Smirnov distance from a cumulative distribution."""
    n = len(values).bit_length() - 1
    values, order = values.sort()
    step = ablation.keep_probabilities(n, p)[order]
    reached, law = step.cumsum(0), torch.as_tensor(fitted(values.numpy()))
    return float(torch.maximum(reached - law, law - reached + step).max())


def to_normal(values, p):
    mean, sd, *_ = ablation.distribution_moments(values, p)
    return distance(values, p, lambda x: ndtr((x - mean) / sd))


log_losses = losses.log()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-circle-log-losses", "caption": "Exact density of log loss for three keep-probabilities, smoothed with the source's kernel, with the normal curve of equal mean and standard deviation dashed. Dotted: the full network. The curves are bell-like but uneven, and for p = 0.75 the longer tail is on the left, with a bump at the full network."}, "image": {"alt": "Three panels side by side, each a solid curve over a dashed bell. The first two curves wind about the bell. In the last panel the top of the solid curve lies to the right of that of the bell, the tail on the left is the longer one, and a small separate bump stands at a dotted vertical line at the far left."}}
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
top = axes[0].get_ylim()[1]
axes[0].set(ylabel="density", ylim=(0, 1.35 * top))
axes[0].legend(loc="upper right")
plt.show()

# %% tags=["remove-cell"]
brief = [without_dead(m, points.x)[0] for m in fit(knobs.networks, knobs.brief)]
brief_losses = [float(ablation.all_losses(m, points)[-1]) for m in brief]
values_of = {
    "trained to the end": [ablation.all_losses(m, points) for m in ensemble],
    "shorter, to the source's loss": [
        ablation.all_losses(m, points) for m in brief
    ],
}


def sample_distances(samples):
    """Distance of each row of 1,000 values from its own normal fit."""
    mean, sd = (f(samples, axis=1, keepdims=True) for f in (np.mean, np.std))
    fit = ndtr((np.sort(samples, axis=1) - mean) / sd)
    rank = np.arange(1, 1001) / 1000
    return np.maximum(rank - fit, fit - rank + 0.001).max(1)


chance = np.random.default_rng(0)
normal_distances = sample_distances(chance.standard_normal((1000, 1000)))
limit = np.quantile(normal_distances, 0.95)


def noticed(values, p, samples=40):
    """Share of samples of 1,000 subnetworks whose log losses fail the test."""
    units = len(values).bit_length() - 1
    codes = (chance.random((samples, 1000, units)) < p) @ (
        1 << np.arange(units)
    )
    return float((sample_distances(values.log().numpy()[codes]) > limit).mean())


def to_gamma(values, p):
    """Distance of the loss from the gamma distribution of maximum likelihood."""
    mean = ablation.distribution_moments(values, p)[0]
    gap = np.log(mean) - ablation.distribution_moments(values.log(), p)[0]
    shape = brentq(lambda k: np.log(k) - digamma(k) - gap, 1e-2, 1e3)
    return distance(values, p, lambda x: gammainc(shape, x * shape / mean))


few = range(min(10, knobs.networks))
short = dict(zip(values_of, ["to the end", "shorter"], strict=True))
normality, power, gaps, sides = {}, {}, {}, []
for name, found in values_of.items():
    for p in KEEP:
        power[name, p] = [noticed(found[i], p) for i in few]
        logs = [found[i].log() for i in few]
        skews = [ablation.distribution_moments(v, p)[2] for v in logs]
        far = [to_normal(v, p) for v in logs]
        far_gamma = [to_gamma(found[i], p) for i in few]
        gaps[name, p] = np.mean(far), np.mean(far_gamma)
        sides += [a < b for a, b in zip(far, far_gamma, strict=True)]
        normality[f"{short[name]}, {p}"] = {
            "skewness": spread(skews),
            "to normal": spread(far, 3),
            "to gamma": spread(far_gamma, 3),
            "rejected": percent(np.mean(power[name, p])),
        }
normality = pd.DataFrame(normality).T.rename_axis("training, p")
long_name, brief_name = values_of
rejected = [float(np.mean([power[long_name, p][i] for p in KEEP])) for i in few]
on_normal = sample_distances(chance.standard_normal((2000, 1000))) > limit
claims.check(
    "circle_log_normal", np.mean(rejected), "synthetic",
    null=on_normal.mean(), repeats=rejected,
)  # fmt: skip

# %% tags=["remove-input"]
plotting.table(normality)

# %% tags=["remove-input"]
closer = [p for p in KEEP if gaps[brief_name, p][0] < gaps[long_name, p][0]]
Markdown(
    f"Rows are networks trained to the end and on a shorter schedule to the source's loss ({len(few)} of each, mean ± standard deviation), "
    "at three keep-probabilities; columns are the skewness of log loss, its exact distance from the fitted normal, and how often "
    "the test rejects. The loss is not log-normal. In samples of the source's size the test rejects normal log losses in "
    f"{percent(np.mean(rejected))} of all cases, where it rejects {percent(on_normal.mean())} of "
    f"{len(on_normal):,} normal samples; the source judged by eye. Shorter training, to the source's loss, does not save the law: there log losses "
    f"are rejected in {percent(np.mean([power[brief_name, p] for p in KEEP]))}, and they are closer to normal than "
    f"those of fully trained networks at p = {listed(closer)} alone. But as a description it is not bad. The other "
    "distance is that of the loss from the gamma distribution of maximum likelihood, which has two parameters "
    f"too; the log-normal fit is the nearer one in {percent(np.mean(sides))} of the cases. The log loss has another "
    "use in what follows: it counts factors, so that a step from 0.2 to 0.1 weighs as much as one from 4 "
    "to 2, while the mean of the loss itself is dominated by poor subnetworks."
)

# %% [markdown]
# ## Two kinds of unit
#
# Multiply each unit's output by an entry of a {term}`mask`: 1 keeps the unit, 0 removes it. The
# gradient of the loss by the mask comes from one backward pass. It is a mean over points. Where on the
# square does it come from? {numref}`fig-unit-maps` shows it point by point, for the full network.

# %%
outward = small[3].weight[1] - small[3].weight[0]  # to the logit of outside
lengths = torch.linspace(-1, 1, 160)
pairs = torch.meshgrid(lengths, lengths, indexing="xy")
square = torch.stack(pairs, -1).flatten(0, 1)
labels = (square.square().sum(1) > 2 / torch.pi).long()  # 1 outside
by_logit = training.logits(small, square).softmax(1)[:, 1] - labels
on_square = models.outputs(small, square, [2])[2]
unit_maps = by_logit[:, None] * on_square * outward

# %% tags=["remove-cell"]


def act_as_bias(network, x):
    """Units on at 95 % of the points that vary there by less than half their mean."""
    h = models.outputs(network, x, [2])[2]
    on, mean = (h > 0).float().mean(0), h.mean(0)
    return (on > 0.95) & (h.std(0) < 0.5 * mean)


bias_like = act_as_bias(small, points.x).nonzero()[:, 0]
arcs = (~act_as_bias(small, points.x)).nonzero()[:, 0]
directions = torch.atan2(small[1].weight[:, 1], small[1].weight[:, 0])
by_kind = torch.cat([bias_like, arcs[directions[arcs].argsort()]])
names = live.numpy()  # what the units are called
ring = (square.norm(dim=1) - RADIUS).abs() < 0.05
acts = (unit_maps.abs() > 1e-3 * unit_maps.abs().max())[ring]
reach_of_arcs = acts[:, arcs].float().mean(0)
kinds_everywhere = [act_as_bias(m, points.x) for m in ensemble]
pushes = [m[3].weight[1] - m[3].weight[0] for m in ensemble]
bias_inward = np.mean([
    float((w[k] < 0).float().mean())
    for w, k in zip(pushes, kinds_everywhere, strict=True)
    if k.any()
] or [np.nan])  # fmt: skip
arcs_outward = np.mean([
    float((w[~k] > 0).float().mean())
    for w, k in zip(pushes, kinds_everywhere, strict=True)
])  # fmt: skip

# %% tags=["hide-input"] slide="There are two kinds of unit, and they pull against each other." say="The starred units act as a bias on the whole ring and push toward inside, the others cut off an edge each and push toward outside. Ask what happens when units of one kind alone are kept. Keep the answer for the pruning slide." mystnb={"figure": {"name": "fig-unit-maps", "caption": "Gradient of the loss at each point of the square by the mask entry of each live unit, for the full network. Where the gradient is negative (see the bar), turning the unit up would lower the loss; where it is positive, raise it. The scale is linear near zero and logarithmic beyond. Only points near the circle have gradients to speak of, because elsewhere the network is sure. Units that act as a bias come first, marked with a star: they act on the whole ring along the circle, with the colours of its two sides exchanged against the others, which act on an arc each."}, "image": {"alt": "Small maps of the square. In the first ones, marked with a star, the whole ring along the circle is coloured, its inner side in one colour and its outer side in another. In the others only an arc of the ring is coloured, with the two colours exchanged."}}
columns = 6
rows_needed = -(-H // columns)
fig, axes = plt.subplots(
    rows_needed, columns, figsize=(7.2, 1.35 * rows_needed)
)
reach = float(unit_maps.abs().max())
scale = SymLogNorm(0.01 * reach, vmin=-reach, vmax=reach)
for ax in axes.flat:
    ax.set_axis_off()
for unit, ax in zip(by_kind.tolist(), axes.flat, strict=False):
    star = " *" if unit in bias_like else ""
    plotting.heatmap(
        unit_maps[:, unit].reshape(160, 160), ax, origin="lower", norm=scale,
        cmap=through_paper(C["matched"], C["unmatched"]),
    )  # fmt: skip
    ax.set_title(f"unit {names[unit]}{star}", fontsize=9)
bar = fig.colorbar(
    axes.flat[0].images[0], ax=axes, shrink=0.6, label="gradient (nats)"
)
bar.set_ticks([-1, -0.1, 0, 0.1, 1], labels=["−1", "−0.1", "0", "0.1", "1"])
bar.minorticks_off()
plt.show()

# %% tags=["remove-input"]
counts = [int(k.sum()) for k in kinds_everywhere]
Markdown(
    "There are two kinds of unit. Some *act as a bias*: they are on at more than 95 % of the points, and "
    "the standard deviation of their output is less than half of its mean. The source named four of its own "
    f"network by eye. In network 1 they are {listed(live[bias_like].tolist())}; in the ensemble there are "
    f"{min(counts)} to {max(counts)} of them, and {percent(bias_inward)} of them push toward inside. The others "
    f"cut off an edge of the square: {percent(arcs_outward)} of them push toward outside, each on an arc"
    + (
        f" of {percent(reach_of_arcs.min())} to {percent(reach_of_arcs.max())} of the ring in network 1. "
        "Several share nearly the same arc."
        if H == 16
        else "."
    )
)

# %% [markdown]
# ## What a gradient says
#
# The source studies the distribution of these gradients over random masks. In its gradients of log
# loss it saw two peaks with a trough at zero between them, expected that a unit that is on and one that
# is off make the two, and found that they do not. There is a second candidate. A random subnetwork
# *leans* to one class: its mean probability of "outside" is larger or smaller than the share of points
# outside. Each unit pushes to one class, so it pushes with the lean or against it.

# %%
generator = torch.Generator().manual_seed(0)
masks, gradients, log_gradients = {}, {}, {}
for p in KEEP:
    masks[p] = (torch.rand(knobs.masks, H, generator=generator) < p).float()
    gradients[p] = ablation.mask_gradients(small, points, masks[p])
    loss = ablation.losses(small, points, masks[p])[:, None]
    log_gradients[p] = gradients[p] / loss  # the gradient of log loss

h = models.outputs(small, points.x, [2])[2]  # (points, units)
offset = small[3].bias[1] - small[3].bias[0]
logits = masks[0.5] @ (h * outward).T + offset  # (masks, points)
lean = logits.sigmoid().mean(1) - points.y.float().mean()
with_lean = lean[:, None] * outward > 0  # (masks, units)

# %% [markdown]
# {numref}`fig-mask-gradients` splits the gradients in both ways.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-mask-gradients", "caption": "Gradient of log loss by the mask entry of a live unit, at random masks. Left: for three keep-probabilities. Middle and right: for p = 0.5, split by whether the unit is on in the mask, and by whether it pushes with the lean of the subnetwork. On and off have each both peaks; the lean takes them apart. The trough between the peaks is there because small leans go with small losses, by which these gradients are divided."}, "image": {"alt": "Three panels of densities on one horizontal axis. Left, three curves with two peaks and a trough between them near zero. Middle, two curves that each have weight on both sides of zero. Right, two humps with little overlap, one left of zero and one right of it."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), sharex=True, sharey=True)
reach = float(np.quantile(log_gradients[0.5].abs(), 0.99))
at = np.linspace(-reach, reach, 400)
for p in KEEP:
    curve = plotting.density(log_gradients[p].flatten(), 0.03, at)
    axes[0].plot(at, curve, color=SHADE[p], label=f"p = {p}")
splits = {
    ("unit on", "unit off"): masks[0.5] == 1,
    ("with the lean", "against the lean"): with_lean,
}
for ax, (labels_of, first) in zip(axes[1:], splits.items(), strict=True):
    for name, chosen, color in zip(
        labels_of, (first, ~first), (C["matched"], C["other"]), strict=True
    ):
        curve = plotting.density(log_gradients[0.5][chosen], 0.03, at)
        ax.plot(at, curve, color=color, label=name)
axes[0].set(ylabel="density", ylim=(0, axes[2].get_ylim()[1] * 1.35))
for ax in axes:
    ax.axvline(0, color=C["ink"], lw=0.8)
    ax.legend(loc="upper left", fontsize=9, handlelength=1.2)
fig.supxlabel("gradient of log loss", fontsize=10.5)
plt.show()

# %% tags=["remove-cell"]
up = log_gradients[0.5] > 0  # turning the unit up raises the loss
right_sign = (with_lean == up).float().mean(0)
by_lean, by_on = (
    float(right_sign.mean()),
    float(((masks[0.5] == 1) == up).float().mean()),
)
by_unit = float(
    torch.maximum(up.float().mean(0), 1 - up.float().mean(0)).mean()
)
small_lean = float((lean.abs() < 0.1).float().mean())
on_in_arcs = float(((masks[0.5] == 1) == up)[:, arcs].float().mean())


def depth(found):
    """Density at zero over the lower of the highest ones on its two sides."""
    values = found[0.5].flatten()
    at = np.linspace(*np.quantile(values.numpy(), [0.02, 0.98]), 801)
    curve, left = plotting.density(values, 0.05, at), at < 0
    return np.interp(0, at, curve) / min(curve[left].max(), curve[~left].max())


small_loss = [
    float(ablation.losses(small, points, masks[0.5])[chosen].mean())
    for chosen in (lean.abs() < 0.1, lean.abs() >= 0.1)
]


def pooled_kurtosis(found, p):
    """With the dead units' zeros, as the source pools them."""
    zeros = torch.zeros(knobs.masks, len(dead))
    return kurtosis(torch.cat([found[p], zeros], 1).flatten().numpy())


tails = {
    name: [kurtosis(found[p].flatten().numpy()) for p in KEEP]
    for name, found in [("loss", gradients), ("log loss", log_gradients)]
}
with_dead = [pooled_kurtosis(gradients, p) for p in KEEP]

# %% tags=["remove-input"]
Markdown(
    'The lean takes the two peaks apart. A subnetwork that already answers "outside" too often gets worse if a '
    "unit that pushes outside is turned up. This gives the right sign of the gradient in "
    f"{percent(by_lean)} of all cases, on and off in {percent(by_on)}, and each unit's own more frequent sign, "
    f"the plain null, in {percent(by_unit)}. For units that act as a bias it is nearly algebra: the lean is the "
    "gradient of the loss by the bias of the output. "
    + (
        f"Among the others alone the lean is still right in {percent(float(right_sign[arcs].mean()))} (on and off: {percent(on_in_arcs)}). "
        if len(bias_like)
        else ""
    )
    + "Why is there a trough between the peaks? Not because small leans are rare: "
    f"{percent(small_lean)} of these subnetworks of network 1 have one below 0.1. But where the lean is small the loss is small too "
    f"({small_loss[0]:.1f} nats on average, {small_loss[1]:.1f} elsewhere), and the gradient of log loss is the gradient divided "
    f"by the loss. At zero the density of log loss gradients is "
    f"{num(depth(log_gradients))} of that at the lower of the two peaks; for gradients of the loss itself it is {num(depth(gradients))}. The source also found its gradients more pointed and heavier in the tails than normal "
    f"curves. Here the excess kurtosis is {num(min(tails['log loss']), 1)} to {num(max(tails['log loss']), 1)} for log "
    f"loss, so its tails are heavier, with a trough where a normal curve has its top. For the loss it is "
    f"{num(min(tails['loss']), 1)} to {num(max(tails['loss']), 1)}, and {num(min(with_dead), 1)} to "
    f"{num(max(with_dead), 1)} if dead units are pooled with the others, as the source does; their zeros then make "
    "a point at the top."
)

# %% [markdown]
# ## Gradients and removals
#
# A gradient says what happens if a unit is turned up by a little. What does that say about removing it?
# With one hidden layer the logits are linear in the mask, and the {term}`cross-entropy` is convex in the
# logits, so the loss is a convex function of the mask. For a convex function the slope at the left end
# of an interval is at most the slope of the chord, and the slope at the right end is at least that. Let
# $f(S)$ be the loss of the subnetwork $S$ and $\partial_i f$ its derivative by the mask entry of unit
# $i$. Then
#
# $$\partial_i f(S \setminus \{i\}) \;\le\; f(S \cup \{i\}) - f(S \setminus \{i\})
# \;\le\; \partial_i f(S \cup \{i\}). $$ (eq-sandwich)
#
# In the middle is the effect of switching the unit on, which the table of all losses holds. So a
# gradient bounds the effect from one side ({numref}`fig-sandwich`).

# %%
units = 1 << torch.arange(H)  # each unit alone, as the number of a subset
kept = (masks[0.5].long() @ units)[:, None]
effects = losses[kept | units] - losses[kept & ~units]  # (masks, units)

full = 2**H - 1  # the number of the full network
removal_cost = losses[full & ~units] - losses[full]
full_gradient = ablation.mask_gradients(small, points, torch.ones(1, H))[0]

# %% tags=["hide-input"] slide="A gradient bounds the effect of a unit from one side, and at the full network it is a small part of the cost." say="Left: with one hidden layer the loss is convex in the mask, so no dot crosses the line. Right: training has brought the gradients of the full network close to zero, while removals still cost a lot. The sign that is left follows the training set. The size that is left puts units of one kind in about the right order, bias units above all, and does not tell the cost." mystnb={"figure": {"name": "fig-sandwich", "caption": "Gradient by a mask entry against the exact effect of switching the unit on. Left: at some random masks of p = 0.5; with the unit on the gradient lies above the line of equality, with the unit off below it, without exception. Right: at the full network, one dot per live unit, on a much finer vertical scale, so that the line of equality is far below. There all gradients are close to zero; those above the horizontal line have the wrong sign on these points."}, "image": {"alt": "Left, a cloud of dots on both sides of the diagonal: all dots of units that are on lie above it and all dots of units that are off lie below it. Right, dots at different negative effects; dots of one colour lie above a horizontal line at gradient zero, those of the other colour below it."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5))
shown = slice(0, 200)
shown_on = masks[0.5][shown] == 1
for chosen, label, color in [
    (shown_on, "unit on", C["matched"]),
    (~shown_on, "unit off", C["other"]),
]:
    axes[0].plot(
        effects[shown][chosen], gradients[0.5][shown][chosen], ".", ms=2.5, alpha=0.6,
        color=color, label=label, rasterized=True,
    )  # fmt: skip
limits = axes[0].get_xlim()
axes[0].plot(limits, limits, color=C["ink"], lw=1)
axes[0].set(xlabel="effect of switching on (nats)", ylabel="gradient (nats)")
axes[0].set_title("random masks")
axes[0].legend(markerscale=4, loc="upper left")
axes[1].axhline(0, color=C["ink"], lw=1)
for group, label, color in [
    (arcs, "on an arc", C["matched"]),
    (bias_like, "act as a bias", C["other"]),
]:
    axes[1].plot(
        -removal_cost[group], full_gradient[group], "o", ms=5, color=color, label=label
    )  # fmt: skip
axes[1].legend(loc="upper left")
axes[1].set(xlabel="effect of switching on (nats)", ylabel="gradient (nats)")
axes[1].set_title("full network")
plt.show()

# %% tags=["remove-cell"]
on = masks[0.5] == 1
excess = gradients[0.5] - effects  # must not be below zero if on
outside_bounds = int((torch.where(on, -excess, excess) > 1e-5).sum())
same_units = np.corrcoef(gradients[0.5].mean(0), effects.mean(0))[0, 1]

# At the full network: many points, so that the sign of a mean is no chance.
many = data.circle(20 * knobs.points, seed=24)


def gradient_signs(network, kind, on_points):
    """Whether each unit's gradient at the full network has the wrong sign."""
    g = ablation.mask_gradients(network, on_points, torch.ones(1, len(kind)))[0]
    return g > 1e-4  # nats, below which a trained network's gradient is none


wrong_here = gradient_signs(small, kinds_everywhere[0], many).nonzero()[:, 0]
wrong_on_train = sum(
    int(gradient_signs(m, k, train).sum())
    for m, k in zip(ensemble, kinds_everywhere, strict=True)
)
wrong_by_set = {}  # bias units, arcs: shares over the networks of a training set
for seed in knobs.sets:
    other_train = data.circle(4000, seed=seed)
    found = [
        without_dead(m, points.x)[0]
        for m in training.fit_ensemble(
            lambda: models.mlp([2, UNITS, 2]),
            other_train,
            range(4),
            epochs=knobs.epochs,
            **recipe,
        )
    ]
    kinds_here = [act_as_bias(m, points.x) for m in found]
    signs_here = [
        gradient_signs(m, k, many)
        for m, k in zip(found, kinds_here, strict=True)
    ]
    wrong_by_set[seed] = (
        float(
            torch.cat(
                [w[k] for w, k in zip(signs_here, kinds_here, strict=True)]
            )
            .float()
            .mean()
        ),
        float(
            torch.cat(
                [w[~k] for w, k in zip(signs_here, kinds_here, strict=True)]
            )
            .float()
            .mean()
        ),
    )
wrong_by_set = np.array(list(wrong_by_set.values()))
ranks, slack = {"all": [], "bias": [], "arc": []}, []
for network, found, k in zip(
    ensemble, values_of[long_name], kinds_everywhere, strict=True
):
    n = ablation.n_units(network)
    g = ablation.mask_gradients(network, points, torch.ones(1, n))[0].abs()
    cost = found[(2**n - 1) - (1 << torch.arange(n))]
    for name, group in [("all", k | ~k), ("bias", k), ("arc", ~k)]:
        if group.sum() > 2:
            ranks[name].append(spearmanr(g[group], cost[group])[0])
    slack.append(float(g.mean() / cost.mean()))
typical = float(gradients[0.5].abs().mean() / effects.abs().mean())
claims.check(
    "circle_full_gradient",
    np.mean(slack),
    "synthetic",
    null=typical,
    repeats=slack,
)


def half_slopes(network, values):
    """Half the sum over units of the mean gradient, and the mean difference."""
    n = ablation.n_units(network)
    draw = torch.Generator().manual_seed(1)
    m = (torch.rand(knobs.masks // 2, n, generator=draw) < 0.5).float()
    some = points.first(2000)
    g = ablation.mask_gradients(network, some, m).sum(1).mean() / 2
    low, high = (
        ablation.distribution_moments(values, p)[0] for p in (0.25, 0.75)
    )
    return float(g), high - low


checks = np.array(
    [
        half_slopes(m, v)
        for m, v in zip(brief, values_of[brief_name], strict=True)
    ]
)
claims.check(
    "circle_mean_gradient",
    checks[:, 0].mean(),
    "synthetic",
    repeats=checks[:, 0],
)
claims.check(
    "circle_mean_difference",
    checks[:, 1].mean(),
    "synthetic",
    repeats=checks[:, 1],
)

# The mean loss as a polynomial in 2p - 1: its terms of first and third order.
exact_slope = ablation.russo_margulis(losses, 0.5)
by_degree = torch.zeros(H + 1).double()
by_degree.index_add_(0, ablation.subset_sizes(H), ablation.walsh(losses))
third_order = float(by_degree[1] + by_degree[3] / 4)
some = masks[0.5][: max(20, knobs.masks // 20)]


def sum_of_slopes(entry):
    """Half the sum over units of the gradient with the unit's entry set to a value."""
    found = torch.zeros(len(some)).double()
    for unit in range(H):
        changed = some.clone()
        changed[:, unit] = entry
        found += ablation.mask_gradients(small, points, changed)[:, unit] / 2
    return found


ends, middle = sum_of_slopes(0) + sum_of_slopes(1), sum_of_slopes(0.5)
true = effects[: len(some)].sum(1) / 2
beside = (ends + 4 * middle) / 6 - true
simpson = float(beside.mean()), float(beside.std() / len(beside) ** 0.5)
quarter = {
    "gradient": float(gradients[0.25].mean()),
    "effect": ablation.russo_margulis(losses, 0.25) / H,
}

# %% tags=["remove-input"]
Markdown(
    f"{'None' if outside_bounds == 0 else outside_bounds} of {on.numel():,} gradients (of {knobs.masks:,} masks "
    "and each unit) breaks its bound. At these masks a gradient is "
    f"{float(excess.abs().mean()):.2f} nats away from the effect on average, where the effects are "
    f"{float((effects - effects.mean()).abs().mean()):.2f} away from their own mean."
)

# %% tags=["remove-input"]
Markdown(
    "At the full network every unit is on, so the gradient is an upper bound of the effect, and a loose one. "
    "Scaling a unit's mask entry is scaling its outgoing weights, so training has brought these gradients "
    f"close to zero. Removing a live unit costs {float(removal_cost.min()):.2f} to "
    f"{float(removal_cost.max()):.2f} nats, while no gradient is larger than "
    f"{float(full_gradient.abs().max()):.3f}; over the ensemble, gradients are {percent(np.mean(slack), 1)} of the costs on "
    f"average, where at random masks they are {percent(typical)} of the effects. Such a gradient is what is left of zero, and its "
    "sign says which way the training points differ from others. On the training points "
    f"{'no' if wrong_on_train == 0 else wrong_on_train} unit of the ensemble has the wrong sign (turning the unit down a little "
    f"would help, removing it hurts). On {len(many):,} fresh points units {listed(live[wrong_here].tolist())} of network 1 have it, all of "
    "which act as a bias. But all networks of the ensemble learned from one training set, and the bias units share whatever that set "
    f"got wrong. With {len(wrong_by_set)} other training sets, and four networks for each, the share of bias units with the wrong sign "
    f"is {listed([percent(w) for w in wrong_by_set[:, 0]])}, and that of units on an arc "
    f"{listed([percent(w) for w in wrong_by_set[:, 1]])}. The size of the gradient is far from the cost, but says something of the order: its rank correlation with the "
    f"cost of removal is {spread(ranks['all'])} over the ensemble, where a worthless measure has zero; among the units on an arc of a network "
    f"it is {spread(ranks['arc'])}"
    + (
        f", and among those that act as a bias {spread(ranks['bias'])}."
        if len(ranks["bias"]) > 1
        else "."
    )
)

# %% [markdown]
# On average over masks, gradients do better. The source checks them in this way: from $p = 0.25$ to
# $p = 0.75$ half of all units are added on average, so half of the mean gradient, summed over units,
# should be about the difference of the mean losses. Why should it? There are two steps. First, a unit
# is as often on as off at $p = 0.5$. The mean of its gradients is therefore the mean of the two bounds
# in {eq}`eq-sandwich`, which is the {term}`trapezoid rule` for the mean effect of switching it on, its
# {term}`Banzhaf value`. Second, by the {term}`Russo-Margulis formula` the effects add up to the
# derivative of the mean loss by $p$,
#
# $$\frac{d}{dp}\, \mathbb E_p[f] = \sum_i \mathbb E_p\left[f(S \cup \{i\}) - f(S \setminus \{i\})\right],
# $$
#
# and half of this derivative is the difference of the means at 0.75 and 0.25, but for terms of third
# and higher odd order in $p - 0.5$; those of even order cancel in the difference.

# %% tags=["remove-input"]
check = {
    f"gradients, on {knobs.masks:,} masks": float(gradients[0.5].sum(1).mean())
    / 2,
    "effects, exact: half the derivative of the mean loss": exact_slope / 2,
    "the same with the term of third order": third_order,
    "mean loss at 0.75 minus at 0.25, exact": means[0.75] - means[0.25],
}
frame = pd.Series(check, name="nats").to_frame()
plotting.table(frame.rename_axis("half the sum over units at p = 0.5"))

# %% tags=["remove-input"]
half_sums = gradients[0.5].sum(1) / 2
error = float(half_sums.std() / len(half_sums) ** 0.5)
trapezoid = float(half_sums.mean()) - exact_slope / 2
Markdown(
    "The source compares the first row with the last one, and the rows between show why they differ: the "
    f"trapezoid rule is off by {num(trapezoid)} nats (with a standard error of {num(error)} from the masks), the "
    f"third order by {num(exact_slope / 2 - third_order)}. The first can be repaired. With the gradient at the unit "
    "half on as a third point, Simpson's rule is "
    f"{num(simpson[0], 3)} ± {num(simpson[1], 3)} nats from the exact effect (mean and standard "
    f"error over {len(some)} masks). The source's two numbers are −0.4751 and −0.4434. "
    f"Networks trained on a shorter schedule, to about its loss (mean {np.mean(brief_losses):.3f}) give "
    f"{spread(checks[:, 0])} and {spread(checks[:, 1])}; further training makes random subnetworks worse and the "
    "numbers larger."
)

# %% tags=["remove-input"]
Markdown(
    minus(
        f"Unit by unit, mean gradient and mean effect correlate at {same_units:.3f} at p = 0.5. This does not carry "
        "over to other p, where a unit is on and off unequally often: at p = 0.25 most gradients are lower bounds, "
        f"and their mean is {quarter['gradient']:.2f} nats where the mean effect is {quarter['effect']:+.2f}. "
    )
    + "So gradients tell what units are worth on average where units are kept half of the time. A single one "
    "bounds the effect; at the full network it is near zero, and its sign follows the training set."
)

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Any function of the kept units is a polynomial in signs." say="A coefficient is a mean of the function times signs. One unit's coefficient is half its mean effect; a pair's coefficient says how one unit's effect depends on the other. Let the students work out the pair's coefficient for the two units of the last line, alone, then in pairs. It is the mean of the four values, with a plus where both signs agree and a minus where they differ: one half."
# $$f(S) = \sum_T \hat f(T) \prod_{i \in T} s_i, \qquad \hat f(T) = 2^{-H} \sum_S f(S) \prod_{i \in T} s_i$$
#
# - $T$ runs over all sets of units; $s_i$ is $+1$ where unit $i$ is kept and $-1$ where it is removed
# - Squares of coefficients add up to the variance, degree by degree
# - Two units: $f = 0$ for none, $1$ and $2$ for one alone, $5$ for both. What is $\hat f$ of the pair?

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
# it is half of its Banzhaf value. For a pair it is a quarter of the amount by which one unit's effect
# grows, on average, when the other is kept.
#
# **Three units.** Take three live units, and keep all others. Their eight subnetworks are the corners of
# a cube ({numref}`fig-cube`), and {eq}`eq-walsh` is short enough to be worked out term by term.

# %%
three = units[by_kind[[0, len(bias_like), -1]]]  # as numbers of subsets
rest = full - int(three.sum())
cube = log_losses[rest + ablation.subset_sums(three)]  # its 8 corners

corner = np.arange(8)
bits = corner[:, None] >> np.arange(3) & 1  # (8 corners or sets, 3 units)
signs = 2 * bits - 1
products = np.where(bits[:, None], signs, 1).prod(2)  # (8 sets, 8 corners)
by_hand = products @ cube.numpy() / 8
cube_coefficients = ablation.walsh(cube)  # must be the same

# %% tags=["hide-input"] slide="On a cube of three units the spectrum is worked out by hand." say="Check one bar together, that of a pair: add the corners where both are kept or both are removed, subtract the other four, divide by eight. Then follow the arrows: a flip path ends at the opposite corner. The squares of the seven bars add up to the variance over the corners." mystnb={"figure": {"name": "fig-cube", "caption": "Left: the cube of three units of network 1, all other units kept. Each corner is a subnetwork, with the units that it keeps in braces and its log loss; each direction of edges belongs to one unit. The arrows are one flip path, which flips each unit once and ends at the complement of its start. Right: the Walsh coefficients of the log loss on this cube, apart from its mean."}, "image": {"alt": "Left, a drawn cube whose corners carry sets of units and numbers; three arrows run along three edges from one corner to the opposite one. Right, seven bars, three for single units, three for pairs and one for all three units."}}
chosen = [int(names[u]) for u in by_kind[[0, len(bias_like), -1]]]


def set_name(code):
    kept_here = [str(u) for u, on in zip(chosen, bits[code], strict=True) if on]
    return "{" + ", ".join(kept_here) + "}"


direction = np.array([[1.45, 0], [0.5, 0.4], [0, 1]])
place = bits @ direction
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), width_ratios=[1.25, 1])
ax = axes[0]
for a in corner:
    for b in a | (1 << np.arange(3)):
        if a != b:
            ax.plot(*place[[a, b]].T, color=C["null"], lw=1)
for a, b in [(2, 3), (3, 7), (7, 5)]:
    arrow = {"arrowstyle": "-|>", "color": C["matched"], "lw": 2, "shrinkB": 3}
    ax.annotate("", place[b], place[a], arrowprops=arrow)
for a in corner:
    ax.plot(*place[a], "o", ms=5, color=C["ink"])
    below, left = a in (0, 1, 5), a == 5  # where a label crosses no arrow
    ax.annotate(
        minus(f"{set_name(a)}  {cube[a]:.2f}"), place[a], (-6 if left else 5, -4 if below else 5),
        textcoords="offset points", ha="right" if left else "left", va="top" if below else "bottom",
        fontsize=9, bbox={"fc": C["paper"], "ec": "none", "pad": 0.5},
    )  # fmt: skip
ax.set(xlim=(-0.1, 2.6), ylim=(-0.15, 1.6), aspect="equal")
ax.set_axis_off()
sets = [1, 2, 4, 3, 5, 6, 7]
bars = pd.DataFrame({
    "set": [set_name(t) for t in sets],
    "coefficient": cube_coefficients[sets],
    "degree": bits[sets].sum(1),
})  # fmt: skip
sns.barplot(
    bars, y="set", x="coefficient", hue="degree", palette=LEVELS[:3], dodge=False, saturation=1,
    ax=axes[1],
)  # fmt: skip
sns.move_legend(axes[1], "lower center", bbox_to_anchor=(0.5, 1), ncols=3)
axes[1].axvline(0, color=C["ink"], lw=0.8)
axes[1].set(ylabel="set of units", xlabel="Walsh coefficient of log loss")
plt.show()

# %% tags=["remove-input"]
assert np.abs(by_hand - cube_coefficients.numpy()).max() < 1e-9
cube_energy = ablation.energy_by_degree(cube_coefficients)[1:]
cube_shares = (cube_energy / cube_energy.sum()).tolist()
together = [float(cube[c]) for c in (3, 0, 1, 2)]
text = (
    f"One coefficient by hand: for the pair {set_name(3)} the product of signs is plus one where both units are "
    "kept or both are removed. So its coefficient is the mean log loss of the corners "
    f"{set_name(0)}, {set_name(3)}, {set_name(4)} and {set_name(7)}, less that of the other four, over two: "
    f"({cube[[0, 3, 4, 7]].mean():.2f} − ({cube[[1, 2, 5, 6]].mean():.2f})) / 2 = {by_hand[3]:.2f}. "
    "The sums by hand and the fast transform agree to rounding. The squares of the seven "
    "coefficients add up to the variance over the eight corners. Of it, the three single units hold "
    f"{percent(cube_shares[0])}, the three pairs {percent(cube_shares[1])}, and the set of all three "
    f"{percent(cube_shares[2])}."
)
Markdown(minus(text))

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: what could make pairs lead, although it does not matter which units are partners?" say="Tell first what is to be explained: after training, pairs of units hold more of the variance than single units. Then collect ideas for nulls before the figure. A null that knows less is a weaker one. The third choice is the strongest: each unit has one number, and only the sum of the numbers counts. A result counts for what it shows beyond its strongest null."
# After training, pairs hold more of the variance than single units. Is this explained by
#
# - nothing so simple: it takes partners
# - how many units are kept, of whatever kind
# - one sum: what each kept unit pushes on average

# %% [markdown]
# **All units.** For $2^H$ subnetworks {py:func}`.ablation.walsh`, a fast
# {term}`Walsh-Hadamard transform`, does the same in well under a second {cite:p}`odonnell2014`.
# Coefficients are too many to look at, so add up their squares by the size of the set, which is the
# {term}`degree`: the {term}`energy` of degree $k$ is $E_k = \sum_{|T| = k} \hat f(T)^2$. The energies of
# degree 1 and higher sum to the variance of $f$ over all subnetworks. Its shares are compared with four
# {term}`nulls <null>` in {numref}`fig-circle-spectrum`: networks before training; the same log losses dealt out at
# random among the subnetworks of equal size, which keeps the effect of how many units there are and
# nothing else; dealt out among those with as many units that {term}`act as a bias <bias unit>` and as
# many on arcs, which keeps the effect of the two counts; and dealt out among those in which the kept units'
# mean {term}`contributions <contribution>` to the logit of "outside" have nearly the same sum. This last null is the strongest. It gives each unit one number, how much
# it pushes on average and to which class, and keeps whatever follows from the sum; which units are partners plays no part in it.


# %%
def shares(log_values, p=0.5):
    """Share of the variance by degree, from degree 1 on."""
    energy = ablation.energy_by_degree(ablation.walsh(log_values, p))[1:]
    return energy / energy.sum()


def even_less_odd(found):
    """Of shares by degree: the correlation with the complement."""
    return float(found[1::2].sum() - found[::2].sum())


coefficients = ablation.walsh(log_losses)
energy = ablation.energy_by_degree(coefficients)

# %% tags=["remove-cell"]


def dealt(values, seed, counts=None):
    """The values dealt out anew among subsets of the same size (or counts)."""
    n = len(values).bit_length() - 1
    counts = ablation.subset_sizes(n).double() if counts is None else counts
    draw = np.random.default_rng(seed)
    order = torch.from_numpy(counts.numpy() + 0.5 * draw.random(len(values)))
    found = torch.empty_like(values)
    found[counts.argsort(stable=True)] = values[order.argsort()]
    return found


def counts_of_kinds(kind):
    """For each subset, its numbers of bias units and of arcs in one number."""
    return ablation.subset_sums(torch.where(kind, 100, 1).double())


def contributions(network):
    """What each unit adds to the logit of outside at each point."""
    push = network[3].weight[1] - network[3].weight[0]
    return (models.outputs(network, points.x, [2])[2] * push).double()


def next_in_sum(numbers):
    """For each subset, its place by the sum of its units' numbers, in at most 512 groups."""
    size = max(16, 2 ** len(numbers) // 512)
    place = ablation.subset_sums(numbers).argsort(stable=True).argsort()
    return (place // size).double()


def fitted_numbers(v):
    """One number a unit: the leading eigenvector of the coefficients of pairs."""
    one = 1 << torch.arange(len(v).bit_length() - 1)
    pairs = ablation.walsh(v)[one[:, None] | one].clone().fill_diagonal_(0)
    return torch.linalg.eigh(pairs)[1][:, -1]


def strength(network):
    return float(contributions(network).square().mean().sqrt())


def scaled(network, factor):
    """The network with its logits multiplied."""
    found = models.clone(network)
    found[3].weight.data *= factor
    found[3].bias.data *= factor
    return models.freeze(found)


untrained = [
    without_dead(
        training.start(lambda: models.mlp([2, UNITS, 2]), s), points.x
    )[0]
    for s in range(knobs.networks)
]
logs = {
    "trained": [v.log() for v in values_of[long_name]],
    "untrained": [ablation.all_losses(m, points).log() for m in untrained],
}
logs["dealt by size"] = [dealt(v, i) for i, v in enumerate(logs["trained"])]
logs["dealt by kinds"] = [
    dealt(v, i, counts_of_kinds(k))
    for i, (v, k) in enumerate(
        zip(logs["trained"], kinds_everywhere, strict=True)
    )
]
logs["dealt by sum"] = [
    dealt(v, i, next_in_sum(contributions(m).mean(0)))
    for i, (v, m) in enumerate(zip(logs["trained"], ensemble, strict=True))
]
spectra = {name: [shares(v) for v in found] for name, found in logs.items()}
spectra["dealt by fitted sum"] = [
    shares(dealt(v, i, next_in_sum(fitted_numbers(v))))
    for i, v in enumerate(logs["trained"])
]
# The size of the logits alone: untrained networks as large as trained ones, and the other way.
rms_c = {
    name: np.mean([strength(m) for m in nets])
    for name, nets in [("trained", ensemble), ("untrained", untrained)]
}
enlarged = rms_c["trained"] / rms_c["untrained"]
some = points.first(500)
spectra["untrained, scaled"] = [
    shares(ablation.all_losses(scaled(m, enlarged), some).log())
    for m in untrained
]
shrunk = np.array(
    [
        shares(
            ablation.all_losses(scaled(ensemble[i], 1 / enlarged), some).log()
        )[:2].numpy()
        for i in few
    ]
)
NULLS = [name for name in spectra if name != "trained"]
by_kind_shares = {
    name: np.array([np.pad(f, (0, 8))[:8] for f in found])
    for name, found in spectra.items()
}
excess_two = {n: s[:, 1] - s[:, 0] for n, s in by_kind_shares.items()}
complements = {
    name: np.array([even_less_odd(f) for f in found])
    for name, found in spectra.items()
}
claims.check(
    "circle_degree_two", excess_two["trained"].mean(), "synthetic",
    null=max(excess_two[n].mean() for n in NULLS), repeats=excess_two["trained"],
)  # fmt: skip
claims.check(
    "circle_complement", complements["trained"].mean(), "synthetic",
    null=max(complements[n].mean() for n in NULLS), repeats=complements["trained"],
)  # fmt: skip
elsewhere = [shares(ablation.all_losses(small, p).log()) for p in other_points]
of_loss = np.array([shares(v)[:2].numpy() for v in values_of[long_name]])

# %% tags=["hide-input"] slide="Pairs lead after training, and one sum over the kept units explains the larger part of that." say="Go through the bars from the weakest null to the strongest: untrained networks, dealt out by size, by kinds, by the sum of what the kept units push on average. The last one knows no partners, and keeps more than half of the lead of pairs; that part is no evidence for partners. What counts is what lies above it." mystnb={"figure": {"name": "fig-circle-spectrum", "caption": "Walsh spectrum of log loss: share of the variance over all subnetworks by degree, mean and standard deviation over the networks. In trained networks pairs hold more than single units. Before training single units hold nearly all. Log losses that are dealt out at random within each size have little in single units or pairs; within equal counts of both kinds of unit they keep a part of the lead of pairs, and where the sums of mean contributions are nearly equal, the larger part. Degrees above eight are left out."}, "image": {"alt": "Groups of five bars over degrees one to eight. For trained networks the bar of degree two is the tallest and that of degree one comes next. For untrained networks the bar of degree one is by far the tallest. For values dealt out by size the bars grow toward high degrees; for those dealt out by kinds and by sum degree two is the tallest, lower than for trained networks."}}
SHOWN = ["trained", "untrained", "dealt by size", "dealt by kinds", "dealt by sum"]  # fmt: skip
fig, ax = plt.subplots(figsize=(7.2, 2.6))
frame = pd.concat(
    [plotting.tidy(by_kind_shares[n], range(1, 9), kind=n) for n in SHOWN]
)
sns.barplot(
    frame, x="x", y="value", hue="kind", saturation=1, errorbar="sd", err_kws={"lw": 1, "color": C["ink"]},
    palette=[C["matched"], C["null"], LEVELS[0], C["other"], C["unmatched"]], ax=ax,
)  # fmt: skip
ax.set(xlabel="degree", ylabel="share of variance")
ax.legend(title="")
plt.show()

# %% tags=["remove-input"]
t, lead_of_pairs = by_kind_shares["trained"], excess_two["trained"].mean()
strongest = max(excess_two[n].mean() for n in NULLS)
beyond_sum = int(
    (excess_two["trained"] > excess_two["dealt by fitted sum"]).sum()
)
rest = (
    f"For {percent(strongest / lead_of_pairs)} of the lead it is enough to know one number of each unit, and the others "
    f"count through a sum. The rest, {num(lead_of_pairs - strongest)} of the variance, neither sum explains: the lead is "
    f"larger than with the fitted sum in {beyond_sum} of {len(t)} networks."
    if 0 < strongest < lead_of_pairs
    else ""
)
Markdown(
    f"Single units hold {percent(t[:, 0].mean())} of the variance of log loss, pairs "
    f"{percent(t[:, 1].mean())} (means over {len(t)} networks; standard deviations "
    f"{percent(t[:, 0].std(ddof=1))} and {percent(t[:, 1].std(ddof=1))}); in network 1 "
    f"{percent(float(energy[1] / energy[1:].sum()))} and {percent(float(energy[2] / energy[1:].sum()))}, and on "
    f"other points its pairs hold {spread([100 * float(f[1]) for f in elsewhere], 1)} %. For the loss in "
    f"place of its logarithm, pairs hold {percent(of_loss[:, 1].mean())} and single units "
    f"{percent(of_loss[:, 0].mean())}. Pairs lead by {num(excess_two['trained'].mean())} of the variance, by "
    f"{num(excess_two['dealt by kinds'].mean())} if all that counts is how many units of each kind are kept, and by "
    f"{num(excess_two['dealt by sum'].mean())} if all that counts is the sum of the kept units' mean contributions. (With one number a unit that is "
    f"fitted to the coefficients of pairs in its place, it is {num(excess_two['dealt by fitted sum'].mean())}.) So what a unit does depends more on the "
    "others that are kept than on itself. That is the chapter's answer to its question, for a middle range of keep-probabilities. "
    + rest
)

# %% [markdown]
# ## Why pairs?
#
# Let $c_i(x)$ be what unit $i$ adds to the logit of "outside" at the point $x$. If the loss were a
# quadratic function of the logit, the interaction of two units would be proportional to the mean of
# $c_i(x)\, c_j(x)$ over points: an entry of the {term}`Gram matrix` of the units' contributions. Two
# units that push the same points the same way make an error together, and two that push against each
# other there cancel. Does this hold for the log loss of a trained network ({numref}`fig-pair-coefficients`)? Two
# nulls keep less. One knows of each unit only its mean contribution, that is, how much it pushes and to
# which class, but not where. The other exchanges units of the same kind at random.


# %%
def pairs_and_gram(network, log_values):
    """Coefficients of all pairs, Gram matrix and mean of contributions."""
    push = network[3].weight[1] - network[3].weight[0]
    c = (models.outputs(network, points.x, [2])[2] * push).double()
    one = 1 << torch.arange(c.shape[1])
    pairs = ablation.walsh(log_values)[one[:, None] | one]
    return pairs, c.T @ c / len(c), c.mean(0)


pair_coefficients, gram, _ = pairs_and_gram(small, log_losses)

# %% tags=["remove-cell"]
rows, nulls, sign_rows, of_plain, below, within_arcs = [], [], [], [], [], []
draw = torch.Generator().manual_seed(0)
for network, v, kind in zip(
    ensemble, logs["trained"], kinds_everywhere, strict=True
):
    found, products_of, mean = pairs_and_gram(network, v)
    i, j = torch.triu_indices(len(mean), len(mean), 1)

    def against(matrix, found=found, i=i, j=j):
        return float(np.corrcoef(found[i, j], matrix[i, j])[0, 1])

    swapped = []
    for _ in range(10):
        order = torch.arange(len(mean))
        for group in (kind.nonzero()[:, 0], (~kind).nonzero()[:, 0]):
            order[group] = group[torch.randperm(len(group), generator=draw)]
        swapped.append(against(products_of[order][:, order]))
    rows.append(against(products_of))
    plain, _, _ = pairs_and_gram(network, v.exp())
    of_plain.append(np.corrcoef(plain[i, j], products_of[i, j])[0, 1])
    two_arcs = ~kind[i] & ~kind[j]
    below.append(
        [float((m[i, j][two_arcs] < 0).float().mean()) for m in (found, plain)]
    )
    nulls.append((against(torch.outer(mean, mean)), np.mean(swapped)))
    between = kind[i] ^ kind[j]
    within_arcs.append([
        np.corrcoef(found[i, j][g], m[i, j][g])[0, 1] if g.sum() > 2 else np.nan
        for g in (two_arcs, between)
        for m in (products_of, torch.outer(mean, mean))
    ])  # fmt: skip
    part = found[i, j].square() / found[i, j].square().sum()
    toward = network[1].weight / network[1].weight.norm(dim=1, keepdim=True)
    cosine = (toward @ toward.T)[i, j]
    groups = {
        "two biases": kind[i] & kind[j],
        "bias and arc": kind[i] ^ kind[j],
        "two arcs": ~kind[i] & ~kind[j],
    }
    sign_rows += [
        (name, float((found[i, j][g] > 0).float().mean()), float(part[g].sum()))
        for name, g in groups.items() if g.any()
    ]  # fmt: skip
    if network is ensemble[0]:
        g = groups["two arcs"]
        angle = float(np.corrcoef(found[i, j][g], cosine[g])[0, 1])


def explained(network, v, kind):
    """Share of the variance of log loss that each balance explains."""
    _, _, mean = pairs_and_gram(network, v)
    n = len(mean)
    toward = network[1].weight / network[1].weight.norm(dim=1, keepdim=True)
    toward = torch.where(kind[:, None], 0, toward).double()
    size = ablation.subset_sizes(n).double()
    push, x, y = (
        ablation.subset_sums(t) for t in (mean, toward[:, 0], toward[:, 1])
    )
    features = {
        "size": [size, size**2],
        "classes": [push, push**2],
        "sides": [x, y, x**2 + y**2],
    }
    features["both"] = features["classes"] + features["sides"]
    target = (v - v.mean())[:, None]
    found = {}
    for name, columns in features.items():
        basis = torch.stack([torch.ones_like(v), *columns], 1)
        basis, _ = torch.linalg.qr(basis)
        found[name] = float(
            (basis.T @ target).square().sum() / target.square().sum()
        )
    return found


balances = pd.DataFrame([
    explained(ensemble[i], logs["trained"][i], kinds_everywhere[i]) for i in few
])  # fmt: skip
nulls = np.array(nulls)
claims.check(
    "circle_pairs_gram",
    np.mean(rows),
    "synthetic",
    null=nulls.mean(0).max(),
    repeats=rows,
)
sign_table = (
    pd.DataFrame(sign_rows, columns=["pair of units", "positive", "share of the pairs' energy"])
    .groupby("pair of units", sort=False).mean().map(percent)
)  # fmt: skip
gram_at_start = [
    np.corrcoef(*[m[tuple(torch.triu_indices(len(m), len(m), 1))] for m in pairs_and_gram(n, v)[:2]])[0, 1]
    for n, v in zip(untrained, logs["untrained"], strict=True)
]  # fmt: skip

# %% tags=["hide-input"] slide="How strongly two units push the same points tells the size of their interaction." say="Nothing is fitted on the right. Ask what a null would be: products of mean contributions come close over all pairs. Between a bias unit and an arc both tell the size; among pairs of arcs mean contributions tell nothing, and the Gram matrix nearly all, so there it is the place where units push that counts. Point at the arcs below the line near zero: the sign is not told, and most of that comes from the logarithm." mystnb={"figure": {"name": "fig-pair-coefficients", "caption": "Left: Walsh coefficients of all pairs of units of network 1, those that act as a bias first, the others by their direction. Right: the same coefficients against the entries of the Gram matrix of the units' contributions. Nothing is fitted. The dots follow one rising line, but where the entry is near zero, pairs of arcs lie below it."}, "image": {"alt": "Left, a square heat map with a block of one colour at the upper left, a band of the other colour beside it, and stripes of both colours along the diagonal of the rest. Right, a scatter plot of dots in three colours along a rising line, with a short vertical streak of dots below it at zero."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3))
fig.get_layout_engine().set(wspace=0.08)
shown = pair_coefficients[by_kind][:, by_kind].clone().fill_diagonal_(0)
top = float(shown.abs().max())
plotting.heatmap(
    shown, axes[0], label="coefficient", vmin=-top, vmax=top,
    cmap=through_paper(C["matched"], C["unmatched"]),
)  # fmt: skip
axes[0].set(xlabel="unit", ylabel="unit")
axes[0].set_xticks(range(H), names[by_kind], fontsize=7)
axes[0].set_yticks(range(H), names[by_kind], fontsize=7)
i, j = torch.triu_indices(H, H, 1)
kind = act_as_bias(small, points.x)
for name, g, color in [
    ("two biases", kind[i] & kind[j], C["other"]),
    ("bias and arc", kind[i] ^ kind[j], C["null"]),
    ("two arcs", ~kind[i] & ~kind[j], C["matched"]),
]:
    axes[1].plot(
        gram[i, j][g], pair_coefficients[i, j][g], "o", ms=4, alpha=0.7, color=color, label=name
    )  # fmt: skip
axes[1].set(
    xlabel="mean product of contributions", ylabel="coefficient of the pair"
)
axes[1].legend()
plt.show()

# %% tags=["remove-input"]
told = np.nanmean(within_arcs, axis=0)
Markdown(
    f"The correlation is {spread(rows, 3)} over {len(rows)} networks ({rows[0]:.3f} in network 1). Mean "
    f"contributions alone give {spread(nulls[:, 0])}, and exchanging units of a kind {spread(nulls[:, 1])}. Among pairs of arcs the Gram matrix has {num(told[0])} and mean contributions "
    f"{num(told[1])}; between a bias unit and an arc they have {num(told[2])} and {num(told[3])}. So the "
    "size of a pair's coefficient is told by how strongly the two units push the same points. This is a property of the loss: "
    "while logits are small it is nearly quadratic, pairs grow with the square of the contributions and single units in proportion. "
    f"Before training the correlation is {np.mean(gram_at_start):.3f}, and contributions have a root mean square of "
    f"{rms_c['untrained']:.2f}. Training makes them {rms_c['trained']:.1f}, far beyond that regime; the order of the "
    "coefficients outlives the law from which it comes. Is this size why pairs lead? It is needed: trained networks with logits scaled down to the size "
    f"before training have {percent(shrunk[:, 0].mean())} of the variance in single units. It does not suffice: of untrained networks scaled up to the size "
    f"after training, single units hold {spread(100 * by_kind_shares['untrained, scaled'][:, 0], 0)} %, pairs {spread(100 * by_kind_shares['untrained, scaled'][:, 1], 0)} %, "
    f"and complements correlate at {spread(complements['untrained, scaled'])}. So the contributions have to be large, and arranged as training arranges them; "
    "that they are balanced between the two classes is the likely reason, and was not varied alone.\n\n"
    f"The sign does not. Two units on arcs both push outside, so their entry of the Gram matrix is never negative, yet "
    f"{percent(np.mean(below, axis=0)[0])} of their coefficients are. Most of that is the logarithm's doing: for the loss itself "
    f"{percent(np.mean(below, axis=0)[1])} are, and the correlation with the Gram matrix is {spread(of_plain, 3)}. The table "
    f"counts signs and energy of the log loss, means over {len(rows)} networks."
)

# %% tags=["remove-input"]
plotting.table(sign_table)

# %% tags=["remove-input"]
Markdown(
    "A positive coefficient means that two units hurt together and serve "
    "apart. The source suspected a balance of top, bottom, left and right. There are two balances. Units "
    "that act as a bias against those that cut off edges, inside against outside, hold the larger part: the first two "
    "rows of the table. And, in log loss, arcs on the same side of the circle have positive coefficients and arcs on opposite "
    f"sides negative ones: the coefficients of two arcs correlate at {angle:.2f} with the cosine of the angle "
    "between them in network 1. How much of log loss do these balances explain? The number of kept units and its square "
    f"explain {percent(balances['size'].mean())} of its variance (mean of {len(few)} networks); the sum of the "
    f"mean contributions of the kept units, inside against outside, and its square {percent(balances['classes'].mean())}; the sum "
    f"of the directions of the kept arcs {percent(balances['sides'].mean())}; the last two together "
    f"{percent(balances['both'].mean())}. So the source's guess holds, but it is the smaller part."
)

# %% [markdown]
# ## Flip paths
#
# Start at a random subnetwork with $p = 0.5$ and flip each unit once, in random order: what was kept is
# removed, and what was removed is kept. This {term}`flip path` has $H + 1$ points and ends at the
# {term}`complement` of its start. How are the log losses along the path related? The source sampled
# paths and read the answer off their {term}`covariances <covariance>`. The spectrum gives it in closed form.
#
# Take a set $T$ of $k$ units. After $d$ flips its product of signs is multiplied by $-1$ for each flipped
# unit in $T$. Among the sets of $k$ units there are $\binom{d}{j} \binom{H-d}{k-j}$ that hold $j$ flipped
# ones, so these factors summed over the sets of $k$ units make the {term}`Krawtchouk polynomial`
#
# $$\kappa_k(d) = \sum_j (-1)^j \binom{d}{j} \binom{H-d}{k-j} . $$ (eq-krawtchouk)
#
# As the flips come in random order, a product of $k$ signs is multiplied by
# $\kappa_k(d) / \binom{H}{k}$ on average. Over random starts the products of two different sets have
# covariance zero, so each set adds only its own term, its squared coefficient times this factor:
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
# {numref}`fig-flips` shows it for all units.

# %%
steps = np.cumsum([[0, *order] for order in permutations([1, 2, 4])], axis=1)
cube_paths = cube[(corner[:, None, None] ^ steps).reshape(48, 4)]
by_paths = np.cov(cube_paths.T, bias=True)  # of all 48
by_formula = ablation.flip_path_covariance(cube_coefficients)

covariance = ablation.flip_path_covariance(coefficients)
correlation = covariance[0] / covariance[0, 0]

# %% tags=["remove-cell"]
assert np.abs(by_paths - by_formula.numpy()).max() < 1e-9
generator = torch.Generator().manual_seed(0)
paths = ablation.flip_paths(log_losses, knobs.paths, generator)
sampled = torch.corrcoef(paths.T)
ranked = log_losses.argsort().argsort() * 10 // len(log_losses)  # tenths
tenths = np.zeros((10, 10))
np.add.at(tenths, (ranked.numpy(), ranked.flip(0).numpy()), 1)
tenths *= 10 / len(log_losses)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-flips", "caption": "Left: correlation of log loss between two points of a flip path, by the number of flips between them, exact and from sampled paths. It falls within a few flips, goes to about zero, and is clearly positive at the complement. Right: in which tenth of all subnetworks a complement lies, given the tenth of the subnetwork itself; 1 holds the lowest losses. The best go with the best more often than by chance, and hardly ever with the worst; the worst do not go with the worst."}, "image": {"alt": "Left, a curve that falls from one to about zero and rises again toward the last flip; circles of the sampled paths lie on it. Right, a ten by ten heat map. The corner where both tenths are the lowest is dark, and so is the region beside the corner where both are the highest; the two other corners are nearly empty."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), width_ratios=[1.2, 1])
axes[0].plot(correlation, color=C["ink"], lw=1.2, label="exact")
axes[0].plot(
    sampled[0], "o", ms=6, color=C["matched"], mfc="none", label="sampled paths"
)
axes[0].axhline(0, color=C["null"], lw=0.8)
axes[0].set(xlabel="flips between", ylabel="correlation of log loss")
axes[0].legend(loc="upper right")
plotting.heatmap(
    100 * tenths, axes[1], label="complements (%)", origin="lower", vmin=0,
    extent=[0.5, 10.5, 0.5, 10.5],
    cmap=LinearSegmentedColormap.from_list("", [to_rgba(C["matched"], 0), C["matched"]]),
)  # fmt: skip
axes[1].set(
    xlabel="tenth of the complement", ylabel="tenth of the subnetwork",
    xticks=[1, 5, 10], yticks=[1, 5, 10],
)  # fmt: skip
plt.show()

# %% tags=["remove-input"]
few_flips = [int((correlation < at).nonzero()[0, 0]) for at in (0.5, 0.2)]
on_other = [even_less_odd(f) for f in elsewhere]
few_left = min(6, UNITS // 2)
left_out = [
    float(v[len(v) - 1 - ablation.best_subsets(v)[few_left]])
    for v in values_of[long_name]
]
Markdown(
    minus(
        "On the cube, the covariance of all 48 paths agrees with the formula to rounding. For all units of "
        f"network 1 the correlation falls below 0.5 after {few_flips[0]} flips and "
        f"below 0.2 after {few_flips[1]}; the source saw that it is lost after five or six, and was surprised that it comes back at the end. It is "
        f"{float(correlation[-1]):.2f} at the complement ({spread(on_other)} on other sets of points), and "
        f"{spread(complements['trained'])} over the ensemble, where log losses dealt out within each size have "
        f"{complements['dealt by size'].mean():.2f}, within equal counts of both kinds {complements['dealt by kinds'].mean():.2f}, among nearly equal sums of mean contributions {complements['dealt by sum'].mean():.2f}, and untrained networks {complements['untrained'].mean():.2f}. "
    )
    + f"Of the complements of the best tenth of all subnetworks, {percent(tenths[0, 0])} are among the best tenth and "
    f"{percent(tenths[0, -1])} among the worst; of those of the worst three tenths, {percent(tenths[-3:, -3:].sum() / 3)} "
    "are among the worst three. If nothing bound them, it would be 10 % twice, and 30 %. What the best "
    f"{few_left} live units leave out has a loss between {min(left_out):.2f} and {max(left_out):.2f} nats over the ensemble, better than a coin "
    f"flip in {sum(x < GUESS for x in left_out)} of {len(left_out)} networks."
)

# %% [markdown]
# The spectrum says why. At the complement every sign has changed, so a product of an even number of
# signs is as before and one of an odd number is negated. The last correlation is the share of even
# degrees minus that of odd ones, and pairs outweigh single units. If a subnetwork of a balanced network is balanced, so is its complement, which is why the best tenths go
# together.
#
# ## Where this holds
#
# All of this was said of networks trained to the end, and of subnetworks that keep each unit with
# probability 0.5. {numref}`fig-circle-regime` changes both. At another $p$ the products of signs are no
# longer uncorrelated; take the mask entry less $p$, over its standard deviation, in place of the sign,
# and {py:func}`.ablation.walsh` with `p` gives the spectrum.

# %%
keep_grid = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
over_p, over_p_dealt, over_p_sum = (
    np.array(
        [
            [shares(logs[name][i], p)[:2].tolist() for p in keep_grid]
            for i in few
        ]
    )
    for name in ("trained", "dealt by size", "dealt by sum")
)
stopped = {epochs: fit(len(few), epochs) for epochs in knobs.stops}

# %% tags=["remove-cell"]


def state(network, values):
    """Loss, shares of degrees one and two, complement, skewness."""
    v = values.log()
    skew = ablation.distribution_moments(v, 0.5)[2]
    found = shares(v)
    return [float(values[-1]), *found[:2].tolist(), even_less_odd(found), skew]


def states(members, tables):
    return [state(members[i], tables[i]) for i in few]


history = {0: states(untrained, [v.exp() for v in logs["untrained"]])}
for epochs, found in stopped.items():
    found = [without_dead(m, points.x)[0] for m in found]
    history[epochs] = states(
        found, [ablation.all_losses(m, points) for m in found]
    )
history[knobs.epochs] = states(ensemble, values_of[long_name])
at_source = np.array([
    state(m, v) for m, v in zip(brief, values_of[brief_name], strict=True)
])  # fmt: skip
history[knobs.brief] = at_source[: len(few)].tolist()
history = dict(sorted(history.items()))
course = np.array(list(history.values()))  # (stops, networks, 5)
lead_over_p, lead_of_sum = (
    np.interp(along, keep_grid, (a[:, :, 1] - a[:, :, 0]).mean(0))
    for a in (over_p, over_p_sum)
)
leading, beyond = (
    along[(lead_over_p > 0) & (lead_over_p > floor)]
    for floor in (-1, lead_of_sum)
)
lead_along = (course[:, :, 2] - course[:, :, 1]).mean(1)
by_loss = course[:, :, 0].mean(1).argsort()  # from small losses on
crossing = (
    float(np.exp(np.interp(0, -lead_along[by_loss], np.log(course[:, :, 0].mean(1)[by_loss]))))
    if lead_along.max() > 0 else np.nan
)  # fmt: skip

# %% tags=["hide-input"] slide="Pairs lead only for a middle range of keep-probabilities, and once training has come far." say="Left: near the full network single units lead, but log losses dealt by size do the same, so this says little of units. Where most units are kept, the sum alone (dotted) brings as large a lead of pairs as the network has, so there the lead says nothing of partners. Middle and right: at the loss of the source the lead is there but weaker. Ask which of the chapter's sentences need the words half of the units." mystnb={"figure": {"name": "fig-circle-regime", "caption": "Left: share of the variance of log loss in degrees one and two against the keep-probability, for fully trained networks; dashed, the same log losses dealt out anew among subnetworks of equal size; dotted, among those whose sums of mean contributions are nearly equal. Middle: the same at p = 0.5 for networks trained on longer and longer schedules (from left to right), against the loss that they reach. Right: their correlation with the complement. Bars are standard deviations over networks. The vertical dotted line is the source's loss. Pairs lead in a middle range of keep-probabilities, and once training has come far enough. Near p = 1 single units lead in losses dealt by size too, and where more than about half of the units are kept, the lead of pairs is soon no larger than that of losses dealt by sum."}, "image": {"alt": "Three panels. Left, the curve of degree one is lowest in the middle and that of degree two highest there; they cross on both sides; dashed curves lie far below in the middle and meet the two curves at the right end; of the dotted curves that of degree two lies between the others in the middle. Middle, degree one falls and degree two rises toward small losses, and they cross. Right, the correlation rises from strongly negative to positive, and crosses zero before a dotted line."}}
fig, axes = plt.subplots(1, 3, figsize=(7.2, 3))
for degree, color in [(0, C["other"]), (1, C["matched"])]:
    label = f"degree {degree + 1}"
    axes[0].errorbar(
        keep_grid, over_p[:, :, degree].mean(0), over_p[:, :, degree].std(0, ddof=1), color=color,
        marker="o", ms=4, label=label,
    )  # fmt: skip
    axes[0].plot(
        keep_grid,
        over_p_dealt[:, :, degree].mean(0),
        color=color,
        ls="--",
        lw=1,
    )
    axes[0].plot(
        keep_grid, over_p_sum[:, :, degree].mean(0), color=color, ls=":"
    )
    axes[1].errorbar(
        course[:, :, 0].mean(1), course[:, :, 1 + degree].mean(1), course[:, :, 1 + degree].std(1, ddof=1),
        color=color, marker="o", ms=4, label=label,
    )  # fmt: skip
axes[2].errorbar(
    course[:, :, 0].mean(1), course[:, :, 3].mean(1), course[:, :, 3].std(1, ddof=1), color=C["ink"],
    marker="o", ms=4,
)  # fmt: skip
axes[2].axhline(0, color=C["null"], lw=0.8)
for ax in axes[1:]:
    ax.axvline(0.117, color=C["null"], ls=":")
    ax.set(xscale="log", xlabel="loss (nats)", xlim=(1, 0.02))
    ax.set_xticks([1, 0.3, 0.1, 0.03], ["1", "0.3", "0.1", "0.03"])
    ax.minorticks_off()
axes[0].set(
    xlabel="keep-probability p", ylabel="share of variance", ylim=(0, 1)
)
axes[0].plot([], color=C["ink"], ls="--", lw=1, label="dealt by size")
axes[0].plot([], color=C["ink"], ls=":", label="dealt by sum")
handles, labels_of = axes[0].get_legend_handles_labels()
dealt_only = [k for k, name in enumerate(labels_of) if "dealt" in name]
axes[0].legend(
    [handles[k] for k in dealt_only], [labels_of[k] for k in dealt_only],
    loc="upper center", fontsize=9,
)  # fmt: skip
axes[1].set(ylim=(0, 1))
axes[1].legend(loc="upper right")
axes[2].set(ylabel="correlation with complement", ylim=(-1, 1))
plt.show()

# %% tags=["remove-input"]
late, at75 = keep_grid.index(0.9), keep_grid.index(0.75)
Markdown(
    minus(
        f"Both matter (means over {len(few)} networks). At p = 0.9 single units hold {percent(over_p[:, late, 0].mean())} of the variance and pairs "
        f"{percent(over_p[:, late, 1].mean())}: near the full network, with one or two units removed, units count "
        "one by one. That says little of units: of the same log losses dealt out anew within each size, single units hold "
        f"{percent(over_p_dealt[:, late, 0].mean())}, because with few units removed nearly any function is a sum over them. "
        + (
            f"Pairs lead from p = {leading.min():.1f} to {leading.max():.1f}. But their lead is larger than that of log losses dealt out by sum "
            f"only up to p = {beyond.max():.1f}: at p = 0.75 it is {spread(over_p[:, at75, 1] - over_p[:, at75, 0])}, and by sum {spread(over_p_sum[:, at75, 1] - over_p_sum[:, at75, 0])}. "
            "So with most units kept the lead of pairs says nothing that one number a unit does not. "
            if len(beyond)
            else ""
        )
        + f"Before training single units hold "
        f"{percent(course[0, :, 1].mean())}; pairs take the lead as the loss falls"
        + (f" below about {num(crossing)}" if lead_along.max() > 0 else "")
        + f". At the source's loss (mean "
        f"{at_source[:, 0].mean():.3f}) pairs hold {percent(at_source[:, 2].mean())}, the correlation with the "
        f"complement is {spread(at_source[:, 3])}, and it lies between {at_source[:, 3].min():.2f} and "
        f"{at_source[:, 3].max():.2f} from network to network. "
    )
    + "So the source's surprise is real at its own loss, but weaker than in networks trained further, and another "
    "seed could have hidden it."
)

# %% [markdown]
# ## Which units to keep
#
# Suppose that the network must shrink to $k$ units. Which are best? With all losses at hand the best
# subnetwork of each size is a look-up ({py:func}`.ablation.best_subsets`). {term}`Greedy pruning <greedy pruning>` removes the
# unit whose removal costs least, again and again; with a {term}`beam <beam search>` it goes on from the
# best 20 subnetworks of each size. A ranking gives each unit a score once and removes them in this
# order. The scores are the size of a unit's mean contribution, the cost of its removal from the full
# network, the size of its gradient there, and its {term}`Shapley value`: the mean change when the unit
# joins, over all orders in which units can join {cite:p}`shapley1953`. A random order is the null
# ({numref}`fig-pruning`).


# %%
def by_score(score):
    """Subsets met when units are removed from the lowest score on."""
    order = torch.as_tensor(score).argsort(descending=True)
    return torch.cat([torch.zeros(1).long(), (1 << order).cumsum(0)])


def in_proportion(score, kind):
    """The same, keeping the two kinds of unit in proportion at each step."""
    place = torch.zeros(len(kind))
    for group in (kind.nonzero()[:, 0], (~kind).nonzero()[:, 0]):
        rank = torch.as_tensor(score)[group].argsort(descending=True).argsort()
        place[group] = (rank + 0.5) / len(group)
    return by_score(-place)


def ways_to_prune(network, values):
    n, log_values = ablation.n_units(network), values.log()
    one = 1 << torch.arange(n)
    gradient = ablation.mask_gradients(network, points, torch.ones(1, n))[0]
    push = network[3].weight[1] - network[3].weight[0]
    contribution = models.outputs(network, points.x, [2])[2].mean(0) * push
    return {
        "greedy": ablation.greedy_subsets(values),
        "greedy, beam of 20": ablation.greedy_subsets(values, beam=20),
        "by removal cost": by_score(values[(2**n - 1) - one]),
        "by size of contribution": by_score(contribution.abs()),
        "by size of gradient": by_score(gradient.abs()),
        "by Shapley value": by_score(-ablation.shapley_values(log_values)),
    }


# %% tags=["remove-cell"]


def mean_log_ratio(values, subsets, best_here):
    """Mean over sizes of log loss less that of the best, ends left out."""
    return float((values[subsets] / best_here)[1:-1].log().mean())


ratios, kept_biases, greedy_rows, rises = {}, {}, [], []
for network, values in zip(ensemble, values_of[long_name], strict=True):
    n = ablation.n_units(network)
    found = ways_to_prune(network, values)
    best_here = values[ablation.best_subsets(values)]
    for name, subsets in found.items():
        ratios.setdefault(name, []).append(
            mean_log_ratio(values, subsets, best_here)
        )
    draw = torch.Generator().manual_seed(0)
    orders = [by_score(torch.rand(n, generator=draw)) for _ in range(30)]
    ratios.setdefault("in random order", []).append(
        np.mean([mean_log_ratio(values, s, best_here) for s in orders])
    )
    k = kinds_everywhere[len(rises)]
    balanced = {
        "by Shapley value, kinds in proportion": [
            -ablation.shapley_values(values.log())
        ],
        "in random order, kinds in proportion": torch.rand(
            30, n, generator=draw
        ),
    }
    for name, scores in balanced.items():
        found_here = [
            mean_log_ratio(values, in_proportion(x, k), best_here)
            for x in scores
        ]
        ratios.setdefault(name, []).append(np.mean(found_here))
    gap = values[found["greedy"]] / best_here
    greedy_rows.append(
        (float(gap.max()), float((gap[1:-2] > 1 + 1e-9).double().mean()))
    )
    rises.append(float((best_here[1:] > best_here[:-1] + 1e-9).double().mean()))
    k = kinds_everywhere[len(rises) - 1]
    if k.any():
        for name, subsets in found.items():
            at_half = (int(subsets[n // 2]) >> torch.arange(n) & 1).bool()
            kept_biases.setdefault(name, []).append(
                float(at_half[k].float().mean())
            )
    if network is ensemble[0]:
        ways_here = found
        by_chance = values[torch.stack(orders)].log().mean(0).exp()
best = losses[ablation.best_subsets(losses)]
claims.check(
    "circle_ranking", np.mean(ratios["by Shapley value"]), "synthetic",
    null=np.mean(ratios["in random order"]), repeats=ratios["by Shapley value"],
)  # fmt: skip
pruning = pd.DataFrame({
    name: {
        "mean log ratio to the best": spread(r),
        "times the best": f"{np.exp(np.mean(r)):.1f}",
    }
    for name, r in sorted(ratios.items(), key=lambda item: np.mean(item[1]))
}).T.rename_axis(f"way to prune, {len(ensemble)} networks")  # fmt: skip

# %% tags=["hide-input"] slide="Ranked by Shapley value, pruning is worse than in random order; a beam stays near the best." say="Random order is the null: read the ranking against it before the others. Ask why a sensible score does worse: it mixes two kinds of unit, and like units get like scores, so it keeps one kind. Recall the slide with the two kinds." mystnb={"figure": {"name": "fig-pruning", "caption": "Loss of network 1 pruned to each number of live units: the best subnetwork of the size, what three ways of pruning reach, and the null, random orders (geometric mean over thirty). The ranking by Shapley value stays far above the best almost to the end, and above random order at most sizes. Even the best loss does not fall at every step. Dotted: a coin flip; dashed: the full network."}, "image": {"alt": "Five lines of loss on a logarithmic axis over the number of live units kept. The line of the best subnetworks is lowest, a beam lies close above it, greedy pruning above that, a smooth line of random orders higher, and the line by Shapley value above that at most sizes. They meet at both ends."}}
fig, ax = plt.subplots(figsize=(7.2, 3))
shown = {"best of its size": best} | {
    name: losses[ways_here[name]]
    for name in ("greedy, beam of 20", "greedy", "by Shapley value")
}
shown["in random order"] = by_chance
colors = [C["matched"], LEVELS[1], C["other"], C["unmatched"], C["null"]]
for (name, values), marker, color in zip(
    shown.items(), "osD^.", colors, strict=True
):
    ax.plot(values, marker=marker, ms=4, lw=1.2, color=color, label=name)
ax.axhline(GUESS, color=C["null"], ls=":")
ax.axhline(full_loss, color=C["ink"], ls="--", lw=1)
ax.set(yscale="log", xlabel="live units kept", ylabel="loss (nats)")
ax.set_yticks(
    [0.03, 0.1, 0.3, 1, 3, 10], ["0.03", "0.1", "0.3", "1", "3", "10"]
)
ax.legend(ncols=2)
plt.show()

# %% tags=["remove-input"]
plotting.table(pruning)

# %% tags=["remove-input"]
few_units = min(6, H - 1)
bits_few = (
    ablation.best_subsets(losses)[few_units] >> torch.arange(H) & 1
).bool()
of_few = sorted(names[bits_few.numpy()].tolist())
worst_greedy, often = np.mean(greedy_rows, axis=0)
Markdown(
    f"The best {few_units} live units of network 1 are {listed(of_few)}, with a loss of "
    f"{float(best[few_units]):.2f} nats; "
    f"{int((bits_few & kind).sum())} of them {'acts' if int((bits_few & kind).sum()) == 1 else 'act'} as a bias, and "
    f"the others cut off edges. Greedy pruning misses the best subnetwork at {percent(often)} "
    "of the sizes at which it could, and at its worst size it is "
    f"{worst_greedy:.1f} times the best (mean over networks). But every ranking of all units together is worse on "
    "average than a random order. The scores mix two kinds of unit, and like units get like scores. At half of the size, the ranking by Shapley value has kept "
    f"{percent(np.mean(kept_biases['by Shapley value']))} of the units that act as a bias, that by contribution "
    f"{percent(np.mean(kept_biases['by size of contribution']))}, greedy pruning "
    f"{percent(np.mean(kept_biases['greedy']))}; a random order keeps half of each kind, which is at least balanced. Ranked within each kind, with the kinds kept in proportion, the "
    f"Shapley value is as good as a random order with the same proportions ({spread(ratios['by Shapley value, kinds in proportion'])} "
    f"and {spread(ratios['in random order, kinds in proportion'])}): within a kind it says little about which units to keep. More units "
    "are not always better either: at "
    f"{percent(np.mean(rises))} of the steps even the best subnetwork with one live unit more has a higher loss."
)

# %% [markdown]
# ## What a unit is worth
#
# Shapley values add up to the log loss of the full network minus that of the empty one, so they share
# the improvement among the units ({py:func}`.ablation.shapley_values`). Banzhaf values are mean effects
# at $p = 0.5$ ({py:func}`.ablation.banzhaf_values`). Are units with a value near zero those that can be
# removed ({numref}`fig-shapley`)?

# %%
shapley = ablation.shapley_values(log_losses)
banzhaf = ablation.banzhaf_values(log_losses)
log_cost = log_losses[full & ~units] - log_losses[full]  # of each removal

# %% tags=["remove-cell"]
rows, agree = [], []
curves = {"on an arc": [], "act as a bias": []}
for v, k in zip(logs["trained"], kinds_everywhere, strict=True):
    n = len(k)
    one = 1 << torch.arange(n)
    cost = v[(2**n - 1) - one] - v[-1]
    s, b = ablation.shapley_values(v), ablation.banzhaf_values(v)
    rows += [
        (float(x), float(y), float(c), "act as a bias" if bias else "on an arc")
        for x, y, c, bias in zip(s, b, cost, k, strict=True)
    ]
    agree.append((spearmanr(-s, cost)[0], spearmanr(-b, cost)[0]))
    others = ablation.subset_sizes(n - 1)
    for unit in range(n):
        off, on_it = v.view(-1, 2, 2**unit).unbind(1)
        sums = (
            torch.zeros(n)
            .double()
            .index_add_(0, others, (on_it - off).flatten())
        )
        effect = (sums / torch.bincount(others)).numpy()
        share_kept = np.arange(n) / (n - 1)
        curves["act as a bias" if k[unit] else "on an arc"].append(
            np.interp(np.linspace(0, 1, 21), share_kept, effect)
        )
worth = pd.DataFrame(rows, columns=["Shapley", "Banzhaf", "cost", "kind"])
agree = np.array(agree)
worth["network"] = np.repeat(
    range(len(kinds_everywhere)), [len(k) for k in kinds_everywhere]
)
within = {
    name: [
        spearmanr(-part["Shapley"], part["cost"])[0]
        for _, part in group.groupby("network")
        if len(part) > 2
    ]
    for name, group in worth.groupby("kind")
}
of_what = {"log loss": log_losses, "loss": losses}
removed = full & ~(units[:, None] | units)
i, j = torch.triu_indices(H, H, 1)
index_rows, negative = {}, {}
for what, values in of_what.items():
    at_full = (
        values[full]
        - values[full & ~units][:, None]
        - values[full & ~units]
        + values[removed]
    )[i, j]
    negative[what] = float((at_full < 0).double().mean())
    for weights in ("Shapley", "Banzhaf"):
        index = ablation.interactions(values, weights.lower())[i, j]
        index_rows[f"{weights}'s weights, {what}"] = {
            "correlation": np.corrcoef(index, at_full)[0, 1],
            "same sign": percent(float((index.sign() == at_full.sign()).float().mean())),
        }  # fmt: skip
index_table = pd.DataFrame(index_rows).T.rename_axis("network 1")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-shapley", "caption": "Left: what the removal of a unit alone costs the full network in log loss, against its Shapley value; one dot per live unit of every network, larger for network 1. Units that act as a bias have Shapley values near zero, on the harmful side, and cost as much as the others. Right: mean effect of a unit on log loss by the share of the other units that are kept, mean and standard deviation. Among few units a bias does harm, and near the full network it is needed."}, "image": {"alt": "Left, two separate clouds of dots, one at negative Shapley values and one near zero, both at similar positive costs. Right, two curves with bands: one is negative throughout, the other is above zero in the middle; both fall steeply at the right end."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.3))
palette = {"on an arc": C["matched"], "act as a bias": C["other"]}
for name, color in palette.items():
    part = worth[worth["kind"] == name]
    axes[0].plot(
        part["Shapley"], part["cost"], ".", ms=4, alpha=0.6, color=color
    )
    group = bias_like if name == "act as a bias" else arcs
    axes[0].plot(
        shapley[group], log_cost[group], "o", ms=7, mfc="none", color=color, label=name
    )  # fmt: skip
    if curves[name]:
        frame = plotting.tidy(np.array(curves[name]), np.linspace(0, 1, 21))
        sns.lineplot(
            frame, x="x", y="value", errorbar="sd", color=color, ax=axes[1]
        )
axes[1].axhline(0, color=C["ink"], lw=0.8)
axes[0].axvline(0, color=C["ink"], lw=0.8)
axes[0].legend()
axes[0].set(
    xlabel="Shapley value (log loss)",
    ylabel="cost of removal (log loss)",
    ylim=0,
)
axes[1].set(
    xlabel="share of other units kept", ylabel="mean effect on log loss"
)
plt.show()

# %% tags=["remove-input"]
gap = float(log_losses[-1] - log_losses[0])
groups = worth.groupby("kind")[["Shapley", "Banzhaf", "cost"]].mean()
text = (
    f"In network 1 the values sum to {float(shapley.sum()):.3f}, which is the log loss of the full network minus "
    f"that of the empty one, {gap:.3f}. "
)
if "act as a bias" in groups.index:
    b, a = groups.loc["act as a bias"], groups.loc["on an arc"]
    text += (
        "The answer is no. Over the ensemble, units that act as a bias have Shapley values of "
        f"{b['Shapley']:.2f} on average and Banzhaf values of {b['Banzhaf']:.2f}, so that they seem to be worth "
        f"nothing or less. But removing one raises the log loss by {b['cost']:.1f}, as much as the removal of another "
        f"unit ({a['cost']:.1f}), whose Shapley value is {a['Shapley']:.2f}. "
    )
text += (
    "The right panel shows why: both values are means over company that the network never keeps. Within a network "
    f"the rank correlation of minus the value with the cost is {spread(agree[:, 0])} for Shapley values and "
    f"{spread(agree[:, 1])} for Banzhaf values. Among its units on an arc alone it is {spread(within['on an arc'])} for Shapley values"
    + (
        f", and among those that act as a bias {spread(within['act as a bias'])}."
        if len(within.get("act as a bias", [])) > 1
        else "."
    )
)
Markdown(minus(text))

# %% [markdown]
# The same two weightings exist for pairs, as {term}`interaction indices <interaction index>`
# {cite:p}`grabisch1999` ({py:func}`.ablation.interactions`): the mean amount by which one unit's effect
# grows if the other joins. Banzhaf's is four times the Walsh coefficient of the pair. Do they say what
# happens if two units of the full network are removed together?

# %% tags=["remove-input"]
plotting.table(index_table, digits=2)

# %% tags=["remove-input"]
told = index_table.loc["Banzhaf's weights, loss"]
Markdown(
    "It depends on what is measured. The interaction at the full network is the loss there, less the loss without the one and "
    "the loss without the other unit, plus that without both; the table gives the correlation of the indices with it over pairs. "
    f"For the loss, Banzhaf's index tells the sign for {told['same sign']} of the pairs, and the correlation is "
    f"{num(told['correlation'])}. For log loss the interaction is negative for {percent(negative['log loss'])} of the pairs (for the loss: "
    f"{percent(negative['loss'])}), because the full network's loss is so small that one removal multiplies it many times and a second "
    "cannot do so again. An index tells what it averages, and in which unit; both have to be known first."
)

# %% [markdown]
# ## Other removals, other networks
#
# A removed unit put out zero so far ({term}`zero ablation`). It can put out its mean instead
# ({term}`mean ablation`), or its output on another point, the *donor* ({term}`resampling ablation`).
# Either all removed units share one donor, so that what they put out still fits together, or each has
# its own. In {term}`optimal-constant ablation` it puts out the constant that makes the loss smallest. With
# two classes only the sum of these constants matters. It is an offset to the logit of each subnetwork,
# the one that takes its lean away. And a network can hold its units in two hidden layers.


# %%
def fills(h, generator):
    """What removed units put out, by the kind of ablation."""
    shared = torch.randperm(len(h), generator=generator)
    own = torch.rand(h.shape, generator=generator).argsort(0)
    return {
        "mean ablation": h.mean(0),
        "resampling, one donor": h[shared],
        "resampling, own donors": h.gather(0, own),
    }


# %% tags=["remove-cell"]
fewer = points.first(1000)


def apart_from_size(v):
    """Correlation with the complement after the mean of each size is removed."""
    n = len(v).bit_length() - 1
    by_size = ablation.subset_sizes(n)
    mean = torch.zeros(n + 1).double().index_add_(
        0, by_size, v
    ) / torch.bincount(by_size)
    left = v - mean[by_size]
    return float((left * left.flip(0)).mean() / left.square().mean())


def features(v):
    found = shares(v)
    return [*found[:2].tolist(), even_less_odd(found), apart_from_size(v)]


generator = torch.Generator().manual_seed(0)
kinds = {"zero ablation": [features(v) for v in logs["trained"]]}
for network in settings.progress(ensemble[:10], desc="networks"):
    h_few = models.outputs(network, fewer.x, [2])[2]
    for name, fill in fills(h_few, generator).items():
        values = ablation.all_losses(network, fewer, fill)
        kinds.setdefault(name, []).append(features(values.log()))


def without_lean(network, masks):
    """Losses with zero ablation, and with the best offset to the logit."""
    y = fewer.y.double()
    c = models.outputs(network, fewer.x, [2])[2].double()
    c = c * (network[3].weight[1] - network[3].weight[0])
    z = masks.double() @ c.T + (network[3].bias[1] - network[3].bias[0])
    low, high = (
        -200 * torch.ones(len(z), 1).double(),
        200 * torch.ones(len(z), 1).double(),
    )
    for _ in range(25):
        offset = (low + high) / 2
        under = (z + offset).sigmoid().mean(1, keepdim=True) < y.mean()
        low, high = (
            torch.where(under, offset, low),
            torch.where(under, high, offset),
        )
    sign = 1 - 2 * y
    return [
        torch.nn.functional.softplus(sign * (z + o)).mean(1)
        for o in (0, offset)
    ]


constant = []
for network in ensemble[:10]:
    m = (
        torch.rand(
            knobs.masks // 4, ablation.n_units(network), generator=generator
        )
        < 0.5
    )
    (zero, best_offset), (_, of_complement) = (
        without_lean(network, k) for k in (m, ~m)
    )
    constant.append((
        float(zero.mean()), float(best_offset.mean()),
        float(np.corrcoef(best_offset.log(), of_complement.log())[0, 1]),
        float((zero > GUESS).double().mean()), float((best_offset > GUESS).double().mean()),
    ))  # fmt: skip
constant = np.array(constant)
half = UNITS // 2
deep = fit(max(2, knobs.networks // 4), knobs.epochs, (half, half))
deep_losses = [training.cross_entropy(m, points) for m in deep]
kinds["two hidden layers, zero ablation"] = [
    features(ablation.all_losses(m, fewer).log()) for m in deep
]
columns_of = [
    "degree 1",
    "degree 2",
    "complement",
    "complement, size taken out",
]
kinds = {name: np.array(found) for name, found in kinds.items()}
kinds_table = pd.DataFrame({
    name: {"networks": str(len(f))} | {c: spread(f[:, k]) for k, c in enumerate(columns_of)}
    for name, f in kinds.items()
}).T.rename_axis("removed units put out")  # fmt: skip

# %% tags=["remove-input"]
plotting.table(kinds_table)

# %% tags=["remove-input"]
one_donor, own_donor = (
    kinds["resampling, one donor"],
    kinds["resampling, own donors"],
)
two = kinds["two hidden layers, zero ablation"]
worse, offset_only = constant[:, :2].mean(0)
lean_share = (worse - offset_only) / (worse - GUESS)
Markdown(
    "Mean ablation gives the same answer as zero ablation: pairs lead, and complements are alike "
    f"({spread(kinds['mean ablation'][:, 2])}). Under resampling single units lead and the correlation with the "
    "complement is negative. Part of that is a trend with size. A unit that answers for another point does harm, so the "
    "loss falls with each unit that is kept, and a trend with size is of degree one. The last "
    "column takes the mean of each size out: with one donor for all "
    f"{spread(one_donor[:, 3])} is left, with a donor for each {spread(own_donor[:, 3])}. Own donors destroy the "
    "balance between units that answer for the same point; one donor keeps it among the removed ones. With the best constants, "
    f"the mean loss of random subnetworks falls from {constant[:, 0].mean():.2f} to {constant[:, 1].mean():.2f} nats (p = 0.5, "
    f"{len(constant)} networks): {percent(lean_share)} of what they lose against a coin flip is their lean. Yet {percent(constant[:, 4].mean())} of them are still worse than a coin flip, "
    f"where {percent(constant[:, 3].mean())} were: the lean is most of how bad they are, and not all of why they are bad. The correlation "
    f"with the complement is then {spread(constant[:, 2])}. Two hidden layers of "
    f"{half} units (loss {np.mean(deep_losses):.3f}) differ too, with {spread(two[:, 2])}, but these are "
    f"{len(deep)} networks of another width and depth, and no reason is offered here. (For them all losses are exact "
    "too: for each set of kept units in the first layer, the second is enumerated like a single one.)"
)

# %% [markdown]
# ## Any number of classes
#
# What of this is due to a circle and two classes? With $K$ classes and one hidden layer each logit is
# still a sum over the kept units. So the exponential of each is a product of two table entries, the sum
# over classes is a matrix product, and a logarithm gives the loss. {py:func}`.ablation.all_losses` takes
# any number of classes. The networks of {doc}`chapter 1 </notebooks/01_matching_mlps>` have 64 inputs,
# 15 hidden units and 10 classes; all 32,768 subnetworks of each are computed on its {term}`held-out <held out>` digits.

# %%
images = data.digits()


def make_reader():
    return models.mlp([64, 15, 10])


readers = training.fit_ensemble(
    make_reader,
    images.train,
    range(knobs.digits),
    epochs=knobs.digit_epochs,
    lr=0.1,
)
fresh = [training.start(make_reader, seed) for seed in range(knobs.digits)]

# %% tags=["remove-cell"]


def reader_features(network):
    network, _ = without_dead(network, images.test.x)
    n, v = (
        ablation.n_units(network),
        ablation.all_losses(network, images.test).log(),
    )
    h = models.outputs(network, images.test.x, [2])[2]
    weight = network[3].weight - network[3].weight.mean(0)
    products_of = (h.T @ h / len(h)) * (
        weight.T @ weight
    )  # of centred contributions
    one = 1 << torch.arange(n)
    i, j = torch.triu_indices(n, n, 1)
    found = ablation.walsh(v)[one[i] | one[j]]
    cost = v[(2**n - 1) - one] - v[-1]
    ablated = ablation.all_losses(network, images.test, h.mean(0)).log()
    return {
        "loss": float(v[-1].exp()),
        "degree 1": float(shares(v)[0]),
        "degree 2": float(shares(v)[1]),
        "complement": even_less_odd(shares(v)),
        "pairs and Gram": np.corrcoef(found, products_of[i, j])[0, 1],
        "Shapley and cost": spearmanr(-ablation.shapley_values(v), cost)[0],
        "degree 2, mean ablation": float(shares(ablated)[1]),
    }


of_readers = {
    name: pd.DataFrame([reader_features(m) for m in found])
    for name, found in [("trained", readers), ("untrained", fresh)]
}
claims.check(
    "circle_ten_classes", of_readers["trained"]["degree 2"].mean(), "digits",
    null=of_readers["untrained"]["degree 2"].mean(), repeats=of_readers["trained"]["degree 2"],
)  # fmt: skip
readers_table = pd.DataFrame(
    {name: {c: spread(f[c]) for c in f} for name, f in of_readers.items()}
).rename_axis(f"digits, {len(readers)} networks")

# %% tags=["remove-input"]
plotting.table(readers_table)

# %% tags=["remove-input"]
r = of_readers["trained"].mean()
Markdown(
    "The rows after the loss are shares of variance by degree, the correlation with the complement, that of "
    "pair coefficients with the Gram matrix of centred contributions, and the rank correlation of minus the "
    "Shapley value with the cost of removal. What carries over is what training does: pairs go from "
    f"{percent(of_readers['untrained']['degree 2'].mean())} of the variance to {percent(r['degree 2'])}, and the "
    f"Gram matrix still tells which ones ({num(r['pairs and Gram'])}). What does not carry over is the lead of "
    f"pairs: single units hold {percent(r['degree 1'])}, about as much, and complements correlate at {num(r['complement'])} on "
    "average. Here a Shapley value does tell which unit is needed (rank correlation "
    f"{num(r['Shapley and cost'])}). And under mean ablation pairs hold only "
    f"{percent(r['degree 2, mean ablation'])}, where on the circle they hold the most: here the pairs' share comes "
    "from taking away the units' means. So the lead of pairs is no general law; these networks differ from those of the circle in too much to "
    f"say which difference takes it away, and in {len(deep)} networks with two hidden layers it was not found on the circle either. What holds "
    "in both is that training brings interactions of pairs, and that zero ablation shows them."
)

# %% [markdown]
# ## Take-aways
#
# - How does behaviour change as units are removed? By which units are left, more than by how many: most
#   subnetworks of the circle are worse than a coin flip, and a few balanced units do better than most
#   larger subnetworks.
# - When each unit is kept with probability 0.5, most of the variance of log loss is in pairs of units,
#   and single units hold less. The larger part of this lead is there if the others count only through the sum of what
#   they push on average; the rest is not explained by one number a unit. The size of a pair's coefficient
#   is told by how strongly the two push the same points. Before training and under resampling, single
#   units hold more.
# - Where pairs lead, log losses of a subnetwork and its complement correlate, mainly the best ones.
# - With one hidden layer the loss is convex in the mask, so a gradient bounds the effect of a removal
#   from one side. Averaged over masks of $p = 0.5$ it is the trapezoid rule; at the full network it is a
#   few per cent of the cost, its sign follows the training set, and its size puts the units that act as a bias in about the right order.
# - Scores of all units together, a Shapley value as well as a magnitude, prune worse than chance here,
#   because they mix two kinds of unit. Prune greedily, better with a beam.
# - Look for dead units before counting subnetworks, and give a distribution a test before a name.
# - With ten classes pairs and single units hold about as much of the variance, but training brings pairs there too.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Units count by their company, and each statement about them needs its null." say="Ask for the null behind each line. End with the limits: one hidden layer, two classes, about half of the units kept. With ten classes pairs and single units hold about as much, and that training brings pairs is left."
# - Which units are left counts more than how many
# - Pairs lead, for the larger part through one sum over the kept units; the size of a pair is told by who pushes the same points
# - With one hidden layer, a gradient bounds a removal; a score mixes two kinds of unit
# - With ten classes pairs and single units hold about as much, but training brings pairs there too

# %% [markdown]
# ## Ledger

# %% tags=["remove-input"]
claims.table("02_circle_ablation")

# %% [markdown]
# ## Check yourself
#
# Five questions. Each choice says why it is right or wrong.

# %% tags=["remove-input"]
quiz("02_circle_ablation")

# %% [markdown]
# ## Exercises
#
# The data of the coding exercises come from `SEED`: {doc}`how exercises work </book/exercises>`.

# %% tags=["exercises"]
from netdist_course import check, problem

SEED = 1

# %% [markdown]
# :::{exercise} Masks that come twice
# :label: ex-ablation-repeated-masks
#
# *Understand, easy, 10 minutes.* Recover the source's 952 distinct masks at $p = 0.75$ from `masks_drawn`. How many are there among
# the first 500 draws, and why are more than half of the 952 among these?
# :::
#
# :::{solution-start} ex-ablation-repeated-masks
# :class: dropdown
# :::
#
# A mask is a row, so count the distinct rows. The first 500 draws have fewer repeated masks than the
# 1,000 have: 491 of them are distinct. The number of pairs of draws that can agree grows with the square of the number of
# draws; so more than half of the distinct masks come in the first half.

# %% tags=["solution"]
rows = masks_drawn[0.75]
assert len({tuple(row) for row in rows}) == 952
first_half = len({tuple(row) for row in rows[:500]})
assert first_half == 491 and 500 - first_half < (1000 - 952) / 2

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} The second unit to remove
# :label: ex-ablation-second-removal
#
# *Code, easy, 30 minutes.* One unit of a network is removed. Which unit should go next? Can the loss fall
# when it goes? `problem("ablation-second-removal", SEED)` gives one array, the losses of all subnetworks by
# their numbers: in number `m`, unit `i` is kept where bit `i` of `m` is 1. Write a function that names, for each unit that
# is removed first, the second one whose removal leaves the smallest loss. Use numpy. Then look in network 1 for pairs where the loss falls at the second removal
# (`log_losses`; the full network has the number `full`, unit `i` alone is `units[i]`), and say what the units' classes (`outward`) and the Gram matrix (`gram`) have to do with them.
#
# ```python
# def second_removal(losses):
#     """Best second unit to remove from the full network, for each first one.
#
#     >>> second_removal(np.array([9.0, 1.0, 5.0, 4.0, 2.0, 4.0, 3.0, 0.0]))
#     array([1, 2, 1])
#     """
# ```
#
# ```python
# check("ablation-second-removal", second_removal, SEED)
# ```
# ::::
#
# :::{solution-start} ex-ablation-second-removal
# :class: dropdown
# :::
#
# The full network has the number $2^H - 1$, and a removed unit $i$ takes $2^i$ off it. The problem's units come in
# pairs that are needed together or not at all, so the second unit of the second unit is the first. In network 1 the
# loss can fall too, for about a third of the ordered pairs: after one unit is gone, those on the other side push against
# too little, and removing one of them as well restores the balance. All these pairs push to opposite classes, and they are most of
# the pairs that do. Also among pairs of opposite classes
# the entry of the Gram matrix is lower for them than for the rest on average.


# %% tags=["solution"]
def second_removal(losses):
    one = 1 << np.arange(len(losses).bit_length() - 1)
    left = losses[len(losses) - 1 & ~one[:, None] & ~one]
    np.fill_diagonal(left, np.inf)
    return left.argmin(1)


check("ablation-second-removal", second_removal, SEED)
(given,) = problem("ablation-second-removal", SEED)
second = second_removal(given)
assert (second[second] == np.arange(len(second))).all()
one, all_kept = 1 << np.arange(len(second)), len(given) - 1
assert (given[all_kept - one - one[second]] < given[all_kept - one]).all()

singles, doubles = (
    log_losses[full & ~units],
    log_losses[full & ~(units[:, None] | units)],
)
itself = torch.eye(H).bool()
helps = (doubles < singles[:, None]) & ~itself
others = ~helps & ~itself
assert abs(helps.sum() / (H * (H - 1)) - 1 / 3) < 0.1
opposite = outward[:, None] * outward < 0
assert opposite[helps].all()
if UNITS == 20:
    assert 0.5 < helps.sum() / opposite.sum() < 0.95
assert gram[helps].mean() < gram[others].mean()
if UNITS == 20:
    assert gram[helps].mean() < gram[opposite & ~helps].mean()

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} A gradient bounds a removal
# :label: ex-ablation-convexity
#
# *Understand, medium, 15 minutes.* Prove {eq}`eq-sandwich`. Where does the proof need that there is one hidden layer?
# :::
#
# :::{solution-start} ex-ablation-convexity
# :class: dropdown
# :::
#
# Let all mask entries be fixed but that of unit $i$, and let $t \in [0, 1]$ be this one. With one hidden
# layer the logit of "outside" minus that of "inside" at a point is $a + t b$ with numbers $a$ and $b$
# that do not depend on $t$. The loss at a point with label "outside" is $\log(1 + e^{-(a + tb)})$, and
# with label "inside" $\log(1 + e^{a + tb})$. Both have a second derivative by $t$ of
# $b^2 q (1 - q) \ge 0$, where $q$ is the probability of "outside". So the loss is convex in $t$, and so
# is its mean over points. The derivative $f'(t)$ of a convex function does not fall, so
# $f(1) - f(0) = \int_0^1 f'(t)\, dt$ lies between $f'(0)$ and $f'(1)$. With a second hidden layer,
# the difference of the logits is no longer linear in the mask entries of the first layer. So a minority of
# gradients of a deep network break the bounds in its first layer, and none in its second, in whose
# masks the logits are linear:

# %% tags=["solution"]
draw = torch.Generator().manual_seed(0)
m = (torch.rand(60, 2 * half, generator=draw) < 0.5).float()
g = ablation.mask_gradients(deep[0], fewer, m)
one_unit = torch.eye(2 * half).bool()
switched = [
    torch.where(one_unit[u], v, m) for v in (1.0, 0.0) for u in range(2 * half)
]
found = ablation.losses(deep[0], fewer, torch.cat(switched)).view(
    2, 2 * half, -1
)
effect = (found[0] - found[1]).T
broken = torch.where(m == 1, g < effect - 1e-4, g > effect + 1e-4)
assert 0 < broken[:, :half].float().mean() < 0.5
assert not broken[:, half:].any()

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} The loss of every subnetwork
# :label: ex-ablation-every-loss
#
# *Code, medium, 25 minutes.* `problem("ablation-every-loss", SEED)` describes a network that tells the inside of a
# circle from its outside: what each unit adds to the logit of "outside" less that of "inside" at each point (an array of points by units), this logit
# without any unit, and the labels, 1 for outside. Write a function that returns the mean logistic loss of all $2^H$
# subnetworks by their numbers: in number `m`, unit `i` is kept where bit `i` of `m` is 1. Use numpy; `np.logaddexp`
# keeps large logits from overflowing. Which unit does most harm alone, and is it needed in the end?
#
# ```python
# def every_loss(contributions, start, outside):
#     """Losses (2**H,) in nats, from contributions (N, H), a number, and labels (N,).
#
#     >>> every_loss(np.array([[2.0, -2.0]]), 0.0, np.array([1])).round(3)
#     array([0.693, 0.127, 2.127, 0.693])
#     """
# ```
#
# ```python
# check("ablation-every-loss", every_loss, SEED)
# ```
# ::::
#
# :::{solution-start} ex-ablation-every-loss
# :class: dropdown
# :::
#
# The logit of a subnetwork is the logit without any unit plus the contributions of the units that it keeps: a matrix product of the
# masks with the contributions. At a point of label "outside" the loss is $\log(1 + e^{-z})$, elsewhere
# $\log(1 + e^z)$. The function gives the chapter's own table too, here on a hundred points. Unit 0 of the problem acts as a
# bias: alone it is worse than no unit at all and than any other alone, and the full network without it is worse than the full network.


# %% tags=["solution"]
def every_loss(contributions, start, outside):
    units = contributions.shape[1]
    kept = np.arange(2**units)[:, None] >> np.arange(units) & 1  # (2**H, H)
    logit = kept @ contributions.T + start  # (2**H, N)
    return np.logaddexp(0, (1 - 2 * outside) * logit).mean(1)


check("ablation-every-loss", every_loss, SEED)
found = every_loss(*problem("ablation-every-loss", SEED))
assert found[1] > found[0]  # unit 0 alone, and no unit
assert found[1] > found[[2, 4, 8]].max()  # unit 0 alone, and any other
assert found[-2] > found[-1]  # all but unit 0, and all
some = points.first(100)
adds = (h[:100] * outward).double().numpy()
table = every_loss(adds, float(offset), some.y.numpy())
assert np.allclose(table, ablation.all_losses(small, some), atol=1e-4)

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The end of a flip path
# :label: ex-ablation-complement
#
# *Understand, medium, 15 minutes.* Show that $\operatorname{Cov}(H)$ is the energy of the even degrees from 2 on minus that of the odd
# degrees.
# :::
#
# :::{solution-start} ex-ablation-complement
# :class: dropdown
# :::
#
# After $H$ flips every sign has changed, so a product of $k$ signs is multiplied by $(-1)^k$. In
# {eq}`eq-krawtchouk` only $j = k$ is left, and $\kappa_k(H) = (-1)^k \binom{H}{k}$. With {eq}`eq-flips`,
# $\operatorname{Cov}(H) = \sum_{k \ge 1} (-1)^k E_k$. It is also the plain
# covariance of subnetworks with their complements, whose numbers run backwards:

# %% tags=["solution"]
even_minus_odd = energy[2::2].sum() - energy[1::2].sum()
assert torch.isclose(even_minus_odd, covariance[0, -1])
centred = log_losses - log_losses.mean()
assert torch.isclose(even_minus_odd, (centred * centred.flip(0)).mean())

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Energy by degree
# :label: ex-ablation-energies
#
# *Code, medium, 30 minutes.* `problem("ablation-energies", SEED)` gives one array, the values of a function on the sets of
# $H$ units by the sets' numbers. Write a function that returns the energies of the degrees 0 to $H$: $E_k$ is the sum of
# $\hat f(T)^2$ over all sets $T$ of $k$ units, with the coefficients of {eq}`eq-walsh`. Use numpy. How can you
# check your result without knowing a single coefficient?
#
# ```python
# def energies(values):
#     """Energies (H + 1,) by degree; entry 0 is the square of the mean.
#
#     >>> energies(np.array([0.0, 1.0, 2.0, 5.0]))
#     array([4.  , 3.25, 0.25])
#     """
# ```
#
# ```python
# check("ablation-energies", energies, SEED)
# ```
# ::::
#
# :::{solution-start} ex-ablation-energies
# :class: dropdown
# :::
#
# A coefficient is the mean of the function times the product of the signs in $T$. The product is $-1$ to
# the power of the number of units in $T$ that are removed. The check: the energies from degree 1 on add
# up to the variance over all sets, and all of them to the mean square. The short function takes $4^H$ steps; on the cube
# of three units it agrees with the chapter.


# %% tags=["solution"]
def energies(values):
    units = len(values).bit_length() - 1
    sets = np.arange(2**units)[:, None] >> np.arange(units) & 1  # (2**H, H)
    products = (-1) ** (sets @ (1 - sets).T)  # of the signs in T, at each set
    coefficients = products @ values / len(values)
    return np.bincount(sets.sum(1), coefficients**2)


check("ablation-energies", energies, SEED)
(given,) = problem("ablation-energies", SEED)
found = energies(given)
assert np.isclose(found[1:].sum(), given.var())
assert np.isclose(found.sum(), np.square(given).mean())
assert np.allclose(energies(cube.numpy())[1:], cube_energy)

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The units in the wrong order
# :label: ex-ablation-wrong-order
#
# *Break, medium, 60 minutes.* A program numbers the subnetworks from the other end: it takes the lowest bit for the last unit
# and the highest for the first. So each table of losses is read in the wrong order,
# `v.view([2] * n).permute(*range(n)[::-1]).flatten()` for a table `v` of $2^n$ losses. Predict which {term}`claims <claim>` of the {term}`ledger`
# fail, and why the others do not. Then try it, with `pairs_and_gram`, `shares` and `mean_log_ratio` of the chapter.
# :::
#
# :::{solution-start} ex-ablation-wrong-order
# :class: dropdown
# :::
#
# One claim fails, that on the Gram matrix. It alone joins a unit's place in the table to its place in the
# network: the coefficients come from the table, and the contributions from the weights. No other does: most use the table alone, and see
# only that units have other names. The test of normality asks how many units are kept, degrees ask how
# large a set is, and the complement of a set stays its complement. The mean cost of a removal is a mean over
# all units, and the gradients beside it come from the network alone. The mean losses at two keep-probabilities ask for sizes, the source's masks are counted
# without a table, and the shares of ten classes are by degree. The plausible guess is that {term}`pruning` fails. Its claim holds
# as before, because the score and the losses are renamed together; but the units that it tells you
# to keep are the wrong ones. So a claim that holds is no proof that units are in order. Some nulls do cross from the network to the table:
# log losses that are dealt out within equal counts of both kinds of unit, or within nearly equal sums of mean contributions, and products of mean contributions
# against the coefficients of pairs. They take what they know of a unit from the weights, and the loss of a subnetwork from the table.
# The first two keep less of the lead than they should; the third falls to nothing, together with its claim. Nothing refuses them, because a null that is too weak never fails.
# (Effects at random masks cross too: masks and losses then belong to other units.)


# %% tags=["solution"]
def misread(v):
    n = len(v).bit_length() - 1
    return v.view([2] * n).permute(*range(n)[::-1]).flatten()


def with_gram(network, v):
    """Correlation of the pairs with the Gram matrix, and with products of means."""
    found, products_of, mean = pairs_and_gram(network, v)
    i, j = torch.triu_indices(len(found), len(found), 1)
    told = products_of[i, j], (mean[i] * mean[j])
    return [np.corrcoef(found[i, j], x)[0, 1] for x in told]


def of_ranking(v):
    best_here = v.exp()[ablation.best_subsets(v)]
    kept = by_score(-ablation.shapley_values(v))
    return mean_log_ratio(v.exp(), kept, best_here)


four = list(zip(ensemble[:4], logs["trained"], kinds_everywhere, strict=False))
turned = [misread(v) for _, v, _ in four]
crossed, null_crossed = np.mean(
    [with_gram(m, v) for (m, *_), v in zip(four, turned, strict=True)], axis=0
)
in_order, null_in_order = np.mean([with_gram(m, v) for m, v, _ in four], axis=0)
assert crossed < 0.5 < in_order
assert null_crossed < null_in_order - 0.3
fault = claims.verdict("circle_pairs_gram", crossed, "synthetic")
assert fault or claims.band("circle_pairs_gram", "synthetic") is None
assert claims.verdict("circle_pairs_gram", in_order, "synthetic") == ""

before, after = four[0][1], turned[0]
all_but_one = len(after) - 1 - (1 << torch.arange(len(four[0][2])))
assert torch.isclose(
    before[all_but_one].exp().mean(), after[all_but_one].exp().mean()
)
assert np.isclose(to_normal(before, 0.75), to_normal(after, 0.75))
assert np.isclose(of_ranking(before), of_ranking(after))
advice = ablation.best_subsets(after)
assert not torch.allclose(
    before[advice], after[advice]
)  # other units, other losses

as_before = [shares(v) for v in turned]
assert torch.allclose(as_before[0], shares(before))
lead = np.mean([float(found[1] - found[0]) for found in as_before])
at_complement = np.mean([even_less_odd(found) for found in as_before])
assert claims.verdict("circle_degree_two", lead, "synthetic") == ""
assert claims.verdict("circle_complement", at_complement, "synthetic") == ""

for name, known in {
    "dealt by kinds": [counts_of_kinds(k) for *_, k in four],
    "dealt by sum": [next_in_sum(contributions(m).mean(0)) for m, *_ in four],
}.items():
    null = [
        shares(dealt(v, i, c))
        for i, (v, c) in enumerate(zip(turned, known, strict=True))
    ]
    lead_of_null = np.mean([float(found[1] - found[0]) for found in null])
    assert lead_of_null < excess_two[name][:4].mean()

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Where do pairs lose their lead?
# :label: ex-ablation-lead-of-pairs
#
# *Project, hard, 600 minutes.* On the circle pairs hold more of the variance than single units, and with ten
# classes of digits they do not. The two differ in the number of classes, in the inputs, in the width, and in how sure the networks are. Which
# of these takes the lead away?
# :::
#
# :::{solution-start} ex-ablation-lead-of-pairs
# :class: dropdown
# :::
#
# A good answer changes one thing at a time and says before each run what would refute it. It trains an
# ensemble for each {term}`setting` (ten networks or more), states the lead as the share of pairs less that of single units, and
# gives its standard deviation over networks. It brings all settings to one loss, or shows the lead against the loss, because the
# lead grows with training. Its strongest null deals the log losses out anew among subnetworks in which one number a unit, such as the size of its mean contributions,
# has nearly the same sum; {term}`untrained networks <untrained network>` are a weaker one. It repeats what it finds under mean ablation, since there the pairs of
# ten classes hold little.
#
# A first step needs no training. Take two classes of a network of the digits: their two rows of outgoing weights,
# and their points. Pairs gain on single units for network 1: they lead in the mean over
# all 45 pairs of classes, and in more than half of them; before training they lead in none. It is tempting to conclude that the number of classes matters. But
# on two of its classes the network is surer than on ten, with a much smaller loss. Divide the logits of the two classes until the loss is that
# of ten classes, or until it is the same share of what guessing costs. Then single units lead in the mean, for each of the first three networks; at the same loss pairs are further behind than
# with ten classes.
# So sureness moves the lead, and this step does not show that the number of classes does.


# %% tags=["solution"]
def two_classes(network, a, b, target=None):
    """Lead of pairs for two classes alone, and the loss; at a target loss, if one is given."""
    chosen = (images.test.y == a) | (images.test.y == b)
    split = data.Split(
        images.test.x[chosen], (images.test.y[chosen] == b).long()
    )
    smaller = models.mlp([64, 15, 2])
    smaller[1].load_state_dict(network[1].state_dict())
    smaller[3].weight.data = network[3].weight[[a, b]].clone()
    smaller[3].bias.data = network[3].bias[[a, b]].clone()
    alive, _ = without_dead(models.freeze(smaller), split.x)
    if target is not None:
        z = training.logits(alive, split.x).double()

        def beside(t):
            found = torch.nn.functional.cross_entropy(z / np.exp(t), split.y)
            return float(found) - target

        if beside(0) < 0:  # else it is no surer than that
            alive = scaled(alive, np.exp(-brentq(beside, 0, 10)))
    v = ablation.all_losses(alive, split).log()
    return [float(shares(v)[1] - shares(v)[0]), float(v[-1].exp())]


def over_pairs(network, target=None):
    """Leads (45,) and losses (45,) over all pairs of classes."""
    pairs_of_classes = [(a, b) for b in range(10) for a in range(b)]
    return np.array(
        [two_classes(network, a, b, target) for a, b in pairs_of_classes]
    ).T


leads, surer = over_pairs(readers[0])
assert len(leads) == 45 and (leads > 0).mean() > 0.5 and leads.mean() > 0
assert (over_pairs(fresh[0])[0] < 0).all()
for k, network in enumerate(readers[:3]):
    ten = of_readers["trained"].iloc[k]
    lead_of_ten = ten["degree 2"] - ten["degree 1"]
    assert over_pairs(network)[1].mean() < ten["loss"] / 2
    for loss in (ten["loss"], ten["loss"] * np.log(2) / np.log(10)):
        as_sure, reached = over_pairs(network, loss)
        assert (reached > 0.99 * loss).all()
        assert as_sure.mean() < 0
        assert as_sure.mean() < lead_of_ten or loss < ten["loss"]

# %% [markdown]
# :::{solution-end}
# :::
#
# ## Further reading
#
# Functions of bits and their spectra, at any keep-probability: {cite:t}`odonnell2014`. The value of a
# player in a game: {cite:t}`shapley1953` and {cite:t}`banzhaf1965`; of a pair of players:
# {cite:t}`grabisch1999`.
