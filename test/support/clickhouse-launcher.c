/* Runs ClickHouse out of libchdb.so: launcher LIBRARY ARGUMENTS... The library checks stack addresses, so it wants a real main. */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
  void *(*run)(int, char **) = library ? (void *(*)(int, char **))dlsym(library, "query_stable_v2") : NULL;
  if (!run) return fprintf(stderr, "%s\n", dlerror()), 2;
  argv[1] = "clickhouse";
  return run(argc - 1, argv + 1) ? 0 : 1;
}
