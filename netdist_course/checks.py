"""Data from a seed, and checkers that say what is wrong with an answer and never what is right.

An exercise has a *maker*, which draws the arguments of the reader's function, and a *judge*, which
looks at what the function returned for them. Case 0 of a maker is the problem that the reader is
given; the further cases are the checker's own, small and at the edges. A judge verifies where it
can (does this order bring the rows back?) and only else compares with the book's own function.
"""

import copy
import numbers
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import torch

import netdist_course

CHAPTERS = ("matching", "ablation", "covariance", "convergence", "spectra", "lenses")


class NotYet(AssertionError):
    """What is wrong with an answer, in a sentence."""


@dataclass(frozen=True)
class Exercise:
    """A problem that is drawn from a seed, and the judge of its answers."""

    name: str
    make: Callable
    judge: Callable
    cases: int


_exercises = {}


def exercise(name, make, cases=4):
    """Register the decorated function as the judge of an exercise.

    Parameters
    ----------
    name : str
        The chapter's room, a hyphen, and what is asked: ``"matching-planted-order"``.
    make : callable
        ``make(rng, case)`` returns the tuple of arguments of the reader's function; ``rng`` is a
        `numpy.random.Generator`. Case 0 is the problem itself.
    cases : int
        Number of cases that a checker tries, the problem itself included.

    Returns
    -------
    callable
        A decorator for ``judge(answer, *arguments)``, which raises `NotYet` or returns None.
    """

    def register(judge):
        _exercises[name] = Exercise(name, make, judge, cases)
        return judge

    return register


def exercises():
    """Names of all exercises that have a checker, in the order of the chapters.

    Returns
    -------
    list of str

    Examples
    --------
    >>> exercises()[0].startswith("matching-")
    True
    """
    here = {module.name for module in iter_modules(netdist_course.__path__)}
    for chapter in CHAPTERS:
        if chapter in here:
            import_module(f"netdist_course.{chapter}")
    return sorted(_exercises, key=lambda name: CHAPTERS.index(name.partition("-")[0]))


def problem(name, seed):
    """Arguments of the reader's function, drawn from a seed.

    Parameters
    ----------
    name : str
        One of `exercises`.
    seed : int
        Not negative. Another seed gives another permutation, circle, or spectrum.

    Returns
    -------
    tuple
        What the exercise says: arrays, tensors, networks, numbers.

    Raises
    ------
    ValueError
        If there is no such exercise, or the seed is not a whole number from 0 on.

    Examples
    --------
    >>> a, b = problem("matching-planted-order", 1)
    >>> a.shape
    (12, 40)
    """
    return _arguments(_find(name), seed, case=0)


def _find(name):
    """The exercise of that name."""
    if name not in exercises():
        raise ValueError(f"no exercise {name!r}; see `exercises()`")
    return _exercises[name]


def _arguments(found, seed, case):
    """Arguments of one case; the same seed and case give the same."""
    if not isinstance(seed, numbers.Integral) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"a seed is a whole number from 0 on, not {seed!r}")
    rng = np.random.default_rng([int(seed), zlib.crc32(found.name.encode()), case])
    return found.make(rng, case)


def check(name, function, seed=1):
    """Try the reader's function on the problem of the seed and on cases of the checker's own.

    Parameters
    ----------
    name : str
        One of `exercises`.
    function : callable
        With the signature that the exercise gives.
    seed : int

    Raises
    ------
    NotYet
        With a sentence that says what is wrong; it never says what would be right.
    ValueError
        If there is no such exercise, or the seed is not a whole number from 0 on.

    Examples
    --------
    >>> check("matching-planted-order", lambda a, b: None)
    Traceback (most recent call last):
        ...
    netdist_course.checks.NotYet: <lambda> returns None: does it end with `return`?
    """
    found = _find(name)
    if not callable(function):
        raise NotYet(f"check wants your function itself, not what it returns: {_kind(function)}")
    for case in range(found.cases):
        arguments = _arguments(found, seed, case)
        found.judge(_call(function, arguments), *arguments)
    print(f"{name}: right in all {found.cases} cases.")


