"""The serial port: nothing lost while somebody reads, bounded stalls while nobody does."""

import pytest
from board_rig import MS, US, board_with
from hypothesis import given, settings
from hypothesis import strategies as st

ECHO = """
    import micropython, select, sys
    micropython.kbd_intr(-1)
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    byte = bytearray(1)
    while True:
        for _ in poll.ipoll(10):
            sys.stdin.buffer.readinto(byte)
            sys.stdout.buffer.write(byte)
"""


@given(st.lists(st.binary(min_size=1, max_size=700), max_size=5))
@settings(max_examples=10, deadline=None)
def test_every_byte_comes_back_in_order(chunks):
    board = board_with(ECHO)
    board.start()
    for chunk in chunks:
        board.usb.write(chunk)
        board.run_for(0.01)
    board.run_for(0.3)
    assert board.usb.read() == b"".join(chunks)


def test_input_wakes_a_waiting_poll_at_once():
    board = board_with("""
        import machine, select, sys
        pin = machine.Pin(3, machine.Pin.OUT)
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        while True:
            if poll.poll(1000):
                pin.toggle()
                sys.stdin.read(1)
    """)
    board.start()
    board.run_for(0.0123)
    board.edges.clear()
    clock = board.now
    board.usb.write(b"x")
    board.usb.write(b"y", at=clock + 50 * MS)
    board.run_for(0.1)
    first, second = (edge for edge, _ in board.edges)
    assert first - clock < 200 * US
    assert 0 <= second - (clock + 50 * MS) < 200 * US


@pytest.mark.parametrize("timeout", [0, 1, 5, 100])
def test_a_poll_without_input_takes_its_timeout(timeout):
    board = board_with(f"""
        import select, sys, time
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        time.sleep_ms(500)
        a = time.ticks_us()
        for i in range(10):
            for _ in poll.ipoll({timeout}):
                pass
        print(time.ticks_diff(time.ticks_us(), a))
    """)
    board.start()
    board.run_for(2)
    taken = int(board.usb.read().split()[0])
    assert 10 * (1000 * timeout + 50) <= taken <= 10 * (1000 * timeout + 70)


def test_the_device_takes_no_more_than_its_ring_holds():
    board = board_with("import time\ntime.sleep_ms(1500)\nimport sys\nprint(sys.stdin.read(600))")
    board.start()
    board.usb.write(b"z" * 600)
    board.run_for(0.1)
    assert len(board.usb.waiting) == 600 - 511
    board.run_for(2)
    assert not board.usb.waiting
    assert b"z" * 600 in board.usb.read()


def stalled(write):
    """How long (in us) a write of the firmware takes while the host is not reading."""
    board = board_with(f"""
        import sys, time
        sys.stdin.read(1)
        a = time.ticks_us()
        n = {write}
        b = time.ticks_us()
        sys.stdin.read(1)
        print("took", time.ticks_diff(b, a), n)
    """)
    board.start()
    board.usb.read()
    board.usb.reading = False
    board.usb.write(b"1")
    board.run_for(6)
    board.usb.reading = True
    board.usb.read()
    board.usb.write(b"2")
    board.run_for(0.1)
    words = board.usb.read().split(b"took ")[1].split()
    return int(words[0]) / 1e6, words[1].decode()


def test_a_write_that_fits_does_not_stall():
    seconds, count = stalled("sys.stdout.buffer.write(b'x' * 320)")
    assert seconds < 0.001
    assert count == "320"  # the FIFO, and a packet


def test_a_write_nobody_reads_gives_up_half_a_second_after_the_last_progress():
    seconds, count = stalled("sys.stdout.buffer.write(b'x' * 400)")
    # the stream layer asks again for the rest once, and waits as long again
    assert 1.0 <= seconds < 1.01
    assert count == "320"


def test_every_line_of_a_print_may_stall_on_its_own():
    seconds, _ = stalled("print('x' * 400 + '\\n' + 'y')")
    assert 2.0 <= seconds < 2.1


def test_pollout_tells_whether_there_is_room():
    board = board_with("""
        import select, sys, time
        poll = select.poll()
        poll.register(sys.stdout, select.POLLOUT)
        seen = []
        sys.stdin.read(1)
        seen.append(len(poll.poll(0)))
        sys.stdout.buffer.write(b'x' * 320)
        seen.append(len(poll.poll(20)))
        sys.stdin.read(1)
        seen.append(len(poll.poll(0)))
        sys.stdin.read(1)
        print(seen)
    """)
    board.start()
    board.usb.reading = False
    board.usb.write(b"1")
    board.run_for(0.1)
    board.usb.close()
    board.usb.open()
    board.usb.write(b"1")
    board.run_for(0.1)
    board.usb.reading = True
    board.usb.write(b"1")
    board.run_for(0.1)
    assert b"[1, 0, 0]" in board.usb.read()


def test_reading_again_frees_a_stalled_write():
    board = board_with("import sys\nsys.stdin.read(1)\nprint(sys.stdout.buffer.write(b'x' * 400))")
    board.start()
    board.usb.reading = False
    board.usb.write(b"1")
    board.run_for(0.2)
    board.usb.reading = True
    board.run_for(0.01)
    assert board.usb.read().startswith(b"x" * 400 + b"400")


def test_a_closed_port_never_stalls_and_keeps_an_old_packet_and_the_newest_bytes():
    board = board_with("""
        import sys, time
        while True:
            a = time.ticks_ms()
            sys.stdout.buffer.write(b"%04d " % (a // 100) * 20)
            if time.ticks_ms() - a > 2:
                sys.stdout.buffer.write(b"stalled")
            time.sleep_ms(100)
    """)
    board.start()
    board.usb.close()
    board.run_for(1)
    board.usb.read()
    board.run_for(3)
    assert board.usb.read() == b""
    board.usb.open()
    late = board.usb.read()
    assert len(late) == 64 + 256
    assert b"stalled" not in late
    newest = int(late.split()[-1])
    assert abs(newest / 10 - board.now_s) < 0.15
    board.run_for(0.2)
    assert board.usb.read()


def test_what_is_sent_before_the_host_is_there_is_lost():
    board = board_with("print('early')\nimport time\ntime.sleep_ms(600)\nprint('late')")
    board.power_on()
    board.run_for(1)
    text = board.usb.read()
    assert b"early" not in text
    assert b"late" in text


def test_a_hard_reset_takes_the_port_away_for_a_while():
    board = board_with(ECHO)
    board.start()
    board.usb.write(b"a")
    board.run_for(0.01)
    board.reset()
    assert not board.usb.connected
    board.usb.write(b"b")  # a host that waits for the port to come back
    board.run_for(0.1)
    assert board.usb.read() == b"a"
    board.run_for(1)
    assert board.usb.read() == b"b"
    assert board.usb.disconnects == 1


def test_readline_blocks_on_a_partial_line_as_it_does_on_the_port():
    board = board_with("""
        import machine, select, sys
        watchdog = machine.WDT(timeout=400)
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        while True:
            watchdog.feed()
            if poll.poll(10):
                sys.stdin.readline()
    """)
    board.start()
    board.usb.write(b"whole line\n")
    board.run_for(1)
    assert board.resets == 1
    board.usb.write(b"ABC")
    board.run_for(1)
    assert board.resets == 2


def test_text_input_turns_cr_into_newline_and_decodes():
    board = board_with("import sys\nprint(repr(sys.stdin.read(4)), sys.stdin.buffer.read(2))")
    board.start()
    board.usb.write("aé\rb\r\n".encode())
    board.run_for(0.1)
    assert board.usb.read().startswith("'aé\\nb' b'\\r\\n'".encode())
