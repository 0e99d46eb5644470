"""What the commands of commands.py do. Imported for one command and dropped."""

from firmware.core.refused import Refused
from firmware.safety import blackbox, boxtext, config, record
from scpi.errors import quoted

CONFIG = "config"
WRONG_KEYS = 5
LOG_A_LINE = 8
PULSES_A_LINE = 16
EVENTS_A_LINE = 8
CLEARED = (record.CLEARED, 0, 0, 2, "by the clinician's key")

# -- fault log


def count(memory, storage):
    """(records that can be read, records that are damaged)"""
    numbers, lost = storage.store.numbers()
    return len(numbers), lost


def _text(storage, number):
    return record.text(number, storage.store.record(number), storage.store.cause_name)


def one_record(memory, storage, place):
    numbers = storage.store.numbers()[0]
    if place > len(numbers):
        raise Refused(-222, f"record {place} above {len(numbers)}")
    return _text(storage, numbers[place - 1])


def records(memory, storage, first):
    """Up to LOG_A_LINE records from the first-th newest on, each as one string."""
    numbers = storage.store.numbers()[0]
    start = max(first - 1, 0)
    shown = [quoted(_text(storage, n)) for n in numbers[start : start + LOG_A_LINE]]
    return ",".join(shown) or '""'


def clear_log(memory, storage):
    need_key(storage)
    number, severity, channel, state, detail = CLEARED
    snapshot = (
        number, severity, channel, state, detail, storage.uptime_s, 0, storage.wall_s(),
        (0,) * 10, -1,
    )  # fmt: skip
    store = storage.store
    payload = record.packed(snapshot, store.boots, store.reset.cause, store.firmware_crc())
    store.clear_log(payload)


# -- black box


def _box(storage, number):
    """(number, pulses, events, data) of the black box of a log record; 0: the newest there is."""
    store = storage.store
    numbers = [number] if number else store.numbers()[0]
    for one in numbers:
        try:
            data = store.box(one)
        except ValueError as damage:
            raise Refused(-230, f"black box of record {one} is damaged: {damage}")
        if data:
            belongs_to, pulses, events = boxtext.head(data)
            if belongs_to == one:
                return one, pulses, events, data
    raise Refused(-224, f"no black box of record {number}" if number else "no black box")


def box(memory, storage, number):
    """(the log record it belongs to, pulses in it, events in it)"""
    one, pulses, events, _ = _box(storage, number)
    return one, min(pulses, blackbox.PULSES), min(events, blackbox.EVENTS)


def box_pulses(memory, storage, number, first):
    """Pulses, newest first, from the first-th on: time ms, channel, level, width, plus, minus."""
    _, pulses, _, data = _box(storage, number)
    return quoted(";".join(boxtext.pulses(data, pulses, max(first, 1), PULSES_A_LINE)))


def box_events(memory, storage, number, first):
    """Events, newest first, from the first-th on: time ms, kind, what."""
    _, _, events, data = _box(storage, number)
    return quoted(";".join(boxtext.events(data, events, max(first, 1), EVENTS_A_LINE)))


# -- configuration


def _stored(storage):
    """The values as they are stored; defaults while they are lost."""
    return config.load(storage.store)[0] or config.defaults()


def _edited(memory, storage):
    return memory.edit if memory.edit is not None else _stored(storage)


def line_count(memory, storage):
    return len(list(config.lines(config.defaults())))


def line(memory, storage, place):
    """The place-th line of the configuration as text, changes that are not saved included."""
    shown = list(config.lines(_edited(memory, storage)))
    if place > len(shown):
        raise Refused(-222, f"line {place} above {len(shown)}")
    return quoted(shown[place - 1])


def value(memory, storage, name):
    values = _edited(memory, storage)
    if name == config.CODE or name not in values:
        raise Refused(-224, f"no field {name[:30]}")
    return values[name]


def assign(memory, storage, text):
    """Change one field by its line; nothing is in force before it is saved."""
    if text.startswith("rheobase-config "):
        return
    name, value = config.assignment(text)
    if name == config.CODE:
        raise Refused(-224, "the code is set with SYSTem:KEY:NEW")
    if _edited(memory, storage)[name] == value:
        return
    if config.is_clinicians(name):
        need_key(storage)
    if memory.edit is None:
        memory.edit = _stored(storage)
    memory.edit[name] = value


def save(memory, storage):
    """Write what was changed, both copies; then it is in force."""
    if storage.trouble.startswith("configuration"):
        raise Refused(-221, storage.trouble + "; restore it first")
    if memory.edit is not None:
        config.check(memory.edit)
        storage.store.save(CONFIG, config.text(memory.edit).encode())
        _use(memory, storage, memory.edit)


def _use(memory, storage, values):
    storage.use(config.numbers(values))
    memory.edit = None
    memory.stimulator.configured()


def revert(memory, storage):
    memory.edit = None


def restore(memory, storage):
    """Every field at its default; the clinician's key is asked for unless it is lost."""
    lost = storage.trouble.startswith("configuration")
    if not lost:
        need_key(storage)
    values = config.defaults()
    if not lost:
        values[config.CODE] = _stored(storage)[config.CODE]
    storage.store.save(CONFIG, config.text(values).encode())
    storage.trouble = ""
    _use(memory, storage, values)


def state(memory, storage):
    return quoted(storage.trouble or "good")


# -- the clinician's key


def need_key(storage):
    """Refused (-203) unless the clinician's key was given."""
    if not storage.unlocked:
        with_code = "give it" if _stored(storage)[config.CODE] else "set one with SYSTem:KEY:NEW"
        raise Refused(-203, "needs the clinician's key: " + with_code)


def unlock(memory, storage, key):
    """Open what is the clinician's; after WRONG_KEYS wrong keys not before the power was cut."""
    code = _stored(storage)[config.CODE]
    if not code:
        raise Refused(-221, "no key is set: set one with SYSTem:KEY:NEW")
    reset = storage.store.reset
    wrong = reset.wrong_keys()
    if wrong >= WRONG_KEYS:
        raise Refused(-203, f"{WRONG_KEYS} wrong keys: cut the power first")
    reset.count_wrong_keys(wrong + 1)  # counted before it is looked at, whatever comes
    if not config.fits(key, code):
        storage.unlocked = False
        raise Refused(-203, f"wrong key, {WRONG_KEYS - 1 - wrong} left")
    reset.count_wrong_keys(0)
    storage.unlocked = True


def new_key(memory, storage, key):
    """Set the first key, or another one once the old one was given."""
    values = _stored(storage)
    if values[config.CODE]:
        need_key(storage)
    if storage.trouble.startswith("configuration"):
        raise Refused(-221, storage.trouble + "; restore it first")
    values[config.CODE] = config.code_of(key, storage.store.random(8))
    storage.store.save(CONFIG, config.text(values).encode())
    if memory.edit is not None:
        memory.edit[config.CODE] = values[config.CODE]
    storage.unlocked = True


def lock(memory, storage):
    storage.unlocked = False


def is_open(memory, storage):
    return storage.unlocked


# -- the clock


def set_clock(memory, storage, unix_s):
    storage.set_clock(unix_s)


def clock(memory, storage):
    return storage.wall_s()
