"""The head that faces are drawn on."""

from pathlib import Path

import pytest

from uvface.core.synthesis.head import HeadModel, load_head


@pytest.fixture(scope="module")
def head(shared_data: Path) -> HeadModel:
    """Return the head of the data pack."""
    return load_head(shared_data / "face_model")
