from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from voice.split import held_out

SETS = st.sets(st.integers(0, 10**6), min_size=2, max_size=80)


def contents(numbers: set[int]) -> dict[str, str]:
    return {f"s{n}": hashlib.sha256(str(n).encode()).hexdigest() for n in numbers}


@given(SETS, SETS)
def test_more_data_moves_nothing_unless_a_bound_of_small_voices_holds(old: set[int], new: set[int]) -> None:
    share = 0.2
    before, after = held_out(contents(old), share, 1.0), held_out(contents(old | new), share, 1.0)
    by_hash = {name for name, digest in contents(old).items() if int(digest, 16) < share * 16**64}
    if by_hash and len(by_hash) < len(old):
        assert before == by_hash and before <= after
        assert not (after - before) & set(contents(old))


@given(SETS, st.floats(0, 1), st.floats(0, 1))
def test_one_at_least_and_never_all_in_any_order(numbers: set[int], share: float, most: float) -> None:
    all_of = contents(numbers)
    found = held_out(all_of, share, most)
    assert 1 <= len(found) < len(all_of) and found <= set(all_of)
    assert len(found) <= max(1, int(most * len(all_of)))
    assert held_out(dict(sorted(all_of.items(), reverse=True)), share, most) == found
