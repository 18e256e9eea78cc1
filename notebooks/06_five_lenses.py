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
# them tells two networks apart, which tells two *{term}`recipes <recipe>`* apart, which knows anything about the error,
# and which description is enough to make a network that works as well as they do?
#
# **What you will be able to do.** Put one {term}`ensemble` under all {term}`lenses <lens>`; split a variance into the part of the
# recipe and the part of the {term}`seed`; test whether measures of pairs agree although pairs share networks; tell an
# absence from a measurement that is too noisy to show anything; draw networks from descriptions of an
# ensemble; and compare two networks of your own.
#
# **What you need.** The ideas of chapters {doc}`1 </notebooks/01_matching_mlps>` to
# {doc}`5 </notebooks/05_heavy_tailed_spectra>`, each of which is named where it is used;
# {term}`analysis of variance`; {term}`permutation tests <permutation test>`. Symbols are those of the {doc}`notation page </book/notation>`.
#
# **Time.** About 45 minutes to read. {run-time}`here`
#
# The five chapters before this one follow published documents. This one follows none: what it asks can only be asked
# where all five measurements are made of the same networks.

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from scipy import stats

from netdist_course import quiz
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
    small=(4, 16, 32),
)
FIVE = ["matching", "ablation", "covariance", "convergence", "spectra"]

# %% [markdown]
# ## What we expect
#
# Predictions that are made afterwards are always right. So these were written before any number of this
# chapter was known, and they stay as they were. What came of each stands at the end.
#
# 1. *Recipe or seed.* The {term}`spectra <spectrum>` are a property of the recipe: more than 90 % of the variance of the
#    {term}`stable rank` lies between recipes. What removal of {term}`units <unit>` does (chapter 2) is a property of the seed: less than half.
# 2. *{term}`Settings <setting>`.* Where networks are more alike in their {term}`covariances <covariance>` they are more alike unit by unit as well.
# 3. *Pairs.* Inside one setting the lenses do not agree about which pairs are alike, but for two lenses that
#    look at the same {term}`activations <activation>`, those of chapters 3 and 4.
# 4. *Errors of pairs.* Inside one setting no lens knows which pairs err on the same images.
# 5. *The test error.* Across settings several measures go with the error. Inside a setting none does.
# 6. *What makes a network.* From the spectrum alone nothing comes out that beats {term}`random features`. The mean of
#    the networks in the matched {term}`frame` is worse than rows drawn from their covariance.
# 7. *Chapter 2 travels.* No: {term}`degree` two and the {term}`complement` were the circle's.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote first: which of these will come true?" say="Let everybody write down a yes or a no for each, and keep the sheet. The authors wrote all four down as a yes before they had a number. Only after the vote: two of these were wrong."
# - More than nine tenths of the variance of the stable rank lie between recipes.
# - Over the pairs of a setting, matching agrees with no other lens.
# - From the spectrum alone nothing comes out that beats random features.
# - The mean of matched networks is worse than rows drawn from their covariance.

# %% [markdown]
# ## The ensemble
#
# One data set, one family of architectures, nine recipes: a base, and eight settings that change one thing each.
# {py:func}`.zoo.setting` defines them; chapter 5 uses some of the same networks. In six of the settings the networks
# have one shape and see the same images, so that network $k$ starts from the same weights and the same function in each
# of them, and what is due to the start can be told from what is due to the recipe. Every network is trained until it
# fits its labels, or nearly.

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
SAME_START = [
    "base",
    "few images",
    "many images",
    "wrong labels",
    "weight decay",
    "large rate",
]


def starts(setting, n):
    """Untrained networks, none of which is the start of a trained one."""
    return [training.start(setting.make_model, 100 + k) for k in range(n)]


# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            name: {
                "training images": len(s.train),
                "hidden units": s.make_model()[1].out_features,
                "wrong labels": percent(zoo.FAMILY[name].get("wrong", 0)),
                "weight decay": f"{s.recipe['weight_decay']:g}",
                "learning rate": f"{s.recipe['lr']:g}",
                "epochs": s.recipe["epochs"],
            }
            for name, s in settings_of.items()
        }
    ).T.rename_axis("setting")
)

# %% [markdown]
# *Whitened* ({term}`whitening`) means that the principal components of the images have nearly equal variances
# ({py:func}`.zoo.setting` says how). The {term}`learning rate` falls smoothly to zero (`schedule="cosine"`).
#
# Two {term}`nulls <null>` go along with everything. {term}`Untrained networks <untrained network>` of each shape
# show what the architecture and the images give for nothing. Networks that were trained on {term}`random labels`,
# by the recipe of the base, show what training gives where there is nothing to learn but the training images by heart.
# All of them have the *same* random labels, which is the stronger null, since it leaves them a task in common.

# %%
# With nine wrong labels in ten, right ones are as many as by chance.
meaningless = zoo.setting(images, wrong=0.9)
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

# %% tags=["hide-input"] slide="Most settings differ in their test error by far more than the seeds of one setting do." say="One dot a network. Nearly all fit their labels, so what differs is what they do on other images. The base and weight decay lie close together." mystnb={"figure": {"name": "fig-ensemble", "caption": "Test error of each network of the ensemble, one dot a network. Most settings differ by far more than the seeds of one setting do."}, "image": {"alt": "A strip plot of nine rows, one a setting, with a tight group of dots in each. Many images lies farthest left, then wide, base and weight decay close together, large rate, narrow, few images and wrong labels, and whitened farthest right."}}
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
    + (
        "The networks with random labels fit all of them. "
        if min(fits_of_random) == 1
        else f"Of the random labels, each network fits at least {percent(min(fits_of_random), 1)}. "
    )
    + f"The errors are high (chance is {percent(1 - 1 / len(images.classes))}), because there are "
    f"at most {max(len(s.train) for s in settings_of.values()):,} training images and one hidden layer, which are what makes a training error of zero cheap. The lenses need comparable networks, "
    "not good ones; whether good ones would give the same answers is open."
)

# %% [markdown]
# ## Five lenses
#
# Each lens becomes one number for a pair of networks, such that more means more alike, and some become one for a network.
#
# | lens | of a pair of networks | of one network |
# |---|---|---|
# | matching ({doc}`chapter 1 </notebooks/01_matching_mlps>`) | correlation of all weights as trained, units matched by weights ({term}`weight matching`) | *{term}`norm`* of the first layer |
# | {term}`ablation` ({doc}`2 </notebooks/02_circle_ablation>`) | {term}`rank correlation` of what it costs to remove matched units, their sizes held fixed | *degree one*: share of the variance of {term}`log loss` that single groups of units explain, when 12 random groups are kept or removed; *degree two beyond size*: share of pairs of groups, once the mean over subsets of one size is taken out |
# | covariance ({doc}`3 </notebooks/03_covariance_universality>`) | share of the variance of one network's activations that a rotation of the other's explains, on images on which it was not fitted | |
# | convergence ({doc}`4 </notebooks/04_convergent_learning>`) | mean correlation of units matched by activations ({term}`activation matching`), less the same with a rotated partner ({term}`rotation test`) | |
# | spectra ({doc}`5 </notebooks/05_heavy_tailed_spectra>`) | mean difference of log {term}`eigenvalues <eigenvalue>`, with a minus sign | {term}`exponent <power-law exponent>` *alpha*, stable rank and number of {term}`spikes <spike>` of the first layer |
# | errors | {term}`Cohen's kappa` of which test images are right | test error |
#
# The last row is the anchor: what networks *do*, apart from how they are made. Kappa is the agreement beyond what two error rates
# give by chance {cite:p}`geirhos2020`; that some classes are harder than others stays in it.
# {py:func}`.lenses.measure_pairs` and {py:func}`.lenses.measure_network` compute all of it on test images, and
# {numref}`fig-lenses` shows the pairs.
#
# One choice hides in the first lens. With a {term}`ReLU`, a factor may be moved from a unit's incoming weights to its outgoing ones and no answer changes; how many weights count for how much
# does. This {term}`gauge` is as training left it, in the lenses of matching and of covariance. So for the base and its nulls matching is measured once more in
# the {term}`canonical scale`, in which all units have incoming weights of norm 1, and each layer by itself.


# %% tags=["hide-input"]
def look(networks, split):
    """All pairs of some networks through all lenses, on the first test images."""
    return lenses.measure_pairs(networks, split.first(knobs.images))


pairs = {name: look(ensemble[name], s.test) for name, s in settings_of.items()}
null_pairs = {
    name: look(
        starts(s, knobs.seeds if name == "base" else knobs.untrained), s.test
    )
    for name, s in settings_of.items()
    if name not in SAME_START[1:]
}
null_pairs |= dict.fromkeys(SAME_START, null_pairs["base"])
by_heart = look(random_labels, images.test)


def match_canonical(networks):
    """Correlations of matched weights in the canonical scale: all, first layer, last layer."""
    scaled = [matching.canonical(m) for m in networks]
    rows = {}
    for i, j in zip(*np.triu_indices(len(scaled), 1), strict=True):
        a, b = scaled[i], matching.align(scaled[i], scaled[j])
        each = [
            np.corrcoef(
                a[k].weight.detach().cpu().ravel(),
                b[k].weight.detach().cpu().ravel(),
            )
            for k in (1, 3)
        ]
        rows[i, j] = [lenses.weight_correlation(a, b), *(c[0, 1] for c in each)]
    scales = ["all weights", "first layer", "last layer"]
    return pd.DataFrame.from_dict(rows, "index", columns=scales)


