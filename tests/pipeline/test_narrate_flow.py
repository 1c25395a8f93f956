"""The narration flow: the same work as pipeline.narration, seen by Prefect."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.engine import SayOptions
from pipeline.narrate import run_flow
from pipeline.narration import read_manifest
from voice.errors import UserError

pytestmark = pytest.mark.usefixtures("prefect_server")
ENGINE = "pipeline_fakes:load_fake"


def test_the_flow_renders_caches_and_reports_failing_lines(built: Path) -> None:
    script = built / "book.txt"
    script.write_text("".join(f"Sentence {number}.\n" for number in range(20)))
    report = run_flow(script, "ann", built / "out", SayOptions(), ENGINE)
    assert (report.lines, report.rendered, report.failed, report.ok) == (20, 20, 0, True)
    script.write_text(script.read_text().replace("Sentence 7.", "BROKEN."))
    report = run_flow(script, "ann", built / "out", SayOptions(), ENGINE)
    assert (report.rendered, report.cached, report.failed, report.ok) == (0, 19, 1, False)
    assert len(read_manifest(built / "out")) == 20
    with pytest.raises(UserError, match="no such script"):
        run_flow(built / "no.txt", "ann", built / "out", SayOptions(), ENGINE)
