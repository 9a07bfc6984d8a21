"""Toy photos to vary, and a folder of pictures made of them."""

import numpy as np
import pytest
import toy_faces
from augments import augment_toys
from toy_models import toy_group

from uvface.core.io.images import write_image


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, seed in (("anna", 1), ("ben", 2)):
        write_image(folder / f"{name}.png", toy_faces.toy_photo(seed)[0])
    write_image(folder / "two.png", toy_group((1, 3))[0])
    write_image(folder / "wall.png", np.full((90, 90, 3), 0.5, np.float32))
    return folder


@pytest.fixture(scope="session")
def whole(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    items = augment_toys([photos / "anna.png", photos / "ben.png"], folder)
    assert [(item.count, item.error) for item in items] == [(1, None)] * 2
    return folder
