"""Published weight files, pinned by size and sha256: from the cache, a folder of the user's, or the model hub.

Nothing is ever used whose bytes do not hash to what the base's card says. The environment:

- REPROVOICE_WEIGHTS: a folder with files fetched by hand, by their path in the repository or by their bare name
- HF_ENDPOINT: a mirror of the hub; huggingface_hub reads it once, at its import, and every call here reads it again
- HF_HUB_OFFLINE=1: no network at all; huggingface_hub reads it at its import, so it is set before the command

huggingface_hub (2.4) goes on with a cut download only within one call of `hf_hub_download` and deletes the part when
that fails. Its own building blocks are used here instead, around a part that stays for the next run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
from huggingface_hub.file_download import HfFileMetadata, http_get
from huggingface_hub.utils import WeakFileLock, build_hf_headers

from voice.errors import UserError
from voice.files import sha256_file

FOLDER_VARIABLE = "REPROVOICE_WEIGHTS"
CACHE = Path(".cache/weights")
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_RULES = {
    "repo": r"[\w.-]+/[\w.-]+",
    "revision": r"[0-9a-f]{40}",
    "path": r"[^\\\0]+",
    "sha256": r"[0-9a-f]{64}",
}
_AGAIN = "run the same command again: it goes on from there"


class MissingError(UserError):
    """A file that is in no place within reach; the message says where to put it."""


class UnreachableError(MissingError):
    """Missing, and the hub does not answer: no use in asking it for the next file."""


@dataclass(frozen=True)
class Source:
    """One published file: `path` within `repo` at `revision` (a commit), its size in bytes and its sha256 in hex."""

    repo: str
    revision: str
    path: str
    bytes: int
    sha256: str

    @classmethod
    def from_card(cls, entry: Any) -> Self:
        """An entry of a card's `sources`. Raises UserError that names the part at fault."""
        if not isinstance(entry, dict):
            raise UserError("needs repo, revision, path, bytes and sha256")
        for key, rule in _RULES.items():
            if not isinstance(entry.get(key), str) or not re.fullmatch(rule, entry[key]):
                raise UserError(f"{key} = {entry.get(key)!r}: must match {rule}")
        path = PurePosixPath(entry["path"])
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"path = {entry['path']!r}: must stay within the repository")
        if not isinstance(entry.get("bytes"), int) or entry["bytes"] < 1:
            raise UserError(f"bytes = {entry.get('bytes')!r}: must be a positive whole number")
        return cls(**{key: entry[key] for key in (*_RULES, "bytes")})

    @property
    def label(self) -> str:
        """The file's full name, for messages."""
        return f"{self.repo}/{self.path}"


