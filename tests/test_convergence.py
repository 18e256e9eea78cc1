"""Planted matches, closed forms, and slow oracles: networkx, scikit-learn on samples, loops."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.linear_model import Lasso
from torch import nn

from netdist_utils import convergence as cv
from netdist_utils import matching, models, training
from netdist_utils.moments import moments
from netdist_utils.random_matrices import random_rotation
from tests import helpers
from tests.helpers import allclose, gaussian, generator, moments_of, permutation, rotation

LAYER = 1  # of the convolutional test network: the first ReLU


def net(seed=0, channels=(6, 5)):
    return training.start(lambda: models.convnet((3, 9, 9), channels, kernel_size=3), seed)


def permuted(model, order):
    """The same network with the first convolution's channels in another order."""
    copy = models.clone(model)
    copy[0].weight.data = model[0].weight[order]
    copy[0].bias.data = model[0].bias[order]
    copy[2].weight.data = model[2].weight[:, order]
    return copy


X = gaussian(60, 3, 9, 9)


def test_correlations_are_numpys():
    a, b = net(0), net(1, (4, 5))
    ha, hb = (m[: LAYER + 1](X).permute(1, 0, 2, 3).flatten(1).numpy() for m in (a, b))
    expected = np.corrcoef(ha, hb)[:6, 6:]
    found = cv.correlations(a, b, X, LAYER)
    assert found.shape == (6, 4)
    assert allclose(found, expected, atol=1e-5, rtol=1e-7)


def test_a_permuted_copy_is_matched_perfectly_by_every_method():
    model = net()
    order = permutation(6, seed=1)
    copy = permuted(model, order)
    assert allclose(copy(X), model(X), atol=1e-5, rtol=1.3e-6)
    inverse = order.argsort()  # unit i of the model is unit inverse[i] of the copy
    found = cv.correlations(model, copy, X, LAYER)
    for match in (cv.greedy_match(found), cv.bipartite_match(found)):
        assert match.tolist() == inverse.tolist()
    assert cv.matched(found, inverse) == pytest.approx(1, abs=1e-5)
    acts = [m[: LAYER + 1](X).permute(0, 2, 3, 1).flatten(0, 2) for m in (model, copy)]
    information = cv.mutual_information(*acts, 8)
    assert cv.greedy_match(information).tolist() == inverse.tolist()
    w = cv.sparse_map(*acts, 0.05)  # row j: unit j of the copy from the model's
    assert w.abs().argmax(1).tolist() == order.tolist()
    assert ((w.abs() > 1e-6).sum(1) == 1).all()
    leaves = cv.cluster_units(w).tolist()
    for j in range(6):  # partners are neighbours in the tree
        assert abs(leaves.index(j) - leaves.index(6 + order[j].item())) == 1
    assert cv.linear_cka(acts[0], acts[1]) == pytest.approx(1)


def test_a_rotated_layer_is_matched_by_cka_and_not_one_to_one():
    """The negative control of one-to-one matching."""
    h, turn = gaussian(3000, 20, seed=2), rotation(20, seed=3)
    assert cv.linear_cka(h, h @ turn) == pytest.approx(1, abs=1e-6)
    corr = moments_of(h, h @ turn).correlation(0, 1)
    assert cv.matched(corr, cv.bipartite_match(corr)).mean() < 0.7


def test_dead_and_constant_units_are_named():
    a = net()
    a[0].weight.data[2], a[0].bias.data[2] = 0, -1.0  # dead behind the ReLU
    a[0].weight.data[4], a[0].bias.data[4] = 0, 3.7  # constant, not zero
    with pytest.warns(UserWarning, match=r"units \[2, 4\] of layer 1 of the first"):
        found = cv.correlations(a, net(1), X, LAYER)
    assert (found[[2, 4]] == 0).all() and torch.isfinite(found).all()
    assert (found[[0, 1, 3, 5]].abs().sum(1) > 0).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (cv.correlations(net(1), a, X, LAYER)[:, [2, 4]] == 0).all()


