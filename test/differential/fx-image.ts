/** Floating-point state as FXSAVE64 lays it out, and the upper halves of vector registers, to and from our processor. */
import type { CpuState } from '../../emulator/cpu/state';
import * as layout from '../../emulator/execution/layout';

const AT = { control: 0, status: 2, tags: 4, mxcsr: 24, st: 32, xmm: 160 } as const;

export function loadFloat({ bytes, view }: CpuState, fx: Uint8Array, upper: Uint8Array): void {
  const source = new DataView(fx.buffer, fx.byteOffset, 512);
  view.setUint16(layout.X87_CONTROL, source.getUint16(AT.control, true), true);
  const status = source.getUint16(AT.status, true);
  view.setUint16(layout.X87_STATUS, status, true);
  bytes[layout.X87_TAGS] = fx[AT.tags];
  bytes.fill(0, layout.X87_OPCODE, layout.MXCSR);
  view.setUint32(layout.MXCSR, source.getUint32(AT.mxcsr, true), true);
  for (let i = 0; i < 8; i++)
    bytes.set(fx.subarray(AT.st + i * 16, AT.st + i * 16 + 10), layout.X87 + (((status >> 11) + i) & 7) * 16);
  for (let i = 0; i < 16; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE;
    bytes.set(fx.subarray(AT.xmm + i * 16, AT.xmm + i * 16 + 16), at);
    bytes.set(upper.subarray(i * 16, i * 16 + 16), at + 16);
  }
}

/** `before`: what is in the image's other places. */
export function storeFloat({ bytes, view }: CpuState, before: Uint8Array): Uint8Array {
  const fx = before.slice();
  const target = new DataView(fx.buffer);
  const status = view.getUint16(layout.X87_STATUS, true);
  target.setUint16(AT.control, view.getUint16(layout.X87_CONTROL, true), true);
  target.setUint16(AT.status, status, true);
  fx[AT.tags] = bytes[layout.X87_TAGS];
  target.setUint32(AT.mxcsr, view.getUint32(layout.MXCSR, true), true);
  for (let i = 0; i < 8; i++) {
    const at = layout.X87 + (((status >> 11) + i) & 7) * 16;
    fx.set(bytes.subarray(at, at + 10), AT.st + i * 16);
  }
  for (let i = 0; i < 16; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE;
    fx.set(bytes.subarray(at, at + 16), AT.xmm + i * 16);
  }
  return fx;
}

export function upperHalves({ bytes }: CpuState): Uint8Array {
  const upper = new Uint8Array(256);
  for (let i = 0; i < 16; i++) {
    const at = layout.VECTORS + i * layout.VECTOR_SIZE + 16;
    upper.set(bytes.subarray(at, at + 16), i * 16);
  }
  return upper;
}
