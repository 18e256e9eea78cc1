import numpy as np
import pytest
from scipy.integrate import quad

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
def test_the_margin_is_passed_as_often_as_it_says(quantile):
    """300 noise matrices; the tolerance is four standard errors of a proportion."""
    edge = rm.largest_noise_eigenvalue((90, 60), quantile=quantile)
    below = np.mean([eigenvalues(90, 60, seed).max() < edge for seed in range(300)])
    error = np.sqrt(quantile * (1 - quantile) / 300)
    assert abs(below - quantile) < 4 * error + 0.01


def test_bulk_variance_is_not_moved_by_spikes():
    found = eigenvalues(800, 200, 1, scale=3.0)
    found[-10:] *= 50  # planted spikes
    assert rm.bulk_variance(found, 4.0) == pytest.approx(9, rel=0.06)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"aspect_ratio is 0.5"):
        rm.marchenko_pastur_edges(0.5)
    with pytest.raises(ValueError, match="variance -1"):
        rm.marchenko_pastur_edges(2.0, -1)
    with pytest.raises(ValueError, match=r"quantile 0.5"):
        rm.largest_noise_eigenvalue((3, 3), quantile=0.5)
