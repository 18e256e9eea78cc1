"""What the tests share: small networks, known elements of groups, noise, and one `allclose`."""

import numpy as np
import torch

from netdist_utils import data, models, settings, training
from netdist_utils.moments import moments


def allclose(found, expected, atol=1e-8, rtol=1e-5):
    """Assert that two arrays agree, entry by entry: |found - expected| <= atol + rtol |expected|.

    Takes tensors on any device, arrays, lists and numbers. On a GPU, where sums are taken in
    another order and in other precision, a share `training.TOLERANCE` of the largest expected
    entry is allowed where that is more. Shapes must be equal, and NaN agrees with nothing.
    Returns True, so that a test reads ``assert allclose(found, expected)``.
    """
    __tracebackhide__ = True  # pytest then points at the test
    found, expected = _array(found), _array(expected)
    assert found.shape == expected.shape, f"shape {found.shape} in place of {expected.shape}"
    allowed = atol + rtol * np.abs(expected)
    if settings.device().type == "cuda":
        allowed = np.maximum(allowed, training.TOLERANCE * np.abs(expected).max(initial=0))
    off = np.abs(found - expected)
    if (off <= allowed).all():
        return True
    largest = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape)
    place = f" at {tuple(map(int, largest))}" if off.ndim else ""
    raise AssertionError(
        f"{int((~(off <= allowed)).sum())} of {off.size} entries differ; largest difference "
        f"{off[largest]:.3g}{place}: {found[largest]:.9g} in place of {expected[largest]:.9g}, "
        f"where {allowed[largest]:.3g} is allowed"
    )


def _array(values):
    """In double precision, on the CPU."""
    if torch.is_tensor(values):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=float)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def rotation(n, seed=0, dtype=torch.float):
    """A random orthogonal matrix, to the precision asked for."""
    return torch.linalg.qr(gaussian(n, n, seed=seed).double())[0].to(dtype)


def permutation(n, seed=0):
    return torch.randperm(n, generator=generator(seed))


def orders(sizes, seed=0):
    """One random permutation a hidden layer of a network of these widths."""
    source = generator(seed)
    return [torch.randperm(n, generator=source) for n in sizes[1:-1]]


def net(*sizes, seed=0, bias=True):
    """An untrained multi-layer perceptron."""
    return training.start(lambda: models.mlp(sizes, bias=bias), seed)


CIRCLE = data.circle(130, seed=0)  # two batches, the second of two samples


def small():
    return models.mlp([2, 8, 2])


def fit(seeds, split=CIRCLE, make_model=small, **options):
    """A short training, without a bar, and without the cache unless it is asked for."""
    options = {"epochs": 3, "lr": 0.1, "progress": False, "cache": False, **options}
    return training.fit_ensemble(make_model, split, seeds, **options)


def weights(model):
    """All weights and biases as one vector, on the CPU."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).cpu()


def equal(one, two):
    """Whether two networks have the same weights, to the bit."""
    return torch.equal(weights(one), weights(two))


def moments_of(*samples):
    """`LayerMoments` of sets of paired samples (N, D): what networks would put out."""
    identity = torch.nn.Sequential(torch.nn.Identity())
    return moments([identity] * len(samples), list(samples), [0])[0]
