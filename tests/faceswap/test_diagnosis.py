"""Numbers and warnings of swaps, on toy faces of which all is known."""

import dataclasses
import re

import numpy as np
import pytest
from toy_faces import toy_photo
from toy_models import ToyModel

from uvface.faceswap.diagnosis import seam_steps, warn_of
from uvface.faceswap.photos import swap
from uvface.faceswap.report import report_page, write_report


@pytest.fixture(scope="module")
def model():
    return ToyModel(turned=[toy_photo(2, 60.0)])


@pytest.fixture(scope="module")
def frontal(model):
    return swap(toy_photo(1)[0], toy_photo(2)[0], model=model, keep=())


@pytest.fixture(scope="module")
def turned(model):
    return swap(toy_photo(1)[0], toy_photo(2, 60.0)[0], model=model, keep=())


def test_shares_of_the_skin_sum_to_one(frontal, turned):
    for result in (frontal, turned):
        shares = result.numbers[0].shares
        total = shares.seen + shares.mirrored + shares.filled + shares.left
        assert total == pytest.approx(1.0, abs=1e-3)
        assert all(0.0 <= value <= 1.0 for value in dataclasses.astuple(shares))


def test_what_the_reference_hides_is_counted_as_guessed(frontal, turned):
    seen, guessed = frontal.numbers[0].shares, turned.numbers[0].shares
    assert seen.seen > 0.9 and guessed.seen < seen.seen - 0.2
    assert guessed.mirrored + guessed.filled + guessed.left > 0.2
    assert abs(abs(turned.numbers[0].reference_yaw) - 60.0) < 1.0
    assert abs(turned.numbers[0].yaw) < 1.0


def test_turned_faces_are_warned_of(frontal, turned):
    assert not any("guessed" in line for line in frontal.all_warnings)
    text = " ".join(turned.all_warnings)
    assert re.search(r"turned -?60 degrees.*\d+ % of the skin is (guessed|left)", text)
    record = turned.record("out.png")
    assert record["warnings"] == list(turned.all_warnings)
    assert record["faces"][0]["skin"]["seen"] == round(turned.numbers[0].shares.seen, 4)


def test_each_number_has_its_warning(frontal):
    fine = dataclasses.replace(frontal.numbers[0], seam_step=1.0, own_step=1.0)
    shares = fine.shares
    assert warn_of(fine) == ()
    for change, expected in [
        ({"reference_size": 0.3 * fine.size}, "soft"),
        ({"seam_step": 4.0}, "seam"),
        ({"shares": dataclasses.replace(shares, covered=0.5)}, "50 % of the target's face"),
        ({"shares": dataclasses.replace(shares, left=0.4)}, "40 % of the skin is left"),
        ({"shares": dataclasses.replace(shares, mirrored=0.2, filled=0.28)}, "48 % of the skin"),
    ]:
        assert expected in " ".join(warn_of(dataclasses.replace(fine, **change)))


def test_a_face_beyond_the_photo_has_no_seam():
    nothing = np.zeros((0, 5, 3), np.float32)
    assert seam_steps(nothing, nothing) == (0.0, 0.0)


def test_seam_steps_are_measured_along_the_edge():
    image = np.full((40, 40, 3), 0.5, np.float32)
    assert seam_steps(image, image) == (0.0, 0.0)
    pasted = image.copy()
    pasted[10:30, 10:30] += 0.2
    after, before = seam_steps(image, pasted)
    assert before == 0.0 and after > 1.5


def test_the_report_holds_everything(frontal, tmp_path):
    write_report(tmp_path / "report.html", frontal, output="out.png")
    page = (tmp_path / "report.html").read_text()
    assert page == report_page(frontal, output="out.png")
    assert page.count("data:image/jpeg;base64,") >= 12
    links = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert links and all(link.startswith("data:image/jpeg") for link in links)
    shares = frontal.numbers[0].shares
    assert f"{100 * shares.seen:.0f} %" in page and "Lab" in page


def test_a_report_escapes_names(frontal):
    spoiled = dataclasses.replace(frontal, warnings=("<script>alert(1)</script>",))
    assert "<script>" not in report_page(spoiled, output="<b>.png")


def test_a_report_of_the_preset_says_why_there_are_no_stages_to_show(frontal):
    said = "pasted the whole face as it is"
    preset = dataclasses.replace(frontal, settings=frontal.settings | {"preset": "prnet"})
    assert said in report_page(preset, output="out.png")
    assert said not in report_page(frontal, output="out.png")
