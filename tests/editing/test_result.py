"""Pictures of one call that are written together, or not at all."""

import dataclasses

import numpy as np
import pytest
from PIL import ImageCms

from uvface.core.errors import InputError
from uvface.core.io.images import Photo, read_photo
from uvface.core.io.provenance import read_provenance
from uvface.core.io.sidecar import is_intact, read_sidecar
from uvface.core.io.signing import ContentSigner
from uvface.editing.result import EditResult, save_together


def made(level, **given):
    image = np.full((6, 8, 3), level, np.float32)
    photo = Photo(image=image, **given)
    return EditResult(image=image, faces=[], photo=photo, operation="edit", settings={})


class Signer(ContentSigner):
    """Signs nothing, but needs its time."""

    def __init__(self, meanwhile):
        self.meanwhile = meanwhile

    def sign(self, content, *, name, operation):
        self.meanwhile()
        return content


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_pictures_and_sidecars_stand_in_the_folder_and_nothing_else(tmp_path):
    save_together(tmp_path / "new" / "out", {"a.png": made(0.2), "b.jpg": made(0.6)})
    folder = tmp_path / "new" / "out"
    assert names(folder) == ["a.png", "a.png.json", "b.jpg", "b.jpg.json"]
    for name, level in (("a.png", 0.2), ("b.jpg", 0.6)):
        sidecar = read_sidecar(folder / name)
        assert sidecar["image"] == name and is_intact(folder / name, sidecar)
        np.testing.assert_allclose(read_photo(folder / name).image, level, atol=0.01)
    save_together(folder, {"a.png": made(0.4)}, sidecar=False)
    assert names(folder) == ["a.png", "b.jpg", "b.jpg.json"]  # that of the older one told of it


def test_links_stay_and_what_they_lead_to_is_written(tmp_path):
    """Those of pictures that are written together were replaced, unlike that of one alone."""
    for name in ("a.png", "a.png.json"):
        (tmp_path / name).symlink_to(tmp_path / "there" / name)
    ways = (
        lambda level: save_together(tmp_path, {"a.png": made(level)}),
        lambda level: made(level).save(tmp_path / "a.png"),
    )
    for write, level in zip(2 * ways, (0.2, 0.4, 0.6, 0.8), strict=True):
        write(level)
        assert names(tmp_path) == ["a.png", "a.png.json", "there"]
        assert all(path.is_symlink() for path in tmp_path.glob("a.*"))
        written = tmp_path / "there" / "a.png"
        assert is_intact(written, read_sidecar(written))
        np.testing.assert_allclose(read_photo(written).image, level, atol=0.01)
    made(0.5).save(tmp_path / "a.png", sidecar=False)
    assert names(tmp_path / "there") == ["a.png"]  # the sidecar told of the older one
    assert (tmp_path / "a.png.json").is_symlink()  # for the next one


@pytest.mark.parametrize("name", ["b.png", "b.png.json"])
def test_what_cannot_be_replaced_leaves_the_other_as_it_was(tmp_path, name):
    save_together(tmp_path, {"a.png": made(0.2)})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / name).mkdir()
    with pytest.raises(InputError) as raised:
        save_together(tmp_path, {"a.png": made(0.4), "b.png": made(0.6)})
    assert str(raised.value) == f"cannot write {tmp_path / name}: it is a folder"
    (tmp_path / name).rmdir()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("content", ['{"mine": 1}', "notes", ""])
def test_a_sidecar_of_others_is_not_written_over(tmp_path, content):
    (tmp_path / "a.png.json").write_text(content)
    said = "no sidecar of uvface; move it" if content else "empty; remove it"
    for save in (
        lambda: made(0.4).save(tmp_path / "a.png"),
        lambda: save_together(tmp_path, {"b.png": made(0.2), "a.png": made(0.4)}),
    ):
        with pytest.raises(InputError, match=rf"a\.png\.json is {said}"):
            save()
        assert names(tmp_path) == ["a.png.json"]
        assert (tmp_path / "a.png.json").read_text() == content
    made(0.4).save(tmp_path / "a.png", sidecar=False)
    assert (tmp_path / "a.png.json").read_text() == content


def test_a_sidecar_of_ours_that_was_cut_short_is_replaced(tmp_path):
    made(0.4).save(tmp_path / "a.png")
    sidecar = tmp_path / "a.png.json"
    whole = sidecar.read_bytes()
    sidecar.write_bytes(whole[:50])
    made(0.4).save(tmp_path / "a.png")
    assert sidecar.read_bytes() == whole


def test_a_failure_of_the_second_leaves_nothing(tmp_path):
    lost = dataclasses.replace(made(0.6), references=(tmp_path / "gone.png",))
    with pytest.raises(InputError, match=r"cannot read .*gone\.png"):
        save_together(tmp_path / "out", {"a.png": made(0.2), "b.png": lost})
    assert not names(tmp_path)
    with pytest.raises(InputError, match=r"out/b\.doc"):  # by the name that was asked for
        save_together(tmp_path / "out", {"a.png": made(0.2), "b.doc": made(0.6)})
    assert not names(tmp_path)


def test_no_input_of_any_is_written_over(tmp_path):
    save_together(tmp_path, {"a.png": made(0.2)}, sidecar=False)
    before = (tmp_path / "a.png").read_bytes()
    other = made(0.6, path=tmp_path / "a.png")
    with pytest.raises(InputError, match="would overwrite an input"):
        save_together(tmp_path, {"a.png": made(0.4), "b.png": other})
    assert (tmp_path / "a.png").read_bytes() == before and names(tmp_path) == ["a.png"]


def test_of_two_that_are_signed_at_once_each_writes_its_own(tmp_path):
    path = tmp_path / "out.png"
    other = Signer(lambda: None)
    made(0.8).save(path, signer=Signer(lambda: made(0.2).save(path, signer=other)))
    np.testing.assert_allclose(read_photo(path).image, 0.8, atol=1e-2)
    assert names(tmp_path) == ["out.png", "out.png.json"]


def test_what_is_signed_leaves_other_files_alone(tmp_path):
    mine = tmp_path / ".out.unsigned.png"
    mine.write_bytes(b"mine")
    made(0.8).save(tmp_path / "out.png", signer=Signer(lambda: None))
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize(("height", "width"), [(6, 8), (1600, 1500), (40, 4096)])
def test_a_notebook_shows_a_picture_that_says_what_it_is(tmp_path, height, width):
    image = np.full((height, width, 3), 0.25, np.float32)
    image[: height // 2] = 0.75
    alpha = np.full((height, width), 0.5, np.float32)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Photo(image=image, alpha=alpha, icc=profile)
    result = EditResult(image=image, faces=[], photo=photo, operation="swap", settings={})
    path = tmp_path / "shown.png"
    path.write_bytes(result._repr_png_())
    shown = read_photo(path)
    assert max(shown.image.shape) == min(max(height, width), 1024)
    np.testing.assert_allclose(shown.image[[0, -1], 0, 0], [0.75, 0.25], atol=0.004)
    np.testing.assert_allclose(shown.alpha, 0.5, atol=0.004)
    assert shown.icc == profile
    assert read_provenance(path).operation == "swap"
