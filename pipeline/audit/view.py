"""An audit as a tree for people."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from pipeline.audit.backward import Audit
from pipeline.audit.chain import Link, Step

COLOURS = {"ok": "green", "changed": "red", "missing": "red", "unrecorded": "yellow"}


WIDTH = 1000  # a tree cuts what is wider than the console, and a cut hash is none; terminals wrap by themselves
LONGEST = 160  # characters of a parameter's value


def print_audit(audit: Audit) -> None:
    """Print the tree on stdout."""
    Console(width=WIDTH).print(audit_tree(audit))


def audit_tree(audit: Audit) -> Tree:
    """Sources first, then the base, then the stages in the order they ran, then what was spoken."""
    colour = "green" if audit.fresh else "red"
    tree = Tree(f"[bold]{escape(audit.target)}[/]: [{colour}]{escape(audit.verdict)}[/]")
    for source in audit.sources:
        branch = tree.add(f"voice {escape(source.voice)}: basis {source.basis}, scope {escape(source.scope)}")
        for item in source.recordings:
            branch.add(f"{escape(item.path)}  sha256 {item.sha256}  {_state(item.state)}")
        if source.error:
            branch.add(f"[red]{escape(source.error)}[/]")
    if audit.base:
        branch = tree.add("base weights")
        for weights in audit.base:
            origin = f"  from {escape(weights.origin)}" if weights.origin else ""
            branch.add(f"{escape(weights.path)}  sha256 {weights.sha256}  {_state(weights.state)}{origin}")
    for step in audit.steps:
        _add_step(tree, step)
    if audit.narrated is not None:
        branch = tree.add(f"spoken by {escape(audit.narrated.voice)}, record {escape(audit.narrated.record)}")
        for file in audit.narrated.files:
            branch.add(f"{escape(file.path)}  sha256 {file.recorded}  {_state(file.state)}  {escape(file.text)}")
    return tree


def _add_step(tree: Tree, step: Step) -> None:
    branch = tree.add(f"stage [bold]{escape(step.stage)}[/]  {escape(step.command)}")
    for link in step.deps:
        branch.add(f"{link.kind} {_link(link)}")
    for param in step.params:
        value = repr(param.current)
        value = value if len(value) <= LONGEST else f"{value[:LONGEST]}..."
        branch.add(f"params {escape(param.name)} = {escape(value)}  {_state(param.state)}")
    for link in step.outs:
        branch.add(f"output {_link(link)}")


def _link(link: Link) -> str:
    return f"{escape(link.path)}  md5 {link.recorded}  {_state(link.state)}"


def _state(state: str) -> str:
    return f"[{COLOURS[state]}]{state}[/]"
