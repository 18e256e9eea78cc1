"""Planted maps, brute force, and slow versions on samples."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from scipy.optimize import linprog

from netdist_utils import models
from netdist_utils.alignment import (
    alignment_cosine,
    best_maps,
    bipartite_match,
    greedy_match,
    matched,
    matrix_cosine,
    procrustes,
    share_explained,
    soft_match,
)
from netdist_utils.moments import moments
from netdist_utils.units import permute
from tests.helpers import allclose, gaussian, generator, moments_of, net, permutation, rotation


@given(st.integers(1, 6), st.integers(0, 100))
@settings(max_examples=25)
def test_procrustes_gives_a_planted_rotation_back(n, seed):
    phi, a = gaussian(60, n, seed=seed), rotation(n, seed + 1)
    assert allclose(procrustes(phi.T @ (phi @ a) / 60), a, atol=1e-4)


def test_procrustes_is_the_best_of_many():
    phi, psi = gaussian(50, 4), gaussian(50, 4, seed=1)
    best = (phi @ procrustes(phi.T @ psi) - psi).square().sum()
    for seed in range(200):
        assert best <= (phi @ rotation(4, seed) - psi).square().sum() + 1e-4
    wide = procrustes(gaussian(3, 5))
    assert allclose(wide @ wide.T, torch.eye(3), atol=1e-5)


def test_the_cosine_squared_is_the_share_explained():
    """The best multiple of phi1 A leaves 1 - cosine^2 of phi2's second moment."""
    one, two, x = net(5, 7, 2), net(5, 7, 2, seed=1), gaussian(300, 5)
    found = moments([one, two], x, [2])
    a = procrustes(found.second(2, 0, 1))
    cosine = alignment_cosine(found[2], 0, 1, a)
    phi, psi = (models.outputs(m, x, [2])[2].double() for m in (one, two))
    turned = phi @ a
    best = (turned * psi).sum() / turned.square().sum()
    left = (best * turned - psi).square().sum() / psi.square().sum()
    assert cosine**2 == pytest.approx(1 - left.item(), abs=1e-6)


