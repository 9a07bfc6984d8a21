"""Photos, boxes, weights and folders as they should not be: one clear line, no partial file.

The readers' own tests (``tests/core/io/test_images.py`` and others) try more kinds of damage; here
the commands meet them, and what is odd but usable gives the same face as a plain photo.
"""

import errno
import io
import json
import struct
import zlib
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

from uvface.cli import main

BOX = [177.0, 71.0, 271.0, 188.0]
EMBEDDED = Path(str(resources.files("uvface.assets"))) / "weights" / "prn-lite.safetensors"

pytestmark = pytest.mark.weights


def files_under(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def assert_one_line(capsys, *words: str) -> None:
    """The command said one thing, on stderr, that has these words."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert all(word in captured.err for word in words), captured.err


def header_bomb() -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def truncated_jpeg() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).save(stream, "JPEG")
    return stream.getvalue()[:20_000]


BAD_PHOTOS = {
    "no image": (b"these are words", "not an image"),
    "truncated JPEG": (truncated_jpeg(), "damaged"),
    "0 bytes": (b"", "0 bytes"),
    "header bomb": (header_bomb(), "pixels"),
}


@pytest.mark.parametrize("kind", BAD_PHOTOS)
def test_bad_photo(tmp_path, capsys, kind):
    content, words = BAD_PHOTOS[kind]
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(content)
    assert main(["reconstruct", str(photo), "-o", str(tmp_path / "out")]) == 1
    assert_one_line(capsys, str(photo), words)
    assert main(["swap", str(photo), str(photo), "-o", str(tmp_path / "out.png")]) == 1
    assert_one_line(capsys, str(photo), words)
    assert files_under(tmp_path) == {"photo.jpg"}


def test_missing_photo_and_folder_for_a_photo(tmp_path, capsys, astronaut):
    missing, folder = tmp_path / "nobody.jpg", tmp_path / "folder.jpg"
    folder.mkdir()
    out = str(tmp_path / "out")
    assert main(["reconstruct", str(missing), "-o", out]) == 1
    assert_one_line(capsys, str(missing), "does not exist")
    assert main(["reconstruct", str(folder), "-o", out]) == 1
    assert_one_line(capsys, str(folder), "no pictures")
    assert main(["swap", str(folder), str(astronaut), "-o", out]) == 1  # an empty batch
    assert_one_line(capsys, str(folder), "no pictures")
    assert main(["swap", str(astronaut), str(folder), "-o", out + ".png"]) == 1
    assert_one_line(capsys, str(folder), "is a folder")
    assert files_under(tmp_path) == {"astronaut.png"}


def test_one_pixel_has_no_face(tmp_path, capsys):
    photo = tmp_path / "one.png"
    Image.fromarray(np.full((1, 1, 3), 90, np.uint8)).save(photo)
    assert main(["reconstruct", str(photo), "-o", str(tmp_path / "out"), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["faces"] == []
    assert captured.err.startswith("warning: no face") and captured.err.count("\n") == 1


def save_odd_photos(folder: Path) -> dict[str, str]:
    """Write the astronaut as people have photos; return stem -> words of a warning, or none."""
    pixels = skimage.data.astronaut()
    picture, deep = Image.fromarray(pixels), pixels.astype(np.uint16) * 257
    picture.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    cv2.imwrite(str(folder / "deep.png"), deep[..., ::-1])
    tifffile.imwrite(folder / "deep tiff.tif", deep, photometric="rgb")
    picture.convert("L").save(folder / "grey.png")
    picture.convert("RGBA").save(folder / "alpha.png")
    picture.save(folder / "Ünï çode 写真.png")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = _as_stored(pixels, orientation)
        Image.fromarray(turned).save(folder / f"exif{orientation}.jpg", exif=exif, quality=95)
    second = Image.fromarray(255 - pixels)
    picture.save(folder / "moving.gif", save_all=True, append_images=[second])
    picture.save(folder / "moving too.webp", save_all=True, append_images=[second])
    return {"moving": "2 frames; the first", "moving too": "2 frames; the first"}


def _as_stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return the pixels that a viewer turns upright by this orientation (Exif 2.3, table 6)."""
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels.transpose(1, 0, 2) if orientation > 4 else pixels)


