/* A guest for Xen that does nothing but call its hypervisor: the version, again and again. Its start is that of guests/xen. */
#define XEN_VERSION 17
#define BYTES_A_CALL 32

  .text
  .globl main, power_off
main:
  xor %edi, %edi
  xor %esi, %esi
  call hypercall_page + XEN_VERSION * BYTES_A_CALL
  test %eax, %eax
  jg main
power_off:
  ud2
