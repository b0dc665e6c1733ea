/* What programs ask the kernel for, with int 0x80: the number in EAX, arguments in EBX, ECX, EDX. */
#define CALL_EXIT 1
#define CALL_FORK 2
#define CALL_READ 3
#define CALL_WRITE 4
#define CALL_CLOSE 6
#define CALL_WAIT 7
#define CALL_EXEC 11
#define CALL_ID 20
#define CALL_PIPE 42
#define CALL_BREAK 45
#define CALL_YIELD 158
#define CALL_SLEEP 162
#define CALL_FREE 200
#define CALL_POWER_OFF 201
