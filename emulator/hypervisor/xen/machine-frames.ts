/** Host memory by frames, as the hypervisor itself reads and writes it. */
import { PAGE, PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import type { MachineFrames } from './ports';

export class HostFrames implements MachineFrames {
  readonly frames: number;

  constructor(private readonly host: PhysicalMemory) {
    this.frames = host.size / PAGE_BYTES;
  }

  private at(mfn: number, offset: number, bytes: number): number {
    assert(
      mfn >= 0 && mfn < this.frames && offset >= 0 && offset + bytes <= PAGE_BYTES,
      `no ${bytes} bytes at ${offset} of frame ${mfn}`,
    );
    return this.host.base + mfn * PAGE_BYTES + offset;
  }
  private written(mfn: number, offset: number, bytes: number): void {
    const flags = this.host.pages[mfn];
    const hpa = mfn * PAGE_BYTES + offset;
    if (flags & PAGE.CODE) this.host.onCodeWrite(hpa, bytes);
    if (flags & PAGE.FOLLOWED) this.host.onFollowedWrite(hpa, bytes);
  }

  read(mfn: number, offset: number, bytes: 1 | 2 | 4): number {
    const at = this.at(mfn, offset, bytes);
    const { view } = this.host;
    return bytes === 4 ? view.getUint32(at, true) : bytes === 2 ? view.getUint16(at, true) : view.getUint8(at);
  }
  read64(mfn: number, offset: number): bigint {
    return this.host.view.getBigUint64(this.at(mfn, offset, 8), true);
  }
  write(mfn: number, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const at = this.at(mfn, offset, bytes);
    const { view } = this.host;
    if (bytes === 4) view.setUint32(at, value, true);
    else if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint8(at, value);
    this.written(mfn, offset, bytes);
  }
  write64(mfn: number, offset: number, value: bigint): void {
    this.host.view.setBigUint64(this.at(mfn, offset, 8), value, true);
    this.written(mfn, offset, 8);
  }
  readBytes(mfn: number, offset: number, bytes: number): Uint8Array {
    const at = this.at(mfn, offset, bytes);
    return this.host.data.slice(at, at + bytes);
  }
  writeBytes(mfn: number, offset: number, data: Uint8Array): void {
    this.host.data.set(data, this.at(mfn, offset, data.length));
    if (data.length > 0) this.written(mfn, offset, data.length);
  }
  clear(mfn: number): void {
    const at = this.at(mfn, 0, PAGE_BYTES);
    this.host.data.fill(0, at, at + PAGE_BYTES);
    this.written(mfn, 0, PAGE_BYTES);
  }
}
