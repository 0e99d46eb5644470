"""Time on the tape: whole turns of two system clocks (16 ns at 125 MHz)."""

CLOCKS_PER_TURN = 2


class Grid:
    """Converts times to turns; made once from the chip's clock.

    Raises ValueError for a clock in which a millisecond is no whole number of turns.
    """

    def __init__(self, clock_hz):
        if clock_hz % (CLOCKS_PER_TURN * 1000):
            raise ValueError(f"a clock of {clock_hz} Hz has no whole turns in 1 ms")
        self.clock_hz = clock_hz
        self.turns_per_ms = clock_hz // (CLOCKS_PER_TURN * 1000)

    def turns(self, time_ns):
        """The grid value nearest to a time in ns (half a turn goes up)."""
        return (time_ns * self.turns_per_ms + 500_000) // 1_000_000

    def turns_up(self, time_ns):
        """The least whole number of turns that is no shorter than a time in ns."""
        return -((-time_ns * self.turns_per_ms) // 1_000_000)

    def period(self, rate_mhz):
        """The period of a rate in mHz, exactly: (whole turns, remainder, of how many).

        Pulse k of a train starts k * (whole + remainder / of) turns after it, rounded down.
        """
        turns = self.turns_per_ms * 1_000_000
        # Not divmod: MicroPython's, of a long integer, returns long ones.
        return turns // rate_mhz, turns % rate_mhz, rate_mhz
