"""Which modules an arming borrows: told by name, so that they are imported from shallow.

Imported for it: the names take memory too.
"""

_FOR_ARMING = (
    "firmware.core.course",
    "firmware.core.fit",
    "firmware.core.plan",
    "firmware.core.room",
    "firmware.core.inspector_rules",
    "firmware.safety.rules",
    "firmware.safety.ceiling",
    "firmware.safety.approving",
    "firmware.safety.selftest",
)
_FOR_TRIGGERS = (
    "firmware.core.held",
    "firmware.core.trigger",
    "firmware.safety.triggered",
    "firmware.safety.trains",
    "firmware.hal.trigger_program",
    "firmware.hal.trigger_rp2",
)


def names(trigger):
    """Of all of them, in the order of import. trigger: the session's, 0 if it has none."""
    return _FOR_ARMING + _FOR_TRIGGERS if trigger else _FOR_ARMING
