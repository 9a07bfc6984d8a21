"""Pool of drawn pictures for training: shards of JPEG files, masks, control maps and landmarks.

What covers the head and how light its skin is go along, for the groups of an evaluation; training
does not read them.

A picture depends on the seed and its number only: shards may be written in any order, by several
processes, and again after an interruption.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..errors import InputError
from ..geometry.layout import load_layout
from ..whole_files import make_folder, write_bytes_atomic
from .generator import Generator, Sample, render_batch
from .labels import control_maps
from .origin import Origin
from .surface import TexelBinding, bind_texels
from .view import CROP_SIZE, PICTURE_SIZE

__all__ = [
    "SHARD_SIZE",
    "PictureSource",
    "count_pictures",
    "encode_jpeg",
    "sample_keys",
    "write_pool",
]

SHARD_SIZE = 500
CONTROL_SCALE = 64.0  # steps per pixel of the stored control maps
MASK_SIZE = 160  # pixels along one side of the stored head masks: half the picture's
_BATCH = 20
_QUALITY = (92, 96)
_WORN_SHARE = 0.3  # pictures that went through a strong compression before


def encode_jpeg(image: np.ndarray, *, seed: tuple[int, int]) -> np.ndarray:
    """Return the bytes of a JPEG file; some pictures are compressed badly before.

    Args:
        image: ``[H, W, 3]`` uint8 RGB.
        seed: seed of the pool and number of the picture.
    """
    generator = np.random.default_rng(seed)
    bgr = np.ascontiguousarray(image[..., ::-1])
    if generator.random() < _WORN_SHARE:
        worn = int(generator.integers(18, 75))
        coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, worn])[1]
        bgr = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    quality = int(generator.integers(*_QUALITY))
    return np.asarray(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]).ravel()


def _encode_mask(mask: np.ndarray) -> np.ndarray:
    """Return the bytes of a PNG file of a mask ``[H, W]`` uint8, at half the resolution."""
    small = cv2.resize(mask, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.imencode(".png", small)[1]).ravel()


def _encode_kind(kind: np.ndarray) -> np.ndarray:
    """Return the bytes of a PNG file of a kind mask, at half the resolution; not averaged."""
    return np.asarray(cv2.imencode(".png", np.ascontiguousarray(kind[::2, ::2]))[1]).ravel()


def _write_header(directory: Path, count: int, seed: int, origin: Origin) -> None:
    header = {
        "size": PICTURE_SIZE,
        "crop_side": CROP_SIZE,
        "layout_digest": load_layout().digest,
        "count": count,
        "seed": seed,
        "shard_size": SHARD_SIZE,
        **dataclasses.asdict(origin),
    }
    path = directory / "pool.json"
    _check_header(path, header)
    write_bytes_atomic(path, json.dumps(header).encode())


def _check_header(path: Path, header: dict[str, Any]) -> None:
    """Raise an `InputError` where a folder holds shards of another pool, or of one unknown."""
    try:
        known = json.loads(path.read_text()) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} ({error}); choose another folder") from error
    if known is None and any(path.parent.glob("shard_*.npz")):
        raise InputError(
            f"{path.parent} holds shards of a pool without its pool.json; choose another folder "
            "or remove the folder with its shards"
        )
    if known is not None and known != header:
        raise InputError(
            f"{path} belongs to another pool (of other sources, another number or seed, or made by "
            "an older version); choose another folder or remove the folder with its shards"
        )


def sample_keys(seed: int, numbers: Iterable[int]) -> jax.Array:
    """Return the keys of the numbered pictures of a seed."""
    key = jax.random.key(seed)
    return jax.vmap(lambda number: jax.random.fold_in(key, number))(
        jnp.asarray(list(numbers), dtype=jnp.uint32)
    )


@runtime_checkable
class PictureSource(Protocol):
    """Where the pictures of a pool come from."""

    def draw(self, seed: int, numbers: Sequence[int]) -> tuple[Sample, Array]:
        """Return the numbered pictures of a seed, stacked, and their control maps (pixels)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Drawn:
    """Pictures of synthetic heads."""

    generator: Generator
    binding: TexelBinding

    def draw(self, seed: int, numbers: Sequence[int]) -> tuple[Sample, Array]:
        padded = [*numbers, *[numbers[-1]] * (_BATCH - len(numbers))]  # one compilation for all
        samples = render_batch(self.generator, sample_keys(seed, padded))
        return samples, control_maps(samples.surface, self.binding)


