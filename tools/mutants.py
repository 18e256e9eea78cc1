"""Do the tests see a mistake? Plant one at a time in the package, and ask them.

    make mutants                    400 mistakes drawn at random, seed 0
    make mutants SAMPLE=all
    make mutants SAMPLE=100 SEED=3

A mutant is a copy of the package with one small change (`mutations`). It is killed if one of the
tests that run its function fails, or if they do not end; if all pass, it survives, and something
about that line is not tested. Mutants are drawn from each room and each file of the ground floor
in proportion, so that the share of all that would be killed is known with its standard error.

``tests/mutants.toml`` has two lists. ``named`` are mistakes that tests once missed: each is
planted in every run, which fails if one survives or if the text that it changes is gone.
``survivors`` are mutants that live, with the reason; those that are shown to be equivalent (no
result changes) do not count. Of both, ``old`` and ``new`` are the lines before and after; an
entry whose lines are no longer there fails the run too.

Not mutated are the figures with a handle (sizes and places; their numbers are tested in a
browser), `plotting`, `words`, `interactive`, ``__main__`` and `spectra.published` (looks,
sentences, a file that is read), and for now `cifar`, `claims`, `settings` and `zoo`. Not asked
are tests that take more than two seconds, those of the book and the site, and ``test_faults``,
whose processes wait on each other: what fails because the machine is busy would pass for a kill.

Torch is read once: each mutant gets a fork of that process, and costs little more than its tests.
So this needs Linux or macOS.
"""

import argparse
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from pathlib import Path

import coverage
import mutations
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
LEFT_OUT = {"figure", "plotting", "words", "interactive", "__main__", "__init__", "published"}
LEFT_OUT |= {"cifar", "claims", "settings", "zoo"}
SLOW = 2.0  # seconds of computing that a test may take, to be asked
MEMORY = 12 << 30  # bytes of a fork: some mutants would take all


