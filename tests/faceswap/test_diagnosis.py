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


def test_skin_that_is_kept_is_not_the_reference_s(model, frontal):
    """It was counted as seen in the reference, and as guessed where that hides it."""
    photos = toy_photo(1)[0], toy_photo(2, 60.0)[0]
    half = swap(*photos, model=model, keep=("cheeks_left", "cheeks_right", "nose"))
    shares, whole = half.numbers[0].shares, frontal.numbers[0].shares
    assert whole.kept == 0.0 and 0.2 < shares.kept < 0.4
    assert shares.covered == pytest.approx(whole.covered, abs=1e-3)
    swapped = shares.seen + shares.mirrored + shares.filled + shares.left
    assert swapped == pytest.approx(1.0, abs=1e-3)
    kept = swap(*photos, model=model, keep="face").numbers[0]
    assert kept.shares.kept + kept.shares.covered == pytest.approx(1.0, abs=1e-3)
    assert kept.shares.seen == kept.shares.mirrored == kept.shares.filled == 0.0
    assert not any("skin" in line for line in warn_of(kept))


def test_of_a_rim_of_skin_nothing_is_warned(frontal):
    """Beside regions that are kept a sliver is free, all of which may be guessed."""
    numbers = frontal.numbers[0]
    rim = {"seen": 0.0, "filled": 0.4, "left": 0.6, "covered": 0.2}
    for kept, lines in ((0.75, 0), (0.65, 2)):
        shares = dataclasses.replace(numbers.shares, kept=kept, **rim)
        assert len(warn_of(dataclasses.replace(numbers, shares=shares))) == lines


def test_a_cheek_that_is_kept_is_not_guessed(model):
    """Of a turned reference one cheek is mirrored, and was counted so where it is kept."""
    target, reference = toy_photo(1)[0], toy_photo(2, 60.0)[0]
    shares = [
        swap(target, reference, model=model, keep=(f"cheeks_{side}",)).numbers[0].shares
        for side in ("left", "right")
    ]
    assert shares[0].kept == pytest.approx(shares[1].kept, abs=0.02)
    assert abs(shares[0].mirrored - shares[1].mirrored) > 0.08


def test_eyes_and_lips_that_stay_under_a_profile_are_told_of(turned):
    profile = ToyModel(turned=[toy_photo(2, 80.0)])
    photos = toy_photo(1)[0], toy_photo(2, 80.0)[0]
    result = swap(*photos, model=profile, keep="mouth_interior")
    left = result.numbers[0].features_left
    assert min(left["eyes"], left["lips"]) > 0.9 and left["brows"] < 0.1
    assert result.record("out.png")["faces"][0]["features_left"]["lips"] == round(left["lips"], 4)
    text = " ".join(result.all_warnings)
    assert re.search(r"turned -?80 degrees.*\d+ % of the eyes and \d+ % of the lips are left", text)
    assert "of the lips: left to the target" in report_page(result, output="out.png")
    assert max(turned.numbers[0].features_left.values()) < 0.1  # none is kept


def test_features_that_are_kept_as_asked_are_not_told_of():
    profile = ToyModel(turned=[toy_photo(2, 80.0)])
    photos = toy_photo(1)[0], toy_photo(2, 80.0)[0]
    result = swap(*photos, model=profile, keep="eyes,lips")
    assert set(result.numbers[0].features_left) == {"brows"}
    assert not any("eyes" in line or "lips" in line for line in result.all_warnings)


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
        ({"features_left": {"eyes": 0.1, "lips": 0.9}}, "seen: 90 % of the lips are left"),
    ]:
        assert expected in " ".join(warn_of(dataclasses.replace(fine, **change)))


def test_a_turn_is_named_only_where_it_explains_what_is_not_seen(frontal):
    """Of hair over a forehead one read "reference turned 2 degrees, target 4"."""
    numbers = frontal.numbers[0]
    hidden = dataclasses.replace(numbers, shares=dataclasses.replace(numbers.shares, left=0.4))
    alike = dataclasses.replace(hidden, yaw=-0.4, reference_yaw=3.0)
    assert "turned" not in " ".join(warn_of(alike))
    turned = dataclasses.replace(alike, reference_yaw=50.0)
    assert "reference turned 50 degrees, target 0: 40 %" in " ".join(warn_of(turned))


def test_what_is_left_is_one_line(frontal):
    numbers = frontal.numbers[0]
    shares = dataclasses.replace(numbers.shares, left=0.4)
    lines = warn_of(
        dataclasses.replace(numbers, shares=shares, features_left={"eyes": 1.0, "brows": 0.5})
    )
    assert lines == (
        "not all of the reference's face is seen: 40 % of the skin, 100 % of the eyes and "
        "50 % of the brows are left to the target",
    )


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
