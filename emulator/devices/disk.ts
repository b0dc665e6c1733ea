/**
 * What is on a disk: the host's image underneath, which is never written, and what the guest wrote over it. The state of a
 * disk is only the latter: a snapshot goes with the image that it was made on, and says so if it is another.
 */
import type { DiskContent } from '../machine/api';
import { assert } from '../util/assert';

export const SECTOR_BYTES = 512;
/** Written data is kept in pieces of so many bytes: most file systems write whole ones. */
const PIECE_BYTES = 4096;

export interface DiskSaved {
  /** Of the image underneath. */
  imageBytes: number;
  /** Ascending; each PIECE_BYTES long but for the last of the disk. */
  written: { piece: number; bytes: Uint8Array }[];
}

export class Disk {
  /** Whole sectors: what an image lacks to the last of them reads as zeros. */
  readonly sectors: number;
  private written = new Map<number, Uint8Array>();
  /** The piece of the image that was read last: guests go through files sector by sector. */
  private last: { piece: number; bytes: Uint8Array } | undefined;

  constructor(
    readonly name: string,
    private readonly image: DiskContent,
    readonly readOnly: boolean,
  ) {
    this.sectors = Math.ceil(image.bytes / SECTOR_BYTES);
  }

  get bytes(): number {
    return this.sectors * SECTOR_BYTES;
  }

  /** Within the disk. */
  read(offset: number, bytes: number): Uint8Array {
    assert(offset >= 0 && offset + bytes <= this.bytes, `read of ${bytes} bytes at ${offset} of ${this.name}`);
    const out = new Uint8Array(bytes);
    for (let done = 0; done < bytes;) {
      const { piece, at, length } = this.part(offset + done, bytes - done);
      out.set(this.piece(piece).subarray(at, at + length), done);
      done += length;
    }
    return out;
  }

  write(offset: number, data: Uint8Array): void {
    assert(!this.readOnly && offset >= 0 && offset + data.length <= this.bytes, `write at ${offset} of ${this.name}`);
    for (let done = 0; done < data.length;) {
      const { piece, at, length } = this.part(offset + done, data.length - done);
      let bytes = this.written.get(piece);
      if (!bytes) this.written.set(piece, (bytes = this.piece(piece).slice()));
      bytes.set(data.subarray(done, done + length), at);
      done += length;
    }
  }

  /** What differs from the image, by pieces; ascending. Bytes past the end of the image are left out. */
  changes(): { offset: number; bytes: Uint8Array }[] {
    return this.save().written.map(({ piece, bytes }) => {
      const offset = piece * PIECE_BYTES;
      return { offset, bytes: bytes.subarray(0, Math.max(0, this.image.bytes - offset)) };
    });
  }

  save(): DiskSaved {
    const written = [...this.written].sort(([a], [b]) => a - b);
    return {
      imageBytes: this.image.bytes,
      written: written.map(([piece, bytes]) => ({ piece, bytes: bytes.slice() })),
    };
  }
  restore(saved: DiskSaved): void {
    assert(saved.imageBytes === this.image.bytes, `the snapshot is of another disk than ${this.name}`);
    this.written = new Map(saved.written.map(({ piece, bytes }) => [piece, bytes.slice()]));
  }

  private part(offset: number, bytes: number): { piece: number; at: number; length: number } {
    const piece = Math.floor(offset / PIECE_BYTES);
    const at = offset - piece * PIECE_BYTES;
    return { piece, at, length: Math.min(bytes, PIECE_BYTES - at) };
  }

  private piece(piece: number): Uint8Array {
    const written = this.written.get(piece);
    if (written) return written;
    if (this.last?.piece !== piece) {
      const offset = piece * PIECE_BYTES;
      const bytes = new Uint8Array(Math.min(PIECE_BYTES, this.bytes - offset));
      bytes.set(this.image.read(offset, Math.min(bytes.length, this.image.bytes - offset)));
      this.last = { piece, bytes };
    }
    return this.last.bytes;
  }
}
