"""Times with a name or a number: days, months, dates, years, the clock. Made on demand, as adverbs are tagged."""

from .numbers import UNITS
from .sampling_phrases import Draw
from .small_words import Adverb
from .words import rows

DAYS = tuple(
    (english, french)
    for english, french in rows("""
Monday    | lundi
Tuesday   | mardi
Wednesday | mercredi
Thursday  | jeudi
Friday    | vendredi
Saturday  | samedi
Sunday    | dimanche
""")
)
MONTHS = tuple(
    (english, french)
    for english, french in rows("""
January   | janvier
February  | février
March     | mars
April     | avril
May       | mai
June      | juin
July      | juillet
August    | août
September | septembre
October   | octobre
November  | novembre
December  | décembre
""")
)
PAST_YEARS, COMING_YEARS = range(1900, 2025), range(2030, 2100)
KINDS = {"day": 30, "month": 12, "date": 30, "year": 12, "clock": 16}


def dated(draw: Draw, tense: str) -> Adverb | None:
    """A time that suits "present", "past" or "future"; None for another tense."""
    if tense not in ("present", "past", "future"):
        return None
    kind = draw.weighted(KINDS)
    if kind == "day":
        return day(draw, tense)
    if kind == "clock" or (tense == "present" and kind in ("date", "year")):
        return clock(draw)
    english, french = draw.choose(MONTHS)
    if kind == "month":
        return Adverb(f"in/1 {english}/2", f"en/1 {french}/2", "time")
    if kind == "year":
        year = draw.choose(PAST_YEARS if tense == "past" else COMING_YEARS)
        return Adverb(f"in/1 {year}/2", f"en/1 {year}/2", "time")
    number = 1 if draw.chance(0.1) else 2 + int(draw.rng.random() * 27)  # the first, "le 1er", is the one to learn
    return date(number, (english, french), draw.chance(0.6))


def day(draw: Draw, tense: str) -> Adverb:
    """ "on Monday", "last Monday", "on Mondays"."""
    english, french = draw.choose(DAYS)
    if tense == "present":
        if draw.chance(0.5):
            return Adverb(f"on/1? {english}s/2", f"le/1? {french}/2", "time")
        return Adverb(f"every/1 {english}/2", f"tous/1 les/1? {french}s/2", "time")
    if draw.chance(0.5):
        return Adverb(f"on/1? {english}/1", f"{french}/1", "time")
    which = ("last", "dernier") if tense == "past" else ("next", "prochain")
    return Adverb(f"{which[0]}/1 {english}/2", f"{french}/2 {which[1]}/1", "time")


def date(number: int, month: tuple[str, str], ordinal: bool) -> Adverb:
    """ "on the 3rd of May" or "on 3 May": both are "le 3 mai"; the first of a month is "le 1er"."""
    english, french = month
    french = f"le/1 {number if number > 1 else '1er'}/2 {french}/3"
    if ordinal:
        return Adverb(f"on/1? the/1 {number}{suffix(number)}/2 of/3? {english}/3", french, "time")
    return Adverb(f"on/1? {number}/2 {english}/3", french, "time")


def suffix(number: int) -> str:
    """ "st", "nd", "rd" or "th", for a day of a month."""
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if not 11 <= number <= 13 else "th"


def clock(draw: Draw) -> Adverb:
    """ "at three o'clock", "at half past three", "at a quarter to four", "at noon"."""
    hour = int(draw.rng.random() * 11)
    english, french = UNITS[hour]
    french = f"à/1 {'une' if hour == 0 else french}/2 {'heure' if hour == 0 else 'heures'}/3"
    match draw.weighted({"o'clock": 40, "digits": 15, "half": 15, "quarter": 10, "to": 10, "noon": 10}):
        case "o'clock":
            return Adverb(f"at/1 {english}/2 o'clock/3", french, "time")
        case "digits":
            return Adverb(f"at/1 {hour + 1}/2 o'clock/3", f"à/1 {hour + 1}/2 heure{'s' * (hour > 0)}/3", "time")
        case "half":
            return Adverb(f"at/1 half/4 past/3?,5 {english}/2", f"{french} et/3,5 demie/4", "time")
        case "quarter":
            return Adverb(f"at/1 a/4? quarter/4 past/3?,5 {english}/2", f"{french} et/3,5 quart/4", "time")
        case "to":
            return Adverb(f"at/1 a/4?,6 quarter/4 to/3?,5 {english}/2", f"{french} moins/3,5 le/4?,6 quart/4", "time")
    return draw.choose((Adverb("at/1 noon/2", "à/1 midi/2", "time"), Adverb("at/1 midnight/2", "à/1 minuit/2", "time")))
