"""Korean text made speakable: numbers in Sino-Korean or native words, dates, times, amounts and signs.

Which numerals a number takes depends on the counter after it, as in g2pk2: native ones (하나, 둘) before
the counters listed here, Sino-Korean ones (일, 이) elsewhere. g2pk2's own spelling is not used: it reads a
number without a counter digit by digit, 110000 as 100000, and depends on the order of a set.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NAMES = "영일이삼사오육칠팔구"
_ONES = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"]
_TENS = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"]
_GROUPS = ["", "만", "억", "조"]
_NATIVE = frozenset(
    (
        "군데 권 개 그루 닢 대 두 마리 모 모금 뭇 발 발짝 방 번 벌 보루 살 수 술 시 쌈 움큼 정 짝 채 척 첩 축 "
        "켤레 톨 통 명 사람 시간 달 가지 잔 병 장 송이 그릇 곳 갈래 다발 쌍 포기 편 곡 줄 주먹 상자 조각 끼"
    ).split()
)
_UNITS = {
    "km/h": "킬로미터 퍼 아워", "km": "킬로미터", "cm": "센티미터", "mm": "밀리미터", "m": "미터", "kg": "킬로그램",
    "mg": "밀리그램", "g": "그램", "ml": "밀리리터", "mL": "밀리리터", "L": "리터", "l": "리터", "GB": "기가바이트",
    "MB": "메가바이트", "Hz": "헤르츠", "kHz": "킬로헤르츠", "MHz": "메가헤르츠", "GHz": "기가헤르츠", "dB": "데시벨",
    "m²": "제곱미터", "km²": "제곱킬로미터", "m³": "세제곱미터",
}  # fmt: skip
_UNIT_CHOICE = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_MONEY = {"$": "달러", "£": "파운드", "€": "유로", "¥": "엔", "₩": "원"}
_SIGNS = {
    "%": "퍼센트", "‰": "퍼밀", "+": "플러스", "=": "이퀄", "×": "곱하기", "÷": "나누기", "&": "앤드", "@": "앳",
    "#": "샵", "°C": "도", "℃": "도", "°": "도", "$": "달러", "£": "파운드", "€": "유로", "¥": "엔", "₩": "원",
    "²": "제곱", "³": "세제곱", "α": "알파", "β": "베타", "γ": "감마", "π": "파이", "/": " ", "~": "에서 ",
}  # fmt: skip

_Replacement = str | Callable[[re.Match[str]], str]
# Part-of-speech tags of a text: (piece, tag) in order.
Tagger = Callable[[str], list[tuple[str, str]]]


def _date(m: re.Match[str]) -> str:
    if not (1 <= int(m[3]) <= 12 and 1 <= int(m[4]) <= 31):
        return m[0]
    return f"{m[1]}년 {int(m[3])}월 {int(m[4])}일"


def _time(m: re.Match[str]) -> str:
    parts = [f"{int(m[1])}시"]
    if int(m[2]) or m[3]:
        parts.append(f"{int(m[2])}분")
    if m[3]:
        parts.append(f"{int(m[3])}초")
    return " ".join(parts)


_RULES: list[tuple[str, _Replacement]] = [
    (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    (r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)일?", _date),
    (r"(?<!\d)([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?!\d)", _time),
    (r"(?<!\d)0\d{1,2}-\d{3,4}-\d{4}(?!\d)", lambda m: ",".join(map(spelled_digits, m[0].split("-")))),
    (
        r"([$£€¥₩])\s?(\d+(?:\.\d+)?)([만억조]?)(?:원|달러|유로|파운드|엔)?",
        lambda m: m[2] + m[3] + _MONEY[m[1]],
    ),
    (r"(?<![A-Za-z\d])-(\d+(?:\.\d+)?)\s?(?=°C|℃|도)", r"영하 \1"),
    (rf"(?<=\d)\s?({_UNIT_CHOICE})(?![A-Za-z])", lambda m: _UNITS[m[1]]),
    (r"(?<![\d/])(\d+)/(\d+)(?![\d/])", r"\2분의 \1"),
    (r"(?<=\d)\s?:\s?(?=\d)", " 대 "),
    # A range counts something; elsewhere the sign divides a code.
    (r"(?<=\d)\s?-\s?(?=\d+[가-힣%])", "에서 "),
    (r"(?<=\d)\s?-\s?(?=\d)", " 다시 "),
    (r"(?<![A-Za-z\d])-(?=\d)", "마이너스 "),
    (r"(?<!\d)1번째", "첫번째"),
    # Two months have a form of their own.
    (r"(?<!\d)6월(?!드)", "유월"),
    (r"(?<!\d)10월", "시월"),
    (r"(?<=\d)\.(?=\d+\.\d)|(?<=\d\.\d)\.(?=\d)", "점"),
]
_COMPILED = [(re.compile(rule), to) for rule, to in _RULES]
_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(?=(\s?)([가-힣]*))")


def spell_out(text: str, tagger: Tagger) -> str:
    """Cleaned Korean text with every number and readable sign in Hangul."""
    for rule, replacement in _COMPILED:
        text = rule.sub(replacement, text)
    text = _NUMBER.sub(lambda m: _number(m, tagger), text)
    for sign, words in _SIGNS.items():
        text = text.replace(sign, words)
    return text


def spelled_digits(text: str) -> str:
    """Digit by digit, as telephone numbers are read, with 공 for zero."""
    return "".join(_NAMES[int(digit)] for digit in text).replace("영", "공")


def _number(m: re.Match[str], tagger: Tagger) -> str:
    whole, fraction, space, after = m.groups()
    if (len(whole) > 1 and whole.startswith("0")) or len(whole) > 16:
        return spelled_digits(whole) + (f"점{_fraction(fraction)}" if fraction else "")
    value = int(whole)
    if fraction:
        return f"{sino(value)}점{_fraction(fraction)}"
    if after and 0 < value < 100:
        # The tagger tells 개 from 개월 and 시 from 시간; it needs the number to see a counter at all.
        counter = next((piece for piece, tag in tagger(whole + after)[1:2] if tag.startswith("NN")), "")
        decade = counter == "대" and value % 10 == 0 and not space
        if counter in _NATIVE and not decade and not (counter == "시" and value > 12):
            return native(value)
    return sino(value)


def _fraction(digits: str) -> str:
    return "".join(_NAMES[int(digit)] for digit in digits)


def native(value: int) -> str:
    """Native numeral of 1 to 99 in the form before a counter: 3 -> 세, 20 -> 스무, 21 -> 스물한."""
    return "스무" if value == 20 else _TENS[value // 10] + _ONES[value % 10]


def sino(value: int) -> str:
    """Sino-Korean numeral up to sixteen digits: 110000 -> 십일만."""
    if not value:
        return _NAMES[0]
    spoken = ""
    for place in range(3, -1, -1):
        group = value // 10 ** (4 * place) % 10000
        if group:
            # One ten thousand is 만, but one hundred million 일억.
            alone = place == 1 and group == 1 and not spoken
            spoken += ("" if alone else _thousands(group)) + _GROUPS[place]
    return spoken


def _thousands(value: int) -> str:
    spoken = ""
    for unit, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit = value // unit % 10
        if digit:
            spoken += ("" if digit == 1 and name else _NAMES[digit]) + name
    return spoken
