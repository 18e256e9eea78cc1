"""Drawings in fewer bytes: the same lines, letters and pixels."""

import base64
import io
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from netdist_utils import plotting
from tests.browser import launched, needs_browser

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import drawing  # noqa: E402


def svg_of(fig):
    written = io.StringIO()
    fig.savefig(written, format="svg")
    plt.close(fig)
    return written.getvalue()


@pytest.fixture(scope="module")
def svg():
    """Lines, markers, letters, a rotated label, a formula, a picture, bars and a legend."""
    plotting.use_style()
    fig, axes = plt.subplots(1, 3, figsize=(9, 3))
    x = np.linspace(0, 6, 400)
    axes[0].plot(x, np.sin(x), label="$x^2$")
    axes[0].plot(x[::40], np.cos(x[::40]), "o--", color=plotting.COLORS["matched"], label="dots")
    axes[0].set_ylabel("rotated")
    axes[0].legend()
    plotting.heatmap(np.outer(x[:20], x[:20]), axes[1], title="picture", center=0)
    axes[2].bar([1, 2, 3], [3.3, 1.7, 2.9], edgecolor=plotting.COLORS["ink"], linewidth=3)
    axes[2].scatter([1, 2, 3], [3, 2, 1], c=["#ff0000", "#00ff00", "#0000ff"], rasterized=True)
    return svg_of(fig)


def test_a_compact_drawing_is_less_than_half(svg):
    assert len(drawing.compact(svg, "a0")) < len(svg) / 2


def test_compact_changes_no_word(svg):
    words = [re.findall(r">([^<>]*\S[^<>]*)</t", s) for s in (svg, drawing.compact(svg, "a0"))]
    assert words[0] == words[1] and "rotated" in words[0]


@pytest.fixture(scope="module")
def dots():
    """A row of large dots, some on one place."""
    plotting.use_style()
    fig, ax = plt.subplots(figsize=(4, 2))
    ax.plot([0, 1, 1, 2, 3, 4], [0, 1, 1, 0, 2, 1], "o", markersize=30, alpha=0.5)
    return svg_of(fig)


@needs_browser
@pytest.mark.parametrize("name", ["svg", "dots"])
def test_a_compact_drawing_looks_the_same(name, request):
    """Painted at twice the size: nearer to the original than the original moved by 0.1 pt."""
    original = request.getfixturevalue(name)
    moved = original.replace('<g id="figure_1">', '<g id="figure_1" transform="translate(.1 .1)">')
    assert moved != original and ("<marker" in drawing.compact(original, "a0"))
    with launched() as browser:
        page = browser.new_page(device_scale_factor=2)

        def painted(text):
            page.set_content(f"<body style='margin:0'>{text[text.index('<svg') :]}</body>")
            shot = Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("RGB")
            return np.asarray(shot).astype(float)

        first = painted(original)
        ours, theirs = (
            abs(painted(s) - first).mean() for s in (drawing.compact(original, "a0"), moved)
        )
    assert 0 < ours < theirs


