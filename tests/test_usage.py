"""Wrong usage: exit code 2 and one plain line, before anything is read or made."""

from pathlib import Path

import pytest

from uvface.cli import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["swap", "a.png"],
        ["swap", "a.png", "b.png"],
        ["edit", "a.png", "-o", "out.png", "--region", "eyes"],
        ["reconstruct", "a.png", "-o", "out", "--faces", "tallest"],
        ["reconstruct", "a.png", "-o", "out", "--faces", "²"],
        ["reconstruct", "a.png", "-o", "out", "--device", "abacus"],
        ["reconstruct", "a.png", "-o", "out", "--save", "mash"],
        ["reconstruct", "a.png", "-o", "out", "--cropped", "--boxes", "boxes.json"],
        ["reconstruct", "a.png", "-o", "out", "--contact-sheet", "sheet.doc"],
        ["augment", "a.png", "-o", "out", "--donors"],
        ["nonsense"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["swap", "--nonsense"], "No such option: --nonsense"),
        (["inspect"], "Missing argument 'FILE'."),
        (["swap", "-o", "out.png"], "give TARGET and REFERENCE, or --list FILE.csv"),
        (
            ["swap", "-o", "out.png", "--color", "blue"],
            "Invalid value for '--color': 'blue' is not one of 'light', 'match', 'none'.",
        ),
    ],
)
def test_wrong_usage_is_one_plain_line_and_where_the_help_is(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It was drawn in a box and wrapped, so that no search of a log found it."""
    monkeypatch.setenv("COLUMNS", "40")
    assert main(arguments) == 2
    hint = f"Try 'uvface {arguments[0]} --help' for help."
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"error: {said}\n{hint}\n")


@pytest.mark.parametrize(
    ("option", "got", "need"),
    [
        ("--strength", "nan", "0 to 1"),
        ("--strength", "2", "0 to 1"),
        ("--shape", "much", "0 to 1"),
    ],
)
def test_a_number_out_of_range_is_told_with_its_range(
    option: str, got: str, need: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["swap", "a.png", "b.png", "-o", "out.png", option, got]) == 2
    line = capsys.readouterr().err.splitlines()[0]
    assert option in line and line.endswith(f"; got {got}, need {need}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["swap", "photos", "a.png", "-o"],
        ["exchange", "a.png", "b.png", "-o"],
        ["reconstruct", "photos", "-o"],
        ["augment", "photos", "-o"],
        ["synthesize", "-n", "1", "--photos", "photos", "-o"],
    ],
)
def test_a_folder_for_results_is_not_named_as_a_picture(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Folders called new.png were made of a mistake."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    assert main([*arguments, "new.PNG"]) == 2
    assert "output new.PNG is named as a picture; name a folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["reconstruct", "", "-o", "out"], "PHOTO..."),
        (["reconstruct", "a.png", "", "-o", "out"], "PHOTO..."),
        (["reconstruct", "a.png", "-o", ""], "'--output' / '-o'"),
        (["reconstruct", "a.png", "--output="], "'--output' / '-o'"),
        (["edit", "", "-o", "out", "--retouch", "spots=1"], "photo"),
        (["edit", "a.png", "-o", "b.png", "--region", "eyes", "--from", ""], "'--from'"),
        (["swap", "a.png", "", "-o", "out.png"], "REFERENCE"),
        (["augment", "a.png", "-o", ""], "'--output' / '-o'"),
        (["inspect", ""], "FILE"),
    ],
)
def test_an_empty_name_is_not_the_current_folder(
    arguments: list[str],
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As of a variable that is not set: the folder's photos were taken, or results put there."""
    monkeypatch.chdir(tmp_path)
    Path("a.png").write_bytes(b"a picture")
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "an empty name of a file or folder; is a variable not set?" in said and where in said
    assert f"Try 'uvface {arguments[0]} --help'" in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "sheet", ["out/a_overlay.png", "out/a_12_canonical_texture.png", "old/b_overlay.png"]
)
def test_a_contact_sheet_takes_no_result_s_place(
    sheet: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old").mkdir()
    Path("old/b.json").write_text('{"faces": [{"files": {"overlay": "b_overlay.png"}}]}')
    assert main(["reconstruct", "a.jpg", "-o", "out", "--contact-sheet", sheet]) == 2
    assert f"{sheet} is the name of a result; name another picture" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize("arguments", [[], ["models"]])
def test_a_command_without_words_shows_its_help_alone(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "Usage: uvface" in captured.out and captured.err == ""


_EDIT = ["edit", "a.png", "-o", "out.png", "--region"]
_RED = ["--recolor", "#a01830"]
_SWAP = ["swap", "a.png", "b.png", "-o", "out.png"]
_EXCHANGE = ["exchange", "a.png", "-o", "out.png"]


@pytest.mark.weights
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*_EDIT, "beak", *_RED], "unknown region 'beak'"),
        ([*_EDIT, ",", *_RED], "no region given"),
        ([*_EDIT, "lips", "--recolor", "reddish"], "'reddish' is not a colour"),
        ([*_EDIT, "lips", *_RED, "--feather", "100"], "need a number, 0 to 64"),
        ([*_EDIT[:-1], "--light", "left=1", "--feather", "5"], "a feather of 5 texels is for reg"),
        (
            ["edit-video", "a.mp4", "-o", "c.mp4", "--light", "left=1", "--feather", "0"],
            "a feather of 0 texels is for regions; give one too",
        ),
        (["augment", "a.png", "-o", "out", "--vary", "light", "--max-yaw", "20"], "is for pose;"),
        (
            ["reconstruct", "a.png", "-o", "out", "--save", "pose", "--texture-size", "512"],
            "a texture size of 512 is for textures; save one of mesh,",
        ),
        (
            ["reconstruct", "a.png", "-o", "out", "--save", "posmap", "--mask-hidden"],
            "hidden texels are masked in textures; save one of mesh,",
        ),
        ([*_EDIT, "lips", *_RED, "-o", "out.doc"], "no known image suffix"),
        ([*_EDIT, "lips", *_RED, "-o", "./a.png"], "would overwrite an input"),
        ([*_EDIT, "lips", *_RED, "--faces", "left", "--like", "c.png"], "give one of the two"),
        ([*_EDIT, "lips", "--from", "b.png", "-o", "b.png"], "would overwrite an input"),
        ([*_EDIT[:-1], *_RED], "no region given"),
        ([*_EDIT, "lips", "--reshape", "smile=0.5"], "nothing to do with lips"),
        ([*_EDIT[:-1], "--reshape", "smirk=0.5"], "cannot reshape 'smirk'; choose from smile,"),
        ([*_EDIT[:-1], "--reshape", "smile"], "need NAME=AMOUNT"),
        ([*_EDIT[:-1], "--retouch", "skim=1"], "cannot retouch 'skim'; choose from skin,"),
        ([*_EDIT[:-1], "--retouch", "skin=-1"], "need a number, 0 to 1"),
        ([*_EDIT, "lips", "--retouch", "skin=1"], "nothing to do with lips"),
        ([*_EDIT[:-1], "--makeup", "rouge=1"], "cannot make up 'rouge'; choose from lipstick,"),
        ([*_EDIT[:-1], "--makeup", "blush=2"], "need a number, 0 to 1"),
        ([*_EDIT[:-1], "--makeup", "blush=0.5:reddish"], "'reddish' is not a colour"),
        ([*_EDIT[:-1], "--makeup", "blush=a"], "need NAME, NAME=AMOUNT or NAME=AMOUNT:COLOUR"),
        ([*_EDIT[:-1], "--light", "right=1"], "cannot light 'right'; choose from left, above"),
        ([*_EDIT[:-1], "--light", "left=2"], "need a number, -1 to 1"),
        ([*_EDIT, "lips", *_RED, "--skip-existing"], "is for batches: a folder or a glob"),
        ([*_EDIT[:-1], "--reshape", "smile=5"], "need a number, -1 to 1"),
        ([*_SWAP, "--keep", "beak"], "unknown region 'beak'"),
        ([*_SWAP, "--keep", ""], "keep '' names no region; give names, or none"),
        ([*_SWAP, "--keep", " ,"], "give names, or none"),
        ([*_SWAP, "--map", ""], "give either REFERENCE, or --map"),
        (["swap", "a.png", "-o", "out.png", "--map", ""], "the map '' is empty"),
        (["swap-video", "a.mp4", "b.png", "-o", "c.mp4", "--keep", ""], "names no region"),
        ([*_SWAP, "--faces", "0", "--like", "c.png"], "give one of the two"),
        ([*_SWAP, "--reference-face", "0", "--reference-like", "c.png"], "give one of the two"),
        ([*_SWAP, "--preset", "prnet", "--mask", "c.png"], "no --mask"),
        ([*_SWAP[:3], "c.png", "-o", "out.png", "--preset", "prnet"], "give one REFERENCE"),
        (["swap", "a.png", "b.png", "-o", "b.png"], "would overwrite an input"),
        (["texture", "a.png", "-o", "a.uvface", "--faces", "0", "--like", "c.png"], "one of the"),
        ([*_EXCHANGE, "--faces", "0,0"], "name one face twice; need two, as in left,right"),
        ([*_EXCHANGE, "--faces", "left,0"], "name one face twice"),
        ([*_EXCHANGE, "--faces", "right"], "'right' of one photo; need two"),
        ([*_EXCHANGE, "--faces", "0,1,2"], "need two"),
        ([*_EXCHANGE, "--faces", "0,all"], "face 'all'; need a number from the left, or largest,"),
        (
            [*_EXCHANGE, "--faces", "0,tall"],
            "face 'tall'; need a number from the left, or largest,",
        ),
        ([*_EXCHANGE, "--faces", ""], "face ''; need a number"),
        ([*_EXCHANGE, "--keep", "beak"], "unknown region 'beak'"),
        ([*_EXCHANGE, "--keep", ""], "names no region"),
        ([*_EXCHANGE[:2], "-o", "out.doc"], "no known image suffix"),
        ([*_EXCHANGE[:2], "-o", "./a.png"], "would overwrite an input"),
        (["exchange", "a.png", "./a.png", "-o", "out"], "a.png twice; give it once"),
        (["exchange", "b/a.png", "c/a.png", "-o", "out"], "would both be out/a.png; rename one"),
        (["exchange", "a.gif", "c/a.png", "-o", "out"], "would both be out/a.png; rename one"),
        (
            ["exchange", "b/a.png", "c/d.png", "-o", "c"],
            "c/d.png would overwrite an input",
        ),
        (["benchmark", "a.png", "b.png", "--against", "tensorflow"], "choose from onnxruntime"),
        (["train", "--pool", "a", "-o", "out", "--network", "vgg"], "'prn-lite', 'prn'"),
        (["train", "--pool", "a", "-o", "out", "--precision", "int8"], "'float32', 'bfloat16'"),
    ],
)
def test_what_no_photo_is_needed_to_see_is_wrong_usage(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """None of the photos is there: to look for them would be exit code 1."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err.splitlines()[0]
    assert not list(tmp_path.iterdir())


_WITH_SIDECARS = [
    (_SWAP, "out.png.json"),
    ([*_EDIT, "lips", *_RED], "out.png.json"),
    ([*_EXCHANGE[:2], "-o", "out.png"], "out.png.json"),
    (["swap-video", "a.mp4", "b.png", "-o", "c.mp4"], "c.mp4.json"),
    (["edit-video", "a.mp4", "-o", "c.mp4", "--light", "left=1"], "c.mp4.json"),
]


@pytest.mark.parametrize(("arguments", "name"), _WITH_SIDECARS)
def test_files_in_the_place_of_sidecars_are_told_of_before_the_work(
    arguments: list[str],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A video was swapped first."""
    monkeypatch.chdir(tmp_path)
    for content, said in (("notes", "is no sidecar of uvface; move it"), ("", "is empty; remove")):
        (tmp_path / name).write_text(content)
        assert main(arguments) == 2
        assert f"{name} {said}" in capsys.readouterr().err
    assert main([*arguments, "--no-sidecar"]) == 1  # the photos are not there


@pytest.mark.parametrize(("arguments", "name"), _WITH_SIDECARS)
def test_names_that_are_too_long_are_told_of_before_the_work(
    arguments: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture of 251 letters was written, and then could have no sidecar."""
    output = name.removesuffix(".json")
    for length, ways in ((251, [[]]), (256, [[], ["--no-sidecar"]])):
        long = "o" * (length - 4) + output[-4:]
        words = [long if word == output else word for word in arguments]
        for way in ways:
            assert main([*words, *way]) == 2
            assert "the name is too long for a file" in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(
    "arguments",
    [
        _SWAP,
        ["swap-video", "a.mp4", "b.png", "-o", "c.mp4"],
        ["edit-video", "a.mp4", "-o", "c.mp4", "--light", "left=1"],
        [*_EDIT, "lips", *_RED],
        ["texture", "a.png", "-o", "a.uvface"],
    ],
)
def test_a_recognition_network_without_likeness_is_refused(arguments, capsys) -> None:
    """A file that is not there was never mentioned."""
    assert main([*arguments, "--recognition", "no.onnx"]) == 2
    assert "--recognition no.onnx is for likeness" in capsys.readouterr().err
    assert main([*arguments, "--recognition", "no.onnx", "--like", "c.png"]) == 1


@pytest.mark.parametrize(
    "option", [["--large"], ["--photo-skins", "skins"], ["--initial", "a", "--initial", "b"]]
)
def test_what_belongs_to_drawing_needs_something_to_draw_from(option, tmp_path, capsys) -> None:
    assert main(["train", "--pool", str(tmp_path), "-o", str(tmp_path / "run"), *option]) == 2
    assert "need --draw" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--resume"], ["--pool", "b"], ["--devices", "2"]])
def test_drawing_refuses_what_it_would_ignore(option, tmp_path, capsys) -> None:
    run = ["train", "--draw", str(tmp_path), "--pool", "a", "-o", str(tmp_path / "run"), *option]
    assert main(run) == 2
    assert "--draw takes one --pool" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--initial", "prn", "--rate", "1e-3", "--rate", "6e-4"], "got 2 --rate for 1 --initial"),
        (["--initial", "prn", "--initial", "prn-lite", "--large"], "--large grows one network"),
        (["--initial", "prn", "--initial", "prn"], "have the same name"),
    ],
)
def test_networks_that_learn_together_are_told_apart(option, said, tmp_path, capsys) -> None:
    run = ["train", "--draw", str(tmp_path), "--pool", "a", "-o", str(tmp_path / "run"), *option]
    assert main(run) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["swap {} a.png -o out", "edit {} -o out --light warm=0.3"])
def test_a_mistyped_folder_is_told_before_the_output_that_goes_with_it(
    tmp_path, monkeypatch, capsys, command
):
    """Its name "has no known image suffix", and was to be changed."""
    monkeypatch.chdir(tmp_path)
    assert main(command.format("photoz").split()) == 1
    assert capsys.readouterr().err == "error: photoz does not exist; check the path\n"
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"a photo")
    assert main(command.format("photos").replace("out", "photos").split()) == 2
    assert "photos holds a.png, one of the photos" in capsys.readouterr().err
