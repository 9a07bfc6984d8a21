"""Which of several faces is changed, and that all others stay as they are."""

import dataclasses
import html
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from toy_faces import SIZE, toy_photo
from toy_models import GROUP, ToyModel, toy_group

from uvface.core.errors import AssetError, InputError
from uvface.core.io.images import Photo, write_image
from uvface.core.io.sidecar import read_sidecar
from uvface.editing.finder import FaceFinder, Selection
from uvface.editing.photos import edit
from uvface.editing.texture import texture
from uvface.faceswap.photos import swap
from uvface.faceswap.report import report_page


def changed_faces(result, image):
    """Return which thirds of a group differ from the photo at all."""
    difference = np.abs(result.image - image).max(axis=(0, 2))
    return [i for i in range(3) if difference[i * SIZE : (i + 1) * SIZE].any()]


class ToneRecognizer:
    """Recognises the toy faces by their tone."""

    def __init__(self, path=None):
        self.path = path

    def embed(self, image, landmarks):
        x = int(landmarks[30, 0]) + SIZE // 2
        tone = image[40:80, x - 20 : x + 20].mean(axis=(0, 1)) - 0.4
        return tone / np.linalg.norm(tone)


def test_pictures_of_pillow_and_names_as_a_text_are_understood(model):
    """The picture is the array's 8 bits: the same pixels give the same swap and the same edit."""
    photos = [np.rint(toy_photo(seed)[0] * 255).astype(np.uint8) for seed in (1, 2)]
    pictures = [Image.fromarray(photo) for photo in photos]
    expected = swap(*photos, model=model, keep=["nose"]).image
    np.testing.assert_array_equal(swap(*pictures, model=model, keep="nose").image, expected)
    mapped = swap(pictures[0], model=model, mapping={0: pictures[1]}, keep=("nose",))
    np.testing.assert_array_equal(mapped.image, expected)
    blank = Image.new("L", pictures[0].size)
    kept = swap(*pictures, model=model, keep="nose", mask=blank).image
    np.testing.assert_array_equal(kept, photos[0] / np.float32(255))
    edits = [
        edit(pictures[0], model=model, regions=regions, reference=pictures[1])
        for regions in ("nose, chin", ["nose", "chin"])
    ]
    np.testing.assert_array_equal(edits[0].image, edits[1].image)
    assert edits[0].settings == edits[1].settings and edits[0].settings["regions"][1] == "chin"


def test_what_makes_a_face_hard_to_read_is_told(tmp_path):
    """A tiny face and one partly outside, as reconstruct warns of them; also of a chosen one."""
    image, face = toy_photo(1)
    tiny = dataclasses.replace(face, box=jnp.array([40.0, 40.0, 70.0, 70.0]))
    other, shifted = toy_photo(2, shift=(50.0, 0.0))
    model = ToyModel(turned=[(other, shifted)])
    object.__setattr__(model, "known", [(image, [tiny]), *model.known[1:]])
    target, reference = tmp_path / "a.png", tmp_path / "b.png"
    write_image(target, image)
    write_image(reference, other)
    small = "the face is only 30 pixels wide; its details are guessed"
    for chosen in ({"reference": reference}, {"mapping": {"left": reference}}):
        result = swap(target, model=model, keep=(), **chosen)
        assert f"target a.png: {small}" in result.all_warnings
        (outside,) = [line for line in result.all_warnings if "outside the photo" in line]
        assert outside.startswith("reference b.png: ")
        assert result.record("out.png")["warnings"] == list(result.all_warnings)
        assert html.escape(outside) in report_page(result, output="out.png")
    edited = edit(image, model=model, regions="nose", recolor="#a01830")
    assert f"the photo: {small}" in edited.warnings
    fused, warnings = texture([reference, toy_photo(3)[0]], model=model, size=64)
    assert outside in warnings and len(fused.sources) == 2


@pytest.mark.parametrize(("given", "told"), [("off", False), ("on", True), (False, False)])
def test_occlusion_takes_the_words_of_the_command(model, given, told):
    result = swap(toy_photo(1)[0], toy_photo(2)[0], model=model, keep=(), occlusion=given)
    assert result.config.occlusion is told and result.settings["occlusion"] is told


