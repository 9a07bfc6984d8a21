"""Shared fixtures; turns the shape checker on before uvface is imported."""

import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUMPY_DTYPE_PROMOTION", "strict")

import pytest
from jaxtyping import install_import_hook

install_import_hook("uvface", "beartype.beartype")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the data pack beside the checkout; skip the test where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the data pack ../shared/data is not here")
    return SHARED