def test_one_unit():
    a = net(0, (1, 5))
    assert cv.correlations(a, net(1, (1, 5)), X, LAYER).shape == (1, 1)
    assert cv.cluster_units(torch.ones(1, 1)).sort().values.tolist() == [0, 1]


@pytest.mark.parametrize(
    "bad", [torch.full((2, 2), float("nan")), torch.zeros(0, 3), torch.zeros(3)]
)
def test_what_is_no_map_has_no_clusters(bad):
    with pytest.raises(ValueError, match="finite|empty|shape"):
        cv.cluster_units(bad)


def slow_information(a, b, bins):
    """One pair, one table of counts."""
    edges = [np.quantile(v, np.arange(1, bins) / bins) for v in (a, b)]
    binned = [np.searchsorted(e, v) for e, v in zip(edges, (a, b), strict=True)]
    joint = np.zeros((bins, bins))
    np.add.at(joint, tuple(binned), 1)
    p = joint / len(a)
    px, py = p.sum(1), p.sum(0)
    inside = p > 0
    plug_in = (p[inside] * np.log(p[inside] / np.outer(px, py)[inside])).sum()
    return plug_in - ((px > 0).sum() - 1) * ((py > 0).sum() - 1) / (2 * len(a))


def test_mutual_information_is_the_slow_one():
    a = gaussian(500, 3, seed=1).relu()  # half of it ties at zero
    b = torch.cat([a[:, :1] ** 2, gaussian(500, 1, seed=2)], 1)
    found = cv.mutual_information(a, b, 6)
    for i, j in itertools.product(range(3), range(2)):
        expected = slow_information(a[:, i].numpy(), b[:, j].numpy(), 6)
        assert found[i, j].item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("n", [6, 11])
def test_bins_of_one_sample_are_in_use(n):
    a, b = gaussian(n, 1, seed=1), gaussian(n, 1, seed=2)
    expected = slow_information(a[:, 0].numpy(), b[:, 0].numpy(), 5)
    assert cv.mutual_information(a, b, 5).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_gaussians_of_known_correlation(rho):
    """-log(1 - rho^2) / 2; bins lose some of it, so it is approached from below."""
    z = gaussian(2, 200_000, seed=3).double()
    x, y = z[0], rho * z[0] + (1 - rho**2) ** 0.5 * z[1]
    exact = -np.log(1 - rho**2) / 2
    found = cv.mutual_information(x[:, None], y[:, None], 40).item()
    assert 0.93 * exact < found < exact + 0.003


def test_independent_units_have_none():
    """The mean of 400 pairs is 0 within 5 standard errors; uncorrected it would be 0.0405."""
    a, b = gaussian(2, 1000, 20, seed=4)
    found = cv.mutual_information(a, b, 10)
    error = found.std() / 20
    assert abs(found.mean()) < 5 * error and error < 0.001


def test_information_of_a_dead_unit_is_zero():
    a = torch.zeros(100, 1)
    assert cv.mutual_information(a, gaussian(100, 2), 5).abs().max() < 1e-12
    with pytest.raises(ValueError, match="bins is 1"):
        cv.mutual_information(a, a, 1)
    with pytest.raises(ValueError, match="N is 100, not 99"):
        cv.mutual_information(a, a[1:], 5)
    with pytest.raises(ValueError, match="100 of 100 entries are NaN"):
        cv.mutual_information(a * torch.nan, a, 5)


@pytest.mark.parametrize("penalty", [0.01, 0.1, 0.4])
def test_sparse_map_is_the_lasso_on_samples(penalty):
    a, mix = gaussian(400, 6, seed=5).double(), gaussian(6, 3, seed=6).double()
    b = a @ mix + gaussian(400, 3, seed=7).double()
    za, zb = ((h - h.mean(0)) / h.std(0, correction=0) for h in (a, b))
    slow = Lasso(alpha=penalty, fit_intercept=False, tol=1e-10).fit(za.numpy(), zb.numpy())
    assert allclose(cv.sparse_map(a, b, penalty), slow.coef_, atol=1e-5, rtol=1e-7)


