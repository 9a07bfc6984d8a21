"""What a plan trusts: the face's own folds are bridged, what covers it is not."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.editing.colour import lab_from_rgb
from uvface.editing.plan import EditMasks, PlanConfig, plan_edit
from uvface.editing.seen.occlusion import (
    agree_trust,
    end_trust,
    lit_trust,
    skin_trust,
    strand_trust,
)
from uvface.editing.side import Side
from uvface.editing.source import source_for

SPOT = np.s_[28:36, 42:50]  # texels on one cheek
BESIDE = np.s_[28:36, 14:22]


def _skin_texture():
    texture = jnp.full((64, 64, 3), jnp.array([0.75, 0.55, 0.45], jnp.float32))
    return texture + 0.02 * jnp.sin(jnp.arange(64, dtype=jnp.float32))[:, None, None]


def _trust(texture):
    return np.asarray(agree_trust(lab_from_rgb(texture), jnp.ones((64, 64)), layout()))


def test_a_dark_spot_on_one_cheek_is_not_trusted():
    trust = _trust(_skin_texture().at[SPOT].set(0.05))
    assert trust[SPOT][2:-2, 2:-2].max() < 0.1
    assert trust[BESIDE].min() > 0.95


def test_the_same_spot_on_both_cheeks_is_the_face_s_own():
    trust = _trust(_skin_texture().at[SPOT].set(0.05).at[BESIDE].set(0.05))
    assert trust[SPOT].min() > 0.8


@pytest.mark.parametrize("light", [0.35, 0.45, 0.7])
def test_hair_beside_the_face_is_told_from_shade_however_dark_the_skin(light):
    outer = jnp.zeros((64, 64)).at[:, 44:].set(1.0)
    lab = jnp.full((64, 64, 3), jnp.array([light, 0.04, 0.05], jnp.float32))
    hair = lab.at[:, 50:].set(jnp.array([0.45 * light, 0.02, 0.02]))
    shade = lab.at[:, 50:, 0].set(0.85 * light)
    everywhere = jnp.ones((64, 64))
    covered, shaded = (skin_trust(x, everywhere, outer, everywhere) for x in (hair, shade))
    assert covered[:, 52:].max() < 0.1
    assert covered[:, :44].min() > 0.95
    assert shaded.min() > 0.9


def _streaked(share, row, harshness=0.0):
    """Return the trust in a row of texels with a streak across its middle, and the streak's."""
    lab = lab_from_rgb(_skin_texture())
    lab = lab.at[row - 6 : row + 6, 31:33, 0].multiply(share)
    seen = jnp.ones((64, 64))
    trust = strand_trust(lab, seen, layout(), harshness=jnp.float32(harshness))
    trust = np.asarray(trust)
    return trust[row], trust[row, 31:33]


def test_a_strand_on_the_forehead_is_not_trusted_a_wrinkle_is():
    row = int(np.argmax(np.asarray(layout().region("forehead"))[:, 32] > 0.5)) + 8
    around, strand = _streaked(0.7, row)
    assert strand.max() < 0.1
    assert around[20:28].min() > 0.95
    assert _streaked(0.95, row)[0].min() > 0.9


def test_skin_between_shines_of_a_dark_forehead_is_trusted():
    """It is darker than what shines around it, but not than the cheeks."""
    forehead = np.asarray(layout().region("forehead"))[..., None]
    texture = 0.3 * np.asarray(_skin_texture()) * (1 + 0.6 * forehead)
    row = int(np.argmax(forehead[:, 32] > 0.5)) + 8
    texture[row - 1 : row + 2, 29:35] /= 1.6
    lab, seen = lab_from_rgb(jnp.asarray(texture)), jnp.ones((64, 64))
    trust = np.asarray(strand_trust(lab, seen, layout(), harshness=jnp.zeros(())))
    assert trust[row - 4 : row + 5, 26:38].min() > 0.95


def test_what_is_dark_below_the_forehead_is_the_face_s_own():
    assert _streaked(0.5, 44)[0].min() > 0.99


