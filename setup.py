"""What pyproject.toml cannot say: a built package carries the solutions, which lie beside lessons_lib in a checkout."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithSolutions(build_py):
    """The grader reads the course's own parts of the translator from them: `lessons_lib/grading/reference.py`."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source in sorted(Path("solutions").glob("*.py")):
                target = Path(self.build_lib, "lessons_lib", "grading", "solutions", source.name)
                self.mkpath(str(target.parent))
                self.copy_file(str(source), str(target))


setup(cmdclass={"build_py": WithSolutions})
