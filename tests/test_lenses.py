"""Planted likeness, closed forms and slow loops for the room that enters the five others."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from netdist_utils import ablation, data, lenses, matching, models
from netdist_utils.moments import moments
from tests.helpers import (
    allclose,
    gaussian,
    generator,
    moments_of,
    net,
    orders,
    permutation,
    rotation,
)

DIGITS = data.digits().test
SIZES = [64, 12, 10]


def labelled(n=200, d=64, seed=0):
    """Noise images with random classes."""
    y = torch.arange(n) % 10
    return data.Split(gaussian(n, d, seed=seed), y)


# Statistics


def test_intraclass_is_the_textbook_anova():
    values = np.random.default_rng(0).normal(size=(5, 4)) + np.arange(5)[:, None]
    icc, low, high = lenses.intraclass(values)
    f = stats.f_oneway(*values).statistic
    assert icc == pytest.approx((f - 1) / (f + 3))
    assert low < icc < high


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_interval_of_the_intraclass_correlation_covers(share):
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        groups = share**0.5 * rng.normal(size=(9, 1))
        values = groups + (1 - share) ** 0.5 * rng.normal(size=(9, 8))
        _, low, high = lenses.intraclass(values)
        hits += low <= share <= high
    assert 0.91 < hits / 400 < 0.99


def test_blocks_leave_their_degrees_of_freedom():
    """With blocks the F is that of a two-way table, and without groups it has mean share 0."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(8, 6)) + 5 * rng.normal(size=6)
    found = lenses.intraclass(values, blocks=True)[0]
    centred = values - values.mean(0)
    rows = 6 * centred.mean(1).var(ddof=1)
    rest = ((centred - centred.mean(1, keepdims=True)) ** 2).sum() / 35
    assert found == pytest.approx((rows / rest - 1) / (rows / rest + 5))
    nothing = [lenses.intraclass(rng.normal(size=(8, 6)), blocks=True) for _ in range(1000)]
    assert np.mean([low > 0 for _, low, _ in nothing]) == pytest.approx(0.025, abs=0.015)


def test_intraclass_at_its_ends():
    assert lenses.intraclass([[1, 1], [2, 2]]) == (1.0, 1.0, 1.0)
    assert lenses.intraclass([[1, 1], [1, 1]])[0] == 0
    assert lenses.intraclass([[0, 2], [2, 0]])[0] == -1  # groups alike, values apart
    for bad in ([[1, 2]], [[1], [2]], [[1, np.nan], [1, 2]]):
        with pytest.raises(ValueError, match="groups (of shape|is)"):
            lenses.intraclass(bad)


@pytest.mark.parametrize("n", [4, 6, 8])
def test_rounds_use_each_pair_once_and_no_network_twice(n):
    rounds = lenses.disjoint_pairs(n)
    assert all(sorted(pairs.ravel()) == list(range(n)) for pairs in rounds)
    found = {frozenset(pair) for pairs in rounds.tolist() for pair in pairs}
    assert found == {frozenset(pair) for pair in combinations(range(n), 2)}


def in_pairs(setting, network, noise, groups=9, n=8, seed=0):
    """Pairs of an additive model: a setting's effect, both networks' effects, and the rest."""
    rng = np.random.default_rng(seed)
    of = network * rng.normal(size=(groups, n))
    rest = noise * rng.normal(size=(groups, n, n))
    shift = setting * rng.normal(size=(groups, 1, 1))
    return shift + of[:, :, None] + of[:, None] + np.triu(rest) + np.triu(rest, 1).swapaxes(1, 2)


def test_pairs_give_the_planted_share_of_settings():
    # Two disjoint pairs of a setting share its effect alone: 4 / (4 + 2 + 1).
    found = [
        lenses.intraclass_of_pairs(in_pairs(2, 1, 1, groups=40, seed=s))[0] for s in range(20)
    ]
    assert np.mean(found) == pytest.approx(4 / 7, abs=0.04)
    nothing = [lenses.intraclass_of_pairs(in_pairs(0, 1, 1, seed=s))[0] for s in range(50)]
    assert abs(np.mean(nothing)) < 0.05  # though pairs of one network are alike
    with pytest.raises(ValueError, match="n even"):
        lenses.intraclass_of_pairs(np.zeros((3, 5, 5)))


