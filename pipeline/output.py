"""What commands print: one JSON object with --json, else words; and the one line for an error."""

from __future__ import annotations

import json
import sys
from typing import Any


def emit_json(value: Any) -> None:
    """Print `value` as one JSON object on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def emit_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table on stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def complain(message: str) -> None:
    """Print an error as one line on stderr."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