def test_nearly_equal_units_are_told_apart():
    """Slow to converge: a tolerance of 1e-4, or a thousand steps, would not do."""
    common = gaussian(400, 1, seed=5).double()
    a = common + 0.03 * gaussian(400, 6, seed=6).double()
    b = a @ torch.arange(-2.0, 4.0).double()[:, None]
    za, zb = ((h - h.mean(0)) / h.std(0, correction=0) for h in (a, b))
    lasso = Lasso(alpha=1e-4, fit_intercept=False, tol=1e-14, max_iter=10**6)
    slow = lasso.fit(za.numpy(), zb.numpy())
    assert allclose(cv.sparse_map(a, b, 1e-4)[0], slow.coef_, atol=0.02, rtol=0)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_sparse_path_has_no_unit(scale):
    """Products and penalties times a factor: the problem times a factor."""
    gram, cross = SOURCES[:, :4].T @ SOURCES[:, :4] / len(SOURCES), gaussian(4, 2)
    gram, cross = gram.double(), cross.double()
    for penalty in (0, 0.1):
        one = cv.sparse_path(gram, cross, [penalty])
        assert allclose(cv.sparse_path(scale * gram, scale * cross, [scale * penalty]), one,
                        atol=1e-4)  # fmt: skip


def test_no_penalty_is_least_squares_and_a_large_one_is_nothing():
    a, b = gaussian(2, 300, 4, seed=8).double()
    za, zb = ((h - h.mean(0)) / h.std(0, correction=0) for h in (a, b))
    slow = torch.linalg.lstsq(za, zb).solution.T
    assert allclose(cv.sparse_map(a, b, 0), slow, atol=1e-8, rtol=0)
    assert (cv.sparse_map(a, b, 2.0) == 0).all()
    with pytest.raises(ValueError, match="penalty is -1"):
        cv.sparse_map(a, b, -1)


def test_units_that_depend_on_others_leave_the_lasso_as_it_is():
    """The third unit is the sum of two: the Gram matrix has no inverse, the lasso a solution."""
    a = gaussian(400, 2, seed=5).double()
    a = torch.cat([a, a.sum(1, keepdim=True)], dim=1)
    b = a[:, 2:] + 0.3 * gaussian(400, 1, seed=6).double()
    za, zb = ((h - h.mean(0)) / h.std(0, correction=0) for h in (a, b))
    slow = Lasso(alpha=0.1, fit_intercept=False, tol=1e-12).fit(za.numpy(), zb.numpy())
    assert allclose(cv.sparse_map(a, b, 0.1)[0], slow.coef_, atol=1e-4, rtol=0)


def test_dead_units_predict_nothing_and_are_not_predicted():
    a = gaussian(200, 3, seed=9)
    a[:, 1] = 0.5
    w = cv.sparse_map(a, a, 0.01)
    assert (w[1] == 0).all() and (w[:, 1] == 0).all() and w[0, 0] > 0.98
    assert torch.isfinite(cv.sparse_map(a, a, 0)).all()


def test_held_out_error_is_the_one_of_samples():
    a, b = net(0), net(1)
    train, test = X[:40], X[40:]
    fitted, held = (moments([a, b], x, [LAYER])[LAYER] for x in (train, test))
    w = cv.sparse_path(fitted.correlation(0), fitted.correlation(0, 1), [0.02])
    rows = [
        [m[: LAYER + 1](x).permute(0, 2, 3, 1).flatten(0, 2).double() for m in (a, b)]
        for x in (train, test)
    ]
    za, zb = ((rows[1][k] - rows[0][k].mean(0)) / rows[0][k].std(0, correction=0) for k in (0, 1))
    slow = (zb - za @ w[0].T).square().mean(0) / 2
    found = cv.held_out_error(w, fitted, held, 0, 1)
    assert allclose(found[0], slow, atol=1e-4, rtol=1e-4)


