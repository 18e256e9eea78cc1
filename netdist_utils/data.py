"""The data of the book: scikit-learn's digits, CIFAR-10, and points in and out of a circle.

Images are decoded once and kept in memory as normalised float tensors: an epoch then costs the
arithmetic of the network and nothing else. `cifar` finds the files of CIFAR-10.
"""

import hashlib
import os
import warnings
from dataclasses import dataclass, field

import numpy as np
import torch

from netdist_utils import checks, cifar, settings

# As in the source of chapter 3: ImageNet's channel means and deviations, then luma weights.
MEAN = torch.tensor([0.485, 0.456, 0.406])
STD = torch.tensor([0.229, 0.224, 0.225])
LUMA = torch.tensor([0.2989, 0.587, 0.114])


@dataclass(frozen=True)
class Split:
    """Samples and their labels.

    Attributes
    ----------
    x : possibly empty (N, D, ...) tensor
    y : possibly empty (N,) long tensor from 0 on

    Raises
    ------
    TypeError, ValueError
        If x is not finite, or y is not one whole number from 0 on a sample.

    Examples
    --------
    >>> split = Split(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long))
    >>> len(split), len(split.first(2))
    (3, 2)
    """

    x: torch.Tensor
    y: torch.Tensor

    def __post_init__(self):
        checks.admit_fields(self)

    def __len__(self):
        return len(self.x)

    @checks.behind_the_door
    def first(self, n):
        """The first n samples (all of them where there are fewer), without a copy.

        Parameters
        ----------
        n : int from 0 on
        """
        return Split(self.x[:n], self.y[:n])

    def labels_for(self, z):
        """y, on the device of a network's outputs z (..., K), if all are in 0 to K - 1."""
        low, high = self.y.min(), self.y.max()
        if low < 0 or high >= z.shape[-1]:
            raise ValueError(f"labels are {low} to {high}; 0 to {z.shape[-1] - 1} have an output")
        return self.y.to(z.device)

    @property
    def fingerprint(self):
        """`fingerprint` of x and y as they are now: what a trained network depends on."""
        return fingerprint([self.x, self.y])


def fingerprint(tensors):
    """SHA-256 of the dtypes, shapes and bytes of tensors, in hexadecimal.

    Parameters
    ----------
    tensors : sequence of torch.Tensor

    Examples
    --------
    >>> fingerprint([torch.zeros(2)])[:6], fingerprint([torch.zeros(2, 1)])[:6]
    ('24e76c', 'ae1f5b')
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        array = np.ascontiguousarray(tensor.detach().cpu().numpy())
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(array)
    return digest.hexdigest()


@dataclass(frozen=True)
class ImageData:
    """A data set of images.

    Attributes
    ----------
    train, test : Split
    classes : sequence of str
    name : str
    """

    train: Split
    test: Split
    classes: list = field(repr=False)
    name: str = "digits"

    def __post_init__(self):
        checks.admit_fields(self)

    @checks.behind_the_door
    def first(self, n_train, n_test):
        """The same data set with its first images only.

        Parameters
        ----------
        n_train, n_test : int from 0 on
        """
        return ImageData(
            self.train.first(n_train), self.test.first(n_test), self.classes, self.name
        )


def digits(seed=0):
    """scikit-learn's 1,797 handwritten digits, 8 x 8 pixels, split 70 / 30 by class.

    Parameters
    ----------
    seed : int from 0 to 4294967295
        Of the split, so that all networks of a chapter share one.

    Returns
    -------
    ImageData
        Pixels divided by 16, in [0, 1]; train x (1257, 1, 8, 8), test x (540, 1, 8, 8).

    Examples
    --------
    >>> digits().train.x.shape
    torch.Size([1257, 1, 8, 8])
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.3, random_state=seed, stratify=y
    )

    def as_split(x, y):
        return Split(torch.tensor(x / 16).float().reshape(-1, 1, 8, 8), torch.tensor(y).long())

    return ImageData(
        as_split(x_train, y_train), as_split(x_test, y_test), [str(c) for c in range(10)], "digits"
    )


def circle(n, seed):
    """Points of the square, labelled by whether they lie outside a circle of half its area.

    Parameters
    ----------
    n : int from 0 on
        Number of points.
    seed : int from 0 on

    Returns
    -------
    Split
        x (n, 2), uniform on [-1, 1]^2; y (n,), 1 outside radius sqrt(2/pi), else 0.

    Examples
    --------
    >>> circle(4, seed=0).x.shape
    torch.Size([4, 2])
    """
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(n, 2, generator=generator) - 1
    return Split(x, (x.square().sum(1) > 2 / torch.pi).long())


