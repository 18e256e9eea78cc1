import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from netdist_utils import covariance, data, models, training


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def a_split(*shape, classes=3):
    return data.Split(gaussian(*shape), torch.arange(shape[0]) % classes)


def net(*sizes, seed=0):
    return training.start(lambda: models.mlp(sizes), seed)


@pytest.mark.parametrize("penalty", [1e-3, 1.0])
def test_the_readout_is_ridge_regression(penalty):
    """scikit-learn fits the same centred least squares, with a price in the sum's units."""
    model, split = net(5, 8, 3), a_split(200, 5)
    h = models.outputs(model, split.x, [2])[2].numpy().astype(np.float64)
    price = penalty * len(h) * h.var(0).mean()
    expected = Ridge(alpha=price).fit(h, np.eye(3)[split.y.numpy()]).predict(h)
    found = covariance.ridge_readout(model, 2, split, penalty)
    assert np.allclose(found(split.x), expected, atol=1e-5)


def test_a_linear_rule_is_found():
    """Classes that the layer separates: a class a unit, whatever its mean and scale."""
    y = torch.arange(300) % 3
    x = 5 + 0.1 * torch.nn.functional.one_hot(y).float() + 0.001 * gaussian(300, 3)
    split = data.Split(x, y)
    found = covariance.ridge_readout(net(3, 2), -1, split)
    assert training.accuracy(found, split) == 1.0


def test_positions_of_an_image_are_features():
    model = training.start(lambda: models.convnet((2, 8, 8), [4], kernel_size=3, classes=3), 0)
    split = a_split(40, 2, 8, 8)
    found = covariance.ridge_readout(model, 1, split)
    assert found[-1].in_features == 4 * 6 * 6
    assert found(split.x).shape == (40, 3)


def test_the_model_stays_as_it_is_and_dead_units_do_no_harm():
    model, split = net(5, 8, 3), a_split(60, 5)
    model[1].weight.data[:3] = model[1].bias.data[:3] = 0
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = covariance.ridge_readout(model, 2, split)
    assert torch.isfinite(found(split.x)).all()
    assert found[1] is not model[1] and not found[-1].weight.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_not_positive_is_refused(penalty):
    with pytest.raises(ValueError, match=f"penalty is {penalty}"):
        covariance.ridge_readout(net(5, 8, 3), 2, a_split(60, 5), penalty)
