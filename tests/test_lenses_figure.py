"""The pair chooser in a browser: what it says is what the table holds."""

import numpy as np
import pandas as pd
import pytest

from netdist_utils import lenses
from tests.browser import needs_browser, open_page

INDEX = pd.MultiIndex.from_tuples([(i, j) for j in range(4) for i in range(j)])
WANTED = {"one": "matching", "two": "spectra <b>"}


def frame(seed, shift=0.0):
    values = np.random.default_rng(seed).normal(size=(6, 2)) + shift
    return pd.DataFrame(values, index=INDEX, columns=["one", "two"])


PAIRS = {"base": frame(0), "wide": frame(1)}
NULLS = {
    "untrained": {name: frame(2, -9) for name in PAIRS},
    "random labels": {name: frame(3, 9) for name in PAIRS},
}


def shown():
    return lenses.pair_chooser(PAIRS, NULLS, WANTED).data


def number(value):
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


@needs_browser
def test_choices_show_the_pair(tmp_path):
    with open_page(shown(), tmp_path) as page:
        setting, first, second = page.locator("select").all()
        output = page.locator("output")
        for name, (i, j) in [("base", (0, 1)), ("wide", (3, 1))]:
            setting.select_option(name)
            first.select_option(f"{i + 1}")
            second.select_option(f"{j + 1}")
            row = PAIRS[name].loc[min(i, j), max(i, j)]
            text = output.inner_text()
            assert text.startswith(f"{name}, networks {i + 1} and {j + 1}: matching")
            assert number(row.one) in text and number(row.two) in text
            # Every value is above the first null and below the second.
            assert text.count("no more than random labels") == 2 and "untrained" not in text
            assert "spectra <b>" in text
            assert page.locator("circle.others").count() == 12
        second.select_option("4")
        first.select_option("4")
        assert "Choose two different networks" in output.inner_text()
        assert page.locator("circle.chosen").count() == 0


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_its_page(width, tmp_path):
    with open_page(shown(), tmp_path) as page:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert "matching" in page.locator("svg").get_attribute("aria-label")


@needs_browser
def test_a_null_stands_where_it_applies_alone(tmp_path):
    nulls = {"untrained": NULLS["untrained"], "random labels": {"base": frame(3, 9)}}
    with open_page(lenses.pair_chooser(PAIRS, nulls, WANTED).data, tmp_path) as page:
        setting, output = page.locator("select").first, page.locator("output")
        assert page.locator("polygon").count() == 4
        setting.select_option("wide")
        assert page.locator("polygon").count() == 2
        assert "no more than" not in output.inner_text()


def test_settings_must_have_the_same_pairs():
    with pytest.raises(ValueError, match="2 different sets of pairs"):
        lenses.pair_chooser({"a": frame(0), "b": frame(1).iloc[:3]}, {}, WANTED)
