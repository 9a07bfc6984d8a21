"""Skins of real people: photo textures in the head's face tile, with confidence masks.

    python -m uvface.core.synthesis.photo_skins --pack DIR -o DIR

fits the head to the CC BY photos of a data pack and writes the skins, the fits, the held-out
people's photos for validation, and the attribution that the licence asks for.

A skin is sampled at the fitted surface, moved by the smoothed landmark residuals so that lids and
lips land on their texels to the pixel, delit, and filled smoothly where the photo shows no skin.
Nothing of the people in `held_out` may enter training: neither their skins nor their fits.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import jax
import numpy as np
from jaxtyping import Bool, Float, UInt8

from ..errors import InputError
from ..whole_files import whole_file
from .attribution import check_attribution, write_attribution
from .delight import linear_from_srgb, shading_sums, solve_light
from .face_tile import bind_face_tile
from .fitting import (
    Correspondence,
    Fits,
    fit_photos,
    fitted_points,
    fitted_vertices,
    landmark_residual,
    load_correspondence,
    pixel_centres,
)
from .head import HeadModel, load_head
from .skin_texture import LandmarkWarp, SkinConfig, allowed_region, finish_skin, sample_tile

__all__ = ["SkinConfig", "Skins", "held_out", "main", "photo_skins", "write_photo_skins"]

HELD_OUT_PEOPLE = 10
HELD_OUT_SEED = 2017  # the year of the London set; never change: weights were chosen with it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Skins:
    """Skins in the head's face tile."""

    face: np.ndarray  # [N, S, S, 3] uint8, sRGB, near an albedo
    mask: np.ndarray  # [N, S, S] uint8, 255 = surely the photo's skin, soft borders


def photo_skins(
    head: HeadModel,
    photo: Callable[[int], UInt8[np.ndarray, "height width 3"]],
    landmarks: Float[np.ndarray, "photos 478 d"],
    fits: Fits,
    correspondence: Correspondence,
    *,
    config: SkinConfig | None = None,
) -> Skins:
    """Take the skins of fitted photos.

    Args:
        head: the parametric head.
        photo: returns the photo of a number, RGB.
        landmarks: MediaPipe landmarks in photo pixels (pixel centres).
        fits: the fitted heads, in the order of the landmarks.
        correspondence: where the landmarks lie on the head.
        config: sizes and thresholds.

    Returns:
        One skin per photo.
    """
    config = SkinConfig() if config is None else config
    tile = bind_face_tile(head, config.size)
    warp = LandmarkWarp.build(head, correspondence, config)
    allowed = allowed_region(config)
    raw, sums = [], []
    for index in range(len(landmarks)):
        vertices = np.asarray(fitted_vertices(head, fits, index))
        image = photo(index)
        one = sample_tile(image, vertices, landmarks[index], head, tile, warp, allowed, config)
        color = linear_from_srgb(one.color[one.seeds] / 255.0)
        sums.append(shading_sums(color, one.normals[one.seeds] / 127.0))
        raw.append(one)
    lights = solve_light(sums)
    done = [finish_skin(one, light) for one, light in zip(raw, lights, strict=True)]
    return Skins(face=np.stack([d[0] for d in done]), mask=np.stack([d[1] for d in done]))