canonical = {
    "the task": match_canonical(ensemble["base"]),
    "random labels": match_canonical(random_labels),
    "untrained": match_canonical(starts(settings_of["base"], knobs.untrained)),
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
single = single.rename(columns={"pairs beyond size": "degree two beyond size"})
single["test error"] = errors.set_index(["setting", "seed"])["test error"]
six = [*FIVE, "errors"]

# %% tags=["hide-input"] slide="As trained, the base lies above both nulls in all lenses but the spectra, and much of it is in the nulls." say="Look at the row of the base first. The bar is training without meaning, the diamond is no training. Ask in which lens the bar lies closest to the dots, measured by the way from the diamond. It is matching, and there the order of bar and dots even turns if all units are brought to one scale." mystnb={"figure": {"name": "fig-lenses", "caption": "What each lens says of all pairs of networks of one setting (dots) and of untrained pairs of the same shape (diamonds: means); in the row of the base the mean of pairs with the same random labels (upright bar). To the right means more alike."}, "image": {"alt": "Six panels with nine rows each. In matching, convergence and errors the dots lie far to the right of the diamonds in every row, and so do nearly all in ablation. In the row of the base the bar lies close to the left of the dots in matching, half-way in ablation, convergence and errors, and next to the diamond in covariance. In covariance the dots of many images and large rate lie just right of their diamonds, those of few images furthest. In spectra dots and diamonds overlap in most rows; for narrow the diamond lies left of the dots, for large rate right of nearly all of them."}}
fig, axes = plt.subplots(2, 3, figsize=(7.2, 6.4), sharey=True)
units = [
    "correlation",
    "rank correlation",
    "share",
    "difference",
    "log units",
    "kappa",
]
for ax, lens, unit in zip(axes.flat, six, units, strict=True):
    for row, name in enumerate(settings_of):
        values = pairs[name][lens]
        ax.plot(
            null_pairs[name][lens].mean(),
            row,
            "D",
            ms=6,
            color=C["null"],
            label="untrained" if row == 0 else None,
        )
        ax.plot(
            values,
            np.full(len(values), row),
            "o",
            ms=3.5,
            alpha=0.35,
            color=C["matched"],
            mew=0,
        )
    ax.plot([], [], "o", ms=6, color=C["matched"], label="trained")
    ax.plot(
        by_heart[lens].mean(),
        list(settings_of).index("base"),
        "|",
        ms=15,
        mew=2.5,
        color=C["unmatched"],
        label="random labels",
    )
    ax.set_title(lens, fontsize=11)
    ax.set_xlabel(unit)
axes[0, 0].set_yticks(range(len(settings_of)), settings_of)
axes[0, 0].invert_yaxis()
fig.legend(
    *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3
)
plt.show()

# %% tags=["remove-cell"]


def disjoint(frame, measure):
    """A measure over pairs that have no network in common."""
    first = lenses.disjoint_pairs(knobs.seeds)[0]
    return [frame[measure][min(p), max(p)] for p in first.tolist()]


base = pairs["base"]
in_base = pd.DataFrame(
    {
        "the task": base.mean(),
        "random labels": by_heart.mean(),
        "untrained": null_pairs["base"].mean(),
    }
)
in_canonical = pd.DataFrame(
    {kind: found.mean() for kind, found in canonical.items()}
)
claims.check(
    "lenses_matching",
    in_canonical["the task"]["first layer"],
    images.name,
    null=in_canonical.loc["first layer", ["random labels", "untrained"]].max(),
    repeats=disjoint(canonical["the task"], "first layer"),
)
for measure in ["ablation", "covariance", "convergence", "errors"]:
    claims.check(
        f"lenses_{measure}",
        in_base["the task"][measure],
        images.name,
        null=in_base.loc[measure, ["random labels", "untrained"]].max(),
        repeats=disjoint(base, measure),
    )
more = ["weight covariance", "same partner", "half-way"]
brought = (in_base["random labels"] - in_base["untrained"]) / (
    in_base["the task"] - in_base["untrained"]
)

# %% tags=["remove-input"]
plotting.table(
    (
        pd.concat(
            [
                in_base.loc[[*six, *more]],
                in_canonical.rename(lambda part: f"canonical: {part}"),
            ]
        ).round(3)
        + 0.0
    ).rename_axis("base, mean over pairs")
)

# %% tags=["remove-input"]
below = [
    name
    for name in settings_of
    if pairs[name].covariance.mean() < by_heart.covariance.mean()
    and settings_of[name].make_model()[1].out_features
    == settings_of["base"].make_model()[1].out_features
    and name != "whitened"
]
Markdown(
    "As trained, networks that learned the task are more alike than both nulls in all lenses but the spectra. But much of it is in the nulls. "
    f"Of the rise of the matched correlation over untrained networks, the same random labels bring {percent(brought['matching'])}; of the rise of kappa, {percent(brought['errors'])}; "
    f"of ablation and convergence, {percent(brought['ablation'])} and {percent(brought['convergence'])}; and of the cosine of the weights' covariances "
    f"{percent(brought['weight covariance'])}. "
    f"In the covariance of activations it is only {percent(brought['covariance'])}. It would be rash to call that the meaning of the labels, though: of the settings with the base's shape and images, {listed(below) if below else 'none'} "
    f"{'lies' if len(below) == 1 else 'lie'} below the networks with random labels as well, although their labels mean something. Between settings this lens falls from few images over the base to many images, too, so it depends on more than what labels mean. "
    f"*In matching the order of the two depends on the gauge.* In the canonical scale all weights have {number(in_canonical['the task']['all weights'])} with the task and {number(in_canonical['random labels']['all weights'])} with random labels, "
    f"so there random labels have {'more' if in_canonical['the task']['all weights'] < in_canonical['random labels']['all weights'] else 'less'}; in the last layer they have {number(in_canonical['the task']['last layer'])} and {number(in_canonical['random labels']['last layer'])}. What the task adds in either scale is in the first layer alone "
    f"({number(in_canonical['the task']['first layer'])} and {number(in_canonical['random labels']['first layer'])}, canonical), and the claim in the ledger is about that. "
    f"Matching by weights and matching by activations name the same partner for {percent(in_base['the task']['same partner'])} of the units. "
    f"The mean of two networks, matched (*half-way*), loses {number(-100 * in_base['the task']['half-way'], 1)} points of test accuracy. "
    "Spectra are as alike before training as after in most settings, because two random matrices of one shape have one spectrum, too."
)

# %% [markdown]
# ## Of the recipe or of the seed?
#
# Which number is a property of the recipe, and which of the seed? The {term}`intraclass correlation` is the
# share of a number's variance that lies between settings, in a one-way analysis of variance with random effects,
#
# $$\mathrm{ICC} = \frac{\sigma^2_\text{settings}}{\sigma^2_\text{settings} + \sigma^2_\text{seeds}},$$
#
# and its interval comes from the {term}`F distribution` {cite:p}`mcgraw1996`. An estimate can be below zero, where settings differ by less
# than their seeds would make them. For measures of pairs, pairs must not be counted as independent, for they share networks.
# {py:func}`.lenses.intraclass_of_pairs` takes pairs that have no network in common, in rounds, as in a tournament in which everybody meets everybody,
# and averages the mean squares over the rounds.
#
# Networks of another width, or of whitened images, differ before training already. So the analysis is confined to the
# six settings with common starts. This also lets us ask for the share of the *start* (more exactly, of the seed, which sets the order of the images as
# well): what networks of one seed have in common across settings, once the means of the settings are taken
# out ({numref}`fig-intraclass`).

# %% [markdown] tags=["slide-only", "remove-cell"] slide="How much of a number belongs to the recipe?" say="Ask what the share is if settings do not differ at all. The means of settings differ by chance even then, and the estimate takes off what seeds make of it; it falls below zero where the means differ by less than seeds would make them."
# $$\mathrm{ICC} = \frac{\sigma^2_\text{settings}}{\sigma^2_\text{settings} + \sigma^2_\text{seeds}}$$
#
# Pairs share networks, so for measures of pairs it is taken from pairs without a common network.

# %%
OF_ONE = [
    "degree one",
    "degree two beyond size",
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


of_setting, of_start = {}, {}
for measure in six:
    values = as_matrices([pairs[name] for name in SAME_START], measure)
    of_setting[measure] = lenses.intraclass_of_pairs(values)
for measure in OF_ONE:
    values = np.array(
        [single.loc[name][measure] for name in SAME_START]
    )  # (S, n)
    of_setting[measure] = lenses.intraclass(values)
    of_start[measure] = lenses.intraclass(values.T, blocks=True)

# %% tags=["hide-input"] slide="Most numbers of one network belong to its recipe; few seeds do not show how much the seed holds of the rest." say="Circles are settings, triangles seeds. The bars are wide where removals of units are asked for, so there the question stays open. Settings were chosen, not drawn." mystnb={"figure": {"name": "fig-intraclass", "caption": "Share of the variance that lies between settings (circles), and, of what settings leave, share that lies between seeds (triangles), with 95\u00a0% intervals. Above the line numbers of pairs of networks, below it numbers of one network. Settings were chosen, not drawn, so the intervals speak of settings like these."}, "image": {"alt": "Twelve rows with a circle and a horizontal bar each. Most circles lie next to one with short bars. Ablation and spectra of pairs lie near a half with long bars, and degree two beyond size near a quarter. The triangles of the last six rows lie between about zero and a quarter, with bars that reach from just below zero to a third, a half or more."}}
fig, ax = plt.subplots(figsize=(7.2, 4.2))
rows = {measure: row for row, measure in enumerate(of_setting)}
for found, mark, colour, name in (
    (of_setting, "o", "matched", "settings"),
    (of_start, "^", "unmatched", "seeds"),
):
    for measure, (value, low, high) in found.items():
        shift = 0.12 if mark == "^" else -0.12
        ax.plot(
            [low, high],
            [rows[measure] + shift] * 2,
            color=C[colour],
            lw=2,
            alpha=0.5,
        )
        ax.plot(
            value,
            rows[measure] + shift,
            mark,
            ms=7,
            color=C[colour],
            label=name if measure == "test error" else None,
        )
ax.axhline(len(six) - 0.5, color=C["null"], lw=0.7)
ax.axvline(0, color=C["null"], lw=1)
ax.set_yticks([*rows.values()], [*rows])
ax.invert_yaxis()
ax.set(xlabel="share of variance", xlim=(-0.35, 1.05))
ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)
plt.show()

# %% tags=["hide-input"]


def same_pairs(measure, rng=None, own_part=False):
    """Is one pair of seeds alike in every setting? Mean rank correlation between settings."""
    values = as_matrices([pairs[name] for name in SAME_START], measure)
    if own_part:
        values = lenses.without_networks(values)
    if rng is not None:
        values = np.array(
            [m[p][:, p] for m in values for p in [rng.permutation(len(m))]]
        )
    ranks = stats.rankdata(values[:, *np.triu_indices(knobs.seeds, 1)], axis=1)
    n = len(ranks)
    return (np.corrcoef(ranks).sum() - n) / (n * (n - 1))


def remembered(own_part):
    """The same of each lens, and what the largest of all exceeds in 5 % of random orders."""
    rng = np.random.default_rng(0)
    largest = [
        max(same_pairs(m, rng, own_part) for m in six)
        for _ in range(knobs.orders // 4)
    ]
    found = pd.Series({m: same_pairs(m, own_part=own_part) for m in six})
    return found, np.quantile(largest, 0.95)


(memory, memory_limit), (own_memory, own_memory_limit) = (
    remembered(False),
    remembered(True),
)
kept = memory.index[memory > memory_limit]
own_kept = own_memory.index[own_memory > own_memory_limit]


def crossed(others, n=4):
    """Mean over pairs of networks of the base and of others: of two seeds, and of one seed."""
    n = min(n, knobs.seeds)
    found = look([*ensemble["base"][:n], *others[:n]], images.test)[
        [*six, "outputs"]
    ]
    of_both = np.array([i < n <= j for i, j in found.index])
    same = np.array([j - i == n for i, j in found.index])
    within = np.array([i >= n for i, _ in found.index])
    return {
        "of one kind, two seeds": found[within].mean(),
        "with the base, two seeds": found[of_both & ~same].mean(),
        "with the base, one seed": found[same].mean(),
    }


first_four = base[[max(i, j) < 4 for i, j in base.index]][
    [*six, "outputs"]
].mean()
of_pairs = {"base, two seeds": first_four}
for name, others in {
    "weight decay": ensemble["weight decay"],
    "wrong labels": ensemble["wrong labels"],
    "random labels": random_labels,
    "its start": [
        training.start(settings_of["base"].make_model, k) for k in range(4)
    ],
}.items():
    of_pairs |= {
        f"{name}, {kind}": found for kind, found in crossed(others).items()
    }
of_pairs = pd.DataFrame(of_pairs).T

# %% tags=["remove-cell"]


def without_one(measure):
    """The share with one setting left out, in turn."""
    values = np.array([single.loc[name][measure] for name in SAME_START])
    return [
        lenses.intraclass(np.delete(values, k, 0))[0]
        for k in range(len(values))
    ]


claims.check(
    "lenses_recipe",
    of_setting["stable rank"][0],
    images.name,
    null=of_start["stable rank"][0],
    repeats=without_one("stable rank"),
)


def with_interval(found):
    value, low, high = (number(v) for v in found)
    return f"{value} ({low} to {high})"


# %% tags=["remove-input"]
Markdown(
    f"We expected more than 0.9 for the stable rank, and it has {with_interval(of_setting['stable rank'])}. For what removals do we expected less than a half, and it depends on what is "
    f"asked: the share of degree one has {with_interval(of_setting['degree one'])}, degree two beyond size {with_interval(of_setting['degree two beyond size'])}, the agreement of pairs "
    f"in the lens of ablation {with_interval(of_setting['ablation'])}. Most other numbers are the recipe's. "
    f"Seeds explain {number(max(v[0] for v in of_start.values()))} at most of what settings leave, of {max(of_start, key=lambda m: of_start[m][0])}; eight seeds leave room for more, as the intervals say. "
    "Do *pairs* have a memory? If networks of seeds 1 and 2 are an alike pair in one setting, are they in another? Over the settings this has a mean rank correlation of "
    f"{listed(f'{number(memory[m])} ({m})' for m in kept)}, where the largest of six reaches {number(memory_limit)} in 5 % of random orders. Without what each network brings to all of its pairs (explained below), "
    + (
        f"{listed(f'{number(own_memory[m], 3)} ({m})' for m in own_kept)} {'is' if len(own_kept) == 1 else 'are'} left beyond {number(own_memory_limit, 3)}. "
        if len(own_kept)
        else f"nothing is left beyond {number(own_memory_limit, 3)}; the largest is {number(own_memory.max(), 3)} ({own_memory.idxmax()}). "
    )
    + "So some trace of the seed survives training, most of it in single networks."
)

# %% [markdown]
# Which lens tells two *networks* apart, and which two *recipes*? For this, the first four networks of the base are paired with four networks of
# other kinds, of other seeds and of the same seeds; the last kind are their own starts.

# %% tags=["remove-input"]
plotting.table((of_pairs.round(3) + 0.0).rename_axis("mean over pairs"))

# %% tags=["remove-input"]


def of(kind, pair, measure, digits=2):
    """A number of the table above."""
    return number(of_pairs[measure][f"{kind}, {pair}"], digits)


ONE, TWO = "with the base, one seed", "with the base, two seeds"
Markdown(
    f"*The seed.* In the lens of matching, two recipes with one seed ({of('weight decay', ONE, 'matching')} with decay, {of('wrong labels', ONE, 'matching')} with wrong labels) are more alike than two seeds of one recipe "
    f"({of('base', 'two seeds', 'matching')}), and with random labels about as alike ({of('random labels', ONE, 'matching')}). A part of it is the start itself, with which a trained network still has {of('its start', ONE, 'matching')}. "
    f"*The labels.* With two seeds, wrong labels lower matching to {of('wrong labels', TWO, 'matching')} and random labels to {of('random labels', TWO, 'matching')}; decay does not lower it. Networks of the base and of random labels share the images and no labels: in convergence and in what they do they have no more in common "
    f"than untrained ones ({of('random labels', TWO, 'convergence', 3)} and {of('its start', 'of one kind, two seeds', 'convergence', 3)}; outputs {of('random labels', TWO, 'outputs')}). So what networks of one kind share in units and answers goes with fitting the *same* labels. Of the rise of the matched correlation as trained, {percent((of_pairs['matching'][f'random labels, {TWO}'] - in_base['untrained']['matching']) / (first_four['matching'] - in_base['untrained']['matching']))} is there with other labels as well; that share belongs to this scale of units, and would be another in another. "
    f"Spectra see the recipe alone: two seeds of the base differ by {number(-first_four.spectra, 3)}, two recipes by {number(-of_pairs.spectra[f'weight decay, {TWO}'], 3)} and {number(-of_pairs.spectra[f'wrong labels, {TWO}'], 3)}, and with one seed by as much "
    f"({number(-of_pairs.spectra[f'weight decay, {ONE}'], 3)} and {number(-of_pairs.spectra[f'wrong labels, {ONE}'], 3)})."
)

# %% [markdown]
# ## Do the lenses agree about settings?
#
# If the lenses saw one thing, a setting whose networks are alike in one of them would be so in the others. Over the nine
# settings there is a rank correlation for each two measures. Among so many correlations some are large by chance. The
# limit is what the {term}`largest of all <max-T test>` exceeds in 5&nbsp;% of random orders of the settings {cite:p}`nichols2002`. Because settings differ before
# training, the untrained pairs' mean is taken off each setting's mean first.

# %%
means = pd.DataFrame(
    {
        name: (frame.mean() - null_pairs[name].mean())[six]
        for name, frame in pairs.items()
    }
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

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        np.where(np.tri(len(six), k=-1, dtype=bool), over_settings, np.nan)[
            1:, :-1
        ],
        six[1:],
        six[:-1],
    ).rename_axis("over settings"),
    digits=2,
)

# %% tags=["remove-cell"]
five_by_five = np.abs(np.triu(over_settings[:5, :5], 1))
i, j = np.unravel_index(five_by_five.argmax(), (5, 5))
claims.check(
    "lenses_settings",
    five_by_five.max(),
    images.name,
    null=np.median([*reliable.values()]),
    repeats=[
        np.abs(
            np.triu(
                lenses.agreement(
                    np.delete(means.to_numpy(), k, 0)[:, :5], draws=1
                )[0],
                1,
            )
        ).max()
        for k in range(len(means))
    ],
)

# %% tags=["remove-input"]
Markdown(
    f"The largest correlation of two lenses is {number(over_settings[i, j])} ({FIVE[i]} and {FIVE[j]}), "
    + (
        "within the limit "
        if five_by_five.max() <= settings_limit
        else "beyond the limit "
    )
    + f"of {number(settings_limit)}. Noise of the measures is not the reason: "
    f"if each lens is measured on either half of the seeds, the two orders of the settings correlate at {number(np.median([*reliable.values()]))} in the median, and at {number(min(reliable.values()))} for "
    f"{min(reliable, key=reliable.get)}, the least. But nine settings can only show what is very strong, so agreement is not shown, and not excluded."
)

# %% [markdown]
# ## Do they agree about pairs?
#
# Now stay inside one setting, where no recipe differs. Is a pair of networks that one lens finds alike also alike in
# another? The test must not treat pairs as independent. The {term}`Mantel test` {cite:p}`mantel1967` {term}`shuffles <shuffle>`
# *networks*, here within each setting, and recomputes everything; the limit is again that of the largest correlation of all.
#
# There is a second explanation to take out. A network may be like *everybody*, because its weights are larger, say. Such a
# network makes all of its pairs look alike in several lenses, and no pair would have anything of its own. So each value $s_{ij}$ of a pair
# is also taken less what its two networks bring to all of their pairs, by least squares on $s_{ij} = \mu + a_i + a_j$
# with a number $a_i$ for each network ({py:func}`.lenses.without_networks`). This leaves a third explanation, a difference: two networks of one norm
# could be alike for that alone. It is tested in the text below {numref}`fig-lens-agreement`.
#
# Two measures are added: the {term}`cosine` of the covariances of two first layers' weights, each less its {term}`isotropic` part, chapter 3's
# best evidence, and, because kappa is a coarse measure of what networks do, the correlation of the probabilities
# that they give to all classes of all test images (*outputs*).

# %% [markdown] tags=["slide-only", "remove-cell"] slide="What belongs to a pair is what its two networks do not bring to all of their pairs." say="Stop here and ask which lenses will agree about pairs. Then ask how to test it, since every network sits in many pairs: shuffle networks, not pairs."
# $$s_{ij} = \mu + a_i + a_j + \text{what is left}$$
#
# A network that is like everybody makes all of its pairs look alike, in several lenses at once.

# %%
eight = [*six, "weight covariance", "outputs"]
per_setting = {m: as_matrices(pairs.values(), m) for m in eight}
over_pairs, pairs_limit = lenses.mantel(per_setting, draws=knobs.draws)
own = {m: lenses.without_networks(values) for m, values in per_setting.items()}
of_the_pair, own_limit = lenses.mantel(own, draws=knobs.draws)

# %% tags=["hide-input"] slide="Inside a setting, matching, covariance and convergence tend to find the same pairs alike." say="Find the filled marks beyond the shaded part: this is left when what single networks bring is taken out. Networks with random labels show the same, so no task is needed. That no lens goes with kappa says little, because kappa hardly repeats and could show only a strong relation." mystnb={"figure": {"name": "fig-lens-agreement", "caption": "Rank correlations between measures over the pairs of networks of one setting, mean over the nine settings, in the order of the filled marks: hollow as they are, filled without what each network brings to all of its pairs. Beyond the shaded part (filled) or the dotted lines (hollow) lies the largest of all in 5\u00a0% of random orders."}, "image": {"alt": "Twenty-eight rows with a filled and a hollow mark each. Seven filled marks lie to the right of the shaded part: the three pairs among matching, covariance and convergence, errors with outputs, and weight covariance with outputs, with covariance and with matching. All others lie in it, matching with ablation at its edge. Hollow marks lie near the filled ones in many rows, and up to two tenths off in others, most of them with errors, outputs or weight covariance."}}
rows = sorted(
    [(i, j) for j in range(len(eight)) for i in range(j)],
    key=lambda p: -of_the_pair[p],
)
fig, ax = plt.subplots(figsize=(7.2, 6.6))
ax.axvspan(-own_limit, own_limit, color=C["null"], alpha=0.15, lw=0)
for limit in (-pairs_limit, pairs_limit):
    ax.axvline(limit, color=C["null"], lw=1, ls=":")
ax.axvline(0, color=C["null"], lw=1)
for found, fill, kind in (
    (over_pairs, "none", "as they are"),
    (of_the_pair, C["matched"], "without networks' own parts"),
):
    values = [found[p] for p in rows]
    ax.plot(
        values, range(len(rows)), "o", color=C["matched"], mfc=fill, label=kind
    )
ax.legend(loc="lower center", bbox_to_anchor=(0.35, 1), ncols=2)
ax.set_yticks(range(len(rows)), [f"{eight[i]}, {eight[j]}" for i, j in rows])
ax.invert_yaxis()
ax.set(xlabel="rank correlation over pairs")
plt.show()

# %% tags=["hide-input"]
half = len(images.test) // 2
halves = [
    [
        lenses.measure_answers(
            ensemble[name], data.Split(s.test.x[part], s.test.y[part])
        )
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


def of_ablation(measures):
    found = lenses.mantel(measures, draws=1)[0]
    return np.mean(
        [
            between(found, m, "ablation")
            for m in ("matching", "covariance", "convergence")
        ]
    )


def by_chance(statistic, rng, measures, moved):
    """The 95 % point of a mean of correlations, networks of some measures in random orders."""
    draws = []
    for _ in range(knobs.orders // 10):
        mixed = dict(measures)
        for m in moved:
            mixed[m] = np.array(
                [
                    v[p][:, p]
                    for v in measures[m]
                    for p in [rng.permutation(len(v))]
                ]
            )
        draws.append(statistic(mixed))
    return np.quantile(draws, 0.95)


norms = single["norm"].unstack().loc[list(pairs)].to_numpy()  # (S, n)
apart = lenses.without_networks(-np.abs(norms[:, :, None] - norms[:, None]))


def at_equal_norms(values):
    """What is left of each setting's own parts beside the difference of two norms."""
    slope = (values * apart).sum((1, 2)) / (apart**2).sum((1, 2))
    return values - slope[:, None, None] * apart


equal_norms = {m: at_equal_norms(values) for m, values in own.items()}
one_by_one = [
    {m: values[[k]] for m, values in own.items()} for k in range(len(pairs))
]
null_own = [
    {m: lenses.without_networks(as_matrices([frame], m)) for m in eight}
    for frame in (by_heart, null_pairs["base"])
]
claims.check(
    "lenses_pairs",
    of_trio(own),
    images.name,
    null=own_limit,
    repeats=[of_trio(one) for one in one_by_one],
)
rng = np.random.default_rng(1)
three = ["matching", "covariance", "convergence"]
weakly = of_ablation(own)
weak_limit = by_chance(of_ablation, rng, own, ["ablation"])
trio_limits = [
    by_chance(of_trio, rng, one, three) for one in [*one_by_one, *null_own]
]
single_trios = pd.Series([of_trio(one) for one in one_by_one], list(pairs))

# %% tags=["remove-input"]
Markdown(
    "Here lenses do agree, beyond what we expected. Matching, covariance and convergence find the same pairs alike: their correlations are "
    f"{listed(number(between(over_pairs, a, b)) for a, b in trio)}, and {listed(number(between(of_the_pair, a, b)) for a, b in trio)} once the networks' own parts are out "
    f"(limit {number(own_limit)}); at equal norms the mean of the three is {number(of_trio(equal_norms))} in place of {number(of_trio(own))}. Ablation agrees with the three more weakly ({number(weakly)} on average; this mean has a limit of {number(weak_limit)}), "
    f"spectra with none. So a pair can have something of its own that is seen in the weights and in the activations. It is not the same everywhere: from setting to setting the mean of the three goes from {number(single_trios.min())} ({single_trios.idxmin()}) to "
    f"{number(single_trios.max())} ({single_trios.idxmax()}), and in {sum(a > b for a, b in zip(single_trios, trio_limits, strict=False))} of {len(single_trios)} it is more than chance gives in 95 % of draws (about {number(np.mean(trio_limits))} in one setting). And it does not need a task: networks with random labels have {number(of_trio(null_own[0]))}; untrained ones have {number(of_trio(null_own[1]))}"
    + (", within chance." if of_trio(null_own[1]) <= trio_limits[-1] else ".")
)

# %% [markdown]
# **And the errors?** No lens goes with kappa. Before this is called a finding, ask whether one would see it if it were there. A number that
# hardly {term}`repeats <reliability>` can show only a strong relation: its correlation with anything else is at most the root of its own reliability, on average. So kappa and the correlation of outputs are measured twice, on either half of the test images.

# %% tags=["remove-input"]


equal_answers = lenses.mantel(equal_norms, draws=1)[0]
null_answers = [lenses.mantel(one, draws=1)[0] for one in null_own]


def whole(r):
    """Reliability of both halves together, by the Spearman-Brown formula."""
    return 2 * r / (1 + r)


Markdown(
    f"The kappas of the pairs of a setting correlate at {number(repeatable['errors'])} between the two halves, the correlations of outputs at {number(repeatable['outputs'])} "
    f"(for all images together {number(whole(repeatable['errors']))} and {number(whole(repeatable['outputs']))}). So kappa is mostly a matter of which images were drawn. It could correlate with another measure at {number(whole(repeatable['errors']) ** 0.5)} at most, so that no lens "
    f"goes with it says little; with outputs, which see the same images, it has {number(between(over_pairs, 'errors', 'outputs'))}. Outputs are "
    f"steadier, and they go with the covariances of the weights: {number(between(over_pairs, 'weight covariance', 'outputs'))}, and "
    f"{number(between(of_the_pair, 'weight covariance', 'outputs'))} without the networks' own parts. With the five lenses outputs have {number(min(between(of_the_pair, m, 'outputs') for m in FIVE))} to "
    f"{number(max(between(of_the_pair, m, 'outputs') for m in FIVE))}. "
    f"At equal norms the former is {number(between(equal_answers, 'weight covariance', 'outputs'))}; networks with random labels have {number(between(null_answers[0], 'weight covariance', 'outputs'))}, untrained ones {number(between(null_answers[1], 'weight covariance', 'outputs'))}. "
    "So networks whose first layers have alike covariances answer more alike, but that is so without a task and before any training: training is not needed for it. Of the five lenses none goes with outputs."
)

# %% [markdown]
# ## What knows the error?
#
# Which of these numbers goes with the test error? Across settings we take means over seeds; inside a setting each
# network has its own numbers, and for measures of pairs the mean over its pairs. The measure of agreement is
# {term}`Kendall's tau`, as in chapter 5, and the limit is again that of the largest in random orders
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
tables = {"across settings": [across], "inside": [*inside.values()]}

# %% tags=["hide-input"]


def taus(tables, rng=None):
    """Kendall's tau of each measure with the errors, in order or mixed; mean over tables."""
    found = []
    for table in tables:
        error = table["test error"].to_numpy()
        error = error if rng is None else rng.permutation(error)
        found.append(spectra.kendall_tau(table[predictors].to_numpy(), error))
    return pd.Series(np.mean(found, 0), predictors)


def chance(tables):
    """What the largest tau of all exceeds in 5 % of random orders of the errors."""
    rng = np.random.default_rng(0)
    largest = [taus(tables, rng).abs().max() for _ in range(knobs.orders)]
    return np.quantile(largest, 0.95, method="higher")


tau = pd.DataFrame({kind: taus(some) for kind, some in tables.items()})
limits = {kind: chance(some) for kind, some in tables.items()}

# %% tags=["hide-input"] slide="No measure was shown to know the test error, neither across settings nor inside one." say="Nine settings show only a nearly perfect order, so this is no proof of absence. Inside a setting there is next to no difference to know: seeds of one recipe are equally good as far as these images can tell." mystnb={"figure": {"name": "fig-error", "caption": "Kendall's tau of each measure with the test error: squares across the nine settings, dots inside settings (mean). Beyond the dashed lines (squares) or the shaded band (dots) lies the largest of all in 5\u00a0% of random orders. No mark lies beyond."}, "image": {"alt": "A row for each measure, with a square and a dot. All squares lie between two dashed lines far out on either side, and all dots in a narrow shaded band around zero."}}
fig, ax = plt.subplots(figsize=(7.2, 4.2))
ax.axvspan(
    -limits["inside"], limits["inside"], color=C["matched"], alpha=0.15, lw=0
)
for limit in (-limits["across settings"], limits["across settings"]):
    ax.axvline(limit, color=C["unmatched"], lw=1.5, ls="--")
for kind, mark, colour in (
    ("across settings", "s", "unmatched"),
    ("inside", "o", "matched"),
):
    ax.plot(
        tau[kind],
        range(len(tau)),
        mark,
        ms=6,
        ls="",
        color=C[colour],
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
by_setting = errors.groupby("setting")["test error"]
rate, spread_of_seeds = by_setting.mean(), by_setting.std()
consistency = pd.Series(
    {name: frame.errors.mean() for name, frame in pairs.items()}
)
# Two networks that err on the same images differ by less than independent draws of images do.
counting = (rate * (1 - rate) * (1 - consistency) / len(images.test)) ** 0.5

# %% tags=["remove-cell"]
claims.check(
    "lenses_seeds_error",
    np.mean(of_seeds),
    images.name,
    null=of_settings,
    repeats=of_seeds,
)
most = tau["across settings"].abs().idxmax()
beyond = {
    kind: [m for m in predictors if abs(tau[kind][m]) > limits[kind]]
    for kind in tau
}
widest = (spread_of_seeds / counting).idxmax()

# %% tags=["remove-input"]
Markdown(
    f"**Inside a setting there is next to nothing to know.** The test errors of the networks of a setting have a standard deviation of {number(100 * spread_of_seeds.mean())} points on average. Counting errors on "
    f"{len(images.test):,} images gives {number(100 * counting.mean())} points by itself, at the kappas that we have. (The largest ratio of the two has {widest}, {number((spread_of_seeds / counting).max(), 1)}.) "
    f"Between the two halves of the test images the errors of a setting's networks correlate at {number(np.mean(of_seeds))} on average (standard error {number(np.std(of_seeds, ddof=1) / len(of_seeds) ** 0.5)}), those of settings at {number(of_settings)}. "
    "So that no measure knows the error inside a setting has a plain reason: seeds of one recipe are equally good, as far as these images can tell."
)

# %% tags=["remove-input"]
Markdown(
    "**Across settings** "
    + (
        "no measure is beyond chance. "
        if not beyond["across settings"]
        else f"{listed(beyond['across settings'])} are beyond chance. "
    )
    + f"The largest tau is that of {most}, {number(tau['across settings'][most])}, where the limit is {number(limits['across settings'])}. With nine settings only a nearly perfect order could pass, so this is no proof that nothing knows the error. "
    "But it is what there is: we expected several measures to show it. Chapter 5's fair test, with more settings and fewer measures, found one that did while only the number of images varied, and it lost its order as soon as the learning rate changed."
)

# %% [markdown]
# ## What makes a network?
#
# If the lenses describe what networks have in common, it should be possible to draw a new network from a description. Here are
# descriptions of the base ensemble, from little to much:
#
# - *random weights*: no description at all, but what PyTorch draws;
# - the *spectrum*: the {term}`singular values <singular value>` of a trained network, with random directions ({py:func}`.lenses.from_spectrum`);
# - *white rows*: only the size of a trained network's weights ({py:func}`.covariance.rainbow` with white rows, see {term}`rainbow sampling`);
# - the *covariance*: rows drawn from the Gaussian with the covariance of a trained network's rows, or of all networks' rows pooled;
# - *rotated units*: all rows of a trained network, mixed by a random rotation ({py:func}`.lenses.rotated_units`). The products $W^\top W$ are
#   exactly the trained ones; only the units are gone;
# - the *matched frame*: each unit's weights drawn from the Gaussian of the units that are matched to it in all
#   networks ({py:func}`.matching.sample_gaussian`);
# - the *mean in the matched frame*: the average of half of the networks, matched ({py:func}`.matching.consensus`, to a {term}`consensus`).
#
# Beside them stand {term}`controls <control>`: the mean of half of the networks *as they came*; the mean after the units of all networks but one were *rotated*, and
# matched again to that one; networks with *random labels*; and trained networks with *as much noise* in each layer as lies between them and the mean.
#
# Each is judged under two classifiers. One is trained: that of another network of the base. It expects its own network's frame, so each drawn layer is turned into it, *all* by the same
# rule: by the rotation that brings the activations on the training images closest ({py:func}`.covariance.procrustes`). Without this turn a row could fail
# for its frame alone. The other is new (a {term}`readout`), by {term}`ridge regression` on the same training images. The
# ridge penalty decides much, so it is chosen for each network, on images on which neither the network nor
# the classifier was trained. {numref}`fig-descriptions` shows what comes out.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Vote: which description is enough to make a network that works?" say="Take a show of hands for each, before the figure. Ask those who chose the covariance what they expect of networks that learned random labels."
# - The spectrum of a trained layer, in random directions
# - Rows with the covariance of a trained layer
# - Each unit drawn from the units that are matched to it
# - The mean of the networks, units in one order

# %% tags=["hide-input"]
setting = settings_of["base"]
members, matched = ensemble["base"], matching.consensus(ensemble["base"])
n_train = len(setting.train)
chosen_on = data.Split(
    images.train.x[-n_train // 2 :], images.train.y[-n_train // 2 :]
)


def new_classifier(model):
    """The same hidden layer with a ridge classifier, its penalty chosen on other images."""
    penalties = (0.01, 0.1, 1, 10)
    found = [
        covariance.ridge_readout(model, 2, setting.train, p) for p in penalties
    ]
    return max(found, key=lambda m: training.accuracy(m, chosen_on))


def under_trained(drawn, other):
    """A drawn hidden layer, turned into another network's frame, under its classifier."""
    ours, theirs = (
        models.outputs(m, setting.train.x, [2])[2].double()
        for m in (drawn, other)
    )
    rotation = covariance.procrustes(ours.T @ theirs)  # (H, H)
    result, readout = models.freeze(models.clone(drawn)), other[3].weight
    result[3].weight.data = (readout.double() @ rotation.T).to(readout)
    return result


def every_other(networks, k):
    """Half of the networks: the even ones or the odd ones."""
    return [m for i, m in enumerate(networks) if i % 2 == k % 2]


def mean_after_rotation(networks, generator):
    """All networks but the first lose their units; then they are matched to it, and averaged."""
    first, *others = networks
    turned = [lenses.rotated_units(m, generator) for m in others]
    return matching.average(
        [first, *(matching.align(first, m) for m in turned)]
    )


def rows_of(one, generator, rows="covariance", pool=()):
    return covariance.rainbow(
        one, setting.train, generator=generator, rows=rows, pool=pool
    )


whole_mean = matching.average(matched)


def noisy(k):
    """A network of the ensemble with as much noise as lies between it and the mean."""
    result, g = models.clone(matched[k]), torch.Generator().manual_seed(k)
    for p, q in zip(result.parameters(), whole_mean.parameters(), strict=True):
        noise = torch.randn(p.shape, generator=g).to(p)
        p.data += noise * ((q - p).norm() / noise.norm())
    return result


DRAWS = {  # from one network, a generator, and the number of the draw
    "random weights": lambda one, g, k: training.start(setting.make_model, 500 + k),
    "spectrum": lambda one, g, k: lenses.from_spectrum(one, g),
    "white rows": lambda one, g, k: rows_of(one, g, "white"),
    "random labels": lambda one, g, k: random_labels[k % len(random_labels)],
    "covariance": lambda one, g, k: rows_of(one, g),
    "covariance, pooled": lambda one, g, k: rows_of(one, g, pool=[m for m in members if m is not one]),
    "rotated units": lambda one, g, k: lenses.rotated_units(one, g),
    "mean after rotation": lambda one, g, k: mean_after_rotation(every_other(members, k), g),
    "mean as they came": lambda one, g, k: matching.average(every_other(members, k)),
    "matched frame": lambda one, g, k: matching.sample_gaussian(matched, g, "units"),
    "mean, matched": lambda one, g, k: matching.average(every_other(matched, k)),
    "as much noise": lambda one, g, k: noisy(k % len(matched)),
    "trained": lambda one, g, k: one,
}  # fmt: skip


def draw(kind, k):
    """One network from a description; k is the draw."""
    one, generator = members[k % len(members)], torch.Generator().manual_seed(k)
    return DRAWS[kind](one, generator, k)


ladder = pd.DataFrame(
    [
        [
            kind,
            training.accuracy(m, setting.test),
            training.accuracy(
                under_trained(m, members[(k + 1) % len(members)]), setting.test
            ),
            training.accuracy(new_classifier(m), setting.test),
        ]
        for kind in DRAWS
        for k in range(2 if kind.startswith("mean") else knobs.sampled)
        for m in [draw(kind, k)]
    ],
    columns=[
        "description",
        "as it comes",
        "a trained classifier",
        "a new classifier",
    ],
)

# %% tags=["hide-input"] slide="The spectrum is no better than random weights; the mean of matched networks works on test images as well as they do." say="Left the classifier of another trained network, with every row turned into its frame; right a new one. The order is nearly the same on both sides. Covariances bring a part, but no more than means of networks that were not matched. The mean works without any turn, which a network with as much noise does not." mystnb={"figure": {"name": "fig-descriptions", "caption": "Test accuracy of networks drawn from each description: under the classifier of another trained network, all turned into its frame by one rule (left), and under a new one by ridge regression (right); one mark a network, two for means. Random weights and the spectrum lie together on either side. A part of the way to trained networks comes with covariances and with means of unmatched units, most of it with units in the matched frame, nearly all with their mean. As much noise, in each layer as large as the way to the mean, leaves a trained hidden layer nearly as it was."}, "image": {"alt": "Two panels of thirteen rows, alike in their order. In both, random weights, spectrum and white rows lie together at the left. Random labels lie a little to their right, covariances and rotated units further, the two unmatched means further still by a little. The matched frame lies well to the right of all of these, and the matched mean and the networks with noise near the trained networks."}}
fig, axes = plt.subplots(1, 2, figsize=(7.2, 4.4), sharey=True)
heights = ladder.description.map([*DRAWS].index)
for ax, column, colour in zip(
    axes, ladder.columns[2:], ("unmatched", "matched"), strict=True
):
    ax.plot(
        ladder[column], heights, "o", ms=6, alpha=0.6, color=C[colour], mew=0
    )
    ax.set(xlabel="test accuracy", title=column)
axes[0].set_yticks(range(len(DRAWS)), [*DRAWS])
axes[0].invert_yaxis()
plt.show()

# %% tags=["remove-cell"]
by_kind = ladder.groupby("description")
with_own, turned, with_new = (by_kind[c].mean() for c in ladder.columns[1:])
floor, ceiling = with_new["random weights"], with_new["trained"]


def gained(kind):
    """Share of what training adds to the accuracy with a new classifier, per network."""
    return (
        (by_kind.get_group(kind)["a new classifier"] - floor)
        / (ceiling - floor)
    ).to_numpy()


parts = (setting.train, setting.test)
by_noise = np.mean(
    [
        [training.accuracy(noisy(k), part) for part in parts]
        for k in range(len(members))
    ],
    0,
)
of_mean = [training.accuracy(whole_mean, part) for part in parts]
votes = sum(training.logits(m, setting.test.x) for m in members).argmax(1)
of_votes = float((votes.cpu() == setting.test.y).double().mean())
claims.check(
    "lenses_mean",
    with_own["mean, matched"] / with_own["trained"],
    images.name,
    null=max(
        with_own.drop(["mean, matched", "trained"]).max(),
        turned.drop(["mean, matched", "as much noise", "trained"]).max(),
        by_noise[1],
    )
    / with_own["trained"],
    repeats=by_kind.get_group("mean, matched")["as it comes"]
    / with_own["trained"],
)
UNITLESS = [
    "random labels",
    "covariance",
    "covariance, pooled",
    "rotated units",
    "mean after rotation",
    "mean as they came",
]
claims.check(
    "lenses_units",
    gained("matched frame").mean(),
    images.name,
    null=max(gained(k).mean() for k in UNITLESS),
    repeats=gained("matched frame"),
)
claims.check(
    "lenses_subspaces",
    gained("rotated units").mean(),
    images.name,
    null=max(
        gained(k).mean() for k in ("spectrum", "white rows", "random labels")
    ),
    repeats=gained("rotated units"),
)


def brings(kind):
    """Share of the gain in per cent, with its standard error over draws."""
    values = gained(kind)
    error = values.std(ddof=1) / len(values) ** 0.5
    return f"{percent(values.mean())} (± {100 * error:.0f})"


# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            "as it comes": {k: percent(with_own[k], 1) for k in DRAWS},
            "a trained classifier": {k: percent(turned[k], 1) for k in DRAWS},
            "a new classifier": {k: percent(with_new[k], 1) for k in DRAWS},
            "share of the gain, new (± standard error)": {
                k: brings(k) for k in DRAWS
            },
        }
    ).rename_axis("mean over networks")
)

# %% tags=["remove-input"]
Markdown(
    f"*A new classifier* reaches {percent(floor, 1)} on random weights and {percent(ceiling, 1)} on trained networks. That difference is small, and it is all that training adds for it; the table gives "
    "shares of it. The spectrum in random directions and white rows bring nothing: the spectrum says how much a layer does, and not what. "
    f"Second moments bring {percent(gained('covariance').mean())} (drawn rows), {percent(gained('covariance, pooled').mean())} (pooled) and {percent(gained('rotated units').mean())} (rotated units). Much of that is not specific: networks with random labels "
    f"have {percent(gained('random labels').mean())}, and means without common units have {percent(gained('mean as they came').mean())} (as they came) and {percent(gained('mean after rotation').mean())} (one network's units, and the others' rotated and matched to them). "
    f"Units drawn in the matched frame bring {percent(gained('matched frame').mean())}, their mean {percent(gained('mean, matched').mean())}. So what makes these networks better than random ones is in their units at least as much as in their subspaces."
)

# %% tags=["remove-input"]
Markdown(
    f"*A trained classifier* says the same, once all rows are turned alike. Random weights have {percent(turned['random weights'], 1)}, the spectrum {percent(turned['spectrum'], 1)}, white rows {percent(turned['white rows'], 1)}: that much random units do with a rotation that was fitted on "
    f"training images. Drawn rows have {percent(turned['covariance'], 1)}, rotated units {percent(turned['rotated units'], 1)}, and the means without common units as much or more ({percent(turned['mean after rotation'], 1)} and {percent(turned['mean as they came'], 1)}). Units drawn in the matched frame have {percent(turned['matched frame'], 1)}, and their mean "
    f"{percent(turned['mean, matched'], 1)}, next to {percent(turned['trained'], 1)} for a trained network under the classifier of another. The column *as it comes* must not be compared down the table: drawn and white rows are turned by their making, the others are not, and most of its order is that. "
    f"It shows one thing, that the mean in the matched frame needs no turn to work as well as the trained networks ({percent(with_own['mean, matched'], 1)} and {percent(with_own['trained'], 1)}). "
    f"The mean of all {len(members)} networks has {percent(of_mean[1], 1)}; their votes, summed, have {percent(of_votes, 1)}, so averaging weights is no substitute for averaging answers. On the training images the mean is right on {percent(of_mean[0])}, where each of them is right on all. "
    f"Would any network so far away do as well? Noise as large as the way to the mean, in both layers, leaves a network {percent(by_noise[1], 1)} on test images and {percent(by_noise[0])} on training images, as it comes. (Shrinking would change nothing: without biases the answers do not depend on the scale of a layer.) "
    f"So of whole networks the answer is no. But the hidden layer of such a network is hardly worse: under a trained classifier it has {percent(turned['as much noise'], 1)} where the mean has {percent(turned['mean, matched'], 1)}, and under a new one it brings {percent(gained('as much noise').mean())} of the gain. "
    "What the mean has beyond as much noise is that its two layers fit each other, with nothing turned and nothing fitted. We had predicted that the mean would be worse than rows drawn from the covariance; it is better, whichever classifier is used."
)

# %% [markdown]
# ## Does chapter 2's finding travel?
#
# In {doc}`chapter 2 </notebooks/02_circle_ablation>`, on a circle, pairs of units held most of the variance of the log loss over all {term}`subnetworks <subnetwork>` (degree two), and a
# subnetwork was like its complement. Here is more to hold it against: 64-15-10 networks on digits, with
# all $2^{15}$ subnetworks each, and the networks of this chapter with their units in 12 random groups, $2^{12}$ subnetworks each.
#
# One thing differs between tasks that has nothing to do with pairs: how the loss depends on the mere *number* of removed units. So the table has
# the log loss as it is, and what is left when its mean over subsets of the same size is taken out
# ({py:func}`.lenses.degree_shares`). Taking it out lowers degree one by itself. So there are two nulls, of the same sizes: the same
# networks with their hidden units' outgoing weights in a random order, and untrained networks, in both cases with {term}`logits <logit>` as large as the trained ones.

# %% tags=["hide-input"]
digits, circle = data.digits(), data.circle(4000, seed=1)
recipes = {
    "digits": {"lr": 0.1, "epochs": 300},
    "circle": {
        "lr": 0.01,
        "optimizer": "adam",
        "epochs": 200,
        "schedule": "cosine",
    },
}
small = {
    "digits": (lambda: models.mlp([64, 15, 10]), digits.train, digits.test),
    "circle": (
        lambda: models.mlp([2, 15, 2]),
        circle,
        data.circle(500, seed=23),
    ),
}
trained_small = {
    name: training.fit_ensemble(
        make, train, range(knobs.small), progress=False, **recipes[name]
    )
    for name, (make, train, _) in small.items()
}


def as_loud(model, like, split):
    """A network whose logits are multiplied to the size of another's."""
    result = models.freeze(models.clone(model))
    factor = (
        training.logits(like, split.x).std()
        / training.logits(model, split.x).std()
    )
    for p in result[-1].parameters():
        p.data *= factor
    return result


def other_readout(model, seed):
    """Each hidden unit gets the outgoing weights of another one."""
    result = models.freeze(models.clone(model))
    order = torch.randperm(
        result[-1].in_features, generator=torch.Generator().manual_seed(seed)
    )
    result[-1].weight.data = result[-1].weight.data[:, order]
    return result


def shares(networks, split, n_groups=None):
    """Of each network: degrees one and two and the complement, as it is and beyond size."""
    found = []
    for model in networks:
        groups = None
        if n_groups is not None:
            groups = lenses.random_groups(ablation.n_units(model), n_groups)
        losses = ablation.all_losses(model, split, groups=groups)
        found.append(
            [
                *lenses.degree_shares(losses),
                *lenses.degree_shares(losses, beyond_size=True),
            ]
        )
    return np.array(found)


def beside_nulls(networks, make, split, n_groups=None):
    """Shares of networks, of the same with another readout, and of untrained ones."""
    mixed = [
        as_loud(other_readout(m, k), m, split) for k, m in enumerate(networks)
    ]
    fresh = [
        as_loud(training.start(make, 700 + k), m, split)
        for k, m in enumerate(networks)
    ]
    return [
        shares(group, split, n_groups) for group in (networks, mixed, fresh)
    ]


of_subsets = {
    name: beside_nulls(trained_small[name], make, test)
    for name, (make, _, test) in small.items()
}
some = images.test.first(knobs.images // 2)
for name, s in settings_of.items():
    few = ensemble[name][: knobs.sampled]
    of_subsets[name] = beside_nulls(
        few, s.make_model, s.test.first(len(some)), 12
    )
of_subsets["random labels"] = beside_nulls(
    random_labels[: knobs.sampled], meaningless.make_model, some, 12
)

# %% tags=["remove-input"]
plotting.table(
    pd.DataFrame(
        {
            name: [*t.mean(0)[[0, 1, 2, 4]], m[:, 4].mean(), u[:, 4].mean()]
            for name, (t, m, u) in of_subsets.items()
        },
        index=[
            "degree one",
            "degree two",
            "complement",
            "degree two beyond size",
            "other readout",
            "untrained",
        ],
    ).T.rename_axis("networks"),
    digits=2,
)

# %% tags=["remove-cell"]
pictures = [name for name in settings_of if name != "whitened"]
two, two_mixed, two_fresh = (
    {name: found[k][:, 4].mean() for name, found in of_subsets.items()}
    for k in range(3)
)
complement_beyond = {
    name: [group[:, 5].mean() for group in found]
    for name, found in of_subsets.items()
}
claims.check(
    "lenses_pairs_of_units",
    np.mean([two[name] for name in pictures]),
    images.name,
    null=max(max(two_mixed[name], two_fresh[name]) for name in pictures),
    repeats=[two[name] for name in pictures],
)

# %% tags=["remove-input"]
Markdown(
    "As it is, the finding depends on the setting: on digits single units hold as much as pairs "
    f"({number(of_subsets['digits'][0][:, 0].mean())} and {number(of_subsets['digits'][0][:, 1].mean())}), the complement has "
    f"{number(of_subsets['digits'][0][:, 2].mean())}, and in the settings of this chapter degree two goes from {number(min(of_subsets[n][0][:, 1].mean() for n in settings_of))} to "
    f"{number(max(of_subsets[n][0][:, 1].mean() for n in settings_of))}. It exceeds degree one in {sum(of_subsets[n][0][:, 1].mean() > of_subsets[n][0][:, 0].mean() for n in settings_of)} of {len(settings_of)}, "
    f"and in {sum(of_subsets[n][0][:, 2].mean() > 0 for n in settings_of)} a subnetwork is like its complement. We had predicted that it travels nowhere. Beyond the size of the subset, which is a question that we asked only after seeing this, pairs lead nearly everywhere: "
    f"{number(two['circle'])} on the circle, {number(two['digits'])} on digits, and {number(min(two[n] for n in pictures))} to "
    f"{number(max(two[n] for n in pictures))} in all settings but the whitened one ({number(two['whitened'])}). The nulls, which have lost the same mean, have at most "
    f"{number(max(max(two_mixed[n], two_fresh[n]) for n in [*small, *pictures]))} there. "
    f"With random labels it is {number(two['random labels'])} (nulls at most {number(max(two_mixed['random labels'], two_fresh['random labels']))}): labels need no meaning for this, although the excess over the nulls is smaller without it. Whitened networks fit their labels, too, and have no excess (nulls at most {number(max(two_mixed['whitened'], two_fresh['whitened']))}). The complement beyond size has {number(complement_beyond['circle'][0])} on the circle, "
    f"{number(complement_beyond['digits'][0])} on digits, and {number(min(complement_beyond[n][0] for n in settings_of))} to {number(max(complement_beyond[n][0] for n in settings_of))} in the settings (nulls at most {number(max(max(v[1:]) for n, v in complement_beyond.items() if n in [*small, *pictures]))}, but for the whitened): it is weaker away from the circle. "
    "On pictures the pairs are of groups of units, and in groups drawn at random differences between single ones average out; on digits and on the circle they are units."
)

# %% [markdown]
# The same small networks answer a last question exactly. Are units that are *matched* equally important? The
# {term}`Shapley value` of each unit of each 64-15-10 network is exact. Two explanations stand against a correlation of matched units: {term}`dead units <dead unit>` match dead units
# and are worth nothing, so they are left out; and large units match large units and are worth more, so the sizes of both units are held fixed.

# %% tags=["hide-input"]
labels = digits.train.y[
    torch.randperm(
        len(digits.train), generator=torch.Generator().manual_seed(0)
    )
]
mixed_digits = data.Split(digits.train.x, labels)
learned = {
    "digits": (trained_small["digits"], digits.test),
    "random labels": (
        training.fit_ensemble(
            small["digits"][0],
            mixed_digits,
            range(knobs.small),
            progress=False,
            **recipes["digits"],
        ),
        mixed_digits,  # what they were trained on: they know nothing of other digits
    ),
}


def importance(networks, split):
    """Rank correlations of Shapley values over pairs: matched, then sizes fixed, random partners."""
    worth = [
        ablation.shapley_values(ablation.all_losses(m, split).log()).numpy()
        for m in networks
    ]
    sizes = [lenses.unit_sizes(m) for m in networks]
    statistics = moments(networks, split.x, [2])[2]
    found, g = [], torch.Generator().manual_seed(0)
    for i, j in sorted((a, b) for b in range(len(networks)) for a in range(b)):
        here = (~statistics.dead(i)).nonzero().flatten()
        there = matching.match(networks[i], networks[j])[0][here]
        live = ~statistics.dead(j)[there]
        here, there = here[live].numpy(), there[live].numpy()
        lucky = [
            there[torch.randperm(len(there), generator=g).numpy()]
            for _ in range(20)
        ]
        row = [
            spectra.rank_correlation(
                worth[i][here], worth[j][to], controls, draws=0
            )[0]
            for to in (there, *lucky)
            for controls in ([sizes[i][here], sizes[j][to]],)
        ]
        plain = stats.spearmanr(worth[i][here], worth[j][there]).statistic
        found.append([plain, *row])
    return np.array(found)  # (pairs, 2 + 20)


same_worth = {kind: importance(*of) for kind, of in learned.items()}

# %% tags=["remove-cell"]
duos = sorted((i, j) for j in range(knobs.small) for i in range(j))
disjoint_duos = [
    duos.index(tuple(sorted(p)))
    for p in lenses.disjoint_pairs(knobs.small)[0].tolist()
]
lucky = same_worth["digits"][:, 2:].mean(0)
claims.check(
    "lenses_importance",
    same_worth["digits"][:, 1].mean(),
    "digits",
    null=lucky.max(),
    repeats=same_worth["digits"][disjoint_duos, 1],
)

# %% tags=["remove-input"]
Markdown(
    f"Over {len(duos)} pairs of networks, the Shapley values of matched units have a rank correlation of {number(same_worth['digits'][:, 0].mean())}, and of {number(same_worth['digits'][:, 1].mean())} once sizes are held fixed "
    f"(standard error {number(np.std(same_worth['digits'][disjoint_duos, 1], ddof=1) / len(disjoint_duos) ** 0.5)}, from {len(disjoint_duos)} pairs without a common network); units in random order have, with sizes fixed, "
    f"{number(lucky.min())} to {number(lucky.max())} in {len(lucky)} draws of all partners. Networks with random labels have {number(same_worth['random labels'][:, 1].mean())}, on the digits that they know by heart. "
    "So about half of the agreement is size, and a little is left; whether that needs meaningful labels, these networks do not decide. "
    f"In the wide networks on pictures more is left: there the lens of ablation, which holds sizes fixed as well, has {number(in_base['the task']['ablation'])} in the base, {number(in_base['random labels']['ablation'])} with random labels and {number(in_base['untrained']['ablation'])} untrained. It measures "
    "another thing, the cost of removing one unit while all others are there."
)

# %% [markdown]
# ## A figure with a handle
#
# Choose a setting and two networks in {numref}`fig-pair-chooser`. Each lens keeps its axis, so settings can be
# compared; spectra have a minus sign, so that more is more alike everywhere. Choose *large rate*, for example: in which lens do its pairs fall behind
# untrained ones?

# %% tags=["hide-input"] slide="A pair says something only beside all pairs of its setting and beside its nulls." say="Move to large rate and let the room find the lens in which its pairs fall behind untrained ones. Then choose the base, where the second null is shown as well." mystnb={"figure": {"name": "fig-pair-chooser", "caption": "A figure with a handle: one pair of networks through all lenses (large dot), among all pairs of its setting (small dots). Marks show the means of untrained pairs and, in the base, of pairs with the same random labels. To the right means more alike."}}
shown = {"untrained": null_pairs, "random labels (base)": {"base": by_heart}}
lenses.pair_chooser(pairs, shown, {m: m for m in six})

# %% tags=["remove-input"]
behind = [
    m
    for m in six
    if pairs["large rate"][m].mean() < null_pairs["large rate"][m].mean()
]
Markdown(
    f"With the large rate {'it is the lens' if len(behind) == 1 else 'these are the lenses'} of {listed(behind)}: the mean of its pairs lies below that of untrained ones. What training with a large rate does to a spectrum differs from seed to seed by more than two random matrices of one shape do."
    if behind
    else "With the large rate no lens falls behind here."
)

# %% [markdown]
# ## Your own pair
#
# {py:func}`.lenses.compare` takes any two networks of linear, convolutional and {term}`pooling` layers with ReLUs, and images of
# known classes. Each lens stands beside the null that takes away what it looks for, drawn 19 times; the one shown is the
# one that comes closest to likeness. Where the null and a pair with nothing in common have the same law, such a pair passes once in twenty times, in each of six
# lenses. Where a lens does not apply there is no number but a reason. The first table has two networks of the base, the second one of the base and one of the
# narrow setting.

# %%
shown_on = images.test.first(knobs.images)
one_recipe = lenses.compare(*ensemble["base"][:2], shown_on)
two_widths = lenses.compare(
    ensemble["base"][0], ensemble["narrow"][0], shown_on
)

# %% tags=["remove-input"]


def as_text(frame):
    """A table of mixed columns, text at the left."""
    head = ["lens", *frame.columns]
    cells = [
        [
            name,
            *(
                "–" if v != v else number(v) if isinstance(v, float) else v
                for v in row
            ),
        ]
        for name, row in zip(
            frame.index, frame.to_numpy(dtype=object), strict=True
        )
    ]
    lines = [
        f"| {' | '.join(map(str, row))} |"
        for row in (head, ["---"] * len(head), *cells)
    ]
    return Markdown("\n".join(lines))


as_text(one_recipe.drop(columns="reason"))

# %% tags=["remove-input"]
as_text(two_widths[["value", "null", "alike if", "reason"]])

# %% tags=["remove-input"]
above = one_recipe["alike if"] == "above"
better = (one_recipe.value > one_recipe.null).where(
    above, one_recipe.value < one_recipe.null
)
Markdown(
    f"The pair of one recipe passes {listed(one_recipe.index[better])}"
    + (
        f", but not {listed(one_recipe.index[~better])}. "
        if not better.all()
        else ". "
    )
    + "(The lens of convergence shows both correlations here, of which it takes the difference elsewhere.) Networks of two widths have no common order of units and no ranks in common, but the other "
    "lenses apply. To pass says that two networks are more alike than the null, and not that a task made them so: for "
    "that the null must be trained as well, as the random labels are above. `compare` cannot train for you; if you can, "
    "train a second pair on labels in random order and compare the two tables."
)

# %% [markdown]
# ## What came of the predictions
#
# | prediction | what came |
# |---|---|
# | 1. Spectra are the recipe's; what removals do is the seed's. | First half right. Second half: degree one is the recipe's; of degree two beyond size and the effects of single units it is not decided. |
# | 2. Alike covariances, alike units, over settings. | Not shown: nine settings are too few. |
# | 3. Over pairs, only covariance and convergence agree. | Too little: matching agrees with both, and ablation weakly. |
# | 4. No lens knows which pairs err alike. | Not decided by kappa, which hardly repeats. Outputs repeat better, and none of the five lenses goes with them; the covariances of the weights do, but before training as well. |
# | 5. Several measures know the error across settings, none inside. | Across: none was shown to. Inside: as far as the test images can tell, there is no error to know. |
# | 6. The spectrum makes nothing; the mean is worse than covariances. | First half right, second wrong: the mean in the matched frame is the best of all descriptions, under a trained classifier and under a new one. |
# | 7. Degree two and the complement do not travel. | As chapter 2 measured them it depends on the setting: right for some, wrong for others. Beyond the size of the subset, a question that came later, pairs (on pictures, of groups of units) lead on digits and on all pictures but whitened ones. |
#
# (what-the-book-found)=
# ## What the book found
#
# Networks were trained on the same task from different starts. What do they have in common? Most sentences are {term}`claims <claim>` of this chapter or of
# the one that they name, with their nulls beside them in the {doc}`ledger </book/ledger>`. Four stand in the text above alone: one seed against two in different recipes, what the mean forgets,
# the spectrum against random weights, and the error across recipes.
#
# 1. **Networks share what comes with fitting the same labels on the same images.** In their matched weights the same random labels do nearly as much as meaningful ones, or more: it depends on the scale of units
#    ({doc}`chapter 1 </notebooks/01_matching_mlps>`, and here). In units and answers the meaning of the labels adds something. Networks with different labels have nothing
#    beyond untrained ones in common in their units and answers; in their weights that depends on the scale of units, too.
# 2. **The seed stays visible between networks, the recipe in each of them.** Two recipes with one seed can be more alike in their weights than two seeds of one recipe; of a single
#    network's numbers, most are the recipe's.
# 3. **Three lenses tend to see the same pairs.** Inside a setting weights, subspaces and units tend to agree about which two networks are alike. They do so for networks without a task as well.
# 4. **Subspaces and units both carry what was learned.** {term}`Second moments <second moment>` of the weights bring under a half of what training adds, and other things bring as much; units in
#    the matched frame bring most of it, in the one setting where this was tried ({doc}`chapters 3 </notebooks/03_covariance_universality>` and {doc}`4 </notebooks/04_convergent_learning>`, and here).
# 5. **The mean of matched networks works as well as they do on test images**, and forgets a part of what they know by heart. A mean of networks without common units does not, even
#    when it is turned into the frame of a trained classifier.
# 6. **Spectra are the mark of a recipe, and make no network.** They tell recipes apart far better than seeds; a network with a trained spectrum in random directions is no better than
#    a random one ({doc}`chapter 5 </notebooks/05_heavy_tailed_spectra>`, and here).
# 7. **What a unit does depends on the others.** Beyond the number of removed units, pairs hold most of the variance, on a circle, on digits and, for groups of units,
#    on pictures that are not whitened ({doc}`chapter 2 </notebooks/02_circle_ablation>`, and here); labels need no meaning for it.
# 8. **No number was shown to know the error.** Inside a recipe seeds are equally good, as far as the test images can tell; across recipes no measure was shown to know.
#
# The opening questions, then. Three lenses tend to agree about pairs, and the lenses were not shown to agree about recipes. All of them but the spectra tell two seeds
# apart where recipes are close; spectra tell two recipes, whatever the seeds. None was shown to know the error. And the description that is enough to make a network is the mean of units in one order.
# What do neural networks trained on the same task have in common? Most of what a single number says, which is the recipe's; up to the order of
# units, a mean that works; and much that comes with fitting the same labels on the same images, to which their meaning adds something, and little in the weights. All of it was measured on small networks of
# one hidden layer here, and on few kinds in the chapters; each claim names where.

# %% [markdown] tags=["slide-only", "remove-cell"] slide="What this chapter found, on small networks of one hidden layer." say="Most of these sentences have their null in the ledger. Return to the sheets of the first vote. Close with what stays open: good networks, other data, more settings."
# - Networks share much that comes with fitting the same labels. In matched weights labels without a meaning do about as well; in units and answers a meaning adds something.
# - Spectra tell recipes apart; in random directions they are no better than random weights.
# - The mean of matched networks works as well as they do on test images, and forgets a part of the training labels.
# - No number was shown to know the error, and none was excluded across settings.

# %% [markdown]
# ## Ledger
#
# A value outside its {term}`band`, or a null inside it, stops the build. Repeats are pairs without a common network, settings (all of them, or with one left out), or draws; settings share
# starts and test images. Where a null is the value that a {term}`positive control` would have, its description says so.

# %% tags=["remove-input"]
claims.table("06_five_lenses")

# %% [markdown]
# ## Check yourself
#
# Five questions. Each choice says why it is right or wrong.

# %% tags=["remove-input"]
quiz("06_five_lenses")

# %% [markdown]
# ## Exercises
#
# The data of the coding exercises come from `SEED`: {doc}`how exercises work </book/exercises>`.

# %% tags=["exercises"]
from netdist_course import check, problem

SEED = 1

# %% [markdown]
# :::{exercise} The pairs of eight networks
# :label: ex-lenses-dependent-pairs
#
# *Understand, easy, 10 minutes.* Why may the 28 pairs of eight networks not be counted as 28 independent values? Give each of eight networks a number, independent and
# of variance $\sigma^2$, and each pair the sum of its two. By what factor is the variance of the mean over pairs larger than the one that is estimated from the
# spread of the pairs as if they were independent?
# :::
#
# :::{solution-start} ex-lenses-dependent-pairs
# :class: dropdown
# :::
#
# The mean over pairs is twice the mean of the eight numbers, so its variance is $4\sigma^2/8$. If pairs, of variance $2\sigma^2$, were
# independent, their mean would have $2\sigma^2/28$: seven times less. In practice it is worse, because the variance of the 28 pairs around their own mean is too small, as well:
# it is $\frac{28}{27}(2 - \frac12)\sigma^2$ on average. The ratio of the variances is $\frac12 \big/ \frac1{18} = 9$, and an interval would be three times too short.

# %% tags=["solution"]
rng = np.random.default_rng(0)
upper = np.triu_indices(8, 1)
numbers = rng.normal(size=(20_000, 8))
of_duos = (numbers[:, :, None] + numbers[:, None])[:, *upper]
variance_of_mean = of_duos.mean(1).var()
naive = of_duos.var(1, ddof=1).mean() / 28
assert abs(variance_of_mean / (2 / 28) - 7) < 0.4
assert abs(variance_of_mean / naive - 9) < 0.5

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Two measures of the covariance
# :label: ex-lenses-two-covariances
#
# *Understand, easy, 15 minutes.* The covariance lens finds the networks of few images more alike than those of many. Does training on fewer images make networks share more?
# Hold the lens against untrained networks, and then do the same with the cosine of the weights' covariances. Means over pairs are enough: `pairs[name]["covariance"]` and `pairs[name]["weight covariance"]` for the
# settings, and the same columns of `null_pairs["base"]` for untrained networks.
# :::
#
# :::{solution-start} ex-lenses-two-covariances
# :class: dropdown
# :::
#
# That depends on what is measured. The lens looks at activations, and untrained networks have more than half of what it sees: they show the same images, which vary in few directions, through random
# weights. What training adds to that falls from few images over the base to many. Untrained weights' covariances, with
# the isotropic part out, have next to nothing in common, and there it is the other way round: more images, more in common. Two measures of "the covariance" give two
# answers, so neither is the amount that is shared.

# %% tags=["solution"]
few, many = (pairs[name] for name in ("few images", "many images"))
untrained_share = null_pairs["base"].covariance.mean()
assert few.covariance.mean() > base.covariance.mean() > many.covariance.mean()
assert few.covariance.mean() / 2 < untrained_share < many.covariance.mean()
assert few["weight covariance"].mean() < many["weight covariance"].mean()
assert abs(null_pairs["base"]["weight covariance"].mean()) < 0.1

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} The share of the recipe
# :label: ex-lenses-recipe-share
#
# *Code, easy, 15 minutes.* `problem("lenses-recipe-share", SEED)` gives one array: a number of each network, a row a setting and a column a seed. Write the
# intraclass correlation from means and variances (`mean` and `var` of numpy, with `ddof=1`). Estimate $\sigma^2_\text{seeds}$ inside the settings, and $\sigma^2_\text{settings}$ from
# the variance of their means. A part of that variance is the seeds': which?
#
# ```python
# def recipe_share(values):
#     """Share of the variance that lies between rows, for an array (settings, seeds).
#
#     >>> round(float(recipe_share(np.array([[1.0, 2.0], [5.0, 6.0]]))), 3)
#     0.939
#     """
# ```
#
# ```python
# check("lenses-recipe-share", recipe_share, SEED)
# ```
# ::::
#
# :::{solution-start} ex-lenses-recipe-share
# :class: dropdown
# :::
#
# The mean over $n$ seeds varies by $\sigma^2_\text{settings} + \sigma^2_\text{seeds}/n$, so the second term has to come out. What is left may be negative, and so may
# the share. Both variances divide by one less than the number of values. It is what {py:func}`.lenses.intraclass` gives.


# %% tags=["solution"]
def recipe_share(values):
    seeds = values.var(axis=1, ddof=1).mean()
    settings = values.mean(axis=1).var(ddof=1) - seeds / values.shape[1]
    return settings / (settings + seeds)


check("lenses-recipe-share", recipe_share, SEED)
(values,) = problem("lenses-recipe-share", SEED)
assert np.isclose(recipe_share(values), lenses.intraclass(values)[0])
ranks = np.array([single.loc[name]["stable rank"] for name in SAME_START])
assert np.isclose(recipe_share(ranks), of_setting["stable rank"][0])

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} A network with its units rotated
# :label: ex-lenses-rotation
#
# *Understand, medium, 15 minutes.* Rotate the hidden units of a trained network, as {py:func}`.lenses.rotated_units` does, and put it beside the network that it
# was. Which lenses do not notice? In which of the others is the network now less like itself than like another network of its recipe?
# Look at the five lenses, the covariances of the weights, and errors. Predict first, then use {py:func}`.lenses.measure_pairs`.
# :::
#
# :::{solution-start} ex-lenses-rotation
# :class: dropdown
# :::
#
# The spectra do not notice: a rotation leaves singular values alone, and also $W^\top W$, from which the covariance of the weights is made. The covariance of
# *activations* does notice, because the ReLU stands behind the rotation. In matching, ablation, covariance and errors the network is less like itself than like another seed of its recipe: in errors by
# far, in covariance by next to nothing, since a rotation is what that lens looks for. The same holds for convergence, the {term}`gain` of matched units over {term}`rotated axes <rotated axis>`, on CIFAR-10; on digits two seeds of the base have next
# to no such gain to lose. And the accuracy falls.


# %% tags=["solution"]
one = ensemble["base"][0]
turned_one = lenses.rotated_units(one, torch.Generator().manual_seed(0))
turned_itself = look([one, turned_one], images.test).loc[0, 1]
two_seeds = base.loc[0, 1]
assert turned_itself["spectra"] > -1e-3
assert turned_itself["weight covariance"] > 0.999
for lens in ["matching", "ablation", "covariance", "errors"]:
    assert turned_itself[lens] < two_seeds[lens]
assert turned_itself["convergence"] < 0.1
assert (
    images.name == "digits"
    or turned_itself["convergence"] < two_seeds["convergence"]
)
lost = two_seeds - turned_itself
assert lost["covariance"] < lost["errors"]
assert training.accuracy(turned_one, images.test) < training.accuracy(
    one, images.test
)

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} What a network brings to all of its pairs
# :label: ex-lenses-own-parts
#
# *Code, medium, 20 minutes.* `problem("lenses-own-parts", SEED)` gives a symmetric array: a measure of likeness of all pairs of a few networks. Its diagonal says nothing.
# Write a function that finds what each network brings to all of its pairs: the numbers $a_i$, with sum zero, in the least-squares fit of $s_{ij}$ by $\mu + a_i + a_j$ over
# the pairs $i < j$. Sums of numpy are enough; `np.linalg.lstsq` is allowed. Which pair is the most alike before they are taken out, and which after? Say what these networks bring.
#
# ```python
# def own_parts(values):
#     """What each of n networks brings to its pairs, (n,), for an array (n, n).
#
#     >>> parts = np.array([-1.5, -0.5, 0.5, 1.5])
#     >>> own_parts(7 + parts[:, None] + parts).round(6)
#     array([-1.5, -0.5,  0.5,  1.5])
#     """
# ```
#
# ```python
# check("lenses-own-parts", own_parts, SEED)
# ```
# ::::
#
# :::{solution-start} ex-lenses-own-parts
# :class: dropdown
# :::
#
# The sum over the $n - 1$ pairs of network $i$ is $(n-1)\mu + (n-1)a_i + \sum_{j \ne i} a_j = (n-1)\mu + (n-2)a_i$, since the parts add up to zero. So the sums, less their mean, are divided by $n - 2$.
# The most alike pair of the array is that of the two networks that bring most, and are like everybody. With the parts out it is another, the two networks that bring least and have something of their own. With `SEED = 1` it is networks 5 and 6 before, and 3 and 4 after.


# %% tags=["solution"]
def own_parts(values):
    n = len(values)
    sums = values.sum(axis=1) - np.diag(values)
    return (sums - sums.mean()) / (n - 2)


check("lenses-own-parts", own_parts, SEED)
(values,) = problem("lenses-own-parts", SEED)
parts = own_parts(values)
first, second = np.triu_indices(len(values), 1)
left = (values - parts[:, None] - parts)[first, second]
before, after = values[first, second].argmax(), left.argmax()
assert {first[before], second[before]} == {*parts.argsort()[-2:]}
assert {first[after], second[after]} == {*parts.argsort()[:2]}
assert [first[before], second[before], first[after], second[after]] == [
    4,
    5,
    2,
    3,
]

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} The same functions in another gauge
# :label: ex-lenses-gauge
#
# *Break, medium, 25 minutes.* Take each network in another {term}`gauge`: multiply the incoming weights of each hidden unit by a factor between a third and three, whose logarithm is drawn uniformly,
# for each unit of each network, and divide its outgoing weights by the same factor. With the ReLU no answer changes. Which of the first six claims of the {term}`ledger` fail, and why do the
# others not? Which *lenses* change? Predict, then look at one pair of the base, at pairs of its two nulls in such gauges, and at the stable ranks of the settings with common starts. Claims have bands for CIFAR-10 alone, so at smoke scale
# no claim can fail; look at the numbers there.
# :::
#
# :::{solution-start} ex-lenses-gauge
# :class: dropdown
# :::
#
# Two claims fail, covariance and the stable rank. It is tempting to say that none can fail, since no function changes, or that only what looks at weights can. But the activations change as well: a rotation cannot undo a scaling of single units, which changes how much each of them counts. And the scaling of rows
# changes the spectrum of the first layer, at random for each seed. Convergence, ablation and errors stay as they were. Correlations do not see the scale of a unit. To remove a unit costs the same in each gauge, and the size of a unit is the product of
# the norms of its incoming and outgoing weights.
#
# The *lens* of matching changes, and the claim does not, because it is made in the {term}`canonical scale`, which gives each network the same weights again. That is a choice, too. If the nulls are taken to other gauges
# along with the base, the base is above them again, in matching and in covariance: the claim of covariance fails because its band is pinned to one gauge, and not because
# networks would share less. In the canonical scale the correlation of all weights is largest for random labels. So a gauge has to be said with each number that depends on it, and an order of two such numbers is safe where
# it is the same in all of them.


