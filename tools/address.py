"""Where this book lives: one address, set by one command, in every place that names it.

    python tools/address.py adopt https://github.com/you/book    set it everywhere, in one commit
    python tools/address.py pin                                  install from the commit of today
    python tools/address.py check https://github.com/you/book    exit 1 if pages would name another

As long as nobody has adopted the book, its address is one that cannot be registered (RFC 2606):
nothing is installed from it, and no button leads to it. Notebooks install the package from one
commit, the pin, and not from whatever a branch holds on the day that a reader opens them.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
UNSET = "https://address.invalid/not-set"
ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
PACKAGE = ("netdist_utils", "netdist_course", "pyproject.toml")
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BADGES = re.compile(r"(<!-- badges -->\n).*?(<!-- /badges -->)", re.DOTALL)
OPENING = """# @title Set up: how much to run, and the book's package where it is missing
import importlib.util
import os

SCALE = "standard"  # @param ["smoke", "standard", "full"]
os.environ.setdefault("NETDIST_SCALE", SCALE)  # "smoke" takes seconds, "full" wants a GPU
if importlib.util.find_spec("netdist_utils") is None:
    {how}"""
NOWHERE = """raise ModuleNotFoundError(
        "netdist_utils is not installed, and this copy of the book has no address to install it "
        "from. In a clone of the book, run `make env` and use the environment .venv; "
        "whoever publishes the book runs `make adopt ADDRESS=...` first."
    )"""


def address(root=ROOT):
    """The book's address, or None where nobody has set one."""
    url = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    return None if url == UNSET else url


def pin(root=ROOT):
    """The commit that notebooks install the package from; empty where none is set."""
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    return citation.get("commit", "")


def opening_cell(url, commit):
    """Source of a notebook's first code: the size, and the package only where it is missing."""
    how = f"%pip install -q git+{url}@{commit}" if url else NOWHERE
    return OPENING.format(how=how)


def links(url, path):
    """Badge of Colab and link to the page in the book, for the notebook at a path."""
    page = f"{pages(url)}notebooks/{Path(path).stem}.html"
    return f"[![Open in Colab]({BADGE})]({colab(url, path)}) [This chapter in the book]({page})"


def colab(url, path):
    """Address at which Colab opens a notebook of the repository."""
    return f"{url.replace('github.com', 'colab.research.google.com/github')}/blob/main/{path}"


def pages(url):
    """Address of the pages that GitHub serves for a repository."""
    owner, name = url.removeprefix("https://github.com/").split("/")
    own = f"{owner}.github.io".lower()
    return f"https://{own}/" if name.lower() == own else f"https://{own}/{name}/"


def badges(url, root=ROOT):
    """The README's row of badges, one for each notebook."""
    stems = sorted(path.stem for path in (root / "notebooks").glob("*.py"))
    links = [f"[![{s}]({BADGE})]({colab(url, f'notebooks/{s}.ipynb')})" for s in stems]
    return f"Read it: <{pages(url)}>\n\n{' '.join(links)}\n"


def git(root, *arguments):
    """What a git command prints."""
    run = ["git", "-C", str(root), *arguments]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()


def refuse(url):
    """Why a text is no address, or nothing."""
    if ADDRESS.fullmatch(url) and not url.endswith(".git"):
        return ""
    return f"{url!r} is no address of a repository; use one like https://github.com/you/book"


def write(root, url, commit):
    """Set address and pin in the configuration, the citation, the README and the notebooks."""
    config = (root / "_config.yml").read_text(encoding="utf-8")
    config = re.sub(r"(repository:\n  url: )\S+", rf"\g<1>{url}", config)
    config = re.sub(r"( {4}html_baseurl: )\S+", rf'\g<1>"{pages(url)}"', config)
    (root / "_config.yml").write_text(config, encoding="utf-8")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    for key, value in {"repository-code": url, "url": pages(url), "commit": commit}.items():
        citation = re.sub(rf"^{key}: .*\n", "", citation, flags=re.MULTILINE)
        citation += f'{key}: "{value}"\n'
    (root / "CITATION.cff").write_text(citation, encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    readme = BADGES.sub(lambda m: m[1] + badges(url, root) + m[2], readme)
    (root / "README.md").write_text(readme, encoding="utf-8")
    sync = [sys.executable, str(root / "tools" / "sync_notebooks.py")]
    subprocess.run(sync, check=True, cwd=root)


def adopt(url, root=ROOT):
    """Set the address everywhere and commit that alone; the pin is the commit before."""
    if why := refuse(url):
        raise SystemExit(why)
    if git(root, "status", "--porcelain"):
        raise SystemExit("there are changes that are not committed; commit or stash them first")
    write(root, url, git(root, "rev-parse", "HEAD"))
    if git(root, "status", "--porcelain"):
        git(root, "commit", "--all", "--message", f"Adopted at {url}")


def check(url, root=ROOT):
    """Why pages of this tree must not be published at an address, or nothing."""
    if address(root) != url:
        named = address(root) or "no address"
        return f"the pages name {named}, not {url}: run `make adopt ADDRESS={url}`"
    if changed := git(root, "diff", "--name-only", pin(root), "HEAD", "--", *PACKAGE):
        return f"the package has changed since the pin ({changed.split()[0]}, ...): run `make pin`"
    return ""


def main(arguments=None):
    """Adopt, pin or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("do", choices=["adopt", "pin", "check"])
    parser.add_argument("url", nargs="?", default=address() or "")
    options = parser.parse_args(arguments)
    if options.do == "check":
        if why := check(options.url):
            print(why)
        return int(bool(why))
    adopt(options.url)
    print(f"address {address()}, pin {pin()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
