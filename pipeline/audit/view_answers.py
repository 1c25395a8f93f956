"""Forward answers, verifications and second runs as words for people."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from pipeline.audit.forward import Forward
from pipeline.audit.reproduce import Reproduced
from pipeline.audit.verify import Verified
from pipeline.audit.view import WIDTH, add_rows, shortened, utterance_line
from pipeline.ledger.chain import LEDGER

MANY = 12


def print_forward(found: Forward) -> None:
    """Print what became of an input."""
    Console(width=WIDTH).print(forward_tree(found))


def forward_tree(found: Forward) -> Tree:
    """Where it came in, its utterances, what was made of it, what was spoken with it, what the past made of it."""
    now = sum(item.there for item in found.made)
    counts = (
        f"{len(found.utterances)} utterance(s), {now} of {len(found.made)} output(s) present, "
        f"{len(found.sounds)} sound(s), {len(found.past)} version(s)"
    )
    tree = Tree(f"[bold]{escape(found.target)}[/]: {counts}; voices: {escape(', '.join(found.voices) or 'none')}")
    for origin in found.origins:
        missing = "  [red]recorded but missing[/]" if origin.missing else ""
        key = f"  {escape(origin.key)}" if origin.key else ""
        tree.add(f"{origin.kind} {escape(origin.path)}{key}{missing}")
    if found.utterances:
        branch = tree.add(f"utterances: {len(found.segments)} segment file(s), {len(found.shards)} feature shard(s)")
        add_rows(branch, [utterance_line(row) for row in found.utterances])
    if found.made:
        branch = tree.add("made of it, or with it")
        weighty = sorted(found.made, key=lambda item: not item.path.startswith("models/"))
        lines = []
        for item in weighty:
            share = "" if item.share == "made" else f"  {item.share or 'share not known'}"
            gone = "" if item.there else "  [red]recorded but missing[/]"
            lines.append(f"{escape(item.path)}  md5 {item.recorded}{share}{gone}")
        add_rows(branch, lines, MANY)
    if found.sounds:
        branch = tree.add("spoken")
        lines = []
        for sound in found.sounds:
            gone = "" if sound.there else "  [red]recorded but missing[/]"
            if sound.record.startswith(LEDGER):
                record = escape(sound.record)
                gone = f"  known by {record}" if sound.there else f"  [yellow]recorded in {record}, file not here[/]"
            version = sound.version if sound.version in ("now", "unknown") else sound.version[:12]
            who = escape(", ".join(sound.voices))
            lines.append(f"{escape(sound.path)}  {who}, weights: {version}{gone}  {escape(shortened(sound.text, 60))}")
        add_rows(branch, lines, MANY)
    if found.past:
        branch = tree.add("versions known to Git")
        lines = []
        for past in found.past:
            held = sum(file.cached for file in past.files)
            here = ", the present one" if past.present else ""
            lines.append(
                f"{past.commit[:12]}  {past.date}  {escape(', '.join(past.voices))}: {held} of {len(past.files)} "
                f"output(s) in the cache{here}  {escape(shortened(past.subject, 60))}"
            )
        add_rows(branch, lines)
    for note in found.notes:
        tree.add(f"[yellow]{escape(note)}[/]")
    return tree


def print_verified(found: Verified) -> None:
    """Print the verdict, each broken link, and the notes."""
    colour = "green" if found.ok else "red"
    tree = Tree(f"[bold]{escape(found.target)}[/]: [{colour}]{escape(found.verdict)}[/], {found.files} hash(es) read")
    add_rows(tree, [f"{kind}: {escape(text)}" for kind, text in found.broken], MANY)
    for note in found.notes:
        tree.add(escape(note))
    Console(width=WIDTH).print(tree)


def print_reproduced(found: Reproduced) -> None:
    """Print how a second run compares, what differs first."""
    same = sum(file.state == "same" for file in found.files)
    verdict = "[green]reproduced[/]" if found.ok else "[red]not reproduced[/]"
    counts = f"{same} of {len(found.files)} file(s) the same bytes, {found.seconds:.1f} s on {found.device}"
    tree = Tree(f"[bold]{escape(found.stage)}[/]: {verdict}, {counts}")
    lines = []
    for file in sorted(found.files, key=lambda item: item.state == "same"):
        far = "" if file.distance is None else f"  relative distance {file.distance:.2e}"
        lines.append(f"{escape(file.path)}  {file.state}  md5 {file.made}{far}")
    add_rows(tree, lines)
    Console(width=WIDTH).print(tree)
