"""What firmware calls cost, in microseconds of virtual time.

Python itself runs in no time on the virtual board; a call that touches the hardware or the clock
takes this long, so that every polling loop makes progress and an order of events is plausible.
Measured on MicroPython 1.28 in an emulated RP2040 at 125 MHz (flash latency not included) where
the comment says so, else estimated from those.
"""

TICKS = 2.0  # time.ticks_us: measured; ticks_diff and ticks_add cost nothing
PIN = 2.7  # Pin(), Pin.value: measured
PIN_INIT = 14.0  # measured
MEMORY = 3.0  # mem8/16/32: measured
POINTER = 0.1  # an access through viper's pointers
POLL = 55.0  # poll.ipoll: measured with the bytecode that goes with it; 13 by itself
READ = 10.0  # stdin.buffer.readinto of what is there
WRITE = 33.0  # stdout.buffer.write that fits the FIFO: measured, besides its bytes
SLEEP = 9.0  # sleep_ms(0): measured
ADC = 4.0  # ADC.read_u16 beside the conversion's own 2 us: measured
PWM = 7.0  # measured
DMA = 18.0  # DMA.config: measured
DMA_LOOK = 4.0  # DMA.active, DMA.count: measured 2.5 and 6
PIO = 4.5  # StateMachine.active and the like: measured
PIO_INIT = 150.0
WATCHDOG = 4.0  # measured
TIMER = 20.0
SCHEDULE = 5.0
COLLECT = 3000.0  # gc.collect: measured 700 us on an empty heap, 20 ms on a full one
HARD_HANDLER = 22.0  # from the edge to the first line of a hard handler: measured
SOFT_HANDLER = 50.0  # from an event to the first line of a scheduled callback: measured
FILE = 265.0  # stat, open for reading: measured

HARD_BOOT = 35_000.0  # power-up or reset to the first line of boot.py: measured 35..60 ms to main
SOFT_BOOT = 11_000.0  # Ctrl-D to the first line of boot.py: measured 11.7 ms
USB_ENUMERATION = 400_000.0  # from the end of boot.py after a hard reset until a host sees it

FLASH_COMMIT = 5_000.0  # a littlefs metadata commit: page programs, now and then an erase
FLASH_BLOCK = 50_000.0  # erasing and programming one 4 KiB block of file data
