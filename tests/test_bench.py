"""The benchmarks: statistics, measuring, and what each promises. No speed is asserted."""

import doctest
import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from netdist_utils import settings

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "benchmarks")]

import bench  # noqa: E402
import benchmark_figures  # noqa: E402
import ratios  # noqa: E402
import timing  # noqa: E402

FIGURES = json.loads(bench.FIGURES.read_text(encoding="utf-8"))


# Statistics


def test_the_ratio_is_the_median_of_pairs_and_not_the_ratio_of_medians():
    found = ratios.ratio([1.0, 10.0, 100.0], [3.0, 20.0, 500.0])
    assert found == ratios.Ratio(median=3.0, least=2.0, most=5.0)  # of medians: 20 / 10
    assert ratios.ratio([1.0, 1.0], [2.0, 4.0]).median == 3.0
    assert ratios.ratio([1.0, 1.0, 9.0], [2.0]) == ratios.Ratio(2.0, 2.0, 2.0)
    slowed = ratios.ratio([1.0, 7.0, 1.0], [4.0, 28.0, 4.0])  # a slow moment falls on both
    assert slowed == ratios.Ratio(4.0, 4.0, 4.0)


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], []), ([], []), ([0.0], [1.0])])
def test_times_that_do_not_pair_up_have_no_ratio(ours, theirs):
    with pytest.raises(ValueError, match="one or more of both"):
        ratios.ratio(ours, theirs)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.5])
def test_the_slope_of_a_power_law_is_its_power(power):
    at = [16, 64, 256, 1024]
    assert ratios.slope(at, [3 * n**power for n in at]) == pytest.approx(power)
    fixed = [n**power if n > 64 else 1e9 for n in at]  # what is fixed at small sizes is left out
    assert ratios.slope(at, fixed) == pytest.approx(power)


@pytest.mark.parametrize(
    ("least", "most", "kind"), [(1.1, 2, "faster"), (0.5, 0.9, "slower"), (0.9, 1.3, "neither")]
)
def test_a_way_is_faster_where_it_is_in_every_run(least, most, kind):
    assert ratios.clearly(ratios.Ratio((least + most) / 2, least, most)) == kind


# Measuring


@pytest.fixture
def clock(monkeypatch):
    """Runs last as long as they say; the order in which they ran is kept."""
    ran = []

    def timed(run):
        ran.append(run.name)
        return run.seconds, run.result

    monkeypatch.setattr(timing, "timed", timed)
    monkeypatch.setattr(timing, "QUICK", False)
    return ran


def way(name, seconds, result=1.0):
    return SimpleNamespace(name=name, seconds=seconds, result=result)


def compared(ours, theirs, **changes):
    where = {"chapter": "1", "what": "w", "size": "s", "against": "t"}
    check = lambda a, b: timing.close(a, b, 1e-6, "sums")
    return timing.compare(**where, ours=ours, theirs=theirs, check=check, **changes)


@pytest.mark.parametrize(("seconds", "repeats"), [(1.9, 5), (2.1, 3)])
def test_both_ways_take_turns_after_one_run_each(clock, seconds, repeats):
    row = compared(way("ours", 0.5), way("theirs", seconds))
    assert clock == ["ours", "theirs"] * (1 + repeats)
    assert row["ours"] == [0.5] * repeats and row["theirs"] == [seconds] * repeats
    assert row["checked"] == "sums, to 1 part in 1,000,000"


def test_a_part_of_the_work_is_scaled_to_the_whole(clock):
    row = compared(way("ours", 3.0), way("theirs", 2.0), ours_by=1 / 100, theirs_by=50)
    assert row["ours"] == [0.03] * 3 and row["theirs"] == [100.0] * 3


def test_a_gpu_is_measured_where_there_is_one_and_checked_first(clock, monkeypatch):
    monkeypatch.setattr(timing, "GPU", None)
    assert "gpu" not in compared(way("ours", 1.0), way("theirs", 1.0), gpu=way)
    monkeypatch.setattr(timing, "GPU", "there")
    ways = way("ours", 1.0), way("theirs", 1.0)
    row = compared(*ways, gpu=lambda device: way(device, 0.25), ours_by=2)
    assert row["gpu"] == [0.5] * 5 and clock[-2:] == ["there", "theirs"]
    with pytest.raises(ValueError, match="sums differ"):
        compared(*ways, gpu=lambda device: way(device, 0.25, result=2.0))


def test_networks_are_trained_where_it_is_said(monkeypatch):
    monkeypatch.setenv("NETDIST_DEVICE", "cpu")
    assert timing.trained_on("meta", settings.device)().type == "meta"
    assert settings.device().type == "cpu"


def test_results_that_differ_raise_before_anything_is_timed(clock):
    with pytest.raises(ValueError, match="sums differ by 0.01"):
        compared(way("ours", 1, 1.0), way("theirs", 1, 1.01))
    assert clock == ["ours", "theirs"]


