/* A data plugin that makes its examples up: input i is {i, i + 0.5}, its label i modulo 3. The file and the options
 * come back in an error, so that a test can see them arrive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learning/data/plugin.h"

struct ramp {
  uint64_t examples;
};

static void* open_ramp(const hansa_data_settings* settings, hansa_data_shape* shape, char* error,
                       size_t error_size) {
  if (strcmp(settings->options, "fail") == 0) {
    snprintf(error, error_size, "%s:7: cannot be read\nsecond line", settings->file);
    return NULL;
  }
  struct ramp* self = malloc(sizeof *self);
  self->examples = 10;
  shape->examples = self->examples;
  shape->input_rank = 1;
  shape->input_sizes[0] = 2;
  shape->classes = strcmp(settings->options, "real") == 0 ? 0 : 3;
#ifdef RAMP_BAD_SHAPE
  shape->input_sizes[0] = -2;
#endif
  return self;
}

static void read_ramp(void* self, const uint32_t* indices, size_t count, float* inputs, int64_t* labels,
                      float* values) {
  (void)self;
  for (size_t i = 0; i < count; ++i) {
    inputs[2 * i] = (float)indices[i];
    inputs[2 * i + 1] = (float)indices[i] + 0.5F;
    labels[i] = indices[i] % 3;
    values[i] = (float)indices[i] * 2;
  }
}

#ifndef RAMP_WITHOUT_ENTRY
static const hansa_data_plugin plugin = {
#ifdef RAMP_OTHER_VERSION
    HANSA_DATA_PLUGIN_VERSION + 1,
#else
    HANSA_DATA_PLUGIN_VERSION,
#endif
    "ramp", open_ramp, read_ramp, free};

const hansa_data_plugin* hansa_data_plugin_entry(void);
const hansa_data_plugin* hansa_data_plugin_entry(void) { return &plugin; }
#else
void* unused_open(const hansa_data_settings* s, hansa_data_shape* h, char* e, size_t n);
void* unused_open(const hansa_data_settings* s, hansa_data_shape* h, char* e, size_t n) {
  (void)read_ramp;
  return open_ramp(s, h, e, n);
}
#endif
