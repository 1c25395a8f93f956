"""Japanese text made readable for the morphological analyser: dates, times, amounts and signs in words.

The analyser reads cardinals, decimals, counters and metric units itself; what is left here are the
notations it would drop or split at, such as 10:30, ¥500 or 1/2.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER = r"(?<![\d.])\d+(?:\.\d+)?"
_MONEY = {"$": "ドル", "£": "ポンド", "€": "ユーロ", "¥": "円"}
# Digits as they are said one by one; two and five are drawn out to fill two beats.
_DIGITS = ["ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー"]
_SIGNS = {
    "+": "プラス", "=": "イコール", "×": "かける", "÷": "わる", "±": "プラスマイナス", "&": "アンド",
    "@": "アットマーク", "#": "シャープ", "<": "小なり", ">": "大なり", "°": "度", "²": "の二乗", "³": "の三乗",
    "$": "ドル", "£": "ポンド", "€": "ユーロ", "¥": "円", "%": "パーセント", "‰": "パーミル", "℃": "度", "℉": "華氏",
    "α": "アルファ", "β": "ベータ", "γ": "ガンマ", "π": "パイ", "Ω": "オーム", "〒": "郵便番号", "→": "から", "/": " ",
    "ゟ": "より",
}  # fmt: skip

_Replacement = str | Callable[[re.Match[str]], str]


def _date(m: re.Match[str]) -> str:
    if not (1 <= int(m[3]) <= 12 and 1 <= int(m[4]) <= 31):
        return m[0]
    return f"{m[1]}年{int(m[3])}月{int(m[4])}日"


def _time(m: re.Match[str]) -> str:
    minute = f"{int(m[2])}分" if int(m[2]) or m[3] else ""
    return f"{int(m[1])}時{minute}" + (f"{int(m[3])}秒" if m[3] else "")


def _telephone(m: re.Match[str]) -> str:
    return "の".join("".join(_DIGITS[int(digit)] for digit in group) for group in m[0].split("-"))


_RULES: list[tuple[str, _Replacement]] = [
    (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    (r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)日?", _date),
    (r"(?<!\d)([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?!\d)", _time),
    (r"(?<![\d-])(?:0\d{1,4}-\d{1,4}-\d{3,4}|\d{3}-\d{4})(?![\d-])", _telephone),
    (rf"([$£€¥])\s?({_NUMBER})([万億兆]?)(?:円|ドル|ユーロ|ポンド)?", lambda m: m[2] + m[3] + _MONEY[m[1]]),
    (rf"({_NUMBER})\s?(?:℉|°F)", r"華氏\1度"),
    (r"°C", "度"),
    (r"(?<![\d/])(\d+)/(\d+)(?![\d/])", r"\2分の\1"),
    (r"(?<=[\d年月日時分秒個人回円度%])\s?[~〜]\s?(?=\d)", "から"),
    (r"〜+", "…"),
    (r"(?<=\d)-(?=\d+(?:年|月|日|時|分|秒|個|人|回|円|度|歳|番|%))", "から"),
    (r"(?<=\d)\s?:\s?(?=\d)", "対"),
    (r"(?<![A-Za-z\d])-(?=\d)", "マイナス"),
    (r"(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d)\.(?=\d)", "点"),
]  # fmt: skip
_COMPILED = [(re.compile(rule), to) for rule, to in _RULES]


def spell_out(text: str) -> str:
    """Cleaned Japanese text with numeric notation and readable signs as words; plain digits stay."""
    for rule, replacement in _COMPILED:
        text = rule.sub(replacement, text)
    for sign, words in _SIGNS.items():
        text = text.replace(sign, words)
    return text
