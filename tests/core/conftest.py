"""What ships: the layout, and the model in the place of the toys'."""

import pytest

from uvface.core.geometry.layout import UVLayout, load_layout
from uvface.core.reconstruct import Model, load


@pytest.fixture(scope="session")
def layout() -> UVLayout:
    """Return the layout `uvface`."""
    return load_layout()


@pytest.fixture(scope="session")
def model() -> Model:
    """Return the embedded weights."""
    return load()
