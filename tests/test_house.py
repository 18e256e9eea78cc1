"""The rules of the house, proved from the source: nothing of the package is imported for them.

Each rule is a function from source to a list of violations, and is shown one that was planted.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "netdist_utils"
FIVE = {"matching", "ablation", "covariance", "convergence", "spectra"}
CAPSTONE = "lenses"  # the one room that may enter the five
ROOMS = {folder.parent.name for folder in PACKAGE.glob("*/__init__.py")}
GROUND_FLOOR = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__"}
LONGEST_FILE, LONGEST_PACKAGE, LONGEST_COURSE = 250, 4207, 800  # lines of code


def module_of(file):
    """Dotted name of a file below the root of the repository."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(*folders):
    """{module: source} of all Python files in these folders."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return {module_of(file): file.read_text(encoding="utf-8") for file in files}


SOURCES = sources("netdist_utils")
PACKAGES = {module_of(file) for file in PACKAGE.rglob("__init__.py")}


def test_the_house_has_five_rooms_and_at_most_the_capstone():
    assert ROOMS - {CAPSTONE} == FIVE
    assert {"settings", "models", "moments", "alignment", "zoo"} <= GROUND_FLOOR


# Who may import whom


def imports(source, module="netdist_utils.module"):
    """Dotted names that a source imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{origin(node, module)}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):  # import_module
            arguments = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            found |= {text for text in arguments if isinstance(text, str)}
    return found


def origin(node, module):
    """What a ``from ... import`` in this module imports from, dots resolved."""
    package = module if module in PACKAGES else module.rpartition(".")[0]
    above = package.split(".")[: 1 - node.level or None] if node.level else []
    return ".".join([*above, *filter(None, [node.module])])


def home(name):
    """The room or ground-floor module in which a dotted name lies; None outside the package."""
    parts = name.split(".")
    return parts[1] if parts[0] == "netdist_utils" and len(parts) > 1 else None


def trespasses(sources):
    """[(module, what it imports)] wherever a room is imported by who may not."""
    found = []
    for module, source in sources.items():
        here = home(module)
        allowed = {here, *(FIVE if here == CAPSTONE else ())}
        for name in sorted(imports(source, module)):
            if home(name) == "*" or home(name) in (FIVE | ROOMS | {CAPSTONE}) - allowed:
                found.append((module, name))
    return found


def test_no_room_opens_into_another_and_the_ground_floor_into_none():
    assert not trespasses(SOURCES)


@pytest.mark.parametrize(
    ("module", "source", "name"),
    [
        ("models", "from netdist_utils import matching", "netdist_utils.matching"),
        ("models", "import netdist_utils.spectra.layers", "netdist_utils.spectra.layers"),
        ("models", "from .ablation import masks", "netdist_utils.ablation.masks"),
        ("models", "def f():\n    from netdist_utils import lenses", "netdist_utils.lenses"),
        ("models", "from netdist_utils import *", "netdist_utils.*"),
        (
            "ablation.masks",
            "from netdist_utils.matching import align",
            "netdist_utils.matching.align",
        ),
        ("ablation.masks", "from ..spectra import table", "netdist_utils.spectra.table"),
        ("ablation", "from ..spectra import table", "netdist_utils.spectra.table"),
        (
            "covariance.figure",
            "import_module('netdist_utils.matching')",
            "netdist_utils.matching",
        ),
        ("ablation.masks", "from netdist_utils import lenses", "netdist_utils.lenses"),
    ],
)
def test_a_planted_trespass_is_found(module, source, name):
    module = f"netdist_utils.{module}"
    assert trespasses({module: source}) == [(module, name)]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models", "from netdist_utils import settings\nimport torch, matching"),
        ("ablation.masks", "from netdist_utils.ablation import subsets"),
        ("ablation.masks", "from . import subsets\nfrom .. import models"),
        ("lenses.table", "from netdist_utils import matching, spectra\nfrom . import figure"),
    ],
)
def test_what_is_allowed_is_no_trespass(module, source):
    assert trespasses({f"netdist_utils.{module}": source}) == []


