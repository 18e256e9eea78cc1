"""The book's address: nobody's until it is adopted, then the same everywhere, and pinned."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import address  # noqa: E402

URL = "https://github.com/a-lecturer/book.of-2027"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone of what is here, as somebody who adopts the book has it."""
    root = tmp_path_factory.mktemp("adopted") / "book"
    run = {"check": True, "capture_output": True}
    subprocess.run(["git", "clone", "--quiet", ROOT, root], **run)
    changed = subprocess.run(["git", "-C", ROOT, "diff", "HEAD", "--binary"], **run).stdout
    if changed:
        subprocess.run(["git", "-C", root, "apply"], input=changed, **run)
    for key, value in {"user.name": "A", "user.email": "a@example.org"}.items():
        address.git(root, "config", key, value)
    if address.git(root, "status", "--porcelain"):
        address.git(root, "add", "--all")
        address.git(root, "commit", "--message", "What is here")
    address.adopt(URL, root)
    return root


def opening(path):
    """The first code of a notebook."""
    cells = json.loads(path.read_text())["cells"]
    return next("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def test_an_unset_address_installs_nothing_and_cannot_be_registered(monkeypatch):
    cell = address.opening_cell(None, "")
    assert "pip install" not in cell and "make adopt" in cell
    monkeypatch.setenv("NETDIST_SCALE", "full")
    assert address.UNSET.split("/")[2].endswith(".invalid")  # RFC 2606: nobody can own it
    scope = {}
    with pytest.raises(ModuleNotFoundError, match="no address"):
        exec(cell.replace('"netdist_utils") is None', '"netdist_nowhere") is None'), scope)
    exec(cell, scope)  # the package is here: nothing happens
    assert os.environ["NETDIST_SCALE"] == "full"  # who has chosen a size keeps it
    monkeypatch.delenv("NETDIST_SCALE")
    exec(cell, scope)
    assert os.environ["NETDIST_SCALE"] == "standard"


def test_an_address_is_installed_from_one_commit():
    cell = address.opening_cell(URL, "0" * 40)
    assert f"%pip install -q git+{URL}@{'0' * 40}" in cell


def test_what_is_here_names_no_address_of_others():
    """Until somebody adopts the book, or everywhere the same once somebody has."""
    named = address.address()
    for path in [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/student/*.ipynb")]:
        found = set(re.findall(r"git\+(https://[^@\s]+)", path.read_text()))
        assert found == ({named} if named else set()), path.name


def test_adopting_sets_the_address_everywhere_in_one_commit(clone):
    assert address.git(clone, "status", "--porcelain") == ""
    parent = address.git(clone, "rev-parse", "HEAD~1")
    assert address.address(clone) == URL and address.pin(clone) == parent
    for path in [*clone.glob("notebooks/*.ipynb"), *clone.glob("notebooks/student/*.ipynb")]:
        assert f"git+{URL}@{parent}" in opening(path), path.name
        place = path.relative_to(clone).as_posix()
        badge = json.loads(path.read_text())["cells"][1]["source"]
        assert f"a-lecturer/book.of-2027/blob/main/{place})" in "".join(badge)
        assert f"book.of-2027/notebooks/{path.stem}.html)" in "".join(badge)
    readme = (clone / "README.md").read_text()
    assert readme.count("/blob/main/notebooks/") == len(list(clone.glob("notebooks/*.py")))
    citation = yaml.safe_load((clone / "CITATION.cff").read_text())
    assert citation["repository-code"] == URL
    assert citation["url"] == "https://a-lecturer.github.io/book.of-2027/"
    config = yaml.safe_load((clone / "_config.yml").read_text())
    assert config["sphinx"]["config"]["html_baseurl"] == citation["url"]
    texts = [p for p in address.git(clone, "ls-files").splitlines() if not p.endswith(".py")]
    left = [p for p in texts if address.UNSET in (clone / p).read_text(errors="ignore")]
    assert left == []


def test_adopting_again_changes_nothing_but_the_pin(clone):
    before = address.git(clone, "rev-parse", "HEAD")
    address.adopt(URL, clone)
    names = address.git(clone, "diff", "--name-only", before, "HEAD").split()
    assert "_config.yml" not in names and "README.md" not in names
    assert address.pin(clone) == before


def test_pages_of_another_repository_are_not_published(clone):
    assert address.check(URL, clone) == ""
    fork = address.check("https://github.com/somebody/else", clone)
    assert URL in fork and "make adopt ADDRESS=https://github.com/somebody/else" in fork
    unset = address.check("https://github.com/somebody/else", ROOT)
    assert address.address() or "no address" in unset


def test_a_package_that_changed_since_the_pin_is_not_published(clone):
    head = address.git(clone, "rev-parse", "HEAD")
    (clone / "netdist_utils" / "words.py").write_text("# changed\n")
    address.git(clone, "commit", "--all", "--message", "A change")
    assert "netdist_utils/words.py" in address.check(URL, clone)
    address.git(clone, "reset", "--hard", "--quiet", head)


@pytest.mark.parametrize(
    "url",
    ["", "github.com/you/book", "http://github.com/you/book", "https://github.com/you",
     "https://github.com/you/book.git", "https://github.com/you/book; rm -rf", address.UNSET],
)  # fmt: skip
def test_what_is_no_address_is_refused(url):
    with pytest.raises(SystemExit, match="is no address of a repository"):
        address.adopt(url, ROOT)


def test_changes_that_are_not_committed_are_not_swept_along(clone):
    (clone / "README.md").write_text("half done")
    with pytest.raises(SystemExit, match="not committed"):
        address.adopt(URL, clone)
    address.git(clone, "checkout", "--quiet", "README.md")


def test_the_pages_of_a_repository_that_is_a_users_own():
    assert address.pages("https://github.com/You/you.github.io") == "https://you.github.io/"
    assert address.pages("https://github.com/You/book") == "https://you.github.io/book/"


# What the workflows may do


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_have_least_permissions_and_pinned_actions(path):
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}, "more is granted to single jobs only"
    used = re.findall(r"uses: (\S+)", text)
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used), used
    assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")


def test_pages_are_checked_and_tested_before_they_are_published():
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    steps = ["tools/address.py check", "make book", "tests/test_site", "upload-pages-artifact"]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert "NETDIST_DATASET: cifar10" in text


def test_dependabot_watches_actions_and_packages():
    found = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    assert {entry["package-ecosystem"] for entry in found["updates"]} == {"github-actions", "pip"}
