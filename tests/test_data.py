import functools
import hashlib
import http.server
import io
import pickle
import socket
import tarfile
import threading
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torchvision.datasets import CIFAR10

from netdist_utils import cifar, data
from tests.helpers import allclose


@pytest.fixture
def tiny(monkeypatch):
    """A CIFAR-10 of twelve images: the arrays, and the official archive's layout as bytes."""
    rng = np.random.default_rng(0)
    found = {
        "train_images": rng.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8),
        "train_labels": np.arange(10, dtype=np.uint8),
        "test_images": rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8),
        "test_labels": np.array([3, 1], dtype=np.uint8),
    }
    sums = {name: hashlib.sha256(array).hexdigest() for name, array in found.items()}
    monkeypatch.setattr(cifar, "SHA256", sums)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        parts = {f"data_batch_{i + 1}": ("train", slice(2 * i, 2 * i + 2)) for i in range(5)}
        for name, (part, rows) in {**parts, "test_batch": ("test", slice(0, 2))}.items():
            flat = found[f"{part}_images"][rows].transpose(0, 3, 1, 2).reshape(2, 3072)
            labels = found[f"{part}_labels"][rows].tolist()
            content = pickle.dumps({"data": flat, "labels": labels})
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return found, buffer.getvalue()


@pytest.fixture
def server(tiny, tmp_path, monkeypatch):
    """torchvision's address and checksum, pointed at a server on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / cifar.ARCHIVE).write_bytes(tiny[1])
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = None
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))  # looks for its end often
    thread.start()
    monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{httpd.server_port}/{cifar.ARCHIVE}")
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(tiny[1]).hexdigest())
    yield folder
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def offline(monkeypatch):
    """An address at which nothing listens: held for the whole test, so that nobody else can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        monkeypatch.setattr(
            CIFAR10, "url", f"http://127.0.0.1:{held.getsockname()[1]}/none.tar.gz"
        )
        yield


def same(found, expected):
    return all(np.array_equal(found[name], expected[name]) for name in expected)


def test_three_ways_one_result(tiny, server, own_cache, tmp_path, monkeypatch):
    """Download, then the decoded file it left; a folder's npz; a folder's archive."""
    expected, archive = tiny
    assert same(cifar.arrays(), expected)
    assert (own_cache / "cifar10.npz").exists()
    (server / cifar.ARCHIVE).unlink()  # from here on only the cache can serve
    assert same(cifar.arrays(), expected)

    npz = tmp_path / "npz"
    npz.mkdir()
    np.savez(npz / "cifar10.npz", **expected)
    assert same(cifar.arrays(npz), expected)

    tar = tmp_path / "tar"
    tar.mkdir()
    (tar / cifar.ARCHIVE).write_bytes(archive)
    assert same(cifar.arrays(tar), expected)
    assert same(cifar.arrays(tar), expected)

    (own_cache / "cifar10.npz").unlink()
    (own_cache / cifar.ARCHIVE).unlink()
    monkeypatch.setenv("NETDIST_DATA_DIR", str(npz))
    assert same(cifar.arrays(), expected)


