/** Values of the register `vm_mode`: whose instructions a processor with VT-x or AMD-V executes. */
export const VM_MODE = { none: 0n, vmxRoot: 1n, vmxGuest: 2n, svmGuest: 3n } as const;
