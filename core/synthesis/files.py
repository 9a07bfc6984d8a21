"""Labelled pictures for users: ``synthesize`` writes them as files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ..arguments import as_number
from ..errors import InputError
from ..geometry.layout import load_layout
from ..io.images import write_image
from ..io.provenance import ALGORITHMIC_MEDIA, COMPOSITE_SYNTHETIC, Provenance
from ..whole_files import make_folder, no_empty_folder, write_bytes_atomic
from .generator import Sample, load_generator, render_batch
from .labels import position_maps, visibility_maps
from .origin import drawn_origin
from .pool import sample_keys, write_pool
from .surface import TexelBinding, bind_texels

__all__ = [
    "LARGEST_SEED",
    "SHEET_MOST",
    "check_request",
    "draw_sheet",
    "find_sources",
    "prepare_folder",
    "synthesize",
    "synthesize_pool",
    "write_picture",
    "write_sample",
]

_BATCH = 4
_SHEET_COLUMNS = 5
SHEET_MOST = 40  # pictures on the contact sheet
_SHEET_SIZE = 192
LARGEST_SEED = 2**32 - 1  # of more, JAX would leave out the rest


def find_sources(path: Path | str) -> tuple[Path, Path | None]:
    """Return the head model and the folder of the other sources.

    Args:
        path: a data-pack folder (with ``face_model/``, ``skins/``, ...), or the head model alone
            (see `load_head`); then skins, hair and backgrounds are procedural.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"no folder {path}; give the data pack or the folder of ICT-FaceKit")
    if (path / "face_model").is_dir():
        return path / "face_model", path
    return path, None


def write_picture(path: Path, image: np.ndarray, *, is_drawn: bool) -> None:
    """Write a picture (uint8) as a PNG file that says that it is synthetic.

    Args:
        path: the file.
        image: RGB.
        is_drawn: nothing of it comes from photos.
    """
    source_type = ALGORITHMIC_MEDIA if is_drawn else COMPOSITE_SYNTHETIC
    made = Provenance(operation="synthesize", source_type=source_type)
    write_image(path, image.astype(np.float32) / 255, provenance=made)


def prepare_folder(directory: Path, count: int) -> None:
    """Make the folder of pictures; one with more of them, of another run, is refused.

    Raises:
        InputError: that, or the folder cannot be made.
    """
    numbers = (path.stem.removeprefix("face_") for path in directory.glob("face_[0-9]*.json"))
    if more := [number for number in numbers if number.isdecimal() and int(number) >= count]:
        raise InputError(
            f"{directory} holds face_{max(more)}, of a larger run; choose another folder"
        )
    make_folder(directory)


def check_request(count: int, seed: int) -> None:
    """Raise an InputError where a number of pictures or a seed is out of range."""
    if count < 1:
        raise InputError(f"cannot write {count} faces; ask for one at least")
    as_number("seed", seed, 0, LARGEST_SEED, is_whole=True)


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


def synthesize(
    count: int,
    directory: Path | str,
    *,
    seed: int = 0,
    assets: Path | str,
    photo_skins: Path | None = None,
    report: Callable[[int], None] = lambda done: None,
) -> Path:
    """Write labelled synthetic faces: the same seed gives the same pictures.

    Each face gets ``face_00000.png``, ``face_00000_posmap.npz`` (``position_map`` ``[S, S, 3]``,
    picture pixels), ``face_00000_visibility.png`` and ``face_00000.json`` (68 landmarks, pose);
    ``contact_sheet.png`` shows the first of them with their landmarks.

    Args:
        count: how many.
        directory: where to; made when missing.
        seed: seed of the random numbers.
        assets: data-pack folder, or head model alone (see `find_sources`).
        photo_skins: folder with skins made from photos, or None.
        report: called with the number of faces written so far.

    Returns:
        The contact sheet.
    """
    directory = Path(directory)
    check_request(count, seed)
    head, folder = find_sources(assets)
    with no_empty_folder(directory):
        prepare_folder(directory, count)  # before the sources, which take seconds to load
        generator = load_generator(head, folder=folder, photo_skins=photo_skins)
        binding = bind_texels(generator.surface, load_layout().size)
        is_drawn = folder is None and photo_skins is None
        shown: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(0, count, _BATCH):
            numbers = range(start, start + _BATCH)
            samples = render_batch(generator, sample_keys(seed, numbers))
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


def synthesize_pool(
    count: int,
    directory: Path | str,
    *,
    seed: int = 0,
    assets: Path | str,
    photo_skins: Path | None = None,
    report: Callable[[int], None] = lambda shard: None,
) -> None:
    """Write a training pool: shards of pictures with control maps and landmarks (see `pool`).

    Shards that exist are left alone, so that an interrupted call goes on where it stopped; a folder
    with pictures of other sources, another seed or count is refused.

    Args:
        count: pictures of the whole pool.
        directory: where to; made when missing.
        seed: seed of the random numbers.
        assets: data-pack folder, or head model alone (see `find_sources`).
        photo_skins: folder with skins made from photos, or None.
        report: called with the number of every finished shard.
    """
    check_request(count, seed)
    head, folder = find_sources(assets)
    with no_empty_folder(Path(directory)):
        make_folder(Path(directory))
        generator = load_generator(head, folder=folder, photo_skins=photo_skins)
        origin = drawn_origin(head, folder=folder, photo_skins=photo_skins)
        write_pool(generator, Path(directory), count, origin=origin, seed=seed, report=report)
