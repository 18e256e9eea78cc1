import base64

import numpy as np

from netdist_utils import interactive


def test_pack_can_be_unpacked():
    array = np.arange(6, dtype=">f4").reshape(2, 3)
    packed = interactive.pack(array)
    back = np.frombuffer(base64.b64decode(packed["base64"]), "<f4").reshape(packed["shape"])
    assert packed["dtype"] == "float32" and np.array_equal(back, array)


def test_figures_of_one_page_do_not_collide(tmp_path, monkeypatch):
    folder = tmp_path / "thing"
    folder.mkdir()
    (folder / "figure.js").write_text("function mount(root, data) {}")
    (folder / "figure.css").write_text(".netdist-figure { color: red }")
    monkeypatch.setattr(interactive, "files", lambda package: tmp_path)
    one, two = (
        interactive.figure("thing", {"text": "</script>"}, title='a "title"').data for _ in "12"
    )
    assert one != two
    assert one.count("</script>") == 1  # the data cannot end the script
    assert "&quot;title&quot;" in one
