/**
 * The debugger's door into a machine: reads that leave no trace, and the user's explicit edits. What it shows is made
 * of the same parts that execute: the page walk, the decoder, the register file.
 */
import type { Cpu } from '../cpu/cpu';
import type { Device, Inspection } from '../devices/bus';
import { codeSize as codeSizeOf, modeName } from '../cpu/mode';
import { decode } from '../isa/decode';
import { format } from '../isa/format';
import * as pageTables from '../mmu/inspect';
import { mappings } from '../mmu/runs';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { walkStages } from '../mmu/staged-walk';
import type { Looking, Stages } from '../mmu/staged-walk';
import { RFLAGS, SEG } from '../x86/registers';
import type { DisassembledInstruction, Inspector, RegisterFile, Translation } from './api';
import type { HypervisorInspector } from './inspect-api';
import { MachineTables } from './inspect-tables';
import { registerFile } from './register-file';

const PAGE = 4096;
const MAX_INSTRUCTION_BYTES = 15;

/** What the inspector needs of the machine around the processors. */
export interface Inspected {
  readonly cpus: readonly Cpu[];
  readonly physical: PhysicalMemory;
  readonly hypervisor?: HypervisorInspector;
  /** Devices by name, decoded. */
  devices(): readonly Device[];
  /** The user changed memory or registers. */
  edited(): void;
}

export class MachineInspector implements Inspector {
  private readonly files: RegisterFile[];
  private addressSpaceHook: Inspector['onAddressSpace'];

  readonly tables: MachineTables;

  constructor(private readonly machine: Inspected) {
    const { cpus, physical, hypervisor } = machine;
    this.tables = new MachineTables(cpus, physical, hypervisor, () => machine.edited());
    this.files = machine.cpus.map((cpu) =>
      registerFile(cpu, () => {
        cpu.refresh();
        machine.edited();
      }),
    );
  }

  registers(cpu: number): RegisterFile {
    return this.files[cpu];
  }

  translate(
    index: number,
    gva: bigint,
    access?: Translation['access'],
    options?: { user?: boolean; cr3?: bigint },
  ): Translation {
    const { mmu, state } = this.machine.cpus[index];
    const { physical } = this.machine;
    const paging = options?.cr3 === undefined ? mmu.paging : pageTables.contextAt(mmu.paging, physical, options.cr3);
    const user = options?.user ?? state.cpl === 3;
    const stages = this.tables.stages(index, paging);
    if (stages.second) return this.nestedGuest(stages, gva, this.tables.looking(index, access ?? 'read', user));
    return pageTables.translate(paging, physical, gva, { access, user, smapOff: (state.systemFlags & RFLAGS.AC) !== 0 });
  } // prettier-ignore

  /** Of a guest hypervisor's guest, which has its own guest-physical memory. */
  private nestedGuest(stages: Stages, gva: bigint, looking: Looking): Translation {
    const { references, fault, gpa, pageBytes } = walkStages(stages, gva, looking);
    const steps = references.flatMap(({ tables, gpa: at, ...step }) => (tables === 'guest' ? [{ ...step, gpa: at ?? 0 }] : []));
    return { gva, access: looking.access, format: stages.paging.format.name, steps, ...(gpa !== undefined && { gpa, pageBytes }), ...(fault && { fault }) };
  } // prettier-ignore

  /** Where in the machine's memory a gva lies, whatever the rights: what is mapped can be looked at. */
  private look(cpu: number, gva: bigint): number {
    const { mmu } = this.machine.cpus[cpu];
    const stages = this.tables.stages(cpu);
    if (stages.second) return walkStages(stages, gva, { access: 'read', user: false, smapOff: true }).hpa ?? -1;
    const { steps, gpa } = pageTables.translate(mmu.paging, this.machine.physical, gva, { user: false, smapOff: true });
    if (gpa !== undefined) return gpa;
    const leaf = steps.at(-1);
    if (!leaf?.leaf || leaf.reserved !== 0n || !leaf.present) return -1;
    const level = mmu.paging.format.levels.find((l) => l.level === leaf.level)!;
    return leaf.target + Number(BigInt.asUintN(level.shift, gva));
  }