def test_a_picture_keeps_each_pixel_that_is_seen():
    """Half transparent ones too; of an invisible one the colour may be any."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (30, 40, 4), dtype=np.uint8)
    pixels[:10, :, 3] = 0
    pixels[10:20, :, 3] = 255
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    link = f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
    encoded = drawing.PICTURE.sub(drawing.fewer, link)
    data = base64.b64decode(encoded.removeprefix("data:image/webp;base64,"))
    found = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    assert np.array_equal(found[..., 3], pixels[..., 3])
    assert np.array_equal(found[10:], pixels[10:])


def tag(text):
    return re.match(".*", text, re.DOTALL)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("M 1.23456 -7.149 L 2.05 3 z", "M1.2 -7.1 L 2.0 3.0z"),
        ("M 0 0 L 5 0.02 L 9 0 L 12 0", "M0.0 0.0 L 12.0 0.0"),  # a corner that no eye sees
        ("M 0 0 L 5 0.2 L 9 0", "M0.0 0.0 L 5.0 0.2 L 9.0 0.0"),
        ("M 0 0 L 1 1 M 4 4 L 5 5 z", "M0.0 0.0 L 1.0 1.0M4.0 4.0 L 5.0 5.0z"),
        ("M 0 2.6457 C 0.7071 2.6457 1 2 1 1", "M 0 2.65 C 0.71 2.65 1 2 1 1"),
    ],
)
def test_corners_are_on_a_grid_of_tenths_and_curves_of_hundredths(path, expected):
    assert drawing.rounded(tag(f'<path d="{path}"/>')) == f'<path d="{expected}"/>'


def test_a_line_of_many_corners_stays_where_it_was():
    """Within a ninth of a point and a grid of tenths."""
    x = np.linspace(0, 300, 2000)
    y = 50 + 8 * np.sin(x / 20)
    found = drawing.lines("M " + " L ".join(f"{a} {b}" for a, b in zip(x, y, strict=True)))
    corners = np.array([list(map(float, c)) for c in drawing.CORNER.findall(found)])
    assert len(corners) < len(x) / 4
    assert np.abs(np.interp(x, *corners.T) - y).max() < 0.18


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<g transform="matrix(4.803251 0 0 1 0 0)">', None),
        ('<image href="data:image/png;base64,iVBORw1.2345"/>', None),
        ('<path style="stroke-width: 1.23456; opacity: 0.123456"/>',
         '<path style="stroke-width: 1.23; opacity: 0.1235"/>'),
        ('<use x="12.3456" y="-0.11"/>', '<use x="12.3" y="-0.1"/>'),
    ],
)  # fmt: skip
def test_neither_factors_nor_names_are_rounded(text, expected):
    """A picture of 500 pixels would be wider by two if its factor lost a digit."""
    assert drawing.rounded(tag(text)) == (expected or text)


def test_ticks_stand_after_the_grid_and_before_the_labels_of_their_axis():
    def tick(k):
        mark = f'<g id="line2d_{k}1"><g><use href="#m"/></g></g>'
        return (
            f'<g id="xtick_{k}"><g id="line2d_{k}0"><path/></g>{mark}<g id="text_{k}"><g/></g></g>'
        )

    head = f'<svg xmlns="{drawing.SPACES["svg"]}">'
    axis = f'<g id="matplotlib.axis_1">{tick(1)}{tick(2)}<g id="text_9"/></g>'
    found = re.findall(r'id="(\w+)"', drawing.sorted_ticks(f"{head}{axis}</svg>"))
    ticks = ["line2d_10", "line2d_20", "line2d_11", "line2d_21", "text_1", "text_2"]
    assert [name for name in found if "tick" not in name] == [*ticks, "text_9"]


def test_rows_of_dots_become_markers_and_what_differs_does_not():
    dots = "".join(
        f'<use x="{x}" y="{y}" href="#a"/>' for x, y in ((1, 2), (3, 1.5), (3, 1.5), (0, 9))
    )
    three, other = '<use x="1" href="#a"/>' * 3, '<use x="5" href="#b"/>'
    found = drawing.dotted(f"<svg><g>{dots}</g><g>{three}{other}</g></svg>", "a0")
    marker = '<marker id="a00" markerUnits="userSpaceOnUse"><use href="#a"/>'
    assert f'<g>{marker}</marker><path d="m1 2 2-0.5 0 0.0-3 7.5"' in found
    assert found.count("<marker") == 1 and found.count("<use") == 5


def test_a_look_that_several_share_is_said_once():
    line = '<path fill="none" stroke="red" d="m0 0h1"/>'
    found = drawing.classed(
        f'<svg>{line * 3}<path fill="none" stroke="blue" d="m0 0"/></svg>', "a0"
    )
    assert found == (
        "<svg><style>.a00{fill:none;stroke:red}</style>"
        + '<path class="a00" d="m0 0h1"/>' * 3
        + '<path fill="none" stroke="blue" d="m0 0"/></svg>'
    )


def test_a_chapter_has_at_most_36_drawings():
    names = {drawing.prefix(stem, k) for stem in ("01_a", "06_b") for k in range(36)}
    assert len(names) == 72 and {len(name) for name in names} == {2}
    with pytest.raises(IndexError):
        drawing.prefix("01_a", 36)
