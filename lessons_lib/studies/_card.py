"""The card of a study: what it asked, by which bound, and what came out, for people."""

from lessons_lib.studies import Study, module


def card(study: Study) -> str:
    """The card as Markdown; `python -m lessons_lib.studies` writes it beside the numbers."""
    code = module(study.name)
    lines = [
        f"# {code.QUESTION}",
        "",
        f"Lesson {code.LESSON}. Bound, fixed before the numbers: {code.BOUND}.",
        "",
        "| statement | verdict |",
        "|---|---|",
        *(f"| {statement} | **{word}** |" for statement, word in study.verdicts.items()),
        "",
        f"Over {len(study.seeds)} seeds ({', '.join(map(str, study.seeds))}); mean, and 95 % interval of the mean by "
        "Student's t:",
        "",
        "| measured | mean | interval | each seed |",
        "|---|---|---|---|",
    ]
    for name, values in study.results.items():
        found = study.estimate(name)
        each = " ".join(f"{value:.4g}" for value in values)
        lines.append(f"| {name} | {found.mean:.4g} | {found.low:.4g} to {found.high:.4g} | {each} |")
    made = f"torch {study.made['torch']}, {study.made['machine']}"
    lines += ["", f"`python -m lessons_lib.studies {study.name}` ({made}, program {study.made['program']}).", ""]
    return "\n".join(lines)
