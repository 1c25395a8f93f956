"""Whether a segment is fit for training, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass

from voice.alignment.spoken import Spoken, jumps
from voice.edits import Decision
from voice.text import Reading


@dataclass(frozen=True)
class Bounds:
    """Scores in (0, 1], nats a frame, phones a second, and seconds of sound that no word explains."""

    min_score: float
    min_contrast: float
    min_weakest: float
    min_phones_per_second: float
    max_phones_per_second: float
    max_unexplained: float


def fault(spoken: Spoken, reading: Reading | None, rate: float, bounds: Bounds) -> tuple[str, str] | None:
    """Reason and detail for which a segment is set aside, or None when it is fit for training."""
    if reading is None or not reading.phones or not spoken.words:
        return "no_words", "no word of the transcript is spoken here"
    if not spoken.times:
        return "no_room", "its words do not fit into its time"
    if jumps(spoken):
        return "jump", f"{spoken.passed} words of the transcript are passed over inside"
    if spoken.torn:
        return "part_of_line", "the rest of its line is not where it should follow"
    if rate > bounds.max_phones_per_second:
        return "too_fast", f"{rate:.1f} phones/s > align.max_phones_per_second {bounds.max_phones_per_second:g}"
    if rate < bounds.min_phones_per_second:
        return "too_slow", f"{rate:.1f} phones/s < align.min_phones_per_second {bounds.min_phones_per_second:g}"
    if spoken.unexplained > bounds.max_unexplained:
        return "untranscribed", f"{spoken.unexplained:.2f} s of speech without words > align.max_unexplained"
    if spoken.score < bounds.min_score:
        return "low_score", f"score {spoken.score:.3f} < align.min_score {bounds.min_score:g}"
    if spoken.contrast < bounds.min_contrast:
        return "low_contrast", f"{spoken.contrast:.2f} nats better than in disorder < align.min_contrast"
    if spoken.weakest < bounds.min_weakest:
        return "weak_part", f"score {spoken.weakest:.3f} in a part < align.min_weakest {bounds.min_weakest:g}"
    return None


def decided(found: tuple[str, str] | None, decision: Decision | None) -> tuple[str, str] | None:
    """The same after a reviewer's decision: a reject stands, an accept lifts all but a lack of words."""
    if decision is None:
        return found
    if decision.rejected:
        edit = decision.rejected
        return "reviewer", f"rejected by {edit.who} on {edit.when:%Y-%m-%d}: {edit.why}"
    if decision.accepted and found and found[0] not in ("no_words", "no_room"):
        return None
    return found
