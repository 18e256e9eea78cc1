"""Every public name, called with what nobody should give it: a right answer, or a sentence.

The names are found in the package; each has a small valid call in `valid_calls`. From it other
calls are derived, argument by argument: the same value in another form, which must have the same
answer, and values that are wrong, which must be refused by the package in a sentence that names
what came. No call may change its input, or answer finite input with NaN.
"""

import contextlib
import copy
import dataclasses
import importlib
import inspect
import pkgutil
import re
import traceback
import warnings
from collections import Counter, OrderedDict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import netdist_utils
from netdist_utils import data, models
from tests.valid_calls import CALLS, METHODS

PACKAGE = Path(netdist_utils.__file__).parent
# Their input is the environment, files, and what `training` hands to them; each has its own test.
OTHERS = {"store", "cifar", "claims", "settings", "checks", "kinds"}
SAME, WRONG, EITHER = "same", "wrong", "either"
# What doors are made of: takes code of the package, not a caller's data. Called validly only.
MACHINERY = set()
# Arguments that say what they hold, or only how it is laid out: any is right, or what comes of it
# is shown as it is.
FREE = {
    "covariance.rank_slider.labels", "data.ImageData.classes", "data.ImageData.name",
    "data.ImageData.test", "data.ImageData.train", "interactive.figure.data",
    "interactive.figure.title", "interactive.pack.array", "lenses.pair_chooser.wanted",
    "models.clone.model", "models.device_of.model", "models.freeze.model",
    "models.hidden_layers.model", "models.weight_layers.model", "moments.as_samples.activations",
    "plotting.css_variables.colors", "plotting.heatmap.label", "plotting.heatmap.matrix",
    "plotting.heatmap.title", "plotting.tidy.samples", "plotting.tidy.x", "units.along.parameter",
    "words.listed.items", "words.minus.text",
    # their diagonals, where the derived calls put NaN, are not looked at
    "lenses.intraclass_of_pairs.matrices", "lenses.without_networks.matrices",
}  # fmt: skip
# Any module has spectra, also one in training; layers that have no matrix are named, not read.
ANY_MODULE = {f"spectra.{name}" for name in ("alpha_hat", "compare", "each_layer", "layer_spectra",
                                             "table", "unjudged_layers")}  # fmt: skip
# What a function changes by its name, and documented answers of NaN.
CHANGES = {"models.freeze.model"}
NAN_IS_SHOWN = {"spectra.phase", "words.number", "words.percent"}
MAY_BE_NAN = {
    "ablation.distribution_moments", "alignment.matrix_cosine", "lenses.effect_correlation",
    "lenses.spectral_distance",
    "spectra.alpha_hat", "spectra.bootstrap_interval", "spectra.goodness_of_fit",
    "spectra.rank_correlation",
}  # fmt: skip


def public_objects():
    """{room or module.name: function or class} of the ground floor and the rooms' lists."""
    found, seen = {}, set()
    for info in sorted(pkgutil.iter_modules([str(PACKAGE)]), key=lambda info: info.ispkg):
        if info.name in OTHERS:
            continue
        module = importlib.import_module(f"netdist_utils.{info.name}")
        names = getattr(module, "__all__", None) or vars(module)
        for name in names:
            value = getattr(module, name)
            ours = getattr(value, "__module__", "").startswith(module.__name__)
            if callable(value) and ours and name[0] != "_" and value not in seen:
                seen.add(value)
                found[f"{info.name}.{name}"] = value
    return found


PUBLIC = public_objects()


def function_of(label):
    """A public function, class, or method of a class."""
    cls, _, method = label.rpartition(".")
    return PUBLIC[label] if label in PUBLIC else getattr(PUBLIC[cls], method)


def test_every_public_name_has_its_valid_call():
    assert PUBLIC.keys() == CALLS.keys()


# Other forms of a value, and values that are wrong: (what, value, what should come)


def others(value, name):
    yield "None", None, WRONG
    if isinstance(value, torch.Tensor):
        yield from of_tensor(value)
    elif isinstance(value, np.ndarray):
        yield from of_array(value)
    elif isinstance(value, nn.Sequential):
        yield from of_model(value)
    elif isinstance(value, data.Split):
        yield from of_split(value)
    elif isinstance(value, bool):
        yield from [("numpy's bool", np.bool_(value), SAME), ("text", "yes", WRONG)]
    elif isinstance(value, int):
        yield from of_int(value)
    elif isinstance(value, float):
        yield from of_float(value)
    elif isinstance(value, str):
        yield from [("a number", 3, WRONG), ("no such word", "no such word", WRONG)]
    elif isinstance(value, list | tuple):
        yield from of_list(value)
    else:
        yield from [("text", "text", WRONG), ("a number", 3, WRONG), ("a list", [], WRONG)]
        if isinstance(value, dict):
            yield "empty", {}, EITHER
            yield "no tensors", dict.fromkeys(value), WRONG


