"""A drawing of matplotlib's in fewer bytes, looking the same.

Corners of lines stand on a grid of tenths of a point (an eighth of a pixel), and pictures inside
the drawing are WebP. scour writes relative paths and drops what nothing names. Then dots of one
kind in a row become the markers of one path (`dotted`), and what many elements say of their colour
and width is said once (`classed`).
"""

import base64
import io
import re
from collections import Counter
from decimal import Decimal
from itertools import count, groupby
from operator import itemgetter
from string import ascii_lowercase, digits
from xml.etree import ElementTree

from matplotlib import rcParamsDefault
from matplotlib.path import Path
from PIL import Image
from scour import scour

TAG = re.compile(r"<[^>]*>")
LONG = re.compile(r"(?<![\w.#])-?\d+\.\d{2,}")  # in a tag: a number with more than one decimal
CORNER = re.compile(r"[ML]\s*(\S+) (\S+)")
ATTRIBUTE = re.compile(r'([\w:-]+)="([^"]*)"')
EXACT = ("transform", "xlink:href", "href")  # factors of many pixels, and names
PICTURE = re.compile(r'data:image/png;base64,([^"]*)')
# A rule for all elements: it would win over what scour writes, attributes.
RULE = re.compile(r"<defs>\s*<style[^>]*>\*\{stroke-linejoin: round[^}]*\}</style>\s*</defs>")
FAMILY = re.compile(r' font-family="[^"]*"')
UNTURNED = re.compile(r' transform="rotate\(-?0 [^"]*"')
DOTS = re.compile(r"(?:<use [^>]*/>){4,}")
DOT = re.compile(r"<use([^>]*)/>")
COORDINATE = re.compile(r' ([xy])="([^"]*)"')
LOOK = re.compile(
    r' (clip-path|fill|stroke|font-size|text-anchor|(?:fill|stroke)-[a-z]+)="([^"]*)"'
)
TICK = re.compile(r"[xy]tick_\d+")
SPACES = {"svg": "http://www.w3.org/2000/svg", "xlink": "http://www.w3.org/1999/xlink"}
ElementTree.register_namespace("", SPACES["svg"])
ElementTree.register_namespace("xlink", SPACES["xlink"])
ELEMENT = re.compile(r"<(?:path|use|text|tspan|g)\b[^>]*>")
OPTIONS = scour.parse_args([])
for option, choice in {
    "digits": 6, "quiet": True, "simple_colors": False, "style_to_xml": True,
    "group_create": True, "strip_ids": True, "shorten_ids": True, "strip_comments": True,
    "remove_metadata": True, "strip_xml_prolog": True, "indent_type": "none", "newlines": False,
}.items():  # fmt: skip
    setattr(OPTIONS, option, choice)


def prefix(stem, number):
    """Two letters for a figure, the first that of its chapter: "b0" for the first of "01_...".

    Raises IndexError for the 37th of a chapter.
    """
    return ascii_lowercase[int(stem[:2])] + (digits + ascii_lowercase)[number]


def compact(svg, prefix):
    """The text of an SVG that looks the same, without its prologue.

    Its ids and classes begin with ``prefix``: drawings that stand in one page share none.
    """
    svg, ruled = RULE.subn("", svg)
    if ruled:
        svg = svg.replace("<svg", '<svg stroke-linejoin="round"', 1)
    svg = PICTURE.sub(fewer, TAG.sub(rounded, sorted_ticks(svg)))
    OPTIONS.shorten_ids_prefix = prefix
    svg = scour.scourString(svg, OPTIONS)
    svg = UNTURNED.sub("", svg[svg.index("<svg") :]).replace("xlink:href=", "href=")
    svg = re.sub(r' xmlns:xlink="[^"]*"', "", svg, count=1)  # HTML and SVG 2 need no xlink
    return classed(dotted(one_family(svg), prefix), prefix).strip()


def rounded(tag):
    """A tag with shorter numbers; what stands between tags is words."""

    def value(name, text):
        if name in EXACT:
            return text
        if name == "d":
            return curves(text) if re.search("[CQ]", text) else lines(text)
        return LONG.sub(tenth if name in "xy" else shorter, text)

    return ATTRIBUTE.sub(lambda match: f'{match[1]}="{value(*match.groups())}"', tag[0])


def tenth(match):
    """A number with one decimal."""
    return trimmed(f"{float(match[0]):.1f}")


def curves(path):
    """A marker or a letter: its points in hundredths."""
    return LONG.sub(lambda match: trimmed(f"{float(match[0]):.2f}"), path)


