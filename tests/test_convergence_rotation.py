"""The rotation test against a loop over samples, a planted basis, and data without axes."""

import pytest
import torch
from scipy.stats import ortho_group
from torch import nn

from netdist_utils import convergence as cv
from netdist_utils.convergence.rotation import _rotation
from netdist_utils.moments import moments


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def of(*acts):
    return moments([nn.Sequential(nn.Identity())] * len(acts), list(acts), [0])[0]


SOURCES = torch.randn(4000, 12, generator=generator(1)).relu()  # independent, with axes


@pytest.mark.parametrize("standardise", [False, True])
def test_rotated_match_is_the_one_of_rotated_samples(standardise):
    a = SOURCES @ torch.randn(12, 5, generator=generator(2))
    b = SOURCES @ torch.randn(12, 7, generator=generator(3))
    own, rotated = cv.rotation_test(of(a, b), 0, 1, generator(), 3, standardise)
    expected, draws = of(a, b).correlation(0, 1), generator()
    assert own == pytest.approx(cv.matched(expected, cv.bipartite_match(expected)).mean())
    slow = []
    for _ in range(3):
        units = (b - b.mean(0)) / (b.std(0, correction=0) if standardise else 1)
        c = torch.corrcoef(torch.cat([a, units @ _rotation(7, draws).float()], 1).T)[:5, 5:]
        slow.append(cv.matched(c, cv.bipartite_match(c)).mean().item())
    assert rotated == pytest.approx(sum(slow) / 3, abs=1e-4)


def test_a_shared_basis_shows_and_an_isotropic_one_has_none():
    """Planted: sources in another order. Negative control: whitened noise, all axes alike."""
    noisy = SOURCES[:, torch.randperm(12, generator=generator(4))]
    noisy = noisy + 0.2 * torch.randn(noisy.shape, generator=generator(5))
    own, rotated = cv.rotation_test(of(SOURCES, noisy), 0, 1, generator())
    assert own > 0.9 and rotated < 0.75
    rotations = torch.from_numpy(ortho_group.rvs(12, size=2, random_state=0)).float()
    one, two = (SOURCES @ q for q in rotations)
    own, rotated = cv.rotation_test(of(one, two), 0, 1, generator(), rotations=40)
    assert own == pytest.approx(rotated, abs=0.06)


def test_rotations_are_orthogonal_and_uniform():
    q = _rotation(6, generator())
    torch.testing.assert_close(q @ q.T, torch.eye(6, dtype=torch.double))
    draws = generator()
    corner = torch.stack([_rotation(3, draws)[0, 0] for _ in range(4000)])
    assert abs(corner.mean()) < 0.03  # of either sign: uniform on [-1, 1] for three axes
    assert corner.square().mean() == pytest.approx(1 / 3, abs=0.03)


def test_dead_units_count_as_no_match():
    dead = SOURCES.clone()
    dead[:, 3] = 2.0
    own, rotated = cv.rotation_test(of(dead, dead), 0, 0, generator())
    assert own == pytest.approx(11 / 12, abs=1e-3) and 0 < rotated < own
    with pytest.raises(ValueError, match="rotations is 0"):
        cv.rotation_test(of(dead), 0, 0, generator(), rotations=0)
