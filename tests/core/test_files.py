"""No file that is read is written over, and none is written twice."""

import os
from pathlib import Path

import pytest

from uvface.core.errors import InputError
from uvface.core.files import ClaimedFiles, InputFiles


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InputFiles:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "linked").symlink_to(tmp_path / "in")
    (tmp_path / "link.png").symlink_to(tmp_path / "in" / "a.png")
    monkeypatch.chdir(tmp_path / "in")
    return InputFiles([tmp_path / "in" / "a.png", None, str(tmp_path / "linked" / "b.png")])


@pytest.mark.parametrize(
    "output", ["a.png", "../in/a.png", "../linked/a.png", "../link.png", "b.png", "./b.png"]
)
def test_an_input_is_known_by_every_path(inputs: InputFiles, output: str) -> None:
    assert Path(output) in inputs
    with pytest.raises(InputError) as caught:
        inputs.spare(Path(output))
    assert str(caught.value) == f"{Path(output)} would overwrite an input; choose another name"


@pytest.mark.parametrize("output", ["c.png", "../a.png", "../in"])
def test_other_files_may_be_written(inputs: InputFiles, output: str) -> None:
    assert Path(output) not in inputs
    inputs.spare(Path(output))


def test_a_disk_may_take_capitals_for_small_letters(inputs: InputFiles, tmp_path) -> None:
    """A second name of the same file stands for such a disk."""
    os.link("a.png", "A.png")
    assert Path("A.png") in inputs and Path("B.png") not in inputs
    claimed, anna, ben = ClaimedFiles(), Path("anna.png"), Path("ben.png")
    assert claimed.claim(Path("a.png"), anna) is claimed.claim(Path("B.png"), anna) is None
    assert claimed.claim(Path("A.png"), ben) == anna
    assert claimed.claim(Path("b.png"), ben) is None  # two files, as far as can be seen
    assert claimed.claim(Path("./b.png"), anna) == ben


def test_links_in_a_circle_are_no_input(inputs: InputFiles) -> None:
    Path("one").symlink_to("two")
    Path("two").symlink_to("one")
    inputs.spare(Path("one"))


def test_the_message_says_whose_input_and_what_to_do(inputs: InputFiles) -> None:
    with pytest.raises(InputError, match=r"an input of the batch; choose another folder$"):
        inputs.spare(Path("a.png"), role="an input of the batch", advice="choose another folder")


@pytest.mark.parametrize("name", ["nul\0.png", "nul\0/a.png"])
def test_a_name_that_no_file_has_is_no_input(tmp_path: Path, name: str) -> None:
    """It ended in a bare ValueError."""
    InputFiles([tmp_path / name]).spare(tmp_path / "a.png")
