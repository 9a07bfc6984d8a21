"""Labelled pictures of drawn faces, written as files for users or as a pool for training."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from ..geometry.layout import load_layout
from ..io.images import write_image
from ..io.provenance import (
    ALGORITHMIC_MEDIA,
    COMPOSITE_SYNTHETIC,
    Provenance,
    read_provenance,
)
from ..whole_files import make_folder, no_empty_folder, write_bytes_atomic
from .generator import Sample, load_generator, render_batch
from .labels import position_maps, visibility_maps
from .origin import drawn_origin
from .pool import count_pictures, sample_keys, write_pool
from .request import DrawnRequest
from .sources import find_sources
from .surface import TexelBinding, bind_texels

__all__ = [
    "SHEET_MOST",
    "draw_pictures",
    "draw_pool",
    "draw_sheet",
    "prepare_folder",
    "write_picture",
    "write_sample",
]

_BATCH = 4
_SHEET_COLUMNS = 5
SHEET_MOST = 40  # pictures on the contact sheet
_SHEET_SIZE = 192
_OPERATION = "synthesize"  # in the mark of every picture
_WRITTEN = re.compile(r"(face_(\d{5,}))(\.png|_visibility\.png|_posmap\.npz|\.json)", re.ASCII)


def write_picture(path: Path, image: np.ndarray, *, is_drawn: bool) -> None:
    """Write a picture (uint8) as a PNG file that says that it is synthetic.

    Args:
        path: the file.
        image: RGB.
        is_drawn: nothing of it comes from photos.
    """
    source_type = ALGORITHMIC_MEDIA if is_drawn else COMPOSITE_SYNTHETIC
    made = Provenance(operation=_OPERATION, source_type=source_type)
    write_image(path, image.astype(np.float32) / 255, provenance=made)


def prepare_folder(directory: Path, count: int) -> None:
    """Make the folder of pictures, in which those of an earlier run may be replaced, all of them.

    Raises:
        InputError: it holds pictures of a larger run, of which some would stay, or other files by
            the names of ours; or it cannot be made.
    """
    numbers = (path.stem.removeprefix("face_") for path in directory.glob("face_[0-9]*.json"))
    if more := [number for number in numbers if number.isdecimal() and int(number) >= count]:
        raise InputError(
            f"{directory} holds face_{max(more)}, of a larger run; choose another folder"
        )
    for picture, path in _in_the_way(directory, count).items():
        if not _is_ours(picture):
            raise InputError(
                f"{path} is there and of no earlier run; move it, or choose another folder"
            )
    make_folder(directory)


def _in_the_way(directory: Path, count: int) -> dict[Path, Path]:
    """Return the pictures of which files would be replaced, each with one of these files."""
    sheet = directory / "contact_sheet.png"
    found = {sheet: sheet} if sheet.exists() else {}
    for path in sorted(directory.glob("face_*")):
        named = _WRITTEN.fullmatch(path.name)
        if named and named[1] == f"face_{int(named[2]):05d}" and int(named[2]) < count:
            found[path.with_name(f"{named[1]}.png")] = path
    return found


def _is_ours(picture: Path) -> bool:
    """Return whether a picture says that it was made here; it is written before its labels."""
    try:
        made = read_provenance(picture)
    except InputError:  # no picture, or none any more
        return False
    return made is not None and made.operation == _OPERATION


def write_sample(
    directory: Path,
    stem: str,
    image: np.ndarray,
    labels: dict[str, np.ndarray],
    *,
    is_drawn: bool,
) -> None:
    """Write one picture (uint8) with its labels: position map, visibility, landmarks, pose."""
    write_picture(directory / f"{stem}.png", image, is_drawn=is_drawn)
    seen = cv2.imencode(".png", np.ascontiguousarray(labels["visibility"]))[1]
    write_bytes_atomic(directory / f"{stem}_visibility.png", seen.tobytes())
    path = directory / f"{stem}_posmap.npz"
    packed = io.BytesIO()
    np.savez_compressed(packed, position_map=labels["position_map"])
    write_bytes_atomic(path, packed.getvalue())
    yaw, pitch, roll = (round(float(angle), 4) for angle in labels["angles"])
    text = {
        "image": f"{stem}.png",
        "landmarks": np.round(labels["landmarks"], 4).tolist(),
        "pose": {"yaw": yaw, "pitch": pitch, "roll": roll},
        "files": {"position_map": path.name, "visibility": f"{stem}_visibility.png"},
    }
    write_bytes_atomic(directory / f"{stem}.json", json.dumps(text).encode())


def draw_sheet(pictures: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return pictures with their landmarks, side by side."""
    tiles = []
    for image, landmarks in pictures:
        tile = cv2.resize(image, (_SHEET_SIZE, _SHEET_SIZE), interpolation=cv2.INTER_AREA)
        scale = _SHEET_SIZE / image.shape[0]
        for x, y in (landmarks[:, :2] + 0.5) * scale - 0.5:
            cv2.circle(tile, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
        tiles.append(tile)
    columns = min(_SHEET_COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k : k + columns], axis=1) for k in range(0, len(tiles), columns)]
    return np.concatenate(rows)


