"""Photo to faces: detect, crop, predict the position map, and read everything off it.

The first rows of docs/design.md's drawing. Detection and cropping run on the host, because photos
come in every size; all else is one compiled call per face on fixed shapes.

References:
    Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", ECCV 2018.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from .compilation import compile_products, jit_products, keep_compiled_code
from .detection.protocol import Detector
from .errors import InputError
from .face_choice import FaceChoice, choose_faces
from .files import file_sha256
from .geometry.crop import Region, crop_box, cut_region
from .geometry.landmarks import read_landmarks
from .geometry.layout import UVLayout
from .geometry.sampling import sample_bilinear, sample_texture
from .geometry.visibility import in_photo, visibility
from .geometry.window import cut_shown_window
from .io.photos import PhotoLike, as_rgb, open_photo
from .network.inference import RunnableNetwork, load_runnable
from .network.weights_file import WeightsHeader, find_weights, read_layout
from .once import once
from .traced import blank, keep_traced, nothing_new
from .types import Camera, Face, Similarity
from .upright import UprightCrop, predict_upright, read_mirrored

__all__ = [
    "Model",
    "Reading",
    "ReconstructConfig",
    "as_model",
    "load",
    "read_texture",
]

RgbImage = Float[np.ndarray, "height width 3"]
Predict = Callable[[Float[Array, "b 256 256 3"]], Float[Array, "b 256 256 3"]]
CROP_SIZE = 256  # pixels along one side
_LARGER = 3  # times the photo's longer side: larger boxes hold no face, and fill the memory
_LARGEST_BOX = 16_384  # pixels on a side
_SURE = (0.25, 0.75)  # of the head mask: between them a texel's visibility rises


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReconstructConfig:
    """How a photo is read.

    Attributes:
        passes: network passes at most; each after the first sees the crop turned so that the
            head, as the pass before found it, stands upright.
        tolerance: degrees by which a head may be tilted before it costs another pass.
        mirror: read the mirrored crop, too, and average: on synthetic validation 4 % less error
            for twice the network's time.
    """

    passes: int = 3
    tolerance: float = 12.0
    mirror: bool = True


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read off one crop, in photo pixels."""

    position_map: Array  # [S, S, 3]; z has a mean of 0 over the face
    visibility: Array  # [S, S], 1 in the photo where neither the face nor else is in the way
    self_visibility: Array  # [S, S], 1 in the photo where the face itself is not
    landmarks: Array  # [68, 3]
    camera: Camera
    confidence: Array = dataclasses.field(default_factory=lambda: jnp.ones(()))  # [], in [0, 1]


def _measure_face(crop: UprightCrop, photo_size: Int[Array, " 2"], layout: UVLayout) -> Reading:
    photo_map = crop.photo_from_crop.apply(crop.position_map)
    mask = layout.mask[..., None]
    mean_z = jnp.sum(photo_map[..., 2:] * mask) / jnp.sum(mask)
    photo_map = photo_map.at[..., 2].add(-mean_z)
    camera = crop.camera.seen_through(crop.photo_from_crop)
    alone = visibility(photo_map, layout) * in_photo(photo_map, photo_size)
    return Reading(
        position_map=photo_map,
        visibility=alone * _uncovered(crop),
        self_visibility=alone,
        landmarks=read_landmarks(photo_map, layout.landmark_uv),
        camera=dataclasses.replace(camera, translation=camera.translation.at[2].add(-mean_z)),
        confidence=crop.confidence,
    )


def _uncovered(crop: UprightCrop) -> Float[Array, "size size"]:
    """Return per texel how sure it is that nothing lies before the head there."""
    share = crop.head.shape[0] / CROP_SIZE
    places = share * (crop.position_map[..., :2] + 0.5) - 0.5
    sure = sample_bilinear(crop.head[..., None], places)[..., 0]
    low, high = _SURE
    return jnp.clip((sure - low) / (high - low), 0.0, 1.0)


def read_texture(
    image: RgbImage, position_map: Float[Array, "size size 3"]
) -> Float[Array, "size size 3"]:
    """Return the colours of a photo at the texels of a face of it."""
    window, origin = cut_shown_window(image, np.asarray(position_map)[..., :2])
    return _read_window(window, position_map, np.asarray(origin, np.float32))