def of_tensor(x):
    floating = x.is_floating_point()
    yield "text", "text", WRONG
    yield "a number", 3, WRONG
    yield "numpy", x.numpy().copy(), SAME
    frozen = x.numpy().copy()
    frozen.setflags(write=False)
    yield "read-only", frozen, SAME
    yield "list", x.tolist(), SAME
    yield "not contiguous", torch.stack([x, x], dim=-1)[..., 0], SAME
    yield "complex", x.to(torch.complex64), WRONG
    yield "meta", x.to("meta"), WRONG
    yield "one more axis", x[None, None, None], EITHER
    yield "one axis less", x[0], EITHER
    yield "transposed", x.movedim(0, -1), EITHER
    yield "empty", x[:0], EITHER
    yield "one row", x[:1], EITHER
    yield "zeros", torch.zeros_like(x), EITHER
    yield "ones", torch.ones_like(x), EITHER
    if floating:
        yield (
            "other precision",
            x.to(torch.float32 if x.dtype is torch.double else torch.double),
            SAME,
        )
        yield "half", x.half(), EITHER
        yield "with gradient", x.clone().requires_grad_(), SAME
        for bad in (torch.nan, torch.inf):
            broken = x.clone()
            broken.view(-1)[-1] = bad
            yield str(bad), broken, WRONG
    else:
        yield "int32", x.int(), SAME
        yield "floats", x + 0.5, WRONG
        yield "too large", x + 1000, EITHER


def of_array(x):
    yield "text", "text", WRONG
    yield "tensor", torch.from_numpy(x.copy()), SAME
    yield "list", x.tolist(), SAME
    frozen = x.copy()
    frozen.setflags(write=False)
    yield "read-only", frozen, SAME
    yield "not contiguous", np.stack([x, x], -1)[..., 0], SAME
    yield "complex", x.astype(complex), WRONG
    yield "objects", np.full(x.shape, None), WRONG
    yield "one more axis", x[None, None, None], EITHER
    yield "one axis less", x[0], EITHER
    yield "empty", x[:0], EITHER
    yield "one row", x[:1], EITHER
    yield "zeros", np.zeros_like(x), EITHER
    yield "ones", np.ones_like(x), EITHER
    if x.dtype == float:
        yield "single precision", x.astype(np.float32), SAME
        for bad in (np.nan, np.inf):
            broken = x.copy()
            broken.flat[-1] = bad
            yield str(bad), broken, WRONG


def edited(model, edit):
    model = copy.deepcopy(model)
    edit(model)
    return model


def with_layer(model, layer):
    layers = list(copy.deepcopy(model))
    return nn.Sequential(*layers[:-1], layer, layers[-1])


def of_model(model):
    weighted = models.weight_layers(model)
    yield "text", "text", WRONG
    yield "layers", list(model), WRONG
    yield "numbers", torch.eye(3), WRONG
    yield "training", edited(model, lambda m: m.train()), SAME
    yield "with gradients", edited(model, lambda m: m.requires_grad_(True)), SAME
    yield "double", edited(model, lambda m: m.double()), SAME
    yield "half", edited(model, lambda m: m.half()), EITHER
    yield "meta", copy.deepcopy(model).to("meta"), WRONG
    named = nn.Sequential(
        OrderedDict((f"layer{i}", layer) for i, layer in enumerate(copy.deepcopy(model)))
    )
    yield "named layers", named, SAME
    relu = [i for i, layer in enumerate(model) if isinstance(layer, nn.ReLU)]
    if relu:
        yield (
            "in place",
            edited(model, lambda m: m.__setitem__(relu[0], nn.ReLU(inplace=True))),
            SAME,
        )
    for bad in (torch.nan, torch.inf):
        yield (
            str(bad),
            edited(model, lambda m, b=bad: m[weighted[0]].weight.data.view(-1)[:1].fill_(b)),
            WRONG,
        )
    yield "dropout", with_layer(model, nn.Dropout().train()), WRONG
    yield "unknown layer", with_layer(model, nn.Tanh()), EITHER
    yield "no layers", nn.Sequential(), EITHER
    yield "one unit", edited(model, lambda m: None)[: weighted[0] + 1], EITHER
    yield "zero weights", edited(model, lambda m: [p.data.zero_() for p in m.parameters()]), EITHER
    square = nn.Linear(model[weighted[-1]].weight.shape[0], model[weighted[-1]].weight.shape[0])
    yield (
        "tied",
        nn.Sequential(*copy.deepcopy(model), nn.ReLU(), square, nn.ReLU(), square),
        EITHER,
    )


