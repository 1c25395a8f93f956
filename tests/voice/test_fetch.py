"""Published weight files: cached, in a folder of the user's, or from a hub on this machine that is cut and mistaken."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfFileMetadata, constants, get_hf_file_metadata

from tests.fake_hub import COMMIT, REPO, FakeHub, serve, sha256
from voice import fetch as fetching
from voice.errors import UserError
from voice.fetch import MissingError, Source, UnreachableError, fetch, fetch_all, local_folder

DATA = bytes(range(256)) * 1200  # 300 kB
NAME = "gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt"


def source_of(data: bytes, path: str = NAME) -> Source:
    return Source(REPO, COMMIT, path, len(data), sha256(data))


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's settings, and no way out of this machine."""
    for name in ("REPROVOICE_WEIGHTS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 20_000)  # what is lost of a cut answer is part of a chunk


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for made in serve(FakeHub({NAME: DATA})):
        monkeypatch.setenv("HF_ENDPOINT", made.address + "/")
        yield made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / ".cache/weights"


def kept(cache: Path) -> set[str]:
    return {path.suffix or "whole" for path in cache.iterdir() if path.suffix != ".lock"}


def test_a_file_is_fetched_once_under_its_hash_and_no_token_is_shown(hub: FakeHub, cache: Path) -> None:
    source = source_of(DATA)
    path = fetch(source, cache, None)
    assert path == cache / source.sha256 and path.read_bytes() == DATA and kept(cache) == {"whole"}
    assert len(hub.gets()) == 1
    assert all("authorization" not in headers for _, _, headers in hub.log)
    hub.log.clear()
    assert fetch(source, cache, None) == path and hub.log == []


def test_a_cut_connection_goes_on_where_it_ended(hub: FakeHub, cache: Path) -> None:
    hub.cuts = [130_000]
    assert fetch(source_of(DATA), cache, None).read_bytes() == DATA
    first, second = hub.gets()
    assert "range" not in first and second["range"] == "bytes=120000-"


def test_what_a_failed_run_fetched_serves_the_next(hub: FakeHub, cache: Path) -> None:
    source, hub.cuts, hub.after_cut = source_of(DATA), [130_000], 500
    with pytest.raises(UserError, match=r"epoch=12.*: cut at 120000 of 307200 bytes: status 500 \(run the same"):
        fetch(source, cache, None)
    assert kept(cache) == {".part"}
    hub.after_cut = 0
    hub.log.clear()
    assert fetch(source, cache, None).read_bytes() == DATA and kept(cache) == {"whole"}
    assert [headers["range"] for headers in hub.gets()] == ["bytes=120000-"]


def test_a_hub_that_cannot_go_on_sends_all_again(hub: FakeHub, cache: Path) -> None:
    source, hub.ranges = source_of(DATA), False
    cache.mkdir(parents=True)
    (cache / f"{source.sha256}.part").write_bytes(DATA[:1000])
    assert fetch(source, cache, None).read_bytes() == DATA


def test_a_part_that_is_too_long_or_whole_is_no_obstacle(hub: FakeHub, cache: Path) -> None:
    source = source_of(DATA)
    cache.mkdir(parents=True)
    part = cache / f"{source.sha256}.part"
    part.write_bytes(DATA + b"x")
    assert fetch(source, cache, None).read_bytes() == DATA
    os.replace(cache / source.sha256, part)
    hub.log.clear()
    assert fetch(source, cache, None).read_bytes() == DATA and not hub.gets()


def test_large_files_come_from_the_storage_the_hub_names(hub: FakeHub, cache: Path) -> None:
    for other in serve(FakeHub({NAME: DATA})):
        hub.storage = other.address
        assert fetch(source_of(DATA), cache, None).read_bytes() == DATA
        assert not hub.gets() and len(other.gets()) == 1


@pytest.mark.parametrize("name", [NAME, Path(NAME).name])
def test_a_file_of_the_users_folder_is_used_where_it_lies(hub: FakeHub, cache: Path, tmp_path: Path, name: str) -> None:
    mine = tmp_path / "mine" / name
    mine.parent.mkdir(parents=True)
    mine.write_bytes(DATA)
    assert fetch(source_of(DATA), cache, tmp_path / "mine") == mine
    assert hub.log == [] and not cache.exists()


@pytest.mark.parametrize("change", [DATA[:-1], DATA[:-1] + b"x"], ids=["cut", "changed"])
def test_a_wrong_file_of_the_users_folder_is_told_and_left_alone(
    hub: FakeHub, cache: Path, tmp_path: Path, change: bytes
) -> None:
    mine = tmp_path / Path(NAME).name
    mine.write_bytes(change)
    with pytest.raises(UserError) as caught:
        fetch(source_of(DATA), cache, tmp_path)
    line = str(caught.value)
    assert line.startswith(f"{mine}: {len(change)} bytes, sha256 {sha256(change)}; ") and "\n" not in line
    assert f"{NAME} has 307200 bytes, sha256 {sha256(DATA)}" in line
    assert line.endswith(f"(put the right file at {tmp_path / NAME})")
    assert mine.read_bytes() == change and hub.log == []


def test_other_bytes_than_promised_are_kept_aside_and_not_used(hub: FakeHub, cache: Path) -> None:
    source, hub.sha256_tags, other = source_of(DATA), False, DATA[:-1] + b"x"
    hub.files[NAME] = other
    with pytest.raises(UserError) as caught:
        fetch(source, cache, None)
    line = str(caught.value)
    assert sha256(other) in line and sha256(DATA) in line and "\n" not in line
    assert f"kept as {cache / source.sha256}.refused, not used" in line and kept(cache) == {".refused"}
    assert "set REPROVOICE_WEIGHTS=DIR" in line
    hub.files[NAME] = DATA
    assert fetch(source, cache, None).read_bytes() == DATA


@pytest.mark.parametrize("other", [DATA[:-1] + b"x", DATA[:100]], ids=["hash", "size"])
def test_a_hub_that_announces_another_file_is_not_asked_for_it(hub: FakeHub, cache: Path, other: bytes) -> None:
    hub.files[NAME], hub.sha256_tags = other, len(other) == len(DATA)
    with pytest.raises(UserError, match=f"offers {len(other)} bytes.*nothing was fetched; take another mirror"):
        fetch(source_of(DATA), cache, None)
    assert not hub.gets()


def test_a_damaged_file_in_the_cache_is_told_once_and_fetched_anew(hub: FakeHub, cache: Path) -> None:
    source = source_of(DATA)
    path = fetch(source, cache, None)
    path.write_bytes(DATA[:-5])
    with pytest.raises(UserError, match=r"307195 bytes.*\.refused, not used \(run the same command again to fetch"):
        fetch(source, cache, None)
    assert fetch(source, cache, None).read_bytes() == DATA


def test_offline_each_missing_file_has_a_line_that_says_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, hub: FakeHub, cache: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "sv.ckpt").write_bytes(b"here")
    wanted = {"a": source_of(DATA), "b": source_of(b"here", "sv/sv.ckpt"), "c": source_of(b"no", "s1v3.ckpt")}
    with pytest.raises(MissingError) as caught:
        fetch_all(wanted, cache, tmp_path)
    first, second = str(caught.value).splitlines()
    assert first == (
        f"{REPO}/{NAME}: missing: 307200 bytes, sha256 {sha256(DATA)}, revision 336b2ec4e8d4: HF_HUB_OFFLINE is set "
        f"(put it at {tmp_path / NAME})"
    )
    assert second.startswith(f"{REPO}/s1v3.ckpt: missing: 2 bytes") and "the hub does not answer" in second
    with pytest.raises(MissingError, match=r"\(set REPROVOICE_WEIGHTS=DIR and put it at DIR/s1v3\.ckpt\)"):
        fetch_all({"c": wanted["c"]}, cache, None)
    assert hub.log == []


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    asked: list[str] = []

    def ask(url: str, **given: Any) -> HfFileMetadata:
        asked.append(url)
        return get_hf_file_metadata(url, **given)

    monkeypatch.setattr(fetching, "get_hf_file_metadata", ask)
    with pytest.raises(MissingError, match=r"no answer from http://127\.0\.0\.1:9: .*\n.*the hub does not answer"):
        fetch_all({"a": source_of(DATA), "c": source_of(b"no", "s1v3.ckpt")}, cache, None)
    assert asked == [f"http://127.0.0.1:9/{REPO}/resolve/{COMMIT}/{NAME.replace('=', '%3D')}"]
    with pytest.raises(UnreachableError):
        fetch(source_of(DATA), cache, None)


