"""`uvface.synthesize` against the command: both ask for the same pictures and make the same."""

import re
from pathlib import Path

import cv2
import pytest
from toy_models import ToyModel

import uvface
from uvface.cli import main
from uvface.core import reconstruct, synthesize
from uvface.core.errors import InputError, NoFaceError
from uvface.core.synthesis.request import DrawnRequest, PictureRequest, TurnedRequest
from uvface.core.training.pool import Pool

PHOTOS = Path(__file__).resolve().parents[2] / "examples" / "photos"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, PictureRequest]]:
    """Return what is to be made, by what; nothing is."""
    seen: list[tuple[str, PictureRequest]] = []

    def stand_in(name):
        def make(request, *_, report, left_out=None):
            seen.append((name, request))
            return request.output

        return make

    for name in ("draw_pictures", "draw_pool", "turn_photos"):
        monkeypatch.setattr(synthesize, name, stand_in(name))
    monkeypatch.setattr(synthesize, "as_model", lambda model: model)
    monkeypatch.setattr(reconstruct, "load", lambda weights: None)
    return seen


@pytest.mark.parametrize(
    ("words", "options", "made"),
    [
        ("--assets a", {"assets": "a"}, ("draw_pictures", {"assets": Path("a")})),
        (
            "--assets a --pool --seed 7 --photo-skins s",
            {"assets": "a", "pool": True, "seed": 7, "photo_skins": "s"},
            ("draw_pool", {"assets": Path("a"), "photo_skins": Path("s"), "seed": 7}),
        ),
        ("--photos p", {"photos": "p"}, ("turn_photos", {"photos": Path("p")})),
        (
            "--photos p --pool --seed 7 --photo-skins s --assets a",
            {"photos": "p", "pool": True, "seed": 7, "photo_skins": "s", "assets": "a"},
            (
                "turn_photos",
                {"photos": Path("p"), "assets": Path("a"), "photo_skins": Path("s"), "seed": 7},
            ),
        ),
    ],
)
def test_the_command_and_the_function_ask_for_the_same(asked, words, options, made) -> None:
    """Pools and turned photos were the command's alone."""
    assert main(["synthesize", "-n", "3", "-o", "out", *words.split()]) == 0
    assert uvface.synthesize(3, "out", **options) == Path("out")
    name, fields = made
    kind = TurnedRequest if "photos" in fields else DrawnRequest
    request = kind(count=3, output=Path("out"), pool="pool" in options, **fields)
    assert asked == [(name, request)] * 2


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ("", {}, "give --assets (a head model), or --photos (a folder of photos)"),
        ("--photos out", {"photos": "out"}, "out holds the photos; choose another folder"),
        (
            f"--photos {PHOTOS} --photo-skins s",
            {"photos": PHOTOS, "photo_skins": "s"},
            f"s is for the data pack's photos, not for {PHOTOS}; leave it out",
        ),
        (
            "--assets a --weights prn",
            {"assets": "a", "model": ToyModel()},
            "--weights (a model, in Python) read the faces of --photos; drawn faces need none",
        ),
    ],
)
def test_the_command_and_the_function_refuse_the_same(asked, words, options, said, capsys) -> None:
    assert main(["synthesize", "-n", "3", "-o", "out", *words.split()]) == 2
    assert f"error: {said}" in capsys.readouterr().err
    with pytest.raises(InputError, match=re.escape(said)):
        uvface.synthesize(3, "out", **options)
    assert not asked


def test_photos_that_are_left_out_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def turn(request, model, *, report, left_out):
        left_out(NoFaceError("no face found in wall.jpg"))
        return tmp_path

    monkeypatch.setattr(synthesize, "turn_photos", turn)
    given = {"photos": PHOTOS, "model": ToyModel()}
    with pytest.warns(UserWarning, match=r"^no face found in wall\.jpg$"):
        uvface.synthesize(1, tmp_path / "out", **given)
    told: list[Exception] = []
    uvface.synthesize(1, tmp_path / "out", **given, left_out=told.append)
    assert [str(error) for error in told] == ["no face found in wall.jpg"]


@pytest.mark.weights
def test_a_pool_of_turned_photos_is_the_command_s(tmp_path: Path) -> None:
    words = ["-n", "3", "--seed", "5", "--pool", "--photos", str(PHOTOS), "--quiet"]
    assert main(["synthesize", "-o", str(tmp_path / "command"), *words]) == 0
    told: list[int] = []
    out = tmp_path / "function"
    found = uvface.synthesize(3, out, photos=PHOTOS, seed=5, pool=True, report=told.append)
    assert found == out and told == [3]
    names = sorted(path.name for path in out.iterdir())
    assert names == ["pool.json", "shard_0000.npz"]
    for name in names:
        assert (out / name).read_bytes() == (tmp_path / "command" / name).read_bytes()
    assert len(Pool(out)) == 3


@pytest.mark.weights
def test_pictures_of_turned_photos_come_with_a_sheet(tmp_path: Path) -> None:
    told: list[int] = []
    sheet = uvface.synthesize(2, tmp_path, photos=PHOTOS, report=told.append)
    assert told == [2] and cv2.imread(str(sheet)).shape == (192, 384, 3)
    assert len(list(tmp_path.iterdir())) == 2 * 4 + 1
