"""A Sphinx extension: the book's question as a picture that moves, for the landing page.

The directive ``two-networks`` shows the hidden units of two networks of chapter 1 as pictures of
their incoming weights, one above the other. The reader chooses what the second has learned and
in which order its units stand. Choices are radio buttons and style rules: no script runs.
Training takes seconds where the cache of networks is empty.
"""

import base64
import io
from html import escape

import numpy as np
import torch
from docutils import nodes
from docutils.parsers.rst import Directive
from PIL import Image

from netdist_utils import data, matching, models, training
from netdist_utils.words import number, percent

UNITS, PAIRS = 15, 16
ORDERS = {"came": "as they came", "matched": "in the order that fits A best"}
BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
UNMATCHED = (
    "Place by place, the two have nothing to do with each other. Now put the units of B in the "
    "order that fits A best."
)
REMARKS = {
    "the same digits": "Each unit of B stands below the unit of A that it is most like, as far as "
    "one order can do that for all. Is it the shared task that brings this? Choose another B.",
    "the digits, classes renamed": "B tells the same digits apart, but gives each class another "
    "output. {share} of the agreement is here, too, and no output means the same in both.",
    "random labels": "B has learned the same images by heart, with labels that mean nothing. "
    "{share} of the agreement is here.",
    "nothing": "B is as it was drawn. The best of more than a million million orders finds "
    "{share} of the agreement even so.",
}


def make():
    """A network of chapter 1."""
    return models.mlp([64, UNITS, 10])


def renamed(model, seed):
    """The network of one who calls the classes by each other's names."""
    result = models.clone(model)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(seed))
    for p in result[-1].parameters():
        p.data = p.data[order]
    return result


def ensembles():
    """Networks A, and for each kind of network B as many."""
    images, recipe = data.digits(), {"epochs": 300, "lr": 0.1}
    trained = training.fit_ensemble(make, images.train, range(2 * PAIRS), **recipe)
    shuffled = images.train.y[torch.randperm(len(images.train.y), generator=_generator())]
    by_heart = data.Split(images.train.x, shuffled)
    seconds = trained[1::2]
    kinds = (
        seconds,
        [renamed(model, seed) for seed, model in enumerate(seconds)],
        training.fit_ensemble(make, by_heart, range(1000, 1000 + PAIRS), **recipe),
        [training.start(make, 2000 + seed) for seed in range(PAIRS)],
    )
    return trained[::2], dict(zip(REMARKS, kinds, strict=True))


def _generator():
    return torch.Generator().manual_seed(0)


def weights(model):
    """All weights and biases as one vector."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).numpy()


def of_units(model):
    """All weights that touch a hidden unit, one row a unit."""
    into, out = model[1], model[3]
    return torch.cat([into.weight, into.bias[:, None], out.weight.T], dim=1).numpy()  # (15, 75)


def agreement(one, two):
    """Correlation of all weights of two networks, place by place."""
    return np.corrcoef(weights(one), weights(two))[0, 1]


def agreements(first, seconds):
    """The same for many pairs."""
    return [agreement(one, two) for one, two in zip(first, seconds, strict=True)]


def cosines(one, two):
    """For each place, the cosine of the two units that stand there."""
    a, b = of_units(one), of_units(two)
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def pictures(model):
    """Incoming weights of all units side by side, as the address of one PNG.

    The sign is the colour and the size the opacity, so that the picture has no ground of its own
    and stands on a light page as on a dark one.
    """
    tiles = model[1].weight.numpy().reshape(UNITS, 8, 8).transpose(1, 0, 2).reshape(8, -1)
    pixels = np.where(tiles[..., None] > 0, ORANGE, BLUE)
    opacity = 255 * np.clip(np.abs(tiles), 0, 1)
    stream = io.BytesIO()
    Image.fromarray(np.dstack([pixels, opacity]).astype(np.uint8)).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def row(model, places):
    """The units of a network as tiles; ``places`` maps an order's name to the place of each."""
    tiles = "".join(
        styled({"unit": unit} | {name: order[unit] for name, order in places.items()})
        for unit in range(UNITS)
    )
    return f'<div class="tiles" style="--pictures:url({pictures(model)})">{tiles}</div>'


def bars(heights):
    """Between the rows, one bar a place for each order: how alike the two units are."""
    places = "".join(
        styled({name: f"{max(0, h[k]):.2f}" for name, h in heights.items()}) for k in range(UNITS)
    )
    return f'<div class="bars">{places}</div>'


def styled(properties):
    """An empty element that hands numbers to the style sheet."""
    return f'<i style="{"".join(f"--{name}:{value};" for name, value in properties.items())}"></i>'


def sentence(pair, pairs):
    """The correlation in this pair and over all pairs of the kind, with its standard error."""
    error = np.std(pairs, ddof=1) / np.sqrt(len(pairs))
    return (
        f"Correlation of all weights of A and B: <strong>{number(pair)}</strong>. "
        f"In {len(pairs)} such pairs: {number(np.mean(pairs), 3)} ± {number(error, 3)}."
    )


def against(first, seconds, kind, remark):
    """One kind of network B: its bars, its units, and what is found."""
    aligned = [matching.align(a, b) for a, b in zip(first, seconds, strict=True)]
    two = {"came": seconds, "matched": aligned}
    order = matching.match(first[0], seconds[0])[0].numpy()
    places = {"came": np.arange(UNITS), "matched": np.argsort(order)}
    heights = {name: cosines(first[0], models_[0]) for name, models_ in two.items()}
    found = {name: agreements(first, models_) for name, models_ in two.items()}
    words = {"came": UNMATCHED, "matched": remark}
    said = "".join(
        f'<p class="{name}">{sentence(values[0], values)} {escape(words[name])}</p>'
        for name, values in found.items()
    )
    inner = f"{bars(heights)}{row(seconds[0], places)}{said}"
    return f'<div class="against kind-{kind}">{inner}</div>'


def choice(legend, name, texts):
    """Radio buttons as one row."""
    options = "".join(
        f'<label><input type="radio" name="two-networks-{name}" value="{k}" '
        f"{'checked' if k == 0 else ''}><span>{escape(text)}</span></label>"
        for k, text in enumerate(texts)
    )
    return f"<fieldset><legend>{legend}</legend>{options}</fieldset>"


def remarks(first, kinds):
    """What is said of each kind, with its share of the agreement of those who share the task."""
    matched = [
        np.mean(agreements(first, [matching.align(a, b) for a, b in zip(first, two, strict=True)]))
        for two in kinds.values()
    ]
    return [
        text.format(share=percent(mean / matched[0]))
        for text, mean in zip(REMARKS.values(), matched, strict=True)
    ]


def drawing():
    """The picture as HTML."""
    first, kinds = ensembles()
    said = remarks(first, kinds)
    parts = [against(first, two, k, said[k]) for k, two in enumerate(kinds.values())]
    own = {name: np.arange(UNITS) for name in ORDERS}
    return (
        '<figure class="two-networks" aria-label="Hidden units of two networks, compared">'
        f"{choice('Network B has learned', 'kind', kinds)}"
        f"{choice('Its units stand', 'order', ORDERS.values())}"
        f'<p class="of">Network A, and below it network B: one picture for each hidden unit</p>'
        f"{row(first[0], own)}{''.join(parts)}</figure>"
    )


class TwoNetworks(Directive):
    """The picture, inline."""

    def run(self):
        return [nodes.raw("", drawing(), format="html")]


def setup(app):
    app.add_directive("two-networks", TwoNetworks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
