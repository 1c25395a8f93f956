"""A hub of published files on this machine, which a test can have cut its answers, forget files or send others."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

REPO, COMMIT = "lj1995/GPT-SoVITS", "336b2ec4e8d4ac74740798dd40af44e74659ecaf"


def sha256(data: bytes) -> str:
    """Hex sha256 of `data`."""
    return hashlib.sha256(data).hexdigest()


@dataclass
class FakeHub:
    """As much of the hub as a download needs. What is set here changes what it answers."""

    files: dict[str, bytes] = field(default_factory=dict)  # path in the repository -> content
    cuts: list[int] = field(default_factory=list)  # bytes after which the next answers to GET end
    statuses: list[int] = field(default_factory=list)  # of the next answers, whatever is asked
    after_cut: int = 0  # status of every GET once there was a cut
    sha256_tags: bool = True  # as for large files; else tags are Git's
    ranges: bool = True
    storage: str = ""  # address of another server that large files are redirected to
    log: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    address: str = ""

    def gets(self) -> list[dict[str, str]]:
        return [headers for method, _, headers in self.log if method == "GET"]


class Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, *given: object) -> None:
        """Not on the terminal."""

    def do_HEAD(self) -> None:  # noqa: N802
        self._answer(body=False)

    def do_GET(self) -> None:  # noqa: N802
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        hub = self.hub
        hub.log.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        found = re.fullmatch(rf"/{REPO}/resolve/{COMMIT}/(.+)|/storage/(.+)", self.path)
        name = unquote(found[1] or found[2]) if found else ""
        status = hub.statuses.pop(0) if hub.statuses else 200 if name in hub.files else 404
        if status != 200:
            self._start(status, {"X-Error-Code": "EntryNotFound"} if status == 404 else {})
            return
        data = hub.files[name]
        tag = f'"{sha256(data) if hub.sha256_tags else hashlib.sha1(data).hexdigest()}"'
        about = {"X-Repo-Commit": COMMIT, "ETag": tag, "Accept-Ranges": "bytes"}
        if hub.storage and found and found[1]:
            linked = {"X-Linked-Etag": tag, "X-Linked-Size": str(len(data))}
            self._start(302, about | linked | {"Location": f"{hub.storage}/storage/{found[1]}"})
            return
        start = 0
        if hub.ranges and (asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))):
            start, status = int(asked[1]), 206
            about["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if body and hub.after_cut and not hub.cuts and any("range" in headers for headers in hub.gets()):
            self._start(hub.after_cut, {})
            return
        self._start(status, about, len(data) - start)
        if body:
            stop = start + hub.cuts.pop(0) if hub.cuts else len(data)
            self.wfile.write(data[start:stop])

    def _start(self, status: int, headers: dict[str, str], length: int = 0) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(length), "Connection": "close"}).items():
            self.send_header(name, value)
        self.end_headers()


def serve(hub: FakeHub) -> Iterator[FakeHub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    yield hub
    server.shutdown()
    server.server_close()
