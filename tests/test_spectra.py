"""Planted samples, closed forms, and powerlaw 1.5 as the oracle."""

import contextlib
import io
import warnings
from importlib.resources import files

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from netdist_utils import data, models, spectra, training
from netdist_utils.spectra import __main__ as command
from netdist_utils.spectra import power_law
from tests.helpers import allclose, fit, gaussian, rotation


def quietly(call, *args, **options):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            return call(*args, **options)


def oracle(values):
    import powerlaw

    return quietly(powerlaw.Fit, values, verbose=False)


def noise(n, m, seed=0):
    w = np.random.default_rng(seed).normal(size=(n, m))
    return np.linalg.eigvalsh(w.T @ w / n)


SAMPLES = {
    "pareto": 1 + np.random.default_rng(1).pareto(1.5, 300),
    "steep": 1e-4 * (1 + np.random.default_rng(2).pareto(6, 250)),
    "lognormal": np.exp(np.random.default_rng(3).normal(size=400)),
    "exponential": np.random.default_rng(4).exponential(size=200),
    "with ties": np.round(1 + np.random.default_rng(5).pareto(1.5, 300), 1),
    "noise spectrum": noise(400, 120),
    "ten values": np.random.default_rng(6).pareto(2, 10) + 0.1,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_fit_is_powerlaw_1_5(name):
    values = SAMPLES[name]
    ours, theirs = spectra.fit_power_law(values), oracle(values)
    assert ours.alpha == pytest.approx(theirs.alpha, rel=1e-9)
    assert ours.xmin == pytest.approx(theirs.xmin, rel=1e-12)
    assert ours.ks == pytest.approx(theirs.D, rel=1e-9)
    assert ours.stderr == pytest.approx(theirs.sigma, rel=1e-9)


def test_fit_is_powerlaw_1_5_on_a_real_spectrum():
    digits = data.digits().train
    (net,) = fit([0], digits, lambda: models.mlp([64, 80, 10]), epochs=20)
    for layer in spectra.layer_spectra(net):
        ours, theirs = spectra.fit_power_law(layer.eigenvalues), oracle(layer.eigenvalues)
        assert ours.alpha == pytest.approx(theirs.alpha, rel=1e-6)
        assert ours.xmin == pytest.approx(theirs.xmin, rel=1e-6)
        assert ours.ks == pytest.approx(theirs.D, rel=1e-6)


def slow_fit(values):
    """Every xmin tried in full: the search without its bounds."""
    best = (np.inf, None, None)
    x = np.sort(values)
    for xmin in np.unique(x)[:-1]:
        tail = x[x >= xmin]
        alpha = 1 + len(tail) / np.log(tail / xmin).sum()
        sample = np.searchsorted(tail, tail) / len(tail)
        ks = np.abs(1 - (tail / xmin) ** (1 - alpha) - sample).max()
        if ks < best[0] - 1e-13:
            best = (ks, xmin, alpha)
    return best


@settings(max_examples=60)
@given(st.lists(st.floats(1e-3, 1e3), min_size=10, max_size=120, unique=True))
def test_bounds_change_nothing(values):
    values = np.array(values)
    if len(np.unique(values)) < 10 or np.diff(np.sort(values)).min() < 1e-9:
        return
    fit, (ks, _, _) = spectra.fit_power_law(values), slow_fit(values)
    assert fit.ks == pytest.approx(ks, abs=1e-10)


@settings(max_examples=25)
@given(st.floats(1e-6, 1e6), st.integers(0, 100))
def test_alpha_has_no_unit(scale, seed):
    values = np.random.default_rng(seed).pareto(2, 60) + 0.01
    one, two = spectra.fit_power_law(values), spectra.fit_power_law(scale * values)
    assert two.alpha == pytest.approx(one.alpha, rel=1e-6)
    assert two.xmin == pytest.approx(scale * one.xmin, rel=1e-9)


@pytest.mark.parametrize("exponent", [1.8, 2.5, 3.5, 6.0])
def test_planted_exponent_is_found(exponent):
    """Within five standard errors; an exponential sample of the same size is not mistaken."""
    sample = 1 + np.random.default_rng(7).pareto(exponent - 1, 8000)
    fit = spectra.fit_power_law(sample)
    assert abs(fit.alpha - exponent) < 5 * fit.stderr


def test_the_chapters_numbers():
    fit = spectra.fit_power_law(1 + np.random.default_rng(0).pareto(2.5, 5000))
    assert fit.alpha == pytest.approx(3.44634434, abs=1e-7)
    assert fit.xmin == pytest.approx(1.1187618, abs=1e-6)


@pytest.mark.parametrize(
    "values, reason",
    [
        ([], "0 positive values"),
        ([1.0] * 9, "9 positive values"),
        ([0.0] * 50, "0 positive values"),
        ([2.0] * 20, "all 20 values equal 2"),
    ],
)
def test_no_verdict_without_data(values, reason):
    fit = spectra.fit_power_law(values)
    assert np.isnan(fit.alpha) and reason in fit.reason
    assert np.isnan(spectra.bootstrap_interval(values)[0])
    assert np.isnan(spectra.goodness_of_fit(values))
    with pytest.raises(ValueError, match="no fit to compare"):
        spectra.likelihood_ratio(values, fit, "lognormal")


def test_two_distinct_values_have_an_exponent():
    """Eight times 1 and four times e: the logarithms sum to 4, so alpha is 1 + 12 / 4."""
    fit = spectra.fit_power_law([1.0] * 8 + [np.e] * 4)
    assert (fit.xmin, fit.n_tail, fit.reason) == (1.0, 12, "")
    assert fit.alpha == pytest.approx(4)
    assert fit.ks == pytest.approx(1 - np.exp(-3) - 8 / 12)  # below e, in the law and the sample


def test_few_candidates_are_tried_in_full(monkeypatch):
    """The others lie farther from their law at a few of their points than the best at any."""
    tried, distance = [], power_law._distance

    def spy(*of_candidate):
        tried.append(of_candidate[-1])
        return distance(*of_candidate)

    monkeypatch.setattr(power_law, "_distance", spy)
    spectra.fit_power_law(1 + np.random.default_rng(0).pareto(1.5, 2000))
    assert len(tried) < 2000 / 5


def test_zeros_are_left_out():
    values = SAMPLES["pareto"]
    assert spectra.fit_power_law([*values, 0, 0]) == spectra.fit_power_law(values)


@pytest.mark.parametrize(
    "values, message",
    [
        ([1, -2, 3], "from -2 to 3"),
        ([1, np.nan], "1 of 2 entries are NaN"),
        ([1, np.inf], "infinite"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
    ],
)
def test_bad_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        spectra.fit_power_law(values)


@pytest.mark.parametrize("rival", list(spectra.RIVALS))
@pytest.mark.parametrize("name", ["pareto", "lognormal", "exponential"])
def test_likelihood_ratio_is_powerlaw_1_5(name, rival):
    values, nested = SAMPLES[name], rival == "truncated_power_law" or None
    ours = spectra.likelihood_ratio(values, spectra.fit_power_law(values), rival)
    theirs = quietly(
        oracle(values).distribution_compare,
        "power_law",
        rival,
        nested=nested,
        normalized_ratio=False,
    )
    if (name, rival) == ("pareto", "lognormal"):
        # The lognormal is at its limit, the power law. powerlaw stops at mu = -966, where its
        # own normaliser is off by 0.03; by quadrature the ratio there is +0.01.
        assert ours.ratio == pytest.approx(0, abs=1e-6) and abs(theirs[0]) < 0.03
        return
    assert ours.ratio == pytest.approx(theirs[0], rel=1e-4, abs=1e-5)
    assert ours.p == pytest.approx(theirs[1], abs=2e-3)


def test_a_lognormal_that_is_hardly_cut_off_is_fitted_by_mean_and_deviation():
    """Its lower end is seven deviations below the mean: the likelihood has a closed form."""
    logs = 3 + 0.4 * np.random.default_rng(0).normal(size=500)
    fit = spectra.PowerLawFit(alpha=2.0, xmin=1.0, ks=0.5, n_tail=500, stderr=0.04, n=500)
    found = spectra.likelihood_ratio(np.exp(logs), fit, "lognormal")
    lognormal = stats.norm.logpdf(logs, logs.mean(), logs.std()) - logs
    assert found.ratio == pytest.approx((-2 * logs - lognormal).sum(), abs=0.01)


def test_unknown_rival():
    with pytest.raises(ValueError, match="rival is 'normal'"):
        spectra.likelihood_ratio([1.0], spectra.fit_power_law([1.0]), "normal")


def test_goodness_of_fit_accepts_the_law_and_refuses_another():
    rng = np.random.default_rng(8)
    assert spectra.goodness_of_fit(1 + rng.pareto(1.5, 300), draws=50) > 0.1
    # The edge of a noise spectrum; a large one, since ten points could pass for anything.
    assert spectra.goodness_of_fit(noise(1000, 500), draws=50) < 0.1


def test_samples_of_the_goodness_of_fit_have_the_values_below_too(monkeypatch):
    """Each has as many values as were given: below xmin some of these, above it new ones."""
    values = np.concatenate(
        [np.linspace(0.5, 1, 200), 1 + np.random.default_rng(0).pareto(2, 200)]
    )
    fitted, drawn = spectra.fit_power_law(values), []

    def spy(sample):
        drawn.append(np.asarray(sample))
        return fitted

    monkeypatch.setattr(power_law, "fit_power_law", spy)
    assert spectra.goodness_of_fit(values, draws=50) == 1  # all lie just as far
    assert {len(sample) for sample in drawn} == {400}
    for sample in drawn[1:]:
        below = sample < fitted.xmin
        assert np.isin(sample[below], values).all() and not np.isin(sample[~below], values).any()
    logs = np.concatenate([np.log(s[s >= fitted.xmin] / fitted.xmin) for s in drawn[1:]])
    scale = 1 / (fitted.alpha - 1)  # the logarithm of a power law is exponential
    assert logs.mean() == pytest.approx(scale, abs=4 * scale / len(logs) ** 0.5)
    share = np.mean([sample >= fitted.xmin for sample in drawn[1:]])
    expected = fitted.n_tail / 400
    assert share == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 20000) ** 0.5)


