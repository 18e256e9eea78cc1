"""Moments of layers against numpy on all samples at once."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from netdist_utils import models, training
from netdist_utils.moments import CONSTANT, CONSTANT_IN_DOUBLE, as_samples, moments
from tests.helpers import allclose, gaussian, moments_of, net, permutation


def cnn(seed=0, channels=(4, 6)):
    return training.start(
        lambda: models.convnet((2, 8, 8), channels, kernel_size=3, classes=3), seed
    )


def test_one_sample_is_its_own_mean():
    """Of one unit and one sample: no variance, so the unit is dead."""
    found = moments_of(torch.tensor([[2.0]]))
    assert (found.sizes, found.count, found.mean().tolist()) == ((1,), 1, [2.0])
    assert found.second().tolist() == [[4.0]] and found.covariance().tolist() == [[0.0]]
    assert found.dead().tolist() == [True] and found.correlation().tolist() == [[0.0]]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(2, 30), st.integers(1, 9))
@settings(max_examples=25)
def test_moments_of_several_networks_are_numpys(widths, n, batch):
    """Streamed in batches of any size: mean, second moment and covariance of each pair."""
    networks, x = [net(5, w, 2, seed=w) for w in widths], gaussian(n, 5)
    found = moments(networks, x, [1], batch_size=batch)[1]
    samples = [model[:2](x).double().numpy() for model in networks]
    assert found.sizes == tuple(widths) and found.count == n
    covariances = np.atleast_2d(np.cov(np.concatenate(samples, 1).T, bias=True))
    ends = np.cumsum([0, *widths])
    for i, j in product(range(len(widths)), repeat=2):
        a, b = samples[i], samples[j]
        assert allclose(found.mean(i), a.mean(0), atol=1e-6)
        assert allclose(found.second(i, j), a.T @ b / n, atol=1e-6)
        block = covariances[ends[i] : ends[i + 1], ends[j] : ends[j + 1]]
        assert allclose(found.covariance(i, j), block, atol=1e-6)
    assert torch.equal(found.second(0), found.second(0, 0))


def test_correlations_are_numpys():
    found = moments_of(gaussian(50, 3), gaussian(50, 4, seed=1))
    both = np.concatenate([gaussian(50, 3), gaussian(50, 4, seed=1)], axis=1)
    assert allclose(found.correlation(0, 1), np.corrcoef(both.T)[:3, 3:], atol=1e-6)
    assert allclose(found.correlation(1).diagonal(), np.ones(4), atol=1e-12)


def test_a_data_sets_moments_are_those_of_its_layers():
    found = moments([net(5, 4, 3), net(5, 6, 3, seed=1)], gaussian(9, 5), [-1, 2])
    assert found[-1].sizes == (5, 5) and found[2].sizes == (4, 6)
    assert torch.equal(found.mean(2, 1), found[2].mean(1))
    assert torch.equal(found.second(2, 0, 1), found[2].second(0, 1))
    assert torch.equal(found.second(2, 0, 1, centered=True), found[2].covariance(0, 1))
    assert allclose(found[-1].second(0), found[-1].second(0, 1), atol=1e-6)  # one input for both


@given(st.lists(st.integers(1, 40), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_moments_of_parts_merge_into_those_of_all(cuts, random):
    """Over any split, in any order, in one step or many: counts exactly, the rest to rounding."""
    networks, x = [net(5, 3, seed=1), net(5, 4, seed=2)], gaussian(41, 5)
    whole = moments(networks, x, [1])[1]
    ends = sorted({0, 41, *cuts})
    parts = [moments(networks, x[a:b], [1])[1] for a, b in pairwise(ends)]
    random.shuffle(parts)
    at_once, later = parts[0].merged(*parts[1:]), parts[0]
    for part in parts[1:]:
        later = part.merged(later)
    for found in (at_once, later):
        assert (found.count, found.sizes, found.constant) == (41, (3, 4), whole.constant)
        assert allclose(found.means, whole.means, atol=1e-6)  # products are in single precision
        assert allclose(found.seconds, whole.seconds, atol=1e-6)
    assert allclose(at_once.means, later.means, atol=1e-14, rtol=1e-13)
    assert allclose(at_once.seconds, later.seconds, atol=1e-14, rtol=1e-13)


@given(st.lists(st.integers(1, 40), max_size=6), st.integers(0, 100))
@settings(max_examples=50)
def test_in_double_precision_a_merge_differs_by_rounding_alone(cuts, seed):
    h = gaussian(41, 3, seed=seed).double()
    ends = sorted({0, 41, *cuts})
    parts = [moments_of(h[a:b]) for a, b in pairwise(ends)]
    found, whole = parts[0].merged(*parts[1:]), moments_of(h)
    assert found.count == 41 and found.constant == whole.constant
    assert allclose(found.means, h.mean(0), atol=1e-14, rtol=1e-13)
    assert allclose(found.seconds, h.T @ h / 41, atol=1e-14, rtol=1e-13)


def test_a_merge_weighs_parts_by_their_samples_and_changes_none_of_them():
    """The control: the mean of the parts' means is another number."""
    one, three = moments_of(torch.tensor([[4.0]])), moments_of(torch.tensor([[0.0], [1.0], [5.0]]))
    found = one.merged(three)
    assert (found.count, found.mean().item(), found.second().item()) == (4, 2.5, 10.5)
    assert found.mean().item() != (one.mean() + three.mean()).item() / 2
    assert (one.count, one.mean().item(), three.count, three.mean().item()) == (1, 4.0, 3, 2.0)
    assert one.merged().means.tolist() == one.means.tolist()


