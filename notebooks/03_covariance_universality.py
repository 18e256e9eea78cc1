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
# # 3. Covariance universality
#
# **The question.** Two networks with different weights reach the same accuracy. Do they share the
# covariances of their weights and activations, and is that all that they share?
#
# **What you will be able to do.** Compute the covariances of all layers in one pass over the
# data; align two networks by an orthogonal map, and say how much of the variance that explains;
# count the directions that a layer has learned; and generate new networks from covariances alone.
#
# **What you need.** Eigenvectors, singular values, covariance.
#
# **Time.** About 40 minutes to read. It runs in about five minutes on two CPU cores when the
# networks have to be trained; no GPU was at hand to measure one.
#
# The chapter follows a tutorial of the Bonner Lab {cite:p}`bonnerlab2024` on the method of
# {cite:t}`guth2024`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown, display

from netdist_utils import (
    claims,
    covariance,
    data,
    models,
    plotting,
    random_matrices,
    settings,
    training,
    zoo,
)

plotting.use_style()

# %%
# One line a size: smoke, standard, full.
knobs = settings.pick(
    networks=(3, 3, 20),
    draws=(4, 10, 50),
    images=(1000, 10000, 50000),
    clip_images=(300, 10000, 10000),
)

# %% [markdown]
# ## 3.1 Data and networks
#
# CIFAR-10 in shades of gray, and a multi-layer perceptron with two hidden layers and no biases:
#
# $$f(x) = \theta\, \sigma(W_2\, \sigma(W_1 x)).$$

# %% mystnb={"image": {"alt": "Five training images in gray with the names of their classes."}}
images = data.images()
side = images.train.x.shape[-1]
fig, axes = plt.subplots(1, 5, figsize=(7.2, 1.8))
for ax, picture, label in zip(
    axes, data.pixels(images.train.x[:5]), images.train.y, strict=False
):
    ax.imshow(picture, cmap="gray")
    ax.set(title=images.classes[label], xticks=[], yticks=[])
plt.show()

# %% tags=["remove-input"]
data.notice(images)

# %%
make_mlp, recipe = zoo.gray_mlp(images), zoo.recipe(images)
hidden = zoo.sizes().hidden
widths = [side * side, *hidden, 10]
networks = training.fit_ensemble(
    make_mlp, images.train, range(knobs.networks), **recipe
)
untrained = training.start(make_mlp, 100)
accuracies = [training.accuracy(model, images.test) for model in networks]
claims.check("covariance_mlp_accuracy", np.mean(accuracies), images.name)

# %% tags=["hide-input"]
display(
    Markdown(
        f"Test accuracies of {len(networks)} networks: "
        + ", ".join(f"{a:.3f}" for a in accuracies)
        + f". Mean {np.mean(accuracies):.3f}, standard deviation {np.std(accuracies, ddof=1):.3f}."
    )
)

# %% [markdown]
# ## 3.2 Second moments in one pass
#
# For a layer with activations $\varphi(x)$, a row vector, the second moment is
# $\mathbb E[\varphi^\top \varphi]$, and the covariance is what is left after the mean is taken out.
# The activations of all images need not be kept: add up $\varphi^\top \varphi$ batch by batch.
# Put several networks' activations side by side, and one product gives their self and cross
# moments together.

# %%
layers = [2, 4]  # outputs of the two ReLUs; layer 0 is the flattened input
train = covariance.moments([*networks, untrained], images.train.x, [0, *layers])
held_out = covariance.moments([*networks, untrained], images.test.x, layers)

# %% tags=["hide-input"]
share = {
    layer: float(
        train[layer].mean().square().sum() / train[layer].second().trace()
    )
    for layer in layers
}
display(
    Markdown(
        "The source calls the second moment a covariance. The difference is large: the mean alone has "
        + " and ".join(f"{s:.0%}" for s in share.values())
        + " of the second moment's trace in layers 1 and 2."
    )
)

# %% [markdown]
# ## 3.3 How many directions does a layer need?
#
# The eigenvectors of the second moment of a layer's input are its principal directions. Project
# the input on the first $k$ of them, leave the rest of the network as it is, and measure accuracy:
# for every $k$, exactly. From $k$ to $k + 1$ the layer's output changes by one term, so no model is
# copied.

# %%
clipped = images.test.first(knobs.clip_images)
curves = {}
for layer, source in [(1, 0), (3, 2)]:
    values, basis = covariance.spectrum(train[source].second())
    curves[layer] = (
        values,
        covariance.clip_curve(networks[0], layer, basis.float(), clipped),
    )

