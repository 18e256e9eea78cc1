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
# # Five lenses on one ensemble
#
# **The question.** Five chapters measured five things that networks may share. Do they agree? Which of
# them tells two networks apart, which tells two *recipes* apart, which knows anything about the error,
# and which description is enough to make a network that works?
#
# **What you will be able to do.** Put one ensemble under all lenses; split a variance into the part of the
# recipe and the part of the seed; test whether measures of pairs agree although pairs share networks;
# recognise a correlation that turns around inside groups; draw networks from four descriptions of an
# ensemble; and compare two networks of your own.
#
# **What you need.** The ideas of chapters {doc}`1 </notebooks/01_matching_mlps>` to
# {doc}`5 </notebooks/05_heavy_tailed_spectra>`, each of which is named where it is used; analysis of
# variance; permutation tests. Symbols are those of the {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# This chapter follows no document. What it asks can only be asked where all five measurements are made of
# the same networks.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from scipy import stats

from netdist_utils import (
    ablation,
    claims,
    covariance,
    data,
    lenses,
    matching,
    models,
    plotting,
    settings,
    spectra,
    training,
    zoo,
)
from netdist_utils.moments import moments
from netdist_utils.words import listed, number, percent

plotting.use_style()
C = plotting.COLORS

# One line a size: smoke, standard, full.
knobs = settings.pick(
    seeds=(4, 8, 64),
    untrained=(4, 4, 16),
    images=(400, 4000, 10000),
    draws=(200, 1000, 10000),
    orders=(100, 1000, 5000),
    sampled=(2, 4, 20),
    circles=(4, 8, 32),
)
FIVE = ["matching", "ablation", "covariance", "convergence", "spectra"]

# %% [markdown]
# ## What we expect
#
# Predictions that are made afterwards are always right. So these were written before any number of this
# chapter was known, and they stay as they were; what came of each stands beside it at the end.
#
# 1. *Recipe or seed.* The spectra are a property of the recipe: more than 90 % of the variance of the stable
#    rank lies between recipes. What removal of units does (chapter 2) is a property of the seed: less than half.
# 2. *Settings.* Where networks are more alike in their covariances they are more alike unit by unit as well.
# 3. *Pairs.* Inside one setting the lenses do not agree about which pairs are alike, but for two lenses that
#    look at the same activations, those of chapters 3 and 4.
# 4. *Errors of pairs.* Inside one setting no lens knows which pairs err on the same images.
# 5. *The test error.* Across settings several measures go with the error. Inside a setting none does.
# 6. *What makes a network.* From the spectrum alone nothing comes out that beats random features. The mean of
#    the networks in the matched frame is worse than rows drawn from their covariance.
# 7. *Chapter 2 travels.* No: degree two and the complement were the circle's.
#
# ## The ensemble
#
# One architecture, one data set, nine recipes: a base, and eight settings that change one thing each.
# {py:func}`.zoo.setting` defines them; chapter 5 uses some of the same networks. In all settings but the narrow and
# the wide one, network $k$ starts from the same weights, so what is due to the start can be told from what is due
# to the recipe. Every network is trained until it fits its labels.

# %%
images = data.images()
settings_of = {
    name: zoo.setting(images, **change) for name, change in zoo.FAMILY.items()
}


def train(setting, seeds=knobs.seeds):
    return training.fit_ensemble(
        setting.make_model, setting.train, range(seeds), **setting.recipe
    )


ensemble = {name: train(s) for name, s in settings_of.items()}
untrained = {
    name: [
        training.start(s.make_model, 100 + k) for k in range(knobs.untrained)
    ]
    for name, s in settings_of.items()
}

# %% [markdown]
# Two {term}`nulls <null>` go along with everything. {term}`Untrained networks <untrained network>` of each setting
# show what the architecture and the images give for nothing. Networks that were trained on {term}`random labels`
# show what training gives where there is nothing to learn but the training images by heart: here all of them have the
# *same* random labels, which is the stronger null, since it leaves them a task in common.

# %%
meaningless = zoo.setting(
    images, wrong=0.9
)  # right in one of ten, as chance is
random_labels = train(meaningless)

# %% tags=["hide-input"]
rows = []
for name, s in settings_of.items():
    for seed, model in enumerate(ensemble[name]):
        wrong = [
            1 - training.accuracy(model, part) for part in (s.train, s.test)
        ]
        rows.append([name, seed, wrong[0] * len(s.train), *wrong])
columns = ["setting", "seed", "missed", "training error", "test error"]
errors = pd.DataFrame(rows, columns=columns)

# %% tags=["remove-input"]
data.notice(images)

# %% [markdown]
# {numref}`fig-ensemble` shows what came of the training.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-ensemble", "caption": "Test error of each network of the ensemble, one dot a network. Settings differ by far more than the seeds of one setting do."}, "image": {"alt": "A strip plot of nine rows, one a setting, with a tight group of dots in each. Many images lies farthest left, then wide, base and weight decay close together, large rate, narrow, few images and wrong labels, and whitened farthest right."}}
order = errors.groupby("setting")["test error"].mean().sort_values().index
fig, ax = plt.subplots(figsize=(7.2, 3.4))
for row, name in enumerate(order):
    values = errors[errors.setting == name]["test error"]
    ax.plot(
        values,
        np.full(len(values), row),
        "o",
        ms=5,
        alpha=0.6,
        color=C["matched"],
        mew=0,
    )
ax.set_yticks(range(len(order)), order)
ax.invert_yaxis()
ax.set(xlabel="test error")
plt.show()

# %% tags=["remove-input"]
fits_of_random = [
    training.accuracy(m, meaningless.train) for m in random_labels
]
perfect = errors.missed < 0.5
late = errors[~perfect].setting.unique()
Markdown(
    f"There are {len(errors)} networks, {knobs.seeds} of each setting. {int(perfect.sum())} of them have a training error of zero"
    + (
        ". "
        if perfect.all()
        else f"; the others, all of them of the settings {listed(late)}, miss {errors.missed.max():.0f} of their training images at most. "
    )
    + f"The networks with random labels fit {percent(min(fits_of_random), 1)} of them or more. The errors are high, because few images and "
    "no regularisation are what makes networks of one hidden layer comparable at a training error of zero; the lenses need "
    "comparable networks, not good ones."
)

# %% [markdown]
# ## Five lenses
#
# Each lens becomes one number for a pair of networks, such that more means more alike, or for one network.
#
# | lens | of a pair | of one network |
# |---|---|---|
# | {doc}`matching </notebooks/01_matching_mlps>` | correlation of all weights, units matched by weights | |
# | {doc}`ablation </notebooks/02_circle_ablation>` | rank correlation of what the removal of matched units costs, their sizes held fixed | shares of degrees one and two of the log loss over subsets of 12 groups of units |
# | {doc}`covariance </notebooks/03_covariance_universality>` | share of the variance of one that a rotation of the other explains on other images | |
# | {doc}`convergence </notebooks/04_convergent_learning>` | mean correlation of units matched by activations, less the same with a rotated partner | |
# | {doc}`spectra </notebooks/05_heavy_tailed_spectra>` | mean difference of log eigenvalues, with a minus sign | exponent, stable rank, spikes |
# | errors | Cohen's kappa of which test images are right | test error |
#
# The last row is the anchor: what networks *do*, apart from how they are made. Kappa takes the error rates out,
# which would otherwise make networks of few errors look alike {cite:p}`geirhos2020`.
# {py:func}`.lenses.measure_pairs` and {py:func}`.lenses.measure_network` compute all of it on test images,
# and {numref}`fig-lenses` shows the pairs.


