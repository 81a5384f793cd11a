// The errors of the HDF5 library, which it otherwise prints to the standard error.
#pragma once
#include <string>

#include "learning/data/kinds/hdf5/handle.h"

namespace hansa::learning::kinds {

// While it exists the library prints nothing.
class Hdf5Quiet {
 public:
  Hdf5Quiet();
  ~Hdf5Quiet();
  Hdf5Quiet(const Hdf5Quiet&) = delete;
  Hdf5Quiet& operator=(const Hdf5Quiet&) = delete;

 private:
  int (*print_)(Hdf5Id, void*) = nullptr;
  void* data_ = nullptr;
};

// What the innermost function of the call that just failed reports, as one line.
[[nodiscard]] std::string hdf5_message();

}  // namespace hansa::learning::kinds
