"""Make-up in edits of photos: its place among other steps, several faces, folders, alpha."""

import cv2
import numpy as np
from toy_faces import SIZE, layout, toy_photo
from toy_models import COUPLE, ToyModel, toy_group

from uvface.core.io.images import read_photo, write_image
from uvface.editing.finder import FaceFinder
from uvface.editing.many import edit_many
from uvface.editing.output_names import outputs_in
from uvface.editing.photos import edit
from uvface.editing.request import edit_request

MAKEUP = {"lipstick": [0.8, "crimson"], "blush": 1.0, "contour": 1.0}


class StillModel(ToyModel):
    """Finds the face of the first toy photo, whatever the picture shows."""

    def reconstruct_numbered(self, photo, *, boxes=None, faces="all"):
        return {0: toy_photo(1)[1]}


def test_edits_make_up_after_retouches_and_before_shapes():
    steps = {
        "retouch": {"retouch": "skin=1,spots=1,tone=1"},
        "makeup": {"makeup": MAKEUP},
        "reshape": {"reshape": "face_width=1"},
    }
    photo, model = toy_photo(1)[0], StillModel()

    def one_by_one(*names):
        image = photo
        for name in names:
            image = edit(image, model=model, **steps[name]).image
        return image

    together = edit(photo, model=model, **{k: v for one in steps.values() for k, v in one.items()})
    assert together.operation == "edit skin, spots, tone, lipstick, blush, contour, face_width"
    again = one_by_one("retouch", "makeup", "reshape")
    assert np.abs(again - photo).max() > 0.1
    apart = np.abs(again - together.image).max()
    for other in (("makeup", "retouch", "reshape"), ("retouch", "reshape", "makeup")):
        difference = np.abs(one_by_one(*other) - together.image).max()
        assert difference > 0.02 and difference > 5.0 * apart


def test_all_faces_are_made_up_and_none_but_those_chosen(model):
    image, _ = toy_group(COUPLE)
    halves = np.s_[:, :SIZE], np.s_[:, SIZE:]
    for faces, made_up in (("all", (True, True)), (1, (False, True))):
        result = edit(image, model=model, makeup=MAKEUP, faces=faces)
        changes = [np.abs(result.image - image)[half].max() for half in halves]
        assert [change > 0.05 for change in changes] == list(made_up)
        assert [change == 0.0 for change in changes] == [not one for one in made_up]


def test_a_folder_is_made_up_and_kept_until_the_make_up_changes(model, tmp_path):
    photos = [tmp_path / "photos" / f"{seed}.png" for seed in (1, 3)]
    for path, seed in zip(photos, (1, 3), strict=True):
        write_image(path, toy_photo(seed)[0])
    outputs = outputs_in(tmp_path / "out", photos)

    def statuses(makeup):
        request = edit_request(layout(), makeup=makeup)
        many = edit_many(photos, outputs, request, finder=FaceFinder(model), skip_existing=True)
        return [item.status for item in many]

    for makeup, status in (
        ("blush=0.5", "done"),
        ("blush=0.5", "kept"),
        ("blush=0.5:crimson", "done"),
        ({"blush": (0.5, "crimson")}, "kept"),
        ("blush=0.6:crimson", "done"),
    ):
        assert statuses(makeup) == [status, status]
    alone = edit(photos[0], model=model, makeup="blush=0.6:crimson")
    np.testing.assert_allclose(read_photo(outputs[0]).image, alone.image, atol=0.5 / 255 + 1e-6)


def test_alpha_and_sixteen_bits_survive_make_up(model, tmp_path):
    image = np.rint(toy_photo(1)[0] * 65535).astype(np.uint16)
    alpha = np.linspace(0, 65535, SIZE).astype(np.uint16) * np.ones((SIZE, 1), np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), np.dstack([image[..., ::-1], alpha]))
    edit(tmp_path / "deep.png", model=model, makeup=MAKEUP).save(tmp_path / "out.png")
    written = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert written.dtype == np.uint16 and (written[..., 3] == alpha).all()
    change = np.abs(written[..., 2::-1].astype(int) - image)
    assert change.max() > 2000
    assert (change.max(axis=-1) == 0).mean() > 0.3  # to the last of 16 bits
