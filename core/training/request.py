"""What a training run is asked for: on pools, or on drawn faces; imports nothing heavy."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..arguments import as_choice, as_number, as_path, as_switch, path_list
from ..errors import InputError
from .config import NetworkKind, Precision, TrainConfig, check_budget

__all__ = ["DrawnRun", "PoolRun", "train_request"]

_HIGHEST_RATE = 1.0  # any network goes astray long before
_DRAWN_FROM = "prn-lite"  # weights that a network on drawn faces begins with, unless told others


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoolRun:
    """One network learns from pools.

    Attributes:
        config: the run.
        resume: go on from the output folder's last checkpoint.
    """

    config: TrainConfig
    resume: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawnRun:
    """Networks learn from faces that are drawn meanwhile.

    Attributes:
        config: pool, folder, length and precision of the run; the rest is set for such runs.
        assets: data-pack folder, or head model alone, that faces are drawn from.
        photo_skins: folder with skins made from photos, or None.
        initial: name of each network and of its file -> weights that it begins with.
        rates: highest learning rates by name; without one, that of such runs.
        is_large: the network is a larger one, grown from the first weights.
    """

    config: TrainConfig
    assets: Path
    photo_skins: Path | None = None
    initial: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rates: Mapping[str, float] = dataclasses.field(default_factory=dict)
    is_large: bool = False


def train_request(
    pool: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    minutes: float | int | None,
    network: NetworkKind,
    initial: str | Path | Sequence[str | Path] | None,
    rate: float | int | Sequence[float | int] | None,
    negatives: str | Path | None,
    devices: int,
    precision: Precision,
    resume: bool,
    draw: str | Path | None,
    photo_skins: str | Path | None,
    large: bool,
) -> PoolRun | DrawnRun:
    """Return what a run is asked for, of what callers of `train` give; the arguments are its own.

    Raises:
        InputError: what can be told without reading a file: an unusable value, or options that do
            not go together.
    """
    pools = [Path(folder) for folder in path_list(pool, "a pool, or several")]
    if not pools:
        raise InputError("no pool to train on; give one with --pool")
    given = [] if initial is None else path_list(initial, "weights to start from")
    starts = [os.fspath(one) for one in given]
    rates = _rates(rate, starts)
    is_resumed, is_large = as_switch("resume", resume), as_switch("large", large)
    config = TrainConfig(
        pool=pools[0],
        more_pools=tuple(pools[1:]),
        output=as_path(output, "a folder for the run"),
        minutes=_minutes(minutes, is_resumed=is_resumed),
        network=as_choice("network", network, NetworkKind),
        initial=starts[0] if starts else None,
        negatives=None if negatives is None else as_path(negatives, "a folder of pictures"),
        devices=as_number("devices", devices, 1, is_whole=True),
        precision=as_choice("precision", precision, Precision),
    )
    if config.batch % config.devices:
        raise InputError(
            f"{config.devices} devices cannot share batches of {config.batch}; give a divisor of it"
        )
    skins = None if photo_skins is None else as_path(photo_skins, "a folder of skins from photos")
    if draw is not None:
        _check_drawn(config, starts, is_resumed=is_resumed, is_large=is_large)
        names = _names(starts or [_DRAWN_FROM])
        return DrawnRun(
            config=config,
            assets=as_path(draw, "a folder to draw faces from"),
            photo_skins=skins,
            initial=names,
            rates=dict(zip(names, rates, strict=False)),
            is_large=is_large,
        )
    if is_large or skins is not None or len(starts) > 1:
        raise InputError("--large, --photo-skins and a second --initial need --draw")
    if rates:
        config = dataclasses.replace(config, learning_rate=rates[0])
    return PoolRun(config=config, resume=is_resumed)


def _minutes(given: float | int | None, *, is_resumed: bool) -> float | None:
    """Return the length of a run; None where a resumed one is to keep that of its record."""
    if given is None:
        return None if is_resumed else TrainConfig.minutes
    minutes = float(as_number("minutes", given))
    check_budget(minutes, None)
    return minutes


def _rates(given: float | int | Iterable[float | int] | None, starts: Sequence[str]) -> list[float]:
    """Return the learning rates: none, or one for each of the weights to start from."""
    if given is None:
        return []
    is_one = isinstance(given, str) or getattr(given, "ndim", None) == 0
    several = [*given] if isinstance(given, Iterable) and not is_one else [given]
    rates = [float(as_number("rate", one, 0, _HIGHEST_RATE)) for one in several]
    if rates and len(rates) != max(1, len(starts)):
        raise InputError(
            f"got {len(rates)} --rate for {len(starts)} --initial; give each one, or none"
        )
    return rates


def _check_drawn(
    config: TrainConfig, starts: Sequence[str], *, is_resumed: bool, is_large: bool
) -> None:
    """Refuse what would be ignored, and several networks where one is grown."""
    is_other = config.network != TrainConfig.network or config.devices > 1 or config.more_pools
    if is_resumed or config.negatives is not None or is_other:
        raise InputError(
            "--draw takes one --pool, and none of --resume, --negatives, --devices, --network"
        )
    if is_large and len(starts) > 1:
        raise InputError(f"--large grows one network; got {len(starts)} --initial")


def _names(starts: Sequence[str]) -> dict[str, str]:
    """Return name of a network and of its file -> weights it starts from, whose name it has."""
    names = [Path(one).name.removesuffix(".safetensors") for one in starts]
    if len({*names}) < len(names):
        raise InputError("two --initial have the same name; rename one of the files")
    return dict(zip(names, starts, strict=True))
