// A faster Cortex-M0+: the common instructions decoded by table, everything else left to
// rp2040js's core, whose state it shares. A test runs both against each other.

const EXCEPTION_ENTRY_CLOCKS = 15; // Cortex-M0+ TRM, interrupt latency without wait states
const FURTHEST = 2 ** 30; // clocks in one go, so that they are small integers
const STOP = 2 ** 31 - 1;
const SIO = 0xd; // top four bits of an address
const APB = 0x4;
const PRIMASK = 16;
const PC = 15;
const SP = 13;
const LR = 14;

// Kinds of instruction. The order is that of the cases below.
// prettier-ignore
const KINDS = [
  'STOCK',
  'LSL_IMM', 'LSR_IMM', 'ASR_IMM', 'ADD_REG', 'SUB_REG', 'ADD_IMM3', 'SUB_IMM3',
  'MOV_IMM', 'CMP_IMM', 'ADD_IMM8', 'SUB_IMM8',
  'AND', 'EOR', 'LSL_REG', 'LSR_REG', 'ASR_REG', 'ADC', 'SBC', 'ROR',
  'TST', 'NEG', 'CMP_REG', 'CMN', 'ORR', 'MUL', 'BIC', 'MVN',
  'ADD_HI', 'CMP_HI', 'MOV_HI', 'BX', 'BLX',
  'LDR_PC', 'STR_REG', 'STRH_REG', 'STRB_REG', 'LDRSB_REG',
  'LDR_REG', 'LDRH_REG', 'LDRB_REG', 'LDRSH_REG',
  'STR_IMM', 'LDR_IMM', 'STRB_IMM', 'LDRB_IMM', 'STRH_IMM', 'LDRH_IMM', 'STR_SP', 'LDR_SP',
  'ADR', 'ADD_RD_SP', 'ADD_SP', 'SUB_SP', 'SXTH', 'SXTB', 'UXTH', 'UXTB',
  'PUSH', 'POP', 'CPSIE', 'CPSID', 'REV', 'STM', 'LDM', 'NOP',
  'BEQ', 'BNE', 'BCS', 'BCC', 'BMI', 'BPL', 'BVS', 'BVC', 'BHI', 'BLS', 'BGE', 'BLT', 'BGT', 'BLE',
  'B', 'LONG',
];
const KIND = Object.fromEntries(KINDS.map((name, index) => [name, index]));

/** Kind of a 16-bit Thumb instruction (ARMv6-M Architecture Reference Manual, A5.2). */
function kindOf(op) {
  const top = op >> 11;
  switch (top) {
    case 0b00000:
      return KIND.LSL_IMM;
    case 0b00001:
      return KIND.LSR_IMM;
    case 0b00010:
      return KIND.ASR_IMM;
    case 0b00011:
      return KIND.ADD_REG + ((op >> 9) & 3);
    case 0b00100:
      return KIND.MOV_IMM;
    case 0b00101:
      return KIND.CMP_IMM;
    case 0b00110:
      return KIND.ADD_IMM8;
    case 0b00111:
      return KIND.SUB_IMM8;
    case 0b01000: {
      if (op >> 10 === 0b010000) return KIND.AND + ((op >> 6) & 15);
      const which = (op >> 8) & 3;
      if (which === 0) return KIND.ADD_HI;
      if (which === 1) return KIND.CMP_HI;
      if (which === 2) return KIND.MOV_HI;
      if (op & 7) return KIND.STOCK;
      return op & 0x80 ? KIND.BLX : KIND.BX;
    }
    case 0b01001:
      return KIND.LDR_PC;
    case 0b01010:
    case 0b01011:
      return KIND.STR_REG + ((op >> 9) & 7);
    case 0b01100:
      return KIND.STR_IMM;
    case 0b01101:
      return KIND.LDR_IMM;
    case 0b01110:
      return KIND.STRB_IMM;
    case 0b01111:
      return KIND.LDRB_IMM;
    case 0b10000:
      return KIND.STRH_IMM;
    case 0b10001:
      return KIND.LDRH_IMM;
    case 0b10010:
      return KIND.STR_SP;
    case 0b10011:
      return KIND.LDR_SP;
    case 0b10100:
      return KIND.ADR;
    case 0b10101:
      return KIND.ADD_RD_SP;
    case 0b10110:
    case 0b10111:
      return miscellaneousKind(op);
    case 0b11000:
      return KIND.STM;
    case 0b11001:
      return KIND.LDM;
    case 0b11010:
    case 0b11011: {
      const condition = (op >> 8) & 15;
      return condition < 14 ? KIND.BEQ + condition : KIND.STOCK;
    }
    case 0b11100:
      return KIND.B;
    case 0b11110:
      return KIND.LONG;
    default:
      return KIND.STOCK;
  }
}

