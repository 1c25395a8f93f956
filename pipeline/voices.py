"""Find a voice's folders by name, and load it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from voice.errors import UserError

if TYPE_CHECKING:
    from pipeline.resting_voice import RestingVoice
    from stages.params import Params
    from voice.synthesis import Voice


def voice_folders(root: Path, name: str) -> tuple[Path, Path, Params]:
    """(the voice's models, its base's models, params for that base). Raises UserError for an unknown or unbuilt voice.

    A voice is an entry of params.yaml, or a folder models/<name> that `reprovoice import` made.
    """
    from stages.params import load_params

    params, models = load_params(root), root / "models" / name
    imported = models / "import.json"
    if name not in params.voices and imported.is_file():
        params = load_params(
            root, base=f"official-{json.loads(imported.read_text(encoding='utf-8'))['version'].lower()}"
        )
    elif name not in params.voices:
        known = ", ".join(sorted(params.voices)) or "none"
        raise UserError(f"{name}: unknown voice", f"voices in params.yaml: {known}")
    base = root / "models" / "pretrained" / params.base
    if imported.is_file() and not base.is_dir():
        raise UserError(f"{name}: its base {params.base} is not set up", f"set `base: {params.base}`, run `dvc repro`")
    if not (models / "acoustic.safetensors").is_file() or not base.is_dir():
        raise UserError(f"{name}: not built yet", f"run `reprovoice rebuild --voice {name}`")
    return models, base, params


def load_voice(root: Path, name: str, purpose: str = "speak") -> Voice:
    """The voice `name` of the project at `root`, ready to speak. Raises UserError unless consent allows `purpose`."""
    models, base, params = voice_folders(root, name)
    from voice.synthesis import Voice  # after the checks: torch takes seconds to import

    return Voice.load(models, base, params.threads, params.speaking.settings(), _lexicon(root, name), purpose)


def load_narrator(root: Path, name: str) -> RestingVoice:
    """`load_voice` for narrations, which consent may allow where it does not allow single texts, and the reverse.

    Its networks are read when a line is spoken or judged: most narrations are of books that hardly changed.
    """
    models, base, params = voice_folders(root, name)
    from pipeline.resting_voice import RestingVoice

    speaking, lexicon = params.speaking.settings(), _lexicon(root, name)
    return RestingVoice(models, base, params.threads, speaking, lexicon, "narrate")


def _lexicon(root: Path, name: str) -> dict[str, str]:
    from stages.common import lexicon_files
    from voice.text import load_lexicon

    return load_lexicon(*lexicon_files(name, root))
