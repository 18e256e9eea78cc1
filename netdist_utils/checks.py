"""The door of the house: a docstring is a contract, and is kept before the function is called.

The types in a public function's section "Parameters" (of a class: "Attributes") say what it takes,
in the words of `kinds`. `guard`, at the end of a module, puts a door before its public functions,
which reads these types at the first call. It gives each argument its canonical form (a list
becomes a tensor, a numpy integer an int), or refuses it in a sentence that names the function, the
parameter, what came, and the docstring's words. What stands behind the door need not ask again,
and is not asked: calls from within the house pass.

A default of None, or ``, optional``, admits None. A type or a description that begins with ``As in
`name``` means the types of that function.
"""

import functools
import inspect
import re
import sys
import threading

import numpy as np
import torch

from netdist_utils import kinds

LONGEST = 60  # characters of a value that an error shows
_thread = threading.local()  # whether it is in the house already


def guard(module):
    """Put the door before the public functions of a file or room, which calls this at its end.

    Parameters
    ----------
    module : str
        Its ``__name__``.
    """
    names = vars(sys.modules[module])
    for name, function in list(names.items()):
        ours = inspect.isfunction(function) and f"{function.__module__}.".startswith(f"{module}.")
        if ours and name[0] != "_":
            home = vars(sys.modules[function.__module__])
            names[name] = home[name] = behind_the_door(function)


def behind_the_door(function):
    """The function, with its arguments in canonical form and its answer looked at.

    Examples
    --------
    >>> def half(n):
    ...     '''Half of n.
    ...
    ...     Parameters
    ...     ----------
    ...     n : int from 0 on
    ...     '''
    ...     return n // 2
    >>> behind_the_door(half)(-4)
    Traceback (most recent call last):
        ...
    ValueError: half: n is -4; needed: int from 0 on
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args, **kwargs):
        if getattr(_thread, "inside", False):
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        admit(function, bound.arguments)
        _thread.inside = True
        try:
            found = function(*bound.args, **bound.kwargs)
        except torch.linalg.LinAlgError as why:
            raise ValueError(f"{_called(function, bound.arguments)}: {why}") from why
        finally:
            _thread.inside = False
        _check_answer(found, function, bound.arguments)
        return found

    return checked


def outside(function):
    """Call a reader's function from within the house: what it calls here stands behind doors."""
    inside, _thread.inside = getattr(_thread, "inside", False), False
    try:
        return function()
    finally:
        _thread.inside = inside


def admit(function, arguments):
    """Replace arguments of a function or class by their canonical forms, in place, or raise."""
    call = kinds.Call(arguments, vars(sys.modules[function.__module__]))
    for name, (words, default) in _types_in_order(function).items():
        value = arguments[name]
        if value is None and default is None:
            continue
        try:
            arguments[name] = kinds.kind_of(words)(value, name, call)
        except kinds.REFUSALS as why:
            error = ValueError if isinstance(why, ValueError | RuntimeError) else TypeError
            reason = f" ({why})" if str(why) else ""
            where = f"{function.__name__}: {name} is {shown(value)}{reason}"
            raise error(f"{where}; needed: {words}") from None


def admit_fields(record):
    """Give the fields of a dataclass their canonical forms, in its ``__post_init__``."""
    fields = dict(vars(record))
    admit(type(record), fields)
    for name, value in fields.items():
        object.__setattr__(record, name, value)  # also where the dataclass is frozen


@functools.cache
def _types_in_order(function):
    """{parameter: (type, default)}, those first that others depend on."""
    types, found = types_of(function), {}
    for name, p in inspect.signature(function).parameters.items():
        if name in types and p.kind is not p.VAR_KEYWORD:
            words = types[name].removesuffix(", optional")
            found[name] = words, None if words != types[name] else p.default
    return dict(sorted(found.items(), key=lambda item: kinds.rank(item[1][0])))


def types_of(function):
    """{parameter: type}, as a docstring says.

    Examples
    --------
    >>> types_of(guard)
    {'module': 'str'}
    """
    types, names = {}, vars(sys.modules[function.__module__])
    parameters = re.search(r"(?:Parameters|Attributes)\n-+\n((?:.+\n?|\n(?! *\w+\n-))*)",
                           inspect.getdoc(function) or "")  # fmt: skip
    entries = re.findall(r"^([\w*].*)((?:\n .*)*)", parameters[1] if parameters else "", re.M)
    for entry, more in entries:
        several, _, words = entry.partition(" : ")
        other = re.match(r"(?:As in|as in|The) `(\w+)`", words or more.strip())
        known = types_of(names[other[1]]) if other else {}
        for name in several.replace("*", "").split(", "):
            types[name] = known.get(name, next(iter(known.values()))) if other else words
    return types


def shown(value):
    """A value in an error: its type and shape, or itself where that is short.

    Examples
    --------
    >>> shown(torch.zeros(2, 3)), shown([1, 2]), shown(None)
    ('a float32 tensor of shape (2, 3)', '[1, 2]', 'None')
    """
    if isinstance(value, torch.Tensor | np.ndarray):
        kind = "tensor" if torch.is_tensor(value) else "array"
        return f"a {str(value.dtype).removeprefix('torch.')} {kind} of shape {tuple(value.shape)}"
    text = repr(value)
    return text if len(text) < LONGEST and "\n" not in text else f"a {type(value).__name__}"


def _check_answer(found, function, arguments):
    """Refuse an answer of NaN or infinity, unless the docstring says that there may be one."""
    parts = found if isinstance(found, tuple) else (found,)
    parts = [torch.as_tensor(p) for p in parts if isinstance(p, float | np.ndarray | torch.Tensor)]
    if not all(kinds.all_finite(p) for p in parts if p.is_floating_point()):
        returns = inspect.getdoc(function).partition("Returns\n---")[2].partition("\n---")[0]
        if not re.search("NaN|infin", returns):
            raise ValueError(f"{_called(function, arguments)}: there is no finite answer")


def _called(function, arguments):
    """A call in an error."""
    given = ", ".join(f"{name}={shown(value)}" for name, value in arguments.items())
    return f"{function.__name__}({given})"
