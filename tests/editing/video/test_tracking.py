"""Faces are followed from frame to frame, and looked for again after cuts and losses."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.core.errors import InputError, NoFaceError
from uvface.editing.finder import FaceFinder, Selection
from uvface.editing.video import tracking
from uvface.editing.video.tracking import Tracker, _correlation

SIDE = 100
GREY = np.full((SIDE, SIDE, 3), 120, np.uint8)


class ToyFinder(FaceFinder):
    """Finds what the test says is there: places of faces, frame by frame, and who they are."""

    def __init__(self, places, people=None):
        self.places, self.people = places, people or [1] * len(places)
        self.searches, self.frame = 0, 0
        self.model, self.layout = self, layout()

    def at(self, place, confidence=1.0):
        x = np.array([-10, 10, 0, 0] * 17, np.float32) + place
        y = np.array([0, 0, -10, 10] * 17, np.float32) + SIDE / 2
        landmarks = jnp.asarray(np.stack([x, y, 0 * x], axis=-1))
        sure = jnp.asarray(np.float32(confidence))
        face = toy_photo(self.people[self.frame])[1]
        return dataclasses.replace(face, landmarks=landmarks, confidence=sure)

    def find(self, photo, faces, *, name):
        self.searches += 1
        found = [self.at(place) for place in sorted(self.places[self.frame])]
        if not found:
            raise NoFaceError("none")
        assert faces == "all"
        return found

    def most_like(self, photo, faces, like):
        return faces[0], 0.9 if self.frame < 2 else 0.1

    def reconstruct(self, image, *, boxes):
        (left, _, right, _), *_ = boxes
        middle = (left + right) / 2
        if not 0 <= middle < SIDE:
            raise InputError("outside")
        near = [p for p in self.places[self.frame] if abs(p - middle) < 15]
        nearest = min(near, key=lambda place: abs(place - middle), default=None)
        return [self.at(middle, confidence=0.1) if nearest is None else self.at(nearest)]


def _follow(places, *selections, pictures=None, people=None):
    """Return for each frame number -> place of each face that is followed, and the searches."""
    found, searches = _tracks(places, *selections, pictures=pictures, people=people)
    return [{track.number: x for track, x in frame.items()} for frame in found], searches


def _held(places, *selections, pictures=None, people=None):
    """Return for each frame selection -> place of its face."""
    found, _ = _tracks(places, *selections, pictures=pictures, people=people)
    return [{track.choice: pytest.approx(x) for track, x in frame.items()} for frame in found]


def _tracks(places, *selections, pictures=None, people=None):
    finder = ToyFinder(places, people)
    tracker = Tracker(finder, selections or [Selection()])
    found = []
    for finder.frame in range(len(places)):
        picture = GREY if pictures is None else pictures[finder.frame]
        faces = tracker.look(picture)
        found.append({track: float(f.landmarks[:, 0].mean()) for track, f in faces.items()})
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


def test_nobody_else_is_followed_after_a_cut_between_pictures_that_are_framed_alike():
    """The thumbs of two portraits of one studio differ by less than what was called a cut."""
    person = Selection(like=GREY.astype(np.float32) / 255)
    found, _ = _follow([[30]] * 4, person, people=[1, 1, 2, 2])
    assert [sorted(frame) for frame in found] == [[0], [0], [], []]
    found, searches = _follow([[30]] * 4, people=[1, 1, 2, 2])  # by place, it is a new run
    assert [sorted(frame) for frame in found] == [[0], [0], [1], [1]] and searches == 2


@pytest.mark.parametrize("correlation", [0.95, 0.9, 0.8])
def test_likeness_is_measured_anew_at_smaller_changes(monkeypatch, correlation):
    """Two of three pairs of portraits are told apart by what counts for any face."""
    monkeypatch.setattr(tracking, "_correlation", lambda *_: correlation)
    person = Selection(like=GREY.astype(np.float32) / 255)
    found, _ = _follow([[30]] * 3, person)
    assert [k for frame in found[1:] for k in frame] == ([0, 0] if correlation > 0.93 else [1])
    by_place, _ = _follow([[30]] * 2)
    assert [sorted(frame) for frame in by_place] == [[0], [0] if correlation > 0.85 else [1]]


def test_a_flash_does_not_make_another_face():
    face = toy_photo(1)[1]
    brighter = dataclasses.replace(face, texture=1.6 * face.texture + 0.1)
    skin = np.asarray(layout().region("face"))
    assert _correlation(face, brighter, skin) == pytest.approx(1.0, abs=1e-4)
    assert _correlation(face, toy_photo(2)[1], skin) < 0.8
    flat = dataclasses.replace(face, texture=0.0 * face.texture + 0.5)
    unseen = dataclasses.replace(face, visibility=0.0 * face.visibility)
    assert _correlation(face, flat, skin) == _correlation(face, unseen, skin) == 1.0


def test_a_face_of_a_number_that_is_not_there_leaves_the_frame_as_it_is():
    tracker = Tracker(ToyFinder([[30]]), [Selection(faces=3)])
    assert tracker.look(GREY) == {}
    assert "no face 3" in str(tracker.complaint)


LEFT_AND_RIGHT = (Selection(faces=0), Selection(faces=1))
DARK = np.full_like(GREY, 20)


def test_faces_that_change_sides_stay_those_of_their_selections():
    """As they pass they are read as one; who stays is whoever was nearer."""
    ways = [(20 + 4 * k, 80 - 4 * k) for k in range(16)]
    places = [[*way] if abs(way[0] - way[1]) > 8 else [way[1]] for way in ways]
    found = _held(places, *LEFT_AND_RIGHT)
    assert found[0] == {0: 20, 1: 80}
    assert found[7] == {1: 52} and found[8] == {1: 48}
    assert found[-1] == {0: 80, 1: 20}


def test_after_a_cut_faces_get_their_selections_anew():
    places = [[20, 70], [26, 70], [70, 26]]
    assert _held(places, *LEFT_AND_RIGHT)[-1] == {0: 26, 1: 70}
    crossed = [[20 + 4 * k, 80 - 4 * k] for k in range(16)]
    crossed = [[a, b] if abs(a - b) > 8 else [b] for a, b in crossed]
    dark = [GREY] * 15 + [np.full_like(GREY, 20)]
    assert _held(crossed, *LEFT_AND_RIGHT)[-1] == {0: 80, 1: 20}
    assert _held(crossed, *LEFT_AND_RIGHT, pictures=dark)[-1] == {0: 20, 1: 80}


def test_one_that_is_lost_does_not_get_what_another_has():
    """The right one has become the left one; the other returns where its number is not its own."""
    places = [[20, 50], [50], [44], [38], [32], [26], *[[26, 85]] * 10]
    found = _held(places, *LEFT_AND_RIGHT)
    assert found[1:6] == [{1: 50}, {1: 44}, {1: 38}, {1: 32}, {1: 26}]
    assert found[-1] == {0: 85, 1: 26}


def test_one_who_is_in_no_selection_does_not_stand_in_for_a_lost_one():
    """Without the left one, number 0 is the one who was 1, and 1 the one who was 2."""
    places = [[20, 50, 90], [50, 90], [44, 90], [38, 90], [32, 90], *[[26, 60, 90]] * 20]
    found = _held(places, *LEFT_AND_RIGHT)
    assert found[1:5] == [{1: 50}, {1: 44}, {1: 38}, {1: 32}]
    assert found[-1] == {0: 60, 1: 26}


def test_one_that_moved_too_far_is_taken_where_it_was_rather_than_by_its_name():
    """Somebody else has come in, who is the left one now."""
    places = [[40, 80], [10, 40, 80], [10, 50, 80], [10, 50, 80]]
    found, searches = _follow(places, Selection(faces="left"))
    assert found == [{0: 40}, {0: 40}, {1: 50}, {1: 50}] and searches == 2
    person = Selection(like=GREY.astype(np.float32) / 255)
    assert _held(places, person)[-1] == {}  # of whom it must be known again


def test_one_face_does_not_get_two_selections():
    selections = (Selection(faces=0), Selection(faces="left"))
    assert _held([[20, 70]] * 4, *selections)[-1] == {0: 20}


def test_of_two_selections_one_may_find_nobody():
    found = _held([[20]] * 4 + [[20, 70]] * 16, *LEFT_AND_RIGHT)
    assert found[3] == {0: 20}
    assert found[-1] == {0: 20, 1: 70}
