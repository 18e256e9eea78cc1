import math
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kurtosis, skew

from netdist_utils import ablation, data, models, training
from netdist_utils.ablation import many_classes, two_classes
from netdist_utils.units import permute
from tests.helpers import allclose, gaussian, generator, net, permutation


def masks(n):
    return torch.tensor([[m >> i & 1 for i in range(n)] for m in range(2**n)]).reshape(2**n, n)


def values(n, seed=0):
    return gaussian(2**n, seed=seed).double()


def loss_by_hand(model, split, mask):
    """One subnetwork, by zeroing the outgoing weights of the removed units."""
    copy, first = models.clone(model).double(), 0
    for here, after in zip(
        models.weight_layers(copy)[:-1], models.weight_layers(copy)[1:], strict=True
    ):
        size = copy[here].out_features
        copy[after].weight.data *= mask[first : first + size].double()
        first += size
    z = copy(split.x.double())
    return torch.nn.functional.cross_entropy(z, split.y).item()


@pytest.mark.parametrize("sizes", [(2, 8, 2), (2, 1, 2), (3, 4, 3, 2), (2, 2, 3, 3, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_all_losses_by_brute_force(sizes, bias):
    model = net(*sizes, bias=bias)
    split = data.Split(gaussian(21, sizes[0]), torch.arange(21) % 2)
    found = ablation.all_losses(model, split)
    n = sum(sizes[1:-1])
    expected = [loss_by_hand(model, split, mask) for mask in masks(n)]
    assert found.shape == (2**n,)
    assert allclose(found, expected, atol=1e-6)
    assert allclose(ablation.losses(model, split, masks(n)), expected, atol=1e-5)


@pytest.mark.parametrize("sizes", [(4, 7, 3), (4, 1, 5), (4, 3, 4, 10), (64, 9, 10)])
@pytest.mark.parametrize("scale", [1.0, 10.0, 1000.0])
def test_any_number_of_classes_by_brute_force(sizes, scale):
    """To the last digits, and with logits in the thousands, where exponentials would overflow."""
    model = net(*sizes, seed=1).double()
    model[-1].weight.data *= scale
    n_points = 37  # two groups of sixteen, and what is left over
    split = data.Split(gaussian(n_points, sizes[0]).double(), torch.arange(n_points) % sizes[-1])
    expected = ablation.losses(model, split, masks(sum(sizes[1:-1])))
    assert allclose(ablation.all_losses(model, split), expected, rtol=1e-9, atol=1e-12)


def test_two_classes_are_a_case_of_many():
    model, split = net(2, 9, 2).double(), data.circle(40, 0)
    h = model[:3](split.x.double())
    one, other = (
        f(h, model[3], split.y) for f in (two_classes.logistic_losses, many_classes.softmax_losses)
    )
    assert allclose(one, other, rtol=1e-12, atol=1e-14)


def test_a_fill_of_several_classes_takes_the_place_of_a_removed_unit():
    model = net(5, 4, 3).double()
    split = data.Split(gaussian(20, 5).double(), torch.arange(20) % 3)
    h = model[:3](split.x)
    found = ablation.all_losses(model, split, h.mean(0))
    for m, mask in enumerate(masks(4)):
        z = model[3](torch.where(mask.bool(), h, h.mean(0)))
        expected = torch.nn.functional.cross_entropy(z, split.y)
        assert found[m].item() == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("n_points", [1, 5, 16, 37])
@pytest.mark.parametrize("n", [13, 18])
def test_products_of_points_change_nothing(n, n_points, scale):
    """Whatever points are multiplied before the logarithm, in one block of the table or in two:
    the softplus of each margin, in double precision."""
    model, split = net(2, n, 2).double(), data.circle(n_points, 0)
    model[3].weight.data *= scale
    split = data.Split(split.x.double(), split.y)
    found = ablation.all_losses(model, split)
    some = torch.arange(0, 2**n, 2**n // 83)
    direct = ablation.losses(model, split, (some[:, None] >> torch.arange(n)) & 1)
    assert allclose(found[some], direct, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("bias", [-2.0, -0.5, 0.0, 2.0])
def test_only_units_that_are_on_matter(bias, monkeypatch):
    """Grouped by the units that are on, or all units at every point: the same table."""
    model, split = net(2, 14, 2), data.circle(60, 0)
    model[1].bias.data = torch.full((14,), bias)  # from all units off to all units on
    grouped = ablation.all_losses(model, split)
    groups = []

    def spy(terms):
        groups.append(real(terms)[0])
        return None, None

    real = two_classes._active_sets
    monkeypatch.setattr(two_classes, "_active_sets", spy)
    assert allclose(grouped, ablation.all_losses(model, split), rtol=1e-13, atol=1e-14)
    sizes = None if groups[0] is None else [len(units) for units in groups[0]]
    assert {-2.0: sizes == [0], -0.5: sizes, 0.0: True, 2.0: sizes is None}[bias]


def test_large_tables_are_filled_block_by_block():
    """2^18 subsets of 100 points: several steps of points, and several blocks of rows."""
    start, terms = gaussian(100).double(), gaussian(100, 18, seed=1).double()
    found = two_classes._loss_sums(start, terms)
    some = torch.arange(0, 2**18, 4999)
    kept = ((some[:, None] >> torch.arange(18)) & 1).double()
    expected = torch.nn.functional.softplus(start + kept @ terms.T).sum(1)
    assert allclose(found[some], expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("label", [0, 1])
def test_small_losses_are_not_lost_beside_large_ones(label):
    """Margins up to thousands, all of one sign: no loss is off by more than log(1 + x) rounds."""
    model, x = net(2, 14, 2).double(), data.circle(60, 0).x.double()
    model[3].weight.data *= 1e3 * torch.tensor([[-1.0], [1.0]]) * model[3].weight.sign()
    model[3].bias.data.zero_()
    found = ablation.all_losses(model, data.Split(x, torch.full((60,), label)))
    some = torch.arange(0, 2**14, 499)
    kept = ((some[:, None] >> torch.arange(14)) & 1).double()
    weight = model[3].weight[1] - model[3].weight[0]
    margin = (1 - 2 * label) * (kept * weight) @ model[:3](x).T  # (M, N), of the wrong class
    expected = torch.logaddexp(margin, torch.zeros(()).double()).mean(1).detach()
    assert (found >= 0).all()
    assert allclose(found[some], expected, rtol=1e-12, atol=2e-16)


@pytest.mark.parametrize("size", [1.0, 5.0, 20.0, 1e2, 3e2, 1e4])
def test_nothing_overflows(size):
    """Logits up to 1e4: finite, and those of a stable softplus in double precision."""
    model, split = net(2, 6, 2), data.circle(40, 0)
    scale = size / training.logits(model, split.x).abs().max()
    model[3].weight.data *= scale
    model[3].bias.data *= scale
    found = ablation.all_losses(model, split)
    assert torch.isfinite(found).all()
    expected = [loss_by_hand(model, split, mask) for mask in masks(6)]
    assert allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_mean_and_resample_ablation_by_hand():
    model, split = net(2, 5, 2), data.circle(30, 0)
    h = models.outputs(model, split.x, [2])[2]
    shuffled = h[permutation(30)]
    for fill in (h.mean(0), shuffled):
        found = ablation.all_losses(model, split, fill)
        for m, mask in enumerate(masks(5)):
            z = model[3](torch.where(mask.bool(), h, fill))
            expected = torch.nn.functional.cross_entropy(z, split.y).item()
            assert found[m] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("n", [10, 1_000_000, 3_000_000])
def test_masks_are_run_in_as_few_parts_as_memory_allows(n):
    """Ten million entries at once, or one mask where its entries alone are more."""
    split = data.Split(torch.zeros(1, 2).expand(n, 2), torch.zeros(1).long().expand(n))
    given = masks(5)[:9].float()
    parts = ablation.masks._parts(net(2, 5, 2), split, given)
    assert torch.equal(torch.cat(parts), given)
    assert len(parts) == math.ceil(9 / max(1, min(9, 10_000_000 // (5 * n))))


def test_gradients_against_finite_differences():
    model, split = net(2, 4, 3, 2), data.circle(30, 0)
    mask = torch.rand(3, 7, generator=generator()) * 0.8 + 0.1
    found = ablation.mask_gradients(model.double(), data.Split(split.x.double(), split.y), mask)
    split = data.Split(split.x.double(), split.y)
    for i in range(7):
        step = torch.zeros(7).double()
        step[i] = 1e-5
        rise = ablation.losses(model, split, mask + step) - ablation.losses(
            model, split, mask - step
        )
        assert allclose(found[:, i], rise / 2e-5, atol=1e-6)


@given(st.integers(0, 9), st.integers(0, 100))
@settings(max_examples=25)
def test_the_inverse_undoes_walsh(n, seed):
    f = values(n, seed)
    assert allclose(ablation.inverse_walsh(ablation.walsh(f)), f.double(), atol=1e-12)


@given(st.integers(0, 7), st.integers(0, 100))
@settings(max_examples=25)
def test_walsh_rebuilds_the_function(n, seed):
    f = values(n, seed)
    coefficients = ablation.walsh(f)
    signs = 2 * masks(n) - 1
    subsets = masks(n).bool()
    for m in range(2**n):
        products = torch.where(subsets, signs[m], 1).prod(1)
        assert (coefficients * products).sum() == pytest.approx(f[m].item(), abs=1e-10)


@given(st.integers(0, 8), st.integers(0, 100))
@settings(max_examples=25)
def test_parseval(n, seed):
    f = values(n, seed)
    energy = ablation.energy_by_degree(ablation.walsh(f))
    assert energy.shape == (n + 1,)
    assert energy.sum() == pytest.approx(f.square().mean().item(), abs=1e-10)
    assert energy[0] == pytest.approx(f.mean().item() ** 2, abs=1e-10)


def test_planted_degrees():
    """A product of three signs has all of its energy in degree 3; a sum of units in degree 1."""
    signs = (2 * masks(6) - 1).double()
    energy = ablation.energy_by_degree(ablation.walsh(signs[:, [0, 2, 5]].prod(1)))
    assert allclose(energy, torch.eye(7).double()[3])
    energy = ablation.energy_by_degree(ablation.walsh(signs.sum(1)))
    assert allclose(energy, 6 * torch.eye(7).double()[1])


def test_flip_covariance_by_brute_force_for_eight_units():
    """All starts, and all subsets to flip: within 1e-10."""
    n, f = 8, values(8, 3)
    found = ablation.flip_path_covariance(ablation.walsh(f))
    centered, sizes = f - f.mean(), ablation.subset_sizes(n)
    every = torch.arange(2**n)
    for d in range(n + 1):
        flips = (sizes == d).nonzero()
        expected = (centered * centered[every ^ flips]).mean()
        assert abs(found[0, d] - expected) < 1e-10
        assert allclose(torch.diagonal(found, d), found[0, d].expand(n + 1 - d))


def test_the_ends_of_a_path_are_even_minus_odd_energy():
    energy = ablation.energy_by_degree(ablation.walsh(values(7, 1)))
    found = ablation.flip_path_covariance(ablation.walsh(values(7, 1)))[0, -1]
    assert found == pytest.approx((energy[2::2].sum() - energy[1::2].sum()).item())


def test_sampled_paths_have_the_exact_covariance():
    f = values(6, 2)
    paths = ablation.flip_paths(f, 40_000, generator())
    exact = ablation.flip_path_covariance(ablation.walsh(f))
    assert allclose(torch.cov(paths.T), exact, atol=0.03)


def test_paths_come_from_their_generator_alone():
    one, two = (ablation.flip_paths(values(5), 9, generator(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, ablation.flip_paths(values(5), 9, generator(4)))


def test_shapley_against_all_orders():
    f = values(5)
    shares = np.zeros(5)
    for order in permutations(range(5)):
        subset = 0
        for unit in order:
            shares[unit] += (f[subset | 1 << unit] - f[subset]).item() / math.factorial(5)
            subset |= 1 << unit
    assert allclose(ablation.shapley_values(f), shares)


@given(st.integers(1, 8), st.integers(0, 50))
@settings(max_examples=20)
def test_shapley_is_efficient_and_additive(n, seed):
    f, g = values(n, seed), values(n, seed + 1)
    shares = ablation.shapley_values(f)
    assert shares.sum() == pytest.approx((f[-1] - f[0]).item(), abs=1e-9)
    assert allclose(ablation.shapley_values(f + g), shares + ablation.shapley_values(g))
    alone = masks(n)[:, 0].double() * 3  # only unit 0 matters
    assert allclose(ablation.shapley_values(alone), 3 * torch.eye(n).double()[0])


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_all_or_nothing_is_shared_alike(n):
    """The unanimity game: a unit is worth 1/n, a pair 1/(n - 1), to the last digit."""
    table = torch.zeros(2**n).double()
    table[-1] = 1
    assert allclose(ablation.shapley_values(table), [1 / n] * n, rtol=1e-14, atol=0)
    pairs = (1 - torch.eye(n).double()) / (n - 1)
    assert allclose(ablation.interactions(table), pairs, rtol=1e-14, atol=0)


def test_without_units_there_is_nothing_to_share():
    assert ablation.shapley_values(torch.tensor([3.0])).tolist() == []


def test_banzhaf_is_the_mean_effect_over_all_subsets_of_the_others():
    f = values(5)
    for unit, found in enumerate(ablation.banzhaf_values(f)):
        effects = [f[m | 1 << unit] - f[m] for m in range(32) if not m >> unit & 1]
        assert found.item() == pytest.approx(torch.stack(effects).mean().item())


def test_interactions_by_brute_force():
    """Shapley's weights: the mean over orders, both units joining as one, of the difference that
    each makes to the other's effect. Banzhaf's: the plain mean over subsets of the others."""
    f = values(5)
    shapley, banzhaf = (ablation.interactions(f, w) for w in ("shapley", "banzhaf"))
    coefficients = ablation.walsh(f)
    for i, j in permutations(range(5), 2):

        def change(m, i=i, j=j):
            return (f[m | 1 << i | 1 << j] - f[m | 1 << i] - f[m | 1 << j] + f[m]).item()

        rest = [u for u in range(5) if u not in (i, j)]
        places = [order[: order.index(None)] for order in permutations([*rest, None])]
        joined = [change(sum(1 << u for u in before)) for before in places]
        assert shapley[i, j].item() == pytest.approx(np.mean(joined))
        every = [change(sum(s)) for s in ((a, b, c) for a in (0, 1 << rest[0])
                 for b in (0, 1 << rest[1]) for c in (0, 1 << rest[2]))]  # fmt: skip
        assert banzhaf[i, j].item() == pytest.approx(np.mean(every))
        assert banzhaf[i, j].item() == pytest.approx(4 * coefficients[1 << i | 1 << j].item())
    assert (shapley.diagonal() == 0).all()
    with pytest.raises(ValueError, match="weights is 'owen'"):
        ablation.interactions(f, "owen")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_interactions_of_few_units(n):
    assert ablation.interactions(values(n)).shape == (n, n)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_biased_coefficients_are_expectations(p):
    """Of f times products of standardised mask entries; their squares sum to the variance."""
    f, m = values(6), masks(6).double()
    weights = ablation.keep_probabilities(6, p)
    standardised = (m - p) / (p * (1 - p)) ** 0.5
    expected = [
        (weights * f * torch.where(masks(6)[s].bool(), standardised, 1).prod(1)).sum()
        for s in range(64)
    ]
    found = ablation.walsh(f, p)
    assert allclose(found, expected)
    sd = ablation.distribution_moments(f, p)[1]
    assert ablation.energy_by_degree(found)[1:].sum().item() == pytest.approx(sd**2)
    with pytest.raises(ValueError, match="p is 1"):
        ablation.walsh(f, 1)


def test_what_draws_are_expected():
    """Distinct subsets among draws, and draws of all units: closed form against simulation."""
    n, p, draws = 6, 0.75, 100
    weights = ablation.keep_probabilities(n, p)
    assert weights[-1].item() == pytest.approx(p**n)
    random = np.random.default_rng(0)
    codes = (random.random((2000, draws, n)) < p) @ (1 << np.arange(n))
    seen = np.mean([len(np.unique(row)) for row in codes])
    assert (1 - (1 - weights) ** draws).sum().item() == pytest.approx(seen, abs=0.3)


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_gradients_bound_the_effect_of_a_unit(seed):
    """One hidden layer: the loss is convex in the mask, so slope off <= effect <= slope on."""
    model, split = net(2, 6, 2, seed=seed).double(), data.circle(30, seed)
    split = data.Split(split.x.double(), split.y)
    f, m = ablation.all_losses(model, split), masks(6)
    slopes = ablation.mask_gradients(model, split, m)
    numbers, units = torch.arange(64)[:, None], 1 << torch.arange(6)
    effect = f[numbers | units] - f[numbers & ~units]
    assert (torch.where(m == 1, slopes - effect, effect - slopes) > -1e-10).all()


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 1.0])
def test_russo_margulis_is_the_derivative(p):
    f = values(6)
    step = 1e-6

    def mean(p):
        sizes = ablation.subset_sizes(6).double()
        return (p**sizes * (1 - p) ** (6 - sizes) * f).sum().item()  # a polynomial: any p will do

    derivative = (mean(p + step) - mean(p - step)) / (2 * step)
    assert ablation.russo_margulis(f, p) == pytest.approx(derivative, abs=1e-6)


def test_moments_against_scipy():
    f = values(9)
    mean, sd, skewness, excess = ablation.distribution_moments(f, 0.5)
    assert mean == pytest.approx(f.mean().item())
    assert sd == pytest.approx(f.std(correction=0).item())
    assert skewness == pytest.approx(skew(f.numpy()))
    assert excess == pytest.approx(kurtosis(f.numpy()))
    assert ablation.keep_probabilities(9, 0.3).sum() == pytest.approx(1)


def test_best_and_greedy_subsets():
    f = values(6)
    best = ablation.best_subsets(f)
    sizes = ablation.subset_sizes(6)
    for k, m in enumerate(best):
        assert f[m] == f[sizes == k].min() and sizes[m] == k
    greedy = ablation.greedy_subsets(f)
    assert sizes[greedy].tolist() == list(range(7))
    assert (f[greedy] >= f[best]).all()
    assert all((a & b) == a for a, b in zip(greedy.tolist(), greedy.tolist()[1:], strict=False))
    beam = ablation.greedy_subsets(f, beam=3)
    assert sizes[beam].tolist() == list(range(7))
    assert (f[beam] >= f[best]).all() and (f[beam] < f[greedy]).any()
    assert torch.equal(ablation.greedy_subsets(f, beam=64), best)  # nothing is thrown away


def test_bad_input_is_named():
    split = data.circle(5, 0)
    with pytest.raises(
        ValueError, match=r"25 units have 2\^25 subnetworks: 0.25 GiB.*losses\(model"
    ):
        ablation.all_losses(net(2, 25, 2), split)
    with pytest.raises(ValueError, match="0 to 0 have an output"):
        ablation.all_losses(net(2, 5, 1), split)
    with pytest.raises(ValueError, match=r"\[2\] outputs"):
        ablation.all_losses(net(2, 2), split)
    with pytest.raises(TypeError, match="no layer with weights"):
        ablation.n_units(torch.nn.Sequential(torch.nn.Flatten()))
    with pytest.raises(TypeError, match="layer 0 is Conv2d"):
        ablation.n_units(models.convnet((1, 8, 8), [2], classes=2))
    with pytest.raises(ValueError, match=r"model cannot take shape \(5, 2\)"):
        ablation.all_losses(models.convnet((1, 8, 8), [2], classes=2), split)
    with pytest.raises(ValueError, match="one hidden layer, not 2"):
        ablation.all_losses(net(2, 3, 3, 2), split, fill=torch.zeros(3))
    with pytest.raises(ValueError, match=r"\(4, 2\).*\(M, 3\)"):
        ablation.losses(net(2, 3, 2), split, torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        ablation.losses(net(2, 3, 2), split, torch.full((1, 3), 2.0))
    with pytest.raises(ValueError, match=r"\(6,\).*2\*\*H"):
        ablation.walsh(torch.zeros(6))
    broken = net(2, 3, 2)
    broken[1].weight.data[0] = torch.nan
    with pytest.raises(ValueError, match="NaN"):
        ablation.all_losses(broken, split)


# Symmetries: what the units are called does not matter


def relabelled(table, order):
    """The same table, unit i of the new one being unit order[i] of the old."""
    return table[(masks(len(order)) * 2**order).sum(1)]


@given(st.integers(1, 7), st.integers(0, 1000))
@settings(max_examples=25)
def test_functions_on_subsets_follow_their_units(n, seed):
    f, order = values(n, seed), permutation(n, seed)
    other = relabelled(f, order)
    assert allclose(ablation.shapley_values(other), ablation.shapley_values(f)[order], atol=1e-12)
    coefficients = ablation.walsh(f)
    assert allclose(ablation.walsh(other), relabelled(coefficients, order), atol=1e-12)
    for summary in (ablation.energy_by_degree, ablation.flip_path_covariance):
        assert allclose(summary(ablation.walsh(other)), summary(coefficients), atol=1e-12)
    for p in (0.2, 0.5):
        one, two = (ablation.distribution_moments(table, p) for table in (f, other))
        assert two == pytest.approx(one)


@given(st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=25)
def test_losses_follow_the_units_of_the_network(n, seed):
    model, order = net(2, n, 2, seed=seed), permutation(n, seed)
    split = data.circle(20, seed)
    found = ablation.all_losses(permute(model, [order]), split)
    assert allclose(found, relabelled(ablation.all_losses(model, split), order), atol=1e-6)


def test_too_many_groups_are_refused_as_units_are():
    """60 groups of one unit each have 2^60 subsets."""
    with pytest.raises(ValueError):
        ablation.all_losses(net(2, 60, 2), data.circle(2, 0), groups=torch.arange(60))