def test_a_file_the_hub_lacks_is_missing_and_the_others_are_still_fetched(hub: FakeHub, cache: Path) -> None:
    with pytest.raises(MissingError, match=rf"s1v3\.ckpt: missing: .* {hub.address}: status 404") as caught:
        fetch_all({"c": source_of(b"no", "s1v3.ckpt"), "a": source_of(DATA)}, cache, None)
    assert not isinstance(caught.value, UnreachableError) and kept(cache) == {"whole"}


def test_a_busy_hub_is_asked_again(hub: FakeHub, cache: Path) -> None:
    hub.statuses = [503, 503]
    assert fetch(source_of(DATA), cache, None).read_bytes() == DATA


def test_a_full_disk_is_not_taken_for_the_network(monkeypatch: pytest.MonkeyPatch, hub: FakeHub, cache: Path) -> None:
    def full(*given: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "http_get", full)
    with pytest.raises(OSError, match="No space left"):
        fetch(source_of(DATA), cache, None)


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "mirror.example")
    with pytest.raises(UserError, match=r"HF_ENDPOINT=mirror\.example: not an address"):
        fetch(source_of(DATA), cache, None)


def test_the_variables_are_read_from_the_environment_of_the_command(hub: FakeHub, tmp_path: Path) -> None:
    """As a user sets them: a mirror, then no network."""
    code = "import json, sys; from pathlib import Path; from voice.fetch import *; from voice.fetch import Source\n"
    code += "try: print(fetch(Source(**json.loads(sys.argv[1])), Path(sys.argv[2]), None))\n"
    code += "except MissingError as error: print(error)"
    asked = json.dumps(vars(source_of(DATA)))

    def run(folder: str, **env: str) -> str:
        command = [sys.executable, "-c", code, asked, str(tmp_path / folder)]
        return subprocess.run(command, env=os.environ | env, text=True, capture_output=True, check=True).stdout

    assert run("a").strip() == str(tmp_path / "a" / sha256(DATA))
    assert "HF_HUB_OFFLINE is set" in run("b", HF_HUB_OFFLINE="1")


def test_the_users_folder_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert local_folder() is None
    monkeypatch.setenv("REPROVOICE_WEIGHTS", str(tmp_path))
    assert local_folder() == tmp_path
    monkeypatch.setenv("REPROVOICE_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(UserError, match="REPROVOICE_WEIGHTS=.*none: no such folder"):
        local_folder()


def test_an_entry_of_a_card_is_checked() -> None:
    entry = vars(source_of(DATA))
    assert Source.from_card(entry | {"evidence": "made here"}) == source_of(DATA)
    faults = {"repo": "GPT-SoVITS", "revision": "main", "path": "../x", "bytes": 0, "sha256": "ab"}
    for key, value in faults.items():
        with pytest.raises(UserError, match=f"^{key} = {value!r}: must"):
            Source.from_card(entry | {key: value})
    with pytest.raises(UserError, match="path = '/x': must stay within"):
        Source.from_card(vars(replace(source_of(DATA), path="/x")))
    broken: Any
    for broken in ([], {**entry, "bytes": "5"}, {k: v for k, v in entry.items() if k != "path"}):
        with pytest.raises(UserError):
            Source.from_card(broken)
