from itertools import count, permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from netdist_utils import data, matching, models, training, units
from netdist_utils.matching import barriers, swaps
from tests.helpers import allclose, gaussian, generator, net, orders, weights

METHODS = ["weights", "activations", "faq"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_permutation_comes_back(method, seed):
    model, planted = net(20, 12, 5), orders([20, 12, 5], seed)
    found = matching.match(
        matching.permute(model, planted), model, method, x=gaussian(200, 20), rng=seed
    )
    assert torch.equal(found[0], planted[0])


@pytest.mark.parametrize("sizes", [[20, 12, 9, 5], [20, 12, 12, 9, 5]])
@pytest.mark.parametrize("rng", [None, 0, 1])
def test_a_planted_permutation_comes_back_from_deeper_networks(sizes, rng):
    model, planted = net(*sizes), orders(sizes, 3)
    found = matching.match(matching.permute(model, planted), model, rng=rng)
    assert all(torch.equal(a, b) for a, b in zip(found, planted, strict=True))


@given(st.integers(1, 6), st.integers(0, 1000))
@settings(max_examples=25)
def test_one_hidden_layer_is_solved_exactly(hidden, seed):
    """Brute force over all orders of up to six units."""
    a, b = net(4, hidden, 3, seed=seed), net(4, hidden, 3, seed=seed + 1)
    found = matching.objective(a, matching.permute(b, matching.match(a, b)))
    every = (
        matching.objective(a, matching.permute(b, [torch.tensor(order)]))
        for order in permutations(range(hidden))
    )
    assert found == pytest.approx(max(every), abs=1e-9)


def test_eight_units_by_brute_force():
    a, b = net(4, 8, 3, seed=1), net(4, 8, 3, seed=2)
    gain = (matching.adjacency(a).T @ matching.adjacency(b))[4:12, 4:12]
    gain += (matching.adjacency(a) @ matching.adjacency(b).T)[4:12, 4:12]
    rows = np.arange(8)
    best = max(permutations(range(8)), key=lambda order: gain[rows, list(order)].sum())
    assert matching.match(a, b)[0].tolist() == list(best)


@pytest.mark.parametrize("seed", range(4))
def test_faq_finds_no_better_objective(seed):
    a, b = net(10, 8, 4, seed=seed), net(10, 8, 4, seed=seed + 100)
    exact = matching.objective(a, matching.permute(b, matching.match(a, b)))
    faq = matching.objective(a, matching.permute(b, matching.match(a, b, "faq", rng=0)))
    assert faq <= exact + 1e-9


@pytest.fixture(scope="session")
def graspologic():
    """Its first import takes 15 s: a cost of the machine, and of no test."""
    return pytest.importorskip("graspologic")


@pytest.mark.filterwarnings("ignore")  # what its dependencies warn of at import is theirs
def test_graspologic_agrees_where_it_is_installed(graspologic):
    a, b = net(10, 8, 4, seed=0), net(10, 8, 4, seed=1)
    found = matching.match(a, b, "graspologic", rng=0)
    exact = matching.objective(a, matching.permute(b, matching.match(a, b)))
    theirs = matching.objective(a, matching.permute(b, found))
    assert theirs == pytest.approx(exact, abs=1e-9)


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_coordinate_descent_never_loses(seed):
    sizes = [5, 7, 6, 3]
    a, b = net(*sizes, seed=seed), net(*sizes, seed=seed + 1)
    matched = matching.permute(b, matching.match(a, b))
    assert matching.objective(a, matched) >= matching.objective(a, b) - 1e-9
    # A stopping point: no single layer can be improved any more.
    again = matching.match(a, matched)
    assert all(torch.equal(order, torch.arange(len(order))) for order in again)


def test_activations_are_matched_behind_the_relu():
    """Behind it the units are alike in their order, in front of it the other way round."""
    one, two = net(4, 2, 1, bias=False), net(4, 2, 1, bias=False)
    one[1].weight.data = torch.tensor([[3.0, 0.0, -9.0, -1.0], [0.0, 3.0, -1.0, -9.0]])
    two[1].weight.data = torch.tensor([[3.0, 0.0, -1.0, -9.0], [0.0, 3.0, -9.0, -1.0]])
    (found,) = matching.match(one, two, "activations", x=torch.eye(4))
    assert found.tolist() == [0, 1]


@pytest.mark.parametrize("scale", [1e-2, 1e-4])
def test_units_of_small_weight_find_their_place_too(scale):
    """Two units of a deeper network exchanged that hardly count in the objective."""
    model = net(6, 9, 7, 2).double()
    for p in (model[1].weight, model[1].bias):
        p.data[:2] *= scale
    model[3].weight.data[:, :2] *= scale
    planted = [torch.tensor([1, 0, *range(2, 9)]), torch.arange(7)]
    assert torch.equal(matching.match(matching.permute(model, planted), model)[0], planted[0])


def test_dead_units_match_last_and_raise_nothing():
    a, b = net(6, 4, 3), net(6, 4, 3, seed=1)
    b[1].weight.data[2] = 0
    b[1].bias.data[2] = -1
    (order,) = matching.match(a, b, "activations", x=gaussian(50, 6))
    assert sorted(order.tolist()) == [0, 1, 2, 3]


def test_edges():
    flat = net(4, 3)  # no hidden layer: nothing to match
    assert matching.match(flat, flat) == []
    single = net(4, 1, 3)
    assert [order.tolist() for order in matching.match(single, net(4, 1, 3, seed=1))] == [[0]]


def test_nothing_is_changed():
    a, b = net(6, 4, 3), net(6, 4, 3, seed=1)
    before = weights(a).clone(), weights(b).clone()
    matching.permute(b, matching.match(a, b))
    matching.average([a, b])
    matching.canonical(b)
    matching.consensus([a, b])
    matching.barrier(a, b, data.Split(gaussian(5, 6), torch.zeros(5).long()))
    assert torch.equal(weights(a), before[0]) and torch.equal(weights(b), before[1])


def test_adjacency_is_the_graph_of_the_network():
    """91 nodes for 64-15-10; following edges with a ReLU between gives the network's output."""
    model = net(64, 15, 10)
    a = matching.adjacency(model)
    assert a.shape == (91, 91)
    assert np.count_nonzero(a) == sum(p.numel() for p in model.parameters())
    state = np.zeros((5, 91))
    state[:, :64], state[:, 89:] = gaussian(5, 64).numpy(), 1
    state[:, 64:79] = np.maximum(state[:, :64] @ a[:64, 64:79] + a[89, 64:79], 0)
    out = state[:, 64:79] @ a[64:79, 79:89] + a[90, 79:89]
    assert allclose(out, model(gaussian(5, 64)), atol=1e-5)


def test_rank_of_the_adjacency_is_the_sum_of_its_blocks():
    a = matching.adjacency(net(64, 15, 10))
    assert np.linalg.matrix_rank(a) == min(64 + 1, 15) + 10 == 25
    blocks = [a[np.r_[0:64, 89], 64:79], a[np.r_[64:79, 90], 79:89]]
    singular = np.sort(np.concatenate([np.linalg.svd(b, compute_uv=False) for b in blocks]))
    assert allclose(np.sort(np.linalg.svd(a, compute_uv=False))[-25:], singular)


def test_average_of_opposites_is_zero():
    model = net(4, 3, 2)
    opposite = models.clone(model)
    for p in opposite.parameters():
        p.data.neg_()
    assert weights(matching.average([model, opposite])).abs().max() == 0
    assert torch.equal(weights(matching.average([model])), weights(model))


def test_consensus_gathers_permuted_copies():
    model = net(10, 8, 4)
    copies = [matching.permute(model, orders([10, 8, 4], seed)) for seed in range(4)]
    gathered = matching.consensus(copies)
    assert all(torch.equal(weights(m), weights(gathered[0])) for m in gathered)


def test_barrier_between_a_network_and_itself_is_zero():
    model, split = net(2, 5, 2), data.circle(50, 0)
    line = matching.barrier(model, model, split)
    assert line.height == pytest.approx(0, abs=1e-6)
    assert line.t.shape == line.loss.shape == line.accuracy.shape == (25,)


def test_barrier_against_a_loop_over_averaged_networks():
    a, b, split = net(2, 5, 2), net(2, 5, 2, seed=1), data.circle(50, 0)
    line = matching.barrier(a, b, split, steps=7)
    for t, loss, accuracy in zip(line.t, line.loss, line.accuracy, strict=True):
        middle = models.clone(a)
        for p, q in zip(middle.parameters(), b.parameters(), strict=True):
            p.data = (1 - t) * p + t * q
        assert loss.item() == pytest.approx(training.cross_entropy(middle, split), abs=1e-5)
        assert accuracy.item() == pytest.approx(training.accuracy(middle, split))


def test_sampled_networks_have_the_fitted_moments():
    """Each entry within four standard errors, and never off by more than 0.05."""
    many, source, n = [net(3, 2, 2, seed=seed) for seed in range(5)], generator(), 1000
    vectors = torch.stack([weights(m) for m in many])
    full = torch.cov(vectors.T)
    for kind, expected in [("full", full), ("diagonal", full.diagonal().diag())]:
        drawn = torch.stack([
            weights(matching.sample_gaussian(many, source, kind)) for _ in range(n)
        ])  # fmt: skip
        variance = expected.diagonal()
        error = (variance / n).sqrt()  # of a mean
        assert ((drawn.mean(0) - vectors.mean(0)).abs() <= (4 * error).clamp_max(0.05)).all()
        error = ((torch.outer(variance, variance) + expected**2) / n).sqrt()  # of a covariance
        allowed = (4 * error).clamp_max(0.05)
        assert ((torch.cov(drawn.T) - expected).abs() <= allowed).all()
        # The control: the two are farther apart than that.
        assert ((full - full.diagonal().diag()).abs() > 2 * allowed).any()


@pytest.mark.parametrize("before", [1, 3, 7])
def test_elbow_finds_a_planted_step(before):
    values = np.r_[np.linspace(10, 9.8, before), np.linspace(1, 0.8, 8 - before)]
    assert matching.elbow(values) == before
    with pytest.raises(ValueError, match=r"\(1,\)"):
        matching.elbow([1.0])


def test_few_networks_give_the_sample_variance():
    """Of three networks, divided by two: 10,000 weights of their own say so."""
    three = [net(99, 99, 1, seed=seed) for seed in range(3)]
    vectors = torch.stack([weights(model) for model in three])
    drawn = weights(matching.sample_gaussian(three, generator(), "diagonal"))
    squares = ((drawn - vectors.mean(0)) / vectors.std(0)).square()  # chi-squared, or nearly
    assert squares.mean() == pytest.approx(1, abs=5 * (2 / len(drawn)) ** 0.5)


@pytest.mark.parametrize("seed", range(20))
def test_the_elbow_is_the_split_of_largest_profile_likelihood(seed):
    """Written out: two Gaussian samples of one variance (Zhu and Ghodsi 2006, equation 2)."""
    values = np.sort(np.random.default_rng(seed).pareto(2, 12))[::-1]

    def likelihood(q):
        parts = values[:q], values[q:]
        variance = sum(len(p) * p.var() for p in parts) / (len(values) - 2)
        return sum(stats.norm.logpdf(p, p.mean(), variance**0.5).sum() for p in parts)

    assert matching.elbow(values) == max(range(1, 12), key=likelihood)


def test_align_sweeps_in_the_order_asked_for():
    a, b = net(5, 9, 8, 7, 3), net(5, 9, 8, 7, 3, seed=1)
    found = [matching.match(a, b, rng=seed) for seed in range(6)]
    assert len({str(order) for order in found}) > 1  # the sweeps' order makes a difference
    for seed, order in enumerate(found):
        aligned = matching.align(a, b, rng=seed)
        assert torch.equal(weights(aligned), weights(matching.permute(b, order)))


def test_bad_input_is_named():
    a = net(4, 3, 2)
    with pytest.raises(ValueError, match=r"\[4, 3, 2\] and \[4, 5, 2\]"):
        matching.match(a, net(4, 5, 2))
    with pytest.raises(ValueError, match="without biases"):
        matching.match(a, net(4, 3, 2, bias=False))
    with pytest.raises(TypeError, match="Linear layers is needed for a graph"):
        matching.adjacency(models.convnet((1, 8, 8), [2]))
    with pytest.raises(ValueError, match="of other kernels"):
        matching.match(*(models.convnet((1, 8, 8), [2], kernel_size=k) for k in (3, 5)))
    broken = models.clone(a)
    broken[3].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"layer 3 .*shape \(2, 3\), are NaN"):
        matching.match(a, broken)
    with pytest.raises(ValueError, match="0 of them"):
        matching.average([])
    with pytest.raises(ValueError, match="needs inputs x"):
        matching.match(a, a, "activations")
    with pytest.raises(ValueError, match="'hungarian'"):
        matching.match(a, a, "hungarian")
    with pytest.raises(ValueError, match=r"'faq' takes one hidden layer.*\[4, 3, 3, 2\]"):
        matching.match(net(4, 3, 3, 2), net(4, 3, 3, 2), "faq")
    with pytest.raises(ValueError, match="1 of them.*2 or more"):
        matching.sample_gaussian([a], generator())
    with pytest.raises(ValueError, match="steps is 1"):
        matching.barrier(a, a, data.Split(gaussian(1, 4), torch.zeros(1).long()), steps=1)


