"""An audit as one HTML page: no script, no network, everything inside. Equal answers give equal bytes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template

from pipeline.audit.backward import Audit
from pipeline.audit.drawing import HEIGHT, WIDTH, draw
from voice.errors import UserError
from voice.files import write_bytes
from voice.report.templates import templates

SUFFIXES = (".html", ".htm")


def check_page(file: Path) -> None:
    """Raise UserError for a name that no page has: a mistyped one could be that of weights."""
    if file.suffix.lower() not in SUFFIXES or file.is_dir():
        raise UserError(f"--html {file}: not the name of a page", "for example --html audit.html")


def write_page(audit: Audit, file: Path) -> None:
    """Write the page, whole or not at all. Raises UserError for another suffix, and when it cannot be written."""
    check_page(file)
    try:
        write_bytes(file, render(audit).encode("utf-8", "replace"))  # half signs are no UTF-8
    except OSError as error:
        raise UserError(f"--html {file}: {error.strerror or error}", "choose another place") from error


def render(audit: Audit) -> str:
    """The page. All text is escaped; how many hashes were read this time is no part of it."""
    return _template().render(audit=audit, drawing=draw(audit.steps), box=(WIDTH, HEIGHT))


@cache
def _template() -> Template:
    environment = templates(Path(__file__).parent, keep_trailing_newline=True)
    environment.filters["plain"] = _plain
    return environment.get_template("page.html.j2")


def _plain(value: Any) -> str:
    """JSON with sorted keys."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str)
