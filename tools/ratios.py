"""What the times of two ways, measured in turn, say, in numbers and in words."""

from dataclasses import dataclass
from statistics import median

import numpy as np

UNITS = ((3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))


@dataclass(frozen=True)
class Ratio:
    """How many times as long the other way takes: the median over runs, the least, the most."""

    median: float
    least: float
    most: float


def ratio(ours, theirs):
    """The ratio of each run to the run beside it, so that a slow moment falls on both.

    Runs without a partner (a way may be too slow to be run as often) count for nothing.

    >>> ratio([1.0, 2.0, 1.0], [4.0, 6.0, 2.0])
    Ratio(median=3.0, least=2.0, most=4.0)
    """
    if not ours or not theirs or min(*ours, *theirs) <= 0:
        raise ValueError(f"times {ours} and {theirs}: one or more of both are needed, above 0")
    each = [other / mine for mine, other in zip(ours, theirs, strict=False)]
    return Ratio(median(each), min(each), max(each))


def spread(times):
    """Longest run over shortest.

    >>> spread([1.0, 1.5, 1.2])
    1.5
    """
    return max(times) / min(times)


def slope(at, seconds):
    """The power of the size with which time grows at the upper half of the sizes.

    >>> round(slope([1, 10, 100, 1000], [5, 5, 100, 10_000]), 6)
    2.0
    """
    half = slice(len(at) // 2 if len(at) > 3 else 0, None)
    return float(np.polyfit(np.log(at[half]), np.log(seconds[half]), 1)[0])


def clearly(found):
    """Whether a way is faster in all runs, slower in all, or neither.

    >>> clearly(Ratio(3.0, 2.0, 4.0)), clearly(Ratio(1.0, 0.9, 1.1))
    ('faster', 'neither')
    """
    if found.least > 1:
        return "faster"
    return "slower" if found.most < 1 else "neither"


def figure(value):
    """Two digits, as they stand in a sentence.

    >>> figure(0.943), figure(3), figure(12_345)
    ('0.94', '3.0', '12,000')
    """
    value = float(f"{value:.2g}")
    return f"{value:,.0f}" if value >= 10 else f"{value:#.2g}"


def times(value):
    """A ratio: near 1 with a digit more, which says on which side it lies.

    >>> times(1.034), times(0.712), times(53.7)
    ('1.03', '0.71', '54')
    """
    return f"{value:.2f}" if 0.9 < value < 1.1 else figure(value)


def brief(seconds):
    """A duration with its unit, and a space that does not break the line.

    >>> [brief(t).replace("\N{NO-BREAK SPACE}", " ") for t in (0.00034, 1.25, 5400)]
    ['340 µs', '1.2 s', '1.5 h']
    """
    size, unit = next((u for u in UNITS if seconds >= u[0]), UNITS[-1])
    return f"{figure(seconds / size)}\N{NO-BREAK SPACE}{unit}"


def counted(n, one, many=None):
    """A number with its noun.

    >>> counted(1, "run"), counted(3, "run")
    ('1 run', '3 runs')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def by_chapter(row):
    """The chapter of a comparison, by which they are sorted; what has none comes last."""
    return row["chapter"][0].upper() + row["chapter"][1:]