def test_single_precision_anywhere_decides_what_is_constant():
    h = gaussian(9, 2)
    single, double = moments_of(h), moments_of(h.double())
    assert single.constant > double.constant == double.merged(double).constant
    assert double.merged(single).constant == single.merged(double).constant == single.constant


def test_moments_of_other_networks_do_not_merge():
    with pytest.raises(ValueError, match=r"\[\(3,\), \(2,\)\]"):
        moments_of(gaussian(9, 3)).merged(moments_of(gaussian(9, 2)))


class Doubled(torch.nn.Module):
    """A layer that puts out double precision."""

    def forward(self, h):
        return h.double()


@pytest.mark.parametrize("layers", [[0, 1], [1, 0]])
def test_each_layers_own_precision_decides_what_is_constant(layers):
    model = torch.nn.Sequential(torch.nn.Identity(), Doubled())
    found = moments([model], gaussian(9, 2), layers)
    assert (found[0].constant, found[1].constant) == (CONSTANT, CONSTANT_IN_DOUBLE)


def test_positions_are_samples():
    model, x = cnn(), gaussian(3, 2, 8, 8)
    h = models.outputs(model, x, [1])[1]  # (3, 4, 6, 6)
    samples = torch.stack([h[n, :, i, j] for n in range(3) for i in range(6) for j in range(6)])
    found = moments([model], x, [1])
    assert allclose(found.second(1), samples.T @ samples / len(samples), atol=1e-6)
    assert found[1].count == 3 * 36
    assert torch.equal(as_samples(h), samples)


def test_a_layer_named_twice_is_counted_once():
    model, x = net(5, 4, 3), gaussian(9, 5)
    once, twice = moments([model], x, [1]), moments([model], x, [1, 1])
    assert twice[1].count == once[1].count == 9
    assert torch.equal(twice.second(1), once.second(1))
    both = moments([model], x, iter([3, 1, 3]))
    assert list(both.layers) == [3, 1] and torch.equal(both.second(1), once.second(1))


def test_each_network_may_have_inputs_of_its_own():
    """Sample n of one is paired with sample n of the other: a shuffle changes what is between."""
    model, x, order = net(5, 4, 3), gaussian(40, 5), permutation(40)
    found = moments([model, model], [x, x[order]], [1], batch_size=7)[1]
    h = model[:2](x).double()
    assert allclose(found.second(0, 1), h.T @ h[order] / 40, atol=1e-6)
    assert allclose(found.second(1), found.second(0), atol=1e-6)
    assert (found.second(0, 1) - found.second(0)).abs().max() > 0.1


def test_dead_units_are_those_that_never_change():
    """Zero, or constant up to the rounding of single precision; a small unit is alive."""
    h = gaussian(200, 5)
    h[:, 1], h[:, 2], h[:, 3] = 0, 3.7, 1e-6 * h[:, 3]
    found = moments_of(h, gaussian(200, 2, seed=1))
    assert found.dead(0).tolist() == [False, True, True, False, False]
    assert found.dead(1).tolist() == [False, False]
    assert (found.scale(0) == 0).tolist() == found.dead(0).tolist()
    for correlation in (found.correlation(0), found.correlation(0, 1), found.correlation(1, 0).T):
        assert torch.isfinite(correlation).all()
        assert (correlation[[1, 2]] == 0).all() and (correlation[[0, 3, 4]].abs().sum(1) > 0).all()
    assert found.correlation(0).diagonal()[3] == pytest.approx(1)


