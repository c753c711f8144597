"""Give the course another home: its address, its branch and its name, everywhere at once.

    python -m tools.fork https://github.com/a-university/transformers
    python -m tools.fork https://github.com/a-university/transformers --branch spring --name "Transformers in spring"

Badges, install cells, links, the site's address, workflows and the citation follow. The licences keep their authors.
Nothing is committed: `git diff` shows what has changed.
"""

import argparse
import re
import subprocess
import sys

from lessons_lib.files import write_whole
from lessons_lib.grading.edition import ADDRESS
from lessons_lib.handout.students import COURSE, course_address
from lessons_lib.handout.texts import at_address
from tools.lesson_files import ROOT

KEPT = ("LICENSE", "LICENSE-prose", "CHANGELOG.md")  # who wrote the course, and what it was
AUTHORS = re.compile(rf"{re.escape(COURSE)}(?! authors)")
BRANCH = re.compile(r"^  branch: .*", re.MULTILINE)
NOT_IN_A_NAME = re.compile(r'["\\<>&{}|\x00-\x1f]')


def moved(text: str, old: tuple[str, str], new: tuple[str, str], name: str) -> str:
    """The same text at another address, under another name.

    Args:
        old, new: address and branch.
    """
    owners = [address.partition("://")[2].partition("/")[2] for address, _ in (old, new)]
    return AUTHORS.sub(lambda _: name, at_address(text, old, new).replace(*owners))


def change(address: str, branch: str, name: str) -> list[str]:
    """Change every text that git keeps; which ones it were."""
    old, changed = course_address(ROOT), []
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in filter(None, listed.split("\0")):
        path = ROOT / file
        try:
            before = path.read_text("utf8")
        except UnicodeDecodeError:
            continue  # weights, pictures
        text = before if file in KEPT else moved(before, old, (address, branch), name)
        if file == "_config.yml":
            text = BRANCH.sub(f"  branch: {branch}", text)
        if text != before:
            write_whole(path, text)
            changed.append(file)
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="of the repository")
    parser.add_argument("--branch", default="main", help="whose lessons are linked and installed (main)")
    parser.add_argument("--name", default=COURSE, help="of the course")
    said = parser.parse_args()
    address = said.address.rstrip("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        parser.error(f"{said.address} is no repository; write it as https://github.com/a-university/transformers")
    if not re.fullmatch(r"[\w][\w./-]*", said.branch):
        parser.error(f"{said.branch!r} is no branch; write it as `git branch` shows it")
    if not said.name.strip() or (found := NOT_IN_A_NAME.search(said.name)):
        parser.error(
            f"{said.name!r} can be no name" + (f": {found[0]!r} may not be in it" if said.name.strip() else "")
        )
    if subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT).returncode:
        sys.exit("There are changes that are not committed. Commit them first, so that this one can be undone.")
    changed = change(address, said.branch, said.name.strip())
    print(f"{len(changed)} files changed. Look at them: git diff. Then: make test, and commit.")
    if "github.com" not in address:
        print("Say in _config.yml where the site will be (html: baseurl). Colab and Binder open what lies on GitHub.")


if __name__ == "__main__":
    main()