# %%
def look(networks, split):
    """All pairs of some networks through all lenses, on the first test images."""
    return lenses.measure_pairs(networks, split.first(knobs.images))


pairs = {name: look(ensemble[name], s.test) for name, s in settings_of.items()}
null_pairs = {
    "untrained": {
        name: look(untrained[name], s.test) for name, s in settings_of.items()
    },
    "random labels": look(random_labels, images.test),
}
single = pd.concat(
    {
        name: pd.DataFrame(
            [
                lenses.measure_network(m, s.test.first(knobs.images))
                for m in ensemble[name]
            ]
        )
        for name, s in settings_of.items()
    },
    names=["setting", "seed"],
)
single["test error"] = errors.set_index(["setting", "seed"])["test error"]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lenses", "caption": "What each lens says of all pairs of networks of one setting (dots), of pairs with the same random labels instead (orange line, in the base setting), and of untrained pairs of the same setting (gray diamonds: means). To the right means more alike."}, "image": {"alt": "Six panels with nine rows each. In matching and convergence the dots lie far to the right of the gray diamonds; the orange line lies close to the left of most groups of dots in matching, and left of all but whitened in convergence. In covariance, dots and diamonds come in the same order, the dots somewhat to the right. In spectra dots, diamonds and line overlap. In errors the diamonds lie at zero, the line in the middle and the dots to the right of it."}}
fig, axes = plt.subplots(2, 3, figsize=(7.2, 6), sharey=True)
for ax, lens in zip(axes.flat, [*FIVE, "errors"], strict=True):
    for row, name in enumerate(settings_of):
        values = pairs[name][lens]
        ax.plot(
            values,
            np.full(len(values), row),
            "o",
            ms=4,
            alpha=0.35,
            color=C["matched"],
            mew=0,
        )
        ax.plot(
            null_pairs["untrained"][name][lens].mean(),
            row,
            "D",
            ms=6,
            color=C["null"],
        )
    ax.axvline(null_pairs["random labels"][lens].mean(), color=C["unmatched"])
    ax.set_title(lens, fontsize=11)
axes[0, 0].set_yticks(range(len(settings_of)), settings_of)
axes[0, 0].invert_yaxis()
for ax, unit in zip(
    axes.flat,
    [
        "correlation",
        "rank correlation",
        "share",
        "correlation",
        "log units",
        "kappa",
    ],
    strict=True,
):
    ax.set_xlabel(unit)
plt.show()

# %% tags=["remove-cell"]


def disjoint(frame, measure):
    """A measure over pairs that have no network in common."""
    first = lenses.disjoint_pairs(knobs.seeds)[0]
    return [frame[measure][min(p), max(p)] for p in first.tolist()]


def strongest(measure, name="base"):
    """The largest mean that a null has, random labels or untrained."""
    found = null_pairs["untrained"][name], null_pairs["random labels"]
    return max(frame[measure].mean() for frame in found)


base = pairs["base"]
for measure in ["matching", "ablation", "covariance", "convergence", "errors"]:
    claims.check(
        f"lenses_{measure}",
        base[measure].mean(),
        images.name,
        null=strongest(measure),
        repeats=disjoint(base, measure),
    )


def beside_nulls(measure, digits=2):
    """Mean in the base setting, with random labels, untrained."""
    found = [base, null_pairs["random labels"], null_pairs["untrained"]["base"]]
    return " / ".join(number(frame[measure].mean(), digits) for frame in found)


kept = {  # of what identical networks show beyond the untrained, how much random labels bring
    measure: (
        null_pairs["random labels"][measure].mean()
        - null_pairs["untrained"]["base"][measure].mean()
    )
    / (base[measure].mean() - null_pairs["untrained"]["base"][measure].mean())
    for measure in [
        "matching",
        "ablation",
        "covariance",
        "convergence",
        "errors",
    ]
}

# %% tags=["remove-input"]
Markdown(
    "What comes out is sobering. In the base setting, pairs that learned the task, pairs with the same random labels, and "
    f"untrained pairs have: matching {beside_nulls('matching')}; ablation {beside_nulls('ablation')}; covariance {beside_nulls('covariance')}; "
    f"convergence {beside_nulls('convergence', 3)}; spectra {beside_nulls('spectra', 3)}; kappa {beside_nulls('errors')}. "
    f"So of the rise of the matched correlation over untrained networks, random labels alone bring {percent(kept['matching'])}; of kappa's "
    f"{percent(kept['errors'])}, because networks that fit one set of labels, whatever it is, continue it to new images in a similar way. "
    f"Meaning adds most in the covariances, where random labels bring {percent(kept['covariance'])} of the rise. "
    "The spectra of two networks are as alike before training as after: alikeness is no achievement where there is nothing to tell apart. "
    "The whitened setting is the odd one in covariance and convergence: its networks share hardly more than the untrained, and yet "
    "kappa is as high as elsewhere."
)

# %% [markdown]
# ## Of the recipe or of the seed?
#
# Each measure varies between settings and between the seeds of one setting. The {term}`intraclass correlation` is the
# share of the variance that lies between settings, in a one-way analysis of variance with random effects,
#
# $$\mathrm{ICC} = \frac{\sigma^2_\text{settings}}{\sigma^2_\text{settings} + \sigma^2_\text{seeds}},$$
#
# and its interval comes from the $F$ distribution {cite:p}`mcgraw1996`. For measures of pairs it is not
# allowed to count pairs as if they were independent, for they share networks.
# {py:func}`.lenses.intraclass_of_pairs` uses pairs that have no network in common, in rounds, as in a tournament.
#
# Settings of another width or of whitened images differ before training already. So the analysis is confined to the
# six settings in which network $k$ has the same start. This also lets us ask for the share of the *start*: what the
# networks of one start have in common across settings, once the means of the settings are taken out
# ({numref}`fig-intraclass`).

# %%
alike = [
    "base",
    "few images",
    "many images",
    "wrong labels",
    "weight decay",
    "large rate",
]
OF_ONE = [
    "pairs beyond size",
    "degree one",
    "alpha",
    "stable rank",
    "spikes",
    "test error",
]


def as_matrices(frames, measure):
    """A measure of pairs as symmetric matrices, one a setting: (S, n, n)."""
    found = np.zeros((len(frames), knobs.seeds, knobs.seeds))
    for k, frame in enumerate(frames):
        for (i, j), value in frame[measure].items():
            found[k, [i, j], [j, i]] = value
    return found


def of_one(measure, names):
    """A measure of single networks: (S, n)."""
    return np.array([single.loc[name][measure] for name in names])


