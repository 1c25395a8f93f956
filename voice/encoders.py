"""The frozen networks of a base that turn sound and text into what s1 and s2 take: content, BERT, speaker."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from voice.audio import resample
from voice.errors import UserError
from voice.files import sha256_file
from voice.nets.content import load_content, load_phone_recogniser
from voice.nets.content_frames import Content, PhoneRecogniser
from voice.text import Reading

RATE = 16000  # Hz, of the content encoder and of the speaker network
FILES = ("content.safetensors", "bert.safetensors", "bert_tokenizer.json", "speaker.safetensors")


class Encoders:
    """Encoders of the base in `folder`; BERT and the speaker network are there for published bases only.

    Each network is read when it is first needed (BERT for a line with Chinese in it, for instance) and runs on
    `device`; what it returns is on the CPU. Raises UserError when the content encoder is missing.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.folder, self.device = folder, device
        if not (folder / "content.safetensors").is_file():
            raise UserError(f"{folder / 'content.safetensors'}: the base is not set up", "run `dvc repro` first")

    @cached_property
    def content(self) -> Content:
        """The content encoder."""
        return load_content(self.folder / "content.safetensors").to(self.device)

    @cached_property
    def ear(self) -> PhoneRecogniser | None:
        """What hears finished speech: the aligner of the base, None for one without. A base may have one for both."""
        file = self.folder / "aligner.safetensors"
        if not file.is_file():
            return None
        if isinstance(self.content, PhoneRecogniser) and sha256_file(file) == sha256_file(self.folder / FILES[0]):
            return self.content
        return load_phone_recogniser(file).to(self.device)

    def hashes(self) -> dict[str, str]:
        """sha256 of every file that is there, by its name without suffix."""
        return {Path(name).stem: sha256_file(self.folder / name) for name in FILES if (self.folder / name).is_file()}

    def frames(self, wave: np.ndarray, rate: int) -> torch.Tensor:
        """Content frames float32 [1, D, T] at 50 frames/s of audio [N] at `rate` Hz."""
        with torch.no_grad():
            ssl, _ = self.content.features(self._samples(wave, rate)[None])
        return ssl.transpose(1, 2).cpu()

    def speaker(self, wave: np.ndarray, rate: int) -> torch.Tensor | None:
        """Speaker embedding float32 [1, 20480] of audio [N] at `rate` Hz; None for a base without that network."""
        if self._speaker is None:
            return None
        return self._speaker.embed(self._samples(wave, rate)).cpu()

    def bert(self, reading: Reading) -> torch.Tensor | None:
        """BERT vectors float32 [P, hidden] of the phones of a line; None where all would be zero."""
        if "zh" not in reading.langs or not (self.folder / "bert.safetensors").is_file():
            return None
        from voice.nets.bert import bert_phones

        return bert_phones(reading, self._bert, self.folder / "bert_tokenizer.json").cpu()

    def _samples(self, wave: np.ndarray, rate: int) -> torch.Tensor:
        return torch.from_numpy(resample(wave, rate, RATE)).to(self.device)

    @cached_property
    def _bert(self):  # type: ignore[no-untyped-def]  # its type would import transformers' BERT for every base
        from voice.nets.bert import BertFeatures

        return BertFeatures.load(self.folder / "bert.safetensors").to(self.device)

    @cached_property
    def _speaker(self):  # type: ignore[no-untyped-def]
        path = self.folder / "speaker.safetensors"
        if not path.is_file():
            return None
        from voice.nets.speaker import SpeakerNet

        return SpeakerNet.load(path).to(self.device)
