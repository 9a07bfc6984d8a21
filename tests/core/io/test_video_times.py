"""The frames of a video are shown when, and for as long, as they were."""

import numpy as np
import pytest
from moving import RATE, copy_video, plain_frames, read_frames, read_sound, write_video
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.io.video import VideoReader, count_frames


def test_uneven_times_and_sound_are_kept(tmp_path):
    times = [0, 1, 2, 5, 6, 9, 10, 40]
    source = write_video(tmp_path / "in.mp4", plain_frames(), times=times, sound="aac")
    writer = copy_video(source, tmp_path / "out.mp4")
    assert writer.warnings == []
    with VideoReader(tmp_path / "out.mp4") as video:
        found = [float(frame.time * video.clock) * RATE for frame in video.frames()]
    np.testing.assert_allclose(found, times, atol=0.02)
    assert len(read_sound(source)) > 1000
    assert read_sound(tmp_path / "out.mp4") == read_sound(source)


def test_the_last_frame_is_shown_as_long_as_it_was(tmp_path):
    """It ended with the frame before the last, or went on for longer."""
    import av

    first, *others = (Image.fromarray(frame) for frame in plain_frames(6))
    for last in (100, 3000):
        durations = [100] * 5 + [last]
        first.save(tmp_path / "in.gif", save_all=True, append_images=others, duration=durations)
        copy_video(tmp_path / "in.gif", tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert container.duration / 1e6 == pytest.approx(sum(durations) / 1000, abs=0.05)


def test_uneven_times_do_not_end_a_video_too_soon(tmp_path):
    """Frames at 5 and 9 s: FFmpeg read a video of 5.3 s, whose stored order was another one."""
    import av

    source = write_video(tmp_path / "in.mkv", plain_frames(6), times=[0, 3, 6, 150, 153, 270])
    copy_video(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        told = [container.duration / 1e6, float(stream.duration * stream.time_base)]
        np.testing.assert_allclose(told, 271 / RATE, atol=0.05)


def test_a_film_that_starts_later_misses_no_frames(tmp_path):
    """Matroska says when the film ends, not how long it is."""
    source = write_video(tmp_path / "late.mkv", plain_frames(20), times=range(300, 320))
    with VideoReader(source) as video:
        assert len(list(video.frames())) == video.count == 20 and video.warnings == ()


def test_sound_that_goes_on_misses_no_frames(tmp_path):
    source = write_video(tmp_path / "in.mkv", plain_frames(1), sound="aac", seconds=3.0)
    with VideoReader(source) as video:
        assert len(list(video.frames())) == video.count == 1 and video.warnings == ()


def test_uneven_times_are_not_taken_for_missing_frames(tmp_path):
    """In Matroska, which counts no frames: some 40 were said to be there, and 8 read."""
    source = write_video(tmp_path / "in.mkv", plain_frames(), times=[0, 1, 2, 5, 6, 9, 10, 40])
    with VideoReader(source) as video:
        assert len(list(video.frames())) == 8 and video.warnings == ()


def test_frames_that_an_edit_list_hides_are_not_missing(tmp_path):
    """As a telephone trims a video: what is cut off is still stored."""
    import av

    source, trimmed = write_video(tmp_path / "in.mp4", plain_frames(30)), tmp_path / "trimmed.mp4"
    with av.open(str(source)) as whole, av.open(str(trimmed), "w") as output:
        given = whole.streams.video[0]
        stream = output.add_stream_from_template(given)
        for packet in whole.demux(given):
            if packet.dts is not None:
                earlier = round(0.6 / given.time_base)
                packet.pts, packet.dts = packet.pts - earlier, packet.dts - earlier
                packet.stream = stream
                output.mux(packet)
    with VideoReader(trimmed) as video:
        expected = video.count
        shown = len(list(video.frames()))
        assert shown == expected < 20 and video.stream.frames == 30 and video.warnings == ()


def test_a_video_out_of_a_broadcast_starts_at_0_with_its_sound(tmp_path):
    import av

    source = write_video(
        tmp_path / "in.ts", plain_frames(30), times=range(36_000, 36_030), sound="aac", delay=1200
    )
    copy_video(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.duration / 1e6 == pytest.approx(1.0, abs=0.1)
        for stream in container.streams:
            assert abs(float((stream.start_time or 0) * stream.time_base)) < 0.1


def test_a_clock_that_starts_anew_is_an_error_that_says_where(tmp_path):
    """The second half passed by within a frame's time."""
    one = write_video(tmp_path / "one.ts", plain_frames(20)).read_bytes()
    (tmp_path / "two.ts").write_bytes(one + one)
    with pytest.raises(InputError, match=r"the clock of .*two\.ts starts anew after 20 frames"):
        read_frames(tmp_path / "two.ts")


def test_the_number_of_frames_is_told_beforehand(tmp_path):
    assert count_frames(write_video(tmp_path / "in.mp4", plain_frames(7))) == 7
