/** `--help`. Exit statuses and options are the contract of DESIGN section 5. */

import { DEFAULT_MODEL, MODEL_NAMES, TECHNIQUES } from '../../emulator/index';

export const USAGE = `Usage: ringside run KERNEL [options]
       ringside run --firmware FILE --disk FILE [options]
       ringside compare KERNEL [--techniques none,trap-and-emulate/shadow] [options]
       ringside domains CONFIG.json [--max-instructions N] [--json FILE]

Runs an operating-system kernel on Ringside's machine; its first serial port is the standard output.
compare runs the same image under several techniques and prints a table, and where a guest first sees a difference.
domains runs several machines on one host, by turns, until each has ended; lines of the console begin with a name. The file is
{ "domains": [ { "name": "web", "kernel": "FILE", "technique": "vt-x", "weight": 512, "cap": 50 } ] }: options of run without
their dashes (vgaRom), files relative to it; weight (1 to 65535, default 256) and cap (percent, default none) share the processor.
KERNEL is an ELF file (Multiboot 1 or 2, PVH, plain), a Linux bzImage or a bootable disk image.

What it gets
  --memory SIZE         RAM, whole MiB: 64M, 1G (default 256M)
  --cpus N              processors, 1 to 8 (default 1)
  --cpu MODEL           ${MODEL_NAMES.join(', ')}, and changes to it: haswell,-avx2,+smap (default ${DEFAULT_MODEL})
  --append TEXT         command line
  --initrd FILE         initial RAM disk; the first module for Multiboot and PVH
  --module FILE[,args=TEXT]
                        a further file for Multiboot and PVH, and under paravirtual in a list of modules; repeatable. TEXT
                        follows its name on its command line
  --disk FILE[,OPTION]  a disk, as a raw image; repeatable, the first is the one that a BIOS boots. Options: if=ide (default)
                        or if=virtio; media=cdrom; ro; writeback. What the guest writes stays in memory, and goes into the
                        file at the end only with writeback
  --firmware FILE       a BIOS (SeaBIOS: bios.bin) that starts what is on the disks, instead of KERNEL
  --vga-rom FILE        its video BIOS (vgabios-isavga.bin)
  --console NAME        where input goes: serial (default), or virtio: /dev/hvc0, whose output is shown, too
  --input TEXT          typed on the console from the start; \\r \\n \\t \\e \\\\ \\xNN are understood
  --script FILE         lines "expect REGEX" and "send TEXT" (TEXT as for --input; # begins a comment)

When it ends
  --until REGEX         when a line of the console matches; escape sequences are left out
  --fail REGEX          likewise, as a failure
  --max-instructions N  after exactly N instructions

How it runs
  --technique NAME      ${TECHNIQUES.join(', ')} (default none: the bare machine)
  --paging NAME         shadow, direct, nested: where the technique leaves a choice
  --techniques A,B/P    for compare: techniques, each perhaps with a slash and a paging (default:
                        all but paravirtual, which needs a kernel for Xen)
  --tier NAME           compiler (default), or interpreter: the same run, slower
  --json FILE           writes {instructions, seconds, stop, technique, paging, exits, stateHash}; - is standard error

Exit status: 0 the --until text came, or the guest powered off (debug-exit port: wrote 0); 1 the guest died (triple
fault, halted for good, reset, debug-exit with another value, --fail text); 2 wrong use; 3 a limit was reached, or the
guest waits for input that never comes; 130 interrupted (Ctrl+C).
`;
