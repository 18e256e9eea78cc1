"""netdist_course: the book as a course. Exercises with data from a seed, checkers, quizzes.

It stands beside `netdist_utils` and uses it; the book's package knows nothing of it.

>>> from netdist_course import check, problem
>>> a, b = problem("matching-planted-order", seed=1)
>>> a.shape == b.shape
True
"""

from netdist_course.checks import NotYet, check, exercises, problem
from netdist_course.quiz import quiz

__all__ = ["NotYet", "check", "exercises", "problem", "quiz"]