def test_what_networks_bring_is_taken_out_and_nothing_else():
    planted = in_pairs(0, 0, 1, seed=3)
    k = np.arange(8)
    planted[:, k, k] = 0
    left = lenses.without_networks(planted)
    assert allclose(left.sum(2), np.zeros((9, 8)), atol=1e-9)
    shifted = planted + in_pairs(2, 5, 0, seed=4)
    assert allclose(lenses.without_networks(shifted), left)
    # Least squares, the slow way.
    pairs = list(combinations(range(8), 2))
    design = np.array([[float(n in pair) for n in range(8)] for pair in pairs])
    y = np.array([planted[0][pair] for pair in pairs])
    slow = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    assert allclose([left[0][pair] for pair in pairs], slow)


def test_mantel_finds_what_is_planted_and_is_quiet_where_nothing_is():
    a, b = in_pairs(1, 1, 1, seed=1), in_pairs(1, 1, 1, seed=2)
    found, limit = lenses.mantel({"a": a, "b": b, "a and noise": a + 0.5 * b}, draws=300)
    assert found[0, 2] > limit > abs(found[0, 1])
    slow = np.mean(
        [
            stats.spearmanr(x[np.triu_indices(8, 1)], y[np.triu_indices(8, 1)]).statistic
            for x, y in zip(a, b, strict=True)
        ]
    )
    assert found[0, 1] == pytest.approx(slow)


def test_mantel_keeps_its_level_although_pairs_share_networks():
    """Where pairs are taken for independent, one in three tests of this kind comes out."""
    passed, naive = [], []
    for seed in range(100):
        a, b = (in_pairs(0, 2, 0.3, groups=1, seed=2 * seed + k) for k in (0, 1))
        found, limit = lenses.mantel({"a": a, "b": b}, draws=99, seed=seed)
        passed.append(abs(found[0, 1]) > limit)
        upper = np.triu_indices(8, 1)
        naive.append(stats.spearmanr(a[0][upper], b[0][upper]).pvalue < 0.05)
    assert np.mean(passed) < 0.12 < np.mean(naive)


def test_mantel_refuses_what_is_not_symmetric():
    with pytest.raises(ValueError, match="not symmetric"):
        lenses.mantel({"a": np.arange(16.0).reshape(1, 4, 4)})
    with pytest.raises(ValueError, match=r"\(S, n, n\)"):
        lenses.mantel({"a": np.zeros((4, 4))})


def test_agreement_is_spearman_and_its_limit_is_that_of_the_largest():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(9, 6))
    found, limit = lenses.agreement(table, draws=500)
    assert allclose(found, stats.spearmanr(table).statistic)
    single = lenses.agreement(table[:, :2], draws=500)[1]
    assert 0.6 < single < limit < 1  # of fifteen correlations the largest is larger
    tied = lenses.agreement(np.column_stack([table[:, 0], np.ones(9)]), draws=9)[0]
    assert tied[0, 1] == 0  # a constant agrees with nothing


def test_chance_is_drawn_from_its_seed():
    def limit(seed):
        return lenses.largest_by_chance(
            np.corrcoef, lambda rng: rng.normal(size=(2, 30)), 19, seed
        )

    assert limit(3) == limit(3) != limit(4)


# One network


def test_degrees_of_a_sum_and_of_a_product():
    sum_, product = torch.zeros(16).double(), torch.zeros(16).double()
    for m in range(16):
        on = [m >> i & 1 for i in range(4)]
        sum_[m] = on[0] + 2 * on[3]
        product[m] = (2 * on[1] - 1) * (2 * on[2] - 1)
    assert allclose(lenses.degree_shares(sum_.exp()), (1, 0, -1))
    assert allclose(lenses.degree_shares(product.exp()), (0, 1, 1))


def test_what_size_explains_is_taken_out():
    sizes = ablation.subset_sizes(5).double()
    planted = torch.zeros(32).double()
    for m in range(32):
        on = [m >> i & 1 for i in range(5)]
        planted[m] = (2 * on[1] - 1) * (2 * on[2] - 1) - (2 * on[0] - 1) * (2 * on[4] - 1)
    assert allclose(lenses.by_size(planted), torch.zeros(32))  # the two cancel at each size
    losses = (planted + 7 * sizes + sizes**3).exp()
    assert lenses.degree_shares(losses)[0] > 0.85
    assert allclose(lenses.degree_shares(losses, beyond_size=True), (0, 1, 1), atol=1e-6)