def test_a_mask_of_weights_says_what_may_change(model):
    image, mask = toy_photo(1)[0], np.zeros((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 1.0
    result = swap(image, toy_photo(2)[0], model=model, keep=(), mask=mask)
    changed = (result.image != image).any(axis=(0, 2))
    assert changed[: SIZE // 2].any() and not changed[SIZE // 2 :].any()


def test_a_mask_that_leaves_nothing_to_change_is_warned_of(model):
    image, mask = toy_photo(1)[0], np.zeros((SIZE, SIZE), np.float32)
    mask[0] = 1.0
    given = (image, toy_photo(2)[0])
    masked = swap(*given, model=model, keep=(), mask=mask)
    assert "the mask leaves nothing" in " ".join(masked.all_warnings)
    for strength in (1.0, 0.0):
        free = swap(*given, model=model, keep=(), mask=np.ones_like(mask), strength=strength)
        assert "the mask leaves nothing" not in " ".join(free.all_warnings)
    assert (free.image == image).all()  # for its strength, not for the mask


def test_each_face_that_a_mask_leaves_as_it_was_is_warned_of(model):
    """Of several, one that changed silenced the warning."""
    image, _ = toy_group(GROUP)
    mask = np.zeros(image.shape[:2], np.float32)
    mask[:, SIZE : 2 * SIZE] = 1.0
    result = swap(image, toy_photo(3)[0], model=model, keep=(), mask=mask, faces="all")
    assert changed_faces(result, image) == [1]
    told = [line for line in result.all_warnings if "the mask leaves nothing" in line]
    assert [line.split(":")[0] for line in told] == ["face 0", "face 2"]


def test_keep_none_keeps_nothing_as_in_the_command(model):
    result = swap(toy_photo(1)[0], toy_photo(2)[0], model=model, keep="none")
    assert result.config.keep == () and result.settings["keep"] == []


def test_the_model_may_be_left_out(model, monkeypatch):
    """As for reconstruct and augment; an edit ended in an AttributeError."""
    monkeypatch.setattr("uvface.core.reconstruct.load", lambda: model)
    image, other = toy_photo(1)[0], toy_photo(2)[0]
    swapped, edited = swap(image, other, keep=()), edit(image, regions="nose", recolor="#a01830")
    assert swapped.settings["weights"] == edited.settings["weights"] == "toy"
    assert texture(other, size=64)[0].texture.shape == (64, 64, 3)


@pytest.fixture
def recognizer(monkeypatch, tmp_path):
    monkeypatch.setattr("uvface.editing.finder.Recognizer", ToneRecognizer)
    monkeypatch.setattr("uvface.core.detection.recognition.CACHE", tmp_path)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "w600k_tone.onnx").write_bytes(b"a network")


@pytest.mark.parametrize(
    ("faces", "expected"),
    [(0, [0]), (2, [2]), ("left", [0]), ("centre", [1]), ("right", [2]), ("all", [0, 1, 2])],
)
def test_only_the_chosen_faces_change(model, faces, expected):
    image, _ = toy_group(GROUP)
    result = swap(image, toy_photo(3)[0], model=model, faces=faces, keep=())
    assert changed_faces(result, image) == expected


def test_a_map_puts_another_face_on_each(model):
    image, faces = toy_group(GROUP)
    mapping = {2: toy_photo(2)[0], "left": toy_photo(3)[0]}
    result = swap(image, model=model, mapping=mapping, keep=())
    assert changed_faces(result, image) == [0, 2]
    one = swap(image, toy_photo(3)[0], model=model, faces=0, keep=())
    other = swap(image, toy_photo(2)[0], model=model, faces=2, keep=())
    assert (result.image[:, :SIZE] == one.image[:, :SIZE]).all()
    assert (result.image[:, 2 * SIZE :] == other.image[:, 2 * SIZE :]).all()
    assert [face is faces[i] for face, i in zip(result.faces, (2, 0), strict=True)] == [True, True]


def test_of_two_photos_the_message_says_which_has_no_such_face(model):
    image, _ = toy_group(GROUP)
    other = toy_photo(3)[0]
    with pytest.raises(InputError, match=r"no face 7: the photo has 3.* \(the target\)"):
        swap(image, other, model=model, faces=7)
    with pytest.raises(InputError, match=r"no face 2: the photo has 1.* \(the reference\)"):
        swap(image, other, model=model, reference_face=2)


def test_maps_that_do_not_name_one_face_each_are_input_errors(model):
    image, _ = toy_group(GROUP)
    other = toy_photo(3)[0]
    with pytest.raises(InputError, match=r"face .left. is chosen twice: number 0 .*\(the target\)"):
        swap(image, model=model, mapping={0: other, "left": other})
    with pytest.raises(InputError, match=r"no face 3: .*\(the target\)"):
        swap(image, model=model, mapping={3: other})
    named = Photo(image=image, path=Path("group.jpg"))
    with pytest.raises(InputError, match=r"no face 7: .*\(group\.jpg\)"):
        swap(named, model=model, mapping={7: other})
    with pytest.raises(InputError, match="neither a reference nor a map"):
        swap(image, model=model)
    with pytest.raises(InputError, match=r"mapping \{\}; need face -> photo"):
        swap(image, model=model, mapping={})
    with pytest.raises(InputError, match="both a reference"):
        swap(image, other, model=model, mapping={0: other})


def test_a_reference_is_one_face_and_a_map_chooses_alone(model):
    image, other = toy_group(GROUP)[0], toy_photo(3)[0]
    with pytest.raises(InputError, match="a reference is one face"):
        swap(other, image, model=model, reference_face="all")
    with pytest.raises(InputError, match="a reference is one face"):
        texture(image, model=model, faces="all")
    with pytest.raises(InputError, match="a choice of faces"):
        swap(image, model=model, mapping={0: other}, faces="all")


def test_a_face_file_has_no_other_face_to_choose(model, recognizer, tmp_path):
    """A number and a likeness were passed over; a word names its only face."""
    image, file = toy_photo(1)[0], tmp_path / "anna.uvface"
    texture(toy_photo(2)[0], model=model, size=64)[0].save(file)
    with pytest.raises(InputError, match=r"no face 7: .*anna\.uvface holds one, number 0"):
        swap(image, file, model=model, reference_face=7)
    with pytest.raises(InputError, match=r"anna\.uvface and a face to be like"):
        swap(image, file, model=model, reference_like=toy_photo(2)[0])
    finder = FaceFinder(model)
    for faces in ("left", "largest", 0):
        assert finder.reference([file], Selection(faces=faces)).photos == (file,)


@pytest.mark.parametrize("chosen", [{"reference_face": "left"}, {"reference_like": "a.jpg"}])
def test_an_edit_without_a_reference_takes_no_choice_of_its_face(model, chosen):
    with pytest.raises(InputError, match="no reference given"):
        edit(toy_photo(1)[0], model=model, regions="nose", recolor="#a01830", **chosen)


def test_likeness_chooses_the_target_and_the_reference(model, recognizer):
    image, faces = toy_group(GROUP)
    result = swap(image, toy_photo(3)[0], model=model, like=toy_photo(4)[0], keep=())
    wanted = ToneRecognizer().embed(*[toy_photo(4)[0], np.zeros((68, 3))])
    likeness = [ToneRecognizer().embed(image, np.asarray(f.landmarks)) @ wanted for f in faces]
    assert changed_faces(result, image) == [int(np.argmax(likeness))] == [2]
    taken = swap(toy_photo(3)[0], image, model=model, reference_like=toy_photo(4)[0], keep=())
    same = swap(toy_photo(3)[0], image, model=model, reference_face=2, keep=())
    assert (taken.image == same.image).all()
    assert result.settings["faces_like"] == ""
    assert result.settings["recognition"] == taken.settings["recognition"] == "w600k_tone.onnx"
    assert "recognition" not in same.settings
    edited = edit(image, model=model, regions=["lips"], recolor="#a01830", like=toy_photo(4)[0])
    assert edited.settings["recognition"] == "w600k_tone.onnx"


def test_the_network_of_likeness_is_told_by_its_content(model, recognizer, tmp_path):
    """Another one of the same name chose other faces, and pictures of before were kept."""
    given = {"model": model, "regions": ["lips"], "recolor": "#a01830", "like": toy_photo(4)[0]}
    image, _ = toy_group(GROUP)
    first, same = (edit(image, **given).settings["recognition_sha256"] for _ in range(2))
    (tmp_path / "pack" / "w600k_tone.onnx").write_bytes(b"another network")
    assert edit(image, **given).settings["recognition_sha256"] != first == same


@pytest.mark.parametrize("is_map", [False, True])
def test_numbers_of_faces_may_be_numpy_s(model, tmp_path, is_map):
    """They ended in a TypeError where they were written down."""
    image, other, number = toy_group(GROUP)[0], toy_photo(3)[0], np.int64(1)
    how = {"mapping": {number: other}} if is_map else {"reference": other, "faces": number}
    result = swap(image, model=model, keep=(), **how)
    result.save(tmp_path / "out.png")
    assert changed_faces(result, image) == [1]
    assert read_sidecar(tmp_path / "out.png")["faces"][0]["face"] == 1


def test_faces_of_a_map_keep_their_numbers(tmp_path):
    """Warnings, numbers and the report count from the left, in whatever order the map is."""
    image, found = toy_group(GROUP)
    tiny = [
        dataclasses.replace(face, box=jnp.array([x, 40.0, x + 30.0, 70.0]))
        for face, x in zip(found, (40.0, 160.0, 280.0), strict=True)
    ]
    model = ToyModel()
    model.known.append((image, tiny))
    other = toy_photo(3)[0]
    result = swap(image, model=model, keep=(), mapping={2: other, 0: other})
    small = "the face is only 30 pixels wide; its details are guessed"
    assert [line for line in result.warnings if small in line] == [
        f"the target, face {i}: {small}" for i in (2, 0)
    ]
    assert [face["face"] for face in result.record("out.png")["faces"]] == [2, 0]
    page = report_page(result, output="out.png")
    assert page.index("<h2>Face 2</h2>") < page.index("<h2>Face 0</h2>")
    assert "Face 1<" not in page


def test_faces_are_counted_from_zero(model):
    with pytest.raises(InputError, match="face -1; faces are counted from the left, from 0"):
        swap(toy_photo(1)[0], toy_photo(2)[0], model=model, faces=-1)


def test_a_face_that_is_not_alike_is_warned_of(model, recognizer, monkeypatch):
    monkeypatch.setattr("uvface.editing.finder.LEAST_LIKENESS", 1.1)
    image, other = toy_group(GROUP)[0], toy_photo(3)[0]
    result = swap(image, other, model=model, like=toy_photo(4)[0], keep=())
    assert any("much like" in line for line in result.warnings)


def test_photos_that_do_not_show_the_person_are_left_out_of_a_face(model, recognizer, monkeypatch):
    """A stranger of a group photo was mixed in, if the person is not there."""
    (image, _), alike, other = toy_group(GROUP), toy_photo(4)[0], toy_photo(3)[0]
    finder = FaceFinder(model)
    selection = Selection(like=alike)
    for least, used in ((0.999, [image, alike]), (-1.0, [image, other, alike])):
        monkeypatch.setattr("uvface.editing.finder.LEAST_LIKENESS", least)
        found = finder.fuse([image, other, alike], selection, size=64)
        assert [photo.image.shape for photo in found.photos] == [one.shape for one in used]
        assert len(found.left_out) == 3 - len(used)
        assert any("left out: no face" in line for line in found.warnings) == (len(used) < 3)
    monkeypatch.setattr("uvface.editing.finder.LEAST_LIKENESS", 1.1)
    found = finder.fuse([other, alike], selection, size=64)
    assert len(found.photos) == len(found.left_out) == 1
    np.testing.assert_array_equal(found.photos[0].image, alike)
    assert "the likest is taken" in found.warnings[0]


def test_likeness_without_a_network_says_what_to_install(model, monkeypatch, tmp_path):
    monkeypatch.setattr("uvface.core.detection.recognition.CACHE", tmp_path)
    with pytest.raises(AssetError, match=r"--recognition FILE\.onnx"):
        swap(toy_group(GROUP)[0], toy_photo(3)[0], model=model, like=toy_photo(1)[0])
    for faces in (1, "left", "all"):
        with pytest.raises(InputError, match="one of the two"):
            swap(toy_photo(1)[0], toy_photo(3)[0], model=model, like=toy_photo(1)[0], faces=faces)


def test_references_are_reconstructed_once(tmp_path):
    model = ToyModel()
    finder = FaceFinder(model)
    write_image(tmp_path / "a.png", toy_photo(1)[0])
    first = finder.reference([tmp_path / "a.png"], Selection())
    assert finder.reference([tmp_path / "a.png"], Selection()) is first
    assert len(model.calls) == 1
    finder.reference([tmp_path / "a.png"], Selection(faces="left"))
    assert len(model.calls) == 2


def test_the_photo_of_a_person_is_read_once(tmp_path, recognizer):
    """Of a batch it was read and reconstructed again for every target."""
    model, like = ToyModel(), tmp_path / "like.png"
    write_image(like, toy_photo(4)[0])
    finder = FaceFinder(model)
    for seed in (1, 2, 3):
        finder.faces(Photo(image=toy_photo(seed)[0]), Selection(like=like))
    finder.faces(Photo(image=toy_photo(1)[0]), Selection(like=str(like)))
    assert len(model.calls) == 5  # four photos, and the person once


def test_edits_choose_by_likeness_too(model, recognizer, tmp_path):
    """The photo of the person is told of, and is not written over."""
    image, like = toy_group(GROUP)[0], tmp_path / "like.png"
    write_image(like, toy_photo(4)[0])
    result = edit(image, model=model, regions=["nose"], recolor="#803020", like=like)
    assert changed_faces(result, image) == [2]
    assert result.settings["faces"] == "largest" and result.settings["faces_like"] == str(like)
    assert result.settings["weights"] == "toy"
    assert result.settings["detector"] == "toy detector"
    result.save(tmp_path / "out.png")
    inputs = read_sidecar(tmp_path / "out.png")["inputs"]
    assert ("like 0", str(like)) in [(one["role"], one["path"]) for one in inputs]
    before = like.read_bytes()
    with pytest.raises(InputError, match="would overwrite an input"):
        result.save(like)
    assert like.read_bytes() == before