# Symmetries


@given(st.integers(1, 8), st.integers(0, 1000))
@settings(max_examples=25)
def test_matching_back_is_the_inverse(hidden, seed):
    """For one hidden layer, whose best order is one alone where the weights are random."""
    a, b = net(4, hidden, 3, seed=seed), net(4, hidden, 3, seed=seed + 1)
    (there,), (back,) = matching.match(a, b), matching.match(b, a)
    assert torch.equal(there[back], torch.arange(hidden))
    one, two = matching.align(a, b), matching.align(b, a)
    assert matching.objective(a, one) == pytest.approx(matching.objective(b, two), abs=1e-9)


@given(st.integers(2, 9), st.integers(0, 1000))
@settings(max_examples=25)
def test_the_way_back_is_the_barrier_reversed(steps, seed):
    a, b, split = net(2, 5, 3, 2, seed=seed), net(2, 5, 3, 2, seed=seed + 1), data.circle(40, seed)
    there, back = matching.barrier(a, b, split, steps), matching.barrier(b, a, split, steps)
    assert allclose(back.t.flip(0), 1 - there.t, atol=1e-6)
    assert allclose(back.loss.flip(0), there.loss, atol=1e-5)
    # Where two logits are equal to rounding, that sample may fall either way.
    assert allclose(back.accuracy.flip(0), there.accuracy, atol=1.01 / 40)
    assert back.height == pytest.approx(there.height, abs=1e-5)


