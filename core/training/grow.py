"""Larger networks that start as smaller ones: new layers change nothing until they have learnt."""

from __future__ import annotations

from flax import nnx

from ..errors import InputError
from ..network.prn_lite import PRNLite, PRNLiteConfig
from ..network.weights import flat_variables

__all__ = ["grow_network"]

# Ends of residual layers: where their kernels are 0, a layer adds nothing.
_ADDED = (".expand.kernel", ".change.kernel")
_CONVOLUTIONS = ("first.", "decoder.blocks.")


def _adds_nothing(name: str) -> bool:
    is_convolution = name.startswith(_CONVOLUTIONS) and name.endswith(".conv.kernel")
    return is_convolution or name.endswith(_ADDED)


def grow_network(small: PRNLite, config: PRNLiteConfig, *, seed: int = 0) -> PRNLite:
    """Return a network of a larger shape that gives the same maps as a smaller one.

    Args:
        small: a trained network.
        config: the larger shape: more blocks and corrections, the same widths.
        seed: of the first values inside new layers.

    Raises:
        InputError: the shapes do not fit into one another.
    """
    large = PRNLite(config, rngs=nnx.Rngs(seed))
    known, variables = flat_variables(small), flat_variables(large)
    if lost := sorted(set(known) - set(variables)):
        raise InputError(f"a network cannot grow into one without its {lost[0]}; add to its shape")
    for name, variable in variables.items():
        if name not in known:
            if _adds_nothing(name):
                variable.set_value(0.0 * variable[...])
        elif known[name].shape != variable.shape:
            raise InputError(
                f"a network cannot grow: {name} is {known[name].shape} and would be "
                f"{variable.shape}; keep the widths"
            )
        else:
            variable.set_value(known[name][...])
    return large
