"""How time passes for the firmware, and what interrupts it meanwhile."""

import pytest
from board_rig import BOOT_S, MS, US, board_with, printed_lines

from rheobase.sim.errors import FirmwareCrash


def started(main, **options):
    board = board_with(main, **options)
    board.power_on()
    board.run_for(BOOT_S)
    board.edges.clear()
    return board


def rises(board, pin):
    """Clocks at which a pin went up."""
    before = 0
    found = []
    for clock, levels in board.edges:
        if levels & ~before & 1 << pin:
            found.append(clock)
        before = levels
    return found


def test_python_takes_no_time_but_calls_do():
    lines = printed_lines("""
        import time, machine
        pin = machine.Pin(3, machine.Pin.OUT)
        a = time.ticks_us()
        total = sum(i * i for i in range(10000))
        b = time.ticks_us()
        for _ in range(100):
            pin.value(1)
        c = time.ticks_us()
        print(b - a, c - b)
    """)
    assert lines == ["2 272"]


def test_a_loop_that_only_looks_at_the_clock_makes_progress_and_is_interrupted():
    board = started("""
        import machine, time
        out = machine.Pin(4, machine.Pin.OUT)
        edge = machine.Pin(3, machine.Pin.IN)
        edge.irq(lambda p: out.value(1), machine.Pin.IRQ_RISING, hard=True)
        begin = time.ticks_us()
        while time.ticks_diff(time.ticks_us(), begin) < 500_000:
            pass
    """)
    board.drive(3, 1)
    clock = board.now
    board.run_for(0.01)
    (rise,) = rises(board, 4)
    assert rise - clock < 150 * US


@pytest.mark.parametrize("hard", [True, False])
def test_an_edge_while_sleeping_is_handled_at_once(hard):
    board = started(f"""
        import machine, time
        out = machine.Pin(4, machine.Pin.OUT)
        edge = machine.Pin(3, machine.Pin.IN)
        edge.irq(handler=lambda p: out.value(p.value()), hard={hard})
        while True:
            time.sleep_ms(1000)
    """)
    for _ in range(3):
        board.run_for(0.0317)
        clock = board.now
        board.drive(3, 1)
        board.run_for(0.001)
        board.drive(3, 0)
        board.run_for(0.001)
        assert 0 < rises(board, 4)[-1] - clock < (30 if hard else 70) * US
    assert len(rises(board, 4)) == 3


@pytest.mark.parametrize("offset_us", [100, 900])
def test_a_sleep_that_is_interrupted_counts_whole_ticks(offset_us):
    """Measured on a genuine image: a sleep of 1 ms took 0.35 ms once, and 1.8 ms once."""
    board = board_with("""
        import machine, time
        machine.Pin(3, machine.Pin.IN).irq(lambda p: None, hard=True)
        out = machine.Pin(4, machine.Pin.OUT)
        time.sleep_ms(500)
        while time.ticks_us() % 1000 > 10:
            time.sleep_us(5)
        time.sleep_us(700)
        out(1)
        time.sleep_ms(1)
        out(0)
    """)
    board.power_on()
    board.run_while(lambda: not board.level(4), 2.0, 1e-5)
    board.run_for(offset_us / 1e6)
    board.drive(3, 1)
    board.run_for(0.01)
    (rise, _), (fall, _) = [edge for edge in board.edges if edge[0] > 100 * MS][-3::2]
    taken = (fall - rise) / US
    # woken before the tick it waits for it begins anew, woken after it is through
    expected = offset_us + 1000 if offset_us < 300 else offset_us
    assert abs(taken - expected) < 60


def test_a_soft_handler_waits_for_the_scheduler_and_a_hard_one_does_not():
    board = started("""
        import machine, micropython, time
        soft, hard = machine.Pin(4, machine.Pin.OUT), machine.Pin(5, machine.Pin.OUT)
        machine.Pin(2, machine.Pin.IN).irq(lambda p: soft.value(1), machine.Pin.IRQ_RISING)
        machine.Pin(3, machine.Pin.IN).irq(lambda p: hard.value(1), machine.Pin.IRQ_RISING, True)

        def slow(_):
            end = time.ticks_add(time.ticks_ms(), 20)
            while time.ticks_diff(end, time.ticks_ms()) > 0:
                time.sleep_ms(1)

        time.sleep_ms(20)
        micropython.schedule(slow, 0)
        time.sleep_ms(1000)
    """)
    board.run_for(0.01)
    clock = board.now
    board.drive(2, 1)
    board.drive(3, 1)
    board.run_for(0.05)
    assert rises(board, 5)[0] - clock < 150 * US
    assert 10 * MS < rises(board, 4)[0] - clock < 21 * MS


