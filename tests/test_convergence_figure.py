import pytest
import torch

from netdist_utils import convergence, models, moments
from tests.browser import needs_browser, open_page


def nets(n, channels=3):
    torch.manual_seed(0)
    return [models.freeze(models.convnet((channels, 8, 8), [6])) for _ in range(n)]


def images(channels=3):
    return torch.rand(40, channels, 8, 8, generator=torch.Generator().manual_seed(1))


@needs_browser
@pytest.mark.parametrize("channels", [1, 3])
def test_partners_are_those_of_the_assignment(tmp_path, channels):
    networks = nets(3, channels)
    found = moments.moments(networks, images(channels), [1])
    between = [found[1].correlation(0, k) for k in (1, 2)]
    partners = [convergence.bipartite_match(c) for c in between]
    order = convergence.matched(between[0], partners[0]).argsort(descending=True)
    with open_page(convergence.match_browser(networks, found[1]).data, tmp_path) as page:
        for place in (0, 3, 5):
            page.locator("input").fill(str(place))
            unit = int(order[place])
            captions = page.locator("figcaption").all_inner_texts()
            assert captions[0] == f"network 1, unit {unit}"
            for k, (c, partner) in enumerate(zip(between, partners, strict=True), 1):
                mate = int(partner[unit])
                assert captions[k] == f"network {k + 1}, unit {mate}\nr = {c[unit, mate]:.2f}"
            alike = sum(
                int(c[unit].argmax()) == int(p[unit])
                for c, p in zip(between, partners, strict=True)
            )
            assert f"in {alike} of 2 networks" in page.locator("output").inner_text()
            shown = page.locator("canvas").first.evaluate(
                "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
            )
            expected = 255 * convergence.contrast(networks[0][0].weight)[unit].expand(3, -1, -1)
            shown = torch.tensor(shown).view(*expected.shape[1:], 4)[..., :3].movedim(2, 0)
            assert (shown - expected).abs().max() <= 1


@needs_browser
def test_permuted_copies_find_themselves(tmp_path):
    """The second network is the first in another order: each partner has the same filter."""
    one = nets(1)[0]
    turned = models.clone(one)
    order = torch.tensor([2, 0, 1, 5, 4, 3])
    turned[0].weight.data, turned[0].bias.data = one[0].weight[order], one[0].bias[order]
    found = moments.moments([one, turned], images(), [0])  # before the ReLU no unit is dead
    with open_page(convergence.match_browser([one, turned], found[0]).data, tmp_path) as page:
        page.locator("input").focus()
        for _ in range(6):
            first, second = page.locator("figcaption").all_inner_texts()
            unit = int(first.split()[-1])
            assert second == f"network 2, unit {order.tolist().index(unit)}\nr = 1.00"
            page.keyboard.press("ArrowRight")


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page_and_is_named(tmp_path, width):
    networks = nets(4)
    found = moments.moments(networks, images(), [1])
    with open_page(
        convergence.match_browser(networks, found[1]).data, tmp_path, width=width
    ) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        names = page.evaluate(
            "Array.from(document.querySelectorAll('canvas, svg'), (e) => e.ariaLabel)"
        )
        assert len(names) == 5 and all(names)


def test_bad_input_is_named():
    networks = nets(2)
    found = moments.moments(networks, images(), [1])
    with pytest.raises(ValueError, match="1 of them.*2 or more"):
        convergence.match_browser(networks[:1], found[1])
    with pytest.raises(ValueError, match="layer 0 is Flatten"):
        convergence.match_browser([models.mlp([4, 3, 2])] * 2, found[1])


@needs_browser
def test_a_click_on_a_dot_shows_that_unit(tmp_path):
    networks = nets(2)
    found = moments.moments(networks, images(), [1])[1]
    with open_page(convergence.match_browser(networks, found).data, tmp_path) as page:
        unit = int(page.locator("figcaption").first.inner_text().split()[-1])
        dots = page.locator("svg .dot")
        other = int(dots.nth(2).get_attribute("data-unit"))
        dots.nth(2).dispatch_event("click")
        r = found.correlation(0, 1)[unit, other]
        assert page.locator("figcaption").nth(1).inner_text() == (
            f"network 2, unit {other}\nr = {r:.2f}"
        )
        assert page.locator("svg .looked-at").count() == 1
