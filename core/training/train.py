"""Training by one call: on pools, or on faces that are drawn meanwhile: ``uvface train``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .config import NetworkKind, Precision
from .drawing import train_drawing
from .loop import train_on_pool
from .request import DrawnRun, train_request

__all__ = ["train"]


def train(
    pool: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    minutes: float | int | None = None,
    network: NetworkKind = "prn-lite",
    initial: str | Path | Sequence[str | Path] | None = None,
    rate: float | int | Sequence[float | int] | None = None,
    negatives: str | Path | None = None,
    devices: int = 1,
    precision: Precision = "float32",
    resume: bool = False,
    draw: str | Path | None = None,
    photo_skins: str | Path | None = None,
    large: bool = False,
    report: Callable[[Any], None] | None = None,
) -> list[Path]:
    """Train a network on rendered samples, or some on faces that are drawn meanwhile.

    All other settings of a run are those of `TrainConfig`, for `loop.train_on_pool` and
    `on_device.train_on_device`.

    Args:
        pool: folder that `synthesize` made with ``pool``, or several. With ``draw`` it is one, and
            a tenth of the crops is of it.
        output: folder of the run; made where it does not exist.
        minutes: length of the schedule, more than 0; compilation does not count. By default 60, and
            of a run that is resumed what it was last run with.
        network: what is trained: ``"prn-lite"`` or ``"prn"``.
        initial: weights to start from: a name, or a file; by default none, so that a new network
            learns. With ``draw`` there may be several, of names of their own: all learn from the
            same faces; by default ``"prn-lite"``.
        rate: highest learning rate, 0 to 1; by default that of `TrainConfig`, with ``draw`` 1e-3.
            With ``draw`` one for each of ``initial``.
        negatives: folder of JPEG pictures without faces.
        devices: how many share each batch of 32; a divisor of it.
        precision: ``"float32"``, or ``"bfloat16"``, for GPUs.
        resume: go on from the last checkpoint, with the settings that the run began with: others
            are refused, but for ``minutes`` and ``devices``. ``minutes`` and ``initial`` need not
            be given again.
        draw: folder with ICT-FaceKit, or data pack, that faces are drawn from while training, for
            GPUs. Not with ``resume``, ``negatives``, ``devices`` or ``network``.
        photo_skins: folder of skins from photos, for ``draw``.
        large: with ``draw``, train a larger network, grown from ``initial``.
        report: called about every ten seconds with a `loop.Progress`; with ``draw`` every 120 steps
            with a row of numbers by name: the mean losses, ``step``, ``share`` of the minutes, and
            more.

    Returns:
        The weights file that was best on the validation samples; with ``draw`` the file of each of
        ``initial``, in order.

    Raises:
        InputError: an unusable value, options that do not go together, an unusable pool, weights of
            another kind of network, a run in the output folder that is not resumed, or is with
            other settings or with its minutes used, or errors that are no numbers any more (a
            learning rate that is too high).
        AssetError: weights or the checkpoint cannot be read.
    """
    run = train_request(
        pool,
        output,
        minutes=minutes,
        network=network,
        initial=initial,
        rate=rate,
        negatives=negatives,
        devices=devices,
        precision=precision,
        resume=resume,
        draw=draw,
        photo_skins=photo_skins,
        large=large,
    )
    if isinstance(run, DrawnRun):
        return [*train_drawing(run, report=report).values()]
    return [train_on_pool(run.config, resume=run.resume, report=report)]