def test_where_nothing_lies_below_nothing_is_added(monkeypatch):
    values, drawn = 1 + np.random.default_rng(0).pareto(2, 50), []

    def spy(sample):
        drawn.append(sample)
        return spectra.PowerLawFit(3.0, values.min(), 0.1, 50, 0.3, 50)

    monkeypatch.setattr(power_law, "fit_power_law", spy)
    spectra.goodness_of_fit(values, draws=5)
    assert [len(sample) for sample in drawn] == [50] * 6


def test_of_tied_candidates_the_smallest_is_xmin(monkeypatch):
    """In whatever order their bounds come, and whatever is computed after them."""
    monkeypatch.setattr(power_law, "_distance", lambda *of_candidate: 1.0)
    values = 1 + np.random.default_rng(0).pareto(2, 200)
    assert spectra.fit_power_law(values).xmin == values.min()


def test_bootstrap_covers_as_often_as_it_says():
    """30 samples; fewer than 22 of 30 would be four standard errors below 95 %."""
    covered = 0
    for seed in range(30):
        sample = 1 + np.random.default_rng(seed).pareto(1.5, 200)
        low, high = spectra.bootstrap_interval(sample, draws=60, seed=seed)
        covered += low <= 2.5 <= high
    assert covered >= 22


# Spectra of layers


