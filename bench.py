"""The output stage by hand, at Python's prompt: Ctrl-C, then `import bench`, then bench.help().

Everything goes through the firmware's own stimulator, so that every word is inspected and every
limit holds. The output is locked until `unlock()`, and off after each call, however it ends.
Ctrl-C is the stop. Nothing is loaded or kept before the first use.
"""

import gc
import time

import machine

CLIMB_MS = 520  # between two steps of the intensity upward
STEP_UA = 1000
BUTTON_MS = 20_000  # for a person to try the stop button
WATCHDOG_CTRL = 0x40058000  # RP2040 datasheet 4.7.6
WATCHDOG_ON = 30  # bit of it
WATCHDOG_MS = 5000
FEED_MS = 200
ADC_READS = 64
TEST_MS = 3000  # the self-test and an arming take less

_app = None
_feeder = None
_unlocked = False


class Locked(Exception):
    """The output is asked for before `unlock()`."""


def help():
    """What there is."""
    print(
        "bench.unlock()                      allow output; only into a dummy load\n"
        "bench.pulse(channel, width_us=200, rate_hz=50, current_ma=1, seconds=5, gap_us=100)\n"
        "                                    biphasic pulses; the time counts at full current\n"
        "bench.legs(current_ma=1)            each channel in turn, slowly, to find its wires\n"
        "bench.sense()                       what the sense inputs and the supply read\n"
        "bench.supply()                      supply voltage: now, and after half a second on\n"
        "bench.trip()                        trip line and buttons; clears the latch\n"
        "bench.lock()                        no more output\n"
        "Everything is off after each call. Ctrl-C stops. machine.reset() starts the firmware."
    )


def unlock():
    """Allow output until `lock()` or the next reset."""
    global _unlocked
    _unlocked = True
    print("output unlocked: only into a dummy load, never to a person")


def lock():
    """No more output until `unlock()`."""
    global _unlocked
    _unlocked = False
    if _app:
        _app.stimulator.stop()


def pulse(channel, width_us=200, rate_hz=50, current_ma=1, seconds=5, gap_us=100):
    """Biphasic pulses on channel 1 or 2, raised 1 mA at a time, twice a second.

    Returns (pulses, lowest supply voltage). Raises Locked, or Refused with value and limit.
    """
    if channel not in (1, 2):
        raise ValueError("channel {}: there are 1 and 2".format(channel))
    stimulator = _ready(True)
    target_ua = int(current_ma * 1000)
    try:
        stimulator.reset()
        stimulator.update(
            stimulator.channels[channel - 1],
            {
                "enabled": 1,
                "width_ns": int(width_us * 1000),
                "gap_ns": int(gap_us * 1000),
                "rate_mhz": int(rate_hz * 1000),
                "ramp_up_ms": 0,
                "ramp_down_ms": 0,
                "on_ms": 0,
                "off_ms": 0,
                "pad_mm2": stimulator.channels[channel - 1].pad_mm2,
            },
        )
        steps = target_ua // STEP_UA + 2
        session_ms = int(seconds * 1000) + steps * CLIMB_MS
        stimulator.update(
            stimulator.session, {"duration_ms": session_ms + 1000, "standalone": 1}
        )
        most_ua, why = stimulator.ceiling(channel - 1)
        if target_ua > most_ua:
            raise ValueError("{} uA above {} uA: {}".format(target_ua, most_ua, why))
        _arm(stimulator)
        stimulator.start()
        for ua in range(STEP_UA, target_ua, STEP_UA):
            stimulator.set_lock(False)
            stimulator.set_current(channel - 1, ua)
            _run(stimulator, CLIMB_MS)
        stimulator.set_lock(False)
        stimulator.set_current(channel - 1, target_ua)
        lowest_v = _run(stimulator, int(seconds * 1000))
        pulses = stimulator.pulses(channel - 1)
    finally:
        stimulator.stop()
    return pulses, lowest_v


def legs(current_ma=1):
    """Each channel for two seconds: 1 ms plus leg, 1 ms minus leg, five times a second."""
    base = _ready(True).board.LEGS_BASE
    for channel in (1, 2):
        plus = base + 2 * (channel - 1)
        print("channel {}: GP{} high for 1 ms, then GP{}".format(channel, plus, plus + 1))
        pulse(channel, 1000, 5, current_ma, 2)


