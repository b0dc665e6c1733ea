/** Directives, pseudo-instructions and preprocessor of NASM, with what they do. */
const data = (bytes: string): string => `Places data of ${bytes} each: numbers, strings, or \`?\` for room.`;
const room = (bytes: string): string => `Leaves room for so many times ${bytes}, in .bss.`;
const conditional = (what: string): string => `Assembles what follows, to %else, %elif or %endif, if ${what}.`;

export const NASM_DIRECTIVES: Readonly<Record<string, string>> = {
  db: data('1 byte'), dw: data('2 bytes'), dd: data('4 bytes'), dq: data('8 bytes'), dt: data('10 bytes'), do: data('16 bytes'), dy: data('32 bytes'), dz: data('64 bytes'),
  resb: room('1 byte'), resw: room('2 bytes'), resd: room('4 bytes'), resq: room('8 bytes'), rest: room('10 bytes'), reso: room('16 bytes'), resy: room('32 bytes'), resz: room('64 bytes'),
  equ: 'Gives the label before it this constant value, instead of an address.',
  times: 'Repeats the instruction or the data behind the count.',
  incbin: 'Includes a file as data: name, bytes to skip, bytes at most.',
  section: 'What follows goes to this section.', segment: 'What follows goes to this segment (the same as section).',
  absolute: 'What follows is placed at this address, and nothing is stored.',
  org: 'Address at which a flat binary will be loaded (`-f bin`).',
  bits: 'Code that follows is for a processor in this mode: 16, 32 or 64.', use16: 'Code that follows is 16-bit.', use32: 'Code that follows is 32-bit.', use64: 'Code that follows is 64-bit.',
  default: 'Default of addresses without a prefix: `rel` for RIP-relative, `abs`; and of `bnd`.',
  global: 'Makes symbols known to other files.', extern: 'Symbols that another file defines.', required: 'Symbols that another file defines, linked whether used or not.',
  common: 'A variable that several files may declare, with its size.', static: 'Symbols of this file alone.',
  cpu: 'Only instructions of this processor and of older ones from here on.', float: 'How floating-point constants are rounded.',
  align: 'Fills with NOP, or what is given, up to a multiple of so many bytes.', alignb: 'Leaves room up to a multiple of so many bytes, in .bss.', sectalign: 'Whether align raises the alignment of its section.',
  struc: 'Begins a structure: its labels become offsets.', endstruc: 'Ends a structure; NAME_size is its size.',
  istruc: 'Begins data of a structure.', at: 'The field of istruc that the data behind it are for.', iend: 'Ends data of a structure.',
  group: 'Puts segments into a group (`-f obj`).', uppercase: 'Exports all names in upper case (`-f obj`).', import: 'Names what comes from a DLL (`-f obj`).', export: 'Names what others may link (`-f obj`).',
  map: 'Writes a map of a flat binary.', warning: 'Turns a warning on or off.', list: 'Turns the listing on or off.', debug: 'Debug information of the output format.',
  safeseh: 'Marks a safe exception handler (`-f win32`).', library: 'Links a library (`-f rdf`).', module: 'Names the module (`-f rdf`).', gp2: 'Reserved.', subsections_via_symbols: 'The linker may drop what is unused (`-f macho`).', no_dead_strip: 'The linker keeps these symbols (`-f macho`).', osabi: 'The OS ABI in the ELF header.', type: 'Kind of a symbol.', size: 'Size of a symbol.',
  '%define': 'A one-line macro, expanded where it is used; case matters.', '%idefine': 'A one-line macro, expanded where it is used, in any case.', '%xdefine': 'A one-line macro whose value is expanded now.', '%ixdefine': 'As %xdefine, in any case.', '%undef': 'Forgets a one-line macro.',
  '%assign': 'A one-line macro whose value is a number, computed now.', '%iassign': 'As %assign, in any case.', '%defstr': 'A one-line macro whose value is a string.', '%deftok': 'A one-line macro from a string.', '%defalias': 'Another name of a one-line macro.',
  '%strlen': 'Length of a string, as a macro.', '%substr': 'Part of a string, as a macro.', '%strcat': 'Strings put together, as a macro.',
  '%macro': 'Begins a macro of several lines: name, and how many parameters (`1`, `2-3`, `1+`). `%1` is the first.', '%imacro': 'As %macro, in any case.', '%rmacro': 'As %macro, and may use itself.', '%irmacro': 'As %rmacro, in any case.', '%endmacro': 'Ends a macro.', '%endm': 'Ends a macro.', '%unmacro': 'Forgets a macro.', '%exitmacro': 'Leaves the expansion of a macro.',
  '%rotate': 'Rotates a macro\'s parameters.', '%rep': 'Repeats what follows, up to %endrep.', '%endrep': 'Ends %rep.', '%exitrep': 'Leaves %rep.',
  '%if': conditional('the expression is not 0'), '%ifdef': conditional('the one-line macro exists'), '%ifndef': conditional('the one-line macro does not exist'), '%ifmacro': conditional('the macro exists'), '%ifnmacro': conditional('the macro does not exist'),
  '%ifidn': conditional('both texts are the same'), '%ifidni': conditional('both texts are the same in any case'), '%ifnidn': conditional('the texts differ'), '%ifnidni': conditional('the texts differ in any case'), '%ifid': conditional('it is a name'), '%ifnid': conditional('it is no name'), '%ifnum': conditional('it is a number'), '%ifnnum': conditional('it is no number'), '%ifstr': conditional('it is a string'), '%ifnstr': conditional('it is no string'), '%iftoken': conditional('it is one token'), '%ifempty': conditional('it is empty'), '%ifnempty': conditional('it is not empty'), '%ifctx': conditional('the context is this one'), '%ifenv': conditional('the environment variable exists'),
  '%else': 'Otherwise.', '%elif': 'Otherwise, if the expression is not 0.', '%elifdef': 'Otherwise, if the macro exists.', '%elifndef': 'Otherwise, if the macro does not exist.', '%elifidn': 'Otherwise, if both texts are the same.', '%elifidni': 'Otherwise, if both texts are the same in any case.', '%elifctx': 'Otherwise, if the context is this one.', '%elifnum': 'Otherwise, if it is a number.', '%elifid': 'Otherwise, if it is a name.', '%elifstr': 'Otherwise, if it is a string.', '%endif': 'Ends a condition.',
  '%include': 'Reads another file here.', '%pathsearch': 'Path of a file, as a macro.', '%depend': 'Names a file that this one depends on.', '%use': 'Reads a package that comes with NASM: altreg, smartalign, fp, ifunc, masm.',
  '%push': 'Opens a context for `%$` names.', '%pop': 'Closes the context.', '%repl': 'Renames the context.', '%arg': 'Names stack parameters.', '%local': 'Names local variables on the stack.', '%stacksize': 'Layout that %arg and %local assume.',
  '%error': 'Refuses the file with this message.', '%warning': 'Warns with this message.', '%fatal': 'Refuses the file with this message, at once.', '%line': 'Line and file that messages name from here on.', '%pragma': 'A hint that only some tools know.', '%clear': 'Forgets all macros.', '%comment': 'Begins a comment of several lines.', '%endcomment': 'Ends a comment.', '%note': 'Says this message.',
}; // prettier-ignore
