/**
 * Cases for one instruction, who can execute them, and the host processor as one who does (host/oracle.c).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Where things lie in every case; host/oracle.c has the same numbers. Linear addresses in bytes. */
export const PLACE = {
  CODE_PAGE: 0x2000_0000, CODE_NORMAL: 0x2000_0800, CODE_END: 0x2000_1000,
  /** Two data pages, which are there once more where 16-bit addresses reach; nothing else is mapped. */
  DATA: 0x1000_0000, DATA_LOW: 0x8000, DATA_BYTES: 0x2000,
  /** The part of the data that cases fill and compare: across the border of the two pages. Outside of it are zeros. */
  AREA_OFFSET: 0xf00, AREA: 0x1000_0f00, AREA_LOW: 0x8f00, AREA_BYTES: 512,
  GS_BASE: 0x40,
  /** Fills the code page around the instruction: where a case jumps, it ends. */
  FILLING: 0xcc,
} as const; // prettier-ignore
/** Bytes of a case's code at most. */
export const CODE_BYTES = 32;

export interface Case {
  codeSize: 64 | 32;
  code: Uint8Array;
  /** The code ends with its page, and the next page is not there. */
  atPageEnd: boolean;
  rflags: number;
  /** Sixteen, in encoding order. */
  gprs: BigUint64Array;
  /** 512 bytes as FXSAVE64 lays out: x87, MXCSR, XMM. */
  fx: Uint8Array;
  memory: Uint8Array;
  /** Bits 255:128 of the sixteen vector registers, 256 bytes. */
  upper: Uint8Array;
}

export interface Result {
  /** -1: no exception; the code ran to its end or jumped away, to rip. */
  vector: number;
  errorCode: number;
  /** CR2 of a page fault. */
  faultAddress: bigint;
  rip: bigint;
  rflags: number;
  gprs: BigUint64Array;
  fx: Uint8Array;
  memory: Uint8Array;
  upper: Uint8Array;
  /** Wrote to the data pages outside of the area: not comparable. */
  stray: boolean;
}

/** Who executes cases: the host, our processor in either tier. */
export interface Executor {
  readonly name: string;
  run(cases: readonly Case[]): Result[];
}

export const startOf = (c: Case): number => (c.atPageEnd ? PLACE.CODE_END - c.code.length : PLACE.CODE_NORMAL);

const RECORD = 1456;
const AT = {
  caseCode: 8, caseFlags: 40, caseGprs: 48, caseFx: 176, caseMemory: 688, upper: 1200,
  errorCode: 4, address: 8, rip: 16, flags: 24, gprs: 32, fx: 160, memory: 672, stray: 1184,
} as const; // prettier-ignore
const BATCH = 4096;

function writeCase(c: Case, buffer: Uint8Array, view: DataView, at: number): void {
  buffer[at] = c.codeSize === 64 ? 0 : 1;
  buffer[at + 1] = c.code.length;
  buffer[at + 2] = c.atPageEnd ? 1 : 0;
  buffer.set(c.code, at + AT.caseCode);
  view.setBigUint64(at + AT.caseFlags, BigInt(c.rflags), true);
  buffer.set(new Uint8Array(c.gprs.buffer, c.gprs.byteOffset, 128), at + AT.caseGprs);
  buffer.set(c.fx, at + AT.caseFx);
  buffer.set(c.memory, at + AT.caseMemory);
  buffer.set(c.upper, at + AT.upper);
}

function readResult(bytes: Uint8Array, view: DataView, at: number): Result {
  const gprs = new BigUint64Array(16);
  new Uint8Array(gprs.buffer).set(bytes.subarray(at + AT.gprs, at + AT.gprs + 128));
  return {
    vector: view.getInt32(at, true), errorCode: view.getUint32(at + AT.errorCode, true),
    faultAddress: view.getBigUint64(at + AT.address, true), rip: view.getBigUint64(at + AT.rip, true),
    rflags: Number(view.getBigUint64(at + AT.flags, true)), gprs,
    fx: bytes.subarray(at + AT.fx, at + AT.fx + 512),
    memory: bytes.subarray(at + AT.memory, at + AT.memory + PLACE.AREA_BYTES),
    upper: bytes.subarray(at + AT.upper, at + AT.upper + 256),
    stray: view.getUint32(at + AT.stray, true) !== 0,
  }; // prettier-ignore
}

/** From the root, where npm and mocha run. */
const SOURCES = join('test', 'differential', 'host');
const CACHE = join('.cache', 'oracle');

/** The path of a program of host/, compiled anew when its source changed. */
export function buildForHost(name: 'oracle' | 'sequences'): string {
  const source = join(SOURCES, `${name}.c`);
  const hash = createHash('sha1')
    .update(readFileSync(source))
    .update(readFileSync(join(SOURCES, 'native.h')));
  const binary = join(CACHE, hash.digest('hex'));
  if (existsSync(binary)) return binary;
  mkdirSync(CACHE, { recursive: true });
  // Text begins where no address of a test happens to be: away from powers of two.
  const flags = '-O2 -static -no-pie -fno-pie -fno-stack-protector -fcf-protection=none -mno-red-zone -Wl,-Ttext-segment=0x6a3b1000'; // prettier-ignore
  const fresh = `${binary}.${process.pid}`;
  execFileSync('gcc', [...flags.split(' '), '-o', fresh, source]);
  renameSync(fresh, binary);
  return binary;
}

/** The processor that this test runs on. */
export class HostOracle implements Executor {
  readonly name: string;
  private readonly binary = buildForHost('oracle');

  private readonly cpu = readFileSync('/proc/cpuinfo', 'utf8');

  constructor() {
    const { cpu } = this;
    const field = (name: string): string => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(cpu)?.[1] ?? 'unknown';
    this.name = `${field('model name')} (${field('vendor_id')} family ${field('cpu family')} model ${field('model')})`;
  }

  /** Of those features that not every processor with AVX2 has. */
  has(feature: string | undefined): boolean {
    const flag = feature === 'sha' ? 'sha_ni' : feature;
    return !/^(sha|vaes|vpclmulqdq)$/.test(feature ?? '') || new RegExp(`^flags.* ${flag}\\b`, 'm').test(this.cpu);
  }

  /** Why it cannot be used here, if so. */
  static unavailable(): string | undefined {
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'the host is not x86-64 Linux';
    if (spawnSync('gcc', ['--version']).status !== 0) return 'there is no gcc';
    if (!/^flags.* avx2/m.test(readFileSync('/proc/cpuinfo', 'utf8'))) return 'the host has no AVX2';
    return undefined;
  }

  run(cases: readonly Case[]): Result[] {
    const results: Result[] = [];
    for (let first = 0; first < cases.length; first += BATCH) {
      const batch = cases.slice(first, first + BATCH);
      const input = new Uint8Array(batch.length * RECORD);
      const view = new DataView(input.buffer);
      batch.forEach((c, i) => writeCase(c, input, view, i * RECORD));
      const child = spawnSync(this.binary, { input, maxBuffer: input.length + 1 });
      if (child.status !== 0 || child.stdout.length !== input.length)
        throw new Error(`the oracle died: status ${child.status} signal ${child.signal} ${child.stderr}`);
      const out = new Uint8Array(child.stdout);
      const outView = new DataView(out.buffer);
      batch.forEach((_, i) => results.push(readResult(out, outView, i * RECORD)));
    }
    return results;
  }
}