between_settings = {
    measure: lenses.intraclass_of_pairs(
        as_matrices([pairs[name] for name in alike], measure)
    )
    for measure in [*FIVE, "errors"]
}
of_start = {}
for measure in OF_ONE:
    values = of_one(measure, alike)
    between_settings[measure] = lenses.intraclass(values)
    of_start[measure] = lenses.intraclass(
        (values - values.mean(1, keepdims=True)).T
    )

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-intraclass", "caption": "Share of the variance that lies between settings (circles), and that the start explains across settings (triangles), with 95\u00a0% intervals. Above the line measures of pairs, below it measures of single networks. Nearly all of most measures is the recipe's."}, "image": {"alt": "Twelve rows with a circle and a horizontal bar each. Most circles lie next to one with short bars; ablation and spectra of pairs lie lower with long bars. The triangles of the last six rows lie near zero, with bars that reach from just below zero to about a half."}}
fig, ax = plt.subplots(figsize=(7.2, 4))
rows = {measure: row for row, measure in enumerate(between_settings)}
for found, mark, colour in (
    (between_settings, "o", C["matched"]),
    (of_start, "^", C["unmatched"]),
):
    for measure, (value, low, high) in found.items():
        ax.plot([low, high], [rows[measure]] * 2, color=colour, lw=2, alpha=0.5)
        ax.plot(value, rows[measure], mark, ms=7, color=colour)
ax.axhline(len(FIVE) + 0.5, color=C["null"], lw=0.7)
ax.axvline(0, color=C["null"], lw=1)
ax.set_yticks([*rows.values()], [*rows])
ax.invert_yaxis()
ax.set(xlabel="share of variance", xlim=(-0.35, 1.05))
plt.show()

# %% tags=["remove-cell"]


def without_one(measure):
    """The share with one setting left out, in turn."""
    values = of_one(measure, alike)
    return [
        lenses.intraclass(np.delete(values, k, 0))[0] for k in range(len(alike))
    ]


claims.check(
    "lenses_recipe",
    between_settings["degree one"][0],
    images.name,
    null=of_start["degree one"][0],
    repeats=without_one("degree one"),
)


def with_interval(found):
    value, low, high = (number(v) for v in found)
    return f"{value} ({low} to {high})"


# %% tags=["remove-input"]
least = min(between_settings, key=lambda m: between_settings[m][0])
Markdown(
    f"We expected more than 0.9 for the stable rank, and it has {with_interval(between_settings['stable rank'])}; less than a half for what removals do, "
    f"and the share of degree one has {with_interval(between_settings['degree one'])}. The least has {least}, {with_interval(between_settings[least])}. "
    f"The start explains {number(max(v[0] for v in of_start.values()))} at most, and "
    + (
        "every interval contains zero: "
        if all(low <= 0 for _, low, _ in of_start.values())
        else f"the interval of {listed(m for m, v in of_start.items() if v[1] > 0)} leaves out zero: "
    )
    + "after training to zero error, little is left in these numbers of where a network began. The seeds of one setting "
    "are interchangeable; what a lens sees of a single network is its recipe. (The shares are those of six settings that we chose. Settings "
    "that differ less would give smaller ones.)"
)

# %% [markdown]
# ## Do the lenses agree about settings?
#
# If the lenses saw one thing, a setting whose networks are alike in one of them would be so in the others. Over the nine
# settings we have a rank correlation for each pair of lenses. Among so many correlations some are large by chance. The
# limit is what the largest of them reaches in 5&nbsp;% of random orders of the settings {cite:p}`nichols2002`.

# %%
six = [*FIVE, "errors"]
means = pd.DataFrame(
    {name: frame[six].mean() for name, frame in pairs.items()}
).T
over_settings, settings_limit = lenses.agreement(means, draws=knobs.draws)


def means_of(members):
    """Means over the pairs among some of the networks."""
    return pd.DataFrame(
        {
            name: frame[
                [i in members and j in members for i, j in frame.index]
            ][six].mean()
            for name, frame in pairs.items()
        }
    ).T


half = knobs.seeds // 2
two_halves = means_of(range(half)), means_of(range(half, knobs.seeds))
reliable = {
    m: stats.spearmanr(*(part[m] for part in two_halves)).statistic for m in six
}


# %% tags=["remove-cell"]
names_of_pairs = [(a, b) for k, b in enumerate(six) for a in six[:k]]
largest_pair = max(
    names_of_pairs,
    key=lambda p: abs(over_settings[six.index(p[0]), six.index(p[1])]),
)
largest_over_settings = np.abs(np.triu(over_settings, 1)).max()
claims.check(
    "lenses_settings",
    largest_over_settings,
    images.name,
    null=np.median([*reliable.values()]),
    repeats=[
        np.abs(np.triu(lenses.agreement(part, draws=1)[0], 1)).max()
        for part in two_halves
    ],
)

# %% tags=["remove-input"]
Markdown(
    f"No two lenses agree about the settings by more than chance explains: the largest of the {len(names_of_pairs)} correlations is "
    f"{number(largest_over_settings)} ({' and '.join(largest_pair)}), the limit {number(settings_limit)}. "
    f"It is not noise of the measures: over the settings, the same lens on other networks, those of the second half of the seeds, has "
    f"{number(np.median([*reliable.values()]))} (median; least {min(reliable, key=reliable.get)}, {number(min(reliable.values()))}). "
    "But nine settings are few. What can be said is that no lens stands for another: a setting with alike "
    f"weights need not have alike covariances (matching and covariance: {number(over_settings[0, 2])})."
    if largest_over_settings <= settings_limit
    else f"Some lenses agree about the settings: the largest correlation is {number(largest_over_settings)} ({' and '.join(largest_pair)}), "
    f"where chance gives {number(settings_limit)}."
)

# %% [markdown]
# ## Do they agree about pairs?
#
# Now stay inside one setting, where no recipe differs. Is a pair of networks that one lens finds alike also alike in
# another? The test must not treat pairs as independent. The {term}`Mantel test` {cite:p}`mantel1967` shuffles
# *networks*, here within each setting, and recomputes everything; again the limit is that of the largest correlation of all.
#
# There is a second explanation to take out. A network may be like *everybody*, because its weights are larger, say. Such a
# network makes all of its pairs look alike in several lenses, and no pair would have anything of its own. So we
# also take out what each network brings to all of its pairs, by least squares on $m + a_i + a_j$
# ({py:func}`.lenses.without_networks`). {numref}`fig-lens-agreement` shows both.
#
# Two measures are added: the cosine of the covariances of two first layers' weights, which was chapter 3's
# best evidence, and, because kappa is a coarse measure of what networks do, the correlation of the probabilities
# that they give to all classes of all test images.

# %%
eight = [*six, "weight covariance", "outputs"]
per_setting = {m: as_matrices(pairs.values(), m) for m in eight}
over_pairs, pairs_limit = lenses.mantel(per_setting, draws=knobs.draws)
own = {m: lenses.without_networks(values) for m, values in per_setting.items()}
of_the_pair, own_limit = lenses.mantel(own, draws=knobs.draws)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lens-agreement", "caption": "Rank correlations between measures. Left: over the nine settings. Right: over the pairs of networks of one setting, mean over settings; hollow as they are, filled without what each network brings to all of its pairs. In the shaded part lies the largest of all correlations in 95 % of random orders."}, "image": {"alt": "Two panels with a row for each two measures. On the left all dots lie inside the wide shaded part. On the right the shaded part is narrow; the pairs among matching, covariance and convergence lie to the right of it, filled and hollow marks alike, and so does weight covariance with outputs; most others lie inside or at its edge, as all but one of those with errors do."}}
rows = [(a, b) for k, b in enumerate(eight) for a in eight[:k]]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 7.5), sharey=True)
for row, (a, b) in enumerate(rows):
    i, j = eight.index(a), eight.index(b)
    if b in six:
        axes[0].plot(over_settings[i, j], row, "o", color=C["matched"])
    axes[1].plot(over_pairs[i, j], row, "o", color=C["matched"], mfc="none")
    axes[1].plot(of_the_pair[i, j], row, "o", color=C["matched"])
