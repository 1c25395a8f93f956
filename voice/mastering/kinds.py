"""The kinds of sound files a book can be written as, and what each needs from FFmpeg."""

from __future__ import annotations

from dataclasses import dataclass, field

import av

from voice.errors import UserError

# LAME makes all sound softer below 256 kbit/s, by the factors of its table of presets (3.100, presets.c).
_LAME = {160: 0.95, 192: 0.97, 224: 0.98, 256: 1.0}
_MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class Kind:
    """FFmpeg's muxer, encoder, sample format; the rates it knows (none: all); where chapters and cover go."""

    name: str
    muxer: str = ""
    encoder: str = ""
    sample: str = "s16"
    rates: tuple[int, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    chapters: str = ""  # "container", "comments", or "" for none
    cover: str = ""  # "stream", "comment", "item", or "" for none

    def rate(self, rate: int) -> int:
        """The rate to encode at: `rate`, else the next higher one, else the highest."""
        return rate if not self.rates else next((known for known in self.rates if known >= rate), self.rates[-1])

    def bits(self, rate: int) -> int:
        """Bits a second by default, 0 where nothing is lost. 192 kbit/s is the least that ACX takes."""
        low = rate < 32000
        each = {"mp3": 96_000 if low else 192_000, "opus": 48_000 if low else 64_000, "m4b": 64_000 if low else 96_000}
        return min(each[self.name], 5 * rate) if self.name in each else 0

    def factor(self, bits: int, rate: int) -> float:
        """What the encoder multiplies samples by; the caller takes it back, so that the loudness stays."""
        if self.name != "mp3":
            return 1.0
        kilo = bits / 1000 if rate >= 32000 else 160  # lower rates end at 160 kbit/s
        return _LAME[min(_LAME, key=lambda row: abs(row - kilo))]


# bitexact keeps versions, dates and random numbers out of a file: the same samples give the same bytes.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("wav"),
        Kind("flac", "flac", "flac", chapters="comments", cover="stream"),
        Kind("opus", "opus", "libopus", rates=(8000, 12000, 16000, 24000, 48000), chapters="comments", cover="comment"),
        # Version 2.3 of ID3 is what every player reads.
        Kind("mp3", "mp3", "libmp3lame", "fltp", _MPEG, {"id3v2_version": "3"}, "container", "stream"),
        Kind("m4b", "ipod", "aac", "fltp", _MPEG, {"brand": "M4B "}, "container", "item"),
    )
}


def find_kind(name: str, path: object = "output") -> Kind:
    """The kind called `name`, without a dot. Raises UserError for an unknown one or one whose encoder is missing."""
    if (kind := KINDS.get(name.lower())) is None:
        raise UserError(f"{path}: cannot write {name or 'a file with no suffix'}", f"use one of {', '.join(KINDS)}")
    if kind.encoder and kind.encoder not in av.codecs_available:
        raise UserError(f"{path}: this PyAV has no encoder {kind.encoder}", "install PyAV from its own wheel")
    return kind
