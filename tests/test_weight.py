"""What is taken out of the site, and what stays: on small sites made by hand."""

import io
import sys
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import icons  # noqa: E402
import weight  # noqa: E402

CODE = """html[data-theme="light"] .highlight { background: #fff; color: #080808 }
html[data-theme="light"] .highlight .n { color: #080808 } /* Name */
html[data-theme="light"] .highlight .k { color: #6730C5 }
html[data-theme="light"] .highlight .p { color: #080808 }
html[data-theme="light"] .highlight .ni { color: #080808; font-weight: bold }
html[data-theme="dark"] .highlight { background: #222; color: #F8F8F2 }
html[data-theme="dark"] .highlight .n { color: #F8F8F2 }
html[data-theme="dark"] .highlight .k { color: #aa9bff }
html[data-theme="dark"] .highlight .p { color: #ff0000 }
html[data-theme="dark"] .highlight .ni { color: #F8F8F2; font-weight: bold }
"""


class App:
    class builder:
        format = "html"


@pytest.fixture
def site(tmp_path):
    """Files by name; pages have a folder of their own, as in the book."""

    def write(**files):
        for name, text in {"_static/pygments.css": CODE, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def lightened(folder):
    App.outdir = folder
    weight.lighten(App, None)
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_a_page_or_a_style_sheet_asks_for_stays_and_nothing_else(site):
    page = """<link href="../_static/a.css?v=1"><link href="../_static/pygments.css">
    <meta property="image" content="https://you.example/_static/card.png">
    <script src="../_static/a.js"></script>"""
    folder = site(**{
        "book/a.html": page,
        "_static/a.css": '@import "sub/b.css"; a{background:url(a.png)}',
        "_static/sub/b.css": "a{background:url('../b%20b.png')} b{background:url(data:x)}",
        "_static/a.png": "", "_static/b b.png": "", "_static/card.png": "", "_static/a.js": "",
        "_static/idle.js": "", "_static/idle.css": "a{background:url(idle.png)}",
        "_static/idle.png": "", "_static/sub/LICENSE": "", "_images/idle.png": "",
        "_static/template.html": '<img src="idle.png">', "downloads/a.ipynb": "",
        f"_static/{weight.FONTS}MathJax_Main-Bold.woff": "", "_sources/book/a.md": "",
    })  # fmt: skip
    assert lightened(folder) == {
        "book/a.html", "_static/a.css", "_static/pygments.css", "_static/sub/b.css",
        "_static/a.png", "_static/b b.png", "_static/card.png", "_static/a.js",
        "_static/sub/LICENSE", "downloads/a.ipynb",
        f"_static/{weight.FONTS}MathJax_Main-Bold.woff",
    }  # fmt: skip


def test_source_maps_and_what_names_them_go(site):
    links = "".join(f'<link href="_static/{name}.css">' for name in "bc")
    folder = site(**{
        "index.html": f'<script src="_static/a.js"></script>{links}', "_static/a.js.map": "{}",
        "_static/a.js": "/* by A */\nlet a = 1;\n//# sourceMappingURL=a.js.map",
        "_static/b.css": "a{b:c}\n/*# sourceMappingURL=b.css.map*/",
        "_static/c.css": "a{b:c}/*# sourceMappingURL=c.css.map*/",
    })  # fmt: skip
    assert "_static/a.js.map" not in lightened(folder)
    assert (folder / "_static/a.js").read_text() == "/* by A */\nlet a = 1;"
    assert {(folder / f"_static/{name}.css").read_text() for name in "bc"} == {"a{b:c}"}


def test_a_light_site_stays_as_it_is(site):
    """The next build that changes one page comes by the others again."""
    page = """<link href="_static/pygments.css"><p>

    a</p><img src="_static/a.svg"><img src="_static/a.svg"><pre><span class="n">x</span></pre>"""
    folder = site(**{"index.html": page, "_static/a.svg": '<svg viewBox="0 0 20 10"/>'})
    once = lightened(folder), (folder / "index.html").read_text()
    assert len(once[0]) == 3 and 'loading="lazy"' in once[1]
    assert once == (lightened(folder), (folder / "index.html").read_text())


def test_only_colours_that_are_the_texts_own_go():
    """In each theme; a class that is bold, or coloured in one theme, has an effect."""
    assert weight.without_effect(CODE) == {"n"}
    code = (
        '<pre><span class="n">x</span> <span class="k">in</span> <span class="n k">y</span></pre>'
    )
    plain = weight.CODE.sub(weight.plain({"n"}), code)
    assert plain == '<pre>x <span class="k">in</span> <span class="n k">y</span></pre>'


def test_lines_of_one_colour_are_one_span():
    lines = '<pre><span class="s">a</span>\n  <span class="s">b</span> <span class="s">c</span>'
    other = '<span class="k">d</span></pre>'
    joined = weight.CODE.sub(weight.plain({"n"}), lines + other)
    assert joined == f'<pre><span class="s">a\n  b c</span>{other}'


@pytest.mark.parametrize(
    ("formula", "kept"),
    [("x", {"Main"}), (r"\mathcal{N}", {"Main", "Calligraphic"}), (r"\calx \ttx", {"Main"}),
     (r"\mathsf A \texttt{b}", {"Main", "SansSerif", "Typewriter"})],
)  # fmt: skip
def test_a_font_of_mathjax_stays_where_a_formula_asks_for_it(site, formula, kept):
    names = ["Main", *weight.STYLES]
    files = {f"_static/{weight.FONTS}MathJax_{name}-Regular.woff": "" for name in names}
    found = lightened(site(**files, **{"a.html": f"<p>\\({formula}\\)</p>"}))
    assert {name for name in names if any(f"_{name}-" in path for path in found)} == kept


def test_blanks_go_where_a_browser_reads_one():
    kept = "<pre>\n  x\n\n</pre>\n<script>\n  `\n  <!-- `</script>\n"
    page = f"<p>\n\n  a<!-- no\n one -->\n  <b>b</b></p>\n   {kept} "
    assert weight.unindented(page) == f"<p>\na\n<b>b</b></p>\n{kept}"


def test_pictures_have_a_size_and_all_but_the_first_wait(tmp_path):
    (tmp_path / "a b.svg").write_text('<svg viewBox="0 0 20.4 10"></svg>')
    (tmp_path / "c.svg").write_text('<svg width="7" height="8"></svg>')
    page = '<img src="a%20b.svg?v=1"><img alt="x" src="c.svg"/><img src="data:x" width="3">'
    assert weight.sized(page, tmp_path) == (
        '<img width="20" height="10" src="a%20b.svg?v=1">'
        '<img width="7" height="8" loading="lazy" alt="x" src="c.svg"/>'
        '<img loading="lazy" src="data:x" width="3">'
    )


# Icons


@pytest.fixture
def font(tmp_path):
    """A font of three squares: letters A, B and C."""
    builder, pen = FontBuilder(100), TTGlyphPen(None)
    for step, point in enumerate([(0, 0), (0, 50), (50, 50), (50, 0)]):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", "A", "B", "C"]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({0xF00A: "A", 0xF00B: "B", 0xF00C: "C"})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (60, 0)))
    builder.setupHorizontalHeader(ascent=80, descent=-20)
    builder.setupOS2()
    builder.setupPost()
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    path = tmp_path / "fontawesome-x.ttf"
    builder.save(path)
    return path


def test_a_smaller_font_has_the_letters_and_no_other(font):
    found = TTFont(io.BytesIO(icons.smaller(font, {0xF00A, 0xF00C, 0x41})))
    assert set(found.getBestCmap()) == {0xF00A, 0xF00C} and found.flavor == "woff"
    for source in (found, TTFont(font)):
        square = source["glyf"][source.getBestCmap()[0xF00A]]
        assert list(square.coordinates) == [(0, 0), (0, 50), (50, 50), (50, 0)]
    assert icons.smaller(font, {0x41}) == b""


def test_an_icon_stays_if_a_page_names_it_or_a_style_sheet_draws_it(font):
    """``fa-b`` under its other name; C stands in a rule of the theme's own."""
    face = "@font-face{font-family:X;src:url(fontawesome-x.woff2) format('woff2'),url(x.ttf)}"
    rules = r'.fa-a:before{content:"\f00a"}.fa-b:before,.fa-old:before{content:"\f00b"}'
    own = r'p:after{content:"\f00c";font-family:X}'
    sheet = font.parent / "_static" / "a.css"
    sheet.parent.mkdir()
    font.rename(sheet.parent / font.name)
    sheet.write_text(face + rules + own)
    icons.lighten(font.parent, ['<i class="fa-solid fa-old"></i>'])
    assert sheet.read_text() == (
        '@font-face{font-family:X;src:url(fontawesome-x.woff) format("woff")}'
        + r'.fa-b:before,.fa-old:before{content:"\f00b"}' + own
    )  # fmt: skip
    found = TTFont(sheet.parent / "fontawesome-x.woff")
    assert set(found.getBestCmap()) == {0xF00B, 0xF00C}


def test_the_script_draws_the_icons_that_are_named_by_any_of_their_names():
    one = '"a-b":[9,9,[1234,"old"],"f00a","M1"],'
    two, three = 'c:[9,9,[],"f00b",["M1","M2"]],', 'd:[9,9,[],"f1","M3"]'
    script = f"var p={{{one}{two}{three}}};draw(p)"
    assert icons.drawn(script, {"fa-old", "fa-d"}) == f"var p={{{one}{three}}};draw(p)"
    assert icons.drawn(script, {"fa-c", "fa-solid"}) == f"var p={{{two}}};draw(p)"