def test_planted_groups_are_neighbours_in_the_tree():
    """Two units of b made of two of a each; weights of another group are small."""
    w = torch.tensor([[0.9, 0.8, 0, 0], [0, 0.05, 0.7, 0.9]])
    leaves = cv.cluster_units(w).tolist()
    position = {leaf: k for k, leaf in enumerate(leaves)}
    first, second = {0, 2, 3}, {1, 4, 5}  # rows 0, 1; columns 2 to 5
    assert sorted(leaves) == list(range(6))
    for group in (first, second):
        places = sorted(position[leaf] for leaf in group)
        assert places[-1] - places[0] == 2


def test_cka_in_closed_form():
    """CKA is |X^T Y|^2 / (|X^T X| |Y^T Y|) of centred columns."""
    a, b = (gaussian(30, d, seed=d).double() for d in (4, 7))
    x, y = a - a.mean(0), b - b.mean(0)
    slow = (x.T @ y).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())
    assert cv.linear_cka(a, b) == pytest.approx(slow.item())
    with pytest.raises(ValueError, match="no finite answer"):
        cv.linear_cka(a, torch.ones(30, 2))
    with pytest.raises(ValueError, match="N is 30, not 29"):
        cv.linear_cka(a, b[1:])


def test_shuffled_images_leave_only_noise():
    """The null of a network and its own copy: pair each image with another."""
    a = net()
    order = permutation(len(X), seed=10)
    true = cv.correlations(a, a, X, LAYER)
    null = cv.correlations(a, a, [X, X[order]], LAYER)
    assert true.amax(1).min() > 0.999 and null.amax(1).max() < 0.4


def test_nan_activations_are_named():
    with pytest.raises(ValueError, match="x is a .* entries are NaN"):
        cv.correlations(net(), net(1), X * torch.nan, LAYER)


def test_two_orders_of_the_same_mlp_in_chapter_1s_convention():
    """matching.permute's unit i is unit p[i] of the model: what greedy_match of the pair gives."""
    mlp, p = helpers.net(5, 8, 3), permutation(8, seed=11)
    copy = matching.permute(mlp, [p])
    found = cv.correlations(copy, mlp, gaussian(300, 5, seed=12), 1)
    assert cv.greedy_match(found).tolist() == p.tolist()


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 100))
@settings(max_examples=10)
def test_correlations_from_the_other_side_are_transposed(one, two, seed):
    a, b = net(seed, (one, 2)), net(seed + 1, (two, 2))
    here, there = cv.correlations(a, b, X[:10], 0), cv.correlations(b, a, X[:10], 0)
    assert here.shape == (one, two) and allclose(there, here.T, atol=1e-6)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(2, 6), st.integers(0, 100))
@settings(max_examples=25)
def test_information_and_cka_are_symmetric(one, two, bins, seed):
    a, b = gaussian(50, one, seed=seed).relu(), gaussian(50, two, seed=seed + 1)
    here, there = cv.mutual_information(a, b, bins), cv.mutual_information(b, a, bins)
    assert allclose(there, here.T, atol=1e-12)
    assert cv.linear_cka(a, b) == pytest.approx(cv.linear_cka(b, a))


def test_a_sparse_map_is_not():
    """The control: of two units and their sum, the sum is known from both, and neither from it."""
    a = gaussian(500, 2)
    b = a.sum(1, keepdim=True)
    found = moments_of(a, b)
    for (i, one), (j, two), left in [((0, a), (1, b), [0]), ((1, b), (0, a), [0.25, 0.25])]:
        error = cv.held_out_error(cv.sparse_map(one, two, 0), found, found, i, j)
        assert allclose(error, left, atol=0.05)


# Pictures of units


def test_receptive_fields_by_gradients():
    model = models.convnet((1, 20, 20), [2, 2], kernel_size=[5, 3], padding=[2, 1], pool=2)
    for layer in (0, 2, 3, 5):
        side, step, first = cv.receptive_field(model, layer)
        x = torch.rand(1, 1, 20, 20, requires_grad=True)
        h = x
        for module in model[: layer + 1]:  # every path open: a mean for a maximum, no ReLU
            if isinstance(module, nn.MaxPool2d):
                h = nn.functional.avg_pool2d(h, 2)
            elif not isinstance(module, nn.ReLU):
                h = module(h)
        place = h.shape[-1] // 2
        seen = torch.autograd.grad(h[0, 0, place, place], x)[0][0, 0].abs().sum(0).nonzero()
        top = first + place * step
        assert (seen.min(), seen.max()) == (top, top + side - 1)
    with pytest.raises(ValueError, match="sees the whole input"):
        cv.receptive_field(model, 7)


