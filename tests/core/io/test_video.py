"""Videos come back with the colours, the sound and the names that they had."""

import io
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from moving import PICTURE, RATE, SOUND_RATE, copy_video, plain_frames, read_frames, write_video
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.io.provenance import Provenance, read_provenance
from uvface.core.io.video import Frame, VideoReader
from uvface.core.io.video_packet import append_packet, packet_in_video
from uvface.core.io.video_writer import VideoWriter


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("is_full", [False, True])
def test_colours_are_kept_by_the_matrix_that_the_video_names(tmp_path, matrix, is_full):
    source = write_video(tmp_path / "in.mp4", plain_frames(), matrix=matrix, is_full=is_full)
    read = read_frames(source)
    assert np.abs(read[0].image.astype(int) - PICTURE).mean() < 4.0
    bias = (read[0].image.astype(float) - PICTURE).mean(axis=(0, 1))
    assert np.abs(bias).max() < 1.2  # another matrix or range would be off by several levels
    copy_video(source, tmp_path / "out.mp4", quality=4)
    again = read_frames(tmp_path / "out.mp4")
    for one, other in zip(read, again, strict=True):
        bias = (one.image.astype(float) - other.image).mean(axis=(0, 1))
        assert np.abs(bias).max() < 0.5


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_frames_are_upright_as_players_show_them(tmp_path, turned):
    source = write_video(tmp_path / "in.mp4", plain_frames(2), turned=turned)
    upright = np.rot90(PICTURE, turned // 90)
    assert np.abs(read_frames(source)[0].image.astype(int) - upright).mean() < 4.0
    copy_video(source, tmp_path / "out.mp4")
    assert read_frames(tmp_path / "out.mp4")[0].image.shape == upright.shape


@pytest.mark.parametrize(
    ("name", "codec", "output"),
    [
        ("in.mkv", "flac", "out.mov"),
        ("in.avi", "pcm_s16le", "out.mp4"),
        ("in.mkv", "mp2", "out.m4v"),  # FFmpeg writes it as another format than .mp4
    ],
)
def test_sound_that_does_not_fit_is_encoded_and_told_of(tmp_path, name, codec, output):
    import av

    source = write_video(tmp_path / name, plain_frames(30), sound=codec)
    writer = copy_video(source, tmp_path / output)
    assert codec in writer.warnings[0] and "AAC, stereo" in writer.warnings[0]
    with av.open(str(tmp_path / output)) as container:
        tone = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    rate = np.fft.rfftfreq(len(tone), 1 / SOUND_RATE)[np.abs(np.fft.rfft(tone)).argmax()]
    assert rate == pytest.approx(440, abs=3)
    assert len(tone) == pytest.approx(SOUND_RATE, rel=0.1)


def test_odd_sizes_are_filled_up_by_the_last_pixels(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames(1))
    with VideoReader(source) as video, VideoWriter(tmp_path / "out.mov", video) as writer:
        writer.write(Frame(image=PICTURE[:199, :239].copy(), time=0, seconds=0.0, duration=1))
    found = read_frames(tmp_path / "out.mov")[0].image
    assert found.shape == (200, 240, 3)
    assert np.abs(found[:199, :239].astype(int) - PICTURE[:199, :239]).mean() < 4.0


def test_a_video_says_how_it_was_made_and_players_still_read_it(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames())
    assert read_provenance(source) is None
    told = Provenance(operation="swap")
    copy_video(source, tmp_path / "out.mp4", provenance=told)
    assert read_provenance(tmp_path / "out.mp4") == told
    assert len(read_frames(tmp_path / "out.mp4")) == len(read_frames(source))
    with VideoReader(tmp_path / "out.mp4") as video:
        assert told.source_type in video.container.metadata["comment"]


def test_a_packet_behind_a_box_of_64_bits_is_found(tmp_path):
    path = tmp_path / "large.mp4"
    start = (16).to_bytes(4, "big") + b"ftypisom" + bytes(4)
    long = (1).to_bytes(4, "big") + b"mdat" + (16 + 5).to_bytes(8, "big") + b"12345"
    path.write_bytes(start + long)
    assert packet_in_video(path) is None
    append_packet(path, b"packet")
    assert packet_in_video(path) == b"packet"


@pytest.mark.parametrize("size", [0, 3, 7])
def test_what_is_no_video_is_refused_in_a_line(tmp_path, size):
    path = tmp_path / "not.mp4"
    path.write_bytes(b"GIF89a!"[:size])
    with pytest.raises(InputError) as caught:
        VideoReader(path)
    said = str(caught.value)
    assert said.count(str(path)) == 1 and "copy or download it again" in said
    assert ("is empty (0 bytes)" in said) == (size == 0) == ("ffmpeg" not in said)
    assert "Errno" not in said and "\n" not in said
    with pytest.raises(InputError, match=r"not\.mp4"):
        packet_in_video(path)
    with pytest.raises(InputError, match="does not exist"):
        VideoReader(tmp_path / "missing.mp4")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif"])
def test_a_still_picture_is_no_video_of_one_frame(tmp_path, suffix):
    path = tmp_path / f"still{suffix}"
    Image.fromarray(plain_frames(1)[0]).save(path)
    with pytest.raises(InputError, match=r"still.* is a still picture, no video; uvface swap"):
        VideoReader(path)


def test_a_still_of_a_telephone_is_no_video_either(tmp_path):
    """FFmpeg reads HEIC, which Pillow does not, and takes it for a video of one frame."""
    content = write_video(tmp_path / "one.mp4", plain_frames(1)).read_bytes()
    path = tmp_path / "still.heic"
    path.write_bytes(content.replace(b"ftypisom", b"ftypheic", 1))
    with pytest.raises(InputError, match=r"still.* is a still picture, no video; convert it to"):
        VideoReader(path)


def test_pages_and_views_are_stills_and_animations_are_not(tmp_path):
    first, *others = map(Image.fromarray, plain_frames(3))
    for name in ("pages.tif", "views.mpo"):
        first.save(tmp_path / name, save_all=True, append_images=others)
        with pytest.raises(InputError, match="still picture"):
            VideoReader(tmp_path / name)
    for name in ("moving.gif", "moving.png"):
        first.save(tmp_path / name, save_all=True, append_images=others, duration=80)
        assert len(read_frames(tmp_path / name)) == 3


def test_jpegs_in_a_row_are_a_video_and_so_is_one_frame_of_an_mp4(tmp_path):
    stream = io.BytesIO()
    for frame in plain_frames(3):
        Image.fromarray(frame).save(stream, "JPEG")
    (tmp_path / "row.mjpeg").write_bytes(stream.getvalue())
    assert len(read_frames(tmp_path / "row.mjpeg")) == 3
    assert len(read_frames(write_video(tmp_path / "one.mp4", plain_frames(1)))) == 1


def test_a_video_without_its_table_is_refused(tmp_path):
    source = write_video(tmp_path / "in.mov", plain_frames(30))
    content = source.read_bytes()
    broken = tmp_path / "broken.mov"
    broken.write_bytes(content[: len(content) // 2])  # the table is at the end
    with pytest.raises(InputError, match=r"broken\.mov.*cut off before its end cannot be read"):
        read_frames(broken)


def test_a_video_that_the_system_does_not_give_is_told_of_once(tmp_path, monkeypatch):
    import av

    path = write_video(tmp_path / "in.mp4", plain_frames(1))

    def refuse(name):
        raise av.error.PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(InputError) as caught:
        VideoReader(path)
    assert str(caught.value) == f"cannot read {path}: Permission denied"


def _damaged(source, path):
    """Write a video of which one packet of the pictures, not the first, is noise."""
    import av

    with av.open(str(source)) as container:
        packets = [bytes(p) for p in container.demux(container.streams.video[0]) if p.size]
    content = source.read_bytes()
    place = content.index(packets[10]) + 4
    noise = np.random.default_rng(0).bytes(len(packets[10]) - 4)
    path.write_bytes(content[:place] + noise + content[place + len(noise) :])
    return path


def test_damage_costs_the_frames_that_it_hits_and_is_told_of(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames(30))
    with VideoReader(_damaged(source, tmp_path / "damaged.mp4")) as video:
        frames = list(video.frames())
        assert 20 <= len(frames) <= 30
        assert frames[-1].seconds == pytest.approx(29 / RATE, abs=1e-3)  # the end is there
        assert len(frames) == 30 or any("damaged in" in line for line in video.warnings)


@pytest.mark.parametrize("sound", [None, "aac"])
def test_a_video_that_ends_in_the_middle_gives_what_is_left(tmp_path, sound):
    source = write_video(tmp_path / "in.mkv", plain_frames(30), sound=sound)
    content = source.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: 7 * len(content) // 10])
    with VideoReader(tmp_path / "cut.mkv") as video:
        assert video.count == 30
        left = len(list(video.frames()))
        assert 1 <= left < 27
        assert any(f"{left} frames could be read" in line for line in video.warnings)


def test_pixels_that_are_not_square_stay_so_when_turned_upright(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames(2), turned=90, aspect=(4, 3))
    copy_video(source, tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as video:
        assert video.stream.codec_context.sample_aspect_ratio == Fraction(3, 4)


def test_a_change_of_size_is_an_error_that_says_when(tmp_path, monkeypatch):
    source = write_video(tmp_path / "in.mp4", plain_frames(4))
    with VideoReader(source) as video:
        frames = list(video._decoded())
        frames[2] = frames[2].reformat(width=120, height=100)
        monkeypatch.setattr(video, "_decoded", lambda: iter(frames))
        with pytest.raises(InputError, match=r"after 2 frames, at 0\.1 s"):
            list(video.frames())


@pytest.mark.parametrize("name", ["12:30.mp4", "file name ü.mp4"])
def test_names_are_names_not_addresses(tmp_path, name):
    source = write_video(tmp_path / "in.mp4", plain_frames(2), sound="aac")
    source.rename(tmp_path / name)
    copy_video(tmp_path / name, tmp_path / f"new {name}")
    assert len(read_frames(tmp_path / f"new {name}")) == 2


def test_nothing_is_written_or_overwritten_when_something_fails(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames())
    old = tmp_path / "old.mp4"
    old.write_bytes(b"older")
    with (
        pytest.raises(KeyboardInterrupt),
        VideoReader(source) as video,
        VideoWriter(old, video) as writer,
    ):
        writer.write(next(video.frames()))
        raise KeyboardInterrupt
    assert old.read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "old.mp4"]


def test_the_longest_name_can_be_written(tmp_path):
    """The hidden file on the way to it had a longer one."""
    source, name = write_video(tmp_path / "in.mp4", plain_frames(2)), "a" * 251 + ".mp4"
    copy_video(source, tmp_path / name)
    assert (
        sorted(os.listdir(tmp_path)) == [name, "in.mp4"] and len(read_frames(tmp_path / name)) == 2
    )
    with pytest.raises(InputError, match="too long for a file"), VideoReader(source) as video:
        VideoWriter(tmp_path / f"a{name}", video)


def test_a_link_stays_and_leads_to_the_video(tmp_path):
    """It was replaced, and what it led to stayed the older one."""
    source = write_video(tmp_path / "in.mp4", plain_frames(2))
    link, there = tmp_path / "link.mp4", tmp_path / "there"
    link.symlink_to(there / "out.mp4")
    for _ in range(2):
        copy_video(source, link)
        assert link.is_symlink() and os.listdir(there) == ["out.mp4"]
        assert len(read_frames(there / "out.mp4")) == 2
        os.truncate(there / "out.mp4", 0)


def test_a_new_folder_goes_when_the_video_does_not_come_about(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames())
    with VideoReader(source) as video, pytest.raises(InputError):
        with VideoWriter(tmp_path / "new" / "folder" / "out.mp4", video) as writer:
            writer.write(next(video.frames()))
            raise InputError("no face")
    assert os.listdir(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("name", ["out.webm", "out", "out.png"])
def test_other_formats_are_refused_before_anything_is_written(tmp_path, name):
    source = write_video(tmp_path / "in.mp4", plain_frames(1))
    with pytest.raises(InputError, match=r"\.mp4"), VideoReader(source) as video:
        VideoWriter(tmp_path / name, video)


def test_a_folder_that_cannot_be_made_is_an_error_in_a_line(tmp_path):
    source = write_video(tmp_path / "in.mp4", plain_frames(1))
    with pytest.raises(InputError, match=r"cannot make the folder .*: it is a file; name another"):
        copy_video(source, source / "out.mp4")


def test_more_than_8_bits_are_told_of(tmp_path: Path):
    source = write_video(tmp_path / "in.mp4", plain_frames(2), pixels="yuv420p10le")
    with VideoReader(source) as video:
        assert "10 bits" in video.warnings[0]
