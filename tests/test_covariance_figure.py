import numpy as np
import pytest

from netdist_utils import covariance, data, models, training
from tests.browser import needs_browser, open_page


@needs_browser
def test_dragging_shows_accuracy_and_pictures(tmp_path):
    images = data.digits().test
    model = training.start(lambda: models.mlp([64, 10], bias=False), 0)
    html = covariance.rank_slider(
        model, 1, images, (8, 8), [str(k) for k in range(10)], directions=64
    )
    found = covariance.moments([model], images.x, [0])
    basis = covariance.spectrum(found.second(0))[1].float()
    expected = covariance.clip_curve(model, 1, basis, images, range(65))
    with open_page(html.data, tmp_path) as page:
        slider = page.locator("input")
        for k in (0, 7, 64):
            slider.fill(str(k))
            text = page.locator("output").inner_text()
            assert text == f"k = {k} of 64: accuracy {expected[k]:.3f}"
        # All 64 directions give the picture back, to the byte that an entry is stored in.
        shown = page.locator("canvas").first.evaluate(
            "c => Array.from(c.getContext('2d').getImageData(0, 0, 8, 8).data)"
        )
        original = images.x[0, 0].numpy().ravel() * 255
        assert np.abs(np.array(shown).reshape(64, 4)[:, 0] - original).max() < 8
        slider.focus()
        page.keyboard.press("ArrowLeft")
        assert page.locator("output").inner_text().startswith("k = 63 ")
        assert slider.get_attribute("aria-valuetext").startswith("k = 63 ")
        assert page.locator("label").inner_text().startswith("Directions kept")


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page(tmp_path, width):
    images = data.digits().test
    html = covariance.rank_slider(
        models.mlp([64, 10]), 1, images, (8, 8), "0123456789", directions=8
    )
    with open_page(html.data, tmp_path, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
