        .intel_syntax noprefix
entry:  mov eax, dword ptr [rbx + rcx*4 + 0x10]
        lea rdi, [rip + buffer]
        mov ax, offset table
        lock inc qword ptr gs:[0]
        ret
