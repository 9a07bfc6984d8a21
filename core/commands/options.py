"""Options and helpers that several commands share; imports nothing heavy."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..io.boxes import GivenBoxes

__all__ = [
    "Boxes",
    "Device",
    "Faces",
    "Json",
    "Like",
    "Metadata",
    "Quality",
    "Quiet",
    "Recognition",
    "ReferenceFace",
    "ReferenceLike",
    "Sidecar",
    "SkipExisting",
    "VideoOutput",
    "Weights",
    "check_folder",
    "check_recognition",
    "complain",
    "face_choice",
    "name_photos",
    "open_boxes",
    "report",
    "set_up",
    "spare_sidecars",
    "tell_left_out",
    "usage_errors",
    "warn",
]

_FACE_WORDS = ("all", "largest", "smallest", "left", "right", "centre")

Boxes = Annotated[
    Path | None,
    typer.Option(
        # The backslash: a bracket and a word would be markup, and left out.
        help='JSON {"photo.jpg": [\\[left, top, right, bottom]]} (or "photo", the stem), or a '
        "folder of landmark files (STEM.json, .mat, .pts, .txt): skips detection."
    ),
]
Faces = Annotated[
    str,
    typer.Option(help="all, largest, smallest, left, right, centre, or a number from the left."),
]
ReferenceFace = Annotated[
    str, typer.Option(help="Which face of the reference: as --faces, except all.")
]
Like = Annotated[
    Path | None,
    typer.Option(
        metavar="FACE.jpg",
        help="The face most like this person's, in place of --faces; needs --recognition "
        "or an insightface pack.",
    ),
]
ReferenceLike = Annotated[
    Path | None,
    typer.Option(metavar="FACE.jpg", help="The same for the reference's face."),
]
Recognition = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.onnx",
        help="Network for likeness, 112 x 112 aligned crops; default: one of insightface's packs.",
    ),
]
VideoOutput = Annotated[
    Path, typer.Option("--output", "-o", help="Video to write: .mp4, .m4v or .mov.")
]
Quality = Annotated[
    int, typer.Option(min=0, max=51, help="Constant rate factor of H.264: 0 is best and largest.")
]
Weights = Annotated[
    str, typer.Option(help="prn-lite, prn (larger; no better on photos), or a .safetensors file.")
]
Device = Annotated[str, typer.Option(help="auto, cpu or gpu.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors and warnings only.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per item.")]
Metadata = Annotated[
    bool,
    typer.Option(
        help="Say in the file that it is synthetic (IPTC DigitalSourceType in XMP), and write "
        "OUT.json with hashes of all files, options and warnings. --no-metadata writes neither."
    ),
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Of a batch: keep complete outputs of the same inputs, options and software, as "
        "their OUT.json tell.",
    ),
]
Sidecar = Annotated[
    bool, typer.Option(help="Write OUT.json beside OUT; --no-sidecar leaves the mark alone.")
]


def set_up(device: str) -> None:
    """Choose the device and keep compiled code on disk, before JAX is imported.

    Raises:
        AssetError: JAX cannot use what was asked for, here or by ``JAX_PLATFORMS``.
    """
    if device not in ("auto", "cpu", "gpu"):
        raise typer.BadParameter(f"device {device!r}; choose auto, cpu or gpu")
    if device != "auto":
        os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda"}[device]
    from ..compilation import keep_compiled_code

    with _stopping_at_once():
        keep_compiled_code()
    _end_as_by_ctrl_c()
    if os.environ.get("JAX_PLATFORMS"):
        _check_platform(device)


@contextlib.contextmanager
def _stopping_at_once() -> Iterator[None]:
    """End the process where Ctrl-C comes while JAX is imported; nothing else was begun.

    Its extensions make other errors of a `KeyboardInterrupt`, or abort.
    """

    def stop(*_: object) -> None:
        with contextlib.suppress(OSError):  # a closed stderr
            os.write(2, b"error: stopped\n")
        os._exit(130)

    is_main = threading.current_thread() is threading.main_thread()  # which alone hears signals
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # whoever started us heeds it, or lets it be ignored
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_as_by_ctrl_c() -> None:
    """Let SIGTERM, as of ``timeout`` and batch systems, take away what is half written, too."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _check_platform(device: str) -> None:
    import jax

    from ..errors import AssetError

    try:
        jax.devices()
    except Exception as error:  # JAX's plugins fail in their own ways
        asked = os.environ["JAX_PLATFORMS"]
        raise AssetError(
            "no GPU that JAX can use; install 'uvface[cuda]' and the driver, or use --device auto"
            if device == "gpu"
            else f"JAX cannot use JAX_PLATFORMS={asked} here; unset it, or use --device cpu"
        ) from error


def name_photos(words: Sequence[str]) -> list[Path]:
    """Return the photos that words of a command name, and tell which pictures are left out."""
    from ..find_photos import find_photos, left_out

    photos = find_photos(words)
    tell_left_out(left_out(words))
    return photos


def tell_left_out(pictures: Sequence[Path]) -> None:
    """Warn of pictures that no command can read."""
    if pictures:
        more = "" if len(pictures) == 1 else f" and {len(pictures) - 1} more"
        warn([f"{pictures[0]}{more} left out: HEIC cannot be read; convert it to JPEG or PNG"])


def open_boxes(path: Path | None, photos: Iterable[Path | None]) -> GivenBoxes | None:
    """Return the boxes that a ``--boxes`` file or folder holds for photos (None: no photo)."""
    from ..io.boxes import read_boxes

    return None if path is None else read_boxes(path, [photo for photo in photos if photo])


def check_recognition(recognition: Path | None, *likes: Path | None) -> None:
    """Refuse a recognition network, with exit code 2, where no face is chosen by likeness."""
    if recognition is not None and all(like is None for like in likes):
        raise typer.BadParameter(f"--recognition {recognition} is for likeness; give a --like too")


def face_choice(text: str) -> Any:
    """Return the faces that an option names."""
    if text in _FACE_WORDS:
        return text
    if text.isdecimal():
        return int(text)
    words = ", ".join(_FACE_WORDS)
    raise typer.BadParameter(f"face {text!r}; choose {words}, or a number from 0 at the left")


def report(record: dict[str, Any], line: str, quiet: bool, as_json: bool) -> None:
    """Print what was done: a line, a JSON object, or nothing."""
    if as_json:
        typer.echo(json.dumps(record))
    elif not quiet:
        typer.echo(line)


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """Turn an InputError into wrong usage: for what can be told from the command line alone."""
    from ..errors import InputError

    try:
        yield
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


def check_folder(output: Path) -> None:
    """Refuse to make a folder for results that is named as a picture."""
    from ..io.encoding import FORMATS

    if output.suffix.lower() in FORMATS and not os.path.exists(output):
        raise typer.BadParameter(f"output {output} is named as a picture; name a folder")


def spare_sidecars(outputs: Iterable[Path], *, metadata: bool, sidecar: bool) -> None:
    """Refuse, before the work, pictures whose sidecars would be written over files of others."""
    from ..io.sidecar import spare_sidecar

    with usage_errors():
        for output in outputs if metadata and sidecar else ():
            spare_sidecar(output)


def complain(message: str) -> None:
    """Print a one-line error."""
    typer.echo(f"error: {message}", err=True)


def warn(lines: Iterable[str]) -> None:
    """Print warnings, one line each."""
    for line in lines:
        typer.echo(f"warning: {line}", err=True)
