// The check of the message fuzzer, for libFuzzer and for the smoke program.
#pragma once
#include <cstddef>
#include <cstdint>

// libFuzzer's entry point. Aborts if a frame is accepted but does not encode to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
