/** QEMU stopped behind its gdb stub, as an oracle for single steps (GDB Remote Serial Protocol, gdb manual appendix E). */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export const haveQemu = (): boolean => spawnSync('qemu-system-x86_64', ['--version']).status === 0;

/** What the stub's `g` packet begins with for x86-64: sixteen registers in this order, RIP, then EFLAGS in 4 bytes. */
export const ORDER = [
  'rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip',
] as const; // prettier-ignore
export type Registers = Record<(typeof ORDER)[number] | 'rflags', bigint>;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export class QemuStub {
  private buffer = '';
  private waiting?: (packet: string) => void;

  private constructor(
    private readonly process: ChildProcess,
    private readonly socket: Socket,
  ) {
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.buffer += text;
      this.deliver();
    });
  }

  /** A machine that has not begun; single steps take no interrupt (the stub's default). */
  static async start(options: readonly string[]): Promise<QemuStub> {
    const port = await freePort();
    const quiet = ['-display', 'none', '-serial', 'null', '-no-reboot', '-S', '-gdb', `tcp:127.0.0.1:${port}`];
    const process = spawn('qemu-system-x86_64', [...options, ...quiet], { stdio: 'ignore' });
    for (let attempt = 0; ; attempt++) {
      try {
        const socket = await new Promise<Socket>((resolve, reject) => {
          const s = connect(port, '127.0.0.1', () => resolve(s)).on('error', reject);
        });
        socket.setNoDelay(true);
        return new QemuStub(process, socket);
      } catch (error) {
        if (attempt === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
  get pid(): number {
    return this.process.pid!;
  }
  stop(): void {
    this.socket.destroy();
    this.process.kill();
  }

  private deliver(): void {
    const packet = /\$([^#]*)#[0-9a-f]{2}/.exec(this.buffer);
    if (!packet || !this.waiting) return;
    this.buffer = this.buffer.slice(packet.index + packet[0].length);
    this.socket.write('+');
    const answer = this.waiting;
    this.waiting = undefined;
    answer(packet[1]);
  }
  private ask(command: string): Promise<string> {
    const sum = [...command].reduce((a, c) => (a + c.charCodeAt(0)) & 0xff, 0);
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.socket.write(`$${command}#${sum.toString(16).padStart(2, '0')}`);
    });
  }

  /** Runs until the instruction at `gva`; the breakpoint is gone afterwards. */
  async runTo(gva: bigint): Promise<void> {
    await this.ask(`Z1,${gva.toString(16)},1`);
    await this.ask('c');
    await this.ask(`z1,${gva.toString(16)},1`);
  }
  async step(): Promise<void> {
    await this.ask('s');
  }
  async registers(): Promise<Registers> {
    const bytes = Buffer.from(await this.ask('g'), 'hex');
    const values = ORDER.map((name, i) => [name, bytes.readBigUInt64LE(i * 8)] as const);
    return { ...Object.fromEntries(values), rflags: BigInt(bytes.readUInt32LE(ORDER.length * 8)) } as Registers;
  }
}
