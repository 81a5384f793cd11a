// jemalloc's settings, compiled into every program that links it (hansa_use_jemalloc).
//
// Freed pages are kept. By default jemalloc gives those of large tensors back to the kernel at once and a batch
// later touches fresh ones: evaluation then takes four to five times as long (docs/performance.md). What a
// program holds is its peak of work either way.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1";
}
