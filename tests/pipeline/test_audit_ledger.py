"""What the audit takes from the ledger: records as they were written, and sounds that only it still knows."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_fakes import load_fake
from rich.console import Console
from test_audit_graph import brute, pipelines

from pipeline.audit import audit
from pipeline.audit.forward import Forward, forward
from pipeline.audit.graph import Lineage, Rule
from pipeline.audit.hashes import Hashes
from pipeline.audit.signed import changed_records, read_ledger
from pipeline.audit.sounds import list_sounds, unrecorded
from pipeline.audit.verify import verify
from pipeline.audit.view_answers import forward_tree
from pipeline.engine import SayOptions
from pipeline.ledger.chain import LEDGER, Line
from pipeline.ledger.entry import Entry, Output, Spoke
from pipeline.narration import run_narration
from voice.consent import read_consent, write_consent

RECORDING, MANIFEST = "data/raw/ann/recording.flac", "told/manifest.jsonl"


def narrate(root: Path, out: str = "told", text: str = "One line.\nAnother line.\n") -> None:
    (root / "book.txt").write_text(text)
    run_narration(root, root / "book.txt", "ann", root / out, SayOptions(), load_fake)


def problems(root: Path) -> tuple[str, ...]:
    hashes = Hashes(root, lambda top: [], fresh=True)
    return changed_records(root, hashes, read_ledger(root), [MANIFEST, "told/book.flac.json"])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narration in a folder that is no project; each test puts back what it changes."""
    root = tmp_path_factory.mktemp("told")
    narrate(root)
    assert problems(root) == ()
    return root


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_of_a_record_is_told_with_its_file(told: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([MANIFEST, "told/book.flac.json"]))
    before = (told / name).read_bytes()
    place, bit = data.draw(st.integers(0, len(before) - 1)), data.draw(st.integers(0, 7))
    (told / name).write_bytes(before[:place] + bytes([before[place] ^ 1 << bit]) + before[place + 1 :])
    try:
        found = problems(told)
    except Exception as error:  # no record any more: told by whoever reads it
        found = (str(error).replace(f"{told}/", ""),)
    finally:
        (told / name).write_bytes(before)
    assert found and found[0].startswith(name), found


def rewrite(path: Path, field: str, value: object) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[1][field] = value
    path.write_text("".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows))


def test_a_changed_text_is_told_by_the_sidecar_where_the_ledger_is_gone(told: Path) -> None:
    path, ledger = told / MANIFEST, told / LEDGER
    before, lines = path.read_bytes(), ledger.read_bytes()
    try:
        rewrite(path, "seed", 7)
        assert problems(told)[0].startswith(f"{MANIFEST} changed: not as line 1 of the ledger has it")
        ledger.unlink()
        assert problems(told) == ()  # nothing here knows the seed
        rewrite(path, "text", "Other line.")
        assert problems(told) == (f"{MANIFEST} changed: its texts are not those of book.flac.json",)
    finally:
        path.write_bytes(before)
        ledger.write_bytes(lines)


def test_backward_and_verify_name_a_rewritten_text_and_a_broken_ledger(built: Path) -> None:
    narrate(built)
    line = next((built / "told/lines").glob("0001*"))
    assert audit(built, line).fresh and verify(built).ok
    rewrite(built / MANIFEST, "text", "Other line.")
    for path in (Path("told"), line):
        assert audit(built, path).problems[0].startswith(f"{MANIFEST} changed")
    assert verify(built).verdict.startswith(f"broken at {MANIFEST} changed")
    narrate(built)  # as it was
    assert verify(built).ok
    narrate(built, text="One line.\nA third line.\n")  # a run of its own, in the same place
    assert verify(built).ok and audit(built, Path("told")).fresh
    data = (built / LEDGER).read_bytes()
    (built / LEDGER).write_bytes(data.replace(b'"kind":"narration"', b'"kind":"say"', 1))
    kind, text = verify(built).broken[0]
    assert kind == "ledger" and text.startswith(f"{LEDGER}: line 1: changed after it was signed")
    assert audit(built, Path("told")).problems[0] == text and len(verify(built).broken) == 1


def shown(found: Forward) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(forward_tree(found))
    return capture.get()


