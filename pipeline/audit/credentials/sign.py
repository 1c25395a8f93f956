"""A copy of a sound that carries signed credentials, put in place whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.audit.backward import audit_in
from pipeline.audit.credentials.certificates import Signing, read_signing
from pipeline.audit.credentials.claim import definition, speech_facts
from pipeline.audit.credentials.library import ANY, FORMATS, beside, carries, context, require
from pipeline.audit.credentials.local import CHAIN, local_certificate
from pipeline.audit.project import Project, open_project
from pipeline.ledger.find import Found, label_of, look_up
from voice.consent.gate import revoked
from voice.consent.revoked import blocks, read_revoked
from voice.consent.weights import permit_weights
from voice.errors import UserError
from voice.files import sha256_file
from voice.label import sidecar
from voice.mastering.words import one_line

_PURPOSE = {"say": "speak", "narration": "narrate"}


@dataclass(frozen=True)
class Signed:
    """The files written, the copy first, and who signed; `own` where that is the project's own certificate."""

    files: tuple[Path, ...]
    signer: str
    own: bool


def export_credentials(
    root: Path, path: Path, out: Path, certificate: Path | None = None, key: Path | None = None
) -> Signed:
    """Write a copy of the sound `path` with its credentials into `out`; for opus they lie beside it, in NAME.c2pa.

    Signed with `key` of the first of `certificate` (PEM), without both with the project's own. Raises UserError for a
    sound that no line of the ledger made, whose chain is broken, whose consent is revoked or does not allow it any
    longer, for certificates that do not sign, and where `out` cannot be written; then nothing is.
    """
    require()
    if (certificate is None) != (key is None):
        raise UserError("--certificate and --key go together", "or leave both out: the project's own are used")
    target = out / path.name
    if not path.is_file():
        raise UserError(f"{path}: no such file", "name a sound of a narration or of `say`")
    if sidecar(target).exists() or (target.exists() and target.samefile(path)):
        raise UserError(f"{target}: a sound with its record lies there", "give another folder")
    with open_project(root) as project:
        found = _allowed(project, path)
    signing = _signing(root, certificate, key)
    facts = speech_facts(found, label_of(path))
    try:
        out.mkdir(parents=True, exist_ok=True)
        files = _write(path, target, definition(facts, found.time), signing, found.sha256)
    except OSError as error:
        raise UserError(f"{out}: {error.strerror or error}", "give another folder, or mend this one") from error
    return Signed(files, signing.subject, signing.own)


def _allowed(project: Project, path: Path) -> Found:
    """The entry of the ledger for these very bytes, once everything behind them is as it was and allowed."""
    found = next(iter(look_up(project.root, sha256_file(path), None)), None)
    stones = read_revoked(project.root)
    for spoke in found.voices if found else ():
        hashes = spoke.weights.values()
        if stone := blocks(stones, consent=spoke.consent_id, hashes=hashes, voice=spoke.voice):
            raise revoked(spoke.voice, stone)
    audit = audit_in(project, path)
    if not audit.fresh:
        raise UserError(f"{path}: {audit.verdict}", "credentials are for sounds whose chain is as it was")
    if found is None:
        raise UserError(f"{path}: no run in the ledger made these bytes", "name a sound of narrate or say, not a copy")
    for spoke in found.voices:
        permit_weights(project.root / "models" / spoke.voice, _PURPOSE[found.kind])
    return found


def _signing(root: Path, certificate: Path | None, key: Path | None) -> Signing:
    if certificate is not None and key is not None:
        return read_signing(certificate, key)
    try:
        return read_signing(*local_certificate(root), own=True)
    except OSError as error:
        raise UserError(f"{CHAIN}: {error.strerror or error}", "mend it, or give --certificate and --key") from error
    except UserError as error:
        raise UserError(error.message.replace(f"{root}/", ""), error.hint.replace(f"{root}/", "")) from error


def _write(path: Path, target: Path, manifest: dict[str, Any], signing: Signing, digest: str) -> tuple[Path, ...]:
    """`digest` is the sha256 that `path` must still have: what is signed is what was asked about."""
    kind = FORMATS.get(path.suffix.lower())
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        source, copy = Path(folder, f"source{path.suffix}"), Path(folder, target.name)
        shutil.copyfile(path, source)
        if sha256_file(source) != digest or carries(source):
            raise UserError(f"{path}: changed meanwhile, or signed already", "render it again")
        store = _sign(path, source, copy, manifest, signing, kind)
        made = [copy, beside(copy)] if kind is None else [copy]
        if kind is None:
            os.replace(source, copy)
            beside(copy).write_bytes(store)
        for file in made:
            with file.open("rb") as written:
                os.fsync(written.fileno())
            file.chmod(0o644)
        if kind is not None:
            beside(target).unlink(missing_ok=True)  # of another export; it would be taken for this one's
        for file in reversed(made):
            os.replace(file, target.parent / file.name)
    return tuple(target.parent / file.name for file in made)


def _sign(path: Path, source: Path, copy: Path, manifest: dict[str, Any], signing: Signing, kind: str | None) -> bytes:
    """Write `copy` with the manifest in it, and return the manifest; where `kind` is None, it is only returned."""
    import c2pa

    try:
        info = c2pa.C2paSignerInfo(signing.alg, signing.chain, signing.key, None)  # None: no time is asked for
        with context() as settings, c2pa.Builder(manifest, settings) as builder, c2pa.Signer.from_info(info) as signer:
            if kind is None:
                builder.set_no_embed()
            with source.open("rb") as given, copy.open("w+b") as made:
                return bytes(builder.sign(signer, kind or ANY, given, made))
    except c2pa.C2paError as error:
        said = one_line(str(error))
        if isinstance(error, c2pa.C2paError.Signature) or "signingCredential" in said:
            raise UserError(
                f"the certificate does not sign: {said}",
                "it needs the key usage digitalSignature, and e-mail protection, document or C2PA claim signing",
            ) from error
        raise UserError(f"{path}: not signed: {said}", "is there space, and is the sound whole?") from error
