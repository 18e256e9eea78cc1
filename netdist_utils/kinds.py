"""What the types of docstrings mean to the door (`checks`): a form of words, and what it takes.

==================================  =======================================================
``int from 1 on``                   a whole number; ``int``, ``int from 0 to 9``
``float in [0, 1]``                 a finite number; ``(0, 1)`` leaves the ends out;
                                    ``float``, ``positive float``, ``float from 0 on``; ``NaN``
``{"a", "b"}``                      one of these
``(C1, C2) tensor``                 finite floats that have this shape, and entries; ``long`` or
                                    ``bool tensor``, ``symmetric``, ``possibly empty``,
                                    ``in [0, 1]`` and ``with NaN`` say so; ``array`` is NumPy's, in
                                    double precision
``(int, int)``                      so many whole numbers from 1 on
``list of 2 or more int``           ``sequence``, ``iterable``, ``collection``; or ``pair``
``dict of str to float``            not empty, or ``possibly empty``
``torch.nn.Sequential``             a network with finite weights that gives one result
``(N, ...) inputs``                 tensors that the networks among the arguments take;
                                    ``, or one each``
``data.Split``                      samples that these networks take and labels that they have;
                                    ``of any labels``
``index of a layer``                of these networks; ``indices of layers``; ``, or -1``
``index of a network``              in the `moments.LayerMoments` among the arguments; its units
                                    are D_i where its name is i
``callable``, ``str``, any class
==================================  =======================================================

``or`` parts alternatives. A letter of a shape is one size in all arguments of a call, and ``2**H``
a power of two.
"""

import ast
import builtins
import copy
import functools
import math
import operator
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
import torch
from torch import nn

FLOATS, HALVES = (torch.float32, torch.float64), (torch.float16, torch.bfloat16)
WHOLES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
CHANGING = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
REFUSALS = (TypeError, ValueError, OverflowError, RuntimeError, IndexError)
TRUTHS = (bool, np.bool_)


@dataclass
class Call:
    """What a kind may depend on: the arguments, and the sizes that letters of shapes have so far.

    Attributes
    ----------
    arguments : dict
        Those of `kinds.rank` 0 are in canonical form already.
    names : dict
        What the module of the function knows, to find classes in.
    sizes : dict
    """

    arguments: dict
    names: dict
    sizes: dict = field(default_factory=dict)

    @property
    def networks(self):
        """All networks among the arguments, or in a list of one."""
        lists = (v if isinstance(v, list | tuple) else [v] for v in self.arguments.values())
        return [model for some in lists for model in some if isinstance(model, nn.Sequential)]


@functools.cache
def kind_of(words):
    """A function of a value, its parameter's name and the `Call`, which returns or refuses it.

    Examples
    --------
    >>> kind_of("int from 1 on")(np.int64(3), "n", Call({}, {}))
    3
    """
    parts = re.split(r" or (?!more|-1|one each)(?![^(]*\))", words)
    if len(parts) > 1:
        return functools.partial(_any_of, [kind_of(part) for part in parts])
    for form, take in FORMS.items():
        if found := re.fullmatch(form, words):
            return functools.partial(take, *(group or "" for group in found.groups()))
    raise SyntaxError(f"{words!r} is no type that the door knows")


def rank(words):
    """Networks come first, then which part of them is meant, then what has to fit these."""
    return 2 * bool(re.search("inputs|Split|tensor|array", words)) or words.startswith("ind")


def all_finite(values):
    """Whether no entry is NaN or infinite; a finite sum says so at a fifth of the cost.

    Examples
    --------
    >>> all_finite(torch.tensor([1.0, torch.nan]))
    False
    """
    return math.isfinite(values.sum()) or bool(torch.isfinite(values).all())


def _require(right, reason="", error=ValueError):
    if not right:
        raise error(reason)


def _any_of(kinds, value, name, call):
    reasons = []
    for kind in kinds:
        try:
            return kind(value, name, call)
        except REFUSALS as why:
            reasons.append(why)
    raise next((why for why in reasons if isinstance(why, ValueError)), reasons[-1])


# Numbers, words, and classes


def _whole(least, most, value, *_):
    _require(not isinstance(value, TRUTHS), error=TypeError)
    value = operator.index(value)
    _require(int(least or -(2**63)) <= value <= int(most or 2**63 - 1))
    return value


def _number(positive, ends, low, high, value, *_):
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim == 0:
        value = value.item()
    _require(isinstance(value, Real) and not isinstance(value, TRUTHS), error=TypeError)
    low, high = float(low or -math.inf), float(high or math.inf)
    _require(math.isfinite(value) and low <= value <= high)
    _require(value > 0 or not positive)
    _require(ends != "(" or low < value < high)
    return float(value)


def _nan(value, *_):
    _require(math.isnan(value))
    return math.nan


