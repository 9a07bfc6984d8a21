"""The networks by name, and what they have in common."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, runtime_checkable

import jax
from flax import nnx
from jaxtyping import Array, Float

from ..errors import InputError
from .prn import PRN, PRNConfig
from .prn_fast import fold_prn
from .prn_lite import PRNLite, PRNLiteConfig

__all__ = ["NETWORKS", "Network", "for_inference", "make_network"]


@runtime_checkable
class Network(Protocol):
    """What turns crops into position maps."""

    def __call__(self, crops: Float[Array, "b 256 256 3"]) -> Float[Array, "b 256 256 3"]:
        """Return position maps in crop pixels (z of zero mean) of crops in [0, 1]."""
        ...

    def read(
        self, crops: Float[Array, "b 256 256 3"]
    ) -> tuple[Float[Array, "b 256 256 3"], Float[Array, "b 128 128"], Float[Array, " b"]]:
        """Return the same, what the crops show, and how far that may be trusted.

        The second says how sure it is that a pixel shows the head itself (0 to 1); hair, glasses,
        hands and all else that lies before the head is no head. The third is the confidence: near
        0 where the crop shows no face, 1/2 where an error of 8 % of the face size is to be
        expected, near 1 for a good map.
        """
        ...


NETWORKS: dict[str, tuple[type[Any], type[Any]]] = {
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
    if name not in NETWORKS:
        raise InputError(f"unknown network {name!r}; choose one of {', '.join(NETWORKS)}")
    network, settings = NETWORKS[name]
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


def for_inference(network: nnx.Module) -> Network:
    """Return a network, in evaluation, in the form in which it runs fastest: a pytree."""
    fast: Any = fold_prn(network) if isinstance(network, PRN) else network
    return fast
