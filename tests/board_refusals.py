"""Calls that the port refuses, and how; a program that tries them all."""

REFUSED = [
    # machine.Pin
    ("Pin(30)", "ValueError"),
    ("Pin(-1)", "ValueError"),
    ("Pin('GP99')", "ValueError"),
    ("Pin()", "TypeError"),
    ("Pin(2, Pin.OUT, Pin.PULL_UP, 1)", "TypeError"),
    ("Pin(2, Pin.OUT, drive=1)", "TypeError"),
    ("Pin(2, mode=Pin.OUT, val=1)", "TypeError"),
    ("Pin(2, Pin.ALT, alt=30)", "ValueError"),
    ("Pin(2).value(1, 2)", "TypeError"),
    ("Pin(2).value(value=1)", "TypeError"),
    ("Pin(2).mode()", "AttributeError"),
    ("Pin(2).irq(None, 3, False, 7)", "TypeError"),
    ("Pin(2).irq(priority=1)", "TypeError"),
    ("Pin.board.GP23", "AttributeError"),
    # machine.PWM
    ("PWM(Pin(2), freq=7)", "ValueError"),
    ("PWM(Pin(2), duty=100)", "TypeError"),
    ("PWM(Pin(2), 1000, 30)", "TypeError"),
    ("PWM(Pin(2)).duty(1)", "AttributeError"),
    ("PWM(Pin(2)).freq(1.5)", "TypeError"),
    # machine.ADC, WDT, Timer, memory
    ("ADC(7)", "ValueError"),
    ("ADC(Pin(25))", "ValueError"),
    ("ADC(26, atten=1)", "TypeError"),
    ("ADC(26).read()", "AttributeError"),
    ("WDT(1)", "ValueError"),
    ("WDT(timeout=8389)", "ValueError"),
    ("WDT(timeout_ms=1)", "TypeError"),
    ("WDT(0, 100).stop()", "AttributeError"),
    ("Timer(0)", "ValueError"),
    ("Timer(-1, 1000)", "TypeError"),
    ("Timer(period=1000, callback=print, priority=1)", "TypeError"),
    ("machine.mem32[0x40014001]", "ValueError"),
    ("machine.mem16[0x40014001]", "ValueError"),
    ("machine.mem32['x']", "TypeError"),
    ("machine.reset_reason()", "AttributeError"),
    ("machine.disable_irq(1)", "TypeError"),
    ("machine.enable_irq()", "TypeError"),
    # rp2
    ("rp2.PIO(2)", "ValueError"),
    ("rp2.StateMachine(8)", "ValueError"),
    ("rp2.StateMachine(0, [1, 2])", "ValueError"),
    ("rp2.StateMachine(0, None)", "TypeError"),
    ("rp2.StateMachine(0, program, freq=1000)", "ValueError"),
    ("rp2.StateMachine(0, program, freq=126_000_000)", "ValueError"),
    ("rp2.StateMachine(0, program, out_base=Pin(0), outs=3)", "TypeError"),
    ("rp2.StateMachine(0, program, 125_000_000, Pin(0))", "TypeError"),
    ("rp2.StateMachine(0).put(None)", "TypeError"),
    ("rp2.StateMachine(0).start()", "AttributeError"),
    ("rp2.PIO(0).irq(handler=None, priority=1)", "TypeError"),
    ("rp2.asm_pio(out_count=3)", "TypeError"),
    ("[rp2.PIO(0).add_program(list(program)) for _ in range(40)]", "OSError"),
    ("rp2.PIO(0).remove_program([b''])", "ValueError"),
    ("rp2.DMA(1)", "TypeError"),
    ("[rp2.DMA() for _ in range(13)]", "OSError"),
    ("rp2.DMA().config(0)", "TypeError"),
    ("rp2.DMA().config(source=0)", "TypeError"),
    ("rp2.DMA().pack_ctrl(1)", "TypeError"),
    ("rp2.DMA().pack_ctrl(size=4)", "ValueError"),
    ("rp2.DMA().pack_ctrl(treq=0)", "TypeError"),
    ("rp2.DMA().irq(None, False, 1)", "TypeError"),
    ("rp2.DMA().lenght", "AttributeError"),
    ("closed().active()", "ValueError"),
    ("closed().read", "ValueError"),
    ("rp2.DMATimer()", "AttributeError"),  # new in 1.29
    # time, micropython, select, uctypes
    ("time.sleep_ms(1.5)", "TypeError"),
    ("time.sleep_ms(ms=1)", "TypeError"),
    ("time.monotonic()", "AttributeError"),
    ("time.perf_counter()", "AttributeError"),
    ("time.ticks_add(0, 1 << 29)", "OverflowError"),
    ("micropython.schedule(print)", "TypeError"),
    ("select.poll().register(3)", "OSError"),
    ("select.poll().modify(sys.stdin, 1)", "OSError"),
    ("select.poll().poll(1, 2)", "TypeError"),
    ("uctypes.addressof(5)", "TypeError"),
    ("sys.exc_info()", "AttributeError"),
    ("sys.stdout.flush()", "AttributeError"),
    ("sys.stdin.write('x')", "OSError"),
    ("sys.stdout.read(1)", "OSError"),
    ("os.makedirs('x')", "AttributeError"),
    ("os.path", "AttributeError"),
    ("open('none.txt')", "OSError"),
    ("open('x', 'rw')", "ValueError"),
    # builtins and modules the port does not have
    ("vars()", "NameError"),
    ("ascii('x')", "NameError"),
    ("format(1, 'x')", "NameError"),
    ("raise_(FileNotFoundError)", "NameError"),
    ("TimeoutError", "NameError"),
    ("__import__('dataclasses')", "ImportError"),
    ("__import__('typing')", "ImportError"),
    ("__import__('threading')", "ImportError"),
    ("__import__('rheobase')", "ImportError"),
    ("__import__('ctypes')", "ImportError"),
    ("__import__('collections').defaultdict", "AttributeError"),
    ("__import__('math').gcd(4, 6)", "AttributeError"),
    ("__import__('struct').Struct('H')", "AttributeError"),
    ("__import__('re').findall('a', 'a')", "AttributeError"),
]

SETTING = """
import machine, rp2, time, micropython, select, sys, os, uctypes
from machine import Pin, PWM, ADC, WDT, Timer

@rp2.asm_pio(out_init=rp2.PIO.OUT_LOW)
def program():
    nop()

def closed():
    dma = rp2.DMA()
    dma.close()
    return dma
"""


def program():
    """Prints the number of each call and what it raised."""
    lines = [SETTING, "import gc", "time.sleep_ms(500)"]
    for number, (code, _) in enumerate(REFUSED):
        lines.append("gc.collect()" if "DMA" in code else "")
        lines.append(f"try:\n    {code}\n    print({number}, 'nothing')")
        lines.append(f"except BaseException as e:\n    print({number}, type(e).__name__)")
        lines.append("WDT(timeout=8000)" if "WDT" in code else "")
    lines.append("print('END')")
    return "\n".join(lines)


def answers(printed):
    """What each call raised, by number."""
    lines = printed.split("END")[0].splitlines()
    return dict(line.split(" ", 1) for line in lines if line[:1].isdigit())