def test_known_singular_values_come_back():
    u, v = (rotation(n, dtype=torch.double)[:, :5] for n in (30, 12))
    s = torch.tensor([5.0, 4, 3, 2, 1], dtype=torch.double)
    layer = nn.Linear(12, 30, dtype=torch.double)
    layer.weight.data = u @ torch.diag(s) @ v.T
    (found,) = spectra.layer_spectra(layer)
    assert found.shape == (30, 12) and found.aspect_ratio == 2.5
    assert allclose(found.eigenvalues[:5], s.square() / 30, rtol=1e-10, atol=0)
    assert (found.eigenvalues[5:] == 0).all()  # rank 5 of 12: exact zeros, not rounding


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(4, 8, 3, groups=2)
        self.blocks = nn.ModuleDict(
            {"up": nn.ConvTranspose2d(6, 4, (2, 3), groups=2), "deep": nn.Conv3d(2, 3, 2)}
        )
        self.embed, self.head = nn.Embedding(7, 5), nn.Linear(5, 7, bias=False)
        self.again, self.norm = nn.Linear(5, 7, bias=False), nn.BatchNorm1d(5)
        self.again.weight = self.head.weight
        self.attention, self.lazy = nn.MultiheadAttention(4, 2), nn.LazyLinear(3)


def test_any_module_works():
    model = quietly(Branches)
    shapes = {s.name: (s.shape, s.groups) for s in spectra.layer_spectra(model)}
    assert shapes == {
        "stem": ((4, 6), 2),
        "blocks.up": ((2, 18), 2),
        "blocks.deep": ((3, 16), 1),
        "head": ((7, 5), 1),
        "attention.out_proj": ((4, 4), 1),
    }
    reasons = spectra.unjudged_layers(model)
    assert reasons["again"] == "shares its weight with head"
    assert "neither Linear" in reasons["embed"] and "neither Linear" in reasons["attention"]
    assert "no weight yet" in reasons["lazy"] and "norm" not in reasons
    table = spectra.table(model)
    assert list(table.index) == [*shapes, *reasons]
    assert (table.reason != "").all()  # all layers here are too small, or not judged


