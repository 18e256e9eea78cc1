"""The helper that all tests rest on: what `allclose` accepts, refuses, and says."""

import numpy as np
import pytest
import torch

from netdist_utils import training
from tests.helpers import allclose


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0), (2, 3)])
def test_equal_arrays_of_any_kind_agree(shape):
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape) + 0.5
    for one in (values, torch.tensor(values), torch.tensor(values).float(), values.tolist()):
        assert allclose(one, values, atol=0, rtol=0)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_tolerance_is_the_one_asked_for_and_looser_on_a_gpu(monkeypatch, device):
    """Relative to the largest expected entry there: a small entry may be off by as much."""
    monkeypatch.setenv("NETDIST_DEVICE", device)
    expected, room = np.array([0.0, 10.0]), 10 * training.TOLERANCE
    looser = device == "cuda"
    for off, agrees in [(9e-7, True), (2e-6, looser), (0.9 * room, looser), (1.1 * room, False)]:
        found = [off, 10.0]
        if agrees:
            assert allclose(found, expected, atol=1e-6, rtol=0)
        else:
            with pytest.raises(AssertionError, match="largest difference"):
                allclose(found, expected, atol=1e-6, rtol=0)


def test_a_failure_names_the_largest_difference():
    with pytest.raises(AssertionError) as caught:
        allclose(torch.tensor([[1.0, 2.5], [3.125, 4.0]]), [[1, 2], [3, 4]], atol=0.25, rtol=0)
    assert str(caught.value).startswith(
        "1 of 4 entries differ; largest difference 0.5 at (0, 1): 2.5 in place of 2, where 0.25"
    )


@pytest.mark.parametrize("found", [[1.0, np.nan], [[1.0], [1.0]], [1.0], 1.0])
def test_neither_nan_nor_another_shape_agrees(found):
    with pytest.raises(AssertionError, match="nan|shape"):
        allclose(found, [1.0, 1.0], atol=np.inf)
