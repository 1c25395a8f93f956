"""`map_items` against crashes, kills, full disks, and other processes that want the same."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from voice.errors import UserError
from voice.items import ItemCache, map_items

CHECKOUT = Path(__file__).resolve().parents[2]
# What child processes run: `map_items` over 40 items, each noted in `log` when its computation starts.
SCRIPT = """
import sys
from pathlib import Path
from functools import partial
from tests.voice.test_map_items import logged, work
from voice.items import ItemCache, map_items

if __name__ == "__main__":
    root = Path(sys.argv[1])
    cache = ItemCache(root / "cache", "s", "1")
    for value in map_items(cache, work(cache, 40), partial(logged, root / sys.argv[2], float(sys.argv[3])), workers=2):
        print(value.decode(), flush=True)
    print(cache.misses, cache.hits, flush=True)
"""


def work(cache: ItemCache, count: int) -> list[tuple[str, int]]:
    return [(cache.key(n), n) for n in range(count)]


def squared(number: int) -> bytes:
    return str(number * number).encode()


def logged(log: Path, seconds: float, number: int) -> bytes:
    with log.open("a") as file:
        file.write(f"{number} {os.getpid()}\n")
    time.sleep(seconds)
    return squared(number)


def odd(number: int) -> bytes:
    if number == 3:
        raise UserError("three is refused", "take four")
    return squared(number)


class UnsentError(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__("only one")


def unsendable(number: int) -> bytes:
    raise UnsentError(number, number)


def dies(number: int) -> bytes:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return squared(number)


def big(number: int) -> bytes:
    return bytes([number]) * 200_000


def caps(_: int) -> bytes:
    return os.environ["OPENBLAS_NUM_THREADS"].encode()


FACTOR = [1]


def set_factor(log: Path) -> None:
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    FACTOR[0] *= 10


def scaled(number: int) -> bytes:
    return str(number * FACTOR[0]).encode()


def computed(log: Path) -> list[int]:
    return [int(line.split()[0]) for line in log.read_text().splitlines()] if log.is_file() else []


def start(root: Path, log: str, seconds: float) -> subprocess.Popen[str]:
    script = root / "script.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, str(script), str(root), log, str(seconds)]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def alive(pids: set[int]) -> set[int]:
    """Those of `pids` that run (a zombie has ended)."""
    return {
        pid
        for pid in pids
        if (status := Path(f"/proc/{pid}/stat")).is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"
    }


def wait_for(log: Path, count: int) -> None:
    until = time.monotonic() + 30
    while len(computed(log)) < count:
        assert time.monotonic() < until, "nothing is computed"
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2])
def test_values_come_in_order_and_only_missing_ones_are_computed(tmp_path: Path, workers: int) -> None:
    log = tmp_path / "log"
    for count, new in ((5, range(5)), (5, range(0)), (6, range(5, 6)), (4, range(0))):
        log.unlink(missing_ok=True)
        cache = ItemCache(tmp_path, "s", "1")
        found = list(map_items(cache, work(cache, count), partial(logged, log, 0.0), workers=workers))
        assert found == [squared(n) for n in range(count)]
        assert sorted(computed(log)) == list(new) and (cache.misses, cache.hits) == (len(new), count - len(new))


@pytest.mark.parametrize("workers", [1, 2])
def test_equal_keys_are_computed_once(tmp_path: Path, workers: int) -> None:
    cache, log = ItemCache(tmp_path, "s", "1"), tmp_path / "log"
    items = work(cache, 3) * 2
    assert list(map_items(cache, items, partial(logged, log, 0.0), workers=workers)) == [b"0", b"1", b"4"] * 2
    assert sorted(computed(log)) == [0, 1, 2] and (cache.misses, cache.hits) == (3, 3)


def test_setup_runs_once_a_process_and_not_without_need(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for workers in (1, 2):
        cache = ItemCache(tmp_path, f"s{workers}", "1")
        run = partial(map_items, cache, work(cache, 8), scaled, workers=workers, setup=partial(set_factor, log))
        try:
            assert list(run()) == [str(10 * n).encode() for n in range(8)]
        finally:
            FACTOR[0] = 1
        processes = log.read_text().split()
        assert len(processes) == len(set(processes)) <= workers
        assert (str(os.getpid()) in processes) == (workers == 1)
        log.unlink()
        assert len(list(run())) == 8 and not log.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_is_raised_as_it_is_and_what_was_done_stays(tmp_path: Path, workers: int) -> None:
    cache = ItemCache(tmp_path, "s", "1")
    with pytest.raises(UserError, match=r"three is refused \(take four\)"):
        list(map_items(cache, work(cache, 6), odd, workers=workers))
    assert all(cache.read(cache.key(n)) == squared(n) for n in range(3))


def test_a_failure_that_cannot_be_sent_is_told(tmp_path: Path) -> None:
    cache = ItemCache(tmp_path, "s", "1")
    with pytest.raises(RuntimeError, match="(?s)in a worker:.*UnsentError: only one"):
        list(map_items(cache, work(cache, 2), unsendable, workers=2))


def test_a_killed_worker_is_one_line(tmp_path: Path) -> None:
    cache = ItemCache(tmp_path, "s", "1")
    with pytest.raises(UserError, match="worker process was killed, most likely because memory ran out"):
        list(map_items(cache, work(cache, 20), dies, workers=2))


def test_workers_have_one_blas_thread_and_this_process_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    cache = ItemCache(tmp_path, "s", "1")
    assert list(map_items(cache, work(cache, 2), caps, workers=2)) == [b"1", b"1"]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "5" and "MKL_NUM_THREADS" not in os.environ


def test_no_more_is_begun_than_a_few_items_ahead(tmp_path: Path) -> None:
    cache, log = ItemCache(tmp_path, "s", "1"), tmp_path / "log"
    values = map_items(cache, work(cache, 100), partial(logged, log, 0.0), workers=2)
    assert next(values) == b"0"
    time.sleep(0.5)
    assert len(computed(log)) <= 10
    values.close()  # type: ignore[attr-defined]
    assert not alive({int(line.split()[1]) for line in log.read_text().splitlines()})


def test_kill_9_at_a_third_loses_nothing_that_was_done(tmp_path: Path) -> None:
    first = start(tmp_path, "first", 0.05)
    wait_for(tmp_path / "first", 14)
    first.kill()
    first.communicate()
    workers = {int(line.split()[1]) for line in (tmp_path / "first").read_text().splitlines()}
    until = time.monotonic() + 2
    while alive(workers) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(workers)
    cache = ItemCache(tmp_path / "cache", "s", "1")
    stored = {n for n in range(40) if cache.read(cache.key(n)) is not None}
    assert 12 <= len(stored) < 40
    again = start(tmp_path, "again", 0.0)
    said, errors = again.communicate()
    assert again.returncode == 0, errors
    assert said.splitlines() == [str(n * n) for n in range(40)] + [f"{40 - len(stored)} {len(stored)}"]
    assert sorted(computed(tmp_path / "again")) == sorted(set(range(40)) - stored)


def test_two_processes_at_once_are_both_right(tmp_path: Path) -> None:
    both = [start(tmp_path, f"log{n}", 0.02) for n in range(2)]
    for process in both:
        said, errors = process.communicate()
        assert process.returncode == 0, errors
        assert said.splitlines()[:-1] == [str(n * n) for n in range(40)]
    assert not [path for path in (tmp_path / "cache/s").iterdir() if path.name.startswith(".")]


def test_ctrl_c_ends_all_processes_at_once_without_their_tracebacks(tmp_path: Path) -> None:
    process = start(tmp_path, "log", 5.0)
    wait_for(tmp_path / "log", 2)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert time.monotonic() - begun < 3 and process.returncode != 0
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1, errors
    assert not alive({int(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines()})


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_keeps_its_errno_and_leaves_no_part(tmp_path: Path, workers: int) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        cache = ItemCache(small, "s", "1")
        with pytest.raises(OSError) as error:
            list(map_items(cache, work(cache, 20), big, workers=workers))
        assert error.value.errno == errno.ENOSPC
        files = list((small / "s").iterdir())
        assert 1 <= len(files) <= 5 and all(len(cache.read(path.name) or b"") == 200_000 for path in files)
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_value_is_computed_again(tmp_path: Path, workers: int) -> None:
    cache = ItemCache(tmp_path, "s", "1")
    items = work(cache, 4)
    list(map_items(cache, items, squared, workers=1))
    for (key, _), data in zip(items, (b"", b"9", (cache.folder / items[2][0]).read_bytes()[:-1]), strict=False):
        (cache.folder / key).write_bytes(data)
    again = ItemCache(tmp_path, "s", "1")
    assert list(map_items(again, items, squared, workers=workers)) == [b"0", b"1", b"4", b"9"]
    assert (again.misses, again.hits) == (3, 1)
