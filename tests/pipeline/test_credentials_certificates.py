"""Certificates and keys are checked before anything is signed; the project's own are made once, and private."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import pytest
from credentials_fakes import certificate
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_pem_x509_certificates
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audit.credentials.certificates import read_signing
from pipeline.audit.credentials.library import PURPOSES
from pipeline.audit.credentials.local import CHAIN, FOLDER, KEY, local_certificate
from pipeline.audit.credentials.sign import export_credentials
from voice.errors import UserError


def test_a_chain_and_its_key_of_every_kind_are_read(tmp_path: Path) -> None:
    for alg in ("es256", "es384", "ed25519"):
        signing = read_signing(*certificate(tmp_path, alg, alg=alg))
        assert (signing.alg, signing.subject) == (alg, f"CN={alg},O=Tests")
        assert signing.chain.count(b"BEGIN CERTIFICATE") == 2 and b"BEGIN PRIVATE KEY" in signing.key


def test_the_old_form_of_an_ec_key_is_turned_into_the_one_the_library_takes(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    whole = read_signing(chain, key)
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    assert b"BEGIN EC PRIVATE KEY" in key.read_bytes() and read_signing(chain, key) == whole


def test_what_does_not_sign_is_refused_in_one_line(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    private = ec.generate_private_key(ec.SECP256R1())

    def other(name: str, data: bytes, mode: int = 0o600) -> Path:
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(mode)
        return tmp_path / name

    def pem(made: object, how: object) -> bytes:
        return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)  # type: ignore[attr-defined]

    cases = {
        "others can read it \\(mode 0640\\)": (chain, other("open.key", key.read_bytes(), 0o640)),
        "not the key of the first certificate": (chain, other("stranger.key", pem(private, NoEncryption()))),
        "needs a password": (chain, other("locked.key", pem(private, BestAvailableEncryption(b"x")))),
        "no private key in PEM": (chain, other("no.key", b"\xff\x00 no key")),
        "no certificate in PEM": (other("no.pem", b"\xff\x00"), key),
        "No such file": (tmp_path / "missing.pem", key),
        "Is a directory": (chain, tmp_path),
        "expired on": certificate(tmp_path, "over", start=-7200, end=-3600),
        "valid from": certificate(tmp_path, "early", start=3600, end=7200),
    }
    for said, (one, two) in cases.items():
        with pytest.raises(UserError, match=said) as caught:
            read_signing(one, two)
        assert "\n" not in str(caught.value) and caught.value.hint


def test_a_kind_of_key_that_does_not_sign_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.audit.credentials import certificates

    chain, key = certificate(tmp_path)
    private = rsa.generate_private_key(65537, 1024)  # small: it signs nothing
    with pytest.raises(UserError, match="this kind of key does not sign here"):
        certificates._algorithm(private, key)
    with pytest.raises(UserError, match="this kind of key does not sign here"):
        certificates._algorithm(ec.generate_private_key(ec.SECP256K1()), key)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_damaged_pem_is_never_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    chain, key = folder / "ed.pem", folder / "ed.key"
    if not key.exists():
        certificate(folder)
    which = data.draw(st.sampled_from([chain, key]))
    whole = which.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    new = whole[:place] if cut else whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    try:
        which.write_bytes(new)
        read_signing(chain, key)
    except UserError:
        pass
    finally:
        which.write_bytes(whole)


def test_the_projects_own_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    made: list[bytes] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        chain, _ = local_certificate(tmp_path)
        made.append(chain.read_bytes())

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and len(set(made)) == 1
    assert sorted(path.name for path in (tmp_path / ".reprovoice").iterdir()) == [".gitignore", "credentials"]
    signing = read_signing(tmp_path / CHAIN, tmp_path / KEY, own=True)
    assert signing.alg == "es256" and signing.own
    for name in (FOLDER, CHAIN, KEY):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_the_projects_own_is_a_chain_with_the_marks_that_c2pa_asks_for(tmp_path: Path) -> None:
    from cryptography.x509 import BasicConstraints, ExtendedKeyUsage, KeyUsage

    leaf, root = load_pem_x509_certificates(local_certificate(tmp_path)[0].read_bytes())
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(BasicConstraints).value.ca
    usage = leaf.extensions.get_extension_for_class(KeyUsage)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    purposes = leaf.extensions.get_extension_for_class(ExtendedKeyUsage).value
    assert [each.dotted_string for each in purposes] == list(PURPOSES[:2])
    assert (
        root.public_key() != leaf.public_key() and len(list((tmp_path / FOLDER).iterdir())) == 2
    )  # no key of the root


def test_without_the_library_one_line_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "c2pa" else known(name))
    with pytest.raises(UserError, match="need the package c2pa-python") as caught:
        export_credentials(tmp_path, tmp_path / "a.wav", tmp_path / "out")
    assert "reprovoice[c2pa]" in caught.value.hint and not list(tmp_path.iterdir())
