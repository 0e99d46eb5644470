"""Log, configuration and texts on genuine MicroPython and littlefs, power cut at flash writes."""

import pytest
from emulator_bench import needs_image

from rheobase.build import files_of_firmware
from rheobase.emulator.image import named_files
from rheobase.emulator.pico import EmulatedPico

pytestmark = needs_image

SETUP = """
from firmware.hal import copies, files, log, texts
"""
LOOK = """
print(log.numbers(), log.lost(), [log.get(n)[:2] for n in log.numbers()[:1]])
print([str(copies.load(name)[0], 'ascii')[:3] for name in ('config',)])
print([(id, len(texts.get(id)), texts.get(id)[0]) for id in texts.ids()])
"""
BEFORE = """
for n in range(3):
    log.append(b'r%d' % (n + 1))
copies.save('config', b'old' * 150)
texts.put('mine', 1500 * 'a')
"""
CHANGES = {
    "log.append(b'r4')": 0,
    "copies.save('config', b'new' * 150)": 1,
    "texts.put('mine', 1400 * 'b')": 2,
}
OLD = ["[3, 2, 1] 0 [b'r3']", "['old']", "[('mine', 1500, 'a')]"]
NEW = ["[4, 3, 2, 1] 0 [b'r4']", "['new']", "[('mine', 1400, 'b')]"]


@pytest.fixture(scope="module")
def pico():
    image, bootrom = named_files()
    files = {
        name: content
        for name, content in files_of_firmware(compiled=True, apart=True).items()
        if name.startswith(("firmware/hal", "firmware/core/refused", "firmware/__init__"))
        or name == "firmware/core/__init__.mpy"
    }
    with EmulatedPico(image, bootrom, files) as pico:
        pico.run_until_text(">>> ")
        pico.run_python(SETUP + BEFORE)
        yield pico


@pytest.mark.parametrize("change", CHANGES)
def test_power_cut_at_flash_operations_leaves_the_old_or_the_new(pico, change):
    """In the middle of each erase and each program in turn, then uncut."""
    place = CHANGES[change]
    for operation in range(1, 60):
        resets = pico.resets
        pico.cut_power_at(operation)
        try:
            pico.run_python(SETUP + change, limit_s=4)
        except TimeoutError:
            assert pico.resets == resets + 1
        pico.cut_power_at(0)
        pico.serial.read()
        pico.serial.write("\r")
        pico.run_until_text(">>> ")
        seen = pico.run_python(SETUP + LOOK).splitlines()
        assert seen[place] in (OLD[place], NEW[place])
        if pico.resets == resets:
            assert seen[place] == NEW[place]
            assert operation > 3
            return
        if seen[place] == NEW[place]:
            assert operation > 1
            if place == 0:
                return  # an appended record is not taken back
            pico.run_python(SETUP + BEFORE.splitlines()[place + 2])
    raise AssertionError("never came to an end")
