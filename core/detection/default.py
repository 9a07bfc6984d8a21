"""The detector that is used when nobody names one."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

from .centerface import CenterFace
from .insightface_pack import InsightfacePack, find_pack
from .protocol import AnyImage, Detection, Detector

__all__ = ["FirstThatFinds", "default_detector"]


@dataclasses.dataclass(frozen=True)
class FirstThatFinds:
    """Ask one detector after the other until one finds a face (`Detector`)."""

    detectors: tuple[Detector, ...]

    def detect(self, image: AnyImage) -> list[Detection]:
        """Return the faces of an RGB image from left to right."""
        for detector in self.detectors:
            faces = detector.detect(image)
            if faces:
                return faces
        return []


@cache
def default_detector(pack: str | Path | None = None) -> Detector:
    """Return insightface where a pack is installed or named, else the embedded CenterFace.

    Where insightface finds nothing, CenterFace looks as well: it knows faces on their side and
    on their head. Nothing is downloaded.

    Args:
        pack: folder of an insightface pack, or its name in insightface's cache folder.

    Raises:
        AssetError: the named pack is not there, or a detector cannot be loaded.
    """
    folder = find_pack(pack)
    embedded = CenterFace()
    return embedded if folder is None else FirstThatFinds((InsightfacePack(folder), embedded))
