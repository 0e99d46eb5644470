"""The ring of records in flash: the newest are kept, whatever is cut or damaged."""

import struct

import pytest
from store_rig import after_each_cut, output, store_board

SIZE = 128
LOOK = """
from firmware.hal import log
print(log.numbers(), log.lost())
for number in log.numbers():
    content = log.get(number)
    if content.rstrip(b'\\0') != b'record %d' % number:
        print('wrong', number, content)
try:
    print(log.append(b'record %d' % (log.numbers() or [0])[0]) - (log.numbers()[1:] or [0])[0])
except Exception as error:
    print(repr(error))
"""


def append(count, start=1):
    return (
        "from firmware.hal import log\n"
        f"for i in range({start}, {start + count}):\n    log.append(b'record %d' % i)\n"
    )


def look(board_or_data):
    board = board_or_data
    if not hasattr(board, "flash"):
        board = store_board(LOOK, board_or_data)
    lines = output(board)
    numbers, _, lost = lines[0].rpartition(" ")
    assert not any(line.startswith("wrong") for line in lines), lines
    return eval(numbers), int(lost), lines[1:]


def files_after(main):
    board = store_board(main)
    assert output(board) is not None
    return {
        path[len("/data/") :]: content
        for path, content in board.flash.files.items()
        if path.startswith("/data/")
    }


@pytest.mark.parametrize("count", [1, 63, 64, 65, 127, 128, 129, 300])
def test_at_least_the_newest_64_are_kept(count):
    numbers, lost, _ = look(files_after(append(count)))
    assert lost == 0
    assert numbers == list(range(count, count - len(numbers), -1))
    assert len(numbers) == count if count <= 128 else 65 <= len(numbers) <= 128


@pytest.mark.parametrize("before", [0, 1, 10, 63, 64, 127, 128])
def test_a_power_cut_at_any_write_leaves_the_record_or_not_and_all_before_it(before):
    seen = after_each_cut(append(1, before + 1), LOOK, append(before))
    assert len(seen) >= 2
    kept = lambda n: list(range(n, 0, -1)) if n <= 128 else None  # noqa: E731
    for lines in seen:
        numbers, _, lost = lines[0].rpartition(" ")
        found = eval(numbers)
        assert lost == "0" and lines[-1] == "1", lines
        assert len(found) >= min(before, 64)
        if before < 128:
            assert found in (kept(before), kept(before + 1)), lines
        else:
            assert found == list(range(found[0], found[0] - len(found), -1))
    assert eval(seen[0][0].rpartition(" ")[0])[:1] == ([before] if before else [])
    assert eval(seen[-1][0].rpartition(" ")[0])[0] == before + 1


def test_a_power_cut_while_clearing_leaves_records_or_not_and_counts_on():
    clear = "from firmware.hal import log\nlog.clear(b'record 71')"
    seen = after_each_cut(clear, LOOK, append(70))
    for lines in seen:
        found = eval(lines[0].rpartition(" ")[0])
        assert found in (
            list(range(70, 0, -1)), [71], [71, *range(70, 64, -1)], [71, *range(64, 0, -1)]
        ), lines  # fmt: skip
        assert lines[-1] == "1"
    assert eval(seen[-1][0].rpartition(" ")[0]) == [71]


@pytest.mark.parametrize("place", [0, 31, 63])
@pytest.mark.parametrize("bit", [0, 5, 32, 500, 991, 1023])
def test_a_damaged_record_is_counted_and_the_others_are_kept(place, bit):
    data = files_after(append(64))
    content = bytearray(data["log.0"])
    content[place * SIZE + bit // 8] ^= 1 << bit % 8
    data["log.0"] = bytes(content)
    numbers, lost, rest = look(data)
    assert numbers == [n for n in range(64, 0, -1) if n != place + 1]
    assert lost == 1
    assert rest[-1] == "1"


@pytest.mark.parametrize("length", [1, 127, 128, 200, 64 * SIZE - 1])
def test_a_torn_file_loses_its_end_alone(length):
    data = files_after(append(64))
    data["log.0"] = data["log.0"][:length]
    whole = length // SIZE
    board = store_board(append(3, whole + 1) + LOOK, data)
    numbers, lost, _ = look(board)
    assert numbers == list(range(whole + 3, 0, -1))
    assert lost == (1 if length % SIZE else 0)


def test_numbers_count_on_behind_a_file_that_is_gone():
    data = files_after(append(65))
    assert set(data) == {"log.0", "log.1"}
    del data["log.0"]
    assert look(data)[0] == [65]


def test_a_record_that_is_too_long_is_refused():
    main = """
from firmware.hal import log
try:
    log.append(121 * b'x')
except Exception as error:
    print(error.code, error.text)
log.append(120 * b'y')
print(log.get(1) == 120 * b'y')
try:
    log.get(2)
except Exception as error:
    print(error.code, error.text)
"""
    lines = output(store_board(main))
    assert lines == ["-223 record of 121 bytes above 120", "True", "-224 no record 2"]


def test_a_record_is_what_the_page_says():
    """Number first, little-endian, CRC-32 of all before it at the end."""
    import binascii

    content = files_after(append(1))["log.0"]
    assert len(content) == SIZE
    assert struct.unpack_from("<I", content)[0] == 1
    assert content[4:12] == b"record 1"
    assert struct.unpack_from("<I", content, 124)[0] == binascii.crc32(content[:124])
