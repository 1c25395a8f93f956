"""The archives that torch writes, opened without running what they hold (specification 1.5).

They are zip archives around a pickle. Before anything of it is built, the archive must be whole, its checksums right
and its pickle free of any class but tensors and `utils.HParams`, in which GPT-SoVITS keeps the config of an s2 file.
Only then does torch read it, with `weights_only`.
"""

from __future__ import annotations

import io
import pickletools
import re
import threading
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import torch

from voice.errors import UserError

HEADERS = {"00": "v1", "01": "v2", "02": "v3", "05": "v2Pro", "06": "v2ProPlus"}  # first two bytes in place of PK
HOLDER = ("utils", "HParams")
AGAIN = "fetch it again, and compare its size and sha256 with those its publisher gives"
OTHER = "give a file that GPT-SoVITS published or exported"
_TRUST = "do not load it with other tools either, unless you know who made it"
_LORA_HEADERS = ("03", "04")
_STORAGES = ("Half", "BFloat16", "Float", "Double", "Long", "Int", "Short", "Char", "Byte", "Bool")
_GLOBALS = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"}
_GLOBALS |= {".".join(HOLDER), *(f"torch.{name}Storage" for name in _STORAGES)}
_VALUES = 100_000  # in one pickle; a training state with its optimiser has a tenth of that
_LOCK = threading.Lock()  # torch keeps the allowed classes in one place for all threads


def read_archive(path: Path) -> tuple[str, Any]:
    """The first two bytes ("PK" or a key of HEADERS) and the content: tensors on the CPU, holders turned into dicts.

    Raises UserError when the file is missing, no torch archive, cut short, damaged, a LoRA export by its header, or
    when its pickle asks for any other class.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file", "give the path of a .ckpt or .pth file")
    with path.open("rb") as file:
        mark = _check_start(path, file.read(512))
        restored = _Restored(file)
        try:
            _check_globals(path, _check_zip(path, restored))
            holder = type(HOLDER[1], (), {"__module__": HOLDER[0]})
            allowed = torch.serialization.safe_globals([(holder, ".".join(HOLDER))])
            with _LOCK, warnings.catch_warnings(), allowed:
                warnings.simplefilter("ignore")
                restored.seek(0)
                content = torch.load(cast(IO[bytes], restored), map_location="cpu", weights_only=True)
            return mark, _plain(path, content, holder, [_VALUES])
        except UserError:
            raise
        except Exception as error:  # zip, pickle and torch raise errors of all sorts on content that was made up
            reason = f"{type(error).__name__}: {str(error).strip().split(chr(10))[0]}"
            raise UserError(f"{path}: not readable ({show(reason, 200)})", AGAIN) from error


def lora(path: Path, sign: str) -> UserError:
    """The refusal of a LoRA export; `sign` is how it was known."""
    return UserError(
        f"{path}: a LoRA export ({sign}): a change to its base file, no network of its own; not supported",
        "merge it into its base with GPT-SoVITS first",
    )


def show(name: object, most: int = 100) -> str:
    """A name out of a file, for a message: on one line and at most `most` characters."""
    text = str(name).encode("unicode_escape").decode("ascii")
    return text if len(text) <= most else text[:most] + "..."


class _Restored(io.RawIOBase):
    """A file whose first two bytes read as PK, whatever they are; nothing is copied."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        start, view = self._file.tell(), memoryview(buffer).cast("B")
        count: int = self._file.readinto(view)  # type: ignore[attr-defined]
        for place in range(start, min(2, start + count)):
            view[place - start] = b"PK"[place]
        return count


def _check_start(path: Path, head: bytes) -> str:
    """The header bytes of an archive. What else is often saved under the name of one is told apart."""
    mark = head[:2].decode("latin-1")
    if head[2:4] == b"\x03\x04" and mark in _LORA_HEADERS:
        raise lora(path, f"header {mark}")
    if head[2:4] == b"\x03\x04" and mark in ("PK", *HEADERS):
        return mark
    size, start = path.stat().st_size, head.lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        oid = re.search(rb"sha256:([0-9a-f]{64})", start)
        name = f" to sha256 {oid[1].decode()}" if oid else ""
        raise UserError(f"{path}: a Git-LFS pointer{name}, not the file itself", "run `git lfs pull` where it is from")
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        raise UserError(f"{path}: a web page, saved in place of the file", "use the download link on that page")
    if size < 100:
        raise UserError(f"{path}: {size} bytes, no more: cut short or never fetched", AGAIN)
    raise UserError(f"{path}: no zip archive as torch writes since 1.6; begins with {head[:6]!r}", OTHER)


def _check_zip(path: Path, file: _Restored) -> bytes:
    """Check the archive, of stored records, and every checksum, since torch checks none; returns the pickle."""
    size = path.stat().st_size
    if not zipfile.is_zipfile(file):
        raise UserError(f"{path}: cut short: {size} bytes without the archive's end", AGAIN)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = [entry.filename.lower() for entry in entries]  # as torch looks them up
        stored = all(entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1 for entry in entries)
        if not stored or len(set(names)) < len(names) or sum(entry.file_size for entry in entries) > size:
            raise UserError(f"{path}: its records are packed or doubled, as torch never writes them", _TRUST)
        if damaged := archive.testzip():
            raise UserError(f"{path}: damaged: the checksum of {show(damaged)} is wrong", AGAIN)
        pickles = [entry for entry, name in zip(entries, names, strict=True) if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise UserError(f"{path}: a zip archive, but none of torch: {len(pickles)} data.pkl in it", OTHER)
        return archive.read(pickles[0])


def _check_globals(path: Path, pickled: bytes) -> None:
    """Refuse a pickle that names anything but what weights are made of; the name is told."""
    words = ["", ""]
    for code, value, _ in pickletools.genops(pickled):
        if code.name in ("GLOBAL", "INST"):
            name = str(value).replace(" ", ".")
        elif code.name == "STACK_GLOBAL":
            name = ".".join(words)
        elif code.name.startswith("EXT"):
            name = f"extension {value}"
        else:
            words = [words[1], value] if isinstance(value, str) else words
            continue
        if code.name != "GLOBAL" or name not in _GLOBALS:
            raise UserError(f"{path}: its pickle asks for {show(name)}, which weights have no need of", _TRUST)


def _plain(path: Path, value: Any, holder: type, left: list[int]) -> Any:
    """`value` with holders as dicts and tuples as lists; `left` counts down, for what holds itself has no end."""
    left[0] -= 1
    if left[0] < 0:
        raise UserError(f"{path}: its pickle holds more than {_VALUES} values", _TRUST)
    value = vars(value) if isinstance(value, holder) else value
    if isinstance(value, dict):
        return {key: _plain(path, item, holder, left) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(path, item, holder, left) for item in value]
    return value.detach() if isinstance(value, torch.Tensor) else value