def test_a_fold_of_the_cheek_is_not_trusted_in_harsh_light_only():
    texel = (37, 46)
    lab = lab_from_rgb(_skin_texture())
    lab = lab.at[texel[0] - 3 : texel[0] + 3, texel[1] - 1 : texel[1] + 1, 0].multiply(0.75)
    for harshness, low, high in ((0.0, 0.99, 1.01), (1.0, -0.01, 0.1)):
        seen, harsh = jnp.ones((64, 64)), jnp.float32(harshness)
        trust = float(strand_trust(lab, seen, layout(), harshness=harsh)[texel])
        assert low < trust < high


HIDDEN = np.s_[:, 44:]  # the side of a cheek


def _trust_at_end(shade, wanted, hidden=HIDDEN):
    """Return the trust in skin that is darker than the other face's, and hidden in a part."""
    own = lab_from_rgb(_skin_texture())
    lab = own.at[..., 0].multiply(shade)
    seen = jnp.ones((64, 64)).at[hidden].set(0.0)
    return np.asarray(end_trust(lab, seen, own, wanted, layout()))


def test_the_shade_of_what_hides_the_rest_of_a_face_is_not_taken_along():
    everywhere, same = jnp.ones((64, 64)), jnp.ones((64, 64)).at[HIDDEN].set(0.0)
    trust = _trust_at_end(0.8, everywhere)
    assert trust[40, 42:44].max() < 0.1
    assert trust[40, :37].min() > 0.99
    assert _trust_at_end(1.0, everywhere).min() > 0.99  # as light as the other face's
    assert _trust_at_end(0.8, same).min() == 1.0  # the other face is hidden there, too


def test_what_hides_a_nose_ends_no_face_and_a_fringe_does():
    everywhere = jnp.ones((64, 64))
    forehead = int(np.argmax(np.asarray(layout().region("forehead"))[:, 32] > 0.5)) + 4
    assert _trust_at_end(0.8, everywhere, np.s_[36:44, 30:34]).min() > 0.9
    assert _trust_at_end(0.8, everywhere, np.s_[:forehead])[forehead, 28:36].max() < 0.2


def test_what_is_no_skin_is_in_nobody_s_shade():
    eyes = np.asarray(layout().region("eyes")) > 0.99
    assert _trust_at_end(0.5, jnp.ones((64, 64)))[eyes].min() > 0.99


def test_a_swap_leaves_a_shade_at_the_end_of_a_face_off_unless_it_takes_all_colours():
    photo, face = toy_photo(2)
    hidden = jnp.ones((64, 64)).at[HIDDEN].set(0.0)
    shaded = face.texture.at[:, 40:44].multiply(0.6)
    reference = dataclasses.replace(face, texture=shaded, visibility=face.visibility * hidden)
    matched, plain = (
        np.asarray(_plan(toy_photo(1), (photo, reference), color=color).direct)
        for color in ("light", "none")
    )
    end = np.s_[30:46, 41:43]
    assert matched[end].max() < 0.9 and plain[end].min() > 0.5
    assert (plain - matched)[end].mean() > 0.3


def test_a_beard_in_the_shade_of_hair_is_still_a_beard():
    def side(plain):
        single, zero = jnp.ones((64, 64)), jnp.zeros(())
        return Side(
            lab=lab,
            seen=single.at[:, 44:].set(0.0),
            plain=plain * single,
            among=0.0 * single,
            white=0.0 * single,
            facing=single,
            normal=jnp.zeros((64, 64, 3)),
            paleness=zero,
            harshness=zero,
            profile=zero,
        )

    lab = lab_from_rgb(_skin_texture())
    target = dataclasses.replace(side(1.0), seen=jnp.ones((64, 64)))
    skin, beard = (side(p).without_shade_at_end(0.8 * lab, target, layout()) for p in (1.0, 0.0))
    assert skin.seen[40, 42:44].max() < 0.1
    np.testing.assert_array_equal(beard.seen, side(0.0).seen)


