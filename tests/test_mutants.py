"""`make mutants` on a package of two functions, one of which nobody looks at."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "mutants.py"
FILES = {
    "toy/__init__.py": "",
    "toy/sums.py": '''"""Two sums."""


def seen(x):
    """x and one."""
    if x < 0:
        raise ValueError("below 0")
    return x + 1


def unseen(x):
    return x + 1
''',
    "tests/test_sums.py": """import pytest

from toy.sums import seen, unseen


def test_seen():
    assert (seen(0), seen(1), unseen(1) is None) == (1, 2, False)
    with pytest.raises(ValueError):
        seen(-1)
""",
}
NAMED = """
[[named]]
path = "toy/sums.py"
old = {old!r}
new = "pass"
tests = ["tests/test_sums.py"]
"""


def mutants(root, listed):
    """Exit status and what is printed."""
    for name, text in {**FILES, "tests/mutants.toml": listed}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    options = ["--root", root, "--package", "toy", "--sample", "all", "--jobs", "1"]
    done = subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_named_mistakes_can_be_planted():
    """Who changes one of these lines changes the list; who mends the code does so knowingly."""
    root = TOOL.parent.parent
    listed = tomllib.loads((root / "tests/mutants.toml").read_text(encoding="utf-8"))
    for entry in listed["named"]:
        assert (root / entry["path"]).read_text(encoding="utf-8").count(entry["old"]) == 1, entry
        assert all((root / test).exists() for test in entry["tests"]), entry


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_what_no_test_sees_is_reported_and_nothing_else(tmp_path):
    """Of `seen` all are killed: sum, comparison, numbers. Its sentences are left alone."""
    status, printed = mutants(tmp_path, NAMED.format(old='raise ValueError("below 0")'))
    alive = [line for line in printed.splitlines() if line.startswith("new = ")]
    assert status == 0 and "named mutants: 1 of 1 killed" in printed
    assert sorted(alive) == ['new = "return x + 2"', 'new = "return x - 1"'], printed
    assert printed.count('old = "return x + 1"') == 2
    kept = {name: (tmp_path / name).read_text(encoding="utf-8") for name in FILES}
    assert kept == FILES  # mutants are planted in copies


def test_reasons_change_the_score_and_a_named_mistake_that_lives_fails_the_run(tmp_path):
    """Of eight mutants two live, one of them as an equivalent: 6 of 8, and 6 of 7."""
    reason = """
[[survivors]]
path = "toy/sums.py"
old = "return x + 1"
new = "return x - 1"
equivalent = true
reason = "Only here."
"""
    behind = reason.replace("x + 1", "x + 7")
    listed = reason + behind + NAMED.format(old='"""Two sums."""')
    status, printed = mutants(tmp_path, listed)
    assert status == 1 and "NAMED AND ALIVE" in printed
    assert [line for line in printed.splitlines() if "LISTED AND GONE" in line] == [
        "LISTED AND GONE  toy/sums.py: 'return x + 7'"
    ]
    assert "killed / all: 75.0%; killed / (all - equivalent): 85.7%" in printed
    assert [line for line in printed.splitlines() if line.startswith("new = ")] == [
        'new = "return x + 2"'
    ]


@pytest.mark.parametrize(("old", "words"), [("return x + 1", "2 times"), ("x * 7", "0 times")])
def test_a_named_mistake_that_cannot_be_planted_stops_the_run(tmp_path, old, words):
    status, printed = mutants(tmp_path, NAMED.format(old=old))
    assert status == 1 and words in printed