def _choice(words, value, *_):
    choices = sorted(ast.literal_eval(words))
    right = isinstance(value, type(choices[0])) and not isinstance(value, TRUTHS)
    _require(right, error=TypeError)
    _require(value in choices)
    return value


def _instance(words, value, name, call):
    kind = call.names.get(words, getattr(builtins, words, None)) or _class(words)
    _require(isinstance(value, (kind, np.bool_) if kind is bool else kind), error=TypeError)
    return bool(value) if kind is bool else value


@functools.cache
def _class(words):
    """A class by its dotted name, of this package or another."""
    try:
        return pkgutil.resolve_name(f"netdist_utils.{words}")
    except (ImportError, AttributeError):
        return pkgutil.resolve_name(words)


def _callable(value, name, call):
    _require(callable(value), error=TypeError)
    return value


# Several of one kind


def _several(fewest, pair, words, values, name, call):
    """A list. Letters of shapes that are not known yet may be another size in each."""
    one = isinstance(values, nn.Module | Mapping) or (isinstance(values, str) and words != "str")
    _require(not one, "not several", TypeError)
    values, fewest = list(values), 2 if pair else int(fewest or 0)
    _require(fewest <= len(values) <= (2 if pair else math.inf), f"{len(values)} of them")
    each = (Call(call.arguments, call.names, dict(call.sizes)) for _ in values)
    return [kind_of(words)(value, name, one) for value, one in zip(values, each, strict=True)]


def _numbers(words, values, *_):
    values = tuple(_whole("1", "", value) for value in values)
    _require(len(values) == len(words.split(",")), f"{len(values)} numbers")
    return values


def _dict(empty, words, values, name, call):
    _require(isinstance(values, Mapping), error=TypeError)
    _require(values or empty, "empty")
    return {key: kind_of(words)(value, name, call) for key, value in values.items()}


# Tensors


def _tensor(said, shape, dtype, library, low, high, loose, value, name, call):
    value = value if torch.is_tensor(value) else torch.as_tensor(np.array(value))  # a copy
    where = f"on {value.device} with layout {value.layout}"
    _require(value.layout is torch.strided and not value.is_meta, where, TypeError)
    right = {"long ": WHOLES, "bool ": (torch.bool,), "": FLOATS + HALVES + WHOLES}[dtype]
    _require(value.dtype in right, error=TypeError)
    _fit_shape([axis for axis in re.split(", ?", shape) if axis], value.shape, call.sizes)
    _require("empty" in said or value.numel(), "empty")
    value = _in_precision(value.detach(), dtype, library)
    if not (loose or dtype or all_finite(value)):
        bad = int((~torch.isfinite(value)).sum())
        raise ValueError(f"{bad} of {value.numel()} entries are NaN or infinite")
    if low and value.numel():
        least, most = value.min(), value.max()
        inside = float(low) <= least and most <= float(high or math.inf)
        _require(inside, f"entries are from {least:g} to {most:g}")
    if "symmetric" in said:
        slack = 1e-5 * float(value.abs().max())
        _require(torch.allclose(value, value.mT, atol=slack), "it is not symmetric")
    return value if library == "tensor" else value.cpu().numpy()


def _in_precision(value, dtype, library):
    """Half precision becomes single, whole numbers double; arrays are double."""
    if dtype:
        return value.long() if dtype == "long " else value
    if value.dtype in WHOLES or library == "array":
        return value.double()
    return value.float() if value.dtype in HALVES else value


def _fit_shape(axes, shape, sizes):
    """Whether axes have the sizes that the words say, and that their letters had before."""
    if "..." in axes:
        place, free = axes.index("..."), [""] * (len(shape) - len(axes) + 1)
        axes = axes[:place] + free + axes[place + 1 :]
    _require(len(axes) == len(shape), f"shape {tuple(shape)}")
    for axis, size in zip(axes, shape, strict=True):
        if re.fullmatch(r"\d+( or \d+)*", axis):
            _require(str(size) in axis.split(" or "))
        elif axis:
            _require(not axis.startswith("2**") or size.bit_count() == 1)
            _require(sizes.setdefault(axis, size) == size, f"{axis} is {sizes[axis]}, not {size}")


# Networks, and what has to fit those among the arguments


