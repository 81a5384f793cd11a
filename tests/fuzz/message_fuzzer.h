// What the message fuzzer checks, for libFuzzer and for the smoke program alike.
#pragma once
#include <cstddef>
#include <cstdint>

// libFuzzer's name and signature. Aborts when a frame that decodes does not encode to itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