def notebooks_imported(sources):
    """[(module, what it imports)] wherever that is a notebook: by name, or from its folder."""
    stems = {file.stem for file in (ROOT / "notebooks").glob("*.py")}
    return [
        (module, name)
        for module, source in sources.items()
        for name in sorted(imports(source, module))
        if name.split(".")[0] in {"notebooks", *stems}
    ]


def test_nothing_imports_a_notebook():
    assert not notebooks_imported({**SOURCES, **sources("tests", "benchmarks", "tools")})
    planted = "import_module('notebooks.01_matching_mlps')\nimport_module('01_matching_mlps')"
    found = notebooks_imported({"tests.test_planted": planted})
    assert [name for _, name in found] == ["01_matching_mlps", "notebooks.01_matching_mlps"]


def test_the_package_is_light_to_import():
    """No heavy library comes with the package, nor graspologic with any of its modules."""
    code = (
        "import sys, netdist_utils; assert not {'torch', 'numpy', 'pandas'} & set(sys.modules);"
        f"import {', '.join(sorted(SOURCES.keys() - {'netdist_utils.spectra.__main__'}))};"
        "assert 'graspologic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=ROOT)


COURSE = sources("netdist_course")


def uses_of_the_course(sources):
    """[(module, what it imports)] wherever the package would need the classroom."""
    return [
        (module, name)
        for module, source in sources.items()
        for name in sorted(imports(source, module))
        if name.split(".")[0] == "netdist_course"
    ]


def test_the_house_knows_nothing_of_the_classroom():
    assert not uses_of_the_course(SOURCES)
    assert uses_of_the_course(COURSE)  # which knows itself
    planted = {"netdist_utils.models": "def f():\n    from netdist_course import check"}
    assert uses_of_the_course(planted) == [("netdist_utils.models", "netdist_course.check")]


def test_a_file_of_exercises_enters_the_house_by_its_doors():
    """Rooms' lists and the ground floor, never a file inside a room."""
    for module, source in COURSE.items():
        inside = [n for n in imports(source, module) if n.count(".") > 2 and home(n) in ROOMS]
        assert not inside, (module, inside)


# What is public, and where it is documented


def definitions(source):
    """{name: docstring, or None} of public functions, classes and constants at the top."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = ast.get_docstring(node)
        elif isinstance(node, ast.Assign):
            found |= {t.id: None for t in node.targets if isinstance(t, ast.Name)}
    return {name: text for name, text in found.items() if not name.startswith("_")}


def names_imported(source, module="netdist_utils.module"):
    """{name here: dotted name there} of ``from ... import`` at the top of a source."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name: f"{origin(node, module)}.{alias.name}"
        for node in nodes
        for alias in node.names
    }


