"""Every second of every recording as a coloured strip: accepted, set aside, too short, or silence.

Strips are SVG that fills the width it gets, so a phone shows them too; the words around them stay text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from voice.report.data_tables import Row, Tables, duration, number, word

# Kind -> its name on the page, in the order of the legend.
KINDS = {
    "accepted": "accepted",
    "quarantined": "set aside",
    "rejected": "left out",
    "waiting": "not aligned",
    "silence": "no speech",
}
_LINES = 60  # about as many lines as a page of strips gets
_SHORTEST, _LONGEST = 60.0, 240.0  # seconds a line
_HEIGHT = {"accepted": 10, "quarantined": 10, "waiting": 10, "rejected": 6}


@dataclass(frozen=True)
class Span:
    """A stretch of a recording in seconds: its kind, segment id, and what is told of it."""

    start: float
    end: float
    kind: str
    name: str
    text: str


@dataclass(frozen=True)
class Piece:
    """One strip: its share of a line in percent, and the SVG."""

    percent: float
    svg: str


@dataclass(frozen=True)
class Block:
    """One long recording, or several short ones in a row."""

    title: str
    pieces: list[Piece]


def spans(tables: Tables) -> dict[str, list[Span]]:
    """By recording, in time; a segment that is in no table of `align` waits."""
    found: dict[str, list[Span]] = defaultdict(list)
    done = set()
    for kind, rows in (
        ("accepted", tables.aligned),
        ("quarantined", tables.quarantined),
        ("rejected", tables.rejected_segments),
        ("waiting", tables.segments),
    ):
        for row in rows:
            start, end, name = number(row, "start"), number(row, "end"), word(row, "id")
            if start is None or end is None or end <= start or (kind == "waiting" and name in done):
                continue
            done.add(name)
            about = word(row, "reason") or word(row, "text")
            found[word(row, "recording")].append(Span(start, end, kind, name, about))
    return {name: sorted(items, key=lambda span: (span.start, span.end)) for name, items in found.items()}


def shares(tables: Tables) -> list[dict[str, float]]:
    """For each recording the percent of its time that is of each kind; the rest is silence."""
    by_recording = spans(tables)
    found = []
    for row in tables.recordings:
        length = duration(row)
        percent = dict.fromkeys(KINDS, 0.0)
        for span in by_recording.get(word(row, "id"), ()) if length else ():
            percent[span.kind] += 100 * (span.end - span.start) / length
        found.append({kind: round(min(100.0, share), 2) for kind, share in percent.items()})
    return found


def line_seconds(lengths: Sequence[float]) -> float:
    """Seconds a line shows: few enough to see a segment, enough for hours to stay a page; the longest recording fills
    its lines."""
    line = min(_LONGEST, max(_SHORTEST, sum(lengths) / _LINES))
    longest = max(lengths, default=line)
    return longest / round(longest / line) if longest > line else line


def timeline(recordings: Sequence[Row], by_recording: Mapping[str, Sequence[Span]]) -> list[Block]:
    """Blocks in the order of `recordings`; long ones are cut into lines, short ones share lines."""
    lengths = [(word(row, "id"), duration(row)) for row in recordings]
    line = line_seconds([length for _, length in lengths])
    blocks: list[Block] = []
    short: list[tuple[str, list[Piece]]] = []

    def flush() -> None:
        if short:
            title = short[0][0] if len(short) == 1 else f"{len(short)} recordings, {short[0][0]} to {short[-1][0]}"
            blocks.append(Block(title, [piece for _, pieces in short for piece in pieces]))
            short.clear()

    for name, length in lengths:
        if length <= 0:
            continue
        inside = by_recording.get(name, ())
        pieces = []
        for number_, start in enumerate(_starts(length, line)):
            end = min(length, start + line)
            label = name if length <= line else f"{name}, line {number_ + 1}"
            pieces.append(Piece(round(100 * (end - start) / line, 3), strip(label, start, end, inside)))
        if length > line / 3:
            flush()
            blocks.append(Block(f"{name}, {clock(length)}", pieces))
        else:
            short.append((name, pieces))
    flush()
    return blocks


def strip(label: str, start: float, end: float, items: Sequence[Span]) -> str:
    """The SVG of `start` to `end` seconds; each span leads to its row."""
    length = end - start
    parts = []
    for span in items:
        left, right = max(span.start, start), min(span.end, end)
        if right <= left:
            continue
        height = _HEIGHT[span.kind]
        told = f"{span.name}, {clock(span.start)} to {clock(span.end)}, {KINDS[span.kind]}: {span.text[:120]}"
        box = f'x="{left - start:.2f}" y="{10 - height}" width="{right - left:.2f}" height="{height}"'
        bar = f'<rect class="{span.kind}" {box}><title>{escape(told)}</title></rect>'
        # What waits has no row to lead to.
        linked = f'<a href="#s-{escape(span.name)}" tabindex="-1">{bar}</a>'
        parts.append(bar if span.kind == "waiting" else linked)
    names = f"{label}, {clock(start)} to {clock(end)}: {len(parts)} stretches of speech"
    return (
        f'<svg viewBox="0 0 {length:.2f} 10" preserveAspectRatio="none" role="img" aria-label="{escape(names)}">'
        f"<title>{escape(label)}</title>{''.join(parts)}</svg>"
    )


def clock(seconds: float) -> str:
    """`12.3 s`, from a minute on `1:02.3`, from an hour on `1:01:02`."""
    tenths = round(seconds * 10)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(tenths, 600)
    if minutes < 60:
        return f"{minutes}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest // 10:02d}"


def _starts(length: float, line: float) -> list[float]:
    return [line * place for place in range(max(1, -int(-(length - 1e-6) // line)))]
