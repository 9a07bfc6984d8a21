"""Shared fixtures; turns the shape checker on before uvface is imported."""

import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUMPY_DTYPE_PROMOTION", "strict")

import cv2
import pytest
import skimage.data
from jaxtyping import install_import_hook

install_import_hook("uvface", "beartype.beartype")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the data pack beside the checkout; skip the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the data pack ../shared/data is not here")
    return SHARED


@pytest.fixture(scope="module")
def generator(shared_data: Path):
    """Return the generator of the data pack; with procedural skins, which load faster."""
    from uvface.core.synthesis.generator import load_generator

    return load_generator(shared_data / "face_model")


@pytest.fixture(scope="module")
def model():
    """Return a model that knows the toy photos, the couple and the group.

    Its list of calls is its module's own. Tests of `core` get the embedded weights instead.
    """
    from toy_models import COUPLE, GROUP, ToyModel

    return ToyModel(groups=[COUPLE, GROUP])


@pytest.fixture
def astronaut(tmp_path: Path) -> Path:
    """Return the photo of an astronaut, as a file of its own."""
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), skimage.data.astronaut()[..., ::-1])
    return path


@pytest.fixture(autouse=True, scope="module")
def _few_memory_maps():
    """Forget compiled programs before there are too many for one process.

    Each takes a dozen or more memory maps, of which Linux grants a process 65,530; XLA then ends
    the whole run with a segmentation fault.
    """
    yield
    maps = Path("/proc/self/maps")
    if maps.is_file() and maps.read_text().count("\n") > 20_000:
        from uvface.core.traced import forget_programs

        forget_programs()