@pytest.mark.parametrize("n", [2, 5])
def test_the_complement_is_the_correlation_of_complements(n):
    losses = torch.rand(2**n, generator=generator()).double() + 0.1
    logs = losses.log().numpy()
    assert lenses.degree_shares(losses)[2] == pytest.approx(np.corrcoef(logs, logs[::-1])[0, 1])


def test_numbers_of_one_network_by_hand():
    model = net(*SIZES)
    found, singular = (
        lenses.measure_network(model, DIGITS, 4),
        torch.linalg.svdvals(model[1].weight),
    )
    assert found["test error"] == pytest.approx(
        (model(DIGITS.x).argmax(1) != DIGITS.y).float().mean()
    )
    assert found["largest eigenvalue"] == pytest.approx(
        float((singular[0] ** 2 / 64).log()), rel=1e-5
    )
    assert found["norm"] == pytest.approx(float((singular.norm() / 8).log()), rel=1e-5)
    assert found["stable rank"] == pytest.approx(
        float((singular.norm() / singular[0]) ** 2), rel=1e-5
    )
    groups = lenses.random_groups(12, 4)
    losses = ablation.all_losses(model, DIGITS, groups=groups)
    shares = found["degree one"], found["degree two"], found["complement"]
    assert shares == pytest.approx(lenses.degree_shares(losses))
    assert found["pairs beyond size"] == pytest.approx(lenses.degree_shares(losses, True)[1])


def test_groups_are_even_and_random():
    groups = lenses.random_groups(50, 12, seed=1)
    assert set(groups.bincount().tolist()) == {4, 5}
    assert not torch.equal(groups, lenses.random_groups(50, 12, seed=2))


@pytest.mark.parametrize("classes", [2, 5])
def test_losses_of_groups_are_those_of_masks(classes):
    model, split = net(6, 9, classes), data.Split(gaussian(30, 6), torch.arange(30) % classes)
    groups = lenses.random_groups(9, 4)
    masks = torch.tensor([[m >> int(g) & 1 for g in groups] for m in range(16)]).float()
    slow = ablation.losses(model, split, masks)
    assert allclose(ablation.all_losses(model, split, groups=groups), slow, rtol=1e-4)
    single = ablation.all_losses(model, split, groups=torch.arange(9))
    assert allclose(single, ablation.all_losses(model, split), rtol=1e-6)


def test_groups_that_do_not_fit_are_named():
    split = data.Split(gaussian(4, 6), torch.arange(4) % 2)
    with pytest.raises(ValueError, match="8 groups were given"):
        ablation.all_losses(net(6, 9, 2), split, groups=torch.arange(8))
    with pytest.raises(ValueError, match="one hidden layer"):
        ablation.all_losses(net(6, 3, 3, 2), split, groups=torch.arange(6))


def test_a_network_is_measured_whatever_the_order_of_its_units():
    model = net(*SIZES)
    turned = matching.permute(model, orders(SIZES, seed=3))
    one, two = (lenses.measure_network(m, DIGITS, 12) for m in (model, turned))
    assert allclose([*one.values()], [*two.values()], rtol=1e-4)


# Pairs


@given(st.integers(0, 10_000))
def test_kappa_is_cohens(seed):
    one, two = (gaussian(40, seed=seed + k) > -0.3 for k in (0, 1))
    expected = cohen_kappa_score(one.numpy(), two.numpy())
    assert lenses.error_consistency(one, two) == pytest.approx(expected)


def test_kappa_of_networks_that_never_err_is_not_a_number():
    assert np.isnan(lenses.error_consistency(torch.ones(5) > 0, torch.ones(5) > 0))


@pytest.mark.parametrize(
    "model",
    [
        net(6, 5, 4, 3),
        models.convnet((1, 8, 8), [3, 4], kernel_size=3, padding=1, pool=2, classes=3),
    ],
)
@pytest.mark.parametrize("hidden", [0, 1])
def test_removing_a_unit_is_setting_its_outgoing_weights_to_zero(model, hidden):
    x = gaussian(20, 1, 8, 8) if isinstance(model[0], torch.nn.Conv2d) else gaussian(20, 6)
    split = data.Split(x, torch.arange(20) % 3)
    found = lenses.removal_effects(model, split, hidden)
    loss = torch.nn.functional.cross_entropy
    following = models.weight_layers(model)[hidden + 1]
    for unit in range(len(found)):
        cut = models.clone(model)
        weight = cut[following].weight.data
        weight.view(len(weight), len(found), -1)[:, unit] = 0
        assert allclose(found[unit], loss(cut(x), split.y) - loss(model(x), split.y), atol=1e-6)


