"""Whom to name beside pictures from CC BY photos; what a user has written stays."""

import pytest

from uvface.core.errors import InputError
from uvface.core.synthesis.attribution import write_attribution


def test_it_names_the_photos_and_their_licence_and_is_written_again(tmp_path):
    for _ in range(2):
        write_attribution(tmp_path / "a/b")
        text = (tmp_path / "a/b/ATTRIBUTION.txt").read_text()
        assert "Face Research Lab London Set" in text and "CC BY 4.0" in text


def test_another_one_stays(tmp_path):
    """`synthesize --photos` wrote over a file of that name."""
    own = tmp_path / "ATTRIBUTION.txt"
    own.write_text("whom I have to name")
    with pytest.raises(InputError, match=r"ATTRIBUTION\.txt is there and is not of an earlier run"):
        write_attribution(tmp_path)
    assert own.read_text() == "whom I have to name"
    own.unlink()
    own.mkdir()
    with pytest.raises(InputError, match="is not of an earlier run"):  # not a traceback
        write_attribution(tmp_path)
