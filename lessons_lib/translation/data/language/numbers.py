"""The numbers from two to a thousand, in words and in digits, before a noun: "twenty-one apples", "21 apples"."""

from collections.abc import Iterator

UNITS = (
    ("one", "un"),
    ("two", "deux"),
    ("three", "trois"),
    ("four", "quatre"),
    ("five", "cinq"),
    ("six", "six"),
    ("seven", "sept"),
    ("eight", "huit"),
    ("nine", "neuf"),
    ("ten", "dix"),
    ("eleven", "onze"),
    ("twelve", "douze"),
    ("thirteen", "treize"),
    ("fourteen", "quatorze"),
    ("fifteen", "quinze"),
    ("sixteen", "seize"),
    ("seventeen", "dix-sept"),
    ("eighteen", "dix-huit"),
    ("nineteen", "dix-neuf"),
)
TENS = (
    ("twenty", "vingt"),
    ("thirty", "trente"),
    ("forty", "quarante"),
    ("fifty", "cinquante"),
    ("sixty", "soixante"),
    ("seventy", "soixante"),  # 70 to 79 count on from sixty, 90 to 99 from eighty
    ("eighty", "quatre-vingt"),
    ("ninety", "quatre-vingt"),
)
ROUND = (("a hundred", "cent"), ("two hundred", "deux cents"), ("five hundred", "cinq cents"), ("a thousand", "mille"))
SMALL = tuple(english for english, _ in UNITS[1:10])


def english(number: int) -> str:
    """2 to 99 in English words: "twenty-one"."""
    if number < 20:
        return UNITS[number - 1][0]
    tens, rest = divmod(number, 10)
    return TENS[tens - 2][0] + (f"-{UNITS[rest - 1][0]}" if rest else "")


def french(number: int, feminine: bool = False) -> str:
    """2 to 99 in French words, before a noun: "vingt et un" or "vingt et une", "quatre-vingts", "soixante et onze"."""
    if number < 20:
        return UNITS[number - 1][1]
    tens, rest = divmod(number, 10)
    word = TENS[tens - 2][1]
    if tens in (7, 9):
        rest += 10
    if rest == 0:
        return word + "s" if tens == 8 else word
    link = " et " if rest in (1, 11) and tens < 8 else "-"
    return word + link + UNITS[rest - 1][1] + ("e" if feminine and rest == 1 else "")


def determiners() -> Iterator[tuple[str, str, str]]:
    """Every number as it stands before a noun: English, French masculine, French feminine."""
    for number in range(2, 100):
        yield english(number), french(number), french(number, feminine=True)
        yield str(number), str(number), str(number)
    for words in ROUND:
        yield words[0], words[1], words[1]


ALL = tuple(words for words, _, _ in determiners())
