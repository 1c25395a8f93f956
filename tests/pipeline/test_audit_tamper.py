"""One flipped byte in any artifact of a whole voice is found, and the link that it broke is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_fakes import load_fake

from pipeline.audit.verify import Verified, verify
from pipeline.engine import SayOptions
from pipeline.narration import run_narration
from tests.tiny_project import Tiny
from voice.errors import UserError

VOICE = "demo_en"


@pytest.fixture(scope="module")
def whole(tiny_built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A built and committed project with a narration in it; each test puts back what it changes."""
    project = tiny_built.copy(tmp_path_factory.mktemp("tamper") / "project")
    (project.root / "book.txt").write_text("One line.\nAnother line.\n")
    run_narration(project.root, project.root / "book.txt", VOICE, project.root / "told", SayOptions(), load_fake)
    project.commit()
    assert verify(project.root).broken == ()
    yield project.root


def flipped(root: Path, path: Path, place: int) -> Verified | UserError:
    """What verify says while bit 0 of one byte is the other way, size and times as they were."""
    data, state = path.read_bytes(), path.stat()
    wrong = bytearray(data)
    wrong[place] ^= 1
    path.chmod(0o644)
    try:
        path.write_bytes(bytes(wrong))
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        return verify(root)
    except UserError as error:
        return error
    finally:
        path.write_bytes(data)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


CLASSES = {
    # class: (its file, what the first broken link must say)
    "raw audio": (f"data/raw/{VOICE}/recording.flac", f"data/raw/{VOICE}/recording.flac changed"),
    "transcript": (f"data/raw/{VOICE}/transcript.txt", f"data/raw/{VOICE}/transcript.txt changed"),
    "consent": (f"data/raw/{VOICE}/consent.yaml", f"data/raw/{VOICE}/consent.yaml"),
    "base weights": ("models/base/mini/semantic.safetensors", "models/base/mini/semantic.safetensors changed"),
    "code": ("stages/slice.py", "stages/slice.py changed"),
    "params": ("params.yaml", "param"),
    "segment": (f"data/{VOICE}/segments/*.flac", f"data/{VOICE}/segments/recording-0001.flac changed"),
    "feature shard": (f"data/{VOICE}/features/*", f"data/{VOICE}/features/shard-000.safetensors changed"),
    "weights": (f"models/{VOICE}/acoustic.safetensors", f"models/{VOICE}/acoustic.safetensors changed"),
    "metrics": (f"models/{VOICE}/metrics.json", f"models/{VOICE}/metrics.json changed"),
    "narration line": ("told/lines/0002*.flac", "told/lines/0002"),
    "narration book": ("told/book.flac", "told/book.flac changed"),
    "manifest": ("told/manifest.jsonl", "told/manifest.jsonl"),
    "sidecar": ("told/book.flac.json", "told/book.flac.json"),
    "ledger": ("ledger/narrations.jsonl", "ledger/narrations.jsonl: line 1"),
}


QUICK = ("raw audio", "transcript", "consent", "params", "segment", "feature shard", "weights", "narration line")
CASES = [pytest.param(kind, 0.5, marks=[] if kind in QUICK else [pytest.mark.slow]) for kind in CLASSES]
CASES += [pytest.param(kind, place, marks=pytest.mark.slow) for kind in CLASSES for place in (0.0, 0.25, 0.999)]
# The hash of an input and of an output; then everything else that an entry holds.
SPOTS = ["md5: ", "outs:md5: "]
MORE = [pytest.param(spot, marks=pytest.mark.slow) for spot in ("cmd: ", "path: ", "size: ", "min_seconds: ")]


@pytest.mark.parametrize(("kind", "share"), CASES)
def test_a_flipped_byte_is_found_and_its_link_is_the_first_named(whole: Path, kind: str, share: float) -> None:
    pattern, said = CLASSES[kind]
    path = sorted(whole.glob(pattern))[0]
    found = flipped(whole, path, int(share * path.stat().st_size))
    if isinstance(found, UserError):
        assert said in str(found), str(found)
    else:
        assert not found.ok and said in found.broken[0][1], found.broken


@pytest.mark.parametrize("spot", [*SPOTS, *MORE])
def test_a_flipped_byte_in_the_lock_is_found_and_its_entry_named(whole: Path, spot: str) -> None:
    lock = (whole / "dvc.lock").read_bytes()
    place = lock.index(f"  slice@{VOICE}:".encode())
    for part in spot.partition(":")[::2] if spot.count(":") > 1 else (spot,):
        place = lock.index(part.encode(), place) + len(part)
    found = flipped(whole, whole / "dvc.lock", place)
    if isinstance(found, UserError):
        assert "dvc.lock" in str(found), str(found)
    else:
        assert found.broken and found.broken[0][0] == "lock", found.broken
        assert f"slice@{VOICE}" in found.broken[0][1], found.broken


@pytest.mark.slow
def test_a_flipped_byte_in_the_cache_and_in_a_record_is_found(whole: Path) -> None:
    objects = sorted((whole / ".dvc/cache/files/md5").glob("*/*"), key=lambda file: file.stat().st_size)
    found = flipped(whole, objects[-1], 5)
    assert isinstance(found, Verified) and "the cached copy of" in found.broken[0][1]
    manifest = whole / "told/manifest.jsonl"
    for field in (b'"sha256": "', b'"text": "', b'"consent_id": "', b'"seed": '):
        place = manifest.read_bytes().index(field) + len(field) + 1
        found = flipped(whole, manifest, place)
        assert isinstance(found, Verified) and found.broken[0][1].startswith("told/manifest.jsonl changed"), field


@pytest.mark.slow
def test_after_all_that_the_chain_holds_again(whole: Path) -> None:
    assert verify(whole).broken == ()