function miscellaneousKind(op) {
  if (op >> 7 === 0b101100000) return KIND.ADD_SP;
  if (op >> 7 === 0b101100001) return KIND.SUB_SP;
  if (op >> 8 === 0b10110010) return KIND.SXTH + ((op >> 6) & 3);
  if (op >> 9 === 0b1011010) return KIND.PUSH;
  if (op >> 9 === 0b1011110) return KIND.POP;
  if (op === 0xb662) return KIND.CPSIE;
  if (op === 0xb672) return KIND.CPSID;
  if (op >> 6 === 0b1011101000) return KIND.REV;
  if (op === 0xbf00) return KIND.NOP;
  return KIND.STOCK;
}

const kinds = Uint8Array.from({ length: 65536 }, (_, op) => kindOf(op));
const bitCounts = Uint8Array.from({ length: 512 }, (_, list) => {
  let count = 0;
  for (; list; list &= list - 1) count++;
  return count;
});

/**
 * Corrections to rp2040js's core that hold for both ways of running it: sleeping and waking as
 * ARMv6-M has it, and an interrupt taken under PRIMASK only after it is cleared.
 */
export function correctCore(rp2040) {
  const { core, ppb } = rp2040;
  const SCR = 0xd10;
  const SEVONPEND = 1 << 4;
  ppb.scr = 0;
  core.setInterrupt = (irq, value) => {
    const bit = 1 << irq;
    if (!value) {
      core.pendingInterrupts &= ~bit;
    } else if (!(core.pendingInterrupts & bit)) {
      core.pendingInterrupts |= bit;
      core.interruptsUpdated = true;
      if (ppb.scr & SEVONPEND) core.eventRegistered = true;
    }
  };
  const { readUint32, writeUint32 } = ppb;
  ppb.readUint32 = (offset) => (offset === SCR ? ppb.scr : readUint32.call(ppb, offset));
  ppb.writeUint32 = (offset, value) => {
    if (offset === SCR) ppb.scr = value;
    else writeUint32.call(ppb, offset, value);
  };

  /** Called when something may have ended a WFE or WFI. */
  core.wakeIfDue = () => {
    const enabled = core.pendingInterrupts & core.enabledInterrupts;
    const system = core.pendingNMI || core.pendingPendSV || core.pendingSystick;
    if (core.eventRegistered || enabled || system) {
      core.eventRegistered = false;
      core.waiting = false;
    }
  };

  /** Takes what interrupts are pending; returns the clocks it took. */
  core.takeInterrupts = () => {
    let clocks = 0;
    while (core.interruptsUpdated && core.checkForInterrupts()) clocks += EXCEPTION_ENTRY_CLOCKS;
    return clocks;
  };

  /** Clocks that rp2040js forgets: PUSH of LR, POP of PC (TRM, table of cycle counts). */
  core.forgotten = (opcode) => (opcode >> 8 === 0xb5 || opcode >> 8 === 0xbd ? 1 : 0);
  return core;
}

