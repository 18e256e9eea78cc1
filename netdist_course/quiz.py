"""Five questions a chapter, each choice with its feedback: no script, no other host, any keyboard.

The questions stand in ``quizzes/<chapter>.toml``. A choice is a radio button; the style sheet
shows the sentence that belongs to the one that is chosen.
"""

import tomllib
from html import escape
from importlib.resources import files

from netdist_utils import interactive


def questions(chapter):
    """Questions of a chapter.

    Parameters
    ----------
    chapter : str
        Stem of the notebook, such as ``"01_matching_mlps"``.

    Returns
    -------
    list of dict
        Keys ``ask`` and ``choices``; a choice has ``text``, ``why``, and ``right`` where it is.

    Raises
    ------
    ValueError
        If the chapter has no quiz.

    Examples
    --------
    >>> len(questions("01_matching_mlps"))
    5
    """
    path = files("netdist_course") / "quizzes" / f"{chapter}.toml"
    if not path.is_file():
        raise ValueError(f"no quiz for chapter {chapter!r}")
    return tomllib.loads(path.read_text(encoding="utf-8"))["question"]


def quiz(chapter):
    """The questions of a chapter, to be answered in the page.

    Parameters
    ----------
    chapter : str
        Stem of the notebook.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    ValueError
        If the chapter has no quiz.

    Examples
    --------
    >>> quiz("01_matching_mlps").data.count("<fieldset")
    5
    """
    from IPython.display import HTML

    asked = questions(chapter)
    body = "".join(_fieldset(chapter, k, question) for k, question in enumerate(asked, 1))
    style = (files("netdist_course") / "quiz.css").read_text(encoding="utf-8")
    return HTML(
        f'<section class="netdist-figure netdist-quiz" aria-label="Quiz">'
        f"<style>{interactive.theme_css()}{style}</style>{body}</section>"
    )


def _fieldset(chapter, k, question):
    """One question: a group of radio buttons, each followed by what is said of it."""
    choices = "".join(
        _choice(f"quiz-{chapter}-{k}", n, choice) for n, choice in enumerate(question["choices"])
    )
    return f"<fieldset><legend>{k}. {escape(question['ask'])}</legend>{choices}</fieldset>"


def _choice(group, n, choice):
    """A radio button, its text, and the feedback."""
    verdict = "Right." if choice.get("right") else "No."
    return (
        f'<div><input type="radio" name="{group}" id="{group}-{n}">'
        f'<label for="{group}-{n}">{escape(choice["text"])}</label>'
        f'<p role="status"><b>{verdict}</b> {escape(choice["why"])}</p></div>'
    )
