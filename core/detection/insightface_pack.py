"""Detection by an insightface model pack that is already on this machine.

insightface goes to the network by itself when it is asked for a pack that it does not have. So
the folder is looked for first, and insightface only ever gets a folder: nothing is downloaded.
The packs have licences of their own; most are for non-commercial research only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from ..errors import AssetError
from ..onnx_runtime import load_onnxruntime
from .protocol import AnyImage, Detection, as_uint8, left_to_right

__all__ = ["InsightfacePack", "find_pack", "load_any_pack"]

CACHE = Path("~/.insightface/models")  # where insightface keeps the packs
_PREFERRED = ("antelopev2", "buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc")
_THRESHOLD = 0.5
_NARROWEST = 64  # times as long as wide: insightface scales the longer side down to 128 pixels


def _has_networks(folder: Path) -> bool:
    return folder.is_dir() and any(folder.glob("*.onnx"))


def find_pack(pack: str | Path | None = None) -> Path | None:
    """Return the folder of an insightface pack, without ever starting a download.

    Args:
        pack: folder with ``.onnx`` files, or name of a pack in the cache folder; by default the
            best pack of the cache folder.

    Returns:
        The folder; None when no pack was asked for and none is there.

    Raises:
        AssetError: the pack that was asked for is not there.
    """
    cache = CACHE.expanduser()
    if pack is not None:
        for folder in (Path(pack).expanduser(), cache / str(pack)):
            if _has_networks(folder):
                return folder
        raise AssetError(f"no insightface pack {pack}: no folder with .onnx files, nor in {cache}")
    return next(iter(_installed()), None)


def _installed() -> list[Path]:
    """Return the packs of the cache folder, the best first."""
    cache = CACHE.expanduser()
    present = sorted(p.name for p in cache.iterdir() if _has_networks(p)) if cache.is_dir() else []
    known = [name for name in _PREFERRED if name in present]
    return [cache / name for name in dict.fromkeys(known + present)]


class InsightfacePack:
    """Find faces with the detector of an insightface pack (`Detector`)."""

    def __init__(self, pack: str | Path, *, threshold: float = _THRESHOLD) -> None:
        """Load the detector of a pack.

        Args:
            pack: folder with ``.onnx`` files, or name of a pack in the cache folder.
            threshold: smallest score of a face.

        Raises:
            AssetError: there is no such pack, or no detector in it that gives points.
        """
        folder = find_pack(pack)
        assert folder is not None
        self.folder = folder
        self._network = _load(folder, threshold)

    def detect(self, image: AnyImage) -> list[Detection]:
        """Return the faces of an RGB image from left to right."""
        bgr = _widened(np.ascontiguousarray(as_uint8(image)[..., ::-1]))
        boxes, points = self._network.detect(bgr)
        # insightface counts from the corner of the first pixel
        half = np.float32(0.5)
        return left_to_right(
            [
                Detection(
                    box=found[:4].astype(np.float32) - half,
                    points=five.astype(np.float32) - half,
                    score=float(found[4]),
                )
                for found, five in zip(boxes, points, strict=True)
            ]
        )


def _widened(
    image: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Return an image with black at its right or bottom, where insightface left no pixel of it."""
    height, width = image.shape[:2]
    least = -(-max(height, width) // _NARROWEST)
    below, right = max(least - height, 0), max(least - width, 0)
    if not below and not right:
        return image
    return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT))


def load_any_pack() -> InsightfacePack | None:
    """Return the best pack of the cache folder that can be loaded; None where there is no pack.

    Raises:
        AssetError: there are packs, but none of them has a detector that can be loaded.
    """
    first = None
    for folder in _installed():
        try:
            return InsightfacePack(folder)
        except AssetError as error:
            first = first or error
    if first is not None:
        raise first
    return None


def _load(folder: Path, threshold: float) -> Any:
    try:
        load_onnxruntime()  # before insightface does
        from insightface.app import FaceAnalysis

        analysis = FaceAnalysis(
            name=str(folder.resolve()),
            allowed_modules=["detection"],
            providers=["CPUExecutionProvider"],
        )
    except AssertionError:
        raise AssetError(f"the pack {folder} has no detector; use another pack") from None
    except Exception as error:  # onnxruntime's own exceptions have no common base
        line = " ".join(str(error).split())
        raise AssetError(f"cannot load the pack {folder}: {line}") from error
    if not analysis.det_model.use_kps:  # it tells too little about the face
        raise AssetError(f"the detector in {folder} gives no points; use another pack")
    # without det_size it looks at 128 and 640 pixels, so that faces may fill the picture
    analysis.prepare(ctx_id=-1, det_thresh=threshold)
    return analysis.det_model
