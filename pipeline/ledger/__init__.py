"""The signed ledger of generated speech: ledger/narrations.jsonl, a line for each narration and each `say`.

- `entry`: what a line holds; `chain`: lines read and checked; `key`: who signs; `append`: a line added, whole or not
- `record`: what narrate and say write down; `find`: which run made these bytes; `verify`, `repair`: for people

Nothing here imports DVC or torch: it is read and written beside every sound.
"""

from pipeline.ledger.chain import LEDGER, LedgerError

__all__ = ["LEDGER", "LedgerError"]
