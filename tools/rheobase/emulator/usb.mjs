// The host's end of the USB serial port.

import { USBCDC } from 'rp2040js';

const BUFFER_CONTROL_FIRST = 0x80;
const BUFFER_CONTROL_LAST = 0xfc;
const AVAILABLE = 1 << 10;
const FULL = 1 << 15;
const LENGTH = 0x3ff;
const SOF_RD = 0x48;
const INTE = 0x90;
const DEV_SOF = 1 << 17;
const FRAME_MICROS = 1000;

// Full speed moves a bulk packet of 64 bytes in some 50 us: 13 bytes of overhead, 12 Mbit/s.
const packetNanos = (length) => Math.ceil(((length + 13) * 8 * 1e9) / 12e6);

/**
 * rp2040js's host enumerates the device; this one then behaves as a host does. It polls with
 * tokens that the device may leave unanswered (rp2040js sends an empty packet every 10 us when it
 * has nothing to say), packets take their time, and a host that does not read leaves the device's
 * packets where they are.
 */
export class SerialHost extends USBCDC {
  /** `received(bytes)` gets what the device sends; `open()` tells whether to open the port. */
  constructor(rp2040, clock, { received, open }) {
    super(rp2040.usbCtrl);
    this.rp2040 = rp2040;
    this.clock = clock;
    this.received = received;
    this.toDevice = [];
    this.room = 0; // bytes the device is ready to take
    this.reading = true;
    this.connected = false;
    this.held = null; // a packet of the device that nobody reads
    this.isOpen = open;
    this.onDeviceConnected = () => {
      this.connected = true;
    };
    this.delivery = clock.createAlarm(() => this.deliver());
    this.usb.onEndpointRead = (endpoint, size) => {
      if (endpoint !== this.outEndpoint) return;
      this.room = size;
      this.send();
    };
    const { DPRAMUpdated } = this.usb;
    this.usb.DPRAMUpdated = (offset, value) => {
      if (!this.takesPacket(offset, value)) DPRAMUpdated.call(this.usb, offset, value);
    };
    this.startFrames();
  }

  /** Starts a frame every millisecond: TinyUSB counts on these to send what it still holds. */
  startFrames() {
    const { usb, clock } = this;
    const frame = clock.createAlarm(() => {
      usb.intRaw |= DEV_SOF;
      usb.checkInterrupts();
      next();
    });
    const next = () => {
      if (!(usb.intEnable & DEV_SOF)) return;
      frame.schedule((FRAME_MICROS - (clock.micros % FRAME_MICROS)) * 1000);
    };
    const { readUint32, writeUint32 } = usb;
    usb.readUint32 = (offset) => {
      if (offset !== SOF_RD) return readUint32.call(usb, offset);
      usb.intRaw &= ~DEV_SOF;
      usb.checkInterrupts();
      return Math.floor(clock.micros / FRAME_MICROS) & 0x7ff;
    };
    usb.writeUint32 = (offset, value) => {
      writeUint32.call(usb, offset, value);
      if (offset !== INTE) return;
      if (usb.intEnable & DEV_SOF && !frame.scheduled) next();
      if (!(usb.intEnable & DEV_SOF)) frame.cancel();
    };
  }

  /** Tells the device by DTR and RTS whether a program on the host has the port open. */
  cdcSetControlLineState(value = this.isOpen() ? 3 : 0) {
    super.cdcSetControlLineState(value);
  }

  setReading(reading) {
    this.reading = reading;
    if (reading && this.held) this.delivery.schedule(packetNanos(this.held.length));
  }

  write(bytes) {
    for (const byte of bytes) this.toDevice.push(byte);
    this.send();
  }

  send() {
    if (!this.room || !this.toDevice.length) return;
    const packet = Uint8Array.from(this.toDevice.splice(0, this.room));
    this.room = 0;
    this.usb.endpointReadDone(this.outEndpoint, packet, packetNanos(packet.length) / 1000);
  }

  /** The device has a packet of serial data ready. */
  takesPacket(offset, value) {
    if (this.inEndpoint < 0 || offset < BUFFER_CONTROL_FIRST || offset > BUFFER_CONTROL_LAST) {
      return false;
    }
    const endpoint = (offset - BUFFER_CONTROL_FIRST) >> 3;
    if (endpoint !== this.inEndpoint || offset & 4 || !(value & AVAILABLE)) return false;
    const length = value & LENGTH;
    this.held = { offset, value, length };
    if (this.reading) this.delivery.schedule(packetNanos(length));
    return true;
  }

  deliver() {
    if (!this.reading || !this.held) return;
    const { offset, value, length } = this.held;
    this.held = null;
    const { usb, rp2040 } = this;
    const at = usb.getEndpointBufferOffset(this.inEndpoint, false);
    const bytes = rp2040.usbDPRAM.slice(at, at + length);
    rp2040.usbDPRAMView.setUint32(offset, value & ~(AVAILABLE | FULL), true);
    usb.indicateBufferReady(this.inEndpoint, false);
    if (bytes.length) this.received(bytes);
  }
}
