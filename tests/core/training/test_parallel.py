"""Eight virtual devices learn as one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.training.parallel import make_placement

TESTS = Path(__file__).resolve().parents[2]
SCRIPT = """
import json
from pathlib import Path
import jax, jax.numpy as jnp, numpy as np
from flax import nnx
from toy_network import TinyConfig
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.spline import fit_control
from uvface.core.network.prn_lite import PRNLite
from uvface.core.training.config import TrainConfig
from uvface.core.training.loss import make_reading
from uvface.core.training.parallel import make_placement
from uvface.core.training.schedule import make_optimizer
from uvface.core.training.step import Labelled, init_state, make_step

layout = load_layout()
rng = np.random.default_rng(0)
face = np.asarray(fit_control(layout.canonical)) * 9.0 + [127.5, 127.5, 0.0]
crops = Labelled(
    images=jnp.asarray(rng.integers(0, 256, (8, 256, 256, 3)), jnp.uint8),
    control=jnp.asarray(face + rng.normal(0, 9, (8, 1, 1, 3)), jnp.float32),
    landmarks=jnp.asarray(rng.uniform(60, 200, (8, 68, 3)), jnp.float32),
    masks=jnp.asarray(rng.integers(0, 2, (8, 128, 128)) * 255, jnp.uint8),
    is_face=jnp.asarray([1, 1, 0, 1, 1, 1, 1, 1], jnp.float32),
)
curves = {}
for devices in (1, 8):
    config = TrainConfig(pool=Path(), output=Path(), batch=8, devices=devices)
    optimizer = make_optimizer(config)
    graph, state = init_state(PRNLite(TinyConfig(), rngs=nnx.Rngs(0)), optimizer)
    placement = make_placement(devices, config.batch)
    state, batch = placement.replicate(state), placement.split(crops)
    step = make_step(config, graph, make_reading(layout), optimizer)
    curves[devices] = []
    for _ in range(5):
        state, report = step(state, batch, jnp.float32(1e-3))
        curves[devices].append(float(report["loss"]))
    parts = len(batch.images.addressable_shards)
    kept = jax.tree.leaves(state.params)[0].sharding.is_fully_replicated
print(json.dumps({"curves": curves, "parts": parts, "kept": bool(kept)}))
"""


def test_eight_devices_have_the_loss_curve_of_one():
    environment = os.environ | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(TESTS),
    }
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=600
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    one, eight = found["curves"]["1"], found["curves"]["8"]
    np.testing.assert_allclose(eight, one, rtol=2e-4)
    assert one[-1] < one[0]
    assert found["parts"] == 8 and found["kept"]


def test_more_devices_than_there_are_is_an_input_error():
    with pytest.raises(InputError, match="JAX sees"):
        make_placement(64, 64)


def test_uneven_batch_is_an_input_error(monkeypatch):
    monkeypatch.setattr("jax.devices", lambda: [0, 1, 2])
    with pytest.raises(InputError, match="evenly"):
        make_placement(3, 32)
