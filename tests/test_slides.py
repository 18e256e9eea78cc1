"""Slides: what the chapters tag, and how a tagged cell becomes a slide."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import course  # noqa: E402
import slides  # noqa: E402
import sync_notebooks  # noqa: E402

SOURCES = sync_notebooks.sources()
each = pytest.mark.parametrize("stem", sorted(SOURCES))


def tagged(stem):
    return [cell for cell in sync_notebooks.cells_in(SOURCES[stem]) if "slide" in cell.metadata]


@each
def test_the_question_on_the_title_slide_is_plain_words(stem):
    _, question = slides.title_of(sync_notebooks.cells_in(SOURCES[stem]))
    assert not re.search(r"[`{}<>*]", question), question


@each
def test_a_chapter_has_twelve_to_fifteen_slides_one_idea_each(stem):
    found = tagged(stem)
    assert 12 <= 1 + len(found) <= 15  # with the title
    ideas = [cell.metadata["slide"] for cell in found]
    assert len(set(ideas)) == len(ideas)
    for cell in found:
        idea = cell.metadata["slide"]
        assert idea[-1] in ".?" and len(idea) <= 120, idea
        assert len(cell.metadata.get("say", "")) > 20, f"{idea}: what does the speaker say?"


@each
def test_slides_are_figures_or_few_words(stem):
    found = tagged(stem)
    words = [cell for cell in found if cell.cell_type == "markdown"]
    assert len(found) - len(words) >= 6
    for cell in found:
        if cell.cell_type == "code":
            assert sync_notebooks.figure_of(cell), cell.metadata["slide"]
    for cell in words:
        assert set(cell.metadata["tags"]) == {"slide-only", "remove-cell"}
        assert len(cell.source) < 600 and cell.source.count("\n- ") <= 4
        assert not re.search(r"\{[\w:]+\}`|:::", cell.source), cell.source


def test_words_of_slides_are_in_no_notebook():
    only = [
        cell.source for stem in SOURCES for cell in tagged(stem) if cell.cell_type == "markdown"
    ]
    for edition in ("book", "student", "instructor"):
        for text in sync_notebooks.notebooks(edition).values():
            assert '"slide"' not in text and '"say"' not in text and "slide-only" not in text
    assert only


PAGE = """<figure class="x" id="fig-a"><div class="drawing"><svg viewBox="0 0 1 1"/></div>
<figcaption><p><span class="caption-number">Figure 1 </span>What <b>to</b> see.<a
 class="headerlink" href="#fig-a">#</a></p>
</figcaption>
</figure>
<figure class="x" id="fig-b"><div class="output text_html"><section class="netdist-figure" id="n">
<noscript></noscript></section><script>0</script></div><figcaption>Move.</figcaption></figure>"""
SOURCE = """# %% [markdown]
# # Title
#
# **The question.** Do {term}`two
# <one>` *agree*?
#
# **More.** No.

# %% slide="An idea < another." say="Say it." mystnb={"figure": {"name": "fig-a", "caption": "c"}}
plt.show()

# %% slide="A handle." mystnb={"figure": {"name": "fig-b", "caption": "c"}}
figure()

# %% [markdown] tags=["slide-only", "remove-cell"] slide="Words."
# - one $x<y$
#
# $$z$$
"""


def test_a_tagged_figure_is_shown_as_the_page_has_it():
    title, found = slides.sections(SOURCE, slides.figures_of(PAGE), 7)
    assert title == "7. Title" and "Do two agree?" in found[0]
    assert '<svg viewBox="0 0 1 1"/>' in found[1] and "<h2>An idea &lt; another.</h2>" in found[1]
    assert "<p>Say it.</p><p>Figure 1 What to see.</p>" in found[1]


def test_a_figure_with_a_handle_is_no_stack_of_slides():
    """reveal.js takes a section inside a section for a slide of its own."""
    _, found = slides.sections(SOURCE, slides.figures_of(PAGE), 7)
    assert found[2].count("<section") == 1 and 'role="region"' in found[2]
    assert 'class="movable"' in found[2]


def test_formulas_are_left_to_mathjax():
    _, found = slides.sections(SOURCE, slides.figures_of(PAGE), 7)
    assert "\\(x&lt;y\\)" in found[3] and "\\[z\\]" in found[3]


def test_a_slide_of_a_figure_that_the_page_lacks_stops_the_build():
    with pytest.raises(KeyError, match="fig-a"):
        slides.sections(SOURCE, {}, 7)


def test_the_course_table_links_from_any_depth():
    rows = course.table("../", "https://github.com/o/r", {"01_x": "X & Y"})
    assert 'href="../slides/01_x.html"' in rows and 'href="../student/01_x.ipynb"' in rows
    assert "github/o/r/blob/main/notebooks/student/01_x.ipynb" in rows and "1. X &amp; Y" in rows