def _call(function, arguments):
    """What the function returns; its own faults become sentences."""
    name = getattr(function, "__name__", "your function")
    given = copy.deepcopy(arguments)
    shapes = ", ".join(map(_kind, arguments))
    try:
        answer = function(*given)
    except NotImplementedError:
        raise NotYet(f"{name} is still to be written") from None
    except Exception as error:
        message = f"{name} raises {type(error).__name__}: {error} (given {shapes})"
        raise NotYet(message) from error
    require(answer is not None, f"{name} returns None: does it end with `return`?")
    for before, after in zip(arguments, given, strict=True):
        require(_same(before, after), f"{name} changes its input ({_kind(before)}); copy it first")
    return answer


def _kind(value):
    """A value in words: what it is and of which shape."""
    if isinstance(value, np.ndarray | torch.Tensor):
        of = f"{value.dtype}".removeprefix("torch.")
        return f"{of} {'array' if isinstance(value, np.ndarray) else 'tensor'} {(*value.shape,)}"
    return f"{type(value).__name__}"


def _same(before, after):
    """Whether an argument is as it was."""
    if isinstance(before, torch.nn.Module):
        one, two = before.state_dict(), after.state_dict()
        return list(one) == list(two) and all(torch.equal(one[key], two[key]) for key in one)
    if isinstance(before, np.ndarray | torch.Tensor):
        return before.shape == after.shape and bool((before == after).all())
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return isinstance(before, np.random.Generator) or before == after


# What judges ask for


def require(holds, sentence):
    """Raise `NotYet` with this sentence unless the condition holds."""
    if not holds:
        raise NotYet(sentence)


def array(answer, shape, what):
    """The answer as a float64 array of this shape, finite; else `NotYet` in words."""
    try:
        found = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise NotYet(f"{what} should be an array of numbers, not {_kind(answer)}") from None
    require(found.shape == shape, f"{what} has shape {found.shape}, and should have {shape}")
    require(np.isfinite(found).all(), f"{what} has entries that are NaN or infinite")
    return found


def number(answer, what):
    """The answer as a float, finite; else `NotYet` in words."""
    return float(array(answer, (), what))


def order(answer, n, what):
    """The answer as an order of 0 ... n - 1; else `NotYet` in words."""
    found = array(answer, (n,), what)
    once = sorted(found.tolist()) == list(range(n))
    require(once, f"{what} is no permutation of 0 ... {n - 1}: each index must come exactly once")
    return found.astype(int)


def close(answer, right, sentence, tolerance=1e-6):
    """Require an answer, already an array or number, to be right within a relative tolerance."""
    scale = max(1e-12, float(np.abs(right).max(initial=0)))
    off = np.abs(np.asarray(answer) - right) > tolerance * scale
    where = f" (in {off.sum()} of {off.size} entries)" if np.ndim(right) else ""
    require(not off.any(), f"{sentence}{where}")


def name_mistake(found, right, mistakes, said="{}"):
    """Say which mistake gives this answer, unless it is right.

    An answer that is neither passes: what else is wrong with it, the judge says afterwards.

    Parameters
    ----------
    found : float or ndarray
        The answer, already checked by `number` or `array`.
    right : float or ndarray
        What a right answer is.
    mistakes : iterable of (str, float or ndarray)
        Sentences, and what each mistake gives; of two that give the same, the first one counts.
    said : str
        What is said, with the sentence in place of the braces.

    Raises
    ------
    NotYet
        With the sentence of the first mistake that gives ``found``.

    Examples
    --------
    >>> name_mistake(-2.0, 2.0, [("the wrong sign", -2.0)], "this has {}")
    Traceback (most recent call last):
        ...
    netdist_course.checks.NotYet: this has the wrong sign
    """

    def gives(value):
        return np.allclose(found, value, rtol=1e-6, atol=1e-7)

    if not gives(right):
        for sentence, wrong in mistakes:
            require(not gives(wrong), said.format(sentence))
