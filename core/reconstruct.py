"""Photo to faces: detect, crop, predict the position map, and read everything off it.

The data flow of DESIGN.md, first row. Detection and cropping run on the host, because photos
come in every size; all else is one compiled call per face on fixed shapes.

References:
    Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", ECCV 2018.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from jaxtyping import Float

from .detection.protocol import Detector
from .errors import InputError
from .geometry.camera import estimate_camera
from .geometry.crop import box_from_landmarks, crop_box, extract_crop
from .geometry.landmarks import read_landmarks
from .geometry.layout import UVLayout, load_layout
from .geometry.sampling import sample_texture
from .geometry.visibility import visibility
from .geometry.window import cut_window
from .io.images import read_photo
from .network.weights import WeightsHeader, load_weights, read_header
from .types import Camera, Face, Similarity

__all__ = ["FaceChoice", "Model", "ReconstructConfig", "load"]

FaceChoice = Literal["all", "largest"] | int
RgbImage = Float[np.ndarray, "height width 3"]
_CAMERA_STEP = 4  # texels: a sixteenth of the rigid texels fixes six numbers as well as all
Predict = Callable[[Float[Array, "b 256 256 3"]], Float[Array, "b 256 256 3"]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReconstructConfig:
    """How a photo is read.

    Attributes:
        passes: network passes; each pass after the first crops by the landmarks that the pass
            before it found. One is best for `prn-lite`, which was trained on imprecise boxes: on
            synthetic validation a second pass helps the median and hurts the mean.
    """

    passes: int = 1


@jax.jit
def _measure_face(
    crop_map: Float[Array, "size size 3"], photo_from_crop: Similarity, layout: UVLayout
) -> tuple[Array, Array, Array, Camera]:
    """Return position map (photo pixels), visibility, landmarks and camera of one crop's map."""
    photo_map = photo_from_crop.apply(crop_map)
    mask = layout.mask[..., None]
    mean_z = jnp.sum(photo_map[..., 2:] * mask) / jnp.sum(mask)
    photo_map = photo_map.at[..., 2].add(-mean_z)
    every = (slice(None, None, _CAMERA_STEP), slice(None, None, _CAMERA_STEP))
    camera = estimate_camera(
        layout.canonical[every].reshape(-1, 3),
        photo_map[every].reshape(-1, 3),
        layout.region("rigid")[every].reshape(-1),
    )
    landmarks = read_landmarks(photo_map, layout.landmark_uv)
    return photo_map, visibility(photo_map, layout), landmarks, camera


_sample_texture = jax.jit(sample_texture)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """A network with its UV layout and a detector: all that a photo needs."""

    predict: Predict  # crops in [0, 1] -> position maps in crop pixels, compiled
    header: WeightsHeader
    layout: UVLayout
    detector: Detector | None  # None: found on first need
    config: ReconstructConfig = ReconstructConfig()

    def reconstruct(
        self,
        photo: str | Path | RgbImage,
        *,
        boxes: Sequence[Sequence[float]] | None = None,
        faces: FaceChoice = "all",
    ) -> list[Face]:
        """Find the faces of a photo and reconstruct each.

        Args:
            photo: a file, or RGB in [0, 1] of shape ``[H, W, 3]``.
            boxes: (left, top, right, bottom) around the landmarks in photo pixels, in place of
                detection.
            faces: ``"all"``, ``"largest"``, or the number of one face counted from the left.

        Returns:
            Faces from left to right; empty when there is none.

        Raises:
            InputError: the photo or a box is unusable, or there is no face of that number.
        """
        image = photo if isinstance(photo, np.ndarray) else read_photo(Path(photo)).image
        found = self._detect(image) if boxes is None else _checked_boxes(boxes, image)
        return [self._reconstruct_box(image, box, score) for box, score in _choose(found, faces)]

    def _detect(self, image: RgbImage) -> list[tuple[np.ndarray, float]]:
        from .detection.default import default_detector
        from .detection.landmark_box import landmark_box

        detector = self.detector or default_detector()
        return [(landmark_box(found), float(found.score)) for found in detector.detect(image)]

    def _reconstruct_box(self, image: RgbImage, box: np.ndarray, score: float) -> Face:
        given = jnp.asarray(box, jnp.float32)
        photo_from_crop = crop_box(given)
        crop_map = self._read_crop(image, photo_from_crop)
        for _ in range(self.config.passes - 1):
            landmarks = photo_from_crop.apply(read_landmarks(crop_map, self.layout.landmark_uv))
            photo_from_crop = crop_box(box_from_landmarks(landmarks))
            crop_map = self._read_crop(image, photo_from_crop)
        photo_map, seen, landmarks, camera = _measure_face(crop_map, photo_from_crop, self.layout)
        window, origin = cut_window(image, np.asarray(photo_map)[..., :2])
        offset = jnp.asarray([origin[0], origin[1], 0.0], jnp.float32)
        return Face(
            position_map=photo_map,
            texture=_sample_texture(jnp.asarray(window), photo_map - offset),
            visibility=seen,
            camera=camera,
            landmarks=landmarks,
            box=given,
            score=jnp.asarray(score, jnp.float32),
        )

    def _read_crop(self, image: RgbImage, photo_from_crop: Similarity) -> Array:
        crop = extract_crop(image, photo_from_crop)
        return self.predict(jnp.asarray(crop)[None])[0]