@pytest.mark.parametrize(
    ("dtype", "alive", "dead"), [(torch.float, 1e-4, 1e-6), (torch.double, 1e-11, 1e-13)]
)
def test_what_is_dead_is_a_matter_of_precision(dtype, alive, dead):
    """Units of mean 1 and a given variance: dead below 1e-5, and in double precision 1e-12."""
    swing = torch.tensor([1.0, -1.0], dtype=dtype).repeat(50)[:, None]
    h = 1 + swing * torch.tensor([alive, dead], dtype=torch.double).sqrt().to(dtype)
    assert moments_of(h).dead().tolist() == [False, True]


def test_a_small_spread_around_a_large_mean_is_seen_on_every_processor():
    """In what order a product is summed is the processor's choice; around 0 no order does harm."""
    h = (100 + 0.1 * gaussian(3001, 4).double()).float()
    expected = np.cov(h.double().numpy().T, bias=True)
    assert allclose(moments_of(h).covariance(), expected, rtol=0, atol=1e-5 * 0.01)
    raw = (h.T @ h).double() / len(h) - torch.outer(h.mean(0), h.mean(0)).double()  # the control
    assert np.abs(raw.numpy() - expected).max() > 0.01 * 0.01


@pytest.mark.parametrize("n", [1, 2, 999, 3001])
def test_constants_are_dead_whatever_rounding_leaves_of_them(n):
    constants = torch.tensor([0.1, 3.7, -1 / 3, 1234.567, 1e-6])
    found = moments_of(constants.expand(n, -1))
    assert found.dead().all() and (found.correlation() == 0).all()
    almost = constants * (1 + 0.01 * gaussian(3001, 5))  # the control: one percent is alive
    assert not moments_of(almost).dead().any()


@given(st.integers(0, 100))
@settings(max_examples=25)
def test_correlations_have_no_unit(seed):
    """Unchanged by a positive scale and an offset of each unit; a negative scale flips a sign."""
    a, b = gaussian(30, 3, seed=seed), gaussian(30, 2, seed=seed + 1)
    scale = torch.tensor([0.5, 2.0, -3.0])
    one, two = moments_of(a, b).correlation(0, 1), moments_of(a * scale + 1, b).correlation(0, 1)
    assert allclose(two, one * scale.sign()[:, None], atol=1e-5)


def test_what_does_not_pair_up_is_refused():
    with pytest.raises(ValueError, match=r"\(5, 4, 6, 6\), \(5, 4, 4, 4\)"):
        other = models.convnet((2, 8, 8), [4], kernel_size=5)
        moments([cnn(), other], gaussian(5, 2, 8, 8), [1])
    with pytest.raises(ValueError, match=r"\(0, 5\)"):
        moments([net(5, 3)], gaussian(0, 5), [1])
    with pytest.raises(ValueError, match="N is 9, not 8"):
        moments([net(5, 3)] * 2, [gaussian(9, 5), gaussian(8, 5)], [1])
    with pytest.raises(ValueError, match="1 tensors"):
        moments([net(5, 3)] * 2, [gaussian(9, 5)], [1])
    with pytest.raises(ValueError, match="0 of them"):
        moments([], gaussian(9, 5), [1])


def test_networks_that_are_not_finite_are_named():
    broken = net(5, 3)
    broken[1].weight.data[0] = torch.inf
    with pytest.raises(
        ValueError,
        match=r"layer 1 \(Linear.*5 of 15 entries of its weight, shape \(3, 5\), are NaN",
    ):
        moments([net(5, 3), broken], gaussian(9, 5), [1])


def test_activations_that_overflow_are_named():
    """Of finite weights and finite inputs."""
    large = net(5, 3)
    large[1].weight.data[:] = 1e38
    with pytest.raises(ValueError, match=r"layer 1 of networks \[1\] are NaN or infinite"):
        moments([net(5, 3), large], 9 + gaussian(9, 5).abs(), [0, 1])


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 100))
@settings(max_examples=25)
def test_from_the_other_side_they_are_transposed(one, two, seed):
    a, b = gaussian(30, one, seed=seed), gaussian(30, two, seed=seed + 1)
    found, swapped = moments_of(a, b), moments_of(b, a)
    for name in ("second", "covariance", "correlation"):
        here, there = getattr(found, name), getattr(swapped, name)
        assert allclose(here(1, 0), here(0, 1).T, atol=1e-6)
        assert allclose(there(0, 1), here(0, 1).T, atol=1e-6)
        assert allclose(here(0), here(0).T, atol=1e-6)