@jax.jit
def _read_window(window: Array, position_map: Array, origin: Array) -> Array:
    return sample_texture(window, position_map - jnp.append(origin, 0.0))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """A network with its UV layout and a detector: all that a photo needs."""

    predict: Predict  # crops in [0, 1] -> position maps in crop pixels, compiled
    read: Callable[[Region, Similarity], Reading]  # a face in its region, compiled
    header: WeightsHeader
    layout: UVLayout
    detector: Detector | None  # None: found on first need
    weights_sha256: str = ""  # of the weights file; "" where the network came from none
    config: ReconstructConfig = ReconstructConfig()  # how `read` reads
    prepare: Callable[[], None] = lambda: None  # loads what `read` kept in an earlier process

    @property
    def detector_name(self) -> str:
        """Return the name of what finds the faces, for records."""
        from .detection.default import detector_name

        return detector_name(self._detector())

    def reading_settings(self, *, is_detected: bool) -> dict[str, Any]:
        """Return what of the model decides what is read off a photo, for records.

        Args:
            is_detected: faces are looked for; else the detector does not count.
        """
        return {
            "detector": self.detector_name if is_detected else None,
            "weights": self.header.network,
            "weights_sha256": self.weights_sha256,
            "reading": dataclasses.asdict(self.config),
        }

    def reconstruct(
        self,
        photo: PhotoLike,
        *,
        boxes: Sequence[Sequence[float | int]] | None = None,
        faces: FaceChoice = "all",
    ) -> list[Face]:
        """Find the faces of a photo and reconstruct each.

        Args:
            photo: a file, a picture of Pillow, or RGB of shape ``[H, W, 3]``: floats in [0, 1],
                uint8 or uint16.
            boxes: (left, top, right, bottom) around the landmarks in photo pixels, in place of
                detection.
            faces: ``"all"``; one of ``"largest"``, ``"smallest"``, ``"left"``, ``"right"`` and
                ``"centre"`` (of the photo); or the number of one face counted from the left.

        Returns:
            Faces from left to right; empty when there is none.

        Raises:
            InputError: the photo or a box is unusable, or there is no face of that number.
        """
        return [*self.reconstruct_numbered(photo, boxes=boxes, faces=faces).values()]

    def reconstruct_numbered(
        self,
        photo: PhotoLike,
        *,
        boxes: Sequence[Sequence[float | int]] | None = None,
        faces: FaceChoice = "all",
    ) -> dict[int, Face]:
        """Return what `reconstruct` does, by the faces' numbers from the left; others are not read.

        Args:
            photo: as for `reconstruct`.
            boxes: as for `reconstruct`.
            faces: as for `reconstruct`.

        Raises:
            InputError: as `reconstruct`.
        """
        is_array = isinstance(photo, np.ndarray | Array)
        image = as_rgb(np.asarray(photo)) if is_array else open_photo(photo).image
        image = image.astype(np.float32, copy=False)  # of any floats, in any order of bytes
        found = self._detect(image) if boxes is None else _checked_boxes(boxes, image)
        chosen = _choose(found, faces, image.shape[:2])
        return {number: self._reconstruct_box(image, *one) for number, one in chosen.items()}

    def _detect(self, image: RgbImage) -> list[tuple[np.ndarray, float]]:
        from .detection.landmark_box import landmark_box

        Thread(target=self.prepare).start()  # beside detection, which is none of JAX's work
        detections = self._detector().detect(image)
        return [(landmark_box(found), float(found.score)) for found in detections]

    def _detector(self) -> Detector:
        from .detection.default import default_detector

        return self.detector or default_detector()

    def _reconstruct_box(self, image: RgbImage, box: np.ndarray, score: float) -> Face:
        given, certainty = jax.device_put((np.asarray(box, np.float32), np.float32(score)))
        photo_from_crop = crop_box(given)
        found = self.read(cut_region(image, photo_from_crop), photo_from_crop)
        return Face(
            position_map=found.position_map,
            texture=read_texture(image, found.position_map),
            visibility=found.visibility,
            self_visibility=found.self_visibility,
            camera=found.camera,
            landmarks=found.landmarks,
            box=given,
            score=certainty,
            confidence=found.confidence,
        )


def _compiled_network(network: RunnableNetwork) -> Predict:
    @jit_products
    def run(state: Any, crops: Array) -> Array:
        return network.build(state)(crops)

    return lambda crops: run(network.state, crops)


