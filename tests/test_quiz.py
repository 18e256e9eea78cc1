"""Quizzes: five questions a chapter, one right choice each, usable by keyboard and offline."""

from pathlib import Path

import pytest

from netdist_course import quiz
from netdist_course.quiz import questions
from tests.browser import needs_browser, open_page

ROOT = Path(__file__).resolve().parent.parent
STEMS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
each = pytest.mark.parametrize("stem", STEMS)


@each
def test_five_questions_with_one_right_choice_and_feedback_on_each(stem):
    asked = questions(stem)
    assert len(asked) == 5
    assert len({question["ask"] for question in asked}) == 5
    for question in asked:
        choices = question["choices"]
        assert 3 <= len(choices) <= 4
        assert sum(choice.get("right", False) for choice in choices) == 1, question["ask"]
        assert all(set(choice) <= {"text", "why", "right"} for choice in choices)
        assert all(len(choice["why"]) > 30 for choice in choices), question["ask"]
        assert len({choice["text"] for choice in choices}) == len(choices)


@each
def test_the_right_choice_is_not_always_in_one_place_nor_always_the_longest(stem):
    asked = questions(stem)
    places = {[c.get("right", False) for c in q["choices"]].index(True) for q in asked}
    assert len(places) >= 2
    assert sum(map(gives_itself_away, asked)) <= 1


def gives_itself_away(question):
    """Whether the right choice is longer than each wrong one by more than a fifth."""
    right = [len(c["text"]) for c in question["choices"] if c.get("right")]
    wrong = [len(c["text"]) for c in question["choices"] if not c.get("right")]
    return right[0] > 1.2 * max(wrong)


@each
def test_the_chapter_asks_its_quiz(stem):
    assert f'quiz("{stem}")' in (ROOT / "notebooks" / f"{stem}.py").read_text()


def test_an_unknown_chapter_has_no_quiz():
    with pytest.raises(ValueError, match="no quiz for chapter '07_none'"):
        questions("07_none")


def test_words_of_a_question_are_no_markup(monkeypatch):
    import importlib

    module = importlib.import_module("netdist_course.quiz")
    choices = [{"text": "<b>", "why": "&"}, {"text": "b", "why": "<", "right": True}]
    monkeypatch.setattr(
        module, "questions", lambda chapter: [{"ask": "a < b?", "choices": choices}]
    )
    text = quiz("any").data
    assert "a &lt; b?" in text and "&lt;b&gt;" in text and "<b>Right.</b> &lt;" in text


@needs_browser
@each
def test_a_quiz_is_answered_by_keyboard(stem, tmp_path):
    """Tab enters a question, arrows choose; the feedback of the choice shows, and no other."""
    with open_page(quiz(stem).data, tmp_path, width=390) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for question in questions(stem):
            group = page.locator("fieldset", has=page.get_by_text(question["ask"]))
            if question is questions(stem)[0]:
                assert group.locator("p:visible").count() == 0
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
            for n, choice in enumerate(question["choices"]):
                if n:
                    page.keyboard.press("ArrowDown")
                shown = group.locator("p:visible")
                assert shown.count() == 1
                verdict = "Right. " if choice.get("right") else "No. "
                assert shown.inner_text() == verdict + choice["why"]
