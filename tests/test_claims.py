import json

import pytest

from netdist_utils import claims, settings


@pytest.fixture
def table(monkeypatch):
    """One claim with every kind of band."""
    entry = {
        "kind": "reproduces",
        "title": "Accuracy",
        "source": "0.9",
        "null": "",
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
    assert "| Accuracy | source: 0.9 | 0.35 | 0.3 to 0.4 |" in claims.table("09_made_up").data


@pytest.fixture
def finding(table):
    """The same as a finding of the chapter's own."""
    table |= {"kind": "finds", "source": "", "null": "untrained networks"}
    return table


def test_a_finding_is_held_against_its_null(finding):
    assert claims.check("made_up", 0.35, null=0.1, repeats=[0.34, 0.36]) == 0.35
    found = record()
    assert (found["kind"], found["null"], found["null_is"]) == ("finds", 0.1, "untrained networks")
    assert found["repeats"] == [0.34, 0.36] and found["band"] == [0.3, 0.4]
    assert {"name", "chapter", "value", "source", "scale", "dataset"} <= set(found)
    row = "| Accuracy | null (untrained networks): 0.1 | 0.35 (± 0.014, n = 2) | 0.3 to 0.4 |"
    assert row in claims.table("09_made_up").data


@pytest.mark.parametrize("null", [0.3, 0.39, 0.4])
def test_a_finding_that_its_null_would_pass_is_refused(finding, null):
    with pytest.raises(claims.ClaimError, match="its null, untrained networks, is .* would pass"):
        claims.check("made_up", 0.35, null=null, repeats=[0.34, 0.36])
    assert not list(claims.ledger_dir().iterdir())


@pytest.mark.parametrize("said", [{}, {"null": 0.1}, {"null": 0.1, "repeats": [0.35]}])
def test_a_finding_without_null_or_repeats_is_refused(finding, said):
    with pytest.raises(ValueError, match="needs its null and two repeats"):
        claims.check("made_up", 0.35, **said)


def test_a_null_that_is_no_number_is_refused(finding):
    with pytest.raises(claims.ClaimError, match="NaN or infinite"):
        claims.check("made_up", 0.35, null=float("nan"), repeats=[0.34, 0.36])


def test_an_infinite_value_passes_no_open_band(table):
    table["band"]["digits"] = [0.3, float("inf")]
    with pytest.raises(claims.ClaimError, match="infinite"):
        claims.check("made_up", float("inf"))


def test_a_misspelt_data_set_does_not_switch_judging_off(table):
    with pytest.raises(ValueError, match="'Digits' is unknown"):
        claims.check("made_up", 1e9, "Digits")


def test_an_entry_of_no_kind_or_without_its_null_is_refused(tmp_path, monkeypatch):
    (tmp_path / "claim_tables").mkdir()
    file = tmp_path / "claim_tables" / "09_made_up.toml"
    monkeypatch.setattr(claims, "files", lambda package: tmp_path)
    text = '[one]\ntitle = "A"\nwhy = "B."\n{}\n[one.band]\nany = [0, 1]\n'
    for line, message in [
        ("", "none of the kinds"),
        ('kind = "states"', "none of the kinds"),
        ('kind = "reproduces"', "lacks .'source'"),
        ('kind = "finds"', "lacks .'null'"),
    ]:
        file.write_text(text.format(line))
        claims.tables.cache_clear()
        with pytest.raises(ValueError, match=message):
            claims.tables()
    claims.tables.cache_clear()


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
    row = "| Accuracy | source: 0.9 | 0.446346 | 0.446343 to 0.446346 |"
    assert row in claims.table("09_made_up").data


def test_every_table_of_the_book_is_sound():
    """Each band is an interval and belongs to a data set and scale that exist."""
    scales, sets = {*settings.SCALES}, {"digits", "cifar10", "synthetic"}
    known = scales | sets | {"any"} | {f"{d}.{s}" for d in sets for s in scales}
    for name, claim in claims.tables().items():
        assert set(claim["band"]) <= known, name
        assert all(low <= high for low, high in claim["band"].values()), name
        assert claim["why"].endswith("."), name


def test_every_claim_of_the_book_can_fail():
    """A claim has the number of the source or a null; what has neither is a test."""
    for name, claim in claims.tables().items():
        against = claim["source" if claim["kind"] == "reproduces" else "null"]
        assert against not in ("", "none"), name
        assert any(
            max(map(float, band)) < float("inf") or min(map(float, band)) > -float("inf")
            for band in claim["band"].values()
        ), name
