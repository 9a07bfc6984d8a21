"""Labelled pictures by one call, drawn or of turned photos: ``uvface synthesize``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

from .errors import InputError, NoFaceError
from .reconstruct import Model, as_model
from .synthesis.files import draw_pictures, draw_pool
from .synthesis.photo_files import turn_photos
from .synthesis.request import TurnedRequest, synthesis_request

__all__ = ["synthesize"]


def _warn(error: InputError | NoFaceError) -> None:
    warnings.warn(str(error), stacklevel=2)


def _ignore(done: int) -> None:
    pass


def synthesize(
    count: int,
    output: str | Path,
    *,
    assets: str | Path | None = None,
    photos: str | Path | None = None,
    seed: int = 0,
    pool: bool = False,
    photo_skins: str | Path | None = None,
    model: Model | None = None,
    report: Callable[[int], None] | None = None,
    left_out: Callable[[InputError | NoFaceError], None] = _warn,
) -> Path:
    """Make labelled faces, drawn from a head model, or those of photos, turned.

    Each gets ``face_00000.png``, ``face_00000_posmap.npz`` (``position_map`` ``[S, S, 3]``, picture
    pixels), ``face_00000_visibility.png`` and ``face_00000.json`` (68 landmarks, pose);
    ``contact_sheet.png`` shows the first of them with their landmarks. All are made anew, and take
    the place of those of an earlier call for as many or fewer. A pool holds the same as shards;
    those that exist are left alone, so that an interrupted call goes on where it stopped.

    Args:
        count: how many; photos get equal shares.
        output: folder for the pictures; made where it does not exist.
        assets: folder with ICT-FaceKit (OBJ folder FaceXModel, or data pack); with ``photos`` only
            for those of the data pack, by default the one around them.
        photos: folder of photos whose faces are turned with all that surrounds them, in place of
            drawing some.
        seed: whole number from 0 to 2**32 - 1; the same one gives the same pictures.
        pool: write shards for `train`.
        photo_skins: folder of skins from photos, to draw with; or of the fits that come with them,
            for the data pack's photos.
        model: from `load`, reads the faces of ``photos``; by default the embedded weights.
        report: called with the number of pictures that are done; of a pool, in whole shards.
        left_out: called with an error for each photo that cannot be used, which names it:
            `NoFaceError` where it shows no face, `InputError` where it cannot be read. By default
            it is a warning.

    Returns:
        The contact sheet, or the folder of the pool.

    Raises:
        InputError: nothing to make pictures of, an unusable number or folder, no face in any photo,
            a model of another UV layout; or the folder holds pictures of a larger call, shards of
            another pool, or files by the names of the pictures that no call has written.
    """
    request = synthesis_request(
        count,
        output,
        assets=assets,
        photos=photos,
        seed=seed,
        pool=pool,
        photo_skins=photo_skins,
        has_weights=model is not None,
    )
    told = report or _ignore
    if isinstance(request, TurnedRequest):
        return turn_photos(request, as_model(model), report=told, left_out=left_out)
    return (draw_pool if request.pool else draw_pictures)(request, report=told)
