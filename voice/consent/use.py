"""What a loaded voice is used for, and the question whether it still may."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice.consent.weights import permit_clip, permit_weights, project_of
from voice.text.reading import Reading


@dataclass(frozen=True)
class Use:
    """Weights in a folder, for a purpose. Asked when they are loaded and for every text: a revocation counts at once.

    Without a folder everything is allowed: networks that a program put together itself.
    """

    folder: Path | None = None
    purpose: str = "speak"

    def ask(self, languages: Collection[str] = (), clips: Sequence[Path] = ()) -> None:
        """Raise UserError unless consent allows these languages, and none of the reference clips is revoked."""
        if self.folder is None:
            return
        permit_weights(self.folder, self.purpose, languages=languages)
        if clips and (root := project_of(self.folder)) is not None:
            for clip in clips:
                permit_clip(root, clip)


def spoken_languages(reading: Reading) -> set[str]:
    """The languages of the words of a reading; its punctuation has none."""
    pairs = zip(reading.words, reading.langs, strict=True)
    return {lang for word, lang in pairs if any(sign.isalnum() for sign in word)}