def test_effects_agree_once_units_are_matched():
    model, split = net(*SIZES), labelled()
    turned = matching.permute(model, orders(SIZES, seed=1))
    found = moments([model, turned], split.x, [2])[2]
    effects, sizes = (
        [f(m) for m in (model, turned)]
        for f in (lambda m: lenses.removal_effects(m, split), lenses.unit_sizes)
    )
    assert lenses.effect_correlation(found, effects, sizes) == pytest.approx(1)
    mixed = effects[0], effects[1][permutation(12, seed=5)]
    assert lenses.effect_correlation(found, mixed, sizes) < 0.8


def test_units_whose_partner_is_dead_are_left_out():
    """Whichever of the two is dead: its effect, the largest here, belongs to no pair."""
    h, order = gaussian(300, 8), permutation(8)
    partner = h[:, order]
    partner[:, 2] = 1
    found = moments_of(h, partner)
    rng = np.random.default_rng(0)
    ours, sizes = rng.normal(size=8), [rng.normal(size=8) for _ in range(2)]
    theirs = ours[order]
    theirs[2] = 99
    for i, j in ((0, 1), (1, 0)):
        effects, of_size = [(ours, theirs)[k] for k in (i, j)], [sizes[k] for k in (i, j)]
        assert lenses.effect_correlation(found, effects, of_size, i, j) == pytest.approx(1)
    alive = moments_of(h, h[:, order])  # the control: with all units alive it counts
    assert lenses.effect_correlation(alive, (ours, theirs), sizes) < 0.99


def test_effects_of_size_alone_do_not_agree():
    """Units whose effects are their sizes agree before sizes are held fixed, and not after."""
    model = net(64, 100, 10)
    turned = matching.permute(model, [permutation(100)])
    found = moments([model, turned], labelled().x, [2])[2]
    sizes = [lenses.unit_sizes(m) for m in (model, turned)]
    rng = np.random.default_rng(0)
    effects = [size + 0.1 * size.std() * rng.normal(size=100) for size in sizes]
    assert abs(lenses.effect_correlation(found, effects, sizes)) < 0.3
    nothing_fixed = [rng.normal(size=100) for _ in sizes]
    assert lenses.effect_correlation(found, effects, nothing_fixed) > 0.9


@pytest.mark.parametrize("hidden", [0, 1])
def test_sizes_do_not_see_where_the_scale_is(hidden):
    for model in (net(6, 5, 4, 3), models.convnet((1, 8, 8), [3, 4], kernel_size=3, stride=2)):
        scaled = models.freeze(models.clone(model))
        first, second = (scaled[i] for i in models.weight_layers(scaled)[hidden : hidden + 2])
        for p in first.parameters():
            p.data[1] *= 7
        n = len(first.weight)
        second.weight.data.view(len(second.weight), n, -1)[:, 1] /= 7
        one, two = (lenses.unit_sizes(m, hidden) for m in (model, scaled))
        assert allclose(one, two, rtol=1e-4)


def test_a_permuted_copy_is_the_same_through_every_lens():
    model = net(*SIZES)
    pair = [model, matching.permute(model, orders(SIZES, seed=1))]
    found = lenses.measure_pairs(pair, DIGITS).iloc[0]
    same = ["matching", "same partner", "ablation", "covariance", "weight covariance", "outputs"]
    assert allclose(found[[*same, "errors"]], np.ones(7), atol=1e-5)
    assert abs(found["half-way"]) < 1e-6 and found.spectra == pytest.approx(0, abs=1e-5)
    strangers = lenses.measure_pairs([model, net(*SIZES, seed=1)], DIGITS).iloc[0]
    assert (
        strangers[[*same, "spectra", "convergence"]] < found[[*same, "spectra", "convergence"]]
    ).all()


def test_pairs_are_the_same_side_by_side_and_one_by_one():
    nets = [net(*SIZES, seed=k) for k in range(3)]
    alone = lenses.measure_pairs(nets, DIGITS)
    with parallel_config(backend="threading", n_jobs=2):
        pd.testing.assert_frame_equal(alone, lenses.measure_pairs(nets, DIGITS))


