/** The files that go with a kernel. */
import type { BootInput } from '../api';
import { UserError } from '../../util/assert';
import type { Placement } from './placement';

export interface PlacedModule {
  /** Its command line: see moduleLine. */
  name: string;
  gpa: number;
  bytes: number;
}

export const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** Name and arguments. Without folders: what a guest sees must not depend on where the host keeps its files. */
export const moduleLine = ({ name, args }: { name: string; args?: string }): string =>
  args === undefined ? baseName(name) : `${baseName(name)} ${args}`;

const PAGE = 0x1000;
const MIB = 0x10_0000;

/** The initrd first, then the modules, each on a page boundary behind the kernel. Call when the kernel is in place. */
export const placeModules = (input: BootInput, placement: Placement): PlacedModule[] => {
  const files = [...(input.initrd ? [input.initrd] : []), ...(input.modules ?? [])];
  return files.map((file) => {
    const name = moduleLine(file);
    const from = Math.max(MIB, placement.end);
    const room = { align: PAGE, from: placement.isRam(from, file.bytes.length) ? from : MIB };
    const gpa = file.bytes.length ? placement.place(`module ${name}`, file.bytes, room) : 0;
    return { name, gpa, bytes: file.bytes.length };
  });
};

/** For formats that have no place for something: an option that would be ignored is refused. */
export const refuse = (
  input: BootInput,
  format: string,
  lacking: readonly ('append' | 'initrd' | 'modules')[],
): void => {
  const given = { append: input.append !== undefined && input.append !== '', initrd: input.initrd !== undefined, modules: (input.modules ?? []).length > 0 }; // prettier-ignore
  const option = { append: '--append', initrd: '--initrd', modules: '--module' };
  for (const what of lacking) {
    if (!given[what]) continue;
    throw new UserError(
      `${input.name}: ${format} has no place for ${option[what]}; leave it out or boot by another protocol.`,
    );
  }
};