def test_a_permuted_copy_aligns_perfectly_and_another_network_does_not():
    one, x = net(5, 7, 2), gaussian(300, 5)
    turned = permute(one, [permutation(7)])
    found = moments([one, turned, net(5, 7, 2, seed=3)], x, [2])
    cosines = [alignment_cosine(found[2], 0, j, procrustes(found.second(2, 0, j))) for j in (1, 2)]
    assert cosines[0] == pytest.approx(1, abs=1e-5)
    assert cosines[1] < 0.99


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000))
def test_bipartite_is_brute_force(rows, columns, seed):
    matrix = torch.rand(rows, columns, generator=generator(seed))
    match = bipartite_match(matrix)
    assert len(match) == rows and (match >= 0).sum() == min(rows, columns)
    used = match[match >= 0].tolist()
    assert len(set(used)) == len(used)
    wide = matrix if rows <= columns else matrix.T
    best = max(
        sum(wide[i, j].item() for i, j in enumerate(chosen))
        for chosen in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert matched(matrix, match).sum().item() == pytest.approx(best, abs=1e-5)
    assert matched(matrix, greedy_match(matrix)).sum() >= best - 1e-5 or rows > columns


@pytest.mark.parametrize(
    "bad", [torch.full((2, 2), float("nan")), torch.zeros(0, 3), torch.zeros(3)]
)
@pytest.mark.parametrize("method", [greedy_match, bipartite_match, procrustes])
def test_what_is_no_finite_matrix_is_refused(method, bad):
    with pytest.raises(ValueError, match="finite|empty|shape"):
        method(bad)


def test_edge_shapes():
    """One unit, and more units on one side than on the other."""
    assert bipartite_match(torch.ones(1, 1)).tolist() == greedy_match(torch.ones(1, 1)).tolist()
    tall = torch.tensor([[0.1], [0.9], [0.5]])
    assert bipartite_match(tall).tolist() == [-1, 0, -1]
    assert matched(tall, bipartite_match(tall)).tolist() == [tall[1, 0]]
    assert bipartite_match(tall.T).tolist() == [1]
    assert procrustes(torch.tensor([[-2.0]])).tolist() == [[-1.0]]


def test_bipartite_is_networkxs():
    import networkx as nx

    matrix = torch.rand(12, 12, generator=generator(5))
    graph = nx.Graph()
    for i, j in itertools.product(range(12), range(12)):
        graph.add_edge(("a", i), ("b", j), weight=float(matrix[i, j]))
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    slow = sum(graph.edges[pair]["weight"] for pair in pairs)
    assert matched(matrix, bipartite_match(matrix)).sum().item() == pytest.approx(slow)


# Shares that a map explains on other data


def slow_shares(fitted, held_out, ridge):
    """On samples: maps fitted to one pair of sets (N, D), squared errors left on another."""
    phi, psi, phi_new, psi_new = (
        (h - h.mean(0)).double().numpy() for pair in (fitted, held_out) for h in pair
    )
    best = max(
        itertools.permutations(range(phi.shape[1])),
        key=lambda order: (phi * psi[:, list(order)]).sum(),
    )
    permutation = np.eye(len(best))[list(best)]
    orthogonal = linalg.orthogonal_procrustes(phi, psi)[0]
    penalty = ridge * (phi**2).mean() * len(phi)
    rows = np.concatenate([phi, penalty**0.5 * np.eye(phi.shape[1])])
    affine = np.linalg.lstsq(rows, np.concatenate([psi, 0 * rows[len(phi) :]]), rcond=None)[0]

    def left(prediction):
        return ((prediction - psi_new) ** 2).sum() / (psi_new**2).sum()

    maps = {"permutation": permutation, "orthogonal": orthogonal}
    for kind, a in maps.items():
        maps[kind] = a * (phi @ a * psi).sum() / ((phi @ a) ** 2).sum()
    return {kind: 1 - left(phi_new @ a) for kind, a in (maps | {"affine": affine}).items()}


def explained(fitted, held_out, i, j, ridge=1e-4):
    """The share that each of the best maps explains, on data that it was not fitted to."""
    maps = best_maps(fitted, i, j, ridge)
    return {kind: share_explained(held_out, i, j, a) for kind, a in maps.items()}


def related(n, width, seed):
    """Two sets of samples that have something in common, with offsets."""
    phi = gaussian(n, width, seed=seed)
    return phi + 2, phi @ gaussian(width, width, seed=9) + gaussian(n, width, seed=seed + 1)


@pytest.mark.parametrize("ridge", [1e-4, 0.5])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_shares_are_those_of_maps_fitted_to_samples(width, ridge):
    fitted, held_out = related(60, width, 0), related(80, width, 2)
    found = explained(moments_of(*fitted), moments_of(*held_out), 0, 1, ridge)
    expected = slow_shares(fitted, held_out, ridge)
    for kind, share in expected.items():
        assert found[kind] == pytest.approx(share, abs=1e-5), kind


@given(st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=40)
def test_each_kind_of_map_contains_the_one_before(width, seed):
    """Fitted and measured on the same data; the ridge costs the affine map little."""
    found = moments_of(*related(50, width, seed))
    shares = explained(found, found, 0, 1)
    assert -1e-9 <= shares["permutation"] <= shares["orthogonal"] + 1e-9
    assert shares["orthogonal"] <= shares["affine"] + 1e-3
    exact = explained(found, found, 0, 1, ridge=0)["affine"]
    assert max(shares["affine"], shares["orthogonal"]) <= exact + 1e-9 <= 1 + 2e-9


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("permutation", torch.eye(5)[permutation(5)]),
        ("orthogonal", rotation(5)),
        ("affine", torch.eye(5) + torch.ones(5, 5).triu(1)),
    ],
)
def test_a_planted_map_is_explained_by_its_kind_and_those_above(kind, planted):
    """And not by those below, which is the control. Scales and offsets cost nothing."""
    fitted, held_out = (
        (h, 3 * h @ planted + 1) for h in (gaussian(300, 5), gaussian(200, 5, seed=1))
    )
    shares = explained(moments_of(*fitted), moments_of(*held_out), 0, 1, ridge=0)
    kinds = list(shares)
    for other, share in shares.items():
        if kinds.index(other) < kinds.index(kind):
            assert share < 0.95
        else:
            assert share == pytest.approx(1, abs=1e-6)


def test_a_network_explains_itself_and_noise_explains_nothing():
    found = moments_of(gaussian(4000, 4), gaussian(4000, 4, seed=1))
    assert explained(found, found, 0, 0) == pytest.approx(
        {"permutation": 1, "orthogonal": 1, "affine": 1}, abs=1e-6
    )
    # A correlation of N samples has variance 1/N: the affine map of 4 units gains 4/N.
    assert max(explained(found, found, 0, 1).values()) < 20 / 4000


def test_soft_matching_is_the_linear_program():
    scores = gaussian(4, 6, seed=5).double()
    plan = soft_match(scores)
    assert allclose(plan.sum(0), torch.full((6,), 1 / 6), atol=1e-9)
    assert allclose(plan.sum(1), torch.full((4,), 1 / 4), atol=1e-9)
    sums = [np.kron(np.eye(4), np.ones(6)), np.kron(np.ones(4), np.eye(6))]
    shares = np.repeat([1 / 4, 1 / 6], [4, 6])
    exact = linprog(-scores.flatten().numpy(), A_eq=np.vstack(sums), b_eq=shares)
    assert float((plan * scores).sum()) == pytest.approx(-exact.fun)


