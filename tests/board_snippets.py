"""Small programs whose output must be the same on a genuine image and on the virtual board.

Left out is what differs between the two languages by design: the comma in the repr of an
exception with one argument is taken out before comparing, and so on.
"""

import re
import textwrap

FILES = {
    "data.txt": "zeile\nzwei\n\nend",
    "pack/__init__.py": "VALUE = 7",
    "pack/one.py": "name = 'one'\nfrom . import two\nfrom .deep import three",
    "pack/two.py": "name = 'two'",
    "pack/deep/three.py": "name = 'three'\nfrom ..two import name as other",
    "lib/helper.py": "name = 'helper'",
    "bad.py": "raise ValueError(1)",
}

SETTING = """
import machine, rp2, time, micropython, select, sys, os, uctypes
import json, gc, struct, binascii, hashlib
from array import array
from machine import Pin, PWM

@rp2.asm_pio(out_init=rp2.PIO.OUT_LOW)
def program():
    nop()

@rp2.asm_pio()
def fifo():
    pull()
    mov(isr, invert(osr))
    push()

@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def idle():
    label("here")
    jmp("here")

def tapeish():
    set(x, 0)
    wrap_target()
    pull(noblock)
    out(isr, 31)
    push(block)
    mov(pins, null)
    irq(0)
    wrap()

def deep():
    raise ValueError("x", 1)

@micropython.viper
def fill(buffer: ptr16, count: int):
    words = ptr32(buffer)
    for i in range(count):
        buffer[i] = i * 30000
    words[1] = 0x00050004

time.sleep_ms(500)
"""