# %% tags=["solution"]
def other_gauge(model, seed):
    result = models.freeze(models.clone(model))
    draw_of_units = torch.Generator().manual_seed(seed)
    factors = 3 ** (
        2 * torch.rand(result[1].out_features, generator=draw_of_units) - 1
    )
    factors = factors.to(result[1].weight)
    result[1].weight.data *= factors[:, None]
    result[3].weight.data /= factors
    return result


def stable_rank(model):
    weight = model[1].weight.detach()
    eigenvalues = torch.linalg.eigvalsh(weight @ weight.T)
    return float(eigenvalues.sum() / eigenvalues[-1])


def fails(claim, value):
    return (
        claims.verdict(claim, value, images.name)
        or claims.band(claim, images.name) is None
    )


def in_gauges(networks):
    """The lenses of one pair, each network in a gauge of its own."""
    scaled = [other_gauge(m, seed) for seed, m in enumerate(networks[:2])]
    return look(scaled, images.test).loc[0, 1], scaled


as_it_was = base.loc[0, 1]
in_other_gauge, scaled_pair = in_gauges(ensemble["base"])
nulls_in_gauges = [
    in_gauges(networks)[0]
    for networks in (random_labels, starts(settings_of["base"], 2))
]
assert fails("lenses_covariance", in_other_gauge["covariance"])
for lens in ["matching", "covariance"]:
    assert in_other_gauge[lens] < as_it_was[lens] - 0.02
    assert in_other_gauge[lens] > max(null[lens] for null in nulls_in_gauges)
