"""Narrate a script: render the lines that are missing, put the book together, say what was done.

- `request`: a line as plain values with its key; `pool`: voices, loaded once
- `gate`, `judging`, `listening`: what judges a line
- `render`: one line; `fit`: into the slot of a subtitle; `words`: when each word is said; `store`: finished lines
- `batches`: many lines, in whatever process; `job`: all of one narration; `run`: in this process, without Prefect
- `ahead`: handed over to a flow of this process
- `layout`, `sound`, `captions`, `book`: pauses, streams, subtitles, files; `manifest`, `provenance`, `report`: records
"""

from pipeline.narration.job import Narration
from pipeline.narration.lock import only_one
from pipeline.narration.manifest import read_manifest
from pipeline.narration.options import BookOptions
from pipeline.narration.report import NarrationPlan, NarrationReport
from pipeline.narration.run import run_narration
from pipeline.narration.store import LineStore

__all__ = [
    "BookOptions",
    "LineStore",
    "Narration",
    "NarrationPlan",
    "NarrationReport",
    "only_one",
    "read_manifest",
    "run_narration",
]