@pytest.mark.parametrize(
    "networks", [[], [net(*SIZES)], [net(64, 5, 5, 10)] * 2, [net(*SIZES), net(64, 5, 5, 10)]]
)
def test_pairs_that_cannot_be_measured_are_named(networks):
    with pytest.raises(ValueError, match="one hidden layer at one place"):
        lenses.measure_pairs(networks, DIGITS)


def test_weight_covariances_less_their_isotropic_part():
    one, two = net(8, 300, 2), net(8, 300, 2, seed=1)
    assert abs(lenses.weight_covariance_cosine(one, two)) < 0.5  # noise: nothing in common
    for model in (one, two):
        model[1].weight.data[:, 0] *= 5
    assert lenses.weight_covariance_cosine(one, two) > 0.95


# Partners without units


@pytest.mark.parametrize("sizes", [[6, 5, 3], [6, 5, 4, 3]])
def test_rotated_units_keep_spectra_and_products_and_lose_units(sizes):
    model = net(*sizes)
    turned = lenses.rotated_units(model, generator())
    assert lenses.spectral_distance(model, turned, least=1) == pytest.approx(0, abs=1e-4)
    products = [
        torch.linalg.multi_dot([m[i].weight for i in models.weight_layers(m)[::-1]])
        for m in (model, turned)
    ]
    assert allclose(*products, atol=1e-5)
    assert not torch.allclose(turned(gaussian(9, 6)), model(gaussian(9, 6)))


def test_rotated_channels_keep_a_linear_convolutional_network():
    model = models.convnet((1, 8, 8), [3, 4], kernel_size=3, stride=2)
    x = gaussian(5, 1, 8, 8)
    linear = [
        torch.nn.Sequential(*(layer for layer in m if not isinstance(layer, torch.nn.ReLU)))
        for m in (model, lenses.rotated_units(model, generator()))
    ]
    assert allclose(linear[0](x), linear[1](x), atol=1e-5)


def test_random_directions_keep_nothing_but_the_spectrum():
    model = net(40, 30, 10)
    drawn = lenses.from_spectrum(model, generator())
    assert lenses.spectral_distance(model, drawn) == pytest.approx(0, abs=1e-4)
    assert abs(lenses.weight_correlation(model, drawn)) < 0.1


def test_random_directions_of_a_convolution_keep_its_spectrum_and_shape():
    model = models.freeze(models.convnet((2, 8, 8), [3], kernel_size=3))
    drawn = lenses.from_spectrum(model, generator())
    assert drawn(gaussian(4, 2, 8, 8)).shape == (4, 10)
    values = [torch.linalg.svdvals(m[0].weight.flatten(1)) for m in (model, drawn)]
    assert allclose(*values, atol=1e-5)


def test_means_take_no_part_in_the_aligned_share():
    """Turned and shifted units are explained in full by a turn, though their means are not."""
    h, shift = gaussian(300, 5) + 2, torch.tensor([5.0, -3.0, 0.0, 1.0, 2.0])
    found = moments_of(h, h @ rotation(5) + shift)
    assert lenses.aligned_share(found, found, 0, 1) == pytest.approx(1, abs=1e-4)


def test_a_measure_that_never_varies_agrees_with_nothing():
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.normal(size=50), np.ones(50), rng.normal(size=50)])
    for _ in range(3):
        correlations, _ = lenses.agreement(table, draws=9)
        assert (correlations[1] == 0).all() and (correlations[:, 1] == 0).all()


# The reader's own pair


def test_compare_says_alike_of_a_permuted_copy_and_not_of_strangers():
    model = net(*SIZES)
    split = labelled()
    copy = matching.permute(model, orders(SIZES, seed=1))
    same, apart = (lenses.compare(model, m, split) for m in (copy, net(*SIZES, seed=1)))
    assert list(same.columns) == list(apart.columns)

    def alike(found):
        better = found.value > found.null
        return better.where(found["alike if"] == "above", found.value < found.null)

    assert alike(same).all()
    assert alike(apart).sum() <= 2


def test_compare_names_what_does_not_apply():
    wide = net(64, 20, 10)
    found = lenses.compare(net(*SIZES), wide, labelled(), draws=2)
    assert np.isnan(found.value["matching"]) and "[64, 20, 10]" in found.reason["matching"]
    assert np.isnan(found.value["spectra"]) and found.reason["spectra"]
    assert np.isfinite(found.value[["covariance", "convergence", "errors", "ablation"]]).all()
    deep = lenses.compare(net(*SIZES), net(64, 9, 8, 10), labelled(), draws=2)
    assert deep.value.notna().sum() == 1 and "hidden layers" in deep.reason["covariance"]


