import pytest

from netdist_utils import settings

SIZES = {"n": (1, 2, 3)}


def test_scale_is_standard_unless_said_otherwise(monkeypatch):
    assert settings.scale() == "standard"
    monkeypatch.setenv("NETDIST_SCALE", "")
    assert settings.scale() == "standard"


@pytest.mark.parametrize("scale", settings.SCALES)
def test_pick_follows_the_scale(monkeypatch, scale):
    monkeypatch.setenv("NETDIST_SCALE", scale)
    assert settings.pick(**SIZES).n == dict(zip(settings.SCALES, SIZES["n"], strict=True))[scale]


def test_unknown_scale_is_named(monkeypatch):
    monkeypatch.setenv("NETDIST_SCALE", "huge")
    with pytest.raises(ValueError, match="'huge'.*smoke, standard, full"):
        settings.pick(**SIZES)


@pytest.mark.parametrize("wrong", [(1, 2), 3, [1, 2, 3]])
def test_a_size_missing_at_another_scale_is_found_at_this_one(wrong):
    with pytest.raises(ValueError, match="width is .*smoke, standard, full"):
        settings.pick(n=(1, 1, 1), width=wrong)


def test_device_can_be_forced(monkeypatch):
    monkeypatch.setenv("NETDIST_DEVICE", "meta")
    assert settings.device().type == "meta"


def test_progress_passes_the_items_through():
    assert list(settings.progress(range(3), disable=True)) == [0, 1, 2]


@pytest.mark.parametrize("name", ["NETDIST_CACHE_DIR", "XDG_CACHE_HOME"])
def test_a_tilde_is_the_users_home(monkeypatch, tmp_path, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETDIST_CACHE_DIR", raising=False)
    monkeypatch.setenv(name, "~/somewhere")
    found = settings.cache_dir()
    assert found.is_dir() and found.is_relative_to(tmp_path / "somewhere")


def test_a_file_is_whole_or_not_there(tmp_path):
    def half(file):
        file.write(b"half")
        raise KeyboardInterrupt

    settings.keep(tmp_path / "kept", lambda file: file.write(b"before"))
    with pytest.raises(KeyboardInterrupt):
        settings.keep(tmp_path / "kept", half)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]
    settings.keep(tmp_path / "new" / "kept", lambda file: file.write(b"after"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["kept"]