# %% mystnb={"image": {"alt": "Left: eigenvalues of the input and first hidden layer on log-log axes, falling as a power. Right: accuracy against directions kept, saturating long before all are used."}}
fig, axes = plt.subplots(1, 2)
for (values, accuracy), name in zip(
    curves.values(), ["input", "hidden layer 1"], strict=True
):
    axes[0].loglog(
        range(1, len(values) + 1), values.clamp_min(1e-7), label=name
    )
    axes[1].semilogx(range(1, len(accuracy) + 1), accuracy, label=name)
axes[0].set(xlabel="rank", ylabel="eigenvalue of the second moment")
axes[1].set(xlabel="directions kept", ylabel="test accuracy")
axes[1].legend()
plt.show()

# %% tags=["hide-input"]
enough = {
    layer: int((a >= 0.99 * a[-1]).nonzero()[0, 0]) + 1
    for layer, (_, a) in curves.items()
}
display(
    Markdown(
        f"99 % of the accuracy is reached with {enough[1]} of {widths[0]} input directions and "
        f"{enough[3]} of {widths[1]} directions of the first hidden layer, on {len(clipped):,} images."
    )
)

# %% [markdown]
# Drag the slider (or use the arrow keys): with few directions the network sees blurred pictures,
# and is nearly as good.

# %%
covariance.rank_slider(networks[0], 1, clipped, (side, side), images.classes)

# %% [markdown]
# ## 3.4 The covariance of weights
#
# The rows of $W$ are the input weights of a layer's units; their second moment is
# $C = W^\top W / n$ for $n$ rows. How much of it was learned? Compare with the same layer before
# training, and with the Marchenko-Pastur law {cite:p}`marchenko1967`, which says where the
# eigenvalues of pure noise lie.
#
# The source has it that weights start with identity covariance. PyTorch's default start is uniform
# with variance $1/(3d)$ for $d$ inputs, and that is the variance of the law below. An eigenvalue
# counts as learned if it lies above the value that the largest of a noise matrix stays below with
# probability 0.99 (Tracy-Widom), not where the eye sees a bend.

# %% mystnb={"image": {"alt": "Weight eigenvalues of both layers on a log axis: trained above the dashed initial ones at low rank, with the noise edge as a dotted line; below, accuracy after clipping."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 5.5))
learned = {}
for column, layer in enumerate([1, 3]):
    weight, start = (
        networks[0][layer].weight,
        training.start(make_mlp, 0)[layer].weight,
    )
    values, directions = covariance.weight_spectrum(weight)
    rows, inputs = weight.shape
    edge = (
        random_matrices.largest_noise_eigenvalue(weight.shape, 1 / (3 * inputs))
        * inputs
        / rows
    )
    learned[layer] = int((values > edge).sum())
    axes[0, column].semilogy(values.cpu(), label="trained")
    axes[0, column].semilogy(
        covariance.weight_spectrum(start)[0].cpu(), "--", label="at the start"
    )
    axes[0, column].axhline(
        edge, color="black", ls=":", label="noise stays below"
    )
    axes[0, column].set(
        title=f"layer {column + 1}", xlabel="rank", ylabel="weight eigenvalue"
    )
    accuracy = covariance.clip_curve(networks[0], layer, directions, clipped)
    axes[1, column].plot(
        range(1, len(accuracy) + 1), accuracy, color=plotting.COLORS[2]
    )
    axes[1, column].axvline(learned[layer], color="black", ls=":")
    axes[1, column].set(xlabel="weight directions kept", ylabel="test accuracy")
axes[0, 0].legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"Learned directions, counted: **{learned[1]}** in layer 1 and **{learned[3]}** in layer 2. The "
        "source read about 50 and about 15 off the bend of the curve; a count against noise has an "
        "error rate that can be stated, one in a hundred that a layer of pure noise shows any."
    )
)

# %% [markdown]
# ## 3.5 Aligning two networks
#
# Units of two networks come in different orders, and more generally in different frames. Look for
# the orthogonal $A$ that minimises $\mathbb E\,|\varphi_1 A - \varphi_2|^2$. Expanding the square,
# only the cross term depends on $A$: maximise $\operatorname{tr}(A^\top M)$ with
# $M = \mathbb E[\varphi_1^\top \varphi_2] = U \Sigma V^\top$. The answer is $A = U V^\top$
# {cite:p}`schonemann1966`, and the maximum is $\operatorname{tr} \Sigma$.
#
# The source reports
# $\operatorname{tr}\Sigma / \sqrt{\mathbb E|\varphi_1|^2\, \mathbb E|\varphi_2|^2}$ and calls it
# $r^2$. It is a cosine. The share of $\varphi_2$'s variance that a multiple of $\varphi_1 A$
# explains is its square. It also leaves the mean in, and measures on the images that $A$ was
# fitted to.


