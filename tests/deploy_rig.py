"""Small firmwares that tell of themselves, and devices that a test can tear."""

from rheobase.deploy.device import Device
from rheobase.deploy.plan import digest
from rheobase.sim.flash import OpenFile, normalise

BOOT = """
import machine
for pin in (2, 3, 4, 5, 6, 7):
    machine.Pin(pin, machine.Pin.OUT, value=0)
boot_version = {version}
"""
# GP20: it has started. GP21: with parts of two versions. The legs go high as a firmware's would.
MAIN = """
import machine
machine.Pin(20, machine.Pin.OUT, value=1)
from firmware.a import version as a
from firmware.b import version as b
from lib.c import version as c
if not a == b == c == {version} == boot_version:
    machine.Pin(21, machine.Pin.OUT, value=1)
import time
while True:
    time.sleep_ms(5)
"""
STARTED, MIXED, LEGS = 1 << 20, 1 << 21, 0b111111 << 2


def firmware(version):
    """Boot, main and three modules that must all be of one version; some larger than a block."""
    module = f"version = {version}\n" + "# fill\n" * (700 * version)
    return {
        name: content.encode()
        for name, content in {
            "boot.py": BOOT.format(version=version),
            "main.py": MAIN.format(version=version),
            "firmware/a.py": module,
            "firmware/b.py": f"version = {version}\n",
            "lib/c.py": f"version = {version}\n",
            f"firmware/only_{version}.py": "",
        }.items()
    }


class OnFlash:
    """A device's files, directly on the virtual flash, whose power a test may cut."""

    def __init__(self, flash):
        self.flash = flash

    def hashes(self, roots):
        wanted = [normalise(root) for root in roots]
        return {
            path.lstrip("/"): digest(content)
            for path, content in self.flash.files.items()
            if any(path == root or path.startswith(root + "/") for root in wanted)
        }

    def free_bytes(self):
        return 1_000_000

    def make_folders(self, paths):
        for path in sorted(paths):
            parts = path.split("/")[:-1]
            for count in range(1, len(parts) + 1):
                folder = "/" + "/".join(parts[:count])
                if folder not in self.flash.directories:
                    self.flash.make_directory(folder)

    def write(self, path, content):
        file = OpenFile(self.flash, "/" + path, "wb")
        for at in range(0, len(content), 1024):
            file.write(content[at : at + 1024])
        file.close()

    def rename(self, old, new):
        self.flash.rename("/" + old, "/" + new)

    def remove(self, path):
        self.flash.remove("/" + path)

    def remove_empty_folders(self, folders):
        pass


class Torn(Exception):
    """The cable was pulled."""


class OnPico(Device):
    """The real scripts on an emulated Pico in its own time; torn before the n-th change."""

    CHANGES = ("make_folders", "write", "rename", "remove", "remove_empty_folders")

    def __init__(self, pico, torn_at=0):
        self.pico = pico
        self.left = torn_at
        for name in self.CHANGES:
            setattr(self, name, self._counted(getattr(self, name)))

    def _counted(self, call):
        def counted(*arguments):
            self.left -= 1
            if self.left == 0:
                raise Torn
            return call(*arguments)

        return counted

    def _run(self, code):
        return self.pico.run_python(code)