def public_list(source):
    """Names of ``__all__``."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


def in_order(names):
    """As ruff sorts ``__all__``: constants, classes, functions."""
    return sorted(names, key=lambda n: (0 if n.isupper() else 1 if n[0].isupper() else 2, n))


def faults_of_list(source):
    """What is wrong with the public list of a room, in words."""
    listed = public_list(source)
    here = {*names_imported(source), *definitions(source)}
    here = {name for name in here if not name.startswith("_")}
    faults = [f"{name} is not listed" for name in sorted(here - set(listed))]
    faults += [f"{name} is not there" for name in sorted(set(listed) - here)]
    faults += ["listed twice"] if len(set(listed)) < len(listed) else []
    return faults + (["not in order"] if listed != in_order(listed) else [])


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_rooms_list_is_what_it_imports_in_order(room):
    assert faults_of_list(SOURCES[f"netdist_utils.{room}"]) == []


@pytest.mark.parametrize(
    ("names", "listed", "faults"),
    [
        ("A, b, c", ["A", "b", "c"], []),
        ("A, b, c", ["A", "b"], ["c is not listed"]),
        ("A, b", ["A", "b", "c"], ["c is not there"]),
        ("A, b, c", ["b", "A", "c"], ["not in order"]),
        ("A, b", ["A", "b", "b"], ["listed twice"]),
        ("A, b as _b", ["A"], []),
        ("RIVALS, Fit, alpha", ["RIVALS", "Fit", "alpha"], []),
    ],
)
def test_a_planted_fault_of_a_list_is_found(names, listed, faults):
    assert faults_of_list(f"from netdist_utils.x import {names}\n__all__ = {listed}") == faults


def place_of(name, sources):
    """The module in which a dotted name is defined, through whatever imports it on the way."""
    module, _, short = name.rpartition(".")
    if short in definitions(sources.get(module, "")):
        return module
    onward = names_imported(sources.get(module, ""), module).get(short)
    return place_of(onward, sources) if onward else None


def public_names(sources):
    """{shown name: dotted name} of all that the rooms list and the ground floor defines."""
    found = {}
    for room in ROOMS:
        for name in public_list(sources.get(f"netdist_utils.{room}", "")):
            found[f"{room}.{name}"] = f"netdist_utils.{room}.{name}"
    for module in GROUND_FLOOR:
        source = sources.get(f"netdist_utils.{module}", "")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
                found[f"{module}.{node.name}"] = f"netdist_utils.{module}.{node.name}"
    return found


def shown_on(page):
    """What an API page shows: modules whose members it lists, and names, both dotted."""
    modules = re.findall(r"^\.\. automodule:: (\S+)\n(?: +:\w.*\n)*? +:members:", page, re.M)
    names, current = set(), "netdist_utils"
    for directive, name in re.findall(r"^\.\. ([\w:]+):: ([\w.]+)", page, re.M):
        if directive in ("currentmodule", "py:currentmodule", "module", "py:module"):
            current = name
        elif directive.startswith(("auto", "py:")) and directive != "automodule":
            names.add(name if name.startswith("netdist_utils.") else f"{current}.{name}")
    return {*modules, *names}


def pages_of(toc):
    """Stems of all pages of a table of contents, at any depth."""
    if isinstance(toc, dict):
        here = {toc[key] for key in ("file", "root") if key in toc}
        return here.union(*map(pages_of, toc.values()))
    return set().union(*map(pages_of, toc)) if isinstance(toc, list) else set()


def without_page(sources, shown):
    """Public names that no page shows, by themselves or by their module, or that say nothing."""
    found = set()
    for short, name in public_names(sources).items():
        place, last = place_of(name, sources), name.rpartition(".")[2]
        silent = place and not last.isupper() and not definitions(sources[place])[last]
        if silent or not {place, name, f"{place}.{last}"} & shown:
            found.add(short)
    return found


def pages_of_nothing(sources, shown):
    """What the pages show and the package does not have."""
    return {name for name in shown if name not in sources and not place_of(name, sources)}


def shown_by_the_book():
    """What stands on the API pages that the table of contents reaches."""
    reached = pages_of(yaml.safe_load((ROOT / "_toc.yml").read_text()))
    files = [f for f in (ROOT / "book" / "api").glob("*.md") if f"book/api/{f.stem}" in reached]
    return set().union(*(shown_on(file.read_text()) for file in files))


def test_every_public_name_stands_on_an_api_page():
    assert without_page(SOURCES, shown_by_the_book()) == set()


def test_every_api_page_shows_what_is_there():
    assert pages_of_nothing({**SOURCES, **COURSE}, shown_by_the_book()) == set()


def test_every_public_name_of_the_course_stands_on_its_page():
    page = (ROOT / "book" / "api" / "course.md").read_text(encoding="utf-8")
    lists = re.findall(r":members: (.*)", page)
    shown = {name.strip() for names in lists for name in names.split(",")}
    assert set(public_list(COURSE["netdist_course"])) <= shown
    assert definitions(COURSE["netdist_course.checks"]).keys() & shown == shown - {
        "quiz",
        "questions",
    }


def test_a_planted_name_without_a_page_is_found():
    """A room's own name, one that it takes from the ground floor, and one without a docstring."""
    planted = {
        "netdist_utils.matching": "from netdist_utils.matching.a import one\n"
        "from netdist_utils.units import two, three\n__all__ = ['one', 'three', 'two']",
        "netdist_utils.matching.a": "def one():\n    'Documented.'",
        "netdist_utils.units": "from netdist_utils.models import two\ndef three():\n    pass\n"
        "def _four():\n    pass",
        "netdist_utils.models": "def two():\n    'Documented.'",
    }
    room, units, models = "netdist_utils.matching.a", "netdist_utils.units", "netdist_utils.models"
    three = {"matching.three", "units.three"}
    assert without_page(planted, {room, units, models}) == three
    assert without_page(planted, {units, models}) == {"matching.one", *three}
    assert without_page(planted, {room, units}) == {"matching.two", "models.two", *three}
    by_name = {"netdist_utils.matching.one", "netdist_utils.matching.two"}
    assert without_page(planted, by_name) == {"models.two", *three}
    assert pages_of_nothing(planted, {room, *by_name}) == set()
    wrong = {"netdist_utils.attic", "netdist_utils.matching.four", "netdist_utils.units._four"}
    assert pages_of_nothing(planted, {room, *wrong}) == wrong


