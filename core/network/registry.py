"""The networks by name."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
from flax import nnx

from ..errors import InputError
from .prn import PRN, PRNConfig
from .prn_lite import PRNLite, PRNLiteConfig

__all__ = ["make_network"]


_NETWORKS: dict[str, tuple[type[Any], type[Any]]] = {
    "prn": (PRN, PRNConfig),
    "prn-lite": (PRNLite, PRNLiteConfig),
}


def make_network(
    name: str,
    config: dict[str, Any] | None = None,
    *,
    seed: int = 0,
    is_abstract: bool = False,
) -> nnx.Module:
    """Return a network with fresh parameters.

    Args:
        name: "prn-lite" or "prn".
        config: fields of its config class, as a weights file's header stores them.
        seed: of the first parameters.
        is_abstract: leave the parameters without values (to be filled from a file): fast.
    """
    if name not in _NETWORKS:
        raise InputError(f"unknown network {name!r}; choose one of {', '.join(_NETWORKS)}")
    network, settings = _NETWORKS[name]
    known = {field.name for field in dataclasses.fields(settings)}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in (config or {}).items()}
    if unknown := set(given) - known:
        raise InputError(f"unknown settings of {name}: {', '.join(sorted(unknown))}")

    def build(rngs: nnx.Rngs) -> nnx.Module:
        module: nnx.Module = network(settings(**given), rngs=rngs)
        return module

    if not is_abstract:
        return build(nnx.Rngs(seed))
    return nnx.eval_shape(lambda: build(_OneKey()))


class _OneKey(nnx.Rngs):
    """Random keys where no number is drawn: to trace the counters of `nnx.Rngs` is slow."""

    def __init__(self) -> None:
        pass

    def params(self) -> jax.Array:
        return jax.random.key(0)
