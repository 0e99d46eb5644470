"""What was delivered, in SCPI's words."""

from scpi import format_quantity


class Measured:
    """Answers of the monitor (safety/monitor.py); channels are 1 and 2 here."""

    def __init__(self, monitor):
        self._monitor = monitor

    def current(self, channel):
        return _all(self._monitor.current_ua(channel - 1), 6)

    def rms(self, channel):
        return format_quantity(self._monitor.rms_ua(channel - 1), 6)

    def mean(self, channel):
        return format_quantity(self._monitor.mean_ua(channel - 1), 6)

    def charge(self, channel):
        return _all(self._monitor.charge_nc(channel - 1), 9)

    def net(self, channel):
        return _all(self._monitor.net_nc(channel - 1), 9)

    def direct(self, channel):
        return format_quantity(self._monitor.net_nc(channel - 1)[1], 9)

    def ohm(self, channel):
        return self._monitor.ohm(channel - 1)

    def ledger(self, channel):
        """Pulses measured, charge and net charge of the session."""
        monitor = self._monitor
        return (
            monitor.measured(channel - 1),
            format_quantity(monitor.charge_uc(channel - 1), 6),
            format_quantity(monitor.net_nc(channel - 1)[2], 9),
        )


def _all(values, exponent):
    return tuple([format_quantity(value, exponent) for value in values])
