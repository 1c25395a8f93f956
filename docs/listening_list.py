"""List what the voices spoke, for a judge outside the project: one JSON row a clip with wav, text, lang, ref.

usage: python docs/listening_list.py REFERENCES > LIST.jsonl     (REFERENCES/<voice>/recording.flac is the target)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stages.common import paths
from stages.params import load_params
from voice.contracts import Listening
from voice.tables import read_table


def main(references: Path) -> None:
    for voice in load_params().voices:
        place = paths(voice)
        table = read_table(place.listening_table, Listening)
        for row in table.to_dict(orient="records"):
            ref = references / voice / "recording.flac"
            found = {
                "wav": str(place.listening / row["file"]),
                "text": row["text"],
                "lang": row["lang"],
                "ref": str(ref),
            }
            print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