def local_folder() -> Path | None:
    """The folder that REPROVOICE_WEIGHTS names, or None when it is not set. Raises UserError when it is no folder."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise UserError(f"{FOLDER_VARIABLE}={named}: no such folder", "create it, or unset the variable")
    return folder


def fetch(source: Source, cache: Path, local: Path | None, *, online: bool = True) -> Path:
    """The path of a file with the bytes of `source`: cached, in `local`, or downloaded to `cache`/<sha256>.

    A download that was cut short goes on where it ended (`<sha256>.part`); one that ends with other bytes is kept as
    `<sha256>.refused` and never used. Files in `local` are used where they lie. Without `online` nothing is asked of
    the hub.

    Raises:
        MissingError: the file is nowhere, or the hub refuses it (UnreachableError: the hub does not answer).
        UserError: a file has another size or hash than `source`, or a download was cut short.
    """
    kept = cache / source.sha256
    if kept.is_file():
        _accept(kept, source, aside=True, hint="run the same command again to fetch it anew")
        return kept
    if local is not None:
        for place in (local / source.path, local / PurePosixPath(source.path).name):
            if place.is_file():
                _accept(place, source, aside=False, hint=f"put the right file at {local / source.path}")
                return place
    if not online:
        raise _missing(source, local, "the hub does not answer")
    cache.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(cache / f"{source.sha256}.lock"):
        if not kept.is_file():  # unless another process has fetched it meanwhile
            _download(source, cache, local)
    return kept


def fetch_all(
    sources: Mapping[str, Source], cache: Path, local: Path | None, tell: Callable[[str], object] = lambda line: None
) -> dict[str, Path]:
    """`fetch` each of `sources`, and `tell` a line about each that is found; the same keys with paths.

    Raises UserError with one line for each file that is missing, after all have been looked for; other faults at once.
    """
    found: dict[str, Path] = {}
    missing: list[MissingError] = []
    online = True
    for name, source in sources.items():
        try:
            found[name] = fetch(source, cache, local, online=online)
            tell(f"{source.label}: {source.bytes} bytes, sha256 checked: {found[name]}")
        except MissingError as error:
            online = online and not isinstance(error, UnreachableError)
            missing.append(error)
    if missing:
        raise MissingError("\n".join(str(error) for error in missing))
    return found


def _accept(file: Path, source: Source, *, aside: bool, hint: str) -> None:
    """Raise UserError unless `file` is `source`; with `aside` it is then renamed first."""
    size, found = file.stat().st_size, sha256_file(file)
    if (size, found) == (source.bytes, source.sha256):
        return
    note = ""
    if aside:
        kept = file.with_name(f"{source.sha256}.refused")
        os.replace(file, kept)
        note = f"; kept as {kept}, not used"
    raise UserError(
        f"{file}: {size} bytes, sha256 {found}; {source.label} has {source.bytes} bytes, sha256 {source.sha256}{note}",
        hint,
    )


def _download(source: Source, cache: Path, local: Path | None) -> None:
    """Bring `source` from the hub to its place in `cache`."""
    offer = _offer(source, local)
    offered = offer.etag if re.fullmatch(r"[0-9a-f]{64}", offer.etag or "") else source.sha256
    if offered != source.sha256 or offer.size not in (None, source.bytes):
        raise UserError(
            f"{source.label}: {_hub()} offers {offer.size} bytes, sha256 {offered}; "
            f"the card says {source.bytes} bytes, sha256 {source.sha256}",
            f"nothing was fetched; take another mirror (HF_ENDPOINT) or {_place(source, local)}",
        )
    part = cache / f"{source.sha256}.part"
    if part.is_file() and part.stat().st_size > source.bytes:
        part.unlink()
    try:
        with part.open("ab") as file:
            http_get(
                offer.location,
                file,
                resume_size=file.tell(),
                headers=build_hf_headers(token=False),
                expected_size=source.bytes,
                displayed_filename=source.path,
            )
    except (HTTPError, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of this machine, as a full disk, not of the network
            raise
        done = part.stat().st_size
        raise UserError(f"{source.label}: cut at {done} of {source.bytes} bytes: {_reason(error)}", _AGAIN) from error
    _accept(part, source, aside=True, hint=f"run the same command again, or {_place(source, local)}")
    os.replace(part, cache / source.sha256)


def _offer(source: Source, local: Path | None) -> HfFileMetadata:
    """What the hub says of the file: location, size, and for large files its sha256 as the entity tag."""
    if not re.match(r"https?://\S+$", _hub()):
        raise UserError(f"HF_ENDPOINT={_hub()}: not an address", "as in https://mirror.example")
    url = hf_hub_url(source.repo, source.path, revision=source.revision, endpoint=_hub())
    for patient in (False, True):
        try:
            # The files are public: no mirror is shown the user's token.
            return get_hf_file_metadata(url, token=False, retry_on_errors=patient)
        except OfflineModeIsEnabled:
            raise _missing(source, local, "HF_HUB_OFFLINE is set", UnreachableError) from None
        except HfHubHTTPError as error:
            if error.response.status_code in _BUSY and not patient:
                continue
            raise _missing(source, local, f"{_hub()}: {_reason(error)}") from error
        except HTTPError as error:
            reason = f"no answer from {_hub()}: {_reason(error)}"
            raise _missing(source, local, reason, UnreachableError) from error
    raise AssertionError("not reached")


def _hub() -> str:
    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def _reason(error: Exception) -> str:
    """A network error in a few words on one line."""
    if isinstance(error, HfHubHTTPError):
        return f"status {error.response.status_code}"
    return " ".join(str(error).split()) or type(error).__name__


def _place(source: Source, local: Path | None) -> str:
    """Where a file that was fetched by hand belongs."""
    if local is not None:
        return f"put it at {local / source.path}"
    return f"set {FOLDER_VARIABLE}=DIR and put it at DIR/{source.path}"


def _missing(source: Source, local: Path | None, reason: str, kind: type[MissingError] = MissingError) -> MissingError:
    about = f"{source.bytes} bytes, sha256 {source.sha256}, revision {source.revision[:12]}"
    return kind(f"{source.label}: missing: {about}: {reason}", _place(source, local))
