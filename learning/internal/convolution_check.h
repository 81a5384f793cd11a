// A guard against LibTorch builds whose convolutions compute wrong gradients.
#pragma once

namespace hansa::learning {

// Compares the input gradient of one small convolution with the same in double precision, once in the process, and
// disables oneDNN if they differ. In Debian 13's LibTorch 2.6 (oneDNN 3.6 with AVX2 or AVX-512) the error is larger
// than the gradient itself for fewer than 8 channels. Thread-safe.
void distrust_wrong_convolutions();

}  // namespace hansa::learning