def test_what_follows_the_layer_has_no_part_in_its_field():
    assert cv.receptive_field(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()), 0) == (3, 1, 0)


def test_most_exciting_is_the_slow_search():
    model, layer = net(), 3
    found = cv.most_exciting(model, layer, X, n=5, batch_size=7)
    h = model[: layer + 1](X)
    peaks = h.amax((2, 3))  # (N, C)
    for unit in range(5):
        expected = peaks[:, unit].topk(5).values
        i, r, c = found[unit].T
        assert allclose(h[i, unit, r, c], expected, atol=1e-5, rtol=1.3e-6)


def test_pictures_cut_out_what_the_unit_saw():
    """A linear unit's activation is its weights times its patch: the border is zero."""
    model = models.convnet((3, 9, 9), [4], kernel_size=3, padding=1)
    places = cv.most_exciting(model, 0, X, n=6)[2]
    patches = cv.crops(model, 0, X, places)
    gradients = cv.gradients(model, 0, 2, X, places)
    h = model[0](X)[places[:, 0], 2, places[:, 1], places[:, 2]]
    weight, inside = model[0].weight[2], patches != 0
    again = (patches * weight).sum((1, 2, 3)) + model[0].bias[2]
    assert allclose(again, h, atol=1e-5, rtol=1.3e-6)
    assert torch.equal(gradients[inside], weight.expand_as(gradients)[inside])


def test_a_relu_passes_positive_gradients_only():
    """A unit that is one input less another: the second would inhibit it, and is not shown."""
    model = nn.Sequential(nn.Conv2d(2, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 1, 1))
    model[0].weight.data = torch.eye(2)[:, :, None, None]
    model[2].weight.data = torch.tensor([1.0, -1.0])[None, :, None, None]
    x = torch.ones(1, 2, 1, 1)
    place = torch.zeros(1, 3).long()
    assert cv.gradients(model, 2, 0, x, place).flatten().tolist() == [1.0, 0.0]
    without = nn.Sequential(model[0], nn.Identity(), model[2])
    assert cv.gradients(without, 2, 0, x, place).flatten().tolist() == [1.0, -1.0]
    more = nn.Sequential(*without, nn.Conv2d(1, 1, 1))  # what follows has no part in it
    assert cv.gradients(more, 2, 0, x, place).flatten().tolist() == [1.0, -1.0]


def test_pictures_of_a_dense_unit_are_whole_images():
    model = models.convnet((3, 9, 9), [4], kernel_size=3, dense=[7])
    places = cv.most_exciting(model, 4, X, n=3)
    assert places.shape == (7, 3, 3) and (places[:, :, 1:] == 0).all()
    patches = cv.crops(model, 4, X, places[0])
    gradients = cv.gradients(model, 4, 0, X, places[0])
    assert patches.shape == gradients.shape == (3, 3, 9, 9)


def test_each_picture_has_the_contrast_that_its_own_reach_allows():
    """The second is a thousand times the first, and looks the same; zero is gray in both."""
    signed = gaussian(1, 3, 4, 4) * torch.tensor([1.0, 1000.0])[:, None, None, None]
    signed[:, :, 0] = 0
    found = cv.contrast(signed)
    assert allclose(found[1], found[0], atol=1e-6)
    assert (found - 0.5).abs().amax((1, 2, 3)).tolist() == [0.5, 0.5]
    assert (found[:, :, 0] == 0.5).all() and ((found > 0.5) == (signed > 0)).all()


# The rotation test


SOURCES = torch.randn(4000, 12, generator=generator(1)).relu()  # independent, with axes


