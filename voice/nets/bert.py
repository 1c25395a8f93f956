"""BERT vectors of Chinese text, one per character, for the published weights (specification 4.3).

The published files use `hidden_states[-3]` of chinese-roberta-wwm-ext-large, 24 layers, hence the output of layer 22.
The last two layers are not built and not stored. Post-norm layers, as transformers' BertModel has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from voice.errors import UserError
from voice.nets.stored import Stored
from voice.text.reading import Reading
from voice.text.symbols import MARKS

SKIPPED = 2  # layers of the published network above the one that is used
MOST = 510  # characters read at once: 512 positions less [CLS] and [SEP]
_SPECIAL = ("[CLS]", "[SEP]", "[UNK]")


@dataclass(frozen=True)
class BertFeaturesConfig:
    """Sizes. The defaults are the published ones (chinese-roberta-wwm-ext-large) without its last two layers."""

    vocab: int = 21128
    hidden: int = 1024
    layers: int = 22
    heads: int = 16
    ffn: int = 4096
    positions: int = 512
    types: int = 2

    def bert(self) -> BertConfig:
        return BertConfig(
            vocab_size=self.vocab,
            hidden_size=self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=self.ffn,
            max_position_embeddings=self.positions,
            type_vocab_size=self.types,
        )


class BertFeatures(Stored):
    """The lower layers of a BERT; in evaluation mode, as all its users need it."""

    kind, config_class = "bert", BertFeaturesConfig
    config: BertFeaturesConfig

    def __init__(self, config: BertFeaturesConfig | None = None) -> None:
        super().__init__(config or BertFeaturesConfig())
        self.bert = BertModel(self.config.bert(), add_pooling_layer=False)
        self.eval()

    @torch.no_grad()
    def features(self, token_ids: torch.Tensor) -> torch.Tensor:
        """Token ids int64 [1, L] with [CLS] and [SEP] at the ends, L <= 512 -> vectors [L - 2, hidden]."""
        return self.bert(input_ids=token_ids).last_hidden_state[0, 1:-1]


def characters_to_ids(text: str, tokenizer: Path) -> list[torch.Tensor]:
    """Token ids of a text, one token per character whatever its neighbours, [UNK] where there is none.

    Args:
        text: normalised Chinese text; white space counts as a character.
        tokenizer: a tokenizer.json of the `tokenizers` library, with [CLS], [SEP] and [UNK].

    Returns:
        int64 [1, L] for each piece of the text, of its characters between [CLS] and [SEP]. A text of more than 510
        characters is cut after the last punctuation mark of a piece's second half, or at 510.

    Raises:
        UserError: the tokenizer file is missing or is none.
    """
    if not tokenizer.is_file():
        raise UserError(f"{tokenizer}: no such tokenizer file", "run `dvc repro pretrained` first")
    model, start, end, unknown = _tokenizer(tokenizer, tokenizer.stat().st_mtime_ns)
    pieces = []
    for piece in _pieces(text):
        found = [model.encode(character, add_special_tokens=False).ids for character in piece]
        ids = [one[0] if len(one) == 1 else unknown for one in found]
        pieces.append(torch.tensor([[start, *ids, end]]))
    return pieces


def bert_phones(reading: Reading, model: BertFeatures, tokenizer: Path) -> torch.Tensor:
    """BERT vectors by phone: that of its character for each phone of a Chinese unit, zeros for other languages.

    Each run of Chinese units is read on its own. Characters whose reading was given (lexicon, inline) get zeros: the
    published s1 knows from BERT how a character is said in its sentence, and would say it so. Returns float32
    [P, hidden] on the model's device, P phones. Raises UserError for a bad tokenizer file, ValueError when a Chinese
    unit is not one character.
    """
    device = next(model.parameters()).device
    rows = [torch.zeros(0, model.config.hidden, device=device)]
    units = zip(reading.langs, reading.words, reading.word2ph, strict=True)
    for lang, run in groupby(units, key=lambda unit: unit[0]):
        _, words, counts = zip(*run, strict=True)
        if lang != "zh":
            rows.append(torch.zeros(sum(counts), model.config.hidden, device=device))
            continue
        if any(len(word) != 1 for word in words):
            raise ValueError(f"Chinese units of one character each are wanted, not {words}")
        pieces = characters_to_ids("".join(words), tokenizer)
        vectors = torch.cat([model.features(ids.to(device)) for ids in pieces]).float()
        rows.append(vectors.repeat_interleave(torch.tensor(counts, device=device), dim=0))
    kept = torch.tensor([not given for given in reading.overridden], dtype=torch.float32, device=device)
    phones = torch.tensor(reading.word2ph, dtype=torch.long, device=device)
    return torch.cat(rows) * kept.repeat_interleave(phones)[:, None]


def check_tokenizer(path: Path, vocab: int) -> None:
    """Raise UserError unless `path` is a tokenizer.json with the special tokens and no id of `vocab` or more."""
    model = _tokenizer(path, path.stat().st_mtime_ns)[0]
    if (size := model.get_vocab_size()) > vocab:
        raise UserError(f"{path}: {size} tokens, the network has {vocab}", "take the tokenizer of the same network")


@lru_cache(maxsize=4)
def _tokenizer(path: Path, changed: int) -> tuple[Tokenizer, int, int, int]:
    """The tokenizer and the ids of its special tokens; `changed` lets a new file of the same name be read."""
    try:
        made = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the library raises bare Exception
        raise UserError(f"{path}: not a tokenizer file: {' '.join(str(error).split())}", "restore the file") from error
    known = made.get_vocab()
    if lacking := [token for token in _SPECIAL if token not in known]:
        raise UserError(f"{path}: no token {', '.join(lacking)}", "take the tokenizer of a Chinese BERT")
    made.no_truncation()
    made.no_padding()
    return made, known["[CLS]"], known["[SEP]"], known["[UNK]"]


def _pieces(text: str) -> list[str]:
    """`text` in pieces of at most MOST characters."""
    pieces = []
    while len(text) > MOST:
        mark = max(text.rfind(mark, MOST // 2, MOST) for mark in MARKS)
        cut = mark + 1 if mark >= 0 else MOST
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text] if text else pieces