def _labels(samples: Sample, binding: TexelBinding, count: int) -> list[dict[str, np.ndarray]]:
    maps = position_maps(samples.surface, binding)
    seen = np.asarray(visibility_maps(maps, samples.head_mask, load_layout()))
    landmarks, angles = np.asarray(samples.landmarks), np.asarray(samples.angles)
    return [
        {
            "position_map": np.asarray(maps[k]),
            "visibility": np.round(seen[k] * 255).astype(np.uint8),
            "landmarks": landmarks[k],
            "angles": angles[k],
        }
        for k in range(count)
    ]


def draw_pictures(request: DrawnRequest, *, report: Callable[[int], None]) -> Path:
    """Write labelled synthetic faces; the files are those of `synthesize`.

    Args:
        request: how many, where to, and what they are drawn from.
        report: called with the number of faces written so far.

    Returns:
        The contact sheet.
    """
    directory, count = request.output, request.count
    head, folder = find_sources(request.assets)
    with no_empty_folder(directory):
        prepare_folder(directory, count)  # before the sources, which take seconds to load
        generator = load_generator(head, folder=folder, photo_skins=request.photo_skins)
        binding = bind_texels(generator.surface, load_layout().size)
        is_drawn = folder is None and request.photo_skins is None
        shown: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(0, count, _BATCH):
            numbers = range(start, start + _BATCH)
            samples = render_batch(generator, sample_keys(request.seed, numbers))
            kept = min(_BATCH, count - start)
            images = np.asarray(samples.image)
            for k, labels in enumerate(_labels(samples, binding, kept)):
                write_sample(
                    directory, f"face_{start + k:05d}", images[k], labels, is_drawn=is_drawn
                )
                if len(shown) < SHEET_MOST:
                    shown.append((images[k], labels["landmarks"]))
            report(start + kept)
        sheet = directory / "contact_sheet.png"
        write_picture(sheet, draw_sheet(shown), is_drawn=is_drawn)
    return sheet


def draw_pool(request: DrawnRequest, *, report: Callable[[int], None]) -> Path:
    """Write a training pool: shards of pictures with control maps and landmarks (see `pool`).

    Shards that exist are left alone, so that an interrupted call goes on where it stopped; a folder
    with pictures of other sources, another seed or count is refused.

    Args:
        request: how many, where to, and what they are drawn from.
        report: called with the number of pictures of all finished shards.

    Returns:
        The folder of the pool.
    """
    head, folder = find_sources(request.assets)
    sources = {"folder": folder, "photo_skins": request.photo_skins}
    with no_empty_folder(request.output):
        make_folder(request.output)
        generator = load_generator(head, **sources)
        origin = drawn_origin(head, **sources)
        told = count_pictures(report, request.count)
        write_pool(
            generator,
            request.output,
            request.count,
            origin=origin,
            seed=request.seed,
            report=told,
        )
    return request.output
