"""Moments against numpy on all samples at once."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from netdist_utils import models, training
from netdist_utils.moments import moments
from tests.helpers import allclose, gaussian, net


def cnn(seed=0):
    return training.start(
        lambda: models.convnet((2, 8, 8), [4, 6], kernel_size=3, classes=3), seed
    )


@given(st.integers(1, 40), st.integers(1, 7))
@settings(max_examples=20)
def test_streamed_moments_are_those_of_all_samples_at_once(n, batch):
    one, two, x = net(5, 4, 3), net(5, 6, 3, seed=1), gaussian(n, 5)
    found = moments([one, two], x, [-1, 2], batch_size=batch)
    a, b = (models.outputs(m, x, [2])[2].double() for m in (one, two))
    assert allclose(found.second(2, 0, 1), a.T @ b / n, atol=1e-6)
    centered = (a - a.mean(0)).T @ (b - b.mean(0)) / n
    assert allclose(found.second(2, 0, 1, centered=True), centered, atol=1e-6)
    assert allclose(found.second(2, 1), b.T @ b / n, atol=1e-6)
    assert found[-1].count == found[2].count == n and found[2].sizes == (4, 6)


def test_positions_are_samples():
    model, x = cnn(), gaussian(3, 2, 8, 8)
    h = models.outputs(model, x, [1])[1]  # (3, 4, 6, 6)
    samples = torch.stack([h[n, :, i, j] for n in range(3) for i in range(6) for j in range(6)])
    found = moments([model], x, [1])
    assert allclose(found.second(1), (samples.T @ samples / len(samples)).double(), atol=1e-6)


def test_moments_refuse_what_does_not_pair_up():
    with pytest.raises(ValueError, match=r"\(5, 4, 6, 6\), \(5, 4, 4, 4\)"):
        other = models.convnet((2, 8, 8), [4], kernel_size=5)
        moments([cnn(), other], gaussian(5, 2, 8, 8), [1])
    with pytest.raises(ValueError, match=r"\(0, 5\)"):
        moments([net(5, 3)], gaussian(0, 5), [1])