for lens in ["convergence", "ablation", "errors"]:
    assert abs(in_other_gauge[lens] - as_it_was[lens]) < 0.01
first_layers = [
    match_canonical(networks)["first layer"][0, 1]
    for networks in (ensemble["base"][:2], scaled_pair)
]
assert np.isclose(*first_layers, atol=1e-4)

scaled_ranks = np.array(
    [
        [
            stable_rank(other_gauge(m, 100 * row + seed))
            for seed, m in enumerate(ensemble[name][:4])
        ]
        for row, name in enumerate(SAME_START)
    ]
)
assert fails("lenses_recipe", lenses.intraclass(scaled_ranks)[0])
assert lenses.intraclass(scaled_ranks)[0] < of_setting["stable rank"][0] - 0.1
same_again = [
    matching.canonical(m).parameters()
    for m in (ensemble["base"][0], scaled_pair[0])
]
assert all(
    torch.allclose(p, q, atol=1e-5) for p, q in zip(*same_again, strict=True)
)

# %% [markdown]
# :::{solution-end}
# :::
#
# ::::{exercise} Shuffle networks, not pairs
# :label: ex-lenses-mantel
#
# *Code, hard, 30 minutes.* `problem("lenses-mantel", SEED)` gives two measures of all pairs of a few networks, symmetric arrays whose diagonals say nothing, and random orders of the networks, one a row.
# Write the {term}`Mantel test`: the correlation over the pairs $i < j$ (`np.corrcoef`), and the share of orders of the networks of `b`, read as `b[order][:, order]`, whose correlation with `a` is at
# least as far from zero; equal (up to rounding) is enough. The order in which `b` came counts as one of them. No function of `scipy` or of the book's package is needed.
#
# ```python
# def mantel_p(a, b, orders):
#     """Two-sided p-value of the correlation of two measures of pairs, (n, n) each.
#
#     >>> a = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 4.0], [2.0, 4.0, 0.0]])
#     >>> b = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 5.0], [1.0, 5.0, 0.0]])
#     >>> float(mantel_p(a, b, np.array([[0, 1, 2], [2, 0, 1], [1, 0, 2]])))
#     0.5
#     """
# ```
#
# ```python
# check("lenses-mantel", mantel_p, SEED)
# ```
# ::::
#
# :::{solution-start} ex-lenses-mantel
# :class: dropdown
# :::
#
# An order moves rows and columns alike, so pairs stay pairs of networks, and each network keeps what it brings to all of its pairs. The measured order counts above and below, so
# the smallest {term}`p-value` is one over one more than the number of orders. How much this matters: let two measures be unrelated, each made of parts of networks and some noise. At a
# level of 5 %, the p-value for independent pairs finds a relation in about a third of such measures, the Mantel test in about one of twenty.


