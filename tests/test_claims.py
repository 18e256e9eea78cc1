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
        (None, "not judged here"),
    ],
)
def test_bands_in_words(limits, words):
    assert claims.format_band(limits) == words


def test_every_table_of_the_book_is_sound():
    """Each band is an interval and belongs to a data set and scale that exist."""
    scales, sets = {*settings.SCALES}, {"digits", "cifar10", "synthetic"}
    known = scales | sets | {"any"} | {f"{d}.{s}" for d in sets for s in scales}
    for name, claim in claims.tables().items():
        assert set(claim["band"]) <= known, name
        assert all(low <= high for low, high in claim["band"].values()), name
        assert claim["why"].endswith("."), name
