"""What belongs to a person and what to the wall."""

import cv2
import numpy as np

from uvface.core.synthesis.background_mesh import find_surroundings

SIDE = 640


def _surroundings(wall, shirt):
    random = np.random.default_rng(0)
    image = np.full((SIDE, SIDE, 3), wall, np.float32)
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(face, (320, 320), (105, 140), 0, 0, 360, 1, -1)
    body = np.zeros_like(face)
    cv2.rectangle(body, (265, 400), (375, 520), 1, -1)  # the neck
    cv2.ellipse(body, (320, 640), (190, 130), 0, 180, 360, 2, -1)
    image[body == 1] = image[face > 0] = (0.75, 0.55, 0.45)
    image[body == 2] = shirt
    image = np.clip(image + 0.01 * random.standard_normal(image.shape), 0, 1).astype(np.float32)
    y, x = np.mgrid[:SIDE, :SIDE]
    depth = np.sqrt(np.maximum(1.0 - ((x - 320) / 105) ** 2 - ((y - 320) / 140) ** 2, 0.0)) * 100
    ears = np.zeros((SIDE, SIDE), bool)
    found = find_surroundings(
        image,
        np.ones((SIDE, SIDE), bool),
        face > 0,
        ears,
        depth.astype(np.float32),
        axis=-100.0,
        scale=17.0,
    )
    return found.person


def test_the_wall_beside_shoulders_is_no_person():
    for shirt in ((0.2, 0.3, 0.2), (0.97, 0.97, 0.97)):
        person = _surroundings((0.7, 0.65, 0.8), shirt)
        assert person[600, 170:470].mean() > 0.95  # the shirt
        assert person[600, :90].max() < 0.1 and person[600, 550:].max() < 0.1
        assert person[320, 320] == 1.0 and person[40].max() < 0.1


def test_a_white_shirt_before_a_pale_wall_is_the_person():
    person = _surroundings((0.84, 0.85, 0.86), (0.98, 0.98, 0.98))
    assert person[600, 170:470].mean() > 0.95
