/**
 * Whether the guest runs Linux, and what it has loaded: watches for a kernel that unpacks itself, and for its modules. The
 * processor stands while symbols are read, so that breakpoints by name are there before the first instruction of them.
 */
import type { Inspector } from '../../emulator/machine/api';
import type { Module, Program } from '../program';
import { Slices } from '../symbols/slices';
import { mayBeKernel } from './find';
import { Kernel } from './kernel';
import { loadedModules, moduleFile, type LoadedModule } from './modules';

export interface LinuxHost {
  inspect(): Inspector;
  /** The processor whose address space counts. */
  cpu(): number;
  program: Program;
  /** End the slice; `between` is called before the next instruction. */
  attend(): void;
  /** Call `when` whenever execution comes by. */
  watch(places: { gva: bigint; when: () => boolean }[]): void;
  /** Symbols came or went. */
  changed(): void;
  moduleEvent(reason: 'new' | 'removed', module: Module): void;
}

/** What the kernel runs when a module has been loaded and when one goes: its list is right there. */
const MODULE_HOOKS = ['do_init_module', 'free_module'];
/** Address spaces that look like a kernel and are none: others use the same addresses. */
const MAX_ATTEMPTS = 4;

export class LinuxGuest {
  kernel: Kernel | undefined;
  readonly modules = new Map<bigint, { loaded: LoadedModule; module: Module }>();
  private vmlinux: Module | undefined;
  private wanted: 'kernel' | 'modules' | undefined;
  private foundOn = 0;
  private attempts = 0;

  constructor(private readonly host: LinuxHost) {}

  /** A machine is about to boot: nothing is known of it. */
  attach(): void {
    this.forget();
    this.attempts = 0;
    this.arm();
    // A machine that was restored runs it already.
    if (mayBeKernel(this.host.inspect(), 0)) this.wanted = 'kernel';
  }
  private forget(): void {
    for (const { module } of this.modules.values()) this.host.program.remove(module);
    this.modules.clear();
    if (this.vmlinux) this.host.program.remove(this.vmlinux);
    this.kernel = this.vmlinux = this.wanted = undefined;
  }
  private arm(): void {
    const inspect = this.host.inspect();
    inspect.onAddressSpace = (cpu) => {
      if (!mayBeKernel(inspect, cpu)) return;
      inspect.onAddressSpace = undefined;
      this.foundOn = cpu;
      this.wanted = 'kernel';
      this.host.attend();
    };
  }

  /** A kernel may still appear, and modules always. */
  get expected(): boolean {
    return this.kernel !== undefined || this.host.inspect().onAddressSpace !== undefined || this.wanted !== undefined;
  }

  /** What must be done before the next instruction. */
  between(): Promise<void> | undefined {
    const { wanted } = this;
    this.wanted = undefined;
    if (wanted === 'kernel') return this.find(() => this.foundOn);
    return wanted === 'modules' ? this.refreshModules() : undefined;
  }

  /** Looks again, because the user asks. */
  async ensure(): Promise<Kernel | undefined> {
    if (this.kernel === undefined) await this.find(() => this.host.cpu());
    return this.kernel;
  }

  /** `busybox+0x1234 (sh)`: code of the program that a processor runs. */
  describeUser(cpu: number, gva: bigint): string | undefined {
    const { kernel } = this;
    const task = kernel?.tasks.currentOn(cpu);
    if (kernel === undefined || task === undefined) return undefined;
    const program = kernel.tasks.programOf(task);
    const { comm } = kernel.tasks.describe(task);
    const inside = program !== undefined && gva >= program.start && gva < program.end;
    return inside ? `${program.name}+0x${(gva - program.start).toString(16)} (${comm})` : `0x${gva.toString(16)} (${comm})`; // prettier-ignore
  }

  private async find(cpu: () => number): Promise<void> {
    const slices = new Slices();
    try {
      const { inspect } = this.host;
      const kernel = await Kernel.find(inspect, cpu, slices);
      if (kernel === undefined) {
        if (++this.attempts < MAX_ATTEMPTS && inspect().onAddressSpace === undefined) this.arm();
        return;
      }
      inspect().onAddressSpace = undefined;
      this.kernel = kernel;
      this.vmlinux = this.host.program.add('vmlinux', kernel.file);
      this.host.moduleEvent('new', this.vmlinux);
      this.watchModules(kernel);
      await this.updateModules(kernel, slices);
      this.host.changed();
    } finally {
      slices.close();
    }
  }

  private watchModules(kernel: Kernel): void {
    const when = (): boolean => {
      this.wanted = 'modules';
      this.host.attend();
      return false;
    };
    const places = MODULE_HOOKS.map((name) => kernel.symbol(name)).filter((gva) => gva !== undefined);
    this.host.watch(places.map((gva) => ({ gva, when })));
  }

  private async refreshModules(): Promise<void> {
    const { kernel } = this;
    if (kernel === undefined) return;
    const slices = new Slices();
    try {
      if (await this.updateModules(kernel, slices)) this.host.changed();
    } finally {
      slices.close();
    }
  }
  /** Whether any came or went. */
  private async updateModules(kernel: Kernel, slices: Slices): Promise<boolean> {
    const now = new Map((loadedModules(kernel) ?? []).map((each) => [each.gva, each]));
    let changed = false;
    for (const [gva, { loaded, module }] of this.modules) {
      const same = now.get(gva);
      if (same?.name === loaded.name && same.start === loaded.start) continue;
      this.modules.delete(gva);
      this.host.program.remove(module);
      this.host.moduleEvent('removed', module);
      changed = true;
    }
    for (const loaded of now.values()) {
      if (this.modules.has(loaded.gva)) continue;
      const module = this.host.program.add(`${loaded.name}.ko`, await moduleFile(kernel, loaded, slices));
      this.modules.set(loaded.gva, { loaded, module });
      this.host.moduleEvent('new', module);
      changed = true;
    }
    return changed;
  }
}