SNIPPETS = [
    """
    print(time.ticks_diff(5, (1 << 30) - 5))
    print(time.ticks_add((1 << 30) - 1, 2), time.ticks_diff(1 << 29, 0))
    """,
    """
    print(sys.platform, sys.implementation.name)
    print(sys.implementation[1], sys.implementation._machine)
    print(sys.maxsize, sys.byteorder, sys.path, sys.version_info[:2])
    """,
    """
    print(sys.implementation._mpy, sys.implementation._build, sys.implementation._thread)
    """,
    """
    print(machine.freq(), len(machine.unique_id()))
    print(machine.reset_cause(), machine.PWRON_RESET, machine.WDT_RESET)
    """,
    """
    p = Pin(5, Pin.OUT, value=1)
    print(p is Pin(5), Pin('GP5') is p, Pin.board.GP5 is p, Pin.cpu.GPIO5 is p, p)
    """,
    """
    p = Pin(6, Pin.IN, Pin.PULL_UP)
    print(p)
    p.init(Pin.IN, Pin.PULL_DOWN)
    print(p)
    p.init(Pin.OPEN_DRAIN)
    print(p)
    p.init(Pin.ALT, alt=Pin.ALT_PWM)
    print(p)
    """,
    """
    print(Pin.IN, Pin.OUT, Pin.OPEN_DRAIN, Pin.ALT, Pin.PULL_UP)
    print(Pin.PULL_DOWN, Pin.IRQ_RISING, Pin.IRQ_FALLING)
    print(Pin.ALT_PIO0, Pin.ALT_PWM, Pin.ALT_USB)
    """,
    """
    p = PWM(Pin(16), freq=61000, duty_u16=32768)
    print(p.freq(), p.duty_u16(), p.duty_ns(), p)
    p.freq(50)
    print(p.freq(), p.duty_u16(), p.duty_ns())
    p.duty_ns(1500000)
    print(p.duty_ns(), PWM(Pin(0)) is p)
    """,
    """
    p = PWM(Pin(2))
    print(p.freq(), p.duty_u16(), p.duty_ns(), p)
    """,
    """
    p = PWM(Pin(4), freq=1000, duty_u16=65535, invert=1)
    print(p, p.duty_u16())
    p.duty_u16(99999)
    print(p.duty_u16())
    p.init(freq=2000, duty_ns=1000)
    print(p.freq(), p.duty_ns(), p.duty_u16())
    """,
    """
    d = rp2.DMA()
    e = rp2.DMA()
    w = e.pack_ctrl(size=1, inc_write=False, treq_sel=4, chain_to=d.channel)
    print(hex(w), hex(e.pack_ctrl()), hex(e.pack_ctrl(default=w, irq_quiet=False)))
    print(d, len(d.registers), len(d.registers[14:16]))
    f = rp2.DMA.unpack_ctrl(w)
    print([f[k] for k in sorted(f)], e.pack_ctrl(**f) == w)
    d.close()
    e.close()
    """,
    """
    d = rp2.DMA()
    s = bytearray(b'hello')
    t = bytearray(5)
    d.config(read=s, write=t, count=5, ctrl=d.pack_ctrl(size=0), trigger=True)
    print(t, d.active(), d.count, d.read - uctypes.addressof(s), hex(d.ctrl))
    d.config(read=s, write=t, count=2)
    d.active(1)
    print(d.active(0))
    d.close()
    """,
    """
    print(uctypes.addressof(bytearray(10)) >> 28, uctypes.addressof(bytearray(10)) % 16)
    """,
    """
    sm = rp2.StateMachine(0, program, freq=1000000, out_base=Pin(2))
    print(sm, sm.tx_fifo(), sm.rx_fifo(), sm.active(), sm.active(1), sm.active(0))
    print(rp2.PIO(0), rp2.PIO(0).state_machine(0) is sm)
    """,
    """
    sm = rp2.StateMachine(4, fifo, freq=1000000)
    sm.put(5)
    print(sm.tx_fifo())
    sm.active(1)
    print(hex(sm.get()))
    sm.put(18, 8)
    print(hex(sm.get()))
    sm.put(array('H', [1, 2]))
    print(hex(sm.get(None, 16)), hex(sm.get()))
    sm.put('A')
    print(hex(sm.get()))
    b = bytearray(1)
    sm.put(b'\\x07')
    print(sm.get(b) is b, b)
    sm.active(0)
    """,
    """
    print(list(fifo[0]), fifo[1:])
    """,
    """
    assemble = rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 6, out_shiftdir=rp2.PIO.SHIFT_LEFT)
    print(list(assemble(tapeish)[0]))
    """,
    """
    sm = rp2.StateMachine(1, idle, set_base=Pin(3))
    sm.exec('set(pins, 1)')
    print(hex(machine.mem32[1344274492] & 8))
    sm.exec(57344)
    print(hex(machine.mem32[1344274492] & 8))
    print(hex(machine.mem32[1344274652 + 24]))
    print(hex(machine.mem32[1344274636 + 24] & 126976))
    print(machine.mem32[1344274644 + 24] == idle[1])
    """,
    """
    print(hex(machine.mem32[1073823744 + 8 * 5 + 4]))
    print(hex(machine.mem32[1073856516 + 4 * 6]), hex(machine.mem32[1073856516 + 4 * 20]))
    """,
    """
    print(hex(machine.mem32[1074069520]), hex(machine.mem32[1074069664]))
    """,
    """
    print(machine.mem32, machine.mem8, machine.mem16)
    """,
    """
    w = machine.WDT(timeout=8000)
    w.feed()
    print(hex(machine.mem32[1074102300]), hex(machine.mem32[1074102272] >> 24))
    """,
    """
    t = machine.Timer(period=100, callback=lambda t: 0)
    print(t)
    t.deinit()
    t = machine.Timer(freq=3, mode=machine.Timer.ONE_SHOT)
    print(t)
    t.deinit()
    """,
    """
    h = []
    t = machine.Timer(period=10, callback=lambda t: h.append(1))
    time.sleep_ms(55)
    t.deinit()
    print(len(h))
    """,
    """
    h = []
    for i in range(20):
        try:
            micropython.schedule(h.append, i)
        except RuntimeError as e:
            print(i, e)
            break
    time.sleep_ms(1)
    print(len(h) >= 8)
    """,
    """
    i = Pin(7, Pin.IN).irq(None)
    print(type(i).__name__, i.flags(), i.trigger())
    """,
    """
    h = []
    q = Pin(7, Pin.OUT, value=0)
    i = q.irq(lambda p: h.append(p.irq().flags()), hard=True)
    q(1)
    q(0)
    print(len(h))
    q.irq(None)
    """,
    """
    print(select.POLLIN, select.POLLOUT, select.POLLERR, select.POLLHUP)
    p = select.poll()
    p.register(sys.stdin, 1)
    print(p.poll(0), list(p.ipoll(3)))
    p.register(sys.stdout)
    print([e for _, e in p.poll(0)])
    """,
    """
    print(select.select([sys.stdin], [sys.stdout], []) == ([], [sys.stdout], []))
    """,
    """
    print(repr(sys.stdin), sys.stdin.buffer is sys.stdout.buffer)
    """,
    """
    print(sys.stdout.write('abc\\n'), sys.stdout.buffer.write(b'de\\r\\n'))
    """,
    """
    print('a', 'b', sep='-', end='!\\n')
    print()
    print('x', file=sys.stderr)
    """,
    """
    try:
        open('none')
    except OSError as e:
        print(e.errno, e.args, repr(e))
    """,
    """
    try:
        [][3]
    except IndexError as e:
        print(repr(e))
    """,
    """
    try:
        deep()
    except Exception as e:
        sys.print_exception(e)
    """,
    """
    try:
        sys.exit()
    except SystemExit as e:
        print(repr(e))
    """,
    """
    try:
        sys.exit(3)
    except SystemExit as e:
        print(repr(e))
    """,
    """
    try:
        machine.soft_reset()
    except SystemExit as e:
        print(repr(e))
    """,
    """
    try:
        raise OSError(19)
    except Exception as e:
        sys.print_exception(e)
    """,
    """
    print(os.getcwd(), sorted(os.listdir()), os.uname().sysname)
    print(os.uname().machine, os.statvfs('/')[:3], os.sep)
    """,
    """
    print(sorted(os.ilistdir('/')), os.stat('data.txt')[:7])
    """,
    """
    f = open('data.txt', 'rb')
    print(f.seek(3), f.tell(), f.read(2), f.seek(-2, 2), f.read(), f.read(), f.seek(0, 0))
    b = bytearray(4)
    print(f.readinto(b), b, f.readinto(b, 2), b)
    f.close()
    try:
        f.read()
    except ValueError as e:
        print(repr(e))
    """,
    """
    print(json.dumps({'a': [1, 2.5, None, True]}), json.loads('[1, "x"]'))
    try:
        json.loads('{')
    except ValueError as e:
        print(repr(e))
    """,
    """
    import pack, pack.one
    from pack import two, VALUE
    from pack.deep import three
    import helper
    print(pack.one.name, two.name, VALUE, three.name, helper.name)
    print(pack.__path__, pack.one.__file__)
    print(helper.__file__, pack.__name__, pack.one.__name__)
    """,
    """
    for n in ('pack.none', 'nothing'):
        try:
            __import__(n)
        except ImportError as e:
            print(repr(e))
    """,
    """
    try:
        from pack import missing
    except ImportError as e:
        print(repr(e))
    """,
    """
    for _ in range(2):
        try:
            import bad
        except ValueError as e:
            print(repr(e))
    """,
    """
    print(__name__, __file__)
    """,
    """
    print(gc.isenabled(), gc.collect(), gc.threshold())
    """,
    """
    print(micropython.const(3), micropython.opt_level(), micropython.heap_lock())
    print(micropython.heap_unlock())
    print(micropython.alloc_emergency_exception_buf(100), micropython.kbd_intr(3))
    """,
    """
    print(struct.unpack('<HI', struct.pack('<HI', 1, 2)), binascii.hexlify(b'ab'))
    print(binascii.crc32(b'123456789'), hashlib.sha256(b'').digest()[:4])
    """,
    """
    a = array('H', [1, 2])
    a.append(3)
    print(a, len(a), a[1:], bytes(a))
    print(bytes(array('L', [1])), array('i', [-1]))
    """,
    """
    print(bytearray(b'ab') + b'c')
    print(isinstance(bytearray(1), bytearray), type(bytearray(1)))
    """,
    """
    print(isinstance(bytearray(b'a') + b'b', bytearray))
    print(memoryview(bytearray(b'abc'))[1:2][0])
    """,
    """
    a = array('H', [0] * 6)
    fill(a, 6)
    print(a)
    """,
    """
    print(time.localtime(0), time.mktime((2021, 1, 1, 0, 0, 0, 0, 0)))
    print(time.gmtime(86400)[:3], time.time() >= 1609459200)
    """,
    """
    try:
        rp2.asm_pio_encode('jmp(0)', 0)
    except TypeError as e:
        print('TypeError')
    """,
    """
    print(hex(rp2.asm_pio_encode('set(pins, 5)', 0)))
    print(hex(rp2.asm_pio_encode('mov(x, invert(y))', 0)))
    """,
    """
    s = machine.Signal(Pin(5, Pin.OUT), invert=True)
    s.on()
    print(machine.mem32[3489660944] >> 5 & 1)
    s.off()
    print(machine.mem32[3489660944] >> 5 & 1)
    """,
    """
    print(machine.ADC(26), machine.ADC(Pin(27)), machine.ADC.CORE_TEMP)
    """,
    """
    st = machine.disable_irq()
    machine.enable_irq(st)
    print(type(st))
    """,
    """
    for name in (
        "ADC I2C I2S PWM Pin PinBase RTC SPI Signal SoftI2C SoftSPI Timer UART USBDevice WDT "
        "bitstream bootloader deepsleep dht_readinto disable_irq enable_irq freq idle "
        "lightsleep mem16 mem32 mem8 reset reset_cause soft_reset time_pulse_us unique_id "
        "I2CTarget Counter sleep "
    ).split():
        print(name, hasattr(machine, name))
    """,
]


def program():
    """Runs them all, with a mark before each."""
    lines = [SETTING]
    for number, snippet in enumerate(SNIPPETS):
        body = textwrap.indent(textwrap.dedent(snippet), "    ")
        lines.append(f"print('#{number}')\ngc.collect()\ntry:\n{body}")
        lines.append("except BaseException as e:\n    print('RAISED', repr(e))")
    lines.append("print('#END')")
    return "\n".join(lines)


def results(printed):
    """The output of each, by number, without the comma of exceptions' reprs."""
    found = {}
    for part in printed.split("#")[1:]:
        number, _, text = part.partition("\n")
        found[number.strip()] = re.sub(r"((?:Error|Exit)\(.*),\)", r"\1)", text)
    return found
