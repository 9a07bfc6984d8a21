"""Mixed precision: the networks' products in bfloat16, everything that is a place in float32.

bfloat16 has 8 bits: as a coordinate in a crop of 256 pixels it would be off by half a pixel. So the
parameters are rounded for the products alone, optimiser and moving average keep float32, and the
layers that end in coefficients and pixels are left as they are.

References:
    P. Micikevicius et al., "Mixed Precision Training", 2018 (a master copy of the weights).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..errors import InputError

__all__ = ["PRECISIONS", "in_precision", "promoting"]

PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
_EXACT = ("basis", "mean", "coefficients")  # parameters whose results are coefficients or pixels


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(str(getattr(key, "key", getattr(key, "name", key))) for key in path)


def in_precision(tree: Any, precision: str) -> Any:
    """Return a pytree of arrays rounded to a precision, but for what must stay exact.

    Raises:
        InputError: there is no such precision.
    """
    if precision not in PRECISIONS:
        raise InputError(f"unknown precision {precision!r}; choose {' or '.join(PRECISIONS)}")
    kind = PRECISIONS[precision]

    def cast(path: tuple[Any, ...], leaf: Any) -> Any:
        is_exact = any(word in _name(path).split(".") for word in _EXACT)
        return leaf if is_exact else leaf.astype(kind)

    return jax.tree_util.tree_map_with_path(cast, tree)


def promoting(precision: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let norms mix their float32 statistics with rounded maps while a function is traced."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        if precision == "float32":
            return function

        @functools.wraps(function)
        def run(*args: Any) -> Any:
            with jax.numpy_dtype_promotion("standard"):
                return function(*args)

        return run

    return wrap
