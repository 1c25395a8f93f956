"""The gate: who may use a voice, under which name its weights may lie, and tombstones that nobody can read."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from voice.consent import permit, permit_weights, write_consent
from voice.consent.gate import permit_engine
from voice.consent.listing import consents
from voice.consent.revoked import FILE, Tombstone, add_tombstone, read_revoked, writing
from voice.consent.weights import permit_clip
from voice.errors import UserError
from voice.files import sha256_file

DAY = datetime.date(2026, 3, 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two voices: bob has a recording of his own and one that is ann's, too."""
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    for voice, takes in {"ann": ["shared"], "bob": ["shared", "own"]}.items():
        folder = tmp_path / "data/raw" / voice
        folder.mkdir(parents=True)
        for take in takes:
            (folder / f"{take}.wav").write_bytes(take.encode())
        write_consent(folder, basis="granted", subject=voice, scope="tests", id=f"of-{voice}")
    return tmp_path


def digest(root: Path, voice: str, take: str) -> str:
    return sha256_file(root / f"data/raw/{voice}/{take}.wav")


def weights(folder: Path, seed: int = 0, **meta: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("semantic", "acoustic"):
        told = {"reprovoice": json.dumps(meta)}
        save_file({"w": np.full(3, seed, np.float32)}, folder / f"{name}.safetensors", metadata=told)
    return folder


def trained(root: Path, voice: str, takes: list[str], name: str | None = None) -> Path:
    consent = {"id": f"of-{voice}", "recordings": {f"{t}.wav": digest(root, voice, t) for t in takes}}
    return weights(root / "models" / (name or voice), voice=voice, consent=consent)


def bury(root: Path, name: str = "of-ann", voices: tuple[str, ...] = ("ann",), **facts: Any) -> None:
    empty: dict[str, Any] = {"recordings": (), "weights": (), "files": ()}
    with writing(root):
        add_tombstone(root, Tombstone(name, voices, "2026-02-01", "she asked", **{**empty, **facts}))


def refused(ask: Any, *given: Any, **more: Any) -> str:
    with pytest.raises(UserError) as caught:
        ask(*given, **more)
    assert "\n" not in str(caught.value) and caught.value.hint
    return caught.value.message


def test_a_refusal_names_voice_consent_and_rule(root: Path) -> None:
    folder = root / "data/raw/ann"
    assert permit(root, "ann", "speak", languages=["en"]).id == "of-ann"
    assert refused(permit, root, "ann", "publish").startswith("ann: consent of-ann: publish not granted, only train")
    given: dict[str, Any] = {"basis": "granted", "subject": "ann", "scope": "tests", "id": "of-ann"}
    write_consent(folder, **given, expires=DAY, languages=["en"])
    assert permit(root, "ann", "speak", today=DAY).id == "of-ann"
    assert refused(permit, root, "ann", "speak") == "ann: consent of-ann: expired on 2026-03-01"  # the local date
    told = refused(permit, root, "ann", "narrate", languages=["en", "zh"], today=DAY)
    assert told == "ann: consent of-ann: language zh not granted, only en"
    (folder / "shared.wav").write_bytes(b"other")
    for purpose in ("train", "speak"):
        assert "ann: consent of-ann: " in (told := refused(permit, root, "ann", purpose, today=DAY))
        assert "shared.wav: sha256 is" in told
    (folder / "shared.wav").unlink()  # deleted after training: it may speak, and learn no more
    permit(root, "ann", "speak", today=DAY)
    (folder / "new.wav").write_bytes(b"new")
    assert "ann: consent of-ann: " in refused(permit, root, "ann", "train", today=DAY)
    (folder / "consent.yaml").unlink()
    assert "no consent record" in refused(permit, root, "ann", "speak")


@pytest.mark.parametrize("name", ["", ".", "..", "../ann", "/etc", "a/b", "a\0b"])
def test_a_name_that_leaves_the_folder_is_no_voice(root: Path, name: str) -> None:
    assert "no voice's name" in refused(permit, root, name, "speak")


def test_a_revoked_recording_blocks_every_voice_that_has_it_and_no_other(root: Path) -> None:
    third = root / "data/raw/cid"
    third.mkdir()
    (third / "own.wav").write_bytes(b"cid")
    write_consent(third, basis="synthetic", scope="tests")
    bury(root, recordings=(digest(root, "ann", "shared"),))
    for voice in ("ann", "bob"):
        for purpose in ("train", "speak", "narrate", "serve", "publish"):
            told = refused(permit, root, voice, purpose)
            assert told == f"{voice}: consent of-ann: revoked on 2026-02-01 because she asked"
    permit(root, "cid", "speak")
    states = {row["voice"]: (row["state"], row["why"]) for row in consents(root)}
    assert states["cid"] == ("valid", "")
    assert states["ann"] == states["bob"] == ("revoked", "revoked on 2026-02-01 because she asked")
    (root / "data/raw/bob/shared.wav").unlink()  # bob is made anew from what is his own
    write_consent(root / "data/raw/bob", basis="granted", subject="bob", scope="tests", id="of-bob")
    permit(root, "bob", "train")


def test_a_voice_whose_record_is_gone_is_told_that_it_was_revoked(root: Path) -> None:
    bury(root, recordings=(digest(root, "ann", "shared"),))
    shutil.rmtree(root / "data/raw/ann")
    assert "revoked on 2026-02-01" in refused(permit, root, "ann", "speak")
    assert "revoked on 2026-02-01" in refused(permit_engine, root, "ann", "narrate")
    permit_engine(root, "a voice of another engine", "narrate")


def test_trained_weights_need_a_record_wherever_they_lie(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert permit_weights(trained(root, "ann", ["shared"]), "speak").id == "of-ann"  # type: ignore[union-attr]
    copied = trained(root, "ann", ["shared"], name="eve")
    assert permit_weights(copied, "speak").id == "of-ann"  # type: ignore[union-attr] # by what they say of themselves
    elsewhere = shutil.copytree(copied, root / "backup/of/eve")
    assert permit_weights(elsewhere, "speak").id == "of-ann"  # type: ignore[union-attr]
    outside = shutil.copytree(copied, tmp_path_factory.mktemp("out") / "ann")
    assert "outside of a project" in refused(permit_weights, outside, "speak")
    silent = weights(root / "models/zoe")  # says nothing, but lies where voices do
    assert "data/raw/zoe/consent.yaml: no consent record" in refused(permit_weights, silent, "speak")
    (root / "data/raw/ann/consent.yaml").unlink()
    for folder in (root / "models/ann", copied, elsewhere):
        assert "no consent record" in refused(permit_weights, folder, "speak")


def test_weights_of_a_recording_that_the_record_does_not_list_are_refused(root: Path) -> None:
    folder = trained(root, "bob", ["shared", "own"])
    permit_weights(folder, "speak")
    (root / "data/raw/bob/own.wav").unlink()
    write_consent(root / "data/raw/bob", basis="granted", subject="bob", scope="tests", id="of-bob")
    assert refused(permit_weights, folder, "speak").startswith("bob: consent of-bob: recording changed")


@pytest.mark.parametrize("name", ["ann", "eve"])
def test_revoked_weights_are_refused_under_every_name(root: Path, name: str) -> None:
    write_consent(root / "data/raw/bob", basis="granted", subject="bob", scope="tests", id="of-bob")
    folder = trained(root, "ann", ["shared"], name=name)
    shutil.rmtree(root / "data/raw/bob")
    (root / "data/raw/ann/shared.wav").write_bytes(b"a new one")
    bury(root, name="another-id", voices=(), recordings=(sha256_of_text(b"shared"),))
    write_consent(root / "data/raw/ann", basis="granted", subject="ann", scope="tests", id="of-ann")
    permit(root, "ann", "speak")  # the record is new and good; the weights are not of it
    assert "consent another-id: revoked" in refused(permit_weights, folder, "speak")


def sha256_of_text(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def test_old_weights_that_name_no_recordings_are_known_by_their_hash_or_by_the_table_of_ingest(root: Path) -> None:
    old = weights(root / "models/ann", seed=1, voice="ann")
    permit_weights(old, "speak")
    bury(root, name="old-one", voices=(), weights=(sha256_file(old / "acoustic.safetensors"),))
    copied = shutil.copytree(old, root / "models/bob")
    for folder in (old, copied):
        assert "consent old-one: revoked" in refused(permit_weights, folder, "speak")
    fresh = weights(root / "models/bob", seed=2, voice="bob")
    permit_weights(fresh, "speak")
    table = root / "data/bob/recordings.jsonl"
    table.parent.mkdir(parents=True)
    table.write_text(json.dumps({"id": "x", "sha256": "ab" * 32}) + "\n")
    bury(root, name="heard", voices=(), recordings=("ab" * 32,))
    assert "consent heard: revoked" in refused(permit_weights, fresh, "speak")


def test_a_base_and_an_imported_voice_need_no_record_but_a_tombstone_counts(root: Path, tmp_path: Path) -> None:
    for base in (weights(root / "models/base/mini"), weights(root / "models/pretrained/mini")):
        assert permit_weights(base, "speak") is None
    imported = weights(root / "models/star", source={"sha256": "cd" * 32})
    (imported / "import.json").write_text("{}")
    assert permit_weights(imported, "publish") is None
    bury(root, name="by-source", voices=(), weights=("cd" * 32,))
    assert "consent by-source: revoked" in refused(permit_weights, imported, "speak")
    other = weights(root / "models/moon", source={"sha256": "ef" * 32})
    (other / "import.json").write_text("{}")
    assert permit_weights(other, "speak") is None
    bury(root, name="by-name", voices=("moon",))
    assert "consent by-name: revoked" in refused(permit_weights, other, "speak")


def test_a_revoked_recording_is_no_reference_clip_either(root: Path) -> None:
    clip = root / "data/raw/ann/shared.wav"
    permit_clip(root, clip)
    bury(root, recordings=(sha256_file(clip),))
    assert "revoked on" in refused(permit_clip, root, clip)
    permit_clip(root, root / "data/raw/bob/own.wav")


def test_a_damaged_file_of_tombstones_refuses_everything(root: Path) -> None:
    """Cut at any byte, a flipped byte that breaks a rule, an emptied or unreadable file: never fewer tombstones."""
    bury(root, name="of-eve", voices=("eve",), recordings=("ab" * 32,))
    path = root / FILE
    whole = path.read_bytes()
    row = json.loads(whole)
    broken = [whole[:cut] for cut in range(0, len(whole) - 2, 7)] + [b"\n", b"\xff" + whole, b"[]\n", b"<<<<<<< HEAD\n"]
    changes: list[dict[str, Any]] = [
        {"id": "NO"}, {"recordings": ["ab"]}, {"recordings": "ab"}, {"date": "yesterday"}, {"voices": None},
        {"files": ["../x"]}, {"files": ["/x"]}, {"weights": [1]}, {"more": 1},
    ]  # fmt: skip
    broken += [json.dumps(row | change).encode() + b"\n" for change in changes]
    broken += [json.dumps({k: v for k, v in row.items() if k != name}).encode() for name in row]
    for data in broken:
        path.write_bytes(data)
        for ask in (lambda: permit(root, "ann", "speak"), lambda: permit_engine(root, "who", "narrate")):
            message = refused(ask)
            assert message.startswith(str(path)), data
        assert path.read_bytes() == data
    with pytest.raises(UserError, match="restore it: git checkout"):
        consents(root)
    with pytest.raises(UserError, match="nothing speaks"), writing(root):
        add_tombstone(root, Tombstone("of-bob", (), "2026-02-01", "", (), (), ()))
    path.write_bytes(whole)
    permit(root, "ann", "speak")
    path.unlink()
    path.mkdir()
    assert "revoked.jsonl" in refused(permit, root, "ann", "speak")


def _bury_many(root: Path, first: int) -> None:
    for number in range(first, first + 5):
        bury(root, name=f"id-{number:03d}", voices=())


def test_revocations_at_once_all_land(root: Path) -> None:
    pool = multiprocessing.get_context("spawn")  # a fork of a process with threads may never get their locks
    workers = [pool.Process(target=_bury_many, args=(root, first)) for first in (0, 100, 200)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    written = sorted(stone.id for stone in read_revoked(root))
    assert written == [f"id-{first + number:03d}" for first in (0, 100, 200) for number in range(5)]


def test_a_second_revocation_of_an_id_is_written_only_if_it_says_more(root: Path) -> None:
    bury(root, recordings=("ab" * 32,))
    bury(root, recordings=("ab" * 32,))
    assert len(read_revoked(root)) == 1
    bury(root, recordings=("cd" * 32,))
    assert [stone.recordings for stone in read_revoked(root)] == [("ab" * 32,), ("cd" * 32,)]


def test_the_table_of_consents_tells_every_state(root: Path) -> None:
    write_consent(root / "data/raw/bob", basis="granted", subject="bob", scope="s", expires=DAY)
    (root / "data/raw/cid").mkdir()
    rows = {row["voice"]: row for row in consents(root, today=DAY + datetime.timedelta(1))}
    assert [rows[name]["state"] for name in ("ann", "bob", "cid")] == ["valid", "expired", "wrong"]
    assert rows["bob"]["why"] == "expired on 2026-03-01" and "cid/consent.yaml: no consent record" in rows["cid"]["why"]
    assert rows["ann"]["purposes"] == ["train", "speak", "narrate", "serve"] and rows["cid"]["id"] is None
    (root / "data/raw/ann/shared.wav").write_bytes(b"x")
    assert consents(root)[0]["state"] == "wrong"
