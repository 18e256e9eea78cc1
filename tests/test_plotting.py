import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import gaussian_kde, norm

from netdist_utils import plotting
from tests.helpers import allclose


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_density_of_one_value_is_the_kernel():
    grid = np.linspace(-2, 2, 41)
    assert allclose(plotting.density([0.5], 0.3, grid), norm.pdf(grid, 0.5, 0.3), atol=1e-3)


def test_density_agrees_with_scipy():
    rng = np.random.default_rng(0)
    values, grid = rng.gamma(2, size=500), np.linspace(-1, 9, 101)
    oracle = gaussian_kde(values, bw_method=0.2 / values.std(ddof=1))(grid)
    assert allclose(plotting.density(values, 0.2, grid), oracle, atol=2e-3)


def test_density_weights_are_probabilities():
    grid = np.linspace(-1, 2, 31)
    weighted = plotting.density([0.0, 1.0], 0.1, grid, weights=[3, 1])
    repeated = plotting.density([0.0, 0.0, 0.0, 1.0], 0.1, grid)
    assert allclose(weighted, repeated)


@pytest.mark.parametrize(("values", "width"), [([], 1.0), ([1.0], 0.0)])
def test_density_refuses(values, width):
    with pytest.raises(ValueError, match="width"):
        plotting.density(values, width, [0.0, 1.0])


def test_heatmap_center_is_white():
    ax = plotting.heatmap([[-1.0, 3.0]], center=0, label="weight", title="t")
    assert ax.images[0].get_clim() == (-3, 3)
    assert ax.get_title() == "t"
    plotting.heatmap(np.zeros((2, 2)), plt.figure().gca(), center=0)  # no division by zero


def test_band_is_mean_and_deviation():
    samples = np.array([[0.0, 2.0], [2.0, 6.0]])
    ax = plotting.band([0, 1], samples)
    assert allclose(ax.lines[0].get_ydata(), [1, 4])
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert edges.max() == pytest.approx(4 + np.sqrt(8))
    plotting.band([0, 1], samples[:1], plt.figure().gca())  # one sample: a line, no warning
    with pytest.raises(ValueError, match=r"\(2, 2\).*3 points"):
        plotting.band([0, 1, 2], samples)


def test_colours_can_be_told_apart_on_white():
    """Each colour has some contrast with the background (WCAG's ratio, 1.8 or more)."""
    import matplotlib.colors as colors

    for color in plotting.COLORS:
        rgb = np.array(colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) > 1.8, color
