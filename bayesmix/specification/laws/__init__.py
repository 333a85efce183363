"""Mixing laws, one file each: what is known of a law stands in its file, and is found by its name.

Every file of this folder is imported with the folder, and registers the laws that it holds: a new
one is a new file, and no line elsewhere.
"""

from importlib import import_module
from pkgutil import iter_modules

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")
