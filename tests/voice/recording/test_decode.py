"""Every kind of audio file: read whole, known by its content, and refused when its end is gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.voice.recording.sounds import encode
from voice.audio import read_audio
from voice.consent import READABLE
from voice.errors import UserError
from voice.recording.containers import SUFFIXES, missing_end, sniff
from voice.recording.decode import BadAudioError, open_audio

RATE = 24000
SOUNDFILE = {
    "a.wav": "WAV PCM_16", "a.flac": "FLAC PCM_16", "a.ogg": "OGG VORBIS", "a.mp3": "MP3 MPEG_LAYER_III",
    "a.aiff": "AIFF PCM_16", "a.au": "AU PCM_16", "a.caf": "CAF PCM_16", "a.w64": "W64 PCM_16",
}  # fmt: skip
FFMPEG = {
    "a.m4a": ("aac", None, "MP4 AAC"),
    "b.m4a": ("alac", None, "MP4 ALAC"),
    "a.mov": ("pcm_s24le", None, "MP4 PCM_S24LE"),
    "a.webm": ("libopus", None, "MATROSKA OPUS"),
    "a.mka": ("flac", None, "MATROSKA FLAC"),
    "u8.mka": ("pcm_u8", None, "MATROSKA PCM_U8"),
    "f64.mka": ("pcm_f64le", None, "MATROSKA PCM_F64LE"),
    "a.aac": ("aac", "adts", "AAC AAC"),
    "a.wma": ("wmav2", "asf", "ASF WMAV2"),
    "mp3.wav": ("libmp3lame", "wav", "WAV MPEG_LAYER_III"),
    "flac.ogg": ("flac", "ogg", "OGG FLAC"),
}
NAMES = [*SOUNDFILE, *FFMPEG]
# A cut of these shows only in what is missing at the end, or not at all.
SILENT = {"a.aac", "a.wma"}


def sound(seconds: float = 3.0) -> np.ndarray:
    """Chirps in noise: nothing repeats, so that a shift or a loss shows."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(0, 0.02, len(time))
    return (0.3 * np.sin(2 * np.pi * (300 + 400 * time) * time) + noise).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    for name in SOUNDFILE:
        soundfile.write(folder / name, sound(), RATE)
    for name, (codec, container, _) in FFMPEG.items():
        encode(folder / name, sound(), RATE, codec, container)
    return folder


def delay_and_likeness(found: np.ndarray, rate: int) -> tuple[int, float]:
    """Samples that `found` is late, and its correlation with the original there."""
    wanted = sound()[RATE : 2 * RATE]
    found = found[:: rate // RATE]
    best = max(range(-2500, 3000), key=lambda lag: float(found[RATE + lag : 2 * RATE + lag] @ wanted))
    return best, float(np.corrcoef(found[RATE + best : 2 * RATE + best], wanted)[0, 1])


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_read_whole_in_time_and_known(folder: Path, name: str) -> None:
    with open_audio(folder / name) as source:
        wave = np.concatenate(list(source.blocks))
    assert source.format == (SOUNDFILE.get(name) or FFMPEG[name][2]) and not source.misnamed
    assert source.channels == wave.shape[1] == 1 and wave.dtype == np.float32
    assert len(wave) / source.rate == pytest.approx(3.0, abs=0.15)
    late, likeness = delay_and_likeness(wave[:, 0], source.rate)
    # Raw AAC, MP3 without its header and WMA cannot say how much of their start is padding.
    assert late == 0 or (name in ("a.aac", "mp3.wav", "a.wma") and abs(late) < 2500)
    assert likeness > 0.97


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in SILENT])
def test_a_file_that_lost_its_end_is_refused(folder: Path, tmp_path: Path, name: str, share: float) -> None:
    data = (folder / name).read_bytes()
    (tmp_path / name).write_bytes(data[: round(share * len(data))])
    with pytest.raises(BadAudioError, match="cut short") as caught:
        read_audio(tmp_path / name)
    assert caught.value.reason == "truncated" and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_the_kind_is_found_whatever_the_name(folder: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / ("x.flac" if name.endswith(".wav") else "x.wav")
    other.write_bytes((folder / name).read_bytes())
    with open_audio(other) as source:
        wave = np.concatenate(list(source.blocks))
    assert source.misnamed and np.array_equal(wave[:, 0], read_audio(folder / name)[0])


def test_a_tag_before_the_sound_does_not_hide_it(folder: Path, tmp_path: Path) -> None:
    for name, kind in (("a.mp3", "MP3"), ("a.flac", "FLAC"), ("a.aac", "AAC")):
        tag = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 1]) + bytes(257)
        (tmp_path / name).write_bytes(tag + (folder / name).read_bytes())
        assert sniff(tmp_path / name) == kind
        assert missing_end(tmp_path / name, kind) == ""
        if kind == "MP3":
            assert len(read_audio(tmp_path / name)[0]) == 3 * RATE


def test_a_stream_of_unknown_length_is_read_to_its_end(folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / "a.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(data)
    assert len(read_audio(tmp_path / "a.wav")[0]) == 3 * RATE


def test_a_long_wav_keeps_its_length_apart(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sound(), RATE, format="RF64")
    assert len(read_audio(tmp_path / "a.wav")[0]) == 3 * RATE
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadAudioError, match="cut short"):
        read_audio(tmp_path / "a.wav")


def test_a_film_without_sound_is_no_audio(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        file.mux(stream.encode(None))
    with pytest.raises(BadAudioError, match="no audio track") as caught:
        read_audio(tmp_path / "a.mp4")
    assert caught.value.reason == "not_audio"


def test_text_and_a_playlist_are_no_audio(tmp_path: Path) -> None:
    for name, text in (("a.wav", "not audio at all"), ("a.m4a", "#EXTM3U\n#EXTINF:10,\n/etc/passwd\n"), ("b.wav", "R")):
        (tmp_path / name).write_text(text)
        with pytest.raises(BadAudioError, match="unknown format") as caught:
            read_audio(tmp_path / name)
        assert caught.value.reason == "not_audio"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_read_or_refused_in_one_line(folder: Path, tmp_path: Path, data: st.DataObject) -> None:
    """No crash, no other exception, whatever is changed in a file of whatever kind."""
    name = data.draw(st.sampled_from(NAMES))
    body = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(0, min(200, len(body) - 1)), st.integers(0, len(body) - 1)))
        body[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body))) :]
    path = tmp_path / name
    path.write_bytes(body)
    try:
        wave, rate = read_audio(path)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert wave.ndim == 1 and len(wave) > 0 and rate > 0 and np.isfinite(wave).all()


def test_descriptors_are_given_back(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC" + bytes(100))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        with pytest.raises(UserError):
            read_audio(tmp_path / "a.flac")
        read_audio(folder / "a.m4a")
        read_audio(folder / "mp3.wav")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_consent_lists_is_what_can_be_read() -> None:
    assert {Path(name).suffix for name in NAMES} <= set(READABLE) == {s for row in SUFFIXES.values() for s in row}
