"""The environment: one lock for every system, the same commands on each, and what CI runs."""

import ast
import configparser
import doctest
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import colab_check  # noqa: E402
import lock_check  # noqa: E402
import package_check  # noqa: E402
import tasks  # noqa: E402

LOCK = (ROOT / "requirements.txt").read_text()
PINS = lock_check.pins(LOCK)
NEEDS = [Requirement(line) for line in (ROOT / "requirements.in").read_text().splitlines() if line]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CI = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]


@pytest.mark.parametrize("module", [tasks, lock_check], ids=lambda module: module.__name__)
def test_examples_run(module):
    failed, tried = doctest.testmod(module)
    assert tried and not failed


# The lock


def test_every_line_of_the_lock_has_its_hashes():
    bare = [pin.name for pin in PINS if not pin.hashes]
    assert not bare
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for pin in PINS for h in pin.hashes)
    starts = [line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(starts) == len(PINS), "a line that is no pin"


def test_the_lock_names_no_index():
    assert not re.search(r"https?:|file:|index-url|find-links|trusted-host", LOCK)


@pytest.mark.parametrize(("python", "system"), lock_check.PLACES)
def test_the_lock_has_one_version_of_all_that_is_asked_for_in_each_place(python, system):
    held = [pin for pin in PINS if pin.holds(python, system)]
    versions = {pin.name: pin.version for pin in held}
    assert len(versions) == len(held), "two versions of one package"
    asked = [need for need in NEEDS if lock_check.holds(str(need.marker or ""), python, system)]
    for need in asked:
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        assert name in versions, f"{need} is not in the lock: make lock"
        assert versions[name] in need.specifier, f"{name} {versions[name]}, asked: {need}"


def test_each_system_and_python_has_what_only_it_can_have():
    held = {
        place: {pin.name: pin.version for pin in PINS if pin.holds(*place)}
        for place in lock_check.PLACES
    }
    for (python, system), versions in held.items():
        assert ("triton" in versions) == ("linux" in system)
        assert any(name.startswith("nvidia-") for name in versions) == ("linux" in system)
        assert ("pywinpty" in versions) == ("windows" in system)
        assert ("graspologic" in versions) == (python != "3.13")  # it asks for less
        assert versions["numpy"].startswith("1.26." if python != "3.13" else "2.")
        assert versions["torch"] == "2.14.1", "the chapters' numbers are this PyTorch's"


def test_the_lock_reaches_from_the_oldest_python_that_the_package_takes():
    assert PROJECT["requires-python"] == f">={lock_check.PYTHONS[0]}"
    assert f"--python-version={lock_check.PYTHONS[0]}" in tasks.COMPILE
    assert {"--universal", "--generate-hashes"} <= set(tasks.COMPILE)
    assert not any("emit" in option for option in tasks.COMPILE)


# Making the environment


class Machine:
    """Stands for uv, pip and the file system: notes what is run, and says what fails."""

    def __init__(self, folder, monkeypatch):
        self.ran, self.broken, self.uv = [], (), "uv"
        for name in ("requirements.txt", "pyproject.toml"):
            (folder / name).write_text(name)
        monkeypatch.setattr(tasks, "ROOT", folder)
        monkeypatch.setattr(tasks, "LOCK", folder / "requirements.txt")
        monkeypatch.setattr(tasks, "PYTHON", folder / "python")
        monkeypatch.setattr(tasks, "STAMP", folder / ".stamp")
        monkeypatch.setattr(tasks, "find_uv", lambda: self.uv)
        monkeypatch.setattr(tasks, "pip_settings", dict)
        monkeypatch.setattr(tasks, "succeeds", self.succeeds)

    def succeeds(self, *command, **variables):
        words = " ".join(map(str, command))
        self.ran.append(words)
        if "-m venv" in words:
            tasks.PYTHON.write_text("")
        return not any(part in words for part in self.broken)

    def env(self):
        self.ran.clear()
        tasks.env()
        return self.ran


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_an_environment_is_made_once(machine):
    bare, locked, package = machine.env()
    assert "-m venv" in bare
    assert locked.startswith("uv pip install") and "--require-hashes" in locked
    assert package.startswith("uv pip install") and "--no-deps --editable" in package
    assert machine.env() == []


@pytest.mark.parametrize("file", ["requirements.txt", "pyproject.toml"])
def test_what_decides_the_environment_is_noticed_by_its_content(machine, file):
    machine.env()
    path = tasks.ROOT / file
    path.touch()
    assert machine.env() == [], "another date is no other content"
    path.write_text("other")
    assert len(machine.env()) == 2 and machine.env() == []


@pytest.mark.parametrize("broken", ["venv", "--requirement", "--editable"])
def test_what_is_half_made_is_made_again(machine, broken):
    machine.broken = (broken,)
    with pytest.raises(SystemExit, match=f"This failed: .*{broken}"):
        machine.env()
    assert not tasks.STAMP.exists()
    machine.broken = ()
    assert machine.env() and machine.env() == []


def test_an_update_that_breaks_off_leaves_no_stamp(machine):
    machine.env()
    tasks.LOCK.write_text("other")
    machine.broken = ("--requirement",)
    with pytest.raises(SystemExit):
        machine.env()
    tasks.LOCK.write_text("requirements.txt")  # back to what the old stamp said
    machine.broken = ()
    assert machine.env()


def test_an_environment_whose_python_is_gone_is_made_again(machine):
    machine.env()
    tasks.PYTHON.unlink()
    assert "-m venv --clear" in machine.env()[0]


@pytest.mark.parametrize(("uv", "broken"), [(None, ()), ("uv", ("uv pip",))])
def test_pip_installs_where_uv_cannot(machine, capsys, uv, broken):
    machine.uv, machine.broken = uv, broken
    by_pip = [command for command in machine.env() if "-m pip" in command]
    assert len(by_pip) == 2 and "--require-hashes" in by_pip[0]
    assert "pip installs instead" in capsys.readouterr().out
    assert tasks.STAMP.exists()


def test_uv_is_installed_by_the_hashes_of_the_lock():
    lines = tasks.locked("uv").splitlines()
    assert re.match(r"uv==[\d.]+", lines[0]) and len(lines) > 5
    assert all(line.startswith("    --hash=sha256:") for line in lines[1:])
    assert tasks.locked("nothing-of-this-name") == "nothing-of-this-name"


def test_uv_looks_where_pip_looks(tmp_path, monkeypatch):
    """Environment over [install] over [global], several places in each, as pip reads them."""
    config = configparser.ConfigParser()
    config["global"] = {"index-url": "https://a.invalid", "cert": "/a.crt"}
    config["global"]["extra-index-url"] = "\nfile:///b\nfile:///c"
    config["install"] = {"index-url": "https://d.invalid", "find-links": "/e /f"}
    with (tmp_path / "pip.conf").open("w") as file:
        config.write(file)
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "SSL_CERT_FILE", "UV_INDEX_STRATEGY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_CERT", "/g.crt")
    monkeypatch.setattr(tasks, "PIP", [sys.executable, "-m", "pip"])
    expected = {
        "UV_DEFAULT_INDEX": "https://d.invalid",
        "UV_INDEX": "file:///b file:///c",
        "UV_FIND_LINKS": "/e,/f",
        "SSL_CERT_FILE": "/g.crt",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    assert tasks.uv_settings(tasks.pip_settings()) == expected
    monkeypatch.setenv("UV_INDEX", "file:///mine")
    assert "UV_INDEX" not in tasks.uv_settings(tasks.pip_settings())


# The same commands on every system


def test_make_and_its_windows_twin_call_the_same_tasks():
    makefile = (ROOT / "Makefile").read_text()
    targets, recipe = re.search(r"^(env .*):\n\t(.*)\n", makefile, re.MULTILINE).groups()
    assert set(targets.split()) == set(tasks.TASKS)
    assert recipe == "$(PYTHON) tools/tasks.py $@"
    twin = (ROOT / "make.bat").read_text().splitlines()
    assert twin[-1] == r'python "%~dp0tools\tasks.py" %*'
    rules = re.findall(r"^([\w -]+):", makefile, re.MULTILINE)
    named = [name for rule in rules for name in rule.split()]
    assert len(named) == len(set(named)), "a target with two rules"


@pytest.mark.parametrize("task", sorted(tasks.TASKS))
def test_make_adds_nothing_to_a_task(task):
    command = ["make", "--no-print-directory", "--dry-run", task, "PYTHON=python"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == f"python tools/tasks.py {task}\n"


def test_an_unknown_task_lists_the_known_ones():
    with pytest.raises(SystemExit) as stop:
        tasks.main("nothing")
    assert set(re.findall(r"tasks\.py ([\w-]+)", str(stop.value))) == set(tasks.TASKS)


def test_pages_name_only_commands_that_exist():
    targets = set(re.findall(r"^([\w-]+)(?= |:)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    targets |= set(tasks.TASKS)
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text()
        named = set(re.findall(r"(?:^|`|\.\\)make ([a-z-]+)", text, re.MULTILINE))
        assert named and named <= targets, f"{page}: {named - targets}"
    assert re.search(r"\.\\make book", (ROOT / "README.md").read_text())


# What CI runs


def cells(matrix):
    """What GitHub makes of a matrix: the product, less `exclude`, and each of `include`.

    An `include` adds a cell of its own, since it changes a value of the product.
    """
    axes = {name: values for name, values in matrix.items() if name not in ("include", "exclude")}
    product_ = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    excluded = matrix.get("exclude", [])
    kept = [cell for cell in product_ if not any(e.items() <= cell.items() for e in excluded)]
    return kept + matrix.get("include", [])


def test_ci_runs_the_book_on_the_pythons_that_have_every_library():
    assert CI["cpu"]["strategy"]["matrix"] == {"python": ["3.11", "3.12"]}
    assert CI["cpu"]["steps"][-1]["run"] == "bash .ci/run"


def test_ci_runs_the_package_on_every_combination_that_exists():
    found = {
        (cell["python"], cell["versions"]) for cell in cells(CI["package"]["strategy"]["matrix"])
    }
    with_it, without, two = "--numpy 1.26 --graspologic", "--numpy 1.26", "--numpy 2"
    expected = set(product(("3.11", "3.12"), (with_it, without, two))) | {("3.13", two)}
    assert found == expected | {(lock_check.PYTHONS[0], "--oldest")}
    assert {python for python, _ in found} == set(lock_check.PYTHONS)
    run = CI["package"]["steps"][-1]["run"]
    for python, versions in found:
        filled = run.replace("${{ matrix.python }}", python)
        command = filled.replace("${{ matrix.versions }}", versions).split()
        assert command[:2] == ["python", "tools/package_check.py"]
        package_check.parser().parse_args(command[2:])


def test_ci_makes_the_environment_on_every_system_of_the_lock():
    matrix = CI["machines"]["strategy"]["matrix"]
    assert set(matrix["system"]) == {"macos-latest", "windows-latest", "ubuntu-24.04-arm"}
    assert CI["cpu"]["runs-on"] == "ubuntu-latest"
    assert set(matrix["python"]) <= set(lock_check.PYTHONS)
    commands = [step.get("run", "") for step in CI["machines"]["steps"]]
    assert commands[-2:] == [r".\make env; .\make package", "make env package PYTHON=python"]


def test_what_the_package_is_asked_for():
    parse = package_check.parser().parse_args
    assert package_check.needs(parse(["--oldest"]))[1] == "lowest-direct"
    asked = package_check.needs(parse(["--numpy", "1.26", "--graspologic"]))
    assert asked[1] == "highest" and asked[-2:] == [f"{ROOT}[graspologic]", "numpy==1.26.*"]
    there = package_check.tools("networkx==3.7\npytest==1.0\n")
    assert {pin.partition("==")[0] for pin in there} == {"hypothesis", "playwright", "powerlaw"}


def test_the_packages_tests_need_the_package_and_their_tools_alone():
    files = [path for path in tasks.package_tests() if path.suffix == ".py"]
    assert {"tests/test_spectra_files.py", "tests/test_store.py"} <= {f.as_posix() for f in files}
    needs = {Requirement(line).name.lower() for line in PROJECT["dependencies"]}
    needs |= set(package_check.TOOLS)
    owners = importlib.metadata.packages_distributions()
    for file in [*files, Path("tests/helpers.py"), Path("tests/conftest.py")]:
        strange = foreign_imports((ROOT / file).read_text(), owners, needs)
        assert not strange, f"{file} imports {strange}: name it after no module, or add a tool"


def foreign_imports(source, owners, needs):
    """Libraries that a source imports and that are none of these distributions."""
    tree = ast.walk(ast.parse(source))
    names = [
        name
        for node in tree
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    ]
    roots = {name.partition(".")[0] for name in names}
    roots -= {*sys.stdlib_module_names, "netdist_utils", "netdist_course", "tests"}
    return {root for root in roots if not needs & {o.lower() for o in owners.get(root, [])}}


def test_a_foreign_import_is_seen():
    owners = importlib.metadata.packages_distributions()
    source = "import os\nfrom numpy import array\nimport yaml, bs4.element\n"
    assert foreign_imports(source, owners, {"numpy"}) == {"yaml", "bs4"}


# As on Colab


def test_all_chapters_run_as_on_colab():
    book = yaml.safe_load((ROOT / "_toc.yml").read_text())
    chapters = set(re.findall(r"notebooks/\w+", str(book)))
    assert {f"notebooks/{path.stem}" for path in colab_check.chapters()} == chapters
    assert len(chapters) == 6


def notebook(folder, source):
    path = folder / "chapter.ipynb"
    cell = nbformat.v4.new_code_cell(source)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), path)
    return path


def test_a_chapter_runs_in_an_empty_folder_and_its_error_is_reported(tmp_path, capsys):
    source = (
        "import os\n"
        "assert os.listdir() == ['chapter.ipynb']\n"
        "assert os.environ['NETDIST_SCALE'] == 'smoke' and 'PYTHONPATH' not in os.environ\n"
    )
    assert colab_check.execute(sys.executable, notebook(tmp_path, source), str(tmp_path)) == ""
    wrong = notebook(tmp_path, "raise ValueError('the claim left its band')")
    said = colab_check.execute(sys.executable, wrong, str(tmp_path))
    assert "chapter.ipynb" in said and "the claim left its band" in said
    assert capsys.readouterr().out.count("chapter: ") == 2


# In the cloud


def test_the_container_names_what_exists():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    image, _, python = container["image"].partition(":")
    assert image == "python" and python in lock_check.PYTHONS
    program, task = container["postCreateCommand"].split()
    assert program == "make" and task in tasks.TASKS
    code = container["customizations"]["vscode"]
    interpreter = code["settings"]["python.defaultInterpreterPath"]
    assert interpreter == "${containerWorkspaceFolder}/.venv/bin/python"
    assert tasks.VENV.relative_to(tasks.VENV.parent).as_posix() == ".venv"
    assert all(re.fullmatch(r"[\w-]+\.[\w-]+", name) for name in code["extensions"])
    known = {"name", "image", "hostRequirements", "postCreateCommand", "customizations"}
    assert set(container) <= known
