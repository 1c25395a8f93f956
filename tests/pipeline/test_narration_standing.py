"""What was put together before and is as it was left is not put together again; anything else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline_fakes import load_fake

from pipeline.engine import SayOptions
from pipeline.narration import BookOptions, NarrationReport, run_narration
from pipeline.narration import sound as assembly

BOOK = "# One\n\nThe first sentence is here.\n\n# Two\n\nThe last words of all.\n"
KINDS = ("flac", "m4b")


def go(root: Path, book: BookOptions, text: str = BOOK) -> NarrationReport:
    (root / "book.md").write_text(text)
    return run_narration(root, root / "book.md", "ann", root / "out", SayOptions(), load_fake, book=book)


def sounds(root: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and number of the file, by name: a file that was written anew has another number."""
    return {path.name: (path.read_bytes(), path.stat().st_ino) for path in (root / "out").glob("book.*")}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    go(tmp_path, BookOptions(formats=KINDS, loudness="r128-18"))
    return tmp_path


def test_the_same_again_encodes_nothing(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sounds(made)
    monkeypatch.setattr(assembly, "write", lambda *a, **k: pytest.fail("encoded again"))
    go(made, BookOptions(formats=KINDS, loudness="r128-18"))
    after = sounds(made)
    assert {name: data for name, (data, _) in after.items()} == {name: data for name, (data, _) in before.items()}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


SPOIL: dict[str, Callable[[Path], object]] = {
    "a byte of the sound": lambda out: flip(out / "book.flac"),
    "no sound": lambda out: (out / "book.flac").unlink(),
    "no sidecar": lambda out: (out / "book.flac.json").unlink(),
    "a sidecar that is no JSON": lambda out: (out / "book.flac.json").write_text("{"),
    "a sidecar that is a list": lambda out: (out / "book.flac.json").write_text("[]"),
    "a sidecar of an older version": lambda out: (out / "book.flac.json").write_text(
        json.dumps({k: v for k, v in json.loads((out / "book.flac.json").read_text()).items() if k != "made_of"})
    ),
}


@pytest.mark.parametrize("what", SPOIL)
def test_only_what_is_not_as_it_was_left_is_made_again(made: Path, what: str) -> None:
    before = sounds(made)
    SPOIL[what](made / "out")
    go(made, BookOptions(formats=KINDS, loudness="r128-18"))
    after = sounds(made)
    assert {name: data for name, (data, _) in after.items()} == {name: data for name, (data, _) in before.items()}
    assert after["book.m4b"][1] == before["book.m4b"][1]


@pytest.mark.parametrize(
    ("book", "text"),
    [
        (BookOptions(formats=KINDS, loudness="r128-23"), BOOK),
        (BookOptions(formats=KINDS, loudness="r128-18", mark="tone"), BOOK),
        (BookOptions(formats=KINDS, loudness="r128-18"), BOOK.replace("last", "very last")),
        (BookOptions(formats=KINDS, loudness="r128-18"), BOOK.replace("# Two", "# Three")),
        (BookOptions(formats=KINDS, loudness="r128-18"), BOOK.replace("here.", "here. [pause 2s]")),
    ],
    ids=["loudness", "mark", "words", "title", "pause"],
)
def test_a_change_gives_what_a_new_folder_would_have(made: Path, tmp_path: Path, book: BookOptions, text: str) -> None:
    before = sounds(made)
    go(made, book, text)
    after = sounds(made)
    assert all(after[f"book.{kind}"] != before[f"book.{kind}"] for kind in KINDS)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    go(fresh, book, text)
    assert {name: data for name, (data, _) in after.items()} == {
        name: data for name, (data, _) in sounds(fresh).items()
    }


def test_one_kind_that_cannot_be_written_leaves_no_part_of_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = assembly.write

    def refuse(blocks, rate, path, **options):  # type: ignore[no-untyped-def]
        if path.suffix == ".m4b":
            raise OSError(28, "No space left on device")
        return real(blocks, rate, path, **options)

    monkeypatch.setattr(assembly, "write", refuse)
    with pytest.raises(Exception, match="full|space|disk"):
        go(tmp_path, BookOptions(formats=KINDS))
    assert [path.name for path in (tmp_path / "out").glob(".*")] == []
    assert not (tmp_path / "out/book.m4b").exists()