def test_groups_are_blocks():
    """A grouped convolution is two convolutions side by side."""
    layer = nn.Conv2d(4, 6, 3, groups=2)
    (found,) = spectra.layer_spectra(layer)
    halves = [layer.weight[:3].flatten(1), layer.weight[3:].flatten(1)]
    expected = torch.cat([torch.linalg.svdvals(h).square() / 18 for h in halves])
    assert allclose(found.eigenvalues, expected.sort(descending=True).values, atol=0)


def test_a_transposed_convolution_is_read_by_outputs():
    """Its weight with in and out exchanged is that of an ordinary convolution."""
    up, plain = nn.ConvTranspose2d(5, 3, 2), nn.Conv2d(5, 3, 2)
    plain.weight.data = up.weight.data.transpose(0, 1)
    one, two = (spectra.layer_spectra(m)[0] for m in (up, plain))
    assert one.shape == two.shape == (3, 20)
    assert allclose(one.eigenvalues, two.eigenvalues, atol=0)


def test_state_dict_and_module_agree(tmp_path, capsys):
    from safetensors.torch import save_file

    model = nn.Sequential(nn.Conv2d(3, 20, 3), nn.Flatten(), nn.Linear(40, 30))
    by_module, by_state = spectra.table(model), spectra.table(model.state_dict())
    assert list(by_module.index) == list(by_state.index) == ["0", "2"]
    assert allclose(by_module.alpha, by_state.alpha, rtol=1e-7, atol=0)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    assert command.main([str(tmp_path / "model.safetensors")]) == 0
    assert "spectral_norm" in capsys.readouterr().out
    assert command.main([str(tmp_path / "model.safetensors"), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("layer,kind,rows")


def test_bad_models_are_named():
    broken = nn.Linear(3, 2)
    broken.weight.data[0, 0] = np.nan
    with pytest.raises(ValueError, match=r"layer '0' \(Linear\): 1 of 6"):
        spectra.layer_spectra(nn.Sequential(broken))
    eighth = torch.tensor([[np.nan, 1.0], [2.0, 3.0]]).to(torch.float8_e4m3fn)
    with pytest.raises(ValueError, match=r"layer 'w' \(matrix\): 1 of 4"):
        spectra.layer_spectra({"w": eighth})
    with pytest.raises(TypeError, match="Module"):
        spectra.layer_spectra([1, 2])
    assert spectra.layer_spectra(nn.ReLU()) == []
    assert np.isnan(spectra.alpha_hat(nn.ReLU()))
    with pytest.raises(ValueError, match="convention is 'ln'"):
        spectra.alpha_hat(nn.ReLU(), "ln")


def test_one_unit_and_all_zero_weights():
    assert "positive values" in spectra.table(nn.Linear(5, 1)).reason.iloc[0]
    zero = nn.Linear(20, 20)
    nn.init.zeros_(zero.weight)
    row = spectra.table(zero).iloc[0]
    assert "0 positive" in row.reason and np.isnan(row.stable_rank) and row.spikes == 0


@pytest.mark.parametrize("shape", [(30, 12), (12, 30)])
def test_the_norm_in_the_table_is_the_matrix_norm(shape):
    weight = gaussian(*shape)
    row = spectra.table({"weight": weight}).iloc[0]
    assert row.spectral_norm == pytest.approx(torch.linalg.matrix_norm(weight, 2).item())
    assert row.stable_rank == pytest.approx((weight.norm() / row.spectral_norm).item() ** 2)


def test_the_table_counts_the_positive_eigenvalues():
    """Of 20, those of a product of rank 15."""
    weight = gaussian(30, 15).double() @ gaussian(15, 20, seed=1).double()
    assert spectra.table({"w": weight}).n.to_list() == [15]


def test_conventions_of_alpha_hat():
    """One alpha, three largest eigenvalues: by hand."""
    layer = nn.Linear(200, 50)
    (found,) = spectra.layer_spectra(layer)
    alpha = spectra.fit_power_law(found.eigenvalues).alpha
    square = torch.linalg.svdvals(layer.weight.double())[0].item() ** 2
    assert spectra.alpha_hat(layer) == pytest.approx(alpha * np.log10(square / 200))
    assert spectra.alpha_hat(layer, "weightwatcher") == pytest.approx(alpha * np.log10(square))
    assert spectra.alpha_hat(layer, "deepdataprofiler") == pytest.approx(
        alpha * np.log(square / 50)
    )


def test_resnet_18_at_random_is_deepdataprofilers():
    """The peer's -57.37, to two decimals, with powerlaw 1.5."""
    from torchvision.models import resnet18

    model = training.start(resnet18, 0)
    assert spectra.alpha_hat(model, "deepdataprofiler") == pytest.approx(-57.37, abs=0.05)


@pytest.mark.parametrize(
    "alpha, deep, watcher",
    [
        (1.5, "well trained", "over-trained"),
        (2.5, "well trained", "well trained"),
        (4.0, "somewhat trained", "well trained"),
        (5.0, "not trained", "well trained"),
        (7.0, "not trained", "not trained"),
        (np.nan, "unjudged", "unjudged"),
    ],
)
def test_phases(alpha, deep, watcher):
    assert spectra.phase(alpha, "deepdataprofiler") == deep
    assert spectra.phase(alpha, "weightwatcher") == watcher


def test_planted_spikes_are_counted():
    """Noise with three directions far above its edge; and the noise alone."""
    rng = np.random.default_rng(0)
    noise_layer, spiked = nn.Linear(300, 100), nn.Linear(300, 100)
    weight = rng.normal(size=(100, 300))
    noise_layer.weight.data = torch.tensor(weight)
    for size in (60, 80, 100):
        u, v = rng.normal(size=100), rng.normal(size=300)
        weight += size * np.outer(u / np.linalg.norm(u), v / np.linalg.norm(v))
    spiked.weight.data = torch.tensor(weight)
    assert spectra.spikes(spectra.layer_spectra(noise_layer)[0]) == 0
    assert spectra.spikes(spectra.layer_spectra(spiked)[0]) == 3


def test_operator_is_the_dense_circular_convolution():
    """The convolution of every unit image gives the matrix column by column."""
    weight, side = gaussian(3, 2, 3, 3).double(), 5
    images = torch.eye(2 * side * side, dtype=torch.double).reshape(-1, 2, side, side)
    padded = nn.functional.pad(images, (1, 1, 1, 1), mode="circular")
    dense = nn.functional.conv2d(padded, weight).flatten(1)
    found = spectra.convolution_spectra(weight, side)["operator"]
    expected = torch.linalg.svdvals(dense).square().numpy()
    assert allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_convolution_of_one_pixel_is_a_matrix():
    weight = gaussian(6, 4, 1, 1)
    found = spectra.convolution_spectra(weight, 1)
    for way in ("slices", "operator"):
        assert allclose(found[way], found["flattened"], rtol=1e-7, atol=0)
    with pytest.raises(ValueError, match="side is 2"):
        spectra.convolution_spectra(torch.zeros(1, 1, 3, 3), 2)


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    y = x + rng.normal(size=40)
    value, low, high = spectra.rank_correlation(x, y)
    assert value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert low < value < high


def test_the_interval_of_a_rank_correlation_is_that_of_theory():
    """Bonett and Wright (2000): the inverse hyperbolic tangent is normal, or nearly."""
    rng, n = np.random.default_rng(0), 400
    x = rng.normal(size=n)
    value, *ends = spectra.rank_correlation(x, x + rng.normal(size=n))
    half = stats.norm.isf(0.025) * ((1 + value**2 / 2) / (n - 3)) ** 0.5
    expected = np.tanh(np.arctanh(value) + half * np.array([-1, 1]))
    assert allclose(ends, expected, atol=0.2 * half * (1 - value**2), rtol=0)


def test_layers_of_few_eigenvalues_are_left_out_of_alpha_hat():
    wide, narrow = nn.Linear(300, 100), nn.Linear(30, 20)
    both = nn.Sequential(wide, narrow)
    assert spectra.alpha_hat(both, min_eigenvalues=50) == spectra.alpha_hat(wide)
    assert spectra.alpha_hat(both) != spectra.alpha_hat(wide)
    assert np.isnan(spectra.alpha_hat(both, min_eigenvalues=101))
    ten, nine = nn.Linear(30, 10), nn.Linear(30, 9)
    assert np.isfinite(spectra.alpha_hat(ten)) and np.isnan(spectra.alpha_hat(nine))


def test_a_tensor_is_named_by_its_axes():
    shapes = {"a": (3, 4), "b": (3, 4, 2), "c": (3, 4, 2, 2), "d": (3, 4, 2, 2, 2)}
    found = spectra.layer_spectra({name: gaussian(*shape) for name, shape in shapes.items()})
    assert [layer.kind for layer in found] == ["matrix", "1d", "2d", "3d"]


def test_weights_that_are_made_at_each_access_are_not_shared():
    """Each goes before the next comes, and may leave it its place in memory."""
    layers = [nn.utils.parametrizations.weight_norm(nn.Linear(12, 11)) for _ in range(8)]
    assert len(spectra.layer_spectra(nn.Sequential(*layers))) == 8


def test_a_common_cause_is_held_fixed():
    """x and y follow z and nothing else: correlated, and not so given z."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=400)
    x, y = z + 0.3 * rng.normal(size=400), z + 0.3 * rng.normal(size=400)
    assert spectra.rank_correlation(x, y, draws=50)[0] > 0.8
    assert abs(spectra.rank_correlation(x, y, [z], draws=50)[0]) < 0.2
    with pytest.raises(ValueError, match="n is 3, not 2"):
        spectra.rank_correlation([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="finite"):
        spectra.rank_correlation([1, 2, np.nan], [1, 2, 3])


def test_published_spectra():
    """All layers of four ResNets and of ten epochs; the exponents of fc1."""
    found = spectra.published()
    resnets = {depth: len(found[f"resnet{depth}"]) for depth in (20, 32, 44, 56)}
    assert resnets == {depth: depth for depth in resnets}
    assert [len(found[f"lenet_epoch_{k}"]) for k in range(10)] == [5] * 10 and len(found) == 14
    for layer in [layer for layers in found.values() for layer in layers.values()]:
        assert layer.eigenvalues.shape == (min(layer.shape),) and layer.aspect_ratio >= 1
        assert (np.diff(layer.eigenvalues) <= 0).all() and (layer.eigenvalues > 0).all()
    course = [found[f"lenet_epoch_{k}"]["fc1"].eigenvalues for k in range(10)]
    alphas = [spectra.fit_power_law(values).alpha for values in course]
    stated = [4.90, 3.72, 3.13, 2.88, 2.64, 2.55, 2.45, 2.35, 2.27, 2.25]
    assert allclose(alphas, stated, atol=0.006, rtol=0)


def test_a_published_network_is_a_model_to_every_function():
    """WeightWatcher's alpha-hat of the four ResNets, on layers with 16 values or more."""
    stated = {20: 4.66, 32: 2.95, 44: 2.53, 56: 2.19}
    for depth, value in stated.items():
        layers = spectra.published()[f"resnet{depth}"]
        judged = {name: layer for name, layer in layers.items() if min(layer.shape) >= 16}
        assert spectra.alpha_hat(judged, "weightwatcher") == pytest.approx(value, abs=0.005)
    assert list(spectra.table(layers).index) == list(layers)


def test_published_spectra_keep_their_notices():
    """In the package, beside the numbers, so that a wheel holds them, too."""
    folder = files("netdist_utils") / "spectra" / "data"
    assert {file.name for file in folder.iterdir()} == {
        "published_spectra.npz",
        "published_spectra.LICENSES.txt",
    }
    notices = (folder / "published_spectra.LICENSES.txt").read_text(encoding="utf-8")
    assert "Idelbayev" in notices and "Battelle" in notices


def test_kendalls_tau_is_scipys_in_each_group():
    rng = np.random.default_rng(0)
    values, target = rng.normal(size=(9, 2)), rng.normal(size=9)
    groups = [np.arange(4), np.arange(4, 9)]
    for g in (groups, None):
        slow = [
            [stats.kendalltau(values[rows, k], target[rows]).statistic for k in range(2)]
            for rows in g or [np.arange(9)]
        ]
        assert allclose(spectra.kendall_tau(values, target, g), np.mean(slow, 0))
