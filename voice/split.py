"""Which segments are held out of training: decided by content, so that new data moves no old segment."""

from __future__ import annotations

from collections.abc import Mapping


def held_out(contents: Mapping[str, str], share: float, most: float) -> set[str]:
    """Ids to hold out, from `contents` (id -> sha256 of its audio, so that a corrected text moves nothing).

    A segment is held out when its hash, read as a number in [0, 1), lies below `share`. Two bounds come
    before that: at least one segment, and at most the share `most` (but one), lowest hashes first. Never all.
    """
    order = sorted(contents, key=lambda name: (contents[name], name))
    below = [name for name in order if int(contents[name], 16) < share * 16 ** len(contents[name])]
    count = min(max(1, len(below)), max(1, int(most * len(order))), len(order) - 1)
    return set(order[: max(0, count)])
