"""Runs tests on the virtual board with the firmware as it is compiled for the device:
`PYTHONPATH=tests pytest -p minified tests/test_arming.py ...`

Tests that change a source by its text, or reach for a module by its name, can't pass so.
"""

import functools

from rheobase.build import ROOT, _modules, device_sources
from rheobase.sim import board

# What viper knows by itself.
PLAIN = "ptr16 = ptr32 = lambda memory: memory\n"


@functools.cache
def _made():
    made = device_sources({name: path.read_text() for name, path in _modules(ROOT).items()})
    return {"/" + path: (PLAIN + text if "ptr" in text else text) for path, text in made.items()}


def minified_files(root=ROOT):
    """The firmware's files, modules put together and names short."""
    files = {
        path: content
        for path, content in plain(root).items()
        if not path.endswith(".py") or path in ("/boot.py", "/main.py")
    }
    return files | _made()


plain = board.repository_files
board.repository_files = minified_files