def standardised(h):
    h = h.double() - h.double().mean(0)
    return h / h.square().mean(0).sqrt()


def slow_match(a, b):
    """Mean absolute correlation of the best pairs, from samples."""
    size = (standardised(a).T @ standardised(b) / len(a)).abs()
    return cv.matched(size, cv.bipartite_match(size)).mean().item()


def test_rotated_match_is_the_one_of_rotated_samples():
    a = SOURCES @ torch.randn(12, 5, generator=generator(2))
    b = SOURCES @ torch.randn(12, 7, generator=generator(3))
    own, rotated = cv.rotation_test(moments_of(a, b), 0, 1, generator(), 3)
    draws = generator()
    slow = [slow_match(a, standardised(b) @ random_rotation(7, draws)) for _ in range(3)]
    assert own == pytest.approx(slow_match(a, b), abs=1e-4)
    assert rotated == pytest.approx(sum(slow) / 3, abs=1e-4)


def test_scale_and_sign_of_a_unit_change_nothing():
    """The next layer can undo a unit's scale, and an axis has no sign."""
    a, b = SOURCES[:, :6], SOURCES @ torch.randn(12, 6, generator=generator(2))
    plain = cv.rotation_test(moments_of(a, b), 0, 1, generator())
    scaled = cv.rotation_test(moments_of(-a, b * torch.arange(1, 7)), 0, 1, generator())
    assert plain == pytest.approx(scaled, abs=1e-4)


def test_a_shared_basis_shows_and_an_isotropic_one_has_none():
    """Planted: sources in another order. Negative control: whitened noise, all axes alike."""
    noisy = SOURCES[:, torch.randperm(12, generator=generator(4))]
    noisy = noisy + 0.2 * torch.randn(noisy.shape, generator=generator(5))
    own, rotated = cv.rotation_test(moments_of(SOURCES, noisy), 0, 1, generator())
    assert own > 0.9 and rotated < 0.75
    rotations = torch.from_numpy(ortho_group.rvs(12, size=2, random_state=0)).float()
    one, two = (SOURCES @ q for q in rotations)
    own, rotated = cv.rotation_test(moments_of(one, two), 0, 1, generator(), rotations=40)
    assert own == pytest.approx(rotated, abs=0.06)


def test_rotations_are_orthogonal_and_uniform():
    q = random_rotation(6, generator())
    torch.testing.assert_close(q @ q.T, torch.eye(6, dtype=torch.double))
    draws = generator()
    corner = torch.stack([random_rotation(3, draws)[0, 0] for _ in range(4000)])
    assert abs(corner.mean()) < 0.03  # of either sign: uniform on [-1, 1] for three axes
    assert corner.square().mean() == pytest.approx(1 / 3, abs=0.03)


def test_dead_units_are_left_out():
    dead = SOURCES.clone()
    dead[:, 3] = 2.0
    own, rotated = cv.rotation_test(moments_of(dead, dead), 0, 0, generator())
    alive = dead[:, torch.arange(12) != 3]
    assert own == pytest.approx(1, abs=1e-3)
    without = cv.rotation_test(moments_of(alive, alive), 0, 0, generator())
    assert rotated == pytest.approx(without[1], rel=1e-6)  # a product rounds by its width
    z = dead - 3 * (torch.arange(12) == 3)  # never above zero
    assert cv.preactivation_rotation_test(z, z, generator())[0] == pytest.approx(1)


def test_rotation_before_the_relu_is_the_slow_one():
    """Each rotated unit is zero as often as one unit of the layer as it is."""
    a, b = gaussian(2, 500, 4, seed=6)
    b = b + a
    own, rotated = cv.preactivation_rotation_test(a, b, generator(), 3)
    slow, draws = [], generator()
    for _ in range(3):
        turned = (standardised(b) @ random_rotation(4, draws)).numpy()
        for k, share in enumerate((b <= 0).double().mean(0).tolist()):
            turned[:, k] -= np.sort(turned[:, k])[round(share * 500) - 1]
        slow.append(slow_match(a.relu(), torch.from_numpy(turned).relu()))
    assert own == pytest.approx(slow_match(a.relu(), b.relu()))
    assert rotated == pytest.approx(sum(slow) / 3)