for ax, limit, title in zip(
    axes,
    (settings_limit, own_limit),
    ("over settings", "over pairs of a setting"),
    strict=True,
):
    ax.axvspan(-limit, limit, color=C["null"], alpha=0.15, lw=0)
    ax.axvline(0, color=C["null"], lw=1)
    ax.set(xlabel="rank correlation", title=title, xlim=(-1, 1))
axes[1].set_xlim(-0.6, 0.6)
axes[0].set_yticks(range(len(rows)), [f"{a}, {b}" for a, b in rows])
axes[0].invert_yaxis()
plt.show()

# %% tags=["hide-input"]


def anchors(networks, split):
    """Kappa and correlation of outputs of all pairs, as `look` has them, on other images."""
    outputs = torch.stack(
        [training.logits(m, split.x).softmax(1).cpu() for m in networks]
    )
    correlation = torch.corrcoef(outputs.flatten(1).double())
    right = outputs.argmax(2) == split.y
    index = [(i, j) for j in range(len(networks)) for i in range(j)]
    values = [
        [lenses.error_consistency(right[i], right[j]), float(correlation[i, j])]
        for i, j in index
    ]
    return pd.DataFrame(
        values, pd.MultiIndex.from_tuples(index), ["errors", "outputs"]
    )


half = len(images.test) // 2
halves = [
    [
        anchors(ensemble[name], data.Split(s.test.x[part], s.test.y[part]))
        for name, s in settings_of.items()
    ]
    for part in (slice(half), slice(half, None))
]
repeatable = {}
for m in ["errors", "outputs"]:
    both = {k: as_matrices(frames, m) for k, frames in enumerate(halves)}
    repeatable[m] = lenses.mantel(both, draws=1)[0][0, 1]

# %% tags=["remove-cell"]


def between(found, a, b):
    return found[eight.index(a), eight.index(b)]


trio = [
    ("matching", "covariance"),
    ("matching", "convergence"),
    ("covariance", "convergence"),
]


def of_trio(measures):
    found = lenses.mantel(measures, draws=1)[0]
    return np.mean([between(found, a, b) for a, b in trio])


claims.check(
    "lenses_pairs",
    of_trio(own),
    images.name,
    null=own_limit,
    repeats=[
        of_trio({m: v[[k]] for m, v in own.items()}) for k in range(len(pairs))
    ],
)
by_heart_own = {
    m: lenses.without_networks(as_matrices([null_pairs["random labels"]], m))
    for m in eight
}
one_by_one = [
    {m: values[[k]] for m, values in own.items()} for k in range(len(pairs))
]
claims.check(
    "lenses_outputs",
    between(of_the_pair, "weight covariance", "outputs"),
    images.name,
    null=own_limit,
    repeats=[
        between(lenses.mantel(one, draws=1)[0], "weight covariance", "outputs")
        for one in one_by_one
    ],
)
others = ["matching", "covariance", "convergence"]

# %% tags=["remove-input"]
Markdown(
    "Here lenses do agree, against what we expected. Matching, covariance and convergence find the same pairs alike: their correlations are "
    f"{listed(number(between(over_pairs, a, b)) for a, b in trio)}, and {listed(number(between(of_the_pair, a, b)) for a, b in trio)} once the networks' own parts are out "
    f"(limit {number(own_limit)}). So a pair can have something in common that three lenses see, in the weights and in the activations. "
    "Ablation and spectra hardly see it "
    f"({number(np.mean([between(of_the_pair, m, 'ablation') for m in others]))} and "
    f"{number(np.mean([between(of_the_pair, m, 'spectra') for m in others]))} on average). "
    f"Whether it has to do with the task we cannot say: the mean of the three is {number(of_trio(own))} and varies by {number(np.std([of_trio(one) for one in one_by_one], ddof=1))} from setting to setting, and "
    f"in the one set of networks with random labels it is {number(of_trio(by_heart_own))}."
)

# %% [markdown]
# **And the errors?** No lens goes with kappa. Before this is called a finding it needs a positive control: would we see it if there
# were something to see? So kappa and the correlation of outputs are measured twice, on either half of the test images.

# %% tags=["remove-input"]
Markdown(
    f"The kappas of the pairs of a setting correlate at {number(repeatable['errors'])} between the two halves: there is next to nothing in them but which images were drawn, so "
    "that no lens knows them says nothing about the lenses. The correlation of outputs is "
    f"steadier, {number(repeatable['outputs'])}. It goes with the covariance of the weights: {number(between(over_pairs, 'weight covariance', 'outputs'))}, and "
    f"{number(between(of_the_pair, 'weight covariance', 'outputs'))} without the networks' own parts; with the five lenses it has {number(min(between(of_the_pair, m, 'outputs') for m in FIVE))} to "
    f"{number(max(between(of_the_pair, m, 'outputs') for m in FIVE))}. "
    "So networks whose weights are alike do answer more alike. With errors alone we would have called that absent."
)

# %% [markdown]
# ## What knows the error?
#
# Which of all these numbers goes with the test error? Across settings we take means over seeds; inside a setting, each
# network has its own numbers, and for measures of pairs the mean over its pairs. The measure of agreement is
# {term}`Kendall's tau`, in chapter 5's manner, and the limit is again that of the largest in random orders
# ({numref}`fig-error`).

# %%
predictors = [*OF_ONE[:-1], "norm", *FIVE]


def of_network(name):
    """All measures of the networks of a setting; of pairs, the mean over a network's pairs."""
    found = single.loc[name].copy()
    for m in FIVE:
        found[m] = as_matrices([pairs[name]], m)[0].sum(0) / (knobs.seeds - 1)
    return found


inside = {name: of_network(name) for name in settings_of}
across = pd.DataFrame({name: found.mean() for name, found in inside.items()}).T


def signs(values):
    """Which of each two networks has more: +1, -1, or 0 where they tie."""
    return np.sign(values[..., :, None] - values[..., None, :])


def taus(tables, rng=None):
    """Kendall's tau of each measure with the errors, in order or mixed; mean over tables."""
    found = []
    for table in tables:
        error = table["test error"].to_numpy()
        error = error if rng is None else rng.permutation(error)
        n = len(error)
        agree = signs(table[predictors].to_numpy().T) * signs(error)
        found.append(agree.sum((1, 2)) / (n * (n - 1)))
    return pd.Series(np.mean(found, 0), predictors)


def chance(tables):
    """The largest tau of all in 95 % of random orders of the errors."""
    rng = np.random.default_rng(0)
    largest = [taus(tables, rng).abs().max() for _ in range(knobs.orders)]
    return np.quantile(largest, 0.95, method="higher")