def test_compare_warns_of_no_network_that_is_right():
    model = net(*SIZES)
    x = gaussian(400, 64)
    split = data.Split(x, model(x).argmax(1))  # its own answers are the labels
    found = lenses.compare(model, net(*SIZES, seed=1), split, draws=2)
    assert found.index.name == "lens" and not found.reason.str.contains("model_a").any()
    assert found.reason.str.contains("model_b").any()
    both = lenses.compare(model, matching.permute(model, orders(SIZES, seed=1)), split, draws=2)
    assert set(both.reason[["matching", "covariance", "spectra"]]) == {""}


def test_compare_warns_of_networks_that_always_name_the_most_frequent_class():
    pair = [net(*SIZES, seed=k) for k in range(2)]
    for model in pair:
        model[3].bias.data[0] = 100
    split = data.Split(gaussian(200, 64), (torch.arange(200) % 10 == 9).long())
    assert lenses.compare(*pair, split, draws=1).reason["matching"] == (
        "model_a is right on 90% and model_b is right on 90% of the images: "
        "untrained, or diverged?"
    )


def test_compare_averages_over_layers():
    """Each layer of a permuted copy is explained in full, and so is their mean."""
    sizes = [64, 12, 9, 10]
    model = net(*sizes)
    copy = matching.permute(model, orders(sizes, seed=1))
    found = lenses.compare(model, copy, labelled(), draws=2)
    assert allclose(found.value[["covariance", "convergence", "ablation"]], [1, 1, 1], atol=1e-3)


def test_compare_says_why_spectra_are_too_small():
    found = lenses.compare(net(64, 8, 10), net(64, 8, 10, seed=1), labelled(), draws=2)
    assert np.isnan(found.value["spectra"])
    assert found.reason["spectra"] != found.reason["matching"]  # that both are untrained


def test_compare_takes_convolutions():
    pair = [
        models.freeze(models.convnet((1, 8, 8), [6, 8], kernel_size=3, padding=1, pool=2))
        for _ in range(2)
    ]
    split = data.Split(gaussian(60, 1, 8, 8), torch.arange(60) % 10)
    found = lenses.compare(*pair, split, draws=2)
    assert found.value.drop("spectra").notna().all()


def test_compare_names_untrained_and_broken_networks():
    untrained = lenses.compare(net(*SIZES), net(*SIZES, seed=1), labelled(), draws=2)
    assert untrained.reason.str.contains("model_a is right on").all()
    broken = net(*SIZES)
    broken[1].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match="model_b is a Sequential .layer 1"):
        lenses.compare(net(*SIZES), broken, labelled())
    with pytest.raises(ValueError, match="no hidden layer"):
        lenses.compare(net(64, 10), net(64, 10), labelled())
    with pytest.raises(TypeError, match="model_a"):
        lenses.compare(torch.nn.Linear(64, 10), net(*SIZES), labelled())
    with pytest.raises(ValueError, match="model_a cannot take"):
        lenses.compare(net(9, 3, 10), net(*SIZES), labelled())
    with pytest.raises(ValueError, match="3 samples"):
        lenses.compare(net(*SIZES), net(*SIZES), labelled(3))


def test_compare_leaves_networks_and_the_global_generator_alone():
    pair = net(*SIZES), net(*SIZES, seed=1)
    before = [p.clone() for m in pair for p in m.parameters()]
    state = torch.random.get_rng_state()
    one, two = (lenses.compare(*pair, labelled(), draws=2) for _ in range(2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(map(torch.equal, before, (p for m in pair for p in m.parameters())))
    pd.testing.assert_frame_equal(one, two)


def test_pairs_have_their_hidden_layer_at_one_place():
    """With and without a Flatten in front: places 2 and 1."""
    model = net(*SIZES)
    with pytest.raises((TypeError, ValueError)):
        lenses.measure_pairs([model, model[1:]], labelled())
    found = lenses.measure_pairs([model, net(*SIZES, seed=1)], labelled())
    assert found.index.names == ["i", "j"] and found.index.to_list() == [(0, 1)]
