"""`Voice.load(folder).say(text)`: the object everybody uses to speak with a trained voice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from voice.audio import resample
from voice.consent.use import Use, spoken_languages
from voice.encoders import Encoders
from voice.errors import UserError
from voice.files import sha256_file
from voice.guard import Guard, Verdict
from voice.nets.acoustic import Acoustic
from voice.nets.decoding import Take
from voice.nets.sampling import Sampling
from voice.nets.semantics import AnySemantic, load_semantic
from voice.reference import References, readable
from voice.speaking import Speaking
from voice.takes import MIN_TOKENS_PER_PHONE, Heard, best_take
from voice.text import Reading

MAX_TOKENS_PER_PHONE = 8  # 0.32 s a phone: far beyond any speaking rate, so a sign of a runaway
GOOD_MISMATCH = 1.5  # nats a unit: as well as recorded speech reads at its best


@dataclass(frozen=True)
class Speech:
    """One spoken text. audio: float32 [N] in [-1, 1]; stop: "eos", or "max_steps" for a runaway take."""

    audio: np.ndarray
    sample_rate: int
    seconds: float
    seed: int
    stop: str
    phones: list[str]
    warnings: list[str]


def content_seed(*parts: object) -> int:
    """Seed in [0, 2^31) from the content of `parts`, never from position or time."""
    text = json.dumps([str(part) for part in parts], ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


class Attempt(NamedTuple):
    """One spoken text: its semantic tokens, its audio [N], and what was heard of it (None without an ear)."""

    take: Take
    audio: NDArray[np.float32]
    verdict: Verdict | None


def best_attempt(attempt: Callable[[], Attempt], auditions: int, retries: int) -> Attempt:
    """The best heard of `auditions`; while that has problems, up to `retries` more. Unheard, the first is taken."""
    best = attempt()
    for number in range(1, auditions + retries):
        if best.verdict is None or (number >= auditions and not best.verdict.problems):
            break
        again = attempt()
        if again.verdict is not None and again.verdict.rank < best.verdict.rank:
            best = again
    return best


class Voice:
    """A trained voice: s1, s2 and its own reference clip."""

    def __init__(
        self,
        semantic: AnySemantic,
        acoustic: Acoustic,
        encoders: Encoders,
        info: dict[str, Any],
        speaking: Speaking | None = None,
        lexicon: Mapping[str, str] | None = None,
        use: Use | None = None,
    ) -> None:
        self.use = use or Use()
        self.semantic, self.acoustic, self.encoders, self.info = semantic, acoustic, encoders, info
        self.references = References(encoders, acoustic, lexicon)
        self.lexicon = dict(lexicon or {})
        self.speaking = speaking or Speaking()
        self.sample_rate = acoustic.config.sample_rate
        self._default: tuple[Path, str] | None = None
        self.heard: Heard | None = None
        self.guard: Guard | None = None
        self.lang = "auto"

    @classmethod
    def load(
        cls,
        model_dir: Path,
        base_dir: Path,
        threads: int = 2,
        speaking: Speaking | None = None,
        lexicon: Mapping[str, str] | None = None,
        purpose: str = "speak",
    ) -> Voice:
        """Load `model_dir` (semantic, acoustic, reference) and the encoders of `base_dir`.

        `speaking` is how it speaks, and `lexicon` how it reads words, unless a call says otherwise. `info` tells what
        decides its sound: the sha256 of every file, and `speaking`. Raises UserError when a file is missing or
        unreadable, and when the consent to this voice does not allow `purpose`, now or whenever it speaks.
        """
        torch.set_num_threads(threads)
        files = {name: model_dir / f"{name}.safetensors" for name in ("semantic", "acoustic")}
        for path in files.values():
            if not path.is_file():
                raise UserError(f"{path}: the voice is not built", "run `dvc repro` first")
        use = Use(model_dir, purpose)
        use.ask()
        encoders = Encoders(base_dir)
        info: dict[str, Any] = {name: sha256_file(path) for name, path in files.items()} | encoders.hashes()
        semantic, acoustic = load_semantic(files["semantic"]), Acoustic.load(files["acoustic"])
        voice = cls(semantic, acoustic, encoders, info, speaking, lexicon, use)
        info["speaking"] = asdict(voice.speaking)
        table = base_dir / "heard.safetensors"
        if table.is_file():
            voice.heard = Heard.load(table)
            info["heard"] = sha256_file(table)
        if encoders.ear is not None:
            voice.guard = Guard(encoders.ear)
            info["aligner"] = sha256_file(base_dir / "aligner.safetensors")
        reference = model_dir / "reference.json"
        if reference.is_file():
            about = json.loads(reference.read_text())
            voice._default = (model_dir / "reference.flac", about["text"])
            voice.lang = about["lang"]
            info["reference"] = sha256_file(model_dir / "reference.flac")
        return voice

    @torch.no_grad()
    def say(
        self,
        text: str,
        *,
        lang: str = "auto",
        ref: Path | None = None,
        ref_text: str | None = None,
        seed: int | None = None,
        also_like: Sequence[Path] = (),
        rate: int | None = None,
        lexicon: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> Speech:
        """Speak `text` with the voice's own reference or another clip.

        `changes` are values of `Speaking` for this call (None: the voice's own). `also_like` are further clips whose
        timbre is averaged with the reference's. `rate` resamples the result, in Hz. Without `seed` one follows from
        text, weights and parameters, so the same call gives the same samples. Up to `takes` rows of semantic tokens are
        drawn and the one that reads best as the text is kept (`voice.takes`); of `auditions` spoken so the one that is
        heard best; what is heard to skip, repeat or run on is spoken again up to `retries` times (`voice.guard`), and a
        result that stays so says it. Raises UserError on unreadable text, a bad reference, parameters out of range, and
        on what the consent to this voice does not allow.
        """
        how = replace(self.speaking, **{name: value for name, value in changes.items() if value is not None})
        if rate is not None and not 8000 <= rate <= 192_000:
            raise UserError(f"rate {rate} Hz: out of range", "use 8000 to 192000, as 48000")
        reading = readable(text, lang, self.lexicon | dict(lexicon or {}))
        self.use.ask(spoken_languages(reading), [*([ref] if ref is not None else []), *also_like])
        self._check_phones(reading)
        if ref is not None:
            clip = self.references.clip(ref, ref_text or "")
        elif self._default is not None:
            clip = self.references.clip(*self._default, lang=self.lang)
        else:
            raise UserError("the voice has no reference clip of its own", "give --ref and --ref-text")
        condition = clip.condition
        if also_like:
            condition = torch.stack(
                [condition, *(self.references.clip(path, "").condition for path in also_like)]
            ).mean(0)
        if seed is None:
            like = hashlib.sha256(condition.numpy().tobytes()).hexdigest()
            seed = content_seed(text, lang, sorted(self.info.items()), like, sorted(asdict(how).items()))
        generator = torch.Generator().manual_seed(seed)
        sampling = Sampling(how.top_k, how.top_p, how.temperature, how.penalty)
        target = torch.tensor(reading.ids)
        joined, before, bert = target, clip.tokens[:0], self.encoders.bert(reading)
        if how.prompt:
            bert = _joined_bert((clip.bert, len(clip.phones)), (bert, len(target)))
            joined, before = torch.cat([clip.phones, target]), clip.tokens
        limit = 25 + MAX_TOKENS_PER_PHONE * len(target)

        def draw() -> Take:
            return self.semantic.generate(joined, before, sampling, generator, bert, limit)

        def attempt() -> Attempt:
            take = best_take(draw, target, self.heard, how.takes, GOOD_MISMATCH).take
            audio = self.acoustic.decode(
                take.tokens[None], target[None], condition, how.noise_scale, 1 / how.length_scale, generator
            )[0, 0].numpy()
            if self.guard is None:
                return Attempt(take, audio, None)
            heard = self.guard.hear(audio, self.sample_rate, reading.phones, take.stop == "eos")
            return Attempt(take, audio, heard)

        take, audio, verdict = best_attempt(attempt, how.auditions, how.retries)
        warnings = [*reading.warnings, *(verdict.problems if verdict else ())]
        if len(take.tokens) < MIN_TOKENS_PER_PHONE * len(target):
            warnings.append(
                f"spoken in {len(take.tokens) / 25:.1f} s: too short for {len(target)} phones, words are missing"
            )
        samples = audio.astype(np.float32)
        if rate is not None:
            samples = resample(samples, self.sample_rate, rate)
        samples = samples / max(1.0, float(np.abs(samples).max()))
        return Speech(
            audio=samples,
            sample_rate=rate or self.sample_rate,
            seconds=len(samples) / (rate or self.sample_rate),
            seed=seed,
            stop=take.stop,
            phones=list(reading.phones),
            warnings=warnings,
        )

    def _check_phones(self, reading: Reading) -> None:
        """Raise UserError for phones that the networks have no entry for, as Korean has none in v1."""
        known = min(self.acoustic.config.phones, self.semantic.config.phones)
        for phone, number in zip(reading.phones, reading.ids, strict=True):
            if number >= known:
                raise UserError(f"phone {phone}: unknown to this base", "use a base of version 2 or later")


def _joined_bert(*parts: tuple[torch.Tensor | None, int]) -> torch.Tensor | None:
    """BERT vectors [P, H] of texts on end, given as (vectors or None, phones); None when no text has any."""
    known = [vectors for vectors, _ in parts if vectors is not None]
    if not known:
        return None
    return torch.cat([known[0].new_zeros(n, known[0].shape[1]) if part is None else part for part, n in parts])