def of_split(split):
    x, y = split.x, split.y
    yield "text", "text", WRONG
    yield "a pair", (x, y), WRONG
    yield "x alone", x, WRONG
    yield "double", data.Split(x.double(), y), SAME
    yield "int32 labels", data.Split(x, y.int()), SAME
    yield "read-only", data.Split(x.numpy(), y.numpy()), SAME
    yield "empty", data.Split(x[:0], y[:0]), WRONG
    yield "one sample", data.Split(x[:1], y[:1]), EITHER
    yield "one class", data.Split(x, y * 0), EITHER
    yield "constant", data.Split(x * 0, y), EITHER
    yield "other labels", data.Split(x, y + 7), EITHER
    yield "other shape", data.Split(x.flatten(1)[:, :-1], y), WRONG


def of_int(n):
    yield "text", "text", WRONG
    yield "numpy's", np.int64(n), SAME
    yield "half", n + 0.5, WRONG
    yield "negative", -3, WRONG
    yield "zero", 0, EITHER
    yield "bool", True, WRONG
    yield "list", [n], EITHER
    yield "nan", float("nan"), WRONG
    yield "complex", complex(n, 1), WRONG


def of_float(x):
    yield "text", "text", WRONG
    yield "numpy's", np.float64(x), SAME
    yield "a tensor", torch.tensor(x, dtype=torch.double), SAME
    yield "nan", float("nan"), WRONG
    yield "infinite", float("inf"), WRONG
    yield "complex", complex(x, 1), WRONG
    yield "bool", True, WRONG
    yield "list", [x], WRONG
    yield "negative", -1e3, EITHER
    yield "zero", 0.0, EITHER
    yield "large", 1e3, EITHER


def of_list(values):
    yield "text", "text", WRONG
    yield "a number", 3, WRONG
    yield "tuple", tuple(values), SAME
    yield "generator", (value for value in list(values)), EITHER
    yield "empty", type(values)(), EITHER
    yield "fewer", values[:1], EITHER
    yield "more", [*values, values[0]], EITHER
    yield "with None", [*values[:-1], None], WRONG
    for what, value, expected in others(values[0], ""):
        if expected != EITHER:  # a wrong one among right ones may be right for the list
            yield f"with {what}", [value, *values[1:]], expected if expected == SAME else EITHER


# What came


def as_array(value):
    if torch.is_tensor(value):
        value = np.zeros(value.shape) if value.is_meta else value.detach().cpu().numpy()
    value = np.asarray(value)
    return value.astype(float) if value.dtype.kind in "fiub" else np.zeros(())


def same(found, expected, tolerance=2e-3):
    """Whether two answers agree, to single precision; pictures and functions are not looked at."""
    if isinstance(expected, torch.Tensor | np.ndarray | float | int | np.number):
        a, b = as_array(found), as_array(expected)
        size = np.abs(b[np.isfinite(b)]).max(initial=1)
        return a.shape == b.shape and np.allclose(
            a, b, tolerance, tolerance * size, equal_nan=True
        )
    if isinstance(expected, nn.Module):
        return same(list(found.state_dict().values()), list(expected.state_dict().values()))
    if dataclasses.is_dataclass(expected) and not isinstance(expected, type):
        return same(list(vars(found).values()), list(vars(expected).values()))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and same([*found.values()], [*expected.values()])
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, pd.DataFrame):
        return found.equals(expected) or same(
            found.select_dtypes("number").to_numpy(), expected.select_dtypes("number").to_numpy()
        )
    return True


def numbers(answer):
    """All numbers of an answer, to look for NaN."""
    if isinstance(answer, torch.Tensor | np.ndarray | float | np.number):
        yield as_array(answer)
    elif isinstance(answer, nn.Module):
        for p in answer.parameters():
            yield from numbers(p)
    elif isinstance(answer, dict):
        yield from numbers(list(answer.values()))
    elif dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        yield from () if getattr(answer, "reason", "") else numbers(list(vars(answer).values()))
    elif isinstance(answer, list | tuple):
        for value in answer:
            yield from numbers(value)


def has_nan(answer):
    return any(np.isnan(part).any() for part in numbers(answer))


