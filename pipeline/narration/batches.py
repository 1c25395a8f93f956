"""Lines rendered in batches of plain values, so that threads, processes and other machines can do it alike."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

from pipeline.engine import find_loader
from pipeline.narration.gate import ATTEMPTS, find_gate
from pipeline.narration.pool import Engines
from pipeline.narration.render import Renderer
from pipeline.narration.request import Request
from pipeline.narration.store import FOLDER, LineStore
from voice.errors import UserError

Outcome = dict[str, Any]
_Name = tuple[str, str, str | None, int]
_renderers: dict[_Name, Renderer] = {}
_making = threading.Lock()


def outcome(renderer: Renderer, request: Request) -> Outcome:
    """Render one line; {key, fresh, error}. One that cannot be said is noted, so that the rest goes on.

    Raises UserError when the disk refuses: the next line would fare no better.
    """
    try:
        _, fresh = renderer.render(request)
    except UserError as error:
        return {"key": request.key, "fresh": False, "error": str(error)}
    except OSError as error:
        raise disk_error(error, renderer.store.folder) from error
    except Exception as error:  # noqa: BLE001 - one bad line must not cost the other 499
        return {"key": request.key, "fresh": False, "error": f"{type(error).__name__}: {error}"}
    return {"key": request.key, "fresh": fresh, "error": None}


def render_batch(
    root: str, engine: str, gate: str | None, lines: list[dict[str, Any]], attempts: int = ATTEMPTS
) -> list[Outcome]:
    """Render lines (`Request.plain`) into the store of the project at `root`, with voices loaded in this process."""
    renderer = renderer_of(root, engine, gate, attempts)
    return [outcome(renderer, Request.from_plain(line)) for line in lines]


def adopt(renderer: Renderer, root: str, engine: str, gate: str | None, attempts: int = ATTEMPTS) -> None:
    """Let batches in this process use a renderer that is there already, with its voices."""
    with _making:
        _renderers.clear()  # of another project or engine: it would only hold memory
        _renderers[root, engine, gate, attempts] = renderer


def renderer_of(root: str, engine: str, gate: str | None, attempts: int = ATTEMPTS) -> Renderer:
    """This process's renderer; voices and gate are loaded once. Raises UserError for a wrong name."""
    name = (root, engine, gate, attempts)
    with _making:
        if name not in _renderers:
            folder = Path(root)
            engines = Engines(folder, find_loader(engine))
            _renderers.clear()
            _renderers[name] = Renderer(engines, LineStore(folder / FOLDER), find_gate(gate, folder), attempts)
        return _renderers[name]


def disk_error(error: OSError, folder: Path) -> UserError:
    """What a user is told when a file could not be written."""
    reason = "no space left" if error.errno == errno.ENOSPC else (error.strerror or str(error))
    return UserError(f"{folder}: {reason}", "finished lines are kept; mend it and run again")
