import numpy as np
import pytest
import torch

from netdist_utils import ablation, data, models, training
from tests.browser import needs_browser, open_page

pytestmark = needs_browser


@pytest.fixture(scope="module")
def figure():
    model, split = training.start(lambda: models.mlp([2, 10, 2]), 0), data.circle(300, 0)
    model[3].weight.data *= 5
    values = ablation.all_losses(model, split)
    return model, split, values, ablation.explorer(model, split, values).data


def state(page):
    root = page.locator(".netdist-root")
    return {name: float(root.get_attribute(f"data-{name}")) for name in ("loss", "percentile")}


def number(page):
    """Subset number of the boxes that are checked."""
    checked = page.locator(".units input").evaluate_all("boxes => boxes.map(b => b.checked)")
    return sum(1 << i for i, on in enumerate(checked) if on)


def test_the_loss_of_toggled_subnetworks_is_pytorchs(figure, tmp_path):
    model, split, values, html = figure
    with open_page(html, tmp_path) as page:
        boxes = page.locator(".units input")
        for unit in (3, 0, 9, 3):
            boxes.nth(unit).click()
            m = number(page)
            mask = torch.tensor([[m >> i & 1 for i in range(10)]])
            assert state(page)["loss"] == pytest.approx(
                ablation.losses(model, split, mask).item(), abs=1e-4
            )
            below = 100 * (values < values[m]).double().mean().item()
            assert state(page)["percentile"] == pytest.approx(below, abs=0.2)
        for name, m in (("all", 1023), ("none", 0), ("flip", 1023)):
            page.locator(f"[data-do={name}]").click()
            assert number(page) == m
            assert state(page)["loss"] == pytest.approx(values[m].item(), abs=1e-4)


def test_the_map_shows_the_networks_decisions(figure, tmp_path):
    """Colours at some cells, away from the lines: purple where class 1 has the larger logit."""
    model, _, _, html = figure
    with open_page(html, tmp_path) as page:
        pixels = page.locator(".map canvas").evaluate(
            "c => Array.from(c.getContext('2d').getImageData(0, 0, 400, 400).data)"
        )
    pixels = np.array(pixels).reshape(400, 400, 4)[2::4, 2::4].astype(int)  # a cell's centre
    at = -2 + 4 * (np.arange(100) + 0.5) / 100
    points = torch.tensor(np.stack(np.meshgrid(at, -at), -1).reshape(-1, 2)).float()
    z = training.logits(model, points)
    margin = (z[:, 1] - z[:, 0]).reshape(100, 100).numpy()
    blue = pixels[..., 2] - pixels[..., 0]
    sure = (np.abs(margin) > 1) & (pixels[..., :3].sum(-1) > 60)
    assert sure.sum() > 500
    assert ((blue > 0) == (margin > 0))[sure].mean() > 0.99


def test_best_of_k(figure, tmp_path):
    _, _, values, html = figure
    best = ablation.best_subsets(values).tolist()
    with open_page(html, tmp_path) as page:
        slider = page.locator("input[type=range]")
        for k in (0, 4, 10):
            slider.fill(str(k))
            assert number(page) == best[k]
            assert page.locator("output").inner_text() == f"k = {k}: this is the best"


def test_the_slider_follows_the_boxes(figure, tmp_path):
    """The state is one: whatever changes the mask, k is its size."""
    _, _, values, html = figure
    best = ablation.best_subsets(values)
    with open_page(html, tmp_path) as page:
        slider, output = page.locator("input[type=range]"), page.locator("output")
        for unit in range(7, 10):
            page.locator(".units input").nth(unit).click()
        assert slider.input_value() == "7"
        m = number(page)
        least = values[best[7]].item()
        word = "this is the best" if m == best[7] else f"the best has {least:.4f} nats"
        assert output.inner_text() == f"k = 7: {word}"
        page.locator("[data-do=none]").click()
        assert slider.input_value() == "0"


def test_dead_units_are_struck_out_and_do_nothing(tmp_path):
    model, split = training.start(lambda: models.mlp([2, 5, 2]), 0), data.circle(40, 0)
    model[1].bias.data.fill_(2)  # on somewhere
    model[1].weight.data[3], model[1].bias.data[3] = 0, -1.0  # never on
    model[3].weight.data[:, 1] = 0.7  # on, and without a part in the margin
    html = ablation.explorer(model, split, ablation.all_losses(model, split)).data
    with open_page(html, tmp_path) as page:
        dead = page.locator(".units label.dead").all_inner_texts()
        assert [text.strip() for text in dead] == ["1", "3"]
        assert page.get_by_role("checkbox", name="unit 3, never on").count() == 1
        assert "struck out" in page.locator(".key").inner_text()
        before = state(page)["loss"]
        page.locator(".units input").nth(3).click()
        assert state(page)["loss"] == before


def test_a_flip_path_flips_every_unit_once(figure, tmp_path):
    _, _, _, html = figure
    with open_page(html, tmp_path) as page:
        page.evaluate("window.setInterval = (step) => { window.step = step; return 1; }")
        page.locator("[data-do=path]").click()
        start = number(page)
        # It is announced once; the words that change at each flip are not read out meanwhile.
        assert page.locator("[role=status]").first.inner_text() == "Playing a path of 10 flips."
        assert page.locator(".reading").get_attribute("aria-live") == "off"
        for _ in range(10):
            before = number(page)
            page.evaluate("window.step()")
            assert bin(before ^ number(page)).count("1") == 1
        assert number(page) == start ^ 1023
        page.evaluate("window.step()")
        assert page.locator("[data-do=path]").inner_text() == "Play a flip path"
        assert page.locator(".reading").get_attribute("aria-live") == "polite"


def test_keyboard_and_names(figure, tmp_path):
    _, _, _, html = figure
    with open_page(html, tmp_path) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert number(page) == 1022
        page.locator("input[type=range]").focus()
        page.keyboard.press("ArrowLeft")
        assert page.locator("output").inner_text().startswith("k = 8: ")  # 9 units were kept
        assert page.get_by_role("checkbox", name="unit 7").count() == 1
        assert page.get_by_role("slider", name="Best subnetwork with k units").count() == 1
        assert "Loss" in page.get_by_role("img").get_attribute("aria-label")


def test_a_flip_redraws_the_map_once_and_the_page_stays_small(tmp_path):
    """Twenty units and a thousand points, the chapter's size."""
    model, split = training.start(lambda: models.mlp([2, 20, 2]), 0), data.circle(1000, 0)
    values = torch.linspace(0.1, 2, 2**20).double()
    html = ablation.explorer(model, split, values).data
    assert len(html) < 1_500_000
    with open_page(html, tmp_path) as page:
        page.evaluate(
            "() => { const context = CanvasRenderingContext2D.prototype;"
            "  const real = context.putImageData; window.painted = 0;"
            "  context.putImageData = function (...image) {"
            "    window.painted += 1; return real.apply(this, image); }; }"
        )
        for flips in range(1, 4):
            page.locator("[data-do=flip]").click()
            page.evaluate("new Promise(requestAnimationFrame)")  # whatever waits for a frame
            assert page.evaluate("window.painted") == flips
        page.locator(".units input").first.click()
        page.evaluate("new Promise(requestAnimationFrame)")
        assert page.evaluate("window.painted") == 4


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page(figure, tmp_path, width):
    with open_page(figure[3], tmp_path, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_wrong_networks_are_refused():
    model, split = models.mlp([2, 3, 3, 2]), data.circle(5, 0)
    with pytest.raises(ValueError, match="2-H-2"):
        ablation.explorer(model, split, torch.zeros(64))
