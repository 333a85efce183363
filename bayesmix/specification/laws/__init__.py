"""Mixing laws, one file each: what is known of a law stands in its file, and is found by its name.

Every file of this folder is imported with the folder, and registers the laws that it holds: a new
one is a new file, and no line elsewhere. A law of your own is such a file of yours, which imports
from here what it needs; ``docs/own_law.md`` has a whole one.
"""

from importlib import import_module
from pkgutil import iter_modules

from bayesmix.kernels.compiling import compiled as compiled
from bayesmix.kernels.compiling import part as part
from bayesmix.kernels.law_functions import law_map as law_map
from bayesmix.kernels.standard_normal import below as below
from bayesmix.kernels.standard_normal import density as density
from bayesmix.specification.laws.base import Family as Family
from bayesmix.specification.laws.base import Formulas as Formulas
from bayesmix.specification.laws.base import register as register
from bayesmix.specification.laws.coefficient import independent as independent

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")
