"""What labelled pictures are asked for: drawn faces or turned photos; imports nothing heavy."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ..arguments import as_number, as_path, as_switch
from ..errors import InputError
from .sources import check_sources

__all__ = ["LARGEST_SEED", "DrawnRequest", "PictureRequest", "TurnedRequest", "synthesis_request"]

LARGEST_SEED = 2**32 - 1  # of more, JAX would leave out the rest


@dataclasses.dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """Labelled pictures, whatever they are made of.

    Attributes:
        count: pictures in all.
        output: folder for them; made when missing.
        seed: the same seed gives the same pictures.
        pool: shards for training, in place of pictures with label files.
    """

    count: int
    output: Path
    seed: int = 0
    pool: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawnRequest(PictureRequest):
    """Pictures of faces that are drawn from a head model.

    Attributes:
        assets: data-pack folder, or head model alone (see `sources.find_sources`).
        photo_skins: folder with skins made from photos, or None.
    """

    assets: Path
    photo_skins: Path | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TurnedRequest(PictureRequest):
    """Pictures of photos' faces, equally many of each, turned with all that surrounds them.

    Attributes:
        photos: folder of photos, or ``photos_cc_by`` of the data pack.
        assets: data-pack folder, for its own photos; by default found around them.
        photo_skins: folder with ``fits.npz`` of the data pack's photos; default: fit now.
    """

    photos: Path
    assets: Path | None = None
    photo_skins: Path | None = None


def synthesis_request(
    count: int,
    output: str | Path,
    *,
    assets: str | Path | None = None,
    photos: str | Path | None = None,
    seed: int = 0,
    pool: bool = False,
    photo_skins: str | Path | None = None,
    has_weights: bool = False,
) -> DrawnRequest | TurnedRequest:
    """Return what pictures are asked for, of what callers of `synthesize` give.

    Args:
        count: and so on to ``photo_skins``: as for `synthesize`.
        output: folder for the pictures.
        assets: folder of the head model.
        photos: folder of photos.
        seed: seed of the random numbers.
        pool: shards for training.
        photo_skins: folder made of photos.
        has_weights: weights are chosen that read the faces of photos.

    Raises:
        InputError: what can be told without making a picture: nothing to make them of, a number
            that is too small or too large, or folders that do not go together.
    """
    shared: dict[str, Any] = {
        "count": _as_count(count),
        "output": as_path(output, "a folder for the pictures"),
        "seed": as_number("seed", seed, 0, LARGEST_SEED, is_whole=True),
        "pool": as_switch("pool", pool),
        "photo_skins": _as_folder(photo_skins, "a folder of skins from photos"),
    }
    head = _as_folder(assets, "a folder with ICT-FaceKit")
    if photos is not None:
        request = TurnedRequest(**shared, photos=as_path(photos, "a folder of photos"), assets=head)
        _check_photos(request)
        return request
    if head is None:
        raise InputError("give --assets (a head model), or --photos (a folder of photos)")
    if has_weights:
        raise InputError(
            "--weights (a model, in Python) read the faces of --photos; drawn faces need none"
        )
    return DrawnRequest(**shared, assets=head)


def _as_count(count: int) -> int:
    whole: int = as_number("count", count, is_whole=True)
    if whole < 1:
        raise InputError(f"cannot write {whole} faces; ask for one at least")
    return whole


def _as_folder(given: str | Path | None, what: str) -> Path | None:
    return None if given is None else as_path(given, what)


def _check_photos(request: TurnedRequest) -> None:
    """Raise an InputError where folders do not go together.

    Pictures among the photos would be turned themselves, and what only the data pack's photos need
    would not be used.
    """
    if request.output.resolve() == request.photos.resolve():
        raise InputError(
            f"{request.output} holds the photos; choose another folder for the pictures"
        )
    check_sources(request.photos, request.assets, request.photo_skins)
