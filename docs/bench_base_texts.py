"""The sentences that a base is measured by, and whether any of them was in its training."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from voice.errors import UserError
from voice.transcript import read_transcript, tokens

SENTENCES = Path(__file__).with_name("sentences")
LANGUAGES = ("en", "zh")
SHARE, FEWEST = 0.6, 4  # of a sentence's words that may not stand in a row in a training text, and how many at least


def sentences(lang: str, most: int | None = None) -> list[str]:
    """The first `most` sentences of a language, all without."""
    return read_transcript(SENTENCES / f"{lang}.txt")[:most]


def plain(text: str) -> list[str]:
    """Words, or Chinese characters, in small letters without marks."""
    return [token.core for token in tokens(text)]


def corpus_texts(folder: Path) -> Iterator[str]:
    """Texts of every `*/manifest.jsonl` (`text` of a row) and `*/transcript.txt` below `folder`.

    Raises UserError when there is neither.
    """
    manifests, transcripts = sorted(folder.glob("*/manifest.jsonl")), sorted(folder.glob("*/transcript.txt"))
    if not manifests and not transcripts:
        raise UserError(f"{folder}: no */manifest.jsonl and no */transcript.txt below it", "give the corpus' folder")
    for path in manifests:
        yield from (json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line)
    for path in transcripts:
        yield from read_transcript(path)


def known(sentence: str, corpus: str) -> str:
    """The first run of SHARE of the sentence's words that stands in `corpus` (see `joined`), "" for none."""
    words = plain(sentence)
    size = max(FEWEST, math.ceil(SHARE * len(words)))
    for start in range(len(words) - size + 1):
        run = " ".join(words[start : start + size])
        if f" {run} " in corpus:
            return run
    return ""


def joined(texts: Iterator[str] | Sequence[str]) -> str:
    """Plain words of all texts in one string: blanks between words, a line break between texts."""
    return "\n".join(f" {' '.join(plain(text))} " for text in texts)


def check(folders: Sequence[Path]) -> int:
    """How many sentences were compared with the texts below `folders`. Raises UserError for one that is in them."""
    corpus = "\n".join(joined(corpus_texts(folder)) for folder in folders)
    every = [sentence for lang in LANGUAGES for sentence in sentences(lang)]
    for sentence in every:
        if run := known(sentence, corpus):
            raise UserError(f"{sentence}: {run!r} is in a training text", f"write another into {SENTENCES.name}/")
    return len(every)