# %%
def cosines(layer, i, j):
    """Cosine of two networks: raw and centred, on training and on held-out images."""
    row = {}
    for centered in (False, True):
        a = covariance.procrustes(train.second(layer, i, j, centered))
        for name, found in [("training", train), ("held out", held_out)]:
            key = f"{'centred' if centered else 'raw'}, {name}"
            row[key] = covariance.alignment_cosine(
                found[layer], i, j, a, centered
            )
    return row


n = len(networks)
pairs = [(i, j) for i in range(n) for j in range(i)]
table = pd.DataFrame(
    {
        (f"layer {k + 1}", kind): pd.DataFrame(
            [cosines(layer, i, j) for i, j in which]
        ).mean()
        for k, layer in enumerate(layers)
        for kind, which in [
            ("trained pairs", pairs),
            ("control", [(n, i) for i in range(n)]),
        ]
    }
)
table.round(3)

# %%
claims.check(
    "covariance_cosine_1",
    table.loc["raw, training"]["layer 1", "trained pairs"],
    images.name,
)
claims.check(
    "covariance_cosine_2",
    table.loc["raw, training"]["layer 2", "trained pairs"],
    images.name,
)
centred = table.loc["centred, held out"]
claims.check(
    "covariance_cosine_control",
    centred["layer 2", "trained pairs"] - centred["layer 2", "control"],
    images.name,
)

# %% tags=["hide-input"]
raw = table.loc["raw, training"]
display(
    Markdown(
        f"Cosines {raw['layer 1', 'trained pairs']:.1%} and {raw['layer 2', 'trained pairs']:.1%}; "
        f"shares explained, their squares, {raw['layer 1', 'trained pairs'] ** 2:.1%} and "
        f"{raw['layer 2', 'trained pairs'] ** 2:.1%}. Centred and held out, the shares are "
        f"{centred['layer 1', 'trained pairs'] ** 2:.1%} and {centred['layer 2', 'trained pairs'] ** 2:.1%}. "
        "The control aligns a trained network with one that was never trained: its shares are "
        f"{centred['layer 1', 'control'] ** 2:.1%} and {centred['layer 2', 'control'] ** 2:.1%}. Much of "
        "the agreement between two networks is agreement about the input; the difference to the "
        "control is what training adds."
    )
)

# %% [markdown]
# ## 3.6 Do eigenvectors agree?
#
# After alignment, compare each eigenvector of one network with each of the other. If single
# directions were shared, the matrices below would be diagonal; where eigenvalues are close,
# eigenvectors mix, and only the subspace can be shared.

# %% mystnb={"image": {"alt": "Four 50 by 50 maps of cosines between eigenvectors of two networks: bright diagonals at low rank that fade at higher rank."}}
fig, axes = plt.subplots(2, 2, figsize=(7.2, 6))
for column, (layer, weight_layer) in enumerate(
    zip(layers, [1, 3], strict=True)
):
    a = covariance.procrustes(train[layer].second(0, 1))
    one, two = (
        covariance.spectrum(train[layer].second(k))[1][:50] for k in (0, 1)
    )
    plotting.heatmap(
        (one @ a @ two.T).abs().cpu(),
        axes[0, column],
        vmin=0,
        vmax=1,
        label="cosine",
        title=f"activations, layer {column + 1}",
    )
    one, two = (
        covariance.weight_spectrum(networks[k][weight_layer].weight)[1][
            :50
        ].double()
        for k in (0, 1)
    )
    turn = (
        torch.eye(one.shape[1]).to(one)
        if column == 0
        else covariance.procrustes(train[2].second(0, 1))
    )
    plotting.heatmap(
        (one @ turn @ two.T).abs().cpu(),
        axes[1, column],
        vmin=0,
        vmax=1,
        label="cosine",
        title=f"weights, layer {column + 1}",
    )
for ax in axes.flat:
    ax.set(xlabel="rank, network 2", ylabel="rank, network 1")
plt.show()

# %% [markdown]
# ## 3.7 Networks from covariances alone
#
# If the covariances are all that matters, then rows drawn from a Gaussian with covariance
# $W^\top W / n$ should do. Layer by layer: draw rows, turn them into the frame of the new network's
# activations (a Procrustes alignment again), go on; the last layer is the trained classifier,
# turned. This is the rainbow model {cite:p}`guth2024`.
#
# The source's sampler multiplies white noise by $\Sigma V^\top$ and forgets $1/\sqrt n$: its first
# layer is $\sqrt{512} \approx 22.6$ times too large. A ReLU network without biases hides that in
# its accuracy, which does not depend on scale; its cross-entropy shows it.


