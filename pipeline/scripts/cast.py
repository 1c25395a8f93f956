"""Cast files: which voice speaks whose lines.

    narrator: anna          # all lines without a speaker; without it they are the run's voice
    ALICE: alice_v2
    Bob:
      voice: bob
      ref: refs/bob_angry.wav    # below the folder of the cast file
      ref_text: What do you want?
      speed: 1.05
      lang: en

Names are compared without regard to case and spaces.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.scripts.lines import How, tidy
from pipeline.scripts.values import FIELDS
from voice.errors import UserError
from voice.transcripts.decode import read_text

NARRATOR = "narrator"
_KEYS = ("voice", "ref", "ref_text", "speed", "lang")
_LONGEST = 60  # characters of a name
_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Role:
    """A speaker's name as it was written, and how he speaks."""

    name: str
    how: How


@dataclass(frozen=True)
class Cast:
    """Speakers by the key of their names; `narrator` speaks all other lines."""

    path: Path
    narrator: How = How()
    roles: dict[str, Role] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names as they were written."""
        return [role.name for role in self.roles.values()]

    def find(self, name: str) -> Role | None:
        """The speaker of that name, or None; the narrator is always there."""
        key = _key(name)
        return Role(NARRATOR, self.narrator) if key == NARRATOR else self.roles.get(key)


def read_cast(path: Path, voices: Collection[str] | None = None) -> Cast:
    """The cast in `path`; each voice must be one of `voices` when they are given.

    Raises UserError (file, line, name, rule) for a file that is not such a mapping, an unknown voice, a reference that
    is not there, a name given twice.
    """
    narrator, roles, lines = How(), dict[str, Role](), dict[str, int]()
    for name_node, value_node in _entries(path):
        where = f"{path}, line {name_node.start_mark.line + 1}"
        name = _name(name_node, where)
        key = _key(name)
        if key in lines:
            raise UserError(f"{where}: {name} is given in line {lines[key]} already", "keep one of them")
        lines[key] = name_node.start_mark.line + 1
        how = _how(value_node, path.parent, f"{where}: {name}", voices)
        if key == NARRATOR:
            narrator = how
        else:
            roles[key] = Role(name, how)
    return Cast(path, narrator, roles)


def refuse_unknown_voice(voice: str | None, voices: Collection[str] | None, where: str) -> None:
    """Raise UserError that lists the known voices."""
    if voice is not None and voices is not None and voice not in voices:
        known = sorted(voices)
        more = f" and {len(known) - 20} more" if len(known) > 20 else ""
        raise UserError(f"{where}: unknown voice {voice!r}", f"known: {', '.join(known[:20]) or 'none'}{more}")


def _key(name: str) -> str:
    return tidy(name).casefold()


def _name(node: yaml.Node, where: str) -> str:
    name = tidy(node.value) if isinstance(node, yaml.ScalarNode) else ""
    if not name or len(name) > _LONGEST or any(sign in name for sign in ":：[]{}<>|"):
        raise UserError(f"{where}: not a name of 1 to {_LONGEST} signs without : [ ] {{ }} < > |", "write NAME: voice")
    return name


def _how(node: yaml.Node, folder: Path, where: str, voices: Collection[str] | None) -> How:
    """How a speaker speaks, from a name of a voice or a mapping of _KEYS."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(yaml.ScalarNode("", "voice"), node)]
    given: dict[str, Any] = {}
    for key_node, value_node in pairs:
        key, value = str(key_node.value), value_node.value
        if key not in _KEYS or key in given:
            raise UserError(f"{where}: {key!r} is {'there twice' if key in given else 'unknown'}", _known())
        if not isinstance(value_node, yaml.ScalarNode) or value_node.tag == "tag:yaml.org,2002:null":
            raise UserError(f"{where}: {key} is not one value", f"write {key}: VALUE")
        try:
            given[key] = FIELDS[key](value, folder)
        except ValueError as error:
            raise UserError(f"{where}: {key} = {value[:60]!r}: {error}", _known()) from None
    refuse_unknown_voice(given.get("voice"), voices, where)
    return How(**given)


def _known() -> str:
    return f"write NAME: voice, or below NAME: one of {', '.join(_KEYS)} a line"


def _entries(path: Path) -> list[tuple[yaml.Node, yaml.Node]]:
    """Nodes, not values: they know their lines, a double name is still seen, and `no` stays a name."""
    if not path.is_file():
        raise UserError(f"{path}: no such cast", "give the path of a YAML file")
    if path.stat().st_size > _MAX_BYTES:
        raise UserError(f"{path}: above {_MAX_BYTES} bytes, not a cast", "write NAME: voice, one a line")
    try:
        root = yaml.compose(read_text(path), Loader=yaml.SafeLoader)
    except RecursionError as error:
        raise UserError(f"{path}: nested too deep", "write NAME: voice, one a line") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise UserError(f"{path}{where}: not YAML: {problem}", "write NAME: voice, one a line") from error
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{path}: not a cast", "write NAME: voice, one a line")
    return list(root.value)
