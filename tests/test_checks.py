"""The door: a docstring's types are kept, in sentences that name what came."""

import inspect

import pytest
import torch

from netdist_utils import ablation, checks, kinds, models, training
from netdist_utils.checks import behind_the_door
from tests.test_every_public_name import CALLS, METHODS, PUBLIC, function_of


@behind_the_door
def share(part, x, of=3, why=None):
    """Has a docstring that is kept.

    Parameters
    ----------
    part : int from 1 on
    x : (N,) tensor
        With words, and a colon : here.
    of : int
    why : str
    """
    return part, x, of, why


def test_the_door_names_function_parameter_value_and_what_is_right():
    part, x, of, why = share(torch.tensor(2), [1, 2])
    assert (type(part), x.dtype, of, why) == (int, torch.double, 3, None)
    with pytest.raises(ValueError, match=r"^share: part is 0; needed: int from 1 on$"):
        share(0, [1])
    with pytest.raises(
        ValueError, match=r"x is a float32 tensor of shape \(2, 2\).*; needed: \(N"
    ):
        share(1, torch.zeros(2, 2))
    with pytest.raises(TypeError, match=r"of is 'much' .*; needed: int"):
        share(1, [1], "much")
    with pytest.raises(TypeError, match="of is None"):
        share(1, [1], None)
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        share(1)
    assert share.__name__ == "share" and "kept" in share.__doc__


@behind_the_door
def alike(x, y):
    """Has the types of another.

    Parameters
    ----------
    x : (N,) tensor
    y
        As in `reference`.
    """
    return x, y


def reference(y):
    """Has them.

    Parameters
    ----------
    y : (N,) tensor, optional
    """


def test_types_of_another_function_and_sizes_of_another_argument():
    assert checks.types_of(alike) == {"x": "(N,) tensor", "y": "(N,) tensor, optional"}
    assert alike([1.0], None)[1] is None
    assert checks.types_of(ablation.walsh) == {"values": "(2**H,) tensor", "p": "float in (0, 1)"}
    assert checks.types_of(training.fit_history)["recipe"] == ""
    with pytest.raises(ValueError, match="N is 1, not 2"):
        alike([1.0], [1.0, 2.0])


@behind_the_door
def ratio(x, y):
    """Is a number.

    Parameters
    ----------
    x, y : float

    Returns
    -------
    float
    """
    return x / y if y else float("nan")


@behind_the_door
def inverse(matrix):
    """May not be there.

    Parameters
    ----------
    matrix : (D, D) tensor

    Returns
    -------
    (D, D) tensor
        NaN is no answer that comes, but this word allows it.
    """
    return torch.linalg.inv(matrix) * torch.nan


def test_an_answer_that_is_no_number_is_refused_unless_it_is_announced():
    assert ratio(1, 2) == 0.5
    with pytest.raises(ValueError, match=r"^ratio\(x=1.0, y=0.0\): there is no finite answer"):
        ratio(1, 0)
    assert inverse(torch.eye(2)).isnan().all()
    with pytest.raises(ValueError, match=r"inverse\(matrix=a float32 tensor .*singular"):
        inverse(torch.zeros(2, 2))


def test_calls_from_within_the_house_pass_and_those_of_a_reader_do_not():
    @behind_the_door
    def caller(inner):
        """Calls share.

        Parameters
        ----------
        inner : callable
        """
        return inner()

    assert caller(lambda: share(0, "anything"))[0] == 0  # the house knows what it does
    with pytest.raises(ValueError, match="part is 0"):
        caller(lambda: checks.outside(lambda: share(0, [1])))
    with pytest.raises(ValueError, match="part is 0"):
        share(0, [1])  # and the door is there again, also after an error
    with pytest.raises(ValueError, match="widths is"):
        training.start(lambda: models.mlp([4, 0]), 0)


def test_guard_puts_the_door_before_what_a_module_defines_and_shows():
    assert models.mlp.__wrapped__ and models.outputs.__wrapped__
    assert not hasattr(inspect.unwrap(models.outputs), "__wrapped__")


def enforceable(function):
    """Types of the parameters of a function; raises where one has none that can be held to."""
    types = checks.types_of(function)
    for name, p in inspect.signature(function).parameters.items():
        if p.kind is not p.VAR_KEYWORD and name != "self":
            kinds.kind_of(types[name].removesuffix(", optional"))
    return types


# The package makes these itself, and hands them over: their constructors have no door.
MADE = {label for label, make in CALLS.items() if make is None and inspect.isclass(PUBLIC[label])}


# Methods of moments refuse by themselves.
DOORS = [label for label in METHODS if not label.startswith("moments.")]


@pytest.mark.parametrize("label", sorted(PUBLIC.keys() - MADE) + DOORS)
def test_every_public_parameter_has_a_type_that_can_be_held_to(label):
    enforceable(function_of(label))


def test_a_planted_docstring_that_says_nothing_is_found():
    def vague(x):
        """Words.

        Parameters
        ----------
        x : some tensor
        """

    def silent(x):
        """Words."""

    with pytest.raises(SyntaxError, match="some tensor"):
        enforceable(vague)
    with pytest.raises(KeyError):
        enforceable(silent)


@pytest.mark.parametrize("label", sorted(PUBLIC))
def test_every_public_function_is_behind_the_door(label):
    function = PUBLIC[label]
    assert inspect.isclass(function) or hasattr(function, "__wrapped__")
