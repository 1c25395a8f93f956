"""An EPUB as an archive: its parts as text and XML, within limits.

Nothing is written, and no XML with entities of its own is taken, so that a small file cannot grow into a large one.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from xml.etree import ElementTree

from voice.errors import UserError
from voice.transcripts.decode import decode

MAX_PARTS = 20_000
MAX_PART = 16_000_000  # bytes of one document, unpacked
MAX_WHOLE = 128_000_000
DAMAGED = "the file is damaged or cut short; get it again"


class Archive:
    """An EPUB opened for reading. Raises UserError when it is no archive, cut short, protected or too large."""

    def __init__(self, path: Path) -> None:
        self.path, self._read = path, 0
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
            raise UserError(f"{path}: not an EPUB that can be opened: {error}", DAMAGED) from error
        self._names = {info.filename: info for info in self._zip.infolist()}
        if len(self._names) > MAX_PARTS:
            self.__exit__()
            raise UserError(f"{path}: {len(self._names)} parts, the limit is {MAX_PARTS}", "is it a book?")

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:  # fmt: skip
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def text(self, name: str) -> str:
        """A part as text; what its head says about its size is not trusted."""
        where = f"{self.path}, {name}"
        info = self._names.get(name)
        if info is None:
            raise UserError(f"{where}: is missing in the archive", DAMAGED)
        if info.flag_bits & 1:
            raise UserError(f"{where}: is encrypted", "give a book without a password")
        try:
            with self._zip.open(info) as file:
                data = file.read(MAX_PART + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise UserError(f"{where}: cannot be unpacked: {error}", DAMAGED) from error
        self._read += len(data)
        if len(data) > MAX_PART or self._read > MAX_WHOLE:
            raise UserError(f"{where}: above {MAX_PART} bytes, or {MAX_WHOLE} in all", "is it a book?")
        return decode(data, where)

    def xml(self, name: str) -> ElementTree.Element:
        """A part as XML."""
        source = self.text(name)
        if "<!ENTITY" in source:
            raise UserError(
                f"{self.path}, {name}: declares entities of its own", "no book needs them; get another copy"
            )
        try:
            return ElementTree.fromstring(source.lstrip())
        except (ElementTree.ParseError, ValueError) as error:
            raise UserError(f"{self.path}, {name}: not XML: {error}", DAMAGED) from error
