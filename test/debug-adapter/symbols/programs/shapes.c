/* Every kind of type, and what C does with them. Compiled by the tests with several compilers' options. */
#include "shapes.h"

enum colour { RED, GREEN = 5, BLUE = -3 };
enum flags { READ = 1, WRITE = 2, EXECUTE = 4 };
enum { LIMIT = 77 };
typedef unsigned int u32;
typedef int (*callback)(struct node *, const char *, ...);

struct bits {
  u32 low : 3;
  u32 middle : 7;
  int sign : 5;
  unsigned long long wide : 40;
  _Bool yes : 1;
};
struct packed {
  char a;
  struct bits bits;
  short b;
} __attribute__((packed));
union either {
  int number;
  float real;
  struct {
    short first, second;
  };
};
struct outer {
  int before;
  union {
    int x;
    struct {
      short y, z;
    };
  };
  struct incomplete *nowhere;
  struct node *elsewhere;
  callback call;
  int (*table[3])(void);
  int matrix[2][3];
  const volatile char *text;
  char tail[];
};

struct bits bits = {.low = 5, .middle = 99, .sign = -7, .wide = 0x123456789aULL, .yes = 1};
struct packed packed = {'p', {1, 2, 3, 4, 0}, -2};
union either either = {.number = 0x00020001};
struct outer outer = {1, {2}, 0, 0, 0, {0}, {{1, 2, 3}, {4, 5, 6}}, "text of outer"};
enum colour colour = BLUE;
enum flags flags = READ | EXECUTE;
double real = 2.5;
float single = -0.75f;
long double extended = 1.25L;
unsigned char byte = 200;
signed char tiny = -100;
long long large = -0x123456789abcdefLL;
_Bool truth = 1;
char name[8] = "ringside";
static int hidden = 4711;
const char *message = "hello, guest\n";
int *pointer = &hidden;
int (*function)(int, int) = add;
__attribute__((used)) static int limit = LIMIT;

int use_node(void) { return node_of(3)->value + hidden + limit; }
