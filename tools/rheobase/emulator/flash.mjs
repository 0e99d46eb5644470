// Flash that can be erased and programmed: what the boot ROM's flash functions do, and the
// unique id that the SDK reads over SPI.

export const SECTOR = 4096;
export const PAGE = 256;

// Typical times of the Pico's W25Q16JV (its data sheet, AC characteristics).
const SECTOR_ERASE_NANOS = 45e6;
const BLOCK_ERASE_NANOS = 150e6; // 64 KiB
const PAGE_PROGRAM_NANOS = 0.4e6;
const BLOCK = 65536;

const ROM_FUNCTION_TABLE = 0x14; // address of the boot ROM's halfword pointer to the table
const BREAKPOINT = 0xbe00;
const FIRST_CODE = 0xf0;

const FLASH = 0x10000000;
const SSI_SR = 0x28;
const SSI_DR0 = 0x60;
const SSI_SR_BITS = 0x0e; // transmit FIFO empty and not full, receive FIFO not empty
const IO_QSPI_SS_CTRL = 0x0c;
const OUTOVER_LOW = 2;
const COMMAND_UNIQUE_ID = 0x4b;
const UNIQUE_ID_AT = 5; // the command and four dummy bytes come first

/** A code of two letters in the boot ROM's function table. */
const code = (name) => name.charCodeAt(0) | (name.charCodeAt(1) << 8);

/** Address of the boot ROM function with this two-letter code. */
function romFunction(rom, name) {
  for (let at = rom.getUint16(ROM_FUNCTION_TABLE, true); ; at += 4) {
    const entry = rom.getUint16(at, true);
    if (entry === 0) throw new Error(`the boot ROM has no function ${name}`);
    if (entry === code(name)) return rom.getUint16(at + 2, true) & ~1;
  }
}

/**
 * Puts a breakpoint at the entry of each flash function of the boot ROM and does its work when the
 * CPU gets there: rp2040js does not model the serial flash behind the SSI.
 * `busy(nanos)` keeps the CPU waiting; `written(offset, length)` is told what has changed;
 * `begin()` is asked before each erase and program how much of it is done: 1 for all, 0.5 when
 * the power fails in the middle, 0 when there is none.
 */
export function interceptFlashFunctions(rp2040, { busy, written, begin }) {
  const memory = rp2040.flash;
  const rom = new DataView(rp2040.bootrom.buffer);
  const registers = rp2040.core.registers;
  const nothing = () => {};

  function erase() {
    const offset = registers[0] & ~(SECTOR - 1);
    const length = Math.floor(registers[1] * begin());
    memory.fill(0xff, offset, offset + length);
    let nanos = 0;
    for (let at = offset; at < offset + length; ) {
      const whole = at % BLOCK === 0 && at + BLOCK <= offset + length;
      nanos += whole ? BLOCK_ERASE_NANOS : SECTOR_ERASE_NANOS;
      at += whole ? BLOCK : SECTOR;
    }
    busy(nanos);
    written(offset, length);
  }

  function program() {
    const [offset, source, wanted] = registers;
    const length = Math.floor(wanted * begin());
    for (let i = 0; i < length; i++) memory[offset + i] &= rp2040.readUint8(source + i);
    busy(Math.ceil(length / PAGE) * PAGE_PROGRAM_NANOS);
    written(offset, length);
  }

  const functions = [
    ['IF', nothing], // connect_internal_flash
    ['EX', nothing], // flash_exit_xip
    ['RE', erase],
    ['RP', program],
    ['FC', nothing], // flash_flush_cache
    ['CX', nothing], // flash_enter_cmd_xip
  ];
  functions.forEach(([name], index) => {
    rom.setUint16(romFunction(rom, name), BREAKPOINT | (FIRST_CODE + index), true);
  });
  rp2040.onBreak = (number) => {
    const found = functions[number - FIRST_CODE];
    if (!found) throw new Error(`breakpoint ${number} at ${rp2040.core.PC.toString(16)}`);
    found[1]();
    rp2040.core.PC = rp2040.core.LR & ~1;
  };
}

/** Answers the flash's unique id (8 bytes) when the SDK asks for it over the SSI. */
export function answerUniqueId(rp2040, id) {
  const ssi = rp2040.peripherals[0x18000];
  const { readUint32, writeUint32 } = ssi;
  ssi.sent = [];
  ssi.answer = 0;
  ssi.readUint32 = (offset) => {
    if (offset === SSI_SR) return SSI_SR_BITS;
    if (offset === SSI_DR0) return ssi.answer;
    return readUint32.call(ssi, offset);
  };
  ssi.writeUint32 = (offset, value) => {
    if (offset !== SSI_DR0) {
      writeUint32.call(ssi, offset, value);
      return;
    }
    const { sent } = ssi;
    ssi.answer = sent[0] === COMMAND_UNIQUE_ID ? (id[sent.length - UNIQUE_ID_AT] ?? 0) : 0;
    sent.push(value);
  };
  const io = rp2040.peripherals[0x40018];
  const values = (io.values = new Uint32Array(1024));
  io.readUint32 = (offset) => values[offset >> 2];
  io.writeUint32 = (offset, value) => {
    values[offset >> 2] = value;
    if (offset === IO_QSPI_SS_CTRL && ((value >> 8) & 3) === OUTOVER_LOW) ssi.sent = [];
  };
}

/** Copies an image (UF2 for the RP2040, or raw from the start of flash) into `flash`. */
export function loadImage(flash, image) {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < 512 || view.getUint32(0, true) !== 0x0a324655) {
    flash.set(image, 0);
    return image.length;
  }
  let end = 0;
  for (let at = 0; at + 512 <= image.length; at += 512) {
    if (view.getUint32(at + 4, true) !== 0x9e5d5157) throw new Error('not a UF2 block');
    if (view.getUint32(at + 28, true) !== 0xe48bff56) continue; // another chip's family
    const offset = view.getUint32(at + 12, true) - FLASH;
    const length = view.getUint32(at + 16, true);
    flash.set(image.subarray(at + 32, at + 32 + length), offset);
    end = Math.max(end, offset + length);
  }
  return end;
}