  readVirtual(cpu: number, gva: bigint, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    const done = this.eachPage(cpu, gva, bytes, (gpa, at, length) => {
      const part = this.readPhysical(gpa, length);
      out.set(part, at);
      return part.length;
    });
    return done === bytes ? out : out.slice(0, done);
  }
  writeVirtual(cpu: number, gva: bigint, bytes: Uint8Array): number {
    const done = this.eachPage(cpu, gva, bytes.length, (gpa, at, length) =>
      this.write(gpa, bytes.subarray(at, at + length)),
    );
    this.machine.edited();
    return done;
  }
  private eachPage(cpu: number, gva: bigint, bytes: number, visit: (gpa: number, at: number, length: number) => number): number {
    for (let done = 0; done < bytes; ) {
      const at = BigInt.asUintN(64, gva + BigInt(done));
      const gpa = this.look(cpu, at);
      const length = Math.min(bytes - done, PAGE - Number(at & 0xfffn));
      const part = gpa < 0 ? 0 : visit(gpa, done, length);
      done += part;
      if (part < length) return done;
    }
    return bytes;
  } // prettier-ignore
  readPhysical(gpa: number, bytes: number): Uint8Array {
    const ram = this.machine.physical.readBytes(gpa, bytes);
    const device = ram.length === 0 ? this.deviceMemory(gpa) : undefined;
    return device ? device.slice(0, bytes) : ram;
  }
  /** What a device has there that can be looked at: the text on a screen. */
  private deviceMemory(gpa: number): Uint8Array | undefined {
    for (const device of this.machine.devices()) {
      const bytes = device.bytesAt?.(gpa);
      if (bytes) return bytes;
    }
    return undefined;
  }
  private write(gpa: number, bytes: Uint8Array): number {
    const ram = this.machine.physical.writeBytes(gpa, bytes, true);
    const device = ram === 0 ? this.deviceMemory(gpa) : undefined;
    if (!device) return ram;
    device.set(bytes.subarray(0, device.length));
    return Math.min(bytes.length, device.length);
  }
  writePhysical(gpa: number, bytes: Uint8Array): number {
    const done = this.write(gpa, bytes);
    this.machine.edited();
    return done;
  }

  mappings(cpu: number, from: bigint, limit: number): ReturnType<Inspector['mappings']> {
    return mappings(this.machine.cpus[cpu].mmu.paging, this.machine.physical, from, limit);
  }

  disassemble(cpu: number, gva: bigint, count: number, codeSize?: 16 | 32 | 64, space: 'gv' | 'gp' | 'hp' = 'gv'): DisassembledInstruction[] {
    const size = codeSize ?? codeSizeOf(this.machine.cpus[cpu].state);
    // Branch targets are offsets in CS; here they become linear addresses.
    const base = size === 64 || space !== 'gv' ? 0n : this.machine.cpus[cpu].state.segmentBase(SEG.CS);
    const linear = (offset: bigint): bigint => BigInt.asUintN(size === 64 ? 64 : 32, base + offset);
    const out: DisassembledInstruction[] = [];
    for (let at = gva; out.length < count; at += BigInt(out.at(-1)!.bytes.length)) {
      const bytes = this.code(cpu, at, space);
      if (bytes.length === 0) break;
      const decoded = decode(bytes, BigInt.asUintN(64, at - base), size);
      if (typeof decoded === 'string') {
        out.push({ gva: at, bytes: bytes.slice(0, 1), text: '(bad)', mnemonic: '(bad)', isCall: false, isReturn: false });
        continue;
      }
      const { mnemonic } = decoded.row;
      const relative = decoded.operands.find((o) => o.kind === 'relative');
      out.push({
        gva: at,
        bytes: bytes.slice(0, decoded.length),
        text: format(decoded),
        mnemonic,
        ...(relative ? { target: linear(relative.target) } : {}),
        isCall: /^(call|lcall|syscall|sysenter|int)/.test(mnemonic),
        isReturn: /^(ret|lret|retf|iret|sysret|sysexit)/.test(mnemonic),
      });
    }
    return out;
  } // prettier-ignore

  private code(cpu: number, at: bigint, space: 'gv' | 'gp' | 'hp'): Uint8Array {
    if (space === 'gv') return this.readVirtual(cpu, at, MAX_INSTRUCTION_BYTES);
    if (space === 'gp') return this.readPhysical(Number(at), MAX_INSTRUCTION_BYTES);
    return this.tables.readHost(Number(at), MAX_INSTRUCTION_BYTES);
  }

  mode(cpu: number): string {
    return modeName(this.machine.cpus[cpu].state);
  }
  pc(cpu: number): bigint {
    const { state } = this.machine.cpus[cpu];
    return codeSizeOf(state) === 64 ? state.rip : BigInt.asUintN(32, state.segmentBase(SEG.CS) + state.rip);
  }
  halted(cpu: number): boolean {
    return this.machine.cpus[cpu].state.system('activity') !== 0n;
  }
  structures(): Record<string, Inspection> {
    const shown = this.machine.devices().flatMap((device) => (device.inspect ? [[device.name, device.inspect()]] : []));
    return Object.fromEntries(shown) as Record<string, Inspection>;
  }
  editableDevices(): readonly string[] {
    return this.machine
      .devices()
      .flatMap(({ name, editable = [] }) => editable.map((register) => `${name}.${register}`));
  }
  setDevice(path: string, value: number): boolean {
    const [name, register] = [path.slice(0, path.indexOf('.')), path.slice(path.indexOf('.') + 1)];
    const device = this.machine.devices().find((each) => each.name === name);
    if (!device?.editable?.includes(register)) return false;
    device.edit!(register, value);
    this.machine.edited();
    return true;
  }
  get onAddressSpace(): Inspector['onAddressSpace'] {
    return this.addressSpaceHook;
  }
  set onAddressSpace(look: Inspector['onAddressSpace']) {
    this.addressSpaceHook = look;
    this.machine.cpus.forEach(({ mmu }, cpu) => (mmu.onPaging = look && (() => look(cpu))));
  }
}
