"""Writes are whole or absent, and the hash of code follows every Python file and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice.files import sha256_code, write_bytes, write_json


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"b": 1, "a": "ü"})
    assert path.read_text(encoding="utf-8") == '{\n  "a": "ü",\n  "b": 1\n}\n'

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voice.files.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"] and b'"a"' in path.read_bytes()


def test_the_hash_of_code_changes_with_any_python_file_and_with_no_other(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    parts = {name: tmp_path / name for name in ("one.py", "nets/a.py", "nets/b.py", "nets/notes.md")}
    for name, path in parts.items():
        path.write_text(name)
    given = (parts["one.py"], tmp_path / "nets")
    before = sha256_code(*given)
    parts["nets/notes.md"].write_text("more")
    assert sha256_code(*given) == before
    for name in ("one.py", "nets/a.py", "nets/b.py"):
        parts[name].write_text("changed")
        assert sha256_code(*given) != before
        parts[name].write_text(name)
    assert sha256_code(*given) == before
    parts["nets/b.py"].unlink()
    assert sha256_code(*given) != before
