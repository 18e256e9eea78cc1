"""Numbers in sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdist_utils import words

NUMBERS = st.floats(-1e6, 1e6)


@given(NUMBERS, st.integers(0, 6))
def test_a_number_reads_back_within_half_a_unit_of_its_last_digit(value, digits):
    text = words.number(value, digits)
    assert "-" not in text
    back = float(text.replace("−", "-"))
    assert abs(back - value) <= 0.5 * 10.0**-digits + 1e-9 * abs(value)
    assert not (back == 0 and "−" in text)  # no negative zero


@pytest.mark.parametrize("value", [0.25, np.float32(0.25), np.float64(0.25)])
def test_numbers_of_arrays_read_as_pythons_own(value):
    assert (words.number(value), words.percent(value)) == ("0.25", "25\u00a0%")


@given(st.lists(st.integers(0, 99), max_size=5))
def test_a_list_names_each_item_once_and_has_one_and(items):
    text = words.listed(items)
    parts = text.replace(" and ", ", ").split(", ")
    assert parts == (list(map(str, items)) or ["none"])
    assert text.count(" and ") == (len(items) > 1)


def test_a_form_is_given_to_each_item():
    assert words.listed(np.array([0.5, -0.25]), words.number) == "0.50 and −0.25"
