"""What `reprovoice consent revoke` tells: who is concerned, what was derived, what stays."""

from __future__ import annotations

import sys

from pipeline.revocation import Revocation


def told(done: Revocation) -> None:
    """Print a revocation in words; notes for people go to stderr."""
    because = f" because {done.reason}" if done.reason else ""
    print(f"{done.id}: revoked on {done.date}{because}; written to consent/revoked.jsonl, commit it")
    print(f"voices that train and speak no more: {', '.join(done.voices) or 'none'}")
    for name in done.files:
        print(f"  {name}")
    print(f"{len(done.objects)} objects and {len(done.runs)} run records in DVC's cache")
    if done.shared:
        print(f"caches of all voices, made again when needed: {', '.join(done.shared)}")
    if done.kept:
        stages = sorted(set(done.kept.values()))
        print(f"{len(done.kept)} objects are kept, which are also of {', '.join(stages)}")
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
