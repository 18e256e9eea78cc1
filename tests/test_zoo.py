"""The networks that chapters 3 and 5 share: one definition, and one training."""

from types import SimpleNamespace

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


NINE = ["base", "narrow", "wide", "few images", "many images", "wrong labels", "weight decay",
        "large rate", "whitened"]  # fmt: skip


def family_of(images):
    return {name: zoo.setting(images, **change) for name, change in zoo.FAMILY.items()}


def differing(one, other):
    """What of two settings differs: parts of the recipe, shapes, images, labels."""
    found = {key for key in one.recipe if one.recipe[key] != other.recipe[key]}
    if shapes(one.make_model()) != shapes(other.make_model()):
        found.add("shapes")
    if one.train.x.shape != other.train.x.shape:
        return found | {"number"}
    return found | {part for part in "xy" if not equal_parts(one, other, part)}


def equal_parts(one, other, part):
    return bool((getattr(one.train, part) == getattr(other.train, part)).all())


@pytest.fixture(scope="module")
def digit_family():
    return family_of(data.digits())


def test_each_setting_of_the_family_changes_one_thing(digit_family):
    base = digit_family["base"]
    changed = {name: differing(base, s) for name, s in digit_family.items()}
    assert list(changed) == NINE
    assert changed == {
        "base": set(),
        "narrow": {"shapes", "epochs"},  # a narrow network takes longer to fit
        "wide": {"shapes"},
        "few images": {"number"},
        "many images": {"number"},
        "wrong labels": {"y"},
        "weight decay": {"weight_decay"},
        "large rate": {"lr"},
        "whitened": {"x"},
    }
    assert digit_family["large rate"].recipe["lr"] == pytest.approx(3 * base.recipe["lr"])


def test_on_cifar_10_the_family_has_the_sizes_that_the_book_states():
    split = data.Split(torch.rand(10_000, 1, 4, 4), torch.zeros(10_000).long())
    images = data.ImageData(split, split.first(5), [str(k) for k in range(10)], "cifar10")
    family = family_of(images)
    assert [len(family[k].train) for k in ("base", "few images", "many images")] == [
        5000,
        1000,
        10_000,
    ]
    hidden = [shapes(family[k].make_model())[0][0] for k in ("base", "narrow", "wide")]
    assert hidden == [256, 64, 512]


def test_smaller_numbers_of_images_are_the_first_of_the_larger():
    few, many = (zoo.setting(data.digits(), size=size).train for size in (0.04, 0.1))
    assert equal_parts(SimpleNamespace(train=few), SimpleNamespace(train=many.first(20)), "x")


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_wrong_labels_are_wrong_and_not_redrawn(share):
    images = data.digits()
    right, wrong = (zoo.setting(images, wrong=w).train.y for w in (0, share))
    assert (right != wrong).float().mean().item() == pytest.approx(share)
    assert wrong.min() >= 0 and wrong.max() < 10
    if share == 1:  # no other class is preferred
        counts = torch.bincount((wrong - right) % 10, minlength=10)[1:]
        assert counts.min() > 0.5 * counts.float().mean()


def test_whitening_makes_the_components_alike_and_treats_the_test_images_the_same(digit_family):
    white = digit_family["whitened"]
    x = white.train.x.flatten(1).double()
    values = torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x))
    assert x.mean(0).abs().max() < 1e-5 and values.max() < 1 and (values > 0.5).sum() > 30
    whole = zoo.setting(
        data.ImageData(
            data.digits().train, data.digits().train.first(5), list("0123456789"), "digits"
        ),
        whitened=True,
    )
    assert torch.allclose(whole.test.x, whole.train.x[:5], atol=1e-5)


def test_the_family_fits_its_labels():
    """Required of the networks that chapters 5 and 6 compare."""
    for name in ("base", "narrow", "few images", "weight decay", "large rate", "whitened"):
        s = zoo.setting(data.digits(), **zoo.FAMILY[name])
        (net,) = training.fit_ensemble(
            s.make_model, s.train, [0], progress=False, cache=False, **s.recipe
        )
        assert training.accuracy(net, s.train) > 0.995, name
