"""A work folder that goes on from a finished base: its files, its decoder by itself, and what its encoder hears.

Content encoder and quantiser stay as they are, so the tokens of the corpus mean what they meant, and `envelope`,
`acoustic` and `semantic` can be trained further from `--start` with the prepared corpus alone, without teacher or
alignment.
"""

from __future__ import annotations

import argparse
import shutil

from voice.nets.acoustic import Acoustic
from voice.pretrain.card import FILES
from voice.pretrain.corpus import Corpus
from voice.pretrain.units import FRAMES, settled_frames
from voice.pretrain.warm import warm_start


def run(args: argparse.Namespace) -> None:
    """Copy the files of `start` to `work`; write `envelope.safetensors` and `units.f16` there.

    Frames are made from the first clip that lacks them. Raises UserError when a file of the base cannot be read.
    """
    corpus, work = Corpus(args.arrays), args.work
    model = Acoustic()
    warm_start(model, args.start / "acoustic.safetensors", ("dec",))
    for name in FILES:
        shutil.copyfile(args.start / f"{name}.safetensors", work / f"{name}.safetensors")
    model.save(work / "envelope.safetensors")
    settled_frames(work / "content.safetensors", corpus, args.arrays, work / "units", str(args.device))
    shutil.copyfile(work / "units" / FRAMES, work / FRAMES)
