"""Exercises, their checkers and the variants: a right solution passes, typical wrong ones do not.

The right solutions are those of the chapters; the wrong ones stand in ``course/<room>.py``.
"""

import doctest
import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from netdist_course import NotYet, check, exercises, problem
from netdist_course.checks import _find, array, exercise, name_mistake, order

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import editions  # noqa: E402
from exercises import LEVELS, stub_name  # noqa: E402

CHAPTERS = editions.chapters()
CODING = {editions.check_name(e): (stem, e) for stem, e in editions.coding()}
WRONG = {
    name: wrong
    for file in sorted((ROOT / "tests" / "course").glob("[a-z]*.py"))
    for name, wrong in importlib.import_module(f"tests.course.{file.stem}").WRONG.items()
}
each = pytest.mark.parametrize("name", sorted(CODING))


def right(name):
    """The function that the chapter's solution has."""
    stem, found = CODING[name]
    return editions.solution_of(found, stem)


@pytest.mark.parametrize("stem", sorted(CHAPTERS))
def test_a_chapter_has_six_exercises_of_all_kinds(stem):
    found = CHAPTERS[stem]
    kinds = [e.kind for e in found]
    assert len(found) >= 6
    assert kinds.count("Understand") >= 2 and kinds.count("Code") >= 2
    assert kinds.count("Break") >= 1 and kinds.count("Project") >= 1
    for e in found:
        assert e.header and e.header["level"] in LEVELS, e.label
        assert len(e.words) > 40, f"{e.label}: a solution answers in words"
        assert "assert" in e.code, f"{e.label}: a solution asserts what it states"
        assert e.title != "TITLE" and e.label.startswith("ex-")


def test_labels_are_unique_and_every_coding_exercise_has_its_checker():
    labels = [e.label for found in CHAPTERS.values() for e in found]
    assert len(set(labels)) == len(labels)
    assert sorted(CODING) == sorted(exercises()) == sorted(WRONG)
    for name, (_, e) in CODING.items():
        stub, call = e.blocks
        assert call == f'check("{name}", {stub_name(stub)}, SEED)'


def test_a_break_asks_which_claim_fails():
    for found in CHAPTERS.values():
        for e in (e for e in found if e.kind == "Break"):
            assert "claims.verdict(" in e.code and "claim" in e.body, e.label


@each
@pytest.mark.parametrize("seed", [1, 2027])
def test_the_solution_of_the_chapter_is_right(name, seed, capsys):
    check(name, right(name), seed)
    assert "right in all" in capsys.readouterr().out


@each
def test_the_example_of_the_stub_is_what_comes_out(name):
    """The expected output that the reader sees is the solution's."""
    stem, e = CODING[name]
    stub, function = e.blocks[0], right(name)
    example = doctest.DocTestParser().get_examples(function.__doc__)
    assert example, stub
    scope = {**editions.imported(stem), stub_name(stub): function}
    test = doctest.DocTest(example, scope, name, None, 0, None)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert tried and not failed


@each
def test_typical_wrong_solutions_are_told_what_is_wrong(name):
    assert len(WRONG[name]) >= 3
    for function, fragment in WRONG[name]:
        assert function.__doc__, f"{function.__name__} says which mistake it makes"
        with pytest.raises(NotYet) as refused:
            check(name, function)
        assert fragment in str(refused.value), str(refused.value)


def numbers_in(value):
    """Numbers of an answer as somebody could print them, to three digits or more."""
    value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
    found = np.asarray(value, dtype=float).ravel() if not isinstance(value, dict) else []
    return {f"{number:.3g}" for number in found if not float(number).is_integer()}


@each
def test_a_checker_never_says_the_answer(name):
    """No entry of the answer stands in what wrong solutions are told, nor the answer's text."""
    arguments = problem(name, 1)
    answer = right(name)(*arguments)
    for function, _ in WRONG[name]:
        with pytest.raises(NotYet) as refused:
            check(name, function)
        said = str(refused.value)
        assert editions.shown(answer) not in said or len(editions.shown(answer)) < 3
        said_numbers = {f"{float(n):.3g}" for n in re.findall(r"-?\d+\.\d+", said)}
        assert not numbers_in(answer) & said_numbers, said