PAGE = """
.. automodule:: netdist_utils.x.y
   :members:

.. automodule:: netdist_utils.silent

.. currentmodule:: netdist_utils.x

.. autofunction:: f
.. autoclass:: netdist_utils.z.A
   :members:
.. py:data:: B
"""


def test_a_page_shows_names_and_modules_with_their_members():
    names = {"netdist_utils.x.f", "netdist_utils.z.A", "netdist_utils.x.B"}
    assert shown_on(PAGE) == {"netdist_utils.x.y", *names}


def test_a_page_counts_where_the_contents_reach_it():
    toc = "root: a\nparts:\n  - chapters:\n    - file: b\n      sections:\n      - file: c/d"
    assert pages_of(yaml.safe_load(toc)) == {"a", "b", "c/d"}


# What has a test, and how long a file may be


def without_test(names, files):
    return {name for name in names if f"test_{name}.py" not in files}


def test_every_room_and_every_file_of_the_ground_floor_has_its_test():
    files = {file.name for file in (ROOT / "tests").glob("test_*.py")}
    assert without_test(ROOMS | GROUND_FLOOR, files) == set()
    assert without_test({f"{room}_figure" for room in FIVE}, files) == set()
    assert without_test({"zoo", "attic"}, files) == {"attic"}


def lines_of_code(source):
    """Lines that hold more than blanks, comments and docstrings."""
    owners = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, owners)]
    described = [node.body[0] for node in nodes if ast.get_docstring(node) is not None]
    words = {(docstring.lineno, docstring.col_offset) for docstring in described}
    nothing = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
               tokenize.ENDMARKER}  # fmt: skip
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in nothing and token.start not in words:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines)


def too_long(sources, longest):
    return {module for module, source in sources.items() if lines_of_code(source) > longest}


def test_no_file_is_too_long_nor_the_package():
    assert too_long(SOURCES, LONGEST_FILE) == set()
    assert sum(map(lines_of_code, SOURCES.values())) <= LONGEST_PACKAGE
    assert too_long(COURSE, LONGEST_FILE) == set()
    assert sum(map(lines_of_code, COURSE.values())) <= LONGEST_COURSE
    assert too_long({"long": "x = 1\n" * 251, "short": "x = 1\n" * 250}, LONGEST_FILE) == {"long"}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("", 0),
        ('"""Words\n\nof a module."""\n\n# a comment\n', 0),
        ("x = 1  # a comment\n\n\ny = 2\n", 2),
        ('def f(x):\n    """Words."""\n    return x\n', 2),
        ('class A:\n    """Words\n    of a class."""\n\n    x: int = 1\n', 2),
        ('x = """A string\nof three\nlines"""\n', 3),
        ('x = f"""{1}\n{2}"""\n"a string that is no docstring"\n', 3),
        ("f(\n    1,\n)\n", 3),
        ('def f(): "Words."\n', 1),
    ],
)
def test_lines_of_code_are_counted(source, count):
    assert lines_of_code(source) == count


# Files are read as UTF-8, whatever the machine is set to


def without_encoding(source):
    """Lines that read or write text without saying in which encoding."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    found = set()
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        said = len(call.args) > ("write" in name) or any(
            k.arg == "encoding" for k in call.keywords
        )
        if name in ("read_text", "write_text") and not said:
            found.add(call.lineno)
    return found


def test_text_is_read_and_written_as_utf_8():
    everything = {**SOURCES, **COURSE, **sources("tools", "benchmarks")}
    assert {name: found for name, s in everything.items() if (found := without_encoding(s))} == {}
    planted = "p.read_text()\np.write_text(t)\np.read_text('utf-8')\np.write_text(t, encoding='a')"
    assert without_encoding(planted) == {1, 2}