def _network(model, name, call):
    """One result each time that it is run, no input changed, all networks in one precision."""
    _require(isinstance(model, nn.Sequential), error=TypeError)
    _require(len(model), "it has no layers")
    for index, layer in enumerate(model):
        changing = any(isinstance(m, CHANGING) and m.training for m in layer.modules())
        _require(not changing, f"layer {index} ({layer}) is in training mode: freeze the model")
        for part, p in layer.named_parameters():
            what = f"its {part}, shape {tuple(p.shape)},"
            right = not p.is_meta and p.dtype in FLOATS
            _require(right, f"layer {index} ({layer}): {what} is {p.dtype} on {p.device}")
            if not all_finite(p.detach()):
                bad = f"{int((~torch.isfinite(p)).sum())} of {p.numel()} entries of {what}"
                raise ValueError(f"layer {index} ({layer}): {bad} are NaN or infinite")
    dtype = next((p.dtype for one in call.networks for p in one.parameters()), None)
    if dtype and any(p.dtype != dtype for p in model.parameters()):
        model = copy.deepcopy(model).to(dtype)
    return _in_order(model)


def _in_order(model):
    """The model, or one on the same weights whose ReLUs have room and whose layers numbers."""
    writes = any(vars(part).get("inplace") for part in model.modules())
    if not writes and list(model._modules) == [str(i) for i in range(len(model))]:
        return model
    same = copy.deepcopy(model, {id(p): p for p in model.parameters()})
    for part in same.modules():
        vars(part).update({"inplace": False} if hasattr(part, "inplace") else {})
    return nn.Sequential(*same)


def _inputs(said, shape, each, x, name, call):
    """As precise as the networks; a list where there is one for each of these."""
    several = bool(each) and isinstance(x, list | tuple) and all(hasattr(p, "shape") for p in x)
    networks, inputs = call.networks, x if several else [x]  # the one serves all networks
    _require(len(inputs) == len(networks) or not (several and networks), f"{len(inputs)} tensors")
    inputs = [_tensor(said, shape, "", "tensor", "", "", "", part, name, call) for part in inputs]
    layers = call.arguments.get("layers") or [call.arguments.get("layer", math.inf)]
    for n, model in enumerate(networks):
        k = n if several else 0
        _output(inputs[k], model, max(layers), call)  # raises where they do not fit
        inputs[k] = inputs[k].to(next(model.parameters(), inputs[k]).dtype)
    return inputs if several else inputs[0]


def _output(x, model, last, call):
    """What a network makes of the first sample, up to a layer."""
    which = next((n for n, value in call.arguments.items() if value is model), "a network")
    first = x[:1].to(next(model.parameters(), x))
    try:
        with torch.no_grad():
            return model[: min(last, len(model)) + 1](first)
    except REFUSALS as why:
        reason = str(why).splitlines()[0]
        raise ValueError(f"{which} cannot take shape {tuple(x.shape)}: {reason}") from None


def _split(free, split, name, call):
    _instance("data.Split", split, name, call)
    _require(len(split), f"x has shape {tuple(split.x.shape)}")
    x = _inputs("", "N, ...", "", split.x, name, call)
    for model in [] if free else call.networks:
        z = _output(split.x, model, math.inf, call)
        _require(z.ndim == 2, f"outputs (1, K) have labels, not {tuple(z.shape)}")
        split.labels_for(z)
    return split if x.dtype == split.x.dtype else type(split)(x, split.y)


def _layers(several, of_input, value, name, call):
    least = "-1" if of_input else "0"
    layers = [_whole(least, "", layer) for layer in (value if several else [value])]
    for model in call.networks:
        right = max(layers, default=0) < len(model)
        _require(right, f"the network has layers 0..{len(model) - 1}")
    return layers if several else layers[0]


def _member(value, name, call):
    value = _whole("0", "", value)
    for sizes in [v.sizes for v in call.arguments.values() if hasattr(v, "sizes")]:
        _require(value < len(sizes), f"there are {len(sizes)} networks")
        call.sizes[f"D_{name}"] = sizes[value]
    return value


FORMS = {
    r"int(?: from (\S+))?(?: on| to (\S+))?": _whole,
    r"(positive )?float(?: (?:in )?([\[(]|from )(\S+?)(?: on|, (\S+)[\])]))?": _number,
    r"NaN": _nan,
    r"(\{.*\})": _choice,
    r"callable": _callable,
    r"\((int(?:, int)*)\)": _numbers,
    r"(?:list|sequence|iterable|collection) of (?:(\d+) or more )?()(.*)": _several,
    r"()(pair) of (.*)": _several,
    r"(possibly empty )?dict of str to (.*)": _dict,
    r"((?:possibly empty |symmetric )*)\((.*)\) (long |bool )?(tensor|array)s?"
    r"(?: (?:in \[|from )(\S+?)(?: on|, (\S+)\]))?( with NaN)?": _tensor,
    r"torch\.nn\.Sequential": _network,
    r"(possibly empty )?\((.*)\) inputs(, or one each)?": _inputs,
    r"data\.Split( of any labels)?": _split,
    r"index of a layer()(, or -1)?": _layers,
    r"(indices) of layers(, or -1)?": _layers,
    r"index of a network": _member,
    r"([\w.]+)": _instance,
}
