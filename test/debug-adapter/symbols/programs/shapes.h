struct node {
  int value;
  struct node *next;
};
struct node *node_of(int value);
int add(int a, int b);
int outer_function(int n, const char *text);

static inline int squared(int x) {
  int result = x * x;
  return result;
}
