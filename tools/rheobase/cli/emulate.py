"""`rheobase emulate`: the firmware on a genuine image, behind a serial port."""

from __future__ import annotations

import signal
import threading

import click

STOP_TRIED_S = 5.0  # of the Pico's time: behind its self-test


@click.command()
@click.option("--image", envvar="RHEOBASE_PICO_IMAGE", help="MicroPython for the Pico (UF2).")
@click.option("--bootrom", envvar="RHEOBASE_PICO_BOOTROM", help="The RP2040's boot ROM.")
def emulate(image: str | None, bootrom: str | None) -> None:
    """The firmware on genuine MicroPython in an emulated Pico.

    Until Ctrl-C. Its USB serial port is a port here; the virtual board's bench is at its pins,
    so that it can be armed: its stop button is tried five seconds after the start.
    """
    if not image or not bootrom:
        raise click.UsageError("--image and --bootrom, or RHEOBASE_PICO_IMAGE and _BOOTROM")
    from rheobase.emulator import EmulatorError, files_of_firmware, serve
    from rheobase.sim.bench import Bench, Recorder

    bench = Bench(recorder=Recorder(keep=()))  # stays small however long it runs

    def ready(port: str) -> None:
        click.echo(f"port {port}")
        click.echo("an emulated clock is slower than a real one: replies take their time")

    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        files = files_of_firmware(compiled=True)
        serve(
            image, bootrom, files, ready=ready, stop=ended, bench=bench,
            begin=lambda pico: bench.try_stop(STOP_TRIED_S),
        )
    except (EmulatorError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        signal.signal(signal.SIGTERM, before)
    click.echo("the emulated Pico is off")
