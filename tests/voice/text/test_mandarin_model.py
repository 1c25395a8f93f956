"""A g2pW model of the user's, here a made-up one whose answer hangs on the neighbour of the character."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice.text import read_text
from voice.text.g2pw import VARIABLE, heard_by_model

helper = pytest.importorskip("onnx").helper
pytest.importorskip("onnxruntime")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Model with one polyphonic character: the label is that of the token at its place plus one."""
    import onnx

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    # A row a token, a column a label: fan1, fan2, and the likeliest one, which 蕃 never has.
    scores = [[5, 1, 9], [1, 5, 9], [5, 1, 9], [5, 1, 9]]
    table = helper.make_tensor("table", 1, [4, 3], [float(v) for row in scores for v in row])
    one = helper.make_tensor("one", 7, [1], [1])
    last = helper.make_tensor("last", 7, [1], [1])
    nodes = [
        helper.make_node("Add", ["position_ids", "one"], ["next"]),
        helper.make_node("Unsqueeze", ["next", "last"], ["column"]),
        helper.make_node("GatherElements", ["input_ids", "column"], ["token"], axis=1),
        helper.make_node("Squeeze", ["token", "last"], ["flat"]),
        helper.make_node("Gather", ["table", "flat"], ["probs"], axis=0),
    ]
    whole, words = 7, ["n", "t"]
    inputs = [helper.make_tensor_value_info(n, whole, words) for n in ("input_ids", "token_type_ids", "attention_mask")]
    inputs += [helper.make_tensor_value_info("phoneme_mask", 1, ["n", 3])]
    inputs += [helper.make_tensor_value_info(n, whole, ["n"]) for n in ("char_ids", "position_ids")]
    outputs = [helper.make_tensor_value_info("probs", 1, ["n", 3])]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, [table, one, last])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "g2pW.onnx")
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    (tmp_path / "POLYPHONIC_CHARS.txt").write_text("蕃\tㄈㄢ1\n蕃\tㄈㄢ2\n難\tㄧ1\n", encoding="utf-8")
    (tmp_path / "MONOPHONIC_CHARS.txt").write_text("似\tㄙ4\n天\tㄊㄧㄢ1\n", encoding="utf-8")
    sounds = {"ㄈㄢ": "fan", "ㄧ": "yi", "ㄊㄧㄢ": "tian", "ㄙ": "si"}
    (tmp_path / "bopomofo_to_pinyin_wo_tune_dict.json").write_text(json.dumps(sounds), encoding="utf-8")
    (tmp_path / "char_bopomofo_dict.json").write_text(json.dumps({"好": ["ㄏㄠ3", "ㄏㄠ4"]}), encoding="utf-8")
    return tmp_path


def test_the_model_settles_what_no_phrase_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    assert heard_by_model("蕃") == ({0: "fan1"}, {0})
    assert heard_by_model("天蕃丂似难") == ({0: "tian1", 1: "fan2"}, {1})
    reading = read_text("蕃丂", "zh")
    assert reading.phones[:2] == ("f", "an2")
    assert reading.sources[0] == "model"
    assert read_text("天", "zh").sources == ("dictionary",)


def test_without_a_whole_folder_there_is_no_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert heard_by_model("蕃") == ({}, set())
    (folder / "vocab.txt").unlink()
    monkeypatch.setenv(VARIABLE, str(folder))
    assert heard_by_model("蕃") == ({}, set())
    assert read_text("你好", "zh").sources == ("dictionary", "dictionary")