def _stored(control: Array) -> np.ndarray:
    half = PICTURE_SIZE / 2
    steps = (np.asarray(control) - np.array([half, half, 0.0], np.float32)) * CONTROL_SCALE
    return np.clip(np.round(steps), -32768, 32767).astype(np.int16)


def write_pool(
    source: Generator | PictureSource,
    directory: Path,
    count: int,
    *,
    origin: Origin,
    seed: int = 0,
    shards: range | None = None,
    report: Callable[[int], None] = lambda shard: None,
) -> None:
    """Draw pictures into shards; shards that exist already are left alone.

    Args:
        source: the generator, or another source of pictures.
        directory: folder of the pool; made when missing.
        count: pictures of the whole pool.
        origin: what the source is made of; pictures of another one are never mixed in.
        seed: the same seed gives the same pictures.
        shards: the shards that this process writes; default all.
        report: called with the number of every finished shard.
    """
    make_folder(directory)
    _write_header(directory, count, seed, origin)
    if isinstance(source, Generator):
        source = _Drawn(generator=source, binding=bind_texels(source.surface, 256))
    everything = range(-(-count // SHARD_SIZE))
    for shard in everything if shards is None else shards:
        path = directory / f"shard_{shard:04d}.npz"
        if path.is_file() or shard not in everything:
            continue
        numbers = range(shard * SHARD_SIZE, min((shard + 1) * SHARD_SIZE, count))
        content = io.BytesIO()
        np.savez(content, **_shard_arrays(source, seed, numbers))  # type: ignore[arg-type]
        write_bytes_atomic(path, content.getvalue())
        report(shard)


def count_pictures(report: Callable[[int], None], count: int) -> Callable[[int], None]:
    """Return what is told of finished shards, in order, and tells how many pictures are done.

    Args:
        report: called with the number of pictures.
        count: pictures of the whole pool.
    """
    return lambda shard: report(min((shard + 1) * SHARD_SIZE, count))


def _shard_arrays(source: PictureSource, seed: int, numbers: range) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {}
    with ThreadPoolExecutor(max_workers=2) as workers:
        for start in range(0, len(numbers), _BATCH):
            part = numbers[start : start + _BATCH]
            samples, control = source.draw(seed, part)
            names = zip(np.asarray(samples.image)[: len(part)], part, strict=True)
            found = {
                "jpeg": [
                    *workers.map(lambda pair: encode_jpeg(pair[0], seed=(seed, pair[1])), names)
                ],
                "mask": [*workers.map(_encode_mask, np.asarray(samples.head_mask)[: len(part)])],
                "control": [_stored(control)[: len(part)]],
                "landmarks": [np.asarray(samples.landmarks, np.float32)[: len(part)]],
                "angles": [np.asarray(samples.angles, np.float32)[: len(part)]],
            }
            if samples.kind is not None:
                kinds = np.asarray(samples.kind)[: len(part)]
                found["kind"] = [*workers.map(_encode_kind, kinds)]
            if samples.ita is not None:
                found["ita"] = [np.asarray(samples.ita, np.float32)[: len(part)]]
            for name, rows in found.items():
                parts.setdefault(name, []).extend(rows)
    arrays = {name: np.concatenate(rows) for name, rows in parts.items()}
    offsets = {"jpeg": "offset", "mask": "mask_offset", "kind": "kind_offset"}
    return arrays | {offsets[name]: _offsets(parts[name]) for name in offsets if name in parts}


def _offsets(files: list[np.ndarray]) -> np.ndarray:
    """Return where each file starts in all of them together, and where the last one ends."""
    return np.cumsum([0, *(len(file) for file in files)]).astype(np.int64)