def test_disabled_interrupts_are_kept_and_come_later():
    board = started("""
        import machine, time
        out = machine.Pin(4, machine.Pin.OUT)
        hits = []
        edge = machine.Pin(3, machine.Pin.IN)
        edge.irq(lambda p: hits.append(p.irq().flags()), hard=True)
        state = machine.disable_irq()
        time.sleep_us(900)
        time.sleep_us(900)
        machine.enable_irq(state)
        out.value(len(hits))
        time.sleep_ms(500)
        print(hits)
    """)
    board = board_with(board.flash.files["/main.py"].decode())
    board.power_on()
    board.run_until(board.clocks(0.0355))
    board.drive(3, 1)
    board.run_for(0.0001)
    board.drive(3, 0)
    board.run_for(0.0005)
    assert board.level(4) == 0
    board.run_for(0.01)
    assert board.level(4) == 1
    board.run_for(1)
    assert b"[12]" in board.usb.read()  # both edges, one call


def test_the_schedule_queue_holds_eight():
    lines = printed_lines("""
        import micropython, machine, time
        done = []
        state = machine.disable_irq()
        try:
            for i in range(20):
                micropython.schedule(done.append, i)
        except RuntimeError as e:
            print(i, e)
        print(done)
        machine.enable_irq(state)
        time.sleep_ms(1)
        print(done)
    """)
    assert lines == ["8 schedule queue full", "[]", "[0, 1, 2, 3, 4, 5, 6, 7]"]


def test_a_soft_interrupt_is_lost_when_the_queue_is_full():
    board = started("""
        import machine, micropython, time
        count = 0

        def hit(p):
            global count
            count += 1

        machine.Pin(3, machine.Pin.IN).irq(hit, machine.Pin.IRQ_RISING)
        micropython.schedule(lambda _: time.sleep_ms(50), 0)
        time.sleep_ms(600)
        print(count)
    """)
    for _ in range(20):
        board.drive(3, 1)
        board.run_for(0.0005)
        board.drive(3, 0)
        board.run_for(0.0005)
    board.run_for(1)
    assert b"8\r\n" in board.usb.read()


def test_a_callback_that_schedules_itself_leaves_time_for_others():
    lines = printed_lines("""
        import micropython, time
        count = 0

        def again(_):
            global count
            count += 1
            micropython.schedule(again, 0)

        micropython.schedule(again, 0)
        time.sleep_ms(10)
        print(100 < count < 300)
        raise SystemExit if False else KeyboardInterrupt
    """)
    assert lines[0] == "True"


