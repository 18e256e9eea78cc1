import matplotlib.colors as mcolors
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
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
    with pytest.raises(ValueError, match="empty|width is 0"):
        plotting.density(values, width, [0.0, 1.0])


def test_heatmap_center_is_white():
    ax = plotting.heatmap([[-1.0, 3.0]], center=0, label="weight", title="t")
    assert ax.images[0].get_clim() == (-3, 3)
    assert ax.get_title() == "t"
    plotting.heatmap(np.zeros((2, 2)), plt.figure().gca(), center=0)  # no division by zero


def test_tidy_has_a_row_for_each_point_of_each_repetition():
    frame = plotting.tidy([[0.0, 2.0], [1.0, 3.0]], [10, 20], order="matched")
    assert frame.x.tolist() == [10, 20, 10, 20] and frame.value.tolist() == [0, 2, 1, 3]
    assert frame.repetition.tolist() == [0, 0, 1, 1] and set(frame.order) == {"matched"}
    assert len(plotting.tidy([1.0, 2.0], [0, 1])) == 2  # one curve
    with pytest.raises(ValueError, match=r"\(2, 2\).*3 points"):
        plotting.tidy(np.zeros((2, 2)), [0, 1, 2])


def test_a_table_writes_numbers_for_readers():
    frame = pd.DataFrame(
        {"n": [1200.0, np.nan], "share": [0.5, -0.12345], "why": ["", None]}, index=["a", "b"]
    ).rename_axis("layer")
    assert plotting.table(frame, digits=2).data.splitlines() == [
        "| layer | n | share | why |",
        "|---|---:|---:|---:|",
        "| a | 1,200 | 0.50 |  |",
        "| b | – | \N{MINUS SIGN}0.12 | – |",
    ]
    assert "| x | 3 |" in plotting.table(pd.Series({"x": 3})).data


def test_the_pictures_of_a_grid_are_drawn_without_axes():
    figure = plotting.picture_grid([[np.zeros((2, 2))] * 2, [np.zeros((2, 2))]], [["one", "two"]])
    axes = figure.axes
    assert len(axes) == 4 and sum(bool(ax.images) for ax in axes) == 3
    assert axes[0].get_title() == "one" and not axes[0].spines["left"].get_visible()


@pytest.mark.parametrize("theme", [plotting.COLORS, plotting.DARK], ids=["light", "dark"])
def test_colours_can_be_told_from_their_ground(theme):
    """WCAG's ratio of contrast: 1.8 for what is filled, 7 for text."""

    def luminance(color):
        rgb = np.array(mcolors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722] + 0.05

    ground = luminance(theme["paper"])
    for name, color in theme.items():
        pair = sorted([luminance(color), ground])
        least = {"paper": 1, "ink": 7}.get(name, 1.8)
        assert pair[1] / pair[0] >= least, name


def test_each_meaning_has_a_colour_of_its_own():
    for theme in (plotting.COLORS, plotting.DARK):
        assert len(set(theme.values())) == len(theme)