def cifar10(root=None, grayscale=True):
    """CIFAR-10, normalised as in the source of chapter 3 (Krizhevsky 2009).

    Parameters
    ----------
    root : str or pathlib.Path, optional
        A folder with ``cifar10.npz`` or the official ``cifar-10-python.tar.gz`` (or a place to
        download it to). Without it: the cache folder, then ``NETDIST_DATA_DIR``, then
        a download into the cache folder.
    grayscale : bool
        One channel (luma of the normalised colours) or three.

    Returns
    -------
    ImageData
        train x (50000, C, 32, 32), test x (10000, C, 32, 32), C = 1 or 3.

    Raises
    ------
    cifar.DamagedDataError
        If a file that is there fails its SHA-256 or cannot be read.
    cifar.MissingDataError
        If there is no file and no download.

    Examples
    --------
    >>> cifar10().train.x.shape  # doctest: +SKIP
    torch.Size([50000, 1, 32, 32])
    """
    arrays = cifar.arrays(root)
    parts = [
        Split(
            _normalise(arrays[f"{part}_images"], grayscale),
            torch.from_numpy(arrays[f"{part}_labels"].astype(np.int64)),
        )
        for part in ("train", "test")
    ]
    return ImageData(*parts, cifar.CLASSES, "cifar10")


def images(name="auto", grayscale=True):
    """CIFAR-10 where it can be had, else scikit-learn's digits with a warning.

    Parameters
    ----------
    name : {"auto", "cifar10", "digits"}
        ``"auto"`` follows the variable ``NETDIST_DATASET`` where it is set; at smoke scale it
        means the digits.
    grayscale : bool
        For CIFAR-10; the digits have one channel in any case.

    Returns
    -------
    ImageData

    Raises
    ------
    ValueError
        If the name is unknown.
    cifar.DamagedDataError, cifar.MissingDataError
        If CIFAR-10 is asked for by name and cannot be had. A damaged file is an error under
        ``"auto"`` too.

    Examples
    --------
    >>> images("digits").name
    'digits'
    """
    if name == "auto":
        name = os.environ.get("NETDIST_DATASET") or "auto"
    if name == "auto" and settings.scale() == "smoke":
        name = "digits"
    if name not in ("auto", "cifar10", "digits"):
        raise ValueError(f"data set {name!r} is unknown; use 'auto', 'cifar10' or 'digits'")
    if name == "digits":
        return digits()
    try:
        return cifar10(grayscale=grayscale)
    except cifar.MissingDataError as error:
        if name == "cifar10":
            raise
        warnings.warn(f"{error} The embedded digits are used instead.", stacklevel=2)
        return digits()


def notice(images):
    """What a page says of its data: nothing much for CIFAR-10, a warning for the fallback.

    Parameters
    ----------
    images : ImageData

    Returns
    -------
    IPython.display.Markdown

    Examples
    --------
    >>> "digits" in notice(digits()).data
    True
    """
    from IPython.display import Markdown

    channels, height, width = images.train.x.shape[1:]
    kind = "gray" if channels == 1 else "colour"
    text = (
        f"Data: **{images.name}**, {len(images.train):,} training and {len(images.test):,} test "
        f"images, {height} x {width} pixels in {kind}."
    )
    if images.name == "digits":
        text += (
            "\n\n> **Not the published data.** This run uses scikit-learn's embedded digits, "
            "because it is a smoke run or CIFAR-10 was not at hand. The methods are the same; "
            "the numbers differ, and the ledger judges them by the digits' own bands."
        )
    return Markdown(text)


def pixels(x):
    """Undo the normalisation, for ``imshow``.

    Parameters
    ----------
    x : (N, 1 or 3, H, W) tensor
        Of `digits` (8 x 8, already in [0, 1]) or `cifar10`.

    Returns
    -------
    (N, H, W) or (N, H, W, 3) numpy array in [0, 1]

    Examples
    --------
    >>> pixels(digits().test.x[:2]).shape
    (2, 8, 8)
    """
    x = x.cpu()
    if x.shape[1] == 3:
        return (x * STD.view(3, 1, 1) + MEAN.view(3, 1, 1)).clamp(0, 1).movedim(1, -1).numpy()
    if x.shape[-1] == 8:
        return x[:, 0].clamp(0, 1).numpy()
    # Luma of white and of black after normalisation: grey lies linearly between them.
    white, black = (LUMA * (1 - MEAN) / STD).sum(), (LUMA * -MEAN / STD).sum()
    return ((x[:, 0] - black) / (white - black)).clamp(0, 1).numpy()


def _normalise(images, grayscale):
    """(N, H, W, 3) uint8 to (N, C, H, W) float, in blocks so that memory stays small."""
    out = torch.empty(len(images), 1 if grayscale else 3, *images.shape[1:3])
    for start in range(0, len(images), 5000):
        block = torch.from_numpy(images[start : start + 5000]).float().div_(255)
        block = (block - MEAN) / STD  # (B, H, W, 3)
        block = (block @ LUMA)[:, None] if grayscale else block.movedim(-1, 1)
        out[start : start + 5000] = block
    return out


checks.guard(__name__)