tables = {"across settings": [across], "inside": [*inside.values()]}
tau = pd.DataFrame({kind: taus(some) for kind, some in tables.items()})
limits = {kind: chance(some) for kind, some in tables.items()}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-error", "caption": "Kendall's tau of each measure with the test error: squares across the nine settings, dots inside settings (mean). Shaded: the largest of all in 95\u00a0% of random orders, light across settings, dark inside. No measure leaves its part."}, "image": {"alt": "Eleven rows with a square and a dot each. All squares lie within the wide light band and all dots within the narrow dark band around zero. Several squares lie on the other side of zero than their dots."}}
fig, ax = plt.subplots(figsize=(7.2, 4))
for kind, mark, alpha in (
    ("across settings", "s", 0.12),
    ("inside", "o", 0.25),
):
    ax.axvspan(-limits[kind], limits[kind], color=C["null"], alpha=alpha, lw=0)
    ax.plot(
        tau[kind],
        range(len(tau)),
        mark,
        ms=6,
        ls="",
        color=C["unmatched" if mark == "s" else "matched"],
        label=kind,
    )
ax.axvline(0, color=C["null"], lw=1)
ax.set_yticks(range(len(tau)), tau.index)
ax.invert_yaxis()
ax.set(xlabel="Kendall's $\\tau$ with the test error", xlim=(-1, 1))
ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.13), ncols=2)
plt.show()

# %% tags=["hide-input"]


def halves_of_error(name):
    """Test errors of the networks of a setting on the two halves of the test images."""
    x, y = settings_of[name].test.x, settings_of[name].test.y
    parts = data.Split(x[:half], y[:half]), data.Split(x[half:], y[half:])
    return [
        [1 - training.accuracy(m, part) for m in ensemble[name]]
        for part in parts
    ]


error_halves = np.array(
    [halves_of_error(name) for name in settings_of]
)  # (S, 2, n)
of_seeds = [stats.spearmanr(*both).statistic for both in error_halves]
of_settings = stats.spearmanr(*error_halves.mean(2).T).statistic
spread_of_seeds = errors.groupby("setting")["test error"].std().mean()
rate = errors["test error"].mean()
by_counting = (rate * (1 - rate) / len(images.test)) ** 0.5

# %% tags=["remove-cell"]
claims.check(
    "lenses_seeds_error",
    np.mean(of_seeds),
    images.name,
    null=of_settings,
    repeats=of_seeds,
)
turned = tau[np.sign(tau["across settings"]) != np.sign(tau["inside"])]
most = tau["across settings"].abs().idxmax()
beyond = {
    kind: [m for m in predictors if abs(tau[kind][m]) > limits[kind]]
    for kind in tau
}

# %% tags=["remove-input"]
Markdown(
    f"**Inside a setting there is nothing to know.** The networks of a setting differ in their test errors by {percent(spread_of_seeds, 2)} (standard deviation), which is what counting "
    f"{len(images.test):,} images gives by itself ({percent(by_counting, 2)} for independent ones; networks share the images, so it may be less). "
    f"Measured on two halves of the test images, the errors of the networks of a setting correlate at {number(np.mean(of_seeds))} on average, those of settings at {number(of_settings)}. "
    "So the prediction that no measure knows the error inside a setting came true for a trivial reason: seeds of one recipe are equally good, as far as these images can tell. "
    + (
        "**Across settings** no measure is beyond chance either. "
        if not beyond["across settings"]
        else f"**Across settings** {listed(beyond['across settings'])} are beyond chance. "
    )
    + f"The largest tau is that of {most}, {number(tau['across settings'][most])}, where the limit is {number(limits['across settings'])}. "
    f"For {listed(turned.index)} the sign across settings is not the one inside: {{term}}`Simpson's paradox` in its usual form, although here neither side is more than chance. "
    "We expected several measures to know the error across settings. They do not, as soon as the settings "
    "differ in more than one way and the training error is the same for all."
)

# %% [markdown]
# ## What makes a network?
#
# If the lenses describe what networks have in common, it should be possible to draw a new network from a description. The
# descriptions of the ensemble form a ladder, from the least to the most:
#
# - *random weights* (no description at all);
# - the *spectrum*: the singular values of a trained network, with random directions ({py:func}`.lenses.from_spectrum`);
# - the *covariance*: rows drawn from the Gaussian with the covariance of a trained network's rows, turned into its
#   frame ({py:func}`.covariance.rainbow`);
# - the *Gram matrix*: all rows of a trained network, mixed by a random rotation ({py:func}`.lenses.rotated_units`). Its covariance is
#   exactly the trained one; only the units are gone;
# - the *matched frame*: each unit's weights drawn from the Gaussian of the units that are matched to it in all
#   networks of the ensemble ({py:func}`.matching.sample_gaussian`);
# - the *mean in the matched frame*: no draw at all, the average of all networks ({py:func}`.matching.consensus`).
#
# Each is judged twice: with the classifier that it comes with, and with a new one, by ridge regression on the same training images. The
# ridge penalty decides much, so it is chosen for each network by images on which neither the network nor
# the classifier was trained ({numref}`fig-descriptions`).

