"""Long texts spoken piece by piece: joins, pauses, seeds, warnings, and one piece being as `Voice.say`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voice.errors import UserError
from voice.long_text import FADE, say_long
from voice.synthesis import Speech, content_seed
from voice.text import read_text
from voice.text.pauses import PAUSES

RATE = 8000
TEXT = "清晨的港口很安静，第一批渔船刚刚回来了。\n\n薄雾笼罩着水面，海鸥站在石墙上等待着。"


class Tone:
    """A stand-in voice: a full-scale wave whose length follows the text and whose phase follows the seed."""

    sample_rate = RATE

    def __init__(self, runaway: str = "", noted: str = "") -> None:
        self.calls: list[tuple[str, int | None]] = []
        self.options: list[dict[str, Any]] = []
        self.runaway, self.noted = runaway, noted

    def say(
        self, text: str, *, lang: str = "auto", seed: int | None = None, rate: int | None = None, **options: Any
    ) -> Speech:
        self.calls.append((text, seed))
        self.options.append(options)
        reading = read_text(text, lang)
        if not any(phone.isalnum() for phone in reading.phones):
            raise UserError(f"text {text!r}: nothing to read")
        used = content_seed(text) if seed is None else seed
        size = (rate or RATE) * len(reading.phones) // 20
        audio = np.cos(np.arange(size) * 0.3 + used % 7).astype(np.float32)
        stop = "max_steps" if self.runaway and self.runaway in text else "eos"
        warnings = [f"{self.noted} noted"] if self.noted and self.noted in text else []
        return Speech(audio, rate or RATE, size / (rate or RATE), used, stop, list(reading.phones), warnings)


def sizes(text: str) -> int:
    return RATE * len(read_text(text).phones) // 20


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("text", ["Hello there.", "  你好，我是小明。\n"])
def test_one_piece_is_what_the_voice_says(text: str, seed: int | None) -> None:
    voice = Tone()
    speech, wanted = say_long(voice, text, seed=seed, temperature=0.5), Tone().say(text, seed=seed)
    assert voice.calls == [(text, seed)] and voice.options == [{"lexicon": None, "temperature": 0.5}]
    assert np.array_equal(speech.audio, wanted.audio)
    assert (speech.seed, speech.phones, speech.warnings) == (wanted.seed, wanted.phones, wanted.warnings)


def test_pieces_are_joined_with_their_pauses() -> None:
    voice = Tone()
    speech = say_long(voice, TEXT)
    first, second = TEXT.split("\n\n")
    assert [text for text, _ in voice.calls] == [first, second]
    gap = round(PAUSES["paragraph"] * RATE)
    assert speech.audio.dtype == np.float32 and len(speech.audio) == sizes(first) + gap + sizes(second)
    assert speech.seconds == len(speech.audio) / RATE and speech.sample_rate == RATE
    assert not speech.audio[sizes(first) : sizes(first) + gap].any()
    assert speech.phones == [*read_text(first).phones, *read_text(second).phones]
    assert speech.stop == "eos" and speech.warnings == [] and speech.seed == 0


def test_joins_fade_and_the_outer_ends_stay() -> None:
    speech, count = say_long(Tone(), TEXT), round(FADE * RATE)
    first = sizes(TEXT.split("\n\n")[0])
    start = first + round(PAUSES["paragraph"] * RATE)
    for edge in (first - 1, start):
        assert abs(speech.audio[edge]) < 1.5 / count
    alone = Tone().say(TEXT.split("\n\n")[0], seed=content_seed(TEXT.split("\n\n")[0], 0)).audio
    assert np.array_equal(speech.audio[: first - count], alone[:-count])


def test_explicit_pauses_at_the_ends_are_kept() -> None:
    speech = say_long(Tone(), "[pause 1s]Hello there.[pause 500ms]", seed=3)
    assert len(speech.audio) == RATE + sizes("Hello there.") + RATE // 2
    assert not speech.audio[:RATE].any() and not speech.audio[-RATE // 2 :].any() and speech.seed == 3


def test_changing_one_sentence_leaves_the_sound_of_the_others() -> None:
    lines = [f"第{n}批渔船刚刚从很远的地方回来，大家都很高兴。" for n in "一二三四"]
    changed = [*lines[:1], "薄雾笼罩着水面，海鸥站在石墙上等待着。", *lines[2:]]
    before, after = Tone(), Tone()
    say_long(before, "\n\n".join(lines), seed=5)
    say_long(after, "\n\n".join(changed), seed=5)
    assert [old == new for old, new in zip(before.calls, after.calls, strict=True)] == [True, False, True, True]
    other = Tone()
    say_long(other, "\n\n".join(lines), seed=6)
    assert all(one[1] != two[1] for one, two in zip(before.calls, other.calls, strict=True))


def test_the_reported_seed_gives_the_same_again() -> None:
    speech = say_long(Tone(), TEXT)
    assert np.array_equal(say_long(Tone(), TEXT, seed=speech.seed).audio, speech.audio)


def test_equal_pieces_are_spoken_once() -> None:
    voice, line = Tone(), "清晨的港口很安静，第一批渔船刚刚回来了。"
    speech = say_long(voice, "\n\n".join([line] * 3))
    assert len(voice.calls) == 1 and speech.seconds > 3 * sizes(line) / RATE


def test_warnings_and_stops_name_their_piece() -> None:
    speech = say_long(Tone(runaway="海鸥", noted="渔船"), TEXT)
    assert speech.stop == "max_steps"
    assert speech.warnings[0].startswith("piece 1 of 2 ('清晨的港口") and speech.warnings[0].endswith("渔船 noted")
    assert speech.warnings[1].startswith("piece 2 of 2 ('薄雾") and speech.warnings[1].endswith("did not end")


def test_a_piece_without_words_is_left_out_with_a_warning() -> None:
    speech = say_long(Tone(), "Hello there. [pause 1s] ——— [pause 1s] Goodbye now.")
    assert len(speech.audio) == sizes("Hello there.") + 2 * RATE + sizes("Goodbye now.")
    assert speech.warnings == ["piece 2 of 3 ('———'): there is nothing to read, left out"]


@pytest.mark.parametrize("text", ["", "  \n", "[pause 1s]", "...", "... [pause] ---"])
def test_nothing_to_read_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="nothing to read"):
        say_long(Tone(), text)


def test_the_rate_and_progress_are_passed_on() -> None:
    told: list[tuple[int, int]] = []
    speech = say_long(Tone(), TEXT, rate=16000, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)] and speech.sample_rate == 16000
    assert len(speech.audio) == 2 * len(say_long(Tone(), TEXT).audio)


def test_pauses_and_limits_of_the_caller() -> None:
    voice = Tone()
    short = say_long(voice, TEXT, pauses=PAUSES | {"paragraph": 0.1}, target=3, longest=5)
    assert len(short.audio) < len(say_long(Tone(), TEXT).audio) and len(voice.calls) == 2


def test_a_bad_language_is_refused() -> None:
    with pytest.raises(UserError, match="not supported"):
        say_long(Tone(), TEXT, lang="xx")
