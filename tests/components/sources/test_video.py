"""Frames of videos: at their times, clips with times and rates, files that are broken, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sslgraph.components.sources.films import films, films_av, films_torchcodec
from sslgraph.components.sources.video import Video
from sslgraph.errors import SslgraphError

av = pytest.importorskip("av")


@pytest.fixture(autouse=True)
def _decoder_is_sought_anew() -> Iterator[None]:
    """A test that takes a decoder away leaves none of that to the next one."""
    films.decoder.cache_clear(), films_torchcodec.can_decode.cache_clear()
    yield
    films.decoder.cache_clear(), films_torchcodec.can_decode.cache_clear()


def film(place: Path, *, frames: int = 40, rate: int = 20, step: int = 6) -> None:
    """Frame i is all of grey `step` x i."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(place), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), step * i, np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def test_a_frame_every_so_many_seconds_is_the_one_shown_then(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4"), film(tmp_path / "b.mp4", frames=10, step=3)
    source = Video(path=str(tmp_path), every=0.5)
    assert len(source) == 5 and source.size == (16, 32)
    assert [source.about(i) for i in (0, 3, 4)] == [(0, 0.25, 20.0), (0, 1.75, 20.0), (1, 0.25, 20.0)]
    pixels, really = source.read(torch.arange(5))
    assert really.tolist() == [0, 1, 2, 3, 4] and isinstance(pixels, torch.Tensor)
    shown = pixels.float().mean((1, 2, 3))
    torch.testing.assert_close(shown, torch.tensor([5 * 6, 15 * 6, 25 * 6, 35 * 6, 5 * 3.0]), atol=4, rtol=0)
    assert source.name(3).endswith("a.mp4 at 1.75 s") and "2 videos, a frame every 0.5 s" in source.notes


def test_a_clip_has_the_times_and_the_rate_of_its_frames(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    source = Video(path=str(tmp_path), every=1.0)
    clip = source.clip(0, frames=4, stride=2)
    torch.testing.assert_close(clip.times, torch.tensor([0.5, 0.6, 0.7, 0.8], dtype=torch.float64))
    assert clip.rate == 10 and clip.frames.shape == (4, 3, 16, 32)
    torch.testing.assert_close(
        clip.frames.float().mean((1, 2, 3)), 6 * torch.tensor([10.0, 12, 14, 16]), atol=4, rtol=0
    )
    assert len(source.clip(1, frames=99).frames) == 10  # the film ends


def test_films_and_not_frames_are_held_out_and_folders_are_classes(tmp_path: Path) -> None:
    for name in ("train/cat/a", "train/dog/b", "train/dog/c", "test/dog/d"):
        film(tmp_path / f"{name}.mp4", frames=20)
    train, test = (Video(path=str(tmp_path), split=split, every=0.5) for split in ("train", "test"))
    assert train.labels is not None and train.labels.tolist() == [0, 0, 1, 1, 1, 1] and train.classes == ("cat", "dog")
    assert len(test) == 2 and test.films[0].place.endswith("d.mp4")
    assert len(Video(path=str(tmp_path), every=0.5, limit=2)) == 2


def test_a_broken_film_is_left_out_and_told(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:200])
    source = Video(path=str(tmp_path))
    (told,) = (note for note in source.notes if "can't be read" in note)
    assert told.startswith("1 video can't be read, such as ") and "b.mp4: no video that can be read" in told
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(SslgraphError, match=r"none of the 1 video can be read, for example .*b\.mp4"):
        Video(path=str(tmp_path))


def test_no_video_and_no_decoder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SslgraphError, match=r"has no videos; they end in \.mp4"):
        Video(path=str(tmp_path))
    film(tmp_path / "a.mp4", frames=2)
    for name in ("av", "torchcodec"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SslgraphError, match=r"videos are read by torchcodec or PyAV: pip install 'sslgraph\[video\]'"):
        Video(path=str(tmp_path))


def test_torchcodec_goes_before_pyav_where_it_finds_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    for has_ffmpeg, wanted in ((5, films_torchcodec), (None, films_av)):
        monkeypatch.setitem(sys.modules, "torchcodec", SimpleNamespace(ffmpeg_major_version=has_ffmpeg))
        films.decoder.cache_clear(), films_torchcodec.can_decode.cache_clear()
        assert films.decoder() is wanted


def test_both_decoders_give_the_same_frames_at_the_same_times(tmp_path: Path) -> None:
    if not films_torchcodec.can_decode():
        pytest.skip("torchcodec is not installed, or finds no FFmpeg")
    film(tmp_path / "a.mp4")
    place = str(tmp_path / "a.mp4")
    assert films_av.head(place) == films_torchcodec.head(place)
    for seconds in (0.0, 0.26, 1.2, 1.99, 7.0):
        assert torch.equal(films_av.frame(place, seconds), films_torchcodec.frame(place, seconds))
    for seconds, stride in ((0.0, 1), (0.31, 3), (1.7, 2), (3.0, 1)):
        one, other = (each.frames(place, seconds, count=5, stride=stride) for each in (films_av, films_torchcodec))
        assert one[1] == pytest.approx(other[1]) and all(map(torch.equal, one[0], other[0]))
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes()[:200])
    for each in (films_av, films_torchcodec):
        with pytest.raises(ValueError, match="no video that can be read"):
            each.head(str(tmp_path / "b.mp4"))