def test_odd_but_usable_photos_give_the_same_face(tmp_path, capsys):
    folder, out = tmp_path / "with space", tmp_path / "out put"
    folder.mkdir()
    warned = save_odd_photos(folder)
    Image.fromarray(skimage.data.astronaut()).save(folder / "plain.png")
    stems = [path.stem for path in folder.iterdir()]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({stem: [BOX] for stem in stems}), encoding="utf-8")
    arguments = ["reconstruct", str(folder), "-o", str(out), "--boxes", str(boxes), "--json"]
    assert main([*arguments, "--save", "landmarks"]) == 0
    captured = capsys.readouterr()
    records = {Path(r["image"]).stem: r for r in map(json.loads, captured.out.splitlines())}
    assert set(records) == set(stems) and len(stems) == 17
    plain = np.array(records["plain"]["faces"][0]["landmarks"])
    for stem, record in records.items():
        far = np.abs(np.array(record["faces"][0]["landmarks"]) - plain)[:, :2]
        assert far.mean() < 3.0, stem  # pixels; grey and printers' colours look a little different
        assert (out / f"{stem}_kpt.txt").is_file() and (out / f"{stem}.json").is_file()
    lines = captured.err.splitlines()
    assert len(lines) == len(warned) and all(line.startswith("warning: ") for line in lines)
    assert all(any(stem in li and words in li for li in lines) for stem, words in warned.items())


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ('{"astronaut": [[900, 900, 990, 990]]}', "outside the photo of 512x512"),
        ('{"astronaut": [[NaN, 71, 271, 188]]}', "not four finite numbers"),
        ('{"astronaut": [[10, 10, 10, 90]]}', "is empty"),
        ('{"astronaut": [["a", 71, 271, 188]]}', "not lists of 4 numbers"),
        ('{"astronaut": [[1, 2, 3, 4]', "is not JSON"),
        ('{"astronaut": [[-60000, -60000, 60000, 60000]]}', "far larger than the photo"),
        ('{"astronaut": [[-600, -600, 1000, 1000]]}', "give at most 1536 px on a side"),
        (f'{{"astronaut": [[1, 2, 3, {"9" * 400}]]}}', "not lists of 4 numbers"),
    ],
)
def test_bad_boxes(tmp_path, astronaut, capsys, boxes, words):
    path = tmp_path / "boxes.json"
    path.write_text(boxes)
    arguments = [str(astronaut), "-o", str(tmp_path / "out"), "--boxes", str(path)]
    assert main(["reconstruct", *arguments]) == 1
    assert_one_line(capsys, words)
    assert files_under(tmp_path) == {"astronaut.png", "boxes.json"}


def test_truncated_weights(tmp_path, astronaut, capsys):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(EMBEDDED.read_bytes()[:200_000])
    arguments = [str(astronaut), "-o", str(tmp_path / "out"), "--weights", str(cut)]
    assert main(["reconstruct", *arguments]) == 1
    assert_one_line(capsys, str(cut), "damaged")
    assert files_under(tmp_path) == {"astronaut.png", "cut.safetensors"}


@pytest.mark.parametrize(("name", "words"), [("uvface", "are for the UV layout"), ("mine", "mine")])
def test_weights_of_another_layout(tmp_path, astronaut, capsys, name, words):
    path = tmp_path / "other.safetensors"
    with safe_open(EMBEDDED, framework="numpy") as stored:
        header = json.loads(stored.metadata()["uvface"]) | {"layout": name, "layout_digest": "0"}
        arrays = {key: stored.get_tensor(key) for key in stored.keys()}
    save_file(arrays, path, metadata={"uvface": json.dumps(header)})
    arguments = [str(astronaut), "-o", str(tmp_path / "out"), "--weights", str(path)]
    assert main(["reconstruct", *arguments]) == 1
    assert_one_line(capsys, words)
    assert files_under(tmp_path) == {"astronaut.png", "other.safetensors"}


def _open_that_fails(monkeypatch, code: int, *, after: int) -> None:
    """Let files that are written take so many bytes and then fail, as a full disk does."""
    real = Path.open

    class Full:
        def __init__(self, stream):
            self.stream = stream

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.stream.close()

        def write(self, content):
            self.stream.write(content[:after])
            self.stream.flush()
            if len(content) > after:
                raise OSError(code, errno.errorcode[code])

    def fake(self, mode="r", *args, **kwargs):
        if "x" not in mode and "w" not in mode:
            return real(self, mode, *args, **kwargs)
        if not after:  # the folder takes no files at all
            raise OSError(code, errno.errorcode[code], str(self))
        return Full(real(self, mode, *args, **kwargs))

    monkeypatch.setattr(Path, "open", fake)


@pytest.mark.parametrize(
    ("code", "after"), [(errno.EACCES, 0), (errno.EROFS, 0), (errno.ENOSPC, 1000)]
)
def test_folder_that_cannot_be_written_and_full_disk(
    tmp_path, astronaut, capsys, monkeypatch, code, after
):
    """The tests may run as root, whom no permission stops: the calls fail as they would."""
    old = tmp_path / "out.png"
    old.write_bytes(b"the picture before")
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"astronaut": [BOX]}))
    arguments = [str(astronaut), "-o", str(tmp_path / "out"), "--boxes", str(boxes)]
    sheet = ["--contact-sheet", str(tmp_path / "sheet.png"), "--quiet"]
    edit = [str(astronaut), "-o", str(old), "--boxes", str(boxes), "--region", "lips"]
    before = files_under(tmp_path)
    _open_that_fails(monkeypatch, code, after=after)
    assert main(["reconstruct", *arguments, "--save", "mesh"]) == 1
    assert_one_line(capsys, "cannot write", errno.errorcode[code])
    assert main(["edit", *edit, "--recolor", "#a01830"]) == 1
    assert_one_line(capsys, "cannot write", "out.png", errno.errorcode[code])
    assert files_under(tmp_path) == before and old.read_bytes() == b"the picture before"
    assert main(["reconstruct", str(tmp_path / "no.jpg"), *arguments[1:3], *sheet]) == 1
    assert "sheet.png" in capsys.readouterr().err
    assert files_under(tmp_path) == before


def test_output_below_a_file(tmp_path, astronaut, capsys):
    (tmp_path / "file").write_bytes(b"x")
    assert main(["reconstruct", str(astronaut), "-o", str(tmp_path / "file" / "out")]) == 1
    assert_one_line(capsys, "cannot make the folder")
    assert main(["reconstruct", str(astronaut), "-o", str(tmp_path / "file")]) == 1
    assert_one_line(capsys, "cannot make the folder")
    assert files_under(tmp_path) == {"astronaut.png", "file"}
