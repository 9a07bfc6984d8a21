"""Faces are followed from frame to frame, and looked for again after cuts and losses."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import toy_photo

from uvface.core.errors import InputError, NoFaceError
from uvface.editing.finder import FaceFinder, Selection
from uvface.faceswap.tracking import Tracker

SIDE = 100
GREY = np.full((SIDE, SIDE, 3), 120, np.uint8)


class ToyFinder(FaceFinder):
    """Finds what the test says is there: places of faces, frame by frame."""

    def __init__(self, places):
        self.places, self.face = places, toy_photo(1)[1]
        self.searches, self.frame = 0, 0
        self.model = self

    def at(self, place, confidence=1.0):
        x = np.array([-10, 10, 0, 0] * 17, np.float32) + place
        y = np.array([0, 0, -10, 10] * 17, np.float32) + SIDE / 2
        landmarks = jnp.asarray(np.stack([x, y, 0 * x], axis=-1))
        sure = jnp.asarray(np.float32(confidence))
        return dataclasses.replace(self.face, landmarks=landmarks, confidence=sure)

    def find(self, photo, faces, *, name):
        self.searches += 1
        found = [self.at(place) for place in self.places[self.frame]]
        if not found:
            raise NoFaceError("none")
        return found if faces == "all" else found[:1]

    def most_like(self, photo, like, *, name):
        return self.find(photo, "largest", name=name)[0], 0.9 if self.frame < 2 else 0.1

    def reconstruct(self, image, *, boxes):
        (left, _, right, _), *_ = boxes
        middle = (left + right) / 2
        if not 0 <= middle < SIDE:
            raise InputError("outside")
        near = [p for p in self.places[self.frame] if abs(p - middle) < 15]
        return [self.at(near[0]) if near else self.at(middle, confidence=0.1)]


def _follow(places, selection=None, pictures=None):
    finder = ToyFinder(places)
    tracker = Tracker(finder, selection or Selection())
    found = []
    for finder.frame in range(len(places)):
        picture = GREY if pictures is None else pictures[finder.frame]
        faces = tracker.look(picture)
        found.append({n: float(f.landmarks[:, 0].mean()) for n, f in faces.items()})
    return found, finder.searches


def test_a_moving_face_is_followed_without_looking_again():
    found, searches = _follow([[20 + 3 * k] for k in range(20)])
    assert searches == 1
    np.testing.assert_allclose([frame[0] for frame in found], 20 + 3 * np.arange(20), atol=1e-3)


def test_a_face_that_leaves_and_comes_back_is_another_run():
    found, _ = _follow([[30], [30], [], [], [60], [61]])
    assert [sorted(frame) for frame in found] == [[0], [0], [], [], [1], [1]]


def test_a_face_is_not_followed_onto_a_face_far_from_it():
    found, searches = _follow([[30], [44], [45]])  # half a face further in one frame
    assert [sorted(frame) for frame in found] == [[0], [1], [1]]
    assert searches == 2


def test_after_a_cut_the_choice_is_made_anew():
    dark = np.full_like(GREY, 20)
    found, searches = _follow([[30], [30], [30]], pictures=[GREY, dark, dark])
    assert [sorted(frame) for frame in found] == [[0], [1], [1]]
    assert searches == 2


def test_of_all_faces_one_that_comes_in_is_followed_too():
    places = [[20] if k < 4 else [20, 70] for k in range(20)]
    found, searches = _follow(places, Selection(faces="all"))
    assert searches == 2
    assert sorted(found[3]) == [0]
    assert sorted(found[15]) == [0, 1]
    assert found[19][1] == pytest.approx(70)


def test_of_all_faces_one_that_was_lost_is_looked_for_at_once():
    places = [[20, 70], [20, 70], [20], [20, 71], [20, 71]]
    found, _ = _follow(places, Selection(faces="all"))
    assert [sorted(frame) for frame in found[:3]] == [[0, 1], [0, 1], [0]]
    assert sorted(found[-1]) == [0, 2]


def test_two_faces_that_become_one_are_followed_as_one():
    places = [[30, 60], [40, 52], [46], [46], [46]]
    found, _ = _follow(places, Selection(faces="all"))
    assert len(found[1]) == 2
    assert [len(frame) for frame in found[2:]] == [1, 1, 1]


def test_nobody_is_taken_who_is_not_like_the_person():
    dark = np.full_like(GREY, 20)
    person = Selection(like=GREY.astype(np.float32) / 255)
    found, _ = _follow([[30]] * 4, person, pictures=[GREY, GREY, dark, dark])
    assert [sorted(frame) for frame in found] == [[0], [0], [], []]


def test_a_face_of_a_number_that_is_not_there_leaves_the_frame_as_it_is():
    class Strict(ToyFinder):
        def find(self, photo, faces, *, name):
            raise InputError("no face 3")

    tracker = Tracker(Strict([[30]]), Selection(faces=3))
    assert tracker.look(GREY) == {}
    assert str(tracker.complaint) == "no face 3"
