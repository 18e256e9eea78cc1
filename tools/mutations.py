"""Small errors that could be made in a source file: one change each, at every place where it fits.

The changes are mutmut's, less those that any run of the line notices (a value replaced by None),
and some that formulas need: a method left out (``x.clamp(0)`` becomes ``x``), an argument or the
end of a slice left out, a statement left out, an ``if`` that always or never holds, ``min`` for
``max``, a fraction halved, a tolerance times 100.

Left alone is what no reader of numbers would miss: docstrings, imports, annotations, decorators,
``__all__``, ``strict=True`` of ``zip`` (which nothing here relies on, it only stops on a mistake),
and all inside ``raise`` and ``warnings.warn``, whose sentences are words. The condition in front
of a ``raise`` is changed as any other. ``.cpu()``, ``.to(...)``, ``.detach()`` and
``.contiguous()`` stay, for where there is no GPU they move nothing.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

MOVES = {"to", "cpu", "detach", "contiguous"}
STRICT = m.Arg(keyword=m.Name("strict"))
SWAPPED = {"min": "max", "argmin": "argmax", "sum": "mean", "any": "all", "zeros": "ones"}
SWAPPED |= {new: old for old, new in SWAPPED.items()}


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes
    ----------
    path : str
        From the root of the repository.
    lines : (int, int)
        First and last line of the function (0, 0 outside of one), whose tests are asked.
    old, new : str
        The lines that change.
    source : str
        The whole file after the change.
    """

    path: str
    lines: tuple
    old: str
    new: str
    source: str


def places(root, path):
    """All changes of one file, each as a function that makes its `Mutant`."""
    wrapper = MetadataWrapper(cst.parse_module((Path(root) / path).read_text(encoding="utf-8")))
    seeker = _Seeker()
    wrapper.visit(seeker)
    before = wrapper.module.code

    def made(node, changed, lines):
        source = wrapper.module.deep_replace(node, changed).code
        return Mutant(path, lines, *changed_lines(before, source), source)

    return [lambda place=place: made(*place) for place in seeker.found]


def changed_lines(before, after):
    """The lines that differ, joined and without their indentation, before and after.

    >>> changed_lines("a\\n  b = 1\\n", "a\\n  b = 2\\n")
    ('b = 1', 'b = 2')
    """
    diff = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return tuple("\n".join(d[2:].strip() for d in diff if d[:2] == sign) for sign in ("- ", "+ "))


def _fraction(node):
    """A float halved, a tolerance (below 0.01) times 100."""
    value = node.evaluated_value
    yield node.with_changes(value=repr(value * 100 if 0 < value < 0.01 else value / 2 or 1.0))


def _without_method(node):
    """``x.clamp(0)`` becomes ``x``."""
    if isinstance(node.func, cst.Attribute) and node.func.attr.value not in MOVES:
        yield node.func.value


def _without_argument(node):
    """One argument less, where Python might not mind: of a method, or given by name."""
    for i, argument in enumerate(node.args):
        if m.matches(argument, STRICT) or m.matches(node.func, m.Attribute(attr=m.Name("to"))):
            continue
        if argument.keyword or isinstance(node.func, cst.Attribute):
            rest = [*node.args[:i], *node.args[i + 1 :]]
            rest[-1:] = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in rest[-1:]]
            yield node.with_changes(args=rest)


def _other_name(node):
    if isinstance(node.func, cst.Name) and node.func.value in SWAPPED:
        yield node.with_changes(func=cst.Name(SWAPPED[node.func.value]))
    if isinstance(node.func, cst.Attribute) and node.func.attr.value in SWAPPED:
        attr = cst.Name(SWAPPED[node.func.attr.value])
        yield node.with_changes(func=node.func.with_changes(attr=attr))


def _without_bound(node):
    """``x[a:b]`` becomes ``x[:b]`` and ``x[a:]``."""
    for bound in ("lower", "upper"):
        if getattr(node, bound) is not None:
            yield node.with_changes(**{bound: None})


def _without_statement(node):
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


def _other_string(node):
    yield from list(mutators.operator_string(node))[:1]


OPERATORS = [
    (cst.Integer, mutators.operator_number),
    (cst.Float, _fraction),
    (cst.SimpleString, _other_string),
    (cst.Name, mutators.operator_name),
    (cst.AugAssign, mutators.operator_augmented_assignment),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.CSTNode, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.If | cst.IfExp | cst.CompIf, mutators.operator_if_exp),
    (cst.Call, _without_method),
    (cst.Call, _without_argument),
    (cst.Call, _other_name),
    (cst.Slice, _without_bound),
    (cst.Expr, _without_statement),
]

LEFT_ALONE = (
    m.Import()
    | m.ImportFrom()
    | m.Annotation()
    | m.Decorator()
    | m.Raise()
    | STRICT
    | m.Expr(value=m.SimpleString() | m.ConcatenatedString())
    | m.Call(func=m.Attribute(value=m.Name("warnings")))
    | m.Expr(value=m.Call(func=m.Attribute(value=m.Name("warnings"))))
    | m.Assign(targets=[m.AssignTarget(target=m.Name("__all__"))])
)


class _Seeker(cst.CSTVisitor):
    """Collects (node, changed node, lines of its function)."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self):
        super().__init__()
        self.found, self.functions, self.imported = [], [], set()

    def on_visit(self, node):
        if m.matches(node, LEFT_ALONE):
            self.imported |= {_bound_name(alias) for alias in m.findall(node, m.ImportAlias())}
            return False
        if isinstance(node, cst.FunctionDef):
            place = self.get_metadata(PositionProvider, node)
            self.functions.append((place.start.line, place.end.line))
        lines = self.functions[0] if self.functions else (0, 0)
        for kind, operator in OPERATORS:
            if isinstance(node, kind) and not (operator is _without_method and self._module(node)):
                self.found += [(node, changed, lines) for changed in operator(node)]
        return True

    def on_leave(self, node):
        if isinstance(node, cst.FunctionDef):
            self.functions.pop()

    def _module(self, call):
        """Whether what stands before the dot was imported, as in ``torch.zeros``."""
        start = call.func
        while isinstance(start, cst.Attribute):
            start = start.value
        return isinstance(start, cst.Name) and start.value in self.imported


def _bound_name(alias):
    """What an import makes known: ``torch`` of ``import torch.nn``."""
    if alias.asname:
        return alias.asname.name.value
    return alias.evaluated_name.split(".")[0]
