"""Pictures of an evaluation as PNG bytes; the same numbers give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from voice.metrics.curves import COLUMN, Curve
from voice.metrics.pitch import HIGHEST_HZ, LOWEST_HZ

COLOURS = {"tuned": "#1f6feb", "base": "#9a9a9a", "copy": "#d9822b", "real": "#2d8a4e"}


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without this the file would name the version of the drawing library.
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def loss_curves(curves: Mapping[str, Curve]) -> bytes:
    """Held-out loss over steps, one panel a training, with the step that was kept."""
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        panels = figure.subplots(1, len(curves), squeeze=False)[0]
        for axis, (name, curve) in zip(panels, curves.items(), strict=True):
            shown = curve.table.dropna(subset=[COLUMN])
            axis.plot(shown["step"], shown[COLUMN], marker="o", markersize=3, color=COLOURS["tuned"])
            axis.axhline(curve.base, color=COLOURS["base"], linestyle="--", label="base")
            axis.axvline(curve.step, color=COLOURS["real"], linestyle=":", label=f"kept: step {curve.step}")
            axis.set(title=name, xlabel="step", ylabel="held-out loss")
            axis.legend()
        return _png(figure)


def phone_error_bars(lines: pd.DataFrame) -> bytes:
    """Phone error of every line, one bar a take."""
    wide = lines.pivot(index="line", columns="take", values="phone_error")
    takes = [take for take in COLOURS if take in wide]
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        axis = figure.subplots()
        width = 0.8 / len(takes)
        for number, take in enumerate(takes):
            place = np.arange(len(wide)) + (number - (len(takes) - 1) / 2) * width
            axis.bar(place, wide[take].fillna(0.0), width, color=COLOURS[take], label=take)
        axis.set(title="Phone error by line", ylabel="edits per phone", xticks=np.arange(len(wide)))
        axis.set_xticklabels(list(wide.index), rotation=45, ha="right", fontsize=7)
        axis.legend()
        return _png(figure)


def pitch_histogram(tracks: Mapping[str, Sequence[NDArray[np.float64]]]) -> bytes:
    """Share of voiced frames over F0 (Hz) by take; a take without a voiced frame is named in the legend only."""
    edges = np.linspace(LOWEST_HZ, HIGHEST_HZ, 45)
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        axis = figure.subplots()
        for take, parts in tracks.items():
            values = np.concatenate([np.zeros(0), *parts])
            weights = np.full(len(values), 1 / max(1, len(values)))
            axis.hist(
                values,
                bins=edges.tolist(),
                weights=weights,
                histtype="step",
                linewidth=1.5,
                color=COLOURS[take],
                label=f"{take}, {len(values)} voiced frames",
            )
        axis.set(title="Pitch", xlabel="F0 in Hz", ylabel="share of voiced frames")
        axis.legend()
        return _png(figure)


def data_histogram(
    groups: Mapping[str, Sequence[float]],
    title: str,
    xlabel: str,
    colours: Mapping[str, str],
    span: tuple[float, float] | None = None,
) -> bytes:
    """How often a measure has which value, one stacked colour a group; `groups` holds at least one value in all.

    The axis shows `span`, or what there is.
    """
    values = [np.asarray(part, dtype=np.float64) for part in groups.values()]
    everything = np.concatenate(values)
    low, high = span or (float(everything.min()), float(everything.max()))
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(4.6, 2.6), layout="constrained")
        axis = figure.subplots()
        labels = [f"{name}: {len(part)}" for name, part in groups.items()]
        shades = [colours[name] for name in groups]
        axis.hist(values, bins=np.linspace(low, high, 26).tolist(), stacked=True, color=shades, label=labels)
        axis.set(title=title, xlabel=xlabel, ylabel="segments")
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(fontsize=8, loc="outside lower center", ncols=len(groups), frameon=False)
        return _png(figure)
