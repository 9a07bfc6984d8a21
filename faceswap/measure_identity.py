"""Likeness of two faces by a recognition network, for measurements only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..core.errors import AssetError
from ..core.geometry.similarity import estimate_similarity

__all__ = ["Recogniser", "align_face", "five_points"]

_SIDE = 112  # pixels along the aligned crop


def five_points(landmarks: Float[np.ndarray, "68 d"]) -> Float[np.ndarray, "5 2"]:
    """Return eyes, tip of the nose and corners of the mouth, photo pixels."""
    plane = landmarks[:, :2]
    eyes = plane[36:42].mean(axis=0), plane[42:48].mean(axis=0)
    return np.stack([*eyes, plane[30], plane[48], plane[54]]).astype(np.float32)


def align_face(
    image: Float[np.ndarray, "height width 3"], landmarks: Float[np.ndarray, "68 d"]
) -> Float[np.ndarray, "112 112 3"]:
    """Cut the crop that recognition networks of ArcFace's kind are trained on.

    References:
        insightface, ``utils/face_align.py`` (the five places of a 112 pixel crop).
    """
    from insightface.utils.face_align import arcface_dst

    goal = jnp.asarray(arcface_dst, jnp.float32)
    crop_from_photo = estimate_similarity(jnp.asarray(five_points(landmarks)), goal)
    matrix = np.asarray(crop_from_photo.matrix(), np.float64)
    return cv2.warpAffine(np.asarray(image, np.float32), matrix, (_SIDE, _SIDE))


class Recogniser:
    """A recognition network in an ONNX file."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            AssetError: it is missing.
        """
        import onnxruntime

        if not path.is_file():
            raise AssetError(f"no recognition network {path}; give the data pack by --pack")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def embed(
        self,
        image: Float[np.ndarray, "height width 3"],
        landmarks: Float[np.ndarray, "68 d"],
    ) -> Float[np.ndarray, " features"]:
        """Return the unit vector of a face; the cosine of two is their likeness."""
        crop = (255.0 * align_face(image, landmarks) - 127.5) / 128.0
        found = self._session.run(None, {self._input: crop.transpose(2, 0, 1)[None]})[0][0]
        return found / max(float(np.linalg.norm(found)), 1e-9)