def test_rotation_before_the_relu_of_planted_units_and_of_none():
    """Rectified units gain behind the ReLU without any unit in common; not before it."""
    z = gaussian(4000, 12, seed=7)
    order = permutation(12, seed=8)
    own, rotated = cv.preactivation_rotation_test(z, z[:, order], generator())
    assert own == pytest.approx(1) and rotated < 0.75
    directions = nn.functional.normalize(gaussian(2, 12, 32, seed=9), dim=1)
    one, two = (z @ d - 1 for d in directions)  # mostly zero, of random directions
    before = np.subtract(*cv.preactivation_rotation_test(one, two, generator(), 40))
    behind = np.subtract(
        *cv.rotation_test(moments_of(one.relu(), two.relu()), 0, 1, generator(), 40)
    )
    assert abs(before) < 0.03 < 0.05 < behind


def test_a_unit_of_small_scale_counts_as_any_other():
    z = gaussian(500, 6, seed=4)
    scales = torch.tensor([1.0, 1e-4, 1.0, 10.0, 1.0, 1.0])
    one, two = z @ rotation(6, 1), z @ rotation(6, 2)
    expected = cv.preactivation_rotation_test(one, two, generator(), 1)[0]
    found = cv.preactivation_rotation_test(one * scales, two, generator(), 1)[0]
    assert found == pytest.approx(expected, abs=1e-6)


def test_turned_moments_are_those_of_turned_samples():
    a, b = SOURCES[:, :5], SOURCES[:, 3:10].clone()
    b[:, 2] = 1.0  # dead
    found = moments_of(a, b)
    axes = cv.random_axes(found, 1, generator())
    turned, slow = cv.turned(found, 1, axes), moments_of(a, b @ axes.float())
    for i, j in [(0, 0), (0, 1), (1, 1)]:
        assert allclose(turned.covariance(i, j), slow.covariance(i, j), atol=1e-4, rtol=1e-4)
    alive = torch.arange(7) != 2
    within = turned.covariance(1)[alive][:, alive]
    assert within.trace().item() == pytest.approx(6, abs=1e-4)  # a rotation of variances of 1
    rises = (
        found.correlation(1)[alive][:, alive] @ (axes / found.scale(1)[:, None])[alive][:, alive]
    )
    assert (rises.sum(0) >= 0).all() and axes[2, alive].abs().max() == 0
    with pytest.raises(ValueError, match=r"\(5, 5\) \(D_j is 7, not 5\)"):
        cv.turned(found, 1, torch.eye(5))


def test_only_the_network_named_is_turned():
    """One in the middle of three: its own moments and those with it, and no others."""
    one, two, three = SOURCES[:, :3], SOURCES[:, 3:7], SOURCES[:, 7:9]
    q = rotation(4)
    found = cv.turned(moments_of(one, two, three), 1, q)
    slow = moments_of(one, two @ q, three)
    for i, j in itertools.product(range(3), repeat=2):
        assert allclose(found.second(i, j), slow.second(i, j), atol=1e-4)
    assert all(allclose(found.mean(i), slow.mean(i), atol=1e-4) for i in range(3))


def test_what_the_rotation_tests_refuse():
    found, z = moments_of(SOURCES), SOURCES
    for call in (
        lambda: cv.rotation_test(found, 0, 0, generator(), rotations=0),
        lambda: cv.preactivation_rotation_test(z, z, generator(), rotations=0),
    ):
        with pytest.raises(ValueError, match="rotations is 0"):
            call()
    with pytest.raises(ValueError, match="0 and 12 units are not dead"):
        cv.preactivation_rotation_test(-z.abs(), z - 0.1, generator())
    with pytest.raises(ValueError, match="0 and 12 units are not dead"):
        cv.rotation_test(moments_of(torch.ones(4000, 3), z), 0, 1, generator())
    with pytest.raises(ValueError, match="N is 4000, not 10"):
        cv.preactivation_rotation_test(z, z[:10], generator())


