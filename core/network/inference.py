"""What a network is to those who use it, and the form in which it runs.

Nothing here imports the networks' library: a program that was traced before
(`core.traced`) needs the arrays only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Float

from ..geometry.layout import UVLayout
from .weights_file import NETWORKS, WeightsHeader, read_arrays

__all__ = ["HEAD_SIZE", "Network", "RunnableNetwork", "fold_network", "load_runnable"]

HEAD_SIZE = 128  # pixels along one side of the head mask


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunnableNetwork:
    """A network in two parts: arrays, and how to run them."""

    state: Any  # pytree of arrays
    build: Callable[[Any], Network]  # the network of such a pytree; called while tracing


def load_runnable(
    name_or_path: str | Path, *, layout: UVLayout
) -> tuple[RunnableNetwork, WeightsHeader]:
    """Load a network in the form in which it runs fastest.

    Args:
        name_or_path: name of embedded weights ("prn-lite"), or a file.
        layout: weights made for another layout are an error.

    Returns:
        The network, and the file's header.

    Raises:
        AssetError: missing, damaged, or made for another layout.
    """
    header, arrays = read_arrays(name_or_path, layout=layout)

    def build(state: Any) -> Network:
        from .weights import fill_network

        network: Any = fill_network(header, state, source=name_or_path)
        return network

    # Its norms are folded in and its kernels transformed once. GPUs have their own ways: there the
    # plain form reads 5,500 crops a second.
    if header.network == "prn" and jax.default_backend() == "cpu":
        folded = fold_network(build(arrays))
        return RunnableNetwork(state=folded, build=lambda network: network), header
    if str(name_or_path) not in NETWORKS:
        build(arrays)  # embedded arrays fit; those of other files are looked at before a photo is
    return RunnableNetwork(state=arrays, build=build), header


def fold_network(network: Any) -> Network:
    """Return a network, in evaluation, in the form in which it runs fastest: a pytree."""
    from .prn import PRN
    from .prn_fast import fold_prn

    fast: Any = fold_prn(network) if isinstance(network, PRN) else network
    return fast