def distance(a, b):
    """Least distance of the weights over all orders of the one hidden layer."""
    return (weights(a).double() - weights(matching.align(a, b)).double()).norm().item()


@given(st.integers(1, 8), st.integers(0, 1000))
@settings(max_examples=25)
def test_the_matched_distance_is_a_distance(hidden, seed):
    """Symmetric, and no longer than a detour; a stop on the straight line is none."""
    a, b, c = (net(4, hidden, 3, seed=s) for s in (seed, seed + 1, seed + 2))
    assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-5)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-5
    middle = matching.average([a, matching.align(a, b)])
    assert distance(a, middle) + distance(middle, b) == pytest.approx(distance(a, b), abs=1e-5)


def test_reordered_copies_are_at_no_distance_though_their_weights_are():
    a = net(4, 6, 3)
    b = matching.permute(a, orders([4, 6, 3], seed=1))
    assert distance(a, b) == 0 < (weights(a) - weights(b)).norm()


# A search that never ends is a failure, and says so


def test_descent_that_always_claims_to_improve_is_stopped(monkeypatch):
    """A step that is counted and never taken raises the objective again and again."""
    a, b = net(4, 5, 5, 3), net(4, 5, 5, 3, seed=1)
    matching.match(a, b)  # the control: as it is, it ends
    monkeypatch.setattr(units.Weights, "reordered", lambda network, layer, order: network)
    with pytest.raises(RuntimeError, match=r"\[4, 5, 5, 3\]: layers still improved after 1000"):
        matching.match(a, b)


