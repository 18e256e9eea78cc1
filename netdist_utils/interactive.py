"""Figures that the reader can move: JavaScript and data inlined in one cell's output.

No server, no other host, no framework. A figure lives in its room: ``figure.js`` defines
``function mount(root, data)``, ``figure.css`` holds rules that begin with the room's own class, so
that two figures on one page do not meet. What all figures share stands before them:
``interactive.js`` and ``interactive.css``, and the colours of `plotting`. The same output works in
the built book, JupyterLab and Colab.
"""

import base64
import json
from html import escape
from importlib.resources import files
from itertools import count

import numpy as np

from netdist_utils import checks, plotting

NO_SCRIPT = "This figure can be moved where JavaScript is on; the text says what it shows."
_number = count()


def pack(array):
    """A numpy array as a JSON-able dict: dtype, shape and base64 of its little-endian bytes.

    Parameters
    ----------
    array : object

    Returns
    -------
    dict
        Keys ``dtype`` (numpy's name), ``shape`` and ``base64``.

    Examples
    --------
    >>> pack(np.array([1, 2], dtype=np.uint8))
    {'dtype': 'uint8', 'shape': [2], 'base64': 'AQI='}
    """
    array = np.ascontiguousarray(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"pack: numbers are needed, not {array.dtype} of shape {array.shape}")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "base64": base64.b64encode(little.tobytes()).decode(),
    }


def figure(folder, data, *, title):
    """An interactive figure as one self-contained piece of HTML.

    Parameters
    ----------
    folder : str
        Room of this package with ``figure.js``, and ``figure.css`` where it has rules of its own.
    data : dict
        What ``mount`` is handed; JSON-able, arrays through `pack`.
    title : str
        Accessible name of the figure.

    Returns
    -------
    IPython.display.HTML

    Examples
    --------
    >>> figure("ablation", {}, title="Explorer")  # doctest: +SKIP
    <IPython.core.display.HTML object>
    """
    from IPython.display import HTML

    if not (files("netdist_utils") / folder / "figure.js").is_file():
        raise ValueError(f"there is no figure in {folder!r}, which is none of the rooms")
    script, style = _shared_and_own(folder, "js"), _shared_and_own(folder, "css")
    # "</script" inside a script element would end it early, and "<!--" keep it from ending.
    payload = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    name = f"netdist-{folder}-{next(_number)}"
    return HTML(
        f'<section class="netdist-figure netdist-{folder}" id="{name}" '
        f'aria-label="{escape(title)}">'
        f"<style>{theme_css()}{style}</style><div class='netdist-root'></div>"
        f"<noscript><p>{NO_SCRIPT}</p></noscript></section>"
        f"<script>(function () {{\n{script}\n"
        f'start(document.querySelector("#{name} .netdist-root"), {payload});\n}})();</script>'
    )


def theme_css():
    """Rules that give `plotting.COLORS` to figures on a light page, `plotting.DARK` on a dark one.

    The book says which by ``data-theme``, JupyterLab by ``data-jp-theme-light``; elsewhere the
    reader's system decides.

    Examples
    --------
    >>> "--nd-matched: #0072b2" in theme_css()
    True
    """
    light, dark = (plotting.css_variables(c) for c in (plotting.COLORS, plotting.DARK))
    figure = ".netdist-figure"
    chosen = f'html[data-theme="dark"] {figure}, body[data-jp-theme-light="false"] {figure}'
    unset = f"html:not([data-theme]) body:not([data-jp-theme-light]) {figure}"
    return (
        f"{figure} {{ {light} }}\n{chosen} {{ {dark} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {unset} {{ {dark} }} }}\n"
        f"@media print {{ html[data-theme] {figure} {{ {light} }} }}\n"
    )


def _shared_and_own(folder, kind):
    """What all figures have, then what this one adds."""
    package = files("netdist_utils")
    paths = package / f"interactive.{kind}", package / folder / f"figure.{kind}"
    return "".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


checks.guard(__name__)
