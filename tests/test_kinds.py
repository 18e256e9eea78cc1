"""What types of docstrings mean: canonical forms, refusals, and sizes that go together."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from netdist_utils import data, kinds, models
from netdist_utils.moments import moments
from tests.helpers import gaussian, net

X = gaussian(6, 4)
REFUSED = (TypeError, ValueError)


def take(words, value, name="x", sizes=None, **others):
    """What becomes of a value of a type, among other arguments."""
    call = kinds.Call({**others, name: value}, {}, {} if sizes is None else sizes)
    return kinds.kind_of(words)(value, name, call)


@given(st.integers(-3, 30), st.integers(0, 5), st.integers(5, 10))
def test_whole_numbers_are_those_of_the_range_in_any_integer_type(value, least, most):
    for form in (int, np.int64, np.int16, torch.tensor):
        if least <= value <= most:
            found = take(f"int from {least} to {most}", form(value))
            assert found == value and type(found) is int
        else:
            with pytest.raises(ValueError):
                take(f"int from {least} to {most}", form(value))


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [1], np.float32(1), torch.tensor(1.0)])
def test_what_is_no_whole_number_has_another_type(value):
    with pytest.raises(TypeError):
        take("int from 0 on", value)


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        ("float in [0, 1]", [0, 1, np.float32(0.5), torch.tensor(0.5)], [-0.1, 1.1]),
        ("float in (0, 1)", [0.5], [0, 1]),
        ("positive float", [1e-300, 3], [0, -1]),
        ("float from 1 on", [1, 7.5], [0.5]),
        ("float", [-7, 7.5], []),
        ("float or NaN", [-7], [float("inf")]),
        ('{"a", "b"}', ["a", "b"], ["c"]),
        ("{0, 1}", [0, 1], [2]),
    ],
)
def test_numbers_and_words_have_the_ends_that_are_said(words, right, wrong):
    assert [take(words, value) for value in right] == right
    for value in [*wrong, *([] if "NaN" in words or "{" in words else [float("nan")])]:
        with pytest.raises(ValueError):
            take(words, value)
    for value in (None, [0.5], True, 1j):
        with pytest.raises(REFUSED):
            take(words, value)


def test_not_a_number_may_be_said():
    assert np.isnan(take("float or NaN", float("nan")))
    assert np.isnan(take("(n,) array with NaN", [1.0, np.nan])[1])


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        ("sequence of int from 1 on", [[1, 2], []], [[0], ["a"], "12", 3, {1: 2}]),
        ("list of 2 or more int", [[1, 2]], [[1], []]),
        ("pair of int", [[1, 2]], [[1], [1, 2, 3]]),
        ("dict of str to int", [{"a": 1}], [{}, {"a": "b"}, [1]]),
        ("possibly empty dict of str to int", [{}], [[]]),
        ("sequence of str", [["a", "b"]], [[1]]),
    ],
)
def test_several_values_of_one_type(words, right, wrong):
    assert [take(words, value) for value in right] == right
    for value in wrong:
        with pytest.raises(REFUSED):
            take(words, value)
    if "int from" in words:
        assert take(words, np.array([1, 2])) == take(words, iter((1, 2))) == [1, 2]


def test_a_tuple_of_numbers_is_as_long_as_it_is_written():
    assert take("(int, int)", [3, np.int8(4)]) == (3, 4)
    for wrong in ([3], [3, 4, 5], [3, 0], [3, "4"], 3):
        with pytest.raises(REFUSED):
            take("(int, int)", wrong)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_of_floats_is_not_copied(dtype):
    x = X.to(dtype)
    assert take("(N, D) tensor", x).data_ptr() == x.data_ptr()


@pytest.mark.parametrize(
    "form",
    [torch.Tensor.numpy, torch.Tensor.tolist, torch.Tensor.half, torch.Tensor.int,
     lambda x: x.clone().requires_grad_(), lambda x: np.asfortranarray(x.numpy())],
)  # fmt: skip
def test_all_forms_are_one_tensor_or_array(form):
    x = torch.tensor([[1.0, -2.0], [0.5, 4.0]]) * 4  # exact in half precision, and whole
    found = take("(N, D) tensor", form(x))
    assert torch.equal(found.double(), x.double()) and not found.requires_grad
    array = take("(N, D) array", form(x))
    assert array.dtype == float and np.array_equal(array, x.numpy())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (torch.tensor([1.0, torch.nan, torch.inf]), "2 of 3 entries"),
        (torch.zeros(2, 2), r"shape \(2, 2\)"),
        (torch.zeros(0), "empty"),
        (torch.zeros(2, device="meta"), "meta"),
        (torch.zeros(2).to_sparse(), "sparse"),
        (torch.zeros(2, dtype=torch.complex64), None),
        (torch.zeros(2, dtype=torch.bool), None),
        ("text", None),
        ([[1.0], [1.0, 2.0]], None),
    ],
)
def test_what_is_no_finite_vector_is_refused(value, reason):
    with pytest.raises(REFUSED, match=reason):
        take("(n,) tensor", value)


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        ("(C, C) tensor", torch.eye(3), torch.zeros(3, 4)),
        ("symmetric (C, C) tensor", torch.eye(3), torch.eye(3).roll(1, 0)),
        ("(2**H,) tensor", torch.zeros(8), torch.zeros(7)),
        ("(n, 1 or 3, 8) tensor", torch.zeros(2, 3, 8), torch.zeros(2, 2, 8)),
        ("(n, 1 or 3, 8) tensor", torch.zeros(2, 1, 8), torch.zeros(2, 1, 9)),
        ("(N, ..., 2) tensor", torch.zeros(4, 5, 6, 2), torch.zeros(2)),
        ("(N,) tensor in [0, 1]", torch.tensor([0.0, 1.0]), torch.tensor([0.5, 1.5])),
        ("(N,) long tensor from 0 on", torch.tensor([3, 0]), torch.tensor([3, -1])),
        ("(N,) long tensor", torch.tensor([-3]), torch.tensor([0.5])),
        ("(N,) bool tensor", torch.tensor([True]), torch.tensor([1])),
        ("(a,) tensor or (a, b) tensor", torch.zeros(2, 3), torch.zeros(2, 3, 4)),
    ],
)
def test_shapes_and_entries_are_those_that_are_said(words, right, wrong):
    assert torch.equal(take(words, right), right)
    with pytest.raises(REFUSED):
        take(words, wrong)


def test_a_letter_is_one_size_in_all_arguments():
    sizes = {}
    take("(N, D) tensor", X, sizes=sizes)
    assert sizes == {"N": 6, "D": 4}
    take("(D, K) tensor", torch.zeros(4, 9), sizes=sizes)
    with pytest.raises(ValueError, match="D is 4, not 5"):
        take("(N, D) tensor", torch.zeros(6, 5), sizes=sizes)
    assert len(take("list of (H,) tensor", [[1.0], [1.0, 2.0]], sizes=sizes)) == 2
    with pytest.raises(ValueError, match="N is 6, not 1"):
        take("list of (N,) tensor", [[1.0]], sizes=sizes)


def test_all_finite_is_not_misled_by_a_sum_that_overflows():
    assert kinds.all_finite(torch.full((4,), 3e38))
    assert not kinds.all_finite(torch.tensor([torch.inf, -torch.inf]))


# Networks, and what has to fit them


def test_a_network_numbers_its_layers_and_writes_into_no_input():
    model = net(4, 3, 2)
    assert take("torch.nn.Sequential", model) is model
    odd = nn.Sequential()
    for name, layer in zip("abcd", model, strict=True):
        odd.add_module(name, nn.ReLU(inplace=True) if isinstance(layer, nn.ReLU) else layer)
    plain, before = take("torch.nn.Sequential", odd), X.clone()
    assert list(plain._modules) == ["0", "1", "2", "3"] and not plain[2].inplace
    assert plain[1].weight is model[1].weight and odd.c.inplace
    assert torch.equal(plain(X), model(X)) and torch.equal(X, before)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (nn.Linear(2, 2), None),
        (nn.Sequential(), "no layers"),
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout()), "training mode"),
        (nn.Sequential(nn.BatchNorm1d(2)), "training mode"),
        (nn.Sequential(nn.Linear(2, 2).half()), "float16"),
        (nn.Sequential(nn.Linear(2, 2, device="meta")), "meta"),
    ],
)
def test_what_gives_no_one_result_is_refused(model, reason):
    with pytest.raises(REFUSED, match=reason):
        take("torch.nn.Sequential", model)


def test_inputs_and_networks_have_one_precision():
    one, two = net(4, 3, 2).double(), net(4, 3, 2)
    call = kinds.Call({"networks": [one, two], "x": X}, {})
    networks = kinds.kind_of("list of torch.nn.Sequential")([one, two], "networks", call)
    assert {p.dtype for m in networks for p in m.parameters()} == {torch.double}
    assert two[1].weight.dtype == torch.float
    mixed = net(4, 3, 2)
    mixed[3].double()  # a network of two precisions could not be run
    assert torch.equal(take("torch.nn.Sequential", mixed)(X), mixed.float()(X))
    assert take("(N, ...) inputs", X, networks=networks).dtype == torch.double
    split = data.Split(X, torch.zeros(6).long())
    assert take("data.Split", split, networks=networks).x.dtype == torch.double
    assert split.x.dtype == torch.float and take("data.Split", split, model=two) is split


def test_inputs_are_those_that_the_networks_take_as_far_as_layers_are_asked_for():
    model = net(4, 3, 2)
    model[3] = nn.Linear(7, 2)  # does not fit
    with pytest.raises(ValueError, match=r"cannot take shape \(6, 4\)"):
        take("(N, ...) inputs", X, model=model)
    assert torch.equal(take("(N, ...) inputs", X, model=model, layers=[-1, 2]), X)
    with pytest.raises(ValueError, match="cannot take"):
        take("(N, ...) inputs", X[:, 1:], model=model, layer=1)
    pair = [net(4, 2), net(3, 2)]
    both = take("(N, ...) inputs, or one each", [X, X[:, 1:]], networks=pair)
    assert [len(x[0]) for x in both] == [4, 3]
    with pytest.raises(ValueError, match="1 tensors"):
        take("(N, ...) inputs, or one each", [X], networks=pair)


@pytest.mark.parametrize("labels", [torch.arange(6) % 2 + 1, torch.full((6,), 2)])
def test_a_split_has_labels_with_outputs(labels):
    split, model = data.Split(X, labels), net(4, 3, 2)
    with pytest.raises(ValueError, match="0 to 1 have an output"):
        take("data.Split", split, model=model)
    assert take("data.Split of any labels", split, model=model) is split
    with pytest.raises(ValueError, match="cannot take"):
        take("data.Split of any labels", data.Split(X[:, 1:], labels), model=model)
    with pytest.raises(ValueError, match=r"shape \(0, 4\)"):
        take("data.Split of any labels", split.first(0))


def test_layers_and_networks_are_counted():
    model, found = net(4, 3, 2), moments([net(4, 3), net(4, 5)], X, [1])[1]
    assert take("index of a layer", np.int64(3), model=model) == 3
    assert take("indices of layers, or -1", [-1, 3], model=model) == [-1, 3]
    for words, value in [("index of a layer", 4), ("index of a layer", -1),
                         ("index of a layer, or -1", -2), ("indices of layers", [4])]:  # fmt: skip
        with pytest.raises(ValueError):
            take(words, value, model=model)
    sizes = {}
    assert take("index of a network", 1, "j", sizes, statistics=found) == 1
    assert sizes == {"D_j": 5}
    for value in (2, -1):
        with pytest.raises(ValueError):
            take("index of a network", value, "j", statistics=found)


def test_a_class_is_found_in_this_package_and_in_others():
    generator = torch.Generator()
    assert take("torch.Generator", generator) is generator
    assert take("object", generator) is generator and take("bool", np.True_) is True
    assert take("callable", models.mlp) is models.mlp
    for words in ("moments.LayerMoments", "torch.nn.Module", "callable", "bool", "str"):
        with pytest.raises(TypeError):
            take(words, 3)


@pytest.mark.parametrize("words", ["a tensor", "(N, D)", "int of some kind", "scores", "float, "])
def test_words_that_nothing_can_hold_to_are_no_type(words):
    with pytest.raises((SyntaxError, ImportError, AttributeError, ValueError)):
        take(words, 3)
