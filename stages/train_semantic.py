"""Fine-tune s1 (phones to semantic tokens) on the accepted segments of a voice."""

from __future__ import annotations

from pathlib import Path

from stages.common import base_dir, paths, run
from stages.params import load_params
from stages.segments import read_segments
from stages.training import inputs, order, rate, run_folder, steps
from voice.consent import permit
from voice.consent.weights import ORIGIN_FILE, note_of
from voice.contracts import Loss
from voice.nets.lora import merge_lora
from voice.nets.semantics import load_semantic
from voice.tables import read_table
from voice.train.device import best_device
from voice.train.loop import train, write_history
from voice.train.noted import Noted
from voice.train.semantic import Line, SemanticTrainer


def main(voice: str) -> None:
    params, place = load_params(), paths(voice)
    permit(Path(), voice, "train")
    settings, base = params.train_semantic, base_dir(params.base)
    segments = read_segments(place)
    lines = {
        split: [Line(s.phones, s.tokens, bert=s.bert) for s in segments if s.split == split]
        for split in ("train", "held_out")
    }
    total, batches = steps(settings, len(lines["train"])), order(settings, len(lines["train"]))
    model = load_semantic(base / "semantic.safetensors")
    device = best_device()
    trainer = SemanticTrainer(
        model,
        lambda number: [lines["train"][i] for i in batches.batch(number - 1)],
        lines["held_out"],
        rate(settings, total, len(lines["train"])),
        trainable=settings.trainable,
        lora_rank=settings.lora_rank,
        optimiser=settings.optimiser,
        objective=settings.objective,
        accumulate=settings.accumulate,
        preference=settings.preference,
        device=device,
        autocast=device == "cuda",
    )
    folder = run_folder("train_semantic", settings, params.threads, inputs(place, base, ("semantic",)))
    noted = Noted(trainer, device)
    history = train(
        noted,
        total,
        folder,
        seed=settings.seed,
        log_every=5,
        save_every=settings.validate_every,
        validate_every=settings.validate_every,
        desc=f"train_semantic {voice}",
    )
    permit(Path(), voice, "train")  # it may have been revoked meanwhile
    model.load_state_dict(history.best)
    if settings.lora_rank:
        merge_lora(model)
    write_history(place.semantic_loss, history.rows)
    read_table(place.semantic_loss, Loss)
    chosen = history.choice() | noted.told()
    model.save(place.semantic, note_of(voice, params.base, chosen, place.recordings.with_name(ORIGIN_FILE)))
    print(f"train_semantic {voice}: {history.choice()['why']}", flush=True)


if __name__ == "__main__":
    run(main)
