"""Labelled pictures for users: ``synthesize`` writes them as files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ..errors import InputError
from ..geometry.layout import load_layout
from ..io.files import write_bytes_atomic
from .generator import Sample, load_generator, render_batch
from .labels import position_maps, visibility_maps
from .pool import sample_keys, write_pool
from .surface import TexelBinding, bind_texels

__all__ = [
    "SHEET_MOST",
    "draw_sheet",
    "encode_png",
    "find_sources",
    "synthesize",
    "synthesize_pool",
    "write_sample",
]

_BATCH = 4
_SHEET_COLUMNS = 5
SHEET_MOST = 40  # pictures on the contact sheet
_SHEET_SIZE = 192


def encode_png(image: np.ndarray) -> bytes:
    """Return the bytes of a PNG file of a picture (RGB or grey, uint8)."""
    order = image[..., ::-1] if image.ndim == 3 else image
    return cv2.imencode(".png", np.ascontiguousarray(order))[1].tobytes()


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


def write_sample(
    directory: Path, stem: str, image: np.ndarray, labels: dict[str, np.ndarray]
) -> None:
    """Write one picture (uint8) with its labels: position map, visibility, landmarks, pose."""
    write_bytes_atomic(directory / f"{stem}.png", encode_png(image))
    write_bytes_atomic(directory / f"{stem}_visibility.png", encode_png(labels["visibility"]))
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
    if count < 1:
        raise InputError(f"cannot write {count} faces; ask for one at least")
    directory = Path(directory)
    head, folder = find_sources(assets)
    generator = load_generator(head, folder=folder, photo_skins=photo_skins)
    binding = bind_texels(generator.surface, load_layout().size)
    directory.mkdir(parents=True, exist_ok=True)
    shown: list[tuple[np.ndarray, np.ndarray]] = []
    for start in range(0, count, _BATCH):
        numbers = range(start, start + _BATCH)
        samples = render_batch(generator, sample_keys(seed, numbers))
        kept = min(_BATCH, count - start)
        images = np.asarray(samples.image)
        for k, labels in enumerate(_labels(samples, binding, kept)):
            write_sample(directory, f"face_{start + k:05d}", images[k], labels)
            if len(shown) < SHEET_MOST:
                shown.append((images[k], labels["landmarks"]))
        report(start + kept)
    sheet = directory / "contact_sheet.png"
    write_bytes_atomic(sheet, encode_png(draw_sheet(shown)))
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

    Shards that exist are left alone, so that an interrupted call goes on where it stopped.

    Args:
        count: pictures of the whole pool.
        directory: where to; made when missing.
        seed: seed of the random numbers.
        assets: data-pack folder, or head model alone (see `find_sources`).
        photo_skins: folder with skins made from photos, or None.
        report: called with the number of every finished shard.
    """
    if count < 1:
        raise InputError(f"cannot write {count} faces; ask for one at least")
    head, folder = find_sources(assets)
    generator = load_generator(head, folder=folder, photo_skins=photo_skins)
    write_pool(generator, Path(directory), count, seed=seed, report=report)
