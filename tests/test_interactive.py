import base64
import re
from pathlib import Path

import numpy as np
import pytest

from netdist_utils import interactive, plotting, spectra
from tests.browser import needs_browser, open_page

ROOMS = sorted(Path(interactive.__file__).parent.glob("*/figure.js"))


def test_pack_can_be_unpacked():
    array = np.arange(6, dtype=">f4").reshape(2, 3)
    packed = interactive.pack(array)
    back = np.frombuffer(base64.b64decode(packed["base64"]), "<f4").reshape(packed["shape"])
    assert packed["dtype"] == "float32" and np.array_equal(back, array)


def test_figures_of_one_page_do_not_collide(tmp_path, monkeypatch):
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "figure.js").write_text("function mount(root, data) {}")
    (folder / "figure.css").write_text(".netdist-figure { color: red }")
    monkeypatch.setattr(interactive, "files", lambda package: tmp_path)
    one, two = (
        interactive.figure("thing", {"text": "</script>"}, title='a "title"').data for _ in "12"
    )
    assert one != two
    assert one.count("</script>") == 1  # the data cannot end the script
    assert "&quot;title&quot;" in one


@pytest.mark.parametrize("script", ROOMS, ids=lambda path: path.parent.name)
def test_a_rooms_rules_reach_its_own_figure_alone(script):
    style = script.with_suffix(".css")
    text = style.read_text() if style.exists() else ""
    selectors = re.findall(r"^\s*([^{}@]+)\{", text, re.MULTILINE)
    for selector in selectors:
        assert selector.startswith(f".netdist-figure.netdist-{script.parent.name} "), selector


def test_without_javascript_a_sentence_stands_there():
    html = spectra.tail_slider({"planted": 1 + np.random.default_rng(0).pareto(2, 50)}).data
    assert f"<noscript><p>{interactive.NO_SCRIPT}</p></noscript>" in html


@needs_browser
def test_a_figure_takes_its_colours_from_the_theme_and_follows_it(tmp_path):
    html = spectra.tail_slider({"planted": 1 + np.random.default_rng(0).pareto(2, 50)}).data

    def curve(page):
        return page.locator(".curve").evaluate("e => getComputedStyle(e).stroke")

    def rgb(color):
        return "rgb({}, {}, {})".format(*(int(color[k : k + 2], 16) for k in (1, 3, 5)))

    with open_page(html, tmp_path) as page:
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        assert curve(page) == rgb(plotting.COLORS["matched"])
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        assert curve(page) == rgb(plotting.DARK["matched"])
        page.emulate_media(media="print")
        assert curve(page) == rgb(plotting.COLORS["matched"])
