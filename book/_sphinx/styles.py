"""The style of a site: of several files the rules that some page uses, without the icons' fonts."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tinycss2

ICON = re.compile(r"fa(-.*|[srbl]?)")  # classes of the icons' fonts; ours are in icons.css
ICON_RULES = re.compile(r"(?<=})\.fa-[\w-]+(?:::?\w+)?(?:,\.fa-[\w-]+(?:::?\w+)?)*\{[^{}]*\}")
GLYPH = re.compile(r"Font Awesome|--fa-|--pst-icon-")  # in a declaration that draws one
OURS = ("course.css", "formulas.css", "icons.css")
NAMES = re.compile(r'\b(?:class|id)="([^"]*)"')
INSIDE = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL)
WORD = re.compile(r"[A-Za-z_][\w-]*")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
OWN_VARIABLES = "--course", "--cw", "--w"  # also read by scripts


def style(site: Path, files: list[str], words: set[str]) -> str:
    """The rules of these files that some page uses; addresses in them are those from the folder of the bundle."""
    rules: list[Rule] = []
    for file in files:
        for name in (*imported(site, file), file):
            text = (site / name).read_text("utf8")
            text = text if name.endswith(OURS) else ICON_RULES.sub("", text)  # half of the theme's, read by nobody
            parsed = tinycss2.parse_stylesheet(text, True, True)
            rules += kept(parsed, words, name)
    while True:
        read = set(VARIABLE.findall(text := "".join(map(str, rules))))
        if not any(rule.forget(read) for rule in rules):
            return text


@dataclass
class Rule:
    """What stands before the braces, and in them: other rules, or declarations, each with its name."""

    head: str
    inside: list = field(default_factory=list)

    def forget(self, read: set[str]) -> bool:
        """Variables that are not read, and what is empty then; whether there were any."""
        before = len(self.inside)
        changed = [part.forget(read) for part in self.inside if isinstance(part, Rule)]
        self.inside = [part for part in self.inside if is_needed(part, read)]
        return any(changed) or len(self.inside) < before

    def __str__(self) -> str:
        if not self.inside:
            return ""
        parts = [str(part) if isinstance(part, Rule) else f"{':'.join(part)};" for part in self.inside]
        return f"{self.head}{{{''.join(parts)}}}\n"


def is_needed(part: "Rule | tuple[str, str]", read: set[str]) -> bool:
    if isinstance(part, Rule):
        return bool(part.inside)
    return not part[0].startswith("--") or part[0] in read or part[0].startswith(OWN_VARIABLES)


def imported(site: Path, file: str) -> list[str]:
    """Other files that a style begins with, which come before it."""
    names = re.findall(r"^@import (?:url\()?[\"']([^\"']+)", (site / file).read_text("utf8"), re.MULTILINE)
    return [normal(Path(file).parent / name) for name in names]


def kept(rules: list, words: set[str], file: str) -> list[Rule]:
    made = []
    for rule in rules:
        if rule.type == "qualified-rule":
            chosen = [text for one in split(rule.prelude) if (text := selector(one, words, file))]
            if chosen:
                made.append(Rule(",".join(chosen), declarations(rule.content, file)))
        elif rule.type == "at-rule" and rule.content is not None:
            head = f"@{rule.at_keyword} {tight(rule.prelude)}"
            if rule.lower_at_keyword in ("media", "supports", "container", "layer"):
                made.append(Rule(head, kept(tinycss2.parse_rule_list(rule.content, True, True), words, file)))
            elif rule.lower_at_keyword.endswith("keyframes"):
                steps = tinycss2.parse_rule_list(rule.content, True, True)
                made.append(Rule(head, [Rule(tight(one.prelude), declarations(one.content, file)) for one in steps]))
            elif "Font Awesome" not in tight(rule.content):
                made.append(Rule(head, declarations(rule.content, file)))
    return made


def declarations(content: list, file: str) -> list[tuple[str, str]]:
    """Name and value of each, without those that draw icons by a font."""
    made = []
    for one in tinycss2.parse_blocks_contents(content, True, True):
        if one.type != "declaration":
            raise ValueError(f"{file}: only declarations are read inside a rule, not {tinycss2.serialize([one])}")
        value = moved(tight(one.value), file) + (" !important" if one.important else "")
        if not GLYPH.search(f"{one.name}:{value}"):
            made.append((one.name, value))
    return made


def split(prelude: list) -> Iterator[list]:
    """The selectors of a rule."""
    one: list = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield one
            one = []
        else:
            one.append(token)
    yield one


def selector(tokens: list, words: set[str], file: str) -> str | None:
    """Its text, or None where a class or id in it is on no page. What stands in :not() or :is() is not asked."""
    after_dot = False
    for token in tokens:
        name = token.value if token.type == "hash" or (after_dot and token.type == "ident") else None
        if name and (name not in words or (ICON.fullmatch(name) and not file.endswith(OURS))):
            return None
        after_dot = token.type == "literal" and token.value == "."
    return tight(tokens)


def tight(tokens: list) -> str:
    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    return re.sub(r"\s+", " ", text).strip()


def moved(value: str, file: str) -> str:
    """Addresses in a style are relative to it."""
    folder = Path(file).parent.relative_to("_static")

    def one(found: re.Match[str]) -> str:
        quote, name = found.groups()
        return found[0] if name.startswith(("data:", "#", "http")) else f"url({quote}{normal(folder / name)}{quote})"

    return re.sub(r"url\(\s*([\"']?)([^\"')]+)\1\s*\)", one, value)


def normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def used_words(pages: Iterable[str], site: Path) -> set[str]:
    """Classes and ids of the pages, and every word of their scripts, which may set more."""
    words: set[str] = set()
    scripts = [path.read_text("utf8") for path in (site / "_static").rglob("*.js")]
    for page in pages:
        for names in NAMES.findall(page):
            words.update(names.split())
        scripts += INSIDE.findall(page)
    for text in scripts:
        words.update(WORD.findall(text.replace(r"\n", " ")))  # a widget's module is a text in a script
    return words
