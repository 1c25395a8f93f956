"""How pages are made: text is escaped, a name that nobody gave is an error, blocks leave no empty lines."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates(folder: Path, *, autoescape: bool = True, keep_trailing_newline: bool = False) -> Environment:
    """The templates in `folder`; the options are jinja's own."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
    )
