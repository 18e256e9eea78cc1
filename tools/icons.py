"""The icons that a site shows, out of the two thousand that Font Awesome brings.

The theme's script draws them (1.5 MB of paths); where it does not run, and in front of boxes, the
letters of two fonts do. All three are cut to the icons that a page or a script names.
"""

import io
import re

from fontTools import subset
from fontTools.ttLib import TTFont

SCRIPT = "scripts/fontawesome.js"
# In the script, an icon: its name, width, height, other names (and letters), letter, paths.
ICON = re.compile(
    r'"?([a-z0-9-]+)"?:\[\d+,\d+,\[([^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?'
)
NAME = re.compile(r"\bfa-[\w-]+")
RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"[^"]*"\}')
FACE = re.compile(r"@font-face\{[^}]*url\(([^)]*fontawesome[^)]*)\.woff2\)[^}]*\}")
SOURCES = re.compile(r"src:[^;}]*")
LETTER = re.compile(r"\\([0-9a-f]{2,5})\b")


def trimmed(css, names):
    """A style sheet without the rules of icons that have none of these names."""

    def rule(match):
        return match[0] if names & set(NAME.findall(match[1])) else ""

    return RULE.sub(rule, css)


def drawn(script, names):
    """The script without the icons that have none of these names."""

    def icon(match):
        own = {f"fa-{name}" for name in (match[1], *re.findall('"([^"]+)"', match[2]))}
        return match[0] if names & own else ""

    return ICON.sub(icon, script)


def smaller(path, letters):
    """A font (TrueType) of these letters alone, as bytes of a WOFF; nothing if it has none."""
    font = TTFont(path)
    if not letters & set(font.getBestCmap()):
        return b""
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=False)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=letters)
    chosen.subset(font)
    font.flavor, written = "woff", io.BytesIO()
    font.recalcTimestamp = False
    font.save(written)
    return written.getvalue()


def lighten(site, texts):
    """Cut script, style sheets and fonts of a site to the icons that its pages' texts name."""
    names = {name for text in texts for name in NAME.findall(text)}
    for path in site.glob("_static/**/*.js"):
        if not path.match(SCRIPT):
            names |= set(NAME.findall(path.read_text("utf-8", "replace")))
    for path in site.glob(f"_static/{SCRIPT}"):
        path.write_text(drawn(path.read_text("utf-8"), names), encoding="utf-8")
    sheets = {path: path.read_text("utf-8") for path in site.glob("_static/**/*.css")}
    light = {path: trimmed(css, names) for path, css in sheets.items()}
    letters = {int(code, 16) for css in light.values() for code in LETTER.findall(css)}
    for path, css in light.items():
        css = FACE.sub(lambda match, folder=path.parent: face(match, folder, letters), css)
        if css != sheets[path]:
            path.write_text(css, encoding="utf-8")


def face(match, folder, letters):
    """The rule of a font, which from now on has these letters alone; nothing if it has none."""
    source = folder / f"{match[1]}.ttf"
    if not source.is_file():  # a site that is light already
        return match[0]
    if not (data := smaller(source, letters)):
        return ""
    source.with_suffix(".woff").write_bytes(data)
    return SOURCES.sub(f'src:url({match[1]}.woff) format("woff")', match[0])