def test_a_damaged_file_is_named_and_never_used(tiny, tmp_path):
    expected, archive = tiny
    path = tmp_path / "cifar10.npz"
    wrong = {**expected, "test_images": expected["test_images"] ^ 1}
    np.savez(path, **wrong)
    with pytest.raises(
        cifar.DamagedDataError, match=r"cifar10.npz: test_images.*\(2, 32, 32, 3\)"
    ):
        data.cifar10(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(cifar.DamagedDataError, match="cifar10.npz"):
        data.cifar10(tmp_path)
    path.unlink()
    (tmp_path / cifar.ARCHIVE).write_bytes(archive[: len(archive) // 2])
    with pytest.raises(cifar.DamagedDataError, match="cifar-10-python"):
        data.cifar10(tmp_path)


def test_a_truncated_download_leaves_nothing(server, own_cache, capsys):
    whole = (server / cifar.ARCHIVE).read_bytes()
    (server / cifar.ARCHIVE).write_bytes(whole[:-100])
    with pytest.raises(cifar.MissingDataError, match="could not be downloaded"):
        data.cifar10()
    assert not list(own_cache.glob("*cifar-10*")) and not list(own_cache.glob("download*"))


def test_offline_falls_back_to_digits_and_says_so(offline):
    with pytest.warns(UserWarning, match="digits are used instead"):
        assert data.images().name == "digits"
    with pytest.raises(cifar.MissingDataError):
        data.images("cifar10")


def test_asking_by_variable_makes_the_fallback_an_error(offline, monkeypatch):
    monkeypatch.setenv("NETDIST_DATASET", "cifar10")
    with pytest.raises(cifar.MissingDataError):
        data.images()


def test_a_damaged_file_is_no_reason_to_fall_back(own_cache):
    (own_cache / "cifar10.npz").write_bytes(b"not a zip file")
    with pytest.raises(cifar.DamagedDataError, match="cifar10.npz"):
        data.images()


def test_smoke_uses_digits_without_looking(monkeypatch, offline):
    monkeypatch.setenv("NETDIST_SCALE", "smoke")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.images().name == "digits"


def test_unknown_data_set_is_named():
    with pytest.raises(ValueError, match="'mnist'"):
        data.images("mnist")


@pytest.mark.parametrize("grayscale", [True, False])
def test_normalisation_equals_the_sources_transforms(tiny, tmp_path, grayscale):
    """The source's pipeline, one image at a time, and its inverse."""
    from torchvision import transforms

    np.savez(tmp_path / "cifar10.npz", **tiny[0])
    images = data.cifar10(tmp_path, grayscale=grayscale)
    steps = [transforms.ToTensor(), transforms.Normalize(data.MEAN.tolist(), data.STD.tolist())]
    pipeline = transforms.Compose(steps + [transforms.Grayscale()] * grayscale)
    for ours, image in zip(images.train.x, tiny[0]["train_images"], strict=True):
        assert allclose(ours, pipeline(image), atol=1e-5)
    shown = data.pixels(images.train.x)
    original = tiny[0]["train_images"] / 255
    if grayscale:
        # Luma of the normalised colours is luma with the weights divided by the deviations.
        weights = (data.LUMA / data.STD).numpy()
        original = original @ weights / weights.sum()
    assert allclose(shown, original, atol=1e-5)


def test_digits_are_all_there_once():
    images = data.digits()
    x, _ = load_digits(return_X_y=True)
    both = torch.cat([images.train.x, images.test.x]).flatten(1).numpy() * 16
    assert sorted(map(tuple, both)) == sorted(map(tuple, x))
    assert (len(images.train), len(images.test)) == (1257, 540)
    assert torch.equal(images.train.y, data.digits().train.y)
    assert not torch.equal(images.train.y, data.digits(seed=1).train.y)


def test_half_of_the_square_lies_outside_the_circle():
    split = data.circle(40_000, seed=0)
    assert split.x.abs().max() <= 1
    outside = (split.x.square().sum(1) > 2 / torch.pi).long()
    assert torch.equal(split.y, outside)
    assert abs(split.y.float().mean().item() - 0.5) < 4 * 0.5 / 200  # four standard errors
    assert torch.equal(split.x, data.circle(40_000, seed=0).x)
    assert len(data.circle(0, seed=0)) == 0


def test_split_refuses_unequal_lengths_and_knows_its_content():
    with pytest.raises(ValueError, match=r"\(3, 2\).*2 labels"):
        data.Split(torch.zeros(3, 2), torch.zeros(2))
    one, same, other = data.circle(5, 0), data.circle(5, 0), data.circle(5, 1)
    assert one.fingerprint == same.fingerprint != other.fingerprint
    relabelled = data.Split(one.x, 1 - one.y)
    assert relabelled.fingerprint != one.fingerprint


def test_pixels_refuses_flat_images():
    with pytest.raises(ValueError, match=r"\(4, 64\)"):
        data.pixels(torch.zeros(4, 64))


def test_notice_says_which_data():
    assert "Not the published data" in data.notice(data.digits()).data