class Recorder:
    """A plugin of pytest's: says to coverage which test runs, and notes its time."""

    def __init__(self, measured):
        self.measured, self.seconds = measured, {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self.measured.switch_context(item.nodeid)
        began = time.process_time()  # not perf_counter: others use this machine as well
        done = yield
        self.seconds.setdefault(item.nodeid, time.process_time() - began)
        return done

    def pytest_runtest_logreport(self, report):
        if not report.passed:
            self.seconds[report.nodeid] = math.inf


def run_tests(tests, *plugins):
    options = ["-qx", "-p", "no:cacheprovider", "--override-ini=addopts=--doctest-modules"]
    return int(pytest.main([*options, *tests], plugins=plugins))


def warm(copy, tests):
    """Import all that the tests import; then forget the copy's own modules again."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    run_tests([*tests, "--collect-only", "-qqq"])
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(copy)):
            del sys.modules[name]
    sys.path.remove(str(copy))


def fork(copy, work):
    """Process id of a child that does some work in a copy; its result is the exit status."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        os.setsid()
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        os.environ["PYTHONPATH"] = str(copy)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        status = work()
    finally:
        os._exit(status)


def record(copy, package, tests):
    """For each test that passes in time its seconds, and for each file the tests of each line."""

    def measure():
        measured = coverage.Coverage(data_file=None, include=[f"{copy / package}/*"])
        recorder = Recorder(measured)
        measured.start()
        run_tests(["--maxfail=0", *tests], recorder)
        measured.stop()
        data = measured.get_data()
        lines = {
            str(Path(file).relative_to(copy)): data.contexts_by_lineno(file)
            for file in data.measured_files()
        }
        (copy / "record.json").write_text(json.dumps([recorder.seconds, lines]), encoding="utf-8")
        return 0

    os.waitpid(fork(copy, measure), 0)
    seconds, lines = json.loads((copy / "record.json").read_text(encoding="utf-8"))
    return {test: s for test, s in seconds.items() if s <= SLOW}, lines


def tests_of(mutant, seconds, lines):
    """Tests that run the mutant's function, quickest first.

    Outside of a function it is a constant, of which a test may only read the value: then all
    tests are asked that run anything in the file, or that are named after it. Without their
    parameters, for these may come from the constant.
    """
    first, last = mutant.lines
    own = f"tests/test_{Path(mutant.path).parts[1].removesuffix('.py')}"
    seen = {
        test
        for line, tests in lines.get(mutant.path, {}).items()
        for test in tests
        if first < int(line) <= (last or math.inf)
    }
    seen |= {test for test in seconds if not last and test.startswith(own)}
    return list(
        dict.fromkeys(t.split("[")[0] for t in sorted(seen & seconds.keys(), key=seconds.get))
    )


def ask(jobs, copies):
    """Yield (mutant, verdict) for each job (mutant, tests, seconds that they may take)."""
    jobs, free, running = list(jobs)[::-1], list(copies), {}
    while jobs or running:
        while jobs and free:
            mutant, tests, limit = jobs.pop()
            if not tests:
                yield mutant, "survived"
                continue
            copy = free.pop()
            (copy / mutant.path).rename(copy / "kept.py")
            (copy / mutant.path).write_text(mutant.source, encoding="utf-8")
            child = fork(copy, lambda tests=tests: run_tests(tests))
            running[child] = mutant, copy, time.monotonic() + limit
        child, status = os.waitpid(-1, os.WNOHANG) if running else (0, 0)
        late = [pid for pid, job in running.items() if time.monotonic() > job[2]]
        if not child and not late:
            time.sleep(0.02)
        for pid in {child} - {0} or late[:1]:
            mutant, copy, _ = running.pop(pid)
            if pid != child:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            (copy / "kept.py").replace(copy / mutant.path)
            free.append(copy)
            if os.waitstatus_to_exitcode(status) == 99 and pid == child:
                raise RuntimeError(f"the tests of {mutant.path}, {mutant.new!r} could not be run")
            yield mutant, "timed out" if pid != child else "killed" if status else "survived"


def sampled(strata, size, rng):
    """Places drawn from each stratum in proportion, and all where size is None."""
    total = sum(map(len, strata.values()))
    for name, places in sorted(strata.items()):
        share = len(places) if size is None else round(size * len(places) / total)
        for place in rng.sample(places, min(share, len(places))):
            yield name, place()


def named_mutant(root, entry):
    """The mutant that an entry describes; an error where its text is not there once."""
    text = (root / entry["path"]).read_text(encoding="utf-8")
    if text.count(entry["old"]) != 1:
        raise SystemExit(f"{entry['path']} has {entry['old']!r} {text.count(entry['old'])} times")
    source = text.replace(entry["old"], entry["new"])
    return mutations.Mutant(entry["path"], (0, 0), entry["old"], entry["new"], source)


def gone(root, entry):
    """Whether a survivor's lines are no longer in its file: the list is behind the code."""
    lines = {line.strip() for line in (root / entry["path"]).read_text("utf-8").splitlines()}
    return not lines.issuperset(entry["old"].split("\n"))


def report(strata, verdicts, equivalent):
    """Print the table and return the score: of all, and of those not shown to be equivalent."""
    total = sum(map(len, strata.values()))
    print(f"\n{'':16}{'all':>6}{'drawn':>7}{'killed':>8}{'late':>6}{'equivalent':>12}{'alive':>7}")
    scores, variance = [0.0, 0.0], 0.0
    for name, places in sorted(strata.items()):
        of_name = [(mutant, verdict) for at, mutant, verdict in verdicts if at == name]
        alike = sum(v == "survived" and key(m) in equivalent for m, v in of_name)
        counts = [sum(v == kind for _, v in of_name) for kind in ("killed", "timed out")]
        drawn, dead = len(of_name), sum(counts)
        print(f"{name:16}{len(places):6}{drawn:7}{counts[0]:8}{counts[1]:6}{alike:12}"
              f"{drawn - dead - alike:7}")  # fmt: skip
        weight, p = len(places) / total, dead / max(1, drawn - alike)
        scores[0] += weight * dead / max(1, drawn)
        scores[1] += weight * p
        variance += weight**2 * p * (1 - p) / max(1, drawn - alike)
    print(f"killed / all: {scores[0]:.1%}; killed / (all - equivalent): {scores[1]:.1%}, standard "
          f"error {variance**0.5:.1%}")  # fmt: skip
    return scores


def key(mutant):
    return mutant.path, mutant.old, mutant.new


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--sample", default="400", help="how many, or all")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--root", type=Path, default=ROOT)
    options.add_argument("--package", default="netdist_utils")
    options.add_argument("--only", default="", help="mutate only paths that hold this")
    given = options.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    root, rng = given.root.resolve(), random.Random(given.seed)
    listed = tomllib.loads((root / "tests/mutants.toml").read_text(encoding="utf-8"))
    strata = defaultdict(list)
    for file in sorted((root / given.package).rglob("*.py")):
        path = file.relative_to(root)
        if path.stem not in LEFT_OUT and given.only in str(path):
            strata[path.with_suffix("").parts[1]] += mutations.places(root, str(path))
    strata = {name: places for name, places in strata.items() if places}
    named = [named_mutant(root, entry) for entry in listed.get("named", [])]
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / str(i) for i in range(given.jobs)]
        ignored = shutil.ignore_patterns(".*", "_build", "__pycache__")
        shutil.copytree(root, copies[0], ignore=ignored)
        tests = [given.package, *_test_files(copies[0], given.package)]
        warm(copies[0], tests)
        for copy in copies[1:]:
            shutil.copytree(copies[0], copy)
        sys.dont_write_bytecode = True
        seconds, lines = record(copies[0], given.package, tests)
        print(f"{len(seconds)} tests are asked, which take {sum(seconds.values()):.0f} s")
        jobs = [
            (mutant, entry["tests"], 300)
            for mutant, entry in zip(named, listed.get("named", []), strict=True)
        ]
        alive = [mutant for mutant, verdict in ask(jobs, copies) if verdict == "survived"]
        for mutant in alive:
            print(f"NAMED AND ALIVE  {mutant.path}: {mutant.new!r}")
        size = None if given.sample == "all" else int(given.sample)
        drawn = list(sampled(strata, size, rng))
        place = {id(mutant): name for name, mutant in drawn}
        jobs = []
        for _, mutant in drawn:
            asked = tests_of(mutant, seconds, lines)
            jobs.append((mutant, asked, 30 + 10 * sum(seconds.get(test, 1) for test in asked)))
        reasons = {(e["path"], e["old"], e["new"]): e for e in listed.get("survivors", [])}
        equivalent = {k for k, e in reasons.items() if e["equivalent"]}
        verdicts = []
        for mutant, verdict in ask(jobs, copies):
            verdicts.append((place[id(mutant)], mutant, verdict))
            if verdict == "survived" and key(mutant) not in reasons:
                entry = {"path": mutant.path, "old": mutant.old, "new": mutant.new}
                print("\n[[survivors]]", *(f"{k} = {json.dumps(v)}" for k, v in entry.items()),
                      sep="\n", flush=True)  # fmt: skip
    report(strata, verdicts, equivalent)
    print(f"named mutants: {len(named) - len(alive)} of {len(named)} killed")
    behind = [entry for entry in listed.get("survivors", []) if gone(root, entry)]
    for entry in behind:
        print(f"LISTED AND GONE  {entry['path']}: {entry['old']!r}")
    sys.exit(bool(alive or behind))


def _test_files(root, package):
    """Tests named after a module or room of the package."""
    names = {path.stem for path in (root / package).iterdir()} | {"reliability"}
    about = [path for path in sorted(root.glob("tests/test_*.py"))
             if any(f"{path.stem}_".startswith(f"test_{name}_") for name in names)]  # fmt: skip
    return [str(path.relative_to(root)) for path in about if not path.stem.endswith("_figure")]


if __name__ == "__main__":
    main()
