"""The detector that is used when nobody names one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..errors import AssetError
from ..once import once
from .centerface import CenterFace
from .insightface_pack import InsightfacePack, load_any_pack
from .protocol import AnyImage, Detection, Detector

__all__ = ["FirstThatFinds", "default_detector", "detector_name"]


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


@once
def default_detector(pack: str | Path | None = None) -> Detector:
    """Return insightface where a pack is installed or named, else the embedded CenterFace.

    Where insightface finds nothing, CenterFace looks as well: it knows faces on their side and
    on their head. Packs that nobody named and that have no detector, a damaged one or one without
    points, are passed over, which ``uvface doctor`` tells. Nothing is downloaded.

    Args:
        pack: folder of an insightface pack, or its name in insightface's cache folder.

    Raises:
        AssetError: the named pack is not there, or its detector cannot be loaded.
    """
    embedded = CenterFace()
    installed = _any_pack() if pack is None else InsightfacePack(pack)
    return embedded if installed is None else FirstThatFinds((installed, embedded))


def _any_pack() -> InsightfacePack | None:
    try:
        return load_any_pack()
    except AssetError:  # other programs keep packs there, too, some of them without a detector
        return None


def detector_name(detector: Detector) -> str:
    """Return what a detector is called in records: the pack it comes from, or its class."""
    if isinstance(detector, FirstThatFinds):
        return ", ".join(map(detector_name, detector.detectors))
    if isinstance(detector, InsightfacePack):
        return detector.folder.name
    return type(detector).__name__
