"""Labelled pictures of turned photos for users and for training, in the generator's form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import InputError, NoFaceError
from ..geometry.layout import UVLayout, load_layout
from ..whole_files import make_folder, no_empty_folder
from .attribution import check_attribution, write_attribution
from .files import SHEET_MOST, draw_sheet, prepare_folder, write_picture, write_sample
from .labels import visibility_maps
from .origin import photo_origin
from .photo_faces import FaceReader, TurnedPhotos, find_known_faces
from .pool import count_pictures, write_pool
from .request import TurnedRequest
from .sources import find_pack

__all__ = ["turn_photos"]

_BATCH = 4


def turn_photos(
    request: TurnedRequest,
    model: FaceReader,
    *,
    report: Callable[[int], None],
    left_out: Callable[[InputError | NoFaceError], None],
) -> Path:
    """Write pictures of photos' faces, turned with what surrounds them, with exact labels.

    The files are those of `files.draw_pictures`, or the shards of `pool.write_pool`. The labels are
    exact for the geometry that the photo was read with: a network's, or a fit's.

    Args:
        request: how many, where to, and of which photos.
        model: from `uvface.load`; its layout must be ``uvface``.
        report: called with the number of pictures that are done; of a pool, in whole shards.
        left_out: called for each photo that cannot be used; see `find_known_faces`.

    Returns:
        The contact sheet, or the folder of the pool.
    """
    directory, photos = request.output, request.photos
    _check_layout(model.layout)
    is_pack = find_pack(photos) is not None
    if is_pack:
        check_attribution(directory)
    with no_empty_folder(directory):
        if request.pool:
            make_folder(directory)
        else:
            prepare_folder(directory, request.count)
        fits = request.photo_skins
        faces = find_known_faces(photos, model, assets=request.assets, fits=fits, left_out=left_out)
        source = TurnedPhotos(faces=faces, model=model, count=request.count)
        if is_pack:
            write_attribution(directory)
        write = _write_pool if request.pool else _write_pictures
        return write(request, source, report)


def _check_layout(layout: UVLayout) -> None:
    known = load_layout()
    if layout.digest != known.digest:
        raise InputError(
            f"the weights are for the UV layout {layout.name}, labels are written in "
            f"{known.name}; take weights for that"
        )


def _write_pool(
    request: TurnedRequest, source: TurnedPhotos, report: Callable[[int], None]
) -> Path:
    origin = photo_origin(
        request.photos,
        pack=find_pack(request.photos),
        assets=request.assets,
        fits=request.photo_skins,
        weights=source.model.weights_sha256,
    )
    told = count_pictures(report, request.count)
    write_pool(source, request.output, request.count, origin=origin, seed=request.seed, report=told)
    return request.output


def _write_pictures(
    request: TurnedRequest, source: TurnedPhotos, report: Callable[[int], None]
) -> Path:
    directory, count = request.output, request.count
    shown: list[tuple[np.ndarray, np.ndarray]] = []
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        shown += _write(source, directory, request.seed, numbers, source.model.layout)
        del shown[SHEET_MOST:]
        report(numbers.stop)
    sheet = directory / "contact_sheet.png"
    write_picture(sheet, draw_sheet(shown), is_drawn=False)
    return sheet


def _write(
    source: TurnedPhotos, directory: Path, seed: int, numbers: range, layout: UVLayout
) -> list[tuple[np.ndarray, np.ndarray]]:
    samples, _ = source.draw(seed, numbers)
    maps = samples.surface.reshape(len(numbers), layout.size, layout.size, 3)
    seen = np.asarray(visibility_maps(maps, samples.head_mask, layout))
    images, landmarks = np.asarray(samples.image), np.asarray(samples.landmarks)
    for k, number in enumerate(numbers):
        labels = {
            "position_map": np.asarray(maps[k]),
            "visibility": np.round(seen[k] * 255).astype(np.uint8),
            "landmarks": landmarks[k],
            "angles": np.asarray(samples.angles[k]),
        }
        write_sample(directory, f"face_{number:05d}", images[k], labels, is_drawn=False)
    return list(zip(images, landmarks, strict=True))
