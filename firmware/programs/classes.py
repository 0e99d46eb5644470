"""What a program's class allows (SR-08, SR-16, SR-17): the validator of every load and store.

Used on the device (imported when needed and then dropped) and on the host.
"""

from firmware.core.limits import limit
from firmware.core.refused import Refused
from firmware.core.settings import ALTERNATING, INDEPENDENT, OVERLAPPED, SIMULTANEOUS, words_of

NMES, TENS, FES, TEST, MANUAL = "NMES", "TENS", "FES", "TEST", "MAN"
MODES = (NMES, TENS, FES, TEST, MANUAL)

# mode: what the device is being used as. contraction: muscles contract and must rest. ramp_ms:
# least ramp of a tetanic rate. minutes: longest session. ceiling_ua: highest ceiling.
COLUMNS = ("mode", "contraction", "ramp_ms", "minutes", "ceiling_ua")
CLASSES = {
    "strength": (NMES, True, 500, 60, 120_000),
    "endurance": (NMES, True, 500, 60, 100_000),
    "atrophy": (NMES, True, 500, 60, 100_000),
    "relief": (NMES, True, 200, 240, 100_000),
    "spasm": (NMES, False, 500, 60, 60_000),
    "recovery": (NMES, False, 500, 60, 60_000),
    "TENS": (TENS, False, 500, 240, 80_000),
    "FES": (FES, True, 100, 60, 100_000),
    "test": (TEST, False, 0, 60, 100_000),
}

REST_MS = 1_000  # FDA guidance 1999: at least 1 s of relaxation between contractions
CONTRACTION_MOST_MS = 60_000  # a plateau; more would be continuous (project choice)
TETANIC_MHZ = 20_000  # above it twitches fuse and a ramp is needed (project choice)
RATE_MOST_MHZ = 150_000  # SR-16
WIDTH_MOST_NS = 500_000  # SR-16; the test class up to the limit of the output
CARRIER_NS = (200_000, 1_000_000)  # SR-16: 5 to 1 kHz
WALK_MINUTES = 240  # SR-33
WALK_MOST_MS = 3_000  # SR-32: longest output for one step
WALKING = (2, 3)  # triggers: heel, phases


def mode_of(program):
    """NMES, TENS, FES or TEST; Refused (-224) for a class that there is not."""
    return _rules(program)[0]


def check(program):
    """Refused (-221, -222) with the first thing that the program's class does not allow.

    What fits what is the plan's to say.
    """
    mode, contraction, ramp_ms, minutes, ceiling_ua = _rules(program)
    session = program.session
    trigger = session["trigger"]
    if trigger and mode != FES:
        raise _no(program, f"trigger {words_of('trigger')[trigger].lower()} outside of FES")
    if trigger in WALKING:
        minutes = WALK_MINUTES
        if session["timeout_ms"] > WALK_MOST_MS:
            raise _no(program, f"time-out {session['timeout_ms']} ms above {WALK_MOST_MS} ms")
    if session["duration_ms"] > minutes * 60_000:
        raise _no(program, f"length {session['duration_ms']} ms above {minutes} min")
    for i in (0, 1):
        c = program.channels[i]
        if c is None:
            continue
        where = f"channel {i + 1}: "
        _output(program, where, c, mode, ceiling_ua)
        _ramps(program, where, c, ramp_ms)
        if contraction and not trigger:
            _rest(program, where, i)
    for name in ("warm", "cool"):
        if session[name + "_ms"] and session[name + "_rate_mhz"] > TETANIC_MHZ:
            raise _no(program, f"{name} rate {session[name + '_rate_mhz']} mHz above "
                      f"{TETANIC_MHZ} mHz: it has no rests")


def _rules(program):
    rules = CLASSES.get(program.head["class"])
    if rules is None:
        raise Refused(-224, f"class {program.head['class']} is none of {', '.join(CLASSES)}")
    return rules


def _no(program, text):
    return Refused(-221, f"class {program.head['class']}: {text}")


def _output(program, where, c, mode, ceiling_ua):
    most_ns = limit("width_max_ns") if mode == TEST else WIDTH_MOST_NS
    for name in ("width_ns", "width_to_ns"):
        if c[name] > most_ns:
            raise _no(program, f"{where}{name} {c[name]} above {most_ns}")
    for name in ("rate_mhz", "rate_to_mhz", "rest_rate_mhz"):
        if c[name] > RATE_MOST_MHZ:
            raise _no(program, f"{where}{name} {c[name]} above {RATE_MOST_MHZ}")
    if c["count"] > 1 and CARRIER_NS[1] < c["interval_ns"] < 2_000_000:
        raise _no(program, f"{where}interval_ns {c['interval_ns']} above {CARRIER_NS[1]}: "
                  "a carrier below 1 kHz")
    if c["limit_ua"] > ceiling_ua:
        raise _no(program, f"{where}ceiling {c['limit_ua']} uA above {ceiling_ua} uA")


def _ramps(program, where, c, ramp_ms):
    rate_mhz = max(c["rate_mhz"], c["rate_to_mhz"] if c["modulation"] else 0)
    if rate_mhz <= TETANIC_MHZ:
        return
    if c["ramp_up_ms"] < ramp_ms:
        raise _no(program, f"{where}ramp up {c['ramp_up_ms']} ms below {ramp_ms} ms")
    if ramp_ms and not c["ramp_down_ms"]:
        raise _no(program, f"{where}no ramp down")


def _rest(program, where, i):
    """The rest between contractions, as the pattern makes it."""
    c = program.channels[i]
    if not c["on_ms"]:
        raise _no(program, where + "contraction without end")
    if c["on_ms"] > CONTRACTION_MOST_MS:
        raise _no(program, f"{where}plateau of {c['on_ms']} ms above {CONTRACTION_MOST_MS} ms")
    off_ms = c["off_ms"]
    other = program.channels[1 - i]
    if program.session["pattern"] == OVERLAPPED and other is not None:
        off_ms = other["ramp_up_ms"] + other["on_ms"] - c["ramp_down_ms"]
    if off_ms < REST_MS:
        raise _no(program, f"{where}rest of {off_ms} ms below {REST_MS} ms")
    if c["block_ms"] and c["pause_ms"] < REST_MS:
        raise _no(program, f"{where}pause of {c['pause_ms']} ms below {REST_MS} ms")
    if c["rest_rate_mhz"] > TETANIC_MHZ:
        raise _no(program, f"{where}rest rate {c['rest_rate_mhz']} mHz above {TETANIC_MHZ} mHz")


def pattern_word(program):
    """SIM, ALT, OVL, IND or TRG, as the tables call it."""
    if program.session["trigger"]:
        return "TRG"
    words = {SIMULTANEOUS: "SIM", ALTERNATING: "ALT", OVERLAPPED: "OVL", INDEPENDENT: "IND"}
    return words[program.session["pattern"]]
