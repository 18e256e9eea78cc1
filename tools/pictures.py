"""The book's pictures for tabs and shared links: ``python tools/pictures.py``.

Chromium draws ``icon-32.png`` and ``icon-180.png`` from ``favicon.svg``, and ``card.png`` from the
title, the question and the lenses of the landing page in the book's colours. Each picture keeps a
fingerprint of what it was drawn from, so that a test sees when it is out of date.
"""

import hashlib
import io
import shutil
import sys
from html import escape
from pathlib import Path

import yaml
from lens_diagram import BESIDE, NESTED
from page_head import CARD_SIZE
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from netdist_utils.plotting import COLORS

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "book" / "_static"
QUESTION = "Train the same network twice, from two random starts. What do the two share?"
CARD = """<!doctype html><meta charset="utf-8"><style>
* {{ box-sizing: border-box; margin: 0; }}
body {{ width: {width}px; height: {height}px; padding: 56px 60px; display: flex; gap: 48px;
  align-items: center; background: {paper}; color: {ink}; font: 25px/1.3 system-ui, sans-serif;
  border-left: 20px solid {matched}; border-right: 20px solid {unmatched}; }}
.words {{ flex: 0 0 540px; }}
svg {{ width: 96px; display: block; margin-bottom: 28px; }}
h1 {{ font-size: 62px; line-height: 1.08; letter-spacing: -0.01em; margin-bottom: 28px; }}
.question {{ font-size: 29px; text-wrap: balance; }}
.lenses {{ flex: 1; font-weight: 600; font-size: 27px; }}
.lenses div {{ border: 2px solid {null}; border-radius: 16px; padding: 16px 18px 20px;
  margin-top: 16px; background: {matched}12; }}
</style><div class="words">{sign}<h1>{title}</h1><p class="question">{question}</p></div>
<div class="lenses">{lenses}</div>"""
ICON = """<!doctype html><style>* {{ margin: 0 }} body {{ background: {ground} }}
svg {{ display: block; width: {inner}px; padding: {margin}px }}</style>{sign}"""


def sign():
    """The book's sign, as it stands in a tab."""
    return (STATIC / "favicon.svg").read_text(encoding="utf-8")


def boxes():
    """The lenses' names as nested boxes, each around what forgives less."""
    names = [escape(name.partition(" (")[0]) for name, _ in (*NESTED, BESIDE)]
    *nested, beside = names
    inner = ""
    for name in reversed(nested):
        inner = f"<div>{name}{inner}</div>"
    return f"{inner}<div>{beside}</div>"


def card():
    """The picture of a shared link, as a page."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    width, height = CARD_SIZE
    return CARD.format(
        title=escape(config["title"]), question=QUESTION, lenses=boxes(), sign=sign(),
        width=width, height=height, **COLORS,
    )  # fmt: skip


def icon(size):
    """The sign alone, as a page: clear for a tab, on a ground with a margin for a home screen."""
    margin, ground = (0, "transparent") if size < 100 else (size // 6, COLORS["paper"])
    return ICON.format(sign=sign(), inner=size - 2 * margin, margin=margin, ground=ground)


def pictures():
    """{name: (page, (width, height))} of all pictures."""
    icons = {f"icon-{size}.png": (icon(size), (size, size)) for size in (32, 180)}
    return {**icons, "card.png": (card(), CARD_SIZE)}


def fingerprint(page):
    """What a picture says of the page that it was drawn from."""
    return hashlib.sha256(page.encode()).hexdigest()


def drawn_from(path):
    """The fingerprint that a picture keeps."""
    with Image.open(path) as picture:
        return picture.text.get("Source", "")


def draw(browser, page, size):
    """A page as Chromium shows it, in few colours."""
    view = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    view.set_content(page)
    shot = Image.open(io.BytesIO(view.screenshot(omit_background=True)))
    view.close()
    few = shot.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    about = PngInfo()
    about.add_text("Source", fingerprint(page))
    return few, about


def main():
    """Draw all pictures anew."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (page, size) in pictures().items():
            picture, about = draw(browser, page, size)
            picture.save(STATIC / name, pnginfo=about, optimize=True)
            print(f"{name}: {(STATIC / name).stat().st_size / 1000:.1f} KB")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
