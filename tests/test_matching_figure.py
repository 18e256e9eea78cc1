import pytest
import torch

from netdist_utils import data, matching, models
from tests.browser import needs_browser, open_page

DIGITS = data.digits().test


def net(seed, *widths):
    torch.manual_seed(seed)
    return models.freeze(models.mlp([64, *widths, 10]))


@needs_browser
def test_the_way_from_a_to_b_is_the_barriers(tmp_path):
    a, b = net(0, 5), net(1, 5)
    html = matching.path_slider(a, b, DIGITS, (8, 8), steps=5)
    matched = matching.permute(b, matching.match(a, b))
    with open_page(html.data, tmp_path) as page:
        slider, box = page.locator("input[type=range]"), page.locator("input[type=checkbox]")
        for ticked, other, word in [(True, matched, "matched"), (False, b, "unmatched")]:
            box.set_checked(ticked)
            line = matching.barrier(a, other, DIGITS, 5)
            for step in (0, 2, 4):
                slider.fill(str(step))
                assert page.locator("output").inner_text() == (
                    f"{step / 4:.2f} of the way, {word}: accuracy {line.accuracy[step]:.3f}, "
                    f"loss {line.loss[step]:.2f} nats"
                )


@needs_browser
def test_a_permuted_copy_stands_still_once_matched(tmp_path):
    """Matched, B is A: the pictures at both ends agree. Unmatched they do not."""
    a = net(0, 5)
    b = matching.permute(a, [torch.tensor([1, 2, 3, 4, 0])])
    with open_page(matching.path_slider(a, b, DIGITS, (8, 8), steps=3).data, tmp_path) as page:

        def pictures(step):
            page.locator("input[type=range]").fill(str(step))
            return page.evaluate(
                "Array.from(document.querySelectorAll('canvas'), (c) => "
                "Array.from(c.getContext('2d').getImageData(0, 0, 8, 8).data))"
            )

        assert pictures(0) == pictures(2)
        page.locator("input[type=checkbox]").focus()
        page.keyboard.press("Space")
        first, last = pictures(0), pictures(2)
        assert first != last
        assert last[0] == first[1]  # unit 0 of B is unit 1 of A


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_page_and_is_named(tmp_path, width):
    html = matching.path_slider(net(0, 15), net(1, 15), DIGITS, (8, 8), steps=3)
    with open_page(html.data, tmp_path, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        labels = [text.strip() for text in page.locator("label").all_inner_texts()]
        assert labels == ["From A to B", "B's units matched to A's"]
        names = page.evaluate(
            "Array.from(document.querySelectorAll('canvas, svg'), (e) => e.ariaLabel)"
        )
        assert len(names) == 16 and all(names)
        sizes = page.evaluate(
            "Array.from(document.querySelectorAll('svg text'), "
            "(t) => t.getBoundingClientRect().height)"
        )
        assert min(sizes) > 11  # legible on a phone too


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"widths \[64, 5, 4, 10\]; one hidden layer"):
        matching.path_slider(net(0, 5, 4), net(1, 5, 4), DIGITS, (8, 8))
    with pytest.raises(ValueError, match=r"\[64, 5, 10\] and \[64, 4, 10\]"):
        matching.path_slider(net(0, 5), net(1, 4), DIGITS, (8, 8))


@needs_browser
def test_the_curve_can_be_clicked_and_dragged(tmp_path):
    html = matching.path_slider(net(0, 5), net(1, 5), DIGITS, (8, 8), 5)
    with open_page(html.data, tmp_path) as page:
        slider, box = page.locator("input[type=range]"), page.locator("svg").bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.click(box["x"] + box["width"] - 20, y)
        assert slider.input_value() == "4"
        page.mouse.move(box["x"] + box["width"] - 20, y)
        page.mouse.down()
        page.mouse.move(box["x"] + 60, y)
        page.mouse.up()
        assert slider.input_value() == "0"
        page.mouse.move(box["x"] + box["width"] / 2, y)  # let go: nothing follows any more
        assert slider.input_value() == "0"


@needs_browser
def test_a_turned_phone_redraws_and_keeps_its_place(tmp_path):
    html = matching.path_slider(net(0, 5), net(1, 5), DIGITS, (8, 8), 5)
    with open_page(html.data, tmp_path, width=390) as page:
        page.locator("input[type=range]").fill("1")
        before = page.locator("svg").get_attribute("viewBox")
        page.set_viewport_size({"width": 844, "height": 390})
        page.wait_for_function(
            "before => document.querySelector('svg').getAttribute('viewBox') !== before",
            arg=before,
        )
        assert page.locator("input[type=range]").input_value() == "1"
        assert page.locator("output").inner_text().startswith("0.25 of the way")
