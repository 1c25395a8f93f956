"""`python -m voice.pretrain STEP`, in the order of STEPS; see the README of this folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from voice.errors import UserError

CONTENT = ("content", "frames", "refine", "teacher", "realign", "distil", "probe")
STEPS = ("prepare", *CONTENT, "autoencoder", "tokens", "acoustic", "semantic", "plot", "card")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m voice.pretrain", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--corpus", type=Path, help="folder with */manifest.jsonl (prepare)")
    parser.add_argument("--work", type=Path, default=Path(".cache/pretrain"), help="intermediate files")
    parser.add_argument("--out", type=Path, default=Path("models/base/mini"), help="where the base is written (card)")
    parser.add_argument("--start", type=Path, default=None, help="folder of an earlier base to begin from")
    parser.add_argument(
        "--target", type=Path, default=Path(".cache/pretrain2"), help="results (teacher, realign, distil)"
    )
    parser.add_argument("--teacher", type=Path, help="folder with Whisper-base for CTranslate2 (teacher)")
    parser.add_argument("--budget", type=float, default=36.0, help="seconds of sound a step (distil)")
    parser.add_argument("--feature-layer", type=int, default=5, help="layer of the content features (distil)")
    parser.add_argument("--steady", type=float, default=0.0, help="weight of steadiness within a phone (distil)")
    parser.add_argument("--strength", type=float, default=0.5, help="of the changes to the sound, to 1 (distil)")
    parser.add_argument("--recordings", type=Path, help="folder of speakers that nothing was trained on (probe)")
    parser.add_argument("--listeners", type=Path, nargs="+", default=[Path("models/base/mini")], help="bases (probe)")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--minutes", type=float, default=None, help="stop after this many minutes")
    parser.add_argument("--adversarial-from", type=int, default=10**9, help="step at which the discriminators join")
    parser.add_argument("--prior", type=float, default=22.5, help="weight of the prior's mel loss (acoustic)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1234)
    return parser.parse_args()


def main() -> None:
    args = options()
    import torch

    torch.set_num_threads(args.threads)
    if args.step == "prepare":
        from voice.pretrain.corpus import prepare

        if args.corpus is None:
            raise UserError("prepare needs --corpus", "the folder that holds */manifest.jsonl")
        prepare(args.corpus, args.work, processes=args.threads)
    elif args.step == "content":
        from voice.pretrain import content

        content.run(args.work, args.steps, args.rate, args.seed, args.minutes)
    elif args.step == "frames":
        from voice.pretrain import frames

        frames.run(args.work)
    elif args.step == "refine":
        from voice.pretrain import refine

        refine.run(args)
    elif args.step == "teacher":
        from voice.pretrain import teacher

        if args.teacher is None:
            raise UserError("teacher needs --teacher", "the folder of Whisper-base in CTranslate2 form")
        teacher.run(args)
    elif args.step == "realign":
        from voice.pretrain import realign

        realign.run(args)
    elif args.step == "distil":
        from voice.pretrain import distil

        distil.run(args)
    elif args.step == "probe":
        from voice.pretrain import probe

        if args.recordings is None:
            raise UserError("probe needs --recordings", "the folder that holds */about.json and */recording.flac")
        probe.run(args.recordings, args.listeners)
    elif args.step == "autoencoder":
        from voice.pretrain import autoencoder

        autoencoder.run(args)
    elif args.step == "tokens":
        from voice.pretrain import tokens

        tokens.run(args.work, args.seed)
    elif args.step == "acoustic":
        from voice.pretrain import acoustic

        acoustic.run(args)
    elif args.step == "semantic":
        from voice.pretrain import semantic

        semantic.run(args)
    elif args.step == "plot":
        from voice.pretrain.plot import draw

        print(draw(args.work))
    else:
        from voice.pretrain.card import write_card

        write_card(args.work, args.out)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"pretrain: {error}", file=sys.stderr)
        sys.exit(2)
