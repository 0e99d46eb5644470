"""What safety/storage.py does at boot and after a fault. Imported for one call and dropped."""

from firmware.core.refused import Refused
from firmware.safety import faults

CONFIG = "config"
POWER_UP = 1  # cause of the reset


def opened(storage):
    """Count the boot, read and repair the configuration, recall a critical fault."""
    store = storage.store
    try:
        store.count_boot(store.reset.cause == POWER_UP)
        _load(storage)
        store.save_boot()
    except Refused as refusal:
        storage.trouble = "storage: " + refusal.text
    latched = store.reset.latched()
    if not latched and store.power_boot < store.boots:
        latched = _recalled(store)
    if latched:
        storage.recall(latched)


def _load(storage):
    """Values of the configuration into `storage.numbers`; what is wrong into its trouble."""
    from firmware.safety import config

    store = storage.store
    values, troubles = config.load(store)
    if not values:
        values = config.defaults()
        if store.first:
            store.save(CONFIG, config.text(values).encode())
        else:
            storage.trouble = "configuration lost: " + ", ".join(troubles)
            storage.found.append((faults.CONFIG_LOST, ", ".join(troubles)))
    elif troubles:
        storage.found.append((faults.CONFIG_REPAIRED, ", ".join(troubles)))
    storage.use(config.numbers(values))


def _recalled(store):
    """A critical fault in the log since the last power-up; 0 if none."""
    from firmware.safety import record

    for number in store.numbers()[0]:
        payload = store.record(number)
        if record.is_critical_since(payload, store.power_boot):
            return record.unpacked(payload)[4]
    return 0


def written(storage, pending):
    """Put what waits into the log, and the black box beside it."""
    from firmware.safety import boxtext, record

    store = storage.store
    try:
        firmware = store.firmware_crc()
        for snapshot, with_box in pending:
            payload = record.packed(snapshot, store.boots, store.reset.cause, firmware)
            number = store.append(payload)
            if with_box:
                store.put_box(number, *boxtext.written(storage.box, number))
        if storage.trouble.startswith("log"):
            storage.trouble = ""
    except Refused as refusal:
        if not storage.trouble.startswith("log"):
            storage.found.append((faults.LOG_FULL, refusal.text))
        storage.trouble = "log not written: " + refusal.text
