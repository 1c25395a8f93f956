"""The clips that a base is judged by, and their list."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import bench_base_copy as copies
import bench_base_texts as texts
import soundfile
import torch
from tqdm import tqdm

from stages.common import base_dir, paths
from stages.lines import lexicon_of, save_speech
from stages.params import load_params
from voice.errors import UserError
from voice.files import sha256_file, write_bytes, write_text
from voice.nets.content_frames import RATE
from voice.pretrain.probe import Said, read_recordings
from voice.speaking import Speaking
from voice.synthesis import Voice, content_seed

NETWORKS = ("semantic.safetensors", "acoustic.safetensors")
SHARED = ("content.safetensors", "heard.safetensors", "bert.safetensors", "speaker.safetensors")


@dataclass(frozen=True)
class Speaker:
    """A voice in one way of speaking: its folder in models/, the base, and how it speaks."""

    name: str
    way: str
    folder: Path
    base: Path
    speaking: Speaking
    lexicon: Mapping[str, str]

    @cached_property
    def reference(self) -> dict[str, Any]:
        """The note on the voice's reference clip. Raises UserError when the voice is not built."""
        note = self.folder / "reference.json"
        if not note.is_file():
            raise UserError(f"{note}: the voice is not built", "run `dvc repro`, or give --voice NAME=FOLDER")
        return dict(json.loads(note.read_text(encoding="utf-8")))

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of all that decides its sound but text, language, seed and code."""
        own = self.base if self.way == "zero" else self.folder
        files = [own / name for name in NETWORKS] + [self.folder / "reference.flac"]
        for file in files:
            if not file.is_file():
                raise UserError(f"{file}: missing", "run `dvc repro`, or give --voice NAME=FOLDER and --base FOLDER")
        files += [self.base / name for name in SHARED if (self.base / name).is_file()]
        weights = {file.name: sha256_file(file) for file in files}
        facts = [weights, asdict(self.speaking), dict(self.lexicon), self.way, self.reference["text"]]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def load(self, threads: int) -> Voice:
        """The voice, or for `zero` the base itself, which has no reference of its own."""
        own = self.base if self.way == "zero" else self.folder
        return Voice.load(own, self.base, threads, self.speaking, self.lexicon)

    def save(self, voice: Voice, clip: Clip) -> None:
        """Speak a clip and write it, labelled; a copy of a true utterance is for the judge alone, and is not."""
        if clip.said is not None:
            first = self.folder / "reference.flac"
            condition = voice.references.clip(first, self.reference["text"], lang=self.reference["lang"]).condition
            copies.save(clip.path, copies.remade(voice, condition, clip.said, clip.seed), voice.sample_rate)
            return
        own: dict[str, Any] = {}
        if self.way == "zero":
            own = {"ref": self.folder / "reference.flac", "ref_text": self.reference["text"]}
        speech = voice.say(clip.text, lang=clip.lang, seed=content_seed(clip.seed, clip.text), **own)
        save_speech(clip.path, speech, self.name, clip.text, voice.info, {"lang": clip.lang, "way": self.way})


@dataclass(frozen=True)
class Clip:
    """One clip to be: where it lies and what it says; `said` is the true utterance that it copies, if any."""

    path: Path
    text: str
    lang: str
    seed: int
    said: Said | None = None

    def row(self, speaker: str, way: str, ref: Path) -> dict[str, Any]:
        """Its line of the list."""
        return {
            "wav": str(self.path.resolve()), "text": self.text, "lang": self.lang, "ref": str(ref.resolve()),
            "speaker": speaker, "seed": self.seed, "way": way,
        }  # fmt: skip


def languages(native: str, wanted: Sequence[str]) -> list[str]:
    """Languages that a voice of language `native` speaks: `native`, `other` or both, of those with sentences."""
    return [lang for lang in texts.LANGUAGES if ("native" if lang == native else "other") in wanted]


def clips(digest: str, folder: Path, spoken: Mapping[str, Sequence[str]], seeds: int) -> Iterator[Clip]:
    """Clips of a speaker with that digest: texts by language, seeds from 1."""
    for lang, lines in spoken.items():
        for seed in range(1, seeds + 1):
            for text in lines:
                name = hashlib.sha256(json.dumps([digest, lang, text, seed]).encode()).hexdigest()[:24]
                yield Clip(folder / f"{name}.flac", text, lang, seed)


def real(recordings: Path, wanted: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Cut the true utterances of the speakers `wanted` into `folder`; rows of way `real`."""
    rows = []
    for said in read_recordings(recordings):
        if said.speaker not in wanted:
            continue
        name = hashlib.sha256(said.wav.tobytes()).hexdigest()[:24]
        clip = Clip(folder / f"{name}.flac", said.text, said.lang, 0)
        if not clip.path.is_file():
            buffer = io.BytesIO()
            soundfile.write(buffer, said.wav, RATE, format="FLAC")
            write_bytes(clip.path, buffer.getvalue())
        rows.append(clip.row(said.speaker, "real", recordings / said.speaker / "recording.flac"))
    return rows