# %% tags=["solution"]
def mantel_p(a, b, orders):
    upper = np.triu_indices(len(a), 1)

    def size(order):
        return abs(np.corrcoef(a[upper], b[order][:, order][upper])[0, 1])

    measured = size(np.arange(len(a)))
    reached = sum(size(order) >= measured - 1e-9 for order in orders)
    return (1 + reached) / (1 + len(orders))


check("lenses-mantel", mantel_p, SEED)
a, b, orders = problem("lenses-mantel", SEED)
assert np.isclose(mantel_p(a, b, orders), mantel_p(b, a, orders.argsort(1)))

rng, upper = np.random.default_rng(0), np.triu_indices(8, 1)
found_by = []
for _ in range(100):
    a, b = (x[:, None] + x for x in rng.normal(size=(2, 8)))
    noise = 0.3 * rng.normal(size=(2, 8, 8))
    a, b = a + noise[0] + noise[0].T, b + noise[1] + noise[1].T
    orders = [rng.permutation(8) for _ in range(99)]
    naive = stats.pearsonr(a[upper], b[upper]).pvalue
    found_by.append([naive <= 0.05, mantel_p(a, b, orders) <= 0.05])
by_pairs, by_networks = np.mean(found_by, 0)
assert by_networks < 0.1
assert 0.2 < by_pairs < 0.45