# %%
def draws(reference, n_draws, **options):
    """Generated networks, one a seed."""
    return [
        covariance.rainbow(
            reference,
            images.train,
            images=knobs.images,
            generator=torch.Generator().manual_seed(seed),
            **options,
        )
        for seed in settings.progress(range(n_draws), desc="sampling")
    ]


sampled = draws(networks[0], knobs.draws)
sampled_accuracy = np.array(
    [training.accuracy(model, images.test) for model in sampled]
)
claims.check(
    "covariance_sampled_accuracy", sampled_accuracy.mean(), images.name
)
ratio = np.mean(
    [float(m[1].weight.norm() / networks[0][1].weight.norm()) for m in sampled]
)
claims.check("covariance_scale", ratio, images.name)

# %% [markdown]
# How much of the loss is the classifier's fault? Retrain the last layer alone, by gradient descent
# on the sampled network's features. And the controls: the same with random features, and with
# rows drawn from white noise of the right size.


# %%
def features(model, split):
    """Inputs of the last layer, as a data set."""
    x = torch.cat(
        [
            models.outputs(model, part, [4])[4].cpu()
            for part in split.x.split(2000)
        ]
    )
    scale = x.std()
    return data.Split(x / scale, split.y)


def retrained(model):
    """Test accuracy with a new last layer."""
    (head,) = training.fit_ensemble(
        lambda: models.mlp([widths[-2], 10]),
        features(model, images.train),
        [0],
        epochs=3,
        lr=0.05,
        progress=False,
        cache=False,
    )
    return training.accuracy(head, features(model, images.test))


comparison = pd.Series(
    {
        "trained": np.mean(accuracies),
        "sampled from covariances": sampled_accuracy.mean(),
        "sampled, classifier retrained": retrained(sampled[0]),
        "untrained, classifier retrained": retrained(untrained),
        "chance": 0.1,
    }
)

# %% mystnb={"image": {"alt": "Bars of accuracy: trained, sampled, sampled with retrained classifier, untrained with retrained classifier, chance."}}
fig, ax = plt.subplots(figsize=(7.2, 2.6))
ax.barh(comparison.index, comparison, color=plotting.COLORS[0])
ax.plot(
    sampled_accuracy,
    np.full(len(sampled), 1.0),
    "o",
    color=plotting.COLORS[1],
    ms=4,
    label="single draws",
)
ax.set(xlabel="test accuracy")
ax.invert_yaxis()
ax.legend()
plt.show()

# %% tags=["hide-input"]
wrong = models.clone(sampled[0])
for i, rows in zip([1, 3], hidden, strict=True):
    wrong[i].weight.data *= rows**0.5
losses = [
    training.cross_entropy(m, images.test)
    for m in (networks[0], sampled[0], wrong)
]
display(
    Markdown(
        f"Accuracy over {len(sampled)} draws: {sampled_accuracy.mean():.1%} +- "
        f"{sampled_accuracy.std(ddof=1):.1%} (standard deviation). Cross-entropy: trained "
        f"{losses[0]:.2f}, sampled {losses[1]:.2f}, sampled without $1/\\sqrt{{n}}$ {losses[2]:.0f} nats, "
        "at the same accuracy."
    )
)

# %% [markdown]
# ## 3.8 A convolutional network
#
# Two convolutions of 5 x 5 with stride 2, and a linear classifier. Channels are the dimensions
# that are aligned; positions are more samples, since a convolution keeps them apart. Only the
# classifier, which sees all positions at once, gets its input aligned as one flat vector.

