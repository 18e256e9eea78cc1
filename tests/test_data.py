import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from netdist_utils import cifar, data
from tests.helpers import allclose


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

    np.savez(tmp_path / "cifar10.npz", **tiny)
    images = data.cifar10(tmp_path, grayscale=grayscale)
    steps = [transforms.ToTensor(), transforms.Normalize(data.MEAN.tolist(), data.STD.tolist())]
    pipeline = transforms.Compose(steps + [transforms.Grayscale()] * grayscale)
    for ours, image in zip(images.train.x, tiny["train_images"], strict=True):
        assert allclose(ours, pipeline(image), atol=1e-5)
    shown = data.pixels(images.train.x)
    original = tiny["train_images"] / 255
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
    with pytest.raises(ValueError, match="N is 3, not 2"):
        data.Split(torch.zeros(3, 2), torch.zeros(2).long())
    one, same, other = data.circle(5, 0), data.circle(5, 0), data.circle(5, 1)
    assert one.fingerprint == same.fingerprint != other.fingerprint
    relabelled = data.Split(one.x, 1 - one.y)
    assert relabelled.fingerprint != one.fingerprint


def test_pixels_refuses_flat_images():
    with pytest.raises(ValueError, match=r"\(4, 64\)"):
        data.pixels(torch.zeros(4, 64))


def test_notice_says_which_data():
    assert "Not the published data" in data.notice(data.digits()).data


@pytest.mark.parametrize("value", [-9.0, 9.0])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 5, 5), (3, 5, 5)])
def test_pixels_stay_between_black_and_white(value, shape):
    assert (data.pixels(torch.full((2, *shape), value)) == (value > 0)).all()


def test_blocks_of_images_are_put_where_they_belong():
    images = np.random.default_rng(0).integers(0, 256, (5003, 1, 1, 3), dtype=np.uint8)
    found = data._normalise(images, grayscale=False)
    expected = (torch.from_numpy(images) / 255 - data.MEAN) / data.STD
    assert allclose(found, expected.movedim(-1, 1), atol=1e-5)


@pytest.mark.parametrize("grayscale", [True, False])
def test_images_come_in_the_colours_asked_for(tiny, tmp_path, monkeypatch, grayscale):
    np.savez(tmp_path / "cifar10.npz", **tiny)
    monkeypatch.setenv("NETDIST_DATA_DIR", str(tmp_path))
    found = data.images("cifar10", grayscale=grayscale)
    assert found.train.x.shape[1] == (1 if grayscale else 3)
    assert found.train.y.dtype == torch.long