# %% [markdown]
# :::{solution-end}
# :::
#
# :::{exercise} Do good networks give the same answers?
# :label: ex-lenses-good-networks
#
# *Project, hard, 480 minutes.* The networks of this chapter err often. Choose one sentence of *What the book found* and try to make it fail with better networks, such as convolutional ones, or with
# other data. {py:func}`.lenses.compare` takes any two networks of yours. Write down, before you train, which number would refute the sentence.
# :::
#
# :::{solution-start} ex-lenses-good-networks
# :class: dropdown
# :::
#
# A good answer has four things. A question that can fail: a number, and a limit that was written down before. The strongest null: networks of the same recipe on the same random labels, beside
# untrained ones. The nulls that `compare` draws are weaker; the first step below shows it: two networks that learned random labels pass the lens of matching. Ensembles: eight networks or more of each kind, and
# what is said is said of pairs without a common network. An error: the spread over those pairs, and where nothing is found, a positive control that shows what could have been found.
#
# The same step shows that eight networks are enough for matching: in the base each pair without a common network lies above each such pair with random labels.

# %% tags=["solution"]
one, other = random_labels[:2]
partners = [other]
partners += [
    lenses.rotated_units(other, torch.Generator().manual_seed(k))
    for k in range(19)
]
value, *nulls = [
    lenses.weight_correlation(one, matching.align(one, p)) for p in partners
]
assert value > max(nulls)
assert min(disjoint(base, "matching")) > max(disjoint(by_heart, "matching"))

# %% [markdown]
# :::{solution-end}
# :::
#
# ## Further reading
#
# Measures of likeness and what is known of them: {cite:t}`klabunde2025`. Tests that a measure should pass: {cite:t}`ding2021`. Do measures of
# representations go with behaviour? {cite:t}`bo2024`; which of them separate models, and what they add up to: {cite:t}`wu2026`.
# Consistency of errors: {cite:t}`geirhos2020`. Permutation tests of pairs, and of many hypotheses: {cite:t}`mantel1967`, {cite:t}`nichols2002`.
# Intraclass correlations: {cite:t}`mcgraw1996`.
