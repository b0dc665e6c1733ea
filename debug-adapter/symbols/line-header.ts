/** Headers of line tables, versions 2 to 5. DWARF 5 section 6.2.4. */
import { FORM, LNCT, nameOf } from './dwarf-constants';
import { DwarfError, Reader, stringAt } from './reader';
import type { DebugSections } from './sections';

export interface LineHeader {
  readonly sections: DebugSections;
  /** Offset in .debug_line, and past the table's end. */
  offset: number;
  end: number;
  /** First opcode. */
  program: number;
  version: number;
  addressSize: number;
  minimumLength: number;
  maximumOperations: number;
  defaultIsStatement: boolean;
  lineBase: number;
  lineRange: number;
  opcodeBase: number;
  operandCounts: number[];
  directories: string[];
  /** A number is an offset in .debug_line_str: a kernel's tables name a million files, and few are asked for. */
  files: { name: string | number; directory: number }[];
  /** Number of the first file: 1 up to version 4. */
  firstFile: 0 | 1;
}

export const readLineHeader = (sections: DebugSections, offset: number, unitAddressSize: number): LineHeader => {
  const reader = new Reader(sections.line, '.debug_line', offset);
  const { length, offsetSize } = reader.initialLength();
  const end = reader.at + length;
  if (end > reader.end)
    throw new DwarfError(`.debug_line: the table at 0x${offset.toString(16)} reaches beyond the section's end`);
  reader.end = end;
  const version = reader.u16();
  if (version < 2 || version > 5)
    throw new DwarfError(`.debug_line: the table at 0x${offset.toString(16)} has version ${version}`);
  const addressSize = version >= 5 ? reader.u8() : unitAddressSize;
  if (version >= 5) reader.u8();
  const headerLength = reader.offset(offsetSize);
  const program = reader.at + headerLength;
  const minimumLength = reader.u8();
  const maximumOperations = version >= 4 ? reader.u8() || 1 : 1;
  const defaultIsStatement = reader.u8() !== 0;
  const [lineBase, lineRange, opcodeBase] = [reader.i8(), reader.u8(), reader.u8()];
  if (lineRange === 0) throw new DwarfError(`.debug_line: the table at 0x${offset.toString(16)} has a line range of 0`);
  const operandCounts = [0];
  for (let i = 1; i < opcodeBase; i++) operandCounts.push(reader.u8());
  const names = version >= 5 ? names5(reader, sections, offsetSize) : names2(reader);
  return { sections, offset, end, program, version, addressSize, minimumLength, maximumOperations, defaultIsStatement, lineBase, lineRange, opcodeBase, operandCounts, ...names, firstFile: version >= 5 ? 0 : 1 }; // prettier-ignore
};

type Names = Pick<LineHeader, 'directories' | 'files'>;

const names2 = (reader: Reader): Names => {
  const names: Names = { directories: [''], files: [] };
  for (let name = reader.string(); name !== ''; name = reader.string()) names.directories.push(name);
  for (let name = reader.string(); name !== ''; name = reader.string()) {
    names.files.push({ name, directory: reader.uleb() });
    reader.skipLeb();
    reader.skipLeb();
  }
  return names;
};

const names5 = (reader: Reader, sections: DebugSections, offsetSize: 4 | 8): Names => {
  const directories = entries(reader, sections, offsetSize).map((e) => textOf(e.name, sections));
  return { directories, files: entries(reader, sections, offsetSize) };
};

const entries = (reader: Reader, sections: DebugSections, offsetSize: 4 | 8): Names['files'] => {
  const format: [content: number, form: number][] = [];
  for (let n = reader.u8(); n > 0; n--) format.push([reader.uleb(), reader.uleb()]);
  const list: Names['files'] = [];
  const count = reader.uleb();
  if (count > 0 && format.length === 0) throw new DwarfError('.debug_line: file names have no format');
  for (let i = 0; i < count; i++) {
    const entry: Names['files'][number] = { name: '', directory: 0 };
    for (const [content, form] of format) {
      if (content === LNCT.path && form === FORM.line_strp) {
        entry.name = reader.offset(offsetSize);
        continue;
      }
      const value = readValue(reader, form, sections, offsetSize);
      if (content === LNCT.path && typeof value === 'string') entry.name = value;
      if (content === LNCT.directory_index && typeof value === 'number') entry.directory = value;
    }
    list.push(entry);
  }
  return list;
};

const textOf = (name: string | number, sections: DebugSections): string =>
  typeof name === 'string' ? name : stringAt(sections.line_str, '.debug_line_str', name);

const readValue = (
  reader: Reader,
  form: number,
  sections: DebugSections,
  offsetSize: 4 | 8,
): string | number | undefined => {
  switch (form) {
    case FORM.string:
      return reader.string();
    case FORM.line_strp:
      return stringAt(sections.line_str, '.debug_line_str', reader.offset(offsetSize));
    case FORM.strp:
      return stringAt(sections.str, '.debug_str', reader.offset(offsetSize));
    case FORM.udata:
      return reader.uleb();
    case FORM.data1:
      return reader.u8();
    case FORM.data2:
      return reader.u16();
    case FORM.data4:
      return reader.u32();
    case FORM.data8:
      return reader.u64Number();
    case FORM.data16:
      return reader.skip(16) as undefined;
    case FORM.block:
      return reader.skip(reader.uleb()) as undefined;
    default:
      throw new DwarfError(`.debug_line: form ${nameOf(FORM, form)} of a file name is not known`);
  }
};

/** Directory and name joined, `.` and `..` resolved, with `/`. */
export const joinPath = (directory: string, name: string): string => {
  const slashed = name.replaceAll('\\', '/');
  const whole = isAbsolute(slashed) || directory === '' ? slashed : `${directory.replaceAll('\\', '/')}/${slashed}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !whole.startsWith('/')) parts.push(part);
  }
  return (whole.startsWith('/') ? '/' : '') + parts.join('/');
};
const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:\//.test(path);

/** Full path of a file of the table; `directory` is the unit's compilation directory. */
export const filePath = (header: LineHeader, file: number, directory: string): string | undefined => {
  const entry = header.files[file - header.firstFile];
  if (!entry) return undefined;
  return joinPath(joinPath(directory, header.directories[entry.directory] ?? ''), textOf(entry.name, header.sections));
};