def test_a_consensus_whose_units_never_rest_is_stopped(monkeypatch):
    """Units that turn round and round: the average is another one after each sweep."""
    many = [net(4, 5, 3, seed=seed) for seed in range(3)]
    matching.consensus(many)  # the control
    turns = count(1)

    def turning(reference, model):
        return matching.permute(model, [torch.arange(5).roll(next(turns) // len(many))])

    monkeypatch.setattr(barriers, "align", turning)
    with pytest.raises(RuntimeError, match="units of 3 networks still move after 7 sweeps"):
        matching.consensus(many, max_sweeps=7)


def test_swaps_without_end_are_stopped(monkeypatch):
    a, b, split = net(2, 6, 2), net(2, 6, 2, seed=1), data.circle(50, 0)
    start = [torch.arange(6)]
    (found,) = matching.match_by_loss(a, b, split, start)  # the control: it ends
    assert (found != start[0]).sum() > 2, "the case has to need two swaps or more"
    monkeypatch.setattr(swaps, "MOST_SWAPS", 1)
    with pytest.raises(RuntimeError, match="still descending after 1 swaps"):
        matching.match_by_loss(a, b, split, start)


# Convolutions


def cnn(seed=0, bias=True):
    return training.start(
        lambda: models.convnet(
            (3, 16, 16), [8, 12], kernel_size=3, padding=1, pool=2, dense=[10], bias=bias
        ),
        seed,
    )


@pytest.mark.parametrize(
    ("method", "bias"), [("weights", True), ("weights", False), ("activations", True)]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_permutation_of_channels_comes_back(method, bias, seed):
    model, planted = cnn(bias=bias), orders([3, 8, 12, 10, 10], seed)
    if method == "activations":  # units that are never on have no correlation to be matched by
        for layer in (0, 3, 7):
            model[layer].bias.data += 10
    found = matching.match(
        matching.permute(model, planted), model, method, x=gaussian(60, 3, 16, 16)
    )
    assert all(torch.equal(a, b) for a, b in zip(found, planted, strict=True))


def test_two_convolutional_networks_are_brought_closer():
    one, two = cnn(0), cnn(1)
    aligned = matching.align(one, two)
    assert matching.objective(one, aligned) > matching.objective(one, two)
    x = gaussian(5, 3, 16, 16)
    assert allclose(aligned(x), two(x), atol=1e-5)
    middle = matching.average([one, aligned])
    assert allclose(middle[0].weight, (one[0].weight + aligned[0].weight) / 2, atol=1e-6)


def test_the_barrier_of_convolutional_networks_is_that_of_averaged_ones():
    one, two = cnn(0), cnn(1)
    split = data.Split(gaussian(30, 3, 16, 16), torch.arange(30) % 10)
    line = matching.barrier(one, two, split, steps=3)
    middle = training.cross_entropy(matching.average([one, two]), split)
    assert line.loss[1].item() == pytest.approx(middle, abs=1e-5)
    assert line.loss[0].item() == pytest.approx(training.cross_entropy(one, split), abs=1e-5)


def test_a_line_of_convolutional_networks_is_run_step_by_step():
    """All steps at once would not fit into memory: six steps more are six runs more."""
    one, two, runs = cnn(0), cnn(1), []
    one[0].register_forward_hook(lambda *run: runs.append(run))
    split, counts = data.Split(gaussian(4, 3, 16, 16), torch.arange(4)), []
    for steps in (3, 9):
        matching.barrier(one, two, split, steps)
        counts.append(len(runs))
        runs.clear()
    assert counts[1] - counts[0] == 6


# Distributions


def test_units_are_drawn_whole_and_apart():
    """Of two networks, each unit of a draw is one's unit; over many draws, units are mixed."""
    one, two, source = net(4, 3, 2), net(4, 3, 2, seed=1), generator()
    from_one = []
    for _ in range(200):
        drawn = matching.sample_slots([one, two], source)
        of_unit = []
        for unit in range(3):
            same = [
                bool((drawn[1].weight[unit] == m[1].weight[unit]).all())
                and bool((drawn[3].weight[:, unit] == m[3].weight[:, unit]).all())
                and bool(drawn[1].bias[unit] == m[1].bias[unit])
                for m in (one, two)
            ]
            assert sum(same) == 1, "incoming, bias and outgoing weights are of one network"
            of_unit.append(same[0])
        from_one.append(of_unit)
    shares, together = np.mean(from_one, axis=0), np.corrcoef(np.transpose(from_one))
    assert (np.abs(shares - 0.5) < 4 * 0.5 / 200**0.5).all()
    assert (np.abs(together[~np.eye(3, dtype=bool)]) < 4 / 200**0.5).all()


def test_every_weight_belongs_to_one_unit():
    from netdist_utils.matching.distributions import _unit_of_each_weight

    number = _unit_of_each_weight(net(2, 3, 2))  # weights (3, 2), biases 3, (2, 3), 2
    assert number.tolist() == [1, 1, 2, 2, 3, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 0]
    # Deeper: a weight between two hidden units belongs to the one that it enters.
    number = _unit_of_each_weight(net(1, 2, 2, 1, bias=False))
    assert number.tolist() == [1, 2, 3, 3, 4, 4, 3, 4]


# REPAIR


def test_repaired_units_have_the_parents_statistics():
    parents, x = [net(4, 6, 5, 2, seed=seed) for seed in range(3)], gaussian(300, 4)
    mean = matching.average(parents)
    repaired = matching.repair(mean, parents, x)
    for layer in (1, 3):
        wanted = [models.outputs(m, x, [layer])[layer] for m in parents]
        for moment in ("mean", "std"):
            target = torch.stack([getattr(h, moment)(0) for h in wanted]).mean(0)
            found = getattr(models.outputs(repaired, x, [layer])[layer], moment)(0)
            before = getattr(models.outputs(mean, x, [layer])[layer], moment)(0)
            assert allclose(found, target, atol=1e-4)
            if moment == "std":  # the control: averaged units vary less
                assert (before < target).all()
    with pytest.raises(ValueError, match="has no biases"):
        matching.repair(net(4, 3, 2, bias=False), [net(4, 3, 2, bias=False)], x)


def test_repair_of_convolutions_counts_positions():
    parents, x = [cnn(seed) for seed in range(2)], gaussian(20, 3, 16, 16)
    repaired = matching.repair(matching.average(parents), parents, x)
    h = [models.outputs(m, x, [0])[0].std((0, 2, 3), correction=0) for m in [repaired, *parents]]
    assert allclose(h[0], (h[1] + h[2]) / 2, atol=1e-4)


# Cycles


def test_copies_come_back_and_strangers_do_not():
    a = net(20, 12, 5)
    b, c = (matching.permute(a, orders([20, 12, 5], seed)) for seed in (1, 2))
    assert matching.cycle_consistent(a, b, c)[0].all()
    x = gaussian(100, 20)
    assert matching.cycle_consistent(a, b, c, "activations", x=x)[0].all()
    strangers = [
        matching.cycle_consistent(*(net(20, 12, 5, seed=seed + 9 * k) for k in range(3)))[0]
        for seed in range(9)
    ]
    assert torch.stack(strangers).float().mean() < 0.4


# Orders by the loss


def half_way(a, b, split):
    return matching.barrier(a, b, split, steps=3).loss[1].item()


@given(st.integers(1, 6), st.integers(0, 1000), st.booleans())
@settings(max_examples=25)
def test_no_swap_lowers_the_loss_half_way_any_more(hidden, seed, bias):
    a, b = (net(2, hidden, 3, seed=seed + k, bias=bias) for k in range(2))
    split = data.Split(gaussian(30, 2, seed=seed), torch.arange(30) % 3)
    start = matching.match(a, b)
    (order,) = matching.match_by_loss(a, b, split, start)
    found = half_way(a, matching.permute(b, [order]), split)
    assert found <= half_way(a, matching.permute(b, start), split) + 1e-6
    for i in range(hidden):
        for j in range(i):
            other = order.clone()
            other[[i, j]] = order[[j, i]]
            assert half_way(a, matching.permute(b, [other]), split) >= found - 1e-5
    assert torch.equal(start[0], matching.match(a, b)[0]), "where it starts is left as it is"


def test_small_gains_of_the_loss_are_taken_too():
    """In double precision, with outputs so small that a swap gains a millionth."""
    a, b = (net(2, 5, 3, seed=seed).double() for seed in (0, 1))
    for model in (a, b):
        model[3].weight.data *= 1e-4
    x = gaussian(30, 2).double()
    split = data.Split(x, torch.arange(30) % 3)

    def loss(order):
        half = matching.average([a, matching.permute(b, [torch.tensor(order)])])
        return torch.nn.functional.cross_entropy(half(x), split.y).item()

    worst = max(permutations(range(5)), key=loss)
    (order,) = matching.match_by_loss(a, b, split, [torch.tensor(worst)])
    for i in range(5):
        for j in range(i):
            other = order.clone()
            other[[i, j]] = order[[j, i]]
            assert loss(other.tolist()) >= loss(order.tolist()) - 2e-7
    assert loss(order.tolist()) < loss(list(worst)) - 1e-6


def test_images_are_flattened_for_the_loss():
    a, b = (net(4, 5, 3, seed=seed) for seed in (0, 1))
    x, y, start = gaussian(30, 4), torch.arange(30) % 3, [torch.arange(5)]
    flat, square = (data.Split(x.view(30, *shape), y) for shape in ((4,), (1, 2, 2)))
    found = [matching.match_by_loss(a, b, split, start)[0] for split in (flat, square)]
    assert torch.equal(*found)


def test_an_order_by_the_loss_is_as_good_as_the_one_that_was_swapped():
    sure, split = net(2, 6, 2), data.circle(80, 0)
    for p in sure[3].parameters():
        p.data *= 20
    split = data.Split(split.x, training.logits(sure, split.x).argmax(1))  # all right, and sure
    swapped = matching.permute(sure, [torch.tensor([1, 0, 2, 3, 4, 5])])
    start = [torch.arange(6)]
    found = matching.permute(swapped, matching.match_by_loss(sure, swapped, split, start))
    aim = training.cross_entropy(sure, split)
    assert half_way(sure, found, split) <= aim + 1e-5 < half_way(sure, swapped, split)


def test_an_order_by_the_loss_takes_one_hidden_layer():
    with pytest.raises(ValueError, match=r"\[2, 3, 3, 2\]: match_by_loss"):
        matching.match_by_loss(
            net(2, 3, 3, 2), net(2, 3, 3, 2), data.circle(9, 0), [torch.arange(3)]
        )


# Transport


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_transport_between_equal_widths_is_the_assignment():
    a, b = net(6, 7, 3), net(6, 7, 3, seed=1)
    moved, plan = matching.transport(a, b)
    assert allclose(weights(moved), weights(matching.align(a, b)), atol=1e-6)
    assert allclose(plan.sum(0), torch.full((7,), 1 / 7), atol=1e-9)
    assert torch.equal(plan.argmax(1), matching.match(a, b)[0])


def test_split_units_are_found_and_the_function_stays():
    """Each unit of b is cut into two of half the outgoing weights: moved back, they make b."""
    b = net(6, 4, 3)
    wide = models.freeze(models.mlp([6, 8, 3]))
    wide[1].weight.data = b[1].weight.repeat(2, 1)
    wide[1].bias.data = b[1].bias.repeat(2)
    wide[3].weight.data = b[3].weight.repeat(1, 2) / 2
    wide[3].bias.data = b[3].bias.clone()
    for mass in ("equal", "norms"):
        moved, _ = matching.transport(b, wide, mass)
        assert allclose(weights(moved), weights(b), atol=1e-6)
    dead = models.clone(b)
    dead[3].weight.data[:, 0] = 0
    _, plan = matching.transport(b, dead, "norms")
    assert plan[:, 0].sum() == 0, "a unit that does nothing has no mass"
    with pytest.raises(ValueError, match=r"\[6, 4, 3\] and \[5, 4, 3\]"):
        matching.transport(b, net(5, 4, 3))
    with pytest.raises(ValueError, match="mass is 'heavy'"):
        matching.transport(b, b, "heavy")
