"""An audit as a tree for people: the first rows of each table; --json has all."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from pipeline.audit.backward import Audit
from pipeline.audit.chain import Link, Step
from pipeline.audit.environment import Environment
from pipeline.audit.utterances import Utterance, Utterances

COLOURS = {"ok": "green", "changed": "red", "missing": "red", "unrecorded": "yellow"}


WIDTH = 1000  # a tree cuts what is wider than the console, and a cut hash is none; terminals wrap by themselves
LONGEST = 100  # characters of a text or a parameter's value
ROWS = 6  # of each table


def print_audit(audit: Audit) -> None:
    """Print the tree on stdout."""
    Console(width=WIDTH).print(audit_tree(audit))


def add_rows(branch: Tree, lines: Sequence[str], rows: int = ROWS) -> None:
    """The first lines, and how many more there are."""
    for line in lines[:rows]:
        branch.add(line)
    if len(lines) > rows:
        branch.add(f"... and {len(lines) - rows} more (--json)")


def audit_tree(audit: Audit) -> Tree:
    """Sources first, then utterances, the base, the stages in the order they ran, metrics, code, what was spoken."""
    colour = "green" if audit.fresh else "red"
    tree = Tree(f"[bold]{escape(audit.target)}[/]: [{colour}]{escape(audit.verdict)}[/]")
    for source in audit.sources:
        branch = tree.add(f"voice {escape(source.voice)}: basis {source.basis}, scope {escape(source.scope)}")
        recordings = sorted(source.recordings, key=lambda item: item.state == "ok")
        add_rows(branch, [f"{escape(r.path)}  sha256 {r.sha256}  {state(r.state)}" for r in recordings])
        if source.error:
            branch.add(f"[red]{escape(source.error)}[/]")
        if source.consent_ids:
            branch.add(f"consent {escape('  '.join(source.consent_ids))}")
    for table in audit.utterances:
        _add_utterances(tree, table)
    if audit.base:
        branch = tree.add("base weights")
        for weights in audit.base:
            origin = f"  from {escape(weights.origin)}" if weights.origin else ""
            branch.add(f"{escape(weights.path)}  sha256 {weights.sha256}  {state(weights.state)}{origin}")
        licences = {(weights.licence, weights.card_file) for weights in audit.base if weights.card_file}
        for licence, card in sorted(licences, key=str):
            branch.add(f"card {escape(str(card))}, licence {escape(shortened(licence or 'not stated'))}")
    for step in audit.steps:
        _add_step(tree, step)
    for item in audit.metrics:
        how = "bound to the present weights" if item.bound else f"not bound to the present weights: {item.why}"
        tree.add(f"metrics {escape(item.path)}: {escape(how)}")
    _add_environment(tree, audit.environment)
    if audit.narrated is not None:
        told = audit.narrated
        branch = tree.add(f"spoken by {escape(', '.join(told.voices))}, record {escape(told.record)}")
        if told.copy_of:
            branch.add(f"{'a signed copy' if told.credentials else 'the bytes'} of {escape(told.copy_of)}")
        if told.credentials:
            branch.add(f"content credentials {escape(told.credentials.told)}")
        if told.consents:
            branch.add(f"under consent {escape('  '.join(told.consents))}")
        files = sorted(told.files, key=lambda file: file.state == "ok")
        lines = [f"{escape(f.path)}  sha256 {f.recorded}  {state(f.state)}  {escape(shortened(f.text))}" for f in files]
        add_rows(branch, lines)
    tree.add(f"{audit.read} hash(es) read now, {audit.unchanged} of files untouched since they were read")
    return tree


def _add_utterances(tree: Tree, table: Utterances) -> None:
    counts = ", ".join(f"{count} {fate}" for fate, count in table.fates().items())
    branch = tree.add(f"utterances of {escape(table.voice)}: {counts}")
    shown = [row for row in table.rows if row.fate != "excluded"]
    add_rows(branch, [utterance_line(row) for row in shown])
    excluded = [row for row in table.rows if row.fate == "excluded"]
    add_rows(branch, [utterance_line(row) for row in excluded])
    for note in table.notes:
        branch.add(f"[red]{escape(note)}[/]")


def utterance_line(row: Utterance) -> str:
    """One utterance: where it is from, what became of it, what it says."""
    span = "" if row.start is None or row.end is None else f" {row.start:.2f}-{row.end:.2f} s"
    score = "" if row.score is None else f", score {row.score:.3f}"
    why = f" by {row.stage}: {row.reason}" if row.fate == "excluded" else ""
    times = ", ".join(f"{name} {'unknown' if n is None else n}" for name, n in row.times.items())
    seen = f", times trained on: {times}" if times and row.fate == "train" else ""
    edited = ", edited" if row.edits else ""
    text = f"  {shortened(row.text)}" if row.text else ""
    return escape(f"{row.id}  {row.file or row.recording}{span}  {row.fate}{why}{score}{seen}{edited}{text}")


def _add_step(tree: Tree, step: Step) -> None:
    branch = tree.add(f"stage [bold]{escape(step.stage)}[/]  {escape(step.command)}")
    code = [link for link in step.deps if link.kind == "code"]
    wrong = [link for link in code if link.state != "ok"]
    inputs = [link for link in step.deps if link.kind != "code"]
    data = [link for link in inputs if link.kind != "made" or link.state != "ok"]
    add_rows(branch, [f"{link.kind} {_link(link)}" for link in sorted(data, key=lambda link: link.state == "ok")])
    add_rows(branch, [f"code {_link(link)}" for link in wrong])
    made = len(inputs) - len(data)
    above = f"made by stages above {made}, " if made else ""
    branch.add(f"{above}code {len(code) - len(wrong)} file(s)  {state('ok')}")
    for param in step.params:
        value = shortened(repr(param.recorded if param.current is None else param.current), 60)
        if param.state != "ok":
            branch.add(f"params {escape(param.name)} = {escape(value)}  {state(param.state)}")
    good = ", ".join(param.name for param in step.params if param.state == "ok")
    if good:
        branch.add(f"params {escape(good)}  {state('ok')}")
    outs = sorted(step.outs, key=lambda link: link.state == "ok")
    add_rows(branch, [f"output {_link(link)}" for link in outs])


def _add_environment(tree: Tree, found: Environment) -> None:
    branch = tree.add(f"code: commit {found.commit or 'unknown'}")
    for note in found.notes:
        branch.add(escape(note))
    if found.dirty:
        named = ", ".join(found.dirty[:3]) + (f" and {len(found.dirty) - 3} more" if len(found.dirty) > 3 else "")
        branch.add(f"[yellow]differs from it in {escape(named)}[/]; sha256 of the differences {found.dirty_sha256}")
    if found.commit:
        branch.add(f"dvc.lock as in commit {found.recorded_in}" if found.recorded_in else "dvc.lock is not committed")
    branch.add(f"{found.libraries} sha256 {found.libraries_sha256 or 'missing'}")
    seeds = ", ".join(f"{name} {seed}" for name, seed in found.seeds) or "none"
    branch.add(f"device {escape(found.device)}; threads {found.threads}; seeds: {escape(seeds)}")


def _link(link: Link) -> str:
    members = f"  {escape(', '.join(link.members[:3]))}" if link.members else ""
    return f"{escape(link.path)}  md5 {link.recorded}  {state(link.state)}{members}"


def state(word: str) -> str:
    """A state in its colour."""
    return f"[{COLOURS.get(word, 'red')}]{word}[/]"


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text cut to `longest` characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}..."
