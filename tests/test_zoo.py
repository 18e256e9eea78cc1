"""The networks that chapters 3 and 5 share: one definition, and one training."""

import pytest
import torch

from netdist_utils import data, models, settings, training, zoo
from tests.helpers import equal

BOTH = pytest.mark.parametrize("define", [zoo.gray_mlp, zoo.gray_cnn])


def shapes(model):
    return [tuple(p.shape) for p in model.parameters()]


def gray(side, classes=10):
    """A data set that has shapes and nothing else."""
    split = data.Split(torch.zeros(2, 1, side, side), torch.zeros(2).long())
    return data.ImageData(split, split, [str(k) for k in range(classes)], "cifar10")


@pytest.mark.parametrize("scale", ["standard", "full"])
def test_on_cifar_10_they_are_the_sources(monkeypatch, scale):
    monkeypatch.setenv("NETDIST_SCALE", scale)
    assert shapes(zoo.gray_mlp(gray(32))()) == [(512, 1024), (256, 512), (10, 256)]
    assert shapes(zoo.gray_cnn(gray(32))()) == [(32, 1, 5, 5), (64, 32, 5, 5), (10, 1600)]


@BOTH
@pytest.mark.parametrize("scale", settings.SCALES)
@pytest.mark.parametrize(("side", "classes"), [(8, 10), (32, 10), (8, 3)])
def test_sizes_follow_the_scale_and_the_data(monkeypatch, define, scale, side, classes):
    """Inputs and classes are those of the images, what lies between is `sizes`, at each scale."""
    monkeypatch.setenv("NETDIST_SCALE", scale)
    images = gray(side, classes)
    model, sizes = define(images)(), zoo.sizes()
    hidden = sizes.hidden if define is zoo.gray_mlp else sizes.channels
    outputs = [model[i].weight.shape[0] for i in models.weight_layers(model)]
    assert outputs == [*hidden, classes]
    assert model(images.train.x).shape == (2, classes)
    assert all(model[i].bias is None for i in models.weight_layers(model))


def test_smoke_is_smaller(monkeypatch):
    counts = {}
    for scale in settings.SCALES:
        monkeypatch.setenv("NETDIST_SCALE", scale)
        models_here = [define(gray(8))() for define in (zoo.gray_mlp, zoo.gray_cnn)]
        counts[scale] = [sum(p.numel() for p in model.parameters()) for model in models_here]
    assert all(4 * a < b == c for a, b, c in zip(*counts.values(), strict=True))


@BOTH
def test_two_chapters_get_the_same_networks_and_train_each_once(own_cache, monkeypatch, define):
    """Each chapter defines the network anew; the second finds it in the cache."""
    monkeypatch.setenv("NETDIST_SCALE", "smoke")
    images, trained = data.digits().first(60, 10), []

    def chapter(seeds):
        recipe = zoo.recipe(images)
        return training.fit_ensemble(define(images), images.train, seeds, progress=False, **recipe)

    def counting(starts, *rest):
        trained.append(len(starts))
        return real(starts, *rest)

    real = training._train
    monkeypatch.setattr(training, "_train", counting)
    one, two = chapter([0, 1])
    assert equal(chapter([0])[0], one) and not equal(one, two)
    assert trained == [2]
    assert len(list((own_cache / "networks").glob("*.safetensors"))) == 2


def test_the_digits_are_few_and_want_more_epochs():
    few, many = (training.Recipe(**zoo.recipe(images)) for images in (data.digits(), gray(32)))
    assert few.epochs > many.epochs
