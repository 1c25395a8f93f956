"""BERT vectors of Chinese text: what the whole published network would give, one per character, spread over phones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertForMaskedLM

from tests.golden import fill_module
from voice.errors import UserError
from voice.nets.bert import (
    MOST,
    SKIPPED,
    BertFeatures,
    BertFeaturesConfig,
    bert_phones,
    characters_to_ids,
    check_tokenizer,
)
from voice.text import read_text
from voice.text.reading import Reading, Unit, build

WORDS = "[PAD] [UNK] [CLS] [SEP] , . ! ? - 今 天 气 真 好 我 们 去 ok ##a a 1".split()
SMALL = BertFeaturesConfig(vocab=len(WORDS), hidden=16, layers=2, heads=2, ffn=24, positions=512)
CLS, SEP, UNK = 2, 3, 1


def write_tokenizer(path: Path, words: list[str] = WORDS) -> Path:
    """A tokenizer.json like that of a Chinese BERT, with a few words."""
    made = Tokenizer(WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = BertNormalizer(), BertPreTokenizer()
    if "[CLS]" in words:
        ends = [(word, words.index(word)) for word in ("[CLS]", "[SEP]")]
        made.post_processor = TemplateProcessing("[CLS] $A [SEP]", special_tokens=ends)
    made.enable_truncation(8)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(path))
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tokenizer(tmp_path_factory.mktemp("bert") / "tokenizer.json")


@pytest.fixture(scope="module")
def model() -> BertFeatures:
    made = BertFeatures(SMALL)
    fill_module(made)
    return made


def test_the_published_network_has_its_size() -> None:
    with torch.device("meta"):
        state = BertFeatures().state_dict()
    # 24 layers hold 324,472,832 numbers with the embeddings, a layer 12,596,224; two are left out.
    assert sum(t.numel() for t in state.values()) == 324_472_832 - 2 * 12_596_224
    assert all(name.startswith("bert.") for name in state)


def test_features_are_the_hidden_states_third_from_the_end_of_the_whole_network(model: BertFeatures) -> None:
    whole = BertForMaskedLM(BertFeaturesConfig(**{**vars(SMALL), "layers": SMALL.layers + SKIPPED}).bert()).eval()
    fill_module(whole)
    whole.load_state_dict(model.state_dict(), strict=False)
    ids = torch.tensor([[CLS, 9, 10, 11, SEP]])
    with torch.no_grad():
        states = whole(input_ids=ids, output_hidden_states=True).hidden_states
    found = model.features(ids)
    assert len(states) == SMALL.layers + SKIPPED + 1 and found.dtype == torch.float32
    assert torch.allclose(found, states[-3][0, 1:-1], atol=1e-6) and found.std() > 0.1
    assert not torch.allclose(found, states[-1][0, 1:-1], atol=1e-2)


def test_each_character_is_one_token_and_unknown_ones_are_marked(tokenizer: Path) -> None:
    (ids,) = characters_to_ids("今天,饕 好a1", tokenizer)
    assert ids.tolist() == [[CLS, 9, 10, 4, UNK, UNK, 13, 19, 20, SEP]] and ids.dtype == torch.int64
    # Letters that the tokenizer would join stay apart: one vector per character is the point.
    assert characters_to_ids("ok", tokenizer)[0].tolist() == [[CLS, UNK, UNK, SEP]]
    assert characters_to_ids("", tokenizer) == []
    whole = Tokenizer.from_file(str(tokenizer))
    whole.no_truncation()
    text = "今天天气真好,我们去."
    assert characters_to_ids(text, tokenizer)[0].tolist() == [whole.encode(text).ids]


def test_a_long_text_is_cut_at_marks_or_at_the_limit(tokenizer: Path) -> None:
    text = "今" * 400 + "," + "天" * 300 + "气" * 700
    lengths = [ids.shape[1] - 2 for ids in characters_to_ids(text, tokenizer)]
    assert lengths == [401, MOST, 490] and sum(lengths) == len(text)
    exact = characters_to_ids("今" * MOST, tokenizer)
    assert [ids.shape[1] for ids in exact] == [512]


def test_a_vector_is_spread_over_the_phones_of_its_character(model: BertFeatures, tokenizer: Path) -> None:
    reading = read_text("今天天气真好。", "zh")
    assert set(reading.langs) == {"zh"}
    found = bert_phones(reading, model, tokenizer)
    assert found.shape == (len(reading.phones), 16) and found.dtype == torch.float32
    vectors = model.features(characters_to_ids("今天天气真好.", tokenizer)[0])
    assert torch.equal(found, vectors.repeat_interleave(torch.tensor(reading.word2ph), dim=0))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[1], found[2])


def test_chinese_runs_of_a_mixed_line_are_read_on_their_own_and_other_phones_get_zeros(
    model: BertFeatures, tokenizer: Path
) -> None:
    reading = read_text("今天好 good morning 我们去", "auto")
    found = bert_phones(reading, model, tokenizer)
    place, alone = 0, {"今天好": 0, "我们去": 0}
    for span in reading.segments:
        count = sum(reading.word2ph[span.start : span.end])
        rows = found[place : place + count]
        place += count
        if span.lang != "zh":
            assert count > 4 and not rows.any()
            continue
        vectors = model.features(characters_to_ids(span.text, tokenizer)[0])
        assert torch.allclose(rows, vectors.repeat_interleave(2, dim=0), atol=1e-6)
        alone[span.text] += 1
    assert place == len(found) and set(alone.values()) == {1}


def test_a_line_without_chinese_and_an_empty_one(model: BertFeatures, tokenizer: Path) -> None:
    reading = read_text("Good morning.", "en")
    assert not bert_phones(reading, model, tokenizer).any()
    assert bert_phones(reading, model, tokenizer).shape == (len(reading.phones), 16)
    empty = Reading("", "", (), (), (), (), (), (), ())
    assert bert_phones(empty, model, tokenizer).shape == (0, 16)


def test_a_run_longer_than_the_network_reads_gets_a_vector_for_each_character(
    model: BertFeatures, tokenizer: Path
) -> None:
    reading = build("", [Unit("今", ("j", "in1"), "zh")] * 600, [], [])
    assert bert_phones(reading, model, tokenizer).shape == (1200, 16)


def test_a_unit_of_two_characters_is_a_fault_of_the_caller(model: BertFeatures, tokenizer: Path) -> None:
    reading = build("", [Unit("今天", ("j", "in1"), "zh")], [], [])
    with pytest.raises(ValueError, match="one character"):
        bert_phones(reading, model, tokenizer)


def test_bad_tokenizer_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(UserError, match="no such tokenizer file"):
        characters_to_ids("今", path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="not a tokenizer file"):
        characters_to_ids("今", path)
    write_tokenizer(path, ["[UNK]", "[CLS]" + "x", "今"])
    with pytest.raises(UserError, match=r"no token \[CLS\], \[SEP\]"):
        characters_to_ids("今", path)
    write_tokenizer(path)
    check_tokenizer(path, len(WORDS))
    with pytest.raises(UserError, match="tokens, the network has 5"):
        check_tokenizer(path, 5)


def test_it_comes_back_from_its_file(model: BertFeatures, tmp_path: Path) -> None:
    model.save(tmp_path / "bert.safetensors")
    again = BertFeatures.load(tmp_path / "bert.safetensors")
    ids = torch.tensor([[CLS, 9, 10, SEP]])
    assert again.config == SMALL and torch.allclose(again.features(ids), model.features(ids), atol=1e-2)


def test_a_given_reading_silences_what_bert_says_of_the_character(model: BertFeatures, tokenizer: Path) -> None:
    plain, given = read_text("请再说一遍"), read_text("请再(zai4)说一遍")
    assert plain.phones == given.phones
    before, after = bert_phones(plain, model, tokenizer), bert_phones(given, model, tokenizer)
    assert not after[2:4].any() and before[2:4].any()  # two phones of the second character
    assert torch.equal(before[:2], after[:2]) and torch.equal(before[4:], after[4:])