# %%
setting = settings_of["base"]
members, matched = ensemble["base"], matching.consensus(ensemble["base"])
n_train = len(setting.train)
chosen_on = data.Split(
    images.train.x[-n_train // 2 :], images.train.y[-n_train // 2 :]
)


def new_classifier(model):
    """The same hidden layer with a ridge classifier, its penalty chosen on other images."""
    found = [
        covariance.ridge_readout(model, 2, setting.train, p)
        for p in (0.01, 0.1, 1, 10)
    ]
    return max(found, key=lambda m: training.accuracy(m, chosen_on))


def draw(kind, k):
    """One network from a description; k is the draw."""
    g, one = torch.Generator().manual_seed(k), members[k % len(members)]
    few = [
        m for i, m in enumerate(matched) if i % 2 == k % 2
    ]  # half of the networks each
    made = {
        "random weights": lambda: training.start(setting.make_model, 500 + k),
        "spectrum": lambda: lenses.from_spectrum(one, g),
        "white rows": lambda: covariance.rainbow(
            one, setting.train, generator=g, rows="white"
        ),
        "covariance": lambda: covariance.rainbow(
            one, setting.train, generator=g
        ),
        "Gram matrix": lambda: lenses.rotated_units(one, g),
        "random labels": lambda: random_labels[k % len(random_labels)],
        "mean as they came": lambda: matching.average(
            [m for i, m in enumerate(members) if i % 2 == k % 2]
        ),
        "matched frame": lambda: matching.sample_gaussian(matched, g, "units"),
        "mean in the matched frame": lambda: matching.average(few),
        "trained": lambda: one,
    }
    return made[kind]()


KINDS = ["random weights", "spectrum", "white rows", "covariance", "Gram matrix", "random labels",
         "mean as they came", "matched frame", "mean in the matched frame", "trained"]  # fmt: skip
ladder = pd.DataFrame(
    [
        [
            kind,
            training.accuracy(m, setting.test),
            training.accuracy(new_classifier(m), setting.test),
        ]
        for kind in KINDS
        for m in (draw(kind, k) for k in range(knobs.sampled))
    ],
    columns=["description", "its own", "a new one"],
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-descriptions", "caption": "Test accuracy of networks drawn from each description, with the classifier that comes with them (squares) and with a new one by ridge regression (dots); one mark a draw. With their own classifier the mean in the matched frame stands beside the trained networks and all draws fall behind. With a new one the accuracy climbs from the spectrum, which is no better than random weights, over the covariance to the matched frame."}, "image": {"alt": "Ten rows with squares and dots. The dots of the random weights, the spectrum and the white rows lie together at the left of all dots; covariance and Gram matrix lie further right, matched frame and its mean next to the trained networks at the far right. The squares of random weights, spectrum and random labels lie at a tenth; those of the mean in the matched frame lie beside those of the trained networks."}}
fig, ax = plt.subplots(figsize=(7.2, 4.4))
for column, mark, colour in (
    ("its own", "s", C["unmatched"]),
    ("a new one", "o", C["matched"]),
):
    rows = ladder.description.map(KINDS.index)
    ax.plot(
        ladder[column],
        rows,
        mark,
        ms=6,
        alpha=0.7,
        color=colour,
        mew=0,
        label=f"{column} classifier"
        if column == "its own"
        else "a new classifier",
    )
ax.axvline(1 / len(images.classes), color=C["null"], lw=1, ls=":")
ax.set_yticks(range(len(KINDS)), KINDS)
ax.invert_yaxis()
ax.set(xlabel="test accuracy (dotted: chance)")
ax.legend(loc="upper center", bbox_to_anchor=(0.4, 1.13), ncols=2)
plt.show()

# %% tags=["remove-cell"]
by_kind = ladder.groupby("description")
ladder_means = by_kind[["its own", "a new one"]].mean()
floor, ceiling = (
    ladder_means["a new one"][k] for k in ("random weights", "trained")
)


def gained(kind):
    """Share of what training adds to the accuracy with a new classifier, per draw."""
    return (
        (by_kind.get_group(kind)["a new one"] - floor) / (ceiling - floor)
    ).to_numpy()


rotated_mean = matching.average(
    [members[0]]
    + [
        matching.align(
            members[0],
            lenses.rotated_units(m, torch.Generator().manual_seed(k)),
        )
        for k, m in enumerate(members[1:])
    ]
)
whole_mean = matching.average(matched)


def noisy(k):
    """A network of the ensemble with as much noise as lies between it and the mean."""
    result, g = models.clone(matched[k]), torch.Generator().manual_seed(k)
    for p, q in zip(result.parameters(), whole_mean.parameters(), strict=True):
        noise = torch.randn(p.shape, generator=g).to(p)
        p.data += noise * ((q - p).norm() / noise.norm())
    return result


by_noise = np.mean(
    [
        [
            training.accuracy(noisy(k), part)
            for part in (setting.train, setting.test)
        ]
        for k in range(len(members))
    ],
    0,
)
of_trained = ladder_means["its own"]["trained"]
claims.check(
    "lenses_mean",
    ladder_means["its own"]["mean in the matched frame"] / of_trained,
    images.name,
    null=max(
        training.accuracy(rotated_mean, setting.test),
        ladder_means["its own"]["mean as they came"],
        by_noise[1],
    )
    / of_trained,
    repeats=by_kind.get_group("mean in the matched frame")[
        "its own"
    ].to_numpy()[:2]
    / of_trained,
)
claims.check(
    "lenses_units",
    gained("matched frame").mean(),
    images.name,
    null=max(
        gained(k).mean() for k in ("Gram matrix", "covariance", "random labels")
    ),
    repeats=gained("matched frame"),
)
claims.check(
    "lenses_gram",
    gained("Gram matrix").mean(),
    images.name,
    null=max(gained("spectrum").mean(), gained("white rows").mean()),
    repeats=gained("Gram matrix"),
)
fitted_by_mean = training.accuracy(whole_mean, setting.train)

# %% tags=["remove-input"]
Markdown(
    f"With a new classifier, random weights reach {percent(floor, 1)} and trained networks {percent(ceiling, 1)}. Of this gain "
    f"the spectrum in random directions brings {percent(gained('spectrum').mean())} and white rows {percent(gained('white rows').mean())}: the spectrum says *how much*, and nothing of *what*. "
    f"The covariance brings {percent(gained('covariance').mean())}, the Gram matrix {percent(gained('Gram matrix').mean())}, and random labels {percent(gained('random labels').mean())}. "
    f"Units drawn in the matched frame bring {percent(gained('matched frame').mean())}, their mean {percent(gained('mean in the matched frame').mean())}. So a part of what makes these networks work is in the subspaces, which "
    "any rotation of the units has, and the rest is in the units themselves. "
    f"With its own classifier, the mean of half of the networks in the matched frame is right on {percent(ladder_means['its own']['mean in the matched frame'], 1)}, "
    f"as good as the trained ones ({percent(of_trained, 1)}); the same mean has {percent(training.accuracy(rotated_mean, setting.test), 1)} if the units of all but one are rotated before they are matched, and "
    f"{percent(ladder_means['its own']['mean as they came'], 1)} with units as they came. "
    f"The mean of all {len(members)} networks has {percent(training.accuracy(whole_mean, setting.test), 1)} and fits {percent(fitted_by_mean)} of the training images, all of which each of them fits. "
    f"Noise of the same size would have left a network {percent(by_noise[1], 1)} and {percent(by_noise[0])}. So the way to the mean is no random way: what it gives up of the training labels costs nothing on test images. "
    "Against our prediction the mean beats rows drawn from the covariance, by far."
)

# %% [markdown]
# ## Does chapter 2's finding travel?
#
# In {doc}`chapter 2 </notebooks/02_circle_ablation>` most of the variance of log loss over subnetworks was in *pairs* of units, and a
# subnetwork was like its complement. On digits neither was found. Here is more to hold it against: eight 64-15-10 networks on digits, with
# all $2^{15}$ subnetworks each, and all networks of this chapter with their units in 12 random groups, $2^{12}$ subnetworks each.
#
# One thing differs between tasks that has nothing to do with pairs: how the loss depends on the mere *number* of removed units. So we look at
# the log loss as it is and at what is left when its mean over subsets of the same size is taken out
# ({py:func}`.lenses.degree_shares`).

# %%
digits, circle = data.digits(), data.circle(4000, seed=1)
of_digits = {"lr": 0.1, "epochs": 300, "progress": False}
of_circle = {
    "lr": 0.01,
    "optimizer": "adam",
    "epochs": 200,
    "schedule": "cosine",
    "progress": False,
}
small = {
    "digits": (
        lambda: models.mlp([64, 15, 10]),
        digits.train,
        digits.test,
        of_digits,
    ),
    "circle": (
        lambda: models.mlp([2, 15, 2]),
        circle,
        data.circle(500, seed=23),
        of_circle,
    ),
}
trained_small = {
    name: training.fit_ensemble(make, train, range(knobs.circles), **recipe)
    for name, (make, train, _, recipe) in small.items()
}
labels = digits.train.y[
    torch.randperm(
        len(digits.train), generator=torch.Generator().manual_seed(0)
    )
]
by_heart = training.fit_ensemble(
    small["digits"][0],
    data.Split(digits.train.x, labels),
    range(knobs.circles),
    **of_digits,
)


def louder(model, like, split):
    """An untrained network whose logits are multiplied to the size of another's."""
    result = models.freeze(models.clone(model))
    factor = (
        training.logits(like, split.x).std()
        / training.logits(model, split.x).std()
    )
    for p in result[-1].parameters():
        p.data *= factor
    return result


def shares(networks, split, n_groups=None):
    """Of each network: degrees one and two and the complement, as it is and beyond size."""
    found = []
    for model in networks:
        groups = (
            None
            if n_groups is None
            else lenses.random_groups(ablation.n_units(model), n_groups)
        )
        losses = ablation.all_losses(model, split, groups=groups)
        found.append(
            [
                *lenses.degree_shares(losses),
                *lenses.degree_shares(losses, beyond_size=True),
            ]
        )
    return np.array(found)


of_subsets = {
    name: (
        shares(trained_small[name], test),
        shares(
            [
                louder(training.start(make, 700 + k), m, test)
                for k, m in enumerate(trained_small[name])
            ],
            test,
        ),
    )
    for name, (make, _, test, _) in small.items()
}
for name, s in settings_of.items():
    test = s.test.first(knobs.images // 2)
    loud = [
        louder(m, n, test)
        for m, n in zip(untrained[name], ensemble[name], strict=False)
    ]
    of_subsets[name] = shares(ensemble[name], test, 12), shares(loud, test, 12)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            name: [*t.mean(0)[[0, 1, 2, 4, 5]], u[:, 4].mean()]
            for name, (t, u) in of_subsets.items()
        },
        index=[
            "degree one",
            "degree two",
            "complement",
            "degree two beyond size",
            "complement beyond size",
            "untrained: degree two beyond size",
        ],
    ).T.rename_axis("networks"),
    digits=2,
)

