"""The landing page's picture and buttons, and the card at the head of a chapter."""

import base64
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from docutils import nodes
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import cards  # noqa: E402
import landing  # noqa: E402
import two_networks  # noqa: E402

from netdist_utils import matching, models  # noqa: E402

URL = "https://github.com/you/book"


def network(seed=0):
    torch.manual_seed(seed)
    return models.freeze(two_networks.make())


def numbers(html, name):
    """What is handed to the style sheet under a name, in the order of the page."""
    return np.array([float(text) for text in re.findall(rf"--{name}:([\d.]+)", html)])


def test_a_shuffled_copy_walks_back_to_its_places():
    """Each unit of the copy is sent to the place of the unit that it is, and is all like it."""
    model, order = network(), torch.randperm(15, generator=torch.Generator().manual_seed(1))
    copy = matching.permute(model, [order])
    shown = two_networks.against(two_networks.compared([model, copy] * 2), 0, "")
    _, above, tiles = shown.split('<div class="tiles"')
    bars = above.split('<div class="bars"')[1]
    assert (numbers(above.split("</div>")[0], "matched") == np.arange(15)).all()  # A stays
    assert (numbers(tiles, "came") == np.arange(15)).all()
    assert (numbers(tiles, "matched") == order.numpy()).all()
    assert np.allclose(numbers(bars, "matched"), 1)
    assert numbers(bars, "came").mean() < 0.3  # no order is the identity
    assert ">1.00</strong>" in shown.split('class="matched"')[1]


def test_renamed_classes_are_the_same_network_for_other_names():
    model, x = network(), torch.rand(20, 1, 8, 8)
    one, two = model(x), two_networks.renamed(model, seed=3)(x)
    assert not torch.equal(one, two)
    assert torch.allclose(one.sort(dim=1).values, two.sort(dim=1).values)


def test_pictures_show_sign_as_colour_and_size_as_opacity():
    model = models.clone(network())
    model[1].weight.data[:] = 0
    model[1].weight.data[2, 9] = 0.5  # unit 2, row 1, column 1
    model[1].weight.data[4, 0] = -3.0
    png = base64.b64decode(two_networks.pictures(model).partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    assert pixels.shape == (8, 120, 4)
    assert (pixels[1, 17] == [*two_networks.ORANGE, 127]).all()
    assert (pixels[0, 32] == [*two_networks.BLUE, 255]).all()
    assert np.count_nonzero(pixels[..., 3]) == 2


def test_a_citation_names_the_commit_where_there_is_one():
    citation = {
        "title": "T",
        "authors": [{"name": "N"}],
        "date-released": "2026-11-21",
        "version": "1",
    }
    assert "note" not in landing.bibtex(citation) and "url" not in landing.bibtex(citation)
    adopted = landing.bibtex(citation | {"url": URL, "commit": "0123456789abcdef"})
    assert "note = {Commit 0123456789}" in adopted and f"url = {{{URL}}}" in adopted


def test_buttons_for_colab_want_an_address():
    assert "<a" not in landing.colab_buttons(None, ["01_a", "02_b"])
    row = landing.colab_buttons(URL, ["01_a", "02_b"])
    assert row.count("<a") == 2
    assert "colab.research.google.com/github/you/book/blob/main/notebooks/02_b.ipynb" in row
    assert "Colab" not in cards.taken_along("01_a", None)
    assert "Colab" in cards.taken_along("01_a", URL)


def paragraph(name):
    return nodes.paragraph(
        "", "", nodes.Text(""), nodes.strong("", name), nodes.Text(" and more.")
    )


def test_a_card_takes_the_head_of_a_chapter_and_leaves_the_rest():
    head = [paragraph(name) for name in cards.PARTS]
    made = cards.card(head, "01_a")
    assert [box["classes"] for box in made.children[:4]] == [[c] for c in cards.PARTS.values()]
    question = made[0].findall(nodes.strong)
    assert next(question).astext() == "The question" and "full-stop" in str(made[0])
    assert made[0].astext() == "The question. and more."  # page_head describes the page by it
    assert cards.part(nodes.paragraph("", "", nodes.Text("The question. Not bold."))) is None
    assert cards.part(paragraph("Another beginning.")) is None
    assert cards.part(nodes.paragraph()) is None


@pytest.mark.parametrize("name", cards.PARTS)
def test_a_chapter_without_one_part_is_an_error(name):
    with pytest.raises(ValueError, match="notebooks/01_a does not open with The question"):
        cards.in_order("notebooks/01_a", [paragraph(n) for n in cards.PARTS if n != name])
