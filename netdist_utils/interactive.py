"""Figures that the reader can move: JavaScript and data inlined in one cell's output.

No server, no other host, no framework. A figure is a folder of this package with ``figure.js``,
which defines ``function mount(root, data)``, and, where it needs rules of its own, ``figure.css``.
What all figures share stands before them: ``interactive.js`` and ``interactive.css``. The same
output works in the built book, JupyterLab and Colab.
"""

import base64
import json
from importlib.resources import files
from itertools import count

import numpy as np

_number = count()


def pack(array):
    """A numpy array as a JSON-able dict: dtype, shape and base64 of its little-endian bytes.

    Parameters
    ----------
    array : array_like

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
        Folder of this package with ``figure.js``, and ``figure.css`` where it has one.
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
    from html import escape

    from IPython.display import HTML

    package = files("netdist_utils")
    script, style = (
        "".join(
            path.read_text(encoding="utf-8")
            for path in (package / f"interactive.{kind}", package / folder / f"figure.{kind}")
            if path.is_file()
        )
        for kind in ("js", "css")
    )
    # "</" inside a script element would end it early.
    payload = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    name = f"netdist-{folder.replace('_', '-')}-{next(_number)}"
    return HTML(
        f'<section class="netdist-figure" id="{name}" aria-label="{escape(title)}">'
        f"<style>{style}</style><div class='netdist-root'></div></section>"
        f"<script>(function () {{\n{script}\n"
        f'start(document.querySelector("#{name} .netdist-root"), {payload});\n}})();</script>'
    )
