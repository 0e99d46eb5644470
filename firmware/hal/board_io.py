"""The board's switches and lines beside the tape: trip, stop button, latch, supply, light."""

import machine

ADC_FULL = 65535
ADC_MV = 3300


class BoardIO:
    """Inputs and outputs of a board as plain calls; everything safe after construction."""

    def __init__(self, board):
        self._board = board
        pin = machine.Pin
        self._trip = pin(board.TRIP, pin.IN, pin.PULL_UP)
        self._stop = pin(board.STOP_BUTTON, pin.IN, pin.PULL_UP)
        self._foot = pin(board.FOOT_SWITCH, pin.IN, pin.PULL_UP)
        self._clear = pin(board.LATCH_CLEAR, pin.OUT, value=0)
        self._supply = pin(board.SUPPLY_ENABLE, pin.OUT, value=0)
        self._led = pin(board.LED, pin.OUT, value=0)
        self._trip_test = pin(board.TRIP_TEST, pin.OUT, value=0)
        self._supply_sense = machine.ADC(pin(board.SUPPLY_SENSE))
        self._high = 0
        self.supply_ppm = 1_000_000  # the divider, true over nominal

    def trip(self):
        """Whether the trip line is high: over-current, stop button or an open wire."""
        return self._trip.value() == 1

    def stop_pressed(self):
        """Whether the stop button is pressed, or missing."""
        return self._stop.value() == 1

    def button(self):
        """Whether the trigger input is closed: the hand button, the foot switch."""
        return self._foot.value() == 0

    def inputs(self):
        """Both at once: 1 for the trip line, 2 for the stop button."""
        return self._trip.value() | self._stop.value() << 1

    def clear_latch(self):
        """Pulse the board's latch; it stays set while its cause lasts."""
        self._clear.value(1)
        self._clear.value(0)

    def trip_test(self, on):
        """Have the comparators trip as over-current would (1), or let them be (0)."""
        self._trip_test.value(on)

    def beat(self):
        """One edge of the heartbeat that keeps the supply on."""
        self._high ^= 1
        self._supply.value(self._high)
        self._led.value(1)

    def supply_off(self):
        """No more heartbeat, light off."""
        self._high = 0
        self._supply.value(0)
        self._led.value(0)

    def supply_v(self):
        """The supply's voltage by its divider."""
        divider = self._board.SUPPLY_DIVIDER * self.supply_ppm // 1000
        return self.analog_mv() * divider // 1_000_000

    def analog_mv(self):
        """What the multiplexer puts on the monitor input, as it is."""
        return self._supply_sense.read_u16() * ADC_MV // ADC_FULL

    def reference_mv(self):
        """The chip's temperature diode, which tells whether the ADC's reference is right."""
        return machine.ADC(machine.ADC.CORE_TEMP).read_u16() * ADC_MV // ADC_FULL
