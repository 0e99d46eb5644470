"""The board's configuration and calibration: what can be set, and its text. Imported when used.

A field is (name, lowest, highest, default, whose, meaning); the ending of a name is its unit.
Fields of a channel end in _1 or _2. The clinician's can be changed only with the clinician's key.
As text: a first line with the schema's version, then `name = value` in the order of the table.
"""

from binascii import hexlify

from firmware.core.limits import limit
from firmware.core.refused import Refused

SCHEMA = 1
USER, CLINICIAN = 0, 1
_HEAD = "rheobase-config "
_PPM = 1_000_000

CHANNEL = (
    ("clinician_ua", 0, limit("peak_ua"), limit("peak_ua"), CLINICIAN,
     "the clinician's ceiling of the channel"),
    ("person_ua", 0, limit("peak_ua"), 30_000, CLINICIAN,
     "ceiling for the person in treatment; 30 mA at first use (SR-09)"),
    ("pad_mm2", 100, 40_000, limit("pad_mm2"), USER, "pad area that *RST sets"),
    ("sensory_ua", 0, limit("peak_ua"), 0, USER, "sensory threshold found last; 0 unknown"),
    ("motor_ua", 0, limit("peak_ua"), 0, USER, "motor threshold found last; 0 unknown"),
    ("sense_zero_ua", -5_000, 5_000, 0, CLINICIAN, "sense amplifier at no current"),
    ("sense_gain_ppm", 800_000, 1_200_000, _PPM, CLINICIAN, "sense amplifier, true over nominal"),
    ("sink_gain_ppm", 800_000, 1_200_000, _PPM, CLINICIAN, "current sink, true over nominal"),
)  # fmt: skip
BOARD = (
    ("supply_gain_ppm", 800_000, 1_200_000, _PPM, CLINICIAN, "supply divider, true over nominal"),
    ("link_fade_ms", 500, limit("link_pause_ms"), limit("link_pause_ms"), USER,
     "silence of the host until the way down (SR-31)"),
    ("link_end_ms", 2_000, limit("link_end_ms"), limit("link_end_ms"), USER,
     "silence of the host until the end (SR-31)"),
)  # fmt: skip
CODE = "code"  # salt and SHA-256 of the clinician's key, 16 and 64 hexadecimal digits; "" for none


def fields():
    """Every field with its full name, in the order of the text."""
    for number in ("_1", "_2"):
        for field in CHANNEL:
            yield (field[0] + number,) + field[1:]
    for field in BOARD:
        yield field


def defaults():
    """Safe values: what a board starts with, and falls back to."""
    values = {field[0]: field[3] for field in fields()}
    values[CODE] = ""
    return values


def lines(values):
    """The lines that anybody may read, and send back: without the code."""
    yield _HEAD + str(SCHEMA)
    for field in fields():
        yield f"{field[0]} = {values[field[0]]}"


def text(values):
    """The whole text, as it is stored."""
    return "\n".join(lines(values)) + f"\n{CODE} = {values[CODE]}\n"


def parse(content):
    """Values of a whole text. Refused (-230) names the line and what is wrong with it."""
    values = {}
    rows = content.split("\n")
    if rows[0] != _HEAD + str(SCHEMA):
        raise Refused(-230, f"line 1: {rows[0][:30]} is not {_HEAD}{SCHEMA}")
    for place in range(1, len(rows)):
        row = rows[place]
        if not row:
            continue
        try:
            name, value = assignment(row)
        except Refused as refusal:
            raise Refused(-230, f"line {place + 1}: {refusal.text}")
        if name in values:
            raise Refused(-230, f"line {place + 1}: {name} again")
        values[name] = value
    for name in defaults():
        if name not in values:
            raise Refused(-230, f"{name} is missing")
    check(values)
    return values


def assignment(line):
    """(name, value) of a line `name = value`. Refused: -224 no such field, -222 out of range."""
    name, equals, shown = line.partition("=")
    name = name.strip()
    shown = shown.strip()
    if name == CODE and equals:
        return name, _code(shown)
    if not equals:
        raise Refused(-224, f"{line[:30]} is not name = value")
    for field in fields():
        if field[0] == name:
            digits = shown[1:] if shown[:1] == "-" else shown
            if not digits.isdigit() or len(digits) > 9:
                raise Refused(-224, f"{name} {shown[:20]} is not a whole number")
            value = int(shown)
            if value < field[1]:
                raise Refused(-222, f"{name} {value} below {field[1]}")
            if value > field[2]:
                raise Refused(-222, f"{name} {value} above {field[2]}")
            return name, value
    raise Refused(-224, f"no field {name[:30]}")


def _code(shown):
    good = len(shown) in (0, 80)
    for letter in shown:
        good = good and letter in "0123456789abcdef"
    if not good:
        raise Refused(-224, "code is not 80 hexadecimal digits")
    return shown


def load(store):
    """(values or None, troubles) of the stored copies; a bad one is repaired."""
    content, troubles = store.load("config")
    if content is not None:
        try:
            return parse(content.decode()), troubles
        except (Refused, ValueError) as refusal:
            troubles.append(str(refusal.args[-1]))
    return None, troubles


def numbers(values):
    """The values in the order of `fields`."""
    return [values[field[0]] for field in fields()]


def check(values):
    """What fields ask of each other. Refused (-221) names both."""
    for number in ("_1", "_2"):
        person, clinician = "person_ua" + number, "clinician_ua" + number
        if values[person] > values[clinician]:
            raise Refused(-221, f"{person} {values[person]} above {clinician} {values[clinician]}")
    if values["link_end_ms"] <= values["link_fade_ms"]:
        raise Refused(-221, f"link_end_ms {values['link_end_ms']} not above link_fade_ms")


def is_clinicians(name):
    """Whether a field needs the clinician's key."""
    for field in fields():
        if field[0] == name:
            return field[4] == CLINICIAN
    return True


# -- the clinician's key


def code_of(key, salt):
    """What is stored of a key (4 to 32 characters). salt: 8 random bytes."""
    from hashlib import sha256

    if not 4 <= len(key) <= 32:
        raise Refused(-224, f"key of {len(key)} characters, not 4 to 32")
    return (hexlify(salt) + hexlify(sha256(salt + key.encode()).digest())).decode()


def fits(key, code):
    """Whether a key is the stored one; takes the same time wherever they differ."""
    from binascii import unhexlify
    from hashlib import sha256

    digest = hexlify(sha256(unhexlify(code[:16]) + key.encode()).digest()).decode()
    different = 0
    for i in range(64):
        different |= ord(digest[i]) ^ ord(code[16 + i])
    return different == 0
