"""The networks that two chapters share, defined once, so that one cache serves both.

Chapters 3 and 5 look at one multi-layer perceptron and one convolutional network, both without
biases, trained on gray images by the recipe of chapter 3's source: `gray_mlp` and `gray_cnn`
return a ``make_model`` for `training.fit_ensemble`, whose sizes follow `settings.scale`.
`setting` is one architecture of one hidden layer, trained until it fits its labels, of which
`FAMILY` changes one thing at a time.
"""

from types import SimpleNamespace

import torch

from netdist_utils import checks, data, models, settings


def sizes():
    """Hidden units and channels of the shared networks at the current scale.

    Returns
    -------
    types.SimpleNamespace
        ``.hidden`` (two ints) and ``.channels`` (two ints).

    Examples
    --------
    >>> len(sizes().hidden), len(sizes().channels)
    (2, 2)
    """
    return settings.pick(
        hidden=([64, 48], [512, 256], [512, 256]),
        channels=([8, 16], [32, 64], [32, 64]),
    )


def recipe(images):
    """How the shared networks are trained: the source's five epochs on CIFAR-10.

    Parameters
    ----------
    images : data.ImageData
        The digits are few, and want more epochs.

    Returns
    -------
    dict
        Options of `training.fit_ensemble`.

    Examples
    --------
    >>> from netdist_utils import data
    >>> recipe(data.digits())
    {'epochs': 40, 'lr': 0.05}
    """
    return {"epochs": 40, "lr": 0.05} if images.name == "digits" else {"epochs": 5, "lr": 0.01}


def gray_mlp(images):
    """The multi-layer perceptron of chapters 3 and 5: two hidden layers, no biases.

    Parameters
    ----------
    images : data.ImageData
        Gray.

    Returns
    -------
    callable
        Takes nothing, returns an untrained network.

    Examples
    --------
    >>> from netdist_utils import data
    >>> gray_mlp(data.digits())()[1].in_features
    64
    """
    n_in = images.train.x[0].numel()
    widths = [n_in, *sizes().hidden, len(images.classes)]
    return lambda: models.mlp(widths, bias=False)


def gray_cnn(images):
    """The convolutional network of chapters 3 and 5: two convolutions of stride 2, no biases.

    Parameters
    ----------
    images : data.ImageData

    Examples
    --------
    >>> from netdist_utils import data
    >>> gray_cnn(data.digits())()[0].kernel_size
    (3, 3)
    """
    shape, classes = tuple(images.train.x.shape[1:]), len(images.classes)
    kernel = 5 if shape[-1] == 32 else 3
    return lambda: models.convnet(
        shape, sizes().channels, kernel_size=kernel, stride=2, classes=classes, bias=False
    )


# What chapters 5 and 6 compare, as options of `setting`; each but the base changes one thing.
FAMILY = {"base": {}, "narrow": {"width": 0.25}, "wide": {"width": 2}, "few images": {"size": 0.2},
          "many images": {"size": 2}, "wrong labels": {"wrong": 0.3},
          "weight decay": {"decay": 0.001}, "large rate": {"faster": 3},
          "whitened": {"whitened": True}}  # fmt: skip


def setting(images, *, size=1, width=1, wrong=0.0, decay=0.0, faster=1, whitened=False):
    """One setting of the `FAMILY`: one hidden layer, no biases, trained until the labels fit.

    The base has 256 hidden units and 5,000 training images (digits: 64 and 500). Its rate was
    chosen by the training error alone: of a small grid, the largest for which three times the
    rate trained from every seed tried. It falls to zero along a cosine.

    Parameters
    ----------
    images : data.ImageData
        Gray.
    size, width, faster : positive float
        Training images, hidden units and learning rate, over those of the base.
    wrong : float in [0, 1]
        Share of the training images that get another label than their own.
    decay : float from 0 on
        Weight decay.
    whitened : bool
        Give the principal components of the training images nearly equal variances, in training
        and test: those far below a hundredth of the mean variance stay small.

    Returns
    -------
    types.SimpleNamespace
        ``.make_model``, ``.train`` and ``.test`` (data.Split), and ``.recipe``, the options of
        `training.fit_ensemble`.

    Examples
    --------
    >>> from netdist_utils import data
    >>> few = setting(data.digits(), **FAMILY["few images"])
    >>> len(few.train), few.recipe["schedule"]
    (100, 'cosine')
    """
    n, units, lr = (500, 64, 0.2) if images.name == "digits" else (5000, 256, 0.015)
    train, test = images.train.first(round(size * n)), images.test
    g, classes = torch.Generator().manual_seed(0), len(images.classes)
    hit = torch.randperm(len(train), generator=g) < round(wrong * len(train))
    moved = train.y + hit * torch.randint(1, classes, (len(train),), generator=g)
    train = data.Split(train.x, moved % classes)
    if whitened:
        train, test = (data.Split(_whiten(part.x, train.x), part.y) for part in (train, test))
    widths = [train.x[0].numel(), round(width * units), classes]
    recipe = {"lr": faster * lr, "batch_size": 100, "weight_decay": decay, "schedule": "cosine"}
    recipe["epochs"] = 180 if width < 1 else 90  # a narrow network is slow to fit
    make_model = lambda: models.mlp(widths, bias=False)
    return SimpleNamespace(make_model=make_model, train=train, test=test, recipe=recipe)


def _whiten(x, reference):
    """Images less the mean of the reference, in the frame where its components are alike."""
    centred = (reference - reference.mean(0)).flatten(1).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    scaled = vectors * (values.clamp(min=0) + values.mean() / 100).rsqrt()
    return ((x - reference.mean(0)).flatten(1) @ (scaled @ vectors.T).float()).view_as(x)


checks.guard(__name__)
