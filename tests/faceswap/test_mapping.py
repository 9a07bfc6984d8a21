"""Which face gets which reference, from a text or a file."""

import json
from pathlib import Path

import pytest

from uvface.core.errors import InputError
from uvface.faceswap.mapping import mapped_face, read_map, unique_faces


def test_pairs_on_the_command_line():
    expected = {0: (Path("anna.jpg"),), "right": (Path("ben.jpg"),)}
    assert read_map("0=anna.jpg, right=ben.jpg") == expected


def test_files_name_photos_beside_them(tmp_path):
    (tmp_path / "anna.jpg").write_bytes(b"x")
    (tmp_path / "map.json").write_text(json.dumps({"1": "anna.jpg", "0": ["a.jpg", "b.jpg"]}))
    found = read_map(str(tmp_path / "map.json"))
    assert found == {1: (tmp_path / "anna.jpg",), 0: (Path("a.jpg"), Path("b.jpg"))}
    (tmp_path / "map.csv").write_text("face,reference\n1,anna.jpg\nleft,b.jpg\n")
    assert read_map(str(tmp_path / "map.csv")) == {
        1: (tmp_path / "anna.jpg",),
        "left": (Path("b.jpg"),),
    }


def test_a_table_names_several_photos_of_one_person(tmp_path):
    """As a list of swaps does."""
    (tmp_path / "anna.jpg").write_bytes(b"x")
    (tmp_path / "map.csv").write_text("face,reference\n0,anna.jpg; b.jpg;\n")
    assert read_map(str(tmp_path / "map.csv")) == {0: (tmp_path / "anna.jpg", Path("b.jpg"))}


def test_a_table_of_a_spreadsheet_may_be_separated_by_semicolons(tmp_path):
    """So it is written where a comma stands in numbers; several photos are quoted then."""
    (tmp_path / "map.csv").write_text('face;reference\n0;"a.jpg;b, c.jpg"\n1;d.jpg\n')
    expected = {0: (Path("a.jpg"), Path("b, c.jpg")), 1: (Path("d.jpg"),)}
    assert read_map(str(tmp_path / "map.csv")) == expected


@pytest.mark.parametrize(
    "text",
    ["face;reference\n0;a.jpg;b.jpg\n", "face,reference\n0,a,b\n", "face,reference,\n0,a,b\n"],
)
def test_no_field_of_a_table_is_dropped(tmp_path, text):
    (tmp_path / "map.csv").write_text("\n" + text)
    with pytest.raises(InputError, match=r"map.csv, line 3: more fields than columns"):
        read_map(str(tmp_path / "map.csv"))


@pytest.mark.parametrize("header", ["face,,reference", "face,reference,reference"])
def test_columns_have_names_of_their_own(tmp_path, header):
    (tmp_path / "map.csv").write_text(header + "\n0,a,b\n")
    with pytest.raises(
        InputError, match=f"map.csv has the columns {', '.join(header.split(','))};"
    ):
        read_map(str(tmp_path / "map.csv"))


def test_spaces_empty_lines_and_empty_columns_do_not_count(tmp_path):
    text = ' \n\n face; reference\n\n0; "a.jpg;b.jpg" ;\n;;\n'
    (tmp_path / "map.csv").write_text(text)
    assert read_map(str(tmp_path / "map.csv")) == {0: (Path("a.jpg"), Path("b.jpg"))}


@pytest.mark.parametrize(
    "text", ["", "0", "nose=a.jpg", "all=a.jpg", "0=a.jpg,0=b.jpg", "1=", "²=a.jpg"]
)
def test_other_texts_are_input_errors(text):
    with pytest.raises(InputError, match="map"):
        read_map(text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "[1]"),
        ("a.json", "{"),
        ("a.json", '{"0": 3}'),
        ("a.csv", "x,y\n1,2\n"),
        ("a.csv", "\n"),
    ],
)
def test_other_files_are_input_errors(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name):
        read_map(str(tmp_path / name))


def test_a_row_without_a_photo_is_an_input_error(tmp_path):
    for field in ("", ";"):
        (tmp_path / "a.csv").write_text(f"face,reference\n0,a.jpg\n1,{field}\n")
        with pytest.raises(InputError, match="names no photo for face '1'"):
            read_map(str(tmp_path / "a.csv"))


def test_line_ends_of_any_system(tmp_path):
    for end in ("\n", "\r\n", "\r"):
        (tmp_path / "a.csv").write_bytes(f"face,reference{end}0,a.jpg{end}".encode())
        assert read_map(str(tmp_path / "a.csv")) == {0: (Path("a.jpg"),)}


def test_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_map(str(tmp_path / "no.json"))


def test_a_missing_json_file_is_not_called_bad_json(tmp_path):
    with pytest.raises(InputError, match="does not exist") as caught:
        read_map(str(tmp_path / "no.json"))
    assert "JSON" not in str(caught.value)


def test_a_face_twice_in_a_json_file_is_an_input_error(tmp_path):
    (tmp_path / "a.json").write_text('{"0": "r.png", "0": "t.png"}')
    with pytest.raises(InputError, match="names face 0 twice"):
        read_map(str(tmp_path / "a.json"))


def test_faces_of_a_map_may_be_numbers_as_text():
    assert [mapped_face(one) for one in (1, "1", "left")] == [1, 1, "left"]
    for wrong in ("-1", "anna"):
        with pytest.raises(InputError, match="need a number from the left"):
            mapped_face(wrong)
    with pytest.raises(InputError, match=r"give that without a map, and faces 'all'$"):
        mapped_face("all")
    with pytest.raises(InputError, match="names face 0 twice"):
        unique_faces([(0, "anna.jpg"), ("0", "ben.jpg")])