def sense():
    """Volts at both sense inputs, averaged, and the supply's; at rest the middle of the range."""
    board = _ready(False).board
    volts = []
    for pin in board.SENSE:
        adc = machine.ADC(machine.Pin(pin))
        total = 0
        for _ in range(ADC_READS):
            total += adc.read_u16()
        volts.append(round(total * 3.3 / (65535 * ADC_READS), 3))
    print("sense 1 {} V, sense 2 {} V".format(*volts))
    return volts


def supply():
    """(volts now, volts after half a second of heartbeat); the legs stay low. Needs `unlock()`."""
    stimulator = _ready(True)
    outputs = stimulator.outputs
    before = stimulator.supply_v()
    try:
        for _ in range(25):
            outputs.beat()
            time.sleep_ms(20)
        after = stimulator.supply_v()
    finally:
        stimulator.stop()
        outputs.supply_off()
    print("supply {} V off, {} V on".format(before, after))
    return before, after


def trip():
    """(trip line, stop button, foot switch), after a try to clear the latch; 1 is high."""
    stimulator = _ready(False)
    outputs = stimulator.outputs
    before = outputs.trip()
    outputs.clear_latch()
    time.sleep_ms(1)
    after = outputs.trip()
    foot = machine.Pin(stimulator.board.FOOT_SWITCH, machine.Pin.IN, machine.Pin.PULL_UP).value()
    pressed = outputs.stop_pressed()
    print(
        "trip line {}{}; stop button {}; foot switch {}".format(
            "high" if after else "low",
            " (was high: the latch was set)" if before and not after else "",
            "pressed or missing" if pressed else "closed",
            "open" if foot else "closed",
        )
    )
    return int(after), int(pressed), foot


def _ready(output):
    """The stimulator, made at the first use; the watchdog fed from then on."""
    global _app
    if output and not _unlocked:
        raise Locked("the output is locked: bench.unlock() first")
    _keep_alive()
    if _app is None:
        gc.collect()
        from firmware import app

        _app = app.last  # interrupted by Ctrl-C: there are not DMA channels for a second one
        if _app is None:
            from firmware.boards import pico_reference

            _app = app.App(pico_reference)
            _app.stimulator.boot()
    stimulator = _app.stimulator
    _settle(stimulator)
    if output:
        if stimulator.fault.number:
            stimulator.clear_fault()
            _settle(stimulator)
        stimulator.outputs.clear_latch()
    return stimulator


def _settle(stimulator):
    """Let a self-test or an arming come to its end."""
    began_ms = time.ticks_ms()
    while stimulator.busy():
        if time.ticks_diff(time.ticks_ms(), began_ms) > TEST_MS:
            raise OSError("the self-test was interrupted: machine.reset(), Ctrl-C 3 s later")
        stimulator.step()
        time.sleep_ms(1)


def _keep_alive():
    """A chip watchdog that the firmware has armed can't be disarmed: feed it from a timer."""
    global _feeder
    if _feeder is None and machine.mem32[WATCHDOG_CTRL] >> WATCHDOG_ON & 1:
        watchdog = machine.WDT(timeout=WATCHDOG_MS)
        _feeder = machine.Timer(-1, period=FEED_MS, callback=lambda _: watchdog.feed())


def _arm(stimulator):
    approval = stimulator.approval
    approval.acknowledge(approval.checklist())  # nobody is connected here
    if not approval.tried():
        print("press and release the stop button")
        began_ms = time.ticks_ms()
        while not approval.tried():
            approval.look(stimulator.outputs.stop_pressed())
            if time.ticks_diff(time.ticks_ms(), began_ms) > BUTTON_MS:
                raise OSError("the stop button was not tried")
            time.sleep_ms(1)
        time.sleep_ms(20)
    stimulator.arm(approval.hash())
    _settle(stimulator)
    if stimulator.fault.number:
        raise OSError("not armed: " + stimulator.fault.text())
    if stimulator.refusal:
        raise OSError("not armed: " + stimulator.refusal)


def _run(stimulator, duration_ms):
    """Keep the tape full for this long; the lowest supply voltage seen meanwhile."""
    began_ms = time.ticks_ms()
    lowest_v = stimulator.supply_v()
    while time.ticks_diff(time.ticks_ms(), began_ms) < duration_ms:
        _step(stimulator)
        lowest_v = min(lowest_v, stimulator.supply_v())
    return lowest_v


def _step(stimulator):
    stimulator.step()
    if stimulator.fault.number:
        raise OSError("stopped: " + stimulator.fault.text())
    time.sleep_ms(1)
