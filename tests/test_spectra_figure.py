import re

import numpy as np
import pytest

from netdist_utils import spectra
from tests.browser import needs_browser, open_page

PLANTED = 1 + np.random.default_rng(0).pareto(2.5, 200)
OTHER = np.random.default_rng(1).lognormal(size=60)


def above(values, n):
    """Exponent and distance of the n largest values, from their definitions."""
    tail = np.sort(values)[-n:]
    alpha = 1 + n / np.log(tail / tail[0]).sum()
    law = 1 - (tail / tail[0]) ** (1 - alpha)
    return alpha, np.abs(law - np.arange(n) / n).max()


@needs_browser
def test_the_handle_fits_above_each_threshold(tmp_path):
    samples = {"planted": PLANTED, "with zeros": np.concatenate([OTHER, np.zeros(7)])}
    with open_page(spectra.tail_slider(samples).data, tmp_path) as page:
        slider, output = page.locator("input"), page.locator("output")
        for name, values in [("planted", PLANTED), ("with zeros", OTHER)]:
            page.locator("select").select_option(name)
            # It opens on the automatic choice, which is that of fit_spectra.
            fit = spectra.fit_power_law(values)
            start = output.inner_text()
            assert start.startswith(f"{fit.n_tail} of {len(values)} values")
            assert f"α = {fit.alpha:.2f} ± {fit.stderr:.2f}" in start
            assert start.endswith(f"distance {fit.ks:.3f}, the smallest of all thresholds")
            for n in (5, 31, len(values)):
                slider.fill(str(n))
                alpha, distance = above(values, n)
                assert f"at or above {np.sort(values)[-n]:#.3g}:" in output.inner_text()
                found = re.search(r"α = ([\d.]+) ± .*distance ([\d.]+)", output.inner_text())
                assert found.groups() == (f"{alpha:.2f}", f"{distance:.3f}")
            page.get_by_role("button").click()
            assert output.inner_text() == start


@needs_browser
def test_keyboard_and_names(tmp_path):
    with open_page(spectra.tail_slider({"planted": PLANTED}).data, tmp_path) as page:
        slider = page.locator("input")
        slider.fill("50")
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext").startswith("51 of 200 values")
        # JupyterLab leaves the keys to controls with this attribute.
        for control in page.locator("select, input, button").all():
            assert control.get_attribute("data-lm-suppress-shortcuts") == "true"
        for svg in page.locator("svg").all():
            assert "51 of 200 values" in svg.get_attribute("aria-label")


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page(tmp_path, width):
    with open_page(spectra.tail_slider({"planted": PLANTED}).data, tmp_path, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
def test_an_exponent_above_the_plot_is_marked(tmp_path):
    """Five nearly equal values at the top have an exponent far above the axis."""
    samples = {"steep": np.concatenate([PLANTED, 100 + np.arange(5.0)])}
    with open_page(spectra.tail_slider(samples).data, tmp_path) as page:
        slider, output, mark = (page.locator(s) for s in ("input", "output", ".mark"))
        slider.fill("5")
        assert "(above the plot, which ends at 12)" in output.inner_text()
        assert "beyond" in mark.get_attribute("class")
        slider.fill("100")
        assert "above the plot" not in output.inner_text()
        assert "beyond" not in mark.get_attribute("class")


@needs_browser
def test_the_error_and_the_end_of_noise_are_drawn(tmp_path):
    samples, end = {"planted": PLANTED, "without": OTHER}, np.sort(PLANTED)[-40]
    with open_page(spectra.tail_slider(samples, {"planted": end}).data, tmp_path) as page:
        before, after = page.locator(".ending").all()
        # In the left plot it stands at the value, in the right at the number of values above it.
        slider, threshold, mark = (page.locator(s) for s in ("input", ".threshold", ".mark"))
        slider.fill("40")
        assert float(before.get_attribute("x1")) == pytest.approx(
            float(threshold.get_attribute("x1"))
        )
        assert float(after.get_attribute("x1")) == pytest.approx(float(mark.get_attribute("cx")))
        # The band is twice the standard error high at the mark.
        points = [p.split(",") for p in page.locator(".error").get_attribute("points").split()]
        heights = [
            float(y) for x, y in points if abs(float(x) - float(mark.get_attribute("cx"))) < 0.06
        ]
        alpha, _ = above(PLANTED, 40)
        unit = 200 / 11  # of the axis from 1 to 12
        error = (alpha - 1) / 40**0.5
        assert max(heights) - min(heights) == pytest.approx(2 * error * unit, abs=0.2)
        page.locator("select").select_option("without")
        assert page.locator(".ending").count() == 0


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="samples is {} .empty"):
        spectra.tail_slider({})
    with pytest.raises(ValueError, match="'few' has no power law: 3 positive values"):
        spectra.tail_slider({"few": [1.0, 2.0, 3.0, 0.0]})
    with pytest.raises(ValueError, match=r"ends are given for \['other'\]"):
        spectra.tail_slider({"planted": PLANTED}, {"other": 1.0})
    with pytest.raises(ValueError, match="entries are from -"):
        spectra.tail_slider({"below": -PLANTED})
