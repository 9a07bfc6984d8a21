"""Settings of a `PRNLite` that compiles fast, and of crops that are not moved."""

import dataclasses

from uvface.core.network.prn_lite import PRNLiteConfig
from uvface.core.training.config import AugmentConfig

STILL = AugmentConfig(
    roll_sigma=0.0, p_tilted=0.0, p_any_roll=0.0, scale_sigma=0.0, shift_sigma=0.0, p_mirror=0.0,
    p_gray=0.0, p_colour=0.0, p_shade=0.0, p_occluder=0.0, p_blur=0.0, p_low_resolution=0.0,
    p_noise=0.0, p_jpeg=0.0, p_frame=0.0, p_faceless=0.0,
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class TinyConfig(PRNLiteConfig):
    """A network that compiles fast."""

    stem: int = 16
    widths: tuple[int, ...] = (16, 32, 32)
    inner: tuple[int, ...] = (16, 16, 16)
    blocks: tuple[int, ...] = (0, 0, 1)
    hidden: int = 64
    keypoints: int = 8
    reduced: int = 16
    coefficients: int = 12
    stored: int = 16
    thin: int = 16
    refined: int = 16
    refined_thin: int = 8
    decoded: int = 16
    decoder: int = 1
    anchors: tuple[int, ...] = (4, 4)
    coarse_looks: int = 1
    first: int = 0
