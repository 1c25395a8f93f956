"""A second recogniser of English, Moonshine tiny, on a list of clips; for an environment of its own.

pip install moonshine-voice==0.0.73 soundfile     (its wheel holds the weights, nothing is downloaded when it runs)
python docs/bench_base_second.py LIST.jsonl       (rows with `wav`; prints rows {"wav", "heard"})
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import soundfile
from moonshine_voice import ModelArch, Transcriber
from moonshine_voice.utils import get_model_path


def main(listed: Path) -> None:
    transcriber = Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY)
    for line in listed.read_text(encoding="utf-8").splitlines():
        wav = json.loads(line)["wav"]
        samples, rate = soundfile.read(wav, dtype="float32", always_2d=True)
        found = transcriber.transcribe_without_streaming(samples.mean(1).tolist(), rate)
        heard = " ".join(part.text.strip() for part in found.lines)
        print(json.dumps({"wav": wav, "heard": heard}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
