"""Measure a voice on held-out segments and fixed texts, against the base and the recordings; write a report."""

from __future__ import annotations

import shutil
from typing import Any

from stages.bench import Bench
from stages.common import base_dir, paths, progress, run
from stages.lines import hashes, lexicon_of, script, spoken_lang, spread
from stages.params import load_params
from stages.segments import read_segments
from voice.contracts import EvaluationLines
from voice.files import write_bytes, write_json, write_text
from voice.metrics.curves import read_curve
from voice.metrics.summary import summarise
from voice.nets.content import load_phone_recogniser
from voice.report.page import render
from voice.report.plots import loss_curves, phone_error_bars, pitch_histogram
from voice.synthesis import Voice
from voice.tables import check_metrics, write_table


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    settings, base = params.evaluate, base_dir(params.base)
    curves = {
        "semantic": read_curve(place.semantic_loss, place.semantic),
        "acoustic": read_curve(place.acoustic_loss, place.acoustic),
    }
    lang = spoken_lang(params.voice(voice), place)
    segments = read_segments(place)
    every = [item for item in segments if item.split == "held_out"]
    held = spread(every, settings.held_out)
    how, lexicon = params.speaking.settings(), lexicon_of(place)
    tuned, untuned = (
        Voice.load(folder, base, params.threads, how, lexicon, purpose="train") for folder in (place.models, base)
    )
    aligner = load_phone_recogniser(base / "aligner.safetensors")

    shutil.rmtree(place.evaluation, ignore_errors=True)
    bench = Bench(place, tuned, untuned, aligner, segments, settings.seed)
    for item in progress(held, f"evaluate {voice}: held out"):
        bench.spoken(item.name, "held_out", item.text, item.lang)
        bench.recorded(item)
        print(f"{item.name}: {bench.last()}", flush=True)
    for name, text in progress(script(settings.texts, lang).items(), f"evaluate {voice}: texts"):
        bench.spoken(f"text-{name}", "texts", text, lang)
        print(f"text-{name}: {bench.last()}", flush=True)
    lines = write_table(place.evaluation / "lines.jsonl", bench.rows, EvaluationLines)

    metrics: dict[str, dict[str, Any]] = {
        str(group): summarise(rows) for group, rows in lines.groupby("group", sort=True)
    }
    metrics["held_out"] |= {"segments_count": len(every)}
    for name, curve in curves.items():
        metrics["held_out"] |= {
            f"{name}_loss_base": round(curve.base, 6),
            f"{name}_loss_tuned": round(curve.tuned, 6),
        }
    check_metrics(place.metrics, metrics)
    pictures = {
        "Held-out loss": loss_curves(curves),
        "Phone error by line": phone_error_bars(lines),
        "Pitch": pitch_histogram(bench.tracks),
    }
    for title, data in pictures.items():
        write_bytes(place.evaluation / f"{title.lower().replace(' ', '_').replace('-', '_')}.png", data)
    page = render(voice, params.base, metrics, lines, pictures, hashes(tuned.info))
    write_text(place.evaluation / "report.html", page)
    write_json(place.metrics, metrics)
    print(f"{place.evaluation / 'report.html'}: {len(lines)} clips of {lines['line'].nunique()} lines", flush=True)


if __name__ == "__main__":
    run(main)
