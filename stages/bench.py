"""The takes of `evaluate`: each line spoken, resynthesised or recorded, kept as a clip and measured the same way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stages.common import VoicePaths
from stages.lines import save_speech, spread
from stages.segments import Segment
from voice.audio import write_flac
from voice.files import sha256_file
from voice.metrics.judge import Judge
from voice.metrics.spectral import mel_distance_db
from voice.nets.content_frames import PhoneRecogniser
from voice.synthesis import Speech, Voice, content_seed
from voice.text.symbols import SYMBOLS

TARGETS = 12  # training recordings that stand for the voice when likeness is measured


class Bench:
    """Rows of the contract `EvaluationLines` and F0 tracks by take, gathered line by line."""

    def __init__(
        self, place: VoicePaths, tuned: Voice, base: Voice, aligner: PhoneRecogniser, segments: list[Segment], seed: int
    ) -> None:
        self.place, self.tuned, self.base, self.seed = place, tuned, base, seed
        about = json.loads(place.reference_note.read_text(encoding="utf-8"))
        self.reference = {"ref": place.reference, "ref_text": about["text"]}
        self.condition = tuned.references.clip(place.reference, about["text"], about["lang"]).condition
        self.judge = Judge(aligner, base.acoustic)
        known = [item.wav.numpy() for item in segments if item.split == "train"]
        self.target = self.judge.target(spread(known, TARGETS), tuned.sample_rate)
        self.rows: list[dict[str, Any]] = []
        self.tracks: dict[str, list[NDArray[np.float64]]] = {}

    def spoken(self, line: str, group: str, text: str, lang: str) -> None:
        """A line by the voice, and by the base with the voice's reference clip; the same dice for both."""
        seed = content_seed(self.seed, lang, text)
        for take, speech in (
            ("tuned", self.tuned.say(text, lang=lang, seed=seed)),
            ("base", self.base.say(text, lang=lang, seed=seed, **self.reference)),
        ):
            weights = (self.tuned if take == "tuned" else self.base).info
            digest = save_speech(
                self._clip(line, take), speech, self.place.voice, text, weights, {"lang": lang, "take": take}
            )
            self._add(line, take, group, text, lang, speech, digest)

    def recorded(self, item: Segment) -> None:
        """A held-out line as it was recorded, and resynthesised from its own tokens with no noise."""
        rate, phones = self.tuned.sample_rate, [SYMBOLS[number] for number in item.phones.tolist()]
        real = item.wav.numpy()
        codes, ids = item.tokens[None], item.phones[None]
        audio = self.tuned.acoustic.decode(codes, ids, self.condition, noise_scale=0.0)[0, 0].numpy()
        audio = np.ascontiguousarray(audio / max(1.0, float(np.abs(audio).max())), dtype=np.float32)
        for take, wave in (("copy", audio), ("real", real)):
            speech = Speech(wave, rate, len(wave) / rate, 0, "given", phones, [])
            path = self._clip(item.name, take)
            if take == "copy":
                settings = {"lang": item.lang, "take": take, "noise_scale": 0.0}
                digest = save_speech(path, speech, self.place.voice, item.text, self.tuned.info, settings)
                distance: float | None = round(mel_distance_db(real, wave, rate), 4)
            else:
                write_flac(path, wave, rate)  # a recording: it must not carry the mark of generated speech
                digest, distance = sha256_file(path), None
            self._add(item.name, take, "held_out", item.text, item.lang, speech, digest, distance)

    def last(self) -> str:
        """Phone errors of the line added last, for the log."""
        rows = [row for row in self.rows if row["line"] == self.rows[-1]["line"]]
        return "phone error " + ", ".join(f"{row['take']} {row['phone_error']:.2f}" for row in rows)

    def _clip(self, line: str, take: str) -> Path:
        return self.place.evaluation / "clips" / f"{line}.{take}.flac"

    def _add(
        self,
        line: str,
        take: str,
        group: str,
        text: str,
        lang: str,
        speech: Speech,
        digest: str,
        distance: float | None = None,
    ) -> None:
        with torch.inference_mode():
            found = self.judge.measure(speech.audio, speech.sample_rate, speech.phones, self.target)
        own = {
            "id": f"{line}.{take}",
            "line": line,
            "take": take,
            "group": group,
            "text": text,
            "lang": lang,
            "file": f"clips/{line}.{take}.flac",
            "sha256": digest,
            "ai_generated": take != "real",
            "stop": speech.stop,
            "seed": speech.seed,
            "mel_distance_db": distance,
        }
        self.rows.append(own | found.row)
        self.tracks.setdefault(take, []).append(found.f0)
