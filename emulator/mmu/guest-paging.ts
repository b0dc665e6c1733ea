/**
 * The formats of paging structures that CR3 can point to, as data for the one loop in walk.ts.
 * Source: Intel SDM vol. 3A chapter 4 (325384-080): 4.3 (32-bit), 4.4 (PAE), 4.5 (4-level), tables 4-4 to 4-20.
 */

/** Bits of an entry, low word; the same in all guest formats. */
export const ENTRY = { P: 1, W: 2, U: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const;
/** Bit 63, in the high word. */
export const NO_EXECUTE = 0x8000_0000 | 0;

/** Width of a guest-physical address: CPUID 80000008 says the same. */
export const MAXPHYADDR = 40;

export interface PagingLevel {
  /** As the manual calls the entry. */
  readonly name: string;
  /** 4 for PML4E down to 1 for PTE. */
  readonly level: number;
  /** Lowest bit of the address that this level resolves: a leaf here maps 2**shift bytes. */
  readonly shift: number;
  readonly indexMask: number;
  /** PS makes an entry a leaf. */
  readonly large: boolean;
  /** Always a leaf. */
  readonly last: boolean;
  /** Entries carry rights and an accessed bit (all but PAE's PDPTEs). */
  readonly rights: boolean;
  /** Read from the PDPTE registers, not from memory (SDM 4.4.1). */
  readonly registers: boolean;
  /** A leaf holds bits 39:32 of the address in its bits 20:13 (PSE-36, SDM table 4-4). */
  readonly pse36: boolean;
  /** Bits that must be 0 in an entry that points to a table, and in a leaf: low and high word. */
  readonly tableReservedLow: number;
  readonly tableReservedHigh: number;
  readonly leafReservedLow: number;
  readonly leafReservedHigh: number;
}

export interface PagingFormat {
  readonly name: 'none' | '2-level' | 'PAE' | '4-level' | 'EPT';
  readonly entryBytes: 4 | 8;
  readonly levels: readonly PagingLevel[];
  /** Present if any of these is set. */
  readonly presentMask: number;
  readonly largeMask: number;
  readonly accessedMask: number;
  readonly dirtyMask: number;
  /** In the high word: the entry forbids execution. 0 where the format has no such bit, or EFER.NXE is 0. */
  readonly noExecuteMask: number;
  /** EPT: what an entry must have for a read, a write and a fetch, whoever asks. */
  readonly rights?: readonly [read: number, write: number, execute: number];
  /** Further combinations of bits that no entry may have. */
  malformed?(low: number, leaf: boolean): boolean;
}

export interface PagingOptions {
  nxe: boolean;
  /** CR4.PSE: only the 2-level format asks. */
  pse: boolean;
  /** 1 GiB pages exist (CPUID PDPE1GB). */
  gigabytePages: boolean;
}

/** Bits MAXPHYADDR to 51 in the high word. */
const ABOVE_MAXPHYADDR = 0x000f_ffff & ~((1 << (MAXPHYADDR - 32)) - 1);
/** PAE also reserves 52 to 62 (SDM table 4-9 ff.). */
const PAE_IGNORED_IS_RESERVED = 0x7ff0_0000;

export interface LevelSpec {
  name: string;
  level: number;
  shift: number;
  bits: number;
  large?: boolean;
  last?: boolean;
  rights?: boolean;
  registers?: boolean;
  pse36?: boolean;
  tableReserved?: number;
  leafReserved?: number;
}

export const buildFormat = (
  name: PagingFormat['name'],
  entryBytes: 4 | 8,
  reservedHigh: number,
  nxe: boolean,
  levels: LevelSpec[],
): PagingFormat => ({
  name,
  entryBytes,
  presentMask: ENTRY.P,
  largeMask: ENTRY.PS,
  accessedMask: ENTRY.A,
  dirtyMask: ENTRY.D,
  noExecuteMask: entryBytes === 8 && nxe ? NO_EXECUTE : 0,
  levels: levels.map((l) => ({
    name: l.name,
    level: l.level,
    shift: l.shift,
    indexMask: (1 << l.bits) - 1,
    large: l.large ?? false,
    last: l.last ?? false,
    rights: l.rights ?? true,
    registers: l.registers ?? false,
    pse36: l.pse36 ?? false,
    tableReservedLow: l.tableReserved ?? 0,
    tableReservedHigh: reservedHigh,
    leafReservedLow: l.leafReserved ?? 0,
    leafReservedHigh: reservedHigh,
  })),
});

const formats = new Map<string, PagingFormat>();
const remember = (key: string, make: () => PagingFormat): PagingFormat => {
  let format = formats.get(key);
  if (!format) formats.set(key, (format = make()));
  return format;
};

/** Without CR4.PSE bit 7 of a PDE means nothing. A 4 MiB leaf reserves bit 21 (table 4-4, MAXPHYADDR 40). */
const twoLevel = (pse: boolean): PagingFormat =>
  buildFormat('2-level', 4, 0, false, [
    { name: 'PDE', level: 2, shift: 22, bits: 10, large: pse, pse36: pse, leafReserved: 1 << 21 },
    { name: 'PTE', level: 1, shift: 12, bits: 10, last: true },
  ]);

const pae = (nxe: boolean): PagingFormat =>
  buildFormat('PAE', 8, ABOVE_MAXPHYADDR | PAE_IGNORED_IS_RESERVED | (nxe ? 0 : NO_EXECUTE), nxe, [
    // Checked when CR3 was loaded: a PDPTE register never holds reserved bits (SDM 4.4.1).
    { name: 'PDPTE', level: 3, shift: 30, bits: 2, rights: false, registers: true },
    { name: 'PDE', level: 2, shift: 21, bits: 9, large: true, leafReserved: 0x1f_e000 },
    { name: 'PTE', level: 1, shift: 12, bits: 9, last: true },
  ]);

const fourLevel = (nxe: boolean, gigabytePages: boolean): PagingFormat =>
  buildFormat('4-level', 8, ABOVE_MAXPHYADDR | (nxe ? 0 : NO_EXECUTE), nxe, [
    { name: 'PML4E', level: 4, shift: 39, bits: 9, tableReserved: ENTRY.PS },
    {
      name: 'PDPTE',
      level: 3,
      shift: 30,
      bits: 9,
      large: gigabytePages,
      tableReserved: gigabytePages ? 0 : ENTRY.PS,
      leafReserved: 0x3fff_e000,
    },
    { name: 'PDE', level: 2, shift: 21, bits: 9, large: true, leafReserved: 0x1f_e000 },
    { name: 'PTE', level: 1, shift: 12, bits: 9, last: true },
  ]);

/** Reserved bits of a PAE PDPTE as loading CR3 checks them (SDM table 4-8): low and high word. */
export const PDPTE_RESERVED = { low: 0x1e6, high: (-1 << (MAXPHYADDR - 32)) | 0 } as const;

export const NO_PAGING: PagingFormat = buildFormat('none', 4, 0, false, []);

/** Which format the control registers select (SDM 4.1.1). */
export const formatOf = (
  paging: boolean,
  physicalAddressExtension: boolean,
  longMode: boolean,
  options: PagingOptions,
): PagingFormat => {
  if (!paging) return NO_PAGING;
  if (!physicalAddressExtension) return remember(`2${options.pse}`, () => twoLevel(options.pse));
  if (!longMode) return remember(`3${options.nxe}`, () => pae(options.nxe));
  return remember(`4${options.nxe}${options.gigabytePages}`, () => fourLevel(options.nxe, options.gigabytePages));
};

/** An address space and the rules in force: what a walk needs besides the address. */
export interface PagingContext {
  format: PagingFormat;
  /** gpa of the first table. */
  root: number;
  /** PAE: the four PDPTE registers, low and high word each. */
  pdptes: Int32Array;
  /** CR0.WP: supervisor writes obey W. */
  writeProtect: boolean;
  smep: boolean;
  smap: boolean;
}

/** Nested tables of AMD-V: the processor's own long-mode format, with all that it can (APM vol. 2 15.25.3). */
export const nptContext = (root: number): PagingContext => ({
  ...emptyContext(),
  format: formatOf(true, true, true, { nxe: true, pse: false, gigabytePages: true }),
  root,
  writeProtect: true,
});

export const emptyContext = (): PagingContext => ({
  format: NO_PAGING,
  root: 0,
  pdptes: new Int32Array(8),
  writeProtect: false,
  smep: false,
  smap: false,
});
