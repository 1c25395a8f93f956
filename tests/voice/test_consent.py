from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from voice.consent import Consent, check_consent, find_recordings, write_consent
from voice.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "take10.wav").write_bytes(b"ten")
    (tmp_path / "take2.wav").write_bytes(b"two")
    write_consent(tmp_path, basis="self", subject="A. Speaker", scope="audiobooks")
    return tmp_path


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "consent.yaml"
    record = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump({k: v for k, v in record.items() if v is not None}))


def test_a_written_record_passes_its_own_check(folder: Path) -> None:
    found = check_consent(folder)
    assert found.basis == "self" and set(found.recordings) == {"take2.wav", "take10.wav"}


def test_recordings_come_in_the_order_of_their_numbers(folder: Path) -> None:
    assert [p.name for p in find_recordings(folder)] == ["take2.wav", "take10.wav"]


def test_one_changed_byte_is_found(folder: Path) -> None:
    (folder / "take2.wav").write_bytes(b"twO")
    with pytest.raises(UserError, match=r"take2\.wav: sha256 is .* consent\.yaml has .*reprovoice consent new"):
        check_consent(folder)


def test_an_unlisted_and_a_missing_recording_are_found(folder: Path) -> None:
    (folder / "extra.flac").write_bytes(b"x")
    with pytest.raises(UserError, match=r"extra\.flac: not listed"):
        check_consent(folder)
    (folder / "extra.flac").unlink()
    (folder / "take2.wav").unlink()
    with pytest.raises(UserError, match=r"recordings\.take2\.wav: no such file"):
        check_consent(folder)


def test_no_record_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no consent record .*reprovoice consent new"):
        check_consent(tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"basis": "stolen"}, "basis = 'stolen'"),
        ({"basis": None}, "basis: Field required"),
        ({"scope": ""}, "scope"),
        ({"subject": None}, "needs `subject`"),
        ({"basis": "synthetic"}, "names no person"),
        ({"basis": "licence", "subject": None}, "needs `licence`"),
        ({"colour": "red"}, "colour = 'red': Extra inputs"),
        ({"recordings": {}}, "recordings"),
        ({"recordings": {"../x.wav": "0" * 64}}, "leaves the folder"),
        ({"recordings": {"take2.wav": "abc"}}, "64 hex digits"),
    ],
)
def test_a_wrong_record_names_the_key_and_the_rule(folder: Path, changes: dict[str, Any], reason: str) -> None:
    rewrite(folder, **changes)
    with pytest.raises(UserError, match=reason) as caught:
        check_consent(folder)
    assert "\n" not in str(caught.value)


def test_a_format_that_cannot_be_read_is_not_ignored(folder: Path) -> None:
    (folder / "phone.amr").write_bytes(b"x")
    with pytest.raises(UserError, match=r"\.amr cannot be read"):
        check_consent(folder)


@pytest.mark.parametrize("voice", ["demo_en", "demo_zh"])
def test_the_demo_voices_are_synthetic_and_name_nobody(voice: str) -> None:
    found: Consent = check_consent(ROOT / "data/raw" / voice)
    assert found.basis == "synthetic" and found.subject is None and found.licence
