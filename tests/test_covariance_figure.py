import numpy as np
import pytest

from netdist_utils import covariance, data, models, training
from tests.browser import needs_browser, open_page
from tests.helpers import fit


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
            assert text == f"k = {k} of 64: accuracy {100 * expected[k]:.1f} %"
        # The original stands above; all 64 directions give it back, to the byte of an entry.
        truth = images.x[0, 0].numpy().ravel() * 255
        for canvas, tolerance in ((0, 1), (1, 8)):
            shown = (
                page.locator("canvas")
                .nth(canvas)
                .evaluate("c => Array.from(c.getContext('2d').getImageData(0, 0, 8, 8).data)")
            )
            assert np.abs(np.array(shown).reshape(64, 4)[:, 0] - truth).max() < tolerance
        slider.focus()
        page.keyboard.press("ArrowLeft")
        assert page.locator("output").inner_text().startswith("k = 63 ")
        assert slider.get_attribute("aria-valuetext").startswith("k = 63 ")
        assert page.locator("label").inner_text().startswith("Directions kept")


@needs_browser
def test_the_slider_keeps_its_length_and_shows_what_is_enough(tmp_path):
    """Words of any length stand beside it; marks are the whole network, chance, and the share."""
    images = data.digits()
    (model,) = fit([0], images.train, lambda: models.mlp([64, 10]), epochs=10)
    test = images.test
    found = covariance.moments([model], test.x, [0])
    basis = covariance.spectrum(found.second(0))[1].float()
    curve = covariance.clip_curve(model, 1, basis, test, range(65))
    enough = int((curve >= 0.95 * training.accuracy(model, test)).nonzero()[0, 0])
    html = covariance.rank_slider(model, 1, test, (8, 8), images.classes, directions=64)
    with open_page(html.data, tmp_path) as page:
        slider, widths = page.locator("input"), []
        for k in (0, 9, 64):
            slider.fill(str(k))
            widths.append(slider.bounding_box()["width"])
        assert len(set(widths)) == 1
        words = page.locator("svg").text_content()
        assert f"95 % of it at k = {enough}" in words
        assert "chance" in words and "all 64 directions" in words


@needs_browser
def test_no_mark_where_the_share_is_not_reached(tmp_path):
    images = data.digits()
    (model,) = fit([0], images.train, lambda: models.mlp([64, 10]), epochs=10)
    html = covariance.rank_slider(model, 1, images.test, (8, 8), images.classes, directions=1)
    with open_page(html.data, tmp_path) as page:
        assert "of it at" not in page.locator("svg").text_content()


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page(tmp_path, width):
    images = data.digits().test
    html = covariance.rank_slider(
        models.mlp([64, 10]), 1, images, (8, 8), "0123456789", directions=8
    )
    with open_page(html.data, tmp_path, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
