import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from uvface.core.errors import InputError
from uvface.core.io.boxes import _as_list, as_boxes, read_boxes, require_boxes

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(20, 300, (68, 3)).round(3)
ANNA, BEN = Path("photos/anna.jpg"), Path("photos/ben.jpg")
BOX = [*POINTS[:, :2].min(axis=0), *POINTS[:, :2].max(axis=0)]


def _write(folder, suffix, stem="anna"):
    path = folder / f"{stem}{suffix}"
    if suffix == ".mat":
        savemat(path, {"pt3d_68": POINTS.T})
    elif suffix == ".pts":
        rows = "\n".join(f"{x + 1} {y + 1}" for x, y, _ in POINTS)
        path.write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    elif suffix == ".json":
        path.write_text(json.dumps({"faces": [{"landmarks": POINTS.tolist()}] * 2}))
    else:
        np.savetxt(path, POINTS, fmt="%.3f")
    return path


@pytest.mark.parametrize("suffix", [".mat", ".pts", ".txt", "_kpt.txt", ".json"])
def test_landmark_files_of_others_give_boxes(tmp_path, suffix):
    _write(tmp_path, suffix)
    boxes = read_boxes(tmp_path, [ANNA, BEN])
    assert boxes.is_given(ANNA) and not boxes.is_given(BEN)
    np.testing.assert_allclose(boxes.get(ANNA), [BOX] * (2 if suffix == ".json" else 1), atol=1e-3)


def test_of_several_files_the_one_with_all_faces_is_taken(tmp_path):
    for suffix in ("_kpt.txt", ".json", ".pts"):
        _write(tmp_path, suffix)
    assert len(read_boxes(tmp_path, [ANNA]).get(ANNA)) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("anna.txt", "not numbers at all"),
        ("anna.txt", "1 2\n3 4\n"),
        ("anna.txt", "1 2 3 4\n" * 68),
        ("anna.txt", "nan 1\n" * 68),
        ("anna.pts", "version: 1"),
        ("anna.mat", "no matrix"),
        ("anna.json", '{"faces": [{}]}'),
        ("anna.json", "[]"),
    ],
)
def test_bad_landmark_file_is_one_line_when_it_is_needed(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    read_boxes(tmp_path, [])  # of no photo here
    boxes = read_boxes(tmp_path, [ANNA])
    with pytest.raises(InputError, match=r"anna\.") as caught:
        boxes.get(ANNA)
    assert "\n" not in str(caught.value)


def test_boxes_saved_on_windows_are_read(tmp_path):
    """Editors there write a mark before the text."""
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"anna": [[1, 2, 3, 4]]}), encoding="utf-8-sig")
    assert read_boxes(path, [ANNA]).get(ANNA) == [[1.0, 2.0, 3.0, 4.0]]


