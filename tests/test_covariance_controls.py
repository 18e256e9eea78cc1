"""The controls of rainbow sampling, and the slider's basis from other images."""

import pytest
import torch

from netdist_utils import covariance, data, models, training


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def stretched(seed=0):
    """A network with 30 rows of 6 weights, far from isotropic, and inputs for it."""
    model = training.start(lambda: models.mlp([6, 30, 3], bias=False), seed)
    model[1].weight.data *= torch.tensor([8.0, 4.0, 2.0, 1.0, 0.5, 0.25])
    return model, data.Split(gaussian(200, 6), torch.zeros(200).long())


def moment_of(model):
    w = model[1].weight
    return w.T @ w / len(w)


def drawn(rows, width=4000, seed=0):
    reference, split = stretched()
    net = covariance.rainbow(
        reference, split, generator=generator(seed), widths=[width], rows=rows
    )
    return moment_of(reference), moment_of(net)


@pytest.mark.parametrize("rows", ["covariance", "rotated", "white"])
def test_all_rows_keep_the_mean_square(rows):
    expected, found = drawn(rows)
    assert found.trace() == pytest.approx(expected.trace().item(), rel=0.1)


def test_rotated_rows_keep_the_eigenvalues_and_not_the_directions():
    expected, found = drawn("rotated")
    values, directions = covariance.spectrum(expected)
    others, turned = covariance.spectrum(found)
    assert torch.allclose(values, others, rtol=0.25)
    assert not torch.allclose((turned @ directions.T).abs(), torch.eye(6), atol=0.3)
    _, again = drawn("rotated", seed=1)
    assert not torch.allclose(found, again, atol=0.3 * values[0].item())


def test_white_rows_have_no_direction():
    expected, found = drawn("white")
    isotropic = expected.trace() / 6 * torch.eye(6)
    assert torch.allclose(found, isotropic, atol=0.1 * isotropic.max().item())


@pytest.mark.parametrize("rows", ["rotated", "white"])
def test_controls_of_convolutions_with_biases(rows):
    model = training.start(lambda: models.convnet((2, 8, 8), [4, 6], kernel_size=3, classes=3), 0)
    split = data.Split(gaussian(30, 2, 8, 8), torch.zeros(30).long())
    net = covariance.rainbow(model, split, generator=generator(), rows=rows, widths=[5, 7])
    assert net(split.x).shape == (30, 3) and torch.isfinite(net(split.x)).all()


def test_unknown_rows_are_refused():
    reference, split = stretched()
    with pytest.raises(ValueError, match="rows is 'pink'.*covariance, rotated, white"):
        covariance.rainbow(reference, split, generator=generator(), rows="pink")


def test_the_slider_takes_the_directions_of_other_images():
    model = training.start(lambda: models.mlp([64, 10]), 0)
    images = data.digits()
    page = {}
    for name, basis in [("own", None), ("same", 0), ("training", 1)]:
        if basis is not None:
            x = (images.test, images.train)[basis].x
            basis = covariance.spectrum(covariance.moments([model], x, [0])[0].second())[1]
        html = covariance.rank_slider(
            model, 1, images.test, (8, 8), images.classes, directions=5, basis=basis
        )
        page[name] = html.data.partition('"basis"')[2].partition("}")[0]
    assert page["own"] == page["same"] != page["training"]
