"""review.html: the lines of a narration that a person should hear, each with player, text, reasons and attempts.

Listed are lines that fail the gate, and lines that pass it after a failed attempt. No script and no network; sound is
linked, relative to the folder that holds the page. Equal lines give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from voice.errors import UserError
from voice.files import write_bytes

PAGE = "review.html"


@dataclass(frozen=True)
class Attempt:
    """One take of a line: its seed, and the reasons against it in words (none: it passed)."""

    seed: int
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the gate let it pass."""
        return not self.reasons


@dataclass(frozen=True)
class ReviewLine:
    """A line as it stands in the book.

    - number: of the line in the script; chapter: its title, "" without
    - file: sound of the attempt that was kept, relative to the output folder; None when nothing could be said
    - attempts: in the order they were made; kept: place of the one that was kept; error: why nothing could be said
    """

    number: int
    text: str
    voice: str
    file: str | None
    attempts: tuple[Attempt, ...]
    kept: int = 0
    chapter: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether what was kept passed the gate."""
        return not self.error and bool(self.attempts) and self.attempts[self.kept].ok

    @property
    def shown(self) -> bool:
        """Whether a person should hear it."""
        return not self.ok or len(self.attempts) > 1


def write_review(out: Path, title: str, lines: Iterable[ReviewLine], ear: str) -> tuple[int, int]:
    """Write `out`/review.html; returns how many lines fail and how many passed after retries.

    `ear` names what listened. A page without lines says so, and takes the place of an older one. Raises UserError when
    a line's file would lie outside `out`.
    """
    failing: list[ReviewLine] = []
    mended: list[ReviewLine] = []
    count = 0
    for count, line in enumerate(lines, start=1):  # noqa: B007 - the last one is the number of lines
        if line.shown:
            (mended if line.ok else failing).append(line)
    page = render(title, count, failing, mended, ear)
    write_bytes(out / PAGE, page.encode("utf-8", "replace"))  # half signs are no UTF-8
    return len(failing), len(mended)


def render(title: str, count: int, failing: Sequence[ReviewLine], mended: Sequence[ReviewLine], ear: str) -> str:
    """The page. All text is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["link"] = link
    return environment.from_string(_TEMPLATE).render(
        title=title, count=count, parts=[("failing", failing), ("mended", mended)], ear=ear, headings=_HEADINGS
    )


def link(file: str) -> str:
    """A relative address of `file`. Raises UserError for one that leaves the folder of the page."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file or not path.parts:
        raise UserError(f"review: {file!r} leaves the output folder", "narrate again into an empty folder")
    return "./" + quote(path.as_posix())


_HEADINGS = {"failing": "Lines that fail", "mended": "Lines that passed after a failed attempt"}

_TEMPLATE = """\
{% macro attempts(line) %}
{% if line.attempts %}
<table>
<tr><th class="n">attempt</th><th class="n">seed</th><th>heard</th></tr>
{% for one in line.attempts %}
<tr{% if loop.index0 == line.kept %} class="kept"{% endif %}><td class="n">{{ loop.index }}</td>\
<td class="n">{{ one.seed }}</td>
<td>{% if one.ok %}passed{% else %}{% for reason in one.reasons %}<div>{{ reason }}</div>{% endfor %}{% endif %}\
{% if loop.index0 == line.kept %} <span class="quiet">(kept)</span>{% endif %}</td></tr>
{% endfor %}
</table>
{% endif %}
{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" \
content="default-src 'none'; style-src 'unsafe-inline'; media-src 'self' file:; img-src data:">
<link rel="icon" href="data:,">
<title>Review of {{ title }}</title>
<style>
  :root { color-scheme: light dark; --line: #8885; --soft: #8882; --bad: #b3261e; }
  @media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; } }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 1.5rem auto; padding: 0 1rem; \
overflow-wrap: anywhere; }
  h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
  article { border-bottom: 1px solid var(--line); padding: 1rem 0; }
  h3 { margin: 0 0 .3rem; font-size: 1rem; }
  .said { margin: 0 0 .5rem; font-size: 1.1rem; white-space: pre-wrap; }
  .quiet { opacity: .75; font-size: .875rem; }
  .bad { color: var(--bad); font-weight: 600; }
  audio { width: 20rem; max-width: 100%; height: 2.25rem; display: block; margin: .3rem 0; }
  table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .9rem; }
  th, td { border-bottom: 1px solid var(--line); padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top; }
  .n { text-align: right; font-variant-numeric: tabular-nums; width: 1%; white-space: nowrap; padding-right: 1.2rem; }
  tr.kept { background: var(--soft); }
</style>
</head>
<body>
<header>
<h1>Review of {{ title }}</h1>
<p>Of {{ count }} lines {{ parts[0][1] | length }} fail, {{ parts[1][1] | length }} passed after a failed attempt.
All sound here is AI-generated speech. Heard by: {{ ear }}.</p>
</header>
<main>
{% for name, lines in parts if lines %}
<section id="{{ name }}">
<h2>{{ headings[name] }} ({{ lines | length }})</h2>
{% for line in lines %}
<article id="line-{{ line.number }}">
<h3>Line {{ line.number }}{% if line.chapter %}, {{ line.chapter }}{% endif %} \
<span class="quiet">{{ line.voice }}</span></h3>
<p class="said" dir="auto">{{ line.text }}</p>
{% if line.file %}
<audio controls preload="none" src="{{ line.file | link }}" aria-label="Play line {{ line.number }}"></audio>
{% else %}
<p class="quiet">no sound</p>
{% endif %}
{% if line.error %}
<p class="bad">{{ line.error }}</p>
{% elif not line.ok and line.attempts %}
<ul class="bad">{% for reason in line.attempts[line.kept].reasons %}<li>{{ reason }}</li>{% endfor %}</ul>
{% endif %}
{{ attempts(line) }}
</article>
{% endfor %}
</section>
{% else %}
<p>There is nothing to hear: every line passed at its first attempt.</p>
{% endfor %}
</main>
</body>
</html>
"""
