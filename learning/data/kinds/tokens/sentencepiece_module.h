/* The interface of libhansa_sentencepiece.so, which calls libsentencepiece.
 *
 * It is a library of its own, and loaded with RTLD_DEEPBIND: libsentencepiece contains another version of Protocol Buffers than
 * the one that LibTorch uses, with the same names. A program that linked both would call one with the other's data. */
#pragma once
#include <stddef.h>
#include <stdint.h>

extern "C" {

struct hansa_sentencepiece {
  uint32_t version; /* HANSA_SENTENCEPIECE_VERSION */
  /* Each returns NULL or -1 on failure, with one line in error (at most error_size bytes with the final zero). */
  void* (*open)(const char* model, size_t bytes, char* error, size_t error_size);
  int64_t (*vocabulary_size)(const void* self);
  /* Calls take() once, with the tokens, which are valid until it returns. Returns 0. */
  int (*encode)(const void* self, const char* text, size_t bytes,
                void (*take)(void* context, const int* tokens, size_t count), void* context, char* error,
                size_t error_size);
  void (*close)(void* self);
};
#define HANSA_SENTENCEPIECE_VERSION 1

const struct hansa_sentencepiece* hansa_sentencepiece_entry(void);
}