/** Gives the core a method `run(now, limit)` that lives from `now` to `limit` or a bit more. */
export function makeCoreFast(rp2040, clock) {
  const core = rp2040.core;
  const R = new Int32Array(core.registers.buffer);
  const flash8 = rp2040.flash;
  const flash16 = new Uint16Array(flash8.buffer);
  const flash32 = new Int32Array(flash8.buffer);
  const ram8 = rp2040.sram;
  const ram16 = new Uint16Array(ram8.buffer);
  const ram32 = new Int32Array(ram8.buffer);
  const rom16 = new Uint16Array(rp2040.bootrom.buffer);

  const { sio } = rp2040;
  const read32 = (address, now) => {
    clock.now = now;
    if (address >>> 28 === SIO) return sio.readUint32(address & 0xfffffff) | 0;
    return rp2040.readUint32(address >>> 0) | 0;
  };
  const read16 = (address, now) => {
    clock.now = now;
    return rp2040.readUint16(address >>> 0);
  };
  const read8 = (address, now) => {
    clock.now = now;
    return rp2040.readUint8(address >>> 0);
  };
  const write32 = (address, value, now) => {
    clock.now = now;
    if (address >>> 28 === SIO) sio.writeUint32(address & 0xfffffff, value >>> 0);
    else rp2040.writeUint32(address >>> 0, value >>> 0);
  };
  const write16 = (address, value, now) => {
    clock.now = now;
    rp2040.writeUint16(address >>> 0, value & 0xffff);
  };
  const write8 = (address, value, now) => {
    clock.now = now;
    rp2040.writeUint8(address >>> 0, value & 0xff);
  };
  const anyPending = () =>
    core.pendingInterrupts !== 0 ||
    core.pendingPendSV ||
    core.pendingSystick ||
    core.pendingSVCall ||
    core.pendingNMI;
  /** Clocks beyond one of an access outside RAM and flash, as rp2040js counts them. */
  const wait = (address, write) => {
    const region = address >>> 28;
    if (region === SIO) return 0;
    if (region === APB) return write ? 4 : 3;
    return 1;
  };

  core.run = (start, stop) => {
    const begin = start + core.takeInterrupts();
    if (core.waiting) return begin;
    const end = Math.min(stop, begin + FURTHEST);
    let left = end - begin; // clocks to live; it may end a few below zero
    let floor = 0; // above `left`: stop after this instruction
    let pc = R[PC] & ~1;
    let nz = core.Z ? 0 : core.N ? -1 : 1; // a value whose sign and zeroness are N and Z
    let c = core.C ? 1 : 0;
    let v = core.V ? 1 : 0;
    do {
      const region = pc >>> 28;
      const op =
        region === 1
          ? flash16[(pc & 0xffffff) >>> 1]
          : region === 2
            ? ram16[(pc & 0x7ffff) >>> 1]
            : rom16[pc >>> 1];
      pc = (pc + 2) | 0;
      switch (kinds[op]) {
        case 0: {
          // STOCK: rp2040js does it
          R[PC] = pc - 2;
          core.N = nz < 0;
          core.Z = nz === 0;
          core.C = c !== 0;
          core.V = v !== 0;
          clock.now = end - left;
          left -= core.executeInstruction();
          pc = R[PC] & ~1;
          nz = core.Z ? 0 : core.N ? -1 : 1;
          c = core.C ? 1 : 0;
          v = core.V ? 1 : 0;
          if (clock.touched || core.interruptsUpdated || core.waiting) floor = STOP;
          break;
        }
        case 1: {
          // LSL_IMM
          const shift = (op >> 6) & 31;
          const value = R[(op >> 3) & 7];
          if (shift) c = (value >>> (32 - shift)) & 1;
          R[op & 7] = nz = value << shift;
          left--;
          break;
        }
        case 2: {
          // LSR_IMM
          const shift = (op >> 6) & 31;
          const value = R[(op >> 3) & 7];
          if (shift) {
            c = (value >>> (shift - 1)) & 1;
            nz = (value >>> shift) | 0;
          } else {
            c = value >>> 31;
            nz = 0;
          }
          R[op & 7] = nz;
          left--;
          break;
        }
        case 3: {
          // ASR_IMM
          const shift = (op >> 6) & 31 || 32;
          const value = R[(op >> 3) & 7];
          c = (value >> (shift - 1 > 31 ? 31 : shift - 1)) & 1;
          R[op & 7] = nz = value >> (shift > 31 ? 31 : shift);
          left--;
          break;
        }
        case 4: {
          // ADD_REG
          const a = R[(op >> 3) & 7];
          const b = R[(op >> 6) & 7];
          R[op & 7] = nz = (a + b) | 0;
          c = nz >>> 0 < a >>> 0 ? 1 : 0;
          v = ((a ^ nz) & (b ^ nz)) >>> 31;
          left--;
          break;
        }
        case 5: {
          // SUB_REG
          const a = R[(op >> 3) & 7];
          const b = R[(op >> 6) & 7];
          R[op & 7] = nz = (a - b) | 0;
          c = a >>> 0 >= b >>> 0 ? 1 : 0;
          v = ((a ^ b) & (a ^ nz)) >>> 31;
          left--;
          break;
        }
        case 6: {
          // ADD_IMM3
          const a = R[(op >> 3) & 7];
          const b = (op >> 6) & 7;
          R[op & 7] = nz = (a + b) | 0;
          c = nz >>> 0 < a >>> 0 ? 1 : 0;
          v = (~a & nz) >>> 31;
          left--;
          break;
        }
        case 7: {
          // SUB_IMM3
          const a = R[(op >> 3) & 7];
          const b = (op >> 6) & 7;
          R[op & 7] = nz = (a - b) | 0;
          c = a >>> 0 >= b ? 1 : 0;
          v = (a & ~nz) >>> 31;
          left--;
          break;
        }
        case 8: {
          // MOV_IMM
          R[(op >> 8) & 7] = nz = op & 255;
          left--;
          break;
        }
        case 9: {
          // CMP_IMM
          const a = R[(op >> 8) & 7];
          const b = op & 255;
          nz = (a - b) | 0;
          c = a >>> 0 >= b ? 1 : 0;
          v = (a & ~nz) >>> 31;
          left--;
          break;
        }
        case 10: {
          // ADD_IMM8
          const a = R[(op >> 8) & 7];
          R[(op >> 8) & 7] = nz = (a + (op & 255)) | 0;
          c = nz >>> 0 < a >>> 0 ? 1 : 0;
          v = (~a & nz) >>> 31;
          left--;
          break;
        }
        case 11: {
          // SUB_IMM8
          const a = R[(op >> 8) & 7];
          const b = op & 255;
          R[(op >> 8) & 7] = nz = (a - b) | 0;
          c = a >>> 0 >= b ? 1 : 0;
          v = (a & ~nz) >>> 31;
          left--;
          break;
        }
        case 12: {
          // AND
          R[op & 7] = nz = R[op & 7] & R[(op >> 3) & 7];
          left--;
          break;
        }
        case 13: {
          // EOR
          R[op & 7] = nz = R[op & 7] ^ R[(op >> 3) & 7];
          left--;
          break;
        }
        case 14: {
          // LSL_REG
          const shift = R[(op >> 3) & 7] & 255;
          const value = R[op & 7];
          if (shift === 0) nz = value;
          else if (shift < 32) {
            c = (value >>> (32 - shift)) & 1;
            nz = value << shift;
          } else {
            c = shift === 32 ? value & 1 : 0;
            nz = 0;
          }
          R[op & 7] = nz;
          left--;
          break;
        }
        case 15: {
          // LSR_REG
          const shift = R[(op >> 3) & 7] & 255;
          const value = R[op & 7];
          if (shift === 0) nz = value;
          else if (shift < 32) {
            c = (value >>> (shift - 1)) & 1;
            nz = (value >>> shift) | 0;
          } else {
            c = shift === 32 ? value >>> 31 : 0;
            nz = 0;
          }
          R[op & 7] = nz;
          left--;
          break;
        }
        case 16: {
          // ASR_REG
          const shift = R[(op >> 3) & 7] & 255;
          const value = R[op & 7];
          if (shift === 0) nz = value;
          else if (shift < 32) {
            c = (value >> (shift - 1)) & 1;
            nz = value >> shift;
          } else {
            nz = value >> 31;
            c = nz & 1;
          }
          R[op & 7] = nz;
          left--;
          break;
        }
        case 17: {
          // ADC
          const a = R[op & 7];
          const b = R[(op >> 3) & 7];
          const sum = (a >>> 0) + (b >>> 0) + c;
          nz = sum | 0;
          c = sum > 0xffffffff ? 1 : 0;
          v = ((a ^ nz) & (b ^ nz)) >>> 31;
          R[op & 7] = nz;
          left--;
          break;
        }
        case 18: {
          // SBC
          const a = R[op & 7];
          const b = R[(op >> 3) & 7];
          const difference = (a >>> 0) - (b >>> 0) - (1 - c);
          nz = difference | 0;
          c = difference >= 0 ? 1 : 0;
          v = ((a ^ b) & (a ^ nz)) >>> 31;
          R[op & 7] = nz;
          left--;
          break;
        }
        case 19: {
          // ROR
          const shift = R[(op >> 3) & 7] & 255;
          const value = R[op & 7];
          nz = (value >>> (shift & 31)) | (shift & 31 ? value << (32 - (shift & 31)) : 0);
          if (shift) c = nz >>> 31;
          R[op & 7] = nz;
          left--;
          break;
        }
        case 20: {
          // TST
          nz = R[op & 7] & R[(op >> 3) & 7];
          left--;
          break;
        }
        case 21: {
          // NEG
          const b = R[(op >> 3) & 7];
          R[op & 7] = nz = -b | 0;
          c = b === 0 ? 1 : 0;
          v = (b & nz) >>> 31;
          left--;
          break;
        }
        case 22: {
          // CMP_REG
          const a = R[op & 7];
          const b = R[(op >> 3) & 7];
          nz = (a - b) | 0;
          c = a >>> 0 >= b >>> 0 ? 1 : 0;
          v = ((a ^ b) & (a ^ nz)) >>> 31;
          left--;
          break;
        }
        case 23: {
          // CMN
          const a = R[op & 7];
          const b = R[(op >> 3) & 7];
          nz = (a + b) | 0;
          c = nz >>> 0 < a >>> 0 ? 1 : 0;
          v = ((a ^ nz) & (b ^ nz)) >>> 31;
          left--;
          break;
        }
        case 24: {
          // ORR
          R[op & 7] = nz = R[op & 7] | R[(op >> 3) & 7];
          left--;
          break;
        }
        case 25: {
          // MUL
          R[op & 7] = nz = Math.imul(R[op & 7], R[(op >> 3) & 7]);
          left--;
          break;
        }
        case 26: {
          // BIC
          R[op & 7] = nz = R[op & 7] & ~R[(op >> 3) & 7];
          left--;
          break;
        }
        case 27: {
          // MVN
          R[op & 7] = nz = ~R[(op >> 3) & 7];
          left--;
          break;
        }
        case 28: {
          // ADD_HI
          const rd = ((op >> 4) & 8) | (op & 7);
          const rm = (op >> 3) & 15;
          const a = rd === PC ? pc + 2 : R[rd];
          const b = rm === PC ? pc + 2 : R[rm];
          const sum = (a + b) | 0;
          if (rd === PC) {
            pc = sum & ~1;
            left--;
          } else {
            R[rd] = rd === SP ? sum & ~3 : sum;
          }
          left--;
          break;
        }
        case 29: {
          // CMP_HI
          const a = R[((op >> 4) & 8) | (op & 7)];
          const b = R[(op >> 3) & 15];
          nz = (a - b) | 0;
          c = a >>> 0 >= b >>> 0 ? 1 : 0;
          v = ((a ^ b) & (a ^ nz)) >>> 31;
          left--;
          break;
        }
        case 30: {
          // MOV_HI
          const rd = ((op >> 4) & 8) | (op & 7);
          const rm = (op >> 3) & 15;
          const value = rm === PC ? pc + 2 : R[rm];
          if (rd === PC) {
            pc = value & ~1;
            left--;
          } else {
            R[rd] = rd === SP ? value & ~3 : value;
          }
          left--;
          break;
        }
        case 31: {
          // BX
          const target = R[(op >> 3) & 15];
          left -= 2;
          if (target >>> 28 === 15 && core.currentMode === 1) {
            clock.now = end - left;
            core.BXWritePC(target >>> 0);
            pc = R[PC] & ~1;
            nz = core.Z ? 0 : core.N ? -1 : 1;
            c = core.C ? 1 : 0;
            v = core.V ? 1 : 0;
            floor = STOP;
          } else {
            pc = target & ~1;
          }
          break;
        }
        case 32: {
          // BLX
          const target = R[(op >> 3) & 15];
          R[LR] = pc | 1;
          pc = target & ~1;
          left -= 2;
          break;
        }
        case 33: {
          // LDR_PC
          const address = (((pc + 2) & ~3) + ((op & 255) << 2)) | 0;
          const where = address >>> 28;
          left -= 2;
          R[(op >> 8) & 7] =
            address >>> 26 === 4
              ? flash32[(address & 0xffffff) >>> 2]
              : where === 2
                ? ram32[(address & 0x7ffff) >>> 2]
                : read32(address, end - left);
          break;
        }
        case 34: // STR_REG
        case 42: // STR_IMM
        case 48: {
          // STR_SP
          const kind = kinds[op];
          const address =
            kind === 34
              ? (R[(op >> 3) & 7] + R[(op >> 6) & 7]) | 0
              : kind === 42
                ? (R[(op >> 3) & 7] + ((op >> 4) & 0x7c)) | 0
                : (R[SP] + ((op & 255) << 2)) | 0;
          const value = R[kind === 48 ? (op >> 8) & 7 : op & 7];
          if (address >>> 28 === 2) {
            ram32[(address & 0x7ffff) >>> 2] = value;
            left -= 2;
          } else {
            write32(address, value, end - left);
            left -= 1 + wait(address, true);
            if (clock.touched || core.interruptsUpdated) floor = STOP;
          }
          break;
        }
        case 35: // STRH_REG
        case 46: {
          // STRH_IMM
          const address =
            kinds[op] === 35
              ? (R[(op >> 3) & 7] + R[(op >> 6) & 7]) | 0
              : (R[(op >> 3) & 7] + ((op >> 5) & 0x3e)) | 0;
          if (address >>> 28 === 2) {
            ram16[(address & 0x7ffff) >>> 1] = R[op & 7];
            left -= 2;
          } else {
            write16(address, R[op & 7], end - left);
            left -= 1 + wait(address, true);
            if (clock.touched || core.interruptsUpdated) floor = STOP;
          }
          break;
        }
        case 36: // STRB_REG
        case 44: {
          // STRB_IMM
          const address =
            kinds[op] === 36
              ? (R[(op >> 3) & 7] + R[(op >> 6) & 7]) | 0
              : (R[(op >> 3) & 7] + ((op >> 6) & 31)) | 0;
          if (address >>> 28 === 2) {
            ram8[address & 0x7ffff] = R[op & 7];
            left -= 2;
          } else {
            write8(address, R[op & 7], end - left);
            left -= 1 + wait(address, true);
            if (clock.touched || core.interruptsUpdated) floor = STOP;
          }
          break;
        }
        case 38: // LDR_REG
        case 43: // LDR_IMM
        case 49: {
          // LDR_SP
          const kind = kinds[op];
          const address =
            kind === 43
              ? (R[(op >> 3) & 7] + ((op >> 4) & 0x7c)) | 0
              : kind === 38
                ? (R[(op >> 3) & 7] + R[(op >> 6) & 7]) | 0
                : (R[SP] + ((op & 255) << 2)) | 0;
          const rt = kind === 49 ? (op >> 8) & 7 : op & 7;
          const where = address >>> 28;
          if (where === 2) {
            R[rt] = ram32[(address & 0x7ffff) >>> 2];
            left -= 2;
          } else if (address >>> 26 === 4) {
            R[rt] = flash32[(address & 0xffffff) >>> 2];
            left -= 2;
          } else {
            R[rt] = read32(address, end - left);
            left -= 1 + wait(address, false);
            if (clock.touched || core.interruptsUpdated) floor = STOP;
          }
          break;
        }
        case 39: // LDRH_REG
        case 41: // LDRSH_REG
        case 47: {
          // LDRH_IMM
          const kind = kinds[op];
          const address =
            kind === 47
              ? (R[(op >> 3) & 7] + ((op >> 5) & 0x3e)) | 0
              : (R[(op >> 3) & 7] + R[(op >> 6) & 7]) | 0;
          const where = address >>> 28;
          let value;
          left -= 2;
          if (where === 2) value = ram16[(address & 0x7ffff) >>> 1];
          else if (address >>> 26 === 4) value = flash16[(address & 0xffffff) >>> 1];
          else {
            value = read16(address, end - left - 2);
            left -= wait(address, false) - 1;
            if (clock.touched || core.interruptsUpdated) floor = STOP;
          }
          R[op & 7] = kind === 41 ? (value << 16) >> 16 : value;
          break;
        }
        case 37: // LDRSB_REG
        case 40: // LDRB_REG
        case 45: {
          // LDRB_IMM
          const kind = kinds[op];
          const address =
            kind === 45
              ? (R[(op >> 3) & 7] + ((op >> 6) & 31)) | 0
              : (R[(op >> 3) & 7] + R[(op >> 6) & 7]) | 0;
          const where = address >>> 28;
          let value;
          left -= 2;
          if (where === 2) value = ram8[address & 0x7ffff];
          else if (address >>> 26 === 4) value = flash8[address & 0xffffff];
          else {
            value = read8(address, end - left - 2);
            left -= wait(address, false) - 1;
            if (clock.touched || core.interruptsUpdated) floor = STOP;
          }
          R[op & 7] = kind === 37 ? (value << 24) >> 24 : value;
          break;
        }
        case 50: {
          // ADR
          R[(op >> 8) & 7] = ((pc + 2) & ~3) + ((op & 255) << 2);
          left--;
          break;
        }
        case 51: {
          // ADD_RD_SP
          R[(op >> 8) & 7] = R[SP] + ((op & 255) << 2);
          left--;
          break;
        }
        case 52: {
          // ADD_SP
          R[SP] = R[SP] + ((op & 127) << 2);
          left--;
          break;
        }
        case 53: {
          // SUB_SP
          R[SP] = R[SP] - ((op & 127) << 2);
          left--;
          break;
        }
        case 54: {
          // SXTH
          R[op & 7] = (R[(op >> 3) & 7] << 16) >> 16;
          left--;
          break;
        }
        case 55: {
          // SXTB
          R[op & 7] = (R[(op >> 3) & 7] << 24) >> 24;
          left--;
          break;
        }
        case 56: {
          // UXTH
          R[op & 7] = R[(op >> 3) & 7] & 0xffff;
          left--;
          break;
        }
        case 57: {
          // UXTB
          R[op & 7] = R[(op >> 3) & 7] & 0xff;
          left--;
          break;
        }
        case 58: {
          // PUSH
          const count = bitCounts[op & 511];
          let at = ((R[SP] - 4 * count) & 0x7ffff) >>> 2;
          for (let list = op & 255, i = 0; list; list >>= 1, i++) {
            if (list & 1) ram32[at++] = R[i];
          }
          if (op & 256) ram32[at] = R[LR];
          R[SP] = R[SP] - 4 * count;
          left -= 1 + count;
          break;
        }
        case 59: {
          // POP
          let at = (R[SP] & 0x7ffff) >>> 2;
          for (let list = op & 255, i = 0; list; list >>= 1, i++) {
            if (list & 1) R[i] = ram32[at++];
          }
          const count = bitCounts[op & 511];
          R[SP] = R[SP] + 4 * count;
          left -= 1 + count;
          if (op & 256) {
            const target = ram32[at];
            left -= 2;
            if (target >>> 28 === 15 && core.currentMode === 1) {
              clock.now = end - left;
              core.BXWritePC(target >>> 0);
              pc = R[PC] & ~1;
              nz = core.Z ? 0 : core.N ? -1 : 1;
              c = core.C ? 1 : 0;
              v = core.V ? 1 : 0;
              floor = STOP;
            } else {
              pc = target & ~1;
            }
          }
          break;
        }
        case 60: {
          // CPSIE
          core.PM = false;
          left--;
          if (anyPending()) {
            core.interruptsUpdated = true;
            floor = STOP;
          }
          break;
        }
        case 61: {
          // CPSID
          core.PM = true;
          left--;
          break;
        }
        case 62: {
          // REV
          const value = R[(op >> 3) & 7];
          R[op & 7] =
            (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
          left--;
          break;
        }
        case 63: {
          // STM
          const rn = (op >> 8) & 7;
          let address = R[rn];
          const count = bitCounts[op & 255];
          for (let list = op & 255, i = 0; list; list >>= 1, i++) {
            if (!(list & 1)) continue;
            if (address >>> 28 === 2) ram32[(address & 0x7ffff) >>> 2] = R[i];
            else write32(address, R[i], end - left);
            address = (address + 4) | 0;
          }
          R[rn] = address;
          left -= 1 + count;
          if (clock.touched || core.interruptsUpdated) floor = STOP;
          break;
        }
        case 64: {
          // LDM
          const rn = (op >> 8) & 7;
          let address = R[rn];
          const count = bitCounts[op & 255];
          for (let list = op & 255, i = 0; list; list >>= 1, i++) {
            if (!(list & 1)) continue;
            const where = address >>> 28;
            R[i] =
              where === 2
                ? ram32[(address & 0x7ffff) >>> 2]
                : address >>> 26 === 4
                  ? flash32[(address & 0xffffff) >>> 2]
                  : read32(address, end - left);
            address = (address + 4) | 0;
          }
          if (!(op & (1 << rn))) R[rn] = address;
          left -= 1 + count;
          if (clock.touched || core.interruptsUpdated) floor = STOP;
          break;
        }
        case 65: {
          // NOP
          left--;
          break;
        }
        case 66: {
          // BEQ
          left--;
          if (nz === 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 67: {
          // BNE
          left--;
          if (nz !== 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 68: {
          // BCS
          left--;
          if (c !== 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 69: {
          // BCC
          left--;
          if (c === 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 70: {
          // BMI
          left--;
          if (nz < 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 71: {
          // BPL
          left--;
          if (nz >= 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 72: {
          // BVS
          left--;
          if (v !== 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 73: {
          // BVC
          left--;
          if (v === 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 74: {
          // BHI
          left--;
          if (c !== 0 && nz !== 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 75: {
          // BLS
          left--;
          if (c === 0 || nz === 0) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 76: {
          // BGE
          left--;
          if (nz < 0 === (v !== 0)) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 77: {
          // BLT
          left--;
          if (nz < 0 !== (v !== 0)) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 78: {
          // BGT
          left--;
          if (nz !== 0 && nz < 0 === (v !== 0)) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 79: {
          // BLE
          left--;
          if (nz === 0 || nz < 0 !== (v !== 0)) {
            pc = (pc + 2 + ((op << 24) >> 23)) | 0;
            left--;
          }
          break;
        }
        case 80: {
          // B
          pc = (pc + 2 + ((op << 21) >> 20)) | 0;
          left -= 2;
          break;
        }
        case 81: {
          // LONG: BL, barriers and PRIMASK here, the others are rp2040js's
          const second =
            region === 1
              ? flash16[(pc & 0xffffff) >>> 1]
              : region === 2
                ? ram16[(pc & 0x7ffff) >>> 1]
                : rom16[pc >>> 1];
          if ((second & 0xd000) === 0xd000) {
            const sign = (op >> 10) & 1;
            const i1 = 1 ^ ((second >> 13) & 1) ^ sign;
            const i2 = 1 ^ ((second >> 11) & 1) ^ sign;
            const offset =
              (sign ? 0xff000000 : 0) |
              (i1 << 23) |
              (i2 << 22) |
              ((op & 0x3ff) << 12) |
              ((second & 0x7ff) << 1);
            R[LR] = (pc + 2) | 1;
            pc = (pc + 2 + offset) | 0;
            left -= 3;
            break;
          }
          if (op === 0xf3bf) {
            // DMB, DSB, ISB: everything is in order anyway
            pc = (pc + 2) | 0;
            left -= 3;
            break;
          }
          if (op === 0xf3ef && (second & 0xff) === PRIMASK) {
            R[(second >> 8) & 15] = core.PM ? 1 : 0;
            pc = (pc + 2) | 0;
            left -= 3;
            break;
          }
          if (op >> 4 === 0xf38 && (second & 0xff) === PRIMASK) {
            core.PM = (R[op & 15] & 1) !== 0;
            pc = (pc + 2) | 0;
            left -= 3;
            if (!core.PM && anyPending()) {
              core.interruptsUpdated = true;
              floor = STOP;
            }
            break;
          }
          R[PC] = pc - 2;
          core.N = nz < 0;
          core.Z = nz === 0;
          core.C = c !== 0;
          core.V = v !== 0;
          clock.now = end - left;
          left -= core.executeInstruction();
          pc = R[PC] & ~1;
          nz = core.Z ? 0 : core.N ? -1 : 1;
          c = core.C ? 1 : 0;
          v = core.V ? 1 : 0;
          if (clock.touched || core.interruptsUpdated || core.waiting) floor = STOP;
          break;
        }
      }
    } while (left > floor);
    R[PC] = pc;
    core.N = nz < 0;
    core.Z = nz === 0;
    core.C = c !== 0;
    core.V = v !== 0;
    return end - left;
  };
  return core;
}
