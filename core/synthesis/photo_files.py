"""Labelled pictures of turned photos for users and for training, in the generator's form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import InputError, NoFaceError
from ..geometry.layout import UVLayout, load_layout
from ..whole_files import make_folder, no_empty_folder, write_bytes_atomic
from .files import (
    SHEET_MOST,
    check_request,
    draw_sheet,
    prepare_folder,
    write_picture,
    write_sample,
)
from .labels import visibility_maps
from .origin import photo_origin
from .photo_faces import FaceReader, TurnedPhotos, check_sources, find_pack, find_photos
from .photo_skins import ATTRIBUTION
from .pool import write_pool

__all__ = ["check_photos", "synthesize_photos"]

_BATCH = 4


def synthesize_photos(
    count: int,
    directory: Path | str,
    *,
    photos: Path | str,
    model: FaceReader,
    seed: int = 0,
    pool: bool = False,
    assets: Path | str | None = None,
    photo_skins: Path | str | None = None,
    report: Callable[[int], None] = lambda done: None,
    left_out: Callable[[InputError | NoFaceError], None] = lambda error: None,
) -> None:
    """Write pictures of photos' faces, turned with what surrounds them, with exact labels.

    The files are those of `files.synthesize`, or the shards of `pool.write_pool`. The labels are
    exact for the geometry that the photo was read with: a network's, or a fit's.

    Args:
        count: how many; the photos get equal shares.
        directory: where to; made when missing.
        photos: folder of photos, or ``photos_cc_by`` of the data pack.
        model: from `uvface.load`; its layout must be ``uvface``.
        seed: the same seed gives the same pictures.
        pool: write shards for ``uvface train``.
        assets: data-pack folder, for its own photos; by default found around them.
        photo_skins: folder with ``fits.npz`` of the data pack's photos; default: fit now.
        report: called with the number of pictures (or of the shard) that is done.
        left_out: called for each photo that cannot be used; see `find_photos`.
    """
    directory, photos = Path(directory), Path(photos)
    pack = None if assets is None else Path(assets)
    fits = None if photo_skins is None else Path(photo_skins)
    check_photos(directory, photos, pack, fits)
    check_request(count, seed)
    if model.layout.digest != load_layout().digest:
        raise InputError(
            f"the weights are for the UV layout {model.layout.name}, labels are written in "
            f"{load_layout().name}; take weights for that"
        )
    with no_empty_folder(directory):
        if pool:
            make_folder(directory)
        else:
            prepare_folder(directory, count)
        faces = find_photos(photos, model, assets=pack, fits=fits, left_out=left_out)
        source = TurnedPhotos(faces=faces, model=model, count=count)
        home = find_pack(photos)
        if home is not None:
            write_bytes_atomic(directory / "ATTRIBUTION.txt", ATTRIBUTION.encode())
        if pool:
            weights = model.weights_sha256
            origin = photo_origin(photos, pack=home, assets=pack, fits=fits, weights=weights)
            write_pool(source, directory, count, origin=origin, seed=seed, report=report)
            return
        shown: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            shown += _write(source, directory, seed, numbers, model.layout)
            del shown[SHEET_MOST:]
            report(numbers.stop)
        write_picture(directory / "contact_sheet.png", draw_sheet(shown), is_drawn=False)


def check_photos(
    directory: Path, photos: Path, assets: Path | None = None, photo_skins: Path | None = None
) -> None:
    """Raise an InputError where folders do not go together; see `synthesize_photos`.

    Pictures among the photos would be turned themselves, and what only the data pack's photos need
    would not be used.
    """
    if directory.resolve() == photos.resolve():
        raise InputError(f"{directory} holds the photos; choose another folder for the pictures")
    check_sources(photos, assets, photo_skins)


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
