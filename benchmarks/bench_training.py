"""When does training an ensemble at once pay, beside training one network after another?

Where it does not pay, `training` trains networks side by side, each on a core of its own: beyond
`training.BATCHED_PARAMETERS`, and for convolutions. Two rows show why: there networks are stacked
against the package's own choice.
"""

import torch
from timing import close, compare, floor, grow, size, trained_on

from netdist_utils import data, models, training

CHAPTER = "training"
EPOCHS = size(2, 1)
ALONE = "training one after another"


def fit(make_model, split, seeds):
    return training.fit_ensemble(
        make_model, split, seeds, epochs=EPOCHS, lr=0.01, progress=False, cache=False
    )


def one_by_one(make_model, split, seeds):
    return [net for seed in seeds for net in fit(make_model, split, [seed])]


def batched(make_model, split, seeds):
    """In stacks, whatever they are."""
    chosen, training._worth_batching = training._worth_batching, lambda model, device: True
    try:
        return fit(make_model, split, seeds)
    finally:
        training._worth_batching = chosen


def same_logits(split, within=training.TOLERANCE):
    """A check that two ensembles are the same networks, by what they put out."""

    def check(ours, theirs):
        outputs = [
            torch.stack([training.logits(net, split.x) for net in e]) for e in (ours, theirs)
        ]
        return close(*outputs, within, "logits of all networks")

    return check


def perceptron(*widths):
    return lambda: models.mlp(widths)


def convnet():
    return models.convnet((3, 32, 32), [16, 32], kernel_size=3, padding=1, pool=2)


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def ensemble(make, shape, split, n, forced=False):
    """One row: n networks trained at once, beside the same one after another or as is chosen."""
    at_once, other = (batched, fit) if forced else (fit, one_by_one)
    return compare(
        chapter=CHAPTER,
        what=f"an ensemble {'forced into stacks' if forced else 'trained at once'}",
        size=f"{n} networks {shape}, {parameters(make()):,} parameters each",
        against="training side by side, the package's choice" if forced else ALONE,
        ours=lambda: at_once(make, split, range(n)),
        theirs=lambda: other(make, split, range(n)),
        check=same_logits(split),
        gpu=lambda device: trained_on(device, lambda: at_once(make, split, range(n))),
    )


def noise(n, *shape):
    x = torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))
    return data.Split(x, torch.arange(n) % 10)


def rows():
    digits = data.digits().train
    for hidden in size(([15], [64], [256], [512, 256]), ([4],)):
        widths = [64, *hidden, 10]
        yield ensemble(perceptron(*widths), "-".join(map(str, widths)), digits, size(8, 2))
    wide = size([1024, 1024, 256, 10], [1024, 8, 10])
    gray, colored = noise(size(2000, 100), 1024), noise(size(1000, 20), 3, 32, 32)
    shape = "-".join(map(str, wide))
    yield ensemble(perceptron(*wide), shape, gray, size(4, 2), forced=True)
    yield ensemble(convnet, "of channels 3-16-32", colored, size(4, 2), forced=True)
    yield laid_out(colored.x[:128])


def laid_out(x):
    """Ten steps of a convolutional network in the memory layout in which it is trained."""

    def steps(layout):
        torch.manual_seed(0)
        model = convnet().to(memory_format=layout)

        def run():
            model.zero_grad()
            for _ in range(10):
                model(x).sum().backward()
            return torch.cat([p.grad.flatten() for p in model.parameters()])

        return run

    return compare(
        chapter=CHAPTER,
        what="steps of a convolutional network",
        size=f"channels 3-16-32, batch of {len(x)}, channels last in memory",
        against="channels first",
        ours=steps(torch.channels_last),
        theirs=steps(torch.contiguous_format),
        check=lambda a, b: close(a, b, 1e-3, "all gradients"),
    )


def growth():
    digits, make = data.digits().train, perceptron(64, 15, 10)
    # Of each weight a product forward and two backward, each a multiplication and an addition.
    each = EPOCHS * 6 * parameters(make()) * len(digits)
    yield grow(
        chapter=CHAPTER,
        what="an ensemble trained at once",
        against=ALONE,
        axis="networks",
        at=size([1, 4, 16, 64, 256], [1, 2]),
        ways=lambda n: (
            lambda: fit(make, digits, range(n)),
            lambda: one_by_one(make, digits, range(n)),
        ),
        check=same_logits(digits),
        theirs_to=size(64, 2),
        floor=lambda n: floor(0, n * each, "single"),
        floor_is="the products forward and backward",
    )
