"""What pyproject.toml cannot say: a built package carries what lies beside lessons_lib in a checkout."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithNeighbours(build_py):
    """The solutions, from which the grader reads the course's own parts (`lessons_lib/grading/reference.py`); and the
    versions with which the lessons were stored (`lessons_lib/verification/published.py`)."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            targets = {source: Path("grading", source) for source in sorted(Path("solutions").glob("*.py"))}
            targets[Path("requirements.txt")] = Path("verification", "requirements.txt")
            for source, place in targets.items():
                target = Path(self.build_lib, "lessons_lib", place)
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))


setup(cmdclass={"build_py": WithNeighbours})
