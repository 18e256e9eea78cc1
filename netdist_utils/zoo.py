"""The networks that two chapters share, defined once, so that one cache serves both.

Chapters 3 and 5 look at one multi-layer perceptron and one convolutional network, both without
biases, trained on gray images by the recipe of chapter 3's source. A function here returns a
``make_model`` for `training.fit_ensemble`; the sizes follow `settings.scale`.
"""

from netdist_utils import models, settings


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

    Takes and returns what `gray_mlp` does.

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
