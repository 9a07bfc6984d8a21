"""Folders and files of `uvface synthesize`: what is refused, and what the pictures say."""

from pathlib import Path

import numpy as np
import pytest

from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.io.images import read_photo
from uvface.core.io.provenance import ALGORITHMIC_MEDIA, COMPOSITE_SYNTHETIC, read_provenance
from uvface.core.synthesis.files import prepare_folder, synthesize, synthesize_pool, write_picture
from uvface.core.synthesis.photo_faces import find_photos
from uvface.core.synthesis.pool import _write_header

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
    prepare_folder(tmp_path, 8)
    with pytest.raises(InputError, match="holds face_00007, of a larger run; choose another"):
        prepare_folder(tmp_path, 7)
    with pytest.raises(InputError, match="cannot make the folder"):
        prepare_folder(tmp_path / "face_00007.json", 7)


@pytest.mark.parametrize("run", [synthesize, synthesize_pool])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range_are_refused(tmp_path: Path, run, seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        run(1, tmp_path / "out", assets=tmp_path, seed=seed)
    arguments = ["synthesize", "-n", "1", "-o", str(tmp_path / "out"), "--assets", str(tmp_path)]
    assert main([*arguments, "--seed", str(seed)]) == 2


def test_pictures_never_lie_among_the_photos_they_are_made_of(tmp_path: Path) -> None:
    """The next run would turn them, too."""
    arguments = ["synthesize", "-n", "1", "-o", str(tmp_path), "--photos", str(tmp_path)]
    assert main([*arguments, "--device", "cpu"]) == 2
    assert not any(tmp_path.iterdir())


def test_fits_that_would_not_be_used_are_refused(tmp_path: Path) -> None:
    class Reader:
        def reconstruct(self, photo, *, boxes=None, faces="all"):
            raise AssertionError("nothing is read")

        layout = None

    with pytest.raises(InputError, match=r"is for the data pack's photos, not for .*photos; leave"):
        find_photos(PHOTOS, Reader(), fits=tmp_path)
    (tmp_path / "landmarks.npz").touch()
    with pytest.raises(InputError, match=r"no fits\.npz in .*nothing; make it"):
        find_photos(tmp_path, Reader(), fits=tmp_path / "nothing")


def test_a_damaged_header_of_a_pool_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot read .*pool\.json"):
        _write_header(tmp_path, 1, 0)
