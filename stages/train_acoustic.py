"""Fine-tune s2 (semantic tokens to sound) on the accepted segments of a voice, and choose its reference clip."""

from __future__ import annotations

from pathlib import Path

from stages.acoustic_trainers import make_trainer
from stages.common import base_dir, paths, run
from stages.params import load_params
from stages.segments import Segment, read_segments
from stages.training import inputs, run_folder, steps
from voice.audio import write_flac
from voice.consent import permit
from voice.consent.weights import ORIGIN_FILE, note_of
from voice.contracts import Loss
from voice.files import sha256_file, write_json
from voice.nets.acoustic import Acoustic
from voice.nets.lora import merge_lora
from voice.tables import read_table
from voice.train.blend import blend
from voice.train.device import best_device
from voice.train.loop import train, write_history
from voice.train.noted import Noted

REFERENCE_S = (3.0, 8.0)


def choose_reference(segments: list[Segment]) -> Segment:
    """The training segment with the best alignment score among those of 3 to 8 s (else among all)."""
    known = [s for s in segments if s.split == "train"]
    fitting = [s for s in known if REFERENCE_S[0] <= s.seconds <= REFERENCE_S[1]]
    return max(fitting or known, key=lambda s: (s.score, s.name))


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    permit(Path(), voice, "train")
    settings, base = params.train_acoustic, base_dir(params.base)
    segments = read_segments(place)
    model = Acoustic.load(base / "acoustic.safetensors")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    blend(before, before, settings.blend)  # a wrong name is told now, not after the training
    device = best_device()
    noted = Noted(make_trainer(model, segments, settings, base, device), device)
    files = inputs(place, base, ("acoustic", "discriminator", "texture"))
    folder = run_folder("train_acoustic", settings, params.threads, files)
    history = train(
        noted,
        steps(settings, sum(s.split == "train" for s in segments)),
        folder,
        seed=settings.seed,
        log_every=5,
        save_every=settings.validate_every,
        validate_every=settings.validate_every,
        keep=settings.keep,
        desc=f"train_acoustic {voice}",
    )
    permit(Path(), voice, "train")  # it may have been revoked meanwhile
    model.load_state_dict(history.best)
    if settings.lora_rank:
        merge_lora(model)
    model.load_state_dict(blend(before, model.state_dict(), settings.blend))
    write_history(place.acoustic_loss, history.rows)
    read_table(place.acoustic_loss, Loss)
    reference = choose_reference(segments)
    write_flac(place.reference, reference.wav.numpy(), model.config.sample_rate)
    write_json(
        place.reference_note,
        {
            "segment": reference.name,
            "text": reference.text,
            "lang": reference.lang,
            "seconds": reference.seconds,
            "sha256": sha256_file(place.reference),
        },
    )
    chosen = history.choice() | noted.told()
    model.save(place.acoustic, note_of(voice, params.base, chosen, place.recordings.with_name(ORIGIN_FILE)))
    print(f"train_acoustic {voice}: {history.choice()['why']}", flush=True)


if __name__ == "__main__":
    run(main)