def test_soft_matching_of_equal_widths_is_a_permutation():
    scores = gaussian(7, 7, seed=6)
    plan = soft_match(scores)
    assert (plan * 7).argmax(1).tolist() == bipartite_match(scores).tolist()
    assert set((plan * 7).unique().tolist()) == {0.0, 1.0}


def test_a_unit_that_was_split_is_found_softly():
    h, order = gaussian(2000, 3, seed=7), [0, 1, 2, 0, 1, 2]
    found = moments_of(h, h[:, order])
    soft = best_maps(found, 0, 1)["permutation"]
    assert allclose(soft, torch.eye(3)[:, order], atol=1e-9)
    assert share_explained(found, 0, 1, soft) == pytest.approx(1)


@pytest.mark.parametrize(("widths", "ridge"), [((5, 5), 0), ((5, 3), 1e-4), ((3, 5), 0.1)])
def test_maps_and_shares_are_those_of_samples(widths, ridge):
    a, b = gaussian(400, widths[0], seed=8) + 2, gaussian(400, widths[1], seed=9)
    b = (b + a[:, :1].relu()).double()
    a = a.double()
    fitted, held_out = moments_of(a[:200], b[:200]), moments_of(a[200:], b[200:])
    maps = best_maps(fitted, 0, 1, ridge)
    x, y = (h[:200] - h[:200].mean(0) for h in (a, b))
    own = x.T @ x / 200
    own = own + ridge * own.diagonal().mean() * torch.eye(len(own))
    assert allclose(maps["affine"], torch.linalg.solve(own, x.T @ y / 200), atol=1e-8)
    for kind in ("permutation", "orthogonal"):  # no other factor does better
        errors = [((y - f * x @ maps[kind]) ** 2).mean() for f in (0.99, 1, 1.01)]
        assert errors[1] == min(errors)
    for matrix in maps.values():
        rest = b[200:] - a[200:] @ matrix
        expected = 1 - rest.var(0).sum() / b[200:].var(0).sum()
        assert share_explained(held_out, 0, 1, matrix) == pytest.approx(float(expected))


# Symmetries


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=25)
def test_the_best_total_is_the_same_from_either_side(rows, columns, seed):
    scores = torch.rand(rows, columns, generator=generator(seed)).double()
    totals = [matched(s, bipartite_match(s)).sum().item() for s in (scores, scores.T)]
    assert totals[0] == pytest.approx(totals[1])


def test_the_greedy_total_is_not():
    """The control: 0.9 + 0.8 by rows, 0.9 + 0.2 by columns."""
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    totals = [matched(s, greedy_match(s)).sum().item() for s in (scores, scores.T)]
    assert totals == pytest.approx([1.7, 1.1])


def procrustes_distance(x, y):
    """Of sets of samples (N, D), centred and of norm 1: sqrt(|X|^2 + |Y|^2 - 2 tr Sigma)."""
    found = moments_of(x.double(), y.double())
    turn = procrustes(found.covariance(0, 1))
    return max(0, 2 - 2 * alignment_cosine(found, 0, 1, turn, centered=True)) ** 0.5


@given(st.integers(1, 5), st.floats(0, 1), st.integers(0, 1000))
@settings(max_examples=50)
def test_the_procrustes_distance_is_a_distance(width, share, seed):
    """Symmetric, unmoved by rotations, and no longer than a detour, however close it passes."""
    x, z, noise = (gaussian(20, width, seed=s) for s in (seed, seed + 1, seed + 2))
    y = share * x + (1 - share) * z + 0.1 * noise
    direct = procrustes_distance(x, z)
    assert direct == pytest.approx(procrustes_distance(z, x), abs=1e-6)
    assert direct == pytest.approx(procrustes_distance(x, z @ rotation(width, seed)), abs=1e-5)
    assert procrustes_distance(x, 3 * x @ rotation(width, seed)) == pytest.approx(0, abs=1e-3)
    assert direct <= procrustes_distance(x, y) + procrustes_distance(y, z) + 1e-6


def test_its_square_is_not():
    """The control: three directions in a plane, 30 degrees apart."""
    u, v = linalg.orth(np.array([[1.0, 1, -1, -1], [1, -1, 1, -1]]).T).T  # both of mean 0
    angles = np.deg2rad([0, 30, 60])
    x, y, z = (torch.tensor(np.cos(a) * u + np.sin(a) * v)[:, None] for a in angles)
    assert procrustes_distance(x, z) == pytest.approx(1)
    assert procrustes_distance(x, y) ** 2 + procrustes_distance(y, z) ** 2 < 0.6


def test_matrix_cosine_does_not_see_the_isotropic_part():
    one, two = (gaussian(20, 5, seed=k).double() for k in (0, 1))
    one, two = one.T @ one, two.T @ two
    found = matrix_cosine(one, two)
    assert found == pytest.approx(matrix_cosine(3 * one + 7 * torch.eye(5), two))
    assert matrix_cosine(one, one) == pytest.approx(1) and abs(found) < 0.9
