import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import airy

from netdist_utils import random_matrices as rm


@pytest.mark.parametrize("q", [1.0, 1.5, 4.0, 50.0])
@pytest.mark.parametrize("variance", [0.3, 2.0])
def test_the_density_is_one_with_the_right_mean(q, variance):
    low, high = rm.marchenko_pastur_edges(q, variance)

    def density(value):
        return rm.marchenko_pastur_density([value], q, variance)[0]

    # Substituting the angle takes the square roots at the edges away.
    def integral(power):
        return quad(
            lambda t: density(low + (high - low) * np.sin(t) ** 2)
            * (low + (high - low) * np.sin(t) ** 2) ** power
            * (high - low) * np.sin(2 * t),
            0, np.pi / 2,
        )[0]  # fmt: skip

    assert integral(0) == pytest.approx(1, abs=1e-6)
    assert integral(1) == pytest.approx(variance, rel=1e-6)


def eigenvalues(n, m, seed, scale=1.0):
    w = np.random.default_rng(seed).normal(scale=scale, size=(n, m))
    return np.linalg.eigvalsh(w.T @ w / n)


def test_noise_fills_the_interval():
    found = eigenvalues(2000, 500, 0)
    low, high = rm.marchenko_pastur_edges(4.0)
    assert found.min() == pytest.approx(low, rel=0.05)
    assert found.max() == pytest.approx(high, rel=0.05)


@pytest.mark.parametrize("quantile", [0.90, 0.95, 0.99])
def test_the_table_is_of_the_tracy_widom_law(quantile):
    """Its distribution is det(1 - Ai((x + y) / 2) / 2) on (s, infinity): Ferrari, Spohn 2005."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x, root = rm.TRACY_WIDOM[quantile] + 8 * (nodes + 1), np.sqrt(8 * weights)  # of (s, s + 16)
    kernel = airy((x[:, None] + x) / 2)[0] / 2
    probability = np.linalg.det(np.eye(60) - root[:, None] * kernel * root)
    assert probability == pytest.approx(quantile, abs=2e-5)


def test_the_largest_noise_eigenvalue_varies_as_the_size_to_minus_two_thirds():
    """Of large square noise: the quantiles times 2^(4/3) n^(-2/3), about the edge 4."""
    n = 10**12
    found = [rm.largest_noise_eigenvalue((n, n), quantile=q) - 4 for q in rm.TRACY_WIDOM]
    expected = [value * 2 ** (4 / 3) * n ** (-2 / 3) for value in rm.TRACY_WIDOM.values()]
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("quantile", [0.90, 0.95, 0.99])
def test_the_margin_is_passed_as_often_as_it_says(quantile):
    """300 noise matrices; the tolerance is four standard errors of a proportion."""
    edge = rm.largest_noise_eigenvalue((90, 60), quantile=quantile)
    below = np.mean([eigenvalues(90, 60, seed).max() < edge for seed in range(300)])
    error = np.sqrt(quantile * (1 - quantile) / 300)
    assert abs(below - quantile) < 4 * error + 0.01


def planted(n, m, spikes, seed):
    """Noise of variance 1 with strong spikes in random directions."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.normal(size=(side, spikes)))[0] for side in (m, n))
    strengths = np.linspace(2, 5, spikes) * np.sqrt(n)
    w = rng.normal(size=(m, n)) + (left * strengths) @ right.T
    return np.linalg.eigvalsh(w @ w.T / n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("n", "m", "spikes", "error"),
    [(1024, 512, 41, 0.01), (1024, 512, 100, 0.02), (600, 600, 40, 0.02)],
)
def test_bulk_variance_is_not_moved_by_spikes(n, m, spikes, error, seed):
    """The median of all values would be 7 % too large where 41 of 512 are spikes."""
    assert rm.bulk_variance(planted(n, m, spikes, seed), n / m) == pytest.approx(1, rel=error)


def test_the_size_of_spikes_does_not_matter():
    found = planted(800, 200, 10, 0)
    larger = found.copy()
    larger[-10:] *= 50
    assert rm.bulk_variance(larger, 4.0) == rm.bulk_variance(found, 4.0)


@pytest.mark.parametrize("seed", range(3))
def test_in_pure_noise_it_is_the_median(seed):
    """Nothing is left out: the estimate is that from the plain median, and right."""
    low, high = rm.marchenko_pastur_edges(2.0)

    def below(value):
        return quad(lambda x: rm.marchenko_pastur_density([x], 2.0)[0], low, value)[0]

    median = brentq(lambda value: below(value) - 0.5, low, high)
    found = eigenvalues(1024, 512, seed, scale=3.0)
    assert rm.bulk_variance(found, 2.0) == pytest.approx(np.median(found) / median, rel=1e-4)
    assert rm.bulk_variance(found, 2.0) == pytest.approx(9, rel=0.02)


def test_a_spectrum_without_a_bulk_ends():
    """Zeros, one value, and a sample that is heavy-tailed throughout."""
    assert rm.bulk_variance(np.concatenate([np.zeros(60), np.ones(40)]), 2.0) == 0
    assert rm.bulk_variance([3.0], 5.0) > 0
    heavy = np.random.default_rng(0).pareto(1, 500)
    assert 0 < rm.bulk_variance(heavy, 2.0) < np.median(heavy)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"aspect_ratio is 0.5"):
        rm.marchenko_pastur_edges(0.5)
    with pytest.raises(ValueError, match="variance is -1"):
        rm.marchenko_pastur_edges(2.0, -1)
    with pytest.raises(ValueError, match=r"quantile is 0.5"):
        rm.largest_noise_eigenvalue((3, 3), quantile=0.5)
