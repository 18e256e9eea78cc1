"""When does training an ensemble at once pay, beside training one network after another?

Where it does not pay, `training` leaves it, from `training.BATCHED_PARAMETERS` on. The last row of
the table shows why: there it is done against the package's own choice.
"""

import torch
from timing import close, compare, floor, grow, size, trained_on

from netdist_utils import data, models, training

CHAPTER = "Training"
EPOCHS = size(2, 1)
ALONE = "one after another, the same networks"


def fit(make_model, split, seeds):
    return training.fit_ensemble(
        make_model, split, seeds, epochs=EPOCHS, lr=0.01, progress=False, cache=False
    )


def one_by_one(make_model, split, n):
    return [net for seed in range(n) for net in fit(make_model, split, [seed])]


def batched(make_model, split, n):
    """All in one, however large they are."""
    most, training.BATCHED_PARAMETERS = training.BATCHED_PARAMETERS, 10**12
    try:
        return fit(make_model, split, range(n))
    finally:
        training.BATCHED_PARAMETERS = most


def same_logits(split, within=training.TOLERANCE):
    """A check that two ensembles are the same networks, by what they put out."""

    def check(ours, theirs):
        outputs = [
            torch.stack([training.logits(net, split.x) for net in e]) for e in (ours, theirs)
        ]
        return close(*outputs, within, "logits of all networks")

    return check


def parameters(widths):
    return sum(p.numel() for p in models.mlp(widths).parameters())


def perceptrons(widths, split, n, at_once=fit, forced=""):
    def make():
        return models.mlp(widths)

    seeds = range(n) if at_once is fit else n
    return compare(
        chapter=CHAPTER,
        what=f"an ensemble trained at once{forced}",
        size=f"{n} networks {'-'.join(map(str, widths))}, {parameters(widths):,} parameters each",
        against=ALONE,
        ours=lambda: at_once(make, split, seeds),
        theirs=lambda: one_by_one(make, split, n),
        check=same_logits(split),
        gpu=lambda device: trained_on(device, lambda: at_once(make, split, seeds)),
    )


def rows():
    digits = data.digits().train
    for hidden in size(([15], [64], [256], [512, 256]), ([4],)):
        yield perceptrons([64, *hidden, 10], digits, size(8, 2))
    generator = torch.Generator().manual_seed(0)
    gray = data.Split(torch.randn(2000, 1024, generator=generator), torch.arange(2000) % 10)
    wide = size([1024, 1024, 256, 10], [1024, 8, 10])
    yield perceptrons(wide, gray, size(4, 2), batched, ", against its own choice")
    yield laid_out()


def laid_out():
    """Ten steps of a convolutional network in the memory layout in which it is trained."""
    x = torch.randn(size(128, 4), 3, 32, 32, generator=torch.Generator().manual_seed(0))

    def steps(layout):
        torch.manual_seed(0)
        model = models.convnet((3, 32, 32), [16, 32], kernel_size=3, padding=1, pool=2)
        model = model.to(memory_format=layout)

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
    digits, widths = data.digits().train, [64, 15, 10]

    def make():
        return models.mlp(widths)

    # Of each weight a product forward and two backward, each a multiplication and an addition.
    each = EPOCHS * 6 * parameters(widths) * len(digits)
    yield grow(
        chapter=CHAPTER,
        what="an ensemble trained at once",
        against="training one after another",
        axis="networks",
        at=size([1, 4, 16, 64, 256], [1, 2]),
        ways=lambda n: (
            lambda: fit(make, digits, range(n)),
            lambda: one_by_one(make, digits, n),
        ),
        check=same_logits(digits),
        theirs_to=size(64, 2),
        floor=lambda n: floor(0, n * each, "single"),
        floor_is="the products forward and backward",
    )