def speakers(options: argparse.Namespace) -> list[Speaker]:
    """Voices of params.yaml and of --voice, in every way asked for. Raises UserError for one that is not built."""
    params = load_params()
    base = options.base or base_dir(params.base)
    folders = {name: paths(name).models for name in params.voices}
    folders |= {name: Path(folder) for name, folder in options.voice}
    found = []
    for name, folder in folders.items():
        place = paths(name)
        lexicon = lexicon_of(place) if place.lexicon.is_file() else {}
        first = Speaker(name, "few", folder, base, params.speaking.settings(), lexicon)
        found += [replace(first, way=way) for way in options.ways]
    return found


def run(options: argparse.Namespace) -> None:
    """Subcommand `speak`."""
    if options.corpus:
        texts.check(options.corpus)
    torch.use_deterministic_algorithms(True, warn_only=True)
    folder, planned = options.out / "clips", []
    recorded = read_recordings(options.recordings) if "copy" in options.ways else []
    for speaker in speakers(options):
        if speaker.way == "copy":
            own = [said for said in recorded if said.speaker == speaker.name]
            named = copies.named(speaker.digest, folder, own, options.seeds)
            planned.append((speaker, [Clip(path, said.text, said.lang, seed, said) for path, said, seed in named]))
            continue
        native = speaker.reference["lang"]
        spoken = {lang: texts.sentences(lang, options.sentences) for lang in languages(native, options.languages)}
        planned.append((speaker, list(clips(speaker.digest, folder, spoken, options.seeds))))
    missing = [(speaker, [clip for clip in every if not clip.path.is_file()]) for speaker, every in planned]
    threads = options.threads or load_params().threads
    with tqdm(total=sum(len(some) for _, some in missing), unit="clip") as bar:
        for speaker, some in missing:
            bar.set_description(f"{speaker.name} {speaker.way}")
            voice = speaker.load(threads) if some else None
            for clip in some:
                assert voice is not None
                speaker.save(voice, clip)
                bar.update()
    write_list(options, planned)


def write_list(options: argparse.Namespace, planned: Sequence[tuple[Speaker, Sequence[Clip]]]) -> None:
    """OUT/list.jsonl: every clip, and the real utterances of the same speakers."""
    rows = []
    for speaker, every in planned:
        recorded = options.recordings / speaker.name / "recording.flac" if options.recordings else None
        ref = recorded if recorded and recorded.is_file() else speaker.folder / "reference.flac"
        rows += [clip.row(speaker.name, speaker.way, ref) for clip in every]
    if options.recordings:
        rows += real(options.recordings, [speaker.name for speaker, _ in planned], options.out / "real")
    write_text(options.out / "list.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    print(f"{options.out / 'list.jsonl'}: {len(rows)} clips")
