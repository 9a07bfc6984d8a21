"""Two faces that change places, within a photo and between two."""

import dataclasses
import inspect

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import SIZE, toy_photo
from toy_models import COUPLE, GROUP, ToyModel, moved, toy_group

from uvface.core.errors import InputError, NoFaceError
from uvface.core.geometry.sampling import sample_texture
from uvface.core.io.images import Photo, write_image
from uvface.core.io.provenance import read_provenance
from uvface.core.io.sidecar import is_intact, read_sidecar
from uvface.faceswap.exchange import exchange, join_changes
from uvface.faceswap.photos import swap

NEAR = 55  # pixels between the middles of faces that overlap by about 9


def near_couple():
    """Return a photo of two faces of which one hides a part of the other, and both faces."""
    (image, face), (other, neighbour) = toy_photo(1), toy_photo(3)
    cut = SIZE // 2 + NEAR // 2
    both = np.concatenate([image[:, :cut], other[:, cut - NEAR :]], axis=1)
    return both, [face, moved(neighbour, float(NEAR))]


@pytest.fixture(scope="module")
def model(model):
    """Return the model that knows the toys, which knows the near couple as well."""
    model.known.append(near_couple())
    return model


def singles(image, model, **options):
    """Return the photo with one face changed, and with the other, both from the photo as it was."""
    return [
        swap(image, image, model=model, faces=i, reference_face=1 - i, keep=(), **options).image
        for i in (0, 1)
    ]


def changed_faces(result):
    """Return which thirds of a group differ from the photo at all."""
    difference = np.abs(result.image - result.photo.image).max(axis=(0, 2))
    return [i for i in range(3) if difference[i * SIZE : (i + 1) * SIZE].any()]


def test_each_face_gets_the_other_s_colours(model):
    image, faces = toy_group(COUPLE)
    plain = {"keep": (), "color": "none", "blend": "none", "sharpness": "none"}
    result = exchange(image, model=model, **plain)
    textures = [np.asarray(face.texture) for face in faces]
    inner = np.s_[20:44, 20:44]
    for face, own, other in zip(faces, textures, textures[::-1], strict=True):
        got = np.asarray(sample_texture(jnp.asarray(result.image), face.position_map))
        assert np.abs(got - other)[inner].mean() < 0.01 < 0.1 < np.abs(got - own)[inner].mean()
    assert result.faces == faces
    assert [one.found.reference[1] for one in result.swaps] == faces[::-1]


def test_an_exchange_is_two_swaps_of_the_photo_as_it_was(model):
    image, _ = toy_group(COUPLE)
    result = exchange(image, model=model, keep=())
    left, right = singles(image, model)
    np.testing.assert_array_equal(result.image[:, :SIZE], left[:, :SIZE])
    np.testing.assert_array_equal(result.image[:, SIZE:], right[:, SIZE:])
    is_free = (left == image).all(axis=-1) & (right == image).all(axis=-1)
    assert 0.3 < is_free.mean() < 0.95
    np.testing.assert_array_equal(result.image[is_free], image[is_free])


@pytest.mark.parametrize("faces", ["0,1", (1, 0)])
def test_where_faces_overlap_both_count_in_any_order(model, faces):
    image, _ = near_couple()
    left, right = singles(image, model)
    result = exchange(image, model=model, keep=(), faces=faces).image
    one, other = ((after != image).any(axis=-1) for after in (left, right))
    both = one & other
    assert 50 < both.sum() < 0.3 * one.sum()
    np.testing.assert_array_equal(result[one & ~other], left[one & ~other])
    np.testing.assert_array_equal(result[other & ~one], right[other & ~one])
    low, high = np.minimum(left, right)[both], np.maximum(left, right)[both]
    assert (low - 1e-5 <= result[both]).all() and (result[both] <= high + 1e-5).all()
    differs = np.abs(left - right)[both].max(axis=-1) > 0.1
    assert differs.any()  # neither face lies over the other
    for after in (left, right):
        assert (np.abs(result - after)[both].max(axis=-1) > 0.01)[differs].any()


