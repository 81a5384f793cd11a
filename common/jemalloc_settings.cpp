// jemalloc's settings, compiled into every program that links it (hansa_use_jemalloc).
//
// Freed pages are kept. By default jemalloc returns the pages of large tensors to the kernel at once, and the next
// batch faults in new ones: evaluation then takes four to five times as long (docs/performance.md). The peak memory
// of a program is the same with either setting.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1";
}
