"""A Sphinx extension: the head of a chapter as a card.

The source of a chapter opens with four paragraphs, each named in bold: the question, what you
will be able to do, what you need, the time. They stay as they are in notebooks; on the page they
stand in one card, above what of the chapter can be opened or taken along.
"""

from html import escape

from address import address, colab
from docutils import nodes
from shared import taught
from sphinx.transforms import SphinxTransform

PARTS = {
    "The question.": "question",
    "What you will be able to do.": "able",
    "What you need.": "needs",
    "Time.": "time",
}


def part(node):
    """Which part of the head a node is, or nothing."""
    if not isinstance(node, nodes.paragraph):
        return None
    first = next((child for child in node if child.astext()), None)  # MyST opens with no text
    return PARTS.get(first.astext()) if isinstance(first, nodes.strong) else None


def in_order(docname, section):
    """The four paragraphs of the head; a chapter without one of them is an error of its source."""
    head = [node for node in section if part(node)]
    if [part(node) for node in head] != list(PARTS.values()):
        raise ValueError(f"{docname} does not open with {' '.join(PARTS)}")
    return head


def label(paragraph):
    """On a card the bold words are a label, whose full stop is not shown."""
    words = next(paragraph.findall(nodes.strong))
    text = nodes.strong("", words.astext().rstrip("."))
    words.parent.replace(words, [text, nodes.inline("", ".", classes=["full-stop"])])


def card(head, stem):
    """The card: a box for each paragraph of the head, then the links."""
    boxes = [nodes.container("", node, classes=[part(node)]) for node in head]
    for node in head:
        label(node)
    links = nodes.raw("", taken_along(stem, address()), format="html")
    return nodes.container("", *boxes, links, classes=["chapter-card"])


def button(text, link):
    """A link with the look of a button; what is no page is saved as a file."""
    save = " download" if link.endswith(".ipynb") and not link.startswith("https:") else ""
    return f'<a class="nd-button" href="{escape(link)}"{save}>{text}</a>'


def taken_along(stem, url):
    """What a reader can open or take along, as a row of links."""
    links = {
        "Open in Colab": colab(url, f"notebooks/{stem}.ipynb") if url else None,
        "Notebook": f"../downloads/{stem}.ipynb",
        "Notebook with outputs": f"../downloads/{stem}.outputs.ipynb",
    } | {text.capitalize(): link for text, link in taught(stem).items()}
    row = "".join(button(text, link) for text, link in links.items() if link)
    return f'<nav class="take" aria-label="This chapter elsewhere">{row}</nav>'


class ChapterHeads(SphinxTransform):
    """Gathers the paragraphs of the head."""

    default_priority = 600

    def apply(self):
        if not self.env.docname.startswith("notebooks/"):
            return
        section = next(self.document.findall(nodes.section))
        head = in_order(self.env.docname, section.children)
        place = section.index(head[0])
        for node in head:
            section.remove(node)
        section.insert(place, card(head, self.env.docname.rpartition("/")[2]))


def setup(app):
    app.add_transform(ChapterHeads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
