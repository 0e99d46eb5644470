"""IEEE 488.2 and SCPI-99 status: registers whose summaries end in the status byte.

Not here, and not claimed: transition filters (an event is a condition that rises), service
requests (no line to raise them on), and the parallel poll.
"""

OPERATION_COMPLETE = 1  # standard event status register
POWER_ON = 128

ERROR_AVAILABLE = 4  # status byte
QUESTIONABLE = 8
MESSAGE_AVAILABLE = 16
EVENT_SUMMARY = 32
MASTER_SUMMARY = 64
OPERATION = 128

# Of the standard event status register, by the class of the error.
_EVENTS = b"\x00\x20\x10\x08\x04\x80\x40\x02\x01"


class Register:
    """Condition bits; one that rises is kept as an event until it is read."""

    def __init__(self, event=0):
        self.condition = 0
        self.event = event
        self.enable = 0

    def update(self, condition):
        """Take over what is the case now, fifteen bits."""
        self.event |= condition & ~self.condition & 0x7FFF
        self.condition = condition & 0x7FFF

    def take_event(self):
        event = self.event
        self.event = 0
        return event

    def set_enable(self, mask):
        self.enable = mask & 0x7FFF  # bit 15 is accepted and always reads 0


class Status:
    """All that *STB? sums up, except the queues, which the instrument asks about itself."""

    def __init__(self):
        self.operation = Register()
        self.questionable = Register()
        self.standard = Register(POWER_ON)  # events alone
        self.request_enable = 0

    def note_error(self, code):
        self.standard.event |= 8 if code > 0 else _EVENTS[min(-code // 100, 8)]

    def set_request_enable(self, mask):
        self.request_enable = mask & ~MASTER_SUMMARY

    def clear(self):
        """*CLS: all events; conditions and enables stay."""
        for register in (self.standard, self.operation, self.questionable):
            register.event = 0

    def preset(self):
        """STATus:PRESet."""
        self.operation.enable = self.questionable.enable = 0

    def byte(self, errors, replies):
        """The status byte, `errors` and `replies` telling whether there are any."""
        value = ERROR_AVAILABLE if errors else 0
        if replies:
            value |= MESSAGE_AVAILABLE
        for register, bit in (
            (self.questionable, QUESTIONABLE),
            (self.operation, OPERATION),
            (self.standard, EVENT_SUMMARY),
        ):
            if register.event & register.enable:
                value |= bit
        if value & self.request_enable:
            value |= MASTER_SUMMARY
        return value
