"""How long the silence before a line is: by the punctuation that ends the line before, and by what lies between."""

from __future__ import annotations

from dataclasses import dataclass

from voice.errors import UserError

GAPS = ("start", "line", "paragraph", "chapter")
LONGEST = 600.0  # seconds that a script may ask for
_CLOSERS = "\"'”’»›)]}」』）】》〉*_ "


@dataclass(frozen=True)
class Pauses:
    """Seconds of silence. The first six follow a line by its last mark; a gap makes its pause longer, never shorter."""

    comma: float = 0.15
    colon: float = 0.25
    stop: float = 0.35
    question: float = 0.4
    ellipsis: float = 0.5
    unmarked: float = 0.25
    paragraph: float = 0.8
    chapter: float = 2.0

    def before(self, previous: str | None, gap: str, extra: float = 0.0) -> float:
        """Seconds before a line. `previous` is the text before it, None when it is the first; `extra` is added.

        Raises UserError for an `extra` outside 0 to LONGEST (not a number included), ValueError for another gap.
        """
        if gap not in GAPS:
            raise ValueError(f"gap {gap!r}, known are {', '.join(GAPS)}")
        if not 0.0 <= extra <= LONGEST:
            raise UserError(f"pause of {extra:g} s: not in 0 to {LONGEST:g} s", "write seconds, such as [pause 1.5]")
        if previous is None or gap == "start":
            return extra
        floor = {"paragraph": self.paragraph, "chapter": self.chapter}.get(gap, 0.0)
        return max(self.after(previous), floor) + extra

    def after(self, text: str) -> float:
        """Seconds that the last mark of `text` asks for, closing quotes and brackets passed over."""
        text = text.rstrip(_CLOSERS)
        if text.endswith(("…", "...", "⋯")):
            return self.ellipsis
        marks = ((",，、､", self.comma), (";；:：—–", self.colon), (".。．｡", self.stop), ("?？!！", self.question))
        return next((seconds for kind, seconds in marks if text and text[-1] in kind), self.unmarked)
