"""Who reads the output may die; who writes it goes on."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import httpx
import pytest

from pipeline.progress import Meter
from pipeline.scheduling.inbox import MachineError
from pipeline.scheduling.outcome import report_or_raise
from pipeline.scheduling.outliving import outliving_output
from voice.errors import UserError


def test_prints_without_a_reader_are_lost_and_the_work_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        reader, writer = os.pipe()
        os.close(reader)
        monkeypatch.setattr(sys, name, os.fdopen(writer, "w", buffering=1))
    with pytest.raises(BrokenPipeError):
        print("x", file=sys.stderr, flush=True)
    with outliving_output(), Meter("narrate", "lines", 2) as meter:
        for _ in range(2):
            meter.advance()
            print("done", flush=True)
        assert not sys.stderr.isatty()
    for stream in (sys.stdout, sys.stderr):
        with pytest.raises(BrokenPipeError):
            stream.close()


def test_prints_with_a_reader_arrive_and_other_errors_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with outliving_output():
        print("one")
        print("two", file=sys.stderr)
    assert capsys.readouterr() == ("one\n", "two\n")
    if Path("/dev/full").exists():
        with open("/dev/full", "w", buffering=1) as full, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", full)
            with pytest.raises(OSError, match="No space left"), outliving_output():
                print("x")
            patch.undo()
            with pytest.raises(OSError, match="No space left"):
                full.close()


def test_a_broken_pipe_or_a_dead_server_is_not_the_scripts_fault() -> None:
    with pytest.raises(MachineError, match="ConnectError"):
        report_or_raise(httpx.ConnectError("Connection refused"), "Failed")  # Prefect's server was killed
    with pytest.raises(MachineError):
        report_or_raise(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), "Failed")
    with pytest.raises(UserError):
        report_or_raise(OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG)), "Failed")
