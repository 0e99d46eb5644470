"""Heap by module on the emulated Pico: `python -m rheobase.emulator.heap`.

Bytes of heap that each module takes when it is imported, in the order in which the firmware
imports them, the engine behind the application; then the names (qstrs) that are not in ROM.
"""

from __future__ import annotations

import sys

from rheobase.build import files_of_firmware, in_order_of_import
from rheobase.emulator.image import NO_FILES_NAMED, named_files
from rheobase.emulator.pico import EmulatedPico

_SETTLED_S = 0.8  # after power-up the prompt waits
_PROBE = """
import gc, micropython
gc.threshold(8192)
def used():
    gc.collect()
    return gc.mem_alloc()
gc.collect()
print("{{:7}} B free before".format(gc.mem_free()))
for name in {names}:
    before = used()
    try:
        __import__(name)
    except MemoryError:
        print("no memory for", name)
        break
    print("{{:7}} B {{}}".format(used() - before, name))
gc.collect()
print("{{:7}} B free with all of them".format(gc.mem_free()))
micropython.qstr_info()
"""


def heap_table() -> str:
    """The table as text. Raises FileNotFoundError if no image is named."""
    named = named_files()
    if named is None:
        raise FileNotFoundError(NO_FILES_NAMED)
    files = files_of_firmware(compiled=True)
    files["main.py"] = b""
    with EmulatedPico(*named, files) as pico:
        pico.run_for(_SETTLED_S)
        return pico.run_python(_PROBE.format(names=in_order_of_import()), limit_s=30)


def main() -> int:
    try:
        print(heap_table())
    except FileNotFoundError as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
