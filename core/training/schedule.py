"""Learning rate and optimiser.

The schedule is a warm-up, a plateau and a cooldown, as a function of the *share of the budget*
that has been used. The budget may be minutes of training time, because on a shared machine only
the end is known; a run that is resumed with a larger budget goes back onto the plateau.

References:
    A. Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations",
    2024 (cooldown 1 - sqrt).
"""

from __future__ import annotations

import math
from typing import Any

import jax
import optax

from .config import TrainConfig

__all__ = ["cooled_share", "learning_rate", "make_optimizer"]

_OWN_UNITS = ("basis", "mean")  # parameters in pixels: not decayed


def learning_rate(config: TrainConfig, *, share: float, step: int) -> float:
    """Return the learning rate.

    Args:
        config: the run.
        share: used part of the budget, in [0, 1].
        step: number of steps done.
    """
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    cool = max(0.0, 1.0 - math.sqrt(cooled_share(config, share=share)))
    return config.learning_rate * warm * cool


def cooled_share(config: TrainConfig, *, share: float) -> float:
    """Return the used part of the cooldown, 0 on the plateau and 1 at the end.

    Args:
        config: the run.
        share: used part of the budget, in [0, 1].
    """
    into = (min(share, 1.0) - (1.0 - config.cooldown)) / max(config.cooldown, 1e-9)
    return max(0.0, into)


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(str(getattr(key, "key", getattr(key, "name", key))) for key in path)


def _is_decayed(params: Any) -> Any:
    def rule(path: tuple[Any, ...], leaf: Any) -> bool:
        return leaf.ndim >= 2 and not any(word in _name(path) for word in _OWN_UNITS)

    return jax.tree_util.tree_map_with_path(rule, params)


def make_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """Return AdamW *without* learning rate: the loop scales its updates."""
    chain = optax.chain(
        optax.clip_by_global_norm(config.clip_norm),
        optax.scale_by_adam(b1=0.9, b2=0.99, eps=1e-8),
        optax.add_decayed_weights(config.weight_decay, mask=_is_decayed),
    )

    def update(slope: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        with jax.numpy_dtype_promotion("standard"):  # optax mixes floats and its step counter
            return chain.update(slope, state, params)

    return optax.GradientTransformation(chain.init, update)
