"""Plain text: a line of the file is a line, a blank one makes a paragraph. Headings are not guessed."""

from __future__ import annotations

from pipeline.scripts.build import Builder
from pipeline.scripts.lines import tidy
from pipeline.scripts.markup_html import refuse_html
from voice.transcripts.decode import lines_of


def read_plain(text: str, builder: Builder) -> None:
    """Add the lines of a `.txt` to `builder`. Raises UserError, which names the line."""
    for number, raw in enumerate(lines_of(text), start=1):
        line = tidy(raw)
        if not line:
            builder.paragraph()
            continue
        refuse_html(line, builder.place.at(number))
        builder.block(number, line, split=False)