def lines(path):
    """Straight lines in tenths, without the corners that matplotlib leaves out of long plots."""
    found = []
    for part in re.findall("M[^M]*", path):
        corners = Path([(float(x), float(y)) for x, y in CORNER.findall(part)])
        corners.simplify_threshold = rcParamsDefault["path.simplify_threshold"]  # a ninth
        kept = corners.cleaned(simplify=len(corners) > 2)
        places = [f"{x:.1f} {y:.1f}" for x, y in kept.vertices[kept.codes != Path.STOP]]
        found.append("M" + " L ".join(place for place, _ in groupby(places)))
        found.append("z" * part.rstrip().endswith("z"))
    return "".join(found)


def shorter(match):
    """Two decimals; four digits of what is smaller than one."""
    number = float(match[0])
    return trimmed(f"{number:.2f}") if abs(number) >= 1 else f"{number:.4g}"


def trimmed(number):
    """The same number without zeros at its end."""
    return number.rstrip("0").rstrip(".")


def one_family(svg):
    """The letters' family said once, at the top, where most of the letters have the same."""
    families = FAMILY.findall(svg)
    if not families:
        return svg
    usual = max(set(families), key=families.count)
    return svg.replace(usual, "").replace("<svg", f"<svg{usual}", 1)


def sorted_ticks(svg):
    """Of each axis first the lines of its grid, then its ticks, then its labels.

    They do not lie on each other; so a row of one kind can say once how it looks.
    """
    root = ElementTree.fromstring(svg[svg.index("<svg") :])
    for axis in root.iterfind(".//svg:g", SPACES):
        ticks = [group for group in axis if TICK.match(group.get("id", ""))]
        if ticks:
            parts = sorted((part for tick in ticks for part in tick), key=kind)
            for tick in ticks[1:]:
                axis.remove(tick)
            ticks[0][:] = parts
    return ElementTree.tostring(root, encoding="unicode")


def kind(part):
    """0 for a line of the grid, 1 for a tick, 2 for a label."""
    if part.get("id", "").startswith("text"):
        return 2
    return int(part.find(".//svg:use", SPACES) is not None)


def dotted(svg, prefix):
    """Rows of four or more dots that differ in their places alone, each as markers of one path."""
    number = count()

    def path(look, places):
        name = f"{prefix}{next(number)}"
        marker = f'<marker id="{name}" markerUnits="userSpaceOnUse">'
        corners = " ".join(relative(places)).replace(" -", "-")
        line = f'<path d="m{corners}" fill="none" stroke="none" style="marker:url(#{name})"/>'
        return f"{marker}<use{look}/></marker>{line}"

    def row(match):
        dots = [
            (COORDINATE.sub("", d), dict(COORDINATE.findall(d))) for d in DOT.findall(match[0])
        ]
        found = []
        for look, alike in groupby(dots, key=itemgetter(0)):
            places = [(Decimal(at.get("x", 0)), Decimal(at.get("y", 0))) for _, at in alike]
            if len(places) < 4:
                found += [f'<use{look} x="{x}" y="{y}"/>' for x, y in places]
            else:
                found.append(path(look, places))
        return "".join(found)

    return DOTS.sub(row, svg)


def relative(places):
    """Each place's two numbers, after the first counted from the place before."""
    before = (Decimal(0), Decimal(0))
    for place in places:
        yield from (str(now - then) for now, then in zip(place, before, strict=True))
        before = place


def looks(element):
    """What a tag says of its colours, widths and letters, and by what it is cut; as CSS."""
    found = [f"{name}:{value}" for name, value in LOOK.findall(element)]
    cut = [rule for rule in found if rule.startswith("clip-path")]
    return [";".join(rules) for rules in ([r for r in found if r not in cut], cut) if rules]


def classed(svg, prefix):
    """What several elements share of their looks as classes of a style sheet in the drawing."""
    times = Counter(look for element in ELEMENT.findall(svg) for look in looks(element))
    shared = [look for look, count in times.items() if count > 1]
    names = {look: f"{prefix}{k}" for k, look in enumerate(shared)}
    rules = "marker{overflow:visible}" if "<marker" in svg else ""
    rules += "".join(f".{name}{{{look}}}" for look, name in names.items())

    def element(match):
        tag = match[0]
        if not (known := [look for look in looks(tag) if look in names]):
            return tag
        said = {rule.partition(":")[0] for look in known for rule in look.split(";")}
        rest = LOOK.sub(lambda m: "" if m[1] in said else m[0], tag)
        classes = " ".join(names[look] for look in known)
        return re.sub(r"^<\w+", rf'\g<0> class="{classes}"', rest)

    return ELEMENT.sub(element, svg).replace(">", f"><style>{rules}</style>" if rules else ">", 1)


def fewer(match):
    """A picture inside a drawing as WebP, without loss: two thirds of the bytes of a PNG."""
    written = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(match[1]))).convert("RGBA")
    picture.save(written, "WEBP", lossless=True, quality=100, method=6)
    return f"data:image/webp;base64,{base64.b64encode(written.getvalue()).decode()}"