def test_boxes_nested_too_deeply_are_one_line(tmp_path):
    (tmp_path / "boxes.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="is not JSON"):
        read_boxes(tmp_path / "boxes.json", [ANNA])


def test_folder_without_landmark_files(tmp_path):
    with pytest.raises(InputError, match=r"holds no landmarks of anna\.jpg"):
        read_boxes(tmp_path, [ANNA])


def test_a_truncated_mat_file_is_one_line(tmp_path):
    path = tmp_path / "anna.mat"
    savemat(path, {"pt3d_68": np.ones((3, 68))})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot read landmarks"):
        read_boxes(tmp_path, [ANNA]).get(ANNA)


def test_a_damaged_file_or_entry_costs_its_own_photo_only(tmp_path):
    _write(tmp_path, ".txt", stem="ben")
    (tmp_path / "anna.json").write_text('{"faces": ')
    listed = tmp_path / "boxes.json"
    listed.write_text('{"anna": [["a", 2, 3, 4]], "ben.jpg": [[1, 2, 3, 4]]}')
    for path in (tmp_path, listed):
        boxes = read_boxes(path, [ANNA, BEN])
        assert boxes.is_given(ANNA) and len(boxes.get(BEN)[0]) == 4
        with pytest.raises(InputError, match="anna"):
            boxes.get(ANNA)  # not the default: the photo is not to be detected instead


def _as_mapping(path, content, photos):
    return as_boxes(content)


def _as_file(path, content, photos):
    path.write_text(json.dumps(content))
    return read_boxes(path, photos)


@pytest.mark.parametrize("give", [_as_mapping, _as_file])
def test_boxes_are_found_by_file_name_and_then_by_stem(tmp_path, give):
    """Photos that differ by their suffix only keep boxes of their own."""
    one, two, three = [[1.0, 2.0, 3.0, 4.0]], [[5.0, 6.0, 7.0, 8.0]], [[0.0, 0.0, 9.0, 9.0]]
    names = ["a.jpg", "a.png", "a.tif", "b.1.jpg", "c.jpg", "target"]
    content = {"a.png": two, "a.jpg": one, "a": three, "b.1": two, "target": one}
    boxes = give(tmp_path / "boxes.json", content, [Path("some", name) for name in names])
    assert [boxes.get(name) for name in names] == [one, two, three, two, None, one]
    assert boxes.get(Path("elsewhere/a.png")) == two


@pytest.mark.parametrize("give", [_as_mapping, _as_file])
def test_boxes_are_found_by_path_first(tmp_path, give):
    """Photos of one name in two folders had to share their boxes; full paths were refused."""
    one, two, three = [[1.0, 2.0, 3.0, 4.0]], [[5.0, 6.0, 7.0, 8.0]], [[0.0, 0.0, 9.0, 9.0]]
    content = {"a/x.jpg": one, "./b/x.jpg": two, "x.jpg": three}
    photos = [Path("a/x.jpg"), Path("b/x.jpg"), Path("c/x.jpg")]
    boxes = give(tmp_path / "boxes.json", content, photos)
    assert [boxes.get(photo) for photo in photos] == [one, two, three]
    require_boxes(give(tmp_path / "boxes.json", {"a/x.jpg": one}, photos), photos)
    require_boxes(as_boxes({Path("b/x.jpg"): two}), photos)


@pytest.mark.parametrize("give", [_as_mapping, _as_file])
def test_boxes_of_one_path_that_is_spelt_in_two_ways_are_refused(tmp_path, give):
    """The later ones counted, without a word."""
    content = {"a/x.jpg": [[1, 2, 3, 4]], "./a/x.jpg": [[5, 6, 7, 8]], "y.jpg": [[0, 0, 9, 9]]}
    boxes = give(tmp_path / "boxes.json", content, [Path("a/x.jpg"), Path("y.jpg")])
    with pytest.raises(InputError, match=r"'a/x\.jpg' are given twice; leave out one"):
        boxes.get("a/x.jpg")
    assert boxes.get("y.jpg") == [[0, 0, 9, 9]]


def test_a_file_without_boxes_of_the_photos_is_refused(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text('{"anna.1": [[1, 2, 3, 4]], "anna.png": []}')
    with pytest.raises(InputError, match=r"boxes\.json holds no boxes of anna\.jpg; need"):
        read_boxes(path, [ANNA])


def test_boxes_may_be_an_array():
    """As of a detector of one's own, which may have found none."""
    for boxes in (np.array([]), np.zeros((0, 4)), np.ones((2, 4))):
        assert _as_list("anna", boxes) == boxes.tolist()
    assert isinstance(_as_list("anna", np.ones(4)), InputError)


def test_no_boxes_give_none():
    assert as_boxes(None).get(ANNA) is None and as_boxes({}).get("target") is None


def test_boxes_given_for_other_photos_only_are_refused():
    photos = [Path("some", "anna.jpg"), Path("some", "ben.jpg")]
    require_boxes(as_boxes({"ben": [[1, 2, 3, 4]], "carl": []}), photos)
    require_boxes(as_boxes({}), photos)
    with pytest.raises(InputError, match=r"boxes of 'carl', but none of anna\.jpg; need"):
        require_boxes(as_boxes({"carl": [[1, 2, 3, 4]]}), photos)
