/* A kind of data in a shared library, for data.plugin. Plain C, so that any compiler can build it.
 *
 * The library exports one function:
 *
 *   const hansa_data_plugin_2* hansa_data_plugin_entry_2(void) { return &plugin; }
 *
 * A library of version 1, whose examples have one float32 input and one target, exports hansa_data_plugin_entry and is
 * loaded as well.
 *
 * The client opens the library when it first needs its data, checks the version, and calls the functions from
 * one thread at a time. What the plugin reads is trained on and not sent. After open() has returned, the process
 * may be locked (docs/sandbox.md): read() can use what is open, and can open nothing. */
#ifndef HANSA_LEARNING_DATA_PLUGIN_H
#define HANSA_LEARNING_DATA_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HANSA_DATA_PLUGIN_VERSION_2 2
#define HANSA_DATA_PLUGIN_ENTRY_2 "hansa_data_plugin_entry_2"
#define HANSA_DATA_PLUGIN_VERSION 1
#define HANSA_DATA_PLUGIN_ENTRY "hansa_data_plugin_entry"
#define HANSA_DATA_RANK_MAX 8
#define HANSA_DATA_TENSORS_MAX 16
#define HANSA_DATA_NAME_BYTES 64

typedef struct hansa_data_settings {
  const char* file; /* data.file as a path that can be opened; "" if it is not set */
  const char* options; /* data.options; "" if it is not set */
  const char* label; /* data.label; "" if it is not set */
  uint32_t window; /* data.window; 0 if it is not set */
  uint32_t stride; /* data.stride; 1 if it is not set */
} hansa_data_settings;

/* The type of a tensor's values. A boolean is a byte of 0 or 1. */
#define HANSA_DATA_FLOAT32 0
#define HANSA_DATA_UINT8 1
#define HANSA_DATA_INT32 2
#define HANSA_DATA_INT64 3
#define HANSA_DATA_BOOLEAN 4

#define HANSA_DATA_INPUT 0
#define HANSA_DATA_TARGET 1

typedef struct hansa_data_tensor {
  char name
      [HANSA_DATA_NAME_BYTES]; /* the argument of forward() or training_loss() that takes it, with a final zero */
  uint32_t type; /* HANSA_DATA_FLOAT32, ... */
  /* HANSA_DATA_INPUT or HANSA_DATA_TARGET; the inputs come first. A target is float32 (numbers) or int64 (labels). */
  uint32_t role;
  uint32_t rank; /* 0 (one value) to HANSA_DATA_RANK_MAX */
  int64_t sizes[HANSA_DATA_RANK_MAX]; /* dimensions of one example */
  int64_t
      classes; /* of a target of type int64: its values are 0 to classes - 1, or -100 where none counts; else 0 */
} hansa_data_tensor;

typedef struct hansa_data_examples {
  uint64_t examples; /* at least 1, less than 2^32 */
  uint32_t tensor_count; /* at least 1 input; at most HANSA_DATA_TENSORS_MAX in all */
  hansa_data_tensor tensors[HANSA_DATA_TENSORS_MAX];
} hansa_data_examples;

typedef struct hansa_data_plugin_2 {
  uint32_t version; /* HANSA_DATA_PLUGIN_VERSION_2 */
  const char* name; /* the value of data.kind that selects this plugin */
  /* Opens the data and fills examples. Returns NULL on failure, with one line in error (at most error_size bytes with
   * the final zero): the file, the row, what is wrong. */
  void* (*open)(const hansa_data_settings* settings, hansa_data_examples* examples, char* error,
                size_t error_size);
  /* Equal indices give equal values in every call: examples are held out by what they are (docs/data.md).
   * Writes tensor t of the examples, one after the other, to tensors[t], which is aligned for its type, or is NULL if the
   * tensor is not needed. */
  void (*read)(void* self, const uint32_t* indices, size_t count, void* const* tensors);
  void (*close)(void* self);
} hansa_data_plugin_2;

typedef const hansa_data_plugin_2* (*hansa_data_plugin_entry_2_function)(void);

/* Version 1. */
typedef struct hansa_data_shape {
  uint64_t examples; /* at least 1, less than 2^32 */
  uint32_t input_rank; /* 1 to HANSA_DATA_RANK_MAX */
  int64_t input_sizes[HANSA_DATA_RANK_MAX]; /* dimensions of one example */
  int64_t classes; /* labels are 0 to classes - 1; 0: the target is one real number */
} hansa_data_shape;

typedef struct hansa_data_plugin {
  uint32_t version; /* HANSA_DATA_PLUGIN_VERSION */
  const char* name; /* the value of data.kind that selects this plugin */
  /* Opens the examples and fills shape. Returns NULL on failure, with one line in error (at most error_size bytes
   * with the final zero): the file, the row, what is wrong. */
  void* (*open)(const hansa_data_settings* settings, hansa_data_shape* shape, char* error, size_t error_size);
  /* Equal indices give equal values in every call: examples are held out by what they are (docs/data.md).
   * Writes count examples: inputs (count x product of input_sizes), and labels if classes > 0, else values. */
  void (*read)(void* self, const uint32_t* indices, size_t count, float* inputs, int64_t* labels,
               float* values);
  void (*close)(void* self);
} hansa_data_plugin;

typedef const hansa_data_plugin* (*hansa_data_plugin_entry_function)(void);

#ifdef __cplusplus
}
#endif
#endif
