/* A data plugin of version 2: example i has the tokens {i, i + 1, i + 2}, the mask {1, 0, 1}, and as targets the labels
 * {i modulo 4, -100} and the number i / 2. With the options "twice" two tensors have one name. */
#include <stdlib.h>
#include <string.h>

#include "learning/data/plugin.h"

static void describe(hansa_data_tensor* tensor, const char* name, uint32_t type, uint32_t role, int64_t size) {
  strcpy(tensor->name, name);
  tensor->type = type;
  tensor->role = role;
  tensor->rank = size == 0 ? 0 : 1;
  tensor->sizes[0] = size;
}

static void* open_typed(const hansa_data_settings* settings, hansa_data_examples* examples, char* error,
                        size_t error_size) {
  (void)error;
  (void)error_size;
  examples->examples = 6;
  examples->tensor_count = 4;
  describe(&examples->tensors[0], "tokens", HANSA_DATA_INT64, HANSA_DATA_INPUT, 3);
  describe(&examples->tensors[1], strcmp(settings->options, "twice") == 0 ? "tokens" : "mask", HANSA_DATA_BOOLEAN,
           HANSA_DATA_INPUT, 3);
  describe(&examples->tensors[2], "y", HANSA_DATA_INT64, HANSA_DATA_TARGET, 2);
  examples->tensors[2].classes = 4;
  describe(&examples->tensors[3], "y_half", HANSA_DATA_FLOAT32, HANSA_DATA_TARGET, 0);
  if (strcmp(settings->options, "order") == 0) examples->tensors[3].role = HANSA_DATA_INPUT;
  if (strcmp(settings->options, "type") == 0) examples->tensors[0].type = 5;
  if (strcmp(settings->options, "none") == 0) examples->tensor_count = 0;
  return malloc(1);
}

static void read_typed(void* self, const uint32_t* indices, size_t count, void* const* tensors) {
  (void)self;
  for (size_t i = 0; i < count; ++i) {
    for (int64_t j = 0; tensors[0] != NULL && j < 3; ++j) ((int64_t*)tensors[0])[3 * i + (size_t)j] = indices[i] + j;
    for (size_t j = 0; tensors[1] != NULL && j < 3; ++j) ((uint8_t*)tensors[1])[3 * i + j] = j != 1;
    if (tensors[2] != NULL) {
      ((int64_t*)tensors[2])[2 * i] = indices[i] % 4;
      ((int64_t*)tensors[2])[2 * i + 1] = -100;
    }
    if (tensors[3] != NULL) ((float*)tensors[3])[i] = (float)indices[i] / 2;
  }
}

static const hansa_data_plugin_2 plugin = {HANSA_DATA_PLUGIN_VERSION_2, "typed", open_typed, read_typed, free};

const hansa_data_plugin_2* hansa_data_plugin_entry_2(void);
const hansa_data_plugin_2* hansa_data_plugin_entry_2(void) { return &plugin; }
