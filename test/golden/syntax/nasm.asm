; A comment
%include "macros.inc"
%define COUNT 10
%macro SAVE 2-3
%%again: mov %1, [%2 + 8]
        jmp %%again
%endmacro
bits 64
section .text
        global start
start:  mov rax, 0x1f
.local  cmp byte [rsi], 'a'
        rep movsb
        lock xadd dword [rel counter], ecx
        jne short .local
message db "Hello; world", 10, `\n`, 0
length  equ $ - message
        times 510 - ($ - $$) db 0
        resb 64
        mov eax, 0ffh
[section .data]