def test_a_pixel_of_both_changes_is_rather_that_of_which_it_is_deeper_in():
    before = np.zeros((9, 40, 3), np.float32)
    first, second = before.copy(), before.copy()
    first[:, :24], second[:, 16:] = 0.2, 0.8
    first[4, 20] = 0.0  # an eye that stays
    joined = join_changes(before, first, second)
    row = joined[2, :, 0]
    assert (row[:16] == np.float32(0.2)).all() and (row[24:] == np.float32(0.8)).all()
    assert (np.diff(row[15:25]) > 0.0).all() and row[17] < 0.25 and row[22] > 0.75
    assert joined[4, 20, 0] < row[20]  # it counts as the first change's own
    np.testing.assert_array_equal(join_changes(before, before, second), second)
    np.testing.assert_array_equal(join_changes(before, second, before), second)


def test_no_strength_is_the_photo(model):
    for image in (toy_group(COUPLE)[0], near_couple()[0]):
        result = exchange(image, model=model, keep=(), strength=0.0)
        np.testing.assert_array_equal(result.image, image)


def test_by_default_the_two_largest_change_places():
    image, found = toy_group(GROUP)
    for small in range(3):
        model, faces = ToyModel(), list(found)
        faces[small] = dataclasses.replace(faces[small], box=faces[small].box * 0.5)
        model.known.append((image, faces))
        result = exchange(image, model=model, keep=())
        assert changed_faces(result) == [i for i in range(3) if i != small]


@pytest.mark.parametrize(
    ("faces", "expected"),
    [("0,2", [0, 2]), ("left, centre", [0, 1]), ((2, "centre"), [1, 2]), (["0", 1], [0, 1])],
)
def test_the_two_may_be_named(model, faces, expected):
    result = exchange(toy_group(GROUP)[0], model=model, faces=faces, keep=())
    assert changed_faces(result) == expected
    told = result.settings["faces"]
    assert len(told) == 2 and all(isinstance(one, str | int) for one in told)


def test_too_few_faces_are_told_with_their_number(model, tmp_path):
    image = toy_photo(1)[0]
    need = "give a second photo, or say where both are with a --boxes file"
    with pytest.raises(NoFaceError, match=f"^one face found in the photo, .*; {need}"):
        exchange(image, model=model)
    named = Photo(image=image, path=tmp_path / "anna.png")
    with pytest.raises(NoFaceError, match=r"one face found in anna\.png"):
        exchange(named, model=model, faces="left,right")
    wall = np.full((120, 120, 3), 0.5, np.float32)
    with pytest.raises(NoFaceError, match="no face found in the photo"):
        exchange(wall, model=model)
    with pytest.raises(NoFaceError, match="no face found in the other"):
        exchange(image, wall, model=model, keep=())


def test_choices_that_are_no_two_faces_are_input_errors(model):
    image, unchecked = toy_group(COUPLE)[0], inspect.unwrap(exchange)
    wrong = {
        "name one face twice": ["0,0", "left,0", (0, "left"), ["right", "right"]],
        "need two, as in left,right": ["left", 1, "0,1,2", (), ["smallest"]],
        "need a number from the left, or largest": ["all", (0, "all"), "", "0,", (0, True)],
    }
    for said, choices in wrong.items():
        for faces in choices:
            with pytest.raises(InputError, match=said):
                unchecked(image, model=model, faces=faces)
    with pytest.raises(InputError, match=r"face 1 is chosen twice: number 1 .*\(the photo\)"):
        exchange(image, model=model, faces="right,1")
    with pytest.raises(InputError, match=r"no face 2: the photo has 2.*\(the photo\)"):
        exchange(image, model=model, faces=(0, 2))


def test_two_photos_are_two_swaps_and_each_is_read_once(tmp_path):
    model = ToyModel()
    files = [tmp_path / "anna.png", tmp_path / "ben.png"]
    for seed, file in zip((1, 2), files, strict=True):
        write_image(file, toy_photo(seed)[0])
    results = exchange(*files, model=model, keep=(), strength=0.7)
    assert len(model.calls) == 2
    for result, pair in zip(results, (files, files[::-1]), strict=True):
        expected = swap(*pair, model=model, keep=(), strength=0.7)
        np.testing.assert_array_equal(result.image, expected.image)
        assert result.settings == expected.settings
        assert result.inputs == expected.inputs == {"target": pair[0], "reference 0": pair[1]}
        assert (result.operation, expected.operation) == ("exchange", "swap")
    with pytest.raises(InputError, match=r"anna\.png twice; give it once"):
        exchange(files[0], tmp_path / "." / "anna.png", model=model)


