"""What the documents name is there: tests, outputs and options; what a script of theirs says."""

import re
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from toy_faces import toy_photo
from typer.main import get_command

import uvface
from uvface.cli import app
from uvface.core.geometry.layout import load_layout
from uvface.core.io.images import write_image
from uvface.core.network.weights_file import NETWORKS, read_arrays
from uvface.editing.lamps import LIGHTS
from uvface.editing.makeup.face import MAKEUP
from uvface.editing.reshape.deform import reshape_names
from uvface.editing.retouch.face import RETOUCHES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_card_holds_the_figures_of_its_weights_header(name):
    """It said that the header repeats its figures: of synthetic faces it has older ones."""
    card = (ROOT / "assets" / "weights" / f"{name}.md").read_text(encoding="utf-8")
    found = read_arrays(name)[0].evaluation
    for boxes in ("photos, boxes given", "photos, detected"):
        assert f"| **{found[boxes]['mean']:.2f}**" in card
    (file,) = [line for line in card.splitlines() if line.startswith("| file |")]
    older = found["400 synthetic faces"]
    figures = f"{older['mean']:.2f} %, {older['dense']:.2f} %, {older['covered_iou']:.2f}"
    assert f"the older drawn faces and the older rule ({figures}: below)" in file


@pytest.mark.parametrize(
    "name", ["prnet.md", "prnet_weights.md", "benchmarks.md", "benchmarks_history.md"]
)
def test_every_test_that_is_named_exists(name):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    for path in set(re.findall(r"`(tests/[\w/.]+)`", text)):
        assert (ROOT / path).exists(), path


def test_every_flag_of_prnet_is_answered():
    """The options of ``demo.py`` and ``demo_texture.py`` but for -i, -r and -o."""
    text = (ROOT / "docs" / "prnet.md").read_text(encoding="utf-8")
    flags = "isDlib is3d isMat isKpt isPose isShow isImage isFront isDepth isTexture isMask"
    for flag in (*flags.split(), "texture_size", "gpu", "mode 0", "mode 1"):
        rows = [line for line in text.splitlines() if line.startswith("|") and f"--{flag}" in line]
        assert rows and re.search(r"tests/", rows[0]), flag


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("swapping.md", ("swap", "exchange", "texture", "edit")),
        ("augmenting.md", ("augment", "edit")),
        ("editing.md", ("edit",)),
        ("video.md", ("swap-video", "edit-video")),
    ],
)
def test_every_option_that_a_guide_names_is_there(name, commands):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    parameters = [p for command in commands for p in get_command(app).commands[command].params]
    options = {option for p in parameters for option in (*p.opts, *p.secondary_opts)}
    named = set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", text))
    assert len(named) > 3 and named <= options


def test_the_guide_to_edits_names_all_that_can_be_changed_by_amounts():
    text = (ROOT / "docs" / "editing.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert named == {*RETOUCHES, *MAKEUP, *LIGHTS, *reshape_names(load_layout("uvface"))}


def test_outputs_in_the_help_and_in_the_readme_are_all_of_them():
    from uvface.core.io.results import OUTPUTS

    source = (ROOT / "core" / "commands" / "reconstruct.py").read_text(encoding="utf-8")
    listed = re.search(r'"all, or a list of: (.*?)\."', source.replace('"\n            "', ""))
    assert listed is not None and listed[1].split(", ") == list(OUTPUTS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    endings = "kpt.txt colors.obj frontal.obj canonical.obj texture.png visibility.png depth.png"
    endings += " normals.png pncc.png posmap.npz overlay.png photo.png"
    assert all(f"photo_{ending}" in readme for ending in endings.split())


@pytest.fixture
def self_swap(model, tmp_path, monkeypatch):
    """Return what measures photos that are swapped with themselves: of toys, and of a wall."""
    write_image(tmp_path / "face.png", toy_photo(1)[0])
    write_image(tmp_path / "wall.png", np.full((120, 120, 3), 0.5, np.float32))
    monkeypatch.setattr("uvface.load", lambda: model)
    monkeypatch.setattr("uvface.swap", partial(uvface.swap, keep=()))  # toys have no such parts
    main = runpy.run_path(str(ROOT / "docs" / "measure_self_swap.py"))["main"]
    return lambda *names: main([str(tmp_path / name) for name in names])


@pytest.mark.parametrize("names", [(), ("wall.png", "missing.png")])
def test_a_measurement_without_any_face_is_one_line(self_swap, names, capsys):
    """It ended in the traceback of a lowest of nothing."""
    with pytest.raises(SystemExit) as caught:
        self_swap(*names)
    told = f"error: none of {len(names)} photos could be measured; give some with a face"
    assert caught.value.code == told
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [*names]


def test_a_measurement_leaves_out_photos_without_a_face(self_swap, capsys):
    self_swap("wall.png", "face.png")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("wall.png: ") and lines[1].endswith(" dB  face.png")
    assert lines[2].startswith("1 photos: lowest ") and len(lines) == 3
