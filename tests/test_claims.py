import json

import pytest

from netdist_utils import claims, settings


@pytest.fixture
def table(monkeypatch):
    """One claim with every kind of band."""
    entry = {
        "title": "Accuracy",
        "source": "0.9",
        "why": "It was measured.",
        "chapter": "09_made_up",
        "band": {
            "digits.smoke": [0.1, 0.2],
            "digits": [0.3, 0.4],
            "standard": [0.5, 0.6],
        },
    }
    monkeypatch.setattr(claims, "tables", lambda: {"made_up": entry})
    monkeypatch.setattr(claims, "_measured", {})
    return entry


def record(name="made_up"):
    return json.loads((claims.ledger_dir() / f"{name}.json").read_text())


def test_the_most_specific_band_is_taken(table, monkeypatch):
    assert claims.band("made_up", "digits") == (0.3, 0.4)
    assert claims.band("made_up", "cifar10") == (0.5, 0.6)
    monkeypatch.setenv("NETDIST_SCALE", "smoke")
    assert claims.band("made_up", "digits") == (0.1, 0.2)
    assert claims.band("made_up", "cifar10") is None
    table["band"]["any"] = [0, 1]
    assert claims.band("made_up", "cifar10") == (0, 1)


@pytest.mark.parametrize("value", [0.3, 0.35, 0.4])
def test_inside_and_on_the_edges_holds(table, value):
    assert claims.check("made_up", value) == value
    assert record()["status"] == "holds" and record()["value"] == value


@pytest.mark.parametrize("value", [0.29, 0.41, float("nan"), float("inf")])
def test_outside_raises_with_the_reason_and_records_nothing(table, value):
    with pytest.raises(claims.ClaimError, match=r"Accuracy \(made_up\).*It was measured"):
        claims.check("made_up", value)
    assert not list(claims.ledger_dir().iterdir())


def test_what_is_not_judged_says_so(table, monkeypatch):
    monkeypatch.setenv("NETDIST_SCALE", "full")
    claims.check("made_up", 7.0, "cifar10")
    assert (record()["status"], record()["band"]) == ("not judged", None)
    with pytest.raises(claims.ClaimError, match="NaN"):
        claims.check("made_up", float("nan"), "cifar10")


def test_unknown_claims_are_refused(table):
    with pytest.raises(KeyError, match="other"):
        claims.check("other", 1.0)


def test_the_table_has_no_holes(table):
    with pytest.raises(claims.ClaimError, match="never checked.*made_up"):
        claims.table("09_made_up")
    claims.check("made_up", 0.35)
    assert "| Accuracy | 0.9 | 0.35 | 0.3 to 0.4 | digits |" in claims.table("09_made_up").data


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ((25, 25), "exactly 25"),
        ((0.1, float("inf")), "at least 0.1"),
        (("-inf", 0), "at most 0"),
        ((1, 2), "1 to 2"),
        ((3.446343, 3.446346), "3.446343 to 3.446346"),
        (None, "not judged here"),
    ],
)
def test_bands_in_words(limits, words):
    assert claims.format_band(limits) == words


@pytest.mark.parametrize(
    ("value", "limits", "text"),
    [
        (3.4463447, None, "3.446"),
        (3.4463447, (3.4, "inf"), "3.446"),
        (3.4463447, (3.446343, 3.446346), "3.446345"),
        (3.44634587, (3.446343, 3.4463459), "3.4463459"),  # seven digits would pass the end
        (0.1 + 0.2, (0.3, 0.3 + 1e-16), "0.3"),
        (5.0, (4.9999999, 5.0000001), "5"),
        (0.29, (0.3, 0.4), "0.29"),
    ],
)
def test_a_value_inside_its_band_is_seen_inside(value, limits, text):
    assert claims.format_value(value, limits) == text


def test_the_table_shows_what_the_band_needs(table):
    table["band"]["digits"] = [0.446343, 0.446346]
    claims.check("made_up", 0.44634561)
    row = "| Accuracy | 0.9 | 0.446346 | 0.446343 to 0.446346 | digits |"
    assert row in claims.table("09_made_up").data


def test_every_table_of_the_book_is_sound():
    """Each band is an interval and belongs to a data set and scale that exist."""
    scales, sets = {*settings.SCALES}, {"digits", "cifar10", "synthetic"}
    known = scales | sets | {"any"} | {f"{d}.{s}" for d in sets for s in scales}
    for name, claim in claims.tables().items():
        assert set(claim["band"]) <= known, name
        assert all(low <= high for low, high in claim["band"].values()), name
        assert claim["why"].endswith("."), name
