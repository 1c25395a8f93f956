"""No clip is lost for its length below one limit; pictures name every training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voice.errors import UserError
from voice.pretrain import content, envelope, plot
from voice.pretrain.__main__ import options
from voice.pretrain.corpus import LONGEST_S, RATES, Clip, Corpus

ROWS: list[dict[str, float]] = [{"step": 0, "valid_loss": 9.0}, {"step": 50, "loss": 2.0}, {"step": 70, "loss": 1.5}]


def corpus(seconds: list[float]) -> Corpus:
    """Clips of these lengths, eight phones a second."""
    clips = []
    for n, length in enumerate(seconds):
        size = {rate: round(length * rate) for rate in RATES}
        said = tuple([1] * max(1, int(8 * length)))
        start = dict.fromkeys(RATES, 0)
        clips.append(Clip(str(n), "a", "en", "read sentence", "", RATES[0], start, size, said, said))
    return cast(Corpus, SimpleNamespace(clips=clips))


@given(st.lists(st.floats(1.1, 40), max_size=20), st.floats(2, 30))
def test_every_clip_below_the_limit_is_used_by_all(seconds: list[float], longest: float) -> None:
    made = corpus(seconds)
    below = [clip for clip in made.clips if clip.seconds < longest]
    assert content.usable(made, longest) == below == envelope.usable(made, longest=longest)


def test_the_usual_limit_keeps_the_sentences_of_librispeech() -> None:
    made = corpus([8.0, 11.0, 12.0, 15.9, 19.9, 20.0])
    assert len(content.usable(made)) == len(envelope.usable(made)) == 5
    assert options(["acoustic"]).longest == LONGEST_S


def test_loss_curves_of_every_training_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    whole = plot.plt.subplots

    def watched(*args: Any, **options: Any) -> Any:
        figure, panels = whole(*args, **options)
        for panel in panels[0]:
            kept = panel.set
            monkeypatch.setattr(panel, "set", lambda kept=kept, **given: titles.append(given["title"]) or kept(**given))
        return figure, panels

    monkeypatch.setattr(plot.plt, "subplots", watched)
    for folder, names in ((tmp_path / "first", ["content"]), (tmp_path / "work", ["realign", "units", "semantic"])):
        for name in names:
            (folder / name).mkdir(parents=True)
            torch.save({"history": {"rows": ROWS}}, folder / name / "checkpoint.pt")
    assert plot.draw(tmp_path / "work", tmp_path / "first").stat().st_size > 1000
    assert titles == ["content", "realign", "units", "semantic"]
    with pytest.raises(UserError, match="no training"):
        plot.draw(tmp_path / "none")
