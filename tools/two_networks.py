"""A Sphinx extension: the book's question as a picture that moves, for the landing page.

The directive ``two-networks`` shows the hidden units of two networks of chapter 1 as pictures of
their incoming weights, one above the other. The reader chooses what the second has learned and
in which order its units stand. Choices are radio buttons and style rules: no script runs.
Training takes seconds where the cache of networks is empty.
"""

import base64
import io
from dataclasses import dataclass
from html import escape

import numpy as np
import torch
from PIL import Image
from shared import inline

from netdist_utils import data, matching, models, training
from netdist_utils.words import number, percent

UNITS, NETWORKS, BY_HEART = 15, 64, 32
ORDERS = {"came": "as they came", "matched": "in the order that fits A best"}
BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
UNMATCHED = (
    "Place by place there is no agreement to be seen. Now put the units of B in the order that "
    "fits A best."
)
REMARKS = {
    "the same digits": "The order makes the sum of all products of weights as large as it can "
    "be, so not every unit gets its most similar partner. How much of this would the best order "
    "find between networks that share less? Choose what else they may have learned.",
    "digits, classes renamed": "These are the networks of before, with their outputs renamed, "
    "each in its own way: they still tell the same digits apart. {mean} stays; the other {lost} "
    "needed the same class at the same output. That is the least that the shared task accounts "
    "for, not the most.",
    "the same random labels": "Both were trained on the same images with the same labels, which "
    "mean nothing, and fit them as far as {units} units can, to {fitted} (chance is 10 %). There "
    "was nothing to understand, and they agree.",
    "nothing": "Both are as they were drawn. So much the best of more than a million million "
    "orders finds where nothing was learned.",
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
    """The networks of chapter 1 by what they have learned, and the random labels of some."""
    images, recipe = data.digits(), {"epochs": 300, "lr": 0.1}
    trained = training.fit_ensemble(make, images.train, range(NETWORKS), **recipe)
    by_heart = random_labels(images.train)
    seeds = range(1000, 1000 + BY_HEART)
    kinds = (
        trained,
        [renamed(model, seed) for seed, model in enumerate(trained)],
        training.fit_ensemble(make, by_heart, seeds, **recipe),
        [training.start(make, 2000 + seed) for seed in range(NETWORKS)],
    )
    return dict(zip(REMARKS, kinds, strict=True)), by_heart


def random_labels(split):
    """Those of chapter 1, whose generator has drawn an order of the units before."""
    generator = torch.Generator().manual_seed(0)
    torch.randperm(UNITS, generator=generator)
    return data.Split(split.x, split.y[torch.randperm(len(split), generator=generator)])


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
    """The correlation in this pair, and its mean over all pairs with its standard error."""
    error = np.std(pairs, ddof=1) / np.sqrt(len(pairs))
    return (
        f"Correlation of all weights of A and B: <strong>{number(pair)}</strong>. Mean of "
        f"{len(pairs)} such pairs: {number(np.mean(pairs), 3)} (standard error "
        f"{number(error, 3)})."
    )


@dataclass(frozen=True)
class Pairs:
    """Many pairs of networks of one kind, and how far they agree in each order of the second."""

    first: list
    seconds: dict  # from the order's name to the networks in it
    agreements: dict  # from the order's name to one correlation a pair


def compared(networks):
    """Disjoint pairs of networks, as they came and with the second in the best order."""
    first, second = networks[::2], networks[1::2]
    matched = [matching.align(one, two) for one, two in zip(first, second, strict=True)]
    seconds = {"came": second, "matched": matched}
    found = {
        name: [agreement(one, two) for one, two in zip(first, others, strict=True)]
        for name, others in seconds.items()
    }
    return Pairs(first, seconds, found)


def against(pairs, kind, remark):
    """One kind of networks: the units of A and of B, bars between them, and what is found."""
    one, two = pairs.first[0], pairs.seconds["came"][0]
    own = np.arange(UNITS)
    places = {"came": own, "matched": np.argsort(matching.match(one, two)[0].numpy())}
    heights = {name: cosines(one, others[0]) for name, others in pairs.seconds.items()}
    words = {"came": UNMATCHED, "matched": remark}
    said = "".join(
        f'<p class="{name}">{sentence(values[0], values)} {escape(words[name])}</p>'
        for name, values in pairs.agreements.items()
    )
    above, below = row(one, dict.fromkeys(ORDERS, own)), row(two, places)
    return f'<div class="against kind-{kind}">{above}{bars(heights)}{below}{said}</div>'


def choice(legend, name, texts):
    """Radio buttons as one row."""
    options = "".join(
        f'<label><input type="radio" name="two-networks-{name}" value="{k}" '
        f"{'checked' if k == 0 else ''}><span>{escape(text)}</span></label>"
        for k, text in enumerate(texts)
    )
    return f"<fieldset><legend>{legend}</legend>{options}</fieldset>"


def remarks(found, by_heart, split):
    """What is said of each kind, with its numbers."""
    means = [np.mean(pairs.agreements["matched"]) for pairs in found]
    fitted = percent(np.mean([training.accuracy(model, split) for model in by_heart]))
    return [
        text.format(mean=number(m, 3), lost=number(means[0] - m, 3), units=UNITS, fitted=fitted)
        for text, m in zip(REMARKS.values(), means, strict=True)
    ]


def drawing():
    """The picture as HTML."""
    kinds, split = ensembles()
    found = [compared(networks) for networks in kinds.values()]
    said = remarks(found, kinds["the same random labels"], split)
    parts = [against(pairs, k, said[k]) for k, pairs in enumerate(found)]
    return (
        '<figure class="two-networks" aria-label="Hidden units of two networks, compared">'
        f"{choice('Both have learned', 'kind', kinds)}"
        f"{choice('The units of B stand', 'order', ORDERS.values())}"
        '<p class="of">Network A, and below it network B: one picture for each hidden unit</p>'
        f"{''.join(parts)}</figure>"
    )


def setup(app):
    app.add_directive("two-networks", inline(drawing))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