def _plan(target, reference, **settings):
    masks = EditMasks(
        mask=layout().mask,
        keep=jnp.zeros((64, 64)),
        skin=layout().region("skin"),
        strength=jnp.ones(()),
    )
    source = source_for(reference, target[1], np.asarray(masks.mask), layout(), side=128)
    return plan_edit(target[1], source, masks, layout(), config=PlanConfig(**settings)).layers


def test_a_lamp_at_the_reference_s_side_makes_folds_of_its_cheek_shadows():
    """What `light_harshness` finds in the source's colours is what the plan judges by."""
    image, face = toy_photo(2)
    side = jnp.broadcast_to(jnp.linspace(-1.0, 1.0, 64), (64, 64))[..., None]
    flat = jnp.broadcast_to(jnp.array([0.6, 0.45, 0.38], jnp.float32), (64, 64, 3))
    fold = flat.at[34:40, 17:19].multiply(0.78)
    shares = []
    for lamp in (0.0, 0.4):
        lit = dataclasses.replace(face, texture=fold * (1.0 + lamp * side))
        shares.append(float(_plan(toy_photo(1), (image, lit), complete="none").direct[37, 18]))
    assert shares[0] > 0.9 and shares[1] < 0.3


@pytest.fixture(scope="module")
def framed():
    """A target that a bar of two texels crosses, of which the network knows."""
    image, face = toy_photo(1)
    bar = np.s_[30:32, 8:56]
    return image, dataclasses.replace(face, visibility=face.visibility.at[bar].set(0.0)), bar


def test_references_of_all_sizes_share_one_program():
    image, face = toy_photo(2)
    _plan(toy_photo(1), (image, face))
    compiled = []

    def note(event, _, **told):
        if event.endswith("backend_compile_duration"):
            compiled.append(told)

    large = np.repeat(np.repeat(image, 8, axis=0), 8, axis=1)
    wide = dataclasses.replace(face, position_map=8.0 * face.position_map + 3.5)
    camera = dataclasses.replace(face.camera, scale=8.0 * face.camera.scale)
    target, mask = toy_photo(1)[1], np.asarray(layout().mask)
    masks = EditMasks(
        mask=layout().mask, keep=layout().mask, skin=layout().mask, strength=jnp.ones(())
    )
    given = (large, dataclasses.replace(wide, camera=camera))
    source = source_for(given, dataclasses.replace(target, camera=camera), mask, layout(), side=128)
    assert source.image.shape[0] > 512
    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        plan_edit(target, source, masks, layout(), config=PlanConfig())
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
    assert not compiled


def test_a_narrow_thing_before_the_target_stays_on_top(framed):
    image, face, bar = framed
    mask = np.asarray(_plan((image, face), toy_photo(2)).mask)
    assert mask[bar].max() < 0.3
    assert mask[20:26, 20:44].min() > 0.9


def test_without_occlusion_it_is_swapped_over(framed):
    image, face, bar = framed
    mask = np.asarray(_plan((image, face), toy_photo(2), occlusion=False).mask)
    assert mask[bar][:, 14:34].min() > 0.9


def test_a_narrow_thing_before_the_reference_is_not_taken_along(framed):
    image, face, bar = framed
    layers = _plan(toy_photo(2), (image, face))
    assert np.asarray(layers.direct)[bar].max() < 0.3
    nothing = _plan(toy_photo(2), (image, face), complete="none")
    np.testing.assert_array_equal(nothing.mirrored + nothing.filled, 0.0)


@pytest.mark.parametrize("yaw", [0.0, 50.0])
def test_a_face_put_back_is_read_from_itself_whatever_is_odd_about_it(yaw):
    image, face = toy_photo(1, yaw)
    odd = dataclasses.replace(face, texture=face.texture.at[SPOT].set(0.02))
    layers = _plan((image, odd), (image, odd))
    assert np.asarray(layers.direct)[np.asarray(layers.mask) > 0.02].min() > 0.95


