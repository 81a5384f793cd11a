#include "learning/internal/torch_settings.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include "learning/internal/convolution_check.h"

namespace hansa::learning {

TorchSettings::TorchSettings(int threads) {
  const int wanted = std::clamp(threads, 1, 1024);
  if (at::get_num_threads() != wanted) at::set_num_threads(wanted);
  // LibTorch may use any BLAS library, so the symbol is looked up at run time.
  using SetThreads = void (*)(int);
  using GetThreads = int (*)();
  const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  const auto get = reinterpret_cast<GetThreads>(::dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  if (set != nullptr && get != nullptr && get() != wanted) set(wanted);
  distrust_wrong_convolutions();
}

}  // namespace hansa::learning