def test_sounds_whose_records_are_gone_are_known_by_the_ledger_and_found_by_their_bytes(built: Path) -> None:
    narrate(built)
    before = forward(built, RECORDING).sounds
    assert len(before) == 3 and not any(sound.record.startswith(LEDGER) for sound in before)
    (built / "elsewhere").mkdir()
    shutil.move(next((built / "told/lines").glob("0002*")), built / "elsewhere/kept.flac")
    shutil.rmtree(built / "told")
    found = forward(built, RECORDING)
    assert {sound.sha256 for sound in found.sounds} == {sound.sha256 for sound in before}
    assert all(sound.record == f"{LEDGER} line 1" and sound.voices == ("ann",) for sound in found.sounds)
    here = {sound.path: sound.there for sound in found.sounds}
    assert here == {"told/book.flac": False, "told": False, "elsewhere/kept.flac": True}
    assert f"recorded in {LEDGER} line 1, file not here" in shown(found)
    assert f"elsewhere/kept.flac  ann, weights: unknown  known by {LEDGER} line 1" in shown(found)
    assert forward(built, "data/raw/bob/recording.flac").sounds == ()
    (built / LEDGER).write_bytes((built / LEDGER).read_bytes()[:-9])
    broken = forward(built, RECORDING)
    assert broken.sounds == () and any("line 1: cut short" in note for note in broken.notes)


def test_a_consent_is_found_by_the_id_that_follows_from_it(built: Path) -> None:
    narrate(built)
    folder = built / "data/raw/ann"
    own, digest = read_consent(folder).id, sha256((folder / "consent.yaml").read_bytes()).hexdigest()
    assert own.startswith("c-")
    one, other = forward(built, consent=own), forward(built, consent=digest)
    assert one.voices == other.voices == ("ann",) and len(one.sounds) == 3
    assert (one.sounds, one.made, one.utterances) == (other.sounds, other.made, other.utterances)
    write_consent(folder, basis="synthetic", scope="tests", notes="new terms, the same consent")
    assert read_consent(folder).id == own
    shutil.rmtree(built / "told")  # now only the ledger knows
    assert len(forward(built, consent=own).sounds) == 3
    write_consent(folder, basis="synthetic", scope="something else")
    gone = forward(built, consent=own)
    assert gone.origins == () and len(gone.sounds) == 3


VOICES, KEYS = ("a", "b", "c"), ("c-one", "c-two", "f" * 64)
SHA = st.integers(0, 9).map(lambda n: f"{n:064x}")


@st.composite
def ledgers(draw: st.DrawFn) -> list[Line]:
    spokes = st.builds(
        Spoke, voice=st.sampled_from(VOICES), consent_id=st.sampled_from([None, *KEYS[:2]]),
        consent_sha256=st.sampled_from([None, KEYS[2], "e" * 64]), weights=st.just({}), lines=st.lists(SHA, max_size=3),
    )  # fmt: skip
    names = st.sampled_from(["x/book.flac", "y/book.mp3", "x/book.flac.json", "x/book.srt"])
    outputs = st.builds(Output, path=names, sha256=SHA)
    found = []
    for number in range(1, draw(st.integers(0, 5)) + 1):
        entry = Entry.model_construct(
            place=draw(st.sampled_from(["x", "y"])), outputs=draw(st.lists(outputs, max_size=3)),
            voices=draw(st.lists(spokes, min_size=1, max_size=2, unique_by=lambda spoke: spoke.voice)),
        )  # fmt: skip
        found.append(Line(number, "0" * 64, entry))
    return found


@settings(max_examples=60, deadline=None)
@given(pipelines(), ledgers(), st.sets(SHA, max_size=4), st.sets(st.sampled_from(KEYS), max_size=1))
def test_what_the_ledger_adds_is_the_brute_force_walk(
    case: tuple[list[Rule], str], lines: list[Line], recorded: set[str], keys: set[str]
) -> None:
    rules, path = case
    # Voice a speaks with what r0 makes, b with what r1 makes, c with both.
    speaks = {"a": {"r0"}, "b": {"r1"}, "c": {"r0", "r1"}}
    reached, walked = Lineage(rules).forward(path), brute(rules, path, start="deps", stop="outs")
    voices = {voice for voice, makers in speaks.items() if makers & reached}
    expected: dict[tuple[str, str], int] = {}
    for line in lines:
        pairs = [(line.entry.place, digest, [spoke]) for spoke in line.entry.voices for digest in spoke.lines]
        pairs += [(o.path, o.sha256, line.entry.voices) for o in line.entry.outputs if o.path[-4:] in ("flac", ".mp3")]
        for name, digest, spokes in pairs:
            by_voice = any(speaks[spoke.voice] & walked for spoke in spokes)
            by_key = any({spoke.consent_id, spoke.consent_sha256} & keys for spoke in spokes)
            if digest not in recorded and (by_voice or by_key):
                expected[name, digest] = line.number
    found = unrecorded(list_sounds(lines), recorded, voices, keys)
    assert {(item.path, item.sha256): item.number for item in found} == expected
    assert len(found) == len(expected)
