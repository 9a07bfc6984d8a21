"""Settings of a training run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from pathlib import Path
from typing import Literal

from ..errors import InputError

__all__ = [
    "HELD_BACK",
    "AugmentConfig",
    "NetworkKind",
    "Precision",
    "TrainConfig",
    "astray",
    "check_budget",
]

NetworkKind = Literal["prn-lite", "prn"]
Precision = Literal["float32", "bfloat16"]
HELD_BACK = 384  # samples of a pool that are never trained on, at most


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How far a pool sample is moved, recoloured and spoilt. ``p_*`` are probabilities."""

    roll_sigma: float = 9.0  # degrees about upright: crops are turned upright where it matters
    p_tilted: float = 0.3  # a first look at a photo, before it is turned
    tilted_sigma: float = 40.0  # degrees
    p_any_roll: float = 0.06  # uniform over the full turn
    scale_sigma: float = 0.075  # of the logarithm; limited to [0.83, 1.22]
    shift_sigma: float = 0.035  # of the crop's side; limited to +-0.1
    p_mirror: float = 0.5
    p_gray: float = 0.12
    p_colour: float = 0.8
    p_shade: float = 0.25
    p_occluder: float = 0.35
    p_blur: float = 0.2
    p_low_resolution: float = 0.25
    p_noise: float = 0.3
    p_jpeg: float = 0.25
    p_frame: float = 0.06  # part of the crop lies outside the photo
    p_faceless: float = 0.06  # a crop without a whole face in its place


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run: where from, where to, how long, how."""

    pool: Path
    output: Path
    more_pools: tuple[Path, ...] = ()  # read after the first, whose samples are validated
    # Budget of training time; the schedule follows the clock. None, without steps: a run that is
    # resumed has the minutes of its record.
    minutes: float | None = 60.0
    steps: int | None = None  # budget of steps instead (exactly repeatable)
    network: NetworkKind = "prn-lite"
    initial: str | None = None  # weights to start from, instead of components of the pool
    layout: str = "uvface"
    seed: int = 0
    batch: int = 32
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    cooldown: float = 0.45  # last part of the budget, in which the learning rate falls to 0
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    dense_weight: float = 1.0
    landmark_weight: float = 1.0
    opening_weight: float = 0.5  # of how far eyes and mouth are open (prn-lite)
    depth_weight: float = 0.5  # of z against x and y
    mask_weight: float = 0.3  # of the head mask's cross entropy over the crop (prn-lite)
    cover_weight: float = 0.3  # of the same at the face's texels, and of their overlap (prn-lite)
    confidence_weight: float = 0.02  # (prn-lite)
    early_weight: float = 0.3  # of each map before the last correction (prn-lite)
    texel_weights: str = "layout"  # 16:4:3 and a little neck; "prnet" (16:4:3:0); "uniform"
    precision: Precision = (
        "float32"  # "bfloat16": products of the networks, for GPUs; the rest stays
    )
    devices: int = 1  # that share each batch; the batch must be a multiple
    workers: int = 2  # threads that decode and augment
    prefetch: int = 6  # batches
    negatives: Path | None = None  # folder of pictures without faces, for the confidence
    validation: int = HELD_BACK  # samples that are validated: at most those the first pool keeps
    report_minutes: float = 4.0  # between checkpoints, validations and pictures
    refresh_minutes: float = 1.0  # between looks for new shards
    augment: AugmentConfig = AugmentConfig()


def check_budget(minutes: float | None, steps: int | None) -> None:
    """Raise an `InputError` where a run would never begin, or never end."""
    budget, name = (minutes, "minutes") if steps is None else (steps, "steps")
    if budget is None:
        raise InputError("a training run needs a budget: minutes or steps")
    if not 0 < budget < math.inf:
        raise InputError(f"a training run of {budget:g} {name}; give more than 0, and an end")


def astray(step: int, networks: Collection[str] = ()) -> InputError:
    """Return the error of a run, or of its named networks, whose errors stay no numbers."""
    whose = f" of {', '.join(sorted(networks))}" if networks else ""
    return InputError(
        f"the training{whose} went astray by step {step}: its errors are no numbers any more; "
        "start anew with a lower learning rate (--rate)"
    )