def test_units_are_dead_on_either_way_at_the_same_variance():
    """Of two samples: variances below and above a share 1e-5 of the mean square."""
    z = 1 + torch.tensor([1.0, -1.0])[:, None] * torch.tensor([0.7e-5, 1.3e-5]).sqrt()
    assert moments_of(z).dead().tolist() == [True, False]
    assert cv.rotation._varies(z.double()).tolist() == [False, True]


# Nulls


def test_a_network_takes_the_shares_of_zeros_of_another():
    model, reference, x = net(0), net(1), gaussian(200, 3, 9, 9, seed=9)
    reference[0].bias.data -= 0.5
    before = models.clone(model)
    copy = cv.with_zeros_of(model, reference, x)
    for layer in (1, 3):
        shares = [
            (m[: layer + 1](x) == 0).double().mean((0, 2, 3)).sort().values
            for m in (copy, reference)
        ]
        assert allclose(*shares, atol=1e-3)
    order = [(m[:2](x) == 0).double().mean((0, 2, 3)).argsort() for m in (copy, model)]
    assert torch.equal(*order)  # the rarest unit stays the rarest
    for m in (model, copy):
        for (name, p), (_, q) in zip(m.named_parameters(), before.named_parameters(), strict=True):
            assert torch.equal(p, q) or (m is copy and name.endswith("bias"))
    with pytest.raises(ValueError, match="layer 0 is a ReLU"):
        cv.with_zeros_of(nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU()), x)


def test_axes_whose_largest_values_are_tied_are_dead_and_left_out():
    """Of 60 equal samples, such as empty patches, none lies above a threshold that all share."""
    z = torch.cat([0.1 * gaussian(40, 6, seed=3), -torch.ones(60, 6)])
    for seed in range(20):
        found = cv.preactivation_rotation_test(z, z, torch.Generator().manual_seed(seed), 3)
        assert found[0] == pytest.approx(1) and 0 <= found[1] <= 1


# Stitching


@pytest.mark.parametrize("layer", [LAYER, 4])
def test_a_permuted_copy_is_stitched_without_loss(layer):
    model = net()
    copy = permuted(model, permutation(6, seed=1))
    found = moments([model, copy], X, [layer])[layer]
    for matrix in cv.best_maps(found, 0, 1, ridge=0).values():
        joined = cv.stitch(model, copy, layer, found, 0, 1, matrix)
        assert allclose(joined(X), model(X), atol=1e-4, rtol=1e-4)
    nothing = cv.stitch(model, copy, layer, found, 0, 1, torch.zeros(matrix.shape))
    assert nothing(X).std(0).max() < 1e-5  # the means alone: the same answer for every image


@pytest.mark.parametrize("layer", [LAYER, 3])  # behind 3 stands the Flatten
def test_a_stitch_works_in_either_direction(layer):
    """From the second network of the statistics into the first, whose means are others."""
    model, other = net(0), net(1)
    found = moments([model, other], X, [layer])[layer]
    matrix = cv.best_maps(found, 1, 0)["affine"]
    joined = cv.stitch(other, model, layer, found, 1, 0, matrix)
    h = other[: layer + 1](X).movedim(1, -1) - found.mean(1).float()
    expected = model[layer + 1 :]((h @ matrix.float() + found.mean(0).float()).movedim(-1, 1))
    assert allclose(joined(X), expected, atol=1e-4, rtol=1e-4)


def test_a_stitch_joins_layers_of_unequal_widths():
    model, other = net(0), net(1, (9, 5))
    found = moments([model, other], X, [LAYER])[LAYER]
    matrix = cv.best_maps(found, 0, 1)["affine"]
    joined = cv.stitch(model, other, LAYER, found, 0, 1, matrix)
    h = model[: LAYER + 1](X).movedim(1, -1) - found.mean(0).float()
    expected = other[LAYER + 1 :]((h @ matrix.float() + found.mean(1).float()).movedim(-1, 1))
    assert allclose(joined(X), expected, atol=1e-4, rtol=1e-4)
