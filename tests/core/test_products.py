"""That coordinates are multiplied in whole float32, on GPUs too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from uvface.core.geometry.camera import estimate_camera, estimate_similarity_3d
from uvface.core.geometry.crop import crop_box, turn_crop
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.geometry.similarity import estimate_similarity
from uvface.core.products import product
from uvface.core.types import Camera, Similarity

POINTS, WEIGHTS = jnp.ones((9, 3)), jnp.ones(9)
CROP = Similarity.identity()
CAMERA = Camera(scale=jnp.ones(()), rotation=jnp.eye(3), translation=jnp.zeros(3))
CALLS = {
    "apply": (Similarity.apply, CROP, POINTS),
    "inverse": (Similarity.inverse, CROP),
    "compose": (Similarity.compose, CROP, CROP),
    "project": (Camera.project, CAMERA, POINTS),
    "unproject": (Camera.unproject, CAMERA, POINTS),
    "seen through": (Camera.seen_through, CAMERA, CROP),
    "estimate_camera": (estimate_camera, POINTS, POINTS, WEIGHTS),
    "estimate_similarity_3d": (estimate_similarity_3d, POINTS, POINTS, WEIGHTS),
    "estimate_similarity": (estimate_similarity, POINTS[:, :2], POINTS[:, :2]),
    "crop_box": (crop_box, jnp.arange(4.0)),
    "turn_crop": (turn_crop, CROP, jnp.ones(())),
    "rotation_from_angles": (rotation_from_angles, *jnp.ones(3)),
}


@pytest.mark.parametrize("name", CALLS)
def test_products_of_coordinates_are_not_rounded_to_tf32(name):
    function, *arguments = CALLS[name]
    run = jax.jit(lambda: jax.tree.leaves(function(*arguments)))
    program = export.export(run, platforms=["cuda"])()
    lines = program.mlir_module().splitlines()
    products = [line for line in lines if "stablehlo.dot_general" in line]
    assert products
    assert all("precision = [HIGHEST, HIGHEST]" in line for line in products)


def test_product_is_that_of_matrices_and_vectors():
    random = np.random.default_rng(0)
    stack, matrix, vector = (random.random(s, np.float32) for s in ((2, 5, 3), (3, 3), (3,)))
    for left, right in [(stack, matrix), (matrix, vector), (vector, matrix), (vector, vector)]:
        np.testing.assert_allclose(product(left, right), left @ right, rtol=1e-6)
