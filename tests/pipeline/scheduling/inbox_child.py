"""A process that visits an inbox with a narrator in small: lines are kept one by one, like those of a real voice.

python inbox_child.py INBOX OUTBOX STORE SECONDS_A_LINE
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import Any

from pipeline.scheduling.inbox import Inbox
from voice.errors import UserError
from voice.files import write_text


def narrator(store: Path, seconds: float) -> Any:
    """narrate(script, out): every line that the store lacks is "said" and noted in store/said.log."""

    def narrate(script: Path, out: Path) -> dict[str, Any]:
        lines = script.read_text(encoding="utf-8").splitlines()
        if not lines:
            raise UserError(f"{script}: no line to speak", "write one sentence or more")
        with (store / "begun.log").open("a") as log:
            log.write(f"{script.name}\n")
        for line in lines:
            kept = store / hashlib.sha256(line.encode()).hexdigest()
            if not kept.exists():
                time.sleep(seconds)
                write_text(kept, line.upper())
                with (store / "said.log").open("a") as log:
                    log.write(f"{line}\n")
        write_text(out / f"{script.stem}.wav", "\n".join(line.upper() for line in lines))
        return {"rendered": len(lines)}

    return narrate


def main() -> None:
    """Visit once and print what became of each file."""
    inbox, outbox, store = (Path(text) for text in sys.argv[1:4])
    for done in Inbox(inbox, outbox, narrator(store, float(sys.argv[4])), settle=0.02).visit():
        print(done.script, done.outcome, flush=True)


if __name__ == "__main__":
    main()