def test_growth_is_checked_at_each_size_and_the_slow_way_stops(clock):
    seen = []
    panel = timing.grow(
        chapter="1", what="w", against="t", axis="units", at=[1, 2, 4], floor_is="f",
        ways=lambda n: (way("ours", n, n), way("theirs", 2 * n, n)),
        check=lambda a, b: seen.append(a), floor=lambda n: n / 2,
        theirs_by=lambda n: 10, theirs_to=2,
    )  # fmt: skip
    assert seen == [1, 2]
    assert [t[0] for t in panel["ours"]] == [1, 2, 4]
    assert [t[0] for t in panel["theirs"]] == [20, 40] and panel["floor"] == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("ours", "theirs"), [([1.0], [1.1]), ([1.0], [1.0, 1.0]), ([np.nan], [1.0]), ([1.0], [np.nan])]
)
def test_what_is_not_close_is_said_so(ours, theirs):
    with pytest.raises(ValueError, match="losses"):
        timing.close(ours, theirs, 0.01, "losses")


def test_closeness_is_a_share_of_the_largest_of_theirs():
    assert (
        timing.close([100.0, 0.5], torch.tensor([100.0, 0.0]), 0.01, "x") == "x, to 1 part in 100"
    )
    with pytest.raises(ValueError):
        timing.close([1.0, 0.5], [1.0, 0.0], 0.01, "x")
    assert timing.close([3, 4], np.array([3, 4]), 0, "images") == "images, exactly"


def test_the_floor_is_bytes_over_bandwidth_or_operations_over_the_peak(monkeypatch):
    machine = {"bandwidth": 10.0, "single": 100.0, "double": 50.0}
    monkeypatch.setattr(timing, "limits", lambda: machine)
    assert timing.floor(40, 100) == 4.0  # 40 / 10 > 100 / 50
    assert timing.floor(40, 500) == 10.0  # 500 / 50 > 40 / 10
    assert timing.floor(40, 500, "single") == 5.0


def test_the_rates_of_the_machine_are_bytes_and_operations_over_seconds(monkeypatch):
    monkeypatch.setattr(timing, "QUICK", True)
    monkeypatch.setattr(timing, "seconds", lambda run, repeats: run() is None or 0.5)
    timing.limits.cache_clear()
    found = timing.limits()
    timing.limits.cache_clear()
    assert found["bandwidth"] == 2 * 4 * 2**20 / 0.5  # read and written, four bytes each
    assert found["single"] == found["double"] == 2 * 256**3 / 0.5


# The files


@pytest.fixture
def quick(monkeypatch):
    """Benchmarks are read anew, with tiny sizes."""
    for name in [*sys.modules]:
        if name.startswith("bench_") or name == "timing":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("NETDIST_BENCH_QUICK", "1")
    monkeypatch.setenv("NETDIST_DEVICE", "cpu")
    anew = importlib.import_module("timing")
    monkeypatch.setattr(anew, "GPU", anew.GPU or "cpu")  # what would run on a GPU runs, too


KEYS = {
    "rows": {"file", "chapter", "what", "size", "against", "ours", "theirs", "checked"},
    "growth": {
        "file", "chapter", "what", "against", "axis", "at", "ours", "theirs", "floor", "floor_is",
    },
    "memory": {"file", "chapter", "what", "gib"},
}  # fmt: skip


def is_quick(name):
    """Whether a benchmark has tiny sizes; one without is run by `make bench` alone."""
    return "from timing import" in (bench.FOLDER / f"bench_{name}.py").read_text("utf-8")


@pytest.mark.filterwarnings("ignore")  # what peers warn of is theirs
@pytest.mark.parametrize("name", [name for name in bench.files() if is_quick(name)])
def test_a_benchmark_gives_rows_as_they_are_promised(name, quick):
    assert "rows" in bench.parts(name)
    for part in bench.parts(name):
        found = bench.measure(name, part)["rows"]
        assert found
        for row in found:
            assert KEYS[part] - {"file"} <= row.keys() - {"gpu"} <= KEYS[part]
            assert json.loads(json.dumps(row)) == row
        if part == "rows":
            assert all(
                row["checked"] and ratios.ratio(row["ours"], row["theirs"]) for row in found
            )
        if part == "growth":
            assert all(min(row["floor"]) > 0 for row in found)
            assert all(len(row["at"]) == len(row["ours"]) == len(row["floor"]) for row in found)


def test_numbers_have_four_digits_and_nothing_else_changes():
    found = bench.rounded({"a": [1.23456, 12], "b": "1.23456", "c": None, "d": [{"e": 1e-7 / 3}]})
    assert found == {"a": [1.235, 12], "b": "1.23456", "c": None, "d": [{"e": 3.333e-08}]}


def test_the_file_of_figures_is_read_as_it_was_written():
    assert bench.in_lines(FIGURES) == bench.FIGURES.read_text(encoding="utf-8")


def without_figures(found, names):
    """Benchmarks of which a file of figures says nothing."""
    return set(names) - {row["file"] for row in found["rows"]}


def test_every_benchmark_has_its_figures():
    """A new one without: run `make bench`."""
    assert without_figures(FIGURES, bench.files()) == set()
    assert without_figures({"rows": [{"file": "a"}]}, ["a", "b"]) == {"b"}


def test_the_figures_are_small_and_name_no_place():
    text = bench.FIGURES.read_text(encoding="utf-8")
    assert len(text) < 60_000
    assert str(Path.home()) not in text and str(ROOT) not in text


@pytest.mark.parametrize("module", [bench, ratios, benchmark_figures])
def test_the_examples_of_the_tools_run(module):
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0
