"""Every statement of a chapter, checked against its accepted band, and against its null.

The claims stand in ``claim_tables/<chapter>.toml``, one entry each, of two kinds. A claim that
*reproduces* states the source's number; its band comes from the method's error::

    [mlp_accuracy]
    kind = "reproduces"
    title = "Test accuracy of the MLP"
    source = "42.7 %"
    why = "What is expected, and why."
    [mlp_accuracy.band]        # inclusive; the first key found of "<data set>.<scale>",
    cifar10 = [0.40, 0.46]     # "<data set>", "<scale>", "any"

A claim that *finds* states an answer of the chapter's own. It names its strongest null, whose
value is measured in the same run and passed with it, and the values over independent repeats
(other seeds, other pairs). A finding that its null would pass says nothing, and is refused::

    [matching_gain]
    kind = "finds"
    title = "Gain in weight correlation by matching"
    null = "networks trained on random labels"
    why = "..."

`check` raises where a value leaves its band or a null lies inside it, so a page that states a
wrong number, or an empty one, does not build. Identities and theorems are tests, not claims. Each
value is also written to the folder ``NETDIST_LEDGER``, from which the book's ledger page is made.
"""

import json
import math
import os
import platform
import statistics
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

from netdist_utils import settings
from netdist_utils.words import minus

KINDS = {  # what an entry of each kind must say
    "reproduces": {"title", "source", "why", "band"},
    "finds": {"title", "null", "why", "band"},
}
DATASETS = ("digits", "cifar10", "synthetic")


class ClaimError(AssertionError):
    """A stated number is outside its band, or its null is inside."""


