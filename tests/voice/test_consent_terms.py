"""Terms of a consent record: what is refused as wrong, ids that stay, evidence and signatures."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from voice.consent import check_consent, find_recordings, read_consent, write_consent
from voice.consent.model import Consent
from voice.consent.terms import PURPOSES, breach, languages_of, purposes_of
from voice.errors import UserError

DAY = datetime.date(2026, 3, 1)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
WORDS = st.text(min_size=1, max_size=12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "one.wav").write_bytes(b"one")
    (tmp_path / "evidence/yes.wav").write_bytes(b"I agree.")
    write_consent(tmp_path, basis="self", subject="A. Speaker", scope="audiobooks")
    return tmp_path


def key(kind: Any = ed25519.Ed25519PrivateKey.generate) -> bytes:
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return bytes(kind().private_bytes(serialization.Encoding.PEM, *form))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "consent.yaml"
    record = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump(record, allow_unicode=True), encoding="utf-8")


@given(
    hashes=st.lists(HASHES, min_size=1, max_size=4, unique=True),
    names=st.permutations([f"take{number}.wav" for number in range(4)]),
    subject=WORDS,
    scope=WORDS,
    expires=st.none() | st.dates(DAY),
    purposes=st.none() | st.lists(st.sampled_from(PURPOSES), min_size=1, unique=True),
    notes=st.none() | WORDS,
)
def test_an_id_outlives_new_terms_and_names_but_not_other_sound_or_persons(
    hashes: list[str], names: list[str], subject: str, scope: str, expires: Any, purposes: Any, notes: Any
) -> None:
    given = {"basis": "granted", "subject": subject, "scope": scope, "granted_on": DAY}
    first = Consent.model_validate({**given, "recordings": dict(zip(sorted(names), hashes, strict=False))})
    terms = {"expires": expires, "purposes": purposes, "notes": notes, "relation": "agent"}
    named = dict(zip(names, reversed(hashes), strict=False))
    again = Consent.model_validate({**given, **terms, "recordings": named})
    assert again.id == first.id and len(first.id) == 18
    for change in ({"subject": subject + "x"}, {"scope": scope + "x"}, {"granted_on": None}, {"basis": "self"}):
        assert Consent.model_validate({**given, **change, "recordings": named}).id != first.id
    other = {**named, "more.wav": "0" * 63 + ("1" if "0" * 63 + "1" not in hashes else "2")}
    assert Consent.model_validate({**given, "recordings": other}).id != first.id


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "No"}, "id = 'No'"),
        ({"id": "a" * 65}, "id ="),
        ({"languages": ["fr"]}, r"languages\.0 = 'fr'"),
        ({"languages": []}, "languages"),
        ({"purposes": ["sell"]}, r"purposes\.0 = 'sell'"),
        ({"purposes": ["speak", "speak"]}, "listed twice"),
        ({"expires": "soon"}, "expires = 'soon'"),
        ({"granted_on": DAY, "expires": DAY - datetime.timedelta(1)}, "expires before it was granted"),
        ({"evidence": {"file": "letter.txt", "sha256": "0" * 64}}, r"put it into evidence/"),
        ({"evidence": {"file": "evidence/../../x", "sha256": "0" * 64}}, "leaves the folder"),
        ({"evidence": {"file": "evidence/yes.wav", "sha256": "0"}}, r"evidence\.sha256 = '0'"),
        ({"signature": {"public_key": "?", "value": "?"}}, "not base64"),
        ({"signature": {"public_key": "AAAA", "value": "AAAA"}}, "32 bytes"),
    ],
)
def test_wrong_terms_name_the_key_and_the_rule(folder: Path, changes: dict[str, Any], reason: str) -> None:
    edit(folder, **changes)
    with pytest.raises(UserError, match=reason) as caught:
        read_consent(folder)
    assert "\n" not in str(caught.value)


def test_a_record_is_read_again_when_it_has_changed(folder: Path) -> None:
    assert read_consent(folder).scope == "audiobooks"
    edit(folder, scope="poems")
    assert read_consent(folder).scope == "poems"


def test_evidence_is_no_recording_and_is_compared_with_its_hash(folder: Path) -> None:
    assert [path.name for path in find_recordings(folder)] == ["one.wav"]
    proof = folder / "evidence/yes.wav"
    write_consent(folder, basis="self", subject="A.", scope="s", evidence=proof)
    assert check_consent(folder).evidence is not None
    proof.write_bytes(b"I disagree.")
    with pytest.raises(UserError, match=r"yes\.wav: sha256 is .* consent\.yaml has"):
        check_consent(folder)
    proof.unlink()
    with pytest.raises(UserError, match=r"the evidence of consent\.yaml is missing"):
        check_consent(folder)
    with pytest.raises(UserError, match="no file in"):
        write_consent(folder, basis="self", subject="A.", scope="s", evidence=Path("/etc/hostname"))


def test_a_signature_holds_for_what_was_signed_and_nothing_else(folder: Path) -> None:
    write_consent(folder, basis="self", subject="Zoë", scope="s", expires=DAY, purposes=["speak"], key=key())
    assert read_consent(folder).signature is not None
    for change in ({"subject": "Zoe"}, {"expires": DAY.replace(year=2030)}, {"notes": "x"}, {"languages": ["en"]}):
        kept = (folder / "consent.yaml").read_bytes()
        edit(folder, **change)
        with pytest.raises(UserError, match="signature: not one of this record"):
            read_consent(folder)
        (folder / "consent.yaml").write_bytes(kept)
    read_consent(folder)
    for wrong in (b"nothing", key(lambda: ec.generate_private_key(ec.SECP256R1()))):
        with pytest.raises(UserError, match=r"the key is no .*openssl genpkey"):
            write_consent(folder, basis="self", subject="A.", scope="s", key=wrong)
    assert read_consent(folder).subject == "Zoë"


def record(**terms: Any) -> Consent:
    return Consent.model_validate({"basis": "synthetic", "scope": "s", "recordings": {"a": "0" * 64}, **terms})


def test_what_is_not_said_is_all_languages_and_all_purposes_but_publish() -> None:
    assert languages_of(record()) == ("en", "zh", "ja", "ko", "yue")
    assert set(PURPOSES) - set(purposes_of(record())) == {"publish"}


def test_the_last_day_is_within_and_the_next_is_not() -> None:
    consent = record(expires=DAY)
    assert breach(consent, "speak", ["en"], DAY) is None
    for purpose in purposes_of(consent):
        found = breach(consent, purpose, [], DAY + datetime.timedelta(1))
        assert found is not None and found[0] == "expired on 2026-03-01"


def test_languages_count_where_people_hear_the_voice() -> None:
    consent = record(languages=["zh"])
    for purpose in ("speak", "narrate", "serve"):
        assert breach(consent, purpose, ["zh"], DAY) is None
        assert (breach(consent, purpose, ["zh", "en"], DAY) or ("",))[0] == "language en not granted, only zh"
    assert breach(consent, "train", ["en"], DAY) is None


def test_only_listed_purposes_are_granted_and_an_unknown_one_is_a_bug() -> None:
    for granted in PURPOSES:
        for asked in PURPOSES:
            assert (breach(record(purposes=[granted]), asked, [], DAY) is None) == (asked == granted)
    with pytest.raises(ValueError, match="no purpose"):
        breach(record(), "anything", [], DAY)
