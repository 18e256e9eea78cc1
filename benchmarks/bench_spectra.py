"""Chapter 5: power-law fits beside powerlaw 1.5, and whole models beside the source's way.

The source takes singular values of each layer by torch, and fits them by powerlaw.
"""

import contextlib
import io
import tempfile
import warnings

import numpy as np
import powerlaw
import torch
from safetensors.torch import save_file
from timing import close, compare, floor, grow, peak_gib, release, repeated, size
from torch import nn

from netdist_utils import spectra

CHAPTER = "5. Heavy-tailed spectra"
POWERLAW = f"powerlaw {release('powerlaw')}: the source's way"


def sample(n):
    return 1 + np.random.default_rng(0).pareto(2.5, n)


def by_powerlaw(values):
    """Its fit, without what it prints and warns of."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            return powerlaw.Fit(values, verbose=False)


def resnet56():
    """The weights of He et al.'s ResNet-56 for CIFAR-10, in order: 55 convolutions, one layer."""
    layers, inputs = [nn.Conv2d(3, 16, 3)], 16
    for width in (16, 32, 64):
        for _ in range(size(18, 1)):
            layers.append(nn.Conv2d(inputs, width, 3))
            inputs = width
    return nn.Sequential(*layers, nn.Linear(64, 10))


def singular_values(model):
    """The source's spectra: squared singular values of each layer in single precision."""
    weights = [layer.weight.detach().flatten(1) for layer in model]
    return [torch.linalg.svdvals(weight).square() / max(weight.shape) for weight in weights]


def alphas_of_source(model):
    """The source's exponents: of layers that have ten eigenvalues and more, as ours."""
    found = singular_values(model)
    return [by_powerlaw(v.numpy()).alpha for v in found if len(v) >= 10]


def our_alphas(model):
    fits = [spectra.fit_power_law(s.eigenvalues) for s in spectra.layer_spectra(model)]
    return [fit.alpha for fit in fits if fit.n >= 10]


def rows():
    for n, times in size(((1000, 20), (4000, 5)), ((50, 2),)):
        values = sample(n)
        yield compare(
            chapter=CHAPTER,
            what="power law fitted",
            size=f"{n:,} values",
            against=POWERLAW,
            ours=repeated(lambda values=values: spectra.fit_power_law(values), times),
            theirs=lambda values=values: by_powerlaw(values),
            check=lambda a, b: close([a.alpha, a.xmin], [b.alpha, b.xmin], 1e-6, "alpha and xmin"),
            ours_by=1 / times,
        )
    torch.manual_seed(0)
    model = resnet56()
    what = f"ResNet-56, {len(model)} layers"
    yield compare(
        chapter=CHAPTER,
        what="exponents of a model",
        size=what,
        against=f"torch {release('torch')}, svdvals, and {POWERLAW}",
        ours=lambda: our_alphas(model),
        theirs=lambda: alphas_of_source(model),
        # Theirs are in single precision, and a tail may begin one value later.
        check=lambda a, b: close(a, b, 0.01, "exponents of all layers"),
    )
    yield whole_layer()


def whole_layer():
    """Eigenvalues of one wide layer: of its Gram matrix, and by singular values."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(*size((512, 2048), (16, 32)), generator=generator)
    state = {"wide.weight": weight}

    def ours(device="cpu"):
        moved = {name: w.to(device) for name, w in state.items()}
        return lambda: spectra.layer_spectra(moved)[0].eigenvalues

    return compare(
        chapter=CHAPTER,
        what="spectrum of a wide layer",
        size=f"{weight.shape[0]} x {weight.shape[1]}",
        against=f"torch {release('torch')}, svdvals in single precision: the source's way",
        ours=ours(),
        theirs=lambda: torch.linalg.svdvals(weight).square() / max(weight.shape),
        check=lambda a, b: close(a.copy(), b, 1e-4, "all eigenvalues"),
        gpu=ours,
    )


def growth():
    samples = {}

    def ways(n):
        values = samples[n] = sample(n)
        return lambda: spectra.fit_power_law(values), lambda: by_powerlaw(values)

    yield grow(
        chapter=CHAPTER,
        what="power law fitted",
        against="powerlaw",
        axis="values",
        at=size([250, 1000, 4000, 16_000, 64_000], [50, 100]),
        ways=ways,
        check=lambda a, b: close([a.alpha], [b.alpha], 1e-6, "alpha"),
        theirs_to=size(4000, 100),
        floor=lambda n: floor(8 * n, n * np.log2(n)),
        floor_is="each value read once, which takes longer than as many comparisons as a sort",
    )


def memory():
    """The largest first: a peak only rises."""
    with tempfile.TemporaryDirectory() as folder:
        for shard in range(size(10, 1)):
            names = [f"{shard}.{k}" for k in range(4)]
            save_file(
                {name: torch.randn(*size((1024, 2048), (16, 32))).bfloat16() for name in names},
                f"{folder}/{shard}.safetensors",
            )
        n = size(10, 1) * 4 * size(1024 * 2048, 512)
        gib = peak_gib(lambda: dict(spectra.each_layer(spectra.open_weights(folder))))
    what = f"spectra of a folder of {n / 1e6:.1f} million weights in bfloat16"
    yield {"chapter": CHAPTER, "what": what, "gib": gib}
