"""Varied pictures of toy faces: the labels are where the pixels are."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toy_faces

from uvface.core.errors import InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.pose import angles_from_rotation, rotation_from_angles
from uvface.core.synthesis.kinds import KINDS
from uvface.core.synthesis.occluders import paint_occluder
from uvface.core.synthesis.profiling import turn_face
from uvface.editing.augment import face as augment_module
from uvface.editing.augment.face import augment_face, prepare, render_variation
from uvface.editing.augment.recipe import SUBJECTS, Makeup, describe, draw_recipe, subjects

SKIN = jnp.array([0.8, 0.6, 0.5])


@pytest.fixture(scope="module")
def prepared():
    image, face = toy_faces.toy_photo(3)
    return prepare(image, face, toy_faces.layout())


def _varied(prepared, number, vary=SUBJECTS, **options):
    return augment_face(jax.random.key(number), prepared, toy_faces.layout(), vary=vary, **options)


def test_a_key_makes_one_picture_and_another_key_another(prepared):
    first, again, other = (_varied(prepared, number) for number in (1, 1, 2))
    for one, two in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True):
        if not jnp.issubdtype(one.dtype, jax.dtypes.prng_key):
            np.testing.assert_array_equal(one, two)
    assert np.abs(np.asarray(first.image - other.image)).mean() > 0.02
    assert np.abs(np.asarray(first.landmarks - other.landmarks)).max() > 1.0


def test_nothing_varied_is_the_photo_s_own_face(prepared):
    found = _varied(prepared, 1, vary=())
    plain = turn_face(prepared, jnp.eye(3), toy_faces.layout())
    np.testing.assert_allclose(found.image, plain.image, atol=0.5 / 255 + 2e-3)
    np.testing.assert_array_equal(found.position_map, plain.position_map)
    assert KINDS[int(found.kind)] == "none" and np.asarray(found.seen).mean() > 0.9
    np.testing.assert_allclose(
        found.angles, np.stack(angles_from_rotation(prepared.rotation)), atol=0.02
    )


def test_a_subject_left_out_changes_nothing_of_the_others(prepared):
    rotation = np.asarray(prepared.rotation)
    whole = draw_recipe(jax.random.key(5), rotation, SKIN)
    for subject in describe(whole, vary=SUBJECTS, kind="hand"):
        vary = [name for name in SUBJECTS if name != subject]
        told = describe(whole, vary=vary, kind="hand")
        part = draw_recipe(jax.random.key(5), rotation, SKIN, vary=vary)
        assert describe(part, vary=vary, kind="hand") == told and subject not in told
        alone = draw_recipe(jax.random.key(5), rotation, SKIN, vary=[subject])
        neutral = describe(part, vary=SUBJECTS, kind="hand")[subject]
        if subject not in ("color", "occluder"):
            assert describe(alone, vary=SUBJECTS, kind="hand")[subject] != neutral


def test_turns_obey_their_limit(prepared):
    rotation = np.asarray(rotation_from_angles(0.0, 0.0, 0.0))
    yaws = [
        float(
            angles_from_rotation(draw_recipe(jax.random.key(k), rotation, SKIN, max_yaw=20).turn)[0]
        )
        for k in range(8)
    ]
    assert max(map(abs, yaws)) < 23.0 and np.ptp(yaws) > 10.0


def test_the_order_of_the_parts_of_lips_and_brows_does_not_matter():
    """Each part was recoloured in what the part before had changed, which its mean told of."""
    image = jnp.asarray(np.random.default_rng(0).uniform(0.3, 0.7, (32, 32, 3)), jnp.float32)
    rows = jnp.arange(32.0)[:, None] * jnp.ones((1, 32))
    upper, lower = (jnp.clip(1.0 - jnp.abs(rows - y) / 4.0, 0.0, 1.0) for y in (12.0, 18.0))
    skin = jnp.clip(jnp.abs(rows - 15.0) / 4.0 - 2.0, 0.0, 1.0)
    makeup = Makeup(colors=jnp.array([[0.9, 0.1, 0.2], [0.2, 0.1, 0.1]]), strength=jnp.ones(2))

    def made_up(one, other):
        masks = jnp.stack([one, other, skin, skin], axis=-1)
        return augment_module._make_up(image, [masks, masks], makeup, jnp.asarray(6.0))

    assert np.abs(np.asarray(made_up(upper, lower) - image)).max() > 0.2
    np.testing.assert_allclose(made_up(upper, lower), made_up(lower, upper), atol=1e-5)


@pytest.mark.parametrize("landmark", [8, 30, 48])
def test_a_mark_in_the_photo_is_found_at_its_label(prepared, landmark):
    image, face = toy_faces.toy_photo(3)
    layout = toy_faces.layout()
    column, row = np.asarray(layout.landmark_uv)[landmark] * layout.size - 0.5
    texel = round(float(row)), round(float(column))
    x, y = np.asarray(face.position_map)[texel][:2]
    pixels = np.mgrid[: toy_faces.SIZE, : toy_faces.SIZE]
    away = np.hypot(*(pixels - np.array([y, x])[:, None, None]))
    mark = np.exp(-0.5 * (away / 1.5) ** 2)[..., None]
    marked = prepare((image + mark * (np.eye(3)[1] - image)).astype(np.float32), face, layout)
    for number in (3, 4):
        plain, found = (
            _varied(ready, number, vary=["pose"], max_yaw=20.0) for ready in (prepared, marked)
        )
        np.testing.assert_array_equal(plain.landmarks, found.landmarks)
        assert float(found.visibility[texel]) > 0.9
        # The mark may move what is taken for the person's outline, but that is not green.
        gain = np.asarray(found.image - plain.image)
        green = (gain[..., 1] - gain[..., 0]).clip(0.1) - 0.1
        place = [np.average(grid, weights=green) for grid in np.mgrid[:320, :320][::-1]]
        expected = np.asarray(found.position_map)[texel]
        assert np.hypot(*(place - expected[:2])) < 2.0
        assert np.hypot(*(np.asarray(found.landmarks)[landmark] - expected)[:2]) < 4.0


def test_pale_halves_of_lips_are_recoloured_too():
    _, face = toy_faces.toy_photo(3)
    layout = toy_faces.layout()
    skin, red = jnp.array([0.75, 0.58, 0.5]), jnp.array([0.6, 0.25, 0.25])
    left = (jnp.arange(layout.size) < layout.size // 2)[None, :, None]
    lips = layout.region("lips")[..., None] * jnp.where(left, 1.0, 0.15)
    texture = skin + lips * (red - skin)
    drawn, _ = toy_faces._draw(texture, face.position_map, layout)
    ready = prepare(np.asarray(drawn, np.float32), face, layout)
    plain = draw_recipe(jax.random.key(0), np.asarray(ready.rotation), SKIN, vary=[])
    makeup = dataclasses.replace(
        plain.makeup,
        colors=jnp.array([[0.2, 0.2, 0.7], [0.2, 0.2, 0.7]]),
        strength=jnp.array([1.0, 0.0]),
    )
    before, after = (
        np.asarray(render_variation(ready, recipe, layout).image)
        for recipe in (plain, dataclasses.replace(plain, makeup=makeup))
    )
    texels = np.asarray(layout.region("lips")) > 0.95
    places = np.asarray(render_variation(ready, plain, layout).position_map)[texels][:, :2]
    column, row = np.rint(places).astype(int).T
    bluer = (after - before)[row, column, 2]
    is_left = np.nonzero(texels)[1] < layout.size / 2
    assert bluer[is_left].mean() > 0.1 and bluer[~is_left].mean() > 0.1


def test_what_lies_under_an_occluder_is_labelled_hidden(prepared):
    layout = toy_faces.layout()
    hidden, paint = 0, jax.jit(paint_occluder)
    for number in range(4):
        drawn = draw_recipe(
            jax.random.key(number), np.asarray(prepared.rotation), SKIN, vary=["pose"]
        )
        with_one, without = (
            render_variation(
                prepared, dataclasses.replace(drawn, has_occluder=jnp.asarray(has)), layout
            )
            for has in (True, False)
        )
        blank = jnp.zeros((320, 320, 3))
        backdrop = jnp.zeros((1, 320, 320, 3), jnp.uint8)
        alpha = np.asarray(paint(drawn.occluder_key, blank, SKIN, backdrop)[1])
        x, y = np.round(np.asarray(with_one.landmarks)[:, :2]).astype(int).clip(0, 319).T
        near = np.asarray(
            [alpha[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2] for r, c in zip(y, x, strict=True)]
        )
        lowest, highest = near.min(axis=(1, 2)), near.max(axis=(1, 2))
        seen, before = np.asarray(with_one.seen), np.asarray(without.seen)
        assert not seen[lowest > 0.99].any()
        assert (seen == before)[highest < 0.01].all()
        hidden += int((before & ~seen).sum())
        assert KINDS[int(with_one.kind)] in ("hand", "thing") and KINDS[int(without.kind)] == "none"
        lost = np.asarray(without.visibility - with_one.visibility)
        assert lost.min() > -1e-5
    assert hidden > 15


def test_a_head_turned_aside_hides_its_far_side(prepared):
    layout = toy_faces.layout()
    drawn = draw_recipe(jax.random.key(0), np.asarray(prepared.rotation), SKIN, vary=[])
    seen = []
    for yaw in (-70.0, 70.0):
        turn = rotation_from_angles(yaw, 0.0, 0.0)
        found = render_variation(prepared, dataclasses.replace(drawn, turn=turn), layout)
        seen.append(np.asarray(found.seen))
    # Positive yaw turns the nose to the left of the picture: there the subject's right is far.
    assert not seen[1][:4].any() and seen[1][12:17].all() and seen[1][42:48].all()
    assert not seen[0][13:17].any() and seen[0][:5].all() and seen[0][36:42].all()


def test_what_lies_beyond_the_photo_is_labelled_hidden(prepared):
    image, face = toy_faces.toy_photo(3)
    layout = toy_faces.layout()
    x = np.asarray(read_landmarks(face.position_map, layout.landmark_uv))[:, 0]
    columns = int(np.median(x)) + 1
    cut = prepare(np.ascontiguousarray(image[:, :columns]), face, layout)
    whole, found = (_varied(ready, 3, vary=["pose"], max_yaw=20.0) for ready in (prepared, cut))
    np.testing.assert_array_equal(whole.landmarks, found.landmarks)
    beyond, well_inside = x > columns, x < columns - 1.5
    assert beyond.sum() > 20 and np.asarray(whole.seen)[beyond].any()
    assert not np.asarray(found.seen)[beyond].any()
    np.testing.assert_array_equal(found.seen[well_inside], whole.seen[well_inside])
    texels = np.asarray(face.position_map)[..., 0] > columns - 0.5
    assert not np.asarray(found.visibility)[texels].any()
    # Pixels beside the border are made up in part. At the face's outline what surrounds it, half of
    # which is gone, may win the depth test.
    far = np.asarray(face.position_map)[..., 0] < columns - 0.5 - 2.0  # a texel is 1.5 pixels wide
    differs = found.visibility[far] != whole.visibility[far]
    assert np.asarray(differs).mean() < 0.02


def test_subjects_are_read_and_checked():
    assert subjects("light, pose,light") == ("light", "pose")
    assert subjects(("quality",)) == ("quality",)
    assert subjects("pose,,light,") == ("pose", "light")  # a comma too many names nothing
    for wrong in ("hats", "", ",", ()):
        with pytest.raises(InputError, match="choose from pose"):
            subjects(wrong)
