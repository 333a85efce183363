"""``python -m bayesmix``: the command line."""

from bayesmix.cli import main

main()
