"""`python -m voice.pretrain STEP`, in the order of STEPS; see the README of this folder."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from voice.errors import UserError
from voice.pretrain.corpus import LONGEST_S
from voice.pretrain.resume import KEPT_IN, settle

# In the order of the pipeline in base/; CHECKS make no weights. `inherit` is for going on from a finished base.
STEPS = ("prepare", "content", "frames", "teacher", "realign", "units", "pitch", "envelope", "tokens", "acoustic",
         "semantic", "card")  # fmt: skip
BESIDE = ("inherit",)
CHECKS = ("probe", "fewbits", "oracle", "plot")
NEEDED = {
    "prepare": ("corpus", "the folder that holds */manifest.jsonl"),
    "teacher": ("teacher", "the folder of Whisper-base in CTranslate2 form"),
    "units": ("teacher", "the folder of Whisper-base in CTranslate2 form"),
    "inherit": ("start", "the folder of a finished base, as models/base/mini"),
    "probe": ("recordings", "the folder that holds */about.json and */recording.flac"),
    "fewbits": ("recordings", "the folder that holds */about.json and */recording.flac"),
    "oracle": ("recordings", "the folder that holds */about.json and */recording.flac"),
}


def options(words: list[str] | None = None) -> argparse.Namespace:
    """The command line as values; `arrays` is `work` where it is not given."""
    parser = argparse.ArgumentParser(prog="python -m voice.pretrain", description=__doc__)
    parser.add_argument("step", choices=(*STEPS, *BESIDE, *CHECKS))
    parser.add_argument("--corpus", type=Path, help="folder with */manifest.jsonl (prepare)")
    parser.add_argument("--work", type=Path, default=Path(".cache/pretrain"), help="intermediate files")
    parser.add_argument("--arrays", type=Path, default=None, help="folder of the prepared corpus, if not --work")
    parser.add_argument("--first", type=Path, default=None, help="work folder of the first encoder (card, plot)")
    parser.add_argument("--out", type=Path, default=Path("models/base/mini"), help="where results go (card, oracle)")
    parser.add_argument("--start", type=Path, default=None, help="folder of an earlier base to begin from")
    parser.add_argument(
        "--target", type=Path, default=Path(".cache/pretrain2"), help="results (teacher, realign, units, fewbits)"
    )
    parser.add_argument("--teacher", type=Path, help="folder with Whisper-base for CTranslate2 (as --target)")
    parser.add_argument("--budget", type=float, help="seconds of sound a step, tokens for semantic; each has its own")
    parser.add_argument("--longest", type=float, default=LONGEST_S, help="seconds; longer clips are left out")
    parser.add_argument("--recordings", type=Path, help="folder of speakers nothing was trained on (checks)")
    parser.add_argument(
        "--listeners", type=Path, nargs="+", default=[Path("models/base/mini")], help="bases (probe, oracle)"
    )
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument(
        "--judged", type=float, default=0.2, help="share of the last steps with a judge (acoustic, envelope)"
    )
    parser.add_argument("--minutes", type=float, default=None, help="stop after this many minutes")
    parser.add_argument("--threads", type=int, default=None, help="2, and for prepare as many as there are")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument(
        "--resume", choices=("any", "same"), default="any", help="same: only from a checkpoint of the same settings"
    )
    args = parser.parse_args(words)
    args.arrays = args.arrays or args.work
    return args


def main() -> None:
    args = options()
    step = args.step
    if step in NEEDED and getattr(args, NEEDED[step][0]) is None:
        raise UserError(f"{step} needs --{NEEDED[step][0]}", NEEDED[step][1])
    if step != "prepare":  # it knows no torch
        import torch

        args.threads = args.threads or 2
        torch.set_num_threads(args.threads)
        if args.device != "cpu" and not torch.cuda.is_available():
            raise UserError(f"no {args.device} here", "train with --device cpu")
    # Only this step's own module: what is loaded is what its checkpoint depends on.
    module = importlib.import_module(f"voice.pretrain.{step}")
    if args.resume == "same" and step in KEPT_IN:
        settle(args)
    module.run(args)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(f"pretrain: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("pretrain: stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)
