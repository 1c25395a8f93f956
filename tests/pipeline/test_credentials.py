"""Signed copies sound as before, say what the ledger knows, and tell every byte that changed since."""

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import io
import json
import resource
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from credentials_fakes import certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_fakes import load_fake
from typer.testing import CliRunner

from pipeline.audit import audit
from pipeline.audit.credentials import sign
from pipeline.audit.credentials.claim import LABEL, SOURCE, definition
from pipeline.audit.credentials.library import carries, context
from pipeline.audit.credentials.read import read_credentials
from pipeline.audit.credentials.sign import Signed, export_credentials
from pipeline.cli import app
from pipeline.engine import SayOptions
from pipeline.ledger.find import look_up
from pipeline.narration import BookOptions, run_narration
from pipeline.speak import speak
from voice.consent.revoked import Tombstone, add_tombstone, writing
from voice.errors import UserError
from voice.files import sha256_file
from voice.label import read_label
from voice.mastering.tags import read_aigc, read_tags

c2pa: Any = pytest.importorskip("c2pa", reason="needs the extra c2pa")
BOOKS = tuple(f"out/book/book.{kind}" for kind in ("wav", "flac", "mp3", "m4b", "opus"))
SOUNDS = (*BOOKS, "out/hello.wav", "out/book/lines/first.flac")
SECRET = "Astonishing words of nobody else"


