"""Measure how far the paper's network in its form for inference is from its plain form.

    python docs/measure_rounding.py [--networks 10] [--he]

Prints, for networks with random weights and random norms (scale, shift and statistics), the
largest differences of the sigmoids on a random crop: of both forms from float64, and of one from
the other. ``--he`` takes kernels of He's variance, which magnify whatever is rounded.
"""

import argparse
import os

os.environ["JAX_ENABLE_X64"] = "1"

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from uvface.core.network.prn import OUTPUT_SCALE, PRN, PRNConfig
from uvface.core.network.prn_fast import fold_prn
from uvface.core.network.weights import flat_variables


def random_network(seed: int, *, he: bool) -> PRN:
    """Return a network whose norms do more than nothing."""
    rng = np.random.default_rng(seed)
    network = PRN(PRNConfig(depth_center=0.3), rngs=nnx.Rngs(seed))
    for name, variable in flat_variables(network).items():
        shape, values = variable.get_value().shape, variable.get_value()
        if len(shape) == 4 and he:
            fan = shape[0] * shape[1] * shape[3 if name.startswith("up.") else 2]
            values = rng.normal(0.0, np.sqrt(2.0 / fan), shape)
        elif name.endswith(("scale", "var")):
            values = rng.uniform(0.5, 1.5, shape)
        elif len(shape) != 4:
            values = rng.normal(0.0, 0.3, shape)
        variable.set_value(jnp.asarray(values, jnp.float32))
    network.eval()
    return network


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=10)
    parser.add_argument("--he", action="store_true")
    given = parser.parse_args()
    for seed in range(given.networks):
        network = random_network(seed, he=given.he)
        crops = jax.random.uniform(jax.random.key(seed), (1, 256, 256, 3), jnp.float32)
        graph, state = nnx.split(network)
        plain = jax.jit(lambda state, crops, graph=graph: nnx.merge(graph, state)(crops))
        exact = plain(jax.tree.map(lambda x: x.astype(jnp.float64), state), crops.astype(float))
        forms = [
            plain(state, crops),
            jax.jit(lambda net, crops: net(crops))(fold_prn(network), crops),
        ]
        sigmoids = [np.asarray(form, np.float64) / OUTPUT_SCALE for form in (exact, *forms)]
        pairs = [(1, 0), (2, 0), (2, 1)]
        far = [f"{np.abs(sigmoids[a] - sigmoids[b]).max():.1e}" for a, b in pairs]
        print(f"{seed}: plain {far[0]}, for inference {far[1]}, from each other {far[2]}")


if __name__ == "__main__":
    main()
