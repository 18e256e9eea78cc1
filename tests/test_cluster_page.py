"""What a cluster costs by simulation: closed forms where there is one."""

import math
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import cluster_page
from cluster_page import simulate


@given(st.integers(1, 60), st.integers(1, 20), st.floats(0.1, 100))
def test_without_spread_and_kills_rounds_are_counted(n, n_workers, seconds):
    elapsed, paid = simulate([seconds] * n, n_workers)
    assert elapsed == pytest.approx(math.ceil(n / n_workers) * seconds)
    assert paid == elapsed * n_workers


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=30))
def test_one_worker_takes_the_sum_and_endlessly_many_the_longest(chunks):
    assert simulate(chunks, 1)[0] == pytest.approx(sum(chunks))
    assert simulate(chunks, 30)[0] == pytest.approx(max(chunks))


@given(st.lists(st.floats(0.1, 50), min_size=1, max_size=30), st.integers(1, 9))
def test_greedy_scheduling_keeps_grahams_bound(chunks, n):
    """Graham 1966: at most (2 - 1/n) times the optimum, which both bounds from below are under."""
    elapsed, _ = simulate(chunks, n)
    least = max(sum(chunks) / n, max(chunks))
    assert least - 1e-9 <= elapsed <= sum(chunks) / n + (1 - 1 / n) * max(chunks) + 1e-9


def test_a_start_is_waited_for_once_and_chunks_are_sent_one_at_a_time():
    assert simulate([2.0] * 6, 3, start=5.0)[0] == 9.0
    assert simulate([2.0] * 3, 3, start=5.0, send=1.0)[0] == 5 + 3 * 1 + 2
    assert simulate([2.0], 1, start=5.0, send=1.0)[0] == 8.0


def test_work_of_killed_workers_is_all_done_again():
    """By one worker: a chunk is begun 1 / (1 - p) times; each time half and a start are lost."""
    p, n, seconds, start = 0.3, 4000, 2.0, 0.5
    elapsed, _ = simulate([seconds] * n, 1, start=start, killed=p, seed=1)
    lost = p / (1 - p) * (seconds / 2 + start)
    assert elapsed == pytest.approx(start + n * (seconds + lost), rel=0.03)
    assert simulate([seconds] * n, 1, killed=0.0)[0] == pytest.approx(n * seconds)  # the control


def test_a_killed_workers_chunk_is_nobodys_before_it_is_killed():
    """With as many workers as chunks nothing ends before a whole chunk after the last kill."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        dies, when = rng.random() < 0.5, rng.random()
        elapsed, _ = simulate([10.0], 2, killed=0.5, seed=seed)
        assert elapsed == 10.0 if not dies else elapsed >= 10.0 * (1 + when)


def test_durations_have_the_mean_asked_for_and_all_networks():
    found = cluster_page.durations(3.0, 160_000)
    assert len(found) == 10_000 and found.mean() == pytest.approx(48, rel=0.01)
    assert np.log(found).std() == pytest.approx(cluster_page.SPREAD, rel=0.05)
    assert cluster_page.durations(1.0, 17, spread=0).tolist() == [16.0, 1.0]


@pytest.mark.parametrize(("n", "killed"), [(0, 0), (3, 1.0), (3, -0.1)])
def test_what_cannot_be_simulated_is_named(n, killed):
    with pytest.raises(ValueError, match=f"{n} workers, killed {killed}"):
        simulate([1.0], n, killed=killed)


def test_the_page_says_what_was_computed():
    """More workers never take longer here, kills always do, and nothing beats the floor."""
    known = cluster_page.measured()
    found = list(cluster_page.costs(known["seconds"]))
    assert [row["workers"] for row in found] == list(cluster_page.WORKERS)
    assert all(a["calm"] > b["calm"] for a, b in pairwise(found))
    assert all(row["floor"] < row["calm"] < row["killed"] for row in found)
    assert all(row["paid"] == row["killed"] * row["workers"] for row in found)
    page = cluster_page.content()
    for row in found:
        numbers = [cluster_page.brief(row[name]) for name in ("floor", "calm", "killed")]
        cells = [f"{row['workers']:,}", *numbers, f"{row['paid'] / 3600:,.0f}"]
        assert "".join(f"<td>{cell}</td>" for cell in cells) in page
    ends = [cluster_page.brief(found[k]["calm"]) for k in (0, -1)]
    assert f"from {ends[0]} to {ends[1]}, and to" in page
    assert "11 GB of weights" in page  # (1024 256 + 256 10) 4 bytes, ten thousand times: 10.6
    assert f"{known['seconds']:.1f} s" in page and len(re.findall("<svg", page)) == 1
