"""Speak the listening script of a voice: one labelled FLAC a sentence, and a table of them."""

from __future__ import annotations

import shutil
from typing import Any

from stages.common import base_dir, paths, progress, run
from stages.lines import lexicon_of, save_speech, script, spoken_lang
from stages.params import load_params
from voice.contracts import Listening
from voice.errors import UserError
from voice.levels import clipping_runs, loudness, peak_db
from voice.synthesis import Voice, content_seed
from voice.tables import write_table


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    settings, base = params.synthesize, base_dir(params.base)
    speaker = Voice.load(place.models, base, params.threads, params.speaking.settings(), lexicon_of(place))
    lang = spoken_lang(params.voice(voice), place)
    shutil.rmtree(place.listening, ignore_errors=True)
    rows: list[dict[str, Any]] = []
    for name, text in progress(script(settings.texts, lang).items(), f"synthesize {voice}"):
        # From text and parameter alone: retrained weights say the same line with the same dice.
        seed = content_seed(settings.seed, lang, text)
        speech = speaker.say(text, lang=lang, seed=seed)
        digest = save_speech(place.listening / f"{name}.flac", speech, voice, text, speaker.info, {"lang": lang})
        rows.append(
            {
                "id": name,
                "file": f"{name}.flac",
                "text": text,
                "lang": lang,
                "voice": voice,
                "ai_generated": True,
                "sha256": digest,
                "seconds": round(speech.seconds, 6),
                "sample_rate": speech.sample_rate,
                "peak_db": round(peak_db(speech.audio), 3),
                "lufs": round(loudness(speech.audio, speech.sample_rate), 3),
                "clipped": clipping_runs(speech.audio),
                "seed": speech.seed,
                "stop": speech.stop,
                "warnings": speech.warnings,
            }
        )
        print(f"{name}: {speech.seconds:.1f} s, {speech.stop}: {text}", flush=True)
    write_table(place.listening_table, rows, Listening)
    failed = [row["id"] for row in rows if row["stop"] == "max_steps"]
    if len(failed) == len(rows):
        raise UserError(
            f"{place.listening_table}: none of {len(rows)} takes ended by itself",
            "the voice does not follow its text: check the transcript, give more speech or train longer",
        )
    print(f"{len(rows)} sentences, {len(failed)} did not end: {', '.join(failed) or 'none'}", flush=True)


if __name__ == "__main__":
    run(main)