@cache
def tables():
    """All claims of the book, by name, in the order of the chapters.

    Returns
    -------
    dict of str to dict
        Keys ``kind``, ``title``, ``source`` or ``null``, ``why``, ``band`` and ``chapter``;
        ``needs`` where a claim can't be measured everywhere, saying what it takes.

    Raises
    ------
    ValueError
        If a name stands in two chapters, or an entry is of no kind or lacks a key.

    Examples
    --------
    >>> all({"title", "band"} <= set(claim) for claim in tables().values())
    True
    """
    found = {}
    folder = files("netdist_utils") / "claim_tables"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        chapter = file.name.removesuffix(".toml")
        for name, claim in tomllib.loads(file.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(
                    f"claim {name!r} stands in {found[name]['chapter']} and {chapter}"
                )
            if claim.get("kind") not in KINDS:
                raise ValueError(f"claim {name!r} of {chapter} is of none of the kinds {[*KINDS]}")
            if lacking := KINDS[claim["kind"]] - set(claim):
                raise ValueError(f"claim {name!r} of {chapter} lacks {sorted(lacking)}")
            found[name] = {"source": "", "null": "", **claim, "chapter": chapter}
    return found


def band(name, dataset="digits"):
    """Accepted band of a claim on this data set at the current scale.

    Parameters
    ----------
    name : str
    dataset : {"digits", "cifar10", "synthetic"}

    Returns
    -------
    (float, float) or None
        Inclusive; None where the claim is not judged.

    Raises
    ------
    KeyError
        If there is no such claim.
    ValueError
        If the data set is unknown: a slip of the pen must not switch judging off.

    Examples
    --------
    >>> band("no such claim")
    Traceback (most recent call last):
        ...
    KeyError: "no claim 'no such claim' in claim_tables"
    """
    if name not in tables():
        raise KeyError(f"no claim {name!r} in claim_tables")
    if dataset not in DATASETS:
        raise ValueError(f"data set {dataset!r} is unknown; use one of {', '.join(DATASETS)}")
    bands, scale = tables()[name]["band"], settings.scale()
    for key in (f"{dataset}.{scale}", dataset, scale, "any"):
        if key in bands:
            low, high = bands[key]
            return float(low), float(high)
    return None


def check(name, value, dataset="digits", *, null=None, repeats=None):
    """Record a measured value, and refuse it outside its band, or where its null is inside.

    Parameters
    ----------
    name : str
        A claim of some chapter's table.
    value : float
    dataset : {"digits", "cifar10", "synthetic"}
        What the value was measured on.
    null : float
        For a finding: the same measurement under the strongest null, from the same run.
    repeats : sequence of float
        For a finding: the value of each independent repeat, two or more.

    Returns
    -------
    float
        The value.

    Raises
    ------
    ClaimError
        If the value is NaN or infinite or outside its band, or the null is inside the band.
    KeyError
        If no chapter has a claim of that name.
    ValueError
        If a finding comes without its null or repeats, or the data set is unknown.

    Examples
    --------
    >>> check("no such claim", 1.0)
    Traceback (most recent call last):
        ...
    KeyError: "no claim 'no such claim' in claim_tables"
    """
    value, limits, claim = float(value), band(name, dataset), tables().get(name)
    null = None if null is None else float(null)
    repeats = [] if repeats is None else [float(r) for r in repeats]
    if claim["kind"] == "finds" and (null is None or len(repeats) < 2):
        raise ValueError(
            f"{name} is a finding: it needs its null and two repeats or more, not null {null} "
            f"and {len(repeats)} repeats"
        )
    if not all(map(math.isfinite, repeats)):
        raise ClaimError(
            f"{claim['title']} ({name}): of its repeats {repeats}, one is NaN or infinite"
        )
    if fault := verdict(name, value, dataset, null=null):
        raise ClaimError(fault)
    record = {key: claim[key] for key in ("chapter", "kind", "title", "source", "why")}
    record |= {"name": name, "value": value, "null": null, "null_is": claim["null"]}
    record |= {"repeats": repeats, "scale": settings.scale(), "dataset": dataset}
    record |= {"band": limits and [_json_number(limit) for limit in limits]}
    record |= {"status": "holds" if limits else "not judged"}
    _keep(ledger_dir() / f"{name}.json", record)
    _measured[name] = record
    return value


def verdict(name, value, dataset="digits", *, null=None):
    """Why a value would be refused, in a sentence; empty where the claim holds. Records nothing.

    Parameters
    ----------
    name : str
    value : float
    dataset : {"digits", "cifar10", "synthetic"}
    null : float
        The same measurement under the strongest null, where it is known.

    Returns
    -------
    str

    Raises
    ------
    KeyError, ValueError
        As `band`.

    Examples
    --------
    >>> verdict("matching_mean", 0.1)[:66]
    'Accuracy of the mean of eight networks, units in consensus (matchi'
    >>> verdict("matching_mean", 0.9, null=0.2)
    ''
    """
    limits, claim = band(name, dataset), tables()[name]
    where = f"on {dataset} at {settings.scale()} scale. {claim['why']}"
    if not all(math.isfinite(number) for number in (value, null) if number is not None):
        found = f"{value:.6g}, null {null}: NaN or infinite"
        return f"{claim['title']} ({name}) is {found}. {claim['why']}"
    if limits and not limits[0] <= value <= limits[1]:
        return f"{claim['title']} ({name}) is {value:.6g}, outside {format_band(limits)} {where}"
    if limits and null is not None and limits[0] <= null <= limits[1]:
        return (
            f"{claim['title']} ({name}): its null, {claim['null']}, is {null:.6g} and would pass "
            f"{format_band(limits)} {where}"
        )
    return ""


_measured = {}  # of this process: what the table at the end of a chapter shows


def ledger_dir():
    """Folder of the records: ``NETDIST_LEDGER``, else ``ledger`` in the cache folder.

    Examples
    --------
    >>> ledger_dir().is_dir()
    True
    """
    return settings.folder(os.environ.get("NETDIST_LEDGER") or settings.cache_dir() / "ledger")


def table(chapter):
    """The claims of a chapter that this process has measured, as a table for its last page.

    Parameters
    ----------
    chapter : str
        Stem of the notebook, such as ``"02_circle_ablation"``.

    Returns
    -------
    IPython.display.Markdown

    Raises
    ------
    ClaimError
        If a claim of the chapter was never checked: a ledger with holes is none.

    Examples
    --------
    >>> table("no such chapter").data.count("|")
    10
    """
    from IPython.display import Markdown

    _note_run(chapter)
    of_chapter = {name: c for name, c in tables().items() if c["chapter"] == chapter}
    unmeasured = {name: c for name, c in of_chapter.items() if name not in _measured}
    if forgotten := [name for name, claim in unmeasured.items() if "needs" not in claim]:
        raise ClaimError(f"{chapter} never checked its claims {forgotten}")
    lines = ["| claim | source or null | measured | band |", "|---|---|---:|---|"]
    for name, claim in of_chapter.items():
        if name in unmeasured:
            cells = [format_source(claim), f"not measured: needs {claim['needs']}", ""]
        else:
            record = _measured[name]
            source = format_source(claim, record["null"])
            cells = [source, format_measured(record), format_band(record["band"])]
        lines.append(f"| {claim['title']} | {' | '.join(cells)} |")
    lines += ["", "± is the standard deviation over the n independent repeats of a finding."]
    return Markdown("\n".join(lines))


def format_source(claim, null=None):
    """What a claim is held against: the source's number, or the null and what it was measured as.

    Examples
    --------
    >>> format_source({"kind": "finds", "null": "untrained"}, 0.2191)
    'null (untrained): 0.219'
    """
    if claim["kind"] == "reproduces":
        return f"source: {claim['source']}"
    value = "not measured" if null is None else format_value(null, digits=3)
    return f"null ({claim['null']}): {value}"


def format_measured(record):
    """A measured value, with the standard deviation over its repeats and their number.

    Examples
    --------
    >>> format_measured({"value": 0.5384, "repeats": [0.5, 0.6], "band": None})
    '0.538 (± 0.071, n = 2)'
    """
    repeats = record["repeats"]
    if len(repeats) < 2:
        return format_value(record["value"], record["band"])
    spread = format_value(statistics.stdev(repeats), digits=2)
    return f"{format_value(record['value'], record['band'], 3)} (± {spread}, n = {len(repeats)})"


def _note_run(chapter):
    """Where, when, on what and with what the chapter ran, for its page."""
    import numpy
    import torch

    from netdist_utils import store

    on = settings.device().type
    cores = f"{os.cpu_count()} CPU cores, no GPU"
    record = {
        "chapter": chapter,
        "device": torch.cuda.get_device_name() if on == "cuda" else cores,
        "date": date.today().isoformat(),
        "scale": settings.scale(),
        "datasets": sorted({record["dataset"] for record in _measured.values()}),
        "versions": {
            "Python": platform.python_version(),
            "torch": torch.__version__,
            "NumPy": numpy.__version__,
        },
        "spared_seconds": round(store.spared_seconds(), 1),
    }
    _keep(ledger_dir() / "runs" / f"{chapter}.json", record)


def _keep(path, record):
    settings.keep(path, lambda file: file.write(json.dumps(record, indent=1).encode()))


def format_value(value, limits=None, digits=4):
    """A measured value in some significant digits, or in as many as show it inside its band.

    Whole numbers are whole.

    Examples
    --------
    >>> format_value(0.123456), format_value(1048576.0), format_value(0.123456, [0.12344, 0.12346])
    ('0.1235', '1,048,576', '0.12346')
    """
    if value == round(value) and abs(value) < 1e15:
        return minus(f"{value:,.0f}")
    low, high = map(float, limits or (-math.inf, math.inf))
    texts = [f"{value:.{more}g}" for more in range(digits, 18)]
    return minus(next((text for text in texts if low <= float(text) <= high), texts[0]))


def format_band(limits):
    """A band in words: from-to, at least, at most, exactly, or not judged here.

    Its ends have all the digits that they were given.

    Examples
    --------
    >>> format_band([25, 25]), format_band([0.1, "inf"])
    ('exactly 25', 'at least 0.1')
    """
    if limits is None:
        return "not judged here"
    low, high = (float(limit) for limit in limits)
    low_text, high_text = minus(f"{low:.15g}"), minus(f"{high:.15g}")
    if low == high:
        return f"exactly {low_text}"
    if math.isinf(high):
        return f"at least {low_text}"
    return f"at most {high_text}" if math.isinf(low) else f"{low_text} to {high_text}"


def _json_number(limit):
    return limit if math.isfinite(limit) else str(limit)  # JSON has no infinity