@pytest.mark.parametrize(
    ("faces", "expected"), [("right", (1, 0)), ("left", (0, 0)), ((1, 0), (1, 0)), (0, (0, 0))]
)
def test_of_two_photos_one_choice_is_for_both_or_each_has_its_own(model, faces, expected):
    couple, faces_of_it = toy_group(COUPLE)
    first, second = exchange(couple, toy_photo(2)[0], model=model, faces=faces, keep=())
    assert first.faces == [faces_of_it[expected[0]]]
    assert first.settings["faces"] == second.settings["reference_face"]
    told = (None, None) if isinstance(faces, str) else expected
    assert (first.swaps[0].number, second.swaps[0].number) == told
    assert second.swaps[0].found.reference[1] is faces_of_it[expected[0]]
    assert len(second.faces) == 1


def test_boxes_of_either_photo_are_used(model):
    one, other = toy_photo(1)[0], toy_photo(2)[0]
    for name, said in (("photo", "the photo"), ("other", "the other")):
        with pytest.raises(NoFaceError, match=f"no face found in {said}"):
            exchange(one, other, model=model, keep=(), boxes={name: []})
    with pytest.raises(InputError, match="boxes of 'anna'"):
        exchange(one, other, model=model, keep=(), boxes={"anna": []})
    with pytest.raises(InputError, match="boxes of 'other'"):
        exchange(toy_group(COUPLE)[0], model=model, keep=(), boxes={"other": []})


def test_boxes_of_arrays_are_told_under_their_names(model):
    one, other = toy_photo(1)[0], toy_photo(2)[0]
    both = {"photo": [[20.0, 20.0, 100.0, 100.0]], "other": [[21.0, 20.0, 100.0, 100.0]]}
    for result in exchange(one, other, model=model, keep=(), boxes=both):
        assert result.settings["boxes"] == both and result.settings["detector"] is None
    given = {"photo": [[20.0, 20.0, 100.0, 100.0]]}
    told = exchange(toy_group(COUPLE)[0], model=model, keep=(), boxes=given).settings
    assert told["boxes"] == given and told["detector"] is None


def test_what_is_written_tells_of_an_exchange_of_one_photo(model, tmp_path):
    couple, out = tmp_path / "couple.png", tmp_path / "out.png"
    write_image(couple, toy_group(COUPLE)[0])
    result = exchange(couple, model=model, keep=(), strength=0.5)
    result.save(out)
    assert read_provenance(out).operation == "exchange"
    sidecar = read_sidecar(out)
    assert is_intact(out, sidecar) and sidecar["operation"] == "exchange"
    assert [(one["role"], one["path"]) for one in sidecar["inputs"]] == [("target", str(couple))]
    assert sidecar["settings"]["faces"] == "largest" and sidecar["settings"]["strength"] == 0.5
    assert not {"reference", "reference_face"} & set(sidecar["settings"])
    assert [face["reference"] for face in sidecar["faces"]] == [[str(couple)]] * 2
    assert all(face["skin"]["seen"] > 0.5 for face in sidecar["faces"])
    with pytest.raises(InputError, match="would overwrite an input"):
        result.save(couple)


def test_what_makes_a_face_hard_to_read_is_told_of_both():
    image, found = toy_group(COUPLE)
    model = ToyModel()
    tiny = [
        dataclasses.replace(face, box=jnp.array([x, 40.0, x + 30.0, 70.0]))
        for face, x in zip(found, (40.0, 160.0), strict=True)
    ]
    model.known.append((image, tiny))
    warnings = exchange(image, model=model, keep=()).warnings
    small = "the face is only 30 pixels wide; its details are guessed"
    assert [line for line in warnings if small in line] == [
        f"the photo, face {i}: {small}" for i in range(2)
    ]
