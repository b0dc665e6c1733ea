/** A processor to which nothing outside ever signals: that of the host, whose domains' interrupts are their own affair. */
import type { InterruptSource } from '../cpu/ports';

export const NO_INTERRUPTS: InterruptSource = {
  pending: () => false,
  acknowledge: () => 0xff,
  endOfInterrupt: () => {},
  signals: () => ({ nmi: false, init: false, sipi: false }),
  takeNmi: () => false,
  takeInit: () => false,
  takeSipi: () => -1,
  getTpr: () => 0,
  setTpr: () => {},
  readMsr: () => undefined,
  writeMsr: () => false,
};