def held_out(subject: np.ndarray) -> Bool[np.ndarray, " photos"]:
    """Return which photos show one of the ten people kept for validation.

    The rule depends on the set of names alone: ten people drawn from the sorted names by a
    generator with a fixed seed.
    """
    people = np.unique(subject)
    count = min(HELD_OUT_PEOPLE, len(people) // 2)
    chosen = np.random.default_rng(HELD_OUT_SEED).choice(people, count, replace=False)
    return np.isin(subject, chosen)


def write_photo_skins(
    pack_dir: Path | str, out_dir: Path | str, *, config: SkinConfig | None = None
) -> float:
    """Fit the CC BY photos of a data pack and write their skins.

    Writes ``skins.npz`` (face, mask, names), ``fits.npz`` (identity, expression, scale, rotation,
    translation, names, residual), ``heldout.npz`` (images, landmarks68, names; the people of
    `held_out`, who are in none of the other files) and ``ATTRIBUTION.txt``.

    Args:
        pack_dir: folder with ``face_model`` and ``photos_cc_by``.
        out_dir: folder to write into; made if needed.
        config: sizes and thresholds of the skins.

    Returns:
        The mean landmark residual of all photos as a fraction of the face width.

    Raises:
        InputError: a file of the pack is missing, or another ``ATTRIBUTION.txt`` is in the way.
    """
    pack, out = Path(pack_dir), Path(out_dir)
    photos = pack / "photos_cc_by"
    if not (photos / "landmarks.npz").is_file():
        raise InputError(f"no photos_cc_by/landmarks.npz in {pack}; pass the data pack's folder")
    head = load_head(pack / "face_model")
    table = load_correspondence(pack / "face_model" / "mediapipe_to_ict.npz")
    with np.load(photos / "landmarks.npz", allow_pickle=False) as stored:
        names, subject = stored["names"], stored["subject"]
        landmarks = pixel_centres(stored["mediapipe478"])
    person = np.unique(subject, return_inverse=True)[1].astype(np.int32)
    check_attribution(out)
    fits = fit_photos(head, landmarks, table, person=person)
    residual = landmark_residual(head, fits, landmarks, table)
    kept = np.flatnonzero(~held_out(subject))
    files = [photos / "images" / f"{name}.jpg" for name in names]

    def read(index: int) -> np.ndarray:
        return _read_rgb(files[kept[index]])

    write_attribution(out)
    kept_fits = jax.tree.map(lambda field: field[kept], fits)
    _save(out / "fits.npz", names=names[kept], residual=residual[kept], **_fit_arrays(kept_fits))
    rest = np.flatnonzero(held_out(subject))
    _save(
        out / "heldout.npz",
        names=names[rest],
        images=np.stack([_read_rgb(files[index]) for index in rest]),
        landmarks68=_landmarks68(head, jax.tree.map(lambda field: field[rest], fits), pack),
    )
    skins = photo_skins(head, read, landmarks[kept], kept_fits, table, config=config)
    _save(out / "skins.npz", names=names[kept], face=skins.face, mask=skins.mask)
    return float(residual.mean())


def _fit_arrays(fits: Fits) -> dict[str, np.ndarray]:
    camera = fits.camera
    return {
        "identity": np.asarray(fits.identity),
        "expression": np.asarray(fits.expression),
        "scale": np.asarray(camera.scale),
        "rotation": np.asarray(camera.rotation),
        "translation": np.asarray(camera.translation),
    }


def _landmarks68(head: HeadModel, fits: Fits, pack: Path) -> Float[np.ndarray, "photos 68 3"]:
    """Return the 68 points of the fits in the convention of 300W-LP, photo pixels."""
    stored = json.loads((pack / "face_model" / "landmarks68_300wlp.json").read_text())
    vertices = np.repeat(np.array(stored["vertices"], np.int32)[:, None], 3, axis=1)
    first = np.tile(np.array([1.0, 0.0, 0.0], np.float32), (len(vertices), 1))
    return np.asarray(fitted_points(head, fits, vertices, first))


def _read_rgb(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"cannot read the photo {path}")
    return np.ascontiguousarray(image[..., ::-1])


def _save(path: Path, **arrays: np.ndarray) -> None:
    """Write an archive so that readers never see half a file."""
    with whole_file(path) as hidden, hidden.open("xb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `write_photo_skins` from the command line."""
    parser = argparse.ArgumentParser(description="take skins from the photos of a data pack")
    parser.add_argument("--pack", required=True, type=Path, help="data pack folder")
    parser.add_argument("-o", "--out", required=True, type=Path, help="folder to write into")
    options = parser.parse_args(argv)
    write_photo_skins(options.pack, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
