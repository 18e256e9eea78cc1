"""What the book's pages are built with: figures in the reader's theme, citations, the house."""

import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from pybtex.database import parse_string

from netdist_utils import plotting

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import citations  # noqa: E402
import figures  # noqa: E402
import house  # noqa: E402
import run_times  # noqa: E402


@pytest.fixture(scope="module")
def svg(tmp_path_factory):
    """A figure as a chapter draws it: a line, dots, text and a picture."""
    plotting.use_style()
    fig, axes = plt.subplots(1, 2)
    axes[0].plot([0, 1], [0, 1], "o-", color=plotting.COLORS["matched"], label="matched")
    axes[0].legend()
    plotting.heatmap([[0.0, 1.0], [1.0, 0.0]], axes[1], title="matrix", center=0)
    path = tmp_path_factory.mktemp("svg") / "figure.svg"
    fig.savefig(path)
    plt.close(fig)
    return path.read_text()


def test_a_drawing_takes_its_colours_from_the_page(svg):
    themed = figures.themed(svg, "Two panels.", "a0")
    for meaning in ("matched", "ink", "paper"):
        assert f"var(--nd-{meaning})" in themed
        assert plotting.COLORS[meaning] not in themed.lower()
    assert "data:image/webp" in themed  # the pixels of a picture are left alone


def test_coordinates_are_rounded_and_words_are_not():
    """The label of a tick says what it said."""
    path = '<path d="M 1.23456 -7.1 L 3.04 -7.1" transform="scale(0.0078125)"/>'
    drawing = f'<svg viewBox="0 0 9 9">{path}<text>0.025</text></svg>'
    themed = figures.themed(drawing, "A tick at 0.125.", "a0")
    assert 'd="m1.2-7.1h1.8"' in themed and "<text>0.025</text>" in themed
    assert "scale(.0078125)" in themed
    assert 'aria-label="A tick at 0.125."' in themed


def test_a_drawing_has_a_name_and_a_size(svg):
    themed = figures.themed(svg, 'A "quoted" <name>.', "a0")
    opening = re.match(r"<svg[^>]*>", themed)[0]
    assert 'role="img"' in opening
    assert 'aria-label="A &quot;quoted&quot; &lt;name&gt;."' in opening
    assert re.search(r'width="\d+" height="\d+" viewBox="0 0 [\d.]+ [\d.]+"', opening)
    assert "<metadata>" not in themed


def test_a_letter_has_the_family_and_a_corner_the_join_that_the_figure_gave_it(svg):
    """Said once, at the top; its rules name classes of its own, and no element of the page."""
    themed = figures.themed(svg, "", "a0")
    opening = re.match(r"<svg[^>]*>", themed)[0]
    assert "DejaVu Sans" in opening and 'stroke-linejoin="round"' in opening
    assert themed.count("font-family") == 1
    rules = re.search(r"<style>(.*?)</style>", themed)[1]
    names = {rule.partition("{")[0][:3] for rule in rules.rstrip("}").split("}")}
    assert names <= {".a0", "mar"}  # markers, too: they are not cut to a box


def test_two_drawings_of_a_page_share_no_name(svg):
    drawings = [figures.themed(svg, "", prefix) for prefix in ("a0", "a1")]
    names = [set(re.findall(r' (?:id|class)="([^"]+)"', drawing)) for drawing in drawings]
    assert len(names[0]) > 5 and not names[0] & names[1]
    for drawing, prefix in zip(drawings, ("a0", "a1"), strict=True):
        asked = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', drawing))
        assert {a or b for a, b in asked} <= set(re.findall(r' id="([^"]+)"', drawing))
        assert all((a or b).startswith(prefix) for a, b in asked)


def test_the_cells_of_a_heat_map_keep_the_colours_of_their_values():
    null = plotting.COLORS["null"]
    cells = f'<g id="QuadMesh_1"><path d="M 0 0 L 1 1" style="fill: {null}"/></g>'
    line = f'<path d="M 0 0 L 2 2" style="stroke: {null}"/>'
    themed = figures.themed(f'<svg viewBox="0 0 9 9">{cells}{line}</svg>', "", "a0")
    assert f'fill="{null}"' in themed and 'stroke="var(--nd-null)"' in themed


def test_each_colour_is_set_for_both_themes_and_for_paper():
    css = figures.theme_css()
    for name in plotting.COLORS:
        assert css.count(f"--nd-{name.replace(' ', '-')}:") == 3
    assert set(plotting.DARK) == set(plotting.COLORS)


BIB = """
@article{one, author = {Marchenko, V. A.}, title = {A {Law}}, year = {1967}, doi = {10.1/x}}
@article{two, author = {Zhu, Mu and Ghodsi, Ali}, title = {B}, journal = {C}, year = {2006}}
@misc{many, author = {M\\'enard, B. and Guth, F. and Mallat, S.}, title = {D}, year = {2024}}
@misc{lab, author = {{Bonner Lab}}, title = {E}, year = {2023}, url = {https://example.org}}
"""


@pytest.mark.parametrize(
    ("key", "text", "parenthetical"),
    [
        ("one", "Marchenko (1967)", "Marchenko, 1967"),
        ("two", "Zhu and Ghodsi (2006)", "Zhu and Ghodsi, 2006"),
        ("many", "Ménard et al. (2024)", "Ménard et al., 2024"),
        ("lab", "Bonner Lab (2023)", "Bonner Lab, 2023"),
    ],
)
def test_citations_are_names_and_years(key, text, parenthetical):
    entry = parse_string(BIB, "bibtex").entries[key]
    assert citations.citation(entry) == text
    assert citations.citation(entry, parenthetical=True) == parenthetical
    assert citations.reference(entry).startswith(f"{text}. ")


def test_a_reference_ends_with_its_address():
    entries = parse_string(BIB, "bibtex").entries
    assert citations.reference(entries["one"]).endswith("A Law. <https://doi.org/10.1/x>")
    assert citations.reference(entries["lab"]).endswith("<https://example.org>")


def test_every_work_of_the_bibliography_can_be_found():
    for key, entry in citations.entries().items():
        assert citations.address(entry), key


def test_a_run_time_names_machine_date_and_what_was_spared():
    record = {"device": "2 CPU cores", "scale": "standard", "date": "2026-01-02"}
    plain = run_times.sentence(31.4, record | {"spared_seconds": 0.0})
    assert plain == (
        "This page was computed in 31 seconds on 2 CPU cores, at standard scale, on 2026-01-02."
    )
    spared = run_times.sentence(31.4, record | {"spared_seconds": 154.0})
    assert spared.endswith("; its networks were at hand, and had taken 2.6 minutes to train.")
    assert run_times.sentence(None, None) == "It was not run for this page."


def test_every_file_of_the_ground_floor_has_its_shelf():
    files = {path.stem for path in house.PACKAGE.glob("*.py")} - {"__init__"}
    shelves = [module for modules in house.SHELVES.values() for module in modules]
    assert sorted(shelves) == sorted(files)


def test_the_rooms_stand_in_the_order_of_the_chapters():
    names = list(house.rooms())[:5]
    assert names == ["matching", "ablation", "covariance", "convergence", "spectra"]
    picture = house.house()
    assert all(f"<strong>{name}</strong>" in picture for name in names)