@each
def test_another_seed_has_another_answer_and_the_first_one_is_refused(name):
    one, two = (problem(name, seed) for seed in (1, 2027))
    answers = [right(name)(*arguments) for arguments in (one, two)]
    assert editions.shown(answers[0]) != editions.shown(answers[1])
    judge = _find(name).judge
    judge(answers[0], *one)
    judge(answers[1], *two)
    with pytest.raises(NotYet):
        judge(answers[0], *two)


@each
@pytest.mark.parametrize(
    ("function", "fragment"),
    [
        (lambda *arguments: None, "returns None"),
        (lambda *arguments: 1 / 0, "raises ZeroDivisionError"),
        (lambda: 0, "raises TypeError"),
        (lambda *arguments: "an answer", "."),
        (lambda *arguments: np.full((7, 3, 2), np.nan), "."),
        (3, "wants your function itself"),
    ],
    ids=["none", "raises", "arguments", "text", "nan", "no function"],
)
def test_what_is_no_answer_is_refused_in_a_sentence(name, function, fragment):
    with pytest.raises(NotYet, match=fragment) as refused:
        check(name, function)
    assert "\n" not in str(refused.value) or len(str(refused.value)) < 400


def test_a_place_still_empty_is_said_to_be():
    def planted_order(a, b):
        raise NotImplementedError

    with pytest.raises(NotYet, match="planted_order is still to be written"):
        check("matching-planted-order", planted_order)


def test_a_function_that_changes_its_input_is_told():
    def sorts(a, b):
        a.sort()
        return np.arange(len(a))

    with pytest.raises(NotYet, match=r"changes its input \(float64 array \(12, 40\)\)"):
        check("matching-planted-order", sorts)


@pytest.mark.parametrize("seed", [-1, 1.0, "1", None, True])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="a seed is a whole number from 0 on"):
        problem("matching-planted-order", seed)


def test_the_same_seed_draws_the_same_and_numpy_integers_are_seeds():
    one, two = (problem("matching-planted-order", seed) for seed in (5, np.int64(5)))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert (problem("matching-planted-order", 6)[0] != one[0]).any()


def test_an_unknown_exercise_is_refused_by_name():
    for ask in (lambda: problem("matching-none", 1), lambda: check("matching-none", len)):
        with pytest.raises(ValueError, match="no exercise 'matching-none'"):
            ask()


def test_an_exercise_can_be_added():
    @exercise("matching-made-up", lambda rng, case: (rng.normal(size=3),), cases=2)
    def judge(answer, x):
        array(answer, (3,), "the answer")

    try:
        check("matching-made-up", lambda x: 2 * x)
        with pytest.raises(NotYet, match=r"the answer has shape \(\), and should have \(3,\)"):
            check("matching-made-up", np.sum)
    finally:
        del importlib.import_module("netdist_course.checks")._exercises["matching-made-up"]


def test_an_order_uses_each_index_once():
    assert order([1, 0, 2], 3, "it").tolist() == [1, 0, 2]
    for wrong in ([0, 0, 1], [1, 2, 3], [0.5, 1, 2]):
        with pytest.raises(NotYet, match="each index must come exactly once"):
            order(wrong, 3, "it")


def test_the_first_mistake_that_gives_an_answer_is_named_unless_it_is_right():
    mistakes = [("turned", [2.0, 1.0]), ("reversed", [2.0, 1.0]), ("no slip", [1.0, 2.0])]
    name_mistake(np.array([1.0, 2.0]), [1.0, 2.0], mistakes)  # right, though one gives it, too
    name_mistake(np.array([3.0, 4.0]), [1.0, 2.0], mistakes)  # neither: the judge goes on
    with pytest.raises(NotYet, match=r"^this is turned$"):
        name_mistake(np.array([2.0, 1.0 + 1e-8]), [1.0, 2.0], mistakes, "this is {}")
