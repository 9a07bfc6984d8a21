"""What a network is to those who use it, and the form in which it runs.

Nothing here imports the networks' library: a program that was traced before
(`core.io.traced`) needs the arrays only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float

from .weights_file import WeightsHeader

__all__ = ["HEAD_SIZE", "Network", "Prepared", "for_inference", "prepare"]

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
class Prepared:
    """A network in two parts: arrays, and how to run them."""

    state: Any  # pytree of arrays
    build: Callable[[Any], Network]  # the network of such a pytree; called while tracing


def prepare(header: WeightsHeader, arrays: dict[str, Array]) -> Prepared:
    """Return the network of a weights file in the form in which it runs fastest.

    Args:
        header: of the file.
        arrays: of the file.

    Raises:
        AssetError: the arrays are not those of the network; of ``prn-lite`` when it is built.
    """
    if header.network == "prn":  # its norms are folded in and its kernels transformed once
        return Prepared(state=_filled(header, arrays, is_fast=True), build=lambda network: network)
    return Prepared(state=arrays, build=lambda state: _filled(header, state))


def _filled(header: WeightsHeader, arrays: Any, *, is_fast: bool = False) -> Network:
    from .weights import fill_network

    network: Any = fill_network(header, arrays)
    return for_inference(network) if is_fast else network


def for_inference(network: Any) -> Network:
    """Return a network, in evaluation, in the form in which it runs fastest: a pytree."""
    from .prn import PRN
    from .prn_fast import fold_prn

    fast: Any = fold_prn(network) if isinstance(network, PRN) else network
    return fast
