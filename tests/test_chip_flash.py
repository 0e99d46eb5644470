"""Files in flash: littlefs's promises when the power goes, and the port's errors."""

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim.flash import BLOCK, Flash, OpenFile, normalise


class PowerLost(Exception):
    pass


def flash_with(**files):
    flash = Flash({f"/{name}": data for name, data in files.items()})

    def lose_power():
        raise PowerLost

    flash.lose_power = lose_power
    return flash


def write(flash, path, data, mode="wb"):
    file = OpenFile(flash, path, mode)
    file.write(data)
    file.close()


@pytest.mark.parametrize(
    ("path", "cwd", "expected"),
    [
        ("a", "/", "/a"), ("a", "/b", "/b/a"), ("/a//b/./c", "/x", "/a/b/c"),
        ("../../x", "/a", "/x"), ("", "/a", "/a"),
    ],
)  # fmt: skip
def test_paths(path, cwd, expected):
    assert normalise(path, cwd) == expected


def test_a_file_is_read_back():
    flash = flash_with()
    write(flash, "/a", b"hello")
    write(flash, "/a", b" again", "ab")
    assert OpenFile(flash, "/a", "rb").read(100) == b"hello again"


def test_content_is_durable_at_close_and_at_flush_not_before():
    flash = flash_with(a=b"old")
    file = OpenFile(flash, "/a", "wb")
    file.write(b"new")
    assert flash.files["/a"] == b"old"
    file.flush()
    assert flash.files["/a"] == b"new"
    file.write(b"er")
    assert flash.files["/a"] == b"new"
    file.close()
    assert flash.files["/a"] == b"newer"


def test_a_new_file_is_there_empty_from_the_moment_it_is_opened():
    flash = flash_with()
    OpenFile(flash, "/a", "wb")
    assert flash.files["/a"] == b""


def test_seeking_and_updating_in_place():
    flash = flash_with(a=b"0123456789")
    file = OpenFile(flash, "/a", "r+b")
    assert file.seek(-3, 2) == 7
    file.write(b"XY")
    assert file.seek(0, 1) == 9
    file.seek(12, 0)
    file.write(b"!")
    file.close()
    assert flash.files["/a"] == b"0123456XY9\0\0!"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (lambda f: OpenFile(f, "/none", "r"), errno.ENOENT),
        (lambda f: OpenFile(f, "/d", "w"), errno.EISDIR),
        (lambda f: OpenFile(f, "/a", "x"), errno.EEXIST),
        (lambda f: OpenFile(f, "/no/b", "w"), errno.ENOENT),
        (lambda f: f.remove("/none"), errno.ENOENT),
        (lambda f: f.remove("/d"), errno.ENOTEMPTY),
        (lambda f: f.rename("/none", "/b"), errno.ENOENT),
        (lambda f: f.rename("/a", "/d"), errno.EISDIR),
        (lambda f: f.make_directory("/a"), errno.EEXIST),
        (lambda f: f.entries("/none"), errno.ENOENT),
        (lambda f: OpenFile(f, "/a", "rb").write(b"x"), errno.EBADF),
    ],
)
def test_errors(action, code):
    flash = flash_with(a=b"1", **{"d/inner": b"2"})
    with pytest.raises(OSError) as caught:
        action(flash)
    assert caught.value.errno == code


def test_a_closed_file_is_a_value_error():
    flash = flash_with(a=b"1")
    file = OpenFile(flash, "/a", "rb")
    file.close()
    with pytest.raises(ValueError):
        file.read(1)


def test_directories():
    flash = flash_with(**{"d/e/inner": b"22"})
    assert flash.entries("/") == [("d", True, 0)]
    assert flash.entries("/d/e") == [("inner", False, 2)]
    flash.rename("/d/e", "/d/f")
    assert flash.files == {"/d/f/inner": b"22"}
    flash.remove("/d/f/inner")
    flash.remove("/d/f")
    assert flash.entries("/d") == []


def save_safely(flash, data):
    """What firmware should do: a new file, then a rename over the old one."""
    write(flash, "/new", data)
    flash.rename("/new", "/settings")


def save_carelessly(flash, data):
    flash.remove("/settings")
    write(flash, "/settings", data)


def outcomes(save, data):
    """What is left of /settings when power is lost at each flash operation."""
    seen = set()
    for operation in range(1, 50):
        flash = flash_with(settings=b"old")
        flash.cut_power_at(operation)
        try:
            save(flash, data)
        except PowerLost:
            seen.add(flash.files.get("/settings"))
        else:
            assert flash.files["/settings"] == data
            return seen
    raise AssertionError("never came to an end")


@pytest.mark.parametrize("size", [1, 400, 600, BLOCK, 3 * BLOCK + 1])
def test_a_rename_leaves_the_old_or_the_new_content(size):
    assert outcomes(save_safely, b"n" * size) == {b"old"}


def test_removing_first_can_lose_everything():
    assert outcomes(save_carelessly, b"new") == {b"old", None, b""}


def test_writing_in_place_leaves_the_old_content_until_the_commit():
    assert outcomes(lambda flash, data: write(flash, "/settings", data), b"new") == {b"old"}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.binary(max_size=9000)), min_size=1, max_size=4
    ),
    st.integers(1, 30),
)
def test_a_power_cut_leaves_every_file_as_some_commit_left_it(writes, operation):
    flash = flash_with(a=b"a0", b=b"b0")
    committed = {"/a": {b"a0"}, "/b": {b"b0"}}
    flash.cut_power_at(operation)
    try:
        for name, data in writes:
            write(flash, f"/{name}", data)
            committed[f"/{name}"] = {data}
    except PowerLost:
        committed[f"/{name}"] |= {flash.files[f"/{name}"]} & {data}
    for path, allowed in committed.items():
        assert flash.files[path] in allowed


def test_flash_takes_its_time():
    flash = flash_with()
    busy = []
    flash.busy = busy.append
    write(flash, "/a", bytes(2 * BLOCK))
    assert sum(busy) > 100_000
    assert flash.blocks_free() < Flash({}).blocks_free()
