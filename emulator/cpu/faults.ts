/** The exceptions that plain meanings throw, by name. Error codes: SDM vol. 3A 6.13. */
import { VECTOR } from '../x86/registers';
import { GuestFault } from './ports';

/** Added to an error code while an event from outside the program is being delivered. */
export type Ext = 0 | 1;

export const ud = (): GuestFault => new GuestFault(VECTOR.UD);
export const gp = (errorCode = 0): GuestFault => new GuestFault(VECTOR.GP, errorCode);
export const ss = (errorCode = 0): GuestFault => new GuestFault(VECTOR.SS, errorCode);
export const np = (errorCode: number): GuestFault => new GuestFault(VECTOR.NP, errorCode);
export const ts = (errorCode: number): GuestFault => new GuestFault(VECTOR.TS, errorCode);
/** A selector as error codes show it: without RPL, with the EXT bit. */
export const selectorCode = (selector: number, ext: Ext = 0): number => (selector & 0xfffc) | ext;
/** An IDT entry as error codes show it. */
export const idtCode = (vector: number, ext: Ext): number => (vector << 3) | 2 | ext;
