from pathlib import Path

import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.io.arrays import open_arrays


def test_arrays_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    with open_arrays(tmp_path / "a.npz") as stored:
        np.testing.assert_array_equal(stored["x"], [0, 1, 2])


@pytest.mark.parametrize("kept", [None, 0, 5, 100, -1])
def test_damaged_archives_are_one_line_that_names_them(tmp_path: Path, kept: int | None) -> None:
    path = tmp_path / "a.npz"
    if kept is not None:
        np.savez(path, x=np.arange(300))
        path.write_bytes(path.read_bytes()[:kept])
    with (
        pytest.raises(InputError, match=r"a\.npz \(.+\); take the file again"),
        open_arrays(path) as stored,
    ):
        stored["x"]


def test_what_is_missing_is_named_and_errors_of_ours_pass(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    with (
        pytest.raises(InputError, match="y is not a file"),
        open_arrays(tmp_path / "a.npz") as stored,
    ):
        stored["y"]
    with pytest.raises(InputError, match=r"^mine$"), open_arrays(tmp_path / "a.npz"):
        raise InputError("mine")
