"""The mark that is spoken: a sentence in the language of the book, by the voice of its first line, at its start.

It is a line like others (rendered once, judged, kept by its content), but no line of the book: no cue, no count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.narration.request import Request
from pipeline.scripts import ScriptLine
from voice.mastering.marks import SpokenMark

if TYPE_CHECKING:
    from pipeline.narration.job import Narration

SENTENCES = {
    "en": "This speech was made by a machine.",
    "zh": "这段语音由人工智能生成。",
    "ja": "この音声は人工知能で作られました。",
    "ko": "이 음성은 인공지능으로 만들었습니다.",
    "yue": "呢段語音由人工智能生成。",
}
_SIGNS = {"ja": r"[\u3040-\u30ff]", "ko": r"[\uac00-\ud7a3]", "zh": r"[\u4e00-\u9fff]", "en": r"[A-Za-z]+"}


def spoken_mark(job: Narration) -> tuple[SpokenMark, list[str]]:
    """The mark, spoken now unless it was before, and notes: why the gate finds it wrong.

    Before timed speech it would move it, so there it stands at the end. Raises as `Renderer.render` does.
    """
    request = mark_request(job)
    facts, _ = job.renderer.render(request)
    samples = job.store.read(request.key, facts["frames"])
    wave = samples.astype(np.float32) / np.float32(32768)
    notes = [] if facts["ok"] else [f"the spoken mark: {'; '.join(facts['reasons']) or 'refused by the gate'}"]
    return SpokenMark(wave, facts["sample_rate"], "end" if job.script.timed else "start"), notes


def mark_request(job: Narration) -> Request:
    """What is asked of the engine."""
    first = job.script.lines[0]
    lang = first.lang or job.options.lang
    lang = language_of([line.text for line in job.script.lines]) if lang == "auto" else lang
    return job.asked.of(ScriptLine(0, first.number, 0, SENTENCES[lang], "start", voice=first.voice, lang=lang))


def language_of(texts: Sequence[str]) -> str:
    """The language of a sentence that readers of `texts` understand; en for texts without letters.

    Kana and Hangul tell theirs when one sign in ten is one; else Chinese characters are counted against Latin words.
    """
    counts = {lang: sum(len(re.findall(signs, text)) for text in texts) for lang, signs in _SIGNS.items()}
    whole = sum(counts.values())
    for lang in ("ja", "ko"):
        if whole and counts[lang] > whole / 10:
            return lang
    return "zh" if counts["zh"] > counts["en"] else "en"