# %%
cnns = training.fit_ensemble(
    zoo.gray_cnn(images), images.train, [0, 1], **recipe
)
cnn_accuracy = np.mean(
    [training.accuracy(model, images.test) for model in cnns]
)
claims.check("covariance_cnn_accuracy", cnn_accuracy, images.name)
cnn_sampled = [
    training.accuracy(m, images.test)
    for m in draws(cnns[0], max(3, knobs.draws // 2))
]
claims.check("covariance_cnn_sampled", np.mean(cnn_sampled), images.name)

# %% mystnb={"image": {"alt": "Channel spectra of two convolutional networks in two layers: the two networks' curves nearly coincide."}}
found = covariance.moments(cnns, images.test.x, [1, 3])
fig, axes = plt.subplots(1, 2)
for ax, layer in zip(axes, [1, 3], strict=True):
    a = covariance.procrustes(found[layer].covariance(0, 1))
    cosine = covariance.alignment_cosine(found[layer], 0, 1, a, centered=True)
    for k in (0, 1):
        values, _ = covariance.spectrum(found[layer].covariance(k))
        ax.loglog(
            range(1, len(values) + 1),
            values.clamp_min(1e-9),
            ["-", "--"][k],
            label=f"network {k + 1}",
        )
    ax.set(
        title=f"convolution {layer // 2 + 1}: cosine {cosine:.2f}",
        xlabel="rank",
        ylabel="channel eigenvalue",
    )
axes[0].legend()
plt.show()

# %% tags=["hide-input"]
display(
    Markdown(
        f"Accuracy {cnn_accuracy:.1%}; sampled {np.mean(cnn_sampled):.1%} +- "
        f"{np.std(cnn_sampled, ddof=1):.1%} over {len(cnn_sampled)} draws. A Gaussian is a poor model "
        "of spatial filters: they are selective in orientation and frequency."
    )
)

# %% [markdown]
# ## 3.9 Beyond the source
#
# **Pooling.** Rows of several networks, turned into one frame, give a better estimate of a common
# covariance. **Width.** A covariance says nothing of how many rows to draw. **Single layers.** Which
# layer loses most by being sampled?

# %%
half, double = ([int(w * f) for w in hidden] for f in (0.5, 2))
variants = {
    "as in 3.7": {},
    "pooled over all networks": {"pool": networks[1:]},
    "half as wide": {"widths": half},
    "twice as wide": {"widths": double},
    "only layer 1 sampled": {"sampled": [1]},
    "only layer 2 sampled": {"sampled": [3]},
}
rows = {
    name: [
        training.accuracy(m, images.test)
        for m in draws(networks[0], max(3, knobs.draws // 3), **options)
    ]
    for name, options in variants.items()
}
pd.DataFrame(
    {
        "accuracy": {k: np.mean(v) for k, v in rows.items()},
        "standard deviation": {k: np.std(v, ddof=1) for k, v in rows.items()},
    }
).round(3)

# %% [markdown]
# **Which maps?** A permutation of units, an orthogonal map, any linear map: each explains at least
# as much as the one before. How large are the gaps, on held-out images?

# %%
pd.DataFrame(
    {
        f"layer {k + 1}": covariance.explained(
            train[layer], held_out[layer], 0, 1
        )
        for k, layer in enumerate(layers)
    }
).round(3)

# %% [markdown]
# ## Take-aways
#
# - The covariances of layers agree between networks, after an orthogonal alignment. Say which
#   number you report: a cosine or its square, centred or not, held out or not.
# - The untrained control agrees a good deal too: part of what networks share is the data.
# - New networks drawn from the covariances alone keep a good part of the accuracy, far above
#   chance and below the original. So covariances are shared, and they are not all that matters.
# - Learned directions can be counted against noise with a stated error.
#
# ## Ledger

# %% tags=["hide-input"]
claims.table("03_covariance_universality")

# %% [markdown]
# ## Exercises
#
# **1.** Show that scaling all weights of one layer by $c > 0$ leaves the accuracy of a bias-free
# ReLU network as it is, and find what it does to the cross-entropy.
#
# :::{admonition} Solution
# :class: dropdown
# The logits are multiplied by $c$, so the largest stays the largest. The cross-entropy tends to
# the margin of wrong answers times $c$: errors made with confidence cost more and more.
# ```python
# for c in [0.1, 1, 10]:
#     scaled = models.clone(sampled[0])
#     scaled[1].weight.data *= c
#     print(c, training.accuracy(scaled, images.test), training.cross_entropy(scaled, images.test))
# ```
# :::
#
# **2.** Sample with the right eigenvalues but random eigenvectors. Is it the spectrum or the
# directions that carry the accuracy?
#
# :::{admonition} Solution
# :class: dropdown
# ```python
# turned = models.clone(networks[0])
# q = torch.linalg.qr(torch.randn(widths[0], widths[0]))[0]
# turned[1].weight.data = turned[1].weight.data @ q
# net = covariance.rainbow(turned, images.train, generator=torch.Generator().manual_seed(0))
# print(training.accuracy(net, images.test))
# ```
# The spectrum alone is worth nothing.
# :::
#
# ## Further reading
#
# The rainbow model: {cite:t}`guth2024`. Random matrices: {cite:t}`marchenko1967`,
# {cite:t}`johnstone2001`. The Procrustes problem: {cite:t}`schonemann1966`.
