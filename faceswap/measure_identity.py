"""Likeness of two faces by a recognition network, for measurements only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from ..core.detection.recognition import crop_from_photo
from ..core.errors import AssetError

__all__ = ["Recogniser", "align_face"]

_SIDE = 112  # pixels along the aligned crop


def align_face(
    image: Float[np.ndarray, "height width 3"], landmarks: Float[np.ndarray, "68 d"]
) -> Float[np.ndarray, "112 112 3"]:
    """Cut the crop that recognition networks of ArcFace's kind are trained on."""
    matrix = crop_from_photo(landmarks)
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
