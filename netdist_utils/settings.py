"""How large, on what, and where: the few choices that a whole run shares.

Each is read from the environment when it is asked for, so that a notebook, a test and a build
can differ without editing a file. What a run leaves on disk is written here too, by `keep`.
"""

import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

SCALES = ("smoke", "standard", "full")
ORPHANED = 24 * 3600  # seconds after which a temporary file or a lock is nobody's


def scale():
    """Name of the scale at which chapters run: the variable ``NETDIST_SCALE``.

    Returns
    -------
    str
        ``"smoke"`` (seconds a chapter, for tests), ``"standard"`` (the default, and what is
        published) or ``"full"`` (a GPU: hundreds of networks).

    Raises
    ------
    ValueError
        If the variable holds anything else.

    Examples
    --------
    >>> scale() in SCALES
    True
    """
    name = os.environ.get("NETDIST_SCALE") or "standard"
    if name not in SCALES:
        raise ValueError(f"NETDIST_SCALE is {name!r}; it must be one of {', '.join(SCALES)}")
    return name


def pick(**sizes):
    """The sizes of one chapter at the current scale, one line a size.

    Parameters
    ----------
    **sizes : (smoke, standard, full)
        By name, a size at each scale.

    Returns
    -------
    types.SimpleNamespace
        Those of the current scale, read as attributes.

    Raises
    ------
    ValueError
        If a size has not three values: one that is missing at one scale is found out at every
        scale, not on the day that somebody has a GPU.

    Examples
    --------
    >>> knobs = pick(networks=(2, 20, 200), widths=([8], [8, 64], [8, 64, 512]))
    >>> knobs.networks in (2, 20, 200)
    True
    """
    for name, values in sizes.items():
        if not isinstance(values, tuple) or len(values) != len(SCALES):
            raise ValueError(f"{name} is {values!r}; a tuple ({', '.join(SCALES)}) is needed")
    position = SCALES.index(scale())
    return SimpleNamespace(**{name: values[position] for name, values in sizes.items()})


def device():
    """Where tensors live: ``NETDIST_DEVICE`` if set, else CUDA where there is one, else the CPU.

    Returns
    -------
    torch.device

    Examples
    --------
    >>> device().type in ("cpu", "cuda")
    True
    """
    import torch

    return torch.device(
        os.environ.get("NETDIST_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    )


def cache_dir():
    """Folder for data sets and trained networks, made if missing and if that is possible.

    ``NETDIST_CACHE_DIR`` if set, else ``netdist`` in the user's cache folder.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> cache_dir().is_dir()
    True
    """
    users = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "netdist")
    return folder(os.environ.get("NETDIST_CACHE_DIR") or users)


def folder(path):
    """A folder, with ``~`` read as the user's home; made if missing and if that is possible.

    Where it is not possible nothing is raised: `keep` says so once there is something to write.

    Examples
    --------
    >>> folder("~").is_absolute()
    True
    """
    path = Path(path).expanduser()
    with suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path


def keep(path, write):
    """Write a file whole or not at all; where the disk is full or read-only, warn and go on.

    The file is written beside its place, under a name that no other process or thread has, and
    then renamed. What killed processes have left in the folder goes after a day.

    Parameters
    ----------
    path : pathlib.Path
        Who may read it is decided by the umask, as for any file.
    write : callable
        Takes the open binary file.

    Warns
    -----
    UserWarning
        If the folder cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp(), "example.txt")
    >>> keep(path, lambda file: file.write(b"whole"))
    >>> path.read_bytes()
    b'whole'
    """
    partial = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            write(file)
        partial.replace(path)
        _sweep(path.parent)
    except OSError as error:
        # The same words for each file of a folder, so that Python says them once.
        words = f"{path.parent} cannot be written ({error.strerror}): what is computed is used"
        warnings.warn(f"{words}, but not kept for another time", stacklevel=2)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _sweep(place):
    """Remove temporary files and locks that are older than a day.

    A lock that is so old and still held costs a second training of the same network, no more.
    """
    for path in place.iterdir():
        with suppress(OSError):  # another process may sweep here, too
            if path.suffix in (".tmp", ".lock") and path.stat().st_mtime < time.time() - ORPHANED:
                path.unlink()


def progress(iterable=None, **kwargs):
    """A tqdm bar that leaves nothing behind; ``TQDM_DISABLE=1`` silences it (built pages).

    Parameters
    ----------
    iterable : iterable, optional
    **kwargs
        Passed to ``tqdm`` (``desc``, ``total``, ``disable``).

    Returns
    -------
    tqdm.tqdm

    Examples
    --------
    >>> sum(progress(range(3), disable=True))
    3
    """
    from tqdm.auto import tqdm

    silent = {"disable": True} if os.environ.get("TQDM_DISABLE") else {}
    return tqdm(iterable, **{"leave": False, **kwargs, **silent})
