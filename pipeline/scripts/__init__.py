"""Scripts to narrate in every format that is read here, as chapters and lines.

| file | a line is | chapters |
|---|---|---|
| `.txt` | a line of the file; a blank line makes a paragraph | none |
| `.md`, `.markdown` | a sentence of a paragraph | its headings, which are spoken too |
| `.epub` | a sentence of a paragraph, in reading order | where its table of contents points, else its headings |
| `.jsonl`, `.csv` | a row; columns are in `tables` | its `chapter` |
| `.srt`, `.vtt` | a cue with its slot of time | none |

In any of them a line may say how it is spoken, see `markup`; a cast file gives speakers their voices, see `cast`.
The table of a parsed script is in `contract`.
"""

from pipeline.scripts.cast import Cast, Role, read_cast
from pipeline.scripts.lines import Script, ScriptLine
from pipeline.scripts.reading import FORMATS, read_script

__all__ = [
    "FORMATS",
    "Cast",
    "Role",
    "Script",
    "ScriptLine",
    "read_cast",
    "read_script",
]
