"""Faces of photos that can be turned: a user's own, or the CC BY photos of the data pack.

A user's photos are read by the network. The data pack's photos have landmarks from which the
parametric head is fitted; the fit, moved by the smoothed residuals of the landmarks, gives their
position maps. Nobody of `photo_skins.held_out` is among them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..errors import InputError, NoFaceError
from ..find_photos import find_photos
from ..geometry.crop import box_from_landmarks
from ..geometry.landmarks import read_landmarks
from ..geometry.layout import UVLayout
from ..geometry.pose import angles_from_rotation, rotation_from_angles
from ..geometry.spline import fit_control
from ..io.arrays import open_arrays
from ..io.images import read_photo
from ..types import Camera, Face
from .face_tile import vertex_uv
from .fitting import Fits, fit_photos, fitted_vertices, load_correspondence, pixel_centres
from .generator import Sample
from .head import HeadModel, load_head
from .photo_skins import held_out
from .profiling import PhotoFace, Turned, prepare_face, turn_face
from .skin_texture import LandmarkWarp, SkinConfig
from .sources import check_sources, find_pack
from .surface import (
    FaceSurface,
    TexelBinding,
    bind_texels,
    load_surface,
    position_map,
    surface_vertices,
)

__all__ = [
    "FaceReader",
    "KnownFace",
    "TurnedPhotos",
    "bare_texels",
    "find_known_faces",
    "random_turn",
]

_PITCH = 25.0  # degrees, the furthest turn
_MOST_YAW, _MOST_PITCH = 90.0, 45.0  # degrees, of the turned head
_TURNED = 12.0  # degrees of yaw from which a head is only turned further, never back
_SIDE = 256  # texels
_TURN_STREAM = 1  # a stream of its own: `pool.encode_jpeg` draws from (seed, number)


@runtime_checkable
class FaceReader(Protocol):
    """What reads the faces of photos: a `Model` of ``core.reconstruct``."""

    @property
    def layout(self) -> UVLayout:
        """Return the UV layout of the faces."""

    @property
    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights file; "" where there is none."""

    def reconstruct(self, photo: Any, *, boxes: Any = None, faces: Any = "all") -> list[Face]:
        """Return the faces of a photo (a file or RGB in [0, 1])."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KnownFace:
    """A photo and the position map of the face in it."""

    path: Path
    position_map: np.ndarray  # [S, S, 3] photo pixels
    rotation: np.ndarray  # [3, 3]
    scale: float  # photo pixels per cm


@dataclasses.dataclass(frozen=True, kw_only=True)
class TurnedPhotos:
    """Pictures of photos' faces, each turned at random (a `pool.PictureSource`)."""

    faces: Sequence[KnownFace]
    model: FaceReader
    count: int  # pictures in all: neighbours show the same face, so that it is prepared once

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prepared", lru_cache(maxsize=1)(self._prepare))

    def turned(self, seed: int, number: int) -> Turned:
        """Return the numbered picture of a seed."""
        random = np.random.default_rng((seed, number, _TURN_STREAM))
        order = np.random.default_rng(seed).permutation(len(self.faces))
        index = int(order[number * len(self.faces) // max(self.count, number + 1)])
        turn = random_turn(random, self.faces[index].rotation)
        prepared: Callable[[int], PhotoFace] = self._prepared  # type: ignore[attr-defined]
        return turn_face(prepared(index), jnp.asarray(turn), self.model.layout)

    def draw(self, seed: int, numbers: Sequence[int]) -> tuple[Sample, Array]:
        """Return the numbered pictures of a seed, stacked, and their control maps."""
        turned = [self.turned(seed, number) for number in numbers]
        stacked: Turned = jax.tree.map(lambda *leaves: jnp.stack(leaves), *turned)
        samples = Sample(
            image=jnp.round(255.0 * stacked.image).astype(jnp.uint8),
            surface=stacked.position_map.reshape(len(numbers), -1, 3),
            landmarks=stacked.landmarks,
            angles=stacked.angles,
            head_mask=jnp.round(255.0 * stacked.head_mask).astype(jnp.uint8),
        )
        return samples, jnp.stack([_control(one.position_map) for one in turned])

    def _prepare(self, index: int) -> PhotoFace:
        known, layout = self.faces[index], self.model.layout
        photo = read_photo(known.path).image
        placed = jnp.asarray(known.position_map)
        box = box_from_landmarks(read_landmarks(placed, layout.landmark_uv))
        face = self.model.reconstruct(photo, boxes=[np.asarray(box).tolist()])[0]
        return prepare_face(
            photo,
            known.position_map,
            bare_texels(face),
            layout,
            rotation=known.rotation,
            scale=known.scale,
        )


@jax.jit
def _control(positions: Float[Array, "s s 3"]) -> Array:
    return fit_control(positions, 64)


def bare_texels(face: Face) -> Float[np.ndarray, "s s"]:
    """Return 0 where a texel faces the camera and the network sees something before it, else 1."""
    turned_here, seen = np.asarray(face.self_visibility), np.asarray(face.visibility)
    return 1.0 - ((turned_here > 0.5) & (seen < 0.5)).astype(np.float32)


def random_turn(
    random: np.random.Generator, rotation: Float[np.ndarray, "3 3"], *, max_yaw: float | int = 75.0
) -> Float[np.ndarray, "3 3"]:
    """Return a turn by random angles, up to 25 degrees of pitch.

    A head that looks aside is turned further to that side only: the photo does not show the other.

    Args:
        random: generator of random numbers.
        rotation: of the head in the photo.
        max_yaw: degrees of yaw by which it is turned at most.
    """
    yaw, pitch, _ = (float(angle) for angle in angles_from_rotation(jnp.asarray(rotation)))
    by = random.uniform(-max_yaw, max_yaw)
    if abs(yaw) > _TURNED:
        by = np.copysign(by, yaw)
    by = _limited(yaw + by, max(_MOST_YAW, abs(yaw))) - yaw
    lift = _limited(pitch + random.uniform(-_PITCH, _PITCH), max(_MOST_PITCH, abs(pitch))) - pitch
    return np.asarray(rotation_from_angles(by, lift, 0.0))


def _limited(angle: float, most: float) -> float:
    return float(np.clip(angle, -most, most))


def find_known_faces(
    folder: Path,
    model: FaceReader,
    *,
    assets: Path | None = None,
    fits: Path | None = None,
    left_out: Callable[[InputError | NoFaceError], None] = lambda error: None,
) -> list[KnownFace]:
    """Return the faces of a folder of photos; those that show none are left out.

    Args:
        folder: photos, or ``photos_cc_by`` of the data pack (with ``landmarks.npz``).
        model: reads the photos that have no landmarks; the largest face of each is taken.
        assets: data-pack folder with ``face_model``; by default the one around the photos.
        fits: folder with ``fits.npz`` made by `write_photo_skins`; None: fit now.
        left_out: called for each photo that cannot be used, with an error that names it:
            `NoFaceError` where it shows no face, `InputError` where it cannot be read.

    Raises:
        InputError: no folder, no photo, no face in any, or a folder that would not be used.
    """
    if not folder.is_dir():
        raise InputError(f"no folder {folder}; give one with photos")
    check_sources(folder, assets, fits)
    home = find_pack(folder)
    if fits is not None and not (fits / "fits.npz").is_file():
        raise InputError(f"no fits.npz in {fits}; make it by photo fitting or leave it out")
    if home is not None:
        return _fitted_faces(home, assets or home.parent, fits)
    paths = find_photos(folder)
    found = []
    for path in paths:
        try:
            found.append(_read_face(path, model))
        except (InputError, NoFaceError) as error:
            left_out(error)
    if not found:
        raise InputError(f"no face found in {folder} ({len(paths)} photos); give other photos")
    return found


def _read_face(path: Path, model: FaceReader) -> KnownFace:
    faces = model.reconstruct(path, faces="largest")
    if not faces:
        raise NoFaceError(f"no face found in {path.name}; it is left out")
    camera: Camera = faces[0].camera
    return KnownFace(
        path=path,
        position_map=np.asarray(faces[0].position_map),
        rotation=np.asarray(camera.rotation),
        scale=float(camera.scale),
    )


def _fitted_faces(home: Path, assets: Path, fits_folder: Path | None) -> list[KnownFace]:
    head = load_head(assets / "face_model")
    table = load_correspondence(assets / "face_model" / "mediapipe_to_ict.npz")
    with open_arrays(home / "landmarks.npz") as stored:
        kept = np.flatnonzero(~held_out(stored["subject"]))
        names, subject = stored["names"][kept], stored["subject"][kept]
        landmarks = pixel_centres(stored["mediapipe478"])[kept]
    if fits_folder is not None:
        fits = _read_fits(fits_folder / "fits.npz", names)
    else:
        person = np.unique(subject, return_inverse=True)[1].astype(np.int32)
        fits = fit_photos(head, landmarks, table, person=person)
    config = SkinConfig()
    warp, uv = LandmarkWarp.build(head, table, config), vertex_uv(head)
    camera: Camera = fits.camera
    return [
        KnownFace(
            path=home / "images" / f"{name}.jpg",
            position_map=_warped_map(head, fits, k, landmarks[k], warp, uv),
            rotation=np.asarray(camera.rotation[k]),
            scale=float(camera.scale[k]),
        )
        for k, name in enumerate(names)
    ]


def _read_fits(path: Path, names: np.ndarray) -> Fits:
    with open_arrays(path) as stored:
        if not np.array_equal(stored["names"], names):
            raise InputError(f"{path} was made of other photos; make it again or leave it out")
        camera = Camera(**{k: jnp.asarray(stored[k]) for k in ("scale", "rotation", "translation")})
        return Fits(
            identity=jnp.asarray(stored["identity"]),
            expression=jnp.asarray(stored["expression"]),
            camera=camera,
        )


def _warped_map(
    head: HeadModel,
    fits: Fits,
    index: int,
    landmarks: np.ndarray,
    warp: LandmarkWarp,
    uv: Float[np.ndarray, "v 2"],
) -> Float[np.ndarray, "s s 3"]:
    """Return the position map of a fit whose surface is moved onto the landmarks."""
    vertices = np.array(fitted_vertices(head, fits, index))
    moves = warp.displacement(vertices, landmarks, _SIDE).astype(np.float32)
    x, y = np.nan_to_num(uv * _SIDE - 0.5).astype(np.float32).T[..., None]
    moved = cv2.remap(moves, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    vertices[:, :2] += np.where(np.isfinite(uv[:, :1]), moved[:, 0], 0.0)
    surface = load_surface()
    return np.asarray(_map_of(surface, _binding(), jnp.asarray(vertices)))


@jax.jit
def _map_of(surface: FaceSurface, binding: TexelBinding, vertices: Array) -> Array:
    return position_map(binding, surface_vertices(surface, vertices))


@lru_cache(maxsize=1)
def _binding() -> TexelBinding:
    return bind_texels(load_surface(), _SIDE)