# %% tags=["remove-cell"]
wide_ones = [name for name in settings_of if name != "whitened"]
beyond_size = {name: t[:, 4] for name, (t, _) in of_subsets.items()}
untrained_beyond = {name: u[:, 4] for name, (_, u) in of_subsets.items()}
random_beyond = shares(random_labels, images.test.first(knobs.images // 2), 12)[
    :, 4
]
claims.check(
    "lenses_pairs_of_units",
    np.mean([beyond_size[name].mean() for name in wide_ones]),
    images.name,
    null=max(untrained_beyond[name].mean() for name in wide_ones),
    repeats=[beyond_size[name].mean() for name in wide_ones],
)

# %% tags=["remove-input"]
Markdown(
    "So our prediction was too simple. As it is, the log loss of the digits has as much in single units as in pairs "
    f"({number(of_subsets['digits'][0][:, 0].mean())} and {number(of_subsets['digits'][0][:, 1].mean())}), its complement correlation is "
    f"{number(of_subsets['digits'][0][:, 2].mean())}, and the settings of this chapter go from {number(min(of_subsets[n][0][:, 1].mean() for n in settings_of))} to "
    f"{number(max(of_subsets[n][0][:, 1].mean() for n in settings_of))} in degree two. But the size of the subset is what differs. Beyond it, pairs hold "
    f"{number(beyond_size['circle'].mean())} on the circle, {number(beyond_size['digits'].mean())} on digits, and {number(min(beyond_size[n].mean() for n in wide_ones))} to "
    f"{number(max(beyond_size[n].mean() for n in wide_ones))} in all settings but the whitened one ({number(beyond_size['whitened'].mean())}), whose networks err so often on test images that the number of units is nearly all that counts. "
    "Untrained networks whose logits are made as large as those of trained ones have "
    f"{number(min(v.mean() for v in untrained_beyond.values()))} to {number(max(v.mean() for v in untrained_beyond.values()))}. "
    f"Networks with random labels have {number(random_beyond.mean())}: it is training that makes units count in pairs, and what the labels mean does not matter. "
    "The reason is chapter 2's: the loss depends on how far a wrong class can be pushed up by some units and held down by others, and that is a product."
)

# %% [markdown]
# The same small networks answer a last question exactly. Do units that are *matched* have the same importance? The
# {term}`Shapley value` of each unit of each 64-15-10 network is exact. Two explanations stand against it: dead units match dead units
# and are worth nothing, so they are left out; and large units match large units and are worth more. So the null pairs units by their *size* alone.

# %%
values = {
    "digits": [
        ablation.shapley_values(ablation.all_losses(m, digits.test).log())
        for m in trained_small["digits"]
    ],
    "random labels": [
        ablation.shapley_values(ablation.all_losses(m, digits.test).log())
        for m in by_heart
    ],
}


def importance(networks, worth, i, j):
    """Rank correlations of the worth of units: matched, paired by size, matched at fixed sizes."""
    statistics = moments(networks, digits.test.x, [2])[2]
    partner = matching.match(networks[i], networks[j])[0]
    sizes = [lenses.unit_sizes(networks[k]) for k in (i, j)]
    by_size = torch.empty_like(partner)
    by_size[sizes[0].argsort()] = torch.from_numpy(sizes[1].argsort())
    found = []
    for order, fixed in ((partner, False), (by_size, False), (partner, True)):
        live = ~statistics.dead(i) & ~statistics.dead(j)[order]
        here, there = live.numpy(), order[live].numpy()
        controls = [sizes[0][here], sizes[1][there]] if fixed else []
        found.append(
            spectra.rank_correlation(
                worth[i][here], worth[j][there], controls, draws=0
            )[0]
        )
    return found


duos = [(i, j) for j in range(knobs.circles) for i in range(j)]
same_worth = {
    kind: np.array([importance(networks, values[kind], i, j) for i, j in duos])
    for kind, networks in (
        ("digits", trained_small["digits"]),
        ("random labels", by_heart),
    )
}

# %% tags=["remove-cell"]
apart = [
    duos.index(tuple(sorted(p)))
    for p in lenses.disjoint_pairs(knobs.circles)[0].tolist()
]
claims.check(
    "lenses_importance",
    same_worth["digits"][:, 1].mean(),
    "digits",
    null=same_worth["digits"][:, 0].mean(),
    repeats=same_worth["digits"][apart, 1],
)

# %% tags=["remove-input"]
Markdown(
    f"Matched units have a rank correlation of {number(same_worth['digits'][:, 0].mean())} in their worth (mean over {len(duos)} pairs of networks). But units that are paired by size alone, whatever they detect, have "
    f"{number(same_worth['digits'][:, 1].mean())}. With the sizes held fixed, matched units have {number(same_worth['digits'][:, 2].mean())}, and in networks with random labels {number(same_worth['random labels'][:, 2].mean())}. "
    "So units that look alike do not do alike, beyond being equally large."
)

# %% [markdown]
# ## A figure with a handle
#
# Choose a setting and two networks in {numref}`fig-pair-chooser`. Each lens keeps its axis, so settings can be
# compared; the text below says where a pair is no more alike than a null is on average.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-pair-chooser", "caption": "A figure with a handle: one pair of networks through all lenses (large dot), among all pairs of its setting (small dots), with the means of untrained pairs and of pairs with the same random labels. To the right means more alike."}}
shown = {
    "untrained": null_pairs["untrained"],
    "the same random labels": dict.fromkeys(pairs, null_pairs["random labels"]),
}
lenses.pair_chooser(pairs, shown, {m: m for m in six})

# %% [markdown]
# ## Your own pair
#
# {py:func}`.lenses.compare` takes any two networks of linear, convolutional and pooling layers with ReLUs, and images of
# known classes. Each lens stands beside the null that takes away what it looks for, drawn 19 times; the one shown is the
# one that comes closest to likeness, so a pair with nothing in common passes it once in twenty times. Where a lens does not
# apply there is no number but a reason. Here are two networks of the base, and one of the base with one of another width.

# %%
one_recipe = lenses.compare(
    *ensemble["base"][:2], images.test.first(knobs.images // 2)
)
two_widths = lenses.compare(
    ensemble["base"][0],
    ensemble["narrow"][0],
    images.test.first(knobs.images // 2),
)

# %% tags=["remove-input"]
plotting.table(one_recipe.drop(columns="reason"), digits=2)

# %% tags=["remove-input"]
plotting.table(two_widths[["value", "null", "alike if", "reason"]], digits=2)

# %% tags=["remove-input"]
passed = one_recipe[
    np.where(
        one_recipe["alike if"] == "above",
        one_recipe.value > one_recipe.null,
        one_recipe.value < one_recipe.null,
    )
].index
Markdown(
    f"The pair of one recipe passes {listed(passed)}. That a lens is passed says that two networks are more alike than its null, and not that a task made them so: "
    "for that the null must be trained as well, as the random labels are above. `compare` cannot train for you; if you can, "
    "train a second pair on labels in random order and compare the two tables."
)

# %% [markdown]
# ## What came of the predictions
#
# | prediction | what came |
# |---|---|
# | 1 | half right: spectra are the recipe's, but so is the share of degree one |
# | 2 | wrong: no two lenses agree about settings beyond chance |
# | 3 | wrong: matching, covariance and convergence find the same pairs alike |
# | 4 | empty: kappas of pairs do not repeat on other images; outputs do, and go with the weights' covariance |
# | 5 | half wrong: no measure knows the error across settings; half empty: inside a setting there is no error to know |
# | 6 | half right: the spectrum makes nothing, but the mean in the matched frame is better than rows drawn from the covariance |
# | 7 | wrong, once the size of the subset is taken out |

# %% [markdown]
# (what-the-book-found)=
# ## What the book found
#
# Networks were trained on the same task from different starts. What do they have in common?
#
# 1. **Their weights, up to the order of units, in part.** Matched, they agree far more than untrained networks. Most of
#    that comes back with labels that mean nothing ({doc}`chapter 1 </notebooks/01_matching_mlps>`, and here).
# 2. **Their subspaces.** What training adds to the weights has nearly one covariance in the first layer. This is the lens in
#    which the meaning of the labels shows most ({doc}`chapter 3 </notebooks/03_covariance_universality>`, and here).
# 3. **Their units, a little.** Axes that networks share beat rotated axes; what makes a network work is partly in the subspaces,
#    and the rest in the units ({doc}`chapter 4 </notebooks/04_convergent_learning>`, and the ladder here).
# 4. **The way in which units depend on each other.** Beyond the mere number of removed units, what a unit does depends on which others are kept
#    more than on itself, on a circle, on digits and on pictures ({doc}`chapter 2 </notebooks/02_circle_ablation>`, and here).
# 5. **Not the importance of single units.** Units that look alike are equally important no more than their sizes say.
# 6. **Their spectra, as a mark of the recipe.** They tell recipes apart, two networks of one recipe never, and make no network
#    ({doc}`chapter 5 </notebooks/05_heavy_tailed_spectra>`, and here).
# 7. **Their average works.** In the matched frame the mean of networks is as good as they are, although it forgets much of what each of them learned by heart.
# 8. **Their error.** Seeds of one recipe are equally good, as far as the test images can tell, so nothing about a single
#    network can know its error; across recipes no lens did beyond chance.
#
# The short answer to the title: networks of one recipe share nearly everything that one number can hold, because the
# recipe fixes it. What two of *them* share beyond the recipe is small, is seen by three of five lenses alike, and
# is in their subspaces first and in their units second. And a part of every agreement is there without any task.
# All of it was measured on small networks and small pictures; each claim names where.
#
# ## Ledger
#
# A value outside its band, or a null inside it, stops the build. Repeats are disjoint pairs, settings, or draws.

# %% tags=["remove-input"]
claims.table("06_five_lenses")

# %% [markdown]
# ## Exercises
#
# **1.** Why may the 28 pairs of eight networks not be counted as 28 independent values? Draw one number for each of eight networks, let a
# pair have the sum of its two, and compare the standard error of the mean of the pairs with the one that would hold for independent pairs.
#
# :::{admonition} Solution
# :class: dropdown
# The mean over pairs is twice the mean of the eight numbers, with variance $4\sigma^2/8$. Pairs have variance $2\sigma^2$ each, and if they were
# independent their mean would have $2\sigma^2/28$: eight times less, so an interval would be $\sqrt 7$ times too short.
# ```python
# rng = np.random.default_rng(0)
# upper = np.triu_indices(8, 1)
# numbers = rng.normal(size=(4000, 8))
# of_pairs = (numbers[:, :, None] + numbers[:, None])[:, *upper]
# true = of_pairs.mean(1).std()
# naive = of_pairs.std(1, ddof=1).mean() / 28**0.5
# assert 2.2 < true / naive < 3.2
# ```
# :::
#
# **2.** The covariance lens finds the networks of few images more alike than those of many. Does training on fewer images make networks share more?
# Hold the numbers against their null.
#
# :::{admonition} Solution
# :class: dropdown
# Untrained networks have most of it already: they see the same images, which vary in few directions, through random weights. With few
# images, training moves the weights less. What is shared beyond the untrained is larger with few images in this lens, but in the covariance of the weights, with
# its isotropic part out, where untrained networks have nothing in common, it is the other way round. Two readings of one lens, two answers.
# ```python
# few, many = (pairs[name] for name in ("few images", "many images"))
# assert few.covariance.mean() > many.covariance.mean()
# assert few["weight covariance"].mean() < many["weight covariance"].mean()
# assert abs(null_pairs["untrained"]["base"]["weight covariance"].mean()) < 0.1
# ```
# :::
#
# **3.** Rotate the hidden units of a trained network, as {py:func}`.lenses.rotated_units` does. Which lenses do not notice? Predict first, then
# use {py:func}`.lenses.compare`.
#
# :::{admonition} Solution
# :class: dropdown
# The spectra do not: a rotation leaves singular values alone, and so does the covariance of the rows. Matching, convergence and what the
# network does are lost. The covariance of *activations* is changed, because the ReLU stands behind the rotation.
# ```python
# one = ensemble["base"][0]
# turned_one = lenses.rotated_units(one, torch.Generator().manual_seed(0))
# assert lenses.spectral_distance(one, turned_one) < 1e-3
# assert lenses.weight_covariance_cosine(one, turned_one) > 0.999
# aligned = matching.align(one, turned_one)
# assert lenses.weight_correlation(one, aligned) < 0.8
# assert training.accuracy(turned_one, images.test) < training.accuracy(one, images.test)
# ```
# :::
#
# ## Further reading
#
# Measures of likeness and what is known of them: {cite:t}`klabunde2025`. Tests that a measure should pass: {cite:t}`ding2021`. Do measures of
# representations go with behaviour? {cite:t}`bo2024`; which of them separate models, and what they add up to: {cite:t}`wu2026`.
# Consistency of errors: {cite:t}`geirhos2020`. Permutation tests of pairs, and of many hypotheses: {cite:t}`mantel1967`, {cite:t}`nichols2002`.
# Intraclass correlations: {cite:t}`mcgraw1996`.