def test_an_exception_in_a_hard_handler_disables_it():
    board = board_with("""
        import machine, time
        machine.Pin(3, machine.Pin.IN).irq(lambda p: 1 // 0, hard=True)
        time.sleep_ms(500)
        print("alive")
        while True:
            time.sleep_ms(100)
    """)
    board.start()
    board.drive(3, 1)
    with pytest.raises(FirmwareCrash) as caught:
        board.run_for(0.1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    board.drive(3, 0)
    board.run_for(1)
    text = board.usb.read()
    assert b"Uncaught exception in IRQ callback handler" in text
    assert b"alive" in text
    assert len(board.crashes) == 1


def test_an_exception_in_a_scheduled_callback_is_printed_and_the_rest_goes_on():
    board = board_with("""
        import micropython, time
        time.sleep_ms(500)
        micropython.schedule(lambda _: {}[1], 0)
        time.sleep_ms(10)
        print("alive")
    """, raise_crashes=False)
    board.power_on()
    board.run_for(0.7)
    text = board.usb.read()
    assert b"KeyError" in text
    assert b"alive" in text
    assert isinstance(board.crash.__cause__, KeyError)


@pytest.mark.parametrize("hard", [True, False])
def test_a_periodic_timer_does_not_drift(hard):
    board = started(f"""
        import machine, time
        pin = machine.Pin(4, machine.Pin.OUT)
        timer = machine.Timer(period=7, callback=lambda t: pin.toggle(), hard={hard})
        while True:
            time.sleep_ms(50)
    """)
    board.run_for(1.0)
    clocks = [clock for clock, _ in board.edges]
    assert len(clocks) in (142, 143)
    first = clocks[0]
    for number, clock in enumerate(clocks):
        assert abs(clock - first - number * 7 * MS) < 60 * US


def test_timers_by_frequency_once_stopped_and_dropped():
    lines = printed_lines("""
        import machine, time
        hits = []
        a = machine.Timer(freq=100, callback=lambda t: hits.append("a"))
        b = machine.Timer(-1, mode=machine.Timer.ONE_SHOT, period=5,
                          callback=lambda t: hits.append("b"))
        machine.Timer(period=1, callback=lambda t: hits.append("dropped"))
        time.sleep_ms(35)
        a.deinit()
        time.sleep_ms(100)
        print(hits)
        b.init(mode=machine.Timer.ONE_SHOT, period=5000, tick_hz=1_000_000, callback=hits.append)
        time.sleep_ms(10)
        print(len(hits), hits[-1] is b)
    """)
    assert lines == ["['b', 'a', 'a', 'a']", "5 True"]


def test_adc_reads_the_bench_and_takes_time():
    class Bench:
        watched = 0
        connect = reset = pins_changed = pwm_changed = lambda *args: None

        def adc_volts(self, clock, pin):
            return {26: 0.0, 27: 1.65, 28: 3.3}[pin]

    lines = printed_lines(
        """
        import machine, time
        a = time.ticks_us()
        values = [machine.ADC(machine.Pin(p)).read_u16() for p in (26, 27, 28)]
        b = time.ticks_us()
        print(values, 3 * 8 < b - a < 100)
        print(machine.ADC(1), machine.ADC(machine.ADC.CORE_TEMP).read_u16())
        """,
        bench=Bench(),
    )
    assert lines == ["[0, 32776, 65535] True", "<ADC channel=1> 14019"]


def test_free_running_adc_into_a_ring_by_dma():
    class Bench:
        watched = 0
        connect = reset = pins_changed = pwm_changed = lambda *args: None

        def adc_volts(self, clock, pin):
            return (0.5, 1.0, 1.5)[pin - 26]

    lines = printed_lines(
        """
        import machine, rp2, time
        from array import array
        ADC = 0x4004C000
        mem32 = machine.mem32
        for pin in (26, 27, 28):
            machine.ADC(machine.Pin(pin))
        ring = array("H", [0] * 8)
        dma = rp2.DMA()
        dma.config(read=ADC + 0x0C, write=ring, count=1000,
                   ctrl=dma.pack_ctrl(size=1, inc_read=False, ring_size=4, ring_sel=True,
                                      treq_sel=36))
        mem32[ADC + 8] = 1 << 24 | 8 | 1
        mem32[ADC + 0x10] = (480 - 1) << 8
        mem32[ADC] = 7 << 16 | 8 | 1
        dma.active(1)
        time.sleep_us(20 * 10 + 5)
        print(1000 - dma.count)
        time.sleep_ms(1)
        mem32[ADC] = 1
        print(sorted(set(ring)))
        """,
        bench=Bench(),
    )
    assert lines[1] == str([int(v / 3.3 * 4096) for v in (0.5, 1.0, 1.5)])
    assert 20 <= int(lines[0]) <= 23


def test_dma_interrupts_reach_their_handler():
    lines = printed_lines("""
        import rp2, time
        source, target = bytearray(b"hello"), bytearray(5)
        dma = rp2.DMA()
        hits = []
        dma.irq(lambda d: hits.append(d.channel), hard=True)
        for quiet in (True, False):
            dma.config(read=source, write=target, count=5, trigger=True,
                       ctrl=dma.pack_ctrl(size=0, irq_quiet=quiet))
            time.sleep_ms(1)
            print(hits, bytes(target), dma.active())
    """)
    assert lines == ["[] b'hello' False", "[0] b'hello' False"]


def test_flash_writes_stall_the_processor_and_its_interrupts():
    board = started("""
        import machine, time
        out = machine.Pin(4, machine.Pin.OUT)
        machine.Pin(3, machine.Pin.IN).irq(lambda p: out.value(1), hard=True)
        time.sleep_ms(100)
        with open("data", "wb") as f:
            f.write(bytes(4096))
        time.sleep_ms(100)
    """)
    board.run_for(0.1 - 0.01)
    board.drive(3, 1)
    board.run_for(0.02)
    out = rises(board, 4)
    board = started(board.flash.files["/main.py"].decode())
    board.run_for(0.1)
    clock = board.now
    board.drive(3, 1)
    board.run_for(0.1)
    late = rises(board, 4)
    assert len(out) == len(late) == 1
    assert late[0] - clock > 20 * MS