@pytest.fixture(scope="module")
def spoken_once(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a book in every kind and a spoken text, and signed copies of them beside it."""
    root = tmp_path_factory.mktemp("spoken") / "project"
    shutil.copytree(built_once, root, symlinks=True)
    script = root / "book.md"
    script.write_text(f"# One\n\n{SECRET}.\n\n# Two\n\nAnother line.\n")
    kinds = tuple(Path(name).suffix[1:] for name in BOOKS)
    run_narration(root, script, "ann", root / "out/book", SayOptions(), load_fake, book=BookOptions(formats=kinds))
    speak(root, SECRET, "ann", root / "out/hello.wav", SayOptions(), load_fake)
    for name in SOUNDS:
        export_credentials(root, original(root, name), copy_of(root, name).parent)
    return root


@pytest.fixture
def spoken(spoken_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    root = tmp_path / "a" / "project"
    shutil.copytree(spoken_once.parent, root.parent, symlinks=True)
    monkeypatch.chdir(root)
    return root


def original(root: Path, name: str) -> Path:
    if name.endswith("first.flac"):
        return min((root / "out/book/lines").glob("*.flac"))
    return root / name


def copy_of(root: Path, name: str) -> Path:
    return root.parent / "signed" / original(root, name).name


def own(root: Path) -> str:
    return (root / ".reprovoice/credentials/chain.pem").read_text()


def samples(path: Path) -> str:
    with av.open(str(path)) as container:
        data = b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
    assert data
    return hashlib.sha256(data).hexdigest()


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def invoke(*arguments: object, status: int = 0) -> str:
    told = CliRunner().invoke(app, [str(each) for each in arguments])
    assert told.exit_code == status, told.output + repr(told.exception)
    return told.output


@pytest.mark.parametrize("name", SOUNDS)
def test_a_copy_sounds_the_same_and_keeps_its_label(spoken_once: Path, name: str) -> None:
    before, after = original(spoken_once, name), copy_of(spoken_once, name)
    assert samples(before) == samples(after)
    assert read_tags(before) == read_tags(after) and read_aigc(before) == read_aigc(after)
    assert read_aigc(after) is not None or not name.startswith("out/book/book")
    if after.suffix in (".wav", ".flac"):
        assert read_label(after) == read_label(before) and "voice=ann" in read_label(after)
    with av.open(str(before)) as one, av.open(str(after)) as two:
        assert one.chapters() == two.chapters() and [s.type for s in one.streams] == [s.type for s in two.streams]
    assert carries(after) and not carries(before)
    assert (before.suffix == ".opus") == (sha256_file(before) == sha256_file(after))


@pytest.mark.parametrize("name", SOUNDS)
def test_credentials_say_what_the_ledger_knows_and_nothing_private(spoken_once: Path, name: str) -> None:
    before, after = original(spoken_once, name), copy_of(spoken_once, name)
    found = read_credentials(after, own(spoken_once))
    assert found is not None and found.state == "trusted" and found.signer == "project of reprovoice, self-made"
    entry = look_up(spoken_once, sha256_file(before), None)[0]
    (voice,) = entry.voices
    label = (read_aigc(before) or {}).get("ProduceID")
    expected = {
        "version": 1, "sha256": sha256_file(before), "part": "line" if "lines" in name else "whole",
        "text_sha256": entry.text_sha256, "parameters_sha256": entry.parameters_sha256,
        "ledger": {"line": entry.number, "public_key": entry.public_key},
        "voices": [{"name": "ann", "consent": voice.consent_id, "consent_sha256": voice.consent_sha256,
                    "weights": voice.weights}],
    }  # fmt: skip
    expected |= {"label": label} if label else {}
    expected |= {"script_sha256": entry.script_sha256} if entry.script_sha256 else {}
    assert found.facts == expected and voice.consent_sha256
    store = after.with_name(after.name + ".c2pa")
    with after.open("rb") as file:
        kind = {".m4b": "m4a", ".opus": "application/octet-stream"}.get(after.suffix, after.suffix[1:])
        reader = c2pa.Reader(kind, file, store.read_bytes() if store.exists() else None)
        whole = reader.json()
    manifests = json.loads(whole)["manifests"]
    (manifest,) = manifests.values()
    action = next(each for each in manifest["assertions"] if each["label"].startswith("c2pa.actions"))["data"][
        "actions"
    ]
    assert [(each["action"], each["digitalSourceType"]) for each in action] == [("c2pa.created", SOURCE)]
    assert manifest["claim_generator_info"][0]["name"] == "reprovoice"
    assert {each["label"] for each in manifest["assertions"]} - {"c2pa.hash.bmff.v3"} == {LABEL, "c2pa.actions.v2"}
    for private in (SECRET, str(spoken_once), "book", "hello"):
        assert private not in whole, (private, whole)


def manifest_at(data: bytes) -> tuple[int, int]:
    place = data.find(b"jumb") - 4
    return place, place + int.from_bytes(data[place : place + 4], "big")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_changed_byte_outside_of_the_manifest_is_told(spoken_once: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SOUNDS))
    copy = copy_of(spoken_once, name)
    whole = copy.read_bytes()
    start, end = manifest_at(whole) if copy.suffix != ".opus" else (0, 0)
    # Of MP4 the hash leaves out the box of the file's type, and the whole box that the manifest lies in.
    first = 28 + int.from_bytes(whole[28:32], "big") if copy.suffix == ".m4b" else 0
    place = data.draw(st.integers(first, len(whole) - 1).filter(lambda each: not start <= each < end))
    try:
        flip(copy, place)
        found = read_credentials(copy, own(spoken_once)) if carries(copy) else None
    finally:
        copy.write_bytes(whole)
    assert found is None or found.state in ("changed", "damaged"), (name, place, found)
    if found is None:  # credentials may be broken off; then nothing is claimed either
        assert copy.suffix == ".flac" and place < start


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_credentials_are_never_a_traceback(spoken_once: Path, data: st.DataObject) -> None:
    copy = copy_of(spoken_once, data.draw(st.sampled_from(["out/book/book.mp3", "out/hello.wav"])))
    whole = copy.read_bytes()
    start, end = manifest_at(whole)
    place = data.draw(st.integers(start, end - 1))
    junk = data.draw(st.binary(min_size=1, max_size=40))
    cut = data.draw(st.booleans())
    try:
        copy.write_bytes(whole[:place] if cut else whole[:place] + junk + whole[place + len(junk) :])
        read_credentials(copy, own(spoken_once))
    finally:
        copy.write_bytes(whole)


def test_the_audit_knows_a_copy_by_its_credentials(spoken: Path) -> None:
    for name in SOUNDS:
        found = audit(spoken, copy_of(spoken, name))
        assert found.verdict == "fresh" and found.narrated is not None, name
        assert found.narrated.copy_of == original(spoken, name).relative_to(spoken).as_posix() or "lines" in name
        assert found.narrated.credentials is not None and found.narrated.credentials.state == "trusted"
    said = invoke("audit", copy_of(spoken, "out/book/book.m4b"))
    assert "a signed copy of out/book/book.m4b" in said
    assert "content credentials valid, signed by project of reprovoice, self-made, who is trusted here" in said
    told = json.loads(invoke("audit", copy_of(spoken, "out/hello.wav"), "--json"))
    assert told["narration"]["credentials"]["state"] == "trusted"


@pytest.mark.parametrize("name", ["out/book/book.mp3", "out/book/book.opus", "out/hello.wav"])
def test_the_audit_tells_a_copy_that_changed_after_it_was_signed(spoken: Path, name: str) -> None:
    copy = copy_of(spoken, name)
    start, end = manifest_at(copy.read_bytes())
    flip(copy, end + 200 if name.endswith("mp3") else 1000)
    said = " ".join(invoke("audit", copy, status=1).split())
    assert "changed after it was signed by project of reprovoice, self-made" in said and "stale" in said


def test_a_stranger_is_trusted_only_when_his_certificate_is_given(spoken: Path, tmp_path: Path) -> None:
    for alg in ("es256", "ed25519"):
        chain, key = certificate(tmp_path, f"paul-{alg}", alg=alg)
        out = tmp_path / alg
        made = json.loads(
            invoke("audit", "out/hello.wav", "--export", out, "--certificate", chain, "--key", key, "--json")
        )
        assert made == {"files": [str(out / "hello.wav")], "signer": f"CN=paul-{alg},O=Tests", "own": False}
        said = invoke("audit", out / "hello.wav", status=1)
        assert f"valid, signed by paul-{alg} of Tests, for whom nobody vouches here" in said
        assert ": fresh" in invoke("audit", out / "hello.wav", "--certificate", chain)


def test_a_signer_of_ours_who_says_otherwise_than_the_ledger_is_told(
    spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = sign.speech_facts
    monkeypatch.setattr(sign, "speech_facts", lambda *given: honest(*given) | {"text_sha256": "0" * 64})
    export_credentials(spoken, spoken / "out/hello.wav", tmp_path / "lie")
    assert "say otherwise than ledger/narrations.jsonl line 2" in audit(spoken, tmp_path / "lie/hello.wav").verdict


@pytest.mark.slow
def test_the_certificate_may_end_after_it_signed(spoken: Path, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "short", end=30)
    deadline = time.time() + 30
    export_credentials(spoken, spoken / "out/hello.wav", tmp_path / "o", chain, key)
    while time.time() < deadline + 1.5:
        time.sleep(0.2)
    found = read_credentials(tmp_path / "o/hello.wav", chain.read_text())
    assert found is not None and found.state == "expired", found


def refused(root: Path, said: str, *arguments: object) -> None:
    out = root.parent / "refused"
    told = CliRunner().invoke(app, [str(each) for each in ("audit", *arguments, "--export", out)])
    assert isinstance(told.exception, UserError), told.output  # main prints it as one line, with status 2
    line = str(told.exception)
    assert said in line and "\n" not in line and not any(out.rglob("*") if out.exists() else ()), line


def test_sounds_that_are_not_signed_are_refused_in_one_line(spoken: Path, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    server, its = certificate(tmp_path, "server", purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    hello = "out/hello.wav"
    refused(spoken, "--certificate and --key go together", hello, "--key", key)
    refused(spoken, "the certificate does not sign", hello, "--certificate", server, "--key", its)
    key.chmod(0o644)
    refused(spoken, "others can read it", hello, "--certificate", chain, "--key", key)
    refused(spoken, "no such file", "out/nothing.wav")
    refused(spoken, "only sounds are signed", "models/ann", "--certificate", chain)
    refused(spoken, "only the model of a voice is exported", "out/book/book.srt")
    refused(spoken, "no run in the ledger made these bytes", copy_of(spoken, hello))  # signed once is enough
    stranger = tmp_path / "cut.mp3"
    stranger.write_bytes((spoken / "out/book/book.mp3").read_bytes()[:5000])
    refused(spoken, "stale", stranger)  # its label is known, its bytes are not
    stranger.write_bytes(b"")
    refused(spoken, "unknown", stranger)
    shutil.copy(spoken / hello, spoken / "out/moved.wav")
    with pytest.raises(UserError, match="a sound with its record lies there"):
        export_credentials(spoken, spoken / hello, spoken / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="give another folder"):
        export_credentials(spoken, spoken / hello, tmp_path / "file")
    assert export_credentials(spoken, spoken / "out/moved.wav", tmp_path / "moved").own  # a copy has the same bytes
    assert sha256_file(spoken / hello) == sha256_file(spoken / "out/moved.wav")


def test_a_broken_chain_and_a_revoked_consent_are_refused(spoken: Path) -> None:
    entry = look_up(spoken, sha256_file(spoken / "out/hello.wav"), None)[0]
    recording = spoken / "data/raw/ann/recording.flac"
    whole = recording.read_bytes()
    recording.write_bytes(whole + b"more")
    refused(spoken, "data/raw/ann/recording.flac changed", "out/hello.wav")
    recording.write_bytes(whole)
    stone = Tombstone(str(entry.voices[0].consent_id), ("ann",), "2026-01-01", "", (), (), ())
    with writing(spoken):
        add_tombstone(spoken, stone)
    for name in ("out/hello.wav", "out/book/book.mp3"):
        refused(spoken, "revoked", name)


def test_a_full_disk_leaves_nothing(spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little for the copy of the source, then too little for the signed one."""
    size = (spoken / "out/book/book.wav").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    write = sign._write
    for limit, said in ((size - 1000, "File too large"), (size + 1000, "File too large|not signed: ")):

        def full(*given: Any, limit: int = limit) -> Any:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            try:
                return write(*given)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

        monkeypatch.setattr(sign, "_write", full)
        with pytest.raises(UserError, match=said):
            export_credentials(spoken, spoken / "out/book/book.wav", tmp_path / "full")
        assert not list((tmp_path / "full").iterdir())


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server that notes what is asked of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/manifest", asked
    running.shutdown()


def test_no_manifest_is_fetched(spoken: Path, tmp_path: Path, server: tuple[str, list[str]]) -> None:
    url, asked = server
    chain, key = certificate(tmp_path)
    builder = c2pa.Builder(definition({}, "2026-01-01T00:00:00Z"))
    builder.set_no_embed()
    builder.set_remote_url(url)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", chain.read_bytes(), key.read_bytes(), None))
    made = io.BytesIO()
    builder.sign(signer, "mp3", io.BytesIO((spoken / "out/book/book.mp3").read_bytes()), made)
    strange = tmp_path / "strange.mp3"
    strange.write_bytes(made.getvalue())
    assert url.encode() in made.getvalue()
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader("mp3", io.BytesIO(made.getvalue()))
    assert asked  # as the library does unless it is told otherwise
    asked.clear()
    assert read_credentials(strange) is None  # none that could be read without the net
    with strange.open("rb") as file, pytest.raises(c2pa.C2paError):
        c2pa.Reader("mp3", file, context=context())
    assert asked == []


def test_of_several_only_the_exported_is_written(spoken: Path, tmp_path: Path) -> None:
    made = export_credentials(spoken, spoken / "out/book/book.opus", tmp_path / "o")
    assert isinstance(made, Signed) and [file.name for file in made.files] == ["book.opus", "book.opus.c2pa"]
    assert sorted(file.name for file in (tmp_path / "o").iterdir()) == ["book.opus", "book.opus.c2pa"]
    again = export_credentials(spoken, spoken / "out/book/book.opus", tmp_path / "o")
    assert again == made


def test_without_the_library_the_audit_says_that_credentials_are_unread(
    spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "c2pa" else known(name))
    unread = "carries content credentials, unread (pip install 'reprovoice[c2pa]')"
    found = audit(spoken, copy_of(spoken, "out/book/book.mp3"))
    assert unread in found.verdict and "known by its label alone" in found.verdict
    with pytest.raises(UserError, match="unknown: no stage makes it") as caught:
        audit(spoken, copy_of(spoken, "out/hello.wav"))
    assert unread in str(caught.value)
    assert audit(spoken, copy_of(spoken, "out/book/book.opus")).fresh  # the very bytes of the narration
    assert audit(spoken, spoken / "out/hello.wav").fresh
