"""Text and phones of each segment, found by aligning the whole transcript to the sound."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from stages.common import base_dir, lexicon_files, paths, progress, run
from stages.params import Align, load_params
from voice.align import place_words, script_words, share_out
from voice.audio import read_audio, resample
from voice.contracts import Aligned, Rejected, Segments
from voice.errors import UserError
from voice.files import write_json
from voice.nets.hubert import ContentEncoder
from voice.split import held_out
from voice.tables import read_table, write_table
from voice.text import Reading, load_lexicon, read_text
from voice.transcript import join, read_transcript

RATE = 16000


def frames_of(encoder: ContentEncoder, file: Path) -> torch.Tensor:
    """Log-probabilities of one segment's frames, [T, units]."""
    wave, rate = read_audio(file)
    with torch.inference_mode():
        log_probs, _ = encoder.log_probs(torch.from_numpy(resample(wave, rate, RATE))[None])
    return log_probs[0]


def fault(reading: Reading | None, score: float, rate: float, params: Align) -> tuple[str, str] | None:
    """Reason and detail for which a segment is set aside, or None when it is fit for training."""
    if reading is None or not reading.phones:
        return "no_words", "no word of the transcript is spoken here"
    if score < params.min_score:
        return "low_score", f"score {score:.3f} < align.min_score {params.min_score:g}"
    if rate > params.max_phones_per_second:
        return (
            "too_fast",
            f"{rate:.1f} phones/s > align.max_phones_per_second {params.max_phones_per_second:g}",
        )
    if rate < params.min_phones_per_second:
        return (
            "too_slow",
            f"{rate:.1f} phones/s < align.min_phones_per_second {params.min_phones_per_second:g}",
        )
    return None


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    lang, rules = params.voice(voice).lang, params.align
    lexicon = load_lexicon(*lexicon_files(voice))
    write_json(place.lexicon, lexicon)
    read = partial(read_text, lang=lang, lexicon=lexicon)
    words, notes = script_words(read_transcript(place.transcript), read)
    for note in notes:
        print(f"{place.transcript}: {note}", flush=True)
    table = read_table(place.segments_table, Segments)
    encoder = ContentEncoder.load(base_dir(params.base) / "aligner.safetensors")
    files = [place.segments / f"{name}.flac" for name in table["id"]]
    frames = [frames_of(encoder, file) for file in progress(files, f"align {voice}")]
    placed = place_words(torch.cat(frames), words)
    shares = share_out(placed, [len(part) for part in frames])

    good: list[dict[str, Any]] = []
    bad: list[dict[str, Any]] = []
    contents: dict[str, str] = {}
    covered = 0
    for row, share, file in zip(table.to_dict(orient="records"), shares, files, strict=True):
        base = {key: row[key] for key in ("id", "recording", "start", "end", "seconds")}
        text = join([words[i].token for i in share])
        reading = read(text) if share else None
        scores = [span.score for i in share if (span := placed[i]) is not None]
        score = round(sum(scores) / len(scores), 4) if scores else 0.0
        rate = round((len(reading.phones) if reading else 0) / row["seconds"], 3)
        base |= {"text": text, "score": score, "phones_per_second": rate}
        if reason := fault(reading, score, rate, rules):
            bad.append(base | {"reason": reason[0], "detail": reason[1]})
            print(f"set aside {row['id']}: {reason[0]}: {reason[1]}: {text!r}", flush=True)
        elif reading is not None:
            covered += len(scores)
            contents[row["id"]] = hashlib.sha256(file.read_bytes() + text.encode()).hexdigest()
            good.append(
                base
                | {
                    "lang": lang,
                    "words": list(reading.words),
                    "word2ph": list(reading.word2ph),
                    "phones": list(reading.phones),
                    "ids": list(reading.ids),
                }
            )
    write_table(place.rejected, bad, Rejected)
    sounding = sum(span is not None for span in placed)
    coverage = covered / sounding
    print(
        f"{place.transcript}: {covered} of {sounding} words ({coverage:.0%}) in {len(good)} segments, "
        f"{len(bad)} set aside; without sound: {[w.token.text for w in words if not w.units]}",
        flush=True,
    )
    if coverage < rules.min_coverage or len(good) < 2:
        raise UserError(
            f"{place.transcript}: {coverage:.0%} of its words lie in {len(good)} good segments; needed are "
            f"{rules.min_coverage:.0%} (align.min_coverage) and two segments; see {place.rejected}",
            "check that the transcript is what is spoken",
        )
    held = held_out(contents, rules.holdout, rules.max_holdout)
    rows = [row | {"split": "held_out" if row["id"] in held else "train"} for row in good]
    write_table(place.aligned, pd.DataFrame(rows), Aligned)
    print(f"held out: {', '.join(sorted(held))}", flush=True)


if __name__ == "__main__":
    run(main)
