"""What a run is resumed with: the settings it began with; its length and place may be others."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from ..errors import InputError
from .config import TrainConfig

__all__ = ["check_settings", "settings_of", "with_length"]

# How long, where, by how many, how often: a resumed run may change them. The kind of network is
# compared with the checkpoint's own (`start`).
_FREE = {
    "minutes", "steps", "cooldown", "output", "devices", "workers", "prefetch",
    "report_minutes", "refresh_minutes", "network", "more_pools",
}  # fmt: skip
_OPTIONS = {
    "pool": "--pool",
    "negatives": "--negatives",
    "learning_rate": "--rate",
    "precision": "--precision",
    "initial": "--initial",
}


def settings_of(config: TrainConfig) -> dict[str, Any]:
    """Return what decides what is trained, and on what, as JSON gives it back; folders in full."""
    kept = {k: v for k, v in dataclasses.asdict(config).items() if k not in _FREE}
    kept |= {f"augment.{name}": value for name, value in kept.pop("augment").items()}
    kept["pool"] = [str(Path(pool).resolve()) for pool in (config.pool, *config.more_pools)]
    if config.initial is not None and Path(config.initial).is_file():  # no name of embedded ones
        kept["initial"] = str(Path(config.initial).resolve())
    if config.negatives is not None:
        kept["negatives"] = str(Path(config.negatives).resolve())
    found: dict[str, Any] = json.loads(json.dumps(kept, default=str))
    return found


def check_settings(config: TrainConfig, record: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that a run began with.

    Args:
        config: the run as it is resumed; what it began with need not be named again (`initial`).
        record: of its checkpoint; older ones do not tell the settings.

    Raises:
        InputError: it is resumed with others.
    """
    now = settings_of(config)
    began: dict[str, Any] = record.get("settings", now)
    for name, value in began.items():
        is_left_out = name == "initial" and config.initial is None
        if not is_left_out and now.get(name, value) != value:
            raise InputError(
                f"the run in {config.output} began {_words(name, value)}; go on so, "
                "or choose another folder"
            )
    return began


def with_length(config: TrainConfig, record: dict[str, Any]) -> TrainConfig:
    """Return a run that is resumed, with the minutes of its record where it is given no length.

    Args:
        config: the run as it is resumed.
        record: of its checkpoint; older ones do not tell the minutes: the default of `TrainConfig`.
    """
    if config.minutes is not None or config.steps is not None:
        return config
    # None, too, of a run that was of steps.
    return dataclasses.replace(config, minutes=record.get("minutes") or TrainConfig.minutes)


def _words(name: str, value: Any) -> str:
    """Return how a setting was given."""
    option = _OPTIONS.get(name)
    if option is None:
        return f"with {name}={value!r}"
    if value is None:
        return f"without {option}"
    values = value if isinstance(value, list) else [value]
    return "with " + " ".join(f"{option} {one}" for one in values)
