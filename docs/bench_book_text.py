"""A made book for `bench_book.py`: chapters of English sentences of three to eight words, every line another one."""

from __future__ import annotations

import random
from collections.abc import Iterator

OWNERS = "The My Our Your His Her Their That This".split()
QUALITIES = "old small white quiet young tall warm cold dark kind brave strange green heavy gentle".split()
NAMES = "woman sailor teacher farmer doctor child river garden dog horse captain baker letter window boat".split()
VERBS = "saw found left carried followed painted forgot watched liked opened missed counted kept mended lost".split()
THINGS = "the door,a lamp,the road,a book,the bridge,a song,the money,a picture,the field,a key,the house".split(",")
ENDS = "today,again,at night,in the rain,by the sea,before noon,after dinner,last summer,with care,for us".split(",")
SHORT = "slept,waited,laughed,came back,went away,sat down,sang,worked,was late,grew up".split(",")
TITLES = "The Harbour,A Long Winter,The Letter,Across The River,The Market,A New Road,The Visit,Home".split(",")


def book(lines: int, chapters: int, seed: int = 0) -> list[tuple[str, list[str]]]:
    """(title, sentences) of each chapter: `lines` lines in all, titles counted. The same for the same numbers."""
    if not 1 <= chapters <= len(TITLES) or lines < 2 * chapters:
        raise SystemExit(f"{lines} lines in {chapters} chapters: use 1 to {len(TITLES)} chapters, two lines each")
    found = _sentences(random.Random(seed))
    sizes = [(lines - chapters) // chapters + (place < (lines - chapters) % chapters) for place in range(chapters)]
    return [(TITLES[place], [next(found) for _ in range(size)]) for place, size in enumerate(sizes)]


def edited(chapters: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """The same book with another sentence in the middle of the middle chapter."""
    middle = len(chapters) // 2
    title, sentences = chapters[middle]
    place = len(sentences) // 2
    return [
        *chapters[:middle],
        (title, [*sentences[:place], "Nobody had written this before.", *sentences[place + 1 :]]),
        *chapters[middle + 1 :],
    ]


def moved(chapters: list[tuple[str, list[str]]], seed: int = 0) -> list[tuple[str, list[str]]]:
    """The same lines, each in a chapter by lot."""
    everything = [text for _, sentences in chapters for text in sentences]
    random.Random(seed).shuffle(everything)
    parts: list[tuple[str, list[str]]] = []
    for title, sentences in chapters:
        parts.append((title, everything[: len(sentences)]))
        everything = everything[len(sentences) :]
    return parts


def markdown(chapters: list[tuple[str, list[str]]]) -> str:
    """The book as a script; every sentence is a paragraph."""
    return "".join(f"# {title}\n\n" + "".join(f"{text}\n\n" for text in texts) for title, texts in chapters)


def _sentences(chosen: random.Random) -> Iterator[str]:
    told: set[str] = set()
    while True:
        start = f"{chosen.choice(OWNERS)} {chosen.choice([*QUALITIES, ''])} {chosen.choice(NAMES)}"
        if chosen.random() < 0.2:
            rest = chosen.choice(SHORT)
        else:
            rest = f"{chosen.choice(VERBS)} {chosen.choice(THINGS)} {chosen.choice([*ENDS, '', ''])}"
        text = " ".join(f"{start} {rest}".split()) + "."
        if 3 <= len(text.split()) <= 8 and text not in told:
            told.add(text)
            yield text