def _compiled(network: nnx.Module) -> Predict:
    graph, state = nnx.split(network)

    @jax.jit
    def run(state: Any, crops: Array) -> Array:
        return nnx.merge(graph, state)(crops)

    return lambda crops: run(state, crops)


def load(
    weights: str | Path = "prn-lite",
    *,
    detector: Detector | None = None,
    config: ReconstructConfig | None = None,
) -> Model:
    """Load a network; with no arguments the embedded one. Nothing is downloaded.

    Args:
        weights: name of embedded weights, or a ``.safetensors`` file.
        detector: face detector; by default insightface where a pack is installed, else the
            embedded CenterFace.
        config: how photos are read.

    Raises:
        AssetError: the weights or their UV layout are missing, damaged or do not fit together.
    """
    layout = load_layout(read_header(weights).layout)
    network, header = load_weights(weights, layout=layout)
    return Model(
        predict=_compiled(network),
        header=header,
        layout=layout,
        detector=detector,
        config=config or ReconstructConfig(),
    )


def _checked_boxes(
    boxes: Sequence[Sequence[float]], image: RgbImage
) -> list[tuple[np.ndarray, float]]:
    height, width = image.shape[:2]
    checked = []
    for given in boxes:
        box = np.asarray(given, dtype=np.float64)
        if box.shape != (4,) or not np.all(np.isfinite(box)):
            raise InputError(
                f"box {list(given)!r} is not four finite numbers; give LEFT TOP RIGHT BOTTOM"
            )
        left, top, right, bottom = box
        if right - left < 4 or bottom - top < 4:
            raise InputError(
                f"box {list(given)!r} is empty; give LEFT TOP RIGHT BOTTOM of 4 px or more"
            )
        if right < 0 or bottom < 0 or left > width - 1 or top > height - 1:
            raise InputError(f"box {list(given)!r} lies outside the photo of {width}x{height} px")
        checked.append((box, 1.0))
    return checked


def _choose(
    found: list[tuple[np.ndarray, float]], faces: FaceChoice
) -> list[tuple[np.ndarray, float]]:
    ordered = sorted(found, key=lambda item: item[0][0] + item[0][2])
    if faces == "all" or not ordered:
        return ordered
    if faces == "largest":
        return [max(ordered, key=lambda item: np.prod(item[0][2:] - item[0][:2]))]
    if not 0 <= int(faces) < len(ordered):
        raise InputError(
            f"no face {faces}: the photo has {len(ordered)}, counted from 0 at the left"
        )
    return [ordered[int(faces)]]
