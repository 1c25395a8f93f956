"""Add a voice to params.yaml as text, so that its comments and layout stay as they are."""

from __future__ import annotations

from typing import Any

import yaml


def with_voice(text: str, voice: str, lang: str) -> str | None:
    """`text` of a params.yaml with `voices.<voice>.lang` added behind the last voice.

    None when `voices` is not written as one block a voice, or the result would not say just that.
    """
    block = _block(text)
    if block is None:
        return None
    last, indent = block
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines[last].endswith("\r\n") else "\n"
    if not lines[last].endswith("\n"):
        lines[last] += end
    pad = " " * indent
    lines.insert(last + 1, f"{pad}{voice}:{end}{pad}{pad or '  '}lang: {lang}{end}")
    result = "".join(lines)
    before = yaml.safe_load(text)
    before["voices"][voice] = {"lang": lang}
    try:
        same = yaml.safe_load(result) == before
    except yaml.YAMLError:
        return None
    return result if same else None


def _block(text: str) -> tuple[int, int] | None:
    """Number of the last line of `voices`, and the column of its keys; None when it is empty or in one line."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    voices = next((value for key, value in root.value if key.value == "voices"), None)
    if not isinstance(voices, yaml.MappingNode) or voices.flow_style or not voices.value:
        return None
    return _last_line(voices), voices.value[0][0].start_mark.column


def _last_line(node: Any) -> int:
    """The line of the last thing written: a block's own end lies behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1])
    return int(node.end_mark.line)
