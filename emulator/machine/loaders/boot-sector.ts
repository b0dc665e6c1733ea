/** The first sector of a disk, as a PC's BIOS starts it: at 0000:7C00 in real mode, the drive's number in DL. */
import type { BootInput } from '../api';
import { realEntry } from './entry';
import type { Fields } from './fields';
import type { BootEnvironment, BootImage } from './image';
import { refuse } from './modules';
import { Placement } from './placement';

const SECTOR = 512;
const LOAD_ADDRESS = 0x7c00;
const FIRST_HARD_DISK = 0x80n;

export const isBootSector = (file: Fields): boolean =>
  file.length >= SECTOR && file.bytes[510] === 0x55 && file.bytes[511] === 0xaa;

export const loadBootSector = (input: BootInput, environment: BootEnvironment): BootImage => {
  refuse(input, 'a boot sector', ['append', 'initrd', 'modules']);
  const placement = new Placement(input.name, environment);
  placement.claim('the boot sector', LOAD_ADDRESS, input.kernel.subarray(0, SECTOR));
  return {
    format: 'boot-sector',
    writes: placement.writes,
    zero: placement.zero,
    // The stack grows down from the sector, which is where BIOSes leave it at the latest.
    entry: realEntry(0, LOAD_ADDRESS, 0, { rdx: FIRST_HARD_DISK, rsp: BigInt(LOAD_ADDRESS) }),
    needsBios: true,
    disk: input.kernel,
  };
};
