"""Processes that compute items: they end with their parent, and say what went wrong in them."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from threadpoolctl import threadpool_limits

from voice.errors import UserError

# Read by numeric libraries when they are loaded. torch has its own number, which a stage sets (`setup`).
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


def worker_count(threads: int = 1) -> int:
    """How many processes of `threads` threads this process's cores (see `taskset`) have room for; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // threads)


def one_blas_thread() -> threadpool_limits:
    """A context in which the linear algebra of numpy and scipy uses one thread, as it does in workers."""
    return threadpool_limits(1, user_api="blas")


class Pool:
    """`workers` fresh processes (not forked: torch may run threads here) that call `call(key, item)`.

    `setup` runs in each before its first item. Use as a context: leaving it early, or the death of this process however
    it comes (kill -9), ends the workers at once, in the middle of an item but for the `writing` of a result.
    """

    def __init__(self, workers: int, call: Callable[[str, Any], None], setup: Callable[[], None] | None) -> None:
        context = get_context("spawn")
        # Nothing is ever sent: workers see the end of this pipe, which only this process holds.
        watched, self._lifeline = context.Pipe(duplex=False)
        self._executor = ProcessPoolExecutor(workers, context, _begin, (watched, call, setup))
        self._watched = watched
        self._futures: dict[str, Future[None]] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._lifeline.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._lifeline.close()
        self._watched.close()

    def has(self, key: str) -> bool:
        """Whether `key` was submitted."""
        return key in self._futures

    def submit(self, key: str, item: Any) -> None:
        """Have `call(key, item)` run in some worker."""
        with _for_children(), _one_line():
            self._futures[key] = self._executor.submit(_work, key, item)

    def wait(self, key: str) -> None:
        """Until `key` is done. Raises what `call` raised, or UserError when a worker was killed."""
        with _one_line():
            self._futures[key].result()


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed, most likely because memory ran out",
            "what is done is kept: free memory or use fewer cores (taskset -c 0 ...), then run the same command again",
        ) from error


@contextmanager
def _for_children() -> Iterator[None]:
    """Processes started inside have one thread a library and leave Ctrl-C to this process, which ends them."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


# Held while a worker writes what it made: an early end waits that long, so that no half-written file is left.
writing = threading.Lock()
_PATIENCE_S = 2.0
_call: Callable[[str, Any], None]
_setup: Callable[[], None] | None


def _begin(watched: Connection, call: Callable[[str, Any], None], setup: Callable[[], None] | None) -> None:
    global _call, _setup
    _call, _setup = call, setup
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()


def _end_with_parent(watched: Connection) -> None:
    watched.poll(None)
    writing.acquire(timeout=_PATIENCE_S)
    os._exit(1)


def _work(key: str, item: Any) -> None:
    # Not in _begin: there, what it raises would break the pool without a word.
    global _setup
    try:
        if _setup is not None:
            _setup()
            _setup = None
        _call(key, item)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            raise RuntimeError(f"in a worker:\n{traceback.format_exc()}") from None
        raise
