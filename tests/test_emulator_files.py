"""What goes onto the emulated Pico's flash; none of this needs an image or Node.js."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.emulator import files_of_firmware, named_files
from rheobase.emulator.filesystem import BLOCK_SIZE, files_of_image, littlefs_image
from rheobase.emulator.image import FLASH_START, Region, filesystem_region, flash_of

SIZE = 64 * BLOCK_SIZE

names = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.py", fullmatch=True)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(names, st.binary(max_size=3 * BLOCK_SIZE), max_size=6))
def test_a_littlefs_image_holds_what_was_put_in(files):
    folders = {name.rsplit("/", 1)[0] for name in files if "/" in name}
    if any(folder == name for folder in folders for name in files):
        return
    image = littlefs_image(files, SIZE)
    assert len(image) == SIZE
    assert files_of_image(image) == files


def test_the_firmware_is_collected_by_its_place_on_the_device(tmp_path):
    for name in ("boot.py", "main.py", "firmware/a/b.py", "lib/c.py", "tools/no.py", "other.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name = {name!r}\n")
    files = files_of_firmware(tmp_path)
    assert sorted(files) == ["boot.py", "firmware/a/b.py", "lib/c.py", "main.py", "manifest.txt"]
    assert files["lib/c.py"] == b"name = 'lib/c.py'\n"


def test_compiled_modules_keep_their_names_and_boot_and_main_stay_source(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "main.py").write_text("import c\n")
    (tmp_path / "lib" / "c.py").write_text("x = 1\n")
    files = files_of_firmware(tmp_path, compiled=True)
    assert sorted(files) == ["lib/c.mpy", "main.py", "manifest.txt"]
    assert files["lib/c.mpy"][:2] == b"M\x06"
    assert files["lib/c.mpy"][6:10] == b"\x02c\0\x0f"  # what tracebacks call it


def test_a_module_that_does_not_compile_is_named(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "bad.py").write_text("def\n")
    with pytest.raises(ValueError, match="lib/bad.py"):
        files_of_firmware(tmp_path, compiled=True)


def test_the_repository_itself_is_collected():
    files = files_of_firmware()
    assert "boot.py" in files and "firmware/__init__.py" in files
    assert not any(name.startswith("tools") for name in files)


def uf2(flash: bytes, family: int = 0xE48BFF56) -> bytes:
    blocks = []
    for at in range(0, len(flash), 256):
        piece = flash[at : at + 256]
        header = struct.pack(
            "<8I", 0x0A324655, 0x9E5D5157, 0x2000, FLASH_START + at, len(piece), 0, 0, family
        )
        blocks.append((header + piece).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30))
    return b"".join(blocks)


def image_with_block_device(offset: int, size: int) -> bytes:
    """Flash with binary info that declares a block device, its entry copied to RAM at start."""
    flash = bytearray(b"\xff" * 2048)
    pointers, entry, copied, in_ram = 1024, 1100, 1200, 0x2000_0400
    struct.pack_into(
        "<5I", flash, 256 + 12, 0x7188EBF2, FLASH_START + pointers, FLASH_START + pointers + 8,
        FLASH_START + copied, 0xE71AA390,
    )  # fmt: skip
    struct.pack_into("<2I", flash, pointers, FLASH_START + 1300, in_ram)
    struct.pack_into("<HHII", flash, 1300, 5, 0x5052, 1, 2)  # some other information
    struct.pack_into("<3I", flash, copied, FLASH_START + entry, in_ram, in_ram + 24)
    struct.pack_into("<3I", flash, copied + 12, 0, 0, 0)
    struct.pack_into("<HHIIIIH", flash, entry, 7, 0, 0, FLASH_START + offset, size, 0, 0)
    return bytes(flash)


@pytest.mark.parametrize("packed", [uf2, bytes])
def test_the_filesystem_is_found_by_what_the_image_declares(tmp_path, packed):
    path = tmp_path / "image"
    path.write_bytes(packed(image_with_block_device(0xA0000, 0x160000)))
    assert filesystem_region(path) == Region(0xA0000, 0x160000)


def test_an_image_that_is_not_micropythons_is_refused(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(bytes(4096))
    with pytest.raises(ValueError, match="no binary info"):
        filesystem_region(path)


def test_an_image_for_another_chip_is_refused(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(uf2(bytes(512), family=0xE48BFF59))
    with pytest.raises(ValueError, match="nothing for the RP2040"):
        flash_of(path)


def test_names_that_lead_nowhere_are_an_error_and_no_names_are_none(monkeypatch, tmp_path):
    monkeypatch.delenv("RHEOBASE_PICO_IMAGE", raising=False)
    monkeypatch.delenv("RHEOBASE_PICO_BOOTROM", raising=False)
    assert named_files() is None
    monkeypatch.setenv("RHEOBASE_PICO_IMAGE", str(tmp_path / "image"))
    assert named_files() is None
    monkeypatch.setenv("RHEOBASE_PICO_BOOTROM", str(tmp_path / "rom"))
    with pytest.raises(FileNotFoundError, match="image"):
        named_files()
