"""Modules under the names that they had before they moved: what learners kept in notebooks and answers goes on loading.

It lies outside of the packages that it serves: a check that forbids one of them sees who calls its functions, and an
`import` calls this finder.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module by its old name, as the module that it is now.

    Args:
        package: in which the old names lie.
        moved: to each old name the full name of today.
    """

    def __init__(self, package: str, moved: dict[str, str]):
        self.package, self.moved = package, moved

    def find_spec(self, name, path=None, target=None):
        package, _, module = name.rpartition(".")
        is_old = package == self.package and module in self.moved
        return importlib.machinery.ModuleSpec(name, self) if is_old else None

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        name = module.__name__
        sys.modules[name] = importlib.import_module(self.moved[name.rpartition(".")[2]])
