"""Folders and files of `uvface synthesize`: what is refused, and what the pictures say."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import toy_faces

import uvface
from uvface.cli import main
from uvface.core import reconstruct, synthesize
from uvface.core.errors import InputError, NoFaceError
from uvface.core.io.contact_sheet import write_contact_sheet
from uvface.core.io.images import read_photo, write_image
from uvface.core.io.provenance import (
    ALGORITHMIC_MEDIA,
    COMPOSITE_SYNTHETIC,
    Provenance,
    read_provenance,
)
from uvface.core.synthesis import files
from uvface.core.synthesis.files import prepare_folder, write_picture, write_sample
from uvface.core.synthesis.origin import Origin, photo_origin
from uvface.core.synthesis.photo_faces import find_known_faces
from uvface.core.synthesis.photo_files import turn_photos
from uvface.core.synthesis.pool import _write_header
from uvface.core.synthesis.request import TurnedRequest

PHOTOS = Path(__file__).resolve().parents[3] / "examples" / "photos"


@pytest.mark.parametrize(("is_drawn", "said"), [(1, ALGORITHMIC_MEDIA), (0, COMPOSITE_SYNTHETIC)])
def test_pictures_say_that_they_are_synthetic(tmp_path: Path, is_drawn: int, said: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    write_picture(tmp_path / "a.png", image, is_drawn=bool(is_drawn))
    found = read_provenance(tmp_path / "a.png")
    assert found is not None and found.is_synthetic
    assert (found.operation, found.source_type) == ("synthesize", said)
    np.testing.assert_array_equal(np.rint(255 * read_photo(tmp_path / "a.png").image), image)


def test_pictures_of_two_runs_are_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "face_00007.json").touch()
    write_picture(tmp_path / "face_00007.png", np.zeros((8, 8, 3), np.uint8), is_drawn=True)
    prepare_folder(tmp_path, 8)
    with pytest.raises(InputError, match="holds face_00007, of a larger run; choose another"):
        prepare_folder(tmp_path, 7)
    with pytest.raises(InputError, match="cannot make the folder"):
        prepare_folder(tmp_path / "face_00007.json", 7)


@pytest.mark.parametrize("name", ["face_00001.png", "face_00001_posmap.npz", "contact_sheet.png"])
def test_files_of_others_are_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """They were, without a word."""

    def load(*_, **__):
        raise AssertionError("sources were loaded, which takes seconds")

    monkeypatch.setattr(files, "load_generator", load)
    cv2.imwrite(str(tmp_path / "own.png"), np.zeros((8, 8, 3), np.uint8))
    content = (tmp_path / "own.png").rename(tmp_path / name).read_bytes()
    with pytest.raises(InputError, match=f"{name} is there and of no earlier run; move it, or"):
        uvface.synthesize(2, tmp_path, assets=tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [content]
    if name.startswith("face"):
        prepare_folder(tmp_path, 1)  # no picture takes its name


def test_pictures_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    """A call that was interrupted, or with another seed, is made anew; what is edited stays."""
    image = np.zeros((16, 16, 3), np.uint8)
    labels = {
        "position_map": image.astype(np.float32),
        "visibility": image[..., 0],
        "landmarks": np.zeros((68, 3)),
        "angles": np.zeros(3),
    }
    write_sample(tmp_path, "face_00000", image, labels, is_drawn=False)
    write_picture(tmp_path / "contact_sheet.png", image, is_drawn=True)
    write_picture(tmp_path / "face_00001.png", image, is_drawn=True)
    for own in ("face_00001_mine.png", "face_1.png", "notes.txt"):
        (tmp_path / own).touch()
    prepare_folder(tmp_path, 2)
    made = Provenance(operation="edit eyes")
    write_image(tmp_path / "face_00001.png", image.astype(np.float32), provenance=made)
    with pytest.raises(InputError, match=r"face_00001\.png is there"):
        prepare_folder(tmp_path, 2)


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range_are_refused(tmp_path: Path, pool: bool, seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        uvface.synthesize(1, tmp_path / "out", assets=tmp_path, seed=seed, pool=pool)
    arguments = ["synthesize", "-n", "1", "-o", str(tmp_path / "out"), "--assets", str(tmp_path)]
    assert main([*arguments, "--seed", str(seed)]) == 2


def test_pictures_never_lie_among_the_photos_they_are_made_of(tmp_path: Path) -> None:
    """The next run would turn them, too."""
    arguments = ["synthesize", "-n", "1", "-o", str(tmp_path), "--photos", str(tmp_path)]
    assert main([*arguments, "--device", "cpu"]) == 2
    assert not any(tmp_path.iterdir())


def test_photos_that_show_no_face_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """The first that could not be read ended the call; those without a face went unsaid."""
    for name in ("broken.jpg", "grey.jpg", "person.jpg"):
        (tmp_path / name).touch()
    _, toy = toy_faces.toy_photo(3)

    class Reader:
        layout = toy_faces.layout()
        weights_sha256 = ""

        def reconstruct(self, photo, *, boxes=None, faces="all"):
            if photo.name == "broken.jpg":
                raise InputError(f"{photo} is damaged")
            return [toy] if photo.name == "person.jpg" else []

    errors: list[Exception] = []
    (found,) = find_known_faces(tmp_path, Reader(), left_out=errors.append)
    assert found.path.name == "person.jpg"
    assert [type(error) for error in errors] == [InputError, NoFaceError]
    assert "broken.jpg is damaged" in str(errors[0]) and "grey.jpg" in str(errors[1])


def test_photos_are_those_that_other_commands_find_in_a_folder(tmp_path: Path) -> None:
    """Hidden files and results counted as photos, GIF and AVIF did not."""
    _, toy = toy_faces.toy_photo(3)
    for name in ("a.gif", "b.avif", "c.png", "._c.png", "d.txt"):
        (tmp_path / name).touch()
    write_contact_sheet(tmp_path / "sheet.png", [{"image": "c.png", "error": "damaged"}])

    class Reader:
        layout = toy_faces.layout()
        weights_sha256 = ""

        def reconstruct(self, photo, *, boxes=None, faces="all"):
            return [toy]

    found = [face.path.name for face in find_known_faces(tmp_path, Reader())]
    assert found == ["a.gif", "b.avif", "c.png"]
    given = {"pack": None, "assets": None, "fits": None, "weights": ""}
    before = photo_origin(tmp_path, **given)
    (tmp_path / "._c.png").write_bytes(b"another")
    assert photo_origin(tmp_path, **given) == before
    (tmp_path / "a.gif").write_bytes(b"another")
    assert photo_origin(tmp_path, **given) != before


@pytest.mark.weights
def test_without_any_face_each_photo_is_named_and_then_all(tmp_path: Path, capsys) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "broken.jpg").write_bytes(b"words")
    cv2.imwrite(str(photos / "grey.png"), np.full((60, 80, 3), 128, np.uint8))
    arguments = ["synthesize", "-n", "1", "-o", str(tmp_path / "out"), "--photos", str(photos)]
    assert main(arguments) == 1
    broken, grey, last = capsys.readouterr().err.splitlines()
    assert broken.startswith(f"error: {photos / 'broken.jpg'} ")
    assert grey == "warning: no face found in grey.png; it is left out"
    assert last.startswith("error: no face found in ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("error", "code"), [(InputError, 1), (NoFaceError, 0)])
def test_a_photo_that_cannot_be_read_is_a_failure_though_pictures_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception], code: int
) -> None:
    def run(*_, left_out, **__):
        left_out(error("one photo"))
        return tmp_path

    monkeypatch.setattr(synthesize, "turn_photos", run)
    monkeypatch.setattr(synthesize, "as_model", lambda model: model)
    monkeypatch.setattr(reconstruct, "load", lambda weights: None)
    arguments = ["synthesize", "-n", "1", "-o", str(tmp_path), "--photos", str(PHOTOS)]
    assert main(arguments) == code


@pytest.mark.parametrize(
    "options",
    [
        ["--photos", str(PHOTOS), "--assets", str(PHOTOS)],
        ["--photos", str(PHOTOS), "--photo-skins", str(PHOTOS)],
        ["--assets", str(PHOTOS), "--weights", "prn"],
    ],
)
def test_what_would_do_nothing_is_wrong_usage(tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "out"
    assert main(["synthesize", "-n", "1", "-o", str(out), *options]) == 2
    assert not out.exists()


@pytest.mark.parametrize("pool", [False, True])
def test_a_folder_that_cannot_be_made_is_told_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: bool
) -> None:
    def load(*_, **__):
        raise AssertionError("sources were loaded, which takes seconds")

    monkeypatch.setattr(files, "load_generator", load)
    (tmp_path / "out").touch()
    with pytest.raises(InputError, match="cannot make the folder"):
        uvface.synthesize(1, tmp_path / "out", assets=tmp_path, pool=pool)


@pytest.mark.parametrize("pool", [False, True])
def test_sources_that_cannot_be_loaded_leave_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: bool
) -> None:
    def load(*_, **__):
        assert (tmp_path / "new" / "out").is_dir()
        raise InputError("damaged")

    monkeypatch.setattr(files, "load_generator", load)
    with pytest.raises(InputError, match="damaged"):
        uvface.synthesize(1, tmp_path / "new" / "out", assets=tmp_path, pool=pool)
    assert not any(tmp_path.iterdir())


def test_photos_are_not_labelled_in_another_layout(tmp_path: Path) -> None:
    """Pools said that they were made for `uvface`, whatever the weights were for."""

    class Reader:
        layout = toy_faces.layout()
        weights_sha256 = ""

        def reconstruct(self, photo, *, boxes=None, faces="all"):
            raise AssertionError("nothing is read")

    request = TurnedRequest(count=1, output=tmp_path / "out", photos=PHOTOS, pool=True)
    with pytest.raises(InputError, match="are for the UV layout toy, labels are written in uvface"):
        turn_photos(request, Reader(), report=lambda done: None, left_out=lambda error: None)
    assert not (tmp_path / "out").exists()


def test_fits_that_would_not_be_used_are_refused(tmp_path: Path) -> None:
    class Reader:
        def reconstruct(self, photo, *, boxes=None, faces="all"):
            raise AssertionError("nothing is read")

        layout = None
        weights_sha256 = ""

    with pytest.raises(InputError, match=r"is for the data pack's photos, not for .*photos; leave"):
        find_known_faces(PHOTOS, Reader(), fits=tmp_path)
    of_people = {"names": "anna", "subject": "1", "mediapipe478": np.zeros((1, 478, 3))}
    np.savez(tmp_path / "landmarks.npz", **of_people)
    with pytest.raises(InputError, match=r"no fits\.npz in .*nothing; make it"):
        find_known_faces(tmp_path, Reader(), fits=tmp_path / "nothing")


def test_a_damaged_header_of_a_pool_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot read .*pool\.json"):
        _write_header(tmp_path, 1, 0, Origin(data="", licences={}, sources_sha256=""))