def _compiled_reader(
    network: RunnableNetwork, layout: UVLayout, config: ReconstructConfig, header: WeightsHeader
) -> Callable[[Region, Similarity], Reading]:
    def run(state: Any, layout: UVLayout, region: Region, photo_from_crop: Similarity) -> Reading:
        read_crops = network.build(state).read
        crop = predict_upright(
            read_mirrored(read_crops, layout) if config.mirror else read_crops,
            region,
            photo_from_crop,
            layout,
            passes=config.passes,
            tolerance=config.tolerance,
        )
        return _measure_face(crop, region.photo_size, layout)

    key = f"{header.network} {sorted(header.config.items())} {config}"
    like = blank(Reading, camera=blank(Camera))
    read = keep_traced(run, key=key, like=like, compiler=compile_products)
    return lambda region, photo_from_crop: read(network.state, layout, region, photo_from_crop)


def load(
    weights: str | Path = "prn-lite",
    *,
    detector: Detector | None = None,
    config: ReconstructConfig | None = None,
) -> Model:
    """Load a network; with no arguments the embedded one. Nothing is downloaded.

    From then on JAX keeps whatever this process compiles in `core.compilation.cache_folder`, or in
    a folder that it has already: the next need not compile for half a minute.

    Args:
        weights: name of embedded weights, ``"prn-lite"`` or the larger ``"prn"``, or a
            ``.safetensors`` file.
        detector: face detector; by default insightface where a pack is installed, else the
            embedded CenterFace.
        config: how photos are read.

    Raises:
        AssetError: the weights or their UV layout are missing, damaged or do not fit together.
        InputError: ``weights`` is no name.
    """
    if not isinstance(weights, str | os.PathLike):
        raise InputError(f"weights {weights!r}; need a name as 'prn-lite', or a .safetensors file")
    keep_compiled_code()
    config = config or ReconstructConfig()
    layout = read_layout(weights)
    network, header = load_runnable(weights, layout=layout)
    read = _compiled_reader(network, layout, config, header)
    return Model(
        predict=_compiled_network(network),
        read=read,
        header=header,
        layout=layout,
        detector=detector,
        weights_sha256=file_sha256(find_weights(weights)),
        config=config,
        prepare=once(lambda: _prepare(read)),
    )


def _prepare(read: Callable[[Region, Similarity], Reading]) -> None:
    """Read a face of nothing, for the sake of the compiled code; regions are of one shape."""
    with nothing_new(), suppress(Exception):  # the first face meets it, too, and is heard
        photo_from_crop = crop_box(jax.device_put(np.array([64, 64, 192, 192], np.float32)))
        read(cut_region(np.zeros((256, 256, 3), np.float32), photo_from_crop), photo_from_crop)


def as_model(model: Model | None) -> Model:
    """Return a model, the embedded one for None.

    Raises:
        InputError: it is something else, as the name of weights.
    """
    if model is not None and not isinstance(model, Model):
        raise InputError(f"model {model!r}; give uvface.load(), or uvface.load(WEIGHTS)")
    return model or load()


def _checked_boxes(
    boxes: Sequence[Sequence[float | int]], image: RgbImage
) -> list[tuple[np.ndarray, float]]:
    height, width = image.shape[:2]
    checked = []
    for given in boxes:
        shown = given.tolist() if isinstance(given, np.ndarray) else given
        try:
            box = np.asarray(given)
            box = box.astype(np.float64) if box.dtype.kind in "iuf" else np.empty(0)
        except (TypeError, ValueError):
            box = np.empty(0)
        if box.shape != (4,) or not np.all(np.isfinite(box)):
            raise InputError(
                f"box {shown!r} is not four finite numbers; give LEFT TOP RIGHT BOTTOM of each face"
            )
        left, top, right, bottom = box
        if right - left < 4 or bottom - top < 4:
            raise InputError(f"box {shown!r} is empty; give LEFT TOP RIGHT BOTTOM of 4 px or more")
        longest = min(_LARGEST_BOX, _LARGER * max(height, width))
        if max(right - left, bottom - top) > longest:
            raise InputError(
                f"box {shown!r} is far larger than the photo of {width}x{height} px; "
                f"give at most {longest} px on a side"
            )
        if right < 0 or bottom < 0 or left > width - 1 or top > height - 1:
            raise InputError(f"box {shown!r} lies outside the photo of {width}x{height} px")
        checked.append((box, 1.0))
    return checked


def _choose(
    found: list[tuple[np.ndarray, float]], faces: FaceChoice, size: tuple[int, ...]
) -> dict[int, tuple[np.ndarray, float]]:
    """Return the chosen boxes with their scores, by their numbers from the left."""
    ordered = sorted(found, key=lambda item: item[0][0] + item[0][2])
    boxes = np.array([box for box, _ in ordered], np.float32).reshape(-1, 4)
    return {i: ordered[i] for i in choose_faces(boxes, faces, (size[0], size[1]))}