def is_sentence(error, name):
    """Raised by the package, and naming what came by function, parameter, value, type or shape."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    text = str(error)
    return (
        isinstance(error, ValueError | TypeError)
        and Path(last).is_relative_to(PACKAGE)
        and len(text) >= 20
        and " " in text
        and bool(re.search(r"\d|None|True|inf|nan|'|\[|\(|\{|(a|an) [A-Za-z]+", text))
    )


def called(function, arguments):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = function(**arguments)
        return list(answer) if inspect.isgenerator(answer) else answer


def content(value):
    """What must be the same after the call."""
    if isinstance(value, nn.Module):
        flags = [part.training for part in value.modules()]
        return [*(v.clone() for v in value.state_dict().values()), *flags]
    if isinstance(value, torch.Generator) or inspect.isgenerator(value):
        return None
    if isinstance(value, data.Split):
        return [value.x.clone(), value.y.clone()]
    return [content(v) for v in value] if isinstance(value, list | tuple) else copy.deepcopy(value)


def unchanged(before, value):
    if before is None:
        return True
    now = content(value)
    with contextlib.suppress(Exception):
        return same(now, before, tolerance=0)
    return True  # of no comparable type


def verdict(label, arguments, name, value, wanted, right):
    """One of: right, sentence, wrong, accepted bad, cryptic; and the error."""
    function, arguments = function_of(label), arguments | {name: value}
    before = {key: content(v) for key, v in arguments.items()}
    try:
        answer = called(function, arguments)
    except Exception as error:
        return ("sentence" if is_sentence(error, name) else "cryptic"), error
    finally:
        plt.close("all")
    changed = [key for key, v in arguments.items() if not unchanged(before[key], v)]
    if {f"{label}.{key}" for key in changed} - CHANGES:
        return "wrong", "its input has changed"
    if wanted == WRONG:
        return "accepted bad", f"{answer!r:.80}"
    if wanted == SAME and not same(answer, right):
        return "wrong", f"{answer!r:.80} in place of {right!r:.80}"
    given = has_nan(list(before.values()))
    if has_nan(answer) and not has_nan(right) and not given and label not in MAY_BE_NAN:
        return "wrong", "NaN without a word"
    return "right", None


def expected(label, name, what, parameter, wanted):
    """What should come, where an argument is optional, or anything is right."""
    if what == "None" and parameter.default is None:
        return EITHER
    free = f"{label}.{name}" in FREE and what not in ("None", "a number")
    if (label in ANY_MODULE and what in ("dropout", "named layers", "meta")) or (
        free and wanted == WRONG
    ):
        return EITHER
    in_double = label == "lenses.compare" and what == "double"  # its nulls are drawn in double
    shows_nan = label in NAN_IS_SHOWN and what == "nan"
    return EITHER if in_double or shows_nan or label == "spectra.unjudged_layers" else wanted


def tries():
    """(function's name, argument, what, verdict, error) of every call that is derived."""
    for label, make in (CALLS | METHODS).items():
        function = function_of(label)
        if make is None:
            continue
        right = called(function, make())
        if label in MACHINERY:
            continue
        parameters = inspect.signature(function).parameters
        for name in (name for name in make() if name != "self"):
            parameter = parameters.get(
                name, inspect.Parameter("more", inspect.Parameter.VAR_KEYWORD)
            )
            for what, value, wanted in others(make()[name], name):
                wish = expected(label, name, what, parameter, wanted)
                found, error = verdict(label, make(), name, value, wish, right)
                yield label, name, what, found, error


@pytest.fixture(scope="module")
def outcomes():
    return list(tries())


def test_nothing_wrong_nothing_bad_accepted_and_hardly_anything_cryptic(outcomes):
    counts = Counter(found for *_, found, _ in outcomes)
    print(f"\n{len(outcomes)} tries: {dict(counts)}")
    faults = [f"{found}: {label}({name}: {what}): {error!r:.150}"
              for label, name, what, found, error in outcomes
              if found not in ("right", "sentence")]  # fmt: skip
    report = "\n".join(sorted(faults))
    assert len(outcomes) >= 1700
    assert counts["wrong"] == counts["accepted bad"] == 0, report
    assert counts["cryptic"] < 0.02 * len(outcomes), report


@pytest.mark.parametrize("label", sorted(MAY_BE_NAN))
def test_an_answer_of_nan_is_documented(label):
    assert "NaN" in PUBLIC[label].__doc__


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (lambda x: x.sum(), "accepted bad"),  # of NaN
        (lambda x: x.zero_(), "wrong"),  # writes into its input
        (lambda x: x.sum() / 0 * 0, "wrong"),  # NaN without a word
        (lambda x: x.no_such_name, "cryptic"),
    ],
)
def test_a_planted_fault_is_found(planted, found, monkeypatch):
    monkeypatch.setitem(PUBLIC, "planted", planted)
    bad = torch.tensor([1.0, torch.nan]) if found == "accepted bad" else torch.ones(2)
    wanted = WRONG if found == "accepted bad" else EITHER
    assert verdict("planted", {}, "x", bad, wanted, torch.ones(()))[0] == found
