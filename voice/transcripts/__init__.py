"""Transcripts in every format that is read here, as one list of utterances.

| file | holds | rows name their recording |
|---|---|---|
| `transcript.txt` | plain text, in one block or a line an utterance | no |
| `transcript.srt`, `.vtt` | subtitles | no: the folder must hold one recording |
| `transcript.csv`, `.tsv` | a header `file,text` and, as wanted, `lang`, `start`, `end` | yes |
| `transcript.jsonl` | one JSON object a line with the same keys | yes |
| `transcript.list` | `path|speaker|lang|text`, the list of the published trainer | yes |

`transcript.txt` must be there; when another transcript holds the words, it is empty. It is always read as plain text:
what is clearly one of the other formats is refused with the name it should have, never read as words.
"""

from voice.transcripts.load import load_transcript
from voice.transcripts.model import Fault, Transcript, Utterance

__all__ = ["Fault", "Transcript", "Utterance", "load_transcript"]
