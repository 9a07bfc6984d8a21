"""Fixtures of batches (`batches`)."""

from pathlib import Path

import cv2
import pytest
import skimage.data

from uvface.core.reconstruct import Model, load


@pytest.fixture(scope="session")
def model() -> Model:
    """Return the embedded weights."""
    return load()


@pytest.fixture
def astronaut(tmp_path: Path) -> Path:
    """Return the photo of an astronaut, as a file of its own."""
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), skimage.data.astronaut()[..., ::-1])
    return path