def test_hidden_corners_of_the_mouth_are_left_and_hidden_lips_are_filled():
    """Filled with the colour of lips, the crease there would be scribbles."""
    image, face = toy_photo(2)
    corners = [np.s_[44:49, 22:28], np.s_[44:49, 36:42]]
    lips = np.s_[44:49, 29:35]
    visibility = face.visibility
    for place in [*corners, lips]:
        visibility = visibility.at[place].set(0.0)
    layers = _plan(toy_photo(1), (image, dataclasses.replace(face, visibility=visibility)))
    filled = np.asarray(layers.filled)
    assert filled[46, [25, 38]].max() < 0.05
    assert filled[46, 31:33].min() > 0.8


def test_hidden_lips_are_left_where_nothing_is_known_of_them():
    """Behind a surgical mask, or where the photo shows nothing of the face at all."""
    image, face = toy_photo(2)
    for hidden in (np.s_[34:], np.s_[:]):
        covered = dataclasses.replace(face, visibility=face.visibility.at[hidden].set(0.0))
        layers = _plan(toy_photo(1), (image, covered))
        lips = np.s_[42:47, 26:38]
        known = layers.direct + layers.mirrored + layers.filled
        assert np.asarray(known)[lips].max() < 0.05


def test_nothing_is_filled_from_lines():
    image, face = toy_photo(2)
    lines = jnp.zeros((64, 64)).at[20:22].set(1.0).at[40:42].set(1.0)
    slivers = dataclasses.replace(face, visibility=lines * face.visibility)
    assert float(_plan(toy_photo(1), (image, slivers), complete="fill").filled.max()) == 0.0


def _lit(texture):
    return np.asarray(lit_trust(lab_from_rgb(texture), jnp.ones((64, 64)), layout()))


LEFT, RIGHT = np.s_[8:56, 8:28], np.s_[8:56, 36:56]


def test_the_black_half_of_a_face_lit_from_one_side_is_not_trusted():
    trust = _lit(_skin_texture().at[:, 32:].multiply(0.03))
    assert trust[RIGHT].max() < 0.1
    assert trust[LEFT].min() > 0.95


def test_the_half_light_beside_a_black_half_is_not_trusted():
    """It would be a streak; where no half is black, shading of that kind is."""
    penumbra = _skin_texture().at[:, 22:32].multiply(0.4)
    assert _lit(penumbra.at[:, 32:].multiply(0.03))[8:56, 27:31].max() < 0.5
    assert _lit(penumbra).min() > 0.95


@pytest.mark.parametrize("brightness", [1.0, 0.4, 0.1])
def test_a_half_in_soft_shadow_is_trusted_however_dark_the_skin(brightness):
    assert _lit(brightness * _skin_texture().at[:, 32:].multiply(0.5)).min() > 0.95


def test_a_black_beard_is_trusted():
    """Also where one side reaches a little further up."""
    beard = _skin_texture().at[40:].set(0.01).at[37:40, 32:].set(0.01)
    assert _lit(beard).min() > 0.95


def test_a_profile_does_not_tell_where_its_light_is():
    """Of its other side a strip along the middle is seen, in the shadow of the nose."""
    texture = _skin_texture().at[:, 32:].multiply(0.03)
    seen = jnp.ones((64, 64)).at[:, 36:].set(0.0)
    trust = np.asarray(lit_trust(lab_from_rgb(texture), seen, layout()))
    assert trust[seen > 0.5].min() > 0.9


def test_the_lit_half_of_a_reference_stands_in_for_its_black_one():
    image, face = toy_photo(2)
    black = dataclasses.replace(face, texture=face.texture.at[:, 32:].multiply(0.03))
    target = toy_photo(1)
    whole, half = (_plan(target, (image, shown)) for shown in (face, black))
    assert np.asarray(whole.mirrored)[RIGHT].max() < 0.05
    # Above the mouth: beside it, skin as red as the toy's random lips counts as lips, and its
    # corners are the target's.
    assert np.asarray(half.mirrored)[20:40, 40:52].min() > 0.9
