"""Likeness of faces, by a recognition network that is already on this machine.

None comes with the package: the ones that work have licences of their own, most for
non-commercial research only. Nothing is downloaded.

References:
    Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019.
    insightface, ``utils/face_align.py`` (the five points of an aligned crop of 112 pixels).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..errors import AssetError
from ..geometry.similarity import estimate_similarity
from ..onnx_runtime import load_onnxruntime
from .insightface_pack import CACHE
from .protocol import AnyImage, as_uint8

__all__ = ["Recognizer", "crop_from_photo", "find_recognition", "five_of_68"]

_NAMES = ("w600k*.onnx", "glint*.onnx", "*arcface*.onnx", "*recognition*.onnx")
_SIDE = 112  # pixels of the aligned crop
# Eyes, tip of the nose, corners of the mouth in the crop, as the networks were trained.
_PLACES = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)


def find_recognition(path: str | Path | None = None) -> Path:
    """Return the file of a recognition network.

    Args:
        path: the file; by default one of insightface's packs.

    Raises:
        AssetError: there is none; the message says what to put where.
    """
    if path is not None:
        file = Path(path).expanduser()
        if os.path.isfile(file):
            return file
        raise AssetError(f"no recognition network {file}; give an .onnx file that is there")
    cache = CACHE.expanduser()
    for name in _NAMES:
        found = sorted(cache.glob(f"*/{name}"))
        if found:
            return found[0]
    raise AssetError(
        "likeness needs a recognition network; give one by --recognition FILE.onnx, or unpack an "
        f"insightface pack that has one (buffalo_l, buffalo_s) into {cache}"
    )


def five_of_68(landmarks: Float[np.ndarray, "68 d"]) -> Float[np.ndarray, "5 2"]:
    """Return the five points of a recognition crop: eyes, tip of the nose, corners of the mouth."""
    plane = landmarks[:, :2]
    eyes = [plane[36:42].mean(axis=0), plane[42:48].mean(axis=0)]
    return np.stack([*eyes, plane[30], plane[48], plane[54]]).astype(np.float32)


def crop_from_photo(landmarks: Float[np.ndarray, "68 d"]) -> Float[np.ndarray, "2 3"]:
    """Return the similarity that takes photo pixels to those of a recognition crop.

    Args:
        landmarks: of the face, photo pixels.
    """
    points = jnp.asarray(five_of_68(landmarks))
    return np.asarray(estimate_similarity(points, jnp.asarray(_PLACES)).matrix())


class Recognizer:
    """Map faces to unit vectors whose dot product says how alike two are."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Load a network.

        Args:
            path: an ``.onnx`` file for aligned crops of 112 pixels; by default one of
                insightface's packs.

        Raises:
            AssetError: there is none, or it is no recognition network.
        """
        self.path = find_recognition(path)
        self._session = _open_session(self.path)

    def embed(self, image: AnyImage, landmarks: Float[np.ndarray, "68 d"]) -> np.ndarray:
        """Return the unit vector of a face.

        Args:
            image: the photo, RGB.
            landmarks: the face's 68 landmarks, photo pixels.
        """
        crop = as_uint8(cv2.warpAffine(image, crop_from_photo(landmarks), (_SIDE, _SIDE)))
        values = (crop.astype(np.float32) - 127.5) / 127.5
        name = self._session.get_inputs()[0].name
        vector = self._session.run(None, {name: values.transpose(2, 0, 1)[None]})[0][0]
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _open_session(path: Path) -> Any:
    onnxruntime = load_onnxruntime()
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no common base
        reason = " ".join(str(error).split())
        raise AssetError(f"cannot load the recognition network {path}: {reason}") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].shape[1:] != [3, _SIDE, _SIDE] or len(outputs) != 1:
        raise AssetError(f"{path} takes {inputs[0].shape}; a recognition network takes 3x112x112")
    return session
