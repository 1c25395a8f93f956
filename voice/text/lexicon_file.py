"""lexicon.yaml: own pronunciations of a project or a voice, word -> reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from voice.errors import UserError
from voice.text.cleaning import clean
from voice.text.own_words import check_entry, key_of

LEXICON = "lexicon.yaml"
_TEXT = "tag:yaml.org,2002:str"


def load_lexicon(*paths: Path) -> dict[str, str]:
    """The checked entries of the files, those of later files in place of the same words in earlier ones.

    Raises UserError with file, line and entry for the first fault of a file.
    """
    merged: dict[str, tuple[str, str]] = {}
    for path in paths:
        merged |= _entries(path)
    return dict(merged.values())


def _entries(path: Path) -> dict[str, tuple[str, str]]:
    """(word, reading) of one file by what the word stands for."""
    found: dict[str, tuple[str, str]] = {}
    lines: dict[str, int] = {}
    for word_node, reading_node in _pairs(path):
        word, line = word_node.value, word_node.start_mark.line + 1
        if not isinstance(word_node, yaml.ScalarNode):
            raise UserError(f"{path}: line {line}: an entry's word must be text", "write word: reading")
        where = f"{path}: line {line}: {word!r}"
        if not isinstance(reading_node, yaml.ScalarNode) or reading_node.tag != _TEXT:
            raise UserError(f"{where}: the reading must be text", 'write e.g. "W ER1 D", "zi4" or "=other words"')
        key = key_of(clean(word))
        if key in found:
            raise UserError(f"{where}: given already in line {lines[key]}", "keep one of the two")
        try:
            check_entry(word, reading_node.value)
        except UserError as error:
            raise UserError(f"{path}: line {line}: {error.message}", error.hint) from error
        found[key], lines[key] = (word, reading_node.value), line
    return found


def _pairs(path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        # Nodes, not values: they know their lines, and a double key is still seen.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}", "check the file") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}: line {line}: not UTF-8", "save the file as UTF-8") from error
    except RecursionError as error:
        raise UserError(f"{path}: nested too deep", "write word: reading, one a line") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise UserError(f"{path}: {where}not YAML: {problem}", "put words with signs in quotes") from error
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise UserError(f"{path}: line {root.start_mark.line + 1}: not a list of entries", "write word: reading")
    yield from root.value
